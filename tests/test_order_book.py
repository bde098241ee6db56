"""The order book: who knows what, and how it is said, against plain counting."""

import numpy as np
import pytest
import scipy.stats

from imitlib.envs.order_book import (
    GARBLED,
    OrderBook,
    Tokenisation,
    answers,
    form_first,
    half_of,
    knows_all,
    knows_seen,
    one_token,
    sightings,
    vocabulary,
)

FORMS = pytest.mark.parametrize("form", [one_token, form_first])


def seeded(seed=0):
    return np.random.default_rng(seed)


def book(loaf=(0, 2, 1, 2), n_loaves=3) -> OrderBook:
    return OrderBook(np.array(loaf), n_loaves)


def spoken(tokenisation, tokens) -> list[str]:
    return [" ".join(tokenisation.words[t] for t in row) for row in tokens]


# --- the book, and the round ---------------------------------------------------------


def test_loaves_are_drawn_evenly():
    drawn = OrderBook.draw(30_000, seeded(), 5)
    assert len(drawn) == 30_000 and drawn.dont_know == 5
    assert scipy.stats.chisquare(np.bincount(drawn.loaf)).pvalue > 1e-3
    twice = [OrderBook.draw(9, seeded(3)).loaf for _ in range(2)]
    assert (twice[0] == twice[1]).all()


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_sightings_follow_zipf(exponent):
    n, rounds, houses, rng = 200, 4000, 6, seeded(1)
    town = OrderBook.draw(houses, rng)
    seen = np.stack([sightings(town, n, rng, exponent) for _ in range(rounds)])
    assert (seen.sum(1) == n).all()
    weight = np.array([1 / r**exponent for r in range(1, houses + 1)])
    # the ranks are shuffled, so each house gets the same in the long run ...
    np.testing.assert_allclose(seen.mean(0), n / houses, rtol=0.06)
    # ... and any moment over the houses of a round is that of the multinomial
    p = weight / weight.sum()
    second = n * p * (1 - p) + (n * p) ** 2
    assert (seen**2).sum(1).mean() == pytest.approx(second.sum(), rel=0.01)


def test_no_sightings_at_all():
    assert (sightings(book(), 0, seeded()) == 0).all()


# --- who answers what ----------------------------------------------------------------


def test_three_demonstrators():
    town, seen, houses = book(), np.array([0, 1, 5, 2]), np.array([0, 1, 2, 3, 3])
    assert answers(town, houses, knows_all(town)).tolist() == [0, 2, 1, 2, 2]
    assert answers(town, houses, knows_seen(seen)).tolist() == [3, 2, 1, 2, 2]
    assert answers(town, houses, knows_seen(seen, 2)).tolist() == [3, 3, 1, 2, 2]
    nobody = half_of(knows_all(town), seeded(), share=0.0)
    assert answers(town, houses, nobody).tolist() == [3] * 5


def test_the_ignorant_know_a_share_of_what_the_learner_knows():
    known = np.arange(40_000) % 2 == 0
    for share in (0.0, 0.25, 0.5, 1.0):
        fewer = half_of(known, seeded(2), share)
        assert not (fewer & ~known).any()
        assert fewer[known].mean() == pytest.approx(share, abs=0.01)
    assert half_of(known, seeded(2))[known].mean() == pytest.approx(0.5, abs=0.01)


# --- how it is said ------------------------------------------------------------------


def test_one_token_in_words():
    t = one_token(book())
    assert spoken(t, t.write(np.arange(4))) == [
        "rye <end>", "spelt <end>", "poppy <end>", "don't-know <end>"]
    assert spoken(t, t.questions(np.array([2, 0]))) == ["ask: house-2", "ask: house-0"]


def test_form_first_in_words():
    t = form_first(book())
    assert spoken(t, t.write(np.array([1, 3]))) == [
        "it is spelt <end> <end>", "i do not know <end>"]
    text = t.dialogue(np.array([3, 0]), np.array([2, 3]))
    assert spoken(t, text.tokens) == ["ask: house-3 it is poppy <end> <end>",
                                      "ask: house-0 i do not know <end>"]
    assert text.answer.astype(int).tolist() == [[0, 0, 1, 1, 1, 1, 0],
                                                [0, 0, 1, 1, 1, 1, 1]]


@FORMS
def test_notes_say_each_house_as_often_as_it_was_seen(form):
    t = form(book())
    text = t.notes(np.array([2, 0, 1, 0]))
    assert spoken(t, text.tokens) == ["note: house-0 rye <end>"] * 2 + [
        "note: house-2 spelt <end>"]
    assert text.answer.astype(int).tolist() == [[0, 0, 1, 1]] * 3


@FORMS
def test_a_house_may_take_another_loaf_each_time(form):
    t = form(book())
    text = t.notes_of(np.array([3, 3, 0]), np.array([1, 0, 2]))
    assert spoken(t, text.tokens) == ["note: house-3 spelt <end>",
                                      "note: house-3 rye <end>",
                                      "note: house-0 poppy <end>"]
    assert text.answer.astype(int).tolist() == [[0, 0, 1, 1]] * 3


@FORMS
def test_what_is_written_is_read_again(form):
    t = form(OrderBook.draw(5, seeded(), 30))
    everything = np.arange(31)
    assert (t.read(t.write(everything)) == everything).all()
    assert len({" ".join(row) for row in spoken(t, t.write(everything))}) == 31
    # any one wrong token spoils it
    for y in (0, 29, 30):
        for place in range(t.answer_length):
            wrong = t.write(np.array([y])).copy()
            wrong[0, place] = t.index["note:"]
            assert t.read(wrong).tolist() == [GARBLED]


