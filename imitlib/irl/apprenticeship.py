r"""Apprenticeship: do as well as the expert, whatever the reward is.

If a mixture of policies has the expert's feature expectations up to :math:`\epsilon`,
then by Cauchy and Schwarz it is worth as much, up to :math:`\epsilon \lVert w \rVert`,
under *every* reward :math:`r = \phi\, w`. So nobody has to know w (Abbeel and Ng 2004).

Each round asks in which direction the expert is still ahead,
:math:`w = \mu_E - \bar\mu`, plans for that w as a reward, and adds the new policy to the
mixture. The two algorithms differ in how they mix. `projection` mixes the new policy
with what it has, by the point of the segment that is nearest to the expert.
`max_margin` mixes all of them anew, by the nearest point of their convex hull; its
direction w is the one in which the expert beats all of them by the largest margin.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import nnls

from imitlib import planning
from imitlib.irl.features import (
    as_reward,
    checked_features,
    checked_weights,
    expected_features,
)
from imitlib.planning.following import checked_positive

__all__ = ["Apprentice", "best_policy", "max_margin", "projection"]


@dataclass(frozen=True, eq=False)
class Apprentice:
    r"""A mixture of policies: before the first step one is drawn, then it is followed.

    Attributes
    ----------
    policies : tuple of (S, A) arrays
    weights : (n,) array
        The chance of each.
    mu : (k,) array
        The mixture's feature expectations.
    w : (k,) array
        The last direction in which the expert was ahead: the reward that is left over,
        near zero in the end. No estimate of what she wants.
    distances : (rounds + 1,) array
        :math:`\lVert \mu_E - \bar\mu \rVert_2` before each round and at the end.
    gap : float
        No mixture at all is nearer to the expert by more than this.
    mus : (n, k) array
        The feature expectations of each policy.
    """

    policies: tuple[np.ndarray, ...]
    weights: np.ndarray
    mu: np.ndarray
    w: np.ndarray
    distances: np.ndarray
    gap: float
    mus: np.ndarray = field(repr=False)

    def occupancy(self, mdp) -> np.ndarray:
        """How often the mixture takes each action in each state, (S, A)."""
        each = [planning.occupancy(mdp, policy) for policy in self.policies]
        return np.tensordot(self.weights, each, axes=1)

    def policy(self, mdp) -> np.ndarray:
        """One policy (S, A) that acts as often in each way: the mixture's occupancy.

        Where the mixture never comes, all actions are as likely.
        """
        visits = self.occupancy(mdp)
        total = visits.sum(axis=1, keepdims=True)
        even = np.full_like(visits, 1 / mdp.n_actions)
        return np.divide(visits, total, out=even, where=total > 1e-12)


def projection(
    mdp, mu_expert, features=None, *, tol: float = 1e-3, max_iters: int = 1000
) -> Apprentice:
    r"""Abbeel and Ng's projection algorithm.

    .. math:: \bar\mu \leftarrow \bar\mu + \lambda\,(\mu_i - \bar\mu), \qquad
              \lambda = \frac{(\mu_i - \bar\mu) \cdot (\mu_E - \bar\mu)}
                             {\lVert \mu_i - \bar\mu \rVert^2}

    where :math:`\mu_i` belongs to the best policy for :math:`w = \mu_E - \bar\mu`. With
    λ kept in [0, 1] these are the steps of Frank and Wolfe on the squared distance: the
    distance never grows, and falls at least like :math:`1/\sqrt{n}`.

    Parameters
    ----------
    mdp : MDP
        Its own reward is not looked at.
    mu_expert : (k,) array
        From `expected_features` or `empirical_features`.
    features : (S, k) or (S, A, k) array, optional
    tol : float
        Stop when the distance is below it, or is known to be within it of the least.
    max_iters : int
        Most policies that are added; where it is reached, see `distances`.

    Returns
    -------
    Apprentice
        Its first policy is the uniform one.

    Raises
    ------
    ValueError, TypeError
        If an argument is not legal.
    """

    def mix(mus, weights, mu, target):
        step = mus[-1] - mu
        length = step @ step
        share = np.clip(step @ (target - mu) / length, 0, 1) if length > 0 else 0.0
        return np.append((1 - share) * weights, share)

    return _match(mdp, mu_expert, features, tol, max_iters, mix)


def max_margin(
    mdp, mu_expert, features=None, *, tol: float = 1e-3, max_iters: int = 1000
) -> Apprentice:
    r"""Abbeel and Ng's max-margin algorithm, by its dual.

    .. math:: \max_{\lVert w \rVert \le 1} \min_i w \cdot (\mu_E - \mu_i)
              = \min_{\lambda \in \Delta} \lVert \mu_E - \textstyle\sum_i
              \lambda_i \mu_i \rVert

    and the w of the left side points from the nearest mixture to the expert. The right
    side is solved exactly, by the active sets of non-negative least squares: for
    :math:`x = t \lambda` the sum :math:`\lVert \sum_i x_i (\mu_E - \mu_i) \rVert^2 +
    (1 - \sum_i x_i)^2` is least at the same λ whatever t is.

    Parameters, result and errors are those of `projection`.
    """

    def mix(mus, weights, mu, target):
        scale = max(np.abs(target - mus).max(), 1e-12)
        lines = np.vstack([(target - mus).T / scale, np.ones(len(mus))])
        x = nnls(lines, np.append(np.zeros(len(target)), 1.0), maxiter=100 * len(mus))[0]
        return x / x.sum()

    return _match(mdp, mu_expert, features, tol, max_iters, mix)


def best_policy(mdp, reward) -> np.ndarray:
    """The optimal policy (S, A) for a reward (S,) or (S, A)."""
    reward = as_reward(mdp, reward)
    plan = planning.value_iteration if mdp.discount == 1 else (
        planning.modified_policy_iteration)
    return plan(mdp, reward=reward).policy


def _match(mdp, mu_expert, features, tol, max_iters, mix) -> Apprentice:
    features = checked_features(mdp, features)
    target = checked_weights("mu_expert", mu_expert, features.shape[-1])
    tol = checked_positive("tol", tol)
    if max_iters < 1:
        raise ValueError(f"max_iters is {max_iters}; it must be at least 1")
    policies = [np.full(mdp.reward.shape, 1 / mdp.n_actions)]
    mus = expected_features(mdp, policies[0], features)[None]
    weights, mu, gap = np.ones(1), mus[0], np.inf
    distances = [float(np.linalg.norm(target - mu))]
    while distances[-1] > tol and len(policies) <= max_iters:
        w = target - mu
        new = best_policy(mdp, features @ w)
        mu_new = expected_features(mdp, new, features)
        # No mixture is further along w than this policy, so the nearest one is at least
        # w·(target - mu_new) / |w| away.
        gap = float(min(distances[-1], w @ (mu_new - mu) / distances[-1]))
        if gap <= tol:
            break
        policies.append(new)
        mus = np.vstack([mus, mu_new])
        weights = mix(mus, weights, mu, target)
        mu = weights @ mus
        distances.append(float(np.linalg.norm(target - mu)))
    kept = weights > 0
    return Apprentice(
        tuple(p for p, keep in zip(policies, kept) if keep), weights[kept], mu,
        target - mu, np.array(distances), min(gap, distances[-1]), mus[kept])
