"""Chapter 03: what marks teach that copying does not.

Houses vary what they order: the usual loaf with chance p, which Rollo has to gather from
its notes. A clone of Hana is then marked, +1 for a right answer, 0 for "I don't know",
-c for a wrong one, and follows the gradient of the mark it expects.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch

from imitlib.adam import Adam
from imitlib.chapters.ch03 import school
from imitlib.claims import Claim
from imitlib.envs import order_book as shop
from imitlib.figures import INK, MUTED, axes, line
from imitlib.language import LanguageModel

HABITS, HOUSES_EACH, NOTES_EACH = (0.2, 0.35, 0.65, 0.95), 70, 50
PENALTIES = (0, 1, 3)
KNOWS, READING, LESSONS, MARKED, LEASH = 0.5, 700, 100, 150, 0.05


def orders(usual, habit, loaves, rng):
    """Today's loaf of each house: the usual one with chance `habit`, else another."""
    other = (usual + rng.integers(1, loaves, size=len(usual))) % loaves
    return np.where(rng.random(len(usual)) < habit, usual, other)


def marks(truth, loaves, penalty):
    """The mark of each of the K + 1 answers, (B, K + 1): +1, -c, and 0 for not knowing."""
    table = np.full((len(truth), loaves + 1), -float(penalty))
    table[np.arange(len(truth)), truth] = 1
    table[:, -1] = 0
    return table


def objective(network, start, prompts, words, table, penalty, leash):
    r"""The mark to expect, less what leaving the clone costs; the mean over prompts.

    .. math:: \sum_a \pi(a \mid q)\, r(a)
              - \beta \sum_w \pi(w \mid q) \log \frac{\pi(w \mid q)}{\pi_0(w \mid q)}

    `words` are the K + 1 first words of the answers and `table` their marks, (B, K + 1);
    any other word w is wrong. The leash β keeps chances from dying out early.
    """
    log_pi = network(prompts)[:, -1].log_softmax(1)  # (B, V)
    with torch.no_grad():
        log_start = start(prompts)[:, -1].log_softmax(1)
    chance = log_pi.exp()
    mark = (chance[:, words] * (table + penalty)).sum(1) - penalty
    return (mark - leash * (chance * (log_pi - log_start)).sum(1)).mean()


def follow_marks(model, way, houses, today, penalty, rng, *, updates, leash=LEASH,
                 lr=1e-3):  # fmt: skip
    """Policy gradient: exact over the answers, drawn over today's orders; words held.

    ``today(houses) -> (B,)`` draws what the houses want; nobody tells how likely it was.
    """
    network, curve = deepcopy(model.network), np.empty(updates)
    network.token.weight.requires_grad_(False)
    words = torch.from_numpy(way.write(np.arange(way.book.dont_know + 1))[:, 0])
    adam = Adam(network.parameters(), lr)
    for update in range(updates):
        rows = rng.choice(houses, size=school.BATCH)
        table = torch.from_numpy(marks(today(rows), way.book.n_loaves, penalty))
        prompts = torch.from_numpy(way.questions(rows))
        adam.lr = lr * (1 - 0.9 * update / updates)
        worth = objective(network, model.network, prompts, words, table, penalty, leash)
        (-worth).backward()
        adam.step()
        curve[update] = -worth.item()
    network.requires_grad_(True)
    return LanguageModel(network.eval(), model.end, curve)


def usual_chance(reader, way, houses):
    """How likely the reader of the notes finds each house's usual loaf, (B,)."""
    loaves = way.book.loaf[houses]
    notes = way.notes_of(houses, loaves).tokens
    return np.exp(reader.log_probability(notes[:, :2], notes[:, 2:]))


def first_words(model, way, houses):
    """The chance of the first word of each of the K + 1 answers, (B, K + 1)."""
    words = way.write(np.arange(way.book.dont_know + 1))[:, 0]
    return model.next_probabilities(way.questions(houses))[:, words]


def measure_guessing(seed: int) -> dict:
    """How often it answers, by how predictable the house is: cloned, and then marked."""
    rng = np.random.default_rng(seed)
    habit = np.repeat(HABITS, HOUSES_EACH)
    book = shop.OrderBook.draw(len(habit), rng, school.LOAVES)
    way = shop.one_token(book)

    def today(houses):
        return orders(book.loaf[houses], habit[houses], book.n_loaves, rng)

    def hana(houses):  # she has looked at today's order, or has not
        return np.where(rng.random(len(houses)) < KNOWS, today(houses), book.dont_know)

    met = np.repeat(np.arange(len(book)), NOTES_EACH)
    reader = school.pretrain(way, way.notes_of(met, today(met)), rng, updates=READING)
    shown, asked = school.halves(np.arange(len(book)), rng)
    again = np.tile(shown, 10)
    cloned = school.clone(reader, way, again, hana(again), rng, updates=LESSONS)
    on = school.clone(cloned, way, again, hana(again), rng, updates=MARKED)

    def marked(start, penalty):
        return follow_marks(start, way, shown, today, penalty, rng, updates=MARKED)

    mild = marked(cloned, 1)
    learners = {"cloned": cloned, "on": on, "c0": marked(cloned, 0), "c1": mild,
                "c3": marked(mild, 3), "c3_at_once": marked(cloned, 3)}  # fmt: skip
    groups = [asked[habit[asked] == p] for p in HABITS]
    out = {"believes": [float(usual_chance(reader, way, g).mean()) for g in groups]}
    for name, model in learners.items():
        chances = [first_words(model, way, g) for g in groups]
        out[f"sampled_{name}"] = [1 - float(c[:, -1].mean()) for c in chances]
        out[f"greedy_{name}"] = [float((c.argmax(1) < book.dont_know).mean())
                                 for c in chances]  # fmt: skip
    return out | {"first": out["sampled_c0"][0]}


