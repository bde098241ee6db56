r"""The order book: which house takes which loaf, and how one talks about it.

Hana has the book in her head. Rollo has seen some loaves go out, the busy houses many
times and the quiet ones never: on his round he meets the house of rank r with chance

.. math:: p_r \propto r^{-a} \qquad \text{(Zipf)}

Asked "house 17?" one answers with a loaf, or says that one does not know. Answers are
numbered: 0 ... K - 1 are the loaves, K is "I don't know". Which tokens an answer is
made of is a convention, the `Tokenisation`. There are two of them here:

- `one_token`: "I don't know" is one word among K + 1;
- `form_first`: "It is rye", or "I do not know". The first word says whether one
  knows, the loaf comes later.

What a demonstrator answers depends on what he knows: a mask of the houses, (N,) bool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.counting import integers_below

__all__ = [
    "GARBLED", "OrderBook", "Text", "Tokenisation", "answers", "form_first", "half_of",
    "knows_all", "knows_seen", "one_token", "sightings", "vocabulary",
]  # fmt: skip

GARBLED = -1  # what is read where tokens make no answer
END, NOTE, ASK, ABSTAIN = "<end>", "note:", "ask:", "don't-know"
LOAVES = ("rye", "spelt", "poppy", "sesame", "oat", "barley", "sourdough", "milk",
          "walnut", "olive")


@dataclass(frozen=True, eq=False)
class OrderBook:
    """N houses and the loaf of each.

    Attributes
    ----------
    loaf : (N,) int64
        In 0 ... K - 1.
    n_loaves : int
        K, at least 2.

    Raises
    ------
    ValueError, TypeError
        For an empty book, or a loaf that there is not.
    """

    loaf: np.ndarray
    n_loaves: int = 10

    def __post_init__(self):
        if not isinstance(self.n_loaves, int | np.integer) or self.n_loaves < 2:
            raise ValueError(f"n_loaves is {self.n_loaves}; it must be a whole number, "
                             "at least 2")
        if not np.size(self.loaf):
            raise ValueError("the order book is empty; it must have at least one house")
        object.__setattr__(self, "loaf",
                           integers_below(int(self.n_loaves), "loaf", self.loaf))

    @classmethod
    def draw(cls, n_houses: int, rng, n_loaves: int = 10) -> OrderBook:
        """A book in which every house took its loaf by chance: nothing to infer."""
        if n_houses < 1 or n_loaves < 2:
            raise ValueError(f"n_houses is {n_houses} and n_loaves {n_loaves}; there "
                             "must be at least 1 house and 2 loaves")
        return cls(rng.integers(n_loaves, size=n_houses), n_loaves)

    def __len__(self) -> int:
        return len(self.loaf)

    @property
    def dont_know(self) -> int:
        """The number of the answer "I don't know": K, after the loaves."""
        return int(self.n_loaves)


# Who knows what ---------------------------------------------------------------------


def sightings(book: OrderBook, n: int, rng, exponent: float = 1.0) -> np.ndarray:
    r"""How often each house was seen in n stops of the round, (N,); they sum to n.

    Each stop is at the house of rank r with chance :math:`\propto r^{-a}`, a =
    `exponent`; which house has which rank is drawn too.
    """
    if n < 0 or not 0 <= exponent < np.inf:
        raise ValueError(f"n is {n} and exponent {exponent}; both must be 0 or more")
    chance = np.arange(1, len(book) + 1) ** -float(exponent)
    return rng.permutation(rng.multinomial(n, chance / chance.sum()))


def knows_all(book: OrderBook) -> np.ndarray:
    """Hana: every house, (N,)."""
    return np.ones(len(book), bool)


def knows_seen(seen, at_least: int = 1) -> np.ndarray:
    """Matched to the learner: the houses that he saw often enough, (N,)."""
    if at_least < 1:
        raise ValueError(f"at_least is {at_least}; it must be 1 or more")
    return np.asarray(seen) >= at_least


def half_of(known, rng, share: float = 0.5) -> np.ndarray:
    """Someone who knows less: each house of `known` with chance `share`, (N,)."""
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; it must lie in [0, 1]")
    known = np.asarray(known, bool)
    return known & (rng.random(len(known)) < share)


def answers(book: OrderBook, houses, known) -> np.ndarray:
    """What one who knows the houses of `known` (N,) answers to each question, (B,)."""
    houses, known = integers_below(len(book), "houses", houses), np.asarray(known)
    if known.shape != (len(book),) or known.dtype != bool:
        raise TypeError(f"known has shape {known.shape} of {known.dtype}; it must be "
                        f"({len(book)},) bool, one for each house")
    return np.where(known[houses], book.loaf[houses], book.dont_know)


# How it is said ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Text:
    """Sentences, (N, T) tokens, and which of them are to be learned, (N, T) bool."""

    tokens: np.ndarray
    answer: np.ndarray

    def __add__(self, other: Text) -> Text:
        """Both, one after the other; the shorter sentences are filled up."""
        T = max(self.tokens.shape[1], other.tokens.shape[1])
        parts = [(np.pad(x.tokens, ((0, 0), (0, T - x.tokens.shape[1]))),
                  np.pad(x.answer, ((0, 0), (0, T - x.answer.shape[1]))))
                 for x in (self, other)]
        return Text(*map(np.concatenate, zip(*parts)))


def vocabulary(book: OrderBook) -> tuple[str, ...]:
    """All words of both tokenisations, the end token first, the houses last."""
    loaves = [LOAVES[k] if k < len(LOAVES) else f"loaf-{k}"
              for k in range(book.n_loaves)]
    return (END, NOTE, ASK, ABSTAIN, "it", "is", "i", "do", "not", "know", *loaves,
            *(f"house-{i}" for i in range(len(book))))


class Tokenisation:
    """One way to write the answers of a book as tokens, and to read them again.

    An assertion is the words of `before`, then the loaf; an abstention is the words of
    `abstention`; both finish with the end token.

    Parameters
    ----------
    book : OrderBook
    before, abstention : tuple of str
    words : tuple of str
        The vocabulary; a word's place in it is its token. The end token is at 0.

    Raises
    ------
    ValueError
        For a vocabulary in which a word stands twice or is missing, and for an
        abstention that is no words, or begins as an assertion may end.
    """

    def __init__(self, book: OrderBook, before=(), abstention=(ABSTAIN,), words=None):
        self.book = book
        self.words = vocabulary(book) if words is None else tuple(words)
        self.index = {word: token for token, word in enumerate(self.words)}
        if len(self.index) < len(self.words):
            twice = next(w for w in self.words if self.words.count(w) > 1)
            raise ValueError(f"words has {twice!r} twice; each must stand there once")
        if self.words[:1] != (END,):
            raise ValueError(f"words[0] must be the end token {END!r}")
        if not abstention:
            raise ValueError("abstention is empty; silence could not be told from an "
                             "answer that has not begun")
        missing = [w for w in abstention if w not in self.index]
        if missing:
            raise ValueError(f"words has no token for {missing[0]!r}, which the "
                             "abstention needs: nobody could say that he does not know")
        all_words = vocabulary(book)
        own = all_words[10 : 10 + book.n_loaves], all_words[10 + book.n_loaves :]
        self._loaf, self._house = (self._ids(part) for part in own)
        self._note, self._ask = self._ids([NOTE]), self._ids([ASK])
        rows = [[*self._ids(before), token, 0] for token in self._loaf]
        rows.append([*self._ids(abstention), 0])
        self.answer_length = max(map(len, rows))
        self._rows = np.array([r + [0] * (self.answer_length - len(r)) for r in rows])
        self._said = np.arange(self.answer_length) < np.array([[len(r)] for r in rows])
        if len(np.unique(self._rows, axis=0)) < len(rows):
            raise ValueError("two answers would be written alike; before is "
                             f"{before} and abstention {abstention}")

    def _ids(self, words) -> np.ndarray:
        for word in words:
            if word not in self.index:
                raise ValueError(f"words has no token for {word!r}")
        return np.array([self.index[word] for word in words], dtype=np.int64)

    def notes(self, seen) -> Text:
        """What Rollo saw, "note: house loaf", each house as often as `seen` (N,) says.

        To learn are the loaf and the end.
        """
        seen = integers_below(2**31, "seen", seen)
        if len(seen) != len(self.book) or not seen.any():
            raise ValueError(f"seen has {len(seen)} houses and {seen.sum()} sightings; "
                             f"it must have {len(self.book)} houses and some sightings")
        houses = np.repeat(np.arange(len(seen)), seen)
        return self.notes_of(houses, self.book.loaf[houses])

    def notes_of(self, houses, loaves) -> Text:
        """Notes in which each of `houses` (B,) took the loaf beside it, (B,).

        For houses that do not always take the same.
        """
        houses = integers_below(len(self.book), "houses", houses)
        loaves = integers_below(self.book.n_loaves, "loaves", loaves)
        if len(houses) != len(loaves):
            raise ValueError(f"houses has {len(houses)} rows and loaves {len(loaves)}; "
                             "they must have as many")
        tokens = np.stack([np.full(len(houses), self._note[0]), self._house[houses],
                           self._loaf[loaves], 0 * houses], 1)
        return Text(tokens, np.tile([False, False, True, True], (len(houses), 1)))

    def questions(self, houses) -> np.ndarray:
        """The prompts "ask: house", (B, 2)."""
        houses = integers_below(len(self.book), "houses", houses)
        return np.stack([np.full(len(houses), self._ask[0]), self._house[houses]], 1)

    def write(self, answers) -> np.ndarray:
        """The tokens of answers in 0 ... K, (B, answer_length), filled with ends."""
        return self._rows[integers_below(self.book.n_loaves + 1, "answers", answers)]

    def dialogue(self, houses, answers) -> Text:
        """Demonstrations: each question with its answer, which is what is to learn."""
        prompts, written = self.questions(houses), self.write(answers)
        if len(prompts) != len(written):
            raise ValueError(f"houses has {len(prompts)} rows and answers "
                             f"{len(written)}; they must have as many")
        return Text(np.concatenate([prompts, written], 1),
                    np.concatenate([prompts < 0, self._said[answers]], 1))

    def read(self, written) -> np.ndarray:
        """Answers 0 ... K from tokens (B, answer_length), or `GARBLED`; (B,)."""
        written = np.asarray(written)
        if written.ndim != 2 or written.shape[1] != self.answer_length:
            raise ValueError(f"written has shape {written.shape}; it must be "
                             f"(B, {self.answer_length})")
        same = (written[:, None] == self._rows).all(2)
        return np.where(same.any(1), same.argmax(1), GARBLED)


def one_token(book: OrderBook, words=None) -> Tokenisation:
    """ "rye", or "don't-know": one word among K + 1."""
    return Tokenisation(book, (), (ABSTAIN,), words)


def form_first(book: OrderBook, words=None) -> Tokenisation:
    """ "it is rye", or "i do not know": the first word says whether one knows."""
    return Tokenisation(book, ("it", "is"), ("i", "do", "not", "know"), words)
