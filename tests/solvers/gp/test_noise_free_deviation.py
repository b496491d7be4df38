"""Where the data are free of noise the deviation covers the error and is not much larger, whatever form it takes."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import RESULTS, Box, Field, Problem, coordinates, cos, exp, laplacian, sin, solve
from solvers.gp import KroneckerGP, StudentT
from solvers.gp.representation import BlockDeviation, DiagonalDeviation, ExactDeviation


def line():
    (x,) = coordinates("x")
    u, w, box = Field("u", x), sin(9 * x) + x, Box({x: (0, 1)})
    return Problem([u.dxx - u == w.dxx - w], box, [(u == w).on(box.boundary(x))], exact={u: w})


def bump():
    (x,) = coordinates("x")
    u, w, box = Field("u", x), exp(-60 * (x - 0.4) ** 2), Box({x: (0, 1)})
    return Problem([u.dxx == w.dxx], box, [(u == w).on(box.boundary(x))], exact={u: w})


def plane():
    x, y = coordinates("x y")
    u, w, box = Field("u", x, y), sin(30 * x) * cos(20 * y), Box({x: (0, 2), y: (0, 2)})
    return Problem([laplacian(u) == laplacian(w)], box, [(u == w).on(box.boundary)], exact={u: w})


def heat():
    t, x = coordinates("t x")
    u, w, box = Field("u", t, x), exp(-t) * sin(20 * x), Box({t: (0, 1), x: (0, 3)})
    conditions = [(u == w).on(box.at(t=0)), (u == w).on(box.boundary(x))]
    return Problem([u.dt == u.dxx + u**2 + w.dt - w.dxx - w**2], box, conditions, exact={u: w})


def late_heat():
    """The same with time as the second axis."""
    x, t = coordinates("x t")
    u, w, box = Field("u", x, t), exp(-t) * sin(20 * x), Box({x: (0, 3), t: (0, 1)})
    conditions = [(u == w).on(box.at(t=0)), (u == w).on(box.boundary(x))]
    return Problem([u.dt == u.dxx + u**2 + w.dt - w.dxx - w**2], box, conditions, exact={u: w})


def advection():
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)})
    w = sin(x - 30 * t)
    conditions = [(u == w).on(box.at(t=0)), (u == w).on(box.lower(x))]
    return Problem([u.dt + 30 * u.dx == 0], box, conditions, exact={u: w})


GAUSSIAN, STUDENT = KroneckerGP(), KroneckerGP(shape=StudentT())


@pytest.mark.parametrize(
    ("build", "solver", "form", "widest"),
    [
        (line, GAUSSIAN, ExactDeviation, 100),
        (bump, GAUSSIAN, ExactDeviation, 100),
        (plane, GAUSSIAN, DiagonalDeviation, 100),
        (heat, GAUSSIAN, BlockDeviation, 100),
        (late_heat, GAUSSIAN, BlockDeviation, 100),
        (advection, STUDENT, ExactDeviation, 200),  # drawn: collocation hardly sees what alternates from node to node
    ],
)
def test_it_covers_the_error_and_is_not_much_wider(build, solver, form, widest):
    problem = build()
    solution = solve(problem, solver)
    assert solution.result is RESULTS.successful
    assert isinstance(solution.deviation, form)
    inside = {x: np.random.default_rng(0).uniform(*b, 400) for x, b in problem.box.bounds.items()}
    error = solution(**inside) - np.asarray(problem.reference(inside)["u"])
    deviation = solution.std(**inside)
    assert np.mean(np.abs(error) <= 2 * deviation) >= 0.9
    assert np.sqrt(np.mean(deviation**2)) <= widest * np.sqrt(np.mean(error**2))
    size = np.sqrt(np.mean(solution(**inside) ** 2))
    assert solution.stats.extra["estimated_error"] == pytest.approx(np.sqrt(np.mean(deviation**2)) / size, rel=0.5)


@pytest.mark.parametrize(("build", "solver"), [(heat, GAUSSIAN), (advection, STUDENT)])
def test_joint_forms_give_the_same_on_axes_as_at_points(build, solver):
    deviation = solve(build(), solver).deviation
    assert isinstance(deviation, (BlockDeviation, ExactDeviation))
    axes = {"t": np.linspace(0, 1, 3), "x": np.linspace(0, 1, 4)}
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    at_points = deviation({n: m.ravel() for n, m in zip(axes, mesh, strict=True)})["u"]
    np.testing.assert_allclose(np.ravel(deviation.on_axes(axes)["u"]), at_points, rtol=1e-10)
