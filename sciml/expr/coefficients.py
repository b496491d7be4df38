"""Payload of coefficients: gridded data with a named interpolation, or a function of the coordinates."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from sciml.errors import ExpressionError
from sciml.storable import storable

INFINITELY_SMOOTH = 99
"""Smoothness of a coefficient that has all the derivatives that an equation may ask for."""


class AbstractInterpolation(eqx.Module):
    """How values between grid points are made from data on a tensor grid."""

    @property
    @abstractmethod
    def smoothness(self) -> int:
        """How many classical derivatives the interpolant has: 0 for none."""

    @abstractmethod
    def weights(self, nodes: jax.Array, at: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Indices and weights `(k, *at.shape)` of the nodes that carry the values at points; NumPy in, NumPy out."""


def _library(array: Any) -> Any:
    """JAX's functions for a JAX array or tracer, else NumPy's."""
    return jnp if isinstance(array, jax.Array) else np


@storable("nearest interpolation")
@final
class Nearest(AbstractInterpolation):
    """Piecewise constant: the value of the nearest node. Cannot be differentiated."""

    @property
    def smoothness(self) -> int:
        return 0

    def weights(self, nodes: jax.Array, at: jax.Array) -> tuple[jax.Array, jax.Array]:
        xp = _library(nodes)
        middle = (nodes[1:] + nodes[:-1]) / 2
        return xp.searchsorted(middle, at)[None], xp.ones_like(at)[None]


@storable("linear interpolation")
@final
class Linear(AbstractInterpolation):
    """Piecewise multilinear and continuous; no derivative at the nodes, so `lower` refuses to differentiate it."""

    @property
    def smoothness(self) -> int:
        return 0

    def weights(self, nodes: jax.Array, at: jax.Array) -> tuple[jax.Array, jax.Array]:
        xp, left = _library(nodes), _cell(nodes, at)
        share = (at - nodes[left]) / (nodes[left + 1] - nodes[left])
        return xp.stack([left, left + 1]), xp.stack([1 - share, share])


@storable("cubic interpolation")
@final
class Cubic(AbstractInterpolation):
    """Local cubic Hermite with three-point slopes: $C^1$, third-order accurate, exact for quadratics.

    Source: Catmull–Rom/Bessel tangents on a non-uniform grid; de Boor, A Practical Guide to Splines, ch. IV.
    """

    @property
    def smoothness(self) -> int:
        return 1

    def weights(self, nodes: jax.Array, at: jax.Array) -> tuple[jax.Array, jax.Array]:
        xp, left = _library(nodes), _cell(nodes, at)
        step = nodes[left + 1] - nodes[left]
        s = (at - nodes[left]) / step
        value_left, value_right = (1 + 2 * s) * (1 - s) ** 2, s**2 * (3 - 2 * s)
        slope_left, slope_right = step * s * (1 - s) ** 2, step * s**2 * (s - 1)
        index_a, slopes_a = _three_point_slope(nodes, left)
        index_b, slopes_b = _three_point_slope(nodes, left + 1)
        indices = xp.concatenate([xp.stack([left, left + 1]), index_a, index_b])
        weights = xp.concatenate([xp.stack([value_left, value_right]), slope_left * slopes_a, slope_right * slopes_b])
        return indices, weights


def _cell(nodes: jax.Array, at: jax.Array) -> jax.Array:
    """Index of the left node of the interval that holds each point; the outer intervals extend to infinity."""
    xp = _library(nodes)
    return xp.clip(xp.searchsorted(nodes, at, side="right") - 1, 0, nodes.size - 2)


