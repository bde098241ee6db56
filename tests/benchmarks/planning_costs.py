"""What planning costs as the world grows, and how much less would be possible.

Run by `planning_vs_peers.py`. A *transition* is one possible outcome of one action in
one state: S·A of them where all is certain, up to S·A·A in the slippery grid.
"""

from __future__ import annotations

import statistics
import tracemalloc

import numpy as np
from bench_env import cell, table, taking_turns
from scipy import sparse

from imitlib import planning
from imitlib.mdp import MDP

ACTIONS = 5  # stay, up, down, left, right


def grid_world(side: int, slip: float = 0.0, discount: float = 1.0) -> MDP:
    """A square grid; each cell pays a random amount; the start is anywhere.

    With probability `slip` the action is replaced by one of the five at random.
    """
    cells = np.arange(side * side)
    row, column = np.divmod(cells, side)
    successors = np.stack([
        cells,
        np.where(row > 0, cells - side, cells),
        np.where(row < side - 1, cells + side, cells),
        np.where(column > 0, cells - 1, cells),
        np.where(column < side - 1, cells + 1, cells)], axis=1)
    reward = np.random.default_rng(0).normal(size=len(cells))
    anywhere = np.full(len(cells), 1 / len(cells))
    if slip == 0:
        return MDP(successors, reward, discount, anywhere)
    chances = (1 - slip) * np.eye(ACTIONS) + slip / ACTIONS  # of each move, by action
    rows = np.repeat(np.arange(successors.size), ACTIONS)
    matrix = sparse.csr_array(
        (np.tile(chances.ravel(), len(cells)),
         (rows, np.repeat(successors, ACTIONS, axis=0).ravel())),
        shape=(successors.size, len(cells)))
    return MDP(matrix, reward, discount, anywhere)


# Cost against size ------------------------------------------------------------------


def growth(sides, slip: float, horizon: int, repeats: int) -> str:
    """Time of a sweep and memory against the number of transitions, as a table."""
    rows, fastest = zip(*(_growth_row(side, slip, horizon, repeats) for side in sides))
    counts, finite, endless = zip(*fastest)
    head = ("S", "transitions", f"sweep, H = {horizon} (ms)", "ns each",
            "sweep, no horizon (ms)", "ns each", "world (B)", "peak, no horizon (B)",
            f"peak, H = {horizon} (B)")
    fits = ["{:.3f} ± {:.3f}".format(*exponent(counts, t)) for t in (finite, endless)]
    return (f"{table(head, *rows)}\n\nExponent of time in the number of transitions: "
            f"{fits[0]} with the horizon, {fits[1]} without (± one standard error); it, "
            "and ns for each transition, from the fastest run. Bytes are for each "
            "transition; the second term is the policy, H·S·A numbers.")


def _growth_row(side, slip, horizon, repeats):
    """A row of the table; and (transitions, seconds with a horizon, and without)."""
    def finite():
        return planning.soft_backward_induction(world, horizon)

    def endless():
        return planning.soft_value_iteration(world, tol=1e-4)

    tracemalloc.start()
    world = grid_world(side, slip, discount=0.5)
    sweeps = endless().sweeps + 1  # one more for the policy
    held, _ = tracemalloc.get_traced_memory()
    peaks = _peak(finite), _peak(endless)
    tracemalloc.stop()
    n, policy = world.matrix.nnz, horizon * world.n_states * ACTIONS * 8
    times = taking_turns({"finite": finite, "endless": endless}, repeats)
    a = [t / horizon for t in times["finite"]]
    b = [t / sweeps for t in times["endless"]]
    return ((f"{world.n_states:,}", f"{n:,}",
             cell(a), f"{1e9 * min(a) / n:.2f}", cell(b), f"{1e9 * min(b) / n:.2f}",
             f"{held / n:.0f}", f"{peaks[1] / n:.0f}",
             f"{(peaks[0] - policy) / n:.0f} + {policy / n:.0f}"),
            (n, min(a), min(b)))


def _peak(call) -> int:
    """Bytes allocated at the worst moment of a call, over what was held before it."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    call()
    return tracemalloc.get_traced_memory()[1] - before


def exponent(sizes, seconds) -> tuple[float, float]:
    """The slope of log time against log size by least squares, and its standard error."""
    x, y = np.log(sizes), np.log(seconds)
    if len(x) < 3:
        return np.polyfit(x, y, 1)[0], float("nan")
    (slope, _), covariance = np.polyfit(x, y, 1, cov="unscaled")
    residual = y - np.polyval(np.polyfit(x, y, 1), x)
    return slope, float(np.sqrt(covariance[0, 0] * (residual**2).sum() / (len(x) - 2)))


# Distance from the limit ------------------------------------------------------------


def limits(sides, horizon: int, repeats: int) -> str:
    """Soft backward induction against its array operations alone, and its bytes."""
    rows, parts = zip(*(_limits_row(side, horizon, repeats) for side in sides))
    head = ("S", "measured (ms)", "its operations alone (ms)", "×", "copying (GB/s)",
            "its bytes at that speed (ms)", "×")
    return (f"{table(head, *rows)}\n\nNanoseconds for each (state, action) and step:\n\n"
            + table(("S", *parts[0]), *([row[0], *part.values()]
                                        for row, part in zip(rows, parts))))


def _limits_row(side, horizon, repeats):
    """A row of the table; and what each operation takes."""
    world = grid_world(side)
    operations, copy = _operations(world, horizon)
    times = taking_turns(
        {"all": lambda: planning.soft_backward_induction(world, horizon), "copy": copy}
        | operations, repeats)
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    alone = sum(middle[name] for name in operations)
    n = world.reward.size
    speed = 2 * 8 * horizon * n / middle["copy"]
    # at least: read a successor and a reward, write a probability; read and write a
    # value for each state
    least = horizon * (3 * 8 * n + 2 * 8 * world.n_states) / speed
    row = (f"{world.n_states:,}", cell(times["all"]), f"{1e3 * alone:.3g}",
           f"{middle['all'] / alone:.2f}", f"{speed / 1e9:.0f}", f"{1e3 * least:.3g}",
           f"{middle['all'] / least:.1f}")
    return row, {k: f"{1e9 * middle[k] / horizon / n:.2f}" for k in operations}


def _operations(world, horizon):
    """The array operations of H soft backups, each alone: {name: call}, and a copy.

    As in the backup, `take` writes into memory that is new to each call, and the others
    work on what was touched last.
    """
    shape = (ACTIONS, world.n_states)
    successors = np.ascontiguousarray(world.transitions.T)
    rng = np.random.default_rng(0)
    q, out = rng.uniform(-3, 0, shape), np.ones(shape)
    values, result = rng.normal(size=(2, world.n_states))
    total = np.ones(world.n_states)
    old, new = np.ones((2, horizon, *shape))

    def each_step(operation):
        def steps():
            for _ in range(horizon):
                operation()
        return steps

    def take():
        for row in np.empty((horizon, *shape)):
            np.take(values, successors, out=row, mode="clip")

    return {
        "take": take,
        "add": each_step(lambda: np.add(q, q, out=out)),
        "max": each_step(lambda: q.max(axis=0)),
        "subtract": each_step(lambda: np.subtract(q, values, out=out)),
        "exp": each_step(lambda: np.exp(q, out=out)),
        "sum": each_step(lambda: q.sum(axis=0)),
        "divide": each_step(lambda: np.divide(q, total, out=out)),
        "log, add": each_step(lambda: np.add(np.log(total, out=result), values,
                                             out=result)),
    }, lambda: np.copyto(new, old)
