"""Closed-form derivatives of kernels against automatic differentiation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml.errors import OptionError
from solvers.gp.kernels import Constant, Cosine, Matern, Periodic, SquaredExponential

LAGS = np.array([-1.3, -0.4, 0.07, 0.9, 2.2])

SMOOTH = [
    SquaredExponential(0.9) * Cosine(11.0) * 0.3,
    Matern(0.6, 4) * Cosine(5.0) + Periodic(2.0, 1.1),
    Constant(0.4) + Matern(0.8, 3),
    Matern(1.1, 2) * Cosine(20.0),
]


@pytest.mark.parametrize("kernel", SMOOTH, ids=repr)
def test_derivatives_up_to_order_four_agree_with_autodiff(kernel):
    values = kernel.derivatives(LAGS, 4)
    f = lambda z: kernel(z[None])[0]  # noqa: E731
    for value in values:
        expected = jax.jit(jax.vmap(f))(jnp.asarray(LAGS))
        assert_allclose(value, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected)))
        f = jax.grad(f)


@pytest.mark.parametrize("half_order", [1, 2, 3, 4])
def test_matern_has_the_textbook_form_and_its_curvature_at_zero(half_order):
    length, nu = 0.7, half_order + 0.5
    kernel = Matern(length, half_order)
    y = np.sqrt(2 * nu) * np.abs(LAGS) / length
    from scipy.special import gamma, kv

    assert_allclose(kernel(LAGS), 2 ** (1 - nu) / gamma(nu) * y**nu * kv(nu, y), rtol=1e-12)
    zero = np.zeros(1)
    _, slope, curvature = kernel.derivatives(zero, 2)
    assert_allclose(kernel(zero), 1)
    assert slope == 0
    assert_allclose(curvature, -nu / (nu - 1) / length**2)


def test_a_rough_kernel_refuses_derivatives_that_it_does_not_have():
    with pytest.raises(OptionError, match="at most 2"):
        (Matern(1.0, 1) * Cosine(3.0)).derivatives(LAGS, 3)


@pytest.mark.parametrize("kernel", SMOOTH, ids=repr)
def test_kernels_are_positive_definite(kernel):
    x = np.linspace(0, 1.6, 12)
    assert np.linalg.eigvalsh(kernel(x[:, None] - x[None, :])).min() > -1e-12
