r"""The lane: one street of Loaf Street, a cart, and a kerb on either side.

The cart rolls at constant speed v and chooses the angle u of its front wheel. Its
place is written in the road's own coordinates: the metres s along the middle of the
lane, the offset y to the left of it, and the heading ψ against it. On a road of
curvature κ(s), with wheelbase L (kinematic bicycle, Rajamani 2012, ch. 2),

.. math::
    \dot s = \frac{v\cos\psi}{1 - \kappa y}, \qquad
    \dot y = v \sin\psi, \qquad
    \dot\psi = \frac{v}{L}\tan u - \kappa \dot s .

Beyond the kerb, \|y\| > half the width, the cart has crashed, and a crash is never
undone: the episode is over. The bends come from an AR(1) process along the road, a
little wind turns the cart at every step, and the cart's own eyes are dim: it reads y
and ψ with an error that grows with the fog, and knows the bends ahead from its map.

Everything carries the carts in its first axis, so hundreds drive at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from imitlib.demonstrations import Demonstrations
from imitlib.envs.lane_picture import paint

__all__ = ["Drive", "Lane", "LaneEnv", "Street", "drive"]


@dataclass(frozen=True)
class Street:
    """A stretch of road, the weather over it, and the cart that is driven there.

    Attributes
    ----------
    half_width : float
        From the middle of the lane to the kerb, in metres.
    speed, wheelbase, max_steer, dt : float
        v in m/s, L in m, the largest wheel angle in rad, seconds per step.
    bend, bend_metres : float
        Standard deviation of the curvature in 1/m, and the metres after which a
        bend is forgotten (its autocorrelation has fallen to 1/e).
    wind : float
        Standard deviation of the turn that a gust gives the cart at each step, in rad.
    fog : float
        Standard deviation of the cart's reading of its offset, in m. Heading is read
        from the lane two metres ahead, hence with an error of ``fog / 2`` rad.
    ahead : tuple of float
        Metres ahead at which the map gives the curvature.
    """

    half_width: float = 1.0
    speed: float = 4.0
    wheelbase: float = 1.0
    max_steer: float = 0.5
    dt: float = 0.1
    bend: float = 0.1
    bend_metres: float = 8.0
    wind: float = 0.005
    fog: float = 0.2
    ahead: tuple[float, ...] = (0.0, 2.0, 4.0)

    def __post_init__(self):
        positive = (
            "half_width",
            "speed",
            "wheelbase",
            "max_steer",
            "dt",
            "bend_metres",
        )
        for name in positive:
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; it must be positive"
                )
        for name in ("bend", "wind", "fog"):
            if not getattr(self, name) >= 0:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; it must be 0 or more"
                )
        if not self.ahead or min(self.ahead) < 0:
            raise ValueError(f"ahead is {self.ahead}; give distances of 0 or more")

    @property
    def tightest(self) -> float:
        """The largest curvature that is built, 0.9 of what the cart can turn, 1/m."""
        return 0.9 * np.tan(self.max_steer) / self.wheelbase


GRID = 0.4  # metres between two stored values of the curvature


class Lane:
    """`n` carts, each in a lane of its own, all in the same weather.

    Attributes
    ----------
    metres, offset, heading : ndarray, shape (n,)
        s in m, y in m (left of the middle is positive), ψ in rad.
    road : ndarray, shape (n, cells)
        Curvature every 0.4 m, laid as the carts get on.
    """

    def __init__(self, street: Street, n: int, rng: np.random.Generator):
        if n < 1:
            raise ValueError(f"n is {n}; at least one cart must drive")
        self.street, self.rng = street, rng
        # the road has its own generator: looking further ahead changes no gust
        self._road_rng = np.random.default_rng(rng.integers(2**63))
        self.metres, self.offset, self.heading = np.zeros((3, n))
        first = street.bend * self._road_rng.standard_normal((n, 1))
        self.road = self._bound(first)

    @property
    def state(self) -> np.ndarray:
        """What a person sees: offset, heading, and the curvature here, (n, 3)."""
        return np.stack([self.offset, self.heading, self.curvature()], axis=1)

    def observe(self) -> np.ndarray:
        """What the cart sees: dim offset, dim heading, curvatures ahead, (n, 2 + k)."""
        street, n = self.street, len(self.offset)
        offset = self.offset + street.fog * self.rng.standard_normal(n)
        heading = self.heading + street.fog / 2 * self.rng.standard_normal(n)
        bends = [self.curvature(ahead) for ahead in street.ahead]
        return np.stack([offset, heading, *bends], axis=1)

    def step(self, steer) -> np.ndarray:
        """One step of `dt` seconds; which carts have crashed, bool (n,)."""
        street = self.street
        steer = np.clip(np.asarray(steer, float), -street.max_steer, street.max_steer)
        turn, kappa = street.speed / street.wheelbase * np.tan(steer), self.curvature()

        def rates(offset, heading):
            along = street.speed * np.cos(heading) / (1 - kappa * offset)
            return along, street.speed * np.sin(heading), turn - kappa * along

        # the midpoint rule: the rates half a step ahead, taken for the whole step
        _, sideways, turning = rates(self.offset, self.heading)
        along, sideways, turning = rates(
            self.offset + street.dt / 2 * sideways,
            self.heading + street.dt / 2 * turning,
        )
        self.metres = self.metres + street.dt * along
        self.offset = self.offset + street.dt * sideways
        gust = street.wind * self.rng.standard_normal(len(self.offset))
        self.heading = self.heading + street.dt * turning + gust
        return np.abs(self.offset) > street.half_width

    def restart(self, which) -> None:
        """Put some carts back in the middle of the lane, pointing along it."""
        self.offset = np.where(which, 0.0, self.offset)
        self.heading = np.where(which, 0.0, self.heading)

    def curvature(self, ahead: float = 0.0) -> np.ndarray:
        """κ at so many metres ahead of each cart, 1/m, shape (n,)."""
        place = np.maximum(self.metres + ahead, 0.0) / GRID
        cell = place.astype(int)
        self._lay(cell.max() + 2)
        carts, part = np.arange(len(cell)), place - cell
        return (1 - part) * self.road[carts, cell] + part * self.road[carts, cell + 1]

    def _lay(self, cells: int) -> None:
        """Continue every road to `cells` cells: κ' = ρκ + √(1-ρ²) · bend · noise."""
        missing = cells - self.road.shape[1]
        if missing <= 0:
            return
        rho = np.exp(-GRID / self.street.bend_metres)
        kick = self.street.bend * np.sqrt(1 - rho**2)
        columns, kappa = [self.road], self.road[:, -1:]
        for _ in range(max(missing, 64)):
            kappa = rho * kappa + kick * self._road_rng.standard_normal(kappa.shape)
            kappa = self._bound(kappa)
            columns.append(kappa)
        self.road = np.concatenate(columns, axis=1)

    def _bound(self, kappa):
        return np.clip(kappa, -self.street.tightest, self.street.tightest)


