"""Chapter 09, cooperative inverse RL: what its page runs, draws and claims."""

from imitlib.chapters.ch09 import asks, bellman, game, off_switch, people, teaching, why

# in the order of the page
_CLAIMING = (game, teaching, people, bellman, asks, why, off_switch)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in _CLAIMING for k, v in module.GIVEN.items()}
