"""Behavioral cloning here and in `imitation` 1.0.1: first the same result, then time.

    python tests/benchmarks/bc_vs_imitation.py [--env _build/bench-env] [--repeats 5]

`imitation` needs gymnasium 0.29 and cannot share an environment with this library's
own, so the script makes one in the --env folder (about 2 GB), runs itself there and
prints a table in Markdown. It needs `uv` and the package index, once.

The same for both: 20 000 decisions of a scripted CartPole expert, standardised; one
network of two hidden layers of 32 tanh units and its first weights; minibatches in the
same order; Adam with learning rate 0.001; the loss is the negative log likelihood
(the peer's entropy bonus, 0.001 by default, is set to 0). The weights after 200
updates must agree before anything is timed. Times are CPU times of a single thread,
the three ways of training taking turns; the middle one of the runs and the range.

The peer's *default* is what its documentation shows. Its *best* is the fastest that
its own arguments allow: batches indexed from arrays in memory in place of a
DataLoader, fused Adam, no hidden layers for the value function, no log, no bar.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from pathlib import Path

from bench_env import ENVIRONMENT, machine, run_inside

PAIRS, HIDDEN, LR, CHECKED = 20_000, (32, 32), 1e-3, 200


class Shuffled:
    """Minibatches in the order in which `bc.fit` draws them from the same seed."""

    def __init__(self, x, y, batch, seed):
        import numpy as np

        self.x, self.y, self.batch = x, y, batch
        self.rng = np.random.default_rng(seed)
        self.rng.integers(2**63)  # fit draws the seed of the weights first

    def __iter__(self):
        import torch

        order = torch.from_numpy(self.rng.permutation(len(self.x)))
        rows = order[: len(order) // self.batch * self.batch].split(self.batch)
        for chosen in reversed(rows):
            yield {"obs": self.x[chosen], "acts": self.y[chosen]}


class Contest:
    """One data set, one first network, three ways of training it."""

    def __init__(self):
        import gymnasium
        import numpy as np
        import torch
        from imitation.data.types import Transitions

        from imitlib import bc
        from imitlib.demonstrations import Demonstrations, record

        def expert(o):
            lean = o[:, 2] + 0.3 * o[:, 3] + 0.05 * o[:, 0] + 0.1 * o[:, 1]
            return (lean > 0).astype(int)

        def shaky(action, rng):
            return rng.integers(2) if rng.random() < 0.2 else action

        rng = np.random.default_rng(0)
        self.env = gymnasium.make("CartPole-v1")
        raw = record(self.env, expert, 80, rng, noise=shaky)
        assert len(raw) >= PAIRS, len(raw)
        x = raw.observations[:PAIRS].astype(np.float64)
        x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
        self.demos = Demonstrations(x, raw.actions[:PAIRS], raw.episodes[:PAIRS])
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(self.demos.actions)
        torch.manual_seed(0)
        self.first = bc.mlp(4, HIDDEN, 2)
        nothing = np.array([{}] * PAIRS)  # the peer's record of each step's info
        self.transitions = Transitions(
            obs=x, acts=self.demos.actions, infos=nothing, next_obs=x,
            dones=np.zeros(PAIRS, dtype=bool))

    def ours(self, batch, updates, seed=1):
        import numpy as np

        from imitlib import bc

        rng = np.random.default_rng(seed)
        start = time.process_time()
        clone = bc.fit(self.demos, network=self.first, updates=updates, batch=batch,
                       lr=LR, rng=rng)
        return clone, time.process_time() - start

    def peer(self, batch, updates, seed=1, best=False, ordered=False):
        import numpy as np
        import torch
        from imitation.algorithms import bc
        from stable_baselines3.common.policies import ActorCriticPolicy

        space = self.env.observation_space
        net = {"pi": list(HIDDEN), "vf": []} if best else list(HIDDEN)
        policy = ActorCriticPolicy(space, self.env.action_space, lambda _: 1.0, net)
        layers = [*policy.mlp_extractor.policy_net, policy.action_net]
        for mine, theirs in zip(self.first, layers, strict=True):
            theirs.load_state_dict(mine.state_dict())
        in_memory = Shuffled(self.x, self.y, batch, seed)
        with contextlib.redirect_stdout(io.StringIO()):
            with contextlib.redirect_stderr(io.StringIO()):
                trainer = bc.BC(
                    observation_space=space, action_space=self.env.action_space,
                    rng=np.random.default_rng(seed), policy=policy, batch_size=batch,
                    demonstrations=in_memory if best or ordered else self.transitions,
                    optimizer_kwargs={"lr": LR, "fused": best}, ent_weight=0.0,
                    device="cpu")
                if best or ordered:  # looking for the first batch used up an order
                    trainer._demo_data_loader = Shuffled(self.x, self.y, batch, seed)
                quiet = {"progress_bar": False, "log_interval": 10**9} if best else {}
                torch.manual_seed(seed)
                start = time.process_time()
                trainer.train(n_batches=updates, **quiet)
        return policy, time.process_time() - start

    def assert_equal(self, batch):
        """Same weights, logits and actions after the same minibatches."""
        import torch

        def numbers(layers):
            return torch.cat([p.detach().flatten() for m in layers
                              for p in m.parameters()])

        clone, _ = self.ours(batch, CHECKED)
        mine, first, differences = numbers(clone.network), numbers(self.first), []
        assert (mine - first).abs().max() > 0.05, "nothing was learned"
        for best in (False, True):
            policy, _ = self.peer(batch, CHECKED, best=best, ordered=True)
            theirs = numbers([*policy.mlp_extractor.policy_net, policy.action_net])
            with torch.no_grad():
                logits = policy.get_distribution(self.x).distribution.logits
                actions, _ = policy.predict(self.x.numpy(), deterministic=True)
            ours = clone.outputs(self.x.numpy()).log_softmax(1)
            differences.append(float((mine - theirs).abs().max()))
            differences.append(float((ours - logits).abs().max()))
            assert max(differences) < 1e-3, differences
            assert (actions == clone(self.x.numpy())).mean() > 0.9999
        return max(differences)

    def predicting(self, repeats, calls=3000):
        """CPU seconds of one greedy action for one observation: ours, default, best."""
        import torch

        clone, (policy, _) = self.ours(32, 1)[0], self.peer(32, 1)
        rows = self.x.numpy()

        def best(row):
            with torch.inference_mode():
                return policy._predict(torch.from_numpy(row[None]), True).numpy()

        ways = (lambda row: clone(row[None]),
                lambda row: policy.predict(row, deterministic=True)[0], best)
        times = [[], [], []]
        for _ in range(repeats):
            for way, taken in zip(ways, times, strict=True):
                start = time.process_time()
                for i in range(calls):
                    way(rows[i])
                taken.append((time.process_time() - start) / calls)
        return times


def shown(name, times) -> str:
    """One line of the table: microseconds, and how many times faster we are."""
    def cell(taken):
        low, middle, high = min(taken), statistics.median(taken), max(taken)
        return f"{1e6 * middle:.0f} ({1e6 * low:.0f}–{1e6 * high:.0f})", middle

    (us, a), (default, b), (best, c) = map(cell, times)
    return f"| {name} | {us} | {default} | {best} | {b / a:.1f} | {c / a:.1f} |"


def compare(repeats: int) -> None:
    import torch

    torch.set_num_threads(1)
    contest, lines = Contest(), []
    for batch in (32, 256):
        difference = contest.assert_equal(batch)
        print(f"Batch {batch}: weights and log probabilities agree to {difference:.1e} "
              f"after {CHECKED} updates.", flush=True)
        updates, times = 1250 if batch == 32 else 390, [[], [], []]
        for run in range(repeats):
            for taken, seconds in zip(times, (
                    contest.ours(batch, updates, run)[1],
                    contest.peer(batch, updates, run)[1],
                    contest.peer(batch, updates, run, best=True)[1]), strict=True):
                taken.append(seconds / updates)
        lines.append(shown(f"one update, batch {batch}", times))
    lines.append(shown("one action, greedy", contest.predicting(repeats)))
    packages = ("imitation", "stable-baselines3", "torch", "numpy", "gymnasium")
    print(f"\n{machine(*packages)}.\nMicroseconds: median of {repeats} runs (range).\n")
    print("| | imitlib | imitation, default | imitation, best | × default | × best |")
    print("|---|---|---|---|---|---|", *lines, sep="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, default=ENVIRONMENT)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        compare(chosen.repeats)
    else:
        sys.exit(run_inside(__file__, chosen.env, "--repeats", str(chosen.repeats)))
