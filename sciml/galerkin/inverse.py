r"""Inverse of a separable operator by fast diagonalisation, one axis at a time.

An axis on which only one combination A of factors occurs beside the identity is diagonalised: $A v = \lambda M v$ turns
it into numbers. If all axes are, the operator is a tensor of denominators; at most one axis may stay as it is, and is
solved densely for every mode of the others.
Source: Lynch, Rice & Thomas, doi:10.1007/BF01386067.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.galerkin.kronecker import along, outer
from sciml.galerkin.separable import IDENTITY, Factor, Terms

WELL_CONDITIONED = 1e6
"""Largest condition, in the 1-norm, of modes that solve an equation."""

_SYMMETRIC = 1e-12
"""Asymmetry, relative to the norm, that is round-off: the double eigenvalues of a circle then have good vectors."""
_COMBINED = Factor(-1)

Matrices = Mapping[Factor, np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class Modes:
    """One axis diagonalised: $V^{-1}M^{-1}$, V, eigenvalues, and V's condition in the 1-norm."""

    left: np.ndarray
    right: np.ndarray
    eigenvalues: np.ndarray
    condition: float


@final
@dataclass(frozen=True, eq=False)
class SeparableInverse:
    """The inverse; call it on a tensor of tested residuals.

    Attributes:
        modes: of each axis; None for the one that is solved densely.
        denominators: tensor over all modes; without a dense axis.
        blocks: inverse matrices of the dense axis, one for each mode of the others.
        smallest: reciprocal condition: how close to singular the operator is.
    """

    modes: tuple[Modes | None, ...]
    denominators: np.ndarray | None
    blocks: np.ndarray | None
    smallest: float

    def __call__(self, values: np.ndarray) -> np.ndarray:
        for k, mode in enumerate(self.modes):
            if mode is not None:
                values = along(mode.left, values, k)
        values = values / self.denominators if self.blocks is None else self._solve_blocks(values)
        for k, mode in enumerate(self.modes):
            if mode is not None:
                values = along(mode.right, values, k)
        return np.ascontiguousarray(np.real(values))

    def _solve_blocks(self, values: np.ndarray) -> np.ndarray:
        dense = self.modes.index(None)
        solved = self.blocks @ np.moveaxis(values, dense, -1)[..., None]  # type: ignore[operator]
        return np.moveaxis(solved[..., 0], -1, dense)


def combination(terms: Terms, axis: int) -> dict[Factor, float] | None:
    """The one combination of factors, beside the identity, that an axis carries in all terms; None if several."""
    rows: dict[tuple[Factor, ...], dict[Factor, float]] = {}
    for key, c in terms.items():
        if key[axis] != IDENTITY:
            rest = key[:axis] + key[axis + 1 :]
            rows.setdefault(rest, {})[key[axis]] = c
    factors = sorted({f for row in rows.values() for f in row}, key=lambda f: (f.order, f.weights or b""))
    table = np.array([[row.get(f, 0.0) for f in factors] for row in rows.values()]).reshape(len(rows), len(factors))
    if not factors:
        return {}
    direction = table[np.argmax(np.abs(table).max(axis=1))]
    direction = direction / np.max(np.abs(direction))
    shares = table @ direction / (direction @ direction)
    if not np.allclose(np.outer(shares, direction), table, rtol=1e-14, atol=1e-14 * np.abs(table).max()):
        return None
    return dict(zip(factors, direction.tolist(), strict=True))


def _combine(terms: Terms, axis: int, direction: Mapping[Factor, float]) -> Terms:
    """Terms with the axis's factors replaced by multiples of their combination."""
    pivot = max(direction, key=lambda f: abs(direction[f])) if direction else None
    result: Terms = {}
    for key, c in terms.items():
        if key[axis] == IDENTITY:
            result[key] = result.get(key, 0.0) + c
        elif key[axis] == pivot:
            new = (*key[:axis], _COMBINED, *key[axis + 1 :])
            result[new] = result.get(new, 0.0) + c / direction[key[axis]]
    return result


