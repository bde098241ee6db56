"""Accuracy does not tell a good model from a bad one: all predict her alike."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from imitlib.chapters.ch08.pairs import (
    EACH,
    ISLANDS,
    L2,
    TEMPERATURE,
    counted,
    plan_for,
    shares,
)
from imitlib.chapters.ch08.people import ACTIONS, SEEDS, STATES, islanders, sea
from imitlib.claims import Claim
from imitlib.figures import INK, ROLES, axes
from imitlib.goals.pairs import Planner, fit, fit_habit

HERS, OTHERS, FEW = 0.5, 6, (1, 3, 10, 30)
GRID = tuple((sign, discount, features) for sign in (1, -1) for discount, features in (
    (0.0, "pairs"), (0.5, "pairs"), (0.5, "states"), (0.9, "pairs"), (0.9, "states")))


def judged(where, policy, model, reward):
    """Held-out accuracy, minus surprise, and service, by island: (3, islands)."""
    def by_island(x):
        return x.reshape(-1, STATES).mean(axis=1)

    hits = policy[np.arange(len(policy)), model.argmax(axis=1)]
    told = (policy * np.log(model)).sum(axis=1)
    return np.array([by_island(hits), by_island(told), shares(where, [plan_for(where, reward)])[0]])


def picked(score, served, tie=1e-4) -> float:
    """What the model of the best score serves, by island; ties (1e-4) are drawn."""
    best = score >= score.max(axis=0) - tie
    return float(((best * served).sum(axis=0) / best.sum(axis=0)).mean())


def alike(a, b) -> float:
    """Spearman's correlation over models, mean over islands.

    Ties (1e-4) share a rank; where all are tied, it is 0.
    """
    a, b = (rankdata(x.round(4), axis=0) for x in (a, b))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    return float(((a * b).sum(axis=0) / np.where(size > 0, size, 1.0)).mean())


def measure_accuracy(seed: int) -> dict:
    """Sixteen fitted models: held-out accuracy and service; and one of them by data."""
    rng = np.random.default_rng(seed)
    where = sea(rng, ISLANDS)
    wanted = islanders(where, where.wishes)
    policy = Planner(TEMPERATURE, discount=HERS).policy(where.world, wanted)

    def fitted(counts, sign, discount, features):
        planner = Planner(TEMPERATURE, discount=discount, sign=sign)
        reward = fit(where.world, planner, counts, l2=L2, features=features)
        return judged(where, policy, planner.policy(where.world, reward), reward)

    counts = counted(policy, EACH, rng)
    models = [fitted(counts, *row) for row in GRID]
    for _ in range(OTHERS):
        reward = np.repeat(rng.random((len(policy), 1)), ACTIONS, axis=1)
        planner = fit_habit(where.world, Planner(TEMPERATURE), reward, counts, l2=L2)
        models.append(judged(where, policy, planner.policy(where.world, reward), reward))
    accuracy, told, served = np.array(models).swapaxes(0, 1)  # (models, islands) each
    few = np.array([fitted(counted(policy, n, rng), 1, HERS, "states") for n in FEW])
    return {
        "accuracy": accuracy.mean(axis=1).tolist(), "served": served.mean(axis=1).tolist(),
        "picked_accuracy": picked(accuracy, served), "picked_told": picked(told, served),
        "picked_blindly": float(served.mean()), "rank_accuracy": alike(accuracy, served),
        "rank_told": alike(told, served),
        "few_accuracy": few[:, 0].mean(1).tolist(), "few_served": few[:, 2].mean(1).tolist(),
    }  # fmt: skip


def accuracy_holds(s) -> bool:
    """See the claim's predicate."""
    accuracy, served = s["accuracy"].mean(0), s["served"].mean(0)
    top, ends = served[accuracy > accuracy.max() - 0.02], accuracies(s)
    return bool(
        len(top) >= 12 and top.max() > 0.8 and top.min() < -0.8
        and max(s[f"picked_{by}"].mean() for by in ("accuracy", "told"))
        < s["picked_blindly"].mean() + 0.3
        and max(abs(s[f"rank_{by}"].mean()) for by in ("accuracy", "told")) < 0.2
        and ends["within_for"] > 0.5 and ends["within_against"] < -0.5
        and (np.diff(s["few_accuracy"].mean(0)) > 0).all()
        and (np.diff(s["few_served"].mean(0)) > 0).all()
        and np.ptp(s["few_served"].mean(0)) > 0.2
    )


