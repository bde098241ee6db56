"""The mechanism of claims, on planted claims; and every recorded claim of the book."""

import json
import subprocess
import sys
import textwrap
from importlib import import_module

import numpy as np
import pytest

import replays
from imitlib import claims
from imitlib.claims import Claim
from imitlib.fingerprint import fingerprint


def coin(seed):
    return {"heads": np.random.default_rng(seed).normal(1, 0.1), "curve": [1.0, 2.0 + seed]}


ROUNDS, MADE = (1, 2, 3), []


def draw(rng):
    MADE.append(rng.normal())
    return MADE[-1]


def rounds(seed):
    streams = np.random.default_rng(seed).spawn(len(ROUNDS))
    x = [draw(rng) for rng in streams]
    return {"heads": 2 + x[0], "x": x}


def planted(**changes):
    fields = dict(
        id="planted", chapter="99", statement="s", predicate="p", headline="heads",
        holds=lambda s: s.mean("heads") > 0.5, measure=coin, status="ours",
    )  # fmt: skip
    return Claim(**(fields | changes))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(claims, "FOLDER", tmp_path)
    monkeypatch.setattr(claims, "fingerprint", lambda f: "now")
    return tmp_path


def test_a_sweep_resumes_where_it_was_cut_off(folder):
    calls = []

    def cut(seed):
        calls.append(seed)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return coin(seed)

    with pytest.raises(KeyboardInterrupt):
        claims.sweep(planted(measure=cut), progress=False)
    with pytest.raises(ValueError, match=r"no sample for seeds \[1003"):
        claims.recorded(planted())
    claims.sweep(planted(measure=cut), progress=False)
    assert calls == [1000, 1001, 1002, 1003, *range(1003, 1010)]
    samples = claims.recorded(planted())
    np.testing.assert_allclose(samples["heads"], [coin(s)["heads"] for s in range(1000, 1010)])
    record = json.loads((folder / "planted.json").read_text())
    assert record["command"].endswith("--sweep planted") and record["source"] == "now"


def test_a_sweep_in_two_processes_takes_the_same_samples(folder):
    claims.sweep(planted(), n_jobs=2, progress=False)
    alone = claims.recorded(planted())
    claims.FOLDER.joinpath("planted.json").unlink()
    claims.sweep(planted(), progress=False)
    np.testing.assert_array_equal(alone["curve"], claims.recorded(planted())["curve"])


def test_a_changed_source_makes_the_sweep_due_and_is_taken_again(folder, monkeypatch):
    claims.sweep(planted(), progress=False)
    assert claims.row(planted())["state"] == "true"
    monkeypatch.setattr(claims, "fingerprint", lambda f: "later")
    assert claims.row(planted())["state"] == "due"
    claims.sweep(planted(measure=lambda seed: coin(seed + 1)), progress=False)
    assert claims.recorded(planted())["heads"][0] == pytest.approx(coin(1001)["heads"])


def test_a_false_predicate_is_shown_as_false(folder):
    false = planted(holds=lambda s: s.mean("heads") > 2)
    claims.sweep(false, progress=False)
    assert claims.row(false)["state"] == "FALSE"


def test_replay_finds_a_sample_that_does_not_come_out_again(folder):
    claims.sweep(planted(), progress=False)
    assert claims.differences(planted(), claims.replay(planted())) == []
    drifted = planted(measure=lambda s: coin(s) | {"heads": coin(s)["heads"] + 1e-3})
    assert "planted.heads" in claims.differences(drifted, claims.replay(drifted))[0]
    loose = planted(measure=drifted.measure, rtol={"heads": ("abs", 0.01)})
    assert claims.differences(loose, claims.replay(loose)) == []
    for measure, said in (
        (lambda s: {"heads": coin(s)["heads"]}, "planted.curve is no longer measured"),
        (lambda s: coin(s) | {"tails": 0.5}, "planted.tails is not in its record"),
    ):
        assert claims.differences(planted(), claims.replay(planted(measure=measure))) == [said]


def test_quantities_are_those_of_the_samples(folder):
    claim = planted(derive=lambda s: {"twice": 2 * s.mean("heads")})
    claims.sweep(claim, progress=False)
    got, heads = claims.quantities(claim), [coin(s)["heads"] for s in range(1000, 1010)]
    assert got["heads"] == pytest.approx(np.mean(heads))
    assert got["heads.min"] == pytest.approx(min(heads)) and got["n"] == 10
    assert got["curve.1"] == pytest.approx(2 + 1004.5)
    assert got["twice"] == pytest.approx(2 * np.mean(heads))
    assert got["heads.low"] < got["heads"] < got["heads.high"]


