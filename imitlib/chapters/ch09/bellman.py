"""Chapter 09, the Bellman backup that lists plans instead of rules."""

from __future__ import annotations

import numpy as np

from imitlib.cirl.belief import given, subsets
from imitlib.cirl.game import random_game
from imitlib.cirl.solvers import adapted, exhaustive
from imitlib.claims import Claim
from imitlib.figures import axes, line

GOALS = tuple(range(2, 9))
HORIZONS = (1, 2, 3, 4)
STATES, HERS, HIS, STEPS = 2, 3, 3, 3
FEW = 6  # goals of the game that is also solved at few points
POINTS = (1, 4, 16, 63)  # of its 63 reachable beliefs
GROWING = 4  # goals of the game whose horizon grows


def some_game(rng, goals, horizon=STEPS, branches=1):
    return random_game(rng, STATES, HERS, HIS, goals, horizon, branches=branches)


def measure_bellman(seed: int) -> dict:
    """Both solvers on one game of each size; few points; longer and longer games."""
    rng = np.random.default_rng(seed)
    out = {"gap": [], "rules": [], "plans": []}
    for goals in GOALS:
        game = some_game(rng, goals)
        whole, plans = exhaustive(game), adapted(game)
        out["gap"].append(abs(whole.value - plans.value))
        out["rules"].append(whole.tried)
        out["plans"].append(plans.tried)
    game = some_game(rng, FEW)
    exact = exhaustive(game).value
    order = [2**FEW - 1, *(1 + rng.permutation(2**FEW - 2))]
    beliefs = [given(game.prior, subsets(FEW)[k]) for k in order]
    rough = [adapted(game, beliefs[:k]) for k in POINTS]
    out["missing"] = [exact - one.value for one in rough]
    out["bound"] = [one.bound for one in rough]
    start = rng.integers(2**31)
    longer = [some_game(np.random.default_rng(start), GROWING, h, 2) for h in HORIZONS]
    both = [(exhaustive(one), adapted(one)) for one in longer]
    out["gap_longer"] = [abs(a.value - b.value) for a, b in both]
    out["rules_longer"] = [a.tried for a, _ in both]
    out["plans_longer"] = [b.tried for _, b in both]
    return out


def bellman_holds(s) -> bool:
    """See the claim's predicate."""
    factors = bellman_derived(s)
    return bool(
        (s["gap"] < 1e-9).all()
        and (s["gap_longer"] < 1e-9).all()
        and factors["rules_factor"] > HERS
        and factors["plans_factor"] < HERS
        and (s["rules"][:, -1] > 10 * s["plans"][:, -1]).all()
        and (s["missing"] > -1e-9).all()
        and (s["missing"] <= s["bound"] + 1e-9).all()
        and s["missing"][:, 0].mean() > 0.1
        and (np.abs(s["missing"][:, -1]) < 1e-9).all()
        and (np.diff(np.log(s["plans_longer"].mean(axis=0)))[1:]
             > np.diff(np.log(s["rules_longer"].mean(axis=0)))[1:]).all()
    )  # fmt: skip


def bellman_derived(s) -> dict:
    """By how much each further goal multiplies what is tried, on average."""

    def factor(name):
        logs = np.log(s[name])
        return float(np.exp((logs[:, -1] - logs[:, 0]).mean() / (GOALS[-1] - GOALS[0])))

    return {"rules_factor": factor("rules"), "plans_factor": factor("plans"),
            "worst_gap": float(max(s["gap"].max(), s["gap_longer"].max()))}  # fmt: skip


def fig_bellman(s):
    """What each solver tries, against the number of goals."""
    fig, ax = axes("goals", "rules or plans tried")
    for name, role, label in (("rules", "harm", "every rule"), ("plans", "learner", "plans")):
        band = s[name].min(axis=0), s[name].max(axis=0)
        line(ax, GOALS, np.exp(np.log(s[name]).mean(axis=0)), role, label, band=band)
    ax.set_yscale("log")
    ax.set_yticks([100, 10_000, 1_000_000], ["100", "10,000", "1,000,000"])
    ax.set_yticks([], minor=True)
    rules, plans = s["rules"].mean(axis=0), np.exp(np.log(s["plans"]).mean(axis=0))
    alt = (
        "Rules or plans tried, on a logarithmic axis, against the number of goals from "
        f"{GOALS[0]} to {GOALS[-1]}. Every rule: a straight line from {rules[0]:,.0f} to "
        f"{rules[-1]:,.0f}. Plans: from {plans[0]:,.0f} to {plans[-1]:,.0f}, with a band from "
        f"the least to the most of {len(s)} seeds."
    )
    return fig, alt


GIVEN = {
    "bellman.least": GOALS[0],
    "bellman.most": GOALS[-1],
    "bellman.states": STATES,
    "bellman.hers": HERS,
    "bellman.his": HIS,
    "bellman.steps": STEPS,
    "bellman.one-backup": HERS ** GOALS[-1] * HIS,
    "bellman.few": FEW,
    "bellman.points": POINTS[-1],
}

CLAIMS = [
    Claim(
        id="cirl-bellman",
        chapter="09",
        statement="Since Hana knows the goal, a backup may list Rollo's plans and let her "
        "answer each, goal by goal: the same value, and none of the |A_H|^|Θ| rules is listed. "
        "How many plans there are still grows, with the horizon above all.",
        predicate="in random games of 2 to 8 goals, and of 1 to 4 steps, both solvers give "
        "one value to 1e-9; each further goal multiplies the rules by more than |A_H| = 3 "
        "and the plans by less, and at 8 goals there are over ten times as many rules on "
        "every seed; with each further step from the third on, plans grow by a larger "
        "factor than rules; kept at few beliefs, the value is never above the optimum nor "
        "further below it than its bound, misses more than 0.1 on average with one belief, "
        "and is exact with all that play can reach",
        holds=bellman_holds,
        measure=measure_bellman,
        derive=bellman_derived,
        headline="plans_factor",
        status="reproduced",
        papers=("malik2018efficient", "pineau2003point"),
        literature="Malik et al. (2018) derive the update and show that it is exact.",
        rtol={name: ("abs", 1e-9) for name in ("gap", "gap_longer", "missing")}
        | {"plans": 0.05, "plans_longer": 0.05, "bound": 1e-6},
        note="Counts are of whole games, with every set of goals; ties between plans may "
        "fall otherwise on another machine. Plans that are nowhere best at a belief that "
        "play can reach are dropped; there are 2^|Θ| - 1 such beliefs, and the plans that "
        "are kept grow with them.",
    )
]
