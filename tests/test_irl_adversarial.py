"""GAIL and AIRL against what the theorems say, and divergences against integrals."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from imitlib import planning
from imitlib.irl import adversarial as adv
from imitlib.irl import divergences as dv
from imitlib.mdp import MDP

HABITS = np.linspace(-6, 6, 49)


@pytest.fixture
def world():
    """Eight states, three actions, chance; soft-optimal Hana and her occupancy."""
    rng = np.random.default_rng(3)
    mdp = MDP(rng.dirichlet(np.full(8, 0.4), size=(8, 3)), rng.normal(size=(8, 3)), 0.9,
              np.full(8, 1 / 8))
    policy = planning.soft_policy_iteration(mdp).policy
    return mdp, policy, planning.occupancy(mdp, policy)


# The judge ---------------------------------------------------------------------------


def test_the_ideal_judge_beats_every_other():
    """Maximises sum q log D + p log(1 - D): checked against many other judges."""
    rng = np.random.default_rng(0)
    q, p = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))

    def score(judge):
        return q @ np.log(judge) + p @ np.log(1 - judge)

    best = score(adv.ideal_judge(q, p))
    assert all(score(rng.uniform(0.01, 0.99, 6)) < best for _ in range(200))
    assert best == pytest.approx(adv.divergence(q, p) - 2 * np.log(2))
    assert (adv.ideal_judge([0.0, 1.0], [0.0, 0.0]) == [0.5, 1.0]).all()


@pytest.mark.parametrize("kind", adv.REWARDS)
def test_a_reward_is_the_slope_of_its_divergence(kind, world):
    """d divergence / d logits = - (policy gradient with the reward held still)."""
    mdp, _, q = world
    rng = np.random.default_rng(1)
    logits, move = rng.normal(size=(2, 8, 3))

    def far(eps):
        policy = softmax(logits + eps * move, axis=1)
        return adv.divergence(q, planning.occupancy(mdp, policy), kind)

    policy = softmax(logits, axis=1)
    d = planning.occupancy(mdp, policy)
    pays = adv.judge_reward(adv.ideal_judge(q, d), kind)
    values = planning.evaluate(mdp, policy, reward=pays)
    gain = planning.q_values(mdp, values, pays) - values[:, None]
    slope = (d * gain * move).sum() * (1 - mdp.discount)
    assert (far(1e-5) - far(-1e-5)) / 2e-5 == pytest.approx(-slope, rel=1e-6)


@pytest.mark.parametrize("kind", adv.REWARDS)
def test_divergences_are_zero_only_at_home(kind):
    rng = np.random.default_rng(2)
    q, p = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5))
    assert adv.divergence(3 * q, q, kind) == pytest.approx(0, abs=1e-14)
    assert adv.divergence(q, p, kind) > 0
    middle = (p + q) / 2
    kl = {"js": (p * np.log(p / middle)).sum() + (q * np.log(q / middle)).sum(),
          "log": 2 * (middle * np.log(middle / q)).sum(), "rev": (p * np.log(p / q)).sum()}
    assert adv.divergence(q, p, kind) == pytest.approx(
        list(kl.values())[adv.REWARDS.index(kind)])


# GAIL --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", adv.REWARDS)
def test_gail_ends_in_the_experts_occupancy(kind, world):
    mdp, policy, q = world
    end = adv.gail(mdp, q, reward=kind)
    assert np.abs(end.occupancy - q).max() < 1e-3
    assert np.abs(end.policy - policy).max() < 1e-3  # and so in her policy
    assert (np.diff(end.divergences) <= 0).all() and end.divergences[-1] < 1e-10


def test_gail_matches_every_reward_and_does_not_look_at_the_worlds(world):
    mdp, policy, q = world
    other = mdp.with_reward(np.zeros((8, 3)))
    end = adv.gail(other, 7 * q)  # nor at the scale of the occupancy
    rewards = np.random.default_rng(0).normal(size=(20, 8, 3))
    ours = planning.expected_return(mdp, end.policy, reward=rewards)
    np.testing.assert_allclose(
        ours, planning.expected_return(mdp, policy, reward=rewards), atol=1e-3)


def test_gail_comes_as_near_as_flows_allow(world):
    """From an occupancy that no policy has, no other policy is nearer."""
    mdp, _, q = world
    rng = np.random.default_rng(4)
    torn = q * rng.uniform(0.2, 3, size=q.shape)
    end = adv.gail(mdp, torn, rounds=150)
    logits = np.log(end.policy)
    assert end.divergences[-1] > 1e-3
    for size in (0.01, 0.1, 1.0):
        for move in rng.normal(size=(20, 8, 3)):
            near = np.exp(log_softmax(logits + size * move, axis=1))
            far = adv.divergence(torn, planning.occupancy(mdp, near))
            assert far > end.divergences[-1] - 1e-9


def corridor():
    moves = np.array([[1, 0], [2, 1], [2, 2]])
    return MDP(moves, np.zeros((3, 2)), 0.9, 0)


@pytest.mark.parametrize(("kind", "stays"), [("-log(1 - D)", 1.0), ("log D", 0.0)])
def test_unpaid_ends_make_it_linger_or_hurry(kind, stays):
    mdp = corridor()
    q = planning.occupancy(mdp, np.full((3, 2), 0.5))
    counted = adv.gail(mdp, q, reward=kind)
    unpaid = adv.gail(mdp, q, reward=kind, ends="unpaid", step=0.3, rounds=200)
    np.testing.assert_allclose(counted.policy[:2, 1], 0.5, atol=1e-3)
    # in the first cell: one cannot see the second without going there
    assert abs(unpaid.policy[1, 1] - stays) < 0.1


# AIRL --------------------------------------------------------------------------------


def ring(doors, rng):
    door = np.arange(doors)
    moves = np.stack([door + 1, door - 1], axis=1) % doors
    pays = rng.normal(size=doors)
    mdp = MDP(moves, np.repeat(pays[:, None], 2, axis=1), 0.9, np.full(doors, 1 / doors))
    return mdp, pays


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_airl_finds_reward_and_value_where_the_theorem_says_so(temperature):
    mdp, pays = ring(5, np.random.default_rng(0))
    plan = planning.soft_policy_iteration(mdp, temperature)
    end = adv.airl(mdp, planning.occupancy(mdp, plan.policy))
    for found, truth in ((end.g, pays), (end.h, plan.values)):
        off = temperature * found - truth
        np.testing.assert_allclose(off, off.mean(), atol=1e-5)
    np.testing.assert_allclose(end.f, np.log(plan.policy), atol=1e-5)
    assert end.gap < 1e-6 and end.judge_gap < 1e-6


def test_on_an_even_ring_turning_signs_are_invisible():
    """(g, h) + ((1 + γ), 1) with turning sign leaves f as it is: two answers, one judge."""
    mdp, _ = ring(6, np.random.default_rng(1))
    q = planning.occupancy(mdp, planning.soft_policy_iteration(mdp).policy)
    turns = (-1.0) ** np.arange(6)
    one, two = (adv.airl(mdp, q, start=(np.zeros(6), c * turns)) for c in (0, 1))
    np.testing.assert_allclose(one.f, two.f, atol=1e-5)
    np.testing.assert_allclose(
        two.g - one.g, 1.9 / (1 + 1.9**2) * turns, atol=1e-5)  # its share of the start


def test_a_judge_that_sees_the_action_returns_log_pi(world):
    mdp, policy, q = world
    end = adv.airl(mdp, q, state_only=False)
    np.testing.assert_allclose(end.f, np.log(policy), atol=1e-4)
    assert not end.h.any() and end.g is not None and end.g.shape == (8, 3)


def test_with_chance_the_form_is_too_narrow(world):
    mdp, _, _ = world
    pays = np.random.default_rng(5).normal(size=8)
    mdp = mdp.with_reward(np.repeat(pays[:, None], 3, axis=1))
    q = planning.occupancy(mdp, planning.soft_policy_iteration(mdp).policy)
    end = adv.airl(mdp, q)
    off = end.g - pays
    assert end.judge_gap > 0.01 and np.ptp(off) > 0.1


def test_the_judges_loss_is_at_its_least(world):
    """Newton's answer against small moves in every direction."""
    mdp, _, q = world
    pair, chance, form = adv._form(mdp, True)
    p = planning.occupancy(mdp, np.full((8, 3), 1 / 3))
    hers, its = (x.ravel()[pair] * chance * 0.1 for x in (q, p))
    offset = np.log(np.full(len(pair), 1 / 3))
    best = adv._logistic(form, offset, hers, its, np.zeros(16), 1e-9, most=50)

    def loss(theta):
        odds = form @ theta - offset
        return hers @ np.logaddexp(0, -odds) + its @ np.logaddexp(0, odds)

    for move in np.random.default_rng(0).normal(size=(50, 16)):
        assert loss(best + 0.01 * move) > loss(best) - 1e-12


