"""FiniteDifference: the method of lines and Newton's method on uniform grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, final

import diffrax
import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.classical.finite_difference.advection import AbstractAdvection, Central
from solvers.classical.finite_difference.evolution import Numbers, initial_state
from solvers.classical.finite_difference.grid import Axis, Grid
from solvers.classical.finite_difference.rates import Scheme
from solvers.classical.finite_difference.representation import GridInterpolant
from solvers.classical.finite_difference.resolution import frame_error, representation_error
from solvers.classical.finite_difference.sampler import tabulate
from solvers.classical.finite_difference.steady import solve_steady
from solvers.classical.finite_difference.stencils import ORDERS
from solvers.classical.finite_difference.stepping import (
    CHUNKS,
    Tolerance,
    choose_integrator,
    integrate,
    is_implicit,
    spectral_radius,
    with_sparse_newton,
)
from solvers.classical.finite_difference.support import reasons_of_kind, reasons_of_system
from solvers.classical.finite_difference.system import System, read_system
from solvers.classical.finite_difference.transport import choose_advection

_DEFAULT_POINTS = {1: 401, 2: 81, 3: 33}
_FRAME_NUMBERS = 2e7
_MOST_FRAMES = 1024
_IMPLICIT_FRAMES = 128
_UNDER_RESOLVED = 0.02
_NEWTON_STEP = 1e-10


@final
@dataclass(frozen=True)
class FiniteDifference(AbstractSolver):
    """Finite differences of order 2, 4 or 6 on a uniform grid, with the conditions built in at the faces.

    Derivatives become central stencils, one-sided near the faces; terms written as derivatives of fluxes stay fluxes
    between nodes, so they conserve and their coefficients may jump. Nodes at the faces are eliminated by the
    conditions. Evolutions are integrated by diffrax with error control, steady problems by Newton's method with sparse
    LU.

    It solves systems on boxes of 1 to 3 space dimensions, of first or second order in time or steady, with any mix of
    periodic axes and Dirichlet, Neumann, Robin or nonlinear conditions. Cost: each step is linear in the nodes; an
    implicit step or a Newton step factorises a sparse matrix (about 0.1 s for 4,000 unknowns in 2-D). Error:
    O(h^order) where the solution is smooth.

    Args:
        points: nodes along each axis, one number or by coordinate name; default 401, 81 or 33 in 1, 2 or 3 dimensions.
        order: order of accuracy in space.
        advection: scheme for derivatives that transport; None chooses by the cell Péclet number at the start.
        integrator: a diffrax method for one term (`Tsit5()`, `Kvaerno5()`); None chooses by the stiffness at the start.
        rtol: relative tolerance of time steps; Newton's method goes to a relative step of 1e-10.
        atol: absolute tolerance of time steps.
        newton_steps: most Newton steps of a steady problem.

    Source: B. Fornberg, doi:10.1090/S0025-5718-1988-0935077-0; B. Gustafsson, doi:10.1090/S0025-5718-1975-0386296-7;
    P. Kidger, On neural differential equations, arXiv:2202.02435 (diffrax).
    """

    points: int | Mapping[str, int] | None = None
    order: int = 4
    advection: AbstractAdvection | None = None
    integrator: diffrax.AbstractSolver | None = None
    rtol: float = 1e-8
    atol: float = 1e-10
    newton_steps: int = field(default=50, kw_only=True)

    def __post_init__(self):
        if self.order not in ORDERS:
            raise OptionError(f"order {self.order!r}", "2, 4 or 6", "choose one of these")
        counts = self.points.values() if isinstance(self.points, Mapping) else [self.points]
        if any(n is not None and (not isinstance(n, int) or n < 1) for n in counts):
            raise OptionError(f"points {self.points!r}", "positive integers", "write points=101 or points={'x': 101}")
        if self.advection is not None and not isinstance(self.advection, AbstractAdvection):
            raise OptionError(f"advection {self.advection!r}", "a scheme", "pass Central(), Upwind(3) or WENO()")
        if self.integrator is not None and not isinstance(self.integrator, diffrax.AbstractSolver):
            raise OptionError(
                f"integrator {self.integrator!r}", "a diffrax method", "pass diffrax.Tsit5() or Kvaerno5()"
            )
        if not (self.rtol > 0 and self.atol > 0 and self.newton_steps > 0):
            raise OptionError("a tolerance or step count that is not positive", "positive numbers", "raise it")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why the problem cannot be solved on this grid; empty if it can."""
        reasons = list(reasons_of_kind(problem))
        if isinstance(self.points, Mapping):
            reasons += [f"it needs points along {x.name}" for x in problem.space if x.name not in self.points]
        if self.integrator is not None and self.integrator.term_structure is not diffrax.AbstractTerm:
            reasons.append(f"it needs an integrator for one term, not {type(self.integrator).__name__}")
        return reasons or list(dict.fromkeys(reasons_of_system(problem, self.grid(problem), self.order)))

    def grid(self, problem: Problem) -> Grid:
        """The grid in space."""
        axes = []
        for x in problem.space:
            size = self.points[x.name] if isinstance(self.points, Mapping) else self.points
            lower, upper = problem.domain.bounds[x.name]
            periodic = x.name in problem.domain.periodic
            size = size or _DEFAULT_POINTS[len(problem.space)]
            axes.append(Axis(x.name, lower, upper, size, periodic, marching=problem.time is not None))
        return Grid(tuple(axes))

    def run(self, problem: Problem, run: Run) -> Solution:
        """Solve a problem that passed `check`."""
        system = read_system(problem, self.grid(problem), self.order)
        numbers = (problem.arguments, tabulate(system, problem.arguments))
        march = self._steady if system.time is None else self._evolve
        return march(problem, system, numbers, run)

    def _steady(self, problem: Problem, system: System, numbers: Numbers, run: Run) -> Solution:
        def proceed(step: int, residual: float, values: np.ndarray) -> RESULTS | None:
            return _stop(run, {"step": step, "residual": residual, "values": values})

        began = perf_counter()
        scheme = Scheme(system, self.advection or Central())
        outcome = solve_steady(scheme, numbers, rtol=_NEWTON_STEP, max_steps=self.newton_steps, proceed=proceed)
        newton = outcome.newton
        stats = Stats(
            compile=outcome.compile_seconds,
            solve=perf_counter() - began - outcome.compile_seconds,
            iterations=len(newton.residuals) - 1,
            unknowns=newton.z.size,
            extra={"residual": newton.residuals[-1]}
            | ({} if outcome.error is None else {"error_estimate": outcome.error}),
        )
        history = {"step": np.arange(len(newton.residuals)), "residual": np.array(newton.residuals)}
        return self._solution(problem, system.grid.axes, newton.z, newton.result, stats, history)

    def _evolve(self, problem: Problem, system: System, numbers: Numbers, run: Run) -> Solution:
        began = perf_counter()
        assert system.time is not None
        start, end = problem.domain.bounds[system.time.name]
        state = jnp.asarray(initial_state(problem, system, start))
        scheme = Scheme(system, self.advection or choose_advection(problem, system, state, start, numbers))
        radius = spectral_radius(scheme, start, state, numbers)
        integrator = self.integrator or choose_integrator(
            state.size, len(system.grid.axes), radius, end - start, _IMPLICIT_FRAMES, self.rtol
        )
        implicit = is_implicit(integrator)
        if implicit:
            integrator = with_sparse_newton(integrator, scheme, start, state, numbers)
        times = np.linspace(start, end, _frames(state.size, implicit) + 1)
        prepared = perf_counter() - began
        history: dict[str, list[float]] = {"t": [], "steps": [], "largest": []}

        def proceed(t: float, frame: np.ndarray, steps: int) -> RESULTS | None:
            for name, value in (("t", t), ("steps", steps), ("largest", float(np.max(np.abs(frame))))):
                history[name].append(value)
            return _stop(run, {"t": t, "steps": steps, "values": frame})

        first_step = min(1.0 / max(radius, 1e-300), (end - start) / 100)
        tolerance = Tolerance(self.rtol, self.atol)
        path = integrate(scheme, integrator, state, times, first_step, tolerance, numbers, proceed)
        spatial = representation_error(path.frames[-1], system.grid, self.order)
        temporal = frame_error(path.frames)
        result = path.result
        if result is RESULTS.successful and spatial > _UNDER_RESOLVED and isinstance(scheme.advection, Central):
            result = RESULTS.under_resolved
        compiling = prepared + path.compile_seconds
        stats = Stats(
            compile=compiling,
            solve=perf_counter() - began - compiling,
            iterations=path.steps,
            unknowns=state.size,
            extra={
                "spectral_radius": radius,
                "resolution": spatial,
                "frame_error": temporal,
                "time_reached": path.time,
            },
        )
        axes = (Axis(system.time.name, start, end, len(times), periodic=False), *system.grid.axes)
        recorded = {name: np.array(values) for name, values in history.items()}
        return self._solution(problem, axes, np.moveaxis(path.frames, 1, 0), result, stats, recorded)

    def _solution(
        self,
        problem: Problem,
        axes: tuple[Axis, ...],
        values: np.ndarray,
        result: RESULTS,
        stats: Stats,
        history: dict[str, np.ndarray],
    ) -> Solution:
        names = tuple(repr(u) for u in problem.unknowns)
        representation = GridInterpolant(jnp.asarray(values), axes, names, self.order + 2)
        parameters = {name: Estimate(float(p.value)) for name, p in problem.parameters.items() if p.value is not None}
        return Solution(problem, repr(self), representation, result, parameters, stats, history)


def _stop(run: Run, state: dict[str, Any]) -> RESULTS | None:
    """What ends the run after a look at the clock and the callback; None to go on."""
    if run.callback is not None and run.callback(state):
        return RESULTS.interrupted
    return RESULTS.budget_exhausted if run.is_over else None


def _frames(size: int, implicit: bool) -> int:
    """Intervals between frames: a multiple of the chunks, as many as memory and the method allow."""
    most = _IMPLICIT_FRAMES if implicit else _MOST_FRAMES
    return max(CHUNKS, min(most, int(_FRAME_NUMBERS) // size) // CHUNKS * CHUNKS)
