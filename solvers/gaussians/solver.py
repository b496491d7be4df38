"""PIG: physics-informed Gaussians, on a tensor lattice or trained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.errors import OptionError
from sciml.galerkin.statement import Statement
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from sciml.strong_form.support import reasons_against
from solvers.gaussians.features import LARGEST_ORDER
from solvers.gaussians.paper import PublishedPIG
from solvers.gaussians.representation import TensorFields
from solvers.gaussians.support import reasons_against_systems, reasons_against_tensors
from solvers.gaussians.systems import solve_system
from solvers.gaussians.tensor import TensorLimits, march, solve_steady
from solvers.gaussians.trained import fit_mixture

_HOPELESS = 0.1
"""Residual and estimated error above which a lattice that was tried is left for trained Gaussians."""


@final
@dataclass(frozen=True)
class PIG(AbstractSolver):
    r"""Fields are sums of Gaussians: on a fixed tensor lattice where the problem allows it, else trained.

    Fixed centres: products of one-axis Gaussians on lattices that go on beyond the box, compressed by the singular
    values on their nodes; separable linear equations by fast diagonalisation, all others by Newton-Krylov steps with
    that inverse, problems in time in slabs. Lattices are refined, follow steep layers by a stretched coordinate, and
    slabs are shortened, until the residual between the nodes is small or round-off, refinement no longer pays, or a
    slab has had its share of the budget. Rates of equations of second order in time are handed on weakly. Trained
    centres: means, log-widths and weights by variable projection from a lattice, on points that are redrawn.

    Fixed centres are chosen for one equation of one field of all coordinates, at most three, with as many linear
    conditions on the faces of an axis as the equation has derivatives along it, and neither observations nor unknown
    parameters. They are tried first, and Gaussians are trained if the result is far off, where an axis of space has
    more conditions than derivatives, as where a flow enters and leaves through one face, and for steady systems and
    gauges in at most two coordinates: least squares over all fields, on lattices that grow finer towards ends where the
    residual piles up. Everything else on a box is trained: systems in time, unknown parameters (with standard errors),
    more coordinates. `trained` overrides the choice. Success is judged at points that took no part in the solution, of
    a steady system also by an error estimated from the last two lattices. Cost:
    $O(n^{d+1})$ for n cells an axis with fixed centres; $N(5G)^2$ a step for N points and G trained Gaussians in two
    dimensions.

    Source: Kang et al., "PIG: Physics-Informed Gaussians as adaptive parametric mesh representations" (ICLR 2025),
    arXiv:2412.05994; direct algebra and variable projection in place of its gradient descent.

    Args:
        trained: whether means and widths are trained; None chooses by the rules above.
        num_gaussians: trained Gaussians of each group of fields with the same coordinates.
        max_steps: training steps.
        num_points: training points of the equations; None takes 2.5 rows for each weight.
        tolerance: relative residual between the nodes at which a lattice is fine enough.
        accepted: largest relative residual on independent points of a successful solution.
        most_cells: cells of one axis.
        most_unknowns: product of the cells of all axes, in one slab.

    Raises:
        OptionError: a hyperparameter outside its range.
    """

    trained: bool | None = None
    num_gaussians: int = 160
    max_steps: int = 60
    num_points: int | None = None
    tolerance: float = 1e-8
    accepted: float = 1e-3
    most_cells: int = 500
    most_unknowns: int = 300_000

    def __post_init__(self) -> None:
        counts = {name: getattr(self, name) for name in ("num_gaussians", "max_steps", "most_cells", "most_unknowns")}
        for name, value in {**counts, "num_points": self.num_points or 1}.items():
            if not isinstance(value, int) or value < 1:
                raise OptionError(f"{name}={value!r}", "an integer of at least 1", "change it")
        for name in ("tolerance", "accepted"):
            if not 0 < getattr(self, name) < 1:
                raise OptionError(f"{name}={getattr(self, name)!r}", "a number between 0 and 1", "change it")

    @staticmethod
    def paper(**hyperparameters: Any) -> PublishedPIG:
        """The published model and its training, for comparison; arguments are those of `PublishedPIG`."""
        return PublishedPIG(**hyperparameters)

    def check(self, problem: Problem) -> list[str]:
        found = reasons_against(problem, LARGEST_ORDER)
        if not found and self.trained is False:
            found = list(reasons_against_tensors(problem, asked=True))
            in_system = list(reasons_against_systems(problem)) if found else []
            found = in_system if len(problem.unknowns) > 1 or not in_system else found
        return found

    def run(self, problem: Problem, run: Run) -> Solution:
        if self.trained:
            return self._trained(problem, run)
        if not any(reasons_against_tensors(problem, asked=False)):
            return self._on_lattice(problem, run)
        if not any(reasons_against_tensors(problem, asked=True)):
            found = self._on_lattice(problem, run, hopeless=np.inf if self.trained is False else _HOPELESS)
        elif not any(reasons_against_systems(problem)):
            found = self._system(problem, run)
        else:
            return self._trained(problem, run)
        extra = found.stats.extra
        is_near = min(extra["residual"], extra.get("estimated_error", np.inf)) <= _HOPELESS
        return found if self.trained is False or is_near or run.is_over else self._trained(problem, run)

    def _trained(self, problem: Problem, run: Run) -> Solution:
        return fit_mixture(
            problem,
            repr(self),
            run,
            gaussians=self.num_gaussians,
            max_steps=self.max_steps,
            accepted=self.accepted,
            num_points=self.num_points,
        )

    def _on_lattice(self, problem: Problem, run: Run, hopeless: float = np.inf) -> Solution:
        started, statement = time.perf_counter(), Statement(problem)
        limits = TensorLimits(self.tolerance, self.most_cells, self.most_unknowns, hopeless)
        if problem.time is None:
            found = solve_steady(statement, limits, run)
            slabs, worst, outcome = (found.slab(np.inf),), found.worst, found.outcome
            iterations, unknowns = found.iterations, found.coefficients.size
        else:
            marched = march(statement, limits, run)
            slabs, worst, outcome = marched.slabs, marched.worst, marched.outcome
            iterations, unknowns = marched.iterations, marched.unknowns
        if outcome in (RESULTS.successful, RESULTS.stagnated):
            outcome = RESULTS.successful if worst <= self.accepted else RESULTS.under_resolved
        elif outcome is RESULTS.budget_exhausted and worst <= self.accepted and np.isinf(slabs[-1].end):
            outcome = RESULTS.successful  # the budget cut the last refinement short, not the solution
        axis = next((k for k, x in enumerate(statement.axes) if x.is_time), -1)
        names = tuple(x.name for x in statement.axes)
        fields = TensorFields(slabs, names, repr(problem.unknowns[0]), axis)
        extra = {"residual": worst, "slabs": float(len(slabs))}
        stats = Stats(solve=time.perf_counter() - started, iterations=iterations, unknowns=unknowns, extra=extra)
        return self._solution(problem, fields, outcome, stats)

    def _system(self, problem: Problem, run: Run) -> Solution:
        started = time.perf_counter()
        found = solve_system(problem, self.tolerance, run)
        extra = {"residual": found.certificate.worst, "estimated_error": found.error}
        unknowns = sum(C.size for C in found.coefficients)
        stats = Stats(solve=time.perf_counter() - started, iterations=found.iterations, unknowns=unknowns, extra=extra)
        return self._solution(problem, found.fields(), found.verdict(self.accepted), stats)

    def _solution(self, problem: Problem, fields: AbstractRepresentation, outcome: RESULTS, stats: Stats) -> Solution:
        numbers = {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None}
        return Solution(problem, repr(self), fields, outcome, numbers, stats)
