r"""Chapter 03: a clone that takes its own choices for evidence.

Today's order stands in one of K boxes, the box θ. Hana knows which; Rollo does not. At
each turn somebody opens a box, and a lamp says whether it was the right one; now and then
the lamp errs. A clone of Hana's runs has learned that who opens a box knows why. Then it
opens boxes itself, and believes its own hand:

.. math:: p_{t+1}(\theta) \propto p_t(\theta)\; \pi_E(a_t \mid \theta)\; P(o_t \mid a_t, \theta)

An own choice is no evidence. Leave the middle factor out, and the lamp decides.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np

from imitlib import language
from imitlib.claims import Claim
from imitlib.counting import draw
from imitlib.figures import ROLES, axes, line

SEEDS = tuple(range(1000, 1020))
BOXES, KNOWS, LAMP_ERRS, TURNS = 5, 0.9, 0.1, 12
RUNS, UPDATES, BATCH, WIDTH, ROUNDS = 16_384, 600, 64, 32, 4
TESTED = 2000
HOWS, LEARNERS = ("sampled", "greedy"), ("clone", "corrected")
START = 0  # the first token; a turn's token says which box and what the lamp said

HER_RIGHT = KNOWS + (1 - KNOWS) / BOXES  # at her other turns she opens any box, eyes shut
HER_OTHER = (1 - KNOWS) / BOXES


# Exactly -----------------------------------------------------------------------------


def beliefs(yes, no, evidence: bool) -> np.ndarray:
    """The chance that each box is θ after so many lamps each, (K,).

    `yes`, `no` are how often each box was opened and the lamp said right, or wrong; with
    `evidence` every opening also counts as a choice of Hana's.
    """
    yes, no = np.asarray(yes), np.asarray(no)
    log = (yes - no) * np.log((1 - LAMP_ERRS) / LAMP_ERRS)
    if evidence:
        log = log + (yes + no) * np.log(HER_RIGHT / HER_OTHER)
    weight = np.exp(log - log.max())
    return weight / weight.sum()


def choice(belief, greedy: bool) -> np.ndarray:
    """What Hana would do, averaged over the belief (K,); or its likeliest, ties shared."""
    chance = HER_OTHER + (HER_RIGHT - HER_OTHER) * belief
    if not greedy:
        return chance
    best = chance > chance.max() - 1e-9
    return best / best.sum()


@cache
def exactly(evidence: bool, greedy: bool, turns: int) -> tuple:
    """How often the right box is opened, and how sure of its favourite one is, by turn.

    Every history counts, by the number of lamps of each box. Box 0 is θ, and boxes
    that are wrong are interchangeable, so their counts are kept in order.
    """
    states = {((0, 0),) * BOXES: 1.0}
    right, sure = [], []
    for _ in range(turns):
        after, hit, conviction = defaultdict(float), 0.0, 0.0
        for boxes, chance in states.items():
            belief = beliefs(*zip(*boxes, strict=True), evidence)
            opens = choice(belief, greedy)
            hit += chance * opens[0]
            conviction += chance * belief.max()
            for a in np.flatnonzero(opens):
                p_yes = LAMP_ERRS if a else 1 - LAMP_ERRS
                for said, p in ((0, p_yes), (1, 1 - p_yes)):
                    new = list(boxes)
                    new[a] = (new[a][0] + (said == 0), new[a][1] + (said == 1))
                    key = (new[0], *sorted(new[1:]))
                    after[key] += chance * opens[a] * p
        states = after
        right.append(hit)
        sure.append(conviction)
    return tuple(right), tuple(sure)


def measure_exactly(seed: int = 0) -> dict:
    """Right openings by turn, for who believes its own hand and for who does not."""
    out = {"hana": HER_RIGHT}
    for name, evidence in (("deluded", True), ("sober", False)):
        for how in HOWS:
            right, sure = exactly(evidence, how == "greedy", TURNS)
            out[f"{name}_{how}"] = list(right)
            out[f"last_{name}_{how}"] = right[-1]
            out[f"sure_{name}_{how}"] = sure[-1]
    return out


def exactly_holds(s) -> bool:
    """See the claim's predicate."""
    hows = ("deluded_sampled", "deluded_greedy", "sober_sampled", "sober_greedy")
    first = [s[how][:, 0] for how in hows]
    return bool(
        np.allclose(first, 1 / BOXES)
        and (s["last_deluded_sampled"] < 0.4).all()
        and (s["sure_deluded_sampled"] > 0.95).all()
        and (s["last_sober_sampled"] > 0.85).all()
        and (s["last_deluded_greedy"] < 0.25).all()
        and (s["last_sober_greedy"] > 0.85).all()
        and (np.diff(s["sober_sampled"], axis=1) > 0).all()
    )


