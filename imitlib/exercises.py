"""``imitlib.check("02.1", fn)``: an answer to an exercise, answered.

It never raises. It says *not attempted*, gives a *hint* about this very mistake, or
*pass*. Expected values are computed by a reference, never stored.
"""

from __future__ import annotations

import copy
import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np

__all__ = ["Exercise", "Result", "check", "exercise"]


@dataclass(frozen=True)
class Exercise:
    """One exercise: what is right, what is wrong, and what to say about it.

    Attributes
    ----------
    id : str
        ``"02.1"``: chapter, number.
    reference : callable
        The right answer.
    cases : callable
        ``cases() -> list of argument tuples``; fixed, none too easy.
    wrong : dict of name -> (callable, hint)
        Mistakes worth naming. An answer that behaves like one gets its hint.
    rtol : float
        How closely numbers must agree.
    """

    id: str
    reference: Callable
    cases: Callable[[], Iterable[tuple]]
    wrong: Mapping[str, tuple[Callable, str]] = field(default_factory=dict)
    rtol: float = 1e-6


@dataclass(frozen=True)
class Result:
    """What `check` found; ``status`` is "pass", "hint" or "not attempted"."""

    id: str
    status: str
    message: str

    @property
    def passed(self) -> bool:
        return self.status == "pass"

    def __repr__(self) -> str:
        return f"Exercise {self.id}: {self.status}. {self.message}"

    def _repr_html_(self) -> str:
        mark = {"pass": "✓", "hint": "→", "not attempted": "○"}[self.status]
        return (
            f'<div class="imit-check" data-status="{self.status}" role="status">'
            f"<strong>{mark} Exercise {self.id}: {self.status}.</strong> "
            f"{html.escape(self.message)}</div>"
        )


def exercise(exercise_id: str) -> Exercise:
    """The exercise of that id.

    Raises
    ------
    ValueError
        If there is none.
    """
    chapter = str(exercise_id).partition(".")[0]
    try:
        known = import_module(f"imitlib.chapters.ch{chapter}.exercises").EXERCISES
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("imitlib.chapters"):
            raise
        known = {}
    if exercise_id not in known:
        there = ", ".join(known) or f"none in chapter {chapter}"
        raise ValueError(f"no exercise {exercise_id!r}; there are {there}")
    return known[exercise_id]


def check(exercise_id: str, answer) -> Result:
    """Try an answer on the exercise's cases. Never raises.

    Parameters
    ----------
    exercise_id : str
        Such as ``"02.1"``.
    answer : callable
        Your function. ``...`` as its result means not attempted.

    Returns
    -------
    Result
        With ``.passed``, ``.status`` and ``.message``.
    """
    try:
        task = exercise(exercise_id)
    except ValueError as error:
        return Result(str(exercise_id), "hint", f"{error}.")
    if not callable(answer):
        return Result(task.id, "hint", "Pass the function itself, without calling it.")
    cases = [tuple(case) for case in task.cases()]
    got = []
    for number, case in enumerate(cases, start=1):
        given = copy.deepcopy(case)
        try:
            value = answer(*given)
        except NotImplementedError:
            return _untouched(task)
        except (Exception, SystemExit) as error:
            words = f"On case {number} your function raised {type(error).__name__}: {error}"
            return Result(task.id, "hint", words)
        if value is ...:
            return _untouched(task)
        if value is None:
            return Result(task.id, "hint", "Your function returns nothing. Is a return missing?")
        if not all(_same(a, b, 0) for a, b in zip(given, case, strict=True)):
            words = "Your function changes its arguments. Work on a copy."
            return Result(task.id, "hint", words)
        got.append(value)
    right = [task.reference(*copy.deepcopy(case)) for case in cases]
    verdicts = [_same(a, b, task.rtol) for a, b in zip(got, right, strict=True)]
    if all(verdicts):
        return Result(task.id, "pass", f"Right on {len(cases)} cases.")
    for _, (mistake, hint) in task.wrong.items():
        theirs = [mistake(*copy.deepcopy(case)) for case in cases]
        if all(_same(a, b, task.rtol) for a, b in zip(got, theirs, strict=True)):
            return Result(task.id, "hint", hint)
    k = verdicts.index(False)
    return Result(
        task.id, "hint",
        f"Right on {sum(verdicts)} of {len(cases)} cases. On case {k + 1}, with arguments "
        f"{_short(cases[k])}, expected {_short(right[k])}, got {_short(got[k])}."
        + _remark(got, right),
    )  # fmt: skip


NEAR = 0.05


def _remark(got, right) -> str:
    """What can be said of a wrong answer without knowing the mistake."""
    if any(_holds_nan(a) and not _holds_nan(b) for a, b in zip(got, right, strict=True)):
        return " There is a nan: did a product run down to 0, or something divide by 0?"
    if all(_same(a, b, NEAR) for a, b in zip(got, right, strict=True)):
        return " It is near in every case: is something drawn at random, or rounded?"
    return ""


def _holds_nan(value) -> bool:
    try:
        return bool(np.isnan(np.asarray(value, float)).any())
    except (TypeError, ValueError):
        return False


def _untouched(task: Exercise) -> Result:
    return Result(task.id, "not attempted", "Replace the dots with your answer.")


def _same(a, b, rtol: float) -> bool:
    if isinstance(b, (tuple, list)) and not isinstance(a, np.ndarray):
        same_kind = isinstance(a, (tuple, list)) and len(a) == len(b)
        return same_kind and all(_same(x, y, rtol) for x, y in zip(a, b, strict=True))
    try:
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype == object or a.shape != b.shape:
            return False
        if not np.issubdtype(b.dtype, np.number):
            return bool(np.array_equal(a, b))
        return bool(np.allclose(a, b, rtol=rtol, atol=rtol * 1e-3, equal_nan=True))
    except (TypeError, ValueError):
        return a is b


def _short(value) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    with np.printoptions(precision=4, threshold=8, suppress=True):
        text = repr(value)
    return text if len(text) < 160 else text[:157] + "..."
