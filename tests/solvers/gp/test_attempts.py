"""No attempt is begun that memory or the budget has no room for."""

from __future__ import annotations

from dataclasses import replace

import jax
import pytest

from sciml import RESULTS, Box, Field, Problem, coordinates, solve
from sciml.galerkin.statement import Statement
from sciml.solver import Run
from solvers.gp import KroneckerGP
from solvers.gp.attempts import attempt, is_affordable
from solvers.gp.learning import learn_spectra

X, Y = coordinates("x y")
U, BOX = Field("u", X, Y), Box({X: (0, 1), Y: (0, 1)})
NONLINEAR = Problem(U.dxx + U.dyy - U**3 == -1, BOX, [(U == 0).on(BOX.boundary)])


@pytest.fixture(scope="module")
def best():
    statement, solver = Statement(NONLINEAR), KroneckerGP()
    return attempt(statement, learn_spectra(statement, 1e-3, solver.most_lines), solver, Run(jax.random.key(0)))


def test_nodes_that_do_not_fit_into_memory_are_refused(best):
    free = Run(jax.random.key(0))
    assert is_affordable(best, [2 * n for n in best.discrete.shape], free)
    assert not is_affordable(best, [10_000, 10_000], free)


def test_an_attempt_that_would_outlast_the_budget_is_refused(best):
    run = Run(jax.random.key(0), budget=60.0)
    wider = [2 * n for n in best.discrete.shape]
    assert is_affordable(replace(best, seconds=1.0), wider, run)
    assert not is_affordable(replace(best, seconds=10.0), wider, run)  # four times the nodes, twice as long: 160 s


def test_what_is_affordable_is_still_solved(best):
    assert best.seconds > 0
    solution = solve(NONLINEAR, KroneckerGP())
    assert solution.result is RESULTS.successful
