"""Chapter 05, procedural cloning: what its page runs, draws and claims."""

from imitlib.chapters.ch05 import arms, cost, on_paper, pictures, price, seeing

# in the order of the page; each is imported here once it is written
_CLAIMING = (arms, seeing, price, cost)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}

__all__ = ["CLAIMS", "GIVEN", "arms", "cost", "on_paper", "pictures", "price", "seeing"]
