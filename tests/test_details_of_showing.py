"""Details of the kitchen, the one walk, the three doors and chapter 08's controls."""

from dataclasses import replace
from functools import partial
from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy.stats import spearmanr

from conftest import in_browser
from imitlib.chapters.ch08 import (
    accuracy,
    copying,
    people,
    raters,
    suboptimal,
    wrong_model,
)
from imitlib.chapters.ch08.pairs import plan_for, shares
from imitlib.chapters.ch09 import chef as kitchen
from imitlib.chapters.ch09 import doors as on_doors
from imitlib.chapters.ch09 import long_walks, playing
from imitlib.chapters.ch09 import showing as fields
from imitlib.cirl import Game, adapted, exhaustive, random_game, showing
from imitlib.cirl import plans as by_plans
from imitlib.cirl.chef import chef
from imitlib.cirl.doors import plain, streets, three_doors
from imitlib.cirl.replies import literal, reading, teaching
from imitlib.cirl.showing import Walks, listed_walks, losses, response
from imitlib.cirl.solvers import Solution, answer_to
from imitlib.envs.grid import GridWorld
from imitlib.envs.town import Town
from imitlib.experiments import Samples

RNG = np.random.default_rng


# Replies ------------------------------------------------------------------------------


def with_rules(seed):
    """A game of three steps where each of the two may do two of three things."""
    rng = RNG(seed)
    game = random_game(rng, 2, 3, 3, 2, 3, branches=2)
    human, robot = np.ones((2, 2, 3), bool)
    for may in (human, robot):
        may[np.arange(2), rng.integers(3, size=2)] = False
    return replace(game, human_may=human, robot_may=robot)


def legal(may, state):
    return np.flatnonzero(may[state]).tolist()


def hers_at_random(game, seed):
    """Chances of her own for every history, of what is legal."""
    def hers(history, state):
        rng = RNG([seed, state, *np.ravel(history).astype(int)])
        odds = rng.random((game.n_goals, game.n_human)) * game.human_may[state]
        return odds / odds.sum(axis=1, keepdims=True)

    return hers


@pytest.mark.parametrize("seed", range(4))
def test_a_literal_person_plans_for_the_steps_that_are_left(seed):
    game = with_rules(seed)

    def q(left, s, goal, h, a):
        then = sum(game.transitions[s, h, a, to] * v(left - 1, to, goal) for to in (0, 1))
        return game.reward[s, h, a, goal] + game.discount * then

    def v(left, s, goal):
        return max((q(left, s, goal, h, a) for h in legal(game.human_may, s)
                    for a in legal(game.robot_may, s)), default=0) if left else 0.0

    hers, moved = literal(game), set()
    for past, s, goal in product(range(3), (0, 1), (0, 1)):
        worth = {h: max(q(3 - past, s, goal, h, a) for a in legal(game.robot_may, s))
                 for h in legal(game.human_may, s)}
        best = max(worth, key=worth.get)
        assert hers(((0, 0, 0),) * past, s)[goal].tolist() == np.eye(3)[best].tolist()
        moved.add((s, goal, best))
    assert len(moved) > 4 or seed  # in the first of these games it does matter how many


@pytest.mark.parametrize("seed", range(3))
def test_his_reply_is_the_best_that_he_may_do(seed):
    game = with_rules(seed)
    hers = hers_at_random(game, seed)

    def best(history, s, joint):
        if len(history) == 3:
            return 0.0
        rule, worths = hers(history, s), []
        for a in legal(game.robot_may, s):
            worth = 0.0
            for h in legal(game.human_may, s):
                after = joint * rule[:, h]
                worth += after @ game.reward[s, h, a]
                for to in (0, 1):
                    worth += game.discount * game.transitions[s, h, a, to] * best(
                        (*history, (s, h, a)), to, after)
            worths.append(worth)
        return max(worths)

    his, value = reading(game, hers)
    assert value == pytest.approx(best((), game.start, game.prior))
    assert all(game.robot_may[s, his(((0, h, a),), s)] for h, a, s in product(
        legal(game.human_may, 0), legal(game.robot_may, 0), (0, 1)))


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("seed", range(3))
def test_her_reply_is_made_of_what_she_may_do(seed, temperature):
    game = with_rules(seed)
    his = reading(game, hers_at_random(game, seed))[0]

    def v(history, s, goal):
        if len(history) == 3:
            return 0.0
        a = his(history, s)
        q = np.array([game.reward[s, h, a, goal] + game.discount * sum(
            game.transitions[s, h, a, to] * v((*history, (s, h, a)), to, goal) for to in (0, 1))
            for h in legal(game.human_may, s)])
        odds = np.exp((q - q.max()) / temperature) if temperature else q == q.max()
        return float(odds @ q / odds.sum())

    hers, value = teaching(game, his, temperature)
    assert value == pytest.approx(game.prior @ [v((), game.start, goal) for goal in (0, 1)])
    rule = hers((), game.start)
    assert (rule[:, ~game.human_may[game.start]] == 0).all()
    assert rule.sum(axis=1) == pytest.approx(1)


