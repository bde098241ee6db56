"""Chapter 07, the cure: two mornings that share one reward, and what they settle."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from imitlib.chapters.ch07 import gate, yards
from imitlib.claims import Claim
from imitlib.experiments import interval
from imitlib.figures import INK, axes, line
from imitlib.planning import expected_return
from imitlib.rewards.identify import (
    certificate,
    choose_second,
    recover,
    soft_policy,
)
from imitlib.rewards.shaping import minimum_norm

STATES, MOVES = 16, 4
PATIENT, HURRIED = 0.9, 0.5
WATCHED = (300, 1000, 3000, 10_000, 30_000, 100_000)  # choices seen in each state
PER_CANDIDATE = 1000
PEOPLE = {"careful": gate.TEMPERATURE, "careless": 0.5}  # Hana, at two temperatures
STREET_WATCHED = (100, 1000, 10_000, 1_000_000)
SEEDS = tuple(range(1000, 1020))


def centred(reward):
    return reward - np.mean(reward)


def rmse(found, reward) -> float:
    """Root mean square error of a reward, up to a constant."""
    return float(np.sqrt(np.mean(centred(found - reward) ** 2)))


def seen(policy, times: int, rng) -> np.ndarray:
    """The policy as estimated from that many choices in every state.

    Half a choice is added to each action, so that none has probability 0. The likeliest
    action is drawn last, as what the others leave: numpy divides each chance by what is
    left of 1, which after the likeliest may be nothing but rounding.
    """
    counts = np.full(policy.shape, 0.5)
    for count, row in zip(counts, policy, strict=True):
        likely = int(np.flatnonzero(row > row.max() * (1 - 1e-6))[-1])
        order = np.append(np.delete(np.arange(len(row)), likely), likely)
        count[order] += rng.multinomial(times, row[order])
    return counts / counts.sum(axis=1, keepdims=True)


def recovered(pair, policies, times: int, rng, temperature=1.0, weighted=True):
    """The reward read off from so many choices in every state on each morning."""
    watched = np.stack([seen(policy, times, rng) for policy in policies])
    weights = times * watched if weighted else None
    return recover(pair, watched, temperature, weights=weights).reward


def measure_cure(seed: int) -> dict:
    """One reward, watched in one world, at two discounts, in two worlds."""
    rng = np.random.default_rng(seed)
    world, other, third = (yards.random_world(rng, STATES, MOVES) for _ in range(3))
    reward = rng.normal(size=world.reward.shape)
    pairs = {
        "discounts": [world, world.with_discount(HURRIED)],
        "worlds": [world, other],
    }
    alone = certificate([world])
    first = soft_policy(world, reward)
    least = minimum_norm(world, np.log(first))
    tomorrow = soft_policy(third, reward)

    def third_miss(found):
        return float(np.abs(soft_policy(third, found) - tomorrow).max())

    out = {
        "silent_alone": len(alone.silent),
        "error_alone": rmse(np.log(first), reward),
        "third_alone": third_miss(np.log(first)),
        "error_least": rmse(least, reward),
        "third_least": third_miss(least),
    }
    for name, pair in pairs.items():
        promise = certificate(pair)
        found = recover(pair, [soft_policy(w, reward) for w in pair])
        out |= {
            f"silent_{name}": promise.needed - promise.rank,
            f"sigma_{name}": promise.sigma,
            f"error_{name}": float(np.abs(centred(found.reward - reward)).max()),
            f"third_{name}": third_miss(found.reward),
        }
    pair = pairs["discounts"]
    policies = [soft_policy(w, reward) for w in pair]
    found = [recovered(pair, policies, n, rng) for n in WATCHED]
    out["error_by_n"] = [rmse(one, reward) for one in found]
    out["third_by_n"] = [third_miss(one) for one in found]
    out["least_by_n"] = [  # as many choices, all of them on the first morning
        rmse(minimum_norm(world, np.log(seen(first, 2 * n, rng))), reward)
        for n in WATCHED
    ]
    return out


def derived(s) -> dict:
    """The slope of error against number, seed by seed, on logarithmic axes."""
    each = [np.polyfit(np.log(WATCHED), np.log(row), 1)[0] for row in s["error_by_n"]]
    slope = interval(each)
    return {"slope": slope.mean, "slope.low": slope.low, "slope.high": slope.high}


def cure_holds(s) -> bool:
    """See the claim's predicate."""
    exact = [
        (s[f"silent_{name}"] == 0).all()
        and (s[f"error_{name}"] < 1e-9).all()
        and (s[f"third_{name}"] < 1e-9).all()
        for name in ("discounts", "worlds")
    ]
    slope = derived(s)
    return bool(
        all(exact)
        and (s["silent_alone"] == STATES - 1).all()
        and (s["error_alone"] > 0.2).all()
        and (s["error_least"] > 0.2).all()
        and (s["third_alone"] > 0.03).all()
        and (s["third_least"] > 0.03).all()
        and -0.6 < slope["slope"] < -0.4
        and s["error_by_n"][:, -1].mean() < s.mean("error_least") / 4
        and s["third_by_n"][:, -1].mean() < s.mean("third_least") / 4
    )


