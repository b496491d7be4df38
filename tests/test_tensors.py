"""Tensor functions: against dense linear algebra, and derivatives where eigenvalues coincide."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.tensors import (
    cofactor,
    determinant,
    exponential,
    inverse_transposed,
    logarithm,
    product,
    rotation,
    singular_values,
)

EXACT = {np.float64: 1e-12, np.float32: 1e-5}


def deformations(d: int, low: float, high: float, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F = U diag(s) V^T of positive determinant `(n, d, d)`, with its rotation and its singular values."""
    rng = np.random.default_rng(d)
    U, V = (np.linalg.qr(rng.normal(size=(n, d, d)))[0] for _ in range(2))
    U[:, :, 0] *= (np.linalg.det(U) * np.linalg.det(V))[:, None]
    s = np.exp(rng.uniform(np.log(low), np.log(high), (n, d)))
    return np.einsum("nij,nj,nkj->nik", U, s, V), np.einsum("nij,nkj->nik", U, V), s


def first(a: np.ndarray, dtype: type = np.float64) -> jax.Array:
    return jnp.asarray(np.moveaxis(a, 0, -1), dtype)


def last(a: jax.Array) -> np.ndarray:
    return np.moveaxis(np.asarray(a, float), -1, 0)


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("d", [2, 3])
def test_decompositions_agree_with_dense_linear_algebra(d: int, dtype: type) -> None:
    F, R, s = deformations(d, 0.1, 5.0)
    G, tolerance = first(F, dtype), EXACT[dtype]
    np.testing.assert_allclose(last(rotation(G)), R, atol=tolerance)
    np.testing.assert_allclose(last(singular_values(G)), -np.sort(-s, axis=1), atol=10 * tolerance)
    np.testing.assert_allclose(last(determinant(G)), np.linalg.det(F), rtol=1e2 * tolerance)
    values, vectors = np.linalg.eigh(F @ F.transpose(0, 2, 1))
    log = np.einsum("nij,nj,nkj->nik", vectors, np.log(values), vectors)
    np.testing.assert_allclose(last(logarithm(first(F @ F.transpose(0, 2, 1), dtype))), log, atol=300 * tolerance)


@pytest.mark.parametrize("d", [2, 3])
def test_exponential_undoes_logarithm_and_cofactor_the_determinant(d: int) -> None:
    F, _, _ = deformations(d, 0.3, 3.0)
    B = first(F @ F.transpose(0, 2, 1))
    np.testing.assert_allclose(exponential(logarithm(B)), B, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(cofactor(first(F)), determinant(first(F)) * inverse_transposed(first(F)), atol=1e-10)


SPECIAL = {"rest": (1.0, 1.0, 1.0), "two equal": (1.3, 1.3, 0.9), "distinct": (1.4, 1.1, 0.7)}


def exact_rate_of_rotation(F: np.ndarray, W: np.ndarray) -> np.ndarray:
    """dR = U [(M_ij - M_ji) / (s_i + s_j)] V^T with M = U^T W V."""
    U, s, Vt = np.linalg.svd(F)
    M = U.T @ W @ Vt.T
    return U @ ((M - M.T) / (s[:, None] + s[None, :])) @ Vt


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("s", SPECIAL.values(), ids=SPECIAL)
def test_the_derivative_of_the_rotation_is_exact_in_both_modes(s: tuple[float, ...], dtype: type) -> None:
    rng = np.random.default_rng(1)
    U, V = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
    F, W, A = U @ np.diag(s) @ V.T, rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    exact = exact_rate_of_rotation(F, W)
    f, w, a = (jnp.asarray(m, dtype) for m in (F, W, A))
    forward = jax.jvp(rotation, (f,), (w,))[1]
    reverse = jax.vjp(rotation, f)[1](a)[0]
    assert np.linalg.norm(forward - exact) <= 1e-5 * np.linalg.norm(exact)
    assert abs(np.sum(np.asarray(reverse) * W) - np.sum(A * exact)) <= 1e-5 * np.linalg.norm(exact) * np.linalg.norm(A)


@pytest.mark.parametrize("s", SPECIAL.values(), ids=SPECIAL)
def test_the_derivative_of_the_logarithm_is_exact_also_where_eigenvalues_coincide(s: tuple[float, ...]) -> None:
    rng = np.random.default_rng(2)
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    B, W = Q @ np.diag(s) @ Q.T, rng.normal(size=(3, 3))
    W = W + W.T
    step = 1e-5
    exact = (logarithm(jnp.asarray(B + step * W)) - logarithm(jnp.asarray(B - step * W))) / (2 * step)
    forward = jax.jvp(logarithm, (jnp.asarray(B),), (jnp.asarray(W),))[1]
    reverse = jax.vjp(logarithm, jnp.asarray(B))[1](jnp.asarray(W))[0]
    np.testing.assert_allclose(forward, exact, atol=1e-8 * np.linalg.norm(W))
    np.testing.assert_allclose(np.sum(np.asarray(reverse) * W), np.sum(np.asarray(exact) * W), rtol=1e-8)


def test_symmetric_functions_of_singular_values_have_exact_derivatives_at_rest() -> None:
    W = jnp.asarray(np.random.default_rng(3).normal(size=(3, 3)))

    def energy(F: jax.Array) -> jax.Array:
        return jnp.sum(jnp.log(singular_values(F)) ** 2) + jnp.prod(singular_values(F))

    for F in (jnp.eye(3), product(jnp.diag(jnp.array([1.3, 1.3, 0.8])), rotation(W))):
        slope = jnp.vdot(jax.grad(energy)(F), W)
        step = 1e-5
        np.testing.assert_allclose(slope, (energy(F + step * W) - energy(F - step * W)) / (2 * step), atol=1e-8)
