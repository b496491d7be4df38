r"""Evolution form: $u_t = L u + N(u)$, read from the equations or refused with a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sciml.errors import UnsupportedProblemError
from sciml.expr.build import derivative
from sciml.expr.classify import orders
from sciml.expr.equation import Equation
from sciml.expr.leaves import Field
from sciml.expr.linear import Split, split
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import ZERO, is_number, negative, product, quotient, total
from sciml.expr.traverse import atoms, is_atom, is_unknown, multi_index, postorder, scalar_leaf, substitute


@final
@dataclass(frozen=True)
class Evolution:
    r"""$\partial_t u_i = \sum_j \sum_a L_{ij}^{a}\, a + N_i$ for scalar unknowns $u_i$.

    Attributes:
        unknowns: the scalar unknowns $u_i$, in the order of the equations.
        linear: for `(i, j)`, the coefficient of each atom (a spatial derivative of $u_j$) in equation i.
        nonlinear: $N_i$: nonlinear terms, sources and all else.
    """

    unknowns: tuple[Scalar, ...]
    linear: dict[tuple[int, int], dict[Scalar, Scalar]]
    nonlinear: tuple[Scalar, ...]

    def right_hand_sides(self) -> tuple[Scalar, ...]:
        """$\\partial_t u_i$ as one expression each."""
        count = len(self.unknowns)
        return tuple(
            total(
                [
                    *(product(c, a) for j in range(count) for a, c in self.linear.get((i, j), {}).items()),
                    self.nonlinear[i],
                ]
            )
            for i in range(count)
        )


def evolution(equations: Sequence[Equation], t: Coordinate) -> Evolution:
    r"""Bring equations of first order in time to $\partial_t u_i = L u + N(u)$.

    Raises:
        UnsupportedProblemError: an equation has no time derivative, a higher one, several, a nonlinear or mixed mass.
    """
    residuals = [part for equation in equations for part in lower(equation.residual)]
    rows: dict[Scalar, Split] = {}
    for e in residuals:
        leaf, row = _solve_for_rate(e, t)
        if leaf in rows:
            raise UnsupportedProblemError(
                f"two equations for the time derivative of {leaf!r}", "one evolution equation a field", "combine them"
            )
        rows[leaf] = row
    unknowns = tuple(rows)
    _refuse_orphans(residuals, unknowns)
    linear: dict[tuple[int, int], dict[Scalar, Scalar]] = {}
    for i, row in enumerate(rows.values()):
        for atom, coefficient in row.linear.items():
            j = unknowns.index(_leaf(atom))
            linear.setdefault((i, j), {})[atom] = coefficient
    return Evolution(unknowns, linear, tuple(total([row.nonlinear, row.source]) for row in rows.values()))


def _leaf(atom: Scalar) -> Scalar:
    leaf = scalar_leaf(atom)
    if leaf is None:
        raise UnsupportedProblemError(f"`{atom!r}` in an evolution equation", "fields and derivatives", "rewrite it")
    return leaf


def _refuse_orphans(residuals: list[Scalar], unknowns: tuple[Scalar, ...]) -> None:
    for leaf in orders(*residuals):
        if leaf not in unknowns:
            raise UnsupportedProblemError(
                f"field {leaf!r} without an evolution equation (a constraint)",
                "a time derivative of every field",
                "use a solver for constrained systems, or eliminate the field",
            )


def _solve_for_rate(e: Scalar, t: Coordinate) -> tuple[Scalar, Split]:
    """The field whose rate this residual determines, and the rate's linear part, source and nonlinear rest."""
    parts = split(e)
    rates = [a for a in parts.linear if t in multi_index(a)]
    hidden = [a for a in atoms(parts.nonlinear) if is_unknown(a) and t in multi_index(a)]
    if hidden:
        raise UnsupportedProblemError(
            f"the time derivative `{hidden[0]!r}` inside a nonlinear term of `{e!r}`",
            "a time derivative with a coefficient free of fields",
            "divide the equation by that coefficient, or use a solver for implicit equations",
        )
    if not rates:
        raise UnsupportedProblemError(f"no time derivative in `{e!r}`", "one in every equation", "use a steady solver")
    if len(rates) > 1:
        raise UnsupportedProblemError(
            f"several time derivatives, {', '.join(map(repr, rates))}, in one equation",
            "one a equation",
            "solve for the time derivatives by hand"
            if all(len(multi_index(r)) == 1 for r in rates)
            else "use first_order(equations, t)",
        )
    (rate,) = rates
    index = multi_index(rate)
    if len(index) > 1:
        times = sum(x.digest == t.digest for x in index)
        todo = "rewrite with first_order(equations, t)" if times == len(index) else "use a solver for mixed derivatives"
        raise UnsupportedProblemError(
            f"`{rate!r}` in an evolution equation", "first order in time, no mixed term", todo
        )
    mass = parts.linear[rate]
    linear = {a: negative(ratio(c, mass)) for a, c in parts.linear.items() if a is not rate}
    row = Split(linear, negative(ratio(parts.source, mass)), negative(ratio(parts.nonlinear, mass)))
    return _leaf(rate), _clean(row)


