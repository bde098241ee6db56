r"""A clone at work on plans that it has not seen.

A clone of the answer is asked once. A clone of the procedure is left to itself: its own
frame is put in front of it again,

.. math:: x_{t+1}(i, j) = \arg\max_c\, f_\theta(\text{plan}, x_t)(c, i, j),

until nothing changes. It has no other way of being done.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from imitlib.envs.mazes import Mazes, ahead, walk
from imitlib.pc.procedures import UNVISITED, path_actions
from imitlib.pc.training import LABELS, SEARCH_LABELS, planes

__all__ = ["Run", "Success", "answer", "best_share", "free_run", "frames_right",
           "success"]

AT_ONCE = 64  # plans in one call


@dataclass(frozen=True, eq=False)
class Run:
    """What a cloned procedure wrote when nobody helped it.

    Attributes
    ----------
    frames : (N, T + 1, rows, columns)
        A plan that is done repeats its last frame.
    calls : (N,) int
        Calls of the network, the one that changed nothing counted.
    done : (N,) bool
        Whether a fixed point was reached before the cap.
    actions : (N, rows, columns) int8
        What the last frame says; `UNVISITED` where it says nothing. This is the
        fallback too: at the cap the frame stands as it is, and `walk` decides what a
        walker does on a silent cell (waits; with an `rng`, a random step).
    """

    frames: np.ndarray
    calls: np.ndarray
    done: np.ndarray
    actions: np.ndarray


def free_run(network, mazes: Mazes, *, cap: int | None = None, first=None,
             starts=None, numbers=False, tol=1e-3) -> Run:
    """Repeat a cloned step until nothing changes, or `cap` calls have been made.

    Parameters
    ----------
    cap : int, optional
        Else as many calls as the plan has cells.
    first : (N, rows, columns), optional
        A frame to begin with, such as one that was tampered with; else the blank one.
    starts : (N, 2), optional
        For a clone of `search`: one start in each plan.
    numbers : bool
        For a clone of `sweeps`: frames are numbers, the network's first output; done
        means that none moves by `tol`.
    """
    cap = int(np.prod(mazes.shape)) if cap is None else cap
    if cap < 1:
        raise ValueError(f"cap is {cap}; it must be at least 1")
    blank = (np.zeros(mazes.walls.shape, np.float32) if numbers
             else np.full(mazes.walls.shape, UNVISITED, np.int8))
    x = blank if first is None else np.asarray(first).astype(blank.dtype)
    if x.shape != blank.shape:
        raise ValueError(f"first has shape {x.shape}; it must be {blank.shape}")
    classes = LABELS if starts is None else SEARCH_LABELS
    frames, calls = [x], np.zeros(len(mazes), int)
    actions = np.full(blank.shape, UNVISITED, np.int8)
    active = np.arange(len(mazes))
    while len(active) and len(frames) <= cap:
        some = None if starts is None else np.asarray(starts)[active]
        out = _ask(network, planes(mazes[active], frames[-1][active], classes, some))
        new = frames[-1].copy()
        if numbers:
            new[active] = out[:, 0]
            actions[active] = out[:, 1:].argmax(1)
        else:
            new[active] = out.argmax(1)
        calls[active] += 1
        moved = abs(new[active] - frames[-1][active]).max((1, 2)) > (
            tol if numbers else 0)
        frames.append(new)
        active = active[moved]
    done = np.ones(len(mazes), bool)
    done[active] = False
    if not numbers:
        actions = frames[-1]
        if starts is not None:
            start = np.zeros(blank.shape, bool)
            start[np.arange(len(mazes)), *np.asarray(starts).T] = True
            actions = path_actions(actions, start)
    return Run(np.stack(frames, axis=1), calls, done, actions)


def answer(network, mazes: Mazes, iterations: int | None = None) -> np.ndarray:
    """What a clone of the answer says: the likeliest label of each cell.

    Returns
    -------
    (N, rows, columns) int8
    """
    extra = () if iterations is None else (iterations,)
    return _ask(network, planes(mazes), *extra).argmax(1).astype(np.int8)


def _ask(network, x, *extra) -> np.ndarray:
    with torch.inference_mode():
        return torch.cat([network(some, *extra) for some in x.split(AT_ONCE)]).numpy()


def frames_right(run: Run, frames: np.ndarray) -> np.ndarray:
    """For each t, the share of plans whose frame t is the procedure's, (T,).

    In every cell, ties included: a clone that writes another best action is wrong here,
    and right for `best_share`. The shorter of the two repeats its last frame.
    """
    length = max(run.frames.shape[1], frames.shape[1])
    a, b = (x[:, np.minimum(np.arange(length), x.shape[1] - 1)]
            for x in (run.frames, frames))
    return (a == b).all((2, 3)).mean(0)


def best_share(mazes: Mazes, actions) -> float:
    """Share of open cells where a map's action begins a shortest way, any of them."""
    nearer = (ahead(mazes.distances) == mazes.distances - 1) & ~ahead(mazes.walls)
    chosen = np.asarray(actions)[None] == np.arange(4)[:, None, None, None]
    return float((nearer & chosen).any(0)[mazes.open].mean())


@dataclass(frozen=True)
class Success:
    """Share of starts from which the goal was reached, by where the goal was.

    Attributes
    ----------
    overall, in_view, out_of_view : float
        `nan` where there was no such start.
    share_in_view : float
        Of the starts.
    """

    overall: float
    in_view: float
    out_of_view: float
    share_in_view: float


def success(mazes: Mazes, actions, starts, *, radius: int = 6, rng=None) -> Success:
    """Walk by a map of actions, and score the starts by whether the goal is in view.

    Parameters
    ----------
    actions : (N, rows, columns)
    starts : (N, k, 2)
    radius : int
        Of the receptive field that is asked about.
    rng : optional
        As in `walk`.
    """
    reached = walk(mazes, actions, starts, rng=rng).reached
    plan = np.arange(len(mazes))[:, None]
    seen = mazes.in_view(radius)[plan, starts[..., 0], starts[..., 1]]

    def share(of):
        return float(reached[of].mean()) if of.any() else float("nan")

    return Success(float(reached.mean()), share(seen), share(~seen), float(seen.mean()))
