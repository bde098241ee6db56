"""Chapter 09, the Bellman backup that lists plans instead of rules."""

from __future__ import annotations

import numpy as np

from imitlib.cirl.belief import given, subsets
from imitlib.cirl.game import random_game
from imitlib.cirl.plans import adapted
from imitlib.cirl.solvers import exhaustive
from imitlib.claims import Claim
from imitlib.figures import axes, line

GOALS = tuple(range(2, 9))
HORIZONS = (1, 2, 3, 4)
STATES, HERS, HIS, STEPS = 2, 3, 3, 3
FEW = 6  # goals of the game that is also solved at few points
POINTS = (1, 4, 16, 63)  # of its 63 reachable beliefs
GROWING = 4  # goals of the game whose horizon grows
MANY, MANY_GOALS = 6, (2, 3, 4, 5, 6)  # actions of hers, where she has more of them
TEMPERATURES = (0.3, 1.0, 3.0)  # of a Hana who errs
LOSSY = (0.5, 0.5, 0.2)  # of small games, at each temperature, that dropping plans hurts
NOISY, NOISY_HERS, NOISY_HIS = 10, 2, 2  # games of two goals for her, and their actions


def some_game(rng, goals, horizon=STEPS, branches=1, hers=HERS, his=HIS):
    return random_game(rng, STATES, hers, his, goals, horizon, branches=branches)


def noisy_values(game) -> list:
    """(T, 2): the best of all plans for a Hana who errs, and of those not dropped."""
    points = [given(game.prior, goals) for goals in subsets(game.n_goals)[1:]]
    return [[adapted(game, None, t).value, adapted(game, points, t).value] for t in TEMPERATURES]


def measure_bellman(seed: int) -> dict:
    """Both solvers on one game of each size; few points; longer games; more actions; errors."""
    rng = np.random.default_rng(seed)
    out = {"gap": [], "rules": [], "plans": [], "scores": []}
    for goals in GOALS:
        game = some_game(rng, goals)
        whole, plans = exhaustive(game), adapted(game)
        out["gap"].append(abs(whole.value - plans.value))
        out["rules"].append(whole.tried)
        out["plans"].append(plans.tried)
        out["scores"].append(plans.scored)
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
    out["scores_longer"] = [b.scored for _, b in both]
    many = [adapted(some_game(rng, goals, hers=MANY)) for goals in MANY_GOALS]
    out["scores_many"] = [one.scored for one in many]
    noisy = np.array([noisy_values(some_game(rng, 2, hers=NOISY_HERS, his=NOISY_HIS))
                      for _ in range(NOISY)])  # fmt: skip
    lost = noisy[..., 0] - noisy[..., 1]
    out["noisy_lost"] = lost.mean(axis=0).tolist()
    out["noisy_lossy"] = (lost > 1e-9).mean(axis=0).tolist()
    out["noisy_least"] = float(lost.min())
    out["noisy_value"] = noisy[..., 0].mean(axis=0).tolist()
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
        and factors["scores_factor"] > HERS
        and factors["rules_many_factor"] > factors["scores_many_factor"] + 0.5
        and factors["scores_many_factor"] > HERS
        and (s["noisy_least"] > -1e-9).all()
        and (s["noisy_lossy"].mean(axis=0) > LOSSY).all()
        and s["noisy_lost"].mean(axis=0)[TEMPERATURES.index(1.0)] > 0.05
        and (s["missing"] > -1e-9).all()
        and (s["missing"] <= s["bound"] + 1e-9).all()
        and s["missing"][:, 0].mean() > 0.1
        and (np.abs(s["missing"][:, -1]) < 1e-9).all()
        and (np.diff(np.log(s["plans_longer"].mean(axis=0)))[1:]
             > np.diff(np.log(s["rules_longer"].mean(axis=0)))[1:]).all()
    )  # fmt: skip


def bellman_derived(s) -> dict:
    """By how much each further goal multiplies what is tried, on average."""

    def factor(counts, goals=GOALS):
        logs = np.log(counts)
        return float(np.exp((logs[..., -1] - logs[..., 0]).mean() / (goals[-1] - goals[0])))

    many = (MANY + 1.0) ** np.array(MANY_GOALS) - 1  # times states, steps and his actions
    return {"rules_factor": factor(s["rules"]), "plans_factor": factor(s["plans"]),
            "scores_factor": factor(s["scores"]), "rules_many_factor": factor(many, MANY_GOALS),
            "scores_many_factor": factor(s["scores_many"], MANY_GOALS),
            "worst_gap": float(max(s["gap"].max(), s["gap_longer"].max()))}  # fmt: skip


