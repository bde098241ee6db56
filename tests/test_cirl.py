"""Assistance games against Bayes by hand, brute force, play itself and closed forms."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from imitlib.chapters.ch09 import asks, game
from imitlib.cirl import (
    Game,
    Impossible,
    OneShot,
    Play,
    adapted,
    assistance,
    exhaustive,
    follow,
    full_information,
    given,
    if_rewards_were_sent,
    meal_choice,
    no_sharing,
    office,
    play,
    random_game,
    random_one_shot,
    subsets,
    update,
    wormy_apples,
)
from imitlib.cirl import plans as by_plans
from imitlib.cirl.belief import one_hot

# Beliefs ------------------------------------------------------------------------------


def test_a_belief_moves_by_bayes_rule():
    """A third, a third, a third; she does this in 1/2, 1/4 and no cases."""
    rule = [[0.5, 0.5], [0.25, 0.75], [0, 1]]
    got = update(np.ones(3) / 3, rule, 0)
    np.testing.assert_allclose(got, [2 / 3, 1 / 3, 0])


def test_the_order_of_what_is_seen_does_not_matter():
    rng = np.random.default_rng(0)
    belief, rules = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3), size=(5, 4))
    acts, turned = rng.integers(3, size=5), rng.permutation(5)
    np.testing.assert_allclose(follow(belief, rules, acts),
                               follow(belief, rules[turned], acts[turned]))  # fmt: skip


def test_deterministic_rules_only_rule_goals_out():
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    got = follow(prior, [one_hot([0, 0, 1, 0], 2), one_hot([1, 0, 0, 1], 2)], [0, 1])
    np.testing.assert_allclose(got, given(prior, [True, False, False, True]))
    np.testing.assert_allclose(got, [0.2, 0, 0, 0.8])


def test_the_impossible_is_an_error_or_what_the_caller_says():
    rule = one_hot([0, 0], 2)
    with pytest.raises(Impossible, match="action 1 has probability 0"):
        update([0.5, 0.5], rule, 1)
    np.testing.assert_array_equal(update([0.5, 0.5], rule, 1, off_path=[0.9, 0.1]), [0.9, 0.1])
    with pytest.raises(Impossible, match="probability 0"):
        given([0, 1], [True, False])


@pytest.mark.parametrize(
    ("belief", "rule", "action", "more", "words"),
    [
        ([0.5, 0.4], np.eye(2), 0, {}, "belief sums to 0.9"),
        ([1.5, -0.5], np.eye(2), 0, {}, "belief holds -0.5"),
        ([[1.0]], np.eye(2), 0, {}, "belief has shape"),
        ([1.0], np.eye(2), 0, {}, r"rule has shape \(2, 2\)"),
        ([0.5, 0.5], [[1, 0], [0.5, 0.4]], 0, {}, r"rule\[1\] sums to 0.9"),
        ([0.5, 0.5], np.eye(2), 2, {}, "action is 2"),
        ([0.5, 0.5], [[1, 0], [1, 0]], 1, {"off_path": [0.5, 0.6]}, "off_path sums to 1.1"),
        ([0.5, np.nan], np.eye(2), 0, {}, "belief holds nan"),
    ],
)
def test_what_is_no_belief(belief, rule, action, more, words):
    with pytest.raises(ValueError, match=words):
        update(belief, rule, action, **more)


def test_other_bad_input_about_beliefs():
    with pytest.raises(ValueError, match="actions is"):
        one_hot([0, 2], 2)
    with pytest.raises(ValueError, match="goals has shape"):
        given([0.5, 0.5], [True])
    np.testing.assert_array_equal(subsets(2).astype(int), [[0, 0], [1, 0], [0, 1], [1, 1]])


def test_several_moves_and_one_of_them_impossible():
    """After the first move two goals are left; neither makes the second."""
    prior, rules = [0.5, 0.3, 0.2], [one_hot([0, 1, 0], 2), one_hot([0, 1, 0], 2), np.eye(3)]
    with pytest.raises(Impossible, match=r"action 1 has probability 0 under .*0\.7142.*, 0\.0, "):
        follow(prior, rules[:2], [0, 1])
    given_up = follow(prior, rules[:2], [0, 1], off_path=[0.1, 0.8, 0.1])
    np.testing.assert_array_equal(given_up, [0.1, 0.8, 0.1])
    np.testing.assert_array_equal(follow(prior, rules, [0, 1, 2], off_path=[0.1, 0.8, 0.1]),
                                  [0, 0, 1])  # fmt: skip
    np.testing.assert_array_equal(follow(prior, [], []), prior)


@pytest.mark.parametrize(
    ("belief", "rules", "actions", "words"),
    [
        ([0.5, 0.5], [np.eye(2)], [0, 1], "rules has 1 entries and actions 2"),
        ([0.5, 0.4], [], [], "belief sums to 0.9"),
        ([0.5, 0.5], [np.eye(2), np.eye(3)], [0, 0], r"rule has shape \(3, 3\)"),
    ],
)
def test_several_moves_that_do_not_fit(belief, rules, actions, words):
    with pytest.raises(ValueError, match=words):
        follow(belief, rules, actions)


# The game -----------------------------------------------------------------------------


def small(seed=0, **changes):
    return random_game(np.random.default_rng(seed), **changes)


def legal_at_random(made, seed):
    """The same game with about half of all actions forbidden."""
    rng = np.random.default_rng(seed)
    may = [rng.random((made.n_states, n)) < 0.5 for n in (made.n_human, made.n_robot)]
    for one in may:
        one[np.arange(len(one)), rng.integers(one.shape[1], size=len(one))] = True
    return replace(made, human_may=may[0], robot_may=may[1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transitions": np.ones((3, 3, 3))}, "transitions has shape"),
        ({"transitions": np.ones((3, 3, 3, 3))}, r"transitions\[0, 0, 0\] sums to 3"),
        ({"reward": np.zeros((3, 3, 2, 3))}, "reward has shape"),
        ({"reward": np.full((3, 3, 3, 3), np.nan)}, "reward holds"),
        ({"prior": [0.5, 0.5]}, r"prior has shape \(2,\)"),
        ({"prior": [0.5, 0.5, 0.5]}, "prior sums to 1.5"),
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": 1.5}, "horizon is 1.5"),
        ({"discount": 0}, "discount is 0"),
        ({"start": 3}, "start is 3"),
        ({"human_may": np.ones((3, 2))}, "human_may has shape"),
        ({"robot_may": np.zeros((3, 3))}, r"robot_may\[0\] allows nothing"),
    ],
)
def test_what_is_no_game(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(small(), **changes)


def test_a_step_tells_the_state_and_nothing_of_its_worth():
    made = small(horizon=2)
    table = Play(made, 1, np.random.default_rng(0))
    states = [0, table.step(2, 0)]
    assert isinstance(states[1], int) and not table.over
    with pytest.raises(ValueError, match="1 steps are left"):
        table.worth()
    states.append(table.step(1, 1))
    expected = made.reward[0, 2, 0, 1] + 0.9 * made.reward[states[1], 1, 1, 1]
    assert table.over and table.worth() == pytest.approx(expected)
    assert made.transitions[states[1], 1, 1, states[2]] > 0
    with pytest.raises(ValueError, match="the game is over"):
        table.step(0, 0)


def test_illegal_moves():
    with pytest.raises(ValueError, match="robot is 1; legal in state 0"):
        Play(random_one_shot(np.random.default_rng(0)).game(), 0, None).step(0, 1)
    with pytest.raises(ValueError, match="human is 3; legal in state 0"):
        Play(small(), 0, None).step(3, 0)
    with pytest.raises(ValueError, match="goal is 5"):
        Play(small(), 5, None)


# The solvers --------------------------------------------------------------------------


def played(made, solution):
    """What the solution is worth when it is played: every goal, in a certain world."""
    rng = np.random.default_rng(0)
    each = [play(made, solution.human_acts, solution.robot_acts, goal, rng).worth()
            for goal in range(made.n_goals)]  # fmt: skip
    return float(made.prior @ each)


@pytest.mark.parametrize("seed", range(4))
def test_a_solution_is_worth_what_it_says_when_it_is_played(seed):
    made = legal_at_random(small(seed, n_goals=4, horizon=4), seed)
    solution = exhaustive(made)
    assert played(made, solution) == pytest.approx(solution.value, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_both_solvers_give_one_value(seed):
    """With chance, with forbidden actions, with a goal of probability 0."""
    made = legal_at_random(small(seed, horizon=3, branches=2, n_goals=4), seed)
    if seed == 0:
        made = replace(made, prior=[0.5, 0, 0.2, 0.3])
    whole, plans = exhaustive(made), adapted(made)
    assert plans.value == pytest.approx(whole.value, abs=1e-12) and plans.bound == 0
    n = made.n_goals
    for k in range(1, 2**n):  # and at every belief that play can reach, in every state
        weight = made.prior[subsets(n)[k]].sum()
        for s, t in product(range(made.n_states), range(made.horizon)):
            if weight:
                got = plans.at(given(made.prior, subsets(n)[k]), s, t)
                assert got == pytest.approx(whole.ahead[t, k, s] / weight, abs=1e-11)


@pytest.mark.parametrize("seed", range(3))
def test_the_value_is_that_of_all_pairs_of_ways_to_play(seed):
    made = small(seed, n_states=2, n_human=2, n_robot=2, n_goals=2, horizon=2, branches=2)
    assert exhaustive(made).value == pytest.approx(game.by_brute_force(made), abs=1e-12)


def test_chance_in_the_moves_adds_nothing():
    """Mixed rules of hers and mixed answers of his, 300 at random, never do better."""
    rng = np.random.default_rng(1)
    made = random_one_shot(rng, 3, 3, 3)
    best = exhaustive(made.game()).value
    for _ in range(300):
        rule, reply = (rng.dirichlet(np.full(3, 0.2), size=3) for _ in range(2))
        value = made.prior @ ((rule * made.hers).sum(axis=1)
                              + (rule @ reply * made.his).sum(axis=1))  # fmt: skip
        assert value < best + 1e-12


def test_the_ladder_of_what_is_known():
    for seed in range(10):
        made = small(seed, horizon=2, branches=2)
        steps = [no_sharing(made), exhaustive(made).value, if_rewards_were_sent(made),
                 full_information(made)]  # fmt: skip
        assert (np.diff(steps) > -1e-12).all()


def test_a_reward_in_sight_by_loops():
    made = small(3, horizon=2, branches=2)
    ahead = made.reward.max(axis=(1, 2))  # at the last step all is known

    def worth(a):
        return sum(made.prior[g] * max(
            made.reward[0, h, a, g] + made.discount * made.transitions[0, h, a] @ ahead[:, g]
            for h in range(3)) for g in range(3))  # fmt: skip

    assert if_rewards_were_sent(made) == pytest.approx(max(map(worth, range(3))))


def test_one_goal_is_full_information_and_one_step_needs_no_listening():
    made = small(2, n_goals=1, horizon=3)
    assert exhaustive(made).value == pytest.approx(full_information(made))
    made = small(2, horizon=1)
    assert exhaustive(made).value == pytest.approx(no_sharing(made))


def test_what_is_tried_is_counted():
    """Σ over sets of |A_H|^|U| rules, for each action of his, state and step."""
    made = small(0, n_states=2, n_human=3, n_robot=2, n_goals=4, horizon=3)
    assert exhaustive(made).tried == (4**4 - 1) * 2 * 2 * 3


@pytest.mark.parametrize("seed", range(5))
def test_few_beliefs_lose_no_more_than_the_bound(seed):
    rng = np.random.default_rng(seed)
    made = small(seed, n_goals=4, horizon=3, branches=2)
    exact, sets = exhaustive(made).value, subsets(4)[1:]
    for k in (1, 3, 8, 14):
        some = [given(made.prior, u) for u in sets[rng.permutation(15)[:k]]]
        rough = adapted(made, some)
        assert rough.value - 1e-12 <= exact <= rough.value + rough.bound + 1e-12


def test_the_bound_is_the_formula_where_that_is_smaller():
    """Two goals, one step, one belief: distance 1, one drop, the range of rewards."""
    reward = np.array([[0.0, 0.01], [1.0, 0.0]])[None, None]
    made = Game(np.ones((1, 1, 2, 1)), reward, [0.5, 0.5], 1)
    rough = adapted(made, [[0.5, 0.5]])
    assert rough.value == pytest.approx(0.5) and rough.bound == pytest.approx(0.005)
    close = adapted(replace(made, prior=[0.999, 0.001]), [[0.999, 0.001], [1, 0], [0.01, 0.99]])
    assert close.bound <= 0.02 * 1 + 1e-12  # the corner (0, 1) is 0.02 away
    with pytest.raises(ValueError, match=r"beliefs\[0\] sums to 0.9"):
        adapted(made, [[0.5, 0.4]])
    with pytest.raises(ValueError, match="beliefs is empty"):
        adapted(made, [])


@pytest.mark.parametrize("n_human", [1, 3])
def test_the_bound_adds_up_every_drop_and_discounts_it(n_human):
    """Two steps at 0.9; a move leads to two states: 1 drop, and 1 for each choice of hers."""
    made = Game(np.full((2, n_human, 2, 2), 0.5), 0.01 * np.random.default_rng(0).random(
        (2, n_human, 2, 2)) + np.eye(2), [0.5, 0.5], 2, discount=0.9)  # fmt: skip
    rough = adapted(made, [[0.5, 0.5]])
    drops, spread = 1 + max(n_human - 1, 1), np.ptp(made.reward)
    formula = drops * spread * (1 + 0.9) + 0.9 * drops * spread  # the belief is 1 from a corner
    assert rough.bound == pytest.approx(min(formula, full_information(made) - rough.value))
    assert by_plans._lacking(made, np.eye(2), np.array([[0.5, 0.5]])) == pytest.approx(formula)


def test_scores_are_plans_times_beliefs():
    """One step, one state, two goals, three actions of hers and two of his; 3 beliefs.

    For each of his: 3 worths to make from an empty plan, and 2 maxima of one pair each.
    """
    made = small(0, n_states=1, n_robot=2, n_goals=2, horizon=1)
    plans = adapted(made)
    assert plans.tried == 2 * (3 + 2) and plans.scored == (plans.tried + 2) * 3
    assert adapted(made, [made.prior]).scored == plans.tried + 2


def every_plan(made, steps, state):
    """Rollo's deterministic plans as (act, {(her act, next state): plan})."""
    if steps == 0:
        yield None
        return
    for act in np.flatnonzero(made.robot_may[state]):
        seen = [(h, ahead) for h in np.flatnonzero(made.human_may[state])
                for ahead in np.flatnonzero(made.transitions[state, h, act])]  # fmt: skip
        for after in product(*[list(every_plan(made, steps - 1, ahead)) for _, ahead in seen]):
            yield act, dict(zip(seen, after))


