"""Chapter 02, real people: the pictures, each with its words."""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch02.kitchen_clones import (
    ARMS,
    ELSEWHERE,
    ROOM,
    of_people,
    people,
)
from imitlib.envs.kitchen import DISH, FULL_POT, ONION, READY, Kitchen
from imitlib.envs.kitchen_view import draw as draw_kitchen
from imitlib.figures import INK, MUTED, ROLES, axes


def fig_kitchen():
    """The cramped room in the middle of a recorded game, with both people in it."""
    play = people(ROOM, True)
    full = ((play.objects > FULL_POT) & (play.objects < READY)).any(axis=(1, 2))
    busy = (play.held[:, 0] == ONION) & (play.held[:, 1] == DISH) & full
    row = int(np.flatnonzero(busy)[0])
    fig = draw_kitchen(Kitchen(ROOM), play.state, row)
    cooked = int(play.objects[row].max() - FULL_POT)
    alt = (
        f"A small kitchen from above, five squares by four, at step {play.t[row]} of "
        "a recorded game. Counters all round hold two boxes of onions, a stack of "
        "dishes, a pot and a hatch. Person 1 carries an onion, person 2 a dish; in the "
        f"pot three onions have cooked for {cooked} of {READY - FULL_POT} steps."
    )
    return fig, alt


def fig_judges(s):
    """Accuracy beside soups: every clone is as right as a statue; they cook 0 to 18."""
    them = of_people()
    fig, ax = axes("held-out accuracy", "soups in a game", size=(4.8, 4.2))
    shown = [(f"{ARMS[arm].label}", arm, arm, "learner") for arm in ARMS]
    shown.append(("longer, and decides what", "decided", "longer", "robot"))
    shown.append(("the plain board, greedy", "greedy_board", "board", "harm"))
    shown.sort(key=lambda row: -s.mean(f"soups_{row[1]}"))
    words, height = [], np.inf
    for label, name, arm, role in shown:
        x, y, look = s[f"acc_{arm}"], s[f"soups_{name}"], ROLES[role]
        mean, stay = (x.mean(), y.mean()), s.mean(f"stay_{name}")
        ax.plot(x, y, look.marker, color=look.color, ms=3, alpha=0.45, ls="none")
        ax.plot(*mean, look.marker, color=look.color, ms=8, mec=INK, mew=0.8)
        height = min(
            height - 1.3, y.mean()
        )  # labels keep their order and their distance
        if abs(height - them["soups_people"]) < 0.9:  # not on the people's line
            height = them["soups_people"] - 0.75
        height = max(height, 0.3)
        ax.annotate(
            f"{label}: stays {stay:.2f}", mean, (0.738, height), va="center",
            bbox={"fc": "white", "ec": "none", "pad": 1}, zorder=4, fontsize=9.5,
            arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.6, "shrinkB": 5,
                        "relpos": (0, 0.5)},
        )  # fmt: skip
        words.append(f"{label} {x.mean():.2f} and {y.mean():.1f}")
    person, statue = ROLES["person"], ROLES["random"]
    ax.axhline(them["soups_people"], color=person.color, lw=person.width, zorder=1)
    aside = -0.95 if s.mean("soups_decided") > them["soups_people"] else 0.95
    ax.text(
        0.738, them["soups_people"] + aside, f"people: stay {them['stay_people']:.2f}",
        fontsize=9.5, va="center", color=person.color, fontweight="bold",
    )  # fmt: skip
    ax.axvline(them["acc_stay"], color=statue.color, lw=statue.width, ls=statue.dash)
    ax.text(
        them["acc_stay"] + 0.002, 22.6, "a statue is right this often", fontsize=9.5
    )
    ax.set(xlim=(0.66, 0.85), ylim=(-0.7, 24), xticks=[0.66, 0.7, 0.74])
    ax.xaxis.set_label_coords(0.2, -0.09)
    ax.spines["bottom"].set_bounds(0.66, 0.74)
    alt = (
        "Soups that a pair of clones serves in a game, against held-out accuracy. All "
        f"clones stand near the accuracy of always staying, {them['acc_stay']:.2f}; "
        f"the people served {them['soups_people']:.1f} soups. Accuracy and soups: "
        + "; ".join(words) + "."
    )  # fmt: skip
    return fig, alt


def fig_kitchens(s, elsewhere):
    """Five kitchens: what people served, and what three kinds of clone serve."""
    kitchens = {"cramped": ROOM, **ELSEWHERE}
    fig, ax = axes("", "soups in a game", size=(4.8, 3.2))
    styles = (
        ("board", "the plain board", ROLES["learner"].color, ""),
        ("longer", "trained longer", "#F2DDA8", "///"),
        ("decided", "… decides what", ROLES["robot"].color, ""),
    )
    words = []
    for i, (short, layout) in enumerate(kitchens.items()):
        samples, end = (s, "") if layout == ROOM else (elsewhere, f"_{short}")
        soups = of_people(layout)["soups_people"]
        means = [samples.mean(f"soups_{name}{end}") for name, *_ in styles]
        for k, (_, label, color, hatch) in enumerate(styles):
            ax.bar(
                i + 0.25 * (k - 1), means[k], 0.22, color=color, hatch=hatch, ec=INK,
                lw=0.7, label=label if i == 0 else None,
            )  # fmt: skip
            if means[k] < 0.05:
                ax.text(i + 0.25 * (k - 1), 0.2, "0", ha="center", fontsize=9)
        ax.plot(
            [i - 0.4, i + 0.4], [soups] * 2, color=ROLES["person"].color, lw=2.6,
            label="people" if i == 0 else None,
        )  # fmt: skip
        listed = ", ".join(f"{mean:.1f}" for mean in means)
        words.append(f"{short}: people {soups:.1f}, clones {listed}")
    ax.set_xticks(range(len(kitchens)), list(kitchens), fontsize=9.5)
    ax.legend(ncols=2, fontsize=9, frameon=False, loc="upper right")
    ax.set_ylim(0, 31)
    alt = (
        "Soups in a game in five kitchens, for people and for three clones: of the "
        "plain board, trained longer, and deciding what. " + "; ".join(words) + "."
    )
    return fig, alt
