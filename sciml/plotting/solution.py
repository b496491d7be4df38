"""One solution: curves, maps, or planes, with the truth and the error beside it where the truth is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from sciml.domains.bodies import Bodies
from sciml.errors import OptionError
from sciml.plotting.bodies import plot_bodies
from sciml.plotting.maps import (
    PANEL,
    Scale,
    colour_bar,
    draw_map,
    error_scale,
    hide_inner_labels,
    on_log_axis,
    value_scale,
)
from sciml.plotting.sections import Section, loudest_point, section
from sciml.plotting.style import LINES, STYLE, TRUTH, Picture, blank, short_name, symbol, where

if TYPE_CHECKING:
    from sciml.reference import AbstractReference
    from sciml.solution import Solution

PROFILES = 5
"""Times drawn as curves beside a space–time map."""
FRAMES = 4
"""Times drawn as maps where space has two axes."""


@final
@dataclass(frozen=True)
class Subject:
    """What is drawn: a solution, some of its scalar unknowns, and the truth if there is one."""

    solution: Solution
    unknowns: tuple[str, ...]
    reference: AbstractReference | None

    def sample(self, points: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Values of the solution."""
        return self.solution.values(points)

    def truth(self, points: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
        """Values of the truth, if there is one."""
        if self.reference is None:
            return None
        return {name: np.asarray(value, float) for name, value in self.reference(points).items()}

    @property
    def title(self) -> str:
        """Name of the problem and of the solver."""
        return _heading(self.solution.problem.name, short_name(self.solution.solver))


def _heading(*parts: str) -> str:
    return "  ·  ".join(part for part in parts if part)


def plot_solution(
    solution: Solution,
    *,
    reference: AbstractReference | None = None,
    fields: Sequence[str] | None = None,
    n: int | None = None,
    **held: float,
) -> Picture:
    """Draw a solution: curves where one coordinate varies, a map where two do, planes where more do.

    A space–time map comes with profiles at a few times; a plane in time is drawn at a few times; beyond that, planes
    through a point where the first field is large. Vectors are drawn by components; bodies in motion as particles.

    Args:
        solution: what to draw.
        reference: a truth to draw beside it, with the error.
        fields: names of fields or scalar unknowns (default: all).
        n: points along each coordinate.
        **held: coordinates to hold, such as `t=0.5`.

    Raises:
        DomainError: a held coordinate that the problem does not have, or a number outside the domain.
        OptionError: a field that the problem does not have.
    """
    if isinstance(solution.problem.domain, Bodies):
        return plot_bodies({short_name(solution.solver): solution}, reference)
    subject = subject_of(solution, fields, reference)
    domain, time = solution.problem.domain, time_of(solution)
    free = [name for name in domain.frame.names if name not in held]
    with mpl.rc_context(STYLE):
        if len(free) <= 1:
            return _curves(subject, section(domain, time, tuple(free) or domain.frame.names[:1], held, n))
        if len(free) == 2:
            return _map(subject, section(domain, time, tuple(free), held, n))
        return _planes(subject, _sections(subject, free, held, n))


def time_of(solution: Solution) -> str | None:
    """The name of the problem's time coordinate, if it has one."""
    return solution.problem.time.name if solution.problem.time is not None else None


def subject_of(solution: Solution, fields: Sequence[str] | None, reference: AbstractReference | None) -> Subject:
    """The scalar unknowns of the named fields, or all.

    Raises:
        OptionError: a field that the problem does not have.
    """
    from sciml.expr.build import components

    by_field = {f.name: [repr(part) for part in components(f)] for f in solution.problem.fields}
    scalars = [name for names in by_field.values() for name in names]
    chosen: list[str] = []
    for name in by_field if fields is None else fields:
        if name not in by_field and name not in scalars:
            raise OptionError(f"field {name!r} to draw", f"some of {', '.join([*by_field, *scalars])}", "rename it")
        chosen += by_field.get(name, [name])
    return Subject(solution, tuple(dict.fromkeys(chosen)), reference)


def _curves(subject: Subject, line: Section) -> Picture:
    (name,) = line.names
    x, points = line.nodes[name], line.points()
    values, truth = subject.sample(points), subject.truth(points)
    rows = 1 if truth is None else 2
    figure = blank(5.6, 2.6 + 1.4 * (rows - 1))
    figure.suptitle(subject.title)
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=[2.2, 1][:rows])[:, 0]
    spread = _deviation(subject, points)
    for i, unknown in enumerate(subject.unknowns):
        colour = LINES[i % len(LINES)]
        if truth is not None:
            panels[0].plot(x, truth[unknown], color=TRUTH, linewidth=4, alpha=0.6, label="truth" if i == 0 else None)
            error = on_log_axis(np.abs(values[unknown] - truth[unknown]), float(np.max(np.abs(truth[unknown]))))
            panels[1].semilogy(x, error, color=colour, linewidth=1)
        if unknown in spread:
            band = values[unknown] - 2 * spread[unknown], values[unknown] + 2 * spread[unknown]
            panels[0].fill_between(x, *band, color=colour, alpha=0.2, linewidth=0, label="± 2 standard deviations")
        panels[0].plot(x, values[unknown], color=colour, label=symbol(unknown))
    panels[0].legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    panels[0].set_ylabel(", ".join(map(symbol, subject.unknowns)))
    panels[-1].set_xlabel(symbol(name) + (f"   ({where(line.held)})" if line.held else ""))
    panels[-1].set_xlim(x[0], x[-1])
    if truth is not None:
        panels[1].set_ylabel("|error|")
    return figure


