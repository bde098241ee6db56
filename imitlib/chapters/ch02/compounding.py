"""The star of chapter 02: one error rate, three ways back, two laws of growth.

A lookup table is cloned from sampled walks. Its error rate is measured on other walks
of the expert; from that number alone its cost in closed loop is predicted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imitlib import bc, dagger
from imitlib.claims import Claim
from imitlib.envs import tightrope as rope
from imitlib.figures import ROLES, axes, line

SEEDS = tuple(range(1000, 1020))
HORIZON, RARE_GUSTS, RARE_CHANCE = 256, 100, 0.01
HORIZONS = (8, 16, 32, 64, 128, 256)
EPISODES, MORE_OR_FEWER = 64, (16, 32, 96)
HELD_OUT, WALKERS = 4000, 12_000
DAGGER_ROUNDS = 4
LEARNERS = ("clone_none", "clone_ladder", "clone_easy", "dagger_none", "dagger_ladder")


def slope(x, y) -> float:
    """The exponent p of the power law y = C x^p that fits best on logarithmic axes.

    nan where a value is not positive: nothing grows there.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if (y <= 0).any():
        return float("nan")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def table_clone(world, demos, rng, *, shared=True):
    """A lookup table of what was shown, as a policy.

    What was never seen gets one guess for good, among the actions that were shown: a
    clone cannot choose to climb if it has never seen anybody climb.
    """
    rows = (world.n_gusts + 1) * (1 if shared else world.horizon)
    shown = world.n_leans + int((demos.actions == world.climb).any())
    where = rope.table_index(world, demos.observations, shared=shared)
    table = bc.fit_table(where, demos.actions, rows, shown, rng)
    return lambda seen: table(rope.table_index(world, seen, shared=shared))


