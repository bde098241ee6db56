"""Streets with a barrier: what a walk says of the door, if she knew of it, and if not.

A plan that fails says what it was for, to who lets her be misinformed; and a detour
says it to who lets her be informed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.counting import draw
from imitlib.envs.grid import neighbours
from imitlib.goals import behave, infer
from imitlib.goals.biased import Person
from imitlib.mdp import MDP

SIDE, WALKS, HURRY = 7, 20, 0.3  # cells, squares for each seed, her temperature
READERS = ("told", "untold", "either")  # she knew of the barrier; did not; who can say


@dataclass(frozen=True, eq=False)
class Square:
    """Streets with some houses, four doors at the corners, a start and a barrier.

    Attributes
    ----------
    ahead : (S, 4) array
        The open streets: the next cell, by move.
    barrier, right, start : int
        A cell on a shortest way to the right door; which door that is; a cell.
    doors : (4,) array
        Cells.
    """

    ahead: np.ndarray
    barrier: int
    doors: np.ndarray
    right: int
    start: int

    def plans(self, temperature: float = HURRY) -> np.ndarray:
        """Policies (2, 4, S, 4) for each door: who knows of the barrier, who does not."""
        closed = closed_at(self.ahead, self.barrier)
        return np.array([to_doors(a, self.doors, temperature) for a in (closed, self.ahead)])


def square(rng) -> Square:
    """One at random: a barrier on her way, by which no door is cut off."""
    while True:
        open_ = rng.random((SIDE, SIDE)) > 0.2
        corners = [(0, 0), (0, SIDE - 1), (SIDE - 1, 0), (SIDE - 1, SIDE - 1)]
        for corner in (*corners, (SIDE // 2, SIDE // 2)):
            open_[corner] = True
        number = np.where(open_, np.cumsum(open_).reshape(SIDE, SIDE) - 1, -1)
        ahead, start = neighbours(number), int(number[SIDE // 2, SIDE // 2])
        doors, right = np.array([number[c] for c in corners]), int(rng.integers(4))
        way = shortest(ahead, start, int(doors[right]))
        if way is None:
            continue
        barrier = int(rng.choice(way[3:-1]))
        closed = closed_at(ahead, barrier)
        if all(shortest(closed, start, int(d)) is not None for d in doors):
            return Square(ahead, barrier, doors, right, start)


def closed_at(ahead, barrier: int):
    """The same streets with a cell that cannot be entered."""
    return np.where(ahead == barrier, np.arange(len(ahead))[:, None], ahead)


def shortest(ahead, start, goal):
    """A shortest way, by breadth-first search; None where there is none."""
    came = {start: None}
    for here in (queue := [start]):
        for there in ahead[here].tolist():
            if there not in came:
                came[there] = here
                queue.append(there)
    if goal not in came:
        return None
    way = [goal]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]


def to_doors(ahead, doors, temperature: float) -> np.ndarray:
    """Policies (4, S, 4) of somebody who wants a loaf at one of the doors, 1 a step."""
    out = []
    for door in doors:
        there = ahead.copy()
        there[door] = door
        cost = np.full(ahead.shape, -1.0)
        cost[door] = 0.0
        out.append(behave(MDP(there, cost, 1.0), Person(temperature, horizon=60)))
    return np.array(out)


def failing_walk(place: Square, plans, rng):
    """She walks by yesterday's map until she bumps into the barrier: states, actions.

    A walk that reaches the door, or takes 60 steps, is not counted: she sets out again.
    """
    while True:
        states, actions, now = [], [], place.start
        while now != place.doors[place.right] and len(states) < 60:
            a = int(draw(plans[1, place.right][[now]], rng)[0])
            states.append(now)
            actions.append(a)
            if place.ahead[now, a] == place.barrier:
                return np.array(states), np.array(actions)
            now = int(place.ahead[now, a])


def knowing_walk(place: Square, plans, steps: int, rng):
    """She knows of the barrier, and is seen for so many steps, or up to the door."""
    states, actions, now = [], [], place.start
    closed = closed_at(place.ahead, place.barrier)
    while now != place.doors[place.right] and len(states) < steps:
        a = int(draw(plans[0, place.right][[now]], rng)[0])
        states.append(now)
        actions.append(a)
        now = int(closed[now, a])
    return np.array(states), np.array(actions)


def read(plans, walks) -> list:
    """What each of `READERS` believes of the doors, (walks, 4)."""
    logs = np.array([infer.log_likelihoods(p, *walk).sum(-1)
                     for p, walk in zip(plans, walks, strict=True)])
    return [infer.posterior(logs[:, 0]), infer.posterior(logs[:, 1]), infer.joint(logs).goals]


def both_walks(rng) -> dict:
    """Squares drawn, and who walks there: how each reader fares, if she did not know or did.

    Names as in `gi-suboptimal`: how often the likeliest door is the right one, and the
    mean log-loss.
    """
    places, plans, failed = [], [], []
    for _ in range(WALKS):
        places.append(square(rng))
        plans.append(places[-1].plans())
        failed.append(failing_walk(places[-1], plans[-1], rng))
    knew = [knowing_walk(place, p, len(walk[0]), rng)
            for place, p, walk in zip(places, plans, failed, strict=True)]
    right, out = np.array([place.right for place in places]), {}
    for who, walks in (("", failed), ("knew_", knew)):
        for name, belief in zip(READERS, read(plans, walks), strict=True):
            out[f"{who}door_{name}"] = float((belief.argmax(-1) == right).mean())
            out[f"{who}loss_{name}"] = float(infer.log_loss(belief, right).mean())
    return out
