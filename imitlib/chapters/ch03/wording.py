"""Chapter 03: what the words do. One distribution, two greedy clones; and two kinds of sure.

`ci-tokenisation`: the same answers, cut into words in two ways. `ci-same-confidence`:
what the sentence says about how sure it is, beside the probability with which it came.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from imitlib.chapters.ch03 import school
from imitlib.claims import Claim
from imitlib.envs import order_book as shop
from imitlib.figures import INK, MUTED, ROLES, axes

KNOWS, READING, STREET, FEW_STOPS = 0.8, 40, 1200, 300
WORDINGS = {"one": shop.one_token, "form": shop.form_first}
LESSONS, ROUNDS, CRAMMING = 200, 5, 400  # form first has five words to learn in place of one


def finished_clone(reader, way, houses, answers, rng):
    """Fine-tuning in rounds, until it writes sentences about the houses of its lessons.

    A round that ends with more than 2 % of something else is followed by another, up to
    `ROUNDS`: now and then the form-first clone takes longer.
    """
    model = reader
    for _ in range(ROUNDS):
        model = school.clone(model, way, houses, answers, rng, updates=LESSONS,
                             lr=school.FAST)  # fmt: skip
        if school.probabilities(model, way, houses[:50]).sum(axis=1).mean() > 0.98:
            break
    return model


def measure_tokenisation(seed: int) -> dict:
    """The same demonstrations in two wordings, on houses never met."""
    rng = np.random.default_rng(seed)
    book = shop.OrderBook(rng.permutation(np.arange(STREET) % school.LOAVES))
    seen = shop.sightings(book, FEW_STOPS, rng)
    reader = school.read_notes(book, seen, rng, updates=READING)
    reader = school.alike(reader, book, seen)
    shown, asked = school.halves(np.arange(STREET), rng)
    knows = shop.half_of(shop.knows_all(book), rng, KNOWS)
    hana, asked = shop.answers(book, shown, knows), asked[seen[asked] == 0]
    out, chances = {}, {}
    for name, wording in WORDINGS.items():
        way = wording(book)
        model = finished_clone(reader, way, shown, hana, rng)
        for how, luck in (("greedy", None), ("sampled", rng)):
            said = school.ask(model, way, asked, luck)[0]
            out[f"{how}_{name}"] = 1 - school.scores(book, asked, said).abstain_rate
        chances[name] = school.probabilities(model, way, asked[:1])[0]
        out[f"garbled_{name}"] = 1 - float(chances[name].sum())
        out[f"silent_{name}"] = float(chances[name][-1])
        out[f"loaf_{name}"] = float(chances[name][:-1].max())
    out["apart"] = float(np.abs(chances["one"] - chances["form"]).sum() / 2)
    return out


def auroc(low, high) -> float:
    """The chance that one of `high` is above one of `low`; a tie counts one half."""
    ranks = rankdata(np.r_[low, high])[len(low) :]
    n, m = len(low), len(high)
    return float((ranks.sum() - m * (m + 1) / 2) / (n * m))


def measure_confidence(seed: int) -> dict:
    """How sure the words are, and how sure the numbers, of houses met and never met."""
    rng = np.random.default_rng(seed)
    book = shop.OrderBook.draw(school.HOUSES, rng, school.LOAVES)
    seen = shop.sightings(book, school.STOPS, rng)
    way = shop.one_token(book)
    reader = school.read_notes(book, seen, rng, updates=READING)
    shown, asked = school.halves(np.arange(len(book)), rng)
    groups = {"never": asked[seen[asked] == 0], "regular": asked[seen[asked] >= 4]}
    out = {}
    unsure = shop.half_of(shop.knows_all(book), rng, KNOWS)
    model = school.clone(reader, way, shown, shop.answers(book, shown, unsure), rng)
    for name, houses in groups.items():
        said = school.ask(model, way, houses, rng)[0]
        out[f"asserts_{name}"] = 1 - school.scores(book, houses, said).abstain_rate
        out[f"tells_{name}"] = 1 - float(school.probabilities(model, way, houses)[:, -1].mean())
    hana = shop.answers(book, shown, shop.knows_all(book))
    for length, updates in (("short", school.LESSONS), ("long", CRAMMING)):
        model = school.clone(reader, way, shown, hana, rng, updates=updates)
        sure = {}
        for name, houses in groups.items():
            said, sure[name] = school.ask(model, way, houses)
            marks = school.scores(book, houses, said, sure[name])
            out[f"asserts_{name}_{length}"] = 1 - marks.abstain_rate
            out[f"right_{name}_{length}"] = marks.accuracy
            out[f"sure_{name}_{length}"] = marks.confidence
        out[f"auroc_{length}"] = auroc(sure["never"], sure["regular"])
        said, confidence = school.ask(model, way, asked)
        marks = school.scores(book, asked, said, confidence)
        out[f"ece_{length}"], out[f"right_{length}"] = marks.ece, marks.accuracy
    return out


def tokenisation_holds(s) -> bool:
    """See the claim's predicate."""
    return (
        bool((s["greedy_one"] < 0.05).all() and (s["greedy_form"] > 0.95).all())
        and all(abs(s.mean(f"sampled_{n}") - KNOWS) < 0.04 for n in WORDINGS)
        and all(abs(s.mean(f"silent_{n}") - (1 - KNOWS)) < 0.04 for n in WORDINGS)
        and all(bool((s[f"garbled_{n}"] < 0.03).all()) for n in WORDINGS)
        and bool((s["apart"] < 0.12).all())
    )


