r"""Between Gymnasium and the page: a table of outcomes becomes an `MDP`, and back.

Some of Gymnasium's worlds carry their own rules in a table: ``env.unwrapped.P[s][a]``
lists every outcome as (probability, successor, reward, terminated). FrozenLake, Taxi
and CliffWalking do. `to_mdp` reads the table, and the world can be planned in exactly;
`TabularEnv` goes the other way, so that a learner can stumble about in any `MDP`.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from scipy import sparse

from imitlib.mdp import MDP

__all__ = ["TabularEnv", "to_mdp"]


def to_mdp(env: gym.Env, discount: float = 1.0) -> MDP:
    r"""The world of a Gymnasium environment as an `MDP`, exactly.

    There is one state more than the environment has, the last: *the end*. Every
    outcome that the table calls terminated leads there, whatever successor it names
    (Taxi and CliffWalking go on in theirs), and there nothing more is paid.  The reward
    is the expectation :math:`r(s, a) = \sum_i p_i r_i` over the listed outcomes.

    Parameters
    ----------
    env : gymnasium.Env
        With a table ``env.unwrapped.P``; wrappers are looked through.
    discount : float
        :math:`\gamma \in [0, 1]`; Gymnasium leaves it to the learner.

    Returns
    -------
    MDP
        S + 1 states, begun as ``initial_state_distrib`` says where there is one, else
        in state 0.

    Raises
    ------
    TypeError
        If there is no such table.
    ValueError
        If a row is missing, names a state that is not there, or does not sum to 1.

    Notes
    -----
    A time limit is no part of the world: truncation is left out.  So is whatever
    `step` does beside its table, with one exception. A Taxi with a fickle passenger
    keeps a bit that the table lacks: whether the passenger will change destination at
    the first move of the ride. It becomes part of the state: s + 500 where the change
    is still to come, s where it is not, and 1000 is the end. A driver that is shown
    only the observation does not see that bit; a plan made in this `MDP` does.
    """
    world = env.unwrapped
    if not hasattr(world, "P"):
        raise TypeError(f"env is {world}; it has no table of outcomes `P`, as FrozenLake, "
                        "Taxi and CliffWalking have")
    s, a, chance, ahead, paid, shape = _outcomes(world.P)
    n_states, n_actions = shape
    start = np.zeros(n_states + 1)
    start[: n_states] = getattr(world, "initial_state_distrib", start[:-1])
    if not start.any():
        start[0] = 1.0
    if getattr(world, "fickle_passenger", False):
        s, a, chance, ahead, paid = _fickle(world, s, a, chance, ahead, paid)
        will = world.fickle_probability
        start = np.concatenate([(1 - will) * start[:-1], will * start[:-1], [0.0]])
    end = len(start) - 1
    row = s * n_actions + a
    # the end leads to itself
    rows = np.append(row, end * n_actions + np.arange(n_actions))
    columns = np.append(np.where(ahead < 0, end, ahead), np.full(n_actions, end))
    chances = np.append(chance, np.ones(n_actions))
    size = ((end + 1) * n_actions, end + 1)
    reward = np.bincount(row, chance * paid, minlength=size[0]).reshape(-1, n_actions)
    return MDP(sparse.csr_array((chances, (rows, columns)), size), reward, discount, start)


def _outcomes(table):
    """The table as columns, a row for each outcome; successor -1 is the end."""
    n_states = len(table)
    n_actions = len(table[0]) if 0 in table else 0
    if not n_states or not n_actions:
        raise ValueError(f"env.P has {n_states} states and {n_actions} actions in "
                         "state 0; there must be at least one of each")
    rows = []
    for s in range(n_states):
        if s not in table or set(table[s]) != set(range(n_actions)):
            raise ValueError(f"env.P[{s}] must list the actions 0 ... {n_actions - 1}, "
                             "as state 0 does")
        for a in range(n_actions):
            total = 0.0
            for chance, ahead, paid, terminated in table[s][a]:
                total += chance
                if chance < 0 or not 0 <= ahead < n_states:
                    raise ValueError(
                        f"env.P[{s}][{a}] leads to {ahead} with probability {chance}; "
                        f"states are 0 ... {n_states - 1}, and no chance is below 0")
                rows.append((s, a, chance, -1 if terminated else ahead, paid))
            if not abs(total - 1) <= 1e-6:
                raise ValueError(f"env.P[{s}][{a}] sums to {total:.6g}; "
                                 "its probabilities must sum to 1")
    s, a, chance, ahead, paid = (np.array(column) for column in zip(*rows))
    return (s.astype(int), a.astype(int), chance.astype(float), ahead.astype(int),
            paid.astype(float), (n_states, n_actions))


def _fickle(taxi, s, a, chance, ahead, paid):
    """The table of a taxi whose passenger may change destination, once.

    The second half of the states has the change still to come: it comes with the first
    outcome that moves the cab while the passenger is inside, to one of the other
    destinations with equal chance, and leads back to the first half.
    """
    n_states, places = len(taxi.P), len(taxi.locs)
    inside = (s // places) % (places + 1) == places
    cab = places * (places + 1)  # states to a place of the cab
    turns = inside & (ahead >= 0) & (s // cab != ahead // cab)
    columns = [np.stack([s, a, chance, ahead, paid])]
    later = np.where(ahead < 0, -1, ahead + n_states)
    columns.append(np.stack([s + n_states, a, chance, later, paid])[:, ~turns])
    wanted = ahead[turns] % places
    for other in range(1, places):
        changed = ahead[turns] - wanted + (wanted + other) % places
        columns.append(np.stack([
            s[turns] + n_states, a[turns], chance[turns] / (places - 1), changed,
            paid[turns]]))
    s, a, chance, ahead, paid = np.concatenate(columns, axis=1)
    return s.astype(int), a.astype(int), chance, ahead.astype(int), paid


class TabularEnv(gym.Env):
    """Any `MDP` as a Gymnasium environment.

    Observation: the state. Reward: the expected :math:`r(s, a)`. An episode is
    terminated on entering a terminal state, and truncated after `horizon` steps.

    Parameters
    ----------
    mdp : MDP
    horizon : int, optional
        Without one, only a terminal state ends an episode.
    render_mode : str, optional
        None here; worlds with a picture have more.
    """

    metadata = {"render_modes": [], "render_fps": 4}

    def __init__(self, mdp: MDP, horizon: int | None = None, render_mode=None):
        if horizon is not None and horizon < 1:
            raise ValueError(f"horizon is {horizon}; it is at least 1, or None")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            legal = [*self.metadata["render_modes"], None]
            raise ValueError(f"render_mode is {render_mode!r}; legal: {legal}")
        self.mdp, self.horizon, self.render_mode = mdp, horizon, render_mode
        self.observation_space = gym.spaces.Discrete(mdp.n_states)
        self.action_space = gym.spaces.Discrete(mdp.n_actions)

    def reset(self, *, seed=None, options=None):
        """Begin; ``options={"state": s}`` begins in s instead of drawing the start."""
        super().reset(seed=seed)
        if options and "state" in options:
            self._state = int(options["state"])
            if not self.observation_space.contains(self._state):
                raise ValueError(f"options['state'] is {self._state}; a state is "
                                 f"0 ... {self.mdp.n_states - 1}")
        else:
            self._state = int(self.np_random.choice(self.mdp.n_states, p=self.mdp.start))
        self._clock = 0
        return self._state, {}

    def step(self, action):
        """Act once: (state, reward, terminated, truncated, {})."""
        if not self.action_space.contains(action):
            raise ValueError(f"action is {action!r}; "
                             f"legal are the integers 0 ... {self.mdp.n_actions - 1}")
        reward = float(self.mdp.reward[self._state, action])
        here, does = np.array([self._state]), np.array([action])
        self._state = int(self.mdp.sample(here, does, self.np_random)[0])
        self._clock += 1
        terminated = bool(self.mdp.terminal[self._state])
        late = self.horizon is not None and self._clock >= self.horizon
        return self._state, reward, terminated, late and not terminated, {}
