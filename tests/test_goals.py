"""People who err and what is read off them: closed forms, recursions, all paths listed."""

from itertools import product

import numpy as np
import pytest

from imitlib import planning
from imitlib.goals import (
    Person,
    behave,
    delay_plan,
    fitted,
    hyperbola,
    joint,
    log_likelihoods,
    log_loss,
    posterior,
    reckon,
)
from imitlib.goals.biased import pick
from imitlib.mdp import MDP
from imitlib.tabular_experts import boltzmann, optimal


def world(seed, states=5, actions=3, discount=0.8):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(states, 0.5), (states, actions))
    return MDP(chances, rng.normal(size=(states, actions)), discount, 0)


def maze(seed, states=6, actions=2):
    """A deterministic world."""
    rng = np.random.default_rng(seed)
    return MDP(rng.integers(states, size=(states, actions)),
               rng.normal(size=(states, actions)), 0.9, 0)  # fmt: skip


LOTTERY = MDP(  # action 0 is sure, action 1 a coin: states 1 (worth .5), 2 (1), 3 (0), 4 the end
    [[[0, 1, 0, 0, 0], [0, 0, 0.5, 0.5, 0]], *[[[0, 0, 0, 0, 1]] * 2] * 4],
    np.array([0, 0.5, 1, 0, 0.0]), 1.0, 0,
)  # fmt: skip


# People -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_without_a_bias_she_is_the_boltzmann_expert(seed):
    mdp = world(seed)
    np.testing.assert_allclose(behave(mdp, Person(0.3)), boltzmann(mdp, 0.3), atol=1e-8)
    np.testing.assert_array_equal(behave(mdp, Person(0)), optimal(mdp, spread=True))


def test_the_myopic_live_in_a_world_of_another_discount():
    mdp = world(1)
    np.testing.assert_allclose(behave(mdp, Person(0.3, discount=0.4)),
                               boltzmann(mdp.with_discount(0.4), 0.3), atol=1e-8)
    np.testing.assert_allclose(reckon(mdp, Person(discount=0)), mdp.reward)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_short_sighted_plan_backwards_from_their_horizon(steps):
    mdp = world(2)
    values = planning.backward_induction(mdp, steps).values
    np.testing.assert_allclose(reckon(mdp, Person(horizon=steps)).max(1), values[0])


def test_a_mood_is_a_log_mean_exponential_of_the_outcomes():
    for w in (-30.0, -2.0, 1e-6, 2.0, 30.0, 3000.0):
        coin = np.logaddexp(w * 1, 0) / w - np.log(2) / w
        np.testing.assert_allclose(reckon(LOTTERY, Person(mood=w))[0], [0.5, coin], rtol=1e-6)
    chooses = [behave(LOTTERY, Person(0, mood=w))[0].argmax() for w in (-1.0, 1.0)]
    assert chooses == [0, 1]


def test_moods_settle_on_their_own_equation():
    mdp = world(3)
    for w in (-4.0, 4.0):
        q = reckon(mdp, Person(mood=w))
        v = q.max(1)
        expected = mdp.reward + 0.8 * np.log(mdp.dense() @ np.exp(w * v)) / w
        np.testing.assert_allclose(q, expected, atol=1e-8)
        plain = planning.value_iteration(mdp).values
        assert ((v > plain) if w > 0 else (v < plain)).all()


def test_the_extremal_remember_the_best_moment():
    mdp, peak = world(4), 0.7
    q = reckon(mdp, Person(peak=peak))
    v, r, chances = q.max(1), mdp.reward, mdp.dense()
    for s, a in product(range(5), range(3)):
        mixed = [max(r[s, a], (1 - peak) * r[s, a] + peak * v[t]) for t in range(5)]
        assert q[s, a] == pytest.approx(chances[s, a] @ mixed, abs=1e-8)
    same = MDP(maze(0).transitions, np.full(6, 2.0), 0.9, 0)
    np.testing.assert_allclose(reckon(same, Person(peak=peak)), 2.0)


def test_who_believes_in_another_world_does_what_is_right_there():
    here, there = world(5), world(6).with_reward(world(5).reward)
    np.testing.assert_allclose(behave(here, Person(0.2, belief=there)), boltzmann(there, 0.2),
                               atol=1e-8)


