"""How numbers and rows look on a terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from functools import cache

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from sciml.measurement import Measurement


@cache
def page() -> Console:
    """The console of standard output; 100 columns in a pipe, so that tables are not squeezed."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 110)


def scientific(value: float | None) -> str:
    """Two significant digits, `—` for what is not known."""
    if value is None or math.isnan(value):
        return "—"
    return "∞" if math.isinf(value) else f"{value:.1e}"


def duration(seconds: float | None) -> str:
    """Seconds to three significant digits."""
    if seconds is None or math.isnan(seconds):
        return "—"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s"


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Iterable[int] = (), gap: int = 2
) -> Table:
    """A plain table; the columns of numbers are set flush right and never broken over lines."""
    right = set(numbers)
    made = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for i, name in enumerate(columns):
        made.add_column(name, justify="right" if i in right else "left", overflow="fold", no_wrap=i in right)
    for row in rows:
        made.add_row(*row)
    return made


COLUMNS = ("solver", "field", "rel. L2", "max error", "total", "compile", "unknowns", "outcome")
"""Narrow enough for 80 characters; the record has the rest."""


def measured(rows: Sequence[Measurement]) -> Group:
    """One line for each run and unknown, and under the table what the solvers have to say."""
    lines: list[Sequence[str | Text]] = []
    for row in rows:
        cost = [duration(row.seconds.get(name)) for name in ("total", "compile")]
        unknowns = "—" if row.solution is None else f"{row.solution.stats.unknowns:,}"
        outcome = Text(row.result.replace("_", " "), style=_colour(row), no_wrap=True)
        for i, (field, error) in enumerate(list(row.errors.items()) or [("", {})]):
            name = shown(row.solver) if i == 0 else ""
            numbers = [field, scientific(error.get("relative_l2")), scientific(error.get("max"))]
            lines.append([name, *numbers, *([*cost, unknowns, outcome] if i == 0 else ["", "", "", ""])])
    remarks = [Text(f"{shown(row.solver)}: {row.message}", style=_colour(row)) for row in rows if row.message]
    return Group(table(COLUMNS, lines, numbers=range(1, 7), gap=1), *remarks)


def shown(name: str) -> str:
    """A solver's name; a user's own without the folders of its file."""
    return name.rpartition("/")[2]


def _colour(row: Measurement) -> str:
    if row.failed:
        return "red"
    return "green" if row.result == "successful" else "yellow"
