"""Chapter 04, underachieving: what its page runs, draws and claims."""

from imitlib.chapters.ch04 import context, crowd, mimic, on_paper, rule, till

# in the order of the page
_CLAIMING = (till, rule, crowd, mimic, context)
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in (on_paper, *_CLAIMING) for k, v in module.GIVEN.items()}
