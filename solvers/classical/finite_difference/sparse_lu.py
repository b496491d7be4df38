"""A sparse direct solver in lineax's shape, for the Newton systems of diffrax's implicit methods.

The matrix is read from the operator by coloured products inside the compiled program; SuperLU factorises it on the
host. A step solves with one matrix many times, so the last factors are kept and found again by a digest of the
entries.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import lru_cache
from typing import Any, final

import equinox as eqx
import jax
import lineax as lx
import numpy as np
from jaxtyping import Array

from sciml.errors import UnsupportedProblemError
from solvers.classical.finite_difference.factors import Solve, factorise
from solvers.classical.finite_difference.sparsity import Pattern

_KEPT_FACTORS = 2


@final
class FactorCache:
    """Factors of the last few matrices of one pattern, found by their entries: a pure function with a memory."""

    def __init__(self, pattern: Pattern):
        self._pattern = pattern
        self._factors: OrderedDict[bytes, Solve | None] = OrderedDict()

    def solve(self, entries: np.ndarray, rhs: np.ndarray) -> np.ndarray:
        """The solution; NaN where the matrix is singular or not finite: a failed step to the time stepper."""
        entries, rhs = np.ascontiguousarray(entries), np.asarray(rhs)
        digest = hashlib.blake2b(entries.tobytes(), digest_size=16).digest()
        if digest not in self._factors:
            axes = len(self._pattern.colouring.reach)
            self._factors[digest] = factorise(self._pattern.matrix(entries), axes)
            while len(self._factors) > _KEPT_FACTORS:
                self._factors.popitem(last=False)
        factors = self._factors[digest]
        if factors is None:
            return np.full_like(rhs, np.nan)
        return factors(rhs.ravel()).reshape(rhs.shape)


factor_cache = lru_cache(maxsize=8)(FactorCache)
"""The one memory of each pattern: compiled programs hold it, so an equal pattern finds its program again."""


@final
class SparseLU(lx.AbstractLinearSolver):
    """Solve J x = b for a square operator on grid arrays `(fields, *grid)` whose sparsity is known.

    Args:
        pattern: where the operator may differ from zero.
    """

    pattern: Pattern = eqx.field(static=True)

    def init(self, operator: lx.AbstractLinearOperator, options: dict[str, Any]) -> Array:
        """Entries of the operator on the pattern."""
        return self.pattern.traced_values(operator.mv)

    def compute(self, state: Array, vector: Array, options: dict[str, Any]) -> tuple[Array, lx.RESULTS, dict[str, Any]]:
        """Factorise on the host, or find the factors, and substitute."""
        shape = jax.ShapeDtypeStruct(vector.shape, vector.dtype)
        return jax.pure_callback(factor_cache(self.pattern).solve, shape, state, vector), lx.RESULTS.successful, {}

    def transpose(self, state: Array, options: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
        """Not needed by time stepping, which differentiates forwards only."""
        raise UnsupportedProblemError(
            "reverse-mode differentiation through an implicit step", "forward mode", "use jvp"
        )

    def conj(self, state: Array, options: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
        """Real matrices are their own conjugate."""
        return state, options

    def assume_full_rank(self) -> bool:
        """A singular matrix gives NaN, not a least-squares solution."""
        return True
