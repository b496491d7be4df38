"""Tensor grids of Gauss–Lobatto–Legendre and Fourier nodes: derivatives, tails, and transfer between resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from solvers.classical import collocation
from solvers.classical.fast_diagonalisation import along

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class GridAxis:
    """Nodes of one axis and the derivatives of what is interpolated there.

    Args:
        name: name of the coordinate.
        bounds: its interval.
        count: number of nodes; odd on a periodic axis.
        periodic: whether the basis is a Fourier series instead of Legendre polynomials.
    """

    name: str
    bounds: tuple[float, float]
    count: int
    periodic: bool = False

    @property
    def length(self) -> float:
        """Extent of the axis."""
        return self.bounds[1] - self.bounds[0]

    @property
    def nodes(self) -> Array:
        """Nodes, ascending; on a periodic axis without the upper end."""
        if self.periodic:
            return self.bounds[0] + self.length * np.arange(self.count) / self.count
        unit = collocation.legendre_nodes(self.count)
        nodes = self.bounds[0] + self.length * (1 + unit) / 2
        nodes[-1] = self.bounds[1]
        return nodes

    @property
    def weights(self) -> Array:
        """Quadrature weights; they sum to the extent."""
        if self.periodic:
            return np.full(self.count, self.length / self.count)
        return collocation.legendre_weights(self.count) * self.length / 2

    def derivative(self, order: int) -> Array:
        """Matrix of the derivative of this order; of order 0, the identity."""
        if order == 0:
            return np.eye(self.count)
        if self.periodic:
            return _fourier_matrix(self.count, order) * (2 * np.pi / self.length) ** order
        return _legendre_matrix(self.count, order) * (2 / self.length) ** order

    def coefficients(self, values: Array, axis: int) -> Array:
        """Coefficients along one axis of an array: Legendre polynomials, or 1, cosines, sines."""
        if not self.periodic:
            return along(collocation.legendre_transform(self.count), values, axis)
        modes = np.moveaxis(np.fft.rfft(values, axis=axis, norm="forward"), axis, 0)
        return np.moveaxis(np.concatenate([modes[:1].real, 2 * modes[1:].real, -2 * modes[1:].imag]), 0, axis)

    def values(self, points: Array) -> Array:
        """Matrix that evaluates the interpolant at points."""
        if not self.periodic:
            unit = (2 * points - self.bounds[0] - self.bounds[1]) / self.length
            return collocation.interpolation_matrix(collocation.legendre_nodes(self.count), unit)
        angles = 2 * np.pi * np.subtract.outer(points, self.nodes) / self.length
        modes = np.arange(1, self.count // 2 + 1)
        return (1 + 2 * np.cos(angles[..., None] * modes).sum(axis=-1)) / self.count

    def degrees(self) -> NDArray[np.intp]:
        """Polynomial degree or wavenumber of each coefficient."""
        if not self.periodic:
            return np.arange(self.count)
        half = np.arange(1, self.count // 2 + 1)
        return np.concatenate([[0], half, half])


@lru_cache(maxsize=256)
def _legendre_matrix(count: int, order: int) -> Array:
    return collocation.differentiation_matrices(collocation.legendre_nodes(count), order)[-1]


@lru_cache(maxsize=256)
def _fourier_matrix(count: int, order: int) -> Array:
    modes = np.fft.fftfreq(count, 1 / count)
    return np.fft.ifft((1j * modes)[:, None] ** order * np.fft.fft(np.eye(count), axis=0), axis=0).real


@final
@dataclass(frozen=True)
class TensorGrid:
    """A product of axes."""

    axes: tuple[GridAxis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of nodes along each axis."""
        return tuple(axis.count for axis in self.axes)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(np.prod(self.shape))

    def points(self) -> dict[str, Array]:
        """Nodes of every axis by name, shaped to broadcast against grid values."""
        return {
            axis.name: axis.nodes.reshape([-1 if other == k else 1 for other in range(len(self.axes))])
            for k, axis in enumerate(self.axes)
        }

    def matrices(self, counts: Sequence[int]) -> list[Array]:
        """Matrices of a mixed derivative, one for each axis, identities included."""
        return [axis.derivative(order) for axis, order in zip(self.axes, counts, strict=True)]

    def differentiate(self, values: Array, counts: Sequence[int]) -> Array:
        """Mixed derivative of grid values, `counts` times along each axis."""
        for k, order in enumerate(counts):
            if order:
                values = along(self.axes[k].derivative(order), values, k)
        return values

    def tails(self, values: Array) -> Array:
        """Share of the l2 norm in the last tenth (at least two) of the coefficients, for each axis.

        Args:
            values: shape (..., *shape); leading axes are summed over.

        Returns:
            Shares, shape (axes,).
        """
        lead, shares = values.ndim - len(self.axes), np.zeros(len(self.axes))
        for k, axis in enumerate(self.axes):
            power = axis.coefficients(values, lead + k) ** 2
            lines = np.moveaxis(power, lead + k, 0).reshape(axis.count, -1).sum(axis=1)
            degrees = axis.degrees()
            last = degrees > degrees.max() - max(2, degrees.max() // 10)
            shares[k] = np.sqrt(lines[last].sum() / max(lines.sum(), np.finfo(float).tiny))
        return shares

    def interpolate(self, values: Array, finer: TensorGrid) -> Array:
        """Grid values moved to another grid on the same axes; leading axes are kept."""
        lead = values.ndim - len(self.axes)
        for k, (old, new) in enumerate(zip(self.axes, finer.axes, strict=True)):
            if old != new:
                values = along(old.values(new.nodes), values, lead + k)
        return values
