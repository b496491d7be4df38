"""Colours, labels and canvases that every figure shares.

Line colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/); maps use viridis, RdBu and magma: all can be
told apart with any kind of colour vision, and in grey.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
TRUTH = "#8A8A8A"
PANEL = (2.9, 2.35)
"""Inches of one map."""
DECADES = 5
"""Decades below the largest error that an error map resolves."""
ONE_SIDED = 0.05
"""A field whose smaller sign reaches less than this part of the larger one is drawn as if it had one sign."""

STYLE: dict[str, Any] = {
    "axes.grid": False,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.prop_cycle": mpl.cycler(color=LINES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "figure.dpi": 110,
    "figure.titlesize": 11,
    "font.size": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "mathtext.fontset": "cm",
    "savefig.dpi": 160,
    "xtick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.6,
}

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
).split()


@final
class Picture(Figure):
    """A Matplotlib figure that no window manager knows about, and that a notebook shows by itself."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def blank(width: float, height: float) -> Picture:
    """An empty canvas of the given size in inches."""
    return Picture(figsize=(width, height), layout="constrained")


def symbol(name: str) -> str:
    """The name of a coordinate or scalar unknown as mathematics: `x1`, `v[0]`, `nu` become x₁, v₀, ν."""
    word, digits, index = re.fullmatch(r"(.*?)_?(\d*)(?:\[([\d, ]*)\])?", name).groups()  # type: ignore[union-attr]
    base = f"\\{word}" if word in GREEK else word if len(word) == 1 else rf"\mathrm{{{word}}}".replace("_", r"\_")
    subscript = ",".join(part for part in (digits, index) if part)
    return f"${base}_{{{subscript}}}$" if subscript else f"${base}$"


def where(held: dict[str, float]) -> str:
    """The numbers of the coordinates that a picture holds, such as t = 0.5."""
    return ", ".join(f"{symbol(name)} = {value:.3g}" for name, value in held.items())


def short_name(solver: str) -> str:
    """The name of a solver without its hyperparameters."""
    return solver.partition("(")[0]


def value_scale(arrays: Iterable[np.ndarray]) -> tuple[str, Normalize]:
    """Colour map and range of values: around zero for a field of both signs, else from its smallest to its largest."""
    finite = [a[np.isfinite(a)] for a in map(np.asarray, arrays)]
    low = min((float(a.min()) for a in finite if a.size), default=0.0)
    high = max((float(a.max()) for a in finite if a.size), default=1.0)
    if min(-low, high) > ONE_SIDED * max(-low, high):
        bound = max(-low, high)
        return "RdBu_r", Normalize(-bound, bound)
    return "viridis", Normalize(low, high if high > low else low + 1.0)


def error_scale(arrays: Iterable[np.ndarray]) -> tuple[str, Normalize]:
    """Colour map and logarithmic range of absolute errors, a few decades below the largest."""
    finite = [a[np.isfinite(a) & (a > 0)] for a in map(np.asarray, arrays)]
    largest = max((float(a.max()) for a in finite if a.size), default=1.0)
    smallest = min((float(np.quantile(a, 0.02)) for a in finite if a.size), default=largest)
    low = max(min(smallest, largest / 10), largest * 10.0**-DECADES)
    return "magma", LogNorm(low, largest, clip=True)


def draw_map(axes: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, scale: tuple[str, Normalize]) -> Any:
    """A map of `values` (y, x); values that are not finite are left white."""
    cmap, norm = scale
    shown = np.ma.masked_invalid(np.maximum(values, norm.vmin) if isinstance(norm, LogNorm) else values)
    shading = "nearest" if shown.mask.any() else "gouraud"
    artist = axes.pcolormesh(x, y, shown, cmap=cmap, norm=norm, shading=shading, rasterized=True)
    axes.spines[:].set_visible(False)
    axes.margins(0)
    return artist


def colour_bar(figure: Figure, axes: Any, scale: tuple[str, Normalize], label: str) -> None:
    """One thin colour bar for a row of maps of one scale."""
    cmap, norm = scale
    bar = figure.colorbar(ScalarMappable(norm, cmap), ax=axes, pad=0.015, fraction=0.05, aspect=22, label=label)
    bar.outline.set_visible(False)  # type: ignore[operator]