# Learned -----------------------------------------------------------------------------


def play(choose, runs: int, rng):
    """Runs in which ``choose(tokens, theta) -> boxes (B,)`` opens the boxes.

    Returns θ (B,), the boxes (B, T), and what can be read, (B, T + 1): the start, and a
    token for each turn, which says the box and the lamp.
    """
    theta = rng.integers(BOXES, size=runs)
    tokens, opened = np.full((runs, 1), START), []
    for _ in range(TURNS):
        a = choose(tokens, theta)
        lamp = (a == theta) ^ (rng.random(runs) < LAMP_ERRS)
        tokens = np.column_stack([tokens, 1 + 2 * a + lamp])
        opened.append(a)
    return theta, np.stack(opened, axis=1), tokens


def hana(theta, rng) -> np.ndarray:
    """What she opens: θ with chance `KNOWS`, else any box."""
    knows = rng.random(theta.shape) < KNOWS
    return np.where(knows, theta, rng.integers(BOXES, size=theta.shape))


def chances(model, tokens) -> np.ndarray:
    """The learner's chance of each box next, (B, K), renormalised to the boxes."""
    p = model.next_probabilities(tokens)[:, :BOXES]
    return p / p.sum(axis=1, keepdims=True)


def study(tokens, labels, rng, *, updates, start=None):
    """Learn to say at every turn which box she would open, from what was read before."""
    turns = np.column_stack([np.zeros(len(tokens), int), labels])  # none at the start
    answer = np.tile(np.arange(TURNS + 1) > 0, (len(tokens), 1))
    return language.fit(
        tokens, answer, labels=turns, start=start, n_tokens=1 + 2 * BOXES,
        width=WIDTH, context=TURNS + 1, updates=updates, batch=BATCH, rng=rng,
    )  # fmt: skip


def cloned(rng):
    """Plain cloning: Hana plays, and every choice of hers is a label."""
    _, opened, tokens = play(lambda _, theta: hana(theta, rng), RUNS, rng)
    return study(tokens, opened, rng, updates=UPDATES)


