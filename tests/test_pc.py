"""Procedures against a queue, a rule in words and the planner; clones against both."""

from collections import deque
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from imitlib import planning
from imitlib.envs.grid import GridWorld
from imitlib.envs.maze_makers import corridors, obstacles
from imitlib.envs.mazes import read_plan, walk
from imitlib.pc import networks as N
from imitlib.pc import procedures as P
from imitlib.pc import running as R
from imitlib.pc import training as T

MOVES = [(-1, 0), (0, 1), (1, 0), (0, -1)]
U = P.UNVISITED


def rng(seed=0):
    return np.random.default_rng(seed)


def close(a, b):
    """Equal up to rounding; torch.testing would take seconds to import."""
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4,
                               atol=1e-5)


def both_kinds(n=15, size=10, seed=0):
    return obstacles(n, size, rng(seed)).joined(corridors(n, size, rng(seed)))


def queue(walls, root):
    """Breadth-first search as in a textbook: steps, and the action back to the parent."""
    steps, back, line = {tuple(root): 0}, {}, deque([tuple(root)])
    while line:
        cell = line.popleft()
        for a, (r, c) in enumerate(MOVES):
            there = cell[0] + r, cell[1] + c
            if not walls[there] and there not in steps:
                steps[there], back[there] = steps[cell] + 1, (a + 2) % 4
                line.append(there)
    return steps, back


# Rings ------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)])
def test_rings_are_labelled_in_order_of_distance_with_the_first_best_action(order):
    plans = both_kinds()
    done = P.rings(plans, order=order)
    for n in range(len(plans)):
        steps, _ = queue(plans.walls[n], plans.goals[n])
        assert done.steps[n] == max(steps.values())
        for t, frame in enumerate(done.frames[n]):
            want = np.full(plans.shape, U)
            for cell, far in steps.items():
                best = [a for a in order if steps.get(
                    (cell[0] + MOVES[a][0], cell[1] + MOVES[a][1]), 10**6) == far - 1]
                if 0 < far <= t:
                    want[cell] = best[0]
            np.testing.assert_array_equal(frame, want)


@pytest.mark.parametrize("ties", ["fixed", "queue", "random"])
def test_however_ties_are_broken_the_way_is_shortest(ties):
    plans = both_kinds()
    done = P.rings(plans, ties=ties, rng=rng())
    for n in range(len(plans)):
        cells = np.argwhere(plans.open[n])
        walks = walk(plans[[n]], done.actions[[n]], cells[None])
        assert (walks.steps[0] == plans.distances[n][tuple(cells.T)]).all()
        assert walks.reached.all()
    assert ((done.actions == U) == ~plans.open).all()


def test_ties_of_a_queue_are_those_of_a_queue():
    plans = both_kinds(25, 12)
    labels = P.rings(plans, ties="queue").actions
    for n in range(len(plans)):
        for cell, action in queue(plans.walls[n], plans.goals[n])[1].items():
            assert labels[n][cell] == action
    differ = (labels != P.rings(plans).actions).sum()
    assert differ > 20  # else the fixed order would do as well


def test_random_ties_fall_evenly():
    plan = read_plan("....\n..G.\n....")  # the corner cells have two best actions
    labels = np.stack([P.rings(plan, ties="random", rng=rng(s)).actions[0]
                       for s in range(400)])
    corner = np.bincount(labels[:, 1, 1], minlength=5)
    assert corner[[1, 2]].sum() == 400 and abs(corner[1] - 200) < 45


