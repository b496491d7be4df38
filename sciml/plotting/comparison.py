"""Several solutions of one problem beside the truth: values on one scale, errors on another, cost against error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from sciml.domains.bodies import Bodies
from sciml.domains.grids import AbstractGrid, Grid
from sciml.metrics import relative_l2
from sciml.plotting.bodies import plot_bodies
from sciml.plotting.maps import PANEL, colour_bar, draw_map, error_scale, hide_inner_labels, on_log_axis, value_scale
from sciml.plotting.sections import Section, cut_of_grid
from sciml.plotting.solution import time_of
from sciml.plotting.style import LINES, STYLE, TRUTH, Picture, blank, symbol, where

if TYPE_CHECKING:
    from sciml.reference import AbstractReference
    from sciml.solution import Solution

DASHES = ("-", "--", "-.", ":")


@final
@dataclass(frozen=True)
class Contest:
    """What is compared: values of one scalar unknown on a grid, by the name of the solution.

    Attributes:
        problem: its name.
        unknown: which scalar unknown.
        values: `(*grid)` for each solution.
        truth: `(*grid)`, if known.
        errors: relative L2 error of each solution, if the truth is known.
        seconds: wall seconds of each solution.
    """

    problem: str
    unknown: str
    values: dict[str, np.ndarray]
    truth: np.ndarray | None
    errors: dict[str, float]
    seconds: dict[str, float]

    def title(self, held: Mapping[str, float]) -> str:
        """Problem, unknown and the coordinates held."""
        at = f" at {where(dict(held))}" if held else ""
        return f"{self.problem}:  {symbol(self.unknown)}{at}" if self.problem else symbol(self.unknown) + at


def plot_comparison(
    solutions: Mapping[str, Solution],
    reference: AbstractReference | None,
    grid: AbstractGrid,
    *,
    unknown: str | None = None,
) -> Picture:
    """Draw several solutions of one problem on a grid, with the pointwise error of each.

    All values share one colour scale, all errors another (logarithmic). Where the grid has more than two axes, the last
    time is drawn, or a plane through the largest value; for scattered points, the share of points below each error.
    Without a truth no error is drawn.

    Args:
        solutions: by the name to draw; all of the same problem; at least one.
        reference: the truth, if known.
        grid: where.
        unknown: the scalar unknown (default: the first).
    """
    first = next(iter(solutions.values()))
    if isinstance(first.problem.domain, Bodies):
        return plot_bodies(solutions, reference)
    contest = _contest(solutions, reference, grid, unknown or repr(first.problem.unknowns[0]))
    with mpl.rc_context(STYLE):
        if not isinstance(grid, Grid):
            return _distributions(contest)
        largest = next(iter(contest.values.values())) if contest.truth is None else contest.truth
        cut = cut_of_grid(grid, time_of(first), largest)
        values = {name: cut.take(v) for name, v in contest.values.items()}
        truth = None if contest.truth is None else cut.take(contest.truth)
        draw = _lines if len(cut.section.names) == 1 else _maps
        return draw(contest, cut.section, values, truth)


def _contest(
    solutions: Mapping[str, Solution], reference: AbstractReference | None, grid: AbstractGrid, unknown: str
) -> Contest:
    points = {name: np.asarray(p) for name, p in grid.points().items()}
    values = {name: np.asarray(s.on_grid(grid)[unknown], float) for name, s in solutions.items()}
    truth = None if reference is None else np.asarray(reference(points)[unknown], float)
    weights = np.asarray(grid.quadrature())
    errors = {} if truth is None else {name: relative_l2(v, truth, weights) for name, v in values.items()}
    seconds = {name: s.stats.total for name, s in solutions.items()}
    return Contest(next(iter(solutions.values())).problem.name, unknown, values, truth, errors, seconds)


def _look(i: int) -> dict[str, Any]:
    return {"color": LINES[i % len(LINES)], "linestyle": DASHES[i % len(DASHES)], "linewidth": 1.4}


def _lines(contest: Contest, shown: Section, values: dict[str, np.ndarray], truth: np.ndarray | None) -> Picture:
    ((name, x),) = shown.nodes.items()
    rows = 1 if truth is None else 2
    figure = blank(6.4, 2.7 + 1.7 * (rows - 1))
    figure.suptitle(contest.title(shown.held))
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=[1.5, 1][:rows])[:, 0]
    if truth is not None:
        panels[0].plot(x, truth, color=TRUTH, linewidth=5, alpha=0.6, label="truth")
        panels[1].set_ylabel("|error|")
    for i, (label, own) in enumerate(values.items()):
        panels[0].plot(x, own, label=label, **_look(i))
        if truth is not None:
            panels[1].semilogy(x, on_log_axis(np.abs(own - truth), float(np.max(np.abs(truth)))), **_look(i))
    panels[0].set_ylabel(symbol(contest.unknown), rotation=0, labelpad=10)
    panels[0].legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    panels[-1].set_xlabel(symbol(name))
    panels[-1].set_xlim(x[0], x[-1])
    return figure


def _maps(contest: Contest, shown: Section, values: dict[str, np.ndarray], truth: np.ndarray | None) -> Picture:
    fields = dict(values) if truth is None else {"truth": truth, **values}
    rows = 1 if truth is None else 2
    figure = blank(PANEL[0] * len(fields) + 0.7, PANEL[1] * rows + 0.35)
    figure.suptitle(contest.title(shown.held))
    panels = figure.subplots(rows, len(fields), squeeze=False)
    scale = value_scale([truth] if truth is not None else values.values())
    for j, (label, array) in enumerate(fields.items()):
        _one_map(panels[0, j], shown, array, scale, label, outer=j == 0)
    colour_bar(figure, list(panels[0]), scale, symbol(contest.unknown))
    if truth is not None:
        errors = {label: np.abs(array - truth) for label, array in values.items()}
        error_range = error_scale(errors.values())
        for j, (label, array) in enumerate(errors.items(), start=1):
            title = f"{label}:  relative $L_2$ error {contest.errors[label]:.1e}"
            _one_map(panels[1, j], shown, array, error_range, title, outer=j == 1)
        colour_bar(figure, list(panels[1, 1:]), error_range, f"|error of {symbol(contest.unknown)}|")
        _draw_costs(panels[1, 0], contest)
    return figure


def _one_map(axes: Axes, shown: Section, array: np.ndarray, scale: Any, title: str, *, outer: bool) -> None:
    draw_map(axes, shown, array, scale)
    axes.set_title(title)
    hide_inner_labels(axes, left=not outer, bottom=False)


def _draw_costs(axes: Axes, contest: Contest) -> None:
    """Error against seconds; down and left is better."""
    for i, (label, seconds) in enumerate(contest.seconds.items()):
        error = contest.errors[label]
        if seconds > 0 and 0 < error < np.inf:
            axes.loglog(seconds, error, "o", color=LINES[i % len(LINES)], markersize=6)
            axes.annotate(label, (seconds, error), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.margins(0.35, 0.25)
    axes.set_xlabel("seconds, compilation included")
    axes.set_ylabel("relative $L_2$ error")
    axes.set_title("cost")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_formatter(NullFormatter())


def _distributions(contest: Contest) -> Picture:
    """For scattered points: absolute errors in ascending order, or the values themselves where no truth is known."""
    figure = blank(5.6, 3.2)
    figure.suptitle(contest.title({}))
    axes = figure.subplots()
    truth = contest.truth
    for i, (label, values) in enumerate(contest.values.items()):
        flat = values.reshape(-1)
        share = (np.arange(flat.size) + 1) / flat.size
        if truth is None:
            axes.plot(np.sort(flat), share, label=label, **_look(i))
        else:
            errors = on_log_axis(np.sort(np.abs(flat - truth.reshape(-1))), float(np.max(np.abs(truth))))
            axes.semilogx(
                errors, share, label=f"{label}:  relative $L_2$ error {contest.errors[label]:.1e}", **_look(i)
            )
    axes.set_xlabel(symbol(contest.unknown) if truth is None else f"|error of {symbol(contest.unknown)}|")
    axes.set_ylabel("share of points below")
    axes.set_ylim(0, 1)
    axes.legend(loc="best")
    return figure
