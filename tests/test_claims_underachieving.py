"""The five claims of chapter 04, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seeds must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from imitlib import bc, claims, elicit, language
from imitlib.chapters.ch04 import context, crowd, mimic, on_paper, rule, till
from imitlib.experiments import Samples
from wrong_libraries import each, must_refute, remembering

CLAIMS = {c.id: c for m in (till, rule, crowd, mimic, context) for c in m.CLAIMS}
SEEDS = {claim_id: (1000,) for claim_id in CLAIMS} | {"ua-transcendence": (1000, 1001, 1002)}
pytestmark = pytest.mark.slow


def samples(claim_id):
    return claims.replay(CLAIMS[claim_id], SEEDS[claim_id])


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer crowds than the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crowd, "CROWDS", 2)
        for room in (bc, language):
            patch.setattr(room, "fit", remembering(room.fit))
        yield


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library gives, once for each claim that is asked for."""
    known = {}

    def of(claim_id):
        if claim_id not in known:
            known[claim_id] = samples(claim_id)
        return known[claim_id]

    return of


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Of these a whole recorded seed is measured here, so `test_claims` need not.
WHOLE = ["ua-suppresses-capability", "ua-rule", "ua-mimicry-fails", "ua-bug-context"]


@pytest.mark.parametrize("claim_id", WHOLE)
def test_the_right_library_gives_the_recorded_sample(right, claim_id):
    assert claims.differences(CLAIMS[claim_id], right(claim_id)) == []


# Wrong libraries --------------------------------------------------------------------


def the_clone_starts_fresh(patch):
    fit = bc.fit
    patch.setattr(bc, "fit", lambda demos, *, network=None, hidden=(till.WIDTH,), **o: fit(
        demos, hidden=hidden, **o))  # fmt: skip


def the_reward_is_upside_down(patch):
    taught = elicit.reinforce
    patch.setattr(elicit, "reinforce", lambda clone, x, reward, **o: taught(
        clone, x, lambda rows, said: 1.0 - reward(rows, said), **o))  # fmt: skip


def the_reward_goes_to_the_wrong_sums(patch):
    taught = elicit.reinforce
    patch.setattr(elicit, "reinforce", lambda clone, x, reward, **o: taught(
        clone, x, lambda rows, said: reward(np.roll(rows, 1), said), **o))  # fmt: skip


def hana_is_never_wrong(patch):
    patch.setattr(till, "SAYS", till.READY)
    patch.setattr(till, "WRONG", np.arange(till.SUMS) < 100)


def all_sums_are_paid(patch):
    """The score of the unpaid half is taken on sums that were paid."""
    patch.setattr(till, "score", lambda clone, among, score=till.score: score(
        clone, np.ones(till.SUMS, bool)))  # fmt: skip
    half = till.paid_half
    patch.setattr(till, "paid_half", lambda rng: half(rng) | (np.arange(till.SUMS) > 0))


def the_cue_leaks(patch):
    """Where the hurry is hidden, the clone is given it all the same."""
    hana = rule.hana
    patch.setattr(rule, "hana", lambda share, sight, rng, n: hana(share, 1.0, rng, n))


def everybody_decodes_at_one(patch):
    patch.setattr(elicit, "sharpen", lambda p, temperature: np.asarray(p, float))


def the_temperature_is_upside_down(patch):
    """The law is taken from a table made before; the decoding is wrong."""
    known, sharpen = {}, elicit.sharpen
    for name in rule.SIGHTS:
        for temperature in (0, rule.SHARP, 1):
            known[name, temperature] = rule.predicted(name, temperature)
    patch.setattr(rule, "predicted", lambda name, temperature: known[name, temperature])
    patch.setattr(elicit, "sharpen", lambda p, temperature: sharpen(
        p, 1 / temperature if temperature else 1e9))  # fmt: skip


def the_most_unlikely_is_decoded(patch):
    sharpen = elicit.sharpen

    def wrong(p, temperature):
        p = np.asarray(p, float)
        flipped = 1 - p if temperature == 0 else p
        return sharpen(flipped / flipped.sum(-1, keepdims=True), temperature)

    known = {(n, t): rule.predicted(n, t) for n in rule.SIGHTS for t in (0, rule.SHARP, 1)}
    patch.setattr(rule, "predicted", lambda name, temperature: known[name, temperature])
    patch.setattr(elicit, "sharpen", wrong)


def labels_are_shuffled(patch):
    fit = bc.fit

    def wrong(demos, **options):
        return fit(replace(demos, actions=np.roll(demos.actions, 1)), **options)

    patch.setattr(bc, "fit", wrong)


def every_expert_is_the_same(patch):
    """Experts share their seed."""
    habits = crowd.with_habits
    patch.setattr(crowd, "with_habits", lambda mdp, best, shared, common, rng: habits(
        mdp, best, shared, common, np.random.default_rng(3)))  # fmt: skip


def tastes_are_the_same(patch):
    taste = crowd.with_taste
    patch.setattr(crowd, "with_taste", lambda town, mdp, rng: taste(
        town, mdp, np.random.default_rng(3)))  # fmt: skip


