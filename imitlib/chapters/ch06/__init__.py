"""Chapter 06, inverse reinforcement learning: what its page runs, draws and claims."""

from imitlib.chapters.ch06 import (
    adversarial,
    by_hand,
    exact,
    frozen_lake,
    on_paper,
    one_world,
    optimality,
    transfer,
)

# in the order of the page
_CLAIMING = (one_world, transfer, frozen_lake, by_hand, optimality, exact, adversarial)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}

__all__ = ["CLAIMS", "GIVEN", "adversarial", "by_hand", "exact", "frozen_lake", "on_paper",
           "one_world", "optimality", "transfer"]  # fmt: skip
