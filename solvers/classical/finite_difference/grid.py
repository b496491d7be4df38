"""Uniform grids: axes with their nodes and faces, and derivatives of grid values along them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Array, Float

from sciml.storable import storable
from solvers.classical.finite_difference.stencils import Lattice, Stencil, stencil


@final
@storable("finite_difference_axis")
@dataclasses.dataclass(frozen=True)
class Axis:
    """Equispaced nodes on [lower, upper]; a periodic axis leaves out the node at `upper`.

    Attributes:
        name: the coordinate's name.
        lower, upper: ends of the interval.
        size: number of nodes.
        periodic: values continue periodically.
        marching: what is solved evolves, so stencils near the ends must not let modes grow.
    """

    name: str
    lower: float
    upper: float
    size: int
    periodic: bool
    marching: bool = True

    @property
    def spacing(self) -> float:
        """Distance h between neighbouring nodes."""
        return (self.upper - self.lower) / (self.size if self.periodic else self.size - 1)

    def points(self, lattice: Lattice = Lattice.nodes) -> Float[np.ndarray, " size"]:
        """Abscissae of the nodes or of the faces."""
        count = self.size if self.periodic or lattice is Lattice.nodes else self.size - 1
        return self.lower + self.spacing * (np.arange(count) + lattice.value)

    def stencil(
        self, derivative: int, order: int, source: Lattice = Lattice.nodes, target: Lattice = Lattice.nodes
    ) -> Stencil:
        """The stencil of a derivative along this axis."""
        return stencil(self.size, self.spacing, derivative, order, self.periodic, source, target, self.marching)


@final
@dataclasses.dataclass(frozen=True)
class Grid:
    """A tensor product of axes, in the order of the array axes of grid values."""

    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an array of node values."""
        return tuple(axis.size for axis in self.axes)

    def index(self, name: str) -> int:
        """Which array axis belongs to the coordinate of this name."""
        return [axis.name for axis in self.axes].index(name)

    def coordinate(self, name: str, lattice: Lattice = Lattice.nodes) -> Float[np.ndarray, "..."]:
        """The coordinate as an array that broadcasts against grid values."""
        k = self.index(name)
        shape = [1] * len(self.axes)
        shape[k] = -1
        return self.axes[k].points(lattice).reshape(shape)

    def derivative(self, values: Array, orders: Sequence[int], order: int) -> Array:
        """Mixed derivative of node values, one central difference after the other.

        Args:
            values: node values, shape `shape`.
            orders: derivative order along each axis.
            order: order of accuracy p.
        """
        for k, (axis, m) in enumerate(zip(self.axes, orders, strict=True)):
            if m:
                values = axis.stencil(m, order)(values, k)
        return values
