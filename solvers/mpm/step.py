"""One time step of the particle method, and roll-outs of many, as pure functions."""

from __future__ import annotations

from typing import Any, NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from sciml.material import Material, PerBody
from sciml.tensors import add_spherical, product
from solvers.mpm.grid import Grid, at_walls
from solvers.mpm.transfer import from_grid, stencil, to_grid


@final
class State(NamedTuple):
    """Particles: positions and velocities `(d, N)`, affine velocities and elastic deformations `(d, d, N)`."""

    x: Array
    v: Array
    C: Array
    F: Array


@final
class Model(eqx.Module):
    """What does not move.

    Attributes:
        grid: background grid.
        dt: time step.
        mass: of each particle `(N,)`.
        volume: at rest `(N,)`.
        load: acceleration by body forces `(d, 1)` or `(d, N)`.
        floor: mass that is added to that of every node where momentum is divided by it.
        sections: which particles are each body's: name, first, last + 1.
    """

    grid: Grid
    dt: Array
    mass: Array
    volume: Array
    load: Array
    floor: Array
    sections: tuple[tuple[str, int, int], ...] = eqx.field(static=True)


def _by_body(material: Material | PerBody, model: Model, part: Any, *fields: Array) -> Array:
    """A material's part on its own particles."""
    if isinstance(material, PerBody):
        pieces = [
            part(material.materials[name])(*(f[..., first:last] for f in fields))
            for name, first, last in model.sections
        ]
        return jnp.concatenate(pieces, axis=-1)
    return part(material)(*fields)


def stress(material: Material | PerBody, model: Model, F: Array, L: Array) -> Array:
    """Kirchhoff stress `(d, d, N)`."""
    return _by_body(material, model, lambda m: m.elastic.kirchhoff, F, L)


def project(material: Material | PerBody, model: Model, F: Array) -> Array:
    """Elastic deformation gradients after flow."""
    return _by_body(material, model, lambda m: m.plastic.project, F)


def transport(state: State, tau: Array, model: Model) -> State:
    """Momentum balance over one step: symplectic Euler on the grid, with the stress of its start.

    Args:
        state: particles.
        tau: Kirchhoff stress.
        model: what does not move.

    Returns:
        Particles after the step, F before flow.
    """
    grid, d = model.grid, state.x.shape[0]
    nodes = stencil(state.x, grid)
    affine = model.mass * state.C - (4 * model.dt / grid.spacing**2) * model.volume * tau
    momentum = model.mass * (state.v + model.dt * model.load)
    nodal = to_grid(nodes, grid, model.mass, momentum, affine)
    occupied = nodal[d] > 0
    velocity = jnp.where(occupied, nodal[:d] / jnp.where(occupied, nodal[d] + model.floor, 1.0), 0.0)
    velocity = at_walls([c.reshape(grid.shape) for c in velocity], grid)
    v, C = from_grid(nodes, grid, jnp.stack([c.reshape(-1) for c in velocity]))
    F = product(add_spherical(model.dt * C, jnp.ones_like(model.mass)), state.F)
    return State(grid.keep_inside(state.x + model.dt * v), v, C, F)


def advance(state: State, material: Material | PerBody, model: Model) -> State:
    """One step: stress, transport, flow."""
    moved = transport(state, stress(material, model, state.F, state.C), model)
    return moved._replace(F=project(material, model, moved.F))


def march(state: State, material: Material | PerBody, model: Model, steps: int) -> State:
    """Many steps, nothing kept."""
    return jax.lax.scan(lambda s, _: (advance(s, material, model), None), state, None, length=steps)[0]


def roll_out(
    state: State, material: Material | PerBody, model: Model, frames: int, every: int, remember: int | None = None
) -> State:
    """States after each of `frames` groups of `every` steps, stacked along a new first axis.

    Args:
        state: at the start.
        material: what is bound to the law.
        model: what does not move.
        frames: how many states are kept.
        every: steps between them.
        remember: for derivatives, steps between states that are kept for the way back; the others are computed again,
            so memory grows with `every / remember + remember`. None: only the frames.
    """

    group = remember or every

    def segment(s: State, steps: int) -> State:
        return march(s, material, model, steps)

    def frame(s: State, _: None) -> tuple[State, State]:
        whole = jax.checkpoint(lambda s: segment(s, group), prevent_cse=False)
        s = jax.lax.scan(lambda s, _: (whole(s), None), s, None, length=every // group)[0]
        if every % group:
            s = jax.checkpoint(lambda s: segment(s, every % group), prevent_cse=False)(s)
        return s, s

    return jax.lax.scan(frame, state, None, length=frames)[1]
