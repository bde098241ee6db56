"""How many rewards fit: a cone for whoever is always right, a family for whoever is not.

The cone of an optimal policy is found by hit-and-run, where guessing finds nothing. The
family of a soft policy is written down, and what else is invisible is counted.
"""

from __future__ import annotations

import numpy as np

from imitlib import planning
from imitlib.claims import Claim
from imitlib.envs.grid import neighbours
from imitlib.figures import MUTED, ROLES, axes
from imitlib.irl.ng_russell import constraints
from imitlib.mdp import MDP
from imitlib.planning.optimal import q_values, value_iteration
from imitlib.planning.soft import soft_value_iteration
from imitlib.rewards import shaping

SEEDS = tuple(range(1000, 1010))
SIDE, SLIP, DISCOUNT, TEMPERATURE = 5, 0.1, 0.9, 0.5
GUESSES, WALK, THIN, MEMBERS, KEPT = 20_000, 100, 50, 20, 40
STEP = 1e-3  # of the finite differences


def square(goal: int, closed=(), slip: float = SLIP) -> MDP:
    """A square of cells: four moves that may slip aside, and staying. The goal pays 1.

    Nobody enters a `closed` cell.
    """
    here = np.arange(SIDE * SIDE)
    ahead = neighbours(here.reshape(SIDE, SIDE))
    ahead = np.where(np.isin(ahead, closed), here[:, None], ahead)
    chance = np.zeros((len(here), 5, len(here)))
    for aside, weight in ((0, 1 - slip), (1, slip / 2), (-1, slip / 2)):
        for a in range(4):
            np.add.at(chance[:, a], (here, ahead[:, (a + aside) % 4]), weight)
    chance[here, 4, here] = 1
    start = ~np.isin(here, closed) / (len(here) - len(closed))
    return MDP(chance, (here == goal).astype(float), DISCOUNT, start)


