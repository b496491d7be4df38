"""Fixed Gaussian centres on a tensor lattice: refine by the residual between the nodes, go on in slabs of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from time import perf_counter
from typing import final

import numpy as np

from sciml.galerkin.certificate import Certificate, certify, rms
from sciml.galerkin.discretisation import Discretisation, solve_directly
from sciml.galerkin.kronecker import along, kronecker
from sciml.galerkin.newton import NewtonOutcome, fast_inverse, leading_inverse, newton
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import Statement
from sciml.progress import progress
from sciml.results import RESULTS
from sciml.solver import Run
from solvers.gaussians.layers import find_layers, is_other
from solvers.gaussians.representation import Slab, slab_of
from solvers.gaussians.spaces import AxisLattice, axis_space

_FIRST_CELLS, _FIRST_CELLS_PERIODIC, _TIME_CELLS = 16, 32, 8
_GROWTH = 1.4
_PAYS = 0.85
"""Order of convergence above which refinement pays: about the first."""
_MOST_TRIES = 14
_SEEN = 0.5
"""Relative residual below which the layers of a solution are believed."""
_ASYMPTOTIC = 0.03
"""Relative residual above which nothing is resolved yet, so that its decrease says nothing about refinement."""
_ROUND_OFF = 1e-5
"""Relative residual below which one that grows with refinement is round-off."""
_FIRST_SLAB = 1 / 8
_SHORTEST_SLAB = 1 / 4096
_EASY = 1 / 30
_LONGER = 1.5
_DEARER = 3.5
"""Seconds grow with this power of the cells, about."""
_SPENT = 0.5
"""Part of a slab's share of the budget that refinement may take: later slabs are often dearer."""
_SINGULAR = 1e-14
_ALGEBRA, _NEWTON_STEPS = 1e-3, 20
"""Tolerance of Newton's method, relative to that of the residual; bound on its steps."""


@final
@dataclass(frozen=True)
class TensorLimits:
    """When refinement ends.

    Attributes:
        tolerance: residual between the nodes, relative to the largest term, at which a lattice is fine enough.
        most_cells: of one axis.
        most_unknowns: coefficients of one slab.
        hopeless: residual of a slab above which there is no next one.
    """

    tolerance: float
    most_cells: int
    most_unknowns: int
    hopeless: float = inf


@final
@dataclass(frozen=True, eq=False)
class Attempt:
    """A solution on one lattice.

    Attributes:
        discrete: spaces in which it was sought.
        covers: lattice of each axis.
        coefficients: C.
        certificate: residuals between the nodes.
        outcome: how the algebra ended.
        iterations: Newton steps.
    """

    discrete: Discretisation
    covers: tuple[AxisLattice, ...]
    coefficients: np.ndarray
    certificate: Certificate
    outcome: RESULTS
    iterations: int

    @property
    def worst(self) -> float:
        """The larger relative residual; infinite where the algebra failed."""
        return self.certificate.worst if self.outcome.has_solution else np.inf

    @property
    def converged(self) -> bool:
        """Whether the algebra ended well."""
        return self.outcome in (RESULTS.successful, RESULTS.stagnated)

    def slab(self, end: float) -> Slab:
        """As part of a representation."""
        return slab_of(self.discrete, self.coefficients, end)


def first_covers(statement: Statement) -> tuple[AxisLattice, ...]:
    """Coarse lattices to begin with."""
    return tuple(
        AxisLattice(_TIME_CELLS if x.is_time else _FIRST_CELLS_PERIODIC if statement.is_periodic(k) else _FIRST_CELLS)
        for k, x in enumerate(statement.axes)
    )


def attempt(
    statement: Statement, covers: tuple[AxisLattice, ...], tolerance: float, run: Run, previous: Attempt | None = None
) -> Attempt:
    """Solve on given lattices; spaces that a previous attempt has for the same lattice are used again.

    Args:
        statement: the problem, or a slab of it.
        covers: the lattices.
        tolerance: of the residual between the nodes; the algebra is solved to a part of it.
        run: its budget is heeded.
        previous: solution of the same slab, which Newton's method starts from, or of the one before.
    """
    spaces: list[AxisSpace] = []
    for k, cover in enumerate(covers):
        old = None if previous is None or statement.axes[k].is_time else previous
        known = old is not None and old.covers[k] is cover
        spaces.append(old.discrete.spaces[k] if known and old is not None else axis_space(statement, k, cover))
    discrete = Discretisation(statement, tuple(spaces))
    found = _solve(discrete, tolerance, run, previous)
    if not found.result.has_solution:
        nothing = Certificate(np.inf, np.inf)
        return Attempt(discrete, covers, found.coefficients, nothing, found.result, found.iterations)
    seen = certify(discrete, found.coefficients)
    return Attempt(discrete, covers, found.coefficients, seen, found.result, found.iterations)


