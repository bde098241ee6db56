"""The claims of chapter 07 on what is left open, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false. Then each clause of
each predicate is broken by samples that are planted.
"""

import numpy as np
import pytest

from imitlib import claims, planning
from imitlib.chapters.ch07 import bias, distances, family, gate, on_paper
from imitlib.experiments import Samples
from imitlib.figures import png
from imitlib.mdp import MDP
from imitlib.planning.soft import soft_policy_iteration
from imitlib.rewards import distances as room
from imitlib.rewards import shaping

CLAIMS = {c.id: c for m in (family, gate, bias, distances) for c in m.CLAIMS}
# one recorded seed each; for the bias one in which the random start is caught out
SEEDS = dict.fromkeys(CLAIMS, (1000,)) | {"ill-implicit-bias": (1003,)}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def right():
    return {name: claims.replay(claim, SEEDS[name]) for name, claim in CLAIMS.items()}


@pytest.fixture(autouse=True)
def nothing_remembered():
    yield
    for cache in (gate.street, gate.walks):
        cache.cache_clear()


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right[claim_id])


# Wrong libraries -------------------------------------------------------------------------


def shaping_forgets_the_discount(patch):
    def wrong(mdp, reward, values):
        reward = mdp.reward if reward is None else reward
        return reward + np.asarray(values)[..., None] - mdp.next_values(values)

    patch.setattr(shaping, "shape", wrong)


def directions_forget_what_comes_next(patch):
    right = shaping.shaping_directions
    patch.setattr(shaping, "shaping_directions", lambda mdp: right(mdp.with_discount(0.0)))


def shaping_pays_and_takes_nothing_back(patch):
    right = shaping.shape
    patch.setattr(shaping, "shape", lambda mdp, reward, values: right(
        mdp, reward, np.zeros_like(values)) + np.asarray(values)[..., None])  # fmt: skip


def the_family_has_one_member(patch):
    right = shaping.explaining_reward

    def wrong(mdp, policy, values=None, temperature=1.0):
        return right(mdp, policy, values if values is None else 0 * values, temperature)

    patch.setattr(shaping, "explaining_reward", wrong)


def the_walk_goes_through_walls(patch):
    patch.setattr(shaping, "hit_and_run", lambda rows, start, n, rng, **options: (
        start + 0.3 * rng.normal(size=(n, len(start)))))  # fmt: skip


def the_walk_stays_where_it_began(patch):
    patch.setattr(shaping, "hit_and_run", lambda rows, start, n, rng, **options: (
        np.tile(start, (n, 1))))  # fmt: skip


def the_cone_looks_at_this_step_alone(patch):
    right = family.constraints
    patch.setattr(
        family, "constraints",
        lambda mdp, policy: right(mdp.with_discount(0.0), policy))  # fmt: skip


def every_temperature_is_the_same(patch):
    right = family.soft_value_iteration
    patch.setattr(
        family, "soft_value_iteration",
        lambda mdp, temperature, **given: right(mdp, 1.0, **given))  # fmt: skip


def no_fence_goes_up(patch):
    right = family.square
    patch.setattr(family, "square", lambda goal, closed=(), **given: right(goal, **given))


def the_gate_stays(patch):
    right = gate.gate_maze
    for module in (gate, bias, distances):
        patch.setattr(
            module, "gate_maze",
            lambda gate, start, goal, *, other=None, **given: right(
                min(gate, other), start, goal, other=max(gate, other), **given))  # fmt: skip


def the_barrier_stays(patch):
    right = gate.street
    patch.setattr(gate, "street", lambda barrier: right(gate.BOTTOM))


def transitions_are_paid_without_discount(patch):
    right = shaping.shape_transitions

    def wrong(mdp, reward, values):
        values = np.asarray(values)
        return right(mdp, reward, values) - (1 - mdp.discount) * values

    patch.setattr(shaping, "shape_transitions", wrong)
    patch.setattr(distances, "shape_transitions", wrong)


