"""Inferring what is wanted: three claims of chapter 06, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes. The street's
claim is about eight methods, each measured by a function of its own: of that sample
only the part that the mutant touches is taken again.
"""

import numpy as np
import pytest

from imitlib import claims, irl, planning
from imitlib.chapters.ch06 import by_hand, one_world, optimality
from imitlib.demonstrations import Demonstrations
from imitlib.experiments import Samples, over_seeds
from imitlib.irl.likelihood import Likelihood

CLAIMS = {c.id: c for m in (one_world, by_hand, optimality) for c in m.CLAIMS}
SEED = {"irl-infers": 2001, "irl-hard-to-write": 1008, "irl-assumes-optimal": 3000}
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_remembered():
    one_world.street.cache_clear()
    yield
    one_world.street.cache_clear()


def replayed(claim_id) -> Samples:
    return over_seeds(CLAIMS[claim_id].measure, [SEED[claim_id]], progress=False)


@pytest.mark.parametrize("claim_id", SEED)
def test_the_right_library_satisfies_the_predicate(claim_id):
    assert CLAIMS[claim_id].holds(replayed(claim_id)) is True


# The street: a part at a time -----------------------------------------------------------


def with_part(part) -> Samples:
    """The recorded sample, with what one function measures taken again."""
    right = claims.recorded("irl-infers").subset([SEED["irl-infers"]])
    assert CLAIMS["irl-infers"].holds(right) is True
    again = {name: np.array([value], float) for name, value in part().items()}
    assert set(again) < set(right.values)
    return Samples(right.seeds, dict(right.values) | again)


def rng():
    return np.random.default_rng(SEED["irl-infers"])


def by_matching():
    return one_world.by_matching(rng())


def from_walks():
    return one_world.from_walks(rng())


def the_cone_is_turned_round(patch):
    right = irl.ng_russell.constraints
    patch.setattr("imitlib.irl.ng_russell.constraints", lambda *args: -right(*args))


def only_now_counts(patch):
    """The cone leaves out what comes later."""
    right = irl.ng_russell.constraints
    patch.setattr("imitlib.irl.ng_russell.constraints",
                  lambda mdp, *args: right(mdp.with_discount(0.0), *args))  # fmt: skip


def features_are_counted_for_three_steps(patch):
    right = irl.features.expected_features
    patch.setattr("imitlib.irl.apprenticeship.expected_features",
                  lambda mdp, policy, features: right(mdp, policy, features, 3))  # fmt: skip


def the_planner_seeks_the_worst(patch):
    right = irl.apprenticeship.best_policy
    for method in (irl.projection.__globals__["_match"], irl.mwal):
        patch.setitem(method.__globals__, "best_policy", lambda mdp, r: right(mdp, -r))


def the_last_policy_is_all_that_is_kept(patch):
    right = irl.apprenticeship.expected_features
    seen = []

    def wrong(mdp, policy, features):
        seen.append(right(mdp, policy, features))
        return seen[0] if len(seen) > 2 else seen[-1]

    patch.setattr("imitlib.irl.apprenticeship.expected_features", wrong)


def weight_goes_to_what_is_ahead(patch):
    right = irl.mwal.__globals__["np"].exp

    class Wrong:
        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def exp(x):
            return right(-x)

    patch.setitem(irl.mwal.__globals__, "np", Wrong())


def the_game_is_given_up(patch):
    right = one_world.irl.mwal
    patch.setattr(one_world.irl, "mwal", lambda mdp, mu, features, rounds: right(
        mdp, mu, features, 1))  # fmt: skip


def she_is_not_followed(patch):
    """The gradient leaves out where the inferred policy goes."""
    patch.setattr(Likelihood, "flow", lambda self, policy, source: source)


def luck_is_taken_as_it_comes(patch):
    """The path model averages over chance before the exponential, as it should not."""
    patch.setattr("imitlib.irl.maxent._log_of_mean_exp", lambda P, log_z: P @ log_z)


