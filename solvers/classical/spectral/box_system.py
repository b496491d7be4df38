"""Collocation equations of a problem on one tensor grid: their residual and its derivative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sciml.known import BoundLaws
from solvers.classical.spectral.box_form import BoxForm
from solvers.classical.spectral.statements import Derivative, Row, Statement, at_face, known_on_grid
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]
Start = dict[tuple[int, int], Array]
"""For (field, order), the values of the field's time derivative of that order at the start, on the spatial grid."""


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

    def sources(self) -> Array:
        """What the equations say where all fields vanish, of the shape of u."""
        fields = dict.fromkeys(self._needed, np.zeros(()))
        with np.errstate(all="ignore"):
            parts = [s.values(self._known, fields, self._laws) for s in self.statements]
        return np.stack([np.broadcast_to(part, self.grid.shape) for part in parts])

    def residual(self, values: Array) -> Array:
        """F(u), of the shape of u."""
        fields, result = self.derivatives(values), np.empty(self.shape)
        for j, inner in enumerate(self.statements):
            result[j] = inner.values(self._known, fields, self._laws)
        for row in self.rows:
            layer = row.index
            if row.statement is None:
                rate = np.take(fields[self._rate(row)], 0, axis=0)
                result[row.field][layer] = rate - self.start[row.field, row.order]
            else:
                known = self._known_on_faces[row.axis, row.face]
                faces = {d: at_face(fields[d], row.axis, row.face) for d in row.statement.derivatives.values()}
                value = row.statement.values(known, faces, self._laws)
                result[row.field][layer] = np.broadcast_to(value, row.face_shape(self.grid.shape)).squeeze(row.axis)
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
            total = np.zeros(row.face_shape(self.system.grid.shape))
            for derivative, slope in slopes.items():
                total += slope * at_face(fields[derivative], row.axis, row.face)
            result[row.field][row.index] = total.squeeze(row.axis)
        return result
