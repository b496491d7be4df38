r"""Observations and an equation together: the posterior given both, with or without face conditions.

The equation, free of noise, leaves the whitened coefficients $w = w_0 + P z$ with $P = V(\rho/(D^2+\rho))^{1/2}$ from
the singular values D of the operator: what it does not determine (the homogeneous solutions, if conditions are missing)
keeps its prior $z \sim N(0, a^2 I)$. The observations $y = H u + \epsilon$ then condition z through its
cross-covariance with their values. The amplitude a, and the noise where it is unknown, maximise the evidence of the
observations. It is never below what the source itself needs, without which type-II likelihood is overconfident, nor so
large that draws dwarf the data, as where nothing but the equation's round-off is left undetermined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import final

import numpy as np
from scipy.linalg import svd

from sciml.expr.evaluation import evaluate
from sciml.expr.linear import Split, split
from sciml.expr.lowering import lower
from sciml.expr.traverse import atoms
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.separable import derivative_orders
from sciml.known import BoundLaws, known_values
from sciml.observations import Observation
from solvers.gp.evidence import likely_amplitude, profile_noise
from solvers.gp.posterior import whitening

_EQUATION_NOISE = 1e-11
_LARGEST_DRAW = 30.0


@final
@dataclass(frozen=True, eq=False)
class Assimilation:
    """The posterior given equation, conditions and observations.

    Attributes:
        coefficients: C of the mean.
        factor: E with covariance $EE^T$ of C; `(*ranks, directions)`.
        noise: root mean square of the observations' standard deviations, found or given.
        misfit: root mean square of $(y - Hu)/\\sigma$.
        evidence: logarithm of the observations' density, up to a constant.
    """

    coefficients: np.ndarray
    factor: np.ndarray
    noise: float
    misfit: float
    evidence: float


@final
@dataclass(frozen=True, eq=False)
class Measured:
    """Observations as rows over the coefficients: H, the values less what no unknown makes, and σ or None."""

    rows: np.ndarray
    values: np.ndarray
    noise: np.ndarray | None


def parts_of(observation: Observation) -> Split:
    """Linear part, source and nonlinear rest of what was measured."""
    return split(lower(observation.expression)[0])


def measured(discrete: Discretisation, observation: Observation) -> Measured:
    """Rows of one observation."""
    statement, parts = discrete.statement, parts_of(observation)
    points = {name: np.asarray(p, float) for name, p in observation.points.items()}
    expressions = (*parts.linear.values(), parts.source)
    known = known_values(atoms(*expressions), points, statement.problem.arguments)
    values = {atom: np.asarray(v, float) for atom, v in known.items()}
    *coefficients, source = evaluate(expressions, values, BoundLaws(statement.problem.arguments.laws))
    orders = [derivative_orders(a, statement.axes) for a in parts.linear]
    tables = [
        s.basis.at(points[x.name], max(o[k] for o in orders))
        for k, (s, x) in enumerate(zip(discrete.spaces, statement.axes, strict=True))
    ]
    rows = sum(
        np.reshape(c, (-1, 1)) * reduce(row_products, [t[p] for t, p in zip(tables, o, strict=True)])
        for c, o in zip(coefficients, orders, strict=True)
    )
    noise = None if observation.noise is None else np.broadcast_to(observation.noise, observation.values.shape)
    return Measured(np.asarray(rows), observation.values - np.asarray(source), noise)


def row_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Every product of two functions, at the same points: $(n, p), (n, q) \\to (n, pq)$."""
    return (left[:, :, None] * right[:, None, :]).reshape(left.shape[0], -1)


