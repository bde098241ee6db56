"""What a wrong model of errors costs, against the line of somebody who has seen nothing."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from imitlib.chapters.ch08 import people
from imitlib.chapters.ch08.people import (
    KINDS,
    MODELS,
    SEEDS,
    STEPS,
    WATCHED,
    WISHES,
)
from imitlib.claims import Claim
from imitlib.figures import INK, MUTED, ROLES, axes
from imitlib.goals import infer
from imitlib.goals.biased import pick

PRIOR = float(np.log(WISHES))
POWERS = np.linspace(0, 1, 101)  # to which an overconfident belief is raised
FORESEE = ("careless", "naive", "sophisticated")  # their plans change with their slips


def cooled(belief, truth) -> np.ndarray:
    """The belief flattened: log-loss (K,) of `belief` to a power, one power for each kind.

    The power is the best for half of the islands, and is paid for on the other half.
    """
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log(belief), -700)
    flat = infer.posterior(POWERS[:, None, None, None] * logs)  # (101, K, islands, 20)
    losses = infer.log_loss(flat, np.broadcast_to(truth, flat.shape[:-1]))
    half = losses.shape[-1] // 2
    first, second = losses[..., :half].mean(-1), losses[..., half:].mean(-1)
    kinds = np.arange(first.shape[1])
    return (first[second.argmin(0), kinds] + second[first.argmin(0), kinds]) / 2


def unrest(policy) -> float:
    """How freely she acts: the entropy of what she does, nats, mean over states."""
    return float(-(policy * np.log(np.maximum(policy, 1e-300))).sum(axis=-1).mean())


def matched(kind: str, where) -> float:
    """The temperature at which that kind acts as freely as the rational one, on her wishes.

    A bias that shrinks the differences in Q makes the same slips count for more; at this
    temperature the slips are as large, and what is left of the bias is the bias.
    """
    wanted = people.islanders(where, where.wishes)
    aim = unrest(people.policies("rational", where, wishes=wanted))
    logits = np.log(people.policies(kind, where, 1.0, wanted))

    def too_free(log):
        if kind in FORESEE:
            return unrest(people.policies(kind, where, np.exp(log), wanted)) - aim
        return unrest(pick(logits, np.exp(log))) - aim

    return float(np.exp(brentq(too_free, np.log(2e-3), np.log(5), xtol=1e-9)))


def calmed(where, rng) -> dict:
    """Every kind at her matched temperature, read as rational and as she is, by kind."""
    out = {name: [] for name in ("heat", "entropy", "loss", "late", "right", "right_late",
                                 "own", "served_rational", "served_right")}
    rational = people.policies("rational", where)
    for kind in KINDS:
        heat = matched(kind, where)
        hers = people.policies(kind, where, heat)
        does = people.islanders(where, hers)
        seen = people.watch(where, does, STEPS[-1], rng)
        logs = people.evidence(np.array([rational, hers]), *seen)  # (2, islands, steps, 20)
        truth = np.broadcast_to(where.truth[:, None], logs.shape[:-1])
        belief = infer.posterior(logs)
        loss = infer.log_loss(belief, truth).mean(axis=1)
        lost = people.lost(where, [does, *people.serve(where, belief[:, :, WATCHED])])
        for name, value in zip(out, (heat, unrest(does), loss[0, WATCHED], loss[0, -1],
                                     loss[1, WATCHED], loss[1, -1], *lost), strict=True):
            out[name].append(float(value))
    return out


def measure_wrong(seed: int) -> dict:
    """Log-loss of five beliefs by kind of person, and how sure the wrong one is.

    Then the same kinds at the temperatures that make them as noisy as the rational one.
    """
    rng = np.random.default_rng(seed)
    seen = people.survey(rng)
    out, truth = {}, seen.truth
    for model in MODELS:
        name, belief = model.replace(" ", "_"), seen.belief(model)
        loss = infer.log_loss(belief, truth).mean(axis=1)  # (K, steps)
        out[f"loss_{name}"] = loss[:, WATCHED].tolist()
        out[f"by_steps_{name}"] = loss[1:].mean(axis=0).tolist()
        out[f"late_{name}"] = loss[:, -1].tolist()  # after 100 steps
        here = belief[:, :, WATCHED]
        out[f"sure_{name}"] = here.max(-1).mean(1).tolist()
        out[f"hits_{name}"] = (here.argmax(-1) == truth[:, :, WATCHED]).mean(1).tolist()
        if model == "rational":
            out["loss_cooled"] = cooled(here, truth[:, :, WATCHED]).tolist()
    return out | {f"matched_{name}": value for name, value in calmed(seen.where, rng).items()}


def wrong_holds(s) -> bool:
    """See the claim's predicate."""
    def of(name):
        return s[name].mean(0)

    wrong, heat, right = (of(f"loss_{m}") for m in ("rational", "any_temperature", "right"))
    habit, steps = KINDS.index("creature of habit"), of("by_steps_rational")
    hers, rational_serves, right_serves = (of(f"matched_{name}")[1:].mean() for name in (
        "own", "served_rational", "served_right"))  # fmt: skip
    return bool(
        (right < PRIOR + 0.1).all() and right[1:].mean() < PRIOR - 0.8 and wrong[0] < PRIOR - 1
        and (wrong[1:] > PRIOR).sum() >= 8 and wrong[1:].mean() > 1.8 * PRIOR
        and (np.diff(steps)[1:] > 0).all() and (np.diff(of("by_steps_right")) < 0).all()
        and of("sure_rational")[1:].mean() > 2 * of("hits_rational")[1:].mean()
        and of("hits_rational")[1:].mean() > 2 / WISHES
        and abs((of("sure_right") - of("hits_right")).mean()) < 0.06
        and (of("loss_cooled") < PRIOR + 0.3).all()
        and of("loss_cooled")[1:].mean() < PRIOR - 0.3
        and (heat[1:] < PRIOR + 0.1).sum() >= 8 and heat[habit] > PRIOR + 1
        and of("late_any_temperature")[1:].mean() > PRIOR
        and (of("loss_all_kinds") < PRIOR + 0.4).all()
        and of("loss_all_kinds")[1:].mean() < heat[1:].mean() - 0.5
        and of("loss_fitted")[1:].mean() > heat[1:].mean()
        and np.ptp(s["matched_entropy"], axis=1).max() < 1e-6
        and (of("matched_loss")[1:] > PRIOR).sum() >= 4
        and (of("matched_late")[1:] > PRIOR + 1).sum() >= 4
        and (of("matched_loss")[1:] < PRIOR - 1).sum() >= 4
        and of("matched_loss")[1:].mean() < 0.7 * wrong[1:].mean()
        and of("matched_right")[1:].mean() < PRIOR - 1.5
        and (of("matched_right")[1:] < of("matched_right")[0] + 0.4).sum() >= 8
        and of("matched_right")[habit] > of("matched_right")[0] + 1
        and hers > 0.3 and right_serves < hers / 3
        and right_serves + 0.05 < rational_serves < hers - 0.15
    )


