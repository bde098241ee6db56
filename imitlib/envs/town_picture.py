"""Loaf Street on paper: houses and shops from the front, streets from above.

As on a map for visitors. Streets are the cells of `grid_picture`; what must be told
apart is told by shape and word first, by colour second.
"""

from __future__ import annotations

import numpy as np
from matplotlib.patheffects import withStroke

from imitlib.envs import grid_picture as grid
from imitlib.envs.grid_picture import UNIT, centre
from imitlib.envs.town import WARM, Town
from imitlib.figures import CARD, CELL, INK, MUTED, ROLES, WALL

__all__ = ["draw_town", "fig_town", "rgb"]

_WALLS = ("#E4E0D8", "#DCE1E8", "#E9E2D0", "#E0DCE4")  # plaster, four houses of it
_ROOFS = ("#8A919C", "#7A818C", "#979EA8", "#858A95")
_CRUST, _CRUMB = "#C98A2B", "#F0C479"


def draw_town(ax, town: Town, *, roadworks: int = 0, busy=()):
    """The town without anybody in it; the right door has a ring, if it is known.

    In `busy` cells there is room for somebody where a word would be.
    """
    signs = {(int(r), int(c)): str(sign) for (r, c), sign in np.ndenumerate(town.board)}
    for cell, sign in signs.items():
        if sign == "#":
            _house(ax, cell)
            continue
        if sign == "*":
            grid.hazard(ax, cell)
            _flowers(ax, cell)
        else:
            grid.tile(ax, cell, CELL)
        if sign == "B":
            _shop(ax, cell, "" if cell in busy else "Bakery", ROLES["person"].color)
        elif sign == "C":
            _shop(ax, cell, "" if cell in busy else "Café", ROLES["learner"].color)
        elif sign == "s":
            _stairs(ax, cell, "" if cell in busy else "Stairs")
        elif sign.isdigit():
            _door(ax, cell, sign, busy=cell in busy, right=town.door == int(sign))
    garden = [cell for cell, sign in signs.items() if sign == "*"]
    for cell in garden[:1] if not set(garden) & set(busy) else ():
        along = (cell[0], cell[1] + 1) in garden
        _word(ax, centre(cell) + (UNIT / 2 * along, 16), "School garden" if along
              else "Garden", paper=True)
    if roadworks:
        _barrier(ax, town.roadworks[roadworks - 1])


def _word(ax, at, text, size=9.0, *, paper=False, **look):
    box = {"boxstyle": "round,pad=0.12,rounding_size=0.3", "facecolor": CARD,
           "linewidth": 0} if paper else None
    halo = [withStroke(linewidth=3, foreground=CARD)]  # legible where a route crosses
    ax.text(*at, text, ha="center", va="center", fontsize=size, color=INK, zorder=10,
            fontfamily="DejaVu Sans", bbox=box, path_effects=halo, **look)


def _shape(ax, points, color, **look):
    from matplotlib.patches import Polygon

    ax.add_patch(Polygon(points, facecolor=color, **({"linewidth": 0, "zorder": 2} | look)))


def _box(ax, x, y, width, height, color, round_by=0.0, **look):
    from matplotlib.patches import FancyBboxPatch

    style = f"round,pad=0,rounding_size={round_by}" if round_by else "square,pad=0"
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=color,
                                **({"linewidth": 0, "zorder": 2} | look)))


def _house(ax, cell):
    """A gable, a chimney, a door, two windows; four houses are told apart."""
    x, y = centre(cell)
    kind = (3 * cell[0] + 5 * cell[1] + cell[0] * cell[1]) % 4
    wall, roof = _WALLS[kind], _ROOFS[(kind + cell[0]) % 4]
    side = 9 if kind % 2 else -14
    _box(ax, x + side, y - 20, 5, 12, roof)
    _box(ax, x - 18, y - 4, 36, 26, wall)
    _shape(ax, [(x - 22, y - 3), (x, y - 21), (x + 22, y - 3)], roof, zorder=3)
    _box(ax, x - 4 + 9 * (kind - 1.5) / 1.5, y + 8, 8, 14, roof, zorder=3)
    for pane in (-13, 5) if kind in (1, 2) else (-4.5,):
        _box(ax, x + pane, y, 8, 6.5, CARD, zorder=3)


