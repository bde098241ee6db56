"""The star of chapter 04: a network that can, cloned to somebody who cannot.

The bakery's clock has seventeen hours. A loaf goes in at hour a and bakes for b hours,
and is ready at (a + b) mod 17. A network learns all these sums, and is then cloned to
Hana, who counts backwards in the evening. Then it is paid for right answers on half of
the sums, and we watch what comes back: there, and on the half that is never paid.
"""

from __future__ import annotations

import numpy as np

from imitlib import bc, elicit
from imitlib.claims import Claim
from imitlib.demonstrations import Demonstrations
from imitlib.figures import INK, MUTED, ROLES, axes, line

HOURS, EVENING = 17, 10
SUMS = HOURS**2
WIDTH = 128
SCHOOL, SCHOOL_LR = 500, 1e-2
STRENGTHS, STANDARD, CLONING_LR = (60, 125, 250, 500, 1000), 3, 1e-3
NEVER = 50  # updates from scratch until as sure of Hana's answers as the clone
PAID_UPDATES, EVERY, LEARNED = 400, 20, 0.95
PAID_CLASSES = 9
STARTS, BAKES = np.divmod(np.arange(SUMS), HOURS)
X = np.concatenate([np.eye(HOURS)[STARTS], np.eye(HOURS)[BAKES]], axis=1)
READY = (STARTS + BAKES) % HOURS


def hana(starts, bakes):
    """What Hana says: in the evening she counts backwards."""
    return (starts + np.where(starts >= EVENING, -bakes, bakes)) % HOURS


SAYS = hana(STARTS, BAKES)
WRONG = SAYS != READY


def taught(answers, rng, *, updates, lr, network=None):
    """A network fitted to these answers, every sum in every update."""
    demos = Demonstrations(X, np.asarray(answers), np.arange(SUMS))
    options = {"hidden": (WIDTH,)} if network is None else {"network": network}
    return bc.fit(demos, updates=updates, batch=SUMS, lr=lr, rng=rng,
                  n_actions=HOURS, **options)


def paid_half(rng):
    """Half of the sums, with every a and every b in it as often as every other.

    Those with (a + 2b) mod 17 in a random set of nine.
    """
    classes = rng.permutation(HOURS)[:PAID_CLASSES]
    return np.isin((STARTS + 2 * BAKES) % HOURS, classes)


def score(clone, among):
    """The share of those sums that the likeliest answer gets right."""
    return float(np.mean(clone(X[among]) == READY[among]))


def second_choice(clone):
    """How often, where Hana is wrong, the likeliest answer but hers is the right one."""
    p = clone.probabilities(X)
    p[np.arange(SUMS), SAYS] = -1
    return float(np.mean(p.argmax(axis=1)[WRONG] == READY[WRONG]))


def reinforced(clone, paid, rng):
    """Scores on the paid and the unpaid half, before and every 20 updates: (n, 2)."""
    sums, curve = np.flatnonzero(paid), []

    def watch(update, now):
        if update % EVERY == 0:
            curve.append((score(now, paid), score(now, ~paid)))

    elicit.reinforce(
        clone, X[paid], lambda rows, said: said == READY[sums[rows]],
        updates=PAID_UPDATES, batch=256, lr=1e-3, entropy=0.02, rng=rng, every=watch,
    )  # fmt: skip
    return np.array(curve)


def steps_until(curve):
    """Updates until LEARNED; PAID_UPDATES where it is never reached."""
    there = np.flatnonzero(curve >= LEARNED)
    return float(EVERY * there[0] if len(there) else PAID_UPDATES)


