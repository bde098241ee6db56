r"""A language model at work: probabilities, writing, files.

A sentence's probability is the product of its tokens', each given all that stands
before it:

.. math:: \log \pi(y \mid x) = \sum_t \log \pi(y_t \mid x, y_{<t})

To write is to choose the tokens one after the other and to read each of them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from imitlib.bc import _sound
from imitlib.counting import draw
from imitlib.language.transformer import Transformer

__all__ = ["LanguageModel", "as_tokens"]

FORMAT = "imitlib-language-1"


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A language model: from prompts (B, P) it writes continuations (B, L).

    All prompts of a batch have the same length. A continuation is over after its
    first end token; from there on the row is filled with end tokens.

    Attributes
    ----------
    network : Transformer
    end : int
        The token that ends a sentence.
    loss_curve : (updates,)
        The loss of each minibatch, in nats a token.
    """

    network: Transformer = field(repr=False)
    end: int
    loss_curve: np.ndarray = field(repr=False)

    def next_probabilities(self, prompts) -> np.ndarray:
        """The probability of each token to come next, (B, V); rows sum to 1."""
        prompts = as_tokens(self.network, prompts, "prompts")
        return self._log_probabilities(prompts)[:, -1].exp().numpy()

    def log_probability(self, prompts, continuations) -> np.ndarray:
        r"""Log-probability of each continuation (B, L) after its prompt (B, P); (B,).

        .. math:: \log \pi(y \mid x) = \sum_t \log \pi(y_t \mid x, y_{<t})

        up to and with the first end token; what stands behind it does not count.
        """
        prompts = as_tokens(self.network, prompts, "prompts")
        continuations = as_tokens(self.network, continuations, "continuations")
        if len(prompts) != len(continuations):
            raise ValueError(f"prompts has {len(prompts)} rows and continuations "
                             f"{len(continuations)}; they must have as many")
        whole = torch.cat([prompts, continuations], 1)
        ahead = self._log_probabilities(whole[:, :-1])[:, prompts.shape[1] - 1 :]
        each = ahead.gather(2, continuations[:, :, None])[:, :, 0]
        ended = (continuations == self.end).long()
        return (each * (ended.cumsum(1) - ended == 0)).sum(1).numpy()

    def greedy(self, prompts, length: int) -> np.ndarray:
        """The likeliest token each time, at most `length` of them; (B, length).

        Token by token: the sentence need not be the likeliest as a whole.
        """
        return self._write(prompts, length, lambda p: p.argmax(1))

    def sample(self, prompts, length: int, rng, temperature: float = 1.0) -> np.ndarray:
        r"""Continuations drawn with a NumPy generator, (B, length).

        Each token with probability :math:`\propto \pi^{1/\tau}`; at temperature τ = 1
        these are the model's own, and towards 0 they become the greedy ones.
        """
        if not 0 < temperature < np.inf:
            raise ValueError(f"temperature is {temperature}; it must be positive "
                             "(the limit 0 is greedy)")
        return self._write(prompts, length, lambda p: draw(p, rng), temperature)

    def _write(self, prompts, length, choose, temperature=1.0):
        whole = as_tokens(self.network, prompts, "prompts")
        context, n = self.network.sizes["context"], whole.shape[1]
        if not 1 <= length <= context + 1 - n:  # the last token is never read
            raise ValueError(f"length is {length}; after prompts of {n} tokens it must "
                             f"be 1 ... {context + 1 - n}")
        written = np.full((len(whole), length), self.end)
        going = np.arange(len(whole))  # the rows that have not ended
        for t in range(length):
            z = self._log_probabilities(whole)[:, -1] / temperature
            chosen = choose(z.softmax(1).numpy())
            written[going, t] = chosen
            on = chosen != self.end
            going, whole = going[on], whole[torch.from_numpy(on)]
            if not len(going):
                break
            whole = torch.cat([whole, torch.from_numpy(chosen[on])[:, None]], 1)
        return written

    def _log_probabilities(self, tokens) -> torch.Tensor:
        with torch.inference_mode():
            return self.network(tokens).double().log_softmax(-1)

    def save(self, path) -> None:
        """Write the weights and all that `load` needs; no code is pickled."""
        torch.save({"format": FORMAT, "sizes": self.network.sizes, "end": self.end,
                    "weights": self.network.state_dict(),
                    "loss_curve": torch.tensor(self.loss_curve)}, path)

    @classmethod
    def load(cls, path) -> LanguageModel:
        """Read a file of `save`.

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
            with torch.random.fork_rng(devices=[]):
                network = Transformer(**saved["sizes"])
            network.load_state_dict(saved["weights"])
            return cls(network.eval(), saved["end"], saved["loss_curve"].numpy())
        except Exception as error:  # a damaged file fails in a dozen ways
            raise ValueError(f"{path} is not a readable language model: {error}"
                             ) from error


def as_tokens(network, values, name: str = "tokens") -> torch.Tensor:
    """`values` as (B, T) int64 tokens that the network can read, or an error."""
    values, n = np.asarray(values), network.sizes["n_tokens"]
    if values.dtype.kind not in "iu" or values.ndim != 2 or not values.size:
        raise TypeError(f"{name} has shape {values.shape} of {values.dtype}; "
                        "it must be (B, T) integers, with at least one of each")
    wrong = (values < 0) | (values >= n)
    if wrong.any():
        i, t = np.argwhere(wrong)[0]
        raise ValueError(f"{name}[{i}, {t}] is {values[i, t]}; legal are 0 ... {n - 1}")
    return torch.from_numpy(values.astype(np.int64))
