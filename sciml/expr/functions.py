"""Elementary functions, choices, and NumPy's names for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.errors import ExpressionError
from sciml.expr.build import apply, as_expr, scalar
from sciml.expr.nodes import Constant, Expr, Number, Scalar, Truth, node
from sciml.expr.operations import Op

pi = Constant(np.pi, "pi")
"""The number π, kept by name."""


def sin(e: Scalar | Number) -> Scalar:
    """Sine."""
    return scalar(Op.SIN, e)


def cos(e: Scalar | Number) -> Scalar:
    """Cosine."""
    return scalar(Op.COS, e)


def tan(e: Scalar | Number) -> Scalar:
    """Tangent."""
    return scalar(Op.TAN, e)


def asin(e: Scalar | Number) -> Scalar:
    """Inverse sine."""
    return scalar(Op.ASIN, e)


def acos(e: Scalar | Number) -> Scalar:
    """Inverse cosine."""
    return scalar(Op.ACOS, e)


def atan(e: Scalar | Number) -> Scalar:
    """Inverse tangent."""
    return scalar(Op.ATAN, e)


def sinh(e: Scalar | Number) -> Scalar:
    """Hyperbolic sine."""
    return scalar(Op.SINH, e)


def cosh(e: Scalar | Number) -> Scalar:
    """Hyperbolic cosine."""
    return scalar(Op.COSH, e)


def tanh(e: Scalar | Number) -> Scalar:
    """Hyperbolic tangent."""
    return scalar(Op.TANH, e)


def exp(e: Scalar | Number) -> Scalar:
    """Exponential."""
    return scalar(Op.EXP, e)


def log(e: Scalar | Number) -> Scalar:
    """Natural logarithm."""
    return scalar(Op.LOG, e)


def sqrt(e: Scalar | Number) -> Scalar:
    """Square root."""
    return scalar(Op.SQRT, e)


def sign(e: Scalar | Number) -> Scalar:
    """Sign: -1, 0 or 1; its derivative is taken as 0."""
    return scalar(Op.SIGN, e)


def erf(e: Scalar | Number) -> Scalar:
    r"""Error function $\frac{2}{\sqrt\pi}\int_0^e \exp(-s^2)\,ds$."""
    return scalar(Op.ERF, e)


def minimum(a: Scalar | Number, b: Scalar | Number) -> Scalar:
    """The smaller of two."""
    return scalar(Op.MINIMUM, a, b)


def maximum(a: Scalar | Number, b: Scalar | Number) -> Scalar:
    """The larger of two."""
    return scalar(Op.MAXIMUM, a, b)


def where(condition: Truth, a: Expr | Number, b: Expr | Number) -> Any:
    """`a` where `condition` holds, else `b`.

    Raises:
        ExpressionError: `condition` is not a comparison, or the branches differ in shape.
    """
    if not isinstance(condition, Truth):
        raise ExpressionError(
            f"`{condition!r}` as the condition of where", "a comparison", "write where(x < 0.5, a, b)"
        )
    return apply(Op.WHERE, condition, a, b)


def add(*terms: Expr | Number) -> Any:
    """Sum of many terms as one node; linear in their number.

    Raises:
        ExpressionError: no term, or terms of different shapes.
    """
    if not terms:
        raise ExpressionError("a sum of no terms", "at least one term", "pass terms to add(...)")
    args = tuple(as_expr(term) for term in terms)
    total = args[0]
    if len(args) == 1:
        return total
    first = apply(Op.ADD, args[0], args[1])
    for arg in args[2:]:
        apply(Op.ADD, args[0], arg)  # checks the shape against the first term
    return first if len(args) == 2 else node(Op.ADD, args, (), total.shape)


_UFUNCS = {
    np.add: Op.ADD, np.subtract: Op.SUBTRACT, np.multiply: Op.MULTIPLY, np.true_divide: Op.DIVIDE,
    np.power: Op.POWER, np.float_power: Op.POWER, np.negative: Op.NEGATIVE, np.absolute: Op.ABS,
    np.sin: Op.SIN, np.cos: Op.COS, np.tan: Op.TAN, np.arcsin: Op.ASIN, np.arccos: Op.ACOS, np.arctan: Op.ATAN,
    np.sinh: Op.SINH, np.cosh: Op.COSH, np.tanh: Op.TANH, np.exp: Op.EXP, np.log: Op.LOG, np.sqrt: Op.SQRT,
    np.sign: Op.SIGN, np.minimum: Op.MINIMUM, np.maximum: Op.MAXIMUM, np.less: Op.LESS, np.less_equal: Op.LESS_EQUAL,
    np.greater: Op.GREATER, np.greater_equal: Op.GREATER_EQUAL,
}  # fmt: skip


def from_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The node that NumPy's `ufunc` applied to expressions stands for.

    Raises:
        ExpressionError: the function has no counterpart, an operand is an array, or options were given.
    """
    if ufunc is np.equal:
        a, b = (as_expr(i) for i in inputs)
        return a == b
    if method != "__call__" or kwargs or ufunc not in _UFUNCS:
        known = ", ".join(sorted(u.__name__ for u in _UFUNCS))
        raise ExpressionError(f"np.{ufunc.__name__} of an expression", f"one of {known}", "use sciml's own functions")
    return apply(_UFUNCS[ufunc], *inputs)
