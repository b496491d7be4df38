"""Computed truths: a classical solver at two resolutions, on a case's test grid, kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from sciml.domains.grids import AbstractGrid
from sciml.errors import DomainError, SolveError
from sciml.files import whole_file
from sciml.metrics import field_errors
from sciml.problem import Problem
from sciml.reference import AbstractReference, ComputedReference, Values
from sciml.solution import Solution
from sciml.solve import solve
from sciml.solver import AbstractSolver

MakeSolver = Callable[[str, dict[str, Any]], AbstractSolver]
"""A solver from its name and options; the command line and the benchmarks own the names."""

_FORMAT = 1
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


@final
@dataclass(frozen=True)
class TabulatedReference(AbstractReference):
    """A truth known at the points of one grid.

    Attributes:
        points: an array for each coordinate, by name, all of one shape.
        values: an array of that shape for each scalar unknown, by name.
        own_error: largest relative L2 difference, over the unknowns, from the coarser computation.
        source: solver and options.
    """

    points: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    own_error: float
    source: str

    @property
    def kind(self) -> str:
        return "computed"

    @property
    def error(self) -> float:
        return self.own_error

    def __call__(self, points: Mapping[str, Any]) -> Values:
        """Values at the grid's points, all of them in their order, in any shape.

        Raises:
            DomainError: other points.
        """
        shape = np.broadcast_shapes(*(np.shape(p) for p in points.values()))
        for name, own in self.points.items():
            asked = np.broadcast_to(np.asarray(points[name], float), shape).reshape(-1)
            if asked.size != own.size or not np.allclose(asked, own.reshape(-1), rtol=1e-9, atol=1e-12):
                raise DomainError(
                    f"{asked.size} points for a truth that is tabulated at {own.size} points",
                    "the points of its grid, all in their order",
                    "evaluate it at case.grid(problem).points()",
                )
        return {name: value.reshape(shape) for name, value in self.values.items()}


def default_cache() -> Path:
    """Folder of computed truths: `$SCIML_CACHE`, else `sciml` in the user's cache folder."""
    own = os.environ.get("SCIML_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sciml"


def compute_reference(
    problem: Problem,
    recipe: ComputedReference,
    grid: AbstractGrid,
    make_solver: MakeSolver,
    cache_dir: Path | None = None,
) -> TabulatedReference:
    """The truth that a recipe describes, on a grid; solved at most once for equal problem, recipe and grid.

    Args:
        problem: what to solve; its content is part of the key.
        recipe: names the solver, with options of the truth and of the coarser computation that gives its error.
        grid: where the truth is wanted.
        make_solver: turns the recipe's name and options into a solver.
        cache_dir: where to keep it (default: `default_cache()`).

    Raises:
        SolveError: the truth did not meet its own tolerance, or the coarser computation has no finite solution.
    """
    folder = default_cache() if cache_dir is None else cache_dir
    points = {name: np.asarray(p) for name, p in grid.points().items()}
    key = _key(problem, recipe, points)
    names = [repr(unknown) for unknown in problem.unknowns]
    source = f"{recipe.solver}({_options(recipe.fine)}) against ({_options(recipe.coarse)})"
    kept = _read(folder / key, names, points)
    if kept is None:
        solvers = [make_solver(recipe.solver, dict(options)) for options in (recipe.fine, recipe.coarse)]
        truth, comparison = (solve(recipe.instead or problem, solver) for solver in solvers)
        _check(problem, truth)
        fine, coarse = (_values(recipe, solution, points) for solution in (truth, comparison))
        differences = field_errors(coarse, fine, np.asarray(grid.quadrature()))
        kept = fine, max(difference["relative_l2"] for difference in differences.values())
        with suppress(OSError):  # a cache that cannot be written costs time, not the truth
            _write(folder / key, *kept, {"problem": problem.name, "source": source})
    return TabulatedReference(points, *kept, source)


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in sorted(options.items()))


def _key(problem: Problem, recipe: ComputedReference, points: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(problem.content, digest_size=16)
    digest.update(b"" if recipe.instead is None else recipe.instead.content)
    digest.update(repr((_FORMAT, recipe.solver, _options(recipe.fine), _options(recipe.coarse))).encode())
    for name, p in points.items():
        digest.update(name.encode() + repr(p.shape).encode() + np.ascontiguousarray(p).tobytes())
    return digest.hexdigest()


def _check(problem: Problem, truth: Solution) -> None:
    """Refuse a truth that missed its own tolerance; the coarser computation may, that is what it is for."""
    if not truth.result.is_success:
        raise SolveError(
            f"{truth.result.name} from {truth.solver} while computing the truth of {problem.name or 'a problem'}",
            "a solver that meets its own tolerance",
            "change the options of the recipe",
        )


def _values(recipe: ComputedReference, solution: Solution, points: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    values = solution.values(points)
    return {name: np.asarray(v) for name, v in (recipe.back(values) if recipe.back else values).items()}


def _read(stem: Path, names: list[str], points: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], float] | None:
    """What was kept, or None if it is missing, damaged or of another shape."""
    shape = next(iter(points.values())).shape
    try:
        note = json.loads(stem.with_suffix(".json").read_text("utf-8"))
        data = stem.with_suffix(".npz").read_bytes()
        if hashlib.sha256(data).hexdigest() != note["sha256"] or note["unknowns"] != names:
            return None
        with np.load(stem.with_suffix(".npz"), allow_pickle=False) as arrays:
            values = {name: arrays[f"unknown_{i}"] for i, name in enumerate(names)}
        error = float(note["error"])
    except _UNREADABLE:
        return None
    return (values, error) if all(v.shape == shape for v in values.values()) else None


def _write(stem: Path, values: dict[str, np.ndarray], error: float, about: dict[str, str]) -> None:
    """Arrays first, then the note that vouches for them by their checksum; each file appears whole or not at all."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    arrays = stem.with_suffix(".npz")
    with whole_file(arrays) as file:
        np.savez_compressed(file, **{f"unknown_{i}": v for i, v in enumerate(values.values())})  # type: ignore[arg-type]
    checksum = hashlib.sha256(arrays.read_bytes()).hexdigest()
    note = {**about, "unknowns": list(values), "error": error, "sha256": checksum}
    with whole_file(stem.with_suffix(".json")) as file:
        file.write(json.dumps(note, indent=1).encode())
