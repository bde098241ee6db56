"""The three claims on the rope and at the crossing, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest

from imitlib import bc, claims, dagger
from imitlib.chapters.ch02 import compounding, crossing, horizon, on_paper
from imitlib.counting import TableClone
from imitlib.envs import crossing as cross
from imitlib.envs import tightrope as rope
from wrong_libraries import each, must_refute

CLAIMS = {c.id: c for m in (compounding, crossing, horizon) for c in m.CLAIMS}
SEEDS = (1000,)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer walkers than the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compounding, "WALKERS", 4000)
        patch.setattr(compounding, "HELD_OUT", 2000)
        patch.setattr(crossing, "CARTS", 1500)
        patch.setattr(horizon, "COPIES", {False: 4, True: 30})
        patch.setattr(horizon, "WALKED_STEPS", 32_000)
        yield


def samples(claim_id):
    return claims.replay(CLAIMS[claim_id], SEEDS)


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library gives, once."""
    return {claim_id: samples(claim_id) for claim_id in CLAIMS}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right[claim_id])


# Wrong libraries --------------------------------------------------------------------


def a_fall_costs_one_step(patch):
    step = rope.Tightrope.step
    patch.setattr(
        rope.Tightrope,
        "step",
        lambda self, *args: step(replace(self, recovery="easy"), *args),
    )


def the_walk_starts_on_the_ground(patch):
    walk = rope.walk

    def wrong(world, policy, walkers, rng):
        start = type(world).start

        def fallen(self, n, rng):
            seen = start(self, n, rng)
            seen[:, 1] = self.ground
            return seen

        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(type(world), "start", fallen)
            return walk(world, policy, walkers, rng)

    patch.setattr(rope, "walk", wrong)


def the_demonstrations_show_the_ladder(patch):
    demonstrate = rope.demonstrate

    def wrong(world, episodes, rng, policy=None, beta=0.0):
        demos = demonstrate(world, episodes, rng, policy, beta)
        extra = demos.first(1)
        ground = np.array([0, world.ground]) * np.ones_like(extra.observations)
        climbs = np.full_like(extra.actions, world.climb)
        return demos.join(replace(extra, observations=ground, actions=climbs))

    patch.setattr(rope, "demonstrate", wrong)


def unseen_gusts_get_the_right_lean(patch):
    build, fit_table, worlds = rope.build, bc.fit_table, []

    def remember(*args, **options):
        worlds.append(build(*args, **options))
        return worlds[-1]

    def all_knowing(states, actions, n_states, n_actions, rng=None, smoothing=0.0):
        table, world = fit_table(states, actions, n_states, n_actions, rng), worlds[-1]
        right = np.zeros((world.horizon, world.n_gusts + 1), int)
        right[:, :-1] = world.right
        right = right.reshape(-1)[:n_states]  # shared: the first step's rows are all
        policy = table.policy.copy()
        unseen = table.counts.sum(axis=1) == 0
        policy[unseen] = np.eye(n_actions)[right[unseen]]
        return TableClone(policy, table.counts)

    patch.setattr(rope, "build", remember)
    patch.setattr(bc, "fit_table", all_knowing)


def the_rarest_action_is_copied(patch):
    fit_table = bc.fit_table

    def wrong(states, actions, n_states, n_actions, rng=None, smoothing=0.0):
        table = fit_table(states, actions, n_states, n_actions, rng)
        rarest = np.eye(n_actions)[table.policy.argmin(axis=1)]
        return TableClone(rarest, table.counts)

    patch.setattr(bc, "fit_table", wrong)


def dagger_labels_with_the_learner(patch):
    taught = dagger.dagger

    def wrong(collect, fit, *, betas, rng):
        def mislabelled(policy, beta, rng):
            new = collect(policy, beta, rng)
            return (
                new
                if policy is None
                else replace(new, actions=policy(new.observations))
            )

        return taught(mislabelled, fit, betas=betas, rng=rng)

    patch.setattr(dagger, "dagger", wrong)


def in_dagger_only_the_expert_drives(patch):
    patch.setattr(dagger, "betas", lambda rounds, decay=0.0: np.ones(rounds))


def gusts_come_evenly(patch):
    patch.setattr(rope, "every_octave", lambda n: np.full(n, 1 / n))


