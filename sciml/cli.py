"""The command line: the one module of sciml that knows the zoo, the solvers and the benchmarks."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import click

from sciml.case import Case
from sciml.commands.bench import bench_command
from sciml.commands.compare import compare_command
from sciml.commands.family import family_command
from sciml.commands.library import Library
from sciml.commands.pretrain import pretrain_command
from sciml.commands.report import report_command
from sciml.commands.show import show_command
from sciml.commands.solve import solve_command
from sciml.commands.zoo import zoo_command
from sciml.errors import ProblemWarning, SciMLError, SolveError
from sciml.family import ProblemFamily

SOLVERS = {
    "pinn": "solvers.pinn:PINN",
    "pig": "solvers.gaussians:PIG",
    "gp": "solvers.gp:KroneckerGP",
    "gp_student": "solvers.gp:StudentGP",
    "mpm": "solvers.mpm:MPM",
    "neural_law": "solvers.mpm:NeuralConstitutiveLaw",
    "prose": "solvers.prose:PROSE",
    "material_identification": "solvers.mpm:MaterialIdentification",
    "system_identification": "solvers.identification:SystemIdentification",
    "law_identification": "solvers.classical:LawIdentification",
    "spectral": "solvers.classical:Spectral",
    "finite_difference": "solvers.classical:FiniteDifference",
    "initial_value": "solvers.classical:InitialValue",
    "zero": "solvers.trivial:Zero",
    "lift": "solvers.trivial:Lift",
}
"""Where the class of each solver lives."""


def cases() -> Mapping[str, Case]:
    """Every case of the zoo by name."""
    from pde_zoo.catalogue import CASES

    return CASES


def suites() -> Mapping[str, Any]:
    """Every benchmark suite by name."""
    from benchmarks.suites import SUITES

    return SUITES


def run_suite(
    suite: Any, out: Any, *, workers: int, scheduler: str | None, tell: Any, warn: Any, **options: Any
) -> list[dict[str, Any]]:
    """See `benchmarks.runner.run_suite`."""
    from benchmarks.runner import Hands, run_suite

    return run_suite(suite, out, LIBRARY, hands=Hands(workers, scheduler, tell, warn), **options)


def report(suite: Any, rows: list[dict[str, Any]]) -> str:
    """See `benchmarks.report.markdown`."""
    from benchmarks.report import markdown

    return markdown(suite, rows, cases())


def families() -> Mapping[str, ProblemFamily]:
    """Every family of problems by name."""
    from pde_zoo.families import FAMILIES

    return FAMILIES


def write_report(place: Path, out: Path | None) -> Sequence[Path]:
    """See `benchmarks.report.write_report`."""
    from benchmarks.report import write_report

    return write_report(place, out)


def compare_sweeps(before: Path, after: Path) -> tuple[str, bool]:
    """See `benchmarks.report.compare`."""
    from benchmarks.report import as_text, compare

    changes = compare(before, after)
    return as_text(changes), any(change.is_worse for change in changes)


LIBRARY = Library(cases, SOLVERS, suites, families)


@final
class Commands(click.Group):
    """A group that ends wrong input in one sentence and exit code 2, a failed solver in exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("always", ProblemWarning)
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except SciMLError as error:
                click.echo(f"sciml: {error}", err=True)
                ctx.exit(1 if isinstance(error, SolveError) else 2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"sciml: warning: {message}", err=True)


@click.group("sciml", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="sciml-pde", prog_name="sciml")
def main() -> None:
    """Solve partial differential equations with learned and classical solvers, and compare them against the truth.

    \b
    sciml zoo                                           what there is to solve
    sciml show burgers                                  one case: equations, conditions, truth, published numbers
    sciml solve burgers --solver spectral --out run     solve it; picture, record and data in run/
    sciml compare burgers --solvers pinn,spectral       several solvers side by side
    sciml family lorenz                                 a family of problems: its random numbers, a trajectory
    sciml pretrain lorenz --solver prose --out run      train a solver that learns families beforehand
    sciml bench quick                                   measure a suite, print target and figure
    sciml report results/quick                          one page of everything that was measured

    In place of a name, CASE may be path/to/file.py:function for a function of yours that returns a Problem, and a
    solver path/to/file.py:Class for one of your own.

    Exit codes: 0 success, 1 a solver failed, 2 wrong input.
    """


main.add_command(zoo_command(LIBRARY))
main.add_command(show_command(LIBRARY))
main.add_command(family_command(LIBRARY))
main.add_command(solve_command(LIBRARY))
main.add_command(compare_command(LIBRARY))
main.add_command(pretrain_command(LIBRARY))
main.add_command(bench_command(LIBRARY, run_suite, report))
main.add_command(report_command(write_report, compare_sweeps))

if __name__ == "__main__":
    sys.exit(main())
