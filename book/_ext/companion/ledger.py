"""The ledger: every claim of the book, with the number that stands behind it.

The rows come from `imitlib.claims` while the book is built. Nothing is typed by hand.
"""

from __future__ import annotations

import math
from itertools import groupby

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from . import chapters

COLUMNS = (
    ("Claim", 38),
    ("Number", 16),
    ("Stands if", 24),
    ("The literature", 26),
    ("Status", 12),
)
SOURCES = {"[A]": "AI Safety Atlas", "[R]": "Christiano"}
MEANING = {
    "true": "it stands",
    "FALSE": "it does not stand",
    "due": "to be measured again",
}


def rows() -> list[dict]:
    """Every row of the ledger, in reading order."""
    from imitlib.claims import all_claims, row

    return [row(claim) for claim in all_claims()]


def claim_ids() -> set[str]:
    from imitlib.claims import all_claims

    return {claim.id for claim in all_claims()}


def number(value) -> str:
    """Three significant figures, with a true minus sign."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = f"{value:.3g}" if not float(value).is_integer() else f"{value:.0f}"
    return text.replace("-", "−")


def said_number(row: dict) -> list[str]:
    """The headline, its interval, and how many seeds are behind it."""
    if row["value"] is None:
        return [
            "not a measurement"
            if row["status"] in ("cited", "forecast")
            else "not run yet"
        ]
    lines = [f"**{number(row['value'])}**"]
    if row["interval"]:
        low, high = map(number, row["interval"])
        lines[0] += f" ({low} to {high})"
    if row.get("headline"):
        lines += ["", f"`{row['headline']}`"]
    seeds = "exact" if row["seeds"] == "exact" else f"{row['n']} seeds, {row['seeds']}"
    return [*lines, "", seeds]


class Ledger(SphinxDirective):
    """One table for each chapter that has claims."""

    has_content = False

    def run(self):
        self.env.note_reread()  # the numbers live in the library, not on this page
        out = []
        for chapter, group in groupby(rows(), key=lambda row: row["chapter"]):
            out += self.table(chapter, list(group))
        return out

    def table(self, chapter: str, group: list[dict]) -> list[nodes.Node]:
        name = chapters.label(chapter)
        section = nodes.section(ids=[f"ledger-{chapter.lower()}"])
        section += nodes.title("", name)
        self.state.document.note_implicit_target(section, section)
        intro = nodes.paragraph()
        count = f"{len(group)} claim" + "s" * (len(group) != 1)
        intro += nodes.Text(f"{count}, told in ")
        intro += self.link_to_chapter(chapter)
        intro += nodes.Text(".")
        section += intro

        table = nodes.table(classes=["im-ledger"])
        body = nodes.tgroup(cols=len(COLUMNS))
        table += body
        body += [nodes.colspec(colwidth=width) for _, width in COLUMNS]
        head, rest = nodes.thead(), nodes.tbody()
        body += [head, rest]
        head += self.row([[title] for title, _ in COLUMNS])
        for row in group:
            rest += self.claim(row)
        section += table
        return [section]

    def link_to_chapter(self, chapter: str) -> nodes.Node:
        if not chapters.ready(self.env, chapter):
            return nodes.Text(f"chapter {chapters.label(chapter)}, which is coming")
        node = chapters.link(chapter, f"chapter {chapters.label(chapter)}")
        node["refdoc"] = self.env.docname
        return node

    def claim(self, row: dict) -> nodes.row:
        source = SOURCES.get(row.get("source", ""), "")
        literature = [row["literature"]]
        if row["papers"]:
            literature += ["", f"Papers: {{cite:t}}`{','.join(row['papers'])}`"]
        state = row.get("state", "")
        cells = [
            [f"`{row['id']}`", "", row["statement"]],
            said_number(row),
            [row["predicate"]],
            literature,
            [f"*{row['status']}*", "", MEANING.get(state, "")],
        ]
        if source:
            cells[0] += ["", f"Asserted by: {source}"]
        if row.get("note"):
            cells[3] += ["", row["note"]]
        node = self.row(cells)
        anchor = f"claim-{row['id']}"
        node[0].insert(0, target := nodes.target("", "", ids=[anchor], names=[anchor]))
        self.state.document.note_explicit_target(target)
        return node

    def row(self, cells: list[list[str]]) -> nodes.row:
        node = nodes.row()
        for lines in cells:
            entry = nodes.entry()
            self.state.nested_parse(StringList(lines, "ledger"), 0, entry)
            node += entry
        return node


class ClaimRole(SphinxRole):
    """`` {claim}`bc-compounding` `` links to a row, once the claim exists."""

    def run(self):
        text = nodes.literal("", self.text)
        if self.text not in claim_ids():
            text["classes"].append("im-coming")
            return [text], []
        node = addnodes.pending_xref(
            "", text, refdomain="std", reftype="ref", refexplicit=True, refwarn=True,
            reftarget=f"claim-{self.text}", refdoc=self.env.docname,
        )  # fmt: skip
        return [node], []


def setup(app: Sphinx) -> None:
    app.add_directive("ledger", Ledger)
    app.add_role("claim", ClaimRole())
