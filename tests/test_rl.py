"""The learners on problems whose answer is known, and step by step against a replay."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from imitlib import planning
from imitlib.demonstrations import record
from imitlib.envs.tabular import TabularEnv
from imitlib.mdp import MDP
from imitlib.rl import CountSteps, episode_gradient, q_learning, r_max, reinforce
from imitlib.tabular_experts import acting, walk


def rng(seed=0):
    return np.random.default_rng(seed)


class Diary(gym.Wrapper):
    """Everything that happened: (state, action, reward, next, terminated, truncated)."""

    def __init__(self, env):
        super().__init__(env)
        self.pages, self.seeds = [], []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.here, info = self.env.reset(seed=seed, options=options)
        return self.here, info

    def step(self, action):
        before, out = self.here, self.env.step(action)
        self.here, reward, terminated, truncated, _ = out
        self.pages.append((before, action, reward, self.here, terminated, truncated))
        return out

    def episodes(self):
        story = []
        for page in self.pages:
            story.append(page)
            if page[4] or page[5]:
                yield story
                story = []


class Bandit(gym.Env):
    """One state; an arm pays its mean, with noise. One pull ends or cuts the episode."""

    observation_space = spaces.Discrete(1)

    def __init__(self, means, noise=1.0, ends=True):
        self.means, self.noise, self.ends = means, noise, ends
        self.action_space = spaces.Discrete(len(means))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        reward = self.means[action] + self.noise * self.np_random.normal()
        return 0, reward, self.ends, not self.ends, {}


class Renumbered(gym.Wrapper):
    """The same world, with states counted from 5 and actions from -2."""

    def __init__(self, env):
        super().__init__(env)
        self.observation_space = spaces.Discrete(env.observation_space.n, start=5)
        self.action_space = spaces.Discrete(env.action_space.n, start=-2)

    def reset(self, *, seed=None, options=None):
        seen, info = self.env.reset(seed=seed, options=options)
        return seen + 5, info

    def step(self, action):
        seen, *rest = self.env.step(action + 2)
        return seen + 5, *rest


def corridor(n=6, discount=0.9):
    """0 steps back, 1 steps on; a step costs 0.1, the last cell is the end and pays 1."""
    cells = np.arange(n)
    ahead = np.stack([np.maximum(cells - 1, 0), np.minimum(cells + 1, n - 1)], axis=1)
    ahead[-1] = n - 1
    reward = np.full((n, 2), -0.1)
    reward[-2, 1], reward[-1] = 1.0, 0.0
    return MDP(ahead, reward, discount, 0)


def slippery(seed=3, n_states=4, n_actions=3, discount=0.8):
    """A random world where each step ends the story with chance 0.3 or more."""
    luck = rng(seed)
    chance = luck.dirichlet(np.ones(n_states), size=(n_states, n_actions))
    chance[..., -1] += 0.4
    chance /= chance.sum(axis=2, keepdims=True)
    chance[-1], reward = np.eye(n_states)[-1], luck.normal(size=(n_states, n_actions))
    reward[-1] = 0
    start = np.append(np.ones(n_states - 1), 0) / (n_states - 1)
    return MDP(chance, reward, discount, start)


# Q-learning -------------------------------------------------------------------------


def test_two_states_in_closed_form_cut_every_three_steps():
    """γ = 1/2: waiting in 1 pays 2 for ever, worth 4; going there pays 1, worth 3."""
    world = MDP([[0, 1], [1, 0]], [[0, 1], [2, 0]], discount=0.5, start=0)
    got = q_learning(TabularEnv(world, horizon=3), 3000, rng(), discount=0.5,
                     step_size=1.0, epsilon=1.0)
    np.testing.assert_allclose(got.q, [[1.5, 3], [4, 1.5]], atol=1e-6)
    assert got.policy.tolist() == [[0, 1], [1, 0]]


def test_a_corridor_explored_throughout_gives_the_planners_q():
    world = corridor()
    got = q_learning(TabularEnv(world), 20_000, rng(), discount=0.9, step_size=1.0,
                     epsilon=1.0)
    plan = planning.value_iteration(world)
    np.testing.assert_allclose(got.q, planning.q_values(world, plan.values), atol=1e-6)
    assert (got.policy[:-1] == plan.policy[:-1]).all()
    assert got.policy[-1].tolist() == [0.5, 0.5]  # never acted in: all look alike


def test_a_slippery_world_is_learned_with_falling_step_sizes():
    world = slippery()
    got = q_learning(TabularEnv(world), 30_000, rng(), discount=0.8,
                     step_size=lambda n: 1 / n**0.8, epsilon=1.0)
    exact = planning.q_values(world, planning.value_iteration(world).values)
    np.testing.assert_allclose(got.q, exact, atol=0.05)


def test_step_size_one_over_n_gives_sample_means():
    env = Diary(Bandit([0.0, 0.5, 1.0]))
    got = q_learning(env, 500, rng(), step_size=lambda n: 1 / n, epsilon=0.5,
                     initial=50.0)
    arm, paid = np.array([page[1:3] for page in env.pages]).T
    means = [paid[arm == a].mean() for a in range(3)]
    np.testing.assert_allclose(got.q[0], means, rtol=1e-12)


@pytest.mark.parametrize(("ends", "worth"), [(True, 1.0), (False, 10.0)])
def test_the_future_is_lost_at_an_end_and_not_at_a_time_limit(ends, worth):
    got = q_learning(Bandit([1.0], 0.0, ends), 500, rng(), discount=0.9, step_size=1.0)
    assert got.q[0, 0] == pytest.approx(worth)


def replayed(pages, steps, initial, discount, step_size):
    """The textbook's line, from the diary; also whether each action was the best."""
    q, n, best = np.full((4, 3), initial), np.zeros((4, 3)), []
    for s, a, r, after, terminated, _ in pages[:steps]:
        best.append(q[s, a] == q[s].max() if len(set(q[s])) == 3 else np.nan)
        n[s, a] += 1
        target = r if terminated else r + discount * q[after].max()
        q[s, a] = (1 - step_size(n[s, a])) * q[s, a] + step_size(n[s, a]) * target
    return q, np.array(best)


