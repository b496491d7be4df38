"""Tensor products of Gaussians as fields: one set of coefficients for each slab of time."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.eigenbasis import AbstractFeatures
from sciml.solution import AbstractRepresentation
from sciml.storable import storable

_BATCH = 1024


@final
@storable("gaussian_slab")
class Slab(eqx.Module):
    r"""$\sum C_{ij\dots}\,\psi_i(x_1)\psi_j(x_2)\cdots$, with $\psi = \phi V S^{-1}$ compressed Gaussians of each axis.

    Attributes:
        features: φ of each axis.
        transforms: $V S^{-1}$ of each axis.
        coefficients: C.
        end: end of the slab in time; infinite for a steady field and on the last slab.
    """

    features: tuple[AbstractFeatures, ...]
    transforms: tuple[jax.Array, ...]
    coefficients: jax.Array
    end: jax.Array

    def tables(self, nodes: list[jax.Array]) -> list[jax.Array]:
        """Basis functions of each axis at points along it."""
        return [f.derivatives(x, 0)[0] @ t for f, t, x in zip(self.features, self.transforms, nodes, strict=True)]

    def on_axes(self, nodes: list[jax.Array]) -> jax.Array:
        """Values on a tensor grid."""
        value = self.coefficients
        for k, table in enumerate(self.tables(nodes)):
            value = jnp.moveaxis(jnp.tensordot(table, value, axes=([1], [k])), 0, k)
        return value

    def at(self, point: list[jax.Array]) -> jax.Array:
        """Value at one point."""
        value = self.coefficients
        for table in self.tables([x[None] for x in point]):
            value = jnp.tensordot(table[0], value, axes=1)
        return value


def slab_of(discrete: Discretisation, C: np.ndarray, end: float = inf) -> Slab:
    """A discrete solution as a function; it ends at a time, or never."""
    bases = [s.basis for s in discrete.spaces]
    transforms = tuple(jnp.asarray(b.transform) for b in bases)
    return Slab(tuple(b.features for b in bases), transforms, jnp.asarray(C), jnp.asarray(end))


@final
@storable("gaussian_tensor_fields")
class TensorFields(AbstractRepresentation):
    """A scalar field in slabs, one after the other in time.

    Attributes:
        slabs: in the order of time.
        names: of the coordinates.
        unknown: name of the field.
        time: number of the time axis; -1 for a steady field.
    """

    slabs: tuple[Slab, ...]
    names: tuple[str, ...] = eqx.field(static=True)
    unknown: str = eqx.field(static=True)
    time: int = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        columns = [jnp.asarray(points[name], float) for name in self.names]
        value = jax.lax.map(lambda p: self.slabs[0].at(list(p)), tuple(columns), batch_size=_BATCH)
        for before, slab in zip(self.slabs, self.slabs[1:], strict=False):
            here = jax.lax.map(lambda p, s=slab: s.at(list(p)), tuple(columns), batch_size=_BATCH)
            value = jnp.where(columns[self.time] > before.end, here, value)
        return {self.unknown: value}

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        axes = [jnp.asarray(nodes[name], float) for name in self.names]
        value = self.slabs[0].on_axes(axes)
        for before, slab in zip(self.slabs, self.slabs[1:], strict=False):
            later = (axes[self.time] > before.end).reshape([-1 if k == self.time else 1 for k in range(len(axes))])
            value = jnp.where(later, slab.on_axes(axes), value)
        return {self.unknown: value}
