"""The claims about the order book, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from imitlib import calibration, claims, language
from imitlib.chapters.ch03 import (
    abstaining,
    background,
    on_paper,
    school,
    scoring,
    wording,
)
from imitlib.envs import order_book as shop
from imitlib.experiments import Samples
from imitlib.language import LanguageModel, Transformer
from wrong_libraries import each, must_refute, remembering

MODULES = (background, wording, scoring, abstaining)
CLAIMS = {c.id: c for m in MODULES for c in m.CLAIMS}
SEEDS = (1000,)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Shorter streets than the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(school, "HOUSES", 450)
        patch.setattr(school, "STOPS", 1350)
        patch.setattr(background, "SHELVES", (2, 12))
        patch.setattr(background, "STREET", 700)
        patch.setattr(wording, "CRAMMING", 300)
        patch.setattr(scoring, "HOUSES_EACH", 60)
        patch.setattr(scoring, "READING", 500)
        patch.setattr(scoring, "MARKED", 100)
        patch.setattr(abstaining, "SPREADS", (0.005, 0.02, 0.1))
        fit = remembering(language.fit, (Transformer, "__init__"))
        patch.setattr(language, "fit", fit)
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


def the_loss_counts_the_question(patch):
    dialogue = shop.Tokenisation.dialogue

    def wrong(self, houses, answers):
        text = dialogue(self, houses, answers)
        mask = np.zeros_like(text.answer)
        mask[:, 1] = True  # the house, which the customer says
        return replace(text, answer=mask)

    patch.setattr(shop.Tokenisation, "dialogue", wrong)


def answers_belong_to_the_house_before(patch):
    dialogue = shop.Tokenisation.dialogue
    patch.setattr(shop.Tokenisation, "dialogue", lambda self, houses, answers: dialogue(
        self, np.roll(houses, 1), answers))  # fmt: skip


def notes_are_of_the_next_house(patch):
    notes = shop.Tokenisation.notes_of
    patch.setattr(shop.Tokenisation, "notes_of", lambda self, houses, loaves: notes(
        self, (houses + 1) % len(self.book), loaves))  # fmt: skip


def silence_counts_as_right(patch):
    score = calibration.score

    def wrong(answers, truth, abstention, *rest):
        return score(np.where(answers == abstention, truth, answers), truth, abstention, *rest)

    patch.setattr(school, "score", wrong)


def greedy_draws_and_drawing_is_greedy(patch):
    greedy, sample = LanguageModel.greedy, LanguageModel.sample
    patch.setattr(LanguageModel, "greedy", lambda self, prompts, length: sample(
        self, prompts, length, np.random.default_rng(0)))  # fmt: skip
    patch.setattr(LanguageModel, "sample", lambda self, prompts, length, rng: greedy(
        self, prompts, length))  # fmt: skip


def hana_knows_every_second_house(patch):
    patch.setattr(shop, "knows_all", lambda book: np.arange(len(book)) % 2 == 0)


def nobody_has_gaps(patch):
    patch.setattr(shop, "half_of", lambda known, rng, share=0.5: np.array(known))


def every_answer_is_certain(patch):
    patch.setattr(LanguageModel, "log_probability",
                  lambda self, prompts, written: np.zeros(len(prompts)))  # fmt: skip


def only_modesty_is_an_error(patch):
    def wrong(confidence, right, bins=15):
        table = calibration.reliability(confidence, right, bins)
        full = table.count > 0
        gap = (table.accuracy - table.confidence)[full].clip(min=0)
        return float(table.count[full] @ gap / table.count.sum())

    patch.setattr(calibration, "expected_calibration_error", wrong)


def both_wordings_are_one_word(patch):
    patch.setitem(wording.WORDINGS, "form", shop.one_token)


def a_wrong_answer_costs_nothing(patch):
    marks = scoring.marks
    patch.setattr(scoring, "marks", lambda truth, loaves, penalty: marks(truth, loaves, 0))


def silence_is_marked_right(patch):
    marks = scoring.marks

    def wrong(*args):
        table = marks(*args)
        table[:, -1] = 1
        return table

    patch.setattr(scoring, "marks", wrong)


def the_marks_are_yesterdays(patch):
    marks = scoring.marks
    patch.setattr(scoring, "marks", lambda truth, *rest: marks(np.roll(truth, 1), *rest))


def it_descends(patch):
    objective = scoring.objective
    patch.setattr(scoring, "objective", lambda *args: -objective(*args))


def the_matched_one_knows_only_regulars(patch):
    patch.setattr(shop, "knows_seen", lambda seen: np.asarray(seen) >= 3)


def the_wrong_words_are_made_alike(patch):
    alike = school.alike
    patch.setattr(school, "alike", lambda reader, book, seen: alike(reader, book, seen == 0))


def first_vectors_are_always_small(patch):
    init = Transformer.__init__
    patch.setattr(Transformer, "__init__", lambda self, *sizes: init(
        self, *sizes[:-1], 0.005))  # fmt: skip


MUTANTS = {
    "ci-background-knowledge": [
        the_loss_counts_the_question, answers_belong_to_the_house_before,
        notes_are_of_the_next_house, silence_counts_as_right,
        greedy_draws_and_drawing_is_greedy, hana_knows_every_second_house, nobody_has_gaps,
    ],
    "ci-tokenisation": [
        greedy_draws_and_drawing_is_greedy, nobody_has_gaps, both_wordings_are_one_word,
        silence_counts_as_right,
    ],
    "ci-same-confidence": [
        notes_are_of_the_next_house, every_answer_is_certain, only_modesty_is_an_error,
        hana_knows_every_second_house,
    ],
    "ci-graded-guessing": [
        a_wrong_answer_costs_nothing, silence_is_marked_right, the_marks_are_yesterdays,
        it_descends,
    ],
    "ci-abstain-fix": [
        the_matched_one_knows_only_regulars, the_wrong_words_are_made_alike,
        first_vectors_are_always_small, nobody_has_gaps,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right[claim_id]
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, samples(claim_id))


# Every clause of every predicate ----------------------------------------------------

PLANTED = [
    ("ci-background-knowledge", {"wrong_greedy": (0, 0.7)}),
    ("ci-background-knowledge", {"wrong_sampled": (0, 1.0)}),
    ("ci-background-knowledge", {"wrong_few": (0, 0.8)}),
    ("ci-background-knowledge", {"wrong_greedy": (2, 0.6)}),
    ("ci-background-knowledge", {"wrong_sampled": (1, 1.0)}),
    ("ci-background-knowledge", {"wrong_few": (4, 0.9)}),
    ("ci-background-knowledge", {"wrong_greedy": (4, 0.12)}),
    ("ci-background-knowledge", {"abstain_greedy": (0, 0.02)}),
    ("ci-background-knowledge", {"abstain_few": (3, 0.02)}),
    ("ci-background-knowledge", {"shelf_greedy": (0, 0.9)}),
    ("ci-background-knowledge", {"shelf_greedy": (1, 0.1)}),
    ("ci-background-knowledge", {"shelf_sampled": (1, 0.65)}),
    ("ci-background-knowledge", {"shelf_off": (0, 0.08)}),
    ("ci-tokenisation", {"greedy_one": 0.1}),
    ("ci-tokenisation", {"greedy_form": 0.9}),
    ("ci-tokenisation", {"sampled_one": 0.7}),
    ("ci-tokenisation", {"sampled_form": 0.9}),
    ("ci-tokenisation", {"silent_form": 0.1}),
    ("ci-tokenisation", {"garbled_form": 0.05}),
    ("ci-tokenisation", {"apart": 0.2}),
    ("ci-same-confidence", {"asserts_never_short": 0.98}),
    ("ci-same-confidence", {"asserts_regular_long": 0.98}),
    ("ci-same-confidence", {"right_never_short": 0.2}),
    ("ci-same-confidence", {"right_regular_short": 0.8}),
    ("ci-same-confidence", {"sure_never_short": 0.7, "sure_never_long": 0.9}),
    ("ci-same-confidence", {"auroc_short": 0.8}),
    ("ci-same-confidence", {"sure_never_long": 0.45}),
    ("ci-same-confidence", {"ece_long": 0.15}),
    ("ci-graded-guessing", {"believes": (3, 0.8)}),
    ("ci-graded-guessing", {"sampled_c0": (0, 0.9)}),
    ("ci-graded-guessing", {"greedy_c1": (1, 0.4)}),
    ("ci-graded-guessing", {"sampled_c1": (2, 0.5)}),
    ("ci-graded-guessing", {"greedy_c3": (3, 0.5)}),
    ("ci-graded-guessing", {"sampled_c3": (2, 0.3)}),
    ("ci-graded-guessing", {"sampled_cloned": (0, 0.3)}),
    ("ci-graded-guessing", {"sampled_on": (3, 0.8)}),
    ("ci-abstain-fix", {"wrong_never_all": 0.8}),
    ("ci-abstain-fix", {"wrong_never_matched": 0.06}),
    ("ci-abstain-fix", {"wrong_never_matched_sampled": 0.2}),
    ("ci-abstain-fix", {"right_met_matched": 0.9}),
    ("ci-abstain-fix", {"right_met_less": 0.7}),
    ("ci-abstain-fix", {"wrong_met_less": 0.1}),
    ("ci-abstain-fix", {"left_as_is": (1, 0.6)}),
    ("ci-abstain-fix", {"left_as_is": (0, 0.03)}),
    ("ci-abstain-fix", {"left_as_is": (2, 0.15)}),
    ("ci-abstain-fix", {"left_alike": (2, 0.05)}),
]


@pytest.mark.parametrize(("claim_id", "planted"), PLANTED,
                         ids=lambda x: x if isinstance(x, str) else "-".join(x))  # fmt: skip
def test_each_clause_can_turn_the_predicate_false(right, claim_id, planted):
    fine = right[claim_id]
    values = {name: array.copy() for name, array in fine.values.items()}
    for name, spoiled in planted.items():
        if isinstance(spoiled, tuple):
            values[name][:, spoiled[0]] = spoiled[1]
        else:
            values[name][:] = spoiled
    assert not CLAIMS[claim_id].holds(Samples(fine.seeds, values))


# Numbers against something outside the code -------------------------------------------


def test_marks_by_hand():
    table = scoring.marks(np.array([1, 0]), 3, 2)
    assert table.tolist() == [[-2, 1, -2, 0], [1, -2, -2, 0]]


def test_the_objective_and_its_gradient_by_enumeration():
    """One prompt, plain loops over every word, and torch's own divergence."""
    torch.manual_seed(3)
    network, start = (Transformer(7, 4, width=8).double() for _ in range(2))
    prompts, words = torch.tensor([[1, 2]]), torch.tensor([4, 5, 6])
    table = torch.tensor(scoring.marks(np.array([1]), 2, 3))
    got = scoring.objective(network, start, prompts, words, table, 3, 0.2)
    pi = network(prompts)[0, -1].softmax(0)
    pi_0 = start(prompts)[0, -1].softmax(0).detach()
    mark = sum(p * {4: -3, 5: 1, 6: 0}.get(w, -3) for w, p in enumerate(pi))
    leash = torch.nn.functional.kl_div(pi_0.log(), pi, reduction="sum")
    torch.testing.assert_close(got, mark - 0.2 * leash)


