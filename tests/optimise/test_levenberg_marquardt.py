"""Damped steps and the trust region."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.errors import OptionError
from sciml.optimise import LevenbergMarquardt, ResidualBlock
from sciml.optimise.damped_steps import cholesky_steps, singular_value_steps
from sciml.results import RESULTS
from sciml.training import Resampling


@pytest.fixture
def linear_system():
    rng = np.random.default_rng(0)
    return rng.normal(size=40), rng.normal(size=(40, 7)), rng.uniform(0.5, 2.0, size=7)


def test_both_factorisations_solve_the_damped_least_squares_problem(linear_system):
    rows, jacobian, scaling = linear_system
    dampings = np.array([1e-3, 0.1, 10.0])
    by_cholesky = cholesky_steps(jacobian.T @ jacobian, jacobian.T @ rows, scaling, dampings)
    by_svd = singular_value_steps(rows, jacobian, scaling, dampings)
    for damping, step in zip(dampings, by_cholesky, strict=True):
        stacked = np.vstack([jacobian, np.diag(np.sqrt(damping * scaling))])
        expected = np.linalg.lstsq(stacked, -np.concatenate([rows, np.zeros(7)]))[0]
        np.testing.assert_allclose(step, expected, rtol=1e-10)
    np.testing.assert_allclose(by_svd, by_cholesky, rtol=1e-10)


def test_singular_values_keep_digits_that_the_gram_matrix_loses():
    rng = np.random.default_rng(1)
    left, right = (np.linalg.qr(rng.normal(size=(size, 6)))[0] for size in (30, 6))
    jacobian = left * np.logspace(0, -9, 6) @ right.T
    solution = rng.normal(size=6)
    matrix, gradient = jacobian.T @ jacobian, -jacobian.T @ (jacobian @ solution)

    def error(step):
        return np.linalg.norm(step - solution) / np.linalg.norm(solution)

    by_svd = singular_value_steps(-jacobian @ solution, jacobian, np.ones(6), np.array([1e-26]))[0]
    by_cholesky = cholesky_steps(matrix, gradient, np.ones(6), np.array([1e-26]))[0]
    assert error(by_svd) < 1e-5
    assert not error(by_cholesky) < 1e-2


def test_indefinite_matrices_give_no_step():
    steps = cholesky_steps(np.diag([1.0, -1.0]), np.ones(2), np.ones(2), np.array([0.1, 2.0]))
    assert np.isnan(steps[0]).all()
    np.testing.assert_allclose(steps[1], [-1 / 3, -1.0])


def test_more_rows_and_fewer_rows_than_weights(linear_system):
    rows, jacobian, scaling = linear_system
    wide, few = jacobian[:4], rows[:4]
    dampings = np.array([0.3])
    by_cholesky = cholesky_steps(wide.T @ wide, wide.T @ few, scaling, dampings)
    np.testing.assert_allclose(singular_value_steps(few, wide, scaling, dampings), by_cholesky, rtol=1e-9)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_reaches_the_minimum_of_a_curved_valley(rosenbrock, exponent):
    optimiser = LevenbergMarquardt(scaling_exponent=exponent)
    run = optimiser.minimise(rosenbrock.start, rosenbrock.blocks())
    assert run.result is RESULTS.successful
    assert run.steps < 60
    np.testing.assert_allclose([run.weights["x"], run.weights["y"]], 1.0, rtol=1e-9)
    assert np.all(np.diff(run.history["loss"]) < 0), "only decreasing steps are accepted"


def test_a_linear_problem_takes_one_undamped_step():
    design = jnp.asarray(np.random.default_rng(2).normal(size=(20, 3)))
    blocks = [ResidualBlock("line", lambda w, p, args: p[0] @ w - p[1], (design, jnp.arange(20.0)))]
    run = LevenbergMarquardt(initial_damping=1e-15).minimise(jnp.zeros(3), blocks)
    assert run.result is RESULTS.successful
    assert run.steps == 1
    np.testing.assert_allclose(run.weights, np.linalg.lstsq(np.asarray(design), np.arange(20.0))[0], rtol=1e-10)


def test_regression_reaches_six_digits(regression):
    run = LevenbergMarquardt(tolerance=2e-6, max_steps=700).minimise(regression.start, regression.blocks(), 2.0)
    assert run.result is RESULTS.successful
    xs = jnp.linspace(-1.0, 1.0, 333)
    error = jax.vmap(lambda x: regression.model(run.weights, x))(xs) - jnp.sin(2.0 * xs)
    assert np.sqrt(np.mean(np.square(error))) < 3e-6


def test_candidates_change_the_damping_both_ways(regression):
    run = LevenbergMarquardt(max_steps=60, initial_damping=1e3).minimise(regression.start, regression.blocks(), 4.0)
    ratios = run.history["damping"][1:] / run.history["damping"][:-1]
    assert ratios.min() < 0.1
    assert run.history["damping"].min() < 1e-3 * run.history["damping"][0]
    stuck = LevenbergMarquardt(max_steps=60, initial_damping=1e-9).minimise(regression.start, regression.blocks(), 4.0)
    assert stuck.history["damping"][1] > stuck.history["damping"][0], "too little damping is corrected"


def test_poisson_network_reaches_five_digits_on_fresh_points(poisson):
    def draw(key, weights):
        return poisson.blocks(jax.random.uniform(key, (64,)))

    run = LevenbergMarquardt(max_steps=300, tolerance=1e-5).minimise(
        poisson.start, draw(jax.random.key(1), None), key=jax.random.key(2), resampling=Resampling(draw, every=15)
    )
    assert run.result is RESULTS.successful
    assert run.history["fresh"][-1] < 1e-4
    xs = jnp.linspace(0.0, 1.0, 201)
    error = jax.vmap(lambda x: poisson.model(run.weights, x))(xs) - jnp.sin(jnp.pi * xs)
    assert np.abs(error).max() < 1e-5


def test_new_arguments_do_not_retrace():
    traces = []

    def residual(weights, x, rate):
        traces.append(1)
        return weights["a"] * jnp.exp(-rate * weights["b"] * x) - jnp.exp(-x)

    blocks = [ResidualBlock("decay", residual, jnp.linspace(0.0, 2.0, 30))]
    start = {"a": jnp.asarray(0.7), "b": jnp.asarray(0.4)}
    first = LevenbergMarquardt().minimise(start, blocks, jnp.asarray(1.0))
    before = len(traces)
    second = LevenbergMarquardt().minimise(start, blocks, jnp.asarray(2.0))
    assert len(traces) == before + 1, "only the abstract evaluation that counts components"
    np.testing.assert_allclose(first.weights["b"], 1.0, rtol=1e-8)
    np.testing.assert_allclose(second.weights["b"], 0.5, rtol=1e-8)


def test_noisy_data_end_at_a_stationary_point(regression):
    noise = 0.1 * jax.random.normal(jax.random.key(5), (60,))
    points = (jnp.linspace(-1.0, 1.0, 60), noise)
    blocks = [ResidualBlock("fit", lambda w, p, args: w[0] * p[0] + w[1] * p[0] ** 3 - p[1], points)]
    run = LevenbergMarquardt().minimise(jnp.ones(2), blocks)
    assert run.result is RESULTS.successful
    assert run.history["loss"][-1] > 1e-4
    assert run.history["gradient_cosine"][-1] < 1e-9


def test_a_minimum_where_no_weight_matters_is_reported():
    blocks = [ResidualBlock("flat", lambda w, p, args: jnp.where(w > 0, 1.0, 1.0) + 0 * w, jnp.zeros(1))]
    run = LevenbergMarquardt().minimise(jnp.asarray(1.0), blocks)
    assert run.result is RESULTS.successful
    assert run.steps == 0


def test_full_scaling_does_not_depend_on_units():
    def minimise(unit, exponent):
        def residual(w, x, args):
            return jnp.stack([w[0] + jnp.exp(unit * w[1] * x) - 2.0, unit * w[1] * x**2 - 1.0])

        start = jnp.array([0.1, 0.2 / unit])
        blocks = [ResidualBlock("r", residual, jnp.linspace(0.1, 1.0, 9))]
        return LevenbergMarquardt(scaling_exponent=exponent, max_steps=6).minimise(start, blocks).history["loss"]

    np.testing.assert_allclose(minimise(1e3, 1.0), minimise(1.0, 1.0), rtol=1e-8)
    assert np.abs(minimise(1e3, 0.0) / minimise(1.0, 0.0) - 1).max() > 1e-3


@pytest.mark.parametrize(
    "option",
    [{"max_steps": 0}, {"scaling_exponent": 1.5}, {"initial_damping": -1.0}, {"patience": 0}, {"chunk_bytes": 0}],
)
def test_bad_options_end_in_a_sentence(option):
    with pytest.raises(OptionError, match=next(iter(option))):
        LevenbergMarquardt(**option)
