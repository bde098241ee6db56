"""The restaurants of Evans, Stuhlmüller and Goodman: a temptation on the way.

The naive walker plans to pass the doughnuts; the sophisticated one goes round.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from imitlib.claims import Claim
from imitlib.envs import grid_picture as grid
from imitlib.envs.grid_picture import UNIT, centre
from imitlib.figures import CELL, INK, ROLES, WALL
from imitlib.goals import delay_plan, hyperbola, infer
from imitlib.mdp import MDP

# north is up; N and S sell doughnuts, V vegetables, O noodles; B is where he starts
BLOCK = ("####V#", "###...", "##N.#.", "###.#.", "###...", "###.#O", "...B##", "S##.##")
START, STEPS = (3, 1), 11
TIME = -0.01
MOVES = ((0, 1), (1, 0), (0, -1), (-1, 0))  # (column, row), rows counted from the bottom
PUBLISHED = {  # Evans and others' book, agentmodels.org, chapter 5e
    "naive": [(3, 1), (3, 2), (3, 3), (3, 4), (3, 5), (2, 5)],
    "sophisticated": [(3, 1), (3, 2), (3, 3), (4, 3), (5, 3), (5, 4), (5, 5), (5, 6),
                      (4, 6), (4, 7)],
}  # fmt: skip
TASTES = {"N": (10, -10), "S": (10, -10), "V": (-10, 20), "O": (0, 0)}
LEVELS = (-10, 0, 10, 20)  # what a meal may be worth, at once and afterwards
# the 25 tastes with which the book leaves noise and discounting open
FEW = ((-10, 0, 10, 20, 30), (-10,), (-10, 0, 10, 20, 30), (20,))
NOISES = (1e-3, 0.1, 10.0)  # its noise, where that is inferred
TIMES = {"": 1, "_three": 3, "_five": 5}  # how often the same walk is seen


@cache
def block() -> tuple[MDP, dict, list]:
    """The block as a world: a state is (cell, the cell before), a meal has two moments.

    Nobody turns back, nobody leaves a restaurant but by the end of the meal. Returns
    the world without its rewards, the numbers of the moments, and the cells.
    """
    sign = {(c, 7 - r): s for r, row in enumerate(BLOCK) for c, s in enumerate(row) if s != "#"}
    number, queue, ahead = {(START, None): 0}, [(START, None)], []
    meals = {}
    for here in queue:
        cell, before = here
        if cell is None:  # the end
            after = [here] * 4
        elif sign[cell] in TASTES:  # first moment, second moment, end
            after = [(cell, "later") if before != "later" else (None, None)] * 4
            meals.setdefault(sign[cell], {}).setdefault(before == "later", []).append(number[here])
        else:
            after = [(t, cell) if t in sign and t != before else here
                     for t in ((cell[0] + x, cell[1] + y) for x, y in MOVES)]  # fmt: skip
        for there in after:
            if there not in number:
                number[there] = len(number)
                queue.append(there)
        ahead.append([number[there] for there in after])
    ahead = np.array(ahead)
    return MDP(ahead, np.zeros(ahead.shape), 1.0, 0), meals, [cell for cell, _ in queue]


def pays(tastes) -> np.ndarray:
    """The reward (S, 4): each meal at once and afterwards, a little for each step."""
    world, meals, cells = block()
    reward = np.full(world.reward.shape, TIME)
    reward[world.transitions == np.arange(len(cells))[:, None]] = -1e3  # against a wall, or back
    reward[[cell is None for cell in cells]] = 0.0
    for sign, moments in meals.items():
        for later, states in moments.items():
            reward[states] = tastes[sign][int(later)]
    return reward


def route(policy) -> list:
    """The likeliest walk of a policy by step, as cells, up to the meal."""
    world, _, cells = block()
    state, out = 0, [cells[0]]
    for table in policy:
        state = int(world.transitions[state, table[state].argmax()])
        if cells[state] is None or cells[state] == out[-1]:
            break
        out.append(cells[state])
    return out


def seen_at(walked) -> tuple[np.ndarray, np.ndarray]:
    """States and actions of a published walk, up to its meal."""
    world, _, cells = block()
    state, states, actions = 0, [], []
    for there in walked[1:]:
        a = next(a for a in range(4) if cells[world.transitions[state, a]] == there)
        states.append(state)
        actions.append(a)
        state = int(world.transitions[state, a])
    return np.array(states), np.array(actions)


def all_tastes(levels=(LEVELS,) * 4):
    """Every pair of tastes for doughnuts and vegetables, and its reward: 256 of them."""
    tables = list(product(*levels))  # doughnut now, later; vegetables now, later
    return np.array(tables), np.array([
        pays({"N": t[:2], "S": t[:2], "V": t[2:], "O": (-10, -10)}) for t in tables
    ])  # fmt: skip


@cache
def tempted() -> np.ndarray:
    """For which tastes one prefers vegetables at the start, and doughnuts beside them."""
    tables, _ = all_tastes()
    now, later, green, green_later = tables.T.astype(float)

    def prefers(doughnut_in, vegetables_in):  # steps until each meal
        w = hyperbola(1.0, 20)
        return (green * w[vegetables_in] + green_later * w[vegetables_in + 1]
                > now * w[doughnut_in] + later * w[doughnut_in + 1])

    # from the start N is 5 steps away and V 7 (straight on); beside N, 1 and 3
    return prefers(5, 7) & ~prefers(1, 3)


def chances(rewards, weights, aware, noise) -> np.ndarray:
    """A policy by step for each taste.

    Somebody who never errs cannot walk the naive way: a chance of 1e-9 of any step.
    """
    plan = delay_plan(block()[0], weights, aware=aware, temperature=noise, reward=rewards)
    return 1e-9 / 4 + (1 - 1e-9) * plan.policy


def left_open(seen, rewards):
    """How well he explains a walk, by (kind and noise, taste), and the prior of each.

    As in the book: he discounts or not, with one half each; if he does, he is naive or
    sophisticated. Kinds by noises, nine in all.
    """
    patient, weights = np.ones(STEPS), hyperbola(1.0, STEPS)
    kinds = [(patient, False, 1 / 2), (weights, False, 1 / 4), (weights, True, 1 / 4)]
    logs = np.array([
        infer.log_likelihoods(chances(rewards, w, aware, noise), *seen, by_step=True).sum(-1)
        for w, aware, _ in kinds for noise in NOISES
    ])  # fmt: skip
    prior = np.repeat([p / len(NOISES) for *_, p in kinds], len(NOISES))
    return logs, prior[:, None] * np.full(logs.shape, 1 / logs.shape[1])


def measure_open() -> dict:
    """After the naive walk: are vegetables better, and is he as noisy as can be?"""
    out, seen = {}, seen_at(PUBLISHED["naive"])
    for name, (tables, rewards) in (("naive", all_tastes()), ("few", all_tastes(FEW))):
        better = tables[:, 2:].sum(1) > tables[:, :2].sum(1)
        logs, prior = left_open(seen, rewards)
        for days, times in TIMES.items():
            both = infer.joint(times * logs, prior)
            out[f"{name}_vegetables_open{days}"] = both.goals[better].sum()
            out[f"{name}_noise_open{days}"] = both.models[len(NOISES) - 1 :: len(NOISES)].sum()
            if name == "naive":  # the three kinds of one third each
                out[f"naive_vegetables_alike{days}"] = infer.joint(times * logs).goals[better].sum()
    return out


def measure_restaurant(seed: int) -> dict:
    """The two walks, and what each says about tastes under several models of errors."""
    world, _, _ = block()
    weights = hyperbola(1.0, STEPS)
    plans = {name: delay_plan(world, weights, aware=name == "sophisticated",
                              temperature=1 / 500, reward=pays(TASTES)) for name in PUBLISHED}
    out = {f"{name}_as_published": float(route(plan.policy) == PUBLISHED[name])
           for name, plan in plans.items()}
    out["meant_vegetables"] = float(route(plans["naive"].meant)[-1] == (4, 7))

    tables, rewards = all_tastes()
    better = tables[:, 2:].sum(1) > tables[:, :2].sum(1)  # vegetables, all told
    models = {
        "naive": (weights, False, 1e-3), "sophisticated": (weights, True, 1e-3),
        "rational": (np.ones(STEPS), False, 1e-3), "noisy": (np.ones(STEPS), False, 4.0),
    }  # fmt: skip
    does = {name: chances(rewards, *model) for name, model in models.items()}
    for walked, cells in PUBLISHED.items():
        seen = seen_at(cells)
        logs = {name: infer.log_likelihoods(chance, *seen, by_step=True).sum(-1)
                for name, chance in does.items()}
        both = infer.joint([logs["naive"], logs["sophisticated"]])
        out[f"{walked}_told"] = both.models[list(PUBLISHED).index(walked)]
        out[f"{walked}_vegetables"] = both.goals[better].sum()
        for name in ("rational", "noisy"):
            out[f"{walked}_vegetables_{name}"] = infer.posterior(logs[name])[better].sum()
        out[f"{walked}_tempted"] = (both.goals * tempted()).sum()
    out["prior_vegetables"] = better.mean()
    out["prior_tempted"] = tempted().mean()
    out |= measure_open()
    return {name: float(value) for name, value in out.items()}


def restaurant_holds(s) -> bool:
    """See the claim's predicate."""
    v = {name: float(values[0]) for name, values in s.values.items()}
    return bool(
        v["naive_as_published"] == v["sophisticated_as_published"] == v["meant_vegetables"] == 1
        and v["prior_tempted"] < 0.1 and 0.85 < v["naive_tempted"] < 0.95
        and min(v["naive_told"], v["sophisticated_told"]) > 0.9
        and min(v["naive_vegetables"], v["sophisticated_vegetables"]) > 0.85
        and max(v["naive_vegetables_rational"], v["naive_vegetables_noisy"]) < 0.05
        and v["sophisticated_vegetables_rational"] > 0.9
        and v["naive_vegetables_open"] < v["naive_vegetables_open_three"] < v["prior_vegetables"]
        and v["naive_vegetables_alike"] < v["prior_vegetables"] < v["naive_vegetables_alike_three"]
        and v["naive_noise_open"] > 0.45 and v["naive_vegetables_open_five"] > 0.6
        and v["few_noise_open"] > 0.4 and v["few_noise_open_three"] < 0.05
        and v["few_vegetables_open_three"] > 0.9 > v["few_vegetables_open"]
    )


