"""Pictures of trajectories of a family."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from sciml.plotting.style import STYLE, blank, symbol
from sciml.trajectories import Trajectories

SHOWN = 3
"""Trajectories in one picture."""


def plot_trajectories(made: Trajectories, names: tuple[str, ...]) -> Figure:
    """Curves over time of each field, or a map over time and place for each, of a few trajectories.

    Args:
        made: the trajectories.
        names: of their fields.
    """
    with mpl.rc_context(STYLE):
        return _drawn(made, names)


def _drawn(made: Trajectories, names: tuple[str, ...]) -> Figure:
    count, rows = min(SHOWN, len(made)), 1 if made.nodes is None else len(names)
    figure = blank(3.4 * count, 2.4 * rows)
    axes: Any = figure.subplots(rows, count, squeeze=False, sharex=True)
    for k in range(count):
        numbers = ", ".join(f"{symbol(name)} = {value[k]:.3g}" for name, value in made.parameters.items())
        axes[0, k].set_title(numbers, fontsize="small")
        for i, name in enumerate(names):
            if made.nodes is None:
                axes[0, k].plot(made.times, made.states[k, :, i], label=symbol(name), linewidth=1)
            else:
                image = axes[i, k].pcolormesh(
                    made.times, made.nodes, np.asarray(made.states[k, :, i]).T, rasterized=True
                )
                figure.colorbar(image, ax=axes[i, k], label=symbol(name))
        axes[-1, k].set_xlabel("time")
    if made.nodes is None:
        axes[0, 0].legend(fontsize="small")
    figure.suptitle(made.family)
    return figure
