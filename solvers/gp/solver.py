"""KroneckerGP: a Gaussian process on a tensor grid with a learned spectrum, solved by direct linear algebra."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, final

import jax.numpy as jnp

from sciml.errors import OptionError
from sciml.galerkin.certificate import certify
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.statement import Statement
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.gp.adam import AdamGP
from solvers.gp.amplitudes import spectral_lines
from solvers.gp.assimilation import assimilate
from solvers.gp.attempts import RESOLVED, Attempt, Spectra, discretise, solve_best
from solvers.gp.coefficient_solution import coefficient_reasons, coefficient_solution, has_coefficient_fields
from solvers.gp.deviation import doubt
from solvers.gp.inference import infer
from solvers.gp.learning import learn_spectra
from solvers.gp.representation import ExactDeviation, KroneckerMean
from solvers.gp.shapes import AbstractShape, Gaussian
from solvers.gp.support import reasons
from solvers.gp.system_solution import system_solution
from solvers.gp.system_support import is_system, system_reasons

_LARGEST_MISFIT = 2.0
_EXPLAINED = 1e-2


@final
@dataclass(frozen=True)
class KroneckerGP(AbstractSolver):
    r"""A Gaussian process whose kernel, a product over the axes, carries the frequencies that the data show.

    The spectrum of each axis is read from the source and the boundary data, the kernel's whitened eigenbasis turns
    the equation into Kronecker sums of small matrices, and fast diagonalisation solves them; nonlinear equations and
    coefficients that do not separate take Newton–Krylov steps with the same inverse. The posterior gives a standard
    deviation everywhere, its noise and amplitude by evidence.

    Observations of a linear equation's solution, anywhere and with noise, known or not, condition the posterior beside
    the equation and may stand in for conditions that are missing; parameters without a number are then inferred by
    evidence, with standard errors.

    Systems of fields, and problems with a gauge, are solved by least squares over all fields together, one kernel each,
    with up to 4000 coefficients. Fields that no equation determines, such as a conductivity, are inferred from
    observations of the state with one equation: Gauss–Newton on the joint posterior, length scale by evidence.

    Problems are stated on boxes of up to three axes, time being one of them. One equation of one field has at least as
    many linear conditions on the faces of an axis as derivatives along it; more must agree. Cost:
    $O(n^d r + r^{d+1})$ for n nodes and r kept functions an axis. A solution made of few lines times polynomials lies
    in the kernel's span to round-off; for any other expect 1e-4 … 1e-8. The nodes must be finer than half a period of
    the fastest line (Nyquist). The residual between the nodes, taken for the equation's noise, gives the standard
    deviation and with it the estimated error, both in `stats.extra`; `RESULTS.under_resolved` is returned where it is
    large. Spectral methods do as well on smooth problems.

    Source: Fang, Cooley, Long, Li, Kirby & Zhe, ICLR 2024, arXiv:2311.04465 (the model); direct algebra in place of its
    gradient descent.

    Args:
        shape: of the spectral lines: `Gaussian()` or `StudentT()`.
        nodes: along each axis; None lets the learned band decide.
        tolerance: relative misfit of the data at which the search for lines ends.
        accepted: largest estimated relative error (standard deviation over solution, root mean squares) of a
            successful solution, and relative residual of its conditions.
        most_lines: most lines an axis, beside its smooth part.
        rtol: relative Newton correction at which the iteration ends.
        most_steps: bound on Newton steps.

    Raises:
        OptionError: a hyperparameter outside its range.
    """

    shape: AbstractShape = field(default_factory=Gaussian)
    nodes: int | None = None
    tolerance: float = 1e-9
    accepted: float = 1e-4
    most_lines: int = 8
    rtol: float = 1e-12
    most_steps: int = 40

    def __post_init__(self) -> None:
        if not isinstance(self.shape, AbstractShape):
            raise OptionError(f"shape {self.shape!r}", "Gaussian() or StudentT()", "pass one of these objects")
        for name, least in (("nodes", 8), ("most_lines", 0), ("most_steps", 1)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise OptionError(f"{name}={value!r}", f"an integer of at least {least}", "change it")
        for name in ("tolerance", "accepted", "rtol"):
            if not 0 < getattr(self, name) < 1:
                raise OptionError(f"{name}={getattr(self, name)!r}", "a number between 0 and 1", "change it")

    @staticmethod
    def adam(**hyperparameters: Any) -> AdamGP:
        """The published gradient-descent fit of the same model, for comparison; arguments are those of `AdamGP`."""
        return AdamGP(**hyperparameters)

    def check(self, problem: Problem) -> list[str]:
        if has_coefficient_fields(problem):
            return list(coefficient_reasons(problem, self.shape))
        if is_system(problem):
            return list(system_reasons(problem, self.shape))
        return list(reasons(problem, self.shape, takes_observations=True))

    def run(self, problem: Problem, run: Run) -> Solution:
        if has_coefficient_fields(problem):
            return coefficient_solution(problem, self, run)
        if is_system(problem):
            return system_solution(problem, self, run)
        started = time.perf_counter()
        statement, inferred = Statement(problem), {}
        if problem.observations:
            statement, inferred, best, deviation, noise = _observed(problem, self)
        else:
            best = solve_best(statement, self, run)
            doubts = doubt(best)
            deviation, noise = doubts.deviation, doubts.extra
            best = replace(best, result=_verdict(best, doubts.relative, self))
        extra = {"residual": best.certificate.equation, "conditions": best.certificate.conditions}
        for x, lines in zip(statement.axes, best.spectra, strict=True):
            extra |= {f"lines_{x.name}": len(lines), f"highest_{x.name}": max(line.frequency for line in lines)}
        return Solution(
            problem,
            repr(self),
            _mean(statement, best, self.shape),
            best.result,
            {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None} | inferred,
            Stats(
                solve=time.perf_counter() - started,
                iterations=best.iterations,
                unknowns=best.coefficients.size,
                extra=extra | noise,
            ),
            deviation=deviation,
        )


def _verdict(best: Attempt, estimated_error: float | None, solver: KroneckerGP) -> RESULTS:
    """Whether a solution is a success: by its estimated error if it has one, else by the residual alone.

    The residual counts all scales alike, while the equation smooths: it can be far above the error, as next to the
    faces that a layer touches, and far below, as that of a smooth part under a fast oscillation. Where it is no longer
    small beside the terms of the equation, the nodes have not seen the source, and there is nothing to estimate from.
    """
    if estimated_error is None or best.result not in (RESULTS.successful, RESULTS.under_resolved):
        return best.result
    certificate = best.certificate
    trusted = max(estimated_error, certificate.conditions) <= solver.accepted and certificate.equation <= _EXPLAINED
    return RESULTS.successful if trusted else RESULTS.under_resolved


def _observed(
    problem: Problem, solver: KroneckerGP
) -> tuple[Statement, dict[str, Estimate], Attempt, AbstractRepresentation, dict[str, float]]:
    """The problem with the numbers that its observations call for, and its solution."""
    if not problem.unknown_parameters:
        statement = Statement(problem)
        return statement, {}, *_assimilated(statement, solver)

    def evidence(candidate: Problem) -> float:
        return assimilate(_learned(Statement(candidate), solver)[0]).evidence

    found = infer(problem, evidence)
    best, deviation, extra = _assimilated(found.statement, solver)
    if best.result.is_success and not found.converged:
        best = replace(best, result=RESULTS.stagnated)
    return found.statement, found.estimates, replace(best, iterations=found.evaluations), deviation, extra


def _learned(statement: Statement, solver: KroneckerGP) -> tuple[Discretisation, Spectra]:
    spectra = learn_spectra(statement, solver.tolerance, solver.most_lines)
    return discretise(statement, spectra, solver), spectra


def _assimilated(statement: Statement, solver: KroneckerGP) -> tuple[Attempt, AbstractRepresentation, dict[str, float]]:
    """The solution that equation, conditions and observations agree on.

    It is trusted where the equation holds between the nodes and the observations scatter as their noise says.
    """
    discrete, spectra = _learned(statement, solver)
    found = assimilate(discrete)
    certificate = certify(discrete, found.coefficients)
    explained = certificate.worst <= RESOLVED and found.misfit <= _LARGEST_MISFIT
    result = RESULTS.successful if explained else RESULTS.under_resolved
    best = Attempt(discrete, spectra, found.coefficients, certificate, result)
    features = tuple(s.basis.features for s in discrete.spaces)
    transforms = tuple(jnp.asarray(s.basis.transform) for s in discrete.spaces)
    deviation = ExactDeviation(features, transforms, jnp.asarray(found.factor), jnp.zeros(()), *_names(statement))
    return best, deviation, {"noise": found.noise, "misfit": found.misfit}


def _mean(statement: Statement, best: Attempt, shape: AbstractShape) -> KroneckerMean:
    spaces = best.discrete.spaces
    lines = [spectral_lines(best.discrete, k, own, best.coefficients, shape) for k, own in enumerate(best.spectra)]
    return KroneckerMean(
        tuple(s.basis.features for s in spaces),
        tuple(jnp.asarray(s.basis.transform) for s in spaces),
        jnp.asarray(best.coefficients),
        *_names(statement),
        tuple(lines),
    )


def _names(statement: Statement) -> tuple[tuple[str, ...], str]:
    return tuple(x.name for x in statement.axes), repr(statement.problem.unknowns[0])
