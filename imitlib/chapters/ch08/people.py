"""People who err, each in a way of her own, and what can be read off them all the same.

Twenty small random worlds are planned for as one: islands in a sea that nobody crosses.
On each lives somebody who wants one of twenty rewards. Then there are streets with a
barrier that she does not know of: a plan that fails says what it was for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from imitlib import planning
from imitlib.claims import Claim
from imitlib.counting import draw
from imitlib.envs.grid import neighbours
from imitlib.figures import INK, ROLES, axes
from imitlib.goals import behave, delay_plan, hyperbola, infer, reckon
from imitlib.goals.biased import Person, pick
from imitlib.mdp import MDP

SEEDS = tuple(range(1000, 1010))
ISLANDS, STATES, ACTIONS, WISHES = 20, 6, 3, 20
DISCOUNT, TEMPERATURE, CROWDED = 0.9, 0.1, 0.4
STEPS = (1, 3, 10, 30, 100)  # how long she is watched
WATCHED = STEPS.index(30)
AHEAD = 20  # steps that the two hyperbolic people plan, at every moment anew

SIMPLE = {
    "rational": {},
    "myopic": {"discount": 0.1},
    "short-sighted": {"horizon": 2},
    "optimist": {"mood": 10.0},
    "pessimist": {"mood": -10.0},
    "extremal": {"peak": 0.9},
    "careless": {"temperature": 0.3, "foresees": True},
    "creature of habit": {"leaning": (0.5, 0.0, 0.0)},
}  # fmt: skip
KINDS = (*SIMPLE, "misinformed", "naive", "sophisticated")
BIASED = KINDS[1:]
# how steep the hyperbola is
STEEP = 2.0


# Islands -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sea:
    """Islands side by side, and a second map of each that is half wrong.

    Attributes
    ----------
    world, map : MDP
        S = islands · 6 states, 3 actions; what is true, and what the misinformed believe.
    wishes : (20, S, 3) array
        Candidate rewards, the same numbers of which belong together on an island.
    truth : (islands,) array
        Which of them its inhabitant wants.
    """

    world: MDP
    map: MDP
    wishes: np.ndarray
    truth: np.ndarray


def sea(rng, islands: int = ISLANDS) -> Sea:
    """Random transitions, Dirichlet 0.4; rewards of places, uniform in [0, 1]."""
    chances = rng.dirichlet(np.full(STATES, CROWDED), (islands, STATES, ACTIONS))
    # in half of all places she takes the first two actions for one another
    swapped = rng.random((islands, STATES)) < 0.5
    believed = np.where(swapped[..., None, None], chances[:, :, [1, 0, 2]], chances)
    of_places = rng.random((WISHES, islands * STATES))
    truth = rng.integers(WISHES, size=islands)
    wishes = np.repeat(of_places[..., None], ACTIONS, axis=-1)

    def joined(blocks):
        rows = blocks.reshape(islands, STATES * ACTIONS, STATES)
        return MDP(sparse.block_diag(list(rows), format="csr"), wishes[0], DISCOUNT)

    return Sea(joined(chances), joined(believed), wishes, truth)


def policies(kind: str, where: Sea, temperature: float = TEMPERATURE, wishes=None):
    """What people of that kind do for every wish, (20, S, 3)."""
    wishes = where.wishes if wishes is None else wishes
    if kind in ("naive", "sophisticated"):
        plan = delay_plan(where.world, hyperbola(STEEP, AHEAD), temperature=temperature,
                          aware=kind == "sophisticated", reward=wishes)
        return plan.policy[0]  # she plans anew at every moment
    edits = {"belief": where.map} if kind == "misinformed" else SIMPLE[kind]
    return behave(where.world, Person(**{"temperature": temperature} | edits), reward=wishes)


def islanders(where: Sea, of_all) -> np.ndarray:
    """Of the policies (20, S, 3), what each island's inhabitant does, (S, 3)."""
    wanted = np.repeat(where.truth, STATES)
    return of_all[wanted, np.arange(len(wanted))]


def watch(where: Sea, policy, steps: int, rng):
    """One walk on each island: states and actions, (islands, steps)."""
    now = np.arange(len(where.truth)) * STATES + rng.integers(STATES, size=len(where.truth))
    states, actions = np.empty((2, len(now), steps), int)
    for t in range(steps):
        states[:, t], actions[:, t] = now, draw(policy[now], rng)
        now = where.world.sample(now, actions[:, t], rng)
    return states, actions


