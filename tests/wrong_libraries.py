"""A claim is real only if some wrong library makes it false: the form of that test."""

import pytest


def each(mutants):
    """One case for each (claim's id, wrong library) of ``{id: [mutants]}``."""
    return pytest.mark.parametrize(
        ("claim_id", "mutant"),
        [(claim_id, mutant) for claim_id, several in mutants.items() for mutant in several],
        ids=lambda x: x if isinstance(x, str) else x.__name__,
    )


def must_refute(claim, fine, wrong):
    """The wrong library ran to its end, with legal shapes, and the predicate is false."""
    assert list(wrong.values) == list(fine.values)
    assert all(wrong[name].shape == fine[name].shape for name in fine.values)
    assert claim.holds(wrong) is False
