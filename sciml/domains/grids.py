"""Grids: points with quadrature weights, on a tensor product or scattered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np

from sciml.domains.box import Box
from sciml.domains.domain import Points
from sciml.errors import DomainError


class AbstractGrid(ABC):
    """Points with quadrature weights, on which errors are taken."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays of points and weights."""

    @abstractmethod
    def points(self) -> Points:
        """All points, one array of the grid's shape for each coordinate."""

    @abstractmethod
    def quadrature(self) -> jax.Array:
        """Weights, of the grid's shape; they sum to the volume."""

    @property
    def size(self) -> int:
        """Number of points."""
        return int(np.prod(self.shape))

    def flat_points(self) -> Points:
        """All points, one array of shape `(size,)` for each coordinate."""
        return {name: value.reshape(-1) for name, value in self.points().items()}


@final
@dataclass(frozen=True)
class Grid(AbstractGrid):
    """A tensor grid: nodes `(n,)` and quadrature weights `(n,)` along each coordinate, by name, in frame order."""

    nodes: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(n.size for n in self.nodes.values())

    def points(self) -> Points:
        mesh = np.meshgrid(*self.nodes.values(), indexing="ij")
        return {name: jnp.asarray(m) for name, m in zip(self.nodes, mesh, strict=True)}

    def quadrature(self) -> jax.Array:
        total = np.ones(())
        for w in self.weights.values():
            total = np.multiply.outer(total, w)
        return jnp.asarray(total)


@final
@dataclass(frozen=True)
class ScatteredGrid(AbstractGrid):
    """Points `(n,)` of each coordinate, by name, with equal weights: where a tensor grid would be too large."""

    nodes: Points
    volume: float

    @property
    def shape(self) -> tuple[int, ...]:
        return next(iter(self.nodes.values())).shape

    def points(self) -> Points:
        return dict(self.nodes)

    def quadrature(self) -> jax.Array:
        return jnp.full(self.shape, self.volume / self.size)


def _per_axis(box: Box, n: int | Mapping[str, int], fixed: Mapping[str, float]) -> dict[str, int]:
    names = [name for name in box.frame.names if name not in fixed]
    for name in (*fixed, *(n if isinstance(n, Mapping) else ())):
        if name not in box.frame.names:
            raise DomainError(f"coordinate {name!r} of a grid", f"one of {box.frame}", "check the spelling")
    for name, value in fixed.items():
        lower, upper = box.bounds[name]
        if not lower <= value <= upper:
            raise DomainError(
                f"a grid at {name}={value:g}", f"a number in [{lower:g}, {upper:g}]", "stay inside the box"
            )
    counts = {name: n.get(name) if isinstance(n, Mapping) else n for name in names}
    for name, count in counts.items():
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise DomainError(f"{count!r} points along {name}", "a positive integer", "refine the grid")
    return {name: int(count) for name, count in counts.items() if count is not None}


def _assemble(box: Box, axes: Mapping[str, tuple[np.ndarray, np.ndarray]], fixed: Mapping[str, float]) -> Grid:
    nodes, weights = {}, {}
    for name in box.frame.names:
        if name in fixed:
            nodes[name], weights[name] = np.array([fixed[name]]), np.ones(1)
        else:
            nodes[name], weights[name] = axes[name]
    return Grid(nodes, weights)


def uniform_grid(box: Box, n: int | Mapping[str, int], *, fixed: Mapping[str, float] | None = None) -> Grid:
    """Equally spaced nodes, ends included, with trapezoidal weights; a periodic axis leaves out its last node.

    Args:
        box: the domain.
        n: nodes along each coordinate, or one number for all.
        fixed: coordinates held at a number, such as `{"t": 1.0}`.
    """
    fixed = fixed or {}
    axes = {}
    for name, count in _per_axis(box, n, fixed).items():
        lower, upper = box.bounds[name]
        periodic = name in box.periodic
        if count < 2 and not periodic:
            raise DomainError(f"{count} node along {name}", "at least 2 with both ends", "refine the grid")
        nodes = np.linspace(lower, upper, count, endpoint=not periodic)
        weights = np.full(count, (upper - lower) / (count if periodic else count - 1))
        if not periodic:
            weights[[0, -1]] /= 2
        axes[name] = nodes, weights
    return _assemble(box, axes, fixed)


def gauss_legendre_grid(box: Box, n: int | Mapping[str, int], *, fixed: Mapping[str, float] | None = None) -> Grid:
    """Gauss–Legendre nodes and weights: exact for polynomials of degree 2n-1 along each axis."""
    fixed = fixed or {}
    axes = {}
    for name, count in _per_axis(box, n, fixed).items():
        lower, upper = box.bounds[name]
        z, w = np.polynomial.legendre.leggauss(count)
        axes[name] = (lower + upper) / 2 + (upper - lower) / 2 * z, (upper - lower) / 2 * w
    return _assemble(box, axes, fixed)


def midpoint_grid(box: Box, n: int | Mapping[str, int], *, fixed: Mapping[str, float] | None = None) -> Grid:
    """Cell centres with equal weights."""
    fixed = fixed or {}
    axes = {}
    for name, count in _per_axis(box, n, fixed).items():
        lower, upper = box.bounds[name]
        step = (upper - lower) / count
        axes[name] = lower + step * (np.arange(count) + 0.5), np.full(count, step)
    return _assemble(box, axes, fixed)


def scattered_grid(box: Box, n: int, *, fixed: Mapping[str, float] | None = None) -> ScatteredGrid:
    """The first n points of one scrambled Sobol sequence, the same at every call, with equal weights.

    Args:
        box: the domain.
        n: how many points.
        fixed: coordinates held at a number, such as `{"t": 1.0}`.

    Raises:
        DomainError: `n` is not a positive integer.
    """
    points = box.sample(n, jax.random.key(0))
    free = [name for name in points if name not in (fixed or {})]
    held = {name: jnp.full(n, number) for name, number in (fixed or {}).items()}
    return ScatteredGrid({**points, **held}, float(np.prod([box.length(name) for name in free])))
