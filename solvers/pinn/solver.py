"""PINN: physics-informed neural networks trained as the least-squares problems that they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, final

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from sciml.errors import OptionError
from sciml.optimise import AbstractOptimiser, LevenbergMarquardt
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Solution, Stats
from sciml.solver import AbstractSolver, Run
from sciml.strong_form.ansatz import Numbers
from sciml.strong_form.assessment import compile_seconds, estimates, outcome, residuals
from sciml.strong_form.embeddings import Embedding
from sciml.strong_form.frequencies import data_frequencies
from sciml.strong_form.networks import AbstractNetwork
from sciml.strong_form.preparation import formulate
from sciml.strong_form.slabs import slab_reasons
from sciml.strong_form.support import reasons_against
from sciml.training import Resampling
from solvers.pinn.causality import CausalDraw
from solvers.pinn.networks import MLP
from solvers.pinn.slabs import march

LARGEST_ORDER = 4


@final
@dataclass(frozen=True)
class PINN(AbstractSolver):
    r"""Fields are networks; equations, conditions and data are residuals at points; a trust region makes them small.

    Every unknown is $u = L + s\,d\,N(x)$, where the lift L and the distance d meet smooth Dirichlet and initial data
    exactly, and periodic axes are embedded exactly; all other conditions are further residuals, and so are faces of
    more than three axes, whose lift would read its data 3ᵏ times for k axes. Half the mean square of all residuals in
    their natural scales is minimised over network weights and unknown parameters by Levenberg-Marquardt with exact
    Jacobians in double precision. Points are redrawn as training goes on, a share of them where the residual is large,
    and the residual that decides about success is measured on fresh points.

    Solves problems on boxes with any number of fields, equations up to fourth order, nonlinear or not, with bound laws,
    unknown parameters (with standard errors) and unknown coefficient fields. A step costs about $N P^2$ flops for N
    points and P weights: 0.1-0.2 s on one core for the defaults, which reach relative errors of 1e-3 to 1e-5 on
    smooth problems in a minute.

    Reference: M. Raissi, P. Perdikaris, G. E. Karniadakis (2019), doi:10.1016/j.jcp.2018.10.045; J. Müller, M.
        Zeinhofer,
    "Achieving high accuracy with PINNs via energy natural gradients" (2023), arXiv:2302.13163.

    Args:
        network: architecture of each network.
        embedding: what the networks read of a point.
        optimiser: any optimiser of `sciml.optimise`, or a sequence of them by `Sequential`; None for
            Levenberg-Marquardt until the budget is used up, or for 500 steps where there is none.
        num_points: points of the equations; None takes four rows for each weight.
        num_condition_points: points of each soft condition.
        condition_weight: weight of soft conditions relative to the equations.
        noise_level: size of the noise in the rows of observations, beside relative residuals of the equations: the
            smaller, the closer the equations are held while data are fitted. Data of less relative noise enter in
            their own size.
        hard: whether conditions enter the ansatz where they can.
        resample_every: steps between redraws of the points; None keeps the first points.
        adaptive_share: share of the points that is drawn in proportion to the residual.
        pool_factor: candidates for these, as a multiple of the number of points.
        tolerance: root mean square residual on fresh points, relative to the terms of the equation, that counts as
            success.
        num_lines: frequencies of each coordinate, read from sources and data, that the networks are given as features;
            0 for none.
        causality: sharpness ε with which equations wait until they hold at earlier times; 0 for no waiting.
        continuation: values of parameters, by name, that are trained for one after the other before the problem's own;
            the same number of values for each.
        slabs: intervals of time, of equal length, that are solved one after the other with equal shares of the budget,
            each by networks of its own.
    """

    resumable: ClassVar[bool] = True

    network: AbstractNetwork = field(default_factory=MLP)
    embedding: Embedding = field(default_factory=Embedding)
    optimiser: AbstractOptimiser | None = None
    num_points: int | None = None
    num_condition_points: int = 200
    condition_weight: float = 1.0
    noise_level: float = 3e-3
    hard: bool = True
    resample_every: int | None = 20
    adaptive_share: float = 0.5
    pool_factor: int = 5
    tolerance: float = 1e-2
    num_lines: int = 0
    causality: float = 0.0
    continuation: tuple[tuple[str, tuple[float, ...]], ...] = ()
    slabs: int = 1

    def __post_init__(self) -> None:
        optional = [n for n in (self.num_points, self.resample_every) if n is not None]
        if (
            min([*optional, self.num_condition_points, self.pool_factor, self.slabs]) < 1
            or not 0 <= self.adaptive_share <= 1
            or not min(self.condition_weight, self.noise_level, self.tolerance) > 0
            or not min(self.num_lines, self.causality) >= 0
            or len({len(values) for _, values in self.continuation}) > 1
        ):
            raise OptionError(
                f"{self!r}",
                "counts ≥ 1, 0 ≤ adaptive_share ≤ 1, weights, levels and tolerance > 0, causality and num_lines ≥ 0, "
                "continuations of one length",
                "change that option",
            )

    def check(self, problem: Problem) -> list[str]:
        """Reasons why this problem is outside the class of the solver."""
        reasons = reasons_against(problem, LARGEST_ORDER)
        if self.causality and problem.time is None:
            reasons.append(f"causality={self.causality:g}: there is no time in the problem")
        if self.slabs > 1 and not reasons:
            reasons += slab_reasons(problem)
        known = [name for name, p in problem.parameters.items() if p.is_known]
        reasons += [
            f"continuation in {name!r}: the parameters with numbers are {known}"
            for name, _ in self.continuation
            if name not in known
        ]
        return reasons

    def run(self, problem: Problem, run: Run) -> Solution:
        """Train, and measure the residual on fresh points."""
        lines = data_frequencies(problem, self.num_lines) if self.num_lines else self.embedding.lines
        informed = replace(self, embedding=replace(self.embedding, lines=lines))
        train = informed._train
        found = train(problem, run) if self.slabs == 1 else march(problem, run, self.slabs, train)
        return replace(found, solver=repr(self))

    def _train(self, problem: Problem, run: Run, start: PyTree | None = None) -> Solution:
        """Solve on the whole box of a problem, from given weights or from random ones."""
        key_formulation, key_points, key_training, key_fresh = jax.random.split(run.key, 4)
        formulation, drawn = formulate(problem, self, key_formulation)
        weights = drawn if start is None else start
        draw = formulation.adaptive if self.adaptive_share > 0 else formulation.uniform
        first = formulation.uniform
        if self.causality:
            draw, first = (CausalDraw(way, formulation, self.causality) for way in (draw, first))
        resampling = None
        if self.resample_every is not None:
            resampling = Resampling(draw, self.resample_every, formulation.uniform)
        optimiser = _steps_within(run.budget) if self.optimiser is None else self.optimiser
        stages = _stages(formulation.numbers, self.continuation)
        for number, numbers in enumerate(stages):
            left = None if run.remaining is None else run.remaining / (len(stages) - number)
            checkpoint = run.checkpoint
            if checkpoint is not None and len(stages) > 1:
                checkpoint = checkpoint.part(f"continuation_{number}")
            trained = optimiser.minimise(
                weights,
                first(key_points, weights),
                numbers,
                key=jax.random.fold_in(key_training, number) if number else key_training,
                callback=run.callback,
                budget=None if left is None else max(left, 1e-3),
                resampling=resampling,
                checkpoint=checkpoint,
            )
            weights = trained.weights
            if trained.result in (RESULTS.interrupted, RESULTS.nonfinite):
                break
        found = residuals(formulation, trained, key_fresh)
        seconds = compile_seconds(trained)
        result = outcome(trained.result, found["fresh_residual"], self.tolerance)
        return Solution(
            problem,
            solver=repr(self),
            representation=formulation.fields(trained.weights),
            result=result,
            parameters=estimates(formulation, trained, result),
            stats=Stats(
                compile=seconds,
                solve=trained.seconds - seconds,
                iterations=trained.steps,
                unknowns=trained.problem.num_weights,
                extra=found,
            ),
            history=trained.history,
        )


def _steps_within(budget: float | None) -> LevenbergMarquardt:
    """The default optimiser: a budget in seconds alone decides how many steps there are."""
    return LevenbergMarquardt(max_steps=500 if budget is None else 10**6, tolerance=1e-8)


def _stages(numbers: Numbers, continuation: tuple[tuple[str, tuple[float, ...]], ...]) -> list[Numbers]:
    """The numbers of each training, the problem's own last."""
    count = len(continuation[0][1]) if continuation else 0
    earlier = [{name: jnp.asarray(values[k]) for name, values in continuation} for k in range(count)]
    changed = [replace(numbers, arguments=numbers.arguments.with_parameters(values)) for values in earlier]
    return [*changed, numbers]
