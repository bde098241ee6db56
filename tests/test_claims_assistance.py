"""The claims about people who err, who explain, and who may stop Rollo.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seeds must turn false.
"""

from functools import cache

import numpy as np
import pytest

from imitlib import claims
from imitlib.chapters.ch09 import off_switch as off
from imitlib.chapters.ch09 import people, why
from imitlib.cirl import off_switch as switch
from wrong_libraries import along, each, must_refute, planted

CLAIMS = {c.id: c for m in (people, why, off) for c in m.CLAIMS}
SEEDS = {"cirl-handles-errors": (0, 1)}  # a claim about averages
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer games and shorter lists than the recorded samples: mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "GAMES", 20)
        patch.setattr(why, "PRICES", (0.05, 0.25, 0.45))
        patch.setattr(off, "DRAWS", 6)
        yield


def measured(claim_id):
    return claims.replay(CLAIMS[claim_id], SEEDS.get(claim_id, (0,)))


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library measures, each claim once, when it is asked for."""
    return cache(measured)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def he_watches_and_learns_nothing(monkeypatch):
    before = people.belief_after
    monkeypatch.setattr(people, "belief_after", lambda counts, *rest: before(0 * counts, *rest))


def he_tries_one_way_to_err(monkeypatch):
    """Of a family he believes in its first member alone."""
    before = people.belief_after
    monkeypatch.setattr(people, "belief_after", lambda counts, rules, prior: before(
        counts, rules if rules.ndim == 2 else rules[0], prior))  # fmt: skip


def he_reads_every_move_backwards(monkeypatch):
    before = people.belief_after
    monkeypatch.setattr(people, "belief_after", lambda counts, *rest: before(-counts, *rest))


def he_counts_only_the_first_move(monkeypatch):
    before = people.watched

    def once(rule, chance):
        counts = before(rule, chance)
        return np.minimum(counts, counts[:, :, 1:2])

    monkeypatch.setattr(people, "watched", once)


def nobody_errs(monkeypatch):
    """Whatever her temperature and leaning, her hand does what is best."""
    before = people.erring
    monkeypatch.setattr(people, "erring", lambda game, t, b=0.0: before(game, 0.02))


def nobody_leans(monkeypatch):
    before = people.erring
    monkeypatch.setattr(people, "erring", lambda game, t, b=0.0: before(game, t))


def nobody_slips(monkeypatch):
    before = people.erring
    monkeypatch.setattr(people, "erring",
                        lambda game, t, b=0.0: before(game, people.USUAL, b))  # fmt: skip


def losses_are_those_he_believes_in(monkeypatch):
    def believed(game, belief):
        return belief @ game.his.max(axis=1) - (belief @ game.his).max(axis=-1)

    monkeypatch.setattr(people, "losses", believed)


def one_move_is_read_as_its_mirror(monkeypatch):
    """His best answer is his worst."""

    def harmful(game, rule):
        joint = game.prior[:, None] * rule
        return float((joint.T @ game.his).min(axis=1).sum() - (game.prior @ game.his).max())

    monkeypatch.setattr(people, "gains_of_one_move", harmful)


def another_errand(**changes):
    """The errand with some of its numbers replaced."""

    def mutant(monkeypatch):
        before = why.errand

        def errand(chances, price, usual=why.USUAL, stake=why.STAKE, shown=("what",), mute=False):
            given = dict(chances=chances, price=price, usual=usual, stake=stake, shown=shown,
                         mute=mute)  # fmt: skip
            return before(**{k: changes[k](v) if k in changes else v for k, v in given.items()})

        monkeypatch.setattr(why, "errand", errand)

    return mutant


def named(name, mutant):
    mutant.__name__ = name
    return mutant


words_are_free = named("words_are_free", another_errand(price=lambda p: 0.0))
words_are_paid_for = named("words_are_paid_for", another_errand(price=lambda p: -p))
half_the_stake = named("half_the_stake", another_errand(stake=lambda z: z / 2))
needed_twice_as_often = named(
    "needed_twice_as_often", another_errand(chances=lambda q: {k: 2 * v for k, v in q.items()}))
deeds_show_nothing_else = named("deeds_show_nothing_else",
                                another_errand(shown=lambda _: ("what",)))  # fmt: skip
deeds_show_everything = named("deeds_show_everything",
                              another_errand(shown=lambda _: ("what", "why")))  # fmt: skip
no_case_is_usual = named("no_case_is_usual", another_errand(usual=lambda u: 0.5))


def he_does_not_hear_silence(monkeypatch):
    """Only a word tells: where she explains, she does so in the usual case too."""
    before = why.exhaustive

    def hard_of_hearing(game):
        plan = before(game)
        rule = plan.rules[0, -1, game.start]
        plan.rules[0, -1, game.start] = rule // 2 * 2 + (rule % 2).max()
        return plan

    monkeypatch.setattr(why, "exhaustive", hard_of_hearing)


def he_always_waits(monkeypatch):
    monkeypatch.setattr(switch, "choose", lambda mu, sigma, beta: np.full(
        np.broadcast(mu, sigma).shape, switch.WAIT))  # fmt: skip


def he_never_waits(monkeypatch):
    monkeypatch.setattr(switch, "choose", lambda mu, sigma, beta: np.where(
        np.asarray(mu) > 0, switch.ACT, switch.OFF))  # fmt: skip


def he_thinks_that_she_never_errs(monkeypatch):
    before = switch.gain
    monkeypatch.setattr(switch, "gain", lambda mu, sigma, beta: before(mu, sigma, 0.0))


def stopping_is_compared_with_acting_alone(monkeypatch):
    """The gain over E[U], where switching off would have been better."""
    before = switch.gain
    monkeypatch.setattr(switch, "gain", lambda mu, sigma, beta: before(mu, sigma, beta)
                        + np.maximum(-np.asarray(mu), 0))  # fmt: skip


def the_two_is_forgotten(monkeypatch):
    monkeypatch.setattr(switch, "boundary", lambda mu, beta: np.sqrt(beta * np.abs(mu)))


def she_allows_what_is_bad(monkeypatch):
    before = switch.allows
    monkeypatch.setattr(switch, "allows", lambda worth, beta: before(-np.asarray(worth), beta))


def looking_does_not_make_him_surer(monkeypatch):
    before = switch.learn
    monkeypatch.setattr(switch, "learn", lambda mu, sigma, noise, seen, n: (
        before(mu, sigma, noise, seen, n)[0], np.asarray(sigma, float)))  # fmt: skip


def the_prior_is_forgotten_at_the_first_look(monkeypatch):
    before = switch.learn
    monkeypatch.setattr(switch, "learn", lambda mu, sigma, noise, seen, n: before(
        *((mu, sigma) if n == 0 else (0.0, 100.0)), noise, seen, n))  # fmt: skip


def every_look_is_the_first(monkeypatch):
    before = switch.learn
    monkeypatch.setattr(switch, "learn", lambda mu, sigma, noise, seen, n: before(
        mu, sigma, noise, seen, min(n, 1)))  # fmt: skip


def the_sure_do_not_look(monkeypatch):
    """A Rollo who is sure beforehand keeps its mean, whatever it sees."""
    before = switch.learn

    def learn(mu, sigma, noise, seen, n):
        mean, spread = before(mu, sigma, noise, seen, n)
        return (np.full_like(mean, mu) if sigma < 0.2 else mean), spread

    monkeypatch.setattr(switch, "learn", learn)


def an_honest_doubt_does_not_mend_the_mean(monkeypatch):
    """Looks are read as of a thing that is better by as much as the prior's mean was."""
    before = switch.learn
    monkeypatch.setattr(switch, "learn", lambda mu, sigma, noise, seen, n: before(
        mu, sigma, noise, np.asarray(seen) + (mu - off.MU), n))  # fmt: skip


