r"""One form for all ways of writing a system: sums of numbered products, sorted.

Equal systems should have equal words, else a model that learned one spelling fails on another. Here a right-hand side
is $\sum_k c_k \prod_j f_{kj}$: products of sums are multiplied out, numbers of a term are gathered in one factor with
their sign, equal factors become powers, like terms are one term, and factors and terms are sorted by their words
without the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from sciml.errors import UnsupportedProblemError
from sciml.expr.evaluation import evaluate
from sciml.expr.evolution import evolution
from sciml.expr.leaves import Field, Parameter, coordinates
from sciml.expr.linear import terms
from sciml.expr.nodes import Apply, Constant, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import ONE, ZERO, negative, power, product, quotient, total
from sciml.expr.shapes import Shape
from sciml.expr.tokens import tokens
from sciml.expr.traverse import leaves, rebuild, substitute
from sciml.problem import Problem

System: TypeAlias = tuple[Scalar, ...]
"""Right-hand sides $\\dot u_i = f_i(u, t)$ over the unknowns of `unknowns(dimension)`."""

TIME, *_ = coordinates("t")
_SCALAR: Shape = ()


def unknowns(dimension: int) -> tuple[Field, ...]:
    """The unknowns `u_0, u_1, …` over which all systems are written."""
    return tuple(Field(f"u_{i}", TIME) for i in range(dimension))


def system_of(problem: Problem) -> System:
    """The right-hand sides of a problem in time alone, over the model's own unknowns, in canonical form.

    Raises:
        UnsupportedProblemError: it is not a system of ordinary differential equations of first order.
    """
    time = problem.time
    if time is None or problem.space:
        raise UnsupportedProblemError(
            f"a problem over {', '.join(x.name for x in problem.coordinates)}",
            "ordinary differential equations in time",
            "choose a model that was trained on such problems",
        )
    found = evolution(problem.equations, time)
    order = [found.unknowns.index(leaf) for leaf in problem.unknowns]
    sides = found.right_hand_sides()
    return renamed([sides[i] for i in order], problem.unknowns, time)


def renamed(sides: Sequence[Scalar], leaf: Sequence[Scalar], time: Expr) -> System:
    """Right-hand sides with their unknowns and time replaced by the model's, in canonical form."""
    names: dict[Any, Expr] = {**dict(zip(leaf, unknowns(len(leaf)), strict=True)), time: TIME}
    return tuple(canonical(substitute(side, names)) for side in sides)


def canonical(e: Scalar) -> Scalar:
    """The sum of sorted terms that equals `e`."""
    return _sum(addends(e))


def addends(e: Scalar) -> list[tuple[Scalar, Scalar]]:
    """The terms of `e` as pairs of number and monomial, sorted; like terms are gathered."""
    gathered: dict[Scalar, list[Scalar]] = {}
    for term in terms(e):
        number, factors = _factors(term)
        monomial = _monomial(factors)
        gathered.setdefault(monomial, []).append(number)
    pairs = [(_added(numbers), monomial) for monomial, numbers in gathered.items()]
    kept = [(number, monomial) for number, monomial in pairs if not _is_zero(number)]
    return sorted(kept, key=lambda pair: _rank(pair[1]))


def _sum(pairs: Sequence[tuple[Scalar, Scalar]]) -> Scalar:
    return total([product(number, *_parts(monomial)) for number, monomial in pairs])


def is_number(e: Expr) -> bool:
    """Whether an expression has only numbers and parameters for leaves."""
    return all(isinstance(leaf, Constant | Parameter) for leaf in leaves(e))


def _is_zero(e: Scalar) -> bool:
    return isinstance(e, Constant) and e.value == 0


def _added(numbers: Sequence[Scalar]) -> Scalar:
    """The sum of numbers, without round-off that depends on their order; those with parameters are left as written."""
    plain = [n for n in map(_number, numbers) if isinstance(n, Constant)]
    others = [n for n in map(_number, numbers) if not isinstance(n, Constant)]
    return total([Constant(math.fsum(n.value for n in plain)), *others])