def fig_restaurants():
    """The block of the literature with the two walks."""
    board = np.array([list(row) for row in BLOCK])
    fig, ax = grid.canvas(board.shape, 4.2, below=1.0)
    names = {"V": "veg", "N": "dough-\nnuts", "S": "dough-\nnuts", "O": "nood-\nles", "B": "start"}
    for cell, sign in np.ndenumerate(board):
        grid.tile(ax, cell, WALL if sign == "#" else CELL)
        if sign in names:  # the walks begin above their word
            at = centre(cell) + (0, 16 if sign == "B" else 0)
            ax.text(*at, names[sign], ha="center", va="center", fontsize=8.5, color=INK)
    for k, (walked, role) in enumerate((("naive", "person"), ("sophisticated", "optimum"))):
        plan = delay_plan(block()[0], hyperbola(1.0, STEPS), aware=walked == "sophisticated",
                          temperature=1 / 500, reward=pays(TASTES))
        cells = [(7 - row, column) for column, row in route(plan.policy)]
        grid.paths(ax, [cells], role, first=k, short=14)
        look = ROLES[role]
        y = (board.shape[0] + 0.25 + 0.5 * k) * UNIT
        ax.plot([0.1 * UNIT, 0.8 * UNIT], [y, y], color=look.color, ls=look.dash, lw=look.width)
        ax.text(0.95 * UNIT, y, f"{walked}: {len(cells) - 1} steps", va="center", color=INK,
                fontsize=10)
    alt = (
        "A map of eight rows and six columns with four places to eat. From the start in the "
        "second row from below, the naive walker goes straight up and turns left into the "
        "doughnut shop beside the way, 5 steps; the sophisticated one turns right two rows "
        "before it and reaches the vegetables at the top by the longer way, 9 steps."
    )
    return fig, alt


