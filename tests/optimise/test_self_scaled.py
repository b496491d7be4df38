"""Self-scaled BFGS."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from sciml.optimise import LBFGS, SelfScaledBFGS
from sciml.optimise.self_scaled import updated_inverse
from sciml.results import RESULTS


def test_updates_meet_the_secant_equation_and_stay_positive():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    hessian, inverse = root @ root.T + np.eye(6), jnp.eye(6)
    for _ in range(20):
        gradient = rng.normal(size=6)
        step = -0.3 * np.asarray(inverse) @ gradient
        inverse = updated_inverse(inverse, jnp.asarray(step), jnp.asarray(hessian @ step), jnp.asarray(gradient))
        np.testing.assert_allclose(inverse @ (hessian @ step), step, rtol=1e-9, atol=1e-12)
        assert np.linalg.eigvalsh(np.asarray(inverse)).min() > 0


def test_the_scale_is_that_of_curvature_over_model():
    """In two dimensions the direction that an update does not see is divided by τ = yᵀs / sᵀBs."""
    inverse, gradient = 4.0 * jnp.eye(2), jnp.array([1.0, 0.0])
    step = -0.5 * inverse @ gradient
    found = updated_inverse(inverse, step, 0.1 * step, gradient)
    np.testing.assert_allclose(found, np.diag([10.0, 4.0 / 0.4]), rtol=1e-12)


def test_a_step_without_curvature_changes_nothing():
    inverse = jnp.eye(3)
    step = jnp.array([0.1, 0.0, 0.0])
    np.testing.assert_array_equal(updated_inverse(inverse, step, -step, -step / 0.1), inverse)


def test_reaches_the_minimum_of_a_curved_valley(rosenbrock):
    run = SelfScaledBFGS(tolerance=1e-9, max_steps=200).minimise(rosenbrock.start, rosenbrock.blocks())
    assert run.result is RESULTS.successful
    np.testing.assert_allclose([run.weights["x"], run.weights["y"]], 1.0, rtol=1e-8)


def test_regression_comes_closer_than_limited_memory(regression):
    losses = [
        kind(max_steps=400, tolerance=1e-9).minimise(regression.start, regression.blocks(), 2.0).history["loss"][-1]
        for kind in (SelfScaledBFGS, LBFGS)
    ]
    assert losses[0] < losses[1] / 2
    assert losses[0] < 1e-7
