"""Chapter 02 on horizons: quadratic, linear and none at all are one law.

The same rope three times: a table with rows of its own for every step, one table that
all steps share, and the shared table paid only for what is left at the end.
"""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch02.compounding import log_axes, slope, span, table_clone
from imitlib.claims import Claim
from imitlib.envs import tightrope as rope
from imitlib.figures import axes, line

SEEDS = tuple(range(1000, 1020))
OCTAVES, LEANS = 20, 4
SHOWN_WALKS, WALKED_STEPS = 400, 64_000
COPIES = {False: 8, True: 60}  # a shared table is one draw, a per-step one averages
WALK_HORIZONS = (8, 16, 32, 64)
ARMS = ("per_step", "shared", "shared_end")


def gaps(horizon: int, walks: int, shared: bool, rng) -> tuple[float, float]:
    """Mean gap to the expert of clones of `walks` demonstrations: (dense, at the end).

    Dense: one unit of reward for each step on the rope, so R = horizon. At the end:
    one unit for standing on the rope after the last step, so R = 1.
    """
    dense, end = [], []
    for _ in range(COPIES[shared]):  # as many ropes, sets of demonstrations and clones
        world = rope.build(
            horizon, rope.every_octave(OCTAVES), rng, n_leans=LEANS, shared=shared
        )
        demos = rope.demonstrate(world, walks, rng)
        clone = table_clone(world, demos, rng, shared=shared)
        off = rope.walk(world, clone, WALKED_STEPS // horizon, rng).mean(axis=1)
        dense.append(off.sum())
        end.append(off[-1])
    return float(np.mean(dense)), float(np.mean(end))


def bound(arm: str, horizon: int, walks: int) -> float:
    r"""R log|Π| / n: reward range, log of the number of tables, demonstrated walks."""
    rows = OCTAVES * (horizon if arm == "per_step" else 1)
    most = 1 if arm == "shared_end" else horizon
    return most * rows * np.log(LEANS) / walks


def measure_horizon(seed: int) -> dict:
    """Gap against horizon for the three arms, and against the number of walks."""
    rng = np.random.default_rng(seed)
    n = SHOWN_WALKS
    own = [gaps(h, n, False, rng)[0] for h in WALK_HORIZONS]
    shared = [gaps(h, n, True, rng) for h in WALK_HORIZONS]
    curves = dict(zip(ARMS, (own, *zip(*shared, strict=True)), strict=True))
    out = {}
    for arm, curve in curves.items():
        out[f"gap_{arm}"] = [float(g) for g in curve]
        out[f"slope_{arm}"] = slope(WALK_HORIZONS, curve)
        out[f"share_{arm}"] = [
            float(g / bound(arm, h, n))
            for h, g in zip(WALK_HORIZONS, curve, strict=True)
        ]
    walks = (n // 4, n, 4 * n)
    out["gap_by_walks"] = [gaps(16, k, False, rng)[0] for k in walks]
    out["slope_walks"] = slope(walks, out["gap_by_walks"])
    return out


def shares(s) -> dict:
    """Least and greatest mean share of the bound that a gap uses up."""
    means = np.array([s[f"share_{arm}"].mean(axis=0) for arm in ARMS])
    return {"share.least": float(means.min()), "share.most": float(means.max())}


def horizon_holds(s) -> bool:
    """See the claim's predicate."""
    share = shares(s)
    return (
        1.8 <= s.mean("slope_per_step") <= 2.1
        and 0.8 <= s.mean("slope_shared") <= 1.15
        and abs(s.mean("slope_shared_end")) <= 0.2
        and -1.15 <= s.mean("slope_walks") <= -0.85
        and 0 < share["share.least"] <= share["share.most"] <= 1
        and share["share.most"] < 4 * share["share.least"]
    )


def fig_horizon(s):
    """Gap against horizon: slopes two, one and none out of one law."""
    fig, ax = axes("horizon H", "gap to the expert, in reward")
    looks = {
        "per_step": ("harm", "a table\nper step"),
        "shared": ("learner", "one shared\ntable"),
        "shared_end": ("optimum", "shared, total\nreward ≤ 1"),
    }
    for arm, (role, label) in looks.items():
        mean = s[f"gap_{arm}"].mean(axis=0)
        label += f": {s.mean(f'slope_{arm}'):.2f}".replace("-", "−")
        line(ax, WALK_HORIZONS, mean, role, label, band=span(s, f"gap_{arm}"))
    log_axes(ax, WALK_HORIZONS)
    slopes = [f"{s.mean(f'slope_{arm}'):.2f}" for arm in ARMS]
    alt = (
        f"Gap to the expert against horizon {WALK_HORIZONS[0]} to {WALK_HORIZONS[-1]}, "
        f"both axes logarithmic, {SHOWN_WALKS} demonstrated walks. A table for each "
        f"step rises with slope {slopes[0]}, one shared table with slope {slopes[1]}, "
        f"and with a total reward of at most one the gap stays level: {slopes[2]}."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "horizon-walks": SHOWN_WALKS,
    "horizon-gusts": OCTAVES,
    "horizon-leans": LEANS,
    "horizon-longest": WALK_HORIZONS[-1],
}

CLAIMS = [
    Claim(
        id="bc-horizon-free",
        chapter="02",
        statement="The quadratic, the linear and the horizon-free law of cloning are one: "
        "the gap is at most about R log|Π| / n, with R the range of the total reward.",
        predicate="mean slope of log gap in log horizon between 1.8 and 2.1 for a table "
        "per step, between 0.8 and 1.15 for one shared table, within 0.2 of zero for a "
        "shared table with total reward at most 1; slope in the number of walks between "
        "-1.15 and -0.85; the gap is never above R log|Π| / n, and its share of it varies "
        "by less than a factor of 4 over all three",
        holds=horizon_holds,
        measure=measure_horizon,
        derive=shares,
        headline="slope_shared",
        status="reproduced",
        papers=("rajaraman2020toward", "foster2024behavior"),
        literature="Rajaraman et al. (2020) prove H² / n for tables with a row per step, "
        "with a matching lower bound; Foster, Block and Misra (2024) prove R log|Π| / n "
        "for the logarithmic loss and a deterministic expert.",
        seeds=SEEDS,
        note="A deterministic expert and tables: here every loss gives the same clone, "
        "so nothing is said about the logarithmic loss. The gusts' chances halve one "
        "after the other, which keeps the world hard at every sample size.",
    ),
]
