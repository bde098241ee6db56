"""Solving assistance games: every rule, plans, and plans at a few beliefs.

    python tests/benchmarks/cirl_solvers.py [--most 8] [--hers 3] [--largest SOLVER]

Random games of 2 states, 3 actions of each (or `--hers` of hers) and 3 steps, from
seed 0; the values must agree to 1e-9 before anything is printed. Times are CPU times
of one thread, the fastest of three; memory is the peak that `tracemalloc` counts, in a
run of its own. A *backup* of rules is one state, set of goals and step. With
`--largest`, that solver alone is given more and more goals, from 9 on, until it needs
more than 60 seconds.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc

import numpy as np
from bench_env import table

from imitlib.cirl.belief import given, subsets
from imitlib.cirl.game import random_game
from imitlib.cirl.plans import adapted
from imitlib.cirl.solvers import exhaustive

LIMIT, FEW = 60.0, 16


def some_game(goals: int, hers: int = 3):
    return random_game(np.random.default_rng(0), 2, hers, 3, goals, 3)


def few_points(game):
    """The prior and other reachable beliefs, 16 in all, from seed 1."""
    sets = subsets(game.n_goals)[1:]
    order = np.random.default_rng(1).permutation(len(sets) - 1)[: FEW - 1]
    return [given(game.prior, sets[k]) for k in (len(sets) - 1, *order)]


SOLVERS = {
    "every rule": exhaustive,
    "plans": adapted,
    "plans, 16 beliefs": lambda game: adapted(game, few_points(game)),
}


def timed(solve, game, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        found = solve(game)
        times.append(time.process_time() - start)
    return found, min(times)


def peak(solve, game) -> float:
    """Megabytes."""
    tracemalloc.start()
    solve(game)
    found = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return found


def by_size(most: int, hers: int) -> str:
    rows = []
    for goals in range(2, most + 1):
        game = some_game(goals, hers)
        runs = [timed(solve, game) for solve in SOLVERS.values()]
        memory = [peak(solve, game) for solve in SOLVERS.values()]
        (whole, slow), (plans, fast), (rough, rougher) = runs
        assert abs(whole.value - plans.value) < 1e-9
        assert -1e-9 <= whole.value - rough.value <= rough.bound + 1e-9
        backups = (2**goals - 1) * game.n_states * game.horizon
        rows.append((goals, f"{backups:,}", f"{whole.tried:,}", f"{1e3 * slow:.1f}",
                     f"{memory[0]:.2f}", f"{plans.tried:,}", f"{1e3 * fast:.1f}",
                     f"{memory[1]:.2f}", f"{slow / fast:.2f}", f"{1e3 * rougher:.1f}",
                     f"{abs(whole.value - rough.value):.3f} ≤ {rough.bound:.3f}"))
    head = ("goals", "backups of rules", "rules tried", "ms", "MB", "plans tried", "ms",
            "MB", "× time", "ms, 16 beliefs", "missing ≤ bound")
    return table(head, *rows)


def largest(name: str) -> str:
    """One row for each size, up to the first that takes too long."""
    rows, spent, goals = [], 0.0, 9
    while spent <= LIMIT:
        found, spent = timed(SOLVERS[name], some_game(goals), 1)
        rows.append((goals, f"{spent:.1f}", f"{found.tried:,}"))
        goals += 1
    return table(("goals", f"{name}, seconds", "tried"), *rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--hers", type=int, default=3)
    parser.add_argument("--largest", choices=SOLVERS)
    args = parser.parse_args()
    print(largest(args.largest) if args.largest else by_size(args.most, args.hers))