def test_where_nothing_is_to_be_had_both_do_what_they_may():
    """She anything of that, he the first of it."""
    may = np.array([[False, True, True]])
    game = Game(np.ones((1, 3, 3, 1)), np.zeros((1, 3, 3, 1)), [1], 1, human_may=may, robot_may=may)
    his = reading(game, lambda history, state: np.array([[0, 0.5, 0.5]]))[0]
    assert his((), 0) == 1
    assert teaching(game, his)[0]((), 0).tolist() == [[0, 0.5, 0.5]]


def test_of_equals_he_takes_the_first_and_she_any():
    """Sums of a tenth and two tenths are no better than three tenths."""
    reward = np.zeros((1, 2, 2, 1))
    reward[0, :, 0], reward[0, :, 1] = 0.3, 0.1 + 0.2
    game = Game(np.ones((1, 2, 2, 1)), reward, [1], 1)
    his = reading(game, lambda history, state: np.array([[1.0, 0.0]]))[0]
    assert his((), 0) == 0
    assert teaching(game, his)[0]((), 0).tolist() == [[0.5, 0.5]]


def test_after_a_move_never_made_he_believes_what_he_believed_just_before():
    """The first two goals share a move, the third has one; nobody makes the last move."""
    reward = np.broadcast_to(np.eye(3), (1, 3, 3, 3))  # he must name the goal
    game = Game(np.ones((1, 3, 3, 1)), reward, [0.2, 0.3, 0.5], 3)
    his = reading(game, lambda history, state: np.eye(3)[[0, 0, 1]])[0]
    assert his((), 0) == his(((0, 2, 0),), 0) == 2
    assert his(((0, 0, 0),), 0) == his(((0, 0, 0), (0, 2, 0)), 0) == 1

    rules = np.where((np.arange(8)[:, None] >> np.arange(3)) & 1, [0, 0, 1], -1)
    named = np.broadcast_to(np.arange(8)[:, None], (3, 8, 1))  # which goals he thinks are left
    solution = Solution(0.0, np.zeros((4, 8, 1)), named,
                        np.broadcast_to(rules[:, None], (3, 8, 1, 3)), 0)  # fmt: skip
    kept = partial(solution.robot_acts, stay=True)
    assert kept(((0, 0, 0), (0, 2, 0)), 0) == kept(((0, 2, 0), (0, 0, 0)), 0) == 0b011
    assert kept(((0, 1, 0), (0, 0, 0)), 0) == 0b100
    assert kept(((0, 2, 0), (0, 2, 0)), 0) == 0b111


def test_who_is_told_the_recipe_is_told_it_as_often_as_it_is_wanted():
    game = chef(((1, 1), (3, 0)), 3, prior=[0.8, 0.2])
    hers = literal(game)

    def v(past, s, goal):
        if past == 3:
            return 0.0
        rule = hers(((0, 0, 0),) * past, s)[goal]
        return max(sum(rule[h] * (game.reward[s, h, a, goal] + 0.95 * v(
            past + 1, int(game.transitions[s, h, a].argmax()), goal)) for h in range(3))
            for a in range(3))

    each = [v(0, 0, goal) for goal in (0, 1)]
    assert abs(each[0] - each[1]) > 0.05
    assert kitchen.told(game, hers) == pytest.approx(0.8 * each[0] + 0.2 * each[1])


