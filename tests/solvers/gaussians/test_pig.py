"""Gaussians in closed form against autodiff; PIG on lattices and trained, on problems with exact answers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml import RESULTS, Box, Field, OptionError, Problem, coordinates, load, pi, sin, solve, uniform_grid
from sciml.errors import UnsupportedProblemError
from solvers.gaussians import PIG
from solvers.gaussians.features import Stretching, lattice, periodic_lattice
from solvers.gaussians.mixtures import product_derivative

STRETCHED = Stretching(np.array([0.2]), np.array([0.1]), np.array([3.0]))


@pytest.mark.parametrize(
    "features",
    [lattice((-1, 1), 6, 2, 1.3), lattice((-1, 1), 6, 2, 1.3, STRETCHED), periodic_lattice((-1, 1), 6, 1.3)],
    ids=["lattice", "stretched", "periodic"],
)
def test_closed_forms_to_order_four_agree_with_autodiff(features):
    x = np.linspace(-0.9, 0.95, 7)
    f = lambda s: features.derivatives(s[None], 0)[0][0]  # noqa: E731
    for value in features.derivatives(x, 4):
        expected = np.asarray(jax.vmap(f)(jnp.asarray(x)))
        assert_allclose(value, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
        f = jax.jacfwd(f)


def test_derivatives_of_products_agree_with_autodiff():
    means, widths = jnp.array([[0.1, -0.3], [0.4, 0.2]]), jnp.log(jnp.array([[0.5, 0.7], [0.3, 0.9]]))
    at = lambda a, b: product_derivative(means, widths, jnp.stack([a, b]), (0, 0))  # noqa: E731
    f = at
    for _ in range(2):
        f = jax.jacfwd(f, 0)
    for _ in range(2):
        f = jax.jacfwd(f, 1)
    found = product_derivative(means, widths, jnp.array([0.2, 0.3]), (2, 2))
    assert_allclose(found, f(jnp.array(0.2), jnp.array(0.3)), rtol=1e-10)


def poisson() -> Problem:
    x, y = coordinates("x y")
    u, box = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    truth = sin(pi * x) * sin(2 * pi * y)
    return Problem(u.dxx + u.dyy == -5 * pi**2 * truth, box, [(u == 0).on(box.boundary())], exact={u: truth})


def error_of(problem: Problem, solver: PIG) -> float:
    solution = solve(problem, solver)
    assert solution.result is RESULTS.successful
    return solution.errors(problem.reference, uniform_grid(problem.box, 31))["u"]["relative_l2"]


def test_a_lattice_solves_a_separable_equation():
    assert error_of(poisson(), PIG()) < 1e-8


def test_slabs_solve_a_nonlinear_periodic_equation(tmp_path):
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, 1), x: (0, 1)}, periodic=x)
    truth = sin(2 * pi * (x - t))
    problem = Problem(u.dt + u.dx + u**2 == truth**2, box, [(u == sin(2 * pi * x)).on(box.at(t=0))], exact={u: truth})
    assert error_of(problem, PIG()) < 1e-6
    solution = solve(problem, PIG())
    back = load(solution.save(tmp_path))
    assert_allclose(back(t=0.3, x=0.4), solution(t=0.3, x=0.4), rtol=0)


def test_trained_gaussians_improve_on_their_lattice():
    assert error_of(poisson(), PIG(trained=True, num_gaussians=81, max_steps=10)) < 1e-4


def test_systems_in_time_are_trained_and_refused_on_a_lattice():
    t, x = coordinates("t x")
    u, v, box = Field("u", t, x), Field("v", t, x), Box({t: (0, 1), x: (0, 1)}, periodic=x)
    start = [(u == sin(2 * pi * x)).on(box.at(t=0)), (v == 0).on(box.at(t=0))]
    problem = Problem([u.dt == v.dx, v.dt == u.dx], box, start)
    assert PIG().check(problem) == []
    with pytest.raises(UnsupportedProblemError, match="steady"):
        solve(problem, PIG(trained=False))


@pytest.mark.parametrize("options", [{"num_gaussians": 0}, {"tolerance": 0.0}, {"max_steps": -1}])
def test_hyperparameters_outside_their_range_are_refused(options):
    with pytest.raises(OptionError):
        PIG(**options)
