"""Systems of fields, one kernel for each: from spectra to a certified solution, by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from sciml.errors import UnsupportedProblemError
from sciml.galerkin.certificate import Certificate, rms
from sciml.galerkin.kronecker import along
from sciml.galerkin.statement import Statement
from sciml.galerkin.system_certificate import certify_system
from sciml.galerkin.systems import Coefficients, System, gauss_newton
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solver import Run
from solvers.gp.attempts import RESOLVED, Spectra, discretise, node_count, widened
from solvers.gp.system_spectra import KnownSystem, learn_system

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

MOST_COEFFICIENTS = 4000
_COARSE_TOLERANCE = 1e-3
_MOST_REFITS = 3
_MOST_WIDENINGS = 3
_FIRST_BAND = 2.5
_GOOD_PART = 0.3
_PAYS = 1 / 3


@final
@dataclass(frozen=True, eq=False)
class SystemAttempt:
    """A solution with one choice of spectra.

    Attributes:
        system: spaces in which it was sought.
        spectra: lines of each axis of each field.
        coefficients: C of each field.
        certificate: residuals off the nodes.
        result: how the solve ended.
        iterations: Gauss–Newton steps so far.
    """

    system: System
    spectra: tuple[Spectra, ...]
    coefficients: Coefficients
    certificate: Certificate
    result: RESULTS
    iterations: int


def parts_of_system(problem: Problem) -> tuple[Statement, ...]:
    """The part of every scalar unknown."""
    return tuple(Statement(problem, index=i) for i in range(len(problem.unknowns)))


def discretise_system(parts: tuple[Statement, ...], spectra: tuple[Spectra, ...], solver: KroneckerGP) -> System:
    """Spaces for given spectra, on nodes that are enough for every field."""
    axes = range(len(parts[0].axes))
    counts = [max(node_count(p, k, own[k], solver) for p, own in zip(parts, spectra, strict=True)) for k in axes]
    return System(tuple(discretise(p, own, solver, counts) for p, own in zip(parts, spectra, strict=True)))


def attempt_system(
    parts: tuple[Statement, ...],
    spectra: tuple[Spectra, ...],
    solver: KroneckerGP,
    run: Run,
    previous: SystemAttempt | None = None,
) -> SystemAttempt | System:
    """Solve with given spectra, from a previous solution if there is one; only the spaces if they are too large."""
    system = discretise_system(parts, spectra, solver)
    if sum(system.sizes) > MOST_COEFFICIENTS:
        return system
    start = system.lift if previous is None else _transferred(previous, system)
    outcome = gauss_newton(system, start, rtol=solver.rtol, most_steps=solver.most_steps, run=run)
    if not outcome.result.has_solution:
        worst = Certificate(np.inf, np.inf)
        return SystemAttempt(system, spectra, outcome.coefficients, worst, outcome.result, outcome.iterations)
    certificate, result = certify_system(system, outcome.coefficients), outcome.result
    if result.is_success and not certificate.worst <= RESOLVED:
        result = RESULTS.under_resolved
    return SystemAttempt(system, spectra, outcome.coefficients, certificate, result, outcome.iterations)


def _transferred(previous: SystemAttempt, system: System) -> Coefficients:
    """A solution in other spaces."""
    parts = zip(system.fields, previous.system.fields, previous.coefficients, strict=True)
    return [new.transferred(old, C) for new, old, C in parts]


def solve_system(problem: Problem, solver: KroneckerGP, run: Run) -> SystemAttempt:
    """The best certified solution: learned spectra, refitted to what nonlinear equations make, widened if needed.

    Raises:
        UnsupportedProblemError: more coefficients than a dense factorisation takes.
    """
    parts = parts_of_system(problem)
    is_linear = all(p.parts.is_linear for p in parts)
    tolerance = solver.tolerance if is_linear else _COARSE_TOLERANCE
    first = attempt_system(parts, learn_system(parts, tolerance, solver.most_lines), solver, run)
    if isinstance(first, System):
        raise too_large(first)
    best = first
    for _ in range(0 if is_linear else _MOST_REFITS):
        if best.certificate.worst <= solver.tolerance or run.is_over or not best.result.has_solution:
            break
        known = KnownSystem(best.system, best.coefficients)
        spectra = learn_system(parts, solver.tolerance, solver.most_lines, known)
        best, pays = _better(best, attempt_system(parts, spectra, solver, run, best))
        if not pays:
            break
    return _widened(parts, best, solver, run)


def _widened(parts: tuple[Statement, ...], best: SystemAttempt, solver: KroneckerGP, run: Run) -> SystemAttempt:
    """Widen the bands of the axes that the residual sticks out of, as long as that pays."""
    band = _FIRST_BAND
    for _ in range(_MOST_WIDENINGS):
        if best.certificate.worst <= RESOLVED or run.is_over or not best.result.has_solution:
            break
        axes = protruding(best.system, best.coefficients)
        spectra = tuple(
            tuple(widened(p, k, lines, band) if k in axes else lines for k, lines in enumerate(own))
            for p, own in zip(parts, best.spectra, strict=True)
        )
        best, pays = _better(best, attempt_system(parts, spectra, solver, run, best))
        band *= 2
        if not pays:
            break
    return best


def protruding(system: System, C: Coefficients) -> set[int]:
    """Axes whose tests miss a good part of what the equations' residuals on the nodes are made of."""
    outside = np.zeros(len(system.nodes))
    for rows in system.equations:
        values = system.values(C, (rows.expression,), rows, rows.points)[0]
        residual = np.broadcast_to(values, [n.size for n in system.nodes])
        left = [rms(residual - along(q, along(q.T, residual, k), k)) for k, q in enumerate(rows.tests)]
        outside = np.maximum(outside, np.array(left) / max(rms(residual), np.finfo(float).tiny))
    return {k for k, size in enumerate(outside) if size >= _GOOD_PART * outside.max()}


def _better(best: SystemAttempt, fresh: SystemAttempt | System) -> tuple[SystemAttempt, bool]:
    """The better certified of two, and whether the second one was worth its while."""
    if isinstance(fresh, System):
        return best, False
    fresh = replace(fresh, iterations=fresh.iterations + best.iterations)
    pays = fresh.certificate.worst < _PAYS * best.certificate.worst
    return (fresh if fresh.certificate.worst < best.certificate.worst else best), pays


def too_large(system: System) -> UnsupportedProblemError:
    """The error that says how large a system is."""
    ranks = " + ".join(" × ".join(str(s.basis.rank) for s in f.spaces) for f in system.fields)
    return UnsupportedProblemError(
        f"a system of {sum(system.sizes)} coefficients ({ranks} basis functions)",
        f"at most {MOST_COEFFICIENTS}",
        "lower most_lines, or take a smaller box or smoother data",
    )
