"""LawIdentification: unknown functions inside an evolution, from noisy observations of one trajectory."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.domains.box import Box
from sciml.errors import OptionError, ProblemWarning
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.classical.finite_difference.evolution import initial_state
from solvers.classical.finite_difference.grid import Axis, Grid
from solvers.classical.finite_difference.representation import GridInterpolant
from solvers.classical.finite_difference.resolution import representation_error
from solvers.classical.finite_difference.stencils import ORDERS
from solvers.classical.finite_difference.system import read_system
from solvers.classical.laws.fitting import Fit, data_of, first_guess, fit
from solvers.classical.laws.forward import Forward, Laws, coefficients_of, forward_of, spread
from solvers.classical.laws.reading import (
    input_range,
    inputs,
    is_positive,
    learned_laws,
    not_learnable,
    with_stand_ins,
)
from solvers.classical.laws.spline import SplineLaw, flat_law

_DEFAULT_POINTS = {1: 101, 2: 33, 3: 13}
_CREDIBLE = 2.0
_UNDER_RESOLVED = 0.02


@final
@dataclass(frozen=True)
class LawIdentification(AbstractSolver):
    r"""Unknown functions in an evolution, such as D in $u_t=(D(u)u_x)_x$, as splines with credible bands.

    The semi-discretisation of `FiniteDifference` is integrated together with its derivatives by the coefficients of the
    laws, and damped Gauss-Newton steps fit the observations. A priori the second derivative of a law is white noise;
    its size, and the noise of the observations where it is not stated, have the largest evidence. The band is that of
    Laplace's method: it is as wide as the prior where the data say nothing. A law that the equation needs to be
    positive, as a diffusivity, is positive.

    Solves evolutions in 1 to 3 space dimensions that `FiniteDifference` can march with central differences, with laws
    of one field, which is observed. In `solution.problem` the laws are bound: `solution.problem.bindings["D"]` is a
    function to evaluate, plot, or bind into another problem for any solver. Where only the law's differences act, as
    for a flux, it is zero at its `anchor`. A problem whose laws were learned before and which has no open law is
    marched with the deviation that their bands cause. Cost: each step is about as many integrations as there are
    coefficients, with dense linear algebra on the grid (0.2 to 1 s in one dimension).

    Args:
        points: nodes along each axis, one number or by coordinate name; default 101, 33 or 13 in 1, 2 or 3 dimensions.
        order: order of accuracy in space.
        knots: intervals of a spline over the values that the data take.
        margin: share of that range which the knots reach beyond it on either side.
        max_steps: most Gauss-Newton steps.
        rtol: relative tolerance of time steps.

    Reference: G. Wahba, doi:10.1111/j.2517-6161.1978.tb01050.x; D. J. C. MacKay, doi:10.1162/neco.1992.4.3.415.
    """

    points: int | Mapping[str, int] | None = None
    order: int = 4
    knots: int = 12
    margin: float = 0.3
    max_steps: int = 40
    rtol: float = 1e-5

    def __post_init__(self) -> None:
        counts = self.points.values() if isinstance(self.points, Mapping) else [self.points]
        if any(n is not None and (not isinstance(n, int) or n < 1) for n in counts) or self.order not in ORDERS:
            raise OptionError(
                f"points {self.points!r} and order {self.order!r}", "positive integers, and 2, 4 or 6", "correct them"
            )
        if not (self.knots > 1 and self.margin >= 0 and self.max_steps > 0 and self.rtol > 0):
            raise OptionError(f"{self!r}", "knots > 1, margin ≥ 0, max_steps > 0 and rtol > 0", "leave the defaults")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why no law can be learned here; empty if it can."""
        if isinstance(self.points, Mapping):
            missing = [x.name for x in problem.space if x.name not in self.points]
            if missing:
                return [f"it needs points along {name}" for name in missing]
        has_grid = isinstance(problem.domain, Box) and len(problem.space) in _DEFAULT_POINTS
        return list(not_learnable(problem, self.grid(problem) if has_grid else None, self.order))

    def grid(self, problem: Problem) -> Grid:
        """The grid in space."""
        axes = []
        for x in problem.space:
            size = self.points[x.name] if isinstance(self.points, Mapping) else self.points
            periodic = x.name in problem.domain.periodic
            axes.append(
                Axis(x.name, *problem.domain.bounds[x.name], size or _DEFAULT_POINTS[len(problem.space)], periodic)
            )
        return Grid(tuple(axes))

    def run(self, problem: Problem, run: Run) -> Solution:
        """Learn the laws; or march with laws that were learned."""
        if problem.unbound_laws:
            return self._learn(problem, run)
        laws = learned_laws(problem)
        return self._solution(problem, self._forward(problem, laws), laws, run, RESULTS.successful, {}, {}, None)

    def _forward(self, problem: Problem, laws: Laws) -> Forward:
        return forward_of(problem, self.grid(problem), self.order, self.rtol, sum(map(_size, laws.values())))

    def _learn(self, problem: Problem, run: Run) -> Solution:
        laws = self._shapes(problem)
        forward, data = self._forward(problem, laws), data_of(problem)
        start = first_guess(forward, data, laws, self._natural_unit(problem))
        if start is None:
            return self._solution(problem, forward, laws, run, RESULTS.nonfinite, {}, {}, None)

        def proceed(step: int, misfit: float) -> RESULTS | None:
            if run.callback is not None and run.callback({"step": step, "misfit": misfit}):
                return RESULTS.interrupted
            return RESULTS.budget_exhausted if run.is_over else None

        found = fit(forward, data, start, self.max_steps, proceed)
        steps = found.search
        history = {"step": np.arange(len(steps.misfits)), "misfit": np.array(steps.misfits)}
        history["roughness"] = np.array(steps.roughnesses)
        if found.posterior is None:
            return self._solution(problem, forward, found.laws, run, found.result, {}, history, None)
        result, posterior = found.result, found.posterior
        if result.is_success and found.misfit > _CREDIBLE:
            result = RESULTS.stagnated
        extra = {"misfit": found.misfit, "evidence": posterior.evidence, "determined": posterior.determined}
        extra["noise"] = float(np.sqrt(np.mean(posterior.noise**2)))
        laws = _with_visited(problem, found)
        return self._solution(problem, forward, laws, run, result, extra, history, posterior.root)

    def _shapes(self, problem: Problem) -> Laws:
        """Laws that are zero, or constant if they must be positive, over the values that the data take."""
        system = read_system(with_stand_ins(problem), self.grid(problem), self.order)
        start = initial_state(problem, system, problem.domain.bounds[problem.time.name][0])  # type: ignore[union-attr]
        rows = np.stack([start[system.rows.index((i, 0))] for i in range(len(problem.unknowns))])
        made = {}
        for symbol in problem.unbound_laws:
            low, high = input_range(problem, symbol, rows)
            high = high if high > low else low + max(abs(low), 1.0)
            made[symbol.name] = flat_law(low, high, self.knots, self.margin, 1.0, bool(is_positive(problem, symbol)))
        return made

    @staticmethod
    def _natural_unit(problem: Problem) -> float:
        """A diffusivity that acts over the whole box in the time of the problem."""
        assert problem.time is not None
        first, last = problem.domain.bounds[problem.time.name]
        lengths = [np.ptp(problem.domain.bounds[x.name]) for x in problem.space]
        return float(max(lengths) ** 2 / (last - first))

    def _solution(
        self,
        problem: Problem,
        forward: Forward,
        laws: Laws,
        run: Run,
        result: RESULTS,
        extra: dict[str, float],
        history: dict[str, np.ndarray],
        root: np.ndarray | None,
    ) -> Solution:
        """Fields and deviations with these laws, on the problem in which they are bound."""
        c = jnp.asarray(coefficients_of(laws))
        root = _joint_root(laws) if root is None else root
        frames, deviation, is_whole = spread(forward, laws, c, jnp.asarray(root.T))
        jax.block_until_ready(frames)
        if not bool(is_whole):
            result = RESULTS.nonfinite if result.is_success else result
        resolution = representation_error(np.asarray(frames[:, -1]), forward.scheme.system.grid, self.order)
        if result.is_success and resolution > _UNDER_RESOLVED:
            result = RESULTS.under_resolved
        names = tuple(repr(u) for u in problem.unknowns)
        axes = (forward.time_axis, *forward.axes[1:])
        mean, spreads = (GridInterpolant(v, axes, names, forward.width) for v in (frames, deviation))
        bound = _bound(problem, laws)
        extra = {**extra, "resolution": resolution, **_extrapolation(bound, laws, np.asarray(frames))}
        stats = Stats(
            solve=time.perf_counter() - run.started,
            iterations=len(history.get("step", ())),
            unknowns=c.size,
            extra=extra,
        )
        numbers = {n: Estimate(float(p.value)) for n, p in problem.parameters.items() if p.value is not None}
        return Solution(bound, repr(self), mean, result, numbers, stats, history, deviation=spreads)


