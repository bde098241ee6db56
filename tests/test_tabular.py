"""Gymnasium's tables as MDPs, against loops over the tables and the games themselves."""

from collections import defaultdict
from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from imitlib import planning
from imitlib.envs.tabular import TabularEnv, to_mdp
from imitlib.mdp import MDP

WORLDS = {
    "lake": ("FrozenLake-v1", {}),
    "dry lake": ("FrozenLake-v1", {"is_slippery": False}),
    "large lake": ("FrozenLake-v1", {"map_name": "8x8"}),
    "paid lake": ("FrozenLake-v1", {"success_rate": 0.7, "reward_schedule": (5, -2, -1)}),
    "cliff": ("CliffWalking-v1", {}),
    "slippery cliff": ("CliffWalking-v1", {"is_slippery": True}),
    "taxi": ("Taxi-v4", {}),
    "rainy taxi": ("Taxi-v4", {"is_rainy": True, "rainy_probability": 0.7}),
}
FICKLE = {
    "fickle taxi": ("Taxi-v4", {"fickle_passenger": True}),
    "fickle rainy taxi": ("Taxi-v4", {"fickle_passenger": True, "is_rainy": True,
                                      "fickle_probability": 0.6}),
}


def make(name):
    spec, rules = (WORLDS | FICKLE)[name]
    return gym.make(spec, **rules)


def looped_values(table, discount, sweeps):
    """Value iteration as Gymnasium's table is meant: a terminated outcome is the last."""
    values = dict.fromkeys(table, 0.0)
    for _ in range(sweeps):
        values = {
            s: max(sum(p * (r + (0.0 if over else discount * values[t]))
                       for p, t, r, over in outcomes)
                   for outcomes in table[s].values())
            for s in table
        }
    return np.array([values[s] for s in range(len(table))])


@pytest.mark.parametrize("name", WORLDS)
def test_every_outcome_of_the_table_is_there_and_no_other(name):
    table, mdp = make(name).unwrapped.P, to_mdp(make(name), 0.9)
    end = len(table)
    dense = mdp.dense() if end < 100 else None
    for s in table:
        for a in table[s]:
            chance, paid = defaultdict(float), 0.0
            for p, t, r, over in table[s][a]:
                chance[end if over else t] += p
                paid += p * r
            row = mdp.matrix[[s * mdp.n_actions + a]].toarray()[0]
            if dense is not None:
                assert (row == dense[s, a]).all()
            assert {t: row[t] for t in np.flatnonzero(row)} == pytest.approx(
                {t: p for t, p in chance.items() if p})
            assert mdp.reward[s, a] == pytest.approx(paid)
    assert mdp.terminal[end] and mdp.n_states == end + 1 and mdp.discount == 0.9


@pytest.mark.parametrize("name", WORLDS)
def test_planning_agrees_with_a_loop_over_the_table(name):
    env = make(name)
    plan = planning.value_iteration(to_mdp(env, 0.9))
    looped = looped_values(env.unwrapped.P, 0.9, 230)
    assert plan.values[:-1] == pytest.approx(looped, abs=20 * 0.9**230 / 0.1 + 1e-8)
    assert plan.values[-1] == 0


def test_terminated_outcomes_end_where_the_table_would_go_on():
    """In Taxi and CliffWalking the successor of the last move has moves of its own."""
    for name in ("taxi", "cliff"):
        table = make(name).unwrapped.P
        last = {t for s in table for a in table[s]
                for _, t, _, over in table[s][a] if over}
        goes_on = [t for t in last if any(u != t for a in table[t]
                                          for _, u, _, _ in table[t][a])]
        assert goes_on
        mdp = to_mdp(make(name))
        arrives = np.unique(mdp.transitions[np.arange(mdp.n_states - 1)])
        assert mdp.n_states - 1 in arrives
        assert not mdp.terminal[goes_on].any()


