"""Telling a good decision from a mistake, which nobody can do without saying what errs."""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch08 import people
from imitlib.chapters.ch08.people import KINDS, SEEDS, STATES, STEPS, WATCHED
from imitlib.claims import Claim
from imitlib.figures import INK, MUTED, ROLES, axes

COSTLY = 0.1  # a decision that throws away as much is a mistake
READERS = ("rarity", "rational", "any temperature", "all kinds", "right")


def agreement(flags, mistakes) -> np.ndarray:
    """Balanced accuracy over the last two axes: 1 is perfect, ½ what any constant gets."""
    found = (flags & mistakes).sum((-1, -2)) / mistakes.sum((-1, -2))
    spared = (~flags & ~mistakes).sum((-1, -2)) / (~mistakes).sum((-1, -2))
    return (found + spared) / 2


def rare(states, actions) -> np.ndarray:
    """Flags the acts that are not her commonest in that place, (K, islands, N)."""
    kinds, islands, steps = states.shape
    row = np.arange(kinds * islands)[:, None]
    counts = np.zeros((kinds * islands, STATES, people.ACTIONS))
    where = (row, states.reshape(-1, steps) % STATES, actions.reshape(-1, steps))
    np.add.at(counts, where, 1)
    return (counts[where] < counts.max(-1)[where[:2]]).reshape(states.shape)


def unusual(policies, states, actions) -> np.ndarray:
    """Flags the acts that are not her likeliest in that place, by her policy (K, S, 3)."""
    does = policies[np.arange(len(policies))[:, None, None], states]
    chosen = np.take_along_axis(does, actions[..., None], axis=-1)[..., 0]
    return chosen < does.max(-1) - 1e-9


def measure_mistakes(seed: int) -> dict:
    """How well seven readers flag the mistakes of each kind of person, in 30 steps."""
    seen = people.survey(np.random.default_rng(seed))
    steps = STEPS[WATCHED]
    states, actions = seen.states[..., :steps], seen.actions[..., :steps]
    bad = seen.q.max(-1, keepdims=True) - seen.q >= COSTLY  # (20, S, 3), by wish
    mistakes = bad[seen.where.truth[None, :, None], states, actions]
    out = {"share": mistakes.mean((1, 2)).tolist()}
    for reader in READERS:
        if reader == "rarity":
            flags = rare(states, actions)
        else:
            belief = seen.belief(reader)[:, :, WATCHED]  # (K, islands, 20)
            flags = np.einsum("kig,gkit->kit", belief, bad[:, states, actions]) > 0.5
        out[reader.replace(" ", "_")] = agreement(flags, mistakes).tolist()
    # who has watched her for ever, and knows what she does most often in each place
    out["rarity_known"] = agreement(unusual(seen.acts, states, actions), mistakes).tolist()
    # who has not looked at her, and knows the island and the list of wishes
    flags = bad[:, states, actions].mean(axis=0) > 0.5
    return out | {"unwatched": agreement(flags, mistakes).tolist()}


def mistakes_holds(s) -> bool:
    """See the claim's predicate."""
    mean = {r: s[r.replace(" ", "_")].mean(0) for r in READERS}
    biased, unwatched = {r: v[1:].mean() for r, v in mean.items()}, s["unwatched"].mean(0)
    known = s["rarity_known"].mean(0)
    habit, misled = KINDS.index("creature of habit"), KINDS.index("misinformed")
    return bool(
        biased["rarity"] < biased["rational"] < biased["any temperature"]
        < biased["all kinds"] < biased["right"]
        and biased["right"] > biased["rational"] + 0.08
        and (mean["right"] > mean["rational"])[1:].sum() >= 8
        and max(mean["rational"][habit], mean["any temperature"][habit]) < 0.6
        and mean["right"][habit] > 0.7
        and mean["any temperature"][misled] < 0.8 < mean["right"][misled]
        and mean["rational"][0] == mean["right"][0] > 0.85
        and mean["rarity"][habit] < 0.55
        and 0.52 < unwatched[1:].mean() < biased["rational"] - 0.04
        and mean["rational"][habit] < unwatched[habit] - 0.03
        and biased["rational"] + 0.03 < known[1:].mean() < biased["right"] - 0.03
        and (known > mean["rational"])[1:].sum() >= 6 and (known > mean["right"])[1:].sum() >= 4
        and known[habit] < 0.55 and known[misled] < mean["rational"][misled] - 0.04
    )