def fig_cure(s):
    """Error against the number of choices seen: two mornings fall, one never does."""
    fig, ax = axes("choices seen in each state, each morning", "error of the reward")
    errors = s["error_by_n"]
    line(ax, WATCHED, s["least_by_n"].mean(axis=0), "harm", "one morning,\ntwice as long")
    line(ax, WATCHED, np.exp(np.log(errors).mean(axis=0)), "learner", "two mornings",
         band=(errors.min(axis=0), errors.max(axis=0)))  # fmt: skip
    _logarithmic(ax.xaxis, (1000, 10_000, 100_000))
    _logarithmic(ax.yaxis, (0.1, 1))
    ax.set_xlim(250, 110_000)
    slope = derived(s)["slope"]
    alt = (
        f"Error of the recovered reward (root mean square, up to a constant; rewards "
        f"spread 1) against choices seen in each state, both logarithmic. One world, seen "
        f"twice as long, levels off at {s['least_by_n'][:, -1].mean():.2f}. Two discounts "
        f"fall along a straight line of slope {slope:.2f}, from {errors[:, 0].mean():.2f} at "
        f"{WATCHED[0]} to {errors[:, -1].mean():.3f} at {WATCHED[-1]:,}."
    )
    return fig, alt


def _logarithmic(axis, ticks):
    """A logarithmic axis with a few plain numbers on it."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_ticks([], minor=True)
    axis.set_ticks(ticks, [f"{x:,}" for x in ticks])


# Which second morning? --------------------------------------------------------------


def candidates(first) -> dict:
    """Mornings that Rollo might watch next, by name."""
    return {
        "a trace of ice": yards.ice(first, 0.02),
        "some ice": yards.ice(first, 0.1),
        "more ice": yards.ice(first, 0.3),
        "ice everywhere": yards.ice(first, 0.6),
        "a breeze": yards.wind(first, 1, 0.1),
        "a wind": yards.wind(first, 1, 0.4),
        "a gale": yards.wind(first, 2, 0.8),
        "signs turned": yards.relabelled(first, (1, 2, 3, 0, 4)),
        "hardly hurried": first.with_discount(0.8),
        "hurried": first.with_discount(0.5),
        "in a great hurry": first.with_discount(0.2),
        "only now": first.with_discount(0.0),
    }


NAMES = tuple(candidates(yards.yard()))


def measure_design(seed: int) -> dict:
    """A yard with fences: what each second morning promises, and what it delivers."""
    rng = np.random.default_rng(seed)
    first = yards.yard(rng)
    reward = rng.normal(size=first.reward.shape)
    others = list(candidates(first).values())
    chosen, promises = choose_second(first, others)
    one = soft_policy(first, reward)
    errors = []
    for other in others:
        policies = [one, soft_policy(other, reward)]
        found = recovered([first, other], policies, PER_CANDIDATE, rng)
        errors.append(rmse(found, reward))
    gains = [promise.gain for promise in promises]
    sigmas = [promise.sigma for promise in promises]
    return {
        "gains": gains,
        "sigmas": sigmas,
        "errors": errors,
        "chosen": errors[chosen],
        "picked": chosen,
        "median": float(np.median(errors)),
        "worst": max(errors),
        "order_gain": float(spearmanr(gains, errors)[0]),
        "order_sigma": float(spearmanr([-x for x in sigmas], errors)[0]),
    }


def design_derived(s) -> dict:
    """How much longer one would have to watch another morning for the same error."""
    return {
        "times_median": float(np.mean((s["median"] / s["chosen"]) ** 2)),
        "times_worst": float(np.median((s["worst"] / s["chosen"]) ** 2)),
        "first_picked": float(np.mean(s["picked"] == len(NAMES) - 1)),
    }


def design_holds(s) -> bool:
    """See the claim's predicate."""
    return bool(
        s.mean("order_gain") > 0.75
        and s.mean("order_gain") > s.mean("order_sigma")
        and s.mean("chosen") < 0.6 * s.mean("median")
        and (s["chosen"] < s["median"]).all()
        and (s["worst"] > 5 * s["chosen"]).all()
    )


