"""Planner–reward pairs, policies that keep, and the small tools of chapter 08's second half."""

import itertools

import numpy as np
import pytest

import imitlib
from imitlib import planning
from imitlib.chapters.ch08 import accuracy, complexity, copying, pairs, raters
from imitlib.chapters.ch08.exercises import EXERCISES
from imitlib.goals import policies
from imitlib.goals.pairs import Planner, degenerate, fit, fit_habit, opposite
from imitlib.mdp import MDP


def world(seed=0, states=4, actions=3, discount=0.8):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(states), size=(states, actions))
    return MDP(chances, rng.normal(size=(states, actions)), discount,
               start=rng.dirichlet(np.ones(states)))  # fmt: skip


def soft_by_sweeps(mdp, reward, discount, temperature):
    """Softmax of soft Q, by plain sweeps over a dense table."""
    chances, values = mdp.dense(), np.zeros(mdp.n_states)
    for _ in range(200):
        q = reward + discount * chances @ values
        values = temperature * np.log(np.exp(q / temperature).sum(axis=1))
    odds = np.exp((q - values[:, None]) / temperature)
    return odds / odds.sum(axis=1, keepdims=True)


# Planners --------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("discount", [None, 0.0, 0.5])
def test_a_planner_plans_softly_for_its_sign_and_discount(sign, discount):
    mdp = world()
    got = Planner(0.4, discount, sign).policy(mdp, mdp.reward)
    wanted = soft_by_sweeps(mdp, sign * mdp.reward, 0.8 if discount is None else discount, 0.4)
    np.testing.assert_allclose(got, wanted, atol=1e-10)


def test_a_habit_is_added_when_she_acts_and_not_when_she_plans():
    mdp, habit = world(1), np.random.default_rng(2).normal(size=(4, 3))
    plain = soft_by_sweeps(mdp, mdp.reward, 0.8, 0.4)
    odds = plain * np.exp(habit / 0.4)
    got = Planner(0.4, habit=habit).policy(mdp, mdp.reward)
    np.testing.assert_allclose(got, odds / odds.sum(axis=1, keepdims=True), atol=1e-10)


def test_the_opposite_of_a_pair_does_the_same_and_twice_opposite_is_the_same():
    mdp, hana = world(3), Planner(0.3, 0.6, habit=world(4).reward)
    one = hana.policy(mdp, mdp.reward)
    assert np.abs(opposite(hana).policy(mdp, mdp.reward) - one).max() > 0.1
    np.testing.assert_array_equal(opposite(hana).policy(mdp, -mdp.reward), one)
    assert opposite(opposite(hana)).sign == hana.sign


def test_three_degenerate_pairs_reproduce_any_policy():
    mdp = world(5)
    policy = np.random.default_rng(6).dirichlet(np.ones(3), size=4)
    three = degenerate(policy, 0.7)
    for planner, reward in three:
        np.testing.assert_allclose(planner.policy(mdp, reward), policy, atol=1e-12)
    assert not three[0][1].any()
    np.testing.assert_allclose(three[1][1], 0.7 * np.log(policy))
    np.testing.assert_allclose(three[2][1], -three[1][1])


# Fits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("features", ["pairs", "states"])
def test_the_fit_is_a_maximum(sign, features):
    mdp, rng = world(7), np.random.default_rng(8)
    counts = rng.integers(0, 9, size=(4, 3)).astype(float)
    planner = Planner(0.5, 0.7, sign)
    reward = fit(mdp, planner, counts, l2=0.3, features=features)
    if features == "states":
        assert np.ptp(reward, axis=1).max() < 1e-12

    def objective(r):
        logs = np.log(soft_by_sweeps(mdp, sign * r, 0.7, 0.5))
        w = r[:, 0] if features == "states" else r
        return (counts * logs).sum() - 0.15 * (w**2).sum()

    for _ in range(6):
        step = rng.normal(size=(4, 1 if features == "states" else 3)) * np.ones((4, 3))
        up, down = (objective(reward + e * step) for e in (1e-4, -1e-4))
        assert abs(up - down) / 2e-4 < 1e-3
        assert objective(reward + 0.05 * step) < objective(reward)


def test_without_a_penalty_reward_and_habit_reproduce_the_frequencies():
    mdp, counts = world(9), np.random.default_rng(10).integers(2, 9, size=(4, 3))
    often = counts / counts.sum(axis=1, keepdims=True)
    reward = fit(mdp, Planner(0.5), counts, l2=1e-9)
    np.testing.assert_allclose(Planner(0.5).policy(mdp, reward), often, atol=1e-4)
    hers = fit_habit(mdp, Planner(0.5), mdp.reward, counts, l2=1e-9)
    np.testing.assert_allclose(hers.policy(mdp, mdp.reward), often, atol=1e-4)