@pytest.mark.parametrize("bad", [{"status": "proved"}, {"seeds": (1, 2)}])
def test_a_claim_with_a_strange_status_or_few_seeds_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        planted(**bad)


# The fingerprint --------------------------------------------------------------------

PACKAGE = """
from imitlib_planted import other
from imitlib_planted.other import RATE

def measure(seed):
    '''Words.'''
    return helper(seed)

def helper(seed):
    return other.deep(seed) * RATE

def unrelated():
    return 1
"""
OTHER = """
RATE = 2

def deep(seed):
    # a comment
    return seed + 1
"""


def hash_of(tmp_path, package, other):
    folder = tmp_path / "imitlib_planted"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / "main.py").write_text(package)
    (folder / "other.py").write_text(other)
    code = """
        import imitlib.fingerprint as f
        f.PACKAGE = "imitlib_planted"
        from imitlib_planted.main import measure
        print(f.fingerprint(measure))
    """
    run = subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(code)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout


def test_the_fingerprint_follows_calls_and_constants_and_nothing_else(tmp_path):
    base = hash_of(tmp_path, PACKAGE, OTHER)
    same = [
        (PACKAGE.replace("Words.", "Other words."), OTHER),
        (PACKAGE.replace("return 1", "return 3"), OTHER),
        (PACKAGE, OTHER.replace("a comment", "another")),
        (PACKAGE, "\n\n" + OTHER),
    ]
    different = [
        (PACKAGE, OTHER.replace("seed + 1", "seed + 2")),
        (PACKAGE, OTHER.replace("RATE = 2", "RATE = 3")),
        (PACKAGE.replace("* RATE", "/ RATE"), OTHER),
    ]
    assert all(hash_of(tmp_path, *texts) == base for texts in same)
    assert all(hash_of(tmp_path, *texts) != base for texts in different)


def test_only_a_function_has_a_fingerprint():
    with pytest.raises(ValueError, match="function is 3"):
        fingerprint(3)


# The book's own claims --------------------------------------------------------------

ALL = claims.all_claims()


def test_every_claim_is_recorded_true_and_of_this_source():
    rows = [claims.row(claim) for claim in ALL]
    assert [(r["id"], r["state"]) for r in rows if r["state"] not in ("true", "not run")] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "claim",
    [c for c in ALL if c.measure and c.id not in replays.ELSEWHERE],
    ids=lambda c: c.id,
)
def test_a_recorded_seed_comes_out_again(claim):
    """The whole of it, or what `replays` names."""
    assert replays.differences(claim) == []


IN_PART = [
    {"FIRST": {"planted": (sys.modules[__name__], "ROUNDS", 2)}},
    {"CALLS": {"planted": (sys.modules[__name__], "draw", lambda rng: 7.0, {0, 1}, "x")},
     "SHORTER": {"planted": {"x": 2}}},
    {"CALLS": {"planted": (sys.modules[__name__], "draw", lambda rng: 7.0, {0}, "heads")}},
]  # fmt: skip


@pytest.mark.parametrize("part", IN_PART, ids=["rounds", "calls of a list", "one call"])
def test_a_replay_in_part_finds_what_has_changed_in_that_part(folder, monkeypatch, part):
    claims.sweep(planted(measure=rounds), progress=False)
    for name, value in part.items():
        monkeypatch.setattr(replays, name, value)
    MADE.clear()
    assert replays.differences(planted(measure=rounds)) == []
    assert 0 < len(MADE) < len(ROUNDS)
    drifted = planted(measure=lambda seed: rounds(seed + 1))
    assert "planted." in replays.differences(drifted)[0]


def test_every_claim_is_replayed_once():
    """In part, elsewhere, or whole and here."""
    known = {c.id for c in ALL if c.measure}
    named = [*replays.FIRST, *replays.CALLS, *replays.ELSEWHERE]
    assert set(named) <= known and len(set(named)) == len(named)
    for claim_id, where in replays.ELSEWHERE.items():
        assert claim_id in import_module(where).WHOLE


def test_the_command_line_prints_rows_and_fails_on_a_false_one(capsys, monkeypatch):
    assert claims.main(["--chapter", "02", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"id", "statement", "predicate", "value", "interval", "seeds", "status"} <= set(rows[0])
    monkeypatch.setattr(claims, "row", lambda c: rows[0] | {"state": "FALSE"})
    assert claims.main(["--chapter", "02"]) == 1
    with pytest.raises(SystemExit):
        claims.main(["--chapter", "77"])


def test_small_data():
    assert sum(p.stat().st_size for p in claims.FOLDER.glob("*.json")) < 2_000_000