def test_a_leaning_multiplies_the_odds_and_enters_no_plan():
    mdp, lean = world(7), np.array([0.4, 0.0, -0.1])
    plain, leaning = (behave(mdp, Person(0.5, leaning=x)) for x in (None, lean))
    odds = plain * np.exp(lean / 0.5)
    np.testing.assert_allclose(leaning, odds / odds.sum(1, keepdims=True))
    np.testing.assert_allclose(reckon(mdp, Person(0.5, leaning=lean)), reckon(mdp, Person(0.5)))


def test_who_foresees_her_slips_values_what_she_will_get():
    mdp, person = world(8), Person(0.6, foresees=True)
    values = planning.evaluate(mdp, behave(mdp, person))
    np.testing.assert_allclose(reckon(mdp, person), planning.q_values(mdp, values), atol=1e-8)


@pytest.mark.parametrize("edit", [
    {"discount": 0.2}, {"horizon": 3}, {"mood": 5.0}, {"mood": -5.0}, {"peak": 0.5},
    {"belief": world(9)}, {"leaning": [1.0, 0, 0]}, {"foresees": True}, {},
])  # fmt: skip
def test_many_rewards_are_planned_for_at_once(edit):
    mdp, person = world(0), Person(0.4, **edit)
    rewards = np.random.default_rng(1).normal(size=(2, 4, 5, 3))
    together = behave(mdp, person, reward=rewards)
    np.testing.assert_allclose(together.sum(-1), 1)
    one = behave(mdp.with_reward(rewards[1, 2]), person)
    np.testing.assert_allclose(together[1, 2], one, atol=1e-7)


def test_ties_are_shared():
    np.testing.assert_allclose(pick(np.array([1.0, 1.0, 0.0]), 0.0), [0.5, 0.5, 0])


@pytest.mark.parametrize(("change", "words"), [
    ({"temperature": -1}, "temperature is -1"), ({"discount": 1.5}, "discount is 1.5"),
    ({"horizon": 0}, "horizon is 0"), ({"mood": np.inf}, "mood is inf"),
    ({"peak": 1.0}, "peak is 1.0"),
])  # fmt: skip
def test_impossible_people_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Person(**change)


def test_plans_that_never_settle_are_refused():
    loop = MDP([[0]], [[1.0]], 1.0, 0)
    with pytest.raises(ValueError, match="never settle"):
        reckon(loop, Person())
    assert reckon(loop, Person(horizon=3)) == 3
    with pytest.raises(ValueError, match="belief has 6 states"):
        reckon(world(0), Person(belief=maze(0)))
    with pytest.raises(ValueError, match="leaning has shape"):
        behave(world(0), Person(leaning=[1.0, 0]))


# Minds that change ------------------------------------------------------------------


def directly(mdp, weights, aware, t, d, s, a):
    """Q of action a in s at step t, seen from d steps before: the definition, recursively."""
    q = weights[d] * mdp.reward[s, a]
    if t + 1 == len(weights):
        return q
    for s2, chance in enumerate(mdp.dense()[s, a]):
        if chance:
            eyes = 0 if aware else d + 1
            seen = [directly(mdp, weights, aware, t + 1, eyes, s2, b) for b in range(2)]
            does = int(np.argmax(seen))
            q += chance * directly(mdp, weights, aware, t + 1, d + 1, s2, does)
    return q


@pytest.mark.parametrize("aware", [False, True])
def test_the_two_recursions(aware):
    mdp, weights = maze(1), hyperbola(2.0, 5)
    plan = delay_plan(mdp, weights, aware=aware)
    for t, s, a in product(range(5), range(6), range(2)):
        assert plan.q[t, s, a] == pytest.approx(directly(mdp, weights, aware, t, 0, s, a))


@pytest.mark.parametrize("seed", range(4))
def test_the_naive_mean_to_follow_the_best_of_all_paths(seed):
    mdp, weights = maze(seed), hyperbola(1.5, 6)
    plan = delay_plan(mdp, weights, aware=False)

    def path(actions):
        s, worth = 0, 0.0
        for w, a in zip(weights, actions, strict=True):
            worth, s = worth + w * mdp.reward[s, a], mdp.transitions[s, a]
        return worth

    best = max(product(range(2), repeat=6), key=path)
    assert plan.q[0, 0].max() == pytest.approx(path(best))
    s, meant = 0, []
    for table in plan.meant:
        meant.append(int(table[s].argmax()))
        s = mdp.transitions[s, meant[-1]]
    assert path(meant) == pytest.approx(path(best))


