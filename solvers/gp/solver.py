"""KroneckerGP: a Gaussian process on a tensor grid with a learned spectrum, solved by direct linear algebra."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import final

import jax.numpy as jnp

from sciml.problem import Problem
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.gp.attempts import solve_best
from solvers.gp.representation import KroneckerMean
from solvers.gp.shapes import AbstractShape, Gaussian
from solvers.gp.statement import Statement


@final
@dataclass(frozen=True)
class KroneckerGP(AbstractSolver):
    shape: AbstractShape = Gaussian()
    nodes: int | None = None
    tolerance: float = 1e-9
    accepted: float = 1e-5
    most_lines: int = 8
    most_steps: int = 40
    rtol: float = 1e-12

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        started = time.perf_counter()
        statement = Statement(problem)
        best = solve_best(statement, self, run)
        spaces = best.discrete.spaces
        representation = KroneckerMean(
            tuple(s.basis.features for s in spaces),
            tuple(jnp.asarray(s.basis.transform) for s in spaces),
            jnp.asarray(best.coefficients),
            tuple(x.name for x in statement.axes),
            repr(problem.unknowns[0]),
        )
        return Solution(
            problem,
            repr(self),
            representation,
            best.result,
            {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None},
            Stats(
                solve=time.perf_counter() - started,
                iterations=best.iterations,
                unknowns=best.coefficients.size,
                extra={"residual": best.certificate.equation, "conditions": best.certificate.conditions},
            ),
        )
