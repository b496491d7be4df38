r"""Signs that decide where conditions belong: $c$ in $u_t + c\,\partial_x^n u + \dots = 0$, sampled on the host."""

from __future__ import annotations

from enum import Enum, unique
from typing import final

import numpy as np

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.regions import Place, Side
from sciml.errors import SciMLError
from sciml.expr.build import derivative
from sciml.expr.linear import partial
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.reduce import is_number
from sciml.expr.traverse import atoms, is_unknown, multi_index
from sciml.lint.host import EVERYWHERE, Points, place_points
from sciml.lint.subject import Subject, unknowns_in


@final
@unique
class Sign(Enum):
    """Sign of a sampled number."""

    NEGATIVE = -1
    ZERO = 0
    POSITIVE = 1
    MIXED = "changes sign"
    UNKNOWN = "depends on the solution"

    @property
    def reversed(self) -> Sign:
        """Sign of the opposite number."""
        return {Sign.NEGATIVE: Sign.POSITIVE, Sign.POSITIVE: Sign.NEGATIVE}.get(self, self)


def sign_of(values: np.ndarray | None) -> Sign:
    """One sign for all samples; zeros (to rounding) do not count unless all are zero."""
    if values is None or not np.isfinite(values).all():
        return Sign.UNKNOWN
    scale = float(np.max(np.abs(values), initial=0.0))
    if scale == 0:
        return Sign.ZERO
    rising, falling = bool((values > 1e-12 * scale).any()), bool((values < -1e-12 * scale).any())
    return Sign.MIXED if rising and falling else Sign.POSITIVE if rising else Sign.NEGATIVE


def speed(subject: Subject, unknown: Scalar, x: Coordinate, place: Place) -> Sign:
    r"""Sign on a face of $c$ in $u_t + c\,\partial_x^n u + \dots = 0$, n the order along x; without time, of c alone.

    A speed that depends on the solution is evaluated with what the face's own Dirichlet data or the initial data say.
    """
    coefficient, rate = _coefficients(subject, unknown, x)
    if coefficient is None:
        return Sign.UNKNOWN
    return sign_of(_sampled(subject, unknown, coefficient, rate, place))


def time_direction(subject: Subject, unknown: Scalar, x: Coordinate) -> Sign:
    r"""Positive where an evolution along x is well posed forward in time.

    For $\partial_t^k u = -c\,\partial_x^{2m} u + \dots$ with k = 1 or 2 that is $(-1)^m c > 0$: diffusion and waves,
    not their reverse. Unknown for odd orders, coupled rates, and coefficients that depend on the solution.
    """
    order = subject.order(unknown, x)
    if order == 0 or order % 2 or subject.time is None or subject.order(unknown, subject.time) > 2:
        return Sign.UNKNOWN
    coefficient, rate = _coefficients(subject, unknown, x)
    if coefficient is None or rate is None or unknowns_in(coefficient, rate):
        return Sign.UNKNOWN
    sign = sign_of(_sampled(subject, unknown, coefficient, rate, EVERYWHERE))
    return sign.reversed if order // 2 % 2 else sign


def _coefficients(subject: Subject, unknown: Scalar, x: Coordinate) -> tuple[Scalar | None, Scalar | None]:
    """Coefficients of the highest pure derivative along x and of the highest time derivative, in the unknown's own
    equation; the first is None where there is no such equation, or the rate stands elsewhere."""
    equation = subject.own_equation(unknown, x)
    if equation is None:
        return None, None
    residual, t = subject.residuals[equation], subject.time
    coefficient = partial(residual, derivative(unknown, *[x] * subject.order(unknown, x)))
    if is_number(coefficient, 0):
        return None, None
    if t is None or all(subject.order(u, t) <= 0 for u in subject.unknowns):
        return coefficient, None
    order = subject.order(unknown, t)
    rate = partial(residual, derivative(unknown, *[t] * order)) if order else None
    others = any(subject.order_in(equation, u, t) > 0 for u in subject.unknowns if u.digest != unknown.digest)
    return (None, None) if rate is None or is_number(rate, 0) or others else (coefficient, rate)


def _sampled(
    subject: Subject, unknown: Scalar, coefficient: Scalar, rate: Scalar | None, place: Place
) -> np.ndarray | None:
    """Values of coefficient over rate on a place; None where they cannot be known."""
    if subject.box is None:
        return None
    parts = [coefficient] if rate is None else [coefficient, rate]
    needed = [a for a in atoms(*parts) if is_unknown(a)]
    if any(multi_index(a) for a in needed):
        return None
    points = place_points(subject.box, place)
    try:
        given: dict[Scalar, np.ndarray] = {}
        for atom in needed:
            points, given[atom] = _on_face(subject, atom, place, points)
        values = [subject.numbers.value(part, points, given) for part in parts]
    except (LookupError, SciMLError):  # no data there, or a law without a function
        return None
    return values[0] if rate is None else values[0] / values[1]


def _on_face(subject: Subject, unknown: Scalar, place: Place, points: Points) -> tuple[Points, np.ndarray]:
    """Values of an unknown on a face, from its Dirichlet data there, else from the initial data at the first time.

    Raises:
        LookupError: neither is given.
    """
    for c in subject.conditions:
        if c.kind is ConditionKind.DIRICHLET and c.place.digest == place.digest and _is(c, unknown):
            return points, subject.numbers.datum(c, points)
    t = subject.time
    for c in subject.conditions:
        if t is not None and c.kind is ConditionKind.INITIAL and _is(c, unknown):
            start = {**points, t.name: np.full_like(points[t.name], _start(subject, t))}
            return start, subject.numbers.datum(c, start)
    raise LookupError(repr(unknown))


def _start(subject: Subject, t: Coordinate) -> float:
    return subject.problem.domain.bounds[t.name][0]


def _is(condition: PlacedCondition, unknown: Scalar) -> bool:
    return condition.unknown is not None and condition.unknown.digest == unknown.digest


def end(x: Coordinate, side: Side) -> Place:
    """The face at one end of a coordinate."""
    return Place(((x, side),))