def no_strength_is_left_out(monkeypatch):
    monkeypatch.setattr(people, "without_strength",
                        lambda family, strength: [rule for *_, rule in family])  # fmt: skip


def no_move_is_left_out(monkeypatch):
    monkeypatch.setattr(people, "without_move",
                        lambda family, move: [rule for *_, rule in family])  # fmt: skip


def those_who_are_near_are_far(monkeypatch):
    monkeypatch.setattr(people, "NEAR", 1.0)


def no_hand_is_steadier_than_the_usual(monkeypatch):
    before = people.erring
    monkeypatch.setattr(people, "erring", lambda game, t, b=0.0: before(
        game, max(t, people.USUAL), b))  # fmt: skip


MUTANTS = {
    "cirl-handles-errors": [
        he_watches_and_learns_nothing, he_tries_one_way_to_err, he_reads_every_move_backwards,
        he_counts_only_the_first_move, nobody_errs, nobody_leans, nobody_slips,
        losses_are_those_he_believes_in, one_move_is_read_as_its_mirror,
        no_strength_is_left_out, no_move_is_left_out, those_who_are_near_are_far,
        no_hand_is_steadier_than_the_usual,
    ],
    "cirl-how-why": [
        words_are_free, words_are_paid_for, half_the_stake, needed_twice_as_often,
        deeds_show_nothing_else, deeds_show_everything, no_case_is_usual,
        he_does_not_hear_silence,
    ],
    "cirl-off-switch": [
        he_always_waits, he_never_waits, he_thinks_that_she_never_errs,
        stopping_is_compared_with_acting_alone, the_two_is_forgotten, she_allows_what_is_bad,
        looking_does_not_make_him_surer, the_prior_is_forgotten_at_the_first_look,
        every_look_is_the_first, the_sure_do_not_look, an_honest_doubt_does_not_mend_the_mean,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, measured(claim_id))


# Every clause counts ----------------------------------------------------------------


PEOPLE = {
    "harmed": 0,
    "slips_known": [0.04, 0.02, 0.05, 0.19, 0.5],
    "slips_known_by_moves": [1, 0.82, 0.56, 0.22, 0.05],
    "slips_mistaken": [0.04, 0.22, 0.67, 1.13, 1.37],
    "slips_mistaken_by_moves": [1, 0.91, 0.77, 0.71, 0.67],
    "slips_learned": [0.06, 0.05, 0.1, 0.23, 0.55],
    "slips_learned_by_moves": [1, 0.83, 0.6, 0.29, 0.1],
    "leans_known": [0.02, 0.05, 0.16, 0.69],
    "leans_known_by_moves": [1, 0.8, 0.59, 0.33, 0.16],
    "leans_mistaken": [0.02, 0.49, 1.3, 1.54],
    "leans_mistaken_by_moves": [1, 0.93, 1.09, 1.24, 1.3],
    "leans_learned": [0.14, 0.18, 0.3, 0.8],
    "leans_learned_by_moves": [1, 0.87, 0.81, 0.58, 0.3],
    "leans_near": [0.04, 0.18, 0.28, 0.76],
    "leans_near_by_moves": [1, 0.89, 0.78, 0.52, 0.28],
    "leans_skipped": [0.68, 1.04, 1.31, 1.39],
    "leans_skipped_by_moves": [1, 0.9, 0.93, 1.09, 1.31],
    "leans_elsewhere": [0.12, 0.93, 1.39, 1.47],
    "leans_elsewhere_by_moves": [1, 0.98, 1.19, 1.33, 1.39],
    "slip_helps": 0.027,
}
PRICES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55)
ZEROS = [0] * 6
WHY = {
    "gain_often": [0.3 * max(0.4 - c, 0) for c in PRICES],
    "words_often": [0.3, 0.3, 0.3, 0.3, 0, 0], "usual_often": ZEROS,
    "gain_rarely": [0.015, 0, 0, 0, 0, 0], "words_rarely": [0.3, 0, 0, 0, 0, 0],
    "usual_rarely": ZEROS, "gain_never": ZEROS, "words_never": ZEROS, "usual_never": ZEROS,
    "gain_shown": ZEROS, "words_shown": ZEROS, "usual_shown": ZEROS,
    "gain_both": 0.12, "gain_both_dear": 0.027, "gap": 0, "threshold": 0.4, "flips": 1,
}  # fmt: skip
WAITS = [switch.share_waiting(off.MU, off.SIGMA, off.BETA, off.NOISE, n) for n in off.LOOKS]
OFF = {
    "gap": 0, "edge_gap": 0,
    "played": switch.gain(off.PLAYED_MU, off.SIGMA, off.BETAS).tolist(),
    "waits_right": WAITS, "worth_right": [0.47, 0.47, 0.48, 0.5, 0.51, 0.53, 0.55, 0.56, 0.56],
    "waits_rational": [1] * 9, "worth_rational": [0.57] * 9,
    "waits_sure": [0] * 9, "worth_sure": [0.3] * 9,
    "waits_sure_right": [0] * 9, "worth_sure_right": [0.3] * 8 + [0.45],
    "waits_unsure": [1, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02],
    "worth_unsure": [0.47, 0.46, 0.47, 0.49, 0.5, 0.53, 0.55, 0.56, 0.56],
    "waits_far": [0, 0.3, 0.3, 0.3, 0.2, 0.2, 0.1, 0.05, 0.02],
    "worth_far": [0.3, 0.4, 0.44, 0.48, 0.5, 0.525, 0.55, 0.56, 0.56],
    "gain_rational": [0.27, 0.2, 0.15, 0.11, 0.07, 0.04, 0.02, 0.01, 0.006],
    "waits_off": [0.86, 0.58, 0.25, 0.06, 0.007, 0],
    "loses_off": [0, 0.01, 0.07, 0.14, 0.17, 0.173],
}  # fmt: skip
BROKEN = [
    (people.people_holds, PEOPLE, [
        {"harmed": 1}, {"slips_known": [0.04, 0.02, 0.05, 0.19, 0.81]},
        {"leans_known": [0.02, 0.05, 0.16, 0.81]},
        {"slips_known_by_moves": [1, 0.82, 0.56, 0.53, 0.05]},
        {"leans_known_by_moves": [1, 0.96, 0.59, 0.33, 0.16]},
        {"slips_learned": [0.06, 0.05, 0.1, 0.23, 0.96], "slips_known": [0.04, 0.02, 0.05, 0.19,
                                                                         0.79 + 0.1]},
        {"leans_learned": [0.14, 0.18, 0.3, 0.96], "leans_known": [0.02, 0.05, 0.16, 0.79]},
        {"slips_learned": [0.06, 0.13, 0.1, 0.23, 0.55]},
        {"leans_learned": [0.23, 0.18, 0.3, 0.8]},
        {"slips_mistaken": [0.04, 0.22, 0.67, 0.99, 1.37]},
        {"leans_mistaken": [0.02, 0.49, 0.99, 1.54]},
        {"leans_mistaken": [0.02, 0.49, 1.05, 1.54], "leans_learned": [0.14, 0.18, 0.76, 0.8],
         "leans_known": [0.02, 0.05, 0.6, 0.69]},
        {"leans_mistaken_by_moves": [1, 0.93, 1, 1, 1.1]},
        {"leans_learned_by_moves": [1, 0.87, 0.8, 0.75, 0.7]},
        {"leans_near": [0.04, 0.18, 0.41, 0.76]},
        {"leans_near": [0.04, 0.18, 0.28, 0.96], "leans_learned": [0.14, 0.18, 0.3, 0.88]},
        {"leans_skipped": [0.4, 1.04, 1.31, 1.39]}, {"leans_skipped": [0.68, 0.89, 1.31, 1.39]},
        {"leans_skipped": [0.45, 1.04, 1.31, 1.39], "leans_mistaken": [0.16, 0.49, 1.3, 1.54]},
        {"leans_skipped": [0.68, 1.04, 1.31, 1.24]}, {"leans_elsewhere": [0.12, 0.93, 1.39, 1.38]},
        {"leans_mistaken": [0.02, 0.9, 1.3, 1.54], "leans_elsewhere": [0.12, 1.2, 1.39, 1.47]},
        {"leans_elsewhere": [0.12, 0.68, 1.39, 1.47]},
        *({f"leans_{reader}": [0.68, 1.04, 1.31, 1.09], "leans_learned": [0.14, 0.18, 0.3, 0.75],
           "leans_mistaken": [0.02, 0.49, 1.3, 1.2]} for reader in ("skipped", "elsewhere")),
        {"leans_skipped": [0.68, 1.04, 1.09, 1.39]}, {"leans_elsewhere": [0.12, 0.93, 1.09, 1.47]},
        *({f"leans_{reader}": [0.68, 0.93, 1.15, 1.39], "leans_learned": [0.14, 0.18, 0.88, 0.8],
           "leans_known": [0.02, 0.05, 0.7, 0.69]} for reader in ("skipped", "elsewhere")),
        *({f"leans_{reader}_by_moves": [1, 0.98, 1.1, 1.15, 1.17]}
          for reader in ("skipped", "elsewhere")),
        {"slip_helps": 0.009},
    ]),
    (why.why_holds, WHY, [
        *({name: along(WHY[name], 1, WHY[name][1] + 1e-8)} for name in WHY
          if name.startswith(("gain_", "words_")) and not name.startswith("gain_both")),
        {"usual_often": along(ZEROS, 0, 0.1)}, {"usual_rarely": along(ZEROS, 0, 0.1)},
        {"gain_both": 0.13}, {"gain_both_dear": 0.0}, {"gap": 1e-8}, {"flips": 0},
    ]),
    (off.off_switch_holds, OFF, [
        {"gap": 1e-7}, {"edge_gap": 1e-7}, {"played": along(OFF["played"], 3, 0.03)},
        {"waits_right": along(WAITS, 3, WAITS[3] + 0.05)}, {"waits_right": along(WAITS, 0, 0.99)},
        {"waits_right": [*WAITS[:-2], 0.06, 0.055]}, {"waits_right": along(WAITS, -1, 0.047)},
        {"waits_rational": along([1] * 9, 8, 0.99)},
        {"gain_rational": along(OFF["gain_rational"], 2, 0.25)},
        {"gain_rational": [0.2 + x for x in OFF["gain_rational"]]},
        {"waits_sure": along([0] * 9, 4, 0.02)}, {"worth_sure": along([0.3] * 9, 4, 0.48)},
        {name: along(OFF[name], 0, 0.4)
         for name in ("worth_sure", "worth_sure_right", "worth_far")},
        {"waits_sure_right": along([0] * 9, 8, 0.04)},
        *({"worth_sure_right": along(OFF["worth_sure_right"], k, value)}
          for k, value in ((0, 0.31), (8, 0.52), (8, 0.34))),
        {"waits_unsure": along(OFF["waits_unsure"], 0, 0.9)},
        *({"worth_unsure": along(OFF["worth_unsure"], k, value)}
          for k, value in ((0, 0.465), (3, 0.46), (8, 0.55))),
        {"waits_far": along(OFF["waits_far"], 0, 0.1)},
        {"worth_far": along(OFF["worth_far"], 0, 0.31)},
        *({"worth_far": along(OFF["worth_far"], k, OFF["worth_right"][k] - 0.04)} for k in (4, 8)),
        {"waits_off": [0.86, 0.58, 0.6, 0.06, 0.007, 0]},
        {"waits_off": [0.86, 0.58, 0.25, 0.2, 0.1, 0.06]},
        {"loses_off": [0, 0.01, 0.07, 0.06, 0.17, 0.173]},
        {"loses_off": [0, 0.01, 0.03, 0.05, 0.08, 0.09]},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(monkeypatch, holds, good, changes):
    monkeypatch.setattr(why, "PRICES", PRICES)
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


def test_a_mean_above_a_hundredth_is_not_enough_if_few_seeds_agree():
    samples = planted(PEOPLE)
    samples.values["slip_helps"][:] = [0.04] * 7 + [-0.001] * 3
    assert people.people_holds(samples) is False
    samples.values["slip_helps"][7] = 0.001
    assert people.people_holds(samples) is True


@pytest.mark.parametrize("name", ["waits_far", "worth_far"])
def test_before_the_first_look_every_seed_counts(name):
    samples = planted(OFF)
    samples.values[name][4:6, 0] += [0.01, -0.01]
    assert off.off_switch_holds(samples) is False


# What is derived, and drawn ---------------------------------------------------------


def test_what_is_derived():
    got = people.people_derived(planted(PEOPLE))
    assert got["overlooked"] == pytest.approx(1.14) and got["suspected"] == pytest.approx(0.12)
    got = why.why_derived(planted(WHY))
    assert got == pytest.approx({
        "price_often": 0.4, "price_rarely": 0.1, "both": 0.12, "both_dear": 0.027})
    got = off.off_switch_derived(planted(OFF))
    assert got["edge"] == 1 and got["beta_turns"] == 1
    assert got["level"] == pytest.approx(1 / np.sqrt(2 * np.pi))
    assert got["sure_loses"] == pytest.approx(0.17)
    assert got["sure_loses_still"] == pytest.approx(0.26)
    assert got["sure_right_loses"] == pytest.approx(0.17)
    assert got["sure_right_loses_still"] == pytest.approx(0.11)
    assert got["unsure_loses"] == pytest.approx(0) and got["unsure_loses_still"] == 0
    assert got["unsure_loses_most"] == pytest.approx(0.01)
    assert got["far_loses"] == pytest.approx(0.17) and got["far_loses_still"] == 0
    far = off.off_switch_derived(planted(OFF, worth_far=along(OFF["worth_far"], -1, 0.563)))
    assert far["far_loses_still"] == pytest.approx(0.003) and far["unsure_loses_still"] == 0
    assert got["far_loses_soon"] == pytest.approx(0.01)
    assert got["last_waits"] == pytest.approx(WAITS[-1])


@pytest.mark.parametrize(
    ("values", "draw"),
    [(PEOPLE, people.fig_people), (WHY, why.fig_why), (OFF, off.fig_off_switch)],
)
def test_figures_carry_their_numbers_in_words(monkeypatch, values, draw):
    from imitlib.figures import png

    monkeypatch.setattr(why, "PRICES", PRICES)
    fig, alt = draw(planted(values))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


def test_the_marks_of_a_figure_are_the_samples():
    lines = people.fig_people(planted(PEOPLE))[0].axes[0].lines
    drawn = [np.asarray(one.get_ydata()) for one in lines if len(one.get_ydata()) == 4]
    for row, reader in zip(drawn, ("mistaken", "skipped", "learned", "known"), strict=True):
        np.testing.assert_allclose(row, PEOPLE[f"leans_{reader}"])
