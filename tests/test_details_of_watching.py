"""Details of the tabular worlds and of chapter 01 that larger tests would let pass."""

import re
from collections import deque
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from imitlib import claims, planning
from imitlib.chapters.ch01 import belief, on_paper, trying, wishes
from imitlib.envs.grid import GridEnv, open_grid, read_map
from imitlib.envs.grid_picture import UNIT
from imitlib.envs.tabular import TabularEnv, to_mdp
from imitlib.envs.town import Town, TownEnv
from imitlib.figures import ROLES
from imitlib.mdp import MDP
from imitlib.tabular_experts import optimal, walk
from test_tabular import Table, chain

LOOP = [(1.0, 0, 0.0, False)]


# worlds
@pytest.mark.parametrize("table, said", [
    ({0: {0: [(0.999, 0, 0.0, False)]}}, r"P\[0\]\[0\] sums to 0.999"),
    ({0: {0: [(1.0, 1, 0.0, False)]}}, "leads to 1"),  # the end's number, not a state's
    ({0: {0: LOOP}, 1: {0: LOOP, 1: LOOP}}, r"P\[1\] must list"),
])  # fmt: skip
def test_a_table_that_is_nearly_right_is_refused(table, said):
    with pytest.raises(ValueError, match=said):
        to_mdp(Table(table))


def test_each_episode_has_the_whole_horizon():
    env = TabularEnv(chain(), horizon=3)
    for _ in range(3):
        env.reset(options={"state": 0})
        assert [env.step(0)[3] for _ in range(3)] == [False, False, True]


def test_state_0_can_be_asked_for():
    env = TabularEnv(chain())  # which else begins in 1 one time in four
    assert {env.reset(seed=s, options={"state": 0})[0] for s in range(30)} == {0}


def test_a_grid_is_as_high_and_as_wide_as_asked_and_cut_when_asked():
    assert open_grid(2, 5).board.shape == (2, 5)
    assert read_map("\n S\n. \n").tolist() == [[" ", "S"], [".", " "]]
    env = GridEnv(open_grid(2, 5), horizon=4)
    env.reset()
    assert [env.step(0)[3] for _ in range(4)] == [False] * 3 + [True]


def test_a_town_begins_with_the_body_door_barrier_and_cell_asked_for():
    env = TownEnv("rollo", 1, roadworks=1, start=(1, 2))
    assert (env.town.who, env.town.door) == ("rollo", 1)
    assert env.reset()[0] == env.town.state((1, 2), roadworks=1)


# experts
@pytest.mark.parametrize("scale, gap, tied", [
    (0.0, 5e-9, True), (0.0, 2e-8, False), (1e6, 5e-3, True), (1e6, 2e-2, False),
])  # fmt: skip
def test_as_good_is_what_the_page_says(scale, gap, tied):
    once = MDP([[1, 1], [1, 1]], [[scale, scale + gap], [0, 0]], 1.0, 0)
    assert optimal(once, spread=True)[0].tolist() == [[0, 1], [0.5, 0.5]][tied]


def test_no_episode_begins_at_one_of_several_ends():
    world = MDP([[1], [1], [2]], [[1.0], [0.0], [0.0]], 1.0, [0.5, 0.0, 0.5])
    with pytest.raises(ValueError, match="state 2"):
        walk(world, np.ones((3, 1)), 2, 3, np.random.default_rng(0))


# predicates: one seed is enough to break what is said of every seed
ONE_SEED = {
    "il-no-interaction": [
        "expert_one=0", "expert_nine=0", "expert_taxi=0",
        "clone_one=7.01", "clone_nine=6.95", "clone_taxi=7.13",
        "clone_once_one=7.01", "clone_once_nine=6.95", "clone_once_taxi=7.13",
        "once_one=12", "once_nine=700", "once_taxi=20000",
        "tried_one=4000", "tried_nine=40000", "tried_taxi=60000",
        "tried_one=1000 mapped_one=250", "tried_nine=14000 mapped_nine=3500",
        "tried_taxi=20000 mapped_taxi=5000",
        "tried_nine=39000 mapped_nine=6000", "tried_taxi=59000 mapped_taxi=6000",
        "mapped_one=110", "shown_nine=400 mapped_nine=400",
        "tried_taxi=7000 shown_taxi=7000 mapped_taxi=1700",
        "mapped_taxi=3000 shown_taxi=2900 once_taxi=2900",
    ],
    "il-avoids-misspec": [
        "asked_stated=7.8", "asked_nearer=19", "asked_warm=13.3",
        "true_stated=2.9", "true_nearer=2.9", "true_warm=2.9",
        "true_clone=7.7/7.9", "true_true=2.7", "true_stated_planner=-7.39999",
        "hasty_stated=-7.39999", "hasty_nearer=-7.39999", "hasty_warm=-7.39999",
        "hasty_true=7.79999", "gardens_stated=1", "arrives_nearer=1", "arrives_warm=1",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "ruin"), [(c, r) for c, ruins in ONE_SEED.items() for r in ruins]
)
def test_one_seed_breaks_what_is_said_of_all(claim_id, ruin):
    claim = claims.find(claim_id)
    s = claims.recorded(claim)
    values = dict(s.values)
    for name, value in (part.split("=") for part in ruin.split()):
        values[name] = s[name].copy()
        for seed, number in enumerate(value.split("/"), start=3):
            values[name][seed] = float(number)
    assert claim.holds(s) and not claim.holds(replace(s, values=values))


