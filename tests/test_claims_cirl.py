"""The claims about the assistance game, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seeds must turn false.
"""

from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product

import numpy as np
import pytest

from imitlib import claims
from imitlib.chapters.ch09 import asks, bellman, game, teaching
from imitlib.cirl import office, solvers
from imitlib.cirl import plans as by_plans
from imitlib.cirl.assistance import OneShot
from wrong_libraries import along, each, must_refute, planted

CLAIMS = {c.id: c for m in (game, teaching, bellman, asks) for c in m.CLAIMS}
SEEDS = {"cirl-game": (0,), "cirl-game-belief": (0, 1), "cirl-bellman": (5,)}
WIDER = teaching.WIDER
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer games and shorter lists than the recorded samples: mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(game, "GAMES", 20)
        patch.setattr(teaching, "GAMES", 100)
        patch.setattr(teaching, "WIDER_GAMES", 100)
        patch.setattr(teaching, "WIDER", tuple(product((2, 4), (1.0, 10.0))))
        patch.setattr(bellman, "GOALS", (2, 4, 7))
        patch.setattr(bellman, "HORIZONS", (1, 2, 3))
        patch.setattr(bellman, "MANY_GOALS", (2, 4))
        patch.setattr(bellman, "NOISY", 5)
        patch.setattr(asks, "OPENS", (0, 2, 4, 5))
        yield


def measured(claim_id):
    return claims.replay(CLAIMS[claim_id], SEEDS.get(claim_id, (0,)))


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library measures, each claim once, when it is asked for."""
    return cache(measured)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def he_believes_the_prior_whatever_she_orders(monkeypatch):
    before = office.answer
    monkeypatch.setattr(office, "answer", lambda pieces, off=office.HALF: before([], off))


def he_expects_staples_off_the_path(monkeypatch):
    before = office.answer
    monkeypatch.setattr(office, "answer", lambda pieces, off=Fraction(1, 3): before(pieces, off))


def nothing_is_off_the_path(monkeypatch):
    """The mean after an order that is never made is the prior's, whatever is asked."""
    before = office.answer
    monkeypatch.setattr(office, "answer", lambda pieces, off=None: before(pieces))


def she_counts_her_own_shelf_alone(monkeypatch):
    monkeypatch.setattr(office, "response", lambda answers, *orders: (
        office.literal(), office.worth(office.literal(), answers)))  # fmt: skip


def high_worth_is_likelier(monkeypatch):
    """θ has density 2θ in place of 1."""

    def tilted(lines, pieces):
        whole = lambda one, x: one[0] * (x**2 - 2 * x**3 / 3) + one[1] * 2 * x**3 / 3  # noqa: E731
        return sum(whole(lines[k], b) - whole(lines[k], a) for a, b, k in pieces)

    monkeypatch.setattr(office, "integral", tilted)


def he_orders_before_her(monkeypatch):
    """The best of his orders made before he has seen hers."""
    monkeypatch.setattr(office, "optimum", lambda: (office.deaf(), (1, 1, 1)))


def solving(monkeypatch, change):
    """The game is changed before it is solved, not before it is played."""
    before = solvers.exhaustive
    monkeypatch.setattr(game, "exhaustive", lambda made: before(change(made)))


def the_discount_is_forgotten(monkeypatch):
    solving(monkeypatch, lambda made: replace(made, discount=1.0))


def every_goal_is_as_likely(monkeypatch):
    solving(monkeypatch, lambda made: replace(made, prior=np.full(made.n_goals, 0.5)))


def the_belief_is_never_updated(monkeypatch):
    class Deaf:
        def __init__(self, made):
            self.value = solvers.no_sharing(made)

    monkeypatch.setattr(game, "exhaustive", Deaf)


def a_reward_is_sent(monkeypatch):
    class Paid:
        def __init__(self, made):
            self.value = solvers.if_rewards_were_sent(made)

    monkeypatch.setattr(game, "exhaustive", Paid)


