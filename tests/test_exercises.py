"""check() answers and never raises; every exercise of the book knows right from wrong."""

import importlib
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest

import imitlib.chapters
from imitlib import exercises
from imitlib.exercises import Exercise, check

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))
import notebooks  # noqa: E402
import pages  # noqa: E402

PLANTED = Exercise(
    "99.1",
    reference=lambda x, k: x.sum() * k,
    cases=lambda: [(np.array([1.0, 2.0]), 3), (np.array([5.0, -1.0]), 2)],
    wrong={"forgot k": (lambda x, k: x.sum(), "You forgot k.")},
)


@pytest.fixture
def planted(monkeypatch):
    monkeypatch.setattr(exercises, "exercise", lambda _: PLANTED)


def spoil(x, k):
    total = x.sum() * k
    x[:] = 0
    return total


def boom(x, k):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (lambda x, k: k * np.sum(x), "pass", "2 cases"),
        (lambda x, k: ..., "not attempted", "dots"),
        (lambda x, k: np.sum(x), "hint", "You forgot k."),
        (lambda x, k: 9.0, "hint", "Right on 1 of 2 cases. On case 2"),
        (lambda x, k: None, "hint", "returns nothing"),
        (lambda x, k: "nine", "hint", "Right on 0 of 2"),
        (lambda x, k: np.array([9.0]), "hint", "Right on 0 of 2"),
        (lambda x, k: np.nan, "hint", "Right on 0 of 2"),
        (lambda x, k: np.nan if k == 2 else 9.0, "hint", "There is a nan"),
        (lambda x, k: 1.04 * k * np.sum(x), "hint", "It is near in every case"),
        (lambda x, k: (1.06 if k == 2 else 1) * k * np.sum(x), "hint", "got 8.48."),
        (lambda x: 1, "hint", "raised TypeError"),
        (boom, "hint", "raised RuntimeError: boom"),
        (spoil, "hint", "changes its arguments"),
        (9.0, "hint", "Pass the function itself"),
    ],
)
def test_check_answers(planted, answer, status, words):
    result = check("99.1", answer)
    assert result.status == status and words in result.message
    assert result.passed == (status == "pass")
    assert result.status in result._repr_html_() and "99.1" in repr(result)


def test_a_right_nan_is_no_remark(monkeypatch):
    only = Exercise("99.1", reference=lambda x: np.array([x, np.nan]), cases=lambda: [(1.0,)])
    monkeypatch.setattr(exercises, "exercise", lambda _: only)
    assert check("99.1", lambda x: np.array([x, np.nan])).passed
    for wrong in (lambda x: np.array([2 * x, np.nan]), lambda x: "nine"):
        assert check("99.1", wrong).message.endswith(".")


def test_an_unknown_exercise_is_a_hint_not_an_error():
    assert "there are 02.1" in check("02.99", len).message
    assert "no exercise" in check("77.1", len).message


# The book's exercises ---------------------------------------------------------------


def every_exercise():
    names = [m.name for m in pkgutil.iter_modules(imitlib.chapters.__path__)]
    for name in names:
        try:
            module = importlib.import_module(f"imitlib.chapters.{name}.exercises")
        except ModuleNotFoundError:
            continue
        yield from module.EXERCISES.values()


def twins():
    return [notebooks.read_text(p) for p in sorted((ROOT / "notebooks" / "src").glob("*.md"))]


SOLUTIONS, STUBS = {}, {}
for page in twins():
    SOLUTIONS |= pages.solutions(pages.markdown(page))
    for cell in pages.code_cells(page):
        if "return ..." in cell.source and "check(" in cell.source:
            number = cell.source.split("check(")[1].split('"')[1]
            STUBS[number] = cell.source


def run(source, number):
    """Run a page's code with its preamble of imports; give back the function it checks."""
    scope = {"np": np}
    exec(source, scope)  # noqa: S102 - our own page
    functions = [v for v in scope.values() if callable(v) and getattr(v, "__module__", 0) is None
                 or getattr(v, "__globals__", None) is scope]  # fmt: skip
    assert functions, f"{number} defines no function"
    return functions[-1]


@pytest.mark.parametrize("task", list(every_exercise()), ids=lambda t: t.id)
def test_the_solution_passes_the_stub_is_untouched_and_each_mistake_gets_its_hint(task):
    assert check(task.id, run(SOLUTIONS[task.id], task.id)).passed
    stub = STUBS[task.id].split("imitlib.check")[0].split("check(")[0]
    assert check(task.id, run(stub, task.id)).status == "not attempted"
    assert len(task.wrong) >= 3
    hints = set()
    for name, (mistake, hint) in task.wrong.items():
        result = check(task.id, mistake)
        assert (result.status, result.message) == ("hint", hint), name
        hints.add(hint)
    assert len(hints) == len(task.wrong), "two mistakes share a hint"


def test_every_exercise_of_a_page_is_registered_and_the_other_way_round():
    assert {t.id for t in every_exercise()} == set(SOLUTIONS) == set(STUBS)
