"""What a player sees: three descriptions of the same kitchen.

A clone can only learn from what it is shown.  `board` is the plain picture,
square by square.  `hand_features` says what a cook would look for: how far it
is to the next onion and which step leads there.  `history` adds what the
player itself did last.

All of them return one row per player, each seeing itself first.
"""

from functools import lru_cache

import numpy as np

from imitlib.envs.kitchen import (
    DISH,
    FULL_POT,
    HEIGHT,
    NOTHING,
    ONION,
    READY,
    SOUP,
    STAY,
    STEP,
    WIDTH,
    Kitchen,
)

COOKING_STEPS = READY - FULL_POT
TARGETS = (
    "onion",  # in its box, or left on a counter
    "dish",
    "pot with room",
    "pot cooking",
    "pot ready",
    "hatch",
    "free counter",
)
FAR = 12  # walking distances are shown as a fraction of this, and never beyond it


def board(kitchen, state):
    r"""The one-hot board: who stands where, looks where, holds what; what lies where.

    Returns
    -------
    (n, 2, d) float32 in [0, 1], d = 9 h w + 16 in a kitchen of h x w squares.
    """
    n, h, w = len(state), kitchen.height, kitchen.width
    objects = state.objects[:, :h, :w].reshape(n, h * w)
    planes = np.concatenate([_kinds(objects), _cooked(objects)[..., None]], axis=-1)
    things = np.repeat(planes.reshape(n, 1, -1), 2, axis=1)
    square = state.position[..., 1] * w + state.position[..., 0]
    own = [_one_hot(square, h * w), _one_hot(state.facing, 4), _hands(state.held)]
    own = np.concatenate(own, axis=-1)
    return np.concatenate([own, own[:, ::-1], things], -1).astype(np.float32)


