"""The tightrope small enough for paper, and the tightrope with two sliders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imitlib import bc
from imitlib.envs import tightrope as rope
from imitlib.figures import ROLES, axes, line


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
        "counts": clone.counts.tolist(),
        "error": error,
        "off_none": off["none"].tolist(),
        "off_easy": off["easy"].tolist(),
        "cost_none": float(off["none"].sum()),
        "cost_easy": float(off["easy"].sum()),
    }


def explore_costs(eps: float, horizon: int):
    """For `explore`: cost against horizon at one error rate, for the three ways back.

    Lines are the exact law; marks are 5000 walkers each, who slip by chance.
    """
    fig, ax = axes("steps walked", "cost: mean steps off the rope")
    steps = np.arange(1, horizon + 1)
    stays = rope.expected_cost(eps, horizon, recovers=False)
    back = rope.expected_cost(eps, horizon, recovers=True)
    rng = np.random.default_rng(2)
    at = np.unique(np.linspace(1, horizon, 7).astype(int))[1:]
    world = rope.build(horizon, np.array([1 - eps, eps]), rng, recovery="none")

    def slips(seen):  # right but for the rare gust; on the ground it leans on and on
        return np.where(seen[:, 1] == 1, world.climb, world.right[0, 0])

    for way, role, curve, label, nudge in (
        ("expert", "learner", stays, "way back\nnever shown", 0),
        ("easy", "person", back, "anyone's way,\nor by DAgger", 12),
    ):
        off = rope.walk(replace(world, recovery=way), slips, 5000, rng)
        line(ax, steps, curve, role, label, marker=False, nudge=nudge)
        walked = np.cumsum(off.mean(axis=1))[at - 1]
        ax.plot(at, walked, ROLES[role].marker, color=ROLES[role].color, ms=5)
    ax.set_ylim(bottom=0)
    text = (
        f"Error rate {eps:g}, {horizon} steps. Without a way back the walker is off the "
        f"rope for {stays[-1]:.3g} steps on average (ε T² / 2 would be "
        f"{eps * horizon**2 / 2:.3g}); with one, for {back[-1]:.3g} (ε T is "
        f"{eps * horizon:.3g})."
    )
    return fig, text
