"""Constructors that passes use: zeros vanish, ones disappear, numbers fold. The user's own algebra is never touched."""

from __future__ import annotations

from collections.abc import Iterable

from sciml.expr.build import scalar
from sciml.expr.functions import add
from sciml.expr.nodes import Apply, Constant, Expr, Scalar
from sciml.expr.operations import Op

ZERO, ONE = Constant(0), Constant(1)


def is_number(e: Expr, value: float) -> bool:
    """Whether `e` is exactly this number."""
    return isinstance(e, Constant) and e.value == value


def total(terms: Iterable[Scalar]) -> Scalar:
    """Sum without zeros."""
    kept = [term for term in terms if not is_number(term, 0)]
    return add(*kept) if kept else ZERO


def product(*factors: Scalar) -> Scalar:
    """Product without ones; zero if any factor is."""
    if any(is_number(f, 0) for f in factors):
        return ZERO
    number, rest = 1, []
    for f in factors:
        if isinstance(f, Constant) and f.name is None:
            number *= f.value
        else:
            rest.append(f)
    result: Scalar | None = None
    if number != 1 or not rest:
        if number == -1 and rest:
            return negative(product(*rest))
        result = Constant(number)
    for f in rest:
        result = f if result is None else scalar(Op.MULTIPLY, result, f)
    return result if result is not None else ONE


def negative(e: Scalar) -> Scalar:
    """`-e`; double negation vanishes."""
    if isinstance(e, Constant) and e.name is None:
        return Constant(-e.value)
    if isinstance(e, Apply) and e.op is Op.NEGATIVE:
        return e.operands[0]  # type: ignore[return-value]
    return scalar(Op.NEGATIVE, e)


def difference(a: Scalar, b: Scalar) -> Scalar:
    """`a - b` without zeros."""
    if is_number(b, 0):
        return a
    return negative(b) if is_number(a, 0) else scalar(Op.SUBTRACT, a, b)


def quotient(a: Scalar, b: Scalar) -> Scalar:
    """`a / b`; 0/b and a/1 reduce, and so does a/a."""
    if is_number(a, 0):
        return ZERO
    if is_number(b, 1):
        return a
    return ONE if a.digest == b.digest else scalar(Op.DIVIDE, a, b)


def power(a: Scalar, n: Scalar) -> Scalar:
    """`a ** n`; exponents 0 and 1 reduce."""
    if is_number(n, 0):
        return ONE
    return a if is_number(n, 1) else scalar(Op.POWER, a, n)
