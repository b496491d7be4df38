"""Samplers: how points are spread over the unit cube."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import qmc


class AbstractSampler(ABC):
    """A rule for n points in the unit cube."""

    @abstractmethod
    def unit(self, key: jax.Array, n: int, d: int) -> jax.Array:
        """Points in $[0, 1)^d$, shape `(n, d)`; the same key gives the same points."""


def is_key(value: object) -> bool:
    """Whether a value is a PRNG key of JAX, of the new or the old kind."""
    if not isinstance(value, jax.Array):
        return False
    return jnp.issubdtype(value.dtype, jax.dtypes.prng_key) or (value.dtype == jnp.uint32 and value.ndim == 1)


def _host_generator(key: jax.Array) -> np.random.Generator:
    """A NumPy generator seeded by a JAX key: SciPy's sequences are made on the host."""
    return np.random.default_rng(np.asarray(jax.random.bits(key, (4,), jnp.uint32)).astype(np.uint64))


@final
@dataclass(frozen=True)
class Uniform(AbstractSampler):
    """Independent uniform points."""

    def unit(self, key: jax.Array, n: int, d: int) -> jax.Array:
        return jax.random.uniform(key, (n, d))


@final
@dataclass(frozen=True)
class Sobol(AbstractSampler):
    """Scrambled Sobol sequence (Owen 1998): the first n of the next power of two."""

    def unit(self, key: jax.Array, n: int, d: int) -> jax.Array:
        engine = qmc.Sobol(d, scramble=True, rng=_host_generator(key))
        return jnp.asarray(engine.random_base2(max(int(np.ceil(np.log2(n))), 0))[:n])


@final
@dataclass(frozen=True)
class Halton(AbstractSampler):
    """Scrambled Halton sequence."""

    def unit(self, key: jax.Array, n: int, d: int) -> jax.Array:
        return jnp.asarray(qmc.Halton(d, scramble=True, rng=_host_generator(key)).random(n))


@final
@dataclass(frozen=True)
class LatinHypercube(AbstractSampler):
    """One point in each of n slices along every axis."""

    def unit(self, key: jax.Array, n: int, d: int) -> jax.Array:
        return jnp.asarray(qmc.LatinHypercube(d, rng=_host_generator(key)).random(n))
