"""Standard errors against the textbook and against repeated experiments."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.errors import OptionError
from sciml.optimise import LeastSquares, LevenbergMarquardt, ResidualBlock, covariance

COUNT, SIGMA = 80, 0.2
TRUE = np.array([1.5, -0.7, 0.4])
DESIGN = np.stack([np.ones(COUNT), np.linspace(-1, 1, COUNT), np.linspace(-1, 1, COUNT) ** 2], axis=1)


def line(weights, point, args):
    return point["x"] @ weights - point["y"]


def fit(seed, **block_options):
    values = DESIGN @ TRUE + SIGMA * np.random.default_rng(seed).normal(size=COUNT)
    block = ResidualBlock("data", line, {"x": jnp.asarray(DESIGN), "y": jnp.asarray(values)}, **block_options)
    problem = LeastSquares(jnp.zeros(3), [block])
    return problem, jnp.asarray(np.linalg.lstsq(DESIGN, values)[0])


@pytest.mark.parametrize("options", [{}, {"scale": 5.0, "weight": 0.3}])
def test_linear_fit_has_the_textbook_covariance(options):
    problem, weights = fit(0, **options)
    values = problem.blocks[0].points["y"]
    variance = np.sum((DESIGN @ weights - values) ** 2) / (COUNT - 3)
    found = covariance(problem, weights, lambda w: w, {"data": None})
    np.testing.assert_allclose(found.matrix, variance * np.linalg.inv(DESIGN.T @ DESIGN), rtol=1e-8, atol=1e-15)
    assert found.noise["data"] == pytest.approx(np.sqrt(variance))
    assert found.degrees_of_freedom == pytest.approx(3.0)
    known = covariance(problem, weights, lambda w: w, {"data": SIGMA})
    np.testing.assert_allclose(known.matrix, SIGMA**2 * np.linalg.inv(DESIGN.T @ DESIGN), rtol=1e-8, atol=1e-15)


def test_one_entry_is_marginal_over_the_others():
    problem, weights = fit(1)
    gram = DESIGN.T @ DESIGN
    schur = gram[0, 0] - gram[0, 1:] @ np.linalg.solve(gram[1:, 1:], gram[1:, 0])
    found = covariance(problem, weights, lambda w: w[0], {"data": SIGMA})
    assert found.standard_errors[0] == pytest.approx(SIGMA / np.sqrt(schur), rel=1e-9)


def test_functions_of_the_weights_by_the_delta_method():
    problem, weights = fit(2)
    linear = covariance(problem, weights, lambda w: w[1], {"data": SIGMA})
    found = covariance(problem, weights, lambda w: jnp.exp(2 * w[1]), {"data": SIGMA})
    slope = 2 * np.exp(2 * weights[1])
    assert found.standard_errors[0] == pytest.approx(slope * linear.standard_errors[0], rel=1e-9)
    assert found.estimate[0] == pytest.approx(np.exp(2 * weights[1]))


def test_intervals_cover_at_their_rate():
    hits = np.zeros(3)
    repeats = 200
    for seed in range(repeats):
        problem, weights = fit(seed)
        found = covariance(problem, weights, lambda w: w, {"data": None})
        hits += np.abs(found.estimate - TRUE) < 1.96 * found.standard_errors
    assert np.all(hits / repeats > 0.90)
    assert np.all(hits / repeats < 0.99)


def test_rows_without_noise_act_as_constraints():
    """With w0 + w1 = 1 as a heavy row, the variance is that of the constrained fit, for any weight of the data."""
    basis = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    expected = SIGMA**2 * basis @ np.linalg.inv(basis.T @ DESIGN.T @ DESIGN @ basis) @ basis.T
    for weight in (1.0, 0.1):
        problem, weights = fit(3, weight=weight)
        tie = ResidualBlock("tie", lambda w, p, args: w[0] + w[1] - 1.0, jnp.zeros(1), weight=1e3)
        both = LeastSquares(jnp.zeros(3), [*problem.blocks, tie])
        found = covariance(both, weights, lambda w: w, {"data": SIGMA})
        np.testing.assert_allclose(found.matrix, expected, atol=1e-7)


def test_redundant_weights_do_not_spoil_an_identified_quantity():
    """y = (a + b) x: the sum is determined, the parts are not."""
    xs, values = jnp.linspace(0.1, 1.0, 30), jnp.linspace(0.1, 1.0, 30)
    block = ResidualBlock("data", lambda w, p, args: (w["a"] + w["b"]) * p[0] - p[1], (xs, values))
    weights = {"a": jnp.asarray(0.5), "b": jnp.asarray(0.5)}
    problem = LeastSquares(weights, [block])
    total = covariance(problem, weights, lambda w: w["a"] + w["b"], {"data": SIGMA})
    assert total.standard_errors[0] == pytest.approx(SIGMA / float(jnp.linalg.norm(xs)), rel=1e-6)
    part = covariance(problem, weights, lambda w: w["a"], {"data": SIGMA})
    assert np.isinf(part.standard_errors[0])


def test_a_parameter_in_a_network_fit_covers_the_truth():
    """Rate k in u' = -k u from noisy u, with u a network and the equation as rows: 25 repeats."""
    times = jnp.linspace(0.0, 2.0, 40)
    true_rate, sigma = 1.3, 0.02

    def network(weights, t):
        return 1.0 + t * weights["last"] @ jnp.tanh(weights["slope"] * t + weights["shift"])

    def equation(weights, t, args):
        u, u_t = jax.jvp(lambda s: network(weights, s), (t,), (1.0,))
        return u_t + weights["k"] * u

    def observed(weights, point, args):
        return network(weights, point[0]) - point[1]

    keys = jax.random.split(jax.random.key(0), 2)
    start = {
        "slope": 2.0 * jax.random.normal(keys[0], (6,)),
        "shift": jax.random.normal(keys[1], (6,)),
        "last": jnp.zeros(6),
        "k": jnp.asarray(0.5),
    }
    scores = []
    for seed in range(25):
        noisy = jnp.exp(-true_rate * times) + sigma * jax.random.normal(jax.random.key(100 + seed), times.shape)
        blocks = [
            ResidualBlock("equation", equation, jnp.linspace(0.0, 2.0, 60), weight=30.0),
            ResidualBlock("data", observed, (times, noisy)),
        ]
        run = LevenbergMarquardt(max_steps=60).minimise(start, blocks)
        found = covariance(run.problem, run.weights, lambda w: w["k"], {"data": None})
        scores.append((found.estimate[0] - true_rate) / found.standard_errors[0])
    assert np.mean(np.abs(scores) < 1.96) >= 0.84
    assert 0.6 < np.std(scores) < 1.5


@pytest.mark.parametrize("noise", [{}, {"nobody": 0.1}])
def test_noise_must_name_blocks(noise):
    problem, weights = fit(0)
    with pytest.raises(OptionError, match="data"):
        covariance(problem, weights, lambda w: w, noise)
