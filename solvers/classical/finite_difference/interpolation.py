"""Local Lagrange interpolation on a tensor grid, axis by axis.

Along one axis a value at x is the polynomial of degree `width` - 1 through the `width` nodes around x:

    u(x) = sum_j l_j(s) u_{i+j},   l_j(s) = prod_{k != j} (s - k) / (j - k),   s = (x - x_i) / h,

of error O(h^width).
"""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers.classical.finite_difference.grid import Axis


def lagrange_weights(s: Float[Array, " points"], width: int) -> Float[Array, "points width"]:
    """Weights over nodes 0 … width - 1 for values at positions s, in spacings."""
    nodes = np.arange(width)
    factors = s[:, None, None] - nodes[None, None, :]
    factors = jnp.where(np.eye(width, dtype=bool), 1.0, factors)
    scale = np.array([np.prod([j - k for k in range(width) if k != j]) for j in range(width)], dtype=float)
    return jnp.prod(factors, axis=2) / scale


def locate(axis: Axis, x: Float[Array, " points"], width: int) -> tuple[Int[Array, "points width"], Array]:
    """Indices of the nodes around each x and their Lagrange weights."""
    position = (x - axis.lower) / axis.spacing
    if axis.periodic:
        position = jnp.mod(position, axis.size)
    first = jnp.floor(position).astype(int) - (width // 2 - 1)
    if not axis.periodic:
        first = jnp.clip(first, 0, axis.size - width)
    indices = first[:, None] + np.arange(width)
    weights = lagrange_weights(position - first, width)
    return (indices % axis.size if axis.periodic else indices), weights


def interpolate(
    values: Float[Array, "*batch *grid"], axes: Sequence[Axis], points: Sequence[Float[Array, " points"]], width: int
) -> Float[Array, "points *batch"]:
    """Values at scattered points from values on the grid, the last axes of `values` being the grid's.

    Args:
        values: grid values, any leading axes.
        axes: the axes of the grid.
        points: one array of coordinates for each axis.
        width: nodes in each axis' local polynomial.
    """
    located = [locate(axis, x, min(width, axis.size)) for axis, x in zip(axes, points, strict=True)]
    d = len(axes)
    batch = values.ndim - d
    index = tuple(
        indices.reshape(indices.shape[0], *(indices.shape[1] if j == k else 1 for j in range(d)))
        for k, (indices, _) in enumerate(located)
    )
    block = jnp.moveaxis(values, tuple(range(batch)), tuple(range(-batch, 0)))[index] if batch else values[index]
    for _, weights in reversed(located):
        block = _contract(block, weights, batch)
    return block


def _contract(block: Array, weights: Array, batch: int) -> Array:
    """Sum the last grid axis of `block`, before its `batch` trailing axes, against the weights of each point."""
    axis = block.ndim - batch - 1
    shape = [1] * block.ndim
    shape[0], shape[axis] = weights.shape
    return jnp.sum(block * weights.reshape(shape), axis=axis)
