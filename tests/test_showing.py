"""One walk to learn from: against lists of all walks, dynamic programming and derivatives."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from imitlib import irl, planning
from imitlib.chapters.ch09 import showing as chapter
from imitlib.cirl import showing
from imitlib.cirl.showing import Walks, listed_walks, losses, response
from imitlib.envs.grid import GridWorld

SIDE, STEPS = 3, 3
WORLD = GridWorld("...\n...\n...", wait=True, start=(1, 1))
MDP = WORLD.mdp(discount=1.0)
RNG = np.random.default_rng(3)
PHI = RNG.uniform(0, 1, (9, 2))
THETA = np.array([0.8, -0.6])


def every_walk():
    """States entered on each of the 125 walks, one by one."""
    for actions in product(range(5), repeat=STEPS):
        state, entered = 4, []
        for a in actions:
            state = int(MDP.transitions[state, a])
            entered.append(state)
        yield tuple(entered)


@pytest.fixture(scope="module")
def walks():
    visits, ways = listed_walks(MDP, 4, STEPS)
    return Walks(PHI[visits].sum(axis=1), ways, temperature=0.7)


ALL = np.array([PHI[list(w)].sum(axis=0) for w in every_walk()])


def test_every_walk_is_listed_once():
    visits, ways = listed_walks(MDP, 4, STEPS)
    there = Counter(tuple(sorted(w)) for w in every_walk())
    assert {tuple(v): w for v, w in zip(visits.tolist(), ways.tolist())} == there


def test_the_field_of_the_chapter():
    mdp, met, ways, middle, cells = chapter.field(chapter.SIDE, chapter.STEPS)
    assert len(ways) == 363
    assert ways.sum() == chapter.GIVEN["showing.all-walks"] == 625
    assert cells[middle].tolist() == [3, 3] and (met.sum(axis=1) == chapter.STEPS).all()


def test_bumps():
    cells = np.array([[0, 0], [0, 6], [6, 0], [6, 6], [3, 3]])
    made = chapter.bumps(np.random.default_rng(1), cells, 4)
    centre = np.random.default_rng(1).uniform(0, 6, (4, 2))
    assert made[4, 2] == pytest.approx(np.exp(-np.linalg.norm([3, 3] - centre[2]) ** 2 / 2))


def test_chances_are_those_of_all_walks_and_of_dynamic_programming(walks):
    odds = np.exp(ALL @ THETA / 0.7)
    log_z, p = walks.chances(THETA)
    assert log_z == pytest.approx(np.log(odds.sum()))
    assert p @ walks.features == pytest.approx(odds @ ALL / odds.sum())
    paid = (PHI @ THETA)[MDP.transitions]
    assert log_z == pytest.approx(irl.paths(MDP, paid, STEPS, temperature=0.7).log_partition[4])
    both = walks.chances(np.stack([THETA, 2 * THETA]))
    assert both[0][0] == pytest.approx(log_z) and both[1].sum(axis=1) == pytest.approx(1)
    assert np.isfinite(walks.chances(1e5 * THETA)[0])


@pytest.mark.parametrize("l2", [3.0, 0.01])
def test_the_estimate_is_that_of_maximum_entropy(walks, l2):
    shown = walks.features[[0, 7, 20]]
    found = walks.read(shown, l2)
    step = PHI[MDP.transitions]  # (S, A, k)
    for f, row in zip(shown, found):
        which = next(w for w in every_walk() if np.allclose(PHI[list(w)].sum(axis=0), f))
        counts = np.bincount(np.array(which) * 5 + 4, minlength=45).reshape(9, 5) * 1.0
        other = irl.maxent_2008(MDP, features=step, horizon=STEPS, occupancy=counts, l2=l2,
                                temperature=0.7)  # waiting in a cell meets it
        assert row == pytest.approx(other.w, abs=1e-5)
    assert walks.read(shown, l2, start=found + 0.3) == pytest.approx(found, abs=1e-6)


def test_the_estimate_is_at_the_top(walks):
    shown = walks.features[[5]]
    found = walks.read(shown, 0.5)[0]

    def objective(theta):
        return theta @ shown[0] / 0.7 - walks.chances(theta)[0] - 0.25 * theta @ theta

    for e in 1e-4 * np.eye(2):
        slope = (objective(found + e) - objective(found - e)) / 2e-4
        assert slope == pytest.approx(0, abs=1e-7)
        assert objective(found + e) < objective(found) > objective(found - e)


def test_the_belief_is_bayes(walks):
    thetas = np.array([[1.0, 0], [0, 1], [-1, 0.5]])
    odds = np.exp(ALL @ thetas.T / 0.7)
    for number in (0, 11):
        f = walks.features[number]
        likely = np.exp(thetas @ f / 0.7) / odds.sum(axis=0)
        there = likely @ thetas / likely.sum()
        assert walks.believe(f[None], thetas)[0] == pytest.approx(there)
    log_z = np.log(odds.sum(axis=0))
    assert walks.believe(f[None], thetas, log_z)[0] == pytest.approx(there)


def test_the_heuristic_by_hand(walks):
    p = np.exp(ALL @ THETA / 0.7)
    hoped = p @ ALL / p.sum()
    etas = [0, 0.1, 0.5, 3]
    score = [[f @ THETA - eta * sum((hoped - f) ** 2) for f in ALL] for eta in etas]
    for row, number in zip(score, walks.heuristic(THETA, etas)):
        assert walks.features[number] == pytest.approx(ALL[np.argmax(row)])


def test_the_divergence_is_the_sum(walks):
    others = np.array([[0.1, 0.2], [-1, 1], THETA])
    p = walks.chances(THETA)[1]
    q = walks.chances(others)[1]
    there = (p * (np.log(p) - np.log(q))).sum(axis=1)
    assert walks.divergence(THETA, others) == pytest.approx(there, abs=1e-12)
    assert walks.divergence(THETA, others)[2] == pytest.approx(0, abs=1e-12)


def test_losses_are_those_of_walks_and_of_planning(walks):
    believed = RNG.normal(size=(6, 2))
    got = losses(MDP, PHI, THETA, believed, STEPS)
    assert got.shape == (6, 9) and got.min() >= -1e-12
    assert losses(MDP, PHI, THETA, THETA[None], STEPS) == pytest.approx(np.zeros((1, 9)))
    best = (ALL @ THETA).max()
    for theta, row in zip(believed, got):
        assert row[4] == pytest.approx(best - ALL[(ALL @ theta).argmax()] @ THETA)
        plan = planning.backward_induction(MDP, STEPS, reward=(PHI @ theta)[MDP.transitions])
        true = (PHI @ THETA)[MDP.transitions]
        worth = np.zeros(9)
        for policy in plan.policy[::-1]:
            worth = (policy * (true + worth[MDP.transitions])).sum(axis=1)
        top = planning.backward_induction(MDP, STEPS, reward=true).values[0]
        assert row == pytest.approx(top - worth)


@pytest.mark.parametrize("at_once", [1, 4, 100])
@pytest.mark.parametrize("weight", [0, 0.5, 1])
def test_the_response_is_the_best_of_all(weight, at_once):
    for _ in range(20):
        hers, his = RNG.integers(0, 9, (2, 30)) * 1.0
        both = his + weight * hers
        number, least = response(hers, his.__getitem__, weight, at_once)
        assert least == both.min() == both[number]
        assert hers[number] == hers[both == both.min()].min()


def test_walks_that_cannot_be_best_are_not_tried():
    tried = []

    def his(which):
        tried.extend(which)
        return np.full(len(which), 2.0)

    assert response(np.array([5.0, 0, 1, 3, 2]), his, at_once=1) == (1, 2.0)
    assert tried == [1, 2]
    assert response(np.array([4.0, 1.0]), lambda w: np.array([3.0, 0.0])[1 - w]) == (1, 4.0)


def test_the_exact_response_on_a_tiny_field(monkeypatch):
    """All walks, read one by one, with losses from the list of walks."""
    for name, value in {"SIDE": 3, "STEPS": 2, "LISTED": 20}.items():
        monkeypatch.setattr(chapter, name, value)
    for seed in range(5):
        world = chapter.draw(np.random.default_rng(seed), 3)
        got = chapter.one_world(*world)
        rng = np.random.default_rng(seed)
        mdp, met, ways, middle, cells = chapter.field(3, 2)
        phi, theta = chapter.bumps(rng, cells, 3), rng.uniform(-1, 1, 3)
        walks = Walks(met @ phi, ways)
        worth = walks.features @ theta
        rows = []
        for number, f in enumerate(walks.features):
            read = walks.read(f[None], chapter.L2)[0]
            lost = worth.max() - worth[(walks.features @ read).argmax()]
            rows.append((lost, lost + worth.max() - worth[number]))
        rows = np.array(rows)
        assert got["", "response"][1] == pytest.approx(rows[:, 1].min())
        assert got["", "lesson"][0] == pytest.approx(rows[:, 0].min())
        assert got["", "expert"] == pytest.approx(rows[worth.argmax()])
        asleep = worth.max() - np.repeat(worth, ways.astype(int)).mean()
        up = sum(phi[[1, 1]] @ theta)  # the first action, and again, into the wall
        assert chapter.untaught(*world) == pytest.approx((asleep, worth.max() - up))


def test_what_is_lost_and_saved_at_a_temperature(monkeypatch):
    for name, value in {"SIDE": 3, "STEPS": 2, "LISTED": 20}.items():
        monkeypatch.setattr(chapter, name, value)
    mdp, _, _, middle, _ = chapter.field(3, 2)
    for seed in range(5):
        phi, theta, _, walks = world = chapter.draw(np.random.default_rng(seed), 3)
        cold = Walks(walks.features, walks.ways, 0.2)
        worth, there = cold.features @ theta, []
        for where in (middle, slice(None)):
            lost = [losses(mdp, phi, theta, cold.read(f[None], chapter.L2), 2)[:, where].mean()
                    for f in cold.features]  # fmt: skip
            both = np.array(lost) + worth.max() - worth
            there += [lost[worth.argmax()], both[worth.argmax()] - both.min()]
        assert chapter.read_at(0.2, *world) == pytest.approx(there)


def test_a_share_and_its_interval():
    rng = np.random.default_rng(0)
    whole = rng.uniform(1, 2, 40)
    exact = chapter.share("x", 0.3 * whole, whole)
    assert list(exact) == ["x", "x.low", "x.high"]
    assert list(exact.values()) == pytest.approx([0.3] * 3)
    part = 0.3 * whole + rng.normal(0, 0.2, 40)
    got = chapter.share("x", part, whole)
    again = rng.integers(0, 40, (4000, 40))  # drawn with replacement
    low, high = np.quantile(part[again].sum(axis=1) / whole[again].sum(axis=1), (0.025, 0.975))
    assert got["x"] == pytest.approx(part.sum() / whole.sum())
    assert got["x.high"] - got["x.low"] == pytest.approx(high - low, rel=0.1)


@pytest.mark.parametrize(("wrong", "words"), [
    (lambda w: listed_walks(GridWorld("S..", slip=0.1).mdp(1.0), 0, 2), "nothing slips"),
    (lambda w: listed_walks(MDP, 9, 2), "start is 9"),
    (lambda w: listed_walks(MDP, 0, 0), "horizon"),
    (lambda w: Walks(PHI, np.ones(8)), "must be (M, k)"),
    (lambda w: Walks(PHI, np.zeros(9)), "ways above 0"),
    (lambda w: Walks(PHI, np.ones(9), 0.0), "temperature"),
    (lambda w: w.read(PHI[0], 1.0), "shown has shape (2,)"),
    (lambda w: w.read(PHI, 0.0), "l2"),
    (lambda w: w.read(PHI, 1.0, start=PHI[:, :1]), "start has shape (9, 1)"),
    (lambda w: w.believe(PHI, PHI[:, :1]), "thetas has shape (9, 1)"),
    (lambda w: w.chances(np.ones(3)), "theta has shape (3,)"),
    (lambda w: w.heuristic(THETA, [-1.0]), "etas is"),
    (lambda w: w.heuristic(THETA, []), "etas"),
])  # fmt: skip
def test_bad_input_is_named(walks, wrong, words):
    with pytest.raises(ValueError) as raised:
        wrong(walks)
    assert words in str(raised.value)


def test_an_estimate_that_is_not_found_is_refused(walks, monkeypatch):
    monkeypatch.setattr(showing, "MOST_STEPS", 2)
    with pytest.raises(ValueError, match="l2 is 0.01"):
        walks.read(walks.features[:3], 0.01)
