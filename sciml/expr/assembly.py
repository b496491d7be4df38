"""Nodes from their parts, checked as operators check them but never simplified: for readers of words and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sciml.errors import ExpressionError
from sciml.expr.build import checked_shape
from sciml.expr.leaves import LawSymbol
from sciml.expr.nodes import Coordinate, Expr, Truth, node
from sciml.expr.operations import ARITY, Op
from sciml.expr.shapes import Shape, size


def assemble(op: Op, operands: Sequence[Expr], attr: tuple[Any, ...] = ()) -> Any:
    """The node of `op` on `operands` with exactly these attributes.

    Args:
        op: the operation.
        operands: its operands.
        attr: coordinates of differential operators and integrals, indices of a component, `(coordinate, number)`
            pairs of `AT`, the symbol of a law, `(symbol, component)` of a law's jet; else empty.

    Raises:
        ExpressionError: parts that do not fit together.
    """
    args = tuple(operands)
    if len(args) != ARITY.get(op, len(args)) or len(args) < (2 if op is Op.ADD else 1):
        needed = str(ARITY.get(op, "at least 2" if op is Op.ADD else "at least 1"))
        raise ExpressionError(f"{len(args)} operands of {op.value}", needed, "check the number of operands")
    return node(op, args, attr, _shape(op, args, attr))


def _shape(op: Op, args: tuple[Expr, ...], attr: tuple[Any, ...]) -> Shape:
    """Shape of the node, after all checks."""
    match op:
        case Op.DERIVATIVE | Op.INTEGRAL:
            _require(op, attr, bool(attr) and all(isinstance(x, Coordinate) for x in attr))
        case Op.GRAD | Op.DIV | Op.CURL | Op.LAPLACIAN:
            _require(op, attr, bool(attr) and all(isinstance(x, Coordinate) for x in attr))
            return checked_shape(op, args, len(attr))
        case Op.COMPONENT:
            shape = args[0].shape
            inside = len(attr) == len(shape) > 0 and all(
                isinstance(i, int) and 0 <= i < n for i, n in zip(attr, shape, strict=True)
            )
            _require(op, attr, inside)
            return ()
        case Op.AT:
            _require(op, attr, bool(attr) and all(isinstance(x, Coordinate) and math.isfinite(n) for x, n in attr))
        case Op.LAW:
            _require(op, attr, len(attr) == 1 and isinstance(attr[0], LawSymbol))
            _require(op, attr, attr[0].inputs == tuple(arg.shape for arg in args))
            _numbers(op, args)
            return attr[0].shape
        case Op.LAW_JET:
            _require(op, attr, len(attr) == 2 and isinstance(attr[0], LawSymbol) and isinstance(attr[1], int))
            width = sum(size(shape) for shape in attr[0].inputs)
            fits = len(args) % width == 0 and 0 <= attr[1] < size(attr[0].shape)
            _require(op, attr, fits and all(arg.shape == () for arg in args))
            _numbers(op, args)
            return ()
        case _:
            _require(op, attr, not attr)
            return checked_shape(op, args)
    _numbers(op, args)
    return args[0].shape


def _require(op: Op, attr: tuple[Any, ...], holds: bool) -> None:
    if not holds:
        raise ExpressionError(
            f"attributes {attr!r} of {op.value}", "attributes that fit its operands", "check the shapes"
        )


def _numbers(op: Op, args: tuple[Expr, ...]) -> None:
    if any(isinstance(arg, Truth) for arg in args):
        raise ExpressionError(f"a comparison in {op.value}", "numbers there", "use where(a < b, p, q)")
