"""One cell in its own process: `python -m benchmarks.worker CELL` prints one line of JSON.

The solver runs more than once, so that what only the first run pays (tracing, compiling) can be told apart from the
computation; errors are those of the first run.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import click

from benchmarks.provenance import provenance
from benchmarks.suite import Cell, content_of, read_cell
from sciml.commands.library import Library
from sciml.measurement import attempt, measure, plain, subject_of

WARM_RUNS = 5
"""Most warm runs of a cell; their median is reported."""
ENOUGH = 5.0
"""Seconds of warm runs after which no further one is started: a single short run says little on a busy machine."""


def run_cell(cell: Cell, library: Library) -> dict[str, Any]:
    """Measure a cell in this process.

    Returns:
        The record of the first run. `seconds` holds the wall time of the first run (`cold`), of each further run
        (`again`) and their median (`warm`), cold minus warm as `compile`, and what the solver says of itself (`own`).
    """
    case = library.case(cell.case)
    subject = subject_of(case, cell.values, library.make_solver)
    solver = library.make_solver(cell.solver, cell.options)
    cold = measure(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget)
    again: list[float] = []
    while cell.warm and not cold.failed and len(again) < WARM_RUNS and sum(again) < ENOUGH:
        run = attempt(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget)
        again.append(run.seconds["total"])
    row = {**cold.record(), "seconds": plain(_seconds(cold.seconds, again))}
    return {**row, "content": content_of(case, cell.values), "provenance": provenance()}


def _seconds(own: Mapping[str, float], again: Sequence[float]) -> dict[str, Any]:
    cold = own.get("total")
    if not again or cold is None:
        return {**own, "cold": cold, "own": dict(own)}
    warm = median(again)
    times = {"cold": cold, "again": list(again), "warm": warm, "compile": max(cold - warm, 0.0), "solve": warm}
    return {**times, "evaluate": own.get("evaluate"), "total": cold, "own": dict(own)}


def end_with_parent() -> None:
    """End this process when the one that started it is gone: a killed sweep leaves no run behind."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(text: str) -> None:
    """Run the cell that the text spells and print its record."""
    import json

    from sciml.cli import LIBRARY

    end_with_parent()
    click.echo(json.dumps(run_cell(read_cell(text), LIBRARY), ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