def her_worth(made, plan, state, goal, temperature):
    """The plan's worth to a Hana who errs, by recursion over what may happen."""
    if plan is None:
        return 0.0
    act, after = plan
    q = {h: made.reward[state, h, act, goal] for h in np.flatnonzero(made.human_may[state])}
    for (h, ahead), rest in after.items():
        q[h] += made.discount * made.transitions[state, h, act, ahead] * her_worth(
            made, rest, ahead, goal, temperature)  # fmt: skip
    odds = {h: math.exp(one / temperature) for h, one in q.items()}
    return sum(odds[h] * q[h] for h in q) / sum(odds.values())


@pytest.mark.parametrize(
    ("seed", "temperature", "changes"),
    [(0, 0.5, {"branches": 2}), (1, 2.0, {"branches": 2, "n_goals": 3}), (2, 1.0, {"horizon": 3}),
     (3, 0.3, {"n_human": 3, "n_robot": 3}), (4, 1.0, {"n_human": 3, "branches": 2})],
)  # fmt: skip
def test_her_slips_against_every_plan(seed, temperature, changes):
    rules = {"n_states": 2, "n_human": 2, "n_robot": 2, "n_goals": 2, "horizon": 2}
    made = small(seed, **rules | changes)
    if seed == 4:
        made = legal_at_random(made, seed)
    goals = range(made.n_goals)
    best = max(made.prior @ [her_worth(made, plan, made.start, g, temperature) for g in goals]
               for plan in every_plan(made, made.horizon, made.start))  # fmt: skip
    plans = adapted(made, temperature=temperature)
    assert plans.value == pytest.approx(best, abs=1e-12) and plans.bound == 0
    some = [made.prior, *np.eye(made.n_goals)]
    rough = adapted(made, some, temperature)
    assert rough.value <= best + 1e-12 <= rough.value + rough.bound + 2e-12
    ends = [adapted(made, temperature=t).value for t in (1e-9, 1e9)]
    assert ends[0] == pytest.approx(exhaustive(made).value, abs=1e-6)
    assert ends[1] == pytest.approx(max(
        made.prior @ [her_worth(made, plan, made.start, g, 1e9) for g in goals]
        for plan in every_plan(made, made.horizon, made.start)))  # fmt: skip


