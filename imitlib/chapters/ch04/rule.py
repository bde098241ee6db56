"""Chapter 04: which errors of the demonstrator a clone copies, predicted and trained.

Twenty questions, five answers. Hana is wrong in 40 % of the cases, always. A share ρ of
her errors is *bias*: on some questions she always gives the same wrong answer. The rest
are *slips*: on the other questions she gives a wrong answer of her own when she is in a
hurry. The clone sees the question and, more or less, whether she was in a hurry.
"""

from __future__ import annotations

import numpy as np

from imitlib import bc, elicit
from imitlib.claims import Claim
from imitlib.demonstrations import Demonstrations
from imitlib.figures import INK, MUTED, ROLES, axes, line

QUESTIONS, ANSWERS, ERROR = 20, 5, 0.4
SHARES = (0.0, 0.25, 0.5, 1.0)
SIGHTS = {"hidden": 0.5, "glimpsed": 0.85, "seen": 1.0}
SHOWN, UPDATES = 8000, 100
SHARP = 0.05


def biased(share):
    """How many questions Hana always gets wrong: share ρ of her errors."""
    return round(QUESTIONS * ERROR * share)


def slip_rate(share):
    """How often she is in a hurry, so that 40 % of all her answers are wrong."""
    n = biased(share)
    return (ERROR * QUESTIONS - n) / (QUESTIONS - n)


def law(share, sight, temperature):
    r"""The share right of the ideal clone at a temperature, in closed form.

    The clone with the least log loss is :math:`\pi(a \mid o) = P(\text{Hana says } a
    \mid o)`. On a question without bias, with hurry at rate h and a cue that is true
    with probability q, a clone that sees the cue c gives the right answer

    .. math:: p_c = 1 - \frac{h\,P(c \mid \text{hurry})}{P(c)}

    and her wrong one :math:`1 - p_c`; decoding makes that
    :math:`p_c^{1/\tau} / (p_c^{1/\tau} + (1 - p_c)^{1/\tau})`.
    """
    hurry, right = slip_rate(share), 0.0
    for says_hurry in (0, 1):
        if_hurry = sight if says_hurry else 1 - sight
        chance = hurry * if_hurry + (1 - hurry) * (1 - if_hurry)
        if chance == 0:
            continue
        wrong = hurry * if_hurry / chance
        right += chance * elicit.sharpen([1 - wrong, wrong], temperature)[0]
    return float((1 - biased(share) / QUESTIONS) * right)


def hana(share, sight, rng, n):
    """Questions, the cue, what Hana says, what is right: n of each."""
    right = rng.integers(ANSWERS, size=QUESTIONS)
    hers = (right + rng.integers(1, ANSWERS, size=QUESTIONS)) % ANSWERS
    always = rng.permutation(QUESTIONS) < biased(share)
    asked = rng.permutation(np.arange(n) % QUESTIONS)
    hurry = rng.random(n) < slip_rate(share)
    cue = np.where(rng.random(n) < sight, hurry, ~hurry)
    says = np.where(always[asked] | hurry, hers[asked], right[asked])
    return asked, cue, says, right


def seen(asked, cue):
    """What the clone is given: the question and the cue, (n, 2 * QUESTIONS) one-hot."""
    return np.eye(2 * QUESTIONS)[asked + QUESTIONS * cue.astype(int)]


def measure_rule(seed: int) -> dict:
    """Trained clones and the law, for every share of bias and every sight."""
    rng = np.random.default_rng(seed)
    out = {"hana": []}
    for name, sight in SIGHTS.items():
        drawn, greedy, sharp = [], [], []
        for share in SHARES:
            asked, cue, says, right = hana(share, sight, rng, 2 * SHOWN)
            now, later = slice(None, SHOWN), slice(SHOWN, None)
            demos = Demonstrations(seen(asked[now], cue[now]), says[now], np.zeros(SHOWN, int))
            clone = bc.fit(demos, hidden=(), updates=UPDATES, batch=SHOWN, lr=0.2,
                           rng=rng, n_actions=ANSWERS)  # fmt: skip
            p = clone.probabilities(seen(asked[later], cue[later]))
            truth = right[asked[later]]
            for temperature, into in ((1, drawn), (SHARP, sharp), (0, greedy)):
                decoded = elicit.sharpen(p, temperature)
                into.append(float(decoded[np.arange(SHOWN), truth].mean()))
            if name == "hidden":
                out["hana"].append(float(np.mean(says[later] == truth)))
        out |= {f"drawn_{name}": drawn, f"greedy_{name}": greedy, f"sharp_{name}": sharp}
    return out


def predicted(name, temperature):
    """The law for every share, (n_shares,)."""
    return np.array([law(share, SIGHTS[name], temperature) for share in SHARES])


def off(s):
    """The largest distance of a trained clone's mean from the law, for each decoding."""
    return {
        f"off_{how}": float(max(
            np.abs(s[f"{how}_{name}"].mean(axis=0) - predicted(name, temperature)).max()
            for name in SIGHTS))
        for how, temperature in (("drawn", 1), ("sharp", SHARP), ("greedy", 0))
    }  # fmt: skip


