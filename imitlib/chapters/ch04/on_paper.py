"""What chapter 04 works out by hand: two ways to a door, and three loaves."""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib import bc, elicit, planning
from imitlib.envs.town import Town
from imitlib.envs.town_picture import fig_town
from imitlib.figures import INK, MUTED, ROLES, axes
from imitlib.tabular_experts import optimal, walk

BOTTOM_CLOSED = 2


def _diary(who, door, roadworks=0):
    town = Town(who, door=door)
    mdp = town.mdp("true", roadworks=roadworks)
    return town, mdp, walk(mdp, optimal(mdp), 1, 60, np.random.default_rng(0))


@cache
def two_ways() -> dict:
    """Hana's walk to door 2, Rollo's copy of it, and the way that Rollo could take."""
    out = {}
    for who in ("hana", "rollo"):
        town, mdp, diary = _diary(who, 2)
        out[f"{who}_steps"] = len(diary)
        out[f"{who}_value"] = float(planning.expected_return(mdp, optimal(mdp)))
        ends = mdp.transitions[diary.observations, diary.actions]
        states = [int(diary.observations[0]), *map(int, ends)]
        out[f"{who}_cells"] = [town.cell(state) for state in states]
    town, mdp, _ = _diary("rollo", 2)
    out["clone_value"] = float(planning.expected_return(mdp, copied(town, mdp, 2), horizon=60))
    return out


def copied(town, mdp, door, roadworks=0):
    """Hana's moves as Rollo's policy, and waiting where she has never been."""
    hana, _, diary = _diary("hana", door, roadworks)
    policy = np.zeros((mdp.n_states, mdp.n_actions))
    policy[:, town.moves.index("wait")] = 1
    for state, action in zip(diary.observations, diary.actions):
        policy[state] = 0
        policy[state, town.moves.index(hana.moves[action])] = 1
    return policy


@cache
def at_the_stairs() -> dict:
    """Door 3 with the bottom street closed: Hana takes the stairs, and so does Rollo."""
    hana, her_mdp, diary = _diary("hana", 3, BOTTOM_CLOSED)
    ends = her_mdp.transitions[diary.observations, diary.actions]
    cells = [hana.cell(int(s)) for s in (diary.observations[0], *ends)]
    town = Town("rollo", door=3, gives_up=False)
    mdp = town.mdp("true", roadworks=BOTTOM_CLOSED)
    policy = copied(town, mdp, 3, BOTTOM_CLOSED)
    went = [int(mdp.start.argmax())]
    for _ in range(30):
        went.append(int(mdp.transitions[went[-1], policy[went[-1]].argmax()]))
    where = [town.cell(s) for s in went]
    return {"hers": cells, "its": where, "stuck": where[-1],
            "stairs": [cell for cell in cells if town.board[tuple(cell)] == "s"]}


def fig_hook():
    """Hana's way to door 2, which Rollo copies, and the way that Rollo could take."""
    ways = two_ways()
    town = Town("rollo", door=2)
    return fig_town(town, routes=[
        (ways["hana_cells"], "person", f"Hana, and her copy: {ways['hana_steps']} steps"),
        (ways["rollo_cells"], "robot", f"Rollo, left to itself: {ways['rollo_steps']}"),
    ], rollo=town.bakery)  # fmt: skip


def fig_stairs():
    """The bottom street is closed: Hana takes the stairs to door 3, her copy cannot."""
    story = at_the_stairs()
    until = story["its"].index(story["stuck"])
    town = Town("rollo", door=3, gives_up=False)
    return fig_town(town, routes=[
        (story["hers"], "person", "Hana, by the stairs"),
        (story["its"][: until + 1], "robot", "her copy, as far as it gets"),
    ], roadworks=BOTTOM_CLOSED, rollo=story["stuck"])  # fmt: skip


# Three loaves ------------------------------------------------------------------------

