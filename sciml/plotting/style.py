"""Colours, symbols and canvases that every figure shares.

Line colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which any kind of colour vision tells apart.
"""

from __future__ import annotations

import io
from typing import Any, final

from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from sciml.expr.symbols_latex import symbol as latex_symbol

LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
TRUTH = "#8A8A8A"
STYLE: Any = {
    "axes.grid": False,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=LINES),
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
    "mathtext.fontset": "dejavusans",
    "savefig.dpi": 160,
    "xtick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.6,
}


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
    """The name of a coordinate or scalar unknown as mathematics: `x1`, `v[0]`, `nu` become x₁, v₁, ν."""
    head, _, index = name.rstrip("]").partition("[")
    return f"${latex_symbol(head, indices=tuple(int(i) for i in index.split(',') if i.strip()))}$"


def where(held: dict[str, float]) -> str:
    """The numbers of the coordinates that a picture holds, such as t = 0.5."""
    return ", ".join(f"{symbol(name)} = {value:.3g}" for name, value in held.items())


def short_name(solver: str) -> str:
    """The name of a solver without its hyperparameters."""
    return solver.partition("(")[0]
