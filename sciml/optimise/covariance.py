"""Sampling covariance of what was fitted: standard errors of unknown parameters and of any function of the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float, PyTree

from sciml.errors import OptionError
from sciml.optimise.blocks import LeastSquares, ResidualBlock, block_gram

UNIDENTIFIED = 1e-6
"""Largest fraction of the squared gradient of an identified quantity that may lie in the null space of J."""


@final
@dataclass(frozen=True)
class Covariance:
    """The linearised sampling distribution of q(ŵ).

    Args:
        estimate: q(ŵ), shape (k,).
        matrix: covariance of q(ŵ), shape (k, k); infinite on the diagonal where the data do not determine q.
        noise: standard deviation of the noise of each noisy block, in the units of its residual.
        degrees_of_freedom: weights which the noisy rows determine, tr(J_d G⁻¹ J_dᵀ).
    """

    estimate: Float[np.ndarray, " k"]
    matrix: Float[np.ndarray, "k k"]
    noise: Mapping[str, float]
    degrees_of_freedom: float

    @property
    def standard_errors(self) -> Float[np.ndarray, " k"]:
        """Square roots of the diagonal."""
        return np.sqrt(np.diag(self.matrix))


def covariance(
    problem: LeastSquares,
    weights: PyTree,
    quantity: Callable[[PyTree], PyTree],
    noise: Mapping[str, float | None],
) -> Covariance:
    """Covariance of q(ŵ) where ŵ minimises `1/2 |r|²` and only the blocks in `noise` carry noise.

    With G = JᵀJ, noisy rows J_d of variance v_d and F = ∂q/∂w, the linearised estimator has

        cov q(ŵ) = F G⁻¹ (Σ_d v_d J_dᵀ J_d) G⁻¹ Fᵀ,

    marginal over all other weights: the rows of G⁻¹ which F picks are those of the inverse Schur complement. Where
    every row is noisy with one variance this is the textbook σ² F (JᵀJ)⁻¹ Fᵀ; where equations are rows without noise
    it is the variance under the equations as constraints, whatever weights the blocks were trained with. The noise
    variance of a block with N points is (weight σ / scale)² / N for a known σ, else estimated by |r_d|² / (n_d -
    tr(J_d G⁻¹ J_dᵀ)). G is equilibrated, and inverted on its eigenvectors above rounding: weights that no
    row sees do no harm, and a quantity that depends on them gets an infinite standard error.

    Args:
        problem: the objective at the points of the fit.
        weights: the minimiser.
        quantity: q, a function of the weights with real values, e.g. `lambda w: w.parameters`.
        noise: standard deviation of each noisy block by name, in the units of its residual; None estimates it.

    Raises:
        OptionError: a name that is no block, or no noisy block at all.

    Reference: G. A. F. Seber, C. J. Wild, "Nonlinear Regression" (1989), chapter 2, doi:10.1002/0471725315.
    """
    unknown = sorted(set(noise) - set(problem.names))
    if unknown or not noise:
        raise OptionError(
            f"noise for {unknown or 'no block'}",
            f"at least one of the blocks {list(problem.names)}",
            "name the blocks of the observations",
        )
    flat = problem.flatten(weights)
    quantities = lambda w: ravel_pytree(quantity(problem.unflatten(w)))[0]  # noqa: E731
    estimate = np.asarray(quantities(jnp.asarray(flat)))
    gradient = np.asarray(jax.jacrev(quantities)(jnp.asarray(flat)))
    parts = [block_gram(problem, index, flat) for index in range(len(problem.blocks))]
    spectrum = _Spectrum.of(sum((part.matrix for part in parts[1:]), parts[0].matrix))
    root = spectrum.root
    response = root @ (root.T @ gradient.T)
    spread, sigmas, freedom = np.zeros((len(estimate), len(estimate))), {}, 0.0
    for block, width, part in zip(problem.blocks, problem.widths, parts, strict=True):
        if block.name not in noise:
            continue
        leverage = float(np.sum(root * (part.matrix @ root)))
        unit = _row_deviation_of_unit_noise(block)
        sigma = noise[block.name]
        if sigma is None:
            rows = block.num_points * width
            sigma = np.sqrt(2 * part.loss / max(rows - leverage, 1.0)) / unit
        spread += (sigma * unit) ** 2 * response.T @ part.matrix @ response
        sigmas[block.name], freedom = float(sigma), freedom + leverage
    spread[np.diag_indices_from(spread)] += np.where(spectrum.does_not_see(gradient), np.inf, 0.0)
    return Covariance(estimate, spread, sigmas, freedom)


@final
@dataclass(frozen=True)
class _Spectrum:
    """Eigenvectors of the equilibrated Gram matrix in the original weights, and which of them stand above rounding."""

    values: Float[np.ndarray, " P"]
    basis: Float[np.ndarray, "P P"]
    kept: np.ndarray

    @classmethod
    def of(cls, matrix: Float[np.ndarray, "P P"]) -> _Spectrum:
        diagonal = matrix.diagonal()
        root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        values, vectors = np.linalg.eigh(matrix / np.outer(root, root))
        kept = values > len(values) * np.finfo(float).eps * values[-1]
        return cls(values, vectors / root[:, None], kept)

    @property
    def root(self) -> Float[np.ndarray, "P kept"]:
        """B with B Bᵀ the pseudo-inverse."""
        return self.basis[:, self.kept] / np.sqrt(self.values[self.kept])

    def does_not_see(self, gradient: Float[np.ndarray, "k P"]) -> np.ndarray:
        """True for each quantity that changes along a direction below rounding."""
        components = (gradient @ self.basis) ** 2
        return components[:, ~self.kept].sum(axis=1) > UNIDENTIFIED * components.sum(axis=1)


def _row_deviation_of_unit_noise(block: ResidualBlock) -> float:
    """Standard deviation of a row when the residual of the block has unit noise."""
    deviations = np.ravel(np.asarray(block.weight / block.scale)) / np.sqrt(block.num_points)
    if np.ptp(deviations) > 0:
        raise OptionError(
            f"components of different scales in the noisy block {block.name!r}",
            "one scale",
            "make one block of each component",
        )
    return float(deviations[0])
