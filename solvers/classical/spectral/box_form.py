"""A problem on a box, sorted for collocation: which equation determines which field, and which conditions its faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.optimize import linear_sum_assignment

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.box import Box
from sciml.domains.regions import Side
from sciml.expr.build import derivative
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import linearise
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from sciml.known import Arguments
from sciml.problem import Problem
from solvers.classical.given import known_arrays
from solvers.classical.spectral.faces import Faces, face_conditions
from solvers.classical.spectral.statements import Row, Statement, rows_of, statement

_ABSENT = 0.5
_TIME_FIRST = 100
_SAMPLES = 9


@final
@dataclass(frozen=True)
class BoxForm:
    """Collocation statements of a problem.

    Args:
        unknowns: the scalar fields.
        residuals: for each of them, the lowered residual of the equation that determines it.
        axes: coordinates in grid order, time first.
        conditions: for (field, axis), those at the lower and at the upper end.
        gauges: conditions that fix a constant.
        box: the domain.
        given: the problem's numbers.
    """

    unknowns: tuple[Scalar, ...]
    residuals: tuple[Scalar, ...]
    axes: tuple[Coordinate, ...]
    conditions: dict[tuple[int, int], tuple[tuple[PlacedCondition, ...], tuple[PlacedCondition, ...]]]
    gauges: tuple[PlacedCondition, ...]
    box: Box
    given: Arguments

    @property
    def time(self) -> Coordinate | None:
        """The time coordinate, if the problem has one."""
        return self.axes[0] if self.axes[0].is_time else None

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The equation that determines each field, analysed."""
        return tuple(statement(e, self.unknowns, self.axes) for e in self.residuals)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The conditions, analysed; the last axis first, so that the first axis keeps the nodes where faces meet."""
        return tuple(
            row
            for k in range(len(self.axes) - 1, -1, -1)
            for j in range(len(self.unknowns))
            for row in rows_of(j, k, self.conditions[j, k], self.unknowns, self.axes)
        )


def highest_order(e: Scalar, leaf: Scalar, axis: Coordinate) -> int:
    """Highest derivative of one field along one axis in a lowered scalar."""
    return max(
        (
            sum(x.digest == axis.digest for x in multi_index(atom))
            for atom in atoms(e)
            if (own := scalar_leaf(atom)) is not None and own.digest == leaf.digest
        ),
        default=0,
    )


def box_form(problem: Problem) -> BoxForm | list[str]:
    """The collocation statements of a problem, or the reasons why there are none."""
    reasons: list[str] = []
    unknowns, residuals = problem.unknowns, problem.residuals
    if len(unknowns) != len(residuals):
        return [f"it has {len(residuals)} scalar equations for {len(unknowns)} fields and needs as many as fields"]
    reasons += [
        f"it cannot evaluate `{atom!r}` in an equation" for e in residuals for atom in atoms(e) if _is_functional(atom)
    ]
    reasons += [
        f"field {u!r} does not depend on every coordinate"
        for u in unknowns
        if len(_dependence(u)) < len(problem.coordinates)
    ]
    time = problem.time
    axes = (*([time] if time is not None else []), *problem.space)
    matched = _match(residuals, unknowns, axes)
    if isinstance(matched, str):
        return [*reasons, matched]
    gauges, others = _sort_conditions(problem)
    reasons += others
    faces, rows = face_conditions(problem.placed_conditions), {}
    for j, unknown in enumerate(unknowns):
        for k, axis in enumerate(axes):
            found = _rows(matched[j], unknown, axis, faces, problem)
            if isinstance(found, str):
                reasons.append(found)
            else:
                rows[j, k] = found
    if reasons:
        return reasons
    return BoxForm(unknowns, matched, axes, rows, gauges, problem.box, problem.arguments)


def _is_functional(atom: Expr) -> bool:
    return isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL) and is_unknown(atom)


def _dependence(unknown: Scalar) -> tuple[Coordinate, ...]:
    base = unknown.operands[0] if isinstance(unknown, Apply) else unknown
    return base.on  # type: ignore[attr-defined]


def _match(
    residuals: tuple[Scalar, ...], unknowns: tuple[Scalar, ...], axes: tuple[Coordinate, ...]
) -> tuple[Scalar, ...] | str:
    """Residuals in the order of the fields they determine: those with a field's highest derivatives, time first."""
    costs = np.full((len(unknowns), len(residuals)), _ABSENT)
    for j, unknown in enumerate(unknowns):
        for i, e in enumerate(residuals):
            if _contains(e, unknown):
                powers = [highest_order(e, unknown, axis) for axis in axes]
                costs[j, i] = -sum(powers) - (_TIME_FIRST * powers[0] if axes[0].is_time else 0)
    _, equations = linear_sum_assignment(costs)
    matched = tuple(residuals[i] for i in equations)
    for unknown, e in zip(unknowns, matched, strict=True):
        if not _contains(e, unknown):
            return f"it needs an equation that determines {unknown!r}: `{e!r} = 0` is a constraint on other fields"
    return matched


