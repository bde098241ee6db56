"""Chapter 09, what, how and why: where a word that earns nothing pays."""

from __future__ import annotations

import numpy as np

from imitlib.cirl.plans import adapted
from imitlib.cirl.solvers import exhaustive
from imitlib.cirl.telling import errand, errand_value
from imitlib.claims import Claim
from imitlib.figures import ROLES, axes, line

PRICES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55)
OFTEN, RARELY, USUAL, STAKE, PRICE = 0.2, 0.05, 0.7, 2.0, 0.2
DEAR = 0.5  # above OFTEN · STAKE
ASIDE = 0.01  # how far either side of a threshold the solver is asked
SHOWN = ("what", "why")


def words(chance, price, usual=USUAL, stake=STAKE, shown=("what",)):
    """The optimum, and words a game in the best plan: in all, and in the usual case."""
    game = errand({"why": chance}, price, usual, stake, shown)
    plan = exhaustive(game)
    said = plan.rules[0, -1, game.start] % 2 * game.prior  # words are the last of her parts
    usual_case = np.arange(game.n_goals) % 2 == 0
    return plan.value, said.sum(), said[usual_case].sum()


def measure_why(seed: int) -> dict:
    """Needed often, rarely, never, or shown by the deed; then with numbers at random."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, chance, shown in (("often", OFTEN, ("what",)), ("rarely", RARELY, ("what",)),
                                ("never", 0.0, ("what",)), ("shown", OFTEN, SHOWN)):  # fmt: skip
        rows = np.array([words(chance, price, shown=shown) for price in PRICES])
        mute = exhaustive(errand({"why": chance}, 0, USUAL, STAKE, shown, mute=True)).value
        out[f"gain_{name}"] = (rows[:, 0] - mute).tolist()
        out[f"words_{name}"], out[f"usual_{name}"] = rows[:, 1:].T.tolist()
    both = {"how": OFTEN, "why": OFTEN}
    mute = adapted(errand(both, PRICE, USUAL, STAKE, mute=True)).value
    for name, price in (("both", PRICE), ("both_dear", DEAR)):
        out[f"gain_{name}"] = adapted(errand(both, price, USUAL, STAKE)).value - mute

    chance, usual, stake = rng.uniform(0.05, 0.4), rng.uniform(0.55, 0.95), rng.uniform(0.5, 2.5)
    price = rng.uniform(0.01, 1.2)
    value = exhaustive(errand({"why": chance}, price, usual, stake)).value
    out["gap"] = abs(value - errand_value({"why": chance}, price, usual, stake))
    out["threshold"] = chance * stake
    around = (chance * stake - ASIDE, chance * stake + ASIDE)
    out["flips"] = float(
        [words(chance, p, usual, stake)[1] > 0 for p in around] == [True, False])
    return out


def why_holds(s) -> bool:
    """See the claim's predicate."""
    prices, odd = np.array(PRICES), 1 - USUAL

    def as_derived(name, chance):
        worth = chance * STAKE - prices
        gain, said = odd * np.maximum(worth, 0), np.where(worth > 0, odd, 0)
        return (np.abs(s[f"gain_{name}"] - gain) < 1e-9).all() and (
            np.abs(s[f"words_{name}"] - said) < 1e-9).all()  # fmt: skip

    return bool(
        as_derived("often", OFTEN)
        and as_derived("rarely", RARELY)
        and as_derived("never", 0)
        and as_derived("shown", 0)
        and all((s[f"usual_{name}"] == 0).all() for name in ("often", "rarely"))
        and (np.abs(s["gain_both"] - 2 * odd * (OFTEN * STAKE - PRICE)) < 1e-9).all()
        and (np.abs(s["gain_both_dear"] - odd**2 * (2 * OFTEN * STAKE - DEAR)) < 1e-9).all()
        and (s["gap"] < 1e-9).all()
        and (s["flips"] == 1).all()
    )


def why_derived(s) -> dict:
    """The prices up to which she explains."""
    return {"price_often": OFTEN * STAKE, "price_rarely": RARELY * STAKE,
            "both": float(s["gain_both"].mean()),
            "both_dear": float(s["gain_both_dear"].mean())}  # fmt: skip


def fig_why(s):
    """What her words add to the best plan, against what a word costs."""
    fig, ax = axes("price of a word", "what being able to explain adds")
    rows = (("often", "person", "needed one\ntime in five", 8),
            ("rarely", "expert", "one in twenty", 0),
            ("shown", "random", "her deed shows it", 13))  # fmt: skip
    for name, role, label, nudge in rows:
        y = s[f"gain_{name}"].mean(axis=0)
        turn = {"often": OFTEN, "rarely": RARELY}.get(name, 0.0) * STAKE  # nothing from here on
        x = np.sort([*PRICES, turn] if turn else PRICES)
        line(ax, x, np.where(x >= turn, 0, np.interp(x, PRICES, y)), role, marker=False)
        ax.plot(PRICES, y, ROLES[role].marker, color=ROLES[role].color, markersize=5)
        at = {"often": 1, "rarely": 0, "shown": -2}[name]
        ax.annotate(label, (PRICES[at], y[at]), xytext=(8, nudge), textcoords="offset points",
                    va="center", color="#20242B", annotation_clip=False)  # fmt: skip
    often, rarely = s["gain_often"].mean(axis=0), s["gain_rarely"].mean(axis=0)
    alt = (
        f"What being able to explain adds, against the price of a word from {PRICES[0]} to "
        f"{PRICES[-1]}. Where Rollo needs the reason one time in five it falls from "
        f"{often[0]:.3f} to 0 at {OFTEN * STAKE:g}; one time in twenty, from {rarely[0]:.3f} to "
        f"0 at {RARELY * STAKE:g}; where her deed shows the reason it is 0 at every price."
    )
    return fig, alt


GIVEN = {
    "why.often": OFTEN,
    "why.rarely": RARELY,
    "why.usual": USUAL,
    "why.stake": STAKE,
    "why.price": PRICE,
    "why.dear": DEAR,
}

CLAIMS = [
    Claim(
        id="cirl-how-why",
        chapter="09",
        statement="Explaining how or why, though it earns nothing, is part of the best play "
        "where Rollo will need it and Hana's deed does not show it, at a price below the "
        "chance that it is needed times the stake. Elsewhere she says nothing.",
        predicate="in an errand where her deed shows what she wants, being able to explain adds "
        "(1 - u) max(q z - c, 0) to the optimum, to 1e-9, with q the chance that the "
        "reason is needed, z the stake, c the price and u the chance of the usual "
        "reason, and she explains in the unusual case alone, for silence is read too; "
        "where the reason is never needed, or the deed shows it, explaining adds 0 and "
        "nothing is said at any price; how and why together add twice as much, and at a "
        "price above q z still (1 - u)^2 (2 q z - c), by one word for the case that "
        "both are unusual; and with q, z, c and u drawn at random the optimum is as "
        "derived, and she explains at a price just below q z and not just above",
        holds=why_holds,
        measure=measure_why,
        derive=why_derived,
        headline="gain_both",
        status="ours",
        papers=("hadfieldmenell2016cirl",),
        literature="Hadfield-Menell et al. (2016) define the game; the errand is our own.",
        source="[A]",
        rtol={"gap": ("abs", 1e-9), **{f"gain_{name}": ("abs", 1e-9) for name in
                                       ("often", "rarely", "never", "shown", "both",
                                        "both_dear")}},
        note="With how and why at once one word may stand for both unusual cases, which does "
        "better than the sum where words are dear; at 0.2 it does not. Random "
        "numbers are of the errand with a reason alone.",
    )
]  # fmt: skip
