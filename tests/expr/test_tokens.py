"""Prefix words: idempotent for all trees, exact for numbers of three digits, refused with a sentence otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import D, Law, Parameter, ParseError, VectorField, at, coordinates, grad, integral, pi, sin, vector
from sciml.expr.lowering import lower
from sciml.expr.nodes import Constant
from sciml.expr.tokens import from_tokens, number_words, tokens
from sciml.expr.traverse import postorder, substitute
from tests.strategies import SYMBOLS, expressions, nu, t, truths, u, unsimplified, v, w, x, y


def three_digits(e):
    """The same tree with every number rounded to three digits."""
    numbers = [n for n in postorder(e) if isinstance(n, Constant) and n.name is None]
    return substitute(e, {n: Constant(float(f"{n.value:.2e}") if abs(n.value) < 1e300 else 1e300) for n in numbers})


@given(st.one_of(expressions(), truths(2), unsimplified()))
@settings(max_examples=500)
def test_reading_the_words_back_is_idempotent(e) -> None:
    words = tokens(e)
    once = from_tokens(words, SYMBOLS)
    assert once.shape == e.shape
    again = from_tokens(tokens(once), SYMBOLS)
    assert again.digest == once.digest, words


@given(st.one_of(expressions(), truths(2)).map(three_digits))
@settings(max_examples=300)
def test_three_digits_are_exact(e) -> None:
    assert from_tokens(" ".join(tokens(e)), SYMBOLS).digest == e.digest


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_three_digits(number: float) -> None:
    value = from_tokens(number_words(Constant(number).value), []).value
    assert value == pytest.approx(number, rel=6e-3, abs=5e-324)


def test_numbers_are_those_of_prose() -> None:
    assert number_words(2.6) == ["+", "N260", "E-2"]
    assert number_words(-0.01) == ["-", "N100", "E-4"]
    assert number_words(1234) == ["+", "N123", "E1"]
    assert number_words(-7) == ["-7"]
    assert from_tokens("+ N260 E-2", []).value == 2.6
    assert from_tokens("+ N000 E0", []).value == 0


WORDS = [
    (u.dt + u * u.dx - 0.01 / pi * u.dxx, "sub add dt u mul u dx u mul div + N100 E-4 pi dx dx u"),
    (u.dxx.dt, "dt dx dx u"),
    (D(u * w, x), "dx mul u w"),
    (1 / u - u**2 + u**3 - u**nu, "sub add sub inv u pow2 u pow3 u pow u nu"),
    (-sin(2 * x) + y + t, "add add neg sin mul 2 x y t"),
    (v[1], "[1] v"),
    (grad(u), "grad u"),
    (grad(u, wrt=(x,)), "grad[x] u"),
    (vector(u, 1), "vector2 u 1"),
    (at(u, x=0, y=0.25), "at[x,y] 0 + N250 E-3 u"),
    (integral(u, x), "integral[x] u"),
    (Law("D", u), "law:D u"),
    (lower(D(Law("D", u), x))[0], "jet:D[0,1] u dx u"),
]


@pytest.mark.parametrize(("e", "words"), WORDS, ids=[words for _, words in WORDS])
def test_words_and_back(e, words: str) -> None:
    assert " ".join(tokens(e)) == words
    assert from_tokens(words, SYMBOLS).digest == e.digest


def test_names_that_are_operators_are_marked() -> None:
    (s,) = coordinates("s")
    symbols = [Parameter(name) for name in ("sin", "ds", "inv", "add", "vector2", "N123", "E4")]
    field = VectorField("dot", 2, s)
    for leaf in symbols:
        e = leaf * field[0].ds
        assert from_tokens(tokens(e), [field, *symbols]).digest == e.digest
    assert tokens(symbols[0]) == ["name:sin"]


def test_deep_and_wide_trees_do_not_exhaust_the_stack() -> None:
    deep = u
    for _ in range(1500):
        deep = sin(deep)
    wide = sum([u] * 2000)
    for e in (deep, wide):
        assert from_tokens(tokens(e), [u]).digest == e.digest


WRONG = [
    ("", "0 expressions"),
    ("u w", "2 expressions"),
    ("add u", "word 0 `add`"),
    ("mul grad u grad u", "scalar factor"),
    ("q", "word 0 `q`"),
    ("sin lt u w", "word 0 `sin`"),
    ("dq u", "word 0 `dq`"),
    ("dx lt u w", "comparison"),
    ("law:q u", "law 'q'"),
    ("law:stress u", "other shapes"),
    ("jet:stress[9,0] u u u u", "jet of 'stress'"),
    ("jet:stress[0,99999] u", "jet of 'stress'"),
    ("jet:stress[0] u", "component and an order"),
    ("[2] v", "attributes"),
    ("[0,1] v", "attributes"),
    ("[x] v", "indices"),
    ("at[x] u u", "number"),
    ("at[q] 0 u", "coordinates"),
    ("at[u] 0 u", "coordinates"),
    ("sin[x] u", "brackets"),
    ("vector3 u u", "operands"),
    ("vector2 u v", "rows of one length"),
    ("where u u u", "comparisons in where"),
    ("+ N100", "without a meaning"),
    ("+ N999 E999", "finite"),
    ("99999999999", "without a meaning"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[w_ for w_, _ in WRONG])
def test_wrong_words_are_refused_with_a_sentence(words: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        from_tokens(words, SYMBOLS)
    assert message in str(caught.value)


@pytest.mark.parametrize("words", [None, 3, [None], [u]])
def test_what_are_no_words_is_refused(words) -> None:
    with pytest.raises(ParseError):
        from_tokens(words, SYMBOLS)


ALL_WORDS = sorted(
    {word for _, words in WORDS for word in words.split()} | {word for words, _ in WRONG for word in words.split()}
)


@given(st.lists(st.one_of(st.sampled_from(ALL_WORDS), st.text(max_size=4)), max_size=12))
@settings(max_examples=1000)
def test_arbitrary_words_are_read_or_refused(words: list[str]) -> None:
    try:
        e = from_tokens(words, SYMBOLS)
    except ParseError:
        return
    assert from_tokens(tokens(e), SYMBOLS).digest == e.digest
