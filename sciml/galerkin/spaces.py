r"""Trial and test spaces of one axis: what its face conditions leave free.

In the eigenbasis a condition on a face of the axis is a row b: $b\cdot c = g$ with $b = \alpha\psi(x_f) +
\gamma\psi'(x_f)$. Given its data alone the prior's conditional mean is $c = P g$, $P = S^2B^T(BS^2B^T)^{-1}$; the rest
moves in the null space N of the rows. The equation is tested by W: by N itself where every face has its condition, else
(initial data, inflow) by the range of the highest derivative, which is as large as N; with
more conditions than derivatives by a space between both. A basis with a function for every node collocates instead: at
all nodes but the nearest to each condition's face, where rough functions have a derivative of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np
from scipy.linalg import qr, svd

from sciml.galerkin.eigenbasis import Eigenbasis
from sciml.galerkin.separable import IDENTITY, Factor

_DEPENDENT = 1e-13


@final
@dataclass(frozen=True)
class FaceRow:
    r"""One condition $\alpha u + \gamma\,\partial u/\partial x = g$ (or on a higher derivative) at one end of an axis.

    Attributes:
        position: coordinate of the face.
        coefficients: those of $u, u', \dots$ along the axis.
    """

    position: float
    coefficients: tuple[float, ...]


@final
@dataclass(frozen=True, eq=False)
class AxisSpace:
    """An axis with its basis, its condition rows, and the matrices of one-axis factors.

    Attributes:
        basis: eigenbasis on the nodes.
        rows: conditions on the faces of the axis.
        order: highest derivative of the equation along the axis.
        modes: what `separable_inverse` has diagonalised on this axis.
        projected: matrices of the factors that were asked for before.
    """

    basis: Eigenbasis
    rows: tuple[FaceRow, ...]
    order: int
    modes: dict[Any, Any] = field(default_factory=dict, repr=False)
    projected: dict[Factor, np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def values(self) -> list[np.ndarray]:
        """Basis functions and their derivatives on the nodes, `(n, rank)` each."""
        return [self.basis.vectors, *self.basis.at(self.basis.nodes, max(self.order, 1))[1:]]

    @property
    def analysis(self) -> np.ndarray:
        """Coefficients of a function from its values on the nodes, `(rank, n)`."""
        return self.values[0].T

    @cached_property
    def constraint(self) -> np.ndarray:
        """B, `(rows, rank)`."""
        return np.stack([self.row(r) for r in self.rows]) if self.rows else np.zeros((0, self.basis.rank))

    def row(self, r: FaceRow) -> np.ndarray:
        """One condition as a row over the basis."""
        jets = self.basis.at(np.array([r.position]), len(r.coefficients) - 1)
        return sum(c * jet[0] for c, jet in zip(r.coefficients, jets, strict=True))  # type: ignore[return-value]

    @cached_property
    def lift(self) -> np.ndarray:
        """P, `(rank, rows)`: the prior's mean given one unit of data on each row."""
        weighted = self.basis.scales[:, None] ** 2 * self.constraint.T
        return np.linalg.solve((self.constraint @ weighted).T, weighted.T).T

    @cached_property
    def trial(self) -> np.ndarray:
        """N, `(rank, free)`, orthonormal."""
        if not self.rows:
            return np.eye(self.basis.rank)
        return null_space(self.constraint)

    @cached_property
    def test(self) -> np.ndarray:
        """W, `(rank, free)`, orthonormal."""
        at_ends = [sum(r.position == end for r in self.rows) for end in {r.position for r in self.rows}]
        if not self.rows or at_ends == [self.order / 2] * 2:
            return self.trial
        if self.basis.rank == self.basis.nodes.size:
            return self._collocation
        highest = self.values[0].T @ self.values[self.order] @ self.trial
        left, _, _ = svd(highest, full_matrices=False)
        if len(self.rows) > self.order:  # the range may be orthogonal to a part of N: take the space between both
            left = svd(np.hstack([left, self.trial]), full_matrices=False)[0][:, : self.free]
        return left

    @property
    def _collocation(self) -> np.ndarray:
        """W that reads a residual off the nodes, but for the nearest to each condition's face."""
        kept = np.arange(self.basis.nodes.size)
        for r in self.rows:
            kept = np.delete(kept, np.argmin(np.abs(self.basis.nodes[kept] - r.position)))
        return self.values[0][kept].T

    @property
    def free(self) -> int:
        """Dimension of the trial space."""
        return self.basis.rank - len(self.rows)

    def project(self, factor: Factor) -> np.ndarray:
        """$Q^T w\\,\\psi^{(p)}$, `(rank, rank)`: a factor within the basis."""
        weights = factor.values
        derivative = self.values[factor.order]
        return self.values[0].T @ (derivative if weights is None else weights[:, None] * derivative)

    def matrices(self, factors: Iterable[Factor]) -> dict[Factor, np.ndarray]:
        """$W^T Q^T w\\,\\psi^{(p)} N$ for each factor, always with the identity's."""
        found = {}
        for f in {IDENTITY, *factors}:
            matrix = self.projected.get(f)
            found[f] = self.test.T @ self.project(f) @ self.trial if matrix is None else matrix
            if f.weights is None:
                self.projected[f] = found[f]
        return found


def null_space(rows: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the vectors that few rows, whatever their sizes, take to zero; `(n, n - rank)`."""
    scaled = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    factors: Any = qr(scaled.T, pivoting=True)
    q, r = factors[0], factors[1]
    rank = int(np.sum(np.abs(np.diag(r)) > _DEPENDENT))
    return q[:, rank:]
