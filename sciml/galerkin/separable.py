r"""The linear part of an equation as a sum of Kronecker products of one-axis factors.

$L u = \sum_t c_t\, w_{t1}(x_1)\,\partial_1^{p_{t1}} \otimes \cdots \otimes w_{td}(x_d)\,\partial_d^{p_{td}} u$,
read from the tree with `split`. A coefficient that is not a product of functions of one coordinate is replaced by its
mean, and the operator is then marked as approximate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import multi_index

_SEPARABLE = 1e-13


@final
@dataclass(frozen=True)
class Factor:
    """One axis of a term: multiplication by weights at the nodes after a derivative.

    Attributes:
        order: of the derivative.
        weights: $w(x)$ at the nodes as bytes, or None for 1; bytes so that equal factors are equal keys.
    """

    order: int
    weights: bytes | None = None

    @property
    def values(self) -> np.ndarray | None:
        """Weights at the nodes."""
        return None if self.weights is None else np.frombuffer(self.weights)


IDENTITY = Factor(0)

Terms = dict[tuple[Factor, ...], float]
"""Scalar coefficient of each Kronecker product."""


@final
@dataclass(frozen=True)
class KroneckerOperator:
    """A separable operator; exact, or an approximation of one that is not."""

    terms: Terms
    exact: bool


def derivative_orders(atom: Scalar, axes: tuple[Coordinate, ...]) -> tuple[int, ...]:
    """How often an atom is differentiated along each axis."""
    index = multi_index(atom)
    return tuple(sum(x.digest == axis.digest for x in index) for axis in axes)


def averaged(operator: KroneckerOperator) -> KroneckerOperator:
    """The operator with every weight replaced by its mean over the nodes."""
    found: Terms = {}
    for key, c in operator.terms.items():
        means = [1.0 if f.values is None else float(f.values.mean()) for f in key]
        plain = tuple(Factor(f.order) for f in key)
        found[plain] = found.get(plain, 0.0) + c * float(np.prod(means))
    return KroneckerOperator(found, False)


def read_operator(
    parts: Iterable[tuple[Scalar, np.ndarray]], axes: tuple[Coordinate, ...], shape: tuple[int, ...]
) -> KroneckerOperator:
    """Factor $\\sum_a c_a a$ into Kronecker products.

    Args:
        parts: atoms of the one unknown, each with (a summand of) its coefficient's values on the tensor grid, which
            broadcast to `shape`.
        axes: coordinates, one an axis.
        shape: nodes along each axis.
    """
    found: Terms = {}
    exact = True
    for atom, values in parts:
        values = np.asarray(values, float).reshape((1,) * (len(shape) - np.ndim(values)) + np.shape(values))
        scale, weights, separates = factor_product(values)
        exact &= separates
        orders = derivative_orders(atom, axes)
        key = tuple(Factor(p, w if w is None else w.tobytes()) for p, w in zip(orders, weights, strict=True))
        found[key] = found.get(key, 0.0) + scale
    return KroneckerOperator({k: c for k, c in found.items() if c != 0}, exact)


def factor_product(values: np.ndarray) -> tuple[float, list[np.ndarray | None], bool]:
    r"""Write an array as $c\, w_1 \otimes \cdots \otimes w_d$; its mean if that is impossible.

    Axes of length 1 (along which it is constant) have no weights.

    Returns:
        c, the weights of each axis (None where constant), and whether the product equals the array.
    """
    centre = np.unravel_index(np.argmax(np.abs(values)), values.shape)
    pivot = float(values[centre])
    if pivot == 0:
        return 0.0, [None] * values.ndim, True
    weights: list[np.ndarray | None] = []
    product = np.full((1,) * values.ndim, pivot)
    for k in range(values.ndim):
        line = values[tuple(slice(None) if j == k else centre[j] for j in range(values.ndim))] / pivot
        constant = np.ptp(line) <= _SEPARABLE * np.max(np.abs(line))
        weights.append(None if constant else line)
        product = product * line.reshape([-1 if j == k else 1 for j in range(values.ndim)])
    if np.max(np.abs(product - values)) <= _SEPARABLE * abs(pivot) * values.ndim:
        return pivot, weights, True
    return float(values.mean()), [None] * values.ndim, False
