r"""Two mornings instead of one: when behaviour gives the reward away, and how to read it.

A soft planner of temperature :math:`\lambda_i` in a world with transitions :math:`P_i`
and discount :math:`\gamma_i` shows :math:`L_i = \log \pi_i`, and

.. math:: r = \lambda_i L_i + B_i V_i, \qquad
          (B_i V)(s, a) = V(s) - \gamma_i \sum_{s'} P_i(s' \mid s, a)\, V(s')

for values :math:`V_i` that nobody sees. One world leaves them free: S directions. Two
that share r must agree,

.. math:: B_1 V_1 - B_2 V_2 = \lambda_2 L_2 - \lambda_1 L_1,

which is linear. The reward is known up to a constant if and only if the matrix
:math:`[B_1, -B_2]`, which holds no data, has rank 2S - 1 (Rolland et al. 2022, after
Cao, Cohen and Szpruch 2021). Where it has, one least squares gives r.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imitlib.planning import soft_policy_iteration
from imitlib.planning.following import checked_policy, checked_positive
from imitlib.rewards.shaping import shaping_directions

__all__ = [
    "Certificate", "Recovered", "certificate", "choose_second", "misfit", "recover",
    "recover_unscaled", "soft_policy",
]  # fmt: skip

SMALL = 1e-10  # of the largest singular value: what counts as zero


@dataclass(frozen=True)
class Certificate:
    r"""What the worlds alone say, before anybody has been watched.

    Attributes
    ----------
    rank, needed : int
        Of the stacked matrix; n worlds need nS - 1.
    sigma : float
        :math:`\sigma_{nS-1}`, the smallest singular value that must not be 0: the worst
        direction.
    gain : float
        All directions together: the root mean square error of the reward that `recover`
        returns, for independent errors of size 1 in every :math:`\lambda_i L_i(s, a)`.
        Infinite where something is silent.
    silent : (k, S, A) array
        k = needed - rank rewards that change no policy in any of the worlds: an
        orthonormal basis of them, each with mean 0. Empty if the reward is identified.
    """

    rank: int
    needed: int
    sigma: float
    gain: float
    silent: np.ndarray

    @property
    def identifies(self) -> bool:
        """Whether the policies fix the reward up to a constant."""
        return self.rank == self.needed


@dataclass(frozen=True)
class Recovered:
    """A reward read off from policies.

    Attributes
    ----------
    reward : (S, A) array
        With mean 0: its constant cannot be known.
    temperatures : (n,) array
        As given; of `recover_unscaled` in units of the first.
    residual : float
        Largest disagreement of the worlds about one entry of the reward.
    """

    reward: np.ndarray
    temperatures: np.ndarray
    residual: float


def certificate(worlds: Sequence) -> Certificate:
    r"""Will soft policies in these worlds tell the reward? Asked of the worlds alone.

    Parameters
    ----------
    worlds : sequence of MDP
        At least one; the same states and actions, discounts below 1. Their rewards
        are not looked at.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        If there is no world, if their shapes differ, or if a discount is 1.
    """
    worlds = _checked(worlds)
    n, n_states = len(worlds), worlds[0].n_states
    if n == 1:  # nothing to agree with: every shaping is silent
        basis, sizes = np.eye(n_states), np.zeros(n_states)
    else:
        _, sizes, basis = np.linalg.svd(_stacked(worlds))
        sizes = np.append(sizes, np.zeros(len(basis) - len(sizes)))
    rank, needed = int((sizes > SMALL * sizes[0]).sum()), n * n_states - 1
    shapes = basis[rank:, :n_states] @ _shapings(worlds)[0].T
    shapes -= shapes.mean(axis=1, keepdims=True)  # one direction was a constant
    silent = np.linalg.svd(shapes, full_matrices=False)[2][: needed - rank]
    silent = silent.reshape(-1, n_states, worlds[0].n_actions)
    gain = _gain(worlds) if rank == needed else np.inf
    return Certificate(rank, needed, float(sizes[-2]), gain, silent)


def recover(
    worlds: Sequence, policies: Sequence, temperatures=1.0, *, weights=None
) -> Recovered:
    r"""The reward that soft planners share, by one least squares.

    .. math:: \min_{r, V_1, \ldots, V_n} \sum_i \sum_{s, a} w_i(s, a)
              \big( r - \lambda_i L_i - B_i V_i \big)^2 (s, a)

    Where the certificate says no, the values of least norm are taken: one explanation
    among many.

    Parameters
    ----------
    worlds : sequence of n MDP
        n at least 2.
    policies : sequence of (S, A) arrays
        All probabilities positive. Estimates may be given.
    temperatures : float or (n,) array
        :math:`\lambda_i`, known.
    weights : (n, S, A) array, optional
        How far each entry is to be trusted; equally if not given. Of estimates, how
        often each action was seen: the variance of the logarithm of a frequency is about
        one over the count.

    Raises
    ------
    ValueError
        As `certificate`; for another number of policies, a probability of 0, or a
        temperature or weight that is not positive.
    """
    worlds, logs = _watched(worlds, policies)
    scale = np.asarray(temperatures, float)
    if scale.shape not in ((), (len(worlds),)):
        raise ValueError(f"temperatures has shape {scale.shape}; it must be one number or "
                         f"({len(worlds)},)")
    scale = np.broadcast_to(scale, len(worlds))
    for i, value in enumerate(scale):
        checked_positive(f"temperatures[{i}]", float(value))
    said, trust = scale[:, None] * logs, np.ones_like(logs)
    if weights is not None:
        full = (len(worlds), *worlds[0].reward.shape)
        weights = np.asarray(weights, float)
        if weights.shape != full or not (weights > 0).all():
            raise ValueError(f"weights has shape {weights.shape} and least entry "
                             f"{weights.min()}; it must be {full}, all above 0")
        trust = weights.reshape(trust.shape)
    share, blocks = trust / trust.sum(axis=0), _blocks(worlds)
    system = blocks - np.einsum("ie,iev->ev", share, blocks)  # r is the weighted average
    right = (share * said).sum(axis=0) - said
    root = np.sqrt(trust)
    values = np.linalg.lstsq((root[..., None] * system).reshape(-1, system.shape[-1]),
                             (root * right).ravel(), rcond=SMALL)[0]  # fmt: skip
    return _read(said + blocks @ values, share, worlds, scale)


def recover_unscaled(worlds: Sequence, policies: Sequence) -> tuple[Recovered, int]:
    r"""The same with unknown temperatures: all but a constant, the scale and its sign.

    Every solution of :math:`B_1 V_1 - B_i V_i + \lambda_1 L_1 - \lambda_i L_i = 0` can
    be multiplied by any number, below 0 too. Here it is by convention the one with
    :math:`\lambda_1 = 1`.

    Returns
    -------
    Recovered, int
        And the nullity of the system: 2 if only a constant and one ray are left. Of
        two worlds that pass the certificate it is 3 if the reward is itself a shaping of
        the first plus one of the second; with two discounts in one world that is every
        :math:`f(s) + \sum_{s'} P(s' \mid s, a)\, g(s')`. Then the temperatures stay
        open too, and what is returned is one explanation among many.
    """
    worlds, logs = _watched(worlds, policies)
    n, entries = logs.shape
    others = np.zeros((n - 1, entries, n - 1))
    for i in range(n - 1):
        others[i, :, i] = -logs[i + 1]
    system = np.hstack([_stacked(worlds), others.reshape(-1, n - 1)])
    first = np.tile(logs[0], n - 1)
    sizes = np.linalg.svd(np.column_stack([system, first]), compute_uv=False)
    nullity = system.shape[1] + 1 - int((sizes > SMALL * sizes[0]).sum())
    found = np.linalg.lstsq(system, -first, rcond=SMALL)[0]
    scale = np.append(1.0, found[1 - n:])
    each = scale[:, None] * logs + _blocks(worlds) @ found[: 1 - n]
    return _read(each, np.full_like(each, 1 / n), worlds, scale), nullity


def choose_second(first, candidates: Sequence) -> tuple[int, list[Certificate]]:
    r"""The world to watch next, before any watching: the one with the smallest gain.

    Returns
    -------
    int, list of Certificate
        Its place among the candidates, and what each of them promises. If none of them
        identifies the reward, the place says nothing: look at the certificates.

    Raises
    ------
    ValueError
        If there is no candidate, or as `certificate`.
    """
    promises = [certificate([first, other]) for other in candidates]
    if not promises:
        raise ValueError("candidates is empty; give at least one world")
    order = [(promise.gain, -promise.sigma) for promise in promises]
    return order.index(min(order)), promises


def soft_policy(world, reward, temperature: float = 1.0) -> np.ndarray:
    r"""What a soft planner does, (S, A), of *either* sign of temperature.

    Below 0 it shuns what it values, as carefully as another seeks it: the same
    equations hold, and :math:`(r, \lambda)` and :math:`(-r, -\lambda)` act alike.
    """
    size = checked_positive("abs(temperature)", abs(temperature))
    reward = np.sign(temperature) * np.asarray(reward, float)
    return soft_policy_iteration(world, size, reward=reward).policy


def misfit(world, reward, policy, temperature: float = 1.0) -> float:
    """How badly a reward explains a policy: the largest difference in a probability."""
    return float(np.abs(soft_policy(world, reward, temperature) - policy).max())


# -------------------------------------------------------------------------------------


def _checked(worlds, least=1):
    worlds = list(worlds)
    if len(worlds) < least:
        raise ValueError(f"worlds has {len(worlds)} of them; give at least {least}")
    shape = worlds[0].reward.shape
    for i, world in enumerate(worlds):
        if world.reward.shape != shape:
            raise ValueError(f"worlds[{i}] has {world.n_states} states and "
                             f"{world.n_actions} actions; the first has {shape}")
        if world.discount == 1:
            raise ValueError(f"worlds[{i}] has discount 1; it must be below 1")
    return worlds


def _watched(worlds, policies):
    """The worlds, and the logarithms of the policies, (n, S·A)."""
    worlds, policies = _checked(worlds, least=2), list(policies)
    if len(policies) != len(worlds):
        raise ValueError(f"policies has {len(policies)} of them; there are "
                         f"{len(worlds)} worlds")
    policies = [checked_policy(w, p) for w, p in zip(worlds, policies, strict=True)]
    for i, policy in enumerate(policies):
        if not policy.all():
            s, a = np.argwhere(policy == 0)[0]
            raise ValueError(f"policies[{i}][{s}, {a}] is 0; a soft planner does "
                             "everything with some probability above 0")
    return worlds, np.log(np.stack(policies)).reshape(len(worlds), -1)


def _shapings(worlds) -> list[np.ndarray]:
    """Each B, (S·A, S)."""
    return [shaping_directions(world).toarray() for world in worlds]


def _blocks(worlds) -> np.ndarray:
    """B_i in the columns of V_i, (n, S·A, n·S)."""
    n, (entries, n_states) = len(worlds), _shapings(worlds)[0].shape
    out = np.zeros((n, entries, n, n_states))
    out[np.arange(n), :, np.arange(n)] = _shapings(worlds)
    return out.reshape(n, entries, -1)


def _stacked(worlds) -> np.ndarray:
    """[B_1, -B_i] for each i > 1, one below the other: ((n-1)·S·A, n·S)."""
    blocks = _blocks(worlds)
    return (blocks[0] - blocks[1:]).reshape(-1, blocks.shape[-1])


def _gain(worlds) -> float:
    """How errors of the logarithms arrive in the reward; see `Certificate`."""
    n, blocks = len(worlds), _blocks(worlds)
    entries = blocks.shape[1]
    apart = np.eye(n) - 1 / n  # a quantity of each world, less its average
    system = np.tensordot(apart, blocks, 1).reshape(n * entries, -1)
    values = -np.linalg.pinv(system, rcond=SMALL) @ np.kron(apart, np.eye(entries))
    arrives = (np.tile(np.eye(entries), n) + blocks.sum(axis=0) @ values) / n
    arrives -= arrives.mean(axis=0)
    return float(np.sqrt((arrives**2).sum() / entries))


def _read(each, share, worlds, scale) -> Recovered:
    """The average of each world's version of the reward, and how far they are apart."""
    reward = (share * each).sum(axis=0).reshape(worlds[0].reward.shape)
    apart = float((each.max(axis=0) - each.min(axis=0)).max())
    return Recovered(reward - reward.mean(), np.array(scale, float), apart)
