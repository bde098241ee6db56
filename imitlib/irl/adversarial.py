r"""Adversarial imitation in tables: a judge tells two diaries apart, a learner fools it.

The judge sees (state, action) pairs of the expert, who has occupancy :math:`q`, and of
the learner, who has :math:`p` (both scaled to sum to 1). The ideal judge says
:math:`D = q / (p + q)`, and what is left for the learner to minimise is a divergence of
the two occupancies. Which one, depends on the reward that is made of D: the gradient in
the learner's policy is exactly that of

======================  ===========================================
reward                  divergence that it descends
======================  ===========================================
``-log(1 - D)``         :math:`2\,\mathrm{JS}(p, q)`
``log D``               :math:`2\,\mathrm{KL}(\tfrac{p+q}{2}\,\|\,q)`
``log D - log(1 - D)``  :math:`\mathrm{KL}(p\,\|\,q)`
======================  ===========================================

Each is convex in p and 0 only at p = q, so each ends with the expert's occupancy where
some policy has it (Ho and Ermon 2016, theorem 2, for the first). There is no reward of
the expert's to be had from it: at the end the ideal judge says 1/2 everywhere.

`airl` gives the judge a form, :math:`f = g(s) + \gamma h(s') - h(s)`, in order to have
one (Fu, Luo and Levine 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import solve
from scipy.special import log_expit, log_softmax, xlogy

from imitlib import planning

__all__ = ["Airl", "Gail", "REWARDS", "airl", "divergence", "gail", "ideal_judge",
           "judge_reward"]  # fmt: skip

REWARDS = ("-log(1 - D)", "log D", "log D - log(1 - D)")
LEAST = 1e-12  # a judge is never surer than this: log 0 would be no number


def ideal_judge(expert, learner) -> np.ndarray:
    r"""The probability that a pair is the expert's, :math:`D = q / (p + q)`.

    Two occupancies of one shape and one sum, at least 0; 1/2 where nobody goes.
    """
    q, p = np.asarray(expert, float), np.asarray(learner, float)
    both = p + q
    return np.divide(q, both, out=np.full(both.shape, 0.5), where=both > 0)


def judge_reward(judge, kind: str = REWARDS[0]) -> np.ndarray:
    """What the learner is paid for a pair, from what the judge says of it."""
    _legal("reward", kind, REWARDS)
    sure = np.clip(judge, LEAST, 1 - LEAST)
    no, yes = -np.log1p(-sure), np.log(sure)
    return {"-log(1 - D)": no, "log D": yes}.get(kind, no + yes)


def divergence(expert, learner, kind: str = REWARDS[0]) -> float:
    """The divergence that a reward descends; see the table above. In nats."""
    _legal("reward", kind, REWARDS)
    q, p = (x / np.sum(x) for x in (np.asarray(expert, float), np.asarray(learner, float)))
    middle = (p + q) / 2

    def kl(a, b):
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.sum(xlogy(a, a) - xlogy(a, b)))

    return {
        "-log(1 - D)": kl(p, middle) + kl(q, middle),
        "log D": 2 * kl(middle, q),
    }.get(kind, kl(p, q) if kind == REWARDS[2] else 0.0)


@dataclass(frozen=True, eq=False)
class Gail:
    """What the learner does in the end, and how it came there.

    Attributes
    ----------
    policy, occupancy, judge : (S, A) arrays
        The occupancy sums to 1/(1-γ), as ever.
    divergences : (rounds + 1,) array
        Before the first round, and after each; see `divergence`.
    """

    policy: np.ndarray
    occupancy: np.ndarray
    judge: np.ndarray
    divergences: np.ndarray


def gail(mdp, expert, *, reward: str = REWARDS[0], ends: str = "counted",
         rounds: int = 300, step: float = 1.0, tol: float = 1e-10) -> Gail:
    r"""Imitate an occupancy: judge ideally, step up the natural policy gradient, repeat.

    .. math:: \pi(a \mid s) \leftarrow \pi(a \mid s)\, e^{\eta\, Q(s, a)} / Z(s)

    with Q the worth of the judge's reward under the present policy (Kakade 2002).

    Parameters
    ----------
    mdp : MDP
        Its reward is not looked at; the discount must be below 1.
    expert : (S, A) array
        The expert's occupancy, as `planning.occupancy` gives it or counted from
        demonstrations: at least 0, of any positive sum.
    reward : str
        One of `REWARDS`.
    ends : "counted" or "unpaid"
        Whether steps in a state that cannot be left are judged like any other. Many
        programs stop the diary there, and so pay 0 for them ("unpaid"): then a reward
        that is always positive says *linger*, and one that is always negative says
        *hurry*, whoever the expert is (Kostrikov and others 2019).
    rounds : int
    step : float
        :math:`\eta`, to begin with: where the ends are counted, a step after which the
        divergence is larger is taken back, and steps are half as long from there on.
    tol : float
        Stop once the divergence is below it. (With unpaid ends nobody knows when to stop:
        the learner moves on from the expert's own policy.)

    Raises
    ------
    ValueError
        If an argument is not legal, or nothing is left to be judged.
    """
    _legal("reward", reward, REWARDS)
    _legal("ends", ends, ("counted", "unpaid"))
    planning.following.checked_positive("step", step)
    if mdp.discount >= 1:
        raise ValueError(f"mdp has discount {mdp.discount:g}; it must be below 1")
    seen = np.ones(mdp.n_states, bool) if ends == "counted" else ~mdp.absorbing
    q = _occupancy("expert", expert, mdp) * seen[:, None]
    if not q.any():
        raise ValueError("expert has no occupancy outside of the ends; nothing to judge")

    def look(logits):
        policy = np.exp(logits)
        occupancy = planning.occupancy(mdp, policy)
        judged = occupancy * seen[:, None]
        p = judged / judged.sum()
        return policy, occupancy, ideal_judge(q / q.sum(), p), divergence(q, p, reward)

    logits = np.full(q.shape, -np.log(mdp.n_actions))
    policy, occupancy, judge, far = look(logits)
    history = [far]
    while len(history) <= rounds and (far >= tol or ends == "unpaid"):
        pays = judge_reward(judge, reward) * seen[:, None]
        values = planning.evaluate(mdp, policy, reward=pays)
        better = planning.q_values(mdp, values, pays) - values[:, None]
        tried = log_softmax(logits + step * better, axis=1)
        found = look(tried)
        if ends == "counted" and found[-1] > far:  # too far, by the judge's own measure
            step /= 2
        else:
            logits, (policy, occupancy, judge, far) = tried, found
        history.append(far)
    return Gail(policy, occupancy, judge, np.array(history))


@dataclass(frozen=True, eq=False)
class Airl:
    r"""What the form of the judge lets one read off.

    Attributes
    ----------
    g : (S,) or (S, A) array
        The part that is offered as the reward, in units of the temperature.
    h : (S,) array
        The part that is offered as the shaping; zeros if g sees the action.
    f : (S, A) array
        Their sum, :math:`g + \gamma \sum_{s'} P\,h(s') - h(s)`.
    policy, occupancy : (S, A) arrays
    gap : float
        Largest difference of the two occupancies, each scaled to sum to 1.
    judge_gap : float
        How far the judge is from the ideal one in the end: the mean over both diaries
        of :math:`|D - q/(p + q)|`.
    rounds : int
    """

    g: np.ndarray
    h: np.ndarray
    f: np.ndarray
    policy: np.ndarray
    occupancy: np.ndarray
    gap: float
    judge_gap: float
    rounds: int


def airl(mdp, expert, *, state_only: bool = True, rounds: int = 300, step: float = 0.3,
         ridge: float = 1e-9, start=None, tol: float = 1e-7) -> Airl:
    r"""Adversarial IRL: a judge of the form that separates reward from shaping.

    .. math:: D = \frac{e^{f}}{e^{f} + \pi(a \mid s)}, \qquad
              f(s, a, s') = g(s) + \gamma h(s') - h(s)

    Each round fits f by logistic regression on both occupancies (Newton's method; a
    little `ridge` holds it near the last f, so that directions in which the data say
    nothing stay where they began), and takes a step of soft policy iteration on f at
    temperature 1, since :math:`\log D - \log(1 - D) = f - \log \pi`.

    If the expert is soft-optimal for r(s) at temperature λ, successors are certain and
    *decomposable* (any two states are joined by a chain of states that share a
    predecessor), then at the end :math:`g = r/\lambda` and :math:`h = V/\lambda`, up to
    constants (Fu, Luo and Levine 2018, theorem C.1). If g may see the action there is
    nothing to separate: :math:`f = \log \pi_E`.

    Parameters
    ----------
    mdp : MDP
        Its reward is not looked at; the discount must be below 1.
    expert : (S, A) array
        The expert's occupancy.
    state_only : bool
        Whether g sees the state alone; else it sees the action, and there is no h.
    rounds, step
        Most rounds, and the share of each policy step that is taken, in (0, 1]; it
        shrinks where the policy begins to swing.
    ridge : float
    start : (g, h), optional
        Where to begin; zeros if not given.
    tol : float
        Stop once neither the policy nor f changes by more.

    Raises
    ------
    ValueError
        If an argument is not legal.
    """
    planning.following.checked_positive("ridge", ridge)
    if not 0 < step <= 1:
        raise ValueError(f"step is {step!r}; it must be in (0, 1]")
    if mdp.discount >= 1:
        raise ValueError(f"mdp has discount {mdp.discount:g}; it must be below 1")
    q = _occupancy("expert", expert, mdp)
    q /= q.sum()
    pair, chance, form = _form(mdp, state_only)
    theta = _start(start, mdp, state_only)
    log_pi, last = np.full(q.shape, -np.log(mdp.n_actions)), np.inf
    for count in range(1, rounds + 1):
        p = planning.occupancy(mdp, np.exp(log_pi)) * (1 - mdp.discount)
        weights = q.ravel()[pair] * chance, p.ravel()[pair] * chance
        new = _logistic(form, log_pi.ravel()[pair], *weights, theta, ridge)
        f = np.bincount(pair, chance * (form @ new), q.size).reshape(q.shape)
        pays = f - log_pi
        values = planning.evaluate(mdp, np.exp(log_pi), reward=pays)
        better = log_softmax(
            (1 - step) * log_pi + step * planning.q_values(mdp, values, f), axis=1)
        turned = np.abs(np.exp(better) - np.exp(log_pi)).max()
        change = max(turned, np.abs(new - theta).max())
        theta, log_pi = new, better
        if change < tol:
            break
        step *= 0.7 if turned > last else 1.0  # it overshoots
        last = turned
    policy = np.exp(log_pi)
    occupancy = planning.occupancy(mdp, policy)
    p = occupancy * (1 - mdp.discount)
    both = (p + q).ravel()[pair] * chance / 2
    says = np.exp(log_expit(form @ theta - log_pi.ravel()[pair]))
    judged = float(both @ np.abs(says - ideal_judge(q, p).ravel()[pair]))
    g = theta[: mdp.n_states] if state_only else theta.reshape(q.shape)
    h = theta[mdp.n_states :] if state_only else np.zeros(mdp.n_states)
    return Airl(g, h, f, policy, occupancy, float(np.abs(p - q).max()), judged, count)


def _form(mdp, state_only):
    """For each possible (s, a, s'): its pair, its chance, and the row of f in (g, h)."""
    moves = mdp.matrix.tocoo()
    pair, after, n = moves.row, moves.col, mdp.n_states
    row = np.arange(len(pair))
    if not state_only:
        form = sparse.csr_array((np.ones(len(pair)), (row, pair)), (len(pair), mdp.reward.size))
        return pair, moves.data, form
    state = pair // mdp.n_actions
    entries = np.r_[np.ones(len(row)), np.full(len(row), mdp.discount), -np.ones(len(row))]
    columns = np.r_[state, n + after, n + state]
    form = sparse.csr_array((entries, (np.tile(row, 3), columns)), (len(pair), 2 * n))
    return pair, moves.data, form


def _logistic(form, offset, hers, its, theta, ridge, most=4):
    """Newton's method on the judge's loss, held near where it began by `ridge`."""
    anchor = theta

    def loss(theta):
        odds = form @ theta - offset
        return (-(hers @ log_expit(odds)) - its @ log_expit(-odds)
                + ridge / 2 * ((theta - anchor) ** 2).sum())

    value = loss(theta)
    for _ in range(most):
        yes = np.exp(log_expit(form @ theta - offset))
        gradient = form.T @ (its * yes - hers * (1 - yes)) + ridge * (theta - anchor)
        bend = (hers + its) * yes * (1 - yes)
        curved = (form.T @ (sparse.diags_array(bend) @ form)).toarray()
        move = solve(curved + ridge * np.eye(len(theta)), gradient, assume_a="pos")
        size = 1.0
        while (new := loss(theta - size * move)) > value and size > 1e-8:
            size /= 2
        if new > value:
            break
        theta, gain, value = theta - size * move, value - new, new
        if gain < 1e-14:
            break
    return theta


def _start(start, mdp, state_only):
    size = 2 * mdp.n_states if state_only else mdp.reward.size
    if start is None:
        return np.zeros(size)
    parts = start if state_only else start[:1]
    theta = np.concatenate([np.ravel(np.asarray(part, float)) for part in parts])
    if theta.shape != (size,) or not np.isfinite(theta).all():
        raise ValueError(f"start has {theta.size} numbers; it must be (g, h) with {size} "
                         "finite ones in all")
    return theta


def _occupancy(name, given, mdp):
    given = np.array(given, float)
    if given.shape != mdp.reward.shape:
        raise ValueError(f"{name} has shape {given.shape}; it must be an occupancy, "
                         f"{mdp.reward.shape}")
    if not (np.isfinite(given).all() and (given >= 0).all() and given.any()):
        raise ValueError(f"{name} must be finite and at least 0, and not 0 everywhere")
    return given


def _legal(name, value, legal):
    if value not in legal:
        raise ValueError(f"{name} is {value!r}; legal: {', '.join(map(repr, legal))}")
