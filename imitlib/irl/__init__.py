"""Inverse reinforcement learning: from what was done to what was wanted, read in order.

`features` says what a reward may speak of and counts it in behaviour. `ng_russell` asks
which rewards make a policy optimal at all. `apprenticeship` and `mwal` look for a policy
that does as well as the expert, whatever the reward. `maxent` and `causal_entropy` give
every behaviour a probability; `bayesian` turns it round into a belief about the reward,
and `deep` lets a network be the reward. `adversarial` and `divergences` match behaviour
without planning under each reward in between.
"""

from importlib import import_module

from imitlib.irl.apprenticeship import Apprentice, max_margin, projection
from imitlib.irl.features import (
    as_reward,
    checked_features,
    empirical_features,
    empirical_occupancy,
    expected_features,
    listed,
    reward_from,
)
from imitlib.irl.mwal import mwal
from imitlib.irl.ng_russell import constraints, explains, linear_programming_irl

__all__ = [
    "Apprentice", "as_reward", "checked_features", "constraints", "empirical_features",
    "empirical_occupancy", "expected_features", "explains", "linear_programming_irl",
    "listed", "max_margin", "mwal", "projection", "reward_from",
]  # fmt: skip

# What is loaded when it is first asked for: some of it brings PyTorch, which takes seconds.
_LATER = {
    "maxent_2008": "maxent",
    "causal_entropy_irl": "causal_entropy",
    "gradient_ascent": "causal_entropy",
    "objective": "causal_entropy",
    "dual": "causal_entropy",
    "paths": "maxent",
    "log_likelihoods": "bayesian",
    "posterior": "bayesian",
    "mcmc": "bayesian",
    "deep_irl": "deep",
    "gail": "adversarial",
    "airl": "adversarial",
}


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
