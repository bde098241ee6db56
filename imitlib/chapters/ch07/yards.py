"""Small worlds to tell rewards apart in: a yard with fences, and what may change in it."""

from __future__ import annotations

import numpy as np

from imitlib.envs.grid import neighbours
from imitlib.mdp import MDP

SIDE = 4
STATES, ACTIONS = SIDE * SIDE, 5  # north, east, south, west, wait


def random_world(rng, n_states=16, n_actions=4, discount=0.9) -> MDP:
    """Every (state, action) leads to a few states, drawn at random."""
    rows = rng.dirichlet(np.full(n_states, 0.3), size=(n_states, n_actions))
    return MDP(rows, np.zeros((n_states, n_actions)), discount)


def yard(rng=None, fences=0.15, side=SIDE, discount=0.9) -> MDP:
    """A square yard, with a fifth action that waits; a move into a fence goes nowhere.

    Each move is fenced off with chance `fences`; without `rng` there are no fences.
    """
    cells = np.arange(side * side)
    moves = neighbours(cells.reshape(side, side))  # against the edge: stays
    if rng is not None:
        moves = np.where(rng.random(moves.shape) < fences, cells[:, None], moves)
    ahead = np.column_stack([moves, cells])
    return MDP(ahead, np.zeros(ahead.shape), discount)


def mixed(world, other, chance: float) -> MDP:
    """The first world, where with that chance the step is one of the other's."""
    rows = (1 - chance) * world.dense() + chance * other.dense()
    return MDP(rows, np.zeros(world.reward.shape), world.discount)


def relabelled(world, order) -> MDP:
    """The same world with its signs swapped: action a does what `order[a]` did."""
    return MDP(world.dense()[:, list(order)], np.zeros(world.reward.shape), world.discount)


def ice(world, slip: float) -> MDP:
    """A move goes astray with chance `slip`, to its left or its right; a wait does not."""
    left, right = relabelled(world, (3, 0, 1, 2, 4)), relabelled(world, (1, 2, 3, 0, 4))
    return mixed(world, mixed(left, right, 0.5), slip)


def wind(world, towards: int, chance: float) -> MDP:
    """With that chance a gust decides the step: it is the move `towards`."""
    return mixed(world, relabelled(world, [towards] * ACTIONS), chance)


def ring(n: int, barrier: bool = False, discount=0.9) -> MDP:
    """A circular road, forwards or back, no stopping; a barrier stops one way of one cell."""
    here = np.arange(n)
    ahead = np.stack([(here + 1) % n, (here - 1) % n], axis=1)
    if barrier:
        ahead[0, 1] = 0
    return MDP(ahead, np.zeros(ahead.shape), discount)


def weathered(world, weather, command=None) -> MDP:
    """The same world under a sky of its own: state s·W + w for weather w.

    weather : (W, W) array, the chance of tomorrow's weather given today's.
    command : int, optional; an action that fixes the first weather.
    """
    moves, n = world.dense(), len(weather)
    rows = np.einsum("sat,xy->sxaty", moves, np.asarray(weather, float))
    if command is not None:
        certain = np.zeros((n, n))
        certain[:, 0] = 1
        rows[:, :, command] = np.einsum("st,xy->sxty", moves[:, command], certain)
    size = world.n_states * n
    return MDP(rows.reshape(size, world.n_actions, size),
               np.zeros((size, world.n_actions)), world.discount)


def gated(side: int, gate: int, discount=0.9) -> MDP:
    """A yard whose middle row is closed but for one cell, the gate.

    Closed cells are not taken off the map, so that yards with different gates have the
    same states; a move into one goes nowhere.
    """
    open_yard = yard(side=side, discount=discount)
    ahead, row = open_yard.transitions.copy(), side // 2
    here = np.arange(side * side)[:, None]
    shut = (ahead // side == row) & (ahead % side != gate) & (here // side != row)
    return MDP(np.where(shut, here, ahead), np.zeros(ahead.shape), discount)
