"""What a fit says about all times: the likeliest bounded trajectory, and how far others of its kind lie from it."""

from __future__ import annotations

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.runge_kutta import flow
from solvers.identification.data import Data
from solvers.identification.fitting import Fit
from solvers.identification.model import Model

SAMPLES = 48


@final
class Prediction(eqx.Module):
    """States of B trajectories at T times.

    Attributes:
        states: `(T, d, B)`, or `(T, d, m, B)`.
        deviation: standard deviation over the bounded samples, of the same shape.
        guarded: where the most probable trajectory left the bound and a sample stands for it, `(B,)`.
        lost: where all of them left the bound, `(B,)`; states are not finite there.
    """

    states: jax.Array
    deviation: jax.Array
    guarded: jax.Array
    lost: jax.Array

    @property
    def spread(self) -> jax.Array:
        """Root mean square of the deviation over that of the states after the first time, `(B,)`."""
        axes = tuple(range(self.states.ndim - 1))
        return jnp.sqrt(jnp.sum(self.deviation**2, axis=axes) / jnp.sum(self.states**2, axis=axes))


def foresee(
    model: Model,
    data: Data,
    fit: Fit,
    times: jax.Array,
    key: jax.Array,
    limit: jax.Array | float,
    samples: int = SAMPLES,
) -> Prediction:
    r"""Integrate the estimate and samples of its Laplace distribution over given times.

    Samples that leave $|y|<$ limit are dropped: the data are known to stay within. Where the estimate itself leaves,
    the bounded sample nearest to it in the metric of the covariance takes its place.

    Args:
        model: the system.
        data: fixed numbers.
        fit: estimates at the first time of the data.
        times: `(T,)` or `(T, B)`, beginning with the first time of the data.
        key: PRNG key.
        limit: bound, a number or `(B,)`.
        samples: how many.
    """
    clock = jnp.asarray(times, float).reshape(len(times), -1)
    return _foresee(model, data.fixed, fit.guess.raw, fit.guess.states[:, 0], fit.covariance, clock, key,
                    jnp.asarray(limit, float), jnp.asarray(fit.substeps), samples)  # fmt: skip


@eqx.filter_jit
def _foresee(
    model: Model, fixed: dict[str, jax.Array], raw: jax.Array, start: jax.Array, covariance: jax.Array,
    times: jax.Array, key: jax.Array, limit: jax.Array, substeps: jax.Array, samples: int,
) -> Prediction:  # fmt: skip
    p, B = raw.shape
    N = p + start.shape[0]
    z = jax.random.normal(key, (samples, N, B)).at[0].set(0.0)
    scale = jnp.sqrt(jnp.maximum(jnp.einsum("bii->bi", covariance), 1e-300))
    value, vector = jnp.linalg.eigh(covariance / scale[:, :, None] / scale[:, None, :])
    root = scale[:, :, None] * vector * jnp.sqrt(jnp.maximum(value, 0.0))[:, None, :]
    drawn = jnp.concatenate([raw, start])[None] + jnp.einsum("bij,sjb->sib", root, z)
    drawn = jnp.moveaxis(drawn, 0, 1)  # (N, samples, B)
    numbers = {**fixed, **model.numbers(drawn[:p])}
    states = flow(model.rates, times[:, None, :], model.expand(drawn[p:]), numbers, substeps)
    size = jnp.max(jnp.abs(states), axis=tuple(range(states.ndim - 2)))  # (samples, B)
    bounded = size < limit
    rank = jnp.where(bounded, jnp.sum(z**2, axis=1), jnp.inf)
    best = jnp.argmin(rank, axis=0)
    chosen = jnp.take_along_axis(states, best.reshape(*[1] * (states.ndim - 2), 1, B), axis=-2)[..., 0, :]
    weight = bounded / jnp.maximum(bounded.sum(axis=0), 1)
    kept = jnp.where(bounded, states, 0.0)
    mean = jnp.sum(weight * kept, axis=-2)
    variance = jnp.sum(weight * jnp.where(bounded, (states - mean[..., None, :]) ** 2, 0.0), axis=-2)
    lost = ~bounded.any(axis=0)
    return Prediction(jnp.where(lost, jnp.nan, chosen), jnp.sqrt(variance), ~bounded[0] & ~lost, lost)
