"""Hana and her walks: what every part of chapter 01 looks at."""

from __future__ import annotations

from functools import cache

import numpy as np

from imitlib.envs.town import Town
from imitlib.tabular_experts import optimal, walk


@cache
def town(door: int = 2) -> Town:
    """Loaf Street on foot, when somebody waits behind that door."""
    return Town("hana", door=door)


@cache
def her_walk(door: int = 2, reward: str = "true", roadworks: int = 0):
    """States and actions of the way that is best by a reward, with no slip."""
    mdp = town(door).mdp(reward, roadworks=roadworks)
    diary = walk(mdp, optimal(mdp), 1, 60, np.random.default_rng(0))
    return diary.observations, diary.actions
