"""Chapter 08, goal inference: what its page runs, draws and claims."""

from imitlib.chapters.ch08 import (
    accuracy,
    cafe,
    complexity,
    copying,
    kept,
    mistakes,
    on_paper,
    pairs,
    people,
    raters,
    restaurant,
    suboptimal,
    wrong_model,
)

# in the order of the page
_CLAIMING = (restaurant, cafe, suboptimal, mistakes, wrong_model, pairs, copying, kept,
             complexity, accuracy, raters)  # fmt: skip
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, people, *_CLAIMING) for k, v in module.GIVEN.items()}