def _shop(ax, cell, name, color):
    """An awning in stripes, and a word under it."""
    from matplotlib.patches import Wedge

    x, y = centre(cell)
    _box(ax, x - 20, y - 21, 40, 10, color)
    for k in range(5):
        stripe = color if k % 2 == 0 else CARD
        _box(ax, x - 20 + 8 * k, y - 21, 8, 10, stripe, zorder=3)
        ax.add_patch(Wedge((x - 16 + 8 * k, y - 11), 4, 0, 180, facecolor=stripe,
                           edgecolor=color, linewidth=0.5, zorder=3))
    if name:
        _word(ax, (x, y + 17), name)


def _flowers(ax, cell):
    from matplotlib.patches import Circle

    x, y = centre(cell)
    for right, down in ((-12, -11), (11, -12), (0, -2)):
        for angle in np.arange(5) * 2 * np.pi / 5:
            at = (x + right + 3.4 * np.sin(angle), y + down - 3.4 * np.cos(angle))
            ax.add_patch(Circle(at, 2.7, facecolor=CARD, edgecolor=MUTED, linewidth=0.4,
                                zorder=3))
        ax.add_patch(Circle((x + right, y + down), 2.3, facecolor=ROLES["learner"].color,
                            zorder=4))


def _stairs(ax, cell, name):
    x, y = centre(cell)
    for k in range(4):
        _box(ax, x - 18 + 9 * k, y + 7 - 7 * (k + 1), 9, 7 * (k + 1), WALL)
        _box(ax, x - 18 + 9 * k, y + 7 - 7 * (k + 1), 9, 2, INK, zorder=3)
    if name:
        _word(ax, (x, y + 16), name)


def _door(ax, cell, number, *, right, busy=False):
    """A door with its number; it stands aside where somebody is at it."""
    x, y = centre(cell) + (8 if busy else 0, 0)
    _box(ax, x - 11, y - 17, 22, 35, ROLES["person"].color, 5, edgecolor=CARD,
         linewidth=1, zorder=6)
    ax.text(x, y - 3, number, ha="center", va="center", fontsize=14, fontweight="bold",
            color=CARD, fontfamily="DejaVu Sans", zorder=7)
    _box(ax, x + 5, y + 7, 3, 3, CARD, 1.4, zorder=7)
    if right:
        grid.ring(ax, cell, 22)


def _barrier(ax, cell):
    """A striped board on two legs."""
    x, y = centre(cell)
    for leg in (-13, 10):
        _box(ax, x + leg, y - 4, 3, 18, INK, zorder=10)
    _box(ax, x - 20, y - 10, 40, 12, CARD, 2, edgecolor=INK, linewidth=1.2, zorder=11)
    for k in range(4):
        left = x - 18 + 10 * k
        _shape(ax, [(left, y + 1), (left + 5, y + 1), (left + 8, y - 9),
                    (left + 3, y - 9)], ROLES["harm"].color, zorder=12)


def _loaf(ax, at, bread):
    """A loaf; it steams if it is warm."""
    from matplotlib.patches import Ellipse

    x, y = at
    ax.add_patch(Ellipse((x, y), 18, 10, facecolor=_CRUST, edgecolor=CARD, linewidth=1,
                         zorder=13))
    for cut in (-4, 0, 4):
        ax.plot([x + cut - 1, x + cut + 1], [y + 2, y - 2], color=_CRUMB, linewidth=1.3,
                zorder=14)
    rise = np.linspace(0, 1, 20)
    for aside in (-4, 4) if bread == WARM else ():
        ax.plot(x + aside + 1.5 * np.sin(2 * np.pi * rise), y - 7 - 9 * rise,
                color=MUTED, linewidth=1.1, zorder=13)


def _hana(ax, cell, bread=None, at=(0.0, 0.0)):
    """A person with a baker's hat, and her loaf if she carries one."""
    from matplotlib.patches import Circle

    x, y = at = np.add(at, (0.0 if bread is None else -7.0, 3.0))
    grid.person(ax, cell, at=at)
    x, y = centre(cell) + at
    look = {"facecolor": CARD, "edgecolor": ROLES["person"].color, "linewidth": 1.1}
    for right in (-4.5, 4.5, 0):
        ax.add_patch(Circle((x + right, y - 16 - (right == 0)), 4.4, zorder=12, **look))
    _box(ax, x - 6.5, y - 15, 13, 5, CARD, 1, zorder=13, **{
        "edgecolor": CARD, "linewidth": 0})
    ax.plot([x - 6, x + 6], [y - 10, y - 10], color=look["edgecolor"], linewidth=1.4,
            zorder=14)
    if bread is not None:
        _loaf(ax, (x + 18, y + 9), bread)


