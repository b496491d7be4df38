"""`sciml bench`: measure a suite, and print what was promised beside what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sciml.commands.library import Library, unknown
from sciml.commands.options import Seconds, names_in
from sciml.errors import OptionError
from sciml.measurement import UNSUPPORTED
from sciml.progress import progress

RunSuite = Callable[..., list[dict[str, Any]]]
Report = Callable[[Any, list[dict[str, Any]]], str]


def bench_command(library: Library, run_suite: RunSuite, report: Report) -> click.Command:
    """The command, over the suites of a library.

    Args:
        library: what there is to measure.
        run_suite: measures the cells of a suite that its file of results does not have yet, and returns all its rows.
        report: a Markdown table of a suite's rows.
    """

    @click.command("bench")
    @click.argument("suite")
    @click.option("--solvers", metavar="A,B,C", help="Only the rows of these solvers.")
    @click.option("--seeds", type=int, metavar="N", help="Seeds 0 to N-1 for each row (default: what the suite says).")
    @click.option(
        "--budget",
        "budgets",
        type=Seconds(),
        multiple=True,
        metavar="SECONDS",
        help="Time budget handed to the solvers. Repeat it for error-cost curves of the solvers that iterate.",
    )
    @click.option("--limit", type=Seconds(), metavar="SECONDS", help="Kill a run after this time, everything included.")
    @click.option("--workers", type=int, default=1, show_default=True, help="Runs at once; each slows the others.")
    @click.option("--scheduler", metavar="ADDRESS", help="A running Dask scheduler, or slurm for dask-jobqueue.")
    @click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Results [results/SUITE].")
    @click.pass_context
    def bench(
        ctx: click.Context,
        suite: str,
        solvers: str | None,
        seeds: int | None,
        budgets: tuple[float, ...],
        limit: float | None,
        workers: int,
        scheduler: str | None,
        out: Path | None,
    ) -> None:
        """Measure a suite of cases and print a Markdown table: target, figure, whether it holds.

        Each run has a process of its own with a time limit, and becomes one JSON line in DIR/rows.jsonl with the
        command that repeats it. A run that DIR already has is not repeated, so a sweep that was killed goes on where it
        stopped; give another DIR to measure afresh. `sciml report DIR` makes a page of it.

        \b
        sciml bench quick
        sciml bench classical --solvers spectral --seeds 3 --out results/today
        sciml bench quick --budget 5 --budget 20 --workers 2

        Exit code: 0 if every run returned finite fields or was refused by its solver beforehand, 1 if one failed, 2 if
        the input is wrong.
        """
        suites = library.suites()
        if suite not in suites:
            raise unknown("suite", suite, suites, f"choose one of {', '.join(suites)}")
        _check_counts(seeds, workers)
        path = out or Path("results") / suite
        with progress(f"suite {suite}") as tell:
            rows = run_suite(
                suites[suite],
                path,
                solvers=None if solvers is None else names_in(solvers),
                seeds=seeds,
                budgets=budgets,
                limit=limit,
                workers=workers,
                scheduler=scheduler,
                tell=tell,
                warn=lambda text: click.echo(f"sciml: {text}", err=True),
            )
        click.echo(report(suites[suite], rows))
        click.echo(
            f"Rows with the commands that repeat them are in {path}; sciml report {path} makes a page.", err=True
        )
        ctx.exit(1 if any(not row["finished"] and row["result"] != UNSUPPORTED for row in rows) else 0)

    return bench


def _check_counts(seeds: int | None, workers: int) -> None:
    if seeds is not None and seeds < 1:
        raise OptionError(f"{seeds} seeds", "at least 1", "leave --seeds out for what the suite says")
    if workers < 1:
        raise OptionError(f"{workers} workers", "at least 1", "leave --workers out for one after the other")
