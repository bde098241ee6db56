r"""Planning: the best that can be done, by looking ahead until nothing changes.

.. math:: V(s) = \max_a Q(s, a), \qquad
          Q(s, a) = r(s, a) + \gamma \sum_{s'} P(s' \mid s, a)\, V(s')

*Value iteration* reads the equation as an instruction. *Modified policy iteration*
saves work: between two looks at all actions it follows the best one for a while
(Puterman 1994, sections 6.3 and 6.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.planning.following import (
    checked_positive,
    ends,
    following,
    needs_an_end,
    reward_of,
)

__all__ = ["Plan", "modified_policy_iteration", "q_values", "value_iteration"]

MOST_SWEEPS = 200_000
TIE = 1e-14  # two actions are equally good up to this share of the largest value
NEAR = 1e-10  # and at discount 1, where values are not known so well, up to this
SWEEPS_BETWEEN = 25  # how long modified policy iteration follows one policy


@dataclass(frozen=True, eq=False)
class Plan:
    """What planning found.

    Attributes
    ----------
    values : (..., S) array
        What each state is worth; with a horizon (H, ..., S), by step.
    policy : (..., S, A) array
        Probabilities; with a horizon (H, ..., S, A). For hard planning all is on one
        action: the first of the best.
    sweeps : int
        How often the values were updated; for Newton's method, linear solves.
    bound : float
        No value is further than this from the exact one (rounding aside). NaN where
        nothing is guaranteed: at discount 1, and for Newton's method.
    """

    values: np.ndarray
    policy: np.ndarray
    sweeps: int
    bound: float


def q_values(mdp, values, reward=None) -> np.ndarray:
    r"""Each action's worth when `values` come after it, :math:`Q(s, a)`, (..., S, A).

    For a plan of H steps, :math:`Q_t` needs :math:`V_{t+1}`, the next row of its values,
    and zeros in the last step.
    """
    return reward_of(mdp, reward) + mdp.discount * mdp.next_values(values)


def value_iteration(mdp, *, reward=None, tol: float = 1e-10) -> Plan:
    r"""The optimal values, and a policy that attains them up to twice their error.

    Repeats :math:`V \leftarrow \max_a (r + \gamma P V)` from V = 0. A sweep that changes
    no value by more than δ leaves all of them within γδ/(1-γ) of the truth, and the
    sweeps go on until that is below `tol` (Puterman 1994, theorem 6.3.1).

    Parameters
    ----------
    mdp : MDP
    reward : (..., S, A) array, optional
        In place of the world's own; many at once are planned for together.
    tol : float
        Largest error of a value; what rounding allows, if that is more. At discount 1,
        the largest change in the last sweep, and no bound on the error.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        At discount 1: if from some state no end can be reached; if the values never
        settle, as where a loop pays; if staying for ever in a loop that costs nothing
        is better than any way out. Where leaving is as good, the plan leaves.
    """
    reward = checked(mdp, reward, tol)
    by_action = np.ascontiguousarray(np.swapaxes(reward, -1, -2))
    values = np.zeros(by_action.shape[:-2] + by_action.shape[-1:])
    q = np.empty_like(by_action)
    for sweep in range(1, MOST_SWEEPS + 1):
        look_ahead(mdp, by_action, values, out=q)
        better = q.max(axis=-2)
        change = np.abs(better - values).max()
        values = better
        if converged(mdp, change, values, tol):
            break
    else:
        never_settles(mdp, change, MOST_SWEEPS)
    look_ahead(mdp, by_action, values, out=q)  # greedy for the final values
    policy = _greedy(mdp, np.swapaxes(q, -1, -2), reward)
    return Plan(values, policy, sweep, bound(mdp, change))


def modified_policy_iteration(mdp, *, reward=None, tol: float = 1e-10) -> Plan:
    r"""The same plan sooner: follow each policy for a while before improving it.

    The improvement is a sweep of value iteration. Then
    :math:`V \leftarrow r_\pi + \gamma P_\pi V`, with :math:`\pi` held, costs A times
    less and is repeated some times (Puterman and Shin 1978). In the end all values are
    moved to the middle of what is still possible (MacQueen 1966), on which `bound`
    rests. Needs a discount below 1; arguments and result are those of
    `value_iteration`.
    """
    reward = checked(mdp, reward, tol)
    if mdp.discount == 1:
        raise ValueError("discount is 1; modified policy iteration needs less. "
                         "Use value_iteration")
    by_action = np.ascontiguousarray(np.swapaxes(reward, -1, -2))
    values = np.zeros(by_action.shape[:-2] + by_action.shape[-1:])
    q = np.empty_like(by_action)
    later = mdp.discount / (1 - mdp.discount)
    best = None
    for sweep in range(1, MOST_SWEEPS + 1):
        look_ahead(mdp, by_action, values, out=q)
        values, before = q.max(axis=-2), values
        now = _first_of_the_best(q, values)
        # What is still missing of each value is between `low` and `high` times γ/(1-γ)
        # (MacQueen 1966): half the difference is all that can go wrong in the middle.
        low, high = (values - before).min(axis=-1), (values - before).max(axis=-1)
        change = (high - low).max() / 2
        if converged(mdp, change, values, tol):
            break
        if best is None or (now != best).any():
            best, chains = now, _chains(mdp, by_action, now)
        _follow(mdp, chains, values)
    else:
        never_settles(mdp, change, MOST_SWEEPS)
    values += (later * (low + high) / 2)[..., None]
    look_ahead(mdp, by_action, values, out=q)
    policy = _greedy(mdp, np.swapaxes(q, -1, -2), reward)
    return Plan(values, policy, sweep, bound(mdp, change))


def _first_of_the_best(q, largest):
    """The argmax of q (..., A, S) over actions, several times as fast as numpy's."""
    first = np.zeros(largest.shape, np.intp)
    for a in reversed(range(q.shape[-2])):
        np.copyto(first, a, where=q[..., a, :] == largest)
    return first


