"""What reads: observations as one token for each time, a guess of the equation as words, and both together."""

from __future__ import annotations

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.storable import storable
from solvers.prose.architecture import Architecture
from solvers.prose.attention import SelfLayer, self_layer
from solvers.prose.layers import Norm, TwoLayers, embedding, norm, positions, time_features, two_layers


@final
class Observed(NamedTuple):
    """Observations of one trajectory at K times, in any order, some values or whole times missing.

    Attributes:
        times: in units of the horizon, `(K,)`.
        values: of D unknowns in units of `exp(scale)`, `(K, D)`; zero where missing.
        present: which values are there, `(K, D)`.
        scale: logarithm of the root mean square of the values, which the model also reads.
    """

    times: jax.Array
    values: jax.Array
    present: jax.Array
    scale: jax.Array


@final
class Features(NamedTuple):
    """Features `(n, width)`, and which of them are there `(n,)`."""

    values: jax.Array
    visible: jax.Array


@final
@storable("prose_data_encoder")
class DataEncoder(eqx.Module):
    """A token (time, values, which are present, scale) for each time; no order but that of the times themselves."""

    embed: TwoLayers
    layers: tuple[SelfLayer, ...]
    norm: Norm
    frequencies: int = eqx.field(static=True)

    def __call__(self, observed: Observed) -> Features:
        dtype = self.embed.first.weight.dtype
        values = jnp.where(observed.present, observed.values, 0)
        scale = jnp.broadcast_to(observed.scale, observed.times.shape)[:, None]
        token = [time_features(observed.times, self.frequencies), values, observed.present, scale]
        x = self.embed(jnp.concatenate([part.astype(dtype) for part in token], axis=1))
        visible = jnp.any(observed.present, axis=1)
        for layer in self.layers:
            x = layer(x, visible)
        return Features(self.norm(x), visible)


@final
@storable("prose_symbol_encoder")
class SymbolEncoder(eqx.Module):
    """Words with their positions; padding is word 0."""

    words: jax.Array
    layers: tuple[SelfLayer, ...]
    norm: Norm

    def __call__(self, guess: jax.Array) -> Features:
        visible = guess != 0
        x = self.words[guess] + positions(guess.shape[0], self.words.shape[1]).astype(self.words.dtype)
        for layer in self.layers:
            x = layer(x, visible)
        return Features(self.norm(x), visible)


@final
@storable("prose_fusion")
class Fusion(eqx.Module):
    """Self-attention over data and symbols together, each marked by its kind."""

    kinds: jax.Array
    layers: tuple[SelfLayer, ...]
    norm: Norm

    def __call__(self, data: Features, symbols: Features) -> tuple[Features, Features]:
        count = data.values.shape[0]
        x = jnp.concatenate([data.values + self.kinds[0], symbols.values + self.kinds[1]])
        visible = jnp.concatenate([data.visible, symbols.visible])
        for layer in self.layers:
            x = layer(x, visible)
        x = self.norm(x)
        return Features(x[:count], data.visible), Features(x[count:], symbols.visible)


def data_encoder(key: jax.Array, size: Architecture, gain: float) -> DataEncoder:
    """First weights."""
    first, *keys = jax.random.split(key, 1 + size.data_layers)
    inputs = 1 + 2 * size.frequencies + 2 * size.dimension + 1
    embed = two_layers(first, inputs, size.width, size.width)
    return DataEncoder(embed, _layers(keys, size, gain), norm(size.width), size.frequencies)


def symbol_encoder(key: jax.Array, size: Architecture, gain: float) -> SymbolEncoder:
    """First weights."""
    first, *keys = jax.random.split(key, 1 + size.symbol_layers)
    return SymbolEncoder(embedding(first, size.words, size.width), _layers(keys, size, gain), norm(size.width))


def fusion(key: jax.Array, size: Architecture, gain: float) -> Fusion:
    """First weights."""
    first, *keys = jax.random.split(key, 1 + size.fusion_layers)
    return Fusion(embedding(first, 3, size.width)[1:], _layers(keys, size, gain), norm(size.width))


def _layers(keys: list[jax.Array], size: Architecture, gain: float) -> tuple[SelfLayer, ...]:
    return tuple(self_layer(key, size.width, size.hidden, size.heads, gain) for key in keys)
