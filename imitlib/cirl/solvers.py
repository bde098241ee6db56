r"""Optimal joint play, rule by rule; the best answer to a rule; and what bounds both.

The two players are one *coordinator* who knows only what Rollo knows: it tells Hana a
rule δ (what to do for each goal) and Rollo an action. Its problem is a partially
observed decision process with |A_H|^|Θ| · |A_R| actions, and the belief and the state
are all it needs to remember (Hadfield-Menell et al. 2016, theorem 1).

`exhaustive` tries every rule; `imitlib.cirl.plans` comes to the same value without
listing any.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from imitlib.cirl.belief import Impossible, subsets
from imitlib.cirl.game import Game

__all__ = ["Solution", "answer_to", "exhaustive", "full_information",
           "if_rewards_were_sent", "no_sharing"]


@dataclass(frozen=True, eq=False)
class Solution:
    """What the coordinator does, for every set of goals that may be left.

    Attributes
    ----------
    value : float
        Of the game from its start.
    ahead : (H + 1, 2**Θ, S)
        Value from step t on, times the prior probability of the set.
    robot : (H, 2**Θ, S) int
        Rollo's action. Bit θ of a set is 1 while θ is possible.
    rules : (H, 2**Θ, S, Θ) int
        Hana's rule; -1 for goals outside the set.
    tried : int
        Pairs of a rule and an action of Rollo's that were compared.
    """

    value: float
    ahead: np.ndarray
    robot: np.ndarray
    rules: np.ndarray
    tried: int

    def goals_left(self, history, *, stay: bool = False) -> int:
        """The set of goals that a history leaves, as a number; 0 if none is left.

        With `stay`, a move that no goal explains leaves all that were left before it.
        Goals of prior 0 count as the others do; nothing depends on what they would do.
        """
        left = self.rules.shape[1] - 1
        for t, (state, human, _) in enumerate(history):
            self._check(t, state)
            hits = self.rules[t, left, state] == human
            explain = int(left & (hits << np.arange(len(hits))).sum())
            left = explain or left * stay
        return left

    def human_acts(self, history, state: int, goal: int) -> int:
        """Her part, as `play` wants it, for a goal that the history leaves.

        Raises
        ------
        Impossible
            If the history rules this goal out, or all of them.
        ValueError
            If there is no such state or goal, or the game is over.
        """
        if goal not in range(self.rules.shape[3]):
            raise ValueError(f"goal is {goal}; legal: 0 to {self.rules.shape[3] - 1}")
        self._check(len(history), state)
        act = int(self.rules[len(history), self._explained(history), state, goal])
        if act < 0:
            raise Impossible(f"goal {goal} does not explain what she did so far")
        return act

    def robot_acts(self, history, state: int, *, stay: bool = False) -> int:
        """His part, as `play` wants it, off the path too with `stay`; raises likewise."""
        self._check(len(history), state)
        left = self.goals_left(history, stay=True) if stay else self._explained(history)
        return int(self.robot[len(history), left, state])

    def _explained(self, history) -> int:
        left = self.goals_left(history)
        if left == 0:
            raise Impossible("no goal explains what she did; the solution says nothing "
                             "about play off its path")
        return left

    def _check(self, t, state):
        H, _, S, _ = self.rules.shape
        if t >= H:
            raise ValueError(f"history has {t} steps; the game is over after {H}")
        if state not in range(S):
            raise ValueError(f"state is {state}; legal: 0 to {S - 1}")


def exhaustive(game: Game) -> Solution:
    r"""Every decision rule, for every set of goals that may be left.

    With :math:`W_t(U, s)` the value from step t on times the prior weight of U,

    .. math:: W_t(U, s) = \max_{a_R,\, \delta}\; \sum_{\theta \in U} p(\theta)\,
        r(s, \delta(\theta), a_R; \theta) + \gamma \sum_{a_H, s'} P(s' \mid s, a_H, a_R)\,
        W_{t+1}(U \cap \delta^{-1}(a_H), s').

    Beliefs are sets here because deterministic rules suffice: the value of a rule is
    convex in the belief it leads to. One backup of all Θ goals tries
    :math:`|A_H|^{|\Theta|} |A_R|` pairs.
    """
    n, S, H = game.n_goals, game.n_states, game.horizon
    sets, bits = subsets(n), 1 << np.arange(n)
    ahead = np.zeros((H + 1, 2**n, S))
    robot = np.zeros((H, 2**n, S), int)
    rules = np.full((H, 2**n, S, n), -1)
    tried = 0
    legal = [tuple(np.flatnonzero(may).tolist()) for may in game.human_may]
    every = {}  # the rules of each set, for what is legal for her
    for may, k in product(set(legal), range(1, 2**n)):
        goals = np.flatnonzero(sets[k])
        tries = np.array(list(product(may, repeat=len(goals))), dtype=np.int8)
        every[may, k] = tries, [(a, (tries == a) @ bits[goals]) for a in may]
    for t, s, k in product(reversed(range(H)), range(S), range(1, 2**n)):
        goals, best = np.flatnonzero(sets[k]), -np.inf
        tries, parts = every[legal[s], k]  # parts: who is left after each action of hers
        for a in np.flatnonzero(game.robot_may[s]):
            now = (game.prior * game.reward[s, :, a])[:, goals]
            total = now[tries, np.arange(len(goals))].sum(axis=1)
            for h, left in parts:
                total += (game.discount * ahead[t + 1] @ game.transitions[s, h, a])[left]
            i, tried = int(total.argmax()), tried + len(tries)
            if total[i] > best:
                best = ahead[t, k, s] = total[i]
                robot[t, k, s], rules[t, k, s, goals] = a, tries[i]
    return Solution(float(ahead[0, -1, game.start]), ahead, robot, rules, tried)


def answer_to(game: Game, rule) -> Solution:
    r"""Rollo's best answer to a Hana who plays one rule throughout; of equals, the first.

    .. math:: W_t(U, s) = \max_{a_R} \sum_{\theta \in U} p(\theta)\, r(s, \delta(s, \theta),
        a_R; \theta) + \gamma \sum_{a_H, s'} P(s' \mid s, a_H, a_R)\,
        W_{t+1}(U \cap \delta(s)^{-1}(a_H), s')

    Parameters
    ----------
    rule : (S, Θ) int
        A legal move for each state and goal.

    Raises
    ------
    ValueError
        If the rule has another shape or a move that is not legal.
    """
    rule, (S, n, H) = np.asarray(rule), (game.n_states, game.n_goals, game.horizon)
    if rule.shape != (S, n) or not ((rule >= 0) & (rule < game.n_human)).all():
        raise ValueError(f"rule has shape {rule.shape}; it must be ({S}, {n}), of moves "
                         f"0 to {game.n_human - 1}")
    if not np.take_along_axis(game.human_may, rule, axis=1).all():
        raise ValueError("rule holds a move that is not legal in its state")
    sets, bits, goals = subsets(n), 1 << np.arange(n), np.arange(n)
    ahead, robot = np.zeros((H + 1, 2**n, S)), np.zeros((H, 2**n, S), int)
    rules = np.where(sets[:, None], rule, -1)  # (2**n, S, n)
    for t in reversed(range(H)):
        for s in range(S):
            worth = sets @ (game.prior[:, None] * game.reward[s, rule[s], :, goals])
            for h in np.unique(rule[s]):
                left = (rules[:, s] == h) @ bits  # the set that this move leaves, (2**n,)
                worth += game.discount * ahead[t + 1][left] @ game.transitions[s, h].T
            worth[:, ~game.robot_may[s]] = -np.inf
            robot[t, :, s], ahead[t, :, s] = worth.argmax(axis=1), worth.max(axis=1)
    ahead[:, 0] = 0.0  # no goal is left: nothing to be had
    return Solution(float(ahead[0, -1, game.start]), ahead, robot,
                    np.broadcast_to(rules, (H, *rules.shape)), 0)  # fmt: skip


def full_information(game: Game) -> float:
    """What the game would be worth if Rollo were told the goal: an upper bound."""
    ahead = np.zeros((game.n_states, game.n_goals))
    for _ in range(game.horizon):
        ahead = _legal(game, _q(game, ahead)).max(axis=(1, 2))
    return float(ahead[game.start] @ game.prior)


def if_rewards_were_sent(game: Game) -> float:
    """What the game would be worth if Rollo saw the reward of the first step.

    Where the rewards of different goals differ, seeing one gives the goal away, and
    everything from the second step on is as with `full_information`. Where two goals
    pay the same for some pair of actions, it is an upper bound of that.
    """
    ahead = np.zeros((game.n_states, game.n_goals))
    for _ in range(game.horizon - 1):
        ahead = _legal(game, _q(game, ahead)).max(axis=(1, 2))
    q = _legal(game, _q(game, ahead))[game.start]  # she knows the goal, he does not yet
    return float((q.max(axis=0) @ game.prior).max())


def no_sharing(game: Game) -> float:
    """What it is worth if Rollo never reads anything into what Hana does.

    He acts on the prior in every state; she answers that as well as she can.
    """
    best = -np.inf
    legal = [np.flatnonzero(game.robot_may[s]) for s in range(game.n_states)]
    steps = range(game.horizon)
    for plan in product(product(*legal), repeat=game.horizon):
        ahead = np.zeros((game.n_states, game.n_goals))
        for t in reversed(steps):
            q = _legal(game, _q(game, ahead))
            ahead = q[np.arange(game.n_states), :, list(plan[t])].max(axis=1)
        best = max(best, float(ahead[game.start] @ game.prior))
    return best


def _q(game, ahead):
    """(S, A_H, A_R, Θ): this step's reward and, discounted, what comes after."""
    return game.reward + game.discount * game.transitions @ ahead


def _legal(game, q):
    may = game.human_may[:, :, None] & game.robot_may[:, None, :]
    return np.where(may[..., None], q, -np.inf)
