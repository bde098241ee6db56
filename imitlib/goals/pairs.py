r"""Planner and reward come in pairs, and behaviour shows only what they do together.

A *planner* is whatever turns a reward into a policy, :math:`\pi = p(R)`. Whoever sees
:math:`\pi` and does not know p has one equation with two unknowns (Armstrong and
Mindermann 2018). For any planner p there is the opposite one, which makes of R what p
makes of -R; it fits -R as p fits R:

.. math:: p'(R) = p(-R) \quad\Rightarrow\quad p'(-R) = p(R).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from imitlib.irl.likelihood import Likelihood
from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_positive, probabilities
from imitlib.planning.soft import soft_policy_iteration

__all__ = ["Planner", "degenerate", "fit", "fit_habit", "opposite"]


@dataclass(frozen=True, eq=False)
class Planner:
    r"""The soft planner of chapter 06, with three ways of going wrong.

    .. math:: \log \pi(a \mid s) = (Q(s, a) + h(s, a)) / \lambda - \log Z(s),
              \qquad Q \text{ soft, for } \pm R

    Attributes
    ----------
    temperature : float
        :math:`\lambda > 0`.
    discount : float, optional
        What a step's delay costs in her eyes; else as the world says.
    sign : 1 or -1
        At -1 she plans well for the opposite of what she wants.
    habit : (S, A) array, optional
        h; her plans do not know of it.
    """

    temperature: float
    discount: float | None = None
    sign: int = 1
    habit: object = None

    def __post_init__(self):
        checked_positive("temperature", self.temperature)
        if self.discount is not None and not 0 <= self.discount <= 1:
            raise ValueError(f"discount is {self.discount}; it must lie in [0, 1]")
        if self.sign not in (1, -1):
            raise ValueError(f"sign is {self.sign!r}; it must be 1 or -1")

    def world(self, mdp):
        """The world as she counts its delays."""
        return mdp if self.discount is None else mdp.with_discount(self.discount)

    def policy(self, mdp, reward) -> np.ndarray:
        """What she does for a reward (S, A), as a table (S, A)."""
        reward = self.sign * real_numbers("reward", reward).astype(float)
        plan = soft_policy_iteration(self.world(mdp), self.temperature, reward=reward)
        if self.habit is None:
            return plan.policy
        habit = real_numbers("habit", self.habit)
        if habit.shape != mdp.reward.shape:
            raise ValueError(f"habit has shape {habit.shape}; it must be {mdp.reward.shape}")
        # a probability that is 0 to rounding stays what it is
        logs = np.log(np.maximum(plan.policy, 1e-300)) + habit / self.temperature
        return np.exp(log_softmax(logs, axis=1))


def opposite(planner: Planner) -> Planner:
    """The planner that does for -R what `planner` does for R."""
    return replace(planner, sign=-planner.sign)


def degenerate(policy, temperature: float = 1.0) -> list[tuple[Planner, np.ndarray]]:
    r"""Three pairs that explain any policy, whatever she wants and whatever the world.

    She wants nothing and acts out of habit; or she looks at this moment alone and wants
    exactly what she does, :math:`\lambda \log \pi`; or she wants the opposite of that
    and gets everything wrong.

    Raises
    ------
    ValueError
        If a probability of `policy` is 0: none of these planners rules an act out.
    """
    policy = probabilities(real_numbers("policy", policy))
    if not policy.min() > 0:
        raise ValueError("policy has a probability of 0; every one must be above 0")
    table = temperature * np.log(policy)
    today = Planner(temperature, discount=0.0)
    return [(Planner(temperature, habit=table), np.zeros(table.shape)),
            (today, table), (opposite(today), -table)]


def fit(mdp, planner: Planner, counts, *, l2: float, features="pairs", start=None):
    r"""The likeliest reward, given the planner.

    .. math:: \max_R \sum_{s, a} n(s, a) \log p(R)(a \mid s) - \tfrac{\kappa}{2} |w|^2

    with w the weights of R; by L-BFGS with the exact gradient.

    Parameters
    ----------
    mdp : MDP
    planner : Planner
        Without a habit.
    counts : (S, A) array
        n, how often she did what.
    l2 : float
        :math:`\kappa`.
    features : "pairs", "states" or array
        As for `irl.causal_entropy_irl`.
    start : (k,) array, optional
        Where the search begins; else at 0.

    Returns
    -------
    (S, A) array
    """
    if planner.habit is not None:
        raise ValueError("planner has a habit; give one without, or see fit_habit")
    f = Likelihood(planner.world(mdp), None, features, occupancy=counts, policy=None,
                   temperature=planner.temperature, l2=l2, horizon=None)
    w0 = np.zeros(f.k) if start is None else f.checked("start", start)

    def loss(w):
        value, gradient = f(w)
        return -value, -gradient

    w = minimize(loss, w0, jac=True, method="L-BFGS-B",
                 options={"maxiter": 2000, "gtol": 1e-5, "ftol": 1e-13}).x
    return planner.sign * f.reward(w)


def fit_habit(mdp, planner: Planner, reward, counts, *, l2: float) -> Planner:
    """The likeliest habit, given what she wants: any reward has a planner that fits.

    Parameters as for `fit`; `planner`'s own habit, if any, is not looked at.

    Returns
    -------
    Planner
        With the habit that maximises the likelihood less l2 / 2 times its square.
    """
    counts = real_numbers("counts", counts).astype(float)
    if counts.shape != mdp.reward.shape or counts.min() < 0:
        raise ValueError(f"counts has shape {counts.shape} and least entry {counts.min():g}; "
                         f"it must be {mdp.reward.shape}, 0 or more")
    plain = replace(planner, habit=None)
    logs = np.log(np.maximum(plain.policy(mdp, reward), 1e-300))
    seen = counts.sum(axis=1, keepdims=True)

    def loss(h):
        h = h.reshape(logs.shape)
        now = log_softmax(logs + h / planner.temperature, axis=1)
        gradient = (counts - seen * np.exp(now)) / planner.temperature - l2 * h
        return l2 / 2 * (h * h).sum() - (counts * now).sum(), -gradient.ravel()

    h = minimize(loss, np.zeros(logs.size), jac=True, method="L-BFGS-B",
                 options={"maxiter": 2000, "gtol": 1e-5, "ftol": 1e-13}).x
    return replace(planner, habit=h.reshape(logs.shape))