@dataclass(frozen=True, eq=False)
class Drive:
    """What n carts saw, and what the person would have done, in each of T steps.

    Attributes
    ----------
    observations : ndarray, shape (T, n, 2 + k)
    labels : ndarray, shape (T, n, 1)
        The expert's steering, whoever was driving.
    states : ndarray, shape (T, n, 3)
        Offset, heading and curvature before each step.
    crashed : ndarray of bool, shape (T, n)
        Steps that ended beyond the kerb. The cart then starts a new episode.
    """

    observations: np.ndarray
    labels: np.ndarray
    states: np.ndarray
    crashed: np.ndarray

    @property
    def steps_survived(self) -> np.ndarray:
        """Steps on the road before each cart's first crash, (n,): its return."""
        steps = len(self.crashed)
        return np.where(self.crashed.any(0), self.crashed.argmax(0), steps)

    def off_road(self, horizon: int) -> float:
        """Share of the carts that have crashed within `horizon` steps."""
        return float(self.crashed[:horizon].any(0).mean())

    def demonstrations(self) -> Demonstrations:
        """The T · n observations with the expert's labels, one cart after another."""
        new = np.zeros(self.crashed.shape, int)  # 1 where an episode begins
        new[0], new[1:] = 1, self.crashed[:-1]
        rows = len(new) * new.shape[1]
        return Demonstrations(
            self.observations.swapaxes(0, 1).reshape(rows, -1),
            self.labels.swapaxes(0, 1).reshape(rows, 1),
            np.cumsum(new.T.reshape(-1)) - 1,
        )


