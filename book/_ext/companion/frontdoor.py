"""The front door: Loaf Street drawn as one inline SVG, with its story told.

What the server draws is the end of the story, complete without scripts. The script of
the front page (`book/_assets/front_door.js`) winds it back and hands it to the reader.
"""

from __future__ import annotations

import json
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import town

SIZE = 48  # one cell, in the units of the drawing
ROLLO = """\
<path class="t-line" d="M0-17v-5"/><circle class="t-lamp" cy="-23" r="2.6"/>
<rect x="-11" y="-18" width="22" height="15" rx="4"/><rect x="-15" y="-4" width="30" height="13" rx="4"/>
<g class="t-eyes"><circle cx="-4.5" cy="-10.5" r="2.6"/><circle cx="4.5" cy="-10.5" r="2.6"/></g>
<path class="t-loaf" d="M-9 3.5q0-5 4-5h10q4 0 4 5z"/>
<circle class="t-wheel" cx="-8.5" cy="10.5" r="4.6"/><circle class="t-wheel" cx="8.5" cy="10.5" r="4.6"/>"""
HANA = """\
<circle class="t-ring" r="21"/><path class="t-hana-body" d="M-12 14q0-14 12-14t12 14z"/>
<circle class="t-hana-body" cy="-5" r="7.5"/>
<path class="t-hat" d="M-6-9.5v-4q-4.5-.5-4-4.5t4.5-3.5q1.5-3 5.5-3t5.5 3q4-.5 4.5 3.5t-4 4.5v4z"/>"""
BARRIER = """\
<rect class="t-hatch" x="-23" y="-23" width="46" height="46" rx="6"/>
<path class="t-legs" d="M-14 2v14M14 2v14"/>
<rect class="t-board" x="-19" y="-7" width="38" height="11" rx="2"/>
<path class="t-stripes" d="M-16-7h7l-5 11h-5v-4zM-3-7h7l-5 11h-7zM10-7h7l-5 11h-7z"/>
<path class="t-stop" d="M-4-21h8l6 6v8l-6 6h-8l-6-6v-8z"/><path class="t-bang" d="M0-17.5v7M0-7v.1"/>"""

KEY = "".join(
    f'<span><svg viewBox="0 0 44 8" aria-hidden="true"><path class="t-{name}" d="M3 4h38"/></svg>'
    f" {text}</span>"
    for name, text in (
        ("route", "what Hana showed"),
        ("trail", "what Rollo did"),
        ("detour", "what Hana would do"),
    )
)


def corner(cell: town.Cell) -> tuple[int, int]:
    return cell[1] * SIZE, cell[0] * SIZE


def centre(cell: town.Cell) -> tuple[int, int]:
    x, y = corner(cell)
    return x + SIZE // 2, y + SIZE // 2


def points(walk) -> str:
    return " ".join("{},{}".format(*centre(cell)) for cell in walk)


def tile(cell: town.Cell, extra: str = "") -> str:
    x, y = corner(cell)
    return (
        f'<rect class="t-tile{extra}" x="{x + 1}" y="{y + 1}" width="46" height="46" rx="6"/>'
    )


def windows(x: int, y: int, columns, rows, lit: int) -> str:
    out = []
    for k, (dx, dy) in enumerate((dx, dy) for dy in rows for dx in columns):
        on = " t-lit" if (k * 5 + lit) % 7 in (0, 2, 5) else ""
        out.append(
            f'<rect class="t-window{on}" x="{x + dx}" y="{y + dy}" width="8" height="9" rx="1.5"/>'
        )
    return "".join(out)


def house(cell: town.Cell, floors: int = 1) -> str:
    """A gabled house; the tone, the chimney and the lit windows vary by address."""
    (x, y), kind = corner(cell), (cell[0] * 3 + cell[1] * 2) % 3
    foot = y + SIZE * floors - 1
    peak = y + (3, 6, 4)[kind]
    chimney = x + (32, 8, 33)[kind]
    smoke = f'<rect class="t-chimney" x="{chimney}" y="{y + 3}" width="6" height="14"/>'
    wall = (
        f'<rect class="t-wall t-wall-{kind}" x="{x + 3}" y="{y + 19}" width="42" '
        f'height="{foot - y - 19}"/>'
    )
    roof = f'<path class="t-roof t-roof-{kind}" d="M{x + 1} {y + 21}L{x + 24} {peak}l23 {y + 21 - peak}z"/>'
    rows = [26] if floors == 1 else [27, 44, 61]
    glass = windows(x, y, (9, 20, 31), rows, lit=cell[0] + cell[1] * 3)
    door = "" if floors == 1 else f'<rect class="t-door" x="{x + 19}" y="{foot - 14}" width="10" height="14"/>'
    return smoke + wall + roof + glass + door


