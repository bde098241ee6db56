r"""MWAL: apprenticeship as a game, which can leave the expert behind.

Suppose it is known of each feature that more of it is better, not by how much: the true
weights are some w of the simplex. Then play for the worst case,

.. math:: v^* = \max_\psi \min_{w \in \Delta} \; w \cdot (\mu(\psi) - \mu_E)

over mixtures ψ of policies. Copying the expert makes it 0, so :math:`v^* \ge 0`: whatever
w is, the answer is no worse than the expert, and where she is not the best there is, it
may be better. The apprentices of Abbeel and Ng match her, good or bad (Syed and Schapire
2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.irl.apprenticeship import Apprentice, best_policy
from imitlib.irl.features import checked_features, checked_weights, expected_features

__all__ = ["Game", "mwal"]


@dataclass(frozen=True, eq=False)
class Game(Apprentice):
    r"""What `mwal` found: an even mixture of one policy a round, and its guarantees.

    Attributes
    ----------
    value : float
        :math:`\min_i\, (\mu - \mu_E)_i`: for every w of the simplex the mixture earns
        at least so much more than the expert.
    upper : float
        No mixture can promise more: :math:`v^* \le` this.
    slack : float
        `value` is at least :math:`v^*` less this, by the theory, before any run.
    path : (rounds, k) array
        The weights of each round; `w` is their mean.
    """

    value: float
    upper: float
    slack: float
    path: np.ndarray


def mwal(mdp, mu_expert, features=None, rounds: int = 200) -> Game:
    r"""Multiplicative weights against a planner.

    .. math:: w_i \propto \exp\Big(-\eta \sum_{j < t} (\mu_j - \mu_E)_i / R\Big),
              \qquad \eta = \sqrt{8 \log k / T}

    Each round plans for the weights; each feature in which the answer falls short of the
    expert gains weight. R is the range that :math:`\mu_i` can move in,
    :math:`(\max \phi - \min \phi)/(1 - \gamma)`. The planner answers best in each round,
    and the weights regret at most :math:`R \sqrt{\log k / 2T}` a round (the bound of
    exponential weights), so the mean of the policies is within that of :math:`v^*`.

    Parameters
    ----------
    mdp : MDP
        With a discount below 1; its own reward is not looked at.
    mu_expert : (k,) array
    features : (S, k) or (S, A, k) array, optional
        Signed so that more is better.
    rounds : int
        T, at least 1.

    Returns
    -------
    Game

    Raises
    ------
    ValueError, TypeError
        If an argument is not legal.
    """
    features = checked_features(mdp, features)
    k = features.shape[-1]
    target = checked_weights("mu_expert", mu_expert, k)
    if mdp.discount == 1:
        raise ValueError("discount is 1; the range of a feature is finite below 1 alone")
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; it must be at least 1")
    span = max(float(np.ptp(features)), 1e-12) / (1 - mdp.discount)
    eta = np.sqrt(8 * np.log(k) / rounds)
    behind, policies, mus, path = np.zeros(k), [], [], []
    for _ in range(rounds):
        w = np.exp(-eta * (behind - behind.min()) / span)
        path.append(w / w.sum())
        policies.append(best_policy(mdp, features @ path[-1]))
        mus.append(expected_features(mdp, policies[-1], features))
        behind = behind + mus[-1] - target
    mus, path = np.array(mus), np.array(path)
    ahead = mus - target
    mu = mus.mean(axis=0)
    so_far = np.cumsum(mus, axis=0) / np.arange(1, rounds + 1)[:, None]
    return Game(
        tuple(policies), np.full(rounds, 1 / rounds), mu, path.mean(axis=0),
        np.linalg.norm(target - so_far, axis=1), float("nan"), mus,
        float((mu - target).min()), float((path * ahead).sum(axis=1).min()),
        float(span * np.sqrt(np.log(k) / (2 * rounds))), path)
