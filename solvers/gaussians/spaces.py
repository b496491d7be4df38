"""Compressed Gaussian bases of each axis, and how fine they must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from sciml.galerkin.eigenbasis import Eigenbasis, eigenbasis
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import Statement
from solvers.gaussians.features import NO_LAYERS, Stretching, lattice, periodic_lattice

_NODES_A_CELL = 2.5
_CUT = 1e-10
_SPACE = (5, 1.3)
_TIME = (5, 1.5)
"""Margin in cells, and width over spacing: the measured best for space and for slabs of time."""


@final
@dataclass(frozen=True, eq=False)
class AxisLattice:
    """How an axis is covered.

    Attributes:
        cells: lattice cells inside the interval.
        stretching: where they are denser.
    """

    cells: int
    stretching: Stretching = NO_LAYERS

    def finer(self, factor: float) -> AxisLattice:
        """More cells."""
        return replace(self, cells=int(np.ceil(factor * self.cells)))


def axis_space(statement: Statement, axis: int, cover: AxisLattice) -> AxisSpace:
    """The trial and test spaces of an axis on a Gaussian lattice, compressed by the singular values on its nodes."""
    return AxisSpace(_basis(statement, axis, cover), statement.rows(axis), statement.orders[axis])


def _basis(statement: Statement, axis: int, cover: AxisLattice) -> Eigenbasis:
    bounds = statement.bounds(axis)
    if statement.is_periodic(axis):
        count = int(_NODES_A_CELL * cover.cells)
        features = periodic_lattice(bounds, cover.cells, _SPACE[1])
        return eigenbasis(features, np.linspace(*bounds, count, endpoint=False), _CUT)
    margin, ratio = _TIME if statement.axes[axis].is_time else _SPACE
    count = int(_NODES_A_CELL * (cover.cells + margin))
    features = lattice(bounds, cover.cells, margin, ratio, cover.stretching)
    return eigenbasis(features, _nodes(bounds, count, cover.stretching), _CUT)


def _nodes(bounds: tuple[float, float], count: int, stretching: Stretching) -> np.ndarray:
    """Equally spaced in the stretched coordinate, ends included."""
    if stretching.centres.shape[0] == 0:
        return np.linspace(*bounds, count)
    low, high = stretching.derivatives(np.asarray(bounds, float), 0)[0]
    targets, x = np.linspace(low, high, count), np.linspace(*bounds, count)
    lower, upper = np.full(count, bounds[0]), np.full(count, bounds[1])
    for _ in range(60):
        above = stretching.derivatives(x, 0)[0] > targets
        lower, upper = np.where(above, lower, x), np.where(above, x, upper)
        x = (lower + upper) / 2
    x[0], x[-1] = bounds
    return x
