"""Layers that every part of the model is made of, in single precision, and their first weights."""

from __future__ import annotations

import math
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.storable import storable


@final
@storable("prose_linear")
class Linear(eqx.Module):
    """$x W + b$ along the last axis."""

    weight: jax.Array
    bias: jax.Array

    def __call__(self, x: jax.Array) -> jax.Array:
        return x @ self.weight + self.bias


@final
@storable("prose_norm")
class Norm(eqx.Module):
    """Layer normalisation along the last axis, computed in single precision whatever comes in."""

    scale: jax.Array
    shift: jax.Array

    def __call__(self, x: jax.Array) -> jax.Array:
        wide = x.astype(self.scale.dtype if self.scale.dtype == jnp.float64 else jnp.float32)
        centred = wide - jnp.mean(wide, axis=-1, keepdims=True)
        unit = centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
        return (unit * self.scale + self.shift).astype(x.dtype)


@final
@storable("prose_mlp")
class TwoLayers(eqx.Module):
    """A network of one hidden layer with Gaussian error linear units."""

    first: Linear
    second: Linear

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.second(jax.nn.gelu(self.first(x), approximate=False))


def linear(key: jax.Array, inputs: int, outputs: int, gain: float = 1.0) -> Linear:
    """Weights of variance gain²/inputs, bias zero."""
    spread = gain / math.sqrt(inputs)
    weight = spread * jax.random.normal(key, (inputs, outputs), jnp.float32)
    return Linear(weight, jnp.zeros(outputs, jnp.float32))


def norm(width: int) -> Norm:
    """Scale one, shift zero."""
    return Norm(jnp.ones(width, jnp.float32), jnp.zeros(width, jnp.float32))


def two_layers(key: jax.Array, inputs: int, hidden: int, outputs: int, gain: float = 1.0) -> TwoLayers:
    """A network of one hidden layer; `gain` scales its last weights."""
    first, second = jax.random.split(key)
    return TwoLayers(linear(first, inputs, hidden), linear(second, hidden, outputs, gain))


def embedding(key: jax.Array, words: int, width: int) -> jax.Array:
    """One vector of size about one for each word; padding, number 0, has none."""
    table = jax.random.normal(key, (words, width), jnp.float32) / math.sqrt(width)
    return table.at[0].set(0.0)


def positions(length: int, width: int) -> jax.Array:
    """Sines and cosines of the position, shape `(length, width)`."""
    rates = 10_000.0 ** (-jnp.arange(0, width, 2, dtype=jnp.float32) / width)
    angles = jnp.arange(length, dtype=jnp.float32)[:, None] * rates
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=1)[:, :width]


def time_features(t: jax.Array, frequencies: int) -> jax.Array:
    """A time in units of the horizon, with `frequencies` pairs of sine and cosine, shape `(n, 1 + 2 frequencies)`."""
    angles = jnp.pi * t[:, None] * jnp.arange(1, frequencies + 1, dtype=t.dtype)
    return jnp.concatenate([t[:, None], jnp.sin(angles), jnp.cos(angles)], axis=1)
