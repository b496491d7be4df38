"""From spectra to a certified solution: build the spaces, solve, look at the residual, widen the spectra, again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING, final

import numpy as np

from sciml.galerkin.certificate import Certificate, certify, rms
from sciml.galerkin.discretisation import Discretisation, solve_directly
from sciml.galerkin.eigenbasis import Eigenbasis, eigenbasis
from sciml.galerkin.kronecker import along
from sciml.galerkin.newton import NewtonOutcome, fast_inverse, newton
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import Statement
from sciml.results import RESULTS
from sciml.solver import Run
from solvers.gp.features import FourierFeatures, Line
from solvers.gp.learning import Known, harmonics, learn_spectra
from solvers.gp.second_order import solving_spaces
from solvers.gp.spectrum import comb, wanted_nodes

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

Spectra = tuple[tuple[Line, ...], ...]

RESOLVED = 1e-5
"""Relative residual between the nodes below which no wider spectrum is sought."""

_SINGULAR = 1e-14
_NODES_A_HARMONIC = 3
_MOST_WIDENINGS = 4
_FIRST_BAND = 10.0
_PAYS = 1 / 3
_MOST_NODES = 1 << 18
_MOST_NODES_AN_AXIS = 1200
_MOST_POINTS = {True: 1 << 24, False: 1 << 22}
_COARSE_TOLERANCE = 1e-3
_MOST_REFITS = 3


@final
@dataclass(frozen=True, eq=False)
class Attempt:
    """A solution with one choice of spectra.

    Attributes:
        discrete: spaces in which it was sought.
        spectra: lines of each axis.
        coefficients: C.
        certificate: residuals off the nodes.
        result: how the solve ended.
        iterations: Newton steps so far.
        seconds: what it took.
    """

    discrete: Discretisation
    spectra: Spectra
    coefficients: np.ndarray
    certificate: Certificate
    result: RESULTS
    iterations: int = 1
    seconds: float = 0.0


def discretise(
    statement: Statement, spectra: Spectra, solver: KroneckerGP, counts: Sequence[int] | None = None
) -> Discretisation:
    """Spaces for given spectra, on equally spaced nodes with both ends.

    Args:
        statement: the problem.
        spectra: of each axis.
        solver: its hyperparameters.
        counts: nodes along each axis; None lets the spectra decide.
    """
    bases = []
    for k, lines in enumerate(spectra):
        count = node_count(statement, k, lines, solver) if counts is None else counts[k]
        make = _periodic_basis if statement.is_periodic(k) else _interval_basis
        bases.append(make(lines, statement.bounds(k), count, solver))
    spaces = tuple(AxisSpace(b, statement.rows(k), statement.orders[k]) for k, b in enumerate(bases))
    return Discretisation(statement, spaces)


def node_count(statement: Statement, axis: int, lines: tuple[Line, ...], solver: KroneckerGP) -> int:
    """Nodes that an axis gets: as many as the solver says, or its lines need."""
    if solver.nodes is not None:
        return solver.nodes
    if statement.is_periodic(axis):
        return max(_NODES_A_HARMONIC * len(lines), solver.shape.fewest_nodes)
    lower, upper = statement.bounds(axis)
    return max(wanted_nodes(lines, upper - lower, solver.shape.oversampling), solver.shape.fewest_nodes)


def _interval_basis(
    lines: tuple[Line, ...], bounds: tuple[float, float], count: int, solver: KroneckerGP
) -> Eigenbasis:
    return solver.shape.basis(lines, np.linspace(*bounds, count))


def _periodic_basis(lines: tuple[Line, ...], bounds: tuple[float, float], count: int, _: KroneckerGP) -> Eigenbasis:
    weights = np.array([line.weight for line in lines])[: (count + 1) // 2]
    features = FourierFeatures(bounds[0], bounds[1] - bounds[0], weights)
    return eigenbasis(features, np.linspace(*bounds, count, endpoint=False))


def attempt(
    statement: Statement,
    spectra: Spectra,
    solver: KroneckerGP,
    run: Run,
    previous: Attempt | None = None,
    counts: Sequence[int] | None = None,
) -> Attempt:
    """Solve with given spectra; a nonlinear equation from a previous solution, if there is one."""
    begun, discrete = perf_counter(), discretise(statement, spectra, solver, counts)
    solving = solving_spaces(discrete)
    inside = solving.discrete
    if statement.parts.is_linear:
        outcome = _solve_linear(inside, solver, run)
    else:
        start = (
            _first_guess(inside) if previous is None else inside.transferred(previous.discrete, previous.coefficients)
        )
        outcome = newton(inside, start, rtol=solver.rtol, most_steps=solver.most_steps, run=run)
    C = solving.read(outcome.coefficients)
    if not outcome.result.has_solution:
        return Attempt(discrete, spectra, C, Certificate(np.inf, np.inf), outcome.result)
    certificate = certify(discrete, C)
    result = outcome.result
    if result.is_success and not certificate.worst <= RESOLVED:
        result = RESULTS.under_resolved
    return Attempt(discrete, spectra, C, certificate, result, outcome.iterations, perf_counter() - begun)


def is_affordable(best: Attempt, counts: Sequence[int], run: Run) -> bool:
    """Whether nodes fit into memory, and another attempt on so many, by what the last one took, into the budget.

    The arrays of a nonlinear equation are some twenty values a node, those of a linear one fewer. Time is taken to grow
    with the nodes and with the square of the longest axis, as that of dense factors of the axes does.
    """
    if prod(counts) > _MOST_POINTS[best.discrete.statement.parts.is_linear]:
        return False
    growth = prod(counts) / prod(best.discrete.shape)
    longer = max(new / old for new, old in zip(counts, best.discrete.shape, strict=True))
    return run.remaining is None or growth * longer**2 * best.seconds <= run.remaining


def _counts(statement: Statement, spectra: Spectra, solver: KroneckerGP) -> list[int]:
    return [node_count(statement, k, lines, solver) for k, lines in enumerate(spectra)]


def _solve_linear(discrete: Discretisation, solver: KroneckerGP, run: Run) -> NewtonOutcome:
    if discrete.operator.exact:
        inverse = discrete.invert(discrete.operator)
        if inverse is not None:
            if inverse.smallest < _SINGULAR:
                return NewtonOutcome(discrete.lift, RESULTS.linear_solve_failed, 1)
            return NewtonOutcome(solve_directly(discrete, inverse), RESULTS.successful, 1)
    return newton(discrete, discrete.lift, rtol=solver.rtol, most_steps=solver.most_steps, run=run)


def _first_guess(discrete: Discretisation) -> np.ndarray:
    """The solution of the linear part, if it has one; else what the conditions alone say."""
    inverse, exact = fast_inverse(discrete, discrete.operator)
    usable = inverse is not None and exact and inverse.smallest >= _SINGULAR
    return solve_directly(discrete, inverse) if usable and inverse is not None else discrete.lift


def solve_best(statement: Statement, solver: KroneckerGP, run: Run, before: Spectra | None = None) -> Attempt:
    """The best certified solution: learned spectra, refitted to what a nonlinear equation makes, widened if needed.

    Args:
        statement: the problem, or a slab of it.
        solver: its hyperparameters.
        run: its budget is heeded.
        before: spectra of the slab before. What that hands on lies in their span along space, noise included, which
            lines are not to be spent on: they come first, and others where they do not do.
    """
    best = None if before is None else _continued(statement, before, solver, run)
    linear = statement.parts.is_linear
    if best is None or not best.result.has_solution or (linear and best.certificate.worst > RESOLVED):
        tolerance = solver.tolerance if linear else _COARSE_TOLERANCE
        best = _better(best, attempt(statement, learn_spectra(statement, tolerance, solver.most_lines), solver, run))
    if linear:
        return _improved(best, solver, run)
    for _ in range(_MOST_REFITS):
        if best.certificate.worst <= solver.tolerance or run.is_over or not best.result.has_solution:
            break
        known = Known(best.discrete, best.coefficients)
        spectra = learn_spectra(statement, solver.tolerance, solver.most_lines, known)
        if not is_affordable(best, _counts(statement, spectra, solver), run):
            break
        fresh = attempt(statement, spectra, solver, run, best)
        fresh = replace(fresh, iterations=fresh.iterations + best.iterations)
        pays = fresh.certificate.worst < _PAYS * best.certificate.worst
        best = fresh if fresh.certificate.worst < best.certificate.worst else best
        if not pays:
            break
    return _improved(best, solver, run)


def _continued(statement: Statement, before: Spectra, solver: KroneckerGP, run: Run) -> Attempt:
    """With the spectra of the slab before; for a linear equation that of time from the data of this one."""
    if not statement.parts.is_linear:
        return attempt(statement, before, solver, run)
    kept = {k: before[k] for k, x in enumerate(statement.axes) if not x.is_time}
    spectra = learn_spectra(statement, solver.tolerance, solver.most_lines, kept=kept)
    return attempt(statement, spectra, solver, run)


def _better(best: Attempt | None, fresh: Attempt) -> Attempt:
    """The one with the smaller residual."""
    return fresh if best is None or fresh.certificate.worst < best.certificate.worst else best


def _improved(best: Attempt, solver: KroneckerGP, run: Run) -> Attempt:
    """What more functions make of a solution: a wider band of smooth ones, or more nodes of rough ones."""
    if solver.shape.is_smooth:
        return _widened(best, solver, run)
    return _refined(best, solver, run) if solver.nodes is None else best


def _refined(best: Attempt, solver: KroneckerGP, run: Run) -> Attempt:
    """Double the nodes of every axis until the equation holds between them, or there would be too many."""
    while best.certificate.worst > RESOLVED and not run.is_over and best.result.has_solution:
        counts = [2 * n for n in best.discrete.shape]
        if prod(counts) > _MOST_NODES or max(counts) > _MOST_NODES_AN_AXIS or not is_affordable(best, counts, run):
            break
        fresh = attempt(best.discrete.statement, best.spectra, solver, run, best, counts)
        if not fresh.certificate.worst < best.certificate.worst:
            break
        best = replace(fresh, iterations=fresh.iterations + best.iterations)
    return best


def _widened(best: Attempt, solver: KroneckerGP, run: Run) -> Attempt:
    """Widen the band of the axes that the residual sticks out of, of all if that does not pay, until neither does."""
    band, everywhere = _FIRST_BAND, False
    for _ in range(_MOST_WIDENINGS):
        if best.certificate.worst <= RESOLVED or run.is_over or not best.result.has_solution:
            break
        axes = range(len(best.spectra)) if everywhere else protruding_axes(best.discrete, best.coefficients)
        spectra = tuple(
            widened(best.discrete.statement, k, lines, band) if k in axes else lines
            for k, lines in enumerate(best.spectra)
        )
        if not is_affordable(best, _counts(best.discrete.statement, spectra, solver), run):
            break
        fresh = attempt(best.discrete.statement, spectra, solver, run, best)
        band *= 2
        before = best.certificate.worst
        if fresh.certificate.worst < before:
            best = replace(fresh, iterations=fresh.iterations + best.iterations)
        elif everywhere:
            break
        everywhere |= not fresh.certificate.worst < _PAYS * before
    return best


def widened(statement: Statement, axis: int, lines: tuple[Line, ...], band: float) -> tuple[Line, ...]:
    """A comb up to `band` periods over the interval, with the lines beyond it; twice the harmonics if periodic.

    The band is doubled until that adds a line.
    """
    if statement.is_periodic(axis):
        return harmonics(statement, axis, 2 * len(lines))
    lower, upper = statement.bounds(axis)
    while True:
        edge = band * 2 * np.pi / (upper - lower)
        wider = (*comb(upper - lower, edge), *(line for line in lines if line.frequency > edge))
        if len(wider) > len(lines):
            return wider
        band *= 2


def protruding_axes(discrete: Discretisation, C: np.ndarray) -> list[int]:
    """Axes whose basis lacks a good part of what the residual on the nodes is made of."""
    residual = discrete.residual(C)
    outside = []
    for k, s in enumerate(discrete.spaces):
        q = s.basis.vectors
        outside.append(rms(residual - along(q, along(q.T, residual, k), k)))
    return [k for k, size in enumerate(outside) if size >= 0.3 * max(outside)]
