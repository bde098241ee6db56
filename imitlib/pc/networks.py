r"""Networks that read a street plan: pictures in, a picture of the same size out.

All of them are convolutions, so one network reads plans of every size; and all but the
last two see a fixed distance, the *receptive field* of radius R: what they say of one
depends on the cells at most R rows and columns away. A network that repeats a step k
times sees k times as far, at k times the price.

Input (B, inputs, rows, columns) float32, output (B, outputs, rows, columns).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import relu

__all__ = ["Local", "Recurrent", "Residual", "ValueIterationNetwork", "macs",
           "parameters"]


def _conv(inputs: int, outputs: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


class Residual(nn.Module):
    """3×3 layers, each pair with a shortcut past it (He et al. 2016).

    Parameters
    ----------
    layers : int
        3×3 layers, even; the receptive field has this radius.
    width : int
        Channels between them.
    """

    def __init__(self, inputs, outputs, width=32, layers=6):
        super().__init__()
        if layers < 2 or layers % 2:
            raise ValueError(f"layers is {layers}; it must be even, at least 2")
        self.radius = layers
        self.first, self.last = _conv(inputs, width), _conv(width, outputs)
        self.blocks = nn.ModuleList(
            nn.Sequential(_conv(width, width), nn.ReLU(), _conv(width, width))
            for _ in range(layers // 2 - 1))

    def forward(self, x):
        h = relu(self.first(x))
        for block in self.blocks:
            h = relu(h + block(h))
        return self.last(h)


class Local(nn.Sequential):
    """One 3×3 layer, then each cell for itself: a rule of a cell's neighbours."""

    radius = 1

    def __init__(self, inputs, outputs, width=24):
        super().__init__(_conv(inputs, width), nn.ReLU(), _conv(width, outputs, 1))


class Recurrent(nn.Module):
    r"""One block repeated, that sees the plan anew each time (*recall*).

    .. math:: h_{k+1} = \mathrm{block}([h_k, x]), \qquad y_k = \mathrm{head}(h_k)

    Bansal et al. (2022) train it with a *progressive loss*: besides the answer after
    `iterations`, the answer that a shorter run gives if it starts from where another
    run, of random length and without gradient, has left h. The block then learns to
    make progress from anywhere, and may be repeated longer than it was trained.

    Parameters
    ----------
    iterations : int
        In training; `forward` takes any number.
    share : float
        α in [0, 1]: weight of the progressive part; 0 turns it off.
    recall : bool
        Whether the block sees x; without, only its first h does.
    """

    def __init__(self, inputs, outputs, width=32, iterations=20, share=0.5,
                 recall=True):
        super().__init__()
        self.iterations, self.share, self.recall = iterations, share, recall
        self.first = _conv(inputs, width)
        self.gate = _conv(width + inputs * recall, width)
        self.block = nn.Sequential(_conv(width, width), nn.ReLU(), _conv(width, width))
        self.head = nn.Sequential(_conv(width, width), nn.ReLU(), _conv(width, outputs))

    def repeat(self, x, h, times):
        """h after some more iterations."""
        for _ in range(times):
            g = relu(self.gate(torch.cat([h, x], dim=1) if self.recall else h))
            h = relu(g + self.block(g))
        return h

    def forward(self, x, iterations=None):
        times = self.iterations if iterations is None else iterations
        return self.head(self.repeat(x, relu(self.first(x)), times))

    def rehearse(self, x, rng):
        """What is trained: weights and outputs, the full run's and a shorter one's."""
        begin = relu(self.first(x))
        outputs = []
        if self.share < 1:
            full = self.repeat(x, begin, self.iterations)
            outputs.append((1 - self.share, self.head(full)))
        if self.share > 0:
            skipped = int(rng.integers(self.iterations))
            times = int(rng.integers(1, self.iterations - skipped + 1))
            with torch.no_grad():
                h = self.repeat(x, begin, skipped)
            # With nothing skipped the first layer is in the run, and is trained.
            h = self.repeat(x, h if skipped else begin, times)
            outputs.append((self.share, self.head(h)))
        return outputs


class ValueIterationNetwork(nn.Module):
    r"""Value iteration whose rewards and transitions are learned (Tamar et al. 2016).

    .. math:: Q_k = W * [r, V_k], \qquad V_{k+1}(i, j) = \max_a Q_k(a, i, j)

    r is made of the plan by two layers. One sweep is one convolution with `channels`
    abstract actions, and no other nonlinearity than the maximum. The answer is read
    from Q at every cell, not only at the walker's.
    """

    def __init__(self, inputs, outputs, width=64, channels=10, iterations=20):
        super().__init__()
        self.iterations = iterations
        self.reward = nn.Sequential(_conv(inputs, width), nn.Conv2d(width, 1, 1))
        self.q = nn.Conv2d(2, channels, 3, padding=1, bias=False)
        self.head = nn.Conv2d(channels, outputs, 1)

    def forward(self, x, iterations=None):
        r = self.reward(x)
        value = torch.zeros_like(r)
        for _ in range(self.iterations if iterations is None else iterations):
            value = self.q(torch.cat([r, value], dim=1)).amax(1, keepdim=True)
        return self.head(self.q(torch.cat([r, value], dim=1)))


def parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(p.numel() for p in network.parameters())


def macs(network: nn.Module, inputs: int, shape, iterations=None) -> int:
    """Multiplications of one call on one plan: those of its convolutions, counted.

    `iterations` goes to networks that repeat themselves.
    """
    total = 0

    def count(layer, _, output):
        nonlocal total
        total += layer.weight[0].numel() * output[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in network.modules()
             if isinstance(layer, nn.Conv2d)]
    extra = () if iterations is None else (iterations,)
    with torch.inference_mode():
        network(torch.zeros(1, inputs, *shape), *extra)
    for hook in hooks:
        hook.remove()
    return total
