"""Loaf Street as one inline SVG: houses, shops, doors, and who walks between them.

Every mark has a class and no colour of its own; `companion.css` paints it by day and
by night. Cells are 48 units wide, 46 of them filled, so that streets show their joints.
"""

from __future__ import annotations

from . import town

SIZE = 48


def rect(kind, x, y, width, height, r=0) -> str:
    box = f'x="{x}" y="{y}" width="{width}" height="{height}" rx="{r}"'
    return f'<rect class="t-{kind}" {box}/>'


def path(kind, d) -> str:
    return f'<path class="t-{kind}" d="{d}"/>'


def circle(kind, x, y, r) -> str:
    return f'<circle class="t-{kind}" cx="{x}" cy="{y}" r="{r}"/>'


# Who walks: drawn round their own middle, and moved by a transform. -------------------

ROLLO = "".join(
    (
        path("line", "M0-17v-5"),
        circle("lamp", 0, -23, 2.6),
        rect("metal", -11, -18, 22, 15, 4),
        rect("metal", -15, -4, 30, 13, 4),
        circle("eye", -4.5, -10.5, 2.6),
        circle("eye", 4.5, -10.5, 2.6),
        path("bread", "M-9 3.5q0-5 4-5h10q4 0 4 5z"),
        circle("wheel", -8.5, 10.5, 4.6),
        circle("wheel", 8.5, 10.5, 4.6),
    )
)
HANA = "".join(
    (
        circle("ring", 0, 0, 21),
        path("person", "M-12 14q0-14 12-14t12 14z"),
        circle("person", 0, -5, 7.5),
        path(
            "hat",
            "M-6-9.5v-4q-4.5-.5-4-4.5t4.5-3.5q1.5-3 5.5-3t5.5 3q4-.5 4.5 3.5t-4 4.5v4z",
        ),
    )
)
BARRIER = "".join(
    (
        rect("hatch", -23, -23, 46, 46, 6),
        path("legs", "M-14 2v14M14 2v14"),
        rect("board", -19, -7, 38, 11, 2),
        path("stripes", "M-16-7h7l-5 11h-5v-4zM-3-7h7l-5 11h-7zM10-7h7l-5 11h-7z"),
        path("stop", "M-4-21h8l6 6v8l-6 6h-8l-6-6v-8z"),
        path("bang", "M0-17.5v7M0-7v.1"),
    )
)
HATCHING = (
    '<defs><pattern id="t-dug" width="9" height="9" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)">'
    + rect("dug-ground", 0, 0, 9, 9)
    + rect("dug-line", 0, 0, 3.5, 9)
    + "</pattern></defs>"
)


# Where they walk -----------------------------------------------------------------------


def corner(cell: town.Cell) -> tuple[int, int]:
    return cell[1] * SIZE, cell[0] * SIZE


def centre(cell: town.Cell) -> tuple[int, int]:
    x, y = corner(cell)
    return x + SIZE // 2, y + SIZE // 2


def tile(cell: town.Cell, kind: str = "tile") -> str:
    x, y = corner(cell)
    return rect(kind, x + 1, y + 1, SIZE - 2, SIZE - 2, 6)


def windows(x, y, columns, floors, seed: int) -> str:
    """Rows of windows; the seed says where somebody is at home at night."""
    places = [(x + dx, y + dy) for dy in floors for dx in columns]
    return "".join(
        rect("lit" if (5 * k + seed) % 7 in (0, 2, 5) else "window", *at, 8, 9, 1.5)
        for k, at in enumerate(places)
    )


def house(cell: town.Cell, tall: bool = False) -> str:
    """A gabled house; tone, gable and chimney vary by address."""
    (x, y), kind = corner(cell), (cell[0] * 3 + cell[1] * 2) % 3
    foot = y + (2 * SIZE if tall else SIZE) - 1
    gable, chimney = y + (3, 6, 4)[kind], x + (32, 8, 33)[kind]
    floors = (27, 44, 61) if tall else (26,)
    return "".join(
        (
            rect("roof-0", chimney, y + 3, 6, 14),
            rect(f"wall-{kind}", x + 3, y + 19, 42, foot - y - 19),
            path(
                f"roof-{kind}", f"M{x + 1} {y + 21}L{x + 24} {gable}L{x + 47} {y + 21}z"
            ),
            windows(x, y, (9, 20, 31), floors, seed=cell[0] + 3 * cell[1]),
            rect("door", x + 19, foot - 14, 10, 14) if tall else "",
        )
    )


def tower(cell: town.Cell) -> str:
    """The clock tower takes the two cells beside the stairs."""
    x, y = corner(cell)
    return "".join(
        (
            rect("wall-1", x + 10, y + 22, 28, 73),
            path("roof-0", f"M{x + 6} {y + 24}L{x + 24} {y + 1}l18 23z"),
            circle("clock", x + 24, y + 40, 10),
            path("hands", f"M{x + 24} {y + 33}v7l5 3"),
            windows(x, y, (13, 27), (56, 73), seed=1),
        )
    )


