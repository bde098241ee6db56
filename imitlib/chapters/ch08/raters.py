"""Applause in place of accuracy: the more models compete for it, the more it is aimed at."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from imitlib.chapters.ch08.people import (
    ACTIONS,
    DISCOUNT,
    SEEDS,
    STATES,
    islanders,
    sea,
)
from imitlib.claims import Claim
from imitlib.figures import axes, line

CANDIDATES, NOISE, SHOW, RATED, DEALINGS = 1000, 0.25, 1.0, 20, 10
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


def ways_of_acting(chain) -> np.ndarray:
    """Which models act alike: the number of each one's policy on its island, (n, islands)."""
    flat = chain.reshape(*chain.shape[:2], -1).swapaxes(0, 1)
    return np.array([np.unique(x, axis=0, return_inverse=True)[1].ravel() for x in flat]).T


def dealt(applause, good, rng, ways=None):
    """The applause with its error dealt out anew among the models of each island.

    The error is what applause has beside its straight line on service; what is dealt is
    as large and as little correlated with service, but no model has earned it. With
    `ways` (n, islands), models that act alike are dealt the same; without, each its own.
    """
    def beside(x):
        return x - x.mean(axis=0) - about * (about * x).sum(axis=0) / (about**2).sum(axis=0)

    about = good - good.mean(axis=0)
    error = beside(applause)
    if ways is None:
        anew = beside(rng.permuted(error, axis=0))
    else:
        anew = np.empty_like(error)
        for isle, way in enumerate(ways.T):
            each = error[np.unique(way, return_index=True)[1], isle]
            anew[:, isle] = rng.permutation(each)[way]
        anew = beside(anew)
    # two ways of acting lie on a line: no error, and nothing to deal
    return applause - error + anew * error.std(axis=0) / np.maximum(anew.std(axis=0), 1e-12)


def correlations(score, good) -> np.ndarray:
    """Pearson's over models, for each island."""
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(score.T, good.T, strict=True)])


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
    aimless = dealt(applause, good, rng)
    agree, ways = correlations(applause, good), ways_of_acting(chain)
    alike = [dealt(applause, good, rng, ways) for _ in range(DEALINGS)]
    words = [good + good.std(axis=0) * np.take_along_axis(rng.normal(size=good.shape), ways, 0)
             for _ in range(DEALINGS)]

    def lost(score, of=slice(None)):
        return [float(1 - best_of(n, score, good)[of].mean()) for n in PRESSURE]

    def mean_lost(scores, of=slice(None)):
        return np.mean([lost(score, of) for score in scores], axis=0).tolist()

    return {
        "lost_rated": lost(applause),
        "applause": [float(best_of(n, applause, applause).mean()) for n in PRESSURE],
        "lost_noisy": lost(good + error), "lost_told": lost(good),
        "lost_limit": float(1 - limit.mean()), "agrees": float(agree.mean()),
        "lost_dealt": lost(aimless), "agrees_dealt": float(correlations(aimless, good).mean()),
        "lost_rated_agreeing": lost(applause, agree > 0),
        "lost_dealt_agreeing": lost(aimless, agree > 0),
        "agreeing": float((agree > 0).mean()),
        "ways": float(ways.max(axis=0).mean() + 1),
        "agrees_alike": float(np.mean([correlations(x, good).mean() for x in alike])),
        "lost_alike": mean_lost(alike), "lost_alike_agreeing": mean_lost(alike, agree > 0),
        "lost_word": mean_lost(words), "lost_word_agreeing": mean_lost(words, agree > 0),
        "lost_noisy_agreeing": lost(good + error, agree > 0),
    }  # fmt: skip


def raters_holds(s) -> bool:
    """See the claim's predicate."""
    lost, noisy, dealt_out, aimed, aimless, alike, word = (
        s[f"lost_{name}"].mean(0) for name in (
            "rated", "noisy", "dealt", "rated_agreeing", "dealt_agreeing", "alike_agreeing",
            "word_agreeing"))  # fmt: skip
    return bool(
        s["agrees"].mean() > 0.1
        and lost.min() < lost[0] - 0.02 and lost[-1] > lost.min() + 0.08
        and lost[-1] > lost[0] and 0 < lost.argmin() < 3
        and (np.diff(lost[lost.argmin():]) > 0).all()
        and (np.diff(s["applause"].mean(0)) > 0).all()
        and (np.diff(noisy) < 0).all() and noisy[-1] < lost.min() / 2
        and s["lost_limit"].mean() > lost[-1] - 0.02
        and np.abs(s["agrees_dealt"] - s["agrees"]).max() < 1e-9
        and s["agreeing"].mean() > 0.5
        and aimed[-1] > aimed.min() + 0.05 and (np.diff(aimless) < 0).all()
        and aimless[-1] < 0.06 and dealt_out[-1] < lost[-1] - 0.03
        and dealt_out[-1] > 2 * aimless[-1]
        and np.abs(s["agrees_alike"] - s["agrees"]).max() < 1e-9
        and s["ways"].mean() < CANDIDATES / 5
        and aimed.argmin() < alike.argmin() and alike[-1] > alike.min() + 0.03
        and aimless[-1] + 0.08 < alike[-1] < aimed[-1] - 0.03
        and word[-1] > word.min() + 0.02 and word[-1] < aimed[-1] - 0.05
    )


