"""One cell in its own process: `python -m benchmarks.worker CELL` prints one line of JSON.

The solver runs twice, so that what only the first run pays (tracing, compiling) can be told apart from the computation;
errors are those of the first run.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

import click

from benchmarks.provenance import provenance
from benchmarks.suite import Cell, content_of, read_cell
from sciml.commands.library import Library
from sciml.measurement import Measurement, attempt, measure, plain, subject_of


def run_cell(cell: Cell, library: Library) -> dict[str, Any]:
    """Measure a cell in this process.

    Returns:
        The record of the first run. `seconds` holds `total` of the first run (`cold`) and of the second (`warm`), their
        difference as `compile`, and `own`: what the solver itself says of the first run.
    """
    case = library.case(cell.case)
    subject = subject_of(case, cell.values, library.make_solver)
    solver = library.make_solver(cell.solver, cell.options)
    cold = measure(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget)
    again = cell.warm and not cold.failed
    warm = attempt(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget) if again else None
    row = {**cold.record(), "seconds": _seconds(cold, warm)}
    content = content_of(case, cell.values)
    return {**row, "content": content, "provenance": provenance()}


def _seconds(cold: Measurement, warm: Measurement | None) -> dict[str, Any]:
    own, total = cold.seconds, cold.seconds.get("total")
    if warm is None:
        return plain({"cold": total, "own": own, **own})
    again = warm.seconds["total"]
    return plain(
        {
            "cold": total,
            "warm": again,
            "compile": max((total or 0.0) - again, 0.0),
            "solve": again,
            "evaluate": own.get("evaluate"),
            "total": total,
            "own": own,
        }
    )


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
