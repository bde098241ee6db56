"""A street plan that the reader draws: the learned search spreads on it, in the page.

The network of one 3×3 layer is small enough to be written into the page, weights and
all. A short script (``imitlib/data/draw_plan.js``) runs it there, without a kernel, next
to the search that it was cloned from. What is shown before the script has run, or
without one, is drawn here.
"""

from __future__ import annotations

import hashlib
import html
import json
from copy import deepcopy
from importlib.resources import files

import numpy as np

from imitlib.envs.mazes import read_plan
from imitlib.figures import _Card
from imitlib.pc.networks import Local
from imitlib.pc.procedures import UNVISITED
from imitlib.pc.running import free_run
from imitlib.pc.training import LABELS

SIDE, SHOWN, DIGITS = 10, 4, 3
ARROWS = "↑→↓←"
PLANS = {
    "Loaf Street": """
##########
#R..#....#
###.#.##.#
#...#..#.#
#.####.#.#
#.#..#.#.#
#.#.##.#.#
#.#....#G#
#....###.#
##########""",
    "two ways": """
##########
#R.......#
#.######.#
#.#....#.#
#.#.##.#.#
#.#.##.#.#
#.#....#.#
#.######.#
#.......G#
##########""",
    "walled in": """
##########
#R.......#
#........#
#....###.#
#....#G#.#
#....###.#
#........#
#........#
#........#
##########""",
    "empty street": """
##########
#R.......#
#........#
#........#
#........#
#........#
#........#
#........#
#.......G#
##########""",
}
STYLE = """
ID{max-width:26rem;padding:.75rem;border-radius:8px;border:1px solid var(--im-line,#d5dae1);
 background:var(--im-card,#f6f7f9);color:var(--pst-color-text-base,#20242b)}
ID .board{display:grid;grid-template-columns:repeat(8,1fr);gap:2px;padding:5px;
 background:#8a919c;border-radius:6px;margin:.6rem 0}
ID .board button{aspect-ratio:1;min-width:0;padding:0;border:0;border-radius:4px;
 font:600 clamp(.8rem,3.4vw,1.05rem)/1 "DejaVu Sans",sans-serif;background:#f3f5f8;
 color:#20242b;opacity:1}
ID .board .wall{background:#8a919c;color:#fff}
ID .board .fresh{background:#ffe7ad}
ID .board .way{box-shadow:inset 0 -5px 0 #7a3306}
ID .board .goal{box-shadow:inset 0 0 0 3px #0f9c81}
ID .board .wrong{outline:2px dashed #e0004d;outline-offset:-3px}
ID .board button:focus-visible{outline:3px solid #6a35c9;outline-offset:1px;z-index:1}
ID .bar{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
ID .bar button,ID select{min-height:44px;padding:0 1rem;border-radius:6px;font:inherit;
 border:2px solid var(--im-touch,#6a35c9);background:transparent;color:inherit}
ID .bar label,ID legend{font-size:.95rem}
ID .bar label{display:inline-flex;gap:.35rem;align-items:center;min-height:44px}
ID fieldset{border:0;margin:0;padding:0}
ID .said{margin:.6rem 0 0;min-height:4.5em;max-width:none}
"""


