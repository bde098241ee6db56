"""The exercises of chapter 04: what is right, which mistakes are common, what to say."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise

# 1. Two clones from one table ---------------------------------------------------------


def both_scores(counts, right):
    """Share right of the clone, drawn and likeliest; situations as often as they came."""
    counts = np.asarray(counts, float)
    rows = np.arange(len(counts))
    often = counts.sum(axis=1) / counts.sum()
    drawn = (often * counts[rows, right] / counts.sum(axis=1)).sum()
    likeliest = (often * (counts.argmax(axis=1) == right)).sum()
    return np.array([drawn, likeliest])


def _every_row_alike(counts, right):
    counts = np.asarray(counts, float)
    rows = np.arange(len(counts))
    policy = counts / counts.sum(axis=1, keepdims=True)
    return np.array([policy[rows, right].mean(), (policy.argmax(axis=1) == right).mean()])


def _likeliest_share(counts, right):
    counts = np.asarray(counts, float)
    return np.array([both_scores(counts, right)[0], counts.max(axis=1).sum() / counts.sum()])


def _swapped_scores(counts, right):
    return both_scores(counts, right)[::-1]


def _one_mode_for_all(counts, right):
    counts = np.asarray(counts, float)
    often = counts.sum(axis=1) / counts.sum()
    mode = counts.sum(axis=0).argmax()
    return np.array([both_scores(counts, right)[0], (often * (mode == right)).sum()])


SCORES = Exercise(
    "04.1",
    reference=both_scores,
    cases=lambda: [
        (np.array([[7, 3, 0], [0, 2, 8], [20, 0, 0]]), np.array([0, 1, 0])),
        (np.array([[1, 2, 5], [9, 4, 2]]), np.array([2, 1])),
        (np.array([[3, 1], [2, 40], [6, 5], [0, 9]]), np.array([0, 0, 0, 1])),
    ],
    wrong={
        "every row alike": (
            _every_row_alike,
            "You weigh every situation alike. Some came more often than others: weigh "
            "each row by its share of all counts.",
        ),
        "agreement": (
            _likeliest_share,
            "The second number says how often the likeliest answer is Hana's. It is asked "
            "how often it is the right one.",
        ),
        "swapped": (_swapped_scores, "Right, but the drawn clone comes first."),
        "one mode for all": (
            _one_mode_for_all,
            "You took the likeliest answer of all situations together. Each situation has "
            "its own: argmax along the rows.",
        ),
    },
)

# 2. Sharpen ---------------------------------------------------------------------------


def sharpen(probabilities, temperature):
    """Each row to the power 1 / temperature, normalised."""
    p = np.asarray(probabilities, float) ** (1 / temperature)
    return p / p.sum(axis=-1, keepdims=True)


def _not_normalised(probabilities, temperature):
    return np.asarray(probabilities, float) ** (1 / temperature)


def _upside_down(probabilities, temperature):
    return sharpen(probabilities, 1 / temperature)


def _softmax_of_probabilities(probabilities, temperature):
    e = np.exp(np.asarray(probabilities, float) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def _over_everything(probabilities, temperature):
    p = np.asarray(probabilities, float) ** (1 / temperature)
    return p / p.sum()


SHARPEN = Exercise(
    "04.2",
    reference=sharpen,
    cases=lambda: [
        (np.array([[0.7, 0.3], [0.2, 0.8]]), 0.5),
        (np.array([[0.5, 0.3, 0.2], [0.0, 0.4, 0.6]]), 0.2),
        (np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]), 2.0),
    ],
    wrong={
        "not normalised": (
            _not_normalised,
            "These are the powers. Divide each row by its sum, so that it is a policy.",
        ),
        "upside down": (
            _upside_down,
            "This gets flatter where it should get sharper: the power is one over the "
            "temperature.",
        ),
        "softmax of probabilities": (
            _softmax_of_probabilities,
            "A softmax takes logits. Of probabilities take the logarithm first, or take "
            "powers at once.",
        ),
        "over everything": (
            _over_everything,
            "You divide by the sum of the whole table. Each row is a policy of its own.",
        ),
    },
)

# 3. What a glimpse costs --------------------------------------------------------------


def with_glimpse(hurry, true):
    """Share right of the likeliest answer, given a cue that is true with that chance.

    Hana is wrong exactly when she is in a hurry.
    """
    total = 0.0
    for cue in (0, 1):
        if_hurry = true if cue else 1 - true
        right = (1 - hurry) * (1 - if_hurry)
        wrong = hurry * if_hurry
        total += right + wrong if right > wrong else 0.0  # right, whatever she did
    return total


def _best_case(hurry, true):
    return sum(
        max((1 - hurry) * (1 - q), hurry * q) for q in (true, 1 - true)
    )  # agreement with Hana


def _no_glimpse(hurry, true):
    return 1.0 if hurry < 0.5 else 0.0


def _she_herself(hurry, true):
    return 1 - hurry


def _always_trusts(hurry, true):
    return (1 - hurry) * true + hurry * (1 - true)


def _only_where_she_is(hurry, true):
    pairs = [((1 - hurry) * (1 - q), hurry * q) for q in (true, 1 - true)]
    return sum(right for right, wrong in pairs if right > wrong)


GLIMPSE = Exercise(
    "04.3",
    reference=with_glimpse,
    cases=lambda: [(0.4, 0.85), (0.4, 0.55), (0.2, 0.9), (0.2, 0.7), (0.7, 0.6), (0.6, 0.9)],
    wrong={
        "agreement": (
            _best_case,
            "That is how often the likeliest answer is Hana's. Where the cue makes her "
            "wrong answer the likeliest, agreeing with her is being wrong.",
        ),
        "no glimpse": (
            _no_glimpse,
            "That is the clone that sees no cue. With one, there are two cases, and each "
            "has a likeliest answer of its own.",
        ),
        "herself": (
            _she_herself,
            "That is Hana's own share, and the drawn clone's. The likeliest answer is "
            "all or nothing in each of the two cases.",
        ),
        "always trusts": (
            _always_trusts,
            "That is how often the cue says *no hurry*. If hurry is rare, the right answer "
            "may be the likeliest even when the cue says *hurry*: compare the two.",
        ),
        "only where she is": (
            _only_where_she_is,
            "You count the clone as right only where Hana is. Where its likeliest answer is "
            "the right one, it is right on the days of her hurry too: add both.",
        ),
    },
)

# 4. The best mimic --------------------------------------------------------------------


def best_mimic(hers, mine):
    """The row of `mine` with the least total variation from `hers`."""
    return int((0.5 * np.abs(np.asarray(mine) - hers).sum(axis=1)).argmin())


def _likeliest_outcome(hers, mine):
    return int(np.asarray(mine)[:, np.argmax(hers)].argmax())


def _squares(hers, mine):
    return int(np.square(np.asarray(mine) - hers).sum(axis=1).argmin())


def _signed(hers, mine):
    return int((np.asarray(mine) - hers).sum(axis=1).argmin())


def _farthest(hers, mine):
    return int(np.abs(np.asarray(mine) - hers).sum(axis=1).argmax())


def _largest_gap(hers, mine):
    return int(np.abs(np.asarray(mine) - hers).max(axis=1).argmin())


MIMIC = Exercise(
    "04.4",
    reference=best_mimic,
    cases=lambda: [
        (np.array([0.95, 0, 0.05]), np.array([[0, 1.0, 0], [0, 0, 1.0]])),
        (np.array([0.5, 0.3, 0.2]), np.array([[0.1, 0.5, 0.4], [0.5, 0.0, 0.5],
                                              [0.52, 0.48, 0.0]])),
        (np.array([0.4, 0.2, 0.2, 0.2]), np.array([[0.0, 0.2, 0.4, 0.4],
                                                   [0.05, 0.38, 0.37, 0.2],
                                                   [0.41, 0.54, 0.05, 0.0]])),
        (np.array([0.25, 0.25, 0.25, 0.25]), np.array([[0.64, 0.12, 0.12, 0.12],
                                                       [0.5, 0.5, 0.0, 0.0],
                                                       [0.6, 0.25, 0.1, 0.05]])),
        (np.array([0.1, 0.4, 0.25, 0.25]), np.array([[0.45, 0.4, 0.1, 0.05],
                                                     [0.31, 0.19, 0.45, 0.05],
                                                     [0.1, 0.05, 0.25, 0.6]])),
    ],
    wrong={
        "likeliest outcome": (
            _likeliest_outcome,
            "You compare only her likeliest outcome. All outcomes count, the rare ones too.",
        ),
        "squares": (
            _squares,
            "Total variation adds absolute differences, not squares; squares count one "
            "large difference for more.",
        ),
        "signed": (
            _signed,
            "Signed differences of two distributions always add up to zero. Take absolute "
            "values first.",
        ),
        "farthest": (_farthest, "This is the worst mimic: argmin, not argmax."),
        "largest gap": (
            _largest_gap,
            "You take the largest single difference. Total variation is half the sum.",
        ),
    },
)  # fmt: skip

EXERCISES = {task.id: task for task in (SCORES, SHARPEN, GLIMPSE, MIMIC)}
