r"""People who err in a way of their own: edits of one Bellman backup.

Somebody who reckons well repeats, until nothing changes,

.. math:: Q(s, a) = r(s, a) + \gamma\, \mathrm{E}[V(s')], \qquad V(s) = \max_a Q(s, a).

The people here change one part of it: the discount, the number of rounds, the chances
that they believe in, what an expectation is, what a plan is worth, or their own part in
it. What they do is as before: softmax of what they reckon. The list is, with changes,
that of Chan, Critch and Dragan (2021); Evans, Stuhlmüller and Goodman (2016) have
false beliefs and (in `hyperbolic`) the minds that change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_horizon, checked_positive, reward_of

__all__ = ["Person", "behave", "pick", "reckon"]

MOST_SWEEPS = 5_000
TOLERANCE = 1e-10  # of a value, at which the sweeps stop


@dataclass(frozen=True, eq=False)
class Person:
    r"""How somebody plans. As it stands, she errs only by slips of the hand.

    Attributes
    ----------
    temperature : float
        :math:`\tau \ge 0`. She does `a` with odds :math:`e^{Q(s, a) / \tau}`; at 0, one
        of the best.
    discount : float, optional
        *Myopic*: what comes a step later counts so much, whatever the world says.
    horizon : int, optional
        *Short-sighted*: she looks so many steps ahead and no further.
    mood : float
        *Optimist* above 0, *pessimist* below: what follows is worth, to her,
        :math:`\log \mathrm{E}[e^{w V(s')}] / w` with w the mood: towards the best of what
        can happen, or the worst; 0 is the mean (Howard and Matheson 1972).
    peak : float, optional
        *Extremal*: :math:`Q = \mathrm{E}\max(r, (1 - \text{peak})\, r + \text{peak}\, V(s'))`,
        in place of a sum: she remembers the best moment. Then no discount enters.
    belief : MDP, optional
        *Falsely believing*: the world whose transitions she believes in.
    leaning : (S, A) or (A,) array, optional
        *A fixed bias*: added to what she reckons whenever she picks; her plans do
        not know of it.
    foresees : bool
        *Boltzmann*: her plans reckon with the slips to come, :math:`V = \sum_a \pi Q`.
    """

    temperature: float = 0.1
    discount: float | None = None
    horizon: int | None = None
    mood: float = 0.0
    peak: float | None = None
    belief: object = None
    leaning: object = None
    foresees: bool = False

    def __post_init__(self):
        if not self.temperature >= 0:
            raise ValueError(f"temperature is {self.temperature}; it must be 0 or more")
        if self.discount is not None and not 0 <= self.discount <= 1:
            raise ValueError(f"discount is {self.discount}; it must lie in [0, 1]")
        if self.horizon is not None:
            checked_horizon(self.horizon)
        if not np.isfinite(self.mood):
            raise ValueError(f"mood is {self.mood}; it must be finite")
        if self.peak is not None and not 0 <= self.peak < 1:
            raise ValueError(f"peak is {self.peak}; it must lie in [0, 1)")


def reckon(mdp, person: Person, *, reward=None) -> np.ndarray:
    """What each action is worth in her eyes, (..., S, A).

    Parameters
    ----------
    mdp : MDP
    person : Person
    reward : (..., S, A) array, optional
        In place of the world's own; many at once are planned for together.

    Raises
    ------
    ValueError
        If her plans never settle, as they need not at discount 1 or with slips
        foreseen; or if her belief is of another world.
    """
    reward, seen = reward_of(mdp, reward), mdp if person.belief is None else person.belief
    if (seen.n_states, seen.n_actions) != mdp.reward.shape:
        raise ValueError(f"belief has {seen.n_states} states and {seen.n_actions} actions; "
                         f"the world has {mdp.n_states} and {mdp.n_actions}")
    discount = mdp.discount if person.discount is None else person.discount
    values = np.zeros(reward.shape[:-1])
    for _ in range(MOST_SWEEPS if person.horizon is None else person.horizon):
        q = _backup(seen, reward, values, discount, person)
        better = (pick(q, person.temperature) * q).sum(-1) if person.foresees else q.max(-1)
        change, values = np.abs(better - values).max(), better
        if person.horizon is None and change <= TOLERANCE:
            return q
    if person.horizon is None:
        raise ValueError(f"her plans never settle: after {MOST_SWEEPS} sweeps a value still "
                         f"changes by {change:.2g}. Give her a horizon")
    return q


def _backup(seen, reward, values, discount, person):
    """One look ahead: this is where people differ."""
    if person.peak is None and person.mood == 0:
        return reward + discount * seen.next_values(values)
    exponent = person.mood * values
    if person.peak is None and np.ptp(exponent, axis=-1).max() < 600:  # exp stays a number
        top = exponent.max(-1, keepdims=True)
        log_mean = np.log(seen.next_values(np.exp(exponent - top))) + top[..., None]
        return reward + discount * log_mean / person.mood
    # what may follow, entry by entry of the transitions; a row of them for each (s, a)
    chances = seen.matrix
    first = chances.indptr[:-1]
    rows = np.repeat(np.arange(len(first)), np.diff(chances.indptr))
    follows = values[..., chances.indices]
    if person.peak is not None:
        now = reward.reshape(*reward.shape[:-2], -1)[..., rows]
        best = np.maximum(now, (1 - person.peak) * now + person.peak * follows)
        return np.add.reduceat(chances.data * best, first, axis=-1).reshape(reward.shape)
    exponent = person.mood * follows
    top = np.maximum.reduceat(exponent, first, axis=-1)  # each row's own
    mean = np.add.reduceat(chances.data * np.exp(exponent - top[..., rows]), first, axis=-1)
    return reward + discount * ((np.log(mean) + top) / person.mood).reshape(reward.shape)


def behave(mdp, person: Person, *, reward=None) -> np.ndarray:
    r"""Her policy, :math:`\pi(a \mid s) \propto e^{(Q(s, a) + \text{leaning}) / \tau}`.

    Arguments and errors as for `reckon`.

    Returns
    -------
    (..., S, A) array
        Rows sum to 1.
    """
    q = reckon(mdp, person, reward=reward)
    if person.leaning is not None:
        leaning = real_numbers("leaning", person.leaning)
        if leaning.shape not in (q.shape[-2:], q.shape[-1:]):
            raise ValueError(f"leaning has shape {leaning.shape}; it must be "
                             f"{q.shape[-2:]} or {q.shape[-1:]}")
        q = q + leaning
    return pick(q, person.temperature)


def pick(q, temperature: float) -> np.ndarray:
    """Softmax over the last axis; at temperature 0, evenly among the best (up to 1e-9)."""
    best = q.max(-1, keepdims=True)
    if temperature == 0:
        odds = (q >= best - 1e-9 * np.maximum(1, np.abs(best))).astype(float)
    else:
        odds = np.exp((q - best) / checked_positive("temperature", temperature))
    return odds / odds.sum(-1, keepdims=True)
