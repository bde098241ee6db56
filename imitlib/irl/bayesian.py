r"""Bayesian IRL: what she did turns a belief about rewards into a better one.

A person who mostly does what is best, at temperature :math:`\tau`,

.. math:: p(a \mid s, R) = \frac{e^{Q^*_R(s, a) / \tau}}{\sum_b e^{Q^*_R(s, b) / \tau}},
          \qquad p(R \mid D) \propto p(R) \prod_i p(a_i \mid s_i, R)

makes every reward an hypothesis with a likelihood (Ramachandran and Amir 2007, with the
softmax normalised in each state, without which it is no probability of an action).
Where the rewards can be listed, the posterior is a sum: all of them are planned for
together. Where they are too many, `mcmc` walks among them. Nothing is chosen in the
end: whoever plans for the posterior *mean* of the reward does best on average, because
a return is linear in the reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

from imitlib import planning
from imitlib.irl.features import as_reward, checked_features, listed
from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_positive

__all__ = ["Chain", "Posterior", "log_likelihoods", "mcmc", "posterior"]

AT_ONCE = 2_000_000  # numbers in the tables that are planned for together


@dataclass(frozen=True, eq=False)
class Posterior:
    """The belief after the demonstrations.

    Attributes
    ----------
    probabilities : (n,)
    log_likelihoods : (n,)
    mean : (S, A)
        The expected reward: plan for it.
    """

    probabilities: np.ndarray
    log_likelihoods: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class Chain:
    """A walk among rewards.

    Attributes
    ----------
    w : (steps, k)
        The weights at each step.
    accepted : float
        The share of proposals that were taken.
    solved : int
        For how many different rewards a plan was made.
    mean : (S, A)
        The mean reward along the walk.
    """

    w: np.ndarray
    accepted: float
    solved: int
    mean: np.ndarray


def log_likelihoods(mdp, rewards, demonstrations, temperature: float = 1.0) -> np.ndarray:
    r""":math:`\log p(D \mid R)` of many rewards at once, (n,).

    Parameters
    ----------
    mdp : MDP
        Its own reward is not looked at.
    rewards : (n, S) or (n, S, A) array
    demonstrations : Demonstrations, or list of (states, actions)
    temperature : float
        :math:`\tau > 0`.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    temperature = checked_positive("temperature", temperature)
    rewards = _rewards(mdp, rewards)
    states, actions, _, _ = listed(mdp, demonstrations)
    place, counts = np.unique(states * mdp.n_actions + actions, return_counts=True)
    size = max(1, AT_ONCE // mdp.reward.size)
    parts = []
    for first in range(0, len(rewards), size):
        some = rewards[first : first + size]
        plan = planning.value_iteration(mdp, reward=some)
        q = planning.q_values(mdp, plan.values, some) / temperature
        logs = log_softmax(q, axis=-1).reshape(len(some), -1)
        parts.append(logs[:, place] @ counts)
    return np.concatenate(parts)


def posterior(mdp, rewards, demonstrations, temperature: float = 1.0, *, prior=None):
    """The belief among listed rewards, exactly.

    Parameters
    ----------
    mdp, rewards, demonstrations, temperature
        As for `log_likelihoods`.
    prior : (n,) array, optional
        Probabilities; else all rewards are as likely beforehand.

    Returns
    -------
    Posterior
    """
    rewards = _rewards(mdp, rewards)
    prior = np.full(len(rewards), 1 / len(rewards)) if prior is None else real_numbers(
        "prior", prior).astype(float)
    if prior.shape != (len(rewards),):
        raise ValueError(f"prior has shape {prior.shape}; it must be ({len(rewards)},)")
    if prior.min() < 0 or abs(prior.sum() - 1) > 1e-6:
        raise ValueError(f"prior sums to {prior.sum():g} and its least is "
                         f"{prior.min():g}; it must be probabilities that sum to 1")
    logs = log_likelihoods(mdp, rewards, demonstrations, temperature)
    with np.errstate(divide="ignore"):
        chances = softmax(logs + np.log(prior))
    return Posterior(chances, logs, np.tensordot(chances, rewards, axes=1))


def mcmc(
    mdp, demonstrations, features=None, *, levels=(-1.0, 0.0, 1.0),
    temperature: float = 1.0, steps: int = 10_000, rng, log_prior=None,
) -> Chain:  # fmt: skip
    r"""Walk among rewards whose weights stand on a grid, as often where as is likely.

    From w one weight is moved to a neighbouring level, up or down, and the move is taken
    with chance :math:`\min(1, p(w' \mid D) / p(w \mid D))`; a move off the grid is not
    (Metropolis; the *PolicyWalk* of Ramachandran and Amir 2007, without its short cut
    for policies that stay optimal: a reward met before is not planned for again).

    Parameters
    ----------
    mdp, demonstrations, temperature
        As for `log_likelihoods`.
    features : (S, k) or (S, A, k) array, optional
        One for each state if not given.
    levels : sequence of float
        The legal weights, ascending.
    steps : int
    rng : numpy.random.Generator
    log_prior : callable, optional
        w (k,) -> the logarithm of its probability, up to a constant.
    """
    features = checked_features(mdp, features)
    levels = real_numbers("levels", levels).astype(float)
    if levels.ndim != 1 or len(levels) < 2 or not (np.diff(levels) > 0).all():
        raise ValueError(f"levels is {levels.tolist()}; give at least two, ascending")
    if not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps is {steps!r}; it must be a whole number, at least 1")
    k, known = features.shape[-1], {}

    def log_posterior(at):
        if at not in known:
            w = levels[list(at)]
            reward = as_reward(mdp, features @ w)[None]
            known[at] = float(log_likelihoods(mdp, reward, demonstrations, temperature)[0])
            known[at] += 0.0 if log_prior is None else float(log_prior(w))
        return known[at]

    at = tuple(int(i) for i in rng.integers(len(levels), size=k))
    here, taken, walk = log_posterior(at), 0, np.empty((steps, k), np.intp)
    which, up = rng.integers(k, size=steps), 2 * rng.integers(2, size=steps) - 1
    luck = np.log(rng.random(steps))
    for step in range(steps):
        i = which[step]
        level = at[i] + int(up[step])
        if 0 <= level < len(levels):
            there = (*at[:i], level, *at[i + 1 :])
            value = log_posterior(there)
            if luck[step] < value - here:
                at, here, taken = there, value, taken + 1
        walk[step] = at
    w = levels[walk]
    return Chain(w, taken / steps, len(known), as_reward(mdp, features @ w.mean(axis=0)))


def _rewards(mdp, rewards) -> np.ndarray:
    """Rewards as (n, S, A), or an error that names them."""
    rewards = real_numbers("rewards", rewards).astype(float, copy=False)
    if rewards.ndim == 2 and rewards.shape[1] == mdp.n_states:
        return np.repeat(rewards[:, :, None], mdp.n_actions, axis=2)
    if rewards.ndim != 3 or rewards.shape[1:] != mdp.reward.shape or len(rewards) == 0:
        raise ValueError(f"rewards has shape {rewards.shape}; it must be (n, "
                         f"{mdp.n_states}) or (n, {mdp.n_states}, {mdp.n_actions})")
    return rewards
