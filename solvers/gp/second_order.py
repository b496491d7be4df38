r"""A slab of an equation of second order in time: solved with a weak initial rate, read back into the ordinary spaces.

With value and rate both imposed on nodes of equal spacing, fast modes gain a factor in every slab, and so does the
noise that the slab before hands on. `SecondOrderTime` takes the rate weakly, so that no mode gains energy, as far as
its inner products are integrals: Gregory's end corrections make those of equally spaced nodes accurate to the fourth
order. In space Gauss-Legendre nodes keep the eigenvalues of the second derivative real, which those of equally spaced
nodes need not be. The solution is then read on the ordinary nodes, where residual and posterior expect it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, final

import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.eigenbasis import Eigenbasis, eigenbasis
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.second_order_time import SecondOrderTime, is_second_order_start
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import Statement

_GREGORY = np.array([3 / 8, 7 / 6, 23 / 24])


@final
@dataclass(frozen=True, eq=False)
class Solving:
    """Spaces in which a statement is solved, and the way from there to the ordinary ones.

    Attributes:
        discrete: the spaces.
        back: matrix of each axis that turns coefficients into those of the ordinary spaces; None where they are equal.
    """

    discrete: Discretisation
    back: tuple[np.ndarray | None, ...]

    def read(self, C: np.ndarray) -> np.ndarray:
        """Coefficients in the ordinary spaces."""
        return kronecker(self.back, C)


def solving_spaces(discrete: Discretisation) -> Solving:
    """The spaces themselves; for a slab of an equation of second order in time, those that pass no energy on."""
    statement = discrete.statement
    if not (statement.interval is not None and starts_with_rate(statement)):
        return Solving(discrete, (None,) * len(discrete.spaces))
    spaces: list[AxisSpace] = []
    back: list[np.ndarray | None] = []
    for k, (x, space) in enumerate(zip(statement.axes, discrete.spaces, strict=True)):
        basis = space.basis
        if x.is_time:
            weak = SecondOrderTime(basis, gregory_weights(basis.nodes), space.rows)
            spaces.append(cast(AxisSpace, weak))
            back.append(np.eye(basis.rank, basis.rank + 1))
        elif statement.is_periodic(k):
            spaces.append(space)
            back.append(None)
        else:
            own = _on_gauss_nodes(basis)
            spaces.append(AxisSpace(own, space.rows, space.order))
            back.append(basis.vectors.T @ own.at(basis.nodes)[0])
    return Solving(Discretisation(statement, tuple(spaces)), tuple(back))


def starts_with_rate(statement: Statement) -> bool:
    """Whether the time axis has an initial value and an initial rate, for an equation of second order."""
    time = next(k for k, x in enumerate(statement.axes) if x.is_time)
    return is_second_order_start(statement.rows(time), statement.orders[time])


def gregory_weights(nodes: np.ndarray) -> np.ndarray:
    """Weights of a quadrature on equally spaced nodes with both ends, accurate to the fourth order."""
    weights = np.ones(nodes.size)
    weights[:3], weights[-3:] = _GREGORY, _GREGORY[::-1]
    return weights * (nodes[1] - nodes[0])


def _on_gauss_nodes(basis: Eigenbasis) -> Eigenbasis:
    lower, upper = basis.nodes[0], basis.nodes[-1]
    places = np.polynomial.legendre.leggauss(basis.nodes.size)[0]
    return eigenbasis(basis.features, (lower + upper) / 2 + (upper - lower) / 2 * places)
