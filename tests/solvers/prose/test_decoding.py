"""What is written under the grammar can always be read, whatever the weights."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers.prose.candidates import candidate, candidates
from solvers.prose.decoding import beam
from solvers.prose.grammar import Grammar
from solvers.prose.skeleton import parse_system
from solvers.prose.vocabulary import BEGIN, END, PAD, SEPARATOR


def write(tiny, decoder, seed: int, *, width: int, length: int, equations: int, constrained: bool = True):
    batch = jax.tree.map(lambda a: a[0], tiny.batch(seed))
    symbols = read_of(tiny.model, batch).symbols
    numbers = tiny.vocabulary.numbers
    marks, grammar = (numbers[BEGIN], numbers[END]), Grammar.of(tiny.vocabulary, equations)
    return _beam(decoder, symbols, grammar, jnp.asarray(equations), width, length, constrained, marks)


@eqx.filter_jit
def _beam(decoder, symbols, grammar, equations, width, length, constrained, marks):
    return beam(decoder, symbols, grammar, begin=marks[0], end=marks[1], equations=equations, length=length,
                width=width, constrained=constrained)  # fmt: skip


@eqx.filter_jit
def read_of(net, batch):
    return net.read(batch.observed, batch.guess)


def wild(decoder, seed: int):
    """The decoder with words that like operators: left alone it would never come to an end."""
    key = jax.random.key(seed)
    return eqx.tree_at(lambda d: d.bias, decoder, 20 * jax.random.normal(key, decoder.bias.shape, jnp.float32))


@pytest.mark.parametrize("seed", range(8))
def test_random_weights_write_systems_under_the_grammar(tiny, seed: int):
    decoder = wild(tiny.model.equation, seed)
    for equations in (1, 2, 3):
        found = write(tiny, decoder, seed, width=4, length=18, equations=equations)
        scores = np.asarray(found.score)
        assert np.all(np.diff(scores) <= 1e-5)
        for words in np.asarray(found.words)[scores > -1e6]:
            system = parse_system(tiny.vocabulary.text(words), equations)
            assert len(system) == equations
            spelled = [tiny.vocabulary.words[i] for i in words]
            assert spelled.count(SEPARATOR) == equations - 1
            assert set(spelled[spelled.index(END) + 1 :]) <= {PAD}


def test_the_tightest_length_leaves_one_word_for_each_equation(tiny):
    found = write(tiny, wild(tiny.model.equation, 3), 0, width=1, length=6, equations=3)
    words = [tiny.vocabulary.words[i] for i in np.asarray(found.words[0])]
    assert [words[1], words[3], words[5]] == [SEPARATOR, SEPARATOR, END]


def test_a_wider_search_finds_nothing_worse_and_greedy_is_a_search_of_one(tiny):
    decoder = wild(tiny.model.equation, 1)
    scores = [float(write(tiny, decoder, 1, width=w, length=18, equations=3).score[0]) for w in (1, 4)]
    assert scores[1] >= scores[0] - 1e-4
    one = write(tiny, decoder, 1, width=1, length=18, equations=3)
    batch = jax.tree.map(lambda a: a[0], tiny.batch(1))
    symbols = read_of(tiny.model, batch).symbols
    ids = np.asarray(one.words[0])
    said = jnp.concatenate([jnp.array([tiny.vocabulary.numbers[BEGIN]], jnp.int32), one.words[0][:-1]])
    logs = jax.nn.log_softmax(eqx.filter_jit(decoder)(symbols, said).scores, axis=-1)
    stop = tiny.vocabulary.text(ids)
    total = float(np.asarray(logs)[np.arange(len(stop) + 1), ids[: len(stop) + 1]].sum())
    np.testing.assert_allclose(one.score[0], total, rtol=1e-4)


def test_without_grammar_words_may_be_anything_and_are_told_apart(tiny):
    found = write(tiny, wild(tiny.model.equation, 2), 0, width=1, length=18, equations=3, constrained=False)
    numbers, scores = np.asarray(found.numbers), np.asarray(found.score)
    assert candidates(np.asarray(found.words), numbers, scores, tiny.vocabulary, 3) == []


def test_numbers_of_a_candidate_are_those_of_its_words(tiny):
    words = ["add", "mul", "-", "N160", "E-2", "u_0", "-10", "|", "mul", "+", "N280", "E-1", "u_1", "|", "u_2", END]
    numbers = np.zeros((20, 2))
    numbers[[2, 9], 0] = np.arcsinh(100 * np.array([-1.61, 27.9]))
    numbers[[2, 9], 1] = np.log(0.01)
    found = candidate(tiny.vocabulary.padded(words, 20), numbers, -1.0, tiny.vocabulary, 3)
    np.testing.assert_allclose(found.means, [-1.61, 27.9], rtol=1e-6)
    np.testing.assert_allclose(found.deviations, [0.0161, 0.279], rtol=1e-3)
    assert found.values == (-1.6, 28.0) and found.estimates().keys() == {"c_0", "c_1"}  # -10 is a word of its own
