"""φ-functions against high-precision series, and the order of ETDRK4."""

from __future__ import annotations

from functools import partial
from math import factorial

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import expm

from solvers.classical import exponential as exp


def _exact_phi(z: complex, k: int) -> complex:
    """φ_k by the augmented exponential of a scalar."""
    matrix = np.diag(np.ones(k + 1), 1)[: k + 1, : k + 1].astype(complex)
    matrix[0, 0] = z
    return expm(matrix)[0, k]


@pytest.mark.parametrize("z", [0.0, 1e-9, 0.3, 1.0, 1.999, 2.0, -2.001, -30.0, 5j, -1 + 1j, 1e-4j, 40j])
def test_scalar_phi_functions(z):
    for k, value in enumerate(exp.phi_functions(np.array([z]), 3)):
        assert_allclose(value[0], _exact_phi(z, k), rtol=2e-13)


def test_stiff_phi_functions_decay_algebraically():
    values = exp.phi_functions(np.array([-1e8]), 3)
    assert_allclose([v[0].real for v in values], [0, 1e-8, 1e-8, 0.5e-8], rtol=1e-6)


def test_matrix_phi_functions_match_scalar_ones_on_diagonal_matrices():
    z = np.array([0.0, 1e-6, -0.5, -3.0, -2e4, 25j, 3 + 1j])
    scalars = exp.phi_functions(z, 3)
    matrices = exp.matrix_phi_functions(z[:, None, None] * np.eye(2), 3)
    for scalar, matrix in zip(scalars, matrices, strict=True):
        assert_allclose(matrix, scalar[:, None, None] * np.eye(2), rtol=1e-11, atol=1e-15)


def test_matrix_phi_functions_survive_a_defective_symbol():
    nilpotent = np.array([[0.0, 1.0], [0.0, 0.0]])
    for k, value in enumerate(exp.matrix_phi_functions(nilpotent, 3)):
        assert_allclose(value, np.eye(2) / factorial(k) + nilpotent / factorial(k + 1), atol=1e-15)


def test_matrix_phi_functions_of_a_non_normal_symbol():
    symbol = np.array([[-400.0, 900.0], [0.0, -399.0]])
    augmented = np.zeros((6, 6))
    augmented[:2, :2], augmented[:2, 2:4], augmented[2:4, 4:] = symbol, np.eye(2), np.eye(2)
    exact = expm(augmented)
    _, one, two = exp.matrix_phi_functions(symbol, 2)
    assert_allclose(one, exact[:2, 2:4], rtol=1e-10, atol=1e-16)
    assert_allclose(two, exact[:2, 4:], rtol=1e-10, atol=1e-16)


def _integrate(steps: int) -> np.ndarray:
    """u' = -50 u + 50 cos t - sin t (a stiff scalar) and v' = -v^2, to t = 1."""
    symbol, size = np.array([-50.0, 0.0]), 1 / steps
    coefficients = exp.etdrk4_coefficients(symbol, size)

    def nonlinear(time, state):
        return jnp.stack([50 * jnp.cos(time) - jnp.sin(time), -(state[1].real ** 2)]).astype(complex)

    advance = partial(exp.etdrk4_step, coefficients, nonlinear, jnp.multiply)
    state = jnp.array([1.0 + 0j, 1.0 + 0j])
    for index in range(steps):
        state = advance(jnp.asarray(index * size), state, jnp.asarray(size))
    return np.asarray(state.real)


def test_etdrk4_converges_with_order_four():
    exact = np.array([np.cos(1.0), 0.5])
    errors = [np.abs(_integrate(steps) - exact) for steps in (40, 80)]
    rates = np.log2(errors[0] / errors[1])
    assert np.all(rates > 3.7)
    assert np.all(errors[1] < 1e-8)


def test_etdrk4_is_exact_for_a_linear_problem():
    coefficients = exp.etdrk4_coefficients(np.array([2j, -3.0]), 0.7)
    state = exp.etdrk4_step(
        coefficients,
        lambda t, u: jnp.zeros_like(u),
        jnp.multiply,
        jnp.zeros(()),
        jnp.ones(2, complex),
        jnp.asarray(0.7),
    )
    assert_allclose(state, np.exp(0.7 * np.array([2j, -3.0])), rtol=1e-14)
