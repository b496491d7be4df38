"""Expressions to SymPy and back.

Fields become functions of their coordinates, derivatives stay unevaluated, point values become `Subs`, integrals over
the domain's extent become indefinite `Integral`s, laws of scalars become undefined functions. SymPy orders and
simplifies as it likes, so the way back gives an equal expression, not the same tree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from sciml.errors import ExpressionError, OptionError, SciMLError
from sciml.expr.assembly import assemble
from sciml.expr.build import apply, derivative, make_equation
from sciml.expr.equation import Equation
from sciml.expr.functions import add, pi
from sciml.expr.leaves import Coefficient, Field, Normal, Parameter, TensorField, VectorField
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import Op
from sciml.expr.symbols import Symbols, SymbolTable
from sciml.expr.traverse import is_atom, postorder

_NAMES = {
    Op.SIN: "sin", Op.COS: "cos", Op.TAN: "tan", Op.ASIN: "asin", Op.ACOS: "acos", Op.ATAN: "atan", Op.SINH: "sinh",
    Op.COSH: "cosh", Op.TANH: "tanh", Op.EXP: "exp", Op.LOG: "log", Op.SQRT: "sqrt", Op.ABS: "Abs", Op.SIGN: "sign",
    Op.ERF: "erf", Op.MINIMUM: "Min", Op.MAXIMUM: "Max", Op.LESS: "StrictLessThan", Op.LESS_EQUAL: "LessThan",
    Op.GREATER: "StrictGreaterThan", Op.GREATER_EQUAL: "GreaterThan", Op.AND: "And", Op.OR: "Or", Op.NOT: "Not",
}  # fmt: skip
"""SymPy's names of the operations that it applies to arguments as they are."""

_OPERATIONS = {name: op for op, name in _NAMES.items()}


def _sympy() -> Any:
    try:
        import sympy
    except ImportError:
        raise OptionError("no SymPy", "an optional dependency", 'install it: pip install "sciml-pde[sympy]"') from None
    return sympy


def to_sympy(e: Expr | Equation) -> Any:
    """The SymPy expression, equation or (of vectors and tensors) matrix of `e`.

    Vector and tensor calculus is lowered to components first; scalar expressions keep their form.

    Raises:
        ExpressionError: a law of vectors, or a derivative of a law.
        OptionError: SymPy is not installed.
    """
    sympy = _sympy()
    if isinstance(e, Equation):
        if e.shape:
            return [to_sympy(part) for part in e]
        return sympy.Eq(to_sympy(e.lhs), to_sympy(e.rhs), evaluate=False)
    if not e.shape and not any(_is_array_calculus(n) for n in postorder(e, stop=is_atom)):
        return _convert(e, sympy)
    parts = [_convert(part, sympy) for part in lower(e)]
    if not e.shape:
        return parts[0]
    return sympy.Matrix(len(parts), 1, parts) if len(e.shape) == 1 else sympy.Matrix(*e.shape, parts)


def _is_array_calculus(e: Expr) -> bool:
    """Whether scalars alone cannot write this node."""
    return bool(e.shape) or (isinstance(e, Apply) and any(arg.shape for arg in e.operands) and not is_atom(e))


def _convert(e: Expr, sympy: Any) -> Any:
    memo: dict[Expr, Any] = {}
    for n in postorder(e, stop=lambda n: isinstance(n, Apply) and n.op is Op.COMPONENT):
        if isinstance(n, Apply) and n.op is not Op.COMPONENT:
            memo[n] = _operation(n, [memo[arg] for arg in n.operands], sympy)
        else:
            memo[n] = _leaf(n, sympy)
    return memo[e]


def _leaf(e: Expr, sympy: Any) -> Any:
    if isinstance(e, Constant):
        if e.name == "pi":
            return sympy.pi
        return sympy.Integer(e.value) if isinstance(e.value, int) else sympy.Float(e.value)
    if isinstance(e, Coordinate):
        return sympy.Symbol(e.name, real=True)
    if isinstance(e, Parameter):
        return sympy.Symbol(e.name, real=True, positive=True) if e.positive else sympy.Symbol(e.name, real=True)
    owner = e.args[0] if e.args else e
    if isinstance(owner, Normal):
        return sympy.Symbol(repr(e), real=True)
    assert isinstance(owner, Field | VectorField | TensorField | Coefficient)  # the other leaves are these
    return sympy.Function(repr(e), real=True)(*[_leaf(x, sympy) for x in owner.on])


