"""How to tell a good model from a bad one: not by its accuracy, and not by applause."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln
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
from imitlib.chapters.ch08.people import ACTIONS, DISCOUNT, STATES, islanders, sea
from imitlib.claims import Claim
from imitlib.figures import INK, ROLES, axes, line
from imitlib.goals.pairs import Planner, fit, fit_habit

SEEDS = tuple(range(1000, 1010))
HERS, OTHERS, FEW = 0.5, 6, (1, 3, 10, 30)
GRID = tuple((sign, discount, features) for sign in (1, -1) for discount, features in (
    (0.0, "pairs"), (0.5, "pairs"), (0.5, "states"), (0.9, "pairs"), (0.9, "states")))


# Accuracy ----------------------------------------------------------------------------


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
    top = served[accuracy > accuracy.max() - 0.02]
    return bool(
        len(top) >= 12 and top.max() > 0.8 and top.min() < -0.8
        and max(s[f"picked_{by}"].mean() for by in ("accuracy", "told"))
        < s["picked_blindly"].mean() + 0.3
        and max(abs(s[f"rank_{by}"].mean()) for by in ("accuracy", "told")) < 0.2
        and (np.diff(s["few_accuracy"].mean(0)) > 0).all()
        and (np.diff(s["few_served"].mean(0)) > 0).all()
        and np.ptp(s["few_served"].mean(0)) > 0.2
    )


# Applause ----------------------------------------------------------------------------

CANDIDATES, NOISE, SHOW, RATED = 1000, 0.25, 1.0, 20
PRESSURE = (1, 3, 10, 30, 100, 300, 1000)


def best_chains(chances, rewards):
    """Policy iteration (Howard) for many rewards of places at once.

    Parameters
    ----------
    chances : (islands, 6, 3, 6) array
    rewards : (n, islands, 6) array

    Returns
    -------
    (n, islands, 6, 6) array
        Where the best policy leads, P_π.
    """
    isles, here = np.arange(len(chances))[:, None], np.arange(STATES)
    acts = np.zeros(rewards.shape, int)
    for _ in range(50):
        chain = chances[isles, here, acts]
        after = np.einsum("isat,nit->nisa", chances, values(chain, rewards))
        better = after.max(axis=-1) > np.take_along_axis(after, acts[..., None], -1)[..., 0] + 1e-9
        if not better.any():
            return chain
        acts = np.where(better, after.argmax(axis=-1), acts)
    raise RuntimeError("policy iteration has not settled in 50 rounds")


def values(chain, rewards):
    """V = (I - γ P_π)^-1 r, (n, islands, 6)."""
    system = np.eye(STATES) - DISCOUNT * chain
    return np.linalg.solve(system, rewards[..., None])[..., 0]


def best_of(n: int, score, value) -> np.ndarray:
    """What the best-scored of n candidates is worth, over all ways to draw n: (islands,).

    It is the k-th of all with chance C(N - k, n - 1) / C(N, n).
    """
    rank = np.arange(1, len(score) - n + 2)  # below, there are fewer than n

    def log_choose(above, below):
        return gammaln(above + 1) - gammaln(below + 1) - gammaln(above - below + 1)

    chance = np.exp(log_choose(len(score) - rank, n - 1) - log_choose(len(score), n))
    sorted_ = np.take_along_axis(value, np.argsort(-score, axis=0, kind="stable"), axis=0)
    return chance @ sorted_[: len(rank)]


def measure_raters(seed: int) -> dict:
    """What she loses, and how loud the applause is, as more models compete for it."""
    rng = np.random.default_rng(seed)
    where = sea(rng, RATED)
    truth = islanders(where, where.wishes)[:, 0].reshape(1, -1, STATES)
    isles = np.arange(RATED)
    chances = where.world.dense().reshape(RATED, STATES, ACTIONS, RATED, STATES)[
        isles, :, :, isles]  # fmt: skip
    pleases = truth + SHOW * rng.random(truth.shape)  # what the rater sees, and likes
    guesses = truth + NOISE * rng.normal(size=(CANDIDATES, RATED, STATES))
    chain = best_chains(chances, guesses)
    at_random = chances.mean(axis=2)[None]

    def share(reward, of):
        """How much of what can be had of a reward: 1 the best, 0 acting at random."""
        best, chance, got = (values(c, np.broadcast_to(reward, (len(c), RATED, STATES))).mean(-1)
                             for c in (best_chains(chances, reward), at_random, of))
        return (got - chance) / (best - chance)

    good, applause = share(truth, chain), share(pleases, chain)
    error = good.std(axis=0) * rng.normal(size=good.shape)
    limit = share(truth, best_chains(chances, pleases))
    return {
        "lost_rated": [float(1 - best_of(n, applause, good).mean()) for n in PRESSURE],
        "applause": [float(best_of(n, applause, applause).mean()) for n in PRESSURE],
        "lost_noisy": [float(1 - best_of(n, good + error, good).mean()) for n in PRESSURE],
        "lost_told": [float(1 - best_of(n, good, good).mean()) for n in PRESSURE],
        "lost_limit": float(1 - limit.mean()),
        "agrees": float(np.mean([np.corrcoef(a, b)[0, 1]
                                 for a, b in zip(good.T, applause.T, strict=True)])),
    }


def raters_holds(s) -> bool:
    """See the claim's predicate."""
    lost, noisy = s["lost_rated"].mean(0), s["lost_noisy"].mean(0)
    return bool(
        s["agrees"].mean() > 0.1
        and lost.min() < lost[0] - 0.02 and lost[-1] > lost.min() + 0.08
        and lost[-1] > lost[0] and 0 < lost.argmin() < 3
        and (np.diff(lost[lost.argmin():]) > 0).all()
        and (np.diff(s["applause"].mean(0)) > 0).all()
        and (np.diff(noisy) < 0).all() and noisy[-1] < lost.min() / 2
        and s["lost_limit"].mean() > lost[-1] - 0.02
    )