def average(s) -> dict:
    """Means over the ten biased kinds; for how many endless watching beats two models.

    Or falls behind: by more than two standard errors of the difference, seed by seed.
    """
    out = {f"{n}.biased": float(s[n][:, 1:].mean()) for n in s.values}
    for model in ("rational", "right"):
        gain = (s["rarity_known"] - s[model])[:, 1:]
        error = gain.std(axis=0, ddof=1) / np.sqrt(len(s)) if len(s) > 1 else 0.0
        out[f"known_above_{model}"] = float((gain.mean(axis=0) > 2 * error).sum())
        out[f"known_below_{model}"] = float((gain.mean(axis=0) < -2 * error).sum())
    return out


def fig_mistakes(s):
    """Balanced accuracy of flagging mistakes, a row for each kind of person."""
    order = np.argsort(s["right"].mean(0))
    fig, ax = axes("balanced accuracy (0.5: no better than none)", size=(4.8, 4.3))
    series = (("rarity", "random", "what she seldom does"), ("rational", "harm", "she is rational"),
              ("right", "learner", "her own errors"))
    ax.axvline(0.5, color=MUTED, lw=1)
    unwatched = s["unwatched"][:, 1:].mean()
    ax.axvline(unwatched, color=ROLES["random"].color, ls=":", lw=1.6)
    row = int(np.flatnonzero(order == KINDS.index("creature of habit"))[0])  # has room
    ax.annotate("Rollo, who\nnever looked", (unwatched, row), xytext=(5, 0),
                textcoords="offset points", color=INK, fontsize=9.5, va="center")
    people.rows(ax, [KINDS[k] for k in order],
                [(s[name].mean(0)[order], role, label) for name, role, label in series])
    mean, left = average(s), (s["rational"].mean(0) < unwatched).sum()
    alt = (
        "A row for each of eleven kinds of people; along the axis the balanced accuracy with "
        "which her mistakes are told from her good decisions, from one half upwards. Who "
        f"calls a mistake what she seldom does gets {mean['rarity.biased']:.2f} on average over "
        f"the biased kinds, who takes her to be rational {mean['rational.biased']:.2f}, who "
        f"knows her errors {mean['right.biased']:.2f}. A dotted line at {unwatched:.2f} is "
        f"Rollo who never looked at her; {left} kinds are left of it if they are taken to be "
        "rational."
    )
    return fig, alt


GIVEN = {"mistakes.costly": COSTLY}

CLAIMS = [
    Claim(
        id="gi-needs-error-model",
        chapter="08",
        statement="Telling good decisions from mistakes, when only some decisions are seen, "
        "needs a model of how the person errs, and the right one. A model of random slips "
        "misses the mistakes that are made each time. Endless watching makes up for it with "
        "some kinds only: what is rare then beats the model of slips for most, but fails where "
        "the mistake is what she most often does.",
        predicate="means over seeds, balanced accuracy over 30 steps: over the ten biased "
        "kinds, what is rare < rational < rational with any temperature < all kinds "
        "inferred < the right model, which is 0.08 above the rational one, and above it "
        "for at least eight kinds; for the creature of habit, rational with either temperature "
        "below 0.6, rarity below 0.55, the right model above 0.7; what is rare by her true "
        "policy, as if watched for ever, is over the ten more than 0.03 above the rational "
        "model and more than 0.03 below the right one, above the rational one for at least "
        "six kinds and above the right one, which has 30 steps, for at least four, but below "
        "0.55 for the creature of habit, and for the misinformed 0.04 below the rational "
        "model; for the misinformed, any "
        "temperature below 0.8, the right model above; for the rational kind rational and "
        "right are the same, above 0.85; who has not looked at her, and flags what is bad for "
        "most wishes on the list, is above 0.52 over the ten and more than 0.04 below the "
        "rational model, but for the creature of habit more than 0.03 above it",
        holds=mistakes_holds,
        measure=measure_mistakes,
        derive=average,
        headline="right.biased",
        status="ours",
        papers=("christiano2018easy", "armstrong2018occam"),
        literature="Christiano (2018) argues in words that inferring goals from people needs "
        "a model of their mistakes.",
        source="[A]",
        seeds=SEEDS,
        rtol={r.replace(" ", "_"): ("abs", 0.005)
              for r in (*READERS, "rarity_known", "unwatched")},
        note="A mistake is a decision that throws away at least 0.1 of discounted reward under "
        "the true wish (rewards of a step are between 0 and 1). The islands of gi-suboptimal. "
        "Balanced accuracy is the mean of the share of mistakes flagged and the share of "
        "other decisions not flagged. Rarity is counted in the same 30 steps, or taken from "
        "her policy, as if she had been watched for ever. Who reckons with no errors at all "
        "flags nothing: one half.",
    ),
]
