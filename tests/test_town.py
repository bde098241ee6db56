"""Loaf Street against its rules told once more, with dictionaries and by brute force."""

import sys
from itertools import product
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from imitlib import planning
from imitlib.envs import town_picture as picture
from imitlib.envs.town import LOAF_STREET, MOVES, REWARDS, ROADWORKS, Town, TownEnv

COMPASS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}


class Told:
    """The story by the book: a state is (cell, bread, roadworks, door)."""

    def __init__(self, text, who, barriers=((1, 5), (6, 3))):
        self.signs = {(r, c): sign for r, row in enumerate(text.split("\n"))
                      for c, sign in enumerate(row) if sign != "#"}
        self.who, self.barriers = who, (None, *barriers)
        self.doors = {int(s): cell for cell, s in self.signs.items() if s.isdigit()}

    def act(self, state, move):
        """(state, list of what happened)."""
        cell, bread, roadworks, door = state
        if cell == self.doors[door]:
            return state, []
        happened, way = ["step"], COMPASS.get(move.removeprefix("roll "))
        for k in range(0 if way is None else 2 if "roll" in move else 1):
            ahead = cell[0] + way[0], cell[1] + way[1]
            sign = self.signs.get(ahead)
            if (sign is None or ahead == self.barriers[roadworks]
                    or (self.who == "rollo" and sign == "s")):
                happened += ["bump"] if k == 0 else []
                break
            cell = ahead
            if sign == "*":
                happened.append("garden")
            if sign == "C" and bread == 0:
                happened.append("cafe")
                bread = 1
            if cell == self.doors[door]:
                happened.append(("warm", "cold")[bread])
                break
        return (cell, bread, roadworks, door), happened

    def states(self):
        return product(self.signs, (0, 1), range(len(self.barriers)), self.doors)

    def stuck(self):
        """States from which no search finds the door."""
        comes_from = {}
        for state, move in product(self.states(), MOVES[self.who]):
            comes_from.setdefault(self.act(state, move)[0], set()).add(state)
        found = [s for s in self.states() if s[0] == self.doors[s[3]]]
        seen = set(found)
        for state in found:
            new = comes_from.get(state, set()) - seen
            seen |= new
            found += new
        return set(self.states()) - seen


def number(town, state):
    cell, bread, roadworks, door = state
    return town.state(cell, bread, roadworks, door)


def same_as_told(town):
    told = Told(town.map, town.who, town.roadworks)
    stuck = told.stuck() if town.gives_up else set()
    events, mdps = town.events, {name: town.mdp(name) for name in REWARDS}
    seen = set()
    for state in told.states():
        if town.door not in (None, state[3]):
            continue
        s = number(town, state)
        seen.add(s)
        for a, move in enumerate(town.moves):
            then, happened = told.act(state, move)
            if state in stuck:
                then, happened = state, []
            assert town.successors[s, a] == number(town, then)
            for event, counts in events.items():
                assert counts[s, a] == happened.count(event)
            for name, mdp in mdps.items():
                worth = REWARDS[name] | {"bump": 0.0}
                assert mdp.reward[s, a] == pytest.approx(sum(worth[e] for e in happened))
        assert town.ending[s] == (state in stuck or state[0] == told.doors[state[3]])
    assert seen == set(range(town.n_states))
    assert (mdps["true"].transitions == town.successors).all()
    assert (mdps["true"].terminal == town.ending).all()


@pytest.mark.parametrize("who", MOVES)
@pytest.mark.parametrize("door", [1, 2, 3, None])
def test_every_action_in_every_state_is_as_told(who, door):
    same_as_told(Town(who, door))
    assert Town(who, door).n_states == (558 if door is None else 186)


@settings(max_examples=25)
@given(st.data())
def test_and_so_in_any_other_town(data):
    rows, columns = data.draw(st.tuples(st.integers(2, 4), st.integers(2, 5)))
    signs = [data.draw(st.sampled_from("..#C*s")) for _ in range(rows * columns)]
    places = data.draw(st.permutations(range(rows * columns)))
    doors = data.draw(st.integers(1, min(3, rows * columns - 1)))
    for sign, place in zip("B123"[: doors + 1], places):
        signs[place] = sign
    barriers = tuple(divmod(p, columns) for p in places if signs[p] in ".*sC")[:1]
    text = "\n".join("".join(signs[r * columns:(r + 1) * columns]) for r in range(rows))
    same_as_told(Town(
        data.draw(st.sampled_from(list(MOVES))),
        data.draw(st.sampled_from([*range(1, doors + 1), None])), text, barriers,
        data.draw(st.booleans())))


