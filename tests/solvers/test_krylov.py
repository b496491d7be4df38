"""Newton–Krylov against systems with known roots."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from sciml.results import RESULTS
from solvers.classical.krylov import newton_krylov


def _identity(values):
    return lambda data: data


def test_an_exact_preconditioner_needs_no_products():
    matrix = np.diag([1.0, 5.0, 9.0]) + 0.3
    inverse = np.linalg.inv(matrix)
    outcome = newton_krylov(
        lambda u: matrix @ u - 1.0, lambda u, v: matrix @ v, lambda u: lambda r: inverse @ r, np.zeros(3), rtol=1e-14
    )
    assert outcome.result is RESULTS.successful
    assert outcome.products == 0
    assert_allclose(matrix @ outcome.values, 1.0, rtol=1e-13)


def test_a_nonlinear_system_converges_quadratically():
    matrix = np.array([[4.0, 1.0], [1.0, 3.0]])

    def residual(u):
        return matrix @ u + u**3 - np.array([6.0, 5.0])

    outcome = newton_krylov(
        residual, lambda u, v: matrix @ v + 3 * u**2 * v, _identity, np.array([5.0, -5.0]), rtol=1e-12
    )
    assert outcome.result is RESULTS.successful
    assert_allclose(residual(outcome.values), 0, atol=1e-10)
    assert_allclose(outcome.values, 1.0, rtol=1e-10)
    assert outcome.iterations < 15


def test_damping_rescues_a_far_start():
    # undamped Newton on arctan diverges from |u| > 1.39
    outcome = newton_krylov(np.arctan, lambda u, v: v / (1 + u**2), _identity, np.array([20.0]), rtol=1e-10)
    assert abs(outcome.values[0]) < 1e-9


def test_a_system_without_a_root_is_not_a_success():
    outcome = newton_krylov(lambda u: u**2 + 1, lambda u, v: 2 * u * v, _identity, np.array([0.7]), rtol=1e-10)
    assert not outcome.result.is_success


def test_a_residual_that_is_not_finite_is_reported():
    outcome = newton_krylov(lambda u: np.full_like(u, np.nan), lambda u, v: v, _identity, np.ones(2), rtol=1e-10)
    assert outcome.result is RESULTS.nonfinite
