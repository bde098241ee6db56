"""Rollo's schooling, as all experiments of chapter 03 have it: notes, lessons, questions.

First it reads its own notes of who took which loaf, then it is shown Hana's dialogues.
It is asked about houses that no dialogue was about, which it has met on its rounds
often, seldom or never.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch

from imitlib import language
from imitlib.calibration import score
from imitlib.envs import order_book as shop

LOAVES, HOUSES, STOPS = 10, 800, 2400
WIDTH, CONTEXT, BATCH = 32, 8, 128
LESSONS = 100  # updates on the dialogues
FAST = 1e-2  # Adam's step where words are many or houses alike
EXPOSURES = ("never", "once", "2–3", "4–7", "8 or more")


def read_notes(book, seen, rng, *, updates, embedding_std=0.02):
    """Pretraining: a new network learns to write the notes of the houses `seen`."""
    way = shop.one_token(book)
    return pretrain(way, way.notes(seen), rng, updates=updates, embedding_std=embedding_std)


def pretrain(way, notes, rng, **options):
    """A new network that learns to write `notes`."""
    return language.fit(
        notes.tokens, notes.answer, n_tokens=len(way.words), context=CONTEXT,
        width=WIDTH, batch=BATCH, rng=rng, **options,
    )  # fmt: skip


def alike(reader, book, seen):
    """A copy in which the words of houses never met are one and the same: vectors of 0.

    Training never touched them: they still are the random ones that they began with.
    """
    words = shop.vocabulary(book)
    never = [words.index(f"house-{i}") for i in np.flatnonzero(seen == 0)]
    reader = deepcopy(reader)
    with torch.no_grad():
        reader.network.token.weight[never] = 0
    return reader


def clone(reader, way, houses, answers, rng, *, updates=LESSONS, lr=3e-3):
    """Fine-tuning: go on from `reader` with dialogues, the words' vectors held."""
    shown = way.dialogue(houses, answers)
    return language.fit(
        shown.tokens, shown.answer, start=reader, frozen=("token",),
        updates=updates, batch=BATCH, lr=lr, rng=rng,
    )  # fmt: skip


def ask(model, way, houses, rng=None):
    """Its answers, greedy or drawn with `rng`, and the probability of each; (B,) both."""
    prompts, length = way.questions(houses), way.answer_length
    written = (model.greedy(prompts, length) if rng is None
               else model.sample(prompts, length, rng))  # fmt: skip
    return way.read(written), np.exp(model.log_probability(prompts, written))


def probabilities(model, way, houses):
    """The chance of each of the K + 1 answers, (B, K + 1); what is missing is garbled."""
    prompts = way.questions(houses)
    every = [way.write(np.full(len(houses), k)) for k in range(way.book.dont_know + 1)]
    return np.exp(np.stack([model.log_probability(prompts, w) for w in every], axis=1))


def scores(book, houses, answers, confidence=None):
    """`calibration.score` against the book."""
    return score(answers, book.loaf[houses], book.dont_know, confidence)


def exposure(seen):
    """The place in `EXPOSURES` of each count of sightings."""
    return np.searchsorted([1, 2, 4, 8], seen, side="right")


def halves(houses, rng):
    """Two random halves: to be shown in dialogues, and to be asked about."""
    houses = rng.permutation(houses)
    return houses[: len(houses) // 2], houses[len(houses) // 2 :]
