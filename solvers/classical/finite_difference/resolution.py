"""Whether a grid carries what was computed on it, judged by dropping every second value."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from solvers.classical.finite_difference.grid import Grid
from solvers.classical.finite_difference.stencils import fornberg_weights

_FRAME_WIDTH = 6


def representation_error(values: Float[np.ndarray, "unknowns *grid"], grid: Grid, order: int) -> float:
    """Largest error of interpolating every second node from the others, relative to the values and scaled to the grid.

    Interpolation of degree p - 1 on the doubled spacing errs 2^p times as much as on the grid, so the figure estimates
    how well the grid represents the field. It says nothing of errors that were made on the way.
    """
    scale = np.max(np.abs(values)) + 1e-300
    error = max(_every_second(values, k + 1, order) for k in range(len(grid.axes)))
    return float(error / scale / 2**order)


def frame_error(frames: Float[np.ndarray, "frames unknowns *grid"]) -> float:
    """The same along time, for the frames between which a solution interpolates."""
    scale = np.max(np.abs(frames)) + 1e-300
    return float(_every_second(frames, 0, _FRAME_WIDTH) / scale / 2**_FRAME_WIDTH)


def _every_second(values: np.ndarray, axis: int, width: int) -> float:
    """Largest difference at odd indices between values and the interpolant of even width through even indices."""
    values = np.moveaxis(values, axis, 0)
    half = width // 2
    weights = fornberg_weights(0.0, np.arange(-half, half) + 0.5, 0)
    even, odd = values[::2], values[1::2]
    count = len(even) - width + 1
    if count < 1:
        return float("inf")
    guess = sum(w * even[j : j + count] for j, w in enumerate(weights))
    return float(np.max(np.abs(guess - odd[half - 1 : half - 1 + count])))
