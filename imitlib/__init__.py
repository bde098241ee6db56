"""imitlib: the library behind *Watch and Learn?*, read in the order of the book.

``import imitlib`` is light: it loads no torch. Rooms are imported by name,
``from imitlib import bc``; the few things every page uses are here.
"""

from importlib import import_module

import gymnasium as _gymnasium

__version__ = "0.1.0"

_WORLDS = {
    "imitlib/Grid-v0": "imitlib.envs.grid:GridEnv",
    "imitlib/Town-v0": "imitlib.envs.town:TownEnv",
    "imitlib/Lane-v0": "imitlib.envs.lane:LaneEnv",
    "imitlib/Tightrope-v0": "imitlib.envs.tightrope:TightropeEnv",
    "imitlib/Kitchen-v0": "imitlib.envs.kitchen:KitchenEnv",
}
for _name, _entry in _WORLDS.items():
    if _name not in _gymnasium.registry:
        _gymnasium.register(_name, entry_point=_entry)

_SHAFTS = {
    "check": "imitlib.exercises",
    "explore": "imitlib.exploring",
    "show": "imitlib.figures",
    "over_seeds": "imitlib.experiments",
}
__all__ = ["__version__", *_SHAFTS]


def __getattr__(name):
    """Load a shaft when it is first asked for, so that importing stays cheap."""
    if name in _SHAFTS:
        return getattr(import_module(_SHAFTS[name]), name)
    raise AttributeError(f"module 'imitlib' has no attribute {name!r}")
