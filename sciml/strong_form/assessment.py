"""What a trained network is worth: residuals on fresh points, the outcome, estimates with standard errors."""

from __future__ import annotations

import math

import jax
import numpy as np
from jaxtyping import Array

from sciml.optimise import OptimiseResult, covariance, losses
from sciml.results import RESULTS
from sciml.solution import Estimate
from sciml.strong_form.formulation import Formulation


def residuals(formulation: Formulation, trained: OptimiseResult, key: Array) -> dict[str, float]:
    """Root mean square of every residual in its natural scale, on points that were never trained on.

    Returns:
        `residual/<block>` of equations and soft conditions (conditions without their weight), `fresh_residual`, the
        largest of these, and `training_residual`, that of the equations on the last training points.
    """
    flat = trained.problem.flatten(trained.weights)[None]
    fresh = trained.problem.with_blocks(formulation.uniform(key))
    values = np.sqrt(2 * losses(fresh, flat)[0])
    found = {"training_residual": float(np.sqrt(2 * losses(trained.problem, flat)[0, 0]))}
    measured = 1 + len(formulation.soft)
    for block, value in zip(fresh.blocks[:measured], values, strict=False):
        found[f"residual/{block.name}"] = float(value / block.weight)
    return {**found, "fresh_residual": max(v for name, v in found.items() if name != "training_residual")}


def outcome(trained: RESULTS, fresh_residual: float, tolerance: float) -> RESULTS:
    """The result of a run: success is decided by the residual on fresh points alone.

    An optimiser that is content on its own points while fresh ones disagree has stagnated.
    """
    if trained in (RESULTS.nonfinite, RESULTS.interrupted):
        return trained
    if not math.isfinite(fresh_residual):
        return RESULTS.nonfinite
    if fresh_residual <= tolerance:
        return RESULTS.successful
    return RESULTS.stagnated if trained is RESULTS.successful else trained


def estimates(formulation: Formulation, trained: OptimiseResult, result: RESULTS) -> dict[str, Estimate]:
    """Every parameter of the problem; unknown ones with standard errors where there are observations.

    The Gauss-Newton covariance describes the data only at an optimum: a run that did not succeed gives no errors.
    """
    problem, ansatz = formulation.problem, formulation.ansatz
    numbers = {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None}
    physical = ansatz.parameters.physical(trained.weights["parameters"])
    is_fit = result is RESULTS.successful and bool(problem.observations)
    errors = _standard_errors(formulation, trained) if physical and is_fit else {}
    return {**numbers, **{name: Estimate(float(value), errors.get(name)) for name, value in physical.items()}}


def _standard_errors(formulation: Formulation, trained: OptimiseResult) -> dict[str, float]:
    noise = {
        block.name: None if observation.noise is None else float(np.mean(observation.noise))
        for block, observation in zip(formulation.observation_blocks(), formulation.problem.observations, strict=True)
    }

    def quantities(weights: dict) -> dict[str, jax.Array]:
        return formulation.ansatz.parameters.physical(weights["parameters"])

    spread = covariance(trained.problem, trained.weights, quantities, noise)
    return dict(zip(sorted(quantities(trained.weights)), map(float, spread.standard_errors), strict=True))


def compile_seconds(trained: OptimiseResult) -> float:
    """Seconds of the first step beyond the usual one: tracing and compilation."""
    seconds = trained.history.get("seconds", np.zeros(0))
    if seconds.size < 3:
        return 0.0
    return float(max(0.0, seconds[0] - np.median(np.diff(seconds))))
