"""The star of chapter 06: one street, one Hana, every method, each with its guarantee.

Hana carries loaves to door 2, from wherever she happens to be, and errs a little. Each
method watches the same walks, or her whole policy if its theory asks for that. Then
Rollo plans for what was inferred, and is judged by what Hana wants.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib import irl, planning
from imitlib.claims import Claim
from imitlib.counting import fit_table
from imitlib.envs.town import REWARDS, Town
from imitlib.figures import INK, ROLES, axes
from imitlib.irl.apprenticeship import best_policy
from imitlib.irl.bayesian import mcmc, posterior
from imitlib.irl.causal_entropy import causal_entropy_irl, objective
from imitlib.irl.deep import deep_irl
from imitlib.irl.maxent import maxent_2008, paths
from imitlib.mdp import MDP
from imitlib.tabular_experts import walk

SEEDS = tuple(range(2000, 2010))
EVENTS = ("step", "garden", "warm", "cold", "cafe")
DOOR, DISCOUNT, WALKS, LONGEST = 2, 0.95, 40, 30
TEMPERATURE, TIRED, MELT = 0.3, 1.0, 0.3
ROUNDS, TOLERANCE, PULL = 100, 1e-3, 0.01
LEVELS, CHAIN, FIRST = (-8.0, 0.0, 8.0), 10_000, 2000
PLANNED = ("program", "paths", "entropy", "bayes", "deep")  # for an inferred reward
WORDS = {
    "copy": "copied: a table of her walks",
    "projection": "matched: projection",
    "margin": "matched: max-margin",
    "program": "linear program",
    "paths": "maximum entropy, 2008",
    "entropy": "maximum causal entropy",
    "bayes": "Bayes: mean reward",
    "deep": "a network as reward",
}


@cache
def street():
    """The world without roadworks, what happens in it (S, A, 5), and its worth (5,)."""
    town = Town("hana", door=DOOR, roadworks=())
    happens = np.stack([town.events[event] for event in EVENTS], axis=-1)
    w = np.array([REWARDS["true"][event] for event in EVENTS])
    return town.mdp(discount=DISCOUNT, start="anywhere"), happens, w


def worth(policy) -> float:
    """What a policy earns by what Hana wants, from anywhere."""
    return planning.expected_return(street()[0], policy)


def hana(temperature=TEMPERATURE) -> np.ndarray:
    """Her policy; at `TIRED` she dawdles."""
    return planning.soft_policy_iteration(street()[0], temperature).policy


# Guarantees --------------------------------------------------------------------------


def by_program() -> dict:
    """A reward under which her likeliest steps are optimal: is it one?"""
    mdp, happens, _ = street()
    likeliest = np.eye(mdp.n_actions)[hana().argmax(axis=1)]
    found = irl.linear_programming_irl(mdp, likeliest, features=happens, r_max=10.0)
    best = planning.value_iteration(mdp, reward=found.reward).values
    hers = planning.evaluate(mdp, likeliest, reward=found.reward)
    return {
        "program": worth(best_policy(mdp, found.reward)),
        "program_margin": found.margin,
        "program_misses": float(np.abs(best - hers).max()),
        "program_w": found.w.tolist(),
        "zero_explains": float(irl.explains(mdp, likeliest, np.zeros(mdp.n_states))),
    }


def by_matching(rng) -> dict:
    """As much of everything as she has: then as good under any reward of the features."""
    mdp, happens, _ = street()
    hers, out = irl.expected_features(mdp, hana(), happens), {}
    for name, algorithm in (("projection", irl.projection), ("margin", irl.max_margin)):
        found = algorithm(mdp, hers, happens, tol=TOLERANCE, max_iters=ROUNDS)
        single = found.policy(mdp)
        others = rng.normal(size=(20, len(EVENTS)))
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        gaps = [
            planning.expected_return(mdp, single, reward=happens @ w)
            - planning.expected_return(mdp, hana(), reward=happens @ w)
            for w in others
        ]
        out |= {
            name: worth(single),
            f"{name}_distance": found.distances[-1],
            f"{name}_gap": float(np.abs(gaps).max()),
            f"{name}_rises": float(np.diff(found.distances).max(initial=0.0)),
        }
    return out


def by_game() -> dict:
    """She is tired. Of each thing it is known whether more is better, not how much."""
    mdp, happens, _ = street()
    step, garden, warm, cold, _ = np.moveaxis(happens, -1, 0)
    signed = np.stack([-step, -garden, warm, warm + cold], axis=-1)
    tired = hana(TIRED)
    found = irl.mwal(mdp, irl.expected_features(mdp, tired, signed), signed, ROUNDS)
    hers = irl.expected_features(mdp, tired, happens)
    matched = irl.max_margin(mdp, hers, happens, tol=TOLERANCE, max_iters=ROUNDS)
    return {
        "tired": worth(tired),
        "game": worth(found.policy(mdp)),
        "game_matched": worth(matched.policy(mdp)),
        "game_value": found.value,
        "game_upper": found.upper,
        "game_slack": found.slack,
    }


def icy(mdp) -> MDP:
    """The same street on ice: a move is often another one."""
    moves = mdp.dense()
    return MDP((1 - MELT) * moves + MELT * moves.mean(axis=1, keepdims=True),
               mdp.reward, mdp.discount, mdp.start)  # fmt: skip


def two_entropies() -> dict:
    """How far the path model is from causal entropy: undiscounted, dry and icy."""
    mdp = street()[0]

    def apart(world):
        causal = planning.soft_backward_induction(world, LONGEST, TEMPERATURE).policy
        of_paths = paths(world, world.reward, LONGEST, temperature=TEMPERATURE).policy
        return float(np.abs(causal - of_paths).max())

    dry = mdp.with_discount(1.0)
    return {
        "paths_dry": apart(dry), "paths_icy": apart(icy(dry)), "paths_hurried": apart(mdp)
    }  # fmt: skip


def log_prior(w) -> float:
    """Beforehand it is held for all but sure that a warm loaf is worth much."""
    return 12.5 * w[EVENTS.index("warm")]


def from_walks(rng) -> dict:
    """What is inferred from some walks, and whether each optimum is one."""
    mdp, happens, _ = street()
    walks = walk(mdp, hana(), WALKS, LONGEST, rng)
    told = {"features": happens, "temperature": TEMPERATURE}
    causal = causal_entropy_irl(mdp, walks, l2=PULL, **told)
    nudge = 1e-3 * rng.normal(size=len(EVENTS))

    def score(w):
        return objective(mdp, w, walks, l2=PULL, **told)[0]

    beside = max(score(causal.w + nudge), score(causal.w - nudge))
    of_paths = maxent_2008(mdp, walks, horizon=LONGEST, l2=PULL, **told)
    deep = deep_irl(mdp, walks, updates=80, lr=0.05, rng=rng, **told)

    grid = np.stack(np.meshgrid(*[LEVELS] * len(EVENTS), indexing="ij"), axis=-1)
    grid = grid.reshape(-1, len(EVENTS))
    rewards = np.moveaxis(happens @ grid.T, -1, 0)
    prior = np.exp([log_prior(w) for w in grid])  # up to a constant
    belief = posterior(mdp, rewards, walks, TEMPERATURE, prior=prior / prior.sum())
    chain = mcmc(mdp, walks, happens, levels=LEVELS, temperature=TEMPERATURE,
                 steps=CHAIN, rng=rng, log_prior=log_prior)  # fmt: skip
    places = ((chain.w[FIRST:] + 8) / 8).astype(int) @ 3 ** np.arange(len(EVENTS))[::-1]
    visited = np.bincount(places, minlength=len(grid)) / len(places)
    copied = fit_table(walks.observations, walks.actions, *mdp.reward.shape, rng).policy
    return {
        "copy": worth(copied),
        "copy_likeliest": worth(np.eye(mdp.n_actions)[copied.argmax(axis=1)]),
        "paths": worth(best_policy(mdp, of_paths.reward)),
        "paths_slope": of_paths.gradient_norm,
        "entropy": worth(best_policy(mdp, causal.reward)),
        "entropy_slope": causal.gradient_norm,
        "entropy_w": causal.w.tolist(),
        "entropy_peak": score(causal.w) - beside,
        "bayes": worth(best_policy(mdp, belief.mean)),
        "bayes_apart": float(np.abs(visited - belief.probabilities).sum() / 2),
        "deep": worth(best_policy(mdp, deep.reward)),
        "deep_gain": float(deep.log_likelihood - deep.curve[0]),
        "deep_short": float(causal.log_likelihood - deep.log_likelihood),
    }


def measure_one_world(seed: int) -> dict:
    """What Rollo earns by each method, and how each guarantee comes out."""
    rng = np.random.default_rng(seed)
    mdp = street()[0]
    even = np.full(mdp.reward.shape, 1 / mdp.n_actions)
    out = {"best": worth(best_policy(mdp, mdp.reward)), "hana": worth(hana()),
           "random": worth(even)}  # fmt: skip
    return out | by_program() | by_matching(rng) | by_game() | two_entropies() | from_walks(rng)


def one_world_holds(s) -> bool:
    """See the claim's predicate."""
    return bool(
        (s["program_misses"] < 1e-6).all()
        and (s["program_margin"] > 1).all()
        and (s["zero_explains"] == 1).all()
        and all(
            (s[f"{name}_rises"] <= 1e-9).all()
            and (s[f"{name}_gap"] <= s[f"{name}_distance"] + 1e-9).all()
            and (np.abs(s[name] - s["hana"]) < 0.75).all()
            for name in ("projection", "margin")
        )
        and (s["projection_distance"] < 0.1).all()
        and (s["margin_distance"] <= TOLERANCE).all()
        and (s["game_value"] >= s["game_upper"] - s["game_slack"]).all()
        and (s["game_value"] > -0.1).all()
        and (s["game"] > s["tired"] + 1).all()
        and (np.abs(s["game_matched"] - s["tired"]) < 0.05).all()
        and (s["paths_dry"] < 1e-9).all()
        and (np.minimum(s["paths_icy"], s["paths_hurried"]) > 0.1).all()
        and (np.maximum(s["paths_slope"], s["entropy_slope"]) < 1e-4).all()
        and (s["entropy_peak"] > 0).all()
        and (s["bayes_apart"] < 0.15).all()
        and (s["deep_gain"] > 0.5).all()
        and (np.abs(s["deep_short"]) < 0.2).all()
        and all(s.mean(name) > s.mean("hana") > s.mean("copy") for name in PLANNED)
        and all((s[name] > s["copy"]).all() for name in PLANNED)
    )


