"""One progress display on a terminal; nothing where standard error is not one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Report = Callable[[float, str], None]
"""Takes the fraction that is done, from 0 to 1, and what to say about it."""


@cache
def terminal() -> Console:
    """The console of all progress displays, on standard error; one, so that displays nest."""
    return Console(stderr=True)


@contextmanager
def progress(description: str) -> Iterator[Report]:
    """A bar that moves when `report(fraction, text)` is called, and vanishes at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with _display(*columns) as display:
        task = display.add_task(description, total=1.0)

        def report(fraction: float, text: str) -> None:
            display.update(task, completed=fraction, description=text)

        yield report


@contextmanager
def waiting(description: str) -> Iterator[None]:
    """A spinner with a clock, for work that does not say how far it is."""
    with _display(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as display:
        display.add_task(description, total=None)
        yield


def _display(*columns: SpinnerColumn | TextColumn | BarColumn | TimeElapsedColumn) -> Progress:
    console = terminal()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
