"""The claims on exact likelihoods, moved walls and Gymnasium's worlds, and what breaks them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

import numpy as np
import pytest
from scipy.special import log_softmax

from imitlib import claims, planning
from imitlib.chapters.ch06 import exact, frozen_lake, transfer
from imitlib.counting import TableClone
from imitlib.experiments import Samples
from imitlib.irl import bayesian, likelihood, maxent

CLAIMS = {c.id: c for m in (exact, transfer, frozen_lake) for c in m.CLAIMS}
SEEDS = (1000,)
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_remembered():
    frozen_lake.both.cache_clear()
    yield
    frozen_lake.both.cache_clear()


def samples(claim_id):
    """Fewer numbers of walks than the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "WALKS", (3, 100))
        return claims.replay(CLAIMS[claim_id], SEEDS)


@pytest.fixture(scope="module")
def right():
    return {claim_id: samples(claim_id) for claim_id in CLAIMS}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right[claim_id])


# Wrong libraries ------------------------------------------------------------------------


def visits_are_not_discounted(patch):
    """The commonest mistake: discounted plans, undiscounted counts of where they lead."""
    flow = likelihood.Likelihood.flow

    def wrong(self, policy, source):
        if self.horizon is not None:
            return flow(self, policy, source)
        later, total = source, source.copy()
        for _ in range(30):
            later = self.mdp.matrix.T @ (policy * later[:, None]).ravel()
            total += later
        return total

    patch.setattr(likelihood.Likelihood, "flow", wrong)


def the_first_state_is_forgotten(patch):
    missing = likelihood.Likelihood._missing

    def wrong(self):
        out = missing(self)
        return np.full_like(out, out.mean())

    patch.setattr(likelihood.Likelihood, "_missing", wrong)


def it_plans_with_half_the_discount(patch):
    plan = likelihood.Likelihood.plan

    def wrong(self, scaled):
        whole = self.mdp
        self.mdp = whole.with_discount(whole.discount / 2)
        try:
            return plan(self, scaled)
        finally:
            self.mdp = whole

    patch.setattr(likelihood.Likelihood, "plan", wrong)


def it_looks_no_step_ahead(patch):
    patch.setattr(
        likelihood.Likelihood, "plan",
        lambda self, scaled: np.broadcast_to(log_softmax(scaled, axis=1), self.n.shape))


def the_likelihood_is_the_dual(patch):
    call = likelihood.Likelihood.__call__
    patch.setattr(
        likelihood.Likelihood, "__call__", lambda self, w, dual=False: call(self, w, True))


def nothing_is_inferred(patch):
    back = likelihood.linear

    def wrong(mdp, features):
        k, reward, _ = back(mdp, features)
        return k, reward, lambda flow: np.zeros(k)

    patch.setattr(likelihood, "linear", wrong)


def luck_is_left_to_the_world(patch):
    """Maximum entropy over paths that takes the mean of values, not of their exponents."""

    def wrong(P, log_z):
        return P @ log_z

    patch.setattr(maxent, "_log_of_mean_exp", wrong)


def rewards_have_the_wrong_sign(patch):
    find = transfer.causal_entropy_irl

    def wrong(*args, **options):
        found = find(*args, **options)
        return type(found)(**(vars(found) | {"reward": -found.reward, "w": -found.w}))

    for module in (transfer, frozen_lake):
        patch.setattr(module, "causal_entropy_irl", wrong)


def the_walls_stay(patch):
    streets, first = transfer.streets, []

    def wrong(wanted, rng):
        first.append(streets(wanted, rng))
        return first[0]

    patch.setattr(transfer, "streets", wrong)


def the_goal_moves_too(patch):
    streets, made = transfer.streets, []

    def wrong(wanted, rng):
        made.append(streets(wanted if not made else np.roll(wanted, 17), rng))
        return made[-1]

    patch.setattr(transfer, "streets", wrong)


def the_copy_forgets(patch):
    def wrong(states, actions, n_states, n_actions, **_):
        even = np.full((n_states, n_actions), 1 / n_actions)
        return TableClone(even, np.zeros_like(even, int))

    for module in (transfer, frozen_lake):
        patch.setattr(module, "fit_table", wrong)


