"""Loaf Street: Hana's bakery, three doors, a school garden, and a cart on wheels.

    ###C####     # house    . street    B bakery    C café
    .......1     * school garden        s stairs    1 2 3 doors
    .#####.#
    B.**...2     Somebody behind one of the doors waits for a loaf. Which door it is,
    .#####s#     Hana knows. The café smells of company, and bread that is taken in
    .#####.#     there goes cold. A barrier may stand on the top street or on the
    .......3     bottom one. The stairs are for feet.

A state is (door, roadworks, bread, cell), counted in this order with the cell
fastest: ``values.reshape(town.shape)`` has these axes. Where the door is given there
is no axis for it, and 3 × 2 × 31 = 186 states are left of 558.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imitlib.envs.grid import neighbours, numbered
from imitlib.envs.tabular import TabularEnv
from imitlib.envs.town_map import LOAF_STREET, ROADWORKS, TownMap
from imitlib.mdp import MDP

__all__ = ["LOAF_STREET", "MOVES", "REWARDS", "ROADWORKS", "Town", "TownEnv"]

_STEPS = ("north", "east", "south", "west")
MOVES = {
    "hana": (*_STEPS, "wait", "gesture"),
    "rollo": (*_STEPS, *(f"roll {move}" for move in _STEPS), "wait", "ask"),
}
WARM, COLD = 0, 1
EVENTS = ("step", "garden", "warm", "cold", "cafe", "bump")

# What is paid for what happens. Hana wants the first, says the second (she never
# crosses the garden, so never thinks to mention it), and feels the third.
REWARDS = {
    "true": {"step": -0.2, "garden": -8.0, "warm": 10.0, "cold": 4.0, "cafe": 0.0},
    "stated": {"step": -0.2, "garden": 0.0, "warm": 10.0, "cold": 4.0, "cafe": 0.0},
    "felt": {"step": -0.2, "garden": -8.0, "warm": 10.0, "cold": 4.0, "cafe": 2.0},
}


@dataclass(frozen=True)
class Town(TownMap):
    """Loaf Street, or another town with a bakery and doors.

    A step leads to the next cell; into a house, a barrier or, on wheels, the stairs it
    is a bump, and one stays. A roll is two steps in one: each of its cells is entered,
    with all that follows; it stops short of whatever a step would bump into, and at the
    right door. Waiting, a gesture and a question change nothing in the world.

    Entering the café turns warm bread cold. Entering the right door ends the story;
    the wrong ones are cells like any other. The story ends too, unpaid, where no way
    leads to the right door: with the bottom street closed, none leads a cart to door 3.
    Nothing is left to chance.

    Attributes
    ----------
    who : "hana" or "rollo"
        Who moves: on foot, with 6 actions, or on wheels, with 10. See `moves`.
    door : int or None
        The right door. With None it is a part of the state, and at the start each door
        is as likely as the others.
    map : str
        Rows of one length out of `#.BC*s` and the doors 1, 2, ..., one bakery.
    roadworks : tuple of (int, int)
        Cells (row, column) where a barrier may stand, at most one at a time. In a
        state, 0 is no barrier, 1 the first of these, and so on.
    gives_up : bool
        Whether the story ends where no way leads to the right door. Else one wanders
        there for ever, and undiscounted such a town has no best plan.

    Raises
    ------
    ValueError
        If one of them is not legal.

    Examples
    --------
    >>> town = Town("rollo", door=2)
    >>> town.mdp("stated")
    MDP(186 states, 10 actions, deterministic, discount 1)
    >>> town.describe(town.state((1, 3), bread=1))
    'at (1, 3), cold bread, no roadworks'
    """

    who: str = "hana"
    door: int | None = 2
    map: str = LOAF_STREET
    roadworks: tuple[tuple[int, int], ...] = ROADWORKS
    gives_up: bool = True

    def __post_init__(self):
        if self.who not in MOVES:
            raise ValueError(f"who is {self.who!r}; legal: {', '.join(MOVES)}")
        doors = self._check_map()
        if self.door is not None and (
                isinstance(self.door, str) or str(self.door) not in doors):
            raise ValueError(f"door is {self.door!r}; legal: {', '.join(doors)}, None")

    @property
    def moves(self) -> tuple[str, ...]:
        """Names of the actions."""
        return MOVES[self.who]

    # The states ----------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Axes of a state: (door,) if it is hidden, then (roadworks, bread, cell)."""
        known = (1 + len(self.roadworks), 2, len(self.cells))
        return known if self.door is not None else (len(self.doors), *known)

    @property
    def n_states(self) -> int:
        """S: 186 in Loaf Street, 558 where the door is hidden."""
        return int(np.prod(self.shape))

    def state(self, cell, bread: int = WARM, roadworks: int = 0, door=None) -> int:
        """The number of a state.

        Parameters
        ----------
        cell : (int, int)
            Row and column.
        bread : int
            0 warm, 1 cold.
        roadworks : int
            0 none, 1 the first barrier, 2 the second.
        door : int, optional
            The right door. Needed exactly where it is hidden; where it is known, None
            or that door.
        """
        where = self._number(cell)
        if bread not in (WARM, COLD):
            raise ValueError(f"bread is {bread!r}; legal: 0 warm, 1 cold")
        self._check_roadworks(roadworks)
        if self.door is None:
            if door not in range(1, len(self.doors) + 1):
                raise ValueError(f"door is {door!r}; the door is hidden in this town, so "
                                 f"a state has one of 1 ... {len(self.doors)}")
            return int(np.ravel_multi_index((door - 1, roadworks, bread, where), self.shape))
        if door not in (None, self.door):
            raise ValueError(f"door is {door!r}; in this town it is {self.door}")
        return int(np.ravel_multi_index((roadworks, bread, where), self.shape))

    def parts(self, state) -> tuple:
        """(door, roadworks, bread, cell number) of a state, or of an array of them.

        Doors count from 1; ``town.cells[number]`` is a cell's row and column.
        """
        state = np.asarray(state)
        if state.dtype.kind not in "iu" or ((state < 0) | (state >= self.n_states)).any():
            raise ValueError(f"state is {state}; legal are 0 ... {self.n_states - 1}")
        parts = np.unravel_index(state, self.shape)
        if self.door is None:
            return parts[0] + 1, *parts[1:]
        return np.full(state.shape, self.door), *parts

    def cell(self, state: int) -> tuple[int, int]:
        """Where a state is: (row, column)."""
        return tuple(int(i) for i in self.cells[self.parts(state)[3]])

    def describe(self, state: int) -> str:
        """A state in words."""
        door, roadworks, bread, _ = (int(part) for part in self.parts(state))
        words = [f"at {self.cell(state)}", f"{('warm', 'cold')[bread]} bread",
                 f"roadworks at {self.roadworks[roadworks - 1]}" if roadworks
                 else "no roadworks"]
        return ", ".join(words + ([f"door {door}"] if self.door is None else []))

    def _check_roadworks(self, roadworks):
        if roadworks not in range(1 + len(self.roadworks)):
            raise ValueError(f"roadworks is {roadworks!r}; legal: "
                             f"0 ... {len(self.roadworks)}, 0 for none")

    # What happens --------------------------------------------------------------------

    @cached_property
    def _rules(self):
        """Successors (S, A), and what happens on the way: {event: (S, A)}."""
        door, barrier, bread, cell = self.parts(np.arange(self.n_states))
        right = np.array([self._number(place) for place in self.doors])[door - 1]
        closed = np.array([-1, *(self._number(place) for place in self.roadworks)])[barrier]
        beside = neighbours(numbered(self.board != "#"))
        passable = (self.signs != "s") | (self.who == "hana")
        over = cell == right

        shape = (self.n_states, len(self.moves))
        successors = np.empty(shape, np.intp)
        events = {event: np.zeros(shape) for event in EVENTS}
        for a, move in enumerate(self.moves):
            direction = move.removeprefix("roll ")
            cells = (direction in _STEPS) * (2 if move.startswith("roll") else 1)
            at, loaf, moving = cell, bread, ~over  # all states at once: (S,) each
            for _ in range(cells):
                ahead = beside[at, _STEPS.index(direction)]
                moving = moving & (ahead != at) & (ahead != closed) & passable[ahead]
                at = np.where(moving, ahead, at)
                chilled = moving & (self.signs[at] == "C") & (loaf == WARM)
                loaf = np.where(chilled, COLD, loaf)
                events["garden"][:, a] += moving & (self.signs[at] == "*")
                events["cafe"][:, a] += chilled
                moving = moving & (at != right)
            arrived = ~over & (at == right)
            events["step"][:, a] = ~over
            events["warm"][:, a] = arrived & (loaf == WARM)
            events["cold"][:, a] = arrived & (loaf == COLD)
            events["bump"][:, a] = ~over & (cells > 0) & (at == cell)
            successors[:, a] = self._at(at, loaf)
        if self.gives_up:
            lost = _cut_off(successors, over)
            successors[lost] = np.flatnonzero(lost)[:, None]
            for count in events.values():
                count[lost] = 0.0
        return successors, events

    def _at(self, cell, bread):
        """Every state's number with another cell and another bread in it."""
        axes = np.unravel_index(np.arange(self.n_states), self.shape)[:-2]
        return np.ravel_multi_index((*axes, bread, cell), self.shape)

    @property
    def successors(self) -> np.ndarray:
        """The state that each action leads to, (S, A)."""
        return self._rules[0].copy()

    @property
    def events(self) -> dict[str, np.ndarray]:
        """What happens on each action, counted: {event: (S, A)}.

        `step`: an action is taken (waiting and bumping are). `garden`: garden cells
        entered. `warm`, `cold`: the right door entered with such a loaf. `cafe`: the
        café entered with warm bread. `bump`: a step or a roll that did not move.
        Nothing happens in a state that ends the story.
        """
        return {name: count.copy() for name, count in self._rules[1].items()}

    def reward(self, step=-0.2, garden=-8.0, warm=10.0, cold=4.0, cafe=0.0, bump=0.0):
        """A reward in terms of what happens, (S, A): so much for each event.

        As it stands, what Hana wants. Others are made by changing a number:
        ``town.mdp(town.reward(step=0))``.
        """
        worth = {"step": step, "garden": garden, "warm": warm, "cold": cold,
                 "cafe": cafe, "bump": bump}
        return sum(pays * self._rules[1][event] for event, pays in worth.items())

    def starts(self, start="B", roadworks: int | None = 0) -> np.ndarray:
        """How likely each state is at the beginning, (S,).

        The bread is warm; a hidden door, and roadworks of None, are drawn evenly.

        Parameters
        ----------
        start : "B", (int, int) or "anywhere"
            The bakery; a cell; or every state alike that can be entered with warm bread
            and does not end the story.
        roadworks : int or None
            Which barrier stands.
        """
        chance = np.zeros(self.shape)
        if start == "anywhere":
            ahead = self._rules[0]
            moved = ahead != np.arange(self.n_states)[:, None]
            chance.ravel()[ahead[moved]] = 1.0
            chance.ravel()[self.ending] = 0.0
        elif isinstance(start, str) and start != "B":
            raise ValueError(f"start is {start!r}; legal: 'B', 'anywhere', or a cell "
                             "(row, column)")
        else:
            where = self.bakery if isinstance(start, str) else start
            chance[..., self._number(where)] = 1.0
        chance[..., COLD, :] = 0.0
        if roadworks is not None:
            self._check_roadworks(roadworks)
            others = [i for i in range(1 + len(self.roadworks)) if i != roadworks]
            chance[..., others, :, :] = 0.0
        if not chance.any():
            raise ValueError(f"start is {start!r}; with these roadworks no such state is "
                             "left to begin in")
        return (chance / chance.sum()).ravel()

    @cached_property
    def ending(self) -> np.ndarray:
        """Which states end the story, (S,) bool: at the right door, or cut off."""
        return ~self._rules[1]["step"].any(axis=1)

    def mdp(self, reward="true", discount: float = 1.0, roadworks: int | None = 0,
            start="B") -> MDP:
        """This town as an `MDP`.

        Parameters
        ----------
        reward : "true", "stated", "felt", or (S, A) array
            What Hana wants, what she says, what she feels; see `REWARDS`; or anything
            else, as `Town.reward` makes it.
        discount : float
            Per step.
        roadworks, start
            As in `starts`.
        """
        if isinstance(reward, str):
            if reward not in REWARDS:
                raise ValueError(f"reward is {reward!r}; legal: {', '.join(REWARDS)}, "
                                 "or an (S, A) array")
            reward = self.reward(**REWARDS[reward])
        return MDP(self._rules[0], reward, discount, self.starts(start, roadworks))


