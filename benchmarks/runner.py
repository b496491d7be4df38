"""Run a suite: every cell once, each in its own process, each row on disk as soon as it is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from benchmarks.cuts import write_cut
from benchmarks.facts import Request
from benchmarks.peers.catalogue import peer_of
from benchmarks.process import Ended, run_process
from benchmarks.result_file import ResultFile, result_file
from benchmarks.schedule import schedule
from benchmarks.suite import PEER, Cell, Row, Suite, cells_of, content_of, rows_of
from benchmarks.sweep import Sweep
from sciml.commands.library import Library
from sciml.errors import OptionError
from sciml.measurement import CRASHED

OUT_OF_TIME = "out_of_time"


def ignore(*_: Any) -> None:
    """Tell nobody."""


@final
@dataclass(frozen=True)
class Hands:
    """Who runs the cells, and who hears of it.

    Attributes:
        workers: cells at once.
        scheduler: address of a Dask scheduler, or `slurm`; None for this machine.
        tell: called with the fraction done and what was done last.
        warn: called with what the user should know.
    """

    workers: int = 1
    scheduler: str | None = None
    tell: Callable[[float, str], None] = ignore
    warn: Callable[[str], None] = ignore

    def fill(self, file: ResultFile, tasks: Sequence[Any], make: Callable[[Any], dict[str, Any]], cuts: Path) -> None:
        """Append the rows of the tasks that the file does not have yet; a row's cut goes to a file of its own."""
        known = {row["key"] for row in file.rows}
        missing = [task for task in tasks if task.key not in known]
        done = len(tasks) - len(missing)
        self.tell(done / max(len(tasks), 1), f"{len(missing)} to go")
        made = schedule(missing, make, workers=self.workers, address=self.scheduler, warn=self.warn)
        for task, row in made:
            cut = row.pop("cut", None)
            if cut is not None:
                write_cut(cuts, task.key, cut)
            file.append(row)
            done += 1
            self.tell(done / len(tasks), f"{done}/{len(tasks)}  {row['case']} by {row.get('solver', 'the judge')}")


def run_suite(
    suite: Suite,
    out: Path,
    library: Library,
    *,
    solvers: Iterable[str] | None = None,
    seeds: int | None = None,
    budgets: Sequence[float] = (),
    limit: float | None = None,
    hands: Hands | None = None,
) -> list[dict[str, Any]]:
    """Measure what the folder does not have yet.

    Args:
        suite: what to measure.
        out: folder of the sweep, or its file of rows; see `Sweep`.
        library: names of cases and solvers.
        solvers: only their rows.
        seeds: instead of the suite's own numbers of seeds.
        budgets: instead of the rows' own; see `rows_of`.
        limit: seconds for one process, instead of the suite's.
        hands: who runs the cells (default: this process, one after the other).

    Returns:
        One result for each cell of the suite, in its order, old and new.

    Raises:
        OptionError: no row has one of the solvers, or the scheduler cannot be had.
        FileError: a file is damaged, or another run writes to it.
        SolveError: workers of a cluster were lost with their cells.
    """
    rows = rows_of(suite, solvers, seeds, budgets)
    if not rows:
        known = ", ".join(dict.fromkeys(row.solver for row in suite.all_rows))
        raise OptionError(f"no row of suite {suite.name}", f"solvers among {known}", "choose others")
    hands, sweep, limit = hands or Hands(), Sweep(out), limit or suite.limit
    contents = {_place(row): content_of(library.case(row.case), row.values) for row in rows}
    cells = [cell for row in rows for cell in cells_of(row, contents[_place(row)] + _environment(row.solver))]
    with result_file(sweep.rows) as results:
        sweep.write_suite(suite, rows)
        with result_file(sweep.facts) as facts:
            hands.fill(facts, _requests(suite, rows, contents), partial(facts_in_process, limit=limit), sweep.cuts)
        hands.fill(results, cells, partial(run_in_process, limit=limit, workers=hands.workers), sweep.cuts)
        finished = {row["key"]: row for row in results.rows}
    return [finished[cell.key] for cell in cells]


def _environment(solver: str) -> str:
    """Which packages a peer is measured with: a row is measured again when its environment is built, or built anew."""
    return f" {peer_of(solver).environment.stamp}" if solver.startswith(PEER) else ""


def _place(row: Row) -> tuple[str, str]:
    return row.case, json.dumps(dict(row.values), sort_keys=True, default=str)


def _requests(suite: Suite, rows: Sequence[Row], contents: dict[tuple[str, str], str]) -> list[Request]:
    """One for each case with its values."""
    solvers = tuple(dict.fromkeys(row.solver for row in suite.all_rows))
    places = {_place(row): row for row in rows}
    return [Request(row.case, dict(row.values), contents[place], solvers) for place, row in places.items()]


def run_in_process(cell: Cell, limit: float, workers: int = 1) -> dict[str, Any]:
    """The row of a cell, whatever happens to its process.

    Args:
        cell: what to run.
        limit: seconds after which the process is killed.
        workers: how many cells ran at once, for the record: it makes each of them slower.

    Returns:
        The worker's record with `key`, `command`, `finished` (whether there are finite fields), `process_seconds` and
        the peak memory of the whole process.
    """
    ended = run_process([sys.executable, "-m", cell.worker, cell.spelled()], limit)
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
        "workers": workers,
        "process_seconds": round(ended.seconds, 3),
        "process_peak_memory_mb": round(ended.peak_memory_mb, 1),
    }
    return {**row, **own}


def facts_in_process(request: Request, limit: float) -> dict[str, Any]:
    """The facts of a case; where its process fails, its name and what happened."""
    ended = run_process([sys.executable, "-m", "benchmarks.facts", request.spelled()], limit)
    facts = _record(ended) or {"case": request.case, "trouble": ": ".join(_failure(ended, limit))}
    own = {"key": request.key, "values": dict(request.values), "content": request.content, "command": request.command}
    return {**facts, **own}


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
    return CRASHED, ended.fate
