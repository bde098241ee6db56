r"""Procedures on street plans, written down frame by frame.

A procedure computes where to go by changing a picture of the plan again and again.
Its frames :math:`x_0, x_1, \dots, x_T` are what procedural cloning learns from (Yang,
Schuurmans, Abbeel & Nachum 2022). Three are here, each a step that changes all cells
at once and that looks no further than the cells beside each cell:

`rings`   breadth-first search from the goal: x holds, for every cell that the search
          has come to, the action towards the goal. T is the longest way; the last
          frame answers for every start.
`search`  breadth-first search from the start: x holds the action by which a cell was
          entered; when the goal has been entered, the way is marked back to the start.
          T is twice the way and one; the last frame answers for that start.
`sweeps`  value iteration where steps go astray: x holds numbers, all of them change
          in every frame, and no frontier says where the work is.

Where several actions are as good, the first in a fixed order is written. A queue would
write whichever cell was queued first: as short a way, but a cell's label would then
depend on the far side of the plan (``ties="queue"``, for comparison).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.envs.mazes import Mazes, ahead

__all__ = ["BACKTRACKED", "UNVISITED", "Procedure", "noisy", "path_actions",
           "ring_step", "rings", "search", "search_step", "sweep", "sweeps"]

UNVISITED = 4  # after the four actions
BACKTRACKED = 5  # 5 to 8: entered by action 0 to 3, and found to be on the way


@dataclass(frozen=True, eq=False)
class Procedure:
    """What a procedure wrote.

    Attributes
    ----------
    frames : (N, T + 1, rows, columns)
        int8 labels, or float32 numbers. A plan that is done early repeats its last.
    steps : (N,) int
        After how many steps nothing changed any more.
    actions : (N, rows, columns) int8
        The answer: the action in each cell, `UNVISITED` where there is none.
    """

    frames: np.ndarray
    steps: np.ndarray
    actions: np.ndarray


def _record(first, step) -> tuple[np.ndarray, np.ndarray]:
    """Applies a step until no plan changes: frames (N, T + 1, ...) and steps (N,)."""
    frames, steps = [first], np.zeros(len(first), int)
    while (changed := ((new := step(frames[-1])) != frames[-1]).any((1, 2))).any():
        steps[changed] = len(frames)
        frames.append(new)
    return np.stack(frames, axis=1), steps


# From the goal ----------------------------------------------------------------------


def ring_step(walls, goal, labels, order=(0, 1, 2, 3)) -> np.ndarray:
    """One ring further: a cell beside the goal or a visited cell gets an action to it.

    Parameters
    ----------
    walls, goal : (N, rows, columns) bool
    labels : (N, rows, columns) int8
        0 to 3 or `UNVISITED`; the goal, and walls, stay `UNVISITED`.
    order : permutation of 0 to 3
        Which action is written first where several would do.
    """
    beside = ahead(goal | (labels != UNVISITED))
    new = labels.copy()
    for action in reversed(order):  # the first in order is written last
        here = beside[action] & (labels == UNVISITED) & ~walls & ~goal
        new[here] = action
    return new


def rings(mazes: Mazes, *, ties="fixed", order=(0, 1, 2, 3), rng=None) -> Procedure:
    """Breadth-first search from the goal, a ring of cells in each frame.

    Parameters
    ----------
    ties : {"fixed", "queue", "random"}
        What is written where several actions are best: the first in `order`; the one
        towards the cell that a queue would hold first; any, by chance (needs `rng`).
        All three are shortest ways; only the first is a function of the cells around.

    Notes
    -----
    A goal that is walled in gives one frame, all `UNVISITED`, and 0 steps.
    """
    if sorted(order) != [0, 1, 2, 3]:
        raise ValueError(f"order is {order}; it must hold 0, 1, 2, 3, each once")
    if ties not in ("fixed", "queue", "random"):
        raise ValueError(f"ties is {ties!r}; legal are 'fixed', 'queue', 'random'")
    if ties == "random" and rng is None:
        raise ValueError("rng is None; ties='random' needs a numpy.random.Generator")
    walls, goal, order = mazes.walls, mazes.goal_map, np.array(order)
    # Which of several neighbours a new cell turns to: the one of the lowest rank.
    rank = np.where(goal, 0, -1)

    def step(labels):
        if ties == "fixed":
            return ring_step(walls, goal, labels, order)
        visited = goal | (labels != UNVISITED)
        new = ahead(visited).any(0) & ~visited & ~walls
        score = ahead(rank) if ties == "queue" else rng.random((4, *rank.shape))
        score = np.where(ahead(visited), score, np.inf)
        toward = order[score[order].argmin(0)]
        # Its own place in the queue: by its parent's, then by the parent's direction.
        place = np.argsort(order)[(toward + 2) % 4] + 4 * score.min(0)
        rank[new] = rank.max() + 1 + np.unique(place[new], return_inverse=True)[1]
        return np.where(new, toward, labels).astype(np.int8)

    frames, steps = _record(np.full(walls.shape, UNVISITED, np.int8), step)
    return Procedure(frames, steps, frames[:, -1])


# From the start ---------------------------------------------------------------------


def search_step(walls, goal, start, labels, order=(0, 1, 2, 3)) -> np.ndarray:
    """One step of the search from the start, expanding and backtracking at once.

    A cell that is beside a visited one is *expanded*: it gets the action by which it is
    entered. The goal, once expanded, is *backtracked*, and so is each cell from which a
    backtracked one was entered. The start gets, as its only label, the backtracked
    action that leaves it: the first step of the way.
    """
    visited = (labels != UNVISITED) | start
    beside, then = ahead(visited), ahead(labels)
    new = labels.copy()
    for action in reversed(order):
        # entered by this action: the cell behind, in the opposite direction, is visited
        here = beside[(action + 2) % 4] & ~visited & ~walls
        new[here] = action
    expanded = (labels >= 0) & (labels < UNVISITED)
    onward = [then[a] == BACKTRACKED + a for a in range(4)]
    back = expanded & (goal | np.any(onward, axis=0))
    new[back] = labels[back] + BACKTRACKED
    for action in range(4):
        new[start & (labels == UNVISITED) & onward[action]] = BACKTRACKED + action
    return new


def search(mazes: Mazes, starts, *, order=(0, 1, 2, 3)) -> Procedure:
    """Breadth-first search from one start in each plan, with backtracking.

    Parameters
    ----------
    starts : (N, 2) int

    Raises
    ------
    ValueError
        If a start has no way to the goal, or is the goal.

    Notes
    -----
    A frame in which the start has its label is the last. `actions` holds the steps of
    the one way, `UNVISITED` elsewhere.
    """
    starts = np.asarray(starts)
    if starts.shape != (len(mazes), 2):
        raise ValueError(f"starts has shape {starts.shape}; it must be "
                         f"({len(mazes)}, 2)")
    start = np.zeros(mazes.walls.shape, bool)
    start[np.arange(len(mazes)), *starts.T] = True
    if not (lost := start & ~mazes.open).any():
        def step(labels):
            done = (labels[start] != UNVISITED)[:, None, None]
            new = search_step(mazes.walls, mazes.goal_map, start, labels, order)
            return np.where(done, labels, new)

        frames, steps = _record(np.full(start.shape, UNVISITED, np.int8), step)
        return Procedure(frames, steps, path_actions(frames[:, -1], start))
    n = int(np.argwhere(lost)[0, 0])
    raise ValueError(f"starts[{n}] is {tuple(starts[n].tolist())}; it must be a cell "
                     f"with a way to the goal {tuple(mazes.goals[n].tolist())}, and not "
                     "the goal itself")


def path_actions(labels, start) -> np.ndarray:
    """The steps of the way that a frame of `search` marks, (N, rows, columns)."""
    then, actions = ahead(labels), np.full(labels.shape, UNVISITED, np.int8)
    on_way = (labels >= BACKTRACKED) | start
    for action in reversed(range(4)):
        actions[on_way & (then[action] == BACKTRACKED + action)] = action
    known = start & (labels >= BACKTRACKED)
    actions[known] = labels[known] - BACKTRACKED
    return actions


# Value iteration --------------------------------------------------------------------


def sweep(walls, goal, values, discount=0.95, slip=0.2):
    r"""One sweep of value iteration: new values, and the best actions.

    .. math:: V'(s) = \max_a \sum_{s'} P(s'|s,a)\,\big([s' = \text{goal}]
              + \gamma [s' \ne \text{goal}]\, V(s')\big)

    With probability `slip` a step goes to the left or right, each as often; into
    a wall it stays. That is `envs.grid.GridWorld` with a goal worth 1.
    """
    worth = np.where(goal, 1.0, discount * values)
    lands = np.where(ahead(walls), worth, ahead(worth))
    aside = np.roll(lands, 1, axis=0) + np.roll(lands, -1, axis=0)
    q = (1 - slip) * lands + slip / 2 * aside
    new = np.where(walls | goal, 0.0, q.max(0))
    return new, np.round(q, 9).argmax(0).astype(np.int8)


def sweeps(mazes: Mazes, *, discount=0.95, slip=0.2, tol=1e-3) -> Procedure:
    """Value iteration from zero, a sweep a frame, until nothing moves by `tol`."""
    if not (0 < discount < 1 and 0 <= slip < 1 and tol > 0):
        raise ValueError(f"discount is {discount}, slip {slip}, tol {tol}; legal are "
                         "(0, 1), [0, 1) and positive numbers")
    frames, steps = [np.zeros(mazes.walls.shape)], np.zeros(len(mazes), int)
    while True:
        new, actions = sweep(mazes.walls, mazes.goal_map, frames[-1], discount, slip)
        moved = abs(new - frames[-1]).max((1, 2)) >= tol
        if not moved.any():
            break
        steps[moved] = len(frames)
        frames.append(new)
    return Procedure(np.stack(frames, axis=1).astype(np.float32), steps,
                     np.where(mazes.open, actions, UNVISITED).astype(np.int8))


def noisy(procedure: Procedure, rate: float, rng: np.random.Generator) -> Procedure:
    """The same frames; each action that is written is another one with chance `rate`.

    Each frame errs anew: a sloppy record of a flawless procedure. The answer stays.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}; it must lie in [0, 1]")
    frames = procedure.frames
    if frames.dtype.kind != "i":
        raise TypeError(f"the frames are {frames.dtype}; only labels can be miswritten")
    other = (frames % 5 + rng.integers(1, 4, frames.shape)) % 4 + frames // 5 * 5
    wrong = (frames != UNVISITED) & (rng.random(frames.shape) < rate)
    return Procedure(np.where(wrong, other, frames).astype(np.int8), procedure.steps,
                     procedure.actions)
