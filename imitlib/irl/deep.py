r"""Deep IRL: the reward is a network, and the gradient is the one that it always was.

The likelihood of what was shown depends on the reward through one table, and its
derivative by that table is known exactly: what was done, minus what I would do
(`likelihood`). A network :math:`r_\theta(\phi)` needs nothing more than to have that
derivative sent back through it,

.. math:: \nabla_\theta L = \sum_{s, a} \frac{\partial L}{\partial r(s, a)}
          \nabla_\theta r_\theta(\phi(s, a))

(Wulfmeier, Ondruska and Posner 2015). What a linear reward cannot say, as that two
things are good each by itself and bad together, this one can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from imitlib.adam import Adam
from imitlib.bc import mlp
from imitlib.irl.features import as_reward, checked_features
from imitlib.irl.likelihood import Likelihood

__all__ = ["Deep", "deep_irl", "reward_of"]


@dataclass(frozen=True, eq=False)
class Deep:
    """What was inferred.

    Attributes
    ----------
    network : torch.nn.Module
        From features to the reward.
    reward : (S, A) float64
    policy : (S, A) float64, or (H, S, A)
    log_likelihood : float
        In nats, for each episode.
    curve : (updates,) float64
        The log-likelihood before each update.
    """

    network: torch.nn.Module
    reward: np.ndarray
    policy: np.ndarray
    log_likelihood: float
    curve: np.ndarray


def deep_irl(
    mdp, demonstrations=None, features=None, *, occupancy=None, policy=None,
    hidden: tuple[int, ...] = (16,), updates: int = 300, lr: float = 0.02,
    weight_decay: float = 0.0, temperature: float = 1.0, horizon: int | None = None,
    network=None, rng,
) -> Deep:  # fmt: skip
    r"""Infer a reward that is a small network of the features, by Adam.

    Parameters
    ----------
    mdp, demonstrations, occupancy, policy, temperature, horizon
        As for `causal_entropy_irl`.
    features : (S, k) or (S, A, k) array, optional
        What the network is given, one row at a time; else each state by name.
    hidden : tuple of int
        Sizes of its tanh layers; none makes the reward linear.
    updates : int
        Each looks at all demonstrations.
    lr, weight_decay : float
        Of `Adam`.
    network : torch.nn.Module, optional
        In place of a new one; trained in place.
    rng : numpy.random.Generator
        Draws the first weights.
    """
    features = checked_features(mdp, features)
    problem = Likelihood(mdp, demonstrations, "pairs", occupancy=occupancy, policy=policy,
                         temperature=temperature, l2=0.0, horizon=horizon)
    if network is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            network = mlp(features.shape[-1], hidden, 1)
    seen = torch.as_tensor(features, dtype=torch.float32)
    adam = Adam(network.parameters(), lr=lr, weight_decay=weight_decay)
    curve = np.empty(updates)
    for update in range(updates):
        reward = network(seen)[..., 0]
        curve[update], slope = _likelihood(problem, mdp, reward)
        reward.backward(-slope)
        adam.step()
    reward = reward_of(mdp, network, features)
    value, _ = problem(reward.ravel())
    return Deep(network, reward, np.exp(problem.plan(reward / problem.temperature)), value,
                curve)


def reward_of(mdp, network, features=None) -> np.ndarray:
    """The reward that a network gives to each state and action, (S, A)."""
    seen = torch.as_tensor(checked_features(mdp, features))
    with torch.no_grad():
        dtype = next(network.parameters()).dtype
        return as_reward(mdp, network(seen.to(dtype))[..., 0].double().numpy())


def _likelihood(problem, mdp, reward):
    """The log-likelihood of a reward (S,) or (S, A), and its derivative by it."""
    table = as_reward(mdp, reward.detach().double().numpy())
    value, slope = problem(table.ravel())
    slope = slope.reshape(table.shape)
    if reward.ndim == 1:  # each action of a state has the state's reward
        slope = slope.sum(axis=1)
    return value, torch.as_tensor(slope, dtype=reward.dtype)