def test_the_habit_is_a_maximum():
    mdp, rng = world(11), np.random.default_rng(12)
    counts = rng.integers(0, 9, size=(4, 3)).astype(float)
    h = fit_habit(mdp, Planner(0.5), mdp.reward, counts, l2=0.3).habit

    def objective(h):
        model = Planner(0.5, habit=h).policy(mdp, mdp.reward)
        return (counts * np.log(model)).sum() - 0.15 * (h**2).sum()

    for _ in range(6):
        step = rng.normal(size=h.shape)
        assert abs(objective(h + 1e-4 * step) - objective(h - 1e-4 * step)) / 2e-4 < 1e-3
        assert objective(h + 0.05 * step) < objective(h)


@pytest.mark.parametrize(("make", "words"), [
    (lambda m: Planner(0), "temperature"),
    (lambda m: Planner(1, discount=1.5), "discount is 1.5"),
    (lambda m: Planner(1, sign=2), "sign is 2"),
    (lambda m: Planner(1, habit=np.zeros(3)).policy(m, m.reward), r"habit has shape \(3,\)"),
    (lambda m: degenerate([[1.0, 0.0]]), "policy has a probability of 0"),
    (lambda m: fit(m, Planner(1, habit=m.reward), m.reward**2, l2=1), "planner has a habit"),
    (lambda m: fit(m, Planner(1), m.reward**2, l2=1, start=[0]), "start has shape"),
    (lambda m: fit_habit(m, Planner(1), m.reward, -np.ones((4, 3)), l2=1), "counts has shape"),
])  # fmt: skip
def test_bad_pairs_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make(world())


# Policies that keep ----------------------------------------------------------------------


def test_every_policy_is_listed_and_weighed_by_its_return():
    mdp = world(13, states=3, actions=2)
    listed = policies.all_policies(3, 2)
    assert sorted(map(tuple, listed)) == sorted(itertools.product(range(2), repeat=3))
    wishes = np.random.default_rng(14).normal(size=(2, 3, 2))
    got = policies.policy_log_prior(mdp, 1.7, reward=wishes)
    for wish, row in zip(wishes, got, strict=True):
        worth = [planning.expected_return(mdp, np.eye(2)[acts], reward=wish) for acts in listed]
        odds = np.exp(1.7 * np.array(worth))
        np.testing.assert_allclose(np.exp(row), odds / odds.sum(), rtol=1e-9)


@pytest.mark.parametrize("slip", [0.0, 0.2])
def test_what_she_keeps_to_by_enumeration(slip):
    rng, listed = np.random.default_rng(15), policies.all_policies(3, 2)
    prior = rng.dirichlet(np.ones(8))
    states, actions = np.array([0, 2, 0, 2, 0]), np.array([1, 0, 1, 0, 1])
    chance = [np.prod([(1 - slip) * (acts[s] == a) + slip / 2
                       for s, a in zip(states, actions, strict=True)]) for acts in listed]
    got = policies.kept_log_likelihood(np.log(prior), 2, states, actions, slip=slip)
    assert np.exp(got) == pytest.approx(prior @ chance)
    # the prediction is what the likelihood of one more choice says
    told = policies.predictive(np.log(prior), 2, states, actions, slip=slip)
    for s, a in itertools.product(range(3), range(2)):
        more = policies.kept_log_likelihood(
            np.log(prior), 2, [*states, s], [*actions, a], slip=slip)
        assert told[s, a] == pytest.approx(np.exp(more - got))


def test_a_repeated_mistake_is_counted_once_where_it_keeps():
    prior = policies.policy_log_prior(world(13, 3, 2), 2.0)
    once, often = (policies.kept_log_likelihood(prior, 2, [0] * n, [1] * n) for n in (1, 30))
    assert once == pytest.approx(often)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: policies.all_policies(20, 3), "n_states is 20"),
    (lambda: policies.policy_log_prior(world(discount=1.0), 1), "discount 1"),
    (lambda: policies.policy_log_prior(world(), 0), "beta"),
    (lambda: policies.predictive(np.zeros(7), 2, [0], [0]), "log_prior has 7"),
    (lambda: policies.predictive(np.zeros(8), 2, [3], [0]), "states"),
    (lambda: policies.predictive(np.zeros(8), 2, [0], [0], slip=1), "slip is 1"),
])  # fmt: skip
def test_bad_policies_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# Tools of the chapter --------------------------------------------------------------------


