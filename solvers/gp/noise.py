r"""What the equation is in doubt about: its residual between the nodes, read as stationary noise.

The nodes' own residual is what the fit has made small; the residual between them took no part. Its power spectrum
$S(\omega)$, smoothed, is that of a stationary noise with covariance $F^{-1} \operatorname{diag}(S) F$ on the nodes.
White noise of the same size would lay the round-off or the misfit of one line at the door of all scales, and so doubt
most what the equation amplifies most, the smooth part, which is known best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.ndimage import uniform_filter

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.kronecker import kronecker

_BINS_AVERAGED = 9
_MOST_POINTS = 1 << 18
_LEAST = 1e-12


@final
@dataclass(frozen=True, eq=False)
class EquationNoise:
    """Stationary noise of the equation on the nodes.

    Attributes:
        power: S on the discrete frequencies of the nodes, in the order of the FFT; its mean is the noise's variance.
    """

    power: np.ndarray

    @property
    def deviation(self) -> float:
        """Standard deviation at a node, in units of the residual."""
        return float(np.sqrt(self.power.mean()))

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One realisation on the nodes."""
        white = np.fft.fftn(rng.standard_normal(self.power.shape))
        return np.real(np.fft.ifftn(np.sqrt(self.power) * white))

    def covariance(self, vectors: Sequence[np.ndarray]) -> np.ndarray:
        r"""$Q^TF^{-1}\operatorname{diag}(S)FQ$ for $Q = Q_1 \otimes \cdots \otimes Q_d$.

        Args:
            vectors: $Q_k$, `(nodes, columns)` each, real.
        """
        *smaller, largest = order = sorted(range(len(vectors)), key=lambda k: vectors[k].shape[1])
        transformed = [np.fft.fft(q, axis=0, norm="ortho") for q in vectors]
        result = np.transpose(self.power, order)
        for k in smaller:
            pairs = transformed[k].conj()[:, :, None] * transformed[k][:, None, :]
            result = np.tensordot(result, pairs, axes=(0, 0))  # in place of the axis, at the back, its columns twice
        last, sizes = transformed[largest], [vectors[k].shape[1] for k in order]
        weighted = last.conj().T * result.reshape(last.shape[0], -1).T[:, None, :]
        result = np.real(np.moveaxis(weighted @ last, 0, -1)).reshape(sizes[-1], sizes[-1], *np.repeat(sizes[:-1], 2))
        first = [(2 + 2 * order.index(k)) % (2 * len(order)) for k in range(len(order))]
        count = int(np.prod(sizes))
        return np.transpose(result, [*first, *(i + 1 for i in first)]).reshape(count, count)

    def covariances(self, readers: Sequence[np.ndarray | None], vectors: np.ndarray) -> np.ndarray:
        r"""Covariances along one axis for every product of readings of the others, `(readings…, columns, columns)`.

        Args:
            readers: `(readings, nodes)` of each axis, None for the one that is left.
            vectors: Q of that axis, `(nodes, columns)`.
        """
        powers = [None if r is None else np.abs(np.fft.fft(r.conj(), axis=1, norm="ortho")) ** 2 for r in readers]
        left = next(k for k, r in enumerate(readers) if r is None)
        power = np.moveaxis(kronecker(powers, self.power), left, -1)
        transformed = np.fft.fft(vectors, axis=0, norm="ortho")
        return np.real((transformed.conj().T * power[..., None, :]) @ transformed)

    def variances(self, readers: Sequence[np.ndarray]) -> np.ndarray:
        """Variance of every product of readings $r_i^T$ of the axes, a tensor.

        Args:
            readers: `(readings, nodes)` each.
        """
        return kronecker([np.abs(np.fft.fft(r.conj(), axis=1, norm="ortho")) ** 2 for r in readers], self.power)


def white_noise(shape: tuple[int, ...], deviation: float) -> EquationNoise:
    """Independent noise of one size at every node."""
    return EquationNoise(np.full(shape, deviation**2))


def residual_noise(discrete: Discretisation, C: np.ndarray) -> EquationNoise:
    """The noise that the residual between the nodes is taken for."""
    most = int(_MOST_POINTS ** (1 / len(discrete.spaces)))
    points = [((n[1:] + n[:-1]) / 2)[:most] for n in discrete.nodes]  # next to each other, so that nothing is aliased
    return stationary_noise(discrete.residual(C, points), discrete.shape)


def stationary_noise(residual: np.ndarray, shape: tuple[int, ...]) -> EquationNoise:
    """The stationary noise that values on neighbouring points are taken for, on nodes of the same spacing.

    Args:
        residual: on a tensor grid.
        shape: nodes along each axis, counted.
    """
    windowed = kronecker([np.diag(np.hanning(n + 2)[1:-1]) for n in residual.shape], residual)
    power = uniform_filter(np.abs(np.fft.fftn(windowed)) ** 2, _BINS_AVERAGED, mode="wrap")
    power = np.maximum(power, _LEAST * power.max() + np.finfo(float).tiny)
    for axis, count in enumerate(shape):
        nearest = np.rint(np.fft.fftfreq(count) * power.shape[axis]).astype(int)
        power = np.take(power, nearest, axis=axis, mode="wrap")
    power *= np.mean(residual**2) / power.mean()  # in place: it is as large as the grid
    return EquationNoise(power)
