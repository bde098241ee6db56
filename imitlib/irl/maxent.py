r"""Maximum entropy over paths: each is as likely as its return says (Ziebart et al. 2008).

Among all distributions of paths of H steps with the demonstrated features, the one of
maximum entropy relative to the world is

.. math:: p(s_0 a_0 s_1 \dots s_H) = \frac{\mu(s_0)}{Z_0(s_0)}
          \prod_t P(s_{t+1} \mid s_t, a_t)\; e^{\gamma^t r(s_t, a_t) / \lambda}

and its normaliser is found backwards, :math:`Z_H = 1`,

.. math:: Z_t(s) = \sum_a e^{\gamma^t r(s, a) / \lambda}
          \sum_{s'} P(s' \mid s, a)\, Z_{t+1}(s')

In a deterministic world, undiscounted and given the first state, this is the policy of
maximum *causal* entropy. Where chance has a say it is not: the sum over s' stands inside
the logarithm, so a path is made likely by good luck as by a good choice, and whoever
acts is taken to have chosen both. `causal_entropy` puts that right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from imitlib import planning
from imitlib.irl.causal_entropy import Inferred
from imitlib.irl.features import as_reward, empirical_occupancy, listed
from imitlib.irl.likelihood import linear
from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_horizon, checked_positive

__all__ = ["Paths", "maxent_2008", "paths"]


@dataclass(frozen=True, eq=False)
class Paths:
    r"""A distribution of paths of H steps, by what it says of each step.

    Attributes
    ----------
    log_partition : (S,)
        :math:`\log Z_0`, by first state.
    policy : (H, S, A)
        The chance of each action in a state at a step, on these paths.
    occupancy : (S, A)
        Expected discounted visits.
    final : (S,)
        The distribution of the last state, after H steps.
    """

    log_partition: np.ndarray
    policy: np.ndarray
    occupancy: np.ndarray
    final: np.ndarray


def paths(mdp, reward, horizon: int, *, temperature: float = 1.0, start=None) -> Paths:
    """The paths of maximum entropy for a reward (S,) or (S, A).

    `start` (S,), if given, takes the place of the world's. No probability is lost to
    underflow: the sums are made of logarithms.
    """
    checked_horizon(horizon)
    reward = as_reward(mdp, reward) / checked_positive("temperature", temperature)
    start = mdp.start if start is None else start
    P, shape = mdp.matrix, mdp.reward.shape
    weights = mdp.discount ** np.arange(horizon)
    log_z = np.zeros((horizon + 1, mdp.n_states))
    ahead = np.empty((horizon, *shape))  # log sum_s' P Z_{t+1}
    policy = np.empty((horizon, *shape))
    for t in reversed(range(horizon)):
        ahead[t] = _log_of_mean_exp(P, log_z[t + 1]).reshape(shape)
        q = weights[t] * reward + ahead[t]
        log_z[t] = np.logaddexp.reduce(q, axis=1)
        policy[t] = np.exp(q - log_z[t][:, None])
    here, occupancy = start, np.zeros(shape)
    for t in range(horizon):
        flow = here[:, None] * policy[t]
        occupancy += weights[t] * flow
        # the successors are chosen too, in proportion to what is hoped of them
        tilted = P.copy()
        of_row = np.repeat(np.arange(P.shape[0]), np.diff(P.indptr))
        tilted.data = P.data * np.exp(log_z[t + 1][P.indices] - ahead[t].ravel()[of_row])
        here = tilted.T @ flow.ravel()
    return Paths(log_z[0], policy, occupancy, here)


def maxent_2008(
    mdp, demonstrations=None, features=None, *, horizon: int, occupancy=None, policy=None,
    temperature: float = 1.0, l2: float = 0.0, w0=None, tol: float = 1e-7,
    max_iters: int = 1000,
) -> Inferred:  # fmt: skip
    r"""Infer a reward by maximum entropy over paths of H steps.

    Maximises the log-likelihood of the paths, given where each begins,

    .. math:: \frac{w \cdot \hat f}{\lambda} - \sum_s \hat\mu(s) \log Z_0(s)
              - \tfrac{\ell}{2} \|w\|^2

    which is concave; the gradient is the demonstrated features less the expected ones.

    Parameters
    ----------
    mdp : MDP
        Its own reward is not looked at.
    demonstrations : Demonstrations, or list of (states, actions), optional
        Of at most H steps each. Steps that are missing count as steps without features,
        as where the story has ended.
    features : (S, k) or (S, A, k) array, "states" or "pairs", optional
        As for `causal_entropy_irl`.
    horizon : int
        H.
    occupancy : (S, A) array, optional
        In place of demonstrations: expected discounted visits, from the world's start.
    policy : (S, A) or (H, S, A) array, optional
        In place of both: endless demonstrations by whoever acts so.
    temperature, l2, w0, tol, max_iters
        As for `causal_entropy_irl`.

    Returns
    -------
    Inferred
        `policy` (H, S, A) is what these paths say of each step. `log_likelihood` leaves
        out the world's own chances, which no reward changes.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    checked_horizon(horizon)
    temperature = checked_positive("temperature", temperature)
    if not 0 <= l2 < np.inf:
        raise ValueError(f"l2 is {l2!r}; it must be 0 or more, and finite")
    k, reward, back = linear(mdp, features)
    shown, start = _shown(mdp, demonstrations, occupancy, policy, horizon)
    target = back(shown)

    def loss(w):
        model = paths(mdp, reward(w), horizon, temperature=temperature, start=start)
        value = target @ w / temperature - start @ model.log_partition
        gradient = (target - back(model.occupancy)) / temperature
        return l2 / 2 * w @ w - value, l2 * w - gradient

    w = np.zeros(k) if w0 is None else real_numbers("w0", w0).astype(float)
    if w.shape != (k,):
        raise ValueError(f"w0 has shape {w.shape}; it must be ({k},), one weight for "
                         "each feature")
    tol = checked_positive("tol", tol) * max(1.0, shown.sum())
    options = {"gtol": tol, "ftol": 0.0, "maxcor": 20, "maxiter": max_iters,
               "maxfun": 20 * max_iters}  # fmt: skip
    found = minimize(loss, w, jac=True, method="L-BFGS-B", options=options)
    value, gradient = loss(found.x)
    model = paths(mdp, reward(found.x), horizon, temperature=temperature, start=start)
    norm = float(np.abs(gradient).max())
    return Inferred(found.x, reward(found.x), model.policy,
                    float(l2 / 2 * found.x @ found.x - value), norm, int(found.nit),
                    norm <= tol)


