r"""Steady problems: equations inside, conditions at the faces, gauges beneath, solved together by Newton's method.

    R_i(z) + mu_k = 0   at free nodes,   c(z) = 0   at nodes that conditions determine,   g_k(z) = 0.

A gauge g_k makes a singular system regular; its multiplier mu_k is the constant by which the data fail to be
compatible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from time import perf_counter
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jaxtyping import Array, Float

from sciml.expr.nodes import Apply
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown
from sciml.results import RESULTS
from solvers.classical.finite_difference.evolution import Numbers
from solvers.classical.finite_difference.faces import face_residuals, slab
from solvers.classical.finite_difference.grid import Axis
from solvers.classical.finite_difference.interpolation import interpolate
from solvers.classical.finite_difference.newton import NewtonOutcome, SparseSystem, newton
from solvers.classical.finite_difference.rates import Scheme, residuals
from solvers.classical.finite_difference.sampler import Sampler
from solvers.classical.finite_difference.sparsity import find_pattern
from solvers.classical.finite_difference.stencils import ORDERS
from solvers.classical.finite_difference.system import Gauge, System


@final
@dataclasses.dataclass(frozen=True, eq=False)
class SteadyOutcome:
    """What Newton's method left, and an estimate of the discretisation error.

    Attributes:
        newton: values, result and residuals.
        error: largest |J^-1 R'(z)| over the unknowns, where R' is the residual of another order of accuracy (the next
            higher one, if there is one); None without convergence, or with rough fluxes, whose order is always 2.
        compile_seconds: time of tracing, compilation and probing for sparsity.
    """

    newton: NewtonOutcome
    error: float | None
    compile_seconds: float


@eqx.filter_jit
def steady_residual(scheme: Scheme, z: Array, numbers: Numbers) -> Float[Array, "unknowns *grid"]:
    """Residuals of the equations, and of the conditions at the nodes that they determine."""
    system = scheme.system
    fields = {(i, 0): z[i] for i in range(len(system.unknowns))}
    result = jnp.stack(residuals(scheme, Sampler(system, fields, jnp.zeros(()), *numbers)))
    for number, face in enumerate(system.faces):
        slabs = {key: slab(system, face, values) for key, values in fields.items()}
        conditions = face_residuals(system, number, slabs, jnp.zeros(()), *numbers)
        for owner, layer, values in zip(face.owners, face.layers, conditions, strict=True):
            result = result.at[(owner, *system.layer(face, layer))].set(values)
    return result


@eqx.filter_jit
def steady_derivative(scheme: Scheme, z: Array, direction: Array, numbers: Numbers) -> Float[Array, "unknowns *grid"]:
    """Derivative of the residual along a direction."""
    return jax.jvp(lambda y: steady_residual(scheme, y, numbers), (z,), (direction,))[1]


@eqx.filter_jit
def gauge_residuals(scheme: Scheme, z: Array, numbers: Numbers) -> Float[Array, " gauges"]:
    """Residuals of the conditions on integrals and point values."""
    system = scheme.system
    sampler = Sampler(system, {(i, 0): z[i] for i in range(len(system.unknowns))}, jnp.zeros(()), *numbers)
    return jnp.asarray([_gauge(system, sampler, gauge) for gauge in system.gauges]).reshape(len(system.gauges))


def _gauge(system: System, sampler: Sampler, gauge: Gauge) -> Array:
    values: dict[Any, Any] = {}
    for atom in atoms(gauge.residual):
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            inner = atom.operands
            integrand = sampler.evaluate(inner, sampler.values(inner, sampler.nodes))[0]  # type: ignore[arg-type]
            total = jnp.broadcast_to(jnp.asarray(integrand, float), system.grid.shape)
            for axis in system.grid.axes:
                total = jnp.tensordot(jnp.asarray(quadrature_weights(axis, system.order)), total, axes=1)
            values[atom] = total
        elif is_unknown(atom):
            point = [jnp.asarray([gauge.place[axis.name]]) for axis in system.grid.axes]
            at_nodes = sampler.atom(atom, sampler.nodes, system.order)
            values[atom] = interpolate(at_nodes, system.grid.axes, point, system.order + 2)[0]
        else:
            values[atom] = sampler.atom(atom, sampler.nodes, system.order)
    return jnp.reshape(sampler.evaluate((gauge.residual,), values)[0], ())


def quadrature_weights(axis: Axis, order: int) -> Float[np.ndarray, " size"]:
    """Trapezoidal weights with Gregory's corrections at the ends, exact for polynomials of degree order + 1."""
    weights = np.full(axis.size, axis.spacing)
    if not axis.periodic:
        count = order + 2
        bernoulli = scipy.special.bernoulli(count)
        moments = bernoulli[1:] / np.arange(1, count + 1)
        corrections = np.linalg.solve(np.vander(np.arange(count, dtype=float), increasing=True).T, moments)
        weights[:count] += axis.spacing * corrections
        weights[-count:] += axis.spacing * corrections[::-1]
    return weights


