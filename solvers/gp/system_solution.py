"""The solution of a system: mean, spectrum and standard deviation of every field."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from sciml.galerkin.fields import Fields
from sciml.galerkin.systems import System
from sciml.problem import Problem
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import Run
from solvers.gp.amplitudes import spectral_lines
from solvers.gp.outcome import exact_deviation
from solvers.gp.representation import KroneckerMean
from solvers.gp.system_posterior import system_posterior
from solvers.gp.systems import SystemAttempt, solve_system

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP


def system_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution:
    """Solve a system of fields with one kernel each.

    Raises:
        UnsupportedProblemError: more coefficients than a dense factorisation takes.
    """
    started = time.perf_counter()
    best = solve_system(problem, solver, run)
    deviation = _deviation(best) if best.result.has_solution else None
    return Solution(
        problem,
        repr(solver),
        mean_of_system(best, solver),
        best.result,
        {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None},
        Stats(
            solve=time.perf_counter() - started,
            iterations=best.iterations,
            unknowns=sum(c.size for c in best.coefficients),
            extra=numbers_of_system(best),
        ),
        deviation=deviation,
    )


def numbers_of_system(best: SystemAttempt) -> dict[str, float]:
    """What the statistics of a run say of an attempt; lines with the field's name where there are several."""
    found = {"residual": best.certificate.equation, "conditions": best.certificate.conditions}
    for f, own in zip(best.system.fields, best.spectra, strict=True):
        for x, lines in zip(f.statement.axes, own, strict=True):
            name = x.name if len(best.spectra) == 1 else f"{f.statement.unknown!r}_{x.name}"
            found |= {f"lines_{name}": len(lines), f"highest_{name}": max(line.frequency for line in lines)}
    return found


def mean_of_system(best: SystemAttempt, solver: KroneckerGP) -> Fields:
    """The mean of every field, with its spectrum."""
    parts = []
    for f, own, C in zip(best.system.fields, best.spectra, best.coefficients, strict=True):
        lines = tuple(spectral_lines(f, k, each, C, solver.shape) for k, each in enumerate(own))
        transforms = tuple(jnp.asarray(s.basis.transform) for s in f.spaces)
        features, names = tuple(s.basis.features for s in f.spaces), tuple(x.name for x in f.statement.axes)
        parts.append(KroneckerMean(features, transforms, jnp.asarray(C), names, repr(f.statement.unknown), lines))
    return Fields(tuple(parts))


def _deviation(best: SystemAttempt) -> Fields | None:
    posterior = system_posterior(best.system, best.coefficients)
    return None if posterior is None else deviation_of_system(best.system, posterior.factors, posterior.floors)


def deviation_of_system(system: System, factors: Sequence[np.ndarray], floors: Sequence[float]) -> Fields:
    """The standard deviation of every field, from a factor of its coefficients' covariance and what its bases miss."""
    return Fields(
        tuple(
            exact_deviation(f, factor, floor) for f, factor, floor in zip(system.fields, factors, floors, strict=True)
        )
    )
