"""Chapter 04: whoever reads mistakes, writes mistakes.

Sixteen goods, eight prices. Two people keep price lists of six lines: one is right but
for a slip now and then, the other mostly reads the line below. A small language model
learns to continue their lists. Then it is given lists with some mistakes in them, and
asked for one more price.
"""

from __future__ import annotations

import numpy as np

from imitlib import language
from imitlib.claims import Claim
from imitlib.figures import INK, ROLES, axes, line

GOODS, PRICES, LINES = 16, 8, 6
SLIP, MUDDLE = 0.02, 0.8
LISTS, UPDATES, BATCH, LR = 8000, 900, 64, 5e-3
WIDTH, LAYERS = 16, 2
ASKED = 300


def write(n, price, rng, mixed=False):
    """Lists of one more line than are shown: tokens (n, 2 LINES + 2).

    Half of the lists are by the careful writer, half by the other. If `mixed`, each
    line is by one or the other, and a list says nothing about the next line.
    """
    goods = rng.integers(GOODS, size=(n, LINES + 1))
    by_other = rng.random((n, LINES + 1 if mixed else 1)) < 0.5
    wrong = rng.random(goods.shape) < np.where(by_other, MUDDLE, SLIP)
    return tokens(goods, (price[goods] + wrong) % PRICES)


def tokens(goods, prices):
    """Good, price, good, price, ...: prices come behind the goods in the vocabulary."""
    pairs = np.stack([goods, GOODS + prices], axis=2)
    return pairs.reshape(len(goods), -1)


def read(price, rng, mixed=False):
    """A language model that has read such lists, and learned the prices in them."""
    lists = write(LISTS, price, rng, mixed)
    says = np.zeros(lists.shape, bool)
    says[:, 1::2] = True
    end = GOODS + PRICES  # never written: a list has no end
    return language.fit(lists, says, n_tokens=end + 1, end=end, width=WIDTH, heads=2,
                        layers=LAYERS, updates=UPDATES, batch=BATCH, lr=LR, rng=rng)


def prompts(mistakes, price, rng):
    """Lists with that many mistakes, and one more good: tokens, and its right price."""
    goods = rng.integers(GOODS, size=(ASKED, LINES + 1))
    wrong = rng.random((ASKED, LINES)).argsort(axis=1) < mistakes
    said = (price[goods[:, :LINES]] + wrong) % PRICES
    shown = tokens(goods[:, :LINES], said)
    return np.concatenate([shown, goods[:, LINES:]], axis=1), price[goods[:, LINES]]


def by_bayes(mistakes):
    r"""P(right) after a list with j mistakes, by Bayes' rule; and the likeliest's.

    .. math:: w_j = \frac{m^j (1-m)^{k-j}}{m^j (1-m)^{k-j} + s^j (1-s)^{k-j}}, \qquad
       P(\text{right}) = 1 - w_j m - (1 - w_j) s
    """
    j = np.asarray(mistakes)
    muddled, careful = (e**j * (1 - e) ** (LINES - j) for e in (MUDDLE, SLIP))
    w = muddled / (muddled + careful)
    right = 1 - w * MUDDLE - (1 - w) * SLIP
    return right, (right > 0.5).astype(float)


def asked(model, price, rng):
    """(drawn, greedy): the share right after 0 ... LINES mistakes."""
    drawn, greedy = [], []
    for mistakes in range(LINES + 1):
        shown, right = prompts(mistakes, price, rng)
        p = model.next_probabilities(shown)
        drawn.append(float(p[np.arange(ASKED), GOODS + right].mean()))
        greedy.append(float(np.mean(p.argmax(axis=1) == GOODS + right)))
    return drawn, greedy


def measure_context(seed: int) -> dict:
    """A reader of lists by one writer each, and a reader of mixed lists."""
    rng = np.random.default_rng(seed)
    price = rng.integers(PRICES, size=GOODS)
    out = {}
    for name, mixed in (("alone", False), ("mixed", True)):
        drawn, greedy = asked(read(price, rng, mixed), price, rng)
        out |= {f"drawn_{name}": drawn, f"greedy_{name}": greedy}
        out[f"gap_{name}"] = drawn[0] - drawn[-1]
    return out


