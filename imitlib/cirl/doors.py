"""Loaf Street's three doors: she walks to one of them, and Rollo may follow with the loaf.

Hana goes on foot, to be paid at today's door; Rollo stands at the bakery with the bread
and sees her walk. It may wait, ask, or set off for a door. Every step costs each of them
a fifth until she is there and it has set off. A loaf at the right door is worth ten, less
the steps that Rollo rolls; at a wrong one, nothing, less these steps. The café is shut.

Her best walks to the first two doors begin alike, so a perfect demonstration says little.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imitlib import planning
from imitlib.cirl.game import Game
from imitlib.cirl.solvers import Solution
from imitlib.envs.grid import neighbours, numbered
from imitlib.envs.town import REWARDS, Town

__all__ = ["MOVES", "plain", "speaks_plainly", "three_doors"]

MOVES = ("north", "east", "south", "west", "wait")
WAIT, ASK, GO = 0, 1, 2  # Rollo's; GO + i sets off for the i-th door
STEP, LOAF = REWARDS["true"]["step"], REWARDS["true"]["warm"]


def streets(town: Town) -> list:
    """Where Hana may be, as (row, column): every cell but the café."""
    return [(int(r), int(c)) for r, c in town.cells if town.board[r, c] != "C"]


def three_doors(price=0.1, prior=(1 / 3, 1 / 3, 1 / 3), horizon=12, town=None) -> Game:
    """The morning as a `Game` of no discount.

    States: first Hana's cells, in the order of `streets`; then the same cells once more,
    where Rollo has asked; the last one is that Rollo is gone. Her moves: the five of
    `MOVES`, into streets alone; once asked, she stands and says a door, 0, 1, 2. His: 0
    wait, 1 ask, 2 + i set off for the i-th door. When he is gone, what is left of both
    ways is paid at once.

    Parameters
    ----------
    price : float
        What a question costs beyond the steps that it takes; at least 0.
    prior : (doors,)
        How likely each door is.
    horizon : int
        Steps that Rollo has to set off in.
    town : Town, optional
        With Hana in it; Loaf Street, if not given.

    Raises
    ------
    ValueError
        If the price is below 0, or the prior is none over the town's doors.
    """
    if not 0 <= price < np.inf:
        raise ValueError(f"price is {price}; it must be at least 0")
    town = town or Town("hana")
    cells, doors = streets(town), [tuple(map(int, door)) for door in town.doors]
    at, n, k = {cell: i for i, cell in enumerate(cells)}, len(cells), len(doors)
    if len(prior) != k:
        raise ValueError(f"prior has {len(prior)} entries; the town has {k} doors")
    rest, brings = _ways(town, cells)
    S, gone = 2 * n + 1, 2 * n
    P = np.zeros((S, max(len(MOVES), k), GO + k, S))
    P[..., gone] = 1
    reward = np.zeros((*P.shape[:3], k))
    human, robot = np.zeros(P.shape[:2], bool), np.zeros((S, GO + k), bool)
    human[gone, 0] = robot[gone, WAIT] = True
    beside = neighbours(numbered(town.board != "#"))
    number = {tuple(map(int, cell)): i for i, cell in enumerate(town.cells)}
    for i, cell in enumerate(cells):
        robot[i] = robot[n + i, WAIT] = True
        human[n + i, :k] = True
        P[n + i, :k, WAIT], reward[n + i, :k, WAIT] = np.eye(S)[i], 2 * STEP
        for h, move in enumerate(MOVES):
            there = cell if move == "wait" else town.cells[beside[number[cell], h]]
            there = tuple(map(int, there))
            if there not in at or (there == cell and move != "wait"):
                continue  # a house, or the café
            human[i, h] = True
            j, hers = at[there], np.full(k, STEP)
            hers += REWARDS["true"]["garden"] * (town.board[there] == "*" and there != cell)
            if move == "wait" and cell in doors:
                hers[doors.index(cell)] = 0.0
            for a, on in ((WAIT, j), (ASK, n + j)):
                P[i, h, a] = np.eye(S)[on]
                reward[i, h, a] = hers + STEP - price * (a == ASK)
            reward[i, h, GO:] = hers + rest[:, j] + brings
    return Game(P, reward, prior, horizon, 1.0, at[tuple(map(int, town.bakery))], human, robot)


def _ways(town, cells):
    """What her way from each cell to each door costs, and each delivery for each door."""
    rest, brings = [], []
    for door in range(1, len(town.doors) + 1):
        hers = Town("hana", door, town.map, town.roadworks)
        values = planning.value_iteration(hers.mdp("true")).values
        own = values[[hers.state(cell) for cell in cells]] - LOAF
        own[cells.index(tuple(map(int, town.doors[door - 1])))] = 0.0
        rest.append(own)
        his = Town("rollo", door, town.map, town.roadworks)
        brings.append(planning.value_iteration(his.mdp("true")).values[his.state(town.bakery)])
    wrong = LOAF * (1 - np.eye(len(brings)))
    return np.array(rest), np.array(brings)[:, None] - wrong  # (doors, cells), (GO, doors)


def plain(game: Game) -> np.ndarray:
    """A Hana who walks as if nobody were watching, and says the door when asked, (S, Θ).

    What a step is worth to her is all that she looks at: the way that is left once she
    has made it.
    """
    n = (game.n_states - 1) // 2
    # as Rollo leaves for the first door, what remains of her way is paid at once
    ways = np.where(game.human_may[:, :, None], game.reward[:, :, GO], -np.inf)
    rule = ways.round(9).argmax(axis=1)
    rule[n : 2 * n], rule[2 * n] = np.arange(game.n_goals), 0
    return rule


def speaks_plainly(game: Game, solution: Solution) -> Solution:
    """The same way to play, with a Hana who says the true door when she is asked.

    Words cost the same, and the true one tells all that can be told: nothing is lost.
    A solver takes the first of equal words, which may say another door for one that is
    known already.
    """
    n = (game.n_states - 1) // 2
    rules = solution.rules.copy()
    asked = rules[:, :, n : 2 * n]
    rules[:, :, n : 2 * n] = np.where(asked < 0, -1, np.arange(game.n_goals))
    return replace(solution, rules=rules)
