r"""Soft planning: the best policy where keeping one's options open is paid for.

Whoever is paid, beside the reward, :math:`\lambda` for each nat of the entropy of each
choice, chooses

.. math:: \pi(a \mid s) = e^{(Q(s, a) - V(s)) / \lambda}, \qquad
          V(s) = \lambda \log \sum_a e^{Q(s, a) / \lambda}

with Q from V as ever: the maximum becomes a log-sum-exp. This is the policy of maximum
causal entropy (Ziebart, Bagnell and Dey 2010; Ziebart 2010, chapter 6), and the usual
model of a person who mostly does what is best. At temperature :math:`\lambda \to 0` it
is the optimal policy.

A state of the world that cannot be left still offers choices, and their entropy is paid
for as anywhere: it is worth :math:`\lambda \log A / (1 - \gamma)` if it pays nothing
else. Only at discount 1, where that would never end, a terminal state is worth 0.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from imitlib.planning.following import _solve, checked_positive, ends, following
from imitlib.planning.optimal import (
    MOST_SWEEPS,
    Plan,
    bound,
    checked,
    converged,
    look_ahead,
    never_settles,
    q_values,
)

__all__ = ["soft_policy_iteration", "soft_value_iteration"]

MOST_SOLVES = 200
HUGE = 1e9  # steps; beyond it an end is so unlikely that it may be rounding alone


def soft_value_iteration(
    mdp, temperature: float = 1.0, *, reward=None, tol: float = 1e-10
) -> Plan:
    r"""The soft values and the policy of maximum causal entropy.

    Parameters
    ----------
    mdp : MDP
    temperature : float
        :math:`\lambda > 0`, in units of reward.
    reward, tol
        As for `value_iteration`, with the same guarantee: the soft backup is a
        γ-contraction too.

    Returns
    -------
    Plan
        With ``policy`` (..., S, A) positive wherever exp does not underflow.

    Raises
    ------
    ValueError
        If the temperature is not positive; at discount 1, if no end can be reached
        or wandering about pays for ever: the soft values are infinite then.
    """
    temperature = checked_positive("temperature", temperature)
    reward = checked(mdp, reward, tol)
    over = ends(mdp, reward) if mdp.discount == 1 else None
    # in units of the temperature: r / λ, V / λ, Q / λ
    scaled = np.ascontiguousarray(np.swapaxes(reward, -1, -2)) / temperature
    values = np.zeros(scaled.shape[:-2] + scaled.shape[-1:])
    q = np.empty_like(scaled)
    for sweep in range(1, MOST_SWEEPS + 1):
        look_ahead(mdp, scaled, values, out=q)
        better = softmax_in_place(q)
        if over is not None:
            better[..., over] = 0
        change = np.abs(better - values).max()
        values = better
        if converged(mdp, change, values, tol / temperature):
            break
    else:
        never_settles(mdp, change * temperature, MOST_SWEEPS)
    look_ahead(mdp, scaled, values, out=q)
    softmax_in_place(q)
    return Plan(values * temperature, np.swapaxes(q, -1, -2), sweep,
                bound(mdp, change) * temperature)


def soft_policy_iteration(mdp, temperature: float = 1.0, *, reward=None) -> Plan:
    r"""The same plan by Newton's method, to rounding, however near the discount is to 1.

    Evaluate the policy with its entropy, :math:`V = r_\pi + \lambda H(\pi) + \gamma
    P_\pi V`, a linear system; take the softmax of its Q; repeat. Each evaluation is a
    Newton step on the soft Bellman equation, whose derivative is
    :math:`\gamma P_\pi - I`, so the number of correct digits doubles: about ten solves,
    where value iteration needs of the order of 1/(1-γ) sweeps.

    Parameters, errors and result are those of `soft_value_iteration`, for a single
    reward (S, A); `sweeps` counts the solves.
    """
    temperature = checked_positive("temperature", temperature)
    reward = checked(mdp, reward, 1.0)
    if reward.ndim != 2:
        raise ValueError(f"reward has shape {reward.shape}; here it must be one, "
                         f"{mdp.reward.shape}")
    going = np.ones(mdp.n_states, bool)
    if mdp.discount == 1:
        going = ~ends(mdp, reward)
    values, before, change = np.zeros(mdp.n_states), np.inf, np.inf
    policy = np.full(reward.shape, 1 / mdp.n_actions)
    for solve in range(1, MOST_SOLVES + 1):
        entropy = entr(policy).sum(axis=1)
        paid = (policy * reward).sum(axis=1) + temperature * entropy
        chain = following(mdp, policy)[going][:, going]
        new = np.zeros(mdp.n_states)
        try:
            new[going] = _solve(mdp.discount, chain, paid[going])
        except RuntimeError:  # an exactly singular system: nothing ends any more
            break
        change = np.abs(new - values).max()
        values = new
        if not np.abs(values).max() < HUGE * (np.abs(reward).max() + temperature):
            break
        q = np.ascontiguousarray(q_values(mdp, values, reward).T) / temperature
        softmax_in_place(q)
        policy = q.T
        if not change < before and solve > 2:  # quadratic until only rounding is left
            if change <= 1e-9 * max(1.0, np.abs(values).max()):
                return Plan(values, policy, solve, float("nan"))
        before = change
    never_settles(mdp, change, solve)


def softmax_in_place(q) -> np.ndarray:
    """Q / λ (..., A, S) becomes the policy; returned is V / λ, (..., S).

    The largest is subtracted first: exp of anything else could overflow.
    """
    largest = q.max(axis=-2)
    q -= largest[..., None, :]
    np.exp(q, out=q)
    total = q.sum(axis=-2)
    q *= (1 / total)[..., None, :]  # one division for each state
    np.log(total, out=total)
    total += largest
    return total
