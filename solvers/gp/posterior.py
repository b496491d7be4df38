r"""Posterior covariance of the coefficients, the prior's amplitude by evidence.

Given the face conditions the prior of the trial coefficients is $z = Fw$, $w \sim N(0, a^2 I)$, with
$F = N^TS\Pi$ and Π the null space of $BS$, an axis at a time. The equation is seen on the nodes with the noise that
its residual between them shows: $y = A F w + \epsilon$, whitened by that noise. With $(AF)^TAF = V D^2 V^T$ the
posterior of w has covariance $V\,a^2/(1 + a^2D^2)\,V^T$; a maximises the evidence of $u_i^Ty \sim N(0, 1 + a^2d_i^2)$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import final

import numpy as np
from scipy.linalg import eigh, solve_triangular, svd

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.eigenbasis import CUT
from sciml.galerkin.inverse import Modes, SeparableInverse
from sciml.galerkin.kronecker import kronecker, outer
from sciml.galerkin.separable import KroneckerOperator
from sciml.galerkin.spaces import AxisSpace, null_space
from solvers.gp.evidence import likely_amplitude
from solvers.gp.noise import EquationNoise

_LARGE = 900
_LARGEST_DRAW = 30.0
_SQUARED_ROUND_OFF = 1e-14


@final
@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior of the coefficients.

    Attributes:
        amplitude: a.
        mean: coefficients C of the mean.
        factor: E with covariance $EE^T$ of the flattened C; `(coefficients, directions)`.
    """

    amplitude: float
    mean: np.ndarray
    factor: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Coefficients of one draw away from the mean."""
        return (self.factor @ rng.standard_normal(self.factor.shape[-1])).reshape(self.mean.shape)

    @property
    def total(self) -> float:
        """Sum of the coefficients' variances; over the number of nodes, the mean variance there."""
        return float(np.sum(self.factor**2))


def truncation(discrete: Discretisation, amplitude: float) -> float:
    """Prior standard deviation of the directions that the eigenbases leave out: what the posterior cannot know."""
    sizes = [s.basis.scales[0] / np.sqrt(s.basis.nodes.size) for s in discrete.spaces]
    return amplitude * CUT * len(sizes) * float(np.prod(sizes))


def largest_amplitude(discrete: Discretisation, C: np.ndarray) -> float:
    """Amplitude at which draws of the prior are thirty times as large as the solution is away from the lift.

    The evidence asks for more only where round-off stands in directions that the equation hardly sees.
    """
    unit = np.prod([np.linalg.norm(whitening(s)) for s in discrete.spaces])
    return _LARGEST_DRAW * float(np.linalg.norm(C - discrete.lift) / unit)


def whitening(space: AxisSpace) -> np.ndarray:
    """$S\\,\\Pi$, `(rank, free)`: coefficients that meet homogeneous conditions, from independent unit normals."""
    s = space.basis.scales
    if not space.rows:
        return np.diag(s)
    return s[:, None] * null_space(space.constraint * s)


def exact_posterior(
    discrete: Discretisation,
    operator: KroneckerOperator,
    data: np.ndarray,
    noise: EquationNoise,
    largest: float = np.inf,
) -> Posterior:
    """The posterior by one dense singular-value decomposition.

    Args:
        discrete: the spaces.
        operator: the linear, or linearised, equation.
        data: $Q^T y$, y being what the operator must make of $C - $ lift.
        noise: of the equation.
        largest: bound on the amplitude.
    """
    white = [whitening(s) for s in discrete.spaces]
    seen = sum(
        c * reduce(np.kron, [s.project(f) @ w for s, f, w in zip(discrete.spaces, key, white, strict=True)])
        for key, c in operator.terms.items()
    )
    root = np.linalg.cholesky(noise.covariance([s.basis.vectors for s in discrete.spaces]))
    seen = solve_triangular(root, seen, lower=True)
    d, vt, components = _directions(seen, solve_triangular(root, data.ravel(), lower=True))
    a = min(likely_amplitude(d, components), largest)
    w = vt.T @ (a**2 * d / (1 + (a * d) ** 2) * components)
    spread = vt.T * (a / np.sqrt(1 + (a * d) ** 2))
    shape = [m.shape[1] for m in white]
    mean = discrete.lift + kronecker(white, w.reshape(shape))
    return Posterior(a, mean, _expanded(white, spread, shape))


def made_by(discrete: Discretisation, operator: KroneckerOperator, C: np.ndarray) -> np.ndarray:
    """$Q^T$ of what an operator makes of $C - $ lift: the data of which C is the solution."""
    away = C - discrete.lift
    return sum(
        (
            c * kronecker([s.project(f) for s, f in zip(discrete.spaces, key, strict=True)], away)
            for key, c in operator.terms.items()
        ),
        start=np.zeros_like(away),
    )


