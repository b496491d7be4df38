"""Recognising conditions: Dirichlet, Neumann, Robin, initial, periodic, gauge are seen in the equation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import final

from sciml.domains.regions import Place
from sciml.expr.equation import Condition, scalar_residuals
from sciml.expr.leaves import Normal
from sciml.expr.linear import Split, split
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Constant, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import ZERO, negative
from sciml.expr.traverse import is_atom, multi_index, postorder, scalar_leaf, substitute


@final
@unique
class ConditionKind(Enum):
    """What a scalar condition says on one place."""

    DIRICHLET = "Dirichlet"
    NEUMANN = "Neumann"
    ROBIN = "Robin"
    INITIAL = "initial"
    INITIAL_RATE = "initial rate"
    PERIODIC = "periodic"
    GAUGE = "gauge"
    LINEAR = "linear"
    NONLINEAR = "nonlinear"


@final
@dataclass(frozen=True)
class PlacedCondition:
    r"""One scalar condition on one place, with the outward normal substituted on flat faces.

    For Dirichlet, Neumann and Robin on the face of axis x it reads $\alpha u + \gamma\,\partial u/\partial x = g$ (the
    derivative is along the coordinate, not the normal); for an initial condition $\alpha u = g$, for an initial rate
    $\alpha\,\partial u/\partial t = g$.

    Attributes:
        kind: what it is.
        place: where it holds.
        unknown: the scalar field it speaks of; None when there are several.
        alpha: coefficient of the undifferentiated (or, for an initial rate, once differentiated) unknown.
        gamma: coefficient of the derivative along the face's axis.
        data: the right-hand side $g$, free of unknowns.
        residual: the lowered residual that must vanish, for solvers that only evaluate.
    """

    kind: ConditionKind
    place: Place
    unknown: Scalar | None
    alpha: Scalar
    gamma: Scalar
    data: Scalar
    residual: Scalar


def placed_conditions(conditions: tuple[Condition, ...]) -> tuple[PlacedCondition, ...]:
    """Every scalar component of every condition on every place of its region."""
    found: list[PlacedCondition] = []
    for condition in conditions:
        lowered = [part for written in scalar_residuals(condition.equation) for part in lower(written)]
        splits: dict[Scalar, Split] = {}
        found += [_recognise(part, place, splits) for place in condition.region.places for part in lowered]
    return tuple(found)


def _flatten_normals(e: Scalar, place: Place) -> Scalar:
    """Put ±1 and 0 for the components of the normal on a flat face, and lower again so that zeros vanish."""
    replacements: dict[Expr, Expr] = {}
    for n in postorder(e, stop=is_atom):
        if isinstance(n, Apply) and n.op is Op.COMPONENT and isinstance(n.operands[0], Normal):
            replacements[n] = Constant(place.normal(n.operands[0].of)[n.attr[0]])
    return lower(substitute(e, replacements))[0] if replacements else e


def _recognise(e: Scalar, place: Place, splits: dict[Scalar, Split]) -> PlacedCondition:
    e = _flatten_normals(e, place)
    if e not in splits:
        splits[e] = split(e)
    parts = splits[e]
    leaves = {scalar_leaf(a) for a in parts.linear}
    unknown = next(iter(leaves)) if len(leaves) == 1 else None

    def result(kind: ConditionKind, alpha: Scalar = ZERO, gamma: Scalar = ZERO) -> PlacedCondition:
        return PlacedCondition(kind, place, unknown, alpha, gamma, negative(parts.source), e)

    if not parts.is_linear:
        return result(ConditionKind.NONLINEAR)
    if _is_periodic(parts):
        return result(ConditionKind.PERIODIC)
    if any(isinstance(a, Apply) and a.op is Op.INTEGRAL for a in parts.linear):
        return result(ConditionKind.GAUGE)
    value, slope = _value_and_slope(parts, place)
    if unknown is None or value is None or slope is None:
        return result(ConditionKind.LINEAR)
    if place.is_initial:
        if slope is ZERO:
            return result(ConditionKind.INITIAL, value)
        return result(ConditionKind.INITIAL_RATE, slope) if value is ZERO else result(ConditionKind.LINEAR)
    if place.is_face:
        if slope is ZERO:
            return result(ConditionKind.DIRICHLET, value)
        return result(ConditionKind.NEUMANN if value is ZERO else ConditionKind.ROBIN, value, slope)
    if slope is ZERO and not place.is_everywhere:
        return result(ConditionKind.GAUGE, value)
    return result(ConditionKind.LINEAR)


def _value_and_slope(parts: Split, place: Place) -> tuple[Scalar | None, Scalar | None]:
    """Coefficients of u and of its derivative along the place's axis; (None, None) if other atoms occur."""
    value: Scalar = ZERO
    slope: Scalar = ZERO
    for atom, coefficient in parts.linear.items():
        index = multi_index(atom)
        if isinstance(atom, Apply) and atom.op is Op.AT:
            return None, None
        if not index:
            value = coefficient
        elif len(index) == 1 and place.axis is not None and index[0].digest == place.axis.digest:
            slope = coefficient
        else:
            return None, None
    return value, slope


def _is_periodic(parts: Split) -> bool:
    """Whether the condition equates the same derivative of one field at two places."""
    if len(parts.linear) != 2 or not all(isinstance(a, Apply) and a.op is Op.AT for a in parts.linear):
        return False
    first, second = parts.linear
    c, d = parts.linear.values()
    opposite = isinstance(c, Constant) and isinstance(d, Constant) and c.value == -d.value
    return opposite and first.args[0].digest == second.args[0].digest and parts.source is ZERO
