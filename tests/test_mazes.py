"""Street plans against SciPy's graphs, a walker written twice, and counts by hand."""

import numpy as np
import pytest
from scipy.sparse import csgraph, csr_array

from imitlib.envs import maze_makers as M
from imitlib.envs.maze_makers import corridors, obstacles
from imitlib.envs.mazes import Mazes, hardness, read_plan, walk

ROOM = """
######
#...G#
#.##.#
#....#
######
"""
MOVES = [(-1, 0), (0, 1), (1, 0), (0, -1)]


def graph(walls):
    """The street of one plan as a SciPy graph over all its cells."""
    rows, columns = walls.shape
    edges = [(r * columns + c, (r + dr) * columns + c + dc)
             for r, c in np.argwhere(~walls) for dr, dc in MOVES
             if not walls[r + dr, c + dc]]
    i, j = np.array(edges).reshape(-1, 2).T
    return csr_array((np.ones(len(i)), (i, j)), (walls.size, walls.size))


def true_distances(plans):
    far = [csgraph.shortest_path(graph(walls), unweighted=True,
                                 indices=goal[0] * walls.shape[1] + goal[1])
           for walls, goal in zip(plans.walls, plans.goals)]
    return np.where(np.isinf(far), -1, far).reshape(plans.walls.shape)


@pytest.mark.parametrize("make", [obstacles, corridors])
@pytest.mark.parametrize("size", [10, (9, 14), 30])
def test_distances_are_those_of_a_graph(make, size):
    plans = make(12, size, np.random.default_rng(3))
    assert plans.shape == ((size, size) if isinstance(size, int) else size)
    np.testing.assert_array_equal(plans.distances, true_distances(plans))
    assert (plans.open == (true_distances(plans) > 0)).all()


def test_obstacles_stand_where_chance_puts_them():
    plans = obstacles(3000, 10, np.random.default_rng(0), p=0.2)
    inner = plans.walls[:, 1:-1, 1:-1].mean(0)
    assert abs(inner.mean() - 0.2) < 0.01 and np.ptp(inner) < 0.09  # nowhere favoured
    goals = plans.goal_map[:, 1:-1, 1:-1].mean(0) * 64
    assert abs(goals - 1).max() < 0.6  # 47 of 3000 in each cell, give or take 7
    assert plans.walls[:, [0, -1]].all() and plans.walls[:, :, [0, -1]].all()


def test_half_of_the_street_reaches_the_goal():
    plans = obstacles(200, 10, np.random.default_rng(1), p=0.45)
    reach = (true_distances(plans) >= 0).sum((1, 2))
    assert (2 * reach >= (~plans.walls).sum((1, 2))).all() and (reach >= 3).all()
    assert len(plans) == 200


def test_hopeless_obstacles_are_refused(monkeypatch):
    monkeypatch.setattr(M, "ATTEMPTS", 5)
    with pytest.raises(ValueError, match="p is 0.98; of 50 plans"):
        obstacles(10, 12, np.random.default_rng(0), p=0.98)


def test_corridors_without_loops_are_trees_and_with_all_loops_are_lattices():
    rng = np.random.default_rng(0)
    trees, lattices = corridors(5, 13, rng, loops=0), corridors(5, 13, rng, loops=1)
    for walls in trees.walls:
        assert csgraph.connected_components(graph(walls))[0] - walls.sum() == 1
        assert graph(walls).nnz / 2 == (~walls).sum() - 1
    # 6 x 6 crossings and the 2 * 6 * 5 doors between them
    assert ((~lattices.walls).sum((1, 2)) == 36 + 60).all()
    assert ((~trees.walls).sum((1, 2)) == 36 + 35).all()
    assert len({walls.tobytes() for walls in trees.walls}) == 5


def test_loops_open_a_tenth_of_the_walls_that_are_left():
    plans = corridors(150, 17, np.random.default_rng(0), loops=0.1)
    doors = (~plans.walls).sum((1, 2)) - 64  # of 112 between 8 x 8 crossings
    assert abs((doors - 63).mean() - 0.1 * (112 - 63)) < 0.6


def test_wide_corridors_are_those_of_the_published_maze():
    """16 cells a side, corridors two wide: five by five of them."""
    plans = corridors(3, 16, np.random.default_rng(0), width=2, loops=0)
    for walls in plans.walls:
        # 25 crossings of 4 cells, 24 passages of 2
        assert (~walls).sum() == 25 * 4 + 24 * 2
        assert not walls[1::3, 1::3].any() and walls[::3, ::3].all()
        assert csgraph.connected_components(graph(walls))[0] - walls.sum() == 1


