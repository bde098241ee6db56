"""Hana's café: a short way past something that is nice at once and regretted later.

The naive Hana plans to walk past it; the one who knows herself goes round. One morning
does not tell what she wants from what she cannot help; two may.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib.claims import Claim
from imitlib.envs import grid_picture as grid
from imitlib.envs.grid_picture import UNIT, centre
from imitlib.envs.town import REWARDS, Town
from imitlib.envs.town_picture import draw_town, fig_town
from imitlib.figures import CARD, CELL, INK, ROLES, axes
from imitlib.goals import delay_plan, hyperbola, infer
from imitlib.tabular_experts import walk

DOOR, AHEAD, STEEPNESS, SLIPS = 2, 30, 1.0, 0.02
WORTH = (0.0, 1.0, 2.0, 4.0, 8.0)  # what entering the café may be to her; it is 2
FELT = WORTH.index(2.0)
OPEN, TOP = 0, 1  # mornings: no barrier, and one on the top street
PATIENT = (0.1, 0.3, 1.0, 3.0)  # temperatures of somebody who does not discount
DISCOUNTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)  # of somebody impatient who keeps her mind
CAFE = (0, 3)
TWO = ("naive", "sophisticated")  # Hanas


@cache
def hanas() -> dict:
    """Policies by step, (30, 5, S, 6), of six people who may be Hana, and their plans."""
    town = Town("hana", door=DOOR)
    mdp, rewards = town.mdp("true"), np.array([town.reward(cafe=c) for c in WORTH])
    weights = hyperbola(STEEPNESS, AHEAD)
    people = {"naive": (weights, False, SLIPS), "sophisticated": (weights, True, SLIPS)}
    people |= {f"patient {t:g}": (np.ones(AHEAD), False, t) for t in PATIENT}
    return {name: delay_plan(mdp, w, aware=aware, temperature=t, reward=rewards)
            for name, (w, aware, t) in people.items()}


@cache
def impatient() -> dict:
    """Plans of who discounts exponentially, by (discount, temperature): 35 of them."""
    town = Town("hana", door=DOOR)
    mdp, rewards = town.mdp("true"), np.array([town.reward(cafe=c) for c in WORTH])
    return {(d, t): delay_plan(mdp, d ** np.arange(AHEAD), aware=False, temperature=t,
                               reward=rewards) for d in DISCOUNTS for t in (SLIPS, *PATIENT)}


def morning(who: str, barrier: int, rng, worth: int = FELT):
    """One walk of hers to the door: states and actions."""
    town = Town("hana", door=DOOR)
    mdp = town.mdp("true", roadworks=barrier)
    seen = walk(mdp, hanas()[who].policy[:, worth], 1, AHEAD, rng)
    return seen.observations, seen.actions


def explained(plans: dict, mornings) -> np.ndarray:
    """log p(walks | plan, worth of the café), (plans, 5)."""
    return np.array([
        sum(infer.log_likelihoods(plan.policy, *seen, by_step=True).sum(-1) for seen in mornings)
        for plan in plans.values()
    ])  # fmt: skip


def readings(mornings) -> dict:
    """What to believe of the café's worth, (5,), under five models, from some walks."""
    logs = explained(hanas(), mornings)
    return {"naive": infer.posterior(logs[0]), "sophisticated": infer.posterior(logs[1]),
            "patient": infer.joint(logs[2:]).goals, "any": infer.joint(logs).goals,
            "exponential": infer.joint(explained(impatient(), mornings)).goals}


def escorted(belief) -> float:
    """What Hana truly gets where Rollo plans the walk, patiently, for what it believes.

    Going into the café is worth what Rollo thinks of it on the mean; she does not
    endorse it, so for her it is worth nothing, and the loaf goes cold.
    """
    town, mean = Town("hana", door=DOOR), float(np.dot(belief, WORTH))
    mdp = town.mdp("true")
    plan = delay_plan(mdp, np.ones(AHEAD), aware=False, reward=town.reward(cafe=mean))
    state, got = int(mdp.start.argmax()), 0.0
    for table in plan.policy:
        action = int(table[state].argmax())
        got += mdp.reward[state, action]
        state = int(mdp.transitions[state, action])
    return got


def measure_cafe(seed: int) -> dict:
    """Both Hanas on one morning and on two: readings of the café, and help built on them."""
    rng, out = np.random.default_rng(seed), {}
    for who in TWO:
        first, second = (morning(who, barrier, rng) for barrier in (OPEN, TOP))
        for days, seen in (("one", [first]), ("two", [first, second])):
            told = readings(seen)
            for model in (who, "patient", "any", "exponential"):
                name = "right" if model == who else model
                out[f"{who}_{name}_{days}"] = told[model].tolist()
                out[f"{who}_helped_{name}_{days}"] = escorted(told[model])
        town = Town("hana", door=DOOR)
        out[f"{who}_enters"] = float(any(town.cell(s) == CAFE for s in first[0]))
    return out


