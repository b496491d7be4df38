"""`sciml bench`: measure a suite, and print what was promised beside what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sciml.commands.library import Library, unknown
from sciml.commands.options import Seconds, names_in
from sciml.errors import OptionError
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
    @click.option("--budget", type=Seconds(), metavar="SECONDS", help="Time budget handed to the solvers.")
    @click.option("--limit", type=Seconds(), metavar="SECONDS", help="Kill a run after this time, everything included.")
    @click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Results [results/SUITE.jsonl].")
    @click.pass_context
    def bench(
        ctx: click.Context,
        suite: str,
        solvers: str | None,
        seeds: int | None,
        budget: float | None,
        limit: float | None,
        out: Path | None,
    ) -> None:
        """Measure a suite of cases and print a Markdown table: target, figure, whether it holds.

        Each run has a process of its own with a time limit, and becomes one JSON line in FILE with the command that
        repeats it. A run that FILE already has is not repeated, so a sweep that was killed goes on where it stopped;
        give another FILE to measure afresh.

        \b
        sciml bench classical
        sciml bench classical --solvers spectral --seeds 3 --out results/today.jsonl

        Exit code: 0 if every run returned finite fields, 1 if one did not, 2 if the input is wrong.
        """
        suites = library.suites()
        if suite not in suites:
            raise unknown("suite", suite, suites, f"choose one of {', '.join(suites)}")
        if seeds is not None and seeds < 1:
            raise OptionError(f"{seeds} seeds", "at least 1", "leave --seeds out for what the suite says")
        path = out or Path("results") / f"{suite}.jsonl"
        with progress(f"suite {suite}") as tell:
            rows = run_suite(
                suites[suite],
                path,
                solvers=None if solvers is None else names_in(solvers),
                seeds=seeds,
                budget=budget,
                limit=limit,
                tell=tell,
            )
        click.echo(report(suites[suite], rows))
        click.echo(f"Rows with the commands that repeat them: {path}", err=True)
        ctx.exit(1 if any(not row["finished"] for row in rows) else 0)

    return bench
