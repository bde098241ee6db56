r"""Optimal joint play, exactly: two routes to one number, and an approximation.

The two players are one *coordinator* who knows only what Rollo knows: it tells Hana a
rule δ (what to do for each goal) and Rollo an action. Its problem is a partially
observed decision process with |A_H|^|Θ| · |A_R| actions, and the belief and the state
are all it needs to remember (Hadfield-Menell et al. 2016, theorem 1).

`exhaustive` tries every rule. `adapted` tries plans of Rollo's and lets Hana answer
each with her best, goal by goal, for she is the one who knows (Malik et al. 2018); or
with her best but for slips, and then much of what made it exact is gone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
        """The set of goals that a history leaves, as a number; 0 if none is left.

        Goals of prior 0 count as the others do; nothing depends on what they would do.
        """
        left = self.rules.shape[1] - 1
        for t, (state, human, _) in enumerate(history):
            self._check(t, state)
            hits = self.rules[t, left, state] == human
            left = int(left & (hits << np.arange(len(hits))).sum())
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
        act = int(self.rules[len(history), self._left(history, state), state, goal])
        if act < 0:
            raise Impossible(f"goal {goal} does not explain what she did so far")
        return act

    def robot_acts(self, history, state: int) -> int:
        """His part, as `play` wants it; raises as `human_acts` does."""
        return int(self.robot[len(history), self._left(history, state), state])

    def _left(self, history, state) -> int:
        self._check(len(history), state)
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
    scored : int
        Products of a plan and a belief that this took, each a sum over the goals.
    """

    value: float
    bound: float
    vectors: list
    tried: int
    scored: int

    def at(self, belief, state: int, step: int = 0) -> float:
        """The best plan's value at another belief: what it is worth, no bound.

        Raises
        ------
        ValueError
            If there is no such state or step, or the belief is none over the goals.
        """
        if step not in range(len(self.vectors)):
            raise ValueError(f"step is {step}; legal: 0 to {len(self.vectors) - 1}")
        if state not in range(len(self.vectors[step])):
            raise ValueError(f"state is {state}; legal: 0 to {len(self.vectors[step]) - 1}")
        vectors = self.vectors[step][state]
        return float((vectors @ checked_belief("belief", belief, vectors.shape[1])).max())


def adapted(game: Game, beliefs=None, temperature: float = 0.0) -> Plans:
    r"""Plans of Rollo's, and Hana's best response to each, goal by goal.

    A plan σ is an action and, for each thing he may see next, another plan:

    .. math:: Q_\sigma(s, \theta, a_H) = r(s, a_H, a_R; \theta) + \gamma
        \sum_{s'} P(s' \mid s, a_H, a_R)\, \alpha_{\sigma(a_H, s')}(s', \theta),
        \qquad \alpha_\sigma(s, \theta) = \max_{a_H} Q_\sigma(s, \theta, a_H).

    The maximum stands inside, so no rule is ever listed. A maximum of plans is convex
    in each of them, so a plan that is nowhere best may go before it is combined.

    With a temperature τ she errs, with odds :math:`e^{Q / \tau}`, and
    :math:`\alpha_\sigma = \sum_{a_H} \pi_\tau(a_H \mid Q_\sigma)\, Q_\sigma`. This is not
    convex: if what follows a bad move of hers is made worse, she makes it less often.
    So a plan that is nowhere best may be of use, as a threat, to a Rollo who keeps to
    what it planned. None may be dropped, and there are about
    :math:`|A_R| \, m^{|A_H|}` plans of one step more for m that can follow.

    Parameters
    ----------
    beliefs : (k, Θ), optional
        Where plans must be best to be kept. If not given: the prior on every set of
        goals, which is every belief that play can reach if she never errs, so that
        nothing is lost. With a temperature: every plan is kept, but for those of equal
        worth to 1e-12.
        With fewer beliefs the result is point-based, and `bound` is what it may lack:
        each time plans are dropped, at most

        .. math:: d \, (r_{max} - r_{min}) \sum_{k < h} \gamma^k

        with d the largest distance (sum of absolute differences) from a reachable
        belief to the nearest of those given, and h the steps to go. Its form is that
        of Pineau, Gordon and Thrun (2003). What full information would add is a bound
        too, and the smaller of the two is kept. With a temperature, the latter alone.
    temperature : float
        0 for a Hana who never errs. Otherwise `value` is the best of Rollo's
        deterministic plans, or with beliefs the best that was kept: it is attained.

    Raises
    ------
    ValueError
        If `beliefs` is not a list of beliefs over the game's goals, the temperature is
        below 0 or not finite, or there are too many plans to list.
    """
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; it must be finite and at least 0")
    n, S, H = game.n_goals, game.n_states, game.horizon
    reachable = np.array([given(game.prior, u) for u in subsets(n)[1:]
                          if game.prior[u].sum() > 0])  # fmt: skip
    points = None if temperature else reachable
    if beliefs is not None:
        points = np.array([checked_belief(f"beliefs[{i}]", b, n) for i, b in enumerate(beliefs)])
        if not len(points):
            raise ValueError("beliefs is empty; give at least one")
    vectors, tried, scored = [[np.zeros((1, n))] * S], 0, 0
    for _ in range(H):
        now = []
        for s in range(S):
            plans = []
            for a in np.flatnonzero(game.robot_may[s]):
                worths = []
                for b in np.flatnonzero(game.human_may[s]):
                    worth = game.reward[s, b, a][None]
                    for s_next in np.flatnonzero(game.transitions[s, b, a]):
                        chance = game.discount * game.transitions[s, b, a, s_next]
                        worth, k = _joined(worth, chance * vectors[-1][s_next], np.add, points)
                        tried += k
                    worths.append(worth)
                answered, k = _answered(worths, temperature, points)
                plans.append(answered)
                tried += k
            plans = np.concatenate(plans)
            scored += len(plans)
            now.append(_best(plans, points))
        vectors.append(now)
    value = float((vectors[-1][game.start] @ game.prior).max())
    bound = 0.0 if points is None else max(full_information(game) - value, 0.0)
    if not temperature:
        bound = min(bound, _lacking(game, reachable, points))
    scored = 0 if points is None else (tried + scored) * len(points)
    return Plans(value, bound, vectors[::-1], tried, scored)