def draw(network: Local, plans=PLANS) -> _Card:
    """The board, for a network of one 3×3 layer that has cloned the rings.

    Parameters
    ----------
    network : Local
        Cloned from `pc.procedures.rings`. It is shown with its weights rounded to three
        decimals, which is what the page holds.
    plans : dict of str -> str
        Names and drawings of 10×10 cells, as `envs.mazes.read_plan` reads them, with
        one `R` where Rollo starts.

    Raises
    ------
    ValueError, TypeError
        For another network, and for a plan of another size or without one `R`.
    """
    if not isinstance(network, Local) or network[2].out_channels != LABELS:
        raise TypeError(f"network is {type(network).__name__}; the page runs a Local "
                        "network that says the labels of `rings`")
    drawings = {name: _checked(name, text) for name, text in plans.items()}
    small = rounded(network)
    given = {"side": SIDE, "shown": SHOWN, "plans": drawings, **weights(small)}
    name = "d" + hashlib.sha256(json.dumps(given).encode()).hexdigest()[:10]
    first = next(iter(drawings))
    shown = frames(small, drawings[first])
    frame = shown[min(SHOWN, len(shown) - 1)]
    script = files("imitlib").joinpath("data/draw_plan.js").read_text(encoding="utf-8")
    code = script.replace("BOX", json.dumps(name)).replace("GIVEN", json.dumps(given), 1)
    options = "".join(f"<option>{html.escape(plan)}</option>" for plan in drawings)
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{value}" disabled'
        f'{" checked" if value == "house" else ""}> {words}</label>'
        for value, words in (("house", "a house"), ("door", "the door ★"),
                             ("rollo", "Rollo ◆"))
    )  # fmt: skip
    page = (
        f"<style>{STYLE.replace('ID', '#' + name)}</style>"
        f'<div class="imit-draw" id="{name}" data-step="{SHOWN}">'
        f'<div class="bar"><label>plan <select disabled>{options}</select></label>'
        '<button type="button" class="step" disabled>Step</button>'
        '<button type="button" class="run" disabled>Run</button></div>'
        f'<fieldset class="bar"><legend>A tap moves or builds</legend>{choices}</fieldset>'
        f'<div class="board" role="group" aria-label="street plan">'
        f"{_cells(drawings[first], frame)}</div>"
        f'<p class="said" aria-live="polite">{_sentence(frame)}</p></div>'
        f"<script>{code}</script>"
    )
    return _Card(page, f"A street plan to draw on. {_sentence(frame)}")


def rounded(network: Local) -> Local:
    """A copy whose weights have three decimals."""
    small = deepcopy(network)
    for weight in small.parameters():
        weight.data = (weight.data * 10**DIGITS).round() / 10**DIGITS
    return small


def weights(network: Local) -> dict:
    """The numbers that the script computes with, as lists."""
    conv, each = network[0], network[2]
    parts = {
        "weight1": conv.weight.flatten(2), "bias1": conv.bias,  # (k, planes, 9), (k,)
        "weight2": each.weight[:, :, 0, 0], "bias2": each.bias,  # (labels, k)
    }  # fmt: skip

    def plain(x):
        return [plain(y) for y in x] if isinstance(x, list) else round(x, DIGITS)

    return {key: plain(part.detach().double().tolist()) for key, part in parts.items()}


def frames(network: Local, drawing: str) -> np.ndarray:
    """What the network writes on a drawn plan, (T + 1, 10, 10)."""
    return free_run(network, read_plan(drawing.replace("R", "."))).frames[0]


def _checked(name, text) -> str:
    rows = text.strip().splitlines()
    if len(rows) != SIDE or any(len(row) != SIDE for row in rows):
        raise ValueError(f"plans[{name!r}] must have {SIDE} rows of {SIDE} cells")
    drawing = "\n".join(rows)
    if drawing.count("R") != 1:
        raise ValueError(f"plans[{name!r}] has {drawing.count('R')} 'R'; Rollo starts "
                         "in one cell")
    read_plan(drawing.replace("R", "."))
    return drawing


def _cells(drawing, frame) -> str:
    """The inner cells as buttons; the border is the board's frame."""
    out = []
    for row, signs in enumerate(drawing.splitlines()):
        for column, sign in enumerate(signs):
            if not (0 < row < SIDE - 1 and 0 < column < SIDE - 1):
                continue
            label = frame[row, column]
            arrow = "" if label == UNVISITED or sign == "#" else ARROWS[label]
            kind = {"#": "wall", "G": "goal"}.get(sign, "")
            words = {"#": "house", "G": "the door"}.get(sign, "street")
            out.append(
                f'<button type="button" class="{kind}" disabled '
                f'data-cell="{row * SIDE + column}" '
                f'tabindex="{0 if (row, column) == (1, 1) else -1}" '
                f'aria-label="row {row}, column {column}: {words}">'
                f'{ {"G": "★", "R": "◆"}.get(sign, "") }{arrow}</button>'
            )
    return "".join(out)


def _sentence(frame) -> str:
    n = int((frame != UNVISITED).sum())
    return f"After {SHOWN} steps {n} cells have an arrow."