def fig_design(s):
    """What the worlds promise before the watching, and the error after it."""
    fig, ax = axes("promised: how much errors are enlarged", "delivered: error of the reward")
    gains, errors = s["gains"].mean(axis=0), s["errors"].mean(axis=0)
    ax.plot(gains, errors, "^", color="#B87F00", markersize=8)
    for name, dx, dy, ha in (
        ("only now", 3, -15, "left"), ("hurried", 8, -3, "left"),
        ("more ice", 8, -4, "left"), ("a breeze", -9, -3, "right"),
        ("signs turned", -6, 15, "left"), ("a trace of ice", -9, 3, "right"),
        ("hardly hurried", -9, -1, "right"),
    ):  # fmt: skip
        k = NAMES.index(name)
        ax.annotate(name, (gains[k], errors[k]), xytext=(dx, dy), ha=ha,
                    textcoords="offset points", color=INK, fontsize=10)  # fmt: skip
    _logarithmic(ax.xaxis, (1, 3, 10, 30))
    _logarithmic(ax.yaxis, (0.1, 1, 10))
    ax.set_ylim(0.05, 12)
    alt = (
        f"Twelve second mornings, each a triangle: promised enlargement of errors across, "
        f"error after {PER_CANDIDATE:,} choices in each state up, both logarithmic. They "
        f"rise together: from 'only now' ({gains[-1]:.1f}, {errors[-1]:.2f}) to 'a trace "
        f"of ice' ({gains[0]:.0f}, {errors[0]:.1f})."
    )
    return fig, alt


# The moved street, cured ------------------------------------------------------------


def measure_street(seed: int) -> dict:
    """The barrier moves; the reward is read off from Hana at leisure and in a hurry."""
    rng = np.random.default_rng(seed)
    old, new = gate.street(gate.BOTTOM), gate.street(gate.TOP)
    pair = [old, old.with_discount(HURRIED)]
    promise, out = certificate(pair), {}
    for who, heat in PEOPLE.items():
        policies = [soft_policy(w, old.reward, heat) for w in pair]

        def lost(reward, heat=heat):
            """Return that this account costs on the new street."""
            returns = [expected_return(new, soft_policy(new, r, heat))
                       for r in (old.reward, reward)]  # fmt: skip
            return float(returns[0] - returns[1])

        exact = recover(pair, policies, heat).reward
        counted = [recovered(pair, policies, n, rng, heat) for n in STREET_WATCHED]
        out |= {
            f"{who}_exact": lost(exact),
            f"{who}_habit": lost(heat * np.log(policies[0])),
            f"{who}_counted": [lost(found) for found in counted],
            f"{who}_plain": lost(
                recovered(pair, policies, STREET_WATCHED[-2], rng, heat, weighted=False)),
            f"{who}_rarest": float(-np.log10(policies[0].min())),
        }
    return out | {"silent": len(promise.silent)}


