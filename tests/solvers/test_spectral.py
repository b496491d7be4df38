"""`Spectral` on problems with exact solutions, a group for each way of solving, and on problems that it must refuse."""

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
    Law,
    Parameter,
    Problem,
    UnsupportedProblemError,
    VectorField,
    cos,
    cosh,
    div,
    exp,
    grad,
    integral,
    laplacian,
    normal_derivative,
    pi,
    sin,
    solve,
    tanh,
)
from sciml import coordinates as coordinates_of
from sciml.errors import OptionError
from solvers.classical.spectral import Spectral
from solvers.classical.spectral.box_form import BoxForm, box_form
from solvers.classical.spectral.evolve import Series, series_form

t, x = coordinates_of("t x")
u = Field("u", t, x)
X, Y = coordinates_of("x y")
w = Field("w", X, Y)


def relative_error(solution) -> float:
    """Largest relative l2 error over the fields, at 400 random points of the domain."""
    problem, rng = solution.problem, np.random.default_rng(0)
    points = {name: rng.uniform(*bounds, 400) for name, bounds in problem.domain.bounds.items()}
    found, truth = solution.values(points), problem.reference(points)
    return max(np.linalg.norm(found[k] - np.asarray(truth[k])) / np.linalg.norm(truth[k]) for k in truth)


def in_time(make, exact, box: Box, conditions=(), fields=(u,)) -> Problem:
    """A problem with a given solution: `make` maps fields to left-hand sides; on the truth they give the right ones."""
    truth = dict(zip(fields, exact, strict=True))
    start = [(f == e).on(box.at(t=0)) for f, e in truth.items()]
    equations = [left == right for left, right in zip(make(*fields), make(*exact), strict=True)]
    return Problem(equations, box, [*start, *conditions], exact=truth)


# Fourier series: periodic axes


def forced(nu=0.05, end=1.5) -> Problem:
    """A quadratic transport equation with a travelling wave as its solution."""
    ring = Box({t: (0, end), x: (0, 2 * pi)}, periodic=x)
    return in_time(lambda f: [D(f, t) + f * D(f, x) - nu * D(f, x, x)], [sin(x - t) + cos(2 * x + t) / 4], ring)


