"""Sparse Jacobians of grid functions by colouring: a few Jacobian–vector products instead of one for each unknown.

A residual R(z) on a grid is local: row i depends on z_j only for |i_k - j_k| <= w_k along every axis k. Columns that
are 2 w_k + 1 apart never meet in a row, so one product J s with s the sum of such unit vectors reads them all at once.
The number of products depends on the reach w and not on the grid. The reach is found by probing, not by reading the
equations.

Source: A. Curtis, M. Powell, J. Reid, On the estimation of sparse Jacobian matrices, doi:10.1093/imamat/13.1.117.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from functools import cached_property, reduce
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float, Int

Derivative = Callable[[Array, Array], Array]
"""(z, v) to J(z) v."""

_PRODUCTS_AT_ONCE = 16


@final
@dataclasses.dataclass(frozen=True)
class Colouring:
    """Groups of unknowns that share no row.

    Attributes:
        shape: shape `(fields, n_1, …, n_d)` of the unknowns and of the residual.
        reach: w_k along each grid axis.
        periodic: whether axis k closes on itself.
    """

    shape: tuple[int, ...]
    reach: tuple[int, ...]
    periodic: tuple[bool, ...]

    @cached_property
    def axis_colours(self) -> tuple[Int[np.ndarray, " n"], ...]:
        """The colour of each index along each axis, the field axis first (every field has its own)."""
        sizes = self.shape[1:]
        return (
            np.arange(self.shape[0]),
            *(_cycle(n, 2 * w + 1, p) for n, w, p in zip(sizes, self.reach, self.periodic, strict=True)),
        )

    @cached_property
    def colours(self) -> Int[np.ndarray, "colours axes"]:
        """Every combination of axis colours: one Jacobian–vector product each."""
        return np.array(list(itertools.product(*(range(c.max() + 1) for c in self.axis_colours))))

    @cached_property
    def columns(self) -> tuple[Int[np.ndarray, "colours n"], ...]:
        """For each grid axis: the index of the one column of a colour that row i can see; -1 where none is near."""
        near = zip(self.axis_colours[1:], self.shape[1:], self.reach, self.periodic, strict=True)
        return tuple(_visible(colours, n, w, p) for colours, n, w, p in near)

    def seed(self, colour: Int[np.ndarray, " axes"]) -> Float[np.ndarray, "fields *grid"]:
        """The sum of the unit vectors of one colour."""
        masks = [(own == c).astype(float) for own, c in zip(self.axis_colours, colour, strict=True)]
        return reduce(np.multiply.outer, masks)

    def compress(self, tangent_map: Callable[[Array], Array]) -> Float[Array, "colours fields *grid"]:
        """J s of a linear map for the seed s of each colour, inside a trace."""
        masks = [jnp.asarray(own) for own in self.axis_colours]

        def product(colour: Array) -> Array:
            along = [(mask == colour[k]).astype(float) for k, mask in enumerate(masks)]
            return tangent_map(reduce(lambda a, b: a[..., None] * b, along))

        return jax.lax.map(product, jnp.asarray(self.colours), batch_size=_PRODUCTS_AT_ONCE)

    def locate(self, flat: Int[np.ndarray, " entries"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row and column of entries of the compressed Jacobian, and which of them lie within reach."""
        colour, field, *index = np.unravel_index(flat, (len(self.colours), *self.shape))
        column = [self.colours[colour, 0]]
        inside = np.ones(len(flat), dtype=bool)
        for k, table in enumerate(self.columns):
            j = table[self.colours[colour, k + 1], index[k]]
            inside &= j >= 0
            column.append(np.maximum(j, 0))
        rows = np.ravel_multi_index((field, *index), self.shape)
        return np.asarray(rows), np.asarray(np.ravel_multi_index(tuple(column), self.shape)), inside


def _cycle(n: int, period: int, periodic: bool) -> Int[np.ndarray, " n"]:
    """Colours 0 … period - 1 repeated; on a periodic axis the remainder gets colours of its own."""
    if period >= n:
        return np.arange(n)
    colours = np.arange(n) % period
    whole = n // period * period
    if periodic and whole < n:
        colours[whole:] = period + np.arange(n - whole)
    return colours


