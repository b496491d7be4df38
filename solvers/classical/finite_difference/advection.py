"""Schemes for first derivatives that carry information one way: central, upwind, WENO.

For the advective part of  u_t + a u_x = …  (speed a) the derivative is taken from the side the flow comes from,

    u_x  =  D^- u  where a > 0,  D^+ u  where a < 0,

and for a flux  u_t + f(u)_x = …  the face value is the sum of the two biased reconstructions of the split flux

    f^±(u) = (f(u) ± alpha u) / 2,   alpha >= |f'(u)|,

whose difference over a cell is the divergence, so that the sum over the nodes telescopes. Both need one thing from a
scheme: a left-biased value at a face from the cells around it. D^- is that reconstruction applied to the divided
differences of u.

Source: G.-S. Jiang and C.-W. Shu, Efficient implementation of weighted ENO schemes, doi:10.1006/jcph.1996.0130; G.-S.
Jiang and D. Peng, Weighted ENO schemes for Hamilton–Jacobi equations, doi:10.1137/S106482759732455X; R. Borges et al.,
An improved weighted essentially non-oscillatory scheme, doi:10.1016/j.jcp.2007.11.038.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.errors import OptionError
from solvers.classical.finite_difference.grid import Axis
from solvers.classical.finite_difference.stencils import fornberg_weights, wrap


class AbstractAdvection(abc.ABC):
    """How a derivative that transports is discretised along one axis."""

    @abc.abstractmethod
    def derivative(self, values: Array, speed: Array, axis: Axis, k: int, order: int) -> Array:
        """u_x at the nodes for a flow of the given speed.

        Args:
            values: u at the nodes.
            speed: a at the nodes, positive towards larger x.
            axis: the axis of x, and `k` its number in the arrays.
            order: order of accuracy of central differences.
        """

    @abc.abstractmethod
    def divergence(self, flux: Array, values: Array, bound: Array, axis: Axis, k: int, order: int) -> Array:
        """f(u)_x at the nodes, in conservation form.

        Args:
            flux: f(u) at the nodes.
            values: u at the nodes, with the sign of the transport: u_t + f_x = …
            bound: |f'(u)| or more at the nodes.
            axis: the axis of x, and `k` its number in the arrays.
            order: order of accuracy of central differences.
        """


@final
@dataclasses.dataclass(frozen=True)
class Central(AbstractAdvection):
    """Central differences: no dissipation; for smooth solutions, or where diffusion resolves every front."""

    def derivative(self, values: Array, speed: Array, axis: Axis, k: int, order: int) -> Array:
        """u_x by the central stencil, whatever the speed."""
        return axis.stencil(1, order)(values, k)

    def divergence(self, flux: Array, values: Array, bound: Array, axis: Axis, k: int, order: int) -> Array:
        """f(u)_x by the central stencil."""
        return axis.stencil(1, order)(flux, k)


class AbstractUpwind(AbstractAdvection):
    """Schemes made of a left-biased reconstruction over 2 r - 1 cells."""

    @property
    @abc.abstractmethod
    def radius(self) -> int:
        """r: the cells on either side of the upwind cell, itself counted."""

    @property
    @abc.abstractmethod
    def ghost_degree(self) -> int:
        """Degree of the polynomial that continues values beyond an end."""

    @abc.abstractmethod
    def reconstruct(self, cells: Sequence[Array]) -> Array:
        """Value at the downwind face of the middle cell, from 2 r - 1 cells in the order of the flow."""

    def derivative(self, values: Array, speed: Array, axis: Axis, k: int, order: int) -> Array:
        """u_x from the side the flow comes from."""
        differences = jnp.diff(_continued(values, self, axis, k), axis=k) / axis.spacing
        cells = range(2 * self.radius - 1)
        minus = self.reconstruct([_window(differences, c, axis.size, k) for c in cells])
        plus = self.reconstruct([_window(differences, 2 * self.radius - 1 - c, axis.size, k) for c in cells])
        return jnp.where(speed > 0, minus, plus)

    def divergence(self, flux: Array, values: Array, bound: Array, axis: Axis, k: int, order: int) -> Array:
        """f(u)_x from the two halves of the Lax–Friedrichs flux."""
        alpha = jnp.max(bound, axis=k, keepdims=True)
        rightward = _continued((flux + alpha * values) / 2, self, axis, k)
        leftward = _continued((flux - alpha * values) / 2, self, axis, k)
        cells = range(2 * self.radius - 1)
        faces = self.reconstruct([_window(rightward, c, axis.size + 1, k) for c in cells])
        faces += self.reconstruct([_window(leftward, 2 * self.radius - 1 - c, axis.size + 1, k) for c in cells])
        return jnp.diff(faces, axis=k) / axis.spacing


_UPWIND_WEIGHTS = {1: (1.0,), 3: (-1 / 6, 5 / 6, 2 / 6), 5: (2 / 60, -13 / 60, 47 / 60, 27 / 60, -3 / 60)}


@final
@dataclasses.dataclass(frozen=True)
class Upwind(AbstractUpwind):
    """Linear upwind-biased differences of order 1, 3 or 5: order 1 is monotone, 3 and 5 overshoot at a jump.

    Args:
        order: order of accuracy.
    """

    order: int = 3

    def __post_init__(self):
        if self.order not in _UPWIND_WEIGHTS:
            raise OptionError(f"Upwind(order={self.order!r})", "order 1, 3 or 5", "choose one of these")

    @property
    def radius(self) -> int:
        """1, 2 or 3."""
        return (self.order + 1) // 2

    @property
    def ghost_degree(self) -> int:
        """The highest degree that keeps every mode at an end decaying."""
        return self.order - 1

    def reconstruct(self, cells: Sequence[Array]) -> Array:
        """Fixed weights."""
        return sum((w * cell for w, cell in zip(_UPWIND_WEIGHTS[self.order], cells, strict=True)), start=jnp.zeros(()))


@final
@dataclasses.dataclass(frozen=True)
class WENO(AbstractUpwind):
    """Weighted essentially non-oscillatory reconstruction, fifth order where smooth, with the WENO-Z weights."""

    @property
    def radius(self) -> int:
        """3: five cells."""
        return 3

    @property
    def ghost_degree(self) -> int:
        """Low, since a front may leave through the end."""
        return 2

    def reconstruct(self, cells: Sequence[Array]) -> Array:
        """Three parabolas, weighted by their smoothness."""
        a, b, c, d, e = cells
        candidates = ((2 * a - 7 * b + 11 * c) / 6, (-b + 5 * c + 2 * d) / 6, (2 * c + 5 * d - e) / 6)
        roughness = (
            13 / 12 * (a - 2 * b + c) ** 2 + (a - 4 * b + 3 * c) ** 2 / 4,
            13 / 12 * (b - 2 * c + d) ** 2 + (b - d) ** 2 / 4,
            13 / 12 * (c - 2 * d + e) ** 2 + (3 * c - 4 * d + e) ** 2 / 4,
        )
        gap = jnp.abs(roughness[0] - roughness[2])
        raw = [w * (1 + (gap / (r + 1e-40)) ** 2) for w, r in zip((0.1, 0.6, 0.3), roughness, strict=True)]
        return sum((w * value for w, value in zip(raw, candidates, strict=True)), start=jnp.zeros(())) / sum(raw)


def _window(values: Array, start: int, size: int, k: int) -> Array:
    return jax.lax.slice_in_dim(values, start, start + size, axis=k)


def _continued(values: Array, scheme: AbstractUpwind, axis: Axis, k: int) -> Array:
    """Values with `radius` ghosts on either side: periodic, or a polynomial through the nodes at the end."""
    ghosts = scheme.radius
    if axis.periodic:
        return wrap(values, k, ghosts, ghosts)
    nodes = scheme.ghost_degree + 1
    rows = np.array([fornberg_weights(float(j), np.arange(nodes), 0) for j in range(-ghosts, 0)])
    below = _mix(rows, _window(values, 0, nodes, k), k)
    above = _mix(rows[::-1, ::-1], _window(values, axis.size - nodes, nodes, k), k)
    return jnp.concatenate([below, values, above], axis=k)


def _mix(rows: Float[np.ndarray, "ghosts nodes"], values: Array, k: int) -> Array:
    return jnp.moveaxis(jnp.tensordot(jnp.asarray(rows, values.dtype), values, axes=(1, k)), 0, k)
