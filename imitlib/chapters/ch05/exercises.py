"""The exercises of chapter 05: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise

STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # north, east, south, west

# 1. One ring ---------------------------------------------------------------------------


def _ring(walls, goal, labels, *, order=(0, 1, 2, 3), at_once=True, over=False,
          through=False, away=False, on_goal=False, turned=False, door=True):
    """One ring further on one plan, right or wrong in the ways that are asked for."""
    walls, goal, new = np.asarray(walls), np.asarray(goal), np.array(labels)
    rows, columns = walls.shape
    before = np.array(labels)
    for r, c in np.ndindex(rows, columns):
        if (walls[r, c] and not through) or (goal[r, c] and not on_goal):
            continue
        if before[r, c] != 4 and not over:
            continue
        seen = before if at_once else new
        for action in order:
            dr, dc = STEPS[(action + 2) % 4 if turned else action]
            i, j = r + dr, c + dc
            if not (0 <= i < rows and 0 <= j < columns):
                continue
            if seen[i, j] != 4 or (goal[i, j] and door):
                new[r, c] = (action + 2) % 4 if away else action
                break
    return new


def ring(walls, goal, labels):
    """One ring further: an unvisited cell beside the goal or a visited one gets it."""
    return _ring(walls, goal, labels)


def _ring_cases():
    from imitlib.envs.maze_makers import obstacles
    from imitlib.pc.procedures import rings

    maps = obstacles(4, 8, np.random.default_rng(3))
    frames = rings(maps).frames
    return [(maps.walls[n], maps.goal_map[n], frames[n, t])
            for n, t in ((0, 0), (1, 2), (2, 3), (3, 5))]  # fmt: skip


RING = Exercise(
    "05.1",
    reference=ring,
    cases=_ring_cases,
    wrong={
        "in one sweep": (
            lambda *a: _ring(*a, at_once=False),
            "Your ring runs on within one step: a cell that you have just labelled "
            "already counts as visited. Read from the old frame, write to a copy.",
        ),
        "other order": (
            lambda *a: _ring(*a, order=(3, 2, 1, 0)),
            "As short, but where two actions would do, the first of north, east, south, "
            "west is written. Yours is the last.",
        ),
        "through houses": (
            lambda *a: _ring(*a, through=True),
            "Your ring walks through houses. A wall never gets a label.",
        ),
        "written again": (
            lambda *a: _ring(*a, over=True),
            "You write over cells that had their action. Only cells with label 4 change.",
        ),
        "away": (
            lambda *a: _ring(*a, away=True),
            "Your arrows point away from the door: the action must lead to the visited "
            "cell, not come from it.",
        ),
        "shifted the wrong way": (
            lambda *a: _ring(*a, turned=True),
            "The picture is shifted the wrong way: north of a visited cell lies a cell "
            "whose action is south. With np.roll, +1 on axis 0 brings each cell what is "
            "north of it.",
        ),
        "the door is not visited": (
            lambda *a: _ring(*a, door=False),
            "The first ring starts at the door, which has no label of its own: count it "
            "as visited.",
        ),
        "the goal too": (
            lambda *a: _ring(*a, on_goal=True),
            "The goal itself gets no action. Whoever is there has arrived.",
        ),
    },
)

# 2. Who can see the door -----------------------------------------------------------------


def in_view(goal, cells, layers):
    """Share of cells from which a network of so many 3×3 layers sees the goal."""
    away = np.abs(np.asarray(cells) - np.asarray(goal))
    return float((away.max(axis=1) <= layers).mean())


def _view(goal, cells, layers, *, by="max", strict=False, reach=1):
    away = np.abs(np.asarray(cells) - np.asarray(goal))
    far = {"max": away.max(axis=1), "sum": away.sum(axis=1),
           "root": np.sqrt((away**2).sum(axis=1)), "min": away.min(axis=1)}[by]  # fmt: skip
    limit = layers * reach
    return float(((far < limit) if strict else (far <= limit)).mean())


def _view_cases():
    rng = np.random.default_rng(4)
    return [(np.array([5, 7]), rng.integers(1, 19, (60, 2)), layers) for layers in (2, 6, 9)]


VIEW = Exercise(
    "05.2",
    reference=in_view,
    cases=_view_cases,
    wrong={
        "steps": (
            lambda *a: _view(*a, by="sum"),
            "You count steps along the streets' grid. A 3×3 layer looks at the corners "
            "too: the field is a square, and the larger of the two differences counts.",
        ),
        "a circle": (
            lambda *a: _view(*a, by="root"),
            "Your field is round. Layers of 3×3 give a square: take the larger of the "
            "two differences.",
        ),
        "strictly less": (
            lambda *a: _view(*a, strict=True),
            "One cell too near: one layer sees the cells beside it, so L layers see "
            "those at distance L.",
        ),
        "three cells a layer": (
            lambda *a: _view(*a, reach=3),
            "A 3×3 layer is three cells wide, and looks one cell further to each side.",
        ),
        "the smaller difference": (
            lambda *a: _view(*a, by="min"),
            "A goal in the same row is not in view if it is twenty columns away. Take "
            "the larger difference.",
        ),
    },
)

# 3. What is in the lesson ------------------------------------------------------------------


def pictures(steps):
    """Pairs of frames that plans with so many rings give, the last with itself."""
    return int(np.sum(np.asarray(steps) + 1))


def _pictures_cases():
    return [(np.array([13]),), (np.array([4, 9, 15, 11]),), (np.array([7, 7, 20]),)]


PICTURES = Exercise(
    "05.3",
    reference=pictures,
    cases=_pictures_cases,
    wrong={
        "no end": (
            lambda steps: int(np.sum(steps)),
            "These pairs never show the end. The last frame comes with itself, or the "
            "clone does not learn to stop: one more pair for each plan.",
        ),
        "frames": (
            lambda steps: int(np.sum(np.asarray(steps) + 2)),
            "One too many on each plan: T rings make T + 1 frames, counting the blank "
            "one, and each frame is the input of one pair.",
        ),
        "the longest": (
            lambda steps: int(len(steps) * (np.max(steps) + 1)),
            "You let every plan run as long as the longest. What only repeats the last "
            "frame is left out.",
        ),
        "plans": (
            lambda steps: len(steps),
            "That is the number of plans. Each of them shows as many pairs as it has "
            "frames.",
        ),
        "a mean": (
            lambda steps: int(np.mean(np.asarray(steps) + 1)),
            "That is the lesson of an average plan. Add them up.",
        ),
    },
)

# 4. What an answer costs -------------------------------------------------------------------


def multiplications(shape, channels, rings):
    """Of a whole search by a network of 3×3 layers, the call that changes nothing too."""
    call = sum(9 * a * b for a, b in zip(channels[:-1], channels[1:]))
    return int(np.prod(shape)) * call * (rings + 1)


def _cost(shape, channels, rings, *, more=1, kernel=9, cells=True, inner=False, ends=False):
    pairs = list(zip(channels[:-1], channels[1:]))
    pairs = [(channels[0], channels[-1])] if ends else pairs
    call = sum(kernel * a * b for a, b in pairs)
    rows, columns = (side - 2 * inner for side in shape)
    return (rows * columns if cells else 1) * call * (rings + more)


COST = Exercise(
    "05.4",
    reference=multiplications,
    cases=lambda: [((10, 10), (7, 24, 5), 12), ((20, 20), (7, 32, 32, 5), 41),
                   ((6, 9), (7, 5), 3)],  # fmt: skip
    wrong={
        "it does not notice the end": (
            lambda *a: _cost(*a, more=0),
            "The search ends when a call changes nothing, and that call has to be made "
            "too: one more than there are rings.",
        ),
        "no kernel": (
            lambda *a: _cost(*a, kernel=1),
            "That is a layer of 1×1. In 3×3 layers each output looks at nine cells.",
        ),
        "weights": (
            lambda *a: _cost(*a, cells=False),
            "You counted weights. Each of them is used once in every cell.",
        ),
        "one call": (
            lambda shape, channels, rings: _cost(shape, channels, 0),
            "That is one call: what a clone of the steps costs. The finger asks again "
            "for every ring.",
        ),
        "no border": (
            lambda *a: _cost(*a, inner=True),
            "The border is wall, and the network multiplies there all the same.",
        ),
    },
)

EXERCISES = {task.id: task for task in (RING, VIEW, PICTURES, COST)}
