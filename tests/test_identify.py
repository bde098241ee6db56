"""What two worlds say about a reward, against theory and answers made another way.

Nothing here uses the library's matrices: shapings are built by loops, policies come from
another planner, and what is silent is counted on a derivative taken by differences.
"""

import numpy as np
import pytest

from imitlib.chapters.ch07 import exercises, gallery, sign, yards
from imitlib.envs.grid import GridWorld
from imitlib.mdp import MDP
from imitlib.planning import soft_value_iteration
from imitlib.rewards import identify
from imitlib.rewards.identify import (
    certificate,
    choose_second,
    misfit,
    recover,
    recover_unscaled,
    soft_policy,
)
from worlds import random_world


def centred(x):
    return x - np.mean(x)


def drawn(seed, n_states=5, n_actions=3, discount=0.9, n=2):
    rng = np.random.default_rng(seed)
    made = [random_world(rng, n_states, n_actions, discount, sparsity=0.3).mdp()
            for _ in range(n)]  # fmt: skip
    return made, rng.normal(size=(n_states, n_actions)), rng


def by_loops(world, values):
    """V(s) - γ Σ P V(s'), entry by entry."""
    P = world.dense()
    out = np.zeros(world.reward.shape)
    for s in range(world.n_states):
        for a in range(world.n_actions):
            out[s, a] = values[s]
            for ahead in range(world.n_states):
                out[s, a] -= world.discount * P[s, a, ahead] * values[ahead]
    return out


def pairs():
    """Worlds that settle everything, and worlds that do not."""
    (one, two), _, _ = drawn(3)
    road = yards.ring(6)
    return {
        "two worlds": ([one, two], 0),
        "two discounts": ([one, one.with_discount(0.4)], 0),
        "nothing changed": ([one, one], 4),
        "one world": ([one], 4),
        "a ring": ([road, road.with_discount(0.5)], 1),
        "an odd ring": ([yards.ring(5), yards.ring(5).with_discount(0.5)], 0),
        "a ring with works": ([yards.ring(6, True), yards.ring(6, True).with_discount(0)], 0),
        "three": ([road, road.with_discount(0.5), yards.relabelled(road, (1, 0))], 1),
    }


PAIRS = pairs()


def all_log_policies(worlds, rewards):
    """(..., S, A) -> (..., n·S·A)."""
    each = [soft_value_iteration(w, reward=rewards, tol=1e-12).policy for w in worlds]
    return np.log(np.concatenate([p.reshape(*rewards.shape[:-2], -1) for p in each], axis=-1))


@pytest.mark.parametrize("name", PAIRS)
def test_silent_is_what_the_derivative_of_behaviour_does_not_see(name):
    """The rank of d(log π)/dr, by central differences, is S·A less silent and a constant."""
    worlds, silent = PAIRS[name]
    shape, step = worlds[0].reward.shape, 1e-4
    reward = np.random.default_rng(8).normal(size=shape)
    changes = step * np.eye(reward.size).reshape(-1, *shape)
    up, down = (all_log_policies(worlds, reward + x) for x in (changes, -changes))
    columns = (up - down) / (2 * step)
    sizes = np.linalg.svd(columns, compute_uv=False)
    seen = int((sizes > 1e-5).sum())
    got = certificate(worlds)
    assert seen == reward.size - 1 - silent
    assert len(got.silent) == got.needed - got.rank == silent
    assert got.identifies == (silent == 0)
    assert got.needed == len(worlds) * shape[0] - 1
    assert np.isinf(got.gain) == (silent > 0)


@pytest.mark.parametrize("name", [n for n, (_, silent) in PAIRS.items() if silent])
def test_silent_rewards_are_orthonormal_free_of_constants_and_explain(name):
    worlds, silent = PAIRS[name]
    found = certificate(worlds).silent.reshape(silent, -1)
    np.testing.assert_allclose(found @ found.T, np.eye(silent), atol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-10)
    reward = np.random.default_rng(2).normal(size=worlds[0].reward.shape)
    for change in certificate(worlds).silent:
        before, after = (all_log_policies(worlds, r) for r in (reward, reward + 3 * change))
        np.testing.assert_allclose(after, before, atol=1e-9)