# measures: watching and trying
def test_the_bill_is_paid_when_it_is_first_enough():
    history = [(10, 8.9), (20, 9.0), (30, 1.0), (40, 9.5)]
    task = SimpleNamespace(hers=10.0)
    assert trying.first_enough(task, history, 99) == 20
    assert trying.first_enough(task, history[:1], 99) == 99


def test_one_walk_of_eleven_steps_is_enough_for_one_door():
    seen = trying.watching(trying.tasks()["one"], np.random.default_rng(0))
    assert (seen["shown"], seen["walks"]) == (11, 1)
    assert seen["clone"] == pytest.approx(7.8)
    assert seen["shown_curve"] == [11, 22, 44]


@pytest.mark.parametrize("name, loaf, step", [("nine", 10, 0.2), ("taxi", 21, 1)])
def test_each_situation_is_shown_once_from_its_start_to_its_end(name, loaf, step):
    """The best return is the loaf, or the fare, less the steps of the way."""
    task = trying.tasks()[name]
    best = planning.value_iteration(task.mdp).values[task.mdp.start > 0]
    got = trying.shown_once(task, np.random.default_rng(0))
    assert got["once"] == pytest.approx(((loaf - best) / step).sum())
    assert got["clone_once"] == pytest.approx(best.mean())


def test_nine_situations_are_shown_when_each_has_come_up():
    task = trying.tasks()["nine"]
    diary = walk(task.mdp, task.expert, task.most, task.horizon, np.random.default_rng(5))
    situation = diary.observations // 62  # door and barrier; 62 are the bread and cells
    met, steps = set(), 0
    for episode in range(task.most):
        rows = diary.episodes == episode
        met.add(int(situation[rows][0]))
        steps += int(rows.sum())
        if len(met) == 9:
            break
    seen = trying.watching(task, np.random.default_rng(5))
    assert seen["shown"] == steps
    assert seen["clone_curve"][0] < 0 < seen["clone_curve"][-1]


def test_who_never_arrives_pays_for_sixty_steps():
    waits = np.eye(6)[np.full(186, 4)]
    assert trying.tasks()["one"].score(waits) == pytest.approx(-12)


def test_garden_cells_are_counted_as_they_are_entered():
    env = trying.Trampling(TownEnv(horizon=60))
    env.reset()
    for _ in range(4):
        env.step(1)
    assert env.log == [0, 1, 2, 2] and env.gardens == 2


def test_the_bill_stops_where_learning_does(monkeypatch):
    one = {"one": trying.tasks()["one"]}
    monkeypatch.setattr(trying, "tasks", lambda: one)
    tried = (3, [(1, 0.5), (3, 8.0)], SimpleNamespace(log=[0, 1, 1, 2, 5]))
    monkeypatch.setattr(trying, "trying", lambda task, rng: tried)
    monkeypatch.setattr(trying, "mapping", lambda task, rng: 2)
    out = trying.measure_bills(0)
    assert (out["tried_one"], out["mapped_one"], out["gardens_one"]) == (3, 2, 1)
    assert (out["shown_one"], out["once_one"]) == (11, 11)
    assert out["curve_one"] == [0.5, 8.0]


def test_the_ratios_are_of_means_each_over_its_own():
    s = claims.recorded("il-no-interaction")
    derived = trying.derive_ratios(s)
    for learner, shown, name in (
        ("tried", "shown", "one"), ("mapped", "shown", "nine"),
        ("mapped", "once", "taxi"), ("tried", "once", "nine"),
    ):  # fmt: skip
        ratio = s[f"{learner}_{name}"].sum() / s[f"{shown}_{name}"].sum()
        assert derived[f"{learner}_per_{shown}_{name}"] == pytest.approx(ratio)
    assert derived["starts_taxi"] == 25 * 4 * 3  # places, passenger, another destination


# measures: wishes
def always(move):
    return np.eye(6)[np.full(186, Town().moves.index(move))]


