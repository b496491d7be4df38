r"""The discrete problem: coefficients C of $u = \sum C_{ij\dots}\psi_i(x_1)\psi_j(x_2)\cdots$, and its direct solution.

Conditions are met exactly by a Boolean sum of the axes' lifts (a Coons patch in the eigenbasis); what remains, the
tensor z of the trial spaces, solves $W^TQ^T e(u) = 0$.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from sciml.expr.linear import terms
from sciml.expr.nodes import Scalar
from sciml.galerkin.inverse import WELL_CONDITIONED, SeparableInverse, separable_inverse
from sciml.galerkin.kronecker import along, kronecker
from sciml.galerkin.separable import KroneckerOperator, derivative_orders, read_operator
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import AxisPoints, Statement

_LARGEST_SLAB = 1 << 20


@final
@dataclass(frozen=True, eq=False)
class Discretisation:
    """A statement in the product of the axes' spaces.

    Attributes:
        statement: what is solved.
        spaces: one for each axis.
    """

    statement: Statement
    spaces: tuple[AxisSpace, ...]

    @property
    def nodes(self) -> AxisPoints:
        """Nodes along each axis."""
        return [s.basis.nodes for s in self.spaces]

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes along each axis, counted."""
        return tuple(n.size for n in self.nodes)

    def jets(
        self, C: np.ndarray, atoms: Sequence[Scalar], points: AxisPoints | None = None
    ) -> dict[Scalar, np.ndarray]:
        """Values of the unknown and its derivatives on the nodes, or on another tensor grid."""
        if points is None:
            tables = [s.values for s in self.spaces]
        else:
            tables = [s.basis.at(p, max(s.order, 1)) for s, p in zip(self.spaces, points, strict=True)]
        axes = self.statement.axes
        return {
            a: kronecker([table[p] for table, p in zip(tables, derivative_orders(a, axes), strict=True)], C)
            for a in atoms
        }

    def history(self, C: np.ndarray) -> Callable[[int, AxisPoints], np.ndarray]:
        """A solution as what was there before the next slab of time; see `Statement.before`."""
        pairs = list(zip(self.statement.axes, self.spaces, strict=True))

        def before(order: int, points: AxisPoints) -> np.ndarray:
            orders = [order if x.is_time else 0 for x, _ in pairs]
            rows = [s.basis.at(np.asarray(p), n)[n] for (_, s), n, p in zip(pairs, orders, points, strict=True)]
            return kronecker(rows, C)

        return before

    def residual(self, C: np.ndarray, points: AxisPoints | None = None) -> np.ndarray:
        """The equation's residual on the nodes, or on another tensor grid."""
        jets = self.jets(C, self.statement.unknown_atoms, points)
        where = self.nodes if points is None else points
        return self.on_grid(self.statement.evaluate((self.statement.residual,), where, jets)[0], where)

    def on_grid(self, values: np.ndarray, points: AxisPoints | None = None) -> np.ndarray:
        """Values broadcast to a full tensor grid."""
        return np.broadcast_to(values, [p.size for p in (points or self.nodes)])

    def test(self, values: np.ndarray) -> np.ndarray:
        """$W^TQ^T$ of values on the nodes, along every axis."""
        return kronecker([s.test.T @ s.values[0].T for s in self.spaces], values)

    def projected(self, values: Callable[[AxisPoints], np.ndarray]) -> tuple[np.ndarray, float]:
        """$Q^T$ of values on the nodes, along every axis, and their sum of squares; in slabs, to bound the memory.

        Args:
            values: of points along each axis, on their tensor grid.
        """
        first, *others = self.nodes
        rows = max(_LARGEST_SLAB // int(np.prod(self.shape[1:])), 1)
        result, energy = np.zeros([s.basis.rank for s in self.spaces]), 0.0
        for start in range(0, first.size, rows):
            part = slice(start, start + rows)
            slab = np.asarray(self.on_grid(values([first[part], *others]), [first[part], *others]), float)
            vectors = [self.spaces[0].basis.vectors[part], *(s.basis.vectors for s in self.spaces[1:])]
            result += kronecker([q.T for q in vectors], slab)
            energy += float(np.sum(slab**2))
        return result, energy

    def extend(self, z: np.ndarray) -> np.ndarray:
        """Coefficients C of an element of the trial spaces."""
        return kronecker([s.trial for s in self.spaces], z)

    def transferred(self, other: Discretisation, C: np.ndarray) -> np.ndarray:
        """Coefficients here of a field with coefficients C in other spaces, made to meet the conditions here."""
        values = kronecker([s.basis.at(n)[0] for s, n in zip(other.spaces, self.nodes, strict=True)], C)
        return self.met(kronecker([s.basis.vectors.T for s in self.spaces], values))

    def met(self, C: np.ndarray) -> np.ndarray:
        """Coefficients near C that meet the conditions."""
        return self.lift + kronecker([s.trial @ s.trial.T for s in self.spaces], C - self.lift)

    @cached_property
    def traces(self) -> list[np.ndarray]:
        """Coefficients of each condition's data: along its own axis length 1."""
        result = []
        for face in self.statement.faces:
            data = self.statement.trace(face, self.nodes)
            result.append(kronecker([None if k == face.axis else s.analysis for k, s in enumerate(self.spaces)], data))
        return result

    @cached_property
    def lift(self) -> np.ndarray:
        """Coefficients that meet every condition: axis after axis, corrected by what is still missing."""
        C = np.zeros([s.basis.rank for s in self.spaces])
        for k, space in enumerate(self.spaces):
            mine = [t for f, t in zip(self.statement.faces, self.traces, strict=True) if f.axis == k]
            if mine:
                C = C + along(space.lift, np.concatenate(mine, axis=k) - along(space.constraint, C, k), k)
        return C

    @cached_property
    def operator(self) -> KroneckerOperator:
        """The linear part; sums in a coefficient are factored term by term."""
        pairs = [(a, part) for a, c in self.statement.parts.linear.items() for part in terms(c)]
        values = self.statement.evaluate([part for _, part in pairs], self.nodes)
        return self.read_values(zip((a for a, _ in pairs), values, strict=True))

    def read_values(
        self, slopes: Mapping[Scalar, np.ndarray] | Iterable[tuple[Scalar, np.ndarray]]
    ) -> KroneckerOperator:
        """Kronecker form of $\\sum_a s_a a$ from values of its coefficients on the nodes."""
        pairs: Iterable[Any] = slopes.items() if isinstance(slopes, Mapping) else slopes
        return read_operator(pairs, self.statement.axes, self.shape)

    def invert(self, operator: KroneckerOperator, limit: float = WELL_CONDITIONED) -> SeparableInverse | None:
        """Inverse of a separable operator in the trial and test spaces; None if it has no fast one within the limit."""
        matrices = [s.matrices(key[k] for key in operator.terms) for k, s in enumerate(self.spaces)]
        return separable_inverse(operator.terms, matrices, [s.modes for s in self.spaces], limit)

    @cached_property
    def projected_source(self) -> np.ndarray:
        """$Q^T$ of the part of the residual free of unknowns."""
        sources = (self.statement.parts.source,)
        return self.projected(lambda points: self.statement.evaluate(sources, points)[0])[0]

    @cached_property
    def source(self) -> np.ndarray:
        """The part of the residual free of unknowns, on the nodes."""
        return self.on_grid(self.statement.evaluate((self.statement.parts.source,), self.nodes)[0])


def apply_projected(spaces: Sequence[AxisSpace], operator: KroneckerOperator, C: np.ndarray) -> np.ndarray:
    """$W^TQ^T L u$ by products within the bases: no grid is visited."""
    result = np.zeros([s.test.shape[1] for s in spaces])
    for key, c in operator.terms.items():
        result += c * kronecker([s.test.T @ s.project(f) for s, f in zip(spaces, key, strict=True)], C)
    return result


def solve_directly(discrete: Discretisation, inverse: SeparableInverse, refinements: int = 1) -> np.ndarray:
    """Coefficients of the solution of a linear separable equation.

    Args:
        discrete: the discrete problem; its operator is exact.
        inverse: of that operator.
        refinements: steps of iterative refinement.
    """
    target = -kronecker([s.test.T for s in discrete.spaces], discrete.projected_source)
    C = discrete.lift
    for _ in range(1 + refinements):
        C = C + discrete.extend(inverse(target - apply_projected(discrete.spaces, discrete.operator, C)))
    return C
