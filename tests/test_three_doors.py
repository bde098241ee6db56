"""The three doors: the game against ways counted by hand, the page against the game."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from conftest import in_browser
from imitlib import claims
from imitlib.chapters.ch09 import doors as chapter
from imitlib.chapters.ch09 import playing
from imitlib.cirl import Play, answer_to, exhaustive, random_game, solvers
from imitlib.cirl.doors import plain, speaks_plainly, streets, three_doors
from imitlib.envs.town import LOAF_STREET, Town
from wrong_libraries import along, must_refute, planted

ROWS = LOAF_STREET.split()
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))
DOORS = [(r, c) for sign in "123" for r, row in enumerate(ROWS)
         for c, there in enumerate(row) if there == sign]  # fmt: skip


def costs(door):
    """What her way from each cell costs, by sweeps over the map of their own."""
    streets = {(r, c): sign for r, row in enumerate(ROWS) for c, sign in enumerate(row)
               if sign not in "#C"}  # fmt: skip
    cost = dict.fromkeys(streets, np.inf) | {door: 0.0}
    for _ in range(40):
        for (r, c), (dr, dc) in product(streets, STEPS):
            there = r + dr, c + dc
            if there in streets and (r, c) != door:
                step = 0.2 + 8 * (streets[there] == "*")
                cost[r, c] = min(cost[r, c], step + cost[there])
    return cost


COSTS = [costs(door) for door in DOORS]
CELLS = streets(Town("hana"))
GAME = three_doors()


# The room -----------------------------------------------------------------------------


def test_the_lengths_of_her_ways():
    bakery = (3, 0)
    np.testing.assert_allclose([cost[bakery] / 0.2 for cost in COSTS], chapter.WALKS)
    assert CELLS[GAME.start] == bakery and set(CELLS) == set(COSTS[0])


def test_she_goes_where_streets_are():
    for i, (r, c) in enumerate(CELLS):
        for h, (dr, dc) in enumerate(STEPS):
            there = r + dr, c + dc
            open_ = (0 <= there[0] < len(ROWS) and 0 <= there[1] < len(ROWS[0])
                     and ROWS[there[0]][there[1]] not in "#C")  # fmt: skip
            assert GAME.human_may[i, h] == open_
            if open_:
                assert CELLS[int(GAME.transitions[i, h, 0].argmax())] == there
                assert GAME.transitions[i, h, 1].argmax() == len(CELLS) + CELLS.index(there)
        assert GAME.human_may[i, 4] and GAME.transitions[i, 4, 0, i] == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_morning_is_worth_what_the_steps_say(seed):
    """Any walk of hers, a question on the way, and off to some door."""
    rng = np.random.default_rng(seed)
    goal, to, leaves = rng.integers(3), int(rng.integers(3)), int(rng.integers(3, 8))
    table, cell, expected, asked = Play(GAME, goal, rng), (3, 0), 0.0, None
    for t in range(GAME.horizon):
        if t > leaves:
            table.step(0, 0)
            continue
        if asked == t - 1:  # she stands and says a door
            table.step(int(rng.integers(3)), 0)
            expected -= 0.4
            continue
        h = int(rng.choice(np.flatnonzero(GAME.human_may[table.state])))
        move = (*STEPS, (0, 0))[h]
        there = cell[0] + move[0], cell[1] + move[1]
        expected -= 0.2 * (not (h == 4 and cell == DOORS[goal]))
        expected -= 8.0 * (ROWS[there[0]][there[1]] == "*" and h < 4)
        cell = there
        if t == leaves:
            table.step(h, 2 + to)
            expected -= 0.2 * chapter.ROLLS[to] - 10 * (to == goal)
            expected -= COSTS[goal][cell]
        elif t == 1:
            table.step(h, 1)
            expected, asked = expected - 0.3, t
        else:
            table.step(h, 0)
            expected -= 0.2
    assert table.worth() == pytest.approx(expected)


def test_plain_hana_walks_a_shortest_way_and_tells_the_truth():
    rule = plain(GAME)
    for goal, cost in enumerate(COSTS):
        for i, cell in enumerate(CELLS):
            there = CELLS[int(GAME.transitions[i, rule[i, goal], 0].argmax())]
            step = 0.2 + 8 * (ROWS[there[0]][there[1]] == "*") if there != cell else 0.0
            assert cost[cell] == pytest.approx(step + cost[there])
            assert (there == cell) == (cell == DOORS[goal])
        assert (rule[len(CELLS) : -1, goal] == goal).all()


@pytest.mark.parametrize("seed", range(4))
def test_his_best_answer_against_every_way_to_answer(seed):
    """Two steps: his second act may depend on her first move and on the state."""
    rng = np.random.default_rng(seed)
    game = random_game(rng, 2, 2, 3, 3, horizon=2, branches=2)
    rule = rng.integers(2, size=(2, 3))
    best, s, goals = -np.inf, game.start, np.arange(3)
    for a, then in product(range(3), product(range(3), repeat=4)):
        worth = game.reward[s, rule[s], a, goals].copy()
        for ahead in range(2):
            chance = game.transitions[s, rule[s], a, ahead]
            later = np.array(then)[2 * rule[s] + ahead]
            worth += game.discount * chance * game.reward[ahead, rule[ahead], later, goals]
        best = max(best, game.prior @ worth)
    answer = answer_to(game, rule)
    assert answer.value == pytest.approx(best, abs=1e-12)
    assert answer.value <= exhaustive(game).value + 1e-12


def test_the_best_answer_to_her_part_of_the_best_play_is_his():
    """As long as her part depends on the state alone: where she goes straight."""
    sure = three_doors(prior=(1, 0, 0))
    assert answer_to(sure, plain(sure)).value == pytest.approx(exhaustive(sure).value)
    assert exhaustive(sure).value == pytest.approx(10 - 0.2 * (9 + 5))


def test_the_true_word_loses_nothing():
    """What is left of the value, once she has said the door, is that of each door alone."""
    best, n = exhaustive(GAME), len(CELLS)
    spoken = speaks_plainly(GAME, best)
    for left in range(1, 8):
        goals = [i for i in range(3) if left >> i & 1]
        for state in range(n, 2 * n):
            assert [int(spoken.rules[0, left, state, i]) for i in goals] == goals
            alone = sum(best.ahead[1, 1 << i, state - n] - 0.4 / 3 for i in goals)
            assert best.ahead[0, left, state] == pytest.approx(alone, abs=1e-9)
        np.testing.assert_array_equal(spoken.rules[0, left, :n], best.rules[0, left, :n])


def test_he_may_do_only_what_is_legal():
    only = replace(GAME, robot_may=GAME.robot_may & (np.arange(5) != 1))
    answer = answer_to(only, plain(only))
    assert (answer.robot != 1).all() and answer.value == pytest.approx(5.6)


def test_another_town():
    """Two doors, one to the left and one to the right: her first step says all."""
    town = Town("hana", 1, "1.B.2", ())
    game = three_doors(prior=(0.5, 0.5), horizon=5, town=town)
    told, walk = 10 - 0.2 - 0.4, 0.2
    assert answer_to(game, plain(game)).value == pytest.approx(told - walk)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"price": -1}, "price is -1"), ({"price": np.nan}, "price is nan"),
     ({"price": np.inf}, "price is inf"), ({"prior": (0.5, 0.5)}, "prior has 2 entries"),
     ({"prior": (0.5, 0.5, 0.5)}, "sums to 1.5"), ({"horizon": 0}, "horizon is 0")],
)  # fmt: skip
def test_what_is_no_morning(options, words):
    with pytest.raises(ValueError, match=words):
        three_doors(**options)


def test_what_is_no_rule():
    rule = plain(GAME)
    with pytest.raises(ValueError, match=r"rule has shape \(3,\)"):
        answer_to(GAME, rule[0])
    for wrong, words in ((7, "moves 0 to 4"), (-1, "moves 0 to 4"), (1, "not legal")):
        bad = rule.copy()
        bad[CELLS.index((4, 0))] = wrong  # there are houses on both sides
        with pytest.raises(ValueError, match=words):
            answer_to(GAME, bad)


# The claim, and the mistakes that break it ----------------------------------------------

CLAIM = chapter.CLAIMS[0]
EVEN = np.full(3, 1 / 3)


@pytest.fixture(scope="module")
def right():
    return claims.replay(CLAIM, (0,))


def test_the_right_library_satisfies_the_predicate(right):
    assert CLAIM.holds(right) is True


def changed(monkeypatch, change):
    """Every game of the chapter, with something wrong about it."""
    before = chapter.three_doors

    def wrong(*args, **options):
        game = before(*args, **options)
        reward, may = game.reward.copy(), game.human_may.copy()
        change(game, reward, may)
        return replace(game, reward=reward, human_may=may)

    monkeypatch.setattr(chapter, "three_doors", wrong)


def his_waiting_is_free(monkeypatch):
    def change(game, reward, may):
        reward[: len(CELLS), :, 0] += 0.2

    changed(monkeypatch, change)


def an_answer_takes_no_time(monkeypatch):
    def change(game, reward, may):
        reward[len(CELLS) : -1] = 0

    changed(monkeypatch, change)


def a_question_is_not_paid_for(monkeypatch):
    def change(game, reward, may):
        reward[: len(CELLS), :, 1] = reward[: len(CELLS), :, 0]

    changed(monkeypatch, change)


def a_loaf_at_a_wrong_door_is_eaten(monkeypatch):
    def change(game, reward, may):
        for i, goal in product(range(3), range(3)):
            if i != goal:
                reward[: len(CELLS), :, 2 + i, goal] += 10

    changed(monkeypatch, change)


def she_may_not_stand_still(monkeypatch):
    def change(game, reward, may):
        may[: len(CELLS), 4] = False

    changed(monkeypatch, change)


def she_says_another_door(monkeypatch):
    def lies(game):
        rule = plain(game)
        rule[len(CELLS) : -1] = 0
        return rule

    monkeypatch.setattr(chapter, "plain", lies)


def she_teaches_unasked(monkeypatch):
    """Plain Hana is not plain: for the second door she goes the other way."""

    def other(game):
        rule = plain(game)
        rule[game.start, 1] = 1
        return rule

    monkeypatch.setattr(chapter, "plain", other)


def he_does_not_look(monkeypatch):
    """No move of hers rules out a door."""
    before, subsets = chapter.answer_to, solvers.subsets

    def deaf(game, rule):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(solvers, "subsets", lambda n: subsets(n) | (np.arange(2**n) > 0)[:, None])
            return before(game, rule)

    monkeypatch.setattr(chapter, "answer_to", deaf)


def he_hears_a_step_late(monkeypatch):
    before = chapter.answer_to
    monkeypatch.setattr(chapter, "answer_to", lambda game, rule: before(
        replace(game, horizon=game.horizon - 9), rule))  # fmt: skip


def the_best_play_is_his_answer_to_plain_hana(monkeypatch):
    monkeypatch.setattr(chapter, "exhaustive", lambda game: answer_to(game, plain(game)))


@pytest.mark.parametrize("mutant", [
    his_waiting_is_free, an_answer_takes_no_time, a_question_is_not_paid_for,
    a_loaf_at_a_wrong_door_is_eaten, she_may_not_stand_still, she_says_another_door,
    she_teaches_unasked, he_does_not_look, he_hears_a_step_late,
    the_best_play_is_his_answer_to_plain_hana,
], ids=lambda mutant: mutant.__name__)  # fmt: skip
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, mutant):
    mutant(monkeypatch)
    must_refute(CLAIM, right, claims.replay(CLAIM, (0,)))


GOOD = {"told": 103 / 15, "lesson": 6.6, "question": 6.2, "watching": 5.6, "guess": 1 / 3,
        "played": [7.0, 6.2, 6.6], "waits": 1, "asks": 1, "gap": 0, "flips": 1,
        "rolls_watching": 6.2, "rolls_question": 6.4, "rolls_lesson": 20 / 3,
        "rolls_flips": 1}  # fmt: skip
BROKEN = [(chapter.doors_holds, GOOD, [
    {"told": 6.8}, {"lesson": 6.5}, {"question": 6.3}, {"watching": 5.5}, {"guess": 0.0},
    {"played": along(GOOD["played"], 1, 6.4)}, {"waits": 2}, {"waits": 0}, {"asks": 0},
    {"gap": 1e-3}, {"flips": 0}, {"rolls_watching": 6.13}, {"rolls_question": 6.33},
    {"rolls_lesson": 6.6}, {"rolls_flips": 0},
])]  # fmt: skip


def test_each_clause_of_the_predicate_can_fail():
    (holds, good, changes), = BROKEN
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


# The page -------------------------------------------------------------------------------

WAYS = {"an agreement": speaks_plainly(GAME, exhaustive(GAME)),
        "nothing agreed": answer_to(GAME, plain(GAME))}  # fmt: skip
SHARES = {0: "0", 1: "1", 2: "1/2", 3: "1/3"}


def opened(chrome, luck=0.5, **options):
    page = chrome.new_context(viewport={"width": 390, "height": 900}, **options).new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    if options.get("java_script_enabled", True):
        page.add_init_script(f"Math.random = () => {luck}")
    page.goto("about:blank")
    page.set_content(playing.play_doors()._repr_html_())
    return page


def shown(page):
    """Rollo's belief as the page tells it."""
    words = page.eval_on_selector_all(".belief span", "all => all.map(x => x.textContent)")
    return words[1::3]