def cafe_holds(s) -> bool:
    """See the claim's predicate."""
    def of(name):
        return s[name].mean(0)

    coffee, some = -1, slice(FELT, None)
    one, two = of("naive_right_one"), of("naive_right_two")
    keeps_one, keeps_two = of("naive_exponential_one"), of("naive_exponential_two")
    return bool(
        of("naive_enters") > 0.8 and of("sophisticated_enters") < 0.2
        and of("naive_patient_one")[coffee] > 0.8 and of("naive_patient_two")[coffee] > 0.8
        and one[some].min() > 0.2 and one[some].sum() > 0.8
        and two[coffee] < 0.15 and two[FELT] > 0.35
        and of("naive_any_two")[coffee] < 0.2
        and of("sophisticated_right_one")[FELT] > 0.8 and of("sophisticated_any_one")[FELT] > 0.8
        and of("sophisticated_patient_one")[coffee] < 0.05
        and np.ptp(of("sophisticated_patient_one")[:coffee]) < 0.02
        and of("naive_helped_right_one") > of("naive_helped_patient_one") + 4
        and of("naive_helped_any_one") > of("naive_helped_patient_one") + 4
        and keeps_one[coffee] < 0.7 and keeps_one[FELT] > 0.05 and keeps_two[coffee] > 0.85
        and keeps_two[FELT] < 0.02
        and of("naive_helped_exponential_one") > of("naive_helped_patient_one") + 4
        and of("naive_helped_exponential_two") < of("naive_helped_right_two") - 4
    )


# Figures ---------------------------------------------------------------------------------


def cells_of(policy, barrier: int = OPEN) -> list:
    """The likeliest walk of a policy by step through Loaf Street, up to the door."""
    town = Town("hana", door=DOOR)
    mdp = town.mdp("true", roadworks=barrier)
    state = int(mdp.start.argmax())
    out = [town.cell(state)]
    for table in policy:
        state = int(mdp.transitions[state, table[state].argmax()])
        out.append(town.cell(state))
        if town.ending[state]:
            break
    return out


def three_walks(steepness: float = STEEPNESS) -> dict:
    """What naive Hana means to do on setting out, what she does; what she does who knows."""
    mdp, weights = Town("hana", door=DOOR).mdp("felt"), hyperbola(steepness, AHEAD)
    naive, knowing = (delay_plan(mdp, weights, aware=aware) for aware in (False, True))
    return {"meant": naive.meant, "naive": naive.policy, "sophisticated": knowing.policy}


_COLD = {"color": ROLES["harm"].color, "marker": ROLES["harm"].marker, "ls": "none", "ms": 8,
         "mec": CARD, "mew": 0.8, "zorder": 9.5}  # fmt: skip
TOLD = {  # the figure's roles: a plan that is not carried out is dotted
    "meant": ("random", "naive Hana means to: {} steps, {} loaf"),
    "naive": ("person", "naive Hana does: {} steps, {} loaf"),
    "sophisticated": ("optimum", "Hana who knows herself: {} steps, {} loaf"),
}


def fig_hook(steepness: float = STEEPNESS):
    """Three walks to door 2, with the café on the way, and where the loaf goes cold."""
    town = Town("hana", door=DOOR)
    walks = {name: cells_of(policy) for name, policy in three_walks(steepness).items()}
    fig, ax = grid.canvas(town.board.shape, 4.8, below=2.2)
    draw_town(ax, town)
    routes = []
    for k, name in enumerate(TOLD):
        (role, words), cells = TOLD[name], walks[name]
        aside = 8.0 * (-1, 0, 1)[k]  # so that no walk hides another
        grid.paths(ax, [cells], role, offset=8.0, first=(1, 0, 2)[k], short=17)
        cold = cells[cells.index(CAFE):-1] if CAFE in cells else []
        if cold:
            ax.plot(*(np.array([centre(c) for c in cold]) + aside).T, **_COLD)
        label = words.format(len(cells) - 1, "cold" if cold else "warm")
        routes.append((cells, role, label))
    for k, (_, role, label) in enumerate(routes):
        y, look = (town.board.shape[0] + 0.3 + 0.5 * k) * UNIT, ROLES[role]
        ax.plot([8, 46], [y, y], color=look.color, ls=look.dash, lw=look.width)
        ax.text(54, y, label, va="center", fontsize=11, color=INK)
    y += 0.5 * UNIT
    ax.plot([17, 37], [y, y], **_COLD)
    ax.text(54, y, "the loaf is cold, from the café on", va="center", fontsize=11, color=INK)
    _, alt = fig_town(town, routes=routes)
    return fig, f"{alt} Crosses mark where the loaf is cold: from the café on."


