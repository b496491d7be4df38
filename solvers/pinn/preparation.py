"""Choices made before training: which conditions are hard, natural scales, how many points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.domain import Points
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import terms
from sciml.expr.nodes import Scalar
from sciml.expr.reduce import quotient
from sciml.expr.traverse import atoms
from sciml.known import BoundLaws, known_values
from sciml.parameters import UnknownParameters
from sciml.pointwise import Expressions, Quadrature, has_integral
from sciml.problem import Problem
from solvers.pinn.ansatz import Ansatz, Numbers, network_groups
from solvers.pinn.constraints import can_be_hard, hard_conditions
from solvers.pinn.formulation import Formulation, root_mean_square
from solvers.pinn.residuals import ExpressionResidual, residuals_at

if TYPE_CHECKING:
    from solvers.pinn.solver import PINN

NUM_PROBES = 256
"""Points at which scales are measured and hard conditions are verified."""

LIFT_TOLERANCE = 1e-9
"""Largest violation, relative to the size of its terms, at which a condition counts as met by the ansatz."""


def formulate(problem: Problem, solver: PINN, key: Array) -> tuple[Formulation, PyTree]:
    """Choose hard conditions, initial weights and scales for a problem.

    A condition is hard when the solver allows it, its data are smooth, and the ansatz verifiably meets it: where data
    disagree at a corner, one of the conditions becomes soft.

    Returns:
        The formulation and initial weights.
    """
    key_weights, key_probes = jax.random.split(key)
    numbers = _numbers(problem, key_probes)
    conditions = problem.placed_conditions
    probes = [problem.domain.sample(NUM_PROBES, key_probes, place=c.place) for c in conditions]
    allowed = frozenset(n for n, c in enumerate(conditions) if solver.hard and can_be_hard(c))
    while True:
        hard, met = hard_conditions(conditions, allowed)
        ansatz = _ansatz(problem, solver, hard)
        weights = ansatz.init(key_weights)
        broken = {n for n in met if not _is_met(conditions[n], ansatz, weights, numbers, probes[n])}
        if not broken:
            break
        allowed = met - broken
    soft = tuple(n for n in range(len(conditions)) if n not in met)
    inside = problem.domain.sample(NUM_PROBES, key_probes)
    formulation = Formulation(
        problem=problem,
        solver=solver,
        ansatz=ansatz,
        numbers=numbers,
        soft=tuple(conditions[n] for n in soft),
        equation_scales=np.array([_equation_scale(e, ansatz, weights, numbers, inside) for e in problem.residuals]),
        condition_scales=np.array(
            [_term_size(conditions[n].residual, ansatz, weights, numbers, probes[n]) or 1.0 for n in soft]
        ),
        num_points=_num_points(problem, solver, weights),
    )
    return formulation, weights


def _numbers(problem: Problem, key: Array) -> Numbers:
    bounds = {name: (jnp.asarray(a), jnp.asarray(b)) for name, (a, b) in problem.domain.bounds.items()}
    expressions = (*problem.residuals, *(c.residual for c in problem.placed_conditions))
    quadrature = Quadrature.of(problem.box) if has_integral(*expressions) else None
    scales = {name: jnp.asarray(size) for name, size in _field_sizes(problem, key).items()}
    return Numbers(problem.arguments, bounds, scales, quadrature)


def _field_sizes(problem: Problem, key: Array) -> dict[str, float]:
    """Natural size of each unknown: the largest root mean square of its given values, 1 where nothing is given."""
    sizes = {repr(unknown): [0.0] for unknown in problem.unknowns}
    arguments = problem.arguments
    for condition in problem.placed_conditions:
        if condition.kind in (ConditionKind.DIRICHLET, ConditionKind.INITIAL):
            data = quotient(condition.data, condition.alpha)
            points = problem.domain.sample(NUM_PROBES, key, place=condition.place)
            values = evaluate(data, known_values(atoms(data), points, arguments), BoundLaws(arguments.laws))
            sizes[repr(condition.unknown)].append(float(np.sqrt(np.mean(np.square(values)))))
    for observation in problem.observations:
        if repr(observation.expression) in sizes:
            sizes[repr(observation.expression)].append(root_mean_square(observation.values))
    return {name: max(found) or 1.0 for name, found in sizes.items()}


def _ansatz(problem: Problem, solver: PINN, hard: dict) -> Ansatz:
    return Ansatz(
        network=solver.network,
        embedding=solver.embedding,
        groups=network_groups(problem),
        periodic=problem.domain.periodic,
        hard=tuple(sorted(hard.items())),
        parameters=UnknownParameters.of(problem.unknown_parameters),
    )


def _is_met(condition: PlacedCondition, ansatz: Ansatz, weights: PyTree, numbers: Numbers, points: Points) -> bool:
    violation = residuals_at(ExpressionResidual(Expressions((condition.residual,)), ansatz), weights, points, numbers)
    size = _term_size(condition.residual, ansatz, weights, numbers, points)
    return bool(jnp.max(jnp.abs(violation)) <= LIFT_TOLERANCE * (size + float(numbers.scales[repr(condition.unknown)])))


def _term_size(e: Scalar, ansatz: Ansatz, weights: PyTree, numbers: Numbers, points: Points) -> float:
    """Root mean square of the additive terms of an expression, summed over the terms."""
    values = residuals_at(ExpressionResidual(Expressions(tuple(terms(e))), ansatz), weights, points, numbers)
    return float(jnp.sqrt(jnp.mean(jnp.sum(values**2, axis=1))))


def _equation_scale(e: Scalar, ansatz: Ansatz, weights: PyTree, numbers: Numbers, points: Points) -> float:
    """Size of the terms for the lift alone, which holds data and sources; for a random network where they vanish."""
    silent = {**weights, "networks": jax.tree.map(jnp.zeros_like, weights["networks"])}
    from_data = _term_size(e, ansatz, silent, numbers, points)
    from_network = _term_size(e, ansatz, weights, numbers, points)
    size = from_data if from_data > 1e-8 * from_network else from_network
    return size if math.isfinite(size) and size > 0 else 1.0


def _num_points(problem: Problem, solver: PINN, weights: PyTree) -> int:
    """Four rows for each weight, within what a step can afford; or what the solver asks for."""
    if solver.num_points is not None:
        return solver.num_points
    count = sum(leaf.size for leaf in jax.tree.leaves(weights))
    return int(np.clip(4 * count // len(problem.residuals), 500, 8000))
