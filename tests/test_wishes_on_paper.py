"""What chapter 06 says by hand, against brute force; its two figures against the world."""

import numpy as np
import pytest

from imitlib import irl, planning
from imitlib.chapters.ch06 import on_paper
from imitlib.chapters.ch06.exercises import walks_on
from imitlib.envs.town import REWARDS


def test_the_wedge_is_where_going_on_is_optimal():
    """(6.1) against value iteration, on many wishes."""
    mdp = on_paper.row()
    wishes = np.random.default_rng(0).normal(size=(300, 3))
    r0, r1, r2 = wishes.T
    wedge = (r2 >= r1) & (r1 + r2 >= 2 * r0)
    on = np.array([[1.0, 0.0]] * 3)
    value = planning.evaluate(mdp, on, reward=np.repeat(wishes[..., None], 2, axis=2))
    best = planning.value_iteration(mdp, reward=np.repeat(wishes[..., None], 2, axis=2)).values
    np.testing.assert_array_equal(wedge, (value > best - 1e-8).all(axis=1))
    np.testing.assert_array_equal(wedge, walks_on(wishes, on_paper.HALF))
    assert 0.1 < wedge.mean() < 0.9
    assert [irl.explains(mdp, on, wish) for wish in wishes] == wedge.tolist()


def test_the_mornings_are_as_likely_as_the_page_says():
    hand = on_paper.by_hand()
    assert hand["nothing"]["nats"] == pytest.approx(on_paper.SEEN.sum() * np.log(0.5))
    assert hand["the door"]["nats"] > hand["to get away"]["nats"] > hand["nothing"]["nats"]
    assert hand["the street"]["nats"] < hand["nothing"]["nats"]
    assert [h["explains"] for h in hand.values()] == [True, True, False, False, True]
    # the soft policy of the row by brute force: iterate the soft Bellman equation
    values, reward = np.zeros(3), np.array([0, 0, 2.0])
    for _ in range(200):
        q = reward[:, None] + values[[[1, 0], [2, 0], [2, 1]]] / 2
        values = np.log(np.exp(q).sum(axis=1))
    policy = np.exp(q - values[:, None])
    np.testing.assert_allclose(hand["the door"]["on"], policy[:, 0], atol=1e-9)


def test_her_wishes_counted_from_the_other_end_change_no_step():
    world, happens = on_paper.street()
    hers = happens @ np.array([REWARDS["true"][kind] for kind in on_paper.KINDS])
    told = happens @ on_paper.told_otherwise()
    assert np.abs(hers - told).max() > 1
    plans = [planning.soft_policy_iteration(world, 0.3, reward=r) for r in (hers, told)]
    np.testing.assert_allclose(plans[0].policy, plans[1].policy, atol=1e-10)
    lines = planning.value_iteration(world, reward=np.stack([hers, told])).policy
    np.testing.assert_array_equal(lines[0], lines[1])


def test_the_slider_sees_more_with_more_walks():
    garden = [np.abs(on_paper.inferred(n, 0.3)[:, 1] + 8).mean() for n in (1, 100)]
    step = [np.abs(on_paper.inferred(n, 0.3)[:, 0] + 0.7).mean() for n in (1, 100)]
    assert garden[1] < garden[0] - 3 and step[1] < min(0.1, step[0])
    fig, text = on_paper.explore_walks(3, 1.0)
    assert text.startswith("3 walks, temperature 1") and fig.axes


def test_the_hook_goes_round_the_block():
    _, alt = on_paper.fig_hook()
    assert "takes 11 steps" in alt
