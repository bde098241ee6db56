"""Running an experiment over seeds: every sample comes back, never only a mean.

A *measure* is a function ``measure(seed) -> {name: number or list of numbers}``.
It must depend on the seed alone, so that a sample can be taken again anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Interval", "Samples", "interval", "over_seeds"]

Measure = Callable[[int], Mapping[str, object]]


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval, from ``n`` samples."""

    mean: float
    low: float
    high: float
    n: int

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        if self.n < 2:
            return f"{self.mean:{spec}}"
        return f"{self.mean:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return format(self, "")


def interval(values: Iterable[float], level: float = 0.95) -> Interval:
    r"""Student's confidence interval of a mean.

    .. math:: \bar x \pm t_{n-1,\,(1+c)/2}\; s / \sqrt{n}

    Parameters
    ----------
    values : array, shape (n,)
        One number per seed.
    level : float
        Coverage c in (0, 1).

    Raises
    ------
    ValueError
        If `values` is empty, not one-dimensional or not finite.
    """
    from scipy.stats import t

    x = np.asarray(list(values), dtype=float)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"values has shape {x.shape}; give a non-empty list of numbers")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"values holds {x[~np.isfinite(x)][0]}; every sample must be finite")
    mean = float(x.mean())
    if x.size == 1:
        return Interval(mean, -np.inf, np.inf, 1)
    half = float(t.ppf((1 + level) / 2, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size))
    return Interval(mean, mean - half, mean + half, x.size)


@dataclass(frozen=True)
class Samples:
    """What came out of every seed.

    Attributes
    ----------
    seeds : tuple of int
    values : dict of name -> ndarray, shape (n_seeds, ...)
        Row i belongs to ``seeds[i]``.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, np.ndarray]

    def __post_init__(self):
        for name, value in self.values.items():
            if len(value) != len(self.seeds):
                raise ValueError(
                    f"values[{name!r}] has {len(value)} rows for {len(self.seeds)} seeds"
                )

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise KeyError(f"no quantity {name!r}; there are {', '.join(self.values)}")
        return self.values[name]

    def mean(self, name: str) -> float:
        """Mean over seeds of a scalar quantity."""
        return float(np.mean(self[name]))

    def interval(self, name: str) -> Interval:
        """Mean and 95 % interval over seeds of a scalar quantity."""
        return interval(self[name])

    def subset(self, seeds: Iterable[int]) -> Samples:
        """The rows of some seeds, in the order asked for."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return Samples(
            tuple(self.seeds[i] for i in rows),
            {name: value[rows] for name, value in self.values.items()},
        )

    def scalars(self) -> list[str]:
        """Names of the quantities that are one number per seed."""
        return [name for name, value in self.values.items() if value.ndim == 1]


def stack(rows: Mapping[int, Mapping[str, object]]) -> Samples:
    """Put one dictionary per seed together; every seed must measure the same things."""
    if not rows:
        raise ValueError("no seeds were measured; give at least one")
    names = list(next(iter(rows.values())))
    for seed, row in rows.items():
        if list(row) != names:
            raise ValueError(f"seed {seed} measured {list(row)}; the first measured {names}")
    values = {n: np.array([np.asarray(r[n], float) for r in rows.values()]) for n in names}
    return Samples(tuple(rows), values)


def over_seeds(
    measure: Measure, seeds: Iterable[int], *, n_jobs: int = 1, progress: bool = True
) -> Samples:
    """Run ``measure(seed)`` for every seed and keep every sample.

    The runs go through joblib, so ``joblib.parallel_config(backend="dask")`` or
    ``"ray"`` spreads the same call over a cluster.

    Parameters
    ----------
    measure : callable
        seed -> {name: number or list of numbers}.
    seeds : iterable of int
        At least one, all different.
    n_jobs : int
        Processes; 1 runs here, -1 uses every core.
    progress : bool
        Show a bar once the work has lasted two seconds.

    Raises
    ------
    ValueError
        If `seeds` is empty or has a duplicate.
    """
    from joblib import Parallel, delayed

    seeds = [int(seed) for seed in seeds]
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds is {seeds}; give at least one, all different")
    runs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(measure)(seed) for seed in seeds
    )
    rows = dict(zip(seeds, bar(runs, total=len(seeds), show=progress), strict=True))
    return stack(rows)


def bar(iterable, *, total: int | None = None, show: bool = True, label: str = ""):
    """A progress bar that appears after two seconds and leaves nothing behind.

    With ``IMITLIB_STATIC`` set (pages being executed for the book) there is none:
    a bar in a stored output would never be the same twice.
    """
    import os

    from tqdm.auto import tqdm

    hide = not show or bool(os.environ.get("IMITLIB_STATIC"))
    return tqdm(iterable, total=total, desc=label, leave=False, delay=2, disable=hide)
