"""`sciml report`: a page about a sweep, or what became worse between two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from sciml.commands.options import folder
from sciml.errors import OptionError

Write = Callable[[Path, Path | None], Sequence[Path]]
Compare = Callable[[Path, Path], tuple[str, bool]]


def report_command(write: Write, compare: Compare) -> click.Command:
    """The command.

    Args:
        write: writes the report of a sweep to a folder (None: the sweep's own) and returns its files.
        compare: what changed between two sweeps as text, and whether anything became worse.
    """

    @click.command("report")
    @click.argument("sweeps", nargs=-1, type=click.Path(path_type=Path), metavar="DIR...")
    @click.option("--compare", "is_comparison", is_flag=True, help="Say what changed from the first DIR to the second.")
    @click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the report [DIR itself].")
    @click.pass_context
    def report(ctx: click.Context, sweeps: tuple[Path, ...], is_comparison: bool, out: Path | None) -> Any:
        """Make a page of what `sciml bench` measured: one HTML file that needs no network, Markdown, JSON and CSV.

        DIR is the folder that `sciml bench` wrote, or its file of rows.

        \b
        sciml report results/quick
        sciml report --compare results/yesterday results/today

        Exit code: 0, or 1 if --compare finds a regression, 2 if the input is wrong.
        """
        if is_comparison:
            if len(sweeps) != 2:
                raise OptionError(f"{len(sweeps)} folders to compare", "two: before and after", "name both")
            text, is_worse = compare(*sweeps)
            click.echo(text)
            ctx.exit(1 if is_worse else 0)
        if len(sweeps) != 1:
            raise OptionError(f"{len(sweeps)} folders", "one, or two with --compare", "name the --out of sciml bench")
        for path in write(sweeps[0], None if out is None else folder(out)):
            click.echo(f"wrote {path}")

    return report
