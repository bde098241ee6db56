"""The claim about the kitchen, and the mistakes that break it."""

from functools import cache

import numpy as np
import pytest

from imitlib import claims
from imitlib.chapters.ch09 import chef
from imitlib.cirl import plans as by_plans
from imitlib.cirl import replies
from wrong_libraries import along, each, must_refute, planted

CLAIMS = {c.id: c for c in chef.CLAIMS}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer temperatures than in the recorded samples: mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chef, "TEMPERATURES", (0.1, 0.3))
        yield


def measured(claim_id):
    return claims.replay(CLAIMS[claim_id], (SEED,))


SEED = 33  # a menu for which listening, teaching and planning for her all count


@pytest.fixture(scope="module")
def right(smaller):
    return cache(measured)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def only_one_cooks_at_a_time(monkeypatch):
    """If both put something in, his piece stays out."""
    before = chef.chef

    def alone(*given, **named):
        game = before(*given, **named)
        P, reward = game.transitions.copy(), game.reward.copy()
        P[:, 1:, 1:] = P[:, 1:, :1]
        reward[:, 1:, 1:] = reward[:, 1:, :1]
        return chef.replace(game, transitions=P, reward=reward)

    monkeypatch.setattr(chef, "chef", alone)


def any_recipe_will_do(monkeypatch):
    before = chef.chef

    def any_of(*given, **named):
        game = before(*given, **named)
        paid = np.broadcast_to(game.reward.max(axis=3, keepdims=True), game.reward.shape)
        return chef.replace(game, reward=paid)

    monkeypatch.setattr(chef, "chef", any_of)


def waiting_costs_nothing(monkeypatch):
    before = chef.chef
    monkeypatch.setattr(chef, "chef", lambda menu, steps, discount: before(menu, steps, 1.0))


def she_breaks_ties_in_order(monkeypatch):
    before = chef.literal
    monkeypatch.setattr(chef, "literal", lambda game, ties="first": before(game, ties))


def ties_are_always_broken_by_chance(monkeypatch):
    before = chef.literal
    monkeypatch.setattr(chef, "literal", lambda game, ties="uniform": before(game))


def she_puts_in_anything(monkeypatch):
    """A literal Hana who does not know what she wants."""
    monkeypatch.setattr(chef, "literal", lambda game, ties="uniform": lambda history, state: (
        np.full((game.n_goals, game.n_human), 1 / game.n_human)))  # fmt: skip


def she_never_teaches(monkeypatch):
    def plain(game, his, temperature=0.0):
        hers = replies.literal(game)
        if temperature:
            return replies.teaching(game, his, temperature)
        return hers, replies.worth(game, hers, his)

    monkeypatch.setattr(chef, "teaching", plain)


def he_reads_nothing(monkeypatch):
    """His best reply to what all goals together would do."""
    before = chef.reading

    def deaf(game, hers):
        def mixed(history, state):
            return np.broadcast_to(game.prior @ hers(history, state), (game.n_goals, game.n_human))

        his = before(game, mixed)[0]
        return his, replies.worth(game, hers, his)

    monkeypatch.setattr(chef, "reading", deaf)


def nobody_errs(monkeypatch):
    before = chef.teaching
    monkeypatch.setattr(chef, "teaching", lambda game, his, temperature=0.0: before(game, his))


def slips_are_overlooked_in_planning(monkeypatch):
    """Plans for her are plans for a faultless one, and said to be worth what they say."""
    before = chef.adapted
    monkeypatch.setattr(chef, "adapted", lambda game, beliefs=None, t=0.0: before(game, beliefs))


def all_plans_are_those_that_are_kept(monkeypatch):
    best = by_plans._best

    def pruned(plans, points):
        corners = np.vstack([np.eye(plans.shape[1]), np.full(plans.shape[1], 1 / plans.shape[1])])
        return best(plans, corners if points is None else points)

    monkeypatch.setattr(by_plans, "_best", pruned)