# The numbers that the book tells ------------------------------------------------------


def best(who, door, reward, roadworks=0):
    """Best return from the bakery, and all plans that earn it.

    Plans of one action, two, three, ... A plan is dropped where another that is no
    longer has earned more in the same state; what is left is every best plan.
    """
    told, worth = Told(LOAF_STREET, who), REWARDS[reward] | {"bump": 0.0}
    begin = ((3, 0), 0, roadworks, door)
    earned, found, frontier = {begin: 0.0}, {begin: [()]}, [begin]
    for _ in range(15):
        after = {}
        for state, move in product(frontier, MOVES[who]):
            then, happened = told.act(state, move)
            paid = round(earned[state] + sum(worth[e] for e in happened), 9)
            plans = [(*plan, move) for plan in found[state]]
            if then == state or paid < max(earned.get(then, paid), after.get(then, (paid,))[0]):
                continue
            more = after[then][1] if then in after and after[then][0] == paid else []
            after[then] = paid, more + plans
        for state, (paid, plans) in after.items():
            same = found[state] if earned.get(state) == paid else []
            earned[state], found[state] = paid, same + plans
        frontier = list(after)
    ends = [s for s in earned if s[0] == told.doors[door]]
    top = max((earned[s] for s in ends), default=-np.inf)
    return top, [plan for s in ends if earned[s] == top for plan in found[s]]


def true_value(who, door, plan):
    told, state, paid = Told(LOAF_STREET, who), ((3, 0), 0, 0, door), 0.0
    for move in plan:
        state, happened = told.act(state, move)
        paid += sum((REWARDS["true"] | {"bump": 0.0})[e] for e in happened)
    assert state[0] == told.doors[door]
    return paid


def test_loaf_street_has_31_cells():
    assert len(Town().cells) == 31 and Town().shape == (3, 2, 31)
    assert Town(door=None).shape == (3, 3, 2, 31)


def test_hana_says_seven_steps_through_the_garden_and_means_eleven_round_it():
    said, plans = best("hana", 2, "stated")
    assert plans == [("east",) * 7] and said == pytest.approx(8.6)
    assert true_value("hana", 2, plans[0]) == pytest.approx(-7.4)
    meant, plans = best("hana", 2, "true")
    assert {len(plan) for plan in plans} == {11} and meant == pytest.approx(7.8)
    for reward, value in [("stated", said), ("true", meant)]:
        mdp = Town().mdp(reward)
        assert mdp.start @ planning.value_iteration(mdp).values == pytest.approx(value)


def test_rollo_rolls_there_in_six():
    value, plans = best("rollo", 2, "true")
    assert {len(plan) for plan in plans} == {6} and value == pytest.approx(8.8)
    mdp = Town("rollo").mdp()
    assert mdp.start @ planning.value_iteration(mdp).values == pytest.approx(8.8)


def test_her_best_routes_to_doors_1_and_2_share_their_first_eight_moves():
    (one,), (two,) = best("hana", 1, "true")[1], best("hana", 2, "true")[1]
    shared = [a == b for a, b in zip(one, two)]
    assert shared == [True] * 8 + [False] and len(one) == 9


@pytest.mark.parametrize("who, door, reward, roadworks", list(product(
    MOVES, (1, 2, 3), REWARDS, (0, 1, 2))))
def test_planning_finds_what_going_through_all_walks_finds(who, door, reward, roadworks):
    mdp = Town(who, door).mdp(reward, roadworks=roadworks)
    found = mdp.start @ planning.value_iteration(mdp).values
    value, plans = best(who, door, reward, roadworks)
    if (who, door, roadworks) == ("rollo", 3, 2):  # wheels, stairs, and a barrier
        assert plans == [] and found == 0
    else:
        assert found == pytest.approx(value)


