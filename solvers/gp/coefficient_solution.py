"""The solution of a problem with coefficient fields to infer: all fields with their deviations, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from sciml.galerkin.fields import Fields
from sciml.galerkin.system_certificate import certify_system
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import Run
from solvers.gp.coefficient_field import Fit, infer_coefficients, state_and_coefficients
from solvers.gp.outcome import exact_deviation
from solvers.gp.representation import KroneckerMean
from solvers.gp.shapes import AbstractShape
from solvers.gp.support import box_reasons, observation_reasons
from solvers.gp.system_support import statement_reasons

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

_LARGEST_RESIDUAL = 1e-2
_LARGEST_MISFIT = 2.0


def has_coefficient_fields(problem: Problem) -> bool:
    """Whether there are fields that no equation determines."""
    return sum(int(np.prod(e.shape)) for e in problem.equations) < len(problem.unknowns)


def coefficient_reasons(problem: Problem, shape: AbstractShape) -> Iterator[str]:
    """Everything that rules an inference of coefficient fields out.

    Args:
        problem: what is to be solved.
        shape: of the spectral lines.
    """
    found = list(box_reasons(problem, everywhere=()))
    if found:
        yield from found
        return
    equations, unknowns = len(problem.residuals), len(problem.unknowns)
    if equations != 1:
        yield f"it needs one scalar equation beside coefficient fields, there are {equations} for {unknowns} fields"
        return
    state, *coefficients = (problem.unknowns[k] for k in state_and_coefficients(problem))
    if not problem.observations:
        names = ", ".join(repr(a) for a in coefficients)
        yield f"it needs observations to infer {names}: no equation determines more than {state!r}"
    yield from box_reasons(problem, everywhere=(state,))
    for p in problem.unknown_parameters:
        yield f"it needs a number for the parameter {p.name} beside coefficient fields"
    yield from statement_reasons(problem, shape)
    yield from observation_reasons(problem)


def coefficient_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution:
    """Infer the coefficient fields of a problem together with its state."""
    started = time.perf_counter()
    fit = infer_coefficients(problem, solver, run)
    C = fit.joint.coefficients(fit.w)
    certificate, result = certify_system(fit.joint.system, C), fit.result
    if result.is_success and not (certificate.worst <= _LARGEST_RESIDUAL and fit.misfit <= _LARGEST_MISFIT):
        result = RESULTS.under_resolved
    extra = {"residual": certificate.equation, "conditions": certificate.conditions, "misfit": fit.misfit}
    extra |= {"evidence": fit.evidence, "noise": float(np.sqrt(np.mean(fit.scales.noise**2)))}
    mean, deviation = _fields(fit)
    return Solution(
        problem,
        repr(solver),
        mean,
        result,
        {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None},
        Stats(
            solve=time.perf_counter() - started,
            iterations=fit.iterations,
            unknowns=sum(fit.joint.sizes),
            extra=extra,
        ),
        deviation=deviation,
    )


def _fields(fit: Fit) -> tuple[Fields, Fields | None]:
    """Means and standard deviations of all fields, at the mode."""
    joint, C = fit.joint, fit.joint.coefficients(fit.w)
    roots = None if fit.curvature is None else np.split(fit.curvature.root, np.cumsum(joint.sizes)[:-1])
    means, deviations = [], []
    for k, f in enumerate(joint.system.fields):
        features, names = tuple(s.basis.features for s in f.spaces), tuple(x.name for x in f.statement.axes)
        transforms, unknown = tuple(jnp.asarray(s.basis.transform) for s in f.spaces), repr(f.statement.unknown)
        means.append(KroneckerMean(features, transforms, jnp.asarray(C[k]), names, unknown))
        if roots is not None:
            deviations.append(exact_deviation(f, joint.expand(k, roots[k])))
    return Fields(tuple(means)), Fields(tuple(deviations)) if deviations else None
