"""Inverse of the separable operator nearest to a linearised problem, by fast diagonalisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from solvers.classical import fast_diagonalisation as fast
from solvers.classical.spectral.box_system import Linearisation
from solvers.classical.spectral.statements import Derivative
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]

_NEARLY_SEPARABLE = 1e-12
_VANISHING = 0.05
_WORTH_SCALING = 0.9


def separable_inverse(map: Linearisation) -> Callable[[Array], Array]:
    """Approximate F'(u)^-1, field by field; exact where fields are uncoupled and slopes vary along their own axis only.

    Slopes are averaged over the axes along which they do not differentiate; mixed derivatives and other fields are left
    out. An equation whose slopes share a factor that varies is divided by it first.
    """
    inverses = [_field_inverse(map, j) for j in range(len(map.inner))]
    return lambda data: np.stack([inverse(part) for inverse, part in zip(inverses, data, strict=True)])


def _field_inverse(map: Linearisation, j: int) -> Callable[[Array], Array]:
    grid, rows = map.system.grid, [row for row in map.system.rows if row.field == j]
    scale = _scaling(map.inner[j], j, grid)
    slopes = {counts: slope * scale for (i, counts), slope in map.inner[j].items() if i == j}
    constant = float(np.mean(np.broadcast_to(slopes.get((0,) * len(grid.axes), np.zeros(())), grid.shape)))
    axes = [_axis(map, j, k, _axis_matrix(grid, k, slopes)) for k in range(len(grid.axes))]
    factors = fast.factorise(axes, constant)
    if scale.ndim == 0:
        return lambda data: fast.solve(factors, data)
    weights = np.broadcast_to(scale, grid.shape).copy()
    for row in rows:
        weights[row.index] = 1.0
    return lambda data: fast.solve(factors, data * weights)


def _axis_matrix(grid: TensorGrid, k: int, slopes: Mapping[tuple[int, ...], Array]) -> Array:
    """Derivatives along one axis alone, slopes averaged over the others; undifferentiated: their variation."""
    axis = grid.axes[k]
    matrix = np.zeros((axis.count, axis.count))
    others = tuple(other for other in range(len(grid.axes)) if other != k)
    for counts, slope in slopes.items():
        line = np.broadcast_to(slope, grid.shape).mean(axis=others)
        if not any(counts):
            matrix += np.diag(line - line.mean())
        elif all(counts[other] == 0 for other in others):
            matrix += line[:, None] * axis.derivative(counts[k])
    return matrix


def _axis(map: Linearisation, j: int, k: int, matrix: Array) -> fast.Axis:
    axis = map.system.grid.axes[k]
    pairs = [
        (row, slopes)
        for row, slopes in zip(map.system.rows, map.outer, strict=True)
        if row.field == j and row.axis == k
    ]
    conditions = np.zeros((len(pairs), axis.count))
    for number, (row, slopes) in enumerate(pairs):
        for (i, counts), slope in slopes.items():
            if i == j and all(m == 0 for other, m in enumerate(counts) if other != k):
                conditions[number] += float(np.mean(slope)) * axis.derivative(counts[k])[row.face]
    layers = np.array([row.layer % axis.count for row, _ in pairs], dtype=np.intp)
    return fast.Axis(matrix, conditions, layers, weights=axis.weights)


def _scaling(slopes: Mapping[Derivative, Array], j: int, grid: TensorGrid) -> Array:
    """Factor that brings an equation nearest to a separable one: one, or the inverse of its largest leading slope."""
    own = {counts: np.asarray(slope) for (i, counts), slope in slopes.items() if i == j and any(counts)}
    one = np.ones(())
    if not own or all(slope.ndim == 0 for slope in own.values()):
        return one
    top = max(sum(counts) for counts in own)
    leading = max((s for counts, s in own.items() if sum(counts) == top), key=lambda s: float(np.mean(np.abs(s))))
    if np.min(np.abs(leading)) < _VANISHING * np.max(np.abs(leading)) or leading.min() * leading.max() <= 0:
        return one
    mean = float(np.mean(leading))
    plain = sum(_mixing(slope, counts, grid) for counts, slope in own.items())
    scaled = sum(_mixing(mean * slope / leading, counts, grid) for counts, slope in own.items())
    return mean / leading if scaled < _WORTH_SCALING * plain and plain > _NEARLY_SEPARABLE else one


def _mixing(slope: Array, counts: tuple[int, ...], grid: TensorGrid) -> float:
    """How much a slope varies across the axes along which it does not differentiate."""
    full = np.broadcast_to(slope, grid.shape)
    others = tuple(k for k, m in enumerate(counts) if m == 0)
    if not others:
        return 0.0
    return float(np.linalg.norm(full - full.mean(axis=others, keepdims=True)) / max(np.linalg.norm(full), 1e-300))
