"""Loaf Street as a map, and the smallest possible clone: a lookup table.

The script of the front page plays the same rules; a test holds the two together.
"""

from __future__ import annotations

from collections import deque

from imitlib.envs.town_map import LOAF_STREET

MAP = LOAF_STREET
ROWS = MAP.split("\n")
MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
Cell = tuple[int, int]
CELLS: dict[Cell, str] = {
    (r, c): sign for r, row in enumerate(ROWS) for c, sign in enumerate(row)
}
BAKERY: Cell = next(cell for cell, sign in CELLS.items() if sign == "B")
DOORS: dict[str, Cell] = {sign: cell for cell, sign in CELLS.items() if sign in "123"}


def neighbour(cell: Cell, move: str) -> Cell:
    return cell[0] + MOVES[move][0], cell[1] + MOVES[move][1]


def is_open(cell: Cell, dug: Cell | None = None) -> bool:
    return CELLS.get(cell, "#") != "#" and cell != dug


def way(start: Cell, goal: Cell, closed: frozenset = frozenset()) -> list[Cell] | None:
    """A shortest walk from start to goal that enters no closed cell; None without one."""
    came, queue = {start: None}, deque([start])
    while queue:
        cell = queue.popleft()
        if cell == goal:
            walk = [cell]
            while came[walk[-1]] is not None:
                walk.append(came[walk[-1]])
            return walk[::-1]
        for move in MOVES:
            ahead = neighbour(cell, move)
            if is_open(ahead) and ahead not in closed and ahead not in came:
                came[ahead] = cell
                queue.append(ahead)
    return None


def round_about(door: Cell, dug: Cell | None = None) -> list[Cell] | None:
    """How Hana would walk: she knows the door, and keeps off the school garden."""
    garden = {cell for cell, sign in CELLS.items() if sign == "*"}
    return way(BAKERY, door, frozenset(garden | {dug}))


def moves_of(walk: list[Cell]) -> list[str]:
    steps = {offset: move for move, offset in MOVES.items()}
    return [
        steps[b[0] - a[0], b[1] - a[1]] for a, b in zip(walk, walk[1:], strict=False)
    ]


def state(cell: Cell, dug: Cell | None = None) -> tuple[Cell, str]:
    """What Rollo sees: its cell, and on which side there is a barrier, if there is one."""
    sides = [move for move in MOVES if neighbour(cell, move) == dug]
    return cell, sides[0] if sides else ""


def clone(walk: list[Cell]) -> dict:
    """Behavioral cloning at its plainest: one line for each state that was shown."""
    return {state(cell): move for cell, move in zip(walk, moves_of(walk), strict=False)}


def drive(
    table: dict, dug: Cell | None = None, patience: int = 3
) -> tuple[list[Cell], bool]:
    """Where the clone goes, and whether it arrives. Without a line, the last move again."""
    cell, last, trail, pushes = BAKERY, None, [BAKERY], 0
    while pushes < patience and cell not in DOORS.values():
        last = table.get(state(cell, dug), last)
        if last is None:
            break
        ahead = neighbour(cell, last)
        if is_open(ahead, dug):
            cell = ahead
            trail.append(cell)
        else:
            pushes += 1
    return trail, cell in DOORS.values()


def where_to_dig(walk: list[Cell]) -> Cell:
    """A street cell of the walk, entered going straight on, that can be walked round.

    The roadworks of the town's own story come first: the top and the bottom street.
    """
    moves = moves_of(walk)
    straight = [
        cell
        for cell, before, now in zip(walk[2:-1], moves, moves[1:], strict=False)
        if before == now and CELLS[cell] == "." and round_about(walk[-1], cell)
    ]
    known = [cell for cell in straight if cell in ((1, 5), (6, 3))]
    return known[0] if known else straight[(len(straight) - 1) // 2]


def routes() -> list[list[Cell]]:
    """Every walk from the bakery to a door that never enters a cell twice."""
    found, stack = [], [[BAKERY]]
    while stack:
        walk = stack.pop()
        if walk[-1] in DOORS.values():
            found.append(walk)
            continue
        ahead = [neighbour(walk[-1], move) for move in MOVES]
        stack += [[*walk, cell] for cell in ahead if is_open(cell) and cell not in walk]
    return found
