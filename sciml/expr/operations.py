"""The closed set of operations that an expression can apply to its arguments."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Op(Enum):
    """One operation; the value is its name in text, JSON and error messages."""

    # arithmetic: scalars, and linear combinations of vectors and tensors
    ADD = "add"
    SUBTRACT = "sub"
    NEGATIVE = "neg"
    MULTIPLY = "mul"
    DIVIDE = "div"
    POWER = "pow"
    # elementary functions of one scalar
    SIN = "sin"
    COS = "cos"
    TAN = "tan"
    ASIN = "asin"
    ACOS = "acos"
    ATAN = "atan"
    SINH = "sinh"
    COSH = "cosh"
    TANH = "tanh"
    EXP = "exp"
    LOG = "log"
    SQRT = "sqrt"
    ABS = "abs"
    SIGN = "sign"
    ERF = "erf"
    # two scalars
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    # choices
    WHERE = "where"
    LESS = "lt"
    LESS_EQUAL = "le"
    GREATER = "gt"
    GREATER_EQUAL = "ge"
    AND = "and"
    OR = "or"
    NOT = "not"
    # calculus, kept as written
    DERIVATIVE = "D"
    GRAD = "grad"
    DIV = "divergence"
    CURL = "curl"
    LAPLACIAN = "laplacian"
    # vectors and rank-2 tensors
    STACK = "vector"
    COMPONENT = "component"
    DOT = "dot"
    INNER = "inner"
    OUTER = "outer"
    CROSS = "cross"
    TRACE = "trace"
    TRANSPOSE = "transpose"
    DET = "det"
    # functionals
    AT = "at"
    INTEGRAL = "integral"
    # functions inside the equation
    LAW = "law"
    LAW_JET = "law_jet"


FUNCTIONS = frozenset(
    {
        Op.SIN, Op.COS, Op.TAN, Op.ASIN, Op.ACOS, Op.ATAN, Op.SINH, Op.COSH, Op.TANH,
        Op.EXP, Op.LOG, Op.SQRT, Op.ABS, Op.SIGN, Op.ERF,
    }
)  # fmt: skip
"""Elementary functions of one scalar argument."""

COMPARISONS = frozenset({Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL})
"""Comparisons of two scalars; their value is a truth, not a number."""

LINEAR_CALCULUS = frozenset({Op.DERIVATIVE, Op.GRAD, Op.DIV, Op.CURL, Op.LAPLACIAN})
"""Differential operators, which `lower` pushes to the leaves."""

_BINARY = COMPARISONS | {
    Op.SUBTRACT, Op.MULTIPLY, Op.DIVIDE, Op.POWER, Op.MINIMUM, Op.MAXIMUM, Op.AND, Op.OR,
    Op.DOT, Op.INNER, Op.OUTER, Op.CROSS,
}  # fmt: skip
_VARIADIC = {Op.ADD, Op.STACK, Op.LAW, Op.LAW_JET}

ARITY: dict[Op, int] = {op: 2 if op in _BINARY else 3 if op is Op.WHERE else 1 for op in Op if op not in _VARIADIC}
"""Number of operands, of operations that have a fixed one."""