def test_every_update_is_the_textbooks():
    env = Diary(TabularEnv(slippery(), horizon=4))
    got = q_learning(env, 3000, rng(5), discount=0.7, step_size=lambda n: 2 / (n + 1),
                     epsilon=0.3, initial=0.2)
    q, _ = replayed(env.pages, 3000, 0.2, 0.7, lambda n: 2 / (n + 1))
    assert len(env.pages) == 3000
    np.testing.assert_allclose(got.q, q, rtol=1e-10)
    cut = [page for page in env.pages if page[5] and not page[4]]
    assert len(cut) > 50  # both ways for an episode to stop were met


def test_the_best_action_is_taken_as_often_as_epsilon_says():
    env = Diary(TabularEnv(slippery()))
    q_learning(env, 10_000, rng(), discount=0.7, epsilon=0.3, step_size=0.05)
    _, best = replayed(env.pages, 10_000, 0.0, 0.7, lambda n: 0.05)
    best = best[~np.isnan(best)]
    assert len(best) > 5000
    assert best.mean() == pytest.approx(1 - 0.3 * 2 / 3, abs=4 * (0.16 / len(best)) ** 0.5)


def test_epsilon_may_follow_the_budget():
    env = Diary(Bandit([0.0, 0.0, 1.0], noise=0.0))
    asked = []

    def fading(spent):
        asked.append(spent)
        return float(spent < 0.5)

    q_learning(env, 3000, rng(), epsilon=fading)
    arm = np.array([page[1] for page in env.pages])
    np.testing.assert_allclose(np.bincount(arm[:1500]), 500, atol=4 * 333**0.5)
    assert (arm[1500:] == 2).all()
    np.testing.assert_allclose(asked, np.arange(3000) / 3000)


def test_of_equals_one_is_drawn():
    """Nothing is ever paid and nothing explored: only ties decide."""
    env = Diary(Bandit([0.0, 0.0, 0.0, -1.0], noise=0.0))
    got = q_learning(env, 3000, rng(), epsilon=0.0, step_size=1.0)
    counts = np.bincount([page[1] for page in env.pages], minlength=4)
    assert counts[3] <= 1  # one look was enough
    np.testing.assert_allclose(counts[:3], 1000, atol=4 * 667**0.5)
    np.testing.assert_allclose(got.policy, [[1 / 3, 1 / 3, 1 / 3, 0]])


