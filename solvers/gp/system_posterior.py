r"""Posterior of all fields of a system together, given its equations and conditions.

Each field's prior given its face conditions is $z_f = F_f w_f$, $w \sim N(0, a^2I)$, as for one field. A tested
equation $J z$ is seen with the noise that its residual between the nodes shows, a condition with its own misfit;
whitened by these the rows are $A w$ with $A = U D V^T$, the covariance of w is $V\,a^2/(1 + a^2D^2)\,V^T$, and a
maximises the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg import solve_triangular, svd

from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.systems import Coefficients, System
from solvers.gp.evidence import likely_amplitude
from solvers.gp.noise import stationary_noise
from solvers.gp.posterior import truncation, whitening

MOST_DIRECTIONS = 900
_LEAST_MISFIT = 1e-14


@final
@dataclass(frozen=True, eq=False)
class SystemPosterior:
    """Posterior of the coefficients of every field.

    Attributes:
        factors: E of each field with covariance $EE^T$ of its C, over the same directions; `(*ranks, directions)`.
        floors: standard deviation of what each field's bases leave out.
    """

    factors: tuple[np.ndarray, ...]
    floors: tuple[float, ...]


def system_posterior(system: System, C: Coefficients) -> SystemPosterior | None:
    """The posterior around a solution by one dense singular-value decomposition; None beyond a moderate size."""
    if sum(system.sizes) > MOST_DIRECTIONS:
        return None
    white = [[whitening(s) for s in f.spaces] for f in system.fields]
    z = np.concatenate(
        [
            kronecker([s.trial.T for s in f.spaces], c - lift).ravel()
            for f, c, lift in zip(system.fields, C, system.lift, strict=True)
        ]
    )
    blocks, targets = [], []
    for rows, r, root in zip(system.rows, system.residual(C), _roots(system, C), strict=True):
        target = system.row_jacobian(rows, C) @ z - r
        seen = system.row_jacobian(rows, C, white)
        both = solve_triangular(root, np.column_stack([seen, target]), lower=True)
        blocks.append(both[:, :-1])
        targets.append(both[:, -1])
    u, d, vt = svd(np.concatenate(blocks), full_matrices=False)
    a = likely_amplitude(d, u.T @ np.concatenate(targets))
    spread = np.split(vt.T * (a / np.sqrt(1 + (a * d) ** 2)), np.cumsum(system.sizes)[:-1])
    factors = tuple(
        kronecker([*own, None], part.reshape(*(w.shape[1] for w in own), -1))
        for own, part in zip(white, spread, strict=True)
    )
    return SystemPosterior(factors, tuple(truncation(f, a) for f in system.fields))


def _roots(system: System, C: Coefficients) -> list[np.ndarray]:
    """Lower Cholesky factors of the noise of every block of rows."""
    between = [(n[1:] + n[:-1]) / 2 for n in system.nodes]
    shape = tuple(n.size for n in system.nodes)
    roots = []
    for rows in system.equations:
        residual = np.broadcast_to(system.values(C, (rows.expression,), rows, between)[0], [p.size for p in between])
        roots.append(np.linalg.cholesky(stationary_noise(residual, shape).covariance(rows.tests)))
    for rows in system.rows[len(system.equations) :]:
        values = np.broadcast_to(
            system.values(C, (rows.expression,), rows, rows.points)[0], [p.size for p in rows.points]
        )
        misfit = max(float(np.sqrt(np.mean(rows.test(values) ** 2))), _LEAST_MISFIT)
        roots.append(misfit * np.eye(rows.count))
    return roots