def threatened():
    """One goal. Hana may wait or spill; then Rollo helps, or does her a bad turn.

    To wait costs 1, and then help brings 3. To spill costs nothing, and then help
    brings 1, a bad turn -9: never best, and yet it keeps her hand from slipping.
    """
    P, r = np.zeros((3, 2, 2, 3)), np.zeros((3, 2, 2, 1))
    P[0, 0, :, 1] = P[0, 1, :, 2] = 1
    P[1:, ..., 0] = 1
    r[0, 0], r[1, :, 0], r[2, :, 0], r[2, :, 1] = -1, 3, 1, -9
    may = np.array([[1, 1], [1, 0], [1, 0]], bool)
    return Game(P, r, [1.0], 2, human_may=may, robot_may=may[[1, 0, 0]])


def test_a_threat_is_worth_keeping_and_is_dropped_at_beliefs():
    made, odds = threatened(), math.exp(2 - 1)  # to wait and be helped, over to spill
    kind, odd = (2 * odds + 1) / (odds + 1), math.exp(2 + 9)
    stern = (2 * odd - 9) / (odd + 1)
    assert stern > kind
    assert adapted(made, temperature=1.0).value == pytest.approx(stern)
    assert adapted(made, [[1.0]], 1.0).value == pytest.approx(kind)
    assert adapted(made).value == adapted(made, [[1.0]]).value == 2