def _cut_off(successors, ends):
    """The states that no sequence of actions leads from to an end, (S,) bool."""
    found = ends
    while True:
        more = found | found[successors].any(axis=1)
        if (more == found).all():
            return ~found
        found = more


class TownEnv(TabularEnv):
    """Loaf Street as a Gymnasium environment, registered as ``imitlib/Town-v0``.

    Observation: the number of the state. Where the door is hidden (None), it stands in
    that number: who must not know it is shown ``state % 186``.

    Parameters
    ----------
    who, door
        As in `Town`.
    town : Town, optional
        Another town; `who` and `door` are then its own.
    roadworks, reward, start
        As in `Town.mdp`.
    horizon : int, optional
        Steps after which an episode is truncated.
    render_mode : "rgb_array", optional
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, who: str = "hana", door: int | None = 2, *,
                 town: Town | None = None, roadworks: int | None = 0, reward="true",
                 start="B", horizon: int | None = 100, render_mode: str | None = None):
        self.town = town or Town(who, door)
        mdp = self.town.mdp(reward, 1.0, roadworks, start)
        super().__init__(mdp, horizon, render_mode)

    def render(self):
        """The town, and who is where in it, uint8 (height, width, 3)."""
        if self.render_mode != "rgb_array":
            return None
        from imitlib.envs import town_picture

        return town_picture.rgb(self.town, self._state)
