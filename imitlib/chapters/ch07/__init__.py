"""Chapter 07, ill-posed rewards: what its page runs, draws and claims."""

_CLAIMING = ()
CLAIMS = [claim for module in _CLAIMING for claim in module.CLAIMS]
GIVEN = {k: v for module in _CLAIMING for k, v in module.GIVEN.items()}