@pytest.mark.parametrize("temperature", [-0.1, np.nan, np.inf])
def test_no_temperature(temperature):
    with pytest.raises(ValueError, match=f"temperature is {temperature}; it must be finite"):
        adapted(small(), temperature=temperature)


def test_too_many_plans():
    made = small(0, n_states=2, n_human=4, horizon=4)
    with pytest.raises(ValueError, match="plans for one state.*give fewer beliefs"):
        adapted(made, temperature=1.0)


def test_off_its_path_a_solution_says_nothing():
    made = random_one_shot(np.random.default_rng(0), goals=2).game()
    solution = exhaustive(made)
    used = set(solution.rules[0, -1, 0].tolist())
    unused = [a for a in range(4) if a not in used]
    assert len(used) == 2, "take another game"
    with pytest.raises(Impossible, match="off its path"):
        solution.robot_acts([(0, unused[0], 0)], 1)
    with pytest.raises(Impossible, match="goal 1 does not explain"):
        solution.human_acts([(0, int(solution.rules[0, -1, 0, 0]), 0)], 1, 1)


def test_what_a_solution_is_not_asked():
    """Nothing is taken from the end, and what is legal is said."""
    made = random_one_shot(np.random.default_rng(0), goals=2).game()
    solution, plans = exhaustive(made), adapted(made)
    first = int(solution.rules[0, -1, 0, 0])
    for goal in (-1, 2):
        with pytest.raises(ValueError, match=rf"goal is {goal}; legal: 0 to 1"):
            solution.human_acts([], 0, goal)
    for state in (-1, 2):
        for acts in (solution.robot_acts, lambda *at: solution.human_acts(*at, 0)):
            with pytest.raises(ValueError, match=rf"state is {state}; legal: 0 to 1"):
                acts([], state)
        with pytest.raises(ValueError, match=rf"state is {state}; legal: 0 to 1"):
            solution.goals_left([(state, first, 0)])
        with pytest.raises(ValueError, match=rf"state is {state}; legal: 0 to 1"):
            plans.at(made.prior, state)
    with pytest.raises(ValueError, match="the game is over after 2"):
        solution.robot_acts([(0, first, 0), (1, 0, 0)], 1)
    for step in (-1, 3):
        with pytest.raises(ValueError, match=rf"step is {step}; legal: 0 to 2"):
            plans.at(made.prior, 0, step)