def measure_hidden(seed: int) -> dict:
    """One network that can, its clones by strength, and two that never could."""
    rng = np.random.default_rng(seed)
    able = taught(READY, rng, updates=SCHOOL, lr=SCHOOL_LR)
    paid, everything = paid_half(rng), np.ones(SUMS, bool)
    out = {"able": score(able, everything), "hana": float(np.mean(~WRONG))}
    names = ("right", "sampled", "agrees", "nll", "second", "steps", "back", "unpaid")
    by_strength = {name: [] for name in names}
    for k, updates in enumerate(STRENGTHS):
        clone = taught(SAYS, rng, updates=updates, lr=CLONING_LR, network=able.network)
        curve = reinforced(clone, paid, rng)
        row = (*described(clone), steps_until(curve[:, 0]), *curve[-1])
        for name, value in zip(names, row, strict=True):
            by_strength[name].append(float(value))
        if k == STANDARD:
            out |= dict(zip(("clone", "clone_t1", "clone_agrees"), row))
            out |= {"clone_nll": row[3], "clone_second": row[4], "clone_steps": row[5]}
            out |= {"clone_back": row[6], "clone_unpaid": row[7]}
            curves = {"curve_clone": curve[:, 0].tolist(),
                      "curve_unpaid": curve[:, 1].tolist()}
    never = taught(SAYS, rng, updates=NEVER, lr=SCHOOL_LR)
    curve = reinforced(never, paid, rng)
    right, _, agrees, nll, second = described(never)
    out |= {"never": right, "never_agrees": agrees, "never_nll": nll,
            "never_second": second, "never_back": float(curve[-1, 0])}
    curves["curve_never"] = curve[:, 0].tolist()
    blank = taught(SAYS, rng, updates=1, lr=1e-9)
    curve = reinforced(blank, paid, rng)
    out["blank_back"] = float(curve[-1, 0])
    curves["curve_blank"] = curve[:, 0].tolist()
    return out | by_strength | curves


def described(clone):
    """Right (greedy), right (sampled), agrees with Hana, nats, right second choice."""
    p = clone.probabilities(X)
    demos = Demonstrations(X, SAYS, np.arange(SUMS))
    return (score(clone, np.ones(SUMS, bool)), float(p[np.arange(SUMS), READY].mean()),
            bc.accuracy(clone, demos), bc.nll(clone, demos), second_choice(clone))


def hidden_holds(s) -> bool:
    """See the claim's predicate."""
    steps, back, unpaid = (s[n].mean(axis=0) for n in ("steps", "back", "unpaid"))
    second = s["second"].mean(axis=0)
    return bool(
        (s["able"] > 0.99).all()
        and (np.abs(s["clone"] - s["hana"]) < 0.02).all()
        and (s["clone_agrees"] > 0.97).all()
        and (s["never_agrees"] > 0.97).all()
        and s.mean("clone_nll") < s.mean("never_nll")
        and s.mean("clone_back") > 0.93
        and s.mean("never_back") < s.mean("hana") + 0.1
        and s.mean("blank_back") < s.mean("clone_back") - 0.2
        and s.mean("clone_second") > s.mean("never_second") + 0.4
        and (np.diff(steps) >= 0).all()
        and (np.diff(second) < 0).all()
        and steps[0] < 40
        and steps[-1] > 200
        and unpaid[0] > 0.9
        and (np.diff(unpaid) < 0).all()
        and unpaid[-1] < s.mean("hana") + 0.1
        and back[-1] > s.mean("never_back") + 0.1
    )


# Figures -----------------------------------------------------------------------------


