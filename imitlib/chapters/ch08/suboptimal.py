"""What can be read off people who err, or fail, by who knows how, and what it is good for."""

from __future__ import annotations

import numpy as np

from imitlib.chapters.ch08 import barriers, people, sizes
from imitlib.chapters.ch08.people import KINDS, SEEDS, WATCHED, WISHES
from imitlib.chapters.ch08.sizes import SIZED
from imitlib.claims import Claim
from imitlib.figures import INK, ROLES, axes

BY_SIZE = [KINDS.index(kind) for kind in SIZED[1:]]  # nine of the ten biased kinds


def without_slips(policy) -> np.ndarray:
    """She does, in every place, what she does most often there; evenly among several."""
    most = (policy >= policy.max(axis=-1, keepdims=True) - 1e-9).astype(float)
    return most / most.sum(axis=-1, keepdims=True)


def measure_suboptimal(seed: int) -> dict:
    """What people lose, and what Rollo loses who has watched them, or has not; plans that fail."""
    rng = np.random.default_rng(seed)
    seen = people.survey(rng)
    where, out = seen.where, {}
    out["own"] = people.lost(where, seen.acts).tolist()
    for model in ("right", "rational", "all kinds"):
        served = people.serve(where, seen.belief(model)[:, :, WATCHED])
        out[f"served_{model.split()[0]}"] = people.lost(where, served).tolist()
    out["served_kind"] = people.lost(where, people.serve(where, sizes.beliefs(seen))).tolist()
    nothing = np.full((1, len(where.truth), WISHES), 1 / WISHES)
    out["served_unwatched"] = float(people.lost(where, people.serve(where, nothing))[0])
    out["own_no_slips"] = people.lost(where, without_slips(seen.acts)).tolist()
    return out | barriers.both_walks(rng)


def suboptimal_holds(s) -> bool:
    """See the claim's predicate."""
    own, whole, right, rational, kinds = (s[name].mean(0) for name in (
        "own", "own_no_slips", "served_right", "served_rational", "served_all"))
    biased, unwatched = slice(1, None), s.mean("served_unwatched")
    kind = s["served_kind"].mean(0)[1:]
    return bool(
        own.min() > 0.2 and (right < own - 0.15)[biased].sum() >= 8
        and right[biased].mean() < 0.6 * own[biased].mean()
        and rational[biased].mean() > right[biased].mean() + 0.07
        and kinds[biased].mean() < rational[biased].mean() - 0.03
        and abs(kind.mean() - right[BY_SIZE].mean()) < 0.03
        and kind.mean() < rational[BY_SIZE].mean() - 0.07
        and (kind < own[BY_SIZE] - 0.1).sum() >= 8
        and abs(rational[0] - right[0]) < 1e-9
        and whole[0] < 1e-6 and 0.1 < whole[biased].mean() < own[biased].mean() / 2
        and unwatched > right.max() + 0.05 and rational[biased].mean() < unwatched - 0.15
        and s.mean("door_untold") > s.mean("door_told") + 0.05
        and s.mean("door_either") > s.mean("door_told") + 0.05
        and s.mean("loss_told") > s.mean("loss_untold") + 0.5
        and max(s.mean("loss_untold"), s.mean("loss_either")) < 0.4
        and s.mean("knew_loss_untold") > s.mean("knew_loss_told") + 0.2
        and s.mean("knew_door_told") > s.mean("knew_door_untold")
        and max(s.mean("knew_loss_told"), s.mean("knew_loss_either")) < 0.2
        and s.mean("knew_door_either") > 0.85
    )


def average(s) -> dict:
    """Means over the biased kinds, and those with a size; where help is worse than unwatched."""
    unwatched = s.mean("served_unwatched")
    return {f"{name}.biased": float(s[name][:, 1:].mean()) for name in
            ("own", "own_no_slips", "served_right", "served_rational", "served_all")} | {
        "worse_than_unwatched": float((s["served_rational"].mean(0)[1:] > unwatched).sum()),
        "served_kind.sized": float(s["served_kind"][:, 1:].mean()),
        **{f"{name}.sized": float(s[name][:, BY_SIZE].mean()) for name in
           ("own", "served_right", "served_rational", "served_all")}}


