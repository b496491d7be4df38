"""How good a model is on trajectories that it has never seen, and what no model at all would answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import ParseError
from sciml.expr.evaluation import evaluate
from sciml.family import ProblemFamily, Split
from solvers.prose.canonical import TIME, System, in_floats, system_of, unknowns
from solvers.prose.corruption import additions, deletions
from solvers.prose.decoding import beam
from solvers.prose.encoders import Features, Observed
from solvers.prose.grammar import Grammar
from solvers.prose.reading import interleaved
from solvers.prose.skeleton import Skeleton, parse_system
from solvers.prose.storage import Pretrained
from solvers.prose.vocabulary import BEGIN, END

POINTS, REACH = 50, 5.0
"""Expressions are compared at so many points of the cube of this half side."""
CHUNK = 64


@final
@dataclass(frozen=True)
class Scores:
    """Errors of n trajectories of one family.

    Attributes:
        data: relative L2 error of the solution after the window, against the trajectory without noise, `(n,)`.
        persistence: the same of answering with the last observed state, `(n,)`.
        expression: relative error of the right-hand sides at random points; NaN where the words spell no system.
        valid: whether the most probable words, held to nothing, spell a system, `(n,)`.
        same_form: whether the equation has the form of the truth, `(n,)`.
    """

    data: np.ndarray
    persistence: np.ndarray
    expression: np.ndarray
    valid: np.ndarray
    same_form: np.ndarray


def score(
    pretrained: Pretrained,
    family: ProblemFamily,
    key: jax.Array,
    n: int,
    *,
    split: Split = Split.TEST,
    noise: float = 0.02,
    corrupted: bool = False,
) -> Scores:
    """Errors on n new trajectories with noisy observations.

    Args:
        pretrained: the model.
        family: where trajectories come from.
        key: PRNG key of trajectories, noise, guesses and points.
        n: how many.
        split: part of the parameter box.
        noise: relative to the norm of the trajectory.
        corrupted: whether guesses are wrong as often as in training, or always right.
    """
    card = pretrained.card
    for_data, for_noise, for_guess, for_points = jax.random.split(key, 4)
    made = family.trajectories(for_data, n, split=split)
    times = (made.times - made.times[0]) / card.horizon
    inside = times <= card.window.share * (1 + 1e-6)
    padded = np.pad(made.noisy(for_noise, noise), ((0, 0), (0, 0), (0, _missing(pretrained, made.states))))
    exists = np.arange(padded.shape[2]) < made.states.shape[2]
    shown = padded[:, inside]
    observed = interleaved(times[inside], shown, np.broadcast_to(exists, shown.shape), card.window.tokens)
    system = system_of(family.template)
    guesses = _guesses(pretrained, system, for_guess, n, corrupted=corrupted)
    later = jnp.asarray(times[~inside], jnp.float32)
    values, words = _in_chunks(pretrained, observed, guesses, later, len(system))
    truth = made.states[:, ~inside]
    true = Skeleton.of(system).values(made.parameters)
    numbers = np.stack([np.broadcast_to(np.asarray(v, float), n) for v in true], axis=1)
    judged = [_judge(pretrained, w, system, row, for_points) for w, row in zip(words, numbers, strict=True)]
    last = np.broadcast_to(shown[:, -1:, : truth.shape[2]], truth.shape)
    return Scores(
        _relative(values[:, :, : truth.shape[2]], truth),
        _relative(last, truth),
        np.array([j[0] for j in judged]),
        np.array([j[1] for j in judged]),
        np.array([j[2] for j in judged]),
    )


def _missing(pretrained: Pretrained, states: np.ndarray) -> int:
    return pretrained.card.architecture.dimension - states.shape[2]


def _relative(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum((values - truth) ** 2, axis=(1, 2)) / np.sum(truth**2, axis=(1, 2)))


def _guesses(pretrained: Pretrained, system: System, key: jax.Array, n: int, *, corrupted: bool) -> np.ndarray:
    """Words of the guess for each trajectory, `(n, G)`."""
    card = pretrained.card
    chances = card.corruption

    def words(guess: System) -> np.ndarray:
        return card.vocabulary.padded(Skeleton.of(guess).words, card.guess_length)

    right = words(system)
    if not corrupted:
        return np.broadcast_to(right, (n, right.size))
    fewer, more = ([words(g) for g in wrong] for wrong in (deletions(system), additions(system)))
    draws = np.asarray(jax.random.uniform(key, (n, 2)))

    def one(u: float, v: float) -> np.ndarray:
        if u < chances.deletion and fewer:
            return fewer[int(v * len(fewer))]
        return more[int(v * len(more))] if u >= 1 - chances.addition and more else right

    return np.stack([one(u, v) for u, v in draws])


def _in_chunks(
    pretrained: Pretrained, observed: Observed, guesses: np.ndarray, times: jax.Array, equations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Values `(n, m, D)` and greedy words `(n, L)`, some trajectories at a time; the last chunk is filled up."""
    n = guesses.shape[0]
    parts = []
    for start in range(0, n, CHUNK):
        rows = np.minimum(np.arange(start, start + CHUNK), n - 1)
        seen, words = jax.tree.map(lambda a, rows=rows: jnp.asarray(a[rows]), (observed, guesses))
        answer = _answer(pretrained.model, pretrained.card, seen, words, times, equations)
        parts.append(jax.tree.map(np.asarray, answer))
    return tuple(np.concatenate(column)[:n] for column in zip(*parts, strict=True))  # type: ignore[return-value]