@pytest.mark.parametrize("seed", range(3))
def test_a_goal_of_probability_0_changes_nothing(seed):
    """With it or without it: the value, and how the others are played."""
    made = replace(small(seed, branches=2, horizon=2), prior=[0.6, 0, 0.4])
    without = replace(made, reward=made.reward[..., [0, 2]], prior=[0.6, 0.4])
    whole, less = exhaustive(made), exhaustive(without)
    assert whole.value == pytest.approx(less.value, abs=1e-12)
    assert adapted(made).value == pytest.approx(adapted(without).value, abs=1e-12)
    assert full_information(made) == pytest.approx(full_information(without))
    assert no_sharing(made) == pytest.approx(no_sharing(without))
    np.testing.assert_array_equal(whole.robot[:, 0b101], less.robot[:, 0b11])
    np.testing.assert_array_equal(whole.rules[:, 0b101][..., [0, 2]], less.rules[:, 0b11])
    with pytest.raises(Impossible, match=r"the goals \[1\] have probability 0"):
        given(made.prior, [False, True, False])


@pytest.mark.parametrize("seed", range(3))
def test_a_goal_of_probability_0_can_be_played_and_its_part_is_the_first_legal_move(seed):
    made = replace(legal_at_random(small(seed, branches=2), seed), prior=[0.6, 0, 0.4])
    whole = exhaustive(made)
    table = play(made, whole.human_acts, whole.robot_acts, 1, np.random.default_rng(seed))
    assert np.isfinite(table.worth())
    assert [human for _, human, _ in table.history] == [
        int(made.human_may[state].argmax()) for state, _, _ in table.history]  # fmt: skip
    assert whole.goals_left(table.history) & 0b010
    plans = adapted(made)  # no point was kept for that goal: a value that is attained, no bound
    assert plans.at([0, 1, 0], 0) <= full_information(replace(made, prior=[0, 1, 0])) + 1e-12


