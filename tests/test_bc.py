"""Behavioral cloning against closed forms, other solvers and plain counting."""

import math
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imitlib import bc
from imitlib.adam import Adam
from imitlib.counting import draw
from imitlib.demonstrations import Demonstrations, record
from imitlib.heads import Categorical, Gaussian, Mixture

torch.set_num_threads(1)


def seeded(seed=0):
    return np.random.default_rng(seed)


def data(n=60, k=None, width=3, seed=0) -> Demonstrations:
    """n decisions by chance, with units far from 1; k commands, or one of 3 choices."""
    rng = seeded(seed)
    seen = rng.normal(size=(n, width)) * [0.01, 1, 300][:width] + [5, 0, -800][:width]
    done = rng.integers(3, size=n) if k is None else 50 + 7 * rng.normal(size=(n, k))
    done[:3] = np.arange(3) if k is None else done[:3]
    return Demonstrations(seen, done, np.arange(n) // 10)


HEADS = {
    "categorical": Categorical(4),
    "gaussian": Gaussian(np.array([[1.0, 2], [0.5, 3]]), np.array([0.7, 2.0])),
    "mixture": Mixture(np.array([[1.0, 2], [0.5, 3]]), 3),
}


def some(head, n=5, seed=0):
    """Outputs and targets for a head, in float64."""
    rng = seeded(seed)
    outputs = torch.from_numpy(rng.normal(size=(n, head.n_outputs)))
    if isinstance(head, Categorical):
        return outputs, torch.from_numpy(rng.integers(head.n_actions, size=n))
    return outputs, torch.from_numpy(rng.normal(size=(n, 2)))


# --- the loss ----------------------------------------------------------------------


def test_categorical_likelihood_is_the_logarithm_of_the_softmax():
    outputs, targets = some(HEADS["categorical"])
    expected = scipy.special.log_softmax(outputs.numpy(), axis=1)
    np.testing.assert_allclose(
        HEADS["categorical"].log_likelihood(outputs, targets),
        expected[np.arange(5), targets], rtol=1e-12)


def test_gaussian_likelihood_is_scipys():
    outputs, targets = some(HEADS["gaussian"])
    expected = scipy.stats.norm.logpdf(targets, outputs, [0.7, 2.0]).sum(1)
    np.testing.assert_allclose(
        HEADS["gaussian"].log_likelihood(outputs, targets), expected, rtol=1e-12)


def test_mixture_likelihood_is_scipys_on_a_case_written_out():
    # two components, two commands: logits, four means, four logarithms of spreads
    head = Mixture(np.array([[0.0, 0], [1, 1]]), 2)
    outputs = [[math.log(1), math.log(3), -1, 0, 2, 4, 0, math.log(2), -1, 0.5]]
    for action in ([0.5, 1.0], [-1, 0], [40, -40]):
        normal = scipy.stats.multivariate_normal
        parts = [
            math.log(1 / 4) + normal.logpdf(action, [-1, 0], np.diag([1, 4])),
            math.log(3 / 4) + normal.logpdf(action, [2, 4], np.diag(np.exp([-2, 1]))),
        ]
        got = head.log_likelihood(torch.tensor(outputs, dtype=torch.float64),
                                  torch.tensor([action], dtype=torch.float64))
        assert got.item() == pytest.approx(scipy.special.logsumexp(parts), rel=1e-12)


def test_no_component_shrinks_onto_one_demonstration():
    head = Mixture(np.array([[0.0], [1]]), 1)
    outputs = torch.tensor([[0.0, 0.0, -50.0]])
    assert head.log_likelihood(outputs, torch.zeros(1, 1)).item() < 5


@pytest.mark.parametrize("name", HEADS)
def test_gradient_of_the_loss_is_the_finite_difference(name):
    head, network = HEADS[name], bc.mlp(3, (4,), HEADS[name].n_outputs).double()
    _, targets = some(head)
    x = torch.from_numpy(seeded(1).normal(size=(5, 3)))
    theta = torch.nn.utils.parameters_to_vector(network.parameters()).detach()

    def loss(numbers):
        torch.nn.utils.vector_to_parameters(torch.as_tensor(numbers),
                                            network.parameters())
        return -head.log_likelihood(network(x), targets).mean()

    loss(theta).backward()
    gradient = torch.cat([p.grad.flatten() for p in network.parameters()]).numpy()
    assert np.abs(gradient).max() > 1e-2
    step = 1e-6 * np.eye(len(theta))
    with torch.no_grad():
        differences = [(loss(theta.numpy() + h) - loss(theta.numpy() - h)) / 2e-6
                       for h in step]
    np.testing.assert_allclose(gradient, differences, atol=1e-8)


# --- fitting -----------------------------------------------------------------------


def test_linear_clone_is_the_logistic_regression_of_another_solver():
    rng = seeded(3)
    seen = rng.normal(size=(300, 2)) * [1, 40] + [0, 7]
    scores = seen @ [[1.0, 0, -2], [0.02, -0.03, 0]]
    done = (scores + rng.gumbel(size=(300, 3))).argmax(1)
    demos = Demonstrations(seen, done, np.zeros(300, int))
    design = np.column_stack([seen, np.ones(300)])

    def loss(weights):
        logs = scipy.special.log_softmax(design @ weights.reshape(3, 3), axis=1)
        return -logs[np.arange(300), done].mean()

    best = scipy.optimize.minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-7})
    clone = bc.fit(demos, hidden=(), batch=300, updates=800, lr=0.05, rng=rng)
    assert bc.nll(clone, demos) == pytest.approx(best.fun, abs=2e-6)
    expected = scipy.special.softmax(design @ best.x.reshape(3, 3), axis=1)
    np.testing.assert_allclose(clone.probabilities(seen), expected, atol=2e-3)
    assert clone.probabilities(seen).argmax(1).tolist() == clone(seen).tolist()
    assert bc.accuracy(clone, demos) == np.mean(expected.argmax(1) == done)
    assert clone.loss_curve[-1] == pytest.approx(best.fun, abs=2e-6)  # batch = all


