r"""Transfers between particles and grid: MLS-MPM with APIC and quadratic B-splines.

With $w_{ip}$ the tensor-product spline of node i at particle p and $D = h^2/4$ its second moment,
$$m_i v_i = \sum_p w_{ip}\big(m_p v_p + (m_p C_p - \tfrac{\Delta t}{D} V_p\,\tau_p)(x_i-x_p)\big),\qquad
C_p' = \tfrac1D\sum_i w_{ip}\,v_i\otimes(x_i-x_p).$$

All arrays have their components first and particles last; the $3^d$ nodes of a particle are written out, and one
scatter adds them all: no temporary has both an axis of nodes and one of components.

References: C. Jiang et al., "The affine particle-in-cell method" (2015), doi:10.1145/2766996; Y. Hu et al., "A moving
least squares material point method" (2018), doi:10.1145/3197517.3201293.
"""

from __future__ import annotations

from itertools import product as tuples
from typing import NamedTuple, final

import jax.numpy as jnp
from jax import Array

from sciml.tensors import apply, rows, tensor, total
from solvers.mpm.grid import Grid


@final
class Stencil(NamedTuple):
    """Nodes of every particle.

    Attributes:
        first: number of its lowest node `(N,)`.
        place: its position from there in cells `(d, N)`, between 1/2 and 3/2.
        weights: splines at offsets 0, 1, 2, each `(d, N)`.
    """

    first: Array
    place: Array
    weights: tuple[Array, Array, Array]


def stencil(x: Array, grid: Grid) -> Stencil:
    """Nodes and weights at positions `(d, N)`."""
    cells = (x - grid.origin[:, None]) / grid.spacing
    base = jnp.floor(cells - 0.5)
    f = cells - base
    index = base.astype(jnp.int32)
    first = index[0]
    for axis in range(1, x.shape[0]):
        first = first * grid.shape[axis] + index[axis]
    return Stencil(first, f, (0.5 * (1.5 - f) ** 2, 0.75 - (f - 1) ** 2, 0.5 * (f - 0.5) ** 2))


def _offsets(d: int) -> list[tuple[int, ...]]:
    return list(tuples(range(3), repeat=d))


def _step_to(offset: tuple[int, ...], grid: Grid) -> int:
    step = 0
    for n, o in zip(grid.shape, offset, strict=True):
        step = step * n + o
    return step


def _weight(nodes: Stencil, offset: tuple[int, ...]) -> Array:
    weight = nodes.weights[offset[0]][0]
    for axis, o in enumerate(offset[1:], 1):
        weight = weight * nodes.weights[o][axis]
    return weight


def to_grid(nodes: Stencil, grid: Grid, mass: Array, momentum: Array, affine: Array) -> Array:
    """Momentum and mass of the nodes `(d + 1, nodes)`.

    Args:
        nodes: of the particles.
        grid: the grid.
        mass: of each particle `(N,)`.
        momentum: at the particles `(d, N)`.
        affine: change of momentum with distance `(d, d, N)`.
    """
    d, a = momentum.shape[0], rows(affine * grid.spacing)
    start = momentum - apply(affine * grid.spacing, nodes.place)

    def row(offset: tuple[int, ...]) -> Array:
        weight = _weight(nodes, offset)
        at_node = [total([start[i], *(o * a[i][j] for j, o in enumerate(offset) if o)]) for i in range(d)]
        return jnp.stack([*(weight * p for p in at_node), weight * mass], axis=1)

    offsets = _offsets(d)
    index = jnp.concatenate([nodes.first + _step_to(offset, grid) for offset in offsets])
    values = jnp.concatenate([row(offset) for offset in offsets])
    return jnp.zeros((grid.size, d + 1), mass.dtype).at[index].add(values, mode="promise_in_bounds").T


def from_grid(nodes: Stencil, grid: Grid, v: Array) -> tuple[Array, Array]:
    """Velocities `(d, N)` and affine velocities `(d, d, N)` of particles, from velocities of nodes `(d, nodes)`."""
    d, by_node = v.shape[0], v.T
    mean = [jnp.zeros_like(nodes.place[0])] * d
    moment = [[jnp.zeros_like(nodes.place[0])] * d for _ in range(d)]
    for offset in _offsets(d):
        at_node = by_node.at[nodes.first + _step_to(offset, grid)].get(mode="promise_in_bounds")
        weight = _weight(nodes, offset)
        for i in range(d):
            part = weight * at_node[:, i]
            mean[i] = mean[i] + part
            for j, o in enumerate(offset):
                if o:
                    moment[i][j] = moment[i][j] + o * part
    scale = 4 / grid.spacing
    affine = [[scale * (moment[i][j] - mean[i] * nodes.place[j]) for j in range(d)] for i in range(d)]
    return jnp.stack(mean), tensor(affine)
