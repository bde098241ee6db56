"""Chapter 07, ill-posed rewards: what its page runs, draws and claims."""

from imitlib.chapters.ch07 import (
    bias,
    cure,
    distances,
    family,
    gallery,
    gate,
    on_paper,
    sign,
)

# in the order of the page
_CLAIMING = (family, gate, bias, distances, cure, gallery, sign)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}
