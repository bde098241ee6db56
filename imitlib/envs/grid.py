r"""Grid worlds, drawn in text: walls, streets, and signs that pay or end the story.

    S..G        from S to G, past the hole H
    .#.H

A move leads to the next cell, or nowhere if there is a wall. With probability `slip`
it goes astray, to the left or to the right of where it was meant to go, each as often:
the grid world of Russell and Norvig (2010, section 17.1; slip 0.2), and with slip 2/3
the frozen lake of Gymnasium.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse

from imitlib.envs.tabular import TabularEnv
from imitlib.mdp import MDP

__all__ = ["MOVES", "GridEnv", "GridWorld", "four_by_three", "neighbours", "numbered",
           "open_grid", "read_map"]

MOVES = ("north", "east", "south", "west", "wait")
OFFSETS = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])  # (row, column), rows downwards
WALL = "#"


@dataclass(frozen=True)
class GridWorld:
    r"""A grid world. States are the cells that are no wall, row by row.

    Entering a cell pays what its sign is worth; a bump or a wait enters nothing. So
    with :math:`w` the worth of a cell, and 0 in a cell that ends the story,

    .. math:: r(s, a) = \text{step} + \sum_{s' \ne s} P(s' \mid s, a)\, w(s').

    Attributes
    ----------
    map : str
        Rows of text of one length; `#` is wall, every other sign a cell.
    rewards : mapping from sign to float
        What entering a cell with this sign pays; 0 for signs that are not named.
    ends : str
        Signs of cells that end the story: they cannot be left, and pay nothing more.
    step : float
        Paid for every step, bumps and waits too; a cost is negative.
    slip : float
        In [0, 1]: chance that a step goes astray, half of it to either side. A wait
        never does.
    wait : bool
        Whether there is a fifth action that stays.
    start : str or (int, int)
        A sign (drawn evenly among its cells), a cell (row, column), or "anywhere":
        evenly among all cells that do not end the story.

    Raises
    ------
    ValueError
        For ragged or empty maps, signs and cells that are not on the map, and numbers
        out of range.

    Examples
    --------
    >>> world = GridWorld("S..G", rewards={"G": 1.0}, ends="G")
    >>> world.mdp(discount=0.9)
    MDP(4 states, 4 actions, deterministic, discount 0.9)
    """

    map: str
    rewards: Mapping[str, float] = field(default_factory=dict)
    ends: str = ""
    step: float = 0.0
    slip: float = 0.0
    wait: bool = False
    start: str | tuple[int, int] = "S"

    def __post_init__(self):
        present = set(self.board.ravel().tolist()) - {WALL}
        if not present:
            raise ValueError("map has no cell; every cell of it is a wall")
        for name, signs in (("rewards", self.rewards), ("ends", self.ends)):
            for sign in signs:
                if sign not in present:
                    raise ValueError(f"{name} names the sign {sign!r}; the map has "
                                     f"{''.join(sorted(present))!r}")
        numbers = {f"rewards[{k!r}]": v for k, v in self.rewards.items()}
        for name, value in {**numbers, "step": self.step}.items():
            if not np.isfinite(value):
                raise ValueError(f"{name} is {value}; it must be finite")
        if not 0 <= self.slip <= 1:
            raise ValueError(f"slip is {self.slip}; it must lie in [0, 1]")
        if not self._starts.any():
            raise ValueError(f"start is {self.start!r}; it must be a sign of the map "
                             f"({''.join(sorted(present))!r}), a cell (row, column) "
                             "that is no wall, or 'anywhere'")

    @cached_property
    def board(self) -> np.ndarray:
        """The map as an array of signs, (rows, columns)."""
        return read_map(self.map)

    @cached_property
    def cells(self) -> np.ndarray:
        """Row and column of each state, (S, 2)."""
        return np.argwhere(self.board != WALL)

    @property
    def n_states(self) -> int:
        """S: cells that are no wall."""
        return len(self.cells)

    @property
    def moves(self) -> tuple[str, ...]:
        """Names of the actions."""
        return MOVES if self.wait else MOVES[:4]

    @cached_property
    def signs(self) -> np.ndarray:
        """The sign of each state, (S,)."""
        return self.board[tuple(self.cells.T)]

    @cached_property
    def ending(self) -> np.ndarray:
        """Which states end the story, (S,) bool."""
        return np.isin(self.signs, list(self.ends))

    @cached_property
    def _numbers(self):
        """The state of each cell, (rows, columns); -1 where there is a wall."""
        return numbered(self.board != WALL)

    @property
    def _starts(self):
        if isinstance(self.start, str):
            return ~self.ending if self.start == "anywhere" else self.signs == self.start
        if len(self.start) != 2:
            raise ValueError(f"start is {self.start}; a cell is (row, column)")
        return (self.cells == np.asarray(self.start)).all(axis=1)

    def cell(self, state: int) -> tuple[int, int]:
        """Where a state is: (row, column)."""
        if not 0 <= state < self.n_states:
            raise ValueError(f"state is {state}; legal are 0 ... {self.n_states - 1}")
        return tuple(int(i) for i in self.cells[state])

    def state(self, cell: tuple[int, int]) -> int:
        """The state in a cell (row, column)."""
        inside = all(0 <= i < n for i, n in zip(cell, self.board.shape))
        if not inside or self._numbers[tuple(cell)] < 0:
            raise ValueError(f"cell is {tuple(cell)}; it must be a cell of the map, "
                             "(row, column), that is no wall")
        return int(self._numbers[tuple(cell)])

    def mdp(self, discount: float) -> MDP:
        """This world as an `MDP`: a table of successors if nothing slips."""
        here = np.arange(self.n_states)
        ahead = neighbours(self._numbers)  # (S, 4), its own number where it bumps
        ahead[self.ending] = here[self.ending, None]
        # The moves go round clockwise: left of each is the column before, right the next.
        left, right = np.roll(ahead, 1, axis=1), np.roll(ahead, -1, axis=1)
        outcomes = np.stack([ahead, left, right], axis=2)  # (S, A, 3)
        chances = np.array([1 - self.slip, self.slip / 2, self.slip / 2])
        if self.wait:
            stays = np.broadcast_to(here[:, None, None], (self.n_states, 1, 3))
            outcomes = np.concatenate([outcomes, stays], axis=1)
        worth = np.zeros(self.n_states)
        for sign, pays in self.rewards.items():
            worth[self.signs == sign] = pays
        enters = outcomes != here[:, None, None]
        reward = self.step + (enters * worth[outcomes]) @ chances
        reward[self.ending] = 0.0
        start = self._starts / self._starts.sum()
        if self.slip == 0:
            return MDP(outcomes[..., 0], reward, discount, start)
        rows = reward.size
        matrix = sparse.csr_array(
            (np.tile(chances, rows), outcomes.ravel(), 3 * np.arange(rows + 1)),
            (rows, self.n_states))
        return MDP(matrix, reward, discount, start)


def read_map(text: str) -> np.ndarray:
    """A map as an array of signs, (rows, columns); an error if its rows differ."""
    rows = text.strip("\n").split("\n")
    widths = {len(row) for row in rows}
    if len(widths) > 1 or widths == {0}:
        raise ValueError(f"map has rows of {sorted(widths)} signs; "
                         "all rows must have one length, of at least 1")
    return np.array(list("".join(rows))).reshape(len(rows), -1)


def numbered(cells: np.ndarray) -> np.ndarray:
    """Counts the True cells of an array row by row, from 0; -1 stands elsewhere."""
    return np.where(cells, np.cumsum(cells).reshape(cells.shape) - 1, -1)


def neighbours(numbers: np.ndarray) -> np.ndarray:
    """The number next to each cell, north, east, south, west: (S, 4).

    `numbers` (rows, columns) counts the cells row by row and is -1 where nobody can
    go. A step that cannot be taken leads back to where it began.
    """
    rows, columns = np.nonzero(numbers >= 0)
    framed = np.pad(numbers, 1, constant_values=-1)
    ahead = np.stack(
        [framed[rows + 1 + r, columns + 1 + c] for r, c in OFFSETS], axis=1)
    return np.where(ahead < 0, numbers[rows, columns][:, None], ahead)


def open_grid(height: int, width: int | None = None, **rules) -> GridWorld:
    """A field without walls: S in the north-west corner, G, worth 1, in the south-east.

    `rules` are `GridWorld`'s, and come before these.
    """
    width = height if width is None else width
    if height < 1 or width < 1 or height * width < 2:
        raise ValueError(f"height and width are {height} and {width}; "
                         "there must be two cells at least")
    board = np.full((height, width), ".")
    board[0, 0], board[-1, -1] = "S", "G"
    text = "\n".join("".join(row) for row in board)
    return GridWorld(text, **({"rewards": {"G": 1.0}, "ends": "G"} | rules))


def four_by_three() -> GridWorld:
    """The grid world of Russell and Norvig (2010, figure 17.1), every step a cost."""
    return GridWorld("...G\n.#.H\nS...", rewards={"G": 1.0, "H": -1.0}, ends="GH",
                     step=-0.04, slip=0.2)


class GridEnv(TabularEnv):
    """A grid world as a Gymnasium environment, registered as ``imitlib/Grid-v0``.

    Parameters
    ----------
    world : GridWorld, optional
        The textbook's four by three if not given.
    horizon : int, optional
        Steps after which an episode is truncated.
    render_mode : "rgb_array", optional
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, world: GridWorld | None = None, horizon: int | None = 100,
                 render_mode: str | None = None):
        self.world = world or four_by_three()
        super().__init__(self.world.mdp(discount=1.0), horizon, render_mode)

    def render(self):
        """The world and who walks in it, uint8 (height, width, 3)."""
        if self.render_mode != "rgb_array":
            return None
        from imitlib.envs import grid_picture

        return grid_picture.rgb(self.world, self.world.cell(self._state))
