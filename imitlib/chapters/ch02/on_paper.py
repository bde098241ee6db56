"""What chapter 02 draws by hand: the idea, three steps of rope, and two sliders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imitlib import bc
from imitlib.envs import tightrope as rope
from imitlib.figures import CELL, INK, MUTED, ROLES, axes, line


def fig_idea():
    """Fitting, and then acting: the arrow that a spam filter does not have."""
    fig, panels = axes(size=(2.4, 2.2), columns=2, title=["fitting", "acting"])
    boxes = {
        0: {(0.5, 0.78): "what Hana saw", (0.5, 0.22): "what Hana did"},
        1: {(0.55, 0.78): "what Rollo sees", (0.55, 0.22): "what Rollo does"},
    }
    arrow = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.8}
    for i, ax in enumerate(panels):
        ax.set_axis_off()
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        role = ROLES["person" if i == 0 else "learner"]
        for (x, y), words in boxes[i].items():
            box = {"boxstyle": "round,pad=0.5", "fc": CELL, "ec": role.color, "lw": 1.8}
            ax.text(x, y, words, ha="center", va="center", color=INK, bbox=box)
        ax.annotate(
            "", (0.5 + 0.05 * i, 0.33), (0.5 + 0.05 * i, 0.67),
            arrowprops=arrow | {"color": role.color, "ls": ROLES["learner"].dash},
        )  # fmt: skip
        ax.text(0.55 + 0.05 * i, 0.5, "policy", va="center", color=MUTED)
    back = arrow | {"color": ROLES["harm"].color, "connectionstyle": "arc3,rad=-0.6"}
    panels[1].annotate("", (0.16, 0.68), (0.16, 0.32), arrowprops=back)
    panels[1].text(0.14, 0.5, "world", va="center", ha="left", color=INK)
    alt = (
        "Two panels. Fitting: an arrow, the policy, leads from what Hana saw to what "
        "Hana did. Acting: the same arrow leads from what Rollo sees to what Rollo "
        "does, and a second arrow, through the world, leads from there back to what "
        "Rollo sees next."
    )
    return fig, alt


def by_hand() -> dict:
    """The example of the page: small enough to be checked on paper.

    Three gusts blow: none (chance 0.7), from the left (0.2), from the right (0.1).
    Two walks of three steps are shown, and the right gust never blew in them. The
    clone counts, guesses *straight* for the right gust, and is wrong there.
    """
    names = ("none", "left", "right")
    chance = np.array([0.7, 0.2, 0.1])
    felt = np.array([0, 0, 1, 0, 0, 0])  # what blew in the two walks
    lean = np.array([0, 0, 1, 0, 0, 0])  # straight, straight, to the left, ...
    clone = bc.fit_table(felt, lean, 3, 3)
    wrong = clone(np.arange(3)) != np.arange(3)
    error = float(chance[wrong].sum())
    off = {
        way: np.diff(rope.expected_cost(error, 3, recovers=way == "easy"), prepend=0)
        for way in ("none", "easy")
    }
    return {
        "gusts": names,
        "chance": chance.tolist(),
        "counts": clone.counts.tolist(),
        "error": error,
        "off_none": off["none"].tolist(),
        "off_easy": off["easy"].tolist(),
        "cost_none": float(off["none"].sum()),
        "cost_easy": float(off["easy"].sum()),
    }


def explore_costs(error_rate: float, steps: int):
    """For `explore`: cost against horizon at one error rate, for the three ways back.

    Lines are the exact law; marks are 5000 walkers each, who slip by chance.
    """
    fig, ax = axes("steps walked", "cost: mean steps off the rope")
    eps, walked = error_rate, np.arange(1, steps + 1)
    stays = rope.expected_cost(eps, steps, recovers=False)
    back = rope.expected_cost(eps, steps, recovers=True)
    rng = np.random.default_rng(2)
    at = np.unique(np.linspace(1, steps, 7).astype(int))[1:]
    world = rope.build(steps, np.array([1 - eps, eps]), rng, recovery="none")

    def slips(seen):  # right but for the rare gust; on the ground it leans on and on
        return np.where(seen[:, 1] == 1, world.climb, world.right[0, 0])

    for way, role, curve, label, nudge in (
        ("expert", "learner", stays, "way back\nnever shown", 0),
        ("easy", "person", back, "anyone's way,\nor by DAgger", 12),
    ):
        off = rope.walk(replace(world, recovery=way), slips, 5000, rng)
        line(ax, walked, curve, role, label, marker=False, nudge=nudge)
        marks = np.cumsum(off.mean(axis=1))[at - 1]
        ax.plot(at, marks, ROLES[role].marker, color=ROLES[role].color, ms=5)
    ax.axhline(1, color=MUTED, linewidth=0.9, zorder=0)
    ax.set_xlim(0, max(66, steps))
    ax.set_ylim(0, max(8, stays[-1]))
    text = (
        f"Error rate {eps:g}, {steps} steps. Without a way back the walker is off the "
        f"rope for {stays[-1]:.3g} steps on average (ε T² / 2 would be "
        f"{eps * steps**2 / 2:.3g}); with one, for {back[-1]:.3g} (ε T is "
        f"{eps * steps:.3g})."
    )
    return fig, text


_HAND = by_hand()
GIVEN = {
    **{f"hand.{gust}": c for gust, c in zip(_HAND["gusts"], _HAND["chance"])},
    "hand.error": _HAND["error"],
    "hand.off1": _HAND["off_none"][0],
    "hand.off2": _HAND["off_none"][1],
    "hand.off3": _HAND["off_none"][2],
    "hand.easy2": _HAND["off_easy"][1],
    "hand.easy3": _HAND["off_easy"][2],
    "hand.cost_none": _HAND["cost_none"],
    "hand.cost_easy": _HAND["cost_easy"],
}