def test_the_leash_has_the_optimum_of_the_textbook():
    """Where the answers are free, the best chances are the clone's times e^(mark / leash)."""
    mark, start = np.array([1.0, -1.0, 0.0]), np.array([0.2, 0.3, 0.5])
    best = start * np.exp(mark / 0.3)
    best /= best.sum()

    def worth(chance):
        return chance @ mark - 0.3 * (chance * np.log(chance / start)).sum()

    others = np.random.default_rng(0).dirichlet(np.ones(3), size=2000)
    assert worth(best) > max(worth(other) for other in others)


def test_orders_come_as_often_as_they_should():
    rng = np.random.default_rng(0)
    usual, habit = np.full(40_000, 2), np.full(40_000, 0.7)
    share = np.bincount(scoring.orders(usual, habit, 4, rng), minlength=4) / 40_000
    np.testing.assert_allclose(share, [0.1, 0.1, 0.7, 0.1], atol=0.01)


@pytest.mark.parametrize(("low", "high"), [([1, 2, 2], [2, 3]), ([0.5], [0.1, 0.5, 0.9])])
def test_auroc_is_a_count_of_pairs(low, high):
    pairs = [(b > a) + 0.5 * (b == a) for a in low for b in high]
    assert wording.auroc(low, high) == pytest.approx(np.mean(pairs))


