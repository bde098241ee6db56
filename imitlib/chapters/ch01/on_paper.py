"""What chapter 01 draws and works out by hand: a street of three cells, two routes."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from imitlib import planning
from imitlib.chapters.ch01.hana import her_walk, town
from imitlib.counting import fit_table
from imitlib.envs.grid import OFFSETS
from imitlib.envs.grid_picture import canvas, centre, ring, shades, tile
from imitlib.envs.town_picture import fig_town
from imitlib.figures import CELL, INK, MUTED, ROLES, axes
from imitlib.mdp import MDP

ACROSS, ROUND = 0, 1
STEP, GARDEN, LOAF = -0.2, -8.0, 10.0


def short_street(garden: float = GARDEN) -> MDP:
    """Bakery 0, corner 1, door 2. `across` goes straight to the door, `round` by 1."""
    successors = np.array([[2, 1], [2, 2], [2, 2]])
    reward = np.array([[STEP + garden + LOAF, STEP], [STEP + LOAF] * 2, [0, 0]])
    return MDP(successors, reward, discount=1.0, start=0)


def route(reward="true", roadworks=0) -> list:
    """The cells of the best walk by that reward, to the second door."""
    states, _ = her_walk(2, reward, roadworks)
    return [*(town().cell(state) for state in states), town().doors[1]]


def fig_hook():
    """Where Rollo goes that was told, and where Hana goes."""
    routes = [
        (cells, role, f"{who}: {len(cells) - 1} steps")
        for cells, role, who in (
            (route("stated"), "harm", "Rollo, as it was told"),
            (route(), "person", "Hana"),
        )
    ]
    fig, alt = fig_town(town(), routes=routes)
    return fig, f"Rollo's route, as told, crosses the school garden; Hana's does not. {alt}"


def fig_loop():
    """State, policy, action, world, reward: one turn of the wheel."""
    fig, ax = axes(size=(4.8, 2.3))
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    boxes = (
        (0.2, "Rollo\n\npolicy $\\pi(a \\mid s)$", ROLES["learner"].color),
        (0.8, "Loaf Street\n\n$P(s' \\mid s, a)$,  $r(s, a)$", MUTED),
    )
    for x, words, color in boxes:
        box = {"boxstyle": "round,pad=0.7", "fc": CELL, "ec": color, "lw": 1.8}
        ax.text(x, 0.5, words, ha="center", va="center", color=INK, bbox=box)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.8, "color": INK}
    for start, end, bend, y, words in (
        ((0.28, 0.76), (0.7, 0.76), -0.3, 0.97, "action $a$"),
        ((0.7, 0.24), (0.28, 0.24), -0.3, 0.03, "next state $s'$, reward $r$"),
    ):
        style = arrow | {"connectionstyle": f"arc3,rad={bend}"}
        ax.annotate("", end, start, arrowprops=style)
        ax.text(0.49, y, words, ha="center", va="center", color=INK)
    alt = (
        "Two boxes. Rollo holds a policy; an arrow, the action, leads to Loaf Street, "
        "which holds the transitions and the reward; a second arrow, with the next "
        "state and the reward, leads back to Rollo."
    )
    return fig, alt


def fig_short_street():
    """Three cells, two ways, and what each step pays."""
    fig, ax = axes(size=(4.8, 2.2))
    ax.set_axis_off()
    ax.set_xlim(-0.35, 2.35)
    ax.set_ylim(-0.35, 1.25)
    places = {"bakery\n$s_0$": (0, 0), "corner\n$s_1$": (1, 0.95), "door\n$s_2$": (2, 0)}
    for words, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.5", "fc": CELL, "ec": MUTED, "lw": 1.4}
        ax.text(x, y, words, ha="center", va="center", color=INK, bbox=box, zorder=3)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.8}
    for start, end, role, words, at in (
        ((0.22, 0), (1.78, 0), "harm", "across the garden: +1.8", (1, -0.2)),
        ((0.12, 0.26), (0.76, 0.86), "person", "round: −0.2", (0.22, 0.68)),
        ((1.24, 0.86), (1.88, 0.26), "person", "on: +9.8", (1.8, 0.68)),
    ):
        look = ROLES[role]
        line = arrow | {"color": look.color, "ls": look.dash}
        ax.annotate("", end, start, arrowprops=line)
        ax.text(*at, words, ha="center", va="center", color=INK)
    alt = (
        "Three places. From the bakery an arrow leads across the garden to the door and "
        "pays 1.8; another leads round to the corner and pays minus 0.2, and from the "
        "corner one leads on to the door and pays 9.8."
    )
    return fig, alt


@cache
def planned():
    return planning.value_iteration(town().mdp())


def fig_planned():
    """What each cell is worth, and where the best policy goes from it."""
    street, plan = town(), planned()
    fig, ax = canvas(street.board.shape, 4.8)
    values = plan.values[: len(street.cells)]  # no roadworks, warm bread
    best = plan.policy[: len(street.cells)].argmax(axis=1)
    open_cells = ~street.ending[: len(street.cells)]
    low, high = values[open_cells].min(), values[open_cells].max()
    shades(ax, street.cells[open_cells], values[open_cells], limits=(low - 2, high))
    for cell in street.cells[street.signs == "*"]:
        x, y = centre(cell) - 23
        ax.add_patch(Rectangle((x, y), 46, 46, fill=False, hatch="///", lw=0,
                               edgecolor=ROLES["harm"].color, zorder=5))  # fmt: skip
    for cell, action in zip(street.cells[open_cells], best[open_cells]):
        x, y = centre(cell) + 19 * OFFSETS[action][::-1]
        ax.plot(x, y, "^>v<"[action], color=INK, ms=4.5, zorder=7)
    door = street.doors[street.door - 1]
    tile(ax, door, CELL)
    ring(ax, door)
    ax.text(*centre(door), "end", ha="center", va="center", color=INK, zorder=7)
    worth = dict(zip(map(tuple, street.cells.tolist()), values))
    alt = (
        "Map of the town with the value of each cell, warm bread in hand, and the best "
        f"move from it. {worth[street.bakery]:.1f} at the bakery, whose move is north; "
        f"rising along the top street to {high:.1f} beside door 2, where the story "
        f"ends; lowest in the school garden, which is hatched, {low:.1f}."
    )
    return fig, alt


def blind_clone():
    """The clone of one walk, for a cart that sees its cell and no barrier: (C, A)."""
    states, actions = her_walk()
    cells = town().parts(states)[3]
    return fit_table(cells, actions, len(town().cells), len(town().moves)).policy


def fig_barrier():
    """The top street is dug up. Hana walks round; the clone does what she did."""
    street, barrier = town(), 1
    mdp = street.mdp(roadworks=barrier)
    successors, table = street.successors, blind_clone().argmax(axis=1)
    state, cells = int(mdp.start.argmax()), []
    for _ in range(12):
        cells.append(street.cell(state))
        state = successors[state, table[street.parts(state)[3]]]
    fig, alt = fig_town(
        street, roadworks=barrier, rollo=street.cell(state),
        routes=[(cells, "learner", "Rollo, which was shown the way once"),
                (route(roadworks=barrier), "person", "Hana, today")],
    )  # fmt: skip
    return fig, f"At the barrier Rollo stops for ever, and Hana walks round. {alt}"


_PLAN = planning.value_iteration(short_street())
_STATED = planning.value_iteration(short_street(garden=0))
_Q = planning.q_values(short_street(), _PLAN.values)
_COIN = planning.evaluate(short_street(), np.full((3, 2), 0.5))
GIVEN = {
    "hand.step": STEP,
    "hand.garden": GARDEN,
    "hand.loaf": LOAF,
    "hand.across": float(_Q[0, ACROSS]),
    "hand.round": float(_Q[0, ROUND]),
    "hand.corner": float(_PLAN.values[1]),
    "hand.coin": float(_COIN[0]),
    "hand.told_across": float(planning.q_values(
        short_street(garden=0), _STATED.values)[0, ACROSS]),
    "hand.told_round": float(planning.q_values(
        short_street(garden=0), _STATED.values)[0, ROUND]),
    "town.states": town().n_states,
    "town.cells": len(town().cells),
}  # fmt: skip