@pytest.mark.parametrize("case", exercises._silent_cases())
def test_the_exercise_counts_the_same(case):
    P, gamma, Q, delta = case
    worlds = [MDP(m, np.zeros(m.shape[:2]), g) for m, g in ((P, gamma), (Q, delta))]
    assert exercises.silent(*case) == len(certificate(worlds).silent)


def test_two_discounts_in_one_world_say_the_same_whichever_they_are():
    """Range [B1, -B2] is that of [E, P] for any two different discounts."""
    for name in ("two discounts", "a ring"):
        world = PAIRS[name][0][0]
        here = np.repeat(np.eye(world.n_states), world.n_actions, axis=0)
        plain = np.hstack([here, world.dense().reshape(len(here), -1)])
        for first, second in ((0.9, 0.5), (0.3, 0.0), (0.99, 0.98)):
            pair = [world.with_discount(first), world.with_discount(second)]
            assert certificate(pair).rank == np.linalg.matrix_rank(plain)
            both = np.hstack([plain, identify._stacked(pair)])
            assert np.linalg.matrix_rank(both, tol=1e-9) == np.linalg.matrix_rank(plain)


@pytest.mark.parametrize("changed", [0, 1, 3, 4, 7])
def test_each_changed_outcome_settles_one_direction(changed):
    rng = np.random.default_rng(4)
    P, Q = rng.dirichlet(np.ones(5), size=(2, 5, 3))
    mixed = P.copy().reshape(15, 5)
    rows = rng.permutation(15)[:changed]
    mixed[rows] = Q.reshape(15, 5)[rows]
    one, two = (MDP(m.reshape(5, 3, 5), np.zeros((5, 3)), 0.9) for m in (P, mixed))
    assert len(certificate([one, two]).silent) == max(4 - changed, 0)


def test_what_runs_by_itself_is_silent_under_any_two_mornings():
    rng = np.random.default_rng(5)
    weather = rng.dirichlet(np.ones(3), size=3)
    other = rng.dirichlet(np.ones(3), size=3)
    (one, two), _, _ = drawn(6, n_states=4)
    for pair in (
        [yards.weathered(one, weather), yards.weathered(two, weather)],
        [yards.weathered(one, weather), yards.weathered(two, other).with_discount(0.3)],
    ):
        assert len(certificate(pair).silent) == 2
    assert len(certificate([yards.weathered(one, weather, command=1),
                            yards.weathered(two, weather)]).silent) == 0  # fmt: skip


def test_the_gain_is_the_error_that_comes_of_errors():
    (one, two), _, rng = drawn(7)
    entries = one.reward.size
    columns = [[by_loops(w, v).ravel() for v in np.eye(5)] for w in (one, two)]
    B, C = (np.stack(c, axis=1) for c in columns)
    squares = []
    for _ in range(2000):
        x, y = rng.normal(size=(2, entries))
        v = np.linalg.lstsq(np.hstack([B, -C]), y - x, rcond=1e-10)[0]
        squares.append(np.var((x + B @ v[:5] + y + C @ v[5:]) / 2))
    assert certificate([one, two]).gain == pytest.approx(np.sqrt(np.mean(squares)), rel=0.04)


def test_sigma_is_the_second_smallest_singular_value():
    (one, two), _, _ = drawn(7)
    columns = [[by_loops(w, v).ravel() for v in np.eye(5)] for w in (one, two)]
    M = np.hstack([np.stack(columns[0], axis=1), -np.stack(columns[1], axis=1)])
    sizes = np.linalg.svd(M, compute_uv=False)
    assert sizes[-1] < 1e-12
    assert certificate([one, two]).sigma == pytest.approx(sizes[-2])
    assert certificate([one]).sigma == 0


