"""Observed motions: states of the particles at every step, and the sizes of what is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from sciml.problem import Problem
from sciml.tensors import add_spherical, determinant, product, product_right_transposed, rotation, spherical
from sciml.trajectory import ObservedMotion
from solvers.mpm.scene import in_precision, start
from solvers.mpm.solver import MPM, Plan, bound_material
from solvers.mpm.step import Model, State, roll_out, transport


@final
@dataclass(frozen=True, eq=False)
class Motion:
    """States `(T, …)` at every step of a plan, the first at the start."""

    plan: Plan
    states: State

    @property
    def model(self) -> Model:
        """What does not move."""
        return self.plan.model


def observed_motion(problem: Problem) -> ObservedMotion | None:
    """The first observed motion of a problem."""
    return next((o for o in problem.observations if isinstance(o, ObservedMotion)), None)


def motion_of(problem: Problem, simulator: MPM) -> Motion:
    """The observed motion; where there is none, the one that the bound law makes: a twin experiment."""
    observed, dtype = observed_motion(problem), simulator.dtype
    if observed is None:
        material = in_precision(bound_material(problem), dtype)
        plan = simulator.plan(problem, material)
        first = start(plan.scene, dtype)
        rest = eqx.filter_jit(roll_out)(first, material, plan.model, plan.steps, 1)
        return Motion(plan, jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, rest))
    track = observed.track
    plan = simulator.plan(problem, None)
    parts = (track.x, track.v, track.C, track.F)
    states = State(*(jnp.asarray(np.moveaxis(np.asarray(p), 1, -1), dtype) for p in parts))
    return Motion(plan, states)


@final
@dataclass(frozen=True)
class Sizes:
    """Root mean squares in a motion.

    Attributes:
        strain: of the singular values less one.
        push: of the velocity that stress gives in a step, in m/s.
        stretch: of the change of F in a step, without flow.
        flow: of the change of F by flow in a step.
        swelling: of the relative change of volume by flow in a step.
        modulus: in Pa, of the linear law that explains the pushes best.
    """

    strain: float
    push: float
    stretch: float
    flow: float
    swelling: float
    modulus: float


@eqx.filter_jit
def _one_step(model: Model, before: State, after: State) -> tuple[Array, ...]:
    """Strain, push, stretch, flow and swelling of one observed step, and normal equations of a law with two moduli."""
    F, d = before.F, before.F.shape[0]
    J = determinant(F)
    bare = transport(before, jnp.zeros_like(F), model)
    shear = 2 * product_right_transposed(F - rotation(F), F)
    columns = [transport(before, tau, model).v - bare.v for tau in (shear, spherical(J * (J - 1), d))]
    push = after.v - bare.v
    trial = product(add_spherical(model.dt * after.C, jnp.ones_like(model.mass)), F)
    square = [jnp.mean(a**2) for a in (F - rotation(F), push, trial - F, after.F - trial)]
    square.append(jnp.mean((determinant(after.F) / determinant(trial) - 1) ** 2))
    normal = jnp.stack([jnp.stack([jnp.vdot(a, b) for b in columns]) for a in columns])
    return *square, normal, jnp.stack([jnp.vdot(a, push) for a in columns])


def sizes_of(motion: Motion, samples: int = 50) -> Sizes:
    """Root mean squares over some steps, and the best linear law: one step is linear in the stress.

    Without viscosity and flow the linear law is a corotated one with two moduli; the modulus of its pressure waves is a
    unit for stress.
    """
    total = int(motion.states.x.shape[0]) - 1
    picked = np.unique(np.linspace(0, total - 1, samples).round().astype(int))
    rows = []
    for k in picked:
        before, after = (jax.tree.map(lambda a, n=n: a[n], motion.states) for n in (int(k), int(k) + 1))
        rows.append(tuple(np.asarray(a, float) for a in _one_step(motion.model, before, after)))
    strain, push, stretch, flow, swelling = (float(np.sqrt(np.mean([row[i] for row in rows]))) for i in range(5))
    normal, right = (np.sum([row[i] for row in rows], axis=0) for i in (5, 6))
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    moduli = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, rcond=1e-6)[0] / scale
    return Sizes(strain, push, stretch, flow, swelling, float(abs(2 * moduli[0]) + abs(moduli[1])))


def windows(motion: Motion, starts: Any, length: int) -> tuple[State, State]:
    """States at the starts `(B, …)`, and those after each of the next `length` steps `(B, length, …)`."""
    index = starts[:, None] + 1 + jnp.arange(length)
    return jax.tree.map(lambda a: a[starts], motion.states), jax.tree.map(lambda a: a[index], motion.states)
