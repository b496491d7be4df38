r"""Which spectrum each axis needs, read from the problem: source, boundary and initial data, or a residual.

Along an axis the data are *sections*: the source on lines through the box at fixed, irrational fractions of the other
coordinates, and the traces of conditions on faces of the other axes. An axis that no data vary along (a wave from
initial data) takes its frequencies from the dispersion relation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.expr.nodes import Scalar
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.separable import derivative_orders
from sciml.galerkin.statement import AxisPoints, Statement, is_constant
from solvers.gp.features import Line
from solvers.gp.spectrum import Signals, amplitude_spectrum, find_comb, find_lines

_LINES_THROUGH_BOX = 8
_COARSEST = 512
_FINEST = 1 << 14
_BAND_USED = 0.6
_QUIET = 1e-3
_GOLDEN = (np.sqrt(5) - 1) / 2
_VANISHING = 1e-13
_EXPLAINED = 1e-7
_MOST_NODES = 3000
_MOST_WAVES = 16
_MUCH_LESS = 0.1
_FALL_OF_HARMONICS = 8.0
_BELOW_TOLERANCE = 1e-3
_FEWEST_HARMONICS = 12

Sample = Callable[[int], Signals]
"""Signals along an axis on a given number of intervals."""


def irrational_points(lower: float, upper: float, count: int) -> np.ndarray:
    """Points of an interval at multiples of the golden ratio, sorted."""
    return lower + (upper - lower) * np.sort(np.mod(0.5 + _GOLDEN * np.arange(1, count + 1), 1.0))


def section_points(statement: Statement, axis: int, nodes: np.ndarray) -> AxisPoints:
    """A tensor grid of lines along one axis."""
    others = len(statement.axes) - 1
    count = int(np.ceil(_LINES_THROUGH_BOX ** (1 / others))) if others else 1
    return [nodes if k == axis else irrational_points(*statement.bounds(k), count) for k in range(len(statement.axes))]


@final
@dataclass(frozen=True, eq=False)
class Known:
    """A solution that is already there: its spaces and coefficients."""

    discrete: Discretisation
    coefficients: np.ndarray


def section_signals(statement: Statement, axis: int, count: int, known: Known | None) -> Signals:
    """Source and traces along an axis; with a known solution, the source less the nonlinear terms of that.

    Args:
        statement: the problem.
        axis: along which.
        count: intervals between the nodes of a section.
        known: a solution, or None.
    """
    nodes = np.linspace(*statement.bounds(axis), count + 1)
    points = section_points(statement, axis, nodes)
    parts = statement.parts
    forcing: list[Scalar] = [parts.source]
    jets = None
    if known is not None:
        forcing.append(parts.nonlinear)
        jets = known.discrete.jets(known.coefficients, statement.unknown_atoms, points)
    values = np.broadcast_to(sum(statement.evaluate(forcing, points, jets)), [p.size for p in points])
    groups = [values, *(statement.trace(f, points) for f in statement.faces if f.axis != axis)]
    return Signals(nodes, np.concatenate([normalised(_columns(g, axis)) for g in groups], axis=1))


def _columns(values: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def normalised(columns: np.ndarray) -> np.ndarray:
    """Columns of a group, scaled so that the largest has unit root mean square; none if all vanish."""
    scale = np.sqrt(np.mean(columns**2, axis=0)).max(initial=0.0)
    return columns / scale if scale > _VANISHING else columns[:, :0]


def resolved_signals(sample: Sample) -> Signals:
    """Sections on nodes so fine that the upper part of the band is quiet."""
    count = _COARSEST
    while True:
        signals = sample(count)
        frequencies, amplitude = amplitude_spectrum(signals, signals.values)
        loud = frequencies[amplitude > _QUIET * amplitude.max(initial=0.0)]
        if count >= _FINEST or loud.max(initial=0.0) < _BAND_USED * signals.nyquist:
            return signals
        count *= 2


def learn_axis(
    statement: Statement, axis: int, tolerance: float, most_lines: int, known: Known | None
) -> tuple[Line, ...]:
    """Lines that explain the data along one axis, or a comb where lines do not."""

    def sample(count: int) -> Signals:
        return section_signals(statement, axis, count, known)

    return explain(statement, axis, sample, tolerance, most_lines)


def explain(statement: Statement, axis: int, sample: Sample, tolerance: float, most_lines: int) -> tuple[Line, ...]:
    """Lines that explain signals along one axis, sampled on any number of intervals, or a comb where lines do not."""
    if statement.is_periodic(axis):
        return harmonics(statement, axis, needed_harmonics(sample, tolerance))
    lines, left = find_lines(resolved_signals(sample), tolerance=tolerance, most=most_lines)
    if left <= max(_EXPLAINED, tolerance):
        return lines
    broad, better = find_comb(sample, tolerance=tolerance, most_nodes=_MOST_NODES)
    return broad if better < _MUCH_LESS * left else lines


def harmonics(statement: Statement, axis: int, count: int) -> tuple[Line, ...]:
    """Harmonics 0 … count of a periodic axis, with weights that fall towards the last."""
    lower, upper = statement.bounds(axis)
    j = np.arange(count + 1)
    weights = np.exp(-_FALL_OF_HARMONICS * (j / max(count, 1)) ** 2)
    frequencies = 2 * np.pi / (upper - lower) * j
    return tuple(Line(float(m), np.inf, float(w)) for m, w in zip(frequencies, weights, strict=True))


def needed_harmonics(sample: Sample, tolerance: float) -> int:
    """Harmonics that the data along a periodic axis have above a tolerance, and some more."""
    count = _COARSEST
    while True:
        signals = sample(count)
        amplitude = np.abs(np.fft.rfft(signals.values[:-1], axis=0)).max(axis=1, initial=0.0)
        loud = np.flatnonzero(amplitude > tolerance * _BELOW_TOLERANCE * amplitude.max(initial=0.0)).max(initial=0)
        if count >= _FINEST or loud < _BAND_USED * count / 2:
            return max(int(loud) + 4, _FEWEST_HARMONICS)
        count *= 2


def learn_spectra(
    statement: Statement,
    tolerance: float,
    most_lines: int,
    known: Known | None = None,
    kept: Mapping[int, tuple[Line, ...]] | None = None,
) -> tuple[tuple[Line, ...], ...]:
    """Spectrum of every axis.

    Args:
        statement: the problem.
        tolerance: largest relative misfit of the data along an axis.
        most_lines: most lines an axis, beside its smooth part.
        known: a solution whose nonlinear terms count as data, or None.
        kept: lines of axes whose spectrum is there already.
    """
    given, axes = kept or {}, range(len(statement.axes))
    learned = [given.get(k) or learn_axis(statement, k, tolerance, most_lines, known) for k in axes]
    return tuple(
        lines if len(lines) > 1 or len(learned) == 1 or k in given else (*lines, *_waves(statement, k, learned))
        for k, lines in enumerate(learned)
    )


def _waves(statement: Statement, axis: int, learned: Sequence[tuple[Line, ...]]) -> list[Line]:
    """Lines that the dispersion relation gives an axis without lines of its own."""
    others = [[line.frequency for line in lines] for k, lines in enumerate(learned) if k != axis]
    lower, upper = statement.bounds(axis)
    resolvable = 2 * np.pi / (upper - lower)
    return [Line(m, upper - lower) for m in dispersion(statement, axis, others) if m > resolvable][:_MOST_WAVES]


def dispersion(statement: Statement, axis: int, others: Sequence[Sequence[float]]) -> list[float]:
    r"""Frequencies ω along an axis at which $e^{i(\omega x_k + \sum_j m_j x_j)}$ solves the homogeneous equation.

    Only constant coefficients take part; roots that decay or grow faster than they oscillate are left out.

    Args:
        statement: the problem.
        axis: k.
        others: frequencies $m_j$ of each other axis.
    """
    constants = {a: c for a, c in statement.parts.linear.items() if is_constant(c)}
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
