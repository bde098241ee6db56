"""Grid worlds against a walker written with dictionaries, a textbook and a frozen lake."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import Polygon, Rectangle

from imitlib import planning
from imitlib.envs import grid_picture as picture
from imitlib.envs.grid import GridEnv, GridWorld, four_by_three, open_grid
from imitlib.envs.tabular import to_mdp

COMPASS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}
SIDES = {"north": ("west", "east"), "south": ("west", "east"),
         "east": ("north", "south"), "west": ("north", "south")}


def outcomes(world, cell, move):
    """By hand: {cell: chance} and the expected pay of one move."""
    signs = {(r, c): sign for r, row in enumerate(world.map.strip("\n").split("\n"))
             for c, sign in enumerate(row) if sign != "#"}
    if signs[cell] in world.ends:
        return {cell: 1.0}, 0.0
    if move == "wait":
        return {cell: 1.0}, world.step
    chances, pay = {}, world.step
    goes = {move: 1 - world.slip} | dict.fromkeys(SIDES[move], world.slip / 2)
    for way, chance in goes.items():
        ahead = cell[0] + COMPASS[way][0], cell[1] + COMPASS[way][1]
        if ahead in signs:
            pay += chance * world.rewards.get(signs[ahead], 0.0)
        else:
            ahead = cell
        if chance:
            chances[ahead] = chances.get(ahead, 0.0) + chance
    return chances, pay


def same_as_by_hand(world):
    mdp = world.mdp(0.9)
    for s in range(world.n_states):
        for a, move in enumerate(world.moves):
            chances, pay = outcomes(world, world.cell(s), move)
            row = mdp.matrix[[s * mdp.n_actions + a]].toarray()[0]
            found = {world.cell(t): row[t] for t in np.flatnonzero(row)}
            assert found == pytest.approx(chances)
            assert mdp.reward[s, a] == pytest.approx(pay)
    return mdp


@settings(max_examples=60)
@given(st.data())
def test_any_grid_moves_as_one_walks_it_by_hand(data):
    rows, columns = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    line = st.text("..#GH", min_size=columns, max_size=columns)
    board = [list(data.draw(line)) for _ in range(rows)]
    board[data.draw(st.integers(0, rows - 1))][data.draw(st.integers(0, columns - 1))] = "S"
    text = "\n".join("".join(row) for row in board)
    have = set(text)
    pays = {sign: data.draw(st.sampled_from([-8.0, 0.5, 10.0]))
            for sign in "GH." if sign in have}
    world = GridWorld(text, pays, ends="G" * ("G" in have),
                      step=data.draw(st.sampled_from([0.0, -0.2])),
                      slip=data.draw(st.sampled_from([0.0, 0.1, 2 / 3, 1.0])),
                      wait=data.draw(st.booleans()))
    mdp = same_as_by_hand(world)
    begin = next((r, c) for r in range(rows) for c in range(columns) if board[r][c] == "S")
    assert mdp.start[world.state(begin)] == 1
    assert mdp.n_states == sum(sign != "#" for row in board for sign in row)
    if world.slip == 0:
        assert mdp.deterministic


def test_the_textbook_s_utilities():
    """Russell and Norvig (2010), figure 17.3; a cell that ends the story has its own."""
    world = four_by_three()
    published = {(0, 0): 0.812, (0, 1): 0.868, (0, 2): 0.918, (1, 0): 0.762, (1, 2): 0.660,
                 (2, 0): 0.705, (2, 1): 0.655, (2, 2): 0.611, (2, 3): 0.388}
    values = planning.value_iteration(world.mdp(1.0)).values
    for cell, utility in published.items():
        assert round(values[world.state(cell)], 3) == utility
    same_as_by_hand(world)


@pytest.mark.parametrize("success", [1 / 3, 0.7])
def test_a_frozen_lake_is_a_grid(success):
    """Gymnasium's own table, its actions west, south, east, north; its holes ends."""
    lake = gym.make("FrozenLake-v1", map_name="8x8", success_rate=success).unwrapped
    text = "\n".join("".join(sign.decode() for sign in row) for row in lake.desc)
    world = GridWorld(text, {"G": 1.0}, ends="GH", slip=1 - success)
    table, mdp = to_mdp(lake, 0.99), world.mdp(0.99)
    inner, ends = np.flatnonzero(~mdp.terminal), np.flatnonzero(mdp.terminal)
    theirs, ours = table.dense()[inner][:, [3, 2, 1, 0]], mdp.dense()[inner]
    assert ours[..., inner] == pytest.approx(theirs[..., inner])
    assert ours[..., ends].sum(axis=2) == pytest.approx(theirs[..., -1])
    assert mdp.reward[inner] == pytest.approx(table.reward[inner][:, [3, 2, 1, 0]])
    assert planning.value_iteration(mdp).values == pytest.approx(
        planning.value_iteration(table).values[:-1], abs=1e-8)