def test_what_is_felt_does_not_pay_in_the_end():
    """Two for the café against six that the cold loaf pays less: rational Hana goes by."""
    for door in (1, 2, 3):
        felt, plans = best("hana", door, "felt")
        assert felt == best("hana", door, "true")[0]
        told = Told(LOAF_STREET, "hana")
        for plan in plans:
            state = ((3, 0), 0, 0, door)
            for move in plan:
                state, happened = told.act(state, move)
                assert "cafe" not in happened
    q = planning.q_values(mdp := Town().mdp("felt"), planning.value_iteration(mdp).values)
    s = Town().state((1, 3))  # at its door: in, out again, and the loaf is cold
    assert q[s].max() - q[s, 0] == pytest.approx(6 + 0.4 - 2)


# Rules, one by one --------------------------------------------------------------------


def go(town, cell, move, **state):
    s = town.state(cell, **state)
    a = town.moves.index(move)
    return town.cell(town.successors[s, a]), {
        event: n[s, a] for event, n in town.events.items() if n[s, a]}


def test_a_roll_enters_all_its_cells_and_stops_where_it_must():
    rollo = Town("rollo")
    assert go(rollo, (3, 1), "roll east") == ((3, 3), {"step": 1, "garden": 2})
    assert go(rollo, (1, 3), "roll north") == ((0, 3), {"step": 1, "cafe": 1})
    assert go(rollo, (1, 3), "roll east", roadworks=1) == ((1, 4), {"step": 1})
    assert go(rollo, (2, 6), "roll south") == ((3, 6), {"step": 1})  # then come the stairs
    assert go(rollo, (3, 6), "roll south") == ((3, 6), {"step": 1, "bump": 1})
    assert go(rollo, (5, 6), "north") == ((5, 6), {"step": 1, "bump": 1})
    assert go(rollo, (3, 5), "roll east") == ((3, 7), {"step": 1, "warm": 1})
    line = Town("rollo", 1, "B1.2", ())
    assert go(line, (0, 0), "roll east") == ((0, 1), {"step": 1, "warm": 1})
    line = Town("rollo", 1, "BC1", ())  # through the café to the door: it arrives cold
    assert go(line, (0, 0), "roll east") == ((0, 2), {"step": 1, "cafe": 1, "cold": 1})


def test_feet_take_the_stairs_and_nobody_a_barrier():
    hana = Town()
    assert go(hana, (3, 6), "south") == ((4, 6), {"step": 1})
    assert go(hana, (6, 2), "east", roadworks=2) == ((6, 2), {"step": 1, "bump": 1})
    assert go(hana, (6, 2), "east", roadworks=1) == ((6, 3), {"step": 1})
    for move in ("wait", "gesture"):
        assert go(hana, (1, 1), move, bread=1) == ((1, 1), {"step": 1})
    assert go(Town("rollo"), (1, 1), "ask") == ((1, 1), {"step": 1})


def test_a_cart_that_is_cut_off_gives_up_or_wanders():
    s = Town("rollo", 3).state((3, 0), roadworks=2)
    assert Town("rollo", 3).mdp().terminal[s]
    wanders = Town("rollo", 3, gives_up=False)
    assert not wanders.mdp().terminal[s]
    assert wanders.successors[s, 0] == wanders.state((2, 0), roadworks=2)
    for door in (1, 2, 3, None):  # on foot there is always a way
        hana = Town("hana", door)
        assert hana.ending.sum() == (18 if door is None else 6)


def test_a_hidden_door_is_the_slowest_axis():
    """Each block of the large town is the small town of that door."""
    for who in MOVES:
        whole = Town(who, None)
        for door in (1, 2, 3):
            part, block = Town(who, door), slice(186 * (door - 1), 186 * door)
            assert (whole.successors[block] - 186 * (door - 1) == part.successors).all()
            assert (whole.reward()[block] == part.reward()).all()
            assert whole.state((3, 1), 1, 2, door) % 186 == part.state((3, 1), 1, 2)


def test_other_rewards_in_terms_of_what_happens():
    town = Town("rollo")
    assert (town.reward() == town.mdp().reward).all()
    proxy = town.reward(step=-1, garden=0, warm=3, cold=2, cafe=0.5, bump=-7)
    s = town.state((3, 6), bread=1)
    assert proxy[s, town.moves.index("east")] == pytest.approx(-1 + 2)
    assert proxy[s, town.moves.index("south")] == pytest.approx(-1 - 7)
    assert proxy[town.state((1, 3)), 0] == pytest.approx(-1 + 0.5)
    assert (town.mdp(proxy).reward == proxy).all()
    events = town.events
    events["step"][:] = 9  # a copy: nobody can change the town
    assert town.events["step"].max() == 1
    town.successors[:] = 0
    assert town.successors.any()


