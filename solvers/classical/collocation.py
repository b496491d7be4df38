"""Polynomial collocation on Gauss–Lobatto nodes: nodes, weights, differentiation and interpolation matrices.

Everything here is exact linear algebra on one interval; tensor grids apply it axis by axis.
Reference: Trefethen, Spectral Methods in MATLAB (SIAM, 2000); Weideman & Reddy, doi:10.1145/365723.365727;
Berrut & Trefethen, doi:10.1137/S0036144502417715.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_jacobi

from sciml.errors import OptionError

Array = NDArray[np.float64]


def _require(count: int, least: int) -> None:
    if count < least:
        raise OptionError(f"{count} collocation nodes", f"at least {least}", "raise the resolution")


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


@lru_cache(maxsize=128)
def chebyshev_nodes(count: int) -> Array:
    """Chebyshev–Gauss–Lobatto nodes -cos(pi j / (n - 1)), ascending, both end points included.

    Args:
        count: number n >= 2 of nodes.

    Returns:
        Nodes in [-1, 1], shape (n,), exactly antisymmetric.
    """
    _require(count, 2)
    return _frozen(np.sin(np.pi * np.arange(1 - count, count, 2) / (2 * (count - 1))))


@lru_cache(maxsize=128)
def legendre_nodes(count: int) -> Array:
    """Legendre–Gauss–Lobatto nodes: the end points and the zeros of P'_{n-1}, ascending.

    Args:
        count: number n >= 2 of nodes.

    Returns:
        Nodes in [-1, 1], shape (n,), exactly antisymmetric.
    """
    _require(count, 2)
    inner = np.empty(0) if count == 2 else roots_jacobi(count - 2, 1.0, 1.0)[0]
    nodes = np.concatenate([[-1.0], np.asarray(inner, dtype=np.float64), [1.0]])
    return _frozen((nodes - nodes[::-1]) / 2)


@lru_cache(maxsize=128)
def clenshaw_curtis_weights(count: int) -> Array:
    """Quadrature weights on `chebyshev_nodes(count)`, exact for polynomials of degree below `count`.

    Args:
        count: number n >= 2 of nodes.

    Returns:
        Positive weights that sum to 2, shape (n,).
    """
    _require(count, 2)
    degrees = np.arange(count)
    moments = np.where(degrees % 2 == 0, 2 / (1 - degrees.astype(float) ** 2 + (degrees == 1)), 0.0)
    return _frozen(moments @ chebyshev_transform(count))


@lru_cache(maxsize=128)
def legendre_weights(count: int) -> Array:
    """Gauss–Lobatto weights 2 / (n (n - 1) P_{n-1}(x_j)^2), exact for polynomials of degree <= 2n - 3.

    Args:
        count: number n >= 2 of nodes.

    Returns:
        Positive weights that sum to 2, shape (n,).
    """
    _require(count, 2)
    return _frozen(2 / (count * (count - 1) * _top_legendre(legendre_nodes(count)) ** 2))


def _top_legendre(nodes: Array) -> Array:
    """P_{n-1} at the n nodes by the three-term recurrence."""
    before, current = np.ones_like(nodes), nodes.copy()
    for degree in range(1, nodes.size - 1):
        before, current = current, ((2 * degree + 1) * nodes * current - degree * before) / (degree + 1)
    return current


@lru_cache(maxsize=128)
def chebyshev_transform(count: int) -> Array:
    """Matrix that turns values at `chebyshev_nodes(count)` into coefficients of T_0 ... T_{n-1}."""
    _require(count, 2)
    index = np.arange(count)
    # x_j = cos(pi (n - 1 - j) / (n - 1)): the interpolant's coefficients are a discrete cosine transform
    matrix = 2 / (count - 1) * np.cos(np.pi * np.outer(index, index[::-1]) / (count - 1))
    matrix[[0, -1]] /= 2
    matrix[:, [0, -1]] /= 2
    return _frozen(matrix)


@lru_cache(maxsize=128)
def legendre_transform(count: int) -> Array:
    """Matrix that turns values at `legendre_nodes(count)` into coefficients of P_0 ... P_{n-1}."""
    nodes, weights = legendre_nodes(count), legendre_weights(count)
    norms = 2 / (2 * np.arange(count) + 1.0)
    # the highest mode is integrated inexactly by the Gauss–Lobatto rule: its discrete norm is 2 / (n - 1)
    norms[-1] = 2 / (count - 1)
    return _frozen((legendre.legvander(nodes, count - 1) * weights[:, None]).T / norms[:, None])


def barycentric_weights(nodes: ArrayLike) -> Array:
    """Weights 1 / prod_{k != j} (x_j - x_k), scaled so that the largest has modulus one.

    Args:
        nodes: distinct nodes, shape (n,).

    Returns:
        Weights, shape (n,).
    """
    points = np.asarray(nodes, dtype=np.float64)
    gaps = points[:, None] - points[None, :]
    np.fill_diagonal(gaps, 1.0)
    logarithms = -np.sum(np.log(np.abs(gaps)), axis=1)
    return np.prod(np.sign(gaps), axis=1) * np.exp(logarithms - logarithms.max())


def differentiation_matrices(nodes: ArrayLike, order: int) -> tuple[Array, ...]:
    """Matrices of d/dx ... d^m/dx^m of the interpolating polynomial, by Welfert's recursion.

    Off the diagonal D^(m)_ij = m / (x_i - x_j) (w_j / w_i D^(m-1)_ii - D^(m-1)_ij); the diagonal is minus the sum of
    its row, so that constants are differentiated to zero exactly.

    Args:
        nodes: distinct nodes, shape (n,).
        order: highest derivative m >= 1.

    Returns:
        m matrices of shape (n, n).
    """
    points = np.asarray(nodes, dtype=np.float64)
    weights = barycentric_weights(points)
    gaps = points[:, None] - points[None, :]
    np.fill_diagonal(gaps, 1.0)
    ratios = weights[None, :] / weights[:, None]
    current, matrices = np.eye(points.size), []
    for degree in range(1, order + 1):
        current = degree / gaps * (ratios * np.diag(current)[:, None] - current)
        np.fill_diagonal(current, 0.0)
        np.fill_diagonal(current, -np.sum(current, axis=1))
        matrices.append(current)
    return tuple(matrices)


def interpolation_matrix(nodes: ArrayLike, points: ArrayLike) -> Array:
    """Matrix that evaluates the interpolating polynomial at points, by the second barycentric formula.

    Args:
        nodes: distinct nodes, shape (n,).
        points: any points inside the interval, shape (m,).

    Returns:
        Matrix, shape (m, n).
    """
    knots, targets = np.asarray(nodes, dtype=np.float64), np.asarray(points, dtype=np.float64)
    gaps = targets[:, None] - knots[None, :]
    hits = gaps == 0
    terms = barycentric_weights(knots) / np.where(hits, 1.0, gaps)
    matrix = terms / np.sum(terms, axis=1, keepdims=True)
    return np.where(np.any(hits, axis=1, keepdims=True), hits.astype(np.float64), matrix)
