"""Chapter 08, goal inference: what its page runs, draws and claims."""

from imitlib.chapters.ch08 import (
    complexity,
    copying,
    kept,
    mistakes,
    on_paper,
    pairs,
    people,
    raters,
    restaurant,
    wrong_model,
)

# in the order of the page
_CLAIMING = (restaurant, people, mistakes, wrong_model, pairs, copying, kept, complexity, raters)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}
