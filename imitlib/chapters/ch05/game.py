r"""A second procedure: a tree search whose plan is cloned.

Hana picks one of two streets; then the council, which means no good, picks one of two
detours; then Hana picks one of two shops. Under each of the eight ways stands what she
earns. She works backwards: the better shop at each of four corners, the worse corner in
each of two streets, and the street where that is more:

    5 1 8 3 2 9 0 4 = 5 8 9 4   5 4   left

The rows of that sum are frames of depth-first search on paper, no picture in sight.
A transformer is taught to write them, or the street alone.
"""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch05.steps import learn
from imitlib.claims import Claim
from imitlib.figures import GRID, INK, MUTED, ROLES, axes

PAYS, LEAVES, DEMOS, EXAM = 10, 8, 200, 500
EQUALS, LEFT, END = PAYS, PAYS + 1, PAYS + 3  # LEFT + 1 is right
SIZES = {"n_tokens": PAYS + 4, "end": END, "width": 48, "batch": 64}
ARMS = {"frames": (True, 1, 600), "street": (False, 1, 300), "more": (False, 7, 1000)}


def corners(leaves) -> np.ndarray:
    """The better shop at each corner, (N, 4)."""
    return np.asarray(leaves).reshape(-1, 4, 2).max(2)


def streets(best) -> np.ndarray:
    """The worse corner in each street, (N, 2), from the `corners`."""
    return np.asarray(best).reshape(-1, 2, 2).min(2)


def choice(worst) -> np.ndarray:
    """The token of the street that is worth more, (N,), from the `streets`."""
    return LEFT + (worst[:, 1] > worst[:, 0])


def games(n: int, rng) -> np.ndarray:
    """Leaves of n games in which one street is better than the other, (n, 8)."""
    drawn = np.empty((0, LEAVES), int)
    while len(drawn) < n:
        new = rng.integers(PAYS, size=(n, LEAVES))
        worst = streets(corners(new))
        drawn = np.concatenate([drawn, new[worst[:, 0] != worst[:, 1]]])
    return drawn[:n]


def prompts(leaves) -> np.ndarray:
    """The leaves and `=`, (N, 9)."""
    return np.column_stack([leaves, np.full(len(leaves), EQUALS)])


def written(leaves, frames: bool) -> np.ndarray:
    """What is to be written: corners, streets and choice (N, 7), or the choice (N, 1)."""
    best = corners(leaves)
    worst = streets(best)
    parts = [best, worst, choice(worst)] if frames else [choice(worst)]
    return np.column_stack(parts)


def grade(model, leaves, frames: bool) -> tuple[float, float]:
    """Share of games with the right street, and with every token right."""
    right = written(leaves, frames)
    wrote = model.greedy(prompts(leaves), right.shape[1])
    return (float((wrote[:, -1] == right[:, -1]).mean()),
            float((wrote == right).all(1).mean()))  # fmt: skip


def upset(best, rng) -> tuple[np.ndarray, np.ndarray]:
    """One corner of each game changed so that the other street is better.

    Returns
    -------
    changed : (M, 4)
        The corners, with one of them changed.
    games : (M,)
        Of which games; one that no single corner can turn is left out.
    """
    changed, rows = [], []
    for n, values in enumerate(best):
        for k, pay in rng.permutation([(k, p) for k in range(4) for p in range(PAYS)]):
            new = values.copy()
            new[k] = pay
            one, two = streets(new[None])[0]
            if one != two and choice(streets(new[None])) != choice(streets(values[None])):
                changed.append(new)
                rows.append(n)
                break
    return np.array(changed), np.array(rows)


def measure_game(seed: int) -> dict:
    """The right street in new games; and whether it turns when a corner is changed."""
    streams = np.random.default_rng(seed).spawn(len(ARMS) + 2)
    new, out = games(EXAM, streams[0]), {}
    for (name, (frames, times, updates)), rng in zip(ARMS.items(), streams[2:], strict=True):
        taught = games(DEMOS * times, rng)
        model = learn(prompts(taught), written(taught, frames), rng, updates, SIZES)
        out[name], whole = grade(model, new, frames)
        out[f"{name}_train"] = grade(model, taught[:EXAM], frames)[0]
        if frames:
            out["frames_whole"] = whole
            changed, rows = upset(corners(new), streams[1])
            begun = np.concatenate([prompts(new[rows]), changed], axis=1)
            street = model.greedy(begun, 3)[:, -1]
            out["turns"] = float((street == choice(streets(changed))).mean())
            out["turnable"] = len(rows) / len(new)
    return out


