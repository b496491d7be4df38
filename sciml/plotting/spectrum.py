"""The spectrum that a solver learned, one panel a coordinate, beside the solution where that is a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from sciml.plotting.style import LINES, STYLE, Picture, blank, short_name, symbol
from sciml.spectrum import SpectralLines

if TYPE_CHECKING:
    from sciml.solution import Solution

_POINTS = 1201
_DECADES = 1e-6


def plot_spectrum(solution: Solution) -> Picture:
    """Draw the lines of every coordinate: position, width and amplitude.

    In one dimension the solution and its band of two standard deviations stand on the left.

    Raises:
        SolveError: the solver has no spectrum.
    """
    spectra = solution.spectrum()
    bounds = solution.problem.domain.bounds
    is_curve = len(bounds) == 1 and not solution.problem.fields[0].shape
    with mpl.rc_context(STYLE):
        figure = blank(4.2 * (len(spectra) + is_curve), 2.7)
        figure.suptitle("  ·  ".join(t for t in (solution.problem.name, short_name(solution.solver)) if t))
        panels = figure.subplots(1, len(spectra) + is_curve, squeeze=False)[0]
        if is_curve:
            _curve(panels[0], solution)
        for axes, (name, lines) in zip(panels[int(is_curve) :], spectra.items(), strict=True):
            _lines(axes, name, lines)
    return figure


def _curve(axes: Axes, solution: Solution) -> None:
    ((name, (lower, upper)),) = solution.problem.domain.bounds.items()
    x = np.linspace(lower, upper, _POINTS)
    ((unknown, value),) = solution.values({name: x}).items()
    if solution.deviation is not None:
        spread = solution.values({name: x}, solution.deviation)[unknown]
        band = value - 2 * spread, value + 2 * spread
        label = f"± 2 standard deviations (largest {spread.max():.0e})"
        axes.fill_between(x, *band, color=LINES[1], alpha=0.4, linewidth=0.6, label=label)
    axes.plot(x, value, color=LINES[0], linewidth=0.7, label=symbol(unknown))
    axes.set_xlim(lower, upper)
    axes.set_xlabel(symbol(name))
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)


def _lines(axes: Axes, name: str, lines: SpectralLines) -> None:
    floor = _DECADES * float(lines.amplitudes.max(initial=1e-300))
    heights = np.maximum(lines.amplitudes, floor)
    axes.set_yscale("log")
    axes.vlines(lines.frequencies, floor, heights, color=LINES[0])
    axes.errorbar(lines.frequencies, heights, xerr=lines.widths, fmt="o", color=LINES[0], markersize=4, elinewidth=1)
    axes.set_ylim(floor, None)
    axes.set_xlabel(f"angular frequency along {symbol(name)}")
    axes.set_ylabel("amplitude (rms)")
