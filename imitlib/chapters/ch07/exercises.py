"""The exercises of chapter 07: what is right, and the mistakes worth naming."""

from __future__ import annotations

import numpy as np

from imitlib.exercises import Exercise


def _world(rng, states, actions):
    """Transitions drawn at random, (S, A, S)."""
    return rng.dirichlet(np.full(states, 0.5), size=(states, actions))


# 1. Shape a reward --------------------------------------------------------------------


def shaped(reward, P, values, discount):
    """r(s, a) + V(s) - discount * expected V(s')."""
    return reward + values[:, None] - discount * P @ values


def _no_price(reward, P, values, discount):
    return reward + values[:, None] + 0 * P @ values


def _undiscounted(reward, P, values, discount):
    return reward + values[:, None] - P @ values


def _other_sign(reward, P, values, discount):
    return reward - values[:, None] + discount * P @ values


def _best_next(reward, P, values, discount):
    return reward + values[:, None] - discount * np.where(P > 0, values, -np.inf).max(axis=2)


def _from_where(reward, P, values, discount):
    return reward + values[:, None] - discount * np.einsum("tas,t->sa", P, values)


def _shaping_cases():
    rng = np.random.default_rng(71)
    two = np.array([[[1.0, 0], [0, 1]], [[0, 1], [0, 1]]])
    return [
        (np.array([[0.0, 1], [0, 0]]), two, np.array([2.0, 0]), 0.5),
        *((rng.normal(size=(n, a)), _world(rng, n, a), rng.normal(size=n), g)
          for n, a, g in ((3, 2, 0.9), (5, 3, 0.7))),
    ]  # fmt: skip


SHAPE = Exercise(
    "07.1",
    reference=shaped,
    cases=_shaping_cases,
    wrong={
        "nothing is paid back": (
            _no_price,
            "You give V(s) away and take nothing back. Subtract what the next state will "
            "be worth: discount * P @ values.",
        ),
        "undiscounted": (
            _undiscounted,
            "The next state's V comes a step later, so it counts discount times as much. "
            "Without that, choices change.",
        ),
        "other sign": (
            _other_sign,
            "That explains the same behaviour, with -V in place of V. Here V is to be what "
            "every state is worth more: add V(s), subtract the discounted V(s').",
        ),
        "best next state": (
            _best_next,
            "You take the best state that may come next. She does not choose it: take the "
            "expectation, P @ values.",
        ),
        "from where": (
            _from_where,
            "P[s, a] lists where (s, a) leads. You sum over where one comes from: P @ "
            "values sums over the last axis.",
        ),
    },
)

# 2. Would anybody notice? -------------------------------------------------------------


def noticed(change, P, discount):
    """The largest entry of a change of reward that no V explains, by least squares."""
    states, actions = change.shape
    rows = np.repeat(np.eye(states), actions, axis=0) - discount * P.reshape(-1, states)
    values = np.linalg.lstsq(rows, change.ravel(), rcond=None)[0]
    return float(np.abs(change.ravel() - rows @ values).max())


def _by_size(change, P, discount):
    return float(np.abs(change).max())


def _constants_only(change, P, discount):
    return float(np.abs(change - change.mean()).max())


def _places_only(change, P, discount):
    return float(np.abs(change - change.mean(axis=1, keepdims=True)).max())


def _arrivals_only(change, P, discount):
    rows = P.reshape(-1, P.shape[-1])
    values = np.linalg.lstsq(rows, change.ravel(), rcond=None)[0]
    return float(np.abs(change.ravel() - rows @ values).max())


def _signed(change, P, discount):
    states, actions = change.shape
    rows = np.repeat(np.eye(states), actions, axis=0) - discount * P.reshape(-1, states)
    values = np.linalg.lstsq(rows, change.ravel(), rcond=None)[0]
    return float((change.ravel() - rows @ values).max())


def _notice_undiscounted(change, P, discount):
    return noticed(change, P, 1.0)


def _notice_cases():
    rng, out = np.random.default_rng(72), []
    for n, a, g in ((4, 3, 0.9), (5, 2, 0.6)):
        P = _world(rng, n, a)
        shape = shaped(np.zeros((n, a)), P, rng.normal(size=n), g)
        out += [(shape, P, g), (shape + rng.normal(size=(n, a)), P, g)]
    return [*out, (np.repeat(rng.normal(size=(4, 1)), 3, axis=1), _world(rng, 4, 3), 0.8)]


NOTICE = Exercise(
    "07.2",
    reference=noticed,
    cases=_notice_cases,
    wrong={
        "by size": (
            _by_size,
            "This is how large the change is. A large change can go unnoticed: take away "
            "the part that some V explains, then look at what is left.",
        ),
        "constants only": (
            _constants_only,
            "You take away a constant. A constant is the V that is equal everywhere; there "
            "are as many others as states.",
        ),
        "places only": (
            _places_only,
            "You forgive whatever depends on the state alone. But a bonus for being "
            "somewhere is noticed: she goes there. Only V(s) - discount * P @ V is free.",
        ),
        "arrivals only": (
            _arrivals_only,
            "You fit P @ V alone. The rows are those of the identity minus discount * P.",
        ),
        "signed": (
            _signed,
            "That is the largest entry with its sign; a fine can be larger than any bonus. "
            "Take absolute values.",
        ),
        "undiscounted": (
            _notice_undiscounted,
            "You left the discount out. At her discount V(s) - P @ V is noticed.",
        ),
    },
)

