"""`solve`: one entry for every solver."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sciml.checkpoints import Checkpoint
from sciml.domains.sampling import is_key
from sciml.errors import OptionError, ProblemError, SolveError, UnsupportedProblemError
from sciml.lint import check_determined
from sciml.problem import Problem
from sciml.solution import Solution
from sciml.solver import AbstractSolver, Run


def solve(
    problem: Problem,
    solver: AbstractSolver,
    *,
    key: jax.Array | int | None = None,
    callback: Callable[[Any], bool | None] | None = None,
    budget: float | None = None,
    checkpoint: Checkpoint | str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """Solve a problem.

    Args:
        problem: what to solve.
        solver: how, with its hyperparameters.
        key: PRNG key or seed (default: seed 0); the same key gives the same solution on the same machine.
        callback: called by iterative solvers with their state; a true answer stops the run.
        budget: wall seconds after which an iterative solver returns what it has.
        checkpoint: folder where a solver that trains keeps its state; the same call after a kill goes on from there, on
            the same machine to the same numbers.
        throw: raise when no finite solution was found; otherwise see `Solution.result`.

    Returns:
        The solution; `result` and `stats` say how far to trust it.

    Raises:
        UnsupportedProblemError: the solver cannot solve this problem, with its reasons; before any compilation.
        ProblemError: fewer equations than unknowns, and no observations.
        FileError: a checkpoint that is damaged, another run's, or cannot be written.
        SolveError: no finite solution was found, and `throw`.
    """
    if not isinstance(problem, Problem):
        raise ProblemError(f"{type(problem).__name__} as a problem", "a Problem", "write solve(problem, solver)")
    if not isinstance(solver, AbstractSolver):
        hint = "an object such as PINN() or Spectral(), not a name or a class"
        raise OptionError(f"{solver!r} as a solver", "an AbstractSolver", f"pass {hint}")
    if budget is not None and not (isinstance(budget, (int, float, np.number)) and budget > 0):
        raise OptionError(f"budget {budget!r}", "a positive number of seconds", "leave it out for no limit")
    if callback is not None and not callable(callback):
        raise OptionError(f"callback {callback!r}", "a function of the solver's state", "leave it out for none")
    reasons = solver.check(problem)
    if reasons:
        raise UnsupportedProblemError(
            f"a problem outside the class of {solver.name}", "; ".join(reasons), "change the problem, or another solver"
        )
    check_determined(problem)
    started = time.perf_counter()
    seed = _as_key(key)
    run = Run(seed, callback, budget, _as_checkpoint(checkpoint, problem, solver, seed), started)
    solution = solver.run(problem, run)
    solution = solution.with_stats(total=time.perf_counter() - started, peak_memory_mb=peak_memory_mb())
    if throw and not solution.result.has_solution:
        raise SolveError(
            f"{solution.result.name} from {solver.name}", "a finite solution", solution.result.value.rstrip(".")
        )
    return solution


def _as_checkpoint(
    checkpoint: Checkpoint | str | Path | None, problem: Problem, solver: AbstractSolver, key: jax.Array
) -> Checkpoint | None:
    if checkpoint is None:
        return None
    if not solver.resumable:
        raise OptionError(f"a checkpoint for {solver.name}", "a solver that trains, such as PINN", "leave it out")
    if not isinstance(checkpoint, Checkpoint | str | Path):
        raise OptionError(f"checkpoint {checkpoint!r}", "a folder, or Checkpoint(folder, every=60)", "pass its path")
    own = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(Path(checkpoint))
    return own.owned_by(problem.content, repr(solver), np.asarray(jax.random.key_data(key)).tobytes())


def _as_key(key: jax.Array | int | None) -> jax.Array:
    if key is None or isinstance(key, (int, np.integer)):
        return jax.random.key(key or 0)
    if not is_key(key):
        raise OptionError(f"key {key!r}", "an integer seed or a PRNG key", "write key=0 or jax.random.key(0)")
    return key


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
