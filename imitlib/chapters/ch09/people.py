"""Chapter 09, people who err: what Rollo loses by it, knowing how they err or not."""

from __future__ import annotations

import numpy as np

from imitlib.cirl.assistance import random_one_shot
from imitlib.cirl.teachers import belief_after, erring, losses, watched
from imitlib.claims import Claim
from imitlib.figures import axes, line

GAMES, REPEATS = 40, 4  # games a seed; how often each goal of a game is played
GOALS = SIGNALS = ACTS = 4
STAKE = 3.0
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)
CAREFUL = TEMPERATURES[0]  # whom he takes her for who overlooks her slips
LEANS = (0.0, 1.0, 2.0, 4.0)
USUAL = 0.5  # the temperature of those who lean
MOVES = (0, 1, 4, 16, 64)
STRONG = 2  # the place of the leaning whose course is drawn
SLIPPING = 2  # the place of the temperature whose course is drawn
SEEDS = tuple(range(1000, 1020))


def readers(game, person, family, wrong):
    """How Rollo may read her: as she is, as somebody else, or as one of a family."""
    return {"known": person, "mistaken": wrong, "learned": family}


def people(game, lean):
    """(kind, level, rule, {reader: rules}): those who slip, then those who lean."""
    slips = [erring(game, t) for t in TEMPERATURES]
    for level, rule in enumerate(slips):
        yield "slips", level, rule, readers(game, rule, slips, slips[0])
    leanings = [s * row for s in LEANS[1:] for row in np.eye(game.hers.shape[1])]
    straight = erring(game, USUAL)
    family = [straight, *(erring(game, USUAL, b) for b in leanings)]
    for level, strength in enumerate(LEANS):
        rule = erring(game, USUAL, strength * lean)
        yield "leans", level, rule, readers(game, rule, family, straight)


def gains_of_one_move(game, rule) -> float:
    """What one move is worth to a Rollo who knows how she errs, exactly; never below 0."""
    joint = game.prior[:, None] * rule
    return float((joint.T @ game.his).max(axis=1).sum() - (game.prior @ game.his).max())


def measure_people(seed: int) -> dict:
    """Random games, the same luck for every person, and three ways to read her."""
    rng = np.random.default_rng(seed)
    sums, deaf, harmed = {}, 0.0, 0
    for _ in range(GAMES):
        game = random_one_shot(rng, GOALS, SIGNALS, ACTS, STAKE)
        chance = rng.random((GOALS, REPEATS, MOVES[-1]))
        lean = np.eye(SIGNALS)[rng.integers(SIGNALS)]
        deaf += losses(game, np.tile(game.prior, (GOALS, 1))).mean()
        for kind, level, rule, rules in people(game, lean):
            counts = watched(rule, chance)[:, :, list(MOVES)]
            harmed += gains_of_one_move(game, rule) < -1e-9
            for reader, believed in rules.items():
                lost = losses(game, belief_after(counts, np.array(believed), game.prior))
                key = kind, level, reader
                sums[key] = sums.get(key, 0) + lost.mean(axis=(0, 1))
    out = {"harmed": int(harmed)}
    for kind, levels, course in (("slips", TEMPERATURES, SLIPPING), ("leans", LEANS, STRONG)):
        for reader in ("known", "mistaken", "learned"):
            share = [sums[kind, i, reader] / deaf for i in range(len(levels))]
            out[f"{kind}_{reader}"] = [float(x[-1]) for x in share]
            out[f"{kind}_{reader}_by_moves"] = share[course].tolist()
    return out
