"""Chapter 02, behavioral cloning: what its page runs, draws and claims."""

from imitlib.chapters.ch02 import (
    compounding,
    crossing,
    driving,
    enough,
    horizon,
    kitchen,
    on_paper,
    two_routes,
)

# in the order of the page
_CLAIMING = (enough, compounding, driving, crossing, horizon, two_routes, kitchen)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}
