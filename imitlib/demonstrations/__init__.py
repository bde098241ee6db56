"""Demonstrations: what the person saw and what the person did, step by step.

Everything that learns from people in this library starts from one object,
`Demonstrations`. It comes from `record` (a policy acting in an environment), from a
file (`load`, `from_csv`) or from the field's own format (`from_minari`).
"""

from imitlib.demonstrations.exchange import from_minari, to_minari
from imitlib.demonstrations.files import from_csv, load, save
from imitlib.demonstrations.pairs import Demonstrations, chunk
from imitlib.demonstrations.recording import record

__all__ = ["Demonstrations", "chunk", "from_csv", "from_minari", "load", "record",
           "save", "to_minari"]
