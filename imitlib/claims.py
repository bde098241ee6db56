"""The mechanism of claims: a statement, an experiment, and a predicate that can fail.

    python -m imitlib.claims                     every claim, its number, true or false
    python -m imitlib.claims --sweep [ID ...]    take the samples that are missing or stale
                             --jobs N            in N processes (-1: one for each core)
    python -m imitlib.claims --replay [ID ...]   take two recorded seeds again and compare

The claims themselves live with their chapters, in ``imitlib.chapters``.
Recorded samples are small JSON files beside this module, one per claim.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from imitlib.experiments import Samples, bar, interval, over_seeds, stack
from imitlib.fingerprint import fingerprint

__all__ = ["Claim", "all_claims", "find", "quantities", "recorded", "replay", "row", "sweep"]

STATUSES = ("theorem", "reproduced", "ours", "cited", "forecast", "did not reproduce")
FOLDER = Path(__file__).parent / "data" / "claims"


@dataclass(frozen=True)
class Claim:
    """One row of the book's ledger.

    Attributes
    ----------
    id, chapter : str
        Such as ``"bc-compounding"`` and ``"02"``.
    statement, predicate : str
        What is claimed, and in words what must come out for it to stand.
    holds : callable
        Samples -> bool: the predicate itself.
    measure : callable or None
        seed -> {name: number or list}. None for a row that is only cited or forecast.
    headline : str
        The quantity that is shown as *the* number.
    status : str
        One of theorem, reproduced, ours, cited, forecast, did not reproduce.
    papers : tuple of str
        Keys of the bibliography. `literature` says what they report.
    source : str
        ``[A]`` or ``[R]``, the source text that asserts it, or empty.
    seeds : tuple of int
        Fixed before the run. Ignored where `exact`.
    derive : callable or None
        Samples -> {name: number}: values of the whole set, such as a fitted slope.
    exact : bool
        No randomness: the measure is run whole whenever it is asked for.
    rtol : float or dict
        How closely a recorded seed must come out again, on any machine: a relative
        tolerance, or one per quantity, where ``("abs", x)`` is an absolute one.
    """

    id: str
    chapter: str
    statement: str
    predicate: str
    holds: Callable[[Samples], bool]
    measure: Callable[[int], Mapping[str, object]] | None
    headline: str
    status: str
    papers: tuple[str, ...] = ()
    literature: str = ""
    source: str = ""
    seeds: tuple[int, ...] = field(default_factory=lambda: tuple(range(1000, 1010)))
    derive: Callable[[Samples], Mapping[str, float]] | None = None
    exact: bool = False
    rtol: float | Mapping[str, object] = 1e-6
    note: str = ""

    def __post_init__(self):
        if self.status not in STATUSES:
            raise ValueError(f"status is {self.status!r}; legal: {', '.join(STATUSES)}")
        object.__setattr__(self, "seeds", (0,) if self.exact else tuple(self.seeds))
        if self.measure and not self.exact and len(self.seeds) < 10:
            raise ValueError(f"seeds has {len(self.seeds)} of them; a claim needs at least 10")


def all_claims(chapter: str | None = None) -> list[Claim]:
    """Every claim of the book, or of one chapter, in reading order."""
    import imitlib.chapters as chapters

    names = sorted(m.name for m in pkgutil.iter_modules(chapters.__path__))
    modules = [import_module(f"imitlib.chapters.{name}") for name in names]
    claims = [claim for module in modules for claim in getattr(module, "CLAIMS", ())]
    ids = [claim.id for claim in claims]
    if len(set(ids)) < len(ids):
        raise ValueError(f"two claims share an id: {sorted({i for i in ids if ids.count(i) > 1})}")
    known = sorted({claim.chapter for claim in claims})
    if chapter is not None and chapter not in known:
        raise ValueError(f"chapter is {chapter!r}; chapters with claims: {', '.join(known)}")
    return [claim for claim in claims if chapter in (None, claim.chapter)]


def find(claim_id: str) -> Claim:
    """The claim of that id."""
    claims = {claim.id: claim for claim in all_claims()}
    if claim_id not in claims:
        raise ValueError(f"claim_id is {claim_id!r}; there are {', '.join(claims)}")
    return claims[claim_id]


# Recorded samples -------------------------------------------------------------------


def _read(claim: Claim) -> dict:
    path = FOLDER / f"{claim.id}.json"
    empty = {"id": claim.id, "source": None, "samples": {}}
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else empty


def _write(claim: Claim, record: dict) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{claim.id}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, path)  # a sweep that is interrupted loses nothing


def _plain(row: Mapping[str, object]) -> dict:
    """Twelve digits are kept: more would only be the rounding of one machine."""

    def short(x):
        return [short(y) for y in x] if isinstance(x, list) else float(f"{x:.12g}")

    return {name: short(np.asarray(value, float).tolist()) for name, value in row.items()}


def recorded(claim: Claim | str) -> Samples:
    """The recorded samples of a claim; an exact one is computed here and now.

    Raises
    ------
    ValueError
        If a seed has not been measured yet.
    """
    claim = find(claim) if isinstance(claim, str) else claim
    if claim.measure is None:
        return Samples((), {})
    if claim.exact:
        return replay(claim, claim.seeds)
    rows = _read(claim)["samples"]
    missing = [seed for seed in claim.seeds if str(seed) not in rows]
    if missing:
        raise ValueError(
            f"{claim.id} has no sample for seeds {missing}; "
            f"run python -m imitlib.claims --sweep {claim.id}"
        )
    return stack({seed: rows[str(seed)] for seed in claim.seeds})


def due(claim: Claim) -> bool:
    """Whether the recorded samples are missing or describe another source."""
    if claim.measure is None or claim.exact:
        return False
    record = _read(claim)
    complete = all(str(seed) in record["samples"] for seed in claim.seeds)
    return not complete or record["source"] != fingerprint(claim.measure)


def sweep(claim: Claim, *, n_jobs: int = 1, progress: bool = True) -> None:
    """Measure every seed that is missing; samples of an older source are taken again.

    The runs go through joblib, as those of `over_seeds`; each sample is kept as soon as
    it and those before it are there.
    """
    from joblib import Parallel, delayed

    if claim.measure is None or claim.exact:
        return
    now, record = fingerprint(claim.measure), _read(claim)
    rows = record["samples"] if record["source"] == now else {}
    command = f"python -m imitlib.claims --sweep {claim.id}"
    missing = [seed for seed in claim.seeds if str(seed) not in rows]
    runs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(claim.measure)(seed) for seed in missing
    )
    for seed, sample in zip(bar(missing, show=progress, label=claim.id), runs, strict=True):
        rows[str(seed)] = _plain(sample)
        rows = {key: rows[key] for key in sorted(rows, key=int)}
        record = {"id": claim.id, "command": command, "source": now, "samples": rows}
        _write(claim, record)


def replay(claim: Claim, seeds: Iterable[int] | None = None) -> Samples:
    """Measure some seeds afresh; nothing is written. By default two recorded ones."""
    seeds = tuple(seeds) if seeds is not None else claim.seeds[:2]
    return over_seeds(claim.measure, seeds, progress=False)


def differences(claim: Claim, fresh: Samples) -> list[str]:
    """Where fresh samples leave the recorded ones by more than the claim's tolerance."""
    old = recorded(claim).subset(fresh.seeds)
    apart = sorted(set(old.values) ^ set(fresh.values))
    wrong = [f"{claim.id}.{name} is "
             + ("no longer measured" if name in old.values else "not in its record")
             for name in apart]  # fmt: skip
    for name in sorted(set(fresh.values) - set(apart)):
        rule = claim.rtol.get(name, 1e-6) if isinstance(claim.rtol, Mapping) else claim.rtol
        rtol, atol = (0.0, rule[1]) if isinstance(rule, tuple) else (rule, 1e-9)
        if not np.allclose(fresh[name], old[name], rtol=rtol, atol=atol, equal_nan=True):
            gap = np.nanmax(np.abs(fresh[name] - old[name]))
            wrong.append(f"{claim.id}.{name} differs from its record by {gap:.3g}")
    return wrong


