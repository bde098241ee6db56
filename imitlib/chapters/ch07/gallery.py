"""Chapter 07, the gallery: pairs of mornings from which no amount of watching will do.

Each exhibit comes with two rewards that differ by more than a constant, explain both
policies to rounding, and disagree about a third morning. Two reasons cover them all:
too little has changed, or something runs by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.chapters.ch07 import yards
from imitlib.claims import Claim
from imitlib.figures import CELL, INK, WALL, axes
from imitlib.rewards.identify import certificate, misfit, soft_policy

HURRIED = 0.5
WEATHER = np.array([[0.8, 0.2], [0.3, 0.7]])
ROAD, GATED = 8, 5
SEEDS = tuple(range(1000, 1010))


@dataclass(frozen=True)
class Exhibit:
    """Two mornings, a third one to be surprised by, what is silent, and a repair."""

    name: str
    why: str
    pair: list
    third: object
    silent: int
    repair: list


def exhibits() -> list[Exhibit]:
    """The collection, in the order of the page."""
    plain = yards.yard()
    road, works = yards.ring(ROAD), yards.ring(ROAD, barrier=True)
    west, east = yards.gated(GATED, 0), yards.gated(GATED, GATED - 1)
    moved = int((west.transitions != east.transitions).sum())
    small = yards.yard(side=2)
    sky = yards.weathered(small, WEATHER)
    command = yards.weathered(small, WEATHER, command=4)
    return [
        Exhibit(
            "the same morning twice", "nothing has changed", [plain, plain],
            yards.yard(np.random.default_rng(0)), plain.n_states - 1,
            [plain, plain.with_discount(HURRIED)],
        ),
        Exhibit(
            "the gate moved", f"{moved} of {west.reward.size} moves have changed",
            [west, east], yards.yard(side=GATED), west.n_states - 1 - moved,
            [west, yards.ice(east, 0.2)],
        ),
        Exhibit(
            "a ring road, no stopping", "light and dark alternate by themselves",
            [road, road.with_discount(HURRIED)], works, 1,
            [works, works.with_discount(HURRIED)],
        ),
        Exhibit(
            "the same, signs swapped", "and they still do", [road, _swapped(road)], works,
            1, [works, _swapped(works)],
        ),
        Exhibit(
            "a sky", "the weather comes and goes by itself",
            [sky, sky.with_discount(HURRIED)], command, len(WEATHER) - 1,
            [command, command.with_discount(HURRIED)],
        ),
    ]  # fmt: skip


def _swapped(road):
    return yards.relabelled(road, (1, 0))


NAMES = tuple(one.name for one in exhibits())


def measure_gallery(seed: int) -> dict:
    """A reward of each exhibit, its double, and where the two part."""
    rng = np.random.default_rng(seed)
    out = {"silent": [], "short": [], "repaired": [], "missed": [], "third": []}
    for one in exhibits():
        promise, mended = certificate(one.pair), certificate(one.repair)
        reward = rng.normal(size=one.third.reward.shape)
        change = np.tensordot(rng.normal(size=len(promise.silent)), promise.silent, 1)
        double = reward + change / max(np.abs(change).max(), 1e-12)
        policies = [soft_policy(world, reward) for world in one.pair]
        out["silent"].append(len(promise.silent))
        out["short"].append(promise.needed - promise.rank)
        out["repaired"].append(mended.needed - mended.rank)
        out["missed"].append(
            max(misfit(w, double, p) for w, p in zip(one.pair, policies, strict=True))
        )
        out["third"].append(misfit(one.third, double, soft_policy(one.third, reward)))
    return out | {"least_third": min(out["third"]), "most_missed": max(out["missed"])}


def gallery_holds(s) -> bool:
    """See the claim's predicate."""
    counted = np.array([one.silent for one in exhibits()])
    return bool(
        (s["silent"] == counted).all()
        and (s["short"] == counted).all()
        and (s["repaired"] == 0).all()
        and (s["missed"] < 1e-10).all()
        and (s["third"] > 0.01).all()
    )


def fig_ring(s=None):
    """The ring road: what is paid on light cells and charged on dark ones cannot show."""
    fig, ax = axes("", "", size=(4.8, 3.2))
    turn = 2 * np.pi * np.arange(ROAD) / ROAD + np.pi / 2
    x, y = np.cos(turn), np.sin(turn)
    for k in range(ROAD):
        dark = k % 2
        ax.plot(x[k], y[k], "o", markersize=31, markeredgecolor=INK,
                markerfacecolor=WALL if dark else CELL)  # fmt: skip
        ax.text(x[k], y[k], "−1" if dark else "+1", ha="center", va="center", fontsize=11)
        middle = turn[k] + np.pi / ROAD
        ax.text(0.98 * np.cos(middle), 0.98 * np.sin(middle), "↔",
                rotation=np.degrees(middle) + 90, ha="center", va="center")  # fmt: skip
    ax.text(0, 0, "forwards or back:\nlight and dark\nalternate", ha="center", va="center")
    ax.set_aspect("equal")
    ax.set_xlim(-1.3, 1.3)
    ax.set_ylim(-1.25, 1.25)
    ax.axis("off")
    alt = (
        f"A ring road of {ROAD} cells, light and dark in turn. A bonus of 1 on the light "
        "ones and a charge of 1 on the dark ones is collected in the same order whichever "
        "way anybody walks, so no choice shows it."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

_WEST, _EAST = yards.gated(GATED, 0), yards.gated(GATED, GATED - 1)

GIVEN = {
    "gallery.road": ROAD,
    "gallery.side": GATED,
    "gallery.moves": _WEST.reward.size,
    "gallery.moved": int((_WEST.transitions != _EAST.transitions).sum()),
    "gallery.exhibits": len(NAMES),
}

CLAIMS = [
    Claim(
        id="ill-cure-gallery",
        chapter="07",
        statement="Two mornings are not enough where too little has changed between them, "
        "or where something runs by itself, such as the weather: then two rewards explain "
        "both and disagree about a third.",
        predicate="for each exhibit on every seed: as many silent directions as counted "
        "by hand; a second reward, 1 away somewhere beyond any constant, explains both "
        "policies to 1e-10 and changes a probability of the third morning by more than "
        "0.01; after the repair nothing is silent",
        holds=gallery_holds,
        measure=measure_gallery,
        headline="least_third",
        status="ours",
        papers=("kim2021reward", "rolland2022identifiability"),
        literature="Kim et al. (2021) show for deterministic worlds that periodic ones "
        "hide a reward of states; Rolland et al. (2022) give the rank condition. The "
        "exhibits and the two reasons are ours.",
        seeds=SEEDS,
    ),
]
