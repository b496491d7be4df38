"""Examples to learn from: trajectories of several systems, with the words of their equations and of wrong guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from solvers.prose.canonical import System
from solvers.prose.corruption import additions, deletions
from solvers.prose.skeleton import Skeleton, number_codes
from solvers.prose.vocabulary import END, Vocabulary


@final
@dataclass(frozen=True)
class Lesson:
    """Trajectories of one system.

    Attributes:
        name: of the family.
        system: right-hand sides in canonical form, with parameters.
        parameters: numbers of each parameter, `(n,)`.
        states: `(n, T, D)` at common times.
    """

    name: str
    system: System
    parameters: Mapping[str, np.ndarray]
    states: np.ndarray


@final
class Examples(NamedTuple):
    """Lessons as arrays.

    Attributes:
        times: in units of the horizon, `(T,)`.
        states: `(N, T, D)`; unknowns that a system lacks are zero.
        exists: which unknowns each family has, `(families, D)`.
        family: of each trajectory, `(N,)`.
        words: of the equations with numbers, ended and padded, `(N, L)`.
        values: the number that begins at each word, `(N, L)`; NaN where none does.
        guesses: skeletons of each family: the right one, deletions, additions; `(families, variants, G)`.
        counts: number of deletions and additions of each family, `(families, 2)`.
    """

    times: jax.Array
    states: jax.Array
    exists: jax.Array
    family: jax.Array
    words: jax.Array
    values: jax.Array
    guesses: jax.Array
    counts: jax.Array


def vocabulary_of(dimension: int) -> Vocabulary:
    """Words for systems of up to `dimension` unknowns in time."""
    return Vocabulary((*(f"u_{i}" for i in range(dimension)), "t"))


def examples(
    lessons: Sequence[Lesson],
    times: np.ndarray,
    vocabulary: Vocabulary,
    *,
    horizon: float,
    dimension: int,
    guess_length: int,
    equation_length: int,
) -> Examples:
    """Lessons as arrays of static lengths.

    Raises:
        OptionError: no lessons, or one with more unknowns than the model has.
        UnsupportedProblemError: equations longer than the lengths, or with words that the model lacks.
    """
    if not lessons or max(len(lesson.system) for lesson in lessons) > dimension:
        raise OptionError(
            f"{len(lessons)} families with up to {max((len(s.system) for s in lessons), default=0)} unknowns",
            f"at least one, and at most {dimension} unknowns",
            "choose other families, or a model of more unknowns",
        )
    tables = [_guesses(lesson.system, vocabulary, guess_length) for lesson in lessons]
    variants = max(len(table) for table, _ in tables)
    guesses = np.stack([np.pad(t, ((0, variants - len(t)), (0, 0))) for t, _ in tables])
    written = [_written(lesson, vocabulary, equation_length) for lesson in lessons]
    exists = np.array([[i < len(lesson.system) for i in range(dimension)] for lesson in lessons])
    states = [np.pad(lesson.states, ((0, 0), (0, 0), (0, dimension - lesson.states.shape[2]))) for lesson in lessons]
    family = np.repeat(np.arange(len(lessons)), [len(s) for s in states])
    return Examples(
        times=jnp.asarray(np.asarray(times) / horizon, jnp.float32),
        states=jnp.asarray(np.concatenate(states), jnp.float32),
        exists=jnp.asarray(exists),
        family=jnp.asarray(family, jnp.int32),
        words=jnp.asarray(np.concatenate([w for w, _ in written]), jnp.int32),
        values=jnp.asarray(np.concatenate([v for _, v in written]), jnp.float32),
        guesses=jnp.asarray(guesses, jnp.int32),
        counts=jnp.asarray([count for _, count in tables], jnp.int32),
    )


def _guesses(system: System, vocabulary: Vocabulary, length: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Skeletons of the right guess, of all deletions and of all additions."""
    fewer, more = list(deletions(system)), list(additions(system))
    guesses = [vocabulary.padded(Skeleton.of(guess).words, length) for guess in (system, *fewer, *more)]
    return np.stack(guesses), (len(fewer), len(more))


def _written(lesson: Lesson, vocabulary: Vocabulary, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Words of each trajectory's equations, and the number that begins at each word."""
    skeleton = Skeleton.of(lesson.system)
    parameters = {name: np.asarray(v, float) for name, v in lesson.parameters.items()}
    count = len(lesson.states)
    numbers = [np.broadcast_to(np.asarray(v, float), count) for v in skeleton.values(parameters)]
    codes: list[np.ndarray] = []
    values: list[np.ndarray] = []
    for word in [*skeleton.slotted, END]:
        if isinstance(word, str):
            columns, begins = [np.full(count, vocabulary.numbers[word])], np.full(count, np.nan)
        elif skeleton.is_integer(word):
            columns, begins = [np.full(count, vocabulary.numbers[str(int(numbers[word][0]))])], np.full(count, np.nan)
        else:
            columns, begins = list(number_codes(numbers[word], vocabulary.numbers).T), numbers[word]
        codes += columns
        values += [begins, *[np.full(count, np.nan)] * (len(columns) - 1)]
    padded = np.zeros((count, length), np.int32)
    beginning = np.full((count, length), np.nan)
    vocabulary.padded([END] * len(codes), length)  # refuses what is too long
    padded[:, : len(codes)], beginning[:, : len(codes)] = np.stack(codes, 1), np.stack(values, 1)
    return padded, beginning
