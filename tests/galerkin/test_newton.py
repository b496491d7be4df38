"""Newton's method heeds its budget inside a linear solve, not only between steps."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np

from sciml import RESULTS, Box, Field, Problem, coordinates, sin
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.newton import newton
from sciml.galerkin.statement import Statement
from sciml.solver import Run
from solvers.gaussians.spaces import AxisLattice, axis_space

T, X = coordinates("t x")
U, BOX = Field("u", T, X), Box({T: (0, 1), X: (0, 1)})


@dataclass(frozen=True)
class Looks:
    """A budget that is over after it was looked at so many times."""

    left: list[int]
    callback: None = None

    @property
    def is_over(self) -> bool:
        self.left[0] -= 1
        return self.left[0] < 0


def discrete() -> Discretisation:
    equation = U.dt == (1 + 0.5 * sin(5 * X * T)) * U.dxx + U * U.dx
    problem = Problem(equation, BOX, [(U == X).on(BOX.at(t=0)), (U == X).on(BOX.boundary(X))])
    statement = Statement(problem)
    return Discretisation(statement, tuple(axis_space(statement, k, AxisLattice(6)) for k in range(2)))


def test_a_budget_that_ends_inside_a_linear_solve_ends_the_iteration():
    made = discrete()
    whole = newton(made, made.lift, rtol=1e-10, most_steps=20, run=Run(jax.random.key(0)))
    assert whole.result is RESULTS.successful
    cut = newton(made, made.lift, rtol=1e-10, most_steps=20, run=Looks([3]))  # type: ignore[arg-type]
    assert (cut.result, cut.iterations) == (RESULTS.budget_exhausted, 1)
    np.testing.assert_array_equal(cut.coefficients, made.lift)
