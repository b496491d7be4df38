"""Several optimisers, one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import final

import jax
import numpy as np
from jaxtyping import Array, PyTree

from sciml.checkpoints import Checkpoint
from sciml.errors import OptionError
from sciml.optimise.blocks import ResidualBlock
from sciml.optimise.optimiser import AbstractOptimiser, OptimiseResult
from sciml.results import RESULTS
from sciml.training import Callback, Resampling


@final
class Sequential(AbstractOptimiser):
    """Run each optimiser from where the one before ended, within one budget.

    Args:
        optimisers: in order, e.g. `(Adam(max_steps=500), LevenbergMarquardt())`.
    """

    optimisers: tuple[AbstractOptimiser, ...]

    def __check_init__(self) -> None:
        if not self.optimisers or not all(isinstance(member, AbstractOptimiser) for member in self.optimisers):
            raise OptionError(
                f"optimisers={self.optimisers!r}",
                "a tuple of at least one optimiser",
                "write Sequential((Adam(), LevenbergMarquardt()))",
            )

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
        """See `AbstractOptimiser.minimise`; the histories are joined, seconds and steps counted on."""
        start = time.perf_counter()
        keys = jax.random.split(jax.random.key(0) if key is None else key, len(self.optimisers))
        runs: list[OptimiseResult] = []
        for i, (member, member_key) in enumerate(zip(self.optimisers, keys, strict=True)):
            spent = time.perf_counter() - start
            remaining = None if budget is None else max(budget - spent, 1e-3)
            run = member.minimise(
                weights,
                blocks,
                args,
                key=member_key,
                callback=callback,
                budget=remaining,
                resampling=resampling,
                checkpoint=None if checkpoint is None else checkpoint.part(f"stage_{i}"),
            )
            runs.append(run)
            weights, blocks = run.weights, run.problem.blocks
            if run.result in (RESULTS.interrupted, RESULTS.budget_exhausted, RESULTS.nonfinite):
                break
        return replace(
            runs[-1],
            history=_joined(runs),
            steps=sum(run.steps for run in runs),
            seconds=time.perf_counter() - start,
        )


def _joined(runs: list[OptimiseResult]) -> dict[str, np.ndarray]:
    names = dict.fromkeys(name for run in runs for name in run.history)
    offsets = {
        "step": np.cumsum([0, *[run.steps for run in runs[:-1]]]),
        "seconds": np.cumsum([0, *[run.seconds for run in runs[:-1]]]),
    }
    columns = {}
    for name in names:
        shifts = offsets.get(name, np.zeros(len(runs)))
        parts = []
        for run, shift in zip(runs, shifts, strict=True):
            length = len(run.history.get("step", ()))
            parts.append(run.history.get(name, np.full(length, np.nan)) + shift)
        columns[name] = np.concatenate(parts)
    return columns
