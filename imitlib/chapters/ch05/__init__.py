"""Chapter 05, procedural cloning: what its page runs, draws and claims."""

from imitlib.chapters.ch05 import (
    arms,
    cost,
    exam,
    faithful,
    frames,
    game,
    on_paper,
    pictures,
    price,
    seeing,
    steps,
)

# in the order of the page
_CLAIMING = (arms, seeing, price, frames, faithful, cost, game, steps)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}

__all__ = ["CLAIMS", "GIVEN", "arms", "cost", "exam", "faithful", "frames", "game",
           "on_paper", "pictures", "price", "seeing", "steps"]  # fmt: skip