def tower(cell: town.Cell) -> str:
    """The clock tower takes the two cells beside the stairs."""
    x, y = corner(cell)
    return (
        f'<rect class="t-wall t-wall-1" x="{x + 10}" y="{y + 22}" width="28" height="73"/>'
        f'<path class="t-roof t-roof-0" d="M{x + 6} {y + 24}L{x + 24} {y + 1}l18 23z"/>'
        f'<circle class="t-clock" cx="{x + 24}" cy="{y + 40}" r="10"/>'
        f'<path class="t-hands" d="M{x + 24} {y + 33}v7l5 3"/>'
        + windows(x, y, (13, 27), (56, 73), lit=1)
    )


def shop(cell: town.Cell, name: str) -> str:
    """Bakery and café: a shop front under a striped awning."""
    x, y = corner(cell)
    stripes = "".join(
        f'<path class="t-awning-{k % 2}" d="M{x + 4 + 8 * k} {y + 13}h8v7q0 4-4 4t-4-4z"/>'
        for k in range(5)
    )
    sign = {
        "bakery": f'<path class="t-bread" d="M{x + 13} {y + 11}q-3-8 5-8h12q8 0 5 8z"/>'
        f'<path class="t-cuts" d="M{x + 19} {y + 9}l2-4M{x + 24} {y + 9}l2-4M{x + 29} {y + 9}l2-4"/>',
        "café": f'<path class="t-cup" d="M{x + 17} {y + 4}h12v3q0 5-6 5t-6-5zM{x + 29} {y + 5}q4 0 3 3t-4 2"/>',
    }[name]
    return (
        f'<g class="t-{"start" if name == "bakery" else "cafe"}">{tile(cell)}'
        f'<rect class="t-shop" x="{x + 6}" y="{y + 15}" width="36" height="31" rx="2"/>'
        f'<rect class="t-window t-lit" x="{x + 10}" y="{y + 26}" width="28" height="13" rx="2"/>'
        f"{stripes}{sign}</g>"
    )


def door(cell: town.Cell, number: str) -> str:
    """A house that somebody opens: gable, door, and the ring of whoever is expected."""
    x, y = corner(cell)
    return (
        f'<g class="t-goal" data-door="{number}">{tile(cell)}'
        f'<rect class="t-wall t-wall-1" x="{x + 7}" y="{y + 19}" width="34" height="27"/>'
        f'<path class="t-roof t-roof-1" d="M{x + 4} {y + 21}L{x + 24} {y + 4}l20 17z"/>'
        f'<path class="t-door" d="M{x + 16} {y + 46}v-13q0-8 8-8t8 8v13z"/>'
        f'<circle class="t-knob" cx="{x + 29}" cy="{y + 37}" r="1.4"/>'
        f'<rect class="t-goal-ring" x="{x + 2}" y="{y + 2}" width="44" height="44" rx="7"/></g>'
    )


def plate(cell: town.Cell, number: str) -> str:
    """The number of a door, drawn last so that nobody stands in front of it."""
    x, y = corner(cell)
    return (
        f'<circle class="t-plate" cx="{x + 37}" cy="{y + 11}" r="9.5"/>'
        f'<text class="t-number" x="{x + 37}" y="{y + 16}">{number}</text>'
    )


def garden(cell: town.Cell) -> str:
    x, y = corner(cell)
    spots = ((12, 15, 0), (31, 12, 1), (22, 27, 1), (36, 33, 0), (11, 36, 1))
    flowers = "".join(
        f'<path class="t-stem" d="M{x + dx} {y + dy + 3}v7"/>'
        f'<circle class="t-flower-{kind}" cx="{x + dx}" cy="{y + dy}" r="4"/>'
        f'<circle class="t-heart" cx="{x + dx}" cy="{y + dy}" r="1.5"/>'
        for dx, dy, kind in spots
    )
    return tile(cell, " t-garden") + flowers


def stairs(cell: town.Cell) -> str:
    x, y = corner(cell)
    steps = "".join(f"M{x + 8} {y + 9 + 7.5 * k}h32" for k in range(5))
    return tile(cell) + f'<path class="t-steps" d="{steps}"/>'


def background() -> str:
    out = []
    for cell, sign in town.CELLS.items():
        row, column = cell
        if sign == "#" and row == 4:
            out.append(tower(cell) if column == 7 else house(cell, floors=2))
        elif sign == "#" and row != 5:
            out.append(house(cell))
        elif sign in "123":
            out.append(door(cell, sign))
        elif sign != "#":
            draw = {"*": garden, "s": stairs}.get(sign, tile)
            draw = {"B": lambda c: shop(c, "bakery"), "C": lambda c: shop(c, "café")}.get(
                sign, draw
            )
            out.append(draw(cell))
    return "".join(out)


