"""What answers: the solution at any time by cross-attention, and the equation word by word."""

from __future__ import annotations

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.storable import storable
from solvers.prose.architecture import Architecture
from solvers.prose.attention import CausalLayer, CrossLayer, Memory, causal_layer, cross_layer
from solvers.prose.encoders import Features
from solvers.prose.layers import Linear, Norm, embedding, linear, norm, positions, time_features


@final
@storable("prose_solution_decoder")
class SolutionDecoder(eqx.Module):
    """Each time asks the data features on its own, so the answer at one time never depends on the other times."""

    embed: Linear
    layers: tuple[CrossLayer, ...]
    norm: Norm
    out: Linear
    frequencies: int = eqx.field(static=True)

    def __call__(self, data: Features, times: jax.Array) -> jax.Array:
        """Values `(m, D)` in units of the scale at times `(m,)` in units of the horizon."""
        x = self.embed(time_features(times, self.frequencies).astype(self.embed.weight.dtype))
        for layer in self.layers:
            x = layer(x, layer.attention.memory(data.values), data.visible)
        return self.out(self.norm(x))


@final
class Spoken(NamedTuple):
    """What the equation decoder says after some words.

    Attributes:
        scores: of the next word, `(…, words)`.
        number: mean and logarithm of the width of the number that begins there, if one does, `(…, 2)`; in the units of
            `compressed`.
    """

    scores: jax.Array
    number: jax.Array


@final
class Past(NamedTuple):
    """Keys and values of the words so far and of what is attended to, one for each layer."""

    words: tuple[Memory, ...]
    symbols: tuple[Memory, ...]
    visible: jax.Array


@final
@storable("prose_equation_decoder")
class EquationDecoder(eqx.Module):
    """Causal attention over the words so far and attention to the symbol features; words in and out share vectors."""

    words: jax.Array
    bias: jax.Array
    layers: tuple[CausalLayer, ...]
    norm: Norm
    number: Linear

    def __call__(self, symbols: Features, words: jax.Array) -> Spoken:
        """What follows each prefix of `words` (L,), which begins with the mark of beginning."""
        place = jnp.arange(words.shape[0])
        causal = place[None, :] <= place[:, None]
        x = self.words[words] + positions(words.shape[0], self.words.shape[1]).astype(self.words.dtype)
        for layer in self.layers:
            x = layer(x, causal, layer.cross.memory(symbols.values), symbols.visible)
        return self._spoken(self.norm(x))

    def start(self, symbols: Features, length: int) -> Past:
        """Room for `length` words, and the features that all of them attend to."""
        heads, width = self.layers[0].attention.heads, self.words.shape[1]
        empty = jnp.zeros((heads, length, width // heads), symbols.values.dtype)
        asked = tuple(layer.cross.memory(symbols.values) for layer in self.layers)
        return Past((Memory(empty, empty),) * len(self.layers), asked, symbols.visible)

    def step(self, word: jax.Array, at: jax.Array, past: Past) -> tuple[Spoken, Past]:
        """What follows when `word` is said at position `at`."""
        width, length = self.words.shape[1], past.words[0].keys.shape[1]
        x = (self.words[word] + positions(length, width).astype(self.words.dtype)[at])[None]
        said = []
        for layer, own, asked in zip(self.layers, past.words, past.symbols, strict=True):
            x, own = layer.step(x, at, own, asked, past.visible)
            said.append(own)
        spoken = self._spoken(self.norm(x))
        return Spoken(spoken.scores[0], spoken.number[0]), past._replace(words=tuple(said))

    def _spoken(self, x: jax.Array) -> Spoken:
        wide = jnp.promote_types(x.dtype, jnp.float32)
        return Spoken((x @ self.words.T + self.bias).astype(wide), self.number(x).astype(wide))


def compressed(value: jax.Array) -> jax.Array:
    """asinh(100 v): linear for tiny numbers, logarithmic with sign for all others."""
    return jnp.arcsinh(100.0 * value)


def expanded(mean: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and their standard deviations from means and standard deviations of their compressed form."""
    return np.sinh(mean) / 100.0, np.cosh(mean) * width / 100.0


def solution_decoder(key: jax.Array, size: Architecture, gain: float) -> SolutionDecoder:
    """First weights."""
    first, last, *keys = jax.random.split(key, 2 + size.solution_layers)
    embed = linear(first, 1 + 2 * size.frequencies, size.width)
    layers = tuple(cross_layer(k, size.width, size.hidden, size.heads, gain) for k in keys)
    return SolutionDecoder(embed, layers, norm(size.width), linear(last, size.width, size.dimension), size.frequencies)


def equation_decoder(key: jax.Array, size: Architecture, gain: float) -> EquationDecoder:
    """First weights."""
    first, last, *keys = jax.random.split(key, 2 + size.equation_layers)
    layers = tuple(causal_layer(k, size.width, size.hidden, size.heads, gain) for k in keys)
    bias = jnp.zeros(size.words, jnp.float32)
    number = linear(last, size.width, 2)
    return EquationDecoder(embedding(first, size.words, size.width), bias, layers, norm(size.width), number)