def average(s) -> dict:
    """Means over the ten biased kinds, and for how many the wrong model is worse than none."""
    names = [n for n in s.values if n.startswith(("loss_", "sure_", "hits_", "matched_"))]
    out = {f"{n}.biased": float(s[n][:, 1:].mean()) for n in names}
    worse = {name: float((s[of].mean(0)[1:] > PRIOR).sum()) for name, of in (
        ("worse", "loss_rational"), ("worse_matched", "matched_loss"),
        ("worse_matched_late", "matched_late"))}  # fmt: skip
    for name, of in (("clearly_worse", "matched_loss"), ("clearly_worse_late", "matched_late")):
        n = len(s[of])
        error = s[of].std(axis=0) / np.sqrt(max(n - 1, 1))  # of the mean over seeds
        worse[name] = float((s[of].mean(0) - 2 * error > PRIOR)[1:].sum())
    return out | worse | {"prior": PRIOR}


def _scale(ax):
    ax.set_xscale("log")
    ax.set_xticks([0.5, 1, 3, 10], ["0.5", "1", "3", "10"])
    ax.minorticks_off()


def fig_wrong(s):
    """Log-loss of three beliefs by kind of person, and the line of who has seen nothing."""
    order = np.argsort(s["loss_rational"].mean(0))
    fig, ax = axes("log-loss of the true wish, nats", size=(4.8, 4.2))
    series = (("loss_rational", "harm", "rational, fixed temperature"),
              ("loss_any_temperature", "robot", "rational, any temperature"),
              ("loss_right", "learner", "her own errors"),
              ("matched_loss", "random", "rational, slips matched"),
              ("matched_right", "optimum", "her own, slips matched"))
    _scale(ax)
    ax.axvline(PRIOR, color=ROLES["random"].color, ls=":", lw=1.6)
    ax.annotate("prior", (PRIOR, -0.45), xytext=(4, 0), textcoords="offset points",
                color=INK, fontsize=9.5, va="bottom")
    people.rows(ax, [KINDS[k] for k in order],
                [(s[name].mean(0)[order], role, label) for name, role, label in series])
    mean = average(s)
    alt = (
        "A row for each of eleven kinds of people; along the axis, logarithmic, the log-loss "
        f"of the belief after thirty steps. The prior's is {PRIOR:.2f}. Taken to be rational "
        f"with a fixed temperature, {mean['worse']:.0f} of ten biased kinds are right of that "
        f"line, {mean['loss_rational.biased']:.1f} on average; with any temperature, all but "
        "the creature of habit are left of it or close; with their own errors, all are left. "
        "Where her temperature is such that she acts as freely as the rational person, "
        f"{mean['worse_matched']:.0f} are right of it if taken to be rational, and with their "
        "own errors all are far left, the creature of habit the least."
    )
    return fig, alt