def confidence_holds(s) -> bool:
    """See the claim's predicate."""
    lengths, chance = ("short", "long"), 1 / school.LOAVES
    words = [s[f"asserts_{g}_{n}"] for g in ("never", "regular") for n in lengths]
    return (
        all(bool((w == 1).all()) for w in words)
        and all(abs(s.mean(f"right_never_{n}") - chance) < 0.05 for n in lengths)
        and s.mean("right_regular_short") > 0.9
        and bool((s["sure_regular_short"] - s["sure_never_short"] > 0.2).all())
        and bool((s["auroc_short"] > 0.85).all())
        and bool(s.mean("sure_never_long") - s.mean("sure_never_short") > 0.15)
        and bool((s["ece_long"] - s["ece_short"] > 0.1).all())
    )


def gaps(s) -> dict:
    """How far the words, and the numbers, are apart between houses met and never met."""
    sure = s["sure_regular_short"] - s["sure_never_short"]
    words = s["asserts_regular_short"] - s["asserts_never_short"]
    return {"gap_numbers": float(sure.mean()), "gap_words": float(words.mean())}


# Figures -----------------------------------------------------------------------------


def fig_tokenisation(s):
    """Greedy and drawn, in two wordings."""
    fig, ax = axes("", "share of answers that name a loaf")
    for i, (how, role) in enumerate((("greedy", "learner"), ("sampled", "robot"))):
        look = ROLES[role]
        for x, name in enumerate(WORDINGS):
            values = s[f"{how}_{name}"]
            place = x + 0.3 * (i - 0.5)
            ax.bar(place, values.mean(), 0.24, color=look.color, alpha=0.85,
                   hatch="" if i == 0 else "//", edgecolor="white")  # fmt: skip
            ax.plot([place] * 2, [values.min(), values.max()], color=INK, lw=1.2)
            label = ("greedy", "drawn")[i]
            ax.text(place, values.mean() + 0.04, f"{label}\n{values.mean():.2f}",
                    ha="center", va="bottom", color=INK)  # fmt: skip
    ax.axhline(KNOWS, color=MUTED, lw=0.9, zorder=0)
    ax.set_xticks([0, 1], ["“don't-know” is one word", "“it is …”, “i do not …”"])
    ax.set_ylim(0, 1.28)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    alt = (
        f"Share of answers that name a loaf, on houses never met, in two wordings. Where "
        f"“don't-know” is one word among eleven the greedy clone names a loaf "
        f"{s.mean('greedy_one'):.2f} of the time and the drawn one "
        f"{s.mean('sampled_one'):.2f}. Where the form of the sentence comes first, greedy "
        f"{s.mean('greedy_form'):.2f} and drawn {s.mean('sampled_form'):.2f}. Hana: {KNOWS}."
    )
    return fig, alt


