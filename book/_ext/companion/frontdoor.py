"""The front door: the town, its story told to the end, and what the reader can press.

What the server draws is complete without scripts. The script of the front page
(`book/_assets/front_door.js`) winds the story back and hands it to the reader.
"""

from __future__ import annotations

import json
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import town
from .drawing import picture

PAGE = """\
<figure class="town" id="town" data-phase="told" data-town="{data}">
<div class="town-stage" data-part="stage" role="img" aria-label="Map of Loaf Street. {told}">
{picture}
</div>
<figcaption>
<p class="town-controls" hidden>
<button type="button" class="im-button im-button-main" data-part="main">Let Rollo drive</button>
<button type="button" class="im-button" data-part="clear">Draw my own</button>
</p>
<p class="town-status" data-part="status" aria-live="polite">{told}</p>
<noscript>
<p class="town-noscript">With scripts on, you draw the route and Rollo copies it.</p>
</noscript>
<p class="town-key">{key}</p>
{mind}
</figcaption>
</figure>
"""
MIND = """\
<details class="town-mind"><summary>Everything Rollo knows</summary>
<p>This table is the whole clone: where it stands, and what Hana did there.
It also sees a barrier beside it, but no line was ever written for one.</p>
<table><thead><tr><th>Rollo stands at</th><th>and goes</th></tr></thead>
<tbody data-part="table">{lines}</tbody></table></details>"""
SWATCH = """\
<span><svg viewBox="0 0 44 8" aria-hidden="true"><path class="t-{}" d="M3 4h38"/></svg> {}</span>"""
KEY = {
    "route": "what Hana showed",
    "trail": "what Rollo did",
    "detour": "what Hana would do",
}
TOLD = (
    "Hana walked to door 2 in {steps} steps. Rollo learned every one and drove them "
    "without a mistake. Then the street was dug up. No line of its table says “barrier”, "
    "so it repeats its last move: it pushes, and pushes. Hana would go round, "
    "in {detour} steps."
)


def story() -> dict:
    """The story that the page tells before anyone touches it, played by the clone."""
    walk = town.round_about(town.DOORS["2"])
    dug, table = town.where_to_dig(walk), town.clone(walk)
    trail, arrived = town.drive(table, dug)
    if arrived:
        raise ValueError("the clone arrives; the front page says that it does not")
    detour = town.round_about(walk[-1], dug)
    return {"walk": walk, "dug": dug, "table": table, "trail": trail, "detour": detour}


def suggestions(first: list) -> list:
    """Every route, for those who would rather not draw: the garden comes last."""

    def manners(walk):
        return any(town.CELLS[cell] == "*" for cell in walk), len(walk)

    return [first, *(w for w in sorted(town.routes(), key=manners) if w != first)]


def town_html() -> str:
    tale = story()
    lines = "".join(
        f"<tr><td>row {row + 1}, column {column + 1}</td><td>{move}</td></tr>"
        for ((row, column), _), move in tale["table"].items()
    )
    told = TOLD.format(steps=len(tale["walk"]) - 1, detour=len(tale["detour"]) - 1)
    data = {"map": town.ROWS, "routes": suggestions(tale["walk"])}
    return PAGE.format(
        data=escape(json.dumps(data)),
        told=escape(told),
        picture=picture(tale),
        key="".join(SWATCH.format(*entry) for entry in KEY.items()),
        mind=MIND.format(lines=lines),
    )


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
