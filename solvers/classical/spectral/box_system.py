"""Collocation equations of a problem on one tensor grid: residual, derivative, and their approximate inverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from sciml.known import BoundLaws
from solvers.classical import fast_diagonalisation as fast
from solvers.classical.spectral.box_form import BoxForm
from solvers.classical.spectral.statements import Derivative, Row, Statement, at_face, known_on_grid
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]
Start = dict[tuple[int, int], Array]
"""For (field, order), the values of the field's time derivative of that order at the start, on the spatial grid."""

_NEARLY_SEPARABLE = 1e-12


@final
@dataclass(frozen=True)
class BoxSystem:
    """F(u) = 0 for all fields at all nodes: equations inside, conditions on the layers that they occupy.

    Where faces meet, the first axis in grid order keeps its condition.

    Args:
        form: the problem's statements.
        grid: the nodes.
        start: data at the start of time.
    """

    form: BoxForm
    grid: TensorGrid
    start: Start

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The equation that determines each field."""
        return self.form.statements

    @property
    def rows(self) -> tuple[Row, ...]:
        """The conditions, in the order in which they claim nodes."""
        return self.form.rows

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the unknown array: fields, then nodes."""
        return (len(self.form.unknowns), *self.grid.shape)

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return int(np.prod(self.shape))

    @cached_property
    def _laws(self) -> BoundLaws:
        return BoundLaws(self.form.given.laws)

    @cached_property
    def _known(self) -> dict[Any, Array]:
        conditions = [r.statement for r in self.rows if r.statement is not None]
        return known_on_grid([*self.statements, *conditions], self.grid, self.form.given)

    @cached_property
    def _known_on_faces(self) -> dict[tuple[int, int], dict[Any, Array]]:
        faces = dict.fromkeys((row.axis, row.face) for row in self.rows if row.statement is not None)
        return {face: {atom: at_face(value, *face) for atom, value in self._known.items()} for face in faces}

    @cached_property
    def _needed(self) -> tuple[Derivative, ...]:
        found = [d for s in self.statements for d in s.derivatives.values()]
        found += [d for r in self.rows if r.statement for d in r.statement.derivatives.values()]
        found += [self._rate(r) for r in self.rows if r.statement is None]
        return tuple(dict.fromkeys(found))

    def _rate(self, row: Row) -> Derivative:
        return row.field, (row.order, *[0] * (len(self.form.axes) - 1))

    def derivatives(self, values: Array) -> dict[Derivative, Array]:
        """Every derivative of every field that a statement reads."""
        return {(j, counts): self.grid.differentiate(values[j], counts) for j, counts in self._needed}

    def residual(self, values: Array) -> Array:
        """F(u), of the shape of u."""
        fields, result = self.derivatives(values), np.empty(self.shape)
        for j, inner in enumerate(self.statements):
            result[j] = inner.values(self._known, fields, self._laws)
        for row in self.rows:
            layer = _layer(row)
            if row.statement is None:
                rate = np.take(fields[self._rate(row)], 0, axis=0)
                result[row.field][layer] = rate - self.start[row.field, row.order]
            else:
                known = self._known_on_faces[row.axis, row.face]
                faces = {d: at_face(fields[d], row.axis, row.face) for d in row.statement.derivatives.values()}
                value = row.statement.values(known, faces, self._laws)
                result[row.field][layer] = np.broadcast_to(value, _face_shape(self.grid, row)).squeeze(row.axis)
        return result

    def linearise(self, values: Array) -> Linearisation:
        """F'(u)."""
        fields = self.derivatives(values)
        slopes = [inner.slope_values(self._known, fields, self._laws) for inner in self.statements]
        for row in self.rows:
            if row.statement is None:
                slopes.append({self._rate(row): np.ones(())})
            else:
                known = self._known_on_faces[row.axis, row.face]
                faces = {d: at_face(fields[d], row.axis, row.face) for d in row.statement.derivatives.values()}
                slopes.append(row.statement.slope_values(known, faces, self._laws))
        count = len(self.statements)
        return Linearisation(self, tuple(slopes[:count]), tuple(slopes[count:]))


def _layer(row: Row) -> tuple[Any, ...]:
    return (*[slice(None)] * row.axis, row.layer)


def _face_shape(grid: TensorGrid, row: Row) -> tuple[int, ...]:
    return tuple(1 if k == row.axis else count for k, count in enumerate(grid.shape))


