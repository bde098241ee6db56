"""The claims on judges and divergences, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from imitlib import claims
from imitlib.chapters.ch06 import adversarial as page
from imitlib.experiments import stack
from imitlib.irl import adversarial as adv
from imitlib.irl import divergences as dv

CLAIMS = {claim.id: claim for claim in page.CLAIMS}
SEEDS = (1000,)
pytestmark = pytest.mark.slow


@cache
def recorded(claim_id):
    return claims.recorded(CLAIMS[claim_id])


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(claim_id):
    claim = CLAIMS[claim_id]
    samples = stack({seed: claim.measure(seed) for seed in SEEDS})
    assert claim.holds(samples)


# Wrong libraries ---------------------------------------------------------------------


def the_judge_praises_the_learner(patch):
    right = adv.judge_reward
    patch.setattr(adv, "judge_reward", lambda judge, kind=adv.REWARDS[0]: right(1 - judge, kind))


def shaping_is_not_discounted(patch):
    right = adv._form

    def wrong(mdp, state_only):
        return right(mdp.with_discount(0.5), state_only)

    patch.setattr(adv, "_form", wrong)


def the_judge_sees_where_a_step_leads_on_average(patch):
    """Then chance is no obstacle, and AIRL finds the reward where it should not."""
    right = adv.airl

    def wrong(mdp, expert, **given):
        end = right(mdp, expert, **given)
        if mdp.deterministic or not given.get("state_only", True):
            return end
        policy = expert / expert.sum(axis=1, keepdims=True)
        return replace(end, g=page.solved(mdp, policy))

    patch.setattr(adv, "airl", wrong)


def every_judge_begins_at_zero(patch):
    patch.setattr(adv, "_start", lambda start, mdp, state_only: np.zeros(
        2 * mdp.n_states if state_only else mdp.reward.size))  # fmt: skip


def the_shaping_is_left_in_the_reward(patch):
    right = adv.airl

    def wrong(*given, **options):
        end = right(*given, **options)
        return replace(end, g=(end.g.T - end.h).T)

    patch.setattr(adv, "airl", wrong)


def ends_are_always_judged(patch):
    right = adv.gail
    patch.setattr(adv, "gail", lambda *a, ends="counted", **k: right(*a, **k))


def ends_are_never_judged(patch):
    right = adv.gail
    patch.setattr(adv, "gail", lambda *a, **k: right(*a, **(k | {"ends": "unpaid"})))


def one_reward_for_all(patch):
    right = adv.judge_reward
    patch.setattr(adv, "judge_reward", lambda judge, kind=None: right(judge))


def the_roles_of_p_and_q_are_swapped(patch):
    flipped = {"forward KL": "reverse KL", "reverse KL": "forward KL"}
    patch.setattr(dv, "DIVERGENCES", {
        kind: dv.DIVERGENCES[flipped.get(kind, kind)] for kind in dv.DIVERGENCES})  # fmt: skip


def every_divergence_covers(patch):
    patch.setattr(dv, "DIVERGENCES", dict.fromkeys(
        dv.DIVERGENCES, dv.DIVERGENCES["forward KL"]))  # fmt: skip


MUTANTS = {
    "irl-adversarial": [
        the_judge_praises_the_learner, shaping_is_not_discounted,
        the_shaping_is_left_in_the_reward,
        the_judge_sees_where_a_step_leads_on_average, every_judge_begins_at_zero,
    ],
    "irl-episode-length": [
        ends_are_always_judged, ends_are_never_judged, one_reward_for_all,
        the_judge_praises_the_learner,
    ],
    "irl-divergences": [the_roles_of_p_and_q_are_swapped, every_divergence_covers],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "mutant"),
    [(name, mutant) for name, mutants in MUTANTS.items() for mutant in mutants],
)
def test_a_wrong_library_makes_the_predicate_false(claim_id, mutant, monkeypatch):
    mutant(monkeypatch)
    claim = CLAIMS[claim_id]
    samples = stack({seed: claim.measure(seed) for seed in SEEDS})
    assert not claim.holds(samples)


# Every clause of a predicate ---------------------------------------------------------

PLANTED = {
    "irl-adversarial": {
        "apart": 0.01, "gail_reward": 0.02, "g_error": 1e-3, "h_error": 1e-3,
        "f_error": 1e-3, "judge_certain": 1e-3, "g_error_slip": 0.05, "judge_slip": 0.005,
        "solved_slip": 1e-3, "home_state": 0.99, "home_pair": 0.99, "moved_state": 0.99,
        "moved_pair": 0.9, "differ_odd": 1e-3, "differ_even": 0.4,
    },
    "irl-episode-length": {
        "brisk_counted": 20.0, "slow_counted": 30.0, "brisk_unpaid": 20.0,
        "slow_unpaid": 20.0, "slow_hana": 8.0, "brisk_hana": 30.0,
    },
    "irl-divergences": {
        "picks_forward": 3.0, "picks_reverse": 3.5, "picks_jensen": 2.75, "gap_middle": 0.1,
        "variation_middle": 0.3,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "name"), [(c, name) for c, planted in PLANTED.items() for name in planted]
)
def test_every_clause_can_fail(claim_id, name):
    claim = CLAIMS[claim_id]
    samples = recorded(claim_id)
    assert claim.holds(samples)
    wrong = np.full_like(samples.values[name], PLANTED[claim_id][name])
    assert not claim.holds(replace(samples, values={**samples.values, name: wrong}))


@pytest.mark.parametrize(("column", "value"), [(0, 40.0), (1, 9.0), (2, 40.0)])
def test_every_unpaid_reward_has_its_clause(column, value):
    claim = CLAIMS["irl-episode-length"]
    samples = recorded(claim.id)
    for who in ("brisk", "slow"):
        wrong = samples.values[f"{who}_unpaid"].copy()
        wrong[3, column] = value
        assert not claim.holds(
            replace(samples, values={**samples.values, f"{who}_unpaid": wrong}))
