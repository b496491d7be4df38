"""Newton's method with preconditioned Krylov solves, for systems given by residual and directional derivative.

Everything is measured in the preconditioned norm |P^-1 F(u)|, an estimate of the error in u itself: it is the same
whatever units the equations and conditions are in, and it still falls when the residual has reached round-off.
References: Knoll & Keyes, doi:10.1016/j.jcp.2003.08.010; Deuflhard, Newton Methods for Nonlinear Problems (2004).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from sciml.results import RESULTS

Array = NDArray[np.float64]

_DAMPING_LIMIT = 1 / 256
_CONTRACTION = 0.1
_FORCING = 1e-3
_FEW_PRODUCTS = 8
_STUCK = 0.5


@final
class NewtonOutcome(NamedTuple):
    """Where Newton's method ended.

    Args:
        values: last iterate, of the shape of the guess.
        result: successful, stagnated, nonfinite or max_steps_reached.
        error: estimate of the relative error, the size of the next correction over that of the iterate.
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
    """Solve F(u) = 0 by Newton steps: first with P in place of F'(u), else F'(u) δ = -F(u) by GMRES on P^-1 F'(u).

    Where P is the exact inverse, a step costs one residual. GMRES steps are damped until the preconditioned residual
    falls (the natural monotonicity test); when no step lowers it any more it has met round-off, or the iteration fails:
    `stagnated`, with the error that was reached.

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
    values, products = np.array(guess, dtype=np.float64), 0
    inverse = preconditioner(values)
    target = inverse(-residual(values))
    for iteration in range(max_iterations + 1):
        error = _relative(target, values)
        if not np.isfinite(error):
            return NewtonOutcome(values, RESULTS.nonfinite, np.inf, iteration, products)
        if error <= rtol and iteration:
            return NewtonOutcome(values, RESULTS.successful, error, iteration, products)
        moved = values + target
        new = inverse(-residual(moved))
        if _norm(new) <= _CONTRACTION * _norm(target):
            values, target = moved, new
            continue
        step, used = _linear_step(derivative, inverse, values, target, max_products)
        products += used
        damped = _damped(residual, inverse, values, step, target)
        stuck = used >= max_products and damped is not None and _norm(damped[1]) > _STUCK * _norm(target)
        if damped is None or stuck:
            return NewtonOutcome(values, RESULTS.stagnated, error, iteration, products)
        values, target = damped
        if used > _FEW_PRODUCTS:
            inverse = preconditioner(values)
            target = inverse(-residual(values))
    return NewtonOutcome(values, RESULTS.max_steps_reached, _relative(target, values), max_iterations, products)


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array))


def _relative(correction: Array, values: Array) -> float:
    """Size of a correction over that of what it corrects; where that is zero, its own size."""
    size, scale = _norm(correction), _norm(values)
    return size / scale if scale > 0 else size


def _linear_step(
    derivative: Callable[[Array, Array], Array],
    inverse: Callable[[Array], Array],
    values: Array,
    target: Array,
    max_products: int,
) -> tuple[Array, int]:
    """δ with P^-1 F'(u) δ = P^-1 (-F(u)), and the products that it took."""
    count = 0

    def product(direction: Array) -> Array:
        nonlocal count
        count += 1
        return inverse(derivative(values, direction.reshape(values.shape))).ravel()

    operator = LinearOperator((values.size, values.size), matvec=product, dtype=np.float64)  # pyright: ignore[reportCallIssue]
    solution, _ = gmres(operator, target.ravel(), rtol=_FORCING, restart=max_products, maxiter=1)
    return solution.reshape(values.shape), count


def _damped(
    residual: Callable[[Array], Array], inverse: Callable[[Array], Array], values: Array, step: Array, target: Array
) -> tuple[Array, Array] | None:
    """Iterate and preconditioned residual after the longest step of 1, 1/2, 1/4 ... that lowers it, if any does."""
    size, damping = _norm(target), 1.0
    while damping >= _DAMPING_LIMIT:
        moved = values + damping * step
        new = inverse(-residual(moved))
        if _norm(new) <= (1 - damping / 4) * size:
            return moved, new
        damping /= 2
    return None
