"""Variable projection: models that are linear in some of their weights are fitted over the others alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from sciml.optimise.blocks import CHUNK_BYTES, LeastSquares, ResidualBlock, jacobian_rows, losses
from sciml.optimise.levenberg_marquardt import CANDIDATES, LARGEST_DAMPING, REJECTION_FACTOR, TrustRegion
from sciml.optimise.optimiser import AbstractIterativeOptimiser, check_positive
from sciml.results import RESULTS
from sciml.training import Iterate


@final
class HeldWeights(eqx.Module):
    """A residual as a function of its linear weights alone; the others travel with the arguments."""

    residual: Callable[[PyTree, PyTree, PyTree], Array]

    def __call__(self, linear: PyTree, point: PyTree, args: tuple[PyTree, PyTree]) -> Array:
        held, own = args
        return self.residual(eqx.combine(linear, held), point, own)


def every_weight(weights: PyTree) -> PyTree:
    """All leaves are linear: one solve."""
    return jax.tree.map(lambda _: True, weights)


def regularised_solution(
    matrix: Float[np.ndarray, "R P"], rows: Float[np.ndarray, " R"], tikhonov: float
) -> Float[np.ndarray, " P"]:
    r"""The minimiser of $|Ax + r|^2 + \epsilon^2 s_0^2 |x|^2$ by QR and the singular values of R."""
    triangle = np.asarray(np.linalg.qr(np.column_stack([matrix, rows]), mode="r"))
    left, singular, right = scipy.linalg.svd(triangle[:, :-1], full_matrices=False, check_finite=False)
    filtered = singular / (singular**2 + (tikhonov * max(singular[0], np.finfo(float).tiny)) ** 2)
    return -right.T @ (filtered * (left.T @ triangle[:, -1]))


@final
class VariableProjection(AbstractIterativeOptimiser):
    r"""Minimise $\tfrac12|r(a, c)|^2$ where c enters linearly: Kaufman's steps in a, then the best c.

    With $J = [A\;D]$, columns of c and of a, one QR factorisation gives $R_{11}, R_{12}, R_{22}$; the damped step
    $\delta a$ comes from the singular values of $R_{22}$, for several dampings at once, and each candidate is judged
    after its linear weights are solved for anew, with Tikhonov regularisation relative to the largest singular value.
    Where the residual is not linear in c the solve for c is a Gauss-Newton step, kept only where it pays.

    References: G. H. Golub, V. Pereyra (1973), doi:10.1137/0710036; L. Kaufman (1975), doi:10.1007/BF01932995.

    Args:
        linear: `weights -> pytree of truth values` of the same structure: which leaves are linear; all of them if
            left out.
        max_steps: steps after which the iteration ends.
        tolerance: root mean square of the scaled residual at which it has succeeded.
        step_tolerance: relative decrease of the loss that counts as slow progress.
        patience: slow steps in a row after which the iteration has stagnated.
        initial_damping: first λ, relative to the squared largest singular value of $R_{22}$.
        tikhonov: ε.
        chunk_bytes: memory that the Jacobian of one chunk of points may take.
    """

    linear: Callable[[PyTree], PyTree] = eqx.field(static=True, default=every_weight)
    max_steps: int = 100
    tolerance: float = 1e-10
    step_tolerance: float = 1e-3
    patience: int = 5
    initial_damping: float = 1e-2
    tikhonov: float = 1e-13
    chunk_bytes: int = CHUNK_BYTES

    def __check_init__(self) -> None:
        check_positive(
            max_steps=self.max_steps,
            patience=self.patience,
            initial_damping=self.initial_damping,
            tikhonov=self.tikhonov,
            chunk_bytes=self.chunk_bytes,
        )

    def init(self, problem: LeastSquares, flat: np.ndarray) -> Iterate:
        """The best linear weights for the initial others."""
        projected, values = self._project(problem, np.asarray(flat))
        return Iterate(projected, values, memory=TrustRegion(self.initial_damping))

    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """One factorisation of the full Jacobian, and as many damped candidates as it takes to improve."""
        rows, jacobian = jacobian_rows(problem, iterate.flat, self.chunk_bytes)
        mask = self._mask(problem)
        count = int(mask.sum())
        triangle = np.asarray(np.linalg.qr(np.column_stack([jacobian[:, mask], jacobian[:, ~mask], rows]), mode="r"))
        below, target = triangle[count:, count:-1], triangle[count:, -1]
        left, singular, right = scipy.linalg.svd(below, full_matrices=False, check_finite=False)
        projected, unit = left.T @ target, max(float(singular[0]) if singular.size else 0.0, 1e-300)
        region: TrustRegion = iterate.memory
        while region.damping <= LARGEST_DAMPING and singular.size:
            best: tuple[float, np.ndarray, np.ndarray, float] | None = None
            for damping in region.damping * CANDIDATES:
                change = -right.T @ (singular / (singular**2 + damping * unit**2) * projected)
                trial = iterate.flat.copy()
                trial[~mask] += change
                trial, values = self._project(problem, trial)
                total = float(values.sum())
                if np.isfinite(total) and (best is None or total < best[0]):
                    best = (total, trial, values, float(damping))
            if best is not None and best[0] < iterate.loss:
                return self._accept(iterate, best[1], best[2], replace(region, damping=max(best[3], 1e-20)))
            region = replace(region, damping=REJECTION_FACTOR * region.damping)
        return replace(iterate, memory=TrustRegion(self.initial_damping), result=RESULTS.stagnated)

    def restart(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """The same weights on other points."""
        values = losses(problem, iterate.flat[None])[0]
        return replace(iterate, losses=values, memory=replace(iterate.memory, slow_steps=0), result=None)

    def recover(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """More damping after a step that left the finite numbers."""
        region = replace(iterate.memory, damping=REJECTION_FACTOR * iterate.memory.damping)
        return replace(iterate, memory=region, result=None)

    def _accept(self, iterate: Iterate, flat: np.ndarray, values: np.ndarray, region: TrustRegion) -> Iterate:
        slow = 1 - values.sum() / iterate.loss < self.step_tolerance
        region = replace(region, slow_steps=region.slow_steps + 1 if slow else 0)
        ended = RESULTS.stagnated if region.slow_steps >= self.patience else None
        return Iterate(flat, values, iterate.steps + 1, region, {"damping": region.damping}, ended)

    def _mask(self, problem: LeastSquares) -> np.ndarray:
        truth = self.linear(problem.template)
        full = jax.tree.map(lambda leaf, is_linear: jnp.full(leaf.shape, float(is_linear)), problem.template, truth)
        return np.asarray(ravel_pytree(full)[0]) > 0

    def _project(self, problem: LeastSquares, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The weights with the linear ones solved for, where that lowers the loss, and the losses of the blocks."""
        weights = problem.unflatten(flat)
        linear, held = eqx.partition(weights, self.linear(weights))
        blocks = [_with_residual(block, HeldWeights(block.residual)) for block in problem.blocks]
        restricted = LeastSquares(linear, blocks, (held, problem.args))
        start = restricted.flatten(linear)
        rows, matrix = jacobian_rows(restricted, start, self.chunk_bytes)
        if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(rows))):
            return flat, np.full(len(problem.blocks), np.inf)
        solved = flat.copy()
        solved[self._mask(problem)] = start + regularised_solution(matrix, rows, self.tikhonov)
        values = losses(problem, np.stack([flat, solved]))
        best = int(np.argmin(np.where(np.isfinite(values).all(axis=1), values.sum(axis=1), np.inf)))
        return (flat, solved)[best], values[best]


def _with_residual(block: ResidualBlock, residual: Any) -> ResidualBlock:
    return ResidualBlock(block.name, residual, block.points, block.scale, block.weight)
