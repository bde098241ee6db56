r"""People who can be planned: experts in a world that can be written down.

In a small world nobody has to be asked to show the way: the best policy is computed,
and its failings are chosen. `optimal` never errs; `boltzmann` errs the more, the less
an error costs; `eps_random` errs at any price. Each is a table of probabilities, and
`acting` and `walk` let it act.
"""

from __future__ import annotations

import numpy as np

from imitlib import planning
from imitlib.counting import draw, integers_below
from imitlib.demonstrations import Demonstrations
from imitlib.mdp import MDP
from imitlib.mdp_given import real_numbers
from imitlib.planning.following import probabilities

__all__ = ["acting", "boltzmann", "eps_random", "optimal", "walk"]

TIE = 1e-8  # of the largest |Q|; a hundred times what planning leaves open at |Q| = 1


def optimal(mdp: MDP, spread: bool = False) -> np.ndarray:
    r"""The policy of somebody who never errs.

    .. math:: \pi(a \mid s) > 0 \;\Rightarrow\; Q^*(s, a) = \max_b Q^*(s, b)

    Parameters
    ----------
    mdp : MDP
    spread : bool
        Share the chance equally among all the best actions, where there are several,
        instead of always taking the same one. Two actions are as good if their
        :math:`Q^*` differ by at most 1e-8, or 1e-8 of the largest :math:`|Q^*|` if
        that is above 1.

    Returns
    -------
    (S, A) array
        Rows sum to 1.
    """
    if not spread:
        return planning.value_iteration(mdp).policy
    q = _best_q(mdp)
    best = q >= q.max(axis=1, keepdims=True) - TIE * max(1.0, np.abs(q).max())
    return best / best.sum(axis=1, keepdims=True)


def boltzmann(mdp: MDP, temperature: float) -> np.ndarray:
    r"""The policy of somebody who errs the more often, the less it costs.

    .. math:: \pi(a \mid s) = \frac{\exp(Q^*(s, a) / \tau)}{\sum_b \exp(Q^*(s, b) / \tau)}

    She knows what the best possible future is worth, and slips only now. That differs
    from the maximum-causal-entropy policy of `planning.soft_value_iteration`, where
    the values themselves are soft: that person foresees all the slips still to come,
    and likes to keep choices open. In a world of one decision the two are the same.

    Parameters
    ----------
    mdp : MDP
    temperature : float
        :math:`\tau`, in units of reward. 0 gives ``optimal(mdp, spread=True)``, which is the
        limit, and infinity the uniform policy.

    Returns
    -------
    (S, A) array
        Rows sum to 1.

    Raises
    ------
    ValueError
        If `temperature` is negative or not a number.
    """
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}; it must be 0 or more")
    if temperature == 0:
        return optimal(mdp, spread=True)
    q = _best_q(mdp)
    with np.errstate(over="ignore"):  # a tiny temperature: -inf, whose exponential is 0
        chance = np.exp((q - q.max(axis=1, keepdims=True)) / temperature)
    return chance / chance.sum(axis=1, keepdims=True)


def eps_random(policy, eps: float) -> np.ndarray:
    r"""The policy of somebody who now and then does anything at all.

    .. math:: \pi_\varepsilon(a \mid s) = (1 - \varepsilon)\,\pi(a \mid s)
              + \varepsilon / A

    Parameters
    ----------
    policy : (S, A) or (H, S, A) array
    eps : float
        :math:`\varepsilon \in [0, 1]`. The random action may be the right one.
    """
    policy = _probabilities(policy)
    if not 0 <= eps <= 1:
        raise ValueError(f"eps is {eps}; it must lie in [0, 1]")
    return (1 - eps) * policy + eps / policy.shape[-1]


def acting(policy, rng: np.random.Generator | None = None):
    """Let a table act: the callable that `demonstrations.record` takes.

    Parameters
    ----------
    policy : (S, A) or (H, S, A) array
        Rows sum to 1.
    rng : numpy.random.Generator, optional
        Draws every action; without it the likeliest is taken, of equals the first.

    Returns
    -------
    callable
        ``act(states, step=None)``, (B,) -> actions (B,). A policy that depends on the
        step must be told it: `record` cannot do that, `walk` does.
    """
    policy = _probabilities(policy)

    def act(states, step: int | None = None) -> np.ndarray:
        if policy.ndim == 3 and (step is None or not 0 <= step < len(policy)):
            raise ValueError(f"step is {step}; this policy has one table for each of "
                             f"the steps 0 ... {len(policy) - 1}")
        table = policy[step] if policy.ndim == 3 else policy
        chances = table[integers_below(len(table), "states", states)]
        return chances.argmax(1) if rng is None else draw(chances, rng)

    return act


def walk(mdp: MDP, policy, episodes: int, horizon: int,
         rng: np.random.Generator) -> Demonstrations:
    r"""Demonstrate a policy in its world: all episodes side by side, fast.

    :math:`s_0 \sim \mu`, :math:`a_t \sim \pi_t(\cdot \mid s_t)`,
    :math:`s_{t+1} \sim P(\cdot \mid s_t, a_t)`, until the horizon or a terminal state.

    Parameters
    ----------
    mdp : MDP
    policy : (S, A) or (H, S, A) array
        Rows sum to 1; H at least `horizon`.
    episodes, horizon : int
        How many, and the decisions that each has at most.
    rng : numpy.random.Generator

    Returns
    -------
    Demonstrations
        Observations (N,) are the states, rewards the expected :math:`r(s, a)`. In a
        terminal state nothing is decided, hence nothing is recorded.

    Raises
    ------
    ValueError
        If an argument does not fit the world, or an episode could begin at its end.
    """
    policy = _probabilities(policy)
    if policy.shape[-2:] != mdp.reward.shape:
        raise ValueError(f"policy has shape {policy.shape}; "
                         f"in this world it must end in {mdp.reward.shape}")
    if episodes < 1 or horizon < 1:
        raise ValueError(f"episodes is {episodes} and horizon is {horizon}; "
                         "each must be at least 1")
    if policy.ndim == 3 and len(policy) < horizon:
        raise ValueError(f"horizon is {horizon}; the policy has {len(policy)} steps")
    if mdp.start[mdp.terminal].any():
        state = int(np.flatnonzero(mdp.terminal & (mdp.start > 0))[0])
        raise ValueError(f"mdp.start gives state {state} the chance "
                         f"{mdp.start[state]:.6g}; no episode can begin in a terminal "
                         "state")
    act = acting(policy, rng)
    running = np.arange(episodes)
    states = rng.choice(mdp.n_states, size=episodes, p=mdp.start)
    rows = []
    for step in range(horizon):
        actions = act(states, step)
        rows.append((states, actions, running, mdp.reward[states, actions]))
        states = mdp.sample(states, actions, rng)
        going = ~mdp.terminal[states]
        states, running = states[going], running[going]
        if not len(running):
            break
    states, actions, owner, paid = (np.concatenate(column) for column in zip(*rows))
    order = np.argsort(owner, kind="stable")  # by episode, and within it by time
    return Demonstrations(states[order], actions[order], owner[order], paid[order])


def _best_q(mdp: MDP) -> np.ndarray:
    return planning.q_values(mdp, planning.value_iteration(mdp).values)


def _probabilities(policy) -> np.ndarray:
    """`policy` as (S, A) or (H, S, A) floats whose rows sum to 1, or an error."""
    policy = real_numbers("policy", policy)
    if policy.ndim not in (2, 3) or policy.size == 0:
        raise ValueError(f"policy has shape {policy.shape}; "
                         "it must be (S, A) or (H, S, A)")
    return probabilities(policy)
