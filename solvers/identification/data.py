"""Observed values of many trajectories as arrays, a first look at their noise, and smooth curves through them."""

from __future__ import annotations

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

NEIGHBOURS = 7
"""Values through which a local cubic is drawn."""


@final
class Data(eqx.Module):
    """Values of B trajectories at T times.

    Attributes:
        times: `(T, B)`, or `(T, 1)` if they are the same for all; increasing.
        values: C observed quantities, `(T, C, B)`.
        seen: 1 where there is a value, else 0.
        start: what is known of the first state, mean `(K, B)`.
        certainty: inverse standard deviation of that, 0 where nothing is known.
        fixed: numbers `(B,)` of parameters that are known but vary over the trajectories.
    """

    times: jax.Array
    values: jax.Array
    seen: jax.Array
    start: jax.Array
    certainty: jax.Array
    fixed: dict[str, jax.Array]

    @staticmethod
    def of(times: np.ndarray, values: np.ndarray, freedom: int) -> Data:
        """Data without prior knowledge of the start; values that are not finite are missing.

        Args:
            times: `(T,)` or `(T, B)`.
            values: `(T, C, B)`.
            freedom: K.
        """
        seen = np.isfinite(values)
        nothing = jnp.zeros((freedom, values.shape[2]))
        clock = jnp.asarray(times, float).reshape(len(times), -1)
        return Data(clock, jnp.asarray(np.where(seen, values, 0.0)), jnp.asarray(seen, float), nothing, nothing, {})

    @property
    def count(self) -> np.ndarray:
        """Number of values of each trajectory, `(B,)`."""
        return np.asarray((self.seen > 0).sum(axis=(0, 1)))

    def select(self, rows: np.ndarray) -> Data:
        """Some of the trajectories."""
        times = self.times if self.times.shape[1] == 1 else self.times[:, rows]
        fixed = {name: value[rows] for name, value in self.fixed.items()}
        return Data(times, self.values[..., rows], self.seen[..., rows], self.start[:, rows],
                    self.certainty[:, rows], fixed)  # fmt: skip

    def first(self, count: int) -> Data:
        """The first of the times."""
        return Data(self.times[:count], self.values[:count], self.seen[:count], self.start, self.certainty, self.fixed)


@final
class Windows(eqx.Module):
    """The same data in M stretches of w times, each with the first time of the next one.

    Attributes:
        times: `(w + 1, M, B or 1)`.
        values: `(w, C, M, B)`.
        seen: the same shape.
    """

    times: jax.Array
    values: jax.Array
    seen: jax.Array

    @staticmethod
    def of(data: Data, count: int) -> Windows:
        """Cut into `count` windows; the last one is filled up by standing still."""
        length = -(-data.times.shape[0] // count)
        index = np.arange(count)[None, :] * length + np.arange(length + 1)[:, None]  # (w + 1, M)
        inside = np.minimum(index, data.times.shape[0] - 1)
        values, seen = (jnp.moveaxis(a[inside[:-1]], 1, 2) for a in (data.values, data.seen))
        return Windows(data.times[inside], values, seen * (index < data.times.shape[0])[:-1, None, :, None])

    @property
    def starts(self) -> np.ndarray:
        """First time of each window, `(M, B or 1)`."""
        return np.asarray(self.times[0])


def noise_estimate(data: Data) -> np.ndarray:
    r"""Standard deviation `(C, B)` from fourth divided differences of neighbouring values, scaled to unit weight.

    A cubic has none, so what they show is noise as long as the sampling resolves the motion; the median of their size
    over .6745 resists what it does not. Where fewer than nine values are seen, a hundredth of their root mean square.
    """
    values, seen = np.asarray(data.values), np.asarray(data.seen) > 0
    times = np.broadcast_to(np.asarray(data.times), (values.shape[0], values.shape[2]))
    estimate = np.zeros(values.shape[1:])
    for c, b in np.ndindex(*estimate.shape):
        y, t = values[seen[:, c, b], c, b], times[seen[:, c, b], b]
        size = float(np.sqrt(np.mean(y**2))) if y.size else 1.0
        estimate[c, b] = max(_contrast(t, y) if y.size > 8 else 1e-2 * size, 1e-6 * size, 1e-12)
    return estimate


def _contrast(t: np.ndarray, y: np.ndarray) -> float:
    place = np.lib.stride_tricks.sliding_window_view(t, 5)
    gap = place[:, :, None] - place[:, None, :] + np.eye(5)
    weight = 1 / np.prod(gap, axis=2)
    weight /= np.sqrt(np.sum(weight**2, axis=1, keepdims=True))
    value = np.sum(weight * np.lib.stride_tricks.sliding_window_view(y, 5), axis=1)
    return float(np.median(np.abs(value)) / 0.6745)


def smooth(data: Data, at: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Local cubics through the nearest values, at times `(S, B or 1)`: `(S, C, B)`; zero where nothing is seen."""
    values, seen = np.asarray(data.values), np.asarray(data.seen) > 0
    times = np.broadcast_to(np.asarray(data.times), (values.shape[0], values.shape[2]))
    at = np.broadcast_to(at, (at.shape[0], values.shape[2]))
    if seen.all() and np.asarray(data.times).shape[1] == 1:
        weights = _local_cubic(times[:, 0], at[:, 0], neighbours)
        return np.einsum("st,tcb->scb", weights, values)
    curve = np.zeros((at.shape[0], *values.shape[1:]))
    for c, b in np.ndindex(*values.shape[1:]):
        ok = seen[:, c, b]
        if ok.any():
            curve[:, c, b] = _local_cubic(times[ok, b], at[:, b], neighbours) @ values[ok, c, b]
    return curve


def _local_cubic(t: np.ndarray, at: np.ndarray, neighbours: int) -> np.ndarray:
    """Weights `(S, T)` of least-squares polynomials of degree up to 3 through the nearest times."""
    count = min(neighbours, t.size)
    degree = min(3, count - 1)
    weights = np.zeros((at.size, t.size))
    for s, here in enumerate(at):
        near = np.sort(np.argsort(np.abs(t - here), kind="stable")[:count])
        reach = max(float(np.max(np.abs(t[near] - here))), 1e-300)
        powers = ((t[near] - here) / reach)[:, None] ** np.arange(degree + 1)
        weights[s, near] = np.linalg.pinv(powers)[0]
    return weights
