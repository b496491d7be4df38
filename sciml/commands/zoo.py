"""`sciml zoo`: what there is to solve."""

from __future__ import annotations

import json
from itertools import groupby

import click

from sciml.case import Case
from sciml.commands.library import Library
from sciml.commands.settings import arguments_of
from sciml.commands.tables import page, table
from sciml.measurement import plain


def zoo_command(library: Library) -> click.Command:
    """The command, over the cases of a library."""

    @click.command("zoo")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each case.")
    def zoo(as_json: bool) -> None:
        """List every case: the zoo, and suites of published cases.

        A case is an equation with its domain, conditions and truth, on a test grid that never changes, so that errors
        of different solvers can be compared.

        \b
        sciml zoo
        sciml zoo --json | grep helmholtz
        """
        cases = list(library.cases().values())
        if as_json:
            for case in cases:
                click.echo(json.dumps(plain(about(case)), ensure_ascii=False))
            return
        for suite, members in groupby(cases, key=_suite):
            page().print(f"\n[bold]{suite}[/bold]")
            page().print(table(("  case", "what it is"), [(f"  {c.name}", _sentence(c)) for c in members]))
        page().print("\n`sciml show CASE` prints one; `sciml solve CASE --solver NAME` solves it.")

    return zoo


def _suite(case: Case) -> str:
    return case.name.partition("/")[0] if "/" in case.name else "zoo"


def _sentence(case: Case) -> str:
    values = ", ".join(f"{name}={_short(value)}" for name, value in case.values.items())
    return f"{case.summary} ({values})" if values else case.summary


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def about(case: Case) -> dict[str, object]:
    """A case in plain data, without building its problem."""
    return {
        "case": case.name,
        "suite": _suite(case),
        "summary": case.summary,
        "values": {name: str(value) for name, value in case.values.items()},
        "choices": list(arguments_of(case.build)),
        "points": case.points,
        "note": case.note,
        "published": [{"method": p.method, "error": p.error, "source": p.source} for p in case.published],
    }
