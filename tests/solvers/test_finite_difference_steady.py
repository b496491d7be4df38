"""FiniteDifference on steady problems: orders, mixes of faces, rough coefficients, gauges, systems, Newton's method."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from sciml import (
    RESULTS,
    Box,
    Coefficient,
    Cubic,
    D,
    Field,
    Law,
    Linear,
    Nearest,
    Problem,
    UnsupportedProblemError,
    VectorField,
    coordinates,
    cos,
    div,
    exp,
    grad,
    integral,
    laplacian,
    normal_derivative,
    pi,
    sin,
    solve,
    uniform_grid,
    vector,
)
from solvers.classical.finite_difference import FiniteDifference
from solvers.classical.finite_difference.factors import factorise

(x,) = coordinates("x")
u = Field("u", x)
line = Box({x: (0, 1)})


def largest_error(problem: Problem, solver: FiniteDifference) -> float:
    solution = solve(problem, solver)
    assert solution.result is RESULTS.successful
    errors = solution.errors(problem.reference, uniform_grid(problem.box, 25))
    return max(e["max"] for e in errors.values())


def observed_order(problem: Problem, points: tuple[int, int], order: int) -> float:
    coarse, fine = (largest_error(problem, FiniteDifference(points=n, order=order)) for n in points)
    return float(np.log(coarse / fine) / np.log((points[1] - 1) / (points[0] - 1)))


def rectangle() -> Problem:
    """Dirichlet, Robin, Neumann along the normal and along the coordinate, each on a face of its own."""
    x, y = coordinates("x y")
    u = Field("u", x, y)
    box = Box({x: (0, 1), y: (0, 2)})
    exact = sin(2 * x + 0.3) * cos(y)
    return Problem(
        [-laplacian(u) == 5 * exact],
        box,
        [
            (u == exact).on(box.boundary["x-"]),
            (u.dx + 2 * u == 2 * cos(2 * x + 0.3) * cos(y) + 2 * exact).on(box.boundary["x+"]),
            (normal_derivative(u) == 0).on(box.boundary["y-"]),
            (u.dy == -sin(2 * x + 0.3) * sin(y)).on(box.boundary["y+"]),
        ],
        exact={u: exact},
    )


def strip() -> Problem:
    """Nonlinear, periodic along x."""
    x, y = coordinates("x y")
    u = Field("u", x, y)
    box = Box({x: (0, 2 * pi), y: (0, 1)}, periodic=x)
    exact = sin(x) * exp(y)
    return Problem([u.dxx + u.dyy - u**3 == -(exact**3)], box, [(u == exact).on(box.boundary(y))], exact={u: exact})


def conserving() -> Problem:
    """A smooth coefficient that depends on the solution, inside a divergence."""
    x, y = coordinates("x y")
    u = Field("u", x, y)
    box = Box({x: (0, 1), y: (0, 1)})
    exact = sin(2 * x + 0.3) * cos(y) + 2
    flux = lambda v: div((1 + x * y + v**2) * grad(v))  # noqa: E731
    return Problem([flux(u) == flux(exact)], box, [(u == exact).on(box.boundary)], exact={u: exact})


@pytest.mark.parametrize(
    ("problem", "points", "order"),
    [
        (rectangle(), (17, 29), 2),
        (rectangle(), (17, 29), 4),
        (rectangle(), (17, 29), 6),
        (strip(), (24, 48), 4),
        (conserving(), (15, 25), 4),
        (conserving(), (15, 25), 6),
    ],
)
def test_order_is_reached_with_every_kind_of_face(problem, points, order):
    assert observed_order(problem, points, order) > order - 0.45


def test_error_estimate_is_close_to_the_error():
    problem = rectangle()
    solution = solve(problem, FiniteDifference(points=25, order=4))
    error = solution.errors(problem.reference, uniform_grid(problem.box, 25))["u"]["max"]
    assert solution.stats.extra["error_estimate"] == pytest.approx(error, rel=0.2)


@pytest.mark.parametrize("order", [4, 6])
def test_gauge_fixes_the_constant_to_the_order(order):
    exact = cos(pi * x) + sin(pi * x) - 2 / pi
    slope = D(exact, x)
    problem = Problem(
        [u.dxx == D(slope, x)],
        line,
        [(u.dx == slope).on(line.boundary(x)), (integral(u) == 0).on(line)],
        exact={u: exact},
    )
    assert observed_order(problem, (33, 65), order) > order - 0.3


def test_equation_without_a_solution_is_not_a_success():
    """u'' + 10 exp(u) = 0 has no solution that vanishes at both ends: the factor is beyond 3.51."""
    problem = Problem([u.dxx + 10 * exp(u) == 0], line, [(u == 0).on(line.boundary(x))])
    solution = solve(problem, FiniteDifference(points=33), throw=False)
    assert solution.result in (RESULTS.stagnated, RESULTS.max_steps_reached, RESULTS.nonfinite)


def test_constrained_system_is_refused():
    """Stokes flow: no equation holds a highest derivative of the pressure that the velocities leave it."""
    x, y = coordinates("x y")
    velocity, pressure = VectorField("v", 2, x, y), Field("p", x, y)
    box = Box({x: (0, 1), y: (0, 1)})
    problem = Problem(
        [laplacian(velocity) == grad(pressure), div(velocity) == 0],
        box,
        [(velocity == vector(y, x)).on(box.boundary), (integral(pressure) == 0).on(box)],
    )
    with pytest.raises(
        UnsupportedProblemError, match="for each unknown one equation that holds its highest derivative"
    ):
        solve(problem, FiniteDifference())


def test_singular_matrix_has_no_factors():
    line_graph = scipy.sparse.csc_matrix(np.diag([1.0, 2.0, 1.0]) - np.diag([1.0, 1.0], 1) - np.diag([1.0, 1.0], -1))
    assert factorise(line_graph, axes=1) is None
    solve_regular = factorise(scipy.sparse.csc_matrix(line_graph + scipy.sparse.eye_array(3)), axes=1)
    assert solve_regular is not None
    np.testing.assert_allclose(solve_regular(np.array([1.0, 1.0, 1.0])), [1.0, 1.0, 1.0])


def layered(jump: float) -> Problem:
    values, points = [1.0, 1.0, 10.0, 10.0], ([0.0, jump - 1e-9, jump + 1e-9, 1.0],)
    a = Coefficient("a", x, values=values, points=points, interpolation=Nearest())
    return Problem([-div(a * grad(u)) == 1], line, [(u == 0).on(line.boundary(x))])


@pytest.mark.parametrize(("jump", "points"), [(0.5, 41), (0.375, 41), (0.5, 60)])
def test_flux_through_a_jump_of_the_coefficient_is_exact(jump, points):
    """-(a u')' = 1 with a = 1 | 10: parabolas with one flux, whether or not the jump lies on a node."""
    solution = solve(layered(jump), FiniteDifference(points=points))
    at = np.linspace(0, 1, points)
    flux = (jump**2 / 2 + (1 - jump**2) / 20) / (jump + (1 - jump) / 10)
    left = flux * at - at**2 / 2
    right = flux * jump - jump**2 / 2 + (flux * (at - jump) - (at**2 - jump**2) / 2) / 10
    exact = np.where(at < jump, left, right)
    assert np.max(np.abs(solution(x=at) - exact)) < 2e-3 * exact.max() if points == 60 else 1e-6 * exact.max()


def test_layers_in_two_dimensions_converge_and_conserve():
    x, y = coordinates("x y")
    u = Field("u", x, y)
    box = Box({x: (0, 1), y: (0, 1)}, periodic=y)
    rows = np.array([[1.0], [1.0], [10.0], [10.0]])
    points = ([0.0, 0.4, 0.6, 1.0], [0.0, 1.0])
    a = Coefficient("a", x, y, values=np.tile(rows, 2), points=points, interpolation=Linear())
    problem = Problem([div(a * grad(u)) == 0], box, [(u == x).on(box.boundary(x))])
    ends = [solve(problem, FiniteDifference(points=n))(x=np.linspace(0, 1, 11), y=0.3) for n in (21, 41)]
    resistance = 0.4 + 0.2 / 9 * np.log(10) + 0.04  # of the slab: the integral of 1/a
    for values in ends:
        np.testing.assert_allclose(values[4], 0.4 / resistance, rtol=1e-3)


def test_cubic_coefficient_keeps_the_order():
    nodes = np.linspace(0, 1, 201)
    a = Coefficient("a", x, values=1 + nodes**2, points=(nodes,), interpolation=Cubic())
    problem = Problem(
        [D((1 + x**2) * D(sin(2 * x), x), x) == D(a * u.dx, x)],
        line,
        [(u == sin(2 * x)).on(line.boundary(x))],
        exact={u: sin(2 * x)},
    )
    assert largest_error(problem, FiniteDifference(points=41)) < 1e-6


def test_law_inside_a_divergence():
    conductivity = Law("conductivity", u)
    exact = exp(x / 2)
    problem = Problem(
        [D(conductivity * u.dx, x) == D((1 + exact**2) * D(exact, x), x)],
        line,
        [(u == exact).on(line.boundary(x))],
        exact={u: exact},
    ).bind("conductivity", lambda v: 1 + v**2)
    assert largest_error(problem, FiniteDifference(points=33)) < 1e-7


def test_clamped_plate_has_two_conditions_a_face():
    x, y = coordinates("x y")
    w = Field("w", x, y)
    box = Box({x: (0, 1), y: (0, 1)})
    exact = sin(pi * x) ** 2 * sin(pi * y) ** 2
    problem = Problem(
        [laplacian(laplacian(w)) == laplacian(laplacian(exact))],
        box,
        [(w == 0).on(box.boundary), (normal_derivative(w) == 0).on(box.boundary)],
        exact={w: exact},
    )
    assert largest_error(problem, FiniteDifference(points=33, order=6)) < 5e-6


def test_nonlinear_coupled_system():
    v = Field("v", x)
    fu, fv = exp(x), cos(x)
    problem = Problem(
        [u.dxx == u * v + fu - fu * fv, v.dxx + u.dx * v == -fv + fu * fv],
        line,
        [(u == fu).on(line.boundary(x)), (v.dx == 0).on(line.boundary["x-"]), (v == fv).on(line.boundary["x+"])],
        exact={u: fu, v: fv},
    )
    solution = solve(problem, FiniteDifference(points=41))
    assert 3 <= solution.stats.iterations <= 10
    assert solution.history["residual"][-1] < 1e-8
    assert largest_error(problem, FiniteDifference(points=41)) < 1e-6


def test_radiating_face_is_nonlinear():
    exact = exp(x)
    problem = Problem(
        [u.dxx == u],
        line,
        [(u.dx - u**4 == 0).on(line.boundary["x-"]), (u == exact).on(line.boundary["x+"])],
        exact={u: exact},
    )
    assert largest_error(problem, FiniteDifference(points=41)) < 1e-6


def test_three_dimensions():
    x, y, z = coordinates("x y z")
    u = Field("u", x, y, z)
    box = Box({x: (0, 1), y: (0, 1), z: (0, 1)}, periodic=z)
    exact = sin(2 * pi * z) * exp(x) * cos(y)
    problem = Problem([-laplacian(u) == 4 * pi**2 * exact], box, [(u == exact).on(box.boundary)], exact={u: exact})
    assert largest_error(problem, FiniteDifference(points={"x": 11, "y": 11, "z": 16}, order=4)) < 2e-3


def test_solution_survives_saving(tmp_path):
    from sciml.io import load

    problem = strip()
    solution = solve(problem, FiniteDifference(points=24))
    again = load(solution.save(tmp_path / "run"))
    at = {"x": np.linspace(0, 6, 9), "y": 0.4}
    np.testing.assert_array_equal(again(**at), solution(**at))
