"""The posterior mean as a function of points that JAX can differentiate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.solution import AbstractRepresentation
from sciml.storable import storable
from solvers.gp.features import AbstractFeatures

_BATCH = 256


@final
@storable("gp_kronecker_mean")
class KroneckerMean(AbstractRepresentation):
    r"""$u(x) = \sum C_{ij\dots}\,\psi_i(x_1)\psi_j(x_2)\cdots$ in the whitened eigenbases.

    Attributes:
        features: of each axis.
        transforms: from features to eigenfunctions, of each axis.
        coefficients: C.
        names: of the coordinates.
        unknown: name of the field.
    """

    features: tuple[AbstractFeatures, ...]
    transforms: tuple[jax.Array, ...]
    coefficients: jax.Array
    names: tuple[str, ...] = eqx.field(static=True)
    unknown: str = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = [
            f.derivatives(jnp.asarray(points[name]), 0)[0] @ t
            for f, t, name in zip(self.features, self.transforms, self.names, strict=True)
        ]
        return {self.unknown: contract(self.coefficients, rows)}


def contract(coefficients: jax.Array, rows: list[jax.Array]) -> jax.Array:
    """$\\sum C_{ij\\dots} a_{ni} b_{nj} \\cdots$ for every n; in batches beyond two axes, to bound the memory."""
    if len(rows) <= 2:
        value = rows[0] @ coefficients
        return value if len(rows) == 1 else jnp.sum(value * rows[1], axis=1)

    def one(at: tuple[jax.Array, ...]) -> jax.Array:
        value = coefficients
        for row in at:
            value = jnp.tensordot(row, value, axes=1)
        return value

    return jax.lax.map(one, tuple(rows), batch_size=_BATCH)