MUTANTS = {
    "cirl-chef": [
        only_one_cooks_at_a_time, any_recipe_will_do, waiting_costs_nothing,
        she_breaks_ties_in_order, ties_are_always_broken_by_chance, she_puts_in_anything,
        she_never_teaches, he_reads_nothing, nobody_errs, slips_are_overlooked_in_planning,
        all_plans_are_those_that_are_kept,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, measured(claim_id))


# Every clause counts ----------------------------------------------------------------

TWO = (2 * 0.95 + 0.95**2) / 3
GOOD = {
    "literal_literal": [0.649, 0.583], "pedagogic_literal": [0.95, 0.918],
    "pedagogic_pragmatic": [0.95, 0.924], "literal_pragmatic": [0.649, 0.505],
    "informed": [0.95, 0.95], "deaf": [0.95, TWO], "told": [0.713, 0.729],
    "best": [0.95, 0.95], "first": [0.95, 0.918], "last": [0.926, 0.934],
    "noisy_faultless": [0.944, 0.934, 0.93, 0.906, 0.81, 0.69],
    "noisy_unlucky": [0.943, 0.933, 0.929, 0.904, 0.80, 0.68],
    "noisy_lucky": [0.945, 0.936, 0.931, 0.908, 0.82, 0.70],
    "noisy_kept": [0.947, 0.941, 0.938, 0.912, 0.824, 0.712],
    "noisy_all": [0.95, 0.95, 0.95, 0.922, 0.824, 0.712],
    "noisy_deaf": [0.949, 0.947, 0.946, 0.918, 0.816, 0.693],
    "third": [1, 1, 1, 1, 0, 0], "drawn_gap": 0,
    "drawn_literal_literal": 0.53, "drawn_pedagogic_literal": 0.89,
    "drawn_pedagogic_pragmatic": 0.91, "drawn_literal_pragmatic": 0.52,
    "drawn_informed": 0.95, "drawn_deaf": 0.88, "drawn_told": 0.69, "drawn_best": 0.94,
    "drawn_faultless": [0.918, 0.76], "drawn_unlucky": [0.917, 0.755],
    "drawn_literal_by_ties": [0.53, 0.74, 0.87], "drawn_taught_by_ties": [0.89, 0.76, 0.88],
    "drawn_lucky": [0.92, 0.77], "drawn_kept": [0.923, 0.776], "drawn_all": [0.94, 0.7761],
}  # fmt: skip
WORSE = [
    *[{name: along(GOOD[name], k, GOOD[name][k] + 1e-8)} for k in (0, 1)
      for name in ("best", "informed", "deaf")],
    {"literal_literal": [0.71, 0.583], "literal_pragmatic": [0.649, 0.505], "told": [0.79, 0.729]},
    {"told": along(GOOD["told"], 0, 0.82)}, {"told": along(GOOD["told"], 1, 0.6)},
    {"first": along(GOOD["first"], 1, 0.89)}, {"last": along(GOOD["last"], 0, 0.89)},
    {"pedagogic_literal": [0.89, 0.918]}, {"pedagogic_pragmatic": [0.95, 0.9185]},
    {"literal_pragmatic": [0.649, 0.54]},
    *[{f"noisy_{name}": along(GOOD[f"noisy_{name}"], 1, 0.951)}
      for name in ("faultless", "kept", "deaf")],
    {"noisy_faultless": along(GOOD["noisy_faultless"], 1, 0.941)},
    {"noisy_deaf": along(GOOD["noisy_deaf"], 2, 0.937)},
    {"noisy_all": along(GOOD["noisy_all"], 4, 0.825)},
    {"noisy_deaf": along(GOOD["noisy_deaf"], 4, 0.8195)},
    {"third": [1, 1, 1, 0, 0, 0]}, {"third": [1] * 6}, {"drawn_gap": 1e-8},
    {"drawn_literal_pragmatic": 0.54}, {"drawn_pedagogic_literal": 0.5},
    *[{"drawn_taught_by_ties": along(GOOD["drawn_taught_by_ties"], k, value)}
      for k, value in ((0, 0.72), (1, 0.85), (1, 0.73), (2, 0.98), (2, 0.86))],
    {"drawn_literal_by_ties": [0.53, 0.62, 0.87], "drawn_taught_by_ties": [0.89, 0.64, 0.88]},
    {"drawn_literal_by_ties": [0.53, 0.74, 0.62], "drawn_taught_by_ties": [0.89, 0.76, 0.64]},
    {"drawn_pedagogic_literal": 0.92}, {"drawn_pedagogic_pragmatic": 0.945},
    {"drawn_told": 0.57}, {"drawn_told": 0.52}, {"drawn_deaf": 0.93}, {"drawn_deaf": 0.945},
    {"drawn_best": 0.951}, {"drawn_kept": [0.923, 0.769]}, {"drawn_kept": [0.9185, 0.776]},
    {"drawn_lucky": [0.924, 0.77]}, {"drawn_lucky": [0.92, 0.777]},
    {"drawn_faultless": [0.918, 0.767]},
    {"drawn_all": [0.932, 0.7761]}, {"drawn_all": [0.94, 0.778]}, {"drawn_all": [0.94, 0.7759]},
    {"drawn_all": [0.951, 0.7761]},
    {"drawn_faultless": [0.9215, 0.76], "drawn_kept": [0.9226, 0.776], "drawn_lucky": [0.922, 0.77],
     "drawn_all": [0.931, 0.7761]},
]  # fmt: skip
BROKEN = [(chef.chef_holds, GOOD, WORSE)]
TEMPERATURES = chef.TEMPERATURES


def test_each_clause_of_the_predicate_can_fail(monkeypatch):
    monkeypatch.setattr(chef, "TEMPERATURES", TEMPERATURES)
    assert chef.chef_holds(planted(GOOD)) is True
    for change in WORSE:
        assert chef.chef_holds(planted(GOOD, **change)) is False, change


@pytest.mark.parametrize("row", [[0.94, 0.7759], [0.951, 0.7761]])
def test_on_no_menu_are_threats_worth_less_than_nothing_or_more_than_all(row, monkeypatch):
    monkeypatch.setattr(chef, "TEMPERATURES", TEMPERATURES)
    samples = planted(GOOD, drawn_all=[0.94, 0.7762])
    assert chef.chef_holds(samples) is True
    samples.values["drawn_all"][3] = row
    assert chef.chef_holds(samples) is False


def test_what_is_derived(monkeypatch):
    monkeypatch.setattr(chef, "TEMPERATURES", TEMPERATURES)
    got = chef.chef_derived(planted(GOOD))
    assert got["drawn_taught_first"] == pytest.approx(0.02)
    assert got["drawn_taught_last"] == pytest.approx(0.01)
    assert got["drawn_agreed"] == pytest.approx(0.21)
    assert got["drawn_agreed_last"] == pytest.approx(0.34)
    assert got["drawn_taught"] == pytest.approx(0.36) and got["threat"] == pytest.approx(0.012)
    assert got["drawn_heard"] == pytest.approx(0.06) and got["same_menu_deaf"] == 0
    assert got["drawn_planned"] == pytest.approx(0.005)
    assert got["drawn_planned_more"] == pytest.approx(0.016)
    assert got["drawn_planned_all"] == pytest.approx(0.022)
    assert got["drawn_planned_all_more"] == pytest.approx(0.0161)
    assert got["drawn_least"] == pytest.approx(0.003)
    assert got["drawn_least_more"] == pytest.approx(0.006)


def test_the_figure_carries_its_numbers_in_words(monkeypatch):
    from imitlib.figures import png

    monkeypatch.setattr(chef, "TEMPERATURES", TEMPERATURES)
    fig, alt = chef.fig_chef(planted(GOOD))
    assert png(fig)[:4] == b"\x89PNG" and "0.012 at 0.1 and 0.000 at 0.4" in alt
    drawn = [mark.get_ydata() for mark in fig.axes[0].lines]
    lost = np.subtract(GOOD["noisy_all"], GOOD["noisy_deaf"])
    assert any(len(row) == 6 and np.allclose(row, lost) for row in drawn)
