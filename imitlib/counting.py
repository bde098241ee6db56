"""Cloning by counting: behavioral cloning where the states can be listed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["TableClone", "draw", "fit_table", "integers_below"]


@dataclass(frozen=True, eq=False)
class TableClone:
    """A clone of S states and A actions.

    Attributes
    ----------
    policy : (S, A) float64
        The probability of each action; rows sum to 1.
    counts : (S, A) int64
        How often each was demonstrated.
    """

    policy: np.ndarray
    counts: np.ndarray

    def __call__(self, states) -> np.ndarray:
        """The likeliest action of each state, (B,); of equals the first."""
        return self.probabilities(states).argmax(1)

    def sample(self, states, rng) -> np.ndarray:
        """An action drawn for each state, (B,)."""
        return draw(self.probabilities(states), rng)

    def probabilities(self, states) -> np.ndarray:
        """The rows of the policy, (B, A)."""
        return self.policy[integers_below(len(self.policy), "states", states)]

    def log_likelihood(self, states, actions) -> np.ndarray:
        r""":math:`\log \pi(a \mid s)` of each row, (B,); -inf where never done."""
        chosen = self.probabilities(states)
        actions = integers_below(self.policy.shape[1], "actions", actions)
        with np.errstate(divide="ignore"):
            return np.log(chosen[np.arange(len(chosen)), actions])


def fit_table(states, actions, n_states: int, n_actions: int, rng=None,
              smoothing: float = 0.0) -> TableClone:
    r"""Clone by counting: the frequency of each action in each state.

    .. math:: \pi(a \mid s) = \frac{n_{sa} + \alpha}{\sum_b n_{sb} + A\alpha}

    With :math:`\alpha` = `smoothing` = 0 it maximises the likelihood.

    Parameters
    ----------
    states, actions : (N,) integers
    n_states, n_actions : int
        S and A.
    rng : numpy.random.Generator, optional
        Then a state never demonstrated gets one action drawn for good; else it gets
        the uniform distribution.
    smoothing : float
        Imagined demonstrations of each action in each state.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was, and what is legal.
    """
    states = integers_below(n_states, "states", states)
    actions = integers_below(n_actions, "actions", actions)
    if len(states) != len(actions):
        raise ValueError(f"states has {len(states)} rows and actions {len(actions)}; "
                         "they must have as many")
    if not 0 <= smoothing < np.inf:
        raise ValueError(f"smoothing is {smoothing}; it must be 0 or more")
    counts = np.bincount(states * n_actions + actions, minlength=n_states * n_actions)
    counts = counts.reshape(n_states, n_actions)
    seen = counts.any(1)
    policy = np.full(counts.shape, 1 / n_actions)
    policy[seen] = counts[seen] + smoothing
    policy[seen] /= policy[seen].sum(1, keepdims=True)
    if rng is not None:
        policy[~seen] = np.eye(n_actions)[rng.integers(n_actions, size=sum(~seen))]
    return TableClone(policy, counts)


def draw(probabilities: np.ndarray, rng) -> np.ndarray:
    """One index for each row of probabilities (B, A), by inverting their sum; (B,)."""
    cumulative = probabilities.cumsum(1)
    # scaled by the last sum, which rounding may leave a little off 1
    u = rng.random(len(cumulative)) * cumulative[:, -1]
    return (u[:, None] >= cumulative).sum(1)


def integers_below(n: int, name: str, values) -> np.ndarray:
    """`values` as (B,) int64 in 0 ... n - 1, or an error that names the row."""
    values = np.asarray(values)
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise TypeError(f"{name} has shape {values.shape} of {values.dtype}; "
                        "it must be (B,) integers")
    wrong = (values < 0) | (values >= n)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"{name}[{row}] is {values[row]}; legal are 0 ... {n - 1}")
    return values.astype(np.int64)
