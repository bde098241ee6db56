"""Grid worlds on paper: cells, arrows, routes, values, and who walks there.

Everything is drawn on axes of 48 units to a cell, rows downwards. What a colour says
is said again without it: a hazard is hatched, a goal ringed, the start outlined.
"""

from __future__ import annotations

import numpy as np

from imitlib.envs.grid import OFFSETS, GridWorld
from imitlib.figures import CARD, CELL, INK, ROLES, WALL

__all__ = ["arrows", "canvas", "centre", "draw_grid", "fig_grid", "in_words", "paths",
           "person", "pixels", "rgb", "robot", "shades", "tile"]

UNIT, GAP = 48, 1  # a cell is 46 wide: the lines of the grid are empty space
OFTEN = 0.1  # a rarer action has no arrow
MOST_TILES = 4000  # more cells than that are painted as one image
_TINT = "#FACCDB"  # harm, at a fifth of its strength on white


def canvas(shape, width: float = 4.8, below: float = 0.0):
    """An empty figure for a grid of (rows, columns): (figure, axes).

    `width` is in inches; `below` leaves room under the grid, in cells.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = shape
    fig = Figure(figsize=(width, width * (rows + below) / columns), facecolor=CARD)
    FigureCanvasAgg(fig)
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, UNIT * columns), ylim=(UNIT * (rows + below), 0), aspect="equal")
    ax.axis("off")
    return fig, ax


def centre(cell) -> np.ndarray:
    """The middle of a cell (row, column), as (x, y) on the axes."""
    return np.array([(cell[1] + 0.5) * UNIT, (cell[0] + 0.5) * UNIT])


def tile(ax, cell, color=CELL, **look):
    """One cell with rounded corners."""
    from matplotlib.patches import FancyBboxPatch

    side, (x, y) = UNIT - 2 * GAP, centre(cell) - UNIT / 2 + GAP
    look = {"facecolor": color, "linewidth": 0, "zorder": 1} | look
    ax.add_patch(FancyBboxPatch(
        (x, y), side, side, boxstyle="round,pad=0,rounding_size=6", **look))


def hazard(ax, cell):
    """A cell that one had better not enter: tinted, and hatched."""
    tile(ax, cell, _TINT, hatch="///", edgecolor=ROLES["harm"].color)


def draw_grid(ax, board, *, hazards="", goals="", start=(), labels=True):
    """The cells of a grid.

    Parameters
    ----------
    board : (rows, columns) array of signs
        `#` is wall.
    hazards, goals : str
        Signs that are drawn hatched; and with a ring.
    start : sequence of (int, int)
        Cells that are outlined.
    labels : bool or "corner"
        Whether signs other than `.` are written into their cells; in the corner, they
        leave room for arrows.
    """
    if board.size > MOST_TILES:
        return _paint(ax, board, hazards, goals)
    for cell, sign in np.ndenumerate(board):
        if sign == "#":
            tile(ax, cell, WALL)
        elif sign in hazards:
            hazard(ax, cell)
        else:
            tile(ax, cell)
        if sign in goals:
            ring(ax, cell)
        if labels and sign not in "#.":
            aside, size = (17, 10) if labels == "corner" else (0, 13)
            back = {"boxstyle": "circle,pad=0.15", "facecolor": CARD, "linewidth": 0}
            ax.text(*(centre(cell) - aside), sign, ha="center", va="center",
                    fontsize=size, color=INK, fontfamily="DejaVu Sans", zorder=6,
                    fontweight="bold", bbox=back if sign in hazards else None)
    for cell in start:
        tile(ax, cell, "none", edgecolor=INK, linewidth=1.5, zorder=2)


def _paint(ax, board, hazards, goals):
    from matplotlib.colors import to_rgb

    picture = np.empty((*board.shape, 3))
    picture[:] = to_rgb(CELL)
    for where, color in [(board == "#", WALL),
                         (np.isin(board, list(hazards)), ROLES["harm"].color),
                         (np.isin(board, list(goals)), ROLES["optimum"].color)]:
        picture[where] = to_rgb(color)
    rows, columns = board.shape
    ax.imshow(picture, extent=(0, UNIT * columns, UNIT * rows, 0),
              interpolation="nearest")


def ring(ax, cell, radius: float = 18):
    """The ring round a goal."""
    from matplotlib.patches import Circle

    look = ROLES["optimum"]
    ax.add_patch(Circle(centre(cell), radius, fill=False, edgecolor=look.color,
                        linewidth=2.4, zorder=5))


def arrows(ax, cells, policy, role="learner"):
    """A triangle for every action that is not rare, as long as it is likely.

    Parameters
    ----------
    cells : (S, 2)
        Row and column of each state.
    policy : (S, A)
        Rows sum to 1; the actions are north, east, south, west, and perhaps wait, which
        is drawn as a square.
    """
    from matplotlib.patches import Polygon, Rectangle

    policy = np.asarray(policy, float)
    if policy.ndim != 2 or len(policy) != len(cells) or policy.shape[1] not in (4, 5):
        raise ValueError(f"policy has shape {policy.shape}; it must be ({len(cells)}, 4), "
                         "or 5 with a wait")
    color = ROLES[role].color
    for cell, chances in zip(cells, policy):
        middle = centre(cell)
        for (down, right), chance in zip(OFFSETS, chances):
            if chance >= OFTEN:
                ahead, aside = np.array([right, down]), np.array([-down, right])
                foot = middle + 6 * ahead
                tip = foot + 16 * chance * ahead
                ax.add_patch(Polygon([foot + 5.5 * aside, foot - 5.5 * aside, tip],
                                     facecolor=color, linewidth=0, zorder=7))
        if len(chances) == 5 and chances[4] >= OFTEN:
            side = 10 * np.sqrt(chances[4])
            ax.add_patch(Rectangle(middle - side / 2, side, side, facecolor=color,
                                   linewidth=0, zorder=7))


def paths(ax, routes, role="person", *, offset=4.0, first=0, short=0.0):
    """Routes as lines through the middles of cells, an arrow head at the end of each.

    Where a step leads further than the next cell, every stop is marked.

    Parameters
    ----------
    routes : list of lists of (int, int)
        Cells (row, column) in the order they are visited; a cell may come twice.
    offset : float
        Each route is drawn so far beside the one before, so that none hides another.
    first : int
        Number of offsets before the first route.
    short : float
        How far before the middle of the last cell the arrow ends.
    """
    from matplotlib.patches import FancyArrowPatch

    look = ROLES[role]
    for k, route in enumerate(routes, start=first):
        aside = offset * ((k + 1) // 2) * (-1 if k % 2 else 1)
        points = np.array([centre(cell) + aside for cell in route])
        moved = np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))
        points = points[moved]
        reach = np.abs(np.diff(points, axis=0)).max(initial=0)
        if len(points) > 1:
            ahead = (points[-1] - points[-2]) / np.linalg.norm(points[-1] - points[-2])
            points[-1] = points[-1] - short * ahead
        ax.plot(*points.T, color=CARD, linewidth=look.width + 2.4, zorder=8,
                solid_joinstyle="round")
        ax.plot(*points.T, color=look.color, linestyle=look.dash, linewidth=look.width,
                zorder=9, solid_joinstyle="round", dash_joinstyle="round")
        if reach > UNIT:
            ax.plot(*points[:-1].T, look.marker, color=look.color, markersize=5, zorder=9)
        if len(points) > 1:
            ax.add_patch(FancyArrowPatch(
                points[-1] - ahead, points[-1], arrowstyle="-|>,head_length=0.5,head_width=0.26",
                mutation_scale=22, shrinkA=0,
                shrinkB=0, color=look.color, linewidth=0, zorder=9))


def shades(ax, cells, values, *, numbers=True, limits=None):
    """Cells shaded by value, dark is low, with the numbers in them.

    Parameters
    ----------
    values : (S,)
    numbers : bool
        Whether they are written; to three figures at most.
    limits : (float, float), optional
        Values of the darkest and the lightest cell.
    """
    from matplotlib import colormaps

    values = np.asarray(values, float)
    low, high = limits or (values.min(), values.max())
    shade = np.clip((values - low) / (high - low or 1), 0, 1)
    for cell, share, value in zip(cells, shade, values):
        color = colormaps["cividis"](share)
        tile(ax, cell, color, zorder=3)
        if numbers:
            light = np.dot(color[:3], (0.299, 0.587, 0.114)) > 0.5
            ax.text(*centre(cell), _short(value), ha="center", va="center", fontsize=10,
                    color=INK if light else CARD, fontfamily="DejaVu Sans", zorder=6)


def _short(value):
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"
    return text.replace("-", "\N{MINUS SIGN}")


def person(ax, cell, *, role="person", size=1.0, at=(0.0, 0.0)):
    """A person: a round head, and shoulders."""
    from matplotlib.patches import Circle, Wedge

    color, (x, y) = ROLES[role].color, centre(cell) + at
    edge = {"edgecolor": CARD, "linewidth": 1.2, "zorder": 11}
    ax.add_patch(Wedge((x, y + 14 * size), 13 * size, 180, 360, facecolor=color, **edge))
    ax.add_patch(Circle((x, y - 6 * size), 7.5 * size, facecolor=color, **edge))


def robot(ax, cell, *, role="robot", size=1.0, at=(0.0, 0.0)):
    """A robot: a square head, two eyes, one antenna, and wheels."""
    from matplotlib.patches import Circle, FancyBboxPatch

    color, (x, y) = ROLES[role].color, centre(cell) + at
    edge = {"edgecolor": CARD, "linewidth": 1.2}

    def box(left, top, width, height, **more):
        ax.add_patch(FancyBboxPatch(
            (x + left * size, y + top * size), width * size, height * size,
            boxstyle=f"round,pad=0,rounding_size={2.5 * size}",
            **({"facecolor": color, "zorder": 11} | edge | more)))

    ax.plot([x, x], [y - 12 * size, y - 18 * size], color=color, linewidth=1.8, zorder=11)
    ax.add_patch(Circle((x, y - 18.5 * size), 2.2 * size, facecolor=color, zorder=11))
    for aside in (-8, 8):
        ax.add_patch(Circle((x + aside * size, y + 14 * size), 4 * size, facecolor=INK,
                            zorder=11, **edge))
    box(-14, 3, 28, 10)
    box(-9, -13, 18, 15)
    for aside in (-4, 4):
        ax.add_patch(Circle((x + aside * size, y - 6 * size), 2 * size, facecolor=CARD,
                            zorder=12))


def fig_grid(world: GridWorld, *, policy=None, values=None, routes=(), role=None,
             width=4.8):
    """A grid world, with what is known about it: (figure, alt text).

    Parameters
    ----------
    policy : (S, 4 or 5) array, optional
        Drawn as arrows.
    values : (S,) array, optional
        Drawn as shades, with numbers.
    routes : list of lists of (int, int), optional
    role : str, optional
        Whose arrows and routes they are: else the learner's and the person's.
    width : float
        Inches.
    """
    hazards = "".join(sign for sign, pays in world.rewards.items() if pays < 0)
    goals = "".join(sign for sign, pays in world.rewards.items() if pays > 0)
    board, starts = world.board, world.cells[world._starts]
    fig, ax = canvas(board.shape, width)
    start = [tuple(cell) for cell in starts] if len(starts) < len(world.cells) / 2 else []
    bare = values is None and policy is None and not routes
    draw_grid(ax, board, hazards=hazards, goals=goals, start=start,
              labels=True if bare else "corner")
    words = [f"Grid of {board.shape[0]} rows and {board.shape[1]} columns, counted from "
             f"0 in the north-west corner, with {world.n_states} cells"]
    for name, signs in (("goal", goals), ("hazard", hazards)):
        found = [f"{sign} at {world.cell(s)}" for sign in signs
                 for s in np.flatnonzero(world.signs == sign)]
        if found:
            words.append(f"{name} {', '.join(found[:4])}"
                         + (f" and {len(found) - 4} more" if len(found) > 4 else ""))
    if start:
        words.append(f"start at {tuple(int(i) for i in starts[0])}")
    if values is not None:
        values = np.asarray(values, float)
        inner = ~world.ending
        shades(ax, world.cells[inner], values[inner], numbers=world.n_states <= 150)
        s, t = (np.flatnonzero(inner)[f(values[inner])] for f in (np.argmin, np.argmax))
        words.append(f"values from {_short(values[s])} at {world.cell(s)} "
                     f"to {_short(values[t])} at {world.cell(t)}")
    if policy is not None:
        policy = np.asarray(policy, float)
        shown = ~world.ending
        arrows(ax, world.cells[shown], policy[shown], role or "learner")
        favourite = policy[shown].argmax(axis=1)
        counts = [f"{move} in {n}" for move, n in
                  zip(world.moves, np.bincount(favourite, minlength=len(world.moves))) if n]
        words.append(f"arrows: the likeliest move is {', '.join(counts)} cells")
    paths(ax, routes, role or "person")
    words += [f"route {k}: {in_words(route)}" for k, route in enumerate(routes, 1)]
    return fig, "; ".join(words) + "."


def in_words(route) -> str:
    """A route in words: where it begins, how far it goes which way, where it ends."""
    names, runs = ("south", "north", "east", "west"), []
    for here, there in zip(route[:-1], route[1:]):
        down, right = there[0] - here[0], there[1] - here[1]
        if (down, right) == (0, 0):
            name, length = "stays", 1
        else:
            name = names[(0 if down > 0 else 1) if down else (2 if right > 0 else 3)]
            length = abs(down) + abs(right)
        if runs and runs[-1][0] == name:
            runs[-1][1] += length
        else:
            runs.append([name, length])
    legs = ", ".join(f"{name} {length}" for name, length in runs) or "nowhere"
    start, end = (tuple(int(i) for i in route[i]) for i in (0, -1))
    return f"from {start} {legs}, to {end}, {len(route) - 1} steps"


def pixels(fig, dpi=100) -> np.ndarray:
    """The figure as uint8 (height, width, 3)."""
    fig.set_dpi(dpi)
    fig.canvas.draw()
    return np.asarray(fig.canvas.buffer_rgba())[..., :3].copy()


def rgb(world: GridWorld, cell=None) -> np.ndarray:
    """The world, and somebody in one of its cells, uint8 (height, width, 3)."""
    fig, _ = fig_grid(world)
    if cell is not None:
        robot(fig.axes[0], cell)
    return pixels(fig)
