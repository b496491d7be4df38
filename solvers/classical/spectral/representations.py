"""How spectral solutions are stored: functions of points that JAX can differentiate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import factorial
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sciml.solution import AbstractRepresentation
from sciml.storable import storable
from solvers.classical import fourier
from solvers.classical.marching import Panel
from solvers.classical.spectral.collocate import Slab

_OVERSAMPLING = 2
_STENCIL = {1: 20, 2: 16, 3: 12}
_BATCH = {1: 4096, 2: 512, 3: 64}
_LARGEST = 2**27


@final
@storable("spectral_nowhere")
class Nowhere(AbstractRepresentation):
    """Fields of a computation that ended before its first step: not a number everywhere.

    Attributes:
        unknowns: names of the fields.
    """

    unknowns: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        shape = next(iter(points.values())).shape
        return {name: jnp.full(shape, jnp.nan) for name in self.unknowns}


@final
@storable("spectral_uniform_panels")
class UniformPanels(AbstractRepresentation):
    """Chebyshev polynomials in time, piecewise, of values on a periodic grid in space.

    A Fourier series sampled at twice its Nyquist rate is interpolated by local Lagrange polynomials, whose error in a
    mode is (pi k / 4 K)^20: far below the mode's own amplitude in a resolved series, at a cost that does not grow with
    the number of modes.

    Attributes:
        edges: times between panels, shape (panels + 1,).
        coefficients: shape (panels, points..., degrees, unknowns): what one point reads lies together.
        origins: where each spatial grid starts.
        spacings: distance of its points.
        time: name of the time coordinate.
        axes: names of the spatial coordinates.
        unknowns: names of the fields.
    """

    edges: jax.Array
    coefficients: jax.Array
    origins: tuple[float, ...] = eqx.field(static=True)
    spacings: tuple[float, ...] = eqx.field(static=True)
    time: str = eqx.field(static=True)
    axes: tuple[str, ...] = eqx.field(static=True)
    unknowns: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        names = (self.time, *self.axes)
        batch = _BATCH.get(len(self.axes), 16)
        values = jax.lax.map(self._at, {name: points[name] for name in names}, batch_size=batch)
        return {name: values[:, index] for index, name in enumerate(self.unknowns)}

    def _at(self, point: dict[str, jax.Array]) -> jax.Array:
        panel, degrees = _panel_basis(self.edges, point[self.time], self.coefficients.shape[-2], _chebyshev_basis)
        index: list[jax.Array] = []
        weights: list[jax.Array] = []
        size = _STENCIL.get(len(self.axes), 10)
        for name, origin, spacing, count in zip(
            self.axes, self.origins, self.spacings, self.coefficients.shape[1:-2], strict=True
        ):
            place = (point[name] - origin) / spacing
            base = jnp.floor(place)
            weights.append(_lagrange_weights(place - base + size // 2 - 1, size))
            index.append((base.astype(int) - (size // 2 - 1) + jnp.arange(size)) % count)
        block = self.coefficients[(panel, *jnp.ix_(*index))]
        for weight in weights:
            block = jnp.tensordot(weight, block, axes=1)
        return degrees @ block


@final
@storable("spectral_polynomial_panels")
class PolynomialPanels(AbstractRepresentation):
    """Legendre polynomials along every axis of a box, piecewise in time; one panel for a steady problem.

    Attributes:
        edges: times between panels, shape (panels + 1,); for a steady problem any two numbers.
        coefficients: shape (panels, unknowns, degrees...), an axis of degrees for each coordinate in `axes`.
        bounds: interval of each axis; the time axis is the panel.
        time: name of the time coordinate, or None; it must be the first of `axes`.
        axes: names of the coordinates.
        periodic: for each axis, whether its basis is a Fourier series (cosines then sines) instead.
        unknowns: names of the fields.
    """

    edges: jax.Array
    coefficients: jax.Array
    bounds: tuple[tuple[float, float], ...] = eqx.field(static=True)
    time: str | None = eqx.field(static=True)
    axes: tuple[str, ...] = eqx.field(static=True)
    periodic: tuple[bool, ...] = eqx.field(static=True)
    unknowns: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        size = int(np.prod(self.coefficients.shape[1:]))
        batch = int(np.clip(_LARGEST // 16 // max(size, 1), 1, 4096))
        values = jax.lax.map(self._at, {name: points[name] for name in self.axes}, batch_size=batch)
        return {name: values[:, index] for index, name in enumerate(self.unknowns)}

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        """Sums over one axis of degrees after the other: n rows of it at a time instead of all points."""
        if self.time is None:
            block, names = self.coefficients[0], self.axes
        else:
            count = self.coefficients.shape[2]
            panels, degrees = jax.vmap(lambda t: _panel_basis(self.edges, t, count, _legendre_basis))(nodes[self.time])
            steps = (panels, degrees)
            block = jax.lax.map(lambda step: jnp.tensordot(step[1], self.coefficients[step[0]], axes=(0, 1)), steps)
            block, names = jnp.moveaxis(block, 0, -1), self.axes[1:]
        for name in names:
            block = jnp.tensordot(block, jax.vmap(lambda x, name=name: self._basis(name, x))(nodes[name]), axes=(1, 1))
        made = [*([] if self.time is None else [self.time]), *names]
        block = jnp.transpose(block, (0, *(1 + made.index(name) for name in nodes)))
        return {name: block[index] for index, name in enumerate(self.unknowns)}

    def _at(self, point: dict[str, jax.Array]) -> jax.Array:
        bases, panel = [], jnp.asarray(0)
        for name, count in zip(self.axes, self.coefficients.shape[2:], strict=True):
            if name == self.time:
                panel, basis = _panel_basis(self.edges, point[name], count, _legendre_basis)
            else:
                basis = self._basis(name, point[name])
            bases.append(basis)
        block = self.coefficients[0] if self.time is None else self.coefficients[panel]
        for basis in reversed(bases):
            block = block @ basis
        return block

    def _basis(self, name: str, x: jax.Array) -> jax.Array:
        """The functions of one spatial axis at one point."""
        index = self.axes.index(name)
        (lower, upper), count = self.bounds[index], self.coefficients.shape[2 + index]
        if self.periodic[index]:
            return _fourier_basis((x - lower) / (upper - lower), count)
        return _legendre_basis((2 * x - lower - upper) / (upper - lower), count)


def _panel_basis(
    edges: jax.Array, time: jax.Array, count: int, basis: Callable[..., jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """The panel that holds a time, and the polynomials of that panel there; not a number after the last panel."""
    beyond = time > edges[-1] + 1e-12 * (edges[-1] - edges[0])
    panel = jnp.clip(jnp.searchsorted(edges, time, side="right") - 1, 0, edges.size - 2)
    start, end = edges[panel], edges[panel + 1]
    place = (2 * time - start - end) / (end - start)
    return panel, basis(jnp.where(beyond, jnp.nan, place), count)


def _chebyshev_basis(x: jax.Array, count: int) -> jax.Array:
    """T_0 ... T_{n-1} at one point."""

    def step(pair: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        before, current = pair
        return (current, 2 * x * current - before), before

    _, rows = jax.lax.scan(step, (jnp.ones_like(x), x), None, length=count)
    return rows


def _legendre_basis(x: jax.Array, count: int) -> jax.Array:
    """P_0 ... P_{n-1} at one point."""

    def step(pair: tuple[jax.Array, jax.Array], degree: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        before, current = pair
        after = ((2 * degree + 1) * x * current - degree * before) / (degree + 1)
        return (current, after), before

    _, rows = jax.lax.scan(step, (jnp.ones_like(x), x), jnp.arange(1.0, count + 1.0))
    return rows


def _fourier_basis(phase: jax.Array, count: int) -> jax.Array:
    """1, cos 2πs ... cos 2πKs, sin 2πs ... sin 2πKs at one phase s, with n = 2K + 1 functions."""
    angles = 2 * jnp.pi * phase * jnp.arange(1, count // 2 + 1)
    return jnp.concatenate([jnp.ones(1), jnp.cos(angles), jnp.sin(angles)])


def _lagrange_weights(place: jax.Array, size: int) -> jax.Array:
    """Weights of nodes 0 ... size - 1 for the value at `place`; products, so that it is smooth at the nodes."""
    gaps = place - jnp.arange(size)
    scale = [(-1.0) ** (size - 1 - k) / (factorial(k) * factorial(size - 1 - k)) for k in range(size)]
    return _products_before(gaps) * _products_before(gaps[::-1])[::-1] * jnp.asarray(scale)


def _products_before(factors: jax.Array) -> jax.Array:
    """Product of all factors before each one."""
    _, products = jax.lax.scan(lambda product, factor: (product * factor, product), jnp.ones(()), factors)
    return products


def uniform_panels(
    panels: Sequence[Panel],
    keep: Sequence[int],
    origins: Sequence[float],
    lengths: Sequence[float],
    time: str,
    axes: Sequence[str],
    unknowns: Sequence[str],
    rtol: float,
) -> UniformPanels:
    """Sample the panels of a trajectory on one grid, as coarse as the tolerance allows.

    Args:
        panels: from `march`.
        keep: indices of the fields to store.
        origins: where each period starts.
        lengths: the periods.
        time: name of the time coordinate.
        axes: names of the spatial coordinates.
        unknowns: names of the kept fields.
        rtol: relative size below which coefficients are dropped.

    Returns:
        The representation.
    """
    dimensions = len(axes)
    parts = [panel.coefficients[:, list(keep)] for panel in panels]
    points, dropped = [], rtol / 100
    while not points or int(np.prod(points)) * len(parts) * parts[0].shape[0] * len(keep) > _LARGEST:
        tops = np.max([_significant(part, dimensions, dropped) for part in parts], axis=0)
        points = [max(2 * _OVERSAMPLING * (int(top) + 1), 2 * _STENCIL.get(dimensions, 10)) for top in tops]
        dropped *= 10  # a representation that does not fit is made coarser
        if dropped > 1:
            break
    grids = []
    for part in parts:
        # one degree at a time: the transform of a whole panel would need several times its memory
        rows = [fourier.to_grid(fourier.resize(row, [int(k) for k in tops]), points) for row in part]
        grids.append(np.stack(rows))
    edges = [panels[0].start, *(panel.end for panel in panels)]
    return UniformPanels(
        jax.device_put(np.asarray(edges)),
        jax.device_put(np.ascontiguousarray(np.moveaxis(np.stack(grids), (1, 2), (-2, -1)))),
        tuple(float(origin) for origin in origins),
        tuple(float(length) / count for length, count in zip(lengths, points, strict=True)),
        time,
        tuple(axes),
        tuple(unknowns),
    )


def _significant(coefficients: NDArray[np.complex128], dimensions: int, rtol: float) -> NDArray[np.intp]:
    """Smallest cutoffs that keep all but the share `rtol` of the l2 norm."""
    power = (np.abs(coefficients) ** 2).sum(axis=tuple(range(coefficients.ndim - dimensions)))
    tops = np.zeros(dimensions, dtype=np.intp)
    for axis in range(dimensions):
        lines = power.sum(axis=tuple(other for other in range(dimensions) if other != axis))
        if axis < dimensions - 1:
            half = lines.size // 2
            lines = lines[: half + 1] + np.concatenate([[0.0], lines[:half:-1]])
        lost = np.concatenate([np.cumsum(lines[::-1])[::-1][1:], [0.0]])
        tops[axis] = int(np.argmax(lost <= rtol**2 * lines.sum()))
    return tops


def polynomial_panels(slabs: Sequence[Slab], unknowns: Sequence[str], time: str | None) -> PolynomialPanels:
    """Coefficients of slabs of one box, padded to the finest of them.

    Args:
        slabs: from `solve_steady` or `solve_slabs`.
        unknowns: names of the fields.
        time: name of the time coordinate, or None.

    Returns:
        The representation.
    """
    axes = slabs[-1].grid.axes
    counts = [max(slab.grid.shape[k] for slab in slabs) for k in range(len(axes))]
    panels = []
    for slab in slabs:
        values = slab.values
        for k, axis in enumerate(slab.grid.axes):
            values = _padded(axis.coefficients(values, k + 1), k + 1, counts[k], axis.periodic)
        panels.append(values)
    edges = (
        [0.0, 1.0] if time is None else [slabs[0].grid.axes[0].bounds[0], *(s.grid.axes[0].bounds[1] for s in slabs)]
    )
    return PolynomialPanels(
        jax.device_put(np.asarray(edges)),
        jax.device_put(np.stack(panels)),
        tuple(axis.bounds for axis in axes),
        time,
        tuple(axis.name for axis in axes),
        tuple(axis.periodic for axis in axes),
        tuple(unknowns),
    )


def _padded(coefficients: NDArray[np.float64], axis: int, count: int, periodic: bool) -> NDArray[np.float64]:
    rows = np.moveaxis(coefficients, axis, 0)
    if periodic:
        half, gap = rows.shape[0] // 2, np.zeros(((count - rows.shape[0]) // 2, *rows.shape[1:]))
        return np.moveaxis(np.concatenate([rows[: half + 1], gap, rows[half + 1 :], gap]), 0, axis)
    return np.moveaxis(np.concatenate([rows, np.zeros((count - rows.shape[0], *rows.shape[1:]))]), 0, axis)