def _directions(seen: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular values and right vectors of what the nodes see, and the data along the left ones.

    Large problems are taken through the square, which is several times faster and loses half of the digits: directions
    below them count as not seen at all.
    """
    if seen.shape[1] <= _LARGE:
        u, d, vt = svd(seen, full_matrices=False)
        return d, vt, u.T @ data
    squares, v = eigh(seen.T @ seen, driver="evd")
    d = np.sqrt(np.where(squares > _SQUARED_ROUND_OFF * squares[-1], squares, 0.0))
    return d, v.T, np.where(d > 0, v.T @ (seen.T @ data), 0.0) / np.where(d > 0, d, 1.0)


def _expanded(white: list[np.ndarray], spread: np.ndarray, shape: list[int]) -> np.ndarray:
    columns = kronecker([*white, None], spread.reshape(*shape, -1))
    return columns.reshape(-1, columns.shape[-1])


@final
@dataclass(frozen=True, eq=False)
class DiagonalPosterior:
    """Posterior taken as independent over the modes of fast diagonalisation.

    Attributes:
        amplitude: a.
        modes: of each axis, `(rank, free)`: coefficients of each mode.
        variances: of each mode's amplitude, a tensor.
    """

    amplitude: float
    modes: tuple[np.ndarray, ...]
    variances: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Coefficients of one draw away from the mean."""
        return np.real(kronecker(self.modes, np.sqrt(self.variances) * _circular(rng, self.variances.shape)))

    @property
    def total(self) -> float:
        """Sum of the coefficients' variances."""
        return float(np.sum(self.variances * outer([np.sum(np.abs(m) ** 2, axis=0) for m in self.modes])))


def diagonal_posterior(
    discrete: Discretisation, inverse: SeparableInverse, C: np.ndarray, noise: EquationNoise
) -> DiagonalPosterior | None:
    """The posterior over modes, where every axis has them: no matrix larger than an axis.

    Args:
        discrete: the spaces.
        inverse: of the linear, or linearised, equation, or near to it.
        C: coefficients of the solution.
        noise: of the equation.
    """
    modes = [m for m in inverse.modes if m is not None]
    if inverse.denominators is None or len(modes) < len(inverse.modes):
        return None
    readers = [m.left @ s.test.T for m, s in zip(modes, discrete.spaces, strict=True)]
    doubt = noise.variances([r @ s.basis.vectors.T for r, s in zip(readers, discrete.spaces, strict=True)])
    prior = outer([_prior_of_modes(s, m) for s, m in zip(discrete.spaces, modes, strict=True)])
    gain = np.abs(inverse.denominators) ** 2 / doubt
    readers_of_modes = [np.linalg.solve(m.right, s.trial.T) for m, s in zip(modes, discrete.spaces, strict=True)]
    readings = kronecker(readers_of_modes, C - discrete.lift)
    likely = likely_amplitude(np.sqrt(gain * prior), np.sqrt(gain) * readings)
    a = min(likely, largest_amplitude(discrete, C))
    variances = a**2 * prior / (1 + a**2 * gain * prior)
    return DiagonalPosterior(
        a, tuple(s.trial @ m.right for s, m in zip(discrete.spaces, modes, strict=True)), variances
    )


@final
@dataclass(frozen=True, eq=False)
class BlockPosterior:
    """Posterior taken as independent over the modes of all axes but one, and joint along that one.

    Attributes:
        amplitude: a.
        axis: the one without modes.
        modes: of each axis, `(rank, free)`: coefficients of each mode; None for `axis`.
        factors: of the covariance of the coefficients along the axis, for every mode; `(modes…, rank, directions)`.
    """

    amplitude: float
    axis: int
    modes: tuple[np.ndarray | None, ...]
    factors: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Coefficients of one draw away from the mean."""
        directions = _circular(rng, (*self.factors.shape[:-2], self.factors.shape[-1]))
        along_axis = np.einsum("...iq,...q->...i", self.factors, directions)
        return np.real(kronecker(self.modes, np.moveaxis(along_axis, -1, self.axis)))

    @property
    def total(self) -> float:
        """Sum of the coefficients' variances."""
        sizes = outer([np.sum(np.abs(m) ** 2, axis=0) for m in self.modes if m is not None])
        return float(np.sum(sizes * np.sum(np.abs(self.factors) ** 2, axis=(-2, -1))))


def block_posterior(
    discrete: Discretisation, inverse: SeparableInverse, C: np.ndarray, noise: EquationNoise
) -> BlockPosterior | None:
    """The posterior where one axis, as a rule time with initial data, has no modes: one small problem for each mode.

    Args:
        discrete, inverse, C, noise: as for `diagonal_posterior`.
    """
    if inverse.blocks is None or inverse.smallest == 0:
        return None
    axis = inverse.modes.index(None)
    space, pairs = discrete.spaces[axis], list(zip(discrete.spaces, inverse.modes, strict=True))
    readers = [None if m is None else m.left @ s.test.T for s, m in pairs]
    on_nodes = [None if r is None else r @ s.basis.vectors.T for r, s in zip(readers, discrete.spaces, strict=True)]
    roots = np.linalg.cholesky(noise.covariances(on_nodes, space.basis.vectors @ space.test))
    prior = outer([_prior_of_modes(s, m) for s, m in pairs if m is not None])
    white = whitening(space)
    back = space.trial.T @ white
    split = [s.trial.T if m is None else np.linalg.solve(m.right, s.trial.T) for s, m in pairs]
    moved = np.moveaxis(kronecker(split, C - discrete.lift), axis, -1)[..., None]
    blocks = np.linalg.inv(inverse.blocks)
    seen = np.linalg.solve(roots, blocks @ back) * np.sqrt(prior)[..., None, None]
    u, d, vh = np.linalg.svd(seen, full_matrices=False)
    components = u.conj().swapaxes(-1, -2) @ np.linalg.solve(roots, blocks @ moved)
    a = min(likely_amplitude(d, components), largest_amplitude(discrete, C))
    spread = vh.conj().swapaxes(-1, -2) * (a * np.sqrt(prior)[..., None] / np.sqrt(1 + (a * d) ** 2))[..., None, :]
    modes = tuple(None if m is None else s.trial @ m.right for s, m in pairs)
    return BlockPosterior(a, axis, modes, white @ spread)


def _circular(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Complex normals: the real part of v times one has variance $|v|^2$."""
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def _prior_of_modes(space: AxisSpace, mode: Modes) -> np.ndarray:
    """Prior variance of each mode's amplitude, for unit amplitude of the prior."""
    return np.sum(np.abs(np.linalg.solve(mode.right, space.trial.T @ whitening(space))) ** 2, axis=1)
