"""A peer as a solver: its script is asked in a process of its own, and its values on the test grid are the solution."""

from __future__ import annotations

import io
import json
import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.catalogue import Peer
from benchmarks.process import Ended, run_process
from sciml.domains.grids import AbstractGrid, Grid
from sciml.errors import DomainError, UnsupportedProblemError
from sciml.measurement import plain
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Solution, Stats
from sciml.solver import AbstractSolver, Run


class PeerError(Exception):
    """A peer that broke down, or an answer that is none."""


@final
class Tabulated(AbstractRepresentation):
    """Values on one tensor grid, and nowhere else: a peer's fields are not interpolated to be judged."""

    fields: dict[str, jax.Array]
    told: str = eqx.field(static=True)

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        shape = tuple(own.size for own in nodes.values())
        for value in self.fields.values():
            if value.shape != shape:
                raise DomainError(f"a grid of shape {shape}", f"the grid of shape {value.shape}", "evaluate it there")
        return self.fields

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        raise DomainError("points of your own", "the test grid that the peer was asked for", "use on_grid")


@final
@dataclass(frozen=True)
class PeerSolver(AbstractSolver):
    """A peer with the request that is put to it.

    Attributes:
        peer: which.
        statement: name of the problem.
        numbers: of the problem.
        options: settings of the peer.
        seed: of everything random in it.
        grid: where the fields are wanted.
        command: what runs its script.
    """

    peer: Peer
    statement: str
    numbers: Mapping[str, Any]
    options: Mapping[str, Any]
    seed: int
    grid: AbstractGrid
    command: tuple[str, ...]

    def check(self, problem: Problem) -> list[str]:
        reasons = self.peer.reasons(self.statement)
        return reasons if isinstance(self.grid, Grid) else [*reasons, "a tensor grid of test points"]

    def run(self, problem: Problem, run: Run) -> Solution:
        """Ask the peer; see `AbstractSolver.run`.

        Raises:
            UnsupportedProblemError: the script says that the peer cannot.
            PeerError: the process died, or answered with something else than finite fields on the grid.
        """
        assert isinstance(self.grid, Grid)  # `check` has refused others
        with tempfile.TemporaryDirectory() as folder:
            request, answer = Path(folder) / "request.json", Path(folder) / "answer.npz"
            request.write_text(json.dumps(self._request(run)), "utf-8")
            ended = run_process([*self.command, str(request), str(answer)], math.inf, own_session=False)
            told, fields = _read(answer, ended)
        if "cannot" in told:
            raise UnsupportedProblemError(f"{self.statement} for {self.peer.name}", told["cannot"], "another peer")
        values = {repr(unknown): _field(fields, repr(unknown), self.grid) for unknown in problem.unknowns}
        seconds = told["seconds"]
        extra = {f"seconds_{name}": float(spent) for name, spent in seconds.items()}
        stats = Stats(
            compile=seconds.get("compile", 0.0),
            solve=seconds.get("train", 0.0),
            iterations=int(told["iterations"]),
            unknowns=int(told["unknowns"]),
            extra={**extra, "peak_memory_mb": float(told["peak_memory_mb"])},
        )
        own = {name: told[name] for name in ("versions", "dtype", "configuration")}
        fields_on_grid = Tabulated({name: jnp.asarray(v) for name, v in values.items()}, json.dumps(own))
        return Solution(
            problem,
            f"{self.peer.name}: {json.dumps(told['configuration'])}",
            fields_on_grid,
            _result(values, told["finished"]),
            stats=stats,
        )

    def _request(self, run: Run) -> dict[str, Any]:
        assert isinstance(self.grid, Grid)
        return {
            "statement": self.statement,
            "numbers": plain(self.numbers),
            "options": plain(self.options),
            "seed": self.seed,
            "budget": run.remaining,
            "sent": time.perf_counter(),
            "axes": {name: nodes.tolist() for name, nodes in self.grid.nodes.items()},
        }


def _result(values: Mapping[str, np.ndarray], finished: bool) -> RESULTS:
    """A peer that came to its own end calls itself successful: it has no tolerance that it could be held to."""
    if not all(np.isfinite(value).all() for value in values.values()):
        return RESULTS.nonfinite
    return RESULTS.successful if finished else RESULTS.budget_exhausted


def _read(path: Path, ended: Ended) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What was told, and every field."""
    if ended.code != 0:
        raise PeerError(ended.fate)
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            told = json.loads(str(arrays["told"]))
            return told, {n.removeprefix("field:"): arrays[n] for n in arrays.files if n.startswith("field:")}
    except (OSError, ValueError, KeyError) as error:
        raise PeerError(f"found no answer ({error}); needed an npz file with `told` and fields") from error


def _field(fields: Mapping[str, np.ndarray], name: str, grid: AbstractGrid) -> np.ndarray:
    """The values of an unknown, of the grid's shape."""
    value = fields.get(name)
    if value is None or value.dtype.kind != "f" or value.shape not in {(grid.size,), grid.shape}:
        found = "none" if value is None else f"{value.dtype} of shape {value.shape}"
        raise PeerError(f"found {found} for {name}; needed {grid.size} real numbers, one for each test point")
    return value.reshape(grid.shape).astype(np.float64)
