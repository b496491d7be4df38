"""Bodies in motion, drawn as particles: a few times side by side, or a film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Rectangle

from sciml.domains.bodies import Bodies
from sciml.plotting.style import STYLE, Picture, blank, symbol, where

if TYPE_CHECKING:
    from sciml.reference import AbstractReference
    from sciml.solution import Solution

TIMES = 5
"""Times drawn side by side."""
PANEL = 2.2


def plot_bodies(solutions: Mapping[str, Solution], reference: AbstractReference | None = None) -> Picture:
    """Particles at a few times: a row for each solution, coloured by speed, or by distance from the truth.

    Bodies in space are seen along their last axis, near particles in front.

    Args:
        solutions: by the name to draw, all of the same problem.
        reference: the truth, if known.
    """
    first = next(iter(solutions.values()))
    domain = _bodies(first)
    t = domain.coordinates[0].name
    known = getattr(reference, "points", None)
    choices = np.linspace(*domain.bounds[t], TIMES) if known is None else np.unique(known[t])
    times = choices[np.linspace(0, len(choices) - 1, TIMES).round().astype(int)]
    rows = {name: np.stack([_places(s, domain, time) for time in times]) for name, s in solutions.items()}
    colours = {name: _speeds(s, domain, times) for name, s in solutions.items()}
    label, norm = "speed", Normalize(0, max(float(c.max()) for c in colours.values()) or 1.0)
    truth = None if reference is None else _truth(reference, domain, times, first)
    if truth is not None:
        colours = {name: np.linalg.norm(row - truth, axis=1) for name, row in rows.items()}
        largest = max(float(c.max()) for c in colours.values()) or 1.0
        label, norm = "distance from the truth", LogNorm(1e-4 * largest, largest)
        colours = {name: np.maximum(c, norm.vmin) for name, c in colours.items()}
    with mpl.rc_context(STYLE):
        figure = blank(PANEL * TIMES + 0.9, PANEL * len(rows) + 0.5)
        figure.suptitle(first.problem.name)
        panels = figure.subplots(len(rows), TIMES, squeeze=False)
        for i, (name, row) in enumerate(rows.items()):
            for j, time in enumerate(times):
                artist = _draw(panels[i, j], domain, row[j], colours[name][j], norm)
                panels[i, j].set_title(where({t: float(time)}) if i == 0 else "")
            panels[i, 0].set_ylabel(f"{name}\n{symbol(domain.space[1].name)}")
            figure.colorbar(artist, ax=list(panels[i]), label=label, shrink=0.8)
    return figure


def animate_bodies(solution: Solution, frames: int, seconds: float) -> FuncAnimation:
    """A film of the particles, coloured by speed."""
    domain = _bodies(solution)
    t = domain.coordinates[0].name
    times = np.linspace(*domain.bounds[t], frames)
    speeds = _speeds(solution, domain, times)
    places = [_places(solution, domain, time) for time in times]
    norm = Normalize(0, float(speeds.max()) or 1.0)
    with mpl.rc_context(STYLE):
        figure = blank(4.6, 4.0)
        axes = figure.subplots()
        artist = _draw(axes, domain, places[0], speeds[0], norm)
        figure.colorbar(artist, ax=axes, label="speed")

    def draw(frame: int) -> list[Any]:
        order = _back_to_front(places[frame])
        artist.set_offsets(places[frame][:2, order].T)
        artist.set_array(speeds[frame][order])
        axes.set_title(f"{solution.problem.name}   {where({t: float(times[frame])})}")
        return [artist]

    return FuncAnimation(figure, draw, frames=frames, interval=1000 * seconds / frames, blit=False)


def _bodies(solution: Solution) -> Bodies:
    assert isinstance(solution.problem.domain, Bodies)  # callers ask first
    return solution.problem.domain


def _points(domain: Bodies, time: float) -> dict[str, np.ndarray]:
    names = [x.name for x in domain.coordinates]
    return dict(zip(names, [np.full(domain.points.shape[1], time), *domain.points], strict=True))


def _places(solution: Solution, domain: Bodies, time: float) -> np.ndarray:
    """Positions `(d, N)` of the particles at a time."""
    values = solution.values(_points(domain, time))
    return np.stack([np.asarray(values[repr(unknown)], float) for unknown in solution.problem.unknowns])


def _speeds(solution: Solution, domain: Bodies, times: np.ndarray) -> np.ndarray:
    """Speeds `(times, N)` by differences of positions over a small part of the interval."""
    lower, upper = domain.bounds[domain.coordinates[0].name]
    step = 1e-3 * (upper - lower)
    ends = [(max(time - step, lower), min(time + step, upper)) for time in times]
    moved = [(_places(solution, domain, b) - _places(solution, domain, a)) / (b - a) for a, b in ends]
    return np.linalg.norm(np.stack(moved), axis=1)


def _truth(reference: AbstractReference, domain: Bodies, times: np.ndarray, solution: Solution) -> np.ndarray | None:
    """Positions `(times, d, N)`; None where the truth is tabulated for other particles."""
    names, known = [repr(u) for u in solution.problem.unknowns], getattr(reference, "points", None)
    if known is None:
        each = [reference(_points(domain, time)) for time in times]
        return np.stack([np.stack([np.asarray(values[name]) for name in names]) for values in each])
    t, shape = domain.coordinates[0].name, next(iter(known.values())).shape
    if len(shape) != 2 or shape[1] != domain.points.shape[1]:
        return None
    values = reference(known)
    table, rows = np.stack([np.asarray(values[name]) for name in names]), np.asarray(known[t])[:, 0]
    return np.stack([table[:, int(np.argmin(np.abs(rows - time)))] for time in times])


def _back_to_front(places: np.ndarray) -> np.ndarray:
    return np.argsort(places[2]) if len(places) == 3 else np.arange(places.shape[1])


def _draw(axes: Axes, domain: Bodies, places: np.ndarray, colours: np.ndarray, norm: Normalize) -> Any:
    (a, b), (c, d) = (domain.container.bounds[x.name] for x in domain.space[:2])
    axes.add_patch(Rectangle((a, c), b - a, d - c, fill=False, linewidth=0.8, color="#8A8A8A"))
    order = _back_to_front(places)
    size = float(np.clip(4000 / places.shape[1], 1.0, 14.0))
    artist = axes.scatter(*places[:2, order], c=colours[order], s=size, norm=norm, cmap="viridis", linewidths=0)
    margin = 0.04 * max(b - a, d - c)
    axes.set(xlim=(a - margin, b + margin), ylim=(c - margin, d + margin), aspect="equal")
    axes.set_xlabel(symbol(domain.space[0].name))
    return artist
