r"""Observations and equations together: the posterior given both, with or without face conditions.

The equations, as exact as the bases can hold what solves them, leave the whitened coefficients of all fields
$w = w_0 + P z$ with $P = V(\rho/(D^2+\rho))^{1/2}$ from the singular values D of their rows: what they do not
determine (the homogeneous solutions, if conditions are missing) keeps its prior $z \sim N(0, a^2 I)$. The observations
$y = h(u) + \epsilon$ then condition z through its cross-covariance with their values. The amplitude a, and the noise
where it is unknown, maximise the evidence of the observations. It is never below what the sources themselves need,
without which type-II likelihood is overconfident, nor so large that draws dwarf the data, as where nothing but the
equations' round-off is left undetermined.

Nonlinear equations and observations are linearised at the mean, again and again (Gauss–Newton); ρ, large at
first, falls from step to step, so that the data lead the first steps and the equations the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg import svd

from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.systems import Coefficients, Directions, System
from sciml.results import RESULTS
from solvers.gp.evidence import likely_amplitude, profile_noise
from solvers.gp.posterior import whitening
from solvers.gp.scattered import Measurements

_EQUATION_NOISES = (1e-2, 1e-4, 1e-6, 1e-8)
_EQUATION_NOISE = 1e-9
_LARGEST_DRAW = 30.0
_MOST_STEPS = 30
_SETTLED = 1e-9
_ROUND_OFF = 1e-6


@final
@dataclass(frozen=True, eq=False)
class Assimilation:
    """The posterior given equations, conditions and observations.

    Attributes:
        coefficients: C of every field's mean.
        factors: E with covariance $EE^T$ of every field's C, over the same directions; `(*ranks, directions)`.
        noise: root mean square of the observations' standard deviations, found or given.
        misfit: root mean square of $(y - h(u))/\\sigma$, linearised.
        evidence: logarithm of the observations' density, up to a constant.
        result: whether the mean settled.
        iterations: linearisations.
    """

    coefficients: Coefficients
    factors: tuple[np.ndarray, ...]
    noise: float
    misfit: float
    evidence: float
    result: RESULTS
    iterations: int


@final
@dataclass(frozen=True, eq=False)
class _Given:
    """What linearised equations say: mean w₀, factor P for unit amplitude, and the amplitude that the sources need."""

    mean: np.ndarray
    spread: np.ndarray
    floor: float


@final
@dataclass(frozen=True, eq=False)
class _Conditioned:
    """The posterior of w, and what it says of the data."""

    mean: np.ndarray
    factor: np.ndarray
    noise: float
    misfit: float
    evidence: float


def assimilate(system: System) -> Assimilation:
    """Condition a system's fields on its problem's observations."""
    with np.errstate(over="ignore", invalid="ignore"):  # a linearisation may lead out of the range of numbers
        return _assimilated(system)


def _assimilated(system: System) -> Assimilation:
    measured = [Measurements(system, o) for o in system.fields[0].statement.problem.observations]
    white = [[whitening(s) for s in f.spaces] for f in system.fields]
    w = np.zeros(sum(int(np.prod([m.shape[1] for m in own])) for own in white))
    linear = _is_linear(system, measured)
    noises = (_EQUATION_NOISE,) if linear else (*_EQUATION_NOISES, _EQUATION_NOISE)
    before = np.inf
    for step in range(1, _MOST_STEPS + 1):
        found = _linearised(system, measured, white, w, noises[min(step, len(noises)) - 1])
        if found is None:
            break
        moved = float(np.linalg.norm(found.mean - w) / max(np.linalg.norm(found.mean), np.finfo(float).tiny))
        settled = moved <= _SETTLED or (moved <= _ROUND_OFF and moved > before / 4)
        if linear or (settled and step >= len(noises)):
            return _expanded(system, white, found, RESULTS.successful, step)
        w, before = found.mean, moved
    if found is None:
        zeros = np.zeros((w.size, 1))
        found = _Conditioned(w, zeros, np.nan, np.inf, -np.inf)
        return _expanded(system, white, found, RESULTS.nonfinite, step)
    return _expanded(system, white, found, RESULTS.max_steps_reached, step)


def _is_linear(system: System, measured: Sequence[Measurements]) -> bool:
    slopes = [e for m in measured for e in m.slopes.values()]
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


def _expanded(system: System, white: Directions, found: _Conditioned, result: RESULTS, iterations: int) -> Assimilation:
    factors = tuple(_split(white, found.factor))
    C = _coefficients(system, white, found.mean)
    return Assimilation(C, factors, found.noise, found.misfit, found.evidence, result, iterations)


def _linearised(
    system: System, measured: Sequence[Measurements], white: Directions, w: np.ndarray, equation_noise: float
) -> _Conditioned | None:
    """The posterior of equations and observations linearised at w; None if they have no finite values there."""
    C = _coefficients(system, white, w)
    blocks = [system.row_jacobian(rows, C, white) for rows in system.rows]
    scales = [1 / max(float(np.linalg.norm(b)), np.finfo(float).tiny) for b in blocks]
    seen = np.concatenate([c * b for c, b in zip(scales, blocks, strict=True)])
    target = seen @ w - np.concatenate([c * r for c, r in zip(scales, system.residual(C), strict=True)])
    rows = np.concatenate([m.jacobian(C, white) for m in measured])
    values = rows @ w - np.concatenate([m.misfit(C) for m in measured])
    if not all(np.isfinite(v).all() for v in (seen, target, rows, values)):
        return None
    return _conditioned(_given(seen, target, equation_noise), rows, values, measured)


def _given(seen: np.ndarray, target: np.ndarray, equation_noise: float) -> _Given:
    """Condition on equations $A w = t$."""
    u, d, vt = svd(seen, full_matrices=seen.shape[0] < seen.shape[1])
    ratio = (equation_noise * d[0]) ** 2
    w = vt[: d.size].T @ (d / (d**2 + ratio) * (u[:, : d.size].T @ target))
    d = np.concatenate([d, np.zeros(vt.shape[0] - d.size)])
    determined = float(np.sum(d**2 / (d**2 + ratio)))
    spread = vt.T * np.sqrt(ratio / (d**2 + ratio))
    return _Given(w, spread, float(np.linalg.norm(w)) / np.sqrt(max(determined, 1.0)))


def _conditioned(given: _Given, rows: np.ndarray, values: np.ndarray, measured: Sequence[Measurements]) -> _Conditioned:
    """Condition on observations $H w = y$ as well."""
    rest, seen = values - rows @ given.mean, rows @ given.spread
    sigma = _noise(measured, seen, rest)
    u, d, vt = svd(seen / sigma[:, None])
    d = np.concatenate([d, np.zeros(vt.shape[0] - d.size)])
    components = (u.T @ (rest / sigma))[: d.size]
    outside = float(np.sum((rest / sigma) ** 2) - np.sum(components**2))
    components = np.concatenate([components, np.zeros(d.size - components.size)])
    prior = float(np.sqrt(np.sum(rows**2) / rows.shape[0]))
    ceiling = _LARGEST_DRAW * float(np.sqrt(np.mean(rest**2))) / max(prior, np.finfo(float).tiny)
    a = max(min(likely_amplitude(d, components), ceiling), given.floor)
    moved = given.spread @ (vt.T @ (a**2 * d / (1 + (a * d) ** 2) * components))
    factor = given.spread @ (vt.T * (a / np.sqrt(1 + (a * d) ** 2)))
    misfit = float(np.sqrt(np.mean(((rest - rows @ moved) / sigma) ** 2)))
    variances = 1 + (a * d) ** 2
    evidence = -0.5 * (outside + float(np.sum(components**2 / variances + np.log(variances)))) - np.log(sigma).sum()
    return _Conditioned(given.mean + moved, factor, float(np.sqrt(np.mean(sigma**2))), misfit, float(evidence))


def _noise(measured: Sequence[Measurements], seen: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Standard deviation of every value: as given, else one number by evidence for all without."""
    given = [(m.observation.noise, m.observation.values.shape) for m in measured]
    sigma = np.concatenate([np.broadcast_to(np.nan if s is None else s, shape) for s, shape in given])
    unknown = np.isnan(sigma)
    if not unknown.any():
        return sigma
    u, d, _ = svd(seen[unknown], full_matrices=False)
    components = u.T @ rest[unknown]
    outside = max(float(np.sum(rest[unknown] ** 2) - np.sum(components**2)), 0.0)
    return np.where(unknown, profile_noise(d**2, components, outside, int(unknown.sum())).deviation, sigma)
