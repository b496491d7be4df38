"""One batch of examples, drawn and corrupted by a key alone: step n of a run is the same whenever it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import jax
import jax.numpy as jnp

from sciml.errors import OptionError
from sciml.storable import storable
from solvers.prose.corruption import Corruption
from solvers.prose.encoders import Observed
from solvers.prose.examples import Examples

SMALLEST_SCALE = 1e-6


@final
class Batch(NamedTuple):
    """Examples as the model reads them, with the right answers; every array begins with the batch axis.

    Attributes:
        observed: what is known.
        guess: words of the guess, `(B, G)`.
        queries: times asked for, in units of the horizon, `(B, Q)`.
        targets: states there in units of the observed scale, `(B, Q, D)`, without noise.
        exists: which unknowns there are, `(B, D)`.
        words: of the equations, `(B, L)`.
        values: the number that begins at each word, `(B, L)`; NaN where none does.
    """

    observed: Observed
    guess: jax.Array
    queries: jax.Array
    targets: jax.Array
    exists: jax.Array
    words: jax.Array
    values: jax.Array


@final
@storable("prose_window")
@dataclass(frozen=True)
class Window:
    """What is shown of a trajectory.

    Attributes:
        share: part of the horizon that is observed.
        tokens: most times that are shown.
        fewest: least times that are shown.
        queries: times asked for in training.
        missing: probability that a single value is missing, in a trajectory that lacks any.
        incomplete: probability that a trajectory lacks any.
        noise: standard deviation of the observations, relative to the root mean square of the trajectory.
    """

    share: float = 1 / 3
    tokens: int = 32
    fewest: int = 16
    queries: int = 32
    missing: float = 0.15
    incomplete: float = 0.2
    noise: float = 0.02

    def __post_init__(self) -> None:
        rates = (self.missing, self.incomplete, self.share)
        if not (
            1 <= self.fewest <= self.tokens and self.queries >= 2 and all(0 <= r < 1 for r in rates) and self.noise >= 0
        ):
            raise OptionError(f"{self!r}", "1 ≤ fewest ≤ tokens, shares from 0 to 1, noise ≥ 0", "change that one")


def observe(times: jax.Array, values: jax.Array, present: jax.Array) -> Observed:
    """Observations in units of their root mean square, `(K,)`, `(K, D)`, `(K, D)`."""
    seen = jnp.where(present, values, 0.0)
    square = jnp.sum(seen**2) / jnp.maximum(jnp.sum(present), 1)
    scale = jnp.maximum(jnp.sqrt(square), SMALLEST_SCALE)
    return Observed(times, seen / scale, present, jnp.log(scale))


def draw(key: jax.Array, examples: Examples, count: int, window: Window, corruption: Corruption) -> Batch:
    """A batch of `count` examples."""
    return jax.vmap(lambda k: _one(k, examples, window, corruption))(jax.random.split(key, count))


def _one(key: jax.Array, examples: Examples, window: Window, corruption: Corruption) -> Batch:
    keys = jax.random.split(key, 5)
    i = jax.random.randint(keys[0], (), 0, examples.states.shape[0])
    family = examples.family[i]
    states, exists = examples.states[i], examples.exists[family]
    observed = _shown(keys[1], examples.times, states, exists, window)
    asked = _asked(keys[2], examples.times, window)
    guess = examples.guesses[family, _variant(keys[3], examples.counts[family], corruption)]
    targets = states[asked] * jnp.exp(-observed.scale)
    return Batch(observed, guess, examples.times[asked], targets, exists, examples.words[i], examples.values[i])


def _shown(key: jax.Array, times: jax.Array, states: jax.Array, exists: jax.Array, window: Window) -> Observed:
    """Noisy values at random times of the window, some missing."""
    place, number, noise, lacking, hole = jax.random.split(key, 5)
    inside = times <= window.share * (1 + 1e-6)
    chances = jnp.where(inside, jax.random.uniform(place, times.shape), 2.0)
    shown = jnp.sort(jnp.argsort(chances)[: window.tokens])
    keep = jax.random.randint(number, (), window.fewest, window.tokens + 1)
    order = jnp.argsort(jnp.where(inside[shown], chances[shown], 2.0))
    kept = jnp.zeros(shown.shape, bool).at[order].set(jnp.arange(window.tokens) < keep) & inside[shown]
    size = jnp.sqrt(jnp.sum(states**2) / (states.shape[0] * jnp.sum(exists)))
    values = states[shown] + window.noise * size * jax.random.normal(
        noise, (window.tokens, states.shape[1]), states.dtype
    )
    holes = jax.random.uniform(hole, values.shape) < window.missing
    holes &= jax.random.uniform(lacking) < window.incomplete
    return observe(times[shown], values, kept[:, None] & exists & ~holes)


def _asked(key: jax.Array, times: jax.Array, window: Window) -> jax.Array:
    """Places of the queries: a fifth inside the window, the rest after it."""
    inside = jnp.sum(times <= window.share * (1 + 1e-6))
    before = max(window.queries // 5, 1)
    first, second = jax.random.split(key)
    early = jax.random.randint(first, (before,), 0, inside)
    late = jax.random.randint(second, (window.queries - before,), jnp.minimum(inside, times.size - 1), times.size)
    return jnp.concatenate([early, late])


def _variant(key: jax.Array, counts: jax.Array, corruption: Corruption) -> jax.Array:
    """Which guess: the right one, one of the deletions, or one of the additions."""
    kind, which = jax.random.split(key)
    u = jax.random.uniform(kind)
    deleted = jax.random.randint(which, (), 0, jnp.maximum(counts[0], 1))
    added = jax.random.randint(which, (), 0, jnp.maximum(counts[1], 1))
    deletes = (u < corruption.deletion) & (counts[0] > 0)
    adds = (u >= 1 - corruption.addition) & (counts[1] > 0)
    return jnp.where(deletes, 1 + deleted, jnp.where(adds, 1 + counts[0] + added, 0))