def test_linear_gaussian_clone_is_least_squares():
    demos = data(80, k=2)
    design = np.column_stack([demos.observations, np.ones(80)])
    weights, *_ = np.linalg.lstsq(design, demos.actions, rcond=None)
    clone = bc.fit(demos, hidden=(), batch=80, updates=600, lr=0.05, rng=seeded())
    np.testing.assert_allclose(clone(demos.observations), design @ weights, atol=1e-3)
    spread = (demos.actions - design @ weights).std(0)
    expected = scipy.stats.norm.logpdf(demos.actions, design @ weights, spread)
    assert bc.nll(clone, demos) == pytest.approx(-expected.sum(1).mean(), abs=1e-5)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam_is_torchs(weight_decay):
    x, y = torch.randn(64, 3, generator=torch.manual_seed(0)), torch.arange(64) % 2
    networks = [bc.mlp(3, (8,), 2) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    rules = (Adam(networks[0].parameters(), 0.01, weight_decay),
             torch.optim.Adam(networks[1].parameters(), 0.01, weight_decay=weight_decay))
    for _ in range(100):
        for network, rule in zip(networks, rules):
            torch.nn.functional.cross_entropy(network(x), y).backward()
            rule.step()
        rules[1].zero_grad()
    for mine, theirs in zip(*(n.parameters() for n in networks)):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_adam_leaves_frozen_layers_alone():
    frozen = torch.nn.Linear(3, 8).requires_grad_(False)
    before = frozen.weight.clone()
    network = torch.nn.Sequential(frozen, torch.nn.Tanh(), torch.nn.Linear(8, 3))
    clone = bc.fit(data(), network=network, updates=20, rng=seeded())
    assert torch.equal(clone.network[0].weight, before)
    assert not torch.equal(clone.network[2].weight, network[2].weight)


class Diary(torch.nn.Module):
    """A linear model that writes down what it is shown while it learns."""

    def __init__(self, pages):
        super().__init__()
        self.linear, self.pages = torch.nn.Linear(1, 2), pages

    def __deepcopy__(self, memo):
        return Diary(self.pages)

    def forward(self, x):
        if self.training:
            self.pages.append(x[:, 0].tolist())
        return self.linear(x)


def test_an_epoch_shows_every_decision_once():
    n, pages = 12, []
    demos = Demonstrations(np.arange(n)[:, None], np.arange(n) % 2, np.zeros(n, int))
    bc.fit(demos, network=Diary(pages), batch=4, updates=9, rng=seeded())
    assert [len(page) for page in pages] == [4] * 9
    epochs = [sum(pages[i : i + 3], []) for i in (0, 3, 6)]
    assert all(sorted(e) == sorted(epochs[0]) and len(set(e)) == n for e in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    pages.clear()
    bc.fit(demos, network=Diary(pages), batch=5, updates=4, rng=seeded())
    assert [len(page) for page in pages] == [5] * 4, "batches are never short"
    pages.clear()
    bc.fit(demos, network=Diary(pages), batch=100, updates=2, rng=seeded())
    assert [len(page) for page in pages] == [n, n]


def weights(clone):
    return torch.cat([p.detach().flatten() for p in clone.network.parameters()])


@pytest.mark.parametrize("head", HEADS)
def test_same_rng_same_clone_and_nothing_else_is_touched(head):
    demos = data(k=None if head == "categorical" else 2)
    fitted = {"head": head, "updates": 30, "batch": 16, "hidden": (8,)}
    before = [getattr(demos, name).copy() for name in ("observations", "actions")]
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = bc.fit(demos, rng=seeded(1), **fitted)
    actions = first.sample(demos.observations, seeded(2))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()
    torch.manual_seed(999)
    np.random.seed(999)
    second, other = (bc.fit(demos, rng=seeded(seed), **fitted) for seed in (1, 7))
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))
    np.testing.assert_array_equal(second.sample(demos.observations, seeded(2)), actions)
    np.testing.assert_array_equal(first.loss_curve, second.loss_curve)
    np.testing.assert_array_equal(before[0], demos.observations)
    np.testing.assert_array_equal(before[1], demos.actions)