def test_periodic_evolution_with_a_moving_source():
    solution = solve(forced(), Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-9


def test_solutions_are_differentiable():
    solution = solve(forced(), Spectral())
    slope = jax.jit(jax.grad(lambda place: solution.representation({"t": jnp.full(1, 0.7), "x": place[None]})["u"][0]))
    for place in (0.3, 3.0):
        assert slope(jnp.asarray(place)) == pytest.approx(np.cos(place - 0.7) - np.sin(2 * place + 0.7) / 2, rel=1e-6)


def test_a_new_number_does_not_compile_again():
    nu = Parameter("nu", 0.05)
    first = solve(forced(nu), Spectral())
    second = solve(forced(nu).replace(nu=0.06), Spectral())
    assert second.stats.compile < max(first.stats.compile / 3, 0.1)
    assert relative_error(solve(forced(0.06), Spectral())) < 1e-9


def test_error_falls_spectrally_with_resolution():
    errors = []
    for resolution in (16, 24, 36):
        ring = Box({t: (0, 0.5), x: (0, 2 * pi)}, periodic=x)
        problem = in_time(lambda f: [D(f, t) + D(f, x)], [exp(sin(x - t) * 2)], ring)
        errors.append(relative_error(solve(problem, Spectral(resolution=resolution, dealias=False))))
    assert errors[1] < errors[0] / 50
    assert errors[2] < errors[1] / 50


def test_coupled_symbols_of_two_fields():
    v = Field("v", t, x)
    ring = Box({t: (0, 1), x: (0, 2 * pi)}, periodic=x)
    # i h_t + h_xx / 2 + |h|^2 h = 0 has the plane waves a exp(i (k x - (k^2 / 2 - a^2) t))
    phase = 3 * x - (4.5 - 0.64) * t

    def equations(a, b):
        return [D(a, t) + D(b, x, x) / 2 + (a**2 + b**2) * b, D(b, t) - D(a, x, x) / 2 - (a**2 + b**2) * a]

    problem = in_time(equations, [0.8 * cos(phase), 0.8 * sin(phase)], ring, fields=(u, v))
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-8


def test_second_order_in_time_with_a_defective_symbol():
    ring = Box({t: (0, 2), x: (0, 1)}, periodic=x)
    exact = sin(2 * pi * (x - 3 * t)) + 0.5 + 0.25 * t  # the mean is the mode k = 0, where the symbol is a Jordan block
    problem = Problem(
        D(u, t, t) == 9 * u.dxx,
        ring,
        [(u == sin(2 * pi * x) + 0.5).on(ring.at(t=0)), (u.dt == 0.25 - 6 * pi * cos(2 * pi * x)).on(ring.at(t=0))],
        exact={u: exact},
    )
    assert relative_error(solve(problem, Spectral())) < 1e-10


@pytest.mark.parametrize("names", ["t x y", "t x y z"])
def test_more_dimensions(names):
    time, *space = coordinates_of(names)
    f = Field("f", time, *space)
    box = Box({time: (0, 0.5), **dict.fromkeys(space, (0, 2 * pi))}, periodic=tuple(space))
    wave = sin(space[0] - time)
    for c in space[1:]:
        wave = wave * cos(c)
    problem = in_time(lambda g: [D(g, time) - 0.1 * laplacian(g) + g**3], [wave], box, fields=(f,))
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-6


def test_variable_coefficients_stay_stable_at_long_steps():
    ring = Box({t: (0, 1), x: (0, 2 * pi)}, periodic=x)
    problem = in_time(lambda f: [D(f, t) - (1 + 0.5 * sin(x)) * D(f, x, x)], [exp(-t) * cos(x)], ring)
    solution = solve(problem, Spectral())
    assert isinstance(series_form(problem), Series)
    assert relative_error(solution) < 1e-8
    assert solution.stats.iterations < 50_000


# Fourier series: faces that let the equation keep its parity

WALLS = Box({t: (0, 0.5), x: (-1, 1)})
FIXED, FREE = (u == 0).on(WALLS.boundary(x)), (u.dx == 0).on(WALLS.boundary(x))


@pytest.mark.parametrize(
    ("equation", "faces", "is_series"),
    [
        (u.dt + u * u.dx == 0.1 * u.dxx, FIXED, True),
        (u.dt + u.dx == 0.1 * u.dxx, FIXED, False),
        (u.dt == u.dxx + u - u**3, FIXED, True),
        (u.dt == u.dxx + u**2, FIXED, False),
        (u.dt == u.dxx + u**2, FREE, True),
        (u.dt == u.dxx + 1, FIXED, False),
        (u.dt == u.dxx + 1, FREE, True),
        (u.dt == u.dxx + sin(pi * x), FIXED, True),
        (u.dt == u.dxx + cos(pi * x), FIXED, False),
        (u.dt == u.dxx + cos(pi * x) * u, FIXED, True),
        (u.dt == u.dxx + x * u, FIXED, False),
        (u.dt == u.dxx + sin(u), FIXED, True),
        (u.dt == u.dxx + exp(u), FIXED, False),
        (u.dt == u.dxx + exp(u), FREE, True),
        (u.dt == D((1 + u**2) * u.dx, x), FIXED, False),
        (u.dt == u.dxx, (u == 1).on(WALLS.boundary(x)), False),
        (u.dt == u.dxx, (u + u.dx == 0).on(WALLS.boundary(x)), False),
    ],
)
def test_parity_is_seen_in_the_tree(equation, faces, is_series):
    start = u == (sin(pi * x) if faces is FIXED else 0 * x)
    problem = Problem(equation, WALLS, [start.on(WALLS.at(t=0)), faces] if faces in (FIXED, FREE) else _ones(faces))
    assert isinstance(series_form(problem), Series) is is_series


def _ones(faces):
    return [(u == 1 + 0 * x).on(WALLS.at(t=0)), faces]


def test_sine_series():
    problem = in_time(
        lambda f: [D(f, t) - 0.3 * D(f, x, x) + f**3],
        [exp(-t) * sin(pi * (x + 1) / 2) + sin(pi * (x + 1)) / 3],
        WALLS,
        [FIXED],
    )
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-9


def test_cosine_series():
    problem = in_time(lambda f: [D(f, t) - D(f, x, x) - f**2], [exp(-t) * cos(pi * (x + 1) / 2) + 0.2], WALLS, [FREE])
    assert isinstance(series_form(problem), Series)
    assert relative_error(solve(problem, Spectral())) < 1e-9


def test_data_that_repeat_after_the_box_use_half_the_modes():
    box = Box({t: (0, 0.1), x: (-1, 1)})
    walls = (u == 0).on(box.boundary(x))

    def cost(wave):
        problem = Problem(u.dt == 0.1 * u.dxx, box, [(u == sin(wave * pi * (x + 1) / 2)).on(box.at(t=0)), walls])
        return solve(problem, Spectral(resolution=32)).stats.unknowns

    assert (cost(1), cost(2)) == (64, 32)


def test_wave_between_walls():
    exact = sin(pi * x) * cos(2 * pi * t) + sin(4 * pi * x) * cos(8 * pi * t) / 2
    box = Box({t: (0, 1), x: (0, 1)})
    start = [(u == sin(pi * x) + sin(4 * pi * x) / 2).on(box.at(t=0)), (u.dt == 0).on(box.at(t=0))]
    problem = Problem(u.dtt == 4 * u.dxx, box, [*start, (u == 0).on(box.boundary(x))], exact={u: exact})
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-10


# collocation of steady problems

SQUARE = Box({X: (0, 1), Y: (-1, 2)})
SMOOTH = sin(2 * X) * exp(Y / 2) + X * Y


def steady(make, conditions, exact=SMOOTH, box=SQUARE, fields=(w,)) -> Problem:
    exact = exact if isinstance(exact, list) else [exact]
    equations = [left == right for left, right in zip(make(*fields), make(*exact), strict=True)]
    return Problem(equations, box, conditions, exact=dict(zip(fields, exact, strict=True)))


DIRICHLET = [(w == SMOOTH).on(SQUARE.boundary)]
MIXED = [
    (w == SMOOTH).on(SQUARE.lower(X)),
    (w.dx == D(SMOOTH, X)).on(SQUARE.upper(X)),
    (w.dy - w == D(SMOOTH, Y) - SMOOTH).on(SQUARE.lower(Y)),
    ((2 + X) * w.dy + w == (2 + X) * D(SMOOTH, Y) + SMOOTH).on(SQUARE.upper(Y)),
]
CLAMPED = [*DIRICHLET, (normal_derivative(w) == normal_derivative(SMOOTH)).on(SQUARE.boundary)]


@pytest.mark.parametrize(
    ("make", "conditions", "bound"),
    [
        (lambda f: [laplacian(f) + 5 * f], DIRICHLET, 1e-12),
        (lambda f: [laplacian(f)], MIXED, 1e-11),
        (lambda f: [(1 + X**2) * D(f, X, X) + D(f, Y, Y) - Y * f], DIRICHLET, 1e-12),
        (lambda f: [div((2 + sin(3 * X * Y)) * grad(f)) + D(f, X) + D(f, X, Y) / 2], DIRICHLET, 1e-11),
        (lambda f: [laplacian(f) - f**3], DIRICHLET, 1e-11),
        (lambda f: [div((1 + f**2) * grad(f))], MIXED, 1e-10),
        (lambda f: [laplacian(laplacian(f))], CLAMPED, 1e-11),
    ],
    ids=["helmholtz", "mixed faces", "separable", "variable", "nonlinear", "quasilinear", "clamped plate"],
)
def test_steady_problems_on_a_rectangle(make, conditions, bound):
    solution = solve(steady(make, conditions), Spectral())
    assert solution.result.has_solution
    assert solution.stats.extra["tail"] < 1e-11
    assert relative_error(solution) < bound


def test_one_and_three_dimensions():
    (z,) = coordinates_of("z")
    f, line = Field("f", z), Box({z: (0, 3)})
    wave = sin(20 * z)
    problem = steady(lambda g: [D(g, z, z) + g], [(f == wave).on(line.boundary)], wave, line, (f,))
    assert relative_error(solve(problem, Spectral())) < 1e-11
    space = coordinates_of("x y z")
    g, cube = Field("g", *space), Box(dict.fromkeys(space, (0, 1)))
    truth = sin(space[0] + 2 * space[1]) * exp(space[2])
    problem = steady(lambda h: [laplacian(h)], [(g == truth).on(cube.boundary)], truth, cube, (g,))
    assert relative_error(solve(problem, Spectral())) < 1e-12


def test_a_periodic_axis_beside_walls():
    strip = Box({X: (0, 2 * pi), Y: (0, 1)}, periodic=X)
    truth = sin(3 * X) * exp(Y) + Y
    problem = steady(lambda f: [laplacian(f) - f], [(w == truth).on(strip.boundary)], truth, strip)
    assert relative_error(solve(problem, Spectral())) < 1e-12


def test_a_system_coupled_through_mixed_derivatives():
    displacement = VectorField("d", 2, X, Y)
    a, b = displacement
    truth = [sin(X) * cos(Y), X * Y**2]
    walls = [(a == truth[0]).on(SQUARE.boundary), (b == truth[1]).on(SQUARE.boundary)]

    def navier(p, q):
        dilation = D(p, X) + D(q, Y)
        return [laplacian(p) + 2 * D(dilation, X), laplacian(q) + 2 * D(dilation, Y)]

    problem = steady(navier, walls, truth, SQUARE, (a, b))
    assert relative_error(solve(problem, Spectral(rtol=1e-11))) < 1e-10


def test_a_gauge_fixes_the_constant():
    truth = cos(pi * X) * cos(pi * (Y + 1) / 3) + 0.7
    walls = (normal_derivative(w) == 0).on(SQUARE.boundary)
    mean = (integral(w, X, Y) == 2.1).on(SQUARE)
    problem = Problem(laplacian(w) == laplacian(truth), SQUARE, [walls, mean], exact={w: truth})
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-11


# collocation of slabs of space and time

LINE = Box({t: (0, 1), x: (0, 1)})


@pytest.mark.parametrize(
    ("make", "exact", "faces", "bound"),
    [
        (
            lambda f: [D(f, t) - D(f, x, x)],
            exp(-t) * cos(x) + x * t,
            lambda e: [(u == e).on(LINE.lower(x)), (u.dx + u == D(e, x) + e).on(LINE.upper(x))],
            1e-9,
        ),
        (
            lambda f: [D(f, t) + f * D(f, x) - 0.1 * D(f, x, x)],
            1 - tanh((x - t) / 0.2),
            lambda e: [(u == e).on(LINE.boundary(x))],
            1e-8,
        ),
        (lambda f: [D(f, t) + 5 * D(f, x)], sin(x - 5 * t), lambda e: [(u == e).on(LINE.lower(x))], 1e-9),
        (
            lambda f: [D(f, t) - D((1 + f) * D(f, x), x)],
            2 + x * exp(-t),
            lambda e: [(u == e).on(LINE.boundary(x))],
            1e-9,
        ),
        (
            lambda f: [D(f, t) - D(f, x, x)],
            1 + exp(-t) * cos(x),
            lambda e: [(u.dx == 0).on(LINE.lower(x)), (u.dx + u**4 == D(e, x) + e**4).on(LINE.upper(x))],
            1e-9,
        ),
        (
            lambda f: [D(f, t) + 6 * f * D(f, x) + D(f, x, x, x)],
            2 / cosh(x - 4 * t) ** 2,
            lambda e: [(u == e).on(LINE.boundary(x)), (u.dx == D(e, x)).on(LINE.upper(x))],
            1e-7,
        ),
    ],
    ids=["robin", "front", "inflow", "nonlinear diffusion", "nonlinear face", "third order"],
)
def test_evolution_between_walls(make, exact, faces, bound):
    problem = in_time(make, [exact], LINE, faces(exact))
    assert not isinstance(series_form(problem), Series)
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < bound


def test_second_order_in_time_between_moving_walls():
    exact = sin(3 * (x - 2 * t))
    conditions = [(u.dt == D(exact, t)).on(LINE.at(t=0)), (u == exact).on(LINE.boundary(x))]
    problem = in_time(lambda f: [D(f, t, t) - 4 * D(f, x, x) + f**2], [exact], LINE, conditions)
    solution = solve(problem, Spectral())
    assert solution.result is RESULTS.successful
    assert relative_error(solution) < 1e-8


def test_two_coupled_fields_between_walls():
    v = Field("v", t, x)
    exact = [cos(2 * x - 2 * t), sin(2 * x - 2 * t)]
    faces = [(f == e).on(LINE.boundary(x)) for f, e in zip((u, v), exact, strict=True)]
    problem = in_time(
        lambda a, b: [D(a, t) + D(b, x, x) / 2, D(b, t) - D(a, x, x) / 2], exact, LINE, faces, fields=(u, v)
    )
    assert relative_error(solve(problem, Spectral())) < 1e-8


def test_more_conditions_at_one_end_keep_odd_orders_stable():
    """Twenty slabs of the third derivative: an unstable matrix would multiply round-off by exp(1e5)."""
    line = Box({t: (0, 10), x: (0, 2)})
    exact = sin(x + t)
    conditions = [(u == exact).on(line.boundary(x)), (u.dx == D(exact, x)).on(line.upper(x))]
    problem = in_time(lambda f: [D(f, t) + D(f, x, x, x)], [exact], line, conditions)
    assert relative_error(solve(problem, Spectral())) < 1e-8


# what cannot be solved, and computations that fail


def test_unknown_numbers_and_functions_are_refused_by_name():
    nu = Parameter("nu")
    start = (u == sin(pi * x)).on(WALLS.at(t=0))
    problem = Problem(u.dt == nu * u.dxx, WALLS, [start, FIXED])
    with pytest.raises(UnsupportedProblemError, match="nu"):
        solve(problem, Spectral())
    law = Problem(u.dt == u.dxx + Law("reaction", u), WALLS, [start, FIXED])
    with pytest.raises(UnsupportedProblemError, match="reaction"):
        solve(law, Spectral())
    assert relative_error(solve(_with_law(law), Spectral())) < 1e-8


def _with_law(problem: Problem) -> Problem:
    """The bound law turns the equation into u_t = u_xx - u."""
    exact = exp(-(pi**2 + 1) * t) * sin(pi * x)
    return problem.bind("reaction", lambda value: -value).replace(exact={u: exact})


def test_too_many_coordinates_are_refused():
    seven = coordinates_of("a b c d e f g")
    f, box = Field("h", *seven), Box(dict.fromkeys(seven, (0, 1)))
    assert any(
        "6 coordinates" in reason
        for reason in Spectral().check(Problem(laplacian(f) == 1, box, [(f == 0).on(box.boundary)]))
    )


def test_blow_up_is_not_a_success():
    ring = Box({t: (0, 2), x: (0, 1)}, periodic=x)
    problem = Problem(u.dt == u.dxx / 100 + u**2, ring, [(u == 1 + cos(2 * pi * x) / 10).on(ring.at(t=0))])
    solution = solve(problem, Spectral(rtol=1e-6, most_points=256), throw=False)
    assert solution.result in (RESULTS.nonfinite, RESULTS.stagnated)
    assert 0.8 < solution.stats.extra["time_reached"] < 1.1


@pytest.mark.parametrize("dealias", [True, False])
def test_a_coarse_grid_is_under_resolved(dealias):
    ring = Box({t: (0, 1), x: (0, 2 * pi)}, periodic=x)
    problem = Problem(u.dt + u * u.dx == u.dxx / 100, ring, [(u == sin(x)).on(ring.at(t=0))])
    solution = solve(problem, Spectral(resolution=16, dealias=dealias, rtol=1e-6))
    assert solution.result is RESULTS.under_resolved
    assert solution.stats.extra["space_tail"] > 1e-4


def test_a_coarse_grid_on_a_box_is_under_resolved():
    exact = sin(20 * X) * Y
    problem = steady(lambda f: [laplacian(f)], [(w == exact).on(SQUARE.boundary)], exact)
    assert solve(problem, Spectral(resolution=12)).result is RESULTS.under_resolved


def test_callback_budget_and_step_bound_end_a_run():
    stopped = solve(forced(end=20.0), Spectral(), callback=lambda state: state["t"] > 3.0)
    assert stopped.result is RESULTS.interrupted
    assert solve(forced(), Spectral(max_steps=100), throw=False).result is RESULTS.max_steps_reached
    late = solve(forced(), Spectral(), budget=1e-3, throw=False)
    assert late.result is RESULTS.budget_exhausted


def test_nothing_is_claimed_after_the_time_reached():
    solution = solve(forced(end=20.0), Spectral(), callback=lambda state: state["t"] > 3.0)
    reached = solution.stats.extra["time_reached"]
    assert 3.0 < reached < 20.0
    assert np.isfinite(solution(t=reached, x=1.0))
    assert np.isnan(solution(t=20.0, x=1.0))


@pytest.mark.parametrize("option", [{"rtol": 2.0}, {"resolution": 3}, {"resolution": 16.5}, {"max_steps": 0}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(OptionError, match=next(iter(option))):
        Spectral(**option)


def test_each_reason_names_what_is_needed():
    problem = Problem(
        u.dt == u.dxx + integral(u, x), LINE, [(u == 0 * x).on(LINE.at(t=0)), (u == 0).on(LINE.boundary(x))]
    )
    reasons = Spectral().check(problem)
    assert any("integral" in reason for reason in reasons)
    assert not isinstance(box_form(problem), BoxForm)
