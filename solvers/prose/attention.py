"""Attention with masks, and the three kinds of layer made of it: self, cross, and causal self with cross."""

from __future__ import annotations

import math
from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.storable import storable
from solvers.prose.layers import Linear, Norm, TwoLayers, linear, norm, two_layers

FORBIDDEN = -1e9
"""Score of what a mask hides: its weight is exactly zero beside anything visible, in every precision."""


@final
class Memory(NamedTuple):
    """Keys and values `(heads, n, width / heads)` of what is attended to."""

    keys: jax.Array
    values: jax.Array


@final
@storable("prose_attention")
class Attention(eqx.Module):
    """Scaled dot-product attention of several heads; the softmax is computed in single precision."""

    query: Linear
    key: Linear
    value: Linear
    out: Linear
    heads: int = eqx.field(static=True)

    def split(self, x: jax.Array) -> jax.Array:
        """`(n, width)` as `(heads, n, width / heads)`."""
        return jnp.swapaxes(x.reshape(x.shape[0], self.heads, -1), 0, 1)

    def memory(self, x: jax.Array) -> Memory:
        """Keys and values of features `(n, width)`."""
        return Memory(self.split(self.key(x)), self.split(self.value(x)))

    def attend(self, x: jax.Array, memory: Memory, visible: jax.Array) -> jax.Array:
        """Attend from `(m, width)` to n memories; `visible` broadcasts to `(m, n)`."""
        queries = self.split(self.query(x))
        scores = jnp.einsum("hmd,hnd->hmn", queries, memory.keys) / math.sqrt(queries.shape[-1])
        scores = jnp.where(visible, scores.astype(jnp.promote_types(scores.dtype, jnp.float32)), FORBIDDEN)
        weights = jax.nn.softmax(scores, axis=-1).astype(x.dtype)
        mixed = jnp.einsum("hmn,hnd->hmd", weights, memory.values)
        return self.out(jnp.swapaxes(mixed, 0, 1).reshape(x.shape))

    def __call__(self, x: jax.Array, visible: jax.Array) -> jax.Array:
        """Self-attention."""
        return self.attend(x, self.memory(x), visible)


@final
@storable("prose_self_layer")
class SelfLayer(eqx.Module):
    """Self-attention and a network, each on normalised input and added to it."""

    norm: Norm
    attention: Attention
    norm_network: Norm
    network: TwoLayers

    def __call__(self, x: jax.Array, visible: jax.Array) -> jax.Array:
        x = x + self.attention(self.norm(x), visible)
        return x + self.network(self.norm_network(x))


@final
@storable("prose_cross_layer")
class CrossLayer(eqx.Module):
    """Attention to a memory and a network: what attends never sees its neighbours."""

    norm: Norm
    attention: Attention
    norm_network: Norm
    network: TwoLayers

    def __call__(self, x: jax.Array, memory: Memory, visible: jax.Array) -> jax.Array:
        x = x + self.attention.attend(self.norm(x), memory, visible)
        return x + self.network(self.norm_network(x))


@final
@storable("prose_causal_layer")
class CausalLayer(eqx.Module):
    """Attention to earlier words, attention to a memory, and a network."""

    norm: Norm
    attention: Attention
    norm_cross: Norm
    cross: Attention
    norm_network: Norm
    network: TwoLayers

    def __call__(self, x: jax.Array, causal: jax.Array, memory: Memory, visible: jax.Array) -> jax.Array:
        x = x + self.attention(self.norm(x), causal)
        return self._rest(x, memory, visible)

    def step(
        self, x: jax.Array, at: jax.Array, past: Memory, memory: Memory, visible: jax.Array
    ) -> tuple[jax.Array, Memory]:
        """One word `(1, width)` at position `at`; its keys and values are written into `past`."""
        normed = self.norm(x)
        new = self.attention.memory(normed)
        past = Memory(
            *(jax.lax.dynamic_update_slice_in_dim(old, one, at, 1) for old, one in zip(past, new, strict=True))
        )
        seen = jnp.arange(past.keys.shape[1]) <= at
        x = x + self.attention.attend(normed, past, seen)
        return self._rest(x, memory, visible), past

    def _rest(self, x: jax.Array, memory: Memory, visible: jax.Array) -> jax.Array:
        x = x + self.cross.attend(self.norm_cross(x), memory, visible)
        return x + self.network(self.norm_network(x))


def attention(key: jax.Array, width: int, heads: int, gain: float) -> Attention:
    """First weights; `gain` scales what is added to the residual stream."""
    keys = jax.random.split(key, 4)
    query, key_, value = (linear(k, width, width) for k in keys[:3])
    return Attention(query, key_, value, linear(keys[3], width, width, gain), heads)


def self_layer(key: jax.Array, width: int, hidden: int, heads: int, gain: float) -> SelfLayer:
    """First weights."""
    first, second = jax.random.split(key)
    return SelfLayer(
        norm(width), attention(first, width, heads, gain), norm(width), two_layers(second, width, hidden, width, gain)
    )


def cross_layer(key: jax.Array, width: int, hidden: int, heads: int, gain: float) -> CrossLayer:
    """First weights."""
    first, second = jax.random.split(key)
    return CrossLayer(
        norm(width), attention(first, width, heads, gain), norm(width), two_layers(second, width, hidden, width, gain)
    )


def causal_layer(key: jax.Array, width: int, hidden: int, heads: int, gain: float) -> CausalLayer:
    """First weights."""
    first, second, third = jax.random.split(key, 3)
    return CausalLayer(
        norm(width),
        attention(first, width, heads, gain),
        norm(width),
        attention(second, width, heads, gain),
        norm(width),
        two_layers(third, width, hidden, width, gain),
    )
