"""Residual blocks: least squares made of point functions, their rows, Jacobians and Gram matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from sciml.errors import OptionError

CHUNK_BYTES = 16 * 2**20
"""Bytes of Jacobian that one chunk of points may fill; with it the memory of every pass is bounded."""


def _float64(value: Any) -> Array:
    return jnp.asarray(value, dtype=jnp.float64)


@final
class ResidualBlock(eqx.Module):
    """One kind of residual, e.g. an equation, a condition or a set of observations, on its own points.

    A block of N points contributes the rows `weight * residual(weights, point, args) / (scale * sqrt(N))`, so that half
    the sum of the squared rows is half the weighted mean square of the residual in its natural scale.

    Args:
        name: names the block in histories and messages.
        residual: point function `(weights, point, args) -> scalar or (m,)`; an `equinox.Module` with `__call__` or a
            plain function.
        points: pytree of arrays with one leading axis N: coordinates, and data that belong to a point such as an
            observed value.
        scale: natural size of the residual, scalar or `(m,)`.
        weight: importance of the block relative to the others.
    """

    name: str = eqx.field(static=True)
    residual: Callable[[PyTree, PyTree, PyTree], Array]
    points: PyTree
    scale: Array = eqx.field(converter=_float64, default=1.0)
    weight: Array = eqx.field(converter=_float64, default=1.0)

    def __check_init__(self) -> None:
        leaves = jax.tree.leaves(self.points)
        counts = {leaf.shape[0] if getattr(leaf, "ndim", 0) else 0 for leaf in leaves}
        if len(counts) != 1 or 0 in counts:
            raise OptionError(
                f"points with leading axes {sorted(counts)} in the residual block {self.name!r}",
                "arrays that share one leading axis of at least one point",
                "sample at least one point in every region that carries an equation, a condition or data",
            )

    @property
    def num_points(self) -> int:
        """N, the number of points."""
        return jax.tree.leaves(self.points)[0].shape[0]

    def row(self, weights: PyTree, point: PyTree, args: PyTree) -> Float[Array, " m"]:
        """The scaled residual at one point, without the factor 1/sqrt(N)."""
        return jnp.ravel(self.weight * self.residual(weights, point, args) / self.scale)


@final
class LeastSquares(eqx.Module):
    """The objective `1/2 sum rows(flat)**2` over flat weights in double precision.

    Args:
        weights: pytree of floating-point arrays which fixes the structure of the flat vector: network weights and
            unknown physical parameters together.
        blocks: the residual blocks.
        args: numbers and arrays that the residuals read and that are not optimised; they are traced, so new values
            never recompile.
    """

    template: PyTree
    blocks: tuple[ResidualBlock, ...]
    args: PyTree
    widths: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, weights: PyTree, blocks: Sequence[ResidualBlock], args: PyTree = None):
        if not blocks:
            raise OptionError("no residual blocks", "at least one", "pass the blocks of the equations to satisfy")
        _check_weights(weights)
        self.template = jax.tree.map(_float64, weights)
        self.blocks = tuple(blocks)
        self.args = args
        self.widths = tuple(_num_components(block, self.template, args) for block in blocks)

    @property
    def num_weights(self) -> int:
        """P, the length of the flat vector of weights."""
        return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(self.template))

    @property
    def bytes_per_point(self) -> tuple[int, ...]:
        """Bytes of Jacobian which one point of each block fills."""
        return tuple(8 * self.num_weights * width for width in self.widths)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the blocks, in the order of every per-block array."""
        return tuple(block.name for block in self.blocks)

    def flatten(self, weights: PyTree) -> Float[np.ndarray, " P"]:
        """Weights as one flat vector on the host."""
        return np.asarray(ravel_pytree(jax.tree.map(_float64, weights))[0])

    def unflatten(self, flat: Array | np.ndarray) -> PyTree:
        """The pytree of weights (double precision) which a flat vector stands for."""
        return ravel_pytree(self.template)[1](jnp.asarray(flat))

    def with_blocks(self, blocks: Sequence[ResidualBlock]) -> LeastSquares:
        """The same objective on other points; shapes must agree, so that nothing recompiles."""
        blocks = tuple(blocks)
        found, needed = (
            [(block.name, jax.tree.map(jnp.shape, block.points)) for block in group] for group in (blocks, self.blocks)
        )
        if found != needed:
            raise OptionError(
                f"resampled blocks {found}",
                f"blocks of the same names and shapes {needed}",
                "redraw as many points as before",
            )
        return eqx.tree_at(lambda problem: problem.blocks, self, blocks)


