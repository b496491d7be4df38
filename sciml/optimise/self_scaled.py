"""Dense quasi-Newton optimisation: BFGS whose inverse Hessian is rescaled in every update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, final

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from sciml.optimise.blocks import LeastSquares
from sciml.optimise.gradient import AbstractGradientOptimiser, follow_line_searches
from sciml.optimise.optimiser import check_positive
from sciml.training import Iterate

_CURVED = 1e-14
"""Cosine of step and change of gradient below which an update is left out."""


class SelfScaledState(NamedTuple):
    """Inverse Hessian, and where the last update was made."""

    inverse: Float[Array, "P P"]
    point: Float[Array, " P"]
    gradient: Float[Array, " P"]
    count: Array


def updated_inverse(
    inverse: Float[Array, "P P"], step: Float[Array, " P"], change: Float[Array, " P"], gradient: Float[Array, " P"]
) -> Float[Array, "P P"]:
    r"""The self-scaled BFGS update.

    $$H^+ = \frac1\tau\Bigl(H - \frac{Hyy^TH}{y^THy} + y^THy\,vv^T\Bigr) + \frac{ss^T}{y^Ts},\quad
    v = \frac{s}{y^Ts} - \frac{Hy}{y^THy},\quad \tau = \min\Bigl(1, \frac{y^Ts}{s^TBs}\Bigr),$$

    where $Bs$, B the inverse of H, is known without B: a step $s = -\alpha Hg$ has $Bs = -\alpha g$.

    Args:
        inverse: H.
        step: s.
        change: y, of the gradient.
        gradient: g, from which the step was taken.
    """
    product = inverse @ change
    curvature, quadratic = change @ step, change @ product
    direction = inverse @ gradient
    length = -(step @ direction) / jnp.maximum(direction @ direction, 1e-300)
    tau = jnp.clip(curvature / jnp.maximum(-length * (step @ gradient), 1e-300), 1e-8, 1.0)
    v = step / curvature - product / quadratic
    scaled = (inverse - jnp.outer(product, product) / quadratic + quadratic * jnp.outer(v, v)) / tau
    fresh = scaled + jnp.outer(step, step) / curvature
    is_curved = curvature > _CURVED * jnp.linalg.norm(step) * jnp.linalg.norm(change)
    return jnp.where(is_curved & jnp.all(jnp.isfinite(fresh)), fresh, inverse)


def _scale_by_self_scaled_bfgs() -> optax.GradientTransformation:
    def init(params: Any) -> SelfScaledState:
        return SelfScaledState(jnp.eye(params.size), params, jnp.zeros_like(params), jnp.zeros((), jnp.int32))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, SelfScaledState]:
        step, change = params - state.point, updates - state.gradient
        first = change @ step / jnp.maximum(change @ change, 1e-300) * jnp.eye(params.size)
        before = jnp.where((state.count == 1) & (change @ step > 0), first, state.inverse)
        later = updated_inverse(before, step, change, state.gradient)
        inverse = jnp.where(state.count > 0, later, state.inverse)
        return inverse @ updates, SelfScaledState(inverse, params, updates, state.count + 1)

    return optax.GradientTransformation(init, update)


@final
class SelfScaledBFGS(AbstractGradientOptimiser):
    """BFGS with the whole inverse Hessian, rescaled so that its large eigenvalues can shrink; gradients only.

    Between L-BFGS, which forgets, and Levenberg-Marquardt, which needs the Jacobian: memory `P²`, `4 P²` flops
    an update beside the gradient. Sensible up to a few thousand weights.

    Reference: M. Al-Baali, "Numerical experience with a class of self-scaling quasi-Newton algorithms" (1998),
        doi:10.1023/A:1021720301803; E. Kiyani et al., "Optimizing the optimizer for physics-informed neural networks"
        (2025), arXiv:2501.16371.

    Args:
        max_steps: updates in all.
        tolerance: root mean square of the scaled residual at which the optimisation has succeeded.
        updates_per_step: updates in one compiled scan, between two looks at clock and callback.
    """

    max_steps: int = 5000
    tolerance: float = 1e-8
    updates_per_step: int = 20

    def __check_init__(self) -> None:
        check_positive(max_steps=self.max_steps, updates_per_step=self.updates_per_step)

    def transformation(self) -> optax.GradientTransformationExtraArgs:
        """The update, its direction, and a strong Wolfe line search along it."""
        search = optax.scale_by_zoom_linesearch(max_linesearch_steps=20, initial_guess_strategy="one")
        return optax.with_extra_args_support(optax.chain(_scale_by_self_scaled_bfgs(), optax.scale(-1.0), search))

    def value_and_gradient(
        self, objective: Callable[[Array], Array], flat: Array, memory: PyTree
    ) -> tuple[Array, Array]:
        """By reverse mode."""
        return jax.value_and_grad(objective)(flat)

    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """As every gradient method; ends when a whole scan of line searches finds nothing better."""
        return follow_line_searches(iterate, super().step(problem, iterate))
