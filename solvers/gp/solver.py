"""KroneckerGP: a Gaussian process on a tensor grid with a learned spectrum, solved by direct linear algebra."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, final

from sciml.errors import OptionError
from sciml.galerkin.statement import Statement
from sciml.problem import Problem
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.gp.adam import AdamGP
from solvers.gp.attempts import solve_best
from solvers.gp.coefficient_solution import coefficient_reasons, coefficient_solution, has_coefficient_fields
from solvers.gp.deviation import doubt
from solvers.gp.observed import observed_solution
from solvers.gp.outcome import mean_of, numbers_of, verdict
from solvers.gp.shapes import AbstractShape, Gaussian
from solvers.gp.slabs import slab_reasons, slab_solution
from solvers.gp.support import reasons
from solvers.gp.system_solution import system_solution
from solvers.gp.system_support import is_system, system_reasons


@final
@dataclass(frozen=True)
class KroneckerGP(AbstractSolver):
    r"""A Gaussian process whose kernel, a product over the axes, carries the frequencies that the data show.

    The spectrum of each axis is read from the source and the boundary data, its lines refined by evidence where they
    are close together; the kernel's whitened eigenbasis turns the equation into Kronecker sums of small matrices, and
    fast diagonalisation solves them; nonlinear equations and coefficients that do not separate take Newton–Krylov steps
    with the same inverse. The posterior gives a standard deviation everywhere, its noise and amplitude by evidence.

    Observations, anywhere and with noise, known or not, condition the posterior beside the equations and may stand in
    for conditions that are missing; parameters without a number are then inferred, with standard errors.
    Nonlinear equations and observations are linearised at the mean (Gauss–Newton).

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

    In `slabs` of time a long horizon takes several small problems in place of a large one, and Newton's method starts
    close to the solution; linear equations with few lines are better solved whole. The values at the end of a slab, and
    for an equation of second order the rates, are the initial data of the next. Rates are taken weakly, by the jump
    term $\delta(t - t_k)(u_t - v_k)$ of Hulbert & Hughes (doi:10.1016/0045-7825(90)90082-W), so that no mode gains
    energy at the hand-over; the jump counts among the residuals of the conditions. The standard deviation of a slab,
    given its data, and that of the errors handed to it, drawn at the end of one slab and carried through the linearised
    equation of the next, add as variances. Residual, conditions, estimated error and result are those of the worst
    slab; a slab without a solution ends the march, at `stats.extra["reached"]`. All conditions along time must be
    initial ones, of one equation without observations.

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
        most_steps: bound on Newton steps, in each slab.
        slabs: of time, of equal length, solved one after the other.

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
    slabs: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.shape, AbstractShape):
            raise OptionError(f"shape {self.shape!r}", "Gaussian() or StudentT()", "pass one of these objects")
        for name, least in (("nodes", 8), ("most_lines", 0), ("most_steps", 1), ("slabs", 1)):
            value = getattr(self, name)
            if (value is not None or name != "nodes") and (not isinstance(value, int) or value < least):
                raise OptionError(f"{name}={value!r}", f"an integer of at least {least}", "change it")
        for name in ("tolerance", "accepted", "rtol"):
            if not 0 < getattr(self, name) < 1:
                raise OptionError(f"{name}={getattr(self, name)!r}", "a number between 0 and 1", "change it")

    @staticmethod
    def adam(**hyperparameters: Any) -> AdamGP:
        """The published gradient-descent fit of the same model, for comparison; arguments are those of `AdamGP`."""
        return AdamGP(**hyperparameters)

    def check(self, problem: Problem) -> list[str]:
        found = self._reasons(problem)
        if found or self.slabs == 1:
            return found
        if has_coefficient_fields(problem) or is_system(problem):
            return ["it needs one equation of one known field to march in slabs of time: leave slabs=1"]
        return list(slab_reasons(problem, self))

    def _reasons(self, problem: Problem) -> list[str]:
        if has_coefficient_fields(problem):
            return list(coefficient_reasons(problem, self.shape))
        if is_system(problem):
            return list(system_reasons(problem, self.shape))
        return list(reasons(problem, self.shape, takes_observations=True))

    def run(self, problem: Problem, run: Run) -> Solution:
        if has_coefficient_fields(problem):
            return coefficient_solution(problem, self, run)
        if problem.observations:
            return observed_solution(problem, self, run)
        if is_system(problem):
            return system_solution(problem, self, run)
        if self.slabs > 1:
            return slab_solution(problem, self, run)
        started = time.perf_counter()
        best = solve_best(Statement(problem), self, run)
        doubts = doubt(best)
        return Solution(
            problem,
            repr(self),
            mean_of(best, self),
            verdict(best, doubts.relative, self),
            {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None},
            Stats(
                solve=time.perf_counter() - started,
                iterations=best.iterations,
                unknowns=best.coefficients.size,
                extra=numbers_of(best) | doubts.extra,
            ),
            deviation=doubts.deviation,
        )
