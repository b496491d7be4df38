"""Statements of a problem on a tensor grid: their residuals, their derivatives by atom, and the rows they occupy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sciml.conditions import PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import linearise
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms, multi_index, scalar_leaf
from sciml.known import Arguments, BoundLaws
from solvers.classical.given import known_arrays
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]
Derivative = tuple[int, tuple[int, ...]]
"""Which field, and how often differentiated along each axis."""


@final
@dataclass(frozen=True)
class Statement:
    """One scalar residual and its slopes with respect to the derivatives of the fields.

    Args:
        residual: lowered residual.
        slopes: Fréchet derivative by atom.
        derivatives: which field and derivative each atom is.
    """

    residual: Scalar
    slopes: dict[Scalar, Scalar]
    derivatives: dict[Scalar, Derivative]

    def values(self, known: Mapping[Any, Any], fields: Mapping[Derivative, Array], laws: BoundLaws) -> Any:
        """Residual where the known atoms and the derivatives of the fields have these values."""
        own = {atom: fields[derivative] for atom, derivative in self.derivatives.items()}
        return np.asarray(evaluate(self.residual, {**known, **own}, laws), dtype=np.float64)

    def slope_values(
        self, known: Mapping[Any, Any], fields: Mapping[Derivative, Array], laws: BoundLaws
    ) -> dict[Derivative, Array]:
        """Slope with respect to each derivative of the fields."""
        own = {atom: fields[derivative] for atom, derivative in self.derivatives.items()}
        values = evaluate(tuple(self.slopes.values()), {**known, **own}, laws)
        return {
            self.derivatives[atom]: np.asarray(value, dtype=np.float64)
            for atom, value in zip(self.slopes, values, strict=True)
        }


def statement(residual: Scalar, unknowns: tuple[Scalar, ...], axes: tuple[Coordinate, ...]) -> Statement:
    """Analyse one lowered residual."""
    slopes = linearise(residual)
    derivatives = {}
    for atom in atoms(residual):
        leaf = scalar_leaf(atom)
        if leaf is not None:
            counts = tuple(sum(x.digest == axis.digest for x in multi_index(atom)) for axis in axes)
            derivatives[atom] = (unknowns.index(leaf), counts)
    return Statement(residual, slopes, derivatives)


@final
@dataclass(frozen=True)
class Row:
    """A condition at one end of one axis, and the layer of nodes whose equations it replaces.

    Args:
        field: index of the field.
        axis: index of the axis.
        face: index of the end node, 0 or -1.
        layer: index of the layer that it occupies.
        statement: the condition; None for data at the start of a slab.
        order: for data at the start, how often the field is differentiated in time.
    """

    field: int
    axis: int
    face: int
    layer: int
    statement: Statement | None
    order: int = 0

    @property
    def index(self) -> tuple[Any, ...]:
        """Index of the layer in an array of grid values."""
        return (*[slice(None)] * self.axis, self.layer)

    def face_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a grid reduced to the face; its axis keeps length one."""
        return tuple(1 if k == self.axis else count for k, count in enumerate(shape))


def rows_of(
    field: int,
    axis: int,
    conditions: tuple[tuple[PlacedCondition, ...], tuple[PlacedCondition, ...]],
    unknowns: tuple[Scalar, ...],
    axes: tuple[Coordinate, ...],
) -> list[Row]:
    """Rows for the conditions at the two ends of an axis; those in time are data."""
    rows = []
    for side, group, others in zip(Side, conditions, reversed(conditions), strict=True):
        for position, condition in enumerate(group):
            if axes[axis].is_time:
                rows.append(Row(field, axis, 0, position, None, position))
            else:
                face, layer = _claim(side, position, len(others))
                rows.append(Row(field, axis, face, layer, statement(condition.residual, unknowns, axes)))
    return rows


def _claim(side: Side, position: int, others: int) -> tuple[int, int]:
    """End node of a condition, and the layer whose equation it replaces.

    The conditions of an end that has more of them than the other replace layers at that other end: with two on the
    right and one on the left, u_t = -u_xxx would otherwise have eigenvalues of the wrong sign, growing like n^6.

    Args:
        side: the end.
        position: of the condition among those of its end.
        others: how many conditions the other end has.
    """
    crossed = position >= max(others, 1)
    depth = others + position - max(others, 1) if crossed else position
    at_lower = (side is Side.LOWER) != crossed
    return (0 if side is Side.LOWER else -1), (depth if at_lower else -1 - depth)


def known_on_grid(statements: Sequence[Statement], grid: TensorGrid, given: Arguments) -> dict[Scalar, Array]:
    """Values of all atoms that are not fields, as NumPy arrays that broadcast against the grid."""
    needed = tuple(dict.fromkeys(a for s in statements for a in atoms(s.residual) if a not in s.derivatives))
    return known_arrays(needed, grid.points(), given)


def at_face(values: Array, axis: int, face: int) -> Array:
    """Values at one end of an axis, which keeps length one; values that do not vary along it are kept."""
    if values.ndim <= axis or values.shape[axis] == 1:
        return values
    return np.take(values, [face], axis=axis)