def he_moves_after_her(monkeypatch):
    """He sees her move before he makes his own, in the same step."""

    class Late:
        def __init__(self, made):
            self.value = solvers.full_information(made)

    monkeypatch.setattr(game, "exhaustive", Late)


def she_forgets_what_she_wants(monkeypatch):
    """One action of hers for every goal."""
    before = solvers.product

    def same(*lists, repeat=1):
        if repeat > 1:
            return [(a,) * repeat for a in lists[0]]
        return before(*lists)

    monkeypatch.setattr(solvers, "product", same)


def she_never_teaches(monkeypatch):
    monkeypatch.setattr(OneShot, "response", lambda self, answers: self.literal_human())


def he_reads_every_lesson_literally(monkeypatch):
    """Pragmatic Rollo is the literal one under another name."""
    before = OneShot.answers
    monkeypatch.setattr(OneShot, "answers", lambda self, rule, off_path=None: before(
        self, self.literal_human(), off_path))  # fmt: skip


def he_picks_any_goal_that_fits(monkeypatch):
    """Not the mean over goals, but the first that she may have."""

    def first(self, rule, off_path=None):
        fits = np.asarray(rule) == np.arange(self.hers.shape[1])[:, None]
        return self.his[fits.argmax(axis=1)].argmax(axis=1)

    monkeypatch.setattr(OneShot, "answers", first)


def he_does_not_look(monkeypatch):
    monkeypatch.setattr(OneShot, "answers", lambda self, rule, off_path=None: np.full(
        self.hers.shape[1], (self.prior @ self.his).argmax()))  # fmt: skip


def every_game_has_four_goals(monkeypatch):
    before = teaching.random_one_shot
    monkeypatch.setattr(teaching, "random_one_shot",
                        lambda rng, goals, *rest: before(rng, 4, *rest))  # fmt: skip


def every_stake_is_three(monkeypatch):
    before = teaching.random_one_shot
    monkeypatch.setattr(teaching, "random_one_shot", lambda rng, goals, signals, acts, stake: (
        before(rng, goals, signals, acts, 3.0)))  # fmt: skip


def his_acts_hardly_matter(monkeypatch):
    monkeypatch.setattr(teaching, "STAKE", 0.1)


def the_best_is_where_they_settle(monkeypatch):
    monkeypatch.setattr(OneShot, "optimum", OneShot.settled)


def he_promises_what_the_prior_says(monkeypatch):
    monkeypatch.setattr(OneShot, "promises", lambda self: np.array(
        [self.pairs()["pedagogic_literal"]]))  # fmt: skip


def he_promises_for_what_he_hears_too(monkeypatch):
    monkeypatch.setattr(OneShot, "promises", lambda self: np.array(
        [self.pairs()["pedagogic_literal"], self.optimum()]))  # fmt: skip


def the_worst_is_called_best(monkeypatch):
    """She responds for the worse, and the order of the pairs breaks."""
    monkeypatch.setattr(OneShot, "response", lambda self, answers: (
        self.hers + self.his[:, answers]).argmin(axis=1))  # fmt: skip


def joining(monkeypatch, how):
    before = by_plans._joined

    def joined(first, second, usual, points):
        return before(first, second, how if usual is np.maximum else usual, points)

    monkeypatch.setattr(by_plans, "_joined", joined)


def she_chooses_at_random(monkeypatch):
    joining(monkeypatch, lambda a, b: (a + b) / 2)


def she_does_her_worst(monkeypatch):
    joining(monkeypatch, np.minimum)


def adapting(monkeypatch, change):
    before = by_plans.adapted
    monkeypatch.setattr(bellman, "adapted", lambda made, beliefs=None, temperature=0.0: change(
        before if not temperature else partial(before, temperature=temperature), made,
        beliefs))  # fmt: skip


def plans_forget_the_discount(monkeypatch):
    adapting(monkeypatch, lambda f, made, b: f(replace(made, discount=1.0), b))


def only_the_prior_is_looked_at(monkeypatch):
    adapting(monkeypatch, lambda f, made, b: f(made, [made.prior] if b is None else b))