def test_the_next_label_is_a_rule_of_the_cells_beside():
    """All 7^5 crosses of wall, goal, unvisited and four labels; anything in the corners.

    The rule: a free cell without a label takes the first action that leads to the goal
    or to a cell with a label; every other cell stays as it is.
    """
    wall, goal = 5, 6
    cross = np.array(list(product(range(7), repeat=5)))  # centre, then N, E, S, W
    boards = rng().integers(7, size=(len(cross), 5, 5))
    boards[:, [2, 1, 2, 3, 2], [2, 2, 3, 2, 1]] = cross
    labels = np.where(boards > 4, U, boards).astype(np.int8)
    told = P.ring_step(boards == wall, boards == goal, labels)[:, 2, 2]
    for (centre, *beside), new in zip(cross.tolist(), told):
        want = next((a for a, b in enumerate(beside) if b in (0, 1, 2, 3, goal)), U)
        assert new == (centre if centre < 4 else want if centre == U else U)


def local_table(frames, fields):
    """Whether each next label follows from the 3×3 cells around: (single, patches)."""
    seen, single = {}, True
    for n, t in np.ndindex(len(frames), frames.shape[1] - 1):
        now = np.stack([*(f[n] for f in fields), frames[n, t]])
        for r, c in np.ndindex(*(s - 2 for s in now.shape[1:])):
            patch = now[:, r:r + 3, c:c + 3].tobytes()
            new = frames[n, t + 1, r + 1, c + 1]
            single &= seen.setdefault(patch, new) == new
    return single, len(seen)


def test_labels_of_a_queue_are_no_such_rule():
    plans = obstacles(25, 10, rng(), p=0.15)
    fields = plans.walls, plans.goal_map
    for ties, local in (("fixed", True), ("queue", False), ("random", False)):
        frames = P.rings(plans, ties=ties, rng=rng()).frames
        single, patches = local_table(frames.astype(np.int8), [f.astype(np.int8)
                                                               for f in fields])
        assert single == local and patches > 500


# Search from the start --------------------------------------------------------------


def test_the_search_expands_and_comes_back():
    plans = both_kinds()
    starts = plans.starts(1, rng(1))[:, 0]
    done = P.search(plans, starts)
    for n in range(len(plans)):
        start, goal = tuple(starts[n]), tuple(plans.goals[n])
        steps, _ = queue(plans.walls[n], start)
        far = steps[goal]
        # far frames to find it, one to turn, far to be back
        assert done.steps[n] == 2 * far + 1
        for t in range(done.steps[n] + 1):
            frame = done.frames[n, t]
            visited = {c for c, s in steps.items() if 0 < s <= t}
            back = t - far  # backtracked cells, the goal first, the start as the last
            on_way = set(map(tuple, np.argwhere(frame >= P.BACKTRACKED)))
            assert len(on_way) == max(back, 0)
            assert all(steps[c] == far - i for i, c in enumerate(
                sorted(on_way, key=lambda c: -steps[c])))
            if t < done.steps[n]:
                assert set(map(tuple, np.argwhere(frame != U))) == visited
            for cell in visited - {start}:
                a = frame[cell] % 5
                behind = cell[0] - MOVES[a][0], cell[1] - MOVES[a][1]
                assert steps[behind] == steps[cell] - 1  # it was entered from there
    walks = walk(plans, done.actions, starts[:, None])
    assert (walks.steps[:, 0] == plans.distances[
        np.arange(len(plans)), *starts.T]).all() and walks.reached.all()
    # the first step can be read at the start alone
    first = done.frames[:, -1][np.arange(len(plans)), *starts.T] - P.BACKTRACKED
    assert (first == done.actions[np.arange(len(plans)), *starts.T]).all()
    assert ((done.actions != U).sum((1, 2)) == walks.steps[:, 0]).all()


def test_the_search_is_local_too():
    plans = obstacles(25, 10, rng(), p=0.15)
    starts = plans.starts(1, rng(1))[:, 0]
    at = np.zeros(plans.walls.shape, np.int8)
    at[np.arange(25), *starts.T] = 1
    done = P.search(plans, starts)
    # up to the last frame of the shortest run nothing is frozen
    frames = done.frames[:, : done.steps.min() + 1]
    fields = [plans.walls.astype(np.int8), plans.goal_map.astype(np.int8), at]
    assert local_table(frames, fields)[0]
    long = done.steps > done.steps.min() + 4
    frames = done.frames[long][:, : done.steps[long].min() + 1]
    assert local_table(frames, [f[long] for f in fields])[0]


