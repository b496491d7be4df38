"""Finite-difference stencils on a uniform lattice: weights, closures at the ends, and their application by slicing.

An axis carries two lattices. *Nodes* are the unknowns; *faces* lie half-way between neighbouring nodes and carry
fluxes. A `Stencil` maps one lattice to the other (or to itself) and takes a derivative on the way:

    (S u)_i = h^{-m} sum_k w_k u_{i + offset + k}  =  u^{(m)}(x_i) + O(h^p)

In the interior the weights are central and the order p is even. Within reach of an end the stencil is one-sided.
Evolutions use short closures, of order about p - m, which cost at most one order in the solution of an equation of
order m (Gustafsson 1975), and unlike closures of full order keep the spectra of the second and fourth derivative real
and negative. Steady problems, in which nothing can grow, use closures of full order.

Source: B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
doi:10.1090/S0025-5718-1988-0935077-0; B. Gustafsson, The convergence rate for difference approximations to mixed
initial boundary value problems, doi:10.1090/S0025-5718-1975-0386296-7.
"""

from __future__ import annotations

import dataclasses
from enum import Enum, unique
from functools import lru_cache
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

ORDERS = (2, 4, 6)
HIGHEST_DERIVATIVE = 4

# Nodes in a one-sided closure, by order p and derivative m - 1. Longer ones give growing modes: order 6, m = 2 with
# 8 nodes has complex eigenvalues of size 1/h^2 (a wave equation explodes); order 6, m = 1 with 6 nodes grows like 1/h.
_CLOSURE_NODES = {2: (2, 3, 4, 5), 4: (4, 5, 5, 6), 6: (5, 6, 7, 8)}

# Order 6, m = 1: multiples of the fifth difference added to the closures of the first three nodes. Without them the
# modes of u_t = v_x, v_t = u_x grow faster the finer the grid; found by minimising the largest real part of its
# spectrum.
_FIFTH_DIFFERENCE_SHARE = (0.0, 1 / 40, -1 / 40)
_FIFTH_DIFFERENCE = (-1.0, 5.0, -10.0, 10.0, -5.0, 1.0)


@final
@unique
class Lattice(Enum):
    """Where values live along one axis; the value is the offset from the nodes in spacings."""

    nodes = 0.0
    faces = 0.5

    @property
    def dual(self) -> Lattice:
        """The other lattice of the axis."""
        return Lattice.faces if self is Lattice.nodes else Lattice.nodes


def fornberg_weights(at: float, nodes: np.ndarray, derivative: int) -> Float[np.ndarray, " n"]:
    """Weights w with sum_j w_j f(nodes_j) = f^(derivative)(at) for every polynomial f of degree < n.

    Args:
        at: the point where the derivative is wanted.
        nodes: n distinct abscissae, n > derivative.
        derivative: order m >= 0.
    """
    table = np.zeros((len(nodes), derivative + 1))
    table[0, 0] = 1.0
    scale, distance = 1.0, nodes[0] - at
    for i in range(1, len(nodes)):
        top = min(i, derivative)
        product, previous, distance = 1.0, distance, nodes[i] - at
        for j in range(i):
            gap = nodes[i] - nodes[j]
            product *= gap
            if j == i - 1:
                for k in range(top, 0, -1):
                    table[i, k] = scale * (k * table[i - 1, k - 1] - previous * table[i - 1, k]) / product
                table[i, 0] = -scale * previous * table[i - 1, 0] / product
            for k in range(top, 0, -1):
                table[j, k] = (distance * table[j, k] - k * table[j, k - 1]) / gap
            table[j, 0] = distance * table[j, 0] / gap
        scale = product
    return table[:, derivative]


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Stencil:
    """One linear map along one axis: central weights inside, short dense closures at the two ends.

    Attributes:
        weights: central weights, already divided by h^m.
        offset: index of the first source point of target 0, were the lattice infinite.
        lower, upper: closure rows over the first / last source points; empty on a periodic axis.
        size: number of target points.
    """

    weights: np.ndarray
    offset: int
    lower: np.ndarray
    upper: np.ndarray
    size: int

    @property
    def reach(self) -> int:
        """The farthest source a target looks at, in spacings."""
        centred = max(abs(self.offset), abs(self.offset + len(self.weights) - 1))
        return max(centred, self.lower.shape[-1], self.upper.shape[-1])

    def __call__(self, values: Float[Array, "..."], axis: int) -> Float[Array, "..."]:
        """Apply along `axis`; the length of that axis becomes `size`, the others are untouched."""
        rows = len(self.lower)
        if rows == 0:
            behind, ahead = -self.offset, len(self.weights) - 1 + self.offset
            return _correlate(wrap(values, axis, behind, ahead), self.weights, axis, self.size)
        interior = jax.lax.slice_in_dim(values, rows + self.offset, None, axis=axis)
        parts = [
            _dense(self.lower, jax.lax.slice_in_dim(values, 0, self.lower.shape[1], axis=axis), axis),
            _correlate(interior, self.weights, axis, self.size - rows - len(self.upper)),
            _dense(self.upper, jax.lax.slice_in_dim(values, -self.upper.shape[1], None, axis=axis), axis),
        ]
        return jnp.concatenate(parts, axis=axis)

    def matrix(self, sources: int) -> Float[np.ndarray, "size sources"]:
        """The map as a dense matrix."""
        matrix = np.zeros((self.size, sources))
        low, high = len(self.lower), len(self.upper)
        for i in range(low, self.size - high):
            columns = np.arange(i + self.offset, i + self.offset + len(self.weights)) % sources
            np.add.at(matrix[i], columns, self.weights)
        matrix[:low, : self.lower.shape[1]] = self.lower
        matrix[self.size - high :, sources - self.upper.shape[1] :] = self.upper
        return matrix


