r"""Optimal joint play, plan by plan: Hana answers each plan of Rollo's, goal by goal.

She is the one who knows the goal, so nobody has to tell her a rule (Malik et al. 2018).
If she errs, she answers with her best but for slips, and then much of what made this
exact is gone. With few beliefs it is an approximation, with a bound on what it lacks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imitlib.cirl.belief import checked_belief, given, subsets
from imitlib.cirl.game import Game
from imitlib.cirl.solvers import full_information

__all__ = ["Plans", "adapted"]


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
