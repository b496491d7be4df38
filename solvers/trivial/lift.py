r"""The fields that the conditions alone suggest: data held in time and blended between the faces.

$u = L$ with the lift $L$ of `sciml.strong_form.constraints`: the initial value (and rate) held in time, corrected
along one axis after the other so that it meets the Dirichlet data. The equation is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.domains.box import Box
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms
from sciml.known import Arguments, BoundLaws, known_values
from sciml.problem import Problem
from sciml.solution import AbstractRepresentation, Solution
from sciml.solver import AbstractSolver, Run
from sciml.storable import storable
from sciml.strong_form.constraints import NO_CONDITIONS, HardConditions, can_be_hard, hard_conditions
from sciml.strong_form.embeddings import Bounds
from solvers.trivial.zero import known_numbers

_MOST_AXES = 6
"""A lift of k axes reads its data 3ᵏ times at every point."""


@final
@storable("lift_fields")
class LiftFields(AbstractRepresentation):
    """The lift of every unknown; zero where no condition gives data."""

    arguments: Arguments
    bounds: Bounds
    conditions: tuple[tuple[str, HardConditions], ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        def known(e: Scalar, point: Mapping[str, jax.Array]) -> jax.Array:
            values = known_values(atoms(e), point, self.arguments)
            return jnp.asarray(evaluate(e, values, BoundLaws(self.arguments.laws)), float)

        def at(point: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
            return {name: own.lift(point, self.bounds, known) for name, own in self.conditions}

        return jax.vmap(at)({name: jnp.asarray(p, float) for name, p in points.items()})


@final
@dataclass(frozen=True)
class Lift(AbstractSolver):
    """Answers with the data of the conditions, held in time and blended between the faces of a box."""

    def check(self, problem: Problem) -> list[str]:
        if not isinstance(problem.domain, Box):
            return ["the domain is not a Box: data are blended between the faces of boxes"]
        conditions = _conditions(problem)
        if not conditions:
            return ["no condition gives initial or Dirichlet data that can be held"]
        most = max(len(own.axes) for own in conditions.values())
        if most > _MOST_AXES:
            return [f"it blends data between the faces of at most {_MOST_AXES} axes, found {most}"]
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        own = _conditions(problem)
        bounds = {name: (jnp.asarray(a), jnp.asarray(b)) for name, (a, b) in problem.domain.bounds.items()}
        conditions = tuple((repr(u), own.get(repr(u), NO_CONDITIONS)) for u in problem.unknowns)
        fields = LiftFields(problem.arguments, bounds, conditions)
        return Solution(problem, repr(self), fields, parameters=known_numbers(problem))


def _conditions(problem: Problem) -> dict[str, HardConditions]:
    placed = problem.placed_conditions
    allowed = frozenset(n for n, condition in enumerate(placed) if can_be_hard(condition))
    return hard_conditions(placed, allowed)[0]
