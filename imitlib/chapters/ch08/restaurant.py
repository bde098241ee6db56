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


def all_tastes():
    """Every pair of tastes for doughnuts and vegetables, and its reward: 256 of them."""
    tables = list(product(LEVELS, repeat=4))  # doughnut now, later; vegetables now, later
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


def measure_restaurant(seed: int) -> dict:
    """The two walks, and what each says about tastes under three models of errors."""
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
    # somebody who never errs cannot walk the naive way: a chance of 1e-9 of any step
    chances = {
        name: 1e-9 / 4 + (1 - 1e-9) * delay_plan(
            world, w, aware=aware, temperature=temperature, reward=rewards).policy
        for name, (w, aware, temperature) in models.items()
    }  # fmt: skip
    for walked, cells in PUBLISHED.items():
        seen = seen_at(cells)
        logs = {name: infer.log_likelihoods(chance, *seen, by_step=True).sum(-1)
                for name, chance in chances.items()}
        both = infer.joint([logs["naive"], logs["sophisticated"]])
        out[f"{walked}_told"] = both.models[list(PUBLISHED).index(walked)]
        out[f"{walked}_vegetables"] = both.goals[better].sum()
        for name in ("rational", "noisy"):
            out[f"{walked}_vegetables_{name}"] = infer.posterior(logs[name])[better].sum()
        out[f"{walked}_tempted"] = (both.goals * tempted()).sum()
    out["prior_vegetables"] = better.mean()
    out["prior_tempted"] = tempted().mean()
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
        "knows of both reads the preference that a rational reading turns round.",
        predicate="the likeliest walks of both are the published ones, and the naive one sets "
        "out for the vegetables; the prior probability of tastes that make doughnuts tempting "
        "is below 0.1 and after the naive walk between 0.85 and 0.95 (published: less than "
        "0.1, and closer to 0.9); each walk tells its kind with more than 0.9; that "
        "vegetables are better all told is believed with more than 0.85 after each walk, and "
        "by who takes the naive walker to be rational, exactly or with noise, with less than "
        "0.05; after the sophisticated walk the rational reading says vegetables, too",
        holds=restaurant_holds,
        measure=measure_restaurant,
        headline="naive_vegetables",
        status="reproduced",
        papers=("evans2016learning", "evans2017modeling"),
        literature="Evans, Stuhlmüller, Salvatier and Filan (2017) print both walks, and give "
        "the prior of a tempting doughnut as less than 0.1 and its posterior after the "
        "naive walk as closer to 0.9.",
        exact=True,
        note="Utilities of doughnuts and vegetables, at once and afterwards, from −10, 0, 10, "
        "20, all 256 alike; k = 1; noise 0.001, or for the noisy rational reading 4. The "
        "noiseless rational reading is allowed one step in 1e9 at random. Tempting is "
        "reckoned from the numbers of steps: doughnuts 5 and vegetables 7 from the start.",
    ),
]
