"""The exercises of chapter 08: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise


def _acting(rng, *shape):
    """Policies drawn at random, every act possible."""
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


# 1. What does she want? ---------------------------------------------------------------


def wished(policies, states, actions):
    """How likely each goal is after these choices, all goals as likely beforehand."""
    logs = np.log(policies[:, states, actions]).sum(axis=1)
    odds = np.exp(logs - logs.max())
    return odds / odds.sum()


def _odds_only(policies, states, actions):
    return np.prod(policies[:, states, actions], axis=1)


def _all_at_once(policies, states, actions):
    odds = np.prod(policies[:, states, actions], axis=1)
    with np.errstate(invalid="ignore"):
        return odds / odds.sum()


def _mean_chance(policies, states, actions):
    chances = policies[:, states, actions].mean(axis=1)
    return chances / chances.sum()


def _surest(policies, states, actions):
    logs = np.log(policies[:, states, actions]).sum(axis=1)
    return np.eye(len(policies))[logs.argmax()]


def _last_choice(policies, states, actions):
    chances = policies[:, states[-1], actions[-1]]
    return chances / chances.sum()


def _wish_cases():
    rng = np.random.default_rng(81)
    return [(_acting(rng, g, s, a), rng.integers(s, size=n), rng.integers(a, size=n))
            for g, s, a, n in ((2, 3, 2, 4), (5, 4, 3, 12), (3, 2, 4, 2000))]


WISH = Exercise(
    "08.1",
    reference=wished,
    cases=_wish_cases,
    wrong={
        "not normalised": (
            _odds_only,
            "These are likelihoods: they do not sum to 1, and after a long day they are 0. "
            "Divide by their sum; take logarithms first.",
        ),
        "all at once": (
            _all_at_once,
            "After a long day the product is 0. Add logarithms, subtract the largest, then "
            "exponentiate.",
        ),
        "mean chance": (
            _mean_chance,
            "You average the chances. All the choices happened: multiply, that is, add "
            "their logarithms.",
        ),
        "the surest goal": (
            _surest,
            "You bet everything on the likeliest goal. A belief keeps the others in mind: "
            "exponentiate and normalise.",
        ),
        "the last choice": (
            _last_choice,
            "You forget all but the last choice. Sum the logarithms over the choices, axis 1.",
        ),
    },
)

# 2. Somebody short-sighted ------------------------------------------------------------


def reckoned(reward, P, hers, steps):
    """Q of somebody who looks so many steps ahead and counts each delay at `hers`."""
    values = np.zeros(len(P))
    for _ in range(steps):
        q = reward + hers * P @ values
        values = q.max(axis=1)
    return q


def _undelayed(reward, P, hers, steps):
    return reckoned(reward, P, 1.0, steps)


def _one_too_many(reward, P, hers, steps):
    return reckoned(reward, P, hers, steps + 1)


def _average_plan(reward, P, hers, steps):
    values = np.zeros(len(P))
    for _ in range(steps):
        q = reward + hers * P @ values
        values = q.mean(axis=1)
    return q


def _greedy_later(reward, P, hers, steps):
    values, later = np.zeros(len(P)), reward.argmax(axis=1)
    for _ in range(steps):
        q = reward + hers * P @ values
        values = q[np.arange(len(P)), later]
    return q


def _reward_discounted(reward, P, hers, steps):
    return hers * reckoned(reward, P, hers, steps)


def _discounted_once(reward, P, hers, steps):
    if steps == 1:
        return reward
    return reward + hers * P @ reckoned(reward, P, 1.0, steps - 1).max(axis=1)


def _values_alone(reward, P, hers, steps):
    return reckoned(reward, P, hers, steps).max(axis=1)


def _world(rng, states, actions):
    return rng.dirichlet(np.full(states, 0.5), size=(states, actions))


def _reckon_cases():
    rng = np.random.default_rng(810)
    return [(rng.normal(size=(s, a)), _world(rng, s, a), g, h)
            for s, a, g, h in ((3, 2, 0.3, 2), (4, 3, 0.8, 5), (5, 2, 0.6, 3), (4, 3, 0.9, 1))]


RECKON = Exercise(
    "08.2",
    reference=reckoned,
    cases=_reckon_cases,
    wrong={
        "delays cost nothing": (
            _undelayed,
            "You look the right number of steps ahead, but a later step counts as much as "
            "this one. Multiply what follows by hers.",
        ),
        "one step too many": (
            _one_too_many,
            "With steps = 1 she sees this step's reward and nothing behind it. You go "
            "round once too often.",
        ),
        "she plans to dither": (
            _average_plan,
            "You let her expect to act at random. She expects to do what is best: take "
            "the maximum over actions.",
        ),
        "discounted once": (
            _discounted_once,
            "Only the step from now to the next is discounted. What comes two steps later "
            "counts hers times hers: multiply in every round.",
        ),
        "greedy later": (
            _greedy_later,
            "You let her do, later on, what pays most at once. She looks ahead then as well: "
            "take the maximum over actions of q, not of the reward.",
        ),
        "values alone": (
            _values_alone,
            "Return q, one number for each action, not its maximum.",
        ),
        "this step discounted": (
            _reward_discounted,
            "This step's reward is paid now, in full. Only what follows is multiplied by "
            "hers.",
        ),
    },
)

# 3. A habit for any wish --------------------------------------------------------------


def habit(policy, q, temperature):
    """h, of mean 0 in each state, with softmax((q + h) / temperature) = policy."""
    h = temperature * np.log(policy) - q
    return h - h.mean(axis=1, keepdims=True)


def _no_wish(policy, q, temperature):
    h = temperature * np.log(policy)
    return h - h.mean(axis=1, keepdims=True)


def _cold(policy, q, temperature):
    h = np.log(policy) - q
    return h - h.mean(axis=1, keepdims=True)


def _not_scaled_back(policy, q, temperature):
    h = np.log(policy) - q / temperature
    return h - h.mean(axis=1, keepdims=True)


def _wish_added(policy, q, temperature):
    h = temperature * np.log(policy) + q
    return h - h.mean(axis=1, keepdims=True)


def _not_centred(policy, q, temperature):
    return temperature * np.log(policy) - q


def _centred_over_states(policy, q, temperature):
    h = temperature * np.log(policy) - q
    return h - h.mean(axis=0, keepdims=True)


def _habit_cases():
    rng = np.random.default_rng(83)
    return [(_acting(rng, s, a), rng.normal(size=(s, a)), t)
            for s, a, t in ((2, 3, 0.5), (4, 2, 0.1), (5, 4, 2.0))]


HABIT = Exercise(
    "08.3",
    reference=habit,
    cases=_habit_cases,
    wrong={
        "no wish": (
            _no_wish,
            "That habit explains her if she wants nothing. She wants something here: her "
            "habit has to undo what q would make her do.",
        ),
        "temperature forgotten": (
            _cold,
            "q + h is divided by the temperature before exp. So log policy has to be "
            "multiplied by it.",
        ),
        "not scaled back": (
            _not_scaled_back,
            "This is the habit divided by the temperature. Multiply by it.",
        ),
        "wish added": (
            _wish_added,
            "temperature * log policy = q + h, up to a constant in each state. Solve for h.",
        ),
        "not centred": (_not_centred, "Subtract each state's mean."),
        "other mean": (
            _centred_over_states,
            "The free constant belongs to each state: the mean over actions, axis 1, "
            "is to be 0.",
        ),
    },
)

# 4. The length of a description -------------------------------------------------------


def code_length(choices, centre, trust):
    """Nats for choices of one state, each predicted from those before it."""
    counts, nats = trust * np.asarray(centre, float), 0.0
    for choice in choices:
        nats -= np.log(counts[choice] / counts.sum())
        counts[choice] += 1
    return float(nats)


def _hindsight(choices, centre, trust):
    counts, nats = trust * np.asarray(centre, float), 0.0
    for choice in choices:
        counts[choice] += 1
        nats -= np.log(counts[choice] / counts.sum())
    return float(nats)


def _never_learns(choices, centre, trust):
    return float(-np.log(np.asarray(centre)[choices]).sum())


def _after_the_fact(choices, centre, trust):
    counts = np.bincount(choices, minlength=len(centre)).astype(float)
    return float(-np.log(counts[choices] / len(choices)).sum())


def _whole_message(choices, centre, trust):
    counts = np.bincount(choices, minlength=len(centre)) + trust * np.asarray(centre, float)
    return float(-np.log(counts[choices] / counts.sum()).sum())


def _no_trust(choices, centre, trust):
    return code_length(choices, centre, 1.0)


def _bits(choices, centre, trust):
    return code_length(choices, centre, trust) / np.log(2)


def _code_cases():
    rng = np.random.default_rng(84)
    return [(rng.integers(a, size=n), rng.dirichlet(np.ones(a)), k)
            for a, n, k in ((2, 4, 1.0), (3, 20, 5.0), (4, 9, 0.5))]


CODE = Exercise(
    "08.4",
    reference=code_length,
    cases=_code_cases,
    wrong={
        "hindsight": (
            _hindsight,
            "You count a choice before you pay for it. Predict first, then count.",
        ),
        "never learns": (
            _never_learns,
            "The centre is only a first guess, worth trust choices. Add what has been seen "
            "so far to trust * centre.",
        ),
        "after the fact": (
            _after_the_fact,
            "You use the frequencies of the whole message, which the receiver does not "
            "know yet. Each choice may use those before it alone.",
        ),
        "whole message": (
            _whole_message,
            "You count the whole message, and what comes later is not known yet. Add to "
            "trust * centre what came before this choice alone.",
        ),
        "trust forgotten": (
            _no_trust,
            "The centre counts as much as one choice for you. It counts as trust choices: "
            "begin with trust * centre.",
        ),
        "bits": (_bits, "That is in bits. In nats, take the natural logarithm."),
    },
)

# 5. The loudest applause --------------------------------------------------------------


def chosen(score, worth, n):
    """What the best-scored of n is worth on average, over all ways to draw n of them."""
    sorted_ = np.asarray(worth, float)[np.argsort(-np.asarray(score))]
    many, out, ahead = len(sorted_), 0.0, 1.0  # the chance that none of the better is drawn
    for k in range(many - n + 1):
        first = n / (many - k)  # that this one is, then
        out += ahead * first * sorted_[k]
        ahead *= 1 - first
    return float(out)


def _as_it_should_be(score, worth, n):
    return chosen(worth, worth, n)


def _its_own_praise(score, worth, n):
    return chosen(score, score, n)


def _best_of_all(score, worth, n):
    return float(np.asarray(worth)[np.argmax(score)])


def _put_back(score, worth, n):
    sorted_ = np.asarray(worth, float)[np.argsort(-np.asarray(score))]
    left = 1 - np.arange(len(sorted_) + 1) / len(sorted_)
    return float(((left[:-1] ** n - left[1:] ** n) * sorted_).sum())


def _chosen_cases():
    rng = np.random.default_rng(85)
    return [(rng.normal(size=many), rng.normal(size=many), n)
            for many, n in ((4, 2), (6, 3), (9, 1), (7, 7), (30, 5))]


CHOSEN = Exercise(
    "08.5",
    reference=chosen,
    cases=_chosen_cases,
    wrong={
        "chosen by worth": (
            _as_it_should_be,
            "You choose by true worth. The rater sees the score alone: choose by score, "
            "report worth.",
        ),
        "its own praise": (
            _its_own_praise,
            "You report the score of the winner. Asked is what the winner is worth.",
        ),
        "best of all": (
            _best_of_all,
            "That is the winner if all compete. Only n are drawn: the k-th best wins if it "
            "is drawn and none of the better ones are.",
        ),
        "put back": (
            _put_back,
            "You draw with replacement, so that one may compete against itself. "
            "The n are different.",
        ),
    },
)

EXERCISES = {task.id: task for task in (WISH, RECKON, HABIT, CODE, CHOSEN)}
