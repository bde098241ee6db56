r"""The tightrope: one wrong lean and you are off; what then depends on the way back.

At each step a gust is felt, nearly always none, now and then a rare one, and exactly
one lean answers it.  Any other action ends the step on the ground, which costs 1.
The way back up is the only thing that differs between the three worlds:

========== =====================================================================
"none"     there is none: the walker stays on the ground
"expert"   a ladder: one action, `climb`, which nobody on the rope ever shows
"easy"     whatever the walker does next puts it back on the rope
========== =====================================================================

An observation is ``(clock, felt)``; on the ground one feels only the ground.
Every array carries the walkers in its first axis, so thousands walk at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from imitlib.demonstrations import Demonstrations

__all__ = [
    "Tightrope", "TightropeEnv", "build", "demonstrate", "every_octave",
    "expected_cost", "in_world", "mostly_still", "table_index", "walk",
]  # fmt: skip

RECOVERIES = ("none", "expert", "easy")


@dataclass(frozen=True)
class Tightrope:
    """The rules of one rope.

    Attributes
    ----------
    right : ndarray of int, shape (horizon, n_gusts)
        The lean that answers each gust at each step.
    chance : ndarray, shape (n_gusts,)
        Probability of each gust, the same at every step.
    n_leans : int
        Leans are 0 .. n_leans - 1; the action ``n_leans`` is `climb`.
    recovery : str
        ``"none"``, ``"expert"`` or ``"easy"``.

    Raises
    ------
    ValueError
        If a lean, a probability or the recovery is not legal.
    """

    right: np.ndarray
    chance: np.ndarray
    n_leans: int
    recovery: str = "none"

    def __post_init__(self):
        if self.recovery not in RECOVERIES:
            raise ValueError(
                f"recovery is {self.recovery!r}; legal: {', '.join(RECOVERIES)}"
            )
        if self.right.ndim != 2 or self.right.shape[1:] != self.chance.shape:
            raise ValueError(
                f"right has shape {self.right.shape} and chance {self.chance.shape}; "
                "they must be (horizon, n_gusts) and (n_gusts,)"
            )
        if self.n_leans < 2 or self.right.min() < 0 or self.right.max() >= self.n_leans:
            raise ValueError(
                f"right holds leans {self.right.min()} to {self.right.max()}; "
                f"with n_leans = {self.n_leans} (at least 2) they must be below it"
            )
        if self.chance.min() < 0 or not np.isclose(self.chance.sum(), 1):
            raise ValueError(
                f"chance sums to {self.chance.sum():.6g} with least value "
                f"{self.chance.min():.3g}; it must be a probability vector"
            )

    @property
    def horizon(self) -> int:
        return len(self.right)

    @property
    def n_gusts(self) -> int:
        return len(self.chance)

    @property
    def ground(self) -> int:
        """What a walker feels on the ground, where no gust reaches."""
        return self.n_gusts

    @property
    def climb(self) -> int:
        """The action that uses the ladder."""
        return self.n_leans

    @property
    def n_actions(self) -> int:
        return self.n_leans + 1

    def start(self, walkers: int, rng: np.random.Generator) -> np.ndarray:
        """First observations, shape (walkers, 2): everybody on the rope, clock 0."""
        return self._feel(np.zeros(walkers, int), np.ones(walkers, bool), rng)

    def step(self, observations, actions, rng):
        """Next observations (B, 2), and the cost (B,): 1 for who ends off the rope."""
        clock, felt = observations.T
        on_rope = felt != self.ground
        answer = self.right[clock, np.where(on_rope, felt, 0)]
        stays = on_rope & (actions == answer)
        climbs = self.recovery == "expert" and actions == self.climb
        up = stays | (~on_rope & (climbs | (self.recovery == "easy")))
        return self._feel(clock + 1, up, rng), (~up).astype(float)

    def expert(self, observations) -> np.ndarray:
        """The right lean on the rope; on the ground, the ladder.  Shape (B,)."""
        clock, felt = observations.T
        on_rope = felt != self.ground
        lean = self.right[clock, np.where(on_rope, felt, 0)]
        return np.where(on_rope, lean, self.climb)

    def _feel(self, clock, on_rope, rng):
        edges = np.cumsum(self.chance)[:-1]
        gust = np.searchsorted(edges, rng.random(len(clock)), side="right")
        return np.stack([clock, np.where(on_rope, gust, self.ground)], axis=1)


# Which gusts blow, and which lean answers them --------------------------------------


def mostly_still(n_rare: int, rare: float) -> np.ndarray:
    """No gust with probability 1 - rare; else one of `n_rare` rare ones, all alike."""
    return np.r_[1 - rare, np.full(n_rare, rare / n_rare)]


def every_octave(n_gusts: int) -> np.ndarray:
    """Chances 1/2, 1/4, 1/8, ...: whatever the sample size, some gusts are too rare.

    The mass of the gusts missing from n draws is about 1 / (n log 2) for every n
    below 2 ** n_gusts, so one and the same world is hard at every sample size.
    """
    chance = 0.5 ** np.arange(1, n_gusts + 1)
    chance[-1] *= 2
    return chance


def build(
    horizon: int,
    chance: np.ndarray,
    rng: np.random.Generator,
    *,
    n_leans: int = 4,
    recovery: str = "none",
    shared: bool = True,
) -> Tightrope:
    """A rope whose right leans are drawn at random.

    With `shared` a gust has the same answer at every step; else each step has its own.
    """
    if horizon < 1:
        raise ValueError(f"horizon is {horizon}; a rope has at least one step")
    rows = 1 if shared else horizon
    right = rng.integers(n_leans, size=(rows, len(chance)))
    right = np.broadcast_to(right, (horizon, len(chance)))
    return Tightrope(right, chance, n_leans, recovery)


# Walking, showing, and what theory says ---------------------------------------------


def walk(world, policy, walkers: int, rng: np.random.Generator) -> np.ndarray:
    """Which steps cost something, under `policy`: bool, shape (horizon, walkers)."""
    observations = world.start(walkers, rng)
    costly = np.zeros((world.horizon, walkers), bool)
    for t in range(world.horizon):
        observations, cost = world.step(observations, policy(observations), rng)
        costly[t] = cost > 0
    return costly


def demonstrate(world, episodes: int, rng, policy=None, beta=0.0) -> Demonstrations:
    """What the expert does in every place visited: (N, ...) observations, her actions.

    The walk is the expert's own; or, if there is a `policy`, that one's, with the
    expert stepping in with chance `beta` at each step. The recorded action is always
    the expert's, the reward that of the action taken.
    """
    seen, labels, costs = [], [], []
    observations = world.start(episodes, rng)
    for _ in range(world.horizon):
        actions = label = world.expert(observations)
        if policy is not None:
            hers = rng.random(episodes) < beta
            actions = np.where(hers, label, policy(observations))
        seen.append(observations)
        labels.append(label)
        observations, cost = world.step(observations, actions, rng)
        costs.append(cost)
    return Demonstrations(  # one walk after another
        np.stack(seen, axis=1).reshape(episodes * world.horizon, -1),
        np.stack(labels, axis=1).reshape(-1),
        np.repeat(np.arange(episodes), world.horizon),
        -np.stack(costs, axis=1).reshape(-1),
    )


def in_world(world, episodes: int):
    """How DAgger collects here: so many walks a round, all at once."""
    return lambda policy, beta, rng: demonstrate(world, episodes, rng, policy, beta)


def table_index(world: Tightrope, observations, *, shared: bool = True) -> np.ndarray:
    """The row of a lookup table that an observation falls in.

    `shared`: one row per thing felt, ``n_gusts + 1`` in all, used at every step.
    Else: the same rows anew for every step, ``horizon * (n_gusts + 1)`` in all.
    """
    clock, felt = np.asarray(observations).T
    return felt if shared else clock * (world.n_gusts + 1) + felt


def expected_cost(error, horizon: int, *, recovers: bool) -> np.ndarray:
    r"""Expected cost after 1, 2, ..., horizon steps, exactly.

    With :math:`q_t` the chance of standing on the rope after step t and
    :math:`\varepsilon_t` that of a wrong lean on it, :math:`q_0 = 1` and

    .. math::
        q_t = (1 - \varepsilon_t)\, q_{t-1} + (1 - q_{t-1})\,[\text{recovers}],
        \qquad J_T = \sum_{t \le T} (1 - q_t).

    Without recovery and with one :math:`\varepsilon` this is
    :math:`\sum_{t \le T} 1 - (1 - \varepsilon)^t \approx \varepsilon T^2 / 2`; with
    it, about :math:`\varepsilon T`.

    Parameters
    ----------
    error : float or array, shape (horizon,)
        Chance of a wrong lean at each step, in [0, 1].

    References
    ----------
    Ross and Bagnell (2010), Theorem 2.1 and the example that attains it.
    """
    error = np.broadcast_to(np.asarray(error, float), (horizon,))
    if error.min() < 0 or error.max() > 1:
        raise ValueError(
            f"error runs from {error.min():.3g} to {error.max():.3g}; "
            "it is a probability, in [0, 1]"
        )
    on_rope, off = 1.0, np.zeros(horizon)
    for t in range(horizon):
        on_rope = (1 - error[t]) * on_rope + (1 - on_rope) * recovers
        off[t] = 1 - on_rope
    return np.cumsum(off)


class TightropeEnv(gym.Env):
    """One walker on a tightrope, as a Gymnasium environment.

    Observation: ``(clock, felt)``, integers. Action: a lean, or `climb`.
    Reward: -1 for a step that ends off the rope. An episode is `horizon` steps.

    Parameters
    ----------
    world : Tightrope, optional
        By default 256 steps, 100 rare gusts of total chance 0.01, four leans, and a
        ladder that the expert knows.
    """

    metadata = {"render_modes": []}

    def __init__(self, world: Tightrope | None = None):
        self.world = world or build(
            256, mostly_still(100, 0.01), np.random.default_rng(0), recovery="expert"
        )
        self.observation_space = gym.spaces.MultiDiscrete(
            [self.world.horizon + 1, self.world.n_gusts + 1]
        )
        self.action_space = gym.spaces.Discrete(self.world.n_actions)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._observations = self.world.start(1, self.np_random)
        return self._observations[0].copy(), {}

    def step(self, action):
        self._observations, cost = self.world.step(
            self._observations, np.array([action]), self.np_random
        )
        clock = int(self._observations[0, 0])
        done = clock == self.world.horizon
        return self._observations[0].copy(), -float(cost[0]), done, False, {}
