"""People who can be planned, against brute force; and what they do when they walk."""

from itertools import product

import gymnasium as gym
import numpy as np
import pytest

from imitlib import planning
from imitlib.demonstrations import record
from imitlib.envs.tabular import TabularEnv
from imitlib.mdp import MDP
from imitlib.tabular_experts import acting, boltzmann, eps_random, optimal, walk


def rng(seed=0):
    return np.random.default_rng(seed)


def random_world(seed, n_states=3, n_actions=2, discount=0.8):
    luck = rng(seed)
    chance = luck.dirichlet(np.ones(n_states), size=(n_states, n_actions))
    reward = luck.normal(size=(n_states, n_actions))
    return MDP(chance, reward, discount, luck.dirichlet(np.ones(n_states)))


def brute_force_q(world):
    """Q* as the best of all stationary policies, each solved densely."""
    states, chance = np.arange(world.n_states), world.dense()
    best = np.full(world.n_states, -np.inf)
    for choice in product(range(world.n_actions), repeat=world.n_states):
        chain, paid = chance[states, choice], world.reward[states, choice]
        system = np.eye(world.n_states) - world.discount * chain
        best = np.maximum(best, np.linalg.solve(system, paid))
    return world.reward + world.discount * chance @ best


# A ring of 4 cells: left, right, or stay. Home is cell 2, where staying pays 1; from 0
# both ways round are as long.
RING = MDP([[(s - 1) % 4, (s + 1) % 4, s] for s in range(4)],
           [[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]], 0.9, 0)  # fmt: skip

# A street of 5 cells, back or on, to an end that is worth 1.
STREET = MDP([[0, 1], [0, 2], [1, 3], [2, 4], [4, 4]],
             [[0, 0], [0, 0], [0, 0], [0, 1], [0, 0]], 0.9, 0)  # fmt: skip


def test_the_optimal_person_takes_the_best_by_brute_force():
    for seed in range(20):
        world = random_world(seed)
        best = np.eye(2)[brute_force_q(world).argmax(axis=1)]
        assert (optimal(world) == best).all() and (optimal(world, spread=True) == best).all()


def test_of_equally_good_actions_she_takes_one_or_all_alike():
    assert optimal(RING).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    half = [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert optimal(RING, spread=True).tolist() == half
    large = RING.with_reward(RING.reward * 3e6)  # planning is not exact: ties must hold
    assert optimal(large, spread=True).tolist() == half
    other = RING.with_reward(RING.reward + 1e-6 * np.eye(4, 3, 1))  # right of 0 is better
    assert optimal(other, spread=True)[0].tolist() == [0, 1, 0]


def test_ties_survive_the_rounding_of_a_stochastic_world():
    """Two actions that are twins in every digit but the order of their outcomes."""
    chance = rng(5).dirichlet(np.ones(6), size=6)
    twins = np.stack([chance, chance + 1e-13 * (np.eye(6) - 1 / 6), chance], axis=1)
    world = MDP(twins, rng(6).normal(size=6), 0.95, 0)
    np.testing.assert_allclose(optimal(world, spread=True), 1 / 3)


@pytest.mark.parametrize("temperature", [0.05, 0.7, 5.0])
def test_the_boltzmann_person_is_the_formula(temperature):
    for seed in range(10):
        world = random_world(seed, 3, 3)
        weight = np.exp(brute_force_q(world) / temperature)
        exact = weight / weight.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(boltzmann(world, temperature), exact, rtol=1e-7)


def test_cold_she_is_optimal_and_hot_she_does_anything():
    spread = optimal(RING, spread=True)
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(boltzmann(RING, 1e-3), spread, atol=1e-6)
        for cold in (0, 1e-300):
            chance = boltzmann(RING, cold)
            assert np.isfinite(chance).all() and (chance.argmax(1) == spread.argmax(1)).all()
        assert boltzmann(RING, 0).tolist() == spread.tolist()
    np.testing.assert_allclose(boltzmann(RING, 1e9), 1 / 3, atol=1e-8)
    np.testing.assert_allclose(boltzmann(RING, np.inf), 1 / 3)


def test_in_one_decision_hard_and_soft_are_the_same_and_in_several_not():
    once = MDP([[1, 1, 1], [1, 1, 1]], [[0.0, 1.0, 3.0], [0, 0, 0]], 1.0, 0)
    soft = planning.soft_value_iteration(once, 0.7).policy
    np.testing.assert_allclose(boltzmann(once, 0.7)[0], soft[0], rtol=1e-9)
    soft = planning.soft_value_iteration(RING, 0.7).policy
    assert np.abs(boltzmann(RING, 0.7) - soft).max() > 0.01


def test_now_and_then_anything_at_all():
    policy = optimal(RING)
    np.testing.assert_allclose(eps_random(policy, 0.3)[0], [0.8, 0.1, 0.1])
    np.testing.assert_allclose(eps_random([policy] * 2, 0.3)[1, 2], [0.1, 0.1, 0.8])
    assert eps_random(policy, 0).tolist() == policy.tolist()
    np.testing.assert_allclose(eps_random(policy, 1), 1 / 3)


# Acting -----------------------------------------------------------------------------


def test_without_chance_she_takes_the_likeliest():
    act = acting([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]])
    assert act(np.array([1, 0, 0, 1])).tolist() == [0, 1, 1, 0]


