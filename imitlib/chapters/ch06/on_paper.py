"""What chapter 06 draws by hand: the idea, three places in a row, and a slider."""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib import irl, planning
from imitlib.envs.town import REWARDS, Town
from imitlib.figures import CELL, INK, MUTED, ROLES, axes
from imitlib.irl.causal_entropy import causal_entropy_irl
from imitlib.mdp import MDP
from imitlib.tabular_experts import walk

KINDS = ("step", "garden", "warm", "cold", "cafe")
HALF, STREET_DISCOUNT, TEMPERATURE, PULL = 0.5, 0.95, 0.3, 0.01
SEEN = np.array([[12, 8], [15, 5], [16, 4]])  # on and back, at each of three places
WISHES = {  # bakery, street, door
    "the door": (0, 0, 2),
    "to get away": (-2, 0, 0.5),
    "the street": (0, 2, 0),
    "to be home": (1, 0, 0),
    "nothing": (0, 0, 0),
}


# By hand -----------------------------------------------------------------------------


def row() -> MDP:
    """Bakery, street, door, in a row; on (action 0) or back (1); a step later counts half."""
    moves = [[1, 0], [2, 0], [2, 1]]
    return MDP(moves, np.zeros((3, 2)), HALF, 0)


def by_hand() -> dict:
    """Which wishes explain that she always goes on, and how likely each makes `SEEN`."""
    mdp, on = row(), np.array([[1.0, 0.0]] * 3)
    out = {}
    for name, wish in WISHES.items():
        reward = np.repeat(np.array(wish, float)[:, None], 2, axis=1)
        policy = planning.soft_policy_iteration(mdp, reward=reward).policy
        out[name] = {
            "explains": irl.explains(mdp, on, np.array(wish, float)),
            "on": policy[:, 0].tolist(),
            "nats": float((SEEN * np.log(policy)).sum()),
        }
    return out


def fig_cone():
    """All wishes that explain the steps, as a wedge; the bakery is worth 0."""
    fig, ax = axes("the street, $r_1$", "the door, $r_2$", size=(4.8, 3.4))
    corner = np.array([[0, 0], [4, 4], [-4, 4]])
    ax.fill(*corner.T, color=ROLES["learner"].color, alpha=0.18, lw=0)
    for x in (4, -4):
        ax.plot([0, x], [0, 4], color=ROLES["learner"].color, lw=2)
    ax.text(0, 2.7, "she walks on", ha="center", color=INK)
    for name, (r0, r1, r2) in WISHES.items():
        inside = by_hand()[name]["explains"]
        role = ROLES["learner" if inside else "harm"]
        ax.plot(r1 - r0, r2 - r0, role.marker, color=role.color, ms=9)
        left = name == "to get away"
        ax.annotate(name, (r1 - r0, r2 - r0), xytext=(-8 if left else 8, -1), color=INK,
                    textcoords="offset points", va="center", ha="right" if left else "left")
    ax.set_xlim(-2, 3.4)
    ax.set_ylim(-1.6, 3.4)
    told = ", ".join(f"{name}: {'yes' if h['explains'] else 'no'}" for name, h in
                     by_hand().items())  # fmt: skip
    alt = (
        "The worth of the door against that of the street, the bakery being worth nothing. "
        "The wishes that explain why she walks on fill a wedge that opens upward from the "
        f"origin. Does it explain her steps? {told}."
    )
    return fig, alt


# The idea ----------------------------------------------------------------------------


def fig_hook():
    """Hana's way to door 2, round by the top street."""
    from imitlib.envs.town_picture import fig_town

    town = Town("hana", door=2)
    mdp = town.mdp("true")
    plan, state, cells = planning.value_iteration(mdp), int(mdp.start.argmax()), []
    while not town.ending[state]:
        cells.append(town.cell(state))
        state = int(mdp.transitions[state, plan.policy[state].argmax()])
    cells.append(town.cell(state))
    fig, _ = fig_town(town, routes=[(cells, "person", "what Hana does")], rollo=cells[0])
    steps = len(cells) - 1
    alt = (
        f"Loaf Street. Hana's route from the bakery to door 2 takes {steps} steps, round the "
        "block; the straight street would be shorter, and leads through the school garden. "
        "Rollo watches from the bakery. What does she want?"
    )
    return fig, alt


