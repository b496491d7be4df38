"""`python -m benchmarks.summary [FILE]`: one picture of all stored results, error against seconds, a panel a solver.

Every point is a configuration on a case, its median over the seeds; hollow where not all runs ended successful. The
other solvers' points stand behind in grey, so that each panel shows where its solver is among them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from benchmarks.peers.catalogue import PEERS
from benchmarks.report.entries import TRIVIAL, Entry, configuration
from benchmarks.result_file import result_file
from benchmarks.suite import PEER
from sciml.plotting.style import LINES, STYLE, TRUTH, Picture, blank

STORED = Path(__file__).parent / "results"
FIGURE = Path("docs/images/results.png")

PANELS = {
    "classical": ("spectral", "finite_difference", "mpm"),
    "Gaussian process": ("gp", "gp_student"),
    "Gaussians": ("pig",),
    "networks": ("pinn", "neural_law"),
    "identification": ("material_identification", "system_identification"),
    "other libraries": tuple(f"{PEER}{name}" for name in PEERS),
}
"""Title of each panel, and its solvers."""

_LEAST_ERROR = 1e-16
_COLUMNS = 3


@final
@dataclass(frozen=True)
class Point:
    """A configuration on a case.

    Attributes:
        panel: title of its solver's panel.
        seconds: after compilation, median over the seeds.
        error: relative L2, median over the seeds.
        succeeded: whether every run ended successful.
    """

    panel: str
    seconds: float
    error: float
    succeeded: bool


def points_of(rows: Iterable[Mapping[str, Any]]) -> list[Point]:
    """What can be drawn of rows of results: configurations with a finite error, trivial solvers left out."""
    panels = {solver: title for title, solvers in PANELS.items() for solver in solvers}
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["solver"] in panels and row["solver"] not in TRIVIAL:
            grouped.setdefault(configuration(row), []).append(row)
    found = []
    for group in grouped.values():
        entry = Entry(tuple(group), {"error": None, "seconds": None})
        if math.isfinite(entry.error) and math.isfinite(entry.seconds):
            succeeded = entry.successes == len(group)
            found.append(Point(panels[entry.solver], entry.seconds, entry.error, succeeded))
    return found


def drawn(points: Iterable[Point]) -> Picture:
    """The picture."""
    import matplotlib as mpl

    found, titles = list(points), [t for t in PANELS if any(p.panel == t for p in points)]
    with mpl.rc_context(STYLE):
        picture = blank(7.6, 2.3 * math.ceil(len(titles) / _COLUMNS))
        axes = picture.subplots(math.ceil(len(titles) / _COLUMNS), _COLUMNS, sharex=True, sharey=True, squeeze=False)
        for k, panel in enumerate(axes.ravel()):
            if k >= len(titles):
                panel.set_axis_off()
                axes.ravel()[k - _COLUMNS].tick_params(labelbottom=True)
                continue
            title, colour = titles[k], LINES[k]
            own, others = [p for p in found if p.panel == title], [p for p in found if p.panel != title]
            _scatter(panel, others, TRUTH, size=5, alpha=0.35)
            _scatter(panel, [p for p in own if p.succeeded], colour, size=22)
            _scatter(panel, [p for p in own if not p.succeeded], colour, size=22, hollow=True)
            panel.set(xscale="log", yscale="log", title=f"{title} ({len(own)})")
        for panel in axes[:, 0]:
            panel.set_ylabel("relative error")
        picture.supxlabel("seconds", fontsize=9)
    return picture


def _scatter(
    axes: Any, points: list[Point], colour: str, *, size: float, alpha: float = 1.0, hollow: bool = False
) -> None:
    x, y = [p.seconds for p in points], [max(p.error, _LEAST_ERROR) for p in points]
    axes.scatter(x, y, s=size, alpha=alpha, facecolors="none" if hollow else colour, edgecolors=colour, linewidths=0.8)


def stored_rows(folder: Path = STORED) -> list[dict[str, Any]]:
    """All rows of results in a folder."""
    rows = []
    for path in sorted(folder.glob("*.jsonl")):
        with result_file(path) as file:
            rows += file.rows
    return rows


def main(path: str = str(FIGURE)) -> None:
    """Draw the stored results."""
    points = points_of(stored_rows())
    drawn(points).savefig(path)
    sys.stdout.write(f"{len(points)} configurations drawn to {path}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
