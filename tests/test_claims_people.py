"""The claims about people who err, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seeds must turn false.
"""

import copy
from dataclasses import replace
from functools import cache
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest

from imitlib import claims, planning
from imitlib.chapters.ch08 import (
    barriers,
    cafe,
    mistakes,
    on_paper,
    people,
    restaurant,
    sizes,
    suboptimal,
    wrong_model,
)
from imitlib.chapters.ch08.people import BIASED, KINDS, STEPS
from imitlib.envs.town import Town
from imitlib.experiments import Samples
from imitlib.goals import biased, delay_plan, hyperbola, infer
from imitlib.mdp import MDP
from wrong_libraries import each, must_refute, planted

CLAIMS = {c.id: c for m in (restaurant, cafe, suboptimal, mistakes, wrong_model) for c in m.CLAIMS}
SEEDS = (1000, 1001)  # claims about averages
BY_SURVEY = ("gi-suboptimal", "gi-needs-error-model", "gi-wrong-model")

slow = pytest.mark.slow


def measured(claim_id):
    claim = CLAIMS[claim_id]
    return claims.replay(claim, (0,) if claim.exact else SEEDS)


def forget_the_hanas():
    cafe.hanas.cache_clear()
    cafe.impatient.cache_clear()


@pytest.fixture(autouse=True)
def one_survey(monkeypatch):
    """Three claims draw the same survey of the same seed: it is taken once a library.

    What it gives forgets what was taken, for the next library.
    """
    before, known = people.survey, {}

    def once(rng, *rest):
        key = str(rng.bit_generator.state)
        if key not in known:
            known[key] = before(rng, *rest), copy.deepcopy(rng.bit_generator.state)
        rng.bit_generator.state = known[key][1]
        return known[key][0]

    monkeypatch.setattr(people, "survey", once)
    forget_the_hanas()
    yield known.clear
    forget_the_hanas()


@pytest.fixture(scope="module")
def right():
    """What the right library measures, each claim once, when it is asked for."""
    return cache(measured)


@slow
def test_the_right_library_satisfies_the_predicates(right):
    assert {claim_id: CLAIMS[claim_id].holds(right(claim_id)) for claim_id in CLAIMS} == {
        claim_id: True for claim_id in CLAIMS}  # fmt: skip


# Wrong libraries --------------------------------------------------------------------


def nobody_errs(monkeypatch):
    """Every kind of person does what the rational one does."""
    before = people.policies
    monkeypatch.setattr(people, "policies",
                        lambda kind, *rest, **more: before("rational", *rest, **more))


def the_models_are_mixed_up(monkeypatch):
    """The right model of a kind is the next kind's."""
    before = people.Survey.belief

    def wrong(self, model):
        if model != "right":
            return before(self, model)
        k = np.arange(len(KINDS))
        return infer.posterior(self.logs[k, (k + 1) % len(KINDS)])

    monkeypatch.setattr(people.Survey, "belief", wrong)


def nothing_is_learned(monkeypatch):
    """The posterior is the prior."""
    before = infer.posterior
    monkeypatch.setattr(infer, "posterior", lambda logs, prior=None: before(
        np.zeros(np.shape(logs)), prior))  # fmt: skip


def only_the_last_step_counts(monkeypatch):
    """The evidence of a walk is that of its last step, not the sum of all."""
    before = people.evidence

    def last(of_all, states, actions):
        whole = before(of_all, states, actions)
        return np.diff(whole, axis=-2, prepend=0) / np.diff(STEPS, prepend=0)[:, None]

    monkeypatch.setattr(people, "evidence", last)


def matching_stays_right(monkeypatch, fine):
    """What matched temperatures give is taken from the right library: it takes long."""
    rows = {seed: {name.removeprefix("matched_"): fine[name][k].tolist()
                   for name in fine.values if name.startswith("matched_")}
            for k, seed in enumerate(SEEDS)}  # fmt: skip
    seeds = iter(SEEDS)
    monkeypatch.setattr(wrong_model, "calmed", lambda where, rng: rows[next(seeds)])


SURVEY_MUTANTS = (nobody_errs, the_models_are_mixed_up, nothing_is_learned,
                  only_the_last_step_counts)  # fmt: skip


@slow
@pytest.mark.parametrize("mutant", SURVEY_MUTANTS, ids=lambda m: m.__name__)
def test_a_wrong_survey_makes_all_three_claims_false(right, one_survey, monkeypatch, mutant):
    fine = {claim_id: right(claim_id) for claim_id in BY_SURVEY}
    one_survey()
    matching_stays_right(monkeypatch, fine["gi-wrong-model"])
    mutant(monkeypatch)
    for claim_id in BY_SURVEY:
        must_refute(CLAIMS[claim_id], fine[claim_id], measured(claim_id))


def both_readers_have_the_old_map(monkeypatch):
    monkeypatch.setattr(barriers, "closed_at", lambda ahead, barrier: ahead)


def rollo_serves_the_opposite(monkeypatch):
    before = people.serve
    monkeypatch.setattr(people, "serve", lambda where, belief: before(
        people.Sea(where.world, where.map, -where.wishes, where.truth), belief))  # fmt: skip


def who_has_not_looked_knows_her_wish(monkeypatch):
    """A belief of nobody, the prior, is taken for the truth."""
    before = people.serve

    def wrong(where, belief):
        if np.ptp(belief) == 0:
            belief = np.eye(people.WISHES)[where.truth][None]
        return before(where, belief)

    monkeypatch.setattr(people, "serve", wrong)