def corrected_learner(world, rng):
    """The same table taught by DAgger: as many labelled steps, on its own walks."""
    return dagger.dagger(
        rope.in_world(world, EPISODES // DAGGER_ROUNDS),
        lambda demos, rng: table_clone(world, demos, rng),
        betas=dagger.betas(DAGGER_ROUNDS),
        rng=rng,
    ).clone


def measure_compounding(seed: int) -> dict:
    """Error rates on the expert's states, and costs in closed loop, of one rope.

    One clone walks the rope in three worlds that differ only in the way back. A second
    learner, with as many labelled steps, is corrected by DAgger.
    """
    rng = np.random.default_rng(seed)
    no_way = rope.build(HORIZON, rope.mostly_still(RARE_GUSTS, RARE_CHANCE), rng)
    ladder, easy = (replace(no_way, recovery=way) for way in ("expert", "easy"))
    held_out = rope.demonstrate(no_way, HELD_OUT, rng)

    def cost(world, policy):
        return np.cumsum(rope.walk(world, policy, WALKERS, rng).mean(axis=1))

    def error(policy):
        return 1 - bc.accuracy(policy, held_out)

    clone = table_clone(no_way, rope.demonstrate(no_way, EPISODES, rng), rng)
    corrected = corrected_learner(ladder, rng)
    out = {"error": error(clone), "error_dagger": error(corrected)}
    last, at = {}, np.array(HORIZONS) - 1
    for name in LEARNERS:
        who, way = name.split("_")
        policy, slips = (
            (clone, out["error"])
            if who == "clone"
            else (corrected, out["error_dagger"])
        )
        curve = cost({"none": no_way, "ladder": ladder, "easy": easy}[way], policy)
        recovers = way == "easy" or name == "dagger_ladder"
        predicted = rope.expected_cost(slips, HORIZON, recovers=recovers)[-1]
        last[name] = curve[-1]
        out[f"cost_{name}"] = curve[at].tolist()
        out[f"slope_{name}"] = slope(HORIZONS, curve[at])
        out[f"predicted_{name}"] = float(predicted)
        out[f"surprise_{name}"] = float(curve[-1] / max(predicted, 1e-12))
    out["cost_expert"] = float(cost(ladder, ladder.expert)[-1])
    out["ratio"] = float(last["clone_ladder"] / max(last["dagger_ladder"], 1e-12))
    others = [
        table_clone(no_way, rope.demonstrate(no_way, n, rng), rng)
        for n in MORE_OR_FEWER
    ]
    out["errors"] = [error(policy) for policy in others]
    out["costs"] = [float(cost(no_way, policy)[-1]) for policy in others]
    out["predictions"] = [
        float(rope.expected_cost(e, HORIZON, recovers=False)[-1]) for e in out["errors"]
    ]
    return out


def compounding_holds(s) -> bool:
    """See the claim's predicate."""

    def near(name, low, high):
        return bool(low <= s[name].mean() <= high)

    surprises = np.concatenate(
        [s[f"surprise_{name}"] for name in LEARNERS]
        + [(s["costs"] / np.maximum(s["predictions"], 1e-12)).ravel()]
    )
    return (
        all(near(f"slope_{n}", 1.8, 2.05) for n in ("clone_none", "clone_ladder"))
        and near("slope_dagger_none", 1.8, 2.05)
        and all(near(f"slope_{n}", 0.9, 1.1) for n in ("clone_easy", "dagger_ladder"))
        and bool((s["error"] > 0).all() and (s["error_dagger"] > 0).all())
        and bool((np.abs(surprises - 1) < 0.25).all())
        and bool(s["ratio"].mean() > 30)
        and not s["cost_expert"].any()
    )


def worst(s) -> dict:
    """The largest relative distance of a measured cost from its prediction."""
    learners = np.concatenate([s[f"surprise_{name}"] for name in LEARNERS])
    others = (s["costs"] / s["predictions"]).ravel()
    return {"worst": float(np.abs(np.r_[learners, others] - 1).max())}


# Figures -----------------------------------------------------------------------------


def log_axes(ax, ticks):
    """Both axes logarithmic, the horizons as ticks."""
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()


def span(s, name):
    """Least and greatest sample over the seeds."""
    return s[name].min(axis=0), s[name].max(axis=0)


def fig_compounding(s):
    """Cost against horizon: lines predicted, marks measured, bands all the seeds."""
    fig, ax = axes("steps walked, T", "cost: mean steps off the rope")
    steps = np.arange(HORIZONS[0], HORIZON + 1)
    for name, error, role, label, nudge in (
        ("dagger_ladder", "error_dagger", "person", "DAgger, shown\nthe ladder", 9),
        ("clone_easy", "error", "robot", "clone, anyone\nclimbs back", -13),
        ("clone_ladder", "error", "learner", "clone, ladder\nnever shown", 0),
    ):
        recovers = name != "clone_ladder"
        predicted = np.mean(
            [rope.expected_cost(e, HORIZON, recovers=recovers) for e in s[error]],
            axis=0,
        )
        line(ax, steps, predicted[steps - 1], role, label, marker=False, nudge=nudge)
        _marks(ax, HORIZONS, s[f"cost_{name}"].mean(axis=0), role, size=6)
        ax.fill_between(
            HORIZONS,
            *span(s, f"cost_{name}"),
            color=ROLES[role].color,
            alpha=0.18,
            lw=0,
        )
    log_axes(ax, HORIZONS)
    alt = (
        f"Cost against horizon from {HORIZONS[0]} to {HORIZON} steps, both axes "
        f"logarithmic. The clone that was never shown the ladder rises with slope "
        f"{s.mean('slope_clone_ladder'):.2f} to {s['cost_clone_ladder'][:, -1].mean():.0f} "
        f"steps; where anyone climbs back the same clone rises with slope "
        f"{s.mean('slope_clone_easy'):.2f} to {s['cost_clone_easy'][:, -1].mean():.2f}; "
        f"the learner that DAgger showed the ladder with slope "
        f"{s.mean('slope_dagger_ladder'):.2f}. The measured marks lie on the lines, which "
        f"are predicted from error rates on the expert's walks."
    )
    return fig, alt


def fig_prediction(s):
    """Measured cost divided by the one predicted from the expert's states."""
    fig, ax = axes("predicted cost after all steps", "measured cost / predicted cost")
    for name, role, label in (
        ("clone_ladder", "learner", "clone, ladder never shown"),
        ("clone_easy", "robot", "clone, anyone climbs back"),
        ("dagger_ladder", "person", "DAgger, shown the ladder"),
    ):
        predicted, measured = s[f"predicted_{name}"], s[f"cost_{name}"][:, -1]
        if name == "clone_ladder":  # and the clones of fewer and of more walks
            predicted = np.r_[predicted, s["predictions"].ravel()]
            measured = np.r_[measured, s["costs"].ravel()]
        _marks(ax, predicted, measured / predicted, role, label=label)
    ax.axhline(1, color="#5B626C", lw=0.9, zorder=0)
    ax.set_xscale("log")
    ax.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    ax.minorticks_off()
    ax.set_ylim(0.5, 1.5)
    ax.legend(frameon=False, loc="lower left", fontsize=9, handletextpad=0.2)
    alt = (
        f"Measured over predicted cost after {HORIZON} steps, one mark for each learner "
        f"and seed, against predicted costs from {s['predicted_clone_easy'].min():.2f} to "
        f"{s['predictions'].max():.0f}. All lie about 1: the farthest is "
        f"{100 * worst(s)['worst']:.0f} percent off."
    )
    return fig, alt


def _marks(ax, x, y, role, *, size=4.5, label=None):
    look = ROLES[role]
    ax.plot(x, y, look.marker, color=look.color, ms=size, alpha=0.8, label=label)


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "rope-horizon": HORIZON,
    "rope-rare-gusts": RARE_GUSTS,
    "rope-rare-chance": RARE_CHANCE,
    "rope-demonstrations": EPISODES,
    "rope-held-out": HELD_OUT,
    "rope-walkers": WALKERS,
    "rope-dagger-rounds": DAGGER_ROUNDS,
}

