"""Wrong versions of `mdp` and `planning`, and the tests that tell them from the right one.

Each mutant runs to its end and returns what has the legal shape; only the numbers are
wrong. The table says which test fails under it. That test passes without it.
"""

import numpy as np
import pytest
from scipy import sparse

import test_mdp as worlds_tests
import test_planning as laws
import test_planning_oracles as oracles
from imitlib import mdp as worlds
from imitlib import planning
from imitlib.mdp import MDP
from imitlib.planning import Plan, following, horizon, optimal, soft

MODULES = (following, optimal, soft, horizon, planning)
MUTANTS = {}


def mutant(test, *args):
    """Register a mutant with the test, and its arguments, that it must not survive."""

    def register(change):
        MUTANTS[change.__name__.replace("_", " ")] = (change, test, args)
        return change

    return register


def replace(patch, name, wrong):
    """Put `wrong(right, ...)` where the function `name` of planning stood."""
    found = [module for module in MODULES if hasattr(module, name)]
    right = getattr(found[0], name)
    for module in found:
        patch.setattr(module, name, lambda *a, **k: wrong(right, *a, **k))


def cut(plan, steps):
    """The first steps of a plan."""
    return Plan(plan.values[:steps], plan.policy[:steps], steps, plan.bound)


# Ten wrong turnings --------------------------------------------------------------------


@mutant(oracles.test_the_best_plan_of_some_steps_is_the_best_of_all_of_them)
def discount_dropped(patch):
    replace(patch, "look_ahead", lambda right, m, *a, **k: right(
        m.with_discount(1.0), *a, **k))


@mutant(oracles.test_the_slope_of_soft_values_is_the_occupancy_of_their_policy)
def discount_dropped_in_the_occupancy(patch):
    replace(patch, "occupancy", lambda right, m, *a, **k: right(
        m.with_discount(1.0), *a, **k))


@mutant(oracles.test_undiscounted_plans_are_the_leading_library_s_where_it_is_right)
def one_term_more_in_the_values(patch):
    for name in ("backward_induction", "soft_backward_induction"):
        replace(patch, name, lambda right, m, H, *a, **k: cut(right(m, H + 1, *a, **k), H))


@mutant(oracles.test_the_slope_of_soft_values_is_the_occupancy_of_their_policy)
def one_term_more_in_the_occupancy(patch):
    def wrong(right, m, policy, *, horizon):
        return right(m, np.concatenate([policy, policy[-1:]]), horizon=horizon + 1)

    replace(patch, "occupancy", wrong)


@mutant(oracles.test_the_best_plan_of_some_steps_is_the_best_of_all_of_them)
def transposed_transitions(patch):
    def wrong(self, values, out=None):
        ahead = np.einsum("pas,...p->...as", self.dense(), values)
        if out is None:
            return ahead
        out[...] = ahead
        return out

    patch.setattr(MDP, "_ahead", wrong)


@mutant(oracles.test_following_for_ever_is_a_dense_solve)
def transposed_chain(patch):
    replace(patch, "following", lambda right, *a: right(*a).T.tocsr())


@mutant(oracles.test_in_a_certain_world_paths_are_as_likely_as_exp_of_their_return)
def maximum_for_log_sum_exp(patch):
    def wrong(right, q):
        best = q.max(axis=-2)
        right(q)
        return best

    replace(patch, "softmax_in_place", wrong)


@mutant(oracles.test_the_best_plan_of_some_steps_is_the_best_of_all_of_them)
def last_reward_counted_twice(patch):
    def wrong(right, m, reward, values, out):
        right(m, reward, values, out=out)
        return np.add(out, 0 if values.any() else reward, out=out)

    replace(patch, "look_ahead", wrong)


@mutant(oracles.test_values_and_visits_at_discount_1_are_linear_systems)
def reward_at_the_end_counted_twice(patch):
    def wrong(right, m, **k):
        ends = m.next_values(m.terminal) * ~m.terminal[:, None]
        return right(m, reward=m.reward * (1 + ends), **k)

    replace(patch, "value_iteration", wrong)