def drawn(rng) -> tuple[MDP, MDP]:
    """Today's square with a goal that is drawn; tomorrow's, with a fence and one gap."""
    goal = int(rng.choice([c for c in range(SIDE * SIDE) if c // SIDE != SIDE // 2]))
    fence = SIDE * (SIDE // 2) + np.delete(np.arange(SIDE), rng.integers(SIDE))
    return square(goal), square(goal, fence)


def regret(mdp: MDP, reward) -> np.ndarray:
    """What is lost by planning for each reward (n, S, A): 0 best, 1 as bad as chance."""
    best = planning.expected_return(mdp, value_iteration(mdp).policy)
    chance = planning.expected_return(mdp, np.full(mdp.reward.shape, 1 / mdp.n_actions))
    plans = value_iteration(mdp, reward=reward).policy
    got = np.array([planning.expected_return(mdp, policy) for policy in plans])
    return (best - got) / (best - chance)


def measure_cone(today: MDP, tomorrow: MDP, rng) -> dict:
    """The rewards of states under which today's best policy is best."""
    policy = value_iteration(today).policy
    rows = constraints(today, policy)
    guesses = rng.normal(size=(GUESSES, today.n_states))
    start, radius = shaping.roomiest(rows)
    walked = shaping.hit_and_run(rows, start, WALK, rng, thin=THIN)
    paid = np.repeat(walked[:, :, None], today.n_actions, axis=2)
    values = planning.evaluate(today, policy, reward=paid)
    gain = q_values(today, values, paid).max(axis=-1) - values
    truth = today.reward[:, 0]
    lost = regret(tomorrow, paid[-KEPT:])
    alike = np.array([np.corrcoef(r, truth)[0, 1] for r in walked])
    return {
        "zero_inside": float((rows @ np.zeros(today.n_states)).min()),
        "guesses_inside": float((guesses @ rows.T >= -1e-9).all(axis=1).sum()),
        "walked_inside": float((gain.max(axis=1) < 1e-9).mean()),
        "radius": radius,
        "directions": float(np.linalg.matrix_rank(walked - walked.mean(axis=0))),
        "likeness": float(np.median(alike)),
        "likeness_each": alike[-KEPT:].tolist(),
        "lost_today": float(np.abs(regret(today, paid[-KEPT:])).max()),
        "lost": float(lost.mean()),
        "lost_least": float(lost.min()),
        "lost_most": float(lost.max()),
        "lost_each": lost.tolist(),
    }


def invisible(mdp: MDP, reward, temperature: float) -> np.ndarray:
    r"""Singular values of :math:`d \log \pi / d r`, by differences through the planner."""
    pairs = np.eye(reward.size).reshape(-1, *reward.shape) * STEP
    asked = reward + np.concatenate([pairs, -pairs])
    log_pi = np.log(soft_value_iteration(mdp, temperature, reward=asked, tol=1e-12).policy)
    up, down = log_pi.reshape(2, reward.size, -1)
    return (up - down).T / (2 * STEP)


def nullity(jacobian) -> int:
    """How many directions change nothing."""
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    return int(jacobian.shape[1] - (sizes > 1e-5 * sizes[0]).sum())


def measure_family(today: MDP, rng) -> dict:
    """The rewards of pairs under which the soft policy for a drawn reward is soft-best."""
    reward = rng.normal(size=today.reward.shape)
    policy = soft_value_iteration(today, TEMPERATURE, reward=reward, tol=1e-13).policy

    def differs(rewards, temperature=TEMPERATURE):
        plans = soft_value_iteration(today, temperature, reward=rewards, tol=1e-13)
        return float(np.abs(plans.policy - policy).max())

    values = 5 * rng.normal(size=(MEMBERS, today.n_states))
    members = shaping.explaining_reward(today, policy, values, TEMPERATURE)
    beside = members + 0.01 * rng.normal(size=members.shape)
    chance = today.dense()
    moved = rng.normal(size=chance.shape)  # from one outcome of an action to another
    moved -= (chance * moved).sum(axis=2, keepdims=True)
    paid = reward[:, :, None] + moved
    slope = invisible(today, reward, TEMPERATURE)
    possible = chance.ravel() > 0
    pair = np.repeat(np.arange(reward.size), today.n_states)[possible]
    on_transitions = slope[:, pair] * chance.ravel()[possible]
    with_temperature = np.c_[slope, -(slope @ reward.ravel()) / TEMPERATURE]
    return {
        "members_differ": differs(members),
        "beside_differ": differs(beside),
        "spread": float(np.abs(members - members.mean(axis=0)).max()),
        "redistributed_differ": differs(today.with_reward(paid).reward),
        "scaled_differ": differs(2 * reward, 2 * TEMPERATURE),
        "open": float(nullity(slope)),
        "open_cells": float(nullity(slope.reshape(len(slope), *reward.shape).sum(axis=2))),
        "open_transitions": float(nullity(on_transitions)),
        "open_expected": float(possible.sum() - reward.size + today.n_states),
        "open_temperature": float(nullity(with_temperature)),
        "states": float(today.n_states),
    }


def measure_many(seed: int) -> dict:
    """The cone and the family in a square whose goal is drawn."""
    rng = np.random.default_rng(seed)
    today, tomorrow = drawn(rng)
    return measure_cone(today, tomorrow, rng) | measure_family(today, rng)


def many_holds(s) -> bool:
    """See the claim's predicate."""
    return bool(
        (s["zero_inside"] >= 0).all() and s["guesses_inside"].mean() < 20
        and (s["walked_inside"] == 1).all() and (s["directions"] == s["states"]).all()
        and s["lost_today"].max() < 1e-6
        and (s["lost_most"] - s["lost_least"] > 0.05).all() and s["lost"].mean() > 0.02
        and s["members_differ"].max() < 1e-10 and s["spread"].min() > 1
        and s["beside_differ"].min() > 1e-4
        and s["redistributed_differ"].max() < 1e-10 and s["scaled_differ"].max() < 1e-10
        and (s["open"] == s["states"]).all()
        and (s["open_transitions"] == s["open_expected"]).all()
        and (s["open_cells"] == 1).all()
        and (s["open_temperature"] == s["states"] + 1).all()
    )


# Figures -----------------------------------------------------------------------------


def total(s) -> dict:
    """Over all seeds: the guesses, and those of them that were right."""
    return {"guesses": float(GUESSES * len(s)), "guesses_right": float(s["guesses_inside"].sum()),
            "lost_worst": float(s["lost_most"].max())}


def fig_cone(s):
    """Each reward that explains her: how like the truth it is, what it loses tomorrow."""
    fig, ax = axes("correlation with what she wants", "lost after the change (1: as chance)")
    look = ROLES["learner"]
    ax.plot(s["likeness_each"].ravel(), s["lost_each"].ravel(), look.marker,
            color=look.color, ms=3.5, alpha=0.45)  # fmt: skip
    ax.axhline(0, color=ROLES["optimum"].color, lw=2, ls=ROLES["optimum"].dash, zorder=0)
    ax.axhline(1, color=ROLES["random"].color, lw=1.4, ls=ROLES["random"].dash, zorder=0)
    for y, words in ((-0.08, "all of them before the change: nothing"), (1.06, "as bad as chance")):
        ax.annotate(words, (0.02, y), xycoords=("axes fraction", "data"), color=MUTED,
                    fontsize=10, va="center")
    ax.set_ylim(-0.15, 1.15)
    alt = (
        "Scatter of rewards that make her steps the best ones: horizontal, the "
        f"correlation with what she wants (median {s.mean('likeness'):.2f}); vertical, "
        "what planning for the reward loses in the changed world, from 0 for nothing to 1 "
        f"for as much as chance. Before the change all lose 0. After it they lose "
        f"{s.mean('lost'):.2f} on average, and from {abs(s['lost_least'].min()):.2f} to "
        f"{s['lost_most'].max():.2f}, however like the truth they are."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "cone-guesses": GUESSES,
    "cone-walked": WALK,
    "cone-side": SIDE,
    "cone-slip": SLIP,
    "family-members": MEMBERS,
}

CLAIMS = [
    Claim(
        id="ill-many-rewards",
        chapter="07",
        statement="Many rewards explain the same behaviour. An optimal policy leaves a "
        "full-dimensional cone, which contains the reward 0 and which random guessing hardly "
        "ever finds; a soft policy of known temperature leaves one open number for each "
        "state, and rewards on transitions or an unknown temperature leave more.",
        predicate="cone: the reward 0 is in it, fewer than one in a thousand of "
        "20,000 Gaussian guesses are, all of 100 points of a hit-and-run walk are; they span "
        "all 25 directions, lose nothing before the change (below 1e-6), and after it lose "
        "different amounts (mean above 0.02, a range above 0.05 in every world). Family: "
        "policies of 20 members equal within 1e-10 although entries differ by more than 1, "
        "policies of rewards 0.01 beside it not (above 1e-4); the same within 1e-10 for "
        "reward moved between the outcomes of an action, and for twice the reward at twice "
        "the temperature; the derivative of log π has nullity S, for one number a cell 1, on "
        "transitions as many more as there are possible transitions beyond S·A, with "
        "unknown temperature S + 1",
        holds=many_holds,
        measure=measure_many,
        derive=total,
        headline="open",
        status="reproduced",
        papers=("ng2000algorithms", "cao2021identifiability", "skalse2023invariance"),
        literature="Ng and Russell (2000) characterise the cone; Cao, Cohen and Szpruch "
        "(2021) the family; Skalse and others (2023) the redistribution between next "
        "states.",
        source="[A]",
        seeds=SEEDS,
        rtol={
            "likeness_each": ("abs", 0.25), "lost_each": ("abs", 0.2), "likeness": ("abs", 0.1),
            "lost": ("abs", 0.1), "lost_least": ("abs", 0.06), "lost_most": ("abs", 0.2),
            "lost_today": ("abs", 1e-6), "radius": 1e-4, "members_differ": ("abs", 1e-10),
            "redistributed_differ": ("abs", 1e-10), "scaled_differ": ("abs", 1e-10),
        },
        note="A square of 5 × 5 cells, a tenth of the moves go aside, discount 0.9; the "
        "goal is drawn. The change is a fence through the middle with one gap. That the "
        "walk has found the cone's shape is not claimed: it shows members, and how much "
        "they differ.",
    ),
]