def fig_readings(s):
    """How probable each worth of the café is, after one naive morning and after two."""
    fig, panels = axes("worth of the café", size=(2.5, 3.2), columns=2,
                       title=["one morning", "two mornings"])
    place = np.arange(len(WORTH))
    for ax, days in zip(panels, ("one", "two"), strict=True):
        for shift, (model, role, hatch) in zip((-0.2, 0.2), (("patient", "harm", "///"),
                                                            ("right", "learner", ""))):
            ax.bar(place + shift, s[f"naive_{model}_{days}"].mean(0), 0.38,
                   color=ROLES[role].color, hatch=hatch, edgecolor=CARD, lw=0)
        ax.set_xticks(place, [f"{c:g}\n(true)" if i == FELT else f"{c:g}"
                              for i, c in enumerate(WORTH)])  # fmt: skip
        ax.set_ylim(0, 1.02)
        ax.axvspan(FELT - 0.45, FELT + 0.45, color=CELL, zorder=0)
    panels[0].text(-0.4, 0.93, "hatched: she is\npatient", color=INK, fontsize=9.5, va="top")
    panels[0].text(-0.4, 0.7, "plain: she is\nnaive", color=INK, fontsize=9.5, va="top")
    panels[1].set_yticklabels([])
    one, two = (s[f"naive_right_{d}"].mean(0) for d in ("one", "two"))
    alt = (
        "Two panels of bars: how probable it is that the café is worth 0, 1, 2, 4 or 8 to Hana, "
        "who is naive; shaded is the truth, 2. Taken to be patient, she wants coffee: all is on 8, "
        f"after one morning and after two. Taken to be naive, one morning leaves 2, 4 and 8 alike "
        f"({one[2]:.2f}, {one[3]:.2f}, {one[4]:.2f}), and a second, with the top street closed, "
        f"rules 8 out ({two[2]:.2f}, {two[3]:.2f}, {two[4]:.2f})."
    )
    return fig, alt


GIVEN = {
    "cafe.felt": WORTH[FELT], "cafe.coffee": WORTH[-1], "cafe.steepness": STEEPNESS,
    "cafe.step": -REWARDS["true"]["step"], "cafe.slips": SLIPS, "cafe.worths": len(WORTH),
    **{f"cafe.{name}": len(cells_of(policy)) - 1 for name, policy in three_walks().items()},
}  # fmt: skip

CLAIMS = [
    Claim(
        id="gi-cafe",
        chapter="08",
        statement="One morning does not tell a wish from a weakness, even to who knows that "
        "Hana is naive; a second one, on which the weakness does not come up, does. Who takes "
        "her to be patient is sure of the wish on both; who takes her to be impatient but of "
        "one mind is in doubt after the first and wrong after the second. The walk of a Hana who "
        "knows herself tells of the temptation although it never goes near.",
        predicate="means over seeds; probabilities that the café is worth 0, 1, 2, 4, 8 to "
        "her (true: 2). Naive Hana enters it on more than 0.8 of mornings, the sophisticated "
        "one on less than 0.2. Of the naive: taken to be patient, 8 has more than 0.8 after "
        "one and after two mornings; taken to be naive, after one morning 2, 4 and 8 have at "
        "least 0.2 each and 0.8 together, after two 8 has less than 0.15 and 2 more than "
        "0.35; with all "
        "models 8 has less than 0.2 then; planning for the right or for all models' reading "
        "earns her at least 4 points more than for the patient one. By exponential discounting, "
        "its discount inferred, 8 has less than 0.7 after one morning and 2 more than 0.05, and "
        "planning for that earns as much more; after two 8 has more than 0.85 and 2 less than "
        "0.02, and it earns 4 points less than the right model. Of the sophisticated, "
        "after one morning: 2 has more than 0.8, taken as such or with all models; taken to "
        "be patient 8 has less than 0.05 and the others are equal within 0.02",
        holds=cafe_holds,
        measure=measure_cafe,
        headline="naive_helped_patient_one",
        status="ours",
        papers=("evans2016learning",),
        source="[A]",
        seeds=tuple(range(1000, 1020)),
        note="Loaf Street, a loaf for door 2, k = 1, temperature 0.02 in discounted points. "
        "The second morning has a barrier on the top street. The patient model does not "
        "discount; its temperature, of four, is inferred. The exponential one has a discount from "
        "0.5 to 1, of seven, and a temperature, of five; at 1 she is patient. In each pair Rollo "
        "plans for the mean.",
    ),
]
