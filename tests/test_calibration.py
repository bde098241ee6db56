"""Accuracy, abstention and calibration against cases worked by hand and plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imitlib.calibration import expected_calibration_error, reliability, score

IDK = 9


def by_loops(confidence, right, bins):
    """Guo et al. (2017), one answer at a time: bin m holds ((m - 1)/M, m/M]."""
    total = 0.0
    for m in range(1, bins + 1):
        inside = [i for i, p in enumerate(confidence)
                  if (m - 1) / bins < p <= m / bins or (m == 1 and p == 0)]
        if inside:
            said = sum(confidence[i] for i in inside) / len(inside)
            was = sum(bool(right[i]) for i in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(was - said)
    return total


def test_ten_answers_by_hand():
    answers = [1, 2, 3, 4, IDK, IDK, 5, 6, 1, 1]
    truth = [1, 2, 3, 0, 0, 1, 0, 0, 0, 1]
    s = score(np.array(answers), np.array(truth), IDK)
    assert (s.n, s.accuracy, s.wrong_rate, s.abstain_rate) == (10, 0.4, 0.4, 0.2)
    assert s.selective_accuracy == pytest.approx(0.5)
    assert math.isnan(s.confidence) and math.isnan(s.ece)


def test_calibration_by_hand():
    """Two bins: (.2, .4) of which one is right, (.6, .9, .9) of which two."""
    p, right = [0.2, 0.4, 0.6, 0.9, 0.9], np.array([1, 0, 0, 1, 1], bool)
    table = reliability(p, right, bins=2)
    np.testing.assert_allclose(table.edges, [0, 0.5, 1])
    np.testing.assert_array_equal(table.count, [2, 3])
    np.testing.assert_allclose(table.confidence, [0.3, 0.8])
    np.testing.assert_allclose(table.accuracy, [1 / 2, 2 / 3])
    by_hand = 2 / 5 * (0.5 - 0.3) + 3 / 5 * (0.8 - 2 / 3)
    assert expected_calibration_error(p, right, 2) == pytest.approx(by_hand)
    # over and under do not cancel between bins, but do within one
    assert expected_calibration_error(p, right, 1) == pytest.approx(0.0)


def test_fifteen_bins_unless_said():
    p, right = np.linspace(0.01, 0.99, 50), np.arange(50) % 3 == 0
    assert len(reliability(p, right).count) == 15
    assert expected_calibration_error(p, right) == pytest.approx(
        by_loops(p, right, 15), abs=1e-12)
    answers = np.where(right, 1, 2)
    s = score(answers, np.ones(50, int), IDK, p)
    assert s.ece == pytest.approx(by_loops(p, right, 15), abs=1e-12)
    assert score(answers, np.ones(50, int), IDK, p, bins=3).ece == pytest.approx(
        by_loops(p, right, 3), abs=1e-12)


def test_a_bin_holds_its_upper_edge_and_not_its_lower():
    for bins in (2, 4, 5, 10, 15):
        for m in range(1, bins + 1):
            table = reliability([m / bins], np.array([True]), bins)
            assert table.count.argmax() == m - 1
            above = reliability([min(m / bins + 1e-9, 1)], np.array([True]), bins)
            assert above.count.argmax() == min(m, bins - 1)
    assert reliability([0.0], np.array([True]), 4).count[0] == 1


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 20), st.lists(
    st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_ece_is_that_of_loops(bins, answers):
    p, right = [a[0] for a in answers], np.array([a[1] for a in answers])
    assert expected_calibration_error(p, right, bins) == pytest.approx(
        by_loops(p, right, bins), abs=1e-9)
    assert reliability(p, right, bins).count.sum() == len(p)


def test_honest_numbers_have_no_error_and_false_ones_have_theirs():
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    assert expected_calibration_error(p, rng.random(len(p)) < p) < 0.01
    # always sure of .9, right half of the time
    right = np.arange(1000) % 2 == 0
    assert expected_calibration_error(np.full(1000, 0.9), right) == pytest.approx(0.4)


def test_an_empty_bin_counts_for_nothing():
    table = reliability([0.95, 0.97], np.array([True, True]), 10)
    assert np.isnan(table.confidence[:9]).all() and np.isnan(table.accuracy[:9]).all()
    assert table.confidence[9] == pytest.approx(0.96)


def test_an_abstention_is_never_right_and_its_confidence_is_nobodys():
    truth = np.array([1, 1, 1, 1])
    for sure in (0.0, 0.5, 1.0):
        s = score(np.array([1, 2, IDK, IDK]), truth, IDK,
                  np.array([0.8, 0.6, sure, sure]))
        assert (s.accuracy, s.wrong_rate, s.abstain_rate) == (0.25, 0.25, 0.5)
        assert s.confidence == pytest.approx(0.7)
        assert s.ece == pytest.approx(
            by_loops([0.8, 0.6], [True, False], 15), abs=1e-12)
        assert s.selective_accuracy == 0.5
    silent = score(np.array([IDK] * 4), truth, IDK, np.full(4, 0.9))
    assert (silent.accuracy, silent.wrong_rate, silent.abstain_rate) == (0, 0, 1)
    assert math.isnan(silent.confidence) and math.isnan(silent.ece)
    assert math.isnan(silent.selective_accuracy)


def test_what_is_no_answer_at_all_is_wrong():
    s = score(np.array([-1, 1]), np.array([1, 1]), IDK)
    assert (s.accuracy, s.wrong_rate, s.abstain_rate) == (0.5, 0.5, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3)), min_size=1))
def test_the_three_shares_are_those_of_counting(pairs):
    answers, truth = np.array(pairs).T
    s = score(answers, truth, 4)
    n = len(pairs)
    assert s.accuracy == sum(a == t for a, t in pairs) / n
    assert s.abstain_rate == sum(a == 4 for a, _ in pairs) / n
    assert s.wrong_rate == sum(a not in (t, 4) for a, t in pairs) / n


ONE = np.array([1])


@pytest.mark.parametrize("call, error, said", [
    (lambda: score(ONE, np.array([IDK]), IDK), ValueError, r"truth\[0\] is 9"),
    (lambda: score(ONE, np.array([1, 2]), IDK), ValueError, "1 rows and truth 2"),
    (lambda: score(ONE[:0], ONE[:0], IDK), ValueError, "at least one"),
    (lambda: score(ONE / 1, ONE, IDK), TypeError, "answers has shape .* of float64"),
    (lambda: score(ONE, ONE[None], IDK), TypeError, r"truth has shape \(1, 1\)"),
    (lambda: score(ONE, ONE, IDK, [1.5]), ValueError, r"confidence\[0\] is 1.5"),
    (lambda: score(ONE, ONE, IDK, [np.nan]), ValueError, r"confidence\[0\] is nan"),
    (lambda: score(ONE, ONE, IDK, [-0.1]), ValueError, r"confidence\[0\] is -0.1"),
    (lambda: score(ONE, ONE, IDK, [0.1, 0.2]), ValueError, r"must be \(1,\)"),
    (lambda: score(ONE, ONE, IDK, [0.1], bins=0), ValueError, "bins is 0"),
    (lambda: reliability([0.5], [True], 1.5), ValueError, "bins is 1.5"),
    (lambda: reliability([0.5], [1]), TypeError, "right has shape .* of int64"),
    (lambda: reliability([], np.zeros(0, bool)), TypeError, "at least one answer")])
def test_what_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()