def game_holds(s) -> bool:
    """See the claim's predicate."""
    m = {name: float(s[name].mean()) for name in s.values}
    return bool(
        m["frames"] > 0.94
        and m["frames_whole"] > 0.85
        and m["street_train"] > 0.9
        and m["street"] < m["frames"] - 0.12
        and m["street"] > 0.55
        and m["more"] > m["street"]
        and m["more"] < m["frames"] + 0.01
        and m["turns"] > 0.6
        and m["turnable"] > 0.9
    )


# Figure and ledger ------------------------------------------------------------------


def fig_game():
    """The tree of one game, with what is written at each corner and in each street."""
    leaves = np.array([[5, 1, 8, 3, 2, 9, 0, 4]])
    best = corners(leaves)
    worst = streets(best)
    fig, ax = axes("", "", size=(4.8, 3.0))
    levels = [(leaves[0], np.arange(8.0)), (best[0], np.arange(4) * 2 + 0.5),
              (worst[0], np.arange(2) * 4 + 1.5)]  # fmt: skip
    top = (3.5, 3)
    ways = [(levels[k + 1][1] if k < 2 else [top[0]], k) for k in range(3)]
    for above, k in ways:
        for i, x in enumerate(levels[k][1]):
            ax.plot([x, above[i // 2]], [k, k + 1], color=MUTED, lw=1, zorder=0)
    taken = levels[2][1][int(choice(worst)[0] - LEFT)]
    ax.plot([taken, top[0]], [2, 3], color=ROLES["person"].color, lw=3, zorder=1)
    for k, (values, places) in enumerate(levels):
        role = ROLES["harm" if k == 2 else "person"]
        for value, x in zip(values, places, strict=True):
            ax.plot(x, k, "s" if k == 2 else "o", ms=19, color="white", zorder=2,
                    mec=role.color if k else GRID, mew=1.6)  # fmt: skip
            ax.text(x, k, str(value), ha="center", va="center", color=INK, zorder=3)
    ax.plot(*top, "o", ms=19, color="white", mec=ROLES["person"].color, mew=1.6, zorder=2)
    ax.text(*top, "left", ha="center", va="center", color=INK, zorder=3, fontsize=9)
    names = ["eight shops", "Hana: the better", "council: the worse", "Hana: which street"]
    ax.set_yticks(range(4), names)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.set_xticks([])
    ax.set_xlim(-0.6, 7.6)
    ax.set_ylim(-0.4, 3.4)
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    alt = (
        "A tree of three choices over eight shops that pay "
        f"{', '.join(map(str, leaves[0]))}. The better of each two is written at the corners, "
        f"{', '.join(map(str, best[0]))}, the worse of each two of those in the streets, "
        f"{worst[0, 0]} and {worst[0, 1]}; the thick line takes the left street."
    )
    return fig, alt


GIVEN = {"game-demos": DEMOS, "game-more": DEMOS * ARMS["more"][1], "game-shops": LEAVES}

CLAIMS = [
    Claim(
        id="pc-second-procedure",
        chapter="05",
        statement=(
            "Nothing in it needs a map: a transformer that is taught the values that Hana "
            "writes into the tree of a small game, leaves first, plays new games nearly "
            "without a mistake; taught the choices alone, of as many games, it knows its "
            "lesson and fails new games far more often. When a written value is "
            "falsified, most of its choices turn, and in some seeds not all: it can "
            "still see the leaves."
        ),
        predicate=(
            "means over seeds, new games: over 94 % right choices, and over 85 % of the "
            "games with every written value right; taught the choices alone, over 90 % "
            "of its lesson, over 55 % of new games, and at least 12 points fewer than "
            "with the values; with as many written tokens more than that, and at most a "
            "point more than with the values; when one value is changed so that the "
            "other street is better, which can be done in over 90 % of the games, over "
            "60 % of the choices turn"
        ),
        holds=game_holds,
        measure=measure_game,
        headline="frames",
        status="ours",
        papers=("yang2022chain",),
        literature=(
            "Yang et al. clone a tree search too, in games much larger than this one."
        ),
        rtol={
            "frames": ("abs", 0.06), "frames_whole": ("abs", 0.15), "frames_train": ("abs", 0.02),
            "street": ("abs", 0.12), "street_train": ("abs", 0.1),
            "more": ("abs", 0.2), "more_train": ("abs", 0.2),
            "turns": ("abs", 0.3), "turnable": 1e-6,
        },
        note="A choice by coin is right in half of the games.",
    ),
]  # fmt: skip
