"""Networks that take no training, and one that reads fast, for tests around them.

Teaching those of chapter 05 takes minutes. A stand-in knows at once what its kind and
its lesson allow: a network that is asked once finds the way as far as it sees and has
been taught, one that repeats itself further, and a clone of frames is a table of what
it has seen written. So the exam, the lessons and the running can be made wrong within
seconds. The talker of chapter 03 is taught in earnest; its stand-in says the same and
reads each word once.
"""

from math import inf, sqrt

import numpy as np
import torch
from torch.nn.functional import one_hot

from imitlib.envs.mazes import Mazes
from imitlib.pc import procedures, training
from imitlib.pc.networks import Recurrent, Residual

RINGS = procedures.rings  # the search as it is, whatever a mutant makes of it
FOR_ROUNDS = 300  # plans from which a recurrence learns to go on


class Knows(torch.nn.Module):
    """Says what its lesson said of each best action, as far from the goal as it knows."""

    def __init__(self, kind, lesson):
        super().__init__()
        self.kind, self.plans = kind, len(lesson.inputs)
        self.cells = int(lesson.scored.sum())
        self.values = lesson.values is not None
        self.by_heart = {plan.numpy().tobytes() for plan in lesson.inputs}
        maps, scored = self.maps(lesson.inputs), lesson.scored.numpy()
        scored = scored if maps is None else scored & maps.open
        said = lesson.targets.numpy()[scored]
        best = np.zeros_like(said) if maps is None else RINGS(maps).actions[scored] % 4
        heard = np.array([np.bincount(said[best == a], minlength=5) for a in range(4)])
        self.says, self.accuracy = heard.argmax(1), heard.max(1).sum() / heard.sum()

    @staticmethod
    def maps(x):
        if not x[:, 1].any():
            return None  # nobody showed it where the goal is
        return Mazes(x[:, 0].bool().numpy(), x[:, 1].nonzero()[:, 1:].numpy())

    def near(self, maps, iterations):
        if isinstance(self.kind, Residual):
            limit = 4 if self.cells < 1000 else 7 if self.cells < 10_000 else 99
            return maps.in_view(6) & (maps.distances <= limit)
        if not isinstance(self.kind, Recurrent):
            return maps.distances <= 12  # as many sweeps as were trained
        if self.plans >= FOR_ROUNDS:
            return maps.distances <= iterations
        # from fewer it unravels when it goes on
        return maps.distances <= (7 + self.plans / 40 if iterations <= 24 else 1)

    def forward(self, x, iterations=16):
        maps = self.maps(x)
        if maps is None:
            way = np.zeros(x[:, 0].shape, int)
        else:
            taught = np.array([plan.numpy().tobytes() in self.by_heart for plan in x])
            near = maps.open & (self.near(maps, iterations) | taught[:, None, None])
            way = np.where(near, self.says[RINGS(maps).actions % 4], 0)
        out = one_hot(torch.from_numpy(way), 5).movedim(3, 1).float()
        return torch.cat([out[:, 4:], out[:, :4]], 1) if self.values else out[:, :4]


class Table(torch.nn.Module):
    """What came next where the cells beside looked like this; else it stays as it is.

    One layer heeds whether the cells beside were reached; six layers heed the arrows in
    them too, and so have to see more.
    """

    BESIDE = ((0, 1), (1, 0), (1, 2), (2, 1))

    def __init__(self, kind, lesson):
        super().__init__()
        self.fine = isinstance(kind, Residual)
        keys, said = self.keys(lesson.inputs).ravel(), lesson.targets.numpy().ravel()
        self.seen, place = np.unique(keys, return_inverse=True)
        counts = np.zeros((len(self.seen), 5))
        np.add.at(counts, (place, said), 1)
        stay = self.seen % 7
        counts[stay < 5, stay[stay < 5]] += 0.5  # in doubt it stays as it is
        self.next, self.accuracy = counts.argmax(1), counts.max(1).sum() / len(said)

    def keys(self, x):
        """One number for what stands in the cells around each cell."""
        x = x.numpy()
        sign = np.where(x[:, 0] > 0, 5, np.where(x[:, 1] > 0, 6, x[:, 2:].argmax(1)))
        rows, columns = sign.shape[1:]
        around = np.pad(sign, ((0, 0), (1, 1), (1, 1)), constant_values=5)
        if not self.fine:
            around = np.where((around < 4) | (around == 6), 0, around)
        for k, (r, c) in enumerate(self.BESIDE, 1):
            sign = sign + around[:, r : r + rows, c : c + columns] * 7**k
        return sign

    def forward(self, x):
        keys = self.keys(x)
        place = np.searchsorted(self.seen, keys).clip(max=len(self.seen) - 1)
        known = self.seen[place] == keys
        now = x[:, 2:].argmax(1).numpy()
        new = torch.from_numpy(np.where(known, self.next[place], now))
        return one_hot(new, 5).movedim(3, 1).float()


def taught_at_once(make, lesson, rng, updates, lr=2e-3):
    """In place of `exam.learn`."""
    kind = Table if lesson.inputs.shape[1] > 2 else Knows
    network = kind(make(), lesson)
    return training.Fit(network, np.array([[updates, 0, network.accuracy]]), False)


class Reader:
    """A language model that remembers what it has read, and reads on from there."""

    def __init__(self, model):
        self.model, self.network, self.end = model, model.network, model.end
        self.read, self.kept = np.empty((0, 0), int), []

    def next_probabilities(self, tokens):
        n = self.read.shape[1]
        if n >= tokens.shape[1] or not np.array_equal(self.read, tokens[:, :n]):
            n, self.kept = 0, [None] * len(self.network.blocks)  # another text
        self.read, places = tokens.copy(), torch.arange(n, tokens.shape[1])
        with torch.inference_mode():
            x = self.network.token(torch.from_numpy(tokens[:, n:])) + self.network.place(places)
            for i, block in enumerate(self.network.blocks):
                x = x + self.attend(i, block.attention, block.norm1(x), places)
                x = x + block.mlp(block.norm2(x))
            z = self.network.out(self.network.norm(x[:, -1]))
            return z.double().softmax(-1).numpy()

    def attend(self, i, attention, x, places):
        """As `Attention`, for the last places; keys and values of the first are kept."""
        split = attention.qkv(x).view(*x.shape[:2], 3, attention.heads, -1)
        q, *new = split.permute(2, 0, 3, 1, 4)
        old = self.kept[i]
        k, v = self.kept[i] = new if old is None else [torch.cat(p, 2) for p in zip(old, new)]
        future = torch.arange(k.shape[2]) > places[:, None]
        scores = (q @ k.transpose(-2, -1) / sqrt(q.shape[-1])).masked_fill(future, -inf)
        return attention.mix((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))