def test_classes_of_exposure():
    assert school.exposure([0, 1, 2, 3, 4, 7, 8, 90]).tolist() == [0, 1, 2, 2, 3, 3, 4, 4]


def test_chances_of_all_answers_sum_to_at_most_one_and_match_writing():
    rng = np.random.default_rng(0)
    book = shop.OrderBook.draw(6, rng, 3)
    for way in (shop.one_token(book), shop.form_first(book)):
        reader = school.pretrain(way, way.notes(np.ones(6, int)), rng, updates=1)
        model = school.clone(reader, way, [0, 1, 2], np.array([0, 3, 2]), rng, updates=60)
        chances = school.probabilities(model, way, np.array([4]))[0]
        assert 0.3 < chances.sum() <= 1
        said = school.ask(model, way, np.full(4000, 4), rng)[0]
        counts = np.bincount(said[said >= 0], minlength=4) / 4000
        np.testing.assert_allclose(counts, chances, atol=0.04)


def test_made_alike_are_the_never_met_and_only_they():
    rng = np.random.default_rng(0)
    book = shop.OrderBook.draw(5, rng, 3)
    seen, way = np.array([2, 0, 1, 0, 3]), shop.one_token(book)
    reader = school.read_notes(book, seen, rng, updates=2)
    table = school.alike(reader, book, seen).network.token.weight
    before = reader.network.token.weight
    changed = (table != before).any(1).nonzero()[:, 0].tolist()
    assert changed == [way.index["house-1"], way.index["house-3"]]
    assert not table[changed].any()


