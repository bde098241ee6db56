"""Q-learning: find out what each action is worth, and take the best."""

from __future__ import annotations

from math import isfinite

import numpy as np

from imitlib.experiments import bar
from imitlib.rl.bookkeeping import (
    Learned,
    at_least_one,
    evaluations,
    paid,
    schedule,
    share,
    tables,
)

__all__ = ["q_learning"]


def q_learning(env, steps: int, rng: np.random.Generator, *, discount=0.99,
               step_size=0.1, epsilon=0.1, initial=0.0, evaluate_every=None,
               evaluate=None, progress=False) -> Learned:
    r"""Learn what each action is worth, by acting (Watkins & Dayan 1992).

    After each step from s by a to s', which paid r,

    .. math:: Q(s, a) \leftarrow Q(s, a)
       + \alpha \bigl(r + \gamma \max_b Q(s', b) - Q(s, a)\bigr)

    with 0 in place of the maximum where the world has ended. An episode merely cut by
    a time limit has not ended there: its last state is worth as much as ever (Pardo
    et al. 2018). The action is the best so far, or, with chance ε, any. Of equals one
    is drawn: all begin equal, and always taking the first would walk every novice
    into the same wall.

    Q tends to :math:`Q^*` if every action is tried for ever and the step sizes of
    each sum to infinity while their squares do not, as those of ``lambda n: 1 / n``; with
    bounded rewards and a discount below 1, or an end that is certain (Tsitsiklis 1994).

    Parameters
    ----------
    env : gymnasium.Env
        With Discrete observations and actions.
    steps : int
        The budget.
    rng : numpy.random.Generator
        Seeds the environment, once, and draws the actions.
    discount : float
        :math:`\gamma \in [0, 1]`.
    step_size : float or callable
        :math:`\alpha \in (0, 1]`; or n -> α at the n-th visit of (s, a), n = 1, 2, ...
    epsilon : float or callable
        :math:`\varepsilon \in [0, 1]`; or the fraction of the budget spent -> ε.
    initial : float
        What every action is thought to be worth at first. If that is a lot, each will
        be tried.
    evaluate_every, evaluate : int and callable, optional
        Keep ``evaluate(policy)`` every so many steps and at the end; in another copy of the world.
    progress : bool
        Show a bar once it has lasted two seconds.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was and what is legal; or a reward not finite.
    """
    first_state, first_action, n_states, n_actions = tables(env)
    at_least_one(steps=steps)
    share("discount", discount)
    evaluations(evaluate_every, evaluate)
    if not isfinite(initial):
        raise ValueError(f"initial is {initial}; it must be finite")
    rate, chance = schedule("step_size", step_size, above=0), schedule("epsilon", epsilon)

    # Lists of lists: taken number by number they are several times faster than arrays.
    q = [[float(initial)] * n_actions for _ in range(n_states)]
    visits = [[0] * n_actions for _ in range(n_states)]
    returns, ends, history, total = [], [], [], 0.0

    seen, _ = env.reset(seed=int(rng.integers(2**31)))
    state = int(seen) - first_state
    for step in bar(range(1, steps + 1), show=progress, label="Q-learning"):
        if rng.random() < chance((step - 1) / steps):
            action = int(rng.random() * n_actions)
        else:
            action = _best(q[state], rng)
        seen, reward, terminated, truncated, _ = env.step(action + first_action)
        after, reward = int(seen) - first_state, paid(reward)

        ahead = 0.0 if terminated else discount * max(q[after])
        visits[state][action] += 1
        alpha = rate(visits[state][action])
        q[state][action] += alpha * (reward + ahead - q[state][action])

        state, total = after, total + reward
        if terminated or truncated:
            returns.append(total)
            ends.append(step)
            seen, _ = env.reset()
            state, total = int(seen) - first_state, 0.0
        if evaluate_every and (step % evaluate_every == 0 or step == steps):
            history.append((step, evaluate(_greedy(q))))
    return Learned(_greedy(q), np.array(q), np.array(returns, float),
                   np.array(ends, np.int64), tuple(history))


def _best(row: list, rng) -> int:
    """The action of the largest value; of equals, one at random."""
    largest = max(row)
    if row.count(largest) == 1:
        return row.index(largest)
    ties = [action for action, value in enumerate(row) if value == largest]
    return ties[int(rng.random() * len(ties))]


def _greedy(q: list) -> np.ndarray:
    """The best actions of each state, all alike, as a policy (S, A)."""
    q = np.array(q)
    best = q == q.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)
