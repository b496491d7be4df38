"""The interface of every optimiser: weights and residual blocks in, better weights and an honest account out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, PyTree

from sciml.checkpoints import Checkpoint
from sciml.errors import OptionError
from sciml.optimise.blocks import LeastSquares, ResidualBlock
from sciml.results import RESULTS
from sciml.training import Callback, Iterate, Resampling, train


@final
@dataclass(frozen=True)
class OptimiseResult:
    """Where an optimisation ended.

    Args:
        weights: the final weights, finite, in double precision.
        result: how it ended.
        history: columns of equal length: `step`, `seconds`, `loss`, `loss/<block>`, `fresh` (root mean square
            residual on points that were not trained on, NaN where not measured), and the optimiser's own such as
            `damping`.
        problem: the objective with the points of the last step.
        steps: steps taken.
        seconds: wall time, compilation included.
    """

    weights: PyTree
    result: RESULTS
    history: dict[str, np.ndarray]
    problem: LeastSquares
    steps: int
    seconds: float


class AbstractOptimiser(eqx.Module):
    """Minimises half the sum of squares of residual blocks."""

    @abstractmethod
    def minimise(
        self,
        weights: PyTree,
        blocks: Sequence[ResidualBlock],
        args: PyTree = None,
        *,
        key: Array | None = None,
        callback: Callback | None = None,
        budget: float | None = None,
        resampling: Resampling | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> OptimiseResult:
        """Improve `weights` on `blocks`.

        Args:
            weights: pytree of floating-point arrays.
            blocks: what to make small.
            args: traced numbers that the residuals read.
            key: PRNG key of the resampling; the same key gives the same run.
            callback: called after every step with a `TrainingState`; a true answer stops the run.
            budget: wall seconds, compilation included; exceeded by at most one step.
            resampling: when and how points are redrawn.
            checkpoint: where the state is kept, and found by a run that goes on.

        Raises:
            OptionError: weights, blocks or budget that cannot be used.
            FileError: a checkpoint that is damaged, another run's, or cannot be written.
        """


class AbstractIterativeOptimiser(AbstractOptimiser):
    """An optimiser that is a step: the loop around it is `sciml.training.train`."""

    max_steps: eqx.AbstractVar[int]
    tolerance: eqx.AbstractVar[float]

    @abstractmethod
    def init(self, problem: LeastSquares, flat: np.ndarray) -> Iterate:
        """The iterate at the initial weights, before any step."""

    @abstractmethod
    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """The next iterate; sets `result` where the optimiser itself sees its end."""

    @abstractmethod
    def restart(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """The same weights on other points."""

    @abstractmethod
    def recover(self, problem: LeastSquares, iterate: Iterate) -> Iterate:
        """A more careful continuation from `iterate`, after a step from it was not finite."""

    def minimise(
        self,
        weights: PyTree,
        blocks: Sequence[ResidualBlock],
        args: PyTree = None,
        *,
        key: Array | None = None,
        callback: Callback | None = None,
        budget: float | None = None,
        resampling: Resampling | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> OptimiseResult:
        """See `AbstractOptimiser.minimise`."""
        problem = LeastSquares(weights, tuple(blocks), args)
        key = jax.random.key(0) if key is None else key
        run = train(
            self,
            problem,
            weights,
            key=key,
            callback=callback,
            budget=budget,
            resampling=resampling,
            checkpoint=checkpoint,
        )
        return OptimiseResult(
            run.problem.unflatten(run.iterate.flat),
            run.result,
            run.history,
            run.problem,
            run.iterate.steps,
            run.seconds,
        )


def check_positive(**options: float) -> None:
    """Refuse hyperparameters that are not positive."""
    for name, value in options.items():
        if not value > 0:
            raise OptionError(f"{name}={value}", "a positive number", f"choose {name} above zero")