def _visible(colours: np.ndarray, n: int, reach: int, periodic: bool) -> Int[np.ndarray, "colours n"]:
    table = np.full((colours.max() + 1, n), -1)
    rows = np.arange(n)
    for shift in range(-reach, reach + 1):
        j = rows + shift
        kept = np.ones(n, dtype=bool) if periodic else (j >= 0) & (j < n)
        table[colours[j[kept] % n], rows[kept]] = j[kept] % n
    return table


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Pattern:
    """Where a grid function's Jacobian may differ from zero.

    Attributes:
        colouring: the groups of columns.
        entries: flat indices into the compressed Jacobian.
        rows, columns: the matrix position of each entry.
    """

    colouring: Colouring
    entries: Int[np.ndarray, " entries"]
    rows: Int[np.ndarray, " entries"]
    columns: Int[np.ndarray, " entries"]

    @cached_property
    def content(self) -> tuple[Colouring, bytes]:
        """What makes two patterns the same; the positions follow from it."""
        return self.colouring, self.entries.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return int(np.prod(self.colouring.shape))

    def values(self, derivative: Derivative, at: Array) -> Float[np.ndarray, " entries"]:
        """The entries of the Jacobian at a point."""
        products = [np.asarray(derivative(at, jnp.asarray(self.colouring.seed(c)))) for c in self.colouring.colours]
        return np.stack(products).reshape(-1)[self.entries]

    def traced_values(self, tangent_map: Callable[[Array], Array]) -> Float[Array, " entries"]:
        """The entries of a linear map on grid arrays, inside a trace."""
        return self.colouring.compress(tangent_map).reshape(-1)[jnp.asarray(self.entries)]

    def matrix(self, values: Float[np.ndarray, " entries"]) -> scipy.sparse.csc_matrix:
        """The sparse matrix of these entries."""
        return scipy.sparse.csc_matrix((np.asarray(values), (self.rows, self.columns)), shape=(self.size, self.size))


def find_pattern(derivative: Derivative, at: Array, periodic: tuple[bool, ...]) -> Pattern:
    """Probe a grid function around a state for its sparsity.

    Random states are probed too, so that an entry that vanishes at `at` alone (u u_x at u = 0) is found. An entry
    missed all the same costs Newton steps and never the answer: residuals are always evaluated in full.

    Args:
        derivative: (z, v) to J(z) v, compiled, for a map of arrays `(fields, n_1, …, n_d)` to the same shape.
        at: a typical state.
        periodic: which grid axes are periodic.
    """
    rng = np.random.default_rng(0)
    near, far, direction = rng.standard_normal((3, *at.shape))
    scale = float(jnp.max(jnp.abs(at))) + 1e-3
    states = [at, at + 0.1 * scale * near, at + scale * far]
    reach = tuple(_reach(derivative, states, direction, k, closed) for k, closed in enumerate(periodic))
    colouring = Colouring(at.shape, reach, periodic)
    occupied = np.zeros((len(colouring.colours), *at.shape), dtype=bool)
    for n, colour in enumerate(colouring.colours):
        seed = jnp.asarray(colouring.seed(colour))
        for state in states:
            occupied[n] |= np.asarray(derivative(state, seed)) != 0
    entries = np.flatnonzero(occupied)
    rows, columns, inside = colouring.locate(entries)
    return Pattern(colouring, entries[inside], rows[inside], columns[inside])


def _reach(derivative: Derivative, states: list[Array], direction: np.ndarray, k: int, closed: bool) -> int:
    """How far along grid axis k a change of one hyperplane is felt."""
    n = direction.shape[k + 1]
    others = tuple(a for a in range(direction.ndim) if a != k + 1)
    farthest = 0
    for i in range(n):
        plane = np.zeros_like(direction)
        where = (slice(None),) * (k + 1) + (i,)
        plane[where] = direction[where]
        for state in states:
            (felt,) = np.nonzero(np.any(np.asarray(derivative(state, jnp.asarray(plane))) != 0, axis=others))
            distance = np.abs(felt - i)
            distance = np.minimum(distance, n - distance) if closed else distance
            farthest = max(farthest, int(distance.max(initial=0)))
    return farthest
