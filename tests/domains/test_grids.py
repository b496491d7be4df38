"""Grids: nodes, weights, and the polynomials that they integrate exactly."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import Box, coordinates, gauss_legendre_grid, midpoint_grid, scattered_grid, uniform_grid

t, x = coordinates("t x")
box = Box({t: (0, 2), x: (-1, 3)})
ring = Box({t: (0, 1), x: (0, 2 * np.pi)}, periodic=x)


def power_integral(box: Box, p: int, q: int) -> float:
    parts = [(b ** (k + 1) - a ** (k + 1)) / (k + 1) for (a, b), k in zip(box.bounds.values(), (p, q), strict=True)]
    return float(np.prod(parts))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_gauss_legendre_is_exact_to_degree_2n_minus_1(n: int):
    grid = gauss_legendre_grid(box, n)
    points, weights = grid.points(), grid.quadrature()
    degree = 2 * n - 1
    for p, q in ((degree, 0), (0, degree), (degree, degree)):
        value = float((weights * points["t"] ** p * points["x"] ** q).sum())
        assert value == pytest.approx(power_integral(box, p, q), rel=1e-13)
    value = float((weights * points["t"] ** (degree + 1)).sum())
    assert value != pytest.approx(power_integral(box, degree + 1, 0), rel=1e-6)


def test_uniform_grid_is_the_trapezoidal_rule():
    grid = uniform_grid(box, {"t": 5, "x": 9})
    assert grid.shape == (5, 9) and grid.size == 45
    np.testing.assert_allclose(grid.nodes["x"], np.linspace(-1, 3, 9))
    points, weights = grid.points(), grid.quadrature()
    assert float(weights.sum()) == pytest.approx(box.volume, rel=1e-14)
    value = float((weights * points["t"] * points["x"]).sum())
    assert value == pytest.approx(power_integral(box, 1, 1), rel=1e-13)


def test_a_periodic_axis_leaves_out_its_last_node_and_integrates_waves_exactly():
    grid = uniform_grid(ring, {"t": 3, "x": 8})
    assert grid.nodes["x"].size == 8 and grid.nodes["x"][-1] < 2 * np.pi
    points, weights = grid.points(), grid.quadrature()
    assert float((weights * np.cos(3 * points["x"]) ** 2).sum()) == pytest.approx(np.pi, rel=1e-13)


def test_midpoints_are_exact_for_linear_functions():
    grid = midpoint_grid(box, 4)
    points, weights = grid.points(), grid.quadrature()
    assert float((weights * (2 + points["x"] * points["t"])).sum()) == pytest.approx(
        2 * box.volume + power_integral(box, 1, 1), rel=1e-13
    )
    assert grid.nodes["t"].min() == 0.25


@pytest.mark.parametrize("make", [uniform_grid, gauss_legendre_grid, midpoint_grid])
def test_a_coordinate_can_be_held(make):
    grid = make(box, 4, fixed={"t": 1.5})
    assert grid.shape == (1, 4) and grid.nodes["t"].tolist() == [1.5]
    assert float(grid.quadrature().sum()) == pytest.approx(box.length("x"), rel=1e-14)


def test_points_follow_the_frame():
    grid = uniform_grid(box, {"x": 3, "t": 2})
    flat = grid.flat_points()
    assert list(flat) == ["t", "x"]
    np.testing.assert_array_equal(flat["t"], [0, 0, 0, 2, 2, 2])
    np.testing.assert_array_equal(flat["x"], [-1, 1, 3, -1, 1, 3])


def test_scattered_points_are_the_same_at_every_call_and_integrate():
    xs = coordinates("x1 x2 x3 x4 x5 x6 x7 x8")
    box = Box(dict.fromkeys(xs, (0, 2)))
    grid, again = scattered_grid(box, 1024), scattered_grid(box, 1024)
    points = grid.points()
    assert grid.shape == (1024,) and grid.size == 1024
    assert all(np.array_equal(points[name], again.points()[name]) for name in points)
    assert np.isclose(grid.quadrature().sum(), 2.0**8)
    mean = float((grid.quadrature() * sum(p**2 for p in points.values())).sum()) / 2.0**8
    assert mean == pytest.approx(8 * 4 / 3, rel=1e-3)


def test_scattered_points_can_be_held():
    t, x = coordinates("t x")
    grid = scattered_grid(Box({t: (0, 1), x: (-1, 1)}), 64, fixed={"t": 0.5})
    assert set(np.asarray(grid.points()["t"])) == {0.5}
    assert np.isclose(grid.quadrature().sum(), 2.0)