def test_the_same_generator_gives_the_same_plans():
    for make in (obstacles, corridors):
        a, b, c = (make(4, 12, np.random.default_rng(s)) for s in (5, 5, 6))
        assert (a.walls == b.walls).all() and (a.goals == b.goals).all()
        assert (a.walls != c.walls).any()


def test_what_is_in_view():
    plans = obstacles(3, (11, 13), np.random.default_rng(0))
    seen = plans.in_view(4)
    for n, r, c in np.ndindex(seen.shape):
        gr, gc = plans.goals[n]
        assert seen[n, r, c] == (gr - 4 <= r <= gr + 4 and gc - 4 <= c <= gc + 4)


def test_how_often_six_layers_see_the_goal():
    """Measured before, by somebody else: .948 of starts at 10 x 10, .365 at 20 x 20."""
    rng = np.random.default_rng(0)
    for size, share in ((10, 0.948), (20, 0.365)):
        assert abs(hardness(obstacles(400, size, rng)).in_view - share) < 0.03


def test_hardness_of_a_room_counted_by_hand():
    # Ten street cells, G and nine others; from the south-west corner both ways round
    # the block take five steps.
    plan = read_plan(ROOM)
    assert plan.distances[0, 1:4, 1:5].tolist() == [
        [3, 2, 1, 0], [4, -1, -1, 1], [5, 4, 3, 2]]
    now = hardness(plan, radius=1)
    assert now.wall == 2 / 12 and now.open == 1
    assert hardness(read_plan("######\n#..G##\n####.#\n######")).open == 3 / 4
    assert now.mean_steps == pytest.approx(25 / 9) and now.most_steps == 5
    assert now.detour == 1.0 and now.ties == pytest.approx(1 / 9)
    assert now.in_view == pytest.approx(2 / 9)


def test_a_detour_is_counted_against_the_crow():
    plan = read_plan("#####\n#G#.#\n#...#\n#####")
    # from (1, 3): 4 steps for 2; the others go straight
    assert hardness(plan).detour == pytest.approx((4 / 2 + 1 + 1 + 1) / 4)


def slow_walk(walls, goal, actions, cell, cap):
    for step in range(cap + 1):
        if tuple(cell) == tuple(goal):
            return True, step
        a = actions[tuple(cell)]
        if 0 <= a <= 3:
            there = cell[0] + MOVES[a][0], cell[1] + MOVES[a][1]
            cell = cell if walls[there] else there
    return False, cap


@pytest.mark.parametrize("cap", [0, 3, 40])
def test_walking_is_walking(cap):
    rng = np.random.default_rng(2)
    plans = obstacles(30, 8, rng, p=0.1)
    shape = plans.walls.shape  # mostly the best; else anything, walls and silence too
    toward = np.where(rng.random(shape) < 0.8, _best(plans), rng.integers(5, size=shape))
    starts = np.stack([rng.permutation(np.argwhere(~w))[:5] for w in plans.walls])
    walks = walk(plans, toward, starts, cap=cap)
    for n, k in np.ndindex(30, 5):
        told = slow_walk(plans.walls[n], plans.goals[n], toward[n],
                         tuple(starts[n, k]), cap)
        assert (walks.reached[n, k], walks.steps[n, k]) == told
    if cap == 40:
        assert 0 < walks.reached.mean() < 1


def _best(plans):
    far = np.where(plans.walls, 10**6, true_distances(plans))
    return np.stack([np.roll(far, (-r, -c), (1, 2)) for r, c in MOVES]).argmin(0)


def test_a_silent_map_waits_or_wanders():
    plan = read_plan("#####\n#..G#\n#####")
    silent, start = np.full(plan.walls.shape, 4), np.array([[[1, 1], [1, 3]]])
    still = walk(plan, silent, start)
    assert still.reached.tolist() == [[False, True]]
    assert still.steps.tolist() == [[15, 0]]  # the cap is the number of cells
    many = np.repeat(start[:, :1], 4000, axis=1)
    wander = walk(plan, silent, many, cap=2, rng=np.random.default_rng(0))
    assert abs(wander.reached.mean() - 1 / 16) < 0.015  # east, east
    # where the map speaks, nothing is random
    east = walk(plan, np.full(plan.walls.shape, 1), many, rng=np.random.default_rng(0))
    assert (east.steps == 2).all()


