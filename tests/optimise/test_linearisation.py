"""Damped steps in weights, in rows and by singular values; the second-order correction."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.optimise import LevenbergMarquardt, ResidualBlock
from sciml.optimise.blocks import CHUNK_BYTES, LeastSquares, gram, jacobian_rows
from sciml.optimise.damped_steps import cholesky_steps, dual_steps, singular_value_steps
from sciml.optimise.linearisation import Dual, Primal, bending, linearise
from sciml.results import RESULTS

DAMPINGS = np.array([1e-4, 1e-2, 1.0])


def wave(weights, x, args):
    return jnp.sin(weights["a"] @ jnp.array([1.0, x, x**2])) - weights["b"] * x


def problem_with(points):
    weights = {"a": jnp.array([0.3, -0.2, 0.5]), "b": jnp.asarray(0.7)}
    return LeastSquares(weights, [ResidualBlock("wave", wave, jnp.linspace(0.1, 1.0, points))])


@pytest.mark.parametrize("shape", [(5, 9), (9, 9), (30, 9)], ids=["few rows", "square", "many rows"])
def test_steps_in_weights_in_rows_and_by_singular_values_agree(shape):
    rng = np.random.default_rng(0)
    rows, jacobian, scaling = rng.normal(size=shape[0]), rng.normal(size=shape), rng.uniform(0.5, 2.0, shape[1])
    primal = cholesky_steps(jacobian.T @ jacobian, jacobian.T @ rows, scaling, DAMPINGS)
    np.testing.assert_allclose(dual_steps(rows, jacobian, scaling, DAMPINGS), primal, rtol=1e-8)
    np.testing.assert_allclose(singular_value_steps(rows, jacobian, scaling, DAMPINGS), primal, rtol=1e-8)


@pytest.mark.parametrize(("points", "form"), [(3, Dual), (12, Primal)])
def test_the_form_follows_the_numbers_and_tells_the_same(points, form):
    problem = problem_with(points)
    flat = problem.flatten(problem.template)
    found, equations = linearise(problem, flat, CHUNK_BYTES), gram(problem, flat)
    assert isinstance(found, form)
    np.testing.assert_allclose(found.gradient, equations.gradient, rtol=1e-12)
    np.testing.assert_allclose(found.diagonal, equations.matrix.diagonal(), rtol=1e-12)
    np.testing.assert_allclose(found.losses, equations.losses, rtol=1e-12)
    scaling = np.ones(4)
    expected = cholesky_steps(equations.matrix, equations.gradient, scaling, DAMPINGS)
    np.testing.assert_allclose(found.steps(scaling, DAMPINGS), expected, rtol=1e-8)
    rows, jacobian = jacobian_rows(problem, flat)
    other = np.arange(1.0, len(rows) + 1)
    expected = singular_value_steps(other, jacobian, scaling, DAMPINGS)
    np.testing.assert_allclose(found.steps(scaling, DAMPINGS, other), expected, rtol=1e-8)
    tiny = np.array([1e-22])
    np.testing.assert_allclose(found.steps(scaling, tiny), singular_value_steps(rows, jacobian, scaling, tiny))


def test_the_second_derivative_along_a_direction_agrees_with_finite_differences():
    problem = problem_with(6)
    flat, direction, h = problem.flatten(problem.template), np.array([0.3, 0.1, -0.4, 0.2]), 1e-4

    def rows(w):
        return jacobian_rows(problem, w)[0]

    expected = (rows(flat + h * direction) - 2 * rows(flat) + rows(flat - h * direction)) / h**2
    np.testing.assert_allclose(bending(problem, flat, direction), expected, atol=1e-6)


def test_fewer_points_than_weights_are_met_exactly():
    draws = jax.random.normal(jax.random.key(0), (3, 30))
    start = {"last": 0.3 * draws[0], "slope": draws[1], "shift": draws[2]}

    def fit(w, x, args):
        return w["last"] @ jnp.tanh(w["slope"] * x + w["shift"]) - x**2

    blocks = [ResidualBlock("data", fit, jnp.linspace(-1, 1, 8))]
    run = LevenbergMarquardt(tolerance=1e-9, max_steps=100).minimise(start, blocks)
    assert run.result is RESULTS.successful
    assert run.history["loss"][-1] < 1e-18


def test_acceleration_is_kept_only_where_it_lowers_the_loss(rosenbrock):
    gains = []
    for x in np.linspace(-1.5, 1.5, 6):
        start = {"x": jnp.asarray(x), "y": jnp.asarray(1.0)}
        plain, bent = (
            LevenbergMarquardt(geodesic=g, max_steps=1).minimise(start, rosenbrock.blocks()).history["loss"][-1]
            for g in (False, True)
        )
        gains.append(bent / plain)
    assert max(gains) <= 1
    assert min(gains) < 0.5


def test_acceleration_reaches_the_minimum(rosenbrock):
    run = LevenbergMarquardt(geodesic=True).minimise(rosenbrock.start, rosenbrock.blocks())
    assert run.result is RESULTS.successful
    np.testing.assert_allclose([run.weights["x"], run.weights["y"]], 1.0, rtol=1e-8)
