"""The training loop shared by all iterative optimisers: history, budget, callbacks, resampling, progress, checkpoints,
and a guard against numbers that are not finite.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from sciml.checkpoints import Checkpoint, packed, unpacked
from sciml.errors import OptionError
from sciml.progress import Report, progress
from sciml.results import RESULTS

if TYPE_CHECKING:
    from sciml.optimise.blocks import LeastSquares, ResidualBlock

LARGEST_NUMBER_OF_ROLLBACKS = 8


@final
@dataclass(frozen=True)
class Iterate:
    """One point of an optimisation.

    Args:
        flat: weights, shape (P,).
        losses: half the sum of squares of each block, shape (blocks,).
        steps: steps taken to get here.
        memory: what the optimiser remembers (damping, moments, curvature pairs).
        diagnostics: numbers of the optimiser for the history.
        result: set when the optimiser sees no further progress on these points.
    """

    flat: Any
    losses: np.ndarray
    steps: int = 0
    memory: Any = None
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    result: RESULTS | None = None

    @property
    def loss(self) -> float:
        """Half the sum of squares of all rows."""
        return float(np.sum(self.losses))

    @property
    def is_finite(self) -> bool:
        """True when neither the weights nor the loss contain NaN or infinity."""
        return math.isfinite(self.loss) and bool(np.all(np.isfinite(self.flat)))


class Iteration(Protocol):
    """What the loop needs of an optimiser."""

    @property
    def max_steps(self) -> int: ...

    @property
    def tolerance(self) -> float: ...

    def init(self, problem: LeastSquares, flat: np.ndarray) -> Iterate: ...

    def step(self, problem: LeastSquares, iterate: Iterate) -> Iterate: ...

    def restart(self, problem: LeastSquares, iterate: Iterate) -> Iterate: ...

    def recover(self, problem: LeastSquares, iterate: Iterate) -> Iterate: ...


@final
@dataclass(frozen=True)
class TrainingState:
    """What a callback sees after a step.

    Args:
        step: steps taken.
        seconds: wall time since the start.
        loss: half the sum of squares of all rows on the training points.
        losses: the same of each block, by name.
        fresh: root mean square residual on points not trained on; NaN before the first measurement.
        diagnostics: numbers of the optimiser, e.g. `damping`.
        weights: the weights as a pytree.
    """

    step: int
    seconds: float
    loss: float
    losses: Mapping[str, float]
    fresh: float
    diagnostics: Mapping[str, float]
    weights: PyTree


Callback = Callable[[TrainingState], bool | None]


@final
@dataclass(frozen=True)
class Resampling:
    """When and how training points are redrawn.

    Redrawing keeps a second-order optimiser from driving the residual to zero on its points alone. Each redraw first
    measures the residual on points that were never trained on.

    Args:
        draw: `(key, weights) -> blocks` with the names and shapes of the blocks at the start; may place points where
            the residual is large.
        every: steps between redraws.
        fresh: `(key, weights) -> blocks` that measure the residual; None measures on the redrawn points themselves.
    """

    draw: Callable[[Array, PyTree], Sequence[ResidualBlock]]
    every: int = 20
    fresh: Callable[[Array, PyTree], Sequence[ResidualBlock]] | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise OptionError(f"every={self.every}", "at least one step between redraws", "choose 10 to 40")


@final
@dataclass(frozen=True)
class TrainingRun:
    """What `train` returns: the last finite iterate, its points, the outcome, the history and the wall seconds."""

    iterate: Iterate
    problem: LeastSquares
    result: RESULTS
    history: dict[str, np.ndarray]
    seconds: float


def train(
    iteration: Iteration,
    problem: LeastSquares,
    weights: PyTree,
    *,
    key: Array,
    callback: Callback | None = None,
    budget: float | None = None,
    resampling: Resampling | None = None,
    checkpoint: Checkpoint | None = None,
) -> TrainingRun:
    """Step until the tolerance is met, nothing improves, or steps or seconds run out.

    A step that leaves the finite numbers is undone and tried again more carefully, a few times; the weights that are
    returned are always finite. With resampling, success is judged by the residual on points not trained on, and an
    end which the optimiser sees on its present points leads to a redraw; only when no step succeeds on the new points
    either does the run end.

    Args:
        iteration: the optimiser.
        problem: the objective at its first points.
        weights: where to start.
        key: PRNG key of the redraws.
        callback: called after every step; a true answer stops the run.
        budget: wall seconds, those before an interruption included.
        resampling: when and how points are redrawn.
        checkpoint: where the state is kept. A run that finds one there goes on from it, to the same numbers as if
            nothing had happened; one that had ended returns its end, unless clock or callback had ended it.

    Raises:
        OptionError: a budget that is not positive.
        FileError: a checkpoint that is damaged, another run's, or cannot be written.
    """
    if budget is not None and not budget > 0:
        raise OptionError(f"budget={budget}", "a positive number of seconds", "leave `budget` out for no limit")
    loop = _Loop(iteration, problem, key, callback, math.inf if budget is None else budget, resampling, checkpoint)
    with progress("compiling") as report:
        return loop.run(problem.flatten(weights), report)


class _Loop:
    """The mutable state of one run of `train`."""

    def __init__(
        self,
        iteration: Iteration,
        problem: LeastSquares,
        key: Array,
        callback: Callback | None,
        budget: float,
        resampling: Resampling | None,
        checkpoint: Checkpoint | None,
    ):
        self.start = time.perf_counter()
        self.iteration, self.problem, self.key = iteration, problem, key
        self.callback, self.budget, self.resampling, self.checkpoint = callback, budget, resampling, checkpoint
        self.rows: list[dict[str, float]] = []
        self.rollbacks = 0
        self.fresh = math.nan
        self.steps_at_redraw = 0
        self.saved_at = 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def run(self, flat: np.ndarray, report: Report) -> TrainingRun:
        iterate = self.iteration.init(self.problem, flat)
        result = self._outcome(iterate) if iterate.is_finite else RESULTS.nonfinite
        stored = None if self.checkpoint is None else self.checkpoint.load()
        if stored is not None:
            iterate, result = self._resumed(stored, iterate)
        while result is None:
            if self.resampling is not None and self._redraw_is_due(iterate, self.resampling):
                iterate, result = self._redraw(iterate, self.resampling)
                if result is not None:
                    break
            proposed = self.iteration.step(self.problem, iterate)
            if proposed.is_finite:
                iterate = proposed
                result = self._after_step(iterate, report)
            else:
                self.rollbacks += 1
                iterate = self.iteration.recover(self.problem, iterate)
                result = RESULTS.nonfinite if self.rollbacks > LARGEST_NUMBER_OF_ROLLBACKS else None
            if self.checkpoint is not None and self.seconds >= self.saved_at + self.checkpoint.every:
                self._save(self.checkpoint, iterate, result)
        if self.checkpoint is not None:
            self._save(self.checkpoint, iterate, result)
        return TrainingRun(iterate, self.problem, result, self._history(), self.seconds)

    def _save(self, checkpoint: Checkpoint, iterate: Iterate, result: RESULTS | None) -> None:
        history = self._history()
        checkpoint.save(
            {
                **packed((iterate.flat, iterate.losses, iterate.memory), "iterate"),
                **packed([block.points for block in self.problem.blocks], "points"),
                "key": np.asarray(jax.random.key_data(self.key)),
                "counts": np.array([iterate.steps, self.rollbacks, self.steps_at_redraw]),
                "measured": np.array([self.fresh, self.seconds]),
                "results": np.array([_name(iterate.result), _name(result)]),
                "diagnostics": np.array(list(iterate.diagnostics.values()), dtype=float),
                "diagnosed": np.array(list(iterate.diagnostics), dtype=str),
                "history": np.array(list(history.values()), dtype=float).reshape(len(history), len(self.rows)),
                "recorded": np.array(list(history), dtype=str),
            }
        )
        self.saved_at = self.seconds

    def _resumed(self, stored: Mapping[str, np.ndarray], start: Iterate) -> tuple[Iterate, RESULTS | None]:
        """What `_save` wrote; an end that the clock or the callback made is none."""
        flat, losses, memory = unpacked((start.flat, start.losses, start.memory), stored, "iterate")
        blocks = self.problem.blocks
        points = unpacked([block.points for block in blocks], stored, "points")
        self.problem = self.problem.with_blocks([replace(b, points=p) for b, p in zip(blocks, points, strict=True)])
        self.key = jax.random.wrap_key_data(jnp.asarray(stored["key"]), impl=jax.random.key_impl(self.key))
        steps, self.rollbacks, self.steps_at_redraw = map(int, stored["counts"])
        self.fresh, seconds = map(float, stored["measured"])
        self.start, self.saved_at = time.perf_counter() - seconds, seconds
        names = stored["recorded"].tolist()
        self.rows = [dict(zip(names, row, strict=True)) for row in stored["history"].T.tolist()]
        diagnostics = dict(zip(stored["diagnosed"].tolist(), stored["diagnostics"].tolist(), strict=True))
        own, ended = (None if name == "" else RESULTS[name] for name in stored["results"].tolist())
        iterate = Iterate(flat, losses, steps, memory, diagnostics, own)
        if ended in (RESULTS.interrupted, RESULTS.budget_exhausted):
            ended = self._outcome(iterate)
        return iterate, ended

    def _after_step(self, iterate: Iterate, report: Report) -> RESULTS | None:
        state = TrainingState(
            step=iterate.steps,
            seconds=self.seconds,
            loss=iterate.loss,
            losses=dict(zip(self.problem.names, map(float, iterate.losses), strict=True)),
            fresh=self.fresh,
            diagnostics=iterate.diagnostics,
            weights=self.problem.unflatten(iterate.flat),
        )
        self._record(state)
        done = max(state.step / self.iteration.max_steps, state.seconds / self.budget)
        report(done, f"step {state.step}  loss {state.loss:.2e}  fresh residual {state.fresh:.1e}")
        if self.callback is not None and self.callback(state):
            return RESULTS.interrupted
        return self._outcome(iterate)

    def _record(self, state: TrainingState) -> None:
        terms = {f"loss/{name}": value for name, value in state.losses.items()}
        row = {"step": state.step, "seconds": state.seconds, "loss": state.loss, **terms, "fresh": state.fresh}
        self.rows.append({**row, **state.diagnostics})

    def _history(self) -> dict[str, np.ndarray]:
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: np.array([row.get(name, math.nan) for row in self.rows]) for name in names}

    def _outcome(self, iterate: Iterate) -> RESULTS | None:
        residual = math.sqrt(2 * iterate.loss)
        if self.resampling is None and residual <= self.iteration.tolerance:
            return RESULTS.successful
        if iterate.result is not None and (self.resampling is None or iterate.steps == self.steps_at_redraw):
            return iterate.result
        if self.seconds >= self.budget:
            return RESULTS.budget_exhausted
        return RESULTS.max_steps_reached if iterate.steps >= self.iteration.max_steps else None

    def _redraw_is_due(self, iterate: Iterate, resampling: Resampling) -> bool:
        return iterate.result is not None or iterate.steps >= self.steps_at_redraw + resampling.every

    def _redraw(self, iterate: Iterate, resampling: Resampling) -> tuple[Iterate, RESULTS | None]:
        """New points; the residual on them before any step is the honest one."""
        weights = self.problem.unflatten(iterate.flat)
        self.key, key_draw, key_fresh = jax.random.split(self.key, 3)
        problem = self.problem.with_blocks(resampling.draw(key_draw, weights))
        renewed = self.iteration.restart(problem, iterate)
        if not renewed.is_finite:
            self.rollbacks += 1
            exhausted = self.rollbacks > LARGEST_NUMBER_OF_ROLLBACKS
            return replace(iterate, result=None), RESULTS.nonfinite if exhausted else None
        self.problem, self.steps_at_redraw = problem, iterate.steps
        measured = renewed
        if resampling.fresh is not None:
            fresh = self.problem.with_blocks(resampling.fresh(key_fresh, weights))
            measured = self.iteration.restart(fresh, iterate)
        self.fresh = math.sqrt(2 * measured.loss)
        return renewed, RESULTS.successful if self.fresh <= self.iteration.tolerance else None


def _name(result: RESULTS | None) -> str:
    return "" if result is None else result.name
