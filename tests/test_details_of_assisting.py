"""Details of the rooms of chapters 08 and 09 that no other test looks at."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize

from imitlib.chapters.ch08 import mistakes, wrong_model
from imitlib.chapters.ch08 import on_paper as paper8
from imitlib.chapters.ch09 import asks, people, why
from imitlib.chapters.ch09 import on_paper as paper9
from imitlib.cirl import (
    Game,
    OneShot,
    adapted,
    exhaustive,
    follow,
    full_information,
    if_rewards_were_sent,
    meal_choice,
    no_sharing,
    off_switch,
    office,
    play,
    random_game,
    random_one_shot,
    wormy_apples,
)
from imitlib.cirl import plans as by_plans
from imitlib.cirl.belief import checked_belief, one_hot
from imitlib.cirl.teachers import belief_after, erring
from imitlib.cirl.telling import errand, errand_value
from imitlib.experiments import Samples
from imitlib.goals import (
    Person,
    delay_plan,
    hyperbola,
    log_likelihoods,
    posterior,
    reckon,
)
from imitlib.goals import pairs as pairs_room
from imitlib.goals.biased import pick
from imitlib.goals.pairs import Planner, fit, fit_habit
from imitlib.goals.policies import all_policies, kept_log_likelihood, predictive
from imitlib.mdp import MDP
from imitlib.planning import backward_induction

RNG = np.random.default_rng


def world(seed=0, states=5, actions=3, discount=0.8):
    rng = RNG(seed)
    return MDP(rng.dirichlet(np.full(states, 0.5), (states, actions)),
               rng.normal(size=(states, actions)), discount, 0)  # fmt: skip


# People who err ---------------------------------------------------------------------


def test_only_what_is_equal_to_rounding_is_a_tie():
    np.testing.assert_array_equal(pick(np.array([1.0, 1 - 1e-6, 0]), 0), [1, 0, 0])
    np.testing.assert_array_equal(pick(np.array([1.0, 1 - 1e-12, 0]), 0), [0.5, 0.5, 0])
    np.testing.assert_array_equal(pick(np.array([1e6, 1e6 - 1e-5]), 0), [0.5, 0.5])


@pytest.mark.parametrize("mood", [-3000.0, -0.3, 0.3, 3000.0])
def test_a_mood_of_any_size_is_discounted_once(mood):
    """A sure thing worth 1/2 and a coin worth 1 or 0, one step ahead, at discount 1/2."""
    ahead = [[[0, 1, 0, 0, 0], [0, 0, 0.5, 0.5, 0]], *[[[0, 0, 0, 0, 1]] * 2] * 4]
    lottery = MDP(ahead, np.array([0, 0.5, 1, 0, 0.0]), 0.5, 0)
    coin = (np.logaddexp(mood, 0) - np.log(2)) / mood
    np.testing.assert_allclose(reckon(lottery, Person(mood=mood))[0], [0.25, coin / 2], rtol=1e-9)


def test_a_horizon_of_seven_is_seven():
    mdp = world(1, discount=1.0)
    np.testing.assert_allclose(reckon(mdp, Person(horizon=7)).max(1),
                               backward_induction(mdp, 7).values[0])  # fmt: skip


def test_what_is_no_person():
    with pytest.raises(ValueError, match="belief has 5 states and 2 actions"):
        reckon(world(), Person(belief=world(actions=2)))
    with pytest.raises(ValueError, match="temperature is nan"):
        Person(np.nan)


def test_a_hyperbola_begins_at_one():
    np.testing.assert_allclose(hyperbola(2.0, 4), [1, 1 / 3, 1 / 5, 1 / 7])


@pytest.mark.parametrize("aware", [False, True])
def test_slips_are_foreseen_by_both_who_change_their_minds(aware):
    """The definition, recursively, in a world of chance and at a temperature."""
    mdp, weights, heat = world(2, states=3, actions=2), hyperbola(2.0, 3), 0.4

    def seen(t, d, s):
        """Q of both actions in s at step t, from d steps before."""
        out = weights[d] * mdp.reward[s]
        if t + 1 < len(weights):
            for a, s2 in product(range(2), range(3)):
                does = acts(t + 1, 0 if aware else d + 1, s2)
                out[a] += mdp.dense()[s, a, s2] * (does @ seen(t + 1, d + 1, s2))
        return out

    def acts(t, d, s):
        odds = np.exp(seen(t, d, s) / heat)
        return odds / odds.sum()

    plan = delay_plan(mdp, weights, aware=aware, temperature=heat)
    for t, s in product(range(3), range(3)):
        np.testing.assert_allclose(plan.q[t, s], seen(t, 0, s))
        np.testing.assert_allclose(plan.policy[t, s], acts(t, 0, s))
        np.testing.assert_allclose(plan.meant[t, s], acts(t, 0 if aware else t, s))


# Beliefs about goals ----------------------------------------------------------------


def test_one_belief_that_nothing_explains_is_enough_for_an_error():
    with pytest.raises(ValueError, match="no goal possible"):
        posterior([[0.0, 0.0], [-np.inf, -np.inf]])
    with pytest.raises(ValueError, match=r"policies has shape \(2, 2\)"):
        log_likelihoods(np.full((2, 2), 0.5), np.array([0]), np.array([1]), by_step=True)


def test_a_planner_s_old_habit_is_not_looked_at():
    mdp = world(3)
    counts, old = RNG(4).integers(0, 9, (5, 3)), RNG(5).normal(size=(5, 3))
    one, two = (fit_habit(mdp, Planner(0.5, habit=h), mdp.reward, counts, l2=0.3).habit
                for h in (None, old))
    np.testing.assert_allclose(one, two, atol=1e-6)
    with pytest.raises(ValueError, match=r"counts has shape \(5, 1\)"):
        fit_habit(mdp, Planner(0.5), mdp.reward, np.ones((5, 1)), l2=0.3)


def test_a_fit_begins_where_it_is_told(monkeypatch):
    begun = []

    def seen(f, start, **given):
        begun.append(start)
        return minimize(f, start, **given)

    monkeypatch.setattr(pairs_room, "minimize", seen)
    mdp, start = world(6, states=2, actions=2), np.array([0.1, 0.2, 0.3, 0.4])
    for given in ({}, {"start": start}):
        fit(mdp, Planner(0.5), np.ones((2, 2)), l2=1.0, **given)
    np.testing.assert_array_equal(begun, [np.zeros(4), start])


def test_a_slip_is_any_of_three_actions():
    listed, prior = all_policies(2, 3), RNG(7).dirichlet(np.ones(9))
    chance = [np.prod([0.7 * (acts[s] == a) + 0.1 for s, a in ((0, 2), (1, 1), (0, 2), (0, 1))])
              for acts in listed]
    got = kept_log_likelihood(np.log(prior), 3, [0, 1, 0, 0], [2, 1, 2, 1], slip=0.3)
    assert np.exp(got) == pytest.approx(prior @ chance)
    with pytest.raises(ValueError, match="slip is -0.1"):
        predictive(np.log(prior), 3, [0], [0], slip=-0.1)
    with pytest.raises(ValueError, match="n_actions 0"):
        all_policies(2, 0)


# Beliefs about Hana -----------------------------------------------------------------


def test_what_is_nearly_a_belief_is_none():
    with pytest.raises(ValueError, match="belief sums to 0.999"):
        checked_belief("belief", [0.5, 0.499])
    with pytest.raises(ValueError, match=r"actions is \[-1, 0\]"):
        one_hot([-1, 0], 2)


def test_off_its_path_a_sequence_of_moves_goes_on_from_what_it_was_told():
    rules = [one_hot([0, 0], 2), np.array([[0.5, 0.5], [0.25, 0.75]])]
    got = follow([0.5, 0.5], rules, [1, 0], off_path=[0.2, 0.8])
    np.testing.assert_allclose(got, [1 / 3, 2 / 3])  # .2 * 1/2 against .8 * 1/4


# Games ------------------------------------------------------------------------------


def test_more_of_what_is_no_game():
    made = random_game(RNG(0))
    odd = made.transitions.copy()
    odd[0, 1, 2] = [1.5, -0.5, 0]
    with pytest.raises(ValueError, match=r"transitions\[0, 1, 2\].*least entry -0.5"):
        replace(made, transitions=odd)
    with pytest.raises(ValueError, match="discount is 1.5"):
        replace(made, discount=1.5)


def test_the_stake_is_on_what_rollo_does():
    his, hers = (random_game(RNG(1), stake=x).reward for x in (1e9, 0.0))
    np.testing.assert_allclose(hers - hers[:, :, :1], 0)
    np.testing.assert_allclose((his - his[:, :1]) / 1e9, 0, atol=1e-6)
    assert np.ptp(his / 1e9, axis=2).min() > 0 and np.ptp(hers, axis=1).min() > 0


def test_play_goes_where_chance_leads_and_tells_each_what_was_done():
    P = np.zeros((2, 2, 2, 2))
    P[...] = [0.9, 0.1]
    made = Game(P, np.ones((2, 2, 2, 1)), [1.0], horizon=400, discount=0.5)
    told = []

    def robot(history, state):
        told.append(len(history))
        assert not history or history[-1][1:] == (1, 0)
        return 0

    end = play(made, lambda history, state, goal: 1, robot, 0, RNG(2))
    assert told == list(range(400))
    assert np.mean([s for s, _, _ in end.history]) == pytest.approx(0.1, abs=0.05)
    assert end.worth() == pytest.approx(2)  # 1 + 1/2 + 1/4 ...


def test_with_one_goal_every_value_is_that_of_planning():
    """Three steps, some moves forbidden: backward induction over pairs of legal actions."""
    hers = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]], bool)
    his = np.array([[0, 1, 1], [1, 1, 0], [1, 0, 0]], bool)
    made = random_game(RNG(3), n_goals=1, branches=2)
    made, ahead = replace(made, human_may=hers, robot_may=his), np.zeros(3)
    for _ in range(3):
        ahead = np.array([max(
            made.reward[s, h, a, 0] + 0.9 * made.transitions[s, h, a] @ ahead
            for h in range(3) for a in range(3) if hers[s, h] and his[s, a])
            for s in range(3)])
    for value in (full_information(made), no_sharing(made), if_rewards_were_sent(made),
                  exhaustive(made).value, adapted(made).value):
        assert value == pytest.approx(ahead[0])


def test_who_is_deaf_may_still_change_what_he_does():
    """Staying earns 1 each time; leaving earns 3, once: he stays twice, and leaves at last."""
    P, reward = np.zeros((2, 1, 2, 2)), np.zeros((2, 1, 2, 2))
    P[0, 0, 0, 0] = P[0, 0, 1, 1] = P[1, 0, :, 1] = 1
    reward[0, 0, 0], reward[0, 0, 1] = 1, [6, 2]
    assert no_sharing(Game(P, reward, [0.25, 0.75], 3)) == pytest.approx(5)


@pytest.mark.parametrize(("hers", "branches"), [(1, 1), (3, 1), (3, 2)])
def test_the_bound_of_few_beliefs_by_the_formula(hers, branches):
    """Three steps; the one belief that is missing is 2e-4 from the nearest."""
    made = random_game(RNG(5), 2, hers, 2, 2, 3, discount=0.5, branches=branches)
    far = np.array([1e-4, 1 - 1e-4])
    rough = adapted(made, [made.prior, [1, 0], far])
    times = branches - 1 + max(hers - 1, 1)  # that plans are dropped, at each step
    steps = [1, 1.5, 1.75]  # what is left to earn, with one, two and three to go
    whole = times * 2e-4 * np.ptp(made.reward) * (steps[2] + steps[1] / 2 + steps[0] / 4)
    assert rough.bound == pytest.approx(whole)
    assert full_information(made) - rough.value > whole
    one = adapted(made, [made.prior])  # far away, and what he could be told is less
    assert one.bound == pytest.approx(full_information(made) - one.value)


def test_what_is_kept_is_counted():
    """Either act is best for one of two goals; after the end there is one plan, of nothing."""
    reward = np.array([[0.0, 1.0], [1.0, 0.0]])[None, None]
    plans = adapted(Game(np.ones((1, 1, 2, 1)), reward, [0.5, 0.5], 1))
    assert [[len(v) for v in step] for step in plans.vectors] == [[2], [1]]


def test_of_plans_that_are_many_the_last_is_not_forgotten():
    """90,000 choices, more than are listed at once; the best is the last: a prize, a threat."""
    first, second = RNG(8).uniform(size=(2, 300, 2))
    first[-1], second[-1] = 5, -9
    plans, tried = by_plans._answered([first, second], 0.5, np.array([[0.5, 0.5]]))
    assert tried == 90_000
    np.testing.assert_allclose(plans.max(axis=0), [5 - 14 / (1 + np.exp(28))] * 2)


# One signal, one act ----------------------------------------------------------------


def test_off_its_path_he_believes_the_prior_and_on_it_weighs_by_it():
    made = OneShot(np.zeros((2, 2)), [[10, 0], [0, 11]], [0.6, 0.4])
    assert made.answers([0, 0]).tolist() == [0, 0]  # 6 against 4.4; at even odds, 5 to 5.5
    assert made.answers([0, 0], off_path=[0.5, 0.5]).tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"his \(2,\)"):
        OneShot(np.zeros((2, 2)), np.zeros(2), [0.5, 0.5])


def test_the_four_pairs_by_loops():
    rng, misread = RNG(6), 0
    for _ in range(40):
        made = replace(random_one_shot(rng, 5, 5, 5), prior=rng.dirichlet(np.ones(5)))
        off = rng.dirichlet(np.ones(5))

        def answers(rule, off, made=made):
            out = []
            for m in range(5):
                weight = made.prior * [rule[g] == m for g in range(5)]
                worth = (weight if weight.sum() else off) @ made.his
                out.append(max(range(5), key=lambda a, worth=worth: worth[a]))
            return out

        def value(rule, reply, made=made):
            return sum(made.prior[g] * (made.hers[g, rule[g]] + made.his[g, reply[rule[g]]])
                       for g in range(5))

        plain = [max(range(5), key=lambda m, g=g: made.hers[g, m]) for g in range(5)]
        heard = answers(plain, off)
        taught = [max(range(5), key=lambda m, g=g: made.hers[g, m] + made.his[g, heard[m]])
                  for g in range(5)]
        reply, got = answers(taught, off), made.pairs(off)
        assert got["literal_literal"] == pytest.approx(value(plain, heard))
        assert got["pedagogic_literal"] == pytest.approx(value(taught, heard))
        assert got["literal_pragmatic"] == pytest.approx(value(plain, reply))
        assert got["pedagogic_pragmatic"] == pytest.approx(value(taught, reply))
        misread += value(plain, reply) < value(plain, heard) - 1e-9
    assert misread > 2


def test_what_a_plain_move_means_to_a_rollo_who_expects_to_be_taught():
    """Two goals share the first move and both leave it for the moves of the other two."""
    hers = [[1, 0.5, 0], [1, 0, 0.5], [0, 1, 0], [0, 0, 1]]
    his = [[3, 5, 0], [3, 0, 5], [0, 5, 0], [0, 0, 5]]
    made = OneShot(hers, his, np.full(4, 0.25))
    told = made.pairs()  # after the first move he believes the prior, and does his second
    assert told["literal_literal"] == pytest.approx((4 + 4 + 6 + 6) / 4)
    assert told["pedagogic_pragmatic"] == pytest.approx((5.5 + 5.5 + 6 + 6) / 4)
    assert told["literal_pragmatic"] == pytest.approx((6 + 1 + 6 + 6) / 4)
    kind = made.pairs(off_path=[0.5, 0.5, 0, 0])  # or that it was one of those two: his first
    assert kind["literal_pragmatic"] == pytest.approx((4 + 4 + 6 + 6) / 4)


def test_promises_are_every_answer_to_what_a_literal_hana_never_does():
    """Goal by goal and act by act, in loops; what she does is answered by who is left."""
    rng, sizes = RNG(7), set()
    for _ in range(40):
        made = replace(random_one_shot(rng, 3, 4, 3), prior=rng.dirichlet(np.ones(3)))
        prior, (G, M), A = made.prior, made.hers.shape, made.his.shape[1]
        does = [max(range(M), key=lambda m: made.hers[g, m]) for g in range(G)]
        worths = []
        for acts in product(range(A), repeat=M):
            heard = all(
                acts[m] == max(range(A), key=lambda a: sum(
                    prior[g] * made.his[g, a] for g in range(G) if does[g] == m))
                for m in set(does))  # fmt: skip
            if heard:
                worths.append(sum(prior[g] * max(made.hers[g, m] + made.his[g, acts[m]]
                                                 for m in range(M)) for g in range(G)))
        np.testing.assert_allclose(np.sort(made.promises()), np.sort(worths))
        sizes.add(len(worths))
    assert sizes == {3, 9, 27}


def test_who_answers_each_other_goes_on_until_nothing_changes():
    rng, longer = RNG(2), 0
    for _ in range(60):
        made = random_one_shot(rng, 5, 5, 5)
        rule, rounds = made.literal_human(), 0
        while True:
            reply = made.answers(rule)
            new = (made.hers + made.his[:, reply]).argmax(axis=1)
            if (new == rule).all():
                break
            rule, rounds = new, rounds + 1
        assert made.settled() == pytest.approx(made.value(rule, made.answers(rule)))
        longer += rounds > 1 and made.settled() > made.pairs()["pedagogic_pragmatic"] + 1e-9
    assert longer > 1


# The kitchens, and what a question costs ---------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_the_kitchens_at_other_prices(seed):
    rng = RNG(seed)
    cost, wrong, clean = rng.uniform(0.05, 0.4), rng.uniform(0.5, 4), rng.uniform(0.5, 0.9)
    by_hand = max(2 - (1 - clean) * x for x in (cost, wrong / 2, 2))  # ask, guess, leave it
    assert adapted(wormy_apples(1.0, cost, wrong, clean)).value == pytest.approx(by_hand)
    apple, wrong = rng.uniform(0.1, 0.9), rng.uniform(0.1, 1)
    guess = max(2 * p - wrong * (1 - p) for p in (apple, 1 - apple))
    for first, by_hand in ((True, 0.9**3 * 2 - cost), (False, max(0.9**2 * 2 - cost, 0.9 * guess))):
        made = meal_choice(0.9, cost, apple=apple, wrong=wrong, asks_first=first, horizon=5)
        assert adapted(made).value == pytest.approx(by_hand)


def test_a_question_never_costs_more_than_the_pie():
    """Worms in the wrong place are so bad that else he would leave the apple."""
    price = asks.wormy_threshold(0.9, 50.0)
    assert price == pytest.approx(2 * 0.9**3)
    assert [asks.asks_about_worms(0.9, price + x, 50.0) for x in (-1e-6, 1e-6)] == [True, False]
    assert asks.meal_values(0.9, 0.1, 0, 0.2, 1.0)["guess"] == pytest.approx(0.9 * 1.4)


# The off-switch ---------------------------------------------------------------------


def test_he_who_has_not_looked_waits_or_does_not():
    assert off_switch.share_waiting(-2.0, 1.0, 0.5, 2.0, 0) == 0  # 1 < 2 * 0.5 * 2
    assert off_switch.share_waiting(-0.9, 1.0, 0.5, 2.0, 0) == 1
    one, two = (off_switch.share_waiting(mu, 1.0, 0.5, 2.0, 9) for mu in (0.7, -0.7))
    assert one == pytest.approx(two) and 0.05 < one < 0.95


@pytest.mark.parametrize(("call", "words"), [
    (lambda: off_switch.learn(0, 1, 1, 0, -1), "n is -1"),
    (lambda: off_switch.learn(0, 0, 1, 0, 1), "sigma holds 0.0; it must be finite and above 0"),
    (lambda: off_switch.gain(0, np.inf, 1), "sigma holds inf"),
    (lambda: off_switch.boundary(1, np.inf), "beta holds inf"),
])  # fmt: skip
def test_more_that_is_no_switch(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# The office -------------------------------------------------------------------------


def test_where_orders_are_alike_the_first_is_named():
    half = Fraction(1, 2)
    same = [(half, half), (half, half), (Fraction(0), Fraction(0))]
    assert office.envelope(same) == [(0, 1, 0)]
    twice = ((50, 50), (50, 50), (0, 90))
    assert office.answer(office.literal(), his=twice)[1:] == (0, 0)


def test_another_office_on_a_grid():
    """Other orders for both, θ at the middles of 6,000 steps."""
    hers, his = ((0, 3), (2, 2), (4, 0)), ((7, 0), (1, 5), (3, 3))
    theta = (np.arange(6000) + 0.5) / 6000

    def worths(*orders):
        clips, staples = np.sum(orders, axis=0)
        return theta * clips + (1 - theta) * staples

    both = np.array([[worths(h, a) for a in his] for h in hers])  # (3, 3, 6000)
    deaf = max(both[:, a].max(axis=0).mean() for a in range(3))
    ways = [np.max([both[h, way[h]] for h in range(3)], axis=0).mean()
            for way in product(range(3), repeat=3)]
    for exact, near in ((office.deaf(hers, his), deaf), (office.optimum(hers, his)[0], max(ways)),
                        (office.informed(hers, his), both.max(axis=(0, 1)).mean())):
        assert float(exact) == pytest.approx(near, abs=1e-5)
    ordered = np.array([worths(h) for h in hers]).argmax(axis=0)
    reply = [max(range(3), key=lambda a, h=h: worths(his[a])[ordered == h].mean()
                 if (ordered == h).any() else worths(his[a])[theta > 0.8].mean())
             for h in range(3)]  # after an order never made: a mean of 0.9
    assert office.answer(office.literal(hers), Fraction(9, 10), hers, his) == tuple(reply)
    assert not (ordered == 1).any() or len(set(ordered)) == 3


def test_what_he_believes_after_an_order_never_made_is_his_answer_to_it():
    pieces = office.literal()
    believed = [office.answer(pieces, Fraction(x, 10))[1] for x in (1, 5, 9)]
    assert {which for *_, which in pieces} == {0, 2} and believed == [0, 1, 2]


# People who err, and words ----------------------------------------------------------


def test_what_she_never_does_rules_a_goal_out():
    rules = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert belief_after(np.array([3, 1]), rules, np.array([0.9, 0.1]))[0] < 1e-200
    made = random_one_shot(RNG(0))
    with pytest.raises(ValueError, match="temperature is inf"):
        erring(made, np.inf)
    with pytest.raises(ValueError, match=r"rules has shape \(1, 3, 2\)"):
        belief_after(np.array([1, 1]), np.full((3, 2), 0.5), np.array([0.5, 0.5]))


def test_the_worths_of_the_errand_are_those_given():
    given = {"chances": {"why": 0.3}, "price": 0.2, "usual": 0.8, "stake": 1.5}
    by_hand = 0.7 + 0.7 * 3 + 0.3 * 1.5 - 0.2 * 0.2  # deed, what, why, a word now and then
    assert errand_value(**given, own=0.7, worth=3.0) == pytest.approx(by_hand)
    assert adapted(errand(**given, own=0.7, worth=3.0)).value == pytest.approx(by_hand)


def test_every_word_has_its_price_and_every_part_must_be_right():
    both = errand({"how": 0.1, "why": 0.1}, price=0.3, shown=("what", "how"))
    hers = list(product(product((0, 1), repeat=2), (0, 1, 1, 2)))
    for h, (deed, words) in enumerate(hers):
        for g, (what, how, _) in enumerate(product((0, 1), repeat=3)):
            wanted = (deed == (what, how)) - 0.3 * words
            np.testing.assert_allclose(both.reward[0, h, :, g], wanted)


def test_one_move_that_tells_nothing_gains_nothing():
    made = random_one_shot(RNG(1))
    assert people.gains_of_one_move(made, np.full((4, 4), 0.25)) == pytest.approx(0)
    told = made.his.max(axis=1).mean() - made.his.mean(axis=0).max()
    assert people.gains_of_one_move(made, np.eye(4)) == pytest.approx(told)


# What is drawn, and reckoned from samples -------------------------------------------


def test_both_halves_of_the_islands_choose_for_one_another():
    """An even chance is best for the islands of one half, certainty for those of the other."""
    belief = np.tile([0.9, 0.1], (1, 4, 1))
    truth = np.array([[0, 0, 1, 1]])
    got = wrong_model.cooled(belief, truth)
    # the first half, all right, is read at the power that the second wants, 0, and the second
    # at the power that the first wants, 1
    assert got == pytest.approx([(np.log(2) - np.log(0.1)) / 2])


def test_the_agreement_of_flags_by_hand():
    mistakes_ = np.array([[True, True, False, False, False]])
    flags = np.array([[True, False, True, False, False]])
    assert mistakes.agreement(flags, mistakes_) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert mistakes.agreement(np.ones((1, 5), bool), mistakes_) == 0.5


def test_the_two_curves_before_the_café_are_those_by_hand():
    fig, alt = paper8.fig_hand()
    lines = [np.asarray(line.get_ydata()) for line in fig.axes[0].lines if
             len(line.get_ydata()) == 6]
    hand = paper8.by_hand()
    for (first, last), drawn in zip(
        (("bakery_past", "corner_past"), ("bakery_in", "corner_in")), lines, strict=True
    ):
        assert (drawn[0], drawn[-1]) == pytest.approx((hand[first], hand[last]))
    turns = 5 - int((lines[1] > lines[0]).argmax())
    assert f"from {turns} step" in alt and turns == 1


def test_the_slider_says_where_each_hana_goes():
    _, text = paper8.explore_steepness(1.0)
    assert text == ("k = 1. Naive Hana means to go past the café and goes into the café; who "
                    "knows herself goes round by the bottom street.")


def test_two_walks_share_the_moves_before_they_part():
    assert paper9.shared("abcd", "abxy") == 1 and paper9.shared("abc", "abcd") == 2


@pytest.mark.parametrize("beta", [0.0, 0.25, 2.0])
def test_the_slider_of_the_switch_says_what_the_solver_finds(beta):
    """On either side of the curve and where the words stand, what pays best."""
    fig, text = paper9.explore_switch(beta)
    curve, = fig.axes[0].lines
    for mu, edge in list(zip(*curve.get_data()))[::16]:
        for sigma in (edge - 0.05, edge + 0.05):
            if beta and sigma > 0 and abs(mu) > 0.05:
                assert (float(off_switch.gain(mu, sigma, beta)) > 0) == (sigma > edge)
    words = {one.get_text(): one.get_position() for one in fig.axes[0].texts}
    assert len(words) == (3 if beta else 1)
    for word, (mu, sigma) in words.items():
        waits = float(off_switch.gain(mu, sigma, beta)) > 0
        assert word == ("waits for Hana" if waits else
                        "goes ahead" if mu > 0 else "switches itself off")
    if beta:
        assert f"from σ = {np.sqrt(beta):.2f} on" in text
        assert f"from {np.sqrt(4 * beta):.2f}." in text


def test_the_office_at_ten_values_is_even():
    made = paper9.office()
    clips = made.his[:, 2] / 90
    np.testing.assert_allclose(clips, np.arange(0.05, 1, 0.1))
    np.testing.assert_allclose(made.hers[:, 1], 1)
    np.testing.assert_allclose(made.his[:, 0] / 90 + clips, 1)


def test_what_is_derived_is_a_mean_over_unequal_seeds():
    rows = {name: np.array([[0.0], [1.0]]) for name in ("leans_known", "leans_learned")}
    rows = {k: np.repeat(v, 4, axis=1) for k, v in rows.items()}
    got = people.people_derived(Samples((0, 1), rows | {"leans_mistaken": np.ones((2, 4)) * 3}))
    assert got["overlooked"] == pytest.approx(2.5) and got["suspected"] == 0
    words = {"gain_both": np.array([0.1, 0.3]), "gain_both_dear": np.array([0.0, 0.2])}
    got = why.why_derived(Samples((0, 1), words))
    assert [got["both"], got["both_dear"]] == pytest.approx([0.2, 0.1])