def _solve(discrete: Discretisation, tolerance: float, run: Run, previous: Attempt | None) -> NewtonOutcome:
    statement = discrete.statement
    if statement.parts.is_linear and discrete.operator.exact:
        inverse = discrete.invert(discrete.operator)
        if inverse is not None:
            singular = inverse.smallest < _SINGULAR
            C = discrete.lift if singular else solve_directly(discrete, inverse)
            return NewtonOutcome(C, RESULTS.linear_solve_failed if singular else RESULTS.successful, 1)
    in_slabs = statement.problem.time is not None
    return newton(
        discrete,
        _first_guess(discrete, previous),
        rtol=_ALGEBRA * tolerance,
        most_steps=_NEWTON_STEPS,
        run=replace(run, callback=None),
        invert=leading_inverse if in_slabs else fast_inverse,
    )


def _first_guess(discrete: Discretisation, previous: Attempt | None) -> np.ndarray:
    """A coarser solution of the same slab; else the initial values for all times, or the data of a steady field."""
    statement = discrete.statement
    if previous is not None and previous.worst < _SEEN:
        solved, asked = previous.discrete.statement.interval, statement.interval
        if solved is None or asked is None or (solved[0] == asked[0] and solved[1] >= asked[1]):
            return discrete.transferred(previous.discrete, previous.coefficients)
    for face in statement.faces:
        if statement.axes[face.axis].is_time and face.row.coefficients[0]:
            values = discrete.on_grid(statement.trace(face, discrete.nodes) / face.row.coefficients[0])
            return discrete.met(kronecker([s.values[0].T for s in discrete.spaces], values))
    return discrete.lift


def coarse_axes(found: Attempt, tolerance: float) -> list[int]:
    """Axes whose basis lacks a good part of what the residual on the nodes, or the data, are made of."""
    discrete = found.discrete
    residual = discrete.residual(found.coefficients)
    outside = []
    for k, s in enumerate(discrete.spaces):
        q = s.values[0]
        outside.append(rms(residual - along(q, along(q.T, residual, k), k)))
    axes = {k for k, size in enumerate(outside) if size >= 0.3 * max(outside)}
    if found.certificate.conditions > tolerance:
        axes |= {k for k, x in enumerate(discrete.statement.axes) if not x.is_time}
    return sorted(axes)


def refined(found: Attempt, axes: Sequence[int], limits: TensorLimits, follow: bool) -> tuple[AxisLattice, ...] | None:
    """Lattices that follow the layers of the present solution, if asked, or have more cells; None at the limits.

    A slab has as many more cells as it is predicted to need; of a steady field more cost little.
    """
    covers = list(found.covers)
    in_slabs = found.discrete.statement.interval is not None
    factor = growth(found.worst, limits.tolerance) if in_slabs else _GROWTH
    for k in axes:
        statement, cover = found.discrete.statement, covers[k]
        if follow and not statement.is_periodic(k) and found.worst < _SEEN:
            layers = find_layers(found.discrete, found.coefficients, k)
            if is_other(layers, cover.stretching):
                covers[k] = replace(cover, stretching=layers)
                continue
        covers[k] = cover.finer(factor)
    sizes = [c.cells for c in covers]
    if max(sizes) > limits.most_cells or np.prod([float(n) for n in sizes]) > limits.most_unknowns:
        return None
    return tuple(covers)


def growth(worst: float, tolerance: float) -> float:
    """Growth of the cells that takes a residual $e^{-cn}$, as of a smooth solution, below the tolerance; limited."""
    if not tolerance < worst < 1:
        return _GROWTH
    return float(min(_GROWTH, np.log(tolerance / 2) / np.log(worst)))


def pays(found: Attempt, best: Attempt) -> bool:
    """Whether the residual fell by at least about the first order in the number of cells."""
    grown = max(c.cells / b.cells for c, b in zip(found.covers, best.covers, strict=True))
    return found.worst <= best.worst * (grown if grown > 1 else _GROWTH) ** -_PAYS


def misled(found: Attempt, best: Attempt) -> bool:
    """Whether layers were followed and the residual grew: what is steep lies across the axes, or moves."""
    stretched = [c.stretching is not b.stretching for c, b in zip(found.covers, best.covers, strict=True)]
    return any(stretched) and found.worst > best.worst


def solve_steady(statement: Statement, limits: TensorLimits, run: Run) -> Attempt:
    """Refine the axes that the residual sticks out of until it is small or refinement does not pay."""
    best = found = attempt(statement, first_covers(statement), limits.tolerance, run)
    poor, follow = 0, True
    for _ in range(_MOST_TRIES):
        if best.worst <= limits.tolerance or run.is_over or (poor >= 2 and best.worst < _ASYMPTOTIC):
            break
        covers = refined(found, coarse_axes(found, limits.tolerance), limits, follow)
        if covers is None:
            break
        found = attempt(statement, covers, limits.tolerance, run, found)
        if follow and misled(found, best):
            found, follow = best, False
            continue
        poor = 0 if pays(found, best) else poor + 1
        best = found if found.worst < best.worst else best
    return best


