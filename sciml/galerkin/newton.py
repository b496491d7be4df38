r"""Damped Newton steps on the tested residual, each solved by fast diagonalisation, or by GMRES preconditioned with it.

The linearised operator is read on the nodes like any other; where its coefficients do not separate, its mean
coefficients give the preconditioner. Sizes are measured after preconditioning, $|P^{-1}r|$, an estimate of the error.
Source: Deuflhard, Newton Methods for Nonlinear Problems (2004), natural monotonicity test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from sciml.expr.nodes import Scalar
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.inverse import WELL_CONDITIONED, SeparableInverse
from sciml.galerkin.linearised import linearised_operator
from sciml.galerkin.separable import IDENTITY, KroneckerOperator, averaged
from sciml.results import RESULTS
from sciml.solver import Run

_SINGULAR = 1e-14
_LEAST_DAMPING = 1 / 512
_ROUND_OFF = 1e-6
_MOST_PRODUCTS = 150
_FORCING, _LARGEST_FORCING = 1e-6, 0.1
"""Residuals of GMRES relative to its right-hand side."""
_VANISHING = 1e-12
"""Mean coefficient, relative to the largest, that is round-off: as of a flow that turns."""


@final
@dataclass(frozen=True, eq=False)
class NewtonOutcome:
    """Coefficients where the iteration ended, how, and after how many steps."""

    coefficients: np.ndarray
    result: RESULTS
    iterations: int


Inverter = Callable[[Discretisation, KroneckerOperator], tuple[SeparableInverse | None, bool]]
"""An inverse of a linearised operator, or None, and whether it is exact."""


def fast_inverse(
    discrete: Discretisation, operator: KroneckerOperator, limit: float = WELL_CONDITIONED
) -> tuple[SeparableInverse | None, bool]:
    """An inverse of a linearised operator, and whether it is exact; averaged coefficients where it cannot be."""
    inverse = discrete.invert(operator, limit)
    if inverse is not None:
        return inverse, operator.exact
    simpler = averaged(operator)
    inverse = discrete.invert(simpler, limit)
    if inverse is None:
        pure = {k: c for k, c in simpler.terms.items() if sum(f != IDENTITY for f in k) <= 1}
        inverse = discrete.invert(KroneckerOperator(pure, False), limit)
    return inverse, False


def leading_inverse(discrete: Discretisation, operator: KroneckerOperator) -> tuple[SeparableInverse | None, bool]:
    """An inverse of the highest derivatives of each axis and the undifferentiated part, coefficients averaged.

    Cheaper than `fast_inverse` where an equation is solved many times: an axis is diagonalised once for all.
    """
    simpler = averaged(operator).terms
    largest = max(map(abs, simpler.values()))
    kept = {}
    for key, c in simpler.items():
        if abs(c) <= _VANISHING * largest:
            continue
        axes = [k for k, f in enumerate(key) if f != IDENTITY]
        highest = len(axes) == 1 and key[axes[0]].order == discrete.spaces[axes[0]].order
        if highest or not axes:
            kept[key] = c
    return discrete.invert(KroneckerOperator(kept, False)), operator.exact and kept.keys() == operator.terms.keys()


def newton(
    discrete: Discretisation,
    start: np.ndarray,
    *,
    rtol: float,
    most_steps: int,
    run: Run,
    invert: Inverter = fast_inverse,
) -> NewtonOutcome:
    """Solve the discrete problem from coefficients that meet the conditions.

    Args:
        discrete: the discrete problem.
        start: first coefficients C.
        rtol: size, relative to C, of the correction that would come next, at which the iteration ends.
        most_steps: bound on Newton steps.
        run: its budget is heeded between products with the Jacobian, its callback between steps.
        invert: makes the exact inverse or the preconditioner of a linearised operator.
    """
    C, before = start, np.inf
    for step in range(1, most_steps + 1):
        slopes = slopes_at(discrete, C)
        inverse, exact = invert(discrete, discrete.read_values(slopes))
        if inverse is None or inverse.smallest < _SINGULAR:
            return NewtonOutcome(C, RESULTS.linear_solve_failed, step)
        target = inverse(-discrete.test(discrete.residual(C)))
        if not np.all(np.isfinite(target)):
            return NewtonOutcome(C, RESULTS.nonfinite, step)
        forcing = _forcing(rtol, C, target)
        try:
            correction, left = (target, 1.0) if exact else _krylov(discrete, slopes, inverse, target, forcing, run)
        except _OutOfTimeError:
            return NewtonOutcome(C, RESULTS.budget_exhausted, step)
        damping, C = _damped(discrete, inverse, C, discrete.extend(correction), float(np.linalg.norm(target)))
        if damping == 0:
            return NewtonOutcome(C, RESULTS.stagnated, step)
        size = float(np.linalg.norm(correction) / max(np.linalg.norm(C), np.finfo(float).tiny))
        shrinking = min(size / before, 1.0) if step > 1 else 1.0
        shrinking = left if discrete.statement.parts.is_linear else shrinking
        if damping == 1 and (shrinking * size <= rtol or (size <= _ROUND_OFF and size > before / 4)):
            return NewtonOutcome(C, RESULTS.successful, step)
        before = size
        if run.is_over:
            return NewtonOutcome(C, RESULTS.budget_exhausted, step)
        if run.callback is not None and run.callback(C):
            return NewtonOutcome(C, RESULTS.interrupted, step)
    return NewtonOutcome(C, RESULTS.max_steps_reached, most_steps)


def _forcing(rtol: float, C: np.ndarray, target: np.ndarray) -> float:
    """How far GMRES goes: half the digits of the answer, so that two steps do, but no more than are missing."""
    missing = rtol * float(np.linalg.norm(C) / max(np.linalg.norm(target), np.finfo(float).tiny)) / 2
    return float(np.clip(missing, max(_FORCING, np.sqrt(rtol)), _LARGEST_FORCING))


def slopes_at(discrete: Discretisation, C: np.ndarray) -> dict[Scalar, np.ndarray]:
    """Derivative of the residual with respect to each unknown atom, on the nodes."""
    statement = discrete.statement
    jets = discrete.jets(C, statement.unknown_atoms)
    values = statement.evaluate(tuple(statement.slopes.values()), discrete.nodes, jets)
    return dict(zip(statement.slopes, values, strict=True))


def tangent(discrete: Discretisation, slopes: dict[Scalar, np.ndarray]) -> Callable[[np.ndarray], np.ndarray] | None:
    r"""How a solution changes, to first order, when the data of its conditions do; None if that is singular.

    With D the change of the lift the change of C is $D + Nz$, $F'(u)(D + Nz) = 0$.

    Args:
        discrete: the discrete problem.
        slopes: derivative of the residual with respect to each unknown atom at the solution, on the nodes.
    """
    inverse, exact = fast_inverse(discrete, discrete.read_values(slopes))
    if inverse is None or inverse.smallest < _SINGULAR:
        return None

    def change(lift: np.ndarray) -> np.ndarray:
        jets = discrete.jets(lift, tuple(slopes))
        target = inverse(-discrete.test(discrete.on_grid(np.asarray(sum(s * jets[a] for a, s in slopes.items())))))
        return lift + discrete.extend(target if exact else _krylov(discrete, slopes, inverse, target, _FORCING)[0])

    return change


class _OutOfTimeError(Exception):
    """The budget was used up inside a linear solve."""


def _krylov(
    discrete: Discretisation,
    slopes: dict[Scalar, np.ndarray],
    inverse: SeparableInverse,
    target: np.ndarray,
    forcing: float,
    run: Run | None = None,
) -> tuple[np.ndarray, float]:
    """GMRES on $P^{-1}F'(u)\\,\\delta = $ target, and the residual that it reached; 1 if not the one asked for."""
    tangent_operator = linearised_operator(discrete, slopes)

    def product(z: np.ndarray) -> np.ndarray:
        if run is not None and run.is_over:
            raise _OutOfTimeError
        return inverse(tangent_operator(z.reshape(target.shape))).ravel()

    shape = (target.size, target.size)
    operator = LinearOperator(shape, matvec=product, dtype=np.float64)  # pyright: ignore[reportCallIssue]
    solution, failed = gmres(operator, target.ravel(), rtol=forcing, restart=_MOST_PRODUCTS, maxiter=1)
    return solution.reshape(target.shape), 1.0 if failed else forcing


def _damped(
    discrete: Discretisation, inverse: Callable[[np.ndarray], np.ndarray], C: np.ndarray, step: np.ndarray, size: float
) -> tuple[float, np.ndarray]:
    """The longest of the steps 1, 1/2, 1/4 … that lowers the preconditioned residual; 0 if none does."""
    floor = _ROUND_OFF * max(np.linalg.norm(C), np.linalg.norm(step))
    damping = 1.0
    while damping >= _LEAST_DAMPING:
        moved = C + damping * step
        length = np.linalg.norm(inverse(-discrete.test(discrete.residual(moved))))
        if np.isfinite(length) and (length <= (1 - damping / 4) * size or length <= floor):
            return damping, moved
        damping /= 2
    return 0.0, C
