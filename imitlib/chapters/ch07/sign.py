"""Chapter 07, what is left when nobody knows how carefully she chooses: scale and sign."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from imitlib.chapters.ch07 import yards
from imitlib.chapters.ch07.cure import HURRIED, PATIENT, centred, seen
from imitlib.claims import Claim
from imitlib.figures import axes, line
from imitlib.planning import soft_policy_iteration
from imitlib.rewards.identify import misfit, recover, recover_unscaled, soft_policy
from imitlib.rewards.shaping import shape

STATES, MOVES = 16, 4
BETWEEN = 0.7  # the third discount
ASSUMED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
RIGHT = ASSUMED.index(HURRIED)
WATCHED = 10_000
SEEDS = tuple(range(1000, 1020))


def far(found, reward) -> float:
    """The largest error of a reward, up to a constant."""
    return float(np.abs(centred(found - reward)).max())


def alike(found, reward) -> float:
    """Correlation: blind to a constant and a scale, not to a sign."""
    return float(np.corrcoef(np.ravel(found), np.ravel(reward))[0, 1])


def by_the_formula(world, reward, temperature: float) -> np.ndarray:
    r"""The soft policy of a temperature of either sign, by plain iteration.

    .. math:: V(s) = \lambda \log \sum_a e^{Q(s, a) / \lambda}, \qquad
              \pi(a \mid s) = e^{(Q(s, a) - V(s)) / \lambda}

    Below 0 the sum is a soft *minimum*: whoever plans so avoids what is valued.
    """
    values = np.zeros(world.n_states)
    for _ in range(int(np.log(1e-15) / np.log(world.discount)) + 1):
        q = (reward + world.discount * world.next_values(values)) / temperature
        values = temperature * logsumexp(q, axis=1)
    return np.exp(q - values[:, None] / temperature)


def measure_sign(seed: int) -> dict:
    """Two planners of unknown temperature: what their policies fix, and what not."""
    rng = np.random.default_rng(seed)
    world, other = (yards.random_world(rng, STATES, MOVES) for _ in range(2))
    reward = rng.normal(size=world.reward.shape)
    heat = np.exp(rng.uniform(np.log(0.4), np.log(3), size=2))
    out = {"ratio": heat[1] / heat[0]}
    pairs = {"discounts": [world, world.with_discount(HURRIED)], "worlds": [world, other]}
    for name, pair in pairs.items():
        policies = [soft_policy(w, reward, t) for w, t in zip(pair, heat, strict=True)]
        found, nullity = recover_unscaled(pair, policies)
        against = [np.abs(by_the_formula(w, -reward, -t) - p).max()
                   for w, p, t in zip(pair, policies, heat, strict=True)]  # fmt: skip
        half = misfit(pair[1], -found.reward, policies[1], found.temperatures[1])
        noisy = recover_unscaled(pair, [seen(p, WATCHED, rng) for p in policies])[0]
        equal = recover(pair, policies, heat[0])
        out |= {
            f"nullity_{name}": nullity,
            f"ratio_error_{name}": float(abs(found.temperatures[1] - out["ratio"])),
            f"error_{name}": far(found.reward, reward / heat[0]),
            f"negated_{name}": float(max(against)),
            f"half_{name}": half,
            f"noisy_ratio_{name}": float(abs(np.log(noisy.temperatures[1] / out["ratio"]))
                                         if noisy.temperatures[1] > 0 else np.inf),
            f"noisy_alike_{name}": alike(noisy.reward, reward),
            f"equal_alike_{name}": alike(equal.reward, reward),
            f"equal_residual_{name}": equal.residual,
        }
    # a reward of places alone, paid where one is and where one arrives
    here, ahead = rng.normal(size=(2, STATES))
    cells = here[:, None] + world.next_values(ahead)
    for name, pair in pairs.items():
        policies = [soft_policy(w, cells, t) for w, t in zip(pair, heat, strict=True)]
        equal = recover(pair, policies, heat[0])
        out |= {
            f"cells_nullity_{name}": recover_unscaled(pair, policies)[1],
            f"cells_residual_{name}": equal.residual,
            f"cells_alike_{name}": alike(equal.reward, cells),
        }
    return out


def sign_holds(s) -> bool:
    """See the claim's predicate."""
    places = (
        (s["cells_nullity_discounts"] == 3).all()
        and (s["cells_residual_discounts"] < 1e-9).all()
        and (s["cells_nullity_worlds"] == 2).all()
        and (s["cells_residual_worlds"] > 1e-3).all()
    )
    return bool(places and all(
        (s[f"nullity_{name}"] == 2).all()
        and (s[f"ratio_error_{name}"] < 1e-8).all()
        and (s[f"error_{name}"] < 1e-8).all()
        and (s[f"negated_{name}"] < 1e-10).all()
        and (s[f"half_{name}"] > 0.1).all()
        for name in ("discounts", "worlds")
    ))  # fmt: skip