def test_the_sophisticated_mean_what_they_do():
    plan = delay_plan(world(1), hyperbola(3.0, 6), aware=True, temperature=0.2)
    np.testing.assert_allclose(plan.meant, plan.policy)


@pytest.mark.parametrize("aware", [False, True])
def test_exponential_weights_change_no_mind(aware):
    mdp = world(2, discount=0.7)
    plan = delay_plan(mdp, 0.7 ** np.arange(6), aware=aware)
    np.testing.assert_allclose(plan.q.max(-1), planning.backward_induction(mdp, 6).values)
    np.testing.assert_allclose(plan.meant, plan.policy)


def test_the_naive_change_their_minds_before_a_coffee():
    """In three steps the loaf is worth 10; a coffee on the way pays 2 at once and costs 6."""
    #    0 street, 1 café corner, 2 on, 3 in the café, 4 home
    ahead = [[1, 1], [2, 3], [4, 4], [4, 4], [4, 4]]
    pays = np.array([[0, 0], [0, 2], [10, 10], [4, 4], [0, 0]], float)
    mdp = MDP(ahead, pays, 1.0, 0)
    assert delay_plan(mdp, hyperbola(1.0, 4), aware=False).policy[1, 1].argmax() == 0
    tempted = delay_plan(mdp, hyperbola(4.0, 4), aware=False)  # 10/5 against 2 + 4/5
    assert tempted.meant[1, 1].argmax() == 0  # 10/9 against 2/5 + 4/9, from the street
    assert tempted.policy[1, 1].argmax() == 1
    assert delay_plan(mdp, hyperbola(4.0, 4), aware=True).meant[1, 1].argmax() == 1


def test_delays_with_a_temperature_and_many_rewards():
    mdp = world(3)
    rewards = np.random.default_rng(0).normal(size=(3, 5, 3))
    for aware in (False, True):
        both = delay_plan(mdp, hyperbola(1.0, 4), aware=aware, temperature=0.3, reward=rewards)
        one = delay_plan(mdp.with_reward(rewards[1]), hyperbola(1.0, 4), aware=aware,
                         temperature=0.3)
        np.testing.assert_allclose(both.policy[:, 1], one.policy)
    last = pick(mdp.reward, 0.3)
    np.testing.assert_allclose(
        delay_plan(mdp, [1.0, 0.5], aware=True, temperature=0.3).policy[1], last)
    # one step before the end: expected, not best, actions follow
    q = mdp.reward + 0.5 * mdp.dense() @ (last * mdp.reward).sum(1)
    np.testing.assert_allclose(
        delay_plan(mdp, [1.0, 0.5], aware=True, temperature=0.3).q[0], q)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: hyperbola(-1, 3), "k is -1"), (lambda: hyperbola(1, 0), "horizon is 0"),
    (lambda: delay_plan(maze(0), [[1.0]], aware=True), "weights has shape"),
    (lambda: delay_plan(maze(0), [1.0], aware=True, temperature=-1), "temperature is -1"),
])  # fmt: skip
def test_impossible_delays_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# Beliefs ----------------------------------------------------------------------------


def all_walks(mdp, steps):
    """Every (states, actions) from state 0 in a deterministic world."""
    for actions in product(range(mdp.n_actions), repeat=steps):
        states = [0]
        for a in actions[:-1]:
            states.append(int(mdp.transitions[states[-1], a]))
        yield np.array(states), np.array(actions)


def three_wishes():
    mdp = maze(3)
    rewards = np.random.default_rng(0).normal(size=(3, 6, 2))
    return mdp, behave(mdp, Person(0.5), reward=rewards), behave(mdp, Person(0.5, discount=0.1),
                                                                  reward=rewards)


def test_the_likelihood_is_a_product_over_choices():
    mdp, policies, _ = three_wishes()
    states, actions = np.array([0, 3, 3, 5]), np.array([1, 0, 1, 1])
    logs = log_likelihoods(policies, states, actions)
    for g, n in product(range(3), range(4)):
        assert logs[g, n] == pytest.approx(np.log(policies[g, states[n], actions[n]]))
    by_step = np.stack([policies, policies[::-1], policies, policies, policies])
    logs = log_likelihoods(by_step, states, actions, by_step=True)
    assert logs.shape == (3, 4)
    assert logs[0, 1] == pytest.approx(np.log(policies[2, 3, 0]))
    assert log_likelihoods(policies[0], states, actions).shape == (4,)
    never = log_likelihoods(np.array([[1.0, 0.0]]), np.array([0]), np.array([1]))
    assert never[0] == -np.inf


