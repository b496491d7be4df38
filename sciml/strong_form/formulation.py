"""A problem as least squares: which blocks there are, and where their points lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.domain import Points
from sciml.observations import Observation
from sciml.optimise import ResidualBlock
from sciml.pointwise import Expressions
from sciml.problem import Problem
from sciml.strong_form.ansatz import Ansatz, NetworkFields, Numbers
from sciml.strong_form.residuals import (
    ExpressionResidual,
    ImportantPoints,
    ObservationResidual,
    PriorResidual,
    residuals_at,
)

if TYPE_CHECKING:
    from sciml.strong_form.options import FormulationOptions


@final
@dataclass(frozen=True)
class Formulation:
    """A problem as least squares.

    Attributes:
        problem: what is solved.
        solver: hyperparameters.
        ansatz: what the fields are made of.
        numbers: what the residuals read.
        soft: conditions that the ansatz does not meet by construction.
        equation_scales: natural size of the residual of each equation.
        condition_scales: natural size of the residual of each soft condition.
        num_points: points of the equations.
    """

    problem: Problem
    solver: FormulationOptions
    ansatz: Ansatz
    numbers: Numbers
    soft: tuple[PlacedCondition, ...]
    equation_scales: np.ndarray
    condition_scales: np.ndarray
    num_points: int

    @property
    def _equations(self) -> ExpressionResidual:
        return ExpressionResidual(Expressions(self.problem.residuals), self.ansatz)

    def blocks(self, points: Points, key: Array) -> tuple[ResidualBlock, ...]:
        """Residual blocks with the equations at given points, of importance 1, and the conditions at random ones."""
        importance = jnp.ones(len(next(iter(points.values()))))
        blocks = [
            ResidualBlock("equation", ImportantPoints(self._equations), (points, importance), self.equation_scales)
        ]
        for number, (condition, scale) in enumerate(zip(self.soft, self.condition_scales, strict=True)):
            residual = ExpressionResidual(Expressions((condition.residual,)), self.ansatz)
            where = self._points_of(condition, jax.random.fold_in(key, number))
            name = f"{condition.kind.value} {number} ({condition.place})"
            blocks.append(ResidualBlock(name, residual, where, scale, self.solver.condition_weight))
        return (*blocks, *self.observation_blocks(), *self._prior_blocks())

    def uniform(self, key: Array, weights: PyTree = None) -> tuple[ResidualBlock, ...]:
        """Blocks on points that are spread evenly: the honest measure of a residual."""
        key_inside, key_conditions = jax.random.split(key)
        return self.blocks(self.problem.domain.sample(self.num_points, key_inside), key_conditions)

    def adaptive(self, key: Array, weights: PyTree) -> tuple[ResidualBlock, ...]:
        """Blocks of which a share of the points is drawn with probability proportional to the residual."""
        key_pool, key_choice, key_uniform, key_conditions = jax.random.split(key, 4)
        count = round(self.solver.adaptive_share * self.num_points)
        pool = self.problem.domain.sample(self.solver.pool_factor * self.num_points, key_pool)
        (values,) = residuals_at((self._equations,), weights, (pool,), self.numbers)
        size = jnp.linalg.norm(values / self.equation_scales, axis=1)
        scores = jnp.log(size) + jax.random.gumbel(key_choice, size.shape)
        chosen = jnp.argsort(jnp.nan_to_num(scores, nan=-jnp.inf))[-count:] if count else jnp.arange(0)
        even = self.problem.domain.sample(self.num_points - count, key_uniform) if count < self.num_points else None
        points = {
            name: p[chosen] if even is None else jnp.concatenate([p[chosen], even[name]]) for name, p in pool.items()
        }
        return self.blocks(points, key_conditions)

    def fields(self, weights: PyTree) -> NetworkFields:
        """The fields that weights stand for, with the unknown parameters they hold."""
        arguments = self.ansatz.arguments(weights, self.numbers)
        return NetworkFields(weights, replace(self.numbers, arguments=arguments), self.ansatz)

    def observation_blocks(self) -> tuple[ResidualBlock, ...]:
        """One block for each set of observations, scaled so that its noise is small beside residuals of equations."""
        blocks = []
        for number, observation in enumerate(self.problem.observations):
            sigma = mean_noise(observation)
            relative = np.ones(1) if observation.noise is None else sigma / observation.noise
            where = {name: jnp.asarray(p) for name, p in observation.points.items()}
            precision = jnp.asarray(np.broadcast_to(relative, observation.values.shape))
            residual = ObservationResidual(Expressions((observation.expression,)), self.ansatz)
            points = (where, jnp.asarray(observation.values), precision)
            blocks.append(
                ResidualBlock(f"observation {number}", residual, points, scale=self._observation_scale(observation))
            )
        return tuple(blocks)

    def _observation_scale(self, observation: Observation) -> float:
        return max(root_mean_square(observation.values), mean_noise(observation) / self.solver.noise_level)

    def _prior_blocks(self) -> tuple[ResidualBlock, ...]:
        """Priors, weighted as one more observation of the first set: a deviation of one counts as one noise there."""
        weight = 1.0
        for first in self.problem.observations[:1]:
            weight = mean_noise(first) / self._observation_scale(first) / np.sqrt(first.values.size)
        return tuple(
            ResidualBlock(
                f"prior {p.name}",
                PriorResidual(p.name, p.positive, self.ansatz),
                tuple(jnp.full(1, number) for number in p.prior),
                weight=weight,
            )
            for p in self.problem.unknown_parameters
            if p.prior is not None
        )

    def _points_of(self, condition: PlacedCondition, key: Array) -> Points:
        count = self.solver.num_condition_points
        if condition.kind is ConditionKind.GAUGE:
            count = 1 if self.problem.time is None or self.problem.time in dict(condition.place.fixed) else 32
        elif len(condition.place.fixed) == len(self.problem.coordinates):
            count = 1
        return self.problem.domain.sample(count, key, place=condition.place)


def root_mean_square(values: np.ndarray) -> float:
    """Root mean square, or 1 where all values vanish."""
    return float(np.sqrt(np.mean(np.square(values)))) or 1.0


def mean_noise(observation: Observation) -> float:
    """Mean standard deviation of the noise; a hundredth of the size of the values where it is not known."""
    if observation.noise is None:
        return 0.01 * root_mean_square(observation.values)
    return float(np.mean(observation.noise))