CLAIMS = [
    Claim(
        id="bc-compounding",
        chapter="02",
        statement="With the error rate on the expert's states held fixed, cost grows as "
        "the square of the horizon where the learner cannot get back, and linearly where "
        "it gets back in a step or two. A way back that only the expert knows is what "
        "DAgger exploits.",
        predicate="mean slope of log cost in log horizon (8 to 256 steps) between 1.8 and "
        "2.05 for the clone without a way back and for the one never shown the ladder, and "
        "for DAgger's learner when its ladder is taken away; between 0.9 and 1.1 where "
        "anyone climbs back and for DAgger with the ladder; every cost at 256 steps within 25 % "
        "of the cost predicted from the error rate measured on held-out walks of the "
        "expert; clone / DAgger > 30; the expert's cost 0",
        holds=compounding_holds,
        measure=measure_compounding,
        derive=worst,
        headline="slope_clone_ladder",
        status="reproduced",
        papers=("ross2010efficient", "ross2011reduction"),
        literature="Ross and Bagnell (2010) prove the bound ε T² for cloning and show a "
        "world that attains it; Ross, Gordon and Bagnell (2011) prove u T ε for a "
        "policy among DAgger's, with ε the error where the learners walk and u what a "
        "mistake costs an expert who takes over.",
        seeds=SEEDS,
        note="The exact law at a constant rate is Σ 1 - (1 - ε)^t. Its slope is below 2: "
        "at short ropes the sum is T (T + 1) / 2, not T² / 2, and at long ones who is off "
        "already cannot fall again; ε T is kept near 0.4 at the longest. DAgger's "
        "own ε is no smaller than the clone's.",
    ),
]