def test_hope_explores_without_chance():
    """From above, Q only sinks to the truth, and every action is tried (no ε)."""
    world = corridor()
    hopeful = q_learning(TabularEnv(world), 2000, rng(), discount=0.9, step_size=1.0,
                         epsilon=0.0, initial=2.0)
    plan = planning.value_iteration(world)
    assert (hopeful.policy[:-1] == plan.policy[:-1]).all()
    np.testing.assert_allclose(hopeful.q.max(1)[:-1], plan.values[:-1], atol=1e-6)


def test_along_the_cliff_the_shortest_way_is_found():
    """Sutton & Barto 2018, example 6.6: Q-learning finds the path of return -13."""
    env = gym.make("CliffWalking-v1")
    got = q_learning(env, 60_000, rng(), discount=1.0, step_size=1.0, epsilon=0.2)
    assert got.q[36].max() == -13
    tour = record(gym.make("CliffWalking-v1"), acting(got.policy), 1, rng(), max_steps=50)
    assert tour.returns().tolist() == [-13]


def test_the_frozen_lake_counts_as_solved():
    """Gymnasium's own bar for FrozenLake: a mean return of 0.70 within 100 steps."""
    env = gym.make("FrozenLake-v1")
    assert env.spec.reward_threshold == pytest.approx(0.70)
    got = q_learning(env, 200_000, rng(), discount=0.99, epsilon=0.5,
                     step_size=lambda n: max(0.01, 1 / n**0.7))
    table = env.unwrapped.P
    here, solved = np.eye(16)[0], 0.0
    for _ in range(100):  # exactly, from the lake's own table of outcomes
        ahead = np.zeros(16)
        for s, a in zip(*np.nonzero(got.policy)):
            for chance, after, reward, over in table[s][a]:
                flow = here[s] * got.policy[s, a] * chance
                solved += flow * reward
                ahead[after] += 0 if over else flow
        here = ahead
    assert solved >= 0.70
    assert got.returns[-300:].mean() < solved  # the learner paid for exploring


def test_what_is_reported_is_what_happened():
    env = Diary(CountSteps(TabularEnv(slippery(), horizon=5)))
    seen = []

    def look(policy):
        seen.append(policy)
        return len(env.pages)

    got = q_learning(env, 1050, rng(), evaluate_every=100, evaluate=look)
    story = list(env.episodes())
    np.testing.assert_allclose(got.returns, [sum(p[2] for p in e) for e in story])
    assert got.ends.tolist() == np.cumsum([len(e) for e in story]).tolist()
    assert got.history == tuple((k, k) for k in (*range(100, 1001, 100), 1050))
    assert seen[0].shape == (4, 3) and any((p != seen[-1]).any() for p in seen)
    assert env.env.steps == 1050 and env.env.resets == len(story) + 1
    assert env.seeds[0] is not None and set(env.seeds[1:]) == {None}


@pytest.mark.parametrize("learn", [q_learning, reinforce])
def test_the_same_numbers_whatever_the_states_are_called_and_again(learn):
    one, two, other = (
        learn(env, 200, rng(seed))
        for env, seed in ((TabularEnv(slippery()), 0),
                          (Renumbered(TabularEnv(slippery())), 0),
                          (TabularEnv(slippery()), 1))
    )
    assert (one.policy == two.policy).all() and (one.returns == two.returns).all()
    assert one.returns.tolist() != other.returns.tolist()


# REINFORCE --------------------------------------------------------------------------


def softmax(theta):
    return np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)


def expected_return(world, policy):
    """By a dense linear solve."""
    chain = np.einsum("sa,sat->st", policy, world.dense())
    system = np.eye(world.n_states) - world.discount * chain
    return world.start @ np.linalg.solve(system, (policy * world.reward).sum(axis=1))


