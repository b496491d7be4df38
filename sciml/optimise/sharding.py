"""Gram matrices and losses with the points spread over all devices of all processes: one sum over them a step.

Every process holds the same weights and the same points, drawn from the same key, and gives each of its devices their
share. Each device adds up JᵀJ, Jᵀr and the losses of its points chunk by chunk; one `psum` makes the totals, which come
back to every process, where the same small algebra gives the same step. Numbers differ from those of one device by
round-off, because sums are taken in another order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, PyTree

from sciml.optimise.blocks import Gram, LeastSquares, ResidualBlock, stacked_jacobian, stacked_rows

_AXIS = "points"
_SHARED, _SPLIT = PartitionSpec(), PartitionSpec(_AXIS)


def all_devices() -> Mesh:
    """The devices of all processes as one axis, along which points are spread."""
    return Mesh(np.asarray(jax.devices()), (_AXIS,))


def sharded_gram(problem: LeastSquares, flat: Array | np.ndarray, mesh: Mesh, chunk_bytes: int) -> Gram:
    """JᵀJ, Jᵀr and the losses of all blocks; `sciml.optimise.gram` on many devices.

    Args:
        problem: the objective, the same in every process.
        flat: weights, shape (P,).
        mesh: devices, one axis.
        chunk_bytes: bound on the Jacobian of one chunk of points, on each device.
    """
    bare, points, factors = _spread(problem, mesh, chunk_bytes)
    matrix, gradient, losses = _gram_of_all(bare, points, factors, _everywhere(jnp.asarray(flat), mesh), mesh)
    return Gram(np.asarray(matrix), np.asarray(gradient), np.asarray(losses))


def sharded_losses(
    problem: LeastSquares, flats: np.ndarray, mesh: Mesh, chunk_bytes: int
) -> Float[np.ndarray, "candidates blocks"]:
    """The loss of every block at several candidate weights; `sciml.optimise.losses` on many devices.

    Args:
        problem: the objective, the same in every process.
        flats: weights, one candidate a row, shape (candidates, P).
        mesh: devices, one axis.
        chunk_bytes: bound on the Jacobian of one chunk of points, which sets the size of chunks here too.
    """
    bare, points, factors = _spread(problem, mesh, chunk_bytes)
    return np.asarray(_losses_of_all(bare, points, factors, _everywhere(jnp.asarray(flats), mesh), mesh))


def _spread(problem: LeastSquares, mesh: Mesh, chunk_bytes: int) -> tuple[LeastSquares, list[PyTree], list[Array]]:
    """The objective without its points, its points over the devices, and the factor of each row: 0 where padded."""
    points, factors = [], []
    for block, size in zip(problem.blocks, problem.bytes_per_point, strict=True):
        mine = math.ceil(block.num_points / mesh.size)
        pieces = math.ceil(mine / max(1, chunk_bytes // size))
        length = math.ceil(mine / pieces)
        total = mesh.size * pieces * length
        index = np.minimum(np.arange(total), block.num_points - 1)
        factor = np.where(np.arange(total) < block.num_points, 1 / math.sqrt(block.num_points), 0.0)
        split = lambda leaf, shape=(mesh.size * pieces, length): leaf.reshape(*shape, *leaf.shape[1:])  # noqa: E731
        points.append(jax.tree.map(lambda p, i=index, s=split: _over(s(np.asarray(p)[i]), mesh), block.points))
        factors.append(_over(split(factor), mesh))
    bare = eqx.tree_at(lambda p: [b.points for b in p.blocks], problem, [None] * len(points))
    return jax.tree.map(lambda leaf: _everywhere(leaf, mesh) if eqx.is_array(leaf) else leaf, bare), points, factors


def _over(values: np.ndarray, mesh: Mesh) -> Array:
    """An array that every process has, its leading axis cut over the devices."""
    return jax.make_array_from_callback(values.shape, NamedSharding(mesh, _SPLIT), lambda index: values[index])


def _everywhere(values: Array, mesh: Mesh) -> Array:
    """An array that every process has, whole on every device."""
    host = np.asarray(values)
    return jax.make_array_from_callback(host.shape, NamedSharding(mesh, _SHARED), lambda index: host[index])


@eqx.filter_jit
def _gram_of_all(
    bare: LeastSquares, points: list[PyTree], factors: list[Array], flat: Array, mesh: Mesh
) -> tuple[Array, Array, Array]:
    def of_chunk(block: ResidualBlock, factor: Array, problem: LeastSquares, flat: Array) -> tuple[Array, Array, Array]:
        rows, jacobian = stacked_jacobian(block, factor, problem.unflatten(flat), problem.args)
        r, J = rows.reshape(-1), jacobian.reshape(rows.size, -1)
        return J.T @ J, J.T @ r, 0.5 * r @ r

    def of_device(problem: LeastSquares, points: list[PyTree], factors: list[Array], flat: Array) -> Any:
        parts = _added_up(of_chunk, problem, points, factors, flat)
        matrix = jnp.sum(jnp.stack([part[0] for part in parts]), axis=0)
        gradient = jnp.sum(jnp.stack([part[1] for part in parts]), axis=0)
        return jax.lax.psum((matrix, gradient, jnp.stack([part[2] for part in parts])), _AXIS)

    return _on_devices(of_device, bare, points, factors, flat, mesh)


@eqx.filter_jit
def _losses_of_all(bare: LeastSquares, points: list[PyTree], factors: list[Array], flats: Array, mesh: Mesh) -> Array:
    def of_chunk(block: ResidualBlock, factor: Array, problem: LeastSquares, flats: Array) -> Array:
        def at(flat: Array) -> Array:
            return 0.5 * jnp.sum(stacked_rows(block, factor, problem.unflatten(flat), problem.args) ** 2)

        return jax.lax.map(at, flats)

    def of_device(problem: LeastSquares, points: list[PyTree], factors: list[Array], flats: Array) -> Any:
        return jax.lax.psum(jnp.stack(_added_up(of_chunk, problem, points, factors, flats), axis=1), _AXIS)

    return _on_devices(of_device, bare, points, factors, flats, mesh)


def _added_up(
    of_chunk: Callable[..., Any], problem: LeastSquares, points: list[PyTree], factors: list[Array], weights: Array
) -> list[Any]:
    """Sums over the chunks of one device, for each block."""
    sums = []
    for block, where, factor in zip(problem.blocks, points, factors, strict=True):

        def value(chunk: tuple[PyTree, Array], block: ResidualBlock = block) -> Any:
            piece = eqx.tree_at(lambda b: b.points, block, chunk[0], is_leaf=lambda leaf: leaf is None)
            return of_chunk(piece, chunk[1], problem, weights)

        def add(total: Any, chunk: tuple[PyTree, Array], value: Callable[..., Any] = value) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, value(chunk)), None

        first, rest = (jax.tree.map(lambda leaf, s=s: leaf[s], (where, factor)) for s in (0, slice(1, None)))
        sums.append(jax.lax.scan(add, value(first), rest)[0])
    return sums


def _on_devices(
    of_device: Callable[..., Any],
    bare: LeastSquares,
    points: list[PyTree],
    factors: list[Array],
    weights: Array,
    mesh: Mesh,
) -> Any:
    numbers, fixed = eqx.partition(bare, eqx.is_array)

    def body(numbers: PyTree, points: list[PyTree], factors: list[Array], weights: Array) -> Any:
        return of_device(eqx.combine(numbers, fixed), points, factors, weights)

    specs = (_SHARED, _SPLIT, _SPLIT, _SHARED)
    return jax.shard_map(body, mesh=mesh, in_specs=specs, out_specs=_SHARED, check_vma=False)(
        numbers, points, factors, weights
    )
