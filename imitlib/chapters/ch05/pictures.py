"""How chapter 05 draws: street plans with arrows, and rows of arrivals."""

from __future__ import annotations

import numpy as np

from imitlib.figures import CELL, INK, MUTED, ROLES, WALL, axes

ARROWS = "↑→↓←"


def draw_plan(ax, maps, n=0, labels=None, *, fresh=None, size=11):
    """One plan: houses, the goal as a star, and the labels of a frame as arrows.

    Parameters
    ----------
    labels : (rows, columns) int, optional
        Only 0 to 3 are drawn.
    fresh : (rows, columns) bool, optional
        Cells to be tinted, such as the newest ring.
    """
    walls = maps.walls[n]
    shade = np.where(walls[..., None], _rgb(WALL), _rgb(CELL))
    if fresh is not None:
        shade[fresh] = _rgb("#F2DDA8")
    ax.imshow(shade, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    row, column = maps.goals[n]
    ax.plot(column, row, ROLES["optimum"].marker, color=ROLES["optimum"].color, ms=size)
    if labels is not None:
        for r, c in np.argwhere((labels >= 0) & (labels < 4)):
            ax.text(c, r, ARROWS[labels[r, c]], ha="center", va="center", color=INK,
                    fontsize=size)  # fmt: skip


def _rgb(color):
    return np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def fig_rows(rows, *, size=(4.8, 3.0), note="arrived, plans of 20×20"):
    """Arrivals of each learner, from starts in view (hollow) and out of view (filled).

    Parameters
    ----------
    rows : list of (words, role, in view, out of view)
        The last two hold one number per seed.

    Returns
    -------
    (Figure, str)
        The picture, and its numbers in words.
    """
    fig, ax = axes("", note, size=size)
    words = []
    for y, (name, role, near, far) in enumerate(reversed(rows)):
        look = ROLES[role]
        a, b = float(np.mean(near)), float(np.mean(far))
        ax.plot([a, b], [y, y], color=look.color, lw=1.6, ls=look.dash, alpha=0.8)
        ax.plot([np.min(far), np.max(far)], [y, y], color=look.color, lw=6, alpha=0.25,
                solid_capstyle="butt")  # fmt: skip
        ax.plot(a, y, "o", color=look.color, mfc="white", ms=7, mew=1.6)
        ax.plot(b, y, "D", color=look.color, ms=7)
        words.append(f"{name.replace(chr(10), ' ')}: {a:.2f} in view, {b:.2f} out of view")
    top = len(rows) - 1
    name, _, near, far = rows[0]
    ax.set_yticks(range(len(rows)), [row[0] for row in reversed(rows)], color=INK)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.6, top + 0.6)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    ax.grid(False, axis="y")
    ax.grid(True, axis="x", color="#D5DAE1", lw=0.6)
    ax.set_xlabel("○ goal in view      ◆ goal out of view", color=MUTED)
    return fig, "; ".join(reversed(words))
