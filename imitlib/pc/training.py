r"""What is learned from, and learning it, the same way for every kind of clone.

Procedural cloning takes each pair of frames for one example and forgets the rest of the
sequence (Yang et al. 2022, maze experiments):

.. math:: L(\theta) = -\sum_t \log p_\theta(x_{t+1} \mid \text{plan}, x_t)

Behavioral cloning gets the plan alone and is asked for the answer. Both are pictures of
labels, one cross entropy per cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from imitlib.adam import Adam
from imitlib.envs.mazes import Mazes
from imitlib.experiments import bar
from imitlib.pc.procedures import Procedure

__all__ = ["ACTIONS", "LABELS", "SEARCH_LABELS", "Examples", "Fit", "action_examples",
           "fit", "map_examples", "planes", "step_examples"]

ACTIONS, LABELS, SEARCH_LABELS = 4, 5, 9  # actions; and unvisited; of `search`


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures and what should be said of each of their cells.

    Attributes
    ----------
    inputs : (M, C, rows, columns) float32 tensor
    targets : (M, rows, columns) int64 tensor
    scored : (M, rows, columns) bool tensor
        Cells that count, in the loss and in the accuracy.
    values : (M, rows, columns) float32 tensor, optional
        Numbers that a network's first output should equal; the labels follow it.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    scored: torch.Tensor
    values: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.inputs)


def planes(mazes: Mazes, frame=None, classes=LABELS, starts=None) -> torch.Tensor:
    """A network's input: walls, goal, perhaps the start, perhaps a frame.

    Parameters
    ----------
    frame : (N, rows, columns), optional
        Labels, given one-hot in `classes` planes; or numbers, given as they are.
    starts : (N, 2), optional

    Returns
    -------
    (N, C, rows, columns) float32
    """
    parts = [mazes.walls[:, None], mazes.goal_map[:, None]]
    if starts is not None:
        start = np.zeros((len(mazes), 1, *mazes.shape), bool)
        start[np.arange(len(mazes)), 0, *np.asarray(starts).T] = True
        parts.append(start)
    x = torch.from_numpy(np.concatenate(parts, axis=1)).float()
    if frame is None:
        return x
    frame = torch.from_numpy(np.ascontiguousarray(frame))
    if frame.is_floating_point():
        return torch.cat([x, frame[:, None].float()], dim=1)
    return torch.cat([x, one_hot(frame.long(), classes).movedim(3, 1).float()], dim=1)


def action_examples(mazes: Mazes, procedure: Procedure, scored=None) -> Examples:
    """Behavioral cloning: from the plan to the action, at every open cell.

    Much more than a walker shows; with `scored` (N, rows, columns) only at some cells.
    """
    cells = mazes.open if scored is None else np.asarray(scored) & mazes.open
    if not cells.any():
        raise ValueError("scored leaves no cell with a way to the goal: empty lesson")
    actions = np.where(cells, procedure.actions, 0)
    return Examples(planes(mazes), torch.from_numpy(actions).long(),
                    torch.from_numpy(cells))


def map_examples(mazes: Mazes, procedure: Procedure) -> Examples:
    """One-shot map: from the plan to the last frame in one step, all cells scored."""
    last = torch.from_numpy(np.ascontiguousarray(procedure.frames[:, -1])).long()
    return Examples(planes(mazes), last, torch.ones_like(last, dtype=torch.bool))


def step_examples(mazes: Mazes, procedure: Procedure, starts=None) -> Examples:
    """Procedural cloning: from the plan and each frame to the next frame.

    The last frame comes with itself, so that the end is learned too; frames that only
    repeat it are left out. All cells are scored, walls as well: what a wall should say
    has to be learned like everything else.
    """
    frames, steps = procedure.frames, procedure.steps
    n, t = np.nonzero(np.arange(frames.shape[1]) <= steps[:, None])
    now, then = frames[n, t], frames[n, np.minimum(t + 1, steps[n])]
    rows = None if starts is None else np.asarray(starts)[n]
    if frames.dtype.kind == "f":
        targets, values = np.where(procedure.actions > 3, 0, procedure.actions)[n], then
        x, scored = planes(mazes[n], now), mazes.open[n] & (then > 0)
    else:
        classes = LABELS if starts is None else SEARCH_LABELS
        targets, values, scored = then, None, np.ones(then.shape, bool)
        x = planes(mazes[n], now, classes, rows)
    return Examples(x, torch.from_numpy(targets).long(), torch.from_numpy(scored),
                    None if values is None else torch.from_numpy(values))


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted network, and how it came to be.

    Attributes
    ----------
    network : torch.nn.Module
    curve : (m, 3)
        Updates, mean loss since the last row, accuracy on the training examples.
    converged : bool
        Whether the accuracy came to the target before the updates were used up.
    """

    network: nn.Module = field(repr=False)
    curve: np.ndarray = field(repr=False)
    converged: bool

    @property
    def updates(self) -> int:
        return int(self.curve[-1, 0])

    @property
    def accuracy(self) -> float:
        """On the training examples, at the end: share of scored cells."""
        return float(self.curve[-1, 2])


