"""One run of one solver on one case, measured: the row that tables, files and benchmarks share."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from sciml.case import Case
from sciml.domains.grids import AbstractGrid
from sciml.errors import SciMLError, UnsupportedProblemError
from sciml.problem import Problem
from sciml.reference import AbstractReference, ComputedReference
from sciml.reference_cache import MakeSolver, compute_reference
from sciml.results import RESULTS
from sciml.solution import Solution
from sciml.solve import solve
from sciml.solver import AbstractSolver

UNSUPPORTED = "unsupported"
CRASHED = "crashed"


@final
@dataclass(frozen=True)
class Subject:
    """What solvers are measured on: a case's problem, its test grid, and its truth if it has one."""

    case: str
    problem: Problem
    grid: AbstractGrid
    reference: AbstractReference | None


@final
@dataclass(frozen=True)
class Measurement:
    """One run, whether it succeeded or not.

    Attributes:
        case: name of the case.
        solver: name of the solver.
        seed: of its PRNG key.
        result: name of the outcome: a member of `RESULTS`, or `unsupported`, or `crashed`.
        message: advice for that outcome, or the reasons.
        errors: `{unknown: {relative_l2, max}}` on the test grid at the end of the run; empty without truth or fields.
        reference: `{kind, error}` of the truth, or None.
        seconds: `{compile, solve, evaluate, total}`.
        solution: the fields, if there are any.
    """

    case: str
    solver: str
    seed: int
    result: str
    message: str = ""
    errors: dict[str, dict[str, float]] = field(default_factory=dict)
    reference: dict[str, Any] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    solution: Solution | None = None

    @property
    def failed(self) -> bool:
        """Whether the run left no finite fields."""
        return self.solution is None

    @property
    def error(self) -> float:
        """Largest relative L2 error over the unknowns; NaN without a truth, infinity for a failure."""
        if self.failed:
            return math.inf
        return max((e["relative_l2"] for e in self.errors.values()), default=math.nan)

    def record(self) -> dict[str, Any]:
        """The row as plain data for JSON; numbers that are not finite become None."""
        stats = self.solution.stats if self.solution is not None else None
        parameters = self.solution.parameters if self.solution is not None else {}
        row = {
            "case": self.case,
            "solver": self.solver,
            "seed": self.seed,
            "result": self.result,
            "message": self.message,
            "errors": self.errors,
            "reference": self.reference,
            "seconds": self.seconds,
            "peak_memory_mb": stats.peak_memory_mb if stats is not None else None,
            "unknowns": stats.unknowns if stats is not None else None,
            "iterations": stats.iterations if stats is not None else None,
            "parameters": {n: {"value": e.value, "standard_error": e.standard_error} for n, e in parameters.items()},
            "extra": dict(stats.extra) if stats is not None else {},
            "settings": self.solution.solver if self.solution is not None else None,
        }
        return plain(row)


def plain(value: Any) -> Any:
    """Dictionaries, lists, text, numbers and None only; infinities and NaN become None, as JSON has neither."""
    if isinstance(value, Mapping):
        return {str(name): plain(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def subject_of(case: Case, values: Mapping[str, Any], make_solver: MakeSolver) -> Subject:
    """A case's problem with its grid and truth; a computed truth is taken from the cache, or computed once.

    Args:
        case: which.
        values: of the case, where they differ from its own.
        make_solver: turns the name and options in the recipe of a computed truth into a solver.
    """
    problem = case.problem(**values)
    grid = case.grid(problem)
    truth = problem.reference
    if isinstance(truth, ComputedReference):
        truth = compute_reference(problem, truth, grid, make_solver)
    return Subject(case.name, problem, grid, truth)


def measure(
    subject: Subject, name: str, solver: AbstractSolver, *, seed: int = 0, budget: float | None = None
) -> Measurement:
    """Run a solver; whatever happens becomes a row.

    Args:
        subject: what to solve.
        name: how reports call the solver.
        solver: the solver.
        seed: of its PRNG key.
        budget: wall seconds for iterative solvers.

    Raises:
        SciMLError: the budget or the problem makes no sense: wrong input, not a failed run.
    """
    started = time.perf_counter()
    try:
        solution = solve(subject.problem, solver, key=seed, budget=budget, throw=False)
    except UnsupportedProblemError as refusal:
        return Measurement(subject.case, name, seed, UNSUPPORTED, refusal.needed)
    except SciMLError:
        raise
    except Exception as defect:  # a solver's defect must not take the other rows with it
        return Measurement(subject.case, name, seed, CRASHED, _where(defect), seconds=_only_total(started))
    seconds = {"compile": solution.stats.compile, "solve": solution.stats.solve, "total": solution.stats.total}
    if not solution.result.has_solution:
        return Measurement(subject.case, name, seed, solution.result.name, solution.result.value, seconds=seconds)
    return _assess(subject, name, seed, solution, seconds)


def _assess(subject: Subject, name: str, seed: int, solution: Solution, seconds: dict[str, float]) -> Measurement:
    """Errors on the test grid; a solution that is not finite there has failed, whatever it says of itself."""
    truth = subject.reference
    points = {coordinate: np.asarray(p) for coordinate, p in subject.grid.points().items()}
    started = time.perf_counter()
    values = solution.values(points)
    seconds = {**seconds, "evaluate": time.perf_counter() - started}
    if not all(np.isfinite(v).all() for v in values.values()):
        failure = RESULTS.nonfinite
        return Measurement(subject.case, name, seed, failure.name, failure.value, seconds=seconds)
    errors = {} if truth is None else solution.errors(truth, subject.grid)
    reference = None if truth is None else {"kind": truth.kind, "error": truth.error}
    solution = solution.with_stats(evaluate=seconds["evaluate"])
    message = "" if solution.result.is_success else solution.result.value
    return Measurement(subject.case, name, seed, solution.result.name, message, errors, reference, seconds, solution)


def _only_total(started: float) -> dict[str, float]:
    return {"total": time.perf_counter() - started}


def _where(defect: Exception) -> str:
    """Kind and text of an exception, with the innermost line of code."""
    frames = traceback.extract_tb(defect.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = " ".join(str(defect).split())
    return f"{type(defect).__name__}: {text[:300]}{place}"
