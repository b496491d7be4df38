"""The background grid: where its nodes are, and what walls do to their velocities."""

from __future__ import annotations

from typing import final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from sciml.domains.container import AbstractWall, Container, Frictional, NoSlip, Separating, Slip
from sciml.domains.regions import Side
from sciml.tensors import total

MARGIN = 3
"""Cells outside the container on each side: a particle in contact with a wall reaches two of them."""


@final
class Grid(eqx.Module):
    """Nodes $o + h\\,(i, j, k)$ around a container, with a plane of nodes on each of its lower walls.

    Attributes:
        origin: o, shape (d,).
        spacing: h.
        friction: coefficients of the walls, shape (d, 2).
        shape: nodes along each axis.
        walls: what each wall is, by axis and side.
        planes: along each axis the last node on or behind the lower wall, the first on or behind the upper one.
    """

    origin: Array
    spacing: Array
    friction: Array
    shape: tuple[int, ...] = eqx.field(static=True)
    walls: tuple[tuple[type[AbstractWall], type[AbstractWall]], ...] = eqx.field(static=True)
    planes: tuple[tuple[int, int], ...] = eqx.field(static=True)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(np.prod(self.shape))

    def keep_inside(self, x: Array) -> Array:
        """Positions `(d, N)` moved to where all their nodes exist: half a cell from the outermost nodes."""
        lower = (self.origin + 0.5 * self.spacing)[:, None]
        upper = (self.origin + (jnp.asarray(self.shape) - 2.5) * self.spacing)[:, None]
        return jnp.clip(x, lower.astype(x.dtype), upper.astype(x.dtype))


def make_grid(container: Container, names: tuple[str, ...], spacing: float, dtype: type) -> Grid:
    """The grid around a container.

    Args:
        container: where positions may be.
        names: spatial coordinates, in order.
        spacing: distance of nodes.
        dtype: of the numbers.
    """
    lower = np.array([container.bounds[name][0] for name in names])
    upper = np.array([container.bounds[name][1] for name in names])
    cells = np.ceil((upper - lower) / spacing - 1e-6).astype(int)  # first node on or behind the upper wall
    walls = [[container.wall(name, side) for side in Side] for name in names]
    friction = [[w.coefficient if isinstance(w, Frictional) else 0.0 for w in pair] for pair in walls]
    return Grid(
        jnp.asarray(lower - MARGIN * spacing, dtype),
        jnp.asarray(spacing, dtype),
        jnp.asarray(friction, dtype),
        tuple(int(c) + 2 * MARGIN + 1 for c in cells),
        tuple((type(a), type(b)) for a, b in walls),
        tuple((MARGIN, MARGIN + int(c)) for c in cells),
    )


def at_walls(v: list[Array], grid: Grid) -> list[Array]:
    """Velocities of the nodes, components of shape `grid.shape`, after the walls, axis by axis."""
    d = len(v)
    for axis in range(d):
        index = jnp.arange(grid.shape[axis]).reshape([-1 if a == axis else 1 for a in range(d)])
        low, high = grid.planes[axis]
        v = _behind(v, axis, index <= low, 1.0, grid.walls[axis][0], grid.friction[axis, 0])
        v = _behind(v, axis, index >= high, -1.0, grid.walls[axis][1], grid.friction[axis, 1])
    return v


def _behind(
    v: list[Array], axis: int, touched: Array, inward: float, wall: type[AbstractWall], friction: Array
) -> list[Array]:
    """Velocities where nodes are touched by one wall, whose normal into the container is `inward` along the axis."""
    if wall is NoSlip:
        return [jnp.where(touched, 0.0, c) for c in v]
    if wall is Slip:
        return [jnp.where(touched, 0.0, c) if a == axis else c for a, c in enumerate(v)]
    entering = touched & (inward * v[axis] < 0)
    if wall is Frictional:
        tangential = [c for a, c in enumerate(v) if a != axis]
        speed2 = total([c * c for c in tangential])
        moves = speed2 > 0
        speed = jnp.sqrt(jnp.where(moves, speed2, 1.0))
        left = jnp.where(moves, jnp.maximum(1 - friction * jnp.abs(v[axis]) / speed, 0.0), 0.0)
        v = [c if a == axis else jnp.where(entering, left * c, c) for a, c in enumerate(v)]
    elif wall is not Separating:
        raise TypeError(wall)
    return [jnp.where(entering, 0.0, c) if a == axis else c for a, c in enumerate(v)]