def test_dropout_too_is_drawn_from_the_rng():
    network = torch.nn.Sequential(torch.nn.Linear(3, 9), torch.nn.Dropout(),
                                  torch.nn.Linear(9, 3))
    first, second = (bc.fit(data(), network=network, updates=9, rng=seeded(4))
                     for _ in range(2))
    assert torch.equal(weights(first), weights(second))
    np.testing.assert_array_equal(first(data().observations), first(data().observations))


def test_units_do_not_matter():
    demos = data(k=2)
    metres = Demonstrations(demos.observations * [1e3, 1e-4, 1] + [0, 9, 0],
                            demos.actions * 0.001 - 3, demos.episodes)
    clone, other = (bc.fit(d, updates=50, rng=seeded()) for d in (demos, metres))
    np.testing.assert_allclose(other(metres.observations),
                               clone(demos.observations) * 0.001 - 3, rtol=1e-4)
    shift = 2 * math.log(0.001)  # a density has units
    assert bc.nll(other, metres) == pytest.approx(bc.nll(clone, demos) + shift, abs=1e-3)


def test_a_number_that_never_moves_is_harmless():
    demos = data()
    seen = np.column_stack([demos.observations, np.full(60, 1e6), np.zeros(60)])
    still = Demonstrations(seen, demos.actions, demos.episodes)
    clone = bc.fit(still, updates=20, rng=seeded())
    assert np.isfinite(clone.loss_curve).all() and np.isfinite(bc.nll(clone, still))


def test_observations_of_any_shape_and_kind_are_flattened():
    rng = seeded()
    pictures = rng.integers(2, size=(40, 3, 5)).astype(bool)
    done = pictures[:, 1, 2].astype(int)
    demos = Demonstrations(pictures, done, np.zeros(40, int))
    clone = bc.fit(demos, updates=300, rng=rng)
    assert bc.accuracy(clone, demos) == 1 and clone(pictures[:1]).shape == (1,)
    scalars = Demonstrations(np.arange(4), [0, 0, 1, 1], np.zeros(4, int))
    clone = bc.fit(scalars, updates=300, lr=0.01, rng=rng)
    assert clone(np.arange(4)).tolist() == [0, 0, 1, 1]


def test_held_out_loss_is_followed_to_the_end():
    demos, unseen = data(), data(seed=8)
    clone = bc.fit(demos, updates=100, held_out=unseen, rng=seeded())
    assert clone.held_out_curve.shape == (20, 2)
    assert clone.held_out_curve[:, 0].tolist() == list(range(5, 101, 5))
    assert clone.held_out_curve[-1, 1] == pytest.approx(bc.nll(clone, unseen), rel=1e-5)
    alone = bc.fit(demos, updates=100, rng=seeded())
    assert torch.equal(weights(alone), weights(clone)), "watching changes nothing"
    assert alone.held_out_curve.shape == (0, 2) and alone.loss_curve.shape == (100,)


