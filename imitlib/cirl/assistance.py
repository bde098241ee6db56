r"""One signal, one act: the smallest assistance game in which teaching can pay.

Hana does one thing that is worth something in itself, u_H(θ, m). Rollo sees it and does
one thing, worth u_R(θ, a) to both. Here it is short to say who assumes what of whom:

- *literal* Hana does what is best for her own step; a *literal* Rollo assumes that she is;
- *pedagogic* Hana answers a literal Rollo; a *pragmatic* Rollo assumes that she does.

The words are those of Fisac et al. (2017) and Milli and Dragan (2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from imitlib.cirl.belief import checked_belief, one_hot
from imitlib.cirl.game import Game

__all__ = ["OneShot", "random_one_shot"]


@dataclass(frozen=True, eq=False)
class OneShot:
    """Both of their steps, and what each is worth for each goal.

    Attributes
    ----------
    hers : (Θ, M)
    his : (Θ, A)
    prior : (Θ,)

    Raises
    ------
    ValueError
        If shapes do not fit, or the prior does not sum to 1.
    """

    hers: np.ndarray
    his: np.ndarray
    prior: np.ndarray

    def __post_init__(self):
        hers, his = np.asarray(self.hers, float), np.asarray(self.his, float)
        if hers.ndim != 2 or his.ndim != 2 or len(hers) != len(his):
            raise ValueError(f"hers has shape {hers.shape} and his {his.shape}; they must "
                             "be (goals, actions) with the same goals")
        object.__setattr__(self, "hers", hers)
        object.__setattr__(self, "his", his)
        object.__setattr__(self, "prior", checked_belief("prior", self.prior, len(hers)))

    def literal_human(self) -> np.ndarray:
        """For each goal, what is best for her own step, (Θ,)."""
        return self.hers.argmax(axis=1)

    def response(self, answers) -> np.ndarray:
        """For each goal, her best action against a Rollo who answers so, (Θ,)."""
        if np.shape(answers) != self.hers.shape[1:]:
            raise ValueError(f"answers has shape {np.shape(answers)}; it must be one act "
                             f"for each of {self.hers.shape[1]} actions of hers")
        return (self.hers + self.his[:, answers]).argmax(axis=1)

    def answers(self, rule, off_path=None) -> np.ndarray:
        """His best answer to each action of hers, if she plays this rule, (M,).

        Parameters
        ----------
        rule : (Θ,) int
        off_path : (Θ,), optional
            What he believes after an action that the rule never plays; the prior, if
            not given.
        """
        off_path = self.prior if off_path is None else off_path
        off_path = checked_belief("off_path", off_path, len(self.prior))
        if np.shape(rule) != self.prior.shape:
            raise ValueError(f"rule has shape {np.shape(rule)}; it must be one action for "
                             f"each of {len(self.prior)} goals")
        weights = self.prior * one_hot(rule, self.hers.shape[1]).T
        weights[weights.sum(axis=1) == 0] = off_path
        return (weights @ self.his).argmax(axis=1)

    def value(self, rule, answers) -> float:
        """What a pair of ways to play is worth before the goal is drawn."""
        goals, rule = np.arange(len(self.prior)), np.asarray(rule)
        each = self.hers[goals, rule] + self.his[goals, np.asarray(answers)[rule]]
        return float(self.prior @ each)

    def pairs(self, off_path=None) -> dict[str, float]:
        """The value of each of the four pairs, named (who she is)_(who he is)."""
        literal = self.literal_human()
        to_literal = self.answers(literal, off_path)
        pedagogic = self.response(to_literal)
        to_pedagogic = self.answers(pedagogic, off_path)
        return {
            "literal_literal": self.value(literal, to_literal),
            "pedagogic_literal": self.value(pedagogic, to_literal),
            "literal_pragmatic": self.value(literal, to_pedagogic),
            "pedagogic_pragmatic": self.value(pedagogic, to_pedagogic),
        }

    def settled(self, most: int = 100) -> float:
        """Where answering each other ends, from the literal pair on.

        No step lowers the value, and there are finitely many ways to play.
        """
        rule = self.literal_human()
        answers = self.answers(rule)
        for _ in range(most):
            rule = self.response(answers)
            if (self.answers(rule) == answers).all():
                break
            answers = self.answers(rule)
        return self.value(rule, answers)

    def promises(self) -> np.ndarray:
        """What her response is worth, for every way to answer what a literal Hana never does.

        What she does he answers as a literal Rollo. The rest never comes up while she is
        literal, so he may promise for it what he likes, and it costs nothing.
        """
        M, A = self.hers.shape[1], self.his.shape[1]
        literal = self.literal_human()
        unheard = np.setdiff1d(np.arange(M), literal)
        every = np.tile(self.answers(literal), (A ** len(unheard), 1))
        every[:, unheard] = list(product(range(A), repeat=len(unheard)))
        return self.prior @ (self.hers[:, None] + self.his[:, every]).max(axis=2)

    def optimum(self) -> float:
        """The best pair: every way to answer, with her response to each."""
        M, A = self.hers.shape[1], self.his.shape[1]
        every = np.array(list(product(range(A), repeat=M)))
        best = (self.hers[:, None] + self.his[:, every]).max(axis=2)  # (Θ, A**M)
        return float((self.prior @ best).max())

    def informed(self) -> float:
        """The value if he knew the goal too."""
        return float(self.prior @ (self.hers.max(axis=1) + self.his.max(axis=1)))

    def deaf(self) -> float:
        """The value if he does the same whatever she does."""
        return float(self.prior @ self.hers.max(axis=1) + (self.prior @ self.his).max())

    def game(self) -> Game:
        """The same as a `Game` of two turns."""
        goals, M = self.hers.shape
        A = self.his.shape[1]
        P = np.zeros((2, M, A, 2))
        P[..., 1] = 1
        reward = np.stack([np.broadcast_to(self.hers.T[:, None], (M, A, goals)),
                           np.broadcast_to(self.his.T[None], (M, A, goals))])  # fmt: skip
        her_turn, his_turn = np.ones((2, M), bool), np.ones((2, A), bool)
        her_turn[1, 1:] = his_turn[0, 1:] = False
        return Game(P, reward, self.prior, 2, human_may=her_turn, robot_may=his_turn)


def random_one_shot(rng, goals=4, signals=4, acts=4, stake=3.0) -> OneShot:
    """Every worth drawn from a normal distribution; his step counts `stake` times."""
    return OneShot(rng.normal(size=(goals, signals)),
                   stake * rng.normal(size=(goals, acts)), np.full(goals, 1 / goals))  # fmt: skip
