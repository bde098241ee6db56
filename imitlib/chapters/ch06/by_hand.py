"""Chapter 06, a reward of thirty weights: written by hand, or inferred from walks.

The one who writes is given every advantage: the weights come in the order of their
size, largest first, each with its true value, until patience ends. The rest stay zero.
"""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch06.optimality import loss_in
from imitlib.claims import Claim
from imitlib.counting import fit_table
from imitlib.envs.grid import GridWorld
from imitlib.figures import INK, ROLES, axes, line
from imitlib.irl.apprenticeship import best_policy
from imitlib.irl.causal_entropy import causal_entropy_irl
from imitlib.planning import soft_policy_iteration
from imitlib.tabular_experts import walk

SEEDS = tuple(range(1000, 1020))
SIDE, KINDS, SLIP, DISCOUNT, TEMPERATURE = 8, 30, 0.1, 0.9, 0.1
STEPS, PULL = 20, 0.2
WALKS, WRITTEN = (1, 4, 16, 64), (0, 1, 2, 4, 8, 12, 16, 20, 25, 30)
LACKING = (1, 5, 10, 20)


def field(rng):
    """A field of cells with thirty features, and what each is worth."""
    text = "\n".join(["." * SIDE] * SIDE)
    mdp = GridWorld(text, slip=SLIP, wait=True, start="anywhere").mdp(DISCOUNT)
    features, w = rng.normal(size=(mdp.n_states, KINDS)), rng.normal(size=KINDS)
    w = w / np.abs(features @ w).max()
    return mdp.with_reward(features @ w), features, w


def inferred(mdp, features, **seen) -> np.ndarray:
    """The policy that is best under the reward inferred from walks, or from a policy."""
    found = causal_entropy_irl(
        mdp, features=features, temperature=TEMPERATURE, l2=PULL, tol=1e-5, **seen
    )
    return best_policy(mdp, found.reward)


def written(mdp, features, w, largest) -> np.ndarray:
    """The policy that is best under those weights alone."""
    some = np.zeros_like(w)
    some[largest] = w[largest]
    return best_policy(mdp, features @ some)


def measure_by_hand(seed: int) -> dict:
    """Losses: k weights written, n walks watched, the same with the largest missing."""
    rng = np.random.default_rng(seed)
    mdp, features, w = field(rng)
    loss, order = loss_in(mdp), np.argsort(-np.abs(w))
    hers = soft_policy_iteration(mdp, TEMPERATURE).policy
    walks = walk(mdp, hers, WALKS[-1], STEPS, rng)
    few = [walks.first(n) for n in WALKS]
    rests = [order[m:] for m in LACKING]
    return {
        "hers": loss(hers),
        "written": [loss(written(mdp, features, w, order[:k])) for k in WRITTEN],
        "inferred": [loss(inferred(mdp, features, demonstrations=some)) for some in few],
        "copied": [loss(copied(mdp, some, rng)) for some in few],
        "inferred_forever": loss(inferred(mdp, features, policy=hers)),
        "lacking": [loss(inferred(mdp, features[:, rest], policy=hers)) for rest in rests],
        "written_lacking": [loss(written(mdp, features, w, rest)) for rest in rests],
    }


def copied(mdp, walks, rng) -> np.ndarray:
    """The table of the walks; where nobody came, one action for good."""
    return fit_table(walks.observations, walks.actions, *mdp.reward.shape, rng).policy


def by_hand_holds(s) -> bool:
    """See the claim's predicate."""
    hand, read = s["written"].mean(axis=0), s["inferred"].mean(axis=0)
    lacking = s["lacking"].mean(axis=0)
    return bool(
        read[WALKS.index(4)] < hand[WRITTEN.index(4)]
        and read[WALKS.index(16)] < hand[WRITTEN.index(12)]
        and (hand[: WRITTEN.index(4) + 1] > 0.2).all()
        and read[WALKS.index(64)] < 0.01
        and hand[WRITTEN.index(25)] < 0.01
        and (s["inferred"][:, 2:] < s["copied"][:, 2:]).all()
        and (s["inferred_forever"] < 1e-3).all()
        and (np.diff(lacking) > 0).all()
        and lacking[0] < 0.01
        and lacking[-1] > 0.05
        and (lacking < s["written_lacking"].mean(axis=0)).all()
    )


