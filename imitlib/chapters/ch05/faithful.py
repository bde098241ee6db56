r"""Does the action hang on the frames?

Frames can be right and of no use. The test is to tamper: somebody changes a frame, the
clone goes on from there, and what it does is compared with what the search itself would
have made of that frame.

It takes a network that *could* do without. It has one body and two heads; one says the
next frame, the other Hana's action. It can be asked for the action before its frames,
or after.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from imitlib.chapters.ch05 import exam as room
from imitlib.chapters.ch05.frames import LESSONS
from imitlib.claims import Claim
from imitlib.envs.maze_makers import obstacles
from imitlib.envs.mazes import Mazes, ahead, walk
from imitlib.figures import GRID, INK, MUTED, ROLES, axes
from imitlib.pc import procedures, running, training
from imitlib.pc.procedures import UNVISITED

TAMPERED, FAR, GRAFT = 60, 6, 4  # plans; steps from the door; rings that are grafted


class TwoHeads(nn.Module):
    r"""One body, asked for the next frame x' and for the action a in each cell.

    Its outputs are the 5 · 4 logits of the pair, :math:`z(x', a) = u(x') + v(a)`: the
    cross entropy of the pair is then the sum of the two.
    """

    def __init__(self):
        super().__init__()
        self.body = room.seeing_six(training.LABELS + training.ACTIONS, room.TOKENS)

    def parts(self, x):
        """Logits of the next frame (B, 5, ...) and of the action (B, 4, ...)."""
        return self.body(x).split([training.LABELS, training.ACTIONS], dim=1)

    def forward(self, x):
        frame, action = self.parts(x)
        return (frame[:, :, None] + action[:, None]).flatten(1, 2)


class Saying(nn.Module):
    """One head of a network that has two: 0 the frame, 1 the action."""

    def __init__(self, network: TwoHeads, head: int):
        super().__init__()
        self.network, self.head = network, head

    def forward(self, x):
        return self.network.parts(x)[self.head]


def with_actions(lesson: training.Examples, answers: np.ndarray) -> training.Examples:
    """Pairs of frames, each with the final action beside it: label = 4 x' + a.

    Parameters
    ----------
    answers : (M, rows, columns)
        Actions; where there is none, 0 is taught.
    """
    actions = torch.from_numpy(np.where(answers < training.ACTIONS, answers, 0)).long()
    return training.Examples(lesson.inputs, training.ACTIONS * lesson.targets + actions,
                             lesson.scored)  # fmt: skip


def teach_both(taught: Mazes, rng) -> TwoHeads:
    """A network with two heads, taught the frames and, from every frame, the action."""
    search = procedures.rings(taught)
    lesson = training.step_examples(taught, search)
    answers = np.repeat(search.actions, search.steps + 1, axis=0)
    return room.learn(TwoHeads, with_actions(lesson, answers), rng, *LESSONS["six"]).network


def goes_on(maps: Mazes, frame: np.ndarray) -> np.ndarray:
    """What the search itself makes of a frame: its last one, if it goes on from there."""
    while True:
        new = procedures.ring_step(maps.walls, maps.goal_map, frame)
        if (new == frame).all():
            return frame
        frame = new


def elsewhere(maps: Mazes, rng) -> np.ndarray:
    """In each plan a cell at least `FAR` steps from the door, or the farthest, (N, 2)."""
    cells = []
    for steps in maps.distances:
        there = np.argwhere(steps >= min(FAR, steps.max()))
        cells.append(there[rng.integers(len(there))])
    return np.array(cells)


def tampered(maps: Mazes, rng) -> tuple[np.ndarray, dict]:
    """The wrong place of each plan, and two frames: flour there, or the rings round it.

    `dab`: the first frame with one label, at the wrong place, that points away from
    the door. `graft`: the frame of a search whose door is there.
    """
    place = elsewhere(maps, rng)
    at = (np.arange(len(maps)), *place.T)
    dab = np.full(maps.walls.shape, UNVISITED, np.int8)
    dab[at] = (procedures.rings(maps).actions[at] + 2) % 4
    other = procedures.rings(Mazes(maps.walls, place)).frames
    graft = np.where(maps.goal_map, UNVISITED, other[:, min(GRAFT, other.shape[1] - 1)])
    return place, {"dab": dab, "graft": graft.astype(np.int8)}


def misled(maps: Mazes, answers: np.ndarray) -> np.ndarray:
    """Cells whose action begins no shortest way to the door, (N, rows, columns)."""
    nearer = (ahead(maps.distances) == maps.distances - 1) & ~ahead(maps.walls)
    best = (nearer & (answers == np.arange(4)[:, None, None, None])).any(0)
    return maps.open & ~best


def measure_faithful(seed: int) -> dict:
    """What becomes of the action when a frame is tampered with.

    `plain_*` is the share of cells with a best action when nobody tampers; `dab_*` and
    `graft_*`, among the cells that the search would now lead astray, the share whose
    action is the search's; `*_there`, the share of those from which Rollo comes to the
    wrong place. One layer, two heads asked `before` their frames and `after` them,
    and the last of their frames itself (`frame`).
    """
    streams = np.random.default_rng(seed).spawn(5)
    taught = obstacles(room.TAUGHT, room.SIZE, streams[0])
    maps = obstacles(TAMPERED, room.SIZE, streams[1])
    lesson = training.step_examples(taught, procedures.rings(taught))
    one = room.learn(room.seeing_one, lesson, streams[2], *LESSONS["one"]).network
    both = teach_both(taught, streams[3])
    place, frames = tampered(maps, streams[4])
    blank = np.full(maps.walls.shape, UNVISITED, np.int8)
    for name, first in {"plain": blank, **frames}.items():
        last = running.free_run(Saying(both, 0), maps, first=first).actions
        says = {
            "one": running.free_run(one, maps, first=first).actions,
            "frame": last,
            "after": acts(both, maps, last),
            "before": acts(both, maps, blank),
        }
        if name == "plain":
            out = {f"plain_{who}": running.best_share(maps, says[who]) for who in says}
            usual = says
            continue
        ought = goes_on(maps, first)
        astray = misled(maps, ought)
        out[f"{name}_cells"] = astray.sum() / maps.open.sum()
        for who in says:
            out |= {
                f"{name}_{who}": (says[who] == ought)[astray].mean(),
                f"{name}_{who}_anyway": (usual[who] == ought)[astray].mean(),
                f"{name}_{who}_best": 1 - misled(maps, says[who])[astray].mean(),
                f"{name}_{who}_there": arrives(Mazes(maps.walls, place), says[who], astray),
            }
    return out


def acts(network: TwoHeads, maps: Mazes, frame: np.ndarray) -> np.ndarray:
    """The action head's answer, from this frame, (N, rows, columns)."""
    with torch.inference_mode():
        out = Saying(network, 1)(training.planes(maps, frame))
    return out.argmax(1).numpy().astype(np.int8)


