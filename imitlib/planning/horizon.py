r"""Planning when the end is a fixed number of steps away: once, from the last step back.

With H steps to go and nothing after them, :math:`V_H = 0` and

.. math:: Q_t(s, a) = r(s, a) + \gamma \sum_{s'} P(s' \mid s, a)\, V_{t+1}(s')

for t = H - 1 down to 0: H rewards in all, the last of them at step H - 1. What is best
depends on how much time is left, so there is a policy for each step (Puterman 1994,
section 4.5). Nothing converges and nothing is approximate.
"""

from __future__ import annotations

import numpy as np

from imitlib.planning.following import checked_horizon, checked_positive, reward_of
from imitlib.planning.optimal import TIE, Plan, look_ahead
from imitlib.planning.soft import softmax_in_place

__all__ = ["backward_induction", "soft_backward_induction"]


def backward_induction(mdp, horizon: int, *, reward=None) -> Plan:
    r"""The optimal policy of H steps: :math:`V_t = \max_a Q_t`.

    Parameters
    ----------
    mdp : MDP
        Any discount in [0, 1]; no end is needed.
    horizon : int
        H, at least 1.
    reward : (..., S, A) array, optional
        In place of the world's own; many at once are planned for together.

    Returns
    -------
    Plan
        values (H, ..., S) and policy (H, ..., S, A), by step.
    """
    checked_horizon(horizon)
    reward = _by_action(mdp, reward)
    values = np.zeros((horizon + 1, *reward.shape[:-2], mdp.n_states))
    policy = np.zeros((horizon, *reward.shape))
    q = np.empty_like(reward)
    for t in reversed(range(horizon)):
        look_ahead(mdp, reward, values[t + 1], out=q)
        values[t] = q.max(axis=-2)
        tie = TIE * np.abs(q).max(axis=(-1, -2), keepdims=True)
        best = (q >= values[t][..., None, :] - tie).argmax(axis=-2)
        np.put_along_axis(policy[t], best[..., None, :], 1.0, axis=-2)
    return Plan(values[:-1], np.swapaxes(policy, -1, -2), horizon, 0.0)


def soft_backward_induction(
    mdp, horizon: int, temperature: float = 1.0, *, reward=None
) -> Plan:
    r"""The policy of maximum causal entropy over H steps.

    .. math:: V_t(s) = \lambda \log \sum_a e^{Q_t(s, a) / \lambda}, \qquad
              \pi_t(a \mid s) = e^{(Q_t(s, a) - V_t(s)) / \lambda}

    Parameters
    ----------
    mdp, horizon, reward
        As for `backward_induction`.
    temperature : float
        :math:`\lambda > 0`, in units of reward.

    Returns
    -------
    Plan
        values (H, ..., S) and policy (H, ..., S, A), by step.

    Raises
    ------
    ValueError
        If the horizon or the temperature is not legal.

    Notes
    -----
    At discount 1 in a deterministic world, the probability of a path of H steps from a
    given state is proportional to :math:`e^{\text{return} / \lambda}` (Ziebart et al.
    2008). A terminal state is treated like any other: its choices are paid for in each
    step that is left, at discount 1 too, where `soft_value_iteration` gives it 0.
    Memory is H·S·A numbers for the policy, and what one look ahead needs.
    """
    checked_horizon(horizon)
    temperature = checked_positive("temperature", temperature)
    reward = _by_action(mdp, reward) / temperature
    values = np.zeros((horizon + 1, *reward.shape[:-2], mdp.n_states))
    policy = np.empty((horizon, *reward.shape))
    for t in reversed(range(horizon)):
        look_ahead(mdp, reward, values[t + 1], out=policy[t])
        values[t] = softmax_in_place(policy[t])
    values *= temperature
    return Plan(values[:-1], np.swapaxes(policy, -1, -2), horizon, 0.0)


def _by_action(mdp, reward):
    return np.ascontiguousarray(np.swapaxes(reward_of(mdp, reward), -1, -2))
