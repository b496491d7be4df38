"""`sciml solve`: one solver on one case."""

from __future__ import annotations

from pathlib import Path

import click

from sciml.commands.library import Library
from sciml.commands.options import case_argument, folder, json_lines, run_options, solver_classes
from sciml.commands.settings import settings_of
from sciml.commands.tables import measured, page, scientific
from sciml.errors import SciMLError, UnsupportedProblemError
from sciml.measurement import UNSUPPORTED, Measurement, Subject, measure, subject_of
from sciml.plotting import plot_comparison, plot_solution
from sciml.progress import waiting


def solve_command(library: Library) -> click.Command:
    """The command, over the cases and solvers of a library."""

    @click.command("solve")
    @case_argument(library)
    @click.option("--solver", required=True, metavar="NAME", help=f"One of {', '.join(library.solvers)}.")
    @click.option(
        "--checkpoint",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Keep a training's state here; the same command after a kill goes on from it.",
    )
    @click.option("--weights", metavar="DIR", help="What `sciml pretrain` wrote, for a solver that it trained.")
    @run_options
    @click.pass_context
    def solve(
        ctx: click.Context,
        case: str,
        solver: str,
        checkpoint: Path | None,
        weights: str | None,
        seed: int,
        budget: float | None,
        settings: tuple[str, ...],
        out: Path | None,
        as_json: bool,
    ) -> None:
        """Solve a case and report the error against its truth, and the cost.

        Errors are taken once, at the end, on the case's own test grid. With --out the folder gets a picture, the record
        and the solution, which `sciml.Solution` data can be loaded from.

        \b
        sciml solve burgers --solver spectral
        sciml solve burgers --solver pinn --budget 60 --seed 1 --out run
        sciml solve burgers --solver pinn --checkpoint state
        sciml solve burgers --solver spectral --set resolution=512 --set nu=0.01
        sciml solve my_equation.py:melting --solver finite_difference --json

        Exit code: 0 if the solver returned finite fields (the outcome says how far to trust them), 1 if it failed, 2
        if the input is wrong.
        """
        known = library.case(case)
        given = settings if weights is None else (*settings, f"{solver}.weights={weights}")
        chosen = settings_of(given, solver_classes(library, [solver]), known.build)
        method = library.make_solver(solver, chosen.solvers[solver])
        subject = subject_of(known, chosen.case, library.make_solver)
        with waiting(f"{case} by {solver}"):
            row = measure(subject, solver, method, seed=seed, budget=budget, checkpoint=checkpoint)
        if row.result == UNSUPPORTED:
            raise UnsupportedProblemError(f"{case}, which {solver} cannot solve", row.message, "try another --solver")
        written = [] if out is None else write_solution(row, subject, folder(out))
        _report(row, subject, written, as_json=as_json)
        ctx.exit(1 if row.failed else 0)

    return solve


def _report(row: Measurement, subject: Subject, written: list[Path], *, as_json: bool) -> None:
    if as_json:
        click.echo("\n".join(json_lines([row])))
        return
    page().print(measured([row]))
    if row.solution is not None:
        for name, estimate in row.solution.parameters.items():
            if estimate.standard_error is not None:
                page().print(f"{name} = {estimate}", markup=False)
    if subject.reference is not None:
        page().print(f"truth: {subject.reference.kind}, its own error {scientific(subject.reference.error)}")
    for path in written:
        page().print(f"wrote {path}", markup=False)


def write_solution(row: Measurement, subject: Subject, out: Path) -> list[Path]:
    """Record, picture and data of a run."""
    record = out / "record.json"
    record.write_text("\n".join(json_lines([row])) + "\n", "utf-8")
    if row.solution is None:
        return [record]
    picture = out / "solution.png"
    if subject.reference is None:
        plot_solution(row.solution).savefig(picture)
    else:
        plot_comparison({row.solver: row.solution}, subject.reference, subject.grid).savefig(picture)
    try:
        return [record, picture, row.solution.save(out / "solution")]
    except SciMLError as refusal:  # a user's own solver may keep its fields in something that has no format
        click.echo(f"sciml: warning: the solution is not saved: {refusal}", err=True)
        return [record, picture]