def arrives(maps: Mazes, actions, starts: np.ndarray) -> float:
    """Share of the marked cells (N, rows, columns) from which the goal is reached."""
    reached = [
        walk(maps[n : n + 1], actions[n : n + 1], np.argwhere(cells)[None]).reached[0]
        for n, cells in enumerate(starts) if cells.any()
    ]  # fmt: skip
    return float(np.concatenate(reached).mean())


def faithful_holds(s) -> bool:
    """See the claim's predicate."""
    m = {name: float(s[name].mean()) for name in s.values}
    return bool(
        m["plain_one"] > 0.98
        and m["plain_after"] > 0.93
        and m["plain_frame"] > 0.85
        and m["plain_before"] < m["plain_after"] - 0.03
        and min(m["graft_one"], m["graft_one_there"]) > 0.75
        and min(m["graft_after"], m["graft_frame"]) > 0.7
        and max(m["graft_one_anyway"], m["graft_after_anyway"]) < 0.1
        and m["graft_before"] < 0.4
        and m["graft_before_there"] < m["graft_after_there"] - 0.2
        and m["dab_one"] > 0.6
        and m["dab_one_there"] > 0.7
        and m["dab_frame"] < 0.3
        and m["dab_frame_best"] > 0.6
        and m["graft_cells"] > 0.1
        and m["dab_cells"] > 0.1
    )


# Figure and ledger ------------------------------------------------------------------


