"""One cell of a peer: `python -m benchmarks.peers.worker CELL` prints one line of JSON, as `benchmarks.worker` does.

The peer computes in a process of its environment, within the time limit of this one. Seconds are the script's own:
`import` of the peer, `setup`, `compile`, `train` (the row's `solve`), `evaluate`; the budget starts after the import,
as it does for our solvers. Its configuration, versions and peak memory are in the row.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from benchmarks.peers.adapter import PeerSolver, Tabulated
from benchmarks.peers.catalogue import numbers_of, peer_of, statement_of
from benchmarks.provenance import provenance
from benchmarks.suite import NOT_BUILT, Cell, content_of, read_cell
from benchmarks.worker import end_with_parent, judged
from sciml.commands.library import Library
from sciml.measurement import Measurement, Subject, measure, plain, subject_of


def run_cell(cell: Cell, library: Library, command: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure a peer on a cell.

    Args:
        cell: what to run.
        library: names of cases and solvers.
        command: what runs the script, instead of the peer's environment.

    Returns:
        A record like that of `benchmarks.worker.run_cell`, with `peer` as `{versions, dtype, configuration}`.
    """
    started = time.perf_counter()
    peer, case = peer_of(cell.solver), library.case(cell.case)
    subject, statement = subject_of(case, cell.values, library.make_solver), statement_of(case)
    numbers = numbers_of(case, cell.values)
    own = tuple(command or peer.command)
    solver = PeerSolver(peer, statement, numbers, cell.options, cell.seed, subject.grid, own)
    setup = time.perf_counter() - started
    if command is None and not solver.check(subject.problem) and not peer.environment.stamp:
        run = Measurement(cell.case, cell.solver, cell.seed, NOT_BUILT, peer.environment.missing)
    else:
        run = measure(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget)
    return {**_row(run, subject, setup), "content": content_of(case, cell.values)}


def _row(run: Measurement, subject: Subject, setup: float) -> dict[str, Any]:
    """The record, with the peer's own seconds, memory, versions and precision in the place of this process's."""
    row, origin = run.record(), provenance()
    if run.solution is None:
        return {**row, "seconds": {**row["seconds"], "setup": setup}, "provenance": origin}
    fields, stats = run.solution.representation, run.solution.stats
    assert isinstance(fields, Tabulated)
    told, spent = json.loads(fields.told), stats.extra
    seconds = {
        "setup": setup + spent["seconds_import"] + spent.get("seconds_setup", 0.0),
        "compile": stats.compile,
        "solve": stats.solve,
        "evaluate": spent.get("seconds_evaluate", 0.0),
        "cold": run.seconds["total"],
        "total": run.seconds["total"],
        "own": {name.removeprefix("seconds_"): s for name, s in spent.items() if name.startswith("seconds_")},
    }
    row |= judged(run.solution, subject, run.seed)
    origin |= {"dtype": told["dtype"], "peer": told["versions"]}
    memory = spent["peak_memory_mb"]
    return {**row, "seconds": plain(seconds), "peak_memory_mb": memory, "peer": told, "provenance": origin}


def main(text: str) -> None:
    """Run the cell that the text spells and print its record."""
    from sciml.cli import LIBRARY

    end_with_parent()
    click.echo(json.dumps(run_cell(read_cell(text), LIBRARY), ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1])
