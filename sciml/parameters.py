"""Unknown parameters as weights of order one: the one place where they are transformed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp

from sciml.expr.leaves import Parameter
from sciml.storable import storable


@final
@storable("unknown parameters")
@dataclass(frozen=True)
class UnknownParameters:
    r"""A map between raw weights, which start at zero, and physical numbers.

    A positive parameter is $\theta = \theta_0 e^{w}$, any other $\theta = \theta_0 + s\,w$ with $s = |\theta_0|$, or 1
    where that vanishes: whatever its units, a step of order one changes it by about its own size.

    Attributes:
        starts: name, initial number, whether positive, of each.
    """

    starts: tuple[tuple[str, float, bool], ...]

    @classmethod
    def of(cls, parameters: tuple[Parameter, ...]) -> UnknownParameters:
        """The unknowns among a problem's parameters."""
        return cls(tuple((p.name, p.init, p.positive) for p in parameters))

    def initial(self) -> dict[str, jax.Array]:
        """Raw weights at the initial numbers: zeros."""
        return {name: jnp.zeros(()) for name, _, _ in self.starts}

    def physical(self, raw: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        """Physical numbers from raw weights."""
        return {
            name: start * jnp.exp(raw[name]) if positive else start + (abs(start) or 1.0) * raw[name]
            for name, start, positive in self.starts
        }
