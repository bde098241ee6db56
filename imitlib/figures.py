"""The book's drawing style: seven roles, one card, and no picture without words.

Every figure is drawn on its own light card, so that it reads the same on a light
page, on a dark page and in Colab. A role is never a colour alone: it has a dash
pattern, a marker and a label of its own.
"""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass

import numpy as np

__all__ = ["ROLES", "Role", "axes", "card", "dots", "line", "png", "show"]


@dataclass(frozen=True)
class Role:
    """How one actor of the book is drawn."""

    color: str
    dash: object
    marker: str
    width: float


ROLES = {
    "person": Role("#0B3C6F", "-", "o", 2.2),  # who demonstrates
    "expert": Role("#1F6FEB", (0, (8, 3)), "s", 2.2),  # the policy she follows
    "robot": Role("#7A3306", "-", "D", 2.2),  # the body that acts
    "learner": Role("#B87F00", "-", "^", 2.6),  # what it has learned
    "optimum": Role("#0F9C81", (0, (6, 2, 1, 2)), "*", 2.0),  # the best possible
    "random": Role("#2B2F36", (0, (1, 2)), "x", 1.4),  # the floor
    "harm": Role("#E0004D", "-", "X", 2.0),  # what it costs
}
INK, MUTED, GRID, CELL, WALL = "#20242B", "#5B626C", "#D5DAE1", "#F3F5F8", "#8A919C"
CARD = "#FFFFFF"

_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.facecolor": CARD,
    "axes.facecolor": CARD,
    "savefig.facecolor": CARD,
    "hatch.linewidth": 0.8,
}


def axes(xlabel="", ylabel="", *, size=(4.8, 3.0), columns=1, title=None):
    """A figure in the house style: two spines, faint horizontal lines, upright labels.

    Parameters
    ----------
    xlabel, ylabel : str
        With units. The y label stands upright above the axis, where it is read first.
    size : (float, float)
        Inches of one panel; 4.8 × 3.0 fills a phone and is small on a desk.
    columns : int
        Panels side by side; more than one gives an array of axes.
    title : str or list of str, optional
        One per panel.

    Returns
    -------
    (Figure, Axes) or (Figure, array of Axes)
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        fig = Figure(figsize=(size[0] * columns, size[1]), layout="constrained")
        FigureCanvasAgg(fig)
        panels = np.atleast_1d(fig.subplots(1, columns))
        titles = [title] if isinstance(title, str) else list(title or [])
        for i, ax in enumerate(panels):
            ax.grid(axis="y", color=GRID, linewidth=0.6)
            ax.set_xlabel(xlabel)
            note = ylabel if i == 0 else ""
            head = titles[i] + "\n" if i < len(titles) else ""
            ax.set_title(head + note, loc="left", color=INK)
    return fig, panels[0] if columns == 1 else panels


def line(ax, x, y, role, label="", *, band=None, marker=True, nudge=0.0):
    """One curve in its role's style, labelled at its right end, with an optional band.

    Parameters
    ----------
    role : str
        A key of `ROLES`.
    band : (array, array), optional
        Lower and upper edge; say in the caption what they are.
    nudge : float
        Moves the label up or down, in points, where two would collide.

    Raises
    ------
    ValueError
        If `role` is not one of the seven.
    """
    look = _role(role)
    x, y = np.asarray(x, float), np.asarray(y, float)
    marks = {"marker": look.marker, "markersize": 5} if marker else {}
    ax.plot(x, y, color=look.color, linestyle=look.dash, linewidth=look.width, **marks)
    if band is not None:
        ax.fill_between(x, band[0], band[1], color=look.color, alpha=0.18, linewidth=0)
    if label:
        ax.annotate(
            label, (x[-1], y[-1]), xytext=(7, nudge), textcoords="offset points",
            va="center", color=INK, annotation_clip=False,
        )  # fmt: skip


def dots(ax, x, samples, role, *, width=0.25):
    """Every sample as a dot beside its place on the axis, and a bar at the mean.

    `samples` has one value per seed; the sideways spread means nothing.
    """
    look, samples = _role(role), np.asarray(samples, float)
    aside = np.linspace(-width, width, len(samples)) if len(samples) > 1 else np.zeros(1)
    ax.plot(
        x + aside, samples, look.marker, color=look.color, markersize=4, alpha=0.7, linestyle="none"
    )
    ax.plot([x - width, x + width], [samples.mean()] * 2, color=look.color, linewidth=2.6)


def _role(role):
    if role not in ROLES:
        raise ValueError(f"role is {role!r}; legal: {', '.join(ROLES)}")
    return ROLES[role]


def png(fig, dpi=160) -> bytes:
    """The figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def card(fig, alt: str, caption: str = "", dpi: int = 160) -> str:
    """The figure as self-contained HTML: an ``<img>`` with alt text, and its caption."""
    if not isinstance(alt, str) or len(alt.split()) < 4:
        raise ValueError(f"alt is {alt!r}; say in a sentence what the picture shows")
    data = base64.b64encode(png(fig, dpi)).decode()
    width = round(fig.get_size_inches()[0] * 116)
    words = f"<figcaption>{caption}</figcaption>" if caption else ""
    return (
        f'<figure class="imit-figure" style="margin:1em 0;max-width:{width}px">'
        f'<img class="dark-light" alt="{html.escape(alt)}" '
        f'style="width:100%;background:{CARD};border-radius:6px" '
        f'src="data:image/png;base64,{data}">{words}</figure>'
    )


class _Card:
    """Shows as HTML where it can, and as the alt text where it cannot."""

    def __init__(self, page: str, words: str):
        self.page, self.words = page, words

    def _repr_html_(self):
        return self.page

    def __repr__(self):
        return f"[Figure: {self.words}]"


def show(fig, alt: str | None = None, caption: str = ""):
    """Show a figure in a notebook, on its card, with alt text.

    Parameters
    ----------
    fig : matplotlib Figure, or (Figure, str) pair
        The pair is a figure with its alt text, as the chapters' figures return it.
    alt : str
        What the picture shows: axes, and what can be concluded. Required.
    caption : str
        HTML under the figure; begins with the finding.

    Raises
    ------
    ValueError
        If there is no alt text, or fewer than four words of it.
    """
    from IPython.display import display

    if isinstance(fig, tuple):
        fig, own = fig
        alt = alt or own
    if not alt:
        raise ValueError("alt is missing; say in a sentence what the picture shows")
    display(_Card(card(fig, alt, caption), alt))
