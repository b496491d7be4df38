r"""What coefficients of laws make of the fields: the method of lines, with its forward sensitivities.

The state y(t) on the grid obeys $\dot y = r(t, y; c)$, and each direction in c carries a tangent
$\dot z = \partial_y r\,z + \partial_c r$ along the same steps in time. Coefficients are few and values many, so all
tangents cost about as many integrations as there are coefficients, and no trajectory is stored. Steps are implicit and
L-stable, which damps stiff parts of the tangents as it does those of the state; one ends at every frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.known import Arguments
from sciml.problem import Problem
from solvers.classical.finite_difference.advection import Central
from solvers.classical.finite_difference.evolution import expand, initial_state, state_rate
from solvers.classical.finite_difference.grid import Axis, Grid
from solvers.classical.finite_difference.interpolation import interpolate
from solvers.classical.finite_difference.rates import Scheme
from solvers.classical.finite_difference.sampler import tabulate
from solvers.classical.finite_difference.system import read_system
from solvers.classical.laws.spline import SplineLaw

Laws = dict[str, SplineLaw]

MOST_STEPS = 3_000
"""Steps in time after which a trial law is given up."""
_MOST_FRAMES, _FEWEST_FRAMES, _NUMBERS = 128, 64, 2e7


@final
class Forward(eqx.Module):
    """A problem on a grid, whose laws are still to be given.

    Attributes:
        scheme: the semi-discretisation.
        axes: time and space of the frames, time in units of their span.
        state: initial state.
        times: of the frames that are kept, equally spaced.
        arguments: numbers of the problem, laws that are known among them.
        tabulated: values of its coefficients.
        points: places of the observations, an array a coordinate, time first and in its own units.
        fields: number of the observed unknown of each observation.
        tolerance: relative error allowed in a step.
    """

    scheme: Scheme = eqx.field(static=True)
    axes: tuple[Axis, ...] = eqx.field(static=True)
    state: Array
    times: Float[Array, " frames"]
    arguments: Arguments
    tabulated: dict[str, Array]
    points: tuple[Array, ...]
    fields: Array
    tolerance: Array

    def until(self, share: float) -> tuple[Forward, np.ndarray]:
        """The same over the first part of the time, and which observations lie in it."""
        start, end = self.times[0], self.times[0] + share * (self.times[-1] - self.times[0])
        sooner = eqx.tree_at(lambda f: f.times, self, jnp.linspace(start, end, len(self.times)))
        return sooner, np.asarray(self.points[0] <= end)

    @property
    def time_axis(self) -> Axis:
        """Axis of the frames in units of time."""
        unit = self.axes[0]
        return Axis(unit.name, float(self.times[0]), float(self.times[-1]), unit.size, periodic=False)

    @property
    def width(self) -> int:
        """Nodes of the local polynomial between frames and nodes."""
        return self.scheme.system.order + 2

    def _arguments(self, laws: Laws) -> Arguments:
        own = self.arguments
        return Arguments(own.parameters, own.coefficients, {**own.laws, **laws})

    def frames(self, laws: Laws) -> tuple[Float[Array, "unknowns frames *grid"], Array]:
        """Node values at the kept times, and whether the march came to its end."""
        numbers = (self._arguments(laws), self.tabulated)
        controller = diffrax.PIDController(rtol=self.tolerance, atol=0.1 * self.tolerance)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, args: state_rate(self.scheme, t, y, args)),
            diffrax.Kvaerno5(),
            self.times[0],
            self.times[-1],
            None,
            self.state,
            args=numbers,
            saveat=diffrax.SaveAt(ts=self.times),
            stepsize_controller=diffrax.ClipStepSizeController(controller, step_ts=self.times[1:]),
            adjoint=diffrax.ForwardMode(),
            max_steps=MOST_STEPS,
            throw=False,
        )
        assert solution.ys is not None
        count = len(self.scheme.system.unknowns)

        def frame(t: Array, state: Array) -> Array:
            fields = expand(self.scheme.system, state, t, numbers)
            return jnp.stack([fields[i, 0] for i in range(count)])

        values = jnp.moveaxis(jax.vmap(frame)(self.times, solution.ys), 1, 0)
        return values, (solution.result == diffrax.RESULTS.successful) & jnp.isfinite(values).all()

    def observed(self, frames: Array) -> Float[Array, " observations"]:
        """Values at the places of the observations."""
        share = (self.points[0] - self.times[0]) / (self.times[-1] - self.times[0])
        every = interpolate(frames, self.axes, (jnp.clip(share, 0, 1), *self.points[1:]), self.width)
        return jnp.take_along_axis(every, self.fields[:, None], axis=1)[:, 0]


def forward_of(problem: Problem, grid: Grid, order: int, rtol: float, columns: int) -> Forward:
    """Read a problem that passed the solver's check.

    Args:
        problem: with or without observations; laws without a function are given later.
        grid: in space.
        order: of the central differences.
        rtol: relative error allowed in a step.
        columns: directions of the tangents, which bound the number of frames.
    """
    system = read_system(problem, grid, order)
    assert system.time is not None
    start, end = problem.domain.bounds[system.time.name]
    state = jnp.asarray(initial_state(problem, system, start))
    frames = int(np.clip(_NUMBERS / (state.size * columns), _FEWEST_FRAMES, _MOST_FRAMES))
    names = [system.time.name, *(axis.name for axis in grid.axes)]
    unknowns = [repr(u) for u in problem.unknowns]
    fields = [np.full(o.values.size, unknowns.index(repr(o.expression))) for o in problem.observations]
    return Forward(
        scheme=Scheme(system, Central()),
        axes=(Axis(system.time.name, 0.0, 1.0, frames + 1, periodic=False), *grid.axes),
        state=state,
        times=jnp.linspace(start, end, frames + 1),
        arguments=problem.arguments,
        tabulated=tabulate(system, problem.arguments),
        points=tuple(jnp.asarray(_joined([o.points[n] for o in problem.observations])) for n in names),
        fields=jnp.asarray(_joined(fields).astype(int)),
        tolerance=jnp.asarray(rtol),
    )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)


def with_coefficients(laws: Laws, c: Array) -> Laws:
    """The laws with other coefficients, one law after the other."""
    found, start = {}, 0
    for name, law in laws.items():
        size = law.coefficients.size
        found[name] = eqx.tree_at(lambda s: s.coefficients, law, c[start : start + size])
        start += size
    return found


def coefficients_of(laws: Mapping[str, SplineLaw]) -> np.ndarray:
    """All coefficients, one law after the other."""
    return np.concatenate([np.asarray(law.coefficients) for law in laws.values()])


@eqx.filter_jit
def predict(forward: Forward, laws: Laws, c: Array) -> tuple[Array, Array]:
    """Values at the observations, and whether there are any."""
    frames, is_whole = forward.frames(with_coefficients(laws, c))
    return forward.observed(frames), is_whole


@eqx.filter_jit
def sensitivities(forward: Forward, laws: Laws, c: Array) -> tuple[Array, Array]:
    """Values at the observations `(n,)`, and their derivatives by the coefficients `(n, m)`."""

    def along(direction: Array) -> tuple[Array, Array]:
        return jax.jvp(lambda c: forward.observed(forward.frames(with_coefficients(laws, c))[0]), (c,), (direction,))

    values, columns = jax.vmap(along, out_axes=(None, 1))(jnp.eye(c.size))
    return values, columns


@eqx.filter_jit
def spread(forward: Forward, laws: Laws, c: Array, roots: Array) -> tuple[Array, Array, Array]:
    """Frames, their standard deviation to first order, and whether the march came to its end.

    Args:
        forward: problem on its grid.
        laws: their shapes.
        c: coefficients.
        roots: square root of the covariance of c, a row a direction.
    """

    def along(direction: Array) -> tuple[Array, Array, Array]:
        def frames(c: Array) -> tuple[Array, Array]:
            return forward.frames(with_coefficients(laws, c))

        values, tangent, is_whole = jax.jvp(frames, (c,), (direction,), has_aux=True)
        return values, tangent, is_whole

    values, tangents, is_whole = jax.vmap(along, out_axes=(None, 0, None))(roots)
    return values, jnp.sqrt(jnp.sum(tangents**2, axis=0)), is_whole
