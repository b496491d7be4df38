"""Dense linear algebra of damped Gauss-Newton steps on the host: the one place where normal equations are solved.

NumPy and SciPy are used because LAPACK on the host is about twice as fast as XLA on the CPU, and because several
damping values share one Gram matrix.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from jaxtyping import Float

RELATIVE_DAMPING_FLOOR = 1e-12
"""Below this damping, relative to the trace of JᵀJ, Cholesky loses its digits to the squared condition number."""


def cholesky_steps(
    matrix: Float[np.ndarray, "P P"],
    gradient: Float[np.ndarray, " P"],
    scaling: Float[np.ndarray, " P"],
    dampings: Float[np.ndarray, " K"],
) -> Float[np.ndarray, "K P"]:
    """Solve `(JᵀJ + λ diag(scaling)) δ = -Jᵀr` for several λ by Cholesky factorisation.

    Args:
        matrix: JᵀJ.
        gradient: Jᵀr.
        scaling: positive weights of the trust region, ones for a sphere.
        dampings: the values of λ.

    Returns:
        One step a row; NaN where the damped matrix is not positive definite in floating point.
    """
    steps = np.full((len(dampings), len(gradient)), np.nan)
    for row, damping in enumerate(dampings):
        damped = matrix + np.diag(damping * scaling)
        try:
            factor = scipy.linalg.cho_factor(damped, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        steps[row] = -scipy.linalg.cho_solve(factor, gradient, check_finite=False)
    return steps


def dual_steps(
    rows: Float[np.ndarray, " R"],
    jacobian: Float[np.ndarray, "R P"],
    scaling: Float[np.ndarray, " P"],
    dampings: Float[np.ndarray, " K"],
) -> Float[np.ndarray, "K P"]:
    """The same steps from equations in rows, for fewer rows than weights.

    `δ = -S Jᵀ (J S Jᵀ + λ)⁻¹ r` with `S = diag(scaling)⁻¹`.

    Args:
        rows: r.
        jacobian: J.
        scaling: positive weights of the trust region.
        dampings: the values of λ.

    Returns:
        One step a row; NaN where the damped matrix is not positive definite in floating point.
    """
    scaled = jacobian / np.sqrt(scaling)
    small = cholesky_steps(scaled @ scaled.T, rows, np.ones(len(rows)), dampings)
    return (small @ scaled) / np.sqrt(scaling)


def singular_value_steps(
    rows: Float[np.ndarray, " R"],
    jacobian: Float[np.ndarray, "R P"],
    scaling: Float[np.ndarray, " P"],
    dampings: Float[np.ndarray, " K"],
) -> Float[np.ndarray, "K P"]:
    """The same steps from the singular values of J, which keeps the digits that forming JᵀJ loses.

    With `J diag(scaling)^(-1/2) = Q R`, `R = U S Vᵀ`: `δ = -diag(scaling)^(-1/2) V S (S² + λ)⁻¹ Uᵀ Qᵀ r`, one
    factorisation for every λ. Singular values below `eps max(R, P) S₀` count as zero.

    Args:
        rows: r.
        jacobian: J.
        scaling: positive weights of the trust region.
        dampings: the values of λ.
    """
    root = np.sqrt(scaling)
    triangle = np.asarray(np.linalg.qr(np.column_stack([jacobian / root, rows]), mode="r"))
    left, singular, right = scipy.linalg.svd(triangle[:, :-1], full_matrices=False, check_finite=False)
    projected = left.T @ triangle[:, -1]
    kept = singular > np.finfo(float).eps * max(jacobian.shape) * singular[0]
    inverse = np.where(kept, singular / (singular**2 + np.asarray(dampings)[:, None]), 0.0)
    return -((inverse * projected) @ right) / root
