r"""Chain of thought is procedural cloning, with tokens for cells.

Hana adds up an order modulo 7. Her terms stand somewhere on a row of eight places,

    . . 3 5 6 . . . =

and under each place she writes the sum so far: `. . 3 1 0 0 0 0`. The last number is the
answer. A transformer of one layer is taught to write that row, or only the answer, or
the answer and *then* the row. Since the terms may stand anywhere, a longer order than
any that was taught needs no place that was never met.
"""

from __future__ import annotations

import numpy as np

from imitlib import language
from imitlib.claims import Claim
from imitlib.figures import GRID, INK, MUTED, ROLES, axes

MODULUS, PLACES, TAUGHT_LENGTH, DEMOS = 7, 8, 4, 400
BLANK, EQUALS, END = MODULUS, MODULUS + 1, MODULUS + 2
LENGTHS = range(1, PLACES + 1)
EXAM, TAMPERED_PLACE = 200, 3
# said, lessons for each of Hana's, updates
ARMS = {"steps": ("steps", 1, 700), "answer": ("answer", 1, 500),
        "first": ("first", 1, 500), "more": ("answer", PLACES, 1200)}  # fmt: skip
SIZES = {"n_tokens": MODULUS + 3, "end": END, "width": 48, "batch": 64}


def orders(lengths, rng) -> tuple[np.ndarray, np.ndarray]:
    """Orders of some lengths, at places drawn by chance, and the sums so far.

    Parameters
    ----------
    lengths : (N,) int
        From 1 to `PLACES`.

    Returns
    -------
    terms, sums : (N, PLACES) int
        `BLANK` where no term stands, and before the first; behind the last term the
        sum stays as it is.
    """
    lengths = np.asarray(lengths)[:, None]
    first, place = rng.integers(0, PLACES - lengths + 1), np.arange(PLACES)
    there = (place >= first) & (place < first + lengths)
    terms = np.where(there, rng.integers(MODULUS, size=there.shape), BLANK)
    sums = np.where(there, terms, 0).cumsum(1) % MODULUS
    return terms, np.where(place < first, BLANK, sums)


def prompts(terms) -> np.ndarray:
    """What is read before anything is written: the terms and `=`."""
    return np.column_stack([terms, np.full(len(terms), EQUALS)])


def written(sums, kind: str) -> np.ndarray:
    """What is to be written: the row, the answer, or the answer and the row."""
    rows = {"steps": [sums], "answer": [sums[:, -1]], "first": [sums[:, -1], sums]}
    return np.column_stack(rows[kind])


def learn(prompt, said, rng, updates: int, sizes=SIZES) -> language.LanguageModel:
    """Teach a transformer to write `said` (N, L) after `prompt` (N, P)."""
    tokens = np.concatenate([prompt, said], axis=1)
    answer = np.zeros(tokens.shape, bool)
    answer[:, prompt.shape[1] :] = True
    return language.fit(tokens, answer, rng=rng, updates=updates, **sizes)


def grade(model, terms, sums, kind: str) -> tuple[float, float]:
    """Share of orders with the right answer, and with every token right."""
    right = written(sums, kind)
    wrote = model.greedy(prompts(terms), right.shape[1])
    answer = wrote[:, 0 if kind == "first" else -1]
    return float((answer == sums[:, -1]).mean()), float((wrote == right).all(1).mean())


def tampered(model, rng) -> dict:
    """Change one sum in a row half written, and let the model write on.

    `follows` is the share of answers that are off by as much as the sum was, `ignores`
    the share that are right in spite of it.
    """
    terms, sums = orders(np.full(4 * EXAM, TAUGHT_LENGTH), rng)
    there = terms[:, TAMPERED_PLACE] != BLANK
    there &= terms[:, TAMPERED_PLACE + 1] != BLANK  # a term is still to come
    terms, sums = terms[there], sums[there]
    off = rng.integers(1, MODULUS, len(sums))
    begun = sums[:, : TAMPERED_PLACE + 1].copy()
    begun[:, -1] = (begun[:, -1] + off) % MODULUS
    begun = np.concatenate([prompts(terms), begun], axis=1)
    answer = model.greedy(begun, PLACES - TAMPERED_PLACE - 1)[:, -1]
    return {"follows": float((answer == (sums[:, -1] + off) % MODULUS).mean()),
            "ignores": float((answer == sums[:, -1]).mean())}  # fmt: skip


def measure_steps(seed: int) -> dict:
    """Right answers by the length of the order, 1 to 8, when 1 to 4 were taught."""
    streams = np.random.default_rng(seed).spawn(len(ARMS) + 2)
    exam = [orders(np.full(EXAM, n), streams[0]) for n in LENGTHS]
    out = {}
    for (name, (kind, times, updates)), rng in zip(ARMS.items(), streams[2:], strict=True):
        lengths = rng.integers(1, TAUGHT_LENGTH + 1, DEMOS * times)
        terms, sums = orders(lengths, rng)
        model = learn(prompts(terms), written(sums, kind), rng, updates)
        marks = [grade(model, *order, kind) for order in exam]
        out[name] = [answer for answer, _ in marks]
        if kind != "answer":
            out[f"{name}_row"] = [row for _, row in marks]
        out[f"{name}_train"] = grade(model, terms[:EXAM], sums[:EXAM], kind)[0]
        if name == "steps":
            out |= tampered(model, streams[1])
    return out


