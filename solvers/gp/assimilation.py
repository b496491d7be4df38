r"""Observations and equations together: the posterior given both, with or without face conditions or numbers.

The equations, as exact as the bases can hold what solves them, leave the whitened coefficients of all fields
$w = w_0 + P z$ with $PP^T = \rho\,(A^TA+\rho)^{-1}$ for their rows A: what they do not determine (the homogeneous
solutions, if conditions are missing) keeps its prior $z \sim N(0, a^2 I)$. Unknown numbers move $w_0$ by $G\delta$.
The observations $y = h(u) + \epsilon$ then condition z and δ through their cross-covariance with these values; δ is
nearly flat beforehand. The amplitude a, and the noise where it is unknown,
maximise the evidence of what the observations say whatever δ is (restricted likelihood). The amplitude is never below
what the sources themselves need, without which type-II likelihood is overconfident, nor so large that draws dwarf the
data, as where nothing but the equations' round-off is left undetermined.

Equations or observations that are not linear, in the fields or in the numbers, are linearised at the mean, again and
again (Gauss–Newton); ρ, large at first, falls from step to step, so that the data lead the first steps and the
equations the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg import solve_triangular, svd

from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.systems import Coefficients, Directions, System
from sciml.results import RESULTS
from solvers.gp.candidates import FARTHEST, FLAT, Candidates, central_differences
from solvers.gp.evidence import likely_amplitude, profile_noise
from solvers.gp.posterior import whitening
from solvers.gp.scattered import Measurements, stated_noise

_EQUATION_NOISES = (1e-2, 1e-4, 1e-6, 1e-8)
_EQUATION_NOISE = 1e-9
_LARGEST_DRAW = 30.0
_MOST_STEPS = 30
_SETTLED = 1e-9
_ROUND_OFF = 1e-6
_WITHIN_ERROR = 1e-3
_POWERS = 20


@final
@dataclass(frozen=True, eq=False)
class Assimilation:
    """The posterior given equations, conditions and observations.

    Attributes:
        system: with the numbers that were found.
        coefficients: C of every field's mean.
        factors: E with covariance $EE^T$ of every field's C, over the same directions; `(*ranks, directions)`.
        raw: weights of the unknown numbers, `(p,)`.
        spread: their standard errors, `(p,)`.
        noise: root mean square of the observations' standard deviations, found or given.
        misfit: root mean square of $(y - h(u))/\\sigma$, linearised.
        result: whether the mean settled.
        iterations: linearisations.
    """

    system: System
    coefficients: Coefficients
    factors: tuple[np.ndarray, ...]
    raw: np.ndarray
    spread: np.ndarray
    noise: float
    misfit: float
    result: RESULTS
    iterations: int


@final
@dataclass(frozen=True, eq=False)
class _Linear:
    """Equations $A w + S\\delta = t$ and observations $H w + X\\delta = y$, linearised; σ where it is stated."""

    seen: np.ndarray
    drift: np.ndarray
    target: np.ndarray
    rows: np.ndarray
    shift: np.ndarray
    values: np.ndarray
    stated: np.ndarray

    @property
    def is_finite(self) -> bool:
        """Whether all of it is numbers."""
        parts = (self.seen, self.drift, self.target, self.rows, self.shift, self.values)
        return all(np.isfinite(v).all() for v in parts)


@final
@dataclass(frozen=True, eq=False)
class _Given:
    """What equations say: $w = w_0 + G\\delta + Pz$ for unit amplitude, and the amplitude that the sources need."""

    mean: np.ndarray
    response: np.ndarray
    spread: np.ndarray
    floor: float


@final
@dataclass(frozen=True, eq=False)
class _Conditioned:
    """The posterior of w and δ, and what it says of the data."""

    mean: np.ndarray
    factor: np.ndarray
    change: np.ndarray
    spread: np.ndarray
    noise: float
    misfit: float


def assimilate(candidates: Candidates, start: np.ndarray) -> Assimilation:
    """Condition fields and unknown numbers on their problem's observations.

    Args:
        candidates: the system for any numbers.
        start: weights of the numbers to start from, `(p,)`.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a linearisation may lead out of the range of numbers
        return _assimilated(candidates, start)


