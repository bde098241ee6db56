"""Small worlds drawn at random, and slow plain answers to compare planning with.

Nothing here knows how the library stores a world: a `Plain` one is three dense arrays
and two numbers, and every answer is a loop or a dense linear solve over them.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from imitlib.mdp import MDP


@dataclass(frozen=True)
class Plain:
    """A world as the textbook writes it: P (S, A, S), r (S, A), discount, start (S,)."""

    P: np.ndarray
    r: np.ndarray
    discount: float
    start: np.ndarray

    @property
    def shape(self):
        return self.r.shape

    def mdp(self, layout="dense") -> MDP:
        """The library's world, from one of six ways to write the transitions down."""
        n_states, n_actions = self.shape
        P = self.P.copy()
        if layout == "successors":
            assert ((P == 0) | (P == 1)).all()
            P = P.argmax(axis=-1)
        elif layout == "sparse":
            P = sparse.csr_array(P.reshape(-1, n_states))
        elif layout == "halves":  # every entry twice, at half its size
            m = sparse.csr_array(P.reshape(-1, n_states))
            P = sparse.csr_array(
                (np.repeat(m.data / 2, 2), np.repeat(m.indices, 2), m.indptr * 2), m.shape)
        elif layout == "zeros":  # every entry written out
            rows = n_states * n_actions
            columns, ends = np.tile(np.arange(n_states), rows), np.arange(rows + 1)
            P = sparse.csr_array((P.ravel(), columns, ends * n_states), (rows, n_states))
        world = MDP(P, self.r.copy(), self.discount, self.start.copy())
        return world.as_matrix() if layout == "as_matrix" else world

    @property
    def layouts(self):
        certain = ((self.P == 0) | (self.P == 1)).all()
        written = ("dense", "sparse", "halves", "zeros", "as_matrix")
        return (*written, "successors") if certain else written


def random_world(
    rng, n_states=4, n_actions=2, discount=0.9, certain=False, sparsity=0.4, ends=0
) -> Plain:
    """A world with zeros among its probabilities; the last `ends` states are ends."""
    S, A = n_states, n_actions
    if certain:
        P = np.eye(S)[rng.integers(S, size=(S, A))]
    else:
        P = rng.random((S, A, S)) * (rng.random((S, A, S)) > sparsity)
        P[..., 0] += P.sum(axis=-1) == 0
        P /= P.sum(axis=-1, keepdims=True)
    r = rng.normal(size=(S, A))
    for end in range(S - ends, S):
        P[end], r[end] = np.eye(S)[end], 0
    start = rng.random(S) * (rng.random(S) > 0.3)
    start[0] += start.sum() == 0
    return Plain(P, r, discount, start / start.sum())


def proper_world(rng, n_states=5, n_actions=3, certain=False) -> Plain:
    """At discount 1: no step goes back, so that the last state, an end, is met."""
    S, A = n_states, n_actions
    P = np.triu(rng.random((S, A, S)).transpose(1, 0, 2), 1).transpose(1, 0, 2)
    P[-1, :, -1] = 1
    if certain:
        P = np.eye(S)[P.argmax(axis=-1)]
    r = rng.normal(size=(S, A))
    r[-1] = 0
    start = rng.random(S)
    return Plain(P / P.sum(axis=-1, keepdims=True), r, 1.0, start / start.sum())


def random_policy(rng, *shape):
    """Rows of probabilities, some of them exactly 0."""
    weights = rng.random(shape) * (rng.random(shape) > 0.25)
    weights[..., 0] += weights.sum(axis=-1) == 0
    return weights / weights.sum(axis=-1, keepdims=True)


@st.composite
def worlds(draw, most_states=4, most_actions=3, discounts=None):
    """Any small world: certain or not, with ends, unreachable states, S = 1, A = 1."""
    S, A = draw(st.integers(1, most_states)), draw(st.integers(1, most_actions))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if discounts is None:
        discounts = st.sampled_from([0.0, 0.3, 0.9, 0.97])
    discount = draw(discounts)
    return random_world(
        rng, S, A, discount, certain=draw(st.booleans()),
        sparsity=draw(st.sampled_from([0.0, 0.4, 0.8])), ends=draw(st.integers(0, S)),
    )  # fmt: skip


# Every path, one by one --------------------------------------------------------------