def nobody_ever_knows(monkeypatch):
    """Who is said to know of the barrier walks by the old map all the same."""
    before = barriers.knowing_walk
    monkeypatch.setattr(barriers, "knowing_walk", lambda place, plans, steps, rng: before(
        place, plans[::-1], steps, rng))  # fmt: skip


def no_size_is_hers(monkeypatch):
    """Every family is one of habits, whatever her kind."""
    before = sizes.family
    monkeypatch.setattr(sizes, "family", lambda kind, seen: before("creature of habit", seen))


def slips_are_left_in(monkeypatch):
    monkeypatch.setattr(suboptimal, "without_slips", lambda policy: policy)


def temperatures_are_left_alone(monkeypatch):
    monkeypatch.setattr(wrong_model, "matched", lambda kind, where: people.TEMPERATURE)


def the_matched_are_all_rational(monkeypatch):
    """Their temperature is matched, and their kind is lost on the way."""
    before = wrong_model.calmed

    def wrong(where, rng):
        with monkeypatch.context() as patch:
            policies = people.policies
            patch.setattr(people, "policies", lambda kind, *a, **b: policies("rational", *a, **b))
            return before(where, rng)

    monkeypatch.setattr(wrong_model, "calmed", wrong)


def mistakes_are_judged_by_another_wish(monkeypatch):
    """By the first of the list, whatever she wants."""
    before = people.survey

    def judged(rng, *rest):
        seen = before(rng, *rest)
        return replace(seen, where=replace(seen.where, truth=0 * seen.where.truth))

    monkeypatch.setattr(people, "survey", judged)


def what_is_usual_is_flagged(monkeypatch):
    before = mistakes.agreement
    monkeypatch.setattr(mistakes, "agreement", lambda flags, bad: before(~flags, bad))


def her_habits_are_taken_for_the_rational_one_s(monkeypatch):
    """What is rare in the long run is judged by what the rational kind does."""
    before = mistakes.unusual
    monkeypatch.setattr(mistakes, "unusual", lambda policies, states, actions: before(
        np.repeat(policies[:1], len(policies), axis=0), states, actions))  # fmt: skip


def flattening_sharpens(monkeypatch):
    monkeypatch.setattr(wrong_model, "POWERS", np.linspace(2, 3, 11))


def there_is_one_temperature(monkeypatch):
    monkeypatch.setattr(people, "HOT", (0.1,) * len(people.HOT))


def she_never_changes_her_mind(monkeypatch):
    """Exponential weights in place of the hyperbola."""
    for module in (restaurant, cafe):
        monkeypatch.setattr(module, "hyperbola", lambda k, n: (1 / (1 + k)) ** np.arange(n))


def a_walk_seen_again_is_no_news(monkeypatch):
    monkeypatch.setattr(restaurant, "TIMES", dict.fromkeys(restaurant.TIMES, 1))


def there_is_no_noise(monkeypatch):
    """Whatever noise he is said to have, his walk is planned for without it."""
    before = restaurant.chances
    monkeypatch.setattr(restaurant, "chances", lambda rewards, weights, aware, noise: before(
        rewards, weights, aware, 4.0 if noise == 4.0 else 1e-3))  # fmt: skip


def everybody_is_naive(monkeypatch):
    for module in (restaurant, cafe):
        monkeypatch.setattr(module, "delay_plan",
                            lambda *given, aware, **more: delay_plan(*given, aware=False, **more))


def everybody_knows_herself(monkeypatch):
    for module in (restaurant, cafe):
        monkeypatch.setattr(module, "delay_plan",
                            lambda *given, aware, **more: delay_plan(*given, aware=True, **more))


def the_café_is_closed(monkeypatch):  # noqa: PLC2401
    """It pays nothing, whatever it is said to be worth."""
    before = Town.reward
    monkeypatch.setattr(Town, "reward", lambda self, cafe=0.0, **rest: before(self, **rest))


def both_mornings_are_open(monkeypatch):
    monkeypatch.setattr(cafe, "TOP", cafe.OPEN)


def nobody_is_impatient(monkeypatch):
    """Who is said to discount does not."""
    monkeypatch.setattr(cafe, "DISCOUNTS", (1.0,))


def rollo_never_escorts(monkeypatch):
    monkeypatch.setattr(cafe, "escorted", lambda belief: 4.0)


MUTANTS = {
    "gi-suboptimal": [both_readers_have_the_old_map, rollo_serves_the_opposite,
                      who_has_not_looked_knows_her_wish, nobody_ever_knows,
                      slips_are_left_in, no_size_is_hers],
    "gi-needs-error-model": [mistakes_are_judged_by_another_wish, what_is_usual_is_flagged,
                             her_habits_are_taken_for_the_rational_one_s],
    "gi-wrong-model": [flattening_sharpens, there_is_one_temperature,
                       temperatures_are_left_alone, the_matched_are_all_rational],
    "gi-restaurant": [she_never_changes_her_mind, everybody_is_naive, everybody_knows_herself,
                      a_walk_seen_again_is_no_news, there_is_no_noise],
    "gi-cafe": [she_never_changes_her_mind, everybody_is_naive, everybody_knows_herself,
                the_café_is_closed, both_mornings_are_open, rollo_never_escorts,
                nobody_is_impatient],
}  # fmt: skip