def test_starts_are_open_and_differ_while_there_are_cells():
    plans = obstacles(40, 10, np.random.default_rng(0))
    starts = plans.starts(6, np.random.default_rng(1))
    for n in range(40):
        assert plans.open[n][tuple(starts[n].T)].all()
        assert len({tuple(s) for s in starts[n].tolist()}) == min(6, plans.open[n].sum())
    few = read_plan("#####\n#..G#\n#####").starts(5, np.random.default_rng(0))
    assert sorted(map(tuple, few[0].tolist()))[0] == (1, 1) and few.shape == (1, 5, 2)
    every = np.concatenate([read_plan(ROOM).starts(1, np.random.default_rng(i))[0]
                            for i in range(300)])
    assert np.unique(every, axis=0, return_counts=True)[1].min() > 15  # 33 each


def test_no_way_to_the_goal_is_said():
    plan = read_plan("#####\n#.#G#\n#####")
    assert not plan.open.any() and plan.distances[0, 1].tolist() == [-1, -1, -1, 0, -1]
    with pytest.raises(ValueError, match=r"goals\[0\] is \(1, 3\), and no cell has a way"):
        plan.starts(1, np.random.default_rng(0))
    # somebody who starts there anyway never arrives
    assert not walk(plan, np.ones((1, 3, 5), int), np.array([[[1, 1]]])).reached.any()


def test_plans_survive_text_and_turning():
    plans = obstacles(5, 9, np.random.default_rng(0))
    for n in range(5):
        again = read_plan(plans.text(n))
        assert (again.walls[0] == plans.walls[n]).all()
        assert (again.goals[0] == plans.goals[n]).all()
    for quarters in range(4):
        for mirror in (False, True):
            far = np.rot90(true_distances(plans), quarters, (1, 2))
            far = far[:, :, ::-1] if mirror else far
            assert (plans.turned(quarters, mirror).distances == far).all()
    both = plans.joined(plans.turned(1))
    assert len(both) == 10 and (both[5:].walls == plans.turned(1).walls).all()
    assert (both[[2]].goals == plans.goals[2]).all()


def test_a_drawing_without_a_border_gets_one():
    assert read_plan("..\n.G").text(0) == "####\n#..#\n#.G#\n####"


@pytest.mark.parametrize("text, said", [
    ("...\n..", "rows"), ("...", "0 goals"), ("G.G", "2 goals"), ("G.x", "'x'")])
def test_bad_drawings(text, said):
    with pytest.raises(ValueError, match=said):
        read_plan(text)


WALLS = np.ones((2, 4, 4), bool)
WALLS[:, 1:3, 1:3] = False
GAP = WALLS.copy()
GAP[1, 0, 2] = False
ONES = np.ones((2, 2), int)


@pytest.mark.parametrize("wrong, said", [
    (lambda: Mazes(WALLS[0], ONES), "walls has shape"),
    (lambda: Mazes(WALLS, ONES[:1]), "goals is"),
    (lambda: Mazes(WALLS, ONES / 2), "goals is float"),
    (lambda: Mazes(GAP, ONES), "border of plan 1"),
    (lambda: Mazes(WALLS, 0 * ONES), r"goals\[0\] is \(0, 0\)"),
    (lambda: Mazes(WALLS, -2 * ONES), r"goals\[0\] is \(-2, -2\)"),
    (lambda: Mazes(WALLS, ONES).in_view(-1), "radius is -1"),
    (lambda: Mazes(WALLS, ONES).starts(0, None), "k is 0"),
    (lambda: obstacles(0, 10, None), "n is 0"),
    (lambda: obstacles(1, 3, None), "size 3"),
    (lambda: obstacles(1, 10, None, p=1.0), "p is 1.0"),
    (lambda: corridors(1, 10, None, loops=1.1), "loops is 1.1"),
    (lambda: corridors(1, 10, None, width=5), "width is 5"),
    (lambda: walk(Mazes(WALLS, ONES), WALLS[0], ONES), "actions has shape"),
    (lambda: walk(Mazes(WALLS, ONES), WALLS, ONES), "starts has shape"),
    (lambda: walk(Mazes(WALLS, ONES), WALLS, 0 * ONES[:, None]), r"starts\[0, 0\] is"),
    (lambda: walk(Mazes(WALLS, ONES), WALLS, -2 * ONES[:, None]), r"starts\[0, 0\] is"),
])  # fmt: skip
def test_bad_input_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
