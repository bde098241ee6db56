"""People who err, each in a way of her own, and what can be read off them all the same.

Twenty small random worlds are planned for as one: islands in a sea that nobody crosses.
On each lives somebody who wants one of twenty rewards. `suboptimal`, `mistakes` and
`wrong_model` say what can be read off them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from imitlib import planning
from imitlib.counting import draw
from imitlib.figures import INK, ROLES
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


def policies(kind: str, where: Sea, temperature: float | None = None, wishes=None):
    """What people of that kind do for every wish, (20, S, 3).

    At the kind's own temperature, or at another; for other wishes than the sea's.
    """
    wishes = where.wishes if wishes is None else wishes
    edits = {"belief": where.map} if kind == "misinformed" else SIMPLE.get(kind, {})
    heat = edits.get("temperature", TEMPERATURE) if temperature is None else temperature
    if kind in ("naive", "sophisticated"):
        plan = delay_plan(where.world, hyperbola(STEEP, AHEAD), temperature=heat,
                          aware=kind == "sophisticated", reward=wishes)
        return plan.policy[0]  # she plans anew at every moment
    return behave(where.world, Person(**edits | {"temperature": heat}), reward=wishes)


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


def rows(ax, names, series):
    """Dots in a row for each name, and a key above."""
    for k, (values, role, label) in enumerate(series):
        look = ROLES[role]
        aside = 0.13 * (k - (len(series) - 1) / 2)  # so that no mark hides another
        ax.plot(values, np.arange(len(names)) - aside, look.marker, color=look.color, ms=7,
                ls="none", label=label, zorder=3 + k)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(axis="y", color="#D5DAE1", linewidth=0.6)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.45, 1.0), ncols=2, frameon=False,
              fontsize=9.5, handletextpad=0.2, columnspacing=1.0, labelcolor=INK)


GIVEN = {
    "islands": ISLANDS, "wishes": WISHES, "watched": STEPS[WATCHED], "steepness": STEEP,
    "temperature": TEMPERATURE, "short-sighted": SIMPLE["short-sighted"]["horizon"],
    "myopic": SIMPLE["myopic"]["discount"], "kinds": len(KINDS), "ahead": AHEAD,
    "discount": DISCOUNT, "careless": SIMPLE["careless"]["temperature"],
}  # fmt: skip
