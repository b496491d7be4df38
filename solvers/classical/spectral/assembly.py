"""Collocation matrices of linearised statements, assembled whole, and their direct inverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from solvers.classical.spectral.box_system import Linearisation
from solvers.classical.spectral.statements import Derivative, Row
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]
Slopes = Sequence[Mapping[Derivative, Array]]


def assemble(grid: TensorGrid, inner: Slopes, rows: Sequence[Row], outer: Slopes) -> Array:
    """Matrix of the statements: slopes times Kronecker products of differentiation matrices.

    Args:
        grid: the nodes.
        inner: slopes of the equation of each field.
        rows: conditions, in the order in which they claim nodes.
        outer: slopes of each condition.

    Returns:
        Matrix, shape (fields * nodes, fields * nodes).
    """
    fields, nodes = len(inner), grid.size
    matrix, index = np.zeros((fields, nodes, fields, nodes)), np.arange(nodes).reshape(grid.shape)
    for j, slopes in enumerate(inner):
        for (i, counts), slope in slopes.items():
            weight = np.broadcast_to(slope, grid.shape).reshape(-1, 1)
            matrix[j, :, i, :] += weight * reduce(np.kron, grid.matrices(counts))
    for row, slopes in zip(rows, outer, strict=True):
        claimed = index[row.index].ravel()
        matrix[row.field, claimed] = 0.0
        for (i, counts), slope in slopes.items():
            factors = grid.matrices(counts)
            factors[row.axis] = factors[row.axis][[row.face]]
            weight = np.broadcast_to(slope, row.face_shape(grid.shape)).reshape(-1, 1)
            matrix[row.field, claimed, i] += weight * reduce(np.kron, factors)
    return matrix.reshape(fields * nodes, fields * nodes)


def direct_inverse(map: Linearisation) -> Callable[[Array], Array]:
    """F'(u)^-1 by a dense LU factorisation: O(size^3) once, O(size^2) a solve."""
    matrix = assemble(map.system.grid, map.inner, map.system.rows, map.outer)
    factors = lu_factor(matrix, overwrite_a=True, check_finite=False)
    return lambda data: lu_solve(factors, data.ravel(), check_finite=False).reshape(data.shape)
