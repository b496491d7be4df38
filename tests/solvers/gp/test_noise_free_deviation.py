"""Where the data are free of noise the deviation covers the error and is not much larger, whatever form it takes."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import RESULTS, Box, Field, Problem, coordinates, cos, exp, laplacian, sin, solve
from solvers.gp import KroneckerGP
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


@pytest.mark.parametrize(
    ("build", "form"),
    [(line, ExactDeviation), (bump, ExactDeviation), (plane, DiagonalDeviation), (heat, BlockDeviation)],
)
def test_it_covers_the_error_and_is_at_most_a_hundred_times_as_large(build, form):
    problem = build()
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    assert isinstance(solution.deviation, form)
    inside = {x: np.random.default_rng(0).uniform(*b, 400) for x, b in problem.box.bounds.items()}
    error = solution(**inside) - np.asarray(problem.reference(inside)["u"])
    deviation = solution.std(**inside)
    assert np.mean(np.abs(error) <= 2 * deviation) >= 0.9
    assert np.sqrt(np.mean(deviation**2)) <= 100 * np.sqrt(np.mean(error**2))
    size = np.sqrt(np.mean(solution(**inside) ** 2))
    assert solution.stats.extra["estimated_error"] == pytest.approx(np.sqrt(np.mean(deviation**2)) / size, rel=0.5)


def test_the_block_form_gives_the_same_on_axes_as_at_points():
    deviation = solve(heat(), KroneckerGP()).deviation
    assert isinstance(deviation, BlockDeviation)
    axes = {"t": np.linspace(0, 1, 3), "x": np.linspace(0, 3, 4)}
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    at_points = deviation({n: m.ravel() for n, m in zip(axes, mesh, strict=True)})["u"]
    np.testing.assert_allclose(np.ravel(deviation.on_axes(axes)["u"]), at_points, rtol=1e-10)
