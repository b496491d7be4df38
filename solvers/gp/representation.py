"""The posterior mean as a function of points that JAX can differentiate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.galerkin.eigenbasis import AbstractFeatures
from sciml.solution import AbstractRepresentation
from sciml.spectrum import SpectralLines
from sciml.storable import storable

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
        lines: spectrum along each coordinate, or none.
    """

    features: tuple[AbstractFeatures, ...]
    transforms: tuple[jax.Array, ...]
    coefficients: jax.Array
    names: tuple[str, ...] = eqx.field(static=True)
    unknown: str = eqx.field(static=True)
    lines: tuple[SpectralLines, ...] = ()

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, points)
        return {self.unknown: contract(self.coefficients, rows)}

    def spectrum(self) -> dict[str, SpectralLines] | None:
        return dict(zip(self.names, self.lines, strict=True)) if self.lines else None

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        return {self.unknown: spread(self.coefficients, basis_rows(self.features, self.transforms, self.names, nodes))}


@final
@storable("gp_exact_deviation")
class ExactDeviation(AbstractRepresentation):
    r"""$\operatorname{std} u(x) = |E^T (\psi(x_1) \otimes \cdots)|$ from a factor of the coefficients' covariance.

    Attributes:
        features, transforms, names, unknown: as in `KroneckerMean`.
        factor: E, `(*ranks, directions)`.
        floor: standard deviation of what the basis leaves out.
    """

    features: tuple[AbstractFeatures, ...]
    transforms: tuple[jax.Array, ...]
    factor: jax.Array
    floor: jax.Array
    names: tuple[str, ...] = eqx.field(static=True)
    unknown: str = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, points)

        def one(at: tuple[jax.Array, ...]) -> jax.Array:
            value = self.factor
            for row in at:
                value = jnp.tensordot(row, value, axes=1)
            return jnp.sqrt(jnp.sum(value**2) + self.floor**2)

        return {self.unknown: jax.lax.map(one, tuple(rows), batch_size=_BATCH)}

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, nodes)

        def add(total: jax.Array, direction: jax.Array) -> tuple[jax.Array, None]:
            return total + spread(direction, rows) ** 2, None

        start = jnp.zeros([row.shape[0] for row in rows])
        variance = jax.lax.scan(add, start, jnp.moveaxis(self.factor, -1, 0))[0]
        return {self.unknown: jnp.sqrt(variance + self.floor**2)}

    def draw(self, mean: KroneckerMean, key: jax.Array) -> KroneckerMean:
        """One joint sample of the field: a function, like the mean."""
        step = self.factor @ jax.random.normal(key, self.factor.shape[-1:])
        return eqx.tree_at(lambda m: m.coefficients, mean, mean.coefficients + step)


@final
@storable("gp_diagonal_deviation")
class DiagonalDeviation(AbstractRepresentation):
    r"""$\operatorname{std}^2 u(x) = \sum |v_i(x_1)|^2|v_j(x_2)|^2\cdots s_{ij\dots}$ over independent modes.

    Attributes:
        features, transforms, names, unknown: as in `KroneckerMean`, the transforms now giving (complex) modes.
        variances: s, of each mode.
        floor: standard deviation of what the basis leaves out.
    """

    features: tuple[AbstractFeatures, ...]
    transforms: tuple[jax.Array, ...]
    variances: jax.Array
    floor: jax.Array
    names: tuple[str, ...] = eqx.field(static=True)
    unknown: str = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, points)
        return {self.unknown: self._root(contract(self.variances, [jnp.abs(row) ** 2 for row in rows]))}

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, nodes)
        return {self.unknown: self._root(spread(self.variances, [jnp.abs(row) ** 2 for row in rows]))}

    def _root(self, variance: jax.Array) -> jax.Array:
        return jnp.sqrt(variance + self.floor**2)


@final
@storable("gp_block_deviation")
class BlockDeviation(AbstractRepresentation):
    r"""$\operatorname{std}^2 u(t, x) = \sum_j |v_j(x)|^2 \|E_j^T\psi(t)\|^2$: modes of all axes but one.

    Attributes:
        features, transforms, names, unknown: as in `KroneckerMean`, the transforms of all axes but one giving modes.
        factors: $E_j$, `(modes…, functions, directions)`.
        floor: standard deviation of what the basis leaves out.
        axis: the one without modes.
    """

    features: tuple[AbstractFeatures, ...]
    transforms: tuple[jax.Array, ...]
    factors: jax.Array
    floor: jax.Array
    names: tuple[str, ...] = eqx.field(static=True)
    unknown: str = eqx.field(static=True)
    axis: int = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, points)
        along = rows.pop(self.axis)

        def one(at: tuple[jax.Array, ...]) -> jax.Array:
            value = jnp.sum(jnp.abs(jnp.einsum("i,...iq->...q", at[0], self.factors)) ** 2, axis=-1)
            for row in at[1:]:
                value = jnp.tensordot(jnp.abs(row) ** 2, value, axes=1)
            return jnp.sqrt(value + self.floor**2)

        return {self.unknown: jax.lax.map(one, (along, *rows), batch_size=_BATCH)}

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        rows = basis_rows(self.features, self.transforms, self.names, nodes)
        along = rows.pop(self.axis)

        def one(row: jax.Array) -> jax.Array:
            return jnp.sum(jnp.abs(jnp.einsum("i,...iq->...q", row, self.factors)) ** 2, axis=-1)

        variance = spread(jnp.moveaxis(jax.lax.map(one, along), 0, -1), [*(jnp.abs(row) ** 2 for row in rows)])
        return {self.unknown: jnp.sqrt(jnp.moveaxis(variance, 0, self.axis) + self.floor**2)}


@final
@storable("gp_independent_errors")
class IndependentErrors(AbstractRepresentation):
    """Standard deviation of a sum of independent errors.

    Attributes:
        parts: standard deviation of each.
    """

    parts: tuple[AbstractRepresentation, ...]

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        return _root_of_squares([part(points) for part in self.parts])

    def on_axes(self, nodes: Mapping[str, jax.Array]) -> dict[str, jax.Array] | None:
        found = [part.on_axes(nodes) for part in self.parts]
        known = [values for values in found if values is not None]
        return _root_of_squares(known) if len(known) == len(found) else None


def _root_of_squares(deviations: Sequence[Mapping[str, jax.Array]]) -> dict[str, jax.Array]:
    return {name: jnp.sqrt(sum((d[name] ** 2 for d in deviations), jnp.zeros(()))) for name in deviations[0]}


def basis_rows(
    features: tuple[AbstractFeatures, ...],
    transforms: tuple[jax.Array, ...],
    names: tuple[str, ...],
    points: Mapping[str, jax.Array],
) -> list[jax.Array]:
    """Basis functions of each axis at points, `(n, functions)` each."""
    return [
        f.derivatives(jnp.asarray(points[name]), 0)[0] @ t
        for f, t, name in zip(features, transforms, names, strict=True)
    ]


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


def spread(coefficients: jax.Array, rows: list[jax.Array]) -> jax.Array:
    """$\\sum C_{ij\\dots} a_{ni} b_{mj} \\cdots$ on the tensor grid of all n, m, …"""
    for row in rows:
        coefficients = jnp.tensordot(coefficients, row, axes=(0, 1))
    return coefficients
