"""Truncated Fourier series of real periodic functions on boxes of one to three (or more) dimensions.

A spectrum holds the modes |k_j| <= K_j: axes but the last in FFT order (0, 1, ..., K, -K, ..., -1), the last axis only
k >= 0, because the function is real. Products are formed on a grid fine enough that the kept modes are not aliased
(Orszag's 2/3 rule, doi:10.1175/1520-0469(1971)028<1074:OTEOAI>2.0.CO;2).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sciml.errors import OptionError

_ROUND_OFF = 1e-13

Array = Any
"""A NumPy array, or a JAX array or tracer; functions answer with the same kind."""


def _library(array: Array) -> ModuleType:
    """NumPy for its own arrays: outside a trace it has nothing to compile."""
    return jnp if isinstance(array, jax.Array) else np


def cutoff(points: int, *, dealias: bool) -> int:
    """Highest kept mode K on a grid of `points`: below n/3 by the 2/3 rule, below n/2 without it."""
    if points < 4:
        raise OptionError(f"{points} grid points on a periodic axis", "at least 4", "raise the resolution")
    return (points - 1) // (3 if dealias else 2)


def mode_numbers(cutoffs: Sequence[int]) -> tuple[NDArray[np.float64], ...]:
    """Integer modes of every axis, shaped to broadcast against a spectrum."""
    dimensions, modes = len(cutoffs), []
    for axis, top in enumerate(cutoffs):
        kept = np.arange(top + 1.0)
        if axis < dimensions - 1:
            kept = np.concatenate([kept, np.arange(-float(top), 0.0)])
        modes.append(kept.reshape([-1 if other == axis else 1 for other in range(dimensions)]))
    return tuple(modes)


def wavenumbers(cutoffs: Sequence[int], lengths: Sequence[float]) -> tuple[NDArray[np.float64], ...]:
    """Wavenumbers 2 pi k / L of every axis, shaped to broadcast against a spectrum."""
    return tuple(2 * np.pi / size * modes for modes, size in zip(mode_numbers(cutoffs), lengths, strict=True))


def resize(spectrum: Array, cutoffs: Sequence[int]) -> Array:
    """Truncate or zero-pad the trailing axes of a spectrum to other cutoffs.

    Args:
        spectrum: shape (..., 2 K_1 + 1, ..., K_d + 1).
        cutoffs: the new K, one for each axis.

    Returns:
        Spectrum with the new cutoffs; leading axes are kept.
    """
    xp, lead = _library(spectrum), spectrum.ndim - len(cutoffs)
    for axis, top in enumerate(cutoffs, start=lead):
        spectrum = xp.moveaxis(spectrum, axis, 0)
        half = axis == spectrum.ndim - 1
        old = spectrum.shape[0] - 1 if half else spectrum.shape[0] // 2
        keep = min(old, top)
        gap = xp.zeros((top - keep if half else 2 * (top - keep), *spectrum.shape[1:]), spectrum.dtype)
        tail = spectrum[:0] if half else spectrum[spectrum.shape[0] - keep :]
        spectrum = xp.moveaxis(xp.concatenate([spectrum[: keep + 1], gap, tail]), 0, axis)
    return spectrum


def to_grid(spectrum: Array, points: Sequence[int]) -> Array:
    """Values of the series on the uniform grid of `points` per axis, the origin first; leading axes are kept."""
    xp, cutoffs = _library(spectrum), [size // 2 for size in points]
    padded = resize(spectrum, cutoffs)
    for axis, size in zip(range(spectrum.ndim - len(points), spectrum.ndim - 1), points, strict=False):
        if size % 2 == 0:  # FFT order has one Nyquist mode where the spectrum has two
            low, high = (
                xp.take(padded, xp.arange(*ends), axis=axis) for ends in ((0, size // 2), (size // 2 + 1, size + 1))
            )
            padded = xp.concatenate([low, high], axis=axis)
    return xp.fft.irfftn(padded, s=tuple(points), axes=tuple(range(-len(points), 0)), norm="forward")


def from_grid(values: Array, cutoffs: Sequence[int]) -> Array:
    """Modes |k| <= K of grid values; leading axes are kept. The grid must have more than 2 K points per axis."""
    xp, axes = _library(values), tuple(range(-len(cutoffs), 0))
    full = xp.fft.rfftn(values, axes=axes, norm="forward")
    for axis, top in zip(axes, cutoffs, strict=True):
        full = xp.moveaxis(full, axis, 0)
        tail = full[:0] if axis == -1 else full[full.shape[0] - top :]
        full = xp.moveaxis(xp.concatenate([full[: top + 1], tail]), 0, axis)
    return full


def grid_points(
    points: Sequence[int], lengths: Sequence[float], origin: Sequence[float]
) -> tuple[NDArray[np.float64], ...]:
    """Coordinates of the uniform grid, one array per axis, shaped to broadcast against grid values."""
    dimensions, axes = len(points), []
    for axis, (count, size, start) in enumerate(zip(points, lengths, origin, strict=True)):
        values = start + size * np.arange(count) / count
        axes.append(values.reshape([-1 if other == axis else 1 for other in range(dimensions)]))
    return tuple(axes)


def reflect(spectrum: Array, axis: int, dimensions: int) -> Array:
    """Spectrum of the function mirrored in the origin of one axis, u(-x_axis).

    Args:
        spectrum: shape (..., modes of `dimensions` axes).
        axis: spatial axis, 0 <= axis < dimensions.
        dimensions: number of spatial axes.

    Returns:
        Spectrum of the same shape.
    """
    lead = spectrum.ndim - dimensions
    if axis < dimensions - 1:
        return _negate_modes(spectrum, lead + axis)
    # the half axis: conjugate, which mirrors every axis, then mirror the others back
    mirrored = spectrum.conj()
    for other in range(dimensions - 1):
        mirrored = _negate_modes(mirrored, lead + other)
    return mirrored


def _negate_modes(spectrum: Array, axis: int) -> Array:
    xp = _library(spectrum)
    return xp.roll(xp.flip(spectrum, axis), 1, axis)


def symmetrise(spectrum: Array, axis: int, dimensions: int, parity: Any) -> Array:
    """Even (parity 1: cosine series) or odd (parity -1: sine series) part of a function about the origin of an axis."""
    return (spectrum + parity * reflect(spectrum, axis, dimensions)) / 2


def even_modes(spectrum: Array, axis: int, dimensions: int) -> Array | None:
    """Spectrum over half the period, if the function repeats after half the period: if its odd modes vanish.

    Args:
        spectrum: shape (..., modes of `dimensions` axes).
        axis: spatial axis, 0 <= axis < dimensions.
        dimensions: number of spatial axes.

    Returns:
        Every second mode along the axis; None if the odd modes exceed round-off.
    """
    modes = np.moveaxis(np.asarray(spectrum), spectrum.ndim - dimensions + axis, 0)
    top = modes.shape[0] - 1 if axis == dimensions - 1 else modes.shape[0] // 2
    numbers = np.arange(top + 1) if axis == dimensions - 1 else np.r_[0 : top + 1, -top:0]
    even = numbers % 2 == 0
    if np.linalg.norm(modes[~even]) > _ROUND_OFF * np.linalg.norm(modes):
        return None
    return np.moveaxis(modes[even], 0, spectrum.ndim - dimensions + axis)


def extend(values: ArrayLike, parity: int, axis: int) -> NDArray[np.float64]:
    """Values at the n + 1 points of half a period, both ends included, continued to the 2n points of the whole period.

    Args:
        values: values on [a, b]; an odd function's end values are replaced by zero.
        parity: 1 for an even, -1 for an odd continuation about both ends.
        axis: the axis to continue.

    Returns:
        Values on [a, 2b - a).
    """
    half = np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0)
    inner = half[1:-1]
    ends = (half[:1], half[-1:]) if parity == 1 else (np.zeros_like(half[:1]), np.zeros_like(half[:1]))
    return np.moveaxis(np.concatenate([ends[0], inner, ends[1], parity * inner[::-1]]), 0, axis)


def series_matrix(points: ArrayLike, top: int, length: float, *, half: bool) -> NDArray[np.complex128]:
    """Rows exp(2 pi i k x / L) over the kept modes of one axis, so that a series is a chain of matrix products.

    On the half axis every mode k > 0 stands for its conjugate too: take the real part of the final sum.

    Args:
        points: distances x from the origin of the grid, shape (m,).
        top: cutoff K.
        length: period L.
        half: whether the axis keeps only k >= 0.

    Returns:
        Matrix, shape (m, K + 1) or (m, 2K + 1).
    """
    modes = np.arange(top + 1.0) if half else np.concatenate([np.arange(top + 1.0), np.arange(-float(top), 0.0)])
    rows = np.exp(2j * np.pi / length * np.outer(np.asarray(points, dtype=np.float64), modes))
    if half:
        rows[:, 1:] *= 2
    return rows


def tail_fraction(spectrum: NDArray[np.complex128], dimensions: int) -> NDArray[np.float64]:
    """Share of a spectrum's l2 norm in the last tenth of its modes, one number per axis: what truncation would lose.

    Args:
        spectrum: shape (..., modes of `dimensions` axes); leading axes are summed over.
        dimensions: number of spatial axes.

    Returns:
        Shares between 0 and 1, shape (dimensions,); zeros for a zero spectrum.
    """
    power = np.abs(spectrum.reshape(-1, *spectrum.shape[spectrum.ndim - dimensions :])) ** 2
    power = power.sum(axis=0)
    total, shares = power.sum(), np.zeros(dimensions)
    if total == 0:
        return shares
    for axis in range(dimensions):
        half = axis == dimensions - 1
        lines = power.sum(axis=tuple(other for other in range(dimensions) if other != axis))
        top = lines.size - 1 if half else lines.size // 2
        modes = np.arange(top + 1) if half else np.concatenate([np.arange(top + 1), np.arange(top, 0, -1)])
        shares[axis] = np.sqrt(lines[modes > 0.9 * top].sum() / total)
    return shares
