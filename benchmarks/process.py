"""One command in a process of its own, with a time limit, its peak memory, and no way to take the caller with it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, final

POLL = 0.02
"""Seconds between two looks at a running process."""


@final
@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: exit code; negative for the signal that ended it.
        timed_out: whether it was killed at its limit.
        seconds: wall time.
        peak_memory_mb: largest resident memory, in MiB.
        output: standard output.
        errors: the end of standard error.
    """

    code: int
    timed_out: bool
    seconds: float
    peak_memory_mb: float
    output: str
    errors: str

    @property
    def fate(self) -> str:
        """Exit code or signal, with the last line of standard error."""
        last = self.errors.strip().splitlines()
        how = f"exit code {self.code}" if self.code >= 0 else f"ended by signal {-self.code}"
        return f"{how}: {last[-1][:500]}" if last else how


def run_process(command: Sequence[str], limit: float, *, own_session: bool = True) -> Ended:
    """Run a command; kill it and all that it started when the limit is over, or when the caller is interrupted.

    Without a session of its own it ends with the session of the caller; of what it started, only it itself is killed.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL, start_new_session=own_session
        )
        try:
            status, usage, timed_out = _wait(child.pid, started + limit)
        except BaseException:
            _kill(child.pid)
            child.wait()
            raise
        child.returncode = os.waitstatus_to_exitcode(status)  # already reaped: Popen must not wait again
        seconds = time.perf_counter() - started
        memory = usage.ru_maxrss / 1024
        return Ended(child.returncode, timed_out, seconds, memory, _text(output), _text(errors)[-4000:])


def _wait(pid: int, deadline: float) -> tuple[int, resource.struct_rusage, bool]:
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, False
        if time.perf_counter() > deadline:
            _kill(pid)
            _, status, usage = os.wait4(pid, 0)
            return status, usage, True
        time.sleep(POLL)


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # no session of its own, or gone
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")
