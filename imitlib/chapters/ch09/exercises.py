"""The exercises of chapter 09: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise

# 1. What is one move of hers worth? ------------------------------------------------------


def listening(prior, rule, his):
    """What hearing her move adds: the best act for each move, less the best act without."""
    joint = prior[:, None] * rule
    return (joint.T @ his).max(axis=1).sum() - (prior @ his).max()


def _in_all(prior, rule, his):
    return ((prior[:, None] * rule).T @ his).max(axis=1).sum()


def _as_if_told(prior, rule, his):
    return prior @ his.max(axis=1) - (prior @ his).max()


def _moves_alike(prior, rule, his):
    joint = prior[:, None] * rule
    with np.errstate(invalid="ignore"):
        belief = joint / joint.sum(axis=0)
    return (belief.T @ his).max(axis=1).mean() - (prior @ his).max()


def _moves_summed(prior, rule, his):
    joint = prior[:, None] * rule
    made = joint[:, joint.sum(axis=0) > 0]
    return ((made / made.sum(axis=0)).T @ his).max(axis=1).sum() - (prior @ his).max()


def _silent_moves(prior, rule, his):
    joint = prior[:, None] * rule
    chance = joint.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return chance @ ((joint / chance).T @ his).max(axis=1) - (prior @ his).max()


def _no_prior(prior, rule, his):
    flat = np.full(len(prior), 1 / len(prior))
    return listening(flat, rule, his)


def _listen_cases():
    rng = np.random.default_rng(925)
    cases = [(rng.dirichlet(np.full(g, 2.0)), rng.dirichlet(np.full(m, 0.4), g) + 1e-3,
              3 * rng.normal(size=(g, a))) for g, m, a in ((2, 2, 3), (4, 3, 4), (5, 4, 2))]
    cases[1][1][:, 2] = 0.0  # a move that she never makes
    return [(p, r / r.sum(axis=1, keepdims=True), u) for p, r, u in cases]


LISTEN = Exercise(
    "09.1",
    reference=listening,
    cases=_listen_cases,
    wrong={
        "nothing subtracted": (
            _in_all,
            "This is what Rollo gets, having heard. Subtract what it gets with the prior "
            "alone: the best single act.",
        ),
        "as if told the goal": (
            _as_if_told,
            "You let Rollo choose for each goal. It hears her move, not the goal: one act "
            "for each move.",
        ),
        "moves all alike": (
            _moves_alike,
            "You average over her moves as if each were as likely. Weigh each by its "
            "chance, or work with the joint chance of goal and move from the start.",
        ),
        "moves summed": (
            _moves_summed,
            "You add up what a belief is worth after each move, as if all of them were made. "
            "Weigh each by its chance.",
        ),
        "moves never made": (
            _silent_moves,
            "One move is never made, and you divide by its chance, 0. The joint chance of "
            "goal and move needs no division.",
        ),
        "no prior": (
            _no_prior,
            "You take all goals to be as likely beforehand. Multiply the rule by the prior.",
        ),
    },
)

# 2. A person who is one of a family ------------------------------------------------------


def family(counts, rules, prior):
    """Goals, each with the chance that it has after such counts, who she is left open."""
    logs = np.log(rules) @ counts  # (K, Θ)
    chance = np.exp(logs - logs.max()).sum(axis=0) * prior
    return chance / chance.sum()


def _mixed_person(counts, rules, prior):
    return family(counts, rules.mean(axis=0)[None], prior)


def _flat(counts, rules, prior):
    return family(counts, rules, np.ones(len(prior)))


def _best_member(counts, rules, prior):
    logs = np.log(rules) @ counts
    member = int((np.exp(logs - logs.max()) @ prior).argmax())
    return family(counts, rules[member][None], prior)


def _each_alone(counts, rules, prior):
    return np.mean([family(counts, rule[None], prior) for rule in rules], axis=0)


def _shifted_each(counts, rules, prior):
    logs = np.log(rules) @ counts
    chance = np.exp(logs - logs.max(axis=1, keepdims=True)).sum(axis=0) * prior
    return chance / chance.sum()


def _products(counts, rules, prior):
    with np.errstate(invalid="ignore"):
        chance = (rules**counts).prod(axis=2).sum(axis=0) * prior
        return chance / chance.sum()


def _family_cases():
    rng = np.random.default_rng(92)
    short = [(rng.integers(0, most, size=m).astype(float), rng.dirichlet(np.ones(m), (k, g)),
             rng.dirichlet(np.full(g, 2.0)))
            for k, g, m, most in ((2, 2, 3, 4), (3, 4, 3, 5), (4, 3, 4, 4))]  # fmt: skip
    alike = rng.dirichlet(np.full(3, 9.0))  # two people, hardly told apart, for a long time
    rules = np.array([[alike, alike[[1, 0, 2]]], [alike[[2, 1, 0]], alike]])
    mixed = 0.999 * alike + 0.001 * rules  # (2, 2, 3)
    return [*short, (np.array([400.0, 300.0, 500.0]), mixed, np.array([0.3, 0.7]))]


FAMILY = Exercise(
    "09.2",
    reference=family,
    cases=_family_cases,
    wrong={
        "a new person for each move": (
            _mixed_person,
            "You average the rules first, as if she were somebody new at each move. She is "
            "one person throughout: multiply first, then sum over persons.",
        ),
        "no prior over goals": (
            _flat,
            "The prior over goals is missing. Multiply by it before you normalise.",
        ),
        "the best member": (
            _best_member,
            "You pick the person who explains most and forget the others. Sum over all.",
        ),
        "each normalised alone": (
            _each_alone,
            "You normalise each person's belief and average. Then a person who cannot have "
            "made these moves counts as much as one who did: sum first, normalise once.",
        ),
        "shifted person by person": (
            _shifted_each,
            "You subtract a largest logarithm for each person, and so forget who explains the "
            "moves better. Subtract one number from all of them.",
        ),
        "products": (
            _products,
            "After many moves the products are 0. Add logarithms, subtract the largest of "
            "all, then exponentiate.",
        ),
    },
)

# 3. The price of a word -------------------------------------------------------------------


def word(q, z, c, u):
    """What being able to explain adds: she speaks in the unusual case, where it pays."""
    return (1 - u) * max(q * z - c, 0)


def _always(q, z, c, u):
    return max(q * z - c, 0)


def _silence_twice(q, z, c, u):
    return max((1 - u) * q * z - c, 0)


def _at_any_price(q, z, c, u):
    return (1 - u) * (q * z - c)


def _in_the_usual(q, z, c, u):
    return u * max(q * z - c, 0)


WORD = Exercise(
    "09.3",
    reference=word,
    cases=lambda: [(0.2, 2.0, 0.1, 0.7), (0.5, 1.0, 0.3, 0.9), (0.1, 2.0, 0.4, 0.6),
                   (0.9, 3.0, 0.5, 0.8)],
    wrong={
        "a word in every case": (
            _always,
            "You let her speak in every case. Silence says the usual case: only the unusual "
            "one, of chance 1 - u, needs a word.",
        ),
        "a price in every case": (
            _silence_twice,
            "You charge for the word in every case, but count its use in the unusual one. "
            "She pays only where she speaks.",
        ),
        "at any price": (
            _at_any_price,
            "Where a word costs more than it is worth, she says nothing, and loses nothing.",
        ),
        "in the usual case": (
            _in_the_usual,
            "The two cases are exchanged: u is the chance of the usual one, which silence says.",
        ),
    },
)

# 4. What does waiting gain? ----------------------------------------------------------------


def waiting(worths, beta):
    """The gain of waiting, over what a thing may be worth, all as likely."""
    lets = 1 / (1 + np.exp(-worths / beta))
    return (lets * worths).mean() - max(worths.mean(), 0.0)


def _over_acting(worths, beta):
    lets = 1 / (1 + np.exp(-worths / beta))
    return (lets * worths).mean() - worths.mean()


def _stops_the_good(worths, beta):
    lets = 1 / (1 + np.exp(worths / beta))
    return (lets * worths).mean() - max(worths.mean(), 0.0)


def _independent(worths, beta):
    lets = 1 / (1 + np.exp(-worths / beta))
    return lets.mean() * worths.mean() - max(worths.mean(), 0.0)


def _one_chance(worths, beta):
    m = worths.mean()
    return m / (1 + np.exp(-m / beta)) - max(m, 0.0)


def _never_errs(worths, beta):
    return np.maximum(worths, 0).mean() - max(worths.mean(), 0.0)


def _multiplied(worths, beta):
    lets = 1 / (1 + np.exp(-worths * beta))
    return (lets * worths).mean() - max(worths.mean(), 0.0)


def _all_of_it(worths, beta):
    return (worths / (1 + np.exp(-worths / beta))).mean()


def _waiting_cases():
    rng = np.random.default_rng(94)
    return [(m + rng.normal(size=n), b) for m, n, b in
            ((0.5, 40, 0.3), (-0.8, 60, 1.0), (-0.2, 30, 0.5), (1.0, 50, 2.0))]  # fmt: skip


WAITING = Exercise(
    "09.4",
    reference=waiting,
    cases=_waiting_cases,
    wrong={
        "over acting alone": (
            _over_acting,
            "You compare with doing the thing. If it looks bad, Rollo would switch itself "
            "off, which is worth 0: compare with the better of the two.",
        ),
        "she stops the good": (
            _stops_the_good,
            "Your Hana stops what is good and allows what is bad. Check the sign in the "
            "exponent.",
        ),
        "as if independent": (
            _independent,
            "You average her permission and the worth apart. All the gain lies in their "
            "going together: multiply first, then average.",
        ),
        "at the mean": (
            _one_chance,
            "You ask what she would do with a thing of mean worth. The gain comes from "
            "things that are not: average over all of them.",
        ),
        "she never errs": (
            _never_errs,
            "Your Hana never errs. She lets a thing of worth U happen with chance π(U).",
        ),
        "beta multiplied": (
            _multiplied,
            "The more she errs, the flatter her choice: divide the worth by beta.",
        ),
        "nothing subtracted": (
            _all_of_it,
            "This is what waiting is worth. Subtract what Rollo gets without it.",
        ),
    },
)

# 5. How unsure must Rollo be? ----------------------------------------------------------------


def unsure_enough(mu, beta):
    """The σ above which waiting gains."""
    return np.sqrt(2 * beta * abs(mu))


def _forgets_two(mu, beta):
    return np.sqrt(beta * abs(mu))


def _variance(mu, beta):
    return 2 * beta * abs(mu)


def _below(mu, beta):
    return np.sqrt(2 * abs(mu) / beta)


def _root_of_less_than_nothing(mu, beta):
    return np.sqrt(2 * beta * mu) if mu > 0 else float("nan")


def _signed(mu, beta):
    return np.sqrt(max(2 * beta * mu, 0.0))


UNSURE = Exercise(
    "09.5",
    reference=unsure_enough,
    cases=lambda: [(0.5, 0.3), (-1.2, 0.7), (2.0, 1.5), (-0.1, 3.0)],
    wrong={
        "no two": (_forgets_two, "The 2 is missing, from the normal density's odds."),
        "the variance": (_variance, "This is σ². Asked is σ: take the root."),
        "β below": (
            _below,
            "The more she errs, the more unsure Rollo must be: β multiplies.",
        ),
        "a root of less than nothing": (
            _root_of_less_than_nothing,
            "Where μ is below 0 you take the root of a negative number: take |μ|.",
        ),
        "good things only": (
            _signed,
            "A thing that looks bad is as clear a case as one that looks good: take |μ|.",
        ),
    },
)

EXERCISES = {task.id: task for task in (LISTEN, FAMILY, WORD, WAITING, UNSURE)}
