r"""LaTeX as textbooks write it: `u_t + u\,u_x = \frac{0.01}{\pi}\,u_{xx}`.

For reading, not for reading back: numbers are rounded to six digits, signs move to the front of terms, components count
from 1. KaTeX and MathJax render everything; Matplotlib's mathtext knows no environments, so ask for none there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from sciml.expr.equation import Condition, Equation
from sciml.expr.leaves import Coefficient, Field, Normal, TensorField, VectorField
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import COMPARISONS, Op
from sciml.expr.shapes import size
from sciml.expr.symbols_latex import braced, number, subscripts, symbol
from sciml.expr.traverse import postorder

CHOICE, ADDITIVE, MULTIPLICATIVE, UNARY, POWER, PRIMARY = range(6)
"""Binding strengths, weakest first."""

_TALL = ("\\frac", "\\begin", "\\left", "\\int", "\\substack", "\\sqrt")
_FUNCTIONS = {
    Op.SIN: "\\sin", Op.COS: "\\cos", Op.TAN: "\\tan", Op.ASIN: "\\arcsin", Op.ACOS: "\\arccos", Op.ATAN: "\\arctan",
    Op.SINH: "\\sinh", Op.COSH: "\\cosh", Op.TANH: "\\tanh", Op.LOG: "\\ln", Op.SIGN: "\\operatorname{sign}",
    Op.ERF: "\\operatorname{erf}", Op.MINIMUM: "\\min", Op.MAXIMUM: "\\max", Op.TRACE: "\\operatorname{tr}",
    Op.DET: "\\det",
}  # fmt: skip
_POWERED = (Op.SIN, Op.COS, Op.TAN, Op.SINH, Op.COSH, Op.TANH)
_COMPARE = {Op.LESS: "<", Op.LESS_EQUAL: "\\leq", Op.GREATER: ">", Op.GREATER_EQUAL: "\\geq"}
_SPATIAL = {Op.GRAD: "\\nabla", Op.DIV: "\\nabla", Op.CURL: "\\nabla", Op.LAPLACIAN: "\\Delta"}
_JOINT = {Op.DIV: "\\cdot ", Op.CURL: "\\times ", Op.GRAD: " ", Op.LAPLACIAN: " "}
_BETWEEN = {Op.DOT: "\\cdot ", Op.OUTER: "\\otimes ", Op.CROSS: "\\times "}


def latex(e: Expr | Equation | Condition, *, environments: bool = True) -> str:
    """LaTeX of an expression, equation or condition, without dollars.

    Args:
        e: what to write.
        environments: whether `cases` and `pmatrix` may be used; False for Matplotlib's mathtext.
    """
    if isinstance(e, Condition):
        where = e.region.name.replace("_", "\\_")
        preposition = "at" if "=" in where else "on"
        return f"{latex(e.equation, environments=environments)} \\quad \\text{{{preposition} {where}}}"
    if isinstance(e, Equation):
        return " = ".join(latex(side, environments=environments) for side in (e.lhs, e.rhs))
    memo: dict[Expr, Piece] = {}
    for n in postorder(e):
        memo[n] = _piece(n, memo, environments)
    return memo[e].body


@final
@dataclass(frozen=True)
class Piece:
    """LaTeX of a subtree.

    Attributes:
        body: the text.
        strength: how strongly its outermost operator binds.
        is_open: whether a factor written after it would seem to belong to it, as in ∂u.
    """

    body: str
    strength: int = PRIMARY
    is_open: bool = False

    @property
    def is_negative(self) -> bool:
        """Whether it begins with a minus."""
        return self.body.startswith("-")

    def within(self, strength: int, *, first: bool = False, followed: bool = False) -> str:
        """The body, in parentheses where its place asks for them."""
        loose = self.strength < strength or (self.is_negative and not first) or (self.is_open and followed)
        return parentheses(self.body) if loose else self.body


def parentheses(body: str) -> str:
    """`(body)`, as tall as the body."""
    return f"\\left({body}\\right)" if any(mark in body for mark in _TALL) else f"({body})"


def _piece(e: Expr, memo: Mapping[Expr, Piece], environments: bool) -> Piece:
    if not isinstance(e, Apply):
        return _leaf(e)
    args = [memo[arg] for arg in e.operands]
    match e.op:
        case Op.ADD | Op.SUBTRACT | Op.MULTIPLY | Op.DIVIDE | Op.NEGATIVE:
            return _arithmetic(e.op, args)
        case Op.POWER:
            return _power(e, args)
        case Op.EXP if not any(mark in args[0].body for mark in _TALL):
            return Piece(f"e^{{{args[0].body}}}", POWER)
        case Op.EXP:
            return Piece(f"\\exp{parentheses(args[0].body)}")
        case Op.SQRT:
            return Piece(f"\\sqrt{{{args[0].body}}}")
        case Op.ABS:
            return Piece(f"\\left|{args[0].body}\\right|")
        case op if op in _FUNCTIONS:
            return Piece(_FUNCTIONS[op] + parentheses(", ".join(a.body for a in args)))
        case Op.WHERE | Op.AND | Op.OR | Op.NOT:
            return _choice(e, args, memo, environments)
        case op if op in COMPARISONS:
            return Piece(f" {_COMPARE[op]} ".join(a.within(ADDITIVE, first=True) for a in args), CHOICE)
        case Op.DERIVATIVE | Op.GRAD | Op.DIV | Op.CURL | Op.LAPLACIAN:
            return _differential(e, args[0])
        case Op.AT | Op.INTEGRAL | Op.LAW | Op.LAW_JET:
            return _functional(e, args)
        case _:
            return _tensor(e, args, memo, environments)


def _leaf(e: Expr) -> Piece:
    if isinstance(e, Constant):
        body = symbol(e.name) if e.name is not None else number(e.value)
        return Piece(body, MULTIPLICATIVE if "10^" in body else PRIMARY)
    if isinstance(e, Normal):
        return Piece("\\mathbf{n}")
    return Piece(symbol(e.name, bold=isinstance(e, VectorField | TensorField)))  # type: ignore[attr-defined]


def _arithmetic(op: Op, args: list[Piece]) -> Piece:
    first = args[0]
    match op:
        case Op.ADD:
            rest = [
                f" - {a.body[1:]}"
                if a.is_negative and a.strength >= MULTIPLICATIVE
                else f" + {a.within(MULTIPLICATIVE)}"
                for a in args[1:]
            ]
            return Piece(first.within(ADDITIVE, first=True) + "".join(rest), ADDITIVE)
        case Op.SUBTRACT:
            return Piece(f"{first.within(ADDITIVE, first=True)} - {args[1].within(MULTIPLICATIVE)}", ADDITIVE)
        case Op.NEGATIVE:
            return Piece(f"-{first.within(MULTIPLICATIVE)}", MULTIPLICATIVE, first.is_open)
        case Op.DIVIDE:
            moved = first.is_negative and first.strength >= MULTIPLICATIVE
            body = f"\\frac{{{first.body[moved:]}}}{{{args[1].body}}}"
            return Piece(f"-{body}" if moved else body, MULTIPLICATIVE if moved else UNARY)
        case _:
            left, right = first.within(MULTIPLICATIVE, first=True, followed=True), args[1].within(MULTIPLICATIVE)
            joint = " \\cdot " if right[0].isdecimal() else "\\,"
            return Piece(left + joint + right, MULTIPLICATIVE, args[1].is_open and right == args[1].body)


def _power(e: Apply, args: list[Piece]) -> Piece:
    base, exponent = args
    inner = e.operands[0]
    if isinstance(inner, Apply) and inner.op in _POWERED and exponent.body.isdecimal():
        name = _FUNCTIONS[inner.op]
        return Piece(f"{name}^{braced(exponent.body)}{base.body.removeprefix(name)}", POWER)
    return Piece(f"{base.within(PRIMARY)}^{braced(exponent.body)}", POWER)


def _choice(e: Apply, args: list[Piece], memo: Mapping[Expr, Piece], environments: bool) -> Piece:
    if e.op is Op.NOT:
        return Piece(f"\\text{{not }}{parentheses(args[0].body)}", CHOICE)
    if e.op is not Op.WHERE:
        word = "and" if e.op is Op.AND else "or"
        inside = [
            parentheses(a.body) if isinstance(arg, Apply) and arg.op in (Op.AND, Op.OR) else a.body
            for arg, a in zip(e.operands, args, strict=True)
        ]
        return Piece(f" \\text{{ {word} }} ".join(inside), CHOICE)
    rows: list[tuple[str, str]] = []
    last: Expr = e
    while isinstance(last, Apply) and last.op is Op.WHERE:  # a choice among the rest is one more row
        condition, value, other = last.operands
        rows.append((memo[value].body, f"\\text{{if }} {memo[condition].body}"))
        last = other
    rows.append((memo[last].body, "\\text{otherwise}"))
    if environments:
        body = " \\\\ ".join(f"{value} & {condition}" for value, condition in rows)
        return Piece(f"\\begin{{cases}} {body} \\end{{cases}}", CHOICE)
    body = " \\\\ ".join(f"{value}\\quad {condition}" for value, condition in rows)
    return Piece(f"\\left\\{{\\substack{{{body}}}\\right.", CHOICE)


def _names(along: tuple[Coordinate, ...]) -> str:
    """Names of coordinates, one after the other."""
    names = [symbol(x.name) for x in along]
    return ("" if all(len(name) == 1 for name in names) else " ").join(names)


def _differential(e: Apply, inner: Piece) -> Piece:
    operand = e.operands[0]
    if e.op is Op.DERIVATIVE:
        if isinstance(operand, Field | Coefficient) and not subscripts(operand.name):
            return Piece(f"{inner.body}_{braced(_names(e.attr))}")
        return Piece(f"\\partial_{braced(_names(e.attr))} {inner.within(UNARY)}", UNARY, True)
    frame = operand.frame
    everywhere = frame is not None and tuple(x.name for x in e.attr) == frame.space
    below = "" if everywhere else f"_{braced(_names(e.attr))}"
    return Piece(f"{_SPATIAL[e.op]}{below}{_JOINT[e.op]}{inner.within(UNARY)}", UNARY, True)


def _functional(e: Apply, args: list[Piece]) -> Piece:
    match e.op:
        case Op.AT:
            place = ",\\,".join(f"{symbol(x.name)}={number(Constant(n).value)}" for x, n in e.attr)
            return Piece(f"\\left. {args[0].within(UNARY)} \\right|_{{{place}}}", POWER)
        case Op.INTEGRAL:
            measure = "\\,".join(f"\\mathrm{{d}}{symbol(x.name)}" for x in e.attr)
            return Piece(f"\\int {args[0].within(MULTIPLICATIVE)}\\,{measure}", MULTIPLICATIVE)
        case Op.LAW:
            name = symbol(e.attr[0].name, bold=e.shape != ())
            return Piece(name + parentheses(", ".join(a.body for a in args)))
        case _:
            return _law_jet(e, args)


def _law_jet(e: Apply, args: list[Piece]) -> Piece:
    """D(u), D'(u) d for a function of one number; D^k P_i(inputs)[direction]… otherwise."""
    law, index = e.attr
    width = sum(size(shape) for shape in law.inputs)
    order = len(args) // width - 1
    inputs, directions = args[:width], args[width:]
    applied = parentheses(", ".join(a.body for a in inputs))
    if law.inputs == ((),) and law.shape == ():
        factors = "".join("\\," + d.within(UNARY) for d in directions)
        return Piece(f"{symbol(law.name)}{chr(39) * order}{applied}{factors}", MULTIPLICATIVE if order else PRIMARY)
    name = symbol(law.name, indices=(index,)) if law.shape else symbol(law.name)
    groups = [directions[i : i + width] for i in range(0, len(directions), width)]
    along = "".join(f"[{', '.join(a.body for a in group)}]" for group in groups)
    operator = {0: "", 1: "\\mathrm{D}"}.get(order, f"\\mathrm{{D}}^{{{order}}}")
    return Piece(f"{operator}{name}{applied}{along}")


