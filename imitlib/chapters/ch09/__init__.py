"""Chapter 09, cooperative inverse RL: what its page runs, draws and claims."""

from imitlib.chapters.ch09 import (
    asks,
    bellman,
    chef,
    doors,
    game,
    long_walks,
    off_switch,
    on_paper,
    people,
    showing,
    teaching,
    why,
)
from imitlib.chapters.ch09.playing import play_doors as play_doors

# in the order of the page
_CLAIMING = (game, teaching, showing, long_walks, bellman, asks, doors, why, off_switch,
             people, chef)  # fmt: skip
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}
