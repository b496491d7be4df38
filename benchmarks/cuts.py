"""What a report draws of a run: the first unknown on a line or plane of the test grid, small enough to keep.

A cut is plain data, so that it can travel in a record; on disk it is one npz file for each cell.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from sciml.domains.grids import AbstractGrid, Grid
from sciml.plotting.sections import Section, cut_of_grid
from sciml.reference import AbstractReference
from sciml.solution import Solution

MOST = 161
"""Nodes kept along each side of a plane, and four times as many along a line."""


@final
@dataclass(frozen=True)
class FieldCut:
    """One scalar unknown on a section.

    Attributes:
        unknown: its name.
        section: where.
        values: of the solution, `(n,)` or `(vertical, horizontal)`.
        truth: the same, if known.
        deviation: standard deviation, if the solver gives one.
    """

    unknown: str
    section: Section
    values: np.ndarray
    truth: np.ndarray | None
    deviation: np.ndarray | None = None

    def packed(self) -> str:
        """As text."""
        names = list(self.section.nodes)
        arrays: dict[str, Any] = {f"nodes_{i}": self.section.nodes[name] for i, name in enumerate(names)}
        arrays |= {"names": np.array(names), "unknown": np.array(self.unknown), "values": self.values}
        arrays |= {
            "held_names": np.array(list(self.section.held), str),
            "held": np.array([*self.section.held.values()]),
        }
        arrays |= {"time": np.array(self.section.time or "")}
        arrays |= {n: a for n, a in (("truth", self.truth), ("deviation", self.deviation)) if a is not None}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return base64.b64encode(buffer.getvalue()).decode("ascii")


def cut_of(solution: Solution, grid: AbstractGrid, truth: AbstractReference | None) -> FieldCut | None:
    """The first unknown on the plane that `plot_comparison` would draw; None for scattered points."""
    if not isinstance(grid, Grid):
        return None
    unknown, time = repr(solution.problem.unknowns[0]), solution.problem.time
    values = np.asarray(solution.on_grid(grid)[unknown], float)
    true = None if truth is None else np.asarray(truth({n: np.asarray(p) for n, p in grid.points().items()})[unknown])
    deviation = None if solution.deviation is None else solution.on_grid(grid, solution.deviation)[unknown]
    cut = cut_of_grid(grid, None if time is None else time.name, values if true is None else true)
    most = MOST if len(cut.section.nodes) == 2 else 4 * MOST
    steps = [-(-nodes.size // most) for nodes in cut.section.nodes.values()]
    nodes = {name: own[::step] for (name, own), step in zip(cut.section.nodes.items(), steps, strict=True)}
    thin = tuple(slice(None, None, step) for step in reversed(steps))

    def taken(field: Any) -> np.ndarray | None:
        return None if field is None else cut.take(field)[thin].astype(np.float64)

    kept = taken(values)
    assert kept is not None
    return FieldCut(unknown, Section(nodes, cut.section.held, cut.section.time), kept, taken(true), taken(deviation))


def unpacked(data: bytes) -> FieldCut:
    """The cut that `packed` made, from the decoded bytes."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        names = [str(name) for name in arrays["names"]]
        nodes = {name: arrays[f"nodes_{i}"] for i, name in enumerate(names)}
        held = dict(zip(map(str, arrays["held_names"]), map(float, arrays["held"]), strict=True))
        truth, deviation = (arrays.get(name) for name in ("truth", "deviation"))
        section = Section(nodes, held, str(arrays["time"]) or None)
        return FieldCut(str(arrays["unknown"]), section, arrays["values"], truth, deviation)


def write_cut(folder: Path, key: str, packed: str) -> None:
    """Keep a cut under the key of its cell."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{key}.partial"
    temporary.write_bytes(base64.b64decode(packed))
    temporary.replace(folder / f"{key}.npz")


def read_cut(folder: Path, key: str) -> FieldCut | None:
    """The cut of a cell, if it was kept."""
    path = folder / f"{key}.npz"
    return unpacked(path.read_bytes()) if path.is_file() else None
