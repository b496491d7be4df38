"""A residual vector and its Jacobian at some weights, in the form in which damped steps are cheapest.

With R rows and P weights: the normal equations in weights (`R P² + P³/3` flops a damping, memory P²) where R ≥ P, those
in rows (`R² P + R³/3`, memory R P) where R < P, and in both the singular values of J where the damping is so small that
squaring the condition number would lose the digits of the step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from sciml.optimise.blocks import Gram, LeastSquares, gram, jacobian_rows, residual_vector
from sciml.optimise.damped_steps import RELATIVE_DAMPING_FLOOR, cholesky_steps, dual_steps, singular_value_steps
from sciml.optimise.sharding import sharded_gram


class AbstractLinearisation(ABC):
    """r and J at some weights."""

    @property
    @abstractmethod
    def losses(self) -> Float[np.ndarray, " blocks"]:
        """Half the sum of squared rows of each block."""

    @property
    @abstractmethod
    def gradient(self) -> Float[np.ndarray, " P"]:
        """Jᵀr."""

    @property
    @abstractmethod
    def diagonal(self) -> Float[np.ndarray, " P"]:
        """Diagonal of JᵀJ."""

    @abstractmethod
    def steps(
        self, scaling: np.ndarray, dampings: np.ndarray, rows: np.ndarray | None = None
    ) -> Float[np.ndarray, "K P"]:
        """Solve `(JᵀJ + λ diag(scaling)) δ = -Jᵀr` for several λ.

        Args:
            scaling: positive weights of the trust region.
            dampings: the values of λ.
            rows: takes the place of r.
        """

    @property
    def loss(self) -> float:
        """`1/2 |r|²`."""
        return float(self.losses.sum())

    @property
    def gradient_cosine(self) -> float:
        """Largest cosine between the residual and a column of J: zero at a stationary point, at any scale (MINPACK)."""
        norms = np.sqrt(self.diagonal * 2 * self.loss)
        return float(np.max(np.abs(self.gradient) / np.where(norms > 0, norms, np.inf), initial=0.0))

    def needs_singular_values(self, scaling: np.ndarray, dampings: np.ndarray) -> bool:
        """Whether the damping is too small for normal equations."""
        return bool(dampings.min() <= RELATIVE_DAMPING_FLOOR * np.sum(self.diagonal / scaling))


@final
@dataclass(frozen=True, eq=False)
class Primal(AbstractLinearisation):
    """JᵀJ and Jᵀr; J itself is formed again where singular values are asked for.

    Attributes:
        problem: the objective.
        flat: weights.
        equations: JᵀJ, Jᵀr and the losses.
        chunk_bytes: memory that the Jacobian of one chunk of points may take.
    """

    problem: LeastSquares
    flat: np.ndarray
    equations: Gram
    chunk_bytes: int

    @property
    def losses(self) -> Float[np.ndarray, " blocks"]:
        return self.equations.losses

    @property
    def gradient(self) -> Float[np.ndarray, " P"]:
        return self.equations.gradient

    @cached_property
    def diagonal(self) -> Float[np.ndarray, " P"]:
        return self.equations.matrix.diagonal()

    def steps(
        self, scaling: np.ndarray, dampings: np.ndarray, rows: np.ndarray | None = None
    ) -> Float[np.ndarray, "K P"]:
        if self.needs_singular_values(scaling, dampings):
            own, jacobian = jacobian_rows(self.problem, self.flat, self.chunk_bytes)
            return singular_value_steps(own if rows is None else rows, jacobian, scaling, dampings)
        gradient = self.gradient if rows is None else pulled_back(self.problem, self.flat, rows)
        return cholesky_steps(self.equations.matrix, gradient, scaling, dampings)


@final
@dataclass(frozen=True, eq=False)
class Dual(AbstractLinearisation):
    """r and J, with fewer rows than weights.

    Attributes:
        rows: r.
        jacobian: J.
        counts: rows of each block.
    """

    rows: np.ndarray
    jacobian: np.ndarray
    counts: tuple[int, ...]

    @cached_property
    def losses(self) -> Float[np.ndarray, " blocks"]:
        return np.array([0.5 * part @ part for part in np.split(self.rows, np.cumsum(self.counts)[:-1])])

    @cached_property
    def gradient(self) -> Float[np.ndarray, " P"]:
        return self.jacobian.T @ self.rows

    @cached_property
    def diagonal(self) -> Float[np.ndarray, " P"]:
        return np.einsum("rp,rp->p", self.jacobian, self.jacobian)

    def steps(
        self, scaling: np.ndarray, dampings: np.ndarray, rows: np.ndarray | None = None
    ) -> Float[np.ndarray, "K P"]:
        solve = singular_value_steps if self.needs_singular_values(scaling, dampings) else dual_steps
        return solve(self.rows if rows is None else rows, self.jacobian, scaling, dampings)


def linearise(
    problem: LeastSquares, flat: np.ndarray, chunk_bytes: int, mesh: Mesh | None = None
) -> AbstractLinearisation:
    """The cheaper form for the numbers of rows and of weights.

    Args:
        problem: the objective.
        flat: weights, shape (P,).
        chunk_bytes: memory that the Jacobian of one chunk of points may take.
        mesh: devices over which the points of normal equations in weights are spread; None for one device.
    """
    counts = tuple(b.num_points * width for b, width in zip(problem.blocks, problem.widths, strict=True))
    if sum(counts) < problem.num_weights:
        return Dual(*jacobian_rows(problem, flat, chunk_bytes), counts)
    equations = gram(problem, flat, chunk_bytes) if mesh is None else sharded_gram(problem, flat, mesh, chunk_bytes)
    return Primal(problem, flat, equations, chunk_bytes)


@eqx.filter_jit
def _pullback(problem: LeastSquares, flat: Array, rows: Array) -> Array:
    return jax.vjp(lambda w: residual_vector(problem, w), flat)[1](rows)[0]


def pulled_back(problem: LeastSquares, flat: np.ndarray, rows: np.ndarray) -> Float[np.ndarray, " P"]:
    """Jᵀ times other rows than r."""
    return np.asarray(_pullback(problem, jnp.asarray(flat), jnp.asarray(rows)))


@eqx.filter_jit
def _bending(problem: LeastSquares, flat: Array, velocity: Array) -> Array:
    def rate(w: Array) -> Array:
        return jax.jvp(lambda v: residual_vector(problem, v), (w,), (velocity,))[1]

    return jax.jvp(rate, (flat,), (velocity,))[1]


def bending(problem: LeastSquares, flat: np.ndarray, velocity: np.ndarray) -> Float[np.ndarray, " rows"]:
    """Second derivative of the residual vector along a direction."""
    return np.asarray(_bending(problem, jnp.asarray(flat), jnp.asarray(velocity)))
