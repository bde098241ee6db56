"""Chapter 01, wishes: a reward that leaves something out, and a walk that does not.

Rollo practises on three rewards that somebody might well write down, and on the
right one. Each time it is judged twice: by the reward that it was given, and by what
Hana wants. The clone of a single walk of hers is judged by the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib import planning, rl
from imitlib.chapters.ch01.hana import town
from imitlib.claims import Claim
from imitlib.counting import fit_table
from imitlib.envs.town import TownEnv
from imitlib.figures import INK, MUTED, ROLES, axes
from imitlib.tabular_experts import optimal, walk

SEEDS = tuple(range(1000, 1010))
HORIZON, PRACTICE, DISCOUNT, HASTY = 60, 40_000, 0.99, 0.9
WISHES = ("stated", "nearer", "warm")
WORDS = {
    "stated": "what Hana said at first",
    "nearer": "a point for coming nearer",
    "warm": "a little for every warm step",
    "true": "everything, garden included",
}
NEARER, WARM = 1.0, 0.3


@cache
def wishes() -> dict[str, np.ndarray]:
    """The rewards, (S, A) each: three that leave something out, and the right one."""
    street, happens = town(), town().events
    cell, warm = street.parts(np.arange(street.n_states))[3], happens["step"].copy()
    warm[street.parts(np.arange(street.n_states))[2] == 1] = 0
    away = steps_away(street)
    nearer = np.maximum(away[cell][:, None] - away[cell][street.successors], 0)
    arrives = happens["warm"] + happens["cold"]
    return {
        "stated": street.reward(garden=0),
        "nearer": NEARER * nearer + 10 * arrives,
        "warm": WARM * warm + 10 * happens["warm"],
        "true": street.reward(),
    }


def steps_away(street) -> np.ndarray:
    """Steps from each cell to the right door, over anything that is no house, (C,)."""
    only_steps = street.mdp(street.reward(step=-1, garden=0, warm=0, cold=0))
    return -planning.value_iteration(only_steps).values[: len(street.cells)]


def judged(policy, reward) -> dict:
    """What a policy earns by a reward, by Hana's, and what it does, in one episode."""
    mdp, happens = town().mdp(), town().events
    visits = planning.occupancy(mdp, policy, horizon=HORIZON)
    return {
        "asked": float((visits * reward).sum()),
        "true": float((visits * mdp.reward).sum()),
        "gardens": float((visits * happens["garden"]).sum()),
        "arrives": float((visits * (happens["warm"] + happens["cold"])).sum()),
    }


def hers(rng) -> np.ndarray:
    """The clone of one walk."""
    mdp = town().mdp()
    diary = walk(mdp, optimal(mdp), 1, HORIZON, rng)
    return fit_table(
        diary.observations, diary.actions, mdp.n_states, mdp.n_actions, rng
    ).policy


def practised(reward, rng, steps=PRACTICE) -> np.ndarray:
    """What Q-learning makes of a reward: of equally good actions, the first."""
    env = TownEnv(town=town(), reward=reward, horizon=HORIZON)
    learned = rl.q_learning(
        env, steps, rng, discount=DISCOUNT, step_size=1.0, epsilon=0.1
    )
    return np.eye(env.action_space.n)[learned.policy.argmax(axis=1)]


def measure_wishes(seed: int) -> dict:
    """For each reward: what practice and what the clone earn by it, and by Hana's."""
    rng = np.random.default_rng(seed)
    clone, out = hers(rng), {}
    for name, reward in wishes().items():
        told = judged(practised(reward, rng), reward)
        out |= {f"{key}_{name}": value for key, value in told.items()}
        out[f"asked_{name}_clone"] = judged(clone, reward)["asked"]
        hasty = planning.value_iteration(town().mdp(discount=HASTY), reward=reward)
        out[f"hasty_{name}"] = judged(hasty.policy, reward)["true"]
    planned = planning.backward_induction(town().mdp(), HORIZON, reward=wishes()["stated"])
    out["true_stated_planner"] = judged(planned.policy, wishes()["stated"])["true"]
    return out | {f"{key}_clone": v for key, v in judged(clone, wishes()["true"]).items()}


