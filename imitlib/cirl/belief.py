"""What Rollo believes about what Hana wants, and how her moves change it.

A *decision rule* says what Hana does for each goal that she may have. Seen from
outside, she plays one rule, and her move tells which goals it could have come from.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Impossible", "checked_belief", "follow", "given", "one_hot", "subsets", "update"]


class Impossible(ValueError):
    """An observation of probability 0: no goal that is still believed explains it."""


def checked_belief(name: str, belief, n_goals: int | None = None) -> np.ndarray:
    """A belief, (Θ,), as an array that sums to 1.

    Raises
    ------
    ValueError
        If it has another shape, an entry below 0, or does not sum to 1 within 1e-9.
    """
    belief = np.asarray(belief, float)
    if belief.ndim != 1 or belief.size == 0 or n_goals not in (None, len(belief)):
        wanted = "(goals,)" if n_goals is None else f"({n_goals},)"
        raise ValueError(f"{name} has shape {belief.shape}; it must be {wanted}")
    if not (belief >= 0).all():
        raise ValueError(f"{name} holds {belief.min()}; a probability is at least 0")
    if not abs(belief.sum() - 1) < 1e-9:
        raise ValueError(f"{name} sums to {belief.sum():.6g}; it must sum to 1")
    return belief


def one_hot(actions, n_actions: int) -> np.ndarray:
    """A rule given as one action for each goal, (Θ,), as chances, (Θ, A)."""
    actions = np.asarray(actions)
    if actions.ndim != 1 or not ((actions >= 0) & (actions < n_actions)).all():
        raise ValueError(f"actions is {actions.tolist()}; give one of 0 to "
                         f"{n_actions - 1} for each goal")
    return np.eye(n_actions)[actions]


def update(belief, rule, action: int, *, off_path=None) -> np.ndarray:
    r"""Bayes' rule after one move of Hana's.

    .. math:: b'(\theta) \propto b(\theta)\, \delta(a \mid \theta)

    Parameters
    ----------
    belief : (Θ,)
    rule : (Θ, A)
        The chance of each action for each goal.
    action : int
        What she did.
    off_path : (Θ,), optional
        What to believe if the rule never does this. Bayes' rule does not say; whoever
        needs an answer must choose one, and results may depend on the choice.

    Raises
    ------
    Impossible
        If the action has probability 0 and `off_path` is not given.
    ValueError
        If shapes do not fit, the belief or a row of the rule does not sum to 1, or
        there is no such action.
    """
    belief = checked_belief("belief", belief)
    rule = np.asarray(rule, float)
    if rule.ndim != 2 or len(rule) != len(belief):
        raise ValueError(f"rule has shape {rule.shape}; it must be ({len(belief)}, "
                         "actions)")
    for goal, row in enumerate(rule):
        checked_belief(f"rule[{goal}]", row)
    if action not in range(rule.shape[1]):
        raise ValueError(f"action is {action}; legal: 0 to {rule.shape[1] - 1}")
    joint = belief * rule[:, action]
    if joint.sum() > 0:
        return joint / joint.sum()
    if off_path is None:
        raise Impossible(f"action {action} has probability 0 under the belief "
                         f"{belief.tolist()}; give off_path to say what follows")
    return checked_belief("off_path", off_path, len(belief))


def follow(belief, rules, actions, *, off_path=None) -> np.ndarray:
    """The belief after several moves, one rule each. The order does not matter.

    Raises
    ------
    Impossible
        If some move has probability 0 after those before it, and `off_path` is not given.
    ValueError
        If there are not as many rules as moves, or as `update` does.
    """
    if len(rules) != len(actions):
        raise ValueError(f"rules has {len(rules)} entries and actions {len(actions)}; "
                         "there must be one rule for each move")
    for rule, action in zip(rules, actions, strict=True):
        belief = update(belief, rule, action, off_path=off_path)
    return checked_belief("belief", belief)


def subsets(n: int) -> np.ndarray:
    """Every set of goals as a row, (2**n, n): row k holds the bits of k."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1


def given(prior, goals) -> np.ndarray:
    """The prior, once the goals outside a set are excluded.

    Where Hana's rules are deterministic, every belief that play can lead to is of this
    form: she never shifts the odds between two goals, she only rules goals out.

    Raises
    ------
    Impossible
        If the prior gives the whole set probability 0.
    """
    prior, goals = checked_belief("prior", prior), np.asarray(goals, bool)
    if goals.shape != prior.shape:
        raise ValueError(f"goals has shape {goals.shape}; it must be {prior.shape}")
    if not (prior * goals).sum() > 0:
        raise Impossible(f"the goals {np.flatnonzero(goals).tolist()} have probability 0")
    return prior * goals / (prior * goals).sum()
