"""Inverse RL by causal entropy here and in `imitation` 1.0.1: the same result, then time.

    python tests/benchmarks/irl_vs_imitation.py [--quick] [--env _build/bench-env]

The script makes an environment with the peer in the --env folder (about 2 GB, once),
runs itself there with one thread, and prints tables in Markdown:

1. a reward inferred from exact visits of H steps, against `MCEIRL`;
2. larger worlds, without a horizon, ours alone, with memory;
3. a belief among many rewards, planned for together and one by one.

Both get the same square world, five random features of each cell, and the visits of
the soft policy under a true reward, so that both can reach the same end. The peer is at
its best: its transitions dense in float64, a linear reward in float64, no log, and the
learning rate of Adam that needs the fewest iterations, found beforehand; its default
stands beside it. Both stop when no cell's visits are further than 0.001 from those
that were shown: the peer by its own `linf_eps`, we by a gradient that small, which is
then checked. Before anything is timed, visits under one reward must agree. Times are
CPU times, the ways taking turns; the middle one of the runs and the range.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
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

CLOSE, FEATURES = 1e-3, 5  # visits
RATES = (0.03, 0.1, 0.3)
DEFAULT_RATE = 0.01


class Contest:
    """One world, one true reward, the visits of its soft policy."""

    def __init__(self, side: int, slip: float, horizon: int):
        import numpy as np
        from planning_costs import grid_world
        from seals.base_envs import TabularModelPOMDP

        from imitlib import planning

        rng = np.random.default_rng(1)
        self.world, self.horizon = grid_world(side, slip), horizon
        self.features = rng.normal(size=(side * side, FEATURES))
        self.true = 0.3 * rng.normal(size=FEATURES)
        reward = np.repeat((self.features @ self.true)[:, None], 5, axis=1)
        self.policy = planning.soft_backward_induction(
            self.world, horizon, reward=reward).policy
        self.env = TabularModelPOMDP(
            transition_matrix=self.world.dense(), observation_matrix=self.features,
            horizon=horizon, reward_matrix=reward[:, 0],
            initial_state_dist=self.world.start)
        self.visits = planning.occupancy(self.world, self.policy, horizon=horizon).sum(1)

    def check(self):
        """Visits of H steps under the true reward agree; theirs count one step more."""
        import numpy as np
        from imitation.algorithms.mce_irl import mce_occupancy_measures

        chances, self.shown = mce_occupancy_measures(self.env)
        np.testing.assert_allclose(chances[:-1].sum(axis=0), self.visits, rtol=1e-9)

    def ours(self):
        from imitlib.irl.causal_entropy import causal_entropy_irl

        return causal_entropy_irl(
            self.world, policy=self.policy, features=self.features, horizon=self.horizon,
            tol=CLOSE / 10 / self.horizon)

    def theirs(self, rate: float):
        """The trainer, how many iterations it took, and the visits it ended with."""
        import numpy as np
        import torch
        from imitation.algorithms.mce_irl import MCEIRL
        from imitation.rewards.reward_nets import RewardNet
        from imitation.util import logger

        contest = self

        class Linear(RewardNet):
            def __init__(self):
                spaces = contest.env.observation_space, contest.env.action_space
                super().__init__(*spaces, normalize_images=False)
                self.w = torch.nn.Parameter(torch.zeros(FEATURES, dtype=torch.float64))

            def forward(self, state, action, next_state, done):
                return state.double() @ self.w

            @property
            def dtype(self):
                return torch.float64

        trainer = MCEIRL(
            self.shown, self.env, Linear(), np.random.default_rng(0),
            optimizer_kwargs={"lr": rate}, linf_eps=CLOSE, grad_l2_eps=0.0,
            log_interval=None,
            custom_logger=logger.configure(tempfile.mkdtemp(), format_strs=[]))
        steps, step = [0], trainer._train_step

        def counted(*args):
            steps[0] += 1
            return step(*args)

        trainer._train_step = counted
        with contextlib.redirect_stdout(io.StringIO()):
            visits = trainer.train(max_iter=3000)
        return trainer, steps[0], visits


def against(cases, repeats: int) -> str:
    """A row for each (side, slip, horizon)."""
    import numpy as np

    from imitlib import planning

    rows, best = [], None
    for side, slip, horizon in cases:
        contest = Contest(side, slip, horizon)
        contest.check()
        if best is None:  # found in the first world, kept for the others
            best = min(RATES, key=lambda rate, c=contest: c.theirs(rate)[1])
        mine, (trainer, steps, ended) = contest.ours(), contest.theirs(best)
        visits = planning.occupancy(contest.world, mine.policy, horizon=horizon).sum(1)
        gaps = [np.abs(visits - contest.visits).max(), np.abs(ended - contest.shown).max()]
        policies = [mine.policy, trainer._policy.pi]
        errors = [np.abs(p - contest.policy).max() for p in policies]
        assert max(gaps) < CLOSE and max(errors) < 0.01, (gaps, errors)
        times = {"ours": [], "best": []}
        for _ in range(repeats):
            times["ours"].append(statistics.mean(seconds(contest.ours)[1] for _ in range(3)))
            times["best"].append(seconds(contest.theirs, best)[1])
        (_, slow, _), default = seconds(contest.theirs, DEFAULT_RATE)
        ratios = [b / a for a, b in zip(*times.values(), strict=True)]
        rows.append((
            f"slip {slip:g}" if slip else "deterministic", f"{side * side:,}", horizon,
            cell(times["ours"]), mine.iterations, cell(times["best"]),
            f"{steps} ({best:g})", f"{times_faster(*times.values()):.0f}",
            f"{min(ratios):.0f}–{max(ratios):.0f}",
            f"{default / statistics.median(times['ours']):.0f} ({slow})",
            f"{gaps[0]:.0e}, {gaps[1]:.0e}"))
    head = ("world", "S", "H", "imitlib (ms)", "iterations", "imitation, best (ms)",
            "iterations (rate)", "×", "× of single rounds", "× default (iterations)",
            "farthest visits, ours, theirs")
    return table(head, *rows)


def seconds(way, *arguments) -> tuple:
    """What one call gives, and its CPU seconds."""
    start = time.process_time()
    result = way(*arguments)
    return result, time.process_time() - start


def alone(side: int, slip: float) -> None:
    """One row of the large worlds; in a process of its own, for its memory."""
    import numpy as np
    from planning_costs import grid_world

    from imitlib import planning
    from imitlib.irl.causal_entropy import causal_entropy_irl

    rng = np.random.default_rng(1)
    world = grid_world(side, slip, discount=0.95)
    features, true = rng.normal(size=(side * side, FEATURES)), 0.3 * rng.normal(size=FEATURES)
    reward = np.repeat((features @ true)[:, None], 5, axis=1)
    policy = planning.soft_value_iteration(world, reward=reward).policy
    before = memory()
    start = time.process_time()
    found = causal_entropy_irl(world, policy=policy, features=features, tol=1e-8)
    seconds = time.process_time() - start
    assert np.abs(found.w - true).max() < 1e-4, found.w - true
    print("\x1f".join(map(str, (
        f"slip {slip:g}" if slip else "deterministic", f"{side * side:,}",
        f"{seconds:.3g}", found.iterations, f"{np.abs(found.w - true).max():.0e}",
        f"{before:.0f}", f"{memory():.0f}",
        f"{8 * 5 * side**4 / 1e9:,.3g}"))))


def memory() -> float:
    """The most memory that this process has held, in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(s for s in lines if s.startswith("VmHWM")).split()[1]) / 1024