# Divergences -------------------------------------------------------------------------


def test_f_divergences_by_their_usual_formulas():
    rng = np.random.default_rng(0)
    q, p = rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(7))
    m = (p + q) / 2
    usual = {
        "forward KL": (q * np.log(q / p)).sum(),
        "reverse KL": (p * np.log(p / q)).sum(),
        "Jensen-Shannon": ((q * np.log(q / m)).sum() + (p * np.log(p / m)).sum()) / 2,
        "total variation": np.abs(p - q).sum() / 2,
    }
    for kind, value in usual.items():
        assert dv.f_divergence(q, p, kind) == pytest.approx(value)
    assert 2 * dv.f_divergence(q, p, "Jensen-Shannon") == pytest.approx(adv.divergence(q, p))


@pytest.mark.parametrize("kind", ["forward KL", "reverse KL", "Jensen-Shannon"])
@pytest.mark.parametrize("apart", [1.5, 2.5, 4.0])
def test_no_hump_of_a_finer_grid_is_nearer(kind, apart):
    q = dv.two_habits(HABITS, apart, 0.4) + 1e-12
    q /= q.sum()
    end = dv.closest_hump(q, HABITS, kind)
    p = dv.hump(HABITS, end.mean, end.width)
    assert dv.f_divergence(q, p, kind) == pytest.approx(end.distance, abs=1e-9)
    others = [dv.f_divergence(q, np.maximum(dv.hump(HABITS, m, w), 1e-300), kind)
              for m in np.linspace(-4, 4, 41) for w in np.linspace(0.25, 4, 26)]
    assert min(others) > end.distance - 1e-9