# Reading the reward off -------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("heat", [1.0, (0.5, 2.0, 1.3)])
def test_the_reward_comes_back(n, heat):
    worlds, reward, _ = drawn(11, n=n)
    scale = np.broadcast_to(heat, 3)[:n]
    policies = [soft_value_iteration(w, t, reward=reward, tol=1e-13).policy
                for w, t in zip(worlds, scale, strict=True)]  # fmt: skip
    given = heat if np.ndim(heat) == 0 else scale
    got = recover(worlds, policies, given)
    np.testing.assert_allclose(got.reward, centred(reward), atol=1e-9)
    np.testing.assert_allclose(got.temperatures, scale)
    assert got.residual < 1e-9 and abs(got.reward.mean()) < 1e-12


def test_by_hand_in_two_rooms():
    """Two rooms, stay or go. At discount 0 the second morning is log π: she wants now."""
    world = MDP([[0, 1], [1, 0]], np.zeros((2, 2)), 0.5)
    reward = np.log([[2.0, 1.0], [3.0, 1.0]])
    pair = [world, world.with_discount(0.0)]
    now = soft_policy(pair[1], reward)
    np.testing.assert_allclose(now, [[2 / 3, 1 / 3], [3 / 4, 1 / 4]])
    got = recover(pair, [soft_policy(world, reward), now])
    np.testing.assert_allclose(got.reward, reward - reward.mean(), atol=1e-12)


def test_the_reward_of_the_exercise():
    for P, gamma, policy, Q, delta, other in exercises._reading_cases():
        pair = [MDP(m, np.zeros(policy.shape), g) for m, g in ((P, gamma), (Q, delta))]
        np.testing.assert_allclose(
            recover(pair, [policy, other]).reward,
            exercises.read_off(P, gamma, policy, Q, delta, other), atol=1e-8)  # fmt: skip


def test_where_the_certificate_says_no_one_explanation_is_given():
    worlds, _ = PAIRS["a ring"]
    reward = np.random.default_rng(0).normal(size=(6, 2))
    policies = [soft_policy(w, reward) for w in worlds]
    got = recover(worlds, policies)
    assert max(misfit(w, got.reward, p) for w, p in zip(worlds, policies, strict=True)) < 1e-10
    assert np.abs(got.reward - centred(reward)).max() > 1e-3


def test_estimates_that_disagree_leave_a_residual():
    (one, two), reward, rng = drawn(12)
    policies = [soft_policy(w, reward) for w in (one, two)]
    noisy = policies[0] * np.exp(0.1 * rng.normal(size=(5, 3)))
    noisy /= noisy.sum(axis=1, keepdims=True)
    got = recover([one, two], [noisy, policies[1]])
    assert got.residual > 1e-3
    # least squares: whatever is left is orthogonal to every shaping of either world
    first, second = (np.stack([by_loops(w, v).ravel() for v in np.eye(5)]) for w in (one, two))
    M = np.vstack([first, -second])
    right = np.log(policies[1]).ravel() - np.log(noisy).ravel()
    values = np.linalg.lstsq(M.T, right, rcond=1e-10)[0]
    assert got.residual == pytest.approx(np.abs(M.T @ values - right).max())


@pytest.mark.parametrize("n", [2, 3])
def test_weights_are_those_of_one_big_least_squares(n):
    """Unknown r and every V together, a row for each entry of each policy."""
    worlds, reward, rng = drawn(13, n=n)
    heat = np.array([1.0, 0.6, 1.5])[:n]
    policies = rng.dirichlet(np.ones(3), size=(n, 5))
    weights = rng.uniform(0.1, 5, size=(n, 5, 3))
    rows, right = [], []
    for i, world in enumerate(worlds):
        shapes = np.stack([by_loops(world, v).ravel() for v in np.eye(5)], axis=1)
        row = np.zeros((15, 15 + 5 * n))
        row[:, :15], row[:, 15 + 5 * i : 20 + 5 * i] = np.eye(15), -shapes
        root = np.sqrt(weights[i].ravel())
        rows.append(root[:, None] * row)
        right.append(root * heat[i] * np.log(policies[i]).ravel())
    best = np.linalg.lstsq(np.vstack(rows), np.concatenate(right), rcond=1e-10)[0][:15]
    got = recover(worlds, policies, heat, weights=weights)
    np.testing.assert_allclose(got.reward.ravel(), centred(best), atol=1e-8)
    plain = recover(worlds, policies, heat)
    same = recover(worlds, policies, heat, weights=np.full((n, 5, 3), 7.0))
    np.testing.assert_allclose(same.reward, plain.reward, atol=1e-9)
    assert np.abs(got.reward - plain.reward).max() > 1e-3


