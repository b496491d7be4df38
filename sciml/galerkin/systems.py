r"""Several equations for several fields on a box, by least squares over the fields' own trial spaces.

Every scalar unknown has bases and face conditions of its own. Equations, tested by what the fields' derivatives span on
the nodes, and conditions that are no row of one basis must vanish together: $\min_z |D\,r(z)|^2$, one scale in D for
each statement. The rows are at least as many as the coefficients, so that constraints (a pressure, its gauge) need no
compatible spaces; QR keeps the digits that normal equations would lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.linalg import get_lapack_funcs, solve_triangular, svd

from sciml.expr.nodes import Scalar
from sciml.expr.traverse import scalar_leaf
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.rows import Rows, condition_rows, weighted_product
from sciml.galerkin.separable import derivative_orders
from sciml.galerkin.statement import AxisPoints, is_face_row
from sciml.results import RESULTS
from sciml.solver import Run

_NEW_DIRECTION = 1e-8
_SINGULAR = 1e-12
_LEAST_DAMPING = 1 / 512
_ROUND_OFF = 1e-6
_KEEP = 0.1
_WORK = 64

Coefficients = list[np.ndarray]
"""A tensor C for every field."""

Directions = list[list[np.ndarray]]
"""A matrix `(rank, directions)` for every axis of every field."""


@final
@dataclass(frozen=True, eq=False)
class System:
    """Equations and conditions in the product spaces of several fields, on common nodes.

    Attributes:
        fields: the part of each scalar unknown.
        chosen: vectors on the nodes of each axis that the equations are tested by; None lets the fields decide.
    """

    fields: tuple[Discretisation, ...]
    chosen: tuple[np.ndarray, ...] | None = None

    @cached_property
    def nodes(self) -> AxisPoints:
        """Nodes along each axis."""
        return self.fields[0].nodes

    @cached_property
    def tests(self) -> tuple[np.ndarray, ...]:
        """Orthonormal vectors on the nodes of each axis: chosen, or a span of the fields' bases and derivatives."""
        if self.chosen is not None:
            return self.chosen
        return tuple(self._spanned(k) for k in range(len(self.nodes)))

    def _spanned(self, axis: int) -> np.ndarray:
        tables = [v for f in self.fields for v in f.spaces[axis].values]
        vectors, s, _ = svd(np.hstack([v / max(np.linalg.norm(v, 2), 1e-300) for v in tables]), full_matrices=False)
        return vectors[:, s > _NEW_DIRECTION * s[0]]

    @cached_property
    def equations(self) -> tuple[Rows, ...]:
        """The equations on the nodes."""
        return tuple(Rows(e, self.nodes, self.tests) for e in self.fields[0].statement.problem.residuals)

    def conditions(self, points: AxisPoints, tests: Sequence[np.ndarray]) -> tuple[Rows, ...]:
        """Conditions that no field's spaces meet by themselves, tested on points of the axes that they leave free."""
        statement = self.fields[0].statement
        left = [c for c in statement.problem.placed_conditions if not is_face_row(c)]
        return tuple(condition_rows(c, statement, points, tests) for c in left)

    @cached_property
    def rows(self) -> tuple[Rows, ...]:
        """Everything that must vanish."""
        return (*self.equations, *self.conditions(self.nodes, self.tests))

    @cached_property
    def sizes(self) -> list[int]:
        """Free coefficients of each field."""
        return [int(np.prod([s.free for s in f.spaces])) for f in self.fields]

    def owner(self, atom: Scalar) -> int:
        """Number of the field that an atom belongs to."""
        leaf = scalar_leaf(atom)
        return next(k for k, f in enumerate(self.fields) if f.statement.unknown == leaf)

    def jets(self, C: Coefficients, atoms: Sequence[Scalar], points: AxisPoints) -> dict[Scalar, np.ndarray]:
        """Values of fields and their derivatives on a tensor grid."""
        found: dict[Scalar, np.ndarray] = {}
        for k, f in enumerate(self.fields):
            own = [a for a in atoms if self.owner(a) == k]
            if own:
                found |= f.jets(C[k], own, None if points is self.nodes else points)
        return found

    def values(self, C: Coefficients, es: Sequence[Scalar], rows: Rows, points: AxisPoints) -> list[np.ndarray]:
        """Values of expressions in the atoms of some rows on a tensor grid."""
        return self.fields[0].statement.evaluate(es, points, self.jets(C, rows.unknown_atoms, points))

    @cached_property
    def lift(self) -> Coefficients:
        """Coefficients that meet every field's face conditions."""
        return [f.lift for f in self.fields]

    def extend(self, z: np.ndarray) -> Coefficients:
        """Coefficients C of free ones, one field after the other."""
        parts = np.split(z, np.cumsum(self.sizes)[:-1])
        return [f.extend(p.reshape([s.free for s in f.spaces])) for f, p in zip(self.fields, parts, strict=True)]

    def residual(self, C: Coefficients) -> list[np.ndarray]:
        """Tested values of everything that must vanish."""
        return [r.test(self.values(C, (r.expression,), r, r.points)[0]) for r in self.rows]

    def jacobian(self, C: Coefficients) -> list[np.ndarray]:
        """Derivative of each of `residual` with respect to the free coefficients."""
        return [self.row_jacobian(r, C) for r in self.rows]

    @cached_property
    def trials(self) -> Directions:
        """The trial spaces of every field."""
        return [[s.trial for s in f.spaces] for f in self.fields]

    def row_jacobian(self, rows: Rows, C: Coefficients, directions: Directions | None = None) -> np.ndarray:
        """Derivative of some rows with respect to the amounts of directions of the first fields, or of all.

        Args:
            rows: what must vanish.
            C: where.
            directions: of the first fields; None stands for the trial spaces of all.
        """
        directions = self.trials if directions is None else directions
        starts = np.cumsum([0, *(int(np.prod([m.shape[1] for m in own])) for own in directions)])
        J = np.zeros((rows.count, starts[-1]))
        slopes = self.values(C, tuple(rows.slopes.values()), rows, rows.points)
        for atom, weights in zip(rows.slopes, slopes, strict=True):
            k = self.owner(atom)
            if k >= len(directions):
                continue
            tables = [t @ m for t, m in zip(self.tables(k, atom, rows.points), directions[k], strict=True)]
            J[:, starts[k] : starts[k + 1]] += weighted_product(weights, rows.tests, tables)
        return J

    def tables(self, field: int, atom: Scalar, points: AxisPoints) -> list[np.ndarray]:
        """Basis functions of every axis, differentiated as an atom is, at points."""
        f = self.fields[field]
        orders = derivative_orders(atom, f.statement.axes)
        return [
            s.values[p] if at is own else s.basis.at(at, p)[p]
            for s, p, at, own in zip(f.spaces, orders, points, self.nodes, strict=True)
        ]