def _assimilated(candidates: Candidates, raw: np.ndarray) -> Assimilation:
    white = [[whitening(s) for s in f.spaces] for f in candidates.at(raw).fields]
    w = np.zeros(sum(int(np.prod([m.shape[1] for m in own])) for own in white))
    once = raw.size == 0 and _is_linear(candidates.at(raw))
    noises = (_EQUATION_NOISE,) if once else (*_EQUATION_NOISES, _EQUATION_NOISE)
    before, result = np.inf, RESULTS.max_steps_reached
    for step in range(1, _MOST_STEPS + 1):
        linear = _linearised(candidates, white, w, raw)
        if not linear.is_finite:
            unknown = np.zeros(raw.size)
            found = _Conditioned(w, np.zeros((w.size, 1)), unknown, unknown + np.inf, np.nan, np.inf)
            result = RESULTS.nonfinite
            break
        found = _conditioned(linear, raw, noises[min(step, len(noises)) - 1])
        moved = float(np.linalg.norm(found.mean - w) / max(np.linalg.norm(found.mean), np.finfo(float).tiny))
        w, raw = found.mean, raw + found.change
        settled = moved <= _SETTLED or (moved <= _ROUND_OFF and moved > before / 4)
        settled |= raw.size > 0 and bool(np.all(np.abs(found.change) <= _WITHIN_ERROR * found.spread))
        if once or (settled and step >= len(noises)):
            result = RESULTS.successful
            break
        before = moved
    system = candidates.at(raw)
    C, factors = _coefficients(system, white, w), tuple(_split(white, found.factor))
    return Assimilation(system, C, factors, raw, found.spread, found.noise, found.misfit, result, step)


def _measured(system: System) -> list[Measurements]:
    return [Measurements(system, o) for o in system.fields[0].statement.problem.observations]


def _is_linear(system: System) -> bool:
    slopes = [e for m in _measured(system) for e in m.slopes.values()]
    return all(r.parts.is_linear for r in system.rows) and not any(is_unknown(a) for a in atoms(*slopes))