def test_where_it_begins():
    town = Town(door=None)
    begin = town.mdp(roadworks=None).start.reshape(town.shape)
    bakery = int((town.signs == "B").argmax())
    assert begin[:, :, 0, bakery] == pytest.approx(np.full((3, 3), 1 / 9))
    begin = Town().mdp(start=(1, 2), roadworks=2).start
    assert begin[Town().state((1, 2), roadworks=2)] == 1
    begin = Town().mdp(start="anywhere", roadworks=1).start
    able = {Town().cell(s) for s in np.flatnonzero(begin)}
    every = {tuple(cell) for cell in Town().cells.tolist()}
    assert every - able == {(0, 3), (1, 5), (3, 7)}  # café, barrier, the right door
    assert begin.max() == pytest.approx(1 / 28) and begin[62:].sum() == pytest.approx(1)
    on_wheels = Town("rollo").mdp(start="anywhere").start
    assert on_wheels[Town("rollo").state((4, 6))] == 0


def test_states_have_names():
    town = Town("rollo", None)
    for s in range(0, 558, 7):
        door, roadworks, bread, cell = (int(part) for part in town.parts(s))
        assert town.state(town.cell(s), bread, roadworks, door) == s
        assert town.cell(s) == tuple(town.cells[cell])
    said = town.describe(town.state((1, 3), 1, 2, 3))
    assert said == "at (1, 3), cold bread, roadworks at (6, 3), door 3"
    assert Town().describe(0) == "at (0, 3), warm bread, no roadworks"


def test_the_front_page_has_the_same_map():
    front = Path(__file__).resolve().parents[1] / "book" / "_ext"
    sys.path.insert(0, str(front))
    try:
        from companion import town as page
    finally:
        sys.path.remove(str(front))
    assert {page.where_to_dig(page.round_about(door)) for door in page.DOORS.values()
            } >= set(ROADWORKS)


@pytest.mark.parametrize("rules, said", [
    ({"who": "otto"}, "who is 'otto'"),
    ({"door": 4}, "door is 4"),
    ({"door": 0}, "door is 0"),
    ({"map": ".1.\n.."}, "map has rows"),
    ({"map": "..12"}, "map has 0 bakeries"),
    ({"map": "BB12"}, "map has 2 bakeries"),
    ({"map": "B..."}, r"map has the doors \[\]"),
    ({"map": "B.13"}, "map has the doors"),
    ({"map": "B122"}, "map has the doors"),
    ({"map": "B12x"}, "map has the sign 'x'"),
    ({"map": "B.12"}, r"roadworks names \(1, 5\)"),
    ({"roadworks": ((0, 0),)}, r"roadworks names \(0, 0\)"),
    ({"roadworks": ((3, 0),)}, r"roadworks names \(3, 0\)"),
    ({"roadworks": ((-1, 5),)}, r"roadworks names \(-1, 5\)"),
])
def test_a_town_that_is_none_is_refused(rules, said):
    with pytest.raises(ValueError, match=said):
        Town(**rules)


@pytest.mark.parametrize("ask, said", [
    (lambda t: t.mdp("hers"), "reward is 'hers'"),
    (lambda t: t.mdp(np.zeros((3, 2))), "reward has shape"),
    (lambda t: t.mdp(roadworks=3), "roadworks is 3"),
    (lambda t: t.mdp(start="C"), "start is 'C'"),
    (lambda t: t.mdp(start=(0, 0)), r"cell is \(0, 0\)"),
    (lambda t: t.state((0, 0)), r"cell is \(0, 0\)"),
    (lambda t: t.state((3, 0), bread=2), "bread is 2"),
    (lambda t: t.state((3, 0), roadworks=-1), "roadworks is -1"),
    (lambda t: t.state((3, 0), door=1), "door is 1; in this town it is 2"),
    (lambda t: Town(door=None).state((3, 0)), "the door is hidden"),
    (lambda t: t.cell(186), "state is 186"),
    (lambda t: t.describe(-1), "state is -1"),
])
def test_a_question_that_has_no_answer_is_refused(ask, said):
    with pytest.raises(ValueError, match=said):
        ask(Town())