def _number(e: Scalar) -> Scalar:
    """A number without parameters as one constant; names such as π become their value."""
    if not is_number(e) or any(isinstance(leaf, Parameter) for leaf in leaves(e)):
        return e
    value = folded(e, {})
    return Constant(int(value)) if value.is_integer() and abs(value) < 2**53 and _is_whole(e) else Constant(value)


def _is_whole(e: Scalar) -> bool:
    return all(isinstance(leaf, Constant) and isinstance(leaf.value, int) for leaf in leaves(e))


def folded(e: Scalar, values: dict[str, Any]) -> Any:
    """The value of a number, given those of its parameters by name (arrays too); not finite where it has none."""
    table = {p: values[p.name] for p in leaves(e) if isinstance(p, Parameter)}
    with np.errstate(all="ignore"):
        value = evaluate(e, {**in_floats(e), **table})
    return float(value) if not table else value


def in_floats(*es: Scalar) -> dict[Any, Any]:
    """Floats as values of the constants: a written tower of powers must overflow, not grow without bound."""
    return {n: np.float64(n.value) for n in leaves(*es) if isinstance(n, Constant)}


def _factors(e: Scalar) -> tuple[Scalar, list[tuple[Scalar, int]]]:
    """A term as a number times powers of canonical factors."""
    if is_number(e):
        return e, []
    if not isinstance(e, Apply):
        return ONE, [(e, 1)]
    args: tuple[Any, ...] = e.operands
    match e.op:
        case Op.NEGATIVE:
            number, factors = _factors(args[0])
            return negative(number), factors
        case Op.MULTIPLY:
            (a, left), (b, right) = _factors(args[0]), _factors(args[1])
            return product(a, b), left + right
        case Op.DIVIDE:
            (a, left), (b, right) = _factors(args[0]), _factors(args[1])
            return quotient(a, b), left + [(factor, -n) for factor, n in right]
        case Op.POWER if isinstance(args[1], Constant) and isinstance(args[1].value, int):
            number, factors = _factors(args[0])
            return power(number, args[1]), [(factor, n * args[1].value) for factor, n in factors]
        case Op.ADD | Op.SUBTRACT:
            pairs = addends(e)
            if len(pairs) > 1:
                return ONE, [(_sum(pairs), 1)]
            number, monomial = pairs[0] if pairs else (ZERO, ONE)
            again, factors = _factors(monomial)
            return product(number, again), factors
        case _:
            return _function(rebuild(e, tuple(canonical(a) if a.shape == _SCALAR else a for a in args)))


def _function(e: Any) -> tuple[Scalar, list[tuple[Scalar, int]]]:
    """A function whose arguments are canonical: a number if they are, else a factor."""
    return (e, []) if is_number(e) else (ONE, [(e, 1)])


def _monomial(factors: Sequence[tuple[Scalar, int]]) -> Scalar:
    """Sorted powers, those with negative exponents below the line."""
    exponents: dict[Scalar, int] = {}
    for factor, n in factors:
        exponents[factor] = exponents.get(factor, 0) + n
    above, below = ([power(f, Constant(abs(n))) for f, n in exponents.items() if n * sign > 0] for sign in (1, -1))
    top, bottom = (product(*sorted(part, key=_rank)) for part in (above, below))
    return quotient(top, bottom)


def _parts(monomial: Scalar) -> list[Scalar]:
    """Factors of a product; anything else is one factor."""
    if isinstance(monomial, Apply) and monomial.op is Op.MULTIPLY:
        return [part for arg in monomial.operands for part in _parts(arg)]  # type: ignore[arg-type]
    return [monomial]


def _rank(e: Scalar) -> tuple[int, list[str], list[str]]:
    """Short before long, then by words with all numbers alike, exponents too; what is then equal, by all its words."""
    names: dict[Any, Expr] = {leaf: ONE for leaf in leaves(e) if isinstance(leaf, Constant | Parameter)}
    words = tokens(substitute(e, names)) if names else tokens(e)
    return len(words), words, tokens(e)
