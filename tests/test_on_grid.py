"""Values on a tensor grid, axis by axis, are those at its points."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import pde_zoo
from sciml import Problem, Solution, solve, uniform_grid
from sciml.domains.grids import scattered_grid
from sciml.errors import DomainError
from solvers.classical import Spectral
from solvers.classical.spectral.representations import PolynomialPanels


def in_time() -> PolynomialPanels:
    """Two panels in time, a periodic and a bounded axis, two unknowns, any numbers."""
    numbers = np.random.default_rng(0).normal(size=(2, 2, 4, 5, 3))
    bounds = ((0.0, 1.0), (0.0, 2.0), (-1.0, 1.0))
    edges, axes = jnp.array([0.0, 0.3, 1.0]), ("t", "x", "y")
    return PolynomialPanels(edges, jnp.asarray(numbers), bounds, "t", axes, (False, True, False), ("u", "v"))


@pytest.mark.parametrize("order", ["t x y", "y t x"])
def test_panels_in_time_are_evaluated_axis_by_axis(order: str) -> None:
    nodes = {name: jnp.linspace(0.05, 0.95, 4 + i) for i, name in enumerate(order.split())}
    mesh = dict(zip(nodes, jnp.meshgrid(*nodes.values(), indexing="ij"), strict=True))
    expected = in_time()({name: p.reshape(-1) for name, p in mesh.items()})
    values = in_time().on_axes(nodes)
    assert set(values) == {"u", "v"}
    for name, v in values.items():
        np.testing.assert_allclose(v.reshape(-1), expected[name], atol=1e-13)


@pytest.mark.parametrize("problem", [pde_zoo.poisson(dimensions=3), pde_zoo.heat()], ids=lambda problem: problem.name)
def test_a_grid_is_its_points(problem: Problem) -> None:
    solution = solve(problem, Spectral())
    grid = uniform_grid(problem.box, {name: 5 + i for i, name in enumerate(problem.box.frame.names)})
    points = {name: np.asarray(p) for name, p in grid.points().items()}
    expected = solution.values(points)
    for name, values in solution.on_grid(grid).items():
        assert values.shape == grid.shape
        np.testing.assert_allclose(values, expected[name], atol=1e-13)


@pytest.fixture(scope="module")
def plane() -> Solution:
    return solve(pde_zoo.poisson(), Spectral())


def test_scattered_points_go_one_by_one(plane: Solution) -> None:
    grid = scattered_grid(plane.problem.box, 20)
    np.testing.assert_array_equal(
        plane.on_grid(grid)["u"], plane(**{n: np.asarray(p) for n, p in grid.points().items()})
    )


def test_a_grid_that_does_not_fit_is_refused(plane: Solution) -> None:
    with pytest.raises(DomainError, match="points inside"):
        plane.on_grid(uniform_grid(plane.problem.box.with_bounds(x=(0, 9)), 3))
    with pytest.raises(DomainError, match="a value for each"):
        plane.on_grid(uniform_grid(pde_zoo.poisson(dimensions=1).box, 3))