def guessing_holds(s) -> bool:
    """See the claim's predicate."""
    p = np.array(HABITS)
    good = bool((np.abs(s["believes"].mean(axis=0) - p) < 0.05).all())
    for how in ("sampled", "greedy"):
        for c in PENALTIES:
            answers, worth = s[f"{how}_c{c}"].mean(axis=0), p > c / (1 + c)
            good &= bool((answers[worth] > 0.6).all() and (answers[~worth] < 0.25).all())
        good &= bool((s[f"{how}_c0"] > 0.95).all())
    for name in ("cloned", "on"):
        answers = s[f"sampled_{name}"].mean(axis=0)
        good &= bool((np.abs(answers - KNOWS) < 0.2).all())
    return good


def fig_guessing(s):
    """How often the learner answers, against how predictable the house is."""
    fig, ax = axes("chance p of the usual loaf", "share of questions answered")
    for name, role, label, nudge in (
        ("on", "person", "cloned", 0), ("c0", "harm", "c = 0", 8),
        ("c1", "learner", "c = 1", -2), ("c3", "robot", "c = 3", -14),
    ):  # fmt: skip
        values = s[f"sampled_{name}"]
        band = values.min(axis=0), values.max(axis=0)
        line(ax, HABITS, values.mean(axis=0), role, label, band=band, nudge=nudge)
    for c in PENALTIES[1:]:
        ax.axvline(c / (1 + c), color=MUTED, lw=0.9, ls=(0, (2, 2)), zorder=0)
        ax.text(c / (1 + c) + 0.01, 0.28, f"{c}/{1 + c}", color=INK)
    ax.set_xticks(HABITS, [f"{p:g}" for p in HABITS])
    ax.set_ylim(-0.03, 1.08)

    def said(name):
        return ", ".join(f"{v:.2f}" for v in s[f"sampled_{name}"].mean(axis=0))

    alt = (
        f"Share of questions answered against the chance p of the usual loaf, at "
        f"{', '.join(map(str, HABITS))}. Cloned: {said('on')}. Marked without a penalty: "
        f"{said('c0')}. With penalty one: {said('c1')}. With penalty three: {said('c3')}. "
        f"The learner answers where p is above c / (1 + c)."
    )
    return fig, alt


GIVEN = {
    "marks.h": KNOWS, "marks.notes": NOTES_EACH, "marks.updates": MARKED,
    **{f"marks.p{i}": p for i, p in enumerate(HABITS)},
    **{f"marks.c{i}": c for i, c in enumerate(PENALTIES)},
    **{f"marks.limit{i}": c / (1 + c) for i, c in enumerate(PENALTIES)},
}  # fmt: skip

CLAIMS = [
    Claim(
        id="ci-graded-guessing",
        chapter="03",
        statement="Pressure to score teaches guessing, which copying alone does not. "
        "Marked +1, 0 and -c, a learner comes to answer where its chance of being right "
        "is above c / (1 + c): everywhere, if a wrong answer costs nothing. The clone "
        "answers as often as Hana did, whatever its chance.",
        predicate="on houses of which the learner had to gather the chance p of the usual "
        "loaf from notes (its belief within .05 of p): marked with c = 0, 1, 3, it "
        "answers above 60 % where p > c / (1 + c) and below 25 % where p is smaller, drawn and "
        "greedy; with c = 0 above 95 % in every seed. Cloned, and cloned for as many "
        "updates more, drawn: within .2 of Hana's share for every p",
        holds=guessing_holds,
        measure=measure_guessing,
        headline="first",
        status="ours",
        source="[A]",
        papers=("kalai2025why",),
        literature="Kalai, Nachum, Vempala and Zhang (2025) argue that grading which gives "
        "nothing for “I don't know” rewards guessing, and propose to state a penalty "
        "for wrong answers. The threshold c / (1 + c) is a line of algebra; here a network "
        "follows it.",
        rtol={f"{how}_{n}": ("abs", 0.06) for how in ("sampled", "greedy")
              for n in ("cloned", "on", "c0", "c1", "c3", "c3_at_once")}
        | {"believes": ("abs", 0.03), "first": ("abs", 0.02)},
        note="The gradient of the expected mark is exact over the answers and drawn over "
        "the day's orders; a small penalty for leaving the clone (0.05 nats' worth) keeps "
        "chances from dying out. c = 3 goes on from the learner of c = 1: started on "
        "c = 3 at once, it mostly falls silent, also where answering pays.",
    ),
]  # fmt: skip
