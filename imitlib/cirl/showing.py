r"""One walk to learn from: which should she show? (Hadfield-Menell et al. 2016, section 4.)

Where nothing slips and walks are short, all walks of T steps can be listed, by their
feature counts :math:`\phi(\tau)`. Rollo reads one as maximum entropy over walks does,

.. math:: p(\tau \mid \theta) = e^{\theta \cdot \phi(\tau) / \lambda} / Z(\theta)

and comes to a point estimate, the most likely θ under a normal prior, or to a belief
among listed θ. Then it takes the walk that is best for what it read. Hana, who knows all
of this, may show her best walk, or the walk of the paper's heuristic, or the one after
which the two together do best; since all walks are listed, the last is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import softmax

from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_horizon, checked_positive

__all__ = ["Walks", "listed_walks", "losses", "response"]

MOST_STEPS = 100  # of Newton's method; six are usual
CLOSE = 1e-9  # an entry of the gradient, in units of features


@dataclass(frozen=True, eq=False)
class Walks:
    r"""All walks of so many steps, those with the same visits taken together.

    Attributes
    ----------
    features : (M, k)
        :math:`\phi(\tau)`: what a walk meets of each feature in all.
    ways : (M,)
        How many walks a row stands for.
    temperature : float
        :math:`\lambda > 0`: how noisily Rollo thinks that she walks.
    """

    features: np.ndarray
    ways: np.ndarray
    temperature: float = 1.0

    def __post_init__(self):
        features, ways = (np.asarray(x, float) for x in (self.features, self.ways))
        if features.ndim != 2 or ways.shape != features.shape[:1] or not len(ways):
            raise ValueError(f"features and ways have shapes {features.shape} and "
                             f"{ways.shape}; they must be (M, k) and (M,)")
        if not np.isfinite(features).all() or not ways.min() > 0:
            raise ValueError("features must be finite, and ways above 0")
        checked_positive("temperature", self.temperature)
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "ways", ways)

    @cached_property
    def _products(self):
        """Products of two features, (M, k²)."""
        f = self.features
        return (f[:, :, None] * f[:, None]).reshape(len(f), -1)

    def chances(self, theta):
        r""":math:`\log Z` and :math:`p(\tau \mid \theta)`: (...,) and (..., M)."""
        p = self._weights(theta) @ (self.features.T / self.temperature)
        p += np.log(self.ways)
        largest = p.max(axis=-1, keepdims=True)
        p -= largest
        np.exp(p, out=p)
        total = p.sum(axis=-1, keepdims=True)
        p /= total
        return (largest + np.log(total))[..., 0], p

    def read(self, shown, l2: float, start=None) -> np.ndarray:
        r"""Rollo's point estimate from each of B walks shown, (B, k).

        .. math:: \hat\theta = \arg\max_\theta\; \theta \cdot \phi / \lambda
                  - \log Z(\theta) - \tfrac{\ell}{2} \|\theta\|^2

        by Newton's method, shortened where it leaps. :math:`\ell` is one over the
        variance of a normal prior.

        Parameters
        ----------
        shown : (B, k)
            Feature counts; those of a mixture of walks are legal too.
        l2 : float
            Above 0: one best walk alone would have it believe without bounds.
        start : (B, k), optional
            Where to begin, else at 0.

        Raises
        ------
        ValueError
            Naming the argument, what it was, and what is legal.
        """
        l2, shown = checked_positive("l2", l2), self._weights(shown, "shown")
        theta = np.zeros_like(shown) if start is None else self._weights(start, "start")
        k = shown.shape[1]
        for _ in range(MOST_STEPS):
            p = self.chances(theta)[1]
            mean = p @ self.features
            up = (shown - mean) / self.temperature - l2 * theta
            if np.abs(up).max() <= CLOSE * max(1.0, np.abs(shown).max()):
                return theta
            spread = (p @ self._products).reshape(-1, k, k) - mean[:, :, None] * mean[:, None]
            bend = spread / self.temperature**2 + l2 * np.eye(k)
            step = np.linalg.solve(bend, up[..., None])[..., 0]
            leap = np.sqrt((step * up).sum(axis=1, keepdims=True))
            theta = theta + step / np.where(leap > 0.5, 1 + leap, 1.0)
        raise ValueError(f"l2 is {l2:g}; with so little the estimate was not found "
                         f"in {MOST_STEPS} steps")

    def believe(self, shown, thetas, log_z=None) -> np.ndarray:
        r"""The mean of Rollo's belief after each walk shown, (B, k).

        .. math:: \sum_j \theta_j\, p(\theta_j \mid \phi), \qquad
                  p(\theta_j \mid \phi) \propto e^{\theta_j \cdot \phi / \lambda} / Z(\theta_j)

        Among the listed `thetas` (L, k), all as likely beforehand; `log_z` (L,), if
        known. Returns are linear in θ, so whoever plans for this mean does best on
        average over the belief.
        """
        shown, thetas = self._weights(shown, "shown"), self._weights(thetas, "thetas")
        log_z = self.chances(thetas)[0] if log_z is None else log_z
        return softmax(shown @ thetas.T / self.temperature - log_z, axis=1) @ thetas

    def heuristic(self, theta, etas) -> np.ndarray:
        r"""The walk that the paper's heuristic shows, by its number, for each of n etas, (n,).

        .. math:: \arg\max_\tau\; \phi(\tau) \cdot \theta
                  - \eta\, \| \phi_\theta - \phi(\tau) \|^2

        where :math:`\phi_\theta = \mathrm{E}[\phi(\tau) \mid \theta]` is what Rollo
        would match if it read her rightly. At :math:`\eta = 0` it is her best walk.
        """
        etas = real_numbers("etas", etas).astype(float)
        if etas.ndim != 1 or not etas.size or not etas.min() >= 0:
            raise ValueError(f"etas is {etas}; it must be a list of numbers, 0 or more")
        worth = self.features @ theta
        far = ((self.features - self.chances(theta)[1] @ self.features) ** 2).sum(axis=1)
        return np.array([(worth - eta * far).argmax() for eta in etas])

    def divergence(self, theta, others) -> np.ndarray:
        r"""From the walks of θ to those of each of others (B, k): :math:`D(p_\theta \| p_b)`."""
        log_z, p = self.chances(theta)
        change = (theta - self._weights(others, "others")) @ (p @ self.features)
        return change / self.temperature + self.chances(others)[0] - log_z

    def _weights(self, given, name="theta"):
        given = real_numbers(name, given).astype(float)
        k = self.features.shape[1]
        if given.ndim not in (1, 2) or given.shape[-1] != k or name != "theta" and given.ndim != 2:
            legal = f"({k},) or (n, {k})" if name == "theta" else f"(n, {k})"
            raise ValueError(f"{name} has shape {given.shape}; it must be {legal}")
        return given


def listed_walks(mdp, start: int, horizon: int):
    """The visits of all walks, each kind once: (M, T) states in order, and (M,) ways.

    The states that are entered, with repetition, at steps 1 to T; a world where nothing
    is left to chance. Kinds of walks are few: of 625 walks in four steps, 363.

    Raises
    ------
    ValueError
        If the world is not deterministic, or `start` or `horizon` is not legal.
    """
    checked_horizon(horizon)
    if not mdp.deterministic:
        raise ValueError(f"mdp is {mdp}; walks are listed where nothing slips")
    if not 0 <= start < mdp.n_states:
        raise ValueError(f"start is {start}; legal are 0 ... {mdp.n_states - 1}")
    # a row is (visits so far, sorted; where it stands), and how often it came about
    rows, ways = np.array([[start]]), np.ones(1)
    for _ in range(horizon):
        now = mdp.transitions[rows[:, -1]]  # (W, A)
        seen = np.repeat(rows[:, None, :-1], mdp.n_actions, axis=1)
        rows = np.concatenate([np.sort(np.concatenate([seen, now[..., None]], axis=2)),
                               now[..., None]], axis=2).reshape(-1, seen.shape[2] + 2)
        rows, ways = _together(rows, np.repeat(ways, mdp.n_actions))
    return _together(rows[:, :-1], ways)


def _together(rows, ways):
    rows, which = np.unique(rows, axis=0, return_inverse=True)
    return rows, np.bincount(which.ravel(), ways)


def losses(mdp, features, theta, believed, horizon: int) -> np.ndarray:
    """What acting for each of B beliefs loses under θ, by first state, (B, S).

    Parameters
    ----------
    mdp : MDP
        Where nothing slips.
    features : (S, k)
        Met by entering a state, or by staying in it.
    theta : (k,)
        What is true.
    believed : (B, k)
        What Rollo plans for, H steps ahead.
    horizon : int
    """
    succ = mdp.transitions
    entered = np.vstack([believed, theta]) @ features.T  # (B + 1, S)
    hoped, worth = np.zeros((2, *entered.shape))
    for _ in range(horizon):
        q = (entered + hoped)[:, succ]  # (B + 1, S, A)
        act = q.argmax(axis=-1)[..., None]
        hoped = np.take_along_axis(q, act, axis=-1)[..., 0]
        true = (entered[-1] + worth)[:, succ]
        worth = np.take_along_axis(true, act, axis=-1)[..., 0]
    return worth[-1] - worth[:-1]


def response(hers, his, weight: float = 1.0, at_once: int = 32):
    """The walk to show, so that Rollo and Hana lose least: (number, loss).

    What is minimised is Rollo's loss and `weight` times hers: 1 for both together, 0
    for the best lesson. Walks are tried in the order of what they cost her, until that
    alone is as much as the least sum so far: none that is left out could be better. Of
    equals (within 1e-9) it is the one that costs her least.

    Parameters
    ----------
    hers : (M,)
        What showing each walk costs her, 0 or more.
    his : callable
        (n,) numbers of walks -> (n,) what Rollo loses after each, 0 or more.
    weight : float
    at_once : int
        How many are tried together.
    """
    order = np.argsort(hers, kind="stable")
    which, least = -1, np.inf
    for first in range(0, len(order), at_once):
        some = order[first : first + at_once]
        if weight * hers[some[0]] >= least - 1e-9:
            break
        lost = his(some) + weight * hers[some]
        if lost.min() < least - 1e-9:
            which = int(some[(lost <= lost.min() + 1e-9).argmax()])
            least = float(lost.min())
    return which, least