# Unknown temperatures ---------------------------------------------------------------


@pytest.mark.parametrize("n_actions", [2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_a_constant_and_one_ray_are_left(seed, n_actions):
    (one, two), reward, rng = drawn(20 + seed, n_actions=n_actions)
    heat = np.exp(rng.normal(size=2))
    for pair in ([one, two], [one, one.with_discount(0.2)]):
        policies = [soft_policy(w, reward, t) for w, t in zip(pair, heat, strict=True)]
        got, nullity = recover_unscaled(pair, policies)
        assert nullity == 2
        np.testing.assert_allclose(got.temperatures, [1, heat[1] / heat[0]], rtol=1e-8)
        np.testing.assert_allclose(got.reward, centred(reward) / heat[0], atol=1e-7)
        assert got.residual < 1e-9


def test_the_exception_is_a_reward_that_is_shaping_in_both():
    (one, two), reward, rng = drawn(30)
    u, v = rng.normal(size=(2, 5))
    both = by_loops(one, u) + by_loops(two, v)
    for special in (both, by_loops(one, u), np.full((5, 3), 2.0)):
        policies = [soft_policy(w, special, t) for w, t in ((one, 1.0), (two, 1.7))]
        assert recover_unscaled([one, two], policies)[1] == 3
    # of one world at two discounts these are all rewards of places
    places = u[:, None] + one.next_values(v)
    pair = [one, one.with_discount(0.3)]
    policies = [soft_policy(w, places, t) for w, t in zip(pair, (1.0, 1.7), strict=True)]
    assert recover_unscaled(pair, policies)[1] == 3
    policies = [soft_policy(w, places, t) for w, t in ((one, 1.0), (two, 1.7))]
    assert recover_unscaled([one, two], policies)[1] == 2


def test_a_third_discount_recovers_temperatures_even_of_places():
    (one, _), _, rng = drawn(31)
    places = rng.normal(size=5)[:, None] + one.next_values(rng.normal(size=5))
    trio, heat = [one, one.with_discount(0.5), one.with_discount(0.2)], (1.0, 1.7, 0.6)
    policies = [soft_policy(w, places, t) for w, t in zip(trio, heat, strict=True)]
    got, nullity = recover_unscaled(trio, policies)
    assert nullity == 2
    np.testing.assert_allclose(got.temperatures, heat, rtol=1e-7)


def test_three_unknown_discounts_show_when_any_is_wrong():
    (one, _), reward, rng = drawn(32)
    truth = (0.9, 0.5, 0.2)
    policies = [soft_policy(one.with_discount(g), reward) for g in truth]
    assert recover([one.with_discount(g) for g in truth], policies).residual < 1e-10
    for wrong in rng.uniform(0, 0.95, size=(10, 3)):
        held = [one.with_discount(g) for g in wrong]
        assert recover(held, policies).residual > 1e-3
        assert recover(held[:2], policies[:2]).residual < 1e-10  # two never show it


@pytest.mark.parametrize("heat", [0.7, -0.7, 2.0, -2.0])
def test_planners_of_either_sign_satisfy_the_soft_equation(heat):
    (one, _), reward, _ = drawn(33)
    policy = soft_policy(one, reward, heat)
    np.testing.assert_allclose(policy, sign.by_the_formula(one, reward, heat), atol=1e-10)
    now = soft_policy(one.with_discount(0.0), reward, heat)
    assert (np.argmax(now, axis=1) == np.argmax(reward * np.sign(heat), axis=1)).all()


# The next morning -------------------------------------------------------------------


def test_the_second_world_is_chosen_by_its_gain():
    first = yards.yard(side=3)
    others = [yards.ice(first, 0.1), first, yards.ice(first, 0.5), first.with_discount(0.85)]
    place, promises = choose_second(first, others)
    assert place == 2
    assert [p.identifies for p in promises] == [True, False, True, True]
    assert choose_second(first, [first, first])[0] == 0


# What it asks -----------------------------------------------------------------------


def asked(call):
    (one, two), reward, _ = drawn(40)
    policies = [soft_policy(w, reward) for w in (one, two)]
    return call(one, two, policies)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a, b, p: certificate([]), "worlds has 0"),
        (lambda a, b, p: certificate([a, yards.ring(5)]), r"worlds\[1\] has 5 states and 2"),
        (lambda a, b, p: certificate([a, b.with_discount(1.0)]), r"worlds\[1\] has discount 1"),
        (lambda a, b, p: recover([a], p[:1]), "give at least 2"),
        (lambda a, b, p: recover([a, b], p[:1]), "policies has 1 of them; there are 2"),
        (lambda a, b, p: recover([a, b], p, [1.0, 0.0]), r"temperatures\[1\] is 0"),
        (lambda a, b, p: recover([a, b], p, -1.0), r"temperatures\[0\] is -1"),
        (lambda a, b, p: recover([a, b], p, [1.0] * 3), "temperatures has shape"),
        (lambda a, b, p: recover([a, b], [p[0], np.eye(3)[[0, 1, 2, 0, 1]]]),
         r"policies\[1\]\[0, 1\] is 0"),
        (lambda a, b, p: recover([a, b], [p[0], p[1] / 2]), "sum to 1"),
        (lambda a, b, p: recover([a, b], p, weights=np.ones((5, 3))), "weights has shape"),
        (lambda a, b, p: recover([a, b], p, weights=np.zeros((2, 5, 3))), "least entry 0"),
        (lambda a, b, p: choose_second(a, []), "candidates is empty"),
        (lambda a, b, p: soft_policy(a, a.reward, 0.0), "temperature"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        asked(call)


# The worlds of the page -------------------------------------------------------------


def test_ice_is_the_grid_world_s_slip():
    ours = yards.ice(yards.yard(side=3), 0.3)
    theirs = GridWorld("...\n...\n...", slip=0.3, wait=True, start="anywhere").mdp(discount=0.9)
    np.testing.assert_allclose(ours.dense(), theirs.dense(), atol=1e-12)


def test_wind_ring_gate_and_sky():
    plain = yards.yard(side=3)
    blown = yards.wind(plain, 1, 0.25).dense()
    assert blown[0, 2, 1] == 0.25 and blown[0, 2, 3] == 0.75  # in the corner, going south
    np.testing.assert_array_equal(yards.ring(4).transitions, [[1, 3], [2, 0], [3, 1], [0, 2]])
    assert yards.ring(4, barrier=True).transitions[0, 1] == 0
    west, east = yards.gated(5, 0), yards.gated(5, 4)
    assert west.transitions[5, 2] == 10 and west.transitions[6, 2] == 6
    assert east.transitions[9, 2] == 14 and east.transitions[5, 2] == 5
    assert (west.transitions != east.transitions).sum() == gallery.GIVEN["gallery.moved"] == 4
    sky = yards.weathered(plain, [[0.8, 0.2], [0.3, 0.7]]).dense()
    np.testing.assert_allclose(sky[0, 1].reshape(9, 2).sum(axis=0), [0.8, 0.2])
    np.testing.assert_allclose(sky[1, 1].reshape(9, 2).sum(axis=1), plain.dense()[0, 1])
    ruled = yards.weathered(plain, [[0.8, 0.2], [0.3, 0.7]], command=4).dense()
    assert ruled[1, 4, 0] == 1
    fenced = yards.yard(np.random.default_rng(0), fences=1.0).transitions
    assert (fenced == np.arange(16)[:, None]).all()