# 3. EPIC by hand ----------------------------------------------------------------------


def canonical(reward, discount):
    """EPIC's canonical form of r(s, a, s'), with states and actions drawn evenly."""
    leaving = reward.mean(axis=(1, 2))  # the mean reward on leaving a state
    return (reward + discount * leaving[None, None, :] - leaving[:, None, None]
            - discount * leaving.mean())  # fmt: skip


def epic(first, second, discount):
    """Half the chord between two rewards, in [0, 1]: 0 is one reward, 1 its negative."""
    a, b = (canonical(r, discount).ravel() for r in (first, second))
    rho = np.corrcoef(a, b)[0, 1]
    return float(np.sqrt(max(1 - rho, 0) / 2))


def _as_they_are(first, second, discount):
    rho = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    return float(np.sqrt(max(1 - rho, 0) / 2))


def _epic_undiscounted(first, second, discount):
    return epic(first, second, 1.0)


def _no_root(first, second, discount):
    return epic(first, second, discount) ** 2


def _sign_blind(first, second, discount):
    rho = 1 - 2 * epic(first, second, discount) ** 2
    return float(np.sqrt(max(1 - abs(rho), 0) / 2))


def _no_departure(first, second, discount):
    def half(r):
        return r + discount * r.mean(axis=(1, 2))[None, None, :]

    return _as_they_are(half(first), half(second), discount)


def _arriving(first, second, discount):
    def form(r):
        come = r.mean(axis=(0, 1))
        return r + discount * come[None, None, :] - come[:, None, None]

    return _as_they_are(form(first), form(second), discount)


def _signs_swapped(first, second, discount):
    def form(r):
        leaving = r.mean(axis=(1, 2))
        return r - discount * leaving[None, None, :] + leaving[:, None, None]

    return _as_they_are(form(first), form(second), discount)


def _no_half(first, second, discount):
    return float(np.sqrt(2) * epic(first, second, discount))


def _epic_cases():
    rng, out = np.random.default_rng(73), []
    for n, a, g in ((2, 2, 0.5), (4, 3, 0.9)):
        r, other = rng.normal(size=(2, n, a, n))
        V = rng.normal(size=n)
        shape = 3 * (r + V[:, None, None] - g * V) + 1
        out += [(r, shape, g), (r, other, g), (r, other - r, g), (r, shape + other, g)]
    return out


EPIC = Exercise(
    "07.3",
    reference=epic,
    cases=_epic_cases,
    rtol=1e-5,
    wrong={
        "as they are": (
            _as_they_are,
            "You compare the rewards as they are, so shaping makes two equal ones look "
            "different. Bring each to its canonical form first.",
        ),
        "undiscounted": (
            _epic_undiscounted,
            "In the canonical form, what comes after the next state counts discount times as "
            "much.",
        ),
        "no root": (
            _no_root,
            "This is (1 - rho) / 2. The distance is its square root; without it the "
            "triangle inequality fails.",
        ),
        "blind to the sign": (
            _sign_blind,
            "A reward and its negative are as far apart as can be: take rho itself, not "
            "its absolute value.",
        ),
        "means of arriving": (
            _arriving,
            "The means are those of leaving a state: over actions and next states, "
            "mean(axis=(1, 2)).",
        ),
        "signs swapped": (
            _signs_swapped,
            "The signs are swapped: add what leaving the next state pays, and subtract "
            "what leaving this one pays.",
        ),
        "no half": (
            _no_half,
            "The half is missing: the square root of (1 - rho) / 2, so that opposites are "
            "at 1.",
        ),
        "nothing taken off": (
            _no_departure,
            "You add what leaving s' pays, and forget to subtract what leaving s pays. "
            "Both together undo shaping.",
        ),
    },
)

# 4. What two worlds leave silent ------------------------------------------------------


def silent(P, gamma, Q, delta):
    """How many directions of reward, beyond a constant, show in neither world."""
    states, actions = P.shape[:2]
    here = np.repeat(np.eye(states), actions, axis=0)
    one, two = (here - g * m.reshape(-1, states) for m, g in ((P, gamma), (Q, delta)))
    return int(2 * states - 1 - np.linalg.matrix_rank(np.hstack([one, -two])))


def _constant_counted(P, gamma, Q, delta):
    return silent(P, gamma, Q, delta) + 1


def _rank_itself(P, gamma, Q, delta):
    return 2 * P.shape[0] - 1 - silent(P, gamma, Q, delta)


def _one_on_top(P, gamma, Q, delta):
    return P.shape[0] - 1