def test_beliefs_over_all_walks_average_to_the_prior():
    mdp, policies, _ = three_wishes()
    prior = np.array([0.5, 0.3, 0.2])
    total, back = 0.0, np.zeros(3)
    for states, actions in all_walks(mdp, 5):
        logs = log_likelihoods(policies, states, actions).sum(-1)
        chance = prior @ np.exp(logs)
        total += chance
        belief = posterior(logs, prior)
        np.testing.assert_allclose(belief, prior * np.exp(logs) / chance)
        back += chance * belief
    assert total == pytest.approx(1)
    np.testing.assert_allclose(back, prior)


def test_no_model_reads_better_than_the_right_one_on_average():
    mdp, policies, wrong = three_wishes()
    losses = np.zeros(3)
    for states, actions in all_walks(mdp, 5):
        logs, other = (log_likelihoods(p, states, actions).sum(-1) for p in (policies, wrong))
        beliefs = posterior(logs), posterior(other), joint([logs, other]).goals
        for k, belief in enumerate(beliefs):
            losses[k] += np.exp(logs) / 3 @ log_loss(np.tile(belief, (3, 1)), np.arange(3))
    assert losses[0] < losses[2] < losses[1]
    assert losses[0] < np.log(3)


def test_a_joint_belief_and_its_margins():
    logs = np.log(np.array([[0.2, 0.4], [0.1, 0.1]]))
    prior = np.array([[0.4, 0.1], [0.3, 0.2]])
    table = prior * np.exp(logs)
    both = joint(logs, prior)
    np.testing.assert_allclose(both.table, table / table.sum())
    np.testing.assert_allclose(both.models, table.sum(1) / table.sum())
    np.testing.assert_allclose(both.goals, table.sum(0) / table.sum())
    np.testing.assert_allclose(joint(logs).goals, np.array([0.3, 0.5]) / 0.8)
    many = joint(np.stack([logs, logs[::-1]]))
    np.testing.assert_allclose(many.models[0], many.models[1][::-1])


def test_the_fitted_model_makes_the_data_likeliest():
    logs = np.log(np.array([[[0.5, 0.01], [0.3, 0.3]], [[0.9, 0.01], [0.3, 0.3]]]))
    np.testing.assert_array_equal(fitted(logs), [1, 0])
    np.testing.assert_array_equal(fitted(logs, np.array([0.0, 1.0])), [1, 1])


def test_log_loss_in_nats():
    belief = np.array([[0.5, 0.5, 0], [0.1, 0.2, 0.7]])
    np.testing.assert_allclose(log_loss(belief, np.array([1, 2])), [np.log(2), -np.log(0.7)])
    assert log_loss(np.full(20, 0.05), np.array(3)) == pytest.approx(np.log(20))
    assert log_loss(belief, np.array([2, 0]))[0] == np.inf


@pytest.mark.parametrize(("call", "words"), [
    (lambda: posterior([-np.inf, -np.inf]), "no goal possible"),
    (lambda: posterior([0.0, 0.0], [0.5, 0.6]), "sum 1.1"),
    (lambda: posterior([0.0, 0.0], [1.0]), r"must be \(2,\)"),
    (lambda: posterior([0.0, 0.0], [1.5, -0.5]), "least -0.5"),
    (lambda: joint([0.0, 0.0]), "log_likelihood has shape"),
    (lambda: log_loss(np.array([0.5, 0.5]), np.array(2)), r"truth\[0\] is 2"),
    (lambda: log_loss(np.full((2, 2), 0.5), np.array(1)), r"must be \(2,\)"),
    (lambda: log_likelihoods(np.ones(3), np.array([0]), np.array([0])), "policies has shape"),
    (lambda: log_likelihoods(np.ones((2, 2)), np.array([2]), np.array([0])), r"states\[0\]"),
    (lambda: log_likelihoods(np.ones((2, 2)), np.array([1, 1]), np.array([0])), "they must be"),
    (lambda: log_likelihoods(np.ones((1, 2, 2)), np.array([1, 1]), np.array([0, 0]),
                             by_step=True), "2 choices"),
])  # fmt: skip
def test_impossible_evidence_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_room_lists_its_names():
    from imitlib import goals

    assert "Person" in dir(goals) and goals.infer.posterior is posterior
    with pytest.raises(AttributeError, match="no attribute 'wishes'"):
        _ = goals.wishes
