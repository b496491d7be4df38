"""Solutions that observations have a say in: of one field or several, with numbers that the problem leaves open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from sciml.galerkin.certificate import Certificate
from sciml.galerkin.statement import Statement
from sciml.galerkin.system_certificate import certify_system
from sciml.galerkin.systems import System
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import Run
from solvers.gp.assimilation import Assimilation, assimilate
from solvers.gp.attempts import RESOLVED, Spectra, discretise, widened
from solvers.gp.features import Line
from solvers.gp.fields import Fields
from solvers.gp.inference import infer
from solvers.gp.learning import Known, learn_spectra
from solvers.gp.system_solution import SystemAttempt, deviation_of_system, mean_of_system, numbers_of_system
from solvers.gp.system_spectra import KnownSystem, learn_system
from solvers.gp.system_support import is_system
from solvers.gp.systems import MOST_COEFFICIENTS, discretise_system, parts_of_system, too_large

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

_LARGEST_MISFIT = 2.0
_COARSE_TOLERANCE = 1e-3
_OPEN_LENGTH = 0.2
_FIRST_BAND = 2.5
_MOST_WIDENINGS = 3
_PAYS = 1 / 3


@final
@dataclass(frozen=True, eq=False)
class _Fit:
    """What observations and equations agree on with one choice of spectra."""

    system: System
    spectra: tuple[Spectra, ...]
    found: Assimilation
    certificate: Certificate

    @property
    def result(self) -> RESULTS:
        """Success where the equations hold between the nodes and the observations scatter as their noise says."""
        explained = self.certificate.worst <= RESOLVED and self.found.misfit <= _LARGEST_MISFIT
        return RESULTS.under_resolved if self.found.result.is_success and not explained else self.found.result


def observed_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution:
    """Solve a problem with observations, and infer its parameters without a number.

    Raises:
        UnsupportedProblemError: more coefficients than a dense factorisation takes.
    """
    started, estimates, converged = time.perf_counter(), {}, True
    stated, evaluations = problem, 0
    if problem.unknown_parameters:

        def evidence(candidate: Problem) -> float:
            return assimilate(_learned(candidate, solver)[0]).evidence

        inferred = infer(problem, evidence)
        stated, estimates, converged = inferred.problem, inferred.estimates, inferred.converged
        evaluations = inferred.evaluations
    best = _best(stated, solver, run)
    result = best.result if converged or not best.result.is_success else RESULTS.stagnated
    attempt = SystemAttempt(best.system, best.spectra, best.found.coefficients, best.certificate, result, 0)
    mean = mean_of_system(attempt, solver)
    deviation = deviation_of_system(best.system, best.found.factors, [0.0] * len(best.spectra))
    return Solution(
        problem,
        repr(solver),
        _single(mean),
        result,
        {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None} | estimates,
        Stats(
            solve=time.perf_counter() - started,
            iterations=evaluations + best.found.iterations,
            unknowns=sum(c.size for c in best.found.coefficients),
            extra=numbers_of_system(attempt) | {"noise": best.found.noise, "misfit": best.found.misfit},
        ),
        deviation=_single(deviation),
    )


def _best(problem: Problem, solver: KroneckerGP, run: Run) -> _Fit:
    """The fit that holds best between the nodes: refitted to what nonlinear terms make, then widened, if that pays."""
    system, spectra = _learned(problem, solver)
    best = _fit(system, spectra)
    if best.certificate.worst > RESOLVED and not all(r.parts.is_linear for r in system.rows):
        best, _ = _better(best, *_learned(problem, solver, best))
    band = _FIRST_BAND
    for _ in range(_MOST_WIDENINGS):
        if best.certificate.worst <= RESOLVED or run.is_over or not best.found.result.is_success:
            break
        wider = tuple(
            tuple(widened(f.statement, k, lines, band) for k, lines in enumerate(own))
            for f, own in zip(best.system.fields, best.spectra, strict=True)
        )
        best, pays = _better(best, _system(problem, wider, solver), wider)
        band *= 2
        if not pays:
            break
    return best


def _better(best: _Fit, system: System, spectra: tuple[Spectra, ...]) -> tuple[_Fit, bool]:
    """The better certified of two fits, and whether the second one was worth its while."""
    if sum(system.sizes) > MOST_COEFFICIENTS:
        return best, False
    fresh = _fit(system, spectra)
    pays = fresh.certificate.worst < _PAYS * best.certificate.worst
    return (fresh if fresh.certificate.worst < best.certificate.worst else best), pays


def _fit(system: System, spectra: tuple[Spectra, ...]) -> _Fit:
    if sum(system.sizes) > MOST_COEFFICIENTS:
        raise too_large(system)
    found = assimilate(system)
    certificate = certify_system(system, found.coefficients)
    return _Fit(system, spectra, found, certificate)


def _learned(problem: Problem, solver: KroneckerGP, known: _Fit | None = None) -> tuple[System, tuple[Spectra, ...]]:
    """Spaces for the spectra that equations and conditions show, with the nonlinear terms of a fit if there is one."""
    parts = parts_of_system(problem)
    is_linear = all(p.parts.is_linear for p in parts)
    tolerance = solver.tolerance if is_linear or known is not None else _COARSE_TOLERANCE
    if is_system(problem):
        fit = None if known is None else KnownSystem(known.system, known.found.coefficients)
        spectra = learn_system(parts, tolerance, solver.most_lines, fit)
    else:
        fit = None if known is None else Known(known.system.fields[0], known.found.coefficients[0])
        spectra = (learn_spectra(parts[0], tolerance, solver.most_lines, fit),)
    return _system(problem, spectra, solver), spectra


def _system(problem: Problem, spectra: tuple[Spectra, ...], solver: KroneckerGP) -> System:
    parts = parts_of_system(problem)
    if _is_open(parts):
        spectra = tuple(_with_homogeneous_solutions(p, own) for p, own in zip(parts, spectra, strict=True))
    if is_system(problem):
        return discretise_system(parts, spectra, solver)
    discrete = discretise(parts[0], spectra[0], solver)
    return System((discrete,), tuple(s.basis.vectors for s in discrete.spaces))


def _is_open(parts: Sequence[Statement]) -> bool:
    """Whether the conditions are fewer than the derivatives along an axis, all fields together."""
    axes = [k for k in range(len(parts[0].axes)) if not parts[0].is_periodic(k)]
    return any(sum(len(p.rows(k)) for p in parts) < sum(p.orders[k] for p in parts) for k in axes)


def _with_homogeneous_solutions(part: Statement, spectra: Spectra) -> Spectra:
    """Spectra whose smooth part is short enough to carry what the equations leave open.

    No data show the homogeneous solutions; where the basis cannot hold them the equations seem to rule them out.
    """

    def short(k: int, line: Line) -> Line:
        lower, upper = part.bounds(k)
        return replace(line, length=min(line.length, _OPEN_LENGTH * (upper - lower)))

    return tuple(
        own if part.is_periodic(k) else tuple(short(k, line) if line.frequency == 0 else line for line in own)
        for k, own in enumerate(spectra)
    )


def _single(fields: Fields) -> AbstractRepresentation:
    """One field for itself, without the wrapping."""
    return fields.parts[0] if len(fields.parts) == 1 else fields
