r"""Fixed steps of fourth order for batches of trajectories, exact in the linear part that `Rates` keeps apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from sciml.rates import Rates

Map = Callable[[jax.Array], jax.Array]


def step(rates: Rates, half: Map, t: Any, y: jax.Array, h: Any, parameters: Mapping[str, Any]) -> jax.Array:
    r"""One step of the Runge–Kutta method of order four for $e^{-tA}y$.

    Args:
        rates: $\dot y = Ay + r$.
        half: $e^{hA/2}$; the identity where A vanishes, which is the classical method.
        t: time at the start, a number or an array over the batch.
        y: state.
        h: step.
        parameters: numbers of the problem.

    Source: J. D. Lawson (1967), doi:10.1137/0704033.
    """
    there = half(y)
    k1 = rates.nonstiff(t, y, parameters)
    k2 = rates.nonstiff(t + h / 2, half(y + h / 2 * k1), parameters)
    k3 = rates.nonstiff(t + h / 2, there + h / 2 * k2, parameters)
    k4 = rates.nonstiff(t + h, half(there + h * k3), parameters)
    return half(there + h / 6 * half(k1) + h / 3 * (k2 + k3)) + h / 6 * k4


def flow(
    rates: Rates, times: jax.Array, state: jax.Array, parameters: Mapping[str, Any], substeps: Any = 1
) -> jax.Array:
    """States at given times, from the state at the first of them.

    Args:
        rates: what to integrate.
        times: `(T,)`, or `(T, *batch)` where each trajectory has its own.
        state: `(d, *batch)`, or `(d, m, *batch)`.
        parameters: numbers or arrays `(*batch)`.
        substeps: steps between two times; a traced integer recompiles nothing, but has no reverse mode.

    Returns:
        `(T, *state.shape)`.
    """
    batch = state.ndim - (1 if rates.axis is None else 2)

    def interval(y: jax.Array, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        start, end = ends
        h = (end - start) / substeps
        half = rates.propagator(parameters, h / 2, batch)

        def one(k: jax.Array, y: jax.Array) -> jax.Array:
            return step(rates, half, start + k * h, y, h, parameters)

        y = jax.lax.fori_loop(0, substeps, one, y)
        return y, y

    _, states = jax.lax.scan(interval, state, (times[:-1], times[1:]))
    return jnp.concatenate([state[None], states])