def test_values_count_the_steps_of_a_breadth_first_search():
    rng = np.random.default_rng(8)
    board = np.where(rng.random((12, 15)) < 0.25, "#", ".")
    board[0, 0], board[7, 9] = "S", "G"
    world = GridWorld("\n".join(map("".join, board)), step=-1.0, ends="G", start=(0, 0))
    front, far = [(7, 9)], {(7, 9): 0}
    for r, c in front:
        for down, right in COMPASS.values():
            to = r + down, c + right
            inside = 0 <= to[0] < 12 and 0 <= to[1] < 15
            if inside and board[to] != "#" and to not in far:
                far[to] = far[r, c] + 1
                front.append(to)
    plan = planning.backward_induction(world.mdp(1.0), 180)
    assert len(far) > 100
    for s in range(world.n_states):
        assert plan.values[0, s] == -far.get(world.cell(s), 180)


def test_an_open_grid_is_crossed_by_its_two_sides():
    mdp = open_grid(4, 6).mdp(0.9)
    assert mdp.n_states == 24 and mdp.deterministic
    assert mdp.start @ planning.value_iteration(mdp).values == pytest.approx(0.9**7)
    assert open_grid(3, step=-0.5, rewards={"G": 2.0}).mdp(1.0).reward.max() == 1.5


def test_a_million_cells():
    world = open_grid(1000, slip=0.1)
    mdp = world.mdp(0.99)
    assert mdp.n_states == 10**6 and not mdp.deterministic
    s = world.state((500, 500))
    for a, (down, right) in enumerate(COMPASS.values()):
        row = mdp.matrix[[s * 4 + a]]
        chances = {world.cell(t): p for t, p in zip(row.indices, row.data)}
        assert chances == pytest.approx({
            (500 + down, 500 + right): 0.9, (500 + right, 500 + down): 0.05,
            (500 - right, 500 - down): 0.05})


def test_cells_and_states_count_row_by_row():
    world = GridWorld("#S.\n.#G", ends="G", rewards={"G": 1})
    assert [world.cell(s) for s in range(4)] == [(0, 1), (0, 2), (1, 0), (1, 2)]
    assert [world.state(world.cell(s)) for s in range(4)] == [0, 1, 2, 3]
    assert world.signs.tolist() == ["S", ".", ".", "G"]
    assert world.ending.tolist() == [False, False, False, True]


def test_where_it_begins():
    text = "S.S\n..G"
    for start, expected in [("S", [0.5, 0, 0.5, 0, 0, 0]), ((1, 0), [0, 0, 0, 1, 0, 0]),
                            ("anywhere", [0.2] * 5 + [0])]:
        world = GridWorld(text, ends="G", start=start)
        assert world.mdp(1.0).start == pytest.approx(expected)


@pytest.mark.parametrize("rules, said", [
    ({"map": "S.\n..."}, r"map has rows of \[2, 3\] signs"),
    ({"map": ""}, "map has rows"),
    ({"map": "##"}, "map has no cell"),
    ({"rewards": {"Z": 1}}, "rewards names the sign 'Z'"),
    ({"ends": "Z"}, "ends names the sign 'Z'"),
    ({"rewards": {"#": 1}}, "rewards names the sign '#'"),
    ({"rewards": {"S": np.nan}}, r"rewards\['S'\] is nan"),
    ({"step": -np.inf}, "step is -inf"),
    ({"slip": 1.1}, "slip is 1.1"),
    ({"slip": np.nan}, "slip is nan"),
    ({"start": "Z"}, "start is 'Z'"),
    ({"start": (0,)}, r"start is \(0,\)"),
    ({"start": (0, 9)}, r"start is \(0, 9\)"),
    ({"map": "S", "ends": "S", "start": "anywhere"}, "start is 'anywhere'"),
])
def test_a_grid_that_is_none_is_refused(rules, said):
    with pytest.raises(ValueError, match=said):
        GridWorld(**({"map": "S.G"} | rules))


