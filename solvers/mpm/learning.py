"""Learning a law from an observed motion: windows of some steps from observed states, and their gradient."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from sciml.checkpoints import packed, unpacked
from sciml.errors import OptionError
from sciml.material import Material
from sciml.progress import progress
from sciml.results import RESULTS
from sciml.solver import Run
from sciml.tensors import product_right_transposed
from solvers.mpm.motion import Motion, Sizes, windows
from solvers.mpm.step import Model, State, advance


@final
@dataclass(frozen=True)
class Stage:
    """A part of training in which all windows have one length.

    Windows of one step need no derivative through time; longer ones are back-propagated.

    Args:
        length: steps of a window; each starts from an observed state.
        windows: in each update.
        updates: how many.
        rate: largest step of Adam; it falls to a hundredth along a cosine.
    """

    length: int
    windows: int
    updates: int
    rate: float

    def __post_init__(self) -> None:
        if min(self.length, self.windows, self.updates) < 1 or not self.rate > 0:
            raise OptionError(f"{self!r}", "positive numbers", "correct the stage")


@final
class Weighing(NamedTuple):
    """What an error is measured in: push in m/s and stretch of a step."""

    push: Array
    stretch: Array


Loss = Callable[[Any, Model, Any, State, State], Array]
"""Of a law, a model, what it aims at, the states at which windows start, and those after each of their steps."""


def squared_strain(F: Array, observed: Array) -> Array:
    r"""Mean square of $\tfrac12(FF^\top-\hat F\hat F^\top)$.

    An elastic deformation gradient after flow is known only up to a rotation of the relaxed material, F to FQ, which no
    isotropic stress feels: $FF^\top$ is what can be compared. A fluid's return map shows it: that of the truth forgets
    the rotation, that of an equivariant law keeps it.
    """
    return jnp.mean((product_right_transposed(F, F) - product_right_transposed(observed, observed)) ** 2) / 4


def window_errors(law: Material, model: Model, weighing: Weighing, first: State, after: State, remember: bool) -> Array:
    """Squared errors of velocity and strain after each step of one window, over what a step changes, `(length,)`.

    Errors after k steps are divided by k, as they add up.
    """

    def step(state: State, truth: tuple[Array, State]) -> tuple[State, Array]:
        count, observed = truth
        state = advance(state, law, model)
        velocity = jnp.mean((state.v - observed.v) ** 2) / weighing.push**2
        stretch = squared_strain(state.F, observed.F) / weighing.stretch**2
        return state, (velocity + stretch) / count**2

    length = after.x.shape[0]
    counts = jnp.arange(1, length + 1, dtype=model.dt.dtype)
    body = jax.checkpoint(step, prevent_cse=False) if remember else step
    return jax.lax.scan(body, first, (counts, after))[1]


def window_loss(law: Material, model: Model, weighing: Weighing, first: State, after: State) -> Array:
    """Mean over windows `(B, …)` and steps."""
    remember = after.x.shape[1] > 1
    errors = jax.lax.map(lambda pair: window_errors(law, model, weighing, pair[0], pair[1], remember), (first, after))
    return jnp.mean(errors)


@eqx.filter_jit
def _update(
    law: Material, moments: Any, loss_of: Loss, model: Model, aim: Any, first: State, after: State, rate: Array
) -> tuple[Material, Any, Array]:
    """One step of Adam; it is left out where loss or gradient are not finite."""
    loss, slopes = eqx.filter_value_and_grad(loss_of)(law, model, aim, first, after)
    sound = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(slopes))
    steps, next_moments = _ADAM.update(slopes, moments)
    moved = eqx.apply_updates(law, jax.tree.map(lambda s: -rate * s, steps))
    choose = lambda new, old: jnp.where(sound, new, old) if eqx.is_array(new) else new  # noqa: E731
    return jax.tree.map(choose, moved, law), jax.tree.map(choose, next_moments, moments), loss


_ADAM = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.99))


@final
@dataclass(frozen=True, eq=False)
class Learned:
    """A trained law, how training ended, and its history."""

    law: Material
    result: RESULTS
    history: dict[str, np.ndarray]
    updates: int
    compile_seconds: float


def weighing_of(motion: Motion, sizes: Sizes) -> Weighing:
    """Units of a motion's errors, in its precision."""
    dtype = motion.model.dt.dtype
    return Weighing(jnp.asarray(max(sizes.push, 1e-12), dtype), jnp.asarray(max(sizes.stretch, 1e-12), dtype))


