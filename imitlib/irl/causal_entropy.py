r"""Maximum causal entropy: the reward under which what was shown was likely.

Whoever plans softly (`planning.soft`) for the reward :math:`r_w = \phi w` acts with
:math:`\pi_w(a \mid s) = e^{(Q_w(s, a) - V_w(s)) / \lambda}`. What is sought is the w
that makes the demonstrations likeliest,

.. math:: L(w) = \sum_{s, a} n(s, a) \log \pi_w(a \mid s) - \tfrac{\ell}{2} \|w\|^2

where n(s, a) says how often a was done in s. The derivative is exact, and costs one
linear solve beyond the plan. By the flow that is missing from n in each state,
:math:`\nu = \gamma P^\top n - n(\cdot)`, solve
:math:`m = \nu + \gamma P_\pi^\top m`; then

.. math:: \lambda \nabla L = \phi^\top (n + m\,\pi_w)

Where n is a true occupancy, :math:`\nu = -\mu` and this is *what was done, minus what I
would do* (Ziebart, Bagnell and Dey 2010), and L is the dual of maximum causal entropy,
concave in w. Demonstrations are a sample, often cut short: then n is no occupancy of
any policy. With a weight for each (s, a) that dual, the function `dual`, has no maximum
at all: it grows for ever along some shaping of the reward. So the *likelihood* is
maximised here: it is at most 0, and shaping cannot change it. Where it is approached
but never reached, as by whoever never errs, ``l2`` keeps the weights finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from imitlib.irl.likelihood import Likelihood
from imitlib.planning.following import checked_positive

__all__ = ["Inferred", "causal_entropy_irl", "dual", "gradient_ascent", "objective"]


@dataclass(frozen=True, eq=False)
class Inferred:
    """What was inferred.

    Attributes
    ----------
    w : (k,) float64
        The weights of the features.
    reward : (S, A) float64
    policy : (S, A) float64, or (H, S, A)
        The soft policy under that reward.
    log_likelihood : float
        In nats, for each episode, without the penalty.
    gradient_norm : float
        The largest entry of the gradient in size, where the search ended.
    iterations : int
    converged : bool
        Whether `gradient_norm` is within the tolerance.
    path : (n, k) float64, or None
        The weights on the way, if they were kept.
    """

    w: np.ndarray
    reward: np.ndarray
    policy: np.ndarray
    log_likelihood: float
    gradient_norm: float
    iterations: int
    converged: bool
    path: np.ndarray | None = None


def causal_entropy_irl(
    mdp, demonstrations=None, features=None, *, occupancy=None, policy=None,
    temperature: float = 1.0, l2: float = 0.0, horizon: int | None = None, w0=None,
    tol: float = 1e-7, max_iters: int = 1000,
) -> Inferred:  # fmt: skip
    r"""Infer a reward by maximum causal entropy: L-BFGS on the exact likelihood.

    Parameters
    ----------
    mdp : MDP
        Where it was shown; its own reward is not looked at. At discount 1 without a
        horizon states that cannot be left end the story, and pay nothing.
    demonstrations : Demonstrations, or list of (states, actions), optional
        Each decision counts once; the sum is divided by the number of episodes.
    features : (S, k) or (S, A, k) array, "states" or "pairs", optional
        "states", as None, is a weight for each state; "pairs" one for each (s, a).
    occupancy : (S, A) array, or (H, S, A) with a horizon, optional
        In place of demonstrations: how often each action was taken in each state.
    policy : (S, A) array, or (H, S, A), optional
        In place of both: endless demonstrations by whoever acts so.
    temperature : float
        :math:`\lambda > 0`, in units of reward.
    l2 : float
        :math:`\ell \ge 0`, the weight of the penalty.
    horizon : int, optional
        Plans are made for so many steps; else for ever.
    w0 : (k,) array, optional
        Where the search begins, else at 0. At discount 1 without a horizon it must be
        given: at reward 0 it pays to wander about for ever.
    tol : float
        The search ends when no entry of the gradient is larger, for each decision shown.
    max_iters : int

    Returns
    -------
    Inferred

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    problem = Likelihood(mdp, demonstrations, features, occupancy=occupancy, policy=policy,
                         temperature=temperature, l2=l2, horizon=horizon)
    w = problem.checked("w0", np.zeros(problem.k) if w0 is None else w0)
    best = problem(w)[0]  # raises where the search may not begin

    def loss(w):
        """The negative likelihood; beyond where plans exist, a wall."""
        nonlocal best
        try:
            value, gradient = problem(w)
        except ValueError:
            return max(1.0, abs(best)) - best, np.zeros(problem.k)
        best = max(best, value)
        return -value, -gradient

    tol = checked_positive("tol", tol) * max(1.0, problem.n.sum())
    options = {"gtol": tol, "ftol": 0.0, "maxcor": 20,
               "maxiter": max_iters, "maxfun": 20 * max_iters}  # fmt: skip
    found = minimize(loss, w, jac=True, method="L-BFGS-B", options=options)
    return _inferred(problem, found.x, found.nit, tol)