def fit(make, examples: Examples, *, rng: np.random.Generator, updates=1500, batch=16,
        lr=2e-3, target=0.99, every=100, clip=1.0, progress=False) -> Fit:
    """Train a network by Adam until it knows its examples, or the updates are used up.

    The step size falls to nothing along half a cosine; the gradient's norm is clipped,
    which repeated blocks need.

    Parameters
    ----------
    make : callable
        Makes the network: ``lambda: Residual(7, 5)``. Called with torch seeded.
    updates : int
        The cap.
    target : float
        Accuracy at which it ends; above 1, never. For frames ask for .9999: nearly all
        cells of a frame stay as they are, so .99 is no achievement.
    every : int
        Updates between two looks at the accuracy, on 512 examples at most, drawn anew.

    Raises
    ------
    ValueError
        For settings out of range, or a network whose outputs do not fit the targets.
    """
    for name, value in {"updates": updates, "batch": batch, "every": every}.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} is {value}; it must be a positive whole number")
    if not (0 < lr < np.inf and clip > 0):
        raise ValueError(f"lr is {lr} and clip {clip}; both must be positive")
    curve, total, rows = [], 0.0, []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        network = make().train()
        _fits(network, examples)
        adam = Adam(network.parameters(), lr)
        for update in bar(range(1, updates + 1), show=progress, label="cloning"):
            if not rows:
                order = torch.from_numpy(rng.permutation(len(examples)))
                rows = list(order.split(batch))
            loss = _loss(network, examples, rows.pop(), rng)
            loss.backward()
            norm = float(adam.gradient.norm())
            if norm > clip:
                adam.gradient.mul_(clip / norm)
            adam.lr = lr * (1 + np.cos(np.pi * update / updates)) / 2
            adam.step()
            total += loss.item()
            if update % every == 0 or update == updates:
                since = update - (curve[-1][0] if curve else 0)
                curve.append((update, total / since, _accuracy(network, examples, rng)))
                total = 0.0
                if curve[-1][2] >= target:
                    break
    return Fit(network.eval(), np.array(curve), bool(curve[-1][2] >= target))


def _loss(network, examples, rows, rng):
    x, y, scored = (part[rows] for part in
                    (examples.inputs, examples.targets, examples.scored))
    rehearse = getattr(network, "rehearse", None)
    outputs = [(1.0, network(x))] if rehearse is None else rehearse(x, rng)
    loss = 0.0
    for weight, out in outputs:
        if examples.values is not None:
            gap = (out[:, 0] - examples.values[rows]).square().mean()
            loss, out = loss + 100 * weight * gap, out[:, 1:]  # values are small
        cells = cross_entropy(out, y, reduction="none")[scored]
        loss = loss + weight * cells.sum() / max(len(cells), 1)
    return loss


def _accuracy(network, examples, rng, most=512) -> float:
    rows = torch.from_numpy(rng.permutation(len(examples))[:most])
    right = asked = 0
    network.eval()
    with torch.inference_mode():
        for some in rows.split(64):
            out = network(examples.inputs[some])
            out = out if examples.values is None else out[:, 1:]
            hit = out.argmax(1) == examples.targets[some]
            right += int(hit[examples.scored[some]].sum())
            asked += int(examples.scored[some].sum())
    network.train()
    return right / max(asked, 1)


def _fits(network, examples):
    need = int(examples.targets.max()) + 1 + (examples.values is not None)
    with torch.no_grad():
        shape = tuple(network(examples.inputs[:1]).shape)
    if len(shape) != 4 or shape[1] < need or shape[2:] != examples.targets.shape[1:]:
        raise ValueError(f"make gives outputs of shape {shape}; they must be (1, "
                         f"at least {need}, then {tuple(examples.targets.shape[1:])})")
