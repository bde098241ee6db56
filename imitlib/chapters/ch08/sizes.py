"""Who knows what kind of error a person makes, and not how large it is."""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch08.people import (
    ACTIONS,
    AHEAD,
    KINDS,
    WATCHED,
    Survey,
    evidence,
)
from imitlib.goals import behave, delay_plan, hyperbola, infer, reckon
from imitlib.goals.biased import Person, pick

HEATS = (0.05, 0.1, 0.2)
SIZES = {  # what is not known of each kind; the true size is among them
    "rational": ("mood", (0.0,)),
    "myopic": ("discount", (0.05, 0.1, 0.3, 0.6)),
    "short-sighted": ("horizon", (1, 2, 3)),
    "optimist": ("mood", (3.0, 10.0, 30.0)),
    "pessimist": ("mood", (-3.0, -10.0, -30.0)),
    "extremal": ("peak", (0.6, 0.9, 0.97)),
    "careless": ("temperature", (0.15, 0.3, 0.6)),
    "creature of habit": ("leaning", (0.25, 0.5, 1.0)),  # to any of the three actions
    "naive": ("steepness", (1.0, 2.0, 4.0)),
    "sophisticated": ("steepness", (1.0, 2.0, 4.0)),
}
SIZED = tuple(kind for kind in KINDS if kind in SIZES)  # the misinformed has no size


def family(kind: str, seen: Survey) -> np.ndarray:
    """What people of that kind do, at each size and temperature, (M, 20, S, 3)."""
    world, wishes, (name, sizes) = seen.where.world, seen.where.wishes, SIZES[kind]
    if name == "steepness":
        return np.array([
            delay_plan(world, hyperbola(k, AHEAD), temperature=heat,
                       aware=kind == "sophisticated", reward=wishes).policy[0]
            for k in sizes for heat in HEATS
        ])  # fmt: skip
    if name == "temperature":  # it is what she foresees
        return np.array([behave(world, Person(heat, foresees=True), reward=wishes)
                         for heat in sizes])  # fmt: skip
    if name == "leaning":
        reckoned = [seen.q + x * side for x in sizes for side in np.eye(ACTIONS)]
    else:
        reckoned = [reckon(world, Person(**{name: x}), reward=wishes) for x in sizes]
    return np.array([pick(q, heat) for q in reckoned for heat in HEATS])


def beliefs(seen: Survey) -> np.ndarray:
    """What to believe of the wish of each of `SIZED` by her kind alone, (10, islands, 20)."""
    out = []
    for kind in SIZED:
        k = KINDS.index(kind)
        logs = evidence(family(kind, seen), seen.states[k], seen.actions[k])[..., WATCHED, :]
        out.append(infer.joint(np.moveaxis(logs, 0, -2)).goals)
    return np.array(out)
