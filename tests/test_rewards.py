"""Shaping, the cone and the distances, against closed forms and enumeration."""

import itertools

import numpy as np
import pytest

from imitlib import planning, rewards
from imitlib.irl.ng_russell import constraints
from imitlib.mdp import MDP
from imitlib.rewards import distances, shaping

THREE = (rewards.epic, rewards.dard, rewards.starc,
         lambda *a: rewards.starc(*a, form="levelled"))  # fmt: skip


def world(rng, states=5, actions=3, discount=0.8):
    chance = rng.dirichlet(np.full(states, 0.5), size=(states, actions))
    return MDP(chance, rng.normal(size=(states, actions)), discount,
               rng.dirichlet(np.ones(states)))  # fmt: skip


def soft_by_loops(chance, reward, discount, temperature):
    """Soft value iteration with nothing of the library in it."""
    values = np.zeros(len(reward))
    for _ in range(160):
        q = reward + discount * chance @ values
        values = temperature * np.log(np.exp(q / temperature).sum(axis=1))
    return values, np.exp((q - values[:, None]) / temperature)


@pytest.fixture(params=range(3))
def rng(request):
    return np.random.default_rng(request.param)


# Shaping -------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_every_member_of_the_family_has_the_same_policy_and_v_for_its_values(rng, temperature):
    mdp = world(rng)
    _, policy = soft_by_loops(mdp.dense(), mdp.reward, 0.8, temperature)
    for values in (np.zeros(5), *5 * rng.normal(size=(4, 5))):
        member = rewards.explaining_reward(mdp, policy, values, temperature)
        got, acts = soft_by_loops(mdp.dense(), member, 0.8, temperature)
        np.testing.assert_allclose(acts, policy, atol=1e-12)
        np.testing.assert_allclose(got, values, atol=1e-10)


def test_the_true_values_give_back_the_true_reward(rng):
    mdp = world(rng)
    values, policy = soft_by_loops(mdp.dense(), mdp.reward, 0.8, 0.7)
    found = rewards.explaining_reward(mdp, policy, values, 0.7)
    np.testing.assert_allclose(found, mdp.reward, atol=1e-10)
    np.testing.assert_array_equal(
        rewards.explaining_reward(mdp, policy, temperature=0.7), 0.7 * np.log(policy))  # fmt: skip


def test_shaping_adds_the_start_to_the_return_of_every_policy(rng):
    mdp, values = world(rng, states=3, actions=2), rng.normal(size=3)
    shaped = rewards.shape(mdp, None, values)
    for choice in itertools.product(range(2), repeat=3):
        policy = np.eye(2)[list(choice)]
        chain = np.einsum("sa,sat->st", policy, mdp.dense())

        def returns(reward, policy=policy, chain=chain):
            return np.linalg.solve(np.eye(3) - 0.8 * chain, (policy * reward).sum(axis=1))

        np.testing.assert_allclose(returns(shaped) - returns(mdp.reward), values, atol=1e-12)


def test_shaping_keeps_optimal_actions_and_shifts_q_by_v(rng):
    mdp, values = world(rng), rng.normal(size=5)
    plain = planning.value_iteration(mdp)
    shaped = planning.value_iteration(mdp, reward=rewards.shape(mdp, None, values))
    np.testing.assert_array_equal(plain.policy, shaped.policy)
    np.testing.assert_allclose(shaped.values, plain.values + values, atol=1e-8)


def test_what_is_no_shaping_changes_some_choice(rng):
    mdp = world(rng)
    plan = planning.soft_policy_iteration(mdp, 0.5)
    change = rng.normal(size=mdp.reward.shape)
    change -= rewards.shape(mdp, np.zeros(change.shape), rewards.shaping_part(mdp, change))
    other = planning.soft_policy_iteration(mdp, 0.5, reward=mdp.reward + 0.1 * change)
    assert np.abs(other.policy - plan.policy).max() > 1e-3


def test_on_transitions_it_is_shaping_in_every_world(rng):
    mdp, other, values = world(rng), world(rng), rng.normal(size=5)
    paid = rewards.shape_transitions(mdp, mdp.reward, values)
    for place in (mdp, other):
        np.testing.assert_allclose(
            place.with_reward(paid).reward, rewards.shape(place, mdp.reward, values),
            atol=1e-12)  # fmt: skip
    twice = rewards.shape_transitions(mdp, paid, values)
    np.testing.assert_allclose(twice, rewards.shape_transitions(mdp, mdp.reward, 2 * values))


