"""Systems of fields: exact solutions, gauges, conditions that tie fields together; what is refused or distrusted."""

from __future__ import annotations

import numpy as np
import pytest

from pde_zoo.catalogue import CASES
from sciml import (
    RESULTS,
    Box,
    Field,
    Problem,
    SolveError,
    UnsupportedProblemError,
    coordinates,
    cos,
    integral,
    laplacian,
    load,
    normal_derivative,
    sin,
    solve,
    uniform_grid,
)
from sciml.galerkin.rows import weighted_product
from sciml.galerkin.systems import factorise
from solvers.gp import KroneckerGP, StudentGP


def worst_error(problem, solution, points=21):
    errors = solution.errors(problem.reference, uniform_grid(problem.box, points))
    return max(e["relative_l2"] for e in errors.values())


CLOSED = {"stokes": 1e-7, "gray_scott_steady": 1e-8, "fitzhugh_nagumo": 1e-9, "elasticity": 1e-8}


@pytest.mark.parametrize(("name", "bound"), CLOSED.items(), ids=CLOSED.keys())
def test_systems_with_exact_solutions(name, bound):
    problem = CASES[f"gp/{name}"].problem()
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert worst_error(problem, solution) < bound


def neumann_with_gauge():
    x, y = coordinates("x y")
    u, box = Field("u", x, y), Box({x: (0, 1), y: (0, 2)})
    w = cos(np.pi * x) * cos(np.pi * y)
    conditions = [(normal_derivative(u) == 0).on(box.boundary), (integral(u, x, y) == 0).on(box)]
    return Problem([laplacian(u) == laplacian(w)], box, conditions, exact={u: w})


def test_a_gauge_fixes_the_constant_of_a_pure_neumann_problem():
    problem = neumann_with_gauge()
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert worst_error(problem, solution) < 1e-9


def test_neumann_data_that_no_solution_has_are_not_called_a_success():
    one = neumann_with_gauge()
    (u,) = one.unknowns
    wrong = one.replace(equations=[laplacian(u) == 1], exact=None)
    assert solve(wrong, KroneckerGP()).result is not RESULTS.successful


def periodic_pair(forced=True):
    t, x = coordinates("t x")
    u, v, box = Field("u", t, x), Field("v", t, x), Box({t: (0, 1), x: (0, 1)}, periodic=x)
    a, b = sin(2 * np.pi * (x - t)), cos(2 * np.pi * (x - t))
    equations = [u.dt == 0.1 * v.dxx + (a.dt - 0.1 * b.dxx), v.dt == -0.1 * u.dxx + (b.dt + 0.1 * a.dxx)]
    return Problem(equations, box, [(u == a).on(box.at(t=0)), (v == b).on(box.at(t=0))], exact={u: a, v: b})


def test_a_periodic_axis_and_derivatives_of_the_other_field():
    problem = periodic_pair()
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert worst_error(problem, solution) < 1e-8


def test_the_deviation_covers_and_everything_is_kept_in_a_file(tmp_path):
    problem = CASES["gp/stokes"].problem()
    solution = solve(problem, KroneckerGP())
    xs = np.linspace(0.05, 0.95, 9)
    at = {"x": xs[:, None], "y": xs[None, :] * 0.9}
    assert problem.reference is not None
    truth = problem.reference({n: np.broadcast_to(p, (9, 9)).ravel() for n, p in at.items()})  # type: ignore[operator]
    values, spread = solution.values(at), solution.values(at, solution.deviation)
    for name, value in values.items():
        error = np.abs(value.ravel() - np.asarray(truth[name]))
        assert np.mean(error <= 2 * spread[name].ravel()) >= 0.85
        assert spread[name].max() < 1e-4 * np.abs(value).max()
    again = load(solution.save(tmp_path))
    np.testing.assert_array_equal(again(**at)["p"], solution(**at)["p"])
    assert set(solution.spectrum()) == {"x", "y"}


def test_equations_without_a_unique_solution_fail():
    x, y = coordinates("x y")
    u, v, box = Field("u", x, y), Field("v", x, y), Box({x: (0, np.pi), y: (0, np.pi)})
    resonant = [laplacian(u) + 2 * u + 0 * v == 1, laplacian(v) == u]
    problem = Problem(resonant, box, [(u == 0).on(box.boundary), (v == 0).on(box.boundary)])
    with pytest.raises(SolveError, match="linear_solve_failed"):
        solve(problem, KroneckerGP())


def test_a_grid_that_aliases_a_source_is_not_called_a_success():
    x, y = coordinates("x y")
    u, v, box = Field("u", x, y), Field("v", x, y), Box({x: (0, 2 * np.pi), y: (0, 1)})
    w = sin(40 * x) * cos(y)
    equations = [laplacian(u) + v == laplacian(w) + w, laplacian(v) - u == laplacian(w) - w]
    problem = Problem(equations, box, [(u == w).on(box.boundary), (v == w).on(box.boundary)])
    assert solve(problem, KroneckerGP(nodes=41), throw=False).result is not RESULTS.successful


def test_what_cannot_be_solved_is_refused_with_its_number():
    with pytest.raises(UnsupportedProblemError, match="at most 4000"):
        solve(CASES["taylor_green"].problem(), KroneckerGP())


def test_draws_without_enough_derivatives_are_refused():
    x, y = coordinates("x y")
    u, v, box = Field("u", x, y), Field("v", x, y), Box({x: (0, 1), y: (0, 1)})
    equations = [laplacian(laplacian(u)) == v, v == 1]
    conditions = [(u == 0).on(box.boundary), (normal_derivative(u) == 0).on(box.boundary)]
    (first, *_) = StudentGP().check(Problem(equations, box, conditions))
    assert "2 derivatives" in first


def test_a_weighted_product_is_the_dense_sum():
    rng = np.random.default_rng(0)
    left, right = [rng.normal(size=(n, 3)) for n in (5, 4)], [rng.normal(size=(n, 2)) for n in (5, 4)]
    weights = rng.normal(size=(5, 1))
    dense = np.kron(left[0], left[1]).T @ np.diag(np.broadcast_to(weights, (5, 4)).ravel()) @ np.kron(*right)
    np.testing.assert_allclose(weighted_product(weights, left, right), dense, rtol=1e-12, atol=1e-12)


def test_the_factorisation_solves_scaled_least_squares():
    rng = np.random.default_rng(1)
    blocks = [rng.normal(size=(6, 4)), 1e5 * rng.normal(size=(3, 4))]
    z = rng.normal(size=4)
    factor = factorise(blocks)
    np.testing.assert_allclose(factor.solve(np.concatenate([b @ z for b in blocks])), z, rtol=1e-10)
    assert 0 < factor.condition < 1
