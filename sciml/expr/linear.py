"""Linear algebra of expressions: what is linear in the fields, the Fréchet derivative, additive terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from sciml.expr.build import apply, scalar
from sciml.expr.differentiate import law_chain_rule, outer_derivative
from sciml.expr.functions import where
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Constant, Expr, Scalar, Truth, node
from sciml.expr.operations import FUNCTIONS, Op
from sciml.expr.reduce import ONE, ZERO, difference, is_number, negative, power, product, quotient, total
from sciml.expr.traverse import atoms, is_atom, is_unknown, postorder

Unknown = Callable[[Expr], bool]


@final
@dataclass(frozen=True)
class Split:
    r"""$e = \sum_a c_a\,a + s + N$: linear part, source and nonlinear rest of a lowered scalar.

    Attributes:
        linear: coefficient $c_a$, free of unknowns, of each unknown atom $a$.
        source: the part $s$ free of unknowns.
        nonlinear: everything else.
    """

    linear: dict[Scalar, Scalar]
    source: Scalar
    nonlinear: Scalar

    @property
    def is_linear(self) -> bool:
        """Whether the nonlinear rest vanishes."""
        return is_number(self.nonlinear, 0)

    def resum(self) -> Scalar:
        """The expression again, regrouped."""
        return total([*(product(c, a) for a, c in self.linear.items()), self.source, self.nonlinear])


def split(e: Scalar, unknown: Unknown = is_unknown) -> Split:
    """Split a scalar into linear part, source and nonlinear rest; a written scalar is lowered first.

    Products of sums are expanded as far as that separates the parts; integer powers up to 4 likewise.

    Args:
        e: a scalar expression.
        unknown: which atoms count as unknown; default: values and derivatives of fields.
    """
    (e,) = lower(e)
    memo: dict[Expr, Split] = {}
    for n in postorder(e, stop=is_atom):
        if not isinstance(n, Truth):
            memo[n] = _split_one(n, memo, unknown)
    return memo[e]


def _depends(e: Expr, unknown: Unknown) -> bool:
    return any(unknown(atom) for atom in atoms(e))


def _split_one(e: Expr, memo: dict[Expr, Split], unknown: Unknown) -> Split:
    if is_atom(e):
        return _split_atom(e, unknown)  # type: ignore[arg-type]
    if not isinstance(e, Apply):
        return Split({}, e, ZERO)  # type: ignore[arg-type]
    args = [memo[arg] for arg in e.operands if arg in memo]
    match e.op:
        case Op.ADD:
            return _sum(args)
        case Op.SUBTRACT:
            return _sum([args[0], _scale(args[1], Constant(-1))])
        case Op.NEGATIVE:
            return _scale(args[0], Constant(-1))
        case Op.MULTIPLY:
            return _product(args[0], args[1])
        case Op.DIVIDE if _is_source(args[1]):
            return _divide(args[0], args[1].source)
        case Op.POWER if isinstance(e.operands[1], Constant) and e.operands[1].value in (2, 3, 4) and args[0].linear:
            result = args[0]
            for _ in range(int(e.operands[1].value) - 1):
                result = _product(result, args[0])
            return result
        case _:
            whole: Scalar = e  # type: ignore[assignment]
            return Split({}, ZERO, whole) if _depends(e, unknown) else Split({}, whole, ZERO)


def _split_atom(e: Scalar, unknown: Unknown) -> Split:
    if isinstance(e, Apply) and e.op is Op.INTEGRAL:
        inside = split(e.operands[0], unknown)  # type: ignore[arg-type]
        if not _depends(e.operands[0], unknown):
            return Split({}, e, ZERO)
        homogeneous = inside.is_linear and is_number(inside.source, 0)
        return Split({e: ONE}, ZERO, ZERO) if homogeneous else Split({}, ZERO, e)
    return Split({e: ONE}, ZERO, ZERO) if unknown(e) else Split({}, e, ZERO)


def _is_source(s: Split) -> bool:
    return not s.linear and s.is_linear


def _sum(parts: list[Split]) -> Split:
    linear: dict[Scalar, Scalar] = {}
    for part in parts:
        for atom, coefficient in part.linear.items():
            linear[atom] = total([linear[atom], coefficient]) if atom in linear else coefficient
    linear = {atom: c for atom, c in linear.items() if not is_number(c, 0)}
    return Split(linear, total(p.source for p in parts), total(p.nonlinear for p in parts))


def _scale(s: Split, c: Scalar) -> Split:
    return Split({a: product(c, k) for a, k in s.linear.items()}, product(c, s.source), product(c, s.nonlinear))


def _divide(s: Split, c: Scalar) -> Split:
    return Split({a: quotient(k, c) for a, k in s.linear.items()}, quotient(s.source, c), quotient(s.nonlinear, c))


def _product(a: Split, b: Split) -> Split:
    """(sa + La + Na)(sb + Lb + Nb), expanded into source, linear and nonlinear parts."""
    if _is_source(a):
        return _scale(b, a.source)
    if _is_source(b):
        return _scale(a, b.source)
    rest_a = total([*(product(c, x) for x, c in a.linear.items()), a.nonlinear])
    rest_b = total([*(product(c, x) for x, c in b.linear.items()), b.nonlinear])
    cross = [product(rest_a, rest_b), product(a.source, b.nonlinear), product(b.source, a.nonlinear)]
    source = Split({}, product(a.source, b.source), ZERO)
    linear_b = Split({x: product(a.source, c) for x, c in b.linear.items()}, ZERO, ZERO)
    linear_a = Split({x: product(b.source, c) for x, c in a.linear.items()}, ZERO, ZERO)
    return _sum([source, _nonzero(linear_a), _nonzero(linear_b), Split({}, ZERO, total(cross))])


def _nonzero(s: Split) -> Split:
    return Split({a: c for a, c in s.linear.items() if not is_number(c, 0)}, s.source, s.nonlinear)


def partial(e: Scalar, atom: Expr) -> Scalar:
    """Partial derivative of a lowered scalar with respect to one of its atoms, all others held fixed."""
    memo: dict[Expr, Scalar] = {}
    for n in postorder(e, stop=is_atom):
        if not isinstance(n, Truth):
            memo[n] = _partial_one(n, atom, memo)
    return memo[e]


def _partial_one(e: Expr, atom: Expr, memo: dict[Expr, Scalar]) -> Scalar:
    if e.digest == atom.digest:
        return ONE
    if is_atom(e) or not isinstance(e, Apply):
        return ZERO
    d = [memo.get(arg, ZERO) for arg in e.operands]
    if all(is_number(part, 0) for part in d):
        return ZERO
    a: tuple[Any, ...] = e.operands
    if e.op in FUNCTIONS:
        return product(outer_derivative(e.op, a[0], e), d[0])
    match e.op:
        case Op.ADD:
            return total(d)
        case Op.SUBTRACT:
            return difference(d[0], d[1])
        case Op.NEGATIVE:
            return negative(d[0])
        case Op.MULTIPLY:
            return total([product(d[0], a[1]), product(a[0], d[1])])
        case Op.DIVIDE:
            return difference(quotient(d[0], a[1]), quotient(product(a[0], d[1]), power(a[1], Constant(2))))
        case Op.POWER:
            base = product(a[1], power(a[0], difference(a[1], ONE)), d[0])
            exponent = ZERO if is_number(d[1], 0) else product(e, scalar(Op.LOG, a[0]), d[1])  # type: ignore[arg-type]
            return total([base, exponent])
        case Op.WHERE:
            return where(a[0], d[1], d[2])
        case Op.MINIMUM:
            return where(a[0] <= a[1], d[0], d[1])
        case Op.MAXIMUM:
            return where(a[0] >= a[1], d[0], d[1])
        case _:
            return law_chain_rule(e, d)


def linearise(e: Scalar) -> dict[Scalar, Scalar]:
    r"""Fréchet derivative of a scalar: $\{a: \partial e/\partial a\}$ over its unknown atoms.

    The action on a perturbation $\delta$ is $\sum_a (\partial e/\partial a)\,\delta_a$, where $\delta_a$ is the same
    derivative of $\delta$ as $a$ is of its field. An integral counts as an atom of its own;
    `directional` differentiates its integrand.
    """
    (e,) = lower(e)
    result = {}
    for atom in atoms(e):
        if is_unknown(atom):
            slope = partial(e, atom)
            if not is_number(slope, 0):
                result[atom] = slope
    return result


def directional(e: Scalar, direction: Callable[[Scalar], Scalar]) -> Scalar:
    """Fréchet derivative of `e` in a direction, an expression: `direction(atom)` is the perturbation of that atom."""
    (e,) = lower(e)
    parts = []
    for atom, slope in linearise(e).items():
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            inner = directional(atom.operands[0], direction)  # type: ignore[arg-type]
            parts.append(product(slope, node(Op.INTEGRAL, (inner,), atom.attr, ())))
        else:
            parts.append(product(slope, direction(atom)))
    return total(parts)


def terms(e: Any) -> list[Any]:
    """Signed additive terms of an expression of any rank, as written: nothing is lowered.

    Sums, differences and signs open; a scalar factor or divisor distributes over a sum. `sum(terms(e))` equals `e`.
    """
    if not isinstance(e, Apply):
        return [e]
    match e.op:
        case Op.ADD:
            return [term for arg in e.operands for term in terms(arg)]
        case Op.SUBTRACT:
            return [*terms(e.operands[0]), *(_negated(term) for term in terms(e.operands[1]))]
        case Op.NEGATIVE:
            return [_negated(term) for term in terms(e.operands[0])]
        case Op.MULTIPLY:
            left, right = terms(e.operands[0]), terms(e.operands[1])
            if len(left) == len(right) == 1:
                return [e]
            return [apply(Op.MULTIPLY, a, b) for a in left for b in right]
        case Op.DIVIDE:
            top = terms(e.operands[0])
            return [e] if len(top) == 1 else [apply(Op.DIVIDE, a, e.operands[1]) for a in top]
        case _:
            return [e]


def _negated(e: Expr) -> Expr:
    if isinstance(e, Apply) and e.op is Op.NEGATIVE:
        return e.operands[0]
    return apply(Op.NEGATIVE, e)
