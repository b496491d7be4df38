"""Integration in time by diffrax: choice of the method, chunks between looks at the clock, frames for the solution."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from time import perf_counter
from typing import Any, final

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.results import RESULTS
from solvers.classical.finite_difference.evolution import Numbers, expand, state_rate
from solvers.classical.finite_difference.rates import Scheme
from solvers.classical.finite_difference.sparse_lu import SparseLU
from solvers.classical.finite_difference.sparsity import find_pattern

CHUNKS = 16

_EXPLICIT_STEPS, _IMPLICIT_STEPS = 200_000, 5_000  # most steps of a chunk
_SHORTEST_STEP = 1e-8
_POWER_STEPS = 20


@final
@dataclasses.dataclass(frozen=True)
class Tolerance:
    """Relative and absolute error allowed in a time step."""

    rtol: float
    atol: float


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Trajectory:
    """What the integration left.

    Attributes:
        frames: node values of the unknowns at equally spaced times, `(frames, unknowns, *grid)`; those never reached
            hold the last values that were.
        result: how it ended.
        steps: accepted and rejected time steps.
        compile_seconds: time of tracing and compilation.
        state: the state at the last time reached.
        time: that time.
    """

    frames: Float[np.ndarray, "frames unknowns *grid"]
    result: RESULTS
    steps: int
    compile_seconds: float
    state: Array
    time: float


@eqx.filter_jit
def rate_derivative(scheme: Scheme, t: Array, state: Array, direction: Array, numbers: Numbers) -> Array:
    """Derivative of the rate along a direction in the states."""
    return jax.jvp(lambda y: state_rate(scheme, t, y, numbers), (state,), (direction,))[1]


def spectral_radius(scheme: Scheme, t: float, state: Array, numbers: Numbers) -> float:
    """Estimate of the largest |eigenvalue| of the linearised rate, by power iteration from a rough vector."""
    time = jnp.asarray(np.array(t))
    v = np.random.default_rng(0).standard_normal(state.shape)
    sizes = []
    for _ in range(_POWER_STEPS):
        v = v / (np.linalg.norm(v) + 1e-300)
        v = np.asarray(rate_derivative(scheme, time, state, jnp.asarray(v), numbers))
        sizes.append(np.linalg.norm(v))
    return float(np.exp(np.mean(np.log(np.array(sizes[_POWER_STEPS // 2 :]) + 1e-300))))


def choose_integrator(
    unknowns: int, axes: int, radius: float, span: float, frames: int, rtol: float
) -> diffrax.AbstractSolver:
    """An explicit method where it is estimated to be cheaper than an implicit one, by a model of both costs.

    An explicit step is limited by stability to about 3 / radius; an implicit one by accuracy, and it solves a sparse
    system.

    Args:
        unknowns: size of the state.
        axes: grid axes, which decide how a sparse factorisation fills in.
        radius: largest |eigenvalue| of the rate.
        span: time to integrate over.
        frames: frames, at each of which an implicit step ends.
        rtol: relative tolerance.
    """
    evaluation = 4e-6 + 8e-9 * unknowns
    explicit = 6 * evaluation * (radius * span / 3 + 100)
    factorisation = 1e-8 * unknowns**2 if axes == 3 else 1.5e-5 * unknowns
    implicit = (frames + 100) * (5e-3 + factorisation)
    if explicit <= 2 * implicit:
        return diffrax.Tsit5() if rtol > 1e-9 else diffrax.Dopri8()
    return diffrax.Kvaerno5()


def is_implicit(integrator: diffrax.AbstractSolver) -> bool:
    """Whether a method solves systems of equations."""
    return isinstance(integrator, diffrax.AbstractImplicitSolver)


def with_sparse_newton(
    integrator: diffrax.AbstractSolver, scheme: Scheme, t: float, state: Array, numbers: Numbers
) -> diffrax.AbstractSolver:
    """An implicit method whose Newton systems are solved by sparse LU."""
    periodic = tuple(axis.periodic for axis in scheme.system.grid.axes)
    time = jnp.asarray(np.array(t))

    def derivative(y: Array, v: Array) -> Array:
        # The multiple of v keeps the diagonal in the pattern, and cancels no entry of the rate.
        return np.pi * v + rate_derivative(scheme, time, y, v, numbers)

    pattern = find_pattern(derivative, state, periodic)
    chord = diffrax.with_stepsize_controller_tols(diffrax.VeryChord)(linear_solver=SparseLU(pattern))
    return eqx.tree_at(lambda s: s.root_finder, integrator, chord, is_leaf=lambda x: x is integrator.root_finder)  # type: ignore[attr-defined]


@eqx.filter_jit
def _advance(
    scheme: Scheme,
    integrator: diffrax.AbstractSolver,
    state: Array,
    times: Array,
    first_step: Array,
    tolerance: Array,
    numbers: Numbers,
) -> tuple[Array, Array, Array, Any]:
    """Frames at `times[1:]`, the state at the last, the number of steps and diffrax's result."""
    implicit = is_implicit(integrator)
    shortest = None if implicit else _SHORTEST_STEP * first_step  # a blow-up would shorten the step for ever
    controller: Any = diffrax.PIDController(rtol=tolerance[0], atol=tolerance[1], dtmin=shortest, force_dtmin=False)
    if implicit:  # its steps are long, and diffrax interpolates within a step to lower order than it steps
        controller = diffrax.ClipStepSizeController(controller, step_ts=times[1:])
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: state_rate(scheme, t, y, args)),
        integrator,
        times[0],
        times[-1],
        first_step,
        state,
        args=numbers,
        saveat=diffrax.SaveAt(ts=times[1:]),
        stepsize_controller=controller,
        max_steps=_IMPLICIT_STEPS if implicit else _EXPLICIT_STEPS,
        throw=False,
    )
    states = solution.ys
    assert states is not None
    frames = jax.lax.map(lambda pair: _frame(scheme, pair[0], pair[1], numbers), (times[1:], states))
    return frames, states[-1], solution.stats["num_steps"], solution.result