def test_a_move_that_no_goal_explains_in_the_middle_of_a_game():
    made = small(1, n_human=4, n_goals=2, horizon=3)
    solution, table = exhaustive(made), Play(made, 0, np.random.default_rng(0))
    table.step(solution.human_acts([], 0, 0), solution.robot_acts([], 0))
    left = solution.goals_left(table.history)
    used = set(solution.rules[1, left, table.state].tolist())
    unused = min({0, 1, 2, 3} - used)
    state = table.state
    table.step(unused, 0)
    assert left and solution.goals_left(table.history) == 0
    with pytest.raises(Impossible, match="no goal explains what she did"):
        solution.robot_acts(table.history, table.state)
    with pytest.raises(Impossible, match="no goal explains what she did"):
        solution.human_acts(table.history, table.state, 0)
    assert solution.goals_left(table.history, stay=True) == left  # who stays takes it for no news
    assert solution.robot_acts(table.history, table.state, stay=True) == int(
        solution.robot[2, left, table.state])
    with pytest.raises(ValueError, match="state is 9; legal: 0 to"):
        solution.robot_acts(table.history, 9, stay=True)
    with pytest.raises(ValueError, match="the game is over after 3"):
        solution.robot_acts([*table.history, (0, 0, 0)], 0, stay=True)
    plans = adapted(made)  # plans answer every move, also one that is never made
    assert np.isfinite(plans.at(made.prior, state, 1))


def test_an_illegal_move_changes_nothing():
    made = legal_at_random(small(4, n_human=4, n_robot=4), 4)
    table = Play(made, 0, np.random.default_rng(0))
    for human, robot in ((int(made.human_may[0].argmin()), int(made.robot_may[0].argmax())),
                         (int(made.human_may[0].argmax()), int(made.robot_may[0].argmin()))):
        with pytest.raises(ValueError, match="legal in state 0"):
            table.step(human, robot)
    assert table.history == [] and table.state == 0 and not table.over


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda made: adapted(made, [[0.5, 0.5]]), r"beliefs\[0\] has shape \(2,\)"),
        (lambda made: adapted(made).at([0.5, 0.5], 0), r"belief has shape \(2,\)"),
        (lambda made: adapted(made).at([0.5, 0.5, 0.5], 0), "belief sums to 1.5"),
    ],
)
def test_beliefs_that_do_not_fit_a_game(call, words):
    with pytest.raises(ValueError, match=words):
        call(small())


