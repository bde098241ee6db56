r"""Which rewards make a policy optimal: a cone, and one of it by linear programming.

A policy is optimal if and only if no single deviation pays:

.. math:: V^\pi(s) - Q^\pi(s, b) \ge 0 \quad \text{for every state s and action b.}

The left side is linear in the reward. For a reward of states it is
:math:`\gamma (P_\pi - P_b)(I - \gamma P_\pi)^{-1} r`, and the rewards that pass are a
cone: sums and positive multiples of them pass too, and so does zero, which explains
everything (Ng and Russell 2000, theorem 3). Of the cone they choose, by a linear program,
a reward for which deviating costs much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from imitlib import planning
from imitlib.irl.features import as_reward, checked_features
from imitlib.planning.following import checked_policy, checked_positive, following

__all__ = ["Explanation", "constraints", "explains", "linear_programming_irl"]


def explains(mdp, policy, reward, tol: float = 1e-9) -> bool:
    """Whether a policy is optimal in this world under this reward.

    Parameters
    ----------
    mdp : MDP
        Its own reward is not looked at.
    policy : (S, A) array
        Mixed policies too: each action with a chance must then be among the best.
    reward : (S,) or (S, A) array
    tol : float
        What a deviation may gain, as a share of the largest value (or of 1).
    """
    reward = as_reward(mdp, reward)
    values = planning.evaluate(mdp, policy, reward=reward)
    gains = planning.q_values(mdp, values, reward) - values[:, None]
    return bool(gains.max() <= tol * max(1.0, np.abs(values).max()))


def constraints(mdp, policy, features=None) -> np.ndarray:
    r"""The cone of rewards that explain a policy: :math:`M w \ge 0`.

    Parameters
    ----------
    mdp : MDP
        With a discount below 1.
    policy : (S, A) array
    features : (S, k) or (S, A, k) array, optional
        :math:`r = \phi\, w`; one for each state if not given, so that w is r.

    Returns
    -------
    (S·A, k) array
        Row s·A + b times w is what action b loses in state s, once:
        :math:`V^\pi(s) - Q^\pi(s, b)`. It is zero throughout where the policy
        always does b. The matrix is dense: for small worlds.

    Raises
    ------
    ValueError
        At discount 1, and if an argument does not fit the world.
    """
    if mdp.discount == 1:
        raise ValueError("discount is 1; the cone is written down for a discount below 1")
    policy = checked_policy(mdp, policy)
    features = checked_features(mdp, features)
    k = features.shape[-1]
    shape = (mdp.n_states, mdp.n_actions, k)
    pays = np.broadcast_to(features.reshape(mdp.n_states, -1, k), shape)
    chain = following(mdp, policy).toarray()
    followed = np.einsum("sa,sak->sk", policy, pays)
    values = np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * chain, followed)
    q = pays + mdp.discount * (mdp.matrix @ values).reshape(shape)
    return (values[:, None] - q).reshape(-1, k)


@dataclass(frozen=True, eq=False)
class Explanation:
    """A reward under which a policy is optimal.

    Attributes
    ----------
    reward : (S,) or (S, A) array
    w : (k,) array
        Its weights; without features the reward itself.
    margin : float
        The sum over states of what the best of the other actions loses there.
    """

    reward: np.ndarray
    w: np.ndarray
    margin: float


def linear_programming_irl(
    mdp, policy, *, features=None, l1: float = 0.0, r_max: float = 1.0, demand: float = 0.0
) -> Explanation:
    r"""Of all rewards that explain a policy, one under which deviating costs most.

    .. math:: \max_w\; \sum_s \min_{b:\, \pi(b \mid s) = 0}
              \big(V^\pi(s) - Q^\pi(s, b)\big) - \lambda \lVert w \rVert_1
              \quad\text{s.t. } M w \ge 0,\; |w_i| \le r_{\max}

    Ng and Russell (2000, section 3), solved by HiGHS. The minimum runs over the actions
    that the policy never takes; a state in which there is none adds 0.

    Parameters
    ----------
    mdp, policy, features
        As for `constraints`.
    l1 : float
        :math:`\lambda \ge 0`: what a unit of weight must buy.
    r_max : float
        Positive. Without it the margin could grow for ever.
    demand : float
        Each action that is never taken must lose at least this much. 0 can always be
        had, by the reward that is zero; more perhaps not.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If an argument is not legal, or if no reward within `r_max` loses `demand`
        everywhere: where two actions do the same, none can.
    """
    features = checked_features(mdp, features)
    rows = constraints(mdp, policy, features)
    r_max = checked_positive("r_max", r_max)
    for name, value in (("l1", l1), ("demand", demand)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} is {value!r}; it must be 0 or more, and finite")
    (n_rows, k), n = rows.shape, mdp.n_states
    other = (checked_policy(mdp, policy) == 0).ravel()
    state = np.repeat(np.arange(n), mdp.n_actions)
    # The unknowns are w, a margin for each state, and |w|. Each line reads: ... <= right.
    margins = np.zeros((n_rows, n))
    margins[other, state[other]] = 1.0
    size, some = np.eye(k), other.reshape(n, -1).any(axis=1)
    lines = np.block([
        [-rows, margins, np.zeros((n_rows, k))],  # a margin is below each of its losses
        [size, np.zeros((k, n)), -size],
        [-size, np.zeros((k, n)), -size],
    ])
    bounds = [(-r_max, r_max)] * k + [(demand, None) if s else (0, 0) for s in some]
    worth = np.concatenate([np.zeros(k), -np.ones(n), np.full(k, float(l1))])
    found = linprog(worth, lines, np.zeros(len(lines)), bounds=bounds + [(0, None)] * k)
    if found.x is None:
        raise ValueError(
            f"demand is {demand:g}; no reward with weights up to r_max = {r_max:g} lets "
            "every action that the policy never takes lose so much. Demand less, or look "
            "for actions that do the same")
    return Explanation(features @ found.x[:k], found.x[:k], float(found.x[k:k + n].sum()))