def _first_discount_twice(P, gamma, Q, delta):
    return silent(P, gamma, Q, gamma)


def _silent_undiscounted(P, gamma, Q, delta):
    return silent(P, 1.0, Q, 1.0)


def _silent_cases():
    rng = np.random.default_rng(74)
    one, two = _world(rng, 5, 3), _world(rng, 5, 3)
    here = np.arange(6)
    road = np.eye(6)[np.stack([(here + 1) % 6, (here - 1) % 6], axis=1)]
    changed = one.copy()
    changed[0, :2] = two[0, :2]
    return [
        (one, 0.9, two, 0.9), (one, 0.9, one, 0.5), (one, 0.9, one, 0.9),
        (road, 0.9, road, 0.5), (one, 0.8, changed, 0.8),
    ]  # fmt: skip


SILENT = Exercise(
    "07.4",
    reference=silent,
    cases=_silent_cases,
    wrong={
        "the constant counted": (
            _constant_counted,
            "A constant is always silent and is not to be counted: compare the rank with "
            "2 S - 1, not with 2 S.",
        ),
        "the rank itself": (
            _rank_itself,
            "This is the rank, what the two worlds settle. Asked is what they leave: "
            "2 S - 1 less the rank.",
        ),
        "one world": (
            _one_on_top,
            "S - 1 is what a single world leaves silent. The second may settle all of it: "
            "put the two matrices side by side and take the rank.",
        ),
        "one discount twice": (
            _first_discount_twice,
            "You gave both worlds the first discount. The same world at two discounts is a "
            "legal pair, and often enough.",
        ),
        "undiscounted": (
            _silent_undiscounted,
            "You left the discounts out: the rows are those of the identity minus discount "
            "* P, each world with its own.",
        ),
    },
)

# 5. Read the reward off ---------------------------------------------------------------


def read_off(P, gamma, policy, Q, delta, other_policy):
    """The reward of mean 0 that both soft policies (temperature 1) share."""
    reward = _constant_kept(P, gamma, policy, Q, delta, other_policy)
    return reward - reward.mean()


def _constant_kept(P, gamma, policy, Q, delta, other_policy):
    states, actions = policy.shape
    here = np.repeat(np.eye(states), actions, axis=0)
    one, two = (here - g * m.reshape(-1, states) for m, g in ((P, gamma), (Q, delta)))
    says, other = np.log(policy).ravel(), np.log(other_policy).ravel()
    both = np.linalg.lstsq(np.hstack([one, -two]), other - says, rcond=None)[0]
    return (says + one @ both[:states]).reshape(states, actions)


def _log_alone(P, gamma, policy, Q, delta, other_policy):
    return np.log(policy) - np.log(policy).mean()


def _difference_turned(P, gamma, policy, Q, delta, other_policy):
    reward = 2 * np.log(policy) - read_off(P, gamma, policy, Q, delta, other_policy)
    return reward - reward.mean()


def _second_values_first_world(P, gamma, policy, Q, delta, other_policy):
    states = len(policy)
    reward = read_off(P, gamma, policy, Q, delta, other_policy)
    rest = (reward - np.log(other_policy)).ravel()
    two = np.repeat(np.eye(states), policy.shape[1], axis=0) - delta * Q.reshape(-1, states)
    values = np.linalg.lstsq(two, rest, rcond=None)[0]
    mixed = np.log(policy) + values[:, None] - gamma * P @ values
    return mixed - mixed.mean()


def _soft(P, reward, discount):
    values = np.zeros(len(P))
    for _ in range(2000):
        q = reward + discount * P @ values
        values = np.log(np.exp(q).sum(axis=1))
    return np.exp(q - values[:, None])


def _reading_cases():
    rng, out = np.random.default_rng(75), []
    for n, a in ((3, 2), (5, 3)):
        P, Q, r = _world(rng, n, a), _world(rng, n, a), rng.normal(size=(n, a))
        for other, g, d in ((Q, 0.9, 0.9), (P, 0.9, 0.5)):
            out.append((P, g, _soft(P, r, g), other, d, _soft(other, r, d)))
    return out


READ = Exercise(
    "07.5",
    reference=read_off,
    cases=_reading_cases,
    wrong={
        "mean not 0": (
            _constant_kept,
            "Right up to a constant, which nobody can know. Subtract the mean at the end.",
        ),
        "the logarithm alone": (
            _log_alone,
            "You stop at log pi: V = 0, one explanation of the first policy among many. "
            "Let the second policy choose V.",
        ),
        "the difference turned": (
            _difference_turned,
            "The sign of V is turned: log p + B1 V1 = log q + B2 V2, so B1 V1 - B2 V2 is "
            "log q - log p.",
        ),
        "the other's values": (
            _second_values_first_world,
            "These are the values of the second world, put into the first. The solution "
            "holds V1 first, then V2: take the first S of them.",
        ),
    },
)

EXERCISES = {task.id: task for task in (SHAPE, NOTICE, EPIC, SILENT, READ)}
