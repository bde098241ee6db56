"""The exercises of chapter 06: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise

# 1. Which wishes explain her steps ----------------------------------------------------


def walks_on(wishes, discount):
    """Whether on is never worse than back, for each wish (bakery, street, door), (n,)."""
    bakery, street, door = np.asarray(wishes, float).T
    at_door = door / (1 - discount)
    on_street = street + discount * at_door
    at_bakery = bakery + discount * on_street
    return (at_door >= on_street) & (on_street >= at_bakery)


def _door_is_best(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    return (door >= street) & (door >= bakery)


def _each_better_than_the_last(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    return (door >= street) & (street >= bakery)


def _strictly(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    at_door = door / (1 - discount)
    on_street = street + discount * at_door
    at_bakery = bakery + discount * on_street
    return (at_door > on_street) & (on_street > at_bakery)


def _paid_once(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    on_street = street + discount * door
    return (door >= on_street) & (on_street >= bakery + discount * on_street)


def _only_at_the_bakery(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    on_street = street + discount * door / (1 - discount)
    return on_street >= bakery + discount * on_street


def _one_half(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    return (door >= street) & (street + door >= 2 * bakery)


def _only_at_the_door(wishes, discount):
    bakery, street, door = np.asarray(wishes, float).T
    return door / (1 - discount) >= street + discount * door / (1 - discount)


WALKS_ON = Exercise(
    "06.1",
    reference=walks_on,
    cases=lambda: [
        (np.array([[0, 0, 2], [0, 2, 0], [1, 0, 0], [0, 0, 0], [1, 0, 3], [0, 1.5, 2],
                   [-4, 2, 1]]), 0.5),
        (np.array([[3, 0, 2], [2, 1, 2.5], [0, -3, 1], [4, 0, 1], [0, 0, 0]]), 0.9),
        (np.array([[1, 0, 1.5], [1, 0, 6], [0, -1, 1], [-1, -1, -1]]), 0.2),
    ],
    wrong={
        "the door is best": (
            _door_is_best,
            "You compare what the places pay. Compare what they are worth: what is paid "
            "there and from there on, V = r + discount * V(next).",
        ),
        "each better than the last": (
            _each_better_than_the_last,
            "That looks one step ahead. She may cross a bad street for a good door: compare "
            "values, not payments.",
        ),
        "strictly": (
            _strictly,
            "She does not have to lose by turning back, only to gain nothing. With > the wish "
            "for nothing drops out; it explains her steps too.",
        ),
        "paid once": (
            _paid_once,
            "At the door she stays and is paid at every step: its value is door / (1 - "
            "discount).",
        ),
        "for one half": (
            _one_half,
            "That is (6.1), which was worked out for a discount of one half. Compare the "
            "values at this discount.",
        ),
        "only at the door": (
            _only_at_the_door,
            "Right at the door. On the street she could turn back as well: that is a second "
            "inequality.",
        ),
        "only at the bakery": (
            _only_at_the_bakery,
            "Right at the bakery. At the door she could turn back as well: that is a second "
            "inequality.",
        ),
    },
)

# 2. Feature counts --------------------------------------------------------------------


def feature_counts(walks, features, discount):
    """Mean over walks of the discounted sum of the features of the states, (k,)."""
    features = np.asarray(features, float)
    sums = [(discount ** np.arange(len(w)))[:, None] * features[w] for w in walks]
    return np.mean([s.sum(axis=0) for s in sums], axis=0)


def _no_discount(walks, features, discount):
    return feature_counts(walks, features, 1.0)


def _sum_of_walks(walks, features, discount):
    return len(walks) * feature_counts(walks, features, discount)


def _late(walks, features, discount):
    return discount * feature_counts(walks, features, discount)


def _per_step(walks, features, discount):
    steps = sum(len(w) for w in walks)
    return len(walks) * feature_counts(walks, features, discount) / steps


def _one_long_walk(walks, features, discount):
    return feature_counts([np.concatenate(walks)], features, discount) / len(walks)


def _count_cases():
    rng = np.random.default_rng(6)
    return [
        ([rng.integers(0, 5, n) for n in lengths], rng.normal(size=(5, 3)), discount)
        for lengths, discount in (((3, 5), 0.5), ((4, 1, 6), 0.9), ((2, 2, 7, 3), 0.8))
    ]


COUNTS = Exercise(
    "06.2",
    reference=feature_counts,
    cases=_count_cases,
    wrong={
        "no discount": (
            _no_discount,
            "Later steps count less: step t of a walk has the weight discount ** t.",
        ),
        "sum of walks": (
            _sum_of_walks,
            "You added the walks up. Twice as many walks would then look like twice as much "
            "wanting; take the mean over walks.",
        ),
        "one step late": (
            _late,
            "Your first step is discounted already. Its weight is 1: discount ** 0.",
        ),
        "mean over steps": (
            _per_step,
            "You divide by the number of steps. Divide by the number of walks: how long she "
            "is out is a part of what she shows.",
        ),
        "normalised": (
            lambda walks, features, discount: (
                (1 - discount) * feature_counts(walks, features, discount)
            ),
            "You multiply by (1 - discount), so that the weights of an endless walk sum to "
            "one. Here they are left as they are.",
        ),
        "one long walk": (
            _one_long_walk,
            "Your clock runs on from one walk to the next. Each walk begins at t = 0.",
        ),
    },
)

# 3. What she did minus what I would do ------------------------------------------------


def slope(did, would, features, temperature):
    """The gradient of maximum causal entropy from two occupancies (S, A), (k,)."""
    return np.tensordot(np.asarray(did) - would, features, 2) / temperature


def _backwards(did, would, features, temperature):
    return -slope(did, would, features, temperature)


def _no_temperature(did, would, features, temperature):
    return slope(did, would, features, 1.0)


def _only_hers(did, would, features, temperature):
    return slope(did, 0 * would, features, temperature)


def _as_policies(did, would, features, temperature):
    did, would = (x / x.sum(axis=1, keepdims=True) for x in (did, would))
    return slope(did, would, features, temperature)


def _times_temperature(did, would, features, temperature):
    return slope(did, would, features, 1 / temperature)


def _slope_cases():
    rng = np.random.default_rng(7)
    return [
        (rng.uniform(0.1, 1, (s, a)), rng.uniform(0.1, 1, (s, a)), rng.normal(size=(s, a, k)), t)
        for s, a, k, t in ((3, 2, 2, 0.5), (4, 3, 1, 2.0), (2, 5, 4, 0.3))
    ]


SLOPE = Exercise(
    "06.3",
    reference=slope,
    cases=_slope_cases,
    wrong={
        "backwards": (
            _backwards,
            "The sign is turned: what she did more often than you would must become worth "
            "more.",
        ),
        "no temperature": (
            _no_temperature,
            "Right up to a factor: the likelihood sees the reward in units of the "
            "temperature, so divide by it.",
        ),
        "only hers": (
            _only_hers,
            "You forgot what you would do yourself. Then everything she ever did becomes "
            "worth more, and no step is the last.",
        ),
        "policies": (
            _as_policies,
            "You compare how she acts where she is. Occupancies also say how often she is "
            "there; leave them as they are.",
        ),
        "times the temperature": (
            _times_temperature,
            "Multiply and divide are mixed up: a careless person says less with each step, "
            "so divide by the temperature.",
        ),
    },
)

# 4. A belief about wishes -------------------------------------------------------------


def belief(q, states, actions, temperature, prior):
    """The posterior over n wishes with values q (n, S, A), from decisions, (n,)."""
    scaled = np.asarray(q) / temperature
    log_policy = scaled - np.log(np.exp(scaled).sum(axis=2, keepdims=True))
    log_joint = np.log(prior) + log_policy[:, states, actions].sum(axis=1)
    weights = np.exp(log_joint - log_joint.max())
    return weights / weights.sum()


def _no_prior(q, states, actions, temperature, prior):
    return belief(q, states, actions, temperature, np.ones(len(q)))


def _not_normalised(q, states, actions, temperature, prior):
    weights = prior * np.exp(q[:, states, actions].sum(axis=1) / temperature)
    return weights / weights.sum()


def _likelihood_alone(q, states, actions, temperature, prior):
    scaled = q / temperature
    log_policy = scaled - np.log(np.exp(scaled).sum(axis=2, keepdims=True))
    return prior * np.exp(log_policy[:, states, actions].sum(axis=1))


def _surest(q, states, actions, temperature, prior):
    weights = belief(q, states, actions, temperature, prior)
    return (weights == weights.max()).astype(float)


def _last_decision(q, states, actions, temperature, prior):
    return belief(q, states[-1:], actions[-1:], temperature, prior)


def _hot(q, states, actions, temperature, prior):
    return belief(q, states, actions, 1 / temperature, prior)


def _belief_cases():
    rng = np.random.default_rng(8)
    out = []
    for n, s, a, t, steps in ((2, 2, 2, 0.5, 3), (3, 4, 2, 2.0, 5), (4, 3, 3, 0.7, 4)):
        q = rng.normal(size=(n, s, a)) + rng.normal(size=(n, s, 1))
        out.append((q, rng.integers(0, s, steps), rng.integers(0, a, steps), t,
                    rng.dirichlet(np.ones(n))))
    return out


BELIEF = Exercise(
    "06.4",
    reference=belief,
    cases=_belief_cases,
    wrong={
        "no prior": (
            _no_prior,
            "You believe in all wishes alike beforehand. Multiply by the prior.",
        ),
        "not normalised": (
            _not_normalised,
            "exp(q / temperature) is not yet a probability: divide by its sum over the "
            "actions, or a wish that pays a lot everywhere wins without explaining anything.",
        ),
        "likelihood alone": (
            _likelihood_alone,
            "These are the chances of the wish *and* the steps. Divide by their sum over "
            "the wishes.",
        ),
        "surest": (
            _surest,
            "You kept the likeliest wish only. Return how likely each of them is.",
        ),
        "last decision": (
            _last_decision,
            "Only the last decision counts here. Multiply the chances of all of them.",
        ),
        "hot and cold": (
            _hot,
            "Multiply and divide are mixed up: at a high temperature her steps must say "
            "less.",
        ),
    },
)

# 5. What a judge pays -----------------------------------------------------------------


def judged(expert, learner):
    """-log(1 - D) and log D for the ideal judge of two occupancies, (2, S, A)."""
    q, p = expert / np.sum(expert), learner / np.sum(learner)
    judge = q / (p + q)
    return np.stack([-np.log(1 - judge), np.log(judge)])


def _unscaled(expert, learner):
    judge = expert / (expert + learner)
    return np.stack([-np.log(1 - judge), np.log(judge)])


def _for_the_learner(expert, learner):
    return judged(learner, expert)


def _swapped_rows(expert, learner):
    return judged(expert, learner)[::-1]


def _costs(expert, learner):
    return judged(expert, learner) * np.array([-1, 1]).reshape(2, 1, 1)


def _ratio(expert, learner):
    odds = (expert / np.sum(expert)) / (learner / np.sum(learner))
    return np.stack([np.log1p(odds), np.log(odds)])


def _judge_cases():
    rng = np.random.default_rng(9)
    return [(rng.uniform(0.1, 1, shape), rng.uniform(0.1, 3, shape))
            for shape in ((2, 2), (3, 4), (5, 2))]  # fmt: skip


JUDGED = Exercise(
    "06.5",
    reference=judged,
    cases=_judge_cases,
    wrong={
        "not scaled": (
            _unscaled,
            "The judge sees as many pairs of the one as of the other: scale both occupancies "
            "to sum to 1 first.",
        ),
        "for the learner": (
            _for_the_learner,
            "Your judge says how likely a pair is the learner's. D is the chance that it is "
            "the expert's: q / (p + q).",
        ),
        "rows swapped": (
            _swapped_rows,
            "Right, but upside down: -log(1 - D) comes first.",
        ),
        "costs": (
            _costs,
            "log(1 - D) is negative: as a reward it has a minus in front.",
        ),
        "odds": (
            _ratio,
            "Your second row is log D - log(1 - D), the log of the odds. Asked for is log D.",
        ),
    },
)

EXERCISES = {task.id: task for task in (WALKS_ON, COUNTS, SLOPE, BELIEF, JUDGED)}