def the_least_is_the_habit(patch):
    def wrong(mdp, reward=None):
        reward = mdp.reward if reward is None else reward
        plan = soft_policy_iteration(mdp, gate.TEMPERATURE, reward=reward)
        return shaping.explaining_reward(mdp, plan.policy, temperature=gate.TEMPERATURE)

    for module in (shaping, distances, room):
        patch.setattr(module, "minimum_norm", wrong)


def every_search_begins_at_zero(patch):
    right = bias.causal_entropy_irl
    patch.setattr(
        bias, "causal_entropy_irl",
        lambda mdp, *, w0=None, **given: right(mdp, **given))  # fmt: skip


def decay_is_forgotten(patch):
    right = bias.causal_entropy_irl
    patch.setattr(
        bias, "causal_entropy_irl",
        lambda mdp, *, l2=0.0, **given: right(mdp, **given))  # fmt: skip


def steps_begin_beside_zero(patch):
    right = bias.gradient_ascent

    def wrong(mdp, **given):
        return right(mdp, w0=np.full(mdp.reward.size, 0.01), **given)

    patch.setattr(bias, "gradient_ascent", wrong)


def states_are_pairs(patch):
    right = bias.causal_entropy_irl

    def wrong(mdp, *, features, w0=None, **given):
        if features == "states":  # the weights of pairs, begun where the clone would
            start = bias.TEMPERATURE * np.log(given["policy"]).ravel()
            return right(mdp, features="pairs", w0=start, **given)
        return right(mdp, features=features, w0=w0, **given)

    patch.setattr(bias, "causal_entropy_irl", wrong)


def the_judge_cannot_tell(patch):
    right = bias.gail
    patch.setattr(bias, "gail", lambda *a, rounds, **given: right(*a, rounds=0, **given))


def adam_has_one_scale_for_all(patch):
    def wrong(mdp, steps, rate, **asked):
        end = bias.gradient_ascent(mdp, **asked, step=0.01, steps=20)
        return end.reward

    patch.setattr(bias, "adam", wrong)


def epic_takes_nothing_out(patch):
    patch.setattr(room, "epic_canonical", room._on_transitions)


def starc_takes_nothing_out(patch):
    patch.setattr(room, "minimum_norm", lambda mdp, reward: reward)


def dard_is_epic(patch):
    patch.setitem(distances.MEASURES, "dard", room.epic)


def distances_are_never_negative_correlations(patch):
    """The sign of a reward is lost on the way."""
    for name, right in tuple(distances.MEASURES.items()):
        patch.setitem(
            distances.MEASURES, name,
            lambda mdp, a, b, right=right: min(right(mdp, a, b), right(mdp, a, -b)))  # fmt: skip


def the_world_never_changes(patch):
    right = distances.drawn_world
    patch.setattr(
        distances, "drawn_world", lambda rng: right(np.random.default_rng(5)))  # fmt: skip


def planning_for_a_guess_is_planning_for_the_truth(patch):
    right = distances.regrets
    patch.setattr(
        distances, "regrets", lambda mdp, truth, guesses: right(
            mdp, truth, [truth] * len(guesses)))  # fmt: skip


