"""The two claims of chapter 01, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest

from imitlib import claims, planning, rl
from imitlib.chapters.ch01 import belief, on_paper, trying, wishes
from imitlib.counting import TableClone
from imitlib.demonstrations import Demonstrations
from imitlib.envs.town import Town, TownEnv
from wrong_libraries import each

CLAIMS = {c.id: c for m in (trying, wishes) for c in m.CLAIMS}
SEEDS = (1000,)
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_remembered():
    caches = (trying.tasks, wishes.town, wishes.wishes)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(claim_id):
    assert CLAIMS[claim_id].holds(claims.replay(CLAIMS[claim_id], SEEDS))


def everywhere(patch, name, wrong):
    for module in (trying, wishes):
        if hasattr(module, name):
            patch.setattr(module, name, wrong)


def the_expert_guesses(patch):
    everywhere(patch, "optimal", lambda mdp: np.full(mdp.reward.shape, 1 / mdp.n_actions))


def actions_are_one_step_late(patch):
    walk = trying.walk

    def wrong(*args):
        diary = walk(*args)
        return replace(diary, actions=np.roll(diary.actions, 1))

    everywhere(patch, "walk", wrong)


def all_walks_begin_alike(patch):
    walk = trying.walk

    def wrong(mdp, *args):
        return walk(mdp.starting(int(mdp.start.argmax())), *args)

    everywhere(patch, "walk", wrong)


def the_table_forgets(patch):
    def wrong(states, actions, n_states, n_actions, rng=None):
        even = np.full((n_states, n_actions), 1 / n_actions)
        return TableClone(even, np.zeros_like(even, int))

    everywhere(patch, "fit_table", wrong)


def q_learning_with(patch, **options):
    right = rl.q_learning
    patch.setattr(
        rl, "q_learning", lambda env, steps, rng, **given: right(
            env, steps, rng, **(given | options)))  # fmt: skip


def the_map_is_never_looked_at(patch):
    patch.setattr("imitlib.rl.by_map._plan", lambda *args: None)


def only_the_first_situation_is_shown(patch):
    join = Demonstrations.join
    patch.setattr(Demonstrations, "join", lambda self, other: join(self, self.first(1)))


def it_hardly_learns(patch):
    q_learning_with(patch, step_size=1e-6)


def it_looks_no_step_ahead(patch):
    q_learning_with(patch, discount=0.0)


def it_seeks_what_is_worst(patch):
    step = TownEnv.step

    def wrong(self, action):
        seen, reward, *rest = step(self, action)
        return seen, -reward, *rest

    patch.setattr(TownEnv, "step", wrong)


def arriving_is_worth_nothing(patch):
    """Taxi's conversion loses what the last step pays."""
    to_mdp = trying.to_mdp

    def wrong(env, discount):
        mdp = to_mdp(env, discount)
        return mdp.with_reward(np.minimum(mdp.reward, 0))

    patch.setattr(trying, "to_mdp", wrong)


def it_practises_on_what_is_meant(patch):
    patch.setattr(
        wishes, "TownEnv",
        lambda *, town, reward, horizon: TownEnv(town=town, horizon=horizon))  # fmt: skip


def the_garden_may_be_trodden(patch):
    reward = Town.reward
    patch.setattr(Town, "reward", lambda self, **pays: reward(self, **(pays | {"garden": 0})))


def the_planner_is_deaf(patch):
    plan = planning.backward_induction
    patch.setattr(
        planning, "backward_induction", lambda mdp, horizon, reward: plan(mdp, horizon))


def only_the_first_step_counts(patch):
    occupancy = planning.occupancy

    def wrong(mdp, policy, horizon):
        first = policy[:1] if policy.ndim == 3 else policy
        return occupancy(mdp, first, horizon=1) * horizon

    patch.setattr(planning, "occupancy", wrong)


MUTANTS = {
    "il-no-interaction": [
        the_expert_guesses, actions_are_one_step_late, all_walks_begin_alike,
        the_table_forgets, it_hardly_learns, it_looks_no_step_ahead,
        it_seeks_what_is_worst, arriving_is_worth_nothing,
        the_map_is_never_looked_at, only_the_first_situation_is_shown,
    ],
    "il-avoids-misspec": [
        the_expert_guesses, actions_are_one_step_late, the_table_forgets,
        it_hardly_learns, it_looks_no_step_ahead, it_seeks_what_is_worst,
        it_practises_on_what_is_meant, the_garden_may_be_trodden, the_planner_is_deaf,
        only_the_first_step_counts,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, claim_id, mutant):
    mutant(monkeypatch)
    assert not CLAIMS[claim_id].holds(claims.replay(CLAIMS[claim_id], SEEDS))


# What the page works out by hand ----------------------------------------------------


def test_the_short_street_on_paper():
    given = on_paper.GIVEN
    across, on = 10 - 0.2 - 8, 10 - 0.2
    assert given["hand.across"] == pytest.approx(across)
    assert given["hand.corner"] == pytest.approx(on)
    assert given["hand.round"] == pytest.approx(-0.2 + on)
    assert given["hand.coin"] == pytest.approx((across - 0.2 + on) / 2)
    assert given["hand.told_across"] == pytest.approx(10 - 0.2)
    assert given["hand.told_round"] == pytest.approx(-0.2 + on)


def test_a_belief_is_prior_times_likelihood_over_the_whole_walk():
    """All steps at once instead of one after the other."""
    states, actions = belief.her_walk(2)
    for k in (0, 1, 8, 9, 11):
        chances = belief.chances(0.3)[:, states[:k], actions[:k]].prod(axis=1)
        np.testing.assert_allclose(belief.beliefs(2, 0.3)[k], chances / chances.sum())
    assert belief.GIVEN["belief.one"] == pytest.approx(9 / 19)
    assert belief.GIVEN["belief.three"] == pytest.approx(1 / 19)


def test_her_walks_to_doors_one_and_two_part_after_eight_steps():
    one, two = (belief.her_walk(door)[1] for door in (1, 2))
    assert (one[:8] == two[:8]).all() and one[8] != two[8]
    np.testing.assert_allclose(belief.beliefs(2)[:9, 0], belief.beliefs(2)[:9, 1])


def test_the_clone_stands_at_the_barrier():
    _, alt = on_paper.fig_barrier()
    assert "Rollo at (1, 4)" in alt and "stays 5" in alt


def test_nearer_is_counted_in_steps():
    street = wishes.town()
    away = dict(zip(map(tuple, street.cells.tolist()), wishes.steps_away(street)))
    assert away[(3, 7)] == 0 and away[(3, 0)] == 7 and away[(1, 7)] == 4 and away[(0, 3)] == 7
