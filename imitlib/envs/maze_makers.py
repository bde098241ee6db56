"""Makers of street plans, by the hundred.

`obstacles` puts a house on each inner cell by chance: open, with many shortest ways.
`corridors` digs passages (the depth-first maze that the experiments of Yang et al. 2022
use): long detours, and nearly one way only.
"""

from __future__ import annotations

import numpy as np

from imitlib.envs.grid import OFFSETS
from imitlib.envs.mazes import Mazes

__all__ = ["corridors", "obstacles"]

ATTEMPTS = 1000  # rounds of drawing before `obstacles` gives up


def obstacles(n: int, size, rng: np.random.Generator, p: float = 0.3) -> Mazes:
    """Plans in which each inner cell is a house with chance p, independently.

    The goal is drawn evenly among the free cells. A plan is drawn again unless at least
    half of its free cells, and three of them, have a way to the goal.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns, borders counted.
    p : float
        In [0, 1). From about 0.4 on, plans that pass are few and small-minded; an
        error says so where they hardly occur.
    """
    shape = _shape(n, size)
    if not 0 <= p < 1:
        raise ValueError(f"p is {p}; it must lie in [0, 1)")
    walls, goals, have = [], [], 0
    for _ in range(ATTEMPTS):
        free = np.zeros((n, *shape), bool)
        free[:, 1:-1, 1:-1] = rng.random((n, shape[0] - 2, shape[1] - 2)) >= p
        free = free[free.sum((1, 2)) >= 3]
        if not len(free):
            continue
        tickets = np.where(free, rng.random(free.shape), -1).reshape(len(free), -1)
        drawn = Mazes(~free, np.stack(
            np.unravel_index(tickets.argmax(1), shape), axis=1))
        reach = (drawn.distances >= 0).sum((1, 2))
        passed = np.flatnonzero((reach >= 3) & (2 * reach >= free.sum((1, 2))))
        passed = passed[: n - have]
        walls.append(drawn.walls[passed])
        goals.append(drawn.goals[passed])
        have += len(passed)
        if have == n:
            return Mazes(np.concatenate(walls), np.concatenate(goals))
    raise ValueError(f"p is {p}; of {n * ATTEMPTS} plans only {have} had ways to the "
                     "goal from half of their cells; a smaller p is needed")


def corridors(n: int, size, rng: np.random.Generator, width: int = 1,
              loops: float = 0.1) -> Mazes:
    """Plans of corridors, dug by a walker who never enters a dug cell, and backtracks.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns, borders counted; what is left of whole corridors is wall.
    width : int
        Of a corridor, in cells; the walls between them are one cell thick.
    loops : float
        Chance that a wall between two neighbouring corridors is opened as well. With 0
        the plan is a tree, and every way the only one (for width 1).
    """
    shape = _shape(n, size)
    rows, columns = ((side - 1) // (width + 1) for side in shape)
    if width < 1 or rows * columns < 2:
        raise ValueError(f"width is {width}; it must be at least 1, and two corridors "
                         f"must fit into {shape[0]} rows and {shape[1]} columns")
    if not 0 <= loops <= 1:
        raise ValueError(f"loops is {loops}; it must lie in [0, 1]")
    walls, goals = np.ones((n, *shape), bool), np.empty((n, 2), int)
    for k in range(n):
        seen, trail = np.zeros((rows, columns), bool), [(0, 0)]
        seen[0, 0] = True
        while trail:
            here = trail[-1]
            fresh = [cell for cell in _beside(here, rows, columns) if not seen[cell]]
            if not fresh:
                trail.pop()
                continue
            there = fresh[rng.integers(len(fresh))]
            _dig(walls[k], here, there, width)
            seen[there] = True
            trail.append(there)
        for here in np.ndindex(rows, columns):
            for there in _beside(here, rows, columns):
                if here < there and rng.random() < loops:
                    _dig(walls[k], here, there, width)
        goals[k] = rng.choice(np.argwhere(~walls[k]))
    return Mazes(walls, goals)


def _beside(cell, rows, columns):
    """The cells next to one, of so many rows and columns."""
    beside = (tuple(int(i) for i in cell + offset) for offset in OFFSETS)
    return [(r, c) for r, c in beside if 0 <= r < rows and 0 <= c < columns]


def _dig(walls, here, there, width):
    """Clears two neighbouring macro-cells and the wall between them."""
    (top, left), (bottom, right) = (
        [f(pair) * (width + 1) + 1 for pair in zip(here, there)] for f in (min, max))
    walls[top: bottom + width, left: right + width] = False


def _shape(n, size) -> tuple[int, int]:
    shape = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if n < 1 or len(shape) != 2 or min(shape) < 4:
        raise ValueError(f"n is {n} and size {size}; there must be at least one plan, "
                         "of at least 4 rows and 4 columns")
    return shape
