"""Chapter 01, belief: what a few steps of Hana's say about where she is going.

Rollo does not know the door. It has an idea of how Hana walks to each of them, and
turns every step that it sees into a belief. Chapter 09 starts here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from imitlib.chapters.ch01.hana import her_walk, town
from imitlib.envs.grid_picture import UNIT, canvas, paths
from imitlib.envs.town import Town
from imitlib.envs.town_picture import draw_town
from imitlib.figures import CELL, INK, ROLES
from imitlib.tabular_experts import boltzmann

DOORS = (1, 2, 3)
COOL, WARM = 0.1, 0.3  # temperatures of her choices, in points; a wasted step costs 0.4


def posterior(prior, likelihood) -> np.ndarray:
    r"""One update by Bayes' rule: :math:`b(g) \propto b(g)\,P(a \mid s, g)`."""
    weight = np.asarray(prior, float) * np.asarray(likelihood, float)
    return weight / weight.sum()


@cache
def chances(temperature: float) -> np.ndarray:
    """How likely each action is for somebody bound for each door, (3, S, A)."""
    return np.stack([boltzmann(town(door).mdp(), temperature) for door in DOORS])


def beliefs(door: int, temperature: float = COOL) -> np.ndarray:
    """The belief before and after every step of her walk to `door`, (steps + 1, 3)."""
    out = [np.full(len(DOORS), 1 / len(DOORS))]
    for state, action in zip(*her_walk(door)):
        out.append(posterior(out[-1], chances(temperature)[:, state, action]))
    return np.array(out)


def explore_belief(steps_seen: int, temperature: float):
    """For `explore`: her first steps to door 2, and three bars for what they say."""
    states, _ = her_walk(2)
    street = Town("hana", door=None)
    cells = [town(2).cell(state) for state in states[: steps_seen + 1]]
    if steps_seen >= len(states):
        cells.append(town(2).doors[1])
    belief = beliefs(2, temperature)[min(steps_seen, len(states))]
    fig, ax = canvas(street.board.shape, 4.8, below=1.6)
    draw_town(ax, street)
    if steps_seen:
        paths(ax, [cells], "person")
    _bars(ax, street.board.shape, belief)
    said = ", ".join(f"door {d} {b:.2f}" for d, b in zip(DOORS, belief))
    return fig, (
        f"Hana has taken {min(steps_seen, len(states))} of her {len(states)} steps to "
        f"door 2. If she chooses with temperature {temperature:g}, Rollo believes: {said}."
    )


def _bars(ax, shape, belief):
    """Three bars under the map, as long as the belief is strong."""
    rows, columns = shape
    left, full = 1.7 * UNIT, (columns - 2.9) * UNIT
    for k, (door, share) in enumerate(zip(DOORS, belief)):
        y = (rows + 0.2 + 0.5 * k) * UNIT
        for length, color in ((full, CELL), (full * share, ROLES["learner"].color)):
            ax.add_patch(Rectangle((left, y), length, 16, color=color, lw=0))
        ax.text(left - 8, y + 8, f"door {door}", ha="right", va="center", color=INK)
        ax.text(left + full + 8, y + 8, f"{share:.2f}", va="center", color=INK)


def _leaves_northwards(temperature):
    """How often somebody bound for door 1 leaves the bakery by the best step."""
    states, actions = her_walk(1)
    return float(chances(temperature)[0, states[0], actions[0]])


_BY_HAND = posterior([1 / 3] * 3, [0.9, 0.9, 0.1])
GIVEN = {
    "belief.one": float(_BY_HAND[0]),
    "belief.three": float(_BY_HAND[2]),
    "belief.cool": COOL,
    "belief.warm": WARM,
    "belief.north_cool": _leaves_northwards(COOL),
    "belief.north_warm": _leaves_northwards(WARM),
    "belief.before_fork": float(beliefs(2)[8][1]),
    "belief.after_fork": float(beliefs(2)[9][1]),
    "belief.after_fork_warm": float(beliefs(2, WARM)[9][1]),
}
