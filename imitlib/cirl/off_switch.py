r"""May Hana stop the cart? One decision of Rollo's, and what it gains by leaving it to her.

Rollo can do a thing that is worth U to Hana, can switch itself off, worth 0, or can
wait and let her choose between the two. She knows U and lets it go on with chance

.. math:: \pi(U) = 1 / (1 + e^{-U / \beta}),

so :math:`\beta = 0` never errs. Rollo believes :math:`U \sim N(\mu, \sigma^2)`. What it
gains by waiting, over the better of the other two, is

.. math:: \Delta = E[\pi(U)\, U] - \max(\mu, 0).

The game is that of Hadfield-Menell et al. (2017).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtr

__all__ = ["ACT", "OFF", "WAIT", "allows", "boundary", "choose", "gain", "learn",
           "share_waiting", "worth"]  # fmt: skip

OFF, ACT, WAIT = range(3)
WIDEST = 9.0  # standard deviations that the quadrature reaches
MOST_POINTS = 20_001


def _checked(name, value, *, above=False):
    value = np.asarray(value, float)
    legal = (value > 0 if above else value >= 0) & np.isfinite(value)
    if not legal.all():
        raise ValueError(f"{name} holds {value[~legal].flat[0]}; it must be finite and "
                         f"{'above 0' if above else '0 or more'}")
    return value


def allows(worth, beta) -> np.ndarray:
    """The chance that Hana lets a thing of this worth go on; at β = 0 and worth 0, ½."""
    worth, beta = np.asarray(worth, float), _checked("beta", beta)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.where(beta > 0, worth / beta, np.sign(worth) * np.inf)
    return expit(np.where(np.isnan(odds), 0.0, odds))


def gain(mu, sigma, beta) -> np.ndarray:
    r"""What waiting gains over acting or switching off, Δ; below 0, it loses.

    It depends on the size of μ alone: whoever is stopped in error and whoever is let
    go in error lose the same. So, with :math:`m = |\mu|`,

    .. math:: \Delta = -E[(1 - \pi(U))\, U], \quad U \sim N(m, \sigma^2),

    by the trapezoidal rule; at β = 0 it is
    :math:`\sigma \varphi(m / \sigma) - m\, \Phi(-m / \sigma)`.

    Parameters
    ----------
    mu, sigma, beta : arrays that broadcast

    Raises
    ------
    ValueError
        If σ or β is below 0 or not finite, or 0 < β < σ / 800: too sharp for the rule.
    """
    mu, sigma, beta = np.broadcast_arrays(
        np.abs(np.asarray(mu, float)), _checked("sigma", sigma), _checked("beta", beta))
    out = np.zeros(mu.shape)
    exact = (beta == 0) & (sigma > 0)
    z = mu[exact] / sigma[exact]
    out[exact] = sigma[exact] * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) - mu[exact] * ndtr(-z)
    rest = beta > 0
    if rest.any():
        m, s, b = mu[rest][:, None], sigma[rest][:, None], beta[rest][:, None]
        narrow = float((b / np.maximum(s, 1e-300)).min())  # of her choice, in units of σ
        points = 2 * int(WIDEST / min(0.3, 0.7 * narrow)) + 1
        if points > MOST_POINTS:
            raise ValueError(f"beta is {narrow:.3g} times sigma; above 0 it must be at "
                             "least sigma / 800")
        z = np.linspace(-WIDEST, WIDEST, points)
        weights = np.exp(-z * z / 2) * (z[1] - z[0]) / np.sqrt(2 * np.pi)
        u = m + s * z
        out[rest] = -(expit(-u / b) * u) @ weights
    return out


def boundary(mu, beta) -> np.ndarray:
    r"""The σ from which waiting gains: :math:`\sqrt{2 \beta |\mu|}`.

    Folding the integral at 0 leaves, under the integral over :math:`u > 0`, one sign:
    that of :math:`1 - e^{2 m u / \sigma^2 - u / \beta}`. The belief's odds of u against
    -u meet the odds that Hana gives them; where they agree for one u, they do for all.
    """
    return np.sqrt(2 * _checked("beta", beta) * np.abs(mu))


def choose(mu, sigma, beta) -> np.ndarray:
    """What Rollo does: WAIT where that gains, else ACT if μ > 0, else OFF."""
    waits = gain(mu, sigma, beta) > 0
    return np.where(waits, WAIT, np.where(np.asarray(mu) > 0, ACT, OFF))


def worth(choice, true, beta) -> np.ndarray:
    """What a choice is worth on average, if the thing is worth `true`."""
    choice, true = np.asarray(choice), np.asarray(true, float)
    if not np.isin(choice, (OFF, ACT, WAIT)).all():
        raise ValueError(f"choice holds {np.setdiff1d(choice, (0, 1, 2))[0]}; legal: 0 (off), "
                         "1 (act), 2 (wait)")
    return np.select([choice == ACT, choice == WAIT], [true, allows(true, beta) * true], 0.0)


def learn(mu, sigma, noise, seen, n: int):
    r"""The belief after n looks at U, each with normal noise; `seen` is their mean.

    .. math:: 1 / \sigma_n^2 = 1 / \sigma^2 + n / \nu^2, \qquad
        \mu_n / \sigma_n^2 = \mu / \sigma^2 + n\, \bar y / \nu^2

    Returns
    -------
    mu_n, sigma_n
    """
    sigma, noise = _checked("sigma", sigma, above=True), _checked("noise", noise, above=True)
    if int(n) != n or n < 0:
        raise ValueError(f"n is {n}; it must be a whole number, 0 or more")
    precision = 1 / sigma**2 + n / noise**2
    mean = (mu / sigma**2 + n * np.asarray(seen, float) / noise**2) / precision
    return mean, np.sqrt(1 / precision)


def share_waiting(mu, sigma, beta, noise, n: int) -> float:
    r"""How often Rollo still waits after n looks, if its prior is right.

    It waits while :math:`|\mu_n| < \sigma_n^2 / 2\beta`, and :math:`\mu_n` is normal with
    mean μ and variance :math:`\sigma^2 - \sigma_n^2`.
    """
    left = float(learn(mu, sigma, noise, mu, n)[1]) ** 2
    beta = float(_checked("beta", beta))
    if beta == 0:
        return 1.0
    spread, edge = np.sqrt(max(sigma**2 - left, 0.0)), left / (2 * beta)
    if spread == 0:
        return float(abs(mu) < edge)
    return float(ndtr((edge - mu) / spread) - ndtr((-edge - mu) / spread))
