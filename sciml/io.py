"""Solutions on disk: a folder with `solution.json` and `arrays.npz`, nothing executable, with checksums.

Each file is written beside its place and moved there whole. A representation's class must be `storable`; loading
imports the installed packages that announce such classes (entry point `sciml.storable`) and nothing that a file names.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from sciml.errors import FileError, ParseError
from sciml.files import whole_file
from sciml.problem_json import is_writable, problem_from_json, problem_to_json
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.storable import Json, Reader, Writer, checked_header, damaged_document, storable

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT, VERSION = "sciml solution", 1
DOCUMENT, ARRAYS = "solution.json", "arrays.npz"

storable("result")(RESULTS)
storable("estimate")(Estimate)
storable("stats")(Stats)


@final
class ArchivedArrays:
    """Arrays in one npz archive, by name."""

    def __init__(self, arrays: Mapping[str, np.ndarray] | None = None):
        self.arrays: dict[str, np.ndarray] = dict(arrays or {})

    def put(self, array: np.ndarray) -> Json:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array
        return {"entry": name}

    def get(self, stored: Json) -> np.ndarray:
        return self.arrays[stored["entry"]]

    def packed(self) -> bytes:
        """The archive."""
        buffer = io.BytesIO()
        np.savez(buffer, **self.arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @staticmethod
    def unpacked(data: bytes) -> ArchivedArrays:
        """The arrays of an archive; nothing in it is executed."""
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return ArchivedArrays({name: archive[name] for name in archive.files})


def save_solution(solution: Solution, path: str | Path) -> Path:
    """Write a solution to a folder, which is made if need be; an earlier solution there is replaced.

    A truth that is a function cannot be written and is left out; everything else must be writable.

    Returns:
        The folder.

    Raises:
        FileError: part of the solution cannot be written, or the folder cannot be.
    """
    folder = Path(path)
    arrays = ArchivedArrays()
    body = _solution_to_json(solution, Writer(arrays))
    packed = arrays.packed()
    document = {
        "format": FORMAT,
        "version": VERSION,
        "arrays_sha256": hashlib.sha256(packed).hexdigest(),
        "solution_sha256": checksum(body),
        "solution": body,
    }
    text = json.dumps(document, indent=1, allow_nan=False).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in ((ARRAYS, packed), (DOCUMENT, text)):  # the document, written last, vouches for the arrays
            with whole_file(folder / name) as file:
                file.write(data)
    except OSError as error:
        raise FileError(
            f"{folder}, where nothing can be written ({error})", "a folder", "choose another path"
        ) from error
    return folder


def load(path: str | Path) -> Solution:
    """Read a solution that `Solution.save` wrote.

    Raises:
        FileError: the folder is missing, foreign, damaged, or of a newer version, or holds a class that no
            installed package has registered.
    """
    folder = Path(path)
    try:
        text, packed = (folder / DOCUMENT).read_bytes(), (folder / ARRAYS).read_bytes()
    except OSError as error:
        raise FileError(
            f"no solution in {folder} ({error.strerror})", f"a folder with {DOCUMENT} and {ARRAYS}", "check the path"
        ) from error
    try:
        return _read(text, packed)
    except ParseError as error:
        raise FileError(f"in {folder}: {error.found}", error.needed, error.todo) from error


def _read(text: bytes, packed: bytes) -> Solution:
    with damaged_document(DOCUMENT):
        document = checked_header(json.loads(text), FORMAT, VERSION)
        if document["solution_sha256"] != checksum(document["solution"]):
            raise ParseError(f"{DOCUMENT} with a wrong checksum", "the file as it was written", "restore it")
        if document["arrays_sha256"] != hashlib.sha256(packed).hexdigest():
            raise ParseError(
                f"{ARRAYS} with a wrong checksum", f"the file written with this {DOCUMENT}", "restore both"
            )
        try:
            arrays = ArchivedArrays.unpacked(packed)
        except (OSError, zipfile.BadZipFile, EOFError) as error:
            raise ParseError(f"{ARRAYS}, which is no archive ({error})", "an npz archive", "restore it") from error
        return _solution_from_json(document["solution"], Reader(arrays))


def _solution_to_json(solution: Solution, writer: Writer) -> dict[str, Json]:
    problem = solution.problem
    if not is_writable(problem.reference):
        problem = problem.replace(reference=None)
    return {
        "problem": problem_to_json(problem, writer),
        "solver": solution.solver,
        "representation": writer.write(solution.representation, "the representation"),
        "deviation": writer.write(solution.deviation, "the deviation"),
        "result": writer.write(solution.result, "the result"),
        "parameters": writer.write(dict(solution.parameters), "the parameters"),
        "stats": writer.write(solution.stats, "the statistics"),
        "history": writer.write({name: np.asarray(v) for name, v in solution.history.items()}, "the history"),
    }


def _solution_from_json(data: Mapping[str, Json], reader: Reader) -> Solution:
    deviation = reader.read(data["deviation"])
    parameters, history = reader.read_as(dict, data["parameters"]), reader.read_as(dict, data["history"])
    if not isinstance(deviation, AbstractRepresentation | None):
        raise ParseError(f"{type(deviation).__name__} as deviation", "a representation", "write the solution again")
    if not all(isinstance(e, Estimate) for e in parameters.values()):
        raise ParseError("parameters that are not estimates", "an estimate for each", "write the solution again")
    return Solution(
        problem=problem_from_json(data["problem"], reader),
        solver=reader.read_as(str, data["solver"]),
        representation=reader.read_as(AbstractRepresentation, data["representation"]),
        result=reader.read_as(RESULTS, data["result"]),
        parameters=parameters,
        stats=reader.read_as(Stats, data["stats"]),
        history=history,
        deviation=deviation,
    )


def checksum(body: Any) -> str:
    """SHA-256 of the canonical text of JSON."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()
