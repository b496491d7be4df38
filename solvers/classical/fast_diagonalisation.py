"""Direct solution of separable operators on tensor grids, one axis at a time.

    (A_1 ⊗ I ⊗ ... + I ⊗ A_2 ⊗ ... + ... + c) u = f   inside,      B_k u = g   on the two faces of axis k.

Each axis eliminates its face values through its own condition rows (Dirichlet, Neumann, Robin, or several a face), is
diagonalised once at O(n^3), and a solve costs 2 d matrix products, O(d n^{d+1}). One axis whose eigenvectors are too
ill-conditioned (a time axis, say) is brought to Schur form instead and solved by substitution.
Reference: Lynch, Rice & Thomas, doi:10.1007/BF01386067.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import schur

from sciml.galerkin.kronecker import along

Array = NDArray[np.float64]
Numbers = Any
"""A real or complex array."""

_SCHUR_ABOVE = 1e6
_SYMMETRY = 1e-8
_SINGULAR = 1e-14


@final
@dataclass(frozen=True)
class Axis:
    """One factor of a separable operator: its matrix, and the condition rows that stand for some of its nodes.

    Args:
        matrix: A, shape (n, n), acting on all nodes of the axis.
        conditions: B, shape (m, n), one row for each condition; m may be 0 (a periodic axis).
        replaced: indices of the m nodes whose values the conditions determine.
        weights: positive quadrature weights in which the eliminated matrix may be symmetric, shape (n,), or None.
    """

    matrix: Array
    conditions: Array
    replaced: NDArray[np.intp]
    weights: Array | None = None
    kept: NDArray[np.intp] = field(init=False)
    response: Array = field(init=False)
    lifting: Array = field(init=False)

    def __post_init__(self) -> None:
        kept = np.setdiff1d(np.arange(self.matrix.shape[0]), self.replaced)
        inverse = np.linalg.inv(self.conditions[:, self.replaced])
        object.__setattr__(self, "kept", kept)
        object.__setattr__(self, "response", inverse)
        object.__setattr__(self, "lifting", -inverse @ self.conditions[:, kept])

    @property
    def eliminated(self) -> Array:
        """The matrix on the kept nodes, with the replaced values expressed by them."""
        rows = self.matrix[self.kept]
        return rows[:, self.kept] + rows[:, self.replaced] @ self.lifting


@final
@dataclass(frozen=True)
class _Spectrum:
    """A = right · middle · left on the kept nodes: middle is diagonal (eigenvalues), or triangular for a Schur form."""

    right: Numbers
    left: Numbers
    eigenvalues: Numbers
    triangular: NDArray[np.complex128] | None = None
    condition: float = 1.0


@final
@dataclass(frozen=True)
class Factorisation:
    """The inverse of a separable operator; made by `factorise`, applied by `solve`."""

    axes: tuple[Axis, ...]
    spectra: tuple[_Spectrum, ...]
    denominators: Numbers
    singular: bool


def factorise(axes: Sequence[Axis], constant: float = 0.0) -> Factorisation:
    """Diagonalise every axis of sum_k A_k + c under its condition rows.

    Args:
        axes: one `Axis` for each dimension.
        constant: c.

    Returns:
        A `Factorisation`. Directions in which the operator vanishes to round-off (a Neumann problem's constant) are
        left out of the inverse and reported by `singular`.
    """
    spectra = [_diagonalise(axis) for axis in axes]
    worst = int(np.argmax([spectrum.condition for spectrum in spectra]))
    if spectra[worst].condition > _SCHUR_ABOVE:
        spectra[worst] = _triangularise(axes[worst])
    total: Numbers = np.asarray(constant, dtype=np.float64)
    for spectrum in spectra:
        total = np.add.outer(total, spectrum.eigenvalues)
    total = total.reshape([spectrum.eigenvalues.size for spectrum in spectra])
    size = np.abs(total)
    vanishing = size <= _SINGULAR * size.max(initial=0.0)
    safe = np.where(vanishing, np.inf, total) if not np.iscomplexobj(total) else np.where(vanishing, np.inf + 0j, total)
    return Factorisation(tuple(axes), tuple(spectra), safe, bool(vanishing.any()))


def _diagonalise(axis: Axis) -> _Spectrum:
    matrix = axis.eliminated
    if axis.weights is not None:
        scale = np.sqrt(axis.weights[axis.kept])
        similar = matrix * scale[:, None] / scale[None, :]
        if np.max(np.abs(similar - similar.T), initial=0.0) <= _SYMMETRY * np.max(np.abs(similar), initial=0.0):
            values, vectors = np.linalg.eigh((similar + similar.T) / 2)
            return _Spectrum(vectors / scale[:, None], vectors.T * scale[None, :], values)
    values: Numbers
    vectors: Numbers
    values, vectors = np.linalg.eig(matrix)
    if np.all(np.abs(np.imag(values)) <= 1e-14 * np.max(np.abs(values), initial=0.0)):
        values, vectors = np.real(values), np.real(vectors)
    try:
        inverse = np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        return _triangularise(axis, condition=np.inf)
    condition = float(np.linalg.norm(vectors) * np.linalg.norm(inverse)) / max(len(values), 1)
    return _Spectrum(vectors, inverse, values, condition=condition)


def _triangularise(axis: Axis, condition: float = 1.0) -> _Spectrum:
    triangular, vectors = schur(axis.eliminated, output="complex")[:2]
    return _Spectrum(vectors, vectors.conj().T, np.diag(triangular), np.triu(triangular, 1), condition)


def solve(factorisation: Factorisation, data: Array) -> Array:
    """Solve the operator and its condition rows for one right-hand side.

    Args:
        factorisation: from `factorise`.
        data: right-hand side on the full tensor grid, shape (n_1, ..., n_d): f at kept nodes; at nodes that an axis
            replaces, the data of that axis's conditions (the first such axis, where faces meet).

    Returns:
        u on the full grid.
    """
    axes = factorisation.axes
    lift = extend(axes, np.zeros([axis.kept.size for axis in axes]), data)
    inside = _inside(axes, data)
    for k, axis in enumerate(axes):
        if axis.replaced.size:
            inside = inside - _inside(axes, along(axis.matrix[axis.kept], lift, k), done=k)
    return extend(axes, _invert(factorisation, inside), data)


def _inside(axes: Sequence[Axis], values: Array, done: int = -1) -> Array:
    for k, axis in enumerate(axes):
        if k != done and axis.replaced.size:
            values = np.take(values, axis.kept, axis=k)
    return values


def _invert(factorisation: Factorisation, inside: Array) -> Array:
    values: Numbers = inside
    for k, spectrum in enumerate(factorisation.spectra):
        values = along(spectrum.left, values, k)
    upper = [(k, spectrum.triangular) for k, spectrum in enumerate(factorisation.spectra)]
    upper = [(k, triangular) for k, triangular in upper if triangular is not None]
    if upper:
        values = _substitute(upper[0][1], factorisation.denominators, values, upper[0][0])
    else:
        values = values / factorisation.denominators
    for k, spectrum in enumerate(factorisation.spectra):
        values = along(spectrum.right, values, k)
    return np.ascontiguousarray(values.real)


def _substitute(triangular: NDArray[np.complex128], denominators: Numbers, values: Numbers, axis: int) -> Numbers:
    """Back substitution along the Schur axis, for all other modes at once."""
    right = np.moveaxis(np.asarray(values, dtype=np.complex128), axis, 0).copy()
    diagonal = np.moveaxis(denominators, axis, 0)
    for row in range(right.shape[0] - 1, -1, -1):
        right[row] = (right[row] - np.tensordot(triangular[row, row + 1 :], right[row + 1 :], axes=1)) / diagonal[row]
    return np.moveaxis(right, 0, axis)


def extend(axes: Sequence[Axis], inside: Array, data: Array) -> Array:
    """Values on the full grid from those at the kept nodes and the data of the condition rows.

    Args:
        axes: one `Axis` for each dimension.
        inside: values at the kept nodes, shape (kept_1, ..., kept_d).
        data: full-grid array whose replaced nodes hold the condition data.

    Returns:
        Full-grid values that satisfy every condition row.
    """
    values = inside
    for k in range(len(axes) - 1, -1, -1):
        axis = axes[k]
        if not axis.replaced.size:
            continue
        face = data
        for other in range(k):
            face = np.take(face, axes[other].kept, axis=other)
        face = np.take(face, axis.replaced, axis=k)
        shape = list(values.shape)
        shape[k] = axis.matrix.shape[0]
        grown = np.empty(shape)
        at: list[slice | NDArray[np.intp]] = [slice(None)] * grown.ndim
        at[k] = axis.kept
        grown[tuple(at)] = values
        at[k] = axis.replaced
        grown[tuple(at)] = along(axis.response, face, k) + along(axis.lifting, values, k)
        values = grown
    return values