@pytest.fixture(scope="module")
def estimates():
    """Each episode's gradient without and with a baseline, and the true one."""
    world, theta = slippery(), rng(1).normal(size=(4, 3))
    policy = softmax(theta)
    demos = walk(world, policy, 20_000, 100, rng(2))
    worth = planning.evaluate(world, policy)
    exact, h = np.zeros((4, 3)), 1e-5
    for place in np.ndindex(4, 3):
        nudge = np.zeros((4, 3))
        nudge[place] = h
        exact[place] = (expected_return(world, softmax(theta + nudge))
                        - expected_return(world, softmax(theta - nudge))) / (2 * h)
    firsts = np.flatnonzero(np.diff(demos.episodes, prepend=-1))
    columns = [np.split(c, firsts[1:])
               for c in (demos.observations, demos.actions, demos.rewards)]
    return exact, *(
        np.array([episode_gradient(policy, s, a, r, world.discount, b)
                  for s, a, r in zip(*columns)]) for b in (None, worth))


def test_the_estimate_is_right_on_average(estimates):
    exact, plain, _ = estimates
    error = plain.std(axis=0)[:3] / len(plain) ** 0.5
    assert (np.abs(plain.mean(axis=0) - exact)[:3] < 4 * error).all()
    assert np.abs(exact).max() > 20 * error.max()  # there is something to be wrong about
    assert not plain[:, 3].any() and np.abs(exact[3]).max() < 1e-9


def test_a_baseline_changes_the_noise_and_not_the_mean(estimates):
    exact, plain, compared = estimates
    error = compared.std(axis=0)[:3] / len(compared) ** 0.5
    assert (np.abs(compared.mean(axis=0) - exact)[:3] < 4 * error).all()
    assert compared.var(axis=0).sum() < 0.8 * plain.var(axis=0).sum()


def test_one_episode_by_hand():
    """γ = 1/2; 0 then 1 in state 0, pay 1 and 4; G = 3, 4; uniform over two actions."""
    half = np.full((1, 2), 0.5)
    got = episode_gradient(half, [0, 0], [0, 1], [1.0, 4.0], 0.5)
    np.testing.assert_allclose(got, [[3 * 0.5 - 2 * 0.5, -3 * 0.5 + 2 * 0.5]])
    got = episode_gradient(half, [0, 0], [0, 1], [1.0, 4.0], 0.5, np.array([1.0]))
    np.testing.assert_allclose(got, [[2 * 0.5 - 1.5 * 0.5, -2 * 0.5 + 1.5 * 0.5]])


@pytest.mark.parametrize("baseline", [False, True])
def test_learning_is_the_textbooks_step_after_step(baseline):
    env = Diary(TabularEnv(slippery()))
    got = reinforce(env, 200, rng(4), discount=0.8, step_size=0.2, baseline=baseline)
    theta, usual = np.zeros((4, 3)), np.zeros(4)
    for story in env.episodes():
        policy, before = softmax(theta), usual.copy()
        for t, (s, a, *_) in enumerate(story):
            togo = sum(0.8**k * page[2] for k, page in enumerate(story[t:]))
            score = np.eye(3)[a] - policy[s]
            theta[s] += 0.2 * 0.8**t * (togo - baseline * before[s]) * score
            usual[s] = 0.9 * usual[s] + 0.1 * togo
    np.testing.assert_allclose(got.policy, softmax(theta), rtol=1e-9)
    assert np.abs(got.policy - 1 / 3).max() > 0.2 and got.q is None


@pytest.mark.parametrize("baseline", [False, True])
def test_the_best_arm_is_found(baseline):
    got = reinforce(Bandit([0.0, 1.0, 0.5]), 3000, rng(), baseline=baseline)
    assert got.policy[0, 1] > 0.9


def test_actions_are_drawn_from_the_policy():
    env = Diary(Bandit([0.0, 0.0, 0.0], noise=0.0))
    reinforce(env, 3000, rng())  # nothing to learn: it stays uniform
    counts = np.bincount([page[1] for page in env.pages])
    np.testing.assert_allclose(counts, 1000, atol=4 * 667**0.5)


