"""One cell in its own process: `python -m benchmarks.worker CELL` prints one line of JSON.

The solver runs more than once, so that what only the first run pays (tracing, compiling) can be told apart from the
computation; errors and scores are those of the first run. Nothing that is not the solver's own runs before the last of
its runs, but for the evaluation on the test grid.
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
import jax
import numpy as np

from benchmarks.cuts import cut_of
from benchmarks.provenance import provenance
from benchmarks.suite import Cell, content_of, read_cell
from sciml.commands.library import Library
from sciml.measurement import Subject, attempt, measure, plain, subject_of
from sciml.scores import field_scores, violations
from sciml.solution import Solution

WARM_RUNS = 5
"""Most warm runs of a cell; their median is reported."""
ENOUGH = 5.0
"""Seconds of warm runs after which no further one is started: a single short run says little on a busy machine."""

VIOLATION_SEED = 77
"""Of the points where violations are taken: the same for every solver, and none of theirs."""


def run_cell(cell: Cell, library: Library) -> dict[str, Any]:
    """Measure a cell in this process.

    Returns:
        The record of the first run. `seconds` holds the making of the problem and its grid (`setup`), the wall time of
        the first run (`cold`), of each further run (`again`) and their median (`warm`), cold minus warm as `compile`,
        two evaluations on the test grid (`evaluate_cold`, then `evaluate`), and what the solver says of itself
        (`own`). `scores` holds everything of `sciml.scores`, and `cut` the plane that a report draws, for seed 0.
    """
    started = time.perf_counter()
    case = library.case(cell.case)
    subject = subject_of(case, cell.values, library.make_solver)
    solver = library.make_solver(cell.solver, cell.options)
    setup = time.perf_counter() - started
    cold = measure(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget)
    again: list[float] = []
    while cell.warm and not cold.failed and len(again) < WARM_RUNS and sum(again) < ENOUGH:
        run = attempt(subject, cell.solver, solver, seed=cell.seed, budget=cell.budget)
        again.append(run.seconds["total"])
    seconds = {**_seconds(cold.seconds, again), "setup": setup}
    row = cold.record()
    if cold.solution is not None:
        seconds |= _evaluation(cold.solution, subject, cold.seconds["evaluate"])
        row |= judged(cold.solution, subject, cell.seed)
    row["seconds"] = plain(seconds)
    return {**row, "content": content_of(case, cell.values), "provenance": provenance()}


def _evaluation(solution: Solution, subject: Subject, first: float) -> dict[str, float]:
    """Seconds of evaluating once more what was compiled before."""
    started = time.perf_counter()
    solution.on_grid(subject.grid)
    return {"evaluate_cold": first, "evaluate": time.perf_counter() - started}


def judged(solution: Solution, subject: Subject, seed: int) -> dict[str, Any]:
    """Scores against truth and statement, and the cut for the report; a judge that fails says so in its place."""
    try:
        truth = subject.reference
        points = {name: np.asarray(p) for name, p in subject.grid.points().items()}
        fields = {} if truth is None else field_scores(subject.grid, solution, truth(points))
        scores = {"fields": fields, "violations": violations(solution, jax.random.key(VIOLATION_SEED))}
        cut = cut_of(solution, subject.grid, truth) if seed == 0 else None
    except Exception as defect:  # a figure that exists must not be lost with one that does not
        return {"scores": {"trouble": f"{type(defect).__name__}: {defect}"[:500]}, "cut": None}
    return {"scores": plain(scores), "cut": None if cut is None else cut.packed()}


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