def test_straight_through_the_garden_by_hand():
    """Seven steps east: two garden cells, and a warm loaf."""
    asked = {"stated": 10 - 1.4, "nearer": 7 + 10, "warm": 7 * 0.3 + 10, "true": -7.4}
    for name, pays in asked.items():
        got = wishes.judged(always("east"), wishes.wishes()[name])
        assert got == pytest.approx(
            {"asked": pays, "true": -7.4, "gardens": 2, "arrives": 1})  # fmt: skip
    got = wishes.judged(always("wait"), wishes.wishes()["warm"])
    assert got == pytest.approx({"asked": 18, "true": -12, "gardens": 0, "arrives": 0})


def test_by_the_cafe_by_hand():
    """Thirteen steps, six with warm bread and ten that come nearer; cold, it arrives."""
    street, north, south = Town(), 0, 2
    policy = always("east")
    for cell, bread, move in (
        ((3, 0), 0, north), ((2, 0), 0, north), ((1, 3), 0, north), ((0, 3), 1, south),
        ((1, 6), 1, south), ((2, 6), 1, south),
    ):  # fmt: skip
        policy[street.state(cell, bread)] = np.eye(6)[move]
    asked = {"stated": 4 - 2.6, "nearer": 10 + 10, "warm": 6 * 0.3, "true": 4 - 2.6}
    for name, pays in asked.items():
        assert wishes.judged(policy, wishes.wishes()[name]) == pytest.approx(
            {"asked": pays, "true": 1.4, "gardens": 0, "arrives": 1})  # fmt: skip


def test_what_each_wish_pays_beside_the_door():
    east, west = 1, 3
    for bread, move, paid in (
        (0, east, (9.8, 11, 10.3, 9.8)), (1, east, (3.8, 11, 0, 3.8)),
        (0, west, (-0.2, 0, 0.3, -0.2)), (1, west, (-0.2, 0, 0, -0.2)),
    ):  # fmt: skip
        state = wishes.town().state((3, 6), bread)
        got = [wishes.wishes()[w][state, move] for w in ("stated", "nearer", "warm", "true")]
        assert got == pytest.approx(paid), (bread, move)


# figures
def test_each_row_of_the_wishes_is_its_own():
    s = claims.recorded("il-avoids-misspec")
    fig, alt = wishes.fig_wishes(s)
    ax = fig.axes[0]
    where = {text.get_text(): text.get_position()[1] for text in ax.texts}
    marks = [line for line in ax.lines if len(line.get_xdata()) == len(s.seeds)]
    assert len(marks) == 5
    for start, name in (("nothing", "clone"), ("everything", "true"), ("what Hana", "stated"),
                        ("a point for", "nearer"), ("a little for", "warm")):  # fmt: skip
        (y,) = (y for words, y in where.items() if words.startswith(start))
        (mark,) = (m for m in marks if 0 < y - np.mean(m.get_ydata()) < 0.5)
        np.testing.assert_array_equal(mark.get_xdata(), s[f"true_{name}"])
    for name in wishes.WISHES:
        assert f"{wishes.WORDS[name]}: {s[f'true_{name}'].mean():.1f}" in alt


@pytest.mark.parametrize("name, every, budget", [("nine", 1e3, 4e4), ("taxi", 2e3, 6e4)])
def test_the_bills_are_drawn_where_they_fall(name, every, budget):
    s = claims.recorded("il-no-interaction")
    fig, alt = trying.fig_bill(s, name)
    ax = fig.axes[0]
    tried, shown, goal, mapped = ax.lines[:4]
    assert (tried.get_xdata()[0], tried.get_xdata()[-1]) == (every, budget)
    np.testing.assert_allclose(
        tried.get_ydata(), np.percentile(s[f"curve_{name}"], 50, axis=0))  # fmt: skip
    assert tried.get_color() == ROLES["robot"].color
    assert shown.get_color() == ROLES["learner"].color
    np.testing.assert_allclose(
        shown.get_xdata(), np.mean(s[f"shown_curve_{name}"], axis=0))  # fmt: skip
    enough = 0.9 * s[f"expert_{name}"][0]
    assert goal.get_ydata()[0] == pytest.approx(enough)
    at = np.ravel([mapped.get_xdata(), mapped.get_ydata()])
    assert at == pytest.approx([s[f"mapped_{name}"].mean(), enough])
    left = [min(text.get_position()[0] for text in ax.texts if words in text.get_text())
            for words in ("shown", "Q-learning")]  # fmt: skip
    assert left[0] < left[1]
    numbers = [s[f"{bill}_{name}"].mean() for bill in ("shown", "tried", "mapped")]
    assert re.findall(r"after (\d+)", alt) == [f"{n:.0f}" for n in numbers]


