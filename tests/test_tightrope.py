"""The tightrope against enumeration, closed forms and its own Gymnasium wrapper."""

from itertools import product

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from imitlib.envs import tightrope as rope


def small(recovery="none", horizon=3):
    """Two gusts, two leans; the right lean is the gust's number at every step."""
    right = np.tile([0, 1], (horizon, 1))
    return rope.Tightrope(right, np.array([0.75, 0.25]), 2, recovery)


def wrong_on(gusts):
    """A policy that errs on the given gusts and on the ground leans, never climbs."""
    return lambda seen: (
        np.where(np.isin(seen[:, 1], gusts), 1 - seen[:, 1], seen[:, 1]) % 2
    )


@pytest.mark.parametrize("recovery", rope.RECOVERIES)
def test_gymnasium_accepts_it(recovery):
    world = rope.build(
        9, rope.mostly_still(4, 0.2), np.random.default_rng(0), recovery=recovery
    )
    check_env(rope.TightropeEnv(world), skip_render_check=True)


def test_default_environment_is_registered():
    import gymnasium

    import imitlib  # noqa: F401

    env = gymnasium.make("imitlib/Tightrope-v0")
    seen, _ = env.reset(seed=1)
    assert seen[0] == 0 and env.action_space.n == 5


@pytest.mark.parametrize("recovery", rope.RECOVERIES)
def test_environment_is_the_vectorised_world_with_one_walker(recovery):
    world = rope.build(
        40, rope.mostly_still(3, 0.5), np.random.default_rng(2), recovery=recovery
    )
    env = rope.TightropeEnv(world)
    seen, _ = env.reset(seed=7)
    rng = np.random.default_rng(np.random.SeedSequence(7))
    many = world.start(1, rng)
    actions = np.random.default_rng(3).integers(world.n_actions, size=40)
    for t, action in enumerate(actions):
        assert seen.tolist() == many[0].tolist()
        seen, reward, over, cut, _ = env.step(action)
        many, cost = world.step(many, np.array([action]), rng)
        assert reward == -cost[0] and over == (t == 39) and not cut


@pytest.mark.parametrize(
    ("recovery", "action", "costs"),
    [("none", 2, 1), ("none", 0, 1), ("expert", 2, 0), ("expert", 0, 1),
     ("easy", 2, 0), ("easy", 0, 0)],
)  # fmt: skip
def test_the_three_ways_back(recovery, action, costs):
    world = small(recovery)
    on_ground = np.array([[1, world.ground]])
    after, cost = world.step(on_ground, np.array([action]), np.random.default_rng(0))
    assert cost[0] == costs
    assert (after[0, 1] == world.ground) == bool(costs)
    assert after[0, 0] == 2


def test_climbing_on_the_rope_is_a_wrong_lean():
    world = small("expert")
    seen = np.array([[0, 0]])
    after, cost = world.step(seen, np.array([world.climb]), np.random.default_rng(0))
    assert cost[0] == 1 and after[0, 1] == world.ground


@pytest.mark.parametrize("recovery", rope.RECOVERIES)
def test_the_expert_never_falls_and_never_shows_the_ladder(recovery):
    world = rope.build(
        30, rope.mostly_still(6, 0.5), np.random.default_rng(1),
        recovery=recovery, shared=False,
    )  # fmt: skip
    demos = rope.demonstrate(world, 50, np.random.default_rng(4))
    assert len(demos) == 1500 and (demos.rewards == 0).all()
    assert (demos.observations[:, 1] != world.ground).all()
    assert (demos.actions != world.climb).all()
    clock, felt = demos.observations.T
    assert (demos.actions == world.right[clock, felt]).all()
    assert (clock.reshape(50, 30) == np.arange(30)).all()
    assert (demos.episodes.reshape(50, 30) == np.arange(50)[:, None]).all()


def test_labels_on_somebody_elses_walk_are_still_the_experts():
    world = small("expert", horizon=8)
    demos = rope.demonstrate(
        world, 200, np.random.default_rng(5), policy=wrong_on([0, 1])
    )
    on_ground = demos.observations[:, 1] == world.ground
    first = demos.observations[:, 0] == 0
    assert (on_ground == ~first).all()  # everybody falls at once and stays down
    assert (demos.actions[on_ground] == world.climb).all()
    assert (demos.actions[first] == demos.observations[first, 1]).all()
    assert (demos.rewards == -1).all()


