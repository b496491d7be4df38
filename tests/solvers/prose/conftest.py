"""A tiny model, two small families, and examples of both, made once."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
import pytest

from pde_zoo.families import FAMILIES
from sciml.family import ProblemFamily
from solvers.prose.architecture import Architecture
from solvers.prose.batches import Batch, Window, draw
from solvers.prose.corruption import Corruption
from solvers.prose.examples import Examples, examples, vocabulary_of
from solvers.prose.learning import Learning
from solvers.prose.model import Model, model
from solvers.prose.pretraining import lesson
from solvers.prose.storage import Card, Pretrained
from solvers.prose.vocabulary import Vocabulary

WINDOW = Window(tokens=8, fewest=4, queries=6)
GUESS, EQUATION = 40, 44
DRAW = jax.jit(draw, static_argnums=(2, 3, 4))


class Tiny(NamedTuple):
    vocabulary: Vocabulary
    size: Architecture
    model: Model
    families: list[ProblemFamily]
    data: Examples
    card: Card

    @property
    def pretrained(self) -> Pretrained:
        return Pretrained(self.model, self.card)

    def batch(self, seed: int, count: int = 8) -> Batch:
        return DRAW(jax.random.key(seed), self.data, count, WINDOW, Corruption())


@pytest.fixture(scope="package")
def tiny() -> Tiny:
    vocabulary = vocabulary_of(3)
    size = Architecture(len(vocabulary), 3, 16, 32, 2, 1, 1, 1, 1, 1, frequencies=2)
    families = [FAMILIES["lorenz"], FAMILIES["thomas"]]
    lessons = [lesson(f, jax.random.key(i), 6) for i, f in enumerate(families)]
    data = examples(
        lessons,
        np.asarray(families[0].times),
        vocabulary,
        horizon=6.0,
        dimension=3,
        guess_length=GUESS,
        equation_length=EQUATION,
    )
    card = Card(
        architecture=size,
        vocabulary=vocabulary,
        families=("lorenz", "thomas"),
        horizon=6.0,
        guess_length=GUESS,
        equation_length=EQUATION,
        window=WINDOW,
        corruption=Corruption(),
        learning=Learning(steps=2, batch=8),
        steps=0,
        seconds=0.0,
        trajectories=12,
        command="",
    )
    return Tiny(vocabulary, size, model(jax.random.key(0), size), families, data, card)
