"""KroneckerGP: a Gaussian process on a tensor grid with a learned spectrum, solved by direct linear algebra."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, final

import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from sciml.problem import Problem
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.gp.adam import AdamGP
from solvers.gp.attempts import Attempt, solve_best
from solvers.gp.newton import fast_inverse, slopes_at
from solvers.gp.posterior import Posterior, diagonal_posterior, exact_posterior, outside, truncation
from solvers.gp.representation import DiagonalDeviation, ExactDeviation, KroneckerMean
from solvers.gp.shapes import AbstractShape, Gaussian
from solvers.gp.statement import Statement
from solvers.gp.support import reasons

_EXACT_DIRECTIONS = 900


@final
@dataclass(frozen=True)
class KroneckerGP(AbstractSolver):
    r"""A Gaussian process whose kernel, a product over the axes, carries the frequencies that the data show.

    The spectrum of each axis is read from the source and the boundary data, the kernel's whitened eigenbasis turns
    the equation into Kronecker sums of small matrices, and fast diagonalisation solves them; nonlinear equations and
    coefficients that do not separate take Newton–Krylov steps with the same inverse. The posterior gives a standard
    deviation everywhere, its noise and amplitude by evidence.

    Solves one scalar equation of one field on a box of up to three axes, time being one of them, with as many linear
    conditions on the faces of an axis as the equation has derivatives along it. Cost: $O(n^d r + r^{d+1})$ for n nodes
    and r kept functions an axis. A solution made of few lines times polynomials lies in the kernel's span to round-off;
    for any other expect 1e-4 … 1e-8. The data must be resolved: the residual between the nodes, in `stats.extra`,
    tells, and `RESULTS.under_resolved` is returned where it is large. Spectral methods do as well on smooth problems.

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
        return list(reasons(problem, self.shape))

    def run(self, problem: Problem, run: Run) -> Solution:
        started = time.perf_counter()
        statement = Statement(problem)
        best = solve_best(statement, self, run)
        deviation, noise = _deviation(statement, best)
        extra = {"residual": best.certificate.equation, "conditions": best.certificate.conditions}
        for x, lines in zip(statement.axes, best.spectra, strict=True):
            extra |= {f"lines_{x.name}": len(lines), f"highest_{x.name}": max(line.frequency for line in lines)}
        return Solution(
            problem,
            repr(self),
            _mean(statement, best),
            best.result,
            {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None},
            Stats(
                solve=time.perf_counter() - started,
                iterations=best.iterations,
                unknowns=best.coefficients.size,
                extra=extra | noise,
            ),
            deviation=deviation,
        )


def _mean(statement: Statement, best: Attempt) -> KroneckerMean:
    spaces = best.discrete.spaces
    return KroneckerMean(
        tuple(s.basis.features for s in spaces),
        tuple(jnp.asarray(s.basis.transform) for s in spaces),
        jnp.asarray(best.coefficients),
        *_names(statement),
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
    slopes = slopes_at(discrete, best.coefficients)
    operator = discrete.read_values(slopes)
    away = discrete.jets(best.coefficients - discrete.lift, tuple(slopes))
    made = discrete.on_grid(np.asarray(sum(s * away[a] for a, s in slopes.items())))
    residual = discrete.residual(best.coefficients)
    data, unexplained = made - residual, outside(discrete, residual)
    features = tuple(s.basis.features for s in spaces)
    directions = 1
    for s in spaces:
        directions *= s.free
    if operator.exact and directions <= _EXACT_DIRECTIONS:
        exact: Posterior = exact_posterior(discrete, operator, data, unexplained)
        factor = jnp.asarray(exact.factor.reshape(*(s.basis.rank for s in spaces), -1))
        transforms = tuple(jnp.asarray(s.basis.transform) for s in spaces)
        floor = jnp.asarray(truncation(discrete, exact.noise))
        return ExactDeviation(features, transforms, factor, floor, *_names(statement)), {"noise": exact.noise.deviation}
    inverse, _ = fast_inverse(discrete, operator)
    diagonal = None if inverse is None else diagonal_posterior(discrete, inverse, data, unexplained)
    if diagonal is None:
        return None, {}
    transforms = tuple(jnp.asarray(s.basis.transform @ m) for s, m in zip(spaces, diagonal.modes, strict=True))
    variances = jnp.asarray(diagonal.variances)
    floor = jnp.asarray(truncation(discrete, diagonal.noise))
    return DiagonalDeviation(features, transforms, variances, floor, *_names(statement)), {
        "noise": diagonal.noise.deviation
    }
