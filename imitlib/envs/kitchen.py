"""The shared kitchen: two players, one recipe, and every rule in one page.

Three onions go into a pot, cook for twenty steps, and leave on a dish through
the hatch.  Two players share the floor and get in each other's way.  The rules
are those of the games that real people played (Carroll et al. 2019), and they
reproduce each recorded transition: see :mod:`imitlib.envs.kitchen_people`.

Every array carries the games in its first axis, so `n` kitchens move at once.
Squares are (x, y) with y downwards; boards are indexed [y, x].
"""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np

LAYOUTS = {
    "cramped_room": """
XXPXX
O  2O
X1  X
XDXSX""",
    "asymmetric_advantages": """
XXXXXXXXX
O XSXOX S
X   P 1 X
X2  P   X
XXXDXDXXX""",
    "coordination_ring": """
XXXPX
X 1 P
D2X X
O   X
XOSXX""",
    "forced_coordination": """
XXXPX
O X1P
O2X X
D X X
XXXSX""",
    "counter_circuit": """
XXXPPXXX
X      X
D XXXX S
X2    1X
XXXOOXXX""",
}
HEIGHT, WIDTH = 5, 9  # the box that holds every layout; the rest of it is counter

NORTH, SOUTH, EAST, WEST, STAY, INTERACT = range(6)
ACTION_NAMES = ("north", "south", "east", "west", "stay", "interact")
STEP = np.array([[0, -1], [0, 1], [1, 0], [-1, 0], [0, 0], [0, 0]])

NOTHING, ONION, DISH, SOUP = 0, 1, 2, 1000  # a soup: 1000 + 100 onions + steps cooked
FULL_POT = SOUP + 300
READY = FULL_POT + 20
REWARD_PER_SOUP = 5


@dataclass(frozen=True)
class State:
    """`n` kitchens at one moment.

    Attributes
    ----------
    position : (n, 2, 2) int, player by (x, y).
    facing : (n, 2) int, one of NORTH, SOUTH, EAST, WEST.
    held : (n, 2) int, what each player carries, as an object code.
    objects : (n, 5, 9) int, the object on each square [y, x].
    """

    position: np.ndarray
    facing: np.ndarray
    held: np.ndarray
    objects: np.ndarray

    def __len__(self):
        return len(self.position)

    def __getitem__(self, games):
        """The chosen games: an index array, a mask or a slice."""
        arrays = self.position, self.facing, self.held, self.objects
        return State(*(array[games] for array in arrays))