def measure_discount(seed: int) -> dict:
    """A discount wrongly assumed: in which arrangements does it show?"""
    rng = np.random.default_rng(seed)
    world, other, third = (yards.random_world(rng, STATES, MOVES) for _ in range(3))
    reward = rng.normal(size=world.reward.shape)
    arrangements = {
        "discounts": [world, world.with_discount(HURRIED)],
        "worlds": [world, other.with_discount(HURRIED)],
        "three": [world, world.with_discount(HURRIED), world.with_discount(BETWEEN)],
    }
    heat = np.append(1.0, np.exp(rng.uniform(np.log(0.4), np.log(3), size=2)))
    second = soft_policy_iteration(arrangements["discounts"][1], heat[1], reward=reward)
    tomorrow = soft_policy(third, reward)
    out = {name: [] for name in (
        *(f"residual_{name}" for name in arrangements),
        "error", "explained", "predicted", "third", "ratio_error")}  # fmt: skip
    for name, truth in arrangements.items():
        known = heat[: len(truth)]
        policies = [soft_policy(w, reward, t) for w, t in zip(truth, known, strict=True)]
        for assumed in ASSUMED:
            held = [truth[0], truth[1].with_discount(assumed), *truth[2:]]
            found = recover(held, policies, known)
            out[f"residual_{name}"].append(found.residual)
            if name != "discounts":
                continue
            size = (HURRIED - assumed) / (assumed - PATIENT)
            formula = shape(world, reward, size * second.values)
            out["error"].append(far(found.reward, reward))
            out["explained"].append(max(
                misfit(w, found.reward, p, t)
                for w, p, t in zip(held, policies, known, strict=True)))
            out["predicted"].append(far(found.reward, formula))
            out["third"].append(misfit(third, found.reward, tomorrow))
            ratio = recover_unscaled(held, policies)[0].temperatures[1]
            out["ratio_error"].append(float(abs(ratio - heat[1])))
    pair = arrangements["discounts"]
    policies = [soft_policy(w, reward, t) for w, t in zip(pair, heat[:2], strict=True)]
    elsewhere = [other, other.with_discount(HURRIED)]
    out["residual_dynamics"] = recover(elsewhere, policies, heat[:2]).residual
    return out


def discount_holds(s) -> bool:
    """See the claim's predicate."""
    wrong = [k for k in range(len(ASSUMED)) if k != RIGHT]
    return bool(
        (s["residual_discounts"] < 1e-9).all()
        and (s["explained"] < 1e-9).all()
        and (s["predicted"] < 1e-8).all()
        and (s["ratio_error"] < 1e-8).all()
        and (s["error"][:, wrong] > 0.01).all()
        and (s["third"][:, wrong] > 0.001).all()
        and (s["residual_worlds"][:, wrong] > 1e-3).all()
        and (s["residual_three"][:, wrong] > 1e-3).all()
        and (s["residual_worlds"][:, RIGHT] < 1e-9).all()
        and (s["residual_three"][:, RIGHT] < 1e-9).all()
        and (s["residual_dynamics"] > 0.01).all()
    )


