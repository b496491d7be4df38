"""Derivative of a lowered scalar, pushed to its atoms."""

from __future__ import annotations

from sciml.errors import LoweringError
from sciml.expr.build import derivative, scalar
from sciml.expr.functions import cos, cosh, exp, pi, sign, sin, sinh, sqrt, where
from sciml.expr.leaves import Coefficient, Field, Parameter, TensorField, VectorField
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr, Scalar, Truth, node
from sciml.expr.operations import FUNCTIONS, Op
from sciml.expr.reduce import ONE, ZERO, difference, is_number, negative, power, product, quotient, total
from sciml.expr.traverse import is_atom, postorder

Memo = dict[tuple[bytes, bytes], Scalar]


def differentiate(e: Scalar, x: Coordinate, memo: Memo) -> Scalar:
    """Partial derivative of a lowered scalar along `x`; `memo` carries results from call to call.

    Raises:
        LoweringError: the derivative of a coefficient that is not smooth enough, or of a point inside a point value.
    """

    def done(n: Expr) -> bool:
        return is_atom(n) or (n.digest, x.digest) in memo

    for n in postorder(e, stop=done):
        key = (n.digest, x.digest)
        if key not in memo and not isinstance(n, Truth):
            memo[key] = _atom(n, x) if is_atom(n) else _rule(n, x, memo)
    return memo[(e.digest, x.digest)]


def _atom(e: Expr, x: Coordinate) -> Scalar:
    if isinstance(e, Coordinate):
        return ONE if e.digest == x.digest else ZERO
    if isinstance(e, Parameter):
        return ZERO
    assert isinstance(e, Apply | Field | Coefficient)  # the other atoms are these
    if isinstance(e, Apply) and e.op is Op.INTEGRAL:
        if x in e.attr:
            return ZERO
        inner = differentiate(e.operands[0], x, {})  # type: ignore[arg-type]
        return ZERO if is_number(inner, 0) else node(Op.INTEGRAL, (inner,), e.attr, ())
    if isinstance(e, Apply) and e.op is Op.AT:
        if any(place.digest == x.digest for place, _ in e.attr):
            return ZERO
        inner = _atom(e.operands[0], x)
        return ZERO if is_number(inner, 0) else node(Op.AT, (inner,), e.attr, ())
    leaf = e
    while isinstance(leaf, Apply):
        leaf = leaf.operands[0]
    if not isinstance(leaf, (Field, VectorField, TensorField, Coefficient)) or x not in leaf.on:
        return ZERO  # a flat face's normal is constant
    taken = len(e.attr) if isinstance(e, Apply) and e.op is Op.DERIVATIVE else 0
    if isinstance(leaf, Coefficient) and leaf.smoothness <= taken:
        raise LoweringError(
            f"the derivative along {x.name} of coefficient {leaf.name!r}, whose interpolation has {leaf.smoothness} "
            "derivatives",
            "a smoother coefficient, or an equation kept in flux form",
            "use interpolation=Cubic() or function=…, or a solver that keeps div(a*grad(u)) as written",
        )
    return derivative(e, x)


def _rule(e: Expr, x: Coordinate, memo: Memo) -> Scalar:
    """Derivative of one operation from the derivatives of its arguments."""
    if isinstance(e, Constant):
        return ZERO
    if not isinstance(e, Apply):
        raise LoweringError(f"`{e!r}` in a lowered scalar", "scalar operations on atoms", "lower the expression first")

    def d(arg: Expr) -> Scalar:
        return memo[(arg.digest, x.digest)]

    args: tuple[Scalar, ...] = e.operands  # type: ignore[assignment]
    if e.op in FUNCTIONS:
        return product(outer_derivative(e.op, args[0], e), d(args[0])) if not is_number(d(args[0]), 0) else ZERO
    match e.op:
        case Op.ADD:
            return total(d(arg) for arg in args)
        case Op.SUBTRACT:
            return difference(d(args[0]), d(args[1]))
        case Op.NEGATIVE:
            return ZERO if is_number(d(args[0]), 0) else negative(d(args[0]))
        case Op.MULTIPLY:
            a, b = args
            return total([product(d(a), b), product(a, d(b))])
        case Op.DIVIDE:
            a, b = args
            return difference(quotient(d(a), b), quotient(product(a, d(b)), power(b, Constant(2))))
        case Op.POWER:
            return _power(args[0], args[1], d(args[0]), d(args[1]), e)
        case Op.WHERE:
            _, a, b = args
            return ZERO if is_number(d(a), 0) and is_number(d(b), 0) else where(args[0], d(a), d(b))  # type: ignore[arg-type]
        case Op.MINIMUM:
            return where(args[0] <= args[1], d(args[0]), d(args[1]))
        case Op.MAXIMUM:
            return where(args[0] >= args[1], d(args[0]), d(args[1]))
        case Op.LAW_JET:
            return law_chain_rule(e, [d(arg) for arg in args])
        case _:
            raise LoweringError(f"{e.op.value} in a lowered scalar", "scalar operations on atoms", "lower it first")


def _power(a: Scalar, n: Scalar, da: Scalar, dn: Scalar, whole: Apply) -> Scalar:
    result: Scalar = ZERO
    if not is_number(da, 0):
        result = product(n, power(a, difference(n, ONE)), da)
    if not is_number(dn, 0):
        result = total([result, product(whole, scalar(Op.LOG, a), dn)])  # type: ignore[arg-type]
    return result


def outer_derivative(op: Op, a: Scalar, whole: Expr) -> Scalar:
    """f'(a) of an elementary function; `whole` is f(a), reused where the derivative contains it."""
    f: Scalar = whole  # type: ignore[assignment]
    match op:
        case Op.SIN:
            return cos(a)
        case Op.COS:
            return negative(sin(a))
        case Op.TAN:
            return total([ONE, power(f, Constant(2))])
        case Op.ASIN:
            return quotient(ONE, sqrt(difference(ONE, power(a, Constant(2)))))
        case Op.ACOS:
            return negative(quotient(ONE, sqrt(difference(ONE, power(a, Constant(2))))))
        case Op.ATAN:
            return quotient(ONE, total([ONE, power(a, Constant(2))]))
        case Op.SINH:
            return cosh(a)
        case Op.COSH:
            return sinh(a)
        case Op.TANH:
            return difference(ONE, power(f, Constant(2)))
        case Op.EXP:
            return f
        case Op.LOG:
            return quotient(ONE, a)
        case Op.SQRT:
            return quotient(Constant(0.5), f)
        case Op.ABS:
            return sign(a)
        case Op.SIGN:
            return ZERO
        case Op.ERF:
            return product(quotient(Constant(2), sqrt(pi)), exp(negative(power(a, Constant(2)))))
        case _:
            raise LoweringError(f"the derivative of {op.value}", "an elementary function", "rewrite it")


def law_chain_rule(e: Apply, d: list[Scalar]) -> Scalar:
    """Chain rule on a law's jet: append ∂g as a direction, and differentiate the directions one by one."""
    symbol = e.attr[0]
    size = sum(_length(shape) for shape in symbol.inputs)
    terms: list[Scalar] = []
    if not all(is_number(g, 0) for g in d[:size]):
        terms.append(node(Op.LAW_JET, (*e.operands, *d[:size]), e.attr, ()))
    for start in range(size, len(d), size):
        direction = d[start : start + size]
        if not all(is_number(g, 0) for g in direction):
            args = (*e.operands[:start], *direction, *e.operands[start + size :])
            terms.append(node(Op.LAW_JET, args, e.attr, ()))
    return total(terms)


def _length(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size