def solve_steady(
    scheme: Scheme,
    numbers: Numbers,
    *,
    rtol: float,
    max_steps: int,
    proceed: Callable[[int, float, np.ndarray], RESULTS | None],
) -> SteadyOutcome:
    """Newton's method from zero, or from one where the residual of zero is not finite.

    Args:
        scheme: the system and its advection scheme.
        numbers: the problem's numbers.
        rtol: relative size of the last Newton step.
        max_steps: most Newton steps.
        proceed: called with step, residual and values; a result it returns ends the iteration.
    """
    began = perf_counter()
    system = scheme.system
    start = jnp.zeros((len(system.unknowns), *system.grid.shape))
    if not bool(jnp.isfinite(steady_residual(scheme, start, numbers)).all()):
        start = jnp.ones_like(start)
    periodic = tuple(axis.periodic for axis in system.grid.axes)

    def derivative(z: Array, direction: Array) -> Array:
        return steady_derivative(scheme, z, direction, numbers)

    pattern = find_pattern(derivative, start, periodic)
    border = np.zeros((len(system.gauges), len(system.unknowns), *system.grid.shape))
    free = ~system.determined(0)
    for k, gauge in enumerate(system.gauges):
        border[k, gauge.unknown] = free[gauge.unknown]
    sparse = SparseSystem(
        residual=lambda z: steady_residual(scheme, z, numbers),
        pattern=pattern,
        jacobian=lambda z: pattern.values(derivative, z),
        constraints=lambda z: gauge_residuals(scheme, z, numbers),
        constraint_rows=jax.jacrev(lambda z: gauge_residuals(scheme, z, numbers)),
        border=border.reshape(len(system.gauges), start.size).T,
    )
    sparse.matrix(np.concatenate([np.ravel(start), np.zeros(len(system.gauges))]))
    compile_seconds = perf_counter() - began
    outcome = newton(sparse, np.asarray(start), rtol=rtol, max_steps=max_steps, proceed=proceed)
    error = None
    if outcome.result is RESULTS.successful and not any(flux.is_rough for flux in system.fluxes.values()):
        error = _defect(scheme, outcome, numbers)
    return SteadyOutcome(outcome, error, compile_seconds)


def _defect(scheme: Scheme, outcome: NewtonOutcome, numbers: Numbers) -> float:
    """Size of the correction that the residual of another order of accuracy asks for."""
    order = scheme.system.order
    other = order + 2 if order + 2 in ORDERS else order - 2
    refined = Scheme(dataclasses.replace(scheme.system, order=other), scheme.advection)
    z = jnp.asarray(outcome.z)
    defect = [steady_residual(refined, z, numbers), gauge_residuals(refined, z, numbers)]
    assert outcome.factors is not None  # a successful iteration has made some
    change = outcome.factors(np.concatenate([np.ravel(part) for part in defect]))
    return float(np.max(np.abs(change[: outcome.z.size])))
