"""Gauges: conditions that fix the constant which an equation and its faces leave free."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciml.conditions import PlacedCondition
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, multi_index, scalar_fields, scalar_leaf
from sciml.known import known_values
from solvers.classical.spectral.box_form import BoxForm
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]


def impose_gauges(form: BoxForm, grid: TensorGrid, values: Array) -> Array:
    """Fields shifted by constants so that every gauge holds; a gauge is affine in such a constant.

    Args:
        form: the problem's statements.
        grid: the nodes.
        values: fields on the grid.

    Returns:
        Fields of the same shape.
    """
    for gauge in form.gauges:
        j = form.unknowns.index(_gauged(gauge))
        at_zero = _gauge_value(form, grid, values, gauge)
        shifted = values.copy()
        shifted[j] += 1.0
        slope = _gauge_value(form, grid, shifted, gauge) - at_zero
        values = values.copy()
        values[j] -= at_zero / slope
    return values


def _gauged(gauge: PlacedCondition) -> Scalar:
    return scalar_fields(gauge.residual)[0]


def _gauge_value(form: BoxForm, grid: TensorGrid, values: Array, gauge: PlacedCondition) -> float:
    points: dict[str, Any] = dict(form.box.place_values(gauge.place))
    known: dict[Any, Any] = {}
    for atom in atoms(gauge.residual):
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            known[atom] = _integral(form, grid, values, atom)
        elif scalar_leaf(atom) is not None:
            place = (
                {**points, **{x.name: v for x, v in atom.attr}}
                if isinstance(atom, Apply) and atom.op is Op.AT
                else points
            )
            known[atom] = _at_point(form, grid, values, atom, place)
    known |= known_values([a for a in atoms(gauge.residual) if a not in known], points, form.given)
    return float(evaluate(gauge.residual, known))


def _integral(form: BoxForm, grid: TensorGrid, values: Array, integral: Apply) -> float:
    """Integral over the whole box, by the quadrature of the grid."""
    inside: Any = integral.operands[0]
    known: dict[Any, Any] = {}
    for atom in atoms(inside):
        leaf = scalar_leaf(atom)
        if leaf is not None:
            counts = tuple(sum(x.digest == axis.digest for x in multi_index(atom)) for axis in form.axes)
            known[atom] = grid.differentiate(values[form.unknowns.index(leaf)], counts)
    known |= known_values([a for a in atoms(inside) if a not in known], grid.points(), form.given)
    total = np.broadcast_to(np.asarray(evaluate(inside, known), dtype=np.float64), grid.shape)
    for axis in reversed(grid.axes):
        total = total @ axis.weights
    return float(total)


def _at_point(form: BoxForm, grid: TensorGrid, values: Array, atom: Scalar, place: dict[str, Any]) -> float:
    leaf = scalar_leaf(atom)
    counts = tuple(sum(x.digest == axis.digest for x in multi_index(atom)) for axis in form.axes)
    found = grid.differentiate(values[form.unknowns.index(leaf)], counts)
    for axis in reversed(grid.axes):
        found = found @ axis.values(np.array([float(place[axis.name])]))[0]
    return float(found)