def _check_weights(weights: PyTree) -> None:
    leaves = jax.tree.leaves(weights)
    if not leaves or not all(eqx.is_inexact_array(jnp.asarray(leaf)) for leaf in leaves):
        raise OptionError(
            f"weights with leaves of types {sorted({type(leaf).__name__ for leaf in leaves})}",
            "a pytree of floating-point arrays",
            "split a network with `equinox.partition(network, equinox.is_inexact_array)`",
        )
    if not all(np.all(np.isfinite(np.asarray(leaf))) for leaf in leaves):
        raise OptionError(
            "weights that contain NaN or infinity", "finite numbers", "start from freshly initialised weights"
        )


def _num_components(block: ResidualBlock, weights: PyTree, args: PyTree) -> int:
    point = jax.tree.map(lambda leaf: leaf[0], block.points)
    return math.prod(eqx.filter_eval_shape(block.row, weights, point, args).shape)


@final
@dataclass(frozen=True)
class Gram:
    """JᵀJ, Jᵀr and half the sum of squares of each block, accumulated without keeping J.

    Shapes: matrix (P, P), gradient (P,), losses (blocks,).
    """

    matrix: np.ndarray
    gradient: np.ndarray
    losses: np.ndarray

    @property
    def loss(self) -> float:
        """`1/2 sum rows**2` over all blocks."""
        return float(self.losses.sum())