def _deviation(subject: Subject, points: Mapping[str, Any]) -> dict[str, np.ndarray]:
    deviation = subject.solution.deviation
    return {} if deviation is None else subject.solution.values(points, deviation)


def _map(subject: Subject, plane: Section) -> Picture:
    """One plane; in space–time also profiles, which need a coordinate that is not time."""
    points = plane.points()
    values, truth = subject.sample(points), subject.truth(points)
    across = plane.time in plane.nodes
    columns = 3 if truth is not None else 1 + across
    rows = len(subject.unknowns) * (2 if truth is not None and across else 1)
    figure = blank(PANEL[0] * max(columns, 1.6), PANEL[1] * rows + 0.25)
    figure.suptitle(_heading(subject.title, where(plane.held)))
    axes = figure.subplots(rows, columns, squeeze=False)
    for i, unknown in enumerate(subject.unknowns):
        row = axes[i * rows // len(subject.unknowns)]
        _map_row(figure, row, plane, unknown, values[unknown], None if truth is None else truth[unknown])
        if across and truth is None:
            _profiles(row[1], subject, plane, unknown)
        elif across:
            for panel, fraction in zip(axes[2 * i + 1], (0.25, 0.5, 1.0), strict=True):
                _profile_with_truth(panel, subject, plane, unknown, fraction)
            axes[2 * i + 1, 0].legend(loc="best", handlelength=1.4)
    return figure


def _map_row(
    figure: Picture, row: Any, plane: Section, unknown: str, values: np.ndarray, truth: np.ndarray | None
) -> None:
    """The field, or truth, field and error: the first two share a scale and its bar."""
    name = symbol(unknown)
    scale = value_scale([values if truth is None else truth])
    shown = [values] if truth is None else [truth, values]
    titles = [name] if truth is None else [f"{name}, truth", name]
    for axes, array, title in zip(row, shown, titles, strict=False):
        draw_map(axes, plane, array, scale)
        axes.set_title(title)
    colour_bar(figure, row[len(shown) - 1], scale, "")
    if truth is not None:
        error = np.abs(values - truth)
        errors = error_scale([error])
        draw_map(row[2], plane, error, errors)
        row[2].set_title(f"|error of {name}|")
        colour_bar(figure, row[2], errors, "")
    for j, axes in enumerate(row[: len(shown) + (truth is not None)]):
        hide_inner_labels(axes, left=j > 0, bottom=False)


def _profile(plane: Section, fraction: float) -> Section:
    """The line of a space–time plane after a fraction of its time."""
    assert plane.time is not None  # a space–time plane has one
    first, last = plane.nodes[plane.time][[0, -1]]
    nodes = {name: np.linspace(x[0], x[-1], 401) for name, x in plane.nodes.items() if name != plane.time}
    return Section(nodes, {**plane.held, plane.time: float(first + fraction * (last - first))}, plane.time)


def _profiles(axes: Axes, subject: Subject, plane: Section, unknown: str) -> None:
    fractions = np.linspace(0, 1, PROFILES)
    for fraction, colour in zip(fractions, mpl.colormaps["viridis"](0.9 * fractions), strict=True):
        line = _profile(plane, fraction)
        ((name, x),) = line.nodes.items()
        axes.plot(x, subject.sample(line.points())[unknown], color=colour, label=_clock(line), linewidth=1.2)
        axes.set_xlabel(symbol(name))
        axes.set_xlim(x[0], x[-1])
    axes.set_title(f"{symbol(unknown)} at five times")
    axes.legend(loc="best", handlelength=1.2)


def _clock(line: Section) -> str:
    return where({name: value for name, value in line.held.items() if name == line.time})


def _profile_with_truth(axes: Axes, subject: Subject, plane: Section, unknown: str, fraction: float) -> None:
    line = _profile(plane, fraction)
    ((name, x),) = line.nodes.items()
    points = line.points()
    truth = subject.truth(points)
    if truth is not None:
        axes.plot(x, truth[unknown], color=TRUTH, linewidth=4, alpha=0.6, label="truth")
    axes.plot(x, subject.sample(points)[unknown], color=LINES[1], linewidth=1.2, label=symbol(unknown))
    axes.set_title(_clock(line))
    axes.set_xlabel(symbol(name))
    axes.set_xlim(x[0], x[-1])


def _sections(subject: Subject, free: list[str], held: Mapping[str, float], n: int | None) -> list[Section]:
    """Planes at a few times where space has two free axes, else planes through a point where the field is large."""
    domain, time = subject.solution.problem.domain, time_of(subject.solution)
    space = [name for name in free if name != time]
    if time is not None and time in free and len(space) == 2:
        times = np.linspace(*domain.bounds[time], FRAMES)
        return [section(domain, time, tuple(space), {**held, time: float(value)}, n) for value in times]
    if time is not None and time in free:
        held = {**held, time: domain.bounds[time][1]}
    large = loudest_point(subject.sample, {name: domain.bounds[name] for name in space}, held)
    pairs = [*pairwise(space[:3]), (space[0], space[2])]
    return [section(domain, time, pair, {**large, **held}, n) for pair in pairs]


def _planes(subject: Subject, planes: list[Section]) -> Picture:
    """Columns are planes; rows are fields, each with truth and error below where the truth is known."""
    values = [subject.sample(plane.points()) for plane in planes]
    truths = [subject.truth(plane.points()) for plane in planes]
    rows: list[tuple[str, list[np.ndarray], Scale]] = []
    for unknown in subject.unknowns:
        own = [v[unknown] for v in values]
        true = [t[unknown] for t in truths if t is not None]
        scale = value_scale(true or own)
        rows.append((symbol(unknown), own, scale))
        if true:
            errors = [np.abs(a - b) for a, b in zip(own, true, strict=True)]
            rows.insert(-1, (f"{symbol(unknown)}, truth", true, scale))
            rows.append((f"|error of {symbol(unknown)}|", errors, error_scale(errors)))
    figure = blank(PANEL[0] * 0.85 * len(planes) + 0.8, PANEL[1] * len(rows) + 0.3)
    common = {name: v for name, v in planes[0].held.items() if all(plane.held.get(name) == v for plane in planes)}
    figure.suptitle(_heading(subject.title, where(common)))
    grid = figure.subplots(len(rows), len(planes), squeeze=False)
    same_axes = len({plane.names for plane in planes}) == 1
    for i, (label, arrays, scale) in enumerate(rows):
        for j, (plane, array) in enumerate(zip(planes, arrays, strict=True)):
            axes = grid[i, j]
            draw_map(axes, plane, array, scale)
            hide_inner_labels(axes, left=same_axes and j > 0, bottom=i < len(rows) - 1)
            if i == 0:
                own = {name: value for name, value in plane.held.items() if name not in common}
                axes.set_title(where(own), fontsize=8.5)
        colour_bar(figure, list(grid[i]), scale, label)
    return figure