# The office ---------------------------------------------------------------------------


def on_a_grid(answers, n=20_001):
    theta = np.linspace(0, 1, n)
    hers, his = np.array(office.HERS), np.array(office.HIS)[list(answers)]
    clips, staples = (hers + his).T
    return (np.outer(theta, clips) + np.outer(1 - theta, staples)).max(axis=1).mean()


def test_every_way_to_answer_against_a_fine_grid():
    for answers in product(range(3), repeat=3):
        assert float(office.response(answers)[1]) == pytest.approx(on_a_grid(answers), abs=0.01)


def test_the_office_with_few_goals_against_the_general_solver():
    """θ in the middle of each of five fifths."""
    theta = (np.arange(5) + 0.5) / 5
    hers, his = (np.outer(theta, np.array(o)[:, 0]) + np.outer(1 - theta, np.array(o)[:, 1])
                 for o in (office.HERS, office.HIS))  # fmt: skip
    made = OneShot(hers, his, np.full(5, 0.2))
    ways = [np.mean((hers + his[:, list(a)]).max(axis=1)) for a in product(range(3), repeat=3)]
    assert exhaustive(made.game()).value == pytest.approx(max(ways))
    assert made.optimum() == pytest.approx(max(ways))


def test_envelopes_of_lines():
    rng = np.random.default_rng(0)
    for _ in range(50):
        lines = [tuple(Fraction(int(x)) for x in rng.integers(-5, 6, 2)) for _ in range(4)]
        pieces = office.envelope(lines)
        assert pieces[0][0] == 0 and pieces[-1][1] == 1
        assert all(a[1] == b[0] and a[2] != b[2] for a, b in zip(pieces, pieces[1:]))
        for low, high, which in pieces:
            for theta in (low, high, (low + high) / 2):
                assert office.at(lines[which], theta) == max(office.at(one, theta) for one in lines)


def test_the_office_by_hand():
    """She orders by halves: after staples the mean is 1/4 and he orders 90 of them."""
    assert office.answer(office.literal()) == (0, 1, 2)
    assert office.worth(office.literal(), (0, 1, 2)) == Fraction(92 * 3, 4)
    assert 92 * (1 - game.LOW) == 51 == 92 * game.HIGH
    thirds = [(Fraction(k, 3), Fraction(k + 1, 3), k) for k in range(3)]
    assert office.worth(thirds, office.answer(thirds)) == Fraction(613, 9)
    with pytest.raises(ValueError, match="answers is"):
        office.response((0, 1))


# One signal, one act ------------------------------------------------------------------


def test_one_shot_against_loops_and_the_general_solver():
    for seed in range(10):
        made = random_one_shot(np.random.default_rng(seed), 3, 3, 3)
        ways, goals = [], range(3)
        for reply in product(range(3), repeat=3):
            ways.append(np.mean([max(made.hers[g, m] + made.his[g, reply[m]] for m in goals)
                                 for g in goals]))  # fmt: skip
        assert made.optimum() == pytest.approx(max(ways))
        assert exhaustive(made.game()).value == pytest.approx(max(ways))
        assert adapted(made.game()).value == pytest.approx(max(ways))
        assert full_information(made.game()) == pytest.approx(made.informed())
        assert no_sharing(made.game()) == pytest.approx(made.deaf())


def test_who_answers_whom_in_a_game_worked_out_by_hand():
    """Her own step hardly tells; one that costs her 1 would; he stakes 10."""
    hers = np.array([[1.0, 0.0, -9], [1.1, 0.0, -9]])  # literal: the first for both goals
    his = np.array([[10.0, 0.0], [0.0, 10.0]])
    made = OneShot(hers, his, [0.6, 0.4])
    assert made.literal_human().tolist() == [0, 0]
    answers = made.answers([0, 0])
    assert answers.tolist() == [0, 0, 0]  # the prior favours the first goal, off path too
    certain = made.answers([0, 0], off_path=[0, 1])
    assert certain.tolist() == [0, 1, 1]
    assert made.response(certain).tolist() == [0, 1]
    assert made.value([0, 1], certain) == pytest.approx(0.6 * 11 + 0.4 * 10)
    assert made.optimum() == pytest.approx(0.6 * 11 + 0.4 * 10)
    assert made.deaf() == pytest.approx(1.04 + 6) and made.informed() == pytest.approx(11.04)
    assert made.settled() == pytest.approx(made.deaf())  # believing the prior, she never tries
    pairs = made.pairs(off_path=[0, 1])
    assert pairs["literal_literal"] == pytest.approx(7.04)
    assert pairs["pedagogic_pragmatic"] == pytest.approx(10.6)


