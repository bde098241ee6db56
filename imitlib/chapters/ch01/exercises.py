"""The exercises of chapter 01: what is right, and the mistakes worth naming."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from imitlib.exercises import Exercise

# 1. The return of a walk --------------------------------------------------------------


def total(rewards, discount):
    """Sum of discount ** t * rewards[t], t = 0, 1, ..."""
    return float(np.sum(discount ** np.arange(len(rewards)) * np.asarray(rewards)))


def _not_discounted(rewards, discount):
    return float(np.sum(rewards))


def _first_discounted_too(rewards, discount):
    return discount * total(rewards, discount)


def _backwards(rewards, discount):
    return total(rewards[::-1], discount)


def _discounted_once(rewards, discount):
    return float(rewards[0] + discount * np.sum(rewards[1:]))


def _all_alike(rewards, discount):
    return discount * float(np.sum(rewards))


def _terms(rewards, discount):
    return discount ** np.arange(len(rewards)) * np.asarray(rewards)


def _times_t(rewards, discount):
    return float(np.sum(discount * np.arange(len(rewards)) * np.asarray(rewards)))


def _averaged(rewards, discount):
    return total(rewards, discount) / len(rewards)


RETURN = Exercise(
    "01.1",
    reference=total,
    cases=lambda: [
        ([-0.2, -0.2, 9.8], 0.5),
        ([1.0, 2.0, 3.0, 4.0], 0.9),
        ([0.0, 0.0, 0.0, 7.0, -3.0], 0.8),
    ],
    wrong={
        "not discounted": (
            _not_discounted,
            "That is the plain sum. A reward that comes t steps later counts discount ** t.",
        ),
        "first discounted too": (
            _first_discounted_too,
            "The first reward is paid at once: its weight is discount ** 0, which is 1.",
        ),
        "backwards": (
            _backwards,
            "This discounts the early rewards and not the late ones. Count t from the "
            "front.",
        ),
        "discounted once": (
            _discounted_once,
            "Each further step discounts once more: the weights are 1, discount, "
            "discount ** 2, ...",
        ),
        "all alike": (
            _all_alike,
            "Here every reward is discounted once. Only those that come later count less: "
            "discount ** t.",
        ),
        "terms": (_terms, "These are the terms of the sum. Add them up."),
        "times t": (
            _times_t,
            "A reward t steps later counts discount ** t, a power: not discount * t.",
        ),
        "averaged": (_averaged, "A return is a sum; do not divide by the length."),
    },
)

# 2. Look one step ahead ---------------------------------------------------------------


def look_ahead(successors, rewards, values, discount):
    """Q(s, a) in a world where every action has one certain outcome."""
    return np.asarray(rewards) + discount * np.asarray(values)[np.asarray(successors)]


def _no_reward(successors, rewards, values, discount):
    return discount * np.asarray(values)[np.asarray(successors)]


def _no_discount(successors, rewards, values, discount):
    return look_ahead(successors, rewards, values, 1.0)


def _worth_of_here(successors, rewards, values, discount):
    return np.asarray(rewards) + discount * np.asarray(values)[:, None]


def _best_only(successors, rewards, values, discount):
    return look_ahead(successors, rewards, values, discount).max(axis=1)


def _reward_discounted(successors, rewards, values, discount):
    return discount * look_ahead(successors, rewards, values, 1.0)


def _two_streets():
    rng = np.random.default_rng(0)
    for n_states, n_actions in ((3, 2), (6, 4)):
        yield (
            rng.integers(n_states, size=(n_states, n_actions)),
            rng.normal(size=(n_states, n_actions)).round(1),
            rng.normal(size=n_states).round(1),
            0.5,
        )


AHEAD = Exercise(
    "01.2",
    reference=look_ahead,
    cases=lambda: list(_two_streets()),
    wrong={
        "no reward": (
            _no_reward,
            "This is what comes afterwards. Add what the step itself pays.",
        ),
        "no discount": (
            _no_discount,
            "What comes a step later counts discount times as much.",
        ),
        "worth of here": (
            _worth_of_here,
            "These are the values of the states one is in. Take those that the actions "
            "lead to: values[successors].",
        ),
        "best only": (
            _best_only,
            "That is the best action's worth, V. Keep all actions: shape (S, A).",
        ),
        "reward discounted": (
            _reward_discounted,
            "The reward of this step is paid now; only what comes after it is discounted.",
        ),
    },
)

# 3. What a step says ------------------------------------------------------------------


def believe(prior, chances, actions):
    """The belief after some actions: chances[k, t, a] for goal k, step t, action a."""
    belief = np.array(prior, float)
    for t, action in enumerate(actions):
        belief = belief * chances[:, t, action]
        belief = belief / belief.sum()
    return belief


def _prior_forgotten(prior, chances, actions):
    return believe(np.ones(len(prior)) / len(prior), chances, actions)


def _last_step_only(prior, chances, actions):
    t = len(actions) - 1
    weight = np.array(prior) * chances[:, t, actions[t]]
    return weight / weight.sum()


def _not_normalised(prior, chances, actions):
    belief = np.array(prior, float)
    for t, action in enumerate(actions):
        belief = belief * chances[:, t, action]
    return belief


def _after_one(prior, chances, actions):
    return believe(prior, chances, actions[:1])


def _all_beliefs(prior, chances, actions):
    return np.array([believe(prior, chances, actions[: t + 1]) for t in range(len(actions))])


def _added(prior, chances, actions):
    belief = np.array(prior, float)
    for t, action in enumerate(actions):
        belief = belief + chances[:, t, action]
    return belief / belief.sum()


def _same_step(prior, chances, actions):
    return believe(prior, np.repeat(chances[:, :1], len(actions), axis=1), actions)


def _beliefs():
    yield [1 / 3] * 3, np.array([[[0.9, 0.1]], [[0.9, 0.1]], [[0.1, 0.9]]]), [0]
    rng = np.random.default_rng(1)
    for goals, steps in ((2, 2), (3, 4)):
        chances = rng.dirichlet(np.ones(3), size=(goals, steps))
        yield rng.dirichlet(np.ones(goals)), chances, rng.integers(3, size=steps).tolist()


BELIEVE = Exercise(
    "01.3",
    reference=believe,
    cases=lambda: list(_beliefs()),
    wrong={
        "prior forgotten": (
            _prior_forgotten,
            "This begins as if all goals were equally likely. Begin with the prior.",
        ),
        "last step only": (
            _last_step_only,
            "Every step speaks, not only the last: the belief after one is the prior of "
            "the next.",
        ),
        "not normalised": (
            _not_normalised,
            "The proportions are right. Divide by the sum, so that they are probabilities.",
        ),
        "after one": (
            _after_one,
            "That is the belief after the first action. Is the return inside the loop?",
        ),
        "all beliefs": (
            _all_beliefs,
            "These are the beliefs after each action. Return the last of them.",
        ),
        "added": (
            _added,
            "Chances of independent choices are multiplied, not added.",
        ),
        "same step": (
            _same_step,
            "The chances change from step to step: use chances[:, t, action].",
        ),
    },
)

# 4. One lesson from trying ------------------------------------------------------------


def learn(q, state, action, reward, after, terminated, rate, discount):
    """Q-learning's update of one entry; the table that comes out."""
    q = np.array(q, float)
    later = 0.0 if terminated else discount * q[after].max()
    q[state, action] += rate * (reward + later - q[state, action])
    return q


