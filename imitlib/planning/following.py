r"""Following a policy: what it is worth, and where it goes.

Both questions are linear. What a policy is worth solves
:math:`V = r_\pi + \gamma P_\pi V`; how often it is where solves the transposed
equation, :math:`d = \mu + \gamma P_\pi^\top d`. So :math:`\mu \cdot V = d \cdot r_\pi`,
whichever of the two has been solved (Puterman 1994, sections 6.1 and 6.9).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

from imitlib.mdp_given import SUM_TO_ONE, real_numbers

__all__ = ["evaluate", "expected_return", "occupancy", "state_distributions"]


def evaluate(mdp, policy, *, horizon: int | None = None, reward=None) -> np.ndarray:
    r"""What a policy is worth from each state on, exactly.

    .. math:: V(s) = \sum_a \pi(a \mid s) \Big( r(s, a)
              + \gamma \sum_{s'} P(s' \mid s, a) V(s') \Big)

    Parameters
    ----------
    mdp : MDP
    policy : (S, A) array, or (H, S, A)
        Probabilities; the second kind only with ``horizon=H``.
    horizon : int, optional
        So many steps are paid for; else the sum never ends.
    reward : (..., S, A) array, optional
        In place of the world's own; one policy is followed under all of them. (Of a
        plan for many rewards take one policy: ``plan.policy[k]``, or with a horizon
        ``plan.policy[:, k]``.)

    Returns
    -------
    (..., S) array
        Values; with a horizon (H, ..., S), where row t has H - t steps left.

    Raises
    ------
    ValueError
        If a row of the policy does not sum to 1; if the discount is 1, there is no
        horizon, and from some state the policy never reaches an end.
    """
    reward = reward_of(mdp, reward)
    if horizon is not None:
        return _evaluate_backwards(mdp, _by_step(mdp, policy, horizon), reward)
    policy = checked_policy(mdp, policy)
    paid = (policy * reward).sum(axis=-1)
    chain = following(mdp, policy)
    if mdp.discount < 1:
        return _solve(mdp.discount, chain, paid)
    over = ends(mdp, reward)  # there V = 0, and I - P is singular
    needs_an_end(chain, over)
    values = np.zeros_like(paid)
    values[..., ~over] = _solve(1.0, chain[~over][:, ~over], paid[..., ~over])
    return values


def expected_return(mdp, policy, *, horizon=None, reward=None):
    r"""The return of a policy, :math:`\mu \cdot V`: `evaluate` at the start.

    A number; with many rewards an array of them.
    """
    values = evaluate(mdp, policy, horizon=horizon, reward=reward)
    total = (values if horizon is None else values[0]) @ mdp.start
    return float(total) if total.ndim == 0 else total


def occupancy(mdp, policy, *, horizon: int | None = None) -> np.ndarray:
    r"""How often a policy takes each action in each state, discounted.

    .. math:: d(s, a) = \sum_{t \ge 0} \gamma^t \Pr(s_t = s,\, a_t = a)

    Parameters
    ----------
    mdp, policy, horizon
        As for `evaluate`; with a horizon t runs over 0 ... H - 1, and steps in a
        terminal state are counted like any.

    Returns
    -------
    (S, A) array
        Sums to :math:`1/(1-\gamma)`, or to :math:`\sum_{t<H} \gamma^t`, which is H at
        discount 1. At discount 1 without a horizon, only steps before the end count:
        rows of terminal states are 0.

    Raises
    ------
    ValueError
        As `evaluate`, but at discount 1 only states that the policy gets to matter.
    """
    if horizon is not None:
        steps = _by_step(mdp, policy, horizon)
        weights = mdp.discount ** np.arange(horizon)
        visits = _distributions(mdp, steps) * weights[:, None]
        if np.ndim(policy) == 2:  # the same at every step
            return visits.sum(axis=0)[:, None] * steps[0]
        return np.einsum("ts,tsa->sa", visits, steps)
    policy = checked_policy(mdp, policy)
    chain = following(mdp, policy)
    if mdp.discount < 1:
        visits = _solve(mdp.discount, chain.T.tocsr(), mdp.start)
        return visits[:, None] * policy
    met = _reached(chain, mdp.start > 0)
    needs_an_end(chain, mdp.terminal, among=met)
    going = met & ~mdp.terminal
    visits = np.zeros(mdp.n_states)
    inner = chain[going][:, going].T.tocsr()
    visits[going] = _solve(1.0, inner, mdp.start[going])
    return visits[:, None] * policy


def state_distributions(mdp, policy, horizon: int) -> np.ndarray:
    r"""The chance of each state at each step, :math:`\Pr(s_t = s)`, shape (H, S)."""
    return _distributions(mdp, _by_step(mdp, policy, horizon))


# One step at a time -----------------------------------------------------------------


def _evaluate_backwards(mdp, policy, reward):
    steps = len(policy)
    values = np.zeros((steps + 1, *reward.shape[:-1]))
    for t in reversed(range(steps)):
        q = reward + mdp.discount * mdp.next_values(values[t + 1])
        values[t] = (policy[t] * q).sum(axis=-1)
    return values[:-1]


def _distributions(mdp, policy):
    here = np.empty((len(policy), mdp.n_states))
    here[0] = mdp.start
    for t in range(1, len(policy)):
        here[t] = mdp._arrivals(policy[t - 1].T * here[t - 1])
    return here


# The chain that a policy makes of a world -------------------------------------------


def following(mdp, policy) -> sparse.csr_array:
    r"""The chain of a policy, :math:`P_\pi(s' \mid s)`, sparse (S, S)."""
    pairs = policy.size  # row s of `acts` is pi(. | s), in the columns s·A + a
    acts = sparse.csr_array(
        (policy.flatten(), np.arange(pairs), np.arange(0, pairs + 1, mdp.n_actions)),
        (mdp.n_states, pairs))
    acts.eliminate_zeros()
    return (acts @ mdp.matrix).tocsr()


def _solve(discount, chain, right):
    """x with (I - discount * chain) x = right, for (S,) or (..., S)."""
    if right.shape[-1] == 0:
        return right
    system = sparse.identity(chain.shape[0], format="csc") - discount * chain
    columns = right.reshape(-1, right.shape[-1]).T
    return splu(sparse.csc_matrix(system)).solve(columns).T.reshape(right.shape)


def _reached(chain, start) -> np.ndarray:
    """The states that a chain can get to from those in `start`, (S,) bool."""
    n = len(start)
    source = sparse.csr_array(start[None].astype(float))  # a state n before them all
    graph = sparse.block_array([[chain, None], [source, sparse.csr_array((1, 1))]])
    met = np.zeros(n + 1, bool)
    met[csgraph.breadth_first_order(graph.tocsr(), n, return_predecessors=False)] = True
    return met[:n]


# What every planner asks of its arguments -------------------------------------------


def reward_of(mdp, reward) -> np.ndarray:
    """The world's reward, or the one given in its place, (..., S, A)."""
    if reward is None:
        return mdp.reward
    reward = real_numbers("reward", reward).astype(float, copy=False)
    if reward.shape[-2:] != mdp.reward.shape:
        raise ValueError(f"reward has shape {reward.shape}; here it must be "
                         f"(..., {mdp.n_states}, {mdp.n_actions})")
    return reward


def checked_policy(mdp, policy) -> np.ndarray:
    """A policy (S, A), or an error that names the row."""
    policy = real_numbers("policy", policy)
    if policy.shape != mdp.reward.shape:
        raise ValueError(f"policy has shape {policy.shape}; "
                         f"it must be {mdp.reward.shape}")
    return probabilities(policy)


def _by_step(mdp, policy, horizon) -> np.ndarray:
    """A policy for each of H steps, (H, S, A)."""
    checked_horizon(horizon)
    policy = real_numbers("policy", policy)
    if policy.shape not in (mdp.reward.shape, (horizon, *mdp.reward.shape)):
        raise ValueError(f"policy has shape {policy.shape}; with horizon {horizon} "
                         f"it must be {mdp.reward.shape} or that for each step")
    return np.broadcast_to(probabilities(policy), (horizon, *mdp.reward.shape))


def probabilities(policy) -> np.ndarray:
    """A policy in float64, its rows scaled where float32 has rounded them."""
    policy = policy.astype(float, copy=False)
    sums = policy.sum(axis=-1)
    off = max(1 - sums.min(), sums.max() - 1)
    if off > SUM_TO_ONE or policy.min() < 0:
        wrong = (np.abs(sums - 1) > SUM_TO_ONE) | (policy < 0).any(axis=-1)
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f"policy{list(place)} is {policy[place]}; "
                         "each row must be probabilities that sum to 1")
    return policy if off < 1e-12 else policy / sums[..., None]


def checked_horizon(horizon) -> None:
    whole = isinstance(horizon, int | np.integer) and not isinstance(horizon, bool)
    if not whole or horizon < 1:
        raise ValueError(f"horizon is {horizon!r}; it must be a whole number of steps, "
                         "at least 1")


def checked_positive(name: str, value) -> float:
    """A number above 0, not infinite."""
    number = isinstance(value, int | float | np.integer | np.floating)
    if not number or isinstance(value, bool) or not 0 < value < np.inf:
        raise ValueError(f"{name} is {value!r}; it must be a positive, finite number")
    return float(value)


def ends(mdp, reward) -> np.ndarray:
    """Which states end the story under this reward, or these, (S,) bool."""
    pays = reward.reshape(-1, *mdp.reward.shape).any(axis=(0, 2))
    return mdp.absorbing & ~pays


def needs_an_end(chain, over, among=True, who="this policy never") -> None:
    """Discount 1 makes sense only if an end is reached; an error names where not."""
    lost = ~_reached(chain.T, over) & among  # backwards, from the ends
    if lost.any():
        raise ValueError(
            f"discount is 1 and from state {int(lost.argmax())} {who} reaches an end, "
            "which cannot be left and pays 0; use a discount below 1 or a horizon")