def fig_idea():
    """Planning leads from a wish to steps; inverse reinforcement learning leads back."""
    fig, ax = axes(size=(4.8, 1.9))
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    for x, words, role in ((0.16, "what Hana\nwants", "person"),
                           (0.84, "what Hana\ndoes", "expert")):
        box = {"boxstyle": "round,pad=0.5", "fc": CELL, "ec": ROLES[role].color, "lw": 1.8}
        ax.text(x, 0.5, words, ha="center", va="center", color=INK, bbox=box)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 16, "lw": 2.2}
    for y, ends, role, words, up in (
        (0.68, (0.33, 0.67), "person", "planning", 0.13),
        (0.32, (0.67, 0.33), "learner", "inverse reinforcement\nlearning", -0.19),
    ):
        ax.annotate("", (ends[1], y), (ends[0], y), arrowprops=arrow | {
            "color": ROLES[role].color, "ls": ROLES["expert"].dash if up < 0 else "-"})
        ax.text(0.5, y + up, words, ha="center", va="center", color=INK)
    alt = (
        "Two boxes. Planning is an arrow from what Hana wants to what Hana does. Inverse "
        "reinforcement learning is the dashed arrow back, from what she does to what she "
        "wants."
    )
    return fig, alt


# Something to move -------------------------------------------------------------------


@cache
def street():
    """The town without roadworks, and what happens on each action, (S, A, 5)."""
    town = Town("hana", door=2, roadworks=())
    happens = np.stack([town.events[kind] for kind in KINDS], axis=-1)
    return town.mdp(discount=STREET_DISCOUNT, start="anywhere"), happens


def told_otherwise() -> np.ndarray:
    """What she wants, counted from the other end: being out costs, arriving is the end.

    The reward is shaped by ten points wherever the story goes on, which changes no step.
    """
    warm = REWARDS["true"]["warm"]
    cost = (STREET_DISCOUNT - 1) * warm
    shift = {"step": cost, "warm": -warm - cost, "cold": -warm - cost}
    return np.array([REWARDS["true"][kind] + shift.get(kind, 0) for kind in KINDS])


@cache
def inferred(walks: int, carelessness: float):
    """Weights from so many walks of a Hana so careless, by three diaries; (3, 5)."""
    world, happens = street()
    hana = planning.soft_policy_iteration(world, carelessness).policy
    return np.array([
        causal_entropy_irl(
            world, walk(world, hana, walks, 30, np.random.default_rng(seed)), happens,
            temperature=carelessness, l2=PULL).w
        for seed in range(3)
    ])  # fmt: skip


def explore_walks(walks: int, carelessness: float):
    """For `explore`: what is inferred, kind by kind, beside what she wants."""
    fig, ax = axes("", "points for each")
    found, truth = inferred(walks, carelessness), told_otherwise()
    for x in range(len(KINDS)):
        aside = x + np.linspace(-0.12, 0.12, len(found))
        ax.plot(aside, found[:, x], ROLES["learner"].marker, ms=6, ls="none",
                color=ROLES["learner"].color)
        ax.plot([x - 0.3, x + 0.3], [truth[x]] * 2, color=ROLES["person"].color, lw=2.2)
    ax.axhline(0, color=MUTED, lw=0.9, zorder=0)
    ax.set_xticks(range(len(KINDS)), ["step", "garden", "warm\nloaf", "cold\nloaf", "café"])
    ax.set_ylim(-9, 2)
    ax.text(4.45, -8.2, "bars: her wishes, shaped", color=INK, ha="right")
    step, garden = found[:, :2].mean(axis=0)
    text = (
        f"{walks} walks, temperature {carelessness:g}, three diaries. In the mean a step out "
        f"costs {-step:.2f} points ({-truth[0]:.2f} are hers, with the loaf counted from "
        f"the door), and a garden cell {-garden:.1f} (hers: {-truth[1]:g})."
    )
    return fig, text


TOLD = told_otherwise()
_HAND = by_hand()
GIVEN = {
    "hand6.seen": SEEN[0].sum(), "hand6.back": SEEN[:, 1].sum(),
    "hand6.nothing": _HAND["nothing"]["nats"], "hand6.door": _HAND["the door"]["nats"],
    "hand6.warm": TOLD[2], "hand6.step": TOLD[0],
    "town.warm": REWARDS["true"]["warm"], "town.cold": REWARDS["true"]["cold"],
    "town.step": REWARDS["true"]["step"], "town.garden": REWARDS["true"]["garden"],
    "street.discount": STREET_DISCOUNT, "street.temperature": TEMPERATURE,
}  # fmt: skip
