"""A declared exact solution must satisfy every equation and condition: residuals at a few points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.domains.box import Box
from sciml.domains.regions import Place
from sciml.errors import SciMLError
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, leaves
from sciml.lint.findings import Finding, Weight
from sciml.lint.host import SAMPLES, place_points
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
    """One scalar that must vanish on a place, and how to speak of it."""

    text: str
    residual: Scalar
    place: Place


def check_truth(subject: Subject) -> Iterator[Finding]:
    """Each statement that the declared expressions violate, with the size of its residual."""
    reference, box = subject.problem.reference, subject.box
    if not isinstance(reference, ExactReference) or box is None:
        return
    truth = Truth(subject.problem, reference)
    checkable = [s for s in _statements(subject) if _is_checkable(subject, s.residual)]
    with np.errstate(all="ignore"):
        size = truth.size({name: p[:_FEW] for name, p in place_points(box, Place(())).items()})
        for place in dict.fromkeys(s.place for s in checkable):
            group = [s for s in checkable if s.place == place]
            for statement, residual in zip(group, _residuals(truth, group, box, size), strict=True):
                if residual is not None and not residual.relative <= TOLERANCE:
                    yield _violated(statement, residual)


def is_verified(subject: Subject, findings: Sequence[Finding]) -> bool:
    """Whether an exact solution is declared, every statement could be checked, and none is violated."""
    return (
        isinstance(subject.problem.reference, ExactReference)
        and subject.box is not None
        and not findings
        and all(_is_checkable(subject, s.residual) for s in _statements(subject))
    )


def _statements(subject: Subject) -> list[_Statement]:
    equations = [_Statement(f"`{e!r} == 0`", e, Place(())) for e in subject.residuals]
    return equations + [_Statement(f"`{c.residual!r} == 0` on {c.place}", c.residual, c.place) for c in subject.conditions]


def _is_checkable(subject: Subject, residual: Scalar) -> bool:
    """Numbers must be known, functions bound, and coefficients smooth enough for the derivatives that are taken."""
    unknown = {p.name for p in subject.problem.unknown_parameters}
    if any(isinstance(p, Parameter) and p.name in unknown for p in leaves(residual)):
        return False
    return not subject.is_rough and not subject.problem.unbound_laws


def _residuals(
    truth: Truth, group: Sequence[_Statement], box: Box, size: float
) -> list[StatementResidual | None]:
    """Residuals on one place, None where the truth has no derivative there."""
    has_integral = any(
        isinstance(atom, Apply) and atom.op is Op.INTEGRAL for s in group for atom in atoms(s.residual)
    )
    points = place_points(box, group[0].place, _FEW if has_integral else SAMPLES)
    try:
        return list(truth.residuals([s.residual for s in group], points, size))
    except SciMLError:  # such as the derivative of gridded data in the declared expressions
        return [None] * len(group)


def _violated(statement: _Statement, residual: StatementResidual) -> Finding:
    return Finding(
        Weight.ERROR,
        f"an exact solution with residual {residual.largest:.2e} in {statement.text} (its terms are of size "
        f"{residual.scale:.2e})",
        "expressions that satisfy every equation and condition",
        "correct the expressions, the source term or the condition, or drop exact=",
    )