def wrap(values: Float[Array, "..."], axis: int, behind: int, ahead: int) -> Float[Array, "..."]:
    """Continue periodically by `behind` values before the first and `ahead` values after the last."""
    n = values.shape[axis]
    parts = [
        jax.lax.slice_in_dim(values, n - behind, n, axis=axis),
        values,
        jax.lax.slice_in_dim(values, 0, ahead, axis=axis),
    ]
    return jnp.concatenate(parts, axis=axis)


def _correlate(values: Array, weights: np.ndarray, axis: int, size: int) -> Array:
    return sum(
        (w * jax.lax.slice_in_dim(values, k, k + size, axis=axis) for k, w in enumerate(weights) if w != 0.0),
        start=jnp.zeros((), values.dtype),
    )


def _dense(rows: np.ndarray, values: Array, axis: int) -> Array:
    return jnp.moveaxis(jnp.tensordot(jnp.asarray(rows, values.dtype), values, axes=(1, axis)), 0, axis)


def central_width(derivative: int, order: int, staggered: bool) -> int:
    """Points of the central stencil of even order p for the m-th derivative."""
    if staggered:
        return derivative + order - derivative % 2
    return derivative + order - 1 + derivative % 2


def fewest_nodes(derivative: int, order: int) -> int:
    """Nodes an axis needs before `stencil` of this kind fits on it."""
    return 2 * central_width(derivative, order, staggered=False)


@lru_cache(maxsize=256)
def stencil(
    nodes: int,
    spacing: float,
    derivative: int,
    order: int,
    periodic: bool,
    source: Lattice = Lattice.nodes,
    target: Lattice = Lattice.nodes,
    marching: bool = True,
) -> Stencil:
    """The stencil of the m-th derivative between two lattices of one axis.

    Args:
        nodes: number of nodes N of the axis; it has N faces when periodic, else N - 1.
        spacing: h > 0.
        derivative: m, 0 to 4; m = 0 interpolates between the lattices.
        order: p, one of 2, 4, 6.
        periodic: values continue periodically, so there are no closures.
        source, target: lattice of the argument and of the result.
        marching: closures are short, so that no mode grows in time.
    """
    counts = {Lattice.nodes: nodes, Lattice.faces: nodes if periodic else nodes - 1}
    shift = target.value - source.value
    if derivative == 3 and marching and not periodic:
        order = min(order, 4)  # every closure tried at order 6 has modes that grow like 1/h^2
    width = central_width(derivative, order, staggered=shift != 0.0)
    offset = -((width - 1) // 2) if shift >= 0 else -(width // 2)
    scale = spacing**-derivative
    weights = scale * fornberg_weights(shift, np.arange(offset, offset + width), derivative)
    if periodic:
        return Stencil(weights, offset, np.zeros((0, 0)), np.zeros((0, 0)), counts[target])
    rows = -offset
    short = marching and derivative > 0
    points = _CLOSURE_NODES[order][derivative - 1] if short else derivative + order
    near = np.arange(points)
    lower = np.array([fornberg_weights(i + shift, near, derivative) for i in range(rows)]).reshape(rows, points)
    if short and (derivative, order, shift) == (1, 6, 0.0):
        lower = np.pad(lower, ((0, 0), (0, 1))) + np.outer(_FIFTH_DIFFERENCE_SHARE, _FIFTH_DIFFERENCE)
    lower = scale * lower
    upper = (-1.0) ** derivative * lower[::-1, ::-1]
    return Stencil(weights, offset, lower, upper, counts[target])


@lru_cache(maxsize=256)
def one_sided_weights(derivative: int, order: int, spacing: float, upper: bool) -> np.ndarray:
    """Weights of full order p for the m-th derivative at an end node, over the nodes from that end inwards.

    The sign follows the coordinate, so at the upper end odd derivatives change sign.
    """
    weights = spacing**-derivative * fornberg_weights(0.0, np.arange(derivative + order), derivative)
    return weights * (-1.0) ** derivative if upper else weights
