r"""Is it right, does it say when it does not know, and is it as sure as it is right?

One question has one answer, and that is one of three things: *right*, *wrong*, or an
*abstention* ("I don't know"). With n questions,

.. math:: \text{accuracy} + \text{wrong rate} + \text{abstain rate} = 1

An abstention is never counted as right, not even where nobody could have known. All
that concerns confidence is about the answers that were asserted, and only those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "Reliability", "Scores", "expected_calibration_error", "reliability", "score",
]  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """How a batch of answers did.

    Attributes
    ----------
    n : int
        Questions.
    accuracy, wrong_rate, abstain_rate : float
        Shares of all n; they sum to 1.
    confidence : float
        Mean probability given to what was asserted; nan if nothing was, or if no
        probabilities were handed in.
    ece : float
        Expected calibration error of the asserted answers; nan likewise.
    """

    n: int
    accuracy: float
    wrong_rate: float
    abstain_rate: float
    confidence: float
    ece: float

    @property
    def selective_accuracy(self) -> float:
        """The share of asserted answers that are right; nan if none was asserted."""
        asserted = self.accuracy + self.wrong_rate
        return self.accuracy / asserted if asserted else float("nan")


def score(answers, truth, abstention: int, confidence=None, bins: int = 15) -> Scores:
    """Accuracy, wrong rate, abstain rate, confidence and calibration of answers.

    Parameters
    ----------
    answers : (B,) integers
        What was said; whatever is neither the truth nor the abstention is wrong.
    truth : (B,) integers
        What is so; never the abstention.
    abstention : int
        The answer that means "I don't know".
    confidence : (B,) floats in [0, 1], optional
        The probability with which each answer was given. Abstentions' are ignored.
    bins : int
        M of the expected calibration error.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    answers, truth = _integers("answers", answers), _integers("truth", truth)
    if len(answers) != len(truth) or not len(truth):
        raise ValueError(f"answers has {len(answers)} rows and truth {len(truth)}; "
                         "they must have as many, at least one")
    if (truth == abstention).any():
        raise ValueError(f"truth[{(truth == abstention).argmax()}] is {abstention}, "
                         "the abstention; not to know is never the truth")
    said = answers != abstention
    right = answers == truth
    mean, ece = float("nan"), float("nan")
    if confidence is not None:
        confidence = _probabilities(confidence, len(truth))
        if said.any():
            mean = float(confidence[said].mean())
            ece = expected_calibration_error(confidence[said], right[said], bins)
    return Scores(len(truth), float(right.mean()), float((said & ~right).mean()),
                  float((~said).mean()), mean, ece)


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram: answers sorted into M bins by confidence.

    Attributes
    ----------
    edges : (M + 1,) float64
        Bin m holds the confidences in (edges[m], edges[m + 1]]; the first holds 0 too.
    count : (M,) int64
    confidence, accuracy : (M,) float64
        Means over the bin; nan where it is empty.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability(confidence, right, bins: int = 15) -> Reliability:
    """Confidence against accuracy in equally wide bins.

    Parameters
    ----------
    confidence : (B,) floats in [0, 1]
        Of asserted answers.
    right : (B,) bool
    bins : int
        M.
    """
    right = np.asarray(right)
    if right.dtype != bool or right.ndim != 1 or not len(right):
        raise TypeError(f"right has shape {right.shape} of {right.dtype}; it must be "
                        "(B,) bool, with at least one answer")
    confidence = _probabilities(confidence, len(right))
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(f"bins is {bins}; it must be a positive whole number")
    edges = np.arange(bins + 1) / bins
    place = np.searchsorted(edges, confidence, side="left").clip(min=1) - 1
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, x, minlength=bins) / count
                 for x in (confidence, right)]
    return Reliability(edges, count, *means)


def expected_calibration_error(confidence, right, bins: int = 15) -> float:
    r"""How far confidence is from accuracy, on average over the answers.

    .. math:: \mathrm{ECE} = \sum_{m=1}^M \frac{n_m}{n}
              \bigl|\mathrm{acc}_m - \mathrm{conf}_m\bigr|

    with the bins of `reliability` (Guo et al. 2017, equation 3). It says whether the
    *numbers* are honest. Whether the *words* are, it does not say.
    """
    table = reliability(confidence, right, bins)
    full = table.count > 0
    gap = np.abs(table.accuracy - table.confidence)[full]
    return float(table.count[full] @ gap / table.count.sum())


def _integers(name: str, values) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise TypeError(f"{name} has shape {values.shape} of {values.dtype}; "
                        "it must be (B,) integers")
    return values


def _probabilities(confidence, n: int) -> np.ndarray:
    confidence = np.asarray(confidence, dtype=np.float64)
    if confidence.shape != (n,):
        raise ValueError(f"confidence has shape {confidence.shape}; it must be ({n},)")
    wrong = ~((confidence >= 0) & (confidence <= 1))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"confidence[{row}] is {confidence[row]}; it must lie in "
                         "[0, 1]")
    return confidence