@final
@dataclass(frozen=True, eq=False)
class March:
    """A solution in slabs.

    Attributes:
        slabs: with their ends.
        worst: largest relative residual between the nodes of any slab.
        outcome: how the worst slab ended.
        iterations: Newton steps of accepted slabs.
        unknowns: coefficients of all slabs.
    """

    slabs: tuple[Slab, ...]
    worst: float
    outcome: RESULTS
    iterations: int
    unknowns: int


def march(problem_statement: Statement, limits: TensorLimits, run: Run) -> March:
    """Solve slab after slab; lengths and lattices follow the residual between the nodes."""
    time = next(k for k, x in enumerate(problem_statement.axes) if x.is_time)
    begin, end = problem_statement.bounds(time)
    length, here, previous = _FIRST_SLAB * (end - begin), begin, None
    slabs: list[Slab] = []
    worst, iterations, unknowns, outcome = 0.0, 0, 0, RESULTS.successful
    reached, follow = limits.tolerance, True
    with progress("slabs") as report:
        while here < end - 1e-12 * (end - begin):
            asked = replace(limits, tolerance=reached)
            next_one = _next_slab(problem_statement, (here, end), length, previous, asked, follow, run)
            found, stop, follow = next_one.found, next_one.stop, next_one.follow
            reached = max(reached, 2 * found.worst) if next_one.is_rounding else reached
            last = stop >= end - 1e-12 * (end - begin)
            slabs.append(found.slab(np.inf if last else stop))
            worst, iterations = max(worst, found.worst), iterations + found.iterations
            unknowns += found.coefficients.size
            if not found.converged:
                outcome = found.outcome
                if not outcome.has_solution:
                    break
            length = (stop - here) * (_LONGER if found.worst <= _EASY * reached else 1.0)
            here, previous = stop, found
            report((here - begin) / (end - begin), f"time {here:.3g}  residual {found.worst:.1e}")
            if run.callback is not None and run.callback(found) and not last:
                outcome = RESULTS.interrupted
                break
            if run.is_over and not last:
                outcome = RESULTS.budget_exhausted
                break
            if found.worst > limits.hopeless:
                outcome = RESULTS.under_resolved
                break
    return March(tuple(slabs), worst, outcome, iterations, unknowns)


@final
@dataclass(frozen=True, eq=False)
class _NextSlab:
    """The best solution of a slab.

    Attributes:
        found: the solution.
        stop: end of the slab.
        is_rounding: whether round-off kept it from the tolerance.
        follow: whether layers are worth following: not where the first that were found misled.
    """

    found: Attempt
    stop: float
    is_rounding: bool
    follow: bool


def _next_slab(
    whole: Statement,
    rest: tuple[float, float],
    length: float,
    previous: Attempt | None,
    limits: TensorLimits,
    follow: bool,
    run: Run,
) -> _NextSlab:
    here, end = rest
    time = next(k for k, x in enumerate(whole.axes) if x.is_time)
    shortest = _SHORTEST_SLAB * (whole.bounds(time)[1] - whole.bounds(time)[0])
    covers = first_covers(whole) if previous is None else previous.covers
    before = None if previous is None else previous.discrete.history(previous.coefficients)
    best: tuple[Attempt, float] | None = None
    found, poor, is_rounding, refit = previous, 0, False, follow
    begun = perf_counter()
    share = inf if run.remaining is None else _SPENT * run.remaining * min(length / (end - here), 1.0)
    for _ in range(_MOST_TRIES):
        tried = perf_counter()
        stop = end if here + 1.25 * length >= end else here + length
        found = attempt(Statement(whole.problem, (here, stop), before), covers, limits.tolerance, run, found)
        if refit and best is not None and misled(found, best[0]):
            refit, (found, stop) = False, best
            follow &= any(c.stretching.centres.shape[0] for c in found.covers)
            finer = refined(found, [k for k in coarse_axes(found, limits.tolerance) if k != time], limits, refit)
            covers = finer or found.covers
            continue
        is_rounding = best is not None and best[0].worst < min(found.worst, _ROUND_OFF)
        poor = 0 if best is None or pays(found, best[0]) else poor + 1
        if best is None or found.worst < best[0].worst:
            best = (found, stop)
        if best[0].worst <= limits.tolerance or is_rounding or run.is_over:
            break
        if poor >= 2 and best[0].worst < _ASYMPTOTIC:
            break
        now = perf_counter()
        dearer = growth(found.worst, limits.tolerance) ** _DEARER
        if best[0].converged and now - begun + dearer * (now - tried) > share:
            break
        axes = coarse_axes(found, limits.tolerance) if found.converged else [time]
        if time in axes:
            length = (stop - here) / 2
            if length < shortest:
                break
        space = [k for k in axes if k != time]
        if space:
            finer = refined(found, space, limits, refit)
            if finer is None and time not in axes:
                break
            covers = finer or covers
    assert best is not None  # at least one try was made
    return _NextSlab(*best, is_rounding, follow)
