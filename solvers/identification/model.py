"""A system with unknown numbers: its rates, the prior of its numbers, and what of its states is observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Scalar
from sciml.pointwise import Structure
from sciml.rates import PeriodicAxis, Rates


@final
class Model(eqx.Module):
    r"""$\dot y=f(t,y,\theta)$ with a Gaussian prior of raw numbers $\varphi$.

    A positive parameter is $\theta=e^{\varphi}$, any other $\theta=\varphi$.

    Initial states are sought in a space of K dimensions: the d components themselves, or low Fourier modes of each.

    Attributes:
        rates: f.
        names: the p unknown parameters.
        centre: prior mean of $\varphi$, `(p,)`, or `(p, B)` where each trajectory has its own.
        deviation: prior standard deviation, of the same shape.
        positive: which parameters are positive.
        outputs: the observed expressions of the unknowns.
        places: weights `(n, m)` of the points of an axis in the n observed places; None in time alone.
        basis: values `(m, modes)` of Fourier modes at the points; None in time alone.
    """

    rates: Rates
    names: tuple[str, ...] = eqx.field(static=True)
    centre: jax.Array
    deviation: jax.Array
    positive: tuple[bool, ...] = eqx.field(static=True)
    outputs: tuple[Scalar, ...] = eqx.field(static=True, converter=Structure)
    places: jax.Array | None = None
    basis: jax.Array | None = None

    @staticmethod
    def of(
        rates: Rates,
        parameters: Sequence[Parameter],
        outputs: Sequence[Scalar],
        *,
        spread: float = 1.0,
        places: np.ndarray | None = None,
        modes: int = 16,
    ) -> Model:
        """A model with the priors of its parameters.

        Args:
            rates: f.
            parameters: the unknown ones; without a prior, it is as wide as `spread` times the start.
            outputs: observed expressions.
            spread: relative width where no prior is given.
            places: observed places `(n,)` on the axis of the rates.
            modes: highest Fourier mode of initial states.
        """
        priors = [_prior(p, spread) for p in parameters]
        axis = rates.axis
        weights = None if axis is None or places is None else jnp.asarray(_interpolation(axis, places))
        basis = None if axis is None else jnp.asarray(_modes(axis, modes))
        centre = jnp.array([mean for mean, _ in priors], float)
        deviation = jnp.array([width for _, width in priors], float)
        names, positive = tuple(p.name for p in parameters), tuple(p.positive for p in parameters)
        return Model(rates, names, centre, deviation, positive, tuple(outputs), weights, basis)

    @property
    def freedom(self) -> int:
        """K, numbers of an initial state."""
        d = len(self.rates.unknowns)
        return d if self.basis is None else d * self.basis.shape[1]

    def numbers(self, raw: jax.Array) -> dict[str, jax.Array]:
        """Parameters `(*batch)` by name from raw numbers `(p, *batch)`."""
        return {
            name: jnp.exp(raw[j]) if positive else raw[j]
            for j, (name, positive) in enumerate(zip(self.names, self.positive, strict=True))
        }

    def raw(self, numbers: Mapping[str, Any]) -> jax.Array:
        """Raw numbers `(p, *batch)` from parameters by name."""
        rows = [jnp.asarray(numbers[name], float) for name in self.names]
        return jnp.stack([jnp.log(r) if log else r for r, log in zip(rows, self.positive, strict=True)])

    def expand(self, start: jax.Array) -> jax.Array:
        """State from its K numbers `(K, *batch)`."""
        if self.basis is None:
            return start
        d = len(self.rates.unknowns)
        return jnp.einsum("mk,dk...->dm...", self.basis, start.reshape(d, -1, *start.shape[1:]))

    def project(self, state: jax.Array) -> jax.Array:
        """The K numbers of a state."""
        if self.basis is None:
            return state
        inverse = self.basis / jnp.sum(self.basis**2, axis=0)
        return jnp.einsum("mk,dm...->dk...", inverse, state).reshape(-1, *state.shape[2:])

    def observe(self, state: jax.Array) -> jax.Array:
        """Observed values `(C, *batch)` of a state; with places, C runs over outputs and then over places."""
        values = evaluate(self.outputs, dict(zip(self.rates.unknowns, state, strict=True)))
        rows = jnp.stack([jnp.broadcast_to(v, state.shape[1:]) for v in values])
        if self.places is None:
            return rows
        return jnp.einsum("nm,cm...->cn...", self.places, rows).reshape(-1, *state.shape[2:])


def _prior(p: Parameter, spread: float) -> tuple[float, float]:
    """Mean and deviation of the raw number."""
    if p.prior is not None:
        return p.prior
    return (float(np.log(p.init)), spread) if p.positive else (p.init, spread * (abs(p.init) or 1.0))


def _interpolation(axis: PeriodicAxis, places: np.ndarray) -> np.ndarray:
    """Weights of trigonometric interpolation, `(n, m)`; exact for the modes that the points carry."""
    m = axis.points
    gap = 2 * np.pi * (places[:, None] - np.asarray(axis.nodes)[None, :]) / axis.length
    k = np.arange(1, (m - 1) // 2 + 1)
    weights = 1 + 2 * np.cos(gap[..., None] * k).sum(axis=-1)
    return (weights + np.cos(gap * (m // 2)) if m % 2 == 0 else weights) / m


def _modes(axis: PeriodicAxis, highest: int) -> np.ndarray:
    """1, cos kx, sin kx for k up to the highest, `(m, 2·highest + 1)`."""
    angle = 2 * np.pi * np.arange(axis.points)[:, None] / axis.points * np.arange(1, highest + 1)
    return np.concatenate([np.ones((axis.points, 1)), np.cos(angle), np.sin(angle)], axis=1)