def _clean(row: Split) -> Split:
    return Split({a: c for a, c in row.linear.items() if not is_number(c, 0)}, row.source, row.nonlinear)


def ratio(top: Scalar, bottom: Scalar) -> Scalar:
    """`top / bottom` with equal factors cancelled, as a whole or, failing that, term by term in a sum."""
    if is_number(top, 0):
        return ZERO
    if isinstance(top, Apply) and top.op is Op.NEGATIVE:
        return negative(ratio(top.operands[0], bottom))  # type: ignore[arg-type]
    above, below = _factors(top), _factors(bottom)
    for factor in list(below):
        if factor in above:
            above.remove(factor)
            below.remove(factor)
    if not below:
        return product(*above)
    rest = product(*below)
    if isinstance(top, Apply) and top.op is Op.ADD and len(above) == 1:
        return total(ratio(part, rest) for part in top.operands)  # type: ignore[arg-type]
    if isinstance(top, Apply) and top.op is Op.SUBTRACT and len(above) == 1:
        return total([ratio(top.operands[0], rest), negative(ratio(top.operands[1], rest))])  # type: ignore[arg-type]
    return quotient(product(*above), rest)


def _factors(e: Scalar) -> list[Scalar]:
    if isinstance(e, Apply) and e.op is Op.MULTIPLY:
        return [factor for arg in e.operands for factor in _factors(arg)]  # type: ignore[arg-type]
    return [] if is_number(e, 1) else [e]


RATE_SUFFIX = "_rate"
"""Name given by `first_order` to the velocity of a field."""


def rate_field(leaf: Scalar) -> Field:
    """The field that stands for the time derivative of a scalar unknown."""
    base = leaf.operands[0] if isinstance(leaf, Apply) else leaf
    suffix = "".join(str(i) for i in leaf.attr) if isinstance(leaf, Apply) else ""
    return Field(f"{base.name}{suffix}{RATE_SUFFIX}", *base.on)  # type: ignore[attr-defined]


def first_order(equations: Sequence[Equation], t: Coordinate) -> tuple[list[Equation], dict[Scalar, Field]]:
    """Rewrite second order in time as a first-order system by naming the velocities.

    Returns:
        The new equations (`u_t = w` first, then the given ones with `u_tt` replaced by `w_t`), and the velocity `w`
        of each unknown that needed one.

    Raises:
        UnsupportedProblemError: a field has three or more time derivatives.
    """
    residuals = [part for equation in equations for part in lower(equation.residual)]
    order = {leaf: along.get(t, 0) for leaf, along in orders(*residuals).items()}
    for leaf, n in order.items():
        if n > 2:
            raise UnsupportedProblemError(
                f"{n} time derivatives of {leaf!r}", "at most two", "introduce fields by hand"
            )
    velocities = {leaf: rate_field(leaf) for leaf, n in order.items() if n == 2}
    replaced = [_with_velocities(e, velocities, t) for e in residuals]
    kinematic = [derivative(leaf, t) == w for leaf, w in velocities.items()]
    return [*kinematic, *(e == 0 for e in replaced)], velocities


def _with_velocities(e: Scalar, velocities: dict[Scalar, Field], t: Coordinate) -> Scalar:
    replacements: dict[Expr, Expr] = {}
    for atom in postorder(e, stop=is_atom):
        leaf = scalar_leaf(atom) if is_atom(atom) else None
        if leaf is not None and leaf in velocities and t in multi_index(atom):
            along = list(multi_index(atom))
            along.remove(next(x for x in along if x.digest == t.digest))
            replacements[atom] = derivative(velocities[leaf], *along)
    return substitute(e, replacements)