class Kitchen:
    """The rules of one layout, for any number of games at once.

    Parameters
    ----------
    layout : str
        A name in `LAYOUTS`.

    Attributes
    ----------
    terrain : (5, 9) array of str, "X" counter, "O" onions, "D" dishes, "P" pot,
        "S" serving hatch, " " floor.

    Examples
    --------
    >>> kitchen = Kitchen("cramped_room")
    >>> state = kitchen.start(games=8)
    >>> state, reward = kitchen.step(state, np.full((8, 2), STAY))
    """

    def __init__(self, layout="cramped_room"):
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {layout!r}; legal: {', '.join(LAYOUTS)}")
        self.layout = layout
        rows = LAYOUTS[layout].strip("\n").split("\n")
        self.height, self.width = len(rows), len(rows[0])
        self.terrain = np.full((HEIGHT, WIDTH), "X")
        self.terrain[: self.height, : self.width] = [list(row) for row in rows]
        starts = [np.argwhere(self.terrain == digit)[0, ::-1] for digit in "12"]
        self._starts = np.array(starts)
        self.terrain[np.isin(self.terrain, ["1", "2"])] = " "
        self.floor = self.terrain == " "
        self.pots = self.terrain == "P"

    def start(self, games=1):
        """`games` fresh kitchens: both players look north with empty hands."""
        return State(
            np.repeat(self._starts[None], games, axis=0),
            np.full((games, 2), NORTH),
            np.zeros((games, 2), dtype=int),
            np.zeros((games, HEIGHT, WIDTH), dtype=int),
        )

    def step(self, state, actions):
        """One joint step: interactions, then moves, then the pots cook.

        Parameters
        ----------
        state : State of n games.
        actions : (n, 2) int in 0..5, one action per player.

        Returns
        -------
        next_state : State
        reward : (n,) float, 5 for each soup served in this step.

        Raises
        ------
        ValueError
            If `actions` has another shape or a value outside 0..5.
        """
        actions = _check_actions(actions, len(state))
        held, objects = state.held.astype(int), state.objects.astype(int)
        reward = np.zeros(len(state))
        for player in (0, 1):  # player 0 reaches first; player 1 sees the result
            games = np.flatnonzero(actions[:, player] == INTERACT)
            if games.size:
                x, y = self.faced(state[games])[:, player].T
                held[games, player], objects[games, y, x], served = self._interact(
                    held[games, player], objects[games, y, x], self.terrain[y, x]
                )
                reward[games] += REWARD_PER_SOUP * served
        position, facing = self._move(state, actions)
        objects[self.pots & (objects >= FULL_POT)] += 1  # full pots cook by themselves
        return State(position, facing, held, objects), reward

    def faced(self, state):
        """(n, 2, 2): the square (x, y) in front of each player."""
        return state.position + STEP[state.facing]

    @staticmethod
    def _interact(hand, there, square):
        """Hand and square after the reach; whether a soup was served."""
        empty, counter = hand == NOTHING, square == "X"
        swap = counter & (empty != (there == NOTHING))  # put down, or pick up
        fill = (square == "P") & (hand == ONION) & (there < FULL_POT)
        scoop = (square == "P") & (hand == DISH) & (there >= READY)
        serve = (square == "S") & (hand >= SOUP)
        take_onion, take_dish = empty & (square == "O"), empty & (square == "D")
        new_hand = np.select(
            [swap | scoop, fill | serve, take_onion, take_dish],
            [there, NOTHING, ONION, DISH],
            hand,
        )
        new_there = np.select(
            [swap, scoop, fill], [hand, NOTHING, np.maximum(there, SOUP) + 100], there
        )
        return new_hand, new_there, serve

    def _move(self, state, actions):
        """Positions and facings: turning always works, stepping may be blocked."""
        old = state.position.astype(int)
        facing = np.where(actions < STAY, actions, state.facing)
        new = old + STEP[actions]
        blocked = ~self.floor[new[..., 1], new[..., 0]]
        new = np.where(blocked[..., None], old, new)
        same = (new[:, 0] == new[:, 1]).all(1)
        swap = (new[:, 0] == old[:, 1]).all(1) & (new[:, 1] == old[:, 0]).all(1)
        return np.where((same | swap)[:, None, None], old, new), facing


def _check_actions(actions, games):
    actions = np.asarray(actions)
    if actions.shape != (games, 2):
        raise ValueError(f"actions has shape {actions.shape}; legal: ({games}, 2)")
    if not np.issubdtype(actions.dtype, np.integer):
        raise TypeError(f"actions has dtype {actions.dtype}; legal: integers 0..5")
    if games and (actions.min() < 0 or actions.max() > INTERACT):
        raise ValueError(
            f"actions ranges over {actions.min()}..{actions.max()}; legal: 0..5"
        )
    return actions.astype(int)


class KitchenEnv(gym.Env):
    """One kitchen as a Gymnasium environment with a joint action.

    Action: `MultiDiscrete([6, 6])`, what players 0 and 1 do.  Observation:
    (2, d) floats, the board as each player sees it (itself first), see
    :func:`imitlib.envs.kitchen_features.board`.  Reward: 5 per soup served.

    Parameters
    ----------
    layout : str, a name in `LAYOUTS`.
    horizon : int, steps before truncation; the people played about 1200.
    render_mode : None or "rgb_array".
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 7}

    def __init__(self, layout="cramped_room", horizon=1200, render_mode=None):
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is {render_mode!r}; legal: None, rgb_array")
        if not isinstance(horizon, (int, np.integer)) or horizon < 1:
            raise ValueError(f"horizon is {horizon!r}; legal: a whole number >= 1")
        self.kitchen, self.horizon = Kitchen(layout), horizon
        self.render_mode = render_mode
        self.state, self._t = self.kitchen.start(), 0
        self.action_space = gym.spaces.MultiDiscrete([6, 6])
        self.observation_space = gym.spaces.Box(0, 1, self._view().shape, np.float32)

    def _view(self):
        from imitlib.envs.kitchen_features import board

        return board(self.kitchen, self.state)[0]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state, self._t = self.kitchen.start(), 0
        return self._view(), {}

    def step(self, action):
        self.state, reward = self.kitchen.step(self.state, np.asarray(action)[None])
        self._t += 1
        return self._view(), float(reward[0]), False, self._t >= self.horizon, {}

    def render(self):
        if self.render_mode == "rgb_array":
            from imitlib.envs.kitchen_view import draw, pixels

            return pixels(draw(self.kitchen, self.state))
