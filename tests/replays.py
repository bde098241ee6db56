"""Which part of a recorded seed is measured again, where the whole of it takes long.

Samples of a changed source are due, replayed or not: the fingerprint says so. What a
replay adds is another machine, another torch, and what no fingerprint can follow. For
that, one learner of several will do, or the first rounds of a loop, as long as they go
through the claim's own `measure` from the first draw to the mark. The whole is measured
again by ``python -m imitlib.claims --replay ID``.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from imitlib import claims
from imitlib.chapters.ch02 import kitchen
from imitlib.chapters.ch03 import abstaining, background, inventing, talking
from imitlib.chapters.ch05 import exam, game, steps
from imitlib.experiments import Samples
from imitlib.pc.training import Fit

# Those of the rounds of a loop that come first: where they stand, and how many.
FIRST = {
    "bc-real-people-elsewhere": (kitchen, "ELSEWHERE", 1),
    "ci-abstain-fix": (abstaining, "SPREADS", 2),
    "ci-background-knowledge": (background, "SHELVES", 2),
    "ci-must-hallucinate": (inventing, "WORLDS", 2),
    "pc-chain-of-thought": (steps, "ARMS", 1),
    "pc-second-procedure": (game, "ARMS", 1),
}
# Whole seeds that the tests of wrong libraries need anyway.
ELSEWHERE = {
    "bc-real-people": "test_claims_kitchen",
    "ua-bug-context": "test_claims_underachieving",
    "ua-mimicry-fails": "test_claims_underachieving",
    "ua-rule": "test_claims_underachieving",
    "ua-suppresses-capability": "test_claims_underachieving",
}


class Silent(torch.nn.Module):
    """Says nothing in as many planes as the network that is not taught."""

    def __init__(self, network, inputs):
        super().__init__()
        with torch.no_grad():
            self.planes = network(inputs[:1]).shape[1]

    def forward(self, x, iterations=None):
        return torch.zeros(len(x), self.planes, *x.shape[2:])


def nobody_learns(make, examples, *_):
    with torch.random.fork_rng(devices=[]):
        network = Silent(make(), examples.inputs)
    return Fit(network, np.array([[0, np.nan, np.nan]]), False)


def nobody_walks(world, policy, walkers, rng):
    return np.zeros((world.horizon, walkers), bool)


# Of the calls of one function those that are made, by number, and what depends on no
# other; in place of the rest stands something that costs nothing.
CALLS = {
    "il-sft": (talking.rope, "walk", nobody_walks, {0},
               r"loss_.*|gradient_.*|error_.*|predicted_.*|cost_clone"),
    "pc-cost": (exam, "learn", nobody_learns, {0, 1, 2, 3, 7},
                r"one_.*|cap_.*|sweeps_.*|drift|true_value|calls|longest|looks|rounds_.*"),
    "pc-generalizes": (exam, "learn", nobody_learns, {2, 3},
                       r"pictures|in_view|same_.*|local_.*|random_.*"),
    "pc-generalizes-arms": (exam, "learn", nobody_learns, {0, 4, 6},
                            r"walks_.*|few_train|few_\d+|few_view|few_far|few_local_.*"),
    "pc-generalizes-seeing": (exam, "learn", nobody_learns, {0}, r"rounds_few_.*"),
    "pc-intermediate": (exam, "learn", nobody_learns, {0}, r"one_.*"),
    "pc-label-price": (exam, "learn", nobody_learns, {0, 1, 2, 3, 4, 5}, r"pictures|one|six"),
}  # fmt: skip
# Behind these the lists go on with what was not taught.
SHORTER = {"pc-label-price": {"one": 3, "six": 3}}


def only(made, stand_in, numbers):
    """The function, at these of its calls."""
    calls = iter(range(1000))
    return lambda *args, **options: (
        made if next(calls) in numbers else stand_in)(*args, **options)  # fmt: skip


def in_part(patch, claim) -> str:
    """Make `measure` of the claim shorter; the names of what it measures all the same."""
    if claim.id in FIRST:
        module, name, n = FIRST[claim.id]
        every = getattr(module, name)
        first = dict(list(every.items())[:n]) if isinstance(every, dict) else every[:n]
        patch.setattr(module, name, first)
    if claim.id in CALLS:
        module, name, stand_in, numbers, names = CALLS[claim.id]
        patch.setattr(module, name, only(getattr(module, name), stand_in, numbers))
        return names
    return ".*"


def begun(samples, lengths) -> Samples:
    """The samples with lists that are cut after so many entries."""
    return replace(samples, values={
        name: values[:, : lengths[name]] if name in lengths else values
        for name, values in samples.values.items()
    })  # fmt: skip


def differences(claim) -> list[str]:
    """Where the first recorded seed, measured again in part, leaves its record."""
    seed, old = claim.seeds[:1], claims.recorded(claim)
    with pytest.MonkeyPatch.context() as patch:
        names = in_part(patch, claim)
        fresh = claims.replay(claim, seed)
        kept = {k: v for k, v in fresh.values.items() if re.fullmatch(names, k)}
        assert kept, f"nothing of {claim.id} is left to compare"
        fresh = begun(replace(fresh, values=kept), SHORTER.get(claim.id, {}))
        lengths = {k: v.shape[1] for k, v in fresh.values.items() if v.ndim > 1}
        if claim.id in FIRST or claim.id in CALLS:
            old = replace(old, values={k: old[k] for k in kept})
        patch.setattr(claims, "recorded", lambda _: begun(old, lengths))
        return claims.differences(claim, fresh)
