r"""A linearised operator applied in the trial and test spaces, with no more of the grid than its coefficients ask for.

$z \mapsto W^TQ^T \sum_a s_a\,\partial^a (Nz)$ with values $s_a$ on the nodes. A product of functions of one coordinate
is a Kronecker product of small matrices. Of the others only the axes along which some $s_a$ varies go to the nodes and
back; along the rest, as along time where velocities are steady, the small matrix of $\partial^a$ does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.expr.nodes import Scalar
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.separable import Factor, derivative_orders, factor_product


@final
@dataclass(frozen=True, eq=False)
class LinearisedOperator:
    """The operator; call it on a tensor of free coefficients.

    Attributes:
        products: scalars and matrices of each axis, of the terms that separate.
        others: of each set of varying axes, values with the matrices that lead to them, and those that lead back.
    """

    products: tuple[tuple[float, tuple[np.ndarray, ...]], ...]
    others: tuple[OnNodes, ...]

    def __call__(self, z: np.ndarray) -> np.ndarray:
        parts = [c * kronecker(matrices, z) for c, matrices in self.products]
        return sum((other(z) for other in self.others), start=sum(parts, start=np.zeros(())))


@final
@dataclass(frozen=True, eq=False)
class OnNodes:
    """Terms whose coefficients vary along the same axes.

    Attributes:
        terms: each coefficient's values, of length 1 along the other axes, and the matrices of all axes.
        back: tests on the nodes of the axes along which they vary, else None.
    """

    terms: tuple[tuple[np.ndarray, tuple[np.ndarray, ...]], ...]
    back: tuple[np.ndarray | None, ...]

    def __call__(self, z: np.ndarray) -> np.ndarray:
        total = np.zeros(())
        for values, matrices in self.terms:
            total = total + values * kronecker(matrices, z)
        return kronecker(self.back, total)


def linearised_operator(discrete: Discretisation, slopes: Mapping[Scalar, np.ndarray]) -> LinearisedOperator:
    """The operator of derivatives of the residual with respect to the unknown's atoms.

    Args:
        discrete: the discrete problem.
        slopes: of each atom, values on the nodes, which they broadcast to.
    """
    spaces, axes = discrete.spaces, discrete.statement.axes
    products, others = [], {}
    for atom, slope in slopes.items():
        values = np.asarray(slope, float)
        values = values.reshape((1,) * (len(axes) - values.ndim) + values.shape)
        orders = derivative_orders(atom, axes)
        scale, weights, separates = factor_product(values)
        if separates:
            factors = [Factor(p, w if w is None else w.tobytes()) for p, w in zip(orders, weights, strict=True)]
            products.append((scale, tuple(s.matrices([f])[f] for s, f in zip(spaces, factors, strict=True))))
            continue
        matrices = tuple(
            s.matrices([Factor(p)])[Factor(p)] if n == 1 else s.values[p] @ s.trial
            for s, p, n in zip(spaces, orders, values.shape, strict=True)
        )
        others.setdefault(tuple(n > 1 for n in values.shape), []).append((values, matrices))
    back = {
        varying: tuple(s.test.T @ s.values[0].T if v else None for s, v in zip(spaces, varying, strict=True))
        for varying in others
    }
    return LinearisedOperator(tuple(products), tuple(OnNodes(tuple(t), back[v]) for v, t in others.items()))
