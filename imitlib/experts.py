"""Experts written by hand: somebody worth copying in each of the worlds.

Every expert is a batched policy, (B, ...) -> actions (B, ...), and knows nothing that
could not be said in a sentence. The lane's expert looks at the street itself, not
through the cart's dim eyes; `at_the_wheel` seats her in the environment.
"""

from __future__ import annotations

import numpy as np

__all__ = ["at_the_wheel", "cartpole", "lane_expert", "mountain_car"]


def cartpole(observations) -> np.ndarray:
    """Balance `CartPole-v1`: push towards the side on which the pole is falling.

    The pole's lean and its speed decide, with a little weight on where the cart is and
    how fast it goes, so that it does not run off the track. Return 500 from every
    start that the environment draws.

    Parameters
    ----------
    observations : ndarray, shape (B, 4)
        Cart position (m) and speed (m/s), pole angle (rad) and its speed (rad/s).

    Returns
    -------
    ndarray of int, shape (B,)
        0 pushes left, 1 right.
    """
    falling = _rows(observations, 4) @ np.array([0.05, 0.1, 1.0, 0.3])
    return (falling > 0).astype(np.int64)


def mountain_car(observations) -> np.ndarray:
    """Climb in `MountainCar-v0`: always push the way the car is already moving.

    The engine is too weak to climb directly; a push along the motion adds energy at
    every step. About 120 steps, hence a return of about -120.

    Parameters
    ----------
    observations : ndarray, shape (B, 2)
        Position and speed.

    Returns
    -------
    ndarray of int, shape (B,)
        0 pushes left, 2 right.
    """
    speed = _rows(observations, 2)[:, 1]
    return np.where(speed >= 0, 2, 0)


def lane_expert(street, *, to_middle: float = 0.25, to_straight: float = 0.8):
    r"""Hana at the wheel: follow the bend, and lean back towards the middle.

    .. math:: u = \arctan(L\kappa) - k_y\,y - k_\psi\,\psi,
              \qquad |u| \le u_{\max}

    The first term alone would hold a perfect cart in the middle for ever. The other
    two are what she does about mistakes, and since she hardly makes any, they
    hardly ever show.

    Parameters
    ----------
    street : imitlib.envs.lane.Street
    to_middle, to_straight : float
        The gains :math:`k_y` (rad/m) and :math:`k_\psi`.

    Returns
    -------
    callable
        States (n, 3) of offset, heading, curvature -> wheel angles (n, 1) in rad.
    """

    def steer(states) -> np.ndarray:
        offset, heading, curvature = _rows(states, 3).T
        wheel = np.arctan(street.wheelbase * curvature)
        wheel = wheel - to_middle * offset - to_straight * heading
        return np.clip(wheel, -street.max_steer, street.max_steer)[:, None]

    return steer


def at_the_wheel(env, expert):
    """An expert who sees the world's true `state` and not the learner's observations.

    Gives a policy for ``record(env, at_the_wheel(env, expert), ...)``: whatever it is
    shown, it answers ``expert(env.unwrapped.state)``.
    """
    if not hasattr(env.unwrapped, "reset") or not hasattr(type(env.unwrapped), "state"):
        raise ValueError(f"env is {env}; it has no `state` for an expert to look at")
    return lambda observations: expert(env.unwrapped.state)


def _rows(observations, width: int) -> np.ndarray:
    array = np.asarray(observations, float)
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(
            f"observations has shape {array.shape}; a batch is (B, {width})"
        )
    return array
