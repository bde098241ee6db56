"""Planning here, in `imitation` and in QuantEcon: first the same result, then time.

    python tests/benchmarks/planning_vs_peers.py [--quick] [--env _build/bench-env]

The script makes an environment with the peers in the --env folder (about 2 GB, once),
runs itself there with one thread, and prints tables in Markdown:

1. soft planning and occupancies over H steps, against `imitation`;
2. how time and memory grow with the world;
3. how far that is from what numpy, and memory, allow;
4. hard planning at discount 0.95, against QuantEcon;
5. importing.

Peers are at their best: everything built and compiled beforehand; dense float64
transitions for `imitation`, whose own worlds hold float32 and cost it more; for
QuantEcon the sparse formulation with 32-bit indices, and a result without the Markov
chain that it adds to each solution. Both are asked for the same as we are, and must
give it, before anything is timed. Times are CPU times, the ways taking turns; the
middle one of the runs and the range.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
from pathlib import Path

from bench_env import (
    ENVIRONMENT,
    cell,
    machine,
    run_inside,
    table,
    taking_turns,
    times_faster,
)

TOL = 1e-6  # largest error of a value in hard planning


# Soft planning, against imitation ---------------------------------------------------


def soft(cases, repeats: int) -> str:
    """A row for each (side, slip, horizon, dtype of the peer's transitions)."""
    head = ("world", "S", "H", "peer's transitions", "imitlib (ms)", "imitation (ms)",
            "×", "× of single rounds")
    return table(head, *(soft_row(*case, repeats) for case in cases))


def soft_row(side: int, slip: float, horizon: int, dtype: str, repeats: int) -> tuple:
    import numpy as np
    from imitation.algorithms.mce_irl import mce_occupancy_measures, mce_partition_fh
    from planning_costs import grid_world
    from seals.base_envs import TabularModelMDP

    from imitlib import planning

    world = grid_world(side, slip)
    peers = TabularModelMDP(
        transition_matrix=world.dense().astype(dtype), horizon=horizon,
        reward_matrix=world.reward[:, 0], initial_state_dist=world.start)

    def ours():
        plan = planning.soft_backward_induction(world, horizon)
        return plan, planning.occupancy(world, plan.policy, horizon=horizon)

    def theirs():
        values, _, policy = mce_partition_fh(peers)
        return values, mce_occupancy_measures(peers, pi=policy)[0]

    (plan, visits), (values, chances) = ours(), theirs()
    close = {"rtol": 1e-10 if dtype == "float64" else 1e-4}
    np.testing.assert_allclose(plan.values, values, **close)
    # they count one step more than there are rewards, so the last is left out
    np.testing.assert_allclose(visits.sum(1), chances[:horizon].sum(0), **close)

    times = taking_turns({"ours": ours, "theirs": theirs}, repeats)
    ratios = [b / a for a, b in zip(*times.values(), strict=True)]
    return (kind(slip), f"{world.n_states:,}", horizon, dtype,
            *map(cell, times.values()), f"{times_faster(*times.values()):.0f}",
            f"{min(ratios):.0f}–{max(ratios):.0f}")


def kind(slip: float) -> str:
    return f"slip {slip:g}" if slip else "deterministic"


# Hard planning, against QuantEcon ---------------------------------------------------


def hard(cases, repeats: int) -> str:
    """A row for each (side, slip): modified policy iteration, and what else there is."""
    head = ("world", "S", "imitlib MPI (ms)", "QuantEcon MPI (ms)", "×", "imitlib VI",
            "QuantEcon VI", "QuantEcon PI", "building, ours, theirs")
    return table(head, *(hard_row(*case, repeats) for case in cases))


def hard_row(side: int, slip: float, repeats: int) -> tuple:
    import numpy as np
    from planning_costs import ACTIONS, grid_world
    from quantecon.markov import DiscreteDP
    from scipy import sparse

    from imitlib import planning

    class Bare(DiscreteDP):
        def controlled_mc(self, sigma):
            """Leave out the chain that comes with every solution: nobody asked."""

    def build():
        n, matrix = world.n_states, world.matrix
        short = sparse.csr_array((matrix.data, matrix.indices.astype(np.int32),
                                  matrix.indptr.astype(np.int32)), matrix.shape)
        return Bare(world.reward.ravel(), short, world.discount,
                    np.repeat(np.arange(n), ACTIONS), np.tile(np.arange(ACTIONS), n))

    def ours(planner=planning.modified_policy_iteration):
        return planner(world, tol=TOL)

    def theirs(method="modified_policy_iteration"):
        # epsilon / 2 is the error of a value that they guarantee
        return peer.solve(method, epsilon=2 * TOL, max_iter=100_000)

    world = grid_world(side, slip, discount=0.95)
    peer = build()
    build_times = taking_turns(
        {"ours": lambda: grid_world(side, slip, discount=0.95)._by_action,
         "theirs": build}, repeats)

    exact = theirs("policy_iteration")
    for plan in (ours(), ours(planning.value_iteration)):
        assert plan.bound <= TOL and np.abs(plan.values - exact.v).max() <= TOL
        assert (plan.policy.argmax(axis=1) == exact.sigma).all()
    for found in (theirs(), theirs("value_iteration")):
        assert np.abs(found.v - exact.v).max() <= TOL
        assert (found.sigma == exact.sigma).all()

    times = taking_turns({
        "ours": ours, "theirs": theirs,
        "our vi": lambda: ours(planning.value_iteration),
        "vi": lambda: theirs("value_iteration"),
        "pi": lambda: theirs("policy_iteration")}, repeats)
    middle = {k: f"{1e3 * statistics.median(v):.3g}" for k, v in times.items()}
    built = [f"{1e3 * statistics.median(v):.2g}" for v in build_times.values()]
    return (kind(slip), f"{world.n_states:,}", cell(times["ours"]), cell(times["theirs"]),
            f"{times_faster(times['ours'], times['theirs']):.2f}",
            *(middle[k] for k in ("our vi", "vi", "pi")), ", ".join(built))


# Importing --------------------------------------------------------------------------


def importing(repeats: int) -> str:
    """Seconds on the clock to import each module in a fresh interpreter."""
    modules = ("imitlib", "imitlib.planning", "imitation.algorithms.mce_irl")
    times = {module: [] for module in modules}
    torch = {}
    for run in range(repeats + 1):  # the first fills the caches
        for module in modules:
            code = ("import sys, time; start = time.perf_counter(); "
                    f"import {module}; print(time.perf_counter() - start, "
                    "'torch' in sys.modules)")
            said = subprocess.run([sys.executable, "-W", "ignore", "-c", code],
                                  check=True, capture_output=True, text=True).stdout
            seconds, torch[module] = said.split()[-2:]
            if run:
                times[module].append(float(seconds))
    assert torch["imitlib"] == torch["imitlib.planning"] == "False"
    return table(("import", "seconds", "torch in sys.modules"),
                 *((f"`{m}`", cell(times[m], unit=1), torch[m]) for m in modules))


def compare(quick: bool) -> None:
    import torch
    from planning_costs import growth, limits

    torch.set_num_threads(1)
    repeats = 2 if quick else 7
    grids = ((20, 0, 50, "float64"), (32, 0, 50, "float64"), (50, 0, 50, "float64"),
             (20, 0.1, 100, "float64"), (32, 0.1, 100, "float64"),
             (32, 0, 50, "float32"))
    print(machine("imitation", "seals", "quantecon", "numba", "numpy", "scipy") + ".")
    print(f"Median of {repeats} runs (range).", flush=True)
    with contextlib.suppress(BrokenPipeError):
        for title, make in (
                ("Soft planning and occupancies",
                 lambda: soft(grids[:1] if quick else grids, repeats)),
                ("Growth, deterministic",
                 lambda: growth((30, 50, 100) if quick else (100, 178, 316, 562, 1000),
                                0, 10, repeats)),
                ("Growth, slip 0.1",
                 lambda: growth((30, 50, 70) if quick else (100, 178, 316), 0.1, 10,
                                repeats)),
                ("Distance from the limit, H = 50",
                 lambda: limits((32,) if quick else (32, 100, 316), 50, repeats)),
                ("Hard planning, discount 0.95",
                 lambda: hard(((32, 0),) if quick else (
                     (32, 0), (100, 0), (32, 0.1), (100, 0.1)), repeats)),
                ("Importing", lambda: importing(repeats))):
            print(f"\n### {title}\n\n{make()}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, default=ENVIRONMENT)
    parser.add_argument("--quick", action="store_true", help="small worlds, two runs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        compare(chosen.quick)
    else:
        sys.exit(run_inside(__file__, chosen.env, *["--quick"] * chosen.quick))
