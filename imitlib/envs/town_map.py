"""The map of Loaf Street, and what can be read off a map like it."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from imitlib.envs.grid import read_map

__all__ = ["LOAF_STREET", "ROADWORKS", "TownMap"]

LOAF_STREET = """\
###C####
.......1
.#####.#
B.**...2
.#####s#
.#####.#
.......3"""
ROADWORKS = ((1, 5), (6, 3))  # where a barrier may stand: top street, bottom street
SIGNS = "#.BC*s"


class TownMap:
    """Streets, bakery and doors of a town that has a `map` and its `roadworks`."""

    map: str
    roadworks: tuple[tuple[int, int], ...]

    @cached_property
    def board(self) -> np.ndarray:
        """The map as an array of signs, (rows, columns)."""
        return read_map(self.map)

    @cached_property
    def cells(self) -> np.ndarray:
        """Row and column of each cell that is no house, (C, 2)."""
        return np.argwhere(self.board != "#")

    @cached_property
    def signs(self) -> np.ndarray:
        """The sign of each of these cells, (C,)."""
        return self.board[tuple(self.cells.T)]

    @cached_property
    def bakery(self) -> tuple[int, int]:
        """Where the story begins."""
        return self._place("B")

    @cached_property
    def doors(self) -> tuple[tuple[int, int], ...]:
        """The cells of doors 1, 2, ...: door d is in ``doors[d - 1]``."""
        count = sum(sign.isdigit() for sign in self.signs)
        return tuple(self._place(str(i + 1)) for i in range(count))

    def _place(self, sign):
        return tuple(int(i) for i in np.argwhere(self.board == sign)[0])

    def _sign(self, cell):
        rows, columns = self.board.shape
        row, column = cell
        inside = 0 <= row < rows and 0 <= column < columns
        return str(self.board[row, column]) if inside else "#"

    def _number(self, cell):
        """Which of the C cells it is."""
        found = (self.cells == np.asarray(cell)).all(axis=1)
        if not found.any():
            raise ValueError(f"cell is {cell}; it must be a cell (row, column) of the "
                             "map that is no house")
        return int(found.argmax())

    def _check_map(self) -> list[str]:
        """The signs of the doors; an error if the map or a barrier is not legal."""
        signs = self.board.ravel().tolist()
        for sign in set(signs):
            if sign not in SIGNS and sign not in "123456789":
                raise ValueError(f"map has the sign {sign!r}; "
                                 f"legal are {SIGNS} and the doors 1 ... 9")
        if signs.count("B") != 1:
            raise ValueError(f"map has {signs.count('B')} bakeries B; it must have one")
        doors = sorted(sign for sign in signs if sign.isdigit())
        if not doors or doors != [str(i + 1) for i in range(len(doors))]:
            raise ValueError(f"map has the doors {doors}; "
                             "they must be 1, 2, ..., at least one, each once")
        for cell in self.roadworks:
            if len(cell) != 2 or self._sign(cell) not in (".", "s", "*", "C"):
                raise ValueError(f"roadworks names {cell}; a barrier stands on a cell "
                                 "(row, column) of the map, no house, bakery or door")
        return doors
