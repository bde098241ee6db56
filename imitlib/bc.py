r"""Behavioral cloning: imitation as supervised learning.

The demonstrations are taken for independent pairs of an observation o and an action
a, and a network's numbers θ are fitted to make the actions likely:

.. math:: L(\theta) = -\frac1N \sum_{i=1}^N \log \pi_\theta(a_i \mid o_i)
   \;\to\; \min

That is all. Pomerleau (1989) steered a van with it, Bain and Sammut (1995) gave it the
name, and Foster, Block and Misra (2024) show what this logarithmic loss buys over
counting mistakes. How a network's outputs make up :math:`\pi_\theta` is in `heads`;
where the states can be listed, counting is enough (`fit_table`).
"""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from imitlib.adam import Adam
from imitlib.counting import TableClone, fit_table
from imitlib.demonstrations import Demonstrations
from imitlib.experiments import bar
from imitlib.heads import HEADS, Categorical, Gaussian, Mixture

__all__ = ["Clone", "TableClone", "accuracy", "fit", "fit_table", "mlp", "nll"]

FORMAT = "imitlib-clone-1"


def mlp(inputs: int, hidden: tuple[int, ...], outputs: int) -> nn.Sequential:
    """A multilayer perceptron: linear layers with tanh between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([inputs, *hidden, outputs]):
        layers += [nn.Linear(n_in, n_out), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


@dataclass(frozen=True, eq=False)
class Clone:
    """A cloned policy: call it with observations (B, ...) to get actions.

    Attributes
    ----------
    network : torch.nn.Module
        From standardised observations to the head's outputs.
    head : Categorical, Gaussian or Mixture
    scale : (2, n)
        Mean and spread of each number of the training observations.
    hidden : tuple of int
        Sizes of the hidden layers; None for a network of your own.
    loss_curve : (updates,)
        The loss of each minibatch, in standardised units.
    held_out_curve : (m, 2)
        Number of updates, and the loss on the held-out demonstrations.
    """

    network: nn.Module = field(repr=False)
    head: Categorical | Gaussian | Mixture
    scale: np.ndarray = field(repr=False)
    hidden: tuple[int, ...] | None
    loss_curve: np.ndarray = field(repr=False)
    held_out_curve: np.ndarray = field(repr=False)

    def outputs(self, observations) -> torch.Tensor:
        """What the network says to each observation, (B, outputs)."""
        with torch.inference_mode():
            return self.network(_standard(observations, self.scale))

    def __call__(self, observations) -> np.ndarray:
        """The greedy actions: the likeliest choice (B,), or the mean command (B, k).

        A mixture gives the mean of its likeliest component.
        """
        return self.head.greedy(self.outputs(observations))

    def sample(self, observations, rng) -> np.ndarray:
        """An action for each observation, drawn from π with a NumPy generator."""
        return self.head.sample(self.outputs(observations), rng)

    def probabilities(self, observations) -> np.ndarray:
        """The probability of each choice, (B, A); rows sum to 1."""
        if not isinstance(self.head, Categorical):
            raise TypeError("this clone gives commands, which have densities; only "
                            "choices have probabilities")
        return self.head.probabilities(self.outputs(observations))

    def log_likelihood(self, observations, actions) -> np.ndarray:
        r""":math:`\log \pi(a \mid o)` of each row, (B,), in the actions' own units."""
        outputs, targets = self.outputs(observations), self.head.targets(actions)
        standardised = self.head.log_likelihood(outputs.double(), targets).numpy()
        return standardised - self.head.units

    def save(self, path) -> None:
        """Write the weights and all that `load` needs; no code is pickled."""
        kind = next(name for name, head in HEADS.items() if type(self.head) is head)
        parts = {name: torch.tensor(part) for name, part in vars(self.head).items()}
        torch.save({"format": FORMAT, "kind": kind, "head": parts,
                    "hidden": self.hidden, "weights": self.network.state_dict(),
                    "scale": torch.tensor(self.scale),
                    "loss_curve": torch.tensor(self.loss_curve),
                    "held_out_curve": torch.tensor(self.held_out_curve)}, path)

    @classmethod
    def load(cls, path, network: nn.Module | None = None) -> Clone:
        """Read a file of `save`; give `network` if one was given to `fit`.

        Raises
        ------
        ValueError
            The file is damaged or of another kind. Nothing in it is ever executed.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no file {path}")
        try:
            saved = torch.load(_sound(path), weights_only=True)
            if saved["format"] != FORMAT:
                raise ValueError(f"it has format {saved['format']!r}, not {FORMAT!r}")
            parts = {name: part.numpy() if part.ndim else part.item()
                     for name, part in saved["head"].items()}
            head, scale = HEADS[saved["kind"]](**parts), saved["scale"].numpy()
            if saved["hidden"] is not None:
                network = mlp(scale.shape[1], saved["hidden"], head.n_outputs)
            elif network is None:
                raise ValueError("it was fitted with a network of your own; pass that")
            network = deepcopy(network).eval()
            network.load_state_dict(saved["weights"])
            return cls(network, head, scale, saved["hidden"],
                       saved["loss_curve"].numpy(), saved["held_out_curve"].numpy())
        except Exception as error:  # a damaged file fails in a dozen ways
            raise ValueError(f"{path} is not a readable clone: {error}") from error


def _sound(path) -> io.BytesIO:
    """A copy of a zip file that Python has read with its checksums; torch does not."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        names = old.namelist()
        if len(set(names)) < len(names):
            raise ValueError("two of its parts have one name")
        for name in names:
            new.writestr(name, old.read(name))
    copy.seek(0)
    return copy