def test_the_code_is_what_sending_one_choice_after_another_costs():
    rng, centre = np.random.default_rng(16), np.array([[0.5, 0.3, 0.2]])
    choices, counts, nats = rng.integers(3, size=40), 4.0 * centre[0], 0.0
    for choice in choices:
        nats -= np.log(counts[choice] / counts.sum())
        counts[choice] += 1
    got = complexity.table_code(np.bincount(choices, minlength=3)[None], centre, 4.0)
    assert got[0] == pytest.approx(nats)


def test_a_mixture_costs_at_most_the_best_and_the_name_of_it():
    codes = np.array([[10.0, 50.0], [30.0, 20.0], [900.0, 20.0]])
    got = complexity.mixed(codes)
    np.testing.assert_allclose(got, -np.log(np.exp(-codes).mean(axis=0)))
    assert (got >= codes.min(0)).all() and (got <= codes.min(0) + np.log(3)).all()


@pytest.mark.parametrize("n", [1, 3, 6])
def test_best_of_n_by_every_draw(n):
    score, value = np.random.default_rng(17).normal(size=(2, 6, 2))
    wanted = [np.mean([value[list(c), k][score[list(c), k].argmax()]
                       for c in itertools.combinations(range(6), n)]) for k in range(2)]
    np.testing.assert_allclose(raters.best_of(n, score, value), wanted)


def test_policy_iteration_of_many_is_value_iteration_of_each():
    rng = np.random.default_rng(18)
    chances = rng.dirichlet(np.ones(6), size=(2, 6, 3))
    rewards = rng.normal(size=(4, 2, 6))
    chain = raters.best_chains(chances, rewards)
    for k, i in itertools.product(range(4), range(2)):
        mdp = MDP(chances[i], rewards[k, i], raters.DISCOUNT)
        best = planning.value_iteration(mdp).values
        np.testing.assert_allclose(raters.values(chain, rewards)[k, i], best, atol=1e-7)


def test_picking_draws_among_ties_and_ranks_share():
    served = np.array([[1.0], [-1.0], [0.5]])
    assert accuracy.picked(np.array([[0.7], [0.7], [0.6]]), served) == 0
    assert accuracy.picked(np.array([[0.7], [0.6], [0.6]]), served) == 1
    assert accuracy.alike(served, served**3) == pytest.approx(1)
    assert accuracy.alike(np.ones((3, 1)), served) == 0


def test_an_error_dealt_out_anew_is_as_large_and_as_little_related():
    rng = np.random.default_rng(19)
    good = rng.normal(size=(400, 3))
    score = 0.5 * good + rng.exponential(size=good.shape) * np.array([0.3, 1, 2])
    anew = raters.dealt(score, good, rng)
    for k in range(3):
        assert np.corrcoef(anew[:, k], good[:, k])[0, 1] == pytest.approx(
            np.corrcoef(score[:, k], good[:, k])[0, 1])
        assert anew[:, k].std() == pytest.approx(score[:, k].std())
        slope, at = np.polyfit(good[:, k], score[:, k], 1)
        new, old = (x[:, k] - slope * good[:, k] - at for x in (anew, score))
        assert abs(np.corrcoef(new, old)[0, 1]) < 0.2  # and no model has kept its own
        assert np.abs(np.sort(new) - np.sort(old)).mean() < 0.1 * old.std()
    np.testing.assert_allclose(raters.correlations(score, good),
                               [np.corrcoef(*pair)[0, 1] for pair in zip(score.T, good.T)])


def test_clones_by_hand():
    counts = np.array([[3.0, 0, 0], [1, 1, 0]])
    np.testing.assert_allclose(copying.cloned(counts)[0], [3.5 / 4.5, 0.5 / 4.5, 0.5 / 4.5])
    np.testing.assert_allclose(copying.likeliest(counts), [[1, 0, 0], [0.5, 0.5, 0]])


def test_service_is_one_for_the_best_and_zero_for_chance():
    where = pairs.sea(np.random.default_rng(19), 2)
    wanted = pairs.islanders(where, where.wishes)
    best, chance = pairs.plan_for(where, wanted), np.full(wanted.shape, 1 / 3)
    np.testing.assert_allclose(pairs.shares(where, [best, chance]), [[1, 1], [0, 0]], atol=1e-8)


@pytest.mark.parametrize("name", EXERCISES)
def test_each_exercise_knows_right_from_wrong(name):
    task = EXERCISES[name]
    assert imitlib.check(name, task.reference).passed
    assert len(task.wrong) >= 3
    for mistake, hint in task.wrong.values():
        assert imitlib.check(name, mistake).message == hint
