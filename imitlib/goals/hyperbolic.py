r"""Minds that change as the moment comes near.

To her, now, what comes d steps later counts :math:`w_d`. An exponential
:math:`w_d = \gamma^d` gives the same ranking of two mornings on every evening. No other
weights do (Strotz 1955): with :math:`w_d = 1/(1 + kd)` a loaf at the end of the walk
beats a coffee on the way, until she stands before the coffee.

What she then expects of her later self makes two people (Evans, Stuhlmüller and
Goodman 2016). The *naive* one thinks that it will see things as she sees them now. The
*sophisticated* one knows better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.goals.biased import pick
from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_horizon, reward_of

__all__ = ["DelayPlan", "delay_plan", "hyperbola"]


@dataclass(frozen=True, eq=False)
class DelayPlan:
    """What she does at each step, and what she meant to do.

    Attributes
    ----------
    policy : (H, ..., S, A) array
        What she does when the step comes.
    meant : (H, ..., S, A) array
        What she expects, at the first step, that she will do at each.
    q : (H, ..., S, A) array
        What each action is worth to her when the step comes.
    """

    policy: np.ndarray
    meant: np.ndarray
    q: np.ndarray


def hyperbola(k: float, horizon: int) -> np.ndarray:
    """The weights 1 / (1 + k d) of delays d = 0 ... H - 1."""
    if not k >= 0:
        raise ValueError(f"k is {k}; it must be 0 or more")
    checked_horizon(horizon)
    return 1 / (1 + k * np.arange(horizon))


def delay_plan(mdp, weights, *, aware: bool, temperature: float = 0.0, reward=None):
    r"""Plan H steps when what comes d steps later counts ``weights[d]``.

    .. math:: Q_t(s, a, d) = w_d\, r(s, a) + \sum_{s'} P(s' \mid s, a) \sum_{a'}
              \pi_{t+1}(a' \mid s'; d')\, Q_{t+1}(s', a', d + 1)

    where :math:`\pi_t(\cdot \mid s; d)` is softmax of :math:`Q_t(s, \cdot, d)`, and she
    does :math:`\pi_t(\cdot \mid s; 0)`. The two people differ in d': d + 1 for the
    naive one, 0 for the sophisticated one.

    Parameters
    ----------
    mdp : MDP
        Its discount is not looked at.
    weights : (H,) array
        H is the number of steps.
    aware : bool
        Whether she knows that her mind will change: sophisticated, or naive.
    temperature : float
        0 or more; in units of reward, weighted.
    reward : (..., S, A) array, optional
        In place of the world's own; many at once are planned for together.

    Returns
    -------
    DelayPlan

    Notes
    -----
    Memory is H·H numbers for each state and reward: for small worlds.
    """
    weights = real_numbers("weights", weights).astype(float)
    if weights.ndim != 1 or not len(weights):
        raise ValueError(f"weights has shape {weights.shape}; it must be (H,), H at least 1")
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}; it must be 0 or more")
    reward, horizon = reward_of(mdp, reward), len(weights)
    q_now, meant = np.empty((2, horizon, *reward.shape))
    weight = weights.reshape(-1, *[1] * reward.ndim)
    later = np.zeros((horizon + 1, *reward.shape[:-1]))  # by delay; nothing after the end
    for t in reversed(range(horizon)):
        q = weight[: t + 1] * reward + mdp.next_values(later[1 : t + 2])  # (t + 1, ..., S, A)
        expects = pick(q[:1], temperature) if aware else pick(q, temperature)
        q_now[t], meant[t] = q[0], expects[-1]
        later = (expects * q).sum(-1)
    return DelayPlan(pick(q_now, temperature), meant, q_now)
