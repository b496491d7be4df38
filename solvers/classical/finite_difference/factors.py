"""Factorised sparse matrices: direct where the factors stay small, incomplete with GMRES where they fill in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from jaxtyping import Float

Solve = Callable[[np.ndarray], np.ndarray]
"""A right-hand side to the solution; entries that are not finite mean failure."""

_LARGEST_DIRECT_3D = 12_000
_SINGULAR = 1e-15
_DROP = 1e-4
_FILL = 10.0
_GMRES_TOLERANCE = 1e-11
_KRYLOV_SPACE = 80
_RESTARTS = 4


def factorise(matrix: scipy.sparse.csc_matrix, axes: int) -> Solve | None:
    """Factors of the row-scaled matrix, as a function that solves with them.

    Args:
        matrix: square, of a grid function.
        axes: grid axes: in three dimensions a complete factorisation fills in, so large systems get an incomplete one
            that preconditions GMRES.

    Returns:
        The solve, or None where the matrix is singular to working precision or not finite.
    """
    if not np.isfinite(matrix.data).all():
        return None
    weights = row_weights(matrix)
    scaled = scipy.sparse.csc_matrix(scipy.sparse.diags_array(weights) @ matrix)
    if axes == 3 and weights.size > _LARGEST_DIRECT_3D:
        solve = _incomplete(scaled, weights)
        if solve is not None:
            return solve
    return _complete(scaled, weights)


def _complete(scaled: scipy.sparse.csc_matrix, weights: np.ndarray) -> Solve | None:
    try:
        factors = scipy.sparse.linalg.splu(scaled, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1)
    except RuntimeError:  # SuperLU's way to say that a pivot is exactly zero
        return None
    pivots = np.abs(factors.U.diagonal())
    if not np.isfinite(pivots).all() or pivots.min() < _SINGULAR * pivots.max():
        return None
    return lambda rhs: factors.solve(weights * rhs)


def _incomplete(scaled: scipy.sparse.csc_matrix, weights: np.ndarray) -> Solve | None:
    """GMRES with incomplete factors, or with complete ones from the first system on which it fails."""
    try:
        factors = scipy.sparse.linalg.spilu(scaled, drop_tol=_DROP, fill_factor=_FILL)
    except RuntimeError:  # a zero pivot
        return None
    preconditioner = scipy.sparse.linalg.LinearOperator(scaled.shape, factors.solve)
    fallback: list[Solve | None] = []

    def solve(rhs: np.ndarray) -> np.ndarray:
        if not fallback:
            z, info = scipy.sparse.linalg.gmres(
                scaled, weights * rhs, M=preconditioner, rtol=_GMRES_TOLERANCE, restart=_KRYLOV_SPACE, maxiter=_RESTARTS
            )
            if info == 0:
                return z
            fallback.append(_complete(scaled, weights))
        direct = fallback[0]
        return np.full_like(rhs, np.nan) if direct is None else direct(rhs)

    return solve


def row_weights(matrix: scipy.sparse.csc_matrix) -> Float[np.ndarray, " rows"]:
    """Reciprocal of the largest entry of each row, 1 for a row of zeros."""
    largest = abs(matrix).max(axis=1).toarray().ravel()
    return 1.0 / np.where(largest > 0, largest, 1.0)
