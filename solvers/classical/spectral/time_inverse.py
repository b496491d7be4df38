"""Inverse of a linearised evolution on a slab: diagonal in time, direct in space.

With slopes averaged over the slab F'(u) is T ⊗ M + I ⊗ A, with T the derivative of highest order in time, on the nodes
that initial data do not fix, and M and A all of space: mixed derivatives, coupled fields, conditions. The eigenvectors
of T separate it into one direct solve in space for each eigenvalue, (λ M + A) y = g, of which complex pairs need one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from solvers.classical import fast_diagonalisation as fast
from solvers.classical.spectral.assembly import assemble
from solvers.classical.spectral.box_system import Linearisation
from solvers.classical.spectral.statements import Derivative
from solvers.classical.spectral.tensor_grid import TensorGrid

Array = NDArray[np.float64]

_SAME = 1e-12


def time_order(map: Linearisation) -> int:
    """How many initial conditions every field has; 0 if there is no time axis or the fields differ."""
    if map.system.form.time is None:
        return 0
    orders = {sum(row.field == j and row.axis == 0 for row in map.system.rows) for j in range(len(map.inner))}
    return orders.pop() if len(orders) == 1 else 0


def time_inverse(map: Linearisation, memory: dict[str, Any]) -> Callable[[Array], Array]:
    """Approximate F'(u)^-1; exact for linear problems whose slopes do not change with time.

    Args:
        map: a linearised evolution with `time_order(map) > 0`.
        memory: what the last call left: equal matrices on a slab of equal length are not factorised again.

    Returns:
        The inverse, a function of data of the shape of the unknowns.
    """
    order, grid = time_order(map), map.system.grid
    time = grid.axes[0]
    kept = np.arange(order, time.count)
    conditions = np.stack([time.derivative(m)[0] for m in range(order)])
    axis = fast.Axis(time.derivative(order), conditions, np.arange(order))
    values, vectors = (np.asarray(part, dtype=np.complex128) for part in np.linalg.eig(axis.eliminated))
    mass, rest = (_spatial(map, count) for count in (order, 0))
    factors = _factors(values, mass, rest, memory)
    inverse = np.linalg.inv(vectors)
    lift = axis.matrix[np.ix_(kept, axis.replaced)] @ axis.response

    def solve(data: Array) -> Array:
        rows = np.moveaxis(data, 1, 0).reshape(time.count, -1)
        transformed = inverse @ (rows[order:] - lift @ rows[:order] @ mass.T)
        inside = np.zeros((len(kept), rows.shape[1]))
        for index, factor in factors.items():
            twice = 2.0 if values[index].imag > 0 else 1.0
            found = lu_solve(factor, transformed[index], check_finite=False)
            inside += twice * np.real(np.outer(vectors[:, index], found))
        whole = np.concatenate([axis.response @ rows[:order] + axis.lifting @ inside, inside])
        return np.moveaxis(whole.reshape(time.count, data.shape[0], *data.shape[2:]), 0, 1)

    return solve


def _factors(values: Any, mass: Array, rest: Array, memory: dict[str, Any]) -> dict[int, Any]:
    """LU factors of λ M + A for every eigenvalue in the upper half plane, by the eigenvalue's index."""
    before = memory.get("matrices")
    if before is not None and all(_close(a, b) for a, b in zip(before, (values, mass, rest), strict=True)):
        return memory["factors"]
    upper = [index for index, value in enumerate(values) if value.imag >= 0]
    factors = {index: lu_factor(values[index] * mass + rest, overwrite_a=True, check_finite=False) for index in upper}
    memory["matrices"], memory["factors"] = (values, mass, rest), factors
    return factors


def _close(a: Any, b: Any) -> bool:
    return a.shape == b.shape and bool(np.max(np.abs(a - b)) <= _SAME * np.max(np.abs(a)))


def _spatial(map: Linearisation, count: int) -> Array:
    """Matrix in space of the terms that are differentiated `count` times in time, slopes averaged over the slab."""
    space = TensorGrid(map.system.grid.axes[1:])
    pairs = [
        (replace(row, axis=row.axis - 1), slopes)
        for row, slopes in zip(map.system.rows, map.outer, strict=True)
        if row.axis > 0
    ]
    return assemble(
        space,
        [_averaged(slopes, count) for slopes in map.inner],
        [row for row, _ in pairs],
        [_averaged(slopes, count) for _, slopes in pairs],
    )


def _averaged(slopes: Mapping[Derivative, Array], count: int) -> dict[Derivative, Array]:
    return {
        (i, counts[1:]): slope.mean(axis=0) if slope.ndim == len(counts) else slope
        for (i, counts), slope in slopes.items()
        if counts[0] == count
    }
