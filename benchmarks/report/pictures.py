"""Pictures of a case: tiles of solution and error on common scales, error against cost, error over time."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import matplotlib as mpl
import numpy as np
from PIL import Image

from benchmarks.cuts import FieldCut
from benchmarks.report.curves import pareto_front, points
from benchmarks.report.entries import TRIVIAL, Entry
from benchmarks.report.numbers import figure, seconds
from benchmarks.report.svg import Plot, linear_axis, log_axis
from sciml.plotting.maps import Scale, error_scale, on_log_axis, value_scale

TILE = 200
"""Pixels along the longer side of a tile."""


@final
@dataclass(frozen=True)
class Tile:
    """One picture with what it shows.

    Attributes:
        title: truth, or the label of an entry.
        note: its error.
        values: an `img` or `svg` element of the solution.
        error: the same of its error; empty for the truth.
    """

    title: str
    note: str
    values: str
    error: str


@final
@dataclass(frozen=True)
class Gallery:
    """The tiles of a case, and how to read them.

    Attributes:
        tiles: the truth first.
        reading: which plane, which colours, in words.
        bars: `(element, low, high, what)` of each colour scale.
    """

    tiles: list[Tile]
    reading: str
    bars: list[tuple[str, str, str, str]]


def gallery(entries: Sequence[Entry], cuts: Mapping[str, FieldCut]) -> Gallery | None:
    """Solution and error of the best configuration of each solver.

    Args:
        entries: of one case.
        cuts: by the key of an entry.
    """
    shown = best_of_each(e for e in entries if e.key in cuts and e.solver != "zero")
    if not shown:
        return None
    first = cuts[shown[0].key]
    truth = first.truth
    names = list(first.section.nodes)
    held = ", ".join(f"{name} = {value:.3g}" for name, value in first.section.held.items())
    where = f" at {held}" if held else ""
    if len(names) == 1:
        return Gallery(_curves(shown, cuts, names[0]), f"{first.unknown} along {names[0]}{where}", [])
    values = value_scale([truth] if truth is not None else [cuts[e.key].values for e in shown])
    errors = None if truth is None else error_scale([np.abs(cuts[e.key].values - truth) for e in shown])
    tiles = [] if truth is None else [Tile("truth", "", _map(truth, first, values), "")]
    for entry in shown:
        cut = cuts[entry.key]
        error = "" if errors is None or cut.truth is None else _map(np.abs(cut.values - cut.truth), cut, errors)
        tiles.append(Tile(entry.label, figure(entry.error), _map(cut.values, cut, values), error))
    bars = [_bar(values, first.unknown)] + ([] if errors is None else [_bar(errors, f"|error of {first.unknown}|")])
    return Gallery(tiles, f"{names[0]} to the right, {names[1]} upwards{where}", bars)


def best_of_each(entries: Iterable[Entry]) -> list[Entry]:
    """The configuration of each solver with the smallest error, best solver first."""
    best: dict[str, Entry] = {}
    for entry in entries:
        if entry.solver not in best or entry.error < best[entry.solver].error:
            best[entry.solver] = entry
    return sorted(best.values(), key=lambda e: math.inf if math.isnan(e.error) else e.error)


def cost_plot(entries: Sequence[Entry], series: Mapping[str, int]) -> str | None:
    """Error against seconds after compilation: a mark for each entry with its quartiles, and the Pareto front."""
    known = [e for e in entries if math.isfinite(e.seconds) and math.isfinite(e.error) and e.error > 0]
    real = [e for e in known if e.solver not in TRIVIAL]
    if not real:
        return None
    floor = max((e.floor for e in real), default=0.0)
    heights = [v for e in real for v in (*e.spread, e.error)] + [1.0] + ([floor] if floor > 1e-15 else [])
    across = log_axis("seconds, compilation apart", [e.seconds for e in real])
    plot = Plot(across, log_axis("relative L2 error", heights), "Error against cost of every configuration")
    plot.level(1.0, "level", "zero")
    lifts = [e.error for e in known if e.solver == "lift"]
    if lifts and not 0.5 < lifts[0] < 2:
        plot.level(lifts[0], "level", "data held")
    if floor > 0:
        plot.level(floor, "level floor", "the truth's own error")
    front = pareto_front(points(real))
    steps = [
        p for (s, e), (nxt, _) in zip(front, [*front[1:], (plot.x.high, 0.0)], strict=True) for p in ((s, e), (nxt, e))
    ]
    plot.line(steps, "front")
    for entry in real:
        plot.bar(entry.seconds, *entry.spread, f"c{series[entry.solver] % 8}")
        text = f"{entry.label}: error {figure(entry.error)} in {seconds(entry.seconds)} s"
        plot.mark((entry.seconds, entry.error), series[entry.solver], text)
    return plot.render()


def time_plot(entries: Sequence[Entry], series: Mapping[str, int]) -> str | None:
    """Relative L2 error at instants, of the best configuration of each solver; the first unknown, the first seed."""
    curves = []
    for entry in best_of_each(e for e in entries if e.solver not in TRIVIAL):
        fields = ((entry.finished or [{}])[0].get("scores") or {}).get("fields") or {}
        own = next(iter(fields.values()), {}).get("over_time")
        if own:
            curves.append(
                (entry, [(t, e) for t, e in zip(own["time"], own["relative_l2"], strict=True) if e and e > 1e-17])
            )
    if not any(curve for _, curve in curves):
        return None
    heights = [e for _, curve in curves for _, e in curve]
    across = linear_axis("time", [t for _, c in curves for t, _ in c])
    plot = Plot(across, log_axis("relative L2 error", heights), "Error over time of the best of each solver")
    for entry, curve in curves:
        plot.line(curve, f"series c{series[entry.solver] % 8}")
        if curve:
            plot.mark(curve[-1], series[entry.solver], f"{entry.label}: {figure(curve[-1][1])} at the end")
    return plot.render()


def _curves(shown: Sequence[Entry], cuts: Mapping[str, FieldCut], name: str) -> list[Tile]:
    tiles = []
    for entry in shown:
        cut = cuts[entry.key]
        x = [float(v) for v in cut.section.nodes[name]]
        fields = [cut.values] + ([] if cut.truth is None else [cut.truth])
        plot = Plot(linear_axis(name, x), linear_axis(cut.unknown, [float(v) for f in fields for v in f]), entry.label)
        if cut.truth is not None:
            plot.line(list(zip(x, map(float, cut.truth), strict=True)), "truth")
        plot.line(list(zip(x, map(float, cut.values), strict=True)), "series c0")
        error = ""
        if cut.truth is not None:
            gap = on_log_axis(np.abs(cut.values - cut.truth), float(np.max(np.abs(cut.truth))))
            below = Plot(plot.x, log_axis("|error|", map(float, gap)), f"error of {entry.label}")
            below.line(list(zip(x, map(float, gap), strict=True)), "series c1")
            error = below.render()
        tiles.append(Tile(entry.label, figure(entry.error), plot.render(), error))
    return tiles


def _map(values: np.ndarray, cut: FieldCut, scale: Scale) -> str:
    """An array `(vertical, horizontal)` as a picture, nearest node to each pixel."""
    x, y = cut.section.nodes.values()
    wide, high = (TILE, TILE)
    if cut.section.keeps_proportions:
        ratio = float(np.ptp(x)) / float(np.ptp(y))
        wide, high = (TILE, round(TILE / ratio)) if ratio > 1 else (round(TILE * ratio), TILE)
    columns, rows = (_nearest(nodes, n) for nodes, n in ((x, wide), (y, high)))
    return _image(values[np.ix_(rows[::-1], columns)], scale)


def _nearest(nodes: np.ndarray, n: int) -> np.ndarray:
    at = np.linspace(nodes[0], nodes[-1], n)
    return np.abs(nodes[:, None] - at[None, :]).argmin(axis=0)


def _image(values: np.ndarray, scale: Scale) -> str:
    cmap, norm = scale
    colours = mpl.colormaps[cmap](norm(np.asarray(values, float)), bytes=True)
    picture = Image.fromarray(np.ascontiguousarray(colours[..., :3])).quantize(128)
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="" width="{values.shape[1]}" height="{values.shape[0]}" src="data:image/png;base64,{data}">'


def _bar(scale: Scale, what: str) -> tuple[str, str, str, str]:
    """A colour scale from low to high."""
    _, norm = scale
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 1.0)
    ramp = np.asarray(norm.inverse(np.linspace(0, 1, 128)), float)[None, :].repeat(6, axis=0)
    return _image(ramp, scale), f"{low:.2g}", f"{high:.2g}", what
