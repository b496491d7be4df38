"""Point residuals of a problem under an ansatz: equations, conditions, observations, priors."""

from __future__ import annotations

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from sciml.pointwise import Expressions, values_at_point
from sciml.strong_form.ansatz import Ansatz, Numbers


@final
class ExpressionResidual(eqx.Module):
    """Lowered expressions at a point `{coordinate: number}`: one pass of derivatives for all of them."""

    expressions: Expressions = eqx.field(static=True)
    ansatz: Ansatz = eqx.field(static=True)

    def __call__(self, weights: PyTree, point: dict[str, Array], numbers: Numbers) -> Float[Array, " m"]:
        fields, arguments = self.ansatz.fields(weights, numbers), self.ansatz.arguments(weights, numbers)
        return jnp.stack(values_at_point(self.expressions, fields, point, arguments, numbers.quadrature))


@final
class ImportantPoints(eqx.Module):
    """A residual at a point `(x, importance)`, multiplied by the importance."""

    residual: ExpressionResidual

    def __call__(self, weights: PyTree, point: tuple[dict[str, Array], Array], numbers: Numbers) -> Float[Array, " m"]:
        where, importance = point
        return importance * self.residual(weights, where, numbers)


@eqx.filter_jit
def residuals_at(
    residuals: tuple[ExpressionResidual, ...], weights: PyTree, points: tuple[dict[str, Array], ...], numbers: Numbers
) -> tuple[Float[Array, "n m"], ...]:
    """Values of several residuals, each at many points of its own, in one compilation."""
    return tuple(
        jax.lax.map(lambda point, r=residual: r(weights, point, numbers), where, batch_size=4096)
        for residual, where in zip(residuals, points, strict=True)
    )


@final
class ObservationResidual(eqx.Module):
    """`(e(x_k) - y_k) r_k` at a point `(x_k, y_k, r_k)`, where `r_k` is the mean noise over the noise of this value."""

    expression: Expressions = eqx.field(static=True)
    ansatz: Ansatz = eqx.field(static=True)

    def __call__(self, weights: PyTree, point: tuple[dict[str, Array], Array, Array], numbers: Numbers) -> Array:
        where, value, relative_precision = point
        fields, arguments = self.ansatz.fields(weights, numbers), self.ansatz.arguments(weights, numbers)
        (found,) = values_at_point(self.expression, fields, where, arguments, numbers.quadrature)
        return (found - value) * relative_precision


@final
class PriorResidual(eqx.Module):
    """`(θ - mean) / deviation` of an unknown parameter, over its logarithm where it is positive."""

    parameter: str = eqx.field(static=True)
    positive: bool = eqx.field(static=True)
    ansatz: Ansatz = eqx.field(static=True)

    def __call__(self, weights: PyTree, point: tuple[Array, Array], numbers: Numbers) -> Array:
        mean, deviation = point
        value = self.ansatz.parameters.physical(weights["parameters"])[self.parameter]
        return ((jnp.log(value) if self.positive else value) - mean) / deviation
