"""One problem object, every solver that claims it, unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from pde_zoo import burgers
from sciml import RESULTS, solve, uniform_grid
from sciml.optimise import LevenbergMarquardt
from solvers.classical import FiniteDifference, Spectral
from solvers.gaussians import PIG
from solvers.pinn import MLP, PINN

PROBLEM = burgers(nu=0.05)
CONTENT = PROBLEM.content

SOLVERS = [
    (Spectral(), 1e-8),
    (FiniteDifference(points=129), 1e-3),
    (PIG(), 1e-4),
    (PINN(network=MLP(width=12, depth=2), optimiser=LevenbergMarquardt(max_steps=40)), 2e-2),
]


@pytest.mark.parametrize(("solver", "tolerance"), SOLVERS, ids=lambda p: getattr(p, "name", ""))
def test_the_same_problem_goes_through_every_solver(solver, tolerance):
    assert solver.check(PROBLEM) == []
    solution = solve(PROBLEM, solver)
    assert solution.result is not RESULTS.nonfinite
    error = solution.errors(PROBLEM.reference, uniform_grid(PROBLEM.box, {"t": 11, "x": 101}))
    assert error["u"]["relative_l2"] < tolerance
    assert PROBLEM.content == CONTENT
    assert all(np.isfinite(r).all() for r in solution.residual({"t": [0.5], "x": [0.25]}))
