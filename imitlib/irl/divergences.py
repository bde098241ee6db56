r"""Coming near to somebody whom one cannot be: which mistakes does a divergence forgive?

Where the learner can do all that the expert does, every divergence ends in the same
place. Where it cannot, the divergence decides. The smallest case is a bandit: one
choice among numbers on a line, an expert with two habits, and a learner whose choices
are always one hump (Ke and others 2021).

With :math:`q` the expert, :math:`p` the learner and f convex, f(1) = 0,

.. math:: D_f(q \,\|\, p) = \sum_a p(a)\, f\!\left(\frac{q(a)}{p(a)}\right).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter
from scipy.optimize import minimize
from scipy.special import softmax, xlogy

__all__ = ["DIVERGENCES", "Hump", "closest_hump", "f_divergence", "hump", "moment_gap",
           "two_habits"]  # fmt: skip

DIVERGENCES = {
    "forward KL": lambda u: xlogy(u, u),  # sum q log(q / p): cloning
    "reverse KL": lambda u: -np.log(u),  # sum p log(p / q)
    "Jensen-Shannon": lambda u: (xlogy(u, u) - (1 + u) * np.log((1 + u) / 2)) / 2,
    "total variation": lambda u: np.abs(u - 1) / 2,
}


def f_divergence(expert, learner, kind: str) -> float:
    """How far the learner is from the expert, in nats (total variation: in [0, 1]).

    Parameters
    ----------
    expert, learner : (A,) arrays
        Probabilities; each must be positive everywhere.
    kind : str
        A key of `DIVERGENCES`.
    """
    if kind not in DIVERGENCES:
        raise ValueError(f"kind is {kind!r}; legal: {', '.join(DIVERGENCES)}")
    q, p = _positive("expert", expert), _positive("learner", learner)
    if q.shape != p.shape:
        raise ValueError(f"learner has shape {p.shape}; it must be the expert's, {q.shape}")
    return float(p @ DIVERGENCES[kind](q / p))


def moment_gap(expert, learner, moments) -> float:
    r"""The largest difference in a mean, :math:`\max_k |E_q[m_k] - E_p[m_k]|`.

    `moments` is (A, k), one column for each function of the choice that a judge may
    look at. With all functions between -1 and 1 it would be twice the total variation
    (Swamy and others 2021 compare such classes of judges).
    """
    moments = np.asarray(moments, float)
    q, p = np.asarray(expert, float), np.asarray(learner, float)
    if moments.ndim != 2 or len(moments) != len(q) or q.shape != p.shape:
        raise ValueError(f"moments has shape {moments.shape}, expert {q.shape} and learner "
                         f"{p.shape}; they must be (A, k), (A,) and (A,)")
    return float(np.abs((q - p) @ moments).max())


@dataclass(frozen=True)
class Hump:
    """The nearest that a learner with one hump can come."""

    mean: float
    width: float
    distance: float


def hump(choices, mean: float, width: float) -> np.ndarray:
    """One hump on the choices: a normal curve, scaled to sum to 1, (A,)."""
    return softmax(-((np.asarray(choices, float) - mean) ** 2) / (2 * width**2))


def two_habits(choices, apart: float, share: float = 0.5, width: float = 0.5) -> np.ndarray:
    """An expert who chooses near -apart/2, or with probability `share` near +apart/2."""
    left, right = (hump(choices, side * apart / 2, width) for side in (-1, 1))
    return (1 - share) * left + share * right


def closest_hump(expert, choices, kind: str, narrowest: float = 0.2) -> Hump:
    """The hump that is nearest to the expert, by a search that sees the whole plane.

    The three best pits of a grid over mean and width are polished (Nelder and Mead).

    Parameters
    ----------
    expert : (A,) array
    choices : (A,) array
        Where on the line each choice lies.
    kind : str
    narrowest : float
        Least width that the learner can have.
    """
    choices, expert = np.asarray(choices, float), _positive("expert", expert)
    if kind not in DIVERGENCES:
        raise ValueError(f"kind is {kind!r}; legal: {', '.join(DIVERGENCES)}")

    def learner(mean, width):
        shape = -((choices - mean[..., None]) ** 2) / (2 * width[..., None] ** 2)
        return np.maximum(softmax(shape, axis=-1), 1e-300)

    def distance(point):
        p = learner(point[..., 0], narrowest + np.exp(point[..., 1]))
        return (p * DIVERGENCES[kind](expert / p)).sum(axis=-1)

    means = np.linspace(choices.min(), choices.max(), 49)
    grid = np.stack(np.meshgrid(means, np.log(np.geomspace(0.02, np.ptp(choices), 17)),
                                indexing="ij"), axis=-1)
    far = distance(grid)
    pits = far == minimum_filter(far, size=3, mode="nearest")
    starts = grid[pits][np.argsort(far[pits])[:3]]
    ends = [minimize(distance, start, method="Nelder-Mead",
                     options={"xatol": 1e-8, "fatol": 1e-13}) for start in starts]
    end = min(ends, key=lambda end: end.fun)
    return Hump(float(end.x[0]), float(narrowest + np.exp(end.x[1])), float(end.fun))


def _positive(name, given):
    given = np.asarray(given, float)
    if given.ndim != 1 or not (given > 0).all() or abs(given.sum() - 1) > 1e-9:
        raise ValueError(f"{name} must be probabilities (A,), all positive, summing to 1")
    return given
