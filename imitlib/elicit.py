r"""Two ways to get more out of a clone than its demonstrator showed.

`sharpen` decodes at a temperature τ, and leaves the clone as it is:

.. math:: \pi_\tau(a \mid o) \propto \pi(a \mid o)^{1/\tau}

At τ = 1 that is the clone, towards 0 its likeliest action. `reinforce` changes the
clone: it acts, is paid, and what was paid above the average becomes likelier (Williams
1992), on a task that is over after one decision:

.. math:: g = \frac1B \sum_i (r_i - \bar r) \, \nabla \log \pi(a_i \mid o_i)
   + \eta \, \nabla H(\pi)

H is the entropy of the answers: a small reward for not being sure, without which a
confident clone tries nothing new.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch

from imitlib.adam import Adam
from imitlib.bc import _standard
from imitlib.counting import draw
from imitlib.heads import Categorical

__all__ = ["reinforce", "sharpen"]


def sharpen(probabilities, temperature: float) -> np.ndarray:
    r"""The policy at temperature τ: :math:`\pi^{1/\tau}`, normalised.

    Parameters
    ----------
    probabilities : (..., A)
        Rows sum to 1.
    temperature : float
        0 or more. At 0 the likeliest actions share each row evenly.

    Raises
    ------
    ValueError
        If a row is no distribution, or the temperature is negative.

    Examples
    --------
    >>> sharpen([0.6, 0.3, 0.1], 0.5).round(2)
    array([0.78, 0.2 , 0.02])
    """
    p = np.asarray(probabilities, float)
    if p.ndim == 0 or not p.size or (p < 0).any() or not np.allclose(p.sum(-1), 1):
        raise ValueError("probabilities must be 0 or more, and each row sum to 1; "
                         f"got shape {p.shape} with sums {np.unique(p.sum(-1))[:3]}"
                         if p.ndim else f"probabilities is {p}; give rows of them")
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}; it must be 0 or more")
    relative = p / p.max(-1, keepdims=True)  # the likeliest is 1: no overflow
    if temperature == 0:
        sharp = (relative == 1).astype(float)
    else:
        sharp = relative ** (1 / temperature)
    return sharp / sharp.sum(-1, keepdims=True)


def reinforce(clone, observations, reward, *, updates=500, batch=256, lr=1e-3,
              entropy=0.01, rng, every=None):
    """Let a clone of choices act, and make likelier what was paid.

    Parameters
    ----------
    clone : bc.Clone
        With a categorical head. A copy of its network is trained.
    observations : (N, ...)
        Situations; each update draws `batch` of them, with replacement.
    reward : callable
        reward(rows, actions) -> (B,): what the actions earn in observations[rows].
    updates, batch : int
    lr, entropy : float
        Adam's step size, and the weight η of the entropy.
    rng : numpy.random.Generator
        Draws situations and actions.
    every : callable, optional
        Called with (update, clone) before the first update and after each.

    Returns
    -------
    bc.Clone

    Raises
    ------
    TypeError, ValueError
        If the clone has no choices, or a number is not legal.
    """
    if not isinstance(clone.head, Categorical):
        raise TypeError("clone gives commands; reinforce is for choices")
    for name, value in {"updates": updates, "batch": batch}.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} is {value}; it must be a positive whole number")
    if not (0 < lr < np.inf and 0 <= entropy < np.inf):
        raise ValueError(f"lr is {lr} and entropy {entropy}; the first must be "
                         "positive, the second 0 or more")
    x = _standard(observations, clone.scale)
    network = deepcopy(clone.network).requires_grad_(True)
    now, adam = replace(clone, network=network), Adam(network.parameters(), lr)
    if every:
        every(0, now)
    for update in range(1, updates + 1):
        rows = rng.integers(len(x), size=batch)
        log_pi = network(x[rows]).log_softmax(1)
        pi = log_pi.exp()
        actions = draw(pi.detach().double().numpy(), rng)
        paid = np.asarray(reward(rows, actions), float)
        if paid.shape != (batch,):
            raise ValueError(f"reward gives shape {paid.shape}; it must be ({batch},)")
        better = torch.from_numpy((paid - paid.mean()).astype(np.float32))
        chosen = log_pi[torch.arange(batch), torch.from_numpy(actions)]
        spread = -(pi * log_pi).sum(1)
        (-(better * chosen + entropy * spread).mean()).backward()
        adam.step()
        if every:
            every(update, now)
    return now