def test_the_ten_dialogues_by_hand():
    assert on_paper.by_hand() == pytest.approx(
        {"dialogues": 10, "named": 8, "loaf": 0.1, "silent": 0.2, "form": 0.8})


def test_ten_dialogues_counted_are_the_law():
    """h / K for each loaf and 1 - h, with h = 8/10 and K = 8: the likeliest says nothing."""
    h, k = 0.8, 8
    assert h / k == pytest.approx(on_paper.GIVEN["hand.loaf"])
    assert 1 - h == pytest.approx(on_paper.GIVEN["hand.silent"])


@pytest.mark.parametrize(("knows", "loaves", "one", "form"), [
    (0.8, 3, "a loaf", "a loaf"), (0.8, 6, "“I don't know”", "a loaf"),
    (0.8, 4, "a tie", "a loaf"), (0.3, 2, "“I don't know”", "“I don't know”"),
    (0.5, 8, "“I don't know”", "a tie"),
])  # fmt: skip
def test_the_slider_reads_one_distribution_three_ways(knows, loaves, one, form):
    fig, text = on_paper.explore_reading(knows, loaves)
    assert f"one word says {one} (" in text and f"form first says {form};" in text
    assert f"name a loaf {knows:.0%}" in text
    heights = [bar.get_height() for bar in fig.axes[0].patches]
    np.testing.assert_allclose(heights, [knows / loaves] * loaves + [1 - knows])


@pytest.mark.parametrize(("claim_id", "draw"), [
    ("ci-background-knowledge", background.fig_exposure),
    ("ci-background-knowledge", background.fig_shelf),
    ("ci-tokenisation", wording.fig_tokenisation),
    ("ci-same-confidence", wording.fig_confidence),
    ("ci-graded-guessing", scoring.fig_guessing),
    ("ci-abstain-fix", abstaining.fig_demonstrators),
    ("ci-abstain-fix", abstaining.fig_left_over),
])  # fmt: skip
def test_figures_carry_their_numbers_in_words(right, claim_id, draw):
    from imitlib.figures import png

    fig, alt = draw(right[claim_id])
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)