def every_belief_is_looked_at(monkeypatch):
    adapting(monkeypatch, lambda f, made, b: f(made))


def nothing_is_said_to_be_missing(monkeypatch):
    adapting(monkeypatch, lambda f, made, b: replace(f(made, b), bound=0.0))


def rules_are_listed_after_all(monkeypatch):
    adapting(monkeypatch, lambda f, made, b: replace(
        f(made, b), tried=solvers.exhaustive(made).tried))  # fmt: skip


def scores_are_plans(monkeypatch):
    adapting(monkeypatch, lambda f, made, b: (lambda p: replace(p, scored=p.tried))(f(made, b)))


def answering(monkeypatch, change):
    """Only a Hana who errs answers otherwise."""
    before = by_plans._answered
    monkeypatch.setattr(by_plans, "_answered", lambda worths, temperature, points: change(
        before, worths, temperature, points) if temperature else before(
        worths, temperature, points))  # fmt: skip


def slips_are_overlooked(monkeypatch):
    answering(monkeypatch, lambda f, worths, t, points: f(worths, 0.0, points))


def she_minds_nothing(monkeypatch):
    """Whatever the temperature, it is taken for a very high one."""
    answering(monkeypatch, lambda f, worths, t, points: f(worths, 1e3 * t, points))


def plans_are_dropped_for_her_too(monkeypatch):
    """Every plan is called for, and only those best at a corner or at evens are kept."""
    best = by_plans._best
    points = np.array([[1, 0], [0, 1], [0.5, 0.5]])
    monkeypatch.setattr(by_plans, "_best", lambda plans, at: best(plans, points if at is None
                                                                 else at))  # fmt: skip


def kitchens(monkeypatch, change):
    """Each game of both kitchens is changed before it is solved."""
    for name in ("wormy_apples", "meal_choice"):
        before = getattr(asks, name)
        monkeypatch.setattr(asks, name, lambda *a, f=before, **k: change(f, *a, **k))


def her_answers_say_nothing(monkeypatch):
    """Whatever she wants, she says the same word."""

    def mute(made, *given, **named):
        found = made(*given, **named)
        may = found.human_may.copy()
        may[may[:, 1], 2] = False
        return replace(found, human_may=may)

    kitchens(monkeypatch, mute)



def questions_are_free(monkeypatch):
    def free(made, *given, **named):
        found = made(*given, **named)
        word = asks.ASK if made.__name__ == "wormy_apples" else asks.QUESTION
        reward = found.reward.copy()
        reward[:, :, word] = 0
        return replace(found, reward=reward)

    kitchens(monkeypatch, free)


def time_costs_nothing(monkeypatch):
    kitchens(monkeypatch, lambda f, *a, **k: replace(f(*a, **k), discount=1.0))


def he_never_asks_first(monkeypatch):
    """The Rollo that learns first is the assisting one under another name."""
    before = asks.wormy_apples, asks.meal_choice
    for name, made in zip(("wormy_apples", "meal_choice"), before):
        monkeypatch.setattr(asks, name, lambda *a, f=made, asks_first=False, **k: f(*a[:4], **k))