def assimilate(discrete: Discretisation) -> Assimilation:
    """Condition a linear equation's solution on the problem's observations."""
    white = [whitening(s) for s in discrete.spaces]
    C, spread, floor = _given_the_equation(discrete, white)
    ranks = [s.basis.rank for s in discrete.spaces]
    spread = kronecker([*white, None], spread.reshape(*(w.shape[1] for w in white), -1)).reshape(C.size, -1)
    found = [measured(discrete, o) for o in discrete.statement.problem.observations]
    rows = np.concatenate([m.rows for m in found])
    rest = np.concatenate([m.values for m in found]) - rows @ C.ravel()
    sigma, seen = _noise(found, rows @ spread, rest)
    u, d, vt = svd(seen / sigma[:, None])
    d = np.concatenate([d, np.zeros(vt.shape[0] - d.size)])
    components = (u.T @ (rest / sigma))[: d.size]
    outside = float(np.sum((rest / sigma) ** 2) - np.sum(components**2))
    components = np.concatenate([components, np.zeros(d.size - components.size)])
    ceiling = _LARGEST_DRAW * float(np.sqrt(np.mean(rest**2))) / _prior_deviation(rows, white)
    a = max(min(likely_amplitude(d, components), ceiling), floor)
    gain = a**2 * d / (1 + (a * d) ** 2)
    moved = spread @ (vt.T @ (gain * components))
    factor = spread @ (vt.T * (a / np.sqrt(1 + (a * d) ** 2)))
    misfit = float(np.sqrt(np.mean(((rest - rows @ moved) / sigma) ** 2)))
    noise = float(np.sqrt(np.mean(sigma**2)))
    variances = 1 + (a * d) ** 2
    evidence = -0.5 * (outside + float(np.sum(components**2 / variances + np.log(variances)))) - np.log(sigma).sum()
    return Assimilation(C + moved.reshape(ranks), factor.reshape(*ranks, -1), noise, misfit, float(evidence))


def _given_the_equation(discrete: Discretisation, white: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean coefficients, factor of w's covariance for unit amplitude, and the amplitude that the source needs."""
    spaces, terms = discrete.spaces, discrete.operator.terms
    seen = sum(
        c * reduce(np.kron, [s.project(f) @ w for s, f, w in zip(spaces, key, white, strict=True)])
        for key, c in terms.items()
    )
    lifted = sum(
        c * kronecker([s.project(f) for s, f in zip(spaces, key, strict=True)], discrete.lift)
        for key, c in terms.items()
    )
    target = -kronecker([s.basis.vectors.T for s in spaces], discrete.source) - lifted
    u, d, vt = svd(seen, full_matrices=False)
    ratio = (_EQUATION_NOISE * d[0]) ** 2
    w = vt.T @ (d / (d**2 + ratio) * (u.T @ target.ravel()))
    determined = float(np.sum(d**2 / (d**2 + ratio)))
    shape = [m.shape[1] for m in white]
    mean = discrete.lift + kronecker(white, w.reshape(shape))
    return mean, vt.T * np.sqrt(ratio / (d**2 + ratio)), float(np.linalg.norm(w)) / np.sqrt(max(determined, 1.0))


def _noise(found: list[Measured], seen: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation of every value: as given, else one number by evidence for all without."""
    given = [np.full(m.values.shape, np.nan) if m.noise is None else m.noise for m in found]
    sigma = np.concatenate(given)
    unknown = np.isnan(sigma)
    if unknown.any():
        u, d, _ = svd(seen[unknown], full_matrices=False)
        components = u.T @ rest[unknown]
        outside = max(float(np.sum(rest[unknown] ** 2) - np.sum(components**2)), 0.0)
        noise = profile_noise(d**2, components, outside, int(unknown.sum()))
        sigma = np.where(unknown, noise.deviation, sigma)
    return sigma, seen


def _prior_deviation(rows: np.ndarray, white: list[np.ndarray]) -> float:
    """Root mean square of the observed values' prior standard deviations, for unit amplitude."""
    draws = kronecker([None, *(w.T for w in white)], rows.reshape(rows.shape[0], *(w.shape[0] for w in white)))
    return float(np.sqrt(np.sum(draws**2) / rows.shape[0]))