def _split(white: Directions, w: np.ndarray) -> list[np.ndarray]:
    """What whitened coefficients `(all, …)` are as coefficients of every field, `(*ranks, …)`."""
    shapes = [[m.shape[1] for m in own] for own in white]
    parts = np.split(w, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
    rest = w.shape[1:]
    return [
        kronecker([*own, *([None] * len(rest))], part.reshape(*shape, *rest))
        for own, shape, part in zip(white, shapes, parts, strict=True)
    ]


def _coefficients(system: System, white: Directions, w: np.ndarray) -> Coefficients:
    return [lift + part for lift, part in zip(system.lift, _split(white, w), strict=True)]


def _linearised(candidates: Candidates, white: Directions, w: np.ndarray, raw: np.ndarray) -> _Linear:
    """Equations and observations linearised at coefficients and numbers."""
    system = candidates.at(raw)
    C, measured = _coefficients(system, white, w), _measured(system)
    blocks = [system.row_jacobian(rows, C, white) for rows in system.rows]
    scales = [1 / max(float(np.linalg.norm(b)), np.finfo(float).tiny) for b in blocks]

    def remaining(system: System) -> tuple[np.ndarray, np.ndarray]:
        C = _coefficients(system, white, w)
        equations = [c * r for c, r in zip(scales, system.residual(C), strict=True)]
        return np.concatenate(equations), np.concatenate([m.misfit(C) for m in _measured(system)])

    seen = np.concatenate([c * b for c, b in zip(scales, blocks, strict=True)])
    rows = np.concatenate([m.jacobian(C, white) for m in measured])
    left, off = remaining(system)
    drift, shift = np.zeros((left.size, 0)), np.zeros((off.size, 0))
    if raw.size:
        drift, shift = central_differences(lambda at: remaining(candidates.at(at)), raw)
    stated = stated_noise(system.fields[0].statement.problem)
    return _Linear(seen, drift, seen @ w - left, rows, shift, rows @ w - off, stated)


def _given(linear: _Linear, equation_noise: float) -> _Given:
    """Condition on the equations: a triangle of $(A; \\sqrt\\rho I)$ holds the posterior's mean and covariance."""
    A, size = linear.seen, linear.seen.shape[1]
    root = equation_noise * _norm(A)
    data = np.column_stack([linear.target, -linear.drift])
    below = np.zeros((size, data.shape[1]))
    triangle = np.asarray(np.linalg.qr(np.block([[A, data], [root * np.eye(size), below]]), mode="r"))
    solved = solve_triangular(triangle[:size, :size], np.column_stack([triangle[:size, size:], root * np.eye(size)]))
    w, response, spread = np.split(solved, [1, data.shape[1]], axis=1)
    determined = size - float(np.sum(spread**2))
    return _Given(w[:, 0], response, spread, float(np.linalg.norm(w)) / np.sqrt(max(determined, 1.0)))


def _norm(A: np.ndarray) -> float:
    """Largest singular value, by power iteration."""
    x = np.ones(A.shape[1])
    for _ in range(_POWERS):
        x = A.T @ (A @ (x / np.linalg.norm(x)))
    return float(np.sqrt(np.linalg.norm(x)))


def _conditioned(linear: _Linear, raw: np.ndarray, equation_noise: float) -> _Conditioned:
    """Condition on equations and observations; numbers move by less than a factor of two a step."""
    given = _given(linear, equation_noise)
    rest, seen = linear.values - linear.rows @ given.mean, linear.rows @ given.spread
    design = linear.rows @ given.response + linear.shift
    sigma = _noise(linear.stated, seen, rest, design)
    flat = np.eye(raw.size) / FLAT  # the prior of the numbers, as so many observations more
    scaled = seen / sigma[:, None]
    H = np.concatenate([scaled, np.zeros((raw.size, scaled.shape[1]))])
    r = np.concatenate([rest / sigma, -raw / FLAT])
    own, contrasts, triangle = _halves(np.concatenate([design / sigma[:, None], flat]))
    u, d, vt = svd(contrasts.T @ H, full_matrices=False)
    components = u.T @ (contrasts.T @ r)
    a = max(min(likely_amplitude(d, components), _ceiling(linear, contrasts, r, sigma)), given.floor)
    z = vt.T @ (a**2 * d / (1 + (a * d) ** 2) * components)
    loose = a * np.eye(H.shape[1]) - (vt.T * (a - a / np.sqrt(1 + (a * d) ** 2))) @ vt
    inverse = solve_triangular(triangle, own.T)
    change, pull = inverse @ (r - H @ z), -inverse @ H @ loose
    loose_numbers = np.concatenate([pull, inverse @ own], axis=1)  # of δ: through z, and by itself
    change *= min(1.0, FARTHEST / max(float(np.abs(change).max(initial=0.0)), FARTHEST))
    moved = given.spread @ z + given.response @ change
    factor = np.concatenate([given.spread @ loose, np.zeros((moved.size, raw.size))], axis=1)
    factor += given.response @ loose_numbers
    left = rest - linear.rows @ moved - linear.shift @ change
    return _Conditioned(
        given.mean + moved,
        factor,
        change,
        np.linalg.norm(loose_numbers, axis=1),
        float(np.sqrt(np.mean(sigma**2))),
        float(np.sqrt(np.mean((left / sigma) ** 2))),
    )


def _ceiling(linear: _Linear, contrasts: np.ndarray, r: np.ndarray, sigma: np.ndarray) -> float:
    """The amplitude at which draws of the prior dwarf what the equations leave of the data."""
    prior = float(np.sqrt(np.sum(linear.rows**2) / linear.rows.shape[0]))
    size = float(np.sqrt(np.mean((contrasts @ (contrasts.T @ r))[: sigma.size] ** 2 * sigma**2)))
    return _LARGEST_DRAW * size / max(prior, np.finfo(float).tiny)


def _noise(stated: np.ndarray, seen: np.ndarray, rest: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Standard deviation of every value: as stated, else one number by evidence for all without."""
    unknown = np.isnan(stated)
    if not unknown.any():
        return stated
    _, contrasts, _ = _halves(design[unknown])
    seen, rest = contrasts.T @ seen[unknown], contrasts.T @ rest[unknown]
    u, d, _ = svd(seen, full_matrices=False)
    components = u.T @ rest
    outside = max(float(np.sum(rest**2) - np.sum(components**2)), 0.0)
    return np.where(unknown, profile_noise(d**2, components, outside, rest.size).deviation, stated)


def _halves(design: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Orthonormal vectors of the range of a matrix `(n, p)` and of what is orthogonal to it, and R of its QR."""
    n, p = design.shape
    if p == 0:
        return np.zeros((n, 0)), np.eye(n), np.zeros((0, 0))
    q, triangle = np.linalg.qr(design, mode="complete")
    return q[:, :p], q[:, p:], triangle[:p]
