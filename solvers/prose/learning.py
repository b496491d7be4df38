"""How weights are learned: AdamW with warm-up and cosine decay, in pieces, with an average of the weights kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from sciml.errors import OptionError
from sciml.storable import storable
from solvers.prose.batches import Batch
from solvers.prose.loss import Parts, counts, losses
from solvers.prose.model import Model


@final
@storable("prose_learning")
@dataclass(frozen=True)
class Learning:
    """Hyperparameters of the optimiser.

    Attributes:
        steps: number of updates; the schedule ends there, or when the seconds of a run are over.
        batch: examples in an update.
        pieces: parts into which a batch is cut to save memory; the update is the same.
        rate: largest learning rate.
        warm_up: share of the steps in which the rate rises.
        decay: weight decay.
        clip: largest norm of the gradient.
        average: decay of the running average of the weights, which is what is used in the end.
        half: whether the model is computed in bfloat16; weights, norms, softmax and loss stay in single precision.
    """

    steps: int = 2000
    batch: int = 64
    pieces: int = 1
    rate: float = 2e-3
    warm_up: float = 0.05
    decay: float = 1e-4
    clip: float = 1.0
    average: float = 0.99
    half: bool = False

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.pieces) < 1 or self.batch % self.pieces:
            raise OptionError(f"{self!r}", "counts ≥ 1, and pieces that divide the batch", "change the counts")
        if not (
            self.rate > 0 and self.clip > 0 and 0 <= self.warm_up < 1 and 0 <= self.average < 1 and self.decay >= 0
        ):
            raise OptionError(f"{self!r}", "rate, clip > 0, shares from 0 to 1", "change that option")

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """The gradient transformation, without the learning rate."""
        return optax.chain(
            optax.clip_by_global_norm(self.clip), optax.scale_by_adam(b2=0.98), optax.add_decayed_weights(self.decay)
        )

    def rate_at(self, done: jax.Array) -> jax.Array:
        """Learning rate when a share of the run is over: a linear rise, then half a cosine down to 0."""
        rising = (done + 1 / self.steps) / max(self.warm_up, 1 / self.steps)
        falling = jnp.cos(0.5 * jnp.pi * jnp.clip((done - self.warm_up) / (1 - self.warm_up), 0, 1)) ** 2
        return self.rate * jnp.minimum(rising, falling)


@final
class State(NamedTuple):
    """Everything that an update changes.

    Attributes:
        weights: arrays of the model.
        moments: what the optimiser remembers.
        average: running average of the weights.
        step: updates so far.
        skipped: updates in a row that were not taken because a number was not finite.
    """

    weights: Any
    moments: Any
    average: Any
    step: jax.Array
    skipped: jax.Array


def start(model: Model, learning: Learning) -> State:
    """The state before the first update."""
    weights = eqx.filter(model, eqx.is_array)
    mine, average = (jax.tree.map(jnp.copy, weights) for _ in range(2))  # updates overwrite their arguments
    return State(mine, learning.optimiser.init(mine), average, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))


@partial(jax.jit, static_argnames=("form", "learning", "begin"), donate_argnums=0)
def update(
    state: State, batch: Batch, done: jax.Array, form: Any, learning: Learning, begin: int
) -> tuple[State, Parts]:
    """One update. One whose loss or gradient is not finite changes nothing but the count of those.

    Args:
        state: of the weights.
        batch: examples; divided over devices or not, the update is the same up to round-off.
        done: share of the run that is over, from 0 to 1; the learning rate follows it.
        form: the model without its arrays.
        learning: hyperparameters.
        begin: number of the mark of beginning.
    """
    parts, gradient = _gradient(state.weights, batch, form, learning, begin)
    finite = jnp.isfinite(parts.total) & jnp.isfinite(optax.tree.norm(gradient))
    change, moments = learning.optimiser.update(gradient, state.moments, state.weights)
    rate = learning.rate_at(done)
    weights = jax.tree.map(lambda w, c: w - rate.astype(w.dtype) * c, state.weights, change)
    keep = jnp.minimum(learning.average, (1.0 + state.step) / (10.0 + state.step)).astype(jnp.float32)
    average = jax.tree.map(lambda old, new: keep * old + (1 - keep) * new, state.average, weights)
    one = jnp.ones((), jnp.int32)
    taken = State(weights, moments, average, state.step + one, 0 * one)
    skipped = state._replace(step=state.step + one, skipped=state.skipped + one)
    return jax.tree.map(lambda a, b: jnp.where(finite, a, b), taken, skipped), parts


def _gradient(weights: Any, batch: Batch, form: Any, learning: Learning, begin: int) -> tuple[Parts, Any]:
    divisors = counts(batch)

    def objective(weights: Any, piece: Batch) -> tuple[jax.Array, Parts]:
        parts = losses(computed(eqx.combine(weights, form), half=learning.half), piece, divisors, begin)
        return parts.total, parts

    slope = jax.grad(objective, has_aux=True)
    if learning.pieces == 1:
        gradient, parts = slope(weights, batch)
        return parts, gradient
    pieces = jax.tree.map(lambda a: jnp.moveaxis(a.reshape(-1, learning.pieces, *a.shape[1:]), 1, 0), batch)

    def add(total: Any, piece: Batch) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, slope(weights, piece)), None

    nothing = (jax.tree.map(jnp.zeros_like, weights), Parts(*(jnp.zeros((), jnp.float32) for _ in Parts._fields)))
    (gradient, parts), _ = jax.lax.scan(add, nothing, pieces)
    return parts, gradient


def computed(model: Model, *, half: bool) -> Model:
    """The model in the precision in which it is computed."""
    if not half:
        return model
    return jax.tree.map(lambda a: a.astype(jnp.bfloat16) if eqx.is_inexact_array(a) else a, model)