def fig_steps(s):
    """What more watching does to three beliefs."""
    from imitlib.figures import line

    fig, ax = axes("steps seen", "log-loss, nats (mean of ten biased kinds)", size=(4.8, 3.2))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.plot([1, 100], [PRIOR] * 2, color=ROLES["random"].color, ls=":", lw=1.6)
    for name, role, label in (("rational", "harm", "rational"),
                              ("any_temperature", "robot", "any\ntemperature"),
                              ("all_kinds", "optimum", "all kinds"),
                              ("right", "learner", "her own")):
        values = s[f"by_steps_{name}"]
        line(ax, STEPS, values.mean(0), role, label, band=(values.min(0), values.max(0)),
             nudge={"all_kinds": 5, "right": -8, "any_temperature": 4}.get(name, 0))
    ax.annotate("prior", (100, PRIOR), xytext=(8, -5), textcoords="offset points", color=INK,
                fontsize=10, va="center", annotation_clip=False)  # fmt: skip
    ax.set_xticks(STEPS, [str(n) for n in STEPS])
    ax.set_yticks([1, 3, 10], ["1", "3", "10"])
    ax.minorticks_off()
    ends = {m: s[f"by_steps_{m}"][:, -1].mean() for m in
            ("rational", "any_temperature", "all_kinds", "right")}
    alt = (
        "Log-loss against the number of steps seen, 1 to 100, both axes logarithmic. The "
        f"prior's line is level at {PRIOR:.2f}. Taken to be rational, people become harder to "
        f"read the longer they are watched: up to {ends['rational']:.1f}. With any temperature "
        f"the curve dips below the prior and ends above it, at {ends['any_temperature']:.1f}; "
        f"with a list of kinds it falls to {ends['all_kinds']:.1f}, with their own kind to "
        f"{ends['right']:.1f}. Bands are from the least to the largest of ten seeds."
    )
    return fig, alt


def fig_sure(s):
    """How sure two beliefs are, and how often they are right: points on a square."""
    fig, ax = axes("how sure of its favourite", "how often right", size=(4.4, 3.6))
    ax.plot([0, 1], [0, 1], color=MUTED, lw=1)
    for name, role, label in (("rational", "harm", "rational"), ("right", "learner", "her own")):
        x, y = s[f"sure_{name}"].mean(0)[1:], s[f"hits_{name}"].mean(0)[1:]
        look = ROLES[role]
        ax.plot(x, y, look.marker, color=look.color, ms=8, ls="none")
        at = (x.max(), y[x.argmax()]) if name == "right" else (0.73, 0.02)
        ax.annotate(label, at, xytext=(-12, 0) if name == "right" else (0, 0),
                    textcoords="offset points", ha="right", va="center", color=INK)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    mean = average(s)
    alt = (
        "A point for each biased kind of person: along, how probable the belief's favourite "
        "is; up, how often it is right; on the diagonal, one may believe it. With her own "
        "errors the points lie on the diagonal. With the rational model they lie far below: "
        f"{mean['sure_rational.biased']:.2f} sure and {mean['hits_rational.biased']:.2f} right."
    )
    return fig, alt