@slow
@each(MUTANTS)
def test_a_wrong_library_makes_the_claim_false(right, one_survey, monkeypatch, claim_id, mutant):
    fine = right(claim_id)
    one_survey()
    if mutant in (flattening_sharpens, there_is_one_temperature):
        matching_stays_right(monkeypatch, fine)
    mutant(monkeypatch)
    forget_the_hanas()
    must_refute(CLAIMS[claim_id], fine, measured(claim_id))


# Clauses ----------------------------------------------------------------------------


def kinds(rational, others):
    """A list by kind of person: the first is rational."""
    return [rational] + [others] * len(BIASED)


def but(values, kind, value):
    return [value if k == kind else v for k, v in zip(KINDS, values, strict=True)]


SUB = {
    "own": kinds(0.3, 0.7), "own_no_slips": kinds(0, 0.25), "served_right": kinds(0.05, 0.3),
    "served_rational": kinds(0.05, 0.5), "served_all": kinds(0.05, 0.35),
    "door_told": 0.7, "door_untold": 0.9, "door_either": 0.9,
    "loss_told": 2.0, "loss_untold": 0.2, "loss_either": 0.2, "served_unwatched": 0.75,
    "knew_door_told": 0.97, "knew_door_untold": 0.9, "knew_door_either": 0.95,
    "knew_loss_told": 0.05, "knew_loss_untold": 0.5, "knew_loss_either": 0.1,
    "served_kind": [0.07] + [0.31] * 9,
}  # fmt: skip
MODELS = {
    "loss_right": kinds(0.5, 1.5), "loss_rational": kinds(0.5, 7), "loss_fitted": kinds(1, 5),
    "loss_any_temperature": but(kinds(0.8, 2.5), "creature of habit", 8),
    "loss_all_kinds": kinds(0.8, 2), "loss_cooled": kinds(0.5, 2.4),
    "by_steps_right": [2.9, 2.6, 2.2, 1.5, 0.9], "by_steps_rational": [3.1, 3.3, 4, 7, 18],
    "late_any_temperature": kinds(0.2, 4), "sure_rational": kinds(0.8, 0.7),
    "hits_rational": kinds(0.8, 0.25), "sure_right": kinds(0.8, 0.4), "hits_right": kinds(0.8, 0.4),
    "matched_heat": kinds(0.1, 0.05), "matched_entropy": kinds(0.8, 0.8),
    "matched_loss": [0.5] * 6 + [5] * 5, "matched_late": [0.1] * 6 + [15] * 5,
    "matched_right": but(kinds(0.5, 0.6), "creature of habit", 2.0),
    "matched_right_late": kinds(0.1, 0.2), "matched_own": kinds(0.3, 0.45),
    "matched_served_rational": kinds(0.02, 0.2), "matched_served_right": kinds(0.02, 0.08),
}  # fmt: skip
FLAGS = {
    "rarity": but(kinds(0.8, 0.6), "creature of habit", 0.48),
    "rational": but(kinds(0.95, 0.7), "creature of habit", 0.52),
    "any_temperature": but(kinds(0.93, 0.73), "creature of habit", 0.52),
    "all_kinds": but(kinds(0.94, 0.78), "misinformed", 0.9),
    "right": but(kinds(0.95, 0.82), "misinformed", 0.95), "unwatched": kinds(0.6, 0.58),
    "rarity_known": [0.9, 0.85, 0.75, 0.75, 0.75, 0.85, 0.85, 0.48, 0.6, 0.85, 0.85],
}
REST = {
    "naive_as_published": 1, "sophisticated_as_published": 1, "meant_vegetables": 1,
    "prior_tempted": 0.06, "naive_tempted": 0.89, "naive_told": 0.94, "sophisticated_told": 0.94,
    "naive_vegetables": 0.9, "sophisticated_vegetables": 0.95, "naive_vegetables_rational": 0,
    "naive_vegetables_noisy": 0.03, "sophisticated_vegetables_rational": 0.99,
    "prior_vegetables": 0.41, "naive_vegetables_open": 0.2, "naive_vegetables_open_three": 0.3,
    "naive_vegetables_alike": 0.24, "naive_vegetables_alike_three": 0.48,
    "naive_vegetables_open_five": 0.7, "naive_noise_open": 0.5, "few_noise_open": 0.5,
    "few_noise_open_three": 0.02, "few_vegetables_open": 0.8, "few_vegetables_open_three": 0.95,
}  # fmt: skip
THIRD, HALF, WISH = [0, 0, 0.33, 0.33, 0.34], [0, 0, 0.5, 0.5, 0], [0, 0, 0, 0, 1.0]
SURE, OPEN = [0, 0, 1.0, 0, 0], [0.25, 0.25, 0.25, 0.25, 0]
CAFE = {
    "naive_enters": 1, "sophisticated_enters": 0, "naive_patient_one": WISH,
    "naive_patient_two": WISH, "naive_right_one": THIRD, "naive_right_two": HALF,
    "naive_any_two": HALF, "sophisticated_right_one": SURE, "sophisticated_any_one": SURE,
    "sophisticated_patient_one": OPEN, "naive_helped_right_one": 7.8,
    "naive_helped_any_one": 7.8, "naive_helped_patient_one": 1.4,
    "naive_exponential_one": [0, 0.02, 0.13, 0.27, 0.58],
    "naive_exponential_two": [0, 0, 0, 0.04, 0.96], "naive_helped_right_two": 7.8,
    "naive_helped_exponential_one": 7.8, "naive_helped_exponential_two": 2.0,
}  # fmt: skip
BROKEN = [
    (suboptimal.suboptimal_holds, SUB, [
        {"own": kinds(0.15, 0.7)}, {"served_right": kinds(0.05, 0.45)},
        {"own": [0.3] + [0.7] * 7 + [0.4] * 3}, {"served_rational": kinds(0.05, 0.36),
         "served_all": kinds(0.05, 0.32)}, {"served_all": kinds(0.05, 0.48)},
        {"served_rational": kinds(0.06, 0.5)}, {"door_untold": 0.74}, {"door_either": 0.74},
        {"loss_told": 0.6}, {"loss_untold": 0.5}, {"loss_either": 0.5},
        {"served_unwatched": 0.6}, {"served_right": but(SUB["served_right"], "naive", 0.71)},
        {"knew_loss_untold": 0.2}, {"knew_door_untold": 0.98},
        {"knew_loss_told": 0.25}, {"knew_loss_either": 0.25}, {"knew_door_either": 0.8},
        {"own_no_slips": kinds(0.1, 0.25)}, {"own_no_slips": kinds(0, 0.05)},
        {"own_no_slips": kinds(0, 0.4)},
        {"served_kind": [0.07] + [0.34] * 9}, {"served_kind": [0.07] + [0.26] * 9},
        {"served_right": kinds(0.05, 0.415), "served_kind": [0.07] + [0.44] * 9},
        {"served_kind": [0.07] + [0.21] * 7 + [0.61] * 2},
        # the misinformed, who has no size, does not count there
        {"served_kind": [0.07] + [0.335] * 9,
         "served_right": but(kinds(0.05, 0.3), "misinformed", 0.5)},
        {"served_rational": but(kinds(0.05, 0.37), "misinformed", 0.9)},
    ]),
    (wrong_model.wrong_holds, MODELS, [
        {"loss_right": but(MODELS["loss_right"], "myopic", 3.2)}, {"loss_right": kinds(0.5, 2.3)},
        {"loss_rational": kinds(2.2, 7)}, {"loss_rational": [0.5] + [2.9] * 3 + [10] * 7},
        {"loss_rational": kinds(0.5, 5.2)}, {"by_steps_rational": [3.1, 3.3, 4, 7, 6]},
        {"by_steps_right": [2.9, 2.6, 2.2, 1.5, 1.6]}, {"hits_rational": kinds(0.8, 0.4)},
        {"hits_rational": kinds(0.8, 0.08)}, {"sure_right": kinds(0.8, 0.5)},
        {"loss_cooled": but(MODELS["loss_cooled"], "myopic", 3.4)},
        {"loss_cooled": kinds(0.5, 2.8)},
        {"loss_any_temperature": [0.8] + [3.2] * 10}, {"loss_any_temperature": kinds(0.8, 2.9)},
        {"late_any_temperature": kinds(0.2, 2)},
        {"loss_all_kinds": but(MODELS["loss_all_kinds"], "myopic", 3.5)},
        {"loss_all_kinds": kinds(0.8, 2.8)}, {"loss_fitted": kinds(1, 2.9)},
        {"matched_entropy": kinds(0.8, 0.81)}, {"matched_loss": [0.5] * 6 + [2.9] * 5},
        {"matched_late": [0.1] * 6 + [3.9] * 5}, {"matched_loss": [0.5] + [2.1] * 5 + [5] * 5},
        {"matched_loss": [0.5] * 6 + [12] * 5},
        {"matched_loss": [0.5] * 6 + [2.9] * 2 + [7] * 3},
        {"matched_right": but(kinds(1.3, 1.5), "creature of habit", 2.5)},
        {"matched_right": but(kinds(0.5, 1.0), "creature of habit", 2.0)},
        {"matched_right": kinds(0.5, 0.6)},
        {"matched_own": kinds(0.3, 0.29), "matched_served_rational": kinds(0, 0.13),
         "matched_served_right": kinds(0, 0.05)},
        {"matched_served_right": kinds(0, 0.16), "matched_served_rational": kinds(0, 0.25)},
        {"matched_served_rational": kinds(0, 0.12)}, {"matched_served_rational": kinds(0, 0.32)},
    ]),
    (mistakes.mistakes_holds, FLAGS, [
        {"rarity": but(kinds(0.8, 0.72), "creature of habit", 0.48)},
        {"any_temperature": FLAGS["rational"], "rational": FLAGS["any_temperature"]},
        {"all_kinds": FLAGS["any_temperature"], "any_temperature": FLAGS["all_kinds"]},
        {"all_kinds": kinds(0.94, 0.9)},
        {"right": but(kinds(0.95, 0.79), "misinformed", 0.81),
         "all_kinds": kinds(0.9, 0.76), "rational": but(kinds(0.95, 0.74),
         "creature of habit", 0.52), "any_temperature": but(kinds(0.93, 0.755),
         "creature of habit", 0.52)},
        {"right": [0.95] + [0.69] * 3 + [1] * 7},
        {"rational": but(FLAGS["rational"], "creature of habit", 0.65)},
        {"any_temperature": but(FLAGS["any_temperature"], "creature of habit", 0.62)},
        {"right": but(FLAGS["right"], "creature of habit", 0.69)},
        {"any_temperature": but(FLAGS["any_temperature"], "misinformed", 0.85)},
        {"right": but(FLAGS["right"], "misinformed", 0.79)},
        {"rational": [0.94] + FLAGS["rational"][1:]},
        {"rational": [0.8] + FLAGS["rational"][1:], "right": [0.8] + FLAGS["right"][1:]},
        {"rarity": but(FLAGS["rarity"], "creature of habit", 0.57)},
        {"unwatched": but(kinds(0.6, 0.5), "creature of habit", 0.58)},
        {"unwatched": kinds(0.6, 0.66)},
        {"unwatched": but(kinds(0.6, 0.58), "creature of habit", 0.54)},
        {"rarity_known": [0.9] + [0.83] * 4 + [0.701] * 2 + [0.3, 0.4] + [0.701] * 2},
        {"rarity_known": [0.9] + [0.82] * 3 + [0.9] * 3 + [0.48, 0.6] + [0.9] * 2},
        {"rarity_known": [0.9] + [0.69] * 3 + [0.9] * 3 + [0.48, 0.6] + [0.9] * 2},
        {"rarity_known": [0.9] + [0.78] * 5 + [0.9] + [0.48, 0.6] + [0.9] * 2},
        {"rarity_known": but(FLAGS["rarity_known"], "creature of habit", 0.56)},
        {"rarity_known": but(FLAGS["rarity_known"], "misinformed", 0.67)},
    ]),
    (restaurant.restaurant_holds, REST, [
        {"naive_as_published": 0}, {"sophisticated_as_published": 0}, {"meant_vegetables": 0},
        {"prior_tempted": 0.2}, {"naive_tempted": 0.8}, {"naive_tempted": 0.97},
        {"naive_told": 0.8}, {"sophisticated_told": 0.8}, {"naive_vegetables": 0.8},
        {"sophisticated_vegetables": 0.8}, {"naive_vegetables_rational": 0.1},
        {"naive_vegetables_noisy": 0.1}, {"sophisticated_vegetables_rational": 0.8},
        {"naive_vegetables_alike": 0.42}, {"naive_vegetables_alike_three": 0.4},
        {"naive_vegetables_open": 0.35}, {"naive_vegetables_open_three": 0.45},
        {"naive_vegetables_open_five": 0.5}, {"naive_noise_open": 0.4}, {"few_noise_open": 0.33},
        {"few_noise_open_three": 0.1}, {"few_vegetables_open": 0.95},
        {"few_vegetables_open_three": 0.85},
    ]),
    (cafe.cafe_holds, CAFE, [
        {"naive_enters": 0.7}, {"sophisticated_enters": 0.3}, {"naive_patient_one": THIRD},
        {"naive_patient_two": THIRD}, {"naive_right_one": HALF},
        {"naive_right_one": [0.1, 0.16, 0.23, 0.24, 0.27]},
        {"naive_right_two": [0, 0, 0.4, 0.4, 0.2]},
        {"naive_right_two": [0.1, 0.1, 0.3, 0.5, 0]}, {"naive_any_two": THIRD},
        {"sophisticated_right_one": HALF}, {"sophisticated_any_one": HALF},
        {"sophisticated_patient_one": [0.23, 0.23, 0.23, 0.23, 0.08]},
        {"sophisticated_patient_one": [0.2, 0.3, 0.25, 0.25, 0]},
        {"naive_helped_right_one": 5}, {"naive_helped_any_one": 5},
        {"naive_exponential_one": [0, 0, 0.1, 0.1, 0.8]},
        {"naive_exponential_one": [0, 0.38, 0.02, 0, 0.6]},
        {"naive_exponential_two": [0.2, 0, 0, 0, 0.8]},
        {"naive_exponential_two": [0, 0, 0.05, 0.05, 0.9]},
        {"naive_helped_exponential_one": 5}, {"naive_helped_exponential_two": 4},
        {"naive_helped_right_two": 5.9},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(holds, good, changes):
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


# Worlds, and what is derived -----------------------------------------------------------


@pytest.fixture(scope="module")
def sea():
    return people.sea(np.random.default_rng(0), islands=3)


def test_nobody_leaves_her_island(sea):
    home = np.arange(18) // 6
    leaves = home[:, None, None] != home[None, None, :]
    for world in (sea.world, sea.map):
        assert (world.dense() * leaves).sum() == 0
    assert sea.wishes.shape == (20, 18, 3) and np.ptp(sea.wishes, axis=-1).max() == 0


def test_the_second_map_swaps_two_actions_in_some_places(sea):
    true, believed = sea.world.dense(), sea.map.dense()
    same = (believed == true).all((1, 2))
    swapped = (believed == true[:, [1, 0, 2]]).all((1, 2))
    assert (same ^ swapped).all() and same.any() and swapped.any()


def test_walks_follow_the_policy_and_the_world(sea):
    policy = np.eye(3)[np.arange(18) % 3]
    states, actions = people.watch(sea, policy, 40, np.random.default_rng(1))
    assert states.shape == (3, 40) and (actions == states % 3).all()
    assert (states // 6 == np.arange(3)[:, None]).all()
    assert (sea.world.dense()[states[:, :-1], actions[:, :-1], states[:, 1:]] > 0).all()


def test_evidence_is_a_running_sum(sea):
    of_all = people.policies("rational", sea)
    states, actions = people.watch(sea, people.islanders(sea, of_all), 100,
                                   np.random.default_rng(2))
    got = people.evidence(of_all, states, actions)
    assert got.shape == (3, 5, 20)
    direct = np.log(of_all[7, states[1, :10], actions[1, :10]]).sum()
    assert got[1, 2, 7] == pytest.approx(direct)


def test_the_share_lost_is_nothing_for_the_best_and_all_at_random(sea):
    wanted = people.islanders(sea, sea.wishes)
    best = planning.value_iteration(sea.world, reward=wanted).policy
    got = people.lost(sea, [best, np.full((18, 3), 1 / 3)])
    np.testing.assert_allclose(got, [0, 1], atol=1e-8)
    certain = np.eye(20)[sea.truth][None]
    assert people.lost(sea, people.serve(sea, certain)) == pytest.approx(0, abs=1e-8)


def test_kinds_are_edits_of_one_plan(sea):
    """The kinds that are not people of `goals.biased` alone."""
    naive = delay_plan(sea.world, hyperbola(people.STEEP, people.AHEAD), aware=False,
                       temperature=0.1, reward=sea.wishes)
    np.testing.assert_allclose(people.policies("naive", sea), naive.policy[0])
    misled = biased.behave(sea.map, biased.Person(0.1), reward=sea.wishes)
    np.testing.assert_allclose(people.policies("misinformed", sea), misled, atol=1e-7)
    assert len(BIASED) == 10 == len(set(BIASED))


def test_families_have_her_in_them(sea):
    """Each kind as it is among its sizes, and no two people alike."""
    q = biased.reckon(sea.world, biased.Person(), reward=sea.wishes)
    seen = people.Survey(sea, q, None, None, None, None)
    assert len(sizes.SIZED) == 10 and set(KINDS) - set(sizes.SIZED) == {"misinformed"}
    for kind, many in zip(sizes.SIZED, (3, 12, 9, 9, 9, 9, 3, 27, 9, 9), strict=True):
        does = sizes.family(kind, seen)
        assert does.shape == (many, 20, 18, 3)
        apart = np.abs(does - people.policies(kind, sea)).max(axis=(1, 2, 3))
        assert (apart < 1e-7).sum() == 1 and np.median(apart) > 0.05, kind
        np.testing.assert_allclose(does.sum(-1), 1)


def test_a_kind_s_wish_is_believed_over_all_its_sizes():
    """Thirty steps of two people, multiplied out."""
    seen = people.survey(np.random.default_rng(6), 2)
    got = sizes.beliefs(seen)
    assert got.shape == (10, 2, 20)
    for kind in ("optimist", "naive"):
        k, does = KINDS.index(kind), sizes.family(kind, seen)
        for isle in range(2):
            s, a = seen.states[k, isle, :30], seen.actions[k, isle, :30]
            by_hand = sum(np.prod(model[:, s, a], axis=1) for model in does)
            np.testing.assert_allclose(got[sizes.SIZED.index(kind), isle],
                                       by_hand / by_hand.sum(), rtol=1e-6, atol=1e-12)


def test_squares_have_a_barrier_on_the_way_and_a_way_round():
    for seed in range(5):
        place = barriers.square(np.random.default_rng(seed))
        closed = barriers.closed_at(place.ahead, place.barrier)
        way = barriers.shortest(place.ahead, place.start, place.doors[place.right])
        elsewhere = np.arange(len(closed)) != place.barrier
        assert place.barrier in way[3:-1] and not (closed == place.barrier)[elsewhere].any()
        assert all(barriers.shortest(closed, place.start, d) for d in place.doors)


def test_failing_walks_end_at_the_barrier_and_knowing_ones_do_not():
    rng = np.random.default_rng(3)
    for _ in range(5):
        place = barriers.square(rng)
        plans = place.plans()
        states, actions = failed = barriers.failing_walk(place, plans, rng)
        assert place.ahead[states[-1], actions[-1]] == place.barrier
        knew = barriers.knowing_walk(place, plans, len(states), rng)
        assert place.barrier not in knew[0] and len(knew[0]) <= len(states)
        assert knew[0][0] == states[0] == place.start and place.barrier not in states
        told, untold, either = barriers.read([plans, plans], [failed, knew])
        np.testing.assert_allclose(np.array([told, untold, either]).sum(-1), 1)
        direct = np.prod(plans[1][:, states, actions], axis=1)
        np.testing.assert_allclose(untold[0], direct / direct.sum(), rtol=1e-6)
        both = direct + np.prod(plans[0][:, states, actions], axis=1)
        np.testing.assert_allclose(either[0], both / both.sum(), rtol=1e-6)


def test_matched_kinds_act_as_freely_as_the_rational_one(sea):
    wanted = people.islanders(sea, sea.wishes)
    even = np.full((18, 3), 1 / 3)
    assert wrong_model.unrest(even) == pytest.approx(np.log(3))
    assert wrong_model.unrest(np.eye(3)[[0, 1]]) == 0
    aim = wrong_model.unrest(people.policies("rational", sea, wishes=wanted))
    for kind in KINDS:
        heat = wrong_model.matched(kind, sea)
        does = people.policies(kind, sea, heat, wanted)
        assert wrong_model.unrest(does) == pytest.approx(aim, abs=1e-7), kind
    assert wrong_model.matched("rational", sea) == pytest.approx(people.TEMPERATURE)


def test_temperature_can_be_told_to_any_kind(sea):
    own = people.policies("careless", sea)
    np.testing.assert_allclose(own, people.policies("careless", sea, 0.3))
    assert np.abs(own - people.policies("careless", sea, 0.1)).max() > 0.1


def test_flattening_can_only_help_on_the_whole():
    rng = np.random.default_rng(0)
    belief = infer.posterior(8 * rng.normal(size=(1, 400, 5)))
    truth = rng.integers(5, size=(1, 400))
    flat = wrong_model.cooled(belief, truth)
    assert infer.log_loss(belief, truth).mean() > 5 and flat == pytest.approx(np.log(5), abs=0.05)
    fair = rng.dirichlet(np.ones(5), (1, 4000))
    told = (rng.random((1, 4000, 1)) > fair.cumsum(-1)).sum(-1)
    loss = infer.log_loss(fair, told).mean()
    assert wrong_model.cooled(fair, told) == pytest.approx(loss, abs=0.01)


def test_what_is_rare_is_counted_by_place():
    states = np.array([[[0, 0, 0, 7, 7, 1]]]) % 6
    actions = np.array([[[1, 1, 2, 0, 0, 2]]])
    np.testing.assert_array_equal(mistakes.rare(states, actions)[0, 0],
                                  [False, False, True, False, False, True])
    assert mistakes.agreement(np.array([[True, False, False]]),
                              np.array([[True, True, False]])) == 0.75


def test_what_is_rare_in_the_long_run_is_judged_act_by_act():
    rng = np.random.default_rng(4)
    policies = rng.dirichlet(np.ones(3), (2, 12))
    policies[0, 0] = [0.4, 0.4, 0.2]  # two that are as common
    states, actions = rng.integers(12, size=(2, 3, 40)), rng.integers(3, size=(2, 3, 40))
    states[0, 0, :3], actions[0, 0, :3] = 0, [0, 1, 2]
    got = mistakes.unusual(policies, states, actions)
    for where in np.ndindex(got.shape):
        does = policies[where[0], states[where]]
        assert got[where] == any(p > does[actions[where]] for p in does)
    assert got[0, 0, :3].tolist() == [False, False, True]


def test_the_block_of_restaurants():
    world, meals, cells = restaurant.block()
    assert world.deterministic and set(meals) == set("NSVO")
    ends = [i for i, cell in enumerate(cells) if cell is None]
    assert (world.transitions[ends] == ends[0]).all()
    states, actions = restaurant.seen_at(restaurant.PUBLISHED["sophisticated"])
    assert len(states) == 9 and cells[world.transitions[states[-1], actions[-1]]] == (4, 7)
    with pytest.raises(StopIteration):  # nobody turns back
        restaurant.seen_at([(3, 1), (3, 2), (3, 1)])
    assert restaurant.tempted().sum() == 15 and restaurant.all_tastes()[1].shape[0] == 256


def test_what_is_left_open_is_weighed_by_hand():
    """Nine models of three tastes, planned for one by one."""
    seen, (_, rewards) = restaurant.seen_at(restaurant.PUBLISHED["naive"]), restaurant.all_tastes()
    tastes = rewards[[6, 100, 255]]
    logs, prior = restaurant.left_open(seen, tastes)
    told = np.empty((9, 3))
    kinds = [(0.0, False), (1.0, False), (1.0, True)]
    for m, ((k, aware), noise) in enumerate(product(kinds, (0.001, 0.1, 10))):
        for g, reward in enumerate(tastes):
            plan = delay_plan(restaurant.block()[0], 1 / (1 + k * np.arange(11)), aware=aware,
                              temperature=noise, reward=reward)
            does = [plan.policy[t, s, a] for t, (s, a) in enumerate(zip(*seen))]
            told[m, g] = np.prod(np.array(does) * (1 - 1e-9) + 1e-9 / 4)
    np.testing.assert_allclose(np.exp(logs), told, rtol=1e-6)
    by_hand = np.repeat([1 / 6, 1 / 12, 1 / 12], 3)[:, None] * told**3
    np.testing.assert_allclose(infer.joint(3 * logs, prior).table, by_hand / by_hand.sum())


def test_what_is_believed_if_much_is_left_open(monkeypatch):
    """With evidence at random: three kinds by three noises, the last of each the highest."""
    rng, made = np.random.default_rng(3), {}

    def at_random(seen, rewards):
        n = len(rewards)
        made[n] = rng.normal(size=(9, n)), rng.dirichlet(np.ones(9 * n)).reshape(9, n)
        return made[n]

    monkeypatch.setattr(restaurant, "left_open", at_random)
    got = restaurant.measure_open()
    worths = (-10, 0, 10, 20, 30)
    books = [(doughnuts, -10, vegetables, 20) for doughnuts, vegetables in product(worths, worths)]
    for name, tastes in (("naive", list(product(worths[:4], repeat=4))), ("few", books)):
        logs, prior = made[len(tastes)]
        better = [c + d > a + b for a, b, c, d in tastes]
        for days, times in (("", 1), ("_three", 3), ("_five", 5)):
            both = prior * np.exp(logs) ** times
            for what, part in (("vegetables", both[:, better]), ("noise", both[[2, 5, 8]])):
                assert got[f"{name}_{what}_open{days}"] == pytest.approx(part.sum() / both.sum())


def test_by_hand():
    hand = on_paper.by_hand()
    assert hand["bakery_past"] == pytest.approx(10 / 11)
    assert hand["corner_in"] == 2.5 > hand["corner_past"] == pytest.approx(5 / 3)
    assert on_paper.by_hand(0.0)["corner_in"] == 6
    story = on_paper.barrier_story()
    np.testing.assert_allclose(story["knew"], 1 / 3)
    assert story["did_not"].argmax() == 2


def test_escorts_pass_the_café_unless_it_is_wanted():
    assert cafe.escorted(np.array(SURE)) == pytest.approx(7.8)
    assert cafe.escorted(np.array(WISH)) == pytest.approx(1.4)


def test_the_impatient_keep_one_mind():
    """At a low temperature, as worked out backwards; at discount 1, as the patient."""
    town, plans = Town("hana", door=cafe.DOOR), cafe.impatient()
    mdp, start = town.mdp("true"), int(town.mdp("true").start.argmax())
    assert len(plans) == 35
    np.testing.assert_array_equal(plans[1.0, 0.3].policy, cafe.hanas()["patient 0.3"].policy)
    for discount, (g, worth) in product((0.6, 0.9), enumerate(cafe.WORTH)):
        values = np.zeros(mdp.n_states)
        for _ in range(cafe.AHEAD):
            q = town.reward(cafe=worth) + discount * (mdp.dense() @ values)
            values = q.max(axis=1)
        got = plans[discount, cafe.SLIPS]
        np.testing.assert_allclose(got.q[0, g], q, atol=0.2)
        assert got.policy[0, g, start].argmax() == q[start].argmax()


def test_walks_are_explained_together():
    rng, names = np.random.default_rng(5), ("naive", "patient 1")
    plans = {name: cafe.hanas()[name] for name in names}
    walks = [cafe.morning("naive", barrier, rng) for barrier in (cafe.OPEN, cafe.TOP)]
    got = cafe.explained(plans, walks)
    for (m, name), g in product(enumerate(names), range(5)):
        by_hand = sum(np.log(plans[name].policy[t, g, s, a])
                      for states, actions in walks
                      for t, (s, a) in enumerate(zip(states, actions)))
        assert got[m, g] == pytest.approx(by_hand)


def test_averages_over_the_biased():
    averages = suboptimal.average(planted(SUB, own=but(SUB["own"], "misinformed", 0.6)))
    assert averages["own.biased"] == pytest.approx(0.69)
    assert averages["own.sized"] == pytest.approx(0.7)
    assert [averages[f"served_{m}.sized"] for m in ("right", "rational", "all")] == pytest.approx(
        [0.3, 0.5, 0.35])
    assert averages["served_kind.sized"] == pytest.approx(0.31)
    harmed = planted(SUB, served_rational=but(SUB["served_rational"], "naive", 0.8))
    assert suboptimal.average(harmed)["worse_than_unwatched"] == 1
    got = wrong_model.average(planted(MODELS))
    assert got["worse_matched"] == got["worse_matched_late"] == 5
    spread = {"matched_loss": [[0.5] * 6 + [2, 5, 5, 5, 5], [0.5] * 6 + [6, 5, 5, 5, 5]],
              "matched_late": [[0.1] * 6 + [15] * 5] * 2}  # fmt: skip
    two = {k: np.asarray([v, v], float) for k, v in MODELS.items()} | {
        k: np.asarray(v, float) for k, v in spread.items()}
    wide = wrong_model.average(Samples((0, 1), two))
    assert (wide["worse_matched"], wide["clearly_worse"]) == (5, 4)
    assert wide["clearly_worse_late"] == 5
    assert got["worse"] == 10 and got["prior"] == pytest.approx(np.log(20))
    flagged = mistakes.average(planted(FLAGS))
    assert flagged["right.biased"] == pytest.approx(0.833)
    assert (flagged["known_above_rational"], flagged["known_below_rational"]) == (8, 2)
    assert (flagged["known_above_right"], flagged["known_below_right"]) == (5, 5)
    shaky = {k: np.asarray([v, v], float) for k, v in FLAGS.items()}
    shaky["rarity_known"][:, 1:4] = [[0.6] * 3, [0.9] * 3]  # 0.05 above, give or take 0.15
    assert mistakes.average(Samples((0, 1), shaky))["known_above_rational"] == 5
    gain = np.zeros((2, 11))  # of 0.05, give or take a little more or less than half of it
    gain[:, 1:5] = np.multiply(0.05, [1, 1, -1, -1]) + np.outer([-1, 1], [0.026, 0.024] * 2)
    near = mistakes.average(Samples((0, 1), shaky | {"rarity_known": shaky["right"] + gain}))
    assert (near["known_above_right"], near["known_below_right"]) == (1, 1)


def test_figures_say_what_they_show():
    small = {f"by_steps_{m}": [2.0] * 5 for m in ("any_temperature", "all_kinds")}
    figures = [
        suboptimal.fig_suboptimal(planted(SUB)), wrong_model.fig_wrong(planted(MODELS)),
        wrong_model.fig_steps(planted(MODELS, **small)), wrong_model.fig_sure(planted(MODELS)),
        mistakes.fig_mistakes(planted(FLAGS)), cafe.fig_readings(planted(CAFE)),
        cafe.fig_hook(), restaurant.fig_restaurants(), on_paper.fig_hand(),
        on_paper.fig_barrier(), (None, on_paper.explore_steepness(0.5)[1]),
    ]  # fmt: skip
    assert len({alt for _, alt in figures}) == len(figures)
    assert "walks past" in figures[-1][1] or "past the café" in figures[-1][1]


def test_no_mark_of_a_row_hides_another():
    ax = plt.figure().subplots()
    people.rows(ax, ("a", "b"), [([0.5, 0.5], role, role) for role in ("expert", "robot", "harm")])
    heights = np.array([mark.get_ydata() for mark in ax.lines])
    assert (np.abs(np.diff(heights, axis=0)) > 0.1).all()
    assert heights.mean(axis=0) == pytest.approx([0, 1]) and np.ptp(heights, axis=0).max() < 0.4


def test_a_world_that_is_not_the_beliefs_is_refused(sea):
    with pytest.raises(ValueError, match="belief has"):
        biased.behave(sea.world, biased.Person(belief=MDP([[0]], [[0.0]], 0.5, 0)))