def shop(cell: town.Cell, name: str, sign: str) -> str:
    """A shop front under a striped awning, with a sign above it."""
    x, y = corner(cell)
    stripes = "".join(
        path(f"awning-{k % 2}", f"M{x + 4 + 8 * k} {y + 13}h8v7q0 4-4 4t-4-4z")
        for k in range(5)
    )
    front = rect("wall-1", x + 6, y + 15, 36, 31, 2) + rect(
        "lit", x + 10, y + 26, 28, 13, 2
    )
    return f'<g class="t-{name}">{tile(cell)}{front}{stripes}{sign}</g>'


def bakery(cell: town.Cell) -> str:
    x, y = corner(cell)
    loaf = path("bread", f"M{x + 13} {y + 11}q-3-8 5-8h12q8 0 5 8z")
    cuts = path("cuts", "".join(f"M{x + dx} {y + 9}l2-4" for dx in (19, 24, 29)))
    return shop(cell, "bakery", loaf + cuts)


def cafe(cell: town.Cell) -> str:
    x, y = corner(cell)
    cup = f"M{x + 17} {y + 4}h12v3q0 5-6 5t-6-5zM{x + 29} {y + 5}q4 0 3 3t-4 2"
    return shop(cell, "cafe", path("cup", cup))


def door(cell: town.Cell) -> str:
    """A house that somebody opens, and the ring of the one where Hana is expected."""
    x, y = corner(cell)
    parts = (
        tile(cell),
        rect("wall-1", x + 7, y + 19, 34, 27),
        path("roof-1", f"M{x + 4} {y + 21}L{x + 24} {y + 4}l20 17z"),
        path("door", f"M{x + 16} {y + 46}v-13q0-8 8-8t8 8v13z"),
        circle("knob", x + 29, y + 37, 1.4),
        rect("goal-ring", x + 2, y + 2, 44, 44, 7),
    )
    return f'<g class="t-goal" data-door="{town.CELLS[cell]}">{"".join(parts)}</g>'


def plate(cell: town.Cell) -> str:
    """The number of a door, drawn last so that nobody stands in front of it."""
    x, y = corner(cell)
    number = (
        f'<text class="t-number" x="{x + 37}" y="{y + 16}">{town.CELLS[cell]}</text>'
    )
    return circle("plate", x + 37, y + 11, 9.5) + number


def garden(cell: town.Cell) -> str:
    x, y = corner(cell)
    spots = ((12, 15, 0), (31, 12, 1), (22, 27, 1), (36, 33, 0), (11, 36, 1))
    return tile(cell, "garden") + "".join(
        path("stem", f"M{x + dx} {y + dy + 3}v7")
        + circle(f"flower-{kind}", x + dx, y + dy, 4)
        + circle("lit", x + dx, y + dy, 1.5)
        for dx, dy, kind in spots
    )


def stairs(cell: town.Cell) -> str:
    x, y = corner(cell)
    steps = "".join(f"M{x + 8} {y + 9 + 7.5 * k}h32" for k in range(5))
    return tile(cell) + path("steps", steps)


def background() -> str:
    draw = {"B": bakery, "C": cafe, "*": garden, "s": stairs, ".": tile}
    draw |= dict.fromkeys("123", door)
    out = []
    for (row, column), sign in town.CELLS.items():
        cell = (row, column)
        if sign != "#":
            out.append(draw[sign](cell))
        elif row == 4:  # this row and the next are one: tall houses, and the tower
            out.append(tower(cell) if column == 7 else house(cell, tall=True))
        elif row != 5:
            out.append(house(cell))
    return "".join(out)


def route(name: str, walk: list[town.Cell]) -> str:
    points = " ".join("{},{}".format(*centre(cell)) for cell in walk)
    return f'<polyline class="t-{name}" data-part="{name}" points="{points}"/>'


def figure(name: str, cell: town.Cell, drawing: str) -> str:
    x, y = centre(cell)
    home = " t-home" if cell == town.BAKERY else ""
    return (
        f'<g class="t-{name}{home}" data-part="{name}" '
        f'style="transform:translate({x}px,{y}px)"><g class="t-body">{drawing}</g></g>'
    )


def picture(tale: dict) -> str:
    """The whole town with a story in it: routes, barrier, Hana and Rollo."""
    width, height = SIZE * len(town.ROWS[0]), SIZE * len(town.ROWS)
    layers = (
        HATCHING,
        background(),
        route("detour", tale["detour"]),
        route("route", tale["walk"]),
        route("trail", tale["trail"]),
        figure("barrier", tale["dug"], BARRIER),
        figure("hana", town.BAKERY, HANA),
        figure("rollo", tale["trail"][-1], ROLLO),
        *map(plate, town.DOORS.values()),
    )
    box = f'viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false"'
    return f"<svg {box}>{''.join(layers)}</svg>"