def test_fitting_goes_on_from_a_network_that_is_given():
    first = bc.fit(data(), hidden=(8,), updates=50, rng=seeded())
    kept = weights(first).clone()
    second = bc.fit(data(), network=first.network, updates=1, lr=1e-3, rng=seeded())
    assert torch.equal(weights(first), kept), "the one that is given stays as it is"
    assert 0 < (weights(second) - kept).abs().max() <= 1.001e-3


def test_a_clone_of_a_cartpole_expert_balances_the_pole():
    def expert(o):
        return (o[:, 2] + 0.3 * o[:, 3] + 0.05 * o[:, 0] + 0.1 * o[:, 1] > 0).astype(int)

    env = gymnasium.make("CartPole-v1")
    demos = record(env, expert, 3, seeded())
    clone = bc.fit(demos, updates=800, rng=seeded())
    assert record(env, expert, 2, seeded(1)).returns().tolist() == [500, 500]
    assert record(env, clone, 2, seeded(1)).returns().tolist() == [500, 500]
    first = bc.fit(demos, updates=1, lr=1e-9, rng=seeded())
    assert record(env, first, 2, seeded(1)).returns().max() < 200, "the task needs skill"


# --- acting ------------------------------------------------------------------------


def test_a_mixture_takes_a_side_where_squared_error_takes_the_middle():
    rng = seeded()
    left_or_right = rng.choice([-1.0, 1.0], p=[0.3, 0.7], size=(400, 1))
    demos = Demonstrations(rng.normal(size=(400, 1)),
                           left_or_right + 0.05 * rng.normal(size=(400, 1)),
                           np.zeros(400, int))
    fitted = {"updates": 600, "lr": 0.01, "hidden": (16,)}
    middle = bc.fit(demos, rng=seeded(), **fitted)
    sides = bc.fit(demos, head="mixture", components=2, rng=seeded(), **fitted)
    assert abs(np.median(middle(demos.observations)) - 0.4) < 0.15
    assert abs(np.median(sides(demos.observations)) - 1) < 0.05
    drawn = sides.sample(np.zeros((4000, 1)), rng)
    assert np.all(np.abs(np.abs(drawn) - 1) < 0.4)
    assert bc.nll(sides, demos) < bc.nll(middle, demos) - 1


@pytest.mark.parametrize("head", ["gaussian", "mixture"])
def test_a_density_in_real_units_integrates_to_one_and_is_what_is_drawn(head):
    demos = data(k=1)
    clone = bc.fit(demos, head=head, updates=40, rng=seeded(), components=3)
    seen = demos.observations[:1]
    grid = np.linspace(-150, 250, 20001)
    density = np.exp(clone.log_likelihood(np.repeat(seen, len(grid), 0), grid[:, None]))
    assert scipy.integrate.trapezoid(density, grid) == pytest.approx(1, abs=1e-4)
    drawn = clone.sample(np.repeat(seen, 4000, 0), seeded())[:, 0]
    below = scipy.integrate.cumulative_trapezoid(density, grid, initial=0)
    test = scipy.stats.kstest(drawn, lambda a: np.interp(a, grid, below))
    assert test.pvalue > 0.001
    assert scipy.stats.kstest(drawn + 2, lambda a: np.interp(a, grid, below)).pvalue < 1e-3


def test_choices_are_drawn_with_their_probabilities():
    clone = bc.fit(data(), updates=30, rng=seeded())
    seen = np.repeat(data().observations[:1], 6000, 0)
    counts = np.bincount(clone.sample(seen, seeded()), minlength=3)
    expected = 6000 * clone.probabilities(seen[:1])[0]
    assert scipy.stats.chisquare(counts, expected).pvalue > 0.001
    assert scipy.stats.chisquare(counts, expected[[1, 2, 0]]).pvalue < 1e-6


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6))
def test_draw_inverts_the_cumulative_sum(rows, n, seed):
    p = seeded(seed).dirichlet(np.ones(n), size=rows)
    p[:, 0] *= seed % 2  # often an action that never happens
    p /= p.sum(1, keepdims=True) if n > 1 or seed % 2 else 1
    if not p.sum():
        return
    u = seeded(seed).random(rows)
    expected = [next(i for i in range(n) if x < sum(row[: i + 1]) or i == n - 1)
                for x, row in zip(u, p)]
    assert draw(p, seeded(seed)).tolist() == expected