# The environment and the picture ------------------------------------------------------


def test_gymnasium_accepts_it():
    check_env(gym.make("imitlib/Town-v0", render_mode="rgb_array").unwrapped)
    check_env(TownEnv("rollo", None, roadworks=None, start="anywhere"),
              skip_render_check=True)


@pytest.mark.parametrize("who", MOVES)
def test_an_episode_goes_as_told(who):
    env, told = TownEnv(who, None, roadworks=None, horizon=40), Told(LOAF_STREET, who)
    rng, stuck = np.random.default_rng(2), Told(LOAF_STREET, who).stuck()
    for seed in range(25):
        s, _ = env.reset(seed=seed)
        door, roadworks, bread, _ = (int(part) for part in env.town.parts(s))
        state = env.town.cell(s), bread, roadworks, door
        assert state[:2] == ((3, 0), 0)
        for clock in range(1, 41):
            a = int(rng.integers(env.action_space.n))
            s, reward, over, cut, _ = env.step(a)
            if state not in stuck:
                state, happened = told.act(state, MOVES[who][a])
                pay = sum((REWARDS["true"] | {"bump": 0.0})[e] for e in happened)
                assert reward == pytest.approx(pay)
            assert s == number(env.town, state)
            assert over == (state in stuck or state[0] == told.doors[door])
            assert cut == (clock == 40 and not over)
            if over:
                break


def test_an_environment_pays_what_it_is_told_to():
    env = TownEnv(reward="stated", start=(3, 1))
    env.reset()
    assert env.step(1)[1] == pytest.approx(-0.2)
    other = Town("rollo", 1, "B.1", ())
    env = TownEnv(town=other, reward=other.reward(step=-1))
    env.reset()
    assert env.step(5)[:4] == (2, 9.0, True, False)


def test_the_frame_shows_who_is_where_and_what_is_closed():
    env = TownEnv("rollo", 1, render_mode="rgb_array")
    env.reset()
    before, _ = env.render(), env.step(4)
    after = env.render()
    assert before.dtype == np.uint8 and before.shape == after.shape == (420, 480, 3)
    changed = np.argwhere((before != after).any(axis=2)) // 60
    assert {tuple(cell) for cell in changed.tolist()} == {(3, 0), (1, 0)}
    town = env.town
    frames = [picture.rgb(town, town.state((3, 1), bread, roadworks))
              for bread, roadworks in ((0, 0), (0, 1), (1, 0))]
    cells = [{tuple(c) for c in (np.argwhere((frame != frames[0]).any(axis=2)) // 60).tolist()}
             for frame in frames]
    assert cells == [set(), {(1, 5)}, {(3, 1)}]
    assert TownEnv().render() is None


def test_the_words_say_what_the_picture_shows():
    roll = [(3, 0), (3, 2), (3, 4), (3, 6), (3, 7)]
    fig, alt = picture.fig_town(Town("rollo"), roadworks=2, rollo=(3, 0), bread=1,
                                routes=[(roll, "robot", "Straight on")])
    for words in (
        "7 rows by 8 columns", "bakery at (3, 0)", "café at (0, 3)",
        "school garden at (3, 2), (3, 3)", "stairs at (4, 6)", "door 1 at (1, 7)",
        "Door 2 is the right one", "A barrier stands at (6, 3)",
        "Rollo at (3, 0), with a cold loaf",
        "Straight on: from (3, 0) east 7, to (3, 7), 4 steps, across 2 garden cells",
    ):
        assert words in alt
    written = {text.get_text() for text in fig.axes[0].texts}
    assert {"1", "2", "3", "Café", "Stairs", "School garden", "Straight on"} <= written
    assert "Bakery" not in written  # Rollo stands there
    fig, alt = picture.fig_town(Town(door=None))
    assert "Which door is right is not shown" in alt and "barrier" not in alt
    assert "Bakery" in {text.get_text() for text in fig.axes[0].texts}


def test_any_town_can_be_drawn():
    text = "B*#\n*s2\n1.#"
    fig, alt = picture.fig_town(Town("hana", None, text, ((2, 1),)), roadworks=1)
    assert "school garden at (0, 1), (1, 0)" in alt and "café" not in alt
    assert "A barrier stands at (2, 1)" in alt
