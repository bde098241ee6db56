"""REINFORCE: make likelier what turned out well."""

from __future__ import annotations

from bisect import bisect_right
from math import inf

import numpy as np

from imitlib.experiments import bar
from imitlib.rl.bookkeeping import (
    Learned,
    at_least_one,
    evaluations,
    paid,
    share,
    tables,
)

__all__ = ["episode_gradient", "reinforce"]

NEWEST = 0.1  # the weight of the newest return in the baseline


def episode_gradient(policy, states, actions, rewards, discount: float,
                     baseline=None) -> np.ndarray:
    r"""How the expected return depends on θ, estimated from one episode (Williams 1992).

    For the softmax :math:`\pi(a \mid s) \propto e^{\theta_{sa}}`,

    .. math:: \sum_t \gamma^t \, \bigl(G_t - b(s_t)\bigr)
              \nabla_\theta \log \pi(a_t \mid s_t),
       \qquad G_t = \sum_{k \ge t} \gamma^{k-t} r_k,
       \qquad \frac{\partial \log \pi(a \mid s)}{\partial \theta_{sb}}
              = 1[a = b] - \pi(b \mid s)

    Its mean is the gradient of :math:`E[\sum_t \gamma^t r_t]`, with any b that does not
    depend on the episode: b changes only how much chance there is in it.

    Parameters
    ----------
    policy : (S, A) array
    states, actions : (T,) integers
    rewards : (T,) floats
    discount : float
    baseline : (S,) array, optional
        b; 0 without it.

    Returns
    -------
    (S, A) array
    """
    surprise = _to_go(rewards, discount)
    if baseline is not None:
        surprise -= baseline[states]
    # Many leave γ^t out; what remains is the gradient of nothing (Nota & Thomas 2020).
    weight = discount ** np.arange(len(surprise)) * surprise
    gradient = -policy * np.bincount(states, weight, len(policy))[:, None]
    np.add.at(gradient, (states, actions), weight)
    return gradient


def reinforce(env, episodes: int, rng: np.random.Generator, *, discount=0.99,
              step_size=0.1, baseline=True, max_steps=None, evaluate_every=None,
              evaluate=None, progress=False) -> Learned:
    r"""Climb along `episode_gradient`, one episode at a time (Williams 1992).

    Parameters
    ----------
    env : gymnasium.Env
        With Discrete observations and actions.
    episodes : int
        How many.
    rng : numpy.random.Generator
        Seeds the environment, once, and draws the actions.
    discount : float
        :math:`\gamma \in [0, 1]`.
    step_size : float
        Of the climb, above 0. The first policy is uniform: :math:`\theta = 0`.
    baseline : bool
        Compare each return with what the state gave in *earlier* episodes: a running
        average in which the newest has a weight of 1/10.
    max_steps : int, optional
        Ends an episode early; else only the environment does, and a learner who comes
        to earn by never ending would learn no more. Nothing is added for what an
        episode that was cut might still have earned.
    evaluate_every, evaluate : int and callable, optional
        Keep ``evaluate(policy)`` every so many episodes and at the end; in another copy
        of the world.
    progress : bool
        Show a bar once it has lasted two seconds.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was and what is legal; or a reward not finite.
    """
    first_state, first_action, n_states, n_actions = tables(env)
    at_least_one(episodes=episodes, max_steps=1 if max_steps is None else max_steps)
    share("discount", discount)
    evaluations(evaluate_every, evaluate)
    if not 0 < step_size < inf:
        raise ValueError(f"step_size is {step_size}; it must be positive and finite")

    theta, usual = np.zeros((n_states, n_actions)), np.zeros(n_states)
    policy = _softmax(theta)
    returns, ends, history, taken = [], [], [], 0
    seed = int(rng.integers(2**31))  # for the first reset; the others go on from there
    for episode in bar(range(1, episodes + 1), show=progress, label="REINFORCE"):
        cumulative = policy.cumsum(axis=1).tolist()
        states, actions, rewards, over = [], [], [], False
        seen, _ = env.reset(seed=seed if episode == 1 else None)
        while not over and len(states) != max_steps:
            state = int(seen) - first_state
            sums = cumulative[state]
            action = bisect_right(sums, rng.random() * sums[-1], hi=n_actions - 1)
            seen, reward, terminated, truncated, _ = env.step(action + first_action)
            states.append(state)
            actions.append(action)
            rewards.append(paid(reward))
            over = terminated or truncated

        theta += step_size * episode_gradient(
            policy, states, actions, rewards, discount, usual if baseline else None)
        policy = _softmax(theta)
        for state, togo in zip(states, _to_go(rewards, discount)):
            usual[state] += NEWEST * (togo - usual[state])

        taken += len(states)
        returns.append(sum(rewards))
        ends.append(taken)
        if evaluate_every and (episode % evaluate_every == 0 or episode == episodes):
            history.append((taken, evaluate(policy)))
    return Learned(policy, None, np.array(returns, float), np.array(ends, np.int64),
                   tuple(history))


def _to_go(rewards, discount) -> np.ndarray:
    """The discounted return from each step to the end of the episode, (T,)."""
    togo, later = np.empty(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        togo[t] = later = rewards[t] + discount * later
    return togo


def _softmax(theta) -> np.ndarray:
    chance = np.exp(theta - theta.max(axis=1, keepdims=True))
    return chance / chance.sum(axis=1, keepdims=True)
