"""Chapter 04: a crowd cloned into one, and when the likeliest move beats everybody.

Two tasks of many steps. On Loaf Street twenty-five carts each have their own bad habits: a
share ρ of them is common to all. On the square everybody is good, and each has a taste
of their own among ways that are equally short; but everybody stops now and then.
"""

from __future__ import annotations

import numpy as np

from imitlib import bc, elicit, planning
from imitlib.claims import Claim
from imitlib.envs.town import Town
from imitlib.figures import INK, ROLES, axes, line
from imitlib.tabular_experts import optimal, walk

SEEDS = tuple(range(1000, 1020))
TEMPERATURES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
CROWD, HABIT, SLIP, CROWDS = 25, 0.4, 0.9, 6
SHARES = (0.0, 0.25, 0.5, 1.0)
SHOWN, SHORT, LONG, IN_TIME = 800, 2, 12, 20  # decisions of each expert, in walks of
SIDE, STOPS, SQUARE_TIME, TASTES = 6, 0.4, 40, (1, 2, 5, 15)


def arrives(mdp, policy, within):
    """The chance to be at the end after so many steps."""
    where = planning.state_distributions(mdp, policy, within + 1)[-1]  # step 0 is the first
    return float(where[mdp.terminal].sum())


def pooled(mdp, experts, episodes, steps, rng):
    """One table, counted from the walks of all: the clone with the least log loss."""
    walks = [walk(mdp, expert, episodes, steps, rng) for expert in experts]
    states, actions = (
        np.concatenate([getattr(one, what) for one in walks])
        for what in ("observations", "actions")
    )
    return bc.fit_table(states, actions, mdp.n_states, mdp.n_actions)


def curve(mdp, clone, within):
    """The clone's chance to arrive at each temperature, coldest first."""
    return [arrives(mdp, elicit.sharpen(clone.policy, tau), within)
            for tau in TEMPERATURES]


# Loaf Street, and its bad habits ------------------------------------------------------


def loaf_street():
    """Rollo's way to door 2, from anywhere, with no roadworks."""
    return Town("rollo", door=2).mdp("true", start="anywhere")


def _wrong(best, rng):
    """For each state one move that is not the best, of ten."""
    return (best + rng.integers(1, 10, size=len(best))) % 10


def with_habits(mdp, best, shared, common, rng):
    """An expert who in 40 % of the states mostly makes one wrong move, always the same.

    Where `common` holds, the habit is everybody's (`shared`), elsewhere her own.
    """
    own = rng.random(mdp.n_states) < HABIT, _wrong(best, rng)
    bad, move = (np.where(common, *both) for both in zip(shared, own))
    policy = np.eye(mdp.n_actions)[best]
    policy[bad] *= 1 - SLIP
    policy[np.flatnonzero(bad), move[bad]] += SLIP
    return policy