def paths(w: Plain, horizon):
    """All (states, actions) of H steps with P(successors | actions), start included.

    The last action is taken; where it leads is left open.
    """
    S, A = w.shape
    for states in product(range(S), repeat=horizon):
        for actions in product(range(A), repeat=horizon):
            chance = w.start[states[0]]
            for t in range(horizon - 1):
                chance *= w.P[states[t], actions[t], states[t + 1]]
            if chance > 0:
                yield states, actions, chance


def followed(policy, states, actions):
    """The chance that a policy (H, S, A) takes those actions in those states."""
    return np.prod([policy[t, s, a] for t, (s, a) in enumerate(zip(states, actions))])


def discounted(w: Plain, states, actions):
    return sum(w.discount**t * w.r[s, a] for t, (s, a) in enumerate(zip(states, actions)))


def by_paths(w: Plain, policy):
    """(expected return, occupancy (S, A), distributions (H, S)) of a policy (H, S, A)."""
    horizon = len(policy)
    total, visits = 0.0, np.zeros(w.shape)
    here = np.zeros((horizon, w.shape[0]))
    for states, actions, chance in paths(w, horizon):
        p = chance * followed(policy, states, actions)
        total += p * discounted(w, states, actions)
        for t, (s, a) in enumerate(zip(states, actions)):
            visits[s, a] += p * w.discount**t
            here[t, s] += p
    return total, visits, here


# Dense answers -----------------------------------------------------------------------


def chain(w: Plain, policy):
    return np.einsum("sa,sap->sp", policy, w.P)


def solved_values(w: Plain, policy, bonus=0.0):
    """V of a policy by a dense solve; `bonus` (S,) is paid for being in a state."""
    paid = (policy * w.r).sum(axis=1) + bonus
    return np.linalg.solve(np.eye(len(paid)) - w.discount * chain(w, policy), paid)


def solved_occupancy(w: Plain, policy):
    system = np.eye(w.shape[0]) - w.discount * chain(w, policy).T
    return np.linalg.solve(system, w.start)[:, None] * policy


def stationary_choices(w: Plain):
    """Every deterministic stationary policy, (S, A) each."""
    S, A = w.shape
    for choice in product(range(A), repeat=S):
        yield np.eye(A)[list(choice)]


def best_values(w: Plain):
    """V*: the largest value of any stationary policy, state by state (discount < 1)."""
    return np.max([solved_values(w, policy) for policy in stationary_choices(w)], axis=0)


def entropy(policy):
    """Nats of each row."""
    return -np.sum(policy * np.log(np.where(policy > 0, policy, 1)), axis=-1)


# The two recursions of maximum causal entropy, as Ziebart (2010) writes them ----------


def soft_recursion(w: Plain, horizon, temperature=1.0):
    """(V (H, S), policy (H, S, A)) with H rewards, by loops over states and actions."""
    S, A = w.shape
    V, policy = np.zeros((horizon + 1, S)), np.zeros((horizon, S, A))
    for t in range(horizon - 1, -1, -1):
        for s in range(S):
            q = [w.r[s, a] + w.discount * sum(w.P[s, a, n] * V[t + 1, n] for n in range(S))
                 for a in range(A)]
            top = max(q)
            z = [np.exp((x - top) / temperature) for x in q]
            V[t, s] = top + temperature * np.log(sum(z))
            policy[t, s] = np.array(z) / sum(z)
    return V[:-1], policy


def hard_recursion(w: Plain, horizon):
    """(V (H, S), Q (H, S, A)) with H rewards, by loops."""
    S, A = w.shape
    V, Q = np.zeros((horizon + 1, S)), np.zeros((horizon, S, A))
    for t in range(horizon - 1, -1, -1):
        for s, a in product(range(S), range(A)):
            Q[t, s, a] = w.r[s, a] + w.discount * sum(w.P[s, a] * V[t + 1])
        V[t] = Q[t].max(axis=-1)
    return V[:-1], Q


def visits_recursion(w: Plain, policy):
    """(distributions (H, S), discounted occupancy (S, A)) of a policy (H, S, A)."""
    here, met, visits = w.start, [], np.zeros(w.shape)
    for t, pi in enumerate(policy):
        met.append(here)
        visits += w.discount**t * here[:, None] * pi
        here = np.einsum("s,sa,sap->p", here, pi, w.P)
    return np.array(met), visits


def gradient(function, at, step=1e-5):
    """Central differences of a number with respect to every entry of an array."""
    slope = np.zeros_like(at)
    for place in np.ndindex(*at.shape):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        slope[place] = (function(up) - function(down)) / (2 * step)
    return slope
