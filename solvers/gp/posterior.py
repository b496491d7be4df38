r"""Posterior covariance of the coefficients, with noise and amplitude profiled by evidence.

Given the face conditions the prior of the trial coefficients is $z = Fw$, $w \sim N(0, a^2 I)$, with
$F = N^TS\Pi$ and Π the null space of $BS$, an axis at a time. The source is seen on the nodes with noise
$\sigma^2 = \rho a^2$: $y = A F w + \epsilon$. With $(AF)^TAF = V D^2 V^T$ the posterior of w has covariance
$a^2 V\,\rho/(D^2+\rho)\,V^T$; the amplitude is profiled out of the evidence, $a^2 = q(\rho)/n$ with
$q = \sum_i (u_i^Ty)^2/(d_i^2+\rho) + |y_\perp|^2/\rho$, and ρ maximises
$-\tfrac n2\log q - \tfrac12\sum_i\log(d_i^2+\rho) - \tfrac{n-r}2\log\rho$ on a logarithmic grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import final

import numpy as np
from scipy.linalg import null_space, svd

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.eigenbasis import CUT
from sciml.galerkin.inverse import SeparableInverse
from sciml.galerkin.kronecker import kronecker, outer
from sciml.galerkin.separable import KroneckerOperator
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import AxisPoints

_RATIOS = np.logspace(-26, 2, 113)
_FINER = np.logspace(-0.25, 0.25, 41)
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


@final
@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior of the coefficients.

    Attributes:
        noise: profiled noise.
        mean: coefficients C of the mean at that noise.
        factor: E with covariance $EE^T$ of the flattened C; `(coefficients, directions)`.
    """

    noise: Noise
    mean: np.ndarray
    factor: np.ndarray


def truncation(discrete: Discretisation, noise: Noise) -> float:
    """Prior standard deviation of the directions that the eigenbases leave out: what the posterior cannot know."""
    sizes = [s.basis.scales[0] / np.sqrt(s.basis.nodes.size) for s in discrete.spaces]
    return noise.amplitude * CUT * len(sizes) * float(np.prod(sizes))


def whitening(space: AxisSpace) -> np.ndarray:
    """$S\\,\\Pi$, `(rank, free)`: coefficients that meet homogeneous conditions, from independent unit normals."""
    s = space.basis.scales
    if not space.rows:
        return np.diag(s)
    weighted = space.constraint * s
    return s[:, None] * null_space(weighted / np.linalg.norm(weighted, axis=1, keepdims=True), rcond=1e-13)


@final
@dataclass(frozen=True, eq=False)
class Data:
    """What the nodes saw of the source, less what the lift makes.

    Attributes:
        projected: $Q^Ty$ along every axis.
        outside: energy of the part of y that no function of the bases can have.
        count: number of nodes.
    """

    projected: np.ndarray
    outside: float
    count: int


def project_data(discrete: Discretisation, values: np.ndarray) -> Data:
    """Data given on the nodes."""
    projected = kronecker([s.basis.vectors.T for s in discrete.spaces], values)
    inside = kronecker([s.basis.vectors for s in discrete.spaces], projected)
    return Data(projected, float(np.sum((values - inside) ** 2)), values.size)


def seen_by_the_nodes(discrete: Discretisation, C: np.ndarray) -> Data:
    """Data of the equation linearised at a solution: what its operator makes of $C - $ lift, less the residual.

    Outside of the bases there is only the residual: what the operator makes there, the source has too.
    """
    statement = discrete.statement

    def made(points: AxisPoints) -> np.ndarray:
        jets = discrete.jets(C, statement.unknown_atoms, points)
        slopes = statement.evaluate(tuple(statement.slopes.values()), points, jets)
        away = discrete.jets(C - discrete.lift, tuple(statement.slopes), points)
        return np.asarray(sum(s * away[a] for a, s in zip(statement.slopes, slopes, strict=True)))

    residual, energy = discrete.projected(lambda points: discrete.residual(C, points))
    outside = max(energy - float(np.sum(residual**2)), 0.0)
    return Data(discrete.projected(made)[0] - residual, outside, int(np.prod(discrete.shape)))


def exact_posterior(discrete: Discretisation, operator: KroneckerOperator, data: Data) -> Posterior:
    """The posterior by one dense singular-value decomposition.

    Args:
        discrete: the spaces.
        operator: the linear, or linearised, equation.
        data: y, what the operator must make of $C - $ lift.
    """
    white = [whitening(s) for s in discrete.spaces]
    seen = sum(
        c * reduce(np.kron, [s.project(f) @ w for s, f, w in zip(discrete.spaces, key, white, strict=True)])
        for key, c in operator.terms.items()
    )
    projected = data.projected
    u, d, vt = svd(seen, full_matrices=False)  # not through its square, which would lose half of the digits
    variances, v = d**2, vt.T
    components = u.T @ projected.ravel()
    rest = float(np.sum((projected.ravel() - u @ components) ** 2)) + data.outside
    noise = profile_noise(variances, components, rest, data.count)
    w = v @ (d * components / (variances + noise.ratio))
    spread = v * (noise.amplitude * np.sqrt(noise.ratio / (variances + noise.ratio)))
    shape = [m.shape[1] for m in white]
    mean = discrete.lift + kronecker(white, w.reshape(shape))
    return Posterior(noise, mean, _expanded(white, spread, shape))


def _expanded(white: list[np.ndarray], spread: np.ndarray, shape: list[int]) -> np.ndarray:
    columns = kronecker([*white, None], spread.reshape(*shape, -1))
    return columns.reshape(-1, columns.shape[-1])


@final
@dataclass(frozen=True, eq=False)
class DiagonalPosterior:
    """Posterior taken as independent over the modes of fast diagonalisation.

    Attributes:
        noise: profiled noise.
        modes: of each axis, `(rank, free)`: coefficients of each mode.
        variances: of each mode's amplitude, a tensor.
    """

    noise: Noise
    modes: tuple[np.ndarray, ...]
    variances: np.ndarray


def diagonal_posterior(discrete: Discretisation, inverse: SeparableInverse, data: Data) -> DiagonalPosterior | None:
    """The posterior over modes, where every axis has them: no matrix larger than an axis.

    Args:
        discrete: the spaces.
        inverse: of the linear, or linearised, equation.
        data: y, as for `exact_posterior`.
    """
    modes = [m for m in inverse.modes if m is not None]
    if inverse.denominators is None or len(modes) < len(inverse.modes):
        return None
    priors = []
    for space, mode in zip(discrete.spaces, modes, strict=True):
        back = np.linalg.solve(mode.right, space.trial.T @ whitening(space))
        priors.append(np.sum(np.abs(back) ** 2, axis=1))
    prior = outer(priors)
    gain = np.abs(inverse.denominators) ** 2
    components = kronecker([m.left @ s.test.T for m, s in zip(modes, discrete.spaces, strict=True)], data.projected)
    noise = profile_noise(gain * prior, components, data.outside, data.count)
    variances = noise.amplitude**2 * noise.ratio * prior / (gain * prior + noise.ratio)
    real = tuple(s.trial @ m.right for s, m in zip(discrete.spaces, modes, strict=True))
    return DiagonalPosterior(noise, real, variances)
