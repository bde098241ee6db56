r"""The detour: a hole in the middle of the street, and two right ways round it.

The cart rolls half a metre forward per step and chooses how fast to move sideways,
a in [-1, 1]. Hana keeps to the middle, and two metres before the hole she swerves to
the left or to the right, whichever she feels like, then comes back. Both are right.
Half of one and half of the other is straight on.

An observation is (metres driven, offset from the middle, left positive). Which side
she has in mind is in nobody's observation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.demonstrations import Demonstrations

__all__ = ["Detour", "Trip", "demonstrate", "drive"]


@dataclass(frozen=True)
class Detour:
    """The street with the hole in it; all lengths in metres.

    Attributes
    ----------
    length, step : float
        Of the street, and of what is driven in one step.
    hole : (float, float)
        Where the hole begins and ends, along the street.
    hole_half, kerb : float
        Offset below which a cart beside the hole falls in, and beyond which a cart
        anywhere has left the street.
    side : float
        Offset at which Hana passes the hole.
    swerve : (float, float)
        She swerves somewhere between so many metres before the hole.
    start_spread, wobble : float
        Standard deviations of the first offset (m), and of what is added to every
        executed action.
    """

    length: float = 8.0
    step: float = 0.5
    hole: tuple[float, float] = (4.0, 5.0)
    hole_half: float = 0.6
    kerb: float = 2.0
    side: float = 1.2
    swerve: tuple[float, float] = (2.0, 2.0)
    start_spread: float = 0.05
    wobble: float = 0.05

    def __post_init__(self):
        if not 0 < self.step <= self.length:
            raise ValueError(f"step is {self.step}; it lies between 0 and length")
        if not 0 < self.hole[0] < self.hole[1] < self.length:
            raise ValueError(f"hole is {self.hole}; it lies inside (0, {self.length})")
        if not self.hole_half < self.side < self.kerb:
            raise ValueError(
                f"side is {self.side}; it lies between the hole's {self.hole_half} "
                f"and the kerb's {self.kerb}"
            )
        if not 0 <= self.swerve[0] <= self.swerve[1] <= self.hole[0]:
            raise ValueError(
                f"swerve is {self.swerve}; give (least, most) before the hole"
            )

    @property
    def steps(self) -> int:
        return round(self.length / self.step)

    def start(self, carts: int, rng) -> np.ndarray:
        """First offsets, (carts,)."""
        return self.start_spread * rng.standard_normal(carts)

    def move(self, offset, action, rng) -> np.ndarray:
        """Offsets one step later: the action, a wobble, and nothing beyond 45°."""
        wobble = self.wobble * rng.standard_normal(len(offset))
        return offset + self.step * np.clip(np.clip(action, -1, 1) + wobble, -1, 1)

    def lost(self, metres: float, offset) -> np.ndarray:
        """Which carts are in the hole or over the kerb, bool."""
        beside = self.hole[0] <= metres <= self.hole[1]
        return (beside & (np.abs(offset) < self.hole_half)) | (
            np.abs(offset) > self.kerb
        )


@dataclass(frozen=True, eq=False)
class Trip:
    """Where the carts went: `offsets` (steps + 1, carts) and who was `lost` (carts,)."""

    offsets: np.ndarray
    lost: np.ndarray

    def went_left(self, world: Detour) -> np.ndarray:
        """Which of the carts that arrived passed the hole on its left, bool."""
        beside = round(np.mean(world.hole) / world.step)
        return self.offsets[beside, ~self.lost] > 0


def demonstrate(world: Detour, episodes: int, rng) -> Demonstrations:
    """Hana drives down the street so many times; a coin decides on each side."""
    side = np.where(rng.random(episodes) < 0.5, world.side, -world.side)
    swerve = world.hole[0] - rng.uniform(*world.swerve, episodes)
    offset, seen, done = world.start(episodes, rng), [], []
    for t in range(world.steps):
        metres = t * world.step
        aside = (swerve <= metres) & (metres < world.hole[1])
        towards = 0.6 * (np.where(aside, side, 0.0) - offset) / world.step
        action = np.clip(towards, -1, 1)
        seen.append(np.stack([np.full(episodes, metres), offset], axis=1))
        done.append(action)
        offset = world.move(offset, action, rng)
    return Demonstrations(  # one drive after another
        np.stack(seen, axis=1).reshape(-1, 2),
        np.stack(done, axis=1).reshape(-1, 1),
        np.repeat(np.arange(episodes), world.steps),
    )


def drive(world: Detour, policy, carts: int, rng, *, chunk: int = 1) -> Trip:
    """Let a policy drive; it looks up only every `chunk` steps.

    Parameters
    ----------
    policy : callable
        (carts, 2) observations -> (carts, chunk) actions, carried out in turn.
    """
    if chunk < 1:
        raise ValueError(f"chunk is {chunk}; a policy decides on at least 1 step")
    offset, lost = world.start(carts, rng), np.zeros(carts, bool)
    offsets = [offset]
    for t in range(world.steps):
        metres = t * world.step
        if t % chunk == 0:
            plan = policy(np.stack([np.full(carts, metres), offset], axis=1))
        offset = world.move(offset, plan[:, t % chunk], rng)
        lost |= world.lost(metres + world.step, offset)
        offsets.append(offset)
    return Trip(np.array(offsets), lost)
