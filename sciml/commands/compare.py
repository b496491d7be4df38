"""`sciml compare`: several solvers on one case, beside the truth."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import click

from sciml.commands.library import Library
from sciml.commands.options import case_argument, folder, json_lines, names_in, run_options, solver_classes
from sciml.commands.settings import settings_of
from sciml.commands.tables import measured, page, scientific
from sciml.measurement import Measurement, Subject, measure, subject_of
from sciml.plotting import plot_comparison
from sciml.progress import waiting


def compare_command(library: Library) -> click.Command:
    """The command, over the cases and solvers of a library."""

    @click.command("compare")
    @case_argument(library)
    @click.option("--solvers", required=True, metavar="A,B,C", help=f"Some of {', '.join(library.solvers)}.")
    @run_options
    @click.pass_context
    def compare(
        ctx: click.Context,
        case: str,
        solvers: str,
        seed: int,
        budget: float | None,
        settings: tuple[str, ...],
        out: Path | None,
        as_json: bool,
    ) -> None:
        """Solve a case with several solvers and compare error and cost.

        Every solver that was asked for is a row, also one that cannot solve the case or fails. With --out the folder
        gets comparison.png (solutions and errors on common colour scales), comparison.csv and comparison.jsonl.

        \b
        sciml compare burgers --solvers pinn,spectral --out demo
        sciml compare heat --solvers spectral,finite_difference --set points=201
        sciml compare burgers --solvers pinn,spectral --set pinn.width=32

        Exit code: 0 if every solver returned finite fields, 1 if one did not, 2 if the input is wrong.
        """
        names, known = names_in(solvers), library.case(case)
        chosen = settings_of(settings, solver_classes(library, names), known.build)
        methods = {name: library.make_solver(name, chosen.solvers[name]) for name in names}
        subject = subject_of(known, chosen.case, library.make_solver)
        rows = []
        for i, (name, method) in enumerate(methods.items(), start=1):
            with waiting(f"{case} by {name} ({i} of {len(methods)})"):
                rows.append(measure(subject, name, method, seed=seed, budget=budget))
        written = [] if out is None else write_comparison(rows, subject, folder(out))
        if as_json:
            click.echo("\n".join(json_lines(rows)))
        else:
            _report(rows, subject, written)
        ctx.exit(1 if any(row.failed for row in rows) else 0)

    return compare


def _report(rows: Sequence[Measurement], subject: Subject, written: Sequence[Path]) -> None:
    page().print(f"[bold]{subject.case}[/bold]")
    page().print(measured(rows))
    if subject.reference is not None:
        page().print(f"truth: {subject.reference.kind}, its own error {scientific(subject.reference.error)}")
    for path in written:
        page().print(f"wrote {path}", markup=False)


def write_comparison(rows: Sequence[Measurement], subject: Subject, out: Path) -> list[Path]:
    """Table as CSV and JSON lines, and a picture of the solvers that have fields."""
    lines = out / "comparison.jsonl"
    lines.write_text("\n".join(json_lines(rows)) + "\n", "utf-8")
    sheet = out / "comparison.csv"
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "solver", "seed", "result", "unknown", "relative_l2", "max", *SECONDS, "message"])
        for row in rows:
            seconds = [f"{row.seconds[name]:.6g}" if name in row.seconds else "" for name in SECONDS]
            for unknown, error in (row.errors or {"": {"relative_l2": "", "max": ""}}).items():
                own = [unknown, error["relative_l2"], error["max"]]
                writer.writerow([row.case, row.solver, row.seed, row.result, *own, *seconds, row.message])
    fields = {row.solver: row.solution for row in rows if row.solution is not None}
    if not fields:
        return [sheet, lines]
    picture = out / "comparison.png"
    plot_comparison(fields, subject.reference, subject.grid).savefig(picture)
    return [picture, sheet, lines]


SECONDS = ("compile", "solve", "evaluate", "total")