def test_forward_kl_is_cloning_and_matches_two_moments():
    """The likeliest member of an exponential family has the expert's moments."""
    q = dv.two_habits(HABITS, 3.0, 0.4) + 1e-12
    q /= q.sum()
    end = dv.closest_hump(q, HABITS, "forward KL")
    both = np.stack([HABITS, HABITS**2], axis=1)
    assert dv.moment_gap(q, dv.hump(HABITS, end.mean, end.width), both) < 1e-3
    assert dv.moment_gap(q, dv.hump(HABITS, 0.0, 0.5), both) > 0.1


# What is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, q: adv.gail(m, q, reward="D"), "reward is 'D'; legal"),
        (lambda m, q: adv.gail(m, q, ends="no"), "ends is 'no'"),
        (lambda m, q: adv.gail(m, q, step=0), "step is 0"),
        (lambda m, q: adv.gail(m, q[:, :2]), "expert has shape"),
        (lambda m, q: adv.gail(m, -q), "at least 0"),
        (lambda m, q: adv.gail(m, 0 * q), "not 0 everywhere"),
        (lambda m, q: adv.gail(m, q * np.nan), "finite"),
        (lambda m, q: adv.airl(m, q, step=2), "step is 2"),
        (lambda m, q: adv.airl(m, q, ridge=0), "ridge is 0"),
        (lambda m, q: adv.airl(m, q, start=(np.zeros(3), np.zeros(3))), "start has 6"),
        (lambda m, q: adv.airl(m, q[:3]), "expert has shape"),
        (lambda m, q: adv.judge_reward(q, "no"), "reward is 'no'"),
        (lambda m, q: dv.f_divergence([1.0], [1.0], "KL"), "kind is 'KL'"),
        (lambda m, q: dv.f_divergence([0.5, 0.5], [1.0], "forward KL"), "learner has shape"),
        (lambda m, q: dv.f_divergence([1.0, 0.0], [0.5, 0.5], "forward KL"), "expert must"),
        (lambda m, q: dv.closest_hump([0.5, 0.5], [0, 1], "KL"), "kind is 'KL'"),
        (lambda m, q: dv.moment_gap([1.0], [1.0], [1.0]), "moments has shape"),
    ],
)
def test_bad_input_is_named(call, words, world):
    mdp, _, q = world
    with pytest.raises(ValueError, match=words):
        call(mdp, q)


def test_a_discount_of_one_and_a_world_that_is_all_end_are_refused():
    mdp = corridor()
    last = np.zeros((3, 2))
    last[2] = 1
    with pytest.raises(ValueError, match="nothing to judge"):
        adv.gail(mdp, last, ends="unpaid")
    flat = MDP(mdp.transitions, mdp.reward, 1.0, 0)
    for method in (adv.gail, adv.airl):
        with pytest.raises(ValueError, match="must be below 1"):
            method(flat, np.ones((3, 2)))
