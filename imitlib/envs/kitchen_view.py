"""The kitchen as a picture: legible in grey, on a phone, and as frames of a film."""

import numpy as np

from imitlib.envs.kitchen import (
    DISH,
    FULL_POT,
    NOTHING,
    ONION,
    READY,
    SOUP,
    STEP,
)
from imitlib.figures import CELL, GRID, INK, MUTED, ROLES, WALL

# One player is dark and one light, and both are numbered: no colour is needed.
PLAYERS = (ROLES["person"].color, "#FFFFFF")
OUTLINE = ROLES["person"].color
ONION_SKIN, SOUP_COLOR = "#E3B23C", "#B4531A"
NAMES = {"O": "onions", "D": "dishes", "P": "pot", "S": "hatch"}


def draw(kitchen, state, game=0, *, square=0.72, names=True):
    """One kitchen of a `State` as a matplotlib Figure.

    Counters are grey blocks, floor is empty space, a pot shows its onions and,
    as an arc, how far they are cooked.  Player 0 is dark and labelled 1, player 1
    light and labelled 2; the beak points where a player faces, and what it carries
    is in front of it.

    Parameters
    ----------
    kitchen : Kitchen
    state : State
    game : int, which of the state's games.
    square : float, inches per square.
    names : bool, write what the boxes, pots and hatches are.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not 0 <= game < len(state):
        raise ValueError(f"game is {game}; legal: 0..{len(state) - 1}")
    w, h = kitchen.width, kitchen.height
    fig = Figure(figsize=(w * square, h * square), facecolor="#FFFFFF")
    FigureCanvasAgg(fig)
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.53, w - 0.47), ylim=(h - 0.47, -0.53), aspect="equal")
    ax.axis("off")
    for y in range(h):
        for x in range(w):
            _tile(ax, x, y, kitchen.terrain[y, x], square if names else None)
            if kitchen.pots[y, x]:
                _pot(ax, x, y, state.objects[game, y, x])
            else:
                _thing(ax, x, y, state.objects[game, y, x])
    for player in (0, 1):
        x, y = state.position[game, player]
        dx, dy = STEP[state.facing[game, player]]
        _person(ax, x, y, dx, dy, player)
        _thing(ax, x + 0.36 * dx, y + 0.36 * dy + 0.1, state.held[game, player], 0.62)
    return fig


def pixels(fig, dpi=100):
    """The figure as an RGB image, (height, width, 3) uint8."""
    fig.set_dpi(dpi)
    fig.canvas.draw()
    return np.asarray(fig.canvas.buffer_rgba())[..., :3].copy()


def _shape(ax, kind, *where, **style):
    from matplotlib import patches

    style = {"facecolor": "none", "edgecolor": INK, "linewidth": 1.1, **style}
    ax.add_patch(getattr(patches, kind)(*where, **style))


def _tile(ax, x, y, square, size):
    if square == " ":
        fill, edge = CELL, CELL
    else:
        fill, edge = GRID, WALL
    _shape(
        ax, "FancyBboxPatch", (x - 0.4, y - 0.4), 0.8, 0.8, facecolor=fill,
        edgecolor=edge, boxstyle="round,pad=0.07,rounding_size=0.12", linewidth=0.8,
    )  # fmt: skip
    if square == "O":
        for dx, dy in ((-0.19, 0.02), (0.19, 0.02), (0, -0.2)):
            _onion(ax, x + dx, y + dy - 0.02, 0.15)
    elif square == "D":
        for dy in (-0.02, -0.1, -0.18):
            _dish(ax, x, y + dy, 0.26)
    elif square == "S":
        _shape(ax, "Rectangle", (x - 0.3, y - 0.34), 0.6, 0.5, facecolor="#FFFFFF")
        arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.6, "mutation_scale": 11}
        ax.annotate("", (x, y + 0.12), (x, y - 0.3), arrowprops=arrow)
    if square in NAMES and size:
        ax.text(
            x, y + 0.43, NAMES[square], ha="center", va="bottom", color=INK,
            fontsize=8.5 * size / 0.72,
        )  # fmt: skip


def _pot(ax, x, y, thing):
    """A pot from above: up to three onions, and an arc that closes as they cook."""
    y = y - 0.08
    _shape(ax, "Circle", (x, y), 0.3, facecolor="#3A4049", linewidth=1.4)
    _shape(ax, "Rectangle", (x - 0.42, y - 0.05), 0.12, 0.1, facecolor="#3A4049")
    _shape(ax, "Rectangle", (x + 0.3, y - 0.05), 0.12, 0.1, facecolor="#3A4049")
    if thing == NOTHING:
        return
    onions = 3 if thing >= FULL_POT else (thing - SOUP) // 100
    done = np.clip((thing - FULL_POT) / (READY - FULL_POT), 0, 1)
    if done >= 1:
        _shape(ax, "Circle", (x, y), 0.23, facecolor=SOUP_COLOR, edgecolor="#FFFFFF")
        ax.text(x, y, "✓", ha="center", va="center", color="#FFFFFF", fontsize=13)
        return
    for i in range(onions):
        angle = np.pi / 2 + 2 * np.pi * i / 3
        _onion(ax, x + 0.13 * np.cos(angle), y - 0.13 * np.sin(angle), 0.1)
    if done > 0:
        _shape(
            ax, "Arc", (x, y), 0.5, 0.5, theta1=-90, theta2=-90 + 360 * done,
            edgecolor="#FFFFFF", linewidth=2.6,
        )  # fmt: skip


def _thing(ax, x, y, thing, scale=0.9):
    if thing == ONION:
        _onion(ax, x, y, 0.2 * scale)
    elif thing == DISH:
        _dish(ax, x, y, 0.3 * scale)
    elif thing >= SOUP:
        _dish(ax, x, y, 0.32 * scale)
        _shape(
            ax, "Ellipse", (x, y), 0.42 * scale, 0.3 * scale, facecolor=SOUP_COLOR,
            zorder=6,
        )  # fmt: skip


def _onion(ax, x, y, r):
    for dx in (-0.5, 0, 0.5):  # the shoot
        ends = [x, x + dx * r], [y - 0.8 * r, y - 1.7 * r]
        ax.plot(*ends, color=MUTED, lw=1.1, zorder=6)
    _shape(ax, "Circle", (x, y), r, facecolor=ONION_SKIN, zorder=6)
    _shape(ax, "Arc", (x, y), 0.9 * r, 1.9 * r, linewidth=0.8, zorder=6)


def _dish(ax, x, y, r):
    _shape(ax, "Ellipse", (x, y), 2 * r, 1.5 * r, facecolor="#FFFFFF", zorder=5)
    rim = {"edgecolor": MUTED, "linewidth": 0.8, "zorder": 5}
    _shape(ax, "Ellipse", (x, y), 1.2 * r, 0.85 * r, **rim)


def _person(ax, x, y, dx, dy, player):
    """Head and shoulders from above, with a beak where the person looks."""
    fill, ink = PLAYERS[player], OUTLINE
    line = {"facecolor": fill, "edgecolor": ink, "linewidth": 2.0}
    wide, deep = (0.72, 0.36) if dy else (0.36, 0.72)
    _shape(ax, "Ellipse", (x - 0.06 * dx, y - 0.06 * dy), wide, deep, **line)
    tip, side = np.array([x + 0.34 * dx, y + 0.34 * dy]), 0.13 * np.array([dy, dx])
    root = np.array([x + 0.14 * dx, y + 0.14 * dy])
    _shape(ax, "Polygon", np.array([tip, root + side, root - side]), **line)
    rim = {**line, "edgecolor": "#FFFFFF" if player == 0 else ink, "linewidth": 1.6}
    _shape(ax, "Circle", (x, y), 0.22, zorder=3, **rim)
    ax.text(
        x, y, str(player + 1), ha="center", va="center", zorder=4, fontsize=10,
        color="#FFFFFF" if player == 0 else ink, fontweight="bold",
    )  # fmt: skip
