"""Are the frames that a clone writes those of the search?

In every cell of every frame, or nearly; and whether it matters where they are not. A
clone that is left to itself may write another arrow that is as short, and it may write
a wrong one. The first is a mistake of the frames and none of the actions.
"""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch05 import exam as room
from imitlib.claims import Claim
from imitlib.envs.maze_makers import obstacles
from imitlib.envs.mazes import Mazes
from imitlib.figures import INK, ROLES, axes, line
from imitlib.pc import procedures, running, training

PLANS = {10: 40, 20: 30}
LOOKED_AT = (1, 2, 4, 8, 12, 16, 20, 24)  # frames, on 20×20
LESSONS = {"one": (300, 1e-2), "six": (600, 2e-3)}


def lengthened(run: running.Run, frames: np.ndarray):
    """Both sequences as long as the longer of them: the shorter repeats its last frame."""
    length = np.arange(max(run.frames.shape[1], frames.shape[1]))
    return (x[:, np.minimum(length, x.shape[1] - 1)] for x in (run.frames, frames))


def compare(name: str, network, maps: Mazes) -> dict:
    """A clone left to itself, against the search: by plan, by cell, and by action.

    `whole` is the share of plans with every cell of every frame right; `frames` and
    `cells` are lists over `LOOKED_AT`: the share of plans with that frame right, and
    the share of street cells that are right in it. `last` is that share in the last
    frame, and `best` the share of cells where that frame's action is a best one.
    """
    run, true = running.free_run(network, maps), procedures.rings(maps)
    ours, theirs = lengthened(run, true.frames)
    right = ours == theirs
    then = np.minimum(LOOKED_AT, right.shape[1] - 1)
    size = maps.shape[0]
    return {
        f"{name}_whole_{size}": right.all((1, 2, 3)).mean(),
        f"{name}_frames_{size}": right[:, then].all((2, 3)).mean(0),
        f"{name}_cells_{size}": [right[:, t][~maps.walls].mean() for t in then],
        f"{name}_last_{size}": (run.actions == true.actions)[maps.open].mean(),
        f"{name}_best_{size}": running.best_share(maps, run.actions),
    }


def measure_frames(seed: int) -> dict:
    """The frames of two clones, of one layer and of six, on new plans."""
    streams = np.random.default_rng(seed).spawn(4)
    taught = obstacles(room.TAUGHT, room.SIZE, streams[0])
    new = [obstacles(n, size, streams[1]) for size, n in PLANS.items()]
    lesson = training.step_examples(taught, procedures.rings(taught))
    out = {}
    for (name, (updates, lr)), rng in zip(LESSONS.items(), streams[2:], strict=True):
        make = room.six_layers if name == "six" else room.seeing_one
        network = room.learn(make, lesson, rng, updates, lr).network
        for maps in new:
            out |= compare(name, network, maps)
    return out


def frames_hold(s) -> bool:
    """See the claim's predicate."""
    m = {name: s[name].mean(axis=0) for name in s.values}
    return bool(
        all(
            m[f"{n}_cells_20"][0] > 0.98
            and m[f"{n}_last_10"] > 0.95
            and m[f"{n}_last_20"] > 0.9
            and m[f"{n}_whole_20"] < m[f"{n}_whole_10"] - 0.1
            and m[f"{n}_whole_20"] < 0.7
            and m[f"{n}_best_20"] > m[f"{n}_last_20"]
            for n in LESSONS
        )
        and m["one_whole_10"] > 0.5
        and m["one_best_20"] > 0.98
        and m["six_best_20"] > 0.9
    )


# Figure and ledger ------------------------------------------------------------------


def fig_frames(s):
    """Share of plans, and of cells, that are right in frame t, on 20×20."""
    fig, ax = axes("frame", "right, plans of 20×20", size=(4.8, 3.2))
    words = []
    for name, role, label in (("one", "optimum", "one"), ("six", "expert", "six")):
        plans, cells = (s[f"{name}_{what}_20"].mean(0) for what in ("frames", "cells"))
        line(ax, LOOKED_AT, plans, role)
        ax.plot(LOOKED_AT, cells, color=ROLES[role].color, ls=ROLES[role].dash, lw=1.2)
        words.append(f"{label} layer{'s' * (name == 'six')}, {plans[0]:.2f} of the plans in "
                     f"the first frame, {plans[-1]:.2f} in frame {LOOKED_AT[-1]}, and there "
                     f"{cells[-1]:.3f} of the cells")  # fmt: skip
    ends = [s[f"{name}_frames_20"].mean(0)[-1] for name in LESSONS]
    up = 7 if ends[0] > ends[1] else -7
    for y, label, nudge in ((ends[0], "every cell,\none layer", up + 5),
                            (ends[1], "every cell,\nsix layers", -up - 5),
                            (1.0, "cell by cell,\nboth", -6)):  # fmt: skip
        ax.annotate(label, (LOOKED_AT[-1], y), xytext=(7, nudge), va="center", color=INK,
                    textcoords="offset points", annotation_clip=False, fontsize=9)  # fmt: skip
    ax.set_ylim(0, 1.06)
    ax.set_xticks([1, 8, 16, 24])
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    alt = (
        "How right the frames of two clones are on new plans of 20×20, against the number "
        f"of the frame: {'; '.join(words)}. A frame without a single wrong cell becomes "
        "rare; a cell that is wrong stays rare."
    )
    return fig, alt


GIVEN = {"frames-plans-ten": PLANS[10], "frames-plans-twenty": PLANS[20]}

CLAIMS = [
    Claim(
        id="pc-intermediate",
        chapter="05",
        statement=(
            "Clones of the search, left to themselves on new plans, write its frames "
            "almost cell for cell. A whole run without one wrong cell becomes rare on "
            "plans larger than those of the lesson, while the actions stay best nearly "
            "everywhere: another arrow than Hana's is often as short."
        ),
        predicate=(
            "means over seeds, for one layer and for six: in the first frame over 98 % "
            "of the street cells are right, in the last over 95 % of those with a way on "
            "10×10 and over 90 % on 20×20; runs without a wrong cell are at least 10 "
            "points fewer on 20×20 than on 10×10, and fewer than 70 %; the action is a "
            "best one in more cells than the arrow is the search's; one layer: over half "
            "of the runs on 10×10 without a wrong cell, and over 98 % best actions on "
            "20×20; six layers: over 90 %"
        ),
        holds=frames_hold,
        measure=measure_frames,
        headline="one_last_20",
        status="reproduced",
        papers=("yang2022chain",),
        source="[A]",
        literature=(
            "Yang et al. learn the steps of a search and run them at test time; they "
            "judge by whether the walker arrives."
        ),
        rtol={
            **{f"{n}_{what}_{size}": ("abs", tolerance)
               for n in LESSONS for size in PLANS
               for what, tolerance in (("whole", 0.15), ("frames", 0.2), ("cells", 0.02),
                                       ("last", 0.03), ("best", 0.03))},
            "six_whole_20": ("abs", 0.066),
        },
        note=(
            "In every cell, ties included, is a strict measure: two steps that are as "
            "short count as different. The share of whole runs varies between seeds."
        ),
    ),
]  # fmt: skip