@final
@dataclass(frozen=True, eq=False)
class LeastSquares:
    """A matrix of full column rank, scaled and factored, $D J S = QR$.

    Attributes:
        reflectors, tau: Q as Householder's reflectors.
        triangle: R.
        rows: D, the scale of every row.
        columns: S, the scale of every column.
        condition: reciprocal condition number of R.
    """

    reflectors: np.ndarray
    tau: np.ndarray
    triangle: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    condition: float

    def solve(self, target: np.ndarray) -> np.ndarray:
        """The z that makes $|D(Jz - \\text{target})|$ least."""
        (apply,) = get_lapack_funcs(("ormqr",), (self.reflectors,))
        rotated = apply("L", "T", self.reflectors, self.tau, (self.rows * target)[:, None], _WORK * self.rows.size)[0]
        n = self.columns.size
        return self.columns * solve_triangular(self.triangle, rotated[:n, 0], check_finite=False)


def factorise(blocks: Sequence[np.ndarray]) -> LeastSquares:
    """Factor a matrix given by blocks of rows, each block scaled to unit size."""
    scales = np.concatenate([np.full(b.shape[0], 1 / max(np.linalg.norm(b), 1e-300)) for b in blocks])
    J = scales[:, None] * np.concatenate(blocks)
    columns = 1 / np.maximum(np.linalg.norm(J, axis=0), 1e-300)
    factor, estimate = get_lapack_funcs(("geqrf", "trcon"), (J,))
    reflectors, tau, *_ = factor(np.asfortranarray(J * columns), lwork=_WORK * columns.size, overwrite_a=True)
    triangle = np.triu(reflectors[: columns.size])
    condition, _ = estimate(triangle)
    return LeastSquares(reflectors, tau, triangle, scales, columns, float(condition))