@pytest.mark.parametrize(("discount", "late"), [(0.5, False), (1.0, True)])
def test_patience_is_the_discounts(discount, late):
    """1 at once, or 2 after two more steps: better only for who counts it in full."""
    world = MDP([[3, 1], [2, 2], [3, 3], [3, 3]], [[1, 0], [0, 0], [2, 2], [0, 0]],
                discount, 0)  # fmt: skip
    got = reinforce(TabularEnv(world), 2000, rng(), discount=discount)
    assert (got.policy[0, 1] > 0.9) == late and (got.policy[0, 0] > 0.9) != late


def test_reinforce_reports_what_happened_and_keeps_to_its_limit():
    env = Diary(CountSteps(TabularEnv(corridor(12))))
    got = reinforce(env, 50, rng(), max_steps=7, evaluate_every=20,
                    evaluate=lambda policy: policy.shape)
    assert got.ends.tolist() == list(range(7, 351, 7)) and env.env.steps == 350
    assert env.env.resets == 50
    np.testing.assert_allclose(got.returns, -0.7)
    assert got.history == ((140, (12, 2)), (280, (12, 2)), (350, (12, 2)))
    assert env.seeds[0] is not None and set(env.seeds[1:]) == {None}


# The bill, and what is refused ------------------------------------------------------


def test_the_bill_counts_everything_and_changes_nothing():
    env = CountSteps(TabularEnv(slippery()))
    plain = TabularEnv(slippery())
    assert env.steps == env.resets == 0
    assert env.reset(seed=3)[0] == plain.reset(seed=3)[0]
    for action in (0, 1):
        assert env.step(action)[:4] == plain.step(action)[:4]
    env.reset()
    assert (env.steps, env.resets) == (2, 2)


def test_the_bill_of_a_recording():
    env = CountSteps(TabularEnv(corridor()))
    demos = record(env, acting(np.eye(2)[[1] * 6]), 3, rng())
    assert env.steps == len(demos) == 15 and env.resets == 3


@pytest.mark.parametrize("learn", [q_learning, reinforce])
@pytest.mark.parametrize(("name", "space"), [
    ("observation_space", spaces.Box(0, 1, (2,))),
    ("action_space", spaces.MultiDiscrete([2, 2])),
])
def test_only_what_can_be_listed_fits_a_table(learn, name, space):
    env = Bandit([0.0, 1.0])
    setattr(env, name, space)
    with pytest.raises(TypeError, match=f"env.{name} is .*Discrete"):
        learn(env, 10, rng())


@pytest.mark.parametrize(("learn", "budget"), [(q_learning, "steps"),
                                               (reinforce, "episodes")])
def test_what_is_wrong_is_named(learn, budget):
    env = Bandit([0.0, 1.0])
    for wrong, error in ((0, ValueError), (-3, ValueError), (1.5, TypeError)):
        with pytest.raises(error, match=f"{budget} is {wrong}"):
            learn(env, wrong, rng())
    for name, value in (("discount", 1.01), ("discount", -0.1), ("discount", np.nan),
                        ("step_size", 0.0), ("step_size", np.inf)):
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            learn(env, 10, rng(), **{name: value})
    with pytest.raises(ValueError, match="both or neither"):
        learn(env, 10, rng(), evaluate_every=5)
    with pytest.raises(ValueError, match="evaluate_every is 0"):
        learn(env, 10, rng(), evaluate_every=0, evaluate=len)
    with pytest.raises(ValueError, match="reward nan"):
        learn(Bandit([0.0, np.nan]), 100, rng())


@pytest.mark.parametrize(("change", "message"), [
    ({"epsilon": 1.5}, r"epsilon is 1.5; it must lie in \[0, 1\]"),
    ({"epsilon": lambda spent: 2.0}, r"epsilon\(0.0\) is 2.0"),
    ({"step_size": lambda n: 1 - n}, r"step_size\(1\) is 0; it must lie in \(0, 1\]"),
    ({"step_size": 1.1}, r"step_size is 1.1; it must lie in \(0, 1\]"),
    ({"initial": np.inf}, "initial is inf"),
])
def test_q_learning_names_what_is_wrong(change, message):
    with pytest.raises(ValueError, match=message):
        q_learning(Bandit([0.0, 1.0]), 10, rng(), **change)


