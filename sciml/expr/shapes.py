"""Shape rules: what each operation accepts and what it returns, as pure functions of shapes."""

from __future__ import annotations

import math

from sciml.errors import ExpressionError
from sciml.expr.operations import COMPARISONS, FUNCTIONS, Op

Shape = tuple[int, ...]

NAMES = {0: "scalar", 1: "vector", 2: "tensor"}


def size(shape: Shape) -> int:
    """Number of components: 1 for a scalar."""
    return math.prod(shape)


def describe(shape: Shape) -> str:
    """`a scalar`, `a vector of shape (3,)`, … for messages."""
    return "a scalar" if shape == () else f"a {NAMES.get(len(shape), 'array')} of shape {shape}"


def result_shape(op: Op, shapes: tuple[Shape, ...], extent: int) -> Shape:
    """Shape of `op` applied to operands of `shapes`, where a gradient has `extent` components.

    Raises:
        ExpressionError: the operation is not defined for these shapes.
    """
    if op in FUNCTIONS or op in COMPARISONS or op in (Op.POWER, Op.MINIMUM, Op.MAXIMUM, Op.AND, Op.OR, Op.NOT):
        return _require(op, shapes, all(shape == () for shape in shapes), "scalars", ())
    match op:
        case Op.ADD | Op.SUBTRACT:
            alike = all(shape == shapes[0] for shape in shapes)
            return _require(op, shapes, alike, "operands of one shape", shapes[0])
        case Op.NEGATIVE | Op.DERIVATIVE | Op.AT | Op.INTEGRAL:
            return shapes[0]
        case Op.MULTIPLY:
            a, b = shapes
            return _require(op, shapes, a == () or b == (), "at least one scalar factor (or use dot, inner)", a or b)
        case Op.DIVIDE:
            return _require(op, shapes, shapes[1] == (), "a scalar divisor", shapes[0])
        case Op.WHERE:
            return _require(op, shapes, shapes[1] == shapes[2], "two branches of one shape", shapes[1])
        case Op.GRAD:
            return _require(op, shapes, len(shapes[0]) < 2, "a scalar or a vector", (*shapes[0], extent))
        case Op.LAPLACIAN:
            return shapes[0]
        case Op.DIV:
            fits = len(shapes[0]) > 0 and shapes[0][-1] == extent
            return _require(op, shapes, fits, f"a vector or tensor whose last length is {extent}", shapes[0][:-1])
        case Op.CURL:
            return _curl(shapes, extent)
        case Op.DOT:
            a, b = shapes
            fits = len(a) > 0 and len(b) > 0 and a[-1] == b[0]
            return _require(op, shapes, fits, "last length of the first = first length of the second", a[:-1] + b[1:])
        case Op.INNER:
            return _require(op, shapes, shapes[0] == shapes[1] != (), "two vectors or tensors of one shape", ())
        case Op.OUTER:
            return _require(op, shapes, all(len(s) == 1 for s in shapes), "two vectors", shapes[0] + shapes[1])
        case Op.CROSS:
            return _require(op, shapes, shapes == ((3,), (3,)), "two vectors of length 3", (3,))
        case Op.TRACE | Op.DET:
            square = len(shapes[0]) == 2 and shapes[0][0] == shapes[0][-1]
            return _require(op, shapes, square, "a square tensor", ())
        case Op.TRANSPOSE:
            return _require(op, shapes, len(shapes[0]) == 2, "a tensor", shapes[0][::-1])
        case Op.STACK:
            alike = len(shapes) > 0 and all(s == shapes[0] and len(s) < 2 for s in shapes)
            return _require(
                op, shapes, alike, "scalars, or rows of one length", (len(shapes), *(shapes[0] if shapes else ()))
            )
        case _:
            raise ExpressionError(f"operation {op.name} without a shape rule", "a node built by its own constructor")


def _curl(shapes: tuple[Shape, ...], extent: int) -> Shape:
    """3-D: vector → vector. 2-D: vector → scalar, scalar → vector."""
    rule = {((3,), 3): (3,), ((2,), 2): (), ((), 2): (2,)}
    needed = "a vector of length 3 in three dimensions, or a vector or scalar in two"
    return _require(Op.CURL, shapes, (shapes[0], extent) in rule, needed, rule.get((shapes[0], extent), ()))


def _require(op: Op, shapes: tuple[Shape, ...], holds: bool, needed: str, result: Shape) -> Shape:
    if not holds:
        found = " and ".join(describe(shape) for shape in shapes)
        raise ExpressionError(
            f"{op.value} of {found}", needed, "check the ranks; v[0] is the first component of a vector"
        )
    return result
