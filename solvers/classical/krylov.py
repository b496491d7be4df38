"""Newton's method with preconditioned Krylov solves, for systems given by their residual and its directional derivative.

Everything is measured in the preconditioned norm |P^-1 F(u)|, an estimate of the error in u itself: it is the same
whatever units the equation and condition rows are written in, and it still falls when the residual has reached round-off.
References: Knoll & Keyes, doi:10.1016/j.jcp.2003.08.010; Deuflhard, Newton Methods for Nonlinear Problems (2004).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from sciml.results import RESULTS

Array = NDArray[np.float64]

_DAMPING_LIMIT = 1 / 256
_ROUND_OFF_LEVEL = 1e-6


class NewtonOutcome(NamedTuple):
    """Where Newton's method ended.

    Args:
        values: last iterate, of the shape of the guess.
        result: successful, stagnated, nonfinite or max_steps_reached.
        error: estimate of the relative error, the size of the last correction over that of the iterate.
        iterations: Newton steps taken.
        products: directional derivatives taken.
    """

    values: Array
    result: RESULTS
    error: float
    iterations: int
    products: int


def newton_krylov(
    residual: Callable[[Array], Array],
    derivative: Callable[[Array, Array], Array],
    preconditioner: Callable[[Array], Callable[[Array], Array]],
    guess: Array,
    *,
    rtol: float,
    max_iterations: int = 40,
    max_products: int = 120,
) -> NewtonOutcome:
    """Solve F(u) = 0 by damped Newton steps, F'(u) δ = -F(u) by GMRES on P^-1 F'(u).

    A preconditioner that is the exact inverse costs one product a step. Steps are damped until the preconditioned
    residual falls (the natural monotonicity test). At round-off, corrections stop shrinking and the last one is reported.

    Args:
        residual: F.
        derivative: (u, v) -> F'(u) v.
        preconditioner: u -> (r -> P^-1 r), with P close to F'(u).
        guess: first iterate, any shape.
        rtol: relative size of the correction at which the iteration ends.
        max_iterations: bound on Newton steps.
        max_products: bound on GMRES iterations for each step.

    Returns:
        A `NewtonOutcome`.
    """
    values, products, before = np.array(guess, dtype=np.float64), 0, np.inf
    inverse = preconditioner(values)
    target = inverse(-residual(values))
    for iteration in range(1, max_iterations + 1):
        if not np.all(np.isfinite(target)):
            return NewtonOutcome(values, RESULTS.nonfinite, np.inf, iteration, products)
        step, used, solved = _linear_step(derivative, inverse, values, target, max_products)
        products += used
        damping, moved, target = _damped(residual, inverse, values, step, target)
        if damping == 0.0:
            return NewtonOutcome(values, RESULTS.stagnated, before, iteration, products)
        values = moved
        scale = max(np.linalg.norm(values), np.finfo(float).tiny)
        correction = float(np.linalg.norm(step) / scale)
        if damping == 1.0 and correction <= rtol:
            return NewtonOutcome(values, RESULTS.successful, correction, iteration, products)
        if damping == 1.0 and correction <= _ROUND_OFF_LEVEL and correction > before / 2:
            return NewtonOutcome(values, RESULTS.stagnated, correction, iteration, products)
        if not solved and correction > before / 2 and iteration > 3:
            return NewtonOutcome(values, RESULTS.stagnated, correction, iteration, products)
        before = correction
        if used > 2:
            inverse = preconditioner(values)
            target = inverse(-residual(values))
    return NewtonOutcome(values, RESULTS.max_steps_reached, before, max_iterations, products)


def _linear_step(
    derivative: Callable[[Array, Array], Array],
    inverse: Callable[[Array], Array],
    values: Array,
    target: Array,
    max_products: int,
) -> tuple[Array, int, bool]:
    """δ with P^-1 F'(u) δ = P^-1 (-F(u)); also the products used and whether GMRES met its tolerance."""
    count = 0

    def product(direction: Array) -> Array:
        nonlocal count
        count += 1
        return inverse(derivative(values, direction.reshape(values.shape))).ravel()

    operator = LinearOperator((values.size, values.size), matvec=product, dtype=np.float64)  # pyright: ignore[reportCallIssue]
    solution, failed = gmres(operator, target.ravel(), x0=None, rtol=1e-4, restart=max_products, maxiter=1)
    return solution.reshape(values.shape), count, failed == 0


def _damped(
    residual: Callable[[Array], Array], inverse: Callable[[Array], Array], values: Array, step: Array, target: Array
) -> tuple[float, Array, Array]:
    """The longest of the steps 1, 1/2, 1/4 ... that lowers the preconditioned residual, or 0 if none does."""
    size = np.linalg.norm(target)
    floor = _ROUND_OFF_LEVEL * max(np.linalg.norm(values), np.linalg.norm(step))
    damping = 1.0
    while damping >= _DAMPING_LIMIT:
        moved = values + damping * step
        new = inverse(-residual(moved))
        length = np.linalg.norm(new)
        if np.isfinite(length) and (length <= (1 - damping / 4) * size or size <= floor):
            return damping, moved, new
        damping /= 2
    return 0.0, values, target