def test_a_search_without_an_end_is_refused():
    plan = read_plan("..#G\n..##")
    with pytest.raises(ValueError, match=r"starts\[0\] is \(1, 1\).*way to the goal"):
        P.search(plan, [[1, 1]])
    for cell in ([1, 4], [1, 3]):  # the goal itself, and a wall
        with pytest.raises(ValueError, match="starts"):
            P.search(plan, [cell])
    with pytest.raises(ValueError, match="shape"):
        P.search(plan, [1, 1])
    rings = P.rings(plan)  # the rings have nothing to say, and say nothing
    assert rings.frames.shape[1] == 1 and rings.steps[0] == 0
    assert (rings.actions == U).all()


# Value iteration --------------------------------------------------------------------


@pytest.mark.parametrize("slip", [0.0, 0.2, 0.5])
def test_sweeps_are_value_iteration_of_the_planner(slip):
    plans = both_kinds(3, 8)
    done = P.sweeps(plans, discount=0.9, slip=slip, tol=1e-12)
    for n in range(len(plans)):
        world = GridWorld(plans.text(n), rewards={"G": 1.0}, ends="G", slip=slip,
                          start="anywhere")
        mdp = world.mdp(0.9)
        values = planning.value_iteration(mdp).values
        cells = tuple(world.cells.T)
        np.testing.assert_allclose(done.frames[n, -1][cells], values, atol=1e-6)
        q = planning.q_values(mdp, values)
        open_ = plans.open[n][cells]
        chosen = q[np.arange(len(q)), np.minimum(done.actions[n][cells], 3)]
        assert (chosen[open_] > q.max(1)[open_] - 1e-7).all()
        # sweep by sweep, from zero
        for t in range(1, 4):
            backed_up = planning.q_values(mdp, done.frames[n, t - 1][cells].astype(float))
            np.testing.assert_allclose(done.frames[n, t][cells], backed_up.max(1),
                                       atol=1e-6)
    assert ((done.actions == U) == ~plans.open).all()


def test_sweeps_stop_when_nothing_moves_any_more():
    plans = both_kinds(4, 9)
    done = P.sweeps(plans, tol=0.01)
    change = abs(np.diff(done.frames, axis=1)).max((2, 3))
    for n, steps in enumerate(done.steps):
        assert (change[n, :steps] >= 0.01).any() and change[n, steps - 1] >= 0.0099
        assert (change[n, steps:] < 0.0101).all()
    slow = P.sweeps(plans, tol=1e-6)
    assert (slow.steps > done.steps + 5).all()


def test_a_sweep_looks_one_cell_far():
    plans = obstacles(6, 9, rng())
    before = rng().random(plans.walls.shape)
    after = before.copy()
    after[:, 4, 4] += 1
    a, b = (P.sweep(plans.walls, plans.goal_map, v)[0] for v in (before, after))
    far = np.ones(plans.walls.shape, bool)
    far[:, 3:6, 3:6] = False
    assert (a == b)[far].all() and not (a == b)[~far].all()


def test_noise_miswrites_what_is_written():
    plans = obstacles(40, 12, rng())
    clean = P.rings(plans)
    loud = P.noisy(clean, 0.25, rng())
    wrong, written = loud.frames != clean.frames, clean.frames != U
    assert not wrong[~written].any()
    assert abs(wrong[written].mean() - 0.25) < 0.01
    assert loud.frames.max() == U and (loud.actions == clean.actions).all()
    assert (wrong[:, -1] != wrong[:, -2]).any()  # each frame errs anew
    assert (P.noisy(clean, 0.0, rng()).frames == clean.frames).all()
    every = P.noisy(clean, 1.0, rng()).frames
    assert (every != clean.frames)[written].all()
    for a in range(4):  # the three other actions, equally often
        share = np.bincount(every[clean.frames == a], minlength=5) / (
            clean.frames == a).sum()
        np.testing.assert_allclose(np.delete(share, [a, 4]), 1 / 3, atol=0.03)
    way = P.search(plans, plans.starts(1, rng())[:, 0])
    told = P.noisy(way, 1.0, rng()).frames
    assert ((told >= 5) == (way.frames >= 5)).all() and (told != U).sum() == (
        way.frames != U).sum()


