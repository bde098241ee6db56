"""Chapter 06, inverse reinforcement learning: what its page runs, draws and claims."""

from importlib import import_module
from importlib.util import find_spec

# in the order of the page
_PAGE = ("on_paper", "one_world", "exact", "transfer", "by_hand", "optimality",
         "adversarial", "frozen_lake")  # fmt: skip
_THERE = [name for name in _PAGE if find_spec(f"{__name__}.{name}")]
_MODULES = [import_module(f"{__name__}.{name}") for name in _THERE]

CLAIMS = [claim for m in _MODULES for claim in getattr(m, "CLAIMS", [])]
GIVEN = {k: v for m in _MODULES for k, v in getattr(m, "GIVEN", {}).items()}

__all__ = ["CLAIMS", "GIVEN", *_THERE]