def fig_one_world(s):
    """What Rollo earns by what each method made of the same Hana."""
    fig, ax = axes("earned by what Hana wants", "Rollo acts on …", size=(4.8, 3.9))
    rows = list(WORDS)[::-1]
    for y, name in enumerate(rows):
        look = ROLES[{"copy": "random"}.get(name, "robot" if name not in PLANNED else "learner")]
        aside = y - 0.2 + np.linspace(-0.1, 0.1, len(s))
        ax.plot(s[name], aside, look.marker, color=look.color, ms=5, alpha=0.7, ls="none")
        ax.text(0.05, y + 0.2, WORDS[name], color=INK, va="center", fontsize=10)
    for name, role, side in (("hana", "person", "right"), ("best", "optimum", "left")):
        look, at, label = ROLES[role], s.mean(name), name.replace("hana", "Hana")
        ax.axvline(at, color=look.color, ls=look.dash, lw=1.6, zorder=0)
        ax.text(at, len(rows) - 0.35, f" {label} ", ha=side, color=INK)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlim(0, 7)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    told = ", ".join(f"{WORDS[name]} {s.mean(name):.2f}" for name in WORDS)
    alt = (
        f"Mean return by Hana's wishes of what Rollo does, by method: {told}. Hana "
        f"herself earns {s.mean('hana'):.2f}, the best there is {s.mean('best'):.2f}. "
        "Whoever plans for an inferred reward passes her; who matches her does not."
    )
    return fig, alt


