"""Chapter 09, the game: office orders in rational numbers, and no reward that is sent."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from imitlib.chapters.ch09.looks import mark
from imitlib.cirl import office
from imitlib.cirl.game import random_game
from imitlib.cirl.solvers import (
    exhaustive,
    full_information,
    if_rewards_were_sent,
    no_sharing,
)
from imitlib.claims import Claim
from imitlib.figures import axes, line

BEST = Fraction(6373, 92)
INFORMED = Fraction(1247, 18)
LOW, HIGH = Fraction(41, 92), Fraction(51, 92)
SUSPICIOUS = Fraction(1, 3)  # another mean of θ to believe after an order never made
GAMES = 40


def measure_office(seed: int) -> dict:
    """Literal orders, the best response to them, and what bounds both."""
    literal = office.literal()
    answers = office.answer(literal)
    taught, value = office.response(answers)
    again = office.answer(taught)
    best, best_answers = office.optimum()
    other = office.answer(literal, SUSPICIOUS)
    thirds = [(Fraction(k, 3), Fraction(k + 1, 3), k) for k in range(3)]
    return {
        "literal": float(office.worth(literal, answers)),
        "taught": float(value),
        "best": float(best),
        "informed": float(office.informed()),
        "deaf": float(office.deaf()),
        "low": float(taught[0][1]),
        "high": float(taught[-1][0]),
        "settled": float(again == answers == best_answers),
        "suspicious": float(office.response(other)[1]),
        "thirds": float(office.worth(thirds, office.answer(thirds))),
    }


def office_holds(s) -> bool:
    """See the claim's predicate."""
    expected = {
        "literal": 69, "taught": BEST, "best": BEST, "informed": INFORMED,
        "deaf": Fraction(103, 2), "low": LOW, "high": HIGH, "settled": 1, "suspicious": 69,
    }  # fmt: skip
    return all(bool((np.abs(s[k] - float(v)) < 1e-12).all()) for k, v in expected.items())


def office_derived(s) -> dict:
    """How much of what knowing θ could add is closed, from literal orders on."""
    gap = s.mean("informed") - s.mean("literal")
    whole = s.mean("informed") - s.mean("deaf")
    return {
        "closed": (s.mean("best") - s.mean("literal")) / gap,
        "literal_share": (s.mean("literal") - s.mean("deaf")) / whole,
        "best_share": (s.mean("best") - s.mean("deaf")) / whole,
    }


def fig_office(s):
    """What each order of hers is worth in all, once Rollo answers as to literal orders."""
    fig, ax = axes("θ, the worth of a box of clips", "worth of both orders")
    theta = np.linspace(0, 1, 5)
    answers = office.answer(office.literal())
    lines = office.combined(answers)
    names = ("two staples", "one of each", "two clips")
    for one, name, role in zip(lines, names, ("person", "learner", "robot")):
        line(ax, theta, [float(office.at(one, Fraction(x))) for x in theta], role)
        mark(ax, name, {"two staples": (0.04, 94), "one of each": (0.03, 54),
                        "two clips": (0.97, 94)}[name],
             ha="right" if name == "two clips" else "left")  # fmt: skip
    low, high = s.mean("low"), s.mean("high")
    ax.axvspan(low, high, color="#B87F00", alpha=0.2, linewidth=0)
    mark(ax, "teaches", ((low + high) / 2, 6), ha="center")
    ax.set(xlim=(0, 1), ylim=(0, 105))
    alt = (
        "Worth of Hana's order with Rollo's answer to it, against θ from 0 to 1. Two boxes "
        "of staples fall in a straight line from 92 to 0, two of clips rise from 0 to 92, "
        f"one of each stays at 51. The level line is highest from θ = {low:.3f} to "
        f"{high:.3f}: there she orders one of each, though at no θ but one half is it as "
        "good for her own shelf."
    )
    return fig, alt


# The belief is enough; a reward would be more -----------------------------------------


def by_brute_force(game) -> float:
    """The best of all pairs of ways to play two steps, each with all its memory.

    His second action may depend on her first and on the state, hers on his first and on
    the state and on her goal. Nothing here knows what a belief is.
    """
    S, A_H, A_R, goals = game.reward.shape
    his = list(product(range(A_R), product(range(A_R), repeat=A_H * S)))
    hers = list(product(range(A_H), product(range(A_H), repeat=A_R * S)))
    worth = np.zeros((len(his), len(hers), goals))
    s = game.start
    for (i, (a, then_he)), (j, (h, then_she)) in product(enumerate(his), enumerate(hers)):
        worth[i, j] = game.reward[s, h, a]
        for ahead in range(S):
            next_h, next_a = then_she[a * S + ahead], then_he[h * S + ahead]
            chance = game.discount * game.transitions[s, h, a, ahead]
            worth[i, j] += chance * game.reward[ahead, next_h, next_a]
    weighted = worth * game.prior
    pairs = weighted[:, :, None, 0] + weighted[:, None, :, 1]  # her way for either goal
    return float(pairs.max())


