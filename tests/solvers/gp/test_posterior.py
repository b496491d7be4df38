"""The posterior in the eigenbasis is Gaussian-process regression: compared with dense formulas."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from sciml import Box, Field, Problem, coordinates, sin
from sciml.galerkin.statement import Statement
from solvers.gp.attempts import discretise
from solvers.gp.features import Line, mixture
from solvers.gp.posterior import exact_posterior, profile_noise, project_data
from solvers.gp.solver import KroneckerGP

LINES = (Line(0.0, 0.5), Line(9.0, 1.0))


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
    noisy = -discrete.source + 0.5 * rng.standard_normal(nodes.size)
    lift = discrete.lift
    lifted = discrete.jets(lift, statement.unknown_atoms)
    data = noisy - sum(c * lifted[a] for a, c in zip(statement.parts.linear, _numbers(statement), strict=True))
    posterior = exact_posterior(discrete, discrete.operator, project_data(discrete, data))

    at = np.linspace(0.05, 0.95, 7)
    (basis,) = discrete.spaces[0].basis.at(at)
    mean, deviation = basis @ posterior.mean, np.linalg.norm(basis @ posterior.factor, axis=1)
    expected_mean, expected_deviation = dense_regression(nodes, noisy, at, posterior.noise)
    assert_allclose(mean, expected_mean, atol=1e-6 * np.abs(expected_mean).max())
    assert_allclose(deviation, expected_deviation, rtol=1e-4)
    assert 0.35 < posterior.noise.deviation < 0.7


def _numbers(statement):
    return [statement.number(c) for c in statement.parts.linear.values()]


def dense_regression(nodes, source, at, noise):
    """Textbook conditioning on L u at the nodes (noisy) and u at both ends (exact)."""
    ends = np.array([0.0, 1.0])
    values = np.concatenate([source, np.sin(9 * ends) + ends])

    def covariance(x, left, y, right):
        k = mixture(LINES).derivatives(x[:, None] - y[None, :], 4)
        applied = {"u": {0: 1.0}, "L": {2: 1.0, 0: -1.0}}
        return sum(a * b * k[p + q] for p, a in applied[left].items() for q, b in applied[right].items())

    blocks = [(nodes, "L"), (ends, "u")]
    gram = np.block([[covariance(x, a, y, b) for y, b in blocks] for x, a in blocks])
    gram[: nodes.size, : nodes.size] += noise.ratio * np.eye(nodes.size)
    cross = np.hstack([covariance(at, "u", y, b) for y, b in blocks])
    solved = np.linalg.solve(gram, cross.T)
    variance = covariance(at, "u", at, "u").diagonal() - np.sum(cross.T * solved, axis=0)
    return solved.T @ values, noise.amplitude * np.sqrt(variance)


def test_profiled_noise_recovers_amplitude_and_noise_of_a_draw():
    rng = np.random.default_rng(1)
    variances = np.logspace(2, -4, 200)
    data = 3.0 * (np.sqrt(variances) * rng.standard_normal(200) + 0.1 * rng.standard_normal(200))
    rest = float(np.sum((0.3 * rng.standard_normal(800)) ** 2))
    noise = profile_noise(variances, data, rest, 1000)
    assert_allclose(noise.deviation, 0.3, rtol=0.1)
    assert_allclose(noise.amplitude, 3.0, rtol=0.15)
