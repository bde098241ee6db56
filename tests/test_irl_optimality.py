"""Methods that take the expert to be optimal, against what must be true of them.

The oracles: value iteration for the cone, the closed form of two states, the linear
program over occupancies for the game, a general optimiser for the margin.
"""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from imitlib import irl, planning
from imitlib.demonstrations import Demonstrations
from imitlib.envs.grid import open_grid
from imitlib.envs.town import Town
from imitlib.irl.apprenticeship import best_policy
from imitlib.mdp import MDP
from imitlib.tabular_experts import optimal, walk

EVENTS = ("step", "garden", "warm", "cold", "cafe")


def world(seed, states=8, actions=3, k=4, discount=0.9):
    """A random world and features of its states."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(states, 0.3), (states, actions))
    mdp = MDP(chances, rng.normal(size=states), discount, rng.dirichlet(np.ones(states)))
    return mdp, rng.random((states, k)), rng


def a_policy(rng, mdp):
    return np.eye(mdp.n_actions)[rng.integers(mdp.n_actions, size=mdp.n_states)]


def street():
    """Loaf Street, small: no roadworks, so 62 states; what happens is the features."""
    town = Town("hana", door=2, roadworks=())
    features = np.stack([town.events[event] for event in EVENTS], axis=-1)
    return town.mdp(discount=0.95), features, np.array([-0.2, -8.0, 10.0, 4.0, 0.0])


# What a reward may speak of ---------------------------------------------------------


@pytest.mark.parametrize("by_action", [False, True])
def test_the_return_is_the_weights_times_the_feature_expectations(by_action):
    mdp, features, rng = world(0)
    if by_action:
        features = rng.normal(size=(8, 3, 4))
    w, policy = rng.normal(size=4), rng.dirichlet(np.ones(3), 8)
    reward = irl.as_reward(mdp, irl.reward_from(features, w))
    value = planning.expected_return(mdp, policy, reward=reward)
    assert w @ irl.expected_features(mdp, policy, features) == pytest.approx(value)
    soon = planning.expected_return(mdp, policy, reward=reward, horizon=7)
    assert w @ irl.expected_features(mdp, policy, features, 7) == pytest.approx(soon)


def test_a_demonstration_is_counted_with_its_discount():
    mdp = world(1, discount=0.5)[0]
    seen = irl.empirical_occupancy(mdp, [([3, 4, 3], [0, 1, 0]), ([4], [1])])
    expected = np.zeros((8, 3))
    expected[3, 0], expected[4, 1] = (1 + 0.25) / 2, (0.5 + 1) / 2
    np.testing.assert_allclose(seen, expected)
    same = Demonstrations(
        np.array([3, 4, 3, 4]), np.array([0, 1, 0, 1]), np.array([0, 0, 0, 1]))
    np.testing.assert_array_equal(irl.empirical_occupancy(mdp, same), seen)


def test_many_demonstrations_come_near_what_is_expected():
    mdp, features, rng = world(2)
    policy = rng.dirichlet(np.ones(3), 8)
    counted = irl.empirical_features(mdp, walk(mdp, policy, 4000, 120, rng), features)
    np.testing.assert_allclose(
        counted, irl.expected_features(mdp, policy, features), atol=0.05)


def test_without_features_each_state_has_its_own():
    mdp, _, rng = world(3)
    policy = a_policy(rng, mdp)
    np.testing.assert_allclose(
        irl.expected_features(mdp, policy), planning.occupancy(mdp, policy).sum(axis=1))


# The cone ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_inside_the_cone_the_policy_is_optimal_and_outside_it_is_not(seed):
    """Value iteration decides; it knows nothing of the matrix."""
    mdp, _, rng = world(seed, states=4, actions=2)
    policy = best_policy(mdp, rng.normal(size=4))
    rows = irl.constraints(mdp, policy)
    rewards = rng.normal(size=(200, 4))
    full = np.stack([irl.as_reward(mdp, reward) for reward in rewards])
    best = planning.value_iteration(mdp, reward=full).values
    own = planning.evaluate(mdp, policy, reward=full)
    optimal_for = np.abs(best - own).max(axis=1) < 1e-8
    np.testing.assert_array_equal((rewards @ rows.T).min(axis=1) >= -1e-9, optimal_for)
    assert [irl.explains(mdp, policy, reward) for reward in rewards] == list(optimal_for)
    assert 0 < optimal_for.sum() < 200


def test_the_cone_of_rewards_of_actions():
    mdp, _, rng = world(5, states=4, actions=2)
    policy = rng.dirichlet(np.ones(2), 4)
    rows = irl.constraints(mdp, policy, np.eye(8).reshape(4, 2, 8))
    for reward in rng.normal(size=(20, 4, 2)):
        values = planning.evaluate(mdp, policy, reward=reward)
        loses = values[:, None] - planning.q_values(mdp, values, reward)
        np.testing.assert_allclose((rows @ reward.ravel()).reshape(4, 2), loses)


def test_zero_explains_everything_and_the_explanations_are_a_cone():
    mdp, _, rng = world(6, states=6)
    one = rng.normal(size=6)
    policy = best_policy(mdp, one)
    assert irl.explains(mdp, policy, np.zeros(6))
    two = irl.linear_programming_irl(mdp, policy).reward
    assert np.abs(one - two).max() > 1e-3
    for mix in (one + two, 7 * one, 0.1 * two + 3 * one, one + 5):
        assert irl.explains(mdp, policy, mix)
    assert not irl.explains(mdp, policy, -one)


def test_two_places_by_hand():
    """Stay or go. She goes from A to B and stays: B pays at least as much as A."""
    mdp = MDP([[0, 1], [1, 0]], np.zeros(2), 0.5)
    policy = np.array([[0.0, 1.0], [1.0, 0.0]])
    rows = irl.constraints(mdp, policy)
    np.testing.assert_allclose(rows, [[-0.5, 0.5], [0, 0], [0, 0], [-0.5, 0.5]])
    found = irl.linear_programming_irl(mdp, policy)
    np.testing.assert_allclose(found.reward, [-1, 1])
    assert found.margin == pytest.approx(2)
    # a unit of weight buys half a unit of margin in each of the two states
    assert irl.linear_programming_irl(mdp, policy, l1=0.9).margin == pytest.approx(2)
    np.testing.assert_allclose(irl.linear_programming_irl(mdp, policy, l1=1.1).reward, 0)


def test_a_mixed_policy_is_explained_by_what_makes_its_actions_equal():
    mdp = MDP([[1, 2], [1, 1], [2, 2]], np.zeros(3), 0.9)
    mixed = np.array([[0.3, 0.7], [1, 0], [1, 0]])
    assert irl.explains(mdp, mixed, [5, 1, 1])
    assert not irl.explains(mdp, mixed, [5, 1, 1.1])


@pytest.mark.parametrize("seed", range(3))
def test_no_reward_of_the_cone_has_a_larger_margin(seed):
    mdp, features, rng = world(seed, k=3)
    policy = best_policy(mdp, features @ rng.normal(size=3))
    found = irl.linear_programming_irl(mdp, policy, features=features)
    assert irl.explains(mdp, policy, found.reward)
    np.testing.assert_allclose(found.reward, features @ found.w)
    rows = irl.constraints(mdp, policy, features).reshape(8, 3, 3)
    others = rows[policy == 0].reshape(8, 2, 3)
    tried = rng.uniform(-1, 1, (20_000, 3))
    loses = others @ tried.T
    margins = np.where((loses >= 0).all((0, 1)), loses.min(axis=1).sum(axis=0), -np.inf)
    assert 0 < margins.max() <= found.margin + 1e-9
    assert margins.max() > 0.7 * found.margin


def test_a_demand_is_met_or_refused():
    mdp, _, rng = world(7)
    policy = best_policy(mdp, rng.normal(size=8))
    rows = irl.constraints(mdp, policy)
    found = irl.linear_programming_irl(mdp, policy, demand=0.1)
    assert (rows @ found.reward)[(policy == 0).ravel()].min() >= 0.1 - 1e-9
    with pytest.raises(ValueError, match="demand is 50"):
        irl.linear_programming_irl(mdp, policy, demand=50)
    twins = MDP([[1, 1], [0, 0]], np.zeros(2), 0.9)  # both actions do the same
    with pytest.raises(ValueError, match="do the same"):
        irl.linear_programming_irl(twins, np.array([[1.0, 0], [1, 0]]), demand=1e-3)


# Apprenticeship ---------------------------------------------------------------------

BOTH = pytest.mark.parametrize("algorithm", [irl.projection, irl.max_margin])


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_the_mixture_comes_within_tol_and_never_moves_away(algorithm, seed):
    mdp, features, rng = world(seed)
    expert = rng.dirichlet(np.ones(3), 8)  # far from optimal, and matched all the same
    target = irl.expected_features(mdp, expert, features)
    found = algorithm(mdp, target, features, tol=0.02)
    assert found.distances[-1] <= 0.02 < found.distances[0]
    assert (np.diff(found.distances) <= 1e-12).all()
    assert found.weights.min() > 0 and found.weights.sum() == pytest.approx(1)
    mus = [irl.expected_features(mdp, p, features) for p in found.policies]
    np.testing.assert_allclose(found.weights @ mus, found.mu)
    single = found.policy(mdp)  # one policy instead of the mixture
    np.testing.assert_allclose(irl.expected_features(mdp, single, features), found.mu)
    for w in rng.normal(size=(50, 4)):
        gap = abs(w @ (found.mu - target))
        assert gap <= np.linalg.norm(w) * found.distances[-1] + 1e-12
        reward = irl.as_reward(mdp, features @ w)
        values = [planning.expected_return(mdp, p, reward=reward) for p in (single, expert)]
        assert abs(values[0] - values[1]) == pytest.approx(gap, abs=1e-8)


def test_a_step_of_the_projection_by_hand():
    """Two places, one feature each; the expert is halfway between two policies."""
    mdp = MDP([[0, 1], [0, 1]], np.zeros(2), 0.5, start=0)
    halfway = np.full((2, 2), 0.5)
    target = irl.expected_features(mdp, halfway)
    np.testing.assert_allclose(target, [1.5, 0.5])
    # the uniform policy is the expert here: nothing is left to do
    assert len(irl.projection(mdp, target).policies) == 1
    # from [1.5, .5], w = [-.5, .5] sends him to the second place for good: mu = [1, 1]
    found = irl.projection(mdp, [1.2, 0.8], max_iters=1, tol=1e-6)
    np.testing.assert_allclose(found.weights, [0.4, 0.6])
    np.testing.assert_allclose(found.mu, [1.2, 0.8])


def test_the_margin_is_the_one_of_the_primal_problem():
    """max over |w| <= 1 of min over i of w·(mu_E - mu_i), by a general optimiser."""
    mdp, features, rng = world(11)
    target = irl.expected_features(mdp, optimal(mdp), features)
    target = target + 0.3 * rng.normal(size=4)  # nobody can be as good as that
    for rounds in (1, 2, 4):
        found = irl.max_margin(mdp, target, features, max_iters=rounds, tol=1e-9)
        # all the policies so far, those of weight 0 too: run anew with the same rule
        mus = [irl.expected_features(mdp, np.full((8, 3), 1 / 3), features)]
        for earlier in range(rounds):
            w = irl.max_margin(mdp, target, features, max_iters=earlier or 1, tol=1e-9).w
            w = target - mus[0] if earlier == 0 else w
            mus.append(irl.expected_features(mdp, best_policy(mdp, features @ w), features))
        ahead = target - np.array(mus)
        start = np.append(found.w / np.linalg.norm(found.w), 0.0)
        primal = minimize(
            lambda x: -x[-1], start, method="SLSQP", options={"ftol": 1e-12},
            constraints=[
                {"type": "ineq", "fun": lambda x, a=ahead: a @ x[:-1] - x[-1]},
                {"type": "ineq", "fun": lambda x: 1 - x[:-1] @ x[:-1]}])
        assert primal.success
        assert found.distances[-1] == pytest.approx(primal.x[-1], rel=1e-5)


@BOTH
def test_an_expert_who_cannot_exist_is_approached_as_near_as_can_be(algorithm):
    mdp, features, _ = world(12)
    target = np.full(4, 1e3)
    found = algorithm(mdp, target, features, tol=1e-2, max_iters=3000)
    assert found.gap <= 1e-2

    # Frank and Wolfe's certificate, by a linear program over all occupancies
    along = found.w / np.linalg.norm(found.w)
    best = best_policy(mdp, features @ along)
    furthest = along @ irl.expected_features(mdp, best, features)
    assert along @ target - furthest >= found.distances[-1] - 1e-2 - 1e-6


@BOTH
def test_hana_is_matched_on_her_street(algorithm):
    mdp, features, w = street()
    hers = optimal(mdp)
    found = algorithm(mdp, irl.expected_features(mdp, hers, features), features)
    assert w @ found.mu == pytest.approx(planning.expected_return(mdp, hers), abs=0.02)


# The game ---------------------------------------------------------------------------


def value_of_the_game(mdp, features, target):
    """max over occupancies of min over features of (mu - mu_E), by a linear program."""
    k, size = len(target), mdp.reward.size
    moves = mdp.matrix.toarray()
    leaves = np.repeat(np.eye(mdp.n_states), mdp.n_actions, axis=0)
    flow = (leaves - mdp.discount * moves).T
    counted = np.repeat(features, mdp.n_actions, axis=0)
    found = linprog(
        np.append(np.zeros(size), -1.0),
        np.hstack([-counted.T, np.ones((k, 1))]), -target,
        np.hstack([flow, np.zeros((mdp.n_states, 1))]), mdp.start,
        bounds=[(0, None)] * size + [(None, None)])
    return -found.fun


@pytest.mark.parametrize("seed", range(3))
def test_the_game_comes_as_near_to_its_value_as_the_theory_says(seed):
    mdp, features, rng = world(seed)
    expert = rng.dirichlet(np.ones(3), 8)
    target = irl.expected_features(mdp, expert, features)
    value = value_of_the_game(mdp, features, target)
    assert value > 0.1  # she is beaten, whatever the weights are
    slacks = []
    for rounds in (20, 200):
        found = irl.mwal(mdp, target, features, rounds)
        assert value - found.slack <= found.value <= value + 1e-9 <= found.upper + 2e-9
        slacks.append(value - found.value)
        for w in rng.dirichlet(np.ones(4), 20):
            assert w @ (found.mu - target) >= found.value - 1e-9
    assert slacks[1] < slacks[0] / 1.5
    # and the mixture's value is what planning says
    reward = irl.as_reward(mdp, features[:, 2])
    worth = [planning.expected_return(mdp, p, reward=reward) for p in found.policies]
    assert np.mean(worth) == pytest.approx(found.mu[2])
    # the apprentice who matches has no such luck
    matched = irl.max_margin(mdp, target, features, tol=1e-6)
    assert (matched.mu - target).min() < 1e-5 < found.value


def test_nobody_beats_an_expert_who_is_best_for_some_weights():
    mdp, features, rng = world(4)
    w = rng.dirichlet(np.ones(4))
    target = irl.expected_features(mdp, best_policy(mdp, features @ w), features)
    found = irl.mwal(mdp, target, features, 150)
    assert -found.slack <= found.value <= 1e-9


# Bad input --------------------------------------------------------------------------

NAN = np.full(8, np.nan)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, f, p: irl.expected_features(m, p, f[:5]), ValueError, "features has shape"),
        (lambda m, f, p: irl.checked_features(m, f[:, :0]), ValueError, "k must be at least"),
        (lambda m, f, p: irl.checked_features(m, f * np.nan), ValueError, r"features\[0, 0\]"),
        (lambda m, f, p: irl.reward_from(f, np.ones(3)), ValueError, r"w has shape \(3,\)"),
        (lambda m, f, p: irl.as_reward(m, NAN), ValueError, r"reward\[0\] is nan"),
        (lambda m, f, p: irl.as_reward(m, np.ones(7)), ValueError, "reward has shape"),
        (lambda m, f, p: irl.explains(m, p, NAN), ValueError, r"reward\[0\] is nan"),
        (lambda m, f, p: irl.explains(m, p[:, :2], np.ones(8)), ValueError, "policy has shape"),
        (lambda m, f, p: irl.empirical_occupancy(m, []), ValueError, "demonstrations is empty"),
        (lambda m, f, p: irl.empirical_occupancy(m, [([], [])]), ValueError, r"\[0\] must be"),
        (lambda m, f, p: irl.empirical_occupancy(m, [([1, 2], [0])]), ValueError, "equally"),
        (lambda m, f, p: irl.empirical_occupancy(m, [([8], [0])]), ValueError, "states of dem"),
        (lambda m, f, p: irl.empirical_occupancy(m, [([0], [3])]), ValueError, "actions of dem"),
        (lambda m, f, p: irl.constraints(m.with_discount(1), p), ValueError, "discount is 1"),
        (lambda m, f, p: irl.linear_programming_irl(m, p, r_max=0), ValueError, "r_max is 0"),
        (lambda m, f, p: irl.linear_programming_irl(m, p, l1=-1), ValueError, "l1 is -1"),
        (lambda m, f, p: irl.linear_programming_irl(m, p, l1=np.nan), ValueError, "l1 is nan"),
        (lambda m, f, p: irl.linear_programming_irl(m, p[:7]), ValueError, "policy has shape"),
        (lambda m, f, p: irl.projection(m, np.ones(5), f), ValueError, "mu_expert has shape"),
        (lambda m, f, p: irl.projection(m, NAN[:4], f), ValueError, r"mu_expert\[0\] is nan"),
        (lambda m, f, p: irl.max_margin(m, np.ones(4), f, tol=0), ValueError, "tol is 0"),
        (lambda m, f, p: irl.projection(m, np.ones(4), f, max_iters=0), ValueError, "max_iters"),
        (lambda m, f, p: irl.mwal(m, np.ones(5), f), ValueError, "mu_expert has shape"),
        (lambda m, f, p: irl.mwal(m, np.ones(4), f, 0), ValueError, "rounds is 0"),
        (lambda m, f, p: irl.mwal(m.with_discount(1), np.ones(4), f), ValueError, "discount"),
    ],
)
def test_what_is_not_legal_is_named(call, error, message):
    mdp, features, rng = world(0)
    with pytest.raises(error, match=message):
        call(mdp, features, a_policy(rng, mdp))


def test_at_discount_one_the_street_can_be_matched_and_explained():
    """Ends are reached, so values are finite; only the written cone needs a discount."""
    world = open_grid(3)
    mdp = world.mdp(discount=1.0).with_reward(np.where(world.ending, 0.0, -1.0))
    hers = optimal(mdp)
    assert irl.explains(mdp, hers, np.where(world.ending, 0.0, -2.5))
    assert irl.expected_features(mdp, hers).sum() == pytest.approx(4)