def fig_raters(s):
    """What she loses as more models compete, by whose error chooses; agreeing islands."""
    fig, ax = axes("models that compete", "share that she loses", size=(4.8, 3.1))
    ax.set_xscale("log")
    for name, role, label in (("rated", "harm", "loudest\napplause"),
                              ("alike", "random", "its error shuffled\namong ways"),
                              ("dealt", "robot", "shuffled\namong models")):
        v = s[f"lost_{name}_agreeing"]
        band = None if role == "random" else (v.min(0), v.max(0))
        line(ax, PRESSURE, v.mean(0), role, label, band=band)
    ax.set_ylim(0, None)
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    ax.minorticks_off()
    lost, alike, own = (s[f"lost_{n}_agreeing"].mean(0) for n in ("rated", "alike", "dealt"))
    alt = (
        "Along, how many models compete, 1 to 1000, logarithmic; up, the share that she loses, "
        "on islands where applause and service agree. "
        f"Chosen by applause, the loss falls from {lost[0]:.2f} to {lost.min():.2f} and then "
        f"rises to {lost[-1]:.2f}. With the error of the applause shuffled among the ways of "
        f"acting (dotted), it falls to {alike.min():.2f} and rises to {alike[-1]:.2f}. Shuffled "
        f"among the models it falls all the way, to {own[-1]:.2f}. Bands, of the first "
        "and the last, are from the least to the largest of ten seeds."
    )
    return fig, alt


GIVEN = {"raters.candidates": CANDIDATES, "raters.noise": NOISE, "raters.show": SHOW}

CLAIMS = [
    Claim(
        id="gi-signal-gamed",
        chapter="08",
        statement="A rater's score in place of accuracy can be gamed: the more models compete "
        "for the loudest applause, the louder it is; what she loses first falls, then rises, "
        "to more than without any choice. Where applause and service agree, it is the same "
        "with an error as large that nobody has earned, if models that act alike share it, but "
        "later and by less. If each model is dealt an error of its own, or rated by her own "
        "noisy word, the loss falls all the way: most models are copies, so that a good way "
        "of acting has many errors to choose from.",
        predicate="means over seeds: applause and service correlate over models above 0.1; "
        "chosen by applause, her loss falls by more than 0.02 up to 3 or 10 models, rises at each "
        "step from there, by more than 0.08 up to 1000, and ends above that of a model drawn "
        "blindly, while the applause rises at every step; the plan for the applause itself "
        "loses at least as much less 0.02. Chosen by her noisy word the loss falls at every "
        "step, to less than half of the least under applause. With the applause's error dealt "
        "out anew (its correlation with service is the same within 1e-9), the loss ends 0.03 "
        "below that under applause; on the islands where the correlation is positive, more "
        "than half of them, it falls at every step, to less than 0.06 and less than half of "
        "that over all, where under applause it ends more than 0.05 above its least. "
        "There are fewer than 200 ways of acting on an island. With one error for each of them "
        "(the correlation again the same within 1e-9), on the islands where it is positive, the "
        "loss is least later than under applause, ends more than 0.03 above that, more than 0.03 "
        "below its end under applause and more than 0.08 above that with errors of each "
        "model's own; with one error of her noisy word for each way it ends more than 0.02 "
        "above its least and more than 0.05 below its end under applause",
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
        "an error of its own for each model, as large as models differ. The applause's error is "
        "what it has beside its straight line on service over the models of an island; it is "
        "permuted among them, and made as large and as uncorrelated as it was; or, for the "
        "second control, permuted among ways of acting, ten times, as are the errors of her "
        "word. The thousand models are about eighty ways of acting on an island. Over all "
        "islands one error for each way ends where the applause does: on the few where the "
        "two disagree, more choice is worse whoever earned the error. Best-of-n is exact, "
        "over all ways to draw n of 1000 without replacement.",
    ),
]