@eqx.filter_jit
def _answer(
    model: Any, card: Any, observed: Observed, guesses: jax.Array, times: jax.Array, equations: int
) -> tuple[jax.Array, jax.Array]:
    vocabulary = card.vocabulary
    grammar = Grammar.of(vocabulary, equations)

    def one(parts: Observed, guess: jax.Array) -> tuple[jax.Array, jax.Array]:
        read = jax.vmap(lambda part: model.read(part, guess))(parts)
        values = jax.vmap(lambda data, scale: model.solution(data, times) * jnp.exp(scale))(read.data, parts.scale)
        if model.equation is None:
            return jnp.mean(values, axis=0), jnp.zeros(card.equation_length, jnp.int32)
        found = beam(
            model.equation,
            Features(*(a[0] for a in read.symbols)),
            grammar,
            begin=vocabulary.numbers[BEGIN],
            end=vocabulary.numbers[END],
            equations=equations,
            length=card.equation_length,
            constrained=False,
        )
        return jnp.mean(values, axis=0), found.words[0]

    return jax.vmap(one)(observed, guesses)


def _judge(
    pretrained: Pretrained, ids: np.ndarray, system: System, numbers: np.ndarray, key: jax.Array
) -> tuple[float, bool, bool]:
    """Expression error, whether the words are valid, and whether they have the form of the truth."""
    truth = Skeleton.of(system)
    try:
        found = parse_system(pretrained.card.vocabulary.text(ids), len(system))
        error = expression_error(found, truth.with_numbers(list(numbers)), key)
    except ParseError:
        return np.nan, False, False
    return error, bool(np.isfinite(error)), Skeleton.of(found).words == truth.words


def expression_error(found: System, truth: System, key: jax.Array) -> float:
    r"""$\sqrt{\sum|f-g|^2/\sum|g|^2}$ over random points of a cube and all right-hand sides."""
    dimension = len(truth)
    drawn = REACH * np.asarray(jax.random.uniform(key, (dimension, POINTS), minval=-1.0, maxval=1.0))
    values: dict[Any, Any] = {**dict(zip(unknowns(dimension), drawn, strict=True)), TIME: np.zeros(POINTS)}
    with np.errstate(all="ignore"):
        f, g = (evaluate(system, {**in_floats(*system), **values}) for system in (found, truth))
        f, g = (np.stack([np.broadcast_to(v, POINTS) for v in rates]) for rates in (f, g))
        return float(np.sqrt(np.sum((f - g) ** 2) / np.sum(g**2)))
