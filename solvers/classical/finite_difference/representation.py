"""Grid values as fields: tensor-product local Lagrange interpolation in space and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sciml.solution import AbstractRepresentation
from sciml.storable import storable
from solvers.classical.finite_difference.grid import Axis
from solvers.classical.finite_difference.interpolation import interpolate

_NUMBERS_AT_ONCE = 2**21


@final
@storable("finite_difference_grid_interpolant")
class GridInterpolant(AbstractRepresentation):
    """Node values on a tensor grid, time being one more axis, interpolated by polynomials of degree `width` - 1.

    Attributes:
        values: `(unknowns, *grid)`.
        axes: one axis for each coordinate.
        names: names of the unknowns.
        width: nodes of each axis' local polynomial.
    """

    values: Float[Array, "unknowns *grid"]
    axes: tuple[Axis, ...] = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    width: int = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        """Values of every unknown at points, in batches that bound the memory of the gathered blocks."""
        block = len(self.names)
        for axis in self.axes:
            block *= min(self.width, axis.size)
        stacked = jnp.stack([points[axis.name] for axis in self.axes], axis=-1)

        def at(point: Array) -> Array:
            one = [point[k : k + 1] for k in range(len(self.axes))]
            return interpolate(self.values, self.axes, one, self.width)[0]

        found = jax.lax.map(at, stacked, batch_size=max(1, _NUMBERS_AT_ONCE // block))
        return {name: found[:, i] for i, name in enumerate(self.names)}
