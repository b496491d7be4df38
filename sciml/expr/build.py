"""Building nodes: numbers become constants, shapes are checked, numbers fold, derivatives merge."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from sciml.errors import ExpressionError, MissingCoordinateError
from sciml.expr.equation import Equation
from sciml.expr.frames import Frame
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr, Scalar, Tensor, Truth, node
from sciml.expr.operations import Op
from sciml.expr.shapes import Shape, describe, result_shape


def apply(op: Op, *operands: Any, attr: tuple[Any, ...] = (), extent: int = 0) -> Any:
    """Apply `op` to operands: numbers become constants, shapes are checked, numbers fold.

    Raises:
        ExpressionError: an operand is not an expression or number, or the shapes do not fit.
    """
    args = tuple(as_expr(operand) for operand in operands)
    shape = checked_shape(op, args, extent)
    if op is Op.ADD and len(args) == 2 and isinstance(args[0], Apply) and args[0].op is Op.ADD:
        args = (*args[0].operands, args[1])  # (a + b) + c is the sum a + b + c as Python reads it
    folded = _fold(op, args)
    return node(op, args, attr, shape) if folded is None else folded


def checked_shape(op: Op, args: tuple[Expr, ...], extent: int = 0) -> Shape:
    """Shape of `op` applied to `args`.

    Raises:
        ExpressionError: the shapes do not fit, or a comparison stands for a number or the other way round.
    """
    shape = result_shape(op, tuple(arg.shape for arg in args), extent)
    for arg in args:
        if isinstance(arg, Truth) is not (op in (Op.AND, Op.OR, Op.NOT) or (op is Op.WHERE and arg is args[0])):
            raise ExpressionError(
                f"`{arg!r}` in {op.value}", "numbers there, and comparisons in where", "use where(a < b, p, q)"
            )
    return shape


def scalar(op: Op, *operands: Any, attr: tuple[Any, ...] = (), extent: int = 0) -> Scalar:
    """`apply` whose result must be a scalar."""
    result = apply(op, *operands, attr=attr, extent=extent)
    if not isinstance(result, Scalar):
        raise ExpressionError(f"{op.value} giving {describe(result.shape)}", "a scalar", "use dot, inner or components")
    return result


def tensor(op: Op, *operands: Any, attr: tuple[Any, ...] = ()) -> Tensor:
    """`apply` whose result is a tensor by the shape rules."""
    return apply(op, *operands, attr=attr)


def truth(op: Op, *operands: Any) -> Truth:
    """A comparison or a combination of comparisons."""
    return apply(op, *operands)


def _fold(op: Op, args: tuple[Expr, ...]) -> Constant | None:
    """The value of an arithmetic operation between two unnamed numbers, else None."""
    if op is Op.DIVIDE and isinstance(args[1], Constant) and args[1].value == 0:
        raise ExpressionError(f"`{args[0]!r}` divided by 0", "a divisor that is not zero", "check the constants")
    if not all(isinstance(arg, Constant) and arg.name is None for arg in args):
        return None
    values = [arg.value for arg in args if isinstance(arg, Constant)]
    try:
        match op, values:
            case Op.ADD, [*_]:
                return Constant(sum(values))
            case Op.SUBTRACT, [a, b]:
                return Constant(a - b)
            case Op.MULTIPLY, [a, b]:
                return Constant(a * b)
            case Op.DIVIDE, [a, b]:
                return Constant(a / b)
            case Op.NEGATIVE, [a]:
                return Constant(-a)
            case Op.POWER, [a, b]:
                return _power(a, b)
    except ZeroDivisionError:
        raise ExpressionError(f"{op.value} of {values}", "a divisor that is not zero", "check the constants") from None
    except OverflowError:
        raise ExpressionError(f"{op.value} of {values}, which overflows", "a finite number", "rescale") from None
    return None


def _power(a: int | float, b: int | float) -> Constant | None:
    """`a ** b`, exact for integers; None where it is not real."""
    rounded = float(a) ** b  # refuses what overflows before the integers grow
    if isinstance(rounded, complex):
        return None
    return Constant(a**b if isinstance(a, int) and isinstance(b, int) and b >= 0 else rounded)


def as_expr(value: object) -> Expr:
    """`value` as an expression: expressions pass, numbers become constants, tuples become vectors.

    Raises:
        ExpressionError: for arrays, traced values, complex numbers, booleans and foreign objects, with how to do it.
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, (bool, np.bool_)):
        raise ExpressionError(f"the truth value {value}", "a number or expression", "use where(a < b, p, q)")
    if isinstance(value, (int, float)):
        return Constant(value)
    if isinstance(value, Tracer):
        raise ExpressionError(
            f"a traced JAX value ({type(value).__name__})",
            "a number known now",
            "make it a Parameter and pass its value",
        )
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return _from_array(np.asarray(value))
    if isinstance(value, (tuple, list)):
        return apply(Op.STACK, *value)
    if isinstance(value, complex):
        raise ExpressionError(f"the complex number {value}", "real numbers", "write two real fields")
    raise ExpressionError(
        f"{type(value).__name__} in an expression", "an expression or a number", "see coordinates, Field"
    )


