"""The exam of chapter 05: new street plans, and starts told apart by what they can see.

Every learner is taught on plans of 10×10 cells and then walks on plans that it has not
seen, of that size and of 20×20. A start is *in view* if the goal lies in the receptive
field of six 3×3 layers there, and *out of view* if it does not. On 10×10 nearly every
start is in view, so the two are told apart on the larger plans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.envs.maze_makers import obstacles
from imitlib.envs.mazes import Mazes
from imitlib.pc import running
from imitlib.pc.networks import Local, Residual
from imitlib.pc.training import LABELS, Fit, fit

SIZE, TAUGHT, RADIUS = 10, 64, 6
PLANS, STARTS = {10: 60, 20: 40}, 12
TOKENS = 2 + LABELS  # planes: walls, goal, and one for each label of a frame
NEVER = 2.0  # an accuracy that is not reached: all updates are used


@dataclass(frozen=True, eq=False)
class Exam:
    """Plans of each size, with starts on them.

    Attributes
    ----------
    plans : dict of int -> Mazes
    starts : dict of int -> (N, k, 2) int
    """

    plans: dict[int, Mazes]
    starts: dict[int, np.ndarray]


def set_exam(rng: np.random.Generator, plans=None, starts: int = STARTS) -> Exam:
    """Draw the plans of an exam; `plans` says how many of each size."""
    drawn = {
        size: obstacles(n, size, rng) for size, n in (plans or PLANS).items()
    }  # fmt: skip
    return Exam(drawn, {k: maps.starts(starts, rng) for k, maps in drawn.items()})


def marks(name: str, exam: Exam, act) -> dict[str, float]:
    """Share of starts from which a learner arrives, by size and by view.

    Parameters
    ----------
    act : callable
        Mazes -> (N, rows, columns), the action in each cell.

    Returns
    -------
    dict
        ``name_10``, ``name_20``, ...; of the largest plans also ``name_view`` and
        ``name_far``: starts with the goal in view, and without.
    """
    out = {}
    for size, maps in exam.plans.items():
        got = running.success(maps, act(maps), exam.starts[size], radius=RADIUS)
        out[f"{name}_{size}"] = got.overall
    return out | {f"{name}_view": got.in_view, f"{name}_far": got.out_of_view}


# Learners ---------------------------------------------------------------------------


def learn(make, examples, rng, updates, lr=2e-3) -> Fit:
    """Teach for so many updates, however soon it knows its examples."""
    return fit(make, examples, rng=rng, updates=updates, lr=lr, target=NEVER,
               every=updates)  # fmt: skip


def seeing_six(outputs: int, inputs: int = 2) -> Residual:
    """Six 3×3 layers: the network of cloning."""
    return Residual(inputs, outputs, layers=RADIUS)


def six_layers() -> Residual:
    """The same layers, with a frame among what they are given, and a frame to be said."""
    return seeing_six(LABELS, TOKENS)


def seeing_one() -> Local:
    """One 3×3 layer: a rule of the cells beside."""
    return Local(TOKENS, LABELS)


def by_answer(network, iterations=None):
    """Act by what a network says when it is asked once."""
    return lambda maps: running.answer(network, maps, iterations)


def by_procedure(network, cap=None):
    """Act by what a cloned procedure has written when nothing changes any more."""
    return lambda maps: running.free_run(network, maps, cap=cap).actions
