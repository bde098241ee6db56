"""The crossing against closed forms, brute force and simulation."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from imitlib.envs import crossing as cross
from imitlib.envs.tightrope import demonstrate, walk


def table_policy(go, columns, rng):
    go = np.asarray(go)
    return lambda seen: (
        rng.random(len(seen)) < go[cross.table_index(seen, columns)]
    ).astype(int)


def test_gymnasium_accepts_it():
    check_env(cross.CrossingEnv(cross.Crossing(horizon=9)), skip_render_check=True)


def test_environment_is_the_vectorised_world_with_one_cart():
    world = cross.Crossing(change=0.3, glare=0.4, horizon=50)
    env = cross.CrossingEnv(world)
    seen, _ = env.reset(seed=11)
    rng = np.random.default_rng(np.random.SeedSequence(11))
    many = world.start(1, rng)
    for t, action in enumerate(np.random.default_rng(0).integers(2, size=50)):
        assert seen.tolist() == many[0].tolist()
        seen, reward, over, cut, _ = env.step(action)
        assert reward == -float(action != many[0, cross.LIGHT])
        many, cost = world.step(many, np.array([action]), rng)
        assert reward == -cost[0] and not over and cut == (t == 49)
        assert seen[cross.PREVIOUS] == action


def test_hana_makes_no_mistake_and_the_light_is_as_told():
    world = cross.Crossing(change=0.1, glare=0.3, horizon=400)
    demos = demonstrate(world, 300, np.random.default_rng(1))
    assert (demos.rewards == 0).all()
    light, reading, previous = demos.observations.reshape(300, 400, 3).transpose(
        2, 0, 1
    )
    assert (demos.actions == light.reshape(-1)).all()
    assert (light[:, 1:] != light[:, :-1]).mean() == pytest.approx(0.1, abs=0.004)
    assert (reading != light).mean() == pytest.approx(0.3, abs=0.006)
    assert (previous[:, 1:] == light[:, :-1]).all() and (previous[:, 0] == 0).all()


def test_what_is_shown_in_closed_form():
    # from the second step on, P(light = previous) = .98 and P(reading = light) = .8
    world = cross.Crossing(change=0.02, glare=0.2, horizon=200)
    both, camera = cross.shown(world), cross.shown(world, cross.CAMERA)
    assert both.sum() == pytest.approx(1)
    assert both.max(axis=1).sum() == pytest.approx(0.98 - 0.48 / 200)
    assert camera.max(axis=1).sum() == pytest.approx(0.8)
    long = cross.shown(cross.Crossing(0.02, 0.2, horizon=2000))
    surest = (long / long.sum(axis=1, keepdims=True)).max(axis=1)
    agree, differ = 0.784 / 0.788, 0.196 / 0.212  # Bayes' rule by hand
    np.testing.assert_allclose(surest, [agree, differ, differ, agree], atol=4e-3)


def test_what_is_shown_is_what_demonstrations_show():
    world = cross.Crossing(change=0.05, glare=0.25, horizon=30)
    demos = demonstrate(world, 20_000, np.random.default_rng(2))
    counts = np.zeros((4, 2))
    np.add.at(counts, (cross.table_index(demos.observations), demos.actions), 1)
    np.testing.assert_allclose(counts / len(demos), cross.shown(world), atol=0.003)


@pytest.mark.parametrize(
    ("go", "columns", "accuracy"),
    [([0, 1], cross.CAMERA, 0.8), ([1, 0], cross.CAMERA, 0.2),
     ([0, 0, 1, 1], cross.CAMERA_AND_PREVIOUS, 0.5),  # a copycat stands for ever
     ([0, 1, 0, 1], cross.CAMERA_AND_PREVIOUS, 0.8),
     ([0.5] * 4, cross.CAMERA_AND_PREVIOUS, 0.5)],
)  # fmt: skip
def test_closed_loop_accuracy_where_it_is_plain(go, columns, accuracy):
    assert cross.closed_loop_accuracy(cross.Crossing(), go, columns) == pytest.approx(
        accuracy
    )


@pytest.mark.parametrize("seed", range(4))
def test_closed_loop_accuracy_is_what_driving_gives(seed):
    rng = np.random.default_rng(seed)
    world, go = cross.Crossing(change=0.1, glare=0.2, horizon=25), rng.random(4)
    costly = walk(world, table_policy(go, cross.CAMERA_AND_PREVIOUS, rng), 20_000, rng)
    right = 1 - costly.mean(axis=0)
    exact = cross.closed_loop_accuracy(world, go)
    assert abs(right.mean() - exact) < 4.5 * right.std() / np.sqrt(20_000)


def test_no_memory_of_one_action_beats_the_camera_here():
    go, accuracy = cross.best_policy(cross.Crossing())
    assert go.tolist() == [0, 1, 0, 1] and accuracy == pytest.approx(0.8)


def test_rows_of_the_table():
    seen = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]])
    assert cross.table_index(seen).tolist() == [0, 1, 2, 3]
    assert cross.table_index(seen, cross.CAMERA).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "bad",
    [{"change": 0}, {"change": 1.5}, {"glare": 0.5}, {"glare": -1}, {"horizon": 0}],
)
def test_a_crossing_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        cross.Crossing(**bad)
