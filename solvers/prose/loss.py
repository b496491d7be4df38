r"""What training makes small: errors of the solution, of the words, and of the numbers.

$6\,\overline{\|\hat u - u\|/\|u\|} + \overline{-\log p(\text{word})} + 0.1\,\overline{-\log p(\text{number})}$

The mean over the words is over all words of the batch that are not padding, wherever in the batch they are, so that
splitting a batch over devices or into pieces changes nothing but round-off.
"""

from __future__ import annotations

from typing import NamedTuple, final

import jax
import jax.numpy as jnp

from solvers.prose.batches import Batch
from solvers.prose.decoders import Spoken, compressed
from solvers.prose.model import Model

DATA_WEIGHT, NUMBER_WEIGHT = 6.0, 0.1
FLOOR = 1e-3
"""Relative error below which the loss is quadratic rather than linear, so that its gradient stays bounded."""
NARROWEST = -6.0
"""Least logarithm of the width of a number in compressed units."""


@final
class Parts(NamedTuple):
    """Means of the three terms."""

    data: jax.Array
    words: jax.Array
    numbers: jax.Array

    @property
    def total(self) -> jax.Array:
        """What is minimised."""
        return DATA_WEIGHT * self.data + self.words + NUMBER_WEIGHT * self.numbers


@final
class Counts(NamedTuple):
    """How many examples, words and numbers a batch has: the divisors of the means."""

    examples: jax.Array
    words: jax.Array
    numbers: jax.Array


def counts(batch: Batch) -> Counts:
    """Divisors of the whole batch."""
    some = (jnp.sum(batch.words != 0), jnp.sum(jnp.isfinite(batch.values)))
    return Counts(
        jnp.asarray(batch.words.shape[0], jnp.float32), *(jnp.maximum(n, 1).astype(jnp.float32) for n in some)
    )


def losses(model: Model, batch: Batch, divisors: Counts, begin: int) -> Parts:
    """The part of the means that this piece of a batch contributes."""
    data, words, numbers = jax.vmap(lambda one: _one(model, one, begin))(batch)
    sums = (jnp.sum(part) for part in (data, words, numbers))
    return Parts(*(total / divisor for total, divisor in zip(sums, divisors, strict=True)))


def _one(model: Model, one: Batch, begin: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    read = model.read(one.observed, one.guess)
    found = model.solution(read.data, one.queries).astype(jnp.float32)
    data = relative_error(found, one.targets, one.exists)
    if model.equation is None or read.symbols is None:
        return data, jnp.zeros(()), jnp.zeros(())
    spoken = model.equation(read.symbols, prefixes(one.words, begin))
    return data, _word_loss(spoken, one.words), _number_loss(spoken, one.values)


def prefixes(words: jax.Array, begin: int) -> jax.Array:
    """What has been said before each word."""
    return jnp.concatenate([jnp.full((1,), begin, words.dtype), words[:-1]])


def relative_error(found: jax.Array, truth: jax.Array, exists: jax.Array) -> jax.Array:
    """Relative error in the norm over times and unknowns, with a smooth floor."""
    square = jnp.sum(jnp.where(exists, found - truth, 0.0) ** 2) / (jnp.sum(truth**2) + 1e-6)
    return jnp.sqrt(square + FLOOR**2) - FLOOR


def _word_loss(spoken: Spoken, words: jax.Array) -> jax.Array:
    logs = jax.nn.log_softmax(spoken.scores, axis=-1)
    picked = jnp.take_along_axis(logs, words[:, None], axis=1)[:, 0]
    return -jnp.sum(jnp.where(words != 0, picked, 0.0))


def _number_loss(spoken: Spoken, values: jax.Array) -> jax.Array:
    """Gaussian in compressed units; a number is told apart from no number by being finite."""
    exists = jnp.isfinite(values)
    mean, width = spoken.number[:, 0], jnp.maximum(spoken.number[:, 1], NARROWEST)
    away = compressed(jnp.where(exists, values, 0.0)) - mean
    return jnp.sum(jnp.where(exists, 0.5 * (away * jnp.exp(-width)) ** 2 + width, 0.0))
