"""A learned law with its credible band, and where it was never visited."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

from sciml.learned_law import AbstractLearnedLaw
from sciml.plotting.style import LINES, STYLE, Picture, blank

_POINTS = 401
_BEYOND = 0.25


def plot_law(law: AbstractLearnedLaw, truth: Any = None) -> Picture:
    """Draw a learned law over the range that the data visited and a quarter of it beyond, shaded there.

    Args:
        law: what was learned.
        truth: a function of an array, to draw beside it.
    """
    lower, upper = law.visited
    reach = _BEYOND * (upper - lower)
    u = np.linspace(lower - reach, upper + reach, _POINTS)
    with mpl.rc_context(STYLE):
        figure = blank(4.2, 2.7)
        axes = figure.subplots()
        axes.fill_between(u, *law.band(u), color=LINES[1], alpha=0.4, linewidth=0.6, label="± 2 standard deviations")
        axes.plot(u, law.at(u), color=LINES[0], label="learned")
        if truth is not None:
            axes.plot(u, np.asarray(truth(u)), color=LINES[2], linestyle="--", label="truth")
        for side in ((u[0], lower), (upper, u[-1])):
            axes.axvspan(*side, color="0.5", alpha=0.15, linewidth=0)
        axes.set_xlim(u[0], u[-1])
        axes.set_xlabel("input of the law (shaded: never visited)")
        axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    return figure
