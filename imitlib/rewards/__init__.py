"""What behaviour leaves open about rewards, and what can be done about it.

Read `shaping` first: the rewards that explain one behaviour. `distances` asks how far
apart two rewards are where it matters; `identify`, what a second world or a second
discount settles.
"""

from importlib import import_module

_HOME = {
    "shaping": ("explaining_reward", "hit_and_run", "minimum_norm", "roomiest", "shape",
                "shape_transitions", "shaping_directions", "shaping_part"),
    "distances": ("dard", "dard_canonical", "epic", "epic_canonical", "starc",
                  "starc_canonical"),
    "identify": ("certificate", "choose_second", "misfit", "recover", "recover_unscaled",
                 "soft_policy"),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name):
    if name in _HOME:
        return import_module(f"imitlib.rewards.{name}")
    if name in _WHERE:
        return getattr(import_module(f"imitlib.rewards.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'imitlib.rewards' has no attribute {name!r}")


def __dir__():
    return [*__all__, *_HOME]
