r"""Somebody who makes the same mistake every morning: errors that keep from day to day.

Under the usual model each choice errs anew, so a mistake seen thirty times is thirty
mistakes, and hardly possible. Under the *Boltzmann policy distribution* (Laidlaw and
Dragan 2022) she errs once, when she settles on a policy,

.. math:: p(\pi \mid \theta) \propto e^{\beta J_\theta(\pi)},

and then keeps to it. In a small world all :math:`A^S` policies can be listed.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import logsumexp

from imitlib.counting import integers_below
from imitlib.planning.following import checked_positive, reward_of

__all__ = ["all_policies", "kept_log_likelihood", "policy_log_prior", "predictive"]

MOST = 100_000


def all_policies(n_states: int, n_actions: int) -> np.ndarray:
    """Every deterministic policy, (A^S, S): the action in each state."""
    if n_states < 1 or n_actions < 1 or n_actions**n_states > MOST:
        raise ValueError(f"n_states is {n_states} and n_actions {n_actions}; A^S must lie "
                         f"between 1 and {MOST}")
    return np.array(list(itertools.product(range(n_actions), repeat=n_states)))


def policy_log_prior(mdp, beta: float, *, reward=None) -> np.ndarray:
    r""":math:`\log p(\pi \mid \theta)` for each of `all_policies`, (..., A^S).

    Parameters
    ----------
    mdp : MDP
        Its discount below 1; J is the return from its start.
    beta : float
        Above 0: how much better policies are likelier, per unit of return.
    reward : (..., S, A) array, optional
        Several at once are several :math:`\theta`.
    """
    checked_positive("beta", beta)
    if not mdp.discount < 1:
        raise ValueError(f"the world has discount {mdp.discount}; it must be below 1")
    acts = all_policies(*mdp.reward.shape)
    here = np.arange(mdp.n_states)
    chain = mdp.dense()[here, acts]  # (A^S, S, S)
    system = np.eye(mdp.n_states) - mdp.discount * chain
    # J = μ' (I - γ P)^-1 r: one solve for each policy, whatever is wanted
    flow = np.linalg.solve(np.swapaxes(system, 1, 2), mdp.start[None, :, None])[..., 0]
    paid = reward_of(mdp, reward)[..., here, acts]  # (..., A^S, S)
    logs = beta * (paid * flow).sum(axis=-1)
    return logs - logsumexp(logs, axis=-1, keepdims=True)


def kept_log_likelihood(log_prior, n_actions: int, states, actions, *, slip: float = 0.0):
    r"""How well each wish explains choices of somebody who keeps to one policy, (...).

    .. math:: \log \sum_\pi p(\pi \mid \theta) \prod_t \big((1 - \epsilon)\,
              [a_t = \pi(s_t)] + \epsilon / A\big)

    Parameters
    ----------
    log_prior : (..., A^S) array
    states, actions : (N,) integers
    slip : float
        :math:`\epsilon`, how often her hand does anything at all.
    """
    logs = np.asarray(log_prior, float) + _fits(log_prior, n_actions, states, actions, slip)
    return logsumexp(logs, axis=-1)


def predictive(log_prior, n_actions: int, states, actions, *, slip: float = 0.0):
    """What she does next in each state, given what she did: (..., S, A)."""
    logs = np.asarray(log_prior, float) + _fits(log_prior, n_actions, states, actions, slip)
    belief = np.exp(logs - logsumexp(logs, axis=-1, keepdims=True))
    acts = _listed(log_prior, n_actions)
    chosen = (acts[..., None] == np.arange(n_actions)).astype(float)  # (A^S, S, A)
    kept = np.einsum("...k,ksa->...sa", belief, chosen)
    return (1 - slip) * kept + slip / n_actions


def _fits(log_prior, n_actions, states, actions, slip):
    """log p(choices | π) for each policy, (A^S,)."""
    if not 0 <= slip < 1:
        raise ValueError(f"slip is {slip}; it must lie in [0, 1)")
    acts = _listed(log_prior, n_actions)
    states = integers_below(acts.shape[1], "states", states)
    actions = integers_below(n_actions, "actions", actions)
    hits = (acts[:, states] == actions).sum(axis=1)
    misses = len(states) - hits
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = np.where(misses > 0, misses * np.log(slip / n_actions), 0.0)
    return hits * np.log(1 - slip + slip / n_actions) + wrong


def _listed(log_prior, n_actions):
    count = np.shape(log_prior)[-1]
    n_states = round(np.log(count) / np.log(n_actions)) if n_actions > 1 else 1
    if n_actions**n_states != count:
        raise ValueError(f"log_prior has {count} policies; that is no power of "
                         f"n_actions, {n_actions}")
    return all_policies(n_states, n_actions)
