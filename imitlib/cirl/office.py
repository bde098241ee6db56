r"""Two orders at the office, in rational numbers.

Hana orders first, Rollo after her, and both are paid for what stands on the shelf:
θ for a box of clips and 1 - θ for a box of staples, with θ uniform on [0, 1] and known
to Hana alone. For a given answer of Rollo's every order of hers is worth a straight
line in θ, so her best response is an upper envelope of lines and every value an
integral of one: nothing needs to be rounded. The example, with these orders, is that
of Hadfield-Menell et al. (2016).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

__all__ = ["HERS", "HIS", "answer", "envelope", "integral", "optimum", "response"]

HERS = ((0, 2), (1, 1), (2, 0))  # boxes of clips, boxes of staples
HIS = ((0, 90), (50, 50), (90, 0))
HALF = Fraction(1, 2)


def line(*orders):
    """What some orders are worth, as (at θ = 0, at θ = 1)."""
    return sum(Fraction(o[1]) for o in orders), sum(Fraction(o[0]) for o in orders)


def at(one, theta):
    return one[0] * (1 - theta) + one[1] * theta


def envelope(lines) -> list[tuple[Fraction, Fraction, int]]:
    """Which line is highest where: pieces (from, to, which), from 0 to 1.

    Where lines coincide, the first is named.
    """
    ends = {Fraction(0), Fraction(1)}
    for (a0, a1), (b0, b1) in combinations(lines, 2):
        if (a0 - b0) * (a1 - b1) < 0:
            ends.add((a0 - b0) / ((a0 - b0) - (a1 - b1)))
    ends, pieces = sorted(ends), []
    for low, high in zip(ends, ends[1:]):
        middle = (low + high) / 2
        which = max(range(len(lines)), key=lambda i: (at(lines[i], middle), -i))
        if pieces and pieces[-1][2] == which:
            low = pieces.pop()[0]
        pieces.append((low, high, which))
    return pieces


def integral(lines, pieces) -> Fraction:
    """The mean over θ of the line that each piece names."""
    return sum(((high - low) * at(lines[which], (low + high) / 2)
                for low, high, which in pieces), Fraction(0))  # fmt: skip


def combined(answers, hers=HERS, his=HIS):
    """For each order of hers, the worth of it and his answer to it."""
    if len(answers) != len(hers) or not set(answers) <= set(range(len(his))):
        raise ValueError(f"answers is {answers}; give one of 0 to {len(his) - 1} for "
                         f"each of her {len(hers)} orders")
    return [line(order, his[a]) for order, a in zip(hers, answers)]


def response(answers, hers=HERS, his=HIS):
    """Her best response to his answers, as pieces, and what it is worth."""
    lines = combined(answers, hers, his)
    pieces = envelope(lines)
    return pieces, integral(lines, pieces)


def answer(pieces, off_path=HALF, hers=HERS, his=HIS) -> tuple[int, ...]:
    """His best answer to each order, if she orders by these pieces.

    Rewards are linear in θ, so all that counts is the mean of θ given her order.

    Parameters
    ----------
    off_path : Fraction
        The mean of θ that he believes after an order that she never makes. Bayes' rule
        does not say. One half is the prior's.
    """
    answers = []
    for order in range(len(hers)):
        mine = [(low, high) for low, high, which in pieces if which == order]
        weight = sum((high - low for low, high in mine), Fraction(0))
        moment = sum(((high - low) * (low + high) / 2 for low, high in mine), Fraction(0))
        mean = moment / weight if weight else Fraction(off_path)
        answers.append(max(range(len(his)), key=lambda a: (at(line(his[a]), mean), -a)))
    return tuple(answers)


def worth(pieces, answers, hers=HERS, his=HIS) -> Fraction:
    """What a pair of ways to play is worth, best or not."""
    return integral(combined(answers, hers, his), pieces)


def optimum(hers=HERS, his=HIS):
    """The best of all his ways to answer, with her best response to each."""
    every = product(range(len(his)), repeat=len(hers))
    return max((response(a, hers, his)[1], a) for a in every)


def literal(hers=HERS):
    """Her orders if she thinks of her own shelf alone."""
    return envelope([line(order) for order in hers])


def informed(hers=HERS, his=HIS) -> Fraction:
    """The value if Rollo knew θ as well."""
    lines = [line(a, b) for a, b in product(hers, his)]
    return integral(lines, envelope(lines))


def deaf(hers=HERS, his=HIS) -> Fraction:
    """The value if he gives the same answer whatever she orders."""
    return max(response((a,) * len(hers), hers, his)[1] for a in range(len(his)))
