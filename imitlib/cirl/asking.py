"""Two kitchens in which Rollo may ask, in the style of Shah et al. (2020).

A question costs something, and the answer comes in the step after it. With
`asks_first`, Rollo is of another kind: it touches nothing until it has its answer.
That is learning a reward first and acting on it afterwards.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from imitlib.cirl.game import Game

__all__ = ["meal_choice", "wormy_apples"]

WAIT = 0


def _made(names, moves, n_human, n_robot, prior, horizon, discount):
    """A game from a list of (state, her action, his action, {next: chance}, worth)."""
    place = {name: i for i, name in enumerate(names)}
    S, goals = len(names), len(prior)
    P = np.zeros((S, n_human, n_robot, S))
    P[..., place["done"]] = 1
    reward = np.zeros((S, n_human, n_robot, goals))
    human, robot = np.zeros((S, n_human), bool), np.zeros((S, n_robot), bool)
    human[place["done"], WAIT] = robot[place["done"], WAIT] = True
    for state, h, a, ahead, worth in moves:
        s = place[state]
        human[s, h] = robot[s, a] = True
        P[s, h, a] = 0
        for name, chance in ahead.items():
            P[s, h, a, place[name]] = chance
        reward[s, h, a] = worth
    return Game(P, reward, prior, horizon, discount, 0, human, robot)


FETCH, ASK, COMPOST, BIN, BAKE = range(1, 6)


def wormy_apples(discount=0.99, cost=0.1, wrong=2.0, clean=0.8, asks_first=False,
                 horizon=6) -> Game:  # fmt: skip
    """An apple for a pie; if it is wormy, the worms must go where Hana wants them.

    Goals: compost or bin, even odds. The pie is worth 2, worms in the wrong place
    -`wrong`, a question -`cost`. The apple is clean with chance `clean`. His actions:
    wait, fetch, ask, compost, bin, bake. Hers: wait, "compost", "bin".
    """
    names = ["nothing", "clean", "wormy", "ready", "nothing?", "wormy?", "nothing!", "done"]
    apple = {"clean": clean, "wormy": 1 - clean}
    moves = [("nothing", WAIT, ASK, {"nothing?": 1}, -cost)]
    if not asks_first:
        moves += [("nothing", WAIT, WAIT, {"nothing": 1}, 0),
                  ("nothing", WAIT, FETCH, apple, 0)]  # fmt: skip
    moves += [("nothing!", WAIT, FETCH, apple, 0)]
    moves += [(f"{at}?", word, WAIT, {ahead: 1}, 0) for word in (1, 2)
              for at, ahead in (("nothing", "nothing!"), ("wormy", "wormy"))]  # fmt: skip
    moves += [
        ("wormy", WAIT, WAIT, {"wormy": 1}, 0),
        ("wormy", WAIT, ASK, {"wormy?": 1}, -cost),
        ("wormy", WAIT, COMPOST, {"ready": 1}, [0, -wrong]),
        ("wormy", WAIT, BIN, {"ready": 1}, [-wrong, 0]),
        ("clean", WAIT, BAKE, {"done": 1}, 2),
        ("ready", WAIT, BAKE, {"done": 1}, 2),
    ]
    return _made(names, moves, 3, 6, [0.5, 0.5], horizon, discount)


DOUGH, QUESTION, APPLE, BERRY = range(1, 5)


def meal_choice(discount=0.97, cost=0.1, opens=0, apple=0.875, wrong=1.0,
                asks_first=False, horizon=10) -> Game:  # fmt: skip
    """Apple pie or blueberry pie, and a Hana who takes no questions before `opens`.

    Goals: apple (chance `apple`) or blueberry. The right pie is worth 2, the wrong one
    -`wrong`, a question -`cost`. His actions: wait, make dough (which either pie
    needs), ask, bake apple, bake blueberry. Hers: wait, "apple", "blueberry".
    """
    asked = ("", "?", "!")  # not yet, asking now, answered
    names = [f"{k} {d}{q}" for k, d, q in product(range(opens + 1), (0, 1), asked)] + ["done"]
    moves = []
    for k, d, q in product(range(opens + 1), (0, 1), asked):
        here, k = f"{k} {d}{q}", min(k + 1, opens)
        if q == "?":
            dough = () if asks_first else ((DOUGH, 1),)
            moves += [(here, word, a, {f"{k} {x}!": 1}, 0) for word in (1, 2)
                      for a, x in ((WAIT, d), *dough)]  # fmt: skip
            continue
        moves += [(here, WAIT, WAIT, {f"{k} {d}{q}": 1}, 0)]
        if q == "" and here.startswith(f"{opens} "):
            moves += [(here, WAIT, QUESTION, {f"{k} {d}?": 1}, -cost)]
        if q == "" and asks_first:
            continue
        moves += [(here, WAIT, DOUGH, {f"{k} 1{q}": 1}, 0)]
        if d:
            moves += [(here, WAIT, APPLE, {"done": 1}, [2, -wrong]),
                      (here, WAIT, BERRY, {"done": 1}, [-wrong, 2])]  # fmt: skip
    return _made(names, moves, 3, 5, [apple, 1 - apple], horizon, discount)
