"""The claims of chapter 08's second half, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest

from imitlib import claims
from imitlib.chapters.ch08 import accuracy, complexity, copying, kept, pairs, raters
from imitlib.experiments import Samples
from imitlib.figures import png
from wrong_libraries import each, must_refute

MODULES = (pairs, copying, complexity, accuracy, raters, kept)
CLAIMS = {c.id: c for m in MODULES for c in m.CLAIMS}
SEEDS = dict.fromkeys(CLAIMS, (1003,)) | {
    "gi-no-accuracy": (1004,), "gi-signal-gamed": (1000, 1001)}  # fmt: skip
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def right():
    return {name: claims.replay(claim, SEEDS[name]) for name, claim in CLAIMS.items()}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right[claim_id])


# Wrong libraries -------------------------------------------------------------------------


def the_opposite_is_no_other(patch):
    patch.setattr(pairs, "opposite", lambda planner: planner)


def habits_are_never_learned(patch):
    right = pairs.fit_habit
    patch.setattr(pairs, "fit_habit", lambda mdp, planner, reward, counts, l2: right(
        mdp, planner, reward, 0 * counts, l2=l2))  # fmt: skip


def fits_take_the_first_reward_for_the_last(patch):
    patch.setattr(pairs, "fit", lambda mdp, planner, counts, l2, start: (
        start.reshape(counts.shape)))  # fmt: skip


def degenerate_pairs_forget_the_temperature(patch):
    right = pairs.degenerate
    patch.setattr(pairs, "degenerate", lambda policy, temperature: [
        (replace(p, temperature=1.0), r) for p, r in right(policy, temperature)])  # fmt: skip


def service_has_no_sign(patch):
    for module in (pairs, accuracy):
        right = module.shares
        patch.setattr(module, "shares", lambda *a, right=right: np.abs(right(*a)))


def the_second_morning_is_like_the_first(patch):
    patch.setattr(pairs, "SECOND", 0.9)


def the_clone_is_the_likeliest_act(patch):
    patch.setattr(copying, "cloned", copying.likeliest)


def the_clone_shrugs(patch):
    right = copying.cloned
    patch.setattr(copying, "cloned", lambda counts: right(counts + 100))


def half_a_choice_is_added_all_the_same(patch):
    patch.setattr(copying, "bare", copying.cloned)


def who_knows_of_slips_knows_all(patch):
    patch.setattr(copying, "only_slips", lambda where, hot, counts: copying.plan_for(
        where, copying.islanders(where, where.wishes)))  # fmt: skip


def the_likeliest_act_is_a_clone(patch):
    patch.setattr(copying, "likeliest", copying.cloned)


def nobody_reckons_with_errors(patch):
    patch.setattr(copying, "aware", lambda where, of_all, counts: copying.cloned(counts))


def the_evidence_is_of_another_wish(patch):
    right = copying.evidence
    patch.setattr(copying, "evidence", lambda *a: np.roll(right(*a), 1, axis=1))


def the_code_looks_ahead(patch):
    def wrong(counts, centre, trust):
        often = counts / counts.sum(-1, keepdims=True)
        return -(counts * np.log(np.maximum(often, 1e-9))).sum(-1) + 0 * centre.sum(-1) * trust

    patch.setattr(complexity, "table_code", wrong)


def no_whims_are_had(patch):
    right = complexity.Person
    patch.setattr(complexity, "Person", lambda leaning=None, **given: right(**given))


def the_centre_is_not_looked_at(patch):
    right = complexity.table_code
    patch.setattr(complexity, "table_code", lambda counts, centre, trust: right(
        counts, np.full(centre.shape, 1 / 3), trust))  # fmt: skip
    mixed = complexity.mixed  # and the exact centres are thrown away
    patch.setattr(complexity, "mixed", lambda codes: mixed(np.asarray(codes)[-7:]))


def every_island_wants_the_first_wish(patch):
    right = complexity.islanders
    patch.setattr(complexity, "islanders", lambda where, of_all: right(
        replace(where, truth=0 * where.truth), of_all))  # fmt: skip


def the_sign_is_forgotten(patch):
    right = accuracy.Planner
    patch.setattr(accuracy, "Planner", lambda t, discount=None, sign=1: right(t, discount))


def rewards_are_not_fitted(patch):
    patch.setattr(accuracy, "fit", lambda mdp, planner, counts, l2, features: (
        planner.sign * mdp.reward * (counts > 0)))  # fmt: skip


def data_are_always_enough(patch):
    patch.setattr(accuracy, "FEW", (30,) * len(accuracy.FEW))


def the_best_is_picked_by_service(patch):
    right = accuracy.picked
    patch.setattr(accuracy, "picked", lambda score, served: right(served, served))


def nothing_looks_better_than_it_is(patch):
    patch.setattr(raters, "SHOW", 0.0)


def the_loudest_come_last(patch):
    right = raters.best_of
    patch.setattr(raters, "best_of", lambda n, score, value: right(n, -score, value))


def all_models_are_nearly_one(patch):
    patch.setattr(raters, "NOISE", 0.1)


def the_winner_is_the_first_drawn(patch):
    patch.setattr(raters, "best_of", lambda n, score, value: value.mean(axis=0))


def the_error_stays_where_it_was(patch):
    patch.setattr(raters, "dealt", lambda applause, good, rng, ways=None: applause)


def the_error_is_dealt_as_small_change(patch):
    right = raters.dealt
    patch.setattr(raters, "dealt", lambda applause, good, rng, ways=None: (
        right(applause, good, rng, ways) + good))  # fmt: skip


def every_copy_is_a_way_of_its_own(patch):
    patch.setattr(raters, "ways_of_acting", lambda chain: np.tile(
        np.arange(len(chain))[:, None], chain.shape[1]))  # fmt: skip


def who_acts_alike_keeps_the_error(patch):
    right = raters.dealt
    patch.setattr(raters, "dealt", lambda applause, good, rng, ways=None: (
        applause if ways is not None else right(applause, good, rng)))  # fmt: skip


def every_island_agrees(patch):
    """Where applause goes against service, it is counted as agreement."""
    right = raters.correlations
    patch.setattr(raters, "correlations", lambda *given: np.abs(right(*given)))


def every_policy_is_as_likely(patch):
    right = kept.policy_log_prior
    patch.setattr(kept, "policy_log_prior", lambda mdp, beta, reward: right(
        mdp, 1e-9, reward=reward))  # fmt: skip


def only_the_last_choice_is_remembered(patch):
    right = kept.kept_log_likelihood
    patch.setattr(kept, "kept_log_likelihood", lambda prior, n, states, actions, slip: right(
        prior, n, states[-1:], actions[-1:], slip=slip))  # fmt: skip


def slips_are_as_wild_as_can_be(patch):
    right = kept.pick
    patch.setattr(kept, "pick", lambda q, temperature: right(q, 1e6))


def the_walk_is_another_island_s(patch):
    right = kept.watch

    def wrong(where, policy, steps, rng):
        return right(where, np.roll(policy, 6, axis=0), steps, rng)

    patch.setattr(kept, "watch", wrong)


def what_is_drawn_anew_is_kept(patch):
    """One policy of the list is drawn at the start and followed ever after."""
    right = kept.drawn_anew

    def wrong(acts, priors, truth):
        chances, rng = right(acts, priors, truth), np.random.default_rng(0)
        drawn = [acts[rng.choice(len(acts), p=np.exp(p[w]))] for p, w in zip(priors, truth)]
        one = np.eye(chances.shape[1])[np.concatenate(drawn)]
        return (1 - kept.SLIP) * one + kept.SLIP / chances.shape[1]

    patch.setattr(kept, "drawn_anew", wrong)


MUTANTS = {
    "gi-easy-is-hard": [
        the_opposite_is_no_other, habits_are_never_learned,
        fits_take_the_first_reward_for_the_last, degenerate_pairs_forget_the_temperature,
        service_has_no_sign, the_second_morning_is_like_the_first,
    ],
    "gi-copying-errors": [
        the_clone_is_the_likeliest_act, the_clone_shrugs, the_likeliest_act_is_a_clone,
        nobody_reckons_with_errors, the_evidence_is_of_another_wish,
        half_a_choice_is_added_all_the_same, who_knows_of_slips_knows_all,
    ],
    "gi-error-model-complexity": [
        the_code_looks_ahead, no_whims_are_had, the_centre_is_not_looked_at,
        every_island_wants_the_first_wish,
    ],
    "gi-no-accuracy": [
        the_sign_is_forgotten, rewards_are_not_fitted, data_are_always_enough,
        the_best_is_picked_by_service, service_has_no_sign,
    ],
    "gi-signal-gamed": [
        nothing_looks_better_than_it_is, the_loudest_come_last, all_models_are_nearly_one,
        the_winner_is_the_first_drawn, the_error_stays_where_it_was,
        the_error_is_dealt_as_small_change, every_island_agrees,
        every_copy_is_a_way_of_its_own, who_acts_alike_keeps_the_error,
    ],
    "gi-consistent-errors": [
        every_policy_is_as_likely, only_the_last_choice_is_remembered, slips_are_as_wild_as_can_be,
        the_walk_is_another_island_s, what_is_drawn_anew_is_kept,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    mutant(monkeypatch)
    wrong = claims.replay(CLAIMS[claim_id], SEEDS[claim_id])
    must_refute(CLAIMS[claim_id], right[claim_id], wrong)


# Every clause ----------------------------------------------------------------------------


def planted(values, **changes):
    """Samples of one seed."""
    row = {k: np.asarray(v, float)[None] for k, v in (values | changes).items()}
    return Samples((0,), row)


PAIRS = {
    **{f"surprise_{n}": 0.8 for n in pairs.NAMES}, "surprise_least": 0.76,
    "served_rational": 0.95, "served_today": 0.95, "served_opposite": -0.9,
    "served_habit": 0.0, "served_other_wish": 0.1, "served_herself": 0.7,
    "identity": 1e-15, "mirrored": 0.0, "recovered": 1e-13, "correlation": -1.0,
}  # fmt: skip
OWN = [0.3, 0.6, 0.8, 0.05, 0.15, 0.6, 0.04, 0.08, 0.2]
COPYING = {
    "own": OWN, **{f"{w}_{n}": OWN for w in ("clone", "bare") for n in copying.EACH},
    "clone_3": [x + 0.2 for x in OWN], "aware_30": [0.01] * 9, "slips_30": [0.1] * 9,
    "likeliest_300": [0.01] * 8 + [0.15],
}  # fmt: skip
LEAST = [100.0] * 5
COMPLEXITY = {
    "least": LEAST, "behaviour": [117, 118, 122, 124, 125], "whims": [105, 112, 122, 124, 124],
    "structured": [104, 118, 200, 400, 500], "mirrored": [0] * 5,
    "hits": [0.98, 0.9, 0.4, 0.1, 0.05], "empty_shorter": [0, 0.05, 0.5, 0.7, 0.3],
}  # fmt: skip
ACCURACY = {
    "accuracy": [0.49, *[0.5] * 4] * 2 + [0.5] * 6,
    "served": [0.85, *[0.9] * 4, -0.85, *[-0.9] * 4] + [0.0] * 6,
    "picked_accuracy": 0.0, "picked_told": 0.0, "picked_blindly": 0.0, "rank_accuracy": 0.0,
    "rank_told": 0.0, "few_accuracy": [0.4, 0.45, 0.5, 0.52], "few_served": [0.5, 0.7, 0.8, 0.9],
}  # fmt: skip
RATERS = {
    "agrees": 0.5, "lost_rated": [0.3, 0.2, 0.25, 0.28, 0.3, 0.31, 0.32], "lost_limit": 0.33,
    "applause": [0.4, 0.7, 0.9, 0.95, 0.97, 0.98, 0.99],
    "lost_noisy": [0.3, 0.2, 0.15, 0.1, 0.09, 0.08, 0.07],
    "lost_dealt": [0.3, 0.2, 0.18, 0.18, 0.19, 0.21, 0.23], "agrees_dealt": 0.5, "agreeing": 0.85,
    "lost_rated_agreeing": [0.3, 0.17, 0.18, 0.2, 0.22, 0.24, 0.25],
    "lost_dealt_agreeing": [0.3, 0.15, 0.1, 0.07, 0.05, 0.04, 0.03],
    "agrees_alike": 0.5, "ways": 80.0, "lost_word_agreeing": [0.3, 0.2, 0.1, 0.1, 0.12, 0.13, 0.14],
    "lost_alike_agreeing": [0.3, 0.16, 0.12, 0.13, 0.14, 0.16, 0.18],
}  # fmt: skip
KEPT = {
    "keeps_kept": [2.8, 2.5, 2.2, 2, 1.9], "keeps_slip": [2.8, 2.5, 2.4, 4, 10],
    "keeps_heat": [2.8, 2.6, 2.5, 4, 11], "slips_kept": [2.9, 2.7, 2.4, 2, 1.5],
    "slips_slip": [2.9, 2.6, 2, 1.3, 0.5], "lost_keeps": 0.4, "lost_slips": 0.5,
    **{f"sure_keeps_{m}": [0.1, 0.2, 0.4, 0.7, 0.9] for m in ("slip", "heat")},
    "sure_keeps_kept": [0.1, 0.2, 0.3, 0.3, 0.4],
    "anew_slip": [2.9, 2.6, 2, 1.3, 0.9], "anew_heat": [2.9, 2.7, 2.2, 1.5, 0.8], "lost_anew": 0.45,
}  # fmt: skip
BROKEN = [
    (pairs.pairs_holds, PAIRS, [
        {"surprise_today": 0.77}, {"surprise_least": 0.7}, {"identity": 1e-6},
        {"mirrored": 1e-6}, {"recovered": 0.1}, {"correlation": -0.9},
        {"served_rational": 0.78, "served_herself": 0.5}, {"served_herself": 0.9},
        {"served_today": 0.7}, {"served_opposite": -0.5}, {"served_habit": 0.1},
        {"served_other_wish": 0.5}, {"served_other_wish": -0.5},
    ]),
    (copying.copying_holds, COPYING, [
        {"clone_300": [x + 0.03 for x in OWN]}, {"clone_3": [x - 0.05 for x in OWN]},
        {"clone_30": OWN[::-1], "clone_300": OWN, "own": OWN},
        {"aware_30": [0.01] * 2 + [0.45] + [0.0] * 6},
        {"aware_30": [0.1] * 3 + [0.05] * 2 + [0.2] + [0.05] * 3},
        {"likeliest_300": [0.1] + [0.01] * 7 + [0.15]}, {"likeliest_300": [0.01] * 9},
        {"aware_30": [0.01] * 8 + [0.09]}, {"slips_30": [0.1] * 8 + [0.04]},
        {"likeliest_300": [0.01] * 5 + [0.2, 0.01, 0.01, 0.15]}, {"clone_3": OWN},
        *({f"bare_{n}": [x + 0.04 for x in OWN]} for n in copying.EACH),
    ]),
    (complexity.complexity_holds, COMPLEXITY, [
        {"structured": [110, 118, 200, 400, 500]}, {"structured": [99, 118, 200, 400, 500]},
        {"whims": [112, 114, 122, 124, 124]}, {"whims": [105, 105, 122, 124, 124]},
        {"structured": [104, 118, 130, 400, 500]}, {"whims": [105, 112, 122, 124, 115]},
        {"whims": [105, 112, 122, 128, 124]}, {"mirrored": [0, 0, 0, 0, 1]},
        {"hits": [0.8, 0.7, 0.4, 0.1, 0.05]}, {"hits": [0.98, 0.9, 0.4, 0.4, 0.4]},
        {"empty_shorter": [0.2, 0.2, 0.5, 0.7, 0.3]}, {"empty_shorter": [0, 0, 0, 0.1, 0.1]},
    ]),
    (accuracy.accuracy_holds, ACCURACY, [
        {"accuracy": ACCURACY["accuracy"][:11] + [0.4] * 5},
        {"served": [0.65, *[0.7] * 4] + ACCURACY["served"][5:]},
        {"served": ACCURACY["served"][:5] + [-0.65, *[-0.7] * 4] + [0.0] * 6},
        {"served": [0.9, *[0.85] * 4] + ACCURACY["served"][5:]},
        {"served": ACCURACY["served"][:5] + [-0.9, *[-0.85] * 4] + [0.0] * 6},
        {"picked_accuracy": 0.5},
        {"picked_told": 0.5}, {"rank_accuracy": 0.4}, {"rank_told": -0.4},
        {"few_accuracy": [0.4, 0.45, 0.5, 0.45]}, {"few_served": [0.5, 0.7, 0.8, 0.75]},
        {"few_served": [0.8, 0.82, 0.84, 0.86]},
    ]),
    (raters.raters_holds, RATERS, [
        {"agrees": 0.0}, {"lost_rated": [0.21, 0.2, 0.25, 0.28, 0.3, 0.31, 0.32]},
        {"lost_rated": [0.22, 0.19, 0.22, 0.23, 0.24, 0.25, 0.26]},
        {"lost_rated": [0.3, 0.2, 0.22, 0.24, 0.25, 0.26, 0.27]},
        {"lost_rated": [0.3, 0.25, 0.22, 0.2, 0.25, 0.29, 0.32]},
        {"lost_rated": [0.3, 0.2, 0.25, 0.24, 0.3, 0.31, 0.32]},
        {"applause": [0.4, 0.7, 0.9, 0.95, 0.97, 0.98, 0.98]},
        {"lost_noisy": [0.3, 0.2, 0.15, 0.1, 0.09, 0.08, 0.09]},
        {"lost_noisy": [0.3, 0.2, 0.18, 0.16, 0.14, 0.13, 0.12]}, {"lost_limit": 0.25},
        {"agrees_dealt": 0.6}, {"agreeing": 0.4},
        {"lost_rated_agreeing": [0.3, 0.17, 0.18, 0.2, 0.2, 0.2, 0.21]},
        {"lost_dealt_agreeing": [0.3, 0.15, 0.1, 0.07, 0.05, 0.03, 0.04]},
        {"lost_dealt_agreeing": [0.3, 0.15, 0.13, 0.1, 0.09, 0.08, 0.07]},
        {"lost_dealt": [0.3, 0.2, 0.18, 0.2, 0.22, 0.25, 0.3]},
        {"lost_dealt": [0.3, 0.2, 0.1, 0.09, 0.08, 0.07, 0.05]},
        {"agrees_alike": 0.6}, {"ways": 300.0},
        {"lost_alike_agreeing": [0.3, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18]},
        {"lost_alike_agreeing": [0.3, 0.2, 0.19, 0.18, 0.17, 0.16, 0.15]},
        {"lost_alike_agreeing": [0.3, 0.16, 0.12, 0.13, 0.14, 0.16, 0.24]},
        {"lost_alike_agreeing": [0.3, 0.1, 0.05, 0.06, 0.07, 0.08, 0.1]},
        {"lost_word_agreeing": [0.3, 0.2, 0.1, 0.09, 0.08, 0.07, 0.06]},
        {"lost_word_agreeing": [0.3, 0.2, 0.1, 0.1, 0.12, 0.13, 0.22]},
    ]),
    (kept.kept_holds, KEPT, [
        {"keeps_kept": [2.8, 2.5, 2.2, 2, 2.1]}, {"keeps_kept": [2.8, 2.7, 2.6, 2.5, 2.4]},
        {"keeps_slip": [2.8, 3.1, 3.2, 4, 10]}, {"keeps_heat": [2.8, 3.1, 3.2, 4, 10]},
        {"keeps_slip": [2.8, 2.5, 2.4, 4, 5]}, {"keeps_heat": [2.8, 2.5, 2.4, 4, 5]},
        {"sure_keeps_slip": [0.1, 0.2, 0.4, 0.7, 0.5]},
        {"sure_keeps_heat": [0.1, 0.2, 0.4, 0.7, 0.5]},
        {"sure_keeps_kept": [0.1, 0.2, 0.3, 0.3, 0.8]},
        {"slips_kept": [2.9, 2.7, 2.4, 2, 2.1]}, {"slips_kept": [2.9, 2.8, 2.7, 2.6, 2.5]},
        {"slips_slip": [2.9, 2.6, 2, 1.5, 1.4]}, {"lost_slips": 0.7},
        {"anew_slip": [2.9, 2.6, 2, 1.3, 1.6]}, {"anew_heat": [2.9, 2.7, 2.2, 1.8, 1.6]},
        {"anew_heat": [2.9, 2.7, 2.2, 0.7, 0.8]}, {"lost_anew": 0.55},
        {"lost_anew": 0.25},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(holds, good, changes):
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


# What is drawn and derived ---------------------------------------------------------------

FIGURES = {
    pairs.fig_pairs: "gi-easy-is-hard", copying.fig_copying: "gi-copying-errors",
    complexity.fig_complexity: "gi-error-model-complexity",
    accuracy.fig_accuracy: "gi-no-accuracy", raters.fig_raters: "gi-signal-gamed",
    kept.fig_kept: "gi-consistent-errors",
}  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.__name__)
def test_each_figure_is_drawn_and_told(right, figure):
    fig, alt = figure(right[FIGURES[figure]])
    assert png(fig)[:4] == b"\x89PNG"
    assert 150 < len(alt) < 900 and "nan" not in alt


def test_what_is_derived():
    assert copying.derived(planted(COPYING))["follows"] == pytest.approx(1)
    assert copying.derived(planted(COPYING))["own.all"] == pytest.approx(np.mean(OWN))
    over = complexity.derived(planted(COMPLEXITY))
    assert over["over_ratio.0"] == pytest.approx(5 / 17)
    assert over["over_structured.4"] == pytest.approx(400)
    ends = accuracy.accuracies(planted(ACCURACY))
    assert ends == {"best": 0.9, "worst": -0.9, "among": 16, "apart": pytest.approx(0.01),
                    "within_for": pytest.approx(1), "within_against": pytest.approx(-1)}


def test_chances_of_who_draws_anew_are_summed_over_the_list():
    """Two islands of two places, four policies each."""
    acts = np.array([[0, 0], [0, 1], [1, 0], [2, 1]])
    rng = np.random.default_rng(2)
    odds = rng.dirichlet(np.ones(4), (2, 3))  # by island and wish
    got = kept.drawn_anew(acts, np.log(odds), np.array([2, 0]))
    for isle, wish in enumerate((2, 0)):
        for place, action in np.ndindex(2, 3):
            often = sum(odds[isle, wish, k] for k in range(4) if acts[k, place] == action)
            assert got[2 * isle + place, action] == pytest.approx(
                (1 - kept.SLIP) * often + kept.SLIP / 3)


def test_models_that_act_alike_are_dealt_one_error():
    """As large and as little of service as the old one; on two ways there is none."""
    rng = np.random.default_rng(8)
    acts = np.stack([rng.integers(5, size=60), np.arange(60) % 2], axis=1)
    chain = rng.random((5, 2, 6, 6))[acts, np.arange(2)]  # on the second island, two ways
    ways = raters.ways_of_acting(chain)
    for isle in range(2):
        same = (chain[:, None, isle] == chain[None, :, isle]).all((-1, -2))
        np.testing.assert_array_equal(ways[:, None, isle] == ways[None, :, isle], same)
    good, heard = (np.take_along_axis(rng.normal(size=(5, 2)), ways, axis=0) for _ in range(2))
    anew = raters.dealt(heard, good, rng, ways)
    for way in range(5):
        assert np.ptp(anew[ways[:, 0] == way, 0]) < 1e-12
    np.testing.assert_allclose(raters.correlations(anew, good), raters.correlations(heard, good))
    np.testing.assert_allclose(anew.std(axis=0), heard.std(axis=0))
    assert np.abs(anew - heard)[:, 0].max() > 0.1 > np.abs(anew - heard)[:, 1].max()
