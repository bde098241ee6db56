"""How long a description of her is: with a model of errors, and without."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, logsumexp

from imitlib.chapters.ch08.pairs import counted
from imitlib.chapters.ch08.people import (
    ACTIONS,
    STATES,
    TEMPERATURE,
    WISHES,
    islanders,
    sea,
)
from imitlib.claims import Claim
from imitlib.figures import axes, line
from imitlib.goals import Person, behave

SEEDS = tuple(range(1000, 1010))
ISLANDS, EACH = 20, 100
HERS, DISCOUNTS = 0.5, (0.1, 0.3, 0.5, 0.7, 0.9)  # her own, and those that she may have
LEVELS = (0.0, 0.03, 0.1, 0.3, 1.0)  # the size of her whims, in units of reward
TRUST = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # choices that the centre is worth


def table_code(counts, centre, trust) -> np.ndarray:
    r"""Nats to send the choices of each state one after another, (..., S).

    Each is predicted from those before it, :math:`(n_a + \kappa m_a) / (n + \kappa)`:
    the centre m is a guess that is worth :math:`\kappa` choices. In sum, whatever the
    order, a ratio of gamma functions.
    """
    first = trust * centre
    return -(gammaln(trust) - gammaln(trust + counts.sum(-1))
             + (gammaln(first + counts) - gammaln(first)).sum(-1))


def mixed(codes) -> np.ndarray:
    """The length if one does not know which code will be best: mixed evenly, first axis."""
    return np.log(len(codes)) - logsumexp(-np.asarray(codes), axis=0)


def by_island(codes):
    return codes.reshape(*codes.shape[:-1], -1, STATES).sum(axis=-1)


def lengths(counts, models):
    """Nats per island of three codes, and the best wish.

    `models` (M, S, 3) are 20 wishes for each discount.

    Returns
    -------
    behaviour, structured, whims : (islands,) arrays
        A table and no wish; a wish and a discount; both, and a table of what is left.
    wish : (islands,) integers
        The likeliest under the third.
    """
    flat = np.full(counts.shape, 1 / ACTIONS)
    centre = np.maximum(models, 1e-9)
    centre = centre / centre.sum(axis=-1, keepdims=True)
    behaviour = mixed([by_island(table_code(counts, flat, k)) for k in TRUST])
    exact = by_island(-(counts * np.log(centre)).sum(axis=-1))  # (M, islands)
    loose = np.stack([exact, *(by_island(table_code(counts, centre, k)) for k in TRUST)])
    each = loose.reshape(-1, len(DISCOUNTS), WISHES, exact.shape[-1])
    wish = logsumexp(-each, axis=(0, 1)).argmax(axis=0)
    return behaviour, mixed(exact), mixed(loose.reshape(-1, exact.shape[-1])), wish


def measure_complexity(seed: int) -> dict:
    """Code lengths per island, from a bias of one number to whims in every state."""
    rng = np.random.default_rng(seed)
    where = sea(rng, ISLANDS)
    people = [Person(temperature=TEMPERATURE, discount=g) for g in DISCOUNTS]
    models = np.concatenate([behave(where.world, p, reward=where.wishes) for p in people])
    # the opposite planner with the opposite wish
    wishes = -where.wishes
    mirror = np.concatenate([behave(where.world, p, reward=-wishes) for p in people])
    whims = rng.normal(size=where.world.reward.shape)
    names = ("behaviour", "structured", "whims", "least", "mirrored", "hits", "empty_shorter")
    out = {name: [] for name in names}
    for level in LEVELS:
        person = Person(temperature=TEMPERATURE, discount=HERS, leaning=level * whims)
        policy = islanders(where, behave(where.world, person, reward=where.wishes))
        counts = counted(policy, EACH, rng)
        behaviour, structured, loose, wish = lengths(counts, models)
        also = lengths(counts, mirror)[2]
        least = by_island(-(counts * np.log(np.maximum(policy, 1e-300))).sum(axis=-1))
        row = (behaviour.mean(), structured.mean(), loose.mean(), least.mean(),
               np.abs(also - loose).max(), (wish == where.truth).mean(),
               (behaviour < loose).mean())
        for name, value in zip(names, row, strict=True):
            out[name].append(float(value))
    return out


def excess(s) -> dict:
    """Means over seeds: nats per island beyond her own noise, by level of whims."""
    least = s["least"].mean(0)
    return {n: s[n].mean(0) - least for n in ("behaviour", "structured", "whims")}


def complexity_holds(s) -> bool:
    """See the claim's predicate."""
    over = excess(s)
    ratio = over["whims"] / over["behaviour"]
    hits, empty = s["hits"].mean(0), s["empty_shorter"].mean(0)
    return bool(
        over["structured"].min() > 0 and ratio[0] < 0.4
        and over["structured"][0] < 0.4 * over["behaviour"][0]
        and (np.diff(ratio[:3]) > 0).all()
        and (over["structured"][2:] > 3 * over["behaviour"][2:]).all()
        and (ratio[2:] > 0.85).all() and (ratio < 1.1).all()
        and s["mirrored"].max() < 1e-6
        and hits[0] > 0.9 and hits[-1] < 0.3
        and empty[0] < 0.05 and empty[3] > 0.4
    )


