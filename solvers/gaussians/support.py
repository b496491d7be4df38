"""What the two modes of PIG cannot do, as sentences, found before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator

from sciml.expr.nodes import Apply
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.rows import condition_obstacle
from sciml.galerkin.statement import ON_FACES, Statement, is_constant, is_face_row
from sciml.problem import Problem

_MOST_TENSOR_AXES = 3
_MOST_SYSTEM_AXES = 2


def reasons_against_tensors(problem: Problem, *, asked: bool) -> Iterator[str]:
    """What rules out fixed centres on a tensor lattice, for a problem that Gaussians can do.

    Args:
        problem: what to solve.
        asked: whether the lattice was asked for: then an axis of space may have more conditions than derivatives, as
            where a flow enters and leaves through one face. That is stable only for some flows.
    """
    if len(problem.unknowns) != 1 or len(problem.residuals) != 1:
        yield f"a tensor lattice needs one equation for one scalar field, there are {len(problem.unknowns)} fields"
        return
    if len(problem.coordinates) > _MOST_TENSOR_AXES:
        yield f"a tensor lattice needs at most {_MOST_TENSOR_AXES} coordinates, there are {len(problem.coordinates)}"
    if len(problem.fields[0].on) != len(problem.coordinates):
        yield "a tensor lattice needs a field of every coordinate"
    if problem.unknown_parameters or problem.observations:
        yield "a tensor lattice needs numbers for all parameters and no observations"
    yield from _elsewhere(problem)
    for c in problem.placed_conditions:
        if c.kind not in ON_FACES or not (is_constant(c.alpha) and is_constant(c.gamma)):
            yield f"a tensor lattice needs linear conditions on whole faces, not `{c.residual!r} == 0` on {c.place}"
            return
    yield from _counts(Statement(problem), asked)


def _counts(statement: Statement, asked: bool) -> Iterator[str]:
    for k, axis in enumerate(statement.axes):
        rows, order = statement.rows(k), statement.orders[k]
        spare = asked and not axis.is_time and len(rows) > order
        if not statement.is_periodic(k) and len(rows) != order and not spare:
            yield (
                f"a tensor lattice needs as many conditions along {axis.name} as there are derivatives: "
                f"found {len(rows)} for {order}"
            )


def reasons_against_systems(problem: Problem) -> Iterator[str]:
    """What rules out fixed centres for several fields, or for conditions that are not on whole faces."""
    if problem.time is not None:
        yield "a tensor lattice for systems needs a steady problem"
    if len(problem.coordinates) > _MOST_SYSTEM_AXES:
        yield (
            f"a tensor lattice for systems needs at most {_MOST_SYSTEM_AXES} coordinates, "
            f"there are {len(problem.coordinates)}"
        )
    if any(len(f.on) != len(problem.coordinates) for f in problem.fields):
        yield "a tensor lattice needs fields of every coordinate"
    if problem.unknown_parameters or problem.observations:
        yield "a tensor lattice needs numbers for all parameters and no observations"
    yield from _elsewhere(problem)
    for c in problem.placed_conditions:
        obstacle = None if is_face_row(c) else condition_obstacle(c)
        if obstacle is not None:
            yield f"a tensor lattice cannot take the condition `{c.residual!r} == 0` on {c.place}, {obstacle}"


def _elsewhere(problem: Problem) -> Iterator[str]:
    for atom in atoms(*problem.residuals):
        if is_unknown(atom) and isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL):
            yield f"a tensor lattice needs local equations, `{atom!r}` is not"
