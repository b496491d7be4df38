"""The fields that are zero everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.problem import Problem
from sciml.solution import AbstractRepresentation, Estimate, Solution
from sciml.solver import AbstractSolver, Run
from sciml.storable import storable


@final
@storable("zero_fields")
class ZeroFields(AbstractRepresentation):
    """Zero for every unknown."""

    unknowns: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        shape = next(iter(points.values())).shape
        return {name: jnp.zeros(shape) for name in self.unknowns}


@final
@dataclass(frozen=True)
class Zero(AbstractSolver):
    """Answers zero: a relative error of 1 by definition, the floor of every table."""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        fields = ZeroFields(tuple(repr(unknown) for unknown in problem.unknowns))
        return Solution(problem, repr(self), fields, parameters=known_numbers(problem))


def known_numbers(problem: Problem) -> dict[str, Estimate]:
    """The parameters whose numbers the problem states."""
    return {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None}
