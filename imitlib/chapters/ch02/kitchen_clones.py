"""Chapter 02, real people: how the clones are made, and how they cook.

What a clone is shown, what it is fitted to and how it chooses are three separate
decisions; here each has a name, so that the page can change one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from imitlib import bc
from imitlib.counting import draw
from imitlib.demonstrations import Demonstrations
from imitlib.envs.kitchen import STAY, Kitchen
from imitlib.envs.kitchen_features import board, hand_features, history
from imitlib.envs.kitchen_people import load_human_play

ROOM = "cramped_room"
UPDATES, BATCH, LONGER = 2000, 128, 4  # the library's defaults; and four times as long
GAMES, STEPS, REMEMBERED = 8, 1200, 3
ELSEWHERE = {
    "asymmetric": "asymmetric_advantages",
    "ring": "coordination_ring",
    "forced": "forced_coordination",
    "circuit": "counter_circuit",
}
MOVES = np.array([0, 1, 2, 3, 5])  # every action but stay


# What the people did, as demonstrations -------------------------------------------


@lru_cache
def people(layout: str, test: bool):
    """The recorded games of one layout and one side of the published split."""
    return load_human_play().of(layout, test)


@lru_cache
def decisions(layout: str, view: str, test: bool = False) -> Demonstrations:
    """Each person's decisions as seen in one `view`: "board", "hand" or "history".

    A recorded game gives two episodes, one for each person's side of it.
    """
    play = people(layout, test)
    kitchen = Kitchen(layout)
    see = board if view == "board" else hand_features
    seen = see(kitchen, play.state)
    if view == "history":
        past = history(play.action, play.t == 0, REMEMBERED)
        seen = np.concatenate([seen, past], axis=-1)
    games = np.unique(play.game, return_inverse=True)[1]
    return Demonstrations(
        np.concatenate([seen[:, 0], seen[:, 1]]),
        np.concatenate([play.action[:, 0], play.action[:, 1]]).astype(int),
        np.concatenate([games, games.max() + 1 + games]),
    )


def of_people(layout: str = ROOM) -> dict:
    """What the people of the held-out games did: soups in a game, and how they stay.

    `acc_stay` is the accuracy of a clone that always stays: the baseline.
    """
    play = people(layout, True)
    stay = float((play.action == STAY).mean())
    soups = float(play.soups().mean())
    return {"soups_people": soups, "stay_people": stay, "acc_stay": stay}


# The clones ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class WhenWhat:
    r"""Two clones in one: *when* to move, and *what* to do when moving.

    .. math:: \pi(a \mid o) = \pi_{when}(move \mid o)\; \pi_{what}(a \mid o)
    """

    when: bc.Clone
    what: bc.Clone

    def probabilities(self, observations) -> np.ndarray:
        """(B, 6), from the two networks' (B, 2) and (B, 5)."""
        stay, move = self.when.probabilities(observations).T
        out = np.empty((len(stay), 6))
        out[:, STAY] = stay
        out[:, MOVES] = move[:, None] * self.what.probabilities(observations)
        return out

    def __call__(self, observations) -> np.ndarray:
        return self.probabilities(observations).argmax(1)

    def log_likelihood(self, observations, actions) -> np.ndarray:
        rows = np.arange(len(actions))
        return np.log(self.probabilities(observations)[rows, actions])


def fit_one(demos, rng, updates=UPDATES) -> bc.Clone:
    """One network for the six actions: `bc.fit` as it comes."""
    return bc.fit(demos, n_actions=6, updates=updates, batch=BATCH, rng=rng)


def fit_split(demos, rng) -> WhenWhat:
    """One network for *when*, one for *what*; both pass over their rows as often."""
    moving = demos.actions != STAY
    when = replace(demos, actions=moving.astype(int))
    what = Demonstrations(
        demos.observations[moving],
        np.searchsorted(MOVES, demos.actions[moving]),
        np.unique(demos.episodes[moving], return_inverse=True)[1],
    )
    passes = {"batch": BATCH, "rng": rng}
    return WhenWhat(
        bc.fit(when, n_actions=2, updates=UPDATES, **passes),
        bc.fit(what, n_actions=5, updates=round(UPDATES * moving.mean()), **passes),
    )


def fit_longer(demos, rng) -> bc.Clone:
    """The same network and the same data, with four times the updates."""
    return fit_one(demos, rng, LONGER * UPDATES)


@dataclass(frozen=True)
class Arm:
    """A way to clone: what is shown, how it is fitted, and what we call it."""

    label: str
    view: str
    fit: Callable


ARMS = {
    "board": Arm("the plain board", "board", fit_one),
    "hand": Arm("a cook's features", "hand", fit_one),
    "history": Arm("features and last moves", "history", fit_one),
    "split": Arm("when and what apart", "hand", fit_split),
    "longer": Arm("trained four times longer", "hand", fit_longer),
}


# In the kitchen --------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two copies of a clone that share a kitchen, and how they choose.

    `mode` is "draw" (an action from the clone's probabilities), "greedy" (the
    likeliest action) or "decide" (draw *when*, take the likeliest *what*).
    """

    clone: object
    view: str
    mode: str
    rng: np.random.Generator

    def actions(self, seen) -> np.ndarray:
        """(games, 2) actions from what the players see, (games, 2, d)."""
        chances = self.clone.probabilities(seen.reshape(-1, seen.shape[-1]))
        if self.mode == "greedy":
            chosen = chances.argmax(1)
        elif self.mode == "draw":
            chosen = draw(chances, self.rng)
        else:
            stays = self.rng.random(len(chances)) < chances[:, STAY]
            chosen = np.where(stays, STAY, MOVES[chances[:, MOVES].argmax(1)])
        return chosen.reshape(-1, 2)


def cook(layout: str, pairs: dict[str, Pair], games=GAMES, steps=STEPS) -> dict:
    """Let every pair cook in kitchens of its own, all side by side.

    Returns
    -------
    dict of name -> (soups, stay): the mean number of soups served in a game, and the
        share of decisions that were *stay*.
    """
    kitchen, n = Kitchen(layout), games * len(pairs)
    state, past = kitchen.start(n), np.zeros((n, 2, REMEMBERED, 6), np.float32)
    views = {pair.view for pair in pairs.values()}
    soups, stays = np.zeros(n), np.zeros(n)
    for _ in range(steps):
        seen = {}
        if "board" in views:
            seen["board"] = board(kitchen, state)
        if views - {"board"}:
            seen["hand"] = hand_features(kitchen, state)
            seen["history"] = np.concatenate([seen["hand"], past.reshape(n, 2, -1)], -1)
        actions = np.concatenate(
            [
                pair.actions(seen[pair.view][i * games : (i + 1) * games])
                for i, pair in enumerate(pairs.values())
            ]
        )
        state, reward = kitchen.step(state, actions)
        soups += reward / 5
        stays += (actions == STAY).mean(axis=1)
        now = np.eye(6, dtype=np.float32)[actions]
        past = np.concatenate([now[:, :, None], past[:, :, :-1]], axis=2)
    soups = soups.reshape(-1, games).mean(axis=1).tolist()
    stays = (stays.reshape(-1, games).mean(axis=1) / steps).tolist()
    return dict(zip(pairs, zip(soups, stays, strict=True), strict=True))