def _through_the_end(q, state, action, reward, after, terminated, rate, discount):
    return learn(q, state, action, reward, after, False, rate, discount)


def _all_at_once(q, state, action, reward, after, terminated, rate, discount):
    return learn(q, state, action, reward, after, terminated, 1.0, discount)


def _same_action(q, state, action, reward, after, terminated, rate, discount):
    q = np.array(q, float)
    later = 0.0 if terminated else discount * q[after, action]
    q[state, action] += rate * (reward + later - q[state, action])
    return q


def _adds_up(q, state, action, reward, after, terminated, rate, discount):
    q = np.array(q, float)
    later = 0.0 if terminated else discount * q[after].max()
    q[state, action] += rate * (reward + later)
    return q


def _no_discount_at_all(q, state, action, reward, after, terminated, rate, discount):
    return learn(q, state, action, reward, after, terminated, rate, 1.0)


def _rate_and_rest_exchanged(
    q, state, action, reward, after, terminated, rate, discount
):
    return learn(q, state, action, reward, after, terminated, 1 - rate, discount)


def _nothing_learned_at_the_end(
    q, state, action, reward, after, terminated, rate, discount
):
    if terminated:
        return np.array(q, float)
    return learn(q, state, action, reward, after, terminated, rate, discount)


def _best_of_here(q, state, action, reward, after, terminated, rate, discount):
    return learn(q, state, action, reward, state, terminated, rate, discount)


