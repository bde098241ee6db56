"""The claims at the wheel, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from imitlib import bc, claims, dagger, experts
from imitlib.chapters.ch02 import driving, enough, two_routes
from imitlib.demonstrations import Demonstrations, record
from imitlib.envs import detour, lane
from imitlib.experiments import Samples
from imitlib.experts import lane_expert
from imitlib.figures import png
from imitlib.heads import Mixture
from wrong_libraries import each, remembering

CLAIMS = {c.id: c for m in (driving, enough, two_routes) for c in m.CLAIMS}
SEEDS = (1000,)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer updates and carts than in the recorded samples: no mistake is subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driving, "UPDATES", 500)
        patch.setattr(driving, "CARTS", 60)
        patch.setattr(driving, "HELD_OUT", 40)
        patch.setattr(enough, "SIZES", (1, 4, 16))
        patch.setattr(enough, "UPDATES", 600)
        patch.setattr(enough, "COPIES", 8)
        patch.setattr(enough, "CARTS", 20)
        patch.setattr(two_routes, "UPDATES", 1000)
        patch.setattr(two_routes, "CARTS", 100)
        patch.setattr(bc, "fit", remembering(bc.fit))
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


def test_the_clone_copies_the_share_of_hanas_answers_that_theory_predicts(right):
    """Least squares with errors in the readings, against networks trained on them."""
    s = right["bc-low-error-still-crashes"]
    assert abs(s["answer_noise"] - s["predicted_noise"]) < 0.15
    assert abs(s["answer_clone"] - s["predicted_clone"]) < 0.1
    assert s["predicted_noise"] > 0.4 and s["predicted_clone"] < 0.01


def test_side_by_side_is_one_by_one():
    """Gymnasium's copies score a policy as single episodes do."""
    rng = np.random.default_rng(0)
    together = enough.play("MountainCar-v0", experts.mountain_car, rng, 40)
    single = record(gym.make("MountainCar-v0"), experts.mountain_car, 40, rng).returns()
    assert abs(together.mean() - single.mean()) < 2
    assert set(np.unique(together)) <= set(range(-200, 0))


def test_the_number_that_suffices_by_hand():
    """Within 5 % from some size on, and for good; a lucky first size does not count."""

    def answer(*returns):
        rows = np.array([returns], float)
        s = Samples((0,), {"lane": rows, "lane_expert": np.array([100.0])})
        return enough.enough(s, "lane")

    first, middle, last = enough.SIZES
    assert answer(95, 96, 100) == first
    assert answer(94, 95, 100) == middle
    assert answer(99, 94, 95) == last
    assert answer(100, 100, 94) == float("inf")


def test_figures_say_in_words_what_they_show(right):
    crash, two = right["bc-low-error-still-crashes"], right["bc-multimodal"]
    street = lane.Street()
    trip = lane.drive(
        street, None, lane_expert(street), 2, 50, np.random.default_rng(0)
    )
    figures = {
        driving.fig_crashes(crash): f"{crash.mean('crash_clone'):.0%}",
        driving.fig_small_error(crash): f"{crash.mean('error_clone'):.2f} degrees",
        driving.fig_why(crash): f"no fog {crash.mean('crash_clear'):.0%}",
        driving.fig_drives({"Hana": ("person", trip)}): "on the road at 5 s",
        enough.fig_enough(right["bc-supervised"]): "CartPole",
        two_routes.fig_chunks(two): f"{two['lost_squared'][0, 1]:.0%}",
    }
    for (fig, alt), words in figures.items():
        assert words in alt and png(fig, dpi=60).startswith(b"\x89PNG")


# Wrong libraries --------------------------------------------------------------------


def actions_come_one_step_late(patch):
    fit = bc.fit

    def wrong(demos, **options):
        late = np.concatenate([demos.actions[:1], demos.actions[:-1]])
        return fit(replace(demos, actions=late), **options)

    patch.setattr(bc, "fit", wrong)


def the_clone_is_never_trained(patch):
    fit = bc.fit

    def wrong(demos, *, updates=1, **options):
        return fit(demos, updates=1, **options)

    patch.setattr(bc, "fit", wrong)


def dagger_labels_with_the_learner(patch):
    in_lane = dagger.in_lane

    def wrong(street, expert, carts, steps):
        collect = in_lane(street, expert, carts, steps)

        def mislabelled(policy, beta, rng):
            new = collect(policy, beta, rng)
            own = new.actions if policy is None else policy(new.observations)
            return replace(new, actions=np.asarray(own, float))

        return mislabelled

    patch.setattr(dagger, "in_lane", wrong)


def dagger_forgets_the_earlier_rounds(patch):
    patch.setattr(Demonstrations, "join", lambda self, other: other)


def in_dagger_only_the_expert_drives(patch):
    patch.setattr(dagger, "betas", lambda rounds, decay=0.0: np.ones(rounds))


def the_kerb_is_no_crash(patch):
    step = lane.Lane.step
    patch.setattr(lane.Lane, "step", lambda self, steer: step(self, steer) & False)


def the_noise_is_never_executed(patch):
    drive = lane.drive

    def wrong(*args, noise=0.0, **options):
        return drive(*args, **options)

    patch.setattr(lane, "drive", wrong)


def the_mixture_answers_with_its_mean(patch):
    def average(self, outputs, rng):
        log_weights, means, _ = self.split(outputs)
        return self._own_units((log_weights.exp()[..., None] * means).sum(1).numpy())

    patch.setattr(Mixture, "sample", average)


def a_chunk_repeats_its_first_action(patch):
    chunk = two_routes.chunk

    def wrong(demos, k):
        chunks = chunk(demos, k)
        return replace(chunks, actions=np.repeat(chunks.actions[:, :1], k, axis=1))

    patch.setattr(two_routes, "chunk", wrong)


def nobody_falls_into_the_hole(patch):
    patch.setattr(
        detour.Detour, "lost", lambda self, metres, offset: np.abs(offset) > self.kerb
    )


def hana_always_goes_left(patch):
    demonstrate = detour.demonstrate

    def wrong(world, episodes, rng):
        demos = demonstrate(world, 3 * episodes, rng)
        rows = demos.observations.reshape(3 * episodes, world.steps, 2)
        left = np.flatnonzero(rows[:, 9, 1] > 0)[:episodes]
        return demos.take(left)

    patch.setattr(detour, "demonstrate", wrong)


MUTANTS = {
    "bc-low-error-still-crashes": [
        actions_come_one_step_late,
        dagger_labels_with_the_learner,
        dagger_forgets_the_earlier_rounds,
        in_dagger_only_the_expert_drives,
        the_kerb_is_no_crash,
        the_noise_is_never_executed,
    ],
    "bc-supervised": [
        actions_come_one_step_late,
        the_clone_is_never_trained,
        the_kerb_is_no_crash,
    ],
    "bc-multimodal": [
        the_mixture_answers_with_its_mean,
        a_chunk_repeats_its_first_action,
        nobody_falls_into_the_hole,
        hana_always_goes_left,
    ],
}


@each(MUTANTS)
def test_a_wrong_library_breaks_the_predicate(monkeypatch, claim_id, mutant):
    mutant(monkeypatch)
    with np.errstate(all="ignore"):
        assert not CLAIMS[claim_id].holds(samples(claim_id))
