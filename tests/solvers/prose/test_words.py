"""Words of systems: what is written can be read, however it was spelled; every guess that is wrong can be read too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pde_zoo.families import FAMILIES
from sciml import cos, sin
from sciml.errors import ParseError, UnsupportedProblemError
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Constant
from sciml.expr.tokens import number_words
from solvers.prose.canonical import addends, canonical, folded, system_of, unknowns
from solvers.prose.corruption import additions, deletions
from solvers.prose.examples import vocabulary_of
from solvers.prose.skeleton import SMALLEST, Skeleton, number_codes, parse_system
from solvers.prose.vocabulary import END, PAD, PLACEHOLDER

VOCABULARY = vocabulary_of(3)
U = unknowns(3)
THREE = {name: family for name, family in FAMILIES.items() if len(family.unknowns) == 3}

numbers = st.one_of(st.integers(-9, 9), st.integers(-999, 999).map(lambda n: n / 100)).map(Constant)
leaves: Any = st.one_of(st.sampled_from(U), numbers)
sides = st.recursive(
    leaves,
    lambda e: st.one_of(
        st.builds(lambda a, b: a + b, e, e),
        st.builds(lambda a, b: a - b, e, e),
        st.builds(lambda a, b: a * b, e, e),
        st.builds(lambda a: -a, e),
        st.builds(lambda a, n: a**n, e, st.integers(2, 3)),
        st.builds(lambda a, f: f(a), e, st.sampled_from([sin, cos])),
        st.builds(lambda a, n: a / n, e, st.integers(1, 9)),
    ),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    return tuple(x.digest for x in a) == tuple(x.digest for x in b)


def values(e: Any) -> np.ndarray:
    points = np.random.default_rng(0).uniform(0.5, 1.5, (3, 5))
    return np.broadcast_to(evaluate(e, dict(zip(U, points, strict=True))), 5)


@settings(max_examples=40)
@given(st.tuples(sides, sides, sides))
def test_the_canonical_form_is_the_same_function_and_canonical(system):
    for side in system:
        form = canonical(side)
        np.testing.assert_allclose(values(form), values(side), rtol=1e-7, atol=1e-7 * (1 + np.abs(values(side)).max()))
        assert same([canonical(form)], [form])


@settings(max_examples=40)
@given(sides, sides)
def test_order_and_brackets_do_not_matter(a, b):
    assert same([canonical(a + b)], [canonical(b + a)])
    assert same([canonical(U[0] * (a - b))], [canonical(-(U[0] * b) + a * U[0])])


@settings(max_examples=40)
@given(st.tuples(sides, sides, sides))
def test_skeletons_round_trip(system):
    skeleton = Skeleton.of(tuple(canonical(side) for side in system))
    assert same(parse_system(skeleton.words, 3), skeleton.system)
    ids = VOCABULARY.padded([*skeleton.words, END], 400)
    assert VOCABULARY.text(ids) == skeleton.words
    again = Skeleton.of(parse_system(skeleton.words, 3))
    assert again.words == skeleton.words


@settings(max_examples=40)
@given(st.tuples(sides, sides, sides))
def test_numbered_words_round_trip_to_three_digits(system):
    skeleton = Skeleton.of(tuple(canonical(side) for side in system))
    found = skeleton.values({})
    if max((abs(v) for v in found), default=0) < 1e12:
        read = parse_system(skeleton.written(found), 3)
        back = Skeleton.of(read)
        assert back.words == skeleton.words
        for ours, theirs in zip(back.values({}), found, strict=True):
            assert abs(ours - theirs) <= max(0.0051 * abs(theirs), SMALLEST)


@settings(max_examples=40)
@given(st.lists(st.floats(-9e12, 9e12), min_size=1))
def test_many_numbers_have_the_words_of_single_ones(drawn):
    for codes, value in zip(number_codes(np.array(drawn), VOCABULARY.numbers), drawn, strict=True):
        words = [VOCABULARY.words[i] for i in codes]
        assert words == number_words(float(value) if abs(value) >= SMALLEST else 0.0)
        read = float(f"{words[0]}{words[1][1:]}e{words[2][1:]}")
        assert abs(read - value) <= 0.0051 * abs(value) + SMALLEST


@pytest.mark.parametrize(("value", "words"), [(9.996, ["+", "N100", "E-1"]), (0.0, ["+", "N000", "E-2"]),
                                              (-2.6, ["-", "N260", "E-2"]), (28.0, ["+", "N280", "E-1"])])  # fmt: skip
def test_numbers_as_published(value: float, words: list[str]):
    (codes,) = number_codes(np.array([value]), VOCABULARY.numbers)
    assert [VOCABULARY.words[i] for i in codes] == words


@pytest.mark.parametrize("name", THREE)
def test_every_wrong_guess_can_be_read_and_is_wrong(name: str):
    system = system_of(THREE[name].template)
    fewer, more = list(deletions(system)), list(additions(system))
    terms = [len(addends(side)) for side in system]
    assert len(fewer) == sum(n for n in terms if n > 1)
    assert len(more) >= 3 * 10 - sum(terms)
    right = Skeleton.of(system)
    for guess in (*fewer, *more):
        words = Skeleton.of(guess).words
        assert words != right.words
        assert same(parse_system(words, 3), Skeleton.of(guess).system)
        assert same([canonical(side) for side in guess], guess)
        VOCABULARY.padded(words, 56)
    assert {sum(len(addends(s)) for s in g) for g in fewer} == {sum(terms) - 1}
    assert {sum(len(addends(s)) for s in g) for g in more} == {sum(terms) + 1}


def test_deleting_and_adding_by_hand():
    system = (canonical(-U[0] * U[1] + 2.5 * U[2]), canonical(U[0]), canonical(U[1]))
    assert same(next(deletions(system))[:1], [canonical(-U[0] * U[1])])
    assert len(list(deletions(system))) == 2  # an equation keeps its only term
    first = next(additions(system))
    assert Skeleton.of(first).words[:4] == ["add", "add", PLACEHOLDER, "mul"]


def test_padding_is_one_word_and_number_zero():
    assert VOCABULARY.numbers[PAD] == 0
    assert len(set(VOCABULARY.words)) == len(VOCABULARY)
    assert VOCABULARY.padded(["u_0"], 3).tolist()[1:] == [0, 0]


def test_what_the_model_cannot_say_is_refused():
    with pytest.raises(UnsupportedProblemError, match="length that the model was trained for"):
        VOCABULARY.padded(["u_0"] * 5, 4)
    with pytest.raises(UnsupportedProblemError, match=r"the words u_7 .*was trained with"):
        VOCABULARY.ids(["u_7"])
    with pytest.raises(UnsupportedProblemError, match="other units"):
        Skeleton.of((1e13 * U[0],)).written([1e13])
    with pytest.raises(ParseError, match="words of 2 equations"):
        parse_system(["u_0", "|", "u_1"], 3)


def test_a_written_tower_of_powers_ends():
    (tower,) = parse_system(["pow"] * 6 + ["20"] * 7, 1)
    assert not np.isfinite(folded(tower, {}))
    (words,) = parse_system(["mul", "u_0", "pow2", "3"], 1)
    assert Skeleton.of((words,)).values({}) == [9.0]
