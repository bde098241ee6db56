"""A language model small enough to read, in this order.

`transformer` is the network, `model` reads and writes with it, and `cloning` fits it
to what a demonstrator said.
"""

from imitlib.language.cloning import fit, masked_loss
from imitlib.language.model import LanguageModel
from imitlib.language.transformer import Transformer

__all__ = ["LanguageModel", "Transformer", "fit", "masked_loss"]
