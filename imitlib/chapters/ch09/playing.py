"""The three doors in the page: the reader plays Hana, or Rollo, against the exact other.

What each of the two does in every place, for every set of doors that may be left, is
solved here and written into the page as digits; a short script
(``imitlib/data/three_doors.js``) looks it up there, without a kernel. What is shown
before the script has run, or without one, is drawn here.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import numpy as np

from imitlib.cirl.doors import (
    MOVES,
    plain,
    speaks_plainly,
    streets,
    three_doors,
)
from imitlib.cirl.game import play
from imitlib.cirl.solvers import answer_to, exhaustive
from imitlib.envs.town import Town
from imitlib.figures import _Card

FIRST = 1  # the door, counted from 0, that the page opens with
ROLLO = "◆"
KEY = ("H Hana, ◆ Rollo, B bakery, * school garden (costs 8 a cell), C café (shut), s stairs. "
       "Framed: today's door.")  # fmt: skip
ACTS = ("wait", "ask", "to door 1", "to door 2", "to door 3")
STYLE = """
ID{max-width:26rem;padding:.75rem;border-radius:8px;border:1px solid var(--im-line,#d5dae1);
 background:var(--im-card,#f6f7f9);color:var(--pst-color-text-base,#20242b)}
ID .town{display:grid;grid-template-columns:repeat(8,1fr);gap:2px;padding:5px;
 background:#8a919c;border-radius:6px;margin:.6rem 0}
ID .town span{aspect-ratio:1;min-width:0;border-radius:4px;display:flex;align-items:center;
 justify-content:center;font:600 clamp(.7rem,3vw,.95rem)/1 "DejaVu Sans",sans-serif;
 background:#f3f5f8;color:#20242b}
ID .town .house{background:transparent}
ID .town .garden{background:#cfe3c4}
ID .town .trodden{background:#ffe7ad}
ID .town .today{box-shadow:inset 0 0 0 3px #0f9c81}
ID .town .hana{background:#7a3306;color:#fff}
ID .bar{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.5rem 0}
ID .bar button,ID select{min-height:44px;min-width:44px;padding:0 .7rem;border-radius:6px;
 font:inherit;border:2px solid var(--im-touch,#6a35c9);background:transparent;color:inherit}
ID button:focus-visible,ID select:focus-visible{outline:3px solid #6a35c9;outline-offset:1px}
ID .bar label{display:inline-flex;gap:.35rem;align-items:center;font-size:.95rem}
ID .bar label[hidden]{display:none}
ID .what{margin:0 0 .25rem;font-size:.95rem}
ID .belief{display:grid;grid-template-columns:auto 5rem auto 1fr;gap:.25rem .6rem;
 align-items:center;font-size:.95rem}
ID .belief i{height:.8rem;border-radius:3px;border:1px solid currentColor;
 background:linear-gradient(var(--im-touch,#6a35c9) 0 0) 0/var(--share) 100% no-repeat}
ID .said{margin:.6rem 0 0;min-height:4.5em;max-width:none}
"""


def tables() -> dict:
    """What the script looks up.

    Actions are those of the first step: there are more steps to go than anybody needs,
    so later ones would be the same.
    """
    game, town = three_doors(), Town("hana")
    cells = streets(town)
    lesson = speaks_plainly(game, exhaustive(game))
    ways = {"lesson": lesson, "plain": answer_to(game, plain(game))}
    for name, way in ways.items():
        if np.abs(way.ahead[0] - way.ahead[1]).max() > 1e-9:
            raise RuntimeError(f"{name}: the horizon is too short for one table")
    n = len(cells)
    following = game.transitions[:n, :, 0].argmax(axis=2)
    rules = {name: np.where(way.rules[0] < 0, 9, way.rules[0]) for name, way in ways.items()}
    return {
        "rows": ["".join(row) for row in town.board],
        "cells": cells,
        "next": np.where(game.human_may[:n], following, -1).tolist(),
        "start": game.start,
        "tenths": np.rint(10 * game.reward[:-1]).astype(int).tolist(),
        "robot": {k: ["".join(map(str, row)) for row in way.robot[0]] for k, way in ways.items()},
        "rules": {k: [["".join(map(str, row)) for row in one] for one in rule]
                  for k, rule in rules.items()},
        "told": [told(game, goal) for goal in range(game.n_goals)],
        "best": {name: [best(game, way, goal) for goal in range(game.n_goals)]
                 for name, way in ways.items()},
        "moves": MOVES,
        "acts": ACTS,
    }  # fmt: skip


def told(game, goal: int) -> int:
    """What the morning would be worth, in tenths, if Rollo knew this door."""
    may = game.human_may[game.start]
    return int(np.rint(10 * game.reward[game.start, may, 2:, goal].max()))


def best(game, way, goal: int) -> int:
    """What the morning is worth, in tenths, if both keep to this way to play."""
    rng = np.random.default_rng(0)  # nothing is left to chance
    return int(np.rint(10 * play(game, way.human_acts, way.robot_acts, goal, rng).worth()))


def play_doors() -> _Card:
    """The morning as a card: a town, Rollo's belief, and buttons."""
    given = tables()
    name = "g" + hashlib.sha256(json.dumps(given).encode()).hexdigest()[:10]
    script = files("imitlib").joinpath("data/three_doors.js").read_text(encoding="utf-8")
    code = script.replace("BOX", json.dumps(name)).replace("GIVEN", json.dumps(given), 1)
    words = "Only you know the door. You both move at once. Make a move."
    page = (
        f"<style>{STYLE.replace('ID', '#' + name)}</style>"
        f'<div class="imit-play" id="{name}"><div class="bar">'
        + _select("you are", "who", ("Hana", "Rollo"))
        + _select("between you", "how", ("an agreement", "nothing agreed"))
        + _select("today's door", "door", ("1", "2", "3"), FIRST)
        + f'</div>{_town(given)}<p class="what">{KEY}</p>{_belief(given)}'
        f'<div class="bar moves" role="group" aria-label="your moves">{_buttons(given)}</div>'
        f'<p class="said" aria-live="polite">{words}</p>'
        '<div class="bar"><button type="button" class="again" disabled>A new morning</button>'
        f"</div></div><script>{code}</script>"
    )
    return _Card(page, f"Loaf Street, to be played in the page. {words}")


def _select(label, kind, options, chosen=0) -> str:
    each = "".join(f"<option{' selected' * (i == chosen)}>{option}</option>"
                   for i, option in enumerate(options))  # fmt: skip
    return f'<label>{label} <select class="{kind}" disabled>{each}</select></label>'


def _town(given) -> str:
    """The cells, row by row; Hana in the bakery, a ring round today's door."""
    here, out = tuple(given["cells"][given["start"]]), []
    for row, signs in enumerate(given["rows"]):
        for column, sign in enumerate(signs):
            kinds = {"#": "house", "*": "garden"}.get(sign, "")
            kinds += " today" * (sign == str(FIRST + 1)) + " hana" * ((row, column) == here)
            text = f"H{ROLLO}" if (row, column) == here else "" if sign in "#." else sign
            out.append(f'<span class="{kinds.strip()}">{text}</span>')
    label = "Loaf Street from above. Hana and Rollo are in the bakery. "
    label += f"Today it is door {FIRST + 1}."
    return f'<div class="town" role="img" aria-label="{label}">{"".join(out)}</div>'


def _belief(given) -> str:
    """A row for each door: a bar, a chance, and what she would do if it were that one."""
    rule = given["rules"]["lesson"][-1][given["start"]]
    rows = "".join(
        f'<span>door {i + 1}</span><i style="--share:{100 / 3:.0f}%"></i><span>1/3</span>'
        f"<span>if so: {MOVES[int(h)]}</span>"
        for i, h in enumerate(rule))  # fmt: skip
    words = "What Rollo believes, and expects of Hana:"
    return f'<p class="what">{words}</p><div class="belief">{rows}</div>'


def _buttons(given) -> str:
    return "".join(f'<button type="button" data-move="{h}" disabled>{move}</button>'
                   for h, move in enumerate(MOVES) if given["next"][given["start"]][h] >= 0)