def test_plans_kept_for_her_slips_are_best_where_play_can_lead():
    """Where any set of goals is left; of four orders, the mean, the least and the most."""
    game = chef(((1, 1), (2, 0), (0, 2)), 3)
    left = np.array([goals for goals in product((0, 1), repeat=3) if any(goals)])
    beliefs = left / left.sum(axis=1, keepdims=True)
    found = kitchen.for_her(game, (0.05, 0.3))
    for i, temperature in enumerate((0.05, 0.3)):
        kept = adapted(game, beliefs, temperature).value
        assert found["kept"][i] == pytest.approx(kept)
        four = [teaching(one, partial(exhaustive(one).robot_acts, stay=True), temperature)[1]
                for one in kitchen.orders(game)]
        assert np.ptp(four) > 0.01
        assert [found[x][i] for x in ("unlucky", "faultless", "lucky")] == pytest.approx(
            [min(four), np.mean(four), max(four)])


# Plans --------------------------------------------------------------------------------


def test_plans_that_differ_a_little_are_kept():
    plans = np.array([[1, 2], [1 + 1e-6, 2], [1 + 1e-14, 2]])
    assert len(by_plans._best(plans, None)) == 2


def test_where_all_is_alike_the_first_of_his_acts_is_taken():
    made = Game(np.ones((1, 2, 3, 1)), np.ones((1, 2, 3, 2)), [0.5, 0.5], 2)
    solution = exhaustive(made)
    assert not solution.robot.any() and set(solution.rules[:, -1].ravel()) == {0}


# One walk -----------------------------------------------------------------------------


def test_of_walks_that_are_all_but_equal_the_one_that_costs_her_least():
    nearly = 1 + 5e-10
    hers = np.array([0.0, 1.0])
    assert response(hers, np.array([nearly, 0.0]).__getitem__)[0] == 0
    for at_once in (1, 2):
        his = np.array([nearly, 0.5]).__getitem__
        assert response(hers, his, weight=0.5, at_once=at_once)[0] == 0


def test_what_is_no_walk():
    mdp = GridWorld("S..", wait=True).mdp(discount=1.0)
    with pytest.raises(ValueError, match="start is -1; legal are 0 ... 2"):
        listed_walks(mdp, -1, 2)
    with pytest.raises(ValueError, match="features must be finite"):
        Walks(np.array([[np.nan], [1.0]]), np.ones(2))


def test_the_search_begins_where_it_is_told_to(monkeypatch):
    walks = Walks(RNG(0).random((20, 2)), np.ones(20))
    found = walks.read(walks.features[:3], 0.5)
    monkeypatch.setattr(showing, "MOST_STEPS", 1)
    assert walks.read(walks.features[:3], 0.5, start=found) == pytest.approx(found)
    with pytest.raises(ValueError, match="not found"):
        walks.read(walks.features[:3], 0.5)


