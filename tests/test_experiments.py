"""Seeds, intervals and samples, against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from imitlib.experiments import Samples, bar, interval, over_seeds, stack


def test_interval_is_scipys_t_interval():
    x = np.random.default_rng(0).normal(size=13)
    low, high = stats.t.interval(0.95, 12, loc=x.mean(), scale=stats.sem(x))
    got = interval(x)
    np.testing.assert_allclose([got.low, got.mean, got.high], [low, x.mean(), high])


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = [(i := interval(rng.normal(3, 2, size=6))).low < 3 < i.high for _ in range(2000)]
    assert abs(np.mean(hits) - 0.95) < 0.02


def test_one_sample_has_no_interval_worth_the_name():
    assert interval([4.0]).low == -np.inf and interval([4.0]).n == 1


@pytest.mark.parametrize("bad", [[], [1.0, np.nan], [[1.0], [2.0]]])
def test_interval_refuses(bad):
    with pytest.raises(ValueError, match="values"):
        interval(bad)


def measure(seed):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(), "curve": rng.normal(size=3)}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_sample_comes_back_in_order(n_jobs):
    samples = over_seeds(measure, [5, 3, 9], n_jobs=n_jobs, progress=False)
    assert samples.seeds == (5, 3, 9)
    np.testing.assert_array_equal(samples["x"], [measure(s)["x"] for s in (5, 3, 9)])
    assert samples["curve"].shape == (3, 3) and samples.scalars() == ["x"]


def test_a_subset_keeps_seed_and_sample_together():
    samples = over_seeds(measure, range(4), progress=False).subset([2, 0])
    np.testing.assert_array_equal(samples["x"], [measure(2)["x"], measure(0)["x"]])


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_refused(seeds):
    with pytest.raises(ValueError, match="seeds"):
        over_seeds(measure, seeds)


def test_seeds_that_measure_different_things_are_refused():
    with pytest.raises(ValueError, match="seed 1 measured"):
        stack({0: {"a": 1}, 1: {"b": 1}})
    with pytest.raises(ValueError, match="rows"):
        Samples((1, 2), {"a": np.zeros(3)})


def test_an_unknown_quantity_names_the_known_ones():
    with pytest.raises(KeyError, match="there are x, curve"):
        over_seeds(measure, [0], progress=False)["y"]


def test_no_bar_in_a_static_page(monkeypatch, capfd):
    monkeypatch.setenv("IMITLIB_STATIC", "1")
    assert list(bar(range(3), total=3)) == [0, 1, 2]
    assert capfd.readouterr() == ("", "")
