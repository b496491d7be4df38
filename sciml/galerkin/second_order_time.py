r"""The time axis of an equation of second order: values handed on exactly, rates weakly, which no mode can blow up.

With value and rate both imposed and the equation tested on the range of $\partial_{tt}$, a fast mode that the slab
does not resolve is amplified by about the number of its functions, and so is noise, slab after slab. Here the field is
continued backwards with the given rate $v_0$, so that its second derivative is that of a distribution,

$$u_{tt} \to u_{tt} + \delta_0(t)\,(u_t(t_0) - v_0),$$

and tested with derivatives of trial functions. For $u_{tt} + \lambda u = 0$ the test function $u_t$ gives
$E(t_1) = E(t_0) - \tfrac12(u_t(t_0) - v_0)^2$: energy does not grow, whatever $\lambda$ and the length of the slab, up
to what the basis lacks of its own derivatives: a hundredth, for modes too fast for the slab. The jump is of the order
of the residual.

Source: Hulbert & Hughes, "Space-time finite element methods for second-order hyperbolic equations" (1990),
doi:10.1016/0045-7825(90)90082-W.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np
from scipy.linalg import null_space, svd

from sciml.galerkin.eigenbasis import Eigenbasis
from sciml.galerkin.separable import IDENTITY, Factor
from sciml.galerkin.spaces import FaceRow


@final
@dataclass(frozen=True, eq=False)
class SecondOrderTime:
    """A time axis with an initial value and an initial rate; has the members of `sciml.galerkin.spaces.AxisSpace`.

    The basis is that of the axis and one function more, which vanishes: its coefficient is the given rate, and its
    second derivative is $-\\delta_0$. So data enter where they always do, as coefficients that a row fixes.

    Attributes:
        axis_basis: eigenbasis on the nodes of a quadrature rule.
        weights: of these nodes.
        rows: the conditions on the value and on the rate, in this order.
        order: 2.
        modes: what `separable_inverse` has diagonalised on this axis.
        projected: matrices of the factors that were asked for before.
    """

    axis_basis: Eigenbasis
    weights: np.ndarray
    rows: tuple[FaceRow, ...]
    order: int = 2
    modes: dict[Any, Any] = field(default_factory=dict, repr=False)
    projected: dict[Factor, np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def basis(self) -> Eigenbasis:
        """The basis with the vanishing function as its last."""
        own = self.axis_basis
        return Eigenbasis(
            own.features,
            _with_zeros(own.transform, 0, 1),
            np.append(own.scales, own.scales[0]),
            own.nodes,
            _with_zeros(own.vectors, 0, 1),
        )

    @cached_property
    def _start(self) -> list[np.ndarray]:
        """Values and rates of the functions at the start, `(rank,)` each."""
        return [jet[0] for jet in self.axis_basis.at(np.array([self.rows[0].position]), 1)]

    @cached_property
    def _gram(self) -> np.ndarray:
        """Inner products over the interval."""
        q = self.axis_basis.vectors
        return q.T @ (self.weights[:, None] * q)

    @cached_property
    def values(self) -> list[np.ndarray]:
        """Functions and derivatives on the nodes, `(n, rank + 1)`; the second in the sense of distributions."""
        own = self.axis_basis
        first, second = own.at(own.nodes, 2)[1:]
        delta = own.vectors @ np.linalg.solve(self._gram, self._start[0])
        jump = np.column_stack([second + np.outer(delta, self._start[1]), -delta])
        return [self.basis.vectors, _with_zeros(first, 0, 1), jump]

    @cached_property
    def analysis(self) -> np.ndarray:
        """Coefficients of a function from its values on the nodes, `(rank + 1, n)`; the last is its rate."""
        own = self.axis_basis
        return np.vstack([own.vectors.T, self._start[1] @ own.vectors.T])

    @cached_property
    def constraint(self) -> np.ndarray:
        """B, `(2, rank + 1)`: the value at the start; the coefficient that is the rate."""
        value, rate = self.rows
        return np.stack(
            [np.append(value.coefficients[0] * self._start[0], 0.0), _unit(self.basis.rank) * rate.coefficients[1]]
        )

    def row(self, r: FaceRow) -> np.ndarray:
        """One condition as a row over the basis, as it is for a function: what a solution is judged by."""
        jets = self.basis.at(np.array([r.position]), len(r.coefficients) - 1)
        return sum(c * jet[0] for c, jet in zip(r.coefficients, jets, strict=True))  # type: ignore[return-value]

    @cached_property
    def lift(self) -> np.ndarray:
        """P, `(rank + 1, 2)`: the prior's mean given the value, and the coefficient of the rate."""
        value, rate = self.constraint
        weighted = self.basis.scales**2 * value
        return np.column_stack([weighted / (value @ weighted), _unit(self.basis.rank) / rate[-1]])

    @cached_property
    def trial(self) -> np.ndarray:
        """N, `(rank + 1, rank - 1)`, orthonormal: functions that vanish at the start."""
        return _with_zeros(null_space(self._start[0][None] / np.linalg.norm(self._start[0]), rcond=1e-13), 1, 0)

    @cached_property
    def test(self) -> np.ndarray:
        """W, `(rank + 1, rank - 1)`: inner products with derivatives."""
        own = self.axis_basis
        rates = svd(own.vectors.T @ own.at(own.nodes, 1)[1], full_matrices=False)[0][:, : own.rank - 1]
        return _with_zeros(self._gram @ rates, 1, 0)

    @property
    def free(self) -> int:
        """Dimension of the trial space."""
        return self.axis_basis.rank - 1

    def project(self, factor: Factor) -> np.ndarray:
        """$Q^T w\\,\\psi^{(p)}$: a factor within the basis."""
        weights, derivative = factor.values, self.values[factor.order]
        return self.values[0].T @ (derivative if weights is None else weights[:, None] * derivative)

    def matrices(self, factors: Iterable[Factor]) -> dict[Factor, np.ndarray]:
        """$W^T Q^T w\\,\\psi^{(p)} N$ for each factor, always with the identity's."""
        needed = {IDENTITY, *factors}
        for f in needed - self.projected.keys():
            self.projected[f] = self.test.T @ self.project(f) @ self.trial
        return {f: self.projected[f] for f in needed}


def is_second_order_start(rows: tuple[FaceRow, ...], order: int) -> bool:
    """Whether the rows of a time axis are a value and a rate at its start."""
    return (
        order == 2
        and len(rows) == 2
        and rows[0].position == rows[1].position
        and rows[0].coefficients[0] != 0
        and not any(rows[0].coefficients[1:])
        and rows[1].coefficients[0] == 0
    )


def _with_zeros(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.pad(matrix, ((0, rows), (0, columns)))


def _unit(size: int) -> np.ndarray:
    """The last unit vector."""
    return np.eye(size)[-1]
