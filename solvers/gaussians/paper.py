"""The published PIG: its model, trained by first-order or quasi-Newton descent on penalised residuals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import jax

from sciml.optimise import LBFGS, AbstractOptimiser
from sciml.problem import Problem
from sciml.solution import Solution
from sciml.solver import AbstractSolver, Run
from sciml.strong_form.preparation import formulate
from sciml.strong_form.support import reasons_against
from solvers.gaussians.features import LARGEST_ORDER
from solvers.gaussians.mixtures import HeadedMixture
from solvers.gaussians.trained import Fit, train


@final
@dataclass(frozen=True)
class PublishedPIG(AbstractSolver):
    """k channels of N Gaussians and a small tanh head, all weights trained together, conditions as penalties.

    The defaults are those of its Helmholtz example: L-BFGS, 4 x 800 Gaussians of width 0.1, residuals weighted 1e-4
    against the conditions (here the square root of the ratio, relative to the natural scale of each). Other examples
    use Adam with a decaying rate of 1e-2; here the rate of `Adam` is constant. Coordinates are scaled to [-1, 1].

    Source: Kang et al. (ICLR 2025), arXiv:2412.05994.

    Args:
        network: the model.
        optimiser: any optimiser of `sciml.optimise`.
        num_points: points of the equations.
        num_condition_points: points of each condition.
        condition_weight: weight of the conditions relative to the equations.
        resample_every: steps between redraws of the points.
        accepted: root mean square of the relative residual on fresh points that counts as success.
    """

    network: HeadedMixture = field(default_factory=HeadedMixture)
    optimiser: AbstractOptimiser = field(default_factory=lambda: LBFGS(max_steps=2000))
    num_points: int = 10_000
    num_condition_points: int = 10_000
    condition_weight: float = 100.0
    resample_every: int = 20
    accepted: float = 1e-3

    def check(self, problem: Problem) -> list[str]:
        return reasons_against(problem, LARGEST_ORDER)

    def run(self, problem: Problem, run: Run) -> Solution:
        fit = Fit(
            self.network,
            self.optimiser,
            self.accepted,
            num_points=self.num_points,
            num_condition_points=self.num_condition_points,
            condition_weight=self.condition_weight,
            resample_every=self.resample_every,
        )
        formulation, weights = formulate(problem, fit, jax.random.fold_in(run.key, 1))
        return train(formulation, fit, weights, repr(self), run)
