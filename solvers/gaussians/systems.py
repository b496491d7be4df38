r"""Systems of steady fields on a tensor lattice, by least squares over all of them together.

The lattice grows as long as that pays; where it does not because the residual piles up at ends of the box, it is made
finer there. At corners that a flow turns around, or where a lid meets a wall, the residual of the equations is
unbounded and no measure of the error; there a solution is judged by its change $d$ from a lattice with $1/g$ of the
cells: an error that falls with at least the first order is at most $d/(g-1)$.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from sciml.galerkin.certificate import Certificate, between_nodes
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.fields import Fields
from sciml.galerkin.kronecker import kronecker, outer
from sciml.galerkin.rows import Rows
from sciml.galerkin.statement import AxisPoints, Statement
from sciml.galerkin.system_certificate import certify_system, residual_and_terms
from sciml.galerkin.systems import Coefficients, System, gauss_newton
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solver import Run
from solvers.gaussians.ends import finer_at, piled_ends, sharper
from solvers.gaussians.representation import TensorFields, slab_of
from solvers.gaussians.spaces import AxisLattice, axis_space

MOST_COEFFICIENTS = 4000
"""Of a dense factorisation."""
_FIRST_CELLS = 12
_GROWTH = 1.25
_SMOOTH = 3.0
"""Order of convergence below which something is not smooth."""
_MOST_TRIES = 16
_ALGEBRA, _STEPS = 1e-9, 40
_RESOLVED = 0.1
"""Relative residual above which an estimated error says nothing."""
_DEARER = 6
"""Seconds grow with this power of the cells of an axis, for two axes."""
_POINTS = 40
_NEGLIGIBLE = 1e-6
"""A field of less than this part of the largest counts as of that size."""


@final
@dataclass(frozen=True, eq=False)
class SystemAttempt:
    """A solution on one lattice.

    Attributes:
        system: spaces in which it was sought.
        covers: lattice of each axis.
        coefficients: C of each field.
        certificate: residuals between the nodes.
        outcome: how the algebra ended.
        iterations: Gauss–Newton steps so far.
        error: estimated, of the field that changed most from the lattice before, relative to its size.
    """

    system: System
    covers: tuple[AxisLattice, ...]
    coefficients: Coefficients
    certificate: Certificate
    outcome: RESULTS
    iterations: int
    error: float

    @property
    def converged(self) -> bool:
        """Whether the algebra ended well."""
        return self.outcome in (RESULTS.successful, RESULTS.stagnated)

    def fields(self) -> Fields:
        """As a representation."""
        parts = []
        for f, C in zip(self.system.fields, self.coefficients, strict=True):
            names, unknown = tuple(x.name for x in f.statement.axes), repr(f.statement.unknown)
            parts.append(TensorFields((slab_of(f, C),), names, unknown, -1))
        return Fields(tuple(parts))

    def verdict(self, accepted: float) -> RESULTS:
        """How it ended: successful if the residual is small, or moderate and the estimated error small."""
        if not self.converged:
            return self.outcome
        solved = self.certificate.worst <= accepted
        settled = self.certificate.worst <= _RESOLVED and self.error <= accepted
        return RESULTS.successful if solved or settled else RESULTS.under_resolved


def solve_system(problem: Problem, tolerance: float, run: Run) -> SystemAttempt:
    """The solution on the finest lattice that limits and budget allow, or that meets the tolerance."""
    parts = tuple(Statement(problem, index=i) for i in range(len(problem.unknowns)))
    covers = tuple(AxisLattice(_FIRST_CELLS) for _ in parts[0].axes)
    best = found = _attempt(discretise(parts, covers), covers, run, None)
    smooth, tried = True, 0.0
    for _ in range(_MOST_TRIES):
        if min(found.certificate.worst, found.error) <= tolerance or run.is_over:
            break
        if run.remaining is not None and _GROWTH**_DEARER * tried > run.remaining:
            break
        covers = _finer(found, smooth)
        system = discretise(parts, covers)
        if sum(system.sizes) > MOST_COEFFICIENTS:
            break
        begun = perf_counter()
        fresh = _attempt(system, covers, run, found)
        tried = perf_counter() - begun
        smooth = fresh.certificate.worst <= _GROWTH**-_SMOOTH * found.certificate.worst
        if fresh.converged or not best.converged:
            best = fresh
        found = fresh
    return best


def discretise(parts: tuple[Statement, ...], covers: tuple[AxisLattice, ...]) -> System:
    """Spaces of all fields on the same lattices."""
    return System(
        tuple(Discretisation(p, tuple(axis_space(p, k, cover) for k, cover in enumerate(covers))) for p in parts)
    )


def _finer(found: SystemAttempt, smooth: bool) -> tuple[AxisLattice, ...]:
    """More cells; or as many, finer at ends where the residual piles up, if more of them have not paid."""
    statement = found.system.fields[0].statement
    bounds = [statement.bounds(k) for k in range(len(found.covers))]
    energy = _energy(found)
    ends = [(False, False) if smooth or statement.is_periodic(k) else piled_ends(energy, k) for k in range(len(bounds))]
    covers = tuple(finer_at(c, b, e) for c, b, e in zip(found.covers, bounds, ends, strict=True))
    if any(new is not old for new, old in zip(covers, found.covers, strict=True)):
        return covers
    return tuple(sharper(c, b, e, _GROWTH) for c, b, e in zip(found.covers, bounds, ends, strict=True))


def _energy(found: SystemAttempt) -> np.ndarray:
    """Squared residuals of all equations, relative to their largest terms, integrated over cells between the nodes."""
    points = between_nodes(found.system.fields[0])
    every, shape = tuple(np.eye(p.size) for p in points), [p.size for p in points]
    total = np.zeros(shape)
    for rows in found.system.equations:
        residual, terms = residual_and_terms(found.system, found.coefficients, Rows(rows.expression, points, every))
        size = max(float(np.max(np.abs(t), initial=0.0)) for t in terms)
        total += np.broadcast_to(residual / max(size, np.finfo(float).tiny), shape) ** 2
    return total * outer([np.gradient(p) for p in points])


def _attempt(
    system: System, covers: tuple[AxisLattice, ...], run: Run, previous: SystemAttempt | None
) -> SystemAttempt:
    """Solve on given lattices, from a solution on others if there is one."""
    start, done = system.lift, 0
    if previous is not None:
        done = previous.iterations
        if previous.outcome.has_solution:
            pairs = zip(system.fields, previous.system.fields, previous.coefficients, strict=True)
            start = [new.transferred(old, C) for new, old, C in pairs]
    outcome = gauss_newton(system, start, rtol=_ALGEBRA, most_steps=_STEPS, run=run)
    C, done = outcome.coefficients, done + outcome.iterations
    if not outcome.result.has_solution:
        return SystemAttempt(system, covers, C, Certificate(np.inf, np.inf), outcome.result, done, np.inf)
    known = previous is not None and previous.converged
    error = _change(previous, system, C) / (_GROWTH - 1) if known and previous is not None else np.inf
    return SystemAttempt(system, covers, C, certify_system(system, C), outcome.result, done, error)


def _change(previous: SystemAttempt, system: System, C: Coefficients) -> float:
    """Largest relative root mean square difference of a field from the attempt before."""
    statement = system.fields[0].statement
    middle = (np.arange(_POINTS) + 0.5) / _POINTS
    points: AxisPoints = [a + (b - a) * middle for a, b in (statement.bounds(k) for k in range(len(statement.axes)))]
    here = [_values(f, c, points) for f, c in zip(system.fields, C, strict=True)]
    there = [_values(f, c, points) for f, c in zip(previous.system.fields, previous.coefficients, strict=True)]
    sizes = [float(np.linalg.norm(v)) for v in here]
    least = max(_NEGLIGIBLE * max(sizes), np.finfo(float).tiny)
    return max(float(np.linalg.norm(a - b)) / max(size, least) for a, b, size in zip(here, there, sizes, strict=True))


def _values(discrete: Discretisation, C: np.ndarray, points: AxisPoints) -> np.ndarray:
    return kronecker([s.basis.at(p)[0] for s, p in zip(discrete.spaces, points, strict=True)], C)
