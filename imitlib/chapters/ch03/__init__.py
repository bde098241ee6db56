"""Chapter 03, confident incorrectness: what its page runs, draws and claims."""

from imitlib.chapters.ch03 import (
    abstaining,
    background,
    delusion,
    inventing,
    on_paper,
    scoring,
    talking,
    wording,
)

# in the order of the page
_CLAIMING = (background, wording, scoring, abstaining, inventing, delusion, talking)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}