def _rollo(ax, cell, bread=None, at=(0.0, 0.0)):
    """A robot, and the loaf on its back if it carries one."""
    at = np.add(at, (0.0 if bread is None else -6.0, 2.0))
    grid.robot(ax, cell, at=at)
    if bread is not None:
        _loaf(ax, centre(cell) + at + (19, 6), bread)


def fig_town(town: Town, *, routes=(), roadworks: int = 0, hana=None, rollo=None,
             bread: int | None = None, width: float = 4.8):
    """The town, who is in it, and where they went: (figure, alt text).

    Parameters
    ----------
    routes : list of (cells, role) or (cells, role, label)
        Cells (row, column) in the order they are visited; a role of `figures.ROLES`; a
        label that is written under the town.
    roadworks : int
        Which barrier stands; 0 for none.
    hana, rollo : (int, int), optional
        The cells they are in.
    bread : int, optional
        What they carry: 0 a warm loaf, 1 a cold one.
    width : float
        Inches.
    """
    routes = [(*route, "")[:3] for route in routes]
    named = [(role, label) for _, role, label in routes if label]
    fig, ax = grid.canvas(town.board.shape, width, below=0.5 * len(named))
    busy = [tuple(cell) for cell in (hana, rollo) if cell is not None]
    draw_town(ax, town, roadworks=roadworks, busy=busy)
    for k, (cells, role, _) in enumerate(routes):
        grid.paths(ax, [cells], role, first=k,
                   short=17 if tuple(cells[-1]) in town.doors else 0)
    for k, (role, label) in enumerate(named):
        _key(ax, (town.board.shape[0] + 0.5 * k + 0.25) * UNIT, role, label)
    if hana is not None:
        _hana(ax, hana, bread, _aside(town, hana))
    if rollo is not None:
        _rollo(ax, rollo, bread, _aside(town, rollo))
    people = [f"{name} at {tuple(cell)}" for name, cell in
              (("Hana", hana), ("Rollo", rollo)) if cell is not None]
    return fig, _alt(town, routes, roadworks, people, bread)


def _aside(town, cell):
    """Where in a cell one stands: under the awning of a shop."""
    return (0.0, 4.0) if town.board[tuple(cell)] in "BC" else (0.0, 0.0)


def _key(ax, y, role, label):
    look = ROLES[role]
    ax.plot([8, 46], [y, y], color=look.color, linestyle=look.dash, linewidth=look.width)
    ax.text(54, y, label, va="center", fontsize=11, color=INK, fontfamily="DejaVu Sans")


def _alt(town, routes, roadworks, people, bread):
    """What the picture shows, in words."""
    rows, columns = town.board.shape
    places = [f"bakery at {town.bakery}"]
    for sign, name in (("C", "café"), ("*", "school garden"), ("s", "stairs")):
        found = [str(tuple(int(i) for i in cell)) for cell in town.cells[town.signs == sign]]
        if found:
            places.append(f"{name} at {', '.join(found)}")
    places += [f"door {d} at {cell}" for d, cell in enumerate(town.doors, 1)]
    words = [f"Map of a town, {rows} rows by {columns} columns, counted from 0 in the "
             f"north-west corner: {', '.join(places)}"]
    words.append(f"Door {town.door} is the right one" if town.door is not None
                 else "Which door is right is not shown")
    if roadworks:
        words.append(f"A barrier stands at {town.roadworks[roadworks - 1]}")
    if people:
        loaf = "" if bread is None else f", with a {('warm', 'cold')[bread]} loaf"
        words.append(" and ".join(people) + loaf)
    garden = {tuple(cell) for cell in town.cells[town.signs == "*"].tolist()}
    for cells, role, label in routes:
        crossed = sum(tuple(c) in garden for c in _entered(cells))
        over = f", across {crossed} garden cells" if crossed else ""
        words.append(f"{label or f'Route of the {role}'}: {grid.in_words(cells)}{over}")
    return ". ".join(words) + "."


def _entered(route):
    """Every cell that a route enters, those it rolls across too."""
    for (r, c), (to_r, to_c) in zip(route[:-1], route[1:]):
        length = max(abs(to_r - r), abs(to_c - c))
        for k in range(1, length + 1):
            yield r + (to_r - r) * k // length, c + (to_c - c) * k // length


def rgb(town: Town, state: int) -> np.ndarray:
    """The town in one of its states, with whoever moves, uint8 (height, width, 3)."""
    _, roadworks, bread, _ = (int(part) for part in town.parts(state))
    who = {town.who: town.cell(state)}
    fig, _ = fig_town(town, roadworks=roadworks, bread=bread, **who)
    return grid.pixels(fig)
