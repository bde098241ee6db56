"""DAgger against a hand-made world, against counting, and against least squares."""

import gymnasium as gym
import numpy as np
import pytest

from imitlib import dagger, experts
from imitlib.demonstrations import Demonstrations
from imitlib.envs.lane import Street, drive


def demos_of(values) -> Demonstrations:
    values = np.asarray(values, float)[:, None]
    return Demonstrations(values, -values, np.zeros(len(values), int))


def test_the_schedule_is_a_geometric_series():
    np.testing.assert_allclose(dagger.betas(4, 0.5), [1, 0.5, 0.25, 0.125])
    assert dagger.betas(3).tolist() == [1, 0, 0]  # the expert drives in the first only
    assert dagger.betas(3, 1.0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("wrong", [(0, 0.5), (3, 1.2), (3, -0.1)])
def test_an_impossible_schedule_is_refused(wrong):
    with pytest.raises(ValueError, match="legal"):
        dagger.betas(*wrong)


def test_every_round_drives_with_the_last_policy_and_learns_from_the_whole_pile():
    """Collection and learning are written down; the algorithm is what is left."""
    drove, learned = [], []

    def collect(policy, beta, rng):
        drove.append((policy, beta))
        return demos_of([10 * len(drove), 10 * len(drove) + 1])

    def fit(demos, rng):
        learned.append(demos.observations[:, 0].tolist())
        return f"policy {len(learned)}"

    result = dagger.dagger(
        collect, fit, betas=[1, 0.5, 0], rng=np.random.default_rng(0)
    )
    assert drove == [(None, 1.0), ("policy 1", 0.5), ("policy 2", 0.0)]
    assert learned == [[10, 11], [10, 11, 20, 21], [10, 11, 20, 21, 30, 31]]
    assert result.clones == ("policy 1", "policy 2", "policy 3")
    assert result.clone == "policy 3" and result.betas == (1, 0.5, 0)
    assert result.data.n_episodes == 3
    assert [d.observations[0, 0] for d in result.rounds] == [10, 20, 30]


@pytest.mark.parametrize("wrong", [[], [0.5, 0], [1, 2], [1, -0.1], [1, float("nan")]])
def test_betas_that_do_not_begin_with_the_expert_are_refused(wrong):
    with pytest.raises(ValueError, match="betas"):
        dagger.dagger(None, None, betas=wrong, rng=np.random.default_rng(0))


class Corridor(gym.Env):
    """Counts what is done to it; the observation is the step, the action 0 or 1."""

    observation_space = gym.spaces.Box(0, 1e6, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self):
        self.done = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.array([0.0]), {}

    def step(self, action):
        self.done.append(int(action))
        self.t += 1
        return np.array([float(self.t)]), float(action), False, self.t == 500, {}


def zeros(seen):
    return np.zeros(len(seen), int)


def ones(seen):
    return np.ones(len(seen), int)


@pytest.mark.parametrize("beta", [1.0, 0.7, 0.3, 0.0])
def test_in_an_environment_beta_is_the_experts_share_and_labels_are_hers(beta):
    env = Corridor()
    collect = dagger.in_env(env, ones, episodes=4)
    demos = collect(zeros, beta, np.random.default_rng(1))
    assert (demos.actions == 1).all() and len(demos) == 2000 and demos.n_episodes == 4
    share, slack = np.mean(env.done), 4 * np.sqrt(beta * (1 - beta) / 2000)
    assert abs(share - beta) <= slack
    np.testing.assert_array_equal(demos.rewards, env.done)  # of what was executed
    np.testing.assert_array_equal(demos.observations[:3, 0], [0, 1, 2])


def test_in_the_lane_the_learner_drives_and_the_expert_labels():
    """In clear air the cart sees the state, so the labels can be computed again."""
    street = Street(fog=0.0)
    expert = experts.lane_expert(street)
    collect = dagger.in_lane(street, expert, carts=3, steps=50)

    def to_the_left(seen):
        return np.full((len(seen), 1), 0.15)

    demos = collect(to_the_left, 0.0, np.random.default_rng(0))
    assert len(demos) == 150 and demos.n_episodes > 3  # it crashed, and began again
    np.testing.assert_allclose(
        demos.actions, expert(demos.observations[:, :3]), atol=1e-12
    )
    assert demos.observations[:, 0].max() > 0.5  # nowhere Hana ever goes


def test_an_environment_without_episodes_is_refused():
    with pytest.raises(ValueError, match="episodes"):
        dagger.in_env(Corridor(), ones, episodes=0)


def least_squares(demos, rng=None):
    """A linear policy, fitted without any of the library's learning."""
    inputs = np.c_[demos.observations, np.ones(len(demos))]
    weights = np.linalg.lstsq(inputs, demos.actions, rcond=None)[0]

    def policy(seen):
        return np.c_[seen, np.ones(len(seen))] @ weights

    policy.weights = weights[:, 0]
    return policy


def test_a_linear_learner_in_the_fog_comes_back_to_the_middle_only_after_dagger():
    """Errors in variables: cloning keeps the share Σ(Σ+N)⁻¹ of Hana's answers.

    On a straight road that is the whole of what there is to learn, so the first
    clone's weight is known beforehand; after DAgger it is many times larger.
    """
    street = Street(bend=0.0, wind=0.01)
    expert, rng = experts.lane_expert(street), np.random.default_rng(0)
    shown = drive(street, None, expert, 400, 100, rng)
    sigma = np.cov(shown.states[..., :2].reshape(-1, 2).T)
    noise = np.diag([street.fog**2, (street.fog / 2) ** 2])
    kept = np.linalg.solve(sigma + noise, sigma @ [0.25, 0.8])
    clone = least_squares(shown.demonstrations())
    np.testing.assert_allclose(-clone.weights[:2], kept, atol=0.004)
    result = dagger.dagger(
        dagger.in_lane(street, expert, 20, 100), least_squares,
        betas=dagger.betas(5), rng=rng,
    )  # fmt: skip
    assert -result.clone.weights[0] > 5 * kept[0]
    crashes = [
        drive(street, policy, expert, 200, 600, np.random.default_rng(1)).off_road(600)
        for policy in (clone, result.clone)
    ]
    assert crashes[0] > 0.5 and crashes[1] < 0.1


def test_one_seed_one_result():
    street = Street()
    collect = dagger.in_lane(street, experts.lane_expert(street), 4, 30)
    weights = [
        dagger.dagger(collect, least_squares, betas=dagger.betas(3, 0.5),
                      rng=np.random.default_rng(5)).clone.weights
        for _ in range(2)
    ]  # fmt: skip
    np.testing.assert_array_equal(*weights)
