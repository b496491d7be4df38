"""What KroneckerGP cannot solve, as sentences, found before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.box import Box
from sciml.errors import LoweringError
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, fields, is_unknown
from sciml.galerkin.statement import ON_FACES, Statement, is_constant
from sciml.problem import Problem
from solvers.gp.shapes import AbstractShape

_MOST_AXES = 3


def reasons(
    problem: Problem,
    shape: AbstractShape,
    *,
    as_many_conditions_as_derivatives: bool = True,
    takes_observations: bool = False,
) -> Iterator[str]:
    """Everything that rules a problem out.

    Args:
        problem: what is to be solved.
        shape: of the spectral lines.
        as_many_conditions_as_derivatives: whether the conditions must be as many as the derivatives along each axis.
        takes_observations: whether observations of the solution can stand in for conditions.
    """
    found = list(_reasons_of_kind(problem))
    if not (problem.observations and takes_observations):
        found += [f"it needs a number for the parameter {p.name}, or observations" for p in problem.unknown_parameters]
    if problem.observations and not takes_observations:
        found.append("it needs a problem without observations: data come from the equation and its conditions")
    if not found:
        found = [*_equation_reasons(problem, shape), *(r for c in problem.placed_conditions for r in _face_reasons(c))]
    if not found and problem.observations:
        found = list(observation_reasons(problem))
    elif not found and as_many_conditions_as_derivatives:
        found = list(_count_reasons(Statement(problem)))
    yield from found


def _reasons_of_kind(problem: Problem) -> Iterator[str]:
    try:
        count = len(problem.residuals)
    except LoweringError:
        yield from box_reasons(problem)
        return
    if len(problem.unknowns) != 1 or count != 1:
        yield f"it needs one scalar equation for one scalar field, there are {count} for {len(problem.unknowns)}"
    yield from box_reasons(problem)


def box_reasons(problem: Problem, everywhere: Sequence[Scalar] | None = None) -> Iterator[str]:
    """What rules out any set of equations: no box, too many coordinates, what cannot be lowered or has no numbers.

    Args:
        problem: what is to be solved.
        everywhere: unknowns that must depend on every coordinate; None: all of them.
    """
    if not isinstance(problem.domain, Box):
        yield f"it needs a Box, the domain is a {type(problem.domain).__name__}"
    elif len(problem.coordinates) > _MOST_AXES:
        yield f"it needs at most {_MOST_AXES} coordinates, time included, the problem has {len(problem.coordinates)}"
    try:
        len(problem.residuals)
    except LoweringError as error:
        yield str(error)
        return
    for f in fields(*(problem.unknowns if everywhere is None else everywhere)):
        lacking = [x.name for x in problem.coordinates if x not in f.on]
        if lacking:
            yield f"it needs a field of every coordinate, {f.name} does not depend on {', '.join(lacking)}"
    for symbol in problem.unbound_laws:
        yield f"it needs a function bound to the law {symbol.name}"


def observation_reasons(problem: Problem) -> Iterator[str]:
    """Observations that are not of the fields at their own points."""
    for observation in problem.observations:
        seen = [a for a in atoms(*lower(observation.expression)) if is_unknown(a)]
        if not seen or any(isinstance(a, Apply) and a.op in (Op.AT, Op.INTEGRAL) for a in seen):
            yield f"it needs local observations of the fields, not {observation!r}"


def _equation_reasons(problem: Problem, shape: AbstractShape) -> Iterator[str]:
    statement = Statement(problem)
    for atom in atoms(statement.residual):
        if is_unknown(atom) and isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL):
            yield f"it needs a local equation, `{atom!r}` is not"
            return
    for k, axis in enumerate(statement.axes):
        if statement.orders[k] > shape.most_derivatives:
            yield (
                f"draws of {type(shape).__name__} have {shape.most_derivatives} derivatives, "
                f"the equation takes {statement.orders[k]} along {axis.name}"
            )


def _face_reasons(condition: PlacedCondition) -> Iterator[str]:
    place, e = condition.place, condition.residual
    if condition.kind is ConditionKind.PERIODIC:
        yield "it needs periodic axes declared in the domain, Box(..., periodic=x), not as a condition"
    elif condition.kind not in ON_FACES:
        yield f"it needs linear conditions on u or its normal derivative on whole faces, not `{e!r} == 0` on {place}"
    elif not (is_constant(condition.alpha) and is_constant(condition.gamma)):
        yield f"it needs conditions with constant coefficients, not `{e!r} == 0`"


def _count_reasons(statement: Statement) -> Iterator[str]:
    """A condition for every derivative along an axis, and in a boundary-value axis as many at each end."""
    for k, axis in enumerate(statement.axes):
        rows, order = statement.rows(k), statement.orders[k]
        if statement.is_periodic(k):
            continue
        if not order <= len(rows) <= 2 * order:
            yield (
                f"the equation has {order} derivatives along {axis.name} and the problem has {len(rows)} conditions "
                f"there: it needs as many conditions, or the problem is ill-posed"
            )
        elif len(rows) == order and len(statement.axes) > 1 and not axis.is_time and order % 2 == 0:
            lower = sum(r.position == statement.bounds(k)[0] for r in rows)
            if 2 * lower != order:
                yield f"it needs as many conditions on each end of {axis.name}: all data on one end are ill-posed"
