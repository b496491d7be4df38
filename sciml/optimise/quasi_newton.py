"""Quasi-Newton optimisation: limited-memory BFGS with a zoom line search."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from sciml.optimise.blocks import LeastSquares
from sciml.optimise.gradient import AbstractGradientOptimiser, follow_line_searches
from sciml.optimise.optimiser import check_positive
from sciml.training import Iterate


@final
class LBFGS(AbstractGradientOptimiser):
    """Limited-memory BFGS: gradients only, for models whose JᵀJ does not fit in memory.

    Reference: D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization" (1989),
        doi:10.1007/BF01589116.

    Args:
        max_steps: updates in all.
        tolerance: root mean square of the scaled residual at which the optimisation has succeeded.
        memory_size: curvature pairs that are kept.
        updates_per_step: updates in one compiled scan, between two looks at clock and callback.
    """

    max_steps: int = 5000
    tolerance: float = 1e-8
    memory_size: int = 20
    updates_per_step: int = 20

    def __check_init__(self) -> None:
        check_positive(max_steps=self.max_steps, memory_size=self.memory_size, updates_per_step=self.updates_per_step)

    def transformation(self) -> optax.GradientTransformationExtraArgs:
        """optax's L-BFGS with its strong Wolfe line search."""
        return optax.lbfgs(memory_size=self.memory_size)

    def value_and_gradient(
        self, objective: Callable[[Array], Array], flat: Array, memory: PyTree
    ) -> tuple[Array, Array]:
        """Read from the last line search where it has been there."""
        value, gradient = optax.value_and_grad_from_state(objective)(flat, state=memory)
        return jnp.asarray(value), jnp.asarray(gradient)

    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """As every gradient method; ends when a whole scan of line searches finds nothing better."""
        return follow_line_searches(iterate, super().step(problem, iterate))
