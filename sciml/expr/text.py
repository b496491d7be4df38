"""Text of an expression, which `parse` reads back into the same tree.

It is what a user would write in Python. Where Python would simplify what is written (numbers among themselves, a sum
of a sum, a derivative of a derivative, a component of a tuple) and the tree is not simplified, the first operand stands
in doubled parentheses: `((1))/3` is a quotient, `1/3` a number.
"""

from __future__ import annotations

from sciml.expr.frames import Frame
from sciml.expr.leaves import LawSymbol, Normal
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import COMPARISONS, FUNCTIONS, Op
from sciml.expr.shapes import size
from sciml.expr.traverse import postorder

ADDITIVE, MULTIPLICATIVE, UNARY, POWER, PRIMARY = 1, 2, 3, 4, 5
"""Binding strengths, weakest first; truth operators bind weaker than all of them."""

CALLS = frozenset(op.value for op in FUNCTIONS) | {
    "D", "Law", "add", "at", "cross", "curl", "det", "div", "dot", "grad", "inner", "integral", "jet", "laplacian",
    "matrix", "maximum", "minimum", "normal", "normal_derivative", "outer", "trace", "transpose", "vector", "where",
}  # fmt: skip
"""Names that text calls as functions; a law that has one of them is printed as `Law("name", (inputs,), shape)`."""

_INFIX = {Op.MULTIPLY: "*", Op.DIVIDE: "/"}
_COMPARE = {Op.LESS: "<", Op.LESS_EQUAL: "<=", Op.GREATER: ">", Op.GREATER_EQUAL: ">="}
_ARITHMETIC = frozenset({Op.SUBTRACT, Op.NEGATIVE, Op.MULTIPLY, Op.DIVIDE, Op.POWER})

Piece = tuple[str, int]


def text(e: Expr) -> str:
    """One line that `parse` reads back exactly, given the same fields, parameters and coordinates."""
    memo: dict[Expr, Piece] = {}
    for n in postorder(e):
        memo[n] = _piece(n, [memo[arg] for arg in n.args])
    return memo[e][0]


LARGEST_SHOWN = 100_000
"""Operations of a written-out tree that `repr` still writes."""


def shown(e: Expr) -> str:
    """The text, or a note in its place where shared subtrees would make it enormous: what `repr` and messages show."""
    count: dict[Expr, int] = {}
    for n in postorder(e):
        count[n] = min(1 + sum(count[arg] for arg in n.args), LARGEST_SHOWN + 1)
    return text(e) if count[e] <= LARGEST_SHOWN else f"<expression of more than {LARGEST_SHOWN} operations>"


def simplifies(e: Apply) -> bool:
    """Whether Python would make another node than `e`, or none, if the operation were written between its operands."""
    numbers = [isinstance(arg, Constant) and arg.name is None for arg in e.operands]
    first = e.operands[0]
    inner = first.op if isinstance(first, Apply) else None
    if e.op is Op.ADD:
        return inner is Op.ADD or all(numbers[:2])
    if e.op in _ARITHMETIC:
        last = e.operands[-1]
        return all(numbers) or (e.op is Op.DIVIDE and isinstance(last, Constant) and last.value == 0)
    stacked = e.op is Op.COMPONENT and inner is Op.STACK and len(e.attr) == 1
    return stacked or (e.op is Op.DERIVATIVE and inner is Op.DERIVATIVE)


def _piece(e: Expr, args: list[Piece]) -> Piece:
    if isinstance(e, Constant):
        if e.name is not None:
            return e.name, PRIMARY
        return repr(e.value), PRIMARY if e.value >= 0 else UNARY
    if isinstance(e, Normal):
        return "normal", PRIMARY
    if not isinstance(e, Apply):
        return getattr(e, "name", type(e).__name__), PRIMARY
    if simplifies(e):
        args = [(f"(({args[0][0]}))", PRIMARY), *args[1:]]
    match e.op:
        case Op.ADD:
            return " + ".join(wrap(a, ADDITIVE + (i > 0)) for i, a in enumerate(args)), ADDITIVE
        case Op.SUBTRACT:
            return f"{wrap(args[0], ADDITIVE)} - {wrap(args[1], MULTIPLICATIVE)}", ADDITIVE
        case Op.MULTIPLY | Op.DIVIDE:
            left, right = wrap(args[0], MULTIPLICATIVE), wrap(args[1], UNARY)
            return f"{left}{_INFIX[e.op]}{right}", MULTIPLICATIVE
        case Op.NEGATIVE:
            return f"-{wrap(args[0], UNARY)}", UNARY
        case Op.POWER:
            return f"{wrap(args[0], PRIMARY)}**{wrap(args[1], UNARY)}", POWER
        case Op.AND | Op.OR:
            return f"({args[0][0]}) {'&' if e.op is Op.AND else '|'} ({args[1][0]})", 0
        case Op.NOT:
            return f"~({args[0][0]})", 0
        case op if op in COMPARISONS:
            return f"{wrap(args[0], ADDITIVE)} {_COMPARE[op]} {wrap(args[1], ADDITIVE)}", 0
        case Op.COMPONENT:
            return f"{wrap(args[0], PRIMARY)}[{', '.join(str(i) for i in e.attr)}]", PRIMARY
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
        case Op.STACK:
            return _tuple(args)
        case Op.AT:
            return f"at({joined}, {', '.join(f'{x.name}={v!r}' for x, v in e.attr)})"
        case Op.INTEGRAL:
            return f"integral({joined}, {', '.join(x.name for x in e.attr)})"
        case Op.LAW:
            return _law(e.attr[0], args)
        case Op.LAW_JET:
            return _law_jet(e, args)
        case _:
            return f"{e.op.value}({joined})"


def _wrt(e: Apply) -> str:
    """`, wrt=(x,)` where the operator does not use all spatial coordinates of the operand's frame."""
    frame: Frame | None = e.operands[0].frame
    names: tuple[Coordinate, ...] = e.attr
    same = frame is not None and tuple(x.name for x in names) == frame.space
    return "" if same else f", wrt={_tuple([x.name for x in names])}"


def _tuple(parts: list[str]) -> str:
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _law(symbol: LawSymbol, args: list[str]) -> str:
    if symbol.name in CALLS:
        return f'Law("{symbol.name}", {_tuple(args)}, {symbol.shape!r})'
    return f"{symbol.name}({', '.join(args)})"


def _law_jet(e: Apply, args: list[str]) -> str:
    """`jet(P, i, (inputs), (direction), …)`: component i of the derivative of law P along the directions."""
    symbol, index = e.attr
    width = sum(size(shape) for shape in symbol.inputs)
    groups = [_tuple(args[i : i + width]) for i in range(0, len(args), width)]
    return f"jet({symbol.name}, {index}, {', '.join(groups)})"
