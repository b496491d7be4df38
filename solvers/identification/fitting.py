"""From data to numbers with standard errors: annealed multiple shooting, then single shooting, then the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from sciml.expr.nodes import Scalar
from solvers.identification.data import Data, Windows, noise_estimate, smooth
from solvers.identification.model import Model
from solvers.identification.shooting import Guess, Quadratic, Scales, descend, observed

UNSEEN = 50.0
"""How much wider the gaps of states that are not observed are than the noise."""
MOST_SUBSTEPS = 64
LEAST_NOISE = 1e-5
"""Noise relative to the values below which the integrator's own error would count as data."""


@final
@dataclass(frozen=True)
class Schedule:
    """How to search.

    Args:
        windows: M, of multiple shooting; fewer if there are not eight times for each.
        anneal: widths of the gaps between windows in units of the noise, one after the other.
        sweeps: steps at each width.
        single: steps of single shooting.
        polish: further steps with the noise that the residuals show.
    """

    windows: int = 8
    anneal: tuple[float, ...] = (1.0, 0.1, 0.01)
    sweeps: int = 6
    single: int = 12
    polish: int = 8

    def __post_init__(self) -> None:
        counts = (self.windows, self.single, self.polish, self.sweeps)
        if min(counts) < 1 or not all(q > 0 for q in self.anneal):
            raise OptionError(f"{self!r}", "positive counts and widths", "leave the defaults")


@final
class Fit(eqx.Module):
    """Estimates of B trajectories.

    Attributes:
        guess: raw numbers `(p, B)` and the first state `(K, 1, B)`.
        covariance: of both, `(B, p + K, p + K)`, by Laplace's method.
        value: sum of squares at the end, prior included, `(B,)`.
        noise: σ `(C, B)`, given or found.
        misfit: sum of squared residuals of each quantity `(C, B)`, in its own units.
        substeps: Runge–Kutta steps between two times.
        decrement: how far below the sum of squares could still go, by its own quadratic model, `(B,)`.
    """

    guess: Guess
    covariance: jax.Array
    value: jax.Array
    noise: jax.Array
    misfit: jax.Array
    substeps: int
    decrement: jax.Array


def fit(
    model: Model,
    data: Data,
    schedule: Schedule | None = None,
    *,
    noise: np.ndarray | None = None,
    shared: bool = False,
    start: Guess | None = None,
) -> Fit:
    """Fit all trajectories.

    Args:
        model: the system with the prior of its numbers.
        data: B trajectories.
        schedule: how to search.
        noise: σ `(C, B)` if it is known.
        shared: whether all quantities of a trajectory have the same unknown σ.
        start: raw numbers and one first state, from which single shooting starts at once.
    """
    schedule = schedule or Schedule()
    sigma = first_noise(data, shared) if noise is None else np.asarray(noise, float)
    whole = Windows.of(data, 1)
    if start is None:
        guess, substeps = _multiple_shooting(model, data, schedule, sigma)
    else:
        guess, substeps = start, steps_needed(model, data, whole, start, sigma)
    counted = jnp.asarray(substeps)
    guess, _ = descend(model, data, whole, guess, _scales(model, sigma, 1.0), counted, jnp.asarray(schedule.single))
    if noise is None:
        misfit = _misfit(model, data, whole, guess, counted)
        sigma = _found_noise(data, misfit, len(model.names) + model.freedom, sigma, shared)
    scales = _scales(model, sigma, 1.0)
    guess, here = descend(model, data, whole, guess, scales, counted, jnp.asarray(schedule.polish))
    misfit = _misfit(model, data, whole, guess, counted)
    covariance = _covariance(here)
    decrement = jnp.einsum("ib,bij,jb->b", here.gradient, covariance, here.gradient)
    return Fit(guess, covariance, here.value, jnp.asarray(sigma), misfit, substeps, decrement)


