r"""Residuals and time derivatives of a system at its nodes.

Equation i is affine in the highest time derivatives, $R_i = \sum_j M_{ij}\,\dot w_j + R_i|_{\dot w=0}$, so the rates
solve a small linear system at each node. What an advection scheme needs is read from the same residual: the speed in
$\partial_x u_i$ is $(\partial R_i/\partial(\partial_x u_i))/M_{ii}$.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

import jax.numpy as jnp
from jaxtyping import Array

from sciml.expr.calculus import D
from sciml.expr.linear import partial
from sciml.expr.nodes import Constant, Scalar
from sciml.expr.reduce import ONE, is_number, negative, total
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from solvers.classical.finite_difference.advection import AbstractAdvection, Central
from solvers.classical.finite_difference.fluxes import Flux
from solvers.classical.finite_difference.sampler import Sampler
from solvers.classical.finite_difference.system import System


@final
@dataclasses.dataclass(frozen=True)
class Scheme:
    """A system with its advection scheme: what compiled code is keyed by."""

    system: System
    advection: AbstractAdvection

    @cached_property
    def masses(self) -> tuple[tuple[Scalar, ...], ...]:
        """M; for a steady problem the sign that makes -R the rate of a diffusion that decays."""
        if self.system.time is not None:
            return self.system.masses
        count = len(self.system.unknowns)
        return tuple(
            tuple(_pseudo_mass(self.system, i) if i == j else Constant(0) for j in range(count)) for i in range(count)
        )

    @cached_property
    def carried(self) -> tuple[tuple[Carried, ...], ...]:
        """For each equation, the terms that transport its own unknown."""
        return tuple(_carried(self.system, i) for i in range(len(self.system.unknowns)))


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Carried:
    """One transporting term of an equation.

    Attributes:
        atom: the derivative u_x, or the placeholder of a flux.
        flux: the flux, if it is one.
        axis: number of the axis of x.
        factor: derivative of the residual with respect to `atom`.
    """

    atom: Scalar
    flux: Flux | None
    axis: int
    factor: Scalar


def _is_slope_of(atom: Scalar, unknown: Scalar) -> bool:
    """Whether an atom is a first spatial derivative of this unknown."""
    index = multi_index(atom)
    return is_unknown(atom) and len(index) == 1 and not index[0].is_time and scalar_leaf(atom) in (unknown,)


def _carried(system: System, i: int) -> tuple[Carried, ...]:
    found = []
    for atom in atoms(system.residuals[i]):
        factor = partial(system.residuals[i], atom)
        if atom in system.fluxes:
            flux = system.fluxes[atom]
            if not is_number(flux.advective, 0):
                found.append(Carried(atom, flux, system.grid.index(flux.along.name), factor))
        elif _is_slope_of(atom, system.unknowns[i]):
            found.append(Carried(atom, None, system.grid.index(multi_index(atom)[0].name), factor))
    return tuple(found)


def _pseudo_mass(system: System, i: int) -> Scalar:
    u, e = system.unknowns[i], system.residuals[i]
    second = [partial(e, D(u, x, x)) for x in system.space]
    for atom in atoms(e):
        if atom in system.fluxes:
            flux = system.fluxes[atom]
            second.append(partial(e, atom) * partial(flux.diffusive, D(u, flux.along)))
    mass = negative(total(s for s in second if not is_number(s, 0)))
    return ONE if is_number(mass, 0) else mass


def residuals(scheme: Scheme, sampler: Sampler) -> tuple[Array, ...]:
    """R_i with the highest time derivatives at zero, each of the grid's shape.

    Args:
        scheme: the system and its advection scheme.
        sampler: values for one state.
    """
    system = scheme.system
    still: dict[Any, Any] = {} if system.time is None else dict.fromkeys(system.rates, jnp.zeros(()))
    values = sampler.values(system.residuals, sampler.nodes, still)
    if isinstance(scheme.advection, Central):
        raw = sampler.evaluate(system.residuals, values)
    else:
        raw = _upwinded(scheme, sampler, values)
    return tuple(jnp.broadcast_to(jnp.asarray(r, float), system.grid.shape) for r in raw)


def rates(scheme: Scheme, sampler: Sampler) -> tuple[Array, ...]:
    """The highest time derivative of each unknown at every node."""
    system = scheme.system
    right = residuals(scheme, sampler)
    count = len(right)
    masses = _evaluate_masses(scheme, sampler)
    if all(is_number(scheme.masses[i][j], 0) for i in range(count) for j in range(count) if i != j):
        return tuple(-r / masses[i][i] for i, r in enumerate(right))
    matrix = jnp.stack(
        [jnp.stack([jnp.broadcast_to(m, system.grid.shape) for m in row], axis=-1) for row in masses], axis=-2
    )
    solved = jnp.linalg.solve(matrix, -jnp.stack(right, axis=-1)[..., None])[..., 0]
    return tuple(solved[..., i] for i in range(count))


def _evaluate_masses(scheme: Scheme, sampler: Sampler) -> list[list[Array]]:
    flat = tuple(m for row in scheme.masses for m in row)
    values = sampler.values(flat, sampler.nodes)
    found = [jnp.asarray(m, float) for m in sampler.evaluate(flat, values)]
    count = len(scheme.masses)
    return [found[i * count : (i + 1) * count] for i in range(count)]


def _upwinded(scheme: Scheme, sampler: Sampler, values: Mapping[Any, Array]) -> list[Array]:
    """Each equation with the transport of its own unknown by the scheme, everything else central."""
    system = scheme.system
    masses = _evaluate_masses(scheme, sampler)
    if system.time is None:
        masses = [[jnp.where(m < 0, -1.0, 1.0) for m in row] for row in masses]
    factors = [
        [f / masses[i][i] for f in sampler.evaluate(tuple(c.factor for c in carried), values)]
        for i, carried in enumerate(scheme.carried)
    ]
    bounds = _speed_bounds(scheme, sampler, factors)
    results = []
    for i, (e, carried) in enumerate(zip(system.residuals, scheme.carried, strict=True)):
        own = dict(values)
        u = sampler.fields[i, 0]
        for c, speed in zip(carried, factors[i], strict=True):
            axis = system.grid.axes[c.axis]
            if c.flux is None:
                own[c.atom] = scheme.advection.derivative(u, speed, axis, c.axis, system.order)
            else:
                flux = _at_nodes(sampler, c.flux.advective)
                bound = bounds[c.axis] / jnp.maximum(jnp.abs(speed), 1e-300)
                carried_part = scheme.advection.divergence(
                    flux, jnp.where(speed < 0, -1.0, 1.0) * u, bound, axis, c.axis, system.order
                )
                own[c.atom] = carried_part + sampler.divergence(c.flux, sampler.nodes, advective=False)
        results.append(sampler.evaluate((e,), own)[0])
    return results


def _at_nodes(sampler: Sampler, e: Scalar) -> Array:
    value = sampler.evaluate((e,), sampler.values((e,), sampler.nodes))[0]
    return jnp.broadcast_to(jnp.asarray(value, float), sampler.system.grid.shape)


def _speed_bounds(scheme: Scheme, sampler: Sampler, factors: list[list[Array]]) -> list[Array]:
    """For each axis a bound of the characteristic speeds of all fluxes along it, at every node.

    The spectral radius of the matrix |d(rate_i)/d(u_j)| of the fluxes is at most the square root of the largest row
    sum of its square.
    """
    system = scheme.system
    count = len(system.unknowns)
    bounds = []
    for k in range(len(system.grid.axes)):
        matrix = [[jnp.zeros(system.grid.shape) for _ in range(count)] for _ in range(count)]
        for i, carried in enumerate(scheme.carried):
            for c, factor in zip(carried, factors[i], strict=True):
                if c.flux is not None and c.axis == k:
                    for j, u in enumerate(system.unknowns):
                        slope = partial(c.flux.advective, u)
                        if not is_number(slope, 0):
                            matrix[i][j] += jnp.abs(factor * _at_nodes(sampler, slope))
        bounds.append(_spectral_bound(matrix))
    return bounds


def _spectral_bound(matrix: list[list[Array]]) -> Array:
    if len(matrix) == 1:
        return matrix[0][0]
    stacked = jnp.stack([jnp.stack(row, axis=-1) for row in matrix], axis=-2)
    return jnp.sqrt(jnp.max(jnp.sum(stacked @ stacked, axis=-1), axis=-1))
