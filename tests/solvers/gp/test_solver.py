"""KroneckerGP on tiny problems with exact solutions, and on those it must refuse or distrust."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import (
    RESULTS,
    Box,
    D,
    Field,
    OptionError,
    Parameter,
    Problem,
    ProblemError,
    SolveError,
    coordinates,
    cos,
    div,
    exp,
    grad,
    laplacian,
    load,
    normal_derivative,
    sin,
    solve,
    uniform_grid,
)
from solvers.gp import KroneckerGP, StudentT


def relative_error(problem, solution, points=21):
    errors = solution.errors(problem.reference, uniform_grid(problem.box, points))
    return errors["u"]["relative_l2"]


def poisson(exact, length=2 * np.pi):
    (x,) = coordinates("x")
    u, box, w = Field("u", x), Box({x: (0, length)}), exact(x)
    return Problem([u.dxx == w.dxx], box, [(u == w).on(box.boundary(x))], exact={u: w})


ONE_DIMENSION = {
    "one line": (lambda: poisson(lambda x: sin(100 * x)), 1e-10),
    "three scales": (lambda: poisson(lambda x: sin(x) + 0.1 * sin(20 * x) + 0.05 * sin(100 * x)), 1e-9),
    "line and parabola": (lambda: poisson(lambda x: sin(500 * x) - 2 * (x - 0.5) ** 2, 1.0), 1e-9),
}


@pytest.mark.parametrize(("build", "bound"), ONE_DIMENSION.values(), ids=ONE_DIMENSION.keys())
def test_high_frequencies_in_one_dimension(build, bound):
    problem = build()
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert relative_error(problem, solution, 203) < bound


def test_student_t_lines_are_accurate_and_can_be_saved(tmp_path):
    problem = poisson(lambda x: sin(40 * x))
    solution = solve(problem, KroneckerGP(shape=StudentT(), nodes=200))
    assert solution.result is RESULTS.successful
    assert relative_error(problem, solution, 203) < 1e-6
    xs = np.linspace(0, 6, 11)
    np.testing.assert_array_equal(load(solution.save(tmp_path))(x=xs), solution(x=xs))


def plane():
    x, y = coordinates("x y")
    return x, y, Field("u", x, y), Box({x: (0, 1), y: (0, 2)})


def poisson_plane():
    x, y, u, box = plane()
    w = sin(60 * x) * cos(50 * y) + x
    return Problem([laplacian(u) == laplacian(w)], box, [(u == w).on(box.boundary)], exact={u: w})


def robin_plane():
    x, y, u, box = plane()
    w = cos(3 * x) * sin(20 * y) + x * y
    conditions = [
        (normal_derivative(u) == normal_derivative(w)).on(box.boundary(x)),
        (u + 0.5 * normal_derivative(u) == w + 0.5 * normal_derivative(w)).on(box.boundary(y)),
    ]
    return Problem([laplacian(u) - 4 * u == laplacian(w) - 4 * w], box, conditions, exact={u: w})


def variable_coefficient():
    x, y, u, box = plane()
    a, w = exp(0.5 * sin(2 * x + y)), sin(3 * x) * cos(2 * y)
    return Problem([div(a * grad(u)) == div(a * grad(w))], box, [(u == w).on(box.boundary)], exact={u: w})


def cubic():
    x, y, u, box = plane()
    w = sin(3 * x) * cos(y) + 1
    equation = -laplacian(u) + u**3 == -laplacian(w) + w**3
    return Problem([equation], box, [(u == w).on(box.boundary)], exact={u: w})


def advection():
    t, x = coordinates("t x")
    u, box, w = Field("u", t, x), Box({t: (0, 1), x: (0, 1)}), sin(x - 200 * t)
    conditions = [(u == w).on(box.at(t=0)), (u == w).on(box.lower(x))]
    return Problem([u.dt + 200 * u.dx == 0], box, conditions, exact={u: w})


def wave():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    w = cos(20 * np.pi * t) * sin(10 * np.pi * x)
    conditions = [(u == w).on(box.at(t=0)), (u.dt == 0).on(box.at(t=0)), (u == 0).on(box.boundary(x))]
    return Problem([D(u, t, t) == 4 * u.dxx], box, conditions, exact={u: w})


def periodic_heat():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)}, periodic=x)
    w = exp(-0.04 * np.pi**2 * t) * sin(2 * np.pi * (x - t))
    return Problem([u.dt + u.dx == 0.01 * u.dxx], box, [(u == w).on(box.at(t=0))], exact={u: w})


MORE_DIMENSIONS = {
    "poisson": (poisson_plane, 1e-9),
    "neumann and robin": (robin_plane, 1e-8),
    "coefficient that does not separate": (variable_coefficient, 1e-7),
    "nonlinear": (cubic, 1e-8),
    "advection from initial and inflow data": (advection, 1e-10),
    "wave": (wave, 1e-9),
    "periodic advection and diffusion": (periodic_heat, 1e-8),
}


@pytest.mark.parametrize(("build", "bound"), MORE_DIMENSIONS.values(), ids=MORE_DIMENSIONS.keys())
def test_more_dimensions(build, bound):
    problem = build()
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert relative_error(problem, solution) < bound


@pytest.mark.parametrize("speed", [20.0, 60.0])
def test_rough_lines_advect_initial_and_inflow_data(speed):
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    wave = sin(x - speed * t)
    conditions = [(u == wave).on(box.at(t=0)), (u == wave).on(box.lower(x))]
    problem = Problem([u.dt + speed * u.dx == 0], box, conditions, exact={u: wave})
    solution = solve(problem, KroneckerGP(shape=StudentT()))
    assert solution.result is RESULTS.successful
    assert relative_error(problem, solution, 101) <= 1e-5


def test_the_solution_is_a_function_that_jax_differentiates():
    problem = poisson(lambda x: sin(30 * x))
    solution = solve(problem, KroneckerGP())
    slope = jax.grad(lambda x: solution.representation({"x": x[None]})["u"][0])
    assert abs(float(slope(jnp.asarray(1.2))) - 30 * np.cos(36.0)) < 1e-7


def test_the_deviation_covers_the_error():
    problem = poisson(lambda x: sin(30 * x) + x)
    solution = solve(problem, KroneckerGP())
    xs = np.linspace(0.1, 6.1, 97)
    error = np.abs(solution(x=xs) - np.sin(30 * xs) - xs)
    assert np.mean(error <= 2 * solution.std(x=xs)) >= 0.85
    assert solution.std(x=xs).max() < 1e-4


def test_a_grid_that_aliases_the_source_is_not_called_a_success():
    problem = poisson(lambda x: sin(100 * x))
    solution = solve(problem, KroneckerGP(nodes=201))  # 200 intervals: the nodes see nothing but zeros of the source
    assert solution.result is RESULTS.under_resolved
    assert solution.stats.extra["residual"] > 0.01


def test_a_resonant_operator_fails():
    (x,) = coordinates("x")
    u, box = Field("u", x), Box({x: (0, np.pi)})
    problem = Problem([u.dxx + u == 1], box, [(u == 0).on(box.boundary(x))])
    with pytest.raises(SolveError, match="linear_solve_failed"):
        solve(problem, KroneckerGP())


def test_conditions_beyond_those_needed_are_used_where_they_agree():
    x, y, u, box = plane()
    w = sin(x - 200 * y)
    problem = Problem([u.dy + 200 * u.dx == 0], box, [(u == w).on(box.boundary)], exact={u: w})
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert relative_error(problem, solution) < 1e-9


@pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")
def test_conditions_beyond_those_needed_that_disagree_are_not_called_a_success():
    x, y, u, box = plane()
    conditions = [(u == sin(x - 2 * y)).on(box.boundary)]
    assert solve(Problem([u.dy + u.dx == 0], box, conditions), KroneckerGP(nodes=64)).result is not RESULTS.successful


def test_advection_from_initial_data_alone_is_refused_before_any_solver():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    with pytest.raises(ProblemError, match=r"0 boundary conditions along x .* needed 1 on x lower"):
        Problem([u.dt + 200 * u.dx == 0], box, [(u == sin(x)).on(box.at(t=0))])


@pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")
def test_a_pure_neumann_problem_is_refused_for_want_of_a_gauge():
    x, _, u, box = plane()
    with pytest.raises(ProblemError, match="needed a gauge that fixes the constant"):
        solve(Problem([laplacian(u) == sin(x)], box, [(normal_derivative(u) == 0).on(box.boundary)]), KroneckerGP())


def test_unknown_numbers_are_refused_with_reasons():
    (x,) = coordinates("x")
    u, box, k = Field("u", x), Box({x: (0, 1)}), Parameter("k")
    (reason,) = KroneckerGP().check(Problem([u.dxx + k * u == 1], box, [(u == 0).on(box.boundary(x))]))
    assert "number for the parameter k" in reason


@pytest.mark.parametrize("options", [{"nodes": 3}, {"tolerance": 0.0}, {"most_steps": 0}, {"shape": "gaussian"}])
def test_hyperparameters_outside_their_range_are_refused(options):
    with pytest.raises(OptionError):
        KroneckerGP(**options)
