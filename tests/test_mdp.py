"""The world that can be written down: layouts, draws, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from imitlib.mdp import MDP
from worlds import random_world, worlds

SLIP = [[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]]  # (S, A, S)
PAY = [[1.0, 2.0], [3.0, 4.0]]


# Layouts -----------------------------------------------------------------------------


@given(worlds())
def test_every_way_to_write_a_world_is_the_same_world(w):
    values = np.linspace(-1, 2, w.shape[0])
    for layout in w.layouts:
        world = w.mdp(layout)
        assert (world.n_states, world.n_actions) == w.shape
        np.testing.assert_allclose(world.dense(), w.P, atol=1e-15)
        np.testing.assert_allclose(world.matrix.toarray(), w.P.reshape(-1, w.shape[0]))
        np.testing.assert_array_equal(world.reward, w.r)
        np.testing.assert_allclose(world.start, w.start)
        np.testing.assert_allclose(
            world.next_values(values), np.einsum("sap,p->sa", w.P, values), atol=1e-14)
        stays = np.einsum("sas->sa", w.P) == 1
        np.testing.assert_array_equal(world.absorbing, stays.all(axis=1))
        np.testing.assert_array_equal(
            world.terminal, stays.all(axis=1) & (w.r == 0).all(axis=1))
        assert layout == "as_matrix" or world.deterministic == ((w.P % 1) == 0).all()
    assert not w.mdp("as_matrix").deterministic


def test_many_values_at_once_look_ahead_one_by_one():
    rng = np.random.default_rng(0)
    for certain in (True, False):
        world = random_world(rng, 4, 3, certain=certain).mdp()
        for shape in [(4,), (1, 4), (5, 4), (2, 3, 4), (1, 1, 4)]:
            values = rng.normal(size=shape)
            ahead = world.next_values(values)
            assert ahead.shape == (*shape[:-1], 4, 3)
            for place in np.ndindex(*shape[:-1]):
                np.testing.assert_allclose(ahead[place], world.dense() @ values[place])


def test_reward_of_a_state_of_an_action_and_of_a_transition():
    by_state = MDP(SLIP, [5.0, 6.0], 0.9)
    assert by_state.reward.tolist() == [[5, 5], [6, 6]]
    assert MDP(SLIP, PAY, 0.9).reward.tolist() == PAY
    paid = np.array([[[4.0, 8.0], [99.0, 1.0]], [[8.0, 4.0], [2.0, 99.0]]])
    expected = [[6.0, 1.0], [5.0, 2.0]]  # by hand: .5*4 + .5*8, 1, .25*8 + .75*4, 2
    assert MDP(SLIP, paid, 0.9).reward.tolist() == expected
    sheet = sparse.coo_array(paid.reshape(4, 2))
    assert MDP(SLIP, sheet, 0.9).reward.tolist() == expected
    assert MDP(SLIP, PAY, 0.9).with_reward(paid).reward.tolist() == expected
    certain = MDP([[0, 1], [1, 0]], paid, 0.9)
    assert certain.reward.tolist() == [[4, 1], [4, 2]]
    assert MDP([[0, 1], [1, 0]], sheet, 0.9).reward.tolist() == [[4, 1], [4, 2]]


def test_a_world_with_one_thing_changed():
    world = MDP(SLIP, PAY, 0.9, start=1)
    assert world.start.tolist() == [0, 1]
    assert world.with_discount(0.5).discount == 0.5
    assert world.starting([0.25, 0.75]).start.tolist() == [0.25, 0.75]
    assert world.with_reward([7, 8]).reward.tolist() == [[7, 7], [8, 8]]
    for twin in (world.with_discount(0.5), world.with_reward([0, 0]), world.starting(0)):
        np.testing.assert_array_equal(twin.dense(), SLIP)
    assert world.discount == 0.9 and world.reward.tolist() == PAY  # untouched
    assert world.with_discount(0.1).start.tolist() == [0, 1]
    ending = MDP([[0, 1], [1, 1]], [[1, 1], [0, 0]], 0.9)
    assert ending.terminal.tolist() == [False, True]
    assert ending.with_reward([0, 1]).terminal.tolist() == [False, False]
    assert ending.with_reward([[0, 0], [0, 1]]).terminal.tolist() == [False, False]
    assert ending.with_reward([0, 1]).absorbing.tolist() == [False, True]


def test_numbers_of_any_kind_and_any_order_in_memory():
    twice = np.repeat(np.repeat(np.array(SLIP), 2, axis=0), 2, axis=2)
    for P in (SLIP, np.float32(SLIP), np.asfortranarray(SLIP), twice[::2, :, ::2]):
        for r in (PAY, np.int8(PAY), np.float32(PAY), np.asfortranarray(PAY),
                  np.uint16(PAY)):
            world = MDP(P, r, np.float32(0.5), start=np.uint8(1))
            np.testing.assert_array_equal(world.dense(), SLIP)
            np.testing.assert_array_equal(world.reward, PAY)
            assert world.reward.dtype == float and world.start.tolist() == [0, 1]
            assert type(world.discount) is float
    for integer in (np.int8, np.uint16, np.uint64, np.intp):
        world = MDP(np.asfortranarray([[1, 0], [0, 1]], integer), PAY, 1)
        assert world.transitions.tolist() == [[1, 0], [0, 1]]
        assert world.transitions.dtype == np.intp
    whole = MDP(np.array([[[0, 1]], [[1, 0]]]), [0, 0], 0)  # integers, but (S, A, S)
    assert whole.transitions.tolist() == [[1], [0]]


def test_float32_rows_are_scaled_to_sum_to_one():
    rng = np.random.default_rng(1)
    P = random_world(rng, 30, 3).P.astype(np.float32)
    assert abs(P.astype(float).sum(axis=-1) - 1).max() > 1e-9
    world = MDP(P, np.zeros(30), 0.9, start=np.full(30, 1 / 30, np.float32))
    assert np.abs(world.matrix @ np.ones(30) - 1).max() < 1e-15
    assert world.start.sum() == pytest.approx(1, abs=1e-15)


def test_the_smallest_world():
    world = MDP([[0]], [[0]], 1)
    assert world.terminal.tolist() == [True] and world.start.tolist() == [1]
    assert repr(MDP(SLIP, PAY, 0.5)) == (
        "MDP(2 states, 2 actions, stochastic, discount 0.5)")


# Draws -------------------------------------------------------------------------------


def test_draws_have_the_stated_frequencies():
    rng = np.random.default_rng(2)
    w = random_world(rng, 5, 3)
    world, n = w.mdp(), 20_000
    for s in range(5):
        for a in range(3):
            drawn = world.sample(np.full(n, s), np.full(n, a), rng)
            counts = np.bincount(drawn, minlength=5)
            assert (counts[w.P[s, a] == 0] == 0).all()
            likely = w.P[s, a] > 0
            expected = n * w.P[s, a][likely]
            chi2 = ((counts[likely] - expected) ** 2 / expected).sum()
            assert chi2 < 25  # at most 4 degrees of freedom: one time in 20 000


def test_draws_of_a_mixed_batch_belong_to_their_rows():
    rng = np.random.default_rng(3)
    w = random_world(rng, 6, 2, sparsity=0.6)
    states, actions = rng.integers(6, size=60_000), rng.integers(2, size=60_000)
    drawn = w.mdp().sample(states, actions, rng)
    counts = np.zeros_like(w.P)
    np.add.at(counts, (states, actions, drawn), 1)
    n = counts.sum(axis=-1, keepdims=True)
    error = np.abs(counts / n - w.P)
    assert (error <= 4.5 * np.sqrt(w.P * (1 - w.P) / n)).all()  # 0 where P is 0 or 1


def test_draws_are_told_by_the_generator():
    world = random_world(np.random.default_rng(4), 6, 2).mdp()
    states, actions = np.arange(6).repeat(50), np.tile([0, 1], 150)

    def draw(seed):
        return world.sample(states, actions, np.random.default_rng(seed)).tolist()

    assert draw(0) == draw(0) != draw(1)


def test_a_certain_world_goes_where_it_says():
    w = random_world(np.random.default_rng(5), 5, 3, certain=True)
    states, actions = (x.ravel() for x in np.indices((5, 3)))
    for layout in ("successors", "as_matrix"):
        drawn = w.mdp(layout).sample(states, actions, np.random.default_rng(0))
        assert drawn.tolist() == w.P.argmax(axis=-1).ravel().tolist()
        assert drawn.dtype.kind == "i"


class Extreme:
    """A generator that always says the least or the largest number it may."""

    def __init__(self, number):
        self.number = number

    def random(self, n):
        return np.full(n, self.number)


@pytest.mark.parametrize("number", [0.0, 1 - 2**-53])
def test_the_least_and_the_largest_draw_are_possible_successors(number):
    w = random_world(np.random.default_rng(6), 9, 4, sparsity=0.7)
    states, actions = (x.ravel() for x in np.indices((9, 4)))
    drawn = w.mdp("as_matrix").sample(states, actions, Extreme(number))
    assert (w.P[states, actions, drawn] > 0).all()


# Fixed once made ---------------------------------------------------------------------


def test_a_world_does_not_change_when_what_it_was_made_of_does():
    for sheet in (np.array(SLIP), sparse.csr_array(np.array(SLIP).reshape(4, 2))):
        r, start = np.array(PAY), np.array([0.5, 0.5])
        world = MDP(sheet, r, 0.9, start)
        (sheet.data if sparse.issparse(sheet) else sheet)[...] = 7
        r[...] = start[...] = 7
        np.testing.assert_array_equal(world.dense(), SLIP)
        assert world.reward.tolist() == PAY and world.start.tolist() == [0.5, 0.5]
    successors = np.array([[0, 1], [1, 0]])
    world = MDP(successors, r, 0.9)
    successors[...] = 0
    assert world.transitions.tolist() == [[0, 1], [1, 0]]
    r2, start2 = np.array(PAY), np.array([0.5, 0.5])
    twin = world.with_reward(r2).starting(start2)
    r2[...] = start2[...] = 7
    assert twin.reward.tolist() == PAY and twin.start.tolist() == [0.5, 0.5]


def test_what_a_world_is_made_of_is_left_as_it_was():
    sheet = sparse.csr_array(
        (np.array([0.5, 0.5, 0.0, 1.0]), np.array([1, 1, 0, 1]), np.array([0, 2, 4])),
        (2, 2))  # twice the same entry, and a zero
    MDP(sheet, [0, 0], 0.9)
    assert sheet.data.tolist() == [0.5, 0.5, 0, 1] and sheet.nnz == 4
    r, start = np.array(PAY), np.array([0.5, 0.5])
    MDP(SLIP, r, 0.9, start)
    assert r.flags.writeable and start.flags.writeable and sheet.data.flags.writeable


def test_nothing_of_a_world_can_be_written_to():
    for world in (MDP(SLIP, PAY, 0.9), MDP([[0, 1], [1, 1]], PAY, 0.9),
                  MDP([[0, 1], [1, 1]], PAY, 0.9).as_matrix()):
        arrays = [world.reward, world.start, world.matrix.data, world.terminal,
                  world.absorbing]
        arrays.append(world.transitions if world.deterministic
                      else world.transitions.data)
        for array in arrays:
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
        with pytest.raises(AttributeError):
            world.discount = 0.5
        ahead = world.next_values([1.0, 2.0])
        ahead[...] = 0
        world.dense()[...] = 0
        assert world.next_values([1.0, 1.0]).tolist() == [[1, 1], [1, 1]]


# What is refused ---------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
ROW = sparse.csr_array(np.eye(2)[[0, 1, 1, 0]])


def changed(place, value):
    P = np.array(SLIP)
    P[place] = value
    return P


@pytest.mark.parametrize(
    ("transitions", "says"),
    [
        (changed((1, 0, 1), 0.5), r"transitions\[1, 0\] sums to 0\.75.*sum to 1"),
        (changed((0, 1, 1), 1.001), r"transitions\[0, 1\] sums to 1\.001.*sum to 1"),
        (np.zeros((2, 2, 2)), r"transitions\[0, 0\] sums to 0.*sum to 1"),
        (changed((1, 1), [1.5, -0.5]), r"transitions\[1, 1\] holds -0\.5.*at least 0"),
        (changed((1, 0, 1), NAN), r"transitions\[1, 0, 1\] is nan.*finite"),
        (changed((0, 1, 0), INF), r"transitions\[0, 1, 0\] is inf.*finite"),
        (ROW * 0.5, r"transitions\[0, 0\] sums to 0\.5.*sum to 1"),
        (ROW * -1.0, r"transitions\[0, 0\] holds -1.*at least 0"),
        (sparse.csr_array(([1, 1, NAN, 1], [0, 1, 1, 0], [0, 1, 2, 3, 4]), (4, 2)),
         r"transitions\[1, 0\] holds nan.*finite"),
        (sparse.csr_array((5, 2)), r"transitions has shape \(5, 2\).*\(S\*A, S\)"),
        (sparse.csr_array((0, 2)), "transitions has 2 states and 0 actions.*at least one"),
        (sparse.coo_array(np.ones(3)), "transitions has shape"),
        ([[0, 2], [1, 0]], r"transitions\[0, 1\] is 2.*0 \.\.\. 1"),
        ([[0, 1], [-1, 0]], r"transitions\[1, 0\] is -1.*0 \.\.\. 1"),
        ([[0, 1], [0]], "transitions is ragged.*one length"),
        (np.zeros((0, 2), int), "transitions has 0 states and 2 actions.*at least one"),
        (np.zeros((2, 0), int), "transitions has 2 states and 0 actions.*at least one"),
        (np.zeros((0, 2, 0)), "transitions has 0 states.*at least one"),
        (np.zeros((2, 0, 2)), "transitions has 2 states and 0 actions.*at least one"),
        ([], r"transitions has shape \(0,\).*\(S, A\).*\(S, A, S\)"),
        ([[0.0, 1.0], [1.0, 0.0]], r"transitions has shape \(2, 2\) of float64.*integers"),
        (np.ones((2, 1, 3)) / 3, r"transitions has shape \(2, 1, 3\).*\(S, A, S\)"),
        (3, r"transitions has shape \(\)"),
    ],
)  # fmt: skip
def test_transitions_that_make_no_world_are_refused(transitions, says):
    with pytest.raises(ValueError, match=says):
        MDP(transitions, [0, 0], 0.9)


STRANGE = [np.bool_, str, object, complex]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_number_is_refused(kind):
    with pytest.raises(TypeError, match="transitions has dtype .*real numbers"):
        MDP(np.array([[0, 1], [1, 0]]).astype(kind), PAY, 0.9)
    with pytest.raises(TypeError, match="transitions has dtype .*real numbers"):
        MDP(np.array(SLIP).astype(kind), PAY, 0.9)
    with pytest.raises(TypeError, match="reward has dtype .*real numbers"):
        MDP(SLIP, np.array(PAY).astype(kind), 0.9)
    with pytest.raises(TypeError, match="start has dtype .*real numbers"):
        MDP(SLIP, PAY, 0.9, np.array([1, 0]).astype(kind))
    with pytest.raises(TypeError, match="discount has dtype .*real numbers"):
        MDP(SLIP, PAY, np.array(1).astype(kind))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", [np.bool_, complex])
def test_a_sparse_matrix_of_what_is_no_number_is_refused(kind):
    with pytest.raises(TypeError, match="transitions has dtype .*real numbers"):
        MDP(sparse.csr_array(np.array([[0, 1], [1, 0]]).astype(kind)), [0, 0], 0.9)
    with pytest.raises(TypeError, match="reward has dtype .*real numbers"):
        MDP([[1], [0]], sparse.csr_array(np.array([[0, 1], [1, 0]]).astype(kind)), 0.9)


@pytest.mark.parametrize(
    ("reward", "says"),
    [
        ([1, INF], r"reward\[1\] is inf.*finite"),
        ([[0, 1], [-INF, 0]], r"reward\[1, 0\] is -inf.*finite"),
        ([[0, NAN], [0, 0]], r"reward\[0, 1\] is nan.*finite"),
        (sparse.csr_array([[0, 0], [0, NAN], [0, 0], [0, 0]]), r"reward\[0, 1, 1\] is nan"),
        ([1, 2, 3], r"reward has shape \(3,\).*\(2,\), \(2, 2\) and \(2, 2, 2\)"),
        (np.zeros((2, 3)), r"reward has shape \(2, 3\).*\(2, 2\)"),
        (np.zeros((2, 2, 1)), r"reward has shape \(2, 2, 1\).*\(2, 2, 2\)"),
        (0, r"reward has shape \(\).*\(2,\)"),
        ([[1, 2], [3]], "reward is ragged"),
        (sparse.csr_array((2, 2)), r"reward has shape \(2, 2\).*\(4, 2\)"),
    ],
)  # fmt: skip
def test_rewards_that_make_no_sense_are_refused(reward, says):
    with pytest.raises(ValueError, match=says):
        MDP(SLIP, reward, 0.9)
    with pytest.raises(ValueError, match=says):
        MDP(SLIP, PAY, 0.9).with_reward(reward)


@pytest.mark.parametrize(
    "discount", [-0.1, 1.0001, -1, 2, NAN, INF, [0.9], np.array([0.5, 0.5])]
)
def test_discounts_outside_the_unit_interval_are_refused(discount):
    with pytest.raises(ValueError, match=r"discount.* is .*(in \[0, 1\]|finite)"):
        MDP(SLIP, PAY, discount)
    with pytest.raises(ValueError, match="discount"):
        MDP(SLIP, PAY, 0.5).with_discount(discount)


@pytest.mark.parametrize("discount", [True, "0.9", None, 0.5 + 0j])
def test_a_discount_is_a_real_number(discount):
    with pytest.raises(TypeError, match="discount.*real number"):
        MDP(SLIP, PAY, discount)


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (-1, r"start is -1.*0 \.\.\. 1"), (2, r"start is 2.*0 \.\.\. 1"),
        (0.0, r"start has shape \(\) of float64.*one state"),
        ([1.0], r"start has shape \(1,\).*\(2,\)"),
        ([0.5, 0.25, 0.25], r"start has shape \(3,\).*\(2,\)"),
        ([0.5, 0.4], r"start.*0\.9.*probability"), ([1, 1], "start.*2.*probability"),
        ([1.5, -0.5], r"start.*-0\.5.*probability"),
        ([NAN, 1], r"start\[0\] is nan.*finite"), ([INF, 1], r"start\[0\] is inf"),
        ([[1, 0]], r"start has shape \(1, 2\).*\(2,\)"), ([0, 0], "start sums to 0"),
    ],
)  # fmt: skip
def test_starts_that_are_no_distribution_are_refused(start, says):
    with pytest.raises(ValueError, match=says):
        MDP(SLIP, PAY, 0.9, start)
    with pytest.raises(ValueError, match=says):
        MDP(SLIP, PAY, 0.9).starting(start)


def test_draws_from_where_nobody_can_be_are_refused():
    world, rng = MDP(SLIP, PAY, 0.9), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"states\[1\] is 2; legal are 0 \.\.\. 1"):
        world.sample([0, 2], [0, 0], rng)
    with pytest.raises(ValueError, match=r"actions\[0\] is -1; legal are 0 \.\.\. 1"):
        world.sample([0, 1], [-1, 0], rng)
    with pytest.raises(TypeError, match="states.*integers"):
        world.sample([0.0], [0], rng)
    with pytest.raises(TypeError, match="actions.*integers"):
        world.sample([0], [[0]], rng)
    with pytest.raises(ValueError, match="states has shape.*actions"):
        world.sample([0, 1], [0], rng)
    with pytest.raises(ValueError, match=r"values has shape \(3,\).*2\)"):
        world.next_values([1.0, 2.0, 3.0])