def _best_anywhere(q, state, action, reward, after, terminated, rate, discount):
    best = int(np.array(q, float).max(axis=1).argmax())
    return learn(q, state, action, reward, best, terminated, rate, discount)


def _entry_only(q, state, action, reward, after, terminated, rate, discount):
    return learn(q, state, action, reward, after, terminated, rate, discount)[state, action]


def _lessons():
    table = [[0.0, 1.0], [2.0, -1.0], [4.0, 3.0]]
    return [
        (table, 0, 1, -0.2, 1, False, 0.5, 0.9),
        (table, 1, 0, 9.8, 2, True, 0.5, 0.9),
        (table, 0, 0, 1.0, 1, False, 0.1, 0.5),
    ]


LEARN = Exercise(
    "01.4",
    reference=learn,
    cases=_lessons,
    wrong={
        "through the end": (
            _through_the_end,
            "Right until the story ends. After a last step nothing is paid any more: the "
            "later part is 0.",
        ),
        "all at once": (
            _all_at_once,
            "This replaces the old estimate. Move from it only `rate` of the way.",
        ),
        "same action": (
            _same_action,
            "What comes after is worth what the *best* action there is worth: q[after].max().",
        ),
        "adds up": (
            _adds_up,
            "The update is rate times the *surprise*: subtract what was expected, "
            "q[state, action].",
        ),
        "no discount": (
            _no_discount_at_all,
            "What comes after counts discount times as much: where is the discount?",
        ),
        "rate and rest exchanged": (
            _rate_and_rest_exchanged,
            "This moves 1 - rate of the way. `rate` is the part that is moved; the rest "
            "stays.",
        ),
        "nothing learned at the end": (
            _nothing_learned_at_the_end,
            "The last step has a reward too, and it is learned from. Only what would come "
            "after it is missing.",
        ),
        "best of here": (
            _best_of_here,
            "The best action counts in the state that is reached: q[after], not q[state].",
        ),
        "best anywhere": (
            _best_anywhere,
            "That is the largest number of the whole table. Take the largest of the row of "
            "the state that is reached.",
        ),
        "entry only": (_entry_only, "Return the whole table, with this entry changed."),
    },
)

# 5. How many walks --------------------------------------------------------------------


def walks_needed(chances):
    """The mean number of walks until each situation has been shown once."""
    chances = np.asarray(chances, float)
    mean = 0.0
    for subset in range(1, 2 ** len(chances)):
        members = [(subset >> i) & 1 for i in range(len(chances))]
        share = float(np.dot(members, chances))
        mean += (-1) ** (sum(members) + 1) / share
    return mean


def _one_each(chances):
    return float(len(chances))


def _the_rarest(chances):
    return 1 / min(chances)


def _as_if_even(chances):
    n = len(chances)
    return n * sum(1 / k for k in range(1, n + 1))


def _no_signs(chances):
    sizes = range(1, len(chances) + 1)
    return sum(1 / sum(some) for size in sizes for some in combinations(chances, size))


def _signs_reversed(chances):
    return -walks_needed(chances)


def _sum_of_waits(chances):
    return sum(1 / chance for chance in chances)


WALKS = Exercise(
    "01.5",
    reference=walks_needed,
    cases=lambda: [([0.5, 0.5],), ([1 / 9] * 9,), ([0.7, 0.2, 0.1],)],
    wrong={
        "one each": (
            _one_each,
            "That would do if she chose what to show. She walks where the orders take her, "
            "and often shows the same again.",
        ),
        "the rarest": (
            _the_rarest,
            "That is the wait for the rarest situation. While you wait for it, another may "
            "still be missing.",
        ),
        "as if even": (
            _as_if_even,
            "Right where all situations are equally likely. In general go through all sets "
            "of situations, with alternating signs.",
        ),
        "no signs": (
            _no_signs,
            "Sets of an even number of situations are subtracted: what overlaps has been "
            "counted twice.",
        ),
        "signs reversed": (
            _signs_reversed,
            "Single situations are added, pairs subtracted: your signs are the other way "
            "round.",
        ),
        "sum of waits": (
            _sum_of_waits,
            "The waits overlap: while you wait for one situation, others are shown.",
        ),
    },
)

EXERCISES = {task.id: task for task in (RETURN, AHEAD, BELIEVE, LEARN, WALKS)}
