"""A model at work: what it reads of the parts of the observations, and what it then writes."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from solvers.prose.candidates import Candidate, candidates
from solvers.prose.decoding import Equations, beam
from solvers.prose.encoders import Features, Observed
from solvers.prose.grammar import Grammar
from solvers.prose.model import Model, Read
from solvers.prose.storage import Card
from solvers.prose.vocabulary import BEGIN, END


@eqx.filter_jit
def read(model: Model, observed: Observed, guess: jax.Array) -> Read:
    """Features of every part `(S, …)`, all with the same guess `(G,)`."""
    return jax.vmap(lambda one: model.read(one, guess))(observed)


@eqx.filter_jit
def write(
    model: Model, symbols: Features, grammar: Grammar, equations: Any, marks: tuple[int, int], **options: Any
) -> Equations:
    """What the equation decoder writes for every part: `(S, beam, L)` words; see `beam` for the options."""
    assert model.equation is not None
    decoder, (begin, end) = model.equation, marks
    return jax.vmap(lambda part: beam(decoder, part, grammar, begin=begin, end=end, equations=equations, **options))(
        symbols
    )


def proposals(model: Model, card: Card, features: Read, dimension: int, width: int) -> list[Candidate]:
    """The systems that a model writes, those of all parts together, the most probable first; none from a 2-to-1 model.

    Args:
        model: the model.
        card: what it was made for.
        features: what it read, `(S, …)`.
        dimension: number of equations to write.
        width: branches of the search; 1 is greedy.
    """
    if model.equation is None or features.symbols is None:
        return []
    vocabulary = card.vocabulary
    marks = vocabulary.numbers[BEGIN], vocabulary.numbers[END]
    found = write(
        model,
        features.symbols,
        Grammar.of(vocabulary, dimension),
        jnp.asarray(dimension, jnp.int32),
        marks,
        length=card.equation_length,
        width=width,
    )
    words, numbers, scores = (
        np.asarray(a).reshape(-1, *a.shape[2:]) for a in (found.words, found.numbers, found.score)
    )
    return candidates(words, numbers, scores, vocabulary, dimension)
