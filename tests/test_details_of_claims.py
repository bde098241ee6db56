"""What the claims, the ledger and the arms say, down to the last cell."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "_ext"))
from companion import ledger

import address
from imitlib import claims, exercises
from imitlib.chapters.ch02 import compounding, crossing, driving, kitchen
from imitlib.experiments import interval
from test_book import ROOT, book
from test_notebooks import TEXT, notebooks, twins

pytestmark = pytest.mark.slow


def test_what_each_step_adds_is_against_the_step_before():
    s = claims.recorded("bc-real-people")
    d = kitchen.derived(s)
    gap = interval(s["soups_decided"] - s["soups_longer"])
    assert (d["gain_decided"], d["gain_decided.low"], d["gain_decided.high"]) == (
        gap.mean,
        gap.low,
        gap.high,
    )
    assert d["nll_gain_history"] == pytest.approx(
        s.mean("nll_hand") - s.mean("nll_history")
    )
    assert d["nll_gain_history"] > 0 > d["nll_gain_longer"]
    assert d["gain_features"] == pytest.approx(
        s.mean("soups_hand") - s.mean("soups_board")
    )


def test_the_marks_are_the_samples():
    s = claims.recorded("bc-causal-confusion")
    ax = crossing.fig_confusion(s)[0].axes[0]
    ends = [tuple(line.get_ydata()) for line in ax.lines[:3]]
    np.testing.assert_allclose(
        ends,
        [
            (s.mean(f"heldout_{n}"), s.mean(f"closed_{n}"))
            for n in ("both", "camera", "dagger")
        ],
    )
    s = claims.recorded("bc-compounding")
    ax = compounding.fig_compounding(s)[0].axes[0]
    marks = [line.get_ydata() for line in ax.lines[1::2]]
    for got, n in zip(
        marks, ("dagger_ladder", "clone_easy", "clone_ladder"), strict=True
    ):
        np.testing.assert_allclose(got, s[f"cost_{n}"].mean(axis=0))


def test_every_arm_has_the_labels_that_the_page_says(monkeypatch):
    rows, fit = [], driving.bc.fit
    monkeypatch.setattr(driving, "CARTS", 1)
    monkeypatch.setattr(driving, "HELD_OUT", 1)
    monkeypatch.setattr(
        driving.bc,
        "fit",
        lambda d, **o: rows.append(len(d)) or fit(d, **(o | {"updates": 1})),
    )
    driving.measure_crashes(0)
    assert rows == [3200, 800, 1600, 2400, 3200, 3200, 3200, 32000, 3200]


ROW = {
    "value": 0.5,
    "interval": (0.4, 0.6),
    "headline": "rate",
    "seeds": "1000–1019",
    "n": 20,
    "status": "ours",
}


def test_a_number_is_said_with_its_interval_and_seeds():
    assert ledger.said_number(ROW) == [
        "**0.5** (0.4 to 0.6)",
        "",
        "`rate`",
        "",
        "20 seeds, 1000–1019",
    ]
    assert ledger.said_number(ROW | {"interval": None, "seeds": "exact"})[-1] == "exact"
    assert ledger.said_number(ROW | {"value": None}) == ["not run yet"]
    assert ledger.said_number(ROW | {"value": None, "status": "cited"}) == [
        "not a measurement"
    ]
    assert ledger.MEANING["true"] == "it stands" and "not" in ledger.MEANING["FALSE"]


def plain(text):
    return "".join(c for c in text if c.isalnum())


def test_every_cell_of_the_ledger(book):
    for claim in claims.all_claims():
        cells = book["book/ledger"].find(id=f"claim-{claim.id}").find_parent("tr")("td")
        said = [plain(cell.get_text(" ")) for cell in cells]
        for i, words in ((2, claim.predicate), (3, claim.literature), (3, claim.note)):
            start = words.split("`")[0].split("$")[0].split("*")[0][:40]
            assert plain(start) in said[i], (claim.id, words)
        if claim.measure:
            assert "itstands" in said[4]


def test_one_chapter_is_built_alone(twins, monkeypatch):
    text, notebook = twins
    other = text.with_name("02_other.md")
    other.write_text(TEXT)
    before = notebook.read_bytes()
    text.write_text(TEXT.replace("# A page", "# New"))
    assert notebooks.main(["build", "02"]) == 0
    assert (
        notebook.read_bytes() == before
        and (notebook.parent / "02_other.ipynb").exists()
    )


def test_a_set_of_words_prints_alike_twice(twins):
    text, notebook = twins
    text.write_text(
        TEXT.replace("print(1 + 1, os", 'print({"a", "b", "c", "d", "e"}, os')
    )
    assert notebooks.main(["build"]) == 0
    first = notebook.read_bytes()
    assert notebooks.main(["build"]) == 0 and notebook.read_bytes() == first


def test_the_check_of_the_address_says_no(monkeypatch, capsys):
    assert address.main(["--check"]) == 0
    monkeypatch.setattr(address, "problems", lambda: ["README.md: wrong"])
    assert (
        address.main(["--check"]) == 1 and "README.md: wrong" in capsys.readouterr().out
    )


def test_the_cases_tell_with_and_without_recovery():
    cases = exercises.exercise("02.1").cases()
    assert {(c[2], c[1] > 5) for c in cases} == {
        (a, b) for a in (True, False) for b in (True, False)
    }


@pytest.mark.parametrize(
    "claim",
    [c for c in claims.all_claims() if isinstance(c.rtol, dict)],
    ids=lambda c: c.id,
)
def test_no_tolerance_accepts_nothing_at_all(claim):
    """A replayed zero must not count as the recorded sample (rare crashes excepted)."""
    s = claims.recorded(claim)
    for name, rule in claim.rtol.items():
        largest = np.abs(s[name]).max()
        if isinstance(rule, tuple) and largest > 0.03 and np.ptp(s[name]) > 0:
            assert rule[1] < largest / 2, name