def _contains(e: Scalar, unknown: Scalar) -> bool:
    return any((leaf := scalar_leaf(atom)) is not None and leaf.digest == unknown.digest for atom in atoms(e))


def _sort_conditions(problem: Problem) -> tuple[tuple[PlacedCondition, ...], list[str]]:
    """Gauges, and reasons against conditions that are neither gauges nor held on a whole face."""
    gauges, reasons = [], []
    for condition in problem.placed_conditions:
        if condition.kind is ConditionKind.GAUGE:
            gauges.append(condition)
        elif condition.kind is ConditionKind.PERIODIC:
            reasons.append("it needs periodicity stated in the domain: Box(..., periodic=x)")
        elif not (condition.place.is_face or condition.place.is_initial):
            reasons.append(
                f"it cannot hold `{condition.residual!r} = 0` at `{condition.place}`, which is not a whole face"
            )
        elif condition.unknown is None:
            reasons.append(f"it needs conditions on one field each, not `{condition.residual!r} = 0`")
    return tuple(gauges), reasons


def _rows(
    e: Scalar, unknown: Scalar, axis: Coordinate, faces: Faces, problem: Problem
) -> tuple[tuple[PlacedCondition, ...], tuple[PlacedCondition, ...]] | str:
    """Conditions on one field at the two ends of one axis, as many as its equation, or another, differentiates it."""
    order = highest_order(e, unknown, axis)
    lower, upper = faces.on(unknown, axis, Side.LOWER), faces.on(unknown, axis, Side.UPPER)
    if axis.is_time:
        if upper or len(lower) != order:
            return f"it needs {order} initial conditions on {unknown!r}, found {len(lower)}"
        wrong = [c for c in lower if c.kind not in (ConditionKind.INITIAL, ConditionKind.INITIAL_RATE)]
        if wrong:
            return f"it needs initial values or rates of {unknown!r}, not `{wrong[0].residual!r} = 0`"
        return tuple(sorted(lower, key=lambda c: c.kind is ConditionKind.INITIAL_RATE)), upper
    if axis.name in problem.box.periodic:
        return (), ()
    if order == 1 and len(lower) == len(upper) == 1:
        direction = _direction(e, unknown, axis, problem)
        if direction == 0:
            return f"it needs a transport of {unknown!r} along {axis.name} that keeps its sign, to know the inflow face"
        return (lower, ()) if direction > 0 else ((), upper)
    coupled = max(highest_order(other, unknown, axis) for other in problem.residuals)
    if len(lower) + len(upper) not in (order, coupled):
        return (
            f"it needs {coupled} conditions on {unknown!r} over both ends of {axis.name}, as many as derivatives, "
            f"found {len(lower) + len(upper)}"
        )
    return lower, upper


def _direction(e: Scalar, unknown: Scalar, axis: Coordinate, problem: Problem) -> int:
    """Sign of the velocity along an axis in an equation of first order, or 0 where it changes or depends on fields."""
    slopes = linearise(e)
    along = slopes.get(derivative(unknown, axis))
    rate = None if problem.time is None else slopes.get(derivative(unknown, problem.time))
    if along is None or any(is_unknown(atom) for s in (along, rate) if s is not None for atom in atoms(s)):
        return 0
    points = {name: np.linspace(*bounds, _SAMPLES) for name, bounds in problem.box.bounds.items()}
    mesh = dict(zip(points, np.meshgrid(*points.values(), indexing="ij", sparse=True), strict=True))
    direction = 1
    for slope in (along, rate):
        if slope is not None:
            values = np.asarray(evaluate(slope, known_arrays(atoms(slope), mesh, problem.arguments)))
            direction *= int(np.sign(values.max()) if values.max() * values.min() > 0 else 0)
    return direction