def test_several_v_at_once_are_one_after_the_other(rng):
    mdp, values = world(rng), rng.normal(size=(4, 5))
    together = rewards.shape(mdp, None, values)
    for one, v in zip(together, values, strict=True):
        np.testing.assert_allclose(one, rewards.shape(mdp, None, v), atol=1e-13)


def test_directions_have_rank_s_and_no_occupancy_sees_them(rng):
    mdp = world(rng)
    directions = rewards.shaping_directions(mdp).toarray()
    assert np.linalg.matrix_rank(directions) == 5
    values = rng.normal(size=5)
    np.testing.assert_allclose(
        (directions @ values).reshape(5, 3), rewards.shape(mdp, np.zeros((5, 3)), values),
        atol=1e-13)  # fmt: skip
    for _ in range(3):
        policy = rng.dirichlet(np.ones(3), size=5)
        visits = planning.occupancy(mdp, policy)
        np.testing.assert_allclose(directions.T @ visits.ravel(), mdp.start, atol=1e-12)


def test_the_least_is_what_least_squares_leaves_and_the_same_for_all(rng):
    mdp = world(rng)
    rows = (np.repeat(np.eye(5), 3, axis=0) - 0.8 * mdp.dense().reshape(15, 5))
    fitted = np.linalg.lstsq(rows, mdp.reward.ravel(), rcond=None)[0]
    least = rewards.minimum_norm(mdp)
    np.testing.assert_allclose(least.ravel(), mdp.reward.ravel() - rows @ fitted, atol=1e-12)
    for values in rng.normal(size=(5, 5)):
        member = rewards.shape(mdp, None, values)
        np.testing.assert_allclose(rewards.minimum_norm(mdp, member), least, atol=1e-12)
        assert np.linalg.norm(least) < np.linalg.norm(member)


def test_a_table_of_successors_and_its_matrix_agree(rng):
    table = MDP(rng.integers(6, size=(6, 3)), rng.normal(size=(6, 3)), 0.9)
    for f in (rewards.minimum_norm, rewards.shaping_part,
              lambda m: rewards.shape(m, None, np.arange(6.0)),
              lambda m: rewards.shaping_directions(m).toarray()):  # fmt: skip
        np.testing.assert_allclose(f(table), f(table.as_matrix()), atol=1e-12)


# The cone ------------------------------------------------------------------------------

TRIANGLE = np.array([[1.0, -1.0], [0.0, 1.0]])  # x >= y >= 0, and x <= 1 by the box


def test_the_roomiest_ball_of_a_triangle():
    centre, radius = rewards.roomiest(TRIANGLE)
    inner = 1 - np.sqrt(0.5)  # of a right triangle with legs 1: (1 + 1 - √2) / 2
    assert radius == pytest.approx(inner)
    np.testing.assert_allclose(centre, [1 - inner, inner])


def test_hit_and_run_is_even_over_a_triangle():
    walk = rewards.hit_and_run(TRIANGLE, [0.7, 0.3], 4000, np.random.default_rng(0), thin=5)
    x, y = walk.T
    assert (x >= y).all() and (y >= 0).all() and (x <= 1).all()
    # density 2 on it: E x = 2/3, E y = 1/3, E x² = 1/2, E xy = 1/4
    np.testing.assert_allclose([x.mean(), y.mean(), (x**2).mean(), (x * y).mean()],
                               [2 / 3, 1 / 3, 1 / 2, 1 / 4], atol=0.015)  # fmt: skip
    assert (x < 0.5).mean() == pytest.approx(0.25, abs=0.025)


def test_the_box_can_be_larger():
    walk = rewards.hit_and_run(TRIANGLE, [0.7, 0.3], 500, np.random.default_rng(0), box=3.0)
    assert 1 < walk.max() <= 3
    assert rewards.roomiest(TRIANGLE, box=3.0)[1] == pytest.approx(3 * (1 - np.sqrt(0.5)))


def test_members_of_the_cone_make_the_policy_optimal_by_value_iteration(rng):
    mdp = world(rng).with_reward(rng.normal(size=5))
    policy = planning.value_iteration(mdp).policy
    rows = constraints(mdp, policy)
    start, radius = rewards.roomiest(rows)
    assert radius > 0
    for reward in rewards.hit_and_run(rows, start, 10, rng, thin=3):
        plan = planning.value_iteration(mdp, reward=np.repeat(reward[:, None], 3, axis=1))
        np.testing.assert_array_equal(plan.policy, policy)


