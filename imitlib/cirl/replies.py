r"""Each one's best reply to the other's way to play, by the whole tree of histories.

A history is a tuple of (state, her action, his action). Hana's *way* gives the chance
of each action for each goal, (Θ, A_H), and Rollo's an action, for a history and the
state that it led to. Trees are short here, so nothing needs to be approximated:

- `literal`: her share of what would be best if he knew the goal too;
- `reading`: his best reply to a way of hers, by Bayes' rule;
- `teaching`: her best reply to a way of his, or that but for slips.

`Solution.robot_acts` is such a way of his, with `stay` off its path too.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib.cirl.game import Game

__all__ = ["literal", "reading", "teaching", "worth"]

TIE = 1e-9


def _live(game: Game) -> np.ndarray:
    """(H + 1, S): whether anything but 0 can be earned from there on."""
    pays = (game.reward != 0).any(axis=(1, 2, 3))
    leads = (game.transitions > 0).any(axis=(1, 2))
    live = np.zeros((game.horizon + 1, game.n_states), bool)
    for t in reversed(range(game.horizon)):
        live[t] = pays | (leads & live[t + 1]).any(axis=1)
    return live


def literal(game: Game, ties: str = "uniform"):
    """Her part of the pairs of actions that are best if both know the goal.

    Parameters
    ----------
    ties : {"uniform", "first", "last"}
        Which of several actions she takes: any with the same chance, or one of them.

    Raises
    ------
    ValueError
        If `ties` is none of these.
    """
    if ties not in ("uniform", "first", "last"):
        raise ValueError(f"ties is {ties!r}; legal: uniform, first, last")
    ahead, rules = np.zeros((game.n_states, game.n_goals)), []
    may = game.human_may[:, :, None] & game.robot_may[:, None, :]
    for _ in range(game.horizon):
        q = game.reward + game.discount * game.transitions @ ahead
        q = np.where(may[..., None], q, -np.inf).max(axis=2)  # (S, A_H, Θ): his best with each
        ahead = q.max(axis=1)
        rules.append(_shares(q.transpose(0, 2, 1), ties))
    return lambda history, state: rules[game.horizon - 1 - len(history)][state]


def _shares(q, ties="uniform"):
    """(..., A) chances of the best of them; ties as said."""
    best = q > q.max(axis=-1, keepdims=True) - TIE
    if ties == "first":
        best &= best.cumsum(axis=-1) == 1
    if ties == "last":
        best &= best.cumsum(axis=-1) == best.sum(axis=-1, keepdims=True)
    return best / best.sum(axis=-1, keepdims=True)


def _next(game: Game) -> dict:
    """For each state and pair of actions, what may follow: state and discounted chance."""
    found = {}
    for s, h, a, ahead in np.argwhere(game.transitions > 0).tolist():
        chance = game.discount * float(game.transitions[s, h, a, ahead])
        found.setdefault((s, h, a), []).append((ahead, chance))
    return found


def reading(game: Game, hers):
    """His best reply to her way, and what it is worth.

    Of equally good actions he takes the first. After a move that her way never makes he
    believes what he believed before it.

    Returns
    -------
    his : callable
    value : float
    """
    live, following = _live(game), _next(game)

    @cache
    def belief(history):
        if not history:
            return game.prior
        before, (state, h, _) = history[:-1], history[-1]
        joint = belief(before) * hers(before, state)[:, h]
        return joint / joint.sum() if joint.sum() > 0 else belief(before)

    @cache
    def best(history, state):
        if not live[len(history), state]:
            return 0.0, int(game.robot_may[state].argmax())
        joint = belief(history)[:, None] * hers(history, state)
        heard = joint.sum(axis=0).tolist()
        worths = np.einsum("th,hat->a", joint, game.reward[state])
        worths[~game.robot_may[state]] = -np.inf
        for a in np.flatnonzero(game.robot_may[state]).tolist():
            for h, chance_of_h in enumerate(heard):
                if chance_of_h:
                    for s, chance in following[state, h, a]:
                        then = best((*history, (state, h, a)), s)[0]
                        worths[a] += chance * chance_of_h * then
        return float(worths.max()), int((worths > worths.max() - TIE).argmax())

    return lambda history, state: best(tuple(history), state)[1], best((), game.start)[0]


def teaching(game: Game, his, temperature: float = 0.0):
    """Her reply to a way of his, goal by goal: best, or best but for slips.

    Parameters
    ----------
    temperature : float
        0 for her best, any of several with the same chance. Otherwise odds e^(Q / τ).

    Returns
    -------
    hers : callable
    value : float

    Raises
    ------
    ValueError
        If the temperature is below 0 or not finite.
    """
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; it must be finite and at least 0")
    live, following = _live(game), _next(game)

    @cache
    def best(history, state):
        """(Θ,) what is ahead, and (Θ, A_H) what she does."""
        legal = np.flatnonzero(game.human_may[state])
        rule = np.zeros((game.n_goals, game.n_human))
        if not live[len(history), state]:
            rule[:, legal] = 1 / len(legal)
            return np.zeros(game.n_goals), rule
        a, q = his(history, state), []
        for h in legal.tolist():
            total = game.reward[state, h, a].copy()
            for s, chance in following[state, h, a]:
                total += chance * best((*history, (state, h, a)), s)[0]
            q.append(total)
        q = np.array(q).T
        if temperature:
            odds = np.exp((q - q.max(axis=1, keepdims=True)) / temperature)
            rule[:, legal] = odds / odds.sum(axis=1, keepdims=True)
        else:
            rule[:, legal] = _shares(q)
        return (rule[:, legal] * q).sum(axis=1), rule

    value = float(game.prior @ best((), game.start)[0])
    return lambda history, state: best(tuple(history), state)[1], value


def worth(game: Game, hers, his) -> float:
    """What a pair of ways is worth before the goal is drawn."""
    live, following = _live(game), _next(game)

    def ahead(history, state):
        if not live[len(history), state]:
            return np.zeros(game.n_goals)
        rule, a, total = hers(history, state), his(history, state), 0.0
        for h in np.flatnonzero(rule.sum(axis=0) > 0).tolist():
            after = game.reward[state, h, a].copy()
            for s, chance in following[state, h, a]:
                after += chance * ahead((*history, (state, h, a)), s)
            total = total + rule[:, h] * after
        return total

    return float(game.prior @ ahead((), game.start))
