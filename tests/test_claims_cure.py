"""The claims about the second morning, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from imitlib import claims
from imitlib.chapters.ch07 import cure, gallery, gate, sign, yards
from imitlib.rewards import identify
from wrong_libraries import along, planted

CLAIMS = {c.id: c for m in (cure, gallery, sign) for c in m.CLAIMS}
SEEDS = {"ill-cure-design": (1000, 1001, 1002)}  # a claim about averages


pytestmark = pytest.mark.slow


def measured(claim_id):
    return claims.replay(CLAIMS[claim_id], SEEDS.get(claim_id, (1000,)))


@pytest.fixture(scope="module")
def right():
    """What the right library measures, each claim once, when it is asked for."""
    return cache(measured)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def the_discount_is_forgotten(monkeypatch):
    """V(s) - Σ P V(s'): shaping as if nothing were discounted, or nearly."""
    before = identify.shaping_directions
    monkeypatch.setattr(identify, "shaping_directions",
                        lambda world: before(world.with_discount(0.999)))  # fmt: skip


def the_first_world_is_used_twice(monkeypatch):
    before = identify._shapings
    monkeypatch.setattr(identify, "_shapings", lambda worlds: [before(worlds)[0]] * len(worlds))


def the_certificate_is_generous(monkeypatch):
    """Every pair of worlds passes."""
    before = identify.certificate

    def generous(worlds):
        found = before(worlds)
        return replace(found, rank=found.needed, gain=1.0, silent=found.silent[:0])

    for module in (identify, cure, gallery):
        monkeypatch.setattr(module, "certificate", generous)


def she_is_seen_exactly(monkeypatch):
    monkeypatch.setattr(cure, "seen", lambda policy, times, rng: policy)


def watching_longer_shows_no_more(monkeypatch):
    before = cure.seen
    monkeypatch.setattr(cure, "seen", lambda policy, times, rng: before(policy, 3000, rng))


def the_logarithm_will_do(monkeypatch):
    """λ log π of the first world is handed back as what two worlds say."""

    def alone(worlds, policies, temperatures=1.0, **weights):
        log = np.log(policies[0])
        return identify.Recovered(log - log.mean(), np.ones(len(worlds)), 0.0)

    for module in (cure, sign):
        monkeypatch.setattr(module, "recover", alone)


def every_entry_counts_the_same(monkeypatch):
    before = cure.recover
    monkeypatch.setattr(cure, "recover", lambda *given, weights=None: before(*given))


def half_a_choice_is_a_whole_one(monkeypatch):
    """All weights are as large as the largest: what was never seen is believed."""
    before = cure.recover
    monkeypatch.setattr(cure, "recover", lambda *given, weights=None: before(
        *given, weights=None if weights is None else 0 * weights + weights.max()))  # fmt: skip


def the_barrier_stays(monkeypatch):
    monkeypatch.setattr(gate, "TOP", gate.BOTTOM)


def she_is_always_careless(monkeypatch):
    monkeypatch.setattr(cure, "PEOPLE", dict.fromkeys(cure.PEOPLE, 0.5))


def she_also_slips(monkeypatch):
    """One choice in ten is made at random, and nobody told the model."""
    before = cure.soft_policy

    def slipping(world, reward, temperature=1.0):
        return 0.9 * before(world, reward, temperature) + 0.1 / reward.shape[1]

    for module in (cure, sign):
        monkeypatch.setattr(module, "soft_policy", slipping)


def the_worst_is_chosen(monkeypatch):
    before = cure.choose_second

    def worst(first, others):
        promises = before(first, others)[1]
        return int(np.argmax([p.gain for p in promises])), promises

    monkeypatch.setattr(cure, "choose_second", worst)


def the_gain_is_one_over_sigma(monkeypatch):
    before = cure.choose_second

    def by_sigma(first, others):
        promises = [replace(p, gain=1 / p.sigma) for p in before(first, others)[1]]
        return int(np.argmin([p.gain for p in promises])), promises

    monkeypatch.setattr(cure, "choose_second", by_sigma)


def the_gain_is_turned_round(monkeypatch):
    """The promise is smallest where errors are enlarged most."""
    before = identify._gain
    monkeypatch.setattr(identify, "_gain", lambda worlds: 1 / before(worlds))


def the_road_is_always_barred(monkeypatch):
    before = yards.ring
    monkeypatch.setattr(yards, "ring", lambda n, barrier=False: before(n, True))


def any_shaping_is_called_silent(monkeypatch):
    """Directions of the first world alone are said to show in neither."""
    before = gallery.certificate
    monkeypatch.setattr(gallery, "certificate", lambda worlds: replace(
        before(worlds),
        silent=before(worlds[:1]).silent[: len(before(worlds).silent)]))  # fmt: skip


def constants_are_called_silent(monkeypatch):
    before = gallery.certificate

    def constant(worlds):
        found = before(worlds)
        return replace(found, silent=np.ones_like(found.silent))

    monkeypatch.setattr(gallery, "certificate", constant)


def both_are_as_careful(monkeypatch):
    """The temperatures are taken to be equal without a look."""

    def equal(worlds, policies):
        return identify.recover(worlds, policies), 2

    monkeypatch.setattr(sign, "recover_unscaled", equal)


def the_constant_is_not_counted(monkeypatch):
    before = sign.recover_unscaled

    def less(worlds, policies):
        found, nullity = before(worlds, policies)
        return found, nullity - 1

    monkeypatch.setattr(sign, "recover_unscaled", less)


def nobody_is_perverse(monkeypatch):
    """The sign of a temperature is dropped."""
    before = sign.by_the_formula
    monkeypatch.setattr(sign, "by_the_formula", lambda w, r, t: before(w, r, abs(t)))


def the_assumption_is_not_used(monkeypatch):
    """Whatever is assumed, the true second discount is put back in."""
    before = sign.recover

    def knows(worlds, policies, temperatures=1.0):
        if worlds[1].discount in sign.ASSUMED:
            worlds = [worlds[0], worlds[1].with_discount(sign.HURRIED), *worlds[2:]]
        return before(worlds, policies, temperatures)

    monkeypatch.setattr(sign, "recover", knows)


def disagreement_is_averaged_away(monkeypatch):
    before = sign.recover
    monkeypatch.setattr(sign, "recover", lambda *given: replace(before(*given), residual=0.0))


def values_are_paid_the_other_way_round(monkeypatch):
    """The shaping of the formula has its sign turned."""
    before = sign.shape
    monkeypatch.setattr(sign, "shape", lambda world, r, v: before(world, r, -v))


def a_third_morning_is_not_looked_at(monkeypatch):
    before = sign.recover
    monkeypatch.setattr(sign, "recover", lambda worlds, policies, heat: before(
        worlds[:2], policies[:2], heat[:2]))  # fmt: skip


MUTANTS = {
    "ill-cure": [
        the_discount_is_forgotten, the_first_world_is_used_twice,
        the_certificate_is_generous, she_is_seen_exactly, watching_longer_shows_no_more,
        the_logarithm_will_do, she_also_slips,
    ],
    "ill-cure-design": [
        the_worst_is_chosen, the_gain_is_one_over_sigma, the_gain_is_turned_round,
    ],
    "ill-cure-street": [
        every_entry_counts_the_same, half_a_choice_is_a_whole_one, the_barrier_stays,
        she_is_always_careless, the_logarithm_will_do,
    ],
    "ill-cure-gallery": [
        the_certificate_is_generous, the_road_is_always_barred,
        any_shaping_is_called_silent, constants_are_called_silent,
    ],
    "ill-sign": [
        both_are_as_careful, the_constant_is_not_counted, nobody_is_perverse,
        the_first_world_is_used_twice, she_also_slips,
    ],
    "ill-sign-discount": [
        the_assumption_is_not_used, disagreement_is_averaged_away,
        values_are_paid_the_other_way_round, a_third_morning_is_not_looked_at,
        both_are_as_careful, the_logarithm_will_do,
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "mutant"),
    [(claim_id, m) for claim_id, mutants in MUTANTS.items() for m in mutants],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    wrong = measured(claim_id)
    assert list(wrong.values) == list(fine.values)
    assert all(wrong[n].shape == fine[n].shape for n in fine.values)
    assert CLAIMS[claim_id].holds(wrong) is False


# Every clause counts ----------------------------------------------------------------


def both(**ends):
    return {f"{k}_{name}": v for name in ("discounts", "worlds") for k, v in ends.items()}


FALLS = (1 / np.sqrt(cure.WATCHED) * 20).tolist()
CURE = {
    "silent_alone": 15, "error_alone": 0.5, "third_alone": 0.2, "error_least": 0.5,
    "third_least": 0.2, **both(silent=0, error=1e-14, third=1e-14),
    "error_by_n": FALLS, "third_by_n": [x / 5 for x in FALLS],
}  # fmt: skip
DESIGN = {"order_gain": 0.9, "order_sigma": 0.8, "chosen": 0.1, "median": 0.3, "worst": 5}
STREET = {
    "silent": 0, "careful_exact": 1e-14, "careless_exact": 1e-14, "careful_habit": 7,
    "careless_habit": 4, "careful_counted": [7, 12, 22, 1],
    "careless_counted": [4, 0.5, 0.05, 0], "careless_plain": 1, "careful_plain": 12,
}  # fmt: skip
SILENT = [one.silent for one in gallery.exhibits()]
GALLERY = {"silent": SILENT, "short": SILENT, "repaired": [0] * 5, "missed": [1e-14] * 5,
           "third": [0.1] * 5}  # fmt: skip
SIGN = {
    **both(nullity=2, ratio_error=1e-12, error=1e-12, negated=1e-13, half=0.5),
    "cells_nullity_discounts": 3, "cells_residual_discounts": 1e-13,
    "cells_nullity_worlds": 2, "cells_residual_worlds": 0.5,
}  # fmt: skip
SOME = [0.1] * len(sign.ASSUMED)
NONE = [1e-13] * len(sign.ASSUMED)
DIP = along(SOME, sign.RIGHT, 1e-13)
DISCOUNT = {
    "residual_discounts": NONE, "residual_worlds": DIP, "residual_three": DIP,
    "error": DIP, "explained": NONE, "predicted": NONE, "third": DIP,
    "ratio_error": NONE, "residual_dynamics": 0.2,
}  # fmt: skip
BROKEN = [
    (cure.cure_holds, CURE, [
        {"silent_alone": 14}, {"error_alone": 0.1}, {"third_alone": 0.02},
        {"error_least": 0.19, "error_by_n": [x / 5 for x in FALLS]}, {"third_least": 0.02,
         "third_by_n": [x / 50 for x in FALLS]}, {"silent_worlds": 1},
        {"error_discounts": 1e-8}, {"third_worlds": 1e-8},
        {"error_by_n": [x**1.4 / 10 for x in FALLS]}, {"error_by_n": [x**0.6 / 9 for x in FALLS]},
        {"error_by_n": [3 * x for x in FALLS]}, {"third_by_n": FALLS},
    ]),
    (cure.design_holds, DESIGN, [
        {"order_gain": 0.7, "order_sigma": 0.6}, {"order_sigma": 0.95}, {"chosen": 0.2},
        {"worst": 0.4},
    ]),
    (cure.street_holds, STREET, [
        {"silent": 1}, {"careful_exact": 0.01}, {"careless_exact": -0.01},
        {"careful_habit": 1}, {"careless_habit": 1}, {"careful_counted": [7, 12, 3, 1]},
        {"careless_counted": [4, 0.5, 0.3, 0]}, {"careless_plain": 0.1},
    ]),
    (gallery.gallery_holds, GALLERY, [
        {"silent": along(SILENT, 1, 3)}, {"short": along(SILENT, 2, 0)},
        {"repaired": [0, 0, 1, 0, 0]}, {"missed": [0, 0, 0, 0, 1e-9]},
        {"third": [0.1, 0.1, 0.005, 0.1, 0.1]},
    ]),
    (sign.sign_holds, SIGN, [
        {"nullity_worlds": 3}, {"ratio_error_discounts": 1e-7}, {"error_worlds": 1e-7},
        {"negated_discounts": 1e-9}, {"half_worlds": 0.05}, {"cells_nullity_discounts": 2},
        {"cells_residual_discounts": 0.1}, {"cells_nullity_worlds": 3},
        {"cells_residual_worlds": 1e-4},
    ]),
    (sign.discount_holds, DISCOUNT, [
        {"residual_discounts": along(NONE, 2, 1e-3)}, {"explained": along(NONE, 0, 1e-6)},
        {"predicted": along(NONE, 1, 1e-6)}, {"ratio_error": along(NONE, 3, 1e-6)},
        {"error": along(DIP, 0, 0.001)}, {"third": along(DIP, 0, 1e-4)},
        {"residual_worlds": along(DIP, 5, 1e-5)}, {"residual_three": along(DIP, 5, 1e-5)},
        {"residual_worlds": SOME}, {"residual_three": SOME}, {"residual_dynamics": 0.001},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(holds, good, changes):
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


def test_one_seed_may_not_choose_worse_than_the_median():
    s = planted(DESIGN)
    s.values["chosen"][0] = 0.4
    assert s.mean("chosen") < 0.6 * s.mean("median") and cure.design_holds(s) is False


# What is derived, and drawn ---------------------------------------------------------


def test_what_is_derived():
    got = cure.derived(planted(CURE))
    assert got["slope"] == pytest.approx(-0.5) and got["slope.high"] == pytest.approx(-0.5)
    got = cure.design_derived(planted(DESIGN, picked=len(cure.NAMES) - 1))
    assert got == pytest.approx({"times_median": 9, "times_worst": 2500, "first_picked": 1})


def test_an_estimate_is_the_frequency_with_half_a_choice_added():
    rng = np.random.default_rng(0)
    got = cure.seen(np.array([[1.0, 0.0], [0.5, 0.5]]), 3, rng)
    np.testing.assert_allclose(got[0], [3.5 / 4, 0.5 / 4])
    assert got.sum(axis=1) == pytest.approx([1, 1])
    many = cure.seen(np.array([[0.2, 0.8]]), 10**6, rng)
    np.testing.assert_allclose(many, [[0.2, 0.8]], atol=0.002)
    assert cure.rmse(np.array([[1.0, 3.0]]), np.array([[0.0, 0.0]])) == 1


@pytest.mark.parametrize(
    ("claim_id", "draw"),
    [("ill-cure", cure.fig_cure), ("ill-cure-design", cure.fig_design),
     ("ill-cure-gallery", gallery.fig_ring), ("ill-sign-discount", sign.fig_discount)],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(right, claim_id, draw):
    from imitlib.figures import png

    fig, alt = draw(right(claim_id))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


def test_the_marks_of_a_figure_are_the_samples(right):
    s = right("ill-cure-design")
    marks = cure.fig_design(s)[0].axes[0].lines[0]
    np.testing.assert_allclose(marks.get_xdata(), s["gains"].mean(axis=0))
    np.testing.assert_allclose(marks.get_ydata(), s["errors"].mean(axis=0))
