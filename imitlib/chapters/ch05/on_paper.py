"""What chapter 05 draws by hand: the finger, four rings, and how far six layers see."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from imitlib.chapters.ch05.pictures import ARROWS, draw_plan
from imitlib.envs.grid import OFFSETS
from imitlib.envs.maze_makers import obstacles
from imitlib.envs.mazes import read_plan, walk
from imitlib.figures import MUTED, ROLES, axes
from imitlib.pc import procedures, running, training
from imitlib.pc.networks import Local, Residual, parameters

HAND = """
#####
#...#
#.#.#
#..G#
#####
"""
STREET = """
##########
#...#....#
#.#...##.#
#.##.#...#
#....#.#.#
#.##...#.#
#..#.#...#
##.#.###.#
#....#..G#
##########
"""
VIEW, SEED = 6, 51


def by_hand():
    """The page's tiny plan, and the search on it."""
    plan = read_plan(HAND)
    return plan, procedures.rings(plan)


def frame_text(plan, labels, n=0) -> str:
    """A frame as text: arrows, houses, the goal."""
    signs = np.where(plan.walls[n], "#", ".")
    for action, arrow in enumerate(ARROWS):
        signs[labels == action] = arrow
    signs[tuple(plan.goals[n])] = "G"
    return "\n".join("".join(row) for row in signs)


def fig_idea():
    """The finger creeping outward: the frames after 2, 6 and all rings."""
    plan = read_plan(STREET)
    search = procedures.rings(plan)
    last = int(search.steps[0])
    fig, panels = axes(size=(1.65, 2.0), columns=3,
                       title=["two rings", "six rings", f"all {last} rings"])  # fmt: skip
    for ax, t in zip(panels, (2, 6, last)):
        labels = search.frames[0, t]
        fresh = labels != search.frames[0, t - 1]
        draw_plan(ax, plan, labels=labels, fresh=fresh, size=7)
    cells = [int((search.frames[0, t] < 4).sum()) for t in (2, 6, last)]
    alt = (
        "Three pictures of one street plan with the door at the bottom right. Arrows "
        f"towards the door fill {cells[0]} cells after two rings, {cells[1]} after six "
        f"and {cells[2]} after all {last}: the search creeps outward, and each new "
        "arrow points to a cell that had one already."
    )
    return fig, alt


@lru_cache
def street_clone():
    """A clone of Hana's steps on 64 plans, and a new plan that it will not cross."""
    rng = np.random.default_rng(2)
    taught, new = obstacles(64, 10, rng), obstacles(1, 14, rng)
    lesson = training.action_examples(taught, procedures.rings(taught))
    fit = training.fit(lambda: Residual(2, 4), lesson, rng=rng, updates=300)
    return new, running.answer(fit.network, new)


def _trail(plan, actions, start) -> list:
    """The cells of a walk, until one of them is entered twice."""
    trail = [start]
    while trail[-1] not in trail[:-1]:
        step = OFFSETS[actions[0][trail[-1]]]
        there = (trail[-1][0] + int(step[0]), trail[-1][1] + int(step[1]))
        trail.append(trail[-1] if plan.walls[0][there] else there)
    return trail


def fig_hook():
    """One new plan, walked by a clone of Hana's steps: where it ends."""
    plan, actions = street_clone()
    starts = np.argwhere(plan.open[0])
    reached = walk(plan, actions, starts[None]).reached[0]
    trails = [_trail(plan, actions, tuple(start)) for start in starts[~reached]]
    # the one that ends at a house, if there is one, and the longest of those
    trail = max(trails, key=lambda t: (t[-1] == t[-2], len(t)))
    fig, ax = axes(size=(4.8, 3.4))
    draw_plan(ax, plan, size=13)
    look = ROLES["robot"]
    rows, columns = zip(*trail)
    ax.plot(columns, rows, color=look.color, lw=look.width)
    ax.plot(columns[0], rows[0], look.marker, color=look.color, ms=9)
    ax.plot(columns[-1], rows[-1], ROLES["harm"].marker, color=ROLES["harm"].color, ms=11)
    row, column = trail[-1]
    step = OFFSETS[actions[0, row, column]]
    ax.annotate("", (column + step[1] * 0.9, row + step[0] * 0.9), (column, row),
                arrowprops={"arrowstyle": "-|>", "color": ROLES["harm"].color, "lw": 2})
    far = int(plan.distances[0][trail[0]])
    alt = (
        f"A new street plan. Rollo starts {far} steps from the door, marked by a star, "
        f"makes {len(set(trail)) - 1} moves and is stuck at the cross, where its arrow "
        "leads into a house or back to where it was."
    )
    return fig, alt


def views():
    """A plan of each size, and how much of it sees the goal within six cells."""
    rng = np.random.default_rng(SEED)
    small, large = obstacles(1, 10, rng), obstacles(1, 20, rng)
    return small, large


def fig_view():
    """The square of radius six about the door, on a small and on a large plan."""
    plans = views()
    shares = [float(p.in_view(VIEW)[p.open].mean()) for p in plans]
    fig, panels = axes(size=(2.4, 2.7), columns=2,
                       title=["taught: 10×10", "tested: 20×20"])  # fmt: skip
    for ax, plan in zip(panels, plans):
        draw_plan(ax, plan, size=10, fresh=(plan.in_view(VIEW) & plan.open)[0])
        row, column = plan.goals[0]
        side = 2 * VIEW + 1
        look = ROLES["learner"]
        ax.add_patch(_square(column - side / 2, row - side / 2, side, look.color))
        ax.set_xlim(-0.5, plan.shape[1] - 0.5)
        ax.set_ylim(plan.shape[0] - 0.5, -0.5)
    fig.supxlabel("tinted: cells that can see the door ★", fontsize=10, color=MUTED)
    alt = (
        "A street plan of 10×10 and one of 20×20 cells, each with the square of six "
        f"cells about its door. On the small plan {shares[0]:.0%} of the cells that "
        f"have a way lie in the square, on the large one {shares[1]:.0%}: a network of "
        "six layers cannot see the door from most of the large plan."
    )
    return fig, alt


def _square(x, y, side, color):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), side, side, fill=False, ec=color, lw=2.2, ls=(0, (4, 2)))
GIVEN = {"finger_weights": parameters(Local(7, 5)), "unvisited": procedures.UNVISITED}