def _from_array(array: np.ndarray) -> Expr:
    if array.ndim:
        raise ExpressionError(
            f"an array of shape {array.shape} in an expression",
            "a named leaf that carries the data",
            "wrap it: Coefficient(name, x, y, values=array, points=(xs, ys)), or observe data with problem.observe",
        )
    if np.iscomplexobj(array):
        raise ExpressionError(f"the complex number {array}", "real numbers", "write two real fields")
    return as_expr(array.item())


def is_value(other: object) -> bool:
    """Whether `==` with this object states something about expressions (strings, None, … do not)."""
    if isinstance(other, bool):
        return False
    return isinstance(other, (Expr, int, float, complex, tuple, list, np.ndarray, np.generic, jax.Array))


def alike(other: object, like: Expr) -> Expr:
    """`other` as the partner of a vector or tensor in a sum: a tuple becomes a vector, a number is refused."""
    other = as_expr(other)
    if isinstance(other, Constant):
        raise ExpressionError(
            f"the number {other.value} added to {describe(like.shape)}", "the same shape", "write each component"
        )
    return other


def make_equation(lhs: Expr, rhs: object) -> Equation:
    """`lhs == rhs`; 0 stands for zeros of any shape.

    Raises:
        ExpressionError: the shapes differ, or a side is not an expression.
    """
    right = as_expr(rhs)
    zero = isinstance(right, Constant) and right.value == 0
    if lhs.shape != right.shape and not zero:
        raise ExpressionError(
            f"{describe(lhs.shape)} == {describe(right.shape)} in `{lhs!r} == {right!r}`",
            "two sides of one shape (only 0 stands for any shape)",
            "write a tuple of components, or v[0] == … for one component",
        )
    common_frame((lhs, right))
    return Equation(lhs, right)


def common_frame(operands: tuple[Expr, ...]) -> Frame | None:
    """The frame of an expression with these operands.

    Raises:
        ExpressionError: coordinates of different frames meet.
    """
    found: Frame | None = None
    for operand in operands:
        if operand.frame is not None and operand.frame is not found:
            if found is not None and found != operand.frame:
                raise ExpressionError(
                    f"coordinates of two frames, {found} and {operand.frame}, in one expression",
                    "coordinates that were created together",
                    "create all coordinates of a problem by one call of coordinates(...)",
                )
            found = operand.frame
    return found


def spelled(e: Expr, letters: str) -> list[Coordinate]:
    """Coordinates of e's frame whose names, one after the other, spell `letters`.

    Raises:
        MissingCoordinateError: a letter names no coordinate.
    """
    frame, found, rest = e.frame, [], letters
    names = sorted(frame.names, key=len, reverse=True) if frame else []
    while rest:
        name = next((n for n in names if rest.startswith(n)), None)
        if name is None or frame is None:
            raise MissingCoordinateError(
                f"the derivative .d{letters} of `{e!r}`",
                f"letters that spell coordinates among ({', '.join(names)})",
                "name coordinates of the frame, or write D(e, x, y)",
            )
        found.append(Coordinate(name, frame))
        rest = rest[len(name) :]
    return found


def derivative(e: Any, *along: Coordinate) -> Any:
    """Mixed derivative of `e`, kept as written; nested derivatives merge, coordinates take the frame's order."""
    if not along:
        return e
    for x in along:
        if not isinstance(x, Coordinate):
            raise ExpressionError(
                f"`{x!r}` as a direction of D", "a coordinate", "write D(u, x) with x from coordinates()"
            )
    if isinstance(e, Apply) and e.op is Op.DERIVATIVE:
        e, along = e.operands[0], (*e.attr, *along)
    frame = common_frame((e, *along)) or along[0].of
    ordered = tuple(sorted(along, key=lambda x: frame.names.index(x.name)))
    return node(Op.DERIVATIVE, (e,), ordered, e.shape)


def component(e: Expr, *index: int) -> Scalar:
    """One component of a vector or tensor; of a stack of scalars, that scalar itself."""
    for i, length in zip(index, e.shape, strict=True):
        if not isinstance(i, (int, np.integer)) or not -length <= i < length:
            raise ExpressionError(f"index {i!r} of `{e!r}`", f"an integer from 0 to {length - 1}", "check the shape")
    index = tuple(int(i) % length for i, length in zip(index, e.shape, strict=True))
    if isinstance(e, Apply) and e.op is Op.STACK and len(index) == 1:
        return e.operands[index[0]]  # type: ignore[return-value]
    return node(Op.COMPONENT, (e,), index, ())


def components(e: Expr) -> list[Scalar]:
    """All scalar components, row-major; a scalar gives itself."""
    if isinstance(e, Scalar):
        return [e]
    return [component(e, *index) for index in np.ndindex(*e.shape)]


def subtract(a: Expr, b: Expr) -> Any:
    """`a - b` of one shape, where the number 0 stands for zeros of any shape and is dropped."""
    if isinstance(b, Constant) and b.value == 0:
        return a
    return apply(Op.SUBTRACT, a, b)
