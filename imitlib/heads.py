r"""Heads: how the numbers a network puts out make up a policy :math:`\pi(a \mid o)`.

Each head knows the same five things: how many outputs it needs, what actions it takes
as targets, their log likelihood, the greedy action, and how to draw one. Commands are
standardised by their mean and spread in the training data, `scale` (2, k): the
network works in those units, and the actions come back in their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, tau

import numpy as np
import torch

from imitlib.counting import draw, integers_below

__all__ = ["HEADS", "Categorical", "Gaussian", "Mixture"]


@dataclass(frozen=True, eq=False)
class Categorical:
    r"""One of A choices, :math:`\pi(a|o) = e^{z_a} / \sum_b e^{z_b}`, from z (B, A)."""

    n_actions: int
    units = 0.0

    @property
    def n_outputs(self) -> int:
        return self.n_actions

    def targets(self, actions):
        return torch.from_numpy(integers_below(self.n_actions, "actions", actions))

    def log_likelihood(self, outputs, targets):
        return -torch.nn.functional.cross_entropy(outputs, targets, reduction="none")

    def greedy(self, outputs):
        return outputs.argmax(1).numpy()

    def probabilities(self, outputs):
        return outputs.double().softmax(1).numpy()

    def sample(self, outputs, rng):
        return draw(self.probabilities(outputs), rng)


@dataclass(frozen=True, eq=False)
class _Commands:
    """What the two heads for k continuous commands share."""

    scale: np.ndarray

    @property
    def units(self) -> float:
        """What a log density loses when actions go back to their own units."""
        return float(np.log(self.scale[1]).sum())

    def targets(self, actions):
        actions, k = np.asarray(actions), self.scale.shape[1]
        if actions.dtype.kind != "f" or actions.ndim != 2 or actions.shape[1] != k:
            raise TypeError(f"actions has shape {actions.shape} of {actions.dtype}; "
                            f"it must be (B, {k}) floats")
        return torch.from_numpy((actions - self.scale[0]) / self.scale[1])

    def _own_units(self, standardised):
        return self.scale[0] + self.scale[1] * standardised


@dataclass(frozen=True, eq=False)
class Gaussian(_Commands):
    r"""k commands, :math:`\pi(a|o) = \prod_j N(a_j;\, \mu_j(o),\, \sigma_j)`.

    The outputs are the means (B, k). The spreads σ, `spread` (k,), are 1 while the
    network is fitted, so that the loss is half the squared error and a constant;
    after that they are the residuals' root mean square.
    """

    spread: np.ndarray

    @property
    def n_outputs(self) -> int:
        return self.scale.shape[1]

    def log_likelihood(self, outputs, targets):
        spread = torch.from_numpy(self.spread).to(outputs.dtype)
        z = (targets - outputs) / spread
        return -(0.5 * z.square() + spread.log() + 0.5 * log(tau)).sum(1)

    def greedy(self, outputs):
        return self._own_units(outputs.numpy())

    def sample(self, outputs, rng):
        noise = rng.standard_normal(tuple(outputs.shape))
        return self._own_units(outputs.numpy() + self.spread * noise)


@dataclass(frozen=True, eq=False)
class Mixture(_Commands):
    r"""One Gaussian of C, for people who do one thing *or* another (Bishop 1994).

    .. math:: \pi(a|o) = \sum_c w_c(o) \prod_j N(a_j;\, \mu_{cj}(o),\, \sigma_{cj}(o))

    The outputs (B, C + 2Ck) are logits of w, means, and logarithms of the spreads. No
    spread goes below e^-5 of the actions' own: a component that sat on one single
    demonstration would have infinite likelihood.
    """

    components: int

    @property
    def n_outputs(self) -> int:
        return self.components * (1 + 2 * self.scale.shape[1])

    def split(self, outputs):
        """Log weights (B, C), means (B, C, k), log spreads (B, C, k)."""
        c, k = self.components, self.scale.shape[1]
        logits, means, log_spreads = outputs.split([c, c * k, c * k], dim=1)
        return (logits.log_softmax(1), means.reshape(-1, c, k),
                log_spreads.reshape(-1, c, k).clamp(min=-5.0))

    def log_likelihood(self, outputs, targets):
        log_weights, means, log_spreads = self.split(outputs)
        z = (targets[:, None, :] - means) / log_spreads.exp()
        each = -(0.5 * z.square() + log_spreads + 0.5 * log(tau)).sum(2)
        return torch.logsumexp(log_weights + each, dim=1)

    def greedy(self, outputs):
        """The mean of the likeliest component."""
        log_weights, means, _ = self.split(outputs)
        rows = torch.arange(len(means))
        return self._own_units(means[rows, log_weights.argmax(1)].numpy())

    def sample(self, outputs, rng):
        log_weights, means, log_spreads = self.split(outputs)
        chosen = draw(log_weights.double().exp().numpy(), rng)
        rows = np.arange(len(chosen))
        means = means.numpy()[rows, chosen]
        spreads = log_spreads.exp().numpy()[rows, chosen]
        noise = rng.standard_normal(means.shape)
        return self._own_units(means + spreads * noise)


HEADS = {"categorical": Categorical, "gaussian": Gaussian, "mixture": Mixture}
