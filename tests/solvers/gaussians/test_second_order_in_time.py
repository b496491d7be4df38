"""Waves in slabs: no mode gains energy, and moving boundaries keep their values and rates."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml import RESULTS, Box, Field, Problem, coordinates, cos, pi, sin, solve, uniform_grid
from sciml.galerkin.second_order_time import SecondOrderTime
from sciml.galerkin.statement import Statement
from solvers.gaussians import PIG
from solvers.gaussians.spaces import AxisLattice, axis_space


def string() -> Problem:
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 2), x: (0, 1)})
    truth = sin(2 * pi * x) * cos(2 * pi * t)
    start = [(u == sin(2 * pi * x)).on(box.at(t=0)), (u.dt == 0).on(box.at(t=0))]
    return Problem(u.dtt == u.dxx, box, [*start, (u == 0).on(box.boundary(x))], exact={u: truth})


def moving_ends() -> Problem:
    """Nonlinear, with data on the ends that vary in time and a rate that does not vanish there."""
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 2), x: (-1, 1)})
    truth = x * cos(2 * t) + x**2 * sin(2 * t)
    forcing = -4 * truth - 2 * sin(2 * t) + truth**2
    start = [(u == x).on(box.at(t=0)), (u.dt == 2 * x**2).on(box.at(t=0))]
    return Problem(u.dtt - u.dxx + u**2 == forcing, box, [*start, (u == truth).on(box.boundary(x))], exact={u: truth})


@pytest.mark.parametrize("stiffness", [1.0, 1e2, 1e3, 1e4, 1e6])
def test_no_oscillation_gains_energy_however_long_the_slab(stiffness):
    """Up to a hundredth, what the basis lacks of its derivatives; with both data imposed, it grows 300 times."""
    space = axis_space(Statement(string()), 0, AxisLattice(8))
    assert isinstance(space, SecondOrderTime)
    operator = space.test.T @ (space.values[0].T @ space.values[2] + stiffness * np.eye(space.basis.rank))
    value, rate = 0.3, 0.7 * np.sqrt(stiffness)
    lift = space.lift @ np.array([value, rate])
    found = lift - space.trial @ np.linalg.solve(operator @ space.trial, operator @ lift)
    ends = [jet[0] @ found for jet in space.basis.at(np.array([2.0]), 1)]
    before, after = stiffness * value**2 + rate**2, stiffness * ends[0] ** 2 + ends[1] ** 2
    assert after <= before * 1.012
    if stiffness == 1.0:
        exact = [value * np.cos(2) + rate * np.sin(2), -value * np.sin(2) + rate * np.cos(2)]
        assert_allclose(ends, exact, atol=1e-8)


@pytest.mark.parametrize("problem", [string, moving_ends])
def test_waves_are_solved_in_slabs(problem):
    stated = problem()
    solution = solve(stated, PIG())
    assert solution.result is RESULTS.successful
    assert solution.stats.extra["slabs"] > 1
    assert solution.errors(stated.reference, uniform_grid(stated.box, 41))["u"]["relative_l2"] < 1e-7


def test_the_rate_of_the_start_is_that_of_the_solution():
    solution = solve(moving_ends(), PIG())
    step, x = 1e-4, np.linspace(-1, 1, 9)
    values = [np.asarray(solution(t=np.full(9, k * step), x=x)) for k in range(3)]
    rate = (-3 * values[0] + 4 * values[1] - values[2]) / (2 * step)
    assert_allclose(rate, 2 * x**2, atol=1e-5)