@pytest.mark.parametrize("wrong, said", [
    (lambda p: P.rings(p, order=(0, 1, 2, 2)), "order"),
    (lambda p: P.rings(p, ties="first"), "ties is 'first'"),
    (lambda p: P.rings(p, ties="random"), "rng is None"),
    (lambda p: P.sweeps(p, discount=1.0), "discount is 1.0"),
    (lambda p: P.noisy(P.rings(p), 1.5, rng()), "rate is 1.5"),
    (lambda p: N.Residual(2, 4, layers=5), "layers is 5"),
    (lambda p: T.action_examples(p, P.rings(p), ~p.open), "empty lesson"),
    (lambda p: T.fit(lambda: N.Local(2, 2), T.action_examples(p, P.rings(p)),
                     rng=rng()), "make gives outputs"),
    (lambda p: T.fit(None, None, rng=rng(), updates=0), "updates is 0"),
    (lambda p: T.fit(None, None, rng=rng(), lr=-1), "lr is -1"),
    (lambda p: R.free_run(None, p, cap=0), "cap is 0"),
    (lambda p: R.free_run(None, p, first=np.zeros((1, 2, 2))), "first has shape"),
])  # fmt: skip
def test_bad_input_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong(obstacles(2, 8, rng()))


def test_numbers_have_no_miswriting():
    with pytest.raises(TypeError, match="float32"):
        P.noisy(P.sweeps(obstacles(1, 6, rng())), 0.1, rng())


# Networks ---------------------------------------------------------------------------


def sees(network, *extra) -> int:
    """How far the output at the middle depends on the input, by its gradient."""
    x = torch.rand(8, 2, 41, 41, requires_grad=True)
    network(x, *extra)[:, :, 20, 20].sum().backward()
    rows = torch.nonzero(x.grad.abs().sum((0, 1)))
    return int((rows - 20).abs().max())


@pytest.mark.parametrize("layers", [2, 4, 6])
def test_what_a_network_sees(layers):
    torch.manual_seed(0)
    network = N.Residual(2, 4, width=16, layers=layers)
    assert sees(network) == layers == network.radius
    assert sees(N.Local(2, 4)) == 1


def test_repeating_looks_further():
    torch.manual_seed(0)
    network = N.Recurrent(2, 4, width=16)
    one, two = sees(network, 1), sees(network, 2)
    assert one == 1 + 3 + 2 and two == one + 3
    vin = N.ValueIterationNetwork(2, 4)
    assert [sees(vin, k) for k in (0, 1, 5)] == [2, 3, 7]


def test_a_network_without_recall_forgets_the_plan():
    torch.manual_seed(0)
    x, other = torch.rand(2, 1, 2, 9, 9)
    for recall in (True, False):
        network = N.Recurrent(2, 4, width=8, recall=recall)
        h = torch.relu(network.first(x))
        same = torch.equal(network.repeat(x, h, 3), network.repeat(other, h, 3))
        assert same == (not recall)


