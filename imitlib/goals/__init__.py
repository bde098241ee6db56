"""What somebody wants, read off what she does, when she errs in ways of her own.

Read `biased` first: people as edits of one Bellman backup. `hyperbolic` has those who
change their minds as the moment comes near; `infer`, what to believe of a goal under
one model of errors, under several, and what that belief costs. `pairs` has planners
and rewards that only come together, `policies` errors that keep from day to day.
"""

from importlib import import_module

_HOME = {
    "biased": ("Person", "behave", "reckon"),
    "hyperbolic": ("DelayPlan", "delay_plan", "hyperbola"),
    "infer": ("Joint", "fitted", "joint", "log_likelihoods", "log_loss", "posterior"),
    "pairs": ("Planner", "degenerate", "fit", "fit_habit", "opposite"),
    "policies": ("all_policies", "kept_log_likelihood", "policy_log_prior", "predictive"),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name):
    if name in _HOME:
        return import_module(f"imitlib.goals.{name}")
    if name in _WHERE:
        return getattr(import_module(f"imitlib.goals.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'imitlib.goals' has no attribute {name!r}")


def __dir__():
    return [*__all__, *_HOME]
