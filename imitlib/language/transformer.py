r"""A transformer that writes one token after another, from scratch.

A sentence is a row of T token numbers. Each becomes a vector, and the vectors go up
through `layers` blocks. A block does two things to them: it lets every place gather
what it needs from the places before it (attention), and it works on each place alone
(a perceptron). Both *add* to what is there:

.. math:: x \leftarrow x + \mathrm{attention}(\mathrm{norm}(x)), \qquad
          x \leftarrow x + \mathrm{mlp}(\mathrm{norm}(x))

On top, a linear map turns the vector at place t into a number for each word that
might stand at t + 1. This is the decoder of Vaswani et al. (2017), with the norms
first, as in GPT-2 (Radford et al. 2019).
"""

from __future__ import annotations

from math import inf, sqrt

import torch
from torch import nn

__all__ = ["Attention", "Block", "Norm", "Transformer"]


class Norm(nn.Module):
    r"""Layer normalisation (Ba, Kiros & Hinton 2016): each vector centred and scaled.

    .. math:: y = g \odot \frac{x - \bar x}{\sqrt{\mathrm{var}(x) + \epsilon}} + b

    Mean and variance are over the `width` numbers of one place of one sentence.
    """

    def __init__(self, width: int, epsilon: float = 1e-5):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.epsilon = epsilon

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        return self.gain * centred * (variance + self.epsilon).rsqrt() + self.bias


class Attention(nn.Module):
    r"""Causal self-attention with several heads, (B, T, width) -> (B, T, width).

    Each place puts a question q, and offers a key k and a value v, all linear in x.
    In each head, of d numbers, place t gathers values from the places s up to itself:

    .. math:: w_{ts} = \frac{e^{q_t \cdot k_s / \sqrt d}}
              {\sum_{r \le t} e^{q_t \cdot k_r / \sqrt d}} \;\; (s \le t), \qquad
              y_t = \sum_{s \le t} w_{ts} v_s

    The heads' answers are laid side by side and mixed by one more linear map.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)

    def weights(self, x):
        """Who looks where, (B, heads, T, T), and the values, (B, heads, T, d)."""
        B, T, width = x.shape
        split = self.qkv(x).view(B, T, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / sqrt(width // self.heads)
        future = torch.ones(T, T, dtype=torch.bool, device=x.device).triu(1)
        return scores.masked_fill(future, -torch.inf).softmax(-1), v

    def forward(self, x):
        w, v = self.weights(x)
        return self.mix((w @ v).transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    """One layer: look back at the places before, then think about each alone."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.attention = Norm(width), Attention(width, heads)
        self.norm2 = Norm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(),
                                 nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    r"""From tokens (B, T) to logits (B, T, V): what may come after each of them.

    .. math:: \pi(x_{t+1} \mid x_1 \dots x_t) = \mathrm{softmax}(z_t)

    Logits at place t depend on tokens up to t and on no later one.

    Parameters
    ----------
    n_tokens : int
        V, the size of the vocabulary.
    context : int
        The longest sentence; each of its places has a learned vector of its own.
    width : int
        Length of the vectors.
    heads : int
        How many things a place may look for at once; divides the width.
    layers : int
    embedding_std : float
        Spread of the words' first vectors. A word that is never met keeps its first
        vector: if that is small beside those that grew, the network can tell that it
        does not know the word; the norms undo the difference if it is not small
        enough. 0.02 is GPT-2's.

    Raises
    ------
    ValueError
        If a size is not a positive whole number, or heads does not divide width.
    """

    def __init__(self, n_tokens: int, context: int, width=64, heads=2, layers=1,
                 embedding_std=0.02):
        super().__init__()
        sizes = {"n_tokens": n_tokens, "context": context, "width": width,
                 "heads": heads, "layers": layers}
        for name, size in sizes.items():
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} is {size}; "
                                 "it must be a positive whole number")
        if not 0 <= embedding_std < inf:
            raise ValueError(f"embedding_std is {embedding_std}; it must be 0 or more")
        if width % heads:
            raise ValueError(f"heads is {heads}; it must divide the width, {width}")
        self.sizes = sizes  # all that is needed to build another
        self.token = nn.Embedding(n_tokens, width)
        self.place = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = Norm(width)
        self.out = nn.Linear(width, n_tokens)
        nn.init.normal_(self.token.weight, std=embedding_std)
        nn.init.normal_(self.place.weight, std=0.05)

    def forward(self, tokens):
        if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= self.sizes["context"]:
            raise ValueError(f"tokens has shape {tuple(tokens.shape)}; it must be "
                             f"(B, T) with T in 1 ... {self.sizes['context']}")
        x = self.token(tokens) + self.place.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x))
