"""Sampled functions of one coordinate and the peaks of their spectrum: which frequencies data are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

_PADDING = 8
_BINS_OF_SMOOTH_PART = 1.5


@final
@dataclass(frozen=True, eq=False)
class Signals:
    """Functions of one coordinate, sampled at equally spaced nodes with both ends.

    Attributes:
        nodes: `(n,)`.
        values: `(n, m)`, each group of them scaled to unit root mean square.
    """

    nodes: np.ndarray
    values: np.ndarray

    @property
    def extent(self) -> float:
        """Length T of the interval."""
        return float(self.nodes[-1] - self.nodes[0])

    @property
    def nyquist(self) -> float:
        """Largest angular frequency that the nodes can show."""
        return float(np.pi / (self.nodes[1] - self.nodes[0]))

    @property
    def bin(self) -> float:
        """Angular frequency of one period over the interval."""
        return 2 * np.pi / self.extent


def amplitude_spectrum(signals: Signals, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angular frequencies and root-sum-square amplitudes of Hann-windowed, zero-padded signals."""
    n = signals.nodes.size
    window = np.hanning(n)[:, None] * 2 / n
    spectrum = np.abs(np.fft.rfft(window * values, n=_PADDING * n, axis=0))
    frequencies = np.linspace(0, signals.nyquist, spectrum.shape[0])
    return frequencies, np.sqrt(np.sum(spectrum**2, axis=1))


def peaks(signals: Signals, values: np.ndarray, threshold: float) -> list[float]:
    """Frequencies of local maxima above a fraction of the largest, strongest first, clear of the smooth part."""
    frequencies, amplitude = amplitude_spectrum(signals, values)
    inner = amplitude[1:-1]
    is_peak = (inner >= amplitude[:-2]) & (inner > amplitude[2:])
    is_peak &= frequencies[1:-1] > _BINS_OF_SMOOTH_PART * signals.bin
    candidates = np.flatnonzero(is_peak) + 1
    candidates = candidates[amplitude[candidates] > max(threshold * amplitude.max(), np.finfo(float).tiny)]
    candidates = candidates[np.argsort(-amplitude[candidates])]
    step = frequencies[1] - frequencies[0]
    return [float(frequencies[i] + step * _vertex(*np.log(amplitude[i - 1 : i + 2] + 1e-300))) for i in candidates]


def _vertex(left: float, middle: float, right: float) -> float:
    """Offset of the top of the parabola through three equally spaced values."""
    curvature = left - 2 * middle + right
    return 0.0 if curvature == 0 else float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5))