def ties_and_all_are_decoded_warm(patch):
    everybody_decodes_at_one(patch)


def every_walk_is_long(patch):
    patch.setattr(crowd, "SHORT", crowd.LONG)


def slow_counts_as_fast(patch):
    right = mimic.outcomes

    def wrong(skill):
        table = right(skill).copy()
        table[1] = [1, 0, 0]
        return table

    patch.setattr(mimic, "outcomes", wrong)


def the_judge_is_rewarded_for_nothing(patch):
    """The policy is paid for being recognised as Rollo."""
    softplus = torch.nn.functional.softplus
    calls = iter(range(10**9))

    def wrong(x):  # the third call of each round pays the policy
        return softplus(-x) if next(calls) % 3 == 2 else softplus(x)

    patch.setattr(torch.nn.functional, "softplus", wrong)


def no_judge_sees_the_clock(patch):
    trained = mimic.trained_mimic
    patch.setattr(mimic, "trained_mimic", lambda skill, rng, shown=None: trained(
        skill, rng, mimic.STANDS_ONLY))  # fmt: skip


def every_judge_sees_the_clock(patch):
    trained = mimic.trained_mimic
    patch.setattr(mimic, "trained_mimic", lambda skill, rng, shown=None: trained(skill, rng))


def fewer_updates(patch):
    """The mistakes below show long before the last update."""
    patch.setattr(context, "UPDATES", 500)


def all_lists_are_mixed(patch):
    fewer_updates(patch)
    write = context.write
    patch.setattr(context, "write", lambda n, price, rng, mixed=False: write(
        n, price, rng, True))  # fmt: skip


def no_list_is_mixed(patch):
    fewer_updates(patch)
    write = context.write
    patch.setattr(context, "write", lambda n, price, rng, mixed=False: write(n, price, rng))


def the_prompt_is_forgotten(patch):
    """Only the last good is read."""
    fewer_updates(patch)
    look = language.LanguageModel.next_probabilities

    def wrong(self, prompts):
        return look(self, prompts[:, -1:])

    patch.setattr(language.LanguageModel, "next_probabilities", wrong)


MUTANTS = {
    "ua-suppresses-capability": [
        the_clone_starts_fresh, the_reward_is_upside_down, the_reward_goes_to_the_wrong_sums,
        hana_is_never_wrong, all_sums_are_paid,
    ],
    "ua-rule": [
        the_cue_leaks, the_temperature_is_upside_down, the_most_unlikely_is_decoded,
        labels_are_shuffled,
    ],
    "ua-transcendence": [
        every_expert_is_the_same, tastes_are_the_same, everybody_decodes_at_one,
        every_walk_is_long,
    ],
    "ua-mimicry-fails": [
        slow_counts_as_fast, the_judge_is_rewarded_for_nothing, no_judge_sees_the_clock,
        every_judge_sees_the_clock,
    ],
    "ua-bug-context": [all_lists_are_mixed, no_list_is_mixed, the_prompt_is_forgotten],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, samples(claim_id))


# Every clause of every predicate ----------------------------------------------------

CLAUSES = {
    "ua-suppresses-capability": {
        "able": lambda x: x - 0.02, "clone": lambda x: x + 0.03,
        "clone_agrees": lambda x: x - 0.04, "never_agrees": lambda x: x - 0.04,
        "clone_nll": lambda x: x + 1, "clone_back": lambda x: x - 0.1,
        "never_back": lambda x: x + 0.3, "blank_back": lambda x: x + 0.5,
        "clone_second": lambda x: x - 0.5, "never_second": lambda x: x + 0.5,
        "steps": lambda x: x[:, ::-1], "second": lambda x: x[:, ::-1],
        "unpaid": lambda x: x[:, ::-1],
        "back": lambda x: np.c_[x[:, :-1], x[:, -1] - 0.3],
        "hana": lambda x: x - 0.1,
    },
    "ua-rule": {
        **{f"{how}_{name}": lambda x: x + 0.03 for how in ("drawn", "sharp", "greedy")
           for name in rule.SIGHTS}, "hana": lambda x: x + 0.02,
    },
    "ua-transcendence": {
        "street_cold": lambda x: x - 0.3, "street_best": lambda x: x + 0.3,
        "cold": lambda x: np.c_[x[:, 0], np.ones((len(x), 3))],
        "best_expert": lambda x: x - 0.35, "mean_expert": lambda x: x - 0.3,
        "warm": lambda x: x + 0.1, "long_curve": lambda x: 0 * x + 1,
        "square_cold": lambda x: x + 0.06, "square_worst_expert": lambda x: x - 0.02,
        "square_curve": lambda x: x - 0.1,
    },
    "ua-mimicry-fails": {
        "success_mimic": lambda x: x + 0.07, "tv_mimic": lambda x: x - 0.07,
        "slow_mimic": lambda x: x + 0.06, "success_likely": lambda x: x + 0.1,
        "success_blind": lambda x: x - 0.2, "success_paid": lambda x: x - 0.05,
        "tv_paid": lambda x: x - 0.1, "care_tv": lambda x: x - 0.1,
    },
    "ua-bug-context": {
        "greedy_alone": lambda x: x + 0.2, "drawn_alone": lambda x: x + 0.3,
        "greedy_mixed": lambda x: x - 0.12, "gap_mixed": lambda x: x + 0.5,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "name"), [(c, n) for c, names in CLAUSES.items() for n in names]
)
def test_each_part_of_a_predicate_can_break_it(right, claim_id, name):
    fine = right(claim_id)
    bent = dict(fine.values) | {name: CLAUSES[claim_id][name](fine[name])}
    assert CLAIMS[claim_id].holds(Samples(fine.seeds, bent)) is False