def evidence(of_all, states, actions) -> np.ndarray:
    r""":math:`\log p(D \mid \theta)` by island, for the first so many steps.

    Policies (..., 20, S, 3) -> (..., islands, STEPS, 20).
    """
    logs = infer.log_likelihoods(of_all, states.ravel(), actions.ravel())
    logs = logs.reshape(*logs.shape[:-1], *states.shape).cumsum(axis=-1)
    return np.moveaxis(logs[..., np.array(STEPS) - 1], -3, -1)


HOT = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 1e6)  # temperatures that she may have


@dataclass(frozen=True, eq=False)
class Survey:
    """Eleven kinds of people watched on every island, and what each model says of them.

    Attributes
    ----------
    where : Sea
    q : (20, S, 3) array
        What each action is truly worth, for every wish.
    acts : (11, S, 3) array
        What the inhabitants do, by kind.
    states, actions : (11, islands, 100) arrays
    logs : (11, 20, islands, 5, 20) array
        By kind of person; model (11 kinds, then a rational one at 9 temperatures);
        island; number of steps seen; wish.
    """

    where: Sea
    q: np.ndarray
    acts: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    logs: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """The wish of each (kind, island, number of steps)."""
        shape = (len(KINDS), len(self.where.truth), len(STEPS))
        return np.broadcast_to(self.where.truth[None, :, None], shape)

    def belief(self, model: str) -> np.ndarray:
        """What to believe of the wish, (11, islands, 5, 20), under one of `MODELS`."""
        k = np.arange(len(KINDS))
        if model == "right":
            return infer.posterior(self.logs[k, k])
        if model == "rational":
            return infer.posterior(self.logs[:, 0])
        several = self.logs[:, :len(KINDS)] if model == "all kinds" else self.logs[:, len(KINDS):]
        several = np.moveaxis(several, 1, -2)  # (11, islands, 5, models, 20)
        if model == "fitted":
            best = infer.fitted(several)[..., None, None]
            return np.take_along_axis(infer.posterior(several), best, axis=-2)[..., 0, :]
        return infer.joint(several).goals


MODELS = ("right", "rational", "fitted", "any temperature", "all kinds")


def survey(rng, islands: int = ISLANDS) -> Survey:
    """Draw a sea, people it with each kind in turn, watch, and reckon."""
    where = sea(rng, islands)
    q = reckon(where.world, Person(), reward=where.wishes)
    does = np.array([policies(kind, where) for kind in KINDS])
    models = np.concatenate([does, [pick(q, temperature) for temperature in HOT]])
    acts = np.array([islanders(where, of_all) for of_all in does])
    walks = [watch(where, policy, STEPS[-1], rng) for policy in acts]
    states, actions = (np.array(x) for x in zip(*walks, strict=True))
    logs = np.array([evidence(models, s, a) for s, a in walks])
    return Survey(where, q, acts, states, actions, logs)


def lost(where: Sea, policies_) -> np.ndarray:
    """What each policy (K, S, 3) loses, over islands: 0 for the best, 1 for acting at random."""
    wanted = islanders(where, where.wishes)

    def by_island(values):
        return values.reshape(-1, STATES).mean(axis=1)

    best = by_island(planning.value_iteration(where.world, reward=wanted).values)
    chance, *got = (by_island(planning.evaluate(where.world, p, reward=wanted))
                    for p in (np.full(wanted.shape, 1 / ACTIONS), *policies_))
    return ((best - np.array(got)) / (best - chance)).mean(axis=1)


def serve(where: Sea, belief) -> np.ndarray:
    """Rollo plans for the mean of what she may want: (K, islands, 20) -> policies (K, S, 3)."""
    mean = np.einsum("gsa,ksg->ksa", where.wishes, np.repeat(belief, STATES, axis=1))
    return planning.value_iteration(where.world, reward=mean).policy


# Streets with a barrier that she has not heard of ---------------------------------------

SIDE, WALKS, HURRY = 7, 20, 0.3  # cells, failing walks for each seed, her temperature


