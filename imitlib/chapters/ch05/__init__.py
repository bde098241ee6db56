"""Chapter 05, procedural cloning: what its page runs, draws and claims."""

# in the order of the page; each is imported here once it is written
_CLAIMING = ()
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in _CLAIMING for k, v in module.GIVEN.items()}
