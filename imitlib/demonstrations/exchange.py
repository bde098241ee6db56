"""Demonstrations to and from Minari, the field's format for recorded behaviour.

Minari is optional and looked for only when it is needed. It keeps its data sets in a
folder: the one given, else $MINARI_DATASETS_PATH, else its own default.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager

import numpy as np

from imitlib.demonstrations.pairs import Demonstrations

__all__ = ["from_minari", "to_minari"]


def to_minari(demos: Demonstrations, name: str, folder=None):
    """Write a local Minari data set, `name` like "street/rollo-v0"; return it.

    Minari wants the observation after the last action, which demonstrations do not
    have: the last one is repeated. Rewards that are missing are written as NaN.
    """
    from gymnasium.spaces import Box, Discrete

    seen, done = demos.observations, demos.actions
    if done.ndim == 1:
        start = min(int(done.min()), 0)
        action_space = Discrete(int(done.max()) - start + 1, start=start)
    else:
        action_space = Box(-np.inf, np.inf, done.shape[1:], done.dtype)
    floats = seen.dtype.kind == "f"
    low, high = (-np.inf, np.inf) if floats else (seen.min(), seen.max())
    rewards = np.full(len(demos), np.nan) if demos.rewards is None else demos.rewards
    with _minari(folder) as minari:
        buffers = []
        for episode in range(demos.n_episodes):
            rows = np.flatnonzero(demos.episodes == episode)
            buffers.append(minari.data_collector.EpisodeBuffer(
                id=episode, observations=seen[[*rows, rows[-1]]], actions=done[rows],
                rewards=rewards[rows], terminations=np.zeros(len(rows), dtype=bool),
                truncations=rows == rows[-1]))
        return minari.create_dataset_from_buffers(
            name, buffers, action_space=action_space, jpeg_encoding=False,
            observation_space=Box(low, high, seen.shape[1:], seen.dtype))


def from_minari(dataset, folder=None) -> Demonstrations:
    """Read a local Minari data set, given itself or its name; nothing is downloaded.

    The observation after the last action of each episode is left out; rewards that
    are all NaN are none.

    Raises
    ------
    ValueError, TypeError
        There is no such data set, it is damaged or empty, or its observations or
        actions are not plain arrays.
    """
    with _minari(folder) as minari:
        if isinstance(dataset, str):
            if dataset not in minari.list_local_datasets():
                raise ValueError(f"dataset is {dataset!r}; the folder holds "
                                 f"{sorted(minari.list_local_datasets())}")
            dataset = minari.load_dataset(dataset)
        try:
            parts = [_part(i, e) for i, e in enumerate(dataset.iterate_episodes())]
        except (OSError, KeyError, RuntimeError) as error:  # what a torn HDF5 raises
            raise ValueError(f"dataset cannot be read: {error}") from error
    if not parts:
        raise ValueError("dataset is empty: it holds no episode")
    seen, done, episodes, rewards = map(np.concatenate, zip(*parts, strict=True))
    return Demonstrations(seen, done, episodes,
                          None if np.isnan(rewards).all() else rewards)


def _part(number: int, episode):
    """Observations, actions, episode numbers and rewards of one Minari episode."""
    seen, done = episode.observations, episode.actions
    for name, array in (("observations", seen), ("actions", done)):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"the {name} of dataset are {type(array).__name__}; "
                            "only plain arrays can be read")
    n = len(done)
    if n == 0 or (len(seen), len(episode.rewards)) != (n + 1, n):
        raise ValueError(f"episode {number} of dataset has {len(seen)} observations, "
                         f"{n} actions and {len(episode.rewards)} rewards; it must "
                         "have n + 1, n and n, with n at least 1")
    return seen[:-1], done, np.full(n, number), np.asarray(episode.rewards, float)


@contextmanager
def _minari(folder):
    """The package, looking at `folder` for as long as it is in use."""
    try:
        import minari
    except ImportError as error:
        raise ImportError("Minari is not installed: pip install 'minari[hdf5]'") from error
    before = os.environ.get("MINARI_DATASETS_PATH")
    if folder is not None:
        os.environ["MINARI_DATASETS_PATH"] = str(folder)
    try:
        with warnings.catch_warnings():  # it asks for authors, links and licences
            warnings.filterwarnings("ignore", category=UserWarning, module="minari")
            yield minari
    finally:
        if folder is not None:
            os.environ.pop("MINARI_DATASETS_PATH")
            if before is not None:
                os.environ["MINARI_DATASETS_PATH"] = before
