"""What chapter 07 works out by hand: three cells, three accounts, and one slider."""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib import planning
from imitlib.chapters.ch07 import gate
from imitlib.envs import grid_picture as grid
from imitlib.envs.grid_picture import UNIT, centre
from imitlib.envs.town import Town
from imitlib.envs.town_picture import _barrier, _rollo, fig_town
from imitlib.figures import CARD, CELL, INK, MUTED, ROLES, WALL
from imitlib.mdp import MDP
from imitlib.planning.soft import soft_policy_iteration
from imitlib.rewards import shaping

# Three cells ---------------------------------------------------------------------------

CORNER, SIDE_STREET, AT_DOOR = range(3)
EAST, ROUND = range(2)


def corner(closed: bool = False) -> MDP:
    """A corner, a side street and a door; every moment at the door is worth 4.

    From the corner `east` leads to the door, or against a barrier, and `round` into the
    side street. From there `east` leads to the door and `round` back to the corner.
    """
    ahead = [[CORNER if closed else AT_DOOR, SIDE_STREET], [AT_DOOR, CORNER],
             [AT_DOOR, AT_DOOR]]  # fmt: skip
    return MDP(ahead, np.array([0.0, 0.0, 4.0]), 0.5, CORNER)


def by_hand() -> dict:
    """Values of the three cells, her reward without them, and what it says tomorrow."""
    def best(world, reward=None):
        policy = planning.value_iteration(world, reward=reward).policy
        values = planning.evaluate(world, policy, reward=reward)
        return values, planning.q_values(world, values, reward)

    today, tomorrow = corner(), corner(closed=True)
    values, q_today = best(today)
    habit = shaping.shape(today, None, -values)
    q_wish, q_habit = best(tomorrow)[1], best(tomorrow, habit)[1]
    return {
        "paid": today.reward[AT_DOOR, EAST], "charge": -habit[CORNER, ROUND],
        "corner": values[CORNER], "side": values[SIDE_STREET], "door": values[AT_DOOR],
        "today_round": q_today[CORNER, ROUND],
        "east": habit[CORNER, EAST], "round": habit[CORNER, ROUND],
        "at_door": habit[AT_DOOR, EAST],
        "wish_east": q_wish[CORNER, EAST], "wish_round": q_wish[CORNER, ROUND],
        "habit_east": q_habit[CORNER, EAST], "habit_round": q_habit[CORNER, ROUND],
    }  # fmt: skip


def minus(number) -> str:
    """A number with a true minus sign."""
    return f"{number:g}".replace("-", "−")


def fig_hand():
    """Three cells, the four moves, and two numbers on each: her wish, and the habit."""
    fig, ax = grid.canvas((2.35, 4.25))
    spots = {"corner": (0.35, 0.1), "door": (0.35, 2.9), "side\nstreet": (1.2, 1.5)}
    for name, (row, column) in spots.items():
        grid.tile(ax, (row, column), CELL, edgecolor=MUTED, linewidth=1)
        ax.text(*centre((row, column)), name, ha="center", va="center", fontsize=9, color=INK)
    hand = by_hand()

    def arrow(start, end, words, at, role="person"):
        look = ROLES[role]
        style = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.8, "color": look.color,
                 "shrinkA": 40, "shrinkB": 40}
        ax.annotate("", centre(end), centre(start), arrowprops=style)
        ax.text(at[1] * UNIT, at[0] * UNIT, words, ha="center", va="center", fontsize=9.5,
                color=INK, bbox={"fc": CARD, "lw": 0, "pad": 1}, zorder=5)

    a, b, c = spots.values()
    arrow(a, b, f"east: 0 | {hand['east']:g}", (0.62, 2.0))
    arrow(a, c, f"round: 0 | {minus(hand['round'])}", (1.45, 0.85), role="random")
    arrow(c, b, f"east: 0 | {hand['east']:g}", (1.5, 3.1))
    ax.text(3.4 * UNIT, 0.17 * UNIT, f"each moment: 4 | {hand['at_door']:g}", ha="center",
            va="center", fontsize=9.5, color=INK)
    ax.text(0.05 * UNIT, 1.98 * UNIT, "first: her wish\nthen: the habit", fontsize=9,
            color=MUTED, va="center")
    alt = (
        "Three cells joined by arrows, with two payments on each: her wish, then the habit. "
        f"From the corner east to the door 0 and {hand['east']:g}, round into the side street "
        f"0 and {hand['round']:g}, from there east to the door 0 and {hand['east']:g}; each "
        f"moment at the door 4 and {hand['at_door']:g}. Both say east at the corner."
    )
    return fig, alt


# Three accounts --------------------------------------------------------------------------

TOLD = (
    ("wish", "“She wants the loaf\nat door 2.”", "goes round", "person"),
    ("habit", "“She enjoys each of\nher usual steps.”", "pushes for ever", "learner"),
    ("deposit", "“She wants the loaf; each\nplace takes a deposit.”", "to and fro for ever",
     "robot"),
)