def test_a_network_of_ones_own_is_used_as_it_is():
    demos, linear = data(), torch.nn.Linear(3, 3)
    clone = bc.fit(demos, network=linear, updates=1, lr=1e-12, rng=seeded())
    x = (demos.observations - demos.observations.mean(0)) / demos.observations.std(0)
    expected = x @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
    np.testing.assert_allclose(clone.outputs(demos.observations), expected, atol=1e-5)


# --- keeping a clone ---------------------------------------------------------------


@settings(max_examples=25)
@given(st.sampled_from(list(HEADS)), st.lists(st.integers(1, 5), max_size=2),
       st.integers(1, 3), st.integers(0, 99))
def test_a_saved_clone_acts_the_same(tmp_path_factory, head, hidden, width, seed):
    path = tmp_path_factory.mktemp("d") / "clone"
    demos = data(k=None if head == "categorical" else 2, width=width, seed=seed)
    clone = bc.fit(demos, head=head, hidden=np.array(hidden, int), updates=3, components=2,
                   held_out=demos, rng=seeded(seed))
    clone.save(path)
    back, seen = bc.Clone.load(path), demos.observations
    np.testing.assert_array_equal(back(seen), clone(seen))
    np.testing.assert_array_equal(back.sample(seen, seeded(1)), clone.sample(seen, seeded(1)))
    np.testing.assert_array_equal(back.loss_curve, clone.loss_curve)
    np.testing.assert_array_equal(back.held_out_curve, clone.held_out_curve)
    assert bc.nll(back, demos) == bc.nll(clone, demos) and back.hidden == tuple(hidden)


def test_a_clone_with_a_network_of_ones_own_needs_it_back(tmp_path):
    clone = bc.fit(data(), network=torch.nn.Linear(3, 3), updates=5, rng=seeded())
    clone.save(tmp_path / "c")
    fresh = torch.nn.Linear(3, 3)
    before, seen = fresh.weight.clone(), data().observations
    back = bc.Clone.load(tmp_path / "c", fresh)
    np.testing.assert_array_equal(back.probabilities(seen), clone.probabilities(seen))
    assert torch.equal(fresh.weight, before)
    with pytest.raises(ValueError, match="fitted with a network of your own"):
        bc.Clone.load(tmp_path / "c")
    with pytest.raises(ValueError, match="(?s)c is not a readable clone: .*mismatch"):
        bc.Clone.load(tmp_path / "c", torch.nn.Linear(3, 4))


@settings(max_examples=150)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_clone_is_refused_or_whole(tmp_path_factory, where, bit, cut):
    path, clone = tmp_path_factory.mktemp("d") / "c", CLONE
    clone.save(path)
    content = bytearray(path.read_bytes())
    place = int(where * len(content))
    if cut:
        del content[place:]
    else:
        content[place] ^= 1 << bit
    path.write_bytes(content)
    try:
        back = bc.Clone.load(path)
        assert not cut
        assert torch.equal(weights(back), weights(clone))
        assert bc.nll(back, data(k=2)) == bc.nll(clone, data(k=2))
    except ValueError as error:
        assert str(path) in str(error)


CLONE = bc.fit(data(k=2), updates=5, hidden=(4,), rng=seeded())
SPRUNG = []


def spring(word):
    SPRUNG.append(word)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return spring, ("code has run",)


def test_a_clone_with_code_in_it_is_refused_and_not_run(tmp_path):
    torch.save({"format": bc.FORMAT, "trap": Trap()}, tmp_path / "c")
    with pytest.raises(ValueError, match="c is not a readable clone"):
        bc.Clone.load(tmp_path / "c")
    assert not SPRUNG
    torch.load(tmp_path / "c", weights_only=False)
    assert SPRUNG, "the trap works"


def test_what_is_no_clone_is_refused(tmp_path):
    path = tmp_path / "c"
    with pytest.raises(FileNotFoundError, match="there is no file"):
        bc.Clone.load(path)
    for content in (b"", b"hello"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="c is not a readable clone"):
            bc.Clone.load(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.txt", "1")
    with pytest.raises(ValueError, match="c is not a readable clone"):
        bc.Clone.load(path)
    for saved in ([1, 2], {"a": 1}, {"format": "imitlib-clone-9"}):
        torch.save(saved, path)
        with pytest.raises(ValueError, match="c is not a readable clone"):
            bc.Clone.load(path)


# --- counting ----------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 30), st.integers(0, 10**6),
       st.sampled_from([0.0, 0.5, 2.0]))
