"""What chapter 02 runs on the tightrope and at the crossing, under one name."""

from imitlib.chapters.ch02 import compounding, crossing, horizon
from imitlib.chapters.ch02.compounding import (
    fig_compounding,
    fig_prediction,
    measure_compounding,
)
from imitlib.chapters.ch02.crossing import fig_confusion, measure_confusion
from imitlib.chapters.ch02.horizon import fig_horizon, measure_horizon
from imitlib.chapters.ch02.on_paper import by_hand, explore_costs

__all__ = [
    "CLAIMS", "GIVEN", "by_hand", "explore_costs", "fig_compounding", "fig_confusion",
    "fig_horizon", "fig_prediction", "measure_compounding", "measure_confusion",
    "measure_horizon",
]  # fmt: skip

CLAIMS = [*compounding.CLAIMS, *crossing.CLAIMS, *horizon.CLAIMS]
GIVEN = {**compounding.GIVEN, **crossing.GIVEN, **horizon.GIVEN}
