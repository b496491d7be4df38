"""The `Spectral` solver."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.classical.spectral.evolve import Series, series_form, solve_series
from solvers.classical.spectral.representations import uniform_panels, polynomial_panels
from solvers.classical.spectral.box_form import box_form
from solvers.classical.spectral.collocate import solve_steady, solve_slabs


@final
@dataclass(frozen=True)
class Spectral(AbstractSolver):
    rtol: float = 1e-9
    resolution: int | None = None
    most_points: int | None = None
    dealias: bool = True
    max_steps: int = 2_000_000

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        form = series_form(problem)
        if isinstance(form, Series):
            return self._run_series(problem, form, run)
        box = box_form(problem)
        if isinstance(box, list): raise ValueError(form, box)
        began = perf_counter()
        deadline = np.inf if run.budget is None else run.started + run.budget
        f = solve_steady if box.time is None else solve_slabs
        out = f(box, rtol=self.rtol, resolution=self.resolution, most_points=self.most_points, deadline=deadline)
        print(out[1:], len(out.slabs), out.slabs[-1].grid.shape if out.slabs else None, perf_counter()-began)
        rep = polynomial_panels(out.slabs, [repr(u) for u in box.unknowns], box.time.name if box.time is not None else None)
        return Solution(problem, repr(self), rep, out.result, stats=Stats(solve=perf_counter()-began))

    def _run_series(self, problem, series, run):
        began = perf_counter()
        deadline = np.inf if run.budget is None else run.started + run.budget
        trajectory, points = solve_series(
            series, rtol=self.rtol, resolution=self.resolution, most_points=self.most_points, dealias=self.dealias,
            max_steps=self.max_steps, deadline=deadline,
        )
        print(trajectory[1:], points, len(trajectory.panels), [ (p.start) for p in trajectory.panels])
        names = [repr(u) for u in problem.unknowns]
        keep = [series.part.unknowns.index(u) for u in problem.unknowns]
        rep = uniform_panels(trajectory.panels, keep, [p.origin for p in series.periods], series.lengths, series.time.name,
          [p.axis.name for p in series.periods], names, self.rtol)
        print(rep.coefficients.shape)
        total = perf_counter()-began
        stats = Stats(compile=trajectory.compile_seconds, solve=total-trajectory.compile_seconds, iterations=trajectory.steps, unknowns=int(np.prod(points)))
        return Solution(problem, repr(self), rep, trajectory.result, stats=stats)