def _tensor(e: Apply, args: list[Piece], memo: Mapping[Expr, Piece], environments: bool) -> Piece:
    match e.op:
        case Op.STACK if environments and len(e.shape) == 2 and all(_is_stack(row) for row in e.operands):
            rows = " \\\\ ".join(" & ".join(memo[part].body for part in row.args) for row in e.operands)
            return Piece(f"\\begin{{pmatrix}} {rows} \\end{{pmatrix}}")
        case Op.STACK:
            return Piece(parentheses(", ".join(a.body for a in args)))
        case Op.COMPONENT:
            return _component(e, args[0])
        case Op.TRANSPOSE:
            return Piece(f"{args[0].within(PRIMARY)}^{{\\top}}", POWER)
        case Op.DOT:
            return _dot(e, args, memo)
        case Op.INNER:
            between = "\\cdot " if len(e.operands[0].shape) == 1 else " : "
            return _between(args, between)
        case _:
            return _between(args, _BETWEEN[e.op])


def _is_stack(e: Expr) -> bool:
    return isinstance(e, Apply) and e.op is Op.STACK


def _component(e: Apply, inner: Piece) -> Piece:
    operand = e.operands[0]
    if isinstance(operand, VectorField | TensorField):
        return Piece(symbol(operand.name, indices=e.attr))
    if isinstance(operand, Apply) and operand.op is Op.LAW:
        law = operand.attr[0].name
        return Piece(symbol(law, indices=e.attr) + inner.body.removeprefix(symbol(law, bold=True)))
    indices = braced("".join(str(i + 1) for i in e.attr))
    return Piece(f"n_{indices}" if isinstance(operand, Normal) else f"{parentheses(inner.body)}_{indices}")


def _dot(e: Apply, args: list[Piece], memo: Mapping[Expr, Piece]) -> Piece:
    """(w·∇)v for `dot(grad(v), w)`, ∂u/∂n for the normal derivative, a·b otherwise."""
    a, b = e.operands
    if isinstance(a, Apply) and a.op is Op.GRAD and a.frame is not None and len(a.attr) == len(a.frame.space):
        inner = memo[a.operands[0]]
        if isinstance(b, Normal) and a.shape == b.shape:
            return Piece(f"\\partial_n {inner.within(UNARY)}", UNARY, True)
        if len(a.shape) == 2:
            return Piece(f"({args[1].within(UNARY)}\\cdot\\nabla)\\,{inner.within(UNARY)}", UNARY, True)
    return _between(args, "\\cdot ")


def _between(args: list[Piece], operator: str) -> Piece:
    left, right = args
    return Piece(left.within(UNARY) + operator + right.within(UNARY), MULTIPLICATIVE, right.is_open)