def test_with_chance_she_draws_each_action():
    chances = np.array([[0.2, 0.5, 0.3], [0.0, 0.1, 0.9]])
    act = acting(chances, rng())
    states = np.tile([0, 1], 20_000)
    counts = np.zeros((2, 3))
    np.add.at(counts, (states, act(states)), 1)
    error = np.sqrt(chances * (1 - chances) * 20_000)
    assert (np.abs(counts - 20_000 * chances) <= 4 * error).all()


def test_a_policy_of_steps_must_be_told_the_step():
    act = acting(np.eye(2)[[[0, 0], [1, 0], [1, 1]]])
    states = np.array([0, 1])
    assert [act(states, t).tolist() for t in range(3)] == [[0, 0], [1, 0], [1, 1]]
    for wrong in (None, 3, -1):
        with pytest.raises(ValueError, match=f"step is {wrong}"):
            act(states, wrong)


def test_she_can_be_recorded_in_a_world_of_gymnasiums():
    """On the lake that does not slip, 6 steps lead from the start to the goal."""
    lake = gym.make("FrozenLake-v1", is_slippery=False)
    chart = lake.unwrapped.P
    ahead = [[chart[s][a][0][1] for a in range(4)] for s in range(16)]
    paid = [[chart[s][a][0][2] * (s != 15) for a in range(4)] for s in range(16)]
    demos = record(lake, acting(optimal(MDP(ahead, paid, 0.9, 0))), 2, rng())
    assert len(demos) == 12 and demos.returns().tolist() == [1, 1]


# Walking ----------------------------------------------------------------------------


def test_where_nothing_is_left_to_chance_the_walk_is_known():
    demos = walk(STREET, optimal(STREET), 3, 10, rng())
    assert demos.observations.tolist() == [0, 1, 2, 3] * 3  # the end is never acted in
    assert demos.actions.tolist() == [1] * 12
    assert demos.episodes.tolist() == np.repeat([0, 1, 2], 4).tolist()
    assert demos.rewards.tolist() == [0, 0, 0, 1] * 3
    assert walk(STREET, optimal(STREET), 2, 3, rng()).observations.tolist() == [0, 1, 2] * 2


def test_each_episode_is_a_path_of_the_world():
    """Episodes end in different steps; each stays in one piece and in order."""
    world = STREET.starting([0.5, 0.2, 0.2, 0.1, 0])
    demos = walk(world, eps_random(optimal(STREET), 0.6), 200, 30, rng())
    lengths = np.bincount(demos.episodes)
    assert demos.n_episodes == 200 and len(set(lengths.tolist())) > 10
    same = demos.episodes[1:] == demos.episodes[:-1]
    after = STREET.transitions[demos.observations, demos.actions]
    assert (after[:-1][same] == demos.observations[1:][same]).all()
    last = np.flatnonzero(np.append(~same, True))
    assert (after[last] == 4)[lengths < 30].all()
    np.testing.assert_allclose(demos.rewards, after == 4)


@pytest.mark.parametrize("discount", [1.0, 0.8])
def test_visits_are_the_occupancy(discount):
    world = random_world(2, 4, 3, discount)
    policy = boltzmann(world.with_discount(0.9), 1.0)
    visits = visited(walk(world, policy, 4000, 12, rng(1)), world, discount)
    close(visits, planning.occupancy(world, policy, horizon=12))


