# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Bring your own solver
#
# A solver is a frozen dataclass with two methods: `check` gives reasons why it cannot solve a problem, `run` solves it.
# It never sees the name of an equation, only what can be asked of any problem. Here is one, complete: Fourier in space,
# fourth-order Runge–Kutta in time, for one periodic axis.

# %%
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pde_zoo import advection, burgers
from sciml import (
    RESULTS,
    AbstractRepresentation,
    AbstractSolver,
    Box,
    Field,
    Problem,
    Run,
    SciMLError,
    Solution,
    Stats,
    coordinates,
    pi,
    sin,
    solve,
)
from sciml.conditions import ConditionKind
from sciml.expr.evaluation import evaluate
from sciml.expr.evolution import evolution
from sciml.expr.traverse import atoms, is_unknown, multi_index
from sciml.known import known_values
from solvers.classical import Spectral

# %% [markdown]
# ## What it returns
#
# A representation is a function of points that JAX can differentiate: here a Fourier series at every stored time, with
# straight lines between the times.

# %%


@final
class Waves(AbstractRepresentation):
    """Fourier coefficients `(times, modes)` on one periodic axis, linear between the times."""

    coefficients: jax.Array
    times: jax.Array
    start: float = eqx.field(static=True)
    length: float = eqx.field(static=True)
    names: tuple[str, str, str] = eqx.field(static=True)

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        unknown, t, x = self.names
        step = self.times[1] - self.times[0]
        place = jnp.clip((points[t] - self.times[0]) / step, 0, self.times.size - 1)
        before = jnp.clip(jnp.floor(place).astype(int), 0, self.times.size - 2)
        share = (place - before)[:, None]
        own = (1 - share) * self.coefficients[before] + share * self.coefficients[before + 1]
        k = 2j * jnp.pi / self.length * jnp.arange(own.shape[1])
        waves = jnp.exp(k * (points[x] - self.start)[:, None])
        weight = jnp.where(jnp.arange(own.shape[1]) == 0, 1.0, 2.0)
        return {unknown: jnp.real(jnp.sum(weight * own * waves, axis=1))}


# %% [markdown]
# ## The solver
#
# `evolution` brings the equations to $u_t = \dots$ or refuses with a sentence; `atoms` says which derivatives the right
# side needs; `evaluate` puts numbers in their place. The three are the whole contract.

# %%


@final
@dataclass(frozen=True)
class FourierRungeKutta(AbstractSolver):
    """Explicit and unstabilised: for equations without stiff terms.

    Args:
        points: of the periodic axis.
        steps: of equal length in time.
    """

    points: int = 64
    steps: int = 400

    def check(self, problem: Problem) -> list[str]:
        if not isinstance(problem.domain, Box) or problem.time is None or len(problem.space) != 1:
            return ["it needs a Box of time and one axis"]
        if problem.space[0].name not in problem.box.periodic:
            return [f"the axis {problem.space[0].name} has ends; it needs a periodic one"]
        try:
            count = len(evolution(problem.equations, problem.time).unknowns)
        except SciMLError as error:
            return [str(error)]
        return [] if count == 1 else [f"{count} unknowns; it needs one"]

    def run(self, problem: Problem, run: Run) -> Solution:
        system = evolution(problem.equations, problem.time)
        (unknown,), (right,) = system.unknowns, system.right_hand_sides()
        t, x = problem.time.name, problem.space[0].name
        (t0, t1), (a, b) = problem.box.bounds[t], problem.box.bounds[x]
        nodes = jnp.asarray(a + (b - a) * np.arange(self.points) / self.points)
        times, dt = jnp.linspace(t0, t1, self.steps + 1), (t1 - t0) / self.steps
        k = 2j * jnp.pi / (b - a) * jnp.arange(self.points // 2 + 1)
        needed, arguments = atoms(right), problem.arguments

        def slope(time: jax.Array, u: jax.Array) -> jax.Array:
            known = known_values(needed, {t: jnp.full_like(nodes, time), x: nodes}, arguments)
            modes = jnp.fft.rfft(u)
            own = [atom for atom in needed if is_unknown(atom)]
            derivatives = {atom: jnp.fft.irfft(k ** len(multi_index(atom)) * modes, self.points) for atom in own}
            return jnp.broadcast_to(evaluate(right, {**known, **derivatives}), u.shape)

        def step(u: jax.Array, time: jax.Array) -> tuple[jax.Array, jax.Array]:
            k1 = slope(time, u)
            k2 = slope(time + dt / 2, u + dt / 2 * k1)
            k3 = slope(time + dt / 2, u + dt / 2 * k2)
            new = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + slope(time + dt, u + dt * k3))
            return new, new

        initial = next(c for c in problem.placed_conditions if c.kind is ConditionKind.INITIAL)
        given = known_values(atoms(initial.data), {t: jnp.full_like(nodes, t0), x: nodes}, arguments)
        first = jnp.broadcast_to(evaluate(initial.data, given), nodes.shape)
        _, later = jax.jit(lambda u: jax.lax.scan(step, u, times[:-1]))(first)
        values = jnp.concatenate([first[None], later])
        fields = Waves(jnp.fft.rfft(values, axis=1) / self.points, times, a, b - a, (repr(unknown), t, x))
        result = RESULTS.successful if bool(jnp.isfinite(values).all()) else RESULTS.nonfinite
        cost = Stats(iterations=self.steps, unknowns=self.points)
        return Solution(problem, repr(self), fields, result=result, stats=cost)


# %% [markdown]
# ## On problems it was not made for
#
# The zoo's transport equation, and one that is written here. The library's own solver is the judge.

# %%
print(FourierRungeKutta().check(advection()) or "transport can be solved")

t, x = coordinates("t x")
u = Field("u", t, x)
ring = Box({t: (0, 1), x: (0, 1)}, periodic=x)
mine = Problem([u.dt + u * u.dx == 0.02 * u.dxx - u**3], ring, [(u == sin(2 * pi * x)).on(ring.at(t=0))], name="mine")
own, judge = solve(mine, FourierRungeKutta()), solve(mine, Spectral())
xs = np.linspace(0, 1, 101)
gap = float(np.max(np.abs(own(t=1.0, x=xs) - judge(t=1.0, x=xs))))
print(f"largest difference at the end: {gap:.1e}")
assert gap < 1e-6

# %% [markdown]
# A problem outside its class is refused before anything compiles, and a step that is too long is never called success:

# %%
print(FourierRungeKutta().check(burgers()))
exploded = solve(mine, FourierRungeKutta(points=256, steps=40), throw=False)
print(exploded.result.name)
assert exploded.result is RESULTS.nonfinite

# %% [markdown]
# In a file of your own, the command line takes it like any other, beside the classical baseline:
#
# ```
# sciml compare advection --solvers my_solver.py:FourierRungeKutta,spectral
# ```

# %%
own.plot()