def fig_suboptimal(s):
    """A row for each kind of person: what she loses, and what Rollo loses in her service."""
    order = np.argsort(s["own"].mean(0))
    fig, ax = axes("share lost (0: the best, 1: at random)", size=(4.8, 4.2))
    series = (("own", "person", "she herself"),
              ("served_rational", "harm", "Rollo: she is rational"),
              ("served_right", "learner", "Rollo: her own errors"))
    unwatched = s.mean("served_unwatched")
    ax.axvline(unwatched, color=ROLES["random"].color, ls=":", lw=1.6)
    ax.annotate("Rollo, who\nnever looked", (unwatched, -0.45), xytext=(-5, 0), ha="right",
                textcoords="offset points", color=INK, fontsize=9.5, va="bottom")
    people.rows(ax, [KINDS[k] for k in order], [(s[name].mean(0)[order], role, label)
                                                for name, role, label in series])
    mean = {name: s[name][:, 1:].mean() for name, *_ in series}
    alt = (
        "A row for each of eleven kinds of people, and along the axis the share that is lost "
        f"of what could be had. The ten biased kinds lose {mean['own']:.2f} on average; Rollo, "
        f"who takes them to be rational, {mean['served_rational']:.2f}; Rollo, who knows their "
        f"kind of error, {mean['served_right']:.2f}, and in each row less than she does. A "
        f"dotted line at {unwatched:.2f} is Rollo who never looked."
    )
    return fig, alt


GIVEN = {"walks": barriers.WALKS, "hurry": barriers.HURRY,
         "failing": barriers.WALKS * len(SEEDS), "doors": 4}  # fmt: skip

CLAIMS = [
    Claim(
        id="gi-suboptimal",
        chapter="08",
        statement="What people want can be inferred from what they do although they act "
        "suboptimally, or fail, if their kind of error is known, its size or not; who then "
        "serves them does better than they do themselves, and than who has not watched them. "
        "More than half of what they lose is slips of the hand, which who serves them does not "
        "make.",
        predicate="means over seeds: every kind of person loses more than 0.2 of what can be "
        "had beyond chance, and Rollo, who has seen 30 of her steps and knows her kind of "
        "error, for at least eight of ten biased kinds 0.15 less than she; over the ten less "
        "than 0.6 of what they lose, 0.07 less than if it takes them to be rational, and if "
        "only the list of kinds is known still 0.03 less; for the rational kind the two are "
        "equal. If it knows their kind and not its size, over the nine kinds with a size, within "
        "0.03 of what it loses who knows both, 0.07 less than if it takes them to be rational, "
        "and for at least eight 0.1 less than they. Without slips the rational kind loses "
        "nothing and the ten more than 0.1, but "
        "less than half of what they lose. Rollo who has not watched, and plans for the mean "
        "wish, loses 0.05 more than who knows her error, of whatever kind she is, and 0.15 "
        "more than who takes the ten to be rational. From walks that end at a barrier she did "
        "not know of, the right one of four doors is read at least 0.05 more often by who "
        "reckons with her not knowing, or with both, than by who takes her to know, whose "
        "log-loss is 0.5 above the other's; those of the first two are below 0.4. In the same "
        "squares, seen for as many steps, from somebody who did know: who takes her to know "
        "reads the door more often than who takes her not to, at a log-loss lower by 0.2 and "
        "below 0.2; who reckons with both reads it in more than 0.85, with a log-loss below 0.2",
        holds=suboptimal_holds,
        measure=measure_suboptimal,
        derive=average,
        headline="door_untold",
        status="ours",
        papers=("evans2016learning", "chan2021human", "zhixuan2020online"),
        literature="Evans, Stuhlmüller and Goodman (2016) infer preferences from false "
        "beliefs and time inconsistency; Zhi-Xuan and others (2020) infer goals from plans "
        "that fail; Chan, Critch and Dragan (2021) edit the Bellman equation.",
        source="[A]",
        seeds=SEEDS,
        rtol={"own": 1e-6, "own_no_slips": ("abs", 1e-4),
              **{f"served_{m}": ("abs", 0.02) for m in ("right", "rational", "all", "kind")}},
        note="Each seed draws 20 islands of 6 states and 3 actions, 20 candidate rewards for "
        "each, and one inhabitant of each of eleven kinds on every island, temperature 0.1; "
        "and 20 squares of 7 by 7 cells with a barrier, with two walks in each: one that ends at "
        "the barrier, and one of who knows of it. Rollo plans for the posterior mean. Without "
        "slips, she does in every place what she does most often there. With temperatures "
        "that make all kinds as noisy as the rational one, see gi-wrong-model. Sizes are three or "
        "four for each kind, the true one among them, and for habit each of three actions; then "
        "three temperatures; all alike beforehand. The misinformed has none: which places she "
        "confuses is not known. "
        "The true reward is always among the candidates.",
    ),
]
