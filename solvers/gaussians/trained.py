"""Gaussians whose means and widths are trained: a lattice to start from, variable projection, fresh points."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import final

import jax
import numpy as np
from jaxtyping import PyTree

from sciml.domains.regions import Place
from sciml.optimise import AbstractOptimiser
from sciml.optimise.variable_projection import VariableProjection
from sciml.pointwise import Expressions
from sciml.problem import Problem
from sciml.solution import Solution, Stats
from sciml.solver import Run
from sciml.strong_form.assessment import compile_seconds, estimates, outcome, residuals
from sciml.strong_form.embeddings import Embedding
from sciml.strong_form.formulation import Formulation
from sciml.strong_form.networks import AbstractNetwork
from sciml.strong_form.preparation import formulate
from sciml.strong_form.residuals import ExpressionResidual, residuals_at
from sciml.training import Resampling
from solvers.gaussians.mixtures import Mixture, lattice_start, linear_weights

_PROBES, _SHIFT = 512, 0.02
_LEAST_NEED, _MOST_NEED = 1.0, 60.0
_ROWS_A_WEIGHT = 2.5


@final
@dataclass(frozen=True)
class Fit:
    """What `sciml.strong_form` reads of a fit, and how it is trained; the fields are those of `FormulationOptions`."""

    network: AbstractNetwork
    optimiser: AbstractOptimiser
    accepted: float
    embedding: Embedding = field(default_factory=lambda: Embedding(harmonics=1))
    num_points: int | None = None
    num_condition_points: int = 200
    condition_weight: float = 10.0
    noise_level: float = 3e-3
    hard: bool = False
    adaptive_share: float = 0.0
    pool_factor: int = 5
    resample_every: int = 25


def fit_mixture(
    problem: Problem, name: str, run: Run, *, gaussians: int, max_steps: int, accepted: float, num_points: int | None
) -> Solution:
    """Train a mixture from a lattice that is finest along the coordinates in which the data vary most."""
    optimiser = VariableProjection(linear=linear_weights, max_steps=max_steps, tolerance=1e-12)
    fit = Fit(Mixture(gaussians), optimiser, accepted, num_points=num_points)
    formulation, weights = formulate(problem, fit, jax.random.fold_in(run.key, 1))
    needs = _needs(formulation, weights, run.key)
    networks = []
    for names, unknowns in formulation.ansatz.groups:
        periodic = tuple(n in problem.domain.periodic for n in names)
        own = np.array([needs[n] for n in names])
        networks.append(lattice_start(periodic, own, len(unknowns), gaussians))
    weights = {**weights, "networks": networks}
    if num_points is None:
        count = sum(leaf.size for leaf in jax.tree.leaves(weights))
        points = int(np.clip(_ROWS_A_WEIGHT * count / len(problem.residuals), 500, 8000))
        formulation = replace(formulation, num_points=points)
    return train(formulation, fit, weights, name, run)


def train(formulation: Formulation, fit: Fit, weights: PyTree, name: str, run: Run) -> Solution:
    """Minimise, and let the residual on fresh points decide about success."""
    key_points, key_training, key_fresh = jax.random.split(jax.random.fold_in(run.key, 2), 3)
    trained = fit.optimiser.minimise(
        weights,
        formulation.uniform(key_points),
        formulation.numbers,
        key=key_training,
        callback=run.callback,
        budget=None if run.remaining is None else max(run.remaining, 1e-3),
        resampling=Resampling(formulation.uniform, fit.resample_every, formulation.uniform),
    )
    found = residuals(formulation, trained, key_fresh)
    result = outcome(trained.result, found["fresh_residual"], fit.accepted)
    seconds = compile_seconds(trained)
    stats = Stats(
        compile=seconds,
        solve=trained.seconds - seconds,
        iterations=trained.steps,
        unknowns=trained.problem.num_weights,
        extra=found,
    )
    fields = formulation.fields(trained.weights)
    parameters = estimates(formulation, trained, result)
    return Solution(formulation.problem, name, fields, result, parameters, stats, trained.history)


def _needs(formulation: Formulation, weights: PyTree, key: jax.Array) -> dict[str, float]:
    """Wavenumber of each coordinate in half lengths of the box, from what equations and conditions ask of no field."""
    problem = formulation.problem
    expressions = [ExpressionResidual(Expressions(problem.residuals), formulation.ansatz)]
    places: list[Place | None] = [None]
    for c in problem.placed_conditions:
        expressions.append(ExpressionResidual(Expressions((c.residual,)), formulation.ansatz))
        places.append(c.place)
    domain, needs = problem.domain, {}
    base = [domain.sample(_PROBES, key, place=p) for p in places]
    values = residuals_at(tuple(expressions), weights, tuple(base), formulation.numbers)
    for x in problem.coordinates:
        lower, upper = domain.bounds[x.name]
        step, found = _SHIFT * (upper - lower) / 2, _LEAST_NEED
        moved = [{**p, x.name: p[x.name] - step * np.sign(p[x.name] - (lower + upper) / 2)} for p in base]
        others = residuals_at(tuple(expressions), weights, tuple(moved), formulation.numbers)
        for place, here, there in zip(places, values, others, strict=True):
            size = float(np.sqrt(np.mean(np.square(here))))
            if size > 0 and (place is None or all(c.name != x.name for c, _ in place.fixed)):
                slope = float(np.sqrt(np.mean(np.square(np.asarray(there) - here)))) / _SHIFT
                found = max(found, slope / size)
        needs[x.name] = float(np.clip(found, _LEAST_NEED, _MOST_NEED))
    return needs
