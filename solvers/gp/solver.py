"""KroneckerGP: a Gaussian process on a tensor grid with a learned spectrum, solved by direct linear algebra."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, final

import jax.numpy as jnp

from sciml.errors import OptionError
from sciml.galerkin.certificate import certify
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.newton import fast_inverse, slopes_at
from sciml.galerkin.statement import Statement
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.gp.adam import AdamGP
from solvers.gp.amplitudes import spectral_lines
from solvers.gp.assimilation import assimilate
from solvers.gp.attempts import Attempt, Spectra, discretise, solve_best
from solvers.gp.inference import infer
from solvers.gp.learning import learn_spectra
from solvers.gp.posterior import Posterior, diagonal_posterior, exact_posterior, seen_by_the_nodes, truncation
from solvers.gp.representation import DiagonalDeviation, ExactDeviation, KroneckerMean
from solvers.gp.shapes import AbstractShape, Gaussian
from solvers.gp.support import reasons

_EXACT_DIRECTIONS = 900
_LARGEST_MISFIT = 2.0


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

    Solves one scalar equation of one field on a box of up to three axes, time being one of them, with at least as many
    linear conditions on the faces of an axis as the equation has derivatives along it; more must agree. Cost:
    $O(n^d r + r^{d+1})$ for n nodes and r kept functions an axis. A solution made of few lines times polynomials lies
    in the kernel's span to round-off; for any other expect 1e-4 … 1e-8. The data must be resolved: the residual between
    the nodes, in `stats.extra`, tells, and `RESULTS.under_resolved` is returned where it is large. Spectral methods do
    as well on smooth problems.

    Source: Fang, Cooley, Long, Li, Kirby & Zhe, ICLR 2024, arXiv:2311.04465 (the model); direct algebra in place of its
    gradient descent.

    Args:
        shape: of the spectral lines: `Gaussian()` or `StudentT()`.
        nodes: along each axis; None lets the learned band decide.
        tolerance: relative misfit of the data at which the search for lines ends.
        accepted: largest relative residual between the nodes of a successful solution.
        most_lines: most lines an axis, beside its smooth part.
        rtol: relative Newton correction at which the iteration ends.
        most_steps: bound on Newton steps.

    Raises:
        OptionError: a hyperparameter outside its range.
    """

    shape: AbstractShape = field(default_factory=Gaussian)
    nodes: int | None = None
    tolerance: float = 1e-9
    accepted: float = 1e-5
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
        return list(reasons(problem, self.shape, takes_observations=True))

    def run(self, problem: Problem, run: Run) -> Solution:
        started = time.perf_counter()
        statement, inferred = Statement(problem), {}
        if problem.observations:
            statement, inferred, best, deviation, noise = _observed(problem, self)
        else:
            best = solve_best(statement, self, run)
            deviation, noise = _deviation(statement, best)
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
    explained = certificate.worst <= solver.accepted and found.misfit <= _LARGEST_MISFIT
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


def _deviation(statement: Statement, best: Attempt) -> tuple[AbstractRepresentation | None, dict[str, float]]:
    """Standard deviation around the solution, exact while the basis is small, by modes beyond; and the noise found.

    The equation is linearised at the solution: its operator must turn the solution's distance from the lift into what
    the nodes saw.
    """
    if not best.result.has_solution:
        return None, {}
    discrete, spaces = best.discrete, best.discrete.spaces
    is_linear = statement.parts.is_linear
    operator = discrete.operator if is_linear else discrete.read_values(slopes_at(discrete, best.coefficients))
    data = seen_by_the_nodes(discrete, best.coefficients)
    features = tuple(s.basis.features for s in spaces)
    directions = 1
    for s in spaces:
        directions *= s.free
    if operator.exact and directions <= _EXACT_DIRECTIONS:
        exact: Posterior = exact_posterior(discrete, operator, data)
        factor = jnp.asarray(exact.factor.reshape(*(s.basis.rank for s in spaces), -1))
        transforms = tuple(jnp.asarray(s.basis.transform) for s in spaces)
        floor = jnp.asarray(truncation(discrete, exact.noise))
        return ExactDeviation(features, transforms, factor, floor, *_names(statement)), {"noise": exact.noise.deviation}
    inverse, _ = fast_inverse(discrete, operator)
    diagonal = None if inverse is None else diagonal_posterior(discrete, inverse, data)
    if diagonal is None:
        return None, {}
    transforms = tuple(jnp.asarray(s.basis.transform @ m) for s, m in zip(spaces, diagonal.modes, strict=True))
    variances = jnp.asarray(diagonal.variances)
    floor = jnp.asarray(truncation(discrete, diagonal.noise))
    return DiagonalDeviation(features, transforms, variances, floor, *_names(statement)), {
        "noise": diagonal.noise.deviation
    }