def derived(s) -> dict:
    """Means over the lengths that were taught, and over the longer ones."""
    out = {}
    for name in ARMS:
        by_length = s[name].mean(axis=0)
        out[f"{name}_taught"] = float(by_length[:TAUGHT_LENGTH].mean())
        out[f"{name}_longer"] = float(by_length[TAUGHT_LENGTH:].mean())
    more = s["more"][:, :TAUGHT_LENGTH].mean(axis=1)
    return out | {"more_found": int((more > 0.95).sum())}


def steps_hold(s) -> bool:
    """See the claim's predicate."""
    d = derived(s)
    m = {name: float(s[name].mean()) for name in ("follows", "ignores")}
    return bool(
        d["steps_taught"] > 0.97
        and s["answer_train"].mean() > 0.95
        and max(d["answer_taught"], d["first_taught"]) < 0.8
        and d["steps_longer"] > d["answer_longer"] + 0.3
        and d["steps_longer"] > d["first_longer"] + 0.3
        and d["answer_longer"] < 0.3
        and d["steps_longer"] < d["steps_taught"]
        and d["more_taught"] < d["steps_taught"] + 0.01
        and d["more_longer"] < d["steps_longer"] + 0.1
        and m["follows"] > 0.85
        and m["ignores"] < 0.1
    )


# Figure and ledger ------------------------------------------------------------------


def fig_steps(s):
    """Right answers against the length of the order, four ways to learn."""
    fig, ax = axes("terms in the order", "right answers", size=(4.8, 3.2))
    rows = (
        ("steps", "expert", "sums, then answer"),
        ("more", "learner", "answer, 8 times as many"),
        ("answer", "robot", "answer"),
        ("first", "person", "answer, then sums"),
    )
    words = []
    for name, role, label in rows:
        mean, look = s[name].mean(0), ROLES[role]
        ax.plot(LENGTHS, mean, color=look.color, ls=look.dash, lw=2, marker=look.marker, ms=5)
        words.append(f"{label} {mean[:TAUGHT_LENGTH].mean():.2f} and "
                     f"{mean[TAUGHT_LENGTH:].mean():.2f}")  # fmt: skip
    low = s["answer"].mean(0)[-1]
    many = max(s["more"].mean(0)[-1] + 0.05, low + 0.15)
    for y, label in ((s["steps"].mean(0)[-1], "■ sums, then\n    answer"),
                     (many, "▲ answer, 8\n    times as many"),
                     (low - 0.02, "◆ answer\n● answer,\n    then sums")):  # fmt: skip
        ax.annotate(label, (PLACES, y), xytext=(8, 0), textcoords="offset points",
                    va="top" if y < low else "center", color=INK, fontsize=9,
                    annotation_clip=False)  # fmt: skip
    ax.axvline(TAUGHT_LENGTH + 0.5, color=GRID, lw=1.2)
    ax.annotate("taught", (TAUGHT_LENGTH + 0.4, 1.05), ha="right", color=MUTED, fontsize=9)
    ax.annotate("longer", (TAUGHT_LENGTH + 0.6, 1.05), ha="left", color=MUTED, fontsize=9)
    ax.set_ylim(0, 1.12)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xticks(list(LENGTHS))
    alt = (
        f"Share of right answers against the number of terms, 1 to {PLACES}, of which 1 to "
        f"{TAUGHT_LENGTH} were taught; means over taught and over longer orders: "
        f"{'; '.join(words)}. Only who writes the sums before the answer is right nearly "
        "always, and most often on longer orders."
    )
    return fig, alt


GIVEN = {
    "order-modulus": MODULUS,
    "order-places": PLACES,
    "order-taught": TAUGHT_LENGTH,
    "order-demos": DEMOS,
    "order-more": DEMOS * PLACES,
}

CLAIMS = [
    Claim(
        id="pc-chain-of-thought",
        chapter="05",
        statement=(
            "Chain of thought is procedural cloning: a small transformer that is taught "
            "to write Hana's sums before the answer adds up new orders, and often longer "
            "ones than it was taught; from the answers alone, or with the sums after the "
            "answer, it learns its lesson by heart. A sum that somebody falsifies goes "
            "on into the answer."
        ),
        predicate=(
            "means over seeds; of orders as long as those taught, over 97 % right with "
            "the sums first, under 80 % with the answer alone, though over 95 % of the "
            "lesson itself, and under 80 % with the answer first; of longer orders, with "
            "the sums first at least 30 points more than either, which stay under 30 % "
            "with the answer alone, and fewer than of those taught; with eight times as "
            "many answers no more than 1 and 10 points above the sums; after one sum is "
            "falsified, over 85 % of the answers are off by as much, under 10 % right"
        ),
        holds=steps_hold,
        measure=measure_steps,
        derive=derived,
        headline="follows",
        status="reproduced",
        papers=("nye2021show", "wei2022chain", "lanham2023measuring"),
        literature=(
            "Nye et al. teach transformers to write intermediate results, and find them "
            "far better at computations of many steps; Wei et al. find it by prompting "
            "alone. Lanham et al. falsify the written reasoning of large models."
        ),
        rtol={
            "steps": ("abs", 0.45), "steps_row": ("abs", 0.45), "steps_train": ("abs", 0.05),
            "more": ("abs", 0.45), "more_train": ("abs", 0.45),
            "answer": ("abs", 0.2), "answer_train": ("abs", 0.05),
            "first": ("abs", 0.3), "first_row": ("abs", 0.45), "first_train": ("abs", 0.1),
            "follows": ("abs", 0.1), "ignores": ("abs", 0.05),
        },
        note=(
            "Eight times as many answers are as many written numbers as the rows have. "
            "With them the outcome is a matter of luck: in some seeds the transformer "
            "finds out how to add, in others it does not within its updates."
        ),
    ),
]  # fmt: skip
