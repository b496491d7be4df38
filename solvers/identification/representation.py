"""States at many times as a function of time, and of the place on a periodic axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.rates import PeriodicAxis
from sciml.solution import AbstractRepresentation
from sciml.storable import storable


@final
@storable("curves in time")
class Curves(AbstractRepresentation):
    r"""Cubic Hermite polynomials between times, with the rates as slopes; Fourier series along an axis.

    Attributes:
        times: `(S,)`.
        values: `(S, d)`, or real and imaginary parts of Fourier modes `(S, d, 2, modes)`.
        slopes: their derivatives in time.
        time: name of the time coordinate.
        axis: name, start and length of the periodic axis; None in time alone.
        unknowns: names of the d components.
    """

    times: jax.Array
    values: jax.Array
    slopes: jax.Array
    time: str = eqx.field(static=True)
    axis: tuple[str, float, float] | None = eqx.field(static=True)
    unknowns: tuple[str, ...] = eqx.field(static=True)

    @staticmethod
    def of(
        times: jax.Array, states: jax.Array, slopes: jax.Array, time: str, axis: PeriodicAxis | None,
        unknowns: tuple[str, ...],
    ) -> Curves:  # fmt: skip
        """Curves through states `(S, d)` or `(S, d, m)`."""
        if axis is None:
            return Curves(times, states, slopes, time, None, unknowns)
        place = (axis.name, axis.start, axis.length)
        return Curves(times, _modes(states), _modes(slopes), time, place, unknowns)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        t = points[self.time]
        k = jnp.clip(jnp.searchsorted(self.times, t, side="right") - 1, 0, self.times.size - 2)
        step = self.times[k + 1] - self.times[k]
        s = ((t - self.times[k]) / step).reshape(-1, *[1] * (self.values.ndim - 1))
        step = step.reshape(s.shape)
        here, there = self.values[k], self.values[k + 1]
        chord, first, last = there - here, step * self.slopes[k], step * self.slopes[k + 1]
        value = here + s * chord + s * (1 - s) * ((1 - s) * (first - chord) - s * (last - chord))
        if self.axis is not None:
            name, start, length = self.axis
            phase = 2 * jnp.pi * (points[name] - start)[:, None] / length * jnp.arange(value.shape[-1])
            value = jnp.einsum("ndk,nk->nd", value[:, :, 0], jnp.cos(phase)) - jnp.einsum(
                "ndk,nk->nd", value[:, :, 1], jnp.sin(phase)
            )
        return {name: value[:, i] for i, name in enumerate(self.unknowns)}


def _modes(states: jax.Array) -> jax.Array:
    """Real and imaginary parts of the series whose sum of $\\Re c_k e^{ikx}$ is the state."""
    m = states.shape[-1]
    c = 2 * jnp.fft.rfft(states, axis=-1) / m
    c = c.at[..., 0].divide(2.0)
    c = c.at[..., -1].divide(2.0) if m % 2 == 0 else c
    return jnp.stack([c.real, c.imag], axis=-2)