GIVEN = {"restaurant.tastes": len(LEVELS) ** 4, "restaurant.noise": 4}

CLAIMS = [
    Claim(
        id="gi-restaurant",
        chapter="08",
        statement="A naive hyperbolic planner is tempted on the way and a sophisticated one "
        "goes round: both walks of the literature come out step by step, and inference that "
        "knows of both reads the preference that a rational reading turns round. Where noise "
        "and discounting are left open, one naive walk does not tell, and the same walk again "
        "and again does.",
        predicate="the likeliest walks of both are the published ones, and the naive one sets "
        "out for the vegetables; the prior probability of tastes that make doughnuts tempting "
        "is below 0.1 and after the naive walk between 0.85 and 0.95 (published: less than "
        "0.1, and closer to 0.9); each walk tells its kind with more than 0.9; that "
        "vegetables are better all told is believed with more than 0.85 after each walk, and "
        "by who takes the naive walker to be rational, exactly or with noise, with less than "
        "0.05; after the sophisticated walk the rational reading says vegetables, too. Where he "
        "may discount or not, with one of three noises: after one naive walk and after three, "
        "vegetables are believed better with less than before, after three with more than after "
        "one, after five with more than 0.6, and if the three kinds are alike beforehand, with "
        "less than before after one walk and with more after three; "
        "the highest noise has more than 0.45 after one. With "
        "the book's 25 tastes that noise has more than 0.4 after one and less than 0.05 after "
        "three, and vegetables less than 0.9, then more",
        holds=restaurant_holds,
        measure=measure_restaurant,
        headline="naive_vegetables",
        status="reproduced",
        papers=("evans2016learning", "evans2017modeling"),
        literature="Evans, Stuhlmüller, Salvatier and Filan (2017) print both walks, and give "
        "the prior of a tempting doughnut as less than 0.1 and its posterior after the "
        "naive walk as closer to 0.9. Where noise and discounting are inferred, too, they "
        "find noise a likely reading of one naive walk, but not of three.",
        exact=True,
        note="Utilities of doughnuts and vegetables, at once and afterwards, from −10, 0, 10, "
        "20, all 256 alike; k = 1; noise 0.001, or for the noisy rational reading 4. The "
        "noiseless rational reading is allowed one step in 1e9 at random. Tempting is "
        "reckoned from the numbers of steps: doughnuts 5 and vegetables 7 from the start. "
        "Left open is, as in the book, whether he discounts, one half each; then whether he is "
        "naive; and the noise, 0.001, 0.1 or 10. The book's 25 tastes fix what is felt "
        "afterwards: −10 for doughnuts, 20 for vegetables.",
    ),
]