def large(cases) -> str:
    head = ("world", "S", "seconds", "iterations", "largest error of a weight",
            "memory before (MiB)", "at its peak (MiB)", "a dense table alone (GB)")
    rows = []
    for side, slip in cases:
        out = subprocess.run([sys.executable, __file__, "--alone", f"{side},{slip}"],
                             check=True, capture_output=True, text=True).stdout
        rows.append(out.strip().split("\x1f"))
    return table(head, *rows)


def belief(numbers, repeats: int) -> str:
    """Many rewards planned for together, and one by one, with the same planner."""
    import numpy as np
    from planning_costs import grid_world

    from imitlib.irl.bayesian import log_likelihoods

    rows = []
    for side, n in numbers:
        rng = np.random.default_rng(1)
        world = grid_world(side, 0.1, discount=0.95)
        rewards = rng.normal(size=(n, side * side))
        demos = [(rng.integers(side * side, size=50), rng.integers(5, size=50))]

        def batch(w=world, r=rewards, d=demos):
            return log_likelihoods(w, r, d)

        def loop(w=world, r=rewards, d=demos):
            return np.concatenate([log_likelihoods(w, one[None], d) for one in r])

        np.testing.assert_allclose(batch(), loop(), atol=1e-6)
        times = taking_turns({"batch": batch, "loop": loop}, repeats)
        rows.append((side * side, n, *map(cell, times.values()),
                     f"{times_faster(*times.values()):.1f}"))
    return table(("S", "rewards", "together (ms)", "one by one (ms)", "×"), *rows)


def inside(quick: bool) -> None:
    repeats = 1 if quick else 3
    print(machine("imitation", "seals", "torch", "numpy", "scipy"), end="\n\n")
    cases = [(8, 0.0, 10)] if quick else [(20, 0.0, 50), (20, 0.1, 50), (32, 0.0, 50)]
    print(against(cases, repeats), end="\n\n", flush=True)
    sizes = [(20, 0.0)] if quick else [(100, 0.0), (100, 0.1), (316, 0.0)]
    print(large(sizes), end="\n\n", flush=True)
    print(belief([(6, 10)] if quick else [(6, 200), (20, 200), (50, 50)], repeats))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", type=Path, default=ENVIRONMENT)
    parser.add_argument("--quick", action="store_true", help="a smoke run")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        alone(int(given.alone.split(",")[0]), float(given.alone.split(",")[1]))
    elif given.inside:
        inside(given.quick)
    else:
        more = ["--quick"] if given.quick else []
        sys.exit(run_inside(__file__, given.env, *more))