def the_weather_never_changes(patch):
    both = frozen_lake.both
    patch.setattr(frozen_lake, "both", lambda kind, *given: both(kind, given[0], given[0]))


def accidents_are_not_seen(patch):
    events = frozen_lake.events
    patch.setattr(
        frozen_lake, "events", lambda env: events(env) * np.array([1.0, 0.0, 1.0]))


def belief_stays_as_it_was(patch):
    patch.setattr(
        bayesian, "log_likelihoods", lambda mdp, rewards, *rest: np.zeros(len(rewards)))


MUTANTS = {
    "irl-exact": [
        visits_are_not_discounted,
        the_first_state_is_forgotten,
        it_plans_with_half_the_discount,
        it_looks_no_step_ahead,
        the_likelihood_is_the_dual,
        nothing_is_inferred,
        luck_is_left_to_the_world,
    ],
    "irl-transfers": [
        nothing_is_inferred,
        rewards_have_the_wrong_sign,
        the_walls_stay,
        the_goal_moves_too,
        the_copy_forgets,
    ],
    "irl-elsewhere": [
        rewards_have_the_wrong_sign,
        the_weather_never_changes,
        accidents_are_not_seen,
        belief_stays_as_it_was,
        the_copy_forgets,
        nothing_is_inferred,
    ],
}


