r"""Spectral lines of signals on one axis, and the length scales of their kernel.

Lines are the peaks of a windowed, zero-padded FFT (log-parabolic interpolation puts a single line within 1e-6 of its
place); then residual pursuit: the signals are fitted by the eigenbasis of the lines so far, the lines move to where
their evidence is largest, and the highest peak of what is left joins them. A zero-frequency component is always there:
it carries the smooth part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sciml.galerkin.eigenbasis import Eigenbasis, eigenbasis
from sciml.signals import Signals, amplitude_spectrum, peaks
from solvers.gp.features import LadderFeatures, Line, ladder_count
from solvers.gp.refinement import likeliest

_CLEAR_PEAK = 0.05
_LINE_LENGTH = 1.0
_SMOOTH_LENGTH = 0.6
_COMB_LENGTH = 0.3
_COMB_SPACING = 10.0
_FIRST_LOOK = 1 << 12
_QUIET = 1e-3
_NODES_A_FUNCTION = 4
_PAYS = 1 / 3
_ANNEALED, _LOOSE = (1e-3, 1e-5, 1e-7), 10.0


def smooth_line(extent: float, length: float = _SMOOTH_LENGTH) -> Line:
    """The zero-frequency component."""
    return Line(0.0, length * extent)


def mixture_basis(lines: tuple[Line, ...], nodes: np.ndarray) -> Eigenbasis:
    """Eigenbasis of a Gaussian mixture on nodes with both ends."""
    return eigenbasis(LadderFeatures(lines, float(nodes[0]), float(nodes[-1])), nodes)


def misfit(lines: tuple[Line, ...], signals: Signals) -> np.ndarray:
    """What the mixture's eigenbasis leaves of the signals, by least squares."""
    basis = mixture_basis(lines, signals.nodes)
    return signals.values - basis.vectors @ (basis.vectors.T @ signals.values)


def size(values: np.ndarray) -> float:
    """Largest root mean square over the columns."""
    return float(np.sqrt(np.mean(values**2, axis=0)).max(initial=0.0))


def find_lines(signals: Signals, *, tolerance: float, most: int) -> tuple[tuple[Line, ...], float]:
    """A Gaussian mixture that explains signals.

    Args:
        signals: what is to be explained.
        tolerance: largest root mean square that may be left of a signal of unit size.
        most: most lines beside the smooth part.

    Returns:
        The lines, the smooth one first, and the root mean square that they leave.
    """
    extent = signals.extent
    found = [smooth_line(extent)]
    if signals.values.shape[1] == 0:
        return tuple(found), 0.0
    rest = misfit(tuple(found), signals)
    if size(rest) > tolerance:
        found += [Line(m, _LINE_LENGTH * extent) for m in peaks(signals, signals.values, _CLEAR_PEAK)[:most]]
        found, rest = _settled(found, signals, tolerance)
    while size(rest) > tolerance and len(found) <= most:
        fresh = [m for m in peaks(signals, rest, 0.5) if _is_new(m, found, signals.bin)]
        if not fresh:
            break
        longer, left = _settled([*found, Line(fresh[0], _LINE_LENGTH * extent)], signals, tolerance)
        if not size(left) < size(rest) * _PAYS:
            break
        found, rest = longer, left
    return tuple(found), size(rest)


def _settled(lines: list[Line], signals: Signals, tolerance: float) -> tuple[list[Line], np.ndarray]:
    """Lines, moved to where evidence is largest if they do not explain the signals as they are, and what they leave.

    The peak of a spectrum lies off the line that would explain it where the two are only a few bins from other lines.
    The noise is annealed, from ten times the misfit at most: where it is small from the start, lines a few bins off do
    not move.
    """
    best, rest, moved = lines, misfit(tuple(lines), signals), tuple(lines)
    for noise in _ANNEALED:
        if size(rest) <= tolerance:
            break
        if noise <= _LOOSE * size(rest):
            moved = likeliest(moved, signals, noise)
            left = misfit(moved, signals)
            if size(left) < size(rest):
                best, rest = list(moved), left
    return best, rest


def _is_new(frequency: float, lines: list[Line], bin_width: float) -> bool:
    return all(abs(frequency - line.frequency) > bin_width / 2 for line in lines)


def comb(extent: float, edge: float) -> tuple[Line, ...]:
    """Equally spaced broad lines up to a band edge: a kernel for signals without lines."""
    spacing = _COMB_SPACING * 2 * np.pi / extent
    count = max(int(np.ceil(edge / spacing - 0.5)), 0)
    return tuple(Line(spacing * j, _COMB_LENGTH * extent) for j in range(count + 1))


def band_edge(lines: tuple[Line, ...]) -> float:
    """Largest frequency that a mixture carries well."""
    return max(line.frequency + 2 / line.length for line in lines)


def wanted_nodes(lines: tuple[Line, ...], extent: float, oversampling: float) -> int:
    """Nodes that resolve the band of a mixture and determine all functions of its eigenbasis."""
    half_periods = extent * band_edge(lines) / np.pi
    functions = sum((1 + (line.frequency > 0)) * ladder_count(extent, line.length) for line in lines)
    rank = min(functions, 1.4 * half_periods + 30)
    return int(max(oversampling * half_periods + 48, _NODES_A_FUNCTION * rank))


def find_comb(sample: Callable[[int], Signals], *, tolerance: float, most_nodes: int) -> tuple[tuple[Line, ...], float]:
    """The narrowest comb that explains signals at nodes held out, or the best one.

    The comb is fitted on every other node and judged between them; its band grows until that stops paying.

    Args:
        sample: signals on a given number of intervals.
        tolerance: as in `find_lines`.
        most_nodes: bound on the nodes of the fit.

    Returns:
        The lines and the root mean square that they leave.
    """
    signals = sample(_FIRST_LOOK)
    frequencies, amplitude = amplitude_spectrum(signals, signals.values)
    edge = float(frequencies[amplitude > _QUIET * amplitude.max()].max())
    best, least, failures = comb(signals.extent, 0.0), np.inf, 0
    while failures < 2:
        lines = comb(signals.extent, edge)
        fitted = wanted_nodes(lines, signals.extent, 1.5)
        if fitted > most_nodes:
            break
        left = held_out_misfit(lines, sample(2 * fitted))
        failures = 0 if left < least / 3 else failures + 1
        if left < least:
            best, least = lines, left
        if least <= tolerance:
            break
        edge += _COMB_SPACING * signals.bin
    return best, float(least)


def held_out_misfit(lines: tuple[Line, ...], signals: Signals) -> float:
    """Root mean square error, between the nodes, of the least-squares fit on every other node."""
    basis = mixture_basis(lines, signals.nodes[::2])
    between = signals.nodes[1::2]
    return size(basis.at(between)[0] @ (basis.vectors.T @ signals.values[::2]) - signals.values[1::2])
