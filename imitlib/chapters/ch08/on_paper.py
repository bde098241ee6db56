"""What chapter 08 works out by hand: a coffee, a loaf, a barrier, and one slider."""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch08 import cafe
from imitlib.chapters.ch08.barriers import HURRY
from imitlib.envs.town import Town
from imitlib.envs.town_picture import fig_town
from imitlib.figures import axes, line
from imitlib.goals import behave, infer
from imitlib.goals.biased import Person
from imitlib.mdp import MDP

# A coffee and a loaf -------------------------------------------------------------------

WARM, COLD, COFFEE = 10.0, 4.0, 2.0
TO_CORNER, TO_DOOR = 5, 5  # steps before the café's corner, and after it, until the door pays
DETOUR = 2


def by_hand(k: float = 1.0) -> dict:
    """Both plans, seen from the bakery and from the corner, steps not counted as a cost."""
    def counts(points, steps):
        return points / (1 + k * steps)

    out = {}
    for place, before in (("bakery", TO_CORNER), ("corner", 0)):
        out[f"{place}_past"] = counts(WARM, before + TO_DOOR)
        out[f"{place}_coffee"] = counts(COFFEE, before)
        out[f"{place}_cold"] = counts(COLD, before + TO_DOOR + DETOUR)
        out[f"{place}_in"] = out[f"{place}_coffee"] + out[f"{place}_cold"]
    return out


def fig_hand():
    """What the two plans are worth to her, step by step towards the corner."""
    left = np.arange(TO_CORNER, -1, -1)
    past = WARM / (1 + left + TO_DOOR)
    inside = COFFEE / (1 + left) + COLD / (1 + left + TO_DOOR + DETOUR)
    fig, ax = axes("steps to the café's corner", "worth to her, now")
    line(ax, -left, past, "expert", "walk past")
    line(ax, -left, inside, "person", "go in")
    ax.set_xticks(-left, [str(n) for n in left])
    ax.set_ylim(0, None)
    ax.margins(x=0.02)
    hand, turns = by_hand(), left[(inside > past).argmax()]
    alt = (
        "Two curves against the steps to the café's corner, from five to none: what walking "
        "past and going in are worth to Hana at the moment. Walking past is worth more from "
        f"five steps ({hand['bakery_past']:.2f} against {hand['bakery_in']:.2f}); from {turns} "
        f"step on going in is, and at the corner by far ({hand['corner_in']:.2f} against "
        f"{hand['corner_past']:.2f})."
    )
    return fig, alt


# A barrier that she has not heard of -----------------------------------------------------

BOTTOM = 2


def barrier_story(temperature: float = 2 * HURRY) -> dict:
    """Hana sets out for door 3 by the bottom street and bumps into a barrier.

    Three doors are possible, a point for each step. Returns the cells of her walk, and
    what to believe if she knew of the barrier, and if she did not.
    """
    logs = {"knew": [], "did_not": []}
    for door in (1, 2, 3):
        town = Town("hana", door=door, gives_up=False)
        n = town.n_states // (1 + len(town.roadworks))
        for name, barrier in (("knew", BOTTOM), ("did_not", 0)):
            mine = slice(barrier * n, (barrier + 1) * n)  # the barrier's part of the states
            reward = town.reward(step=-1.0, garden=-8.0, warm=0.0, cold=0.0)[mine]
            mdp = MDP(town.successors[mine] - barrier * n, reward, 1.0, 0)
            policy = behave(mdp, Person(temperature, horizon=80))
            cells = [(3, 0), (4, 0), (5, 0), (6, 0), (6, 1), (6, 2)]
            states = np.array([town.state(cell) for cell in cells])
            actions = np.array([2, 2, 2, 1, 1, 1])  # south, and then east, against the barrier
            logs[name].append(infer.log_likelihoods(policy, states, actions).sum())
    return {"cells": cells, **{name: infer.posterior(x) for name, x in logs.items()}}


def fig_barrier():
    """The walk that failed."""
    story = barrier_story()
    return fig_town(Town("hana", door=3), roadworks=BOTTOM, hana=story["cells"][-1],
                    routes=[(story["cells"], "person", "Hana, up to the barrier")])


# One slider ------------------------------------------------------------------------------

STEEP = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)


def explore_steepness(k: float):
    """For `explore`: the three walks of somebody whose weights are 1 / (1 + k d)."""
    fig, _ = cafe.fig_hook(k)
    walks = {name: cafe.cells_of(p) for name, p in cafe.three_walks(k).items()}
    goes = {name: "into the café" if cafe.CAFE in cells else
            "round by the bottom street" if (6, 3) in cells else "past the café"
            for name, cells in walks.items()}  # fmt: skip
    text = (
        f"k = {k:g}. Naive Hana means to go {goes['meant']} and goes {goes['naive']}; who knows "
        f"herself goes {goes['sophisticated']}."
    )
    return fig, text


_STORY = barrier_story()
GIVEN = {
    **{f"hand.{name}": float(value) for name, value in by_hand().items()},
    "page.gap": 0.02, "page.long": 2000,  # of gi-easy-is-hard, and of exercise 08.1
    "hand.warm": WARM, "hand.cold_loaf": COLD, "hand.cup": COFFEE, "hand.before": TO_CORNER,
    "hand.after": TO_DOOR, "hand.whole": TO_CORNER + TO_DOOR,
    "hand.round": TO_DOOR + DETOUR, "hand.whole_round": TO_CORNER + TO_DOOR + DETOUR,
    **{f"barrier.{name}_{door}": float(_STORY[name][door - 1])
       for name in ("knew", "did_not") for door in (1, 2, 3)},
}  # fmt: skip