def test_reinforce_names_a_limit_of_nothing():
    with pytest.raises(ValueError, match="max_steps is 0"):
        reinforce(Bandit([0.0, 1.0]), 10, rng(), max_steps=0)


# Keeping a map -----------------------------------------------------------------------


def shortest(successors, ends, start):
    """Steps of a shortest way, by breadth-first search."""
    away, queue = {start: 0}, [start]
    for s in queue:
        for after in successors[s]:
            if int(after) not in away:
                away[int(after)] = away[s] + 1
                queue.append(int(after))
    return min(away[e] for e in np.flatnonzero(ends) if e in away)


@pytest.mark.parametrize("seed", range(6))
def test_a_map_leads_by_the_shortest_way_and_nothing_is_tried_in_vain(seed):
    """In a maze of cost 1 a step the bill is at most (S A) detours of length S."""
    made = np.random.default_rng(seed)
    n = 12
    successors = made.integers(n, size=(n, 3))
    successors[:, 0] = np.minimum(np.arange(n) + 1, n - 1)  # there is a way
    successors[-1] = n - 1
    reward = np.where(np.arange(n)[:, None] < n - 1, -1.0, 0.0) * np.ones((n, 3))
    world = MDP(successors, reward, 1.0, 0)
    got = r_max(TabularEnv(world), 3 * n * n, rng(seed), best=0.0)
    best = shortest(successors, world.terminal, 0)
    assert got.returns[-5:].tolist() == [-best] * 5  # it has stopped exploring
    assert planning.expected_return(world, got.policy, horizon=n) == -best
    reached = got.q[0].max()
    assert reached == -best


def test_an_untried_action_is_worth_a_look_and_a_tried_one_is_not_tried_again():
    """Two arms that end at once: each is pulled once, then the better for ever."""
    arms = MDP([[1, 1], [1, 1]], [[-3.0, -1.0], [0, 0]], 1.0, 0)
    got = r_max(TabularEnv(arms), 40, rng(), best=5.0)
    assert sorted(got.returns[:2].tolist()) == [-3, -1] and set(got.returns[2:]) == {-1.0}
    assert got.q.tolist() == [[-3, -1], [-np.inf, -np.inf]]
    assert got.policy.tolist() == [[0, 1], [0.5, 0.5]]
    modest = r_max(TabularEnv(arms), 40, rng(0), best=-1.0)  # no better than what it knows
    assert modest.returns.max() == -1


def test_a_map_without_a_way_out_is_no_plan_and_no_trap():
    """Two cells that lead to each other at a price, and an end that nothing leads to."""
    ring = MDP([[1, 1], [0, 0], [2, 2]], [[-1, -1], [-1, -1], [0, 0]], 0.9, 0)
    got = r_max(TabularEnv(ring, horizon=5), 30, rng(), best=10.0)
    assert (got.q == -np.inf).all() and (got.policy == 0.5).all()
    assert got.returns.tolist() == [-5.0] * 6


def test_an_action_that_pays_differently_is_refused():
    class Moody(TabularEnv):
        def step(self, action):
            seen, reward, *rest = super().step(action)
            self.paid = getattr(self, "paid", 0) - 1
            return seen, float(self.paid), *rest

    ring = MDP([[1], [0]], [[-1.0], [-1.0]], 0.9, 0)
    with pytest.raises(ValueError, match="paid -1 and -3"):
        r_max(Moody(ring, horizon=9), 9, rng(), best=0.0)


def test_a_map_is_for_worlds_without_chance():
    with pytest.raises(ValueError, match=r"env led from state \d by action \d to \d and to \d"):
        r_max(TabularEnv(slippery()), 500, rng(), best=1.0)
    with pytest.raises(ValueError, match="best is nan; it must be finite"):
        r_max(TabularEnv(slippery()), 5, rng(), best=float("nan"))


def test_a_cut_is_no_end_on_the_map():
    """The corridor is longer than an episode: beyond the cut the values still count."""
    world = corridor(6)
    got = r_max(TabularEnv(world, horizon=4), 400, rng(), best=1.0,
                evaluate_every=150, evaluate=lambda policy: policy.shape)
    assert [step for step, _ in got.history] == [150, 300, 400]
    assert (np.diff(got.ends) <= 4).all()
