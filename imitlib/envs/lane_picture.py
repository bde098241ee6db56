"""A picture of the lane from above: the cart in it, the road ahead, the houses."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["paint"]

SIZE, METRES, BEHIND = 320, 12.0, 3.0  # pixels, metres across, metres behind the cart
STEP = 0.2  # metres between the points that draw the middle of the lane
_ASPHALT, _DASH, _PAVEMENT, _GRASS = (
    np.array(c, float)
    for c in ([201, 206, 214], [255, 255, 255], [238, 234, 226], [222, 232, 214])
)
_KERB = np.array([[224, 0, 77], [255, 255, 255]], float)
_ROOFS = np.array(
    [[226, 190, 160], [197, 210, 226], [236, 214, 168], [208, 196, 218]], float
)
_CART, _LOAF, _WHEEL = (
    np.array(c, float) for c in ([122, 51, 6], [232, 170, 66], [32, 36, 43])
)


def paint(lane, cart: int = 0) -> np.ndarray:
    """The view from above of one cart, its road running up, uint8 (320, 320, 3)."""
    line, heading, metres = _middle(lane, cart)
    # world coordinates of the pixels: the cart's place on the road is the origin
    pixel = (np.arange(SIZE) + 0.5) * METRES / SIZE
    ahead, left = np.meshgrid(
        METRES - BEHIND - pixel, METRES / 2 - pixel, indexing="ij"
    )
    _, nearest = cKDTree(line).query(np.stack([ahead, left], axis=2))
    dx, dy = ahead - line[nearest, 0], left - line[nearest, 1]
    cos, sin = np.cos(heading[nearest]), np.sin(heading[nearest])
    along = metres[nearest] + np.clip(dx * cos + dy * sin, -STEP / 2, STEP / 2)
    aside = dy * cos - dx * sin  # left of the middle is positive
    picture = _town(along, aside, lane.street.half_width)
    y, psi = lane.offset[cart], lane.heading[cart]
    forward = ahead * np.cos(psi) + (left - y) * np.sin(psi)
    across = (left - y) * np.cos(psi) - ahead * np.sin(psi)
    return _draw_cart(picture, forward, across, lane.street.wheelbase).astype(np.uint8)


def _middle(lane, cart):
    """Points on the middle of the lane, (m, 2), their headings and metres, (m,)."""
    back, on = int(BEHIND / STEP) + 10, int((METRES - BEHIND) / STEP) + 10
    kappa = np.array([lane.curvature(k * STEP)[cart] for k in range(-back, on)])
    heading = np.cumsum(kappa) * STEP
    heading -= heading[back]
    line = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * STEP, axis=0)
    metres = lane.metres[cart] + STEP * np.arange(-back, on)
    return line - line[back], heading, metres


def _town(along, aside, half_width):
    """Colours of the street, from metres along it and metres to its side."""
    edge = np.abs(aside)
    picture = np.broadcast_to(_GRASS, (*aside.shape, 3)).copy()
    plot, side = np.floor(along / 3.2).astype(int), (aside > 0).astype(int)
    inside = (along % 3.2 < 2.6) & (edge > half_width + 1.5) & (edge < half_width + 4.2)
    roof = _ROOFS[(plot + plot // 3 + 2 * side) % len(_ROOFS)]
    ridge = np.where(edge < half_width + 2.85, 1.0, 0.94)[..., None]
    picture = np.where(inside[..., None], roof * ridge, picture)
    picture[edge < half_width + 1.1] = _PAVEMENT
    stone = (np.floor(along / 0.8) % 2).astype(int)
    picture = np.where((edge < half_width + 0.14)[..., None], _KERB[stone], picture)
    picture[edge < half_width] = _ASPHALT
    picture[(edge < 0.05) & (along % 1.6 < 0.8)] = _DASH
    return picture


def _draw_cart(picture, forward, across, wheelbase):
    def block(lo, hi, width, colour):
        picture[(forward > lo) & (forward < hi) & (np.abs(across) < width)] = colour

    for axle in (0.0, wheelbase):
        block(axle - 0.16, axle + 0.16, 0.42, _WHEEL)
    block(-0.25, wheelbase + 0.25, 0.34, _CART)
    loaf = ((forward - wheelbase / 2) / 0.5) ** 2 + (across / 0.22) ** 2 < 1
    picture[loaf] = _LOAF
    block(wheelbase + 0.25, wheelbase + 0.55, 0.03, _CART)  # the antenna
    return picture
