"""Compressed Gaussian bases of each axis, and how fine they must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast, final

import numpy as np

from sciml.galerkin.eigenbasis import Eigenbasis, eigenbasis
from sciml.galerkin.second_order_time import SecondOrderTime, is_second_order_start
from sciml.galerkin.spaces import AxisSpace, FaceRow
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
    """The trial and test spaces of an axis on a Gaussian lattice, compressed by the singular values on its nodes.

    Equations of second order in time have Gauss-Legendre nodes: with equally spaced ones the second derivative in space
    has complex eigenvalues, harmless where modes decay, but an oscillation grows by them.
    """
    rows, order = statement.rows(axis), statement.orders[axis]
    start = next((k for k, x in enumerate(statement.axes) if x.is_time), None)
    oscillates = start is not None and is_second_order_start(statement.rows(start), statement.orders[start])
    if oscillates and axis == start:
        return cast(AxisSpace, _second_order_time(statement.bounds(axis), cover, rows))
    return AxisSpace(_basis(statement, axis, cover, oscillates), rows, order)


def _second_order_time(bounds: tuple[float, float], cover: AxisLattice, rows: tuple[FaceRow, ...]) -> SecondOrderTime:
    margin, ratio = _TIME
    count = _count(cover, margin)
    nodes, weights = np.polynomial.legendre.leggauss(count)
    basis = eigenbasis(lattice(bounds, cover.cells, margin, ratio), _between(bounds, nodes), _CUT)
    return SecondOrderTime(basis, weights * (bounds[1] - bounds[0]) / 2, rows)


def _basis(statement: Statement, axis: int, cover: AxisLattice, gauss: bool) -> Eigenbasis:
    bounds = statement.bounds(axis)
    if statement.is_periodic(axis):
        features = periodic_lattice(bounds, cover.cells, _SPACE[1])
        return eigenbasis(features, np.linspace(*bounds, _count(cover, 0), endpoint=False), _CUT)
    margin, ratio = _TIME if statement.axes[axis].is_time else _SPACE
    count = _count(cover, margin)
    places = np.polynomial.legendre.leggauss(count)[0] if gauss else np.linspace(-1, 1, count)
    features = lattice(bounds, cover.cells, margin, ratio, cover.stretching)
    return eigenbasis(features, _nodes(bounds, places, cover.stretching), _CUT)


def _count(cover: AxisLattice, margin: int) -> int:
    return int(_NODES_A_CELL * (cover.cells + margin))


def _between(bounds: tuple[float, float], places: np.ndarray) -> np.ndarray:
    """From [-1, 1] to an interval."""
    return (bounds[0] + bounds[1]) / 2 + (bounds[1] - bounds[0]) / 2 * places


def _nodes(bounds: tuple[float, float], places: np.ndarray, stretching: Stretching) -> np.ndarray:
    """Nodes at given places of [-1, 1] in the stretched coordinate; ends are met exactly."""
    x = _between(bounds, places)
    if stretching.centres.shape[0]:
        low, high = (float(v) for v in stretching.derivatives(np.asarray(bounds, float), 0)[0])
        targets = _between((low, high), places)
        lower, upper = np.full(x.size, bounds[0]), np.full(x.size, bounds[1])
        for _ in range(60):
            above = stretching.derivatives(x, 0)[0] > targets
            lower, upper = np.where(above, lower, x), np.where(above, x, upper)
            x = (lower + upper) / 2
    return np.where(places == -1, bounds[0], np.where(places == 1, bounds[1], x))