def drive(
    street: Street,
    driver,
    expert,
    n: int,
    steps: int,
    rng: np.random.Generator,
    *,
    beta: float = 0.0,
    noise: float = 0.0,
) -> Drive:
    """Let n carts drive for so many steps, with the expert saying what she would do.

    Parameters
    ----------
    driver : callable or None
        Policy on observations, (n, 2 + k) -> (n, 1). None: the expert drives.
    expert : callable
        Policy on states, (n, 3) -> (n, 1).
    beta : float
        Probability with which the expert's action replaces the driver's, at each step.
    noise : float
        Standard deviation, in rad, of what is added to every executed action. Labels
        stay clean: noise injection (Laskey et al. 2017, DART).
    """
    if steps < 1 or not 0 <= beta <= 1 or noise < 0:
        raise ValueError(
            f"steps is {steps}, beta {beta}, noise {noise}; legal: at least 1 step, "
            "a beta in [0, 1], a noise of 0 or more"
        )
    lane, rows = Lane(street, n, rng), []
    for _ in range(steps):
        state, seen = lane.state, lane.observe()
        label = expert(state)
        action = label if driver is None else driver(seen)
        if beta > 0:
            action = np.where(rng.random((n, 1)) < beta, label, action)
        action = action + noise * rng.standard_normal((n, 1))
        crashed = lane.step(action[:, 0])
        lane.restart(crashed)
        rows.append((seen, label, state, crashed))
    return Drive(*(np.stack(column) for column in zip(*rows, strict=True)))


class LaneEnv(gym.Env):
    """One cart in the lane, as a Gymnasium environment.

    Observation: the cart's dim offset (m) and heading (rad), the curvature (1/m) at
    each distance of `street.ahead`. Action: the wheel's angle, rad, shape (1,).
    Reward: 1 for each step that ends on the road. Terminated by the kerb, truncated
    after `horizon` steps.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, street: Street | None = None, horizon=600, render_mode=None):
        if horizon < 1:
            raise ValueError(f"horizon is {horizon}; an episode has at least one step")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(
                f"render_mode is {render_mode!r}; legal: None, 'rgb_array'"
            )
        self.street, self.horizon = street or Street(), horizon
        self.render_mode, self.lane = render_mode, None
        seen, wheel = 2 + len(self.street.ahead), self.street.max_steer
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (seen,), np.float64)
        self.action_space = gym.spaces.Box(-wheel, wheel, (1,), np.float32)

    @property
    def state(self) -> np.ndarray:
        """Offset, heading and curvature, (1, 3): what a person at the wheel sees."""
        return self.lane.state

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.lane, self._steps = Lane(self.street, 1, self.np_random), 0
        return self.lane.observe()[0], {}

    def step(self, action):
        action = np.asarray(action, float).reshape(-1)
        if action.shape != (1,) or not np.isfinite(action[0]):
            raise ValueError(f"action is {action}; give one finite wheel angle in rad")
        crashed = bool(self.lane.step(action)[0])
        self._steps += 1
        seen, over = self.lane.observe()[0], self._steps >= self.horizon
        return seen, 0.0 if crashed else 1.0, crashed, over and not crashed, {}

    def render(self):
        if self.render_mode == "rgb_array":
            return paint(self.lane)