def fit(demos: Demonstrations, *, hidden=(64, 64), head="auto", updates=2000, batch=128,
        lr=1e-3, weight_decay=0.0, rng, network=None, n_actions=None, held_out=None,
        components=5, progress=False) -> Clone:
    """Clone the demonstrator: fit a network by Adam on minibatches.

    Parameters
    ----------
    demos : Demonstrations
    hidden : tuple of int
        Sizes of the hidden layers; () makes a linear model.
    head : {"auto", "categorical", "gaussian", "mixture"}
        "auto" is categorical for integer actions and gaussian for floats.
    updates, batch : int
        How many steps, and how many decisions in each (all, if there are fewer).
    lr, weight_decay : float
        Adam's step size, and its weight on the penalty ½|θ|².
    rng : numpy.random.Generator
        Draws the first weights and the minibatches. Same rng, same clone.
    network : torch.nn.Module, optional
        Used in place of the perceptron, (B, inputs) float32 -> (B, outputs). A copy
        is fitted, from its weights; yours stays as it is.
    n_actions : int, optional
        How many choices there are; else one more than the largest that was made.
    held_out : Demonstrations, optional
        Some whose loss is measured twenty times on the way.
    components : int
        How many Gaussians a mixture has.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    _check(hidden, updates=updates, batch=batch)
    if not (0 < lr < np.inf and 0 <= weight_decay < np.inf):
        raise ValueError(f"lr is {lr} and weight_decay {weight_decay}; the first must "
                         "be positive, the second 0 or more")
    head, scale = _head(head, demos, n_actions, components), _scale(demos.observations)

    def tensors(data):  # the whole data set in memory, standardised once
        y = head.targets(data.actions)
        return _standard(data.observations, scale), y.float() if y.ndim == 2 else y

    def loss(x, y):
        return -head.log_likelihood(network(x), y).mean()

    x, y = tensors(demos)
    unseen = None if held_out is None else tensors(held_out)
    batch, curve, held_out_curve = min(batch, len(x)), np.empty(updates), []
    with torch.random.fork_rng(devices=[]):  # leaves torch's own generator as it was
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        if network is None:
            hidden = tuple(map(int, hidden))
            network = mlp(x.shape[1], hidden, head.n_outputs)
        else:
            network, hidden = _fitting(network, x, head.n_outputs), None
        adam, rows = Adam(network.parameters(), lr, weight_decay), []
        for update in bar(range(updates), show=progress, label="cloning"):
            if not rows:  # a new epoch: every decision once, in a new order
                order = torch.from_numpy(rng.permutation(len(x)))
                rows = list(order[: len(x) // batch * batch].split(batch))
            chosen = rows.pop()
            now = loss(x[chosen], y[chosen])
            now.backward()
            adam.step()
            curve[update] = now.item()
            if unseen is not None and (update + 1) % max(updates // 20, 1) == 0:
                network.eval()
                with torch.no_grad():
                    held_out_curve.append((update + 1, loss(*unseen).item()))
                network.train()
    network.eval()
    if isinstance(head, Gaussian):  # given the means, these spreads are the likeliest
        with torch.no_grad():
            residual = (y - network(x)).double().square().mean(0).sqrt()
        head = replace(head, spread=residual.clamp(min=1e-9).numpy())
    return Clone(network, head, scale, hidden, curve,
                 np.array(held_out_curve).reshape(-1, 2))


def nll(clone, demos: Demonstrations) -> float:
    r"""Mean negative log likelihood of demonstrations under a clone, in nats.

    .. math:: -\frac1N \sum_i \log \pi(a_i \mid o_i)
    """
    return float(-clone.log_likelihood(demos.observations, demos.actions).mean())


def accuracy(policy, demos: Demonstrations) -> float:
    """The share of decisions in which a policy does what the demonstrator did."""
    if demos.actions.ndim != 1:
        raise TypeError("the actions are floats; accuracy is for choices")
    return float(np.mean(np.asarray(policy(demos.observations)) == demos.actions))


def _head(head: str, demos: Demonstrations, n_actions, components):
    whole = demos.actions.ndim == 1
    legal = ["categorical"] if whole else ["gaussian", "mixture"]
    if head not in ["auto", *legal]:
        raise ValueError(f"head is {head!r}; for actions of {demos.actions.dtype} it "
                         f"must be 'auto' or {' or '.join(map(repr, legal))}")
    if whole:
        n_actions = int(demos.actions.max()) + 1 if n_actions is None else n_actions
        _check(n_actions=n_actions)
        return Categorical(int(n_actions))
    if n_actions is not None:
        raise ValueError(f"n_actions is {n_actions}; float actions have none")
    if head == "mixture":
        _check(components=components)
        return Mixture(_scale(demos.actions), components)
    return Gaussian(_scale(demos.actions), np.ones(demos.actions.shape[1]))


def _fitting(network: nn.Module, x, n_outputs: int) -> nn.Module:
    """A copy of the network, refused if its outputs do not fit the head."""
    network = deepcopy(network).eval()
    with torch.no_grad():
        shape = tuple(network(x[:1]).shape)
    if shape != (1, n_outputs):
        raise ValueError(f"network makes {shape} of {tuple(x[:1].shape)}; it must make "
                         f"{(1, n_outputs)}")
    return network.train()


def _check(hidden=(), **positive) -> None:
    positive |= {f"hidden[{i}]": size for i, size in enumerate(hidden)}
    for name, value in positive.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} is {value}; it must be a positive whole number")


def _scale(rows) -> np.ndarray:
    """Mean and standard deviation of each column, (2, n); 1 where nothing moves."""
    rows = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    mean, spread = rows.mean(0), rows.std(0)
    return np.stack([mean, np.where(spread > 1e-9 * (1 + abs(mean)), spread, 1.0)])


def _standard(observations, scale) -> torch.Tensor:
    observations = np.asarray(observations)
    rows = observations.reshape(len(observations), -1)
    if rows.shape[1] != scale.shape[1]:
        raise ValueError(
            f"observations has shape {observations.shape}, {rows.shape[1]} numbers a "
            f"row; the clone was fitted on {scale.shape[1]} (for one, pass obs[None])")
    if not np.isfinite(rows).all():
        raise ValueError(f"observations[{np.argwhere(~np.isfinite(rows))[0, 0]}] is "
                         "not finite; every number must be")
    return torch.from_numpy(((rows - scale[0]) / scale[1]).astype(np.float32))
