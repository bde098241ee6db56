r"""What to believe of a goal: Bayes' rule, with a model of errors in the likelihood.

.. math:: p(\theta \mid D) \propto p(\theta) \prod_t \pi_\theta(a_t \mid s_t)

The policies :math:`\pi_\theta` are the model of errors. With several of them, the
temperature or the kind of person is one more unknown: `joint` keeps it, `fitted` picks
one. What a belief is worth is its *log-loss*; that of somebody who has seen nothing is
the *prior line*, log n for n goals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from imitlib.counting import integers_below
from imitlib.mdp_given import real_numbers

__all__ = ["Joint", "fitted", "joint", "log_likelihoods", "log_loss", "posterior"]


@dataclass(frozen=True, eq=False)
class Joint:
    """A belief about goals and models together, and its two margins.

    Attributes
    ----------
    table : (..., M, G) array
    models : (..., M) array
    goals : (..., G) array
    """

    table: np.ndarray

    @property
    def models(self) -> np.ndarray:
        """How likely each model is."""
        return self.table.sum(-1)

    @property
    def goals(self) -> np.ndarray:
        """How likely each goal is, whatever the model."""
        return self.table.sum(-2)


def log_likelihoods(policies, states, actions, *, by_step: bool = False) -> np.ndarray:
    r"""The log-probability of each choice under each policy, (..., N): sum what belongs together.

    Parameters
    ----------
    policies : (..., S, A) array; by step (H, ..., S, A)
    states, actions : (N,) integers
    by_step : bool
        Whether the first axis of `policies` is the step: the i-th choice is of step i.

    Returns
    -------
    (..., N) array
        -inf where a policy never does that.
    """
    policies = real_numbers("policies", policies)
    if policies.ndim < 2 + by_step:
        raise ValueError(f"policies has shape {policies.shape}; it must be (..., S, A), "
                         "or (H, ..., S, A) by step")
    states = integers_below(policies.shape[-2], "states", states)
    actions = integers_below(policies.shape[-1], "actions", actions)
    if states.ndim != 1 or states.shape != actions.shape:
        raise ValueError(f"states has shape {states.shape} and actions {actions.shape}; "
                         "they must be (N,) both")
    if by_step and len(policies) < len(states):
        raise ValueError(f"states has {len(states)} choices; policies has {len(policies)} steps")
    if by_step:  # the choice's own table
        chosen = np.moveaxis(policies[np.arange(len(states)), ..., states, actions], 0, -1)
    else:
        chosen = policies[..., states, actions]
    with np.errstate(divide="ignore"):
        return np.log(chosen)


def posterior(log_likelihood, prior=None) -> np.ndarray:
    r""":math:`p(\theta \mid D)` over the last axis, (..., G).

    Parameters
    ----------
    log_likelihood : (..., G) array
        :math:`\log p(D \mid \theta)`.
    prior : (G,) array, optional
        Probabilities; else all goals are as likely beforehand.

    Raises
    ------
    ValueError
        If no goal can explain what was seen, or `prior` does not fit.
    """
    logs = np.asarray(log_likelihood, float) + _log_prior(prior, np.shape(log_likelihood)[-1:])
    total = logsumexp(logs, axis=-1, keepdims=True)
    if not np.isfinite(total).all():
        raise ValueError("log_likelihood leaves no goal possible; a temperature above 0 would")
    return np.exp(logs - total)


def joint(log_likelihood, prior=None) -> Joint:
    r""":math:`p(m, \theta \mid D)` over models and goals, the last two axes, (..., M, G).

    `prior`, if given, is (M, G). Errors as for `posterior`.
    """
    logs = np.asarray(log_likelihood, float)
    if logs.ndim < 2:
        raise ValueError(f"log_likelihood has shape {logs.shape}; it must be (..., M, G)")
    logs = logs + _log_prior(prior, logs.shape[-2:])
    return Joint(posterior(logs.reshape(*logs.shape[:-2], -1)).reshape(logs.shape))


def fitted(log_likelihood, prior=None) -> np.ndarray:
    r"""The model that makes the data likeliest, goals averaged out: its number, (...).

    .. math:: \arg\max_m \sum_\theta p(\theta)\, p(D \mid \theta, m)

    Parameters
    ----------
    log_likelihood : (..., M, G) array
    prior : (G,) array, optional
    """
    logs = np.asarray(log_likelihood, float) + _log_prior(prior, np.shape(log_likelihood)[-1:])
    return logsumexp(logs, axis=-1).argmax(-1)


def log_loss(belief, truth) -> np.ndarray:
    r""":math:`-\log p(\theta^* \mid D)` in nats, (...): the prior's is log G."""
    belief, truth = real_numbers("belief", belief), np.asarray(truth)
    integers_below(belief.shape[-1], "truth", truth.ravel())
    if truth.shape != belief.shape[:-1]:
        raise ValueError(f"truth has shape {truth.shape}; it must be {belief.shape[:-1]}")
    with np.errstate(divide="ignore"):
        return -np.log(np.take_along_axis(belief, truth[..., None], -1)[..., 0])


def _log_prior(prior, shape):
    if prior is None:
        return -np.log(np.prod(shape))
    prior = real_numbers("prior", prior)
    if prior.shape != shape or prior.min() < 0 or abs(prior.sum() - 1) > 1e-6:
        raise ValueError(f"prior has shape {prior.shape}, least {prior.min():g} and sum "
                         f"{prior.sum():g}; it must be {shape}, not negative, and sum to 1")
    with np.errstate(divide="ignore"):
        return np.log(prior)
