"""How lattices and slabs are refined: layers that mislead, round-off, and conditions on all sides of a flow."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sciml import RESULTS, Box, Field, Problem, coordinates, cos, pi, sin, solve, uniform_grid
from sciml.errors import ProblemWarning
from solvers.gaussians import PIG
from solvers.gaussians.features import Stretching
from solvers.gaussians.spaces import AxisLattice
from solvers.gaussians.support import reasons_against_tensors
from solvers.gaussians.tensor import growth, misled, pays

PLAIN = AxisLattice(16)
LAYERED = AxisLattice(16, Stretching(np.array([0.2]), np.array([0.1]), np.array([3.0])))


def result(cover, worst):
    return SimpleNamespace(covers=(PLAIN, cover), worst=worst)


def test_layers_mislead_where_the_residual_grows_with_them():
    assert misled(result(LAYERED, 0.2), result(PLAIN, 0.1))
    assert not misled(result(LAYERED, 0.05), result(PLAIN, 0.1))
    assert not misled(result(PLAIN.finer(1.4), 0.2), result(PLAIN, 0.1)), "more cells are no layers"


def test_a_residual_at_round_off_ends_refinement():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    truth = sin(pi * x) * cos(pi * t)
    start = [(u == sin(pi * x)).on(box.at(t=0)), (u.dt == 0).on(box.at(t=0))]
    problem = Problem(u.dtt == u.dxx, box, [*start, (u == 0).on(box.boundary(x))], exact={u: truth})
    solution = solve(problem, PIG(tolerance=1e-14))
    assert solution.result is RESULTS.successful
    assert 1e-14 < solution.stats.extra["residual"] < 1e-4
    assert solution.stats.unknowns < 20_000


def test_more_conditions_than_derivatives_need_to_be_asked_for():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    equation, start = u.dt + u.dx == 0, (u == sin(2 * x)).on(box.at(t=0))
    with pytest.warns(ProblemWarning, match="characteristics leave"):
        problem = Problem(equation, box, [start, (u == sin(2 * (x - t))).on(box.boundary(x))])
    assert list(reasons_against_tensors(problem, asked=True)) == []
    assert ["found 2 for 1" in reason for reason in reasons_against_tensors(problem, asked=False)] == [True]


def test_growth_takes_a_spectral_residual_below_the_tolerance_and_no_further():
    assert growth(1e-2, 1e-8) == growth(2.0, 1e-8) == growth(np.inf, 1e-8) == 1.4
    cells, rate = 40, 0.25
    grown = cells * growth(np.exp(-rate * cells), 1e-5)
    assert np.exp(-rate * grown) < 1e-5
    assert growth(1.1e-5, 1e-5) < 1.1


def test_refinement_pays_by_the_order_of_convergence():
    fine = PLAIN.finer(1.1)
    assert pays(result(fine, 0.9), result(PLAIN, 1.0))
    assert not pays(result(fine, 0.99), result(PLAIN, 1.0))
    assert not pays(result(PLAIN, 0.9), result(PLAIN, 1.0)), "a shorter slab must gain as much as a finer lattice"


def test_a_flow_that_enters_and_leaves_is_solved_on_the_lattice_by_default():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    truth = sin(2 * (x - t))
    conditions = [(u == sin(2 * x)).on(box.at(t=0)), (u == truth).on(box.boundary(x))]
    problem = Problem(u.dt + u.dx == 0, box, conditions, exact={u: truth})
    solution = solve(problem, PIG())
    assert solution.result is RESULTS.successful
    assert "slabs" in solution.stats.extra, "no Gaussians were trained"
    assert solution.errors(problem.reference, uniform_grid(box, 31))["u"]["relative_l2"] < 1e-6
