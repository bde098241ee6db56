r"""A crossing with a light: go when it is green, and never mind what you did last.

The light keeps its colour for a while: it changes with chance `change` a step. Hana
sees it. The cart's camera looks into the low sun and reads it wrong with chance
`glare`. The cart may also be told what it did a moment ago, and because the light
rarely changes, that is by far the better guess of what Hana does now.

An observation is ``(light, reading, previous)``: the light (0 red, 1 green), which is
for Hana's eyes; what the camera reads; and the last action (0 wait, 1 go).  A cart
is given some of the columns.  At the start every cart stands.  Carts are vectorised,
and a `Crossing` is walked and demonstrated by the functions of the tightrope.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import gymnasium as gym
import numpy as np

__all__ = [
    "CAMERA", "CAMERA_AND_PREVIOUS", "Crossing", "CrossingEnv", "best_policy",
    "closed_loop_accuracy", "shown", "table_index",
]  # fmt: skip

LIGHT, READING, PREVIOUS = range(3)
CAMERA, CAMERA_AND_PREVIOUS = (READING,), (READING, PREVIOUS)


@dataclass(frozen=True)
class Crossing:
    """The rules of the crossing.

    Attributes
    ----------
    change : float
        Chance that the light changes between two steps, in (0, 1).
    glare : float
        Chance that the camera reads the light wrong, in (0, 1/2).
    horizon : int
        Steps of one episode.

    Raises
    ------
    ValueError
        If one of them is outside its range.
    """

    change: float = 0.02
    glare: float = 0.2
    horizon: int = 200

    def __post_init__(self):
        if not 0 < self.change < 1:
            raise ValueError(f"change is {self.change}; it must lie in (0, 1)")
        if not 0 < self.glare < 0.5:
            raise ValueError(f"glare is {self.glare}; it must lie in (0, 1/2)")
        if self.horizon < 1:
            raise ValueError(f"horizon is {self.horizon}; it must be at least 1")

    def start(self, carts: int, rng: np.random.Generator) -> np.ndarray:
        """First observations, shape (carts, 3): either colour, and the carts stand."""
        return self._look(rng.integers(2, size=carts), np.zeros(carts, int), rng)

    def step(self, observations, actions, rng):
        """Next observations (B, 3), and the cost (B,): 1 for acting against the light."""
        light = observations[:, LIGHT]
        cost = (actions != light).astype(float)
        light = light ^ (rng.random(len(light)) < self.change)
        return self._look(light, np.asarray(actions), rng), cost

    def expert(self, observations) -> np.ndarray:
        """Hana: go if and only if the light is green.  Shape (B,)."""
        return np.asarray(observations)[:, LIGHT]

    def _look(self, light, previous, rng):
        reading = light ^ (rng.random(len(light)) < self.glare)
        return np.stack([light, reading, previous], axis=1)


def table_index(observations, columns=CAMERA_AND_PREVIOUS) -> np.ndarray:
    """The row of a lookup table: the bits of the given columns as one number."""
    bits = np.asarray(observations)[:, list(columns)]
    return bits @ (2 ** np.arange(len(columns)))


# What is exactly so -----------------------------------------------------------------


def shown(world: Crossing, columns=CAMERA_AND_PREVIOUS) -> np.ndarray:
    """How often Hana, in each row of a table, waits and goes: shape (rows, 2).

    The joint distribution of (row, Hana's action) over the steps of her episodes,
    exactly.  An endless supply of demonstrations would be counted into this.
    """
    joint = np.zeros((2 ** len(columns), 2))
    place = np.array([[0.5, 0.0], [0.5, 0.0]])  # chance of (light, previous)
    for _ in range(world.horizon):
        for light, reading, previous in product(range(2), repeat=3):
            seen = np.array([[light, reading, previous]])
            chance = place[light, previous] * _reads(world, light, reading)
            joint[table_index(seen, columns)[0], light] += chance / world.horizon
        place = _move(world, np.diag(place.sum(axis=1)))  # she does what the light says
    return joint


def closed_loop_accuracy(world: Crossing, go, columns=CAMERA_AND_PREVIOUS) -> float:
    """Share of steps at which a cart does what the light says, exactly.

    Parameters
    ----------
    go : array, shape (rows,)
        Chance that the cart goes, for each row of its table.
    """
    go, right = np.asarray(go, float), 0.0
    place = np.array([[0.5, 0.0], [0.5, 0.0]])
    for _ in range(world.horizon):
        acts = np.zeros((2, 2))  # chance of (light, action)
        for light, reading, previous in product(range(2), repeat=3):
            seen = np.array([[light, reading, previous]])
            chance = place[light, previous] * _reads(world, light, reading)
            p = go[table_index(seen, columns)[0]]
            acts[light] += chance * np.array([1 - p, p])
        right += np.trace(acts) / world.horizon
        place = _move(world, acts)
    return float(right)


def best_policy(world: Crossing, columns=CAMERA_AND_PREVIOUS):
    """The best table of definite answers, by trying all: (go, accuracy)."""
    tables = product((0.0, 1.0), repeat=2 ** len(columns))
    value, go = max((closed_loop_accuracy(world, go, columns), go) for go in tables)
    return np.array(go), value


def _reads(world, light, reading):
    return world.glare if light != reading else 1 - world.glare


def _move(world, acts):
    """(light, action) becomes (next light, previous action)."""
    return (1 - world.change) * acts + world.change * acts[::-1]


class CrossingEnv(gym.Env):
    """One cart at the crossing, as a Gymnasium environment.

    Observation: ``(light, reading, previous)``, three bits. Action: 0 wait, 1 go.
    Reward: -1 for acting against the light. An episode is `horizon` steps.
    """

    metadata = {"render_modes": []}

    def __init__(self, world: Crossing | None = None):
        self.world = world or Crossing()
        self.observation_space = gym.spaces.MultiDiscrete([2, 2, 2])
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._clock = 0
        self._observations = self.world.start(1, self.np_random)
        return self._observations[0].copy(), {}

    def step(self, action):
        self._observations, cost = self.world.step(
            self._observations, np.array([action]), self.np_random
        )
        self._clock += 1
        over = self._clock == self.world.horizon
        return self._observations[0].copy(), -float(cost[0]), False, over, {}