@final
@dataclass(frozen=True)
class Linearisation:
    """F'(u) by its slopes: for each equation and each row, the factor of each derivative.

    Args:
        system: the equations.
        inner: slopes of the equation that determines each field.
        outer: slopes of each row.
    """

    system: BoxSystem
    inner: tuple[Mapping[Derivative, Array], ...]
    outer: tuple[Mapping[Derivative, Array], ...]

    def __call__(self, direction: Array) -> Array:
        """F'(u) v."""
        fields, result = self.system.derivatives(direction), np.zeros(self.system.shape)
        for j, slopes in enumerate(self.inner):
            for derivative, slope in slopes.items():
                result[j] += slope * fields[derivative]
        for row, slopes in zip(self.system.rows, self.outer, strict=True):
            total = np.zeros(_face_shape(self.system.grid, row))
            for derivative, slope in slopes.items():
                total += slope * at_face(fields[derivative], row.axis, row.face)
            result[row.field][_layer(row)] = total.squeeze(row.axis)
        return result

    def direct_inverse(self) -> Callable[[Array], Array]:
        """F'(u)^-1 by a dense LU factorisation: O(size^3)."""
        factors = lu_factor(self._matrix(), overwrite_a=True, check_finite=False)
        return lambda data: lu_solve(factors, data.ravel(), check_finite=False).reshape(data.shape)

    def _matrix(self) -> Array:
        system, nodes = self.system, self.system.grid.size
        matrix = np.zeros((len(self.inner), nodes, len(self.inner), nodes))
        index = np.arange(nodes).reshape(system.grid.shape)
        for j, slopes in enumerate(self.inner):
            for (i, counts), slope in slopes.items():
                weight = np.broadcast_to(slope, system.grid.shape).reshape(-1, 1)
                matrix[j, :, i, :] += weight * reduce(np.kron, [self._factor(k, m) for k, m in enumerate(counts)])
        for row, slopes in zip(system.rows, self.outer, strict=True):
            targets = index[_layer(row)].ravel()
            matrix[row.field, targets] = 0.0
            for (i, counts), slope in slopes.items():
                factors = [self._factor(k, m) for k, m in enumerate(counts)]
                factors[row.axis] = factors[row.axis][[row.face]]
                weight = np.broadcast_to(slope, _face_shape(system.grid, row)).reshape(-1, 1)
                matrix[row.field, targets, i] += weight * reduce(np.kron, factors)
        return matrix.reshape(system.size, system.size)

    def _factor(self, axis: int, order: int) -> Array:
        grid = self.system.grid
        return grid.axes[axis].derivative(order) if order else np.eye(grid.shape[axis])

    def separable_inverse(self) -> Callable[[Array], Array]:
        """Inverse of each field's nearest separable operator, by fast diagonalisation; exact where F'(u) is one."""
        inverses = [self._field_inverse(j) for j in range(len(self.inner))]
        return lambda data: np.stack([inverse(part) for inverse, part in zip(inverses, data, strict=True)])

    def _field_inverse(self, j: int) -> Callable[[Array], Array]:
        scale = _scaling(self.inner[j], j, self.system.grid)
        slopes = {counts: slope * scale for (i, counts), slope in self.inner[j].items() if i == j}
        axes, constant = [], 0.0
        for k in range(len(self.system.grid.axes)):
            matrix, constant = self._axis_matrix(k, slopes, constant)
            axes.append(self._axis(j, k, matrix))
        factors = fast.factorise(axes, constant)
        taken = [r for r in self.system.rows if r.field == j]
        if scale.ndim == 0 or not taken:
            return lambda data: fast.solve(factors, data * scale)
        weights = np.broadcast_to(scale, self.system.grid.shape).copy()
        for row in taken:
            weights[_layer(row)] = 1.0
        return lambda data: fast.solve(factors, data * weights)

    def _axis_matrix(self, k: int, slopes: Mapping[tuple[int, ...], Array], constant: float) -> tuple[Array, float]:
        """Derivatives along one axis alone, slopes averaged over the others; and the mean of the undifferentiated."""
        axis, shape = self.system.grid.axes[k], self.system.grid.shape
        matrix = np.zeros((axis.count, axis.count))
        others = tuple(other for other in range(len(shape)) if other != k)
        for counts, slope in slopes.items():
            line = np.broadcast_to(slope, shape).mean(axis=others)
            if not any(counts):
                matrix += np.diag(line - line.mean())
                constant = constant if k else float(line.mean())
            elif all(counts[other] == 0 for other in others):
                matrix += line[:, None] * axis.derivative(counts[k])
        return matrix, constant

    def _axis(self, j: int, k: int, matrix: Array) -> fast.Axis:
        axis = self.system.grid.axes[k]
        pairs = [
            (row, slopes)
            for row, slopes in zip(self.system.rows, self.outer, strict=True)
            if row.field == j and row.axis == k
        ]
        conditions = np.zeros((len(pairs), axis.count))
        for number, (row, slopes) in enumerate(pairs):
            for (i, counts), slope in slopes.items():
                if i == j and all(m == 0 for other, m in enumerate(counts) if other != k):
                    conditions[number] += float(np.mean(slope)) * self._factor(k, counts[k])[row.face]
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
    if np.min(np.abs(leading)) < 0.05 * np.max(np.abs(leading)) or leading.min() * leading.max() <= 0:
        return one
    mean = float(np.mean(leading))
    plain = sum(_mixing(slope, counts, grid) for counts, slope in own.items())
    scaled = sum(_mixing(mean * slope / leading, counts, grid) for counts, slope in own.items())
    return mean / leading if scaled < 0.9 * plain and plain > _NEARLY_SEPARABLE else one


def _mixing(slope: Array, counts: tuple[int, ...], grid: TensorGrid) -> float:
    """How much a slope varies across the axes along which it does not differentiate."""
    full = np.broadcast_to(slope, grid.shape)
    others = tuple(k for k, m in enumerate(counts) if m == 0)
    if not others:
        return 0.0
    return float(np.linalg.norm(full - full.mean(axis=others, keepdims=True)) / max(np.linalg.norm(full), 1e-300))
