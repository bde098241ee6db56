"""What the benchmarks share: their environment, taking turns, and the table's words.

The peers need older packages than this library does and cannot share its environment,
so a benchmark makes one of its own, once (about 2 GB, by `uv` from the package index),
and runs itself there with one thread.
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "_build" / "bench-env"
NEEDS = ("imitation==1.0.1", "torch==2.13.0", "quantecon==0.11.4", "numba==0.68.1")
ONE_THREAD = {f"{library}_NUM_THREADS": "1"
              for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
SHORTEST = 0.05  # seconds: what takes less is repeated until a run lasts this long


def make_environment(folder: Path) -> Path:
    """The Python of an environment with the peers in it, made if it is not there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "done.txt"
    if not done.is_file() or done.read_text() != " ".join(NEEDS):
        print(f"Making {folder}, once.", flush=True)
        links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS", "")
        uv = [sys.executable, "-m", "uv"]
        env = os.environ | {"UV_FIND_LINKS": ",".join(links.split())}
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, folder],
                       check=True, env=env)
        subprocess.run([*uv, "pip", "install", "-q", "--python", python, *NEEDS],
                       check=True, env=env)
        done.write_text(" ".join(NEEDS))
    return python


def run_inside(script: str, folder: Path, *arguments: str) -> int:
    """Run `script --inside` with the environment's Python, one thread; its exit code."""
    python = make_environment(folder.resolve())
    env = os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([python, script, "--inside", *arguments], env=env).returncode


def taking_turns(ways: dict, repeats: int) -> dict[str, list[float]]:
    """CPU seconds of one call of each way, `repeats` times, the ways taking turns.

    Each is called once before (caches, compilation), and then as often in a run as
    lasts `SHORTEST`; every other round goes through the ways backwards.
    """
    calls, times = {}, {name: [] for name in ways}
    for name, way in ways.items():
        way()
        calls[name] = max(1, round(SHORTEST / max(_seconds(way, 1), 1e-6)))
    for turn in range(repeats):
        for name in list(ways)[:: -1 if turn % 2 else 1]:
            times[name].append(_seconds(ways[name], calls[name]))
    return times


def _seconds(way, calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        way()
    return (time.process_time() - start) / calls


def cell(seconds: list[float], unit: float = 1e3) -> str:
    """The middle one of the runs and the range, in milliseconds."""
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)

    def short(x):
        return f"{unit * x:.3g}" if unit * x < 100 else f"{unit * x:.0f}"

    return f"{short(middle)} ({short(low)}–{short(high)})"


def times_faster(ours: list[float], theirs: list[float]) -> float:
    """How many times as long they take: the ratio of the two medians."""
    return statistics.median(theirs) / statistics.median(ours)


def table(*rows) -> str:
    """A table in Markdown, the first row its head."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def machine(*packages: str) -> str:
    """The processor, and the versions of what ran on it."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(s.split(":")[1].strip() for s in lines if s.startswith("model name"))
    listed = ", ".join(f"{p} {version(p)}" for p in packages)
    return (f"{name}, {os.cpu_count()} CPUs, {platform.system()}, one thread; Python "
            f"{platform.python_version()}, {listed}")