def chunks(
    block: ResidualBlock, bytes_per_point: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[tuple[ResidualBlock, Float[Array, " size"]]]:
    """Cut a block into pieces of one static shape.

    Args:
        block: the block to cut.
        bytes_per_point: memory that one point takes in the pass at hand.
        chunk_bytes: memory that a piece may take.

    Yields:
        Pairs of a block without a name that holds the points of the piece, so that blocks which differ in nothing else
        share a compilation, and the factor of its rows: 1/sqrt(N), or 0 where the last piece is padded with repeated
        points.
    """
    count = block.num_points
    pieces = math.ceil(count / max(1, chunk_bytes // bytes_per_point))
    size = math.ceil(count / pieces)
    for start in range(0, count, size):
        index = np.minimum(np.arange(start, start + size), count - 1)
        factor = jnp.where(jnp.arange(start, start + size) < count, 1 / math.sqrt(count), 0.0)
        points = block.points if pieces == 1 else jax.tree.map(lambda leaf, index=index: leaf[index], block.points)
        yield ResidualBlock("", block.residual, points, block.scale, block.weight), factor


def stacked_rows(block: ResidualBlock, factor: Array, weights: PyTree, args: PyTree) -> Float[Array, "points m"]:
    """Rows of a block, times a factor for each point."""
    rows = jax.vmap(lambda point: block.row(weights, point, args))(block.points)
    return rows * factor[:, None]


def stacked_jacobian(
    block: ResidualBlock, factor: Array, weights: PyTree, args: PyTree
) -> tuple[Float[Array, "points m"], Float[Array, "points m P"]]:
    """Rows and Jacobian by reverse mode at each point: 20 times faster than `jacrev` of the stacked rows."""

    def at_point(point: PyTree) -> tuple[Array, Array]:
        row, pullback = jax.vjp(lambda w: block.row(w, point, args), weights)
        cotangents = jnp.eye(row.shape[0])
        return row, jax.vmap(lambda cotangent: ravel_pytree(pullback(cotangent)[0])[0])(cotangents)

    rows, jacobian = jax.vmap(at_point)(block.points)
    return rows * factor[:, None], jacobian * factor[:, None, None]


@eqx.filter_jit
def _jacobian_of_chunk(
    block: ResidualBlock, factor: Array, weights: PyTree, args: PyTree
) -> tuple[Float[Array, " rows"], Float[Array, "rows P"]]:
    rows, jacobian = stacked_jacobian(block, factor, weights, args)
    return rows.reshape(-1), jacobian.reshape(rows.size, -1)


def loss_per_block(problem: LeastSquares, flat: Array, chunk_bytes: int = CHUNK_BYTES) -> Float[Array, " blocks"]:
    """Half the sum of squared rows of each block; differentiable, and in bounded memory under `jax.grad`.

    Args:
        problem: the objective.
        flat: weights, shape (P,).
        chunk_bytes: bound on the memory that a chunk of points may take.
    """
    weights = problem.unflatten(flat)

    def of_block(block: ResidualBlock, size: int) -> Array:
        @jax.checkpoint
        def of_chunk(points: PyTree, factor: Array) -> Array:
            piece = eqx.tree_at(lambda b: b.points, block, points)
            return 0.5 * jnp.sum(stacked_rows(piece, factor, weights, problem.args) ** 2)

        pieces = list(chunks(block, size, chunk_bytes))
        if len(pieces) == 1:
            return 0.5 * jnp.sum(stacked_rows(block, pieces[0][1], weights, problem.args) ** 2)
        points = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[piece.points for piece, _ in pieces])
        factors = jnp.stack([factor for _, factor in pieces])
        return jax.lax.map(lambda chunk: of_chunk(*chunk), (points, factors)).sum()

    return jnp.stack([of_block(*pair) for pair in zip(problem.blocks, problem.bytes_per_point, strict=True)])


@eqx.filter_jit
def _losses_at(problem: LeastSquares, flat: Array) -> Float[Array, " blocks"]:
    return loss_per_block(problem, flat)


def losses(problem: LeastSquares, flats: np.ndarray) -> Float[np.ndarray, "candidates blocks"]:
    """The loss of every block at several candidate weights; one compilation serves any number of them.

    Args:
        problem: the objective.
        flats: weights, one candidate a row, shape (candidates, P).
    """
    return np.stack([np.asarray(_losses_at(problem, jnp.asarray(flat))) for flat in flats])


@eqx.filter_jit
def residual_vector(problem: LeastSquares, flat: Float[Array, " P"]) -> Float[Array, " rows"]:
    """All rows stacked, block after block; half their sum of squares is the loss."""
    weights = problem.unflatten(flat)
    rows = [
        stacked_rows(block, jnp.full(block.num_points, 1 / math.sqrt(block.num_points)), weights, problem.args).reshape(
            -1
        )
        for block in problem.blocks
    ]
    return jnp.concatenate(rows)


def jacobian_rows(
    problem: LeastSquares, flat: Array | np.ndarray, chunk_bytes: int = CHUNK_BYTES
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows P"]]:
    """Rows and their exact Jacobian, kept on the host for orthogonal factorisations.

    Args:
        problem: the objective.
        flat: weights, shape (P,).
        chunk_bytes: bound on the memory of one compiled pass.

    Returns:
        The rows, shape (rows,), and the Jacobian, shape (rows, P).
    """
    weights = problem.unflatten(flat)
    rows, jacobians = [], []
    for block, width, size in zip(problem.blocks, problem.widths, problem.bytes_per_point, strict=True):
        parts = [
            _jacobian_of_chunk(piece, factor, weights, problem.args)
            for piece, factor in chunks(block, size, chunk_bytes)
        ]
        keep = block.num_points * width
        rows.append(np.concatenate([np.asarray(part[0]) for part in parts])[:keep])
        jacobians.append(np.concatenate([np.asarray(part[1]) for part in parts])[:keep])
    return np.concatenate(rows), np.concatenate(jacobians)


def block_gram(problem: LeastSquares, index: int, flat: Array | np.ndarray, chunk_bytes: int = CHUNK_BYTES) -> Gram:
    """JᵀJ, Jᵀr and the loss of one block, accumulated chunk by chunk.

    The products are NumPy's: its symmetric rank-k update is more than twice as fast as XLA's product on the CPU, and
    rounds in double precision on every device.

    Args:
        problem: the objective.
        index: which of its blocks.
        flat: weights, shape (P,).
        chunk_bytes: bound on the memory of one compiled pass.
    """
    count = problem.num_weights
    matrix, gradient, loss = np.zeros((count, count)), np.zeros(count), 0.0
    weights = problem.unflatten(flat)
    for piece, factor in chunks(problem.blocks[index], problem.bytes_per_point[index], chunk_bytes):
        rows, jacobian = map(np.asarray, _jacobian_of_chunk(piece, factor, weights, problem.args))
        matrix += jacobian.T @ jacobian
        gradient += jacobian.T @ rows
        loss += 0.5 * float(rows @ rows)
    return Gram(matrix, gradient, np.array([loss]))


def gram(problem: LeastSquares, flat: Array | np.ndarray, chunk_bytes: int = CHUNK_BYTES) -> Gram:
    """JᵀJ, Jᵀr and the losses of all blocks, without keeping J.

    Args:
        problem: the objective.
        flat: weights, shape (P,).
        chunk_bytes: bound on the memory of one compiled pass.
    """
    parts = [block_gram(problem, index, flat, chunk_bytes) for index in range(len(problem.blocks))]
    return Gram(
        matrix=sum((part.matrix for part in parts[1:]), parts[0].matrix),
        gradient=sum((part.gradient for part in parts[1:]), parts[0].gradient),
        losses=np.concatenate([part.losses for part in parts]),
    )