def the_chain_is_hot(patch):
    right = one_world.mcmc
    patch.setattr(one_world, "mcmc", lambda *args, temperature, **given: right(
        *args, temperature=30 * temperature, **given))  # fmt: skip


def what_was_done_is_turned(patch):
    right = one_world.walk

    def wrong(*args):
        walks = right(*args)
        return Demonstrations(walks.observations, (walks.actions + 1) % 4, walks.episodes)

    patch.setattr(one_world, "walk", wrong)


def the_network_is_not_trained(patch):
    right = one_world.deep_irl
    patch.setattr(one_world, "deep_irl",
                  lambda *args, **given: right(*args, **(given | {"updates": 1})))  # fmt: skip


STREET = [
    (one_world.by_program, the_cone_is_turned_round), (one_world.by_program, only_now_counts),
    (by_matching, features_are_counted_for_three_steps),
    (by_matching, the_planner_seeks_the_worst),
    (by_matching, the_last_policy_is_all_that_is_kept),
    (one_world.by_game, the_planner_seeks_the_worst),
    (one_world.by_game, weight_goes_to_what_is_ahead),
    (one_world.by_game, the_game_is_given_up),
    (one_world.two_entropies, luck_is_taken_as_it_comes),
    (from_walks, she_is_not_followed), (from_walks, the_chain_is_hot),
    (from_walks, what_was_done_is_turned), (from_walks, the_network_is_not_trained),
]  # fmt: skip


@pytest.mark.parametrize(("part", "mutant"), STREET, ids=lambda x: x.__name__)
def test_a_wrong_method_breaks_the_promise(monkeypatch, part, mutant):
    mutant(monkeypatch)
    assert CLAIMS["irl-infers"].holds(with_part(part)) is False


# Thirty weights, and six people ---------------------------------------------------------


def the_smallest_are_written_first(patch):
    right = np.argsort

    class Wrong:
        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def argsort(x):
            return right(-x)

    patch.setattr(by_hand, "np", Wrong())


def she_is_watched_drunk(patch):
    patch.setattr(by_hand, "soft_policy_iteration", lambda mdp, temperature: (
        planning.soft_policy_iteration(mdp, 1e3 * temperature)))  # fmt: skip


def the_weights_are_held_at_zero(patch):
    patch.setattr(by_hand, "PULL", 1e6)


def features_belong_to_the_state_beside(patch):
    right = by_hand.causal_entropy_irl
    patch.setattr(by_hand, "causal_entropy_irl", lambda mdp, *, features, **given: right(
        mdp, features=np.roll(features, 1, axis=0), **given))  # fmt: skip


def nothing_is_missing(patch):
    patch.setattr(by_hand, "LACKING", (0, 0, 0, 0))


def entropy_believes_in_no_tomorrow(patch):
    right = optimality.causal_entropy_irl
    patch.setattr(optimality, "causal_entropy_irl", lambda mdp, **given: right(
        mdp.with_discount(0.2), **given))  # fmt: skip


def bayes_has_seen_nothing(patch):
    patch.setattr(optimality, "DECISIONS", 0)


def matching_stops_at_once(patch):
    right = irl.max_margin
    patch.setattr(optimality.irl, "max_margin", lambda *args, tol, max_iters: right(
        *args, tol=tol, max_iters=1))  # fmt: skip


def the_program_is_told_the_opposite(patch):
    right = irl.linear_programming_irl
    patch.setattr(optimality.irl, "linear_programming_irl", lambda mdp, policy, **given: (
        right(mdp, np.roll(policy, 2, axis=1), **given)))  # fmt: skip


def there_is_no_wind(patch):
    patch.setattr(optimality, "with_wind", lambda mdp, chance: mdp)


def all_six_fall_short_by_less(patch):
    right = optimality.short
    patch.setattr(optimality, "short", lambda person, loss: right(person, loss, 0.1))


