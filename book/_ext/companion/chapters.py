"""Which chapters there are, and which of them are ready.

A chapter is ready when its notebook stands in `_toc.yml`; nothing else says so.
"""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

# number: (name of the notebook, title)
CHAPTERS = {
    "01": ("01_experts_and_demonstrations", "Experts and demonstrations"),
    "02": ("02_behavioral_cloning", "Behavioral cloning"),
    "03": ("03_confident_incorrectness", "Confident incorrectness"),
    "04": ("04_underachieving", "Underachieving"),
    "05": ("05_procedural_cloning", "Procedural cloning"),
    "06": ("06_inverse_rl", "Inverse reinforcement learning"),
    "07": ("07_ill_posed_rewards", "Ill-posed rewards"),
    "08": ("08_goal_inference", "Goal inference"),
    "09": ("09_cooperative_irl", "Cooperative inverse RL"),
    "RP": ("interlude_real_people", "Interlude: real people"),
    "10": ("10_learning_from_feedback", "Learning from feedback"),
    "11": ("11_imitation_plus_rl", "Imitation plus RL"),
    "12": ("12_amplification_and_exploration", "Amplification and exploration"),
    "13": ("13_why_imitation_is_not_alignment", "Why imitation is not alignment"),
}


def docname(number: str) -> str:
    return f"notebooks/{CHAPTERS[number][0]}"


def label(number: str) -> str:
    """Such as "02 Behavioral cloning"; the interlude carries no number."""
    title = CHAPTERS[number][1]
    return title if number == "RP" else f"{number} {title}"


def ready(env, number: str) -> bool:
    return docname(number) in env.found_docs


def link(number: str, text: str) -> addnodes.pending_xref:
    reference = addnodes.pending_xref(
        "", nodes.inline("", text), refdomain="std", reftype="doc",
        reftarget=f"/{docname(number)}", refexplicit=True, refwarn=True,
    )  # fmt: skip
    return reference


class ChapterRole(SphinxRole):
    """`` {chapter}`02` `` names a chapter, and links to it once it is ready."""

    def run(self):
        number = self.text
        if number not in CHAPTERS:
            message = self.inliner.reporter.error(
                f"chapter is {number!r}; there are {', '.join(CHAPTERS)}",
                line=self.lineno,
            )
            return [], [message]
        if not ready(self.env, number):
            return [nodes.inline("", label(number), classes=["im-coming"])], []
        node = link(number, label(number))
        node["refdoc"] = self.env.docname
        return [node], []


class Hook(SphinxDirective):
    """A card of the contents page: number, title, status, and the chapter's opening."""

    required_arguments = 1
    has_content = True
    option_spec = {"claims": directives.unchanged}

    def run(self):
        number = self.arguments[0]
        if number not in CHAPTERS:
            raise self.error(f"chapter is {number!r}; there are {', '.join(CHAPTERS)}")
        self.env.note_reread()  # whether it is ready is decided elsewhere
        there = ready(self.env, number)
        card = nodes.container(classes=["im-hook", "im-ready" if there else "im-soon"])
        title = CHAPTERS[number][1]
        mark = "⁂" if number == "RP" else number
        heading = nodes.rubric("", classes=["im-hook-title"], level=3)
        heading += nodes.inline("", mark, classes=["im-hook-number"])
        heading += nodes.Text(" ")
        if there:
            reference = link(number, title)
            reference["refdoc"] = self.env.docname
            heading += reference
        else:
            heading += nodes.inline("", title)
        heading += nodes.Text(" ")
        word = "ready" if there else "coming"
        heading += nodes.inline("", word, classes=["im-status", f"im-status-{word}"])
        card += heading
        self.state.nested_parse(self.content, self.content_offset, card)
        return [card]


def setup(app: Sphinx) -> None:
    app.add_role("chapter", ChapterRole())
    app.add_directive("hook", Hook)
