r"""Causal training: equations count at a time once they hold before it.

The importance of a point in time interval i is $w_i = e^{-\epsilon\sum_{j<i} L_j}$ with $L_j$ the mean square of the
residual, in its natural scale, in interval j. It is fixed whenever points are redrawn, so that between redraws the
problem stays one of least squares.

Source: S. Wang, S. Sankaran, P. Perdikaris, "Respecting causality is all you need for training physics-informed neural
networks" (2022), arXiv:2203.07404.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from sciml.optimise import ResidualBlock
from sciml.strong_form.formulation import Formulation
from sciml.strong_form.residuals import residuals_at

_INTERVALS = 32


@final
@dataclass(frozen=True)
class CausalDraw:
    """A way to draw blocks, followed by the importance of each point of the equations.

    Attributes:
        draw: `(key, weights) -> blocks`, the block of the equations first.
        formulation: the problem as least squares.
        sharpness: ε.
    """

    draw: Callable[[Array, PyTree], Sequence[ResidualBlock]]
    formulation: Formulation
    sharpness: float

    def __call__(self, key: Array, weights: PyTree) -> tuple[ResidualBlock, ...]:
        equation, *others = self.draw(key, weights)
        points, _ = equation.points
        (values,) = residuals_at((equation.residual.residual,), weights, (points,), self.formulation.numbers)
        squares = np.mean(np.square(np.asarray(values) / self.formulation.equation_scales), axis=1)
        time = self.formulation.problem.time
        assert time is not None  # `check` has seen to it
        interval = self.formulation.problem.domain.bounds[time.name]
        importance = causal_importance(np.asarray(points[time.name]), squares, interval, self.sharpness)
        return (eqx.tree_at(lambda b: b.points[1], equation, jnp.asarray(importance)), *others)


def causal_importance(
    times: np.ndarray, squares: np.ndarray, bounds: tuple[float, float], sharpness: float
) -> np.ndarray:
    """Factors of the residuals, $\\sqrt{w_i}$, from times and squared residuals of points, both `(n,)`."""
    lower, upper = bounds
    interval = np.clip((_INTERVALS * (times - lower) / (upper - lower)).astype(int), 0, _INTERVALS - 1)
    counts = np.bincount(interval, minlength=_INTERVALS)
    means = np.bincount(interval, weights=squares, minlength=_INTERVALS) / np.maximum(counts, 1)
    before = np.concatenate([[0.0], np.cumsum(means)[:-1]])
    return np.exp(-0.5 * sharpness * before)[interval]