class Morning:
    """What the page should show, told by the library's own game and solutions."""

    def __init__(self, how, goal):
        self.way, self.goal, self.left, self.table = WAYS[how], goal, 0b111, Play(GAME, goal, None)
        self.table._rng = np.random.default_rng(0)

    def his(self):
        return int(self.way.robot[0, self.left, self.table.state])

    def hers(self):
        return int(self.way.rules[0, self.left, self.table.state, self.goal])

    def step(self, hers, his):
        rule = self.way.rules[0, self.left, self.table.state]
        hears = sum(1 << i for i in range(3) if self.left >> i & 1 and rule[i] == hers)
        if his < 2:
            self.left = hears or self.left
        self.table.step(hers, his)

    @property
    def gone(self):
        return self.table.state == GAME.n_states - 1

    def belief(self):
        n = bin(self.left).count("1")
        return [SHARES[n] if self.left >> i & 1 else "0" for i in range(3)]

    def worth(self):
        while not self.table.over:
            self.table.step(0, 0)
        return self.table.worth()


def same(page, morning):
    assert page.errors == []
    assert shown(page) == morning.belief()
    if morning.gone:
        worth = re.search(r"Together: (−?[\d.]+)\.", page.inner_text(".said")).group(1)
        assert float(worth.replace("−", "-")) == pytest.approx(morning.worth(), abs=0.051)
        assert page.query_selector_all(".moves button") == []


