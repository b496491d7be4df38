"""Amplitude of the prior, and size of the noise, of largest evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import minimize_scalar

_RATIOS = np.logspace(-26, 2, 113)
_FINER = np.logspace(-0.25, 0.25, 41)
_DECADES = range(-8, 9)
_ROUND_OFF = 1e-16


@final
@dataclass(frozen=True, eq=False)
class Noise:
    """What evidence says of amplitude and noise.

    Attributes:
        amplitude: a, standard deviation of the prior's unit.
        ratio: $\\rho = \\sigma^2/a^2$.
        evidence: logarithm of the profiled evidence, up to a constant.
    """

    amplitude: float
    ratio: float
    evidence: float

    @property
    def deviation(self) -> float:
        """σ, in units of the source."""
        return self.amplitude * float(np.sqrt(self.ratio))


def profile_noise(variances: np.ndarray, components: np.ndarray, rest: float, count: int) -> Noise:
    """Amplitude and noise ratio of largest evidence.

    Args:
        variances: prior variance $d_i^2$ of each seen direction, for unit amplitude.
        components: the data $u_i^Ty$ in these directions.
        rest: energy $|y_\\perp|^2$ of the data outside of them.
        count: n, number of data.
    """
    d, energy = variances.ravel()[:, None], (np.abs(components) ** 2).ravel()[:, None]
    floor = _ROUND_OFF**2 * (float(energy.sum()) + rest) * count

    def best(ratios: np.ndarray) -> Noise:
        quad = np.sum(energy / (d + ratios), axis=0) + max(rest, floor) / ratios
        logdet = np.sum(np.log(d + ratios), axis=0) + (count - d.size) * np.log(ratios)
        evidence = -0.5 * count * np.log(quad / count) - 0.5 * logdet
        k = int(np.argmax(evidence))
        return Noise(float(np.sqrt(quad[k] / count)), float(ratios[k]), float(evidence[k]))

    coarse = best(_RATIOS * max(float(d.max()), np.finfo(float).tiny))
    return best(coarse.ratio * _FINER)


def likely_amplitude(d: np.ndarray, components: np.ndarray) -> float:
    """The amplitude a of largest evidence for data $\\sim N(0, 1 + a^2d^2)$, whose noise is known and scaled to one.

    Args:
        d: prior standard deviation of each seen direction, for unit amplitude.
        components: the data in these directions.
    """
    d, energy = d.ravel(), np.abs(components.ravel()) ** 2
    scale = np.sqrt(np.sum(energy) + 1) / max(float(np.linalg.norm(d)), np.finfo(float).tiny)

    def loss(decades: float) -> float:
        variances = 1 + (scale * 10**decades * d) ** 2
        return float(np.sum(energy / variances + np.log(variances)))

    nearest = _DECADES[int(np.argmin([loss(q) for q in _DECADES]))]
    found = minimize_scalar(loss, bounds=(nearest - 1, nearest + 1), method="bounded", options={"xatol": 1e-3})
    return float(scale * 10**found.x)