def fig_discount(s):
    """What the two accounts disagree by, for each discount that Rollo may assume."""
    fig, ax = axes("discount assumed for the second morning", "disagreement left")
    floor = 1e-15
    for name, role, label, nudge in (
        ("discounts", "harm", "one world,\ntwo discounts", 0),
        ("three", "learner", "three discounts", 8),
        ("worlds", "expert", "two worlds", -8),
    ):
        middle = np.exp(np.log(np.maximum(s[f"residual_{name}"], floor)).mean(axis=0))
        line(ax, ASSUMED, middle, role, label, nudge=nudge)
    ax.set_yscale("log")
    ax.set_ylim(1e-16, 10)
    ax.axvline(HURRIED, ymax=0.92, color="#2B2F36", lw=1.2, ls=(0, (1, 2)))
    ax.text(HURRIED, 1.5, "true", fontsize=10, ha="center")
    wrong = [k for k in range(len(ASSUMED)) if k != RIGHT]
    alt = (
        f"Largest disagreement between the mornings about the reward, logarithmic, for "
        f"assumed second discounts from {ASSUMED[0]} to {ASSUMED[-1]}; the true one is "
        f"{HURRIED}. One world at two discounts stays below "
        f"{s['residual_discounts'].max():.0e} everywhere. Two worlds, or a third "
        f"discount, leave more than "
        f"{min(s[f'residual_{n}'][:, wrong].min() for n in ('worlds', 'three')):.0e} "
        f"wherever the assumption is wrong."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "sign.between": BETWEEN,
    "sign.watched": WATCHED,
    "sign.hurried": HURRIED,
    "sign.patient": PATIENT,
    "sign.believed": ASSUMED[-1],
}

CLAIMS = [
    Claim(
        id="ill-sign",
        chapter="07",
        statement="With unknown temperatures, two worlds or two discounts leave a "
        "constant, a scale and the sign: the ratio of the temperatures is identified, and "
        "the negated reward with negated temperatures explains everything as well. Two "
        "discounts lose the ratio too where only places are paid for.",
        predicate="for two discounts and two worlds, on every seed: nullity 2; the ratio "
        "of the temperatures and the reward in units of the first right to 1e-8; reward "
        "and temperatures negated together explain both policies to 1e-10; with only the "
        "first temperature negated, the second policy is missed by more than 0.1; for a "
        "reward of places, f(s) plus the expected g(s'), two discounts leave nullity 3 "
        "and a residual below 1e-9 where the temperatures are assumed equal, two worlds "
        "nullity 2 and more than 1e-3",
        holds=sign_holds,
        measure=measure_sign,
        headline="nullity_discounts",
        status="ours",
        papers=("armstrong2018occam", "cao2021identifiability"),
        literature="Armstrong and Mindermann (2018) negate planner and reward together for "
        "any planner. That for soft planners in two worlds nothing else is left we have "
        "not found stated; the proof is on the page.",
        seeds=SEEDS,
    ),
    Claim(
        id="ill-sign-discount",
        chapter="07",
        statement="With two discounts in one world a wrong second discount is invisible: "
        "it leaves no residual and a wrong reward. A second world, or a third discount, "
        "shows it.",
        predicate="on every seed, for every assumed second discount: one world leaves a "
        "residual below 1e-9, both policies explained to 1e-9, the temperature ratio "
        "right, and a reward that is the true one shaped by the formula, to 1e-8; where "
        "the assumption is wrong the reward is off by more than 0.01 and a third world's "
        "policy by more than 0.001, and two worlds or three discounts leave more than "
        "1e-3, and below 1e-9 where it is right; wrong transitions leave more than 0.01",
        holds=discount_holds,
        measure=measure_discount,
        headline="residual_dynamics",
        status="ours",
        papers=("cao2021identifiability", "magnac2002identifying"),
        literature="Magnac and Thesmar (2002): one decision process does not identify the "
        "discount. That a second discount does not either, and a third does, is derived "
        "on the page.",
        seeds=SEEDS,
    ),
]
