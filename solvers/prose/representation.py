"""The solution that a model predicts, as a function of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.solution import AbstractRepresentation
from sciml.storable import storable
from solvers.prose.decoders import SolutionDecoder
from solvers.prose.encoders import Features


@final
@storable("prose_prediction")
class Prediction(AbstractRepresentation):
    """What the solution decoder answers at any time, averaged over the S parts of the observations.

    Attributes:
        decoder: the decoder.
        features: of each part, `(S, n, width)`.
        visible: which of them are there, `(S, n)`.
        scale: logarithm of the unit of each part, `(S,)`.
        start: the first time.
        horizon: the unit of time.
        time: name of the coordinate.
        names: of the unknowns.
    """

    decoder: SolutionDecoder
    features: jax.Array
    visible: jax.Array
    scale: jax.Array
    start: float = eqx.field(static=True)
    horizon: float = eqx.field(static=True)
    time: str = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        times = ((points[self.time] - self.start) / self.horizon).astype(jnp.float32)

        def part(features: jax.Array, visible: jax.Array, scale: jax.Array) -> jax.Array:
            return self.decoder(Features(features, visible), times) * jnp.exp(scale)

        values = jnp.mean(jax.vmap(part)(self.features, self.visible, self.scale), axis=0)
        return {name: values[:, i].astype(float) for i, name in enumerate(self.names)}
