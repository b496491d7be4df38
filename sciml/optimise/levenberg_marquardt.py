"""Levenberg-Marquardt: damped Gauss-Newton steps in a trust region, several damping values tried on one Gram matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import final

import jax
import numpy as np

from sciml.errors import OptionError
from sciml.optimise.blocks import CHUNK_BYTES, LeastSquares, losses
from sciml.optimise.linearisation import AbstractLinearisation, bending, linearise
from sciml.optimise.optimiser import AbstractIterativeOptimiser, check_positive
from sciml.optimise.sharding import all_devices, sharded_losses
from sciml.results import RESULTS
from sciml.training import Iterate

CANDIDATES = np.array([1 / 30, 1 / 4, 1.0, 8.0])
"""Factors on the damping which are tried together; measured best on physics-informed networks among a few sets."""

REJECTION_FACTOR = 16.0
SMALLEST_DAMPING, LARGEST_DAMPING = 1e-20, 1e10
LARGEST_BEND = 0.75
"""Largest length of the second-order correction, relative to the step, at which the expansion is believed."""


@final
@partial(jax.tree_util.register_dataclass, data_fields=["damping", "slow_steps"], meta_fields=[])
@dataclass(frozen=True)
class TrustRegion:
    """What is remembered between steps: λ, and how many steps in a row were slow."""

    damping: float
    slow_steps: int = 0


@final
class LevenbergMarquardt(AbstractIterativeOptimiser):
    """Minimise `1/2 |r(w)|²` by steps `(JᵀJ + λ D) δ = -Jᵀr`, keeping the best of several λ at the same points.

    D is a power p of the diagonal of JᵀJ with the dimension of JᵀJ, so that λ is a pure number: p = 0 is Levenberg's
    sphere, p = 1 Marquardt's scaling, which no change of units affects. In between, p = 1/2 left two to four times less
    error on physics-informed networks than either at equal steps.

    Every step forms JᵀJ once from the exact Jacobian (double precision), or JJᵀ where there are fewer rows than
    weights, solves for the dampings `λ {1/30, 1/4, 1, 8}` and keeps the weights of the smallest loss with their λ; when
    none improves, λ grows sixteenfold. Below a relative damping of 1e-12 the step is taken from the singular values of
    J. Cost per step with R rows and P weights: `R P² + 4/3 P³` flops, memory `P²` and one chunk of rows. Sensible up to
    a few thousand weights.

    References: J. J. Moré, "The Levenberg-Marquardt algorithm: implementation and theory" (1978),
        doi:10.1007/BFb0067700; M. K. Transtrum, J. P. Sethna, "Improvements to the Levenberg-Marquardt algorithm for
        nonlinear least-squares minimization" (2012), arXiv:1201.5885.

    Args:
        max_steps: steps after which the iteration ends.
        tolerance: the root mean square of the scaled residual at which the iteration has succeeded; measured on fresh
            points where points are redrawn.
        gradient_tolerance: largest cosine between the residual and a column of J at which the weights count as
            stationary.
        step_tolerance: relative loss decrease that counts as slow progress.
        patience: slow steps in a row after which the iteration has stagnated.
        initial_damping: first λ.
        scaling_exponent: p, from 0 to 1.
        geodesic: whether the second derivative of the residual along the step corrects it, where that pays.
        sharded: whether points are spread over all devices of all processes; with `jax.distributed` every process runs
            the same program. Singular values and equations in rows stay on one device.
        chunk_bytes: memory that the Jacobian of one chunk of points may take, on each device.
    """

    max_steps: int = 1000
    tolerance: float = 1e-10
    gradient_tolerance: float = 1e-9
    step_tolerance: float = 1e-9
    patience: int = 5
    initial_damping: float = 1e-2
    scaling_exponent: float = 0.5
    geodesic: bool = False
    sharded: bool = False
    chunk_bytes: int = CHUNK_BYTES

    def __check_init__(self) -> None:
        check_positive(
            max_steps=self.max_steps,
            patience=self.patience,
            initial_damping=self.initial_damping,
            chunk_bytes=self.chunk_bytes,
        )
        if not 0 <= self.scaling_exponent <= 1:
            raise OptionError(f"scaling_exponent={self.scaling_exponent}", "a number from 0 to 1", "leave the default")

    def init(self, problem: LeastSquares, flat: np.ndarray) -> Iterate:
        """The iterate at the initial weights, before any step."""
        flat = np.asarray(flat)
        return Iterate(flat, self._losses(problem, flat[None])[0], memory=TrustRegion(self.initial_damping))

    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """One linearisation and as many damped solves as it takes to decrease the loss."""
        linear = linearise(problem, iterate.flat, self.chunk_bytes, all_devices() if self.sharded else None)
        region: TrustRegion = iterate.memory
        diagnostics = {"damping": region.damping, "gradient_cosine": linear.gradient_cosine}
        if linear.gradient_cosine <= self.gradient_tolerance:
            return replace(iterate, memory=region, diagnostics=diagnostics, result=RESULTS.successful)
        scaling = self._scaling(linear)
        while region.damping <= LARGEST_DAMPING:
            dampings = region.damping * CANDIDATES
            steps = linear.steps(scaling, dampings)
            values = self._losses(problem, iterate.flat + steps)
            totals = _totals(values)
            best = int(np.argmin(totals))
            if totals[best] < linear.loss:
                region = replace(region, damping=max(float(dampings[best]), SMALLEST_DAMPING))
                step, value = steps[best], values[best]
                if self.geodesic:
                    step, value = self._bent(problem, iterate.flat, linear, scaling, region.damping, step, value)
                return self._accept(iterate, iterate.flat + step, value, region, diagnostics)
            region = replace(region, damping=REJECTION_FACTOR * region.damping)
        region = TrustRegion(self.initial_damping)
        return replace(iterate, memory=region, diagnostics=diagnostics, result=RESULTS.stagnated)

    def restart(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """The same weights on other points; the damping is kept."""
        values = self._losses(problem, iterate.flat[None])[0]
        return replace(iterate, losses=values, memory=replace(iterate.memory, slow_steps=0), result=None)

    def recover(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """More damping after a step that left the finite numbers."""
        region = replace(iterate.memory, damping=REJECTION_FACTOR * iterate.memory.damping)
        return replace(iterate, memory=region, result=None)

    def _losses(self, problem: LeastSquares, flats: np.ndarray) -> np.ndarray:
        if self.sharded:
            return sharded_losses(problem, flats, all_devices(), self.chunk_bytes)
        return losses(problem, flats)

    def _scaling(self, linear: AbstractLinearisation) -> np.ndarray:
        floored = np.maximum(linear.diagonal, np.finfo(float).eps * linear.diagonal.max())
        return floored**self.scaling_exponent * floored.mean() ** (1 - self.scaling_exponent)

    def _bent(
        self,
        problem: LeastSquares,
        flat: np.ndarray,
        linear: AbstractLinearisation,
        scaling: np.ndarray,
        damping: float,
        step: np.ndarray,
        value: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The step and its losses, with half the acceleration of a geodesic where it is short and pays."""
        correction = linear.steps(scaling, np.array([damping]), bending(problem, flat, step))[0] / 2
        if not np.linalg.norm(np.sqrt(scaling) * correction) <= LARGEST_BEND / 2 * np.linalg.norm(
            np.sqrt(scaling) * step
        ):
            return step, value
        bent = self._losses(problem, (flat + step + correction)[None])
        return (step + correction, bent[0]) if _totals(bent)[0] < value.sum() else (step, value)

    def _accept(
        self, iterate: Iterate, flat: np.ndarray, values: np.ndarray, region: TrustRegion, diagnostics: dict[str, float]
    ) -> Iterate:
        decrease = 1 - values.sum() / iterate.loss
        region = replace(region, slow_steps=region.slow_steps + 1 if decrease < self.step_tolerance else 0)
        return Iterate(
            flat=flat,
            losses=values,
            steps=iterate.steps + 1,
            memory=region,
            diagnostics={**diagnostics, "step_norm": float(np.linalg.norm(flat - iterate.flat))},
            result=RESULTS.stagnated if region.slow_steps >= self.patience else None,
        )


def _totals(values: np.ndarray) -> np.ndarray:
    """The loss of each candidate; infinite where it is not finite."""
    return np.where(np.isfinite(values).all(axis=1), values.sum(axis=1), np.inf)