def learn(law: Material, motion: Motion, loss_of: Loss, aim: Any, stages: tuple[Stage, ...], run: Run) -> Learned:
    """Train through all stages; what is random depends on the key and the number of the update alone.

    A state is kept in the run's checkpoint; the same call goes on from there to the same numbers.

    Args:
        law: with its first weights.
        motion: that is learned from.
        loss_of: of windows.
        aim: what the loss is measured against, its units for example; arrays.
        stages: curriculum of windows.
        run: key, budget, callback, checkpoint.
    """
    weights, still = eqx.partition(law, eqx.is_inexact_array)
    state = {"weights": weights, "moments": _ADAM.init(weights)}
    rows: list[tuple[float, ...]] = []
    if run.checkpoint is not None and (kept := run.checkpoint.load()) is not None:
        state = unpacked(state, kept, "state")
        rows = [tuple(float(c) for c in row) for row in kept["rows"]]
    total, number, saved, compiled = sum(s.updates for s in stages), 0, time.perf_counter(), 0.0
    result = RESULTS.successful
    with progress("compiling") as report:
        for place, stage in enumerate(stages):
            for i in range(stage.updates):
                number += 1
                if number <= len(rows):
                    continue
                began = time.perf_counter()
                state, loss = _advance(
                    state, still, motion, (loss_of, aim), stage, i, jax.random.fold_in(run.key, number)
                )
                if i == 0:
                    compiled += time.perf_counter() - began
                rows.append((number, place, stage.length, loss, run.elapsed))
                report(number / total, f"windows of {stage.length} steps: update {i + 1}, loss {loss:.2e}")
                if run.checkpoint is not None and time.perf_counter() - saved > run.checkpoint.every:
                    run.checkpoint.save({**packed(state, "state"), "rows": np.asarray(rows)})
                    saved = time.perf_counter()
                if run.callback is not None and run.callback({"update": number, "loss": loss}):
                    result = RESULTS.interrupted
                elif run.is_over:
                    result = RESULTS.budget_exhausted
                if not result.is_success:
                    return _learned(state, still, result, rows, compiled)
    return _learned(state, still, result, rows, compiled)


def _advance(
    state: dict[str, Any], still: Any, motion: Motion, goal: tuple[Loss, Any], stage: Stage, i: int, key: Array
) -> tuple[dict[str, Any], float]:
    last = motion.states.x.shape[0] - 1 - stage.length
    starts = jax.random.randint(key, (stage.windows,), 0, max(last, 0) + 1)
    rate = stage.rate * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * i / stage.updates)))
    first, after = windows(motion, starts, stage.length)
    law = eqx.combine(state["weights"], still)
    moved, moments, loss = _update(
        law, state["moments"], goal[0], motion.model, goal[1], first, after, jnp.asarray(rate, motion.model.dt.dtype)
    )
    return {"weights": eqx.filter(moved, eqx.is_inexact_array), "moments": moments}, float(loss)


def _learned(state: dict[str, Any], still: Any, result: RESULTS, rows: list[Any], compiled: float) -> Learned:
    columns = np.asarray(rows, float).reshape(-1, 5).T
    names: tuple[str, ...] = ("step", "stage", "length", "loss", "seconds")
    history: dict[str, np.ndarray] = dict(zip(names, columns, strict=True))
    return Learned(eqx.combine(state["weights"], still), result, history, len(rows), compiled)