@eqx.filter_jit
def _frame(scheme: Scheme, t: Array, state: Array, numbers: Numbers) -> Float[Array, "unknowns *grid"]:
    """Node values of the unknowns at one time."""
    fields = expand(scheme.system, state, t, numbers)
    return jnp.stack([fields[i, 0] for i in range(len(scheme.system.unknowns))])


def integrate(
    scheme: Scheme,
    integrator: diffrax.AbstractSolver,
    state: Array,
    times: Float[np.ndarray, " frames"],
    first_step: float,
    tolerance: Tolerance,
    numbers: Numbers,
    proceed: Callable[[float, np.ndarray, int], RESULTS | None],
) -> Trajectory:
    """March through the frames in chunks.

    Args:
        scheme: system and advection scheme.
        integrator: a diffrax method.
        state: initial state.
        times: equally spaced times of the frames; their number is 1 more than a multiple of `CHUNKS`.
        first_step: a step that is surely not too long to begin with.
        tolerance: error allowed in a step.
        numbers: the problem's numbers.
        proceed: called with time, frame and steps after each chunk; a result it returns ends the march.
    """
    per_chunk = (len(times) - 1) // CHUNKS
    allowed, step = jnp.asarray(np.array([tolerance.rtol, tolerance.atol])), jnp.asarray(np.array(first_step))
    began = perf_counter()
    nowhere = jnp.asarray(np.full(per_chunk + 1, float(times[0])))  # no time to march through: this only compiles
    jax.block_until_ready(_advance(scheme, integrator, state, nowhere, step, allowed, numbers)[:3])
    compile_seconds = perf_counter() - began
    first = np.asarray(_frame(scheme, jnp.asarray(times[0]), state, numbers))
    parts, steps, result, reached = [first[None]], 0, RESULTS.successful, float(times[0])
    for start in range(0, len(times) - 1, per_chunk):
        window = jnp.asarray(times[start : start + per_chunk + 1])
        frames, last, count, outcome = _advance(scheme, integrator, state, window, step, allowed, numbers)
        steps += int(count)
        step = (window[-1] - window[0]) / max(int(count), 1)
        result = _result(outcome, np.asarray(frames))
        if result is not RESULTS.successful:
            break
        state, reached = last, float(window[-1])
        parts.append(np.asarray(frames))
        stop = proceed(reached, parts[-1][-1], steps)
        if stop is not None:
            result = stop
            break
    done = np.concatenate(parts)
    rest = np.repeat(done[-1:], len(times) - len(done), axis=0)
    return Trajectory(np.concatenate([done, rest]), result, steps, compile_seconds, state, reached)


def _result(outcome: Any, frames: np.ndarray) -> RESULTS:
    if outcome == diffrax.RESULTS.max_steps_reached:
        return RESULTS.max_steps_reached
    if not np.isfinite(frames).all():
        return RESULTS.nonfinite
    return RESULTS.successful if outcome == diffrax.RESULTS.successful else RESULTS.nonfinite
