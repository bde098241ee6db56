"""A kitchen of counts: two cooks fill one pot, and one of them knows the recipe.

After the ChefWorld of Malik et al. (2018), with rules of our own where theirs are not
known to us. The state is how much of each ingredient is in the pot. In each step both
put in one piece or nothing, at once, and both pieces stay in. The step after which the
pot holds the wanted recipe exactly is worth 1; any other step, nothing. A pot that
fits into no recipe any more is spoilt, and stays so.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from imitlib.cirl.game import Game

__all__ = ["MENU", "chef", "menu", "pots"]

MENU = ((0, 2, 1), (1, 1, 2))


def _checked(recipes) -> np.ndarray:
    recipes = np.asarray(recipes)
    if recipes.ndim != 2 or recipes.size == 0:
        raise ValueError(f"recipes has shape {recipes.shape}; it must be (goals, ingredients)")
    if (recipes < 0).any() or (recipes != recipes.astype(int)).any():
        raise ValueError(f"recipes is {recipes.tolist()}; counts must be whole and at least 0")
    if not recipes.sum(axis=1).all() or len(np.unique(recipes, axis=0)) < len(recipes):
        raise ValueError(f"recipes is {recipes.tolist()}; no two may be the same, nor may "
                         "one be empty")
    return recipes.astype(int)


def pots(recipes) -> list[tuple]:
    """Every count of ingredients that fits into some recipe, the empty pot first."""
    recipes = _checked(recipes)
    every = product(*(range(k + 1) for k in recipes.max(axis=0)))
    return [pot for pot in every if (recipes >= pot).all(axis=1).any()]


def chef(recipes=MENU, horizon=4, discount=0.95, prior=None) -> Game:
    """The kitchen as a game; goal k is recipe k, and the last state is the spoilt pot.

    Parameters
    ----------
    recipes : (Θ, K) int
        How much of each ingredient; no two the same, none empty.
    prior : (Θ,), optional
        As likely as each other, if not given.

    Returns
    -------
    Game
        Actions of both: 0 is to put in nothing, k to put in one piece of ingredient k.

    Raises
    ------
    ValueError
        If recipes have no right shape, are negative, broken, empty or twice the same.
    """
    recipes = _checked(recipes)
    states = pots(recipes)
    place = {pot: i for i, pot in enumerate(states)}
    n, S = recipes.shape[1] + 1, len(states) + 1
    P, reward = np.zeros((S, n, n, S)), np.zeros((S, n, n, len(recipes)))
    P[-1, ..., -1] = 1
    pieces = np.vstack([np.zeros(n - 1, int), np.eye(n - 1, dtype=int)])
    for pot, h, a in product(states, range(n), range(n)):
        filled = tuple((pieces[h] + pieces[a] + pot).tolist())
        P[place[pot], h, a, place.get(filled, S - 1)] = 1
        if filled != pot:
            reward[place[pot], h, a] = (recipes == filled).all(axis=1)
    prior = np.full(len(recipes), 1 / len(recipes)) if prior is None else prior
    return Game(P, reward, prior, horizon, discount)


def menu(rng, goals=3, ingredients=3, size=4) -> tuple:
    """That many different recipes of one size, drawn at random."""
    every = [pot for pot in product(range(size + 1), repeat=ingredients) if sum(pot) == size]
    if goals > len(every):
        raise ValueError(f"goals is {goals}; there are {len(every)} recipes of {size} pieces")
    return tuple(every[i] for i in sorted(rng.choice(len(every), goals, replace=False)))
