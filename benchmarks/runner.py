"""Run a suite: every cell once, each in its own process, each row on disk before the next starts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.process import Ended, run_process
from benchmarks.result_file import result_file
from benchmarks.suite import Cell, Suite, cells_of, content_of, rows_of
from sciml.commands.library import Library
from sciml.errors import OptionError
from sciml.measurement import CRASHED

OUT_OF_TIME = "out_of_time"


def run_suite(
    suite: Suite,
    out: Path,
    library: Library,
    *,
    solvers: Iterable[str] | None = None,
    seeds: int | None = None,
    budget: float | None = None,
    limit: float | None = None,
    tell: Callable[[float, str], None] = lambda fraction, text: None,
) -> list[dict[str, Any]]:
    """Measure what the file does not have yet.

    Args:
        suite: what to measure.
        out: file of results; rows are appended.
        library: names of cases and solvers.
        solvers: only their rows.
        seeds: instead of the suite's own numbers of seeds.
        budget: instead of the rows' own.
        limit: seconds for one process, instead of the suite's.
        tell: called with the fraction done and what is running.

    Returns:
        One result for each cell of the suite, in its order, old and new.

    Raises:
        OptionError: no row has one of the solvers.
        FileError: the file is damaged, or another run writes to it.
    """
    rows = rows_of(suite, solvers, seeds, budget)
    if not rows:
        raise OptionError(f"no row of suite {suite.name}", f"solvers among {_solvers(suite)}", "choose others")
    cells = [cell for row in rows for cell in cells_of(row, content_of(library.case(row.case), row.values))]
    with result_file(out) as results:
        finished = {row["key"]: row for row in results.rows}
        for i, cell in enumerate(cells):
            if cell.key not in finished:
                tell(i / len(cells), f"{i + 1}/{len(cells)}  {cell.case} by {cell.solver}, seed {cell.seed}")
                finished[cell.key] = run_in_process(cell, limit or suite.limit)
                results.append(finished[cell.key])
    return [finished[cell.key] for cell in cells]


def _solvers(suite: Suite) -> str:
    return ", ".join(dict.fromkeys(row.solver for row in suite.rows))


def run_in_process(cell: Cell, limit: float) -> dict[str, Any]:
    """The row of a cell, whatever happens to its process.

    Returns:
        The worker's record with `key`, `command`, `finished` (whether there are finite fields), `process_seconds` and
        the peak memory of the whole process.
    """
    ended = run_process([sys.executable, "-m", "benchmarks.worker", cell.spelled()], limit)
    row = _record(ended)
    if row is None:
        result, message = _failure(ended, limit)
        row = {"case": cell.case, "solver": cell.solver, "seed": cell.seed, "result": result, "message": message}
        row |= {"errors": {}, "reference": None, "seconds": {}, "content": cell.content}
    own = {
        "key": cell.key,
        "finished": row.get("unknowns") is not None,
        "command": cell.command,
        "options": dict(cell.options),
        "values": dict(cell.values),
        "budget": cell.budget,
        "process_seconds": round(ended.seconds, 3),
        "process_peak_memory_mb": round(ended.peak_memory_mb, 1),
    }
    return {**row, **own}


def _record(ended: Ended) -> dict[str, Any] | None:
    """What the worker printed last, if it ended well."""
    lines = ended.output.strip().splitlines()
    if ended.code != 0 or ended.timed_out or not lines:
        return None
    try:
        return json.loads(lines[-1])
    except ValueError:
        return None


def _failure(ended: Ended, limit: float) -> tuple[str, str]:
    if ended.timed_out:
        return OUT_OF_TIME, f"killed after {limit:g} s"
    last = ended.errors.strip().splitlines()
    how = f"exit code {ended.code}" if ended.code >= 0 else f"ended by signal {-ended.code}"
    return CRASHED, f"{how}: {last[-1][:500]}" if last else how
