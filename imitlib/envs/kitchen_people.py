"""Sixty-six games by pairs of real people, step by step.

The data ship with the book (`imitlib/data/kitchen_human_play.npz`; notice in
`KITCHEN_LICENSE.txt`).  Each row is one moment: what the kitchen looked like,
what both people pressed, and whether a soup went out.

Source: Carroll et al. (2019), "On the Utility of Learning about Humans for
Human-AI Coordination", NeurIPS.
"""

from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path

import numpy as np

from imitlib.envs.kitchen import (
    DISH,
    FULL_POT,
    HEIGHT,
    LAYOUTS,
    REWARD_PER_SOUP,
    SOUP,
    WIDTH,
    Kitchen,
    State,
)

UNFINISHED = (SOUP + 100, SOUP + 200)  # one or two onions, not cooking yet

# name: (shape after the row axis, smallest, largest legal value)
_COLUMNS = {
    "game": ((), 0, 32767),
    "layout": ((), 0, 4),
    "test": ((), 0, 1),
    "t": ((), 0, 32767),
    "position": ((2, 2), 0, WIDTH - 1),
    "facing": ((2,), 0, 3),
    "held": ((2,), 0, 32767),
    "objects": ((HEIGHT, WIDTH), 0, 32767),
    "action": ((2,), 0, 5),
    "reward": ((), 0, 10),
}


@dataclass(frozen=True)
class HumanPlay:
    """Recorded games, one row per step; rows of a game are contiguous.

    Attributes
    ----------
    game, layout, t : (N,) int, which game, which layout, which step of the game.
    test : (N,) bool, the published split into training and test games.
    position, facing, held, objects : the state, as in `State`.
    action : (N, 2) int, what the two people pressed.
    reward : (N,) int, 5 per soup served.
    """

    game: np.ndarray
    layout: np.ndarray
    test: np.ndarray
    t: np.ndarray
    position: np.ndarray
    facing: np.ndarray
    held: np.ndarray
    objects: np.ndarray
    action: np.ndarray
    reward: np.ndarray

    def __len__(self):
        return len(self.game)

    @property
    def state(self):
        """The N moments as one `State`."""
        return State(self.position, self.facing, self.held, self.objects)

    def rows(self, keep):
        """The chosen rows, a mask or an index array, as another `HumanPlay`."""
        return HumanPlay(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def of(self, layout, test=None):
        """The games of one layout; `test` picks the published split's side."""
        number = list(LAYOUTS).index(Kitchen(layout).layout)
        keep = self.layout == number
        return self.rows(keep if test is None else keep & (self.test == test))

    def soups(self):
        """(games,): soups served in each game, in the order of the games."""
        _, row = np.unique(self.game, return_inverse=True)
        return np.bincount(row, self.reward) / REWARD_PER_SOUP


def load_human_play(path=None):
    """Read and check the recorded games; `path` defaults to the book's own file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not an .npz archive, needs pickle, lacks a column, or holds a
        wrong shape, type, value or order; nothing is half-loaded.
    """
    if path is None:
        path = files("imitlib") / "data" / "kitchen_human_play.npz"
    path = Path(str(path))
    try:
        with np.load(path, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged archive fails in a dozen ways
        raise ValueError(f"{path.name} is not a readable .npz file: {error}") from error
    missing = {*_COLUMNS, "layout_names", "layout_maps"} - {*columns}
    if missing:
        raise ValueError(f"{path.name} lacks {', '.join(sorted(missing))}")
    _check(columns)
    play = {name: columns[name] for name in _COLUMNS}
    for column in play.values():
        column.flags.writeable = False
    return HumanPlay(**{**play, "test": play["test"].astype(bool)})


def _check(columns):
    rows = len(np.atleast_1d(columns["game"]))
    if rows == 0:
        raise ValueError("game is empty; legal: at least one recorded step")
    for name, (shape, low, high) in _COLUMNS.items():
        column = columns[name]
        if column.shape != (rows, *shape):
            raise ValueError(
                f"{name} has shape {column.shape}; legal: {(rows, *shape)}"
            )
        if column.dtype.kind not in "biu":
            raise ValueError(f"{name} has dtype {column.dtype}; legal: integers")
        if column.min() < low or column.max() > high:
            found = f"{column.min()}..{column.max()}"
            raise ValueError(f"{name} ranges over {found}; legal: {low}..{high}")
    for name in ("held", "objects"):
        code = np.unique(columns[name])
        small = np.isin(code, (*range(DISH + 1), *UNFINISHED))
        bad = code[~small & (code < FULL_POT)]
        if bad.size:
            raise ValueError(
                f"{name} holds the code {bad[0]}; legal: 0 nothing, 1 onion, 2 dish, "
                "1000 + 100 onions + steps cooked for a soup"
            )
    maps = dict(zip(columns["layout_names"].tolist(), columns["layout_maps"].tolist()))
    if maps != {name: text.strip("\n") for name, text in LAYOUTS.items()}:
        raise ValueError(
            "layout_maps differ from the five layouts of imitlib.envs.kitchen"
        )
    game, t = columns["game"].astype(int), columns["t"].astype(int)
    first = np.r_[True, game[1:] != game[:-1]]
    begins = np.flatnonzero(first)[np.cumsum(first) - 1]
    if (np.diff(game) < 0).any() or (t != np.arange(rows) - begins).any():
        raise ValueError(
            "game or t is out of order; legal: game by game, t = 0, 1, ..."
        )
    for number, name in enumerate(LAYOUTS):
        x, y = np.moveaxis(columns["position"][columns["layout"] == number], -1, 0)
        if (y >= HEIGHT).any() or not Kitchen(name).floor[y, x].all():
            raise ValueError(f"position leaves the floor of {name}")


def mismatches(play):
    """(steps,) bool: where the rules do not lead to what was recorded.

    One entry for every row: its reward, and (unless a game ends there) the state in
    the next row, are compared with what `Kitchen.step` makes of the row's actions.
    """
    wrong = np.zeros(len(play), bool)
    for number in np.unique(play.layout):
        rows = np.flatnonzero(play.layout == number)
        kitchen = Kitchen(list(LAYOUTS)[number])
        made, reward = kitchen.step(play.state[rows], play.action[rows])
        wrong[rows] = reward != play.reward[rows]
        goes_on = play.game[np.minimum(rows + 1, len(play) - 1)] == play.game[rows]
        goes_on &= rows + 1 < len(play)
        before = rows[goes_on]
        for name in ("position", "facing", "held", "objects"):
            same = getattr(made, name)[goes_on] == getattr(play, name)[before + 1]
            wrong[before] |= ~same.all(axis=tuple(range(1, same.ndim)))
    return wrong
