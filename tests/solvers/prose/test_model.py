"""Masks, independence, caches and sizes of the model."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.errors import OptionError
from solvers.prose.architecture import Architecture, medium, paper, small
from solvers.prose.loss import prefixes
from solvers.prose.model import blank, count, model
from solvers.prose.vocabulary import BEGIN


def one(batch):
    return jax.tree.map(lambda a: a[0], batch)


@eqx.filter_jit
def read_of(net, batch):
    return net.read(batch.observed, batch.guess)


@eqx.filter_jit
def answers(net, observed, guess, queries, words):
    read = net.read(observed, guess)
    spoken = net.equation(read.symbols, words)
    return net.solution(read.data, queries), spoken.scores, spoken.number


def test_padding_and_missing_values_never_change_an_answer(tiny):
    batch = one(tiny.batch(1))
    words = prefixes(batch.words, tiny.vocabulary.numbers[BEGIN])
    short = answers(tiny.model, batch.observed, batch.guess, batch.queries, words)
    o = batch.observed
    longer = o._replace(
        times=jnp.concatenate([o.times, jnp.full(5, 0.3, o.times.dtype)]),
        values=jnp.concatenate([jnp.where(o.present, o.values, 1e6), jnp.full((5, 3), -1e6, o.values.dtype)]),
        present=jnp.concatenate([o.present, jnp.zeros((5, 3), bool)]),
    )
    guess = jnp.concatenate([batch.guess, jnp.zeros(9, jnp.int32)])
    for a, b in zip(short, answers(tiny.model, longer, guess, batch.queries, words), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_the_order_of_observations_does_not_matter(tiny):
    batch = one(tiny.batch(2))
    words = prefixes(batch.words, tiny.vocabulary.numbers[BEGIN])
    turned = batch.observed._replace(**{n: getattr(batch.observed, n)[::-1] for n in ("times", "values", "present")})
    for a, b in zip(
        answers(tiny.model, batch.observed, batch.guess, batch.queries, words),
        answers(tiny.model, turned, batch.guess, batch.queries, words),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_queries_do_not_see_each_other(tiny):
    batch = one(tiny.batch(3))
    data = read_of(tiny.model, batch).data

    @jax.jit
    def each(queries):
        whole = tiny.model.solution(data, queries)
        alone = jnp.concatenate([tiny.model.solution(data, q[None]) for q in queries])
        return whole, alone, jax.jacobian(lambda q: tiny.model.solution(data, q))(queries)

    whole, alone, jacobian = each(batch.queries)
    np.testing.assert_allclose(whole, alone, atol=2e-5)
    others = jacobian * (1 - jnp.eye(batch.queries.size))[:, None, :]
    assert float(jnp.abs(jacobian).max()) > 0
    assert float(jnp.abs(others).max()) == 0


def test_words_do_not_see_later_words(tiny):
    batch = one(tiny.batch(4))
    words = prefixes(batch.words, tiny.vocabulary.numbers[BEGIN])
    changed = words.at[10:].set(7)
    a, b = (answers(tiny.model, batch.observed, batch.guess, batch.queries, w)[1] for w in (words, changed))
    np.testing.assert_allclose(a[:10], b[:10], atol=2e-5)
    assert float(jnp.abs(a[10:] - b[10:]).max()) > 1e-3


def test_word_by_word_with_a_cache_is_the_same_as_all_at_once(tiny):
    batch = one(tiny.batch(5))
    words = prefixes(batch.words, tiny.vocabulary.numbers[BEGIN])
    decoder = tiny.model.equation
    symbols = read_of(tiny.model, batch).symbols
    _, scores, numbers = answers(tiny.model, batch.observed, batch.guess, batch.queries, words)
    step = eqx.filter_jit(lambda decoder, word, at, past: decoder.step(word, at, past))
    past = decoder.start(symbols, 20)
    for at, word in enumerate(words[:12]):
        spoken, past = step(decoder, word, jnp.asarray(at), past)
        np.testing.assert_allclose(spoken.scores, scores[at], atol=3e-5)
        np.testing.assert_allclose(spoken.number, numbers[at], atol=3e-5)


def test_symbols_matter_and_so_do_data(tiny):
    batch = tiny.batch(6)
    first = one(batch)
    unlike = int(np.argmax((np.asarray(batch.guess) != np.asarray(first.guess)).any(axis=1)))
    second = jax.tree.map(lambda a: a[unlike], batch)
    assert unlike > 0
    one_, other, third = (
        read_of(tiny.model, b).data.values
        for b in (first, first._replace(guess=second.guess), first._replace(observed=second.observed))
    )
    assert float(jnp.abs(one_ - other).max()) > 1e-4
    assert float(jnp.abs(one_ - third).max()) > 1e-4


def test_two_to_one_and_one_to_one(tiny):
    batch = one(tiny.batch(7))
    whole = model(jax.random.key(0), tiny.size)
    half = model(jax.random.key(0), _changed(tiny.size, writes_symbols=False))
    data = model(jax.random.key(0), _changed(tiny.size, reads_symbols=False, writes_symbols=False))
    assert half.equation is None and data.fusion is None and data.symbols is None
    assert count(half) == count(whole) - count(whole.equation)
    assert count(data) == count(half) - count(whole.symbols) - count(whole.fusion)
    for net in (half, data):
        shape = eqx.filter_eval_shape(lambda n: n.solution(read_of(n, batch).data, batch.queries), net).shape
        assert shape == (6, 3)
    with pytest.raises(OptionError, match="2-to-2"):
        _changed(tiny.size, reads_symbols=False)


def _changed(size: Architecture, **changes) -> Architecture:
    from dataclasses import replace

    return replace(size, **changes)


PUBLISHED = {"embed": 265_216, "data": 6_305_792, "symbols": 13_159_424, "fusion": 25_221_120, "solution": 25_222_659,
             "equation": 34_183_216}  # fmt: skip
"""Weights of the parts of the published model for three unknowns and 1,072 words."""


def test_the_published_sizes():
    net = blank(paper())
    inputs = (3 + 1) * 512  # which of three values are present, and the scale, are inputs of the first layer too
    number = 512 * 2 + 2  # mean and width of a number are outputs of the symbol decoder too
    assert count(net.data.embed) == PUBLISHED["embed"] + inputs
    assert count([net.data.layers, net.data.norm]) == PUBLISHED["data"]
    assert count(net.symbols) == PUBLISHED["symbols"]
    assert count(net.fusion) == PUBLISHED["fusion"]
    assert count(net.solution) == PUBLISHED["solution"]
    assert count(net.equation) == PUBLISHED["equation"] + number
    assert count(net) == 104_357_427 + inputs + number
    assert count(blank(paper(words=1074, dimension=5))) == 104_361_527 + (5 + 1) * 512 + number


def test_the_small_sizes(tiny):
    words = len(tiny.vocabulary)
    assert 0.5e6 < count(blank(small(words))) < 0.7e6
    assert 2.2e6 < count(blank(medium(words))) < 2.5e6
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(eqx.filter(tiny.model, eqx.is_array)))


def test_impossible_sizes_are_refused():
    with pytest.raises(OptionError, match="multiple of the heads"):
        Architecture(100, width=30, heads=8)
