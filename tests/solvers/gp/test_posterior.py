"""The posterior in the eigenbasis is Gaussian-process regression: compared with dense formulas."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml import Box, Field, Problem, coordinates, sin, solve
from sciml.galerkin.statement import Statement
from solvers.gp.attempts import discretise
from solvers.gp.evidence import likely_amplitude, profile_noise
from solvers.gp.features import Line, mixture
from solvers.gp.noise import EquationNoise, white_noise
from solvers.gp.posterior import exact_posterior
from solvers.gp.solver import KroneckerGP

LINES = (Line(0.0, 0.5), Line(9.0, 1.0))
NOISE = 0.5


def problem():
    (x,) = coordinates("x")
    u = Field("u", x)
    box = Box({x: (0, 1)})
    w = sin(9 * x) + x
    return Problem([u.dxx - u == w.dxx - w], box, [(u == w).on(box.boundary(x))], exact={u: w})


def test_posterior_is_regression_on_the_source_and_the_boundary():
    statement = Statement(problem())
    discrete = discretise(statement, (LINES,), KroneckerGP(nodes=70))
    nodes = discrete.nodes[0]
    rng = np.random.default_rng(0)
    noisy = -discrete.source + NOISE * rng.standard_normal(nodes.size)
    lift = discrete.lift
    lifted = discrete.jets(lift, statement.unknown_atoms)
    data = noisy - sum(c * lifted[a] for a, c in zip(statement.parts.linear, _numbers(statement), strict=True))
    projected = discrete.spaces[0].basis.vectors.T @ data
    posterior = exact_posterior(discrete, discrete.operator, projected, white_noise(discrete.shape, NOISE))

    at = np.linspace(0.05, 0.95, 7)
    (basis,) = discrete.spaces[0].basis.at(at)
    mean, deviation = basis @ posterior.mean, np.linalg.norm(basis @ posterior.factor, axis=1)
    expected_mean, expected_deviation = dense_regression(nodes, noisy, at, posterior.amplitude)
    assert_allclose(mean, expected_mean, atol=1e-6 * np.abs(expected_mean).max())
    assert_allclose(deviation, expected_deviation, rtol=1e-4)


def _numbers(statement):
    return [statement.number(c) for c in statement.parts.linear.values()]


def dense_regression(nodes, source, at, amplitude):
    """Textbook conditioning on L u at the nodes (noisy) and u at both ends (exact)."""
    ends = np.array([0.0, 1.0])
    values = np.concatenate([source, np.sin(9 * ends) + ends])

    def covariance(x, left, y, right):
        k = mixture(LINES).derivatives(x[:, None] - y[None, :], 4)
        applied = {"u": {0: 1.0}, "L": {2: 1.0, 0: -1.0}}
        return sum(a * b * k[p + q] for p, a in applied[left].items() for q, b in applied[right].items())

    blocks = [(nodes, "L"), (ends, "u")]
    gram = np.block([[covariance(x, a, y, b) for y, b in blocks] for x, a in blocks])
    gram[: nodes.size, : nodes.size] += (NOISE / amplitude) ** 2 * np.eye(nodes.size)
    cross = np.hstack([covariance(at, "u", y, b) for y, b in blocks])
    solved = np.linalg.solve(gram, cross.T)
    variance = covariance(at, "u", at, "u").diagonal() - np.sum(cross.T * solved, axis=0)
    return solved.T @ values, amplitude * np.sqrt(variance)


def test_profiled_noise_recovers_amplitude_and_noise_of_a_draw():
    rng = np.random.default_rng(1)
    variances = np.logspace(2, -4, 200)
    data = 3.0 * (np.sqrt(variances) * rng.standard_normal(200) + 0.1 * rng.standard_normal(200))
    rest = float(np.sum((0.3 * rng.standard_normal(800)) ** 2))
    noise = profile_noise(variances, data, rest, 1000)
    assert_allclose(noise.deviation, 0.3, rtol=0.1)
    assert_allclose(noise.amplitude, 3.0, rtol=0.15)


def test_likely_amplitude_recovers_that_of_a_draw():
    rng = np.random.default_rng(2)
    d = np.logspace(3, -3, 400)
    data = 7.0 * d * rng.standard_normal(400) + rng.standard_normal(400)
    assert_allclose(likely_amplitude(d, data), 7.0, rtol=0.1)


@pytest.mark.parametrize(
    ("shape", "columns"), [((9,), (4,)), ((6, 7), (4, 2)), ((6, 7), (2, 4)), ((4, 5, 6), (2, 4, 3))]
)
def test_stationary_noise_is_its_dense_covariance(shape, columns):
    rng = np.random.default_rng(0)
    power = np.abs(np.fft.fftn(rng.standard_normal(shape))) ** 2  # of a real signal, so the covariance is real
    bases = [rng.standard_normal((n, m)) for n, m in zip(shape, columns, strict=True)]
    transform = reduce(np.kron, [np.fft.fft(np.eye(n), norm="ortho") for n in shape])
    basis = reduce(np.kron, bases)
    dense = np.real(basis.T @ transform.conj().T @ np.diag(power.ravel()) @ transform @ basis)
    noise = EquationNoise(power)
    assert_allclose(noise.covariance(bases), dense, atol=1e-12 * np.abs(dense).max())
    assert_allclose(noise.variances([q.T for q in bases]), dense.diagonal().reshape(columns), rtol=1e-10)


def test_without_noise_the_deviation_covers_and_is_of_the_size_of_the_error():
    solution = solve(problem(), KroneckerGP())
    at = {"x": np.linspace(0, 1, 400)}
    error = solution(**at) - np.sin(9 * at["x"]) - at["x"]
    deviation = solution.std(**at)
    assert np.mean(np.abs(error) <= 2 * deviation) >= 0.9
    assert np.sqrt(np.mean(deviation**2)) <= 100 * np.sqrt(np.mean(error**2))
