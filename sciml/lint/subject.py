"""What the rules ask about a problem: orders of derivatives, how equations couple, conditions by place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from scipy.optimize import linear_sum_assignment

from sciml.conditions import PlacedCondition
from sciml.domains.box import Box
from sciml.domains.regions import Side
from sciml.errors import LoweringError
from sciml.expr.coefficients import INFINITELY_SMOOTH
from sciml.expr.equation import Equation
from sciml.expr.leaves import Coefficient
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown, leaves, multi_index, scalar_leaf, substitute
from sciml.lint.host import Numbers
from sciml.problem import Problem

ABSENT = -1
"""Order of an unknown in an equation that does not contain it."""


@final
@dataclass(frozen=True)
class _SmoothTwin:
    """Payload of a coefficient that stands for a rough one where only orders of derivatives are asked for."""

    smoothness: int = INFINITELY_SMOOTH


@final
@dataclass(frozen=True, eq=False)
class Subject:
    """A problem, with the facts that several rules need computed once."""

    problem: Problem

    @cached_property
    def residuals(self) -> tuple[Scalar, ...]:
        """Lowered residuals; coefficients that must not be differentiated are taken to be smooth."""
        try:
            return self.problem.residuals
        except LoweringError:
            return tuple(part for equation in self.problem.equations for part in _lower_smooth(equation))

    @cached_property
    def is_rough(self) -> bool:
        """Whether the equations differentiate a coefficient that has no derivative."""
        return any(
            isinstance(leaf, Coefficient) and isinstance(leaf.payload, _SmoothTwin) for leaf in leaves(*self.residuals)
        )

    @property
    def unknowns(self) -> tuple[Scalar, ...]:
        """Scalar unknowns of the equations."""
        return self.problem.unknowns

    @property
    def is_square(self) -> bool:
        """Whether there are as many scalar equations as scalar unknowns."""
        return len(self.residuals) == len(self.unknowns)

    @cached_property
    def box(self) -> Box | None:
        """The domain where it is a box; rules that need faces or cheap points are silent elsewhere."""
        return self.problem.domain if isinstance(self.problem.domain, Box) else None

    @property
    def time(self) -> Coordinate | None:
        """The time coordinate."""
        return self.problem.time

    @cached_property
    def axes(self) -> tuple[Coordinate, ...]:
        """Spatial coordinates along which some unknown is differentiated."""
        return tuple(x for x in self.problem.space if any(self.order(u, x) > 0 for u in self.unknowns))

    @cached_property
    def _orders(self) -> list[dict[Scalar, dict[str, int]]]:
        return [_derivative_orders(residual) for residual in self.residuals]

    def order_in(self, equation: int, unknown: Scalar, x: Coordinate) -> int:
        """Highest derivative along `x` of an unknown in one equation; `ABSENT` if the unknown is not there."""
        own = self._orders[equation].get(unknown)
        return ABSENT if own is None else own.get(x.name, 0)

    def order(self, unknown: Scalar, x: Coordinate) -> int:
        """Highest derivative along `x` of an unknown in any equation."""
        return max((self.order_in(i, unknown, x) for i in range(len(self.residuals))), default=0)

    def total_order(self, x: Coordinate) -> int | None:
        r"""Jacobi's number of the system along `x`: how many conditions it takes there.

        The order of a determined system of ordinary differential equations is at most
        $\max_\sigma \sum_i \operatorname{ord}_{x}(e_i, u_{\sigma(i)})$ over the pairings σ of equations with unknowns,
        with equality unless leading terms cancel (C. G. J. Jacobi, De investigando ordine systematis aequationum
        differentialium vulgarium cujuscunque, J. reine angew. Math. 64, 1865). None if no pairing exists.
        """
        if not self.is_square:
            return None
        n = len(self.unknowns)
        table = np.array([[self.order_in(i, u, x) for u in self.unknowns] for i in range(n)])
        weights = np.where(table == ABSENT, -1_000_000, table)
        rows, columns = linear_sum_assignment(weights, maximize=True)
        total = int(weights[rows, columns].sum())
        return total if total >= 0 else None

    def own_equation(self, unknown: Scalar, x: Coordinate) -> int | None:
        """The one equation that differentiates this unknown along `x`, where it differentiates no other; else None."""
        holding = [i for i in range(len(self.residuals)) if self.order_in(i, unknown, x) > 0]
        if len(holding) != 1:
            return None
        others = any(self.order_in(holding[0], v, x) > 0 for v in self.unknowns if v.digest != unknown.digest)
        return None if others else holding[0]

    @cached_property
    def conditions(self) -> tuple[PlacedCondition, ...]:
        """Distinct scalar conditions on places."""
        found = {(c.residual.digest, c.place.digest): c for c in self.problem.placed_conditions}
        return tuple(found.values())

    @cached_property
    def numbers(self) -> Numbers:
        """Values of what the problem knows."""
        return Numbers(self.problem)

    @cached_property
    def _spoken(self) -> list[set[Scalar]]:
        return [unknowns_in(c.residual) for c in self.conditions]

    def at_end(self, x: Coordinate, side: Side, unknown: Scalar) -> list[PlacedCondition]:
        """Conditions that speak of an unknown on the face at one end of a coordinate."""
        return [
            c
            for c, spoken in zip(self.conditions, self._spoken, strict=True)
            if c.place.side is side and c.place.axis is not None and c.place.axis.name == x.name and unknown in spoken
        ]

    def between_places(self, x: Coordinate, unknown: Scalar) -> list[PlacedCondition]:
        """Conditions on values at places along `x`, such as periodic pairs, written with `at`."""
        return [c for c, tied in self._tied if (x.name, unknown) in tied]

    @cached_property
    def _tied(self) -> list[tuple[PlacedCondition, set[tuple[str, Scalar]]]]:
        tied = [(c, _placed_values(c.residual)) for c in self.conditions]
        return [(c, values) for c, values in tied if values]


def _derivative_orders(residual: Scalar) -> dict[Scalar, dict[str, int]]:
    """Highest derivative by coordinate name of every unknown; point values and integrals count as undifferentiated."""
    result: dict[Scalar, dict[str, int]] = {}
    for atom in atoms(residual):
        if not is_unknown(atom):
            continue
        functional = isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL)
        for leaf in _leaves_of(atom):
            own = result.setdefault(leaf, {})
            index = [] if functional else [x.name for x in multi_index(atom)]
            for name in index:
                own[name] = max(own.get(name, 0), index.count(name))
    return result


def _leaves_of(atom: Scalar) -> Iterable[Scalar]:
    if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
        return [leaf for inner in atoms(*atom.operands) if is_unknown(inner) for leaf in _leaves_of(inner)]
    leaf = scalar_leaf(atom)
    return [] if leaf is None else [leaf]


def unknowns_in(*residuals: Scalar) -> set[Scalar]:
    """Scalar unknowns whose values occur in lowered scalars."""
    return {leaf for atom in atoms(*residuals) if is_unknown(atom) for leaf in _leaves_of(atom)}


def _placed_values(residual: Scalar) -> set[tuple[str, Scalar]]:
    """Pairs of a coordinate's name and an unknown whose value at a place along it occurs in a lowered scalar."""
    placed = [atom for atom in atoms(residual) if isinstance(atom, Apply) and atom.op is Op.AT]
    return {(x.name, unknown) for atom in placed for x, _ in atom.attr for unknown in unknowns_in(atom)}


def _lower_smooth(equation: Equation) -> tuple[Scalar, ...]:
    residual: Expr = equation.residual
    rough: dict[Any, Expr] = {
        leaf: Coefficient(leaf.name, *leaf.on, payload=_SmoothTwin())
        for leaf in leaves(residual)
        if isinstance(leaf, Coefficient)
    }
    return lower(substitute(residual, rough))
