"""What planning promises: laws, layouts, limits, discount 1, and what it refuses."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imitlib import planning
from imitlib.mdp import MDP
from imitlib.planning import optimal
from worlds import (
    Plain,
    proper_world,
    random_policy,
    random_world,
    solved_occupancy,
    solved_values,
    worlds,
)

pytestmark = pytest.mark.filterwarnings("error")
close = np.testing.assert_allclose

# name -> (plans for a world, with a reward in place of its own or not)
PLANNERS = {
    "value iteration": planning.value_iteration,
    "modified policy iteration": planning.modified_policy_iteration,
    "soft value iteration": lambda m, **k: planning.soft_value_iteration(m, 0.7, **k),
    "soft policy iteration": lambda m, **k: planning.soft_policy_iteration(m, 0.7, **k),
    "backward induction": lambda m, **k: planning.backward_induction(m, 4, **k),
    "soft backward induction":
        lambda m, **k: planning.soft_backward_induction(m, 4, 0.7, **k),
}  # fmt: skip
LAYOUTS = ("dense", "sparse", "halves", "zeros", "as_matrix", "successors")
every_planner = pytest.mark.parametrize("name", PLANNERS)


def soft(name):
    return name.startswith("soft")


# Layouts and many rewards -------------------------------------------------------------


def test_every_layout_plans_and_follows_alike():
    w = random_world(np.random.default_rng(0), 6, 3, certain=True)
    policy = random_policy(np.random.default_rng(1), 6, 3)

    def all_of(world):
        for plan in PLANNERS.values():
            yield plan(world).values
            yield plan(world).policy
        yield planning.evaluate(world, policy)
        yield planning.evaluate(world, policy, horizon=4)
        yield planning.occupancy(world, policy)
        yield planning.occupancy(world, policy, horizon=4)
        yield planning.state_distributions(world, policy, 4)
        yield planning.q_values(world, np.arange(6.0))

    plain = list(all_of(w.mdp("successors")))
    for layout in LAYOUTS:
        for ours, theirs in zip(all_of(w.mdp(layout)), plain):
            close(ours, theirs, atol=1e-9)


def test_many_rewards_at_once_are_one_at_a_time():
    rng = np.random.default_rng(2)
    for discount, certain, layout in (
        (0.9, False, "dense"), (0.9, True, "successors"), (0.9, True, "as_matrix"),
        (1.0, False, "dense"), (1.0, True, "successors"),
    ):  # fmt: skip
        w = (random_world(rng, 5, 3, 0.9, certain) if discount < 1
             else proper_world(rng, 5, 3, certain))
        world, policy = w.mdp(layout), random_policy(rng, 5, 3)
        by_step = random_policy(rng, 4, 5, 3)
        for batch in ((3,), (2, 3), (1,)):
            r = rng.normal(size=(*batch, 5, 3)) * 10.0 ** rng.integers(-2, 3, (*batch, 1, 1))
            if discount == 1:
                r[..., -1, :] = 0
            for name, plan in PLANNERS.items():
                if name == "soft policy iteration" or (discount == 1 and "mod" in name):
                    continue
                many = plan(world, reward=r)
                for place in np.ndindex(*batch):
                    at = (slice(None), *place) if "induction" in name else place
                    one = plan(world, reward=r[place])
                    scale = np.abs(one.values).max()
                    close(many.values[at], one.values, atol=1e-8 * scale + 3e-10)
                    close(many.policy[at], one.policy, atol=1e-7)
                    again = plan(world.with_reward(r[place]))
                    close(again.values, one.values, atol=1e-12)
            many = planning.evaluate(world, policy, reward=r)
            timed = planning.evaluate(world, by_step, horizon=4, reward=r)
            total = planning.expected_return(world, policy, reward=r)
            later = planning.expected_return(world, by_step, horizon=4, reward=r)
            ahead = planning.q_values(world, many, reward=r)
            assert many.shape == (*batch, 5) and timed.shape == (4, *batch, 5)
            assert total.shape == later.shape == batch and ahead.shape == r.shape
            for place in np.ndindex(*batch):
                one = world.with_reward(r[place])
                close(many[place], planning.evaluate(one, policy))
                close(timed[(slice(None), *place)],
                      planning.evaluate(one, by_step, horizon=4))
                assert total[place] == pytest.approx(planning.expected_return(one, policy))
                assert later[place] == pytest.approx(
                    planning.expected_return(one, by_step, horizon=4))
                close(ahead[place], planning.q_values(one, many[place]))


def test_one_total_is_a_number():
    world = random_world(np.random.default_rng(3)).mdp()
    policy = np.full((4, 2), 0.5)
    assert type(planning.expected_return(world, policy)) is float
    assert type(planning.expected_return(world, policy, horizon=2)) is float


def test_q_values_by_step_look_one_step_ahead():
    w = random_world(np.random.default_rng(4))
    plan = planning.backward_induction(w.mdp(), 5)
    q = planning.q_values(w.mdp(), plan.values)
    close(q[1:].max(axis=-1), plan.values[:-1])
    close(q, w.r + 0.9 * np.einsum("sap,tp->tsa", w.P, plan.values))


# Laws ---------------------------------------------------------------------------------


@every_planner
@given(w=worlds(discounts=st.sampled_from([0.0, 0.5, 0.9])), c=st.sampled_from([0.01, 7.0]))
@settings(max_examples=15)
def test_a_reward_in_other_units(name, w, c):
    # the coin is worth c as much: so is every value; what to do stays the same,
    # for soft planning if the price of a nat changes with it
    kind = name.replace(" ", "_")
    steps = (3,) if "induction" in name else ()
    before, after = ((*steps, 0.6), (*steps, 0.6 * c)) if soft(name) else (steps, steps)
    solve = getattr(planning, kind)
    old, new = solve(w.mdp(), *before), solve(w.mdp(), *after, reward=w.r * c)
    close(new.values, c * old.values, atol=1e-9 * max(c, 1))
    close(new.policy, old.policy, atol=1e-7)


@every_planner
@given(w=worlds(discounts=st.sampled_from([0.0, 0.5, 0.9])))
@settings(max_examples=15)
def test_a_wage_for_being_there_changes_nothing_but_values(name, w):
    plan, paid = PLANNERS[name](w.mdp()), PLANNERS[name](w.mdp(), reward=w.r + 3)
    if "induction" in name:
        more = 3 * np.cumsum(w.discount ** np.arange(4))[::-1, None]
    else:
        more = 3 / (1 - w.discount)
    close(paid.values, plan.values + more, atol=1e-8)
    close(paid.policy, plan.policy, atol=1e-7)


@pytest.mark.parametrize("name", [n for n in PLANNERS if "induction" not in n])
@given(w=worlds())
@settings(max_examples=15)
def test_shaping_by_a_potential_shifts_values_and_keeps_the_policy(name, w):
    # Ng, Harada and Russell (1999): r + g Phi(s') - Phi(s) is worth V - Phi
    phi = np.sin(np.arange(w.shape[0]) * 2.0)
    shaping = w.discount * phi[None, None, :] - phi[:, None, None]
    world = w.mdp()
    shaped = MDP(w.P, w.r[:, :, None] + shaping, w.discount, w.start)
    old, new = PLANNERS[name](world), PLANNERS[name](shaped)
    close(new.values, old.values - phi, atol=1e-8)
    if soft(name):
        close(new.policy, old.policy, atol=1e-7)
    else:  # a tie may fall elsewhere; what it is worth may not
        close(solved_values(w, new.policy), old.values, atol=1e-6)


@every_planner
def test_names_of_states_and_actions_do_not_matter(name):
    rng = np.random.default_rng(5)
    for certain in (True, False):
        w = random_world(rng, 5, 3, 0.9, certain)
        s, a = rng.permutation(5), rng.permutation(3)
        moved = Plain(w.P[s][:, a][:, :, s], w.r[s][:, a], 0.9, w.start[s])
        old, new = PLANNERS[name](w.mdp()), PLANNERS[name](moved.mdp())
        close(new.values, old.values[..., s], atol=1e-9)
        close(new.policy, old.policy[..., s, :][..., a], atol=1e-8)


def test_many_steps_are_nearly_for_ever():
    rng = np.random.default_rng(6)
    for discount in (0.5, 0.9):
        w = random_world(rng, 5, 2, discount)
        world, policy = w.mdp(), random_policy(rng, 5, 2)
        chain = np.einsum("sa,sap->sp", policy, w.P)
        ever = planning.evaluate(world, policy)
        for horizon in (1, 5, 20):
            # exactly: what is missing is what comes after
            missing = discount**horizon * np.linalg.matrix_power(chain, horizon) @ ever
            values = planning.evaluate(world, policy, horizon=horizon)
            close(values[0], ever - missing, atol=1e-12)
            short = planning.occupancy(world, policy, horizon=horizon)
            assert short.sum() == pytest.approx((1 - discount**horizon) / (1 - discount))
            here = planning.state_distributions(world, policy, horizon + 1)[-1]
            later = Plain(w.P, w.r, discount, here)
            close(short + discount**horizon * solved_occupancy(later, policy),
                  planning.occupancy(world, policy), atol=1e-12)
            for ever_plan, plan in (
                (planning.value_iteration(world),
                 planning.backward_induction(world, horizon)),
                (planning.soft_policy_iteration(world, 0.5),
                 planning.soft_backward_induction(world, horizon, 0.5)),
            ):  # fmt: skip
                gap = np.abs(ever_plan.values - plan.values[0]).max()
                assert gap <= discount**horizon * np.abs(ever_plan.values).max() + 1e-9
        close(planning.backward_induction(world, 400).values[0],
              planning.value_iteration(world).values, atol=1e-9)
        close(planning.soft_backward_induction(world, 400, 0.5).policy[0],
              planning.soft_value_iteration(world, 0.5).policy, atol=1e-9)


def test_cold_soft_planning_is_hard_planning():
    # V* <= V_soft <= V* + T log A / (1 - g): the entropy cannot be worth more
    w = random_world(np.random.default_rng(7), 5, 3, 0.9)
    best = planning.value_iteration(w.mdp())
    timed = planning.backward_induction(w.mdp(), 6)
    for T in (1.0, 1e-2, 1e-5):
        most = T * np.log(3) / 0.1
        for plan in (planning.soft_value_iteration(w.mdp(), T),
                     planning.soft_policy_iteration(w.mdp(), T)):
            assert (plan.values >= best.values - 1e-9).all()
            assert (plan.values <= best.values + most + 1e-9).all()
        late = planning.soft_backward_induction(w.mdp(), 6, T)
        assert (late.values >= timed.values - 1e-12).all()
        assert (late.values <= timed.values + 6 * T * np.log(3) + 1e-12).all()
    for ours, theirs in ((plan, best), (late, timed)):
        close(ours.policy, theirs.policy, atol=1e-12)
        close(ours.policy.sum(axis=-1), 1)


def test_hot_soft_planning_is_a_coin():
    w = random_world(np.random.default_rng(8), 5, 4, 0.9)
    for plan in (planning.soft_value_iteration(w.mdp(), 1e6),
                 planning.soft_policy_iteration(w.mdp(), 1e6),
                 planning.soft_backward_induction(w.mdp(), 6, 1e6)):
        close(plan.policy, 0.25, atol=1e-4)


def test_rewards_too_large_for_exp():
    w = random_world(np.random.default_rng(9), 5, 3, 0.9)
    best = planning.value_iteration(w.mdp(), reward=w.r * 1e6)
    for plan in (planning.soft_value_iteration(w.mdp(), reward=w.r * 1e6),
                 planning.soft_policy_iteration(w.mdp(), reward=w.r * 1e6)):
        close(plan.values, best.values, rtol=1e-6)
        close(plan.policy, best.policy, atol=1e-12)


@pytest.mark.parametrize("discount", [0.999, 1 - 1e-6])
def test_newton_keeps_its_digits_near_discount_1(discount):
    w = random_world(np.random.default_rng(10), 6, 3, discount)
    plan = planning.soft_policy_iteration(w.mdp(), 0.5)
    nats = -(plan.policy * np.log(plan.policy)).sum(axis=1)
    close(plan.values, solved_values(w, plan.policy, 0.5 * nats), rtol=1e-9)
    q = w.r + discount * w.P @ plan.values
    close(plan.policy, np.exp((q - plan.values[:, None]) / 0.5), rtol=1e-6, atol=1e-9)
    assert plan.sweeps < 20 and np.isnan(plan.bound)


def test_a_better_policy_by_little_is_still_the_better_one():
    r = np.array([[1.0, 1 + 5e-8]])  # for ever, that is a difference of 5e-5
    patient = MDP([[0, 0]], r, 0.999)
    for solve in (planning.value_iteration, planning.modified_policy_iteration):
        plan = solve(patient)
        assert plan.policy.tolist() == [[0, 1]]
        close(planning.evaluate(patient, plan.policy), plan.values, rtol=1e-11)
    plan = planning.backward_induction(MDP([[0, 0]], [[1.0, 1 + 2e-9]], 1), 3)
    assert plan.policy[:, 0, 1].tolist() == [1, 1, 1]


def test_a_small_reward_is_no_tie():
    w = random_world(np.random.default_rng(11))
    r = w.r + [0, 2]  # so that the best action is not always the first
    plan = planning.backward_induction(w.mdp(), 5, reward=r)
    small = planning.backward_induction(w.mdp(), 5, reward=r * 1e-12)
    close(small.values, plan.values * 1e-12, rtol=1e-9)
    assert (small.policy == plan.policy).all()


@pytest.mark.parametrize("solve", [planning.value_iteration,
                                   planning.modified_policy_iteration])
def test_equally_good_actions_rounded_differently_are_a_tie(solve):
    # .1 + .2 against .3, and three thirds against one certain successor
    P = np.zeros((4, 2, 4))
    P[0, 0, 1:] = [1 / 3, 1 / 3, 1 / 3]
    P[0, 1, 1] = 1
    P[1:, :, 0] = 1
    world = MDP(P, [[0.3, 0.1 + 0.2], [1 / 3, 1 / 3], [1 / 3, 1 / 3], [1 / 3, 1 / 3]], 0.9)
    assert solve(world).policy[:, 0].tolist() == [1, 1, 1, 1]
    assert (planning.backward_induction(world, 5).policy[..., 0] == 1).all()


def test_a_plan_that_has_not_settled_is_not_returned(monkeypatch):
    w = random_world(np.random.default_rng(12), 5, 3, 0.99)
    monkeypatch.setattr(optimal, "MOST_SWEEPS", 2)
    for solve in (planning.value_iteration, planning.modified_policy_iteration):
        with pytest.raises(ValueError, match="after 2 rounds"):
            solve(w.mdp())


def test_no_more_digits_are_asked_for_than_there_are(monkeypatch):
    # at values of 1e14 a tolerance of 1e-10 is out of reach; rounding is not an error
    for module in ("optimal", "soft"):
        monkeypatch.setattr(f"imitlib.planning.{module}.MOST_SWEEPS", 3000)
    for seed in range(8):
        w = random_world(np.random.default_rng(seed), 8, 3, 0.97)
        best = planning.value_iteration(w.mdp()).values
        for solve in (planning.value_iteration, planning.modified_policy_iteration,
                      lambda m, **k: planning.soft_value_iteration(m, 1e8, **k)):
            plan = solve(w.mdp(), reward=w.r * 1e13)
            close(plan.values, best * 1e13, rtol=1e-3)
            assert plan.bound <= 1e-13 * np.abs(plan.values).max() / 0.03


def test_fewer_sweeps_for_less_and_none_too_many():
    w = random_world(np.random.default_rng(13), 6, 3, 0.95)
    for solve in (planning.value_iteration, planning.modified_policy_iteration,
                  planning.soft_value_iteration):
        rough, fine = solve(w.mdp(), tol=1e-2), solve(w.mdp(), tol=1e-8)
        assert rough.sweeps < fine.sweeps
        assert 0 < fine.bound <= 1e-8 < rough.bound <= 1e-2
    once = planning.value_iteration(w.mdp().with_discount(0))
    assert once.sweeps == 1 and once.bound == 0
    sweeps = planning.value_iteration(w.mdp(), tol=1e-8).sweeps
    most = np.log(1e-8 * 0.05 / np.abs(w.r).max()) / np.log(0.95)
    assert sweeps <= most + 2  # theorem 6.3.3 of Puterman: linear at rate 0.95
    assert planning.modified_policy_iteration(w.mdp(), tol=1e-8).sweeps < sweeps / 4


# Discount 1 ---------------------------------------------------------------------------

LEAVE = [[0, 2], [0, 2], [2, 2]]  # stay about in 0 and 1, or go to the end


def test_ends_are_worth_nothing():
    w = proper_world(np.random.default_rng(14))
    for name in ("value iteration", "soft value iteration", "soft policy iteration"):
        plan = PLANNERS[name](w.mdp())
        assert plan.values[-1] == 0
        close(plan.policy.sum(axis=1), 1)
    assert planning.evaluate(w.mdp(), random_policy(np.random.default_rng(0), 5, 3))[-1] == 0


def test_soft_planners_agree_at_discount_1():
    for seed in range(3):
        w = proper_world(np.random.default_rng(seed), 6, 3)
        for T in (0.3, 1, 3):
            newton = planning.soft_policy_iteration(w.mdp(), T)
            sweeps = planning.soft_value_iteration(w.mdp(), T)
            close(newton.values, sweeps.values, atol=1e-9)
            close(newton.policy, sweeps.policy, atol=1e-9)
            assert np.isnan(sweeps.bound) and np.isnan(newton.bound)
            pays = w.mdp().with_reward(w.r + 1)  # even at the end: but not so planned
            for plan in (planning.soft_policy_iteration, planning.soft_value_iteration):
                close(plan(pays, T, reward=w.r).values, sweeps.values, atol=1e-9)


def test_where_no_end_can_be_reached_there_is_no_plan_at_discount_1():
    lost = MDP([[1, 0], [0, 1], [2, 2]], [-1.0, -1, 0], 1)
    for name in PLANNERS:
        if "induction" in name:
            PLANNERS[name](lost)  # ends by itself
        elif "modified" in name:
            for world in (lost, proper_world(np.random.default_rng(0)).mdp()):
                with pytest.raises(ValueError, match="discount is 1"):
                    PLANNERS[name](world)
        else:
            with pytest.raises(ValueError, match="discount is 1 and from state 0 no policy"):
                PLANNERS[name](lost)
    pays = MDP([[1], [1]], [0, 1], 1)  # what cannot be left, but pays, is no end
    with pytest.raises(ValueError, match="discount is 1 and from state 0"):
        planning.value_iteration(pays)
    with pytest.raises(ValueError, match="discount is 1 and from state 0"):
        planning.value_iteration(pays.with_reward([0, 0]), reward=[[0.0], [1.0]])
    free = MDP([[1, 1], [1, 1]], [0, 0], 1)
    tip = np.array([[0.0, 0.0], [0.0, 1.0]])  # for one of the two ways to stay
    for r in (tip, [tip * 0, tip], [tip, tip * 0]):
        for solve in (planning.value_iteration, planning.soft_value_iteration):
            with pytest.raises(ValueError, match="discount is 1 and from state 0"):
                solve(free, reward=r)
    with pytest.raises(ValueError, match="discount is 1 and from state 0"):
        planning.evaluate(free, [[1, 0], [1, 0]], reward=tip)


def test_a_policy_that_never_ends_is_not_evaluated_at_discount_1():
    world = MDP(LEAVE, [[-1, 0], [-1, 0], [0, 0]], 1, start=1)
    stays, goes = np.array([[1, 0], [0, 1], [1, 0.0]]), [[0, 1], [0.5, 0.5], [0, 1]]
    with pytest.raises(ValueError, match="discount is 1 and from state 0 this policy never"):
        planning.evaluate(world, stays)
    with pytest.raises(ValueError, match="discount is 1 and from state 0 this policy never"):
        planning.expected_return(world, stays)
    with pytest.raises(ValueError, match="state 0 this policy never"):
        planning.occupancy(world.starting(0), stays)
    # but state 0 is never met from 1
    assert planning.occupancy(world, stays).tolist() == [[0, 0], [0, 1], [0, 0]]
    assert planning.occupancy(world.starting(2), stays).tolist() == [[0, 0]] * 3
    close(planning.evaluate(world, goes), [0, -0.5, 0])
    close(planning.occupancy(world, goes), [[0, 0.5], [0.5, 0.5], [0, 0]])
    close(planning.evaluate(world, stays, horizon=3)[:, 0], [-3, -2, -1])
    assert planning.occupancy(world, stays, horizon=3).sum() == pytest.approx(3)
    close(planning.evaluate(world.with_discount(0.5), stays), [-2, 0, 0])


@pytest.mark.parametrize("layout", ["table", "matrix"])
def test_the_best_policy_leaves_a_loop_that_costs_nothing(layout):
    world = MDP(LEAVE, [[0, 1], [0, 1], [0, 0]], 1)  # staying ties with leaving
    maze = MDP([[1, 0], [0, 3], [2, 0], [2, 4], [4, 4]], [0] * 5, 1)
    for w, values, ways in (
        (world, [1, 1, 0], [1, 1]), (maze, [0] * 5, [0, 1, 1, 1]),
    ):  # fmt: skip
        w = w.as_matrix() if layout == "matrix" else w
        plan = planning.value_iteration(w)
        assert plan.values.tolist() == values
        assert plan.policy[:-1].argmax(axis=1).tolist() == ways
        close(planning.evaluate(w, plan.policy), values)  # and so it ends
    many = planning.value_iteration(
        world, reward=[[[0, 1], [0, 1], [0, 0]], [[0, 2], [-1, 2], [0, 0.0]]])
    close(planning.evaluate(world, many.policy[0]), [1, 1, 0])
    close(planning.evaluate(world, many.policy[1], reward=[[0, 2], [-1, 2], [0, 0]]),
          [2, 2, 0])


def test_a_loop_with_luck_is_left():
    # action 0 turns in place; action 1 gets away half the time, for the same nothing
    P = [[[1, 0, 0], [0.5, 0.5, 0]], [[0, 1, 0], [0, 0.5, 0.5]], [[0, 0, 1], [0, 0, 1]]]
    world = MDP(P, np.zeros((3, 2)), 1)
    plan = planning.value_iteration(world)
    assert plan.policy[:2].tolist() == [[0, 1], [0, 1]]
    close(planning.occupancy(world, plan.policy).sum(axis=1), [2, 2, 0])


def test_a_loop_that_is_better_than_any_end_is_no_plan(monkeypatch):
    monkeypatch.setattr(optimal, "MOST_SWEEPS", 500)
    free = MDP(LEAVE, [[0, -1], [0, -1], [0, 0]], 1)
    with pytest.raises(ValueError, match="discount is 1 and from state 0 the best policy"):
        planning.value_iteration(free)
    pays = MDP(LEAVE, [[1, 0], [0, 0], [0, 0]], 1)
    with pytest.raises(ValueError, match="after 500 rounds.*discount 1 going round"):
        planning.value_iteration(pays)


def test_dawdling_that_is_worth_more_than_it_costs_has_no_soft_value(monkeypatch):
    # two ways to stay and one to leave: z = q (2 z + 1), q = e^(-c), has an answer only
    # for q < 1/2, that is for a cost c above the log 2 nats of choosing how to stay
    monkeypatch.setattr("imitlib.planning.soft.MOST_SWEEPS", 500)
    world = MDP([[0, 0, 1], [1, 1, 1]], [0, 0], 1)
    for plan in (planning.soft_value_iteration, planning.soft_policy_iteration):
        for cost in (0.8, 1.5):
            q = np.exp(-cost)
            dear = plan(world, 2.0, reward=[[-2 * cost] * 3, [0] * 3])
            close(dear.values, [2 * np.log(q / (1 - 2 * q)), 0], atol=1e-8)
        for cost in (0.6, 0.1, 0.0, -1.0):
            with pytest.raises(ValueError, match="discount 1 going round"):
                plan(world, 2.0, reward=[[-2 * cost] * 3, [0] * 3])


def test_going_about_for_ever_with_a_choice_has_no_soft_value(monkeypatch):
    # two actions never leave, and pay: log 2 nats a step and more, without end
    monkeypatch.setattr("imitlib.planning.soft.MOST_SWEEPS", 500)
    for seed in range(40):
        P = np.zeros((5, 3, 5))
        P[:4, :, :4] = random_world(np.random.default_rng(seed), 4, 3).P
        P[:4, 2] = P[:4, 2] / 2 + np.eye(5)[4] / 2
        P[4, :, 4] = 1
        pays = np.random.default_rng(seed).random((5, 3)) * (seed % 4)
        pays[4] = 0
        world = MDP(P, pays, 1)
        for plan in (planning.soft_value_iteration, planning.soft_policy_iteration):
            with pytest.raises(ValueError, match="discount 1 going round"):
                plan(world)


def test_newton_takes_no_rounding_for_an_end():
    # where soft values are infinite, chances of an end of 1e-16 look like finite ones
    rng, told = np.random.default_rng(0), 0
    for _ in range(30):
        world = random_world(rng, 4, 3, 1.0, ends=1).mdp()
        try:
            plan = planning.soft_policy_iteration(world)
        except ValueError:
            continue
        told += 1
        assert np.abs(plan.values).max() < 1e5
        q = planning.q_values(world, plan.values)
        close(np.log(np.exp(q[:-1] - plan.values[:-1, None]).sum(axis=1)), 0, atol=1e-7)
    assert 5 < told < 25


def test_soft_values_of_certain_worlds_at_discount_1_are_a_linear_system(monkeypatch):
    # z = e^(V/T) solves z_s = sum_a e^(r(s,a)/T) z_s', and z = 1 at the end: it sums the
    # weights of all ways there, and is finite just if the spectral radius is below 1
    monkeypatch.setattr("imitlib.planning.soft.MOST_SWEEPS", 2000)
    finite = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        w, T = random_world(rng, 5, 3, 1.0, certain=True, ends=1), 1.5
        w.P[:-1, 0] = np.eye(5)[1:]  # action 0 goes one nearer
        w.r[:-1] -= 1.5
        weight = np.einsum("sa,sap->sp", np.exp(w.r / T), w.P)[:-1]
        radius = np.abs(np.linalg.eigvals(weight[:, :-1])).max()
        if 0.97 < radius < 1.03:
            continue  # too near to tell in so few sweeps
        for plan in (planning.soft_value_iteration, planning.soft_policy_iteration):
            if radius > 1:
                with pytest.raises(ValueError, match="discount 1 going round"):
                    plan(w.mdp(), T)
                continue
            z = np.linalg.solve(np.eye(4) - weight[:, :-1], weight[:, -1])
            close(plan(w.mdp(), T).values, [*T * np.log(z), 0], atol=1e-7)
            finite += 1
    assert 20 < finite < 60  # of 80: some of each


def test_an_end_that_is_always_near_in_the_sparse_layout_too():
    w = proper_world(np.random.default_rng(15), 6, 3, certain=True)
    for solve in (planning.value_iteration, planning.soft_value_iteration):
        one, other = solve(w.mdp("successors")), solve(w.mdp("as_matrix"))
        close(one.values, other.values, atol=1e-12)
        assert one.policy.argmax(axis=1).tolist() == other.policy.argmax(axis=1).tolist()


# States that are never met -------------------------------------------------------------


def test_states_never_met_have_values_and_no_visits():
    P = [[[1, 0], [1, 0]], [[0.5, 0.5], [0, 1]]]
    world = MDP(P, [[1, 0], [0, 4]], 0.5)
    plan = planning.value_iteration(world)
    close(plan.values, [2, 8], atol=1e-9)
    assert planning.occupancy(world, plan.policy).tolist() == [[2, 0], [0, 0]]


# Nothing shared, nothing written to ----------------------------------------------------


@every_planner
def test_plans_share_nothing_with_the_world_or_with_each_other(name):
    for shape in ((4, 2), (4, 1), (1, 3), (1, 1)):
        w = random_world(np.random.default_rng(16), *shape)
        for layout in ("dense", "as_matrix"):
            world, r = w.mdp(layout), w.r.copy()
            first = PLANNERS[name](world, reward=r)
            kept = first.values.copy(), first.policy.copy()
            second = PLANNERS[name](world, reward=r * 2 - 1)
            assert (first.values == kept[0]).all() and (first.policy == kept[1]).all()
            assert (r == w.r).all() and (world.reward == w.r).all()
            for a, b in ((first.values, second.values), (first.policy, second.policy),
                         (first.values, r), (first.policy, r),
                         (first.policy, world.reward), (first.values, first.policy)):
                assert not np.shares_memory(a, b)
            for rows in (first.values, first.policy):
                rest = rows[1:].copy()
                rows[0] = 77  # a row, or a step, of its own
                assert (rows[1:] == rest).all()
            again = PLANNERS[name](world, reward=r)
            assert (again.values == kept[0]).all() and (again.policy == kept[1]).all()
            with pytest.raises(dataclasses.FrozenInstanceError):
                again.values = kept[0]


def test_following_leaves_the_policy_as_it_was():
    rng = np.random.default_rng(17)
    for discount in (0.9, 1.0):
        w = proper_world(rng, 5, 3)
        world = w.mdp().with_discount(discount)
        policy = np.eye(3)[rng.integers(3, size=5)]
        timed = np.stack([policy] * 3)
        r = w.r.copy()
        for frozen in (False, True):
            policy.flags.writeable = timed.flags.writeable = not frozen
            kept, kept_timed = policy.copy(), timed.copy()
            results = [
                planning.evaluate(world, policy, reward=r),
                planning.evaluate(world, policy, horizon=3),
                planning.evaluate(world, timed, horizon=3),
                planning.occupancy(world, policy),
                planning.occupancy(world, policy, horizon=1),
                planning.occupancy(world, timed, horizon=3),
                planning.state_distributions(world, policy, 1),
                planning.q_values(world, np.zeros(5)),
            ]
            assert (policy == kept).all() and (timed == kept_timed).all()
            assert (r == w.r).all()
            for result in results:
                assert not np.shares_memory(result, policy)
                assert not np.shares_memory(result, world.reward)
                assert not np.shares_memory(result, world.start)
                result[...] = 0  # may be written to


def test_policies_and_rewards_of_any_kind_and_any_order_in_memory():
    rng = np.random.default_rng(18)
    w = random_world(rng, 5, 3)
    world, policy = w.mdp(), random_policy(rng, 5, 3)
    wide = np.repeat(np.repeat(policy, 2, axis=0), 2, axis=1)[::2, ::2]
    for given_policy in (policy.tolist(), np.asfortranarray(policy), wide):
        close(planning.evaluate(world, given_policy), solved_values(w, policy))
        close(planning.occupancy(world, given_policy), solved_occupancy(w, policy))
        close(planning.occupancy(world, given_policy, horizon=2),
              planning.occupancy(world, policy, horizon=2))
    whole = np.arange(15).reshape(5, 3)
    for r in (whole, whole.tolist(), np.float32(whole), np.asfortranarray(whole, float)):
        for name in PLANNERS:
            close(PLANNERS[name](world, reward=r).values,
                  PLANNERS[name](world, reward=whole * 1.0).values)
        close(planning.evaluate(world, policy, reward=r),
              planning.evaluate(world, policy, reward=whole * 1.0))
    certain = np.eye(3, dtype=int)[[0, 1, 2, 0, 1]]
    close(planning.evaluate(world, certain), solved_values(w, certain))


def test_a_policy_in_float32_is_a_policy():
    policy = random_policy(np.random.default_rng(19), 50, 7).astype(np.float32)
    assert np.abs(policy.sum(axis=1, dtype=float) - 1).max() > 1e-8
    w = random_world(np.random.default_rng(20), 50, 7)
    close(planning.evaluate(w.mdp(), policy), solved_values(w, policy), rtol=1e-5)
    visits = planning.occupancy(w.mdp(), policy)
    assert visits.sum() == pytest.approx(10, rel=1e-11)
    assert planning.occupancy(w.mdp(), policy, horizon=5).sum() == pytest.approx(
        0.9 ** np.arange(5) @ np.ones(5), rel=1e-11)


# What is refused -----------------------------------------------------------------------

WORLD = MDP([[0, 1], [1, 0]], [[0.0, 1.0], [2.0, 3.0]], 0.9)
EVEN = np.full((2, 2), 0.5)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ([[0.5, 0.5], [0.5, 0.4]], r"policy\[1\] is \[0\.5 0\.4\].*sum to 1"),
        ([[1.5, -0.5], [1, 0]], r"policy\[0\] is .*sum to 1"),
        ([[0.5, 0.5], [NAN, 1]], r"policy\[1.*nan"),
        ([[INF, 0], [0, 1]], r"policy\[0.*inf"),
        ([0.5, 0.5], r"policy has shape \(2,\).*\(2, 2\)"),
        (np.full((2, 3), 1 / 3), r"policy has shape \(2, 3\).*\(2, 2\)"),
        (np.full((3, 2, 2), 0.5), r"policy has shape \(3, 2, 2\).*\(2, 2\)"),
        (0, r"policy has shape \(\)"),
        ([[0.5, 0.5], [1]], "policy"),
        ([["a", "b"], ["c", "d"]], "policy"),
        (EVEN + 0j, "policy"),
        (None, "policy"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(policy, says):
    wrong = pytest.raises((ValueError, TypeError), match=says)
    for follow in (planning.evaluate, planning.occupancy, planning.expected_return):
        with wrong:
            follow(WORLD, policy)
        with wrong:
            follow(WORLD, policy, horizon=4)
    with wrong:
        planning.state_distributions(WORLD, policy, 4)


def test_a_policy_by_step_names_its_row_and_needs_its_horizon():
    timed = np.full((3, 2, 2), 0.5)
    timed[2, 1] = [0.5, 0.6]
    with pytest.raises(ValueError, match=r"policy\[2, 1\] is \[0\.5 0\.6\]"):
        planning.occupancy(WORLD, timed, horizon=3)
    with pytest.raises(ValueError, match=r"policy has shape \(3, 2, 2\); with horizon 2"):
        planning.evaluate(WORLD, timed, horizon=2)


@pytest.mark.parametrize("horizon", [0, -1, 2.5, 2.0, True, "3", NAN, [3]])
def test_a_horizon_is_a_whole_number_of_steps(horizon):
    wrong = pytest.raises((ValueError, TypeError), match="horizon is .*at least 1")
    for call in (
        lambda: planning.backward_induction(WORLD, horizon),
        lambda: planning.soft_backward_induction(WORLD, horizon),
        lambda: planning.evaluate(WORLD, EVEN, horizon=horizon),
        lambda: planning.occupancy(WORLD, EVEN, horizon=horizon),
        lambda: planning.expected_return(WORLD, EVEN, horizon=horizon),
        lambda: planning.state_distributions(WORLD, EVEN, horizon),
    ):
        with wrong:
            call()


def test_any_integer_is_a_horizon():
    assert planning.backward_induction(WORLD, np.int8(3)).values.shape == (3, 2)
    assert planning.occupancy(WORLD, EVEN, horizon=np.uint64(3)).shape == (2, 2)


SOFT = (
    planning.soft_value_iteration, planning.soft_policy_iteration,
    lambda mdp, *a, **k: planning.soft_backward_induction(mdp, 3, *a, **k),
)  # fmt: skip


@pytest.mark.parametrize(
    "temperature", [0, -1.0, INF, NAN, True, "1", None, [1.0, 2.0], 1 + 0j]
)
def test_a_temperature_is_a_positive_number(temperature):
    for plan in SOFT:
        with pytest.raises((ValueError, TypeError), match="temperature is .*positive"):
            plan(WORLD, temperature)


@pytest.mark.parametrize("tol", [0, -1e-9, NAN, None, "1"])
def test_a_tolerance_is_positive(tol):
    for solve in (planning.value_iteration, planning.modified_policy_iteration,
                  planning.soft_value_iteration):
        with pytest.raises((ValueError, TypeError), match="tol is .*positive"):
            solve(WORLD, tol=tol)


@pytest.mark.parametrize(
    ("reward", "says"),
    [
        ([0.0, 1.0], r"reward has shape \(2,\).*\(\.\.\., 2, 2\)"),
        (np.zeros((2, 3)), r"reward has shape \(2, 3\).*\(\.\.\., 2, 2\)"),
        (0.0, r"reward has shape \(\)"),
        ([[0, 1], [NAN, 0]], r"reward\[1, 0\] is nan.*finite"),
        ([[0, 1], [0, -INF]], r"reward\[1, 1\] is -inf.*finite"),
        ([[0, 1], [0]], "reward"),
        ([["a", "b"], ["c", "d"]], "reward"),
        (EVEN + 0j, "reward"),
    ],
)  # fmt: skip
def test_a_reward_in_place_of_the_world_s_is_checked(reward, says):
    wrong = pytest.raises((ValueError, TypeError), match=says)
    for call in (*PLANNERS.values(), lambda m, **k: planning.evaluate(m, EVEN, **k),
                 lambda m, **k: planning.expected_return(m, EVEN, horizon=2, **k),
                 lambda m, **k: planning.q_values(m, [0.0, 0.0], **k)):
        with wrong:
            call(WORLD, reward=reward)


def test_newton_takes_one_reward_at_a_time():
    with pytest.raises(ValueError, match=r"reward has shape \(3, 2, 2\).*one.*\(2, 2\)"):
        planning.soft_policy_iteration(WORLD, reward=np.zeros((3, 2, 2)))


def test_values_that_fit_no_world_are_refused():
    with pytest.raises(ValueError, match=r"values has shape \(3,\).*2\)"):
        planning.q_values(WORLD, np.zeros(3))