def derived(s) -> dict:
    """The excesses of three codes by level, and their ratio."""
    over = excess(s)
    over["ratio"] = over["whims"] / over["behaviour"]
    return {f"over_{n}.{k}": float(x) for n, v in over.items() for k, x in enumerate(v)}


# Figures -----------------------------------------------------------------------------


def fig_complexity(s):
    """How much longer than her own noise each description is, from structure to whims."""
    fig, ax = axes("size of her whims",
                   "nats per island beyond her own noise", size=(4.8, 3.2))
    over, x = excess(s), np.arange(len(LEVELS))
    ax.set_yscale("log")
    for name, role, label, nudge in (
        ("structured", "harm", "wish + bias", 0), ("behaviour", "person", "table alone", 5),
        ("whims", "learner", "wish + bias\n+ table", -11),
    ):
        line(ax, x, over[name], role, label, nudge=nudge)
    ax.set_xticks(x, [f"{level:g}" for level in LEVELS])
    ax.set_yticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
    ax.minorticks_off()
    ends = {n: (v[0], v[-1]) for n, v in over.items()}
    alt = (
        "Along, the size of her whims, five levels from 0 to 1; up, on a logarithmic scale, how "
        "many nats longer than her own noise a description of her choices is. Without whims: "
        f"wish and bias {ends['structured'][0]:.1f}, with a table of what is left "
        f"{ends['whims'][0]:.1f}, a table alone {ends['behaviour'][0]:.1f}. With the largest: "
        f"{ends['structured'][1]:.0f}, {ends['whims'][1]:.1f}, {ends['behaviour'][1]:.1f}. "
        "The error model is much the shorter where errors have a structure, and as long as "
        "the table where they have none."
    )
    return fig, alt


GIVEN = {
    "complexity.each": EACH, "complexity.hers": HERS, "complexity.bias": len(DISCOUNTS),
    **{f"complexity.level{k}": level for k, level in enumerate(LEVELS)},
}

CLAIMS = [
    Claim(
        id="gi-error-model-complexity",
        chapter="08",
        statement="A model of errors is as complex as a model of the behaviour only where "
        "the errors have no structure. For a bias of one number it is several times shorter; "
        "with growing whims the difference vanishes. Nor does the shorter description "
        "choose the true pair.",
        predicate="means over seeds, nats per island beyond the entropy of her own choices: "
        "without whims, wish and bias, alone or with a table of what is left, cost less than "
        "0.4 of what a table of the behaviour does, and more than nothing; the latter ratio "
        "rises up to whims of 0.1, and from there on is above 0.85; nowhere is it above 1.1; "
        "wish and bias alone there cost more than 3 times the table. The opposite wishes with "
        "the opposite planner are as long within 1e-6. The right one of 20 wishes is likeliest "
        "on more than 90 % of the islands without whims, on less than 30 % with the largest; a "
        "table without any wish is the shorter description on fewer than 5 % of the islands "
        "without whims, and on more than 40 % with whims of 0.3",
        holds=complexity_holds,
        measure=measure_complexity,
        derive=derived,
        headline="over_ratio.0",
        status="ours",
        papers=("armstrong2018occam",),
        literature="Armstrong and Mindermann (2018) show, for Kolmogorov complexity, that the "
        "degenerate pairs are within a constant of the simplest. These are lengths of one "
        "family of codes.",
        source="[A]",
        seeds=SEEDS,
        rtol={"mirrored": ("abs", 1e-6), "behaviour": 1e-6, "structured": 1e-6},
        note="Twenty islands of gi-suboptimal for each seed, each with one person: discount 0.5 "
        "(one of five in the list), temperature 0.1, known, and whims, drawn once, normal, "
        "added to what each act is worth in each state. 100 choices in each of 6 states. All "
        "codes are prequential: each choice is predicted from those before it; what is not "
        "known is mixed evenly (wish, bias, and how much a centre is trusted).",
    ),
]