def street_holds(s) -> bool:
    """See the claim's predicate."""
    fewer = s["careful_counted"][:, : len(STREET_WATCHED) - 1]
    return bool(
        (s["silent"] == 0).all()
        and (np.abs(s["careful_exact"]) < 1e-6).all()
        and (np.abs(s["careless_exact"]) < 1e-6).all()
        and (s["careful_habit"] > 5).all()
        and (s["careless_habit"] > 3).all()
        and (fewer > 5).all()
        and (s["careless_counted"][:, -2] < 0.2).all()
        and (s["careless_plain"] > 0.5).all()
    )


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "cure.states": STATES,
    "cure.patient": PATIENT,
    "cure.hurried": HURRIED,
    "cure.per-candidate": PER_CANDIDATE,
    "cure.candidates": len(NAMES),
    "cure.fewest": WATCHED[0],
    "cure.some": WATCHED[3],
    "cure.careful": PEOPLE["careful"],
    "cure.careless": PEOPLE["careless"],
    "cure.street-most": STREET_WATCHED[-2],
    "cure.most": WATCHED[-1],
}

CLAIMS = [
    Claim(
        id="ill-cure",
        chapter="07",
        statement="With a known model of the planner, a second discount or a second world "
        "identifies the reward r(s, a) up to a constant, as a rank computed beforehand "
        "promises; from n observed choices the error falls like one over the root of n.",
        predicate="in random worlds, for two discounts and for two worlds alike: nothing "
        "silent, reward and policy in a third world right to 1e-9 on every seed; one "
        "world leaves S - 1 directions, and both λ log π and the explanation of least norm "
        "miss the reward by more than 0.2 and a probability of the third world by more "
        "than 0.03 on every seed; the mean slope of log error on log n lies within 0.1 of "
        "-1/2; at the largest n both mean errors are under a quarter "
        "of those of least norm",
        holds=cure_holds,
        measure=measure_cure,
        derive=derived,
        headline="slope",
        status="reproduced",
        papers=("cao2021identifiability", "rolland2022identifiability"),
        literature="Cao, Cohen and Szpruch (2021) prove it for two discounts and for two "
        "worlds; Rolland et al. (2022) give the rank condition.",
        seeds=SEEDS,
        note="The planner must be known: that she plans softly, her temperatures, her "
        "discounts, and the transitions. Every state is observed equally often; each entry "
        "is weighted by its count.",
    ),
    Claim(
        id="ill-cure-design",
        chapter="07",
        statement="The second world can be chosen before anybody is watched: the promised "
        "enlargement of errors ranks candidates nearly as their errors do.",
        predicate="over the candidates, the rank correlation of promised gain and "
        "delivered error is above 0.75 on average and above that of the smallest singular "
        "value; the chosen one has less than 0.6 of the median candidate's error on average, "
        "and on every seed less than it and less than a fifth of the worst's",
        holds=design_holds,
        measure=measure_design,
        derive=design_derived,
        headline="order_gain",
        status="ours",
        papers=("rolland2022identifiability",),
        literature="The rank condition is Rolland et al.'s (2022). We have not met this "
        "use of it to choose.",
        seeds=SEEDS,
        note="The smallest singular value, the measure we began with, ranks worse: it "
        "knows the worst direction alone.",
    ),
    Claim(
        id="ill-cure-street",
        chapter="07",
        statement="On Loaf Street the cure works from exact odds, and from counted choices "
        "only if Hana sometimes errs: what she never does, no count can weigh.",
        predicate="nothing silent; from exact odds at two discounts the account loses less "
        "than 1e-6 on the moved street, for careful and careless Hana, where λ log π loses "
        "more than 5 and more than 3; from up to 10,000 choices in each state it loses "
        "more than 5 for the careful one, on every seed, and less than 0.2 for the "
        "careless one, but more than 0.5 where all entries are weighted equally",
        holds=street_holds,
        measure=measure_street,
        headline="careless_plain",
        status="ours",
        papers=("cao2021identifiability", "rolland2022identifiability"),
        literature="The theorems are about exact policies; the street is ours.",
        seeds=SEEDS[:10],
        rtol={name: ("abs", 0.05) for name in (
            "careful_counted", "careless_counted", "careful_plain", "careless_plain")},
        note="One estimator: least squares, each entry weighted by its count, with half a "
        "choice added to each action. Others may do better.",
    ),
]