def _size(law: SplineLaw) -> int:
    return law.coefficients.size


def _bound(problem: Problem, laws: Laws) -> Problem:
    with warnings.catch_warnings():  # what is doubtful was said when the problem was built
        warnings.simplefilter("ignore", ProblemWarning)
        for name, law in laws.items():
            problem = problem.bind(name, law)
    return problem


def _with_visited(problem: Problem, found: Fit) -> Laws:
    """The laws with the range of fitted values at the observations of what each reads."""
    made, places = {}, np.concatenate([np.full(o.values.size, repr(o.expression)) for o in problem.observations])
    for symbol in problem.unbound_laws:
        read = {repr(e) for e in inputs(problem, symbol)}
        own = found.predicted[np.isin(places, list(read))]
        made[symbol.name] = eqx.tree_at(lambda s: s.seen, found.laws[symbol.name], jnp.asarray([own.min(), own.max()]))
    return made


def _extrapolation(problem: Problem, laws: Laws, frames: np.ndarray) -> dict[str, float]:
    """For each law the range that the data visited, and the share of values outside it."""
    found = {}
    for symbol in problem.laws:
        if symbol.name in laws:
            law = laws[symbol.name]
            read = {problem.unknowns.index(e) for e in inputs(problem, symbol)}
            outside = np.mean([law.is_extrapolation(frames[i]).mean() for i in read])
            low, high = law.visited
            found |= {f"{symbol.name} visited from": low, f"{symbol.name} visited to": high}
            found[f"{symbol.name} extrapolated"] = float(outside)
    return found


def _joint_root(laws: Laws) -> np.ndarray:
    """Square root of the covariance of all coefficients, of laws that were learned apart."""
    size = sum(law.coefficients.size for law in laws.values())
    whole, start = np.zeros((size, size)), 0
    for law in laws.values():
        stop = start + law.coefficients.size
        whole[start:stop, start:stop] = np.asarray(law.factor)
        start = stop
    return whole