def wishes_hold(s) -> bool:
    """See the claim's predicate."""
    misled = [
        (s[f"asked_{name}"] > s[f"asked_{name}_clone"]).all()
        and (s[f"true_{name}"] < s["true_clone"] - 5).all()
        for name in WISHES
    ]
    return (
        all(misled)
        and (np.abs(s["true_clone"] - 7.8) < 1e-9).all()
        and np.abs(s["true_stated_planner"] + 7.4).max() < 1e-9
        and all(np.abs(s[f"hasty_{name}"] + 7.4).max() < 1e-9 for name in WISHES)
        and np.abs(s["hasty_true"] - 7.8).max() < 1e-9
        and (s["gardens_stated"] == 2).all()
        and (s["arrives_nearer"] + s["arrives_warm"] == 0).all()
        and (s["true_true"] > s["true_clone"] - 0.5).all()
    )


def fig_wishes(s):
    """What Hana gets, by what was asked for."""
    fig, ax = axes("what Hana gets (true return)", "Rollo was told …", size=(4.8, 3.6))
    rows = ["clone", "true", *WISHES][::-1]
    names = {"clone": "nothing: it was shown, once"} | WORDS
    for y, name in enumerate(rows):
        look = ROLES[{"clone": "learner", "true": "robot"}.get(name, "harm")]
        earned = s[f"true_{name}"]
        aside = y - 0.15 + np.linspace(-0.12, 0.12, len(earned))
        ax.plot(earned, aside, look.marker, color=look.color, ms=5, alpha=0.7, ls="none")
        ax.text(-34.5, y + 0.22, names[name], color=INK, va="center")
    hers = s.mean("true_clone")
    ax.axvline(hers, color=MUTED, lw=1.0, ls=(0, (6, 2, 1, 2)), zorder=0)
    ax.text(hers, len(rows) - 0.45, "Hana", ha="center", color=INK)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlim(-35, 13)
    ax.set_ylim(-0.5, len(rows) - 0.5)
    told = "; ".join(f"{WORDS[name]}: {s.mean(f'true_{name}'):.1f}" for name in WISHES)
    alt = (
        f"True return of what Rollo learned, by what it was told. {told}; everything: "
        f"{s.mean('true_true'):.1f}; shown one walk and told nothing: {hers:.1f}, which "
        "is Hana's own."
    )
    return fig, alt


GIVEN = {
    "wish_warm": WARM, "wish_horizon": HORIZON, "wish_discount": DISCOUNT,
    "wish_hasty": HASTY, "wish_practice": PRACTICE,
}  # fmt: skip

CLAIMS = [
    Claim(
        id="il-avoids-misspec",
        chapter="01",
        statement="Imitation addresses reward misspecification: nobody has to write the "
        "reward down, so a clone finds no gap in one to exploit. What it does where nobody "
        "showed the way is another matter.",
        predicate="on every seed, for three plausible rewards that leave something out, "
        "Q-learning earns more by the reward it was given than a clone of one walk, and "
        "at least 5 less by the true one: through the garden with the first, never "
        "arriving with the others; the clone earns Hana's 7.8; on the true reward "
        "Q-learning earns as much as the clone, up to 0.5; a planner of sixty steps that is "
        "misled by the first, and planners at discount 0.9 misled by any of the three, earn "
        "-7.4 exactly",
        holds=wishes_hold,
        measure=measure_wishes,
        headline="true_stated",
        status="ours",
        papers=("hussein2017imitation", "amodei2016faulty", "ng1999policy", "randlov1998learning"),
        literature="Hussein et al. (2017) name it as a reason for imitation. Amodei and "
        "Clark (2016) report such a failure of a boat in a race; Ng, Harada and Russell "
        "(1999) tell of one in Randløv and Alstrøm's work on a bicycle (1998). No clone is "
        "compared there.",
        source="[A]",
        seeds=SEEDS,
        note="Where it has been shown the way, in a world without chance, the clone is as "
        "good as whoever is watched, and no better.",
    ),
]