GIVEN = {"wrong.prior": PRIOR, "wrong.late": STEPS[-1], "quiz.sure": 0.9,
         "wrong.temperatures": len(people.HOT)}  # fmt: skip

CLAIMS = [
    Claim(
        id="gi-wrong-model",
        chapter="08",
        statement="A wrong model of errors can be worse than none: taken to be rational with "
        "a fixed temperature, most biased people are read with more loss than by who has "
        "seen nothing, and the more the longer they are watched. The harm is overconfidence: "
        "flattened, or with the temperature inferred, the same model is worth a little, "
        "except where errors look like a plan. In part it is the temperature: made as noisy as "
        "the rational person, at least four of the ten kinds are still read worse than not at "
        "all. With her own errors known, all but the creature of habit are then read about as "
        "well as the rational person.",
        predicate="means over seeds, log-loss of the true one of 20 wishes after 30 steps: "
        "the right model at most 0.1 above the prior's 2.996 for every kind, over the ten "
        "biased kinds 0.8 below it, and falling with the steps; the rational model 1 below it "
        "for the rational kind, above it for at least 8 of 10 biased kinds, over them above "
        "1.8 times the prior and rising from 3 steps to 100; there it is more than twice as "
        "sure as right, yet right more than twice as often as chance; the right model is as "
        "sure as right within 0.06; flattened by one power for each kind, learned on other "
        "islands, the rational one is at most 0.3 above the prior for every kind and 0.3 "
        "below on average; with the temperature inferred at most 0.1 above for at least 8 of "
        "10 biased kinds, 1 above for the creature of habit, and after 100 steps above on "
        "average; with all kinds inferred together at most 0.4 above for every kind and on "
        "average 0.5 below the inferred temperature; one fitted temperature is worse on "
        "average than an inferred one. With every kind's temperature such that her policy has "
        "the rational person's mean entropy over states (within 1e-6), the rational model is "
        "above the prior for at least 4 of 10 biased kinds, after 100 steps 1 above it for at "
        "least 4, and 1 below it for at least 4; on average it loses less than 0.7 of before, "
        "and the right model is 1.5 below the prior, for at least 8 of 10 less than 0.4 above "
        "that for the rational person, and for the creature of habit more than 1; the ten lose "
        "more than 0.3 of what can be had, Rollo who knows their errors less than a third of "
        "it, and Rollo who takes them to be rational 0.05 more than that and 0.15 less than they",
        holds=wrong_holds,
        measure=measure_wrong,
        derive=average,
        headline="loss_rational.biased",
        status="reproduced",
        papers=("chan2021human", "shah2019feasibility"),
        literature="Chan, Critch and Dragan (2021) find that modelling a systematically "
        "irrational person as noisily rational can be worse than staying with the prior.",
        seeds=SEEDS,
        rtol={
            **{f"{part}_{m.replace(' ', '_')}": 1e-4 for m in MODELS
               for part in ("loss", "late", "by_steps", "sure")},
            "loss_cooled": ("abs", 0.02),
            **{f"matched_{part}": 1e-4 for part in ("loss", "late", "right", "right_late")},
            "matched_own": ("abs", 1e-4),
            **{f"matched_served_{m}": ("abs", 0.02) for m in ("rational", "right")},
        },  # fmt: skip
        note="The islands of gi-suboptimal. Temperatures: nine from 0.05 to infinity, equally "
        "likely. A temperature of infinity is the prior, so inferring it cannot do much harm "
        "unless some finite one predicts the errors. Matched temperatures are found for each "
        "kind and seed, on the policies for what the islanders want; the rational model that "
        "reads them keeps its own, 0.1. Walks of the matched kinds are drawn anew.",
    ),
]