WHOLE = {
    "irl-hard-to-write": [
        the_smallest_are_written_first, she_is_watched_drunk, the_weights_are_held_at_zero,
        features_belong_to_the_state_beside, nothing_is_missing,
    ],
    "irl-assumes-optimal": [
        entropy_believes_in_no_tomorrow, bayes_has_seen_nothing,
        matching_stops_at_once, the_program_is_told_the_opposite, there_is_no_wind,
        all_six_fall_short_by_less,
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "mutant"), [(c, m) for c, mutants in WHOLE.items() for m in mutants],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)  # fmt: skip
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, claim_id, mutant):
    mutant(monkeypatch)
    assert CLAIMS[claim_id].holds(replayed(claim_id)) is False


def test_a_library_without_a_cafe_finds_no_liking_for_it(monkeypatch):
    claim = CLAIMS["irl-impatient-cafe"]
    assert claim.holds(claims.recorded(claim)) is True
    monkeypatch.setattr(optimality, "short", lambda person, loss, target: person(0.0))
    assert claim.holds(claims.recorded(claim)) is False


# Planted samples: each clause by itself -------------------------------------------------

BREAKS = {
    "irl-infers": [
        ("program_misses", None, 1e-3), ("program_margin", None, 0.5),
        ("zero_explains", None, 0.0), ("projection_rises", None, 1e-3),
        ("margin_rises", None, 1e-3), ("projection_gap", None, 0.2),
        ("margin_gap", None, 0.1), ("projection", None, 5.0), ("margin", None, 5.0),
        ("projection_distance", None, 0.2), ("margin_distance", None, 2e-3),
        ("game_slack", None, 0.1), ("game_value", None, -0.2), ("game", None, 4.0),
        ("game_matched", None, 4.0), ("paths_dry", None, 1e-3), ("paths_icy", None, 0.05),
        ("paths_hurried", None, 0.05), ("paths_slope", None, 1e-3),
        ("entropy_slope", None, 1e-3), ("entropy_peak", None, -1e-9),
        ("bayes_apart", None, 0.2), ("deep_gain", None, 0.1), ("deep_short", None, 0.5),
        ("program", None, 6.0), ("paths", None, 6.0), ("entropy", None, 6.0),
        ("bayes", None, 6.0), ("deep", None, 6.0), ("copy", None, 6.2), ("copy", 0, 6.5),
    ],
    "irl-hard-to-write": [
        ("written", (slice(None), 3), 0.1), ("written", (slice(None), 5), 0.01),
        ("written", (slice(None), 1), 0.1), ("written", (slice(None), 8), 0.02),
        ("inferred", (slice(None), 3), 0.02), ("copied", (0, 3), 0.0),
        ("inferred_forever", 0, 0.01), ("lacking", (slice(None), 0), 0.2),
        ("lacking", (slice(None), 0), 0.011), ("lacking", slice(None), 0.04),
        ("written_lacking", (slice(None), 1), 0.001),
    ],
    "irl-assumes-optimal": [
        ("own_discount", 0, 0.3), ("own_horizon", None, 0.3), ("matching_error", 0, 0.3),
        ("matching_herself", 0, 0.5), ("entropy_herself", 0, 0.01),
        ("entropy_temperature", 0, 0.01), ("entropy_noise", None, 0.035),
        ("entropy_discount", None, 0.001), ("entropy_horizon", None, 0.25),
        ("program_noise", None, 0.1), ("program_dynamics", None, 0.3),
        ("bayes_temperature", None, 0.3),
    ],
    "irl-impatient-cafe": [
        ("own_impatient", None, 0.3), ("own_patient", None, 0.06),
        ("entropy_impatient", None, 1e-3), ("entropy_patient", None, 1e-3),
        ("cafe_patient", None, 0.1), ("cafe_impatient", None, 0.5),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "name", "place", "value"),
    [(claim_id, *b) for claim_id, breaks in BREAKS.items() for b in breaks],
)
def test_every_clause_can_be_broken(claim_id, name, place, value):
    recorded = claims.recorded(claim_id)
    values = {k: v.copy() for k, v in recorded.values.items()}
    values[name][slice(None) if place is None else place] = value
    assert CLAIMS[claim_id].holds(recorded) is True
    assert CLAIMS[claim_id].holds(Samples(recorded.seeds, values)) is False
