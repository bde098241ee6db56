"""Entropy, belief and networks: rewards inferred, against sums over all paths."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from imitlib import planning
from imitlib.demonstrations import Demonstrations
from imitlib.irl import bayesian, deep, likelihood, maxent
from imitlib.irl.causal_entropy import (
    causal_entropy_irl,
    dual,
    gradient_ascent,
    objective,
)
from imitlib.mdp import MDP
from imitlib.tabular_experts import walk
from worlds import random_world

S, A = 6, 3
ALMOST = {"rtol": 0, "atol": 1e-8}


def sampled(rng, episodes=3, steps=5):
    """Demonstrations that no policy could have made: any state follows any other."""
    return [(rng.integers(S, size=steps), rng.integers(A, size=steps))
            for _ in range(episodes)]


def world(rng, discount=0.9, **options) -> MDP:
    return random_world(rng, S, A, discount=discount, **options).mdp()


def grid(side) -> np.ndarray:
    """Successors (S, 5) of a square."""
    y, x = np.divmod(np.arange(side * side), side)
    return np.stack([np.clip(y + dy, 0, side - 1) * side + np.clip(x + dx, 0, side - 1)
                     for dy, dx in ((-1, 0), (0, 1), (1, 0), (0, -1), (0, 0))], axis=1)


# The likelihood -----------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [None, 7])
@pytest.mark.parametrize("discount", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("function", [objective, dual])
@pytest.mark.parametrize("kind", ["states", "pairs", "by state", "by action"])
def test_the_gradient_is_that_of_differences(function, discount, horizon, kind):
    rng = np.random.default_rng(0)
    mdp, demos = world(rng, discount), sampled(rng)
    features = {"by state": rng.normal(size=(S, 4)),
                "by action": rng.normal(size=(S, A, 4))}.get(kind, kind)  # fmt: skip
    k = likelihood.linear(mdp, features)[0]

    def f(w):
        return function(mdp, w, demos, features, temperature=0.7, l2=0.1, horizon=horizon)

    w = rng.normal(size=k)
    differences = [(f(w + e)[0] - f(w - e)[0]) / 2e-5 for e in 1e-5 * np.eye(k)]
    np.testing.assert_allclose(f(w)[1], differences, atol=2e-6)


def test_at_discount_one_a_story_with_an_end_needs_no_horizon():
    here = np.arange(S)  # wait, go on, or go back; the last state is the end
    ahead = np.stack([here, np.minimum(here + 1, S - 1), np.maximum(here - 1, 0)], axis=1)
    ahead[-1] = S - 1
    mdp = MDP(ahead, np.zeros((S, A)), 1.0, 0)
    true = -2 - np.sin(here)  # each step costs more than its choice is worth
    reward = np.where(here == S - 1, 0, true)[:, None].repeat(A, axis=1)
    hers = planning.soft_policy_iteration(mdp, reward=reward).policy
    with pytest.raises(ValueError, match="w makes it pay to wander"):
        causal_entropy_irl(mdp, policy=hers)
    begun = np.full(S, -3.0)
    found = causal_entropy_irl(mdp, policy=hers, w0=begun)
    np.testing.assert_allclose(found.policy[:-1], hers[:-1], atol=1e-5)
    assert found.converged

    def f(w):
        return objective(mdp, w, policy=hers)

    differences = [(f(begun + e)[0] - f(begun - e)[0]) / 2e-5 for e in 1e-5 * np.eye(S)]
    np.testing.assert_allclose(f(begun)[1], differences, atol=1e-6)


@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_the_value_is_the_log_likelihood_of_the_soft_policy(layout):
    rng = np.random.default_rng(2)
    mdp, demos = random_world(rng, S, A).mdp(layout), sampled(rng)
    w = rng.normal(size=S * A)
    policy = planning.soft_value_iteration(mdp, 0.7, reward=w.reshape(S, A)).policy
    by_hand = np.mean([np.log(policy[s, a]).sum() for s, a in demos])
    assert objective(mdp, w, demos, "pairs", temperature=0.7)[0] == pytest.approx(
        by_hand, abs=1e-8)
    steps = planning.soft_backward_induction(mdp, 9, 0.7, reward=w.reshape(S, A)).policy
    by_hand = np.mean([sum(np.log(steps[t, s[t], a[t]]) for t in range(5))
                       for s, a in demos])  # fmt: skip
    assert objective(mdp, w, demos, "pairs", temperature=0.7, horizon=9)[0] == (
        pytest.approx(by_hand, abs=1e-10))


def test_demonstrations_in_either_form_count_alike():
    rng = np.random.default_rng(3)
    mdp, pairs = world(rng), sampled(rng)
    states, actions = (np.concatenate(x) for x in zip(*pairs, strict=True))
    demos = Demonstrations(states, actions, np.repeat(range(3), 5))
    n = likelihood.count(mdp, demos, 6)
    np.testing.assert_array_equal(n, likelihood.count(mdp, pairs, 6))
    assert n.shape == (6, S, A) and not n[5].any() and n.sum() == pytest.approx(5)
    np.testing.assert_allclose(n.sum(axis=0), likelihood.count(mdp, demos))
    assert n[2, pairs[1][0][2], pairs[1][1][2]] >= 1 / 3


@pytest.mark.parametrize("horizon", [None, 8])
def test_for_an_occupancy_likelihood_and_dual_are_one(horizon):
    rng = np.random.default_rng(4)
    mdp = world(rng)
    policy = rng.dirichlet(np.ones(A), size=S)
    w = rng.normal(size=S * A)
    one, other = (f(mdp, w, policy=policy, features="pairs", horizon=horizon)
                  for f in (objective, dual))  # fmt: skip
    assert one[0] == pytest.approx(other[0])
    np.testing.assert_allclose(one[1], other[1], **ALMOST)
    # and the gradient is what was done minus what I would do
    reward = w.reshape(S, A)
    mine = (planning.soft_policy_iteration(mdp, reward=reward) if horizon is None else
            planning.soft_backward_induction(mdp, horizon, reward=reward)).policy
    hers, mine = (planning.occupancy(mdp, p, horizon=horizon) for p in (policy, mine))
    np.testing.assert_allclose(one[1], (hers - mine).ravel(), **ALMOST)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_shaping_moves_the_likelihood_nowhere_and_the_dual_by_the_missing_flow(seed):
    rng = np.random.default_rng(seed)
    mdp, demos = world(rng), sampled(rng)
    potential, w = rng.normal(size=S), rng.normal(size=S * A)
    shaping = (potential[:, None] - 0.9 * mdp.dense() @ potential).ravel()
    still, climbing = (f(mdp, w + 50 * shaping, demos, "pairs")[0]
                       - f(mdp, w, demos, "pairs")[0] for f in (objective, dual))
    assert still == pytest.approx(0, abs=1e-8)
    n = likelihood.count(mdp, demos)
    lacking = 0.9 * np.einsum("sa,sat->t", n, mdp.dense()) - n.sum(axis=1)
    assert climbing == pytest.approx(-50 * (mdp.start + lacking) @ potential, abs=1e-7)
    assert shaping @ objective(mdp, w, demos, "pairs")[1] == pytest.approx(0, abs=1e-9)


def test_the_dual_of_sampled_demonstrations_has_no_top_and_the_likelihood_one_at_zero():
    rng = np.random.default_rng(5)
    mdp, demos = world(rng), sampled(rng)
    n = likelihood.count(mdp, demos)
    gap = mdp.start + 0.9 * np.einsum("sa,sat->t", n, mdp.dense()) - n.sum(axis=1)
    up = (gap[:, None] - 0.9 * mdp.dense() @ gap).ravel()
    values = [dual(mdp, -t * up, demos, "pairs")[0] for t in (0, 10, 1000, 1e5)]
    assert (np.diff(values) > 1).all() and values[-1] > 1e4
    likely = [objective(mdp, w, demos, "pairs")[0]
              for w in 100 * rng.normal(size=(50, S * A))]  # fmt: skip
    assert max(likely) <= 0


# What is inferred ---------------------------------------------------------------------


@pytest.mark.parametrize("discount", [0.5, 0.9, 0.99])
def test_the_policy_comes_back(discount):
    rng = np.random.default_rng(6)
    mdp, features, w = world(rng, discount), rng.normal(size=(S, A, 4)), rng.normal(size=4)
    hers = planning.soft_policy_iteration(mdp, 0.5, reward=features @ w).policy
    found = causal_entropy_irl(mdp, policy=hers, features=features, temperature=0.5)
    np.testing.assert_allclose(found.policy, hers, atol=1e-6)
    np.testing.assert_allclose(found.w, w, atol=1e-4)
    np.testing.assert_allclose(found.reward, features @ found.w)
    assert found.converged and found.log_likelihood < 0
    shown = planning.occupancy(mdp, hers)
    again = causal_entropy_irl(mdp, occupancy=shown, features=features, temperature=0.5)
    np.testing.assert_allclose(again.w, found.w, atol=1e-5)


@pytest.mark.parametrize("discount", [0.8, 1.0])
def test_the_policy_of_each_step_comes_back(discount):
    rng = np.random.default_rng(7)
    mdp, features, w = world(rng, discount), rng.normal(size=(S, 4)), rng.normal(size=4)
    reward = np.repeat((features @ w)[:, None], A, axis=1)
    hers = planning.soft_backward_induction(mdp, 9, reward=reward).policy
    found = causal_entropy_irl(mdp, policy=hers, features=features, horizon=9)
    np.testing.assert_allclose(found.policy, hers, atol=1e-6)


def test_walks_that_are_cut_short_do_not_bias_the_likelihood():
    rng = np.random.default_rng(8)
    mdp, features, w = world(rng), rng.normal(size=(S, A, 4)), rng.normal(size=4)
    hers = planning.soft_policy_iteration(mdp, reward=features @ w).policy
    shown = planning.occupancy(mdp, hers, horizon=3)
    found = causal_entropy_irl(mdp, occupancy=shown, features=features)
    np.testing.assert_allclose(found.policy, hers, atol=1e-6)


def test_more_walks_bring_the_inferred_policy_nearer():
    rng = np.random.default_rng(9)
    mdp, features, w = world(rng), rng.normal(size=(S, A, 3)), rng.normal(size=3)
    hers = planning.soft_policy_iteration(mdp, reward=features @ w).policy
    demos = walk(mdp.with_reward(np.ones((S, A))), hers, 4000, 10, rng)
    errors = [np.abs(causal_entropy_irl(mdp, demos.first(n), features).policy - hers).max()
              for n in (40, 4000)]  # fmt: skip
    assert errors[1] < 0.01 and errors[1] < errors[0] / 3


def test_whoever_never_errs_leaves_the_weights_finite_by_a_penalty():
    rng = np.random.default_rng(10)
    mdp = world(rng)
    hers = planning.value_iteration(mdp).policy
    ends = [causal_entropy_irl(mdp, policy=hers, features="pairs", l2=l2)
            for l2 in (1e-2, 1e-4)]  # fmt: skip
    assert all(e.converged for e in ends)
    assert np.abs(ends[0].w).max() < np.abs(ends[1].w).max() < 100
    assert ends[0].log_likelihood < ends[1].log_likelihood < 0


def test_plain_steps_stay_orthogonal_to_shaping_and_arrive():
    rng = np.random.default_rng(11)
    mdp, demos = world(rng), sampled(rng)
    slow = gradient_ascent(mdp, demos, "pairs", step=0.5, steps=50, l2=0.05)
    shapings = (np.eye(S)[:, :, None] - 0.9 * np.moveaxis(mdp.dense(), -1, 0))
    shapings = shapings.reshape(S, -1)
    assert slow.path.shape == (51, S * A) and not slow.path[0].any()
    np.testing.assert_allclose(slow.path @ shapings.T, 0, atol=1e-9)
    likely = [objective(mdp, w, demos, "pairs", l2=0.05)[0] for w in slow.path]
    assert (np.diff(likely) > -1e-12).all()
    far = gradient_ascent(mdp, demos, "pairs", step=0.5, steps=2000, l2=0.05)
    quick = causal_entropy_irl(mdp, demos, "pairs", l2=0.05)
    np.testing.assert_allclose(far.w, quick.w, atol=1e-4)
    assert quick.path is None


@pytest.mark.parametrize("solver", [(0, 2000), (0, 0)])
def test_dense_sparse_and_iterated_solutions_agree(monkeypatch, solver):
    rng = np.random.default_rng(12)
    mdp, demos, w = world(rng, 0.99), sampled(rng), rng.normal(size=S)
    value, gradient = objective(mdp, w, demos)
    monkeypatch.setattr(likelihood, "DENSE", solver[0])
    monkeypatch.setattr(likelihood, "DIRECT", solver[1])
    again = objective(mdp, w, demos)
    assert again[0] == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(again[1], gradient, atol=1e-8)


def test_many_states_need_no_table_of_theirs_by_theirs():
    import tracemalloc

    rng, side = np.random.default_rng(13), 50
    mdp = MDP(grid(side), np.zeros(side * side), 0.9, np.full(side**2, side**-2.0))
    features, w = rng.normal(size=(side**2, 3)), np.array([0.3, -0.2, 0.1])
    reward = np.repeat((features @ w)[:, None], 5, axis=1)
    hers = planning.soft_value_iteration(mdp, reward=reward).policy
    tracemalloc.start()
    found = causal_entropy_irl(mdp, policy=hers, features=features, tol=1e-6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found.w, w, atol=1e-5)
    assert peak < 15e6 < 8 * side**4  # bytes; one dense matrix alone would be 50 MB


def test_an_iterated_solution_that_fails_is_solved_directly(monkeypatch):
    rng = np.random.default_rng(14)
    mdp, demos, w = world(rng), sampled(rng), rng.normal(size=S)
    right = objective(mdp, w, demos)[1]
    monkeypatch.setattr(likelihood, "DENSE", 0)
    monkeypatch.setattr(likelihood, "DIRECT", 0)
    monkeypatch.setattr(likelihood, "bicgstab", lambda a, b, **_: (0 * b, 0))
    np.testing.assert_allclose(objective(mdp, w, demos)[1], right, atol=1e-9)


WRONG = {
    "temperature": ({"temperature": 0}, "temperature is 0"),
    "negative": ({"temperature": -1.0}, "temperature is -1"),
    "l2": ({"l2": -0.1}, "l2 is -0.1"),
    "horizon": ({"horizon": 0}, "horizon is 0"),
    "short horizon": ({"horizon": 3}, "episode of 5 steps"),
    "empty": ({"demonstrations": []}, "demonstrations is empty"),
    "no steps": ({"demonstrations": [([], [])]}, r"demonstrations\[0\]"),
    "lengths": ({"demonstrations": [([0, 1], [0])]}, r"demonstrations\[0\]"),
    "states": ({"demonstrations": [([0, S], [0, 0])]}, "legal are 0 ... 5"),
    "actions": ({"demonstrations": [([0, 1], [0, A])]}, "legal are 0 ... 2"),
    "features": ({"features": np.ones((S + 1, 2))}, "features has shape"),
    "nan": ({"features": np.full((S, 2), np.nan)}, "features"),
    "word": ({"features": "tiles"}, "features is 'tiles'"),
    "w0": ({"w0": np.zeros(S + 1)}, "w0 has shape"),
    "nan w0": ({"w0": np.full(S, np.nan)}, "w0"),
    "two": ({"policy": np.full((S, A), 1 / A)}, "demonstrations, policy of"),
    "tol": ({"tol": 0.0}, "tol is 0.0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_argument(name):
    rng = np.random.default_rng(15)
    mdp = world(rng)
    change, words = WRONG[name]
    with pytest.raises((ValueError, TypeError), match=words):
        causal_entropy_irl(mdp, **({"demonstrations": sampled(rng)} | change))


def test_more_errors_name_the_argument():
    rng = np.random.default_rng(16)
    mdp = world(rng)
    for change, words in (
        ({}, "none of demonstrations"),
        ({"occupancy": np.ones((S, A + 1))}, "occupancy has shape"),
        ({"occupancy": np.zeros((S, A))}, "occupancy runs from 0 to 0"),
        ({"occupancy": np.ones((S, A)), "horizon": 4}, r"must be \(4, 6, 3\)"),
        ({"policy": np.ones((S, A))}, "policy"),
    ):
        with pytest.raises(ValueError, match=words):
            causal_entropy_irl(mdp, **change)
        with pytest.raises(ValueError):
            maxent.maxent_2008(mdp, **({"horizon": 4} | change | {"l2": -1}))
    with pytest.raises(ValueError, match="w has shape"):
        objective(mdp, np.zeros(3), sampled(rng))
    with pytest.raises(ValueError, match="step is 0"):
        gradient_ascent(mdp, sampled(rng), step=0)


# Entropy over paths -------------------------------------------------------------------


def all_paths(mdp, reward, horizon, temperature):
    """Every path with its unnormalised probability: states, actions, weight."""
    P, g = mdp.dense(), mdp.discount
    for states in product(range(mdp.n_states), repeat=horizon + 1):
        for actions in product(range(mdp.n_actions), repeat=horizon):
            weight = 1.0
            for t, (s, a) in enumerate(zip(states, actions, strict=False)):
                weight *= P[s, a, states[t + 1]]
                weight *= np.exp(g**t * reward[s, a] / temperature)
            if weight:
                yield states, actions, weight


@pytest.mark.parametrize("discount", [1.0, 0.8])
@pytest.mark.parametrize("certain", [True, False])
def test_paths_are_those_that_enumeration_gives(discount, certain):
    rng, horizon = np.random.default_rng(17), 3
    mdp = random_world(rng, 4, 2, discount=discount, certain=certain).mdp()
    reward = rng.normal(size=(4, 2))
    found = maxent.paths(mdp, reward, horizon, temperature=0.7)
    every = list(all_paths(mdp, reward, horizon, 0.7))
    Z = np.bincount([s[0] for s, _, _ in every], [w for *_, w in every])
    occupancy, final = np.zeros((4, 2)), np.zeros(4)
    steps = np.zeros((horizon, 4, 2))
    for states, actions, weight in every:
        chance = mdp.start[states[0]] * weight / Z[states[0]]
        final[states[-1]] += chance
        for t in range(horizon):
            occupancy[states[t], actions[t]] += discount**t * chance
            steps[t, states[t], actions[t]] += weight
    np.testing.assert_allclose(found.log_partition, np.log(Z), **ALMOST)
    np.testing.assert_allclose(found.occupancy, occupancy, **ALMOST)
    np.testing.assert_allclose(found.final, final, **ALMOST)
    met = steps.sum(axis=-1) > 0
    share = steps[met] / steps[met].sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(found.policy[met], share, **ALMOST)


def test_paths_and_causal_entropy_agree_where_nothing_is_left_to_chance():
    rng = np.random.default_rng(18)
    for certain, discount, same in ((True, 1.0, True), (True, 0.8, False),
                                    (False, 1.0, False)):  # fmt: skip
        mdp = world(rng, discount, certain=certain)
        reward = rng.normal(size=(S, A))
        gap = np.abs(maxent.paths(mdp, reward, 6).policy
                     - planning.soft_backward_induction(mdp, 6, reward=reward).policy)
        assert (gap.max() < 1e-12) == same and (same or gap.max() > 1e-3)


def test_the_lottery_on_paper():
    """Entropy over paths is hopeful: a prize of 3 with chance 0.2 beats 0.6 for certain."""
    ahead = np.zeros((5, 2, 5))
    ahead[0, 0, [1, 2]], ahead[0, 1, 3], ahead[1:, :, 4] = (0.2, 0.8), 1, 1
    mdp = MDP(ahead, np.array([0, 3.0, 0, 0.6, 0]), 1.0, 0)
    lottery = 0.2 * np.exp(3) + 0.8
    chance = maxent.paths(mdp, mdp.reward, 2).policy[0, 0, 0]
    assert chance == pytest.approx(lottery / (lottery + np.exp(0.6)))
    assert planning.soft_backward_induction(mdp, 2).policy[0, 0, 0] == pytest.approx(0.5)


def test_rewards_of_many_temperatures_neither_overflow_nor_vanish():
    mdp = MDP([[0, 1], [1, 0]], np.zeros(2), 1.0, 0)
    found = maxent.paths(mdp, np.array([0.0, 1e5]), 50)
    assert np.isfinite(found.log_partition).all()
    assert found.occupancy.sum() == pytest.approx(50)
    assert found.occupancy[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("certain", [True, False])
def test_maxent_finds_the_features_it_was_shown(certain):
    rng = np.random.default_rng(19)
    mdp, features = world(rng, 0.9, certain=certain), rng.normal(size=(S, A, 3))
    model = maxent.paths(mdp, features @ rng.normal(size=3), 5, temperature=0.7)
    found = maxent.maxent_2008(mdp, occupancy=model.occupancy, features=features,
                               horizon=5, temperature=0.7)
    again = maxent.paths(mdp, found.reward, 5, temperature=0.7)
    np.testing.assert_allclose(again.policy, model.policy, atol=1e-5)
    assert found.converged


def test_the_likelihood_of_paths_is_that_of_enumeration():
    rng, horizon = np.random.default_rng(20), 3
    mdp = random_world(rng, 4, 2, discount=0.9).mdp()
    demos = walk(mdp, np.full((4, 2), 0.5), 6, horizon, rng)
    features = rng.normal(size=(4, 2, 2))
    found = maxent.maxent_2008(mdp, demos, features, horizon=horizon, l2=0.3)

    def value(w):
        reward, total = features @ w, 0.0
        Z = np.zeros(4)
        for states, _, weight in all_paths(mdp, reward, horizon, 1.0):
            Z[states[0]] += weight
        for i in range(6):
            s, a = (x[demos.episodes == i] for x in (demos.observations, demos.actions))
            total += (0.9 ** np.arange(horizon) * reward[s, a]).sum() - np.log(Z[s[0]])
        return total / 6

    assert found.log_likelihood == pytest.approx(value(found.w), abs=1e-9)
    slopes = [(value(found.w + e) - value(found.w - e)) / 2e-5 for e in 1e-5 * np.eye(2)]
    np.testing.assert_allclose(slopes, 0.3 * found.w, atol=1e-5)


# Belief -------------------------------------------------------------------------------


def test_many_rewards_at_once_are_as_each_by_itself(monkeypatch):
    rng = np.random.default_rng(21)
    mdp, demos, rewards = world(rng), sampled(rng), rng.normal(size=(7, S, A))
    together = bayesian.log_likelihoods(mdp, rewards, demos, 0.5)
    for reward, value in zip(rewards, together, strict=True):
        q = planning.q_values(mdp, planning.value_iteration(mdp, reward=reward).values,
                              reward) / 0.5  # fmt: skip
        log_policy = q - np.log(np.exp(q).sum(axis=1, keepdims=True))
        assert value == pytest.approx(sum(log_policy[s, a].sum() for s, a in demos))
    monkeypatch.setattr(bayesian, "AT_ONCE", 2 * S * A)  # in parts of two
    np.testing.assert_allclose(
        bayesian.log_likelihoods(mdp, rewards, demos, 0.5), together)
    by_state = bayesian.log_likelihoods(mdp, rewards[:, :, 0], demos, 0.5)
    np.testing.assert_allclose(by_state, bayesian.log_likelihoods(
        mdp, np.repeat(rewards[:, :, :1], A, axis=2), demos, 0.5))


def test_the_posterior_is_bayes():
    rng = np.random.default_rng(22)
    mdp, demos, rewards = world(rng), sampled(rng), rng.normal(size=(4, S, A))
    prior = np.array([0.1, 0.2, 0.7, 0.0])
    belief = bayesian.posterior(mdp, rewards, demos, 0.5, prior=prior)
    weight = prior * np.exp(belief.log_likelihoods)
    np.testing.assert_allclose(belief.probabilities, weight / weight.sum())
    np.testing.assert_allclose(belief.mean, (weight @ rewards.reshape(4, -1)).reshape(
        S, A) / weight.sum())
    for wrong in (prior[:3], 2 * prior, np.array([1.5, -0.5, 0, 0])):
        with pytest.raises(ValueError, match="prior"):
            bayesian.posterior(mdp, rewards, demos, prior=wrong)
    with pytest.raises(ValueError, match="rewards has shape"):
        bayesian.posterior(mdp, rewards[..., :2], demos)


def test_planning_for_the_mean_reward_is_best_on_average():
    """Among all 81 policies of a world of four states, by enumeration."""
    rng = np.random.default_rng(23)
    mdp = random_world(rng, 4, 3).mdp()
    rewards, demos = rng.normal(size=(5, 4, 3)), [(np.arange(4), np.array([0, 2, 1, 0]))]
    belief = bayesian.posterior(mdp, rewards, demos)
    average = {}
    for actions in product(range(3), repeat=4):
        policy = np.eye(3)[list(actions)]
        average[actions] = belief.probabilities @ planning.expected_return(
            mdp, policy, reward=rewards)
    chosen = planning.value_iteration(mdp, reward=belief.mean).policy.argmax(axis=1)
    assert average[tuple(chosen)] == pytest.approx(max(average.values()))
    likeliest = rewards[belief.probabilities.argmax()]
    other = planning.value_iteration(mdp, reward=likeliest).policy.argmax(axis=1)
    assert average[tuple(other)] < max(average.values()) - 1e-3


@pytest.mark.parametrize("levels", [(-1.0, 0.0, 1.0), (0.0, 2.0)])
def test_the_walk_visits_rewards_as_often_as_they_are_likely(levels):
    rng = np.random.default_rng(24)
    mdp, demos, features = world(rng), sampled(rng, 2, 4), rng.normal(size=(S, 3))
    weights = np.array(list(product(levels, repeat=3)))
    log_prior = -0.5 * (weights**2).sum(axis=1)
    prior = np.exp(log_prior) / np.exp(log_prior).sum()
    belief = bayesian.posterior(mdp, weights @ features.T, demos, 2.0, prior=prior)
    chain = bayesian.mcmc(mdp, demos, features, levels=levels, temperature=2.0,
                          steps=60_000, rng=rng, log_prior=lambda w: -0.5 * w @ w)
    place = np.searchsorted(levels, chain.w) @ (len(levels) ** np.arange(2, -1, -1))
    visits = np.bincount(place, minlength=len(weights)) / len(place)
    assert np.abs(visits - belief.probabilities).sum() / 2 < 0.02
    assert np.abs(prior - belief.probabilities).sum() / 2 > 0.05  # it is not the prior
    assert chain.solved == len(weights) and 0.05 < chain.accepted < 1
    np.testing.assert_allclose(chain.mean, np.repeat(
        (features @ chain.w.mean(axis=0))[:, None], A, axis=1))


def test_a_walk_of_nonsense_is_refused():
    rng = np.random.default_rng(25)
    mdp, demos = world(rng), sampled(rng)
    for change, words in (({"levels": (1.0,)}, "levels is"), ({"steps": 0}, "steps is 0"),
                          ({"levels": (1.0, 0.0)}, "levels is"),
                          ({"temperature": 0}, "temperature is 0")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            bayesian.mcmc(mdp, demos, rng=rng, **change)


# Networks -----------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [None, 6])
@pytest.mark.parametrize("shape", [(S, 4), (S, A, 4)])
def test_the_gradient_through_a_network_is_that_of_differences(shape, horizon):
    rng = np.random.default_rng(26)
    mdp, demos, features = world(rng), sampled(rng), rng.normal(size=shape)
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
    problem = likelihood.Likelihood(mdp, demos, "pairs", occupancy=None, policy=None,
                                    temperature=0.7, l2=0.0, horizon=horizon)
    reward = network(torch.as_tensor(features))[..., 0]
    value, slope = deep._likelihood(problem, mdp, reward)
    reward.backward(slope)

    def by_itself():
        table = deep.reward_of(mdp, network, features)
        return objective(mdp, table.ravel(), demos, "pairs", temperature=0.7,
                         horizon=horizon)[0]  # fmt: skip

    assert value == pytest.approx(by_itself())
    for p in network.parameters():
        flat, mine = p.data.view(-1), p.grad.view(-1)
        for i in range(len(flat)):
            flat[i] += 1e-5
            above = by_itself()
            flat[i] -= 2e-5
            below = by_itself()
            flat[i] += 1e-5
            assert (above - below) / 2e-5 == pytest.approx(float(mine[i]), abs=1e-6)


def test_a_network_learns_what_no_linear_reward_can_say():
    """Two things good each by itself and bad together: exclusive or."""
    rng = np.random.default_rng(27)
    features = np.array(list(product((0.0, 1.0), repeat=2)))
    mdp = MDP(np.tile(np.arange(4), (4, 1)), np.zeros(4), 0.9, np.full(4, 0.25))
    good = np.logical_xor(*features.T.astype(bool)).astype(float)
    hers = planning.soft_policy_iteration(
        mdp, reward=np.repeat(2 * good[:, None], 4, axis=1)).policy
    line = causal_entropy_irl(mdp, policy=hers, features=features)
    net = deep.deep_irl(mdp, policy=hers, features=features, hidden=(8,), updates=200,
                        lr=0.05, rng=rng)  # fmt: skip
    assert np.abs(net.policy - hers).max() < 0.02 < 0.1 < np.abs(line.policy - hers).max()
    assert net.curve[-1] > net.curve[0] and net.log_likelihood > line.log_likelihood + 0.1
    np.testing.assert_allclose(net.reward, deep.reward_of(mdp, net.network, features))


def test_the_same_rng_gives_the_same_network_and_torchs_own_is_left_alone():
    rng = np.random.default_rng(28)
    mdp, demos = world(rng), sampled(rng)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    one, other = (deep.deep_irl(mdp, demos, updates=5, rng=np.random.default_rng(0))
                  for _ in range(2))  # fmt: skip
    np.testing.assert_array_equal(one.reward, other.reward)
    assert torch.equal(state, torch.random.get_rng_state())
    third = deep.deep_irl(mdp, demos, updates=5, network=one.network, rng=rng)
    assert third.network is one.network and third.curve[0] == pytest.approx(
        one.log_likelihood)


def test_the_room_hands_out_its_names_when_they_are_asked_for():
    from imitlib import irl

    for name in irl._LATER:
        if name in ("causal_entropy_irl", "objective", "dual", "gradient_ascent",
                    "maxent_2008", "paths", "log_likelihoods", "posterior", "mcmc",
                    "deep_irl"):  # fmt: skip
            assert callable(getattr(irl, name))
    assert sparse.issparse(world(np.random.default_rng(0)).matrix)
