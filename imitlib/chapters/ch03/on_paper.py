"""What chapter 03 draws by hand: the hook, the idea, ten dialogues, and two sliders."""

from __future__ import annotations

import numpy as np

from imitlib.figures import CELL, INK, MUTED, ROLES, axes

DIALOGUES = ("rye", "spelt", "don't-know", "poppy", "sesame", "oat", "don't-know",
             "barley", "milk", "olive")  # fmt: skip


def by_hand() -> dict:
    """Ten dialogues about houses that Rollo never met, counted in two ways.

    Eight loaves are named once each, and twice Hana does not know.
    """
    words, counts = np.unique(DIALOGUES, return_counts=True)
    share = dict(zip(words.tolist(), (counts / len(DIALOGUES)).tolist(), strict=True))
    silent = share.pop("don't-know")
    return {"dialogues": len(DIALOGUES), "named": len(share), "loaf": max(share.values()),
            "silent": silent, "form": sum(share.values())}  # fmt: skip


def fig_hook():
    """Two questions and two answers in one voice; one of them is invented."""
    fig, ax = axes(size=(4.8, 2.5))
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    rows = (
        (0.80, "“House 4?”", "“It is rye.”", "robot", "met nine times"),
        (0.32, "“House 17?”", "“It is rye.”", "harm", "never met: it takes walnut"),
    )
    for y, ask, say, role, why in rows:
        look = ROLES[role]
        box = {"boxstyle": "round,pad=0.5", "lw": 2.0}
        ax.text(0.14, y, ask, ha="center", va="center", color=INK,
                bbox=box | {"fc": CELL, "ec": ROLES["person"].color})  # fmt: skip
        ax.annotate("", (0.42, y), (0.29, y),
                    arrowprops={"arrowstyle": "-|>", "lw": 1.6, "color": MUTED})  # fmt: skip
        ax.text(0.57, y, say, ha="center", va="center", color=INK,
                bbox=box | {"fc": "white", "ec": look.color})  # fmt: skip
        ax.plot(0.76, y, look.marker, color=look.color, ms=9)
        ax.text(0.57, y - 0.19, why, ha="center", va="center", color=INK, fontsize=10)
    alt = (
        "Two questions and Rollo's answers. House 4, which it met nine times: “It is rye”, "
        "and it is. House 17, which it never met: “It is rye”, in the same words, and the "
        "house takes walnut."
    )
    return fig, alt


def fig_idea():
    """What cloning can learn of a house met often, and of one never met."""
    fig, panels = axes("", "", size=(2.6, 2.4), columns=2,
                       title=["met often", "never met"])  # fmt: skip
    loaves = np.arange(10)
    for ax, chance, role in (
        (panels[0], np.where(loaves == 3, 0.97, 0.003), "robot"),
        (panels[1], np.full(10, 0.1), "harm"),
    ):
        ax.bar(loaves, chance, 0.8, color=ROLES[role].color,
               hatch="///" if role == "harm" else "", edgecolor="white")  # fmt: skip
        ax.plot(11.5, 0.0, "o", color=ROLES["person"].color, ms=7, clip_on=False)
        ax.annotate("“I don't know”", (11.5, 0.02), xytext=(11.9, 0.5), rotation=90,
                    ha="center", va="center", color=INK,
                    arrowprops={"arrowstyle": "-", "color": MUTED})  # fmt: skip
        ax.set_ylim(0, 1.05)
        ax.set_xlim(-0.7, 12.6)
        ax.set_xticks([])
        ax.set_xlabel("the ten loaves")
        ax.set_yticks([0, 0.5, 1])
    alt = (
        "Two panels of bars, the chance of each of ten loaves as Hana's answer. For a "
        "house met often nearly all of it lies on one loaf. For a house never met it is "
        "spread evenly over all ten. In both “I don't know” has none: she never said it."
    )
    return fig, alt


def explore_reading(knows: float, loaves: int):
    """For `explore`: one distribution, read in three ways.

    The demonstrator knows a share of the houses; the clone cannot tell them apart.
    """
    fig, ax = axes("answers", "chance")
    each, silent = knows / loaves, 1 - knows
    ax.bar(np.arange(loaves), each, 0.8, color=ROLES["learner"].color)
    ax.bar(loaves + 0.6, silent, 0.8, color="white", hatch="...",
           edgecolor=ROLES["person"].color, lw=2)  # fmt: skip
    ax.set_xlim(-0.8, 13.6)
    ax.set_ylim(0, 0.55)
    ax.set_xticks([(loaves - 1) / 2, loaves + 0.6], ["a loaf", "don't know"])
    greedy = "a tie" if np.isclose(each, silent) else (
        "a loaf" if each > silent else "“I don't know”")  # fmt: skip
    form = "a tie" if np.isclose(knows, silent) else (
        "a loaf" if knows > silent else "“I don't know”")  # fmt: skip
    lines = (f"greedy, one word: {greedy}", f"greedy, form first: {form}",
             f"drawn: a loaf, {knows:.0%} of the time")  # fmt: skip
    ax.text(13.4, 0.53, "\n".join(lines), ha="right", va="top", color=INK)
    limit = knows / (1 - knows)
    text = (
        f"She knows {knows:.0%} of the houses, there are {loaves} loaves: each loaf has "
        f"chance {each:.3f}, “I don't know” {silent:.2f}. Greedy with one word says "
        f"{greedy} (h / (1 − h) is {limit:.2g}); greedy with the form first says {form}; "
        f"drawn answers name a loaf {knows:.0%} of the time."
    )
    return fig, text


_HAND = by_hand()
GIVEN = {f"hand.{name}": value for name, value in _HAND.items()}
