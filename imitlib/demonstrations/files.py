"""Demonstrations in files: .npz to keep them, .csv to bring your own.

A file is read whole or refused with the reason. Nothing is unpickled, so a file from
a stranger cannot run code.
"""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np

from imitlib.demonstrations.pairs import Demonstrations

__all__ = ["from_csv", "load", "save"]

FORMAT = "imitlib-demonstrations-1"
REQUIRED, OPTIONAL = {"observations", "actions"}, {"episodes", "rewards"}


def save(path, demos: Demonstrations) -> None:
    """Write demonstrations to `path`, a compressed .npz file."""
    rewards = np.empty(0) if demos.rewards is None else demos.rewards
    with open(path, "wb") as file:  # an open file: numpy appends no ".npz" to the name
        np.savez_compressed(
            file, format=np.array(FORMAT), observations=demos.observations,
            actions=demos.actions, episodes=demos.episodes, rewards=rewards)


def load(path) -> Demonstrations:
    """Read a file of `save`, or any .npz that holds `observations` and `actions`.

    Without `episodes` the rows are one episode; without `rewards` there are none.

    Raises
    ------
    ValueError
        The file is damaged, holds pickled objects, or is not of this kind.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no zip archive")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except Exception as error:  # a damaged zip fails in a dozen ways
        raise ValueError(f"{path} is not a readable .npz file: {error}") from error
    version, legal = arrays.pop("format", None), REQUIRED | OPTIONAL
    if version is not None and str(version) != FORMAT:
        raise ValueError(f"{path} has format {str(version)!r}; "
                         f"this version of imitlib reads {FORMAT!r}")
    # `save` writes all four: a file of ours in which one is missing is damaged
    needed = REQUIRED if version is None else legal
    if not needed <= set(arrays) <= legal:
        raise ValueError(f"{path} holds the arrays {sorted(arrays)}; it must hold "
                         f"{sorted(needed)} and nothing beyond {sorted(legal)}")
    arrays.setdefault("episodes", np.zeros(arrays["actions"].shape[:1], dtype=int))
    if "rewards" in arrays and arrays["rewards"].size == 0:
        del arrays["rewards"]
    return _made(path, **arrays)


def from_csv(path, observations, action: str, episode: str | None = None):
    """Read a comma-separated table with a header line, one decision a line.

    Parameters
    ----------
    path : file in UTF-8
    observations : list of str
        The columns that were seen.
    action : str
        The column of what was done. If all of it is whole numbers they are choices,
        else one continuous command.
    episode : str, optional
        A column that changes where a new episode begins; without it all is one.

    Raises
    ------
    ValueError
        Naming the line and the column. No line is skipped unless it is blank.
    """
    if isinstance(observations, str) or not observations:
        raise ValueError(f"observations is {observations!r}; give a list of columns")
    columns = [*observations, action]
    values, episodes, names = [], [], []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, strict=True)
            header = [name.strip() for name in next(lines, [])]
            for name in columns + [episode] * (episode is not None):
                if header.count(name) != 1:
                    raise ValueError(f"{path}, line 1: the column {name!r} must appear "
                                     f"once; the header is {header}")
            for cells in filter(None, lines):
                where = f"{path}, line {lines.line_num}"
                if len(cells) != len(header):
                    raise ValueError(f"{where} has {len(cells)} cells; the header has "
                                     f"{len(header)}")
                row = dict(zip(header, cells, strict=True))
                values.append([_number(row[name], where, name) for name in columns])
                name = row[episode].strip() if episode is not None else ""
                if not names or name != names[-1]:
                    if name in names:
                        raise ValueError(f"{where}: episode {name!r} comes back; the "
                                         "lines of one episode must stand together")
                    names.append(name)
                episodes.append(len(names) - 1)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not comma-separated text: {error}") from error
    if not values:
        raise ValueError(f"{path} is empty: there is no line of data under the header")
    table = np.array(values)
    seen, done = table[:, :-1], table[:, -1]
    whole = np.all(done == np.round(done)) and np.all(np.abs(done) < 2**53)
    return _made(path, observations=seen, episodes=np.array(episodes),
                 actions=done.astype(np.int64) if whole else done[:, None])


def _number(text: str, where: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{where}, column {column!r}: {text!r} is not a finite number")
    return value


def _made(path, **arrays) -> Demonstrations:
    """Demonstrations, or an error that names the file first."""
    try:
        return Demonstrations(**arrays)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error
