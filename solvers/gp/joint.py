r"""Several fields given one equation, their priors and measurements: the joint posterior and its curvature.

With whitened coefficients w, $C_f = \text{lift}_f + (S\Pi \otimes \cdots)\,w_f$, twice the negative logarithm of the
joint density is $|r(w)|^2 + \sum_f |w_f|^2/a_f^2$ plus logarithms, where r holds the tested equation and conditions in
units of a small part of their largest terms, and the measurements' misfits in units of their noise. The equation is
tested by as many functions as the state has directions: it can be met whatever the coefficients are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.linalg import cho_solve, solve_triangular, svd

from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.certificate import rms
from sciml.galerkin.kronecker import kronecker, outer
from sciml.galerkin.system_certificate import residual_and_terms
from sciml.galerkin.systems import Coefficients, Directions, System
from solvers.gp.posterior import whitening
from solvers.gp.scattered import Measurements

_EQUATION_NOISE = 1e-2
_NEGLIGIBLE = 1e-6
_ROUND_OFF = 1e-13

Whitened = list[np.ndarray]
"""A vector w for every field."""


@final
@dataclass(frozen=True, eq=False)
class Scales:
    """What the rows and the priors are measured in.

    Attributes:
        amplitudes: a of each field.
        statements: of each of the system's rows: equations, conditions.
        noise: of every measured value, one observation after the other.
    """

    amplitudes: tuple[float, ...]
    statements: tuple[float, ...]
    noise: np.ndarray


@final
@dataclass(frozen=True, eq=False)
class Joint:
    """Fields of a system with their priors, its statements, and measurements.

    Attributes:
        system: the fields' spaces and what must vanish.
        measured: observations.
        cuts: smallest kept ratio of prior standard deviations of the directions of each field.
    """

    system: System
    measured: tuple[Measurements, ...]
    cuts: tuple[float, ...]

    @cached_property
    def directions(self) -> Directions:
        """Prior directions of every axis of every field, the most variable first."""
        return [[_graded(whitening(s)) for s in f.spaces] for f in self.system.fields]

    @cached_property
    def kept(self) -> list[np.ndarray]:
        """Which products of directions of each field are variable enough to count."""
        found = []
        for own, cut in zip(self.directions, self.cuts, strict=True):
            scales = outer([np.linalg.norm(m, axis=0) for m in own]).ravel()
            found.append(np.flatnonzero(scales > cut * scales.max()))
        return found

    @cached_property
    def sizes(self) -> list[int]:
        """Whitened coefficients of each field."""
        return [chosen.size for chosen in self.kept]

    @cached_property
    def is_linear_in_state(self) -> bool:
        """Whether statements and measurements are linear in the first field, the others held."""
        slopes = [rows.slopes for rows in self.system.rows] + [m.slopes for m in self.measured]
        owner = self.system.owner
        own = [e for each in slopes for a, e in each.items() if owner(a) == 0]
        return not any(is_unknown(a) and owner(a) == 0 for a in atoms(*own))

    def expand(self, field: int, w: np.ndarray) -> np.ndarray:
        """What whitened coefficients `(size, …)` add to the C of a field, `(*ranks, …)`."""
        own = self.directions[field]
        full = np.zeros((int(np.prod([m.shape[1] for m in own])), *w.shape[1:]))
        full[self.kept[field]] = w
        return kronecker([*own, *([None] * (w.ndim - 1))], full.reshape(*(m.shape[1] for m in own), *w.shape[1:]))

    def coefficients(self, w: Whitened) -> Coefficients:
        """C of every field."""
        return [lift + self.expand(k, part) for k, (lift, part) in enumerate(zip(self.system.lift, w, strict=True))]

    def statement_scales(self, w: Whitened) -> tuple[float, ...]:
        """Noise of each of the system's rows: a small part of its largest term."""
        C = self.coefficients(w)
        sizes = [max(rms(v) for v in residual_and_terms(self.system, C, rows)[1]) for rows in self.system.rows]
        floor = _NEGLIGIBLE * max(sizes) or 1.0
        reach = [float(np.prod([np.linalg.norm(t, axis=0).max() for t in rows.tests])) for rows in self.system.rows]
        return tuple(_EQUATION_NOISE * max(size, floor) * r for size, r in zip(sizes, reach, strict=True))

    def misfits(self, w: Whitened) -> np.ndarray:
        """Measured values' misfits $h - y$."""
        C = self.coefficients(w)
        return np.concatenate([m.misfit(C) for m in self.measured])

    def residual(self, w: Whitened, scales: Scales) -> np.ndarray:
        """r, then the priors' rows."""
        statements = [r / s for r, s in zip(self.system.residual(self.coefficients(w)), scales.statements, strict=True)]
        priors = [part / a for part, a in zip(w, scales.amplitudes, strict=True)]
        return np.concatenate([*statements, self.misfits(w) / scales.noise, *priors])

    def jacobian(self, w: Whitened, scales: Scales, fields: int | None = None) -> np.ndarray:
        """Derivative of `residual` with respect to the w of the first so many fields, one field after the other."""
        C, directions = self.coefficients(w), self.directions[:fields]
        chosen = self._columns(fields)
        blocks = [
            self.system.row_jacobian(rows, C, directions)[:, chosen] / s
            for rows, s in zip(self.system.rows, scales.statements, strict=True)
        ]
        measured = np.concatenate([m.jacobian(C, directions)[:, chosen] for m in self.measured])
        amplitudes = np.concatenate([np.full(n, a) for n, a in zip(self.sizes, scales.amplitudes, strict=True)])
        priors = np.diag(1 / amplitudes)[:, : sum(self.sizes[:fields])]
        return np.concatenate([*blocks, measured / scales.noise[:, None], priors])

    def measured_jacobian(self, measured: Measurements, C: Coefficients) -> np.ndarray:
        """Derivative of one observation's values with respect to w."""
        return measured.jacobian(C, self.directions)[:, self._columns(None)]

    def _columns(self, fields: int | None) -> np.ndarray:
        """Numbers of the kept products among those of the first so many fields."""
        counts = [int(np.prod([m.shape[1] for m in own])) for own in self.directions[:fields]]
        starts = np.cumsum([0, *counts])[:-1]
        return np.concatenate([kept + start for kept, start in zip(self.kept[:fields], starts, strict=True)])

    def split(self, w: np.ndarray) -> Whitened:
        """A vector of every field's, cut."""
        return np.split(w, np.cumsum(self.sizes)[:-1])