@pytest.mark.parametrize(
    ("claim_id", "mutant"),
    [(claim_id, m) for claim_id, mutants in MUTANTS.items() for m in mutants],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right[claim_id]
    mutant(monkeypatch)
    wrong = samples(claim_id)
    assert list(wrong.values) == list(fine.values)
    assert all(wrong[n].shape == fine[n].shape for n in fine.values)
    assert CLAIMS[claim_id].holds(wrong) is False


# Planted samples: each clause by itself -------------------------------------------------

BREAKS = {
    "irl-exact": [
        ("slopes", 0, 1e-3), ("slopes", 3, 1e-3), ("recovered", 0, 1e-3),
        ("recovered", 3, 1e-3), ("assumed", 4, 1e-3), ("assumed", 5, 1e-9),
        ("assumed", 0, 1e-3), ("assumed", -1, 1e-3), ("cut_likelihood", None, 1e-3),
        ("cut_dual", None, 0.0), ("predicted_slope", None, 0.0), ("dual", 1, 0.0),
        ("likelihood", 2, 0.0), ("projected", 1, 0.0), ("reached", None, 0.0),
        ("reached", None, -50.0), ("slope_there", None, 1.0), ("gap_certain", None, 1e-3),
        ("gap_discounted", None, 0.0), ("gap_chance", None, 0.0),
        ("lottery_causal", None, 0.6), ("lottery_paths", None, 0.5),
    ],
    "irl-transfers": [
        ("copy_same", -1, 0.5), ("irl_same", -1, 0.5), ("copy_moved", 0, 0.9),
        ("hana_moved", None, 0.9), ("irl_moved", -1, 0.9), ("endless_moved", None, 0.9),
    ],
    "irl-elsewhere": [
        ("steady_entropy_new", 1, 0.5), ("steady_entropy_new", 2, 0.5),
        ("steady_entropy_new", 3, 0.5), ("steady_entropy_watched", 0, 0.5),
        ("steady_copy_watched", 0, 0.5), ("steady_copy_watched", 1, 0.5),
        ("steady_copy_new", 2, 0.9), ("steady_copy_new", 1, 0.1),
        ("steady_entropy_new", 0, 0.9), ("noisy_entropy_new", 0, 0.9),
        ("noisy_entropy_new", 3, 0.9), ("noisy_bayes_new", 0, 0.9),
        ("noisy_bayes_watched", 3, 0.9),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "name", "place", "value"),
    [(claim_id, *b) for claim_id, breaks in BREAKS.items() for b in breaks],
)
def test_every_clause_can_be_broken(claim_id, name, place, value):
    recorded = claims.recorded(claim_id)
    values = {k: v.copy() for k, v in recorded.values.items()}
    if place is None:
        values[name][:] = value
    else:
        values[name][:, place] = value
    assert CLAIMS[claim_id].holds(recorded) is True
    assert CLAIMS[claim_id].holds(Samples(recorded.seeds, values)) is False


def test_on_every_seed_the_reward_beats_the_copy():
    recorded = claims.recorded("irl-transfers")
    values = {k: v.copy() for k, v in recorded.values.items()}
    values["copy_moved"][3, -1] = values["irl_moved"][3, -1]
    assert transfer.transfer_holds(Samples(recorded.seeds, values)) is False


# Numbers and pictures -------------------------------------------------------------------


def test_the_same_seed_gives_the_same_sample(right):
    once, again = right["irl-transfers"], samples("irl-transfers")
    assert all(np.array_equal(once[n], again[n]) for n in once.values)


def test_streets_are_joined_and_walls_have_two_sides():
    rng = np.random.default_rng(0)
    mdp = transfer.streets(np.arange(36.0), rng)
    ahead = mdp.transitions
    for cell, way in np.argwhere(ahead[:, :4] != np.arange(36)[:, None]):
        there = ahead[cell, way]
        assert ahead[there, (way + 2) % 4] == cell
        assert there - cell == (-6, 1, 6, -1)[way]
    met = {0}
    for _ in range(36):
        met |= {int(s) for cell in met for s in ahead[cell]}
    assert len(met) == 36
    assert (ahead[:, 4] == np.arange(36)).all()
    np.testing.assert_array_equal(mdp.reward[:, 0], np.arange(36))


def test_events_are_what_the_tables_pay():
    """In Gymnasium's own rewards: -1 a step, -10 or -100 an accident, 20 an arrival."""
    import gymnasium as gym

    for kind, pays in (("Taxi-v4", (-1, -9, 21)), ("CliffWalking-v1", (-1, -99, 0)),
                       ("FrozenLake-v1", (0, 0, 1))):  # fmt: skip
        env = gym.make(kind)
        mdp = frozen_lake.to_mdp(env, 0.9)
        met = planning.state_distributions(mdp, np.full(mdp.reward.shape, 1 / mdp.n_actions),
                                           200).any(axis=0)  # fmt: skip
        paid = frozen_lake.events(env) @ pays
        np.testing.assert_allclose(paid[met], mdp.reward[met], atol=1e-12)


@pytest.mark.parametrize(
    ("claim_id", "draw", "words"),
    [("irl-exact", exact.fig_unbounded, "no top"),
     ("irl-exact", exact.fig_discounts, "0.9 alone"),
     ("irl-transfers", transfer.fig_transfer, "only the copy fails"),
     ("irl-elsewhere", frozen_lake.fig_elsewhere, "causal entropy fails")],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(claim_id, draw, words):
    from imitlib.figures import png

    fig, alt = draw(claims.recorded(claim_id))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert words in alt and any(character.isdigit() for character in alt)


def test_the_marks_are_the_samples():
    s = claims.recorded("irl-transfers")
    ax = transfer.fig_transfer(s)[0].axes[0]
    drawn = [tuple(np.round(line.get_ydata(), 9)) for line in ax.lines
             if len(line.get_ydata()) == len(s["irl_same"][0])]  # fmt: skip
    for name in ("irl_same", "irl_moved", "copy_same", "copy_moved"):
        assert tuple(np.round(s[name].mean(axis=0), 9)) in drawn
    s = claims.recorded("irl-exact")
    top = exact.fig_unbounded(s)[0].axes[0].lines
    assert any(np.allclose(line.get_ydata(), s["dual"].mean(axis=0)) for line in top)
    derived = exact.derived(s)
    assert derived["worst_slope"] == s["slopes"].max()
    assert derived["worst_recovered"] == s["recovered"].max()
    assert derived["dual_climb"] == pytest.approx(
        s.mean("predicted_slope") * exact.AMOUNTS[-1])
