"""Decoding at a temperature, and reinforcing a clone: against closed forms."""

import doctest

import numpy as np
import pytest
import torch

from imitlib import bc, elicit
from imitlib.demonstrations import Demonstrations


def test_the_example_of_the_docstring():
    assert doctest.testmod(elicit).failed == 0


@pytest.mark.parametrize("temperature", [0.05, 0.3, 1.0, 4.0])
def test_sharpening_is_a_softmax_of_log_probabilities(temperature):
    p = np.random.default_rng(0).dirichlet(np.ones(6), size=(3, 4))
    logits = torch.from_numpy(np.log(p))
    expected = (logits / temperature).softmax(-1).numpy()
    np.testing.assert_allclose(elicit.sharpen(p, temperature), expected, atol=1e-12)


def test_the_limits_of_the_temperature():
    p = np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(elicit.sharpen(p, 1), p)
    np.testing.assert_allclose(
        elicit.sharpen(p, 0), [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])  # fmt: skip
    np.testing.assert_allclose(elicit.sharpen(p, 1e-4), elicit.sharpen(p, 0), atol=1e-12)
    hot = elicit.sharpen(p[:2], 1e9)
    np.testing.assert_allclose(hot, 1 / 3, atol=1e-6)


def test_the_coldest_temperatures_do_not_overflow():
    got = elicit.sharpen([1e-300, 1 - 1e-300], 1e-5)
    assert np.isfinite(got).all() and got[1] == 1


@pytest.mark.parametrize(
    ("p", "temperature", "words"),
    [
        ([0.5, 0.6], 1, "sum to 1"),
        ([-0.5, 1.5], 1, "0 or more"),
        (0.5, 1, "give rows"),
        ([0.5, 0.5], -1, "temperature is -1"),
        ([0.5, 0.5], np.nan, "temperature is nan"),
    ],
)
def test_bad_arguments_of_sharpen(p, temperature, words):
    with pytest.raises(ValueError, match=words):
        elicit.sharpen(p, temperature)


@pytest.fixture(scope="module")
def undecided():
    """A clone of somebody who answers three questions with two answers at random."""
    rng = np.random.default_rng(0)
    rows = rng.integers(3, size=300)
    demos = Demonstrations(np.eye(3)[rows], rng.integers(2, size=300), np.zeros(300, int))
    return bc.fit(demos, hidden=(), updates=100, rng=rng)


RIGHT = np.array([0, 1, 1])


def test_reward_brings_up_what_is_paid(undecided):
    better = elicit.reinforce(
        undecided, np.eye(3), lambda rows, said: said == RIGHT[rows], updates=300,
        lr=0.05, rng=np.random.default_rng(1))  # fmt: skip
    p = better.probabilities(np.eye(3))[np.arange(3), RIGHT]
    assert (p > 0.9).all()
    worse = elicit.reinforce(
        undecided, np.eye(3), lambda rows, said: -(said == RIGHT[rows]).astype(float),
        updates=300, lr=0.05, rng=np.random.default_rng(1))  # fmt: skip
    assert (worse.probabilities(np.eye(3))[np.arange(3), RIGHT] < 0.1).all()


def test_with_no_reward_only_the_entropy_moves_it():
    """Its optimum is the even policy; without it, a constant reward changes nothing."""
    demos = Demonstrations(np.eye(2)[[0, 1] * 50], [0, 1] * 50, np.zeros(100, int))
    sure = bc.fit(demos, hidden=(), updates=200, lr=0.05, rng=np.random.default_rng(0))
    before = sure.probabilities(np.eye(2))
    assert before.max() > 0.95
    still = elicit.reinforce(sure, np.eye(2), lambda rows, said: np.ones(len(rows)),
                             updates=100, entropy=0.0, rng=np.random.default_rng(0))
    np.testing.assert_allclose(still.probabilities(np.eye(2)), before, atol=1e-6)
    even = elicit.reinforce(sure, np.eye(2), lambda rows, said: np.ones(len(rows)),
                            updates=800, lr=0.02, entropy=1.0,
                            rng=np.random.default_rng(0))  # fmt: skip
    np.testing.assert_allclose(even.probabilities(np.eye(2)), 0.5, atol=0.02)


def test_one_update_follows_the_exact_gradient(undecided):
    """With many draws, the gradient is the one of the expected reward in closed form."""
    grads = {}

    class Spy:
        def __init__(self, parameters, lr):
            self.parameters = list(parameters)

        def step(self):
            grads["sampled"] = [p.grad.clone() for p in self.parameters]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elicit, "Adam", Spy)
        elicit.reinforce(
            undecided, np.eye(3), lambda rows, said: said == RIGHT[rows], updates=1,
            batch=400_000, entropy=0.3, rng=np.random.default_rng(0))  # fmt: skip
    x = torch.tensor((np.eye(3) - undecided.scale[0]) / undecided.scale[1]).float()
    log_pi = undecided.network(x).log_softmax(1)
    pi = log_pi.exp()
    paid = pi[torch.arange(3), torch.tensor(RIGHT)]
    undecided.network.zero_grad()
    (-(paid - 0.3 * (pi * log_pi).sum(1)).mean()).backward()
    for got, p in zip(grads["sampled"], undecided.network.parameters(), strict=True):
        np.testing.assert_allclose(got.numpy(), p.grad.numpy(), atol=3e-3)


def test_the_given_clone_stays_and_every_is_called(undecided):
    before, calls = undecided.probabilities(np.eye(3)).copy(), []
    elicit.reinforce(undecided, np.eye(3), lambda rows, said: said == 0, updates=3,
                     rng=np.random.default_rng(0), every=lambda u, c: calls.append(u))
    assert calls == [0, 1, 2, 3]
    np.testing.assert_array_equal(undecided.probabilities(np.eye(3)), before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"updates": 0}, "updates is 0"),
        ({"batch": 2.5}, "batch is 2.5"),
        ({"lr": 0}, "lr is 0"),
        ({"entropy": -1}, "entropy -1"),
        ({"reward": lambda rows, said: 1.0}, "reward gives shape"),
        ({"observations": np.eye(4)}, "fitted on 3"),
    ],
)
def test_bad_arguments_of_reinforce(undecided, change, words):
    given = {"observations": np.eye(3), "reward": lambda rows, said: said == 0,
             "rng": np.random.default_rng(0), "updates": 1} | change  # fmt: skip
    with pytest.raises(ValueError, match=words):
        elicit.reinforce(undecided, **given)


def test_commands_cannot_be_reinforced():
    demos = Demonstrations(np.eye(2), np.array([[0.1], [0.7]]), np.zeros(2, int))
    steers = bc.fit(demos, hidden=(), updates=1, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="gives commands"):
        elicit.reinforce(steers, np.eye(2), lambda rows, said: said,
                         rng=np.random.default_rng(0))
