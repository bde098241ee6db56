"""A claim is real only if some wrong library makes it false: the form of that test."""

import joblib
import numpy as np
import pytest

from imitlib.experiments import Samples


def each(mutants):
    """One case for each (claim's id, wrong library) of ``{id: [mutants]}``."""
    return pytest.mark.parametrize(
        ("claim_id", "mutant"),
        [(claim_id, mutant) for claim_id, several in mutants.items() for mutant in several],
        ids=lambda x: x if isinstance(x, str) else x.__name__,
    )


def remembering(fit, *parts):
    """The same teacher, who remembers what a lesson gave and where it left the dice.

    Equal arguments and equal dice give an equal pupil; a mistake outside of the lesson
    then costs no lesson. `parts` are of the library's inside, as ``(owner, name)``, and
    a pupil of other parts is another one.
    """
    known = {}

    def remembered(*args, rng, **options):
        inside = [getattr(*part) for part in parts]
        state = rng.bit_generator.state
        key = joblib.hash((args, options, state, [f"{f.__module__} {id(f)}" for f in inside]))
        if key not in known:
            pupil = fit(*args, rng=rng, **options)
            known[key] = pupil, rng.bit_generator.state, inside  # held: an id stays its own
        pupil, rng.bit_generator.state, _ = known[key]
        return pupil

    return remembered


def must_refute(claim, fine, wrong):
    """The wrong library ran to its end, with legal shapes, and the predicate is false."""
    assert list(wrong.values) == list(fine.values)
    assert all(wrong[name].shape == fine[name].shape for name in fine.values)
    assert claim.holds(wrong) is False


def planted(values, **changed):
    """Ten equal seeds."""
    return Samples(tuple(range(10)), {
        k: np.repeat(np.asarray(v, float)[None], 10, axis=0)
        for k, v in {**values, **changed}.items()
    })  # fmt: skip


def along(values, k, value):
    out = list(values)
    out[k] = value
    return out