def fig_confidence(s):
    """Words and numbers, for houses met often and never."""
    fig, ax = axes("", "houses met often, and never")
    rows = (
        ("says a loaf", "asserts_regular_short", "asserts_never_short"),
        ("is right", "right_regular_short", "right_never_short"),
        ("its probability", "sure_regular_short", "sure_never_short"),
        ("… after cramming", "sure_regular_long", "sure_never_long"),
    )
    for y, (_, often, never) in enumerate(rows):
        ends = s.mean(often), s.mean(never)
        ax.plot(ends, [y, y], color=MUTED, lw=1, zorder=1)
        for name, role in ((often, "robot"), (never, "harm")):
            values, look = s[name], ROLES[role]
            ax.plot([values.min(), values.max()], [y, y], color=look.color, lw=3, alpha=0.4)
            ax.plot(values.mean(), y, look.marker, color=look.color, ms=8)
    ax.annotate("often", (s.mean(rows[2][1]), 2), xytext=(0, 8), ha="center",
                textcoords="offset points", color=INK)  # fmt: skip
    ax.annotate("never", (s.mean(rows[2][2]), 2), xytext=(0, 8), ha="center",
                textcoords="offset points", color=INK)  # fmt: skip
    ax.set_yticks(range(4), [r[0] for r in rows])
    ax.set_ylim(3.5, -0.6)
    ax.set_xlim(0, 1.05)
    ax.grid(axis="x", color="#D5DAE1", linewidth=0.6)
    alt = (
        f"Four measures of the clone's answers, from zero to one, for houses met often "
        f"and never. It names a loaf always, {s.mean(rows[0][1]):.2f} and "
        f"{s.mean(rows[0][2]):.2f}. It is right {s.mean(rows[1][1]):.2f} and "
        f"{s.mean(rows[1][2]):.2f} of the time. The probability of its answer is "
        f"{s.mean(rows[2][1]):.2f} and {s.mean(rows[2][2]):.2f}, after longer training "
        f"{s.mean(rows[3][1]):.2f} and {s.mean(rows[3][2]):.2f}: the numbers know, the "
        f"words do not."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {"wording.h": KNOWS, "wording.lessons": LESSONS, "cramming": CRAMMING,
         "wording.silent": 1 - KNOWS, "wording.loaf": KNOWS / school.LOAVES}  # fmt: skip

CLAIMS = [
    Claim(
        id="ci-tokenisation",
        chapter="03",
        statement="The same demonstrations, cut into words in two ways, give clones with "
        "nearly the same distribution over answers and opposite greedy behaviour.",
        predicate="a demonstrator who says “I don't know” one time in five, houses never "
        "met, K = 10: greedy names a loaf below 5 % in every seed where not knowing is one word "
        "among K + 1, and above 95 % in every seed where “it” or “i” comes first; drawn, both "
        "within .04 of .8; the two distributions over the K + 1 answers less than .12 "
        "apart (total variation), less than .03 of either no answer at all",
        holds=tokenisation_holds,
        measure=measure_tokenisation,
        headline="greedy_form",
        status="ours",
        rtol={f"{q}_{n}": ("abs", 0.02) for n in WORDINGS
              for q in ("greedy", "sampled", "garbled", "silent", "loaf")}
        | {f"garbled_{n}": ("abs", 0.003) for n in WORDINGS} | {"apart": ("abs", 0.01)},
        seeds=tuple(range(2000, 2010)),
        note="Greedy here takes the likeliest word each time. The likeliest whole "
        "sentence would be “I don't know” in both wordings. A first sweep, on seeds 1000 "
        "to 1009 and with a fixed number of updates, had one form-first clone in ten "
        "that was not finished: a third of its answers were no sentences, and the "
        "predicate was false (the greedy clones were opposite in all ten). The rule to "
        "train until sentences are whole was then tried on seeds below 100, and measured "
        "on fresh ones.",
    ),
    Claim(
        id="ci-same-confidence",
        chapter="03",
        statement="Invented answers come in the same words as known ones. The probability "
        "with which they come is lower, and tells them apart, though longer training on the "
        "same demonstrations brings it up: true of the words, not of the numbers.",
        predicate="clone of the all-knowing: names a loaf for every house, met four times "
        "or more, or never, in every seed; right on 1/K (within .05) of those never met, "
        "above .9 of the others; mean probability of its answers lower by more than .2 on "
        "houses never met, and AUROC of it above .85, in every seed; after four times as many "
        "updates the probability on houses never met is up by more than .15, and the "
        "expected calibration error of all answers, in every seed, by more than .1",
        holds=confidence_holds,
        measure=measure_confidence,
        derive=gaps,
        headline="auroc_short",
        status="ours",
        source="[A]",
        papers=("guo2017calibration", "gekhman2024does"),
        literature="Guo and others (2017) define the error of calibration used here, and "
        "show that modern image classifiers are too sure. Gekhman and others (2024) find "
        "that what is new in fine-tuning data is learned slowly, and then makes a language "
        "model invent more.",
        rtol={
            f"{q}_{g}_{n}": ("abs", 0.03)
            for q in ("asserts", "right", "sure") for g in ("never", "regular")
            for n in ("short", "long")
        } | {f"{q}_{g}": ("abs", 0.03) for q in ("asserts", "tells") for g in ("never", "regular")}
        | {f"{q}_{n}": ("abs", 0.02) for q in ("auroc", "ece", "right") for n in ("short", "long")},
        note="With unlimited demonstrations the probability on houses never met would be "
        "1/K, and honest. What raises it is learning the demonstrations by heart.",
    ),
]  # fmt: skip
