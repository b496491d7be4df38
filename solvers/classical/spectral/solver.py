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
from solvers.classical.spectral.representations import uniform_panels


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
        raise NotImplementedError(form)

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