def test_a_table_is_the_frequencies(n_states, n_actions, n, seed, smoothing):
    rng = seeded(seed)
    states, actions = rng.integers(n_states, size=n), rng.integers(n_actions, size=n)
    table = bc.fit_table(states, actions, n_states, n_actions, smoothing=smoothing)
    pairs = Counter(zip(states.tolist(), actions.tolist()))
    for s in range(n_states):
        total = sum(pairs[s, a] for a in range(n_actions))
        for a in range(n_actions):
            assert table.counts[s, a] == pairs[s, a]
            expected = (pairs[s, a] + smoothing) / (total + n_actions * smoothing) \
                if total else 1 / n_actions
            assert table.policy[s, a] == pytest.approx(expected, abs=1e-12)
    if n:
        rows = table.policy[states]
        assert (table(states) == rows.argmax(1)).all()
        np.testing.assert_array_equal(table.probabilities(states), rows)
        np.testing.assert_allclose(np.exp(table.log_likelihood(states, actions)),
                                   rows[np.arange(n), actions])


def test_the_table_is_the_likeliest():
    rng = seeded()
    demos = Demonstrations(rng.integers(3, size=50), rng.integers(2, size=50),
                           np.zeros(50, int))
    best = bc.nll(bc.fit_table(demos.observations, demos.actions, 3, 2), demos)
    for p in rng.dirichlet([1, 1], size=(300, 3)):
        assert bc.nll(bc.TableClone(p, p), demos) >= best


def test_an_unseen_state_gets_one_action_for_good():
    tables = [bc.fit_table([0], [1], 2000, 4, rng=seeded(5)) for _ in range(2)]
    np.testing.assert_array_equal(tables[0].policy, tables[1].policy)
    assert tables[0].policy[0].tolist() == [0, 1, 0, 0]
    assert set(tables[0].policy[1:].sum(1)) == {1.0} == set(tables[0].policy[1:].max(1))
    assert scipy.stats.chisquare(tables[0].policy[1:].sum(0)).pvalue > 0.001
    states = np.arange(2000)
    np.testing.assert_array_equal(tables[0](states), tables[0].sample(states, seeded()))
    table = bc.fit_table([0, 0], [1, 2], 2, 4)
    assert table([0]).tolist() == [1], "of equals the first"
    assert table.log_likelihood([0], [3])[0] == -np.inf


def test_table_draws_with_its_probabilities():
    table = bc.fit_table([0] * 10, [0] * 7 + [1] * 2 + [2], 1, 4)
    counts = np.bincount(table.sample(np.zeros(5000, int), seeded()), minlength=4)
    assert counts[3] == 0
    assert scipy.stats.chisquare(counts[:3], [3500, 1000, 500]).pvalue > 0.001


# --- what is refused ---------------------------------------------------------------