# Figures -----------------------------------------------------------------------------


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


def fig_raters(s):
    """What she loses as more models compete, by what chooses among them."""
    fig, ax = axes("models that compete", "share that she loses", size=(4.8, 3.1))
    ax.set_xscale("log")
    for name, role, label in (("lost_rated", "harm", "loudest\napplause"),
                              ("lost_noisy", "robot", "her own\nnoisy word")):
        v = s[name]
        line(ax, PRESSURE, v.mean(0), role, label, band=(v.min(0), v.max(0)))
    ax.set_ylim(0, None)
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    ax.minorticks_off()
    lost, noisy = s["lost_rated"].mean(0), s["lost_noisy"].mean(0)
    alt = (
        "Along, how many models compete, 1 to 1000, logarithmic; up, the share that she loses. "
        f"Chosen by applause, the loss falls from {lost[0]:.2f} to {lost.min():.2f} and then "
        f"rises to {lost[-1]:.2f}. Chosen by her own noisy word it falls all the way, to "
        f"{noisy[-1]:.2f}. Bands are from the least to the largest of ten seeds."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "accuracy.models": len(GRID) + OTHERS, "accuracy.each": EACH, "raters.candidates": CANDIDATES,
    "raters.noise": NOISE, "raters.show": SHOW,
}


def accuracies(s) -> dict:
    """The ends of the range of service among models of all but equal accuracy."""
    accuracy, served = s["accuracy"].mean(0), s["served"].mean(0)
    top = accuracy > accuracy.max() - 0.02
    return {"best": float(served[top].max()), "worst": float(served[top].min()),
            "among": float(top.sum()), "apart": float(np.ptp(accuracy))}  # fmt: skip


CLAIMS = [
    Claim(
        id="gi-no-accuracy",
        chapter="08",
        statement="Accuracy on fresh choices does not tell a good model of what she wants "
        "from a bad one: among fitted models of all but equal accuracy, service runs from "
        "nearly the best to far below chance. Where the planner is known, accuracy does tell "
        "whether the data were enough.",
        predicate="means over seeds, 16 fitted models: at least 12 within 0.02 of the best "
        "held-out accuracy, and among these one that serves above 0.8 and one below -0.8 (1 the "
        "best, 0 acting at random); the model of best accuracy, or of the best held-out "
        "likelihood, serves at most 0.3 better than one picked blindly, and neither has a rank "
        "correlation with service above 0.2 in size. With the right planner, accuracy and "
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
    Claim(
        id="gi-signal-gamed",
        chapter="08",
        statement="A rater's score in place of accuracy can be gamed: the more models compete "
        "for the loudest applause, the louder it is; what she loses first falls, then rises, "
        "to more than without any choice. An equally strong choice by a noisy word that "
        "does not favour anything helps all the way.",
        predicate="means over seeds: applause and service correlate over models above 0.1; "
        "chosen by applause, her loss falls by more than 0.02 up to 3 or 10 models, rises at each "
        "step from there, by more than 0.08 up to 1000, and ends above that of a model drawn "
        "blindly, while the applause rises at every step; the plan for the applause itself "
        "loses at least as much less 0.02. Chosen by her noisy word the loss falls at every "
        "step, to less than half of the least under applause",
        holds=raters_holds,
        measure=measure_raters,
        headline="lost_limit",
        status="ours",
        papers=("gao2023scaling",),
        literature="Gao, Schulman and Hilton (2023) measure the same curve for best-of-n "
        "sampling against learned reward models, with a model in the place of the truth.",
        source="[A]",
        seeds=SEEDS,
        rtol=1e-5,
        note="Twenty islands of gi-suboptimal for each seed. 1000 models: plans for her wish "
        "plus normal errors of 0.25 in each place. The rater sees her wish plus up to 1 for "
        "what looks good, uniform, fixed for each island. Her noisy word: true service plus "
        "an error of its own for each model, as large as models differ. Best-of-n is exact, "
        "over all ways to draw n of 1000 without replacement.",
    ),
]
