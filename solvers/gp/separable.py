r"""The linear part of an equation as a sum of Kronecker products of one-axis factors.

$L u = \sum_t c_t\, w_{t1}(x_1)\,\partial_1^{p_{t1}} \otimes \cdots \otimes w_{td}(x_d)\,\partial_d^{p_{td}} u$,
read from the tree with `split`. A coefficient that is not a product of functions of one coordinate is replaced by its
mean, and the operator is then marked as approximate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.expr.linear import terms
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


def read_operator(
    linear: Mapping[Scalar, Scalar], axes: tuple[Coordinate, ...], evaluate_at_nodes: Any, shape: tuple[int, ...]
) -> KroneckerOperator:
    """Factor $\\sum_a c_a a$ into Kronecker products.

    Args:
        linear: coefficient of each atom of the one unknown.
        axes: coordinates, one an axis.
        evaluate_at_nodes: expression ↦ its values on the tensor grid, an array that broadcasts to `shape`.
        shape: nodes along each axis.
    """
    found: Terms = {}
    exact = True
    for atom, coefficient in linear.items():
        orders = derivative_orders(atom, axes)
        for part in terms(coefficient):
            values = np.asarray(evaluate_at_nodes(part), float)
            values = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
            scale, weights, separates = factor_product(values)
            exact &= separates
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