def test_a_cell_that_is_none_is_refused():
    world = GridWorld("S#G")
    for cell in ((0, 1), (1, 0), (0, -1)):
        with pytest.raises(ValueError, match="cell is"):
            world.state(cell)
    for state in (2, -1):
        with pytest.raises(ValueError, match="state is"):
            world.cell(state)
    with pytest.raises(ValueError, match="height and width"):
        open_grid(1)


# The environment and the picture ----------------------------------------------------


def test_gymnasium_accepts_it():
    check_env(gym.make("imitlib/Grid-v0", render_mode="rgb_array").unwrapped)
    check_env(GridEnv(open_grid(3), horizon=None), skip_render_check=True)


def test_an_episode_walks_to_the_goal():
    env = GridEnv(GridWorld("S.G", {"G": 1.0}, ends="G", step=-0.1))
    assert env.reset(seed=0)[0] == 0
    assert env.step(3)[:4] == (0, pytest.approx(-0.1), False, False)
    assert env.step(1)[:4] == (1, pytest.approx(-0.1), False, False)
    assert env.step(1)[:4] == (2, pytest.approx(0.9), True, False)


def test_the_frame_shows_who_is_where():
    """The frame changes in the cell that is left and the one that is entered only."""
    env = GridEnv(GridWorld("S..\n..G", {"G": 1.0}, ends="G"), render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    env.step(1)
    after = env.render()
    assert before.dtype == np.uint8 and before.shape == after.shape == (320, 480, 3)
    rows, columns = np.nonzero((before != after).any(axis=2))
    assert rows.max() < 160 and columns.max() < 320
    assert columns.min() < 160 < columns.max()
    assert GridEnv().render() is None


def triangles(fig):
    return [p.get_xy()[:3] for p in fig.axes[0].patches if type(p) is Polygon]


def test_arrows_are_as_long_as_they_are_likely():
    world = GridWorld("S.G", {"G": 1.0}, ends="G", wait=True)
    policy = np.array([[0.5, 0.45, 0.05, 0, 0], [0, 0.8, 0, 0, 0.2], [1, 0, 0, 0, 0]])
    fig, alt = picture.fig_grid(world, policy=policy)
    lengths = [np.linalg.norm(tip - (a + b) / 2) for a, b, tip in triangles(fig)]
    assert len(lengths) == 3  # 0.05 is too rare, and the end has no arrow
    assert np.array(lengths) / lengths[0] == pytest.approx([1, 0.9, 1.6])
    (a, b, tip), (c, d, other) = triangles(fig)[:2]
    assert tip[1] < (a[1] + b[1]) / 2 and other[0] > (c[0] + d[0]) / 2  # north, east
    assert sum(type(p) is Rectangle for p in fig.axes[0].patches) == 1
    assert "north in 1, east in 1" in alt


def test_the_words_say_what_the_picture_shows():
    world = four_by_three()
    values = np.arange(11) / 10
    fig, alt = picture.fig_grid(world, values=values, routes=[
        [(2, 0), (1, 0), (0, 0), (0, 0), (0, 2)]])
    for words in ("3 rows and 4 columns", "11 cells", "goal G at (0, 3)",
                  "hazard H at (1, 3)", "start at (2, 0)",
                  "values from 0.00 at (0, 0) to 1.00 at (2, 3)",
                  "from (2, 0) north 2, stays 1, east 2, to (0, 2), 4 steps"):
        assert words in alt
    written = [t.get_text() for t in fig.axes[0].texts]
    assert {"0.00", "0.90", "1.00"} <= set(written)
    assert "0.30" not in written and "0.60" not in written  # the two ends keep their sign


def test_a_large_grid_is_painted_as_one_image():
    world = open_grid(100, start=(3, 4))
    fig, alt = picture.fig_grid(world)
    assert len(fig.axes[0].images) == 1 and "start at (3, 4)" in alt
    assert picture.rgb(world, (50, 50)).shape == (480, 480, 3)


def test_a_policy_of_another_world_is_refused():
    with pytest.raises(ValueError, match="policy has shape"):
        picture.fig_grid(four_by_three(), policy=np.ones((11, 3)))
