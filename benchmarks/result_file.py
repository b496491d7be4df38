"""An append-only file of JSON lines that survives a kill at any moment."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, final

from sciml.errors import FileError


@final
class ResultFile:
    """Rows on disk, one JSON object a line; open it with `result_file`.

    A row is written whole and flushed to the disk before the next run starts. What a killed writer left of a last line
    is cut off at the next opening; any other line that does not parse is damage, and is refused.
    """

    def __init__(self, file: IO[bytes], path: Path):
        self._file = file
        self.rows = _read(file, path)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows.append(dict(row))


@contextmanager
def result_file(path: Path) -> Iterator[ResultFile]:
    """The file of this path, made if it is missing, for one writer at a time.

    Raises:
        FileError: another run writes to it, it cannot be written, or a line of it is damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", "a file that can be written", "choose another --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileError(
                f"{path}, which another run writes to", "one writer", "wait, or choose another --out"
            ) from error
        yield ResultFile(file, path)


def _read(file: IO[bytes], path: Path) -> list[dict[str, Any]]:
    file.seek(0)
    data = file.read()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        file.truncate(whole)
    rows = []
    for number, line in enumerate(data[:whole].splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FileError(
                f"line {number} of {path}, which is not JSON", "rows of an earlier run", "mend it"
            ) from error
        if not isinstance(row, dict) or "key" not in row:
            raise FileError(
                f"line {number} of {path}, which is no result", "rows of an earlier run", "choose another --out"
            )
        rows.append(row)
    return rows
