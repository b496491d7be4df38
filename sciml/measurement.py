"""One run of one solver on one case, measured: the row that tables, files and benchmarks share."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from sciml.case import Case
from sciml.domains.grids import AbstractGrid
from sciml.errors import SciMLError, UnsupportedProblemError
from sciml.metrics import field_errors
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
    """What solvers are measured on: a case's problem and its test grid.

    The truth is looked at after the first run: computing one compiles code that the run would find ready.
    """

    case: str
    problem: Problem
    grid: AbstractGrid
    make_solver: MakeSolver

    @cached_property
    def reference(self) -> AbstractReference | None:
        """The truth if there is one; a computed truth is taken from the cache, or computed once.

        Raises:
            SolveError: the truth cannot be computed.
        """
        truth = self.problem.reference
        if isinstance(truth, ComputedReference):
            return compute_reference(self.problem, truth, self.grid, self.make_solver)
        return truth


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
    """A case's problem with its grid.

    Args:
        case: which.
        values: of the case, where they differ from its own.
        make_solver: turns the name and options in the recipe of a computed truth into a solver.
    """
    problem = case.problem(**values)
    return Subject(case.name, problem, case.grid(problem), make_solver)


def measure(
    subject: Subject,
    name: str,
    solver: AbstractSolver,
    *,
    seed: int = 0,
    budget: float | None = None,
    checkpoint: Path | None = None,
) -> Measurement:
    """Run a solver and take its errors; whatever happens becomes a row.

    Args:
        subject: what to solve.
        name: how reports call the solver.
        solver: the solver.
        seed: of its PRNG key.
        budget: wall seconds for iterative solvers.
        checkpoint: folder where a solver that trains keeps its state, and finds it again.

    Raises:
        SciMLError: the budget or the problem makes no sense: wrong input, not a failed run.
    """
    run = attempt(subject, name, solver, seed=seed, budget=budget, checkpoint=checkpoint)
    return run if run.solution is None else _assess(subject, run, run.solution)


def attempt(
    subject: Subject,
    name: str,
    solver: AbstractSolver,
    *,
    seed: int = 0,
    budget: float | None = None,
    checkpoint: Path | None = None,
) -> Measurement:
    """Run a solver without looking at its errors; see `measure`."""
    started = time.perf_counter()
    try:
        solution = solve(subject.problem, solver, key=seed, budget=budget, checkpoint=checkpoint, throw=False)
    except UnsupportedProblemError as refusal:
        return Measurement(subject.case, name, seed, UNSUPPORTED, refusal.needed)
    except SciMLError:
        raise
    except Exception as defect:  # a solver's defect must not take the other rows with it
        seconds = {"total": time.perf_counter() - started}
        return Measurement(subject.case, name, seed, CRASHED, _where(defect), seconds=seconds)
    stats, result = solution.stats, solution.result
    seconds = {"compile": stats.compile, "solve": stats.solve, "total": stats.total}
    message = "" if result.is_success else result.value
    fields = solution if result.has_solution else None
    return Measurement(subject.case, name, seed, result.name, message, seconds=seconds, solution=fields)


def _assess(subject: Subject, run: Measurement, solution: Solution) -> Measurement:
    """Errors on the test grid; a solution that is not finite there has failed, whatever it says of itself."""
    started = time.perf_counter()
    values = solution.on_grid(subject.grid)
    evaluate = time.perf_counter() - started
    seconds = {**run.seconds, "evaluate": evaluate}
    if not all(np.isfinite(v).all() for v in values.values()):
        failure = RESULTS.nonfinite
        said = f"{run.message} Its fields are not numbers on all of the test grid." if run.message else failure.value
        return replace(run, result=failure.name, message=said, seconds=seconds, solution=None)
    assessed = replace(run, seconds=seconds, solution=solution.with_stats(evaluate=evaluate))
    truth = subject.reference
    if truth is None:
        return assessed
    points = {name: np.asarray(p) for name, p in subject.grid.points().items()}
    errors = field_errors(values, truth(points), np.asarray(subject.grid.quadrature()))
    return replace(assessed, errors=errors, reference={"kind": truth.kind, "error": truth.error})


def _where(defect: Exception) -> str:
    """Kind and text of an exception, with the innermost line of code."""
    frames = traceback.extract_tb(defect.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = " ".join(str(defect).split())
    return f"{type(defect).__name__}: {text[:300]}{place}"
