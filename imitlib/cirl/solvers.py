r"""Optimal joint play, exactly: two routes to one number, and an approximation.

The two players are one *coordinator* who knows only what Rollo knows: it tells Hana a
rule δ (what to do for each goal) and Rollo an action. Its problem is a partially
observed decision process with |A_H|^|Θ| · |A_R| actions, and the belief and the state
are all it needs to remember (Hadfield-Menell et al. 2016, theorem 1).

`exhaustive` tries every rule. `adapted` tries plans of Rollo's and lets Hana answer
each with her best, goal by goal, for she is the one who knows (Malik et al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from imitlib.cirl.belief import Impossible, checked_belief, given, subsets
from imitlib.cirl.game import Game

__all__ = ["Plans", "Solution", "adapted", "exhaustive", "full_information",
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

    def goals_left(self, history) -> int:
        """The set of goals that a history leaves, as a number; 0 if none is left."""
        left = self.rules.shape[1] - 1
        for t, (state, human, _) in enumerate(history):
            hits = self.rules[t, left, state] == human
            left = int(left & (hits << np.arange(len(hits))).sum())
        return left

    def human_acts(self, history, state: int, goal: int) -> int:
        """Her part, as `play` wants it, for a goal that the history leaves."""
        act = int(self.rules[len(history), self._left(history), state, goal])
        if act < 0:
            raise Impossible(f"goal {goal} does not explain what she did so far")
        return act

    def robot_acts(self, history, state: int) -> int:
        """His part, as `play` wants it."""
        return int(self.robot[len(history), self._left(history), state])

    def _left(self, history) -> int:
        left = self.goals_left(history)
        if left == 0:
            raise Impossible("no goal explains what she did; the solution says nothing "
                             "about play off its path")
        return left


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


@dataclass(frozen=True, eq=False)
class Plans:
    """What `adapted` keeps: plans of Rollo's, each with what it is worth for each goal.

    Attributes
    ----------
    value : float
        Of the best plan at the game's start and prior; a plan attains it.
    bound : float
        The optimum is at most ``value + bound``.
    vectors : list of list of (m, Θ)
        ``vectors[t][s]``: the worth of each plan from step t on.
    tried : int
        Plans that were compared.
    """

    value: float
    bound: float
    vectors: list
    tried: int

    @cached_property
    def kept(self) -> int:
        """Plans that were kept, over all steps and states."""
        return sum(len(v) for step in self.vectors for v in step)

    def at(self, belief, state: int, step: int = 0) -> float:
        """The best plan's value at another belief: what it is worth, no bound."""
        vectors = self.vectors[step][state]
        return float((vectors @ checked_belief("belief", belief, vectors.shape[1])).max())


def adapted(game: Game, beliefs=None) -> Plans:
    r"""Plans of Rollo's, and Hana's best response to each, goal by goal.

    A plan σ is an action and, for each thing he may see next, another plan:

    .. math:: \alpha_\sigma(s, \theta) = \max_{a_H} \Big[ r(s, a_H, a_R; \theta) + \gamma
        \sum_{s'} P(s' \mid s, a_H, a_R)\, \alpha_{\sigma(a_H, s')}(s', \theta) \Big].

    The maximum stands inside, so no rule is ever listed. A maximum of plans is convex
    in each of them, so a plan that is nowhere best may go before it is combined.

    Parameters
    ----------
    beliefs : (k, Θ), optional
        Where plans must be best to be kept. If not given: the prior on every set of
        goals, which is every belief that play can reach, so that nothing is lost.
        With fewer beliefs the result is point-based, and `bound` is what it may lack:
        each time plans are dropped, at most

        .. math:: d \, (r_{max} - r_{min}) \sum_{k < h} \gamma^k

        with d the largest distance (sum of absolute differences) from a reachable
        belief to the nearest of those given, and h the steps to go. Its form is that
        of Pineau, Gordon and Thrun (2003). What full information would add is a bound
        too, and the smaller of the two is kept.

    Raises
    ------
    ValueError
        If `beliefs` is not a list of beliefs over the game's goals.
    """
    n, S, H = game.n_goals, game.n_states, game.horizon
    reachable = np.array([given(game.prior, u) for u in subsets(n)[1:]
                          if game.prior[u].sum() > 0])  # fmt: skip
    points = reachable
    if beliefs is not None:
        points = np.array([checked_belief(f"beliefs[{i}]", b, n) for i, b in enumerate(beliefs)])
        if not len(points):
            raise ValueError("beliefs is empty; give at least one")
    apart = max(np.abs(points - b).sum(axis=1).min() for b in reachable)
    widest = int((game.transitions > 0).sum(axis=3).max())
    drops = widest - 1 + max(game.n_human - 1, 1)
    vectors = [[np.zeros((1, n))] * S]
    tried, bound = 0, 0.0
    for h in range(1, H + 1):
        now = []
        for s in range(S):
            plans = []
            for a in np.flatnonzero(game.robot_may[s]):
                answered = None
                for b in np.flatnonzero(game.human_may[s]):
                    worth = game.reward[s, b, a][None]
                    for s_next in np.flatnonzero(game.transitions[s, b, a]):
                        chance = game.discount * game.transitions[s, b, a, s_next]
                        worth, k = _joined(worth, chance * vectors[-1][s_next], np.add, points)
                        tried += k
                    if answered is None:
                        answered = worth
                    else:
                        answered, k = _joined(answered, worth, np.maximum, points)
                        tried += k
                plans.append(answered)
            plans = np.concatenate(plans)
            now.append(plans[np.unique((plans @ points.T).argmax(axis=0))])
        vectors.append(now)
        range_left = np.ptp(game.reward) * (game.discount ** np.arange(h)).sum()
        bound = game.discount * bound + drops * apart * range_left
    value = float((vectors[-1][game.start] @ game.prior).max())
    bound = min(float(bound), max(full_information(game) - value, 0.0))
    return Plans(value, bound, vectors[::-1], tried)


def _joined(first, second, how, points):
    """Every pair combined; of these, the best at each point; and how many there were."""
    if len(first) < len(second):
        first, second = second, first
    best, kept = np.full(len(points), -np.inf), np.zeros((len(points), points.shape[1]))
    for vector in second:  # row by row: the pairs never stand in memory all at once
        pairs = how(first, vector)
        scores = pairs @ points.T
        top = scores.argmax(axis=0)
        score = scores[top, np.arange(len(points))]
        better = score > best
        best[better], kept[better] = score[better], pairs[top[better]]
    return np.unique(kept, axis=0), len(first) * len(second)


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
