"""Text of an expression, which `parse` reads back into the same tree."""

from __future__ import annotations

from sciml.expr.frames import Frame
from sciml.expr.leaves import Normal
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import COMPARISONS, Op
from sciml.expr.traverse import postorder

ADDITIVE, MULTIPLICATIVE, UNARY, POWER, PRIMARY = 1, 2, 3, 4, 5
"""Binding strengths, weakest first; truth operators bind weaker than all of them."""

_INFIX = {Op.ADD: "+", Op.SUBTRACT: "-", Op.MULTIPLY: "*", Op.DIVIDE: "/"}
_COMPARE = {Op.LESS: "<", Op.LESS_EQUAL: "<=", Op.GREATER: ">", Op.GREATER_EQUAL: ">="}

Piece = tuple[str, int]


def text(e: Expr) -> str:
    """One line that `parse` reads back exactly, given the same fields, parameters and coordinates."""
    memo: dict[Expr, Piece] = {}
    for n in postorder(e):
        memo[n] = _piece(n, [memo[arg] for arg in n.args])
    return memo[e][0]


def number_text(value: int | float) -> str:
    """Shortest decimal that reads back to the same number."""
    return repr(value)


def _piece(e: Expr, args: list[Piece]) -> Piece:
    if isinstance(e, Constant):
        if e.name is not None:
            return e.name, PRIMARY
        return number_text(e.value), PRIMARY if e.value >= 0 else UNARY
    if isinstance(e, Coordinate):
        return e.name, PRIMARY
    if isinstance(e, Normal):
        return "normal", PRIMARY
    if not isinstance(e, Apply):
        return getattr(e, "name", type(e).__name__), PRIMARY
    match e.op:
        case Op.ADD:
            return " + ".join(wrap(a, ADDITIVE + (i > 0)) for i, a in enumerate(args)), ADDITIVE
        case Op.SUBTRACT:
            return f"{wrap(args[0], ADDITIVE)} - {wrap(args[1], MULTIPLICATIVE)}", ADDITIVE
        case Op.MULTIPLY | Op.DIVIDE:
            left, right = wrap(args[0], MULTIPLICATIVE), wrap(args[1], UNARY)
            return f"{left}{_INFIX[e.op]}{right}", MULTIPLICATIVE
        case Op.NEGATIVE:
            inner = args[0][0] if isinstance(e.operands[0], Constant) and args[0][1] == PRIMARY else None
            return (f"-({inner})" if inner else f"-{wrap(args[0], UNARY)}"), UNARY
        case Op.POWER:
            return f"{wrap(args[0], PRIMARY)}**{wrap(args[1], UNARY)}", POWER
        case Op.AND | Op.OR:
            return f"({args[0][0]}) {'&' if e.op is Op.AND else '|'} ({args[1][0]})", 0
        case Op.NOT:
            return f"~({args[0][0]})", 0
        case op if op in COMPARISONS:
            return f"{wrap(args[0], ADDITIVE)} {_COMPARE[op]} {wrap(args[1], ADDITIVE)}", 0
        case _:
            return _call(e, [a[0] for a in args]), PRIMARY


def wrap(piece: Piece, strength: int) -> str:
    """The piece, in parentheses if it binds weaker than its place asks for."""
    body, own = piece
    return body if own >= strength else f"({body})"


def _call(e: Apply, args: list[str]) -> str:
    joined = ", ".join(args)
    match e.op:
        case Op.DERIVATIVE:
            return f"D({joined}, {', '.join(x.name for x in e.attr)})"
        case Op.GRAD | Op.DIV | Op.CURL | Op.LAPLACIAN:
            name = "div" if e.op is Op.DIV else e.op.value
            return f"{name}({joined}{_wrt(e)})"
        case Op.COMPONENT:
            return f"{joined}[{', '.join(str(i) for i in e.attr)}]"
        case Op.STACK:
            return f"({joined},)" if len(args) == 1 else f"({joined})"
        case Op.AT:
            return f"at({joined}, {', '.join(f'{x.name}={number_text(v)}' for x, v in e.attr)})"
        case Op.INTEGRAL:
            return f"integral({joined}, {', '.join(x.name for x in e.attr)})"
        case Op.LAW:
            return f"{e.attr[0].name}({joined})"
        case Op.LAW_JET:
            return _law_jet(e, args)
        case _:
            return f"{e.op.value}({joined})"


def _wrt(e: Apply) -> str:
    """`, wrt=(x,)` where the operator does not use all spatial coordinates of the operand's frame."""
    frame: Frame | None = e.operands[0].frame
    names = tuple(x.name for x in e.attr)
    return "" if frame is not None and names == frame.space else f", wrt=({', '.join(names)},)"


def _law_jet(e: Apply, args: list[str]) -> str:
    symbol, index = e.attr
    width = sum(_size(shape) for shape in symbol.inputs)
    groups = [args[i : i + width] for i in range(0, len(args), width)]
    inputs, directions = groups[0], groups[1:]
    tail = "".join(f"[{', '.join(group)}]" for group in directions)
    order = f"D{len(directions)}" if directions else ""
    return f"{order}{symbol.name}_{index}({', '.join(inputs)}){tail}"


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size
