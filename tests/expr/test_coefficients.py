"""Interpolation: exact where it should be, the same in NumPy and in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import Coefficient, Cubic, Linear, Nearest, coordinates
from sciml.expr.coefficients import AbstractInterpolation

x, y = coordinates("x y")
rng = np.random.default_rng(0)
XS, YS = np.sort(rng.random(9)), np.linspace(0, 1, 7)
AT = rng.uniform(XS[0], XS[-1], (3, 5)), rng.random((3, 5))


@pytest.mark.parametrize("interpolation", [Nearest(), Linear(), Cubic()], ids=lambda i: type(i).__name__)
def test_numpy_and_jax_agree(interpolation: AbstractInterpolation):
    data = Coefficient("a", x, y, values=rng.random((9, 7)), points=(XS, YS), interpolation=interpolation).payload
    on_host, in_jax = data(*AT), data(*map(jnp.asarray, AT))
    assert isinstance(on_host, np.ndarray) and isinstance(in_jax, jax.Array)
    np.testing.assert_allclose(on_host, in_jax, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(jax.jit(lambda payload: payload(*AT))(data), on_host, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("interpolation", [Nearest(), Linear(), Cubic()], ids=lambda i: type(i).__name__)
def test_nodes_keep_their_values(interpolation: AbstractInterpolation):
    values = rng.random(9)
    data = Coefficient("a", x, values=values, points=(XS,), interpolation=interpolation).payload
    np.testing.assert_allclose(data(XS), values, rtol=1e-13)


def test_linear_reproduces_bilinear_functions_and_cubic_quadratics():
    def values(f):
        return f(XS[:, None], YS[None, :])

    def bilinear(a, b):
        return 1 + 2 * a - b + 3 * a * b

    def quadratic(a, b):
        return 1 + a**2 - 2 * a * b + b**2

    flat = Coefficient("a", x, y, values=values(bilinear), points=(XS, YS), interpolation=Linear()).payload
    curved = Coefficient("b", x, y, values=values(quadratic), points=(XS, YS), interpolation=Cubic()).payload
    np.testing.assert_allclose(flat(*AT), bilinear(*AT), rtol=1e-13)
    np.testing.assert_allclose(curved(*AT), quadratic(*AT), rtol=1e-12)


def test_nearest_jumps_half_way():
    data = Coefficient("a", x, values=[0.0, 1.0, 2.0], points=([0.0, 1.0, 2.0],), interpolation=Nearest()).payload
    np.testing.assert_array_equal(data(np.array([0.4, 0.6, 1.4, 1.6])), [0, 1, 1, 2])


def test_a_function_is_called_elementwise_and_stays_on_the_host():
    data = Coefficient("a", x, y, function=lambda a, b: a + jnp.sin(b)).payload
    value = data(np.zeros((2, 1)), np.ones(3))
    assert isinstance(value, np.ndarray) and value.shape == (2, 3)
    np.testing.assert_allclose(value, np.sin(1.0), rtol=1e-14)
