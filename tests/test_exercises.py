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


def test_values_are_shown_short():
    assert exercises._short(np.array([1 / 3, 2e5])) == "array([     0.3333, 200000.    ])"
    long = exercises._short("x" * 300)
    assert len(long) == 160 and long.endswith("x...")


def reckons_once(reward, P, hers, steps):
    """As a student may write it: of what comes after the next step, she counts all."""
    q = reward.copy()
    for left in range(1, steps):
        q = reward + (hers if left == steps - 1 else 1) * (P @ q.max(axis=1))
    return q


def leaves_it_divided(policy, q, temperature):
    h = (temperature * np.log(policy) - q) / temperature
    return h - h.mean(axis=1, keepdims=True)


def trusts_one_choice(choices, centre, trust):
    nats, counts = 0.0, centre.astype(float)
    for choice in choices:
        nats -= np.log(counts[choice] / counts.sum())
        counts[choice] += 1
    return nats


def hears_every_move(prior, rule, his, weigh=False):
    """Move by move; weighed, one that is never made is 0 / 0."""
    total = 0.0
    for m in range(rule.shape[1]):
        with np.errstate(invalid="ignore"):
            belief = prior * rule[:, m] / (prior @ rule[:, m])
        if weigh or not np.isnan(belief).any():
            total += (prior @ rule[:, m] if weigh else 1) * max(belief @ his)
    return total - max(prior @ his)


def times_beta(worths, beta):
    allowed = worths / (1 + np.exp(-beta * worths))
    return allowed.mean() - max(0, worths.mean())


@pytest.mark.parametrize(("number", "name", "answer"), [
    ("08.2", "discounted once", reckons_once), ("08.3", "not scaled back", leaves_it_divided),
    ("08.4", "trust forgotten", trusts_one_choice), ("09.1", "moves summed", hears_every_move),
    ("09.1", "moves never made", lambda *given: hears_every_move(*given, weigh=True)),
    ("09.4", "beta multiplied", times_beta),
], ids=lambda x: x if isinstance(x, str) else "")  # fmt: skip
def test_a_student_s_mistake_is_known(number, name, answer):
    assert check(number, answer).message == exercises.exercise(number).wrong[name][1]


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
