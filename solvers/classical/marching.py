"""Adaptive time marching of u' = L u + N(t, u) by ETDRK4, stored as Chebyshev polynomials in time.

Time is cut into panels by halving the whole span. On each panel the state is computed at Chebyshev–Lobatto times with
s and with 2s steps a gap: their difference controls s, its Richardson combination is kept, and the decay of the
Chebyshev coefficients in time controls the panel's length. What is kept is therefore a spectral interpolant in time
whose error is of the order of the tolerance everywhere, initial layers included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sciml.results import RESULTS
from solvers.classical.collocation import chebyshev_nodes, chebyshev_transform
from solvers.classical.exponential import ExponentialStep, etdrk4_coefficients, etdrk4_step

Complex = NDArray[np.complex128]

NODES = 16
_GAPS = np.diff(chebyshev_nodes(NODES)) / 2
_DISTINCT = NODES // 2
_WHICH = np.minimum(np.arange(NODES - 1), np.arange(NODES - 1)[::-1])
_WIDEST = int(np.argmax(_GAPS))
_GROWTH = 2.0 ** (NODES - 2)
_MOST_HALVINGS = 24
_ROUND_OFF = 1e-14
_MOST_SUBSTEPS = 4096
_SLACK = 4.0
_HUGE = 1e100


@final
@dataclass(frozen=True)
class Semilinear:
    """u' = L u + N(t, u) over modes.

    Args:
        symbol: L, shape of the state for a diagonal symbol, (modes..., m, m) for one that couples the m fields.
        nonlinear: (time, state, arguments) -> N, a pure JAX function. Compiled programs are kept by its equality and
            the shapes of state and arguments, so give equal systems equal functions.
        arguments: arrays that `nonlinear` reads (grids, parameters), traced.
        coupled: whether `symbol` holds matrices.
    """

    symbol: Complex
    nonlinear: Callable[[jax.Array, jax.Array, Any], jax.Array]
    arguments: Any
    coupled: bool = False


@final
class Panel(NamedTuple):
    """The solution on one interval of time.

    Args:
        start: first time.
        end: last time.
        coefficients: Chebyshev coefficients in time, shape (nodes, fields, modes...).
    """

    start: float
    end: float
    coefficients: Complex


@final
class Trial(NamedTuple):
    """One attempt at a panel: states at the Chebyshev times, and the estimated relative errors."""

    states: Complex
    step_error: float
    tail: float


@final
class Trajectory(NamedTuple):
    """The computed panels in order, how the computation ended, and its cost."""

    panels: tuple[Panel, ...]
    result: RESULTS
    step_error: float
    time_tail: float
    space_tail: float
    steps: int
    compile_seconds: float


@final
@dataclass
class _Stepper:
    """Compiled panel steps and their coefficient tables for one system; tables are kept by step size."""

    system: Semilinear
    compile_seconds: float = 0.0
    tables: dict[float, ExponentialStep] = field(default_factory=dict)
    compiled: bool = False

    def states(self, state: Complex, start: float, length: float, substeps: NDArray[np.intp]) -> Complex:
        sizes = length * _GAPS / substeps
        table = jax.tree.map(lambda *parts: np.stack(parts), *(self._table(size) for size in sizes[:_DISTINCT]))
        run = partial(_panel, self.system.nonlinear, self.system.coupled, table, self.system.arguments)
        inputs = (jnp.asarray(state), jnp.asarray(start), jnp.asarray(sizes))
        if not self.compiled:
            began = perf_counter()
            run(*inputs, jnp.zeros_like(substeps)).block_until_ready()  # no steps: the time is that of compilation
            self.compiled, self.compile_seconds = True, self.compile_seconds + perf_counter() - began
        return np.asarray(run(*inputs, jnp.asarray(substeps)))

    def _table(self, size: float) -> ExponentialStep:
        key = float(np.format_float_scientific(size, precision=12))
        if key not in self.tables:
            self.tables[key] = etdrk4_coefficients(self.system.symbol, size, coupled=self.system.coupled)
        return self.tables[key]


@eqx.filter_jit
def _panel(
    nonlinear: Callable[..., jax.Array],
    coupled: bool,
    table: ExponentialStep,
    arguments: Any,
    state: jax.Array,
    start: jax.Array,
    sizes: jax.Array,
    substeps: jax.Array,
) -> jax.Array:
    """States at the Chebyshev times of one panel, shape (nodes, *state)."""
    apply = _couple if coupled else jnp.multiply

    def gap(carry: tuple[jax.Array, jax.Array], row: tuple[jax.Array, jax.Array, jax.Array]) -> Any:
        time, current = carry
        which, size, count = row
        coefficients = jax.tree.map(lambda stacked: stacked[which], table)

        def step(index: jax.Array, value: jax.Array) -> jax.Array:
            return etdrk4_step(
                coefficients, lambda t, u: nonlinear(t, u, arguments), apply, time + index * size, value, size
            )

        current = jax.lax.fori_loop(0, count, step, current)
        return (time + count * size, current), current

    _, states = jax.lax.scan(gap, (start, state), (jnp.asarray(_WHICH), sizes, substeps))
    return jnp.concatenate([state[None], states])


def _couple(matrices: jax.Array, state: jax.Array) -> jax.Array:
    """Block (modes..., m, m) times state (m, modes...)."""
    return jnp.einsum("...ij,j...->i...", matrices, state)


def march(
    system: Semilinear,
    initial: Complex,
    span: tuple[float, float],
    *,
    rtol: float,
    refine: Callable[[Complex, Complex], tuple[Semilinear, Complex] | None],
    tail: Callable[[Complex], float],
    project: Callable[[Complex], Complex] = lambda state: state,
    proceed: Callable[[float, int], RESULTS | None] = lambda time, steps: None,
) -> Trajectory:
    """Integrate from the initial state over a span of time.

    Args:
        system: the equations in their first resolution.
        initial: state at the first time, shape (fields, modes...).
        span: first and last time.
        rtol: relative l2 accuracy asked of steps, of interpolation in time and of truncation in space.
        refine: given the state at the start of a panel and the states on it, which are not resolved in space, the
            system and the start at a higher resolution, or None at the highest.
        tail: share of a state's norm in its last modes.
        project: applied to the state at every panel's start (restores a symmetry).
        proceed: asked after every attempt with the time reached and the steps taken; an outcome ends the run.

    Returns:
        A `Trajectory`; its last panel ends early if the computation did not succeed.
    """
    stepper, run, state = _Stepper(system), _Run(span, rtol), np.asarray(initial)
    while run.position < span[1]:
        trial = _attempt(stepper, state, run, proceed)
        if (ended := proceed(run.position, run.steps)) is not None:
            return run.finish(ended, stepper.compile_seconds)
        if trial.tail > rtol:
            if run.halvings == _MOST_HALVINGS:  # a singularity in time
                blown_up = not np.isfinite(trial.step_error)
                return run.finish(RESULTS.nonfinite if blown_up else RESULTS.stagnated, stepper.compile_seconds)
            run.halve()
            continue
        unresolved = tail(trial.states)
        if unresolved > rtol and (finer := refine(state, trial.states)) is not None:
            stepper, state = _Stepper(finer[0], stepper.compile_seconds), finer[1]
            continue
        state = project(trial.states[-1])
        run.accept(trial, unresolved)
    return run.finish(None, stepper.compile_seconds)


@final
@dataclass
class _Run:
    """Where a march stands: its place in the binary tree of panels, steps a unit of time, accumulated estimates."""

    span: tuple[float, float]
    rtol: float
    halvings: int = 0
    index: int = 0
    density: float = 0.0
    panels: list[Panel] = field(default_factory=list)
    steps: int = 0
    step_error: float = 0.0
    time_tail: float = 0.0
    space_power: float = 0.0

    @property
    def duration(self) -> float:
        return self.span[1] - self.span[0]

    @property
    def length(self) -> float:
        return self.duration * 0.5**self.halvings

    @property
    def position(self) -> float:
        return self.span[0] + self.index * self.length if self.index < 2**self.halvings else self.span[1]

    def halve(self) -> None:
        self.halvings, self.index = self.halvings + 1, self.index * 2

    def accept(self, trial: Trial, unresolved: float) -> None:
        coefficients = np.tensordot(chebyshev_transform(NODES), trial.states, axes=1)
        start = self.position
        self.index += 1
        self.panels.append(Panel(start, self.position, coefficients))
        self.step_error += trial.step_error
        self.time_tail = max(self.time_tail, trial.tail)
        self.space_power += unresolved**2 * self.length / self.duration
        longer = trial.tail * _GROWTH
        while self.halvings and self.index % 2 == 0 and longer < self.rtol:
            self.halvings, self.index = self.halvings - 1, self.index // 2
            longer *= _GROWTH

    def finish(self, result: RESULTS | None, compile_seconds: float) -> Trajectory:
        space_tail = float(np.sqrt(self.space_power))
        if result is None:
            worst = max(space_tail, self.time_tail, self.step_error)
            result = RESULTS.successful if worst <= _SLACK * self.rtol else RESULTS.under_resolved
        return Trajectory(
            tuple(self.panels), result, self.step_error, self.time_tail, space_tail, self.steps, compile_seconds
        )


def _attempt(stepper: _Stepper, state: Complex, run: _Run, proceed: Callable[[float, int], RESULTS | None]) -> Trial:
    """States over the next panel, with as many steps as the tolerance needs unless the panel is too long anyway."""
    substeps = np.maximum(1, np.ceil(run.length * _GAPS * run.density)).astype(np.intp)
    coarse = stepper.states(state, run.position, run.length, substeps)
    run.steps += int(substeps.sum())
    while True:
        fine = stepper.states(state, run.position, run.length, 2 * substeps)
        run.steps += int(2 * substeps.sum())
        trial = _compare(coarse, fine)
        too_long = trial.tail > max(run.rtol, 4 * trial.step_error) or not np.isfinite(trial.step_error)
        allowed = max(run.rtol * run.length / run.duration, _ROUND_OFF)
        if too_long or trial.step_error <= allowed or substeps.max() >= _MOST_SUBSTEPS:
            break
        if proceed(run.position, run.steps) is not None:
            break
        coarse, substeps = fine, 2 * substeps
        run.density = float(substeps[_WIDEST] / (run.length * _GAPS[_WIDEST]))
    if trial.step_error < allowed / 64:
        run.density = max(run.density / 2, 1 / run.duration)
    return trial


def _compare(coarse: Complex, fine: Complex) -> Trial:
    """Richardson's combination of two runs of fourth order, their difference, and the tail of its series in time."""
    if not (np.max(np.abs(coarse)) < _HUGE and np.max(np.abs(fine)) < _HUGE):
        return Trial(fine, np.inf, np.inf)
    difference = (fine - coarse) / 15
    scale = max(float(np.max(_norms(fine))), np.finfo(float).tiny)
    states = fine + difference
    last = np.tensordot(chebyshev_transform(NODES)[-2:], states, axes=1)
    return Trial(states, float(np.max(_norms(difference))) / scale, float(np.max(_norms(last))) / scale)


def _norms(states: Complex) -> NDArray[np.float64]:
    return np.sqrt(np.sum(np.abs(states.reshape(states.shape[0], -1)) ** 2, axis=1))
