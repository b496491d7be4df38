"""The folder of a sweep: rows, facts of cases, what the suite promised, pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from benchmarks.suite import Row, Suite
from sciml.errors import FileError
from sciml.measurement import plain


@final
@dataclass(frozen=True)
class Sweep:
    """Where the results of one suite are.

    Attributes:
        place: a folder; or a file of rows `NAME.jsonl`, whose folder `NAME` beside it holds the rest.
    """

    place: Path

    @property
    def folder(self) -> Path:
        """Of everything but the rows."""
        return self.place.with_suffix("") if self._is_file else self.place

    @property
    def rows(self) -> Path:
        """One JSON line for each cell."""
        return self.place if self._is_file else self.place / "rows.jsonl"

    @property
    def facts(self) -> Path:
        """One JSON line for each case."""
        return self.folder / "cases.jsonl"

    @property
    def cuts(self) -> Path:
        """Folder of one npz file for each cell that has a picture."""
        return self.folder / "cuts"

    @property
    def _is_file(self) -> bool:
        return self.place.suffix == ".jsonl"

    def write_suite(self, suite: Suite, rows: Sequence[Row]) -> None:
        """Keep title and promises beside the rows, so that a report needs nothing else.

        Raises:
            FileError: the folder holds another suite, or cannot be written.
        """
        if self._suite.is_file() and (other := self.read_suite()["name"]) != suite.name:
            raise FileError(f"{self.folder} with results of suite {other}", "a folder for one suite", "another --out")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            promises = [plain(asdict(row)) for row in rows]
            own = {"name": suite.name, "title": suite.title, "rows": promises}
            self._suite.write_text(json.dumps(own, ensure_ascii=False, indent=1), "utf-8")
        except OSError as error:
            raise FileError(f"{self.folder}: {error.strerror}", "a folder to write to", "another --out") from error

    def read_suite(self) -> dict[str, Any]:
        """Name, title and promises; the name of the file where nothing was kept."""
        name = self.place.stem
        if not self._suite.is_file():
            return {"name": name, "title": name, "rows": []}
        return json.loads(self._suite.read_text("utf-8"))

    @property
    def _suite(self) -> Path:
        return self.folder / "suite.json"


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file that may still be written: a torn last line is left out.

    Raises:
        FileError: no such file, or a damaged line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", "results of `sciml bench`", "name its --out") from error
    try:
        return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    except ValueError as error:
        raise FileError(f"{path}: {error}", "JSON lines", "mend it") from error