@mutant(oracles.test_soft_plans_maximise_return_and_causal_entropy)
def wrong_temperature(patch):
    replace(patch, "checked_positive", lambda right, name, x: right(name, x) * (
        2 if name == "temperature" else 1))


@mutant(oracles.test_in_a_certain_world_paths_are_as_likely_as_exp_of_their_return)
def policy_at_temperature_one(patch):
    def wrong(right, m, H, temperature=1.0, **k):
        plan, policy = right(m, H, temperature, **k), []
        for values in (*plan.values[1:], 0 * plan.values[0]):
            policy.append(np.exp(planning.q_values(m, values)))
            policy[-1] /= policy[-1].sum(axis=-1, keepdims=True)
        return Plan(plan.values, np.array(policy), H, 0.0)

    replace(patch, "soft_backward_induction", wrong)


@mutant(oracles.test_following_for_ever_is_a_dense_solve)
def start_ignored(patch):
    replace(patch, "occupancy", lambda right, m, *a, **k: right(m.starting(0), *a, **k))


@mutant(oracles.test_following_one_policy_for_all_steps_is_the_sum_over_its_paths)
def start_ignored_in_the_return(patch):
    replace(patch, "expected_return", lambda right, m, *a, **k: right(
        m.starting(m.n_states - 1), *a, **k))


@mutant(oracles.test_puterman_s_example_of_two_states_backwards)
def every_step_in_one_buffer(patch):
    def wrong(right, m, H, **k):
        plan = right(m, H, **k)
        for t in range(H):
            plan.values[t] = plan.values[0]
        return plan

    replace(patch, "backward_induction", wrong)


@mutant(laws.test_plans_share_nothing_with_the_world_or_with_each_other,
        "soft value iteration")
def every_plan_in_one_buffer(patch):
    buffers = {}

    def wrong(right, *a, **k):
        plan = right(*a, **k)
        values = buffers.setdefault(plan.values.shape, plan.values)
        values[...] = plan.values
        return Plan(values, plan.policy, plan.sweeps, plan.bound)

    replace(patch, "soft_value_iteration", wrong)


@mutant(oracles.test_following_for_ever_is_a_dense_solve)
def the_caller_s_policy_as_work_space(patch):
    def wrong(right, m, policy):
        if not (policy.flags.writeable and policy.flags.c_contiguous):
            return right(m, policy)
        ends = np.arange(policy.size + 1)
        acts = sparse.csr_array(
            (policy.ravel(), ends[:-1], ends[:: m.n_actions]), (len(policy), policy.size))
        acts.eliminate_zeros()
        return (acts @ m.matrix).tocsr()

    replace(patch, "checked_policy", lambda right, m, policy: np.asarray(policy, float))
    replace(patch, "following", wrong)


@mutant(worlds_tests.test_a_world_does_not_change_when_what_it_was_made_of_does)
def the_caller_s_reward_kept(patch):
    right = worlds.reward_given
    patch.setattr(worlds, "reward_given", lambda given, transitions, shape: (
        given.view() if getattr(given, "shape", 0) == shape
        else right(given, transitions, shape)))


@mutant(oracles.test_undiscounted_plans_are_the_leading_library_s_where_it_is_right)
def off_by_one_horizon(patch):
    def wrong(right, m, H, *a, **k):
        plan = right(m, max(H - 1, 1), *a, **k)
        late = [np.concatenate([x, x[-1:]])[:H] for x in (plan.values, plan.policy)]
        return Plan(*late, H, 0.0)

    for name in ("backward_induction", "soft_backward_induction"):
        replace(patch, name, wrong)


@mutant(oracles.test_following_a_policy_is_the_sum_over_its_paths)
def distributions_a_step_late(patch):
    def wrong(right, m, policy, H):
        longer = np.concatenate([policy, policy[-1:]])
        return right(m, longer, H + 1)[1:]

    replace(patch, "state_distributions", wrong)


