"""Steady systems on a lattice: smooth ones, ends that a residual piles up at, and what is judged."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml import (
    RESULTS,
    Box,
    Field,
    Problem,
    VectorField,
    coordinates,
    cos,
    div,
    dot,
    exp,
    grad,
    laplacian,
    load,
    pi,
    sin,
    solve,
    uniform_grid,
    vector,
)
from sciml.galerkin.certificate import Certificate
from solvers.gaussians import PIG
from solvers.gaussians.ends import finer_at, piled_ends, sharper
from solvers.gaussians.spaces import AxisLattice
from solvers.gaussians.systems import SystemAttempt

UNIT = (0.0, 1.0)


def rotation() -> Problem:
    (x,) = coordinates("x")
    u, v, box = Field("u", x), Field("v", x), Box({x: UNIT})
    start = [(u == 0).on(box.at(x=0)), (v == 1).on(box.at(x=0))]
    return Problem([u.dx == v, v.dx == -u], box, start, exact={u: sin(x), v: cos(x)})


def kovasznay() -> Problem:
    """Flow behind a grid at Reynolds number 20, with a pressure that is given at one point."""
    x, y = coordinates("x y")
    v, p = VectorField("v", 2, x, y), Field("p", x, y)
    rate = 10 - np.sqrt(100 + 4 * np.pi**2)
    wave = exp(rate * x)
    truth = vector(1 - wave * cos(2 * pi * y), rate / (2 * pi) * wave * sin(2 * pi * y))
    pressure = (1 - wave**2) / 2
    box = Box({x: (0, 1), y: (-0.5, 0.5)})
    return Problem(
        [dot(grad(v), v) == -grad(p) + laplacian(v) / 20, div(v) == 0],
        box,
        [(v == truth).on(box.boundary), (p == 0).on(box.at(x=0, y=0))],
        exact={v: truth, p: pressure},
    )


@pytest.mark.parametrize("problem", [rotation(), kovasznay()])
def test_smooth_systems_are_solved_to_many_digits(problem, tmp_path):
    solution = solve(problem, PIG(tolerance=1e-6))
    assert solution.result is RESULTS.successful
    errors = solution.errors(problem.reference, uniform_grid(problem.box, 21))
    assert max(e["relative_l2"] for e in errors.values()) < 1e-6
    back, middle = load(solution.save(tmp_path)), {x.name: 0.3 for x in problem.coordinates}
    for name, value in back(**middle).items():
        assert_allclose(value, solution(**middle)[name], rtol=0)


def test_residuals_pile_up_at_ends():
    energy = np.ones((40, 20))
    assert piled_ends(energy, 0) == (False, False)
    energy[-2:] = 100
    assert piled_ends(energy, 0) == (False, True)
    assert piled_ends(energy, 1) == (False, False)


def test_lattices_grow_finer_towards_asked_ends_only():
    plain = AxisLattice(10)
    assert finer_at(plain, UNIT, (False, False)) is plain
    right = finer_at(plain, UNIT, (False, True))
    assert right.cells == 10
    assert_allclose(right.stretching.centres, [1.0])
    assert finer_at(right, UNIT, (False, True)) is right
    slope = right.stretching.derivatives(np.array([0.0, 1.0]), 1)[1]
    assert slope[1] > 4 * slope[0]
    both = finer_at(right, UNIT, (True, True))
    assert_allclose(both.stretching.centres, [1.0, 0.0])
    next_one = sharper(both, UNIT, (True, False), 1.5)
    assert next_one.cells == 15
    assert_allclose(next_one.stretching.widths, both.stretching.widths * [1.0, 0.5])


def test_a_verdict_needs_a_small_residual_or_a_small_error_of_an_equation_that_is_about_solved():
    def verdict(residual: float, error: float, outcome: RESULTS = RESULTS.successful) -> RESULTS:
        return SystemAttempt(None, (), [], Certificate(residual, 0.0), outcome, 1, error).verdict(1e-3)  # type: ignore[arg-type]

    assert verdict(1e-4, np.inf) is RESULTS.successful
    assert verdict(1e-2, 1e-4) is RESULTS.successful
    assert verdict(1e-2, 1e-2) is RESULTS.under_resolved
    assert verdict(0.5, 1e-4) is RESULTS.under_resolved
    assert verdict(1e-4, 1e-4, RESULTS.max_steps_reached) is RESULTS.max_steps_reached
