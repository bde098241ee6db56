"""What may be given for a world: every number is looked at once, here.

A mistake in a world does not crash; it gives an answer, and the answer is wrong. So
each argument of `MDP` is checked when the world is made, and the error names the entry.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

__all__ = [
    "SUM_TO_ONE", "discount_given", "matrix_of", "real_numbers", "reward_given",
    "start_given", "transitions_given",
]  # fmt: skip

SUM_TO_ONE = 1e-6  # what float32 rounds away; rows are scaled to sum to 1 exactly


def real_numbers(name: str, values) -> np.ndarray:
    """`values` as an array of finite real numbers, or an error that names the place."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged; every row must have one length") from error
    _real(name, array.dtype)
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}{list(place) or ''} is {array[place]}; "
                         "every number must be finite")
    return array


def _real(name, dtype):
    if dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {dtype}; it must hold real numbers")


def transitions_given(given):
    """The transitions in their layout, and the shape (S, A) of the world."""
    if sparse.issparse(given):
        _real("transitions", given.dtype)
        if given.ndim != 2:
            raise ValueError(f"transitions has shape {given.shape}; a sparse matrix has a "
                             "row for each (state, action): (S*A, S)")
        return _matrix(sparse.csr_array(given, dtype=float))
    array = real_numbers("transitions", given)
    if array.ndim == 2 and array.dtype.kind in "iu":
        return _table(array)
    if array.ndim != 3 or array.shape[0] != array.shape[2]:
        raise ValueError(
            f"transitions has shape {array.shape} of {array.dtype}; legal are integers "
            "(S, A), an array (S, A, S), or a sparse matrix (S*A, S)")
    _not_empty(array.shape[0], array.shape[1])
    return _matrix(sparse.csr_array(array.reshape(-1, array.shape[2]).astype(float)))


def _table(successors):
    _not_empty(*successors.shape)
    wrong = (successors < 0) | (successors >= len(successors))
    if wrong.any():
        s, a = (int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f"transitions[{s}, {a}] is {successors[s, a]}; a successor is "
                         f"one of the states 0 ... {len(successors) - 1}")
    return successors.astype(np.intp), successors.shape


def _matrix(matrix):
    """Rows checked, scaled to sum to 1; a table instead, if each has one outcome."""
    rows, n_states = matrix.shape
    if n_states == 0 or rows % n_states:
        raise ValueError(f"transitions has shape {matrix.shape}; a sparse matrix has a "
                         "row for each (state, action): (S*A, S)")
    n_actions = rows // n_states
    _not_empty(n_states, n_actions)
    matrix = matrix.copy()  # nobody who holds the original can change this one
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix = _with_short_indices(matrix)

    def place(row):
        return f"transitions[{row // n_actions}, {row % n_actions}]"

    bad = ~np.isfinite(matrix.data) | (matrix.data < 0)
    if bad.any():
        entry = int(bad.argmax())
        row = int(np.searchsorted(matrix.indptr, entry, "right")) - 1
        raise ValueError(f"{place(row)} holds {matrix.data[entry]:.6g}; "
                         "a probability is a finite number of at least 0")
    sums = matrix @ np.ones(n_states)
    off = np.abs(sums - 1) > SUM_TO_ONE
    if off.any():
        row = int(off.argmax())
        raise ValueError(f"{place(row)} sums to {sums[row]:.6g}; each row must sum to 1")
    outcomes = np.diff(matrix.indptr)
    if (outcomes == 1).all():
        return matrix.indices.astype(np.intp).reshape(n_states, n_actions), (
            n_states, n_actions)
    matrix.data /= np.repeat(sums, outcomes)
    return matrix, (n_states, n_actions)


def _not_empty(n_states, n_actions):
    if n_states == 0 or n_actions == 0:
        raise ValueError(f"transitions has {n_states} states and {n_actions} actions; "
                         "there must be at least one of each")


def reward_given(given, transitions, shape):
    """The expected reward of each action, (S, A)."""
    n_states, n_actions = shape
    by_transition = (n_states * n_actions, n_states)
    if sparse.issparse(given):
        if given.shape != by_transition:
            raise ValueError(f"reward has shape {given.shape}; "
                             f"a sparse one is {by_transition}, like the transitions")
        _real("reward", given.dtype)
        paid = sparse.csr_array(given, dtype=float)
        bad = ~np.isfinite(paid.data)
        if bad.any():
            row, after = (axis[bad][0] for axis in paid.tocoo().coords)
            raise ValueError(f"reward[{row // n_actions}, {row % n_actions}, {after}] is "
                             f"{paid.data[bad][0]}; every number must be finite")
        expected = (matrix_of(transitions, n_states) * paid).sum(axis=1)
        return np.asarray(expected, float).reshape(shape)
    array = real_numbers("reward", given).astype(float)  # a copy
    if array.shape == (n_states,):
        return np.repeat(array[:, None], n_actions, axis=1)
    if array.shape == shape:
        return array
    if array.shape == (*shape, n_states):
        paid = array.reshape(by_transition)
        if sparse.issparse(transitions):
            rows = np.repeat(np.arange(len(paid)), np.diff(transitions.indptr))
            worth = transitions.data * paid[rows, transitions.indices]  # P(s'|s,a) r
            return np.bincount(rows, worth, minlength=len(paid)).reshape(shape)
        return paid[np.arange(len(paid)), transitions.ravel()].reshape(shape)
    raise ValueError(
        f"reward has shape {array.shape}; with {n_states} states and {n_actions} actions "
        f"legal are ({n_states},), {shape} and {(*shape, n_states)}")


def matrix_of(transitions, n_states):
    """The transitions as a sparse matrix, (S*A, S), in either layout."""
    if sparse.issparse(transitions):
        return transitions
    rows = transitions.size
    return _with_short_indices(sparse.csr_array(
        (np.ones(rows), transitions.ravel(), np.arange(rows + 1)), (rows, n_states)))


def _with_short_indices(matrix):
    """The same with 32-bit indices, if they suffice: a quarter less memory to read."""
    if max(*matrix.shape, matrix.nnz) >= 2**31:
        return matrix
    return sparse.csr_array(
        (matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)),
        matrix.shape)


def discount_given(given) -> float:
    """One number in [0, 1]."""
    array = real_numbers("discount", given)
    if array.ndim or not 0 <= array <= 1:
        raise ValueError(f"discount is {given}; it must be one number in [0, 1]")
    return float(array)


def start_given(given, n_states) -> np.ndarray:
    """The distribution of the first state, (S,)."""
    array = real_numbers("start", given)
    if array.ndim == 0 and array.dtype.kind in "iu":
        if not 0 <= array < n_states:
            raise ValueError(f"start is {array}; a state is 0 ... {n_states - 1}")
        return (np.arange(n_states) == array).astype(float)
    if array.shape != (n_states,):
        raise ValueError(f"start has shape {array.shape} of {array.dtype}; it must be "
                         f"one state, or ({n_states},) probabilities")
    if (array < 0).any() or abs(array.sum() - 1) > SUM_TO_ONE:
        raise ValueError(f"start sums to {array.sum():.6g} with least value "
                         f"{array.min():.6g}; it must be a probability vector")
    return array.astype(float) / array.sum(dtype=float)
