"""Variable projection finds the minimum of the full Gauss-Newton method, in fewer steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.optimise import LeastSquares, LevenbergMarquardt, ResidualBlock, residual_vector
from sciml.optimise.variable_projection import VariableProjection, regularised_solution

X = np.linspace(0.0, 2.0, 40)
RATES, SIZES = np.array([0.7, 3.0]), np.array([1.0, -2.0])
EXACT = np.exp(-np.outer(X, RATES)) @ SIZES
NOISY = EXACT + 0.01 * np.random.default_rng(0).standard_normal(len(X))


def start() -> dict[str, jax.Array]:
    return {"rates": jnp.array([0.2, 5.0]), "sizes": jnp.array([0.3, 0.4])}


def decays(values: np.ndarray) -> list[ResidualBlock]:
    def residual(weights, point, args):
        x, y = point
        return weights["sizes"] @ jnp.exp(-weights["rates"] * x) - y

    return [ResidualBlock("data", residual, (jnp.asarray(X), jnp.asarray(values)))]


PROJECTION = VariableProjection(
    linear=lambda weights: {"rates": False, "sizes": True}, tolerance=1e-12, step_tolerance=1e-14, max_steps=60
)


@pytest.mark.parametrize("values", [EXACT, NOISY], ids=["exact", "noisy"])
def test_the_minimum_is_that_of_the_full_method(values: np.ndarray) -> None:
    projected = PROJECTION.minimise(start(), decays(values))
    full = LevenbergMarquardt(max_steps=500, tolerance=1e-13, step_tolerance=1e-15).minimise(start(), decays(values))
    order = np.argsort(np.asarray(full.weights["rates"]))
    for name in ("rates", "sizes"):
        np.testing.assert_allclose(projected.weights[name], np.asarray(full.weights[name])[order], rtol=1e-6)
    assert projected.steps < full.steps
    gradient = jax.grad(lambda w: 0.5 * jnp.sum(residual_vector(full.problem, w) ** 2))
    assert np.linalg.norm(gradient(jnp.asarray(full.problem.flatten(projected.weights)))) < 1e-8


def test_linear_weights_are_the_best_ones_from_the_first_iterate_on() -> None:
    problem = LeastSquares(start(), decays(NOISY))
    iterate = PROJECTION.init(problem, problem.flatten(start()))
    basis = np.exp(-np.outer(X, np.asarray(start()["rates"])))
    best, *_ = np.linalg.lstsq(basis, NOISY, rcond=None)
    np.testing.assert_allclose(problem.unflatten(iterate.flat)["sizes"], best, rtol=1e-9)
    np.testing.assert_array_equal(problem.unflatten(iterate.flat)["rates"], start()["rates"])
    assert iterate.loss == pytest.approx(0.5 * np.mean((basis @ best - NOISY) ** 2))


def test_a_model_that_is_linear_in_all_weights_takes_one_solve() -> None:
    blocks = [
        ResidualBlock(
            "line", lambda w, p, args: w["a"] + w["b"] * p[0] - p[1], (jnp.asarray(X), jnp.asarray(3.0 - 2.0 * X))
        )
    ]
    run = VariableProjection().minimise({"a": jnp.zeros(()), "b": jnp.zeros(())}, blocks)
    assert run.result.is_success
    assert run.steps == 0
    assert (float(run.weights["a"]), float(run.weights["b"])) == pytest.approx((3.0, -2.0), abs=1e-12)


def test_tikhonov_bounds_what_the_data_do_not_see() -> None:
    matrix = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-14], [2.0, 2.0]])
    solution = regularised_solution(matrix, -matrix.sum(axis=1), 1e-8)
    np.testing.assert_allclose(solution, [1.0, 1.0], rtol=1e-6)
    exact = np.linalg.solve(matrix.T @ matrix + (0.1 * np.linalg.norm(matrix, 2)) ** 2 * np.eye(2), matrix.T @ X[:3])
    np.testing.assert_allclose(regularised_solution(matrix, -X[:3], 0.1), exact, rtol=1e-10)