def fig_idea():
    """Three accounts of one person: the same walk yesterday, three walks today."""
    town, went = Town("hana", door=gate.DOOR), gate.walks()
    rows, columns = town.board.shape
    wide, high = columns + 0.5, rows + 1.875
    fig, ax = grid.canvas((3 * high + 0.75, 2 * wide), 4.8)
    for x, words in ((0.5, "yesterday: barrier below"), (wide + 0.5, "today: barrier above")):
        ax.text(x * UNIT, 0.45 * UNIT, words, fontsize=10.5, fontweight="bold", color=INK,
                va="center")  # fmt: skip
    for k, (account, words, end, role) in enumerate(TOLD):
        top = 0.75 + k * high
        ax.text(0.5 * UNIT, (top + 0.75) * UNIT, words, fontsize=9.5, color=INK, va="center",
                linespacing=1.25)  # fmt: skip
        ax.text((wide + 0.5) * UNIT, (top + 0.75) * UNIT, end, fontsize=10.5, color=INK,
                va="center", fontweight="bold")  # fmt: skip
        for x, when, barrier in ((0.25, "before", gate.BOTTOM), (wide + 0.25, "after", gate.TOP)):
            corner_ = np.array([top + 1.5, x])
            for cell, sign in np.ndenumerate(town.board):
                at = tuple(corner_ + cell)
                grid.tile(ax, at, WALL if sign == "#" else CELL)
                if sign == "*":
                    grid.hazard(ax, at)
            goal = tuple(corner_ + town.doors[gate.DOOR - 1])
            grid.ring(ax, goal, 18)
            ax.text(*centre(goal), str(gate.DOOR), ha="center", va="center", fontsize=8,
                    color=INK)
            _barrier(ax, tuple(corner_ + town.roadworks[barrier - 1]))
            cells = [tuple(corner_ + cell) for cell in _once_round(went[account, when])]
            grid.paths(ax, [cells], role, first=0)
            _rollo(ax, cells[-1], at=(0.0, 0.0))
    alt = (
        "Three accounts of Hana, a row each, with two maps: yesterday, when the barrier "
        "stood on the bottom street, and today, when it stands on the top street. Yesterday "
        "all three lead along the top street to door 2. Today the first, she wants the loaf "
        "at door 2, goes round by the bottom street and arrives; the second, she enjoys each "
        "of her usual steps, goes to the barrier and pushes for ever; the third, she wants the "
        "loaf and each place takes a deposit, goes to and fro on the bottom street for ever where "
        "yesterday's barrier stood."
    )
    return fig, alt


def _once_round(cells):
    """A walk up to where it begins to repeat itself, and one round of that."""
    seen = set()
    for k, pair in enumerate(zip(cells, cells[1:])):
        if pair in seen or pair[0] == pair[1]:
            return cells[: k + 1]
        seen.add(pair)
    return cells


# One slider ------------------------------------------------------------------------------


@cache
def _hana():
    return soft_policy_iteration(gate.street(gate.BOTTOM), gate.TEMPERATURE)


def explore_size(t: float):
    """For `explore`: the account with V = t V*, and where it leads once the street moved."""
    old, new = gate.street(gate.BOTTOM), gate.street(gate.TOP)
    plan = _hana()
    reward = shaping.explaining_reward(old, plan.policy, t * plan.values, gate.TEMPERATURE)
    before = soft_policy_iteration(old, gate.TEMPERATURE, reward=reward).policy
    after = soft_policy_iteration(new, gate.TEMPERATURE, reward=reward).policy
    earns = planning.expected_return(new, after)
    cells = _once_round(gate.walk(new, after))
    town = Town("hana", door=gate.DOOR)
    arrives = cells[-1] == town.doors[gate.DOOR - 1]
    pushes = cells[-1] == (1, 4)
    does = "arrives" if arrives else "pushes at the barrier" if pushes else "goes to and fro"
    fig, _ = fig_town(town, roadworks=gate.TOP, rollo=cells[-1],
                      routes=[(cells, "learner", f"t = {t:g}: {does}")])  # fmt: skip
    differs = np.abs(before - plan.policy).max()
    text = (
        f"V = {t:g} V*. Before the move the policy differs from hers by {differs:.0e} at "
        f"most. After it, the likeliest walk {does}, and the cart earns {earns:.2f} points "
        f"on average; Hana would earn {_earns_hana():.2f}."
    )
    return fig, text


@cache
def _earns_hana() -> float:
    new = gate.street(gate.TOP)
    return planning.expected_return(new, soft_policy_iteration(new, gate.TEMPERATURE).policy)


SIZES = (-1.0, 0.0, 0.25, 0.5, 1.0, 1.25, 1.5, 2.0)
GIVEN = {f"hand.{name}": float(value) for name, value in by_hand().items()}
