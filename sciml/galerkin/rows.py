r"""What must vanish on a tensor grid of points, tested by the columns of one matrix an axis.

An equation on the nodes is of that form, and so is any condition that is no row of one field's basis: a gauge is a
quadrature, $\int u - g$ tested by its weights; a traction ties several fields on the points of a face. With values
$e(x_m, y_n, \dots)$ and tests $T_1, T_2, \dots$ the rows are $\sum_{mn\dots} T_1^{mi} T_2^{nj}\cdots e$, and their
derivative with respect to coefficients of $\sum_{kl\dots} z_{kl\dots}\,p_k(x)q_l(y)\cdots$ is a weighted Kronecker
product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from sciml.conditions import PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.linear import Split, linearise, split
from sciml.expr.nodes import Apply, Constant, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import product, quotient, total
from sciml.expr.traverse import atoms, is_unknown, multi_index
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.statement import AxisPoints, Statement


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """A lowered scalar that must vanish, where, and by what it is tested.

    Attributes:
        expression: e.
        points: along each axis.
        tests: of each axis, `(points, functions)`.
    """

    expression: Scalar
    points: AxisPoints
    tests: tuple[np.ndarray, ...]

    @cached_property
    def slopes(self) -> dict[Scalar, Scalar]:
        """Derivative of e with respect to each unknown atom."""
        return linearise(self.expression)

    @cached_property
    def parts(self) -> Split:
        """Linear part, source and nonlinear rest of e."""
        return split(self.expression)

    @cached_property
    def unknown_atoms(self) -> tuple[Scalar, ...]:
        """Fields and their derivatives, as far as they occur."""
        return tuple(a for a in atoms(self.expression) if is_unknown(a))

    @property
    def count(self) -> int:
        """How many rows these are."""
        return int(np.prod([t.shape[1] for t in self.tests]))

    def test(self, values: np.ndarray) -> np.ndarray:
        """Rows of values on the points, which they broadcast to, one after the other."""
        full = np.broadcast_to(values, [p.size for p in self.points])
        return kronecker([t.T for t in self.tests], full).ravel()


def weighted_product(weights: np.ndarray, left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> np.ndarray:
    r"""The matrix $\sum_{mn\dots} L_1^{mi}L_2^{nj}\cdots w_{mn\dots}\,R_1^{mk}R_2^{nl}\cdots$.

    Args:
        weights: w on the tensor grid; length 1 along an axis on which it is constant.
        left: of each axis, `(points, functions)`.
        right: likewise.

    Returns:
        `(product of left functions, product of right functions)`.
    """
    value = weights.reshape((1,) * (len(left) - weights.ndim) + weights.shape)
    for a, b in zip(left, right, strict=True):
        if value.shape[0] == 1:
            table = (a.T @ b).reshape(1, -1)
        else:
            table = (a[:, :, None] * b[:, None, :]).reshape(a.shape[0], -1)
        value = np.tensordot(value, table, axes=(0, 0))
    shape = [n for a, b in zip(left, right, strict=True) for n in (a.shape[1], b.shape[1])]
    order = [*range(0, len(shape), 2), *range(1, len(shape), 2)]
    rows = int(np.prod(shape[::2]))
    return np.ascontiguousarray(value.reshape(shape).transpose(order)).reshape(rows, -1)


def condition_obstacle(condition: PlacedCondition) -> str | None:
    """Why a condition cannot be rows, as the end of a sentence; None if it can."""
    parts = split(condition.residual)
    unknown = [a for a in atoms(condition.residual) if is_unknown(a)]
    if any(isinstance(a, Apply) and a.op is Op.AT for a in unknown):
        return "which speaks of another place than its own"
    integrals = [a for a in unknown if isinstance(a, Apply) and a.op is Op.INTEGRAL]
    if integrals:
        over = {a.attr for a in integrals}
        if len(over) > 1 or len(integrals) < len(unknown) or not parts.is_linear:
            return "whose integrals are not alone, linear and over the same coordinates"
        if any(multi_index(a) for a in integrals):
            return "which differentiates an integral"
    return None


def condition_rows(
    condition: PlacedCondition, statement: Statement, nodes: AxisPoints, tests: Sequence[np.ndarray]
) -> Rows:
    """Rows of a condition: at its place's fixed coordinates, over those of its integrals, tested along the others.

    Args:
        condition: without obstacle.
        statement: gives the box.
        nodes: along each axis.
        tests: along each axis, for the coordinates that stay free.
    """
    fixed = {x.name: where for x, where in condition.place.fixed}
    integrals = [a for a in atoms(condition.residual) if is_unknown(a) and isinstance(a, Apply) and a.op is Op.INTEGRAL]
    over = {x.name for a in integrals for x in a.attr}
    points, chosen, volume = [], [], 1.0
    for k, x in enumerate(statement.axes):
        lower, upper = statement.bounds(k)
        if x.name in fixed:
            where = fixed[x.name]
            at = (upper if where is Side.UPPER else lower) if isinstance(where, Side) else where
            points.append(np.array([at]))
            chosen.append(np.ones((1, 1)))
        elif x.name in over:
            p, w = np.polynomial.legendre.leggauss(nodes[k].size)
            points.append(lower + (upper - lower) * (p + 1) / 2)
            chosen.append((upper - lower) / 2 * w[:, None])
            volume *= upper - lower
        else:
            points.append(nodes[k])
            chosen.append(tests[k])
    expression = _under_the_integral(condition.residual, volume) if integrals else condition.residual
    return Rows(expression, points, tuple(chosen))


def _under_the_integral(e: Scalar, volume: float) -> Scalar:
    r"""The integrand h of $e = \int h$, where e is linear in integrals over the same coordinates."""
    parts = split(e)
    inside = [product(c, integrand) for a, c in parts.linear.items() if isinstance(integrand := a.args[0], Scalar)]
    return total([*inside, quotient(parts.source, Constant(volume))])
