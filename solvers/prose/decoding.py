"""Writing an equation word by word: the most probable words or sequences, with or without grammar."""

from __future__ import annotations

from typing import NamedTuple, final

import jax
import jax.numpy as jnp

from solvers.prose.decoders import EquationDecoder, Past
from solvers.prose.encoders import Features
from solvers.prose.grammar import Grammar, Written

IMPOSSIBLE = -1e30


@final
class Equations(NamedTuple):
    """What was written, best first.

    Attributes:
        words: without the mark of beginning, `(beam, length)`.
        score: logarithm of the probability, `(beam,)`.
        numbers: mean and logarithm of the width of the number that begins at each word, `(beam, length, 2)`.
    """

    words: jax.Array
    score: jax.Array
    numbers: jax.Array


class _Branch(NamedTuple):
    past: Past
    word: jax.Array
    written: Written
    score: jax.Array


class _Search(NamedTuple):
    branches: _Branch
    words: jax.Array
    numbers: jax.Array


def beam(
    decoder: EquationDecoder,
    symbols: Features,
    grammar: Grammar,
    *,
    begin: int,
    end: int,
    equations: int,
    length: int,
    width: int = 1,
    constrained: bool = True,
) -> Equations:
    """The sequences of largest probability among those that a search of `width` branches keeps; greedy for one.

    Args:
        decoder: says what follows.
        symbols: what it attends to.
        grammar: which words may follow.
        begin: number of the mark of beginning.
        end: number of the mark of the end.
        equations: how many are to be written.
        length: most words, the end included.
        width: branches.
        constrained: whether the grammar is enforced; without it an output need not be readable.
    """
    past = decoder.start(symbols, length)
    one = _Branch(past, jnp.asarray(begin, jnp.int32), grammar.start(equations, length), jnp.asarray(0.0, jnp.float32))
    branches: _Branch = jax.tree.map(lambda a: jnp.broadcast_to(a, (width, *a.shape)), one)
    alone = jnp.where(jnp.arange(width) == 0, 0.0, IMPOSSIBLE).astype(jnp.float32)  # at first all branches are one
    words = jnp.zeros((width, length), jnp.int32)
    numbers = jnp.zeros((width, length, 2), jnp.float32)

    def step(state: _Search, at: jax.Array) -> tuple[_Search, None]:
        branches, words, numbers = state
        spoken, past = jax.vmap(lambda word, past: decoder.step(word, at, past))(branches.word, branches.past)
        if constrained:
            allowed = jax.vmap(grammar.allowed)(branches.written)
        else:
            ended = jnp.any(words == end, axis=1)
            allowed = jnp.where(ended[:, None], jnp.arange(spoken.scores.shape[-1]) == 0, True)
        logs = jax.nn.log_softmax(spoken.scores, axis=-1)
        logs = jnp.where(_only_padding(allowed)[:, None], 0.0, logs)  # padding after the end costs nothing
        total = jnp.where(allowed, branches.score[:, None] + logs, 2 * IMPOSSIBLE)
        score, flat = jax.lax.top_k(total.reshape(-1), width)
        parent, word = flat // total.shape[1], (flat % total.shape[1]).astype(jnp.int32)
        chosen = jax.tree.map(lambda a: a[parent], (past, branches.written, words, numbers, spoken.number))
        past, written, words, numbers, number = chosen
        written = jax.vmap(grammar.after)(written, word)
        words = words.at[:, at].set(word)
        numbers = numbers.at[:, at].set(number.astype(jnp.float32))
        return _Search(_Branch(past, word, written, score), words, numbers), None

    start = _Search(branches._replace(score=alone), words, numbers)
    found, _ = jax.lax.scan(step, start, jnp.arange(length))
    return Equations(found.words, found.branches.score, found.numbers)


def _only_padding(allowed: jax.Array) -> jax.Array:
    """Which branches have ended, so that nothing but padding may follow."""
    return allowed[:, 0] & (jnp.sum(allowed, axis=1) == 1)
