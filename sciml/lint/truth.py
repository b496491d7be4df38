"""A declared exact solution must satisfy every equation and condition: residuals at a few points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.domains.box import Box
from sciml.domains.regions import Place
from sciml.errors import SciMLError
from sciml.expr.coefficients import GriddedData
from sciml.expr.leaves import Coefficient, Parameter
from sciml.expr.linear import terms
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, leaves
from sciml.lint.findings import Finding, Weight
from sciml.lint.host import EVERYWHERE, SAMPLES, place_points, points_of
from sciml.lint.subject import Subject
from sciml.reference import ExactReference
from sciml.statement import StatementResidual, Truth

TOLERANCE = 1e-6
"""Residual over the size of its terms: far above the rounding of high derivatives, far below a wrong sign or factor."""

_FEW = 4
"""Points for a statement with an integral, each of which costs a quadrature."""


@final
@dataclass(frozen=True)
class _Statement:
    """One scalar that must vanish on places, and how to speak of it."""

    residual: Scalar
    places: tuple[Place, ...]

    def __str__(self) -> str:
        where = " and ".join(map(str, self.places))
        return f"`{self.residual!r} == 0`" + ("" if self.places == (EVERYWHERE,) else f" on {where}")


def check_truth(subject: Subject) -> Iterator[Finding]:
    """Each statement that the declared expressions violate, with the size of its residual."""
    reference, box = subject.problem.reference, subject.box
    if not isinstance(reference, ExactReference) or box is None:
        return
    truth = Truth(subject.problem, reference)
    groups: dict[tuple[Place, ...], list[_Statement]] = {}
    for statement in _statements(subject):
        if _is_checkable(subject, statement.residual):
            groups.setdefault(statement.places, []).append(statement)
    with np.errstate(all="ignore"):
        size = truth.size(place_points(box, EVERYWHERE, _FEW))
        if not np.isfinite(size):
            yield Finding(
                Weight.ERROR,
                "an exact solution that is not finite inside the domain",
                "finite values",
                "check divisions, logarithms and roots in exact=",
            )
            return
        for group in groups.values():
            yield from _violated(group, _residuals(truth, group, box, size))


def is_verified(subject: Subject, findings: Sequence[Finding]) -> bool:
    """Whether an exact solution is declared, every statement could be checked, and none is violated."""
    return (
        isinstance(subject.problem.reference, ExactReference)
        and subject.box is not None
        and not findings
        and all(_is_checkable(subject, s.residual) for s in _statements(subject))
    )


def _statements(subject: Subject) -> list[_Statement]:
    places: dict[Scalar, list[Place]] = {}
    for c in subject.conditions:
        places.setdefault(c.residual, []).append(c.place)
    equations = [_Statement(e, (EVERYWHERE,)) for e in subject.residuals]
    return equations + [_Statement(e, tuple(where)) for e, where in places.items()]


def _is_checkable(subject: Subject, residual: Scalar) -> bool:
    """Numbers must be known, functions bound, and derivatives of coefficients at hand without JAX's compiler."""
    unknown = {p.name for p in subject.problem.unknown_parameters}
    if any(isinstance(p, Parameter) and p.name in unknown for p in leaves(residual)):
        return False
    return not (subject.is_rough or subject.problem.unbound_laws or any(map(_is_slope_of_grid, atoms(residual))))


def _is_slope_of_grid(atom: Scalar) -> bool:
    if not (isinstance(atom, Apply) and atom.op is Op.DERIVATIVE):
        return False
    leaf = atom.operands[0]
    return isinstance(leaf, Coefficient) and isinstance(leaf.payload, GriddedData)


def _residuals(truth: Truth, group: Sequence[_Statement], box: Box, size: float) -> list[StatementResidual | None]:
    """Residuals of statements that hold on the same places; None where the truth has no derivative there."""
    inside = atoms(*(s.residual for s in group))
    has_integral = any(isinstance(atom, Apply) and atom.op is Op.INTEGRAL for atom in inside)
    points = points_of(box, group[0].places, _FEW if has_integral else SAMPLES)
    rows = [[s.residual, *terms(s.residual)] for s in group]
    try:
        values = iter(truth.values([e for row in rows for e in row], points))
    except SciMLError:  # such as the derivative of gridded data in the declared expressions
        return [None for _ in group]
    return [_measured(np.abs([next(values) for _ in row]), size) for row in rows]


def _measured(values: np.ndarray, size: float) -> StatementResidual | None:
    """Residual (first row) against its terms (other rows), where all are finite: derivatives of truths may overflow."""
    finite = values[:, np.isfinite(values).all(axis=0)]
    return StatementResidual(float(finite[0].max()), max(size, float(finite[1:].max()))) if finite.size else None


def _violated(group: Sequence[_Statement], residuals: Sequence[StatementResidual | None]) -> Iterator[Finding]:
    for statement, residual in zip(group, residuals, strict=True):
        if residual is not None and residual.relative > TOLERANCE:
            yield Finding(
                Weight.ERROR,
                f"an exact solution with residual {residual.largest:.2e} in {statement} (its terms are of size "
                f"{residual.scale:.2e})",
                "expressions that satisfy every equation and condition",
                "correct the expressions, the source term or the condition, or drop exact=",
            )
