"""Recording: let a policy act in an environment and write down what it does."""

from __future__ import annotations

import numpy as np

from imitlib.demonstrations.pairs import Demonstrations

__all__ = ["record"]


def record(env, policy, episodes: int, rng, noise=None, max_steps: int | None = None):
    """Record episodes of a policy in a Gymnasium environment.

    Parameters
    ----------
    env : gymnasium.Env
        With a discrete action space, or a box of shape (k,).
    policy : callable
        observations (B, ...) -> actions (B,) or (B, k); called with a batch of one.
    episodes : int
        How many.
    rng : numpy.random.Generator
        Draws the seed of each reset, and is handed to `noise`.
    noise : callable, optional
        (action, rng) -> the action that is *executed*. The label that is recorded
        stays the policy's own, so that the data show how it recovers (DART,
        Laskey et al. 2017).
    max_steps : int, optional
        Ends an episode early; else only the environment does.

    Returns
    -------
    Demonstrations
        With rewards; row t holds the observation *before* action t.

    Raises
    ------
    ValueError
        If an action does not fit the environment.
    """
    if episodes < 1 or (max_steps is not None and max_steps < 1):
        raise ValueError(f"episodes is {episodes} and max_steps is {max_steps}; "
                         "each must be at least 1")
    rows = []
    for episode in range(episodes):
        seen, _ = env.reset(seed=int(rng.integers(2**31)))
        over, step = False, 0
        while not over and step != max_steps:
            seen = np.array(seen)  # a copy: an environment may reuse its buffer
            label = _fitting(np.asarray(policy(seen[None]))[0], env, "policy")
            done = label if noise is None else _fitting(noise(label, rng), env, "noise")
            after, reward, terminated, truncated, _ = env.step(
                done.astype(env.action_space.dtype)[()])
            rows.append((seen, label, episode, float(reward)))
            seen, over, step = after, terminated or truncated, step + 1
    return Demonstrations(*(np.array(column) for column in zip(*rows, strict=True)))


def _fitting(action, env, source: str) -> np.ndarray:
    """The action as an array; refused if the environment takes another kind."""
    action, space = np.asarray(action), env.action_space
    discrete = space.dtype.kind in "iu"
    if (action.shape != space.shape or (action.dtype.kind in "iu") != discrete
            or (discrete and not space.contains(action[()]))):
        raise ValueError(f"the action of {source} is {action!r}; "
                         f"this environment takes {space}")
    return action