@pytest.mark.parametrize("name", [*WORLDS, *FICKLE])
def test_the_game_itself_does_what_the_mdp_says(name):
    """From drawn states, with its hidden bit set by hand, the real `step` is played."""
    env, rng, draws = make(name), np.random.default_rng(3), 60
    env.reset(seed=4)
    env = env.unwrapped
    mdp, n, fickle = to_mdp(env), len(env.P), name in FICKLE
    likely = expected = variance = paid = due = spread = 0.0
    for _ in range(150):
        s, a, bit = rng.integers(n), int(rng.integers(mdp.n_actions)), 0
        if fickle:
            bit = int(rng.integers(2))
            if rng.random() < 0.8:  # the passenger is inside, where it matters
                s = s // 20 * 20 + 16 + s % 4
        here = int(s) + bit * n
        row = mdp.matrix[[here * mdp.n_actions + a]].toarray()[0]
        best, rewards = row.argmax(), []
        for _ in range(draws):
            env.s, env.lastaction = int(s), None
            if fickle:
                env.fickle_step = bool(bit)
            t, r, over, _, _ = env.step(a)
            state = mdp.n_states - 1 if over else t + n * bool(fickle and env.fickle_step)
            assert row[state] > 0
            likely += state == best
            rewards.append(r)
        expected += draws * row[best]
        variance += draws * row[best] * (1 - row[best])
        paid, due = paid + np.mean(rewards), due + mdp.reward[here, a]
        spread += np.var(rewards) / draws
    assert abs(likely - expected) <= 4.5 * np.sqrt(variance) + 1e-9
    assert abs(paid - due) <= 4.5 * np.sqrt(spread) + 1e-9


@pytest.mark.parametrize("name", [*WORLDS, *FICKLE])
def test_episodes_begin_where_they_begin(name):
    env = make(name)
    mdp, n = to_mdp(env), len(env.unwrapped.P)
    counts = np.zeros(mdp.n_states)
    for seed in range(400):
        s, _ = env.reset(seed=seed)
        counts[s + n * bool(getattr(env.unwrapped, "fickle_step", False))] += 1
    assert (mdp.start[counts > 0] > 0).all()
    second = mdp.start[n:-1].sum()
    assert abs(counts[n:].sum() - 400 * second) <= 4.5 * np.sqrt(400 * second * (1 - second))
    by_bit = mdp.start[:-1].reshape(-1, n).sum(0)
    assert by_bit == pytest.approx(env.unwrapped.initial_state_distrib)


def test_a_lake_is_crossed_fourteen_times_in_seventeen():
    """The fractions next to the loop's answer satisfy Bellman's equation exactly."""
    table, third = make("lake").unwrapped.P, Fraction(1, 3)
    looped = looped_values(table, 1.0, 3000)
    exact = [Fraction(v).limit_denominator(100) for v in looped]
    for s in table:
        best = max(sum((third if len(rows) == 3 else 1)
                       * (Fraction(r) + (0 if over else exact[t]))
                       for _, t, r, over in rows) for rows in table[s].values())
        assert exact[s] == best
    assert exact[0] == Fraction(14, 17)
    assert looped == pytest.approx([float(v) for v in exact], abs=1e-9)
    plan = planning.value_iteration(to_mdp(make("lake")))
    assert plan.values[:16] == pytest.approx([float(v) for v in exact], abs=1e-8)


def test_the_cliff_costs_thirteen():
    mdp = to_mdp(make("cliff"))
    assert mdp.start @ planning.value_iteration(mdp).values == pytest.approx(-13)


def test_a_taxi_earns_twenty_less_the_way():
    """Breadth-first search over the printed map: to the passenger, then to the goal."""
    env = make("taxi").unwrapped
    drawn = [bytes(row).decode() for row in np.asarray(env.desc).view("S11").ravel()]

    def beside(r, c):
        for r2, c2 in ((r - 1, c), (r + 1, c)):
            if 0 <= r2 < 5:
                yield r2, c2
        if drawn[r + 1][2 * c + 2] == ":":
            yield r, c + 1
        if drawn[r + 1][2 * c] == ":":
            yield r, c - 1

    def distances(start):
        far, front = {start: 0}, [start]
        for cell in front:
            for other in beside(*cell):
                if other not in far:
                    far[other] = far[cell] + 1
                    front.append(other)
        return far

    ways = {place: distances(place) for place in env.locs}
    mdp = to_mdp(env)
    values = planning.value_iteration(mdp).values
    for s in np.flatnonzero(mdp.start):
        row, column, waits, goal = env.decode(int(s))
        steps = (ways[env.locs[waits]][row, column] + 1
                 + ways[env.locs[goal]][env.locs[waits]] + 1)
        assert values[s] == pytest.approx(20 - (steps - 1))


class Table(gym.Env):
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(1)

    def __init__(self, table):
        self.P = table


