r"""An errand on which Hana can say how and why, at a price and for nothing in return.

Her deed shows what she wants. Rollo comes after her. Mostly it meets what she met and
what she wants is all it needs; sometimes the tool is missing, and it must know how she
likes it done; sometimes the loaf is sold out, and it must know what it was for. A word
is worth nothing in itself. One may be said of each, for the unusual case, and not to
say it is read as well.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from imitlib.cirl.game import Game

__all__ = ["errand", "errand_value"]

CHANCES = {"how": 0.2, "why": 0.2}


def errand(chances=None, price=0.2, usual=0.7, stake=2.0, shown=("what",),
           mute=False, own=1.0, worth=2.0) -> Game:  # fmt: skip
    """The errand as a game of two turns.

    Goals: each of *what*, *how* and *why* is 0 or 1. Her actions: a deed, with the
    words she says. His: 0 or 1, for whichever question the state puts.

    Parameters
    ----------
    chances : dict
        How likely it is that Rollo needs to know each further kind of thing; what is
        left is the chance that it needs the *what* alone.
    price : float
        Of one word.
    usual : float
        The chance that a further thing is the usual one, 0. Both whats are as likely.
    stake, worth, own : float
        Of Rollo's act with a *how* or *why*, of Rollo's act with a *what*, of her deed.
    shown : tuple
        The kinds of thing that her own deed must get right, and so can show.
    mute : bool
        She says nothing.

    Raises
    ------
    ValueError
        If the chances sum to more than 1, `usual` is no probability from ½ on, or a
        kind that is shown does not exist.
    """
    chances = CHANCES if chances is None else chances
    kinds = ("what", *chances)
    if min(chances.values(), default=0) < 0 or sum(chances.values()) > 1:
        raise ValueError(f"chances is {chances}; they must be 0 or more and sum to at most 1")
    if not 0.5 <= usual <= 1:
        raise ValueError(f"usual is {usual}; it must be in [0.5, 1]")
    if not set(shown) <= set(kinds):
        raise ValueError(f"shown is {shown}; legal: {', '.join(kinds)}")
    goals = np.array(list(product((0, 1), repeat=len(kinds))))
    prior = 0.5 * np.where(goals[:, 1:] == 0, usual, 1 - usual).prod(axis=1)
    words = [0] if mute else [sum(w) for w in product((0, 1), repeat=len(chances))]
    deeds = list(product((0, 1), repeat=len(shown)))
    hers = list(product(deeds, words))
    S = 1 + len(kinds)  # her turn, then one question for each kind
    P = np.zeros((S, len(hers), 2, S))
    P[0, :, :, 1:] = [1 - sum(chances.values()), *chances.values()]
    P[1:, ..., 1] = 1
    reward = np.zeros((S, len(hers), 2, len(goals)))
    part = goals[:, [kinds.index(kind) for kind in shown]]
    for h, (deed, said) in enumerate(hers):
        reward[0, h] = own * (part == deed).all(axis=1) - price * said
    for k in range(len(kinds)):
        for a in (0, 1):
            reward[1 + k, :, a] = (worth if k == 0 else stake) * (goals[:, k] == a)
    human, robot = np.ones((S, len(hers)), bool), np.ones((S, 2), bool)
    human[1:, 1:] = robot[0, 1:] = False
    return Game(P, reward, prior, 2, 1.0, 0, human, robot)


def errand_value(chances, price, usual, stake, shown=("what",), own=1.0, worth=2.0) -> float:
    r"""The same by hand: each further thing is said where the chance times the stake pays.

    .. math:: \text{own} + (1 - \textstyle\sum_k q_k)\, w +
        \sum_k \big[ q_k z - (1 - u) \min(c, q_k z) \big]

    with w the worth, z the stake, c the price, u the chance of the usual case. A thing
    that is shown loses nothing. It holds while showing *what* is worth more than any
    use of the deed as a word for something else.
    """
    total = own + (1 - sum(chances.values())) * worth
    for kind, chance in chances.items():
        lost = 0.0 if kind in shown else (1 - usual) * min(price, chance * stake)
        total += chance * stake - lost
    return total
