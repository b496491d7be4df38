"""Choices made before training: which conditions are hard, natural scales, how many points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import terms
from sciml.expr.reduce import quotient
from sciml.expr.traverse import atoms
from sciml.known import BoundLaws, known_values
from sciml.parameters import UnknownParameters
from sciml.pointwise import Expressions, Quadrature, has_integral
from sciml.problem import Problem
from sciml.strong_form.ansatz import Ansatz, Numbers, network_groups
from sciml.strong_form.constraints import can_be_hard, hard_conditions
from sciml.strong_form.formulation import Formulation, root_mean_square
from sciml.strong_form.residuals import ExpressionResidual, residuals_at

if TYPE_CHECKING:
    from sciml.strong_form.options import FormulationOptions

NUM_PROBES = 256
"""Points at which scales are measured and hard conditions are verified."""

MOST_LIFTED_AXES = 3
"""Axes between whose faces data are blended: a lift of k axes reads its data 3ᵏ times at every point."""

LIFT_TOLERANCE = 1e-9
"""Largest violation, relative to the size of its terms, at which a condition counts as met by the ansatz."""


def formulate(problem: Problem, solver: FormulationOptions, key: Array) -> tuple[Formulation, PyTree]:
    """Choose hard conditions, initial weights and scales for a problem.

    A condition is hard when the solver allows it, its data are smooth, and the ansatz verifiably meets it: where data
    disagree at a corner, one of the conditions becomes soft. Dirichlet faces of more than three axes all are.

    Returns:
        The formulation and initial weights.
    """
    key_weights, key_probes = jax.random.split(key)
    numbers, conditions = _numbers(problem, key_probes), problem.placed_conditions
    allowed = _allowed(conditions) if solver.hard else frozenset()
    while True:
        hard, met = hard_conditions(conditions, allowed)
        ansatz = _ansatz(problem, solver, hard)
        weights = ansatz.init(key_weights)
        probe = _Probe.of(problem, ansatz, weights, numbers, key_probes)
        broken = {n for n in met if probe.violation(n) > LIFT_TOLERANCE}
        if not broken:
            break
        allowed = met - broken
    soft = [n for n in range(len(conditions)) if n not in met]
    formulation = Formulation(
        problem=problem,
        solver=solver,
        ansatz=ansatz,
        numbers=numbers,
        soft=tuple(conditions[n] for n in soft),
        equation_scales=np.array([probe.equation_scale(n) for n in range(len(problem.residuals))]),
        condition_scales=np.array([probe.condition_scale(n) for n in soft]),
        num_points=_num_points(problem, solver, weights),
    )
    return formulation, weights


def _allowed(conditions: tuple[PlacedCondition, ...]) -> frozenset[int]:
    """Positions of the conditions that the ansatz may hold."""
    found = {n: c for n, c in enumerate(conditions) if can_be_hard(c)}
    faces = {n: c.place.axis for n, c in found.items() if c.kind is ConditionKind.DIRICHLET}
    return frozenset(found if len(set(faces.values())) <= MOST_LIFTED_AXES else found.keys() - faces.keys())


@final
@dataclass(frozen=True)
class _Probe:
    """Additive terms of every equation and condition at a few points, for a generic network and for a silent one.

    Attributes:
        equations: terms `(points, terms)` of each equation, generic and silent.
        conditions: the same of each condition.
        sizes: natural size of the unknown of each condition.
    """

    equations: list[tuple[np.ndarray, np.ndarray]]
    conditions: list[tuple[np.ndarray, np.ndarray]]
    sizes: list[float]

    @classmethod
    def of(cls, problem: Problem, ansatz: Ansatz, weights: PyTree, numbers: Numbers, key: Array) -> _Probe:
        conditions = problem.placed_conditions
        expressions = (*problem.residuals, *(c.residual for c in conditions))
        residuals = tuple(ExpressionResidual(Expressions(tuple(terms(e))), ansatz) for e in expressions)
        inside = problem.domain.sample(NUM_PROBES, key)
        places = [problem.domain.sample(NUM_PROBES, key, place=c.place) for c in conditions]
        points = (*[inside] * len(problem.residuals), *places)
        silent = {**weights, "networks": jax.tree.map(jnp.zeros_like, weights["networks"])}
        generic, quiet = (
            [np.asarray(v) for v in residuals_at(residuals, w, points, numbers)] for w in (_generic(weights), silent)
        )
        pairs, count = list(zip(generic, quiet, strict=True)), len(problem.residuals)
        sizes = [float(numbers.scales.get(repr(c.unknown), 1.0)) for c in conditions]
        return cls(pairs[:count], pairs[count:], sizes)

    def violation(self, n: int) -> float:
        """Largest residual of a condition, relative to its terms."""
        generic, _ = self.conditions[n]
        return float(np.abs(generic.sum(axis=1)).max() / (_size(generic) + self.sizes[n]))

    def condition_scale(self, n: int) -> float:
        """Size of the terms of a condition."""
        return _size(self.conditions[n][0]) or 1.0

    def equation_scale(self, n: int) -> float:
        """Size of the terms for the lift alone, which holds data and sources; for a network where they vanish."""
        generic, silent = map(_size, self.equations[n])
        size = silent if silent > 1e-8 * generic else generic
        return size if math.isfinite(size) and size > 0 else 1.0


def _size(values: np.ndarray) -> float:
    """Root mean square over points of the terms together, `(points, terms)`."""
    return float(np.sqrt(np.mean(np.sum(values**2, axis=1))))


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


def _ansatz(problem: Problem, solver: FormulationOptions, hard: dict) -> Ansatz:
    return Ansatz(
        network=solver.network,
        embedding=solver.embedding,
        groups=network_groups(problem),
        periodic=problem.domain.periodic,
        hard=tuple(sorted(hard.items())),
        parameters=UnknownParameters.of(problem.unknown_parameters),
    )


def _generic(weights: PyTree) -> PyTree:
    """Weights without the symmetries of initial ones, under which a mean value may vanish whatever its size."""
    generator = np.random.default_rng(0)
    moved = jax.tree.map(lambda leaf: leaf + 0.5 * generator.normal(size=leaf.shape), weights["networks"])
    return {**weights, "networks": moved}


def _num_points(problem: Problem, solver: FormulationOptions, weights: PyTree) -> int:
    """Four rows for each weight, within what a step can afford; or what the solver asks for."""
    if solver.num_points is not None:
        return solver.num_points
    count = sum(leaf.size for leaf in jax.tree.leaves(weights))
    return int(np.clip(4 * count // len(problem.residuals), 500, 8000))