def in_weights(s) -> dict:
    """How many weights must be written, largest first, to do as well as n walks do."""
    hand, read = s["written"].mean(axis=0), s["inferred"].mean(axis=0)
    return {
        f"walks_{n}": float(np.interp(-loss, -hand, WRITTEN)) for n, loss in zip(WALKS, read)
    }


def fig_by_hand(s):
    """Loss against weights written; and what walks give, as lines across."""
    fig, ax = axes("weights written by hand, largest first", "loss (random walk: 1)")
    look, read = ROLES["learner"], s["inferred"].mean(axis=0)
    for n, level in zip(WALKS, read):
        ax.axhline(level, color=look.color, lw=1.6, zorder=1)
        words = f"inferred from {n} walk" + "s" * (n > 1)
        at, side = (25.8, "right") if n < 16 else (0.3, "left")
        ax.text(at, level * 0.92, words, ha=side, va="top", color=INK, fontsize=10)
    hand = s["written"].mean(axis=0)
    line(ax, WRITTEN[:-1], hand[:-1], "person", "written")
    ax.set_yscale("log")
    ax.set_ylim(8e-4, 1.6)
    ax.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.minorticks_off()
    ax.set_xlim(0, 26)
    told = ", ".join(f"{loss:.3f} with {k}" for k, loss in zip(WRITTEN, hand))
    across = ", ".join(f"{loss:.3f} from {n}" for n, loss in zip(WALKS, read))
    return fig, (
        f"Mean loss, logarithmic, against the number of weights written of {KINDS}, the "
        f"largest first: {told}. Lines across, inferred from walks: {across}."
    )


def fig_lacking(s):
    """Loss against features that nobody thought of: inferred for ever, and written."""
    fig, ax = axes("features that nobody thought of", "loss (random walk: 1)")
    for name, role, label in (
        ("written_lacking", "person", "the others\nwritten"),
        ("lacking", "learner", "inferred by\nthe others"),
    ):
        means, at = s[name].mean(axis=0), (0, *LACKING)
        band = [np.r_[0, s[name].min(axis=0)], np.r_[0, s[name].max(axis=0)]]
        line(ax, at, np.r_[0, means], role, label, band=band)
    return fig, (
        f"Mean loss against the number of features missing of {KINDS}, the largest first: "
        + "; ".join(
            f"{m} missing, {a:.3f} inferred from endless walks and {b:.2f} written"
            for m, a, b in zip(
                LACKING, s["lacking"].mean(axis=0), s["written_lacking"].mean(axis=0)
            )
        )
        + ". The features that are left stand in for those that are not. Bands: all seeds."
    )


GIVEN = {
    "weights-kinds": KINDS, "weights-side": SIDE, "weights-steps": STEPS,
    "weights-discount": DISCOUNT, "weights-walks": WALKS[-1], "weights-pull": PULL,
}  # fmt: skip

CLAIMS = [
    Claim(
        id="irl-hard-to-write",
        chapter="06",
        statement="Inferring a reward is useful where it has too many parts to write by "
        "hand: sixteen walks of twenty steps tell more than the twelve largest of thirty "
        "weights, written without an error. Where features are missing, endless walks do "
        "not bring the best reward back, but whoever infers lets the others stand in for "
        "them, and loses less than whoever writes the others' true weights.",
        predicate="mean loss over seeds (0 the best, 1 acting at random): inferred from 4 "
        "walks below that of the 4 largest weights written, from 16 walks below that of "
        "the 12 largest; above 0.2 with 4 or fewer written; below 0.01 with 25 written, "
        "and inferred from 64 walks; on every seed, from 16 and 64 walks, inferred below a "
        "table of the same walks, and from endless walks below 0.001. With the 1, 5, 10 "
        "and 20 largest features missing, endless walks lose more and more, below 0.01 "
        "with 1 and above 0.05 with 20, and each time less than the other weights written",
        holds=by_hand_holds,
        measure=measure_by_hand,
        derive=in_weights,
        headline="walks_16",
        status="ours",
        papers=("abbeel2004apprenticeship",),
        literature="Abbeel and Ng (2004) give this as the reason for their method: the "
        "trade-offs of driving are hard to write down. They compare with no such writer.",
        source="[A]",
        seeds=SEEDS,
        rtol=("abs", 0.01),
        note="The writer's advantages are large: true values, and the order of their size. "
        "One walk is a gamble: who happened to stand still tells nothing. "
        "Whoever infers knows the temperature, and that the reward is a sum of these "
        "features.",
    ),
]
