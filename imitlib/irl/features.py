r"""What a reward may speak of, and how much of it a behaviour brings.

A reward is a weighted sum of features, :math:`r = \phi\, w`: of states, (S, k), where
what is paid is to act in a state; or of actions in states, (S, A, k). Then the return of
a policy needs k numbers of it and no more, its *feature expectations* (Abbeel and Ng
2004):

.. math:: \mu(\pi) = \sum_{s, a} d_\pi(s, a)\, \phi(s, a), \qquad
          \text{return of } \pi = w \cdot \mu(\pi)

with :math:`d_\pi` the discounted occupancy. Demonstrations have feature expectations of
their own, by counting.
"""

from __future__ import annotations

import numpy as np

from imitlib import planning
from imitlib.counting import integers_below
from imitlib.demonstrations import Demonstrations
from imitlib.mdp_given import real_numbers

__all__ = [
    "as_reward", "checked_features", "checked_weights", "empirical_features",
    "empirical_occupancy", "expected_features", "listed", "reward_from",
]  # fmt: skip


def checked_features(mdp, features=None) -> np.ndarray:
    """Features as floats, (S, k) or (S, A, k); None gives each state one of its own.

    Raises
    ------
    ValueError, TypeError
        If they do not fit the world or are not finite numbers.
    """
    if features is None:
        return np.eye(mdp.n_states)
    features = real_numbers("features", features).astype(float, copy=False)
    by_state, by_action = (mdp.n_states,), (mdp.n_states, mdp.n_actions)
    if features.ndim < 2 or features.shape[:-1] not in (by_state, by_action):
        raise ValueError(f"features has shape {features.shape}; in this world it must be "
                         f"({mdp.n_states}, k) or ({mdp.n_states}, {mdp.n_actions}, k)")
    if features.shape[-1] == 0:
        raise ValueError(f"features has shape {features.shape}; k must be at least 1")
    return features


def checked_weights(name: str, w, k: int) -> np.ndarray:
    """One finite number for each of k features, or an error that names the argument."""
    w = real_numbers(name, w).astype(float, copy=False)
    if w.shape != (k,):
        raise ValueError(f"{name} has shape {w.shape}; there are {k} features, "
                         f"so it must be ({k},)")
    return w


def reward_from(features, w) -> np.ndarray:
    r"""The reward :math:`r = \phi\, w`: (S,) from (S, k), or (S, A) from (S, A, k)."""
    features = np.asarray(features, float)
    return features @ checked_weights("w", w, features.shape[-1])


def as_reward(mdp, reward) -> np.ndarray:
    """A reward of states (S,) or of actions (S, A) as planners take it, (S, A)."""
    reward = real_numbers("reward", reward).astype(float, copy=False)
    if reward.shape == (mdp.n_states,):
        return np.repeat(reward[:, None], mdp.n_actions, axis=1)
    if reward.shape != mdp.reward.shape:
        raise ValueError(f"reward has shape {reward.shape}; in this world it must be "
                         f"({mdp.n_states},) or {mdp.reward.shape}")
    return reward


def expected_features(mdp, policy, features=None, horizon: int | None = None) -> np.ndarray:
    r"""Feature expectations of a policy, :math:`\mu(\pi)`, (k,), from the world's start.

    Parameters
    ----------
    mdp : MDP
    policy, horizon
        As for `planning.occupancy`, whose errors are raised.
    features : (S, k) or (S, A, k) array, optional
        One for each state if not given.
    """
    features = checked_features(mdp, features)
    return _counted(planning.occupancy(mdp, policy, horizon=horizon), features)


def empirical_features(mdp, demonstrations, features=None) -> np.ndarray:
    r"""Feature expectations of demonstrations, :math:`\hat\mu`, (k,), by counting.

    .. math:: \hat\mu = \frac{1}{n} \sum_{i=1}^{n} \sum_t
              \gamma^t \phi(s_t^i, a_t^i)
    """
    features = checked_features(mdp, features)
    return _counted(empirical_occupancy(mdp, demonstrations), features)


def empirical_occupancy(mdp, demonstrations) -> np.ndarray:
    r"""How often each action was taken in each state, discounted, a mean over episodes.

    .. math:: \hat d(s, a) = \frac{1}{n} \sum_{i=1}^{n} \sum_t
              \gamma^t\, [s_t^i = s,\, a_t^i = a]

    Parameters
    ----------
    mdp : MDP
    demonstrations
        As for `listed`.

    Returns
    -------
    (S, A) array
        It sums to less than :math:`1/(1-\gamma)`, because every episode was cut off or
        came to an end.
    """
    states, actions, times, n_episodes = listed(mdp, demonstrations)
    weights = mdp.discount ** times.astype(float) / n_episodes
    flat = np.bincount(states * mdp.n_actions + actions, weights, mdp.reward.size)
    return flat.reshape(mdp.reward.shape)


def listed(mdp, demonstrations):
    """Demonstrations of a listed world as columns: states, actions, times, and a count.

    Parameters
    ----------
    mdp : MDP
    demonstrations : Demonstrations, or list of (states, actions)
        The first as `tabular_experts.walk` makes them; else a pair of equally long
        arrays of integers for each episode.

    Returns
    -------
    (N,) states, (N,) actions, (N,) times from 0 in each episode, number of episodes

    Raises
    ------
    ValueError, TypeError
        If there is nothing in them, or a state or an action outside the world.
    """
    if not isinstance(demonstrations, Demonstrations):
        demonstrations = _joined(demonstrations)
    seen, episodes = demonstrations.observations, demonstrations.episodes
    states = integers_below(mdp.n_states, "the states of demonstrations", seen)
    actions = integers_below(
        mdp.n_actions, "the actions of demonstrations", demonstrations.actions)
    first = np.searchsorted(episodes, np.arange(demonstrations.n_episodes))
    times = np.arange(len(states)) - first[episodes]
    return states, actions, times, demonstrations.n_episodes


def _joined(pairs) -> Demonstrations:
    pairs = list(pairs)
    if not pairs:
        raise ValueError("demonstrations is empty; give at least one episode")
    columns = []
    for number, pair in enumerate(pairs):
        if len(pair) != 2 or len(pair[0]) != len(pair[1]) or len(pair[0]) == 0:
            raise ValueError(f"demonstrations[{number}] must be (states, actions), "
                             "equally long and at least one step")
        columns.append((*pair, np.full(len(pair[0]), number)))
    return Demonstrations(*(np.concatenate(column) for column in zip(*columns)))


def _counted(occupancy, features) -> np.ndarray:
    if features.ndim == 2:
        return occupancy.sum(axis=1) @ features
    return np.tensordot(occupancy, features, axes=2)
