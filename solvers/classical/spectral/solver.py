"""The `Spectral` solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from sciml.domains.box import Box
from sciml.errors import LoweringError, OptionError
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.classical.spectral.box_form import BoxForm, box_form
from solvers.classical.spectral.collocate import solve_slabs, solve_steady
from solvers.classical.spectral.evolve import Series, series_form, solve_series
from solvers.classical.spectral.representations import Nowhere, polynomial_panels, uniform_panels

_RTOL_IN_TIME = {1: 1e-9, 2: 1e-7}
_RTOL_IN_MANY = 1e-6
_RTOL_STEADY = 1e-12
_MOST_AXES = 6


@final
@dataclass(frozen=True)
class Spectral(AbstractSolver):
    """Global expansions in Fourier or Legendre functions, refined until their coefficients decay to the tolerance.

    What the equation allows is read from its tree. Evolution equations u_t = L u + N(u) whose axes are periodic, or
    whose homogeneous Dirichlet or Neumann faces let the equation keep its parity (sine and cosine series), are marched
    by ETDRK4 over Fourier modes with the linear part exact. All others on boxes are collocated on Legendre nodes, those
    in time on slabs of space–time, and solved by Newton's method preconditioned with a separable operator (fast
    diagonalisation).

    It solves systems on boxes of up to six axes, time included, of first or second order in time or steady, with
    periodic, Dirichlet, Neumann, Robin or nonlinear conditions on whole faces. Cost: O(N log N) a step for N modes;
    O(d n^(d+1)) a Newton step for n nodes on each of d axes. The error falls faster than any power where the solution
    is smooth; where it is not, the result is `under_resolved` and `stats.extra` holds the estimates.

    Args:
        rtol: relative accuracy asked of every part of the computation; None: 1e-12 for steady problems, in time 1e-9,
            1e-7 or 1e-6 in one, two or more space dimensions.
        resolution: grid points along each spatial axis; None refines.
        most_points: bound on the points along each spatial axis when refining; None: by the number of axes.
        dealias: whether products of Fourier series are formed by the 2/3 rule.
        max_steps: bound on time steps, or on Newton steps.

    Source: A.-K. Kassam, L. N. Trefethen, doi:10.1137/S1064827502410633; R. E. Lynch, J. R. Rice, D. H. Thomas,
    doi:10.1007/BF01386067; L. N. Trefethen, Spectral Methods in MATLAB (2000).
    """

    rtol: float | None = None
    resolution: int | None = None
    most_points: int | None = None
    dealias: bool = True
    max_steps: int = 2_000_000

    def __post_init__(self) -> None:
        if self.rtol is not None and not 1e-15 <= self.rtol <= 0.1:
            raise OptionError(f"rtol {self.rtol!r}", "a number from 1e-15 to 0.1", "leave it out for the default")
        for name, least in (("resolution", 6), ("most_points", 6), ("max_steps", 1)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise OptionError(f"{name} {value!r}", f"an integer of at least {least}", f"raise {name}")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why the problem has no spectral form; empty if it has."""
        reasons = []
        if not isinstance(problem.domain, Box):
            return [f"it needs a Box, not a {type(problem.domain).__name__}"]
        if len(problem.coordinates) > _MOST_AXES:
            reasons.append(f"it needs at most {_MOST_AXES} coordinates, found {len(problem.coordinates)}")
        if not problem.space:
            reasons.append("it needs a space coordinate, the problem has only time")
        reasons += [f"it needs a number for parameter {p.name}" for p in problem.unknown_parameters]
        reasons += [f"it needs a function bound to law {symbol.name}" for symbol in problem.unbound_laws]
        if reasons:
            return reasons
        form = _form(problem)
        return form if isinstance(form, list) else []

    def run(self, problem: Problem, run: Run) -> Solution:
        """Solve a problem that passed `check`."""
        form = _form(problem)
        if isinstance(form, Series):
            return self._march(problem, form, run)
        if isinstance(form, BoxForm):
            return self._collocate(problem, form, run)
        return _solution(
            problem, self, Nowhere(tuple(map(repr, problem.unknowns))), RESULTS.linear_solve_failed, Stats()
        )

    def _march(self, problem: Problem, series: Series, run: Run) -> Solution:
        began, rtol = perf_counter(), self._tolerance(problem)
        trajectory, series, points = solve_series(
            series,
            rtol=rtol,
            resolution=self.resolution,
            most_points=self.most_points,
            dealias=self.dealias,
            proceed=self._proceed(run, "t"),
        )
        names = tuple(repr(u) for u in problem.unknowns)
        representation: AbstractRepresentation = Nowhere(names)
        if trajectory.panels:
            representation = uniform_panels(
                trajectory.panels,
                [series.part.unknowns.index(u) for u in problem.unknowns],
                [period.origin for period in series.periods],
                series.lengths,
                series.time.name,
                [period.axis.name for period in series.periods],
                names,
                rtol,
            )
        stats = Stats(
            compile=trajectory.compile_seconds,
            solve=perf_counter() - began - trajectory.compile_seconds,
            iterations=trajectory.steps,
            unknowns=int(np.prod(points)) * len(series.part.unknowns),
            extra={
                "step_error": trajectory.step_error,
                "time_tail": trajectory.time_tail,
                "space_tail": trajectory.space_tail,
                "time_reached": trajectory.panels[-1].end
                if trajectory.panels
                else series.box.bounds[series.time.name][0],
            },
        )
        return _solution(problem, self, representation, trajectory.result, stats)

    def _collocate(self, problem: Problem, form: BoxForm, run: Run) -> Solution:
        began = perf_counter()
        steady = form.time is None
        rtol = self._tolerance(problem)
        found = (solve_steady if steady else solve_slabs)(
            form,
            rtol=rtol,
            resolution=self.resolution,
            most_points=self.most_points,
            proceed=self._proceed(run, "tail" if steady else "t"),
        )
        names, time = tuple(repr(u) for u in problem.unknowns), None if form.time is None else form.time.name
        representation = polynomial_panels(found.slabs, names, time) if found.slabs else Nowhere(names)
        stats = Stats(
            solve=perf_counter() - began,
            iterations=found.iterations,
            unknowns=found.slabs[-1].values.size if found.slabs else 0,
            extra={"tail": found.tail, "correction": found.correction, "products": float(found.products)},
        )
        return _solution(problem, self, representation, found.result, stats)

    def _tolerance(self, problem: Problem) -> float:
        if self.rtol is not None:
            return self.rtol
        return _RTOL_STEADY if problem.time is None else _RTOL_IN_TIME.get(len(problem.space), _RTOL_IN_MANY)

    def _proceed(self, run: Run, what: str) -> Callable[[float, int], RESULTS | None]:
        def proceed(reached: float, steps: int) -> RESULTS | None:
            if run.callback is not None and run.callback({what: reached, "step": steps}):
                return RESULTS.interrupted
            if steps > self.max_steps:
                return RESULTS.max_steps_reached
            return RESULTS.budget_exhausted if run.is_over else None

        return proceed


def _form(problem: Problem) -> Series | BoxForm | list[str]:
    """The spectral form of a problem, Fourier series in space first; or the reasons why it has none."""
    try:
        series = series_form(problem)
        if isinstance(series, Series):
            return series
        box = box_form(problem)
    except LoweringError as refusal:
        return [f"it needs derivatives of every factor, found {refusal.found}"]
    return box if isinstance(box, BoxForm) else [*box, f"and as a Fourier series in space: {series}"]


def _solution(
    problem: Problem, solver: Spectral, representation: AbstractRepresentation, result: RESULTS, stats: Stats
) -> Solution:
    known = {name: Estimate(float(p.value)) for name, p in problem.parameters.items() if p.value is not None}
    return Solution(problem, repr(solver), representation, result, known, stats)
