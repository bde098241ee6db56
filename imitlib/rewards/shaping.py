r"""The rewards that explain one behaviour, and what they have in common.

Add a number V(s) to what every state is worth, and pay for it honestly:

.. math:: r'(s, a) = r(s, a) + V(s) - \gamma \sum_{s'} P(s' \mid s, a)\, V(s')

Each Q(s, a) rises by V(s), whatever the action, so nobody who compares actions
behaves differently: not the optimal policy, not the soft one. This is potential-based
shaping with potential -V (Ng, Harada and Russell 1999). For a soft policy of known
temperature it is also all there is: the rewards that explain it are

.. math:: r_V(s, a) = \lambda \log \pi(a \mid s) + V(s)
          - \gamma \sum_{s'} P(s' \mid s, a)\, V(s')

one for each V, and V is the soft value of r_V (Cao, Cohen and Szpruch 2021, theorem 1).
So S numbers are left open. An optimal policy leaves a cone.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.linalg import splu

from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_policy, checked_positive, reward_of

__all__ = ["explaining_reward", "hit_and_run", "minimum_norm", "roomiest", "shape",
           "shape_transitions", "shaping_directions", "shaping_part"]  # fmt: skip


def shape(mdp, reward, values) -> np.ndarray:
    r"""A reward under which every state is worth V(s) more, and every choice the same.

    .. math:: r(s, a) + V(s) - \gamma \sum_{s'} P(s' \mid s, a)\, V(s')

    Parameters
    ----------
    mdp : MDP
        Whose transitions and discount are used: in another world the same sum is
        another reward.
    reward : (S, A) array, or None for the world's own
    values : (..., S) array
        V. Several at once give several rewards.

    Returns
    -------
    (..., S, A) array

    Raises
    ------
    ValueError
        If a shape is wrong or a number is not finite.
    """
    values = _values(mdp, values)
    return reward_of(mdp, reward) + values[..., None] - mdp.discount * mdp.next_values(values)


def shape_transitions(mdp, reward, values) -> np.ndarray:
    r"""The same, paid on transitions: r(s, a, s') + V(s) - γ V(s'), (S, A, S).

    Written so, it is shaping in every world with these states and this discount.
    """
    values = _values(mdp, values)
    if values.ndim != 1:
        raise ValueError(f"values has shape {values.shape}; it must be ({mdp.n_states},)")
    paid = real_numbers("reward", reward).astype(float)
    full = (*mdp.reward.shape, mdp.n_states)
    if paid.shape not in (mdp.reward.shape, full):
        raise ValueError(f"reward has shape {paid.shape}; it must be {mdp.reward.shape} "
                         f"or {full}")
    paid = paid if paid.ndim == 3 else paid[..., None]
    return paid + values[:, None, None] - mdp.discount * values


def explaining_reward(mdp, policy, values=None, temperature: float = 1.0) -> np.ndarray:
    r"""The reward r_V under which `policy` is the soft policy and `values` its soft values.

    Parameters
    ----------
    mdp : MDP
    policy : (S, A) array
        Every action of every state must have some chance, since log 0 is no reward.
    values : (..., S) array, optional
        V; without it 0, and the reward is :math:`\lambda \log \pi`.
    temperature : float
        :math:`\lambda` of the person who acts.

    Returns
    -------
    (..., S, A) array

    Raises
    ------
    ValueError
        If an action has chance 0, a shape is wrong, or the temperature is not positive.
    """
    policy = checked_policy(mdp, policy)
    temperature = checked_positive("temperature", temperature)
    if not policy.all():
        s, a = (int(i) for i in np.argwhere(policy == 0)[0])
        raise ValueError(f"policy[{s}, {a}] is 0; a soft policy gives every action some "
                         "chance, and no finite reward explains a chance of 0")
    values = np.zeros(mdp.n_states) if values is None else values
    return shape(mdp, temperature * np.log(policy), values)


def shaping_directions(mdp) -> sparse.csr_array:
    r"""The map from V to V(s) - γ Σ P V, sparse (S·A, S): its columns are the directions.

    Of rank S where the discount is below 1. Occupancies cannot tell rewards apart that
    differ along them: for every policy, its transpose times the occupancy is the start.
    """
    here = sparse.kron(sparse.identity(mdp.n_states, format="csr"),
                       np.ones((mdp.n_actions, 1)), format="csr")  # fmt: skip
    return sparse.csr_array(here - mdp.discount * mdp.matrix)


def shaping_part(mdp, reward=None) -> np.ndarray:
    """The V whose shaping comes nearest to a reward, by least squares, (S,).

    Raises
    ------
    ValueError
        At discount 1, where constants cost nothing and V is not unique.
    """
    if mdp.discount == 1:
        raise ValueError("discount is 1; there V is only known up to a constant, so use "
                         "a discount below 1")
    directions = shaping_directions(mdp)
    normal = sparse.csc_matrix(directions.T @ directions)
    return splu(normal).solve(directions.T @ reward_of(mdp, reward).ravel())


def minimum_norm(mdp, reward=None) -> np.ndarray:
    """The reward of least Σ r(s, a)² among all that shaping makes of this one, (S, A).

    It is what is left of `reward` when its part along the shaping directions is taken
    away, so it is the same for every member of the family.
    """
    return shape(mdp, reward, -shaping_part(mdp, reward))


# The cone of an optimal policy -------------------------------------------------------


def roomiest(rows, box: float = 1.0) -> tuple[np.ndarray, float]:
    """The centre of the largest ball in {r : rows @ r >= 0, |r| <= box}, and its radius.

    Raises
    ------
    ValueError
        If `rows` is no matrix of finite numbers.
    """
    rows = _rows(rows)
    lengths, n = np.linalg.norm(rows, axis=1), rows.shape[1]
    ball = linprog(
        np.r_[np.zeros(n), -1.0],
        A_ub=np.vstack([np.c_[-rows, lengths], np.c_[np.eye(n), np.ones(n)],
                        np.c_[-np.eye(n), np.ones(n)]]),
        b_ub=np.r_[np.zeros(len(rows)), np.full(2 * n, box)],
        bounds=[(-box, box)] * n + [(0, None)],
    )  # fmt: skip
    return ball.x[:n], float(ball.x[n])


def hit_and_run(rows, start, n: int, rng: np.random.Generator, *, box: float = 1.0,
                thin: int = 1) -> np.ndarray:  # fmt: skip
    """Points spread evenly over {r : rows @ r >= 0, |r| <= box}, by a walk inside it.

    From where it stands the walk takes a random direction, and jumps to a random point
    of the stretch that lies inside (Smith 1984). In the long run every part of the set
    is visited in proportion to its volume; guessing would never find it.

    Parameters
    ----------
    rows : (m, d) array
    start : (d,) array
        A point strictly inside; `roomiest` gives one.
    n : int
        How many points.
    thin : int
        Jumps between two points that are kept.

    Returns
    -------
    (n, d) array

    Raises
    ------
    ValueError
        If the start is not inside.
    """
    rows = _rows(rows)
    here = real_numbers("start", start).astype(float).copy()
    if here.shape != rows.shape[1:]:
        raise ValueError(f"start has shape {here.shape}; it must be {rows.shape[1:]}")
    walls = np.vstack([rows, np.eye(len(here)), -np.eye(len(here))])
    ends = np.r_[np.zeros(len(rows)), np.full(2 * len(here), -box)]  # walls @ r >= ends
    if (walls @ here < ends).any():
        raise ValueError("start lies outside: rows @ start must be >= 0, and every "
                         f"entry between {-box:g} and {box:g}")
    kept = np.empty((n, len(here)))
    for k in range(n):
        for _ in range(thin):
            direction = rng.normal(size=len(here))
            room, speed = walls @ here - ends, walls @ direction
            with np.errstate(divide="ignore"):
                reach = -room / speed  # where the line meets each wall
            low = reach[speed > 0].max()
            high = reach[speed < 0].min()
            here = here + rng.uniform(min(low, 0.0), max(high, 0.0)) * direction
        kept[k] = here
    return kept


def _rows(rows):
    rows = real_numbers("rows", rows).astype(float)
    if rows.ndim != 2:
        raise ValueError(f"rows has shape {rows.shape}; it must be (constraints, rewards)")
    lengths = np.linalg.norm(rows, axis=1)  # where two actions do the same, only rounding
    return rows[lengths > 1e-12 * lengths.max(initial=0.0)]


def _values(mdp, values):
    values = real_numbers("values", values).astype(float)
    if values.shape[-1:] != (mdp.n_states,):
        raise ValueError(f"values has shape {values.shape}; it must be (..., {mdp.n_states})")
    return values