def _chains(mdp, by_action, best):
    """What following `best` pays, and where it leads: for each reward (S,) and a chain."""
    paid = np.take_along_axis(by_action, best[..., None, :], axis=-2)[..., 0, :]
    first = np.arange(mdp.n_states) * mdp.n_actions
    chains = []
    for r, actions in zip(paid.reshape(-1, mdp.n_states), best.reshape(-1, mdp.n_states)):
        if mdp.deterministic:
            ahead = np.take(mdp.transitions, first + actions)
        else:
            ahead = mdp.transitions[first + actions]
            ahead.data *= mdp.discount
        chains.append((r, ahead))
    return chains


def _follow(mdp, chains, values):
    """Some sweeps of V <- r + discount * P V along the chosen actions, in place."""
    deterministic = mdp.deterministic
    for v, (r, ahead) in zip(values.reshape(-1, mdp.n_states), chains):
        later = np.empty_like(v)
        for _ in range(SWEEPS_BETWEEN):
            if deterministic:
                np.take(v, ahead, out=later, mode="clip")
                later *= mdp.discount
                np.add(r, later, out=v)
            else:  # its rows are discounted already
                np.add(r, ahead @ v, out=v)


# What the planners share ------------------------------------------------------------


def look_ahead(mdp, reward, values, out):
    """Q from V, rows of one action side by side: r (..., A, S) -> out."""
    mdp._ahead(values, out=out)
    if mdp.discount != 1:
        out *= mdp.discount
    out += reward
    return out


def checked(mdp, reward, tol):
    """The reward to plan for; refused if at discount 1 there is no way to an end."""
    checked_positive("tol", tol)
    reward = reward_of(mdp, reward)
    if mdp.discount == 1:
        anything = following(mdp, np.full(mdp.reward.shape, 1 / mdp.n_actions))
        needs_an_end(anything, ends(mdp, reward), who="no policy")
    return reward


def converged(mdp, change, values, tol) -> bool:
    """Whether a sweep that changed values by `change` was the last one needed."""
    rounding = 4 * np.finfo(float).eps * np.abs(values).max(initial=0.0)
    if mdp.discount == 1:
        return change <= max(tol, rounding)
    return mdp.discount * change <= max(tol * (1 - mdp.discount), rounding)


def bound(mdp, change) -> float:
    """How wrong a value can be after a sweep that changed none by more than `change`."""
    if mdp.discount == 1:
        return float("nan")
    return float(mdp.discount * change / (1 - mdp.discount))


def never_settles(mdp, change, rounds):
    why = "going round some loop pays, or ends are too far away"
    if mdp.discount < 1:
        why = ("this takes too long; use modified_policy_iteration, "
               "or for soft values soft_policy_iteration")
    raise ValueError(f"after {rounds} rounds values still change by {change:.3g} in "
                     f"each; with discount {mdp.discount:g} {why}")


def _greedy(mdp, q, reward) -> np.ndarray:
    """All on the first of the best actions, (..., S, A).

    At discount 1, going round a loop that costs nothing looks as good as leaving it.
    Then only an action that may come nearer to an end will do.
    """
    scale = np.abs(q).max(axis=(-1, -2), keepdims=True)
    tie = TIE * scale if mdp.discount < 1 else NEAR * np.maximum(scale, 1)
    best = q >= q.max(axis=-1, keepdims=True) - tie
    if mdp.discount == 1:
        several = best.reshape(-1, *mdp.reward.shape)
        over = ends(mdp, reward)
        best = np.stack([_towards(mdp, one, over) for one in several]).reshape(q.shape)
    first = best.argmax(axis=-1)
    policy = np.zeros(q.shape)
    np.put_along_axis(policy, first[..., None], 1.0, axis=-1)
    return policy


def _towards(mdp, best, over) -> np.ndarray:
    """Those of the `best` actions, (S, A) bool, that may lead a step nearer to an end."""
    kept, near = best & over[:, None], over.copy()
    while True:
        closer = best & (mdp.next_values(near) > 0) & ~near[:, None]
        if not closer.any():
            break
        kept |= closer
        near |= closer.any(axis=1)
    if not near.all():
        raise ValueError(
            f"discount is 1 and from state {int((~near).argmax())} the best policy stays "
            "in a loop that costs nothing and never ends; use a discount below 1")
    return kept
