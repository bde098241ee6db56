"""The lane and the detour against closed forms, scipy, and single carts."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from scipy.integrate import solve_ivp

import imitlib  # noqa: F401  registers the environments
from imitlib.envs import detour
from imitlib.envs.lane import GRID, Drive, Lane, LaneEnv, Street, drive
from imitlib.envs.lane_picture import SIZE, paint
from imitlib.experts import lane_expert

STILL = Street(wind=0.0, fog=0.0)
STRAIGHT = replace(STILL, bend=0.0)


def lane_at(street, offsets, headings, seed=0) -> Lane:
    lane = Lane(street, len(offsets), np.random.default_rng(seed))
    lane.offset, lane.heading = np.array(offsets, float), np.array(headings, float)
    return lane


def last_state(street, steer, seconds, offset=0.0, heading=0.0):
    """(metres, offset, heading) after so many seconds of one wheel angle."""
    lane = lane_at(street, [offset], [heading])
    for _ in range(round(seconds / street.dt)):
        lane.step(np.array([steer]))
    return np.array([lane.metres[0], lane.offset[0], lane.heading[0]])


# Kinematics -------------------------------------------------------------------------


@pytest.mark.parametrize("steer", [0.02, -0.1, 0.3])
def test_constant_steering_on_a_straight_road_is_a_circle(steer):
    """Closed form: radius L / tan u, turned by v t tan u / L."""
    seconds, radius = 2.0, STRAIGHT.wheelbase / np.tan(steer)
    angle = STRAIGHT.speed * seconds / radius
    exact = [radius * np.sin(angle), radius * (1 - np.cos(angle)), angle]
    errors = [
        np.abs(last_state(replace(STRAIGHT, dt=dt), steer, seconds) - exact).max()
        for dt in (0.1, 0.05, 0.025)
    ]
    assert errors[-1] < 2e-2
    # the midpoint rule is of second order: half the step, a quarter of the error
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=0.15)


def test_following_a_bend_exactly_stays_in_the_middle():
    lane = lane_at(replace(STILL, bend=0.0), [0.0], [0.0])
    lane.road = np.full((1, 200), 0.2)
    for _ in range(100):
        lane.step(np.array([np.arctan(0.2 * STILL.wheelbase)]))
    assert abs(lane.offset[0]) < 1e-12 and abs(lane.heading[0]) < 1e-12
    assert lane.metres[0] == pytest.approx(100 * STILL.dt * STILL.speed)


def test_the_same_drive_in_the_plane():
    """On a road of constant curvature κ the lane is a ring of radius 1/κ in the plane.

    A cart going straight on leaves it along the tangent; Pythagoras gives its offset.
    """
    kappa, seconds = 0.1, 1.0
    street = replace(STRAIGHT, dt=0.001)
    lane = lane_at(street, [0.0], [0.0])
    lane.road = np.full((1, 100), kappa)
    for _ in range(1000):
        lane.step(np.array([0.0]))
    gone = street.speed * seconds
    assert lane.offset[0] == pytest.approx(
        1 / kappa - np.hypot(1 / kappa, gone), abs=1e-4
    )
    assert lane.heading[0] == pytest.approx(-np.arctan(gone * kappa), abs=1e-4)


def test_a_winding_drive_against_scipy():
    """An independent integration of the three equations, road and wheel both moving.

    The bend is held for the length of a step, an error of first order in it; twice
    the half step minus the whole one (Richardson) leaves the second order.
    """
    street = replace(STILL, bend=0.08)
    lane = lane_at(street, [0.3], [-0.1], seed=5)
    lane.curvature(40.0)  # lays the road
    road = lane.road[0].copy()
    cells = GRID * np.arange(len(road))

    def wheel(t):
        return 0.25 * np.sin(3 * t) + np.arctan(0.05)

    def rates(t, z):
        s, y, psi = z
        kappa = np.interp(s, cells, road)
        along = street.speed * np.cos(psi) / (1 - kappa * y)
        turn = street.speed / street.wheelbase * np.tan(wheel(t))
        return [along, street.speed * np.sin(psi), turn - kappa * along]

    def ours(steps):
        lane = lane_at(replace(street, dt=3 / steps), [0.3], [-0.1])
        lane.road = road[None].copy()
        for k in range(steps):
            lane.step(np.array([wheel((k + 0.5) * 3 / steps)]))
        return np.array([lane.metres[0], lane.offset[0], lane.heading[0]])

    start = [0, 0.3, -0.1]
    exact = solve_ivp(rates, (0, 3), start, rtol=1e-9, atol=1e-9, max_step=0.01).y[
        :, -1
    ]
    coarse, fine = ours(600), ours(1200)
    np.testing.assert_allclose(fine, exact, atol=0.02)
    np.testing.assert_allclose(2 * fine - coarse, exact, atol=5e-4)
    assert np.abs(exact[1:] - start[1:]).max() > 0.2  # it did go somewhere else


def test_a_batch_is_its_carts_one_by_one():
    offsets, headings, steer = [0.2, -0.5, 0.0], [0.1, 0.0, -0.2], [0.1, -0.3, 0.9]
    together = lane_at(STILL, offsets, headings)
    together.curvature(60.0)
    alone = [lane_at(STILL, [y], [p]) for y, p in zip(offsets, headings)]
    for i, lane in enumerate(alone):
        lane.road = together.road[i : i + 1].copy()
    for _ in range(50):
        crashed = together.step(np.array(steer))
        each = [lane.step(np.array([u]))[0] for lane, u in zip(alone, steer)]
        assert crashed.tolist() == each
    for name in ("metres", "offset", "heading"):
        single = [getattr(lane, name)[0] for lane in alone]
        np.testing.assert_allclose(getattr(together, name), single, rtol=1e-12)


# Road, weather, eyes ----------------------------------------------------------------


def test_bends_have_the_spread_and_the_memory_they_should():
    street = replace(STILL, bend=0.05)
    lane = Lane(street, 4000, np.random.default_rng(1))
    lane.curvature(100.0)
    here, later = lane.curvature(20.0), lane.curvature(20.0 + street.bend_metres)
    assert here.std() == pytest.approx(0.05, rel=0.05)
    assert np.corrcoef(here, later)[0, 1] == pytest.approx(np.exp(-1), abs=0.05)
    assert abs(here.mean()) < 4 * 0.05 / np.sqrt(4000)


def test_no_bend_is_tighter_than_the_wheel_can_turn():
    lane = Lane(replace(STILL, bend=5.0), 50, np.random.default_rng(0))
    lane.curvature(50.0)
    assert np.abs(lane.road).max() < np.tan(STILL.max_steer) / STILL.wheelbase


def test_wind_and_fog_have_their_size():
    street = replace(STRAIGHT, wind=0.03, fog=0.2)
    lane = lane_at(street, np.full(20_000, 0.4), np.zeros(20_000))
    seen = lane.observe()
    assert seen.shape == (20_000, 2 + len(street.ahead))
    assert seen[:, 0].mean() == pytest.approx(0.4, abs=0.01)
    assert seen[:, 0].std() == pytest.approx(0.2, rel=0.03)
    assert seen[:, 1].std() == pytest.approx(0.1, rel=0.03)
    lane.step(np.zeros(20_000))
    assert lane.heading.std() == pytest.approx(0.03, rel=0.03)


def test_in_clear_air_the_cart_sees_the_truth():
    lane = lane_at(STILL, [0.3, -0.2], [0.05, 0.0])
    np.testing.assert_allclose(lane.observe()[:, :3], lane.state)


def test_looking_ahead_and_painting_change_no_gust():
    plain, curious = (Lane(Street(), 3, np.random.default_rng(7)) for _ in range(2))
    for _ in range(10):
        curious.curvature(200.0)
        paint(curious, 1)
        for lane in (plain, curious):
            lane.step(np.zeros(3))
    np.testing.assert_array_equal(plain.state, curious.state)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("half_width", 0.0),
        ("speed", -1.0),
        ("wind", -0.1),
        ("fog", np.nan),
        ("ahead", ()),
    ],
)
def test_an_impossible_street_is_refused(argument, value):
    with pytest.raises(ValueError, match=argument):
        Street(**{argument: value})


# Driving ----------------------------------------------------------------------------


def straight_on(seen):
    return np.zeros((len(seen), 1))


def test_beyond_the_kerb_is_a_crash_and_a_new_episode():
    street = replace(STRAIGHT, ahead=(0.0,))

    def to_the_left(seen):
        return np.full((len(seen), 1), 0.2)

    trip = drive(
        street, to_the_left, lane_expert(street), 2, 40, np.random.default_rng(0)
    )
    # closed form: offset R (1 - cos(v t / R)) passes 1 m at this step
    radius = 1 / np.tan(0.2)
    seconds = radius / street.speed * np.arccos(1 - 1 / radius)
    first = int(np.ceil(seconds / street.dt))
    assert trip.steps_survived.tolist() == [first - 1, first - 1]
    assert trip.off_road(first - 1) == 0 and trip.off_road(first) == 1
    assert (trip.states[first, :, :2] == 0).all()  # in the middle again
    crashes = int(trip.crashed[:-1].sum())
    demos = trip.demonstrations()
    assert demos.n_episodes == 2 + crashes and len(demos) == 80


def test_demonstrations_run_along_each_cart():
    street = Street()
    trip = drive(street, None, lane_expert(street), 3, 20, np.random.default_rng(2))
    demos = trip.demonstrations()
    np.testing.assert_array_equal(demos.observations[20:40], trip.observations[:, 1])
    np.testing.assert_array_equal(demos.actions[20:40], trip.labels[:, 1])
    np.testing.assert_array_equal(demos.episodes, np.repeat([0, 1, 2], 20))


def test_noise_moves_the_cart_and_leaves_the_labels_clean():
    street, rng = replace(Street(), wind=0.0), np.random.default_rng
    expert = lane_expert(street)
    quiet = drive(street, None, expert, 50, 50, rng(3))
    pushed = drive(street, None, expert, 50, 50, rng(3), noise=0.2)
    assert pushed.states[..., 0].std() > 5 * quiet.states[..., 0].std()
    for trip in (quiet, pushed):
        states = trip.states.reshape(-1, 3)
        np.testing.assert_array_equal(trip.labels.reshape(-1, 1), expert(states))


def test_beta_is_the_experts_share_of_the_driving():
    """The driver wants 0.25 rad more than the expert; so the mean tells who drove."""
    street = replace(STRAIGHT, half_width=1e6)
    chosen = []

    class Watched(Lane):
        def step(self, steer):
            chosen.append(steer.copy())
            return super().step(np.zeros_like(steer))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imitlib.envs.lane.Lane", Watched)
        drive(street, lambda seen: np.full((len(seen), 1), 0.25),
              lambda states: np.zeros((len(states), 1)), 400, 25,
              np.random.default_rng(0), beta=0.3)  # fmt: skip
    shares = np.mean(np.array(chosen) == 0.0)
    assert shares == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 10_000))


def test_one_seed_one_drive():
    street = Street()
    runs = [
        drive(street, straight_on, lane_expert(street), 5, 60, np.random.default_rng(4))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].observations, runs[1].observations)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"beta": 1.5}, {"noise": -1.0}])
def test_an_impossible_drive_is_refused(wrong):
    street = Street()
    steps = wrong.pop("steps", 10)
    with pytest.raises(ValueError, match="legal"):
        drive(
            street,
            None,
            lane_expert(street),
            2,
            steps,
            np.random.default_rng(0),
            **wrong,
        )


def test_counts_of_a_drive_by_hand():
    crashed = np.zeros((4, 3), bool)
    crashed[2, 1] = crashed[0, 2] = crashed[3, 2] = True
    trip = Drive(np.zeros((4, 3, 5)), np.zeros((4, 3, 1)), np.zeros((4, 3, 3)), crashed)
    assert trip.steps_survived.tolist() == [4, 2, 0]
    assert [trip.off_road(h) for h in (1, 2, 3, 4)] == [1 / 3, 1 / 3, 2 / 3, 2 / 3]
    assert trip.demonstrations().episodes.tolist() == [
        0,
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        3,
        4,
        4,
        4,
    ]


# The environment --------------------------------------------------------------------


def test_gymnasium_accepts_it():
    env = gym.make("imitlib/Lane-v0", render_mode="rgb_array")
    check_env(env.unwrapped, skip_render_check=False)


def test_the_kerb_terminates_and_the_horizon_truncates():
    env = LaneEnv(STRAIGHT, horizon=50)
    env.reset(seed=0)
    rewards, ended = [], False
    while not ended:
        _, reward, ended, cut, _ = env.step(np.array([0.4], np.float32))
        rewards.append(reward)
        assert not cut
    assert rewards[-1] == 0.0 and set(rewards[:-1]) == {1.0} and len(rewards) < 50
    env.reset(seed=0)
    flags = [env.step(np.array([0.0], np.float32))[2:4] for _ in range(50)]
    assert flags == [(False, False)] * 49 + [(False, True)]


def test_the_environment_is_the_lane():
    """The same seed and the same wheel: one cart of the vectorised world."""
    env, rng = LaneEnv(Street()), np.random.default_rng(11)
    wheel = rng.uniform(-0.1, 0.1, 20).astype(np.float32)
    first, _ = env.reset(seed=3)
    seen = [first] + [env.step(u[None])[0] for u in wheel]
    generator, _ = gym.utils.seeding.np_random(3)
    lane = Lane(Street(), 1, generator)
    again = [lane.observe()[0]]
    for u in wheel:
        lane.step(np.array([u]))
        again.append(lane.observe()[0])
    np.testing.assert_allclose(seen, again, rtol=1e-12)


@pytest.mark.parametrize("action", [np.array([np.nan]), np.array([0.1, 0.2])])
def test_an_impossible_action_is_refused(action):
    env = LaneEnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        env.step(action)


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"render_mode": "human"}])
def test_an_impossible_environment_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LaneEnv(**wrong)


def test_the_picture_shows_the_cart_where_it_is():
    brown = np.array([122, 51, 6])

    def column(offset):
        picture = paint(lane_at(STRAIGHT, [offset], [0.0]))
        assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
        return np.argwhere((picture == brown).all(-1))[:, 1].mean()

    middle = SIZE / 2 - 0.5
    assert column(0.0) == pytest.approx(middle, abs=0.5)
    pixels = SIZE / 12.0  # a picture is twelve metres wide
    assert column(0.75) == pytest.approx(middle - 0.75 * pixels, abs=0.7)


# The detour -------------------------------------------------------------------------


def test_hana_takes_both_ways_and_never_falls_in():
    world, rng = detour.Detour(), np.random.default_rng(0)
    demos = detour.demonstrate(world, 400, rng)
    assert demos.n_episodes == 400 and len(demos) == 400 * world.steps
    metres, offset = demos.observations.T
    for place in np.unique(metres):
        assert not world.lost(place, offset[metres == place]).any()
    left = (offset[metres == 4.5] > 0).mean()
    assert left == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(400))


def test_replaying_what_was_done_goes_where_it_went():
    """A cart that carries out one recorded drive as one chunk ends where Hana did."""
    world = detour.Detour(wobble=0.0, start_spread=0.0)
    demos = detour.demonstrate(world, 3, np.random.default_rng(1))
    plans = demos.actions.reshape(3, -1)
    trip = detour.drive(world, lambda seen: plans, 3, np.random.default_rng(2),
                        chunk=world.steps)  # fmt: skip
    np.testing.assert_allclose(
        trip.offsets[:-1].T, demos.observations[:, 1].reshape(3, -1)
    )
    assert not trip.lost.any()
    assert trip.went_left(world).tolist() == (plans[:, 4] > 0).tolist()


def test_straight_on_ends_in_the_hole_and_hard_left_over_the_kerb():
    world = detour.Detour(wobble=0.0)
    for aim, rows in ((0.0, 8), (1.0, 4)):
        trip = detour.drive(world, lambda seen, a=aim: np.full((len(seen), 1), a), 4,
                            np.random.default_rng(0))  # fmt: skip
        assert trip.lost.all()
        start = trip.offsets[0]
        np.testing.assert_allclose(trip.offsets[rows], start + aim * rows * world.step)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("step", 0.0), ("hole", (5.0, 4.0)), ("side", 0.1), ("swerve", (3.0, 2.0))],
)
def test_an_impossible_detour_is_refused(argument, value):
    with pytest.raises(ValueError, match=argument):
        detour.Detour(**{argument: value})


def test_a_chunk_of_nothing_is_refused():
    with pytest.raises(ValueError, match="chunk"):
        detour.drive(detour.Detour(), None, 1, np.random.default_rng(0), chunk=0)