class Drawn:
    """Stands for a generator whose two draws are known."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def integers(self, *_):
        return self.draws.pop(0)


def test_the_progressive_loss_trains_a_shorter_run_from_where_another_ended():
    torch.manual_seed(0)
    network, x = N.Recurrent(2, 4, width=8, iterations=9, share=0.25), torch.rand(
        3, 2, 7, 7)
    (a, full), (b, short) = network.rehearse(x, Drawn(4, 2))
    assert (a, b) == (0.75, 0.25)
    close(full, network(x, 9))
    close(short, network(x, 6))
    network.share = 1.0
    [(_, short)] = network.rehearse(x, Drawn(4, 2))
    short.sum().backward()
    assert network.first.weight.grad is None  # what came before is taken as given
    assert network.gate.weight.grad.abs().sum() > 0
    [(_, short)] = network.rehearse(x, Drawn(0, 3))
    short.sum().backward()
    assert network.first.weight.grad.abs().sum() > 0
    network.share = 0.0
    [(weight, full)] = network.rehearse(x, Drawn())
    assert weight == 1.0
    close(full, network(x, 9))


def test_the_value_iteration_network_can_do_value_iteration():
    """With weights set by hand it spreads a goal's value one cell per sweep."""
    plan = read_plan("......\n.....G\n......")
    network = N.ValueIterationNetwork(2, 4, width=1, channels=4)
    with torch.no_grad():
        for p in network.parameters():
            p.zero_()
        network.reward[0].weight[0, 1, 1, 1] = 1.0  # the goal plane
        network.reward[1].weight[0, 0, 0, 0] = 1.0
        for a, (r, c) in enumerate(MOVES):
            network.q.weight[a, 0, 1 + r, 1 + c] = 1.0  # the reward over there
            network.q.weight[a, 1, 1 + r, 1 + c] = 0.9  # and what follows
        for a in range(4):
            network.head.weight[a, a] = 1.0
    for k in (1, 3, 6):
        # with no terminal state, k sweeps: the best of k + 1 steps' discounted visits
        out = network(T.planes(plan), k)[0].detach().amax(0).numpy()
        far = abs(np.indices(plan.shape) - plan.goals[0][:, None, None]).sum(0)
        far[tuple(plan.goals[0])] = 2  # away and back
        arrive = np.array([[sum(0.9**t for t in range(d - 1, k + 1, 2))
                            for d in row] for row in far])
        inner = ~plan.walls[0]
        np.testing.assert_allclose(out[inner], arrive[inner], atol=1e-5)


def test_multiplications_are_counted():
    torch.manual_seed(0)
    cells = 7 * 9
    assert N.macs(N.Local(7, 5, width=24), 7, (7, 9)) == cells * (7 * 24 * 9 + 24 * 5)
    net = N.Residual(7, 5, width=32)
    weights = 9 * (7 * 32 + 4 * 32 * 32 + 32 * 5)
    assert N.macs(net, 7, (7, 9)) == cells * weights
    assert N.parameters(net) == weights + 5 * 32 + 5
    net = N.Recurrent(2, 4, width=8)
    once = 9 * (10 * 8 + 2 * 64)
    rest = 9 * (2 * 8 + 64 + 8 * 4)
    for k in (1, 5):
        assert N.macs(net, 2, (7, 9), k) == cells * (k * once + rest)


# Examples and fitting ---------------------------------------------------------------


def test_planes_are_what_they_say():
    plans = obstacles(3, (7, 9), rng())
    frame = rng().integers(9, size=plans.walls.shape)
    starts = plans.starts(1, rng())[:, 0]
    x = T.planes(plans, frame, 9, starts).numpy()
    assert x.shape == (3, 3 + 9, 7, 9) and x.dtype == np.float32
    assert (x[:, 0] == plans.walls).all() and (x[:, 1] == plans.goal_map).all()
    assert (np.argwhere(x[:, 2])[:, 1:] == starts).all()
    assert (x[:, 3:].argmax(1) == frame).all() and (x[:, 3:].sum(1) == 1).all()
    assert T.planes(plans).shape[1] == 2
    numbers = T.planes(plans, frame / 7).numpy()
    np.testing.assert_allclose(numbers[:, 2], frame / 7, atol=1e-6)


