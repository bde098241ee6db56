"""The assistance game: two who act, one reward, and only one of them knows it.

Hadfield-Menell et al. (2016) call it a *cooperative inverse reinforcement learning*
game: states S, Hana's actions A_H, Rollo's actions A_R, goals Θ, transitions
P(s' | s, a_H, a_R), one reward r(s, a_H, a_R; θ) for both, a discount, a start and a
prior over θ. Both see states and actions. Only Hana sees θ, and nobody sends a reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.cirl.belief import checked_belief

__all__ = ["Game", "Play", "play", "random_game"]


@dataclass(frozen=True, eq=False)
class Game:
    r"""An assistance game of finitely many steps; both move at once.

    Turns are states in which one of the two has a single legal action. Actions that do
    the same thing are words: whoever sees them may read something into them.

    Attributes
    ----------
    transitions : (S, A_H, A_R, S)
        Rows sum to 1. They do not depend on the goal.
    reward : (S, A_H, A_R, Θ)
        What a step is worth to both of them, for each goal.
    prior : (Θ,)
        Rollo's belief before the first move; sums to 1.
    horizon : int
        Steps, at least 1.
    discount : float
        In (0, 1].
    start : int
    human_may, robot_may : (S, A_H) and (S, A_R) bool, optional
        Legal actions; all, if not given. Every state needs one for each of them.

    Raises
    ------
    ValueError
        If a shape does not fit, a row does not sum to 1, or a number is out of range.
    """

    transitions: np.ndarray
    reward: np.ndarray
    prior: np.ndarray
    horizon: int
    discount: float = 1.0
    start: int = 0
    human_may: np.ndarray | None = None
    robot_may: np.ndarray | None = None

    def __post_init__(self):
        P, r = np.asarray(self.transitions, float), np.asarray(self.reward, float)
        if P.ndim != 4 or P.shape[0] != P.shape[3]:
            raise ValueError(f"transitions has shape {P.shape}; it must be "
                             "(S, A_H, A_R, S)")
        if r.ndim != 4 or r.shape[:3] != P.shape[:3]:
            raise ValueError(f"reward has shape {r.shape}; it must be "
                             f"{(*P.shape[:3], 'goals')} to fit transitions")
        if not np.isfinite(r).all():
            raise ValueError("reward holds an entry that is not finite")
        wrong = (P < 0).any(axis=3) | ~(np.abs(P.sum(axis=3) - 1) < 1e-9)
        if wrong.any():
            s, h, a = map(int, np.argwhere(wrong)[0])
            raise ValueError(f"transitions[{s}, {h}, {a}] sums to "
                             f"{P[s, h, a].sum():.6g} with least entry "
                             f"{P[s, h, a].min():.3g}; each row must be a distribution")
        if int(self.horizon) != self.horizon or self.horizon < 1:
            raise ValueError(f"horizon is {self.horizon}; it must be a whole number above 0")
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount is {self.discount}; it must be in (0, 1]")
        if self.start not in range(len(P)):
            raise ValueError(f"start is {self.start}; legal: 0 to {len(P) - 1}")
        object.__setattr__(self, "transitions", P)
        object.__setattr__(self, "reward", r)
        object.__setattr__(self, "prior", checked_belief("prior", self.prior, r.shape[3]))
        for name, n in (("human_may", P.shape[1]), ("robot_may", P.shape[2])):
            may = getattr(self, name)
            may = np.ones((len(P), n), bool) if may is None else np.asarray(may, bool)
            if may.shape != (len(P), n):
                raise ValueError(f"{name} has shape {may.shape}; it must be {(len(P), n)}")
            if not may.any(axis=1).all():
                raise ValueError(f"{name}[{int(np.argmin(may.any(axis=1)))}] allows "
                                 "nothing; every state needs a legal action")
            object.__setattr__(self, name, may)

    @property
    def n_states(self) -> int:
        return len(self.transitions)

    @property
    def n_goals(self) -> int:
        return len(self.prior)

    @property
    def n_human(self) -> int:
        return self.transitions.shape[1]

    @property
    def n_robot(self) -> int:
        return self.transitions.shape[2]


class Play:
    """One game in progress, for a reader on either side of it.

    `step` returns the next state and nothing else: what the moves were worth is known
    to the book-keeper, who tells when the game is `over`.
    """

    def __init__(self, game: Game, goal: int, rng: np.random.Generator):
        if goal not in range(game.n_goals):
            raise ValueError(f"goal is {goal}; legal: 0 to {game.n_goals - 1}")
        self.game, self.state, self.history = game, game.start, []
        self._goal, self._rng, self._worth = int(goal), rng, 0.0

    @property
    def over(self) -> bool:
        return len(self.history) == self.game.horizon

    def step(self, human: int, robot: int) -> int:
        """Both move at once. Both see the moves and the state that comes of them."""
        game, s, t = self.game, self.state, len(self.history)
        if self.over:
            raise ValueError(f"the game is over after its {game.horizon} steps")
        for name, may, action in (("human", game.human_may, human),
                                  ("robot", game.robot_may, robot)):  # fmt: skip
            legal = np.flatnonzero(may[s]).tolist()
            if action not in legal:
                raise ValueError(f"{name} is {action}; legal in state {s}: {legal}")
        self._worth += game.discount**t * game.reward[s, human, robot, self._goal]
        self.state = int(self._rng.choice(game.n_states, p=game.transitions[s, human, robot]))
        self.history.append((s, int(human), int(robot)))
        return self.state

    def worth(self) -> float:
        """The discounted sum of rewards, told to both when it is too late to use it."""
        if not self.over:
            left = self.game.horizon - len(self.history)
            raise ValueError(f"{left} steps are left; the worth is told at the end")
        return self._worth


def play(game: Game, human, robot, goal: int, rng) -> Play:
    """Play to the end.

    Parameters
    ----------
    human : callable
        (history, state, goal) -> action. The history is a list of (state, her action,
        his action).
    robot : callable
        (history, state) -> action. He is not told the goal, nor any reward.
    """
    table = Play(game, goal, rng)
    while not table.over:
        seen = list(table.history)
        table.step(human(seen, table.state, goal), robot(list(seen), table.state))
    return table


def random_game(rng, n_states=3, n_human=3, n_robot=3, n_goals=3, horizon=3,
                discount=0.9, stake=3.0, branches=1) -> Game:  # fmt: skip
    """A game in which every reward is drawn from a normal distribution.

    What Hana does is worth r_H(s, a_H; θ); what Rollo does is worth `stake` times
    r_R(s, a_R; θ). Each pair of actions leads to `branches` states at random.
    """
    r_h = rng.normal(size=(n_states, n_human, 1, n_goals))
    r_r = rng.normal(size=(n_states, 1, n_robot, n_goals))
    P = np.zeros((n_states, n_human, n_robot, n_states))
    for row in P.reshape(-1, n_states):
        row[rng.choice(n_states, branches, replace=False)] = rng.dirichlet(np.ones(branches))
    prior = rng.dirichlet(np.full(n_goals, 5.0))
    return Game(P, r_h + stake * r_r, prior, horizon, discount)