def test_half_an_answer_is_garbled():
    t = form_first(book())
    said = ["it is <end> <end> <end>", "i do not <end> <end>", "it is don't-know <end> "
            "<end>", "rye <end> <end> <end> <end>", "it is rye rye <end>",
            "it is rye <end> <end>"]
    tokens = [[t.index[w] for w in row.split()] for row in said]
    assert t.read(tokens).tolist() == [GARBLED] * 5 + [0]


def test_both_forms_use_one_vocabulary():
    town = book()
    assert one_token(town).words == form_first(town).words == vocabulary(town)
    assert len(set(vocabulary(town))) == len(vocabulary(town)) == 10 + 3 + 4
    assert vocabulary(town)[0] == "<end>"


def test_a_vocabulary_in_another_order_says_the_same():
    town = book()
    words = vocabulary(town)
    other = form_first(town, (*words[:1], *words[:0:-1]))
    said = np.arange(4)
    assert spoken(other, other.write(said)) == spoken(form_first(town),
                                                      form_first(town).write(said))
    assert (other.read(other.write(said)) == said).all()


def test_texts_are_put_one_after_the_other():
    t = form_first(book())
    notes = t.notes(np.array([1, 1, 0, 0]))
    talk = t.dialogue(np.array([2]), np.array([3]))
    both = notes + talk
    assert both.tokens.shape == both.answer.shape == (3, 7)
    assert (both.tokens[:2, :4] == notes.tokens).all()
    assert (both.tokens[:2, 4:] == 0).all() and not both.answer[:2, 4:].any()
    assert (both.tokens[2:] == talk.tokens).all()
    assert (both.answer[2:] == talk.answer).all()
    assert ((talk + notes).tokens[1:, :4] == notes.tokens).all()


# --- what is refused -----------------------------------------------------------------

WORDS = vocabulary(book())


@pytest.mark.parametrize("call, error, said", [
    (lambda: OrderBook(np.array([], int)), ValueError, "the order book is empty"),
    (lambda: OrderBook([]), ValueError, "the order book is empty"),
    (lambda: OrderBook.draw(0, seeded()), ValueError, "n_houses is 0"),
    (lambda: book([3]), ValueError, r"loaf\[0\] is 3; legal are 0 \.\.\. 2"),
    (lambda: book([0.5]), TypeError, "loaf has shape .* of float64"),
    (lambda: book([0], 1), ValueError, "n_loaves is 1"),
    (lambda: sightings(book(), -1, seeded()), ValueError, "n is -1"),
    (lambda: sightings(book(), 1, seeded(), np.inf), ValueError, "exponent inf"),
    (lambda: knows_seen(np.ones(4), 0), ValueError, "at_least is 0"),
    (lambda: half_of(np.ones(4, bool), seeded(), 1.1), ValueError, "share is 1.1"),
    (lambda: answers(book(), np.array([4]), knows_all(book())), ValueError,
     r"houses\[0\] is 4; legal are 0 \.\.\. 3"),
    (lambda: answers(book(), np.array([0]), np.ones(3, bool)), TypeError,
     r"known has shape \(3,\)"),
    (lambda: answers(book(), np.array([0]), np.ones(4, int)), TypeError, "of int64"),
    (lambda: one_token(book(), [w for w in WORDS if w != "don't-know"]), ValueError,
     "no token for \"don't-know\", which the abstention needs"),
    (lambda: form_first(book(), [w for w in WORDS if w != "know"]), ValueError,
     "no token for 'know', which the abstention needs"),
    (lambda: one_token(book(), [w for w in WORDS if w != "rye"]), ValueError,
     "no token for 'rye'"),
    (lambda: one_token(book(), [w for w in WORDS if w != "house-3"]), ValueError,
     "no token for 'house-3'"),
    (lambda: one_token(book(), (*WORDS, "rye")), ValueError, "'rye' twice"),
    (lambda: one_token(book(), WORDS[::-1]), ValueError, "end token"),
    (lambda: one_token(book(), ()), ValueError, "end token"),
    (lambda: Tokenisation(book(), (), ()), ValueError, "abstention is empty"),
    (lambda: Tokenisation(book(), (), ("rye",)), ValueError, "written alike"),
    (lambda: one_token(book()).notes(np.zeros(4, int)), ValueError, "0 sightings"),
    (lambda: one_token(book()).notes(np.ones(3, int)), ValueError, "3 houses"),
    (lambda: one_token(book()).notes_of(np.array([0]), np.array([3])), ValueError,
     r"loaves\[0\]"),
    (lambda: one_token(book()).notes_of(np.array([0, 1]), np.array([2])), ValueError,
     "2 rows and loaves 1"),
    (lambda: one_token(book()).questions(np.array([4])), ValueError, r"houses\[0\]"),
    (lambda: one_token(book()).write(np.array([GARBLED])), ValueError, r"answers\[0\]"),
    (lambda: one_token(book()).dialogue(np.array([0, 1]), np.array([0])), ValueError,
     "2 rows and answers 1"),
    (lambda: one_token(book()).read(np.zeros((2, 3), int)), ValueError, r"\(B, 2\)")])
def test_what_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()