def test_the_bars_and_the_words_are_the_belief():
    states, actions = belief.her_walk(2)
    for seen, temperature in ((0, 0.3), (5, 1.0), (9, 0.1), (11, 0.3)):
        fig, alt = belief.explore_belief(seen, temperature)
        chance = belief.chances(temperature)[:, states[:seen], actions[:seen]].prod(axis=1)
        chance = chance / chance.sum()
        bars = [p for p in fig.axes[0].patches if hasattr(p, "get_width")][-6:]
        widths = [b.get_width() for b in bars]
        np.testing.assert_allclose(np.divide(widths[1::2], widths[::2]), chance)
        assert re.findall(r"door (\d) (\d\.\d\d)", alt) == [
            (str(d), f"{b:.2f}") for d, b in zip((1, 2, 3), chance)]  # fmt: skip
        assert f"has taken {seen} of her 11" in alt


def test_the_fork_that_the_page_names():
    one, two = (belief.her_walk(door)[1] for door in (1, 2))
    shared = int((one[:9] != two[:9]).argmax())
    states, actions = belief.her_walk(2)
    for key, k, temperature in (
        ("before_fork", shared, 0.1), ("after_fork", shared + 1, 0.1),
        ("after_fork_warm", shared + 1, 0.3),
    ):  # fmt: skip
        chance = belief.chances(temperature)[:, states[:k], actions[:k]].prod(axis=1)
        assert belief.GIVEN[f"belief.{key}"] == pytest.approx(chance[1] / chance.sum())


def test_how_often_she_leaves_northwards_by_hand():
    """To door 1, south and east waste two steps; west, a wait and a gesture waste one."""
    for key, temperature in (("cool", 0.1), ("warm", 0.3)):
        others = 2 * np.exp(-0.4 / temperature) + 3 * np.exp(-0.2 / temperature)
        assert belief.GIVEN[f"belief.north_{key}"] == pytest.approx(1 / (1 + others))


def test_her_steps_are_drawn_up_to_where_she_is(monkeypatch):
    drawn = []
    monkeypatch.setattr(belief, "paths", lambda ax, cells, role: drawn.extend(cells))
    for seen in (1, 8, 11):
        belief.explore_belief(seen, 0.3)
    assert [len(cells) - 1 for cells in drawn] == [1, 8, 11]
    assert drawn[0] == [(3, 0), (2, 0)] and drawn[2][-1] == (3, 7)


def test_the_triangles_lead_to_the_door_past_the_garden():
    street = on_paper.town()
    free = {tuple(c) for c, s in zip(street.cells.tolist(), street.signs) if s not in "*C"}
    away, queue = {(3, 7): 0}, deque([(3, 7)])
    while queue:
        row, column = queue.popleft()
        for step in ((row - 1, column), (row + 1, column), (row, column - 1),
                     (row, column + 1)):  # fmt: skip
            if step in free and step not in away:
                away[step] = away[row, column] + 1
                queue.append(step)
    fig, alt = on_paper.fig_planned()
    marks = [m for m in fig.axes[0].lines if m.get_marker() in tuple("^v<>")]
    assert len(marks) == len(street.cells) - 1
    toward = {"^": (-1, 0), "v": (1, 0), "<": (0, -1), ">": (0, 1)}
    for mark in marks:
        x, y = float(np.ravel(mark.get_xdata())[0]), float(np.ravel(mark.get_ydata())[0])
        cell = int(y // UNIT), int(x // UNIT)
        off = np.sign(np.round([y / UNIT - cell[0] - 0.5, x / UNIT - cell[1] - 0.5], 6))
        down, right = toward[mark.get_marker()]
        assert tuple(off) == (down, right)
        if cell in free:
            assert away[cell[0] + down, cell[1] + right] == away[cell] - 1
    assert "7.8 at the bakery" in alt and "to 9.8 beside door 2" in alt
    assert re.search(r"lowest in the school garden\D*7\.4\.$", alt)


def test_the_routes_on_the_front_are_as_long_as_they_say(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        on_paper, "fig_town", lambda *a, routes, **k: drawn.extend(routes) or (None, ""))
    on_paper.fig_hook()
    on_paper.fig_barrier()
    told, hers, stuck, today = drawn
    signs = {tuple(c): s for c, s in zip(Town().cells.tolist(), Town().signs)}
    for route, gardens in ((told, 2), (hers, 0)):
        steps = int(re.search(r"(\d+) steps", route[2])[1])
        assert len(route[0]) - 1 == steps
        assert sum(signs[cell] == "*" for cell in route[0]) == gardens
    assert told[1] == "harm" and hers[1] == today[1] == "person"
    assert stuck[0][-1] == (1, 4) and today[0][-1] == (3, 7)
    assert (1, 5) not in today[0] and (1, 5) not in stuck[0]