@pytest.mark.parametrize("recovers", [False, True])
def test_expected_cost_by_enumerating_every_pattern_of_slips(recovers):
    error = np.array([0.1, 0.0, 0.3, 0.25, 0.9, 0.02])
    total = np.zeros(6)
    for slips in product([False, True], repeat=6):
        chance = np.prod(np.where(slips, error, 1 - error))
        on_rope, cost = True, []
        for slip in slips:
            on_rope = (not slip) if on_rope else recovers
            cost.append(not on_rope)
        total += chance * np.cumsum(cost)
    np.testing.assert_allclose(
        rope.expected_cost(error, 6, recovers=recovers), total, atol=1e-12
    )


@pytest.mark.parametrize("error", [0.0, 0.001, 0.1, 1.0])
def test_expected_cost_is_the_textbook_sum(error):
    steps = np.arange(1, 51)
    stays_down = np.cumsum(1 - (1 - error) ** steps)
    np.testing.assert_allclose(
        rope.expected_cost(error, 50, recovers=False), stays_down, atol=1e-12
    )
    if 0 < error < 0.01:  # about e T^2 / 2 and e T
        assert stays_down[-1] == pytest.approx(error * 50 * 51 / 2, rel=0.02)
        back = rope.expected_cost(error, 50, recovers=True)[-1]
        assert back == pytest.approx(error * 50, rel=0.002)


def test_expected_cost_on_paper():
    np.testing.assert_allclose(
        rope.expected_cost(0.1, 3, recovers=False), [0.1, 0.29, 0.561]
    )
    np.testing.assert_allclose(
        rope.expected_cost(0.1, 3, recovers=True), [0.1, 0.19, 0.281]
    )


@pytest.mark.parametrize(
    ("recovery", "back"), [("none", 0), ("expert", 0), ("easy", 1)]
)
def test_walking_costs_what_theory_says(recovery, back):
    world = small(recovery, horizon=12)
    costly = rope.walk(world, wrong_on([1]), 40_000, np.random.default_rng(6))
    expected = rope.expected_cost(0.25, 12, recovers=bool(back))[-1]
    total = costly.sum(axis=0)
    assert abs(total.mean() - expected) < 4.5 * total.std() / 200


def test_gusts_blow_as_often_as_they_should():
    world = rope.build(1, np.array([0.5, 0.3, 0.2]), np.random.default_rng(0))
    felt = world.start(100_000, np.random.default_rng(1))[:, 1]
    counts = np.bincount(felt, minlength=3) / 1e5
    np.testing.assert_allclose(counts, [0.5, 0.3, 0.2], atol=0.007)


@pytest.mark.parametrize("draws", [30, 100, 1000, 10_000])
def test_every_octave_hides_the_same_share_at_every_sample_size(draws):
    chance = rope.every_octave(24)
    assert chance.sum() == 1
    missing = (chance * (1 - chance) ** draws).sum()
    assert missing == pytest.approx(1 / (draws * np.log(2)), rel=0.06)


def test_table_rows_are_all_different():
    world = rope.build(5, rope.mostly_still(3, 0.3), np.random.default_rng(0))
    seen = np.array(list(product(range(5), range(5))))  # 5 clocks, 4 gusts and ground
    assert sorted(rope.table_index(world, seen, shared=False)) == list(range(25))
    assert set(rope.table_index(world, seen)) == set(range(5))


def test_shared_answers_do_not_depend_on_the_step():
    rng = np.random.default_rng(0)
    chance = rope.mostly_still(50, 0.5)
    shared = rope.build(20, chance, rng)
    own = rope.build(20, chance, rng, shared=False)
    assert (shared.right == shared.right[0]).all()
    assert not (own.right == own.right[0]).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [({"recovery": "luck"}, "recovery"), ({"chance": np.array([0.5, 0.6])}, "chance"),
     ({"chance": np.array([1.0])}, "right has shape"), ({"n_leans": 1}, "n_leans"),
     ({"right": np.array([[0, 7]])}, "right holds")],
)  # fmt: skip
def test_a_world_that_makes_no_sense_is_refused(change, word):
    good = {"right": np.array([[0, 1]]), "chance": np.array([0.5, 0.5]), "n_leans": 2}
    rope.Tightrope(**good)
    with pytest.raises(ValueError, match=word):
        rope.Tightrope(**{**good, **change})


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="error runs"):
        rope.expected_cost(1.2, 3, recovers=False)
    with pytest.raises(ValueError, match="horizon is 0"):
        rope.build(0, rope.mostly_still(2, 0.1), np.random.default_rng(0))