MUTANTS = {
    "cirl-game": [
        he_believes_the_prior_whatever_she_orders, he_expects_staples_off_the_path,
        nothing_is_off_the_path, she_counts_her_own_shelf_alone, high_worth_is_likelier,
        he_orders_before_her,
    ],
    "cirl-game-belief": [
        the_discount_is_forgotten, every_goal_is_as_likely, the_belief_is_never_updated,
        a_reward_is_sent, he_moves_after_her, she_forgets_what_she_wants,
    ],
    "cirl-teaching": [
        she_never_teaches, he_reads_every_lesson_literally, he_picks_any_goal_that_fits,
        he_does_not_look, his_acts_hardly_matter, the_best_is_where_they_settle,
        the_worst_is_called_best, every_game_has_four_goals, every_stake_is_three,
        he_promises_what_the_prior_says, he_promises_for_what_he_hears_too,
    ],
    "cirl-bellman": [
        she_chooses_at_random, she_does_her_worst, plans_forget_the_discount,
        only_the_prior_is_looked_at, every_belief_is_looked_at,
        nothing_is_said_to_be_missing, rules_are_listed_after_all,
        she_forgets_what_she_wants, scores_are_plans, slips_are_overlooked,
        she_minds_nothing, plans_are_dropped_for_her_too,
    ],
    "cirl-asks": [
        her_answers_say_nothing, questions_are_free, time_costs_nothing,
        he_never_asks_first, she_forgets_what_she_wants,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, measured(claim_id))


# Every clause counts ----------------------------------------------------------------


OFFICE = {
    "literal": 69, "taught": 6373 / 92, "best": 6373 / 92, "informed": 1247 / 18,
    "deaf": 51.5, "low": 41 / 92, "high": 51 / 92, "settled": 1, "suspicious": 69,
}  # fmt: skip
BELIEF = {"gap": 0, "violations": 0, "deaf": 3, "best": 3.3, "sent": 3.4, "more": 0.4}
TEACHING = {
    "violations": 0, "best": 0.92, "literal_literal": 0.63, "pedagogic_literal": 0.74,
    "pedagogic_pragmatic": 0.76, "literal_pragmatic": 0.6, "settled": 0.77, "gained": 0.65,
    "promised": 0.87, "promised_anything": 0.78, "promised_worst": 0.71,
    "wider_literal_pragmatic": [0.75] * 3 + [0.6] * 12,
    "wider_literal_literal": [0.75] * 3 + [0.62] * 12,
    "wider_pedagogic_literal": [0.75] * 3 + [0.66, 0.7, 0.74] * 4,
    "wider_pedagogic_pragmatic": [0.75] * 3 + [0.68, 0.72, 0.76] * 4,
    "wider_best": [0.9] * 15,
}  # fmt: skip
RULES = [270 * 4.05**k for k in range(7)]
PLANS = [190 * 2.1**k for k in range(7)]
BELLMAN = {
    "gap": [0] * 7, "rules": RULES, "plans": PLANS, "missing": [0.8, 0.5, 0.3, 0],
    "bound": [2.6, 2.3, 2.1, 0], "gap_longer": [0] * 4,
    "rules_longer": [1530, 3060, 4590, 6120], "plans_longer": [48, 313, 2324, 6423],
    "scores": [680 * 4.0**k for k in range(7)], "scores_longer": [810, 7080, 44841, 105033],
    "scores_many": [1600 * 4.6**k for k in range(5)], "noisy_lost": [0.02, 0.09, 0.06],
    "noisy_lossy": [0.75, 0.74, 0.4], "noisy_least": 0, "noisy_value": [7, 6.8, 5.9],
}  # fmt: skip
WORMY = [asks.wormy_values(g, asks.COST, asks.WRONG, asks.CLEAN) for g in asks.DISCOUNTS]
MEAL = [asks.meal_values(asks.MEAL, asks.COST, k, asks.APPLE, asks.BURNT) for k in asks.OPENS]
ASKS = {
    "wormy": [v["ask"] for v in WORMY], "wormy_first": [v["first"] for v in WORMY],
    "wormy_guess": [v["guess"] for v in WORMY],
    "meal": [max(v["ask"], v["guess"]) for v in MEAL],
    "meal_first": [v["first"] for v in MEAL], "meal_asks": [0, 1, 2, 3, 4, -1, -1],
    "gap": 0, "flips": 1,
}  # fmt: skip
BROKEN = [
    (game.office_holds, OFFICE, [{name: OFFICE[name] + 1e-9} for name in OFFICE]),
    (game.belief_holds, BELIEF, [
        {"gap": 1e-8}, {"violations": 1}, {"deaf": 3.25}, {"sent": 3.33}, {"more": 0.2},
    ]),
    (teaching.teaching_holds, TEACHING, [
        {"violations": 1}, {"best": 0.825, "settled": 0.77}, {"pedagogic_literal": 0.66},
        {"pedagogic_pragmatic": 0.735}, {"literal_pragmatic": 0.64}, {"settled": 0.88},
        {"gained": 0.5}, {"pedagogic_literal": 0.69, "literal_pragmatic": 0.645},
        {"promised": 0.81}, {"promised": 0.91}, {"promised_anything": 0.745},
        {"promised_worst": 0.735},
        *({f"wider_{name}": along(TEACHING[f"wider_{name}"], k, value)} for name, k, value in (
            ("literal_literal", 0, 0.75 + 1e-6), ("literal_pragmatic", 4, 0.63),
            ("pedagogic_literal", 3, 0.635), ("pedagogic_literal", 5, 0.695),
            ("pedagogic_pragmatic", 7, 0.69), ("best", 8, 0.8))),
        {"wider_pedagogic_literal": [0.75] * 3 + [0.66, 0.67, 0.68] + [0.66, 0.7, 0.74] * 3},
    ]),
    (bellman.bellman_holds, BELLMAN, [
        {"gap": along([0] * 7, 3, 1e-8)}, {"gap_longer": along([0] * 4, 2, 1e-8)},
        {"rules": [190e3 * 2.9**k for k in range(7)]}, {"plans": [6 * 3.1**k for k in range(7)]},
        {"plans": [x / 1.1 for x in RULES[:-1]] + [PLANS[0] * 2.95**6]},
        {"missing": along(BELLMAN["missing"], 2, -1e-6)},
        {"missing": along(BELLMAN["missing"], 1, 2.4)},
        {"missing": [0.09, 0.05, 0.03, 0]},
        {"missing": [0.8, 0.5, 0.3, 1e-6], "bound": [2.6, 2.3, 2.1, 1]},
        {"scores": [680 * 2.9**k for k in range(7)]},
        {"scores_many": [1600 * 6.6**k for k in range(5)]},
        {"scores_many": [1600 * 2.9**k for k in range(5)]},
        {"noisy_least": -1e-6}, {"noisy_lossy": [0.75, 0.5, 0.4]},
        {"noisy_lossy": [0.75, 0.74, 0.2]}, {"noisy_lost": [0.02, 0.05, 0.06]},
        {"plans_longer": [48, 313, 400, 6423]}, {"plans_longer": [48, 313, 2324, 2500]},
    ]),
    (asks.asks_holds, ASKS, [
        {"wormy": along(ASKS["wormy"], 0, 1.95)},
        {"wormy_first": along(ASKS["wormy_first"], 1, 1.3)},
        {"wormy_guess": along(ASKS["wormy_guess"], 0, 1.7)},
        {"meal": along(ASKS["meal"], 5, 1.53)}, {"meal_first": along(ASKS["meal_first"], 1, 1.6)},
        {"meal_asks": [0, 1, 2, 3, 4, 5, -1]}, {"meal_asks": [0, 1, 2, 3, -1, -1, -1]},
        {"gap": 1e-8}, {"flips": 0},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(monkeypatch, holds, good, changes):
    monkeypatch.setattr(bellman, "GOALS", tuple(range(2, 9)))
    monkeypatch.setattr(teaching, "WIDER", WIDER)
    monkeypatch.setattr(bellman, "MANY_GOALS", tuple(range(2, 7)))
    monkeypatch.setattr(asks, "OPENS", tuple(range(7)))
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


@pytest.mark.parametrize(
    ("name", "change"), [("COST", 0.29), ("WRONG", 2.5), ("MEAL", 0.92), ("APPLE", 0.5)]
)
def test_what_is_lost_by_asking_first_depends_on_the_prices(monkeypatch, name, change):
    """The recorded numbers do not fit other prices."""
    monkeypatch.setattr(asks, "OPENS", tuple(range(7)))
    good = planted(ASKS)
    monkeypatch.setattr(asks, name, change)
    assert asks.asks_holds(good) is False


@pytest.mark.parametrize(("name", "value"), [
    ("promised", 0.81), ("promised", 0.91), ("promised_anything", 0.745),
    ("promised_worst", 0.735),
])  # fmt: skip
def test_what_promises_are_worth_is_said_of_every_seed(monkeypatch, name, value):
    monkeypatch.setattr(teaching, "WIDER", WIDER)
    samples = planted(TEACHING)
    samples.values[name][6] = value
    assert teaching.teaching_holds(samples) is False


@pytest.mark.parametrize("promises", [
    lambda game: [game.pairs()["pedagogic_literal"] - 0.01],  # worse than to promise nothing
    lambda game: [game.deaf() - 9, game.optimum() + 0.01],  # better than the best
    lambda game: [game.optimum()],  # as good as that, whatever is promised
])  # fmt: skip
def test_promises_out_of_their_order_are_counted(monkeypatch, promises):
    monkeypatch.setattr(teaching, "GAMES", 8)
    monkeypatch.setattr(teaching, "WIDER", ())
    assert teaching.measure_teaching(0)["violations"] == 0
    monkeypatch.setattr(OneShot, "promises", lambda self: np.array(promises(self)))
    assert teaching.measure_teaching(0)["violations"] > 0


# What is derived, and drawn ---------------------------------------------------------


def test_what_is_derived(monkeypatch):
    got = game.office_derived(planted(OFFICE))
    assert got["closed"] == pytest.approx(45 / 46) and got["best_share"] > got["literal_share"]
    monkeypatch.setattr(bellman, "GOALS", tuple(range(2, 9)))
    monkeypatch.setattr(bellman, "MANY_GOALS", tuple(range(2, 7)))
    got = bellman.bellman_derived(planted(BELLMAN))
    assert got["rules_factor"] == pytest.approx(4.05) and got["plans_factor"] == pytest.approx(2.1)
    assert got["scores_factor"] == pytest.approx(4.0)
    assert got["scores_many_factor"] == pytest.approx(4.6)
    assert got["rules_many_factor"] == pytest.approx((117648 / 48) ** 0.25)
    monkeypatch.setattr(teaching, "WIDER", WIDER)
    wider = {"wider_literal_pragmatic": along(TEACHING["wider_literal_pragmatic"], 14, 0.57)}
    got = teaching.teaching_derived(planted(TEACHING, **wider))
    assert got["taught"] == pytest.approx(0.29) and got["misread_costs"] == pytest.approx(0.03)
    assert got["promises_add"] == pytest.approx(0.1) and got["left_then"] == pytest.approx(0.05)
    assert got["many_misread_costs"] == pytest.approx(0.05)
    assert got["many_pragmatism_adds"] == pytest.approx(0.02)
    for end in ("", ".low", ".high"):
        assert got[f"many_literal_safer{end}"] == pytest.approx(0.03)
    samples = planted(TEACHING, **wider)
    samples.values["wider_literal_pragmatic"][:, 14] += np.tile([-0.01, 0.01], 5)
    got = teaching.teaching_derived(samples)  # nine degrees of freedom
    half = 2.262157 * 0.01 * np.sqrt(10 / 9) / np.sqrt(10)
    assert [got[f"many_literal_safer.{end}"] for end in ("low", "high")] == pytest.approx(
        [0.03 - half, 0.03 + half], abs=1e-7)
    got = asks.asks_derived(planted(ASKS))
    assert 4 < got["turn"] < 5 and got["last_asked"] == 4
    assert got["price_patient"] == pytest.approx(1 - 2 * 0.99 + 2 * 0.99**3)


@pytest.mark.parametrize(
    ("claim_id", "draw"),
    [("cirl-game", game.fig_office), ("cirl-teaching", teaching.fig_teaching),
     ("cirl-bellman", bellman.fig_bellman), ("cirl-asks", asks.fig_asks)],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(right, claim_id, draw):
    from imitlib.figures import png

    fig, alt = draw(right(claim_id))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


def test_the_marks_of_a_figure_are_the_samples(right):
    s = right("cirl-asks")
    marks = asks.fig_asks(s)[0].axes[0].lines[0]
    np.testing.assert_allclose(marks.get_ydata(), s["meal_first"][0])