@final
@dataclass(frozen=True, eq=False)
class SystemOutcome:
    """Coefficients where the iteration ended, how, after how many steps, and the last factorisation."""

    coefficients: Coefficients
    result: RESULTS
    iterations: int
    factor: LeastSquares | None


def gauss_newton(system: System, start: Coefficients, *, rtol: float, most_steps: int, run: Run) -> SystemOutcome:
    """Solve a system from coefficients that meet the face conditions.

    Each step is a least-squares solution; a factorisation serves as long as it makes corrections fall by ten.

    Args:
        system: the discrete problem.
        start: first coefficients.
        rtol: size of a correction, relative to the coefficients, at which the iteration ends.
        most_steps: bound on steps.
        run: its budget and callback are heeded between steps.
    """
    C, before, factor = start, np.inf, None
    for step in range(1, most_steps + 1):
        if factor is None:
            blocks = system.jacobian(C)
            if sum(b.shape[0] for b in blocks) < blocks[0].shape[1]:
                return SystemOutcome(C, RESULTS.linear_solve_failed, step, None)
            if not all(np.isfinite(b).all() for b in blocks):
                return SystemOutcome(C, RESULTS.nonfinite, step, None)
            factor = factorise(blocks)
            if factor.condition < _SINGULAR:
                return SystemOutcome(C, RESULTS.linear_solve_failed, step, factor)
        correction = factor.solve(-np.concatenate(system.residual(C)))
        if not np.all(np.isfinite(correction)):
            return SystemOutcome(C, RESULTS.nonfinite, step, factor)
        damping, C = _damped(system, factor, C, correction)
        if damping == 0:
            return SystemOutcome(C, RESULTS.stagnated, step, factor)
        size = float(np.linalg.norm(correction)) / max(_length(C), np.finfo(float).tiny)
        if damping == 1 and (size <= rtol or (size <= _ROUND_OFF and size > before / 4)):
            return SystemOutcome(C, RESULTS.successful, step, factor)
        if damping < 1 or size > _KEEP * before or step == 1:
            factor = factor if _is_linear(system) else None
        before = size
        if run.is_over:
            return SystemOutcome(C, RESULTS.budget_exhausted, step, factor)
        if run.callback is not None and run.callback(C):
            return SystemOutcome(C, RESULTS.interrupted, step, factor)
    return SystemOutcome(C, RESULTS.max_steps_reached, most_steps, factor)


def _is_linear(system: System) -> bool:
    return all(r.parts.is_linear for r in system.rows)


def _length(C: Coefficients) -> float:
    return float(np.sqrt(sum(np.sum(c**2) for c in C)))


def _damped(
    system: System, factor: LeastSquares, C: Coefficients, correction: np.ndarray
) -> tuple[float, Coefficients]:
    """The longest of the steps 1, 1/2, 1/4 … that lowers the preconditioned residual; 0 if none does."""
    step, size = system.extend(correction), float(np.linalg.norm(correction))
    floor = _ROUND_OFF * max(_length(C), size)
    damping = 1.0
    while damping >= _LEAST_DAMPING:
        moved = [c + damping * d for c, d in zip(C, step, strict=True)]
        length = np.linalg.norm(factor.solve(-np.concatenate(system.residual(moved))))
        if np.isfinite(length) and (length <= (1 - damping / 4) * size or length <= floor):
            return damping, moved
        damping /= 2
    return 0.0, C