def test_rows_that_are_only_rounding_are_no_walls():
    rows = np.vstack([TRIANGLE, [1e-17, -2e-17]])
    assert rewards.roomiest(rows)[1] == pytest.approx(1 - np.sqrt(0.5))
    assert len(rewards.hit_and_run(rows, [0.7, 0.3], 3, np.random.default_rng(0))) == 3


# Distances -----------------------------------------------------------------------------


def epic_by_loops(reward, discount):
    states, actions, _ = reward.shape
    out = np.empty(reward.shape)
    every = list(itertools.product(range(states), range(actions), range(states)))
    for s, a, t in every:
        terms = [discount * reward[t, b, v] - reward[s, b, v] - discount * reward[u, b, v]
                 for u, b, v in every]  # fmt: skip
        out[s, a, t] = reward[s, a, t] + np.mean(terms)
    return out


def dard_by_loops(chance, reward, discount):
    states, actions, _ = reward.shape
    out = np.empty(reward.shape)
    for s, a, t in itertools.product(range(states), range(actions), range(states)):
        total = 0.0
        for b, u, v in itertools.product(range(actions), range(states), range(states)):
            # u after s by b, v after t by b' (averaged), the two drawn apart
            onward = chance[t, :, v].mean()
            weight = chance[s, b, u] / actions
            total -= weight * onward * discount * reward[u, :, v].mean()
        for b, v in itertools.product(range(actions), range(states)):
            total += chance[t, b, v] / actions * discount * reward[t, b, v]
            total -= chance[s, b, v] / actions * reward[s, b, v]
        out[s, a, t] = reward[s, a, t] + total
    return out