def context_holds(s) -> bool:
    """See the claim's predicate."""
    exact = by_bayes(np.arange(LINES + 1))[0]
    drawn, greedy = s["drawn_alone"].mean(axis=0), s["greedy_alone"].mean(axis=0)
    mixed = s["greedy_mixed"].mean(axis=0)
    return bool(
        greedy[0] > 0.97
        and drawn[0] > 0.9
        and (np.diff(drawn) < 0.02).all()
        and drawn[LINES // 2 + 1 :].max() < 0.4
        and greedy[LINES // 2 + 1 :].max() < 0.15
        and np.abs(drawn - exact).max() < 0.25
        and abs(drawn[0] - exact[0]) < 0.06
        and abs(drawn[-1] - exact[-1]) < 0.06
        and mixed.min() > 0.9
        and (s["gap_alone"] > s["gap_mixed"] + 0.4).all()
    )


# Figures -----------------------------------------------------------------------------


def fig_context(s):
    """The share right against the mistakes in the list that it continues."""
    fig, ax = axes("mistakes among the six lines shown", "right, likeliest price")
    at = np.arange(LINES + 1)
    for name, role, label, nudge in (
        ("mixed", "optimum", "mixed\nlists", 0),
        ("alone", "learner", "one writer\na list", 8),
    ):
        band = s[f"greedy_{name}"].min(axis=0), s[f"greedy_{name}"].max(axis=0)
        line(ax, at, s[f"greedy_{name}"].mean(axis=0), role, label, band=band, nudge=nudge)
    line(ax, at, s["drawn_alone"].mean(axis=0), "robot", "", marker=True)
    ax.text(3.2, 0.42, "one writer, drawn", color=INK)
    ax.plot(at, by_bayes(at)[0], color=ROLES["random"].color, lw=1.2,
            ls=ROLES["random"].dash, zorder=0)
    ax.text(2.3, 0.24, "Bayes", ha="right", color=INK, fontsize=10)
    ax.set_ylim(0, 1.05)
    g, d, m = (s[n].mean(axis=0) for n in ("greedy_alone", "drawn_alone", "greedy_mixed"))
    alt = (
        f"Share right against mistakes in the prompt, 0 to {LINES}. A model that read lists "
        f"by one writer each falls from {g[0]:.2f} to {g[-1]:.2f} (drawn: {d[0]:.2f} to "
        f"{d[-1]:.2f}, with the rule of Bayes as a dotted line); one that read mixed lists "
        f"stays at {m.min():.2f} or above."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "list-goods": GOODS,
    "list-prices": PRICES,
    "list-lines": LINES,
    "list-slip": SLIP,
    "list-muddle": MUDDLE,
    "list-width": WIDTH,
    "list-lists": LISTS,
}

CLAIMS = [
    Claim(
        id="ua-bug-context",
        chapter="04",
        statement="A model that knows every price answers worse after a list with "
        "mistakes in it: it has learned that mistakes come from one writer, and "
        "continues as that writer would. A model for which a list says nothing about "
        "the next line does not.",
        predicate="the likeliest price right > 0.97 after a list "
        "without mistakes and < 0.15 after four or more of six; drawn, it does not "
        "rise by more than 0.02 with any mistake, from > 0.9 to < 0.4 after four or "
        "more, within 0.06 of Bayes' rule at both ends and 0.25 between; the "
        "likeliest price of the model of mixed lists right > 0.9 everywhere, and its "
        "gap between none and six mistakes smaller by 0.4 for every seed",
        holds=context_holds,
        measure=measure_context,
        headline="gap_alone",
        status="ours",
        papers=("chen2021codex",),
        literature="Chen and others (2021) report that a code model writes worse code "
        "after prompts with subtle bugs.",
        rtol=dict.fromkeys(
            [f"{what}_{name}" for what in ("drawn", "greedy", "gap")
             for name in ("alone", "mixed")], ("abs", 0.2)),
        note="A transformer of two layers, sixteen numbers wide; no other size was "
        "measured. The mistakes are of one kind, the price of the line below, so that "
        "the model can make them for any good.",
    ),
]  # fmt: skip