# What the ledger and the prose say --------------------------------------------------


def quantities(claim: Claim) -> dict[str, float]:
    """Every number that prose may cite, by the name of its marker.

    A scalar ``x`` gives ``x`` (the mean), ``x.low``, ``x.high`` (95 % interval),
    ``x.min``, ``x.max``; a list gives ``x.0``, ``x.1``, ... (means); a derived value
    its own name; ``n`` is the number of seeds.
    """
    return _quantities(claim, recorded(claim))


def _quantities(claim: Claim, samples: Samples) -> dict[str, float]:
    out = {}
    for name, value in samples.values.items():
        if value.ndim == 1:
            if np.isfinite(value).all():
                i = interval(value)
                out |= {name: i.mean, f"{name}.low": i.low, f"{name}.high": i.high}
            out |= {f"{name}.min": float(value.min()), f"{name}.max": float(value.max())}
        elif value.ndim == 2:
            out |= {f"{name}.{k}": float(m) for k, m in enumerate(value.mean(axis=0))}
    out |= {k: float(v) for k, v in (claim.derive(samples) if claim.derive else {}).items()}
    return out | {"n": len(samples)}


def row(claim: Claim) -> dict:
    """One row of the ledger, ready to print; `state` is true, FALSE, due or not run."""
    out = {
        "id": claim.id, "chapter": claim.chapter, "statement": claim.statement,
        "predicate": claim.predicate, "headline": claim.headline, "value": None,
        "interval": None, "n": 0, "seeds": "", "status": claim.status,
        "literature": claim.literature, "papers": claim.papers,
        "source": claim.source, "note": claim.note, "state": "not run",
    }  # fmt: skip
    if claim.measure is None:
        return out
    try:
        samples = recorded(claim)
        numbers = _quantities(claim, samples)
    except ValueError:
        return out | {"state": "due"}
    low, high = (numbers.get(f"{claim.headline}.{end}", math.nan) for end in ("low", "high"))
    exact = claim.exact or not math.isfinite(low)
    seeds = "exact" if claim.exact else f"{claim.seeds[0]}–{claim.seeds[-1]}"
    state = str(bool(claim.holds(samples))).replace("False", "FALSE").lower()
    state = "FALSE" if state == "false" else state
    return out | {
        "value": numbers[claim.headline],
        "interval": None if exact else (low, high),
        "n": int(numbers["n"]),
        "seeds": seeds,
        "state": "due" if state == "true" and due(claim) else state,
    }


