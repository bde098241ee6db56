"""Keep a map: remember where each step led, and plan with that.

Q-learning forgets everything but its estimates. Where every action has one certain
outcome there is no need to see it twice, and a learner who writes it down can think
about it as long as it likes between two steps. Steps it has not tried it believes to
be as good as can be: so it goes and looks (R-MAX, Brafman & Tennenholtz 2002).
"""

from __future__ import annotations

import numpy as np

from imitlib.experiments import bar
from imitlib.rl.bookkeeping import Learned, at_least_one, evaluations, paid, tables

__all__ = ["r_max"]


def r_max(env, steps: int, rng: np.random.Generator, *, best: float,
          evaluate_every=None, evaluate=None, progress=False) -> Learned:
    r"""Learn a world without chance by drawing its map.

    Undiscounted. The plan that is followed takes an untried action to be worth `best`,

    .. math:: Q(s, a) = \begin{cases}
       r(s, a) + V(s'_{sa}) & \text{tried, and went on} \\
       r(s, a) & \text{tried, and ended} \\
       \text{best} & \text{untried}
       \end{cases} \qquad V(s) = \min(\max_a Q(s, a),\ \text{best})

    so it either does as well as anybody, or learns something new (Brafman & Tennenholtz
    2002, for one visit). The policy that is reported takes an untried action to be
    worth nothing, and knows a way to an end, or none.

    Parameters
    ----------
    env : gymnasium.Env
        With Discrete observations and actions, in which each action has one outcome
        and every step costs something, but the last.
    steps : int
        The budget.
    rng : numpy.random.Generator
        Seeds the environment, once, and decides between equals.
    best : float
        No return from any state is higher than this.
    evaluate_every, evaluate : int and callable, optional
        Keep ``evaluate(policy)`` every so many steps and at the end; in another copy of
        the world.
    progress : bool
        Show a bar once it has lasted two seconds.

    Returns
    -------
    Learned
        With ``q`` of the map as it is in the end, -inf where nothing is known.

    Raises
    ------
    ValueError, TypeError
        Naming the argument; or if an action has led to two places.
    """
    first_state, first_action, n_states, n_actions = tables(env)
    at_least_one(steps=steps)
    evaluations(evaluate_every, evaluate)
    if not np.isfinite(best):
        raise ValueError(f"best is {best}; it must be finite")

    end = n_states  # one more state: where episodes have ended
    leads = np.full((n_states, n_actions), -1)
    pays = np.zeros((n_states, n_actions))
    values = np.append(np.full(n_states, float(best)), 0.0)
    q = np.full((n_states, n_actions), float(best))
    returns, ends, history, total = [], [], [], 0.0
    seen, _ = env.reset(seed=int(rng.integers(2**31)))
    state = int(seen) - first_state
    for step in bar(range(1, steps + 1), show=progress, label="R-MAX"):
        action = int(rng.choice(np.flatnonzero(q[state] == q[state].max())))
        seen, reward, terminated, truncated, _ = env.step(action + first_action)
        after, reward = end if terminated else int(seen) - first_state, paid(reward)
        if leads[state, action] == -1:
            leads[state, action], pays[state, action] = after, reward
            _plan(leads, pays, values, q, best)
        elif (leads[state, action], pays[state, action]) != (after, reward):
            raise ValueError(f"env led from state {state} by action {action} to "
                             f"{leads[state, action]} and to {after}, and paid "
                             f"{pays[state, action]:g} and {reward:g}; this learner is "
                             "for worlds in which an action has one outcome")

        total, state = total + reward, after
        if terminated or truncated:
            returns.append(total)
            ends.append(step)
            seen, _ = env.reset()
            total, state = 0.0, int(seen) - first_state
        if evaluate_every and (step % evaluate_every == 0 or step == steps):
            history.append((step, evaluate(_known_way(leads, pays)[0])))
    policy, known = _known_way(leads, pays)
    return Learned(policy, known, np.array(returns, float), np.array(ends, np.int64),
                   tuple(history))


def _plan(leads, pays, values, q, best):
    """Value iteration on the map, in place, from the plan before it.

    A map with one more entry promises less or as much, so the old values are too high,
    and come down. Where no way leads to an end or to something untried, they would do
    so for ever; but no way that costs is longer than there are states.
    """
    worst = min(best, 0.0) + len(leads) * min(pays.min(), 0.0)
    while True:
        np.copyto(q, np.where(leads == -1, best, pays + values[leads]))
        lower = np.minimum(q.max(axis=1), best)
        lower[lower < worst] = -np.inf
        if (lower == values[:-1]).all():
            return
        values[:-1] = lower


def _known_way(leads, pays):
    """The best policy on what has been tried alone, and its Q; -inf is no way."""
    values = np.append(np.full(len(leads), -np.inf), 0.0)
    for _ in range(len(leads) + 1):  # no way that costs is longer than that
        q = np.where(leads == -1, -np.inf, pays + values[leads])
        higher = q.max(axis=1)
        if (higher == values[:-1]).all():
            break
        values[:-1] = higher
    policy = np.zeros(q.shape)
    policy[np.arange(len(q)), q.argmax(axis=1)] = 1.0
    lost = ~np.isfinite(values[:-1])
    policy[lost] = 1 / q.shape[1]
    return policy, q
