"""First-order optimisation: Adam, to leave bad initial weights before a second-order method takes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import jax
import optax
from jaxtyping import Array, PyTree

from sciml.optimise.gradient import AbstractGradientOptimiser
from sciml.optimise.optimiser import check_positive


@final
class Adam(AbstractGradientOptimiser):
    """Adam with a cosine-decayed learning rate.

    Reference: D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015), arXiv:1412.6980.

    Args:
        learning_rate: at the first update; it decays to a hundredth at `max_steps`.
        max_steps: updates in all.
        tolerance: root mean square of the scaled residual at which the optimisation has succeeded.
        updates_per_step: updates in one compiled scan, between two looks at clock and callback.
    """

    learning_rate: float = 2e-3
    max_steps: int = 5000
    tolerance: float = 1e-8
    updates_per_step: int = 50

    def __check_init__(self) -> None:
        check_positive(
            learning_rate=self.learning_rate, max_steps=self.max_steps, updates_per_step=self.updates_per_step
        )

    def transformation(self) -> optax.GradientTransformationExtraArgs:
        """optax's Adam."""
        schedule = optax.cosine_decay_schedule(self.learning_rate, self.max_steps, alpha=1e-2)
        return optax.with_extra_args_support(optax.adam(schedule))

    def value_and_gradient(
        self, objective: Callable[[Array], Array], flat: Array, memory: PyTree
    ) -> tuple[Array, Array]:
        """By reverse mode."""
        return jax.value_and_grad(objective)(flat)