def figure(name: str, cell: town.Cell, drawing: str) -> str:
    x, y = centre(cell)
    home = " t-home" if cell == town.BAKERY else ""
    return (
        f'<g class="t-{name}{home}" data-part="{name}" '
        f'style="transform:translate({x}px,{y}px)"><g class="t-body">{drawing}</g></g>'
    )


def story() -> dict:
    """The story that the page tells before anyone touches it."""
    walk = town.round_about(town.DOORS["2"])
    dug = town.where_to_dig(walk)
    table = town.clone(walk)
    trail, arrived = town.drive(table, dug)
    if arrived:
        raise ValueError("the clone arrives; the front page says that it does not")
    return {"walk": walk, "dug": dug, "trail": trail, "table": table, "detour": town.round_about(walk[-1], dug)}


def told(tale: dict) -> str:
    steps, detour = len(tale["walk"]) - 1, len(tale["detour"]) - 1
    return (
        f"Hana walked to door 2 in {steps} steps. Rollo learned every one and drove them without "
        "a mistake. Then the street was dug up. No line of its table says “barrier”, so it repeats "
        f"its last move: it pushes, and pushes. Hana would go round, in {detour} steps."
    )


def table_of(tale: dict) -> str:
    lines = "".join(
        f"<tr><td>row {cell[0] + 1}, column {cell[1] + 1}</td><td>{escape(move)}</td></tr>"
        for (cell, _), move in tale["table"].items()
    )
    return (
        '<details class="town-mind"><summary>Everything Rollo knows</summary>'
        '<p>This table is the whole clone: where it stands, and what Hana did there. '
        "It also sees a barrier beside it, but no line was ever written for one.</p>"
        "<table><thead><tr><th>Rollo stands at</th><th>and goes</th></tr></thead>"
        f'<tbody data-part="table">{lines}</tbody></table></details>'
    )


def drawing(tale: dict) -> str:
    width, height = SIZE * len(town.ROWS[0]), SIZE * len(town.ROWS)
    pattern = (
        '<defs><pattern id="t-dug" width="9" height="9" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="t-dug-ground" width="9" height="9"/>'
        '<rect class="t-dug-line" width="3.5" height="9"/></pattern></defs>'
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{pattern}'
        f"{background()}"
        f'<polyline class="t-detour" data-part="detour" points="{points(tale["detour"])}"/>'
        f'<polyline class="t-route" data-part="route" points="{points(tale["walk"])}"/>'
        f'<polyline class="t-trail" data-part="trail" points="{points(tale["trail"])}"/>'
        + figure("barrier", tale["dug"], BARRIER)
        + figure("hana", town.BAKERY, HANA)
        + figure("rollo", tale["trail"][-1], ROLLO)
        + "".join(plate(cell, number) for number, cell in town.DOORS.items())
        + "</svg>"
    )


def by_politeness(walks: list) -> list:
    """Shorter walks first, and those across the school garden after all the others."""
    return sorted(walks, key=lambda walk: (any(town.CELLS[c] == "*" for c in walk), len(walk)))


def town_html() -> str:
    tale = story()
    told_it = told(tale)
    others = [walk for walk in by_politeness(town.routes()) if walk != tale["walk"]]
    data = {"map": town.ROWS, "routes": [tale["walk"], *others]}
    return f"""\
<figure class="town" id="town" data-phase="told" data-town="{escape(json.dumps(data))}">
<div class="town-stage" data-part="stage" role="img" aria-label="{escape("Map of Loaf Street. " + told_it)}">
{drawing(tale)}
</div>
<figcaption>
<p class="town-controls" hidden><button type="button" class="im-button im-button-main" data-part="main">Let Rollo drive</button>
<button type="button" class="im-button" data-part="clear">Draw my own</button></p>
<p class="town-status" data-part="status" aria-live="polite">{escape(told_it)}</p>
<p class="town-key">{KEY}</p>
<noscript><p class="town-noscript">With scripts on, you draw the route and Rollo copies it.</p></noscript>
{table_of(tale)}
</figcaption>
</figure>
"""


class FrontDoor(SphinxDirective):
    """Words on one side, the town on the other; on a phone, one under the other."""

    has_content = True

    def run(self):
        words = nodes.container(classes=["front-words"])
        self.state.nested_parse(self.content, self.content_offset, words)
        front = nodes.container(classes=["front"])
        front += [words, nodes.raw("", town_html(), format="html")]
        return [front]


def setup(app: Sphinx) -> None:
    app.add_directive("front-door", FrontDoor)
