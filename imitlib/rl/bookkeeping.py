"""What learning costs and what comes of it, and what every learner asks of its input."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import gymnasium as gym
import numpy as np

__all__ = ["CountSteps", "Learned"]


class CountSteps(gym.Wrapper):
    """A learner's bill: the steps and resets ever taken, in `steps` and `resets`."""

    def __init__(self, env):
        super().__init__(env)
        self.steps = self.resets = 0

    def step(self, action):
        """One step more."""
        self.steps += 1
        return self.env.step(action)

    def reset(self, *, seed=None, options=None):
        """One reset more."""
        self.resets += 1
        return self.env.reset(seed=seed, options=options)


@dataclass(frozen=True, eq=False)
class Learned:
    """What came out of learning, and what it was like on the way.

    Attributes
    ----------
    policy : (S, A) float64
        Rows sum to 1. After Q-learning it is greedy, and uniform over actions that
        look exactly alike, such as those of a state never visited.
    q : (S, A) float64, or None
        The estimates of :math:`Q^*`; None after REINFORCE, which makes none.
    returns : (n,) float64
        The sum of rewards, not discounted, of each episode that was finished.
    ends : (n,) int64
        After how many steps in all each of them finished.
    history : tuple of (int, object)
        The steps taken so far, and what ``evaluate(policy)`` then gave.
    """

    policy: np.ndarray
    q: np.ndarray | None
    returns: np.ndarray
    ends: np.ndarray
    history: tuple


def tables(env) -> tuple[int, int, int, int]:
    """(first state, first action, S, A) of an environment with Discrete spaces."""
    spaces = env.observation_space, env.action_space
    for name, space in zip(("observation_space", "action_space"), spaces):
        if not isinstance(space, gym.spaces.Discrete):
            raise TypeError(f"env.{name} is {space}; a table needs a Discrete one")
    return *(int(space.start) for space in spaces), *(int(space.n) for space in spaces)


def paid(reward) -> float:
    """The reward as a float, or an error: one NaN would spread through the table."""
    if not isfinite(reward):
        raise ValueError(f"env paid the reward {reward}; it must be finite")
    return float(reward)


def at_least_one(**counts) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int | np.integer):
            raise TypeError(f"{name} is {count!r}; it must be an integer")
        if count < 1:
            raise ValueError(f"{name} is {count}; it must be at least 1")


def share(name: str, value, above: float = -inf) -> None:
    """Refuse what is not in [0, 1], or not above `above`."""
    if not (0 <= value <= 1 and value > above):
        legal = "[0, 1]" if above < 0 else "(0, 1]"
        raise ValueError(f"{name} is {value}; it must lie in {legal}")


def schedule(name: str, value, above: float = -inf):
    """A function of the time, from a number or a function; all it gives is checked."""
    if not callable(value):
        share(name, value, above)
        return lambda when: value

    def at(when):
        given = value(when)
        if not (0 <= given <= 1 and given > above):  # again: a call would double the time
            share(f"{name}({when})", given, above)
        return given

    return at


def evaluations(every, evaluate) -> None:
    if (every is None) != (evaluate is None):
        raise ValueError(f"evaluate_every is {every} and evaluate is {evaluate}; "
                         "give both or neither")
    if every is not None:
        at_least_one(evaluate_every=every)