def test_steps_are_paired_with_the_next_frame():
    plans = obstacles(8, 9, rng())
    done = P.rings(plans)
    ex = T.step_examples(plans, done)
    assert len(ex) == (done.steps + 1).sum()
    row = 0
    for n in range(8):
        steps, _ = queue(plans.walls[n], plans.goals[n])
        for t in range(max(steps.values()) + 1):
            x, y = ex.inputs[row].numpy(), ex.targets[row].numpy()
            assert (x[0] == plans.walls[n]).all() and (x[1] == plans.goal_map[n]).all()
            for cell, far in steps.items():
                assert (x[2:, *cell].argmax() != U) == (0 < far <= t)
                assert (y[cell] != U) == (0 < far <= t + 1)
            row += 1
        assert (x[2:].argmax(0) == y).all()  # the last comes with itself
    assert ex.scored.all() and row == len(ex)


def test_actions_are_asked_where_one_may_stand():
    plans = obstacles(8, 9, rng())
    ex = T.action_examples(plans, P.rings(plans))
    assert (ex.scored.numpy() == plans.open).all() and ex.inputs.shape[1] == 2
    assert (ex.targets.numpy()[plans.open] == P.rings(plans).actions[plans.open]).all()
    some = rng().random(plans.walls.shape) < 0.3
    fewer = T.action_examples(plans, P.rings(plans), some)
    assert (fewer.scored.numpy() == (plans.open & some)).all()
    whole = T.map_examples(plans, P.rings(plans))
    assert whole.scored.all() and (whole.targets.numpy() == P.rings(plans).actions).all()


def test_sweeps_are_paired_too():
    plans = obstacles(4, 8, rng())
    done = P.sweeps(plans)
    ex = T.step_examples(plans, done)
    assert len(ex) == (done.steps + 1).sum()
    first = ex.inputs[: done.steps[0] + 1, 2].numpy()
    np.testing.assert_array_equal(first, done.frames[0, : done.steps[0] + 1])
    np.testing.assert_array_equal(ex.values[: done.steps[0]].numpy(), first[1:])


class Fixed(nn.Module):
    """Puts out the same numbers for every input of (.., rows, columns)."""

    def __init__(self, out):
        super().__init__()
        self.out = nn.Parameter(out.clone())

    def forward(self, x):
        return self.out.expand(len(x), *self.out.shape[1:])


def test_the_loss_is_the_cross_entropy_of_the_scored_cells():
    plans = obstacles(1, 8, rng())
    ex = T.action_examples(plans, P.rings(plans))
    torch.manual_seed(0)
    out = torch.randn(1, 4, 8, 8)
    fitted = T.fit(lambda: Fixed(out), ex, rng=rng(), updates=1, every=1, lr=1e-9)
    cells = plans.open[0]
    want = cross_entropy(out[0][:, cells].T, ex.targets[0][cells])
    hit = (out[0].argmax(0)[cells] == ex.targets[0][cells]).float().mean()
    np.testing.assert_allclose(fitted.curve, [[1, want, hit]], rtol=1e-5)
    # a progressive network's losses are weighted
    half = Fixed(out)
    half.rehearse = lambda x, rng: [(0.5, half(x)), (0.25, half(x))]
    fitted = T.fit(lambda: half, ex, rng=rng(), updates=1, every=1, lr=1e-9)
    np.testing.assert_allclose(fitted.curve[0, 1], 0.75 * want, rtol=1e-5)


def test_numbers_are_learned_by_their_squares():
    plans = obstacles(1, 8, rng())
    ex = T.step_examples(plans, P.sweeps(plans, tol=0.5))
    torch.manual_seed(0)
    out = torch.randn(1, 5, 8, 8)
    fitted = T.fit(lambda: Fixed(out), ex, rng=rng(), updates=1, every=1, lr=1e-9,
                   batch=99)
    gap = np.mean((out[0, 0].numpy() - ex.values.numpy()) ** 2)
    logits = out[0, 1:].expand(len(ex), 4, 8, 8).movedim(1, 3)[ex.scored]
    want = 100 * gap + float(cross_entropy(logits, ex.targets[ex.scored]))
    np.testing.assert_allclose(fitted.curve[0, 1], want, rtol=1e-5)