@in_browser
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("seed", range(3))
def test_the_page_plays_rollo(chrome, how, seed):
    """Whatever the reader does as Hana, the page answers as the solution does."""
    rng = np.random.default_rng(seed)
    page, morning = opened(chrome), Morning(how, seed)
    page.select_option(".how", how)
    page.select_option(".door", str(seed + 1))
    for _ in range(GAME.horizon - 1):
        if morning.gone:
            break
        may = np.flatnonzero(GAME.human_may[morning.table.state]).tolist()
        buttons = page.eval_on_selector_all(".moves button", "all => all.map(x => x.dataset.move)")
        assert buttons == [str(h) for h in may]
        h, his = int(rng.choice(may)), morning.his()
        morning.step(h, his)
        page.click(f'.moves [data-move="{h}"]')
        same(page, morning)
    assert len(morning.table.history) > 1


@in_browser
@pytest.mark.parametrize(("how", "acts"), [
    ("an agreement", [0, 3]), ("nothing agreed", [0, 1, 0, 3]), ("an agreement", [1, 0, 2]),
    ("nothing agreed", [4]),
])  # fmt: skip
def test_the_page_plays_hana(chrome, how, acts):
    page, morning = opened(chrome), Morning(how, 1)  # half way through the doors
    page.select_option(".who", "Rollo")
    page.select_option(".how", how)
    assert page.is_hidden(".door") and page.query_selector(".town .today") is None
    for act in acts:
        morning.step(morning.hers(), act)
        page.click(f'.moves [data-move="{act}"]')
        same(page, morning)
    assert morning.gone and page.query_selector(".town .today") is not None
    assert ("By the agreement" in page.inner_text(".said")) == (how == "an agreement")