GIVEN = {
    "one-discount": DISCOUNT, "one-walks": WALKS, "one-longest": LONGEST,
    "one-temperature": TEMPERATURE, "one-tired": TIRED, "one-melt": MELT,
    "one-rounds": ROUNDS, "one-chain": CHAIN, "one-chain-first": FIRST,
}  # fmt: skip

CLAIMS = [
    Claim(
        id="irl-infers",
        chapter="06",
        statement="A reward can be inferred from behaviour. On one street, eight methods "
        "watch one person who errs a little, each keeps the promise of its own theory, and "
        "whoever plans for what was inferred does better than the person and than a copy "
        "of her walks.",
        predicate="on every seed. Linear program: her likeliest steps are optimal under its "
        "reward (by value iteration, 1e-6), the margin is above 1, and zero explains them "
        "too. Projection and max-margin: the distance to her feature expectations never "
        "grows and ends below 0.1 and 0.001; under 20 random unit rewards the mixture "
        "earns what she earns, up to that distance. MWAL: within its theory's slack of the "
        "upper bound on the game; it earns at least 1 more than a tired Hana, whom "
        "matching equals up to 0.05. Maximum entropy of 2008: equal to causal entropy "
        "undiscounted and without chance (1e-9), more than 0.1 away in some choice on ice, "
        "and at a discount. Both: gradient below 1e-4, and causal entropy's weights are "
        "likelier than their neighbours. Bayes: the Markov chain is within 0.15 in total "
        "variation of the posterior by enumeration. Network: likelier by 0.5 nats a walk "
        "than when it began, within 0.2 of the linear reward. Each of the five that plan for "
        "an inferred reward earns more than the table of her walks, and in the mean over "
        "seeds more than Hana, who earns more than the table",
        holds=one_world_holds,
        measure=measure_one_world,
        headline="entropy",
        status="reproduced",
        papers=("ng2000algorithms", "abbeel2004apprenticeship", "syed2007game",
                "ziebart2008maximum", "ziebart2010modeling", "ramachandran2007bayesian",
                "wulfmeier2015maximum"),
        literature="Each paper proves its own guarantee and shows its method in a world of "
        "its own; Syed and Schapire (2007) show that theirs may be substantially better "
        "than the expert.",
        source="[A]",
        seeds=SEEDS,
        rtol={"projection": ("abs", 0.02), "projection_distance": ("abs", 0.01),
              "projection_gap": ("abs", 0.01), "margin_distance": ("abs", 1e-3),
              "margin_gap": ("abs", 1e-3), "margin": ("abs", 0.01),
              "game_matched": ("abs", 0.01), "game": ("abs", 0.02),
              "game_value": ("abs", 0.005), "game_upper": ("abs", 0.005),
              "program_margin": ("abs", 0.01), "program_misses": ("abs", 1e-6),
              "program": ("abs", 0.01), "program_w": ("abs", 0.01),
              "paths_dry": ("abs", 1e-9), "paths_slope": ("abs", 1e-4),
              "entropy_slope": ("abs", 1e-4), "entropy_peak": ("abs", 1e-5),
              "entropy_w": ("abs", 1e-3), "deep": ("abs", 0.3),
              "deep_gain": ("abs", 0.1), "deep_short": ("abs", 0.018),
              "bayes_apart": ("abs", 0.018), "paths": ("abs", 1e-3),
              "entropy": ("abs", 1e-3), "bayes": ("abs", 1e-3),
              "projection_rises": ("abs", 1e-9), "margin_rises": ("abs", 1e-9)},
        note="On seeds 1000 to 1009 the predicate was false by one clause: the Markov "
        "chain, then shorter and counted from its first step, was 0.36 from the posterior on "
        "one seed. These are fresh seeds. The reward of the linear program makes every "
        "event a punishment, arriving too: staying out is worse. It is planned for all the "
        "same. The promise of MWAL is about the worst weights; that it beats the tired "
        "Hana by so much was measured. "
        "Bayes is told beforehand that a warm loaf is worth much: without that, the "
        "chain stayed in the explanation in which all is punishment, on two of the ten "
        "seeds on which this was tuned.",
    ),
]