def corrected(rng):
    """Rollo plays, Hana says what she would have opened. As many labels, as many updates.

    The first round is played at random; each later one by the latest learner, which
    goes on learning from that round alone: her own runs never go on the pile.
    """
    model = None
    for _ in range(ROUNDS):
        theta, _, tokens = play(partly(model, rng), RUNS // ROUNDS, rng)
        labels = hana(np.repeat(theta[:, None], TURNS, axis=1), rng)
        model = study(tokens, labels, rng, updates=UPDATES // ROUNDS, start=model)
    return model


def partly(model, rng, greedy=False):
    """How a learner plays: drawn from its chances, greedy, or at random without one."""

    def choose(tokens, theta):
        if model is None:
            return rng.integers(BOXES, size=len(tokens))
        p = chances(model, tokens)
        return p.argmax(axis=1) if greedy else draw(p, rng)

    return choose


def measure_delusion(seed: int) -> dict:
    """Right openings by turn of a cloned and a corrected transformer."""
    rng = np.random.default_rng(seed)
    learners = {"clone": cloned(rng), "corrected": corrected(rng)}
    _, hers, tokens = play(lambda _, theta: hana(theta, rng), TESTED, rng)
    out = {}
    for name, model in learners.items():
        p = chances(model, tokens[:, :-1])  # on her runs, at their last turn
        out[f"on_hers_{name}"] = float(p[np.arange(TESTED), hers[:, -1]].mean())
        for how in HOWS:
            theta, opened, read = play(partly(model, rng, how == "greedy"), TESTED, rng)
            right = (opened == theta[:, None]).mean(axis=0)
            out[f"{how}_{name}"] = right.tolist()
            out[f"first_{how}_{name}"], out[f"last_{how}_{name}"] = right[0], right[-1]
            if how == "sampled":
                out[f"sure_{name}"] = float(chances(model, read[:, :-1]).max(axis=1).mean())
    return out


def delusion_holds(s) -> bool:
    """See the claim's predicate."""
    first = np.array([s[f"first_{h}_{n}"] for h in HOWS for n in LEARNERS])
    return bool(
        (np.abs(first - 1 / BOXES) < 0.06).all()
        and s["last_sampled_clone"].mean() < 0.5
        and s["last_greedy_clone"].mean() < 0.3
        and s["last_sampled_corrected"].mean() > 0.82
        and s["last_greedy_corrected"].mean() > 0.9
        and (s["sure_clone"] - s["last_sampled_clone"]).mean() > 0.3
        and np.abs(s["sure_corrected"] - s["last_sampled_corrected"]).mean() < 0.06
        and all(s[f"on_hers_{n}"].mean() > 0.8 for n in LEARNERS)
        and np.abs(s["on_hers_clone"] - s["on_hers_corrected"]).mean() < 0.05
    )

# Figure ------------------------------------------------------------------------------


def fig_delusion(s):
    """Right boxes by turn: lines exact, marks learned."""
    fig, ax = axes("turn", "share of runs that open the right box")
    turns = np.arange(1, TURNS + 1)
    ends = {}
    for name, model, role, label in (
        ("sober", "corrected", "person", "own choices\nno evidence"),
        ("deluded", "clone", "learner", "own choices\nas evidence"),
    ):
        exact = exactly(name == "deluded", False, TURNS)[0]
        line(ax, turns, exact, role, label, marker=False, nudge=-8)
        look, marks = ROLES[role], s[f"sampled_{model}"]
        ax.plot(turns, marks.mean(axis=0), look.marker, color=look.color, ms=5)
        ax.fill_between(turns, marks.min(axis=0), marks.max(axis=0), color=look.color,
                        alpha=0.18, lw=0)  # fmt: skip
        ends[model] = marks[:, -1].mean()
    ax.axhline(HER_RIGHT, color=ROLES["expert"].color, linestyle=ROLES["expert"].dash, lw=1.6)
    ax.annotate("Hana", (1, HER_RIGHT), xytext=(0, 4), textcoords="offset points")
    ax.set_ylim(0, 1.04)
    ax.set_xticks([1, 4, 8, 12])
    alt = (
        f"Share of right boxes against the turn, 1 to {TURNS}. Both kinds of learner begin at "
        f"one in {BOXES}. Who takes its own choices for evidence stays low: the cloned transformer "
        f"ends at {ends['clone']:.2f}. Who does not comes close to Hana: the corrected one "
        f"ends at {ends['corrected']:.2f}. Lines are exact, marks are learned."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "delusion-boxes": BOXES,
    "delusion-knows": KNOWS,
    "delusion-hana": HER_RIGHT,
    "delusion-other": HER_OTHER,
    "delusion-lamp": LAMP_ERRS,
    "delusion-turns": TURNS,
    "delusion-rounds": ROUNDS,
}

CLAIMS = [
    Claim(
        id="ci-delusion-exact",
        chapter="03",
        statement="Who predicts an expert perfectly, and then acts, deludes itself if it takes "
        "its own choices for evidence of what the expert knows: it grows sure, and stays wrong.",
        predicate="right boxes at turn 1 are 1/5 for all; at turn 12, with own choices as "
        "evidence, below 0.4 sampled and 0.25 greedy, at a belief above 0.95 in the favourite; "
        "without, above 0.85 both, and rising at every turn (sampled)",
        holds=exactly_holds,
        measure=measure_exactly,
        headline="last_deluded_sampled",
        status="reproduced",
        papers=("ortega2021shaking",),
        literature="Ortega et al. (2021) explain such delusions by actions that are taken "
        "for observations, and treat them as interventions instead.",
        exact=True,
        note="All histories of 12 turns, by their counts. The world is ours: five boxes, an "
        "expert who knows and opens any box one time in ten, a lamp that errs one time in ten.",
    ),
    Claim(
        id="ci-delusion",
        chapter="03",
        statement="A transformer cloned on Hana's runs deludes itself when it acts: it is as "
        "good as any on her runs, and far below her on its own. Taught on its own runs, with her "
        "labels, it comes close to her.",
        predicate="right boxes at turn 1 within 0.06 of 1/5 for both, greedy and sampled; at turn "
        "12 the clone's mean below 0.5 sampled and 0.3 greedy, the corrected one's above 0.82 and "
        "0.9; the clone's chance for its favourite box exceeds its right boxes by more than 0.3, "
        "the corrected one's by less than 0.06; on Hana's runs both give her last choice more than "
        "0.8, and differ by less than 0.05",
        holds=delusion_holds,
        measure=measure_delusion,
        headline="last_sampled_clone",
        status="reproduced",
        papers=("ortega2021shaking",),
        literature="Ortega et al. (2021) show that in supervised learning, factual labels teach "
        "a model to condition on actions, counterfactual ones to intervene.",
        seeds=SEEDS,
        rtol={f"on_hers_{n}": ("abs", 0.01) for n in LEARNERS}
        | {f"sure_{n}": ("abs", 0.02) for n in LEARNERS}
        | {f"{q}{h}_{n}": ("abs", 0.03) for q in ("", "first_", "last_") for h in HOWS
           for n in LEARNERS},
        note="The clone has not quite the exact learner's trust in itself, since it was trained "
        "for 600 steps. The corrected learner learns from its own runs alone: on a "
        "common pile with Hana's, where choices are evidence, it could not tell the two apart.",
    ),
]