def _multiple_shooting(model: Model, data: Data, schedule: Schedule, sigma: np.ndarray) -> tuple[Guess, int]:
    windows = Windows.of(data, max(1, min(schedule.windows, data.times.shape[0] // 8)))
    states = _first_states(model, data, windows.starts)
    p, B = len(model.names), states.shape[2]
    guess = Guess(jnp.broadcast_to(model.centre.reshape(p, -1), (p, B)), states)
    substeps = steps_needed(model, data, windows, guess, sigma)
    for width in schedule.anneal if windows.times.shape[1] > 1 else ():
        guess, _ = descend(model, data, windows, guess, _scales(model, sigma, width), jnp.asarray(substeps),
                           jnp.asarray(schedule.sweeps))  # fmt: skip
    return Guess(guess.raw, guess.states[:, :1]), substeps


def first_noise(data: Data, shared: bool) -> np.ndarray:
    """σ `(C, B)` before any fit: the least over the quantities where they share one."""
    sigma = noise_estimate(data)
    return np.broadcast_to(sigma.min(axis=0), sigma.shape) if shared else sigma


def _first_states(model: Model, data: Data, at: np.ndarray) -> jax.Array:
    """States `(K, M, B)` at times `(M, B or 1)` from smoothed values; unseen components stand at their known start."""
    curve = smooth(data, at)  # (M, C, B)
    M, _, B = curve.shape
    outputs, places = len(model.outputs), 1 if model.places is None else model.places.shape[0]
    d = len(model.rates.unknowns)
    rows = np.broadcast_to(np.asarray(data.start)[:, None], (model.freedom, M, B)).reshape(d, -1, M, B).copy()
    inverse = None
    if model.places is not None and model.basis is not None:
        inverse = np.linalg.pinv(np.asarray(model.places @ model.basis), rcond=1e-6)
    for i, unknown in enumerate(model.rates.unknowns):
        seen = _output_of(model, unknown)
        if seen is not None:
            field = curve.reshape(M, outputs, places, B)[:, seen]
            rows[i] = field[:, 0][None] if inverse is None else np.einsum("kn,mnb->kmb", inverse, field)
    known = np.asarray(data.certainty) > 0
    states = rows.reshape(model.freedom, M, B)
    states[:, 0] = np.where(known, np.asarray(data.start), states[:, 0])
    return jnp.asarray(states)


def _output_of(model: Model, unknown: Scalar) -> int | None:
    """Which observed quantity is an unknown itself."""
    digests = [e.digest for e in model.outputs]
    return digests.index(unknown.digest) if unknown.digest in digests else None


def _scales(model: Model, sigma: np.ndarray, width: float) -> Scales:
    """σ, and the gaps that are as wide as the noise of the component that is seen."""
    outputs, B = len(model.outputs), sigma.shape[1]
    each = sigma.reshape(outputs, -1, B)
    typical = np.median(each, axis=(0, 1))
    rows = []
    for unknown in model.rates.unknowns:
        seen = _output_of(model, unknown)
        rows.append(UNSEEN * typical if seen is None else np.median(each[seen], axis=0))
    modes = 1 if model.basis is None else model.basis.shape[1]
    thinner = 1.0 if model.places is None else (2 / model.places.shape[0]) ** 0.5
    gap = np.repeat(np.array(rows), modes, axis=0) * width * thinner
    return Scales(jnp.asarray(sigma), jnp.asarray(gap))


def steps_needed(model: Model, data: Data, windows: Windows, guess: Guess, sigma: np.ndarray) -> int:
    """Steps between times with which halving them changes nothing of more than a twentieth of the noise."""
    substeps = 2
    coarse = np.asarray(observed(model, data, windows, guess, jnp.asarray(substeps)))
    while substeps < MOST_SUBSTEPS:
        fine = np.asarray(observed(model, data, windows, guess, jnp.asarray(2 * substeps)))
        change = np.abs(fine - coarse) / sigma[:, None, :]
        if not np.nanmax(np.where(np.isfinite(fine), change, 0.0), initial=0.0) > 0.05:
            break
        substeps, coarse = 2 * substeps, fine
    return substeps


def _misfit(model: Model, data: Data, whole: Windows, guess: Guess, substeps: jax.Array) -> jax.Array:
    r = whole.seen * (observed(model, data, whole, guess, substeps) - whole.values)
    return jnp.sum(r**2, axis=(0, 2))


def _found_noise(data: Data, misfit: jax.Array, freedom: int, before: np.ndarray, shared: bool) -> np.ndarray:
    """σ `(C, B)` from what is left after the fit."""
    left = np.where(np.isfinite(misfit), np.asarray(misfit), np.inf)
    count = np.asarray((data.seen > 0).sum(axis=0))
    size = np.sqrt(np.sum(np.asarray(data.values) ** 2, axis=0) / np.maximum(count, 1))
    if shared:
        left = np.broadcast_to(left.sum(axis=0), left.shape)
        count = np.broadcast_to(count.sum(axis=0), count.shape)
        size = np.broadcast_to(size.max(axis=0), size.shape)
        used = float(freedom)
    else:
        used = freedom / count.shape[0]
    sigma = np.sqrt(left / np.maximum(count - used, 1.0))
    return np.where(np.isfinite(sigma), np.maximum(sigma, LEAST_NOISE * size + 1e-12), before)


def _covariance(quadratic: Quadratic) -> jax.Array:
    """Inverse of the Gauss–Newton matrix, scaled to unit diagonal before."""
    matrix = jnp.moveaxis(quadratic.matrix, -1, 0)
    scale = jnp.sqrt(jnp.maximum(jnp.einsum("bii->bi", matrix), 1e-300))
    return jnp.linalg.inv(matrix / scale[:, :, None] / scale[:, None, :]) / scale[:, :, None] / scale[:, None, :]