def _operation(e: Apply, args: list[Any], sympy: Any) -> Any:
    if e.op in _NAMES:
        return getattr(sympy, _NAMES[e.op])(*args)
    match e.op:
        case Op.ADD:
            return sympy.Add(*args)
        case Op.SUBTRACT:
            return args[0] - args[1]
        case Op.NEGATIVE:
            return -args[0]
        case Op.MULTIPLY:
            return args[0] * args[1]
        case Op.DIVIDE:
            return args[0] / args[1]
        case Op.POWER:
            return args[0] ** args[1]
        case Op.WHERE:
            return sympy.Piecewise((args[1], args[0]), (args[2], True))
        case Op.DERIVATIVE:
            return sympy.Derivative(args[0], *[_leaf(x, sympy) for x in e.attr], evaluate=False)
        case Op.LAPLACIAN:
            return sympy.Add(*[sympy.Derivative(args[0], (_leaf(x, sympy), 2), evaluate=False) for x in e.attr])
        case Op.AT:
            return sympy.Subs(args[0], [_leaf(x, sympy) for x, _ in e.attr], [sympy.Float(n) for _, n in e.attr])
        case Op.INTEGRAL:
            return sympy.Integral(args[0], *[_leaf(x, sympy) for x in e.attr])
        case Op.LAW if e.shape == () and all(arg.shape == () for arg in e.operands):
            return sympy.Function(e.attr[0].name)(*args)
        case _:
            raise ExpressionError(
                f"`{e!r}` for SymPy", "laws of scalars, not differentiated", "convert before lowering, or bind the law"
            )


def from_sympy(expression: Any, symbols: Symbols) -> Any:
    """The expression, equation, vector or tensor that a SymPy object stands for.

    Args:
        expression: what to convert; symbols and applied functions are looked up by name.
        symbols: what names stand for, as in `parse`.

    Raises:
        ExpressionError: an unknown name, or something that the language does not have.
        OptionError: SymPy is not installed.
    """
    sympy = _sympy()
    table = SymbolTable.of(symbols)
    if isinstance(expression, sympy.Equality):
        return make_equation(*[from_sympy(side, table) for side in expression.args])
    if isinstance(expression, sympy.MatrixBase):
        rows, columns = expression.shape
        parts = [[_read(expression[i, j], table, sympy) for j in range(columns)] for i in range(rows)]
        return apply(Op.STACK, *([row[0] for row in parts] if columns == 1 else [apply(Op.STACK, *r) for r in parts]))
    return _read(sympy.sympify(expression), table, sympy)


def _read(s: Any, table: SymbolTable, sympy: Any) -> Any:
    if isinstance(s, sympy.Number | sympy.NumberSymbol):
        return _number(s, sympy)
    if isinstance(s, sympy.Symbol):
        return _named(str(s), table)
    readers: list[tuple[Any, Callable[[Any, Callable[[Any], Any], Any], Any]]] = [
        (sympy.Add, lambda s, read, _: add(*[read(a) for a in s.args])),
        (sympy.Mul, _product),
        (sympy.exp, lambda s, read, _: apply(Op.EXP, read(s.args[0]))),
        (sympy.Pow, _power),
        (sympy.Piecewise, _choice),
        (sympy.Derivative, lambda s, read, _: derivative(read(s.expr), *[read(x) for x in s.variables])),
        (sympy.Integral, lambda s, read, _: assemble(Op.INTEGRAL, [read(s.function)], tuple(map(read, s.variables)))),
        (sympy.Subs, _at),
    ]
    for kind, reader in readers:
        if isinstance(s, kind):
            return reader(s, lambda part: _read(part, table, sympy), sympy)
    name = type(s).__name__
    if name in _OPERATIONS:
        return _nested(_OPERATIONS[name], [_read(a, table, sympy) for a in s.args])
    if isinstance(s, sympy.core.function.AppliedUndef):
        return _application(s, table, sympy)
    raise ExpressionError(f"SymPy's {name} `{s}`", "functions that the language has", "rewrite it")