@pytest.mark.parametrize("table, said", [
    ({}, "0 states"),
    ({0: {}}, "0 actions"),
    ({0: {0: [(0.5, 0, 0.0, False)]}}, r"P\[0\]\[0\] sums to 0.5"),
    ({0: {0: []}}, r"P\[0\]\[0\] sums to 0;"),
    ({0: {0: [(1.5, 0, 0.0, False), (-0.5, 0, 0.0, False)]}}, "probability -0.5"),
    ({0: {0: [(np.nan, 0, 0.0, False)]}}, "sums to nan"),
    ({0: {0: [(1.0, 3, 0.0, False)]}}, "leads to 3"),
    ({0: {0: [(1.0, 0, 0.0, True)]}, 1: {1: [(1.0, 0, 0.0, True)]}}, r"P\[1\] must list"),
    ({0: {0: [(1.0, 0, 0.0, True)]}, 2: {0: [(1.0, 0, 0.0, True)]}}, r"P\[1\] must list"),
    ({0: {0: [(1.0, 0, np.inf, True)]}}, "reward"),
])
def test_a_table_that_is_none_is_refused(table, said):
    with pytest.raises(ValueError, match=said):
        to_mdp(Table(table))


def test_a_world_without_a_table_is_refused_and_one_without_a_start_begins_in_0():
    with pytest.raises(TypeError, match="no table of outcomes"):
        to_mdp(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match="discount"):
        to_mdp(make("cliff"), 1.1)
    mdp = to_mdp(Table({s: {0: [(1.0, 1, 2.0, s == 1)]} for s in (0, 1)}), 0.5)
    assert mdp.start.tolist() == [1, 0, 0] and mdp.transitions.tolist() == [[1], [2], [2]]
    assert mdp.reward.tolist() == [[2], [2], [0]]


# The other way ----------------------------------------------------------------------


def chain():
    """0 -> 1 -> 2, where it ends; action 1 fails half the time; action 0 stays."""
    ahead = np.zeros((3, 2, 3))
    ahead[:, 0] = np.eye(3)
    ahead[0, 1, [0, 1]] = ahead[1, 1, [1, 2]] = 0.5
    ahead[2, 1, 2] = 1
    return MDP(ahead, [[0, -1.0], [0.5, -2.0], [0, 0]], 0.9, [0.75, 0.25, 0])


def test_gymnasium_accepts_any_mdp():
    check_env(TabularEnv(chain(), horizon=7), skip_render_check=True)
    check_env(TabularEnv(to_mdp(make("lake"))), skip_render_check=True)


def test_episodes_of_an_mdp_follow_it():
    """Entering 2 terminates; steps needed are two geometric waits; starts as given."""
    env = TabularEnv(chain())
    first, steps = [], []
    for seed in range(1500):
        state, _ = env.reset(seed=seed)
        first.append(state)
        over, n = False, 0
        while not over:
            before = state
            state, reward, over, cut, _ = env.step(1)
            assert reward == (-1.0, -2.0)[before] and not cut
            assert over == (state == 2) and state - before in (0, 1)
            n += 1
        steps.append(n)
    first, steps = np.array(first), np.array(steps)
    assert abs((first == 0).mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 1500)
    # each wait has mean 2 and variance 2; from 0 there are two of them
    assert abs(steps[first == 0].mean() - 4) < 4 * np.sqrt(4 / (first == 0).sum())
    assert abs(steps[first == 1].mean() - 2) < 4 * np.sqrt(2 / (first == 1).sum())


def test_a_horizon_cuts_and_an_end_is_no_cut():
    env = TabularEnv(chain(), horizon=3)
    env.reset(seed=0, options={"state": 0})
    assert [env.step(0)[2:4] for _ in range(3)] == [(False, False)] * 2 + [(False, True)]
    sure = MDP([[1], [2], [2]], [[1.0], [1.0], [0.0]], 1.0)
    env = TabularEnv(sure, horizon=2)
    env.reset()
    assert env.step(0)[:4] == (1, 1.0, False, False)
    assert env.step(0)[:4] == (2, 1.0, True, False)


def test_the_same_seed_gives_the_same_episode():
    def play(seed):
        env = TabularEnv(to_mdp(make("lake")), horizon=30)
        return [env.reset(seed=seed)[0]] + [env.step(k % 4)[0] for k in range(30)]

    assert play(5) == play(5) and len({tuple(play(s)) for s in range(9)}) > 1


def test_bad_use_is_named():
    env = TabularEnv(chain())
    env.reset()
    for action in (2, -1, 0.5):
        with pytest.raises(ValueError, match="action is"):
            env.step(action)
    with pytest.raises(ValueError, match="options"):
        env.reset(options={"state": 3})
    with pytest.raises(ValueError, match="horizon is 0"):
        TabularEnv(chain(), horizon=0)
    with pytest.raises(ValueError, match="render_mode is 'human'"):
        TabularEnv(chain(), render_mode="human")
