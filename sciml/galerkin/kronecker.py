"""Products of matrices with the axes of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def along(matrix: np.ndarray, values: np.ndarray, axis: int) -> np.ndarray:
    """Product of a matrix `(m, n)` with one axis, of length n, of an array."""
    shape = values.shape
    if axis == 0:
        return (matrix @ values.reshape(shape[0], -1)).reshape(matrix.shape[0], *shape[1:])
    if axis == values.ndim - 1:
        return (values.reshape(-1, shape[-1]) @ matrix.T).reshape(*shape[:-1], matrix.shape[0])
    blocks = values.reshape(int(np.prod(shape[:axis])), shape[axis], -1)
    return np.matmul(matrix, blocks).reshape(*shape[:axis], matrix.shape[0], *shape[axis + 1 :])


def kronecker(matrices: Sequence[np.ndarray | None], values: np.ndarray) -> np.ndarray:
    """$(M_1 \\otimes \\cdots \\otimes M_d)$ applied to a tensor; None stands for the identity."""
    for axis, matrix in enumerate(matrices):
        if matrix is not None:
            values = along(matrix, values, axis)
    return values


def outer(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Tensor product of vectors."""
    result = np.ones(())
    for v in vectors:
        result = np.multiply.outer(result, v)
    return result
