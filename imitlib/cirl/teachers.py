r"""People who err, in games of one act of Rollo's after some moves of Hana's.

They do not teach. Each move of theirs is drawn with odds

.. math:: \delta(m \mid \theta) \propto e^{(u_H(\theta, m) + b(m)) / \tau}:

a temperature τ for the slips of the hand, and a leaning b towards some moves whatever
the goal. Rollo, who has watched, does what is best for the belief that it comes to;
what it should believe depends on how it thinks that she errs.
"""

from __future__ import annotations

import numpy as np

from imitlib.cirl.assistance import OneShot

__all__ = ["belief_after", "erring", "losses", "watched"]


def erring(game: OneShot, temperature: float, leaning=0.0) -> np.ndarray:
    """The chance of each move for each goal, (Θ, M).

    Parameters
    ----------
    temperature : float
        Above 0. As it falls to 0 she becomes the literal Hana, if she leans nowhere.
    leaning : float or (M,)
        What each move is worth to her beyond what it is worth.

    Raises
    ------
    ValueError
        If the temperature is not above 0 or `leaning` has another shape.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; it must be finite and above 0")
    leaning = np.asarray(leaning, float)
    if leaning.shape not in ((), game.hers.shape[1:]):
        raise ValueError(f"leaning has shape {leaning.shape}; it must be one number for "
                         f"each of {game.hers.shape[1]} moves")
    odds = (game.hers + leaning) / temperature
    odds = np.exp(odds - odds.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def watched(rule, chance) -> np.ndarray:
    """How often each move was made, up to each of n moves, for each goal that she may have.

    Parameters
    ----------
    rule : (Θ, M)
    chance : (Θ, R, n)
        Uniform on [0, 1): the same numbers give different people the same luck.

    Returns
    -------
    counts : (Θ, R, n + 1, M)
        From no move on.
    """
    rule, chance = np.asarray(rule, float), np.asarray(chance, float)
    if chance.ndim != 3 or len(chance) != len(rule):
        raise ValueError(f"chance has shape {chance.shape}; it must be ({len(rule)}, R, n)")
    edges = np.cumsum(rule, axis=1)[:, None, None, :-1]
    moves = (chance[..., None] >= edges).sum(axis=-1)
    counts = np.eye(rule.shape[1])[moves].cumsum(axis=2)
    return np.concatenate([np.zeros_like(counts[:, :, :1]), counts], axis=2)


def belief_after(counts, rules, prior) -> np.ndarray:
    r"""What Rollo believes of the goal once it has seen such counts, (..., Θ).

    .. math:: b(\theta) \propto p(\theta) \sum_k \prod_m \delta_k(m \mid \theta)^{n_m}

    Parameters
    ----------
    counts : (..., M)
    rules : (Θ, M) or (K, Θ, M)
        How he thinks that she errs; several are as likely as each other beforehand.
    prior : (Θ,)
    """
    rules = np.asarray(rules, float)
    rules = rules[None] if rules.ndim == 2 else rules
    if rules.ndim != 3 or rules.shape[1] != len(prior) or rules.shape[2] != counts.shape[-1]:
        raise ValueError(f"rules has shape {rules.shape}; it must be (K, {len(prior)}, "
                         f"{counts.shape[-1]})")
    logs = np.log(np.maximum(rules, 1e-300)).reshape(-1, rules.shape[2])
    score = (counts @ logs.T).reshape(*counts.shape[:-1], *rules.shape[:2])
    chance = np.exp(score - score.max(axis=(-2, -1), keepdims=True)).sum(axis=-2) * prior
    return chance / chance.sum(axis=-1, keepdims=True)


def losses(game: OneShot, belief) -> np.ndarray:
    """What Rollo's act loses to that of one who knows the goal, for each goal.

    Parameters
    ----------
    belief : (Θ, ..., Θ)
        First by the goal that she has, last by what he believes.

    Returns
    -------
    (Θ, ...)
        True losses: by the goal that she has, whatever he believes.
    """
    act = (belief @ game.his).argmax(axis=-1)
    goal = np.arange(len(game.prior)).reshape(-1, *[1] * (act.ndim - 1))
    return game.his.max(axis=1)[goal] - game.his[goal, act]
