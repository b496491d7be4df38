"""Progress moves on a terminal, nests, and stays out of pipes."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

import sciml.progress
from sciml.progress import progress, waiting


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 80 columns is sent."""
    sent = io.StringIO()
    console = Console(file=sent, force_terminal=True, width=80)
    monkeypatch.setattr(sciml.progress, "terminal", lambda: console)
    return sent


def test_a_bar_says_what_it_is_told(screen: io.StringIO) -> None:
    with progress("compiling") as report:
        report(0.5, "step 12")
    assert "step 12" in screen.getvalue()


def test_displays_nest(screen: io.StringIO) -> None:
    with waiting("a case by a solver"), progress("compiling") as report:
        report(1.0, "step 40")
        deadline = time.monotonic() + 5
        while "step 40" not in screen.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)  # the outer display paints both, ten times a second
    assert "a case by a solver" in screen.getvalue()
    assert "step 40" in screen.getvalue()


def test_a_pipe_gets_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with waiting("a case"), progress("compiling") as report:
        report(0.5, "step 1")
    assert capfd.readouterr() == ("", "")
