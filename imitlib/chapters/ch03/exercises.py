"""The exercises of chapter 03: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.calibration import expected_calibration_error, score
from imitlib.exercises import Exercise

# 1. Which word comes out ---------------------------------------------------------------


def first_word(knows, loaves, form_first):
    """Whether the greedy clone names a loaf, of a house that it knows nothing about."""
    each = knows if form_first else knows / loaves
    return bool(each > 1 - knows)


WORD = Exercise(
    "03.1",
    reference=first_word,
    cases=lambda: [(0.8, 3, False), (0.8, 6, False), (0.8, 6, True), (0.4, 2, True),
                   (0.45, 2, False), (0.9, 8, False), (0.9, 12, False), (0.6, 2, True),
                   (0.78, 3, False), (0.78, 4, False)],
    wrong={
        "K forgotten": (
            lambda knows, loaves, form_first: bool(knows > 1 - knows),
            "That is right where the form comes first. As one word among K + 1, each loaf "
            "has only knows / loaves.",
        ),
        "form ignored": (
            lambda knows, loaves, form_first: bool(knows / loaves > 1 - knows),
            "Right for one word. With the form first all loaves begin with the same word, "
            "“it”, which has the chance of all of them together.",
        ),
        "a tie of all K + 1": (
            lambda knows, loaves, form_first: bool(knows > 1 / (loaves + 1)),
            "Here everything is compared with an even chance among K + 1. Compare the "
            "chance of a loaf with that of “I don't know”, 1 - knows.",
        ),
        "wordings swapped": (
            lambda knows, loaves, form_first: first_word(knows, loaves, not form_first),
            "The two wordings are swapped: as one word each loaf stands alone, and with "
            "the form first all of them begin alike.",
        ),
        "the other way round": (
            lambda knows, loaves, form_first: not first_word(knows, loaves, form_first),
            "Turned round: return True where the loaf is likelier, not the silence.",
        ),
    },
)  # fmt: skip

# 2. Three kinds of answer --------------------------------------------------------------


def rates(answers, truth, dont_know):
    """Accuracy, wrong rate and abstain rate; they sum to 1."""
    s = score(np.asarray(answers), np.asarray(truth), dont_know)
    return s.accuracy, s.wrong_rate, s.abstain_rate


def _abstained_is_right(answers, truth, dont_know):
    right, wrong, silent = rates(answers, truth, dont_know)
    return right + silent, wrong, silent


def _abstained_is_wrong(answers, truth, dont_know):
    right, wrong, silent = rates(answers, truth, dont_know)
    return right, wrong + silent, silent


def _of_the_asserted(answers, truth, dont_know):
    right, wrong, silent = rates(answers, truth, dont_know)
    return right / (right + wrong), wrong / (right + wrong), silent


def _counts(answers, truth, dont_know):
    return tuple(round(len(answers) * r) for r in rates(answers, truth, dont_know))


RATES = Exercise(
    "03.2",
    reference=rates,
    cases=lambda: [
        (np.array([0, 3, 2, 4, 1]), np.array([0, 1, 2, 3, 0]), 4),
        (np.array([2, 2, 1, 2, 0, 1, 2, 0]), np.array([0, 1, 1, 0, 0, 0, 1, 1]), 2),
    ],
    wrong={
        "silence is right": (
            _abstained_is_right,
            "An “I don't know” is counted as right here. It is a third thing: no score for "
            "it, and no blame.",
        ),
        "silence is wrong": (
            _abstained_is_wrong,
            "An “I don't know” is counted as wrong here, and then once more as silence. "
            "The three must sum to one.",
        ),
        "of the asserted": (
            _of_the_asserted,
            "These are shares of the asserted answers. Divide by all questions, or two "
            "clones that abstain differently cannot be compared.",
        ),
        "counts": (_counts, "These are counts. Return shares of all questions."),
    },
)

# 3. Is it as sure as it is right? ------------------------------------------------------


def ece(confidence, right, bins):
    """Expected calibration error, in equally wide bins, each with its upper edge."""
    return expected_calibration_error(confidence, np.asarray(right, bool), bins)


def _per_bin(confidence, right, bins):
    place = np.clip(np.ceil(np.asarray(confidence) * bins).astype(int), 1, bins)
    return [(place == m, np.mean(np.asarray(right)[place == m]),
             np.mean(np.asarray(confidence)[place == m]))
            for m in range(1, bins + 1) if (place == m).any()]  # fmt: skip


def _all_bins_count_alike(confidence, right, bins):
    return float(np.mean([abs(a - c) for _, a, c in _per_bin(confidence, right, bins)]))


def _one_bin(confidence, right, bins):
    return float(abs(np.mean(right) - np.mean(confidence)))


def _signed(confidence, right, bins):
    parts = _per_bin(confidence, right, bins)
    return float(sum(w.mean() * (c - a) for w, a, c in parts))


def _each_answer(confidence, right, bins):
    return float(np.mean(np.abs(np.asarray(right, float) - np.asarray(confidence))))


def _lower_edge(confidence, right, bins):
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    right, confidence = np.asarray(right, float), np.asarray(confidence)
    return float(sum(np.mean(place == m) * abs(np.mean((right - confidence)[place == m]))
                     for m in np.unique(place)))  # fmt: skip


def _empty_bins(confidence, right, bins):
    """One bin more than there are: the mean of nothing is not a number."""
    return float("nan")


def _squared(confidence, right, bins):
    parts = _per_bin(confidence, right, bins)
    return float(sum(w.mean() * (c - a) ** 2 for w, a, c in parts))


ECE = Exercise(
    "03.3",
    reference=ece,
    cases=lambda: [
        (np.array([0.22, 0.4, 0.6, 0.9, 0.85]), np.array([1, 0, 0, 1, 1]), 2),
        (np.array([0.95, 0.97, 0.31, 0.35, 0.38, 0.12]), np.array([1, 0, 0, 1, 1, 0]), 5),
        (np.linspace(0.05, 0.95, 19), np.arange(19) % 3 == 0, 4),
    ],
    wrong={
        "bins alike": (
            _all_bins_count_alike,
            "Every bin counts the same here. Weigh each by the share of answers in it.",
        ),
        "one bin": (
            _one_bin,
            "One bin for all: too sure in one place and too modest in another cancel. Take "
            "the gap in each bin first.",
        ),
        "signed": (
            _signed,
            "The gaps keep their signs, so they cancel. Take absolute values before the "
            "sum.",
        ),
        "each answer": (
            _each_answer,
            "This compares each answer with 0 or 1. A calibrated 0.7 would be blamed; "
            "average over the bin before you compare.",
        ),
        "lower edge": (
            _lower_edge,
            "An answer on the edge of two bins is in the upper one here. Each bin holds its "
            "upper edge: 0.5 of two bins is in the first.",
        ),
        "empty bins": (
            _empty_bins,
            "Not a number: some bin is empty, and the mean of nothing is nan. Leave empty "
            "bins out; their weight is nought.",
        ),
        "squared": (_squared, "The gaps are squared. Take their absolute values."),
    },
)

# 4. The mark one can expect ------------------------------------------------------------


def best_mark(chances, penalty):
    """The highest expected mark of one question: the likeliest answer, or silence."""
    p = np.max(chances)
    return float(max(0.0, p - penalty * (1 - p)))


def _always_answers(chances, penalty):
    p = np.max(chances)
    return float(p - penalty * (1 - p))


def _probability_matching(chances, penalty):
    p = np.sum(np.square(chances))
    return float(max(0.0, p - penalty * (1 - p)))


def _silence_is_right(chances, penalty):
    return 1.0


def _penalty_for_all(chances, penalty):
    return float(max(0.0, np.max(chances) - penalty))


def _no_penalty(chances, penalty):
    return float(np.max(chances))


MARK = Exercise(
    "03.4",
    reference=best_mark,
    cases=lambda: [
        (np.array([0.6, 0.3, 0.1]), 1), (np.array([0.6, 0.3, 0.1]), 3),
        (np.array([0.05, 0.9, 0.05]), 3), (np.array([0.4, 0.3, 0.3]), 0),
    ],
    wrong={
        "always answers": (
            _always_answers,
            "This answers even where the expected mark is negative. “I don't know” is "
            "always to be had, for 0.",
        ),
        "draws": (
            _probability_matching,
            "That is the mark of one who draws his answer from his beliefs. The likeliest "
            "answer has a higher one.",
        ),
        "silence pays": (
            _silence_is_right,
            "This gives 1 for “I don't know”. It is worth 0, neither right nor wrong.",
        ),
        "penalty for all": (
            _penalty_for_all,
            "Only a wrong answer costs the penalty: multiply it by the chance of being "
            "wrong.",
        ),
        "no penalty": (_no_penalty, "The penalty is missing: p - penalty * (1 - p)."),
    },
)  # fmt: skip

# 5. Whose hand it was ------------------------------------------------------------------


def believe(opened, lamps, hers):
    """The chance that each of five boxes is the right one, by Bayes' rule, (5,).

    The lamp errs one time in ten. Hana opens the right box with chance 0.92 and each
    other one with 0.02; what Rollo opens says nothing.
    """
    chance = np.full(5, 1 / 5)
    for a, lamp in zip(opened, lamps, strict=True):
        this = np.arange(5) == a
        chance = chance * np.where(this == lamp, 0.9, 0.1)
        if hers:
            chance = chance * np.where(this, 0.92, 0.02)
    return chance / chance.sum()


def _own_hand(opened, lamps, hers):
    return believe(opened, lamps, True)


def _never(opened, lamps, hers):
    return believe(opened, lamps, False)


def _upside_down(opened, lamps, hers):
    return believe(opened, ~np.asarray(lamps), hers)


def _trusted_lamp(opened, lamps, hers):
    yes = [a for a, lamp in zip(opened, lamps, strict=True) if lamp]
    return np.eye(5)[yes[-1]] if yes else np.full(5, 1 / 5)


def _last_turn(opened, lamps, hers):
    return believe(opened[-1:], lamps[-1:], hers)


def _not_divided(opened, lamps, hers):
    first = np.full(5, 1 / 5)
    for a, lamp in zip(opened, lamps, strict=True):
        this = np.arange(5) == a
        first = first * np.where(this == lamp, 0.9, 0.1)
        first = first * (np.where(this, 0.92, 0.02) if hers else 1)
    return first


HAND = Exercise(
    "03.5",
    reference=believe,
    cases=lambda: [
        (np.array([2, 2, 0]), np.array([False, True, False]), False),
        (np.array([2, 2, 0]), np.array([False, True, False]), True),
        (np.array([1, 3]), np.array([False, True]), False),
        (np.array([4]), np.array([False]), True),
    ],
    wrong={
        "own hand": (
            _own_hand,
            "You believe your own hand: also where Rollo opens, you count the choice as "
            "evidence. Only if `hers` does it say where the order stands.",
        ),
        "her hand ignored": (
            _never,
            "You leave Hana's choices out. She knows, so which box she opens is the best "
            "evidence that there is.",
        ),
        "upside down": (
            _upside_down,
            "You read the lamp upside down: lit means that the opened box is the right one, "
            "with chance 0.9.",
        ),
        "the lamp never errs": (
            _trusted_lamp,
            "You trust the lamp wholly. It errs one time in ten: a factor of 0.9 or 0.1.",
        ),
        "last turn": (
            _last_turn,
            "That is the last turn alone. The factors of all turns are multiplied.",
        ),
        "not divided": (
            _not_divided,
            "Right but for the last step: divide by the sum, so that the five chances add "
            "up to one.",
        ),
    },
)

EXERCISES = {task.id: task for task in (WORD, RATES, ECE, MARK, HAND)}
