"""Chapter 02, behavioral cloning: what its page runs, draws and claims."""

import importlib.util
from importlib import import_module

_PARTS = (
    "on_paper", "enough", "compounding", "driving", "crossing", "horizon", "two_routes",
    "kitchen",
)
CLAIMS, GIVEN = [], {}
for _part in _PARTS:
    if importlib.util.find_spec(f"{__name__}.{_part}") is None:
        continue
    _module = import_module(f"{__name__}.{_part}")
    CLAIMS += getattr(_module, "CLAIMS", [])
    GIVEN |= getattr(_module, "GIVEN", {})