def diagonalise(mass: np.ndarray, matrix: np.ndarray) -> Modes:
    """Modes of $A v = \\lambda M v$."""
    inverse = np.linalg.inv(mass)
    product = inverse @ matrix
    if np.linalg.norm(product - product.T) <= _SYMMETRIC * np.linalg.norm(product):
        values, vectors = np.linalg.eigh((product + product.T) / 2)
        return Modes(vectors.T @ inverse, vectors, values, 1.0)
    values, vectors = np.linalg.eig(product)
    if np.all(np.abs(np.imag(values)) <= 1e-14 * np.max(np.abs(values), initial=0.0)):
        values, vectors = np.real(values), np.real(vectors)
    try:
        back = np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        return Modes(inverse, vectors, values, float("inf"))
    condition = float(np.linalg.norm(vectors, 1) * np.linalg.norm(back, 1))
    return Modes(back @ inverse, vectors, values, condition)


Memory = MutableMapping[tuple[tuple[Factor, float], ...], Modes]
"""Modes of an axis that were found before, by the combination of factors."""


def separable_inverse(
    terms: Terms,
    matrices: Sequence[Matrices],
    memories: Sequence[Memory] | None = None,
    limit: float = WELL_CONDITIONED,
) -> SeparableInverse | None:
    """Factorise a separable operator.

    Args:
        terms: coefficients of the Kronecker products.
        matrices: of each axis, tested and restricted, with the identity's.
        memories: of each axis; an axis is not diagonalised twice for one combination.
        limit: largest condition of an axis's modes.

    Returns:
        The inverse, or None if more than one axis carries several independent factors or cannot be diagonalised well.
    """
    modes: list[Modes | None] = []
    for k, own in enumerate(matrices):
        direction = combination(terms, k)
        if direction is None or len(matrices) == 1:  # one axis alone has no use for modes
            modes.append(None)
            continue
        memory, key = {} if memories is None else memories[k], tuple(direction.items())
        if key not in memory:
            matrix = sum((c * own[f] for f, c in direction.items()), start=np.zeros_like(own[IDENTITY]))
            memory[key] = diagonalise(own[IDENTITY], matrix)
        mode = memory[key]
        if mode.condition > limit:
            modes.append(None)
        else:
            modes.append(mode)
            terms = _combine(terms, k, direction)
    if modes.count(None) > 1:
        return None
    return _assemble(terms, matrices, modes)


def _assemble(terms: Terms, matrices: Sequence[Matrices], modes: list[Modes | None]) -> SeparableInverse:
    ones = [np.ones(own[IDENTITY].shape[1]) for own in matrices]

    def numbers(key: tuple[Factor, ...], skip: int) -> np.ndarray:
        parts = []
        for k, (factor, mode) in enumerate(zip(key, modes, strict=True)):
            if k != skip:
                parts.append(mode.eigenvalues if mode is not None and factor == _COMBINED else ones[k])
        return outer(parts)

    if None not in modes:
        total = sum((c * numbers(key, -1) for key, c in terms.items()), start=np.zeros([o.size for o in ones]))
        size = np.abs(total)
        return SeparableInverse(tuple(modes), total, None, float(size.min() / size.max()))
    dense = modes.index(None)
    shape = [o.size for k, o in enumerate(ones) if k != dense]
    blocks = sum(
        (c * numbers(key, dense)[..., None, None] * matrices[dense][key[dense]] for key, c in terms.items()),
        start=np.zeros((*shape, 1, 1)),
    )
    try:
        inverses = np.linalg.inv(blocks)
    except np.linalg.LinAlgError:
        return SeparableInverse(tuple(modes), None, blocks, 0.0)
    sizes = np.linalg.norm(blocks, axis=(-2, -1)).max() * np.linalg.norm(inverses, axis=(-2, -1)).max()
    return SeparableInverse(tuple(modes), None, inverses, float(1 / sizes))