# Against something outside ----------------------------------------------------------


def test_the_law_is_what_a_long_simulation_counts():
    """The ideal clone is counted from a million decisions, not derived."""
    rng = np.random.default_rng(0)
    for share, sight, tau in ((0.0, 0.85, 0.0), (0.25, 0.7, 0.5), (0.5, 0.5, 0.3), (1, 1, 1)):
        asked, cue, says, truth = rule.hana(share, sight, rng, 1_000_000)
        cell = asked + rule.QUESTIONS * cue
        table = bc.fit_table(cell, says, 2 * rule.QUESTIONS, rule.ANSWERS)
        decoded = elicit.sharpen(table.policy, tau)
        got = decoded[cell, truth[asked]].mean()
        assert got == pytest.approx(rule.law(share, sight, tau), abs=0.01)


def test_the_best_mimic_is_the_best_of_all_policies():
    grid = np.linspace(0, 1, 201)
    policies = np.array([(h, c, 1 - h - c) for h in grid for c in grid if h + c <= 1 + 1e-9])
    for skill in (0.0, 0.25, 0.5, 0.75, 1.0):
        tv = mimic.total_variation(policies @ mimic.outcomes(skill), mimic.HANA)
        best = mimic.total_variation(mimic.best_mimic(skill), mimic.HANA)
        assert best == pytest.approx(tv.min(), abs=1e-9)


def test_bayes_by_enumeration():
    """Both writers write every list of six lines; those with j mistakes are counted."""
    lists = np.indices((2,) * context.LINES).reshape(context.LINES, -1).T
    j = lists.sum(axis=1)
    for mistakes in range(context.LINES + 1):
        weight, right = 0.0, 0.0
        for error in (context.SLIP, context.MUDDLE):
            chance = np.where(lists, error, 1 - error).prod(axis=1)[j == mistakes].sum()
            weight, right = weight + chance, right + chance * (1 - error)
        assert context.by_bayes(mistakes)[0] == pytest.approx(right / weight)


def test_prompts_hold_as_many_mistakes_as_they_say():
    rng = np.random.default_rng(0)
    price = rng.integers(context.PRICES, size=context.GOODS)
    for mistakes in (0, 2, 6):
        shown, truth = context.prompts(mistakes, price, rng)
        goods, said = shown[:, :-1:2], shown[:, 1::2] - context.GOODS
        assert ((said != price[goods]).sum(axis=1) == mistakes).all()
        assert (truth == price[shown[:, -1]]).all()


def test_the_paid_half_is_balanced():
    paid = till.paid_half(np.random.default_rng(0))
    for hours in (till.STARTS, till.BAKES):
        assert (np.bincount(hours[paid], minlength=till.HOURS) == till.PAID_CLASSES).all()


def test_three_loaves_and_two_ways_on_paper():
    hand = on_paper.by_hand()
    assert hand["counts"] == [10, 7, 0] and hand["right"] == [5, 12, 15]
    assert hand["hana"] == hand["drawn"] == hand["sees"] == pytest.approx(17 / 30)
    assert hand["greedy"] == pytest.approx(20 / 30)
    given = on_paper.GIVEN
    assert given["way.hana"] == pytest.approx(10 - 11 * 0.2)
    assert given["way.rollo"] == pytest.approx(10 - 6 * 0.2)
    assert given["way.clone"] == pytest.approx(given["way.hana"])


def test_the_copy_stands_before_the_stairs():
    story = on_paper.at_the_stairs()
    assert len(story["stairs"]) == 1
    row, column = story["stairs"][0]
    assert story["stuck"] == (row - 1, column) == story["its"][-5]
    assert story["hers"][-1] == (6, 7)


def test_on_the_square_every_taste_is_a_shortest_way():
    town, mdp = crowd.square()
    expert = crowd.with_taste(town, mdp, np.random.default_rng(0))
    steps = 2 * (crowd.SIDE - 1)
    # exactly `steps` moves must succeed out of t, each with chance 0.6
    from scipy.stats import binom

    for t in (9, 10, 15, 40):
        assert crowd.arrives(mdp, expert, t) == pytest.approx(
            binom.sf(steps - 1, t, 1 - crowd.STOPS))  # fmt: skip
