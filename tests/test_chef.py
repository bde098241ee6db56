"""The kitchen by hand, and each one's best reply against every way to play."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest

from imitlib.chapters.ch09 import chef as chapter
from imitlib.cirl import (
    adapted,
    exhaustive,
    full_information,
    no_sharing,
    random_game,
    replies,
)
from imitlib.cirl.chef import MENU, chef, menu, pots
from imitlib.cirl.replies import literal, reading, teaching, worth

# The kitchen --------------------------------------------------------------------------


def test_two_pieces_go_in_at_once_and_what_fits_nowhere_is_spoilt():
    game, states = chef(), pots(MENU)
    assert states[0] == (0, 0, 0) and len(states) == 14 and game.n_states == 15
    assert (1, 2, 0) not in states and (0, 2, 1) in states and (1, 1, 2) in states

    def after(pot, hers, his):
        return int(game.transitions[states.index(pot), hers, his].argmax())

    assert states[after((0, 0, 0), 2, 2)] == (0, 2, 0)
    assert states[after((0, 1, 0), 0, 3)] == (0, 1, 1)
    assert after((0, 2, 0), 1, 0) == 14 and after((1, 1, 2), 0, 1) == 14
    assert (game.transitions[14, ..., 14] == 1).all() and (game.reward[14] == 0).all()
    assert game.reward[states.index((0, 1, 0)), 2, 3].tolist() == [1, 0]
    assert game.reward[states.index((1, 1, 0)), 3, 3].tolist() == [0, 1]
    assert game.reward.sum() == (game.reward > 0).sum()
    assert (game.reward[states.index((0, 2, 1))] == 0).all()  # served once


def test_a_kitchen_by_hand():
    """One ingredient that both recipes need not: four of one, or four of the other.

    In one step nothing can be served, in two he must guess: half of 0.95. In three he
    waits for her first piece, and then three are left for two steps: 0.95 squared.
    """
    fours = ((4, 0), (0, 4))
    values = [exhaustive(chef(fours, steps)).value for steps in (1, 2, 3)]
    assert values == pytest.approx([0, 0.95 / 2, 0.95**2])
    assert exhaustive(chef(fours, 2, prior=[0.9, 0.1])).value == pytest.approx(0.9 * 0.95)
    assert full_information(chef(fours, 2)) == pytest.approx(0.95)
    assert exhaustive(chef(fours, 3, discount=0.4)).value == pytest.approx(0.4 / 2)  # guess
    twos = chef(((2, 0), (0, 2)), 2)
    assert exhaustive(twos).value == adapted(twos).value == pytest.approx(0.95)
    assert no_sharing(chef(((1,),), 1)) == 1


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_the_two_recipes_need_no_listening(steps):
    """Either is served in two steps if he puts in one of the second and one of the third."""
    game = chef(horizon=steps)
    assert adapted(game).value == pytest.approx(0.95)
    assert exhaustive(game).value == full_information(game) == pytest.approx(0.95)
    assert chapter.deaf(game)[0] == pytest.approx(0.95)
    three = chef(chapter.MENUS[1], steps)  # the third then shares no two with both
    late = 0 if steps == 2 else 0.95**2
    assert chapter.deaf(three)[0] == pytest.approx((2 * 0.95 + late) / 3)


def test_menus_at_random():
    drawn = menu(np.random.default_rng(0), 5, 3, 4)
    assert len(set(drawn)) == 5 and all(sum(one) == 4 and len(one) == 3 for one in drawn)
    assert drawn != menu(np.random.default_rng(1), 5, 3, 4)
    with pytest.raises(ValueError, match="goals is 4; there are 3 recipes of 2 pieces"):
        menu(np.random.default_rng(0), 4, 2, 2)


@pytest.mark.parametrize(
    ("recipes", "words"),
    [((1, 2), "recipes has shape"), (((1, -1),), "counts must be whole"),
     (((1, 0.5),), "counts must be whole"), (((0, 0), (1, 0)), "nor may one be empty"),
     (((1, 0), (1, 0)), "no two may be the same")],
)  # fmt: skip
def test_no_kitchen(recipes, words):
    with pytest.raises(ValueError, match=words):
        chef(recipes)


def test_a_deaf_rollo_against_every_sequence_and_every_rule():
    """Her slips too, by recursion."""
    game = chef(((1, 0), (1, 1)), 2)

    def ahead(acts, state, goal, temperature):
        if not acts:
            return 0.0
        q = [game.reward[state, h, acts[0], goal] + game.discount * ahead(
            acts[1:], int(game.transitions[state, h, acts[0]].argmax()), goal, temperature)
            for h in range(game.n_human)]  # fmt: skip
        weight = np.exp(np.array(q) / temperature) if temperature else np.array(q) == max(q)
        return float(weight @ q / weight.sum())

    for temperature in (0.0, 0.1, 1.0):
        every = {acts: np.mean([ahead(acts, 0, goal, temperature) for goal in (0, 1)])
                 for acts in product(range(3), repeat=2)}  # fmt: skip
        value, acts = chapter.deaf(game, temperature)
        assert value == pytest.approx(max(every.values())) == pytest.approx(every[acts])


# Replies ------------------------------------------------------------------------------

TINY = {"n_states": 2, "n_human": 2, "n_robot": 2, "n_goals": 2, "horizon": 2}


def tiny(seed, branches=2):
    return random_game(np.random.default_rng(seed), **TINY, branches=branches)


def some_way(seed):
    """A person of no method: other chances for every history."""

    def hers(history, state):
        key = [seed, state, *np.ravel(history).astype(int)]
        return np.random.default_rng(key).dirichlet(np.ones(2), size=2)

    return hers


def told_by_loops(game, hers, his):
    """What a pair is worth: every goal, move and state in turn."""
    total = 0.0
    for goal in range(game.n_goals):
        stack = [((), game.start, game.prior[goal])]
        while stack:
            history, state, weight = stack.pop()
            a = his(history, state)
            for h in range(game.n_human):
                share = weight * hers(history, state)[goal, h]
                total += share * game.discount ** len(history) * game.reward[state, h, a, goal]
                if len(history) + 1 < game.horizon:
                    for s in range(game.n_states):
                        stack.append(((*history, (state, h, a)), s,
                                      share * game.transitions[state, h, a, s]))  # fmt: skip
    return total


def his_ways(game):
    """Every deterministic way of his, in a game of two steps: an act, and one for each
    thing that he may see."""
    seen = list(product(range(game.n_human), range(game.n_states)))
    for first, rest in product(range(2), product(range(2), repeat=len(seen))):
        later = dict(zip(seen, rest))
        yield lambda history, state, first=first, later=later: (
            first if not history else later[history[0][1], state])  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_his_best_reply_against_every_way_of_his(seed):
    game, hers = tiny(seed), some_way(seed)
    his, value = reading(game, hers)
    ways = [told_by_loops(game, hers, way) for way in his_ways(game)]
    assert value == pytest.approx(max(ways)) == pytest.approx(told_by_loops(game, hers, his))
    assert worth(game, hers, his) == pytest.approx(value)


@pytest.mark.parametrize("seed", range(4))
def test_her_best_reply_against_every_way_of_hers(seed):
    game = tiny(seed)
    his = reading(game, some_way(seed))[0]
    hers, value = teaching(game, his)
    seen = list(product(range(2), range(2)))

    def way(first, rest):
        later = dict(zip(seen, rest))
        return lambda history, state: np.eye(2)[[
            first if not history else later[history[0][1], state]] * 2]  # fmt: skip

    each = []
    for goal in range(2):
        alone = replace(game, prior=np.eye(2)[goal])
        each.append(max(told_by_loops(alone, way(first, rest), his)
                        for first, rest in product((0, 1), product((0, 1), repeat=4))))
    assert value == pytest.approx(game.prior @ each)
    assert worth(game, hers, his) == pytest.approx(value) == pytest.approx(
        told_by_loops(game, hers, his))  # fmt: skip


@pytest.mark.parametrize("temperature", [0.3, 2.0])
def test_her_slips_by_recursion(temperature):
    game = tiny(0)
    his = reading(game, some_way(1))[0]
    hers, value = teaching(game, his, temperature)

    def q(history, state, goal, h):
        a, rest = his(history, state), 0.0
        if not history:
            rest = sum(game.transitions[state, h, a, s] * v(((state, h, a),), s, goal)
                       for s in range(2))  # fmt: skip
        return game.reward[state, h, a, goal] + game.discount * rest

    def v(history, state, goal):
        both = np.array([q(history, state, goal, h) for h in range(2)])
        return float(np.exp(both / temperature) @ both / np.exp(both / temperature).sum())

    assert value == pytest.approx(game.prior @ [v((), game.start, goal) for goal in range(2)])
    odds = hers((), game.start)[1]
    both = [q((), game.start, 1, h) for h in range(2)]
    assert np.log(odds[0] / odds[1]) == pytest.approx((both[0] - both[1]) / temperature)
    for wrong in (-1, np.inf, np.nan):
        with pytest.raises(ValueError, match="temperature is"):
            teaching(game, his, wrong)


def test_a_literal_person_and_her_ties():
    """With one step left and one piece lacking either may put it in, or she leaves it."""
    game = chef(((1, 1),), 1)
    uniform, first, last = (literal(game, ties)((), 0)[0] for ties in ("uniform", "first", "last"))
    assert uniform.tolist() == [0, 0.5, 0.5]
    assert first.tolist() == [0, 1, 0] and last.tolist() == [0, 0, 1]
    assert reading(game, literal(game))[1] == pytest.approx(0.5)  # who takes which?
    assert reading(game, literal(game, "last"))[1] == 1
    two = chef(((1, 1),), 2)  # together now, at 1; or in turn, at 0.95
    assert literal(two)((), 0)[0].tolist() == [0, 0.5, 0.5]
    assert literal(two)(((0, 0, 0),), 0)[0].tolist() == [0, 0.5, 0.5]
    with pytest.raises(ValueError, match="ties is 'best'; legal: uniform, first, last"):
        literal(game, "best")


def test_a_move_that_cannot_be_is_no_news():
    game = chef(((1, 0), (0, 1)), 2)
    his = reading(game, literal(game, "last"))[0]  # she puts in the piece at once
    assert his(((0, 1, 0),), pots(((1, 0), (0, 1))).index((1, 0))) == 0
    twos = chef(((2, 0), (0, 2)), 2)
    for prior, act in (([0.4, 0.6], 2), ([0.6, 0.4], 1)):
        game = replace(twos, prior=prior)
        his = reading(game, lambda history, state: np.eye(3)[[1, 2]])[0]  # never 0
        assert his(((0, 0, 0),), 0) == act
    solution = exhaustive(game)
    kept = partial(solution.robot_acts, stay=True)
    assert kept((), 0) == solution.robot_acts([], 0)
    strange = next(h for h in range(3) if solution.goals_left([(0, h, 0)]) == 0)
    assert kept(((0, strange, 0),), 0) == int(solution.robot[1, -1, 0])


@pytest.mark.parametrize("seed", range(3))
def test_a_coordinators_rollo_is_worth_the_optimum_to_one_who_answers_him(seed):
    game = random_game(np.random.default_rng(seed), n_goals=3, horizon=3, branches=2)
    solution = exhaustive(game)
    his = partial(solution.robot_acts, stay=True)
    assert teaching(game, his)[1] == pytest.approx(solution.value)
    drawn = chef(menu(np.random.default_rng(seed)), 3)
    found = chapter.pairs(drawn)
    best = exhaustive(drawn).value
    assert found["literal_literal"] <= found["pedagogic_literal"] + 1e-12
    assert found["pedagogic_literal"] <= found["pedagogic_pragmatic"] + 1e-12 <= best + 2e-12
    assert found["literal_pragmatic"] <= found["literal_literal"] + 1e-12 <= found["told"] + 2e-12


def test_where_nothing_can_be_earned():
    live = replies._live(chef(horizon=3))
    assert not live[:, -1].any() and not live[-1].any() and live[:2, 0].all()
    assert not live[2, 0]  # the empty pot, one step to go


def test_lessons_to_a_rollo_who_knows_how_she_breaks_ties():
    """One of each, in two steps: who agree on who puts in what need no lesson."""
    found = chapter.by_ties(chef(((1, 1),), 1))
    assert found["literal_by_ties"] == pytest.approx([0.5, 1, 1])
    assert found["taught_by_ties"] == pytest.approx([1, 1, 1])
    drawn = chef(menu(np.random.default_rng(1)), 3)
    found, four = chapter.by_ties(drawn), chapter.pairs(drawn)
    assert found["literal_by_ties"][0] == four["literal_literal"]
    assert found["taught_by_ties"][0] == four["pedagogic_literal"]
    assert (np.subtract(found["taught_by_ties"], found["literal_by_ties"]) > -1e-12).all()


def test_other_orders_are_the_same_game():
    game = chef(horizon=2)
    for one in chapter.orders(game):
        assert exhaustive(one).value == pytest.approx(exhaustive(game).value)
    found = chapter.for_her(chef(((1, 1), (2, 0)), 2), (1e-4, 0.3))
    assert found["unlucky"][0] == pytest.approx(found["lucky"][0], abs=1e-3)
    assert found["unlucky"] <= found["faultless"] <= found["lucky"]