FIT = {
    "no updates": ({"updates": 0}, "updates is 0; it must be a positive whole"),
    "half an update": ({"updates": 2.5}, "updates is 2.5"),
    "batch": ({"batch": 0}, "batch is 0; it must be a positive whole"),
    "negative batch": ({"batch": -3}, "batch is -3"),
    "lr": ({"lr": 0}, "lr is 0 .* positive"),
    "lr nan": ({"lr": np.nan}, "lr is nan"),
    "weight_decay": ({"weight_decay": -1}, "weight_decay -1; .* 0 or more"),
    "layer": ({"hidden": (8, 0)}, r"hidden\[1\] is 0"),
    "head": ({"head": "softmax"}, "head is 'softmax'; .* 'auto' or 'categorical'"),
    "floats": ({"head": "gaussian"}, "head is 'gaussian'; for actions of int64"),
    "few actions": ({"n_actions": 2}, r"actions\[2\] is 2; legal are 0 ... 1"),
    "no actions": ({"n_actions": 0}, "n_actions is 0"),
    "network": ({"network": torch.nn.Linear(3, 5)}, r"network makes \(1, 5\) of \(1, 3\)"),
    "held out": ({"held_out": data(width=2)}, "2 numbers a row; .* fitted on 3"),
    "new choice": ({"held_out": Demonstrations(np.ones((1, 3)), [7], [0])},
                   r"actions\[0\] is 7; legal are 0 ... 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", FIT)
def test_a_wrong_argument_of_fit_is_refused(case):
    wrong, message = FIT[case]
    with pytest.raises(ValueError, match=message):
        bc.fit(data(), rng=seeded(), **{"updates": 2} | wrong)


def test_heads_and_actions_must_go_together():
    rng = seeded()
    with pytest.raises(ValueError, match="head is 'categorical'; for actions of float64"):
        bc.fit(data(k=1), head="categorical", rng=rng)
    with pytest.raises(ValueError, match="components is 0"):
        bc.fit(data(k=1), head="mixture", components=0, rng=rng)
    with pytest.raises(ValueError, match="n_actions is 3; float actions have none"):
        bc.fit(data(k=1), n_actions=3, rng=rng)
    with pytest.raises(TypeError, match=r"actions has shape \(60,\) of int64"):
        bc.fit(data(k=1), held_out=data(), updates=1, rng=rng)
    negative = Demonstrations([[1.0], [2.0]], [0, -1], [0, 0])
    with pytest.raises(ValueError, match=r"actions\[1\] is -1; legal are 0 ... 0"):
        bc.fit(negative, rng=rng)


def test_a_clone_refuses_what_it_was_not_fitted_on():
    clone, commands = bc.fit(data(), updates=1, rng=seeded()), CLONE
    for use in (clone, clone.probabilities, lambda o: clone.sample(o, seeded())):
        with pytest.raises(ValueError, match=r"shape \(5, 2\), 2 numbers a row; .* on 3"):
            use(np.ones((5, 2)))
        with pytest.raises(ValueError, match=r"shape \(3,\), 1 numbers .*pass obs\[None\]"):
            use(np.ones(3))
        with pytest.raises(ValueError, match=r"observations\[1\] is not finite"):
            use(np.array([[1, 2, 3], [1, np.nan, 3]]))
    with pytest.raises(TypeError, match="only choices have probabilities"):
        commands.probabilities(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"actions\[0\] is 3; legal are 0 ... 2"):
        clone.log_likelihood(np.ones((1, 3)), [3])
    with pytest.raises(TypeError, match=r"actions .* of float64; it must be \(B,\) int"):
        clone.log_likelihood(np.ones((1, 3)), [0.0])
    with pytest.raises(TypeError, match=r"shape \(1, 1\) .* must be \(B, 2\) floats"):
        commands.log_likelihood(np.ones((1, 3)), [[0.0]])
    with pytest.raises(TypeError, match="accuracy is for choices"):
        bc.accuracy(commands, data(k=2))


def test_a_table_refuses_what_it_does_not_know():
    wrong = {
        "states.1. is 2; legal are 0 ... 1": ([0, 2], [0, 0], 2, 2),
        "actions.0. is -1; legal are 0 ... 1": ([0, 1], [-1, 0], 2, 2),
        "states has 2 rows and actions 1": ([0, 1], [0], 2, 2),
    }
    for message, arguments in wrong.items():
        with pytest.raises(ValueError, match=message):
            bc.fit_table(*arguments)
    with pytest.raises(TypeError, match=r"states has shape \(1,\) of float64"):
        bc.fit_table([0.0], [0], 2, 2)
    for smoothing in (-1, np.inf, np.nan):
        with pytest.raises(ValueError, match="smoothing is"):
            bc.fit_table([0], [0], 2, 2, smoothing=smoothing)
    table = bc.fit_table([0], [0], 2, 2)
    with pytest.raises(ValueError, match=r"states\[0\] is 2"):
        table([2])
    with pytest.raises(ValueError, match=r"actions\[0\] is 2"):
        table.log_likelihood([0], [2])


# --- around it ---------------------------------------------------------------------


def test_the_progress_bar_can_be_shown():
    assert len(bc.fit(data(), updates=3, progress=True, rng=seeded()).loss_curve) == 3


def test_the_benchmark_against_imitation_starts():
    script = Path(__file__).parent / "benchmarks" / "bc_vs_imitation.py"
    shown = subprocess.run([sys.executable, script, "--help"], capture_output=True,
                           text=True, check=True)
    assert "--env" in shown.stdout
