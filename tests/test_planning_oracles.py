"""Planning against answers that were found without it.

Every path one by one, every policy one by one, finite differences, linear programs,
closed forms of Puterman (1994) and Ziebart (2010), and the plain recursions of both.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from imitlib import planning
from imitlib.mdp import MDP
from worlds import (
    Plain,
    best_values,
    by_paths,
    discounted,
    entropy,
    gradient,
    hard_recursion,
    paths,
    proper_world,
    random_policy,
    random_world,
    soft_recursion,
    solved_occupancy,
    solved_values,
    stationary_choices,
    visits_recursion,
    worlds,
)

close = np.testing.assert_allclose


def tiny_worlds(discounts=(0.9,), n_states=3, n_actions=2):
    """Two worlds for each discount, a certain one and another."""
    for seed, discount in enumerate(discounts):
        for certain in (True, False):
            rng = np.random.default_rng([seed, certain])
            yield random_world(rng, n_states, n_actions, discount, certain), rng


# Path by path ------------------------------------------------------------------------


def test_following_a_policy_is_the_sum_over_its_paths():
    for horizon in (1, 2, 4):
        for w, rng in tiny_worlds((0.0, 0.5, 1.0)):
            policy = random_policy(rng, horizon, *w.shape)
            for layout in ("dense", "as_matrix"):
                world = w.mdp(layout)
                total, visits, here = by_paths(w, policy)
                close(planning.expected_return(world, policy, horizon=horizon), total)
                close(planning.occupancy(world, policy, horizon=horizon), visits,
                      atol=1e-14)
                close(planning.state_distributions(world, policy, horizon), here,
                      atol=1e-14)


def test_following_one_policy_for_all_steps_is_the_sum_over_its_paths():
    for w, rng in tiny_worlds((0.8, 1.0), n_states=4):
        policy = random_policy(rng, *w.shape)
        total, visits, here = by_paths(w, np.array([policy] * 3))
        world = w.mdp()
        close(planning.expected_return(world, policy, horizon=3), total)
        close(planning.occupancy(world, policy, horizon=3), visits, atol=1e-14)
        close(planning.state_distributions(world, policy, 3), here, atol=1e-14)


def test_values_by_step_are_returns_of_what_is_left():
    for w, rng in tiny_worlds((0.7, 1.0)):
        policy = random_policy(rng, 3, *w.shape)
        values = planning.evaluate(w.mdp(), policy, horizon=3)
        assert values.shape == (3, 3)
        for t in range(3):
            for s in range(3):
                there = Plain(w.P, w.r, w.discount, np.eye(3)[s])
                assert values[t, s] == pytest.approx(by_paths(there, policy[t:])[0])


def test_the_best_plan_of_some_steps_is_the_best_of_all_of_them():
    # every deterministic policy that may depend on the step, by brute force: 2^6 of them
    for w, _ in tiny_worlds((0.0, 0.9, 1.0), n_states=2):
        table = list(paths(w, 3))
        gains = [chance * discounted(w, s, a) for s, a, chance in table]
        best = -np.inf
        for choice in np.ndindex(*[2] * 6):
            act = np.reshape(choice, (3, 2))
            best = max(best, sum(
                g for (s, a, _), g in zip(table, gains)
                if all(act[t, s[t]] == a[t] for t in range(3))))
        plan = planning.backward_induction(w.mdp(), 3)
        assert plan.values[0] @ w.start == pytest.approx(best)
        assert planning.expected_return(
            w.mdp(), plan.policy, horizon=3) == pytest.approx(best)


def test_in_a_certain_world_paths_are_as_likely_as_exp_of_their_return():
    for temperature in (0.5, 1.0, 3.0):
        for seed in range(3):
            w = random_world(np.random.default_rng(seed), 3, 2, 1.0, certain=True)
            w = Plain(w.P, w.r, 1.0, np.eye(3)[seed])
            found = list(paths(w, 4))
            energy = np.array([discounted(w, s, a) / temperature for s, a, _ in found])
            chance = np.exp(energy) / np.exp(energy).sum()
            plan = planning.soft_backward_induction(w.mdp(), 4, temperature)
            taken = [np.prod([plan.policy[t, s[t], a[t]] for t in range(4)])
                     for s, a, _ in found]
            close(taken, chance, rtol=1e-10)
            partition = temperature * np.log(np.exp(energy).sum())
            assert plan.values[0, seed] == pytest.approx(partition)


def test_soft_plans_maximise_return_and_causal_entropy():
    # the objective is summed over paths and climbed by a method that knows nothing of it
    for seed, discount in enumerate((1.0, 0.8)):
        rng = np.random.default_rng(seed)
        w, temperature = random_world(rng, 2, 2, discount), 0.7
        table = list(paths(w, 3))

        def objective(logits, w=w, table=table, temperature=temperature):
            go = 1 / (1 + np.exp(-np.reshape(logits, (3, 2))))
            policy = np.stack([1 - go, go], axis=-1)
            total = 0
            for states, actions, chance in table:
                taken = [policy[t, s, a] for t, (s, a) in enumerate(zip(states, actions))]
                nats = sum(w.discount**t * -np.log(p) for t, p in enumerate(taken))
                total += chance * np.prod(taken) * (
                    discounted(w, states, actions) + temperature * nats)
            return -total

        climbed = minimize(objective, np.zeros(6), tol=1e-12)
        plan = planning.soft_backward_induction(w.mdp(), 3, temperature)
        assert plan.values[0] @ w.start == pytest.approx(-climbed.fun, abs=1e-7)
        chosen = np.log(plan.policy[..., 1] / plan.policy[..., 0])
        assert -objective(chosen) == pytest.approx(plan.values[0] @ w.start, abs=1e-10)


def test_soft_plans_without_end_maximise_return_and_causal_entropy():
    rng = np.random.default_rng(8)
    w, temperature = random_world(rng, 3, 2, 0.7), 1.3

    def objective(logits):
        go = 1 / (1 + np.exp(-logits))
        policy = np.stack([1 - go, go], axis=-1)
        return -w.start @ solved_values(w, policy, temperature * entropy(policy))

    climbed = minimize(objective, np.zeros(3), tol=1e-12)
    for plan in (planning.soft_value_iteration(w.mdp(), temperature),
                 planning.soft_policy_iteration(w.mdp(), temperature)):
        assert plan.values @ w.start == pytest.approx(-climbed.fun, abs=1e-8)
        close(plan.policy[:, 1], 1 / (1 + np.exp(-climbed.x)), atol=1e-4)


# Plain recursions --------------------------------------------------------------------


@given(worlds(discounts=st.sampled_from([0.0, 0.5, 0.9, 1.0])),
       st.integers(1, 6), st.sampled_from([0.3, 1.0, 4.0]))
@settings(max_examples=60)
def test_plans_of_some_steps_are_the_published_recursions(w, horizon, temperature):
    for layout in w.layouts[-2:]:
        world = w.mdp(layout)
        values, policy = soft_recursion(w, horizon, temperature)
        plan = planning.soft_backward_induction(world, horizon, temperature)
        close(plan.values, values, atol=1e-11)
        close(plan.policy, policy, atol=1e-11)
        here, visits = visits_recursion(w, policy)
        close(planning.state_distributions(world, policy, horizon), here, atol=1e-12)
        close(planning.occupancy(world, policy, horizon=horizon), visits, atol=1e-12)
        values, q = hard_recursion(w, horizon)
        plan = planning.backward_induction(world, horizon)
        close(plan.values, values, atol=1e-12)
        assert np.isin(plan.policy, [0, 1]).all() and (plan.policy.sum(axis=-1) == 1).all()
        close((plan.policy * q).sum(axis=-1), values, atol=1e-8)
        assert plan.sweeps == horizon and plan.bound == 0


def test_undiscounted_plans_are_the_leading_library_s_where_it_is_right():
    # imitation's mce_partition_fh and mce_occupancy_measures, written from the equations:
    # reward by state; V_t = logsumexp_a Q_t, Q_t = r + P V_{t+1}, Q_{H-1} = r;
    # D_0 = mu, D_{t+1} = sum_{s,a} D_t pi_t P; what is compared are its first H rows.
    rng = np.random.default_rng(3)
    w, horizon = random_world(rng, 6, 3, 1.0), 8
    r = rng.normal(size=6)
    Q = np.broadcast_to(r[:, None], (6, 3))
    policy, values = [], []
    for _ in range(horizon):
        V = np.log(np.exp(Q).sum(axis=1))
        values.insert(0, V)
        policy.insert(0, np.exp(Q - V[:, None]))
        Q = r[:, None] + np.einsum("sap,p->sa", w.P, V)
    D = [w.start]
    for pi in policy[:-1]:
        D.append(np.einsum("s,sa,sap->p", D[-1], pi, w.P))
    world = w.mdp().with_reward(r)
    plan = planning.soft_backward_induction(world, horizon)
    close(plan.values, values)
    close(plan.policy, policy)
    close(planning.state_distributions(world, plan.policy, horizon), D)
    occupancy = planning.occupancy(world, plan.policy, horizon=horizon)
    close(occupancy.sum(axis=1), np.sum(D, axis=0))
    assert occupancy.sum() == pytest.approx(horizon)


# Finite differences ------------------------------------------------------------------


def test_the_slope_of_soft_values_is_the_occupancy_of_their_policy():
    # what the leading library gets wrong: at discount .9, and with H terms, not H + 1
    for w, _ in tiny_worlds((0.0, 0.5, 0.9, 1.0), n_states=4):
        world = w.mdp()
        for horizon in (1, 3, 6):
            for temperature in (0.5, 2.0):

                def soft(r, world=world, horizon=horizon, temperature=temperature):
                    plan = planning.soft_backward_induction(
                        world, horizon, temperature, reward=r)
                    return plan.values[0] @ world.start

                plan = planning.soft_backward_induction(world, horizon, temperature)
                visits = planning.occupancy(world, plan.policy, horizon=horizon)
                close(visits, gradient(soft, w.r), atol=1e-8)
                assert visits.sum() == pytest.approx(w.discount ** np.arange(horizon) @
                                                     np.ones(horizon))


def test_the_slope_of_soft_values_without_end_is_the_occupancy():
    for w, _ in tiny_worlds((0.0, 0.5, 0.9)):
        world = w.mdp()
        plan = planning.soft_value_iteration(world, 0.8)

        def soft(r, world=world):
            return planning.soft_value_iteration(
                world, 0.8, reward=r, tol=1e-12).values @ world.start

        visits = planning.occupancy(world, plan.policy)
        close(visits, gradient(soft, w.r, 1e-4), atol=1e-6)
        assert visits.sum() == pytest.approx(1 / (1 - w.discount))


def test_the_slope_of_soft_values_at_discount_1_counts_steps_before_the_end():
    w = proper_world(np.random.default_rng(1), 4, 2)
    world = w.mdp()

    def soft(inner):
        r = np.vstack([inner, np.zeros((1, 2))])
        return planning.soft_value_iteration(world, 0.6, reward=r).values @ w.start

    plan = planning.soft_value_iteration(world, 0.6)
    visits = planning.occupancy(world, plan.policy)
    close(visits[:-1], gradient(soft, w.r[:-1]), atol=1e-8)
    assert (visits[-1] == 0).all()


def test_the_slope_of_optimal_values_is_the_occupancy_of_the_optimal_policy():
    for w, _ in tiny_worlds((0.0, 0.5, 0.9)):
        world = w.mdp()
        for solve in (planning.value_iteration, planning.modified_policy_iteration):

            def hard(r, world=world, solve=solve):
                return solve(world, reward=r, tol=1e-12).values @ world.start

            visits = planning.occupancy(world, solve(world).policy)
            close(visits, gradient(hard, w.r, 1e-4), atol=1e-6)

        def timed(r, world=world):
            return planning.backward_induction(world, 4, reward=r).values[0] @ world.start

        plan = planning.backward_induction(world, 4)
        visits = planning.occupancy(world, plan.policy, horizon=4)
        close(visits, gradient(timed, w.r, 1e-4), atol=1e-8)


# Linear algebra and linear programs ---------------------------------------------------


def test_following_for_ever_is_a_dense_solve():
    for w, rng in tiny_worlds((0.0, 0.5, 0.99), n_states=7, n_actions=3):
        for policy in (random_policy(rng, 7, 3), np.eye(3)[rng.integers(3, size=7)]):
            before = policy.copy()
            for layout in w.layouts:
                world = w.mdp(layout)
                values, visits = solved_values(w, policy), solved_occupancy(w, policy)
                close(planning.evaluate(world, policy), values)
                close(planning.occupancy(world, policy), visits, atol=1e-12)
                total = planning.expected_return(world, policy)
                assert total == pytest.approx(w.start @ values)
                assert total == pytest.approx((visits * w.r).sum())
            assert (policy == before).all()


@given(worlds(), st.integers(0, 99))
@settings(max_examples=40)
def test_following_for_ever_is_a_dense_solve_in_any_small_world(w, seed):
    policy = random_policy(np.random.default_rng(seed), *w.shape)
    for layout in w.layouts:
        values = planning.evaluate(w.mdp(layout), policy)
        close(values, solved_values(w, policy), atol=1e-12)
        visits = planning.occupancy(w.mdp(layout), policy)
        close(visits, solved_occupancy(w, policy), atol=1e-12)
        assert visits.sum() == pytest.approx(1 / (1 - w.discount))


@given(worlds())
@settings(max_examples=60)
def test_the_best_plan_without_end_is_the_best_of_all_policies(w):
    best = best_values(w)
    for layout in w.layouts[-2:]:
        for solve in (planning.value_iteration, planning.modified_policy_iteration):
            for tol in (1e-2, 1e-6, 1e-10):
                plan = solve(w.mdp(layout), tol=tol)
                error = np.abs(plan.values - best).max()
                assert error <= plan.bound + 1e-12 and plan.bound <= tol + 1e-12
            close(solved_values(w, plan.policy), best, atol=1e-7)
            assert plan.sweeps >= 1


def test_optimal_values_solve_the_linear_program_and_occupancies_its_dual():
    # primal: least mu.V with V >= r + discount P V; dual: most d.r over the flows
    for seed in range(3):
        rng = np.random.default_rng(seed)
        w = random_world(rng, 6, 3, 0.9)
        w = Plain(w.P, w.r, 0.9, np.full(6, 1 / 6))
        flow = np.repeat(np.eye(6), 3, axis=0) - 0.9 * w.P.reshape(-1, 6)
        primal = linprog(w.start, -flow, -w.r.ravel(), bounds=(None, None))
        dual = linprog(-w.r.ravel(), A_eq=flow.T, b_eq=w.start)
        for solve in (planning.value_iteration, planning.modified_policy_iteration):
            plan = solve(w.mdp())
            close(plan.values, primal.x, atol=1e-7)
            close(planning.occupancy(w.mdp(), plan.policy).ravel(), dual.x, atol=1e-7)


@given(worlds(), st.sampled_from([0.2, 1.0, 5.0]))
@settings(max_examples=60)
def test_soft_plans_without_end_solve_the_soft_equation(w, temperature):
    # contraction: an error of e in the equation is one of at most e / (1 - discount)
    for layout in w.layouts[-2:]:
        newton = planning.soft_policy_iteration(w.mdp(layout), temperature)
        for tol in (1e-3, 1e-10):
            plan = planning.soft_value_iteration(w.mdp(layout), temperature, tol=tol)
            assert np.abs(plan.values - newton.values).max() <= plan.bound + 1e-11
            assert plan.bound <= tol + 1e-12
            q = planning.q_values(w.mdp(layout), plan.values) / temperature
            z = np.exp(q - q.max(axis=1, keepdims=True))
            close(plan.policy, z / z.sum(axis=1, keepdims=True), atol=1e-12)
        for found, slack in ((newton, 1e-11), (plan, 1e-9)):
            q = w.r + w.discount * np.einsum("sap,p->sa", w.P, found.values)
            top = q.max(axis=1, keepdims=True)
            z = np.exp((q - top) / temperature)
            close(found.values, top[:, 0] + temperature * np.log(z.sum(axis=1)), atol=slack)
            close(found.policy, z / z.sum(axis=1, keepdims=True), atol=1e-8)
        nats = entropy(newton.policy)
        close(newton.values, solved_values(w, newton.policy, temperature * nats), atol=1e-9)



# Closed forms ------------------------------------------------------------------------


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.9, 0.95])
def test_puterman_s_example_of_two_states(discount):
    # Puterman (1994), 3.1: in s1 the action a11 pays 5 and stays half the time; a12 pays
    # 10 and leaves; s2 costs 1 for ever. v(s2) = -1/(1-g). In s1 the two actions give
    # (5 + g v2 / 2) / (1 - g / 2) and 10 + g v2: the first is better for g > 10/11.
    P = [[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]]
    world = MDP(P, [[5, 10], [-1, -1]], discount)
    down = -1 / (1 - discount)
    stay = (5 + discount / 2 * down) / (1 - discount / 2)
    leave = 10 + discount * down
    assert (stay > leave) == (discount > 10 / 11)
    for solve in (planning.value_iteration, planning.modified_policy_iteration):
        plan = solve(world)
        close(plan.values, [max(stay, leave), down], atol=1e-9)
        assert plan.policy[0].tolist() == ([1, 0] if stay > leave else [0, 1])
    close(planning.evaluate(world, [[1, 0], [1, 0]]), [stay, down])
    close(planning.evaluate(world, [[0, 1], [0, 1]]), [leave, down])
    if discount == 0.95:  # as published, section 6.2: -8.571 and -20
        close(plan.values, [-8.571, -20], atol=1e-3)


def test_puterman_s_example_of_two_states_backwards():
    P = [[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]]
    plan = planning.backward_induction(MDP(P, [[5, 10], [-1, -1]], 1.0), 4)
    # by hand from the end, at discount 1: v1 <- max(5 + (v1 + v2) / 2, 10 + v2)
    close(plan.values[:, 0], [7.875, 8.75, 9.5, 10], atol=1e-12)
    close(plan.values[:, 1], [-4, -3, -2, -1])
    assert plan.policy[:, 0, 1].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("discount", [0.0, 0.9])
def test_a_bandit_in_closed_form(temperature, discount):
    r = np.array([[0.0, 1.0, -2.0]])
    arms = MDP([[0, 0, 0]], r, discount)
    once = temperature * np.log(np.exp(r / temperature).sum())
    chance = np.exp(r / temperature) / np.exp(r / temperature).sum()
    for plan in (planning.soft_value_iteration(arms, temperature),
                 planning.soft_policy_iteration(arms, temperature)):
        close(plan.values, [once / (1 - discount)])
        close(plan.policy, chance, atol=1e-12)
    plan = planning.soft_backward_induction(arms, 3, temperature)
    close(plan.values[:, 0], [once * (1 + discount + discount**2), once * (1 + discount),
                              once])
    close(plan.policy, [chance] * 3)


def corridor(length, cost, discount=1.0):
    """Cells in a row; on (action 0) or stay (action 1), at `cost`; the last ends it."""
    cells = np.arange(length + 1)
    onwards = np.stack([np.minimum(cells + 1, length), cells], axis=1)
    r = np.full((length + 1, 2), -cost)
    r[-1] = 0
    return MDP(onwards, r, discount)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_a_corridor_in_closed_form(temperature):
    # at discount 1, z = e^(V / T): z_k = e^(-c/T) (z_(k+1) + z_k), so each cell left
    # multiplies z by q / (1 - q), q = e^(-c/T): the sum over all ways to dawdle
    cost, length = 2.0, 4
    q = np.exp(-cost / temperature)
    left = np.arange(length, -1, -1)
    world = corridor(length, cost)
    for plan in (planning.soft_value_iteration(world, temperature),
                 planning.soft_policy_iteration(world, temperature)):
        close(plan.values, temperature * left * np.log(q / (1 - q)), atol=1e-8)
        close(plan.policy[:-1], [[1 - q, q]] * length, atol=1e-8)
        close(plan.policy.sum(axis=1), 1)
        # dawdling is geometric: 1 / (1 - q) steps for each cell
        visits = planning.occupancy(world, plan.policy)
        close(visits.sum(axis=1), [1 / (1 - q)] * length + [0], atol=1e-8)
    plan = planning.value_iteration(world)
    close(plan.values, -cost * left)
    assert plan.policy[:-1, 0].tolist() == [1] * length
    close(planning.value_iteration(corridor(length, cost, 0.5)).values,
          -cost * (1 - 0.5**left) / 0.5, atol=1e-9)


def test_values_and_visits_at_discount_1_are_linear_systems():
    for seed, certain in ((0, False), (1, False), (2, True)):
        rng = np.random.default_rng(seed)
        w = proper_world(rng, 6, 3, certain)
        world, policy = w.mdp(), random_policy(rng, 6, 3)
        inner = np.einsum("sa,sap->sp", policy, w.P)[:-1, :-1]
        paid = (policy * w.r).sum(axis=1)[:-1]
        values = np.append(np.linalg.solve(np.eye(5) - inner, paid), 0)
        visits = np.append(np.linalg.solve(np.eye(5) - inner.T, w.start[:-1]), 0)
        close(planning.evaluate(world, policy), values, atol=1e-12)
        close(planning.occupancy(world, policy), visits[:, None] * policy, atol=1e-12)
        # nobody needs more than 5 steps to the end, so a horizon of 6 is for ever
        close(planning.evaluate(world, policy, horizon=6)[0], values, atol=1e-12)
        close(planning.value_iteration(world).values,
              planning.backward_induction(world, 6).values[0], atol=1e-12)
        best = [np.linalg.solve(np.eye(5) - np.einsum("sa,sap->sp", pi, w.P)[:-1, :-1],
                                (pi * w.r).sum(axis=1)[:-1])
                for pi in stationary_choices(w)] if seed == 0 else []
        if best:
            close(planning.value_iteration(world).values[:-1], np.max(best, axis=0))
