"""The loop of pretraining: batches by step number, budget, callback, progress, checkpoints, and an honest end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from sciml.checkpoints import Checkpoint, packed, unpacked
from sciml.progress import Report, progress
from sciml.results import RESULTS
from solvers.prose.batches import Window, draw
from solvers.prose.corruption import Corruption
from solvers.prose.examples import Examples
from solvers.prose.learning import Learning, State, start, update
from solvers.prose.loss import Parts
from solvers.prose.model import Model
from solvers.prose.parallel import divided, everywhere, mesh_of

MOST_SKIPPED = 20
"""Updates in a row with numbers that are not finite after which a run has failed."""
RECORDED = 10
"""Updates between two rows of the history."""


@final
@dataclass(frozen=True)
class Progress:
    """What a callback sees: update, seconds since the start, and the means of the losses since the last call."""

    step: int
    seconds: float
    losses: Mapping[str, float]


Callback = Callable[[Progress], bool | None]


@final
@dataclass(frozen=True)
class Trained:
    """What training returns: the model with averaged weights, the outcome, the history, updates and seconds."""

    model: Model
    result: RESULTS
    history: dict[str, np.ndarray]
    steps: int
    seconds: float


def train(
    model: Model,
    data: Examples,
    begin: int,
    *,
    learning: Learning,
    window: Window,
    corruption: Corruption,
    key: jax.Array,
    mesh: Mesh | None = None,
    budget: float | None = None,
    callback: Callback | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Learn until the steps or the seconds are used up; the learning rate has decayed by then.

    Args:
        model: first weights.
        data: examples.
        begin: number of the mark of beginning.
        learning: hyperparameters.
        window: what is shown of a trajectory.
        corruption: how often guesses are wrong.
        key: PRNG key; with it and a number of steps a run is determined, however often it was interrupted.
        mesh: devices; by default all of them.
        budget: wall seconds, those before an interruption included; the schedule then follows the clock.
        callback: called every `RECORDED` updates; a true answer stops the run.
        checkpoint: where the state is kept, and found.

    Raises:
        FileError: a checkpoint that is damaged or another run's.
        OptionError: a batch that the devices do not divide.
    """
    loop = _Loop(model, data, begin, learning, window, corruption, key, mesh or mesh_of(), budget, callback, checkpoint)
    with progress("compiling") as report:
        return loop.run(report)


class _Loop:
    """The mutable state of one run of `train`."""

    def __init__(
        self,
        model: Model,
        data: Examples,
        begin: int,
        learning: Learning,
        window: Window,
        corruption: Corruption,
        key: jax.Array,
        mesh: Mesh,
        budget: float | None,
        callback: Callback | None,
        checkpoint: Checkpoint | None,
    ):
        self.begun = time.perf_counter()
        self.form: Any = eqx.filter(model, eqx.is_array, inverse=True)
        self.data, self.begin, self.learning, self.key, self.mesh = data, begin, learning, key, mesh
        self.budget = math.inf if budget is None else budget
        self.callback, self.checkpoint = callback, checkpoint
        self.draw = jax.jit(partial(draw, count=learning.batch, window=window, corruption=corruption))
        self.state: State = everywhere(start(model, learning), mesh)
        self.rows: list[dict[str, float]] = []
        self.waiting: list[Parts] = []
        self.step, self.saved_at = 0, 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.begun

    @property
    def done(self) -> float:
        """Share of the run that is over."""
        return min(max(self.step / self.learning.steps, self.seconds / self.budget), 1.0)

    def run(self, report: Report) -> Trained:
        stored = None if self.checkpoint is None else self.checkpoint.load()
        if stored is not None:
            self._resume(stored)
        result = None if self.step < self.learning.steps else RESULTS.successful
        while result is None:
            result = self._advance(report)
            if self.checkpoint is not None and self.seconds >= self.saved_at + self.checkpoint.every:
                self._save(self.checkpoint)
        self._record()
        if self.checkpoint is not None:
            self._save(self.checkpoint)
        history = {name: np.array([row[name] for row in self.rows]) for name in (self.rows or [{}])[0]}
        average = jax.tree.map(lambda a: jnp.asarray(np.asarray(a)), self.state.average)
        return Trained(eqx.combine(average, self.form), result, history, self.step, self.seconds)

    def _advance(self, report: Report) -> RESULTS | None:
        batch = divided(self.draw(jax.random.fold_in(self.key, self.step), self.data), self.mesh)
        done = jnp.asarray(self.done, jnp.float32)
        self.state, parts = update(self.state, batch, done, self.form, self.learning, self.begin)
        self.step += 1
        self.waiting.append(parts)
        if len(self.waiting) == RECORDED:
            row = self._record()
            losses = {name: row[name] for name in ("data", "words", "numbers")}
            report(self.done, f"step {self.step}  " + "  ".join(f"{name} {v:.3f}" for name, v in losses.items()))
            if int(self.state.skipped) >= MOST_SKIPPED:
                return RESULTS.nonfinite
            if self.callback is not None and self.callback(Progress(self.step, self.seconds, losses)):
                return RESULTS.interrupted
        if self.step >= self.learning.steps or self.seconds >= self.budget:
            return RESULTS.nonfinite if int(self.state.skipped) >= MOST_SKIPPED else RESULTS.successful
        return None

    def _record(self) -> dict[str, float]:
        """One row: means over the updates that are waiting for it."""
        if self.waiting:
            means = {name: float(np.mean([p[i] for p in self.waiting])) for i, name in enumerate(Parts._fields)}
            self.rows.append({"step": float(self.step), "seconds": self.seconds, **means})
            self.waiting = []
        return self.rows[-1] if self.rows else {}

    def _save(self, checkpoint: Checkpoint) -> None:
        self.saved_at = self.seconds
        names = ["step", "seconds", *Parts._fields]
        checkpoint.save(
            {
                **packed(self.state, "state"),
                "seconds": np.array(self.seconds),
                "waiting": np.array([[float(v) for v in p] for p in self.waiting]).reshape(-1, len(Parts._fields)),
                "history": np.array([[row[name] for name in names] for row in self.rows]).reshape(-1, len(names)),
            }
        )

    def _resume(self, stored: Mapping[str, np.ndarray]) -> None:
        self.state = everywhere(unpacked(self.state, stored, "state"), self.mesh)
        self.step, seconds = int(self.state.step), float(stored["seconds"])
        self.begun, self.saved_at = time.perf_counter() - seconds, seconds
        self.waiting = [Parts(*(jnp.asarray(v, jnp.float32) for v in row)) for row in stored["waiting"]]
        names = ["step", "seconds", *Parts._fields]
        self.rows = [dict(zip(names, row, strict=True)) for row in stored["history"].tolist()]
