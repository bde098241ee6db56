"""What a procedure is worth: plans with frames against plans with answers.

Each learner is asked for the same thing, arrivals on 20×20 from starts that cannot see
the goal, and gets more and more plans of 10×10 to learn it from.
"""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch05 import exam as room
from imitlib.chapters.ch05 import seeing
from imitlib.claims import Claim
from imitlib.envs.maze_makers import obstacles
from imitlib.figures import INK, axes, line
from imitlib.pc import procedures, training

FRAMED, ANSWERED = (1, 2, 4, 8, 16, 32), (64, 256)
UPDATES = {"one": 300, "six": 300, "rounds": 1200}


def measure_price(seed: int) -> dict:
    """Arrivals out of view, by the number of plans that a learner was taught on.

    `one` and `six` clone the frames with one and with six layers; `rounds` is the
    recurrence, which gets the answers. The plans of a longer lesson begin with those of
    the shorter.
    """
    streams = np.random.default_rng(seed).spawn(4)
    exam = room.set_exam(streams[0], {20: room.PLANS[20]})
    plans = obstacles(max(FRAMED + ANSWERED), room.SIZE, streams[1])
    out = {"one": [], "six": [], "rounds": [], "pictures": []}
    for n, *rngs in zip(FRAMED, *(streams[k].spawn(len(FRAMED)) for k in (2, 3))):
        taught = plans[:n]
        frames = training.step_examples(taught, procedures.rings(taught))
        out["pictures"].append(float(len(frames)))
        for name, make, lr, rng in (
            ("one", room.seeing_one, 1e-2, rngs[0]), ("six", room.six_layers, 2e-3, rngs[1]),
        ):  # fmt: skip
            fit = room.learn(make, frames, rng, UPDATES[name], lr)
            out[name].append(room.marks("x", exam, room.by_procedure(fit.network))["x_far"])
    for n, rng in zip(ANSWERED, streams[1].spawn(len(ANSWERED))):
        taught = plans[:n]
        lesson = training.action_examples(taught, procedures.rings(taught))
        fit = room.learn(seeing.recurrence, lesson, rng, UPDATES["rounds"], 3e-3)
        out["rounds"].append(seeing.best_round("x", exam, fit.network)["x_far"])
    return out


def price_holds(s) -> bool:
    """See the claim's predicate."""
    one, six, rounds = (s[name].mean(axis=0) for name in ("one", "six", "rounds"))
    return bool(
        one[FRAMED.index(8)] > 0.7
        and one[FRAMED.index(8)] > rounds[-1] + 0.2
        and six[FRAMED.index(32)] > rounds[-1] + 0.2
        and rounds[-1] > rounds[0] + 0.05
        and one[0] < 0.8
        and six[0] < 0.4
    )


def worth(s) -> dict:
    """How few plans with frames do as well as so many plans with answers."""
    one, six, rounds = (s[name].mean(axis=0) for name in ("one", "six", "rounds"))
    enough = {
        f"enough_{name}": float(FRAMED[int(np.argmax(curve >= rounds[-1]))])
        for name, curve in (("one", one), ("six", six))
    }
    return enough | {
        f"replaced_{name[7:]}": ANSWERED[-1] / n for name, n in enough.items()
    }  # fmt: skip


def fig_price(s, seeing_too=None):
    """Arrivals out of view against the number of plans, for three learners.

    Parameters
    ----------
    seeing_too : Samples, optional
        Of ``pc-generalizes-seeing``: its recurrence, with the most plans.
    """
    fig, ax = axes("plans in the lesson", "arrived, goal out of view (20×20)")
    many = list(ANSWERED)
    rounds = list(s["rounds"].mean(axis=0))
    if seeing_too is not None:
        many.append(float(s["pictures"].mean(axis=0)[-1] * 64 / FRAMED[-1]))
        rounds.append(seeing_too.mean("rounds_far"))
    one, six = s["one"].mean(axis=0), s["six"].mean(axis=0)
    spread = [(s[k].min(axis=0), s[k].max(axis=0)) for k in ("one", "six")]
    line(ax, FRAMED, one, "optimum", "", band=spread[0])
    line(ax, FRAMED, six, "expert", "", band=spread[1])
    line(ax, many, rounds, "learner", "")
    ax.set_xscale("log", base=2)
    ticks = [1, 4, 16, 64, 256, 1024]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    ax.set_xlim(0.9, 1300)
    ax.set_ylim(-0.02, 1.12)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    ax.text(1.0, 1.05, "frames, one layer", color=INK, fontsize=10)
    ax.text(36, six[-1] - 0.02, "frames,\nsix layers", color=INK, fontsize=10, va="center")
    ax.text(48, 0.42, "answers alone,\nin rounds", color=INK, fontsize=10, va="bottom")
    alt = (
        "Share of starts out of view with arrival on 20×20 against the number of 10×10 "
        f"plans in the lesson, on a logarithmic axis. Frames, one layer: {_said(FRAMED, one)}. "
        f"Frames, six layers: {_said(FRAMED, six)}. Answers alone, in rounds: "
        f"{_said(many, rounds)}. A plan with its frames is worth many plans without."
    )
    return fig, alt


def _said(plans, shares):
    return ", ".join(f"{share:.2f} at {n:.0f}" for n, share in zip(plans, shares))


GIVEN = {"price_most": ANSWERED[-1], "price_framed": 8}

CLAIMS = [
    Claim(
        id="pc-label-price",
        chapter="05",
        statement=(
            "A plan that shows the search is worth many plans that show its answers: "
            "frames of eight plans take a clone further than the answers of 256 take a "
            "network that could work the search out for itself."
        ),
        predicate=(
            "means over seeds of arrivals on 20×20 from starts out of view: frames of 8 "
            "plans with one layer give over 70 %, and these and frames of 32 with six "
            "layers at least 20 points more than the answers of 256 plans give the "
            "recurrence; for which 256 are better than 64 by over 5 points; one plan "
            "is not enough for either clone of the frames (under 80 % and under 40 %)"
        ),
        holds=price_holds,
        measure=measure_price,
        derive=worth,
        headline="replaced_one",
        status="ours",
        papers=("yang2022chain", "bansal2022end"),
        literature="Neither paper sets the two kinds of lesson against each other.",
        rtol={"pictures": 1e-6, "one": ("abs", 0.05), "six": ("abs", 0.1),
              "rounds": ("abs", 0.2)},
        note=(
            "Counted in labels the ratio is smaller, since a plan has about thirteen "
            "frames; and the frames are a lesson that somebody has to write."
        ),
    ),
]  # fmt: skip
