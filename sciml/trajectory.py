"""Motion of material points as a representation: positions, velocities and deformations at some times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial import KDTree

from sciml.expr.frames import fingerprint
from sciml.expr.nodes import Scalar
from sciml.solution import AbstractRepresentation
from sciml.storable import storable

_NEAR = {2: 16, 3: 40}
"""Particles kept for each cell of the table, by dimension: on a lattice the nearest one to any point is among them."""
_MOST_CELLS = 200_000


@final
@storable("neighbours")
class Neighbours(eqx.Module):
    """A table of the particles near each cell of a grid over the bodies at rest.

    Attributes:
        lower: corner of the grid `(d,)`.
        edge: length of a cell.
        table: numbers of the nearest particles `(*cells, k)`.
    """

    lower: jax.Array
    edge: jax.Array
    table: jax.Array

    @classmethod
    def of(cls, X: np.ndarray) -> Neighbours:
        """The table for material points `(N, d)`."""
        lower, upper = X.min(0), X.max(0)
        d, n = X.shape[1], min(len(X), _MOST_CELLS)
        extent = np.maximum(upper - lower, 1e-6 * max(float(np.ptp(X, axis=0).max()), 1e-12))
        edge = float((np.prod(extent) / n) ** (1 / d))
        cells = np.maximum(np.ceil(extent / edge).astype(int), 1)
        while np.prod(cells) > 4 * _MOST_CELLS:
            edge *= 1.5
            cells = np.maximum(np.ceil(extent / edge).astype(int), 1)
        centres = np.stack(np.meshgrid(*(lower[a] + edge * (np.arange(c) + 0.5) for a, c in enumerate(cells)),
                                       indexing="ij"), axis=-1)  # fmt: skip
        k = min(_NEAR[d], len(X))
        _, near = KDTree(X).query(centres.reshape(-1, d), k=k)
        return cls(jnp.asarray(lower), jnp.asarray(edge), jnp.asarray(near.reshape(*cells, k), jnp.int32))

    def nearest(self, X: jax.Array, particles: jax.Array) -> jax.Array:
        """Number of the particle nearest to each point `(n, d)`, among `particles` `(N, d)`."""
        cells = jnp.asarray(self.table.shape[:-1])
        index = jnp.clip(jnp.floor((X - self.lower) / self.edge).astype(int), 0, cells - 1)
        near = self.table[tuple(index[:, a] for a in range(X.shape[1]))]
        distance = jnp.sum((particles[near] - X[:, None, :]) ** 2, axis=-1)
        return jnp.take_along_axis(near, jnp.argmin(distance, axis=1)[:, None], axis=1)[:, 0]


@final
@storable("trajectory")
class Trajectory(AbstractRepresentation):
    r"""The deformation map of bodies, from their particles.

    In time, positions are interpolated by cubic Hermite polynomials of positions and velocities. Away from a particle
    the map is that of the nearest one, $\varphi(X) = x_p + F_p(X - X_p)$, with its elastic deformation gradient: of
    second order in the spacing of particles for elastic bodies, of first order for those that flow.

    Attributes:
        t: times `(T,)`, evenly spaced.
        X: material points `(N, d)`.
        x: positions `(T, N, d)`.
        v: velocities `(T, N, d)`.
        F: elastic deformation gradients `(T, N, d, d)`.
        C: affine velocities `(T, N, d, d)`.
        neighbours: table of the particles near a material point.
        coordinates: names, time first.
        unknowns: names of the scalar unknowns.
    """

    t: jax.Array
    X: jax.Array
    x: jax.Array
    v: jax.Array
    F: jax.Array
    C: jax.Array
    neighbours: Neighbours
    coordinates: tuple[str, ...] = eqx.field(static=True)
    unknowns: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        time, *space = (points[name] for name in self.coordinates)
        X = jnp.stack(space, axis=-1)
        p = self.neighbours.nearest(X, self.X)
        step = self.t[1] - self.t[0]
        k = jnp.clip(jnp.floor((time - self.t[0]) / step).astype(int), 0, self.t.size - 2)
        s = ((time - self.t[k]) / step)[:, None]
        here, there = self.x[k, p], self.x[k + 1, p]
        chord, first, last = there - here, step * self.v[k, p], step * self.v[k + 1, p]
        # the Hermite cubic as the chord plus what the end velocities add to it
        middle = here + s * chord + s * (1 - s) * ((1 - s) * (first - chord) - s * (last - chord))
        weight = s[..., None]
        F = (1 - weight) * self.F[k, p] + weight * self.F[k + 1, p]
        place = middle + jnp.einsum("nij,nj->ni", F, X - self.X[p])
        return {name: place[:, i] for i, name in enumerate(self.unknowns)}


@final
@dataclass(frozen=True, eq=False)
class ObservedMotion:
    """An observation of whole motions: the state of every particle at many times.

    It stands among the observations of a problem whose law of stress is to be learned. States hold what the published
    data of such experiments hold: positions, velocities, affine velocities and elastic deformation gradients.

    Attributes:
        expression: first component of the deformation map.
        track: the states.
    """

    expression: Scalar
    track: Trajectory

    @property
    def points(self) -> dict[str, np.ndarray]:
        """Ends of the observed interval at one particle: observations say where they are."""
        names, X = self.track.coordinates, np.asarray(self.track.X)[:1].repeat(2, axis=0)
        return dict(zip(names, [np.asarray(self.track.t)[[0, -1]], *X.T], strict=True))

    @property
    def values(self) -> np.ndarray:
        """First component of these positions."""
        return np.asarray(self.track.x)[[0, -1], 0, 0]

    @property
    def noise(self) -> None:
        """Unknown."""
        return None

    @property
    def digest(self) -> bytes:
        """Structure: how many states of how many particles."""
        return fingerprint("motion", self.expression, repr(self.track.x.shape))

    @property
    def content_digest(self) -> bytes:
        """Structure and data."""
        arrays = [self.track.t, self.track.X, self.track.x, self.track.v, self.track.F]
        data = [hashlib.blake2b(np.ascontiguousarray(a).tobytes(), digest_size=16).hexdigest() for a in arrays]
        return fingerprint(self.digest, tuple(data))

    def __repr__(self) -> str:
        return f"ObservedMotion({self.track.x.shape[1]} particles at {self.track.t.size} times)"
