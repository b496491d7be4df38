"""PINN: physics-informed neural networks trained as the least-squares problems that they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import jax

from sciml.errors import OptionError
from sciml.optimise import AbstractOptimiser, LevenbergMarquardt
from sciml.problem import Problem
from sciml.solution import Solution, Stats
from sciml.solver import AbstractSolver, Run
from sciml.strong_form.assessment import compile_seconds, estimates, outcome, residuals
from sciml.strong_form.embeddings import Embedding
from sciml.strong_form.networks import AbstractNetwork
from sciml.strong_form.preparation import formulate
from sciml.strong_form.support import reasons_against
from sciml.training import Resampling
from solvers.pinn.networks import MLP

LARGEST_ORDER = 4


@final
@dataclass(frozen=True)
class PINN(AbstractSolver):
    r"""Fields are networks; equations, conditions and data are residuals at points; a trust region makes them small.

    Every unknown is $u = L + s\,d\,N(x)$, where the lift L and the distance d meet smooth Dirichlet and initial data
    exactly, and periodic axes are embedded exactly; all other conditions are further residuals. Half the mean square
    of all residuals in their natural scales is minimised over network weights and unknown parameters by
    Levenberg-Marquardt with exact Jacobians in double precision. Points are redrawn as training goes on, a share of
    them where the residual is large, and the residual that decides about success is measured on fresh points.

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
        optimiser: any optimiser of `sciml.optimise`, or a sequence of them by `Sequential`.
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
    """

    resumable: ClassVar[bool] = True

    network: AbstractNetwork = field(default_factory=MLP)
    embedding: Embedding = field(default_factory=Embedding)
    optimiser: AbstractOptimiser = field(default_factory=lambda: LevenbergMarquardt(max_steps=500, tolerance=1e-8))
    num_points: int | None = None
    num_condition_points: int = 200
    condition_weight: float = 1.0
    noise_level: float = 3e-3
    hard: bool = True
    resample_every: int | None = 20
    adaptive_share: float = 0.5
    pool_factor: int = 5
    tolerance: float = 1e-2

    def __post_init__(self) -> None:
        optional = [n for n in (self.num_points, self.resample_every) if n is not None]
        if (
            min([*optional, self.num_condition_points, self.pool_factor]) < 1
            or not 0 <= self.adaptive_share <= 1
            or not min(self.condition_weight, self.noise_level, self.tolerance) > 0
        ):
            raise OptionError(
                f"{self!r}",
                "counts ≥ 1, 0 ≤ adaptive_share ≤ 1, weights, levels and tolerance > 0",
                "change that option",
            )

    def check(self, problem: Problem) -> list[str]:
        """Reasons why this problem is outside the class of the solver."""
        return reasons_against(problem, LARGEST_ORDER)

    def run(self, problem: Problem, run: Run) -> Solution:
        """Train, and measure the residual on fresh points."""
        key_formulation, key_points, key_training, key_fresh = jax.random.split(run.key, 4)
        formulation, weights = formulate(problem, self, key_formulation)
        resampling = None
        if self.resample_every is not None:
            draw = formulation.adaptive if self.adaptive_share > 0 else formulation.uniform
            resampling = Resampling(draw, self.resample_every, formulation.uniform)
        trained = self.optimiser.minimise(
            weights,
            formulation.uniform(key_points),
            formulation.numbers,
            key=key_training,
            callback=run.callback,
            budget=None if run.remaining is None else max(run.remaining, 1e-3),
            resampling=resampling,
            checkpoint=run.checkpoint,
        )
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