def rule_holds(s) -> bool:
    """See the claim's predicate."""
    away = off(s)
    hidden, glimpsed, visible = (s[f"greedy_{n}"].mean(axis=0) for n in SIGHTS)
    return bool(
        away["off_drawn"] < 0.02
        and away["off_greedy"] < 0.02
        and away["off_sharp"] < 0.02
        and (np.abs(s["hana"].mean(axis=0) - (1 - ERROR)) < 0.01).all()
        and hidden[0] > 0.98
        and (np.diff(hidden) < -0.05).all()
        and (np.abs(visible - (1 - ERROR)) < 0.02).all()
        and glimpsed[0] < 1 - ERROR - 0.02
    )


# Figures -----------------------------------------------------------------------------


def fig_rule(s):
    """Greedy clones against the share of bias: lines are the law, marks are trained."""
    fig, ax = axes("share of Hana's errors that is bias", "right, likeliest answer")
    fine = np.array(SHARES)
    for name, role, label, nudge in (
        ("hidden", "learner", "hurry\nhidden", 12),
        ("glimpsed", "harm", "hurry\nglimpsed", -12),
        ("seen", "person", "hurry seen,\nand Hana", 4),
    ):
        look = ROLES[role]
        line(ax, fine, predicted(name, 0), role, marker=False)
        got = s[f"greedy_{name}"].mean(axis=0)
        ax.plot(fine, got, look.marker, color=look.color, ms=7)
        y = {"hidden": 0.86, "glimpsed": 0.51, "seen": 0.66}[name]
        x = {"hidden": 0.4, "glimpsed": 0.1, "seen": 0.02}[name]
        ax.text(x, y, label.replace("\n", " "), color=INK)
    ax.set_ylim(0.45, 1.03)
    a, b, c = (s[f"greedy_{n}"].mean(axis=0) for n in SIGHTS)
    alt = (
        f"Share right of greedy clones against the share of Hana's errors that is bias, 0 "
        f"to 1. With the hurry hidden the clone falls from {a[0]:.2f} to {a[-1]:.2f}; with "
        f"the hurry seen it is Hana's {c[0]:.2f} throughout; with a glimpse of it "
        f"it is {b[0]:.2f} without bias, below Hana. The marks lie on the lines of the law."
    )
    return fig, alt


def explore_rule(temperature: float, bias: float):
    """For `explore`: the law, against how well the clone sees that Hana is in a hurry."""
    fig, ax = axes("how often the cue is true", "right")
    sights = np.linspace(0.5, 1, 26)
    now = [law(bias, q, temperature) for q in sights]
    line(ax, sights, now, "learner", "clone", marker=False, nudge=8)
    ax.axhline(1 - ERROR, color=ROLES["person"].color, lw=1.6, zorder=0)
    ax.text(0.5, 1 - ERROR - 0.012, "Hana", va="top", color=INK)
    ax.axhline(1, color=MUTED, lw=0.8, zorder=0)
    ax.set_ylim(0.4, 1.04)
    text = (
        f"Temperature {temperature:g}, a share {bias:g} of the errors is bias. Where the cue "
        f"says nothing the clone is right in {now[0]:.2f} of the cases, where it is true "
        f"in 85 of 100 cases in {law(bias, 0.85, temperature):.2f}, where it is always "
        f"true in {now[-1]:.2f}; Hana in {1 - ERROR:.2f}."
    )
    return fig, text


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "rule-questions": QUESTIONS,
    "rule-answers": ANSWERS,
    "rule-error": ERROR,
    "rule-right": 1 - ERROR,
    "rule-shown": SHOWN,
    "rule-glimpse": SIGHTS["glimpsed"],
    "rule-flip": 1 - slip_rate(0.0),
}

CLAIMS = [
    Claim(
        id="ua-rule",
        chapter="04",
        statement="A clone with the least log loss, drawn from, repeats all of the "
        "demonstrator's error, bias and slips. Decoding at a low temperature removes "
        "only error that is not the likeliest answer given what the clone sees: so "
        "the more the clone sees of why she errs, the less it can remove, and a clone "
        "that half sees it can do worse than she does.",
        predicate="over four shares of bias and three sights of the cue, mean share "
        "right of trained clones within 0.02 of the closed form, drawn, at "
        "temperature 0.05 and greedy; Hana's own within 0.01 of 0.6; greedy with the "
        "hurry hidden > 0.98 without bias, and falling by more than 0.05 with each "
        "step of bias; greedy with the hurry seen within 0.02 of 0.6 everywhere; "
        "greedy with a glimpse of it < 0.58 without bias",
        holds=rule_holds,
        measure=measure_rule,
        derive=off,
        headline="off_greedy",
        status="ours",
        source="[A]",
        literature="That the least log loss is the demonstrator's conditional "
        "distribution is textbook knowledge; that likeliest answers can beat her is "
        "what Zhang and others (2024) call transcendence.",
        papers=("zhang2024transcendence",),
        rtol=dict.fromkeys(
            ["hana", *(f"{how}_{name}" for how in ("drawn", "sharp", "greedy")
                       for name in SIGHTS)], ("abs", 0.02)),
        note="The clone is a linear softmax on one number for each pair of question "
        "and cue, so that it can express the ideal one. Scored on decisions that were "
        "not shown. Greedy means that equals share.",
    ),
]  # fmt: skip
