"""Damped Newton iteration on the host with sparse factors, kept while they serve.

    J(z) dz = -R(z),   z <- z + s dz,   s = 1, 1/2, 1/4, … until |R| falls

Steady problems may carry functional constraints g(z) = 0 (a gauge); each brings a multiplier which is added as a
constant to one field's equation, so the bordered system stays square.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import final

import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float

from sciml.results import RESULTS
from solvers.classical.finite_difference.factors import Solve, factorise, row_weights
from solvers.classical.finite_difference.sparsity import Pattern

_SHORTEST_STEP = 2.0**-12
_ROUND_OFF_STEP = 1e-6  # a step this small that cannot lower the residual is round-off of an ill-conditioned matrix
_FAST = 1e-4  # a step that lowers the residual this much leaves its Jacobian good enough for the next
_TINY = 1e-300


@final
@dataclasses.dataclass(frozen=True, eq=False)
class SparseSystem:
    """R(z) + B mu = 0 with g(z) = 0, to be solved for z and the multipliers mu.

    Attributes:
        residual: R, jitted: array `(fields, *grid)` to the same shape.
        pattern: where dR/dz may differ from zero.
        jacobian: the entries of dR/dz on the pattern.
        constraints: g, jitted: array to `(k,)`.
        constraint_rows: dg/dz, jitted: array to `(k, fields, *grid)`.
        border: B, shape `(unknowns, k)`.
    """

    residual: Callable[[Array], Array]
    pattern: Pattern
    jacobian: Callable[[Array], np.ndarray]
    constraints: Callable[[Array], Array]
    constraint_rows: Callable[[Array], Array]
    border: Float[np.ndarray, "unknowns k"]

    def unknowns(self, z: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "fields *grid"]:
        """The grid part of the stacked unknowns (z, mu)."""
        return z[: self.pattern.size].reshape(self.pattern.colouring.shape)

    def __call__(self, z: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """The stacked residual."""
        field = np.asarray(self.residual(jnp.asarray(self.unknowns(z)))).ravel()
        rest = np.asarray(self.constraints(jnp.asarray(self.unknowns(z))))
        return np.concatenate([field + self.border @ z[self.pattern.size :], rest])

    def matrix(self, z: Float[np.ndarray, " rows"]) -> scipy.sparse.csc_matrix:
        """The bordered Jacobian."""
        at = jnp.asarray(self.unknowns(z))
        inner = self.pattern.matrix(self.jacobian(at))
        count = self.border.shape[1]
        if count == 0:
            return inner
        below = scipy.sparse.csc_matrix(np.asarray(self.constraint_rows(at)).reshape(count, -1))
        bordered = scipy.sparse.bmat([[inner, scipy.sparse.csc_matrix(self.border)], [below, None]])
        return scipy.sparse.csc_matrix(bordered)


@final
@dataclasses.dataclass(frozen=True, eq=False)
class NewtonOutcome:
    """Where the iteration ended.

    Attributes:
        z: the unknowns.
        result: how it ended.
        residuals: max-norm of the stacked residual before each step and after the last.
        factors: the last factorised Jacobian, if one was made.
    """

    z: np.ndarray
    result: RESULTS
    residuals: tuple[float, ...]
    factors: Solve | None


def newton(
    system: SparseSystem,
    start: Float[np.ndarray, "fields *grid"],
    *,
    rtol: float,
    max_steps: int,
    proceed: Callable[[int, float, np.ndarray], RESULTS | None],
) -> NewtonOutcome:
    """Solve a sparse nonlinear system.

    Args:
        system: the equations.
        start: first guess.
        rtol: the iteration ends when a full step changes z by less than rtol relative to its largest entry.
        max_steps: most Newton steps.
        proceed: called with the step's number, the residual and the values; a result it returns ends the iteration.
    """
    z = np.concatenate([np.ravel(start), np.zeros(system.border.shape[1])])
    residual, history = system(z), []
    weights, factors, keep = np.ones_like(z), None, False

    def end(result: RESULTS) -> NewtonOutcome:
        return NewtonOutcome(system.unknowns(z), result, tuple(history), factors)

    history.append(_size(residual))
    for step in range(max_steps):
        stop = proceed(step, history[-1], system.unknowns(z))
        if stop is None and not np.isfinite(history[-1]):
            stop = RESULTS.nonfinite
        if stop is not None:
            return end(stop)
        if not keep:
            matrix = system.matrix(z)
            weights = row_weights(matrix) if factors is None else weights
            factors = factorise(matrix, len(system.pattern.colouring.reach))
        change = np.full_like(z, np.nan) if factors is None else factors(-residual)
        if not np.isfinite(change).all():
            return end(RESULTS.linear_solve_failed)
        moved = _size(change) / (_size(z) + _size(change) + _TINY)
        z_next, residual_next = _search(system, z, residual, change, weights, careful=moved > rtol)
        if z_next is None:
            return end(RESULTS.successful if moved < _ROUND_OFF_STEP else RESULTS.stagnated)
        keep = np.linalg.norm(weights * residual_next) < _FAST * np.linalg.norm(weights * residual)
        z, residual = z_next, residual_next
        history.append(_size(residual))
        if moved <= rtol:
            return end(RESULTS.successful)
    return end(RESULTS.max_steps_reached)


def _search(
    system: SparseSystem, z: np.ndarray, residual: np.ndarray, change: np.ndarray, weights: np.ndarray, *, careful: bool
) -> tuple[np.ndarray | None, np.ndarray]:
    """The longest of the steps 1, 1/2, 1/4, … that lowers the weighted residual; None if none does.

    A step that is already within the tolerance is taken as it is: its residual is round-off.
    """
    length, before = 1.0, np.linalg.norm(weights * residual)
    while length > _SHORTEST_STEP:
        trial = z + length * change
        after = system(trial)
        size = np.linalg.norm(weights * after)
        if np.isfinite(size) and (not careful or size <= (1 - 1e-4 * length) * before):
            return trial, after
        length /= 2
    return None, residual


def _size(values: np.ndarray) -> float:
    return float(np.max(np.abs(values), initial=0.0))