def test_canonical_forms_by_enumeration(rng):
    mdp, reward = world(rng, 4, 2), rng.normal(size=(4, 2, 4))
    np.testing.assert_allclose(
        distances.epic_canonical(mdp, reward), epic_by_loops(reward, 0.8), atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(
        distances.dard_canonical(mdp, reward), dard_by_loops(mdp.dense(), reward, 0.8),
        atol=1e-12)  # fmt: skip


def test_canonical_forms_do_not_see_shaping(rng):
    mdp, reward, values = world(rng), rng.normal(size=(5, 3, 5)), rng.normal(size=5)
    shaped = rewards.shape_transitions(mdp, reward, values)
    for form in (distances.epic_canonical, distances.dard_canonical, distances.starc_canonical,
                 lambda m, r: distances.starc_canonical(m, r, "levelled")):  # fmt: skip
        np.testing.assert_allclose(form(mdp, shaped), form(mdp, reward), atol=1e-10)


@pytest.mark.parametrize("distance", THREE)
def test_laws_of_a_distance(rng, distance):
    mdp = world(rng)
    a, b, c = rng.normal(size=(3, 5, 3, 5))
    twin = 2.5 * rewards.shape_transitions(mdp, a, rng.normal(size=5)) + 0.7
    assert distance(mdp, a, twin) == pytest.approx(0, abs=1e-7)
    assert distance(mdp, a, -a) == pytest.approx(1)
    assert distance(mdp, a, b) == pytest.approx(distance(mdp, b, a))
    assert distance(mdp, twin, b) == pytest.approx(distance(mdp, a, b))
    assert distance(mdp, a, c) <= distance(mdp, a, b) + distance(mdp, b, c)
    assert distance(mdp, a, b) ** 2 + distance(mdp, a, -b) ** 2 == pytest.approx(1)


def test_epic_is_pearsons_correlation_of_the_forms(rng):
    mdp = world(rng, 4, 2)
    a, b = rng.normal(size=(2, 4, 2, 4))
    rho = np.corrcoef(epic_by_loops(a, 0.8).ravel(), epic_by_loops(b, 0.8).ravel())[0, 1]
    assert rewards.epic(mdp, a, b) == pytest.approx(np.sqrt((1 - rho) / 2))
    weights = rng.dirichlet(np.ones(32)).reshape(4, 2, 4)
    x, y = (epic_by_loops(r, 0.8) for r in (a, b))
    x, y = (r - (weights * r).sum() for r in (x, y))
    rho = (weights * x * y).sum() / np.sqrt((weights * x**2).sum() * (weights * y**2).sum())
    assert rewards.epic(mdp, a, b, weights) == pytest.approx(np.sqrt((1 - rho) / 2))


def test_starc_sees_expectations_alone_and_epic_does_not(rng):
    mdp = world(rng)
    reward, moved = rng.normal(size=(2, 5, 3, 5))
    moved -= (mdp.dense() * moved).sum(axis=2, keepdims=True)
    assert rewards.starc(mdp, reward, reward + moved) == pytest.approx(0, abs=1e-7)
    assert rewards.epic(mdp, reward, reward + moved) > 0.1


def test_two_rewards_without_anything_in_common_are_at_the_root_of_one_half():
    # bandits: at discount 0 shaping moves all actions of a state together
    mdp = MDP([[0, 0, 0, 0]], np.zeros((1, 4)), 0.0)
    a, b = np.array([[1.0, -1, 0, 0]]), np.array([[0.0, 0, 1, -1]])
    for distance in THREE:
        assert distance(mdp, a, b) == pytest.approx(np.sqrt(0.5))


def test_the_levelled_form_is_the_advantage_of_choosing_at_random(rng):
    mdp = world(rng)
    form = distances.starc_canonical(mdp, mdp.reward, "levelled")
    np.testing.assert_allclose(form.mean(axis=1), 0, atol=1e-12)
    gap = form - distances.starc_canonical(mdp, mdp.reward)
    np.testing.assert_allclose(rewards.minimum_norm(mdp, gap), 0, atol=1e-12)


def test_rewards_that_depend_on_less_pay_the_same_whatever_comes(rng):
    mdp, paid = world(rng), rng.normal(size=5)
    wide = np.broadcast_to(paid[:, None, None], (5, 3, 5))
    other = rng.normal(size=(5, 3))
    for distance in THREE:
        assert distance(mdp, paid, other) == pytest.approx(distance(mdp, wide, other))


# Bad input -----------------------------------------------------------------------------

PLAIN = world(np.random.default_rng(0))
EVEN = np.full((5, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rewards.shape(PLAIN, None, np.zeros(4)), r"values has shape \(4,\)"),
        (lambda: rewards.shape(PLAIN, np.zeros((5, 2)), np.zeros(5)), "reward has shape"),
        (lambda: rewards.shape(PLAIN, None, [0, 0, np.nan, 0, 0]), r"values\[2\] is nan"),
        (lambda: rewards.shape_transitions(PLAIN, np.zeros((5, 3)), np.zeros((2, 5))), "values"),
        (lambda: rewards.shape_transitions(PLAIN, np.zeros((5, 3, 4)), np.zeros(5)), "reward"),
        (lambda: rewards.explaining_reward(PLAIN, np.eye(5)[:, :3] + 0, np.zeros(5)), "policy"),
        (lambda: rewards.explaining_reward(PLAIN, np.tile([1.0, 0, 0], (5, 1))),
         r"policy\[0, 1\] is 0"),
        (lambda: rewards.explaining_reward(PLAIN, EVEN, temperature=0), "temperature is 0"),
        (lambda: rewards.shaping_part(PLAIN.with_discount(1.0)), "discount is 1"),
        (lambda: rewards.hit_and_run(TRIANGLE, [0.3, 0.7], 1, None), "start lies outside"),
        (lambda: rewards.hit_and_run(TRIANGLE, [0.3], 1, None), "start has shape"),
        (lambda: rewards.roomiest(np.zeros(3)), "rows has shape"),
        (lambda: rewards.epic(PLAIN, np.zeros((5, 3)), EVEN), "first is constant"),
        (lambda: rewards.epic(PLAIN, PLAIN.reward, np.ones(5)), "second is constant"),
        (lambda: rewards.epic(PLAIN, np.zeros(4), EVEN), "reward has shape"),
        (lambda: rewards.epic(PLAIN, PLAIN.reward, PLAIN.reward, np.zeros((5, 3, 5))), "coverage"),
        (lambda: rewards.dard(PLAIN, PLAIN.reward, PLAIN.reward, np.ones((5, 3))), "coverage"),
        (lambda: rewards.starc(PLAIN, rewards.shape(PLAIN, 0 * EVEN, np.arange(5.0)), EVEN),
         "first is nothing but shaping"),
        (lambda: rewards.starc(PLAIN, PLAIN.reward, PLAIN.reward, "flat"), "form is 'flat'"),
    ],
)  # fmt: skip
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_room_offers_what_it_says():
    assert set(shaping.__all__) | set(distances.__all__) <= set(rewards.__all__)
    assert all(callable(getattr(rewards, name)) for name in rewards.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rewards.nothing