MUTANTS = {
    "ill-many-rewards": [
        shaping_forgets_the_discount, shaping_pays_and_takes_nothing_back,
        the_family_has_one_member, the_walk_goes_through_walls, the_walk_stays_where_it_began,
        the_cone_looks_at_this_step_alone, every_temperature_is_the_same, no_fence_goes_up,
    ],
    "ill-transfer": [
        shaping_forgets_the_discount, the_family_has_one_member, the_gate_stays,
        the_barrier_stays, transitions_are_paid_without_discount, the_least_is_the_habit,
    ],
    "ill-implicit-bias": [
        directions_forget_what_comes_next, the_gate_stays, the_least_is_the_habit,
        every_search_begins_at_zero, decay_is_forgotten, steps_begin_beside_zero,
        states_are_pairs, the_judge_cannot_tell, adam_has_one_scale_for_all,
    ],
    "ill-distance": [
        the_gate_stays, transitions_are_paid_without_discount, the_least_is_the_habit,
        epic_takes_nothing_out, starc_takes_nothing_out, dard_is_epic,
        distances_are_never_negative_correlations, the_world_never_changes,
        planning_for_a_guess_is_planning_for_the_truth,
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "mutant"),
    [(claim_id, m) for claim_id, mutants in MUTANTS.items() for m in mutants],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    mutant(monkeypatch)
    wrong = claims.replay(CLAIMS[claim_id], SEEDS[claim_id])
    assert {n: v.shape for n, v in wrong.values.items()} == {
        n: v.shape for n, v in right[claim_id].values.items()}  # fmt: skip
    assert CLAIMS[claim_id].holds(wrong) is False


# Every clause ----------------------------------------------------------------------------

# name, value in every seed; several names separated by a blank get the same value
PLANTED = {
    "ill-many-rewards": [
        ("zero_inside", -1), ("guesses_inside", 30), ("walked_inside", 0.99), ("directions", 24),
        ("lost_today", 1e-3), ("lost_most lost_least", 0.3), ("lost", 0.01),
        ("members_differ", 1e-6), ("spread", 0.5), ("beside_differ", 1e-6),
        ("redistributed_differ", 1e-6), ("scaled_differ", 1e-6), ("open", 24), ("open_cells", 2),
        ("open_transitions", 216), ("open_temperature", 25),
    ],
    "ill-transfer": [
        *((f"{p}_differs_{a}", 1e-8) for p in ("town", "maze", "drawn") for a in gate.ACCOUNTS),
        ("town_before_habit", 4.0), ("drawn_before_least", 1.0),
        ("town_after_habit", -3.9), ("town_after_deposit", -3.9), ("town_stays_habit", 0.4),
        ("town_stays_deposit", 0.1), ("town_after_wish", 3.2), ("town_after_least", 3.2),
        ("town_after_again", 3.2), ("maze_after_wish", 13.27), ("maze_after_habit", 0.1),
        ("drawn_after_habit", 0.1), ("drawn_clone_after", 0.1), ("maze_after_least", 13.1),
        ("maze_after_again", 13.1), ("drawn_after_wish", 0.9), ("drawn_after_least", 0.9),
        ("drawn_after_again", 0.9),
    ],
    "ill-implicit-bias": [
        *((f"moved_{m}", 1e-3) for m in ("zero", "random", "warm", "path")),
        ("along_decay", 0.1), ("along_adam", 0.01), ("along_habit", 1),
        *((f"transfer_{m} predicted_{m}", 0.85) for m in ("zero", "decay", "states")),
        *((f"transfer_{m} predicted_{m}", 0.15) for m in ("warm", "judge")),
        *((f"predicted_{m}", 0.5) for m in ("zero", "decay", "states", "warm", "judge")),
        ("transfer_early", 0.5), ("transfer_random", 0.9), ("predicted_random", 0.5),
        ("transfer_patched", 0.6),
        *((f"misfit_{m}", 0.1) for m in ("zero", "random", "warm", "judge")),
    ],
    "ill-distance": [
        *((f"shaped_{n}", 0.01) for n in distances.MEASURES),
        *((f"opposite_{n}", 0.9) for n in distances.MEASURES),
        ("lost_between", 0.1), ("lost_nowhere", 0.1), ("between_starc", 0.1),
        ("nowhere_starc", 0.1), ("between_epic", 0.1), ("nowhere_epic", 0.1),
        ("between_dard", 0.05), ("nowhere_dard", 0.005), ("same_starc", 0.6),
        ("same_dard", 0.35), ("same_dard", 0.8), ("changed_epic", 0.4), ("same_epic", 0.6),
        ("changed_starc", 0.8), ("changed_dard", 0.1),
        ("maze_habit_epic_before", 0.7), ("maze_habit_starc_before", 0.1),
        ("maze_habit_starc_after", 0.2), ("maze_least_starc_after", 0.3),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "names", "value"),
    [(claim_id, *planted) for claim_id, rows in PLANTED.items() for planted in rows],
)
def test_each_clause_can_be_broken(claim_id, names, value):
    fine = claims.recorded(claim_id)
    assert CLAIMS[claim_id].holds(fine) is True
    wrong = {name: np.full_like(fine[name], value) for name in names.split()}
    assert CLAIMS[claim_id].holds(Samples(fine.seeds, {**fine.values, **wrong})) is False


# Pieces ------------------------------------------------------------------------------------


def test_the_maze_of_the_literature():
    maze = gate.gate_maze(0, 2, 2, other=4)
    assert maze.n_states == 22
    plan = planning.value_iteration(maze)
    assert planning.expected_return(maze, plan.policy) == pytest.approx(20 * 0.95**8)
    blocked = [s for s in range(22) if s not in maze.transitions[np.arange(22) != s]]
    assert blocked == [11]  # the other gate is a state that nobody can enter
    above = gate.gate_maze(0, "above", 2, other=4)
    assert above.start[:10] == pytest.approx(0.1) and not above.start[10:].any()


def test_the_street_is_loaf_street_with_its_barrier():
    for barrier in (gate.TOP, gate.BOTTOM):
        town = gate.Town("hana", door=gate.DOOR, gives_up=False)
        whole = town.mdp("true", gate.DISCOUNT, roadworks=barrier)
        street = gate.street(barrier)
        for world in (whole, street):
            best = planning.value_iteration(world)
            returns = planning.expected_return(world, best.policy)
            steps = 11 if barrier == gate.BOTTOM else 13
            paid = 10 * 0.95 ** (steps - 1) - 0.2 * (1 - 0.95**steps) / 0.05
            assert returns == pytest.approx(paid)


def test_a_square_of_cells():
    mdp = family.square(goal=3, closed=(10, 11))
    chance = mdp.dense()
    assert chance.sum(axis=2) == pytest.approx(1)
    inside = np.delete(np.arange(25), [10, 11])
    assert not chance[np.ix_(inside, range(5), (10, 11))].any()
    assert chance[7, 1, 8] == pytest.approx(0.9) and chance[7, 1, 2] == pytest.approx(0.05)
    assert chance[7, 4, 7] == 1 and mdp.reward[3, 0] == 1
    assert mdp.start[10] == 0 and mdp.start[0] == pytest.approx(1 / 23)


def test_the_derivative_of_the_policy_by_theory():
    """d log π = (dQ - dV) / λ with dV = (I - γ P_π)^-1 π dr."""
    rng = np.random.default_rng(0)
    chance = rng.dirichlet(np.ones(4), size=(4, 2))
    mdp = MDP(chance, rng.normal(size=(4, 2)), 0.8)
    policy = soft_policy_iteration(mdp, 0.5).policy
    slope = family.invisible(mdp, mdp.reward, 0.5)
    change = rng.normal(size=(4, 2))
    chain = np.einsum("sa,sat->st", policy, chance)
    dv = np.linalg.solve(np.eye(4) - 0.8 * chain, (policy * change).sum(axis=1))
    expected = (change + 0.8 * chance @ dv - dv[:, None]) / 0.5
    np.testing.assert_allclose(slope @ change.ravel(), expected.ravel(), atol=1e-5)
    assert family.nullity(slope) == 4


def test_gradients_are_orthogonal_to_shaping_for_any_demonstrations():
    rng = np.random.default_rng(0)
    mdp = gate.gate_maze(1, 0, 3, other=2)
    shown = [(rng.integers(22, size=9), rng.integers(5, size=9)) for _ in range(3)]
    for _ in range(3):
        w = rng.normal(size=mdp.reward.size)
        value, slope = bias.objective(mdp, w, shown, "pairs", temperature=0.7)
        values = rng.normal(size=22)
        along = shaping.shape(mdp, np.zeros(mdp.reward.shape), values).ravel()
        assert abs(slope @ along) < 1e-9 * np.linalg.norm(slope) * np.linalg.norm(along)
        shifted, _ = bias.objective(mdp, w + along, shown, "pairs", temperature=0.7)
        assert shifted == pytest.approx(value, abs=1e-9)


def test_adam_by_its_first_step():
    """After one step every number has moved by the rate, in its gradient's direction."""
    mdp = gate.gate_maze(1, "above", 3, other=2)
    policy = soft_policy_iteration(mdp, 0.3).policy
    asked = {"policy": policy, "features": "pairs", "temperature": 0.3}
    slope = bias.objective(mdp, np.zeros(mdp.reward.size), **asked)[1]
    step = bias.adam(mdp, 1, 0.05, **asked).ravel()
    seen = np.abs(slope) > 1e-4
    np.testing.assert_allclose(step[seen], 0.05 * np.sign(slope[seen]), rtol=1e-3)


def test_regret_is_none_for_the_truth_and_more_for_its_negative():
    rng = np.random.default_rng(0)
    mdp = distances.drawn_world(rng)
    truth = rng.normal(size=(16, 3, 16))
    same, opposite = distances.regrets(mdp, truth, [truth, -truth])
    assert same == pytest.approx(0, abs=1e-12) and opposite > 1
    between = distances.between_outcomes(mdp, rng)
    assert (mdp.dense() * between).sum(axis=2) == pytest.approx(0)
    assert distances.rank_correlation([1, 2, 3], [1, 10, 100]) == pytest.approx(1)
    assert distances.rank_correlation([1, 1, 1], [1, 2, 3]) == 0


# What the page works out by hand -------------------------------------------------------------


def test_the_corner_on_paper():
    given = on_paper.GIVEN
    door = 4 / (1 - 0.5)
    assert given["hand.door"] == door and given["hand.corner"] == given["hand.side"] == door / 2
    assert given["hand.today_round"] == door / 4
    assert given["hand.east"] == 0 - door / 2 + door / 2
    assert given["hand.round"] == 0 - door / 2 + door / 4 == -given["hand.charge"]
    assert given["hand.at_door"] == 4 - door + door / 2
    assert given["hand.wish_round"] == door / 4 and given["hand.wish_east"] == door / 8
    assert given["hand.habit_east"] == 0 and given["hand.habit_round"] == -2


def test_the_walks_of_the_hook_and_of_the_idea():
    went = gate.walks()
    door = (3, 7)
    assert len({tuple(went[a, "before"]) for a in gate.ACCOUNTS}) == 1
    assert went["wish", "before"][-1] == went["wish", "after"][-1] == door
    assert (1, 5) in went["wish", "before"] and (6, 3) in went["wish", "after"]
    assert went["habit", "after"][-1] == (1, 4) and went["least", "after"][-1] == door
    assert set(went["deposit", "after"][-4:]) == {(6, 2), (6, 3)}
    _, alt = gate.fig_hook()
    assert "Rollo at (1, 4)" in alt and "13 steps" in alt


@pytest.mark.parametrize(
    ("t", "does"), [(-1.0, "pushes"), (0.25, "pushes"), (0.5, "arrives"), (1.0, "arrives"),
                    (2.0, "goes to and fro")],
)  # fmt: skip
def test_the_slider(t, does):
    fig, text = on_paper.explore_size(t)
    assert f"likeliest walk {does}" in text and png(fig)[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("claim_id", "draw"),
    [("ill-many-rewards", family.fig_cone), ("ill-transfer", gate.fig_transfer),
     ("ill-implicit-bias", bias.fig_bias), ("ill-distance", distances.fig_distances)],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(claim_id, draw):
    fig, alt = draw(claims.recorded(claim_id))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


def test_the_bars_are_what_was_foretold_and_the_marks_the_samples():
    s = claims.recorded("ill-implicit-bias")
    lines = iter(bias.fig_bias(s)[0].axes[0].lines)
    for method in bias.SAID:
        np.testing.assert_array_equal(next(lines).get_xdata(), s[f"transfer_{method}"])
        if method in bias.PREDICTED:
            assert next(lines).get_xdata() == pytest.approx(s.mean(f"predicted_{method}"))
    assert next(lines, None) is None


def test_drawings_by_hand():
    for fig, alt in (on_paper.fig_hand(), on_paper.fig_idea()):
        assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