@in_browser
@pytest.mark.parametrize(("how", "worths", "words"), [
    ("an agreement", ("7.0", "6.2", "6.6"), "By the agreement"),
    ("nothing agreed", ("6.3", "5.7", "6.6"), "With a plain Hana and her best Rollo"),
])  # fmt: skip
def test_the_reader_who_keeps_to_one_way_to_play_gets_its_worth(chrome, how, worths, words):
    for goal, worth in enumerate(worths):
        page, morning = opened(chrome), Morning(how, goal)
        page.select_option(".how", how)
        page.select_option(".door", str(goal + 1))
        while not morning.gone:
            hers, his = morning.hers(), morning.his()
            morning.step(hers, his)
            page.click(f'.moves [data-move="{hers}"]')
        said = page.inner_text(".said")
        assert "That is the one. What is left of both ways is paid at once. " in said
        assert f"Together: {worth}. {words} it would be {worth};" in said
        told = 10 - 0.2 * (chapter.WALKS + chapter.ROLLS)[goal]
        assert f"had Rollo known from the start, {told:.1f}." in said


@in_browser
def test_what_was_not_to_be_expected_tells_nothing(chrome):
    page = opened(chrome)
    page.click('.moves [data-move="1"]')  # east, towards the garden
    assert "tells Rollo nothing. So far: −0.4." in page.inner_text(".said")
    assert shown(page) == ["1/3"] * 3


@in_browser
def test_without_scripts_the_page_shows_the_beginning(chrome):
    with_, without = opened(chrome), opened(chrome, java_script_enabled=False)
    for part in (".town", ".belief", ".said", ".moves"):
        assert with_.inner_text(part) == without.inner_text(part)
    assert without.is_disabled(".moves button") and with_.is_enabled(".moves button")


@in_browser
def test_the_keyboard_stays_among_the_moves(chrome):
    page = opened(chrome)
    page.focus('.moves [data-move="4"]')
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('.moves') !== null")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "again"
