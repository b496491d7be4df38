"""The shared half of the gradient-based optimisers: any optax transformation, many updates in one compiled scan."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree

from sciml.optimise.blocks import LeastSquares, loss_per_block, losses
from sciml.optimise.optimiser import AbstractIterativeOptimiser
from sciml.results import RESULTS
from sciml.training import Iterate


class AbstractGradientOptimiser(AbstractIterativeOptimiser):
    """Follows the updates of an optax transformation; one step of the loop is `updates_per_step` updates."""

    updates_per_step: eqx.AbstractVar[int]

    @abstractmethod
    def transformation(self) -> optax.GradientTransformationExtraArgs:
        """The optax rule, built from hyperparameters alone so that equal optimisers share one compilation."""

    @abstractmethod
    def value_and_gradient(
        self, objective: Callable[[Array], Array], flat: Array, memory: PyTree
    ) -> tuple[Array, Array]:
        """Loss and gradient at `flat`, computed or read from the memory of the rule."""

    def init(self, problem: LeastSquares, flat: np.ndarray) -> Iterate:
        """The iterate at the initial weights, before any update."""
        start = jnp.asarray(flat)
        values = losses(problem, flat[None])[0]
        rule_memory = jax.tree.map(_strongly_typed, self.transformation().init(start))
        return Iterate(start, values, memory=(rule_memory, jnp.ones(())))

    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """`updates_per_step` updates under one `lax.scan`."""
        flat, memory, values = _updates(self, problem, iterate.flat, iterate.memory)
        return Iterate(flat, np.asarray(values), iterate.steps + self.updates_per_step, memory)

    def restart(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """The same weights on other points; the memory of the rule belongs to the old ones and starts anew."""
        fresh = self.init(problem, np.asarray(iterate.flat))
        return replace(fresh, steps=iterate.steps, memory=(fresh.memory[0], iterate.memory[1]))

    def recover(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """Halve every update and forget the moments."""
        restarted = self.restart(problem, iterate)
        return replace(restarted, memory=(restarted.memory[0], restarted.memory[1] / 2))


def follow_line_searches(before: Iterate, proposed: Iterate) -> Iterate:
    """The proposed iterate, marked as stagnated where a whole scan of line searches found nothing better."""
    stuck = proposed.is_finite and not proposed.loss < before.loss
    return replace(proposed, result=RESULTS.stagnated) if stuck else proposed


def _strongly_typed(leaf: Array) -> Array:
    """Without this the first and the second scan would be two compilations."""
    return jax.lax.convert_element_type(leaf, jnp.asarray(leaf).dtype)


@eqx.filter_jit
def _updates(
    optimiser: AbstractGradientOptimiser, problem: LeastSquares, flat: Array, memory: tuple[PyTree, Array]
) -> tuple[Array, tuple[PyTree, Array], Array]:
    rule = optimiser.transformation()

    def objective(candidate: Array) -> Array:
        return loss_per_block(problem, candidate).sum()

    def update(carry: tuple[Array, PyTree], _: None) -> tuple[tuple[Array, PyTree], None]:
        point, state = carry
        value, gradient = optimiser.value_and_gradient(objective, point, state)
        change, state = rule.update(gradient, state, point, value=value, grad=gradient, value_fn=objective)
        return (point + shrink * jnp.asarray(change), state), None

    state, shrink = memory
    (flat, state), _ = jax.lax.scan(update, (flat, state), length=optimiser.updates_per_step)
    return flat, (state, shrink), loss_per_block(problem, flat)
