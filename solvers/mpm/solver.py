"""MPM: the material point method for bodies in motion."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.domains.bodies import Bodies
from sciml.errors import OptionError, SciMLError
from sciml.expr.traverse import atoms
from sciml.material import FirstPiola, Material, PerBody
from sciml.problem import Problem
from sciml.progress import progress
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from sciml.tensors import determinant
from sciml.trajectory import Neighbours, Trajectory
from solvers.mpm.momentum import MomentumBalance, momentum_balance
from solvers.mpm.scene import (
    Scene,
    default_spacing,
    flaws,
    in_precision,
    make_model,
    number_of_steps,
    read_scene,
    start,
    wave_speed,
)
from solvers.mpm.step import Model, State, march


@final
@dataclass(frozen=True)
class MPM(AbstractSolver):
    r"""Particles carry mass, momentum and deformation; a grid that is forgotten after each step balances momentum.

    Stress of the particles pushes the nodes of the grid (moving least squares, quadratic splines), walls act on the
    nodes, and particles move with the grid's affine velocity field (APIC) by symplectic Euler; plastic parts of
    materials then return the deformation gradient. Contact between bodies is that of one velocity field: they stick
    while they touch.

    Solves the balance of momentum $\rho\ddot\varphi=\nabla\cdot P+\rho b$ of bodies in the plane and in space, for a
    law that is bound to a `Material`, to one for each body, or to any JAX function P(F). Cost: about half a
    microsecond for a particle and a step on one core in single precision; time steps are bounded by the fastest wave.
    The error is of first order in the spacing in general. Success means that the run stayed finite, that no element
    inverted and that nothing crossed more than a cell in a step; compare two spacings for the error.

    Args:
        spacing: distance of the grid's nodes in m; None puts two particles along the edge of a cell.
        dt: longest time step in s; None takes 0.4 cells for the fastest wave.
        frames: states that are kept, at least; evenly spaced.
        refine: particles are spaced more finely than the bodies say by this factor.
        single: whether to compute in single precision.
        mass_floor: mass that is added to a node's, relative to the mean particle's, where velocity is momentum over
            mass:
            damps nodes that are hardly touched, at the price of as much momentum.

    References: C. Jiang et al. (2015), doi:10.1145/2766996; Y. Hu et al. (2018), doi:10.1145/3197517.3201293.
    """

    spacing: float | None = None
    dt: float | None = None
    frames: int = 100
    refine: int = 1
    single: bool = False
    mass_floor: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("spacing", 0), ("dt", 0), ("frames", 1), ("refine", 1)):
            value = getattr(self, name)
            if value is not None and (not value > 0 or value < least):
                raise OptionError(f"{name} {value!r}", f"a number > 0, at least {least}", f"correct {name}")
        if not 0 <= self.mass_floor < 1:
            raise OptionError(f"mass_floor {self.mass_floor!r}", "a number from 0 to 1", "use 0 or about 1e-6")

    @property
    def dtype(self) -> Any:
        """Type of the numbers."""
        return jnp.float32 if self.single else jnp.float64

    def check(self, problem: Problem) -> list[str]:
        """Reasons why this is no motion of bodies that can be followed; each with the number that would work."""
        reasons = unreadable(problem)
        if reasons:
            return reasons
        balance, material = momentum_balance(problem), bound_material(problem)
        if material is None:
            return ["no material is bound to the law of stress: bind one with problem.bind, or learn it"]
        try:
            scene = read_scene(problem, balance, self.domain(problem))  # type: ignore[arg-type]
        except SciMLError as error:
            return [str(error)]
        if isinstance(material, PerBody) and set(material.order) != set(scene.domain.bodies):
            return [f"materials for {material.order}; it needs one for each of the bodies {tuple(scene.domain.bodies)}"]
        return list(flaws(scene, material, self.spacing or default_spacing(scene), self.dt))

    def domain(self, problem: Problem) -> Bodies:
        """The bodies with the particles of this run."""
        assert isinstance(problem.domain, Bodies)  # `unreadable` refuses others
        return problem.domain if self.refine == 1 else problem.domain.refined(self.refine)

    def plan(self, problem: Problem, material: Any) -> Plan:
        """Scene, model and steps of a run."""
        balance = momentum_balance(problem)
        assert isinstance(balance, MomentumBalance)  # `unreadable` refuses others
        scene = read_scene(problem, balance, self.domain(problem))
        spacing = self.spacing or default_spacing(scene)
        steps = number_of_steps(scene, material, spacing, self.dt)
        every = next(k for k in range(max(steps // self.frames, 1), 0, -1) if steps % k == 0)
        dt = scene.duration / steps
        return Plan(scene, make_model(scene, spacing, dt, self.dtype, self.mass_floor), spacing, dt, steps, every)

    def run(self, problem: Problem, run: Run) -> Solution:
        """March through time."""
        material = in_precision(bound_material(problem), self.dtype)
        plan = self.plan(problem, material)
        return follow(problem, repr(self), plan, material, run)


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """What a run of the particle method does: scene, model, spacing, time step, steps, steps between frames."""

    scene: Scene
    model: Model
    spacing: float
    dt: float
    steps: int
    every: int


def unreadable(problem: Problem) -> list[str]:
    """Why a problem is not a motion of bodies, whatever the law."""
    if not isinstance(problem.domain, Bodies):
        return [f"a domain of type {type(problem.domain).__name__}; it needs Bodies, particles in a container"]
    balance = momentum_balance(problem)
    if isinstance(balance, str):
        return [balance]
    reasons = [f"it needs a number for parameter {p.name}" for p in problem.unknown_parameters]
    time_dependent = [e for e in (balance.inertia, balance.factor, *balance.source) if problem.time in atoms(e)]
    reasons += [f"`{e!r}`, which depends on time; it needs densities and loads that do not" for e in time_dependent[:1]]
    return reasons


def bound_material(problem: Problem) -> Material | PerBody | None:
    """What is bound to the law of stress; a plain function becomes an elastic material."""
    balance = momentum_balance(problem)
    assert isinstance(balance, MomentumBalance)  # asked after `unreadable`
    bound = problem.bindings.get(balance.law.name)
    return bound if bound is None or isinstance(bound, Material | PerBody) else Material(FirstPiola(bound))


@eqx.filter_jit
def _frame(state: State, material: Any, model: Model, every: int) -> tuple[State, jax.Array]:
    """The next frame and what to watch: smallest determinant, largest velocity, by the whole body."""
    after = march(state, material, model, every)
    return after, jnp.stack([determinant(after.F).min(), jnp.max(jnp.abs(after.v))])


def follow(problem: Problem, name: str, plan: Plan, material: Any, run: Run) -> Solution:
    """Run a plan frame by frame: progress, budget, callback and guard against numbers that are not finite."""
    state = start(plan.scene, plan.model.dt.dtype)
    frames, watched = [state], []
    began = time.perf_counter()
    compiled = 0.0
    result: RESULTS | None = None
    with progress("compiling") as report:
        while result is None and len(frames) <= plan.steps // plan.every:
            state, numbers = _frame(state, material, plan.model, plan.every)
            watch = np.asarray(numbers)
            compiled = compiled or time.perf_counter() - began
            if not np.isfinite(watch).all():
                result = RESULTS.nonfinite
                break
            frames.append(state)
            watched.append(watch)
            report(len(frames) * plan.every / plan.steps, f"step {(len(frames) - 1) * plan.every} of {plan.steps}")
            if run.callback is not None and run.callback(state):
                result = RESULTS.interrupted
            elif run.is_over and len(frames) <= plan.steps // plan.every:
                result = RESULTS.budget_exhausted
    smallest, fastest = np.min([w[0] for w in watched], initial=np.inf), np.max([w[1] for w in watched], initial=0.0)
    speed = wave_speed(plan.scene, material)
    courant = (fastest + (speed or 0.0)) * plan.dt / plan.spacing
    if result is None:
        sound = smallest > 0 and fastest * plan.dt <= plan.spacing
        result = RESULTS.successful if sound else RESULTS.under_resolved
    seconds = time.perf_counter() - began
    particles = plan.scene.X.shape[1]
    done = (len(frames) - 1) * plan.every
    per_second = particles * max(done - plan.every, 0) / max(seconds - compiled, 1e-9)
    extra = {"courant": float(courant), "smallest_determinant": float(smallest), "spacing": plan.spacing,
             "dt": plan.dt, "particles": float(particles), "particle_steps_per_second": per_second}  # fmt: skip
    stats = Stats(
        compile=compiled, solve=seconds - compiled, iterations=done, unknowns=particles * len(plan.scene.X), extra=extra
    )
    parameters = {n: Estimate(float(p.value)) for n, p in problem.parameters.items() if p.value is not None}
    return Solution(problem, name, trajectory(problem, plan, frames), result, parameters, stats)


def trajectory(problem: Problem, plan: Plan, frames: list[State]) -> Trajectory:
    """The representation of some states at the start and after each group of steps."""
    t0 = problem.domain.bounds[plan.scene.domain.coordinates[0].name][0]
    if len(frames) == 1:
        frames = frames * 2  # nothing was computed: a motion that stands still
    X = np.ascontiguousarray(plan.scene.X.T)
    whole = jax.tree.map(lambda *parts: np.stack([np.moveaxis(np.asarray(p), -1, 0) for p in parts]), *frames)
    times = t0 + plan.dt * plan.every * np.arange(len(frames))
    t, material_points, x, v, F, C = (jnp.asarray(a, float) for a in (times, X, whole.x, whole.v, whole.F, whole.C))
    names = problem.domain.frame.names
    ordered = (problem.domain.frame.time or names[0], *plan.scene.names)
    unknowns = tuple(repr(u) for u in problem.unknowns)
    return Trajectory(t, material_points, x, v, F, C, Neighbours.of(X), ordered, unknowns)