def fig_accuracy(s):
    """A point for each fitted model and seed: held-out accuracy, and service."""
    fig, ax = axes("accuracy, less that of the seed's best model", "how well it serves her",
                   size=(4.8, 3.3))
    x, y = s["accuracy"] - s["accuracy"].max(axis=1, keepdims=True), s["served"]
    half = len(GRID) // 2
    for rows, role, label, at in (
        (slice(0, half), "learner", "plans well", 0.6),
        (slice(len(GRID), None), "random", "any wish, and habits", -0.5),
        (slice(half, len(GRID)), "harm", "plans for the opposite", -1.36),
    ):
        look = ROLES[role]
        ax.plot(x[:, rows].ravel(), y[:, rows].ravel(), look.marker, color=look.color, ms=5,
                alpha=0.7, ls="none")
        ax.annotate(label, (x.min(), at), color=INK, va="center")
    ax.set_ylim(-1.5, 1.1)
    mean = s["accuracy"].mean(0)
    alt = (
        "A mark for each of sixteen fitted models and each seed: along, its accuracy on fresh "
        f"choices less that of the best, never more than {-x.min():.2f} apart; up, how well a "
        "plan for its reward serves her, 1 the best, 0 at random. Three bands at the same "
        f"accuracy (about {mean.mean():.2f}): models of somebody who plans well around "
        f"{y[:, :half].mean():.2f}, any wish with fitted habits around "
        f"{y[:, len(GRID):].mean():.2f}, who plans for the opposite around "
        f"{y[:, half:len(GRID)].mean():.2f}."
    )
    return fig, alt


GIVEN = {"accuracy.models": len(GRID) + OTHERS, "accuracy.each": EACH}


def accuracies(s) -> dict:
    """The ends of the range of service among models of all but equal accuracy.

    And how accuracy and service correlate over the planners for her reward, and against.
    """
    accuracy, served = s["accuracy"].mean(0), s["served"].mean(0)
    within = (np.corrcoef(accuracy[rows], served[rows])[0, 1] for rows in (
        slice(0, len(GRID) // 2), slice(len(GRID) // 2, len(GRID))))  # fmt: skip
    top = accuracy > accuracy.max() - 0.02
    return {"best": float(served[top].max()), "worst": float(served[top].min()),
            "among": float(top.sum()), "apart": float(np.ptp(accuracy)),
            "within_for": float(next(within)), "within_against": float(next(within))}  # fmt: skip


CLAIMS = [
    Claim(
        id="gi-no-accuracy",
        chapter="08",
        statement="Accuracy on fresh choices does not tell a good model of what she wants "
        "from a bad one: among fitted models of all but equal accuracy, service runs from "
        "nearly the best to far below chance. Among planners for the reward it ranks them, and "
        "among their opposites it ranks them the wrong way round: what it cannot see is the "
        "sign. Where the planner is known, accuracy does tell "
        "whether the data were enough.",
        predicate="means over seeds, 16 fitted models: at least 12 within 0.02 of the best "
        "held-out accuracy, and among these one that serves above 0.8 and one below -0.8 (1 the "
        "best, 0 acting at random); the model of best accuracy, or of the best held-out "
        "likelihood, serves at most 0.3 better than one picked blindly, and neither has a rank "
        "correlation with service above 0.2 in size; over the five planners for the reward "
        "mean accuracy and mean service correlate above 0.5, over the five against it below "
        "-0.5. With the right planner, accuracy and "
        "service both rise with each of 1, 3, 10 and 30 choices in each state, "
        "service by more than 0.2",
        holds=accuracy_holds,
        measure=measure_accuracy,
        derive=accuracies,
        headline="rank_accuracy",
        status="ours",
        papers=("armstrong2018occam",),
        source="[A]",
        seeds=SEEDS,
        rtol={"accuracy": ("abs", 0.02), "served": ("abs", 0.1), "few_accuracy": ("abs", 0.02),
              "few_served": ("abs", 0.05), "picked_accuracy": ("abs", 0.12),
              "picked_told": ("abs", 0.09), "picked_blindly": ("abs", 0.02),
              "rank_accuracy": ("abs", 0.04), "rank_told": ("abs", 0.06)},
        note="Ten islands of gi-suboptimal for each seed. She plans softly with discount 0.5. "
        "Models: planner for or against the reward; discount 0, 0.5, 0.9; reward of pairs or "
        "of states (at 0 of pairs alone); and six wishes drawn blindly, with fitted habits. "
        "The list is even-handed by design: each planner stands in it with its opposite. "
        "Ties of 1e-4 are drawn, or share a rank; an island where all are tied counts as 0. "
        "Accuracy is exact, over endless fresh choices.",
    ),
]
