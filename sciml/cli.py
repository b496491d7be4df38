"""The command line: the one module of sciml that knows the zoo, the solvers and the benchmarks."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any, final

import click

from sciml.case import Case
from sciml.commands.bench import bench_command
from sciml.commands.compare import compare_command
from sciml.commands.library import Library
from sciml.commands.show import show_command
from sciml.commands.solve import solve_command
from sciml.commands.zoo import zoo_command
from sciml.errors import ProblemWarning, SciMLError, SolveError

SOLVERS = {
    "pinn": "solvers.pinn:PINN",
    "pig": "solvers.gaussians:PIG",
    "gp": "solvers.gp:KroneckerGP",
    "gp_student": "solvers.gp:StudentGP",
    "mpm": "solvers.mpm:MPM",
    "neural_law": "solvers.mpm:NeuralConstitutiveLaw",
    "prose": "solvers.prose:PROSE",
    "system_identification": "solvers.mpm:SystemIdentification",
    "spectral": "solvers.classical:Spectral",
    "finite_difference": "solvers.classical:FiniteDifference",
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


def run_suite(suite: Any, out: Any, **options: Any) -> list[dict[str, Any]]:
    """See `benchmarks.runner.run_suite`."""
    from benchmarks.runner import run_suite

    return run_suite(suite, out, LIBRARY, **options)


def report(suite: Any, rows: list[dict[str, Any]]) -> str:
    """See `benchmarks.report.markdown`."""
    from benchmarks.report import markdown

    return markdown(suite, rows, cases())


LIBRARY = Library(cases, SOLVERS, suites)


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
    sciml bench classical                               measure a suite, print target and figure

    In place of a name, CASE may be path/to/file.py:function for a function of yours that returns a Problem, and a
    solver path/to/file.py:Class for one of your own.

    Exit codes: 0 success, 1 a solver failed, 2 wrong input.
    """


main.add_command(zoo_command(LIBRARY))
main.add_command(show_command(LIBRARY))
main.add_command(solve_command(LIBRARY))
main.add_command(compare_command(LIBRARY))
main.add_command(bench_command(LIBRARY, run_suite, report))

if __name__ == "__main__":
    sys.exit(main())
