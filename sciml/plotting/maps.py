"""Maps of fields on planes: scales of values and errors, axes, colour bars.

The colour maps (viridis, RdBu, magma) can be read with any kind of colour vision; the first and last also in grey.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from sciml.plotting.sections import Section
from sciml.plotting.style import symbol

PANEL = (2.9, 2.35)
"""Inches of one map."""
DECADES = 10
"""Most decades that an error map spans."""
ONE_SIDED = 0.05
"""A field whose smaller sign reaches less than this part of the larger one is drawn as if it had one sign."""

Scale = tuple[str, Normalize]
"""A colour map and the range that it spans."""


def value_scale(arrays: Iterable[np.ndarray]) -> Scale:
    """Colour map and range of values: around zero for a field of both signs, else from its smallest to its largest."""
    finite = [a[np.isfinite(a)] for a in map(np.asarray, arrays)]
    low = min((float(a.min()) for a in finite if a.size), default=0.0)
    high = max((float(a.max()) for a in finite if a.size), default=1.0)
    if min(-low, high) > ONE_SIDED * max(-low, high):
        bound = max(-low, high)
        return "RdBu_r", Normalize(-bound, bound)
    return "viridis", Normalize(low, high if high > low else low + 1.0)


def error_scale(arrays: Iterable[np.ndarray]) -> Scale:
    """Colour map and logarithmic range of absolute errors, a few decades below the largest."""
    finite = [a[np.isfinite(a) & (a > 0)] for a in map(np.asarray, arrays)]
    largest = max((float(a.max()) for a in finite if a.size), default=1.0)
    smallest = min((float(np.quantile(a, 0.1)) for a in finite if a.size), default=largest)
    low = max(min(smallest, largest / 10), largest * 10.0**-DECADES)
    return "magma", LogNorm(low, largest, clip=True)


def on_log_axis(error: np.ndarray, scale: float) -> np.ndarray:
    """Errors for a logarithmic axis, which cannot show zero: none is drawn below the rounding of `scale`."""
    return np.maximum(error, np.finfo(float).eps * (scale or 1.0))


def draw_map(axes: Axes, plane: Section, values: np.ndarray, scale: Scale) -> QuadMesh:
    """A map of `values` (vertical, horizontal) with its axes named; values that are not finite are left white."""
    cmap, norm = scale
    x, y = plane.nodes.values()
    shown = np.ma.masked_invalid(np.maximum(values, norm.vmin or 0.0) if isinstance(norm, LogNorm) else values)
    shading = "nearest" if np.ma.is_masked(shown) else "gouraud"
    artist = axes.pcolormesh(x, y, shown, cmap=cmap, norm=norm, shading=shading, rasterized=True)
    axes.spines[:].set_visible(False)
    axes.margins(0)
    horizontal, vertical = map(symbol, plane.names)
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical, rotation=0, labelpad=8)
    if plane.keeps_proportions:
        axes.set_aspect("equal")
    return artist


def hide_inner_labels(axes: Axes, *, left: bool = True, bottom: bool = True) -> None:
    """Drop the names and numbers of an axis that the neighbour shows."""
    if left:
        axes.set_ylabel("")
        axes.tick_params(labelleft=False)
    if bottom:
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)


def colour_bar(figure: Figure, axes: Any, scale: Scale, label: str) -> None:
    """One thin colour bar for a row of maps of one scale."""
    cmap, norm = scale
    bar = figure.colorbar(ScalarMappable(norm, cmap), ax=axes, pad=0.015, fraction=0.05, aspect=22, label=label)
    bar.outline.set_visible(False)  # type: ignore[operator]
