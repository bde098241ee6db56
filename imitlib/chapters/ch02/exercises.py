"""The exercises of chapter 02: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise

# 1. The price of a slip ---------------------------------------------------------------


def expected_cost(error, horizon, recovers):
    """Mean cost after 1, ..., horizon steps, by recursion on the chance of being up."""
    up, off = 1.0, []
    for _ in range(horizon):
        up = (1 - error) * up + (1 - up) * recovers
        off.append(1 - up)
    return np.cumsum(off)


def _small_error_formula(error, horizon, recovers):
    steps = np.arange(1, horizon + 1)
    return error * steps if recovers else error * steps * (steps + 1) / 2


def _ignores_recovery(error, horizon, recovers):
    return expected_cost(error, horizon, False)


def _one_step_late(error, horizon, recovers):
    return np.r_[0, expected_cost(error, horizon, recovers)[:-1]]


def _off_not_summed(error, horizon, recovers):
    return np.diff(expected_cost(error, horizon, recovers), prepend=0)


def _last_only(error, horizon, recovers):
    return expected_cost(error, horizon, recovers)[-1]


def _back_and_off_again(error, horizon, recovers):
    up, off = 1.0, []
    for _ in range(horizon):
        back = 1 - up if recovers else 0
        up = (1 - error) * (up + back)
        off.append(1 - up)
    return np.cumsum(off)


def _slips_are_forgotten(error, horizon, recovers):
    return error * np.arange(1, horizon + 1)


PRICE = Exercise(
    "02.1",
    reference=expected_cost,
    cases=lambda: [
        (0.1, 3, False),
        (0.1, 3, True),
        (0.02, 40, False),
        (0.3, 9, True),
    ],
    wrong={
        "small-error formula": (
            _small_error_formula,
            "That is the law for small errors. A walker who is already off cannot fall "
            "again: keep the chance of being up, and multiply.",
        ),
        "no recovery": (
            _ignores_recovery,
            "Right without a way back. With one, who was off is up again after the next "
            "step: add (1 - up) * recovers.",
        ),
        "one step late": (
            _one_step_late,
            "The wrong lean of step t already costs at step t: update the chance first, "
            "then add its cost.",
        ),
        "not summed": (
            _off_not_summed,
            "This is the chance of being off at each step. The cost after T steps is the "
            "sum of the first T of them.",
        ),
        "last only": (
            _last_only,
            "That is the cost after the last step. Return it after every step, as an "
            "array of shape (horizon,).",
        ),
        "back and off again": (
            _back_and_off_again,
            "Here who steps back on can slip in the same step. Climbing takes the whole "
            "step: error applies only to those who were up before it.",
        ),
        "slips forgotten": (
            _slips_are_forgotten,
            "This counts each slip once, whatever follows it. Who has slipped and cannot "
            "climb pays for every later step too.",
        ),
    },
)

# 2. Read an exponent off a curve ------------------------------------------------------


def growth(horizons, costs):
    """The p of cost = C horizon^p, by least squares on logarithmic axes."""
    return float(np.polyfit(np.log(horizons), np.log(costs), 1)[0])


def _no_logs(horizons, costs):
    return float(np.polyfit(horizons, costs, 1)[0])


def _log_costs_only(horizons, costs):
    return float(np.polyfit(horizons, np.log(costs), 1)[0])


def _swapped(horizons, costs):
    return float(np.polyfit(np.log(costs), np.log(horizons), 1)[0])


def _two_points(horizons, costs):
    return float(np.log(costs[-1] / costs[0]) / np.log(horizons[-1] / horizons[0]))


def _intercept(horizons, costs):
    return float(np.polyfit(np.log(horizons), np.log(costs), 1)[1])


def _growth_cases():
    steps = np.array([8, 16, 32, 64, 128, 256])
    noisy = 0.004 * steps**1.7 * np.array([1.3, 0.9, 1.0, 1.2, 0.8, 1.0])
    return [
        (steps, expected_cost(0.0015, 256, False)[steps - 1]),
        (steps, expected_cost(0.0015, 256, True)[steps - 1]),
        (steps, noisy),
    ]


GROWTH = Exercise(
    "02.2",
    reference=growth,
    cases=_growth_cases,
    wrong={
        "no logarithms": (
            _no_logs,
            "That is a slope in steps per step. A power law is a straight line only when "
            "both axes are logarithmic.",
        ),
        "one logarithm": (
            _log_costs_only,
            "With only the cost on a logarithmic axis you fit an exponential. Take the "
            "logarithm of the horizons too.",
        ),
        "axes swapped": (
            _swapped,
            "You fitted the horizon as a power of the cost. Which of the two did we "
            "choose, and which came out?",
        ),
        "two points": (
            _two_points,
            "The first and last point alone: any noise in them goes straight into the "
            "answer. Fit all of them.",
        ),
        "intercept": (
            _intercept,
            "np.polyfit gives the slope first and the constant last.",
        ),
    },
)

# 3. Who drives, who labels ------------------------------------------------------------


def collect(expert, learner, coins, beta):
    """Row 0: the actions executed. Row 1: the labels that go on the pile."""
    executed = np.where(np.asarray(coins) < beta, expert, learner)
    return np.stack([executed, expert])


def _labels_what_was_done(expert, learner, coins, beta):
    executed = collect(expert, learner, coins, beta)[0]
    return np.stack([executed, executed])


def _labels_of_the_learner(expert, learner, coins, beta):
    return np.stack([collect(expert, learner, coins, beta)[0], learner])


def _beta_for_the_learner(expert, learner, coins, beta):
    return np.stack([np.where(np.asarray(coins) < beta, learner, expert), expert])


def _expert_drives(expert, learner, coins, beta):
    return np.stack([expert, expert])


def _rows_swapped(expert, learner, coins, beta):
    return collect(expert, learner, coins, beta)[::-1]


def _one_coin(expert, learner, coins, beta):
    return np.stack([expert if coins[0] < beta else learner, expert])


def _collect_cases():
    rng = np.random.default_rng(5)
    cases = []
    for beta in (0.0, 0.5, 0.25):
        expert, learner = rng.integers(0, 3, 12), rng.integers(3, 6, 12)
        cases.append((expert, learner, rng.random(12), beta))
    return cases


COLLECT = Exercise(
    "02.3",
    reference=collect,
    cases=_collect_cases,
    wrong={
        "labels what was done": (
            _labels_what_was_done,
            "You label with whoever drove, so where the learner drove it learns from "
            "itself. The label is always what the expert would have done there.",
        ),
        "labels of the learner": (
            _labels_of_the_learner,
            "These labels are the learner's own actions: it would agree with itself for "
            "ever. Ask the expert.",
        ),
        "beta for the learner": (
            _beta_for_the_learner,
            "beta is the expert's share of the driving; at beta = 1 the learner must not "
            "drive at all.",
        ),
        "expert drives": (
            _expert_drives,
            "Only the expert drives here, so the learner's own places are never visited. "
            "That is behavioral cloning once more.",
        ),
        "rows swapped": (
            _rows_swapped,
            "Right, but upside down: the executed actions come first, the labels second.",
        ),
        "one coin": (
            _one_coin,
            "One coin decided for all. Each step has a coin of its own: np.where.",
        ),
    },
)

# 4. What the camera and the last action say -------------------------------------------


def green(change, glare):
    """P(light is green | reading, previous light), shape (2, 2), by Bayes' rule."""
    table = np.zeros((2, 2))
    for reading in range(2):
        for previous in range(2):
            joint = [
                (1 - change if light == previous else change)
                * (1 - glare if light == reading else glare)
                for light in range(2)
            ]
            table[reading, previous] = joint[1] / sum(joint)
    return table