def test_fitting_ends_at_the_target_and_leaves_torch_alone():
    plans = obstacles(4, 8, rng())
    ex = T.action_examples(plans, P.rings(plans))
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    a, b = (T.fit(lambda: N.Residual(2, 4, width=16, layers=4), ex, rng=rng(3), every=20)
            for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert a.converged and a.accuracy >= 0.99 and a.updates < 1500
    assert (a.curve[:-1, 2] < 0.99).all() and a.updates == 20 * len(a.curve)
    np.testing.assert_array_equal(a.curve, b.curve)
    told = R.answer(a.network, plans)
    right = (told == P.rings(plans).actions)[plans.open].mean()
    assert right == pytest.approx(a.accuracy)
    short = T.fit(lambda: N.Residual(2, 4), ex, rng=rng(3), updates=30, every=20)
    assert not short.converged and short.curve[:, 0].tolist() == [20, 30]


# Running ----------------------------------------------------------------------------


class Flawless(nn.Module):
    """A step network that knows the procedure: planes in, the next frame's planes out."""

    def __init__(self, kind, wrong=None):
        super().__init__()
        self.kind, self.wrong, self.asked = kind, wrong, 0

    def forward(self, x):
        self.asked += len(x)
        walls, goal = (p.numpy() > 0.5 for p in (x[:, 0], x[:, 1]))
        if self.kind == "sweeps":
            new, actions = P.sweep(walls, goal, x[:, 2].numpy())
            hot = nn.functional.one_hot(torch.from_numpy(actions).long(), 4)
            return torch.cat([torch.from_numpy(new)[:, None], hot.movedim(3, 1)], 1)
        if self.kind == "rings":
            new = P.ring_step(walls, goal, x[:, 2:].argmax(1).numpy().astype(np.int8))
        else:
            start = x[:, 2].numpy() > 0.5
            labels = x[:, 3:].argmax(1).numpy().astype(np.int8)
            known = (labels[start] != U)[:, None, None]
            new = np.where(known, labels, P.search_step(walls, goal, start, labels))
        hot = nn.functional.one_hot(torch.from_numpy(new).long(), x.shape[1] - 2 - (
            self.kind == "search"))
        return hot.movedim(3, 1).float()


def test_a_flawless_clone_writes_the_procedure():
    plans = both_kinds(40, 10)  # more than are asked at once
    net, done = Flawless("rings"), P.rings(plans)
    run = R.free_run(net, plans)
    assert (R.frames_right(run, done.frames) == 1).all()
    assert (run.calls == done.steps + 1).all() and run.done.all()
    assert net.asked == run.calls.sum()  # who is done is asked no more
    assert (run.actions == done.actions).all()
    starts = plans.starts(1, rng())[:, 0]
    way, run = P.search(plans, starts), R.free_run(Flawless("search"), plans,
                                                   starts=starts)
    assert (R.frames_right(run, way.frames) == 1).all()
    assert (run.actions == way.actions).all() and (run.calls == way.steps + 1).all()


def test_a_flawless_clone_of_the_sweeps():
    plans = both_kinds(4, 9)
    run = R.free_run(Flawless("sweeps"), plans, numbers=True, tol=1e-5)
    done = P.sweeps(plans, tol=1e-5)
    np.testing.assert_allclose(run.frames[:, -1], done.frames[:, -1], atol=1e-4)
    assert (run.actions == done.actions)[plans.open].mean() > 0.99
    assert run.done.all()


def test_at_the_cap_the_frame_stands_as_it_is():
    plans = obstacles(10, 12, rng())
    done = P.rings(plans)
    run = R.free_run(Flawless("rings"), plans, cap=3)
    assert (run.frames == done.frames[:, :4]).all() and (run.calls <= 3).all()
    assert (run.done == (done.steps < 3)).all()
    assert ((run.actions == U) == ~(plans.open & (plans.distances <= 3))).all()


def test_a_frame_that_was_tampered_with_is_gone_on_with():
    plan = read_plan("....G")
    first = np.full(plan.walls.shape, U)
    first[0, 1, 2] = 3  # westward, in the middle of the street
    run = R.free_run(Flawless("rings"), plan, first=first)
    # its eastern neighbour believed it before the truth arrived
    assert run.actions[0, 1, 1:6].tolist() == [1, 3, 3, 1, U]
    assert (run.frames[:, 0] == first).all()


def test_frames_are_compared_one_by_one():
    frames = P.rings(obstacles(10, 9, rng())).frames
    wrong = frames.copy()
    wrong[:3, 4:, 2, 2] += 1
    told = R.frames_right(R.Run(wrong, None, None, None), frames)
    assert told[:4].tolist() == [1] * 4 and (told[4:] == 0.7).all()
    short = R.Run(frames[:, :3], None, None, None)
    assert len(R.frames_right(short, frames)) == frames.shape[1]
    assert R.frames_right(short, frames)[-1] < 1


def test_every_shortest_way_is_as_good():
    plans = both_kinds(10, 9)
    actions = rng().integers(5, size=plans.walls.shape)
    good = []
    for n in range(len(plans)):
        steps, _ = queue(plans.walls[n], plans.goals[n])
        for cell in map(tuple, np.argwhere(plans.open[n])):
            r, c = MOVES[actions[n][cell]] if actions[n][cell] < 4 else (0, 0)
            there = cell[0] + r, cell[1] + c
            good.append(steps.get(there, 10**6) == steps[cell] - 1)
    assert R.best_share(plans, actions) == pytest.approx(np.mean(good))
    assert 0.1 < np.mean(good) < 0.5
    for ties in ("fixed", "queue", "random"):
        assert R.best_share(plans, P.rings(plans, ties=ties, rng=rng()).actions) == 1


def test_success_is_counted_by_what_is_in_view():
    plans = obstacles(20, 16, rng())
    starts = plans.starts(5, rng())
    actions = P.rings(plans).actions.copy()
    actions[rng().random(actions.shape) < 0.1] = U
    told = R.success(plans, actions, starts, radius=4)
    came = walk(plans, actions, starts).reached
    far = abs(starts - plans.goals[:, None]).max(2)
    assert told.overall == came.mean() and 0 < told.overall < 1
    assert told.in_view == came[far <= 4].mean()
    assert told.out_of_view == came[far > 4].mean() < told.in_view
    assert told.share_in_view == (far <= 4).mean()
    assert np.isnan(R.success(plans, actions, starts, radius=20).out_of_view)


def test_a_local_rule_is_learned_and_carries_over_to_larger_plans():
    """The published effect in small: frames teach what answers do not."""
    train, larger = obstacles(32, 10, rng(0)), obstacles(12, 20, rng(1))
    starts = larger.starts(5, rng(2))
    step = T.fit(lambda: N.Local(7, 5), T.step_examples(train, P.rings(train)),
                 rng=rng(3), updates=600, lr=1e-2, target=0.9999)
    run = R.free_run(step.network, larger)
    assert R.success(larger, run.actions, starts).overall > 0.9
    assert R.best_share(larger, run.actions) > 0.99
    right = R.frames_right(run, P.rings(larger).frames)
    assert right[1] == 1  # later frames differ, but nearly always by a tie
    answers = T.fit(lambda: N.Residual(2, 4, width=16), T.action_examples(
        train, P.rings(train)), rng=rng(4), updates=400)
    assert answers.accuracy > 0.95  # it knows its lesson
    told = R.success(larger, R.answer(answers.network, larger), starts)
    assert told.out_of_view < 0.4
