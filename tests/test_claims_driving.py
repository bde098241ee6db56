"""The claims at the wheel, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest

from imitlib import bc, claims, dagger
from imitlib.chapters.ch02 import driving, enough, two_routes
from imitlib.demonstrations import Demonstrations
from imitlib.envs import detour, lane
from imitlib.envs.lane import Street
from imitlib.experts import lane_expert
from imitlib.figures import png
from imitlib.heads import Mixture

CLAIMS = {c.id: c for m in (driving, enough, two_routes) for c in m.CLAIMS}
SEEDS = (1000,)


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


@pytest.mark.parametrize(
    ("claim_id", "mutant"),
    [(claim_id, mutant) for claim_id, mutants in MUTANTS.items() for mutant in mutants],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_wrong_library_breaks_the_predicate(monkeypatch, claim_id, mutant):
    mutant(monkeypatch)
    with np.errstate(all="ignore"):
        assert not CLAIMS[claim_id].holds(samples(claim_id))
