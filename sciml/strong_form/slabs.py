r"""A problem on one slab of time, whose initial data are the end of the slab before.

The end is read on an equally spaced grid and interpolated by polynomials of degree 9 through the nearest nodes, whose
error $O(h^{10})$ is round-off wherever a few nodes fall on the shortest scale; each slab then costs the same, whatever
came before, and equal slabs share their compilations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.conditions import ConditionKind
from sciml.domains.box import Box
from sciml.domains.regions import Region
from sciml.expr.equation import Condition, Equation
from sciml.expr.leaves import Coefficient
from sciml.problem import Problem
from sciml.storable import storable

FieldsAt = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""Values `(n,)` of fields by name, at points `{coordinate: (n,)}`."""

_STENCIL = 10
_NODES = {1: 2049, 2: 257}
"""Nodes of each axis, by the number of spatial coordinates."""


def slab_reasons(problem: Problem) -> Iterator[str]:
    """Why a problem cannot be cut into slabs of time, each a sentence."""
    if problem.time is None:
        yield "it needs a time coordinate to march in slabs, the problem is steady: leave slabs=1"
        return
    if problem.observations or problem.unknown_parameters:
        yield "slabs of time need a problem without observations and unknown parameters: leave slabs=1"
    if len(problem.space) not in _NODES:
        yield f"slabs of time are handed on along one or two axes, found {len(problem.space)}: leave slabs=1"
    for condition in problem.placed_conditions:
        in_time = any(x.is_time for x, _ in condition.place.fixed)
        starts = condition.kind in (ConditionKind.INITIAL, ConditionKind.INITIAL_RATE)
        if in_time and not (starts and condition.unknown is not None):
            yield f"slabs of time need initial values and rates alone at fixed times, found one on {condition.place}"


def slab_problem(problem: Problem, interval: tuple[float, float], before: FieldsAt | None) -> Problem:
    """The problem on one interval of time.

    Args:
        problem: on the whole of time, without `slab_reasons`.
        interval: start and end of the slab.
        before: fields of the slab before, read at the start; None for the first slab.
    """
    box, time = problem.box, problem.time
    assert time is not None  # `slab_reasons` has seen to it
    bounds = {x: interval if x.is_time else box.bounds[x.name] for x in box.coordinates}
    periodic = tuple(x for x in box.space if x.name in box.periodic)
    regions = {region.name: region for region in box.regions}
    slab = problem.replace(domain=Box(bounds, periodic=periodic, regions=regions), reference=None)
    if before is None:
        return slab
    kept = []
    for condition in problem.conditions:
        places = tuple(place for place in condition.region.places if not place.is_initial)
        if places:
            kept.append(Condition(condition.equation, Region(condition.region.name, places)))
    for number, condition in enumerate(problem.placed_conditions):
        if condition.place.is_initial:
            unknown, is_rate = condition.unknown, condition.kind is ConditionKind.INITIAL_RATE
            assert unknown is not None  # `slab_reasons` has seen to it
            trace = Trace.of(before, repr(unknown), box, time.name, interval[0], is_rate)
            data = Coefficient(f"end_{number}_of_slab_before", *box.space, function=trace)
            equation = Equation(unknown.dt if is_rate else unknown, data)
            kept.append(Condition(equation, Region(f"{time.name}={interval[0]:g}", (condition.place,))))
    return slab.replace(conditions=kept)


@final
@storable("trace")
class Trace(eqx.Module):
    """A field at one time, between the nodes of an equally spaced grid.

    Attributes:
        values: at the nodes; along periodic axes they go on beyond both ends.
        starts: coordinate of the first node of each axis.
        steps: between neighbouring nodes of each axis.
    """

    values: Array
    starts: Array
    steps: Array

    @classmethod
    def of(cls, fields: FieldsAt, unknown: str, box: Box, time: str, at: float, is_rate: bool = False) -> Trace:
        """Read one unknown, or its rate, at one time.

        Args:
            fields: where to read.
            unknown: its name.
            box: whose space the grid fills.
            time: name of the time coordinate.
            at: the time.
            is_rate: whether to read the derivative in time.
        """
        axes, starts, steps = [], [], []
        for x in box.space:
            lower, upper = box.bounds[x.name]
            step = (upper - lower) / (_NODES[len(box.space)] - 1)
            beyond = _STENCIL // 2 if x.name in box.periodic else 0
            axes.append(lower + step * np.arange(-beyond, _NODES[len(box.space)] + beyond))
            starts.append(lower - beyond * step)
            steps.append(step)
        mesh = [jnp.asarray(m) for m in np.meshgrid(*axes, indexing="ij")]
        points = {x.name: m.reshape(-1) for x, m in zip(box.space, mesh, strict=True)}
        read = _rates_at if is_rate else _values_at
        values = read(fields, points, time, jnp.full(mesh[0].size, at))[unknown]
        return cls(values.reshape(mesh[0].shape), jnp.asarray(starts), jnp.asarray(steps))

    def __call__(self, *at: Array) -> Array:
        flat = jnp.stack([jnp.ravel(a) for a in at], axis=1)
        return jax.vmap(self._one)(flat).reshape(jnp.shape(at[0]))

    def _one(self, point: Float[Array, " d"]) -> Array:
        position = (point - self.starts) / self.steps
        sizes = jnp.asarray(self.values.shape)
        first = jnp.clip(jnp.floor(position).astype(int) - (_STENCIL // 2 - 1), 0, sizes - _STENCIL)
        block = jax.lax.dynamic_slice(self.values, list(first), (_STENCIL,) * self.values.ndim)
        for offset in position - first:
            block = jnp.tensordot(_cardinals(offset), block, axes=1)
        return block


@cache
def _cardinal_coefficients() -> np.ndarray:
    """Coefficients `(powers, nodes)` of the cardinal polynomials, lowest power last, about the middle of the stencil.

    Roots are halves of whole numbers, so that products and all coefficients but their last division are exact.
    """
    nodes = np.arange(_STENCIL) - (_STENCIL - 1) / 2
    others = [np.delete(nodes, j) for j in range(_STENCIL)]
    return np.stack([np.poly(o) / np.prod(x - o) for x, o in zip(nodes, others, strict=True)], axis=1)


def _cardinals(offset: Array) -> Float[Array, " nodes"]:
    """Weights of the nodes of a stencil at a distance from its first node, in steps."""
    weights, s = jnp.zeros(_STENCIL), offset - (_STENCIL - 1) / 2
    for coefficients in _cardinal_coefficients():
        weights = weights * s + coefficients
    return weights


@eqx.filter_jit
def _values_at(fields: FieldsAt, points: dict[str, Array], time: str, times: Array) -> Mapping[str, Array]:
    return fields({**points, time: times})


@eqx.filter_jit
def _rates_at(fields: FieldsAt, points: dict[str, Array], time: str, times: Array) -> Mapping[str, Array]:
    return jax.jvp(lambda t: fields({**points, time: t}), (times,), (jnp.ones_like(times),))[1]