def fig_faithful(s):
    """After two kinds of tampering: the share of misled cells whose action follows."""
    fig, panels = axes("", "", size=(2.55, 3.0), columns=2,
                       title=["another door's frame", "one dab of flour"])  # fmt: skip
    rows = (("one layer", "optimum", "one"), ("six layers,\nasked after", "expert", "after"),
            ("six layers,\nasked before", "learner", "before"))  # fmt: skip
    words = []
    kinds = ("graft", "dab")
    for ax, kind, told in zip(panels, kinds, ("another door's frame", "a dab"), strict=True):
        for y, (name, role, who) in enumerate(reversed(rows)):
            look, now, anyway = ROLES[role], s[f"{kind}_{who}"], s[f"{kind}_{who}_anyway"]
            ax.plot([anyway.mean(), now.mean()], [y, y], color=look.color, lw=1.6,
                    ls=look.dash)  # fmt: skip
            ax.plot(anyway.mean(), y, "o", color=look.color, mfc="white", ms=11, mew=1.6)
            ax.plot(now.mean(), y, "D", color=look.color, ms=5)
            words.append(f"{told}, {name.replace(chr(10), ' ')}: {anyway.mean():.2f} to "
                         f"{now.mean():.2f}")  # fmt: skip
        ax.set_xlim(-0.06, 1.06)
        ax.set_ylim(-0.5, 2.5)
        ax.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        ax.set_yticks(range(3), [row[0] for row in reversed(rows)] if kind == "graft" else [])
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(False, axis="y")
        ax.grid(True, axis="x", color=GRID, lw=0.6)
    fig.supxlabel("follows it:  ○ nobody tampered   ◆ somebody did", color=MUTED, fontsize=10)
    alt = (
        "Share of cells, among those that the search would now lead astray, whose action is "
        "the one that the search makes of the tampered frame; without and with tampering: "
        f"{'; '.join(words)}. One layer follows both; six layers follow a frame of another "
        "door, if they are asked after it, and ignore a single dab."
    )
    return fig, alt


GIVEN = {"dab-steps": FAR, "graft-rings": GRAFT, "tampered-plans": TAMPERED}
_SAYING = ("one", "frame", "after", "before")

CLAIMS = [
    Claim(
        id="pc-faithful",
        chapter="05",
        statement=(
            "Right frames do not show that the action hangs on them. A network with two "
            "heads, asked for its action after its frames, follows a frame that was "
            "swapped for one of another door; asked before, it acts as if nothing had "
            "happened. And six layers ignore a single dab of flour in the wrong place, "
            "which the search, and one layer, would follow: their frames were right for "
            "another reason."
        ),
        predicate=(
            "means over seeds, on new plans of 10×10: untampered, one layer has over 98 "
            "% best actions, six layers over 93 % asked after their frames, with over "
            "85 % of their arrows best, and at least 3 points fewer asked before. With "
            "the frame of another door, in cells that the search would now lead astray "
            "(over 10 % of all): one layer says what the search would in over 75 %, and "
            "comes to the wrong door from as many; six layers asked after, and their "
            "last frame, in over 70 %; without tampering under 10 %; asked before, under "
            "40 %, and the wrong door is reached from at least 20 points fewer. With one "
            "dab: one layer over 60 %, and over 70 % come to it; the frames of six "
            "layers under 30 %, and over 60 % of their arrows are best for the true door"
        ),
        holds=faithful_holds,
        measure=measure_faithful,
        headline="graft_after",
        status="ours",
        papers=("yang2022chain", "lanham2023measuring"),
        source="[A]",
        literature=(
            "Lanham et al. tamper with the written reasoning of language models and "
            "watch whether the answer changes; they find that it depends on the task and "
            "the model."
        ),
        rtol={
            **{f"plain_{n}": ("abs", 0.02 if n == "one" else 0.07) for n in _SAYING},
            **{f"{kind}_{n}{end}": ("abs", width)
               for kind in ("graft", "dab") for n in _SAYING
               for end, width in (("", 0.09), ("_anyway", 0.025), ("_best", 0.07),
                                  ("_there", 0.09))},
            **{f"{kind}_before{end}": ("abs", 0.04)
               for kind in ("graft", "dab") for end in ("", "_anyway", "_there")},
            **{f"graft_{n}_best": ("abs", 0.04) for n in ("frame", "after")},
            **{f"dab_{n}_best": ("abs", 0.15) for n in ("frame", "after", "before")},
            "dab_cells": 1e-6, "graft_cells": 1e-6,
        },
        note=(
            "That an answer given before the frames cannot follow them is so by "
            "construction; what is measured is that nothing else tells the two apart: "
            "it is one network, and the frames are the same."
        ),
    ),
]  # fmt: skip