def _graded(white: np.ndarray) -> np.ndarray:
    """The same covariance from orthogonal directions of decreasing size."""
    u, s, _ = svd(white, full_matrices=False)
    return u * s


@final
@dataclass(frozen=True, eq=False)
class Curvature:
    """The triangle R of $J^TJ = R^TR$: the inverse of the joint covariance's root.

    Attributes:
        triangle: R.
        step: the Gauss–Newton step.
    """

    triangle: np.ndarray
    step: np.ndarray

    @cached_property
    def root(self) -> np.ndarray:
        """$R^{-1}$: the covariance of w is $R^{-1}R^{-T}$."""
        return solve_triangular(self.triangle, np.eye(self.triangle.shape[0]), check_finite=False)


def curvature(J: np.ndarray, r: np.ndarray) -> Curvature | None:
    """Factor $J^TJ$, with the step that makes $|J\\,\\delta + r|$ least; None if that fails.

    The priors' rows bound the condition number, the equation being held to no more digits than measurements need.
    """
    normal, slope = J.T @ J, J.T @ r
    if not (np.isfinite(normal).all() and np.isfinite(slope).all()):
        return None
    scale = 1 / np.sqrt(np.diag(normal))
    normal = scale[:, None] * normal * scale + _ROUND_OFF * np.eye(scale.size)
    try:
        triangle = np.linalg.cholesky(normal).T / scale
    except np.linalg.LinAlgError:
        return None
    return Curvature(triangle, -cho_solve((triangle, False), slope, check_finite=False))