def test_visits_are_the_occupancy_for_a_policy_of_steps():
    world = random_world(3, 4, 3, 1.0)
    policy = rng(4).dirichlet(np.ones(3) / 2, size=(8, 4))
    close(visited(walk(world, policy, 4000, 8, rng(1)), world, 1.0),
          planning.occupancy(world, policy, horizon=8))


def test_visits_before_the_end_are_the_occupancy():
    policy = eps_random(optimal(STREET), 0.4)
    visits = visited(walk(STREET, policy, 4000, 400, rng(1)), STREET, 1.0)
    close(visits, planning.occupancy(STREET.with_discount(1.0), policy))


def visited(demos, world, discount):
    """Discounted visits of each (s, a) in each episode, (episodes, S, A)."""
    starts = np.searchsorted(demos.episodes, np.arange(demos.n_episodes))
    clock = np.arange(len(demos)) - starts[demos.episodes]
    visits = np.zeros((demos.n_episodes, *world.reward.shape))
    place = demos.episodes, demos.observations, demos.actions
    np.add.at(visits, place, discount**clock)
    return visits


def close(visits, exact):
    error = visits.std(axis=0) / len(visits) ** 0.5
    assert (np.abs(visits.mean(axis=0) - exact) <= 4 * error + 1e-12).all()


def test_a_walk_and_a_recording_are_the_same_experiment():
    """The same world, person and horizon by two ways: returns have the same mean."""
    world = random_world(7, 4, 3, 1.0)
    policy = boltzmann(world.with_discount(0.9), 0.5)
    one = walk(world, policy, 2000, 10, rng(0)).returns()
    two = record(TabularEnv(world, horizon=10), acting(policy, rng(1)), 400,
                 rng(2)).returns()  # fmt: skip
    error = np.hypot(one.std() / len(one) ** 0.5, two.std() / len(two) ** 0.5)
    assert abs(one.mean() - two.mean()) < 4 * error


def test_a_walk_depends_on_its_rng_alone():
    world = random_world(7)
    one, two, other = (walk(world, boltzmann(world, 1.0), 20, 9, rng(seed))
                       for seed in (0, 0, 1))
    assert one.observations.tolist() == two.observations.tolist()
    assert one.observations.tolist() != other.observations.tolist()


# What is refused --------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [-1, np.nan])
def test_no_temperature_is_below_zero(temperature):
    with pytest.raises(ValueError, match=f"temperature is {temperature}"):
        boltzmann(RING, temperature)


@pytest.mark.parametrize("eps", [-0.1, 1.1, np.nan])
def test_a_chance_is_a_chance(eps):
    with pytest.raises(ValueError, match=f"eps is {eps}"):
        eps_random(optimal(RING), eps)


@pytest.mark.parametrize(("policy", "message"), [
    ([0.5, 0.5], r"policy has shape \(2,\)"),
    ([[0.5, 0.5], [0.5, 0.6]], r"policy\[1\] is \[0.5 0.6\]"),
    ([[1.5, -0.5]], r"policy\[0\] is"),
    ([[np.nan, 1.0]], r"policy\[0, 0\] is nan"),
])  # fmt: skip
def test_a_policy_is_rows_of_probabilities(policy, message):
    for use in (acting, lambda p: eps_random(p, 0.1),
                lambda p: walk(STREET, p, 1, 1, rng())):
        with pytest.raises(ValueError, match=message):
            use(policy)


def test_a_walk_names_what_does_not_fit():
    policy = optimal(STREET)
    with pytest.raises(ValueError, match=r"policy has shape .* end in \(5, 2\)"):
        walk(STREET, optimal(RING), 1, 1, rng())
    with pytest.raises(ValueError, match="episodes is 0"):
        walk(STREET, policy, 0, 5, rng())
    with pytest.raises(ValueError, match="horizon is 0"):
        walk(STREET, policy, 5, 0, rng())
    with pytest.raises(ValueError, match="horizon is 3; the policy has 2 steps"):
        walk(STREET, [policy] * 2, 1, 3, rng())
    with pytest.raises(ValueError, match=r"start gives state 4 the chance 0.2"):
        walk(STREET.starting(np.full(5, 0.2)), policy, 1, 1, rng())


def test_a_state_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"states\[1\] is 5"):
        acting(optimal(STREET))(np.array([0, 5]))
