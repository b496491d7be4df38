"""Features factorise their kernel; the eigenbasis diagonalises it on the nodes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import toeplitz

from sciml.galerkin.eigenbasis import eigenbasis
from solvers.gp.features import FourierFeatures, LadderFeatures, Line, mixture
from solvers.gp.shapes import eigh_of_toeplitz

LINES = (Line(0.0, 0.9, 0.5), Line(12.0, 1.5, 2.0), Line(30.0, 0.8, 0.1))
X, Y = np.linspace(1.0, 3.0, 23), np.linspace(1.1, 2.9, 9)


def test_ladder_features_factorise_the_mixture_and_its_derivatives():
    features = LadderFeatures(LINES, 1.0, 3.0)
    at_x, at_y = features.derivatives(X, 2), features.derivatives(Y, 2)
    k = mixture(LINES).derivatives(X[:, None] - Y[None, :], 4)
    for p in range(3):
        for q in range(3):
            expected = (-1) ** q * k[p + q]
            assert_allclose(at_x[p] @ at_y[q].T, expected, atol=1e-12 * np.abs(expected).max())


FEW = LadderFeatures((Line(0.0, 9.0, 0.5), Line(12.0, 6.0, 2.0)), 1.0, 3.0)


@pytest.mark.parametrize(
    "features", [FEW, FourierFeatures(1.0, 2.0, np.array([1.0, 0.5, 0.2]))], ids=["ladder", "fourier"]
)
def test_derivatives_of_features_agree_with_autodiff(features):
    f = lambda x: features.derivatives(x[None], 0)[0][0]  # noqa: E731
    for value in features.derivatives(X, 3):
        expected = jax.jit(jax.vmap(f))(jnp.asarray(X))
        assert_allclose(value, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
        f = jax.jacfwd(f)


def test_fourier_features_are_periodic():
    features = FourierFeatures(1.0, 2.0, np.array([1.0, 0.5, 0.2]))
    ends = features.derivatives(np.array([1.0, 3.0]), 3)
    for value in ends:
        assert_allclose(value[0], value[1], atol=1e-10)


def test_eigenbasis_is_orthonormal_on_the_nodes_and_carries_the_prior():
    nodes = np.linspace(1.0, 3.0, 120)
    basis = eigenbasis(LadderFeatures(LINES, 1.0, 3.0), nodes)
    kernel = mixture(LINES)
    assert_allclose(basis.vectors.T @ basis.vectors, np.eye(basis.rank), atol=1e-13)
    assert np.all(np.diff(basis.scales) <= 0)
    between, slopes = basis.at(Y, 1)
    assert_allclose((between * basis.scales**2) @ between.T, kernel(Y[:, None] - Y[None, :]), atol=1e-9)
    covariance = -kernel.derivatives(Y[:, None] - Y[None, :], 2)[2]
    assert_allclose((slopes * basis.scales**2) @ slopes.T, covariance, atol=1e-8 * covariance.max())
    assert_allclose(basis.at(nodes)[0][:, :10], basis.vectors[:, :10], atol=1e-10)


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_even_and_odd_halves_diagonalise_a_toeplitz_matrix(count):
    first = np.exp(-np.arange(count) / 7) * np.cos(0.9 * np.arange(count))
    values, vectors = eigh_of_toeplitz(first)
    assert_allclose(toeplitz(first) @ vectors, vectors * values, atol=1e-13)
    assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-13)
    assert np.all(np.diff(values) <= 0)
