"""Details of the rooms of chapters 06 and 07 that no other test looks at."""

import numpy as np
import pytest

from imitlib import irl, planning, rewards
from imitlib.irl import adversarial as adv
from imitlib.irl import causal_entropy, deep, maxent
from imitlib.irl import divergences as dv
from imitlib.mdp import MDP
from imitlib.rewards import identify

RNG = np.random.default_rng
GO = MDP([[0, 1], [1, 0]], np.zeros(2), 0.5, start=0)  # stay or go


def world(seed=0, discount=0.9, S=6, A=3):
    rng = RNG(seed)
    return MDP(rng.dirichlet(np.full(S, 0.5), (S, A)), np.zeros((S, A)), discount,
               np.full(S, 1 / S)), rng


def test_r_max_scales_reward_and_margin():
    policy = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = irl.linear_programming_irl(GO, policy, r_max=10.0)
    np.testing.assert_allclose(found.reward, [-10, 10])
    assert found.margin == pytest.approx(20)


def test_an_action_that_is_taken_now_and_then_is_none_of_the_others():
    mdp = MDP([[1, 2, 3], [1, 1, 1], [2, 2, 2], [3, 3, 3]], np.zeros(4), 0.5)
    mixed = np.array([[0.5, 0.5, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    found = irl.linear_programming_irl(mdp, mixed)
    assert irl.explains(mdp, mixed, found.reward)
    assert found.margin == pytest.approx(2)  # V(1) = V(2) = 2, V(3) = -2, once discounted
    mixed[0] = 1 / 3  # now nothing is left that she never does there
    assert irl.linear_programming_irl(mdp, mixed).margin == pytest.approx(0)


def test_the_one_policy_of_a_mixture_is_even_where_the_mixture_never_comes():
    mdp = MDP([[0, 1], [1, 0], [2, 0]], np.zeros(3), 0.5, start=0)
    found = irl.projection(mdp, [1.5, 0.5, 0.0])
    np.testing.assert_allclose(found.policy(mdp)[2], [0.5, 0.5])


@pytest.mark.parametrize("algorithm", [irl.projection, irl.max_margin])
def test_no_weight_is_negative_though_the_expert_is_out_of_reach(algorithm):
    found = algorithm(GO, [5.0, -3.0], max_iters=5)
    assert found.weights.min() > 0 and found.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.mu, [2, 0])  # as near as anybody can be: she stays


def test_the_gap_of_one_round_by_hand():
    """She stays for ever: mu = [2, 0]. From [1.5, .5] that is sqrt(1/2) along w, and all."""
    found = irl.projection(GO, [5.0, -3.0], max_iters=1)
    assert found.gap == pytest.approx(np.sqrt(0.5))
    assert found.distances[0] - found.distances[1] == pytest.approx(found.gap)


def test_the_slack_of_the_game_knows_the_range_of_features_of_both_signs():
    features = np.array([[1.0, -1.0], [-1.0, 1.0]])
    found = irl.mwal(GO, [0.0, 0.0], features, 50)
    assert found.slack == pytest.approx(2 / (1 - 0.5) * np.sqrt(np.log(2) / 100))


def test_maxent_watches_a_policy_for_its_horizon_only():
    mdp, rng = world(1)
    policy, features = rng.dirichlet(np.ones(3), 6), rng.normal(size=(6, 3, 2))
    shown = planning.occupancy(mdp, policy, horizon=4)
    one, two = (maxent.maxent_2008(mdp, features=features, horizon=4, l2=0.1, **given).w
                for given in ({"policy": policy}, {"occupancy": shown}))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_search_that_was_cut_off_does_not_say_it_converged():
    mdp, rng = world(2)
    policy = rng.dirichlet(np.ones(3), 6)
    for found in (maxent.maxent_2008(mdp, policy=policy, horizon=5, max_iters=1),
                  irl.causal_entropy_irl(mdp, policy=policy, max_iters=1),
                  irl.gradient_ascent(mdp, policy=policy, steps=2)):
        assert not found.converged and found.gradient_norm > 1e-4


def test_the_log_likelihood_leaves_the_penalty_out():
    mdp, rng = world(3)
    n = planning.occupancy(mdp, rng.dirichlet(np.ones(3), 6))
    found = irl.causal_entropy_irl(mdp, occupancy=n, features="pairs", l2=0.5)
    assert found.log_likelihood == pytest.approx((n * np.log(found.policy)).sum())


def test_with_a_horizon_a_policy_is_shown_with_its_discount():
    mdp, rng = world(4, discount=0.6)
    policy, w = rng.dirichlet(np.ones(3), 6), rng.normal(size=6)
    steps = planning.state_distributions(mdp, policy, 4) * 0.6 ** np.arange(4)[:, None]
    shown = steps[:, :, None] * policy
    one, two = (causal_entropy.objective(mdp, w, horizon=4, **given)[0]
                for given in ({"policy": policy}, {"occupancy": shown}))
    assert one == pytest.approx(two)


def test_a_network_s_policy_is_soft_at_the_temperature():
    mdp, rng = world(5)
    found = deep.deep_irl(mdp, policy=rng.dirichlet(np.ones(3), 6), updates=20,
                          temperature=0.3, rng=rng)
    hers = planning.soft_policy_iteration(mdp, 0.3, reward=found.reward).policy
    np.testing.assert_allclose(found.policy, hers, atol=1e-8)


def test_weight_decay_keeps_a_network_s_reward_small():
    mdp, rng = world(6)
    policy = rng.dirichlet(np.ones(3), 6)
    free, held = (deep.deep_irl(mdp, policy=policy, updates=150, lr=0.05, weight_decay=d,
                                rng=RNG(0)).reward for d in (0.0, 2.0))
    assert np.ptp(held) < 0.7 * np.ptp(free)


def test_gail_s_judge_is_the_ideal_one_of_its_own_occupancy():
    mdp, rng = world(7)
    expert = rng.uniform(0.1, 1, (6, 3))  # of no policy, so that the judge can tell
    end = adv.gail(mdp, expert, rounds=20)
    ideal = adv.ideal_judge(expert / expert.sum(), end.occupancy * (1 - 0.9))
    np.testing.assert_allclose(end.judge, ideal)


def test_the_gap_of_a_judge_that_sees_the_action_is_a_mean_over_both_diaries():
    mdp, rng = world(8)
    expert = rng.uniform(0.1, 1, (6, 3))
    end = adv.airl(mdp, expert, state_only=False, rounds=1, step=0.1)
    q, p = expert / expert.sum(), end.occupancy * (1 - 0.9)
    says = np.exp(end.f) / (np.exp(end.f) + end.policy)
    gap = ((p + q) / 2 * np.abs(says - adv.ideal_judge(q, p))).sum()
    assert end.judge_gap == pytest.approx(gap) and gap > 1e-3


def test_the_second_habit_is_to_the_right_with_its_share():
    choices = np.linspace(-6, 6, 49)
    q = dv.two_habits(choices, 4.0, 0.3)
    assert q[choices > 0].sum() == pytest.approx(0.3, abs=1e-3)
    assert q @ choices == pytest.approx(0.3 * 2 - 0.7 * 2)


def test_the_learner_is_never_narrower_than_it_can_be():
    choices = np.linspace(-6, 6, 49)
    q = np.maximum(dv.hump(choices, 1.0, 0.4), 1e-12)
    end = dv.closest_hump(q / q.sum(), choices, "forward KL", narrowest=1.0)
    assert end.width >= 1.0 and end.distance > 0.1


def test_a_moment_gap_has_no_sign():
    q, p, moments = [0.25, 0.75], [0.75, 0.25], np.array([[0.0, 1], [2.0, 1]])
    assert dv.moment_gap(q, p, moments) == dv.moment_gap(p, q, moments) == 1.0


def test_dard_looks_where_the_world_goes():
    mdp, rng = world(9)
    a, b = rng.normal(size=(2, 6, 3, 6))
    weights = (mdp.dense() / 18).ravel()
    rho = np.cov(*(rewards.dard_canonical(mdp, r).ravel() for r in (a, b)), aweights=weights)
    rho = rho[0, 1] / np.sqrt(rho[0, 0] * rho[1, 1])
    assert rewards.dard(mdp, a, b) == pytest.approx(np.sqrt((1 - rho) / 2))


def test_misfit_is_the_largest_difference_in_a_probability():
    policy = identify.soft_policy(GO, np.zeros((2, 2))) + [[0.3, -0.3], [0, 0]]
    assert identify.misfit(GO, np.zeros((2, 2)), policy) == pytest.approx(0.3)


def test_a_larger_box_is_larger_on_every_side():
    walk = rewards.hit_and_run(np.zeros((0, 2)), [0.0, 0.0], 500, RNG(0), box=3.0)
    assert walk.min() < -2 and walk.max() > 2
