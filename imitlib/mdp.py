r"""A world that can be written down: where each action leads, and what it pays.

A Markov decision process is :math:`(S, A, P, r, \gamma, \mu)`: from state s the action
a leads to s' with probability :math:`P(s' \mid s, a)` and pays :math:`r(s, a)`; what
comes a step later counts :math:`\gamma` times as much; the first state is drawn from
:math:`\mu` (Puterman 1994, chapter 2).

There are two layouts behind one class. Where every action has one certain outcome, a
table of successors, (S, A) integers, is all there is to know. Else the probabilities
are a sparse matrix with a row for each (s, a), number s·A + a. Neither ever holds the
S·A·S numbers of which nearly all are zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from imitlib.counting import integers_below
from imitlib.mdp_given import (
    discount_given,
    matrix_of,
    reward_given,
    start_given,
    transitions_given,
)

__all__ = ["MDP"]


@dataclass(frozen=True, eq=False, repr=False)
class MDP:
    r"""A Markov decision process with S states and A actions, checked once, then fixed.

    Parameters
    ----------
    transitions : (S, A) integers, or (S, A, S) array, or sparse (S·A, S)
        The successor of each (state, action); or the probabilities
        :math:`P(s' \mid s, a)`. Probabilities that are all 0 or 1 become successors.
    reward : (S,), (S, A) or (S, A, S) array, or sparse (S·A, S)
        What acting in a state pays, or an action, or a transition. Kept as its
        expectation :math:`r(s, a) = \sum_{s'} P(s' \mid s, a)\, r(s, a, s')`: planning
        depends on nothing else.
    discount : float
        :math:`\gamma \in [0, 1]`, per step.
    start : int or (S,) array
        The first state, or its distribution :math:`\mu`.

    Attributes
    ----------
    transitions : (S, A) intp, or csr_array (S·A, S) float64
        By layout; see `deterministic`.
    reward : (S, A) float64
    discount : float
    start : (S,) float64

    Raises
    ------
    ValueError, TypeError
        Naming the argument, the entry, what stood there and what is legal.

    Notes
    -----
    A *terminal* state is one that every action leads back to at reward 0. A state that
    cannot be reached is legal: it has values like any other, and occupancy 0.

    Examples
    --------
    Two cells: action 0 waits and pays nothing, action 1 steps home and pays 1.

    >>> world = MDP([[0, 1], [1, 1]], [[0, 1], [0, 0]], discount=0.9, start=0)
    >>> world
    MDP(2 states, 2 actions, deterministic, discount 0.9)
    """

    transitions: object
    reward: object
    discount: float
    start: object = 0

    def __post_init__(self):
        transitions, shape = transitions_given(self.transitions)
        keep = {
            "transitions": transitions,
            "reward": reward_given(self.reward, transitions, shape),
            "discount": discount_given(self.discount),
            "start": start_given(self.start, shape[0]),
        }
        for name, value in keep.items():
            object.__setattr__(self, name, _fixed(value))

    def __repr__(self) -> str:
        kind = "deterministic" if self.deterministic else "stochastic"
        return (f"MDP({self.n_states} states, {self.n_actions} actions, {kind}, "
                f"discount {self.discount:g})")

    @property
    def n_states(self) -> int:
        """S."""
        return self.reward.shape[0]

    @property
    def n_actions(self) -> int:
        """A."""
        return self.reward.shape[1]

    @property
    def deterministic(self) -> bool:
        """Whether the transitions are a table of successors."""
        return not sparse.issparse(self.transitions)

    @cached_property
    def terminal(self) -> np.ndarray:
        """Which states end the story, (S,) bool: every action stays, and pays 0."""
        return _fixed(self.absorbing & ~self.reward.any(axis=1))

    @cached_property
    def absorbing(self) -> np.ndarray:
        """Which states cannot be left, (S,) bool, whatever they pay."""
        here = np.arange(self.n_states)[:, None]
        if self.deterministic:
            return _fixed((self.transitions == here).all(axis=1))
        entries = self.transitions.tocoo()
        stays = entries.row // self.n_actions == entries.col
        chance = np.zeros(self.reward.size)  # that (s, a) stays in s
        chance[entries.row[stays]] = entries.data[stays]
        return _fixed((chance >= 1 - 1e-12).reshape(self.reward.shape).all(axis=1))

    @cached_property
    def matrix(self) -> sparse.csr_array:
        r""":math:`P` as a sparse matrix, (S·A, S), in either layout."""
        return _fixed(matrix_of(self.transitions, self.n_states))

    def dense(self) -> np.ndarray:
        """The probabilities as an array, (S, A, S): for small worlds and for checking."""
        return self.matrix.toarray().reshape(self.n_states, self.n_actions, -1)

    def with_reward(self, reward) -> MDP:
        """The same world with another reward, of any of the legal shapes.

        To plan for many rewards, pass `reward` to the planner: this twin works its
        layout out anew.
        """
        shape = (self.n_states, self.n_actions)
        return self._but(reward=reward_given(reward, self.transitions, shape))

    def with_discount(self, discount: float) -> MDP:
        """The same world with another discount."""
        return self._but(discount=discount_given(discount))

    def starting(self, start) -> MDP:
        """The same world, begun elsewhere."""
        return self._but(start=start_given(start, self.n_states))

    def as_matrix(self) -> MDP:
        """The same world in the sparse layout, even where it is deterministic."""
        return self._but(transitions=self.matrix)

    def _but(self, **change) -> MDP:
        """This world with one thing changed that has been checked already."""
        twin = object.__new__(MDP)
        keep = ("transitions", "reward", "discount", "start")
        for name, value in ({k: getattr(self, k) for k in keep} | change).items():
            object.__setattr__(twin, name, _fixed(value))
        return twin

    def next_values(self, values) -> np.ndarray:
        r"""What a value is worth one step ahead, :math:`\sum_{s'} P(s'\mid s,a)\,V(s')`.

        Parameters
        ----------
        values : (..., S) array

        Returns
        -------
        (..., S, A) array
            Not discounted.
        """
        values = np.asarray(values, float)
        if values.shape[-1:] != (self.n_states,):
            raise ValueError(f"values has shape {values.shape}; "
                             f"it must be (..., {self.n_states})")
        return np.swapaxes(self._ahead(values), -1, -2)

    def sample(self, states, actions, rng: np.random.Generator) -> np.ndarray:
        """A successor of each (state, action), drawn: (B,) and (B,) -> (B,)."""
        states = integers_below(self.n_states, "states", states)
        actions = integers_below(self.n_actions, "actions", actions)
        if states.shape != actions.shape:
            raise ValueError(f"states has shape {states.shape} and actions "
                             f"{actions.shape}; they must have as many rows")
        if self.deterministic:
            return self.transitions[states, actions]
        # One cumulative sum runs through all rows, and the part that belongs to a row is
        # 1 long. So one search, for where the row begins plus u, serves them all; `clip`
        # keeps rounding from stepping into the next row.
        rows, chances = states * self.n_actions + actions, self.transitions
        first, last = chances.indptr[rows], chances.indptr[rows + 1] - 1
        before = self._cumulative[first] - chances.data[first]
        place = np.searchsorted(self._cumulative, before + rng.random(len(rows)), "right")
        return chances.indices[np.clip(place, first, last)].astype(np.intp)

    # Kernels, for `planning` alone. Rows of one action lie side by side in them,
    # (..., A, S): that order is two to three times faster.

    @cached_property
    def _by_action(self):
        """The successors (A, S), or the matrix with rows in the order a·S + s."""
        if self.deterministic:
            return np.ascontiguousarray(self.transitions.T)
        rows = np.arange(self.n_states * self.n_actions)
        return self.transitions[rows.reshape(self.n_states, -1).T.ravel()]

    @cached_property
    def _from_action(self):
        """The transposed matrix: where the flow out of each (a, s) goes."""
        return self._by_action.T.tocsr()

    @cached_property
    def _cumulative(self):
        return np.cumsum(self.transitions.data)

    def _ahead(self, values, out=None) -> np.ndarray:
        """Expected value one step ahead: (..., S) -> (..., A, S)."""
        if self.deterministic:
            # None is quicker; and the successors are legal: no second look ("clip")
            axis = None if values.ndim == 1 else -1
            return np.take(values, self._by_action, axis=axis, out=out, mode="clip")
        flat = values.reshape(-1, self.n_states)
        ahead = self._by_action @ (flat[0] if len(flat) == 1 else flat.T)
        ahead = ahead.T.reshape(*values.shape[:-1], self.n_actions, self.n_states)
        if out is None:
            return ahead
        out[...] = ahead
        return out

    def _arrivals(self, flow) -> np.ndarray:
        """Where a flow over (action, state) arrives: (A, S) -> (S,)."""
        if self.deterministic:
            return np.bincount(
                self._by_action.ravel(), flow.ravel(), minlength=self.n_states)
        return self._from_action @ flow.ravel()


def _fixed(value):
    """The same, never to be written to again."""
    arrays = (value.data, value.indices, value.indptr) if sparse.issparse(value) else [value]
    for array in arrays:
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return value
