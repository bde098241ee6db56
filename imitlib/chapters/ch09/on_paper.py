"""What chapter 09 draws by hand: two walks, who knows what, two orders, and a slider."""

from __future__ import annotations

import numpy as np

from imitlib import planning
from imitlib.cirl import off_switch
from imitlib.cirl.assistance import OneShot
from imitlib.envs.town import REWARDS, Town
from imitlib.envs.town_picture import fig_town
from imitlib.figures import CELL, INK, ROLES, axes, line

# The hook ------------------------------------------------------------------------------

DOORS = (1, 2)


def best_walk(door: int) -> list:
    """The cells of Hana's best walk to a door, no barrier standing."""
    town = Town("hana", door=door)
    mdp = town.mdp("true")
    plan, state = planning.value_iteration(mdp), int(mdp.start.argmax())
    cells = [town.cell(state)]
    while not town.ending[state]:
        state = int(mdp.transitions[state, plan.policy[state].argmax()])
        cells.append(town.cell(state))
    return cells


def shared(one, other) -> int:
    """How many moves two walks have in common before they part."""
    same = [a == b for a, b in zip(one, other)]
    return (same.index(False) if False in same else len(same)) - 1


def fig_hook():
    """The best walks to two doors, on top of each other for most of the way."""
    walks = [best_walk(door) for door in DOORS]
    routes = [(cells, role, f"best walk to door {door}")
              for cells, role, door in zip(walks, ("person", "expert"), DOORS)]  # fmt: skip
    fig, _ = fig_town(Town("hana", door=DOORS[0]), routes=routes, rollo=walks[0][0])
    alt = (
        f"Loaf Street. Hana's best walks from the bakery to door {DOORS[0]} and to door "
        f"{DOORS[1]} share their first {shared(*walks)} moves and part only then. Up to there "
        "they do not tell Rollo which of these two doors it is."
    )
    return fig, alt


# The idea ------------------------------------------------------------------------------


def fig_idea():
    """One reward for two; one knows what it is, and the other sees her moves."""
    fig, ax = axes(size=(4.8, 2.5))
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    for x, y, words, role in ((0.17, 0.7, "Hana\nknows θ", "person"),
                              (0.83, 0.7, "Rollo\nhas a belief", "robot"),
                              (0.5, 0.13, "one reward, for both", "optimum")):  # fmt: skip
        box = {"boxstyle": "round,pad=0.5", "fc": CELL, "ec": ROLES[role].color, "lw": 1.8}
        ax.text(x, y, words, ha="center", va="center", color=INK, bbox=box)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 16, "lw": 2.2}
    for start, end, role, dash in (
        ((0.3, 0.8), (0.67, 0.8), "person", "-"),
        ((0.67, 0.6), (0.3, 0.6), "robot", "-"),
        ((0.2, 0.5), (0.36, 0.24), "person", ":"),
        ((0.8, 0.5), (0.64, 0.24), "robot", ":"),
    ):
        ax.annotate("", end, start, arrowprops=arrow | {"color": ROLES[role].color, "ls": dash})
    ax.text(0.485, 0.9, "her moves", ha="center", va="center", color=INK)
    ax.text(0.485, 0.5, "his moves", ha="center", va="center", color=INK)
    alt = (
        "Hana, who knows θ, and Rollo, who has a belief. An arrow leads from her to Rollo, her "
        "moves, and one from Rollo to her, his moves. Dotted arrows lead from both to one "
        "reward for both. No arrow leads from the reward to Rollo."
    )
    return fig, alt


# The office, at ten values of θ ----------------------------------------------------------

TENTHS = 10


def office() -> OneShot:
    """The two orders at ten values of θ, one half not among them."""
    theta = (np.arange(TENTHS)[:, None] + 0.5) / TENTHS
    hers, his = np.array([[0, 2], [1, 1], [2, 0]]), np.array([[0, 90], [50, 50], [90, 0]])
    hers, his = (theta * x[:, 0] + (1 - theta) * x[:, 1] for x in (hers, his))
    return OneShot(hers, his, np.full(TENTHS, 1 / TENTHS))


# Something to move ----------------------------------------------------------------------

ERRS = (0.0, 0.25, 0.5, 1.0, 2.0)
AT_ONE = 0.5  # the mean of which the words beside the picture speak


def explore_switch(beta: float):
    """For `explore`: what Rollo does, by what it expects and how unsure it is."""
    fig, ax = axes("μ: what Rollo expects the thing to be worth", "σ: how unsure it is")
    mu = np.linspace(-2, 2, 161)
    edge = off_switch.boundary(mu, beta)
    ax.fill_between(mu, edge, 3, color=ROLES["learner"].color, alpha=0.18, linewidth=0)
    line(ax, mu, edge, "learner", marker=False)
    ax.set(xlim=(-2, 2), ylim=(0, 3))
    places = [(0, 2.55, "waits for Hana")]
    if beta > 0:
        places += [(-1.35, 0.3, "switches itself off"), (1.4, 0.3, "goes ahead")]
    for x, y, words in places:
        ax.text(x, y, words, ha="center", va="center", color=INK)
    at, far = (float(off_switch.boundary(x, beta)) for x in (AT_ONE, 2))
    text = (
        f"β = {beta:g}. Rollo waits above the curve: at μ = {AT_ONE:g} from σ = {at:.2f} on, at "
        f"μ = 2 from {far:.2f}. Below it, Rollo goes ahead where μ is above 0, and switches "
        "itself off where it is below."
        if beta > 0 else
        "β = 0. Hana never errs, and Rollo waits whatever it expects, as long as it is unsure."
    )  # fmt: skip
    return fig, text


_WALKS = [best_walk(door) for door in DOORS]
GIVEN = {
    "hook.shared": shared(*_WALKS),
    "hook.wasted": -REWARDS["true"]["step"],
    "hand.pair": 92, "hand.level": 51, "hand.even": 45, "hand.sure": 67.5, "hand.own": 1.5,
    "hand.taught": 10 / 92, "page.theta": TENTHS, "page.draws": 100_000, "page.turn": 1.0,
}  # fmt: skip
