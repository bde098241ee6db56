r"""Street plans: small mazes with one goal, made by the hundred.

    ########
    #..#...#        `#` is a house, `.` is street, `G` is where she wants to go;
    #.##.#.#        the border is walled, so that nobody walks off the plan
    #....#G#
    ########

Many plans of one size are held as arrays, the plan first: (N, rows, columns).
`maze_makers` makes them; `hardness` says in numbers what a set of plans asks for.

The actions are north, east, south, west, 0 to 3, as in `envs.grid`; a step into a house
leads nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np

from imitlib.envs.grid import OFFSETS, read_map

__all__ = ["Hardness", "Mazes", "Walks", "ahead", "hardness", "read_plan", "walk"]


@dataclass(frozen=True, eq=False)
class Mazes:
    """Street plans of one size, each with one goal.

    Attributes
    ----------
    walls : (N, rows, columns) bool
        The border of each plan is wall.
    goals : (N, 2) int
        Row and column; never a wall. A goal may be walled in: then nothing reaches it,
        and `starts` says so.

    Raises
    ------
    ValueError
        For other shapes, a gap in a border, and a goal on a wall or off the plan.
    """

    walls: np.ndarray
    goals: np.ndarray

    def __post_init__(self):
        walls, goals = np.asarray(self.walls, bool), np.asarray(self.goals)
        if walls.ndim != 3 or min(walls.shape) < 1 or min(walls.shape[1:]) < 3:
            raise ValueError(f"walls has shape {walls.shape}; it must be (N, rows, "
                             "columns) with at least 3 rows and 3 columns")
        if goals.shape != (len(walls), 2) or goals.dtype.kind not in "iu":
            raise ValueError(f"goals is {goals.dtype} of shape {goals.shape}; it must "
                             f"be whole numbers of shape {(len(walls), 2)}")
        border = np.ones(walls.shape[1:], bool)
        border[1:-1, 1:-1] = False
        if not walls[:, border].all():
            raise ValueError("walls leaves a gap in the border of plan "
                             f"{int((~walls[:, border]).any(1).argmax())}; all of it "
                             "must be wall")
        for n, (row, column) in enumerate(goals):
            inside = 0 <= row < walls.shape[1] and 0 <= column < walls.shape[2]
            if not inside or walls[n, row, column]:
                raise ValueError(f"goals[{n}] is ({row}, {column}); it must be a cell "
                                 "of its plan that is no wall")
        object.__setattr__(self, "walls", walls)
        object.__setattr__(self, "goals", goals)

    def __len__(self) -> int:
        return len(self.walls)

    def __getitem__(self, rows) -> Mazes:
        """Some of the plans: a slice or a list; for one, ``mazes[3:4]``."""
        return Mazes(self.walls[rows], self.goals[rows])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.walls.shape[1:]

    @cached_property
    def goal_map(self) -> np.ndarray:
        """Where the goal is, (N, rows, columns) bool."""
        here = np.zeros(self.walls.shape, bool)
        here[np.arange(len(self)), *self.goals.T] = True
        return here

    @cached_property
    def distances(self) -> np.ndarray:
        """Steps of the shortest way to the goal, (N, rows, columns); -1 for no way."""
        reached, steps = self.goal_map.copy(), np.where(self.goal_map, 0, -1)
        for step in count(1):
            ring = ahead(reached).any(0) & ~reached & ~self.walls
            if not ring.any():
                return steps
            steps[ring] = step
            reached |= ring

    @property
    def open(self) -> np.ndarray:
        """Cells from which the goal can be reached, without it: where one may start."""
        return self.distances > 0

    def in_view(self, radius: int) -> np.ndarray:
        r"""Cells whose receptive field of a radius holds the goal, (N, rows, columns).

        .. math:: \max(|\Delta \text{row}|, |\Delta \text{column}|) \le R

        A layer of 3×3 weights looks one cell further: L of them have R = L.
        """
        if radius < 0:
            raise ValueError(f"radius is {radius}; it must be 0 or more")
        rows, columns = np.indices(self.shape)
        goal = self.goals[:, :, None, None]
        return np.maximum(abs(rows - goal[:, 0]), abs(columns - goal[:, 1])) <= radius

    def starts(self, k: int, rng: np.random.Generator) -> np.ndarray:
        """For each plan k cells drawn evenly among the `open` ones, (N, k, 2).

        Raises
        ------
        ValueError
            If the goal of a plan cannot be reached from anywhere.
        """
        if k < 1:
            raise ValueError(f"k is {k}; it must be at least 1")
        choice = np.empty((len(self), k, 2), int)
        for n, cells in enumerate(self.open):
            if not cells.any():
                raise ValueError(f"goals[{n}] is {tuple(self.goals[n].tolist())}, and "
                                 "no cell has a way to it; there is nowhere to start")
            choice[n] = rng.permutation(np.argwhere(cells))[np.arange(k) % cells.sum()]
        return choice

    def turned(self, quarters: int = 0, mirror: bool = False) -> Mazes:
        """The same plans turned left by quarters, perhaps mirrored left to right."""
        walls, goal = (np.rot90(x, quarters, axes=(1, 2))[:, :, ::-1 if mirror else 1]
                       for x in (self.walls, self.goal_map))
        return Mazes(walls, np.argwhere(goal)[:, 1:])

    def joined(self, other: Mazes) -> Mazes:
        """These plans, then others of the same size."""
        return Mazes(np.concatenate([self.walls, other.walls]),
                     np.concatenate([self.goals, other.goals]))

    def text(self, n: int) -> str:
        """One plan as `read_plan` reads it."""
        signs = np.where(self.walls[n], "#", ".")
        signs[tuple(self.goals[n])] = "G"
        return "\n".join("".join(row) for row in signs)


def ahead(maps: np.ndarray) -> np.ndarray:
    """What stands north, east, south, west of each cell: (4, N, rows, columns).

    On the border this wraps round the plan; the border is wall, so nobody is there.
    """
    return np.stack([np.roll(maps, (-r, -c), axis=(1, 2)) for r, c in OFFSETS])


def read_plan(text: str) -> Mazes:
    """A drawn plan; where its border has a gap, a border of walls is put round it.

    Raises
    ------
    ValueError
        For ragged rows, signs other than `#`, `.`, `G`, and not exactly one `G`.
    """
    board = read_map(text)
    if extra := set(board.ravel().tolist()) - set("#.G"):
        raise ValueError(f"text has the sign {min(extra)!r}; legal are '#', '.', 'G'")
    if (board == "G").sum() != 1:
        raise ValueError(f"text has {(board == 'G').sum()} goals 'G'; it must have one")
    rim = np.concatenate([board[0], board[-1], board[:, 0], board[:, -1]])
    if (rim != "#").any():
        board = np.pad(board, 1, constant_values="#")
    return Mazes((board == "#")[None], np.argwhere(board == "G"))


@dataclass(frozen=True)
class Hardness:
    """What a set of plans asks of who walks in it.

    Attributes
    ----------
    wall : float
        Share of inner cells that are wall.
    open : float
        Share of free cells from which there is a way to the goal.
    mean_steps, most_steps : float, int
        Of the shortest ways from the open cells.
    detour : float
        Steps over the steps there would be without walls, mean over open cells.
    ties : float
        Share of open cells with more than one best action.
    in_view : float
        Share of open cells with the goal in a receptive field of the radius asked for.
    """

    wall: float
    open: float
    mean_steps: float
    most_steps: int
    detour: float
    ties: float
    in_view: float


def hardness(mazes: Mazes, radius: int = 6) -> Hardness:
    """Measures how hard plans are; radius 6 is what six 3×3 layers see."""
    cells, steps = mazes.open, mazes.distances
    best = ((ahead(steps) == steps - 1) & ~ahead(mazes.walls)).sum(0)
    n, rows, columns = np.nonzero(cells)
    crow = abs(np.stack([rows, columns], axis=1) - mazes.goals[n]).sum(1)
    return Hardness(
        float(mazes.walls[:, 1:-1, 1:-1].mean()),
        float((steps >= 0).sum() / (~mazes.walls).sum()),
        float(steps[cells].mean()), int(steps.max()),
        float((steps[cells] / crow).mean()), float((best[cells] > 1).mean()),
        float(mazes.in_view(radius)[cells].mean()))


@dataclass(frozen=True, eq=False)
class Walks:
    """Where walkers came.

    Attributes
    ----------
    reached : (N, k) bool
        Whether the goal was reached.
    steps : (N, k) int
        Steps made; the cap for those that did not arrive.
    """

    reached: np.ndarray
    steps: np.ndarray


def walk(mazes: Mazes, actions, starts, *, cap: int | None = None, rng=None) -> Walks:
    """Follow a map of actions from k starts in each plan, until the goal or the cap.

    Parameters
    ----------
    actions : (N, rows, columns) int
        0 to 3; any other number means that the map says nothing there.
    starts : (N, k, 2) int
        A start without a way to the goal is legal, and never arrives.
    cap : int, optional
        Else as many as the plan has cells: no walk by a map needs more.
    rng : numpy.random.Generator, optional
        Where the map says nothing the walker takes a random step; without `rng`, waits.
    """
    actions, starts = np.asarray(actions), np.asarray(starts)
    if actions.shape != mazes.walls.shape:
        raise ValueError(f"actions has shape {actions.shape}; it must be "
                         f"{mazes.walls.shape}")
    n, k = _on_street(mazes, starts).shape[:2]
    cap, plan = int(np.prod(mazes.shape)) if cap is None else cap, np.arange(n)[:, None]
    row, column = starts[..., 0].copy(), starts[..., 1].copy()
    steps = np.full((n, k), cap)
    for step in range(cap + 1):
        there = mazes.goal_map[plan, row, column]
        steps[there & (steps > step)] = step
        if there.all() or step == cap:
            return Walks(there, steps)
        action = actions[plan, row, column]
        silent = (action < 0) | (action > 3)
        if rng is not None:
            action = np.where(silent, rng.integers(4, size=(n, k)), action)
            silent[:] = False
        move = OFFSETS[np.where(silent, 0, action)] * ~(silent | there)[..., None]
        free = ~mazes.walls[plan, row + move[..., 0], column + move[..., 1]]
        row, column = row + move[..., 0] * free, column + move[..., 1] * free


def _on_street(mazes: Mazes, starts: np.ndarray) -> np.ndarray:
    """The starts, refused if one is a wall or off the plan."""
    if starts.ndim != 3 or len(starts) != len(mazes) or starts.shape[2] != 2:
        raise ValueError(f"starts has shape {starts.shape}; it must be "
                         f"({len(mazes)}, k, 2)")
    for n, k in np.ndindex(starts.shape[:2]):
        cell = starts[n, k]
        inside = (cell >= 0).all() and (cell < mazes.shape).all()
        if not inside or mazes.walls[n, *cell]:
            raise ValueError(f"starts[{n}, {k}] is {tuple(cell.tolist())}; it must be "
                             "a cell of its plan that is no wall")
    return starts
