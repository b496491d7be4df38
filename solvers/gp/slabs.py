r"""Slabs of time, solved one after the other: the end of one is the start of the next, and so are its errors.

On the slab $[t_{k}, t_{k+1}]$ the initial data are the values, and for an equation of second order the rates, that the
mean of the slab before has at $t_k$; the spectrum of time is learned for each slab, that of space starts from the one
before and is learned again where it does not do.

The error of a slab is that of its own equation, given its initial data, plus what the equation makes of an error of
these: $e_k = \epsilon_k + G_k e_{k-1}(t_k)$, with $G_k$ the equation linearised at the mean. The posterior of a slab
describes $\epsilon_k$; draws of $e_{k-1}$ are handed on and carried through $G_k$, so that errors grow, die or travel
as the equation makes them. The residuals of different slabs are independent noise, and variances add:
$\operatorname{std}^2 e_k = \operatorname{std}^2\epsilon_k + \operatorname{std}^2 G_k e_{k-1}$. With K draws the second
part is itself known to $1/\sqrt{2K}$, a fifth for 12.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, final

import jax.numpy as jnp
import numpy as np

from sciml.domains.regions import Side
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.newton import tangent
from sciml.galerkin.statement import Statement
from sciml.problem import Problem
from sciml.progress import progress
from sciml.results import RESULTS
from sciml.slabs import FROM_BEST_TO_WORST, Slabs, largest, worst
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solver import Run
from solvers.gp.attempts import Attempt, solve_best
from solvers.gp.deviation import Doubt, doubt
from solvers.gp.outcome import exact_deviation, mean_of, names_of, numbers_of, verdict
from solvers.gp.representation import IndependentErrors
from solvers.gp.second_order import solving_spaces, starts_with_rate

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

_DRAWS = 12
_SEED = 0
_ENDS = FROM_BEST_TO_WORST[4:]
"""Results of a slab after which there is no next one."""


def slab_reasons(problem: Problem, solver: KroneckerGP) -> Iterator[str]:
    """Why a problem of one equation cannot be cut into slabs of time."""
    axis = problem.time
    if problem.observations:
        yield "it needs a problem without observations to march in slabs of time: leave slabs=1"
        return
    if axis is None:
        yield "it needs a time coordinate to march in slabs, the problem is steady: leave slabs=1"
        return
    statement = Statement(problem)
    k = statement.axes.index(axis)
    on_time = [c.place for c in problem.placed_conditions if c.place.axis is not None and c.place.axis.is_time]
    if statement.is_periodic(k) or any(place.side is not Side.LOWER for place in on_time):
        yield f"it needs all conditions along {axis.name} at its start to march in slabs: leave slabs=1"
    elif len(on_time) != statement.orders[k]:
        yield (
            f"it needs as many initial conditions as derivatives along {axis.name} to march in slabs: "
            f"found {len(on_time)} for {statement.orders[k]}"
        )
    elif statement.orders[k] > 1 and not (starts_with_rate(statement) and solver.shape.is_smooth):
        yield (
            f"slabs of an equation of order {statement.orders[k]} in {axis.name} need an initial value, an initial "
            f"rate, and the shape Gaussian(): leave slabs=1"
        )


@final
@dataclass(frozen=True, eq=False)
class Slab:
    """One slab.

    Attributes:
        best: its solution.
        doubts: what its posterior says, given its initial data.
        carried: coefficients of the draws of the error that earlier slabs handed on, one after the other; None if that
            is not known.
        floor: standard deviation that earlier bases left out.
        result: how it ended.
    """

    best: Attempt
    doubts: Doubt
    carried: list[np.ndarray] | None
    floor: float
    result: RESULTS

    @property
    def estimated_error(self) -> float | None:
        """Standard deviation over solution, root mean squares."""
        return _estimated_error(self.best, self.doubts, self.carried)

    @property
    def deviation(self) -> AbstractRepresentation | None:
        """Of the whole error."""
        own = self.doubts.deviation
        if own is None or self.carried is None:
            return None
        if not self.carried:
            return own
        factor = np.stack(self.carried, axis=-1) / np.sqrt(len(self.carried))
        return IndependentErrors((own, exact_deviation(self.best.discrete, factor, self.floor)))

    def errors(self, rng: np.random.Generator) -> list[np.ndarray] | None:
        """Draws of the whole error, as coefficients."""
        posterior = self.doubts.posterior
        if posterior is None or self.carried is None:
            return None
        own = [posterior.draw(rng) for _ in range(_DRAWS)]
        return [e + c for e, c in zip(own, self.carried, strict=True)] if self.carried else own


def _estimated_error(best: Attempt, doubts: Doubt, carried: list[np.ndarray] | None) -> float | None:
    if doubts.relative is None or carried is None:
        return None
    size = max(float(np.linalg.norm(best.coefficients)), np.finfo(float).tiny)
    spread = np.sqrt(np.mean([np.sum(c**2) for c in carried])) if carried else 0.0
    return float(np.hypot(doubts.relative, spread / size))


def slab_solution(problem: Problem, solver: KroneckerGP, run: Run) -> Solution:
    """The solution slab by slab, as far as the march went; beyond, the field stays as it was left."""
    started = time.perf_counter()
    whole = Statement(problem)
    axis = next(k for k, x in enumerate(whole.axes) if x.is_time)
    edges = np.linspace(*whole.bounds(axis), solver.slabs + 1)
    slabs = march(problem, solver, run, edges)
    result = worst(s.result for s in slabs)
    kept = [s for s in slabs if s.best.result.has_solution] or slabs[:1]
    reached, names = jnp.asarray(edges[: len(kept) + 1]), names_of(whole)[0]
    deviations = [d for s in kept if (d := s.deviation) is not None]
    complete = len(deviations) == solver.slabs
    numbers = [numbers_of(s.best) | s.doubts.extra | _error_of(s) for s in slabs]
    return Solution(
        problem,
        repr(solver),
        Slabs(tuple(mean_of(s.best, solver) for s in kept), reached, names, axis),
        result,
        {n: Estimate(p.value) for n, p in problem.parameters.items() if p.value is not None},
        Stats(
            solve=time.perf_counter() - started,
            iterations=sum(s.best.iterations for s in slabs),
            unknowns=sum(s.best.coefficients.size for s in slabs),
            extra=largest(numbers) | {"slabs": float(len(kept)), "reached": float(reached[-1])},
        ),
        deviation=Slabs(tuple(deviations), reached, names, axis) if complete else None,
    )


def _error_of(slab: Slab) -> dict[str, float]:
    estimate = slab.estimated_error
    return {} if estimate is None else {"estimated_error": estimate}


def march(problem: Problem, solver: KroneckerGP, run: Run, edges: np.ndarray) -> list[Slab]:
    """Slab after slab, until one of them ends the march.

    Args:
        problem: what is solved.
        solver: its hyperparameters.
        run: its budget and callback are heeded between slabs, too.
        edges: of the slabs.
    """
    slabs: list[Slab] = []
    rng = np.random.default_rng(_SEED)
    with progress("slabs") as report:
        for k, interval in enumerate(pairwise(edges)):
            slab = _next_slab(problem, solver, run, interval, slabs[-1] if slabs else None, rng)
            last = k == len(edges) - 2
            if run.callback is not None and run.callback(slab.best.coefficients) and not last:
                slab = replace(slab, result=worst((slab.result, RESULTS.interrupted)))
            elif run.is_over and not last:
                slab = replace(slab, result=worst((slab.result, RESULTS.budget_exhausted)))
            slabs.append(slab)
            report((k + 1) / (len(edges) - 1), f"slab {k + 1}  residual {slab.best.certificate.worst:.1e}")
            if slab.result in _ENDS:
                break
    return slabs


def _next_slab(
    problem: Problem,
    solver: KroneckerGP,
    run: Run,
    interval: tuple[float, float],
    previous: Slab | None,
    rng: np.random.Generator,
) -> Slab:
    if previous is None:
        best = solve_best(Statement(problem, interval), solver, run)
        carried, floor = [], 0.0
    else:
        before = previous.best.discrete.history(previous.best.coefficients)
        best = solve_best(Statement(problem, interval, before), solver, run, previous.best.spectra)
        errors = previous.errors(rng) if best.result.has_solution else None
        carried = None if errors is None else carry(previous.best, best, errors)
        floor = float(np.hypot(previous.floor, getattr(previous.doubts.deviation, "floor", 0.0)))
    doubts = doubt(best)
    return Slab(best, doubts, carried, floor, verdict(best, _estimated_error(best, doubts, carried), solver))


def carry(before: Attempt, here: Attempt, errors: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """What the linearised equation of a slab makes of errors of the slab before; None if it is singular.

    Args:
        before, here: solutions of the two slabs.
        errors: coefficients in the spaces of the first.
    """
    statement, solving = here.discrete.statement, solving_spaces(here.discrete)
    inside = solving.discrete
    jets = here.discrete.jets(here.coefficients, statement.unknown_atoms, inside.nodes)
    values = statement.evaluate(tuple(statement.slopes.values()), inside.nodes, jets)
    change = tangent(inside, dict(zip(statement.slopes, values, strict=True)))
    if change is None:
        return None
    carried = []
    for error in errors:
        moved = replace(statement, before=before.discrete.history(before.coefficients + error))
        carried.append(solving.read(change(Discretisation(moved, inside.spaces).lift - inside.lift)))
    return carried
