"""Options that commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from sciml.commands.library import Library
from sciml.errors import FileError, OptionError
from sciml.measurement import Measurement

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Seconds(click.ParamType):
    """A positive number of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise OptionError(f"{value!r} seconds", "a positive number", "write --budget 120")
        return number


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Seed, budget, settings, folder and JSON: what every command that solves takes."""
    options: list[Decorator] = [
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of the solver's random numbers."),
        click.option("--budget", type=Seconds(), metavar="SECONDS", help="Stop iterative solvers after this time."),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE",
            help="A hyperparameter of the solver, or a value of the case. Repeat it for more.",
        ),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for pictures and data."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each run, and nothing else."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def case_argument(library: Library) -> Decorator:
    """The CASE argument, completed from the names of the zoo."""

    def complete(ctx: click.Context, param: click.Parameter, start: str) -> list[str]:
        return [name for name in library.cases() if name.startswith(start)]

    return click.argument("case", shell_complete=complete)


def names_in(text: str) -> list[str]:
    """Names separated by commas.

    Raises:
        OptionError: none, or one of them twice.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise OptionError(f"solvers {text!r}", "different names separated by commas", "write --solvers pinn,spectral")
    return names


def folder(path: Path) -> Path:
    """The folder, made if it is missing.

    Raises:
        FileError: it cannot be made or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", "a folder that can be written", "choose another --out") from error
    return path


def json_lines(rows: Iterable[Measurement]) -> list[str]:
    """One line of JSON for each run."""
    return [json.dumps(row.record(), ensure_ascii=False) for row in rows]


def solver_classes(library: Library, names: Iterable[str]) -> Mapping[str, type]:
    """Classes of solvers by name."""
    return {name: library.solver_class(name) for name in names}
