"""Trajectories of many problems of one form, with noise, and on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import jax
import numpy as np

from sciml.errors import FileError, OptionError, ParseError
from sciml.files import whole_file
from sciml.storable import checked_header, damaged_document

FORMAT, VERSION = "sciml trajectories", 1


@final
@dataclass(frozen=True, eq=False)
class Trajectories:
    """States of n problems of one family at the same times.

    Attributes:
        family: its name.
        times: `(T,)`.
        nodes: points of the periodic axis `(m,)`; None in time alone.
        states: `(n, T, d)`, or `(n, T, d, m)`.
        parameters: `(n,)` by name.
        rejected: draws that left the family's bound and were replaced.
    """

    family: str
    times: np.ndarray
    nodes: np.ndarray | None
    states: np.ndarray
    parameters: dict[str, np.ndarray]
    rejected: int = 0

    def __len__(self) -> int:
        return len(self.states)

    def noisy(self, key: jax.Array, level: float) -> np.ndarray:
        r"""States with white noise whose norm is, for each trajectory, on average `level` times its own.

        $y + \gamma\,\|y\|/\|z\|\,z$ with standard normal z, as in PROSE.
        """
        if not level >= 0:
            raise OptionError(f"noise of level {level!r}", "a number ≥ 0", "0.02 is 2 %")
        z = np.asarray(jax.random.normal(key, self.states.shape))
        axes = tuple(range(1, z.ndim))
        size = [np.sqrt(np.sum(a**2, axis=axes, keepdims=True)) for a in (self.states, z)]
        return self.states + level * size[0] / size[1] * z

    def save(self, path: str | Path) -> Path:
        """Write one npz archive: `schema` (JSON), `times`, `states`, `nodes`, and `parameter:NAME`; nothing executable.

        Raises:
            FileError: the folder does not exist.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise FileError(f"{path.parent}, which is not a folder", "an existing folder", "make it first")
        axes = ["trajectory", "time", "field", *([] if self.nodes is None else ["node"])]
        schema = {
            "format": FORMAT, "version": VERSION, "family": self.family, "rejected": self.rejected,
            "axes": axes, "shape": list(self.states.shape), "parameters": list(self.parameters),
        }  # fmt: skip
        arrays: dict[str, Any] = {"times": self.times, "states": self.states}
        arrays |= {} if self.nodes is None else {"nodes": self.nodes}
        arrays |= {f"parameter:{name}": value for name, value in self.parameters.items()}
        with whole_file(path) as file:
            np.savez(file, schema=np.array(json.dumps(schema)), **arrays)
        return path

    @staticmethod
    def load(path: str | Path) -> Trajectories:
        """Read what `save` wrote.

        Raises:
            FileError: no such file.
            ParseError: another file, a damaged or a newer one.
        """
        path = Path(path)
        if not path.is_file():
            raise FileError(f"{path}, which is not a file", "an archive that save wrote", "check the path")
        with damaged_document(f"trajectories in {path}"):
            try:
                with np.load(path, allow_pickle=False) as archive:
                    arrays = {name: archive[name] for name in archive.files}
            except OSError as error:
                raise ParseError(f"{path}, which is no archive", "an npz archive", "write it again") from error
            schema = checked_header(json.loads(str(arrays["schema"])), FORMAT, VERSION)
            states, times, nodes = arrays["states"], arrays["times"], arrays.get("nodes")
            parameters = {name: arrays[f"parameter:{name}"] for name in schema["parameters"]}
            lengths = {len(value) for value in parameters.values()} | {len(states)}
            if list(states.shape) != schema["shape"] or len(lengths) > 1 or times.shape != states.shape[1:2]:
                raise ParseError(
                    f"arrays of other shapes than the schema's in {path}", "whole arrays", "write it again"
                )
            return Trajectories(schema["family"], times, nodes, states, parameters, int(schema["rejected"]))