def hand_features(kitchen, state):
    """Features that a cook would name, 85 of them in every kitchen.

    For each of the seven `TARGETS`, the nearest one: is there one in reach, how
    many steps to it, which moves shorten the way, does the player face it.
    Then hands, facings, the partner's place, what blocks the four neighbours,
    and the state of the (at most two) pots.

    Returns
    -------
    (n, 2, 85) float32
    """
    distance, shorter, pots = _ways(kitchen.layout)
    n = len(state)
    cell = state.position[..., 1] * WIDTH + state.position[..., 0]  # (n, 2)
    ahead = kitchen.faced(state)
    ahead = ahead[..., 1] * WIDTH + ahead[..., 0]
    targets = _targets(kitchen, state.objects.reshape(n, -1))  # (n, squares, K)

    steps = np.where(targets[:, None], distance[cell][..., None], FAR + 1)
    nearest = steps.argmin(axis=2)  # (n, 2, K)
    steps = np.take_along_axis(steps, nearest[:, :, None], 2)[:, :, 0]
    reachable = steps <= FAR
    moves = shorter[cell[..., None], nearest] & reachable[..., None]  # (n, 2, K, 4)
    facing_it = targets[np.arange(n)[:, None], ahead]  # (n, 2, K)
    way = [reachable, np.minimum(steps, FAR) / FAR, facing_it, moves.reshape(n, 2, -1)]

    here, there = state.position, state.position[:, ::-1]
    around = here[:, :, None] + STEP[:4]  # (n, 2, 4 directions, xy)
    wall = ~kitchen.floor[around[..., 1], around[..., 0]]
    partner = (around == there[:, :, None]).all(-1)
    hands, facing = _hands(state.held), _one_hot(state.facing, 4)
    bodies = [hands, hands[:, ::-1], facing, facing[:, ::-1], wall, partner]
    bodies.append((there - here) / FAR)

    pot = np.take(state.objects.reshape(n, -1), pots, axis=1)
    filling = np.where(pot >= FULL_POT, 3, (pot - SOUP).clip(0) // 100)
    pot = [_one_hot(filling, 4), _cooked(pot)[..., None]]
    pot = np.concatenate(pot, -1).reshape(n, 1, -1)
    pot = np.pad(pot, ((0, 0), (0, 0), (0, 10 - pot.shape[-1])))
    return np.concatenate([*way, *bodies, np.repeat(pot, 2, axis=1)], -1).astype(
        np.float32
    )


def history(actions, starts, length=3):
    """The `length` actions before each row, newest first, as one-hot rows.

    Parameters
    ----------
    actions : (N, 2) int, contiguous games.
    starts : (N,) bool, where a game begins; nothing is seen across a start.

    Returns
    -------
    (N, 2, 6 length) float32; zeros where there is no earlier action.
    """
    actions, age = np.asarray(actions), _age(starts)
    shown = np.zeros((len(actions), 2, length, 6), np.float32)
    for lag in range(1, length + 1):
        rows = np.flatnonzero(age >= lag)
        shown[rows, :, lag - 1] = _one_hot(actions[rows - lag], 6)
    return shown.reshape(len(actions), 2, -1)


def _age(starts):
    rows = np.arange(len(starts))
    return rows - np.maximum.accumulate(np.where(starts, rows, 0))


def _one_hot(values, count):
    return np.asarray(values)[..., None] == np.arange(count)


def _hands(held):
    return _one_hot(np.where(held >= SOUP, 3, held), 4)


def _cooked(objects):
    """Share of the cooking done, 0 where no full pot stands."""
    return ((objects - FULL_POT) / COOKING_STEPS).clip(0, 1)


def _kinds(objects):
    """Six kinds of thing: onion, dish, one or two onions in a pot, cooking, ready."""
    soup = [objects == SOUP + 100, objects == SOUP + 200]
    full = [(objects >= FULL_POT) & (objects < READY), objects >= READY]
    return np.stack([objects == ONION, objects == DISH, *soup, *full], axis=-1)


def _targets(kitchen, objects):
    """(n, squares, 7) bool: which squares are which of the `TARGETS`."""
    terrain = np.broadcast_to(kitchen.terrain.ravel(), objects.shape)
    counter, pot = terrain == "X", terrain == "P"
    return np.stack(
        [
            (terrain == "O") | counter & (objects == ONION),
            (terrain == "D") | counter & (objects == DISH),
            pot & (objects < FULL_POT),
            pot & (objects >= FULL_POT) & (objects < READY),
            pot & (objects >= READY),
            terrain == "S",
            counter & (objects == NOTHING),
        ],
        axis=-1,
    )


@lru_cache
def _ways(layout):
    """Walking to the side of a square: how many steps, and which moves shorten it.

    Returns
    -------
    distance : (45, 45) int, from a cell to the nearest cell beside a square;
        `FAR + 1` where there is no way.  The partner is not in the way.
    shorter : (45, 45, 4) bool, the moves that lead nearer; beside the square,
        the move that turns towards it.
    pots : (1 or 2,) int, the squares with a pot.
    """
    kitchen = Kitchen(layout)
    squares = HEIGHT * WIDTH
    nowhere = FAR + 1
    distance = np.full((squares, squares), nowhere)
    shorter = np.zeros((squares, squares, 4), bool)
    beside = {}
    for y, x in np.argwhere(kitchen.floor):
        cell = y * WIDTH + x
        beside[cell] = [(y + dy) * WIDTH + x + dx for dx, dy in STEP[:STAY]]
        distance[cell, beside[cell]] = 0
        shorter[cell, beside[cell], range(4)] = True
    for steps in range(
        1, FAR + 1
    ):  # breadth first: all targets grow one ring at a time
        inner = distance == steps - 1
        for cell, neighbours in beside.items():
            for move, neighbour in enumerate(neighbours):
                if neighbour in beside:
                    ring = inner[neighbour] & (distance[cell] >= steps)
                    distance[cell, ring] = steps
                    shorter[cell, ring, move] = True
    return distance, shorter, np.flatnonzero(kitchen.pots.ravel())