def test_one_shot_bad_input():
    with pytest.raises(ValueError, match="hers has shape"):
        OneShot(np.zeros((2, 3)), np.zeros((3, 3)), [0.5, 0.5])
    with pytest.raises(ValueError, match="prior sums to"):
        OneShot(np.zeros((2, 3)), np.zeros((2, 3)), [0.5, 0.6])
    with pytest.raises(ValueError, match="off_path sums to"):
        assistance.random_one_shot(np.random.default_rng(0)).answers([0] * 4, [1, 1, 0, 0])
    made = random_one_shot(np.random.default_rng(0), 3, 4, 5)
    with pytest.raises(ValueError, match=r"rule has shape \(4,\); .* 3 goals"):
        made.answers([0] * 4)
    with pytest.raises(ValueError, match=r"actions is \[0, 4, 0\]; give one of 0 to 3"):
        made.answers([0, 4, 0])
    with pytest.raises(ValueError, match=r"answers has shape \(3,\); .* 4 actions"):
        made.response([0] * 3)


# The kitchens -------------------------------------------------------------------------


def test_the_kitchens_on_paper():
    """The values written out as numbers, from the rules alone."""
    assert exhaustive(wormy_apples(1.0)).value == pytest.approx(2 - 0.2 * 0.1)
    assert exhaustive(wormy_apples(1.0, asks_first=True)).value == pytest.approx(1.9)
    assert exhaustive(wormy_apples(1.0, cost=9)).value == pytest.approx(2 - 0.2)
    assert exhaustive(wormy_apples(1.0, cost=9, wrong=9)).value == pytest.approx(1.6)
    assert exhaustive(meal_choice(1.0)).value == pytest.approx(1.9)
    assert exhaustive(meal_choice(1.0, cost=9)).value == pytest.approx(1.625)
    assert exhaustive(meal_choice(1.0, opens=20)).value == pytest.approx(1.625)


def test_he_asks_only_about_worms_and_makes_the_dough_meanwhile():
    made = wormy_apples()
    solution = exhaustive(made)

    class Seen:
        acts = []

    def robot(history, state):
        Seen.acts.append(solution.robot_acts(history, state))
        return Seen.acts[-1]

    def acts(game, goal, seed):
        Seen.acts = []
        play(game, solution.human_acts, robot, goal, np.random.default_rng(seed))
        return Seen.acts

    runs = {tuple(acts(made, goal, seed)) for goal in (0, 1) for seed in range(30)}
    assert runs == {(1, 5, 0, 0, 0, 0), (1, 2, 0, 3, 5, 0), (1, 2, 0, 4, 5, 0)}
    late = meal_choice(opens=3)
    solution = exhaustive(late)
    runs = {goal: acts(late, goal, 0)[:6] for goal in (0, 1)}
    for goal, done in runs.items():
        assert done.count(1) == 1 and done.index(1) < 5 and done.index(2) == 3
        assert done[5] == 3 + goal


def test_thresholds_of_the_kitchens_by_bisection():
    price = asks.wormy_threshold(0.9, 2.0)
    for cost, asked in ((price - 1e-6, True), (price + 1e-6, False)):
        assert asks.asks_about_worms(0.9, cost, 2.0) is asked
        v = asks.wormy_values(0.9, cost, 2.0, 0.8)
        assert (v["ask"] > max(v["guess"], v["leave"])) is asked
    turn = asks.meal_threshold(0.95, 0.1, 0.875, 1.0)
    v = asks.meal_values(0.95, 0.1, turn, 0.875, 1.0)
    assert v["ask"] == pytest.approx(v["guess"]) and 1 < turn < 2
    assert asks.meal_threshold(0.95, 0.1, 0.5, 9.0) == np.inf
    assert asks.meal_threshold(0.95, 9.0, 0.875, 1.0) == -np.inf