def streets(rng):
    """A square with some houses, four doors at the corners; a start, a door, a barrier.

    The barrier stands on her way to the door, and the door can still be reached. Returns
    the open streets, the cell of the barrier, the four doors, the right one, the start.
    """
    while True:
        open_ = rng.random((SIDE, SIDE)) > 0.2
        corners = [(0, 0), (0, SIDE - 1), (SIDE - 1, 0), (SIDE - 1, SIDE - 1)]
        for corner in (*corners, (SIDE // 2, SIDE // 2)):
            open_[corner] = True
        number = np.where(open_, np.cumsum(open_).reshape(SIDE, SIDE) - 1, -1)
        ahead, start = neighbours(number), int(number[SIDE // 2, SIDE // 2])
        doors, right = np.array([number[c] for c in corners]), int(rng.integers(4))
        way = _route(ahead, start, int(doors[right]))
        if way is None:
            continue
        barrier = int(rng.choice(way[3:-1]))
        closed = closed_at(ahead, barrier)
        if all(_route(closed, start, int(d)) is not None for d in doors):
            return ahead, barrier, doors, right, start


def closed_at(ahead, barrier: int):
    """The same streets with a cell that cannot be entered."""
    return np.where(ahead == barrier, np.arange(len(ahead))[:, None], ahead)


def _route(ahead, start, goal):
    """A shortest way, by breadth-first search; None where there is none."""
    came = {start: None}
    for here in (queue := [start]):
        for there in ahead[here].tolist():
            if there not in came:
                came[there] = here
                queue.append(there)
    if goal not in came:
        return None
    way = [goal]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]


def to_doors(ahead, doors, temperature: float = TEMPERATURE) -> np.ndarray:
    """Policies (4, S, 4) of somebody who wants a loaf at one of the doors, 1 a step."""
    out = []
    for door in doors:
        there = ahead.copy()
        there[door] = door
        cost = np.full(ahead.shape, -1.0)
        cost[door] = 0.0
        out.append(behave(MDP(there, cost, 1.0), Person(temperature, horizon=60)))
    return np.array(out)


def failing_walk(rng, temperature: float = HURRY):
    """She walks by yesterday's map until she bumps into the barrier; what is said of it.

    Returns the log-likelihoods (2, 4) of the walk for each door, of somebody who knows
    of the barrier and of somebody who does not; the right door; states and actions.
    """
    ahead, barrier, doors, right, start = streets(rng)
    closed = closed_at(ahead, barrier)
    unaware, aware = (to_doors(a, doors, temperature) for a in (ahead, closed))
    while True:
        states, actions, now = [], [], start
        while now != doors[right] and len(states) < 60:
            a = int(draw(unaware[right][[now]], rng)[0])
            states.append(now)
            actions.append(a)
            if ahead[now, a] == barrier:
                logs = [infer.log_likelihoods(p, np.array(states), np.array(actions)).sum(-1)
                        for p in (aware, unaware)]
                return np.array(logs), right, (states, actions)
            now = int(ahead[now, a])


# What is measured ------------------------------------------------------------------------


def measure_suboptimal(seed: int) -> dict:
    """What people lose, and what Rollo loses who has watched them; plans that fail."""
    rng = np.random.default_rng(seed)
    seen = survey(rng)
    where, out = seen.where, {}
    out["own"] = lost(where, seen.acts).tolist()
    for model in ("right", "rational", "all kinds"):
        served = serve(where, seen.belief(model)[:, :, WATCHED])
        out[f"served_{model.split()[0]}"] = lost(where, served).tolist()
    walks = [failing_walk(rng) for _ in range(WALKS)]
    logs, right = np.array([w[0] for w in walks]), np.array([w[1] for w in walks])
    beliefs = {"told": infer.posterior(logs[:, 0]), "untold": infer.posterior(logs[:, 1]),
               "either": infer.joint(logs).goals}
    for name, belief in beliefs.items():
        out[f"door_{name}"] = float((belief.argmax(-1) == right).mean())
        out[f"loss_{name}"] = float(infer.log_loss(belief, right).mean())
    return out


def suboptimal_holds(s) -> bool:
    """See the claim's predicate."""
    own, right, rational, kinds = (s[name].mean(0) for name in
                                   ("own", "served_right", "served_rational", "served_all"))
    biased = slice(1, None)
    return bool(
        own.min() > 0.2 and (right < own - 0.15)[biased].sum() >= 8
        and right[biased].mean() < 0.6 * own[biased].mean()
        and rational[biased].mean() > right[biased].mean() + 0.07
        and kinds[biased].mean() < rational[biased].mean() - 0.03
        and abs(rational[0] - right[0]) < 1e-9
        and s.mean("door_untold") > s.mean("door_told") + 0.05
        and s.mean("door_either") > s.mean("door_told") + 0.05
        and s.mean("loss_told") > s.mean("loss_untold") + 0.5
        and max(s.mean("loss_untold"), s.mean("loss_either")) < 0.4
    )


def average(s) -> dict:
    """Means over the ten kinds that are biased."""
    return {f"{name}.biased": float(s[name][:, 1:].mean()) for name in
            ("own", "served_right", "served_rational", "served_all")}


def fig_suboptimal(s):
    """A row for each kind of person: what she loses, and what Rollo loses in her service."""
    order = np.argsort(s["own"].mean(0))
    fig, ax = axes("share lost (0: the best, 1: at random)", size=(4.8, 4.2))
    series = (("own", "person", "she herself"),
              ("served_rational", "harm", "Rollo: she is rational"),
              ("served_right", "learner", "Rollo: her own errors"))
    rows(ax, [KINDS[k] for k in order], [(s[name].mean(0)[order], role, label)
                                         for name, role, label in series])
    mean = {name: s[name][:, 1:].mean() for name, *_ in series}
    alt = (
        "A row for each of eleven kinds of people, and along the axis the share that is lost "
        f"of what could be had. The ten biased kinds lose {mean['own']:.2f} on average; Rollo, "
        f"who takes them to be rational, {mean['served_rational']:.2f}; Rollo, who knows their "
        f"kind of error, {mean['served_right']:.2f}, and in each row less than she does."
    )
    return fig, alt


def rows(ax, names, series):
    """Dots in a row for each name, and a key above."""
    for k, (values, role, label) in enumerate(series):
        look = ROLES[role]
        ax.plot(values, np.arange(len(names)), look.marker, color=look.color, ms=7, ls="none",
                label=label, zorder=3 + k)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(axis="y", color="#D5DAE1", linewidth=0.6)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.45, 1.0), ncols=2, frameon=False,
              fontsize=9.5, handletextpad=0.2, columnspacing=1.0, labelcolor=INK)


GIVEN = {
    "islands": ISLANDS, "wishes": WISHES, "watched": STEPS[WATCHED], "steepness": STEEP,
    "temperature": TEMPERATURE, "short-sighted": SIMPLE["short-sighted"]["horizon"],
    "myopic": SIMPLE["myopic"]["discount"], "kinds": len(KINDS), "walks": WALKS,
    "hurry": HURRY, "failing": WALKS * len(SEEDS), "ahead": AHEAD, "discount": DISCOUNT, "doors": 4,
}  # fmt: skip

CLAIMS = [
    Claim(
        id="gi-suboptimal",
        chapter="08",
        statement="What people want can be inferred from what they do although they act "
        "suboptimally, or fail, if their kind of error is known; who then serves them does "
        "better than they do themselves.",
        predicate="means over seeds: every kind of person loses more than 0.2 of what can be "
        "had beyond chance, and Rollo, who has seen 30 of her steps and knows her kind of "
        "error, for at least eight of ten biased kinds 0.15 less than she; over the ten less "
        "than 0.6 of what they lose, 0.07 less than if it takes them to be rational, and if "
        "only the list of kinds is known still 0.03 less; for the rational kind the two are "
        "equal. From walks that end at a barrier she did not know of, the right one of four "
        "doors is read at least 0.05 more often by who reckons with her not knowing, or with "
        "both, than by who takes her to know, whose log-loss is 0.5 above the other's; "
        "those of the first two are below 0.4",
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
        rtol={"own": 1e-6, **{f"served_{m}": ("abs", 0.02) for m in ("right", "rational", "all")}},
        note="Each seed draws 20 islands of 6 states and 3 actions, 20 candidate rewards for "
        "each, and one inhabitant of each of eleven kinds on every island, temperature 0.1; "
        "and 20 squares of 7 by 7 cells with a barrier. Rollo plans for the posterior mean. "
        "The true reward is always among the candidates.",
    ),
]