LOAVES = ((3, 2), (8, 4), (12, 3))  # in at, bakes for
ASKED, RUSHED = 10, 3


def three_loaves():
    """What Hana says, thirty times: loaf, rush, what she says.

    The first loaf she gets right. The second she gets right but in the rush, three times
    out of ten. With the third it is evening, and she counts backwards.
    """
    loaf = np.repeat(np.arange(3), ASKED)
    rush = np.tile(np.arange(ASKED) < RUSHED, 3)
    a, b = np.array(LOAVES)[loaf].T
    backwards = (loaf == 2) | ((loaf == 1) & rush)
    return loaf, rush, (a + np.where(backwards, -b, b)) % 17


def by_hand() -> dict:
    """Hana's share right, and the clones': drawn, likeliest, likeliest who sees the rush."""
    loaf, rush, says = three_loaves()
    right = np.array([(a + b) % 17 for a, b in LOAVES])
    clone = bc.fit_table(loaf, says, 3, 17)
    sees = bc.fit_table(2 * loaf + rush, says, 6, 17)
    likeliest = clone(loaf)
    return {
        "right": right.tolist(),
        "counts": clone.counts[np.arange(3), right].tolist(),
        "hana": float(np.mean(says == right[loaf])),
        "drawn": float(clone.policy[loaf, right[loaf]].mean()),
        "greedy": float(np.mean(likeliest == right[loaf])),
        "sees": float(np.mean(sees(2 * loaf + rush) == right[loaf])),
        "sharp": float(elicit.sharpen([0.7, 0.3], 0.5)[0]),
        "each": clone.policy[np.arange(3), right].tolist(),
        "each_greedy": (clone(np.arange(3)) == right).astype(float).tolist(),
    }


def fig_idea():
    """For each of the three loaves: how often right, drawn and likeliest."""
    fig, ax = axes("", "right, of ten")
    hand = by_hand()
    x = np.arange(3)
    hatch = {"person": "", "learner": "//"}
    for k, (values, role, label) in enumerate((
        (hand["each"], "person", "Hana, and the clone drawn from"),
        (hand["each_greedy"], "learner", "the clone's likeliest answer"),
    )):  # fmt: skip
        at = x + 0.38 * (k - 0.5)
        tall = 10 * np.array(values)
        ax.bar(at, tall, 0.34, color=ROLES[role].color, alpha=0.85, hatch=hatch[role],
               edgecolor="#FFFFFF", label=label)
        for place, value in zip(at, tall):
            ax.text(place, value + 0.2, f"{value:.0f}", ha="center", color=INK)
    ax.set_xticks(x, ["always right", "wrong in\nthe rush", "always wrong,\nalike"])
    ax.set_ylim(0, 14)
    ax.set_yticks([0, 5, 10])
    ax.legend(frameon=False, loc="upper right", fontsize=10)
    ax.tick_params(axis="x", colors=MUTED, length=0)
    alt = (
        "How often right, of ten, for three loaves. Hana and the clone drawn from: 10, 7 and "
        "0. The clone's likeliest answer: 10, 10 and 0. Taking the likeliest answer repairs "
        "what is wrong now and then, and not what is wrong always."
    )
    return fig, alt


_WAYS, _HAND = two_ways(), by_hand()
GIVEN = {
    "way.door": 2,
    "way.hana_steps": _WAYS["hana_steps"],
    "way.rollo_steps": _WAYS["rollo_steps"],
    "way.hana": _WAYS["hana_value"],
    "way.clone": _WAYS["clone_value"],
    "way.rollo": _WAYS["rollo_value"],
    "hand.asked": ASKED,
    "hand.rushed": RUSHED,
    "hand.second": _HAND["counts"][1],
    "hand.hana": _HAND["hana"],
    "hand.drawn": _HAND["drawn"],
    "hand.greedy": _HAND["greedy"],
    "hand.sees": _HAND["sees"],
    "hand.sharp": _HAND["sharp"],
}
