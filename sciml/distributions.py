"""Distributions of a family's parameters and initial data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from sciml.errors import OptionError

DIGITS = 3
"""Significant digits of parameters, so that words can say them exactly."""


class AbstractDistribution(ABC):
    """A distribution of one parameter with mean and standard deviation."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Ends of its support."""

    @property
    def mean(self) -> float:
        """Mean."""
        low, high = self.bounds
        return (low + high) / 2

    @property
    def deviation(self) -> float:
        """Standard deviation."""
        low, high = self.bounds
        return (high - low) / 12**0.5

    def sample(self, key: jax.Array, n: int) -> jax.Array:
        """n numbers of three significant digits, `(n,)`."""
        low, high = self.bounds
        return rounded(jax.random.uniform(key, (n,), minval=low, maxval=high))


@final
@dataclass(frozen=True)
class Around(AbstractDistribution):
    """Uniform between centre·(1 - width) and centre·(1 + width)."""

    centre: float
    width: float = 0.1

    def __post_init__(self) -> None:
        if self.centre == 0 or not 0 < self.width < 1:
            raise OptionError(
                f"a box of relative width {self.width:g} around {self.centre:g}",
                "a centre that is not 0 and a width in (0, 1)", "use Uniform(low, high)",
            )  # fmt: skip

    @property
    def bounds(self) -> tuple[float, float]:
        reach = self.width * abs(self.centre)
        return self.centre - reach, self.centre + reach

    def __str__(self) -> str:
        return f"{self.centre:.6g} ± {self.width:.0%}"


@final
@dataclass(frozen=True)
class Uniform(AbstractDistribution):
    """Uniform between two numbers."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise OptionError(f"a box from {self.low:g} to {self.high:g}", "low < high", "swap them")

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"U({self.low:g}, {self.high:g})"


_POWERS = jnp.array([float(f"1e{n}") for n in range(23)])
"""Powers of ten that floats hold exactly: division by them rounds correctly, so the result is the decimal number."""


def rounded(x: jax.Array, digits: int = DIGITS) -> jax.Array:
    """Numbers rounded to some significant digits, equal to the floats that their decimals spell."""
    size = jnp.where(x == 0, 1.0, jnp.abs(x))
    shift = digits - 1 - jnp.floor(jnp.log10(size)).astype(int)
    up, down = _POWERS[jnp.clip(shift, 0, 22)], _POWERS[jnp.clip(-shift, 0, 22)]
    return jnp.where(shift >= 0, jnp.round(x * up) / up, jnp.round(x / down) * down)


class AbstractInitialData(ABC):
    """A distribution of initial fields."""

    @abstractmethod
    def sample(self, key: jax.Array, n: int, fields: int, angles: jax.Array | None) -> jax.Array:
        """n draws: `(n, fields)` in time alone, else `(n, fields, m)` at angles `(m,)` in [0, 2π) of the period."""


@final
@dataclass(frozen=True)
class UniformStates(AbstractInitialData):
    """Every component uniform between two numbers; on an axis, constant along it."""

    low: float = -2.0
    high: float = 2.0

    def sample(self, key: jax.Array, n: int, fields: int, angles: jax.Array | None) -> jax.Array:
        states = jax.random.uniform(key, (n, fields), minval=self.low, maxval=self.high)
        return states if angles is None else jnp.broadcast_to(states[..., None], (*states.shape, angles.size))

    def __str__(self) -> str:
        return f"U({self.low:g}, {self.high:g}) in every component"


@final
@dataclass(frozen=True)
class Waves(AbstractInitialData):
    """Sums of sine waves of random number, size and phase, brought to the interval from low to high.

    Exactly periodic, unlike those of the published generators.

    Args:
        highest: wave numbers are drawn from 1 to this.
        count: how many waves are added.
        low: smallest value.
        high: largest value.
    """

    highest: int = 4
    count: int = 2
    low: float = 0.0
    high: float = 1.0

    def sample(self, key: jax.Array, n: int, fields: int, angles: jax.Array | None) -> jax.Array:
        if angles is None:
            raise OptionError("waves as the initial data of a problem in time alone", "numbers", "use UniformStates")
        for_number, for_size, for_phase = jax.random.split(key, 3)
        shape = (n, fields, self.count, 1)
        number = jax.random.randint(for_number, shape, 1, self.highest + 1)
        size = jax.random.uniform(for_size, shape, minval=0.2, maxval=1.0)
        phase = jax.random.uniform(for_phase, shape, maxval=2 * jnp.pi)
        u = jnp.sum(size * jnp.sin(number * angles + phase), axis=2)
        low, high = u.min(axis=-1, keepdims=True), u.max(axis=-1, keepdims=True)
        return self.low + (self.high - self.low) * (u - low) / (high - low)

    def __str__(self) -> str:
        return f"{self.count} waves of numbers 1 to {self.highest}, from {self.low:g} to {self.high:g}"


@final
@dataclass(frozen=True)
class GaussianField(AbstractInitialData):
    r"""A periodic Gaussian random field: Fourier modes with variances $\propto e^{-(k\ell)^2/2}$.

    Args:
        length: correlation length ℓ as a fraction of the period.
        deviation: standard deviation.
        mean: its mean.
        modes: highest wave number.
    """

    length: float = 0.1
    deviation: float = 1.0
    mean: float = 0.0
    modes: int = 16

    def sample(self, key: jax.Array, n: int, fields: int, angles: jax.Array | None) -> jax.Array:
        if angles is None:
            raise OptionError("a random field as the initial data of a problem in time alone", "numbers",
                              "use UniformStates")  # fmt: skip
        k = jnp.arange(1, self.modes + 1)
        weight = jnp.exp(-((2 * jnp.pi * k * self.length) ** 2) / 4)
        weight = self.deviation * weight / jnp.sqrt(jnp.sum(weight**2))
        a = jax.random.normal(key, (2, n, fields, self.modes)) * weight
        return self.mean + a[0] @ jnp.cos(k[:, None] * angles) + a[1] @ jnp.sin(k[:, None] * angles)

    def __str__(self) -> str:
        return f"Gaussian field of length {self.length:g} periods, {self.mean:g} ± {self.deviation:g}"
