r"""Cloning over tokens: what is called supervised fine-tuning of a language model.

The demonstrator's sentence is cut into decisions. What was written so far is the
observation, the next token is the action, and the loss is that of `bc`, summed over
the tokens that are the demonstrator's (the *answer*) and not over those that were
given to him (the *prompt*):

.. math:: L(\theta) = -\frac{\sum_{i,t} m_{it} \log \pi_\theta(x_{it} \mid x_{i,<t})}
                           {\sum_{i,t} m_{it}}

with m = 1 on the answer's tokens and 0 elsewhere.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch.nn import functional

from imitlib.adam import Adam
from imitlib.experiments import bar
from imitlib.language.model import LanguageModel, as_tokens
from imitlib.language.transformer import Transformer

__all__ = ["fit", "masked_loss"]


def masked_loss(network, tokens, answer, labels=None) -> torch.Tensor:
    """Mean negative log-probability of the answers' tokens, in nats a token.

    Parameters
    ----------
    tokens : (B, T) int64 tensor
    answer : (B, T) bool tensor
        True at the tokens to be predicted; never at the first, which nothing precedes.
    labels : (B, T) int64 tensor, optional
        What should have been said there, if that is not what stands there.
    """
    logits = network(tokens[:, :-1])  # at place t: what may stand at t + 1
    counted = answer[:, 1:]
    said = (tokens if labels is None else labels)[:, 1:]
    return functional.cross_entropy(logits[counted], said[counted])


def fit(tokens, answer, *, labels=None, n_tokens=None, end=0, start=None, frozen=(),
        width=64, heads=2, layers=1, context=None, embedding_std=0.02, updates=1000,
        batch=128, lr=3e-3, rng, progress=False) -> LanguageModel:
    """Clone the writer: fit a transformer to the answers, by Adam on minibatches.

    Parameters
    ----------
    tokens : (N, T) integers
        Sentences; short ones are filled up with anything that `answer` leaves out.
    answer : (N, T) bool
        Which tokens to learn to say; in each row at least one, and not the first.
    labels : (N, T) integers, optional
        What the demonstrator would have said at each place, where somebody else wrote
        the `tokens`: the learner, in DAgger. Only those that `answer` marks count.
    n_tokens, width, heads, layers, context, embedding_std
        Of a new network (see `Transformer`); context is T if not given.
    end : int
        The token that ends a sentence.
    start : LanguageModel, optional
        Go on from a copy of it, in place of a new network: fine-tuning. Its sizes and
        its end token hold.
    frozen : tuple of str
        Parameters that stay as they are, by the beginning of their names: "token" is
        the embedding of the words, "blocks.0" the first layer.
    updates, batch : int
        How many steps, and how many sentences in each (all, if there are fewer).
    lr : float
        Adam's step size; it falls in a straight line to a tenth of it.
    rng : numpy.random.Generator
        Draws the first weights and the minibatches. Same rng, same model.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    for name, value in {"updates": updates, "batch": batch}.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} is {value}; it must be a positive whole number")
    if not 0 < lr < np.inf:
        raise ValueError(f"lr is {lr}; it must be positive")
    if start is None and n_tokens is None:
        raise TypeError("a new model needs n_tokens, the size of the vocabulary")
    answer = np.asarray(answer)
    if answer.dtype != bool or answer.shape != np.shape(tokens) or answer.ndim != 2:
        raise TypeError(f"answer has shape {answer.shape} of {answer.dtype}; it must "
                        f"be bool, (N, T) as tokens, {np.shape(tokens)}")
    silent = ~answer.any(1) | answer[:, :1].any(1)
    if not answer.size or silent.any():
        row = int(silent.argmax()) if answer.size else 0
        raise ValueError(f"answer[{row}] must mark a token to learn, and not the "
                         "first, which nothing precedes")
    with torch.random.fork_rng(devices=[]):  # leaves torch's own generator as it was
        torch.default_generator.manual_seed(int(rng.integers(2**63)))
        if start is None:
            context = answer.shape[1] if context is None else context
            network = Transformer(n_tokens, context, width, heads, layers,
                                  embedding_std)
        else:
            network, end = deepcopy(start.network), start.end
    if not 0 <= end < network.sizes["n_tokens"]:
        last = network.sizes["n_tokens"] - 1
        raise ValueError(f"end is {end}; legal are 0 ... {last}")
    x, m = as_tokens(network, tokens), torch.from_numpy(answer)
    y = x if labels is None else as_tokens(network, labels, "labels")
    if y.shape != x.shape:
        raise ValueError(f"labels has shape {tuple(y.shape)}; it must be that of "
                         f"tokens, {tuple(x.shape)}")
    names = dict(network.named_parameters())
    for part in (frozen,) if isinstance(frozen, str) else frozen:
        held = [n for n in names if n == part or n.startswith(part + ".")]
        if not held:
            raise ValueError(f"frozen names {part!r}; the parameters are "
                             f"{', '.join(names)}")
        for name in held:
            names[name].requires_grad_(False)
    if not any(p.requires_grad for p in names.values()):
        raise ValueError(f"frozen is {frozen}, all there is; something must move")
    adam, rows = Adam(names.values(), lr), []
    curve, batch = np.empty(updates), min(batch, len(x))
    for update in bar(range(updates), show=progress, label="cloning"):
        if not rows:  # a new epoch: every sentence once, in a new order
            order = torch.from_numpy(rng.permutation(len(x)))
            rows = list(order[: len(x) // batch * batch].split(batch))
        chosen = rows.pop()
        adam.lr = lr * (1 - 0.9 * update / updates)
        loss = masked_loss(network, x[chosen], m[chosen], y[chosen])
        loss.backward()
        adam.step()
        curve[update] = loss.item()
    network.requires_grad_(True)
    return LanguageModel(network.eval(), int(end), curve)