def _shown(mdp, demonstrations, occupancy, policy, horizon):
    """Discounted visits (S, A), and where the paths begin (S,)."""
    given = {"demonstrations": demonstrations, "occupancy": occupancy, "policy": policy}
    given = [name for name, value in given.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"given are {', '.join(given) or 'none'} of demonstrations, "
                         "occupancy and policy; give exactly one")
    if demonstrations is not None:
        states, _, times, episodes = listed(mdp, demonstrations)
        if times.max() >= horizon:
            raise ValueError(f"demonstrations has an episode of {times.max() + 1} steps; "
                             f"with horizon {horizon} it may have that many at most")
        start = np.bincount(states[times == 0], minlength=mdp.n_states) / episodes
        return empirical_occupancy(mdp, demonstrations), start
    if policy is not None:
        return planning.occupancy(mdp, policy, horizon=horizon), mdp.start
    shown = real_numbers("occupancy", occupancy).astype(float)
    if shown.shape != mdp.reward.shape:
        raise ValueError(f"occupancy has shape {shown.shape}; it must be "
                         f"{mdp.reward.shape}")
    return shown, mdp.start


def _log_of_mean_exp(P, log_z):
    """log of P exp(log_z), row by row, (S·A,); each row has an entry."""
    entries = log_z[P.indices]
    largest = np.maximum.reduceat(entries, P.indptr[:-1])
    of_row = np.repeat(np.arange(P.shape[0]), np.diff(P.indptr))
    return largest + np.log(
        np.add.reduceat(P.data * np.exp(entries - largest[of_row]), P.indptr[:-1]))
