"""SystemIdentification: unknown numbers, and if need be the form, of an evolution from noisy observations."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.identification.alternatives import Candidate, best_problem, not_comparable, not_repairable, repaired
from solvers.identification.data import Data
from solvers.identification.fitting import Fit, Schedule, first_noise, fit
from solvers.identification.model import Model
from solvers.identification.prediction import SAMPLES, Prediction, foresee
from solvers.identification.reading import not_identifiable, read, start_parameters
from solvers.identification.refit import estimates
from solvers.identification.representation import Curves

FINEST, COARSEST = 4000, 400
"""Most and fewest times at which the solution is stored."""
AT_REST = 1e-2
"""Sum of squares that may be left to gain: a tenth of a standard error."""
CREDIBLE = 3.0
"""Residuals that many times as large as the noise say that the form is wrong, or the search has failed."""


@final
@dataclass(frozen=True)
class SystemIdentification(AbstractSolver):
    r"""Numbers of a system from noisy observations of it: annealed multiple shooting, then single shooting.

    The observed time is cut into windows, each with a state of its own; numbers and states are sought together by
    damped least squares, while what the states may jump between windows is narrowed step by step. From there a single
    trajectory is fitted. Priors of the parameters count as further data; without one, a parameter has a wide prior
    around its `init`. Standard errors are those of Laplace's method. The solution reaches to the end of the domain; its
    deviation is that of samples of the numbers and of the first state which stay bounded.

    Solves systems of ordinary differential equations of first or second order in time, and evolutions on one periodic
    axis (Fourier derivatives), with unknown parameters and observations of expressions of the fields: at irregular
    times, with gaps, of some of the fields. Initial conditions of the problem are taken as exact; without one, or with
    an unknown parameter for a value, as in `u == a`, the first state is sought as well. `Solution.equations` has the
    numbers in place.

    Args:
        schedule: how to search.
        same_noise: whether all observed quantities have the same unknown standard deviation.
        spread: relative width of the prior of a parameter that states none.
        limit: bound of all fields relative to the largest observed value.
        samples: trajectories behind the deviation.
        points: points of a periodic axis.
        modes: highest Fourier mode of an initial state on it.
        candidates: other forms: problems, or equations, of the same fields. The weak form lists the best, they are
            fitted, and Schwarz' criterion decides; `Solution.problem` has the equations that were chosen.
        shortlist: how many of them, the problem's own form among them, are fitted.
        repair: try also every one-term edit of that form: leaving out a term, adding a monomial of degree up to two.

    Reference: H. G. Bock (1983), doi:10.1007/978-1-4684-7324-7_7.
    """

    schedule: Schedule = field(default_factory=Schedule)
    same_noise: bool = False
    spread: float = 1.0
    limit: float = 100.0
    samples: int = SAMPLES
    points: int = 128
    modes: int = 16
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)
    shortlist: int = 3
    repair: bool = False

    def __post_init__(self) -> None:
        counts = (self.samples - 1, self.shortlist, self.modes, self.points - 2 * self.modes - 1)
        if not (self.spread > 0 and self.limit > 1 and min(counts) > 0):
            raise OptionError(
                f"{self!r}",
                "spread > 0, limit > 1, samples > 1, shortlist > 0, modes > 0 and points ≥ 2 modes + 2",
                "leave the defaults",
            )

    def check(self, problem: Problem) -> list[str]:
        is_choice = bool(self.candidates) or self.repair
        reasons = not_identifiable(problem, needs_unknowns=not is_choice)
        if reasons:
            return reasons
        return [*not_comparable(problem, self.candidates), *(not_repairable(problem) if self.repair else [])]

    def run(self, problem: Problem, run: Run) -> Solution:
        scores: dict[str, float] = {}
        options: dict[str, Any] = {"points": self.points, "modes": self.modes, "spread": self.spread,
                                   "schedule": self.schedule, "shared": self.same_noise}  # fmt: skip
        if self.candidates:
            problem, scores = best_problem(problem, self.candidates, shortlist=self.shortlist, run=run, **options)
        if self.repair and not run.is_over:
            problem, gain = repaired(problem, **options)
            scores |= gain
        model, data, noise = read(problem, points=self.points, modes=self.modes, spread=self.spread)
        found = fit(model, data, self.schedule, noise=noise, shared=self.same_noise)
        jax.block_until_ready(found.value)
        solution = self.solution(problem, model, data, found, noise is not None, run)
        return solution.with_stats(extra={**solution.stats.extra, **scores})

    def solution(self, problem: Problem, model: Model, data: Data, found: Fit, is_stated: bool, run: Run) -> Solution:
        """The solution of a fit: curves over the whole domain, estimates, and how far to trust them."""
        times = _dense(problem, data)
        limit = self.limit * float(np.max(np.abs(np.asarray(data.values))))
        prediction = foresee(model, data, found, times, run.key, limit, self.samples)
        numbers, errors, _ = estimates(model, found)
        inferred = {name: Estimate(float(v[0]), float(errors[name][0])) for name, v in numbers.items()}
        inferred |= _starts(problem, model, found)
        known = {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None}
        mean, deviation = _curves(problem, model, found, prediction, times)
        result, extra = self._outcome(model, data, found, prediction, is_stated)
        steps = len(self.schedule.anneal) * self.schedule.sweeps + self.schedule.single + self.schedule.polish
        stats = Stats(solve=time.perf_counter() - run.started, iterations=steps,
                      unknowns=len(model.names) + model.freedom, extra=extra)  # fmt: skip
        return Solution(problem, repr(self), mean, result, {**known, **inferred}, stats, deviation=deviation)

    def _outcome(
        self, model: Model, data: Data, found: Fit, prediction: Prediction, is_stated: bool
    ) -> tuple[RESULTS, dict[str, float]]:
        """Whether the fit explains the data as well as their noise allows, and has come to rest."""
        seen = np.asarray((data.seen > 0).sum(axis=0))[:, 0]
        free = max(float(seen.sum()) - len(model.names) - model.freedom, 1.0)
        noise, misfit = np.asarray(found.noise)[:, 0], np.asarray(found.misfit)[:, 0]
        residual = float(np.sqrt(np.sum(misfit / noise**2) / free))
        first = noise if is_stated else first_noise(data, self.same_noise)[:, 0]
        excess = residual if is_stated else float(np.max(noise / first))
        extra = {"noise": float(np.median(noise)), "residual_over_noise": residual, "substeps": float(found.substeps),
                 "guarded": float(prediction.guarded[0])}  # fmt: skip
        if bool(prediction.lost[0]) or not np.isfinite(np.asarray(found.value)).all():
            return RESULTS.nonfinite, extra
        is_done = float(found.decrement[0]) < AT_REST
        return RESULTS.successful if is_done and excess < CREDIBLE else RESULTS.stagnated, extra


def _starts(problem: Problem, model: Model, found: Fit) -> dict[str, Estimate]:
    """Parameters that are initial values."""
    first, p = np.asarray(found.guess.states)[:, 0, 0], len(model.names)
    deviation = np.sqrt(np.maximum(np.diag(np.asarray(found.covariance)[0])[p:], 0.0))
    return {q.name: Estimate(float(first[i]), float(deviation[i])) for i, q in start_parameters(problem).items()}


def _dense(problem: Problem, data: Data) -> jax.Array:
    """Times over the whole domain, at most as far apart as observations usually are."""
    assert problem.time is not None
    begin, end = problem.domain.bounds[problem.time.name]
    gap = float(np.median(np.diff(np.asarray(data.times)[:, 0])))
    return jnp.linspace(begin, end, int(np.clip(np.ceil((end - begin) / gap), COARSEST, FINEST)) + 1)


def _curves(
    problem: Problem, model: Model, found: Fit, prediction: Prediction, times: jax.Array
) -> tuple[Curves, Curves]:
    """Curves of states and deviations of the problem's own fields."""
    numbers: dict[str, Any] = model.numbers(found.guess.raw)
    slopes = jax.vmap(lambda t, y: model.rates(t, y, numbers))(times, prediction.states)
    count, axis = len(problem.unknowns), model.rates.axis
    assert problem.time is not None
    names = tuple(repr(u) for u in problem.unknowns)
    states, slopes, spread = (a[:, :count, ..., 0] for a in (prediction.states, slopes, prediction.deviation))
    rising = jnp.asarray(jnp.gradient(spread, float(times[1] - times[0]), axis=0))
    mean = Curves.of(times, states, slopes, problem.time.name, axis, names)
    return mean, Curves.of(times, spread, rising, problem.time.name, axis, names)
