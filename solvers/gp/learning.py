r"""Which spectrum each axis needs, read from the problem: source, boundary and initial data, or a residual.

Along an axis the data are *sections*: the source on lines through the box at fixed, irrational fractions of the other
coordinates, and the traces of conditions on faces of the other axes. An axis that no data vary along (a wave from
initial data) takes its frequencies from the dispersion relation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sciml.expr.nodes import Scalar
from solvers.gp.galerkin import Discretisation
from solvers.gp.separable import derivative_orders
from solvers.gp.spectrum import Signals, amplitude_spectrum
from solvers.gp.statement import AxisPoints, Statement

_LINES_THROUGH_BOX = 8
_COARSEST = 512
_FINEST = 1 << 14
_BAND_USED = 0.6
_QUIET = 1e-3
_GOLDEN = (np.sqrt(5) - 1) / 2
_VANISHING = 1e-13


def irrational_points(lower: float, upper: float, count: int) -> np.ndarray:
    """Points of an interval at multiples of the golden ratio, sorted."""
    return lower + (upper - lower) * np.sort(np.mod(0.5 + _GOLDEN * np.arange(1, count + 1), 1.0))


def section_points(statement: Statement, axis: int, nodes: np.ndarray) -> AxisPoints:
    """A tensor grid of lines along one axis."""
    others = len(statement.axes) - 1
    count = int(np.ceil(_LINES_THROUGH_BOX ** (1 / others))) if others else 1
    return [
        nodes if k == axis else irrational_points(*statement.bounds(k), count) for k in range(len(statement.axes))
    ]


def section_signals(statement: Statement, axis: int, nodes: np.ndarray, current: Discretisation | None, C: np.ndarray | None) -> Signals:
    """Source and traces along an axis; with a current solution, the source less the nonlinear terms of that.

    Args:
        statement: the problem.
        axis: along which.
        nodes: equally spaced, both ends included.
        current: discretisation of a solution that is already known, or None.
        C: its coefficients.
    """
    points = section_points(statement, axis, nodes)
    parts = statement.parts
    forcing: list[Scalar] = [parts.source]
    jets = None
    if current is not None and C is not None and not parts.is_linear:
        forcing.append(parts.nonlinear)
        jets = current.jets(C, statement.unknown_atoms, points)
    values = sum(statement.evaluate(forcing, points, jets))
    groups = [np.broadcast_to(values, [p.size for p in points])]
    groups += [statement.trace(f, points) for f in statement.faces if f.axis != axis]
    return Signals(nodes, np.concatenate([normalised(_columns(g, axis)) for g in groups], axis=1))


def _columns(values: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def normalised(columns: np.ndarray) -> np.ndarray:
    """Columns of a group, scaled so that the largest has unit root mean square; none if all vanish."""
    scale = np.sqrt(np.mean(columns**2, axis=0)).max(initial=0.0)
    return columns / scale if scale > _VANISHING else columns[:, :0]


def resolved_signals(statement: Statement, axis: int, current: Discretisation | None = None, C: np.ndarray | None = None) -> Signals:
    """Sections on nodes so fine that the upper part of the band is quiet."""
    count = _COARSEST
    while True:
        nodes = np.linspace(*statement.bounds(axis), count + 1)
        signals = section_signals(statement, axis, nodes, current, C)
        frequencies, amplitude = amplitude_spectrum(signals, signals.values)
        loud = frequencies[amplitude > _QUIET * amplitude.max(initial=0.0)]
        if count >= _FINEST or loud.max(initial=0.0) < _BAND_USED * signals.nyquist:
            return signals
        count *= 2


def dispersion(statement: Statement, axis: int, others: Sequence[Sequence[float]]) -> list[float]:
    r"""Frequencies ω along an axis at which $e^{i(\omega x_k + \sum_j m_j x_j)}$ solves the homogeneous equation.

    Only constant coefficients take part; roots that decay or grow faster than they oscillate are left out.

    Args:
        statement: the problem.
        axis: k.
        others: frequencies $m_j$ of each other axis.
    """
    constants = {a: c for a, c in statement.parts.linear.items() if _is_number(c)}
    found: set[float] = set()
    for choice in np.stack(np.meshgrid(*others, indexing="ij"), axis=-1).reshape(-1, len(others)):
        m = [*choice[:axis], 0.0, *choice[axis:]]
        polynomial = np.zeros(statement.orders[axis] + 1, complex)
        for atom, coefficient in constants.items():
            powers = derivative_orders(atom, statement.axes)
            symbol = np.prod([(1j * m[k]) ** p for k, p in enumerate(powers) if k != axis])
            polynomial[powers[axis]] += statement.number(coefficient) * symbol
        for root in np.polynomial.polynomial.polyroots(polynomial):
            if abs(root.imag) > abs(root.real):
                found.add(round(abs(root.imag), 9))
    return sorted(found)


def _is_number(e: Scalar) -> bool:
    from solvers.gp.statement import is_constant

    return is_constant(e)
