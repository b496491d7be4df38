r"""Features of one coordinate: functions $\phi_j$ with $k(x - x') = \sum_j \phi_j(x)\phi_j(x')$, and their derivatives.

The squared exponential factorises exactly over the states of a harmonic oscillator (Fock, or Taylor, features):
$e^{-(x-x')^2/2\ell^2} = \sum_j h_j(x/\ell)\,h_j(x'/\ell)$ with $h_j(z) = e^{-z^2/2} z^j/\sqrt{j!}$ and the ladder
$h_j' = \sqrt{j}\,h_{j-1} - \sqrt{j+1}\,h_{j+1}$, so derivatives of any order are sums of neighbours. Times
$\cos mx, \sin mx$ they are the features of a Gaussian at frequency m.
Source: Cotter, Keshet & Srebro, arXiv:1109.4603.
"""

from __future__ import annotations

from functools import reduce
from math import comb, lgamma, log, sqrt
from operator import add
from typing import Any, final

import equinox as eqx
import numpy as np

from sciml.galerkin.eigenbasis import AbstractFeatures
from sciml.storable import storable
from solvers.gp.kernels import AbstractKernel, Cosine, SquaredExponential

Array = Any

_NEGLIGIBLE = log(1e-16)


@final
@storable("gp_line")
class Line(eqx.Module):
    """One Gaussian of a spectrum.

    Attributes:
        frequency: angular frequency m ≥ 0, in radians per unit of the coordinate.
        length: ℓ, inverse of the spectral width.
        weight: variance that it contributes.
    """

    frequency: Array
    length: Array
    weight: Array = 1.0

    @property
    def kernel(self) -> AbstractKernel:
        """$w\\, e^{-z^2/2\\ell^2} \\cos mz$."""
        return SquaredExponential(self.length) * Cosine(self.frequency) * self.weight


def mixture(lines: tuple[Line, ...]) -> AbstractKernel:
    """Kernel of a Gaussian mixture spectrum."""
    return reduce(add, (line.kernel for line in lines))


def ladder_count(extent: float, length: float) -> int:
    """First j whose state $h_j$ is below 1e-16 on an interval of this extent, centred."""
    ratio = (extent / (2 * length)) ** 2
    j = max(int(np.ceil(ratio)), 1)
    while j * log(ratio) - lgamma(j + 1) - ratio >= _NEGLIGIBLE:
        j += 1
    return j


@final
@storable("gp_ladder_features")
class LadderFeatures(AbstractFeatures):
    """Features of a Gaussian mixture spectrum on an interval.

    Args:
        lines: the spectrum.
        centre: middle of the interval.
        counts: ladder states kept for each line.
    """

    lines: tuple[Line, ...]
    centre: float
    counts: tuple[int, ...] = eqx.field(static=True)
    shifted: tuple[bool, ...] = eqx.field(static=True)

    def __init__(self, lines: tuple[Line, ...], lower: float, upper: float):
        self.lines = lines
        self.centre = (lower + upper) / 2
        self.counts = tuple(ladder_count(upper - lower, line.length) for line in lines)
        self.shifted = tuple(bool(line.frequency > 0) for line in lines)

    def derivatives(self, x: Array, order: int) -> list[Array]:
        xp = x.__array_namespace__()
        blocks: list[list[Array]] = []
        for line, count, shifted in zip(self.lines, self.counts, self.shifted, strict=True):
            states = _states(x - self.centre, line.length, count, order)
            amplitude = xp.sqrt(xp.asarray(line.weight))
            phase = line.frequency * (x - self.centre)
            waves = (xp.cos(phase), xp.sin(phase))
            for first in (0, 1) if shifted else (0,):
                blocks.append(
                    [amplitude * _modulated(states, waves, line.frequency, first, n) for n in range(order + 1)]
                )
        return [xp.concatenate([block[n] for block in blocks], axis=1) for n in range(order + 1)]

    def frequency_slopes(self, table: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Derivatives of the features along their own lines' frequencies; zero for lines of frequency zero.

        Args:
            table: values of the features at x, `(n, features)`.
            x: points.
        """
        slopes, start = np.zeros_like(table), 0
        for count, shifted in zip(self.counts, self.shifted, strict=True):
            if shifted:
                cosine, sine = slice(start, start + count), slice(start + count, start + 2 * count)
                slopes[:, cosine] = -(x - self.centre)[:, None] * table[:, sine]
                slopes[:, sine] = (x - self.centre)[:, None] * table[:, cosine]
            start += (1 + shifted) * count
        return slopes

    def summed_by_line(self, each: np.ndarray) -> np.ndarray:
        """Sums over the features of every line."""
        sizes = [(1 + shifted) * count for count, shifted in zip(self.counts, self.shifted, strict=True)]
        return np.add.reduceat(each, np.cumsum([0, *sizes[:-1]]))


def _states(x: Array, length: Any, count: int, order: int) -> list[Array]:
    """Ladder states and their derivatives in x, each `(n, count)`."""
    xp = x.__array_namespace__()
    z = x / length
    rows = [xp.exp(-(z**2) / 2)]
    for j in range(1, count + order):
        rows.append(rows[-1] * z / sqrt(j))
    values = xp.stack(rows, axis=1)
    result = [values[:, :count]]
    for n in range(order):
        size = count + order - n - 1
        j = np.arange(size)
        lower = xp.concatenate([0 * values[:, :1], values[:, : size - 1]], axis=1)
        values = (np.sqrt(j) * lower - np.sqrt(j + 1) * values[:, 1 : size + 1]) / length
        result.append(values[:, :count])
    return result


def _modulated(states: list[Array], waves: tuple[Array, Array], m: Any, first: int, n: int) -> Array:
    """Derivative n of the states times cosine (`first` = 0) or sine (1)."""
    c, s = waves
    cycle = (c, -s, -c, s) if first == 0 else (s, c, -s, -c)
    return sum(comb(n, q) * states[q] * (m ** (n - q) * cycle[(n - q) % 4])[:, None] for q in range(n + 1))


@final
@storable("gp_fourier_features")
class FourierFeatures(AbstractFeatures):
    """Features of a periodic kernel: cosines and sines of the harmonics 0 … K, weighted by the spectrum.

    Args:
        lower: start of the period.
        period: L.
        weights: variance of each harmonic, `(K + 1,)`.
    """

    lower: float
    period: float
    weights: np.ndarray

    def derivatives(self, x: Array, order: int) -> list[Array]:
        xp = x.__array_namespace__()
        harmonics = np.arange(self.weights.shape[0])
        m = 2 * np.pi / self.period * harmonics
        phase = m * (x[:, None] - self.lower)
        c, s = xp.cos(phase), xp.sin(phase)
        scale = xp.sqrt(xp.asarray(self.weights))
        result = []
        for n in range(order + 1):
            even = m**n * (c, -s, -c, s)[n % 4] * scale
            odd = m**n * (s, c, -s, -c)[n % 4] * scale
            result.append(xp.concatenate([even, odd[:, 1:]], axis=1))
        return result