def gradient_ascent(
    mdp, demonstrations=None, features=None, *, occupancy=None, policy=None,
    temperature: float = 1.0, l2: float = 0.0, horizon: int | None = None, w0=None,
    step: float = 0.1, steps: int = 100,
) -> Inferred:  # fmt: skip
    r"""The same, by plain steps: :math:`w \leftarrow w + \eta \nabla L(w)`.

    Slow, and worth watching: shaping the reward does not change L, so no step ever goes
    along a shaping direction. ``path`` has ``steps + 1`` rows, from `w0` on; the other
    parameters are those of `causal_entropy_irl`.
    """
    problem = Likelihood(mdp, demonstrations, features, occupancy=occupancy, policy=policy,
                         temperature=temperature, l2=l2, horizon=horizon)
    step = checked_positive("step", step)
    path = np.empty((steps + 1, problem.k))
    path[0] = problem.checked("w0", np.zeros(problem.k) if w0 is None else w0)
    for i in range(steps):
        path[i + 1] = path[i] + step * problem(path[i])[1]
    return _inferred(problem, path[-1], steps, 1e-7 * max(1.0, problem.n.sum()), path)


def objective(
    mdp, w, demonstrations=None, features=None, *, occupancy=None, policy=None,
    temperature: float = 1.0, l2: float = 0.0, horizon: int | None = None,
):  # fmt: skip
    """The log-likelihood of w with its penalty, and the gradient: (float, (k,) array).

    Parameters are those of `causal_entropy_irl`.
    """
    problem = Likelihood(mdp, demonstrations, features, occupancy=occupancy, policy=policy,
                         temperature=temperature, l2=l2, horizon=horizon)
    return problem(problem.checked("w", w))


def dual(
    mdp, w, demonstrations=None, features=None, *, occupancy=None, policy=None,
    temperature: float = 1.0, l2: float = 0.0, horizon: int | None = None,
):  # fmt: skip
    r"""The dual of maximum causal entropy, and its gradient: (float, (k,) array).

    .. math:: G(w) = (n \cdot r_w - \mu \cdot V_w) / \lambda - \tfrac{\ell}{2} \|w\|^2

    Concave, and equal to `objective` where n is an occupancy from the start
    :math:`\mu`. For any other n it differs from it, and with features "pairs" it is
    unbounded: shaping by :math:`\Phi` adds :math:`-(\mu + \nu) \cdot \Phi / \lambda`.
    """
    problem = Likelihood(mdp, demonstrations, features, occupancy=occupancy, policy=policy,
                         temperature=temperature, l2=l2, horizon=horizon)
    return problem(problem.checked("w", w), dual=True)


def _inferred(problem, w, iterations, tol, path=None) -> Inferred:
    value, gradient = problem(w)
    log_policy = problem.plan(problem.reward(w) / problem.temperature)
    norm = float(np.abs(gradient).max())
    return Inferred(w, problem.reward(w), np.exp(log_policy),
                    value + problem.l2 / 2 * float(w @ w), norm, int(iterations),
                    norm <= tol, path)
