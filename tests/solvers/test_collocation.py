"""Collocation kernels against exact polynomials and integrals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from numpy.testing import assert_allclose

from sciml.errors import OptionError
from solvers.classical import collocation as col

FAMILIES = [(col.chebyshev_nodes, col.clenshaw_curtis_weights), (col.legendre_nodes, col.legendre_weights)]


@pytest.mark.parametrize(("nodes", "weights"), FAMILIES)
@pytest.mark.parametrize("count", [2, 3, 8, 17, 64])
def test_quadrature_is_exact_for_interpolated_polynomials(nodes, weights, count):
    points, rule = nodes(count), weights(count)
    assert points[0] == -1 and points[-1] == 1 and np.all(np.diff(points) > 0)
    assert np.all(rule > 0)
    for degree in range(count):
        exact = (1 - (-1) ** (degree + 1)) / (degree + 1)
        assert_allclose(rule @ points**degree, exact, atol=2e-14)


def test_lobatto_rule_is_exact_to_degree_2n_minus_3():
    points, rule = col.legendre_nodes(6), col.legendre_weights(6)
    assert_allclose(rule @ points**8, 2 / 9, rtol=1e-14)
    assert abs(rule @ points**10 - 2 / 11) > 1e-5


@pytest.mark.parametrize("nodes", [col.chebyshev_nodes, col.legendre_nodes])
def test_differentiation_is_exact_for_polynomials(nodes):
    points = nodes(9)
    polynomial = Polynomial([0.3, -1.0, 0.5, 2.0, -0.7, 0.1, 0.4, -0.2, 0.6])
    for order, matrix in enumerate(col.differentiation_matrices(points, 4), start=1):
        assert_allclose(matrix @ polynomial(points), polynomial.deriv(order)(points), rtol=1e-10, atol=1e-9)
        assert_allclose(matrix @ np.ones(9), 0, atol=1e-10)


@pytest.mark.parametrize("nodes", [col.chebyshev_nodes, col.legendre_nodes])
def test_differentiation_converges_spectrally(nodes):
    errors = []
    for count in (8, 16, 24):
        points = nodes(count)
        (first,) = col.differentiation_matrices(points, 1)
        errors.append(
            np.max(np.abs(first @ np.exp(np.sin(3 * points)) - 3 * np.cos(3 * points) * np.exp(np.sin(3 * points))))
        )
    assert errors[1] < errors[0] / 30 and errors[2] < errors[1] / 30


def test_large_differentiation_keeps_its_digits():
    points = col.legendre_nodes(128)
    first, second = col.differentiation_matrices(points, 2)
    assert_allclose(first @ np.sin(20 * points), 20 * np.cos(20 * points), atol=20 * 1e-11)
    assert_allclose(second @ np.sin(20 * points), -400 * np.sin(20 * points), atol=400 * 1e-7)


@pytest.mark.parametrize(
    ("nodes", "transform", "values"),
    [
        (col.chebyshev_nodes, col.chebyshev_transform, np.polynomial.chebyshev.chebval),
        (col.legendre_nodes, col.legendre_transform, np.polynomial.legendre.legval),
    ],
)
@pytest.mark.parametrize("count", [2, 5, 33])
def test_transform_inverts_evaluation(nodes, transform, values, count):
    coefficients = np.random.default_rng(0).normal(size=count)
    assert_allclose(transform(count) @ values(nodes(count), coefficients), coefficients, atol=1e-13)


def test_interpolation_reproduces_polynomials_and_nodes():
    points = col.legendre_nodes(12)
    targets = np.concatenate([np.linspace(-1, 1, 31), points])
    matrix = col.interpolation_matrix(points, targets)
    assert_allclose(matrix @ points**11, targets**11, atol=1e-13)
    assert np.array_equal(matrix[-12:], np.eye(12))


def test_too_few_nodes_are_refused():
    with pytest.raises(OptionError, match="at least 2"):
        col.chebyshev_nodes(1)