def measure_belief(seed: int) -> dict:
    """Random games of two goals and two steps: deaf, optimal, paid in sight, informed."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(GAMES):
        game = random_game(rng, 2, 2, 2, 2, horizon=2, branches=2)
        rows.append((no_sharing(game), exhaustive(game).value, if_rewards_were_sent(game),
                     full_information(game), by_brute_force(game)))  # fmt: skip
    deaf, best, sent, informed, brute = np.array(rows).T
    steps = np.stack([best - deaf, sent - best, informed - sent])
    return {
        "gap": float(np.abs(best - brute).max()),
        "violations": int((steps < -1e-9).sum()),
        "deaf": float(deaf.mean()),
        "best": float(best.mean()),
        "sent": float(sent.mean()),
        "informed": float(informed.mean()),
        "more": float((sent - best > 1e-9).mean()),
    }


def belief_holds(s) -> bool:
    """See the claim's predicate."""
    return bool(
        (s["gap"] < 1e-9).all()
        and (s["violations"] == 0).all()
        and s.mean("best") - s.mean("deaf") > 0.1
        and s.mean("sent") - s.mean("best") > 0.05
        and s.mean("more") > 0.25
    )


def belief_derived(s) -> dict:
    """Of what knowing the goal adds to the best play, the share that the first reward gives."""
    best, sent, informed = (s.mean(name) for name in ("best", "sent", "informed"))
    return {"share": (sent - best) / (informed - best)}


GIVEN = {
    "game.hers": 2,
    "game.his": 90,
    "game.his-each": 50,
    "game.maps": 27,
    "game.games": GAMES,
}

CLAIMS = [
    Claim(
        id="cirl-game",
        chapter="09",
        statement="In a game in which only Hana knows what both want, orders that are best "
        "for her own shelf are worth 69; the best joint play is worth 6373/92, and in it "
        "she gives up a little to be understood where θ is between 41/92 and 51/92.",
        predicate="in rational arithmetic: literal orders with Rollo's best answer 69; "
        "Hana's best response to it, and the best of all 27 ways to answer, 6373/92, with "
        "thresholds 41/92 and 51/92, and Rollo's best answer to that is the same again; "
        "with θ known to both 1247/18; with one answer for everything 103/2; and if "
        "Rollo believes a mean of 1/3 after an order that is never made, her best response "
        "is worth 69 again",
        holds=office_holds,
        measure=measure_office,
        derive=office_derived,
        headline="best",
        status="reproduced",
        papers=("hadfieldmenell2016cirl",),
        literature="Hadfield-Menell et al. (2016) use this example to show that the best "
        "response to an expert's demonstrations can be to order differently from the expert.",
        exact=True,
        note="The values were derived here. What Rollo believes after an order that "
        "literal Hana never makes decides whether teaching is her best response; with the "
        "prior's mean, one half, it is. 6373/92 is the best joint play; it is not the only "
        "pair of ways to play in which neither can gain alone.",
    ),
    Claim(
        id="cirl-game-belief",
        chapter="09",
        statement="All that Rollo needs to remember is the state and his belief; nobody "
        "sends him a reward, and if he saw one the game would be worth more.",
        predicate="in random games of two steps the coordinator's value equals the best of "
        "all pairs of ways to play with full memory to 1e-9; in every game deaf ≤ optimal ≤ "
        "with the first reward in sight ≤ informed; on average listening adds more than 0.1, "
        "seeing the reward more than 0.05 to that, and more than a quarter of games would "
        "gain from seeing it",
        holds=belief_holds,
        measure=measure_belief,
        derive=belief_derived,
        headline="best",
        status="reproduced",
        papers=("hadfieldmenell2016cirl",),
        literature="Hadfield-Menell et al. (2016) prove the reduction to a partially "
        "observed decision process.",
        source="[A]",
        rtol={"gap": ("abs", 1e-9)},
        note="40 games a seed, two of everything: states, actions of each, goals, steps.",
    ),
]  # fmt: skip