def main(argv: list[str] | None = None) -> int:
    """The command line; 1 where a predicate is false or a sample is due."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks: one thread is fastest
    parser = argparse.ArgumentParser(prog="python -m imitlib.claims", description=__doc__)
    parser.add_argument("--chapter", help="two digits, such as 02")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--sweep", nargs="*", metavar="ID", help="take missing samples")
    parser.add_argument("--jobs", type=int, default=1, help="processes of a sweep")
    parser.add_argument("--replay", nargs="*", metavar="ID", help="compare two seeds")
    args = parser.parse_args(argv)
    try:
        claims = all_claims(args.chapter)
        names = args.sweep or args.replay or []
        if names:
            claims = [find(name) for name in names]
    except ValueError as error:
        parser.error(str(error))
    if args.sweep is not None:
        for claim in claims:
            sweep(claim, n_jobs=args.jobs)
    if args.replay is not None:
        wrong = [d for c in claims if c.measure for d in differences(c, replay(c))]
        print("\n".join(wrong) or f"{len(claims)} claims replayed: every sample as recorded")
        return bool(wrong)
    rows = [row(claim) for claim in claims]
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        print(_table(rows))
    return int(any(r["state"] in ("FALSE", "due") for r in rows))


def _table(rows: list[dict]) -> str:
    lines = []
    for r in rows:
        value = "" if r["value"] is None else f"{r['value']:.3g}"
        if r["interval"]:
            value += " [{:.3g}, {:.3g}]".format(*r["interval"])
        lines.append(f"{r['id']:<28} {r['state']:<8} {value:<26} {r['seeds']:<11} {r['status']}")
        lines += [f"    {r['statement']}", f"    holds if: {r['predicate']}"]
    return "\n".join(lines)


if __name__ == "__main__":
    from imitlib import claims  # one copy of this module, however it was started

    sys.exit(claims.main())