def by_habits(share, rng):
    """One crowd: its experts' arrivals, and its pooled clone's at each temperature.

    The clone is made from short walks, and once more from as many decisions in long ones.
    """
    mdp = loaf_street()
    best = optimal(mdp).argmax(axis=1)
    shared = rng.random(mdp.n_states) < HABIT, _wrong(best, rng)
    common = rng.random(mdp.n_states) < share
    experts = [with_habits(mdp, best, shared, common, rng) for _ in range(CROWD)]
    alone = [arrives(mdp, expert, IN_TIME) for expert in experts]
    short, long = (
        curve(mdp, pooled(mdp, experts, SHOWN // steps, steps, rng), IN_TIME)
        for steps in (SHORT, LONG)
    )
    return np.mean(alone), np.max(alone), short, long


# The square, and its tastes -----------------------------------------------------------


def square():
    """An open square: the bakery in one corner, the door in the opposite one."""
    board = [["."] * SIDE for _ in range(SIDE)]
    board[0][0], board[-1][-1] = "B", "1"
    town = Town("rollo", door=1, map="\n".join(map("".join, board)), roadworks=())
    return town, town.mdp("true")


def with_taste(town, mdp, rng):
    """An expert who prefers east or south, cell by cell, and stops in 40 % of the steps."""
    east, south, wait = (town.moves.index(m) for m in ("east", "south", "wait"))
    rows, columns = town.cells[town.parts(np.arange(mdp.n_states))[3]].T
    likes = rng.random(mdp.n_states) < 0.5
    goes = np.where((likes & (columns < SIDE - 1)) | (rows == SIDE - 1), east, south)
    policy = (1 - STOPS) * np.eye(mdp.n_actions)[goes]
    policy[:, wait] += STOPS
    return policy


def by_tastes(rng):
    """The pooled clone of one, two, five and fifteen good experts."""
    town, mdp = square()
    out = {"square_cold": [], "square_warm": []}
    alone = []
    for n in TASTES:
        experts = [with_taste(town, mdp, rng) for _ in range(n)]
        alone += [arrives(mdp, expert, SQUARE_TIME) for expert in experts]
        clone = pooled(mdp, experts, 20 * max(TASTES) // n, SQUARE_TIME, rng)
        at = curve(mdp, clone, SQUARE_TIME)
        out["square_cold"].append(at[0])
        out["square_warm"].append(at[-1])
    return out | {"square_curve": at, "square_worst_expert": min(alone)}


def measure_crowd(seed: int) -> dict:
    """Both tasks: arrival of experts and of pooled clones, by temperature."""
    rng = np.random.default_rng(seed)
    out = {"mean_expert": [], "best_expert": [], "cold": [], "warm": []}
    for share in SHARES:
        crowds = [by_habits(share, rng) for _ in range(CROWDS)]
        mean, best, short, long = (np.mean(part, axis=0) for part in zip(*crowds))
        out["mean_expert"].append(float(mean))
        out["best_expert"].append(float(best))
        out["cold"].append(float(short[0]))
        out["warm"].append(float(short[-1]))
        if share == 0:
            curves = {"street_curve": short.tolist(), "long_curve": long.tolist()}
            curves |= {"street_cold": float(short[0]), "street_best": float(best)}
    return out | curves | by_tastes(rng)


def crowd_holds(s) -> bool:
    """See the claim's predicate."""
    cold, mean = s["cold"].mean(axis=0), s["mean_expert"].mean(axis=0)
    best, warm = s["best_expert"].mean(axis=0), s["warm"].mean(axis=0)
    square = s["square_cold"]
    return bool(
        (s["street_cold"] > s["street_best"]).all()
        and cold[0] > 0.95
        and (cold[1:] < best[1:]).all()
        and cold[-1] < mean[-1] - 0.05
        and (np.abs(warm[-1] - mean[-1]) < 0.05)
        and best[0] > mean[0] + 0.1
        and s["long_curve"][:, 0].mean() < cold[0] - 0.2
        and (s["square_worst_expert"] > 0.99).all()
        and (square[:, 0] > 0.99).all()
        and (square[:, -1] < 0.05).all()
        and (s["square_curve"][:, -1] > 0.95).all()
    )


# Figures -----------------------------------------------------------------------------


def fig_crowd(s):
    """Arrival against temperature: a crowd of bad habits, and a crowd of good tastes."""
    fig, ax = axes("temperature", "arrives in time")
    for name, role, label, nudge in (
        ("square_curve", "robot", "good,\nmany tastes", 8),
        ("street_curve", "learner", "bad, each\nits own way", 0),
    ):
        band = s[name].min(axis=0), s[name].max(axis=0)
        line(ax, TEMPERATURES, s[name].mean(axis=0), role, label, band=band, nudge=nudge)
    best = s.mean("street_best")
    ax.axhline(best, color=ROLES["person"].color, lw=1.2, zorder=0)
    ax.text(1.0, best - 0.03, "best of the bad experts", va="top", ha="right", color=INK)
    ax.axhline(1, color=ROLES["expert"].color, lw=1.0, ls=ROLES["expert"].dash, zorder=0)
    ax.text(0.42, 1.02, "every good expert", va="bottom", color=INK)
    ax.set_ylim(0, 1.12)
    a, b = (s[n].mean(axis=0) for n in ("street_curve", "square_curve"))
    alt = (
        f"Chance to arrive in time against temperature, 0 to 1. The crowd with bad habits "
        f"of its own: {a[0]:.2f} at temperature 0, {a[-1]:.2f} at 1, best expert "
        f"{best:.2f}. The crowd of good experts with different tastes: {b[0]:.2f} at 0, "
        f"{b[-1]:.2f} at 1, where every expert alone arrives."
    )
    return fig, alt


def fig_bias(s):
    """The likeliest move against the share of habits that all have in common."""
    fig, ax = axes("share of habits that are common", "arrives in time")
    for name, role, label, nudge in (
        ("cold", "learner", "clone,\nlikeliest", -6),
        ("best_expert", "person", "best\nexpert", 14),
        ("mean_expert", "expert", "", 0),
    ):
        line(ax, SHARES, s[name].mean(axis=0), role, label, nudge=nudge)
    ax.text(0.03, s["mean_expert"].mean(axis=0)[0] - 0.03, "mean expert", va="top", color=INK)
    ax.set_ylim(0, 1.05)
    c, m = s["cold"].mean(axis=0), s["mean_expert"].mean(axis=0)
    alt = (
        f"Chance to arrive in time against the share of bad habits that all experts have in "
        f"common, 0 to 1. The clone's likeliest moves fall from {c[0]:.2f}, above the best "
        f"expert, to {c[-1]:.2f}, below the mean expert's {m[-1]:.2f}."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "crowd-experts": CROWD,
    "crowd-habit": HABIT,
    "crowd-slip": SLIP,
    "crowd-steps": IN_TIME,
    "crowd-short": SHORT,
    "crowd-long": LONG,
    "square-stops": STOPS,
    "square-each": (1 - STOPS) / 2,
    "square-side": SIDE,
    "square-steps": SQUARE_TIME,
    "square-crowd": TASTES[-1],
}

CLAIMS = [
    Claim(
        id="ua-transcendence",
        chapter="04",
        statement="Decoded at a low temperature, the clone of a crowd beats everybody "
        "in it where the crowd's mistakes differ and its right answers agree; it is "
        "worse than everybody where the right answers differ and the mistake is the "
        "same. What the crowd has in common stays.",
        predicate="on Loaf Street, likeliest moves arrive more often than the best "
        "expert when habits are their own (every seed; mean > 0.95; best expert above "
        "the mean one by 0.1), less often than the best expert with every larger "
        "share of common habits, and below the mean expert by 0.05 when all are "
        "common, where the drawn clone is within 0.05 of her; from long walks less "
        "often than from short ones by 0.2. On the square, for every seed, every "
        "expert alone arrives (> 0.99), and so do the likeliest moves of one expert's "
        "clone; of fifteen's < 0.05; the drawn clone of fifteen > 0.95",
        holds=crowd_holds,
        measure=measure_crowd,
        headline="street_cold",
        seeds=SEEDS,
        status="ours",
        papers=("zhang2024transcendence",),
        literature="Zhang and others (2024) name the effect transcendence, show it "
        "for chess at a low temperature, and give diversity of the experts as its "
        "condition.",
        note="Arrival is computed, not sampled. Ties share the chance. The experts of "
        "the square go east or south, which is equally short, and wait in 40 % of the "
        "steps: a wait has two fifths of the votes, each way three tenths.",
    ),
]