def fig_bellman(s):
    """What each solver tries and scores, against the number of goals."""
    fig, ax = axes("goals", "rules or plans tried, scores")
    for name, role, label, nudge in (("rules", "harm", "every rule", -7),
                                     ("scores", "person", "plan × belief", 7),
                                     ("plans", "learner", "plans", 0)):  # fmt: skip
        band = s[name].min(axis=0), s[name].max(axis=0)
        line(ax, GOALS, np.exp(np.log(s[name]).mean(axis=0)), role, label, band=band,
             nudge=nudge)  # fmt: skip
    ax.set_yscale("log")
    ax.set_yticks([100, 10_000, 1_000_000], ["100", "10,000", "1,000,000"])
    ax.set_yticks([], minor=True)
    ends = {name: np.exp(np.log(s[name]).mean(axis=0))[[0, -1]] for name in
            ("rules", "plans", "scores")}  # fmt: skip
    words = {name: f"from {low:,.0f} to {high:,.0f}" for name, (low, high) in ends.items()}
    alt = (
        "Rules or plans tried, and products of a plan and a belief, on a logarithmic axis, "
        f"against the number of goals from {GOALS[0]} to {GOALS[-1]}. Every rule: a straight "
        f"line {words['rules']}. Plans: {words['plans']}. Plan times belief: "
        f"{words['scores']}, about as steep as the rules. Lines are geometric means, bands "
        f"from the least to the most of {len(s)} seeds."
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
    "bellman.many": MANY,
    "bellman.many-goals": MANY_GOALS[-1],
    "bellman.noisy": NOISY,
}

CLAIMS = [
    Claim(
        id="cirl-bellman",
        chapter="09",
        statement="Since Hana knows the goal, a backup may list Rollo's plans and let her "
        "answer each, goal by goal: the same value, and none of the |A_H|^|Θ| rules is listed. "
        "Plans tried grow less with the goals, but each is scored at every belief that is kept, "
        "and with three actions of hers the scores grow as fast as the rules; with six, less. "
        "If she errs with odds e^(Q/temperature), dropping plans that are nowhere best is no "
        "longer exact.",
        predicate="in random games of 2 to 8 goals, and of 1 to 4 steps, both solvers give "
        "one value to 1e-9; each further goal multiplies the rules by more than |A_H| = 3 "
        "and the plans by less, and at 8 goals there are over ten times as many rules on "
        "every seed; it multiplies the scores by more than 3, and where |A_H| is 6, from 2 to "
        "6 goals, by more than 3 but by at least 0.5 less than the rules; with each further "
        "step from the third on, plans grow by a larger "
        "factor than rules; kept at few beliefs, the value is never above the optimum nor "
        "further below it than its bound, misses more than 0.1 on average with one belief, "
        "and is exact with all that play can reach; for a Hana who errs, keeping plans only "
        "where they are best at the prior on a set of goals never exceeds the best of all "
        "plans, loses in more than half of small games at temperatures 0.3 and 1 and in more than "
        "0.2 at 3, and more than 0.05 on average at 1",
        holds=bellman_holds,
        measure=measure_bellman,
        derive=bellman_derived,
        headline="plans_factor",
        status="reproduced",
        papers=("malik2018efficient", "pineau2003point"),
        literature="Malik et al. (2018) derive the update and show that it is exact; they also "
        "let in a person who errs.",
        rtol={name: ("abs", 1e-9) for name in ("gap", "gap_longer", "missing")}
        | {"plans": 0.05, "plans_longer": 0.05, "bound": 1e-6}
        | {"scores": 0.05, "scores_longer": 0.05, "scores_many": 0.05}
        | {"noisy_lossy": ("abs", 0.101), "noisy_least": ("abs", 1e-9),
           "noisy_lost": ("abs", 1e-3)},
        note="Counts are of whole games, with every set of goals; ties between plans may "
        "fall otherwise on another machine. Plans that are nowhere best at a belief that "
        "play can reach are dropped; there are 2^|Θ| - 1 such beliefs, and the plans that "
        "are kept grow with them. A score is a sum over the goals, as is the worth of a rule. The "
        "games for a Hana who errs have 2 states, 2 actions of each, 2 goals and 3 steps, 10 a "
        "seed; plans are deterministic, and Rollo keeps to what it planned.",
    )
]