def _no_prior(change, glare):
    row = np.array([glare, 1 - glare])
    return np.stack([row, row], axis=1)


def _no_camera(change, glare):
    row = np.array([change, 1 - change])
    return np.stack([row, row], axis=0)


def _not_normalised(change, glare):
    prior = np.array([change, 1 - change])
    seen = np.array([glare, 1 - glare])
    return seen[:, None] * prior[None, :]


def _transposed(change, glare):
    return green(change, glare).T


def _red(change, glare):
    return 1 - green(change, glare)


def _averaged(change, glare):
    return (_no_prior(change, glare) + _no_camera(change, glare)) / 2


GREEN = Exercise(
    "02.4",
    reference=green,
    cases=lambda: [(0.02, 0.2), (0.1, 0.3), (0.5, 0.2)],
    wrong={
        "camera only": (
            _no_prior,
            "That trusts the camera alone. The light a moment ago says something too: "
            "multiply by the chance that it stayed.",
        ),
        "no camera": (
            _no_camera,
            "That ignores the camera. Multiply by the chance of this reading.",
        ),
        "not normalised": (
            _not_normalised,
            "These are chances of green *and* this reading. Divide by the same product "
            "for red plus the one for green.",
        ),
        "transposed": (
            _transposed,
            "Yours is the transpose: rows are what the camera reads, columns what the "
            "light was. (Or did you swap change and glare?)",
        ),
        "red": (
            _red,
            "These are the chances of red; or your rows and columns begin with green, "
            "where 0 is red and 1 is green.",
        ),
        "averaged": (
            _averaged,
            "Two pieces of evidence are multiplied, as Bayes' rule says, not averaged.",
        ),
    },
)

EXERCISES = {task.id: task for task in (PRICE, GROWTH, COLLECT, GREEN)}
