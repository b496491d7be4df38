"""A film of a solution over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import FuncAnimation

from sciml.domains.bodies import Bodies
from sciml.errors import OptionError
from sciml.plotting.bodies import animate_bodies
from sciml.plotting.maps import PANEL, colour_bar, draw_map, value_scale
from sciml.plotting.sections import Section, loudest_point, section
from sciml.plotting.solution import Subject, subject_of, time_of
from sciml.plotting.style import LINES, STYLE, TRUTH, blank, symbol

if TYPE_CHECKING:
    from sciml.reference import AbstractReference
    from sciml.solution import Solution

POINTS = {1: 401, 2: 97}
"""Points along each coordinate of a frame with one or two axes of space."""


def animate_solution(
    solution: Solution,
    *,
    reference: AbstractReference | None = None,
    fields: Sequence[str] | None = None,
    frames: int = 60,
    seconds: float = 4.0,
    n: int | None = None,
) -> FuncAnimation:
    """A film over time: curves in one dimension of space, maps in two, a plane through a large value beyond.

    `animation.save("film.gif", writer="pillow")` writes it, `HTML(animation.to_jshtml())` shows it in a notebook.

    Args:
        solution: what to draw; its problem depends on time.
        reference: a truth to draw beside it.
        fields: names of fields or scalar unknowns (default: all).
        frames: number of times, evenly spaced.
        seconds: length of the film.
        n: points along each coordinate.

    Raises:
        OptionError: a steady problem, a field that it does not have, fewer than two frames.
    """
    time = time_of(solution)
    if time is None:
        raise OptionError("a film of a steady problem", "a problem with time", "use solution.plot()")
    if frames < 2 or not seconds > 0:
        raise OptionError(f"{frames} frames in {seconds} seconds", "at least 2 frames and a positive time", "raise it")
    if isinstance(solution.problem.domain, Bodies):
        return animate_bodies(solution, frames, seconds)
    subject = subject_of(solution, fields, reference)
    times = np.linspace(*solution.problem.domain.bounds[time], frames)
    sections = _sections(subject, time, times, n)
    interval = 1000 * seconds / frames
    with mpl.rc_context(STYLE):
        film = _film_of_curves if len(sections[0].names) == 1 else _film_of_maps
        return film(subject, sections, [f"{symbol(time)} = {value:.3g}" for value in times], interval)


def _sections(subject: Subject, time: str, times: np.ndarray, n: int | None) -> list[Section]:
    domain = subject.solution.problem.domain
    space = [name for name in domain.frame.names if name != time]
    held: dict[str, float] = {}
    if len(space) > 2:
        bounds = {name: domain.bounds[name] for name in space}
        large = loudest_point(subject.sample, bounds, {time: float(times[-1])})
        held = {name: large[name] for name in space[2:]}
    along = tuple(space[:2])
    return [section(domain, time, along, {**held, time: float(value)}, n or POINTS[len(along)]) for value in times]


def _film_of_curves(subject: Subject, lines: list[Section], clocks: list[str], interval: float) -> FuncAnimation:
    ((name, x),) = lines[0].nodes.items()
    values = [subject.sample(line.points()) for line in lines]
    truths = [subject.truth(line.points()) for line in lines]
    figure = blank(5.6, 2.9)
    axes = figure.subplots()
    curves: list[tuple[Any, list[np.ndarray]]] = []
    for i, unknown in enumerate(subject.unknowns):
        true = [t[unknown] for t in truths if t is not None]
        if true:
            label = "truth" if i == 0 else None
            curves += [(axes.plot(x, true[0], color=TRUTH, linewidth=4, alpha=0.6, label=label)[0], true)]
        own = [v[unknown] for v in values]
        curves += [(axes.plot(x, own[0], color=LINES[i % len(LINES)], label=symbol(unknown))[0], own)]
    low, high = min(float(a.min()) for _, f in curves for a in f), max(float(a.max()) for _, f in curves for a in f)
    margin = 0.05 * (high - low or 1.0)
    axes.set(xlim=(x[0], x[-1]), ylim=(low - margin, high + margin), xlabel=symbol(name))
    axes.legend(ncols=4, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)

    def draw(frame: int) -> list[Any]:
        for curve, data in curves:
            curve.set_ydata(data[frame])
        axes.set_title(f"{subject.title}   {clocks[frame]}")
        return [curve for curve, _ in curves]

    return FuncAnimation(figure, draw, frames=len(lines), interval=interval, blit=False)


def _film_of_maps(subject: Subject, planes: list[Section], clocks: list[str], interval: float) -> FuncAnimation:
    values = [subject.sample(plane.points()) for plane in planes]
    truths = [subject.truth(plane.points()) for plane in planes]
    columns = 1 if subject.reference is None else 2
    figure = blank(PANEL[0] * columns + 0.9, PANEL[1] * len(subject.unknowns) + 0.35)
    panels = figure.subplots(len(subject.unknowns), columns, squeeze=False)
    maps: list[tuple[Any, list[np.ndarray]]] = []
    for row, unknown in zip(panels, subject.unknowns, strict=True):
        own, true = [v[unknown] for v in values], [t[unknown] for t in truths if t is not None]
        scale = value_scale(true or own)
        films = {symbol(unknown): own, f"{symbol(unknown)}, truth": true} if true else {symbol(unknown): own}
        for axes, (label, film) in zip(row, films.items(), strict=True):
            maps.append((draw_map(axes, planes[0], film[0], scale), film))
            axes.set_title(label)
        colour_bar(figure, list(row), scale, "")

    def draw(frame: int) -> list[Any]:
        for artist, film in maps:
            artist.set_array(film[frame])
        figure.suptitle(f"{subject.title}   {clocks[frame]}")
        return [artist for artist, _ in maps]

    return FuncAnimation(figure, draw, frames=len(planes), interval=interval, blit=False)