def every_walk_is_the_same(patch):
    demonstrate = rope.demonstrate

    def wrong(world, episodes, rng, policy=None, beta=0.0):
        one = demonstrate(world, 1, rng)
        return replace(
            one,
            observations=np.tile(one.observations, (episodes, 1)),
            actions=np.tile(one.actions, episodes),
            rewards=np.tile(one.rewards, episodes),
            episodes=np.repeat(np.arange(episodes), world.horizon),
        )

    patch.setattr(rope, "demonstrate", wrong)


def every_table_is_shared(patch):
    index = rope.table_index
    patch.setattr(
        rope, "table_index", lambda world, seen, *, shared=True: index(world, seen)
    )


def the_next_light_is_shown_as_the_last_action(patch):
    look = cross.Crossing._look
    patch.setattr(
        cross.Crossing,
        "_look",
        lambda self, light, previous, rng: look(self, light, light, rng),
    )


def on_its_own_the_cart_is_told_what_hana_did(patch):
    step = cross.Crossing.step

    def wrong(self, seen, actions, rng):
        cost = (actions != seen[:, cross.LIGHT]).astype(float)
        return step(self, seen, seen[:, cross.LIGHT], rng)[0], cost

    patch.setattr(cross.Crossing, "step", wrong)


def the_camera_never_errs(patch):
    def look(self, light, previous, rng):
        return np.stack([light, light, previous], axis=1)

    patch.setattr(cross.Crossing, "_look", look)


MUTANTS = {
    "bc-compounding": [
        a_fall_costs_one_step,
        the_walk_starts_on_the_ground,
        the_demonstrations_show_the_ladder,
        unseen_gusts_get_the_right_lean,
        the_rarest_action_is_copied,
        dagger_labels_with_the_learner,
        in_dagger_only_the_expert_drives,
    ],
    "bc-causal-confusion": [
        the_next_light_is_shown_as_the_last_action,
        on_its_own_the_cart_is_told_what_hana_did,
        the_camera_never_errs,
        the_rarest_action_is_copied,
        dagger_labels_with_the_learner,
    ],
    "bc-horizon-free": [
        a_fall_costs_one_step,
        unseen_gusts_get_the_right_lean,
        gusts_come_evenly,
        every_walk_is_the_same,
        every_table_is_shared,
    ],
}


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right[claim_id]
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, samples(claim_id))


# Numbers and pictures ---------------------------------------------------------------


def test_the_same_seed_gives_the_same_sample(right):
    once, again = right["bc-causal-confusion"], samples("bc-causal-confusion")
    assert all(np.array_equal(once[n], again[n]) for n in once.values)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, -1.5])
def test_slope_of_a_power_law(power):
    x = np.array([3.0, 5.0, 17.0, 90.0])
    assert compounding.slope(x, 0.2 * x**power) == pytest.approx(power)
    assert np.isnan(compounding.slope(x, np.zeros(4)))


def test_the_bound_on_paper():
    # 20 gusts, 4 leans, 400 walks of 8 steps: 8 * (20 * 8) * log 4 / 400
    assert horizon.bound("per_step", 8, 400) == pytest.approx(3.2 * np.log(4))
    assert horizon.bound("shared", 8, 400) == pytest.approx(0.4 * np.log(4))
    assert horizon.bound("shared_end", 8, 400) == pytest.approx(0.05 * np.log(4))


def test_the_example_by_hand():
    example = on_paper.by_hand()
    assert example["counts"] == [[5, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert example["error"] == pytest.approx(0.1)
    assert example["off_none"] == pytest.approx([0.1, 0.19, 0.271])
    assert example["off_easy"] == pytest.approx([0.1, 0.09, 0.091])
    assert example["cost_none"] == pytest.approx(0.561)
    assert example["cost_easy"] == pytest.approx(0.281)


@pytest.mark.parametrize(
    ("claim_id", "draw"),
    [("bc-compounding", compounding.fig_compounding),
     ("bc-compounding", compounding.fig_prediction),
     ("bc-causal-confusion", crossing.fig_confusion),
     ("bc-horizon-free", horizon.fig_horizon)],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(right, claim_id, draw):
    from imitlib.figures import png

    fig, alt = draw(right[claim_id])
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


@pytest.mark.parametrize(("eps", "steps"), [(0.001, 50), (0.02, 200)])
def test_the_sliders_show_the_law(eps, steps):
    fig, text = on_paper.explore_costs(eps, steps)
    stays = sum(1 - (1 - eps) ** t for t in range(1, steps + 1))
    assert f"for {stays:.3g} steps" in text
    assert len(fig.axes[0].lines) == 5  # two laws, their walkers, and one step
