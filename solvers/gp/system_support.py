"""What KroneckerGP cannot solve of systems and of problems with a gauge, as sentences."""

from __future__ import annotations

from collections.abc import Iterator

from sciml.conditions import ConditionKind
from sciml.expr.nodes import Apply
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.rows import condition_obstacle
from sciml.galerkin.statement import Statement, is_face_row
from sciml.problem import Problem
from solvers.gp.shapes import AbstractShape
from solvers.gp.support import box_reasons, observation_reasons


def is_system(problem: Problem) -> bool:
    """Whether a problem on a box is more than one equation whose conditions are rows of one field's bases."""
    return len(problem.unknowns) > 1 or any(c.kind is ConditionKind.GAUGE for c in problem.placed_conditions)


def system_reasons(problem: Problem, shape: AbstractShape) -> Iterator[str]:
    """Everything that rules a system out.

    Args:
        problem: what is to be solved.
        shape: of the spectral lines.
    """
    found = list(box_reasons(problem))
    if problem.observations:
        found += observation_reasons(problem)
    else:
        found += [f"it needs a number for the parameter {p.name}, or observations" for p in problem.unknown_parameters]
    yield from found or statement_reasons(problem, shape)


def statement_reasons(problem: Problem, shape: AbstractShape) -> Iterator[str]:
    """What rules equations and conditions out: places elsewhere, integrals, more derivatives than draws have."""
    for atom in atoms(*problem.residuals):
        if is_unknown(atom) and isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL):
            yield f"it needs local equations, `{atom!r}` is not"
            return
    for condition in problem.placed_conditions:
        obstacle = None if is_face_row(condition) else condition_obstacle(condition)
        if obstacle is not None:
            yield f"it cannot take the condition `{condition.residual!r} == 0` on {condition.place}, {obstacle}"
    for i, unknown in enumerate(problem.unknowns):
        part = Statement(problem, index=i)
        for k, axis in enumerate(part.axes):
            if part.orders[k] > shape.most_derivatives:
                yield (
                    f"draws of {type(shape).__name__} have {shape.most_derivatives} derivatives, "
                    f"an equation takes {part.orders[k]} of {unknown!r} along {axis.name}"
                )
