"""The claims on real people, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest

from imitlib import bc, claims
from imitlib.chapters.ch02 import kitchen, kitchen_clones
from imitlib.envs import kitchen as world

CLAIM, ELSEWHERE = kitchen.CLAIMS
SEED = 1001  # one seed is enough to tell right from wrong, though not to conclude


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def fitted_once():
    """The same fit from the same generator is the same clone: keep it."""
    kept, fit = {}, bc.fit

    def remember(demos, *, rng, **how):
        data = demos.observations.tobytes(), demos.actions.tobytes()
        key = hash(data), str(rng.bit_generator.state), *how.items()
        if key not in kept:
            kept[key] = fit(demos, rng=rng, **how)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bc, "fit", remember)
        yield


@pytest.fixture(scope="module")
def right(fitted_once):
    """What the right library gives, once."""
    return claims.replay(CLAIM, [SEED])


def test_the_right_library_satisfies_the_predicate(right):
    assert CLAIM.holds(right)


WHOLE = [CLAIM.id]  # a whole recorded seed is measured here: `test_claims` need not


def test_the_right_library_gives_the_recorded_sample(right):
    assert claims.differences(CLAIM, right) == []


def test_what_the_page_runs_live_is_the_recorded_sample(right):
    live = kitchen.measure_live(SEED)
    assert {"acc_board", "soups_hand", "stay_greedy_board"} <= live.keys()
    assert all(right[name][0] == value for name, value in live.items())


# Wrong libraries --------------------------------------------------------------------


def each_learns_what_the_other_did(patch):
    decisions = kitchen_clones.decisions

    def swapped(*which, **side):
        demos = decisions(*which, **side)
        return replace(demos, actions=np.concatenate(np.split(demos.actions, 2)[::-1]))

    patch.setattr(kitchen, "decisions", swapped)


def judged_on_the_games_it_was_fitted_to(patch):
    decisions = kitchen_clones.decisions
    patch.setattr(
        kitchen, "decisions", lambda layout, view, test=False: decisions(layout, view)
    )


def greedy_draws(patch):
    actions = kitchen_clones.Pair.actions
    patch.setattr(
        kitchen_clones.Pair,
        "actions",
        lambda pair, seen: actions(
            replace(pair, mode="draw") if pair.mode == "greedy" else pair, seen
        ),
    )


def nobody_may_stay(patch):
    probabilities = bc.Clone.probabilities

    def busy(clone, observations):
        out = probabilities(clone, observations)
        if out.shape[1] == 6:
            out[:, world.STAY] = 0
        return out / out.sum(axis=1, keepdims=True)

    patch.setattr(bc.Clone, "probabilities", busy)


def in_the_kitchen_all_face_north(patch):
    """Trained on the right features, they play with one that is wrong."""
    see = kitchen_clones.hand_features

    def wrong(room, state):
        return see(room, replace(state, facing=np.full_like(state.facing, world.NORTH)))

    patch.setattr(kitchen_clones, "hand_features", wrong)


MUTANTS = [
    each_learns_what_the_other_did,
    judged_on_the_games_it_was_fitted_to,
    greedy_draws,
    nobody_may_stay,
    in_the_kitchen_all_face_north,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__)
def test_a_wrong_library_falsifies_the_claim(mutant, right, monkeypatch):
    mutant(monkeypatch)
    assert not CLAIM.holds(claims.replay(CLAIM, [SEED]))


# Figures ----------------------------------------------------------------------------


def test_alt_texts_are_computed_from_the_samples():
    samples, elsewhere = claims.recorded(CLAIM), claims.recorded(ELSEWHERE)
    changed = samples.values | {"soups_hand": samples["soups_hand"] + 7}
    other = replace(samples, values=changed)
    wide = [f"{s.mean('soups_hand'):.1f}" for s in (samples, other)]
    alts = [kitchen.fig_judges(s)[1] for s in (samples, other)]
    assert wide[0] in alts[0] and wide[1] in alts[1] and wide[1] not in alts[0]
    ring = f"{elsewhere.mean('soups_longer_ring'):.1f}"
    assert ring in kitchen.fig_kitchens(samples, elsewhere)[1].partition("ring")[2]
    figure, alt = kitchen.fig_kitchen()
    assert "Person 1 carries an onion" in alt and figure.get_size_inches()[0] <= 4.8