@pytest.mark.parametrize("seed", [6, 8, 11, 12])
def test_what_each_walk_shown_costs_by_every_measure(monkeypatch, seed):
    for name, value in {"SIDE": 3, "STEPS": 2, "LISTED": 20}.items():
        monkeypatch.setattr(fields, name, value)
    phi, theta, thetas, walks = world = fields.draw(RNG(seed), 3)
    got, mdp, middle = fields.one_world(*world), *(fields.field(3, 2)[i] for i in (0, 3))
    worth = walks.features @ theta
    shown = {"expert": int(worth.argmax()), 5: int(walks.heuristic(theta, [1.0])[0])}
    for name, number in shown.items():
        f = walks.features[[number]]
        costs = worth.max() - worth[number]
        read, mean = walks.read(f, fields.L2), walks.believe(f, thetas)
        for measure, lost in (
            ("", losses(mdp, phi, theta, read, 2)[0, middle]),
            ("_mean", losses(mdp, phi, theta, mean, 2)[0, middle]),
            ("_anywhere", losses(mdp, phi, theta, read, 2)[0].mean()),
        ):
            assert got[measure, name] == pytest.approx([lost, lost + costs], abs=1e-9)
        assert got["wrong", name] == pytest.approx([sum((read[0] - theta) ** 2)], abs=1e-6)
        p, q = (walks.chances(x)[1] for x in (theta, read[0]))
        assert got["apart", name] == pytest.approx([p @ np.log(p / q)], abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_larger_field_made_small(monkeypatch, seed):
    """Every walk tried, and losses counted on the list of walks."""
    for name, value in {"SIDE": 3, "STEPS": 2, "LISTED": 20}.items():
        monkeypatch.setattr(long_walks, name, value)
    got, rng = long_walks.long_world(RNG(seed), 3), RNG(seed)
    _, met, ways, _, cells = fields.field(3, 2)
    phi, theta = fields.bumps(rng, cells, 3), rng.uniform(-1, 1, 3)
    thetas = rng.uniform(-1, 1, (20, 3))
    walks = Walks(met @ phi, ways)
    worth = walks.features @ theta
    mean = walks.believe(walks.features, thetas)
    lost = worth.max() - worth[(walks.features @ mean.T).argmax(axis=0)]
    both = lost + worth.max() - worth
    shown = [worth.argmax(), *walks.heuristic(theta, long_walks.ETAS)]
    for name, number in zip(("expert", 0, 1, 2), shown, strict=True):
        assert got["", name] == pytest.approx([lost[number], both[number]], abs=1e-9)
        assert got["wrong", name] == pytest.approx([sum((mean[number] - theta) ** 2)])
    assert got["", "response"][1] == pytest.approx(both.min(), abs=1e-9)


# The doors ----------------------------------------------------------------------------


def test_to_wait_costs_a_step_but_at_the_right_door():
    """In the garden too, where only who comes in must pay."""
    game, town = three_doors(), Town("hana")
    doors = [tuple(map(int, door)) for door in town.doors]
    for i, cell in enumerate(streets(town)):
        paid = [-0.2 - 0.2 * (doors.index(cell) != goal if cell in doors else True)
                for goal in range(3)]
        assert game.reward[i, 4, 0] == pytest.approx(paid)
        assert game.reward[i, 4, 1] == pytest.approx(np.subtract(paid, 0.1))


@pytest.mark.parametrize(("price", "prior"), [
    (0.1, (0.35, 0.45, 0.2)), (0.55, (0.4, 0.2, 0.4)),
])  # fmt: skip
def test_when_it_is_best_to_ask(price, prior):
    """At once if the third door is unlikely, else when she has gone north."""
    game = three_doors(price, prior)
    paper = on_doors.on_paper(price, prior)
    assert answer_to(game, plain(game)).value == pytest.approx(paper["question"])


def test_she_wastes_her_step_for_the_rarer_door():
    for first, second in ((0.3, 0.5), (0.5, 0.3)):
        told, lesson = (on_doors.on_paper(0.1, (first, second, 0.2))[x] for x in ("told", "lesson"))
        assert told - lesson == pytest.approx(0.2 + 0.2 * 0.3)


@pytest.mark.parametrize(("price", "prior"), [
    (0.1, (0.3, 0.5, 0.2)), (0.1, (0.5, 0.25, 0.25)), (0.9, (0.2, 0.3, 0.5)),
])  # fmt: skip
def test_to_roll_and_look_at_once_by_the_lengths_of_ways(price, prior):
    """A step costs 0.2, and takes Rollo one cell or two along a street; not by the stairs."""
    sign = {(r, c): x for r, row in enumerate(Town("rollo").board) for c, x in enumerate(row)}
    cells = [cell for cell, x in sign.items() if x in ".B123"]
    start, *doors = ([sign[cell] for cell in cells].index(x) for x in "B123")

    def ways(closed=()):
        """How many steps from each to each; cells that are closed are not gone to."""
        far = np.where(np.eye(len(cells)), 0.0, 99.0)
        for _ in range(9):
            for i, (r, c) in enumerate(cells):
                for (x, y), size in product(((0, 1), (1, 0), (0, -1), (-1, 0)), (1, 2)):
                    over = [(r + k * x, c + k * y) for k in range(1, size + 1)]
                    if all(cell in cells for cell in over) and (
                            to := cells.index(over[-1])) not in closed:
                        far[i] = np.minimum(far[i], 1 + far[to])
        return far

    open_to, to_door = ways(doors), ways()[:, doors]  # it goes to no door before it knows
    wait, third = to_door @ np.divide((*prior[:2], 0), sum(prior[:2])), prior[2]

    def soonest(here, steps, left):
        return left[open_to[here] <= steps].min()

    def unsure(here):
        """After one step. To ask costs three: it stands, then she answers while it rolls."""
        return min(8 + soonest(here, 8, wait), *(
            k + 3 + price / 0.2 + soonest(here, k + 1, wait) for k in range(8)))

    looks = min(1 + third * to_door[s, 2] + (1 - third) * unsure(s)
                for s in np.flatnonzero(open_to[start] <= 1))  # fmt: skip
    lesson = 1 + soonest(start, 1, to_door @ prior) + min(prior[:2])
    hers = 10 - 0.2 * np.dot(prior, on_doors.WALKS)
    assert on_doors.rolling(price, prior) == pytest.approx(
        (hers - 0.2 * looks, hers - 0.2 * lesson))


@pytest.mark.parametrize(("price", "flips"), [(0.3, 0), (0.4, 1), (0.5, 0)])
def test_at_no_other_price_does_the_question_stop_to_pay(monkeypatch, price, flips):
    paper = dict.fromkeys(("told", "lesson", "question", "watching", "guess"), 0.0)
    monkeypatch.setattr(on_doors, "solved", lambda *_: paper)
    monkeypatch.setattr(on_doors, "asks", lambda *_: True)
    monkeypatch.setattr(on_doors, "ROLLS_PRICE", price)
    assert on_doors.measure_doors(0)["rolls_flips"] == flips


# Chapter 08's controls ----------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_the_best_scored_of_every_choice_of_so_many(n):
    score, value = RNG(0).normal(size=(2, 6, 4))
    each = [[value[max(some, key=lambda m, i=i: score[m, i]), i] for i in range(4)]
            for some in combinations(range(6), n)]
    assert raters.best_of(n, score, value) == pytest.approx(np.mean(each, axis=0))


@pytest.mark.parametrize("way", [[0, 0, 0, 1, 2, 2, 3, 1], [0, 1, 2, 3, 4]])
def test_errors_that_are_dealt_are_those_that_were_there(way):
    """One order of them, for the ways of acting or for the models, of each island."""
    copies = len(set(way)) < len(way)
    good, heard = RNG(4).normal(size=(2, 5, 2))[:, way]

    def beside(x, about):
        return x - np.polyval(np.polyfit(about, x, 1), about)

    anew = raters.dealt(heard, good, RNG(5), np.array([way, way]).T if copies else None)
    for isle in range(2):
        error, got = (beside(x[:, isle], good[:, isle]) for x in (heard, anew))
        straight = heard[:, isle] - error
        assert anew[:, isle] - got == pytest.approx(straight)
        each = error[np.unique(way, return_index=True)[1]]
        orders = [beside(np.array(order)[way], good[:, isle]) for order in permutations(each)]
        assert any(np.allclose(got, x * error.std() / x.std()) for x in orders)


def test_losses_under_applause_are_shares_of_what_can_be_had(monkeypatch):
    """Twelve models on three islands, planned for one by one."""
    for name, value in {"CANDIDATES": 12, "RATED": 3, "DEALINGS": 1, "PRESSURE": (1, 4)}.items():
        monkeypatch.setattr(raters, name, value)
    got, rng = raters.measure_raters(3), RNG(3)
    where = people.sea(rng, 3)
    truth = people.islanders(where, where.wishes)[:, 0]
    pleases = truth + raters.SHOW * rng.random((1, 3, 6)).ravel()
    guesses = truth + raters.NOISE * rng.normal(size=(12, 3, 6)).reshape(12, 18)
    limit, *good = shares(where, [plan_for(where, np.repeat(x[:, None], 3, axis=1))
                                  for x in (pleases, *guesses)])
    each = [np.max(some, axis=0) for some in combinations(good, 4)]
    assert got["lost_told"] == pytest.approx([1 - np.mean(good), 1 - np.mean(each)])
    assert got["lost_limit"] == pytest.approx(1 - limit.mean())


def test_what_she_does_most_often_is_shared_among_equals():
    policy = np.array([[0.4, 0.4, 0.2], [0.1, 0.3, 0.6]])
    even = [[0.5, 0.5, 0], [0, 0, 1]]
    assert suboptimal.without_slips(policy).tolist() == even
    assert copying.likeliest(10 * policy).tolist() == even


def test_half_a_choice_is_added_to_every_action():
    counts = np.array([[2.0, 1.0, 0.0]])
    assert copying.cloned(counts).tolist() == pytest.approx(np.array([[5, 3, 1]]) / 9)
    assert copying.bare(counts) == pytest.approx(np.array([[2, 1, 0]]) / 3)


def test_models_as_good_as_each_other_are_drawn_and_share_a_rank():
    score = np.array([[0.9, 0.1], [0.90005, 0.3], [0.1, 0.2]])
    served = np.array([[1.0, 1.0], [0.0, 2.0], [0.7, 3.0]])
    assert accuracy.picked(score, served) == pytest.approx((0.5 + 2) / 2)
    a, b = RNG(1).integers(4, size=(2, 9, 5)) / 4
    by_island = [spearmanr(x, y).statistic for x, y in zip(a.T, b.T)]
    assert accuracy.alike(a + 1e-6 * RNG(2).random(a.shape), b) == pytest.approx(np.mean(by_island))
    assert accuracy.alike(np.column_stack([a, np.ones(9)]), np.column_stack([b, b[:, 0]])
                          ) == pytest.approx(np.mean([*by_island, 0]))


def test_models_are_judged_by_what_she_does():
    where = people.sea(RNG(0), 2)
    policy, model = RNG(1).dirichlet(np.ones(3), (2, 12))
    hits, told, _ = accuracy.judged(where, policy, model, people.islanders(where, where.wishes))
    for isle in range(2):
        rows = range(6 * isle, 6 * isle + 6)
        assert hits[isle] == pytest.approx(np.mean([policy[s, model[s].argmax()] for s in rows]))
        assert told[isle] == pytest.approx(np.mean([
            sum(policy[s, a] * np.log(model[s, a]) for a in range(3)) for s in rows]))


def test_what_is_clearly_worse_than_none_is_two_errors_above():
    """Five seeds about a mean of 1 above the prior; the error of that mean is as said."""
    seeds = np.array([-2.0, -1, 0, 1, 2]) / np.sqrt(2)  # their deviation is 1
    above = np.array([9, 0.99, 1.01, *[-1] * 8])  # the first is the rational kind
    made = {"matched_loss": wrong_model.PRIOR + above + seeds[:, None],
            "matched_late": wrong_model.PRIOR + above + 1.9 * seeds[:, None],
            "loss_rational": np.tile(wrong_model.PRIOR + above, (5, 1))}
    got = wrong_model.average(Samples(tuple(range(5)), made))
    assert [got[x] for x in ("worse", "worse_matched", "clearly_worse", "clearly_worse_late")
            ] == [2, 2, 1, 0]


# The page -----------------------------------------------------------------------------


@in_browser
def test_what_the_page_draws_after_a_step_and_on_a_new_morning(chrome):
    """The bars, who stands where, how far she has walked, and that nothing is left over."""
    game, cells = three_doors(), streets(Town("hana"))
    page = chrome.new_page()
    page.add_init_script("Math.random = () => 0.9")
    page.goto("about:blank")
    page.set_content(playing.play_doors()._repr_html_())

    def town():
        return page.get_attribute(".town", "aria-label")

    def signs():
        return page.eval_on_selector_all(".town span", "all => all.map(x => x.textContent)")

    def shares():
        bars = page.eval_on_selector_all(
            ".belief i", "all => all.map(x => x.style.getPropertyValue('--share'))")
        return [float(bar.rstrip("%")) for bar in bars]

    expected = page.eval_on_selector_all(
        ".belief span", "all => all.map(x => x.textContent)")[2::3]
    page.click('.moves [data-move="0"]')
    likely = np.array([words == "if so: north" for words in expected])
    assert 0 < likely.sum() < 3 and shares() == pytest.approx(100 * likely / likely.sum())
    state = int(game.transitions[game.start, 0, 0].argmax())
    row, column = cells[state]
    assert f"Hana is in row {row + 1}, column {column + 1}, Rollo in the bakery." in town()
    assert page.locator(".town .trodden").count() == 1
    page.click(".again")
    assert "So far" not in page.inner_text(".said")
    assert shares() == pytest.approx([100 / 3] * 3) and signs().count("H◆") == 1
    assert page.locator(".town .trodden").count() == 0

    page.select_option(".who", "Rollo")  # by luck it is the third door
    assert page.locator(".town .today").count() == 0
    page.click('.moves [data-move="2"]')
    assert "It was door 3." in page.inner_text(".said")
    state = int(game.transitions[game.start, 2, 0].argmax())  # for the third door she goes south
    row, column = cells[state]
    assert f"Hana is in row {row + 1}, column {column + 1}, Rollo at door 1. Today it" in town()
    assert "What is left of both ways is paid at once." in page.inner_text(".said")
    assert page.locator(".town .hana").all_inner_texts() == ["H"]
    assert signs()[8 * row + column] == "H" and page.locator(".town .trodden").count() == 1
    there = [x for x in signs() if "◆" in x]
    assert there == ["1◆"]