MOST = 3_000_000  # plans of one state, action and step that are listed


def _answered(worths, temperature, points):
    """One of the worths for each action of hers, and her answer to every such choice."""
    if not temperature:
        answered, tried = worths[0], 0
        for worth in worths[1:]:
            answered, k = _joined(answered, worth, np.maximum, points)
            tried += k
        return answered, tried
    sizes = [len(worth) for worth in worths]
    number = math.prod(sizes)
    if number > MOST:
        raise ValueError(f"there are {number:,} plans for one state, action and step, and at "
                         f"temperature {temperature} each counts; give fewer beliefs, or fewer "
                         "steps")  # fmt: skip
    kept = []
    for first in range(0, number, 2**16):
        picks = np.unravel_index(np.arange(first, min(number, first + 2**16)), sizes)
        q = np.stack([worth[i] for worth, i in zip(worths, picks)])
        odds = np.exp((q - q.max(axis=0)) / temperature)
        kept.append(_best((odds * q).sum(axis=0) / odds.sum(axis=0), points))
    return np.concatenate(kept), number  # a few too many, if there were several parts


def _best(plans, points):
    """The plans that are best at some point; without points, all that differ."""
    if len(plans) == 1:
        return plans
    if points is None:
        return plans[np.unique(np.round(plans, 12), axis=0, return_index=True)[1]]
    return plans[np.unique((plans @ points.T).argmax(axis=0))]


def _joined(first, second, how, points):
    """Every pair combined; of these, the best at each point; and how many there were."""
    if len(first) == len(second) == 1:  # as where nothing can be earned any more
        return how(first, second), 1
    if len(first) < len(second):
        first, second = second, first
    if points is None:
        pairs = np.concatenate([how(first, vector) for vector in second])
        return _best(pairs, None), len(pairs)
    best, kept = np.full(len(points), -np.inf), np.zeros((len(points), points.shape[1]))
    for vector in second:  # row by row: the pairs never stand in memory all at once
        pairs = how(first, vector)
        scores = pairs @ points.T
        top = scores.argmax(axis=0)
        score = scores[top, np.arange(len(points))]
        better = score > best
        best[better], kept[better] = score[better], pairs[top[better]]
    return np.unique(kept, axis=0), len(first) * len(second)


def _lacking(game, reachable, points) -> float:
    """What plans that are best at these points may lack in value, if she never errs."""
    apart = max(np.abs(points - b).sum(axis=1).min() for b in reachable)
    widest = int((game.transitions > 0).sum(axis=3).max())
    drops = widest - 1 + max(game.n_human - 1, 1)
    bound = 0.0
    for h in range(1, game.horizon + 1):
        range_left = np.ptp(game.reward) * (game.discount ** np.arange(h)).sum()
        bound = game.discount * bound + drops * apart * range_left
    return float(bound)


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
