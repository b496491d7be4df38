"""Solutions that observations have a say in: of one field or several, with numbers that the problem leaves open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from sciml.galerkin.certificate import Certificate
from sciml.galerkin.fields import Fields
from sciml.galerkin.statement import Statement
from sciml.galerkin.system_certificate import certify_system
from sciml.galerkin.systems import System
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import Run
from solvers.gp.assimilation import Assimilation, assimilate
from solvers.gp.attempts import RESOLVED, Spectra, discretise, widened
from solvers.gp.candidates import Candidates, estimates, first_guesses, stated
from solvers.gp.determined import determine
from solvers.gp.features import Line
from solvers.gp.learning import Known, learn_spectra
from solvers.gp.outcome import mean_of, numbers_of, verdict
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
_MOST_REFITS = 3
_UNDETERMINED = 3.0
_MOST_WIDENINGS = 3
_PAYS = 1 / 3


@final
@dataclass(frozen=True, eq=False)
class _Fit:
    """What observations and equations agree on with one choice of spectra."""

    spectra: tuple[Spectra, ...]
    found: Assimilation
    certificate: Certificate

    @property
    def result(self) -> RESULTS:
        """Success where the equations hold between the nodes and the data scatter as told and determine the numbers."""
        explained = self.certificate.worst <= RESOLVED and explains(self.found.misfit, self.found.spread)
        return RESULTS.under_resolved if self.found.result.is_success and not explained else self.found.result


def observed_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution:
    """Solve a problem with observations, and infer its parameters without a number.

    Raises:
        UnsupportedProblemError: more coefficients than a dense factorisation takes.
    """
    started = time.perf_counter()
    solution = (
        None if is_system(problem) or is_open(parts_of_system(problem)) else _determined_solution(problem, solver, run)
    )
    solution = _joint_solution(problem, solver, run) if solution is None else solution
    return replace(solution, stats=replace(solution.stats, solve=time.perf_counter() - started))


def _determined_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution | None:
    """Where the conditions leave nothing open but numbers; None where that does not work."""
    found = determine(problem, solver, run)
    if found is None:
        return None
    best, doubts = found.best, found.doubt
    result = verdict(best, doubts.relative, solver)
    if result.is_success and not found.settled:
        result = RESULTS.budget_exhausted if run.is_over else RESULTS.stagnated
    elif result.is_success and not explains(found.misfit, found.spread):
        result = RESULTS.under_resolved
    return Solution(
        problem,
        repr(solver),
        mean_of(best, solver),
        result,
        _numbers(problem, found.raw, found.spread),
        Stats(
            iterations=found.iterations,
            unknowns=best.coefficients.size + found.raw.size,
            extra=numbers_of(best) | doubts.extra | {"noise": found.noise, "misfit": found.misfit},
        ),
        deviation=doubts.deviation,
    )


def _joint_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution:
    """Where equations and observations together determine the field."""
    best = _best(problem, solver, run)
    found = best.found
    attempt = SystemAttempt(found.system, best.spectra, found.coefficients, best.certificate, best.result, 0)
    deviation = deviation_of_system(found.system, found.factors, [0.0] * len(best.spectra))
    return Solution(
        problem,
        repr(solver),
        _single(mean_of_system(attempt, solver)),
        best.result,
        _numbers(problem, found.raw, found.spread),
        Stats(
            iterations=found.iterations,
            unknowns=sum(c.size for c in found.coefficients) + found.raw.size,
            extra=numbers_of_system(attempt) | {"noise": found.noise, "misfit": found.misfit},
        ),
        deviation=_single(deviation),
    )


def _numbers(problem: Problem, raw: np.ndarray, spread: np.ndarray) -> dict[str, Estimate]:
    given = {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None}
    return given | estimates(problem, raw, spread)


def explains(misfit: float, spread: np.ndarray) -> bool:
    """Whether observations scatter as their noise says and determine the numbers."""
    return misfit <= _LARGEST_MISFIT and bool(np.all(spread <= _UNDETERMINED))


def _best(problem: Problem, solver: KroneckerGP, run: Run) -> _Fit:
    """The fit that holds best between the nodes: refitted to what it shows of the spectra, then widened, if it pays."""
    spectra = _learned(problem, solver)
    best = _fit(problem, spectra, solver)
    for _ in range(_MOST_REFITS):
        if best.certificate.worst <= RESOLVED or run.is_over or not best.found.result.has_solution:
            break
        best, pays = _better(best, problem, _learned(problem, solver, best), solver)
        if not pays:
            break
    band = _FIRST_BAND
    for _ in range(_MOST_WIDENINGS):
        if best.certificate.worst <= RESOLVED or run.is_over or not best.found.result.has_solution:
            break
        wider = tuple(
            tuple(widened(f.statement, k, lines, band) for k, lines in enumerate(own))
            for f, own in zip(best.found.system.fields, best.spectra, strict=True)
        )
        best, pays = _better(best, problem, wider, solver)
        band *= 2
        if not pays:
            break
    return best


def _better(best: _Fit, problem: Problem, spectra: tuple[Spectra, ...], solver: KroneckerGP) -> tuple[_Fit, bool]:
    """The better certified of a fit and one with other spectra, and whether the second one was worth its while."""
    now = best.found.system.fields[0].statement.problem
    if spectra == best.spectra or sum(_system(now, spectra, solver).sizes) > MOST_COEFFICIENTS:
        return best, False
    fresh = _fit(problem, spectra, solver, best.found.raw)
    pays = fresh.certificate.worst < _PAYS * best.certificate.worst
    return (fresh if fresh.certificate.worst < best.certificate.worst else best), pays


def _fit(problem: Problem, spectra: tuple[Spectra, ...], solver: KroneckerGP, start: np.ndarray | None = None) -> _Fit:
    candidates = Candidates(problem, lambda candidate: _system(candidate, spectra, solver))
    start = first_guesses(problem) if start is None else start
    system = candidates.at(start)
    if sum(system.sizes) > MOST_COEFFICIENTS:
        raise too_large(system)
    found = assimilate(candidates, start)
    return _Fit(spectra, found, certify_system(found.system, found.coefficients))


def _learned(problem: Problem, solver: KroneckerGP, known: _Fit | None = None) -> tuple[Spectra, ...]:
    """Spectra that equations and conditions show; of a fit, with its numbers and its nonlinear terms."""
    found = None if known is None else known.found
    parts = (
        parts_of_system(stated(problem, first_guesses(problem)))
        if found is None
        else tuple(f.statement for f in found.system.fields)
    )
    is_linear = all(p.parts.is_linear for p in parts)
    tolerance = solver.tolerance if is_linear or known is not None else _COARSE_TOLERANCE
    if is_system(problem):
        fit = None if found is None else KnownSystem(found.system, found.coefficients)
        return learn_system(parts, tolerance, solver.most_lines, fit)
    fit = None if found is None else Known(found.system.fields[0], found.coefficients[0])
    return (learn_spectra(parts[0], tolerance, solver.most_lines, fit),)


def _system(problem: Problem, spectra: tuple[Spectra, ...], solver: KroneckerGP) -> System:
    parts = parts_of_system(problem)
    if is_open(parts):
        spectra = tuple(_with_homogeneous_solutions(p, own) for p, own in zip(parts, spectra, strict=True))
    if is_system(problem):
        return discretise_system(parts, spectra, solver)
    discrete = discretise(parts[0], spectra[0], solver)
    return System((discrete,), tuple(s.basis.vectors for s in discrete.spaces))


def is_open(parts: Sequence[Statement]) -> bool:
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