def _three_point_slope(nodes: jax.Array, i: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Derivative at nodes i of the parabola through three neighbouring nodes."""
    xp = _library(nodes)
    base = xp.clip(i - 1, 0, nodes.size - 3)
    index = xp.stack([base, base + 1, base + 2])
    a, b, c = nodes[index]
    x = nodes[i]
    weights = xp.stack(
        [
            (2 * x - b - c) / ((a - b) * (a - c)),
            (2 * x - a - c) / ((b - a) * (b - c)),
            (2 * x - a - b) / ((c - a) * (c - b)),
        ]
    )
    return index, weights


@storable("gridded data")
@final
class GriddedData(eqx.Module):
    """Data on a tensor grid and its interpolation; calling it interpolates elementwise, NumPy in, NumPy out."""

    values: jax.Array
    points: tuple[jax.Array, ...]
    interpolation: AbstractInterpolation

    @property
    def smoothness(self) -> int:
        """Classical derivatives of the interpolant."""
        return self.interpolation.smoothness

    def __call__(self, *at: Any) -> Any:
        if not any(isinstance(a, jax.Array) for a in at) and not isinstance(self.values, Tracer):
            return self._on_host(*np.broadcast_arrays(*[np.asarray(a, float) for a in at]))
        at = tuple(jnp.broadcast_arrays(*[jnp.asarray(a, self.values.dtype) for a in at]))
        return _interpolate(self, *[a.reshape(-1) for a in at]).reshape(at[0].shape)

    def _one(self, *at: jax.Array) -> jax.Array:
        value = self.values
        for nodes, a in zip(self.points, at, strict=True):
            indices, weights = self.interpolation.weights(nodes, a)
            value = jnp.tensordot(weights, value[indices], axes=1)
        return value

    def _on_host(self, *at: np.ndarray) -> np.ndarray:
        nodes = [np.asarray(p) for p in self.points]
        axes = [self.interpolation.weights(n, a) for n, a in zip(nodes, at, strict=True)]  # type: ignore[arg-type]
        values, total = np.asarray(self.values), np.zeros(at[0].shape)
        for corner in np.ndindex(*(indices.shape[0] for indices, _ in axes)):
            weight = np.prod([w[k] for k, (_, w) in zip(corner, axes, strict=True)], axis=0)
            total += weight * values[tuple(i[k] for k, (i, _) in zip(corner, axes, strict=True))]
        return total


@jax.jit  # outside a solver's own program the dozens of small operations would compile one by one
def _interpolate(data: GriddedData, *at: jax.Array) -> jax.Array:
    return jax.vmap(data._one)(*at)


@storable("function of coordinates")
@final
class FunctionData(eqx.Module):
    """A known JAX function of the coordinates, evaluated elementwise, NumPy in, NumPy out."""

    function: Callable[..., Any]

    @property
    def smoothness(self) -> int:
        """A function is differentiated by JAX; the user vouches for its smoothness."""
        return INFINITELY_SMOOTH

    def __call__(self, *at: Any) -> Any:
        on_host = not any(isinstance(a, jax.Array) for a in at)
        at = tuple(jnp.broadcast_arrays(*[jnp.asarray(a) for a in at]))
        value = jnp.broadcast_to(self.function(*at), at[0].shape)
        return np.asarray(value) if on_host and not isinstance(value, Tracer) else value


def make_payload(
    name: str, ndim: int, values: Any, points: Any, interpolation: Any, function: Callable[..., Any] | None
) -> GriddedData | FunctionData:
    """Validate what a user gave to `Coefficient`.

    Raises:
        ExpressionError: neither or both of data and function, or data that do not fit the grid.
    """
    what = f"coefficient {name!r}"
    if (values is None) == (function is None):
        given = "neither values nor a function" if values is None else "both values and a function"
        raise ExpressionError(f"{given} for {what}", "exactly one", "give values= and points=, or function=")
    if function is not None:
        if not callable(function):
            raise ExpressionError(f"{type(function).__name__} as function of {what}", "a callable", "pass a function")
        return FunctionData(function)
    if points is None and hasattr(values, "dims"):
        points = tuple(np.asarray(values[dim]) for dim in values.dims)
    try:
        array = np.asarray(getattr(values, "values", values), dtype=float)
        nodes = tuple(np.asarray(p, dtype=float) for p in (points if points is not None else ()))
    except (TypeError, ValueError) as error:
        raise ExpressionError(
            f"data of {what} that NumPy refuses ({error})", "arrays of numbers", "convert them"
        ) from None
    shape = tuple(p.size for p in nodes)
    if array.ndim != ndim or shape != array.shape:
        raise ExpressionError(
            f"values of shape {array.shape} with a grid of shape {shape} for {what}",
            f"{ndim} axes, and one array of points for each",
            "pass points=(xs, ys) in the order of the coordinates",
        )
    if not np.isfinite(array).all():
        raise ExpressionError(f"{int((~np.isfinite(array)).sum())} values of {what} that are not finite", "finite data",
                              "fill or cut the gaps first")  # fmt: skip
    interpolation = Linear() if interpolation is None else interpolation
    if not isinstance(interpolation, AbstractInterpolation):
        raise ExpressionError(
            f"interpolation {interpolation!r} of {what}", "Nearest(), Linear() or Cubic()", "pass one of these objects"
        )
    least = 3 if isinstance(interpolation, Cubic) else 2
    for axis, p in enumerate(nodes):
        if p.ndim != 1 or p.size < least or not (np.diff(p) > 0).all():
            raise ExpressionError(
                f"grid points of axis {axis} of {what}", f"at least {least} increasing numbers", "sort the axis"
            )
    return GriddedData(jnp.asarray(array), tuple(jnp.asarray(p) for p in nodes), interpolation)