@mutant(oracles.test_soft_plans_without_end_maximise_return_and_causal_entropy)
def unnormalised_policy(patch):
    def wrong(right, q):
        largest = q.max(axis=-2)
        total = right(q)
        q *= np.exp(total - largest)[..., None, :]
        return total

    replace(patch, "softmax_in_place", wrong)


# And others ----------------------------------------------------------------------------


@mutant(oracles.test_puterman_s_example_of_two_states, 0.9)
def the_worst_action_first(patch):
    replace(patch, "_greedy", lambda right, m, q, *a: right(m, -q, *a))


@mutant(oracles.test_soft_plans_without_end_maximise_return_and_causal_entropy)
def actions_of_the_soft_policy_swapped(patch):
    replace(patch, "soft_value_iteration", lambda right, *a, **k: Plan(
        (p := right(*a, **k)).values, p.policy[:, ::-1], p.sweeps, p.bound))


@mutant(oracles.test_the_best_plan_without_end_is_the_best_of_all_policies)
def a_bound_that_promises_too_much(patch):
    replace(patch, "bound", lambda right, *a: right(*a) / 50)


@mutant(oracles.test_the_best_plan_without_end_is_the_best_of_all_policies)
def sweeps_that_stop_too_soon(patch):
    replace(patch, "converged", lambda right, m, change, values, tol: right(
        m, change * (1 - m.discount), values, tol))


@mutant(laws.test_many_rewards_at_once_are_one_at_a_time)
def many_rewards_in_the_wrong_order(patch):
    replace(patch, "reward_of", lambda right, m, r: (
        right(m, r)[::-1] if np.ndim(r) > 2 else right(m, r)))


@mutant(laws.test_the_best_policy_leaves_a_loop_that_costs_nothing, "table")
def a_tie_that_stays_in_the_loop(patch):
    replace(patch, "_towards", lambda right, m, best, over: best)


@mutant(laws.test_where_no_end_can_be_reached_there_is_no_plan_at_discount_1)
def an_end_that_pays(patch):
    replace(patch, "ends", lambda right, m, reward: m.absorbing)
    patch.setattr(optimal, "MOST_SWEEPS", 300)


@mutant(oracles.test_a_corridor_in_closed_form, 1.0)
def entropy_paid_twice(patch):
    replace(patch, "soft_policy_iteration", lambda right, m, *a, **k: (
        lambda p: Plan(p.values - (p.policy * np.log(p.policy)).sum(axis=1), p.policy,
                       p.sweeps, p.bound))(right(m, *a, **k)))


@mutant(worlds_tests.test_draws_of_a_mixed_batch_belong_to_their_rows)
def draws_that_do_not_see_the_action(patch):
    right = MDP.sample
    patch.setattr(MDP, "sample", lambda self, s, a, rng: right(self, s, 0 * a, rng))


@mutant(worlds_tests.test_reward_of_a_state_of_an_action_and_of_a_transition)
def reward_of_the_likeliest_successor(patch):
    right = worlds.reward_given

    def wrong(given, transitions, shape):
        if np.ndim(given) != 3:
            return right(given, transitions, shape)
        P = worlds.matrix_of(transitions, shape[0]).toarray().reshape(*shape, -1)
        likely = P.argmax(axis=-1)[..., None]
        return np.take_along_axis(np.asarray(given, float), likely, axis=-1)[..., 0]

    patch.setattr(worlds, "reward_given", wrong)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_the_test_that_is_named(name, monkeypatch):
    change, test, args = MUTANTS[name]
    if hasattr(test, "hypothesis"):  # the first example that fails is enough
        plain = test.hypothesis.inner_test

        def test(*args):
            for seed in range(12):
                rng = np.random.default_rng(seed)
                plain(laws.random_world(rng, 4, 2, 0.9), *args)

    test(*args)
    change(monkeypatch)
    with pytest.raises(AssertionError):
        test(*args)


def test_ten_kinds_of_mistake_are_among_them():
    kinds = ("discount dropped", "one term more", "transposed", "log sum exp",
             "counted twice", "temperature", "start ignored", "one buffer",
             "off by one", "unnormalised")
    for kind in kinds:
        assert any(kind in name for name in MUTANTS)
