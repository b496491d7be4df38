r"""Conditions at the faces of the grid.

A condition $c(u, \partial_n u, t, x) = 0$ is evaluated at the nodes of its face, the normal derivatives by one-sided
differences of full order. Along a line normal to the face it is a small system for the nodes nearest to the face, as
many as there are conditions. In an evolution these nodes are eliminated: `fill` solves for them from the nodes inside,
axis by axis, so that nodes on edges obey the condition of the last axis. In a steady problem `face_residuals` take the
place of the equations at the same nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms, is_unknown
from sciml.known import Arguments, BoundLaws, known_values
from solvers.classical.finite_difference.sampler import face_points, table_key
from solvers.classical.finite_difference.stencils import one_sided_weights
from solvers.classical.finite_difference.system import Face, System

_NEWTON_STEPS = 12


def slab_depth(system: System, face: Face) -> int:
    """Nodes along the normal that the conditions of a face look at."""
    deepest = max((system.position(a)[2][face.axis] for a in atoms(*face.residuals) if is_unknown(a)), default=0)
    return deepest + system.order if deepest else max(face.layers) + 1


def slab(system: System, face: Face, values: Array) -> Float[Array, "depth *transverse"]:
    """Nodes nearest to the face, the normal first, counted from the face inwards."""
    values = jnp.moveaxis(values, face.axis, 0)
    depth = slab_depth(system, face)
    return values[-depth:][::-1] if face.upper else values[:depth]


def face_residuals(
    system: System,
    number: int,
    slabs: Mapping[tuple[int, int], Array],
    t: Any,
    arguments: Arguments,
    tabulated: Mapping[str, Array],
) -> Float[Array, "conditions *transverse"]:
    """Residuals of the conditions of one face at its nodes.

    Args:
        system: what is solved.
        number: which of its faces.
        slabs: node values near the face by unknown and time derivative, counted from the face inwards.
        t: time.
        arguments: the problem's numbers.
        tabulated: see `tabulate`.
    """
    face = system.faces[number]
    points = face_points(system, number)
    if system.time is not None:
        points[system.time.name] = t
    values: dict[Any, Any] = {}
    for atom in atoms(*face.residuals):
        if is_unknown(atom):
            values[atom] = _at_face(system, face, atom, slabs)
        elif isinstance(atom, Coordinate):
            values[atom] = jnp.asarray(points[atom.name])
        elif isinstance(atom, Parameter):
            values[atom] = arguments.parameters[atom.name]
        else:
            key = table_key(atom, number)
            values[atom] = tabulated[key] if key in tabulated else known_values([atom], points, arguments)[atom]
    transverse = tuple(n for k, n in enumerate(system.grid.shape) if k != face.axis)
    found = evaluate(face.residuals, values, BoundLaws(arguments.laws))
    return jnp.stack([jnp.broadcast_to(jnp.asarray(r, float), transverse) for r in found])


def _at_face(system: System, face: Face, atom: Scalar, slabs: Mapping[tuple[int, int], Array]) -> Array:
    """A field or derivative at the nodes of the face: one-sided along the normal, central along the face."""
    unknown, level, orders = system.position(atom)
    values = slabs[unknown, level]
    normal = orders[face.axis]
    if normal:
        weights = one_sided_weights(normal, system.order, system.grid.axes[face.axis].spacing, face.upper)
        values = jnp.tensordot(jnp.asarray(weights), values[: len(weights)], axes=1)
    else:
        values = values[0]
    along = [k for k in range(len(orders)) if k != face.axis]
    for position, k in enumerate(along):
        if orders[k]:
            values = system.grid.axes[k].stencil(orders[k], system.order)(values, position)
    return values


def fill(
    system: System,
    level: int,
    target: Float[Array, "unknowns *grid"],
    lower: Float[Array, "unknowns *grid"] | None,
    t: Any,
    arguments: Arguments,
    tabulated: Mapping[str, Array],
) -> Float[Array, "unknowns *grid"]:
    """Node values of one time derivative with the nodes that conditions determine put in.

    Args:
        system: what is solved.
        level: which time derivative `target` holds.
        target: node values; those at determined nodes are ignored.
        lower: the undifferentiated values where `level` is 1, filled before.
        t: time.
        arguments: the problem's numbers.
        tabulated: see `tabulate`.
    """
    for number, face in enumerate(system.faces):
        if face.level != level:
            continue
        count = len(system.unknowns)
        slabs = {(i, level): slab(system, face, target[i]) for i in range(count)}
        if lower is not None:
            slabs |= {(i, 0): slab(system, face, lower[i]) for i in range(count)}

        def residual(z: Array, slabs: Mapping[tuple[int, int], Array] = slabs, number: int = number) -> Array:
            placed = _place(system.faces[number], level, slabs, z)
            return face_residuals(system, number, placed, t, arguments, tabulated)

        start = jnp.stack([target[i][system.layer(face, max(face.layers) + 1)] for i in face.owners])
        z = solve_pointwise(residual, start, affine=face.is_affine)
        for owner, layer, values in zip(face.owners, face.layers, z, strict=True):
            target = target.at[(owner, *system.layer(face, layer))].set(values)
    return target


def _place(face: Face, level: int, slabs: Mapping[tuple[int, int], Array], z: Array) -> dict[tuple[int, int], Array]:
    placed = dict(slabs)
    for owner, layer, values in zip(face.owners, face.layers, z, strict=True):
        placed[owner, level] = placed[owner, level].at[layer].set(values)
    return placed


def solve_pointwise(residual: Any, start: Float[Array, "n *points"], *, affine: bool) -> Float[Array, "n *points"]:
    """Newton's method for n equations in n unknowns at each of many points, one step if they are affine."""
    n = len(start)

    def step(_: Any, z: Array) -> Array:
        value, tangent_map = jax.linearize(residual, z)
        columns = [tangent_map(jnp.zeros_like(z).at[j].set(1.0)) for j in range(n)]
        if n == 1:
            return z - value / columns[0]
        matrix = jnp.moveaxis(jnp.stack(columns, axis=1), (0, 1), (-2, -1))
        return z - jnp.moveaxis(jnp.linalg.solve(matrix, jnp.moveaxis(value, 0, -1)[..., None])[..., 0], -1, 0)

    if affine:
        return step(None, jnp.zeros_like(start))
    return jax.lax.fori_loop(0, _NEWTON_STEPS, step, start)