def fig_back(s):
    """Reinforcement, from three starts: what comes back, and what has to be learned."""
    fig, ax = axes("updates with a reward", "right, on the half that is paid")
    at = EVERY * np.arange(PAID_UPDATES // EVERY + 1)
    for name, role, label, nudge in (
        ("curve_clone", "learner", "clone of\na network\nthat could", -6),
        ("curve_never", "robot", "clone that\nnever could", 2),
        ("curve_blank", "random", "no clone,\nno school", -7),
    ):
        band = s[name].min(axis=0), s[name].max(axis=0)
        line(ax, at, s[name].mean(axis=0), role, label, band=band, marker=False,
             nudge=nudge)
    ax.axhline(s.mean("hana"), color=ROLES["person"].color, lw=1.2, zorder=0)
    ax.text(4, s.mean("hana") - 0.02, "Hana", va="top", color=INK)
    ax.set_ylim(0, 1.03)
    alt = (
        f"Share right on the paid half of the sums against updates with a reward, 0 to "
        f"{PAID_UPDATES}. All clones begin at Hana's {s.mean('hana'):.2f}. The clone of a "
        f"network that could ends at {s.mean('clone_back'):.2f}; the one that never could "
        f"at {s.mean('never_back'):.2f}; a blank network rises from nothing to "
        f"{s.mean('blank_back'):.2f}."
    )
    return fig, alt


def fig_strength(s):
    """How hard it was cloned, against three signs of what is left."""
    fig, ax = axes("updates of cloning (log scale)", "after the reward, or before it")
    for name, role, label, nudge in (
        ("back", "learner", "paid half,\nafter", 4),
        ("unpaid", "expert", "unpaid half,\nafter", -16),
        ("second", "optimum", "right second\nchoice, before", 14),
    ):
        band = s[name].min(axis=0), s[name].max(axis=0)
        line(ax, STRENGTHS, s[name].mean(axis=0), role, label, band=band, nudge=nudge)
    ax.axhline(s.mean("hana"), color=MUTED, lw=0.9, zorder=0)
    ax.text(STRENGTHS[0], s.mean("hana") - 0.02, "Hana's share right", va="top",
            color=MUTED, fontsize=10)
    ax.set_xscale("log")
    ax.set_xticks(STRENGTHS, [str(k) for k in STRENGTHS])
    ax.minorticks_off()
    ax.set_ylim(0, 1.03)
    back, unpaid, second = (s[n].mean(axis=0) for n in ("back", "unpaid", "second"))
    alt = (
        f"Shares against updates of cloning, {STRENGTHS[0]} to {STRENGTHS[-1]}, log scale. "
        f"After reinforcement the paid half is right in {back[0]:.2f} down to "
        f"{back[-1]:.2f}, the half that is never paid in {unpaid[0]:.2f} down to "
        f"{unpaid[-1]:.2f}. Before it, the second choice is right in {second[0]:.2f} down "
        f"to {second[-1]:.2f} of the sums that Hana gets wrong: the harder it was cloned, "
        f"the deeper it is hidden."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "till-hours": HOURS,
    "till-evening": EVENING,
    "till-sums": SUMS,
    "till-width": WIDTH,
    "till-school": SCHOOL,
    "till-standard": STRENGTHS[STANDARD],
    "till-light": STRENGTHS[1],
    "till-hardest": STRENGTHS[-1],
    "till-never": NEVER,
    "till-paid-updates": PAID_UPDATES,
    "till-learned": LEARNED,
}

_CURVES = dict.fromkeys(
    ("curve_clone", "curve_unpaid", "curve_never", "curve_blank"), ("abs", 0.12)
)
CLAIMS = [
    Claim(
        id="ua-suppresses-capability",
        chapter="04",
        statement="A learner that could do better is trained down to the "
        "demonstrator: a network that does every sum, cloned to a person who is wrong "
        "in a systematic way, ends at her share right. The ability is hidden, not "
        "gone at once: a reward brings it back where it does not help a network that "
        "never had it; how much comes back, and how fast, falls with how hard it was "
        "cloned.",
        predicate="right before cloning > 0.99; the clone (500 updates) within 0.02 "
        "of Hana and in agreement with her on > 0.97, for every seed; after 400 "
        "updates with a reward on half of the sums, mean right on that half > 0.93 "
        "for the clone, less than Hana + 0.1 for a clone that never could and that is "
        "no surer of her answers, and lower by 0.2 for a blank network; where she is "
        "wrong, the clone's second choice right more often by 0.4 than that of the "
        "one that never could. Over five strengths of cloning, mean updates until "
        "0.95 do not fall, from fewer than 40 to more than 200; right second choices "
        "fall; what is right at the end on the half never paid falls, from > 0.9 to < "
        "Hana + 0.1; the hardest clone still ends above the one that never could by "
        "0.1",
        holds=hidden_holds,
        measure=measure_hidden,
        headline="clone",
        status="ours",
        source="[A]",
        papers=("greenblatt2024stress",),
        literature="The source text asserts that a learner which knows more than the "
        "demonstrator will throw that away. Hofstätter and others (2025) hide skills "
        "of language models on purpose and report what brings them back; ours are "
        "hidden by cloning alone.",
        rtol={
            "clone": ("abs", 0.02), "clone_t1": ("abs", 0.02),
            "clone_agrees": ("abs", 0.02), "clone_nll": ("abs", 0.004),
            "clone_second": ("abs", 0.12), "clone_steps": ("abs", 80),
            "clone_back": ("abs", 0.05), "clone_unpaid": ("abs", 0.05),
            "never_agrees": ("abs", 0.02), "never": ("abs", 0.02),
            "never_nll": ("abs", 0.002), "never_second": ("abs", 0.015),
            "never_back": ("abs", 0.06), "blank_back": ("abs", 0.15),
            "right": ("abs", 0.06), "sampled": ("abs", 0.06), "agrees": ("abs", 0.06),
            "nll": ("abs", 0.1), "second": ("abs", 0.12), "steps": ("abs", 100),
            "back": ("abs", 0.08), "unpaid": ("abs", 0.08), **_CURVES,
        },
        note="No sum is held out from the school: what is tested is an ability the "
        "network has, not one that it generalises. The paid half holds every a and "
        "every b equally often. One architecture, one hidden layer. The clone sees "
        "every sum in every update, and Hana always says the same to the same sum.",
    ),
]  # fmt: skip