def _number(s: Any, sympy: Any) -> Any:
    if s is sympy.pi:
        return pi
    if isinstance(s, sympy.Integer):
        return Constant(int(s))
    if not s.is_finite or not s.is_real:
        raise ExpressionError(f"SymPy's number {s}", "a finite real number", "check how it was computed")
    return Constant(float(s))


def _named(name: str, table: SymbolTable) -> Expr:
    leaf, bracket, index = name.partition("[")
    found = table.leaf(leaf)
    if found is None:
        raise ExpressionError(f"SymPy's symbol {name!r}", f"one of {table.known()}", "add it to the symbols")
    if not bracket:
        return found
    return assemble(Op.COMPONENT, [found], tuple(int(i) for i in index.rstrip("]").split(",")))


def _product(s: Any, read: Callable[[Any], Any], sympy: Any) -> Any:
    """Factors in SymPy's order; negative powers divide, -1 negates."""
    above, below = s.as_numer_denom() if not s.has(sympy.Derivative) else (s, sympy.S.One)
    if below != 1 and above != s:
        return apply(Op.DIVIDE, read(above), read(below))
    factors = [read(a) for a in s.args]
    if isinstance(factors[0], Constant) and factors[0].value == -1:
        return apply(Op.NEGATIVE, reduce(lambda a, b: apply(Op.MULTIPLY, a, b), factors[1:]))
    return reduce(lambda a, b: apply(Op.MULTIPLY, a, b), factors)


def _power(s: Any, read: Callable[[Any], Any], sympy: Any) -> Any:
    base, exponent = s.args
    if exponent == -1:
        return apply(Op.DIVIDE, Constant(1), read(base))
    if exponent == sympy.Rational(1, 2):
        return apply(Op.SQRT, read(base))
    return apply(Op.POWER, read(base), read(exponent))


def _choice(s: Any, read: Callable[[Any], Any], sympy: Any) -> Any:
    *pieces, (last, otherwise) = s.args
    if otherwise != sympy.true:
        raise ExpressionError(f"SymPy's `{s}`", "a last case that holds otherwise", "end it with (value, True)")
    result = read(last)
    for value, condition in reversed(pieces):
        result = apply(Op.WHERE, read(condition), read(value), result)
    return result


def _at(s: Any, read: Callable[[Any], Any], sympy: Any) -> Any:
    places = []
    for x, n in zip(s.variables, s.point, strict=True):
        number = read(n)
        if not isinstance(number, Constant):
            raise ExpressionError(f"SymPy's `{s}`", "a place that is a number", "substitute it first")
        places.append((read(x), float(number.value)))
    return assemble(Op.AT, [read(s.expr)], tuple(places))


def _nested(op: Op, args: list[Any]) -> Any:
    """Minima, maxima, `And` and `Or` of many arguments, two at a time."""
    if op in (Op.MINIMUM, Op.MAXIMUM, Op.AND, Op.OR):
        return reduce(lambda a, b: apply(op, a, b), args)
    return apply(op, *args)


def _application(s: Any, table: SymbolTable, sympy: Any) -> Any:
    """A field of its coordinates, or a law of its inputs."""
    name = str(s.func)
    args = tuple(_read(a, table, sympy) for a in s.args)
    for law in table.laws.get(name, ()):
        if law.inputs == tuple(a.shape for a in args):
            return assemble(Op.LAW, args, (law,))
    try:
        leaf = _named(name, table)
    except SciMLError:
        raise ExpressionError(
            f"SymPy's function {name!r}", f"one of {table.known()}", "add it to the symbols"
        ) from None
    owner = leaf.args[0] if leaf.args else leaf
    on = getattr(owner, "on", ())
    if tuple(a.digest for a in args) != tuple(x.digest for x in on):
        raise ExpressionError(f"SymPy's `{s}`", f"{name} of ({', '.join(x.name for x in on)})", "use Subs for a place")
    return leaf
