"""The experts in their worlds, and the lane's expert against linear control theory."""

import gymnasium as gym
import numpy as np
import pytest
from scipy.linalg import expm

from imitlib import experts
from imitlib.demonstrations import record
from imitlib.envs.lane import Lane, LaneEnv, Street, drive


def returns(task, policy, episodes=60):
    copies = gym.make_vec(task, num_envs=episodes, vectorization_mode="sync")
    seen, _ = copies.reset(seed=0)
    total, over = np.zeros(episodes), np.zeros(episodes, bool)
    while not over.all():
        seen, reward, ended, cut, _ = copies.step(policy(seen))
        total += reward * ~over
        over |= ended | cut
    return total


def test_the_pole_is_never_dropped():
    assert (returns("CartPole-v1", experts.cartpole) == 500).all()


def test_the_hill_is_climbed_in_fewer_than_130_steps():
    total = returns("MountainCar-v0", experts.mountain_car)
    assert total.min() > -130


def test_the_push_adds_energy_at_every_step():
    """Kinetic plus potential energy never falls by the engine's doing: a·v >= 0."""
    seen = np.random.default_rng(0).normal(size=(100, 2))
    push = experts.mountain_car(seen) - 1
    assert (push * seen[:, 1] >= 0).all() and (push != 0).all()


def test_hana_never_touches_the_kerb():
    for street in (Street(), Street(wind=0.03, fog=0.0), Street(bend=0.15)):
        trip = drive(street, None, experts.lane_expert(street), 100, 600,
                     np.random.default_rng(0))  # fmt: skip
        assert not trip.crashed.any()


def test_hanas_return_to_the_middle_is_that_of_the_linear_system():
    r"""For small angles y' = v ψ and ψ' = -(v/L)(k_y y + k_ψ ψ): a matrix exponential."""
    street = Street(bend=0.0, wind=0.0, fog=0.0, dt=0.001)
    lane = Lane(street, 1, np.random.default_rng(0))
    lane.offset[:], lane.heading[:] = 0.02, -0.01
    expert = experts.lane_expert(street)
    for _ in range(1500):
        lane.step(expert(lane.state)[:, 0])
    v, wheelbase = street.speed, street.wheelbase
    matrix = np.array([[0, v], [-v / wheelbase * 0.25, -v / wheelbase * 0.8]])
    exact = expm(1.5 * matrix) @ [0.02, -0.01]
    got = [lane.offset[0], lane.heading[0]]
    np.testing.assert_allclose(got, exact, atol=2e-5)
    assert np.linalg.eigvals(matrix).real.max() < 0


def test_the_wheel_stays_within_its_stops():
    street = Street()
    steer = experts.lane_expert(street)(np.array([[9.0, 0, 0], [-9.0, 0, 0]]))
    assert steer.tolist() == [[-street.max_steer], [street.max_steer]]


def test_at_the_wheel_she_sees_the_street_and_not_the_camera():
    env = LaneEnv(Street(fog=5.0), horizon=100)  # nothing can be read in this fog
    expert = experts.lane_expert(env.street)
    demos = record(env, experts.at_the_wheel(env, expert), 2, np.random.default_rng(0))
    assert demos.returns().tolist() == [100, 100]
    curvature = demos.observations[:, 2]  # the map is exact
    assert np.corrcoef(demos.actions[:, 0], np.arctan(curvature))[0, 1] > 0.95


def test_a_world_without_a_state_has_no_seat():
    with pytest.raises(ValueError, match="state"):
        experts.at_the_wheel(gym.make("MountainCar-v0"), experts.mountain_car)


@pytest.mark.parametrize(
    ("expert", "shape"),
    [
        (experts.cartpole, (4,)),
        (experts.mountain_car, (5, 3)),
        (experts.lane_expert(Street()), (5, 2)),
    ],
)
def test_a_wrong_shape_is_refused(expert, shape):
    with pytest.raises(ValueError, match="observations has shape"):
        expert(np.zeros(shape))
