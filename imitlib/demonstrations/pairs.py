"""Pairs of an observation and an action: the one object that imitation starts from.

A data set of N decisions is three aligned arrays: what was seen before each decision,
what was done, and the episode it belongs to. It is checked once, when it is made, so
that no later line has to wonder about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Demonstrations", "chunk"]


@dataclass(frozen=True, eq=False, repr=False)
class Demonstrations:
    r"""N decisions in order, :math:`D = \{(o_i, a_i)\}_{i=1}^N`.

    Attributes
    ----------
    observations : (N, ...) array of numbers
        What was seen *before* each action. Booleans become 0 and 1.
    actions : (N,) int64 or (N, k) float64
        What was done: the number of a choice, or k continuous commands.
    episodes : (N,) int64
        0, 0, ..., 1, 1, ...: the episode of each row, in order, none left out.
    rewards : (N,) float64, optional
        What each step was worth; cloning never looks at it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, the row, what stood there and what is legal.
    """

    observations: np.ndarray
    actions: np.ndarray
    episodes: np.ndarray
    rewards: np.ndarray | None = None

    def __post_init__(self):
        observations = _numbers("observations", self.observations)
        if observations.ndim == 0 or observations.size == 0:
            raise ValueError(f"observations has shape {observations.shape}; "
                             "it must be (N, ...) with at least one row of one number")
        if observations.dtype == bool:
            observations = observations.astype(np.uint8)
        fields = {"observations": observations,
                  "actions": _actions(self.actions),
                  "episodes": _episodes(self.episodes)}
        if self.rewards is not None:
            fields["rewards"] = _numbers("rewards", self.rewards).astype(np.float64)
            if fields["rewards"].ndim != 1:
                raise ValueError(f"rewards has shape {fields['rewards'].shape}; "
                                 "it must be (N,)")
        for name, array in fields.items():
            if len(array) != len(observations):
                raise ValueError(
                    f"{name} has {len(array)} rows and observations has "
                    f"{len(observations)}; they must have as many, one a decision")
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.actions)

    def __repr__(self) -> str:
        kind = "choices" if self.actions.ndim == 1 else f"{self.actions.shape[1]} floats"
        return (f"Demonstrations({len(self)} decisions in {self.n_episodes} episodes: "
                f"observations {self.observations.shape[1:]}, actions {kind})")

    @property
    def n_episodes(self) -> int:
        """How many episodes there are."""
        return int(self.episodes[-1]) + 1

    def take(self, episodes) -> Demonstrations:
        """The chosen episodes, in their original order, numbered anew from 0."""
        chosen = np.unique(np.asarray(episodes))
        if len(chosen) == 0 or chosen[0] < 0 or chosen[-1] >= self.n_episodes:
            raise ValueError(f"episodes is {episodes}; choose at least one of "
                             f"0 ... {self.n_episodes - 1}")
        rows = np.isin(self.episodes, chosen)
        return Demonstrations(
            self.observations[rows], self.actions[rows],
            np.searchsorted(chosen, self.episodes[rows]),
            None if self.rewards is None else self.rewards[rows])

    def first(self, k: int) -> Demonstrations:
        """The first k episodes."""
        if not 1 <= k <= self.n_episodes:
            raise ValueError(f"k is {k}; it must be 1 ... {self.n_episodes}, "
                             "the number of episodes")
        return self.take(np.arange(k))

    def split(self, fraction: float, rng) -> tuple[Demonstrations, Demonstrations]:
        """(train, held_out): a random `fraction` of the *episodes*, and the others.

        Rows of one episode resemble each other, so whole episodes are held out. Each
        part gets at least one.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction is {fraction}; it must lie between 0 and 1")
        if self.n_episodes < 2:
            raise ValueError("there is 1 episode; a split needs at least 2")
        order = rng.permutation(self.n_episodes)
        cut = int(np.clip(round(fraction * len(order)), 1, len(order) - 1))
        return self.take(order[:cut]), self.take(order[cut:])

    def join(self, other: Demonstrations) -> Demonstrations:
        """These episodes, then the other's; rewards are kept if both have them."""
        for name in ("observations", "actions"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine.shape[1:] != theirs.shape[1:]:
                raise ValueError(f"other.{name} has rows of shape {theirs.shape[1:]}; "
                                 f"they must have shape {mine.shape[1:]}")
        paid = self.rewards is not None and other.rewards is not None
        return Demonstrations(
            np.concatenate([self.observations, other.observations]),
            np.concatenate([self.actions, other.actions]),
            np.concatenate([self.episodes, other.episodes + self.n_episodes]),
            np.concatenate([self.rewards, other.rewards]) if paid else None)

    def returns(self) -> np.ndarray:
        r"""The return of each episode, :math:`\sum_t r_t`, shape (n_episodes,)."""
        if self.rewards is None:
            raise ValueError("rewards is None: these demonstrations carry no rewards")
        return np.bincount(self.episodes, self.rewards)


def chunk(demos: Demonstrations, k: int) -> Demonstrations:
    r"""Replace each action by the next k, :math:`(a_t, \dots, a_{t+k-1})`.

    The actions become (N', k·dim): a row needs k steps inside its episode, so
    N' < N, and episodes shorter than k fall away. Rewards, of single steps, do too.
    For continuous actions (action chunking, Zhao et al. 2023).

    Raises
    ------
    TypeError, ValueError
        Integer actions; k below 1 or above the longest episode.
    """
    if demos.actions.ndim != 2:
        raise TypeError("actions are integers; chunks are made of float actions")
    longest = np.bincount(demos.episodes).max()
    if not 1 <= k <= longest:
        raise ValueError(f"k is {k}; it must be 1 ... {longest}, the longest episode")
    starts = np.arange(len(demos) - k + 1)
    starts = starts[demos.episodes[starts] == demos.episodes[starts + k - 1]]
    windows = demos.actions[starts[:, None] + np.arange(k)].reshape(len(starts), -1)
    _, episodes = np.unique(demos.episodes[starts], return_inverse=True)
    return Demonstrations(demos.observations[starts], windows, episodes)


def _numbers(name: str, values) -> np.ndarray:
    """`values` as an array of finite real numbers, or an error that names the place."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged; every row must have one shape") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; it must hold real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise ValueError(f"{name}{place} is {array[tuple(place)]}; "
                         "every number must be finite")
    return array


def _actions(values) -> np.ndarray:
    array = _numbers("actions", values)
    if array.dtype.kind in "iu" and array.ndim == 1:
        return array.astype(np.int64)
    if array.dtype.kind == "f" and array.ndim == 2 and array.shape[1] > 0:
        return array.astype(np.float64)
    raise ValueError(f"actions has shape {array.shape} of {array.dtype}; it must be (N,) "
                     "integers, numbers of choices, or (N, k) floats, k commands")


def _episodes(values) -> np.ndarray:
    array = _numbers("episodes", values)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise ValueError(f"episodes has shape {array.shape} of {array.dtype}; "
                         "it must be (N,) integers")
    array = array.astype(np.int64)
    if len(array) and array[0] != 0:
        raise ValueError(f"episodes[0] is {array[0]}; the first episode must be 0")
    wrong = np.flatnonzero((np.diff(array) < 0) | (np.diff(array) > 1))
    if len(wrong):
        row = int(wrong[0]) + 1
        raise ValueError(f"episodes[{row}] is {array[row]} after {array[row - 1]}; "
                         "an episode number must stay the same or grow by one")
    return array
