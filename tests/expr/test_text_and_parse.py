"""Text reads back into the same tree, and nothing but `ParseError` ever comes out of `parse`."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sciml import (
    Box,
    D,
    Equation,
    ExpressionError,
    Field,
    Law,
    Parameter,
    ParseError,
    Problem,
    VectorField,
    at,
    coordinates,
    curl,
    div,
    dot,
    grad,
    integral,
    laplacian,
    normal_derivative,
    pi,
    sin,
    vector,
    where,
)
from sciml.expr.build import apply
from sciml.expr.functions import add
from sciml.expr.lowering import lower
from sciml.expr.nodes import Constant, node
from sciml.expr.operations import Op
from sciml.expr.parsing import MAX_DEPTH, parse
from sciml.expr.scanner import Kind, scan
from sciml.expr.text import text
from tests.strategies import SYMBOLS, F, a, equations, expressions, k, nu, t, truths, u, unsimplified, v, w, x, y

stress = Law("stress", grad(v), (2, 2))


@given(expressions())
@settings(max_examples=600)
def test_text_of_what_python_builds_reads_back_exactly(e) -> None:
    back = parse(text(e), SYMBOLS)
    assert back.digest == e.digest, text(e)


@given(unsimplified())
@settings(max_examples=400)
def test_text_of_unsimplified_trees_reads_back_exactly(e) -> None:
    assert parse(text(e), SYMBOLS).digest == e.digest, text(e)


@given(st.one_of(equations(), truths(2)))
@settings(max_examples=100)
def test_equations_and_comparisons_read_back_exactly(e) -> None:
    back = parse(repr(e), SYMBOLS)
    assert type(back) is type(e)
    assert back.digest == e.digest


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1.7976931348623157e308)
@example(-0.0)
def test_numbers_are_exact(number: float) -> None:
    assert parse(text(Constant(number)), []).value == number


@pytest.mark.parametrize(
    "e",
    [
        node(Op.NEGATIVE, (Constant(2),), (), ()),
        node(Op.NEGATIVE, (Constant(-2),), (), ()),
        node(Op.DIVIDE, (Constant(1), Constant(3)), (), ()) * u,
        node(Op.DIVIDE, (Constant(1), Constant(0)), (), ()),
        node(Op.POWER, (Constant(-1), Constant(2)), (), ()),
        Constant(-1) ** 0.5,
        node(Op.ADD, (node(Op.ADD, (u, w), (), ()), x), (), ()),
        add(1, 2, u),
        add(u, 1, 2),
        node(Op.DERIVATIVE, (D(u, x),), (x,), ()),
        node(Op.COMPONENT, (vector(u, w),), (1,), ()),
        -pi,
        2 ** (-u) ** 2,
        (-u) ** 2 / -w,
        u - (w - x) - (u + w),
        u / (w / x) / (u * w),
        vector(vector(u, w)[0]),
        lower(div(stress))[0],
        Law("sin", (u, grad(v)), (3,)),
        Law("where", vector(u, w)),
        lower(D(Law("jet", u), x))[0],
        D(nu, x),
        grad(nu, wrt=(x,)),
    ],
)
def test_awkward_trees_read_back_exactly(e) -> None:
    assert parse(text(e), [*SYMBOLS, Law("jet", u)]).digest == e.digest, text(e)


SPELLINGS = [
    ("u.dt + u*u.dx == 0.01/pi*u.dxx", u.dt + u * u.dx == 0.01 / pi * u.dxx),
    ("D(D(u, x), x)", u.dxx),
    ("u.dxx.dt", u.dt.dxx),
    ("1/2*u", 0.5 * u),
    ("2**3*u", 8 * u),
    ("-2**2", Constant(-4)),
    ("2**-1", Constant(0.5)),
    ("(u + w) + x", u + w + x),
    ("u + (w + x)", u + (w + x)),
    (" +u ", u),
    ("1e-3*u - .5", 1e-3 * u - 0.5),
    ("grad(u, wrt=(x,))", grad(u, wrt=(x,))),
    ("div(nu*grad(u))", div(nu * grad(u))),
    ("curl(v) + laplacian(u)", curl(v) + laplacian(u)),
    ("F.T @ v", dot(F.T, v)),
    ("F[0, 1] + v[-1]", F[0, 1] + v[1]),
    ("v == (0, 1)", v == (0, 1)),
    ("v.dt == 0", v.dt == 0),
    ("where((x < 0.5) & ~(y >= 1), u, 0)", where((x < 0.5) & ~(y >= 1), u, 0)),
    ("at(u, y=1, x=0) == at(u, x=0, y=1)", at(u, x=0, y=1) == at(u, x=0, y=1)),
    ("integral(u, x) == 0", integral(u, x) == 0),
    ("integral(u)", integral(u)),
    ("normal_derivative(u) == dot(grad(u), normal)", normal_derivative(u) == normal_derivative(u)),
    ("stress(grad(v))[0, 1]", stress[0, 1]),
    ('Law("flux", (u, grad(u)), (2,))', Law("flux", (u, grad(u)), (2,))),
    ('Law("D", u)', Law("D", u)),
    ("abs(sin(pi*x))", abs(sin(pi * x))),
    ("a*k + w", a * k + w),
    ("vector(u, w)[1]", w),
    ("add(u, w, 1)", add(u, w, 1)),
]


@pytest.mark.parametrize(("spelling", "meant"), SPELLINGS, ids=[s for s, _ in SPELLINGS])
def test_python_spelling_gives_what_python_builds(spelling: str, meant) -> None:
    back = parse(spelling, SYMBOLS)
    assert back.digest == meant.digest, repr(back)


def test_problems_and_dictionaries_are_symbol_tables() -> None:
    domain = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, periodic=(x, y))
    problem = Problem(u.dt == nu * laplacian(u), domain, [(u == sin(x)).on(domain.at(t=0))])
    assert parse("u.dt == nu*laplacian(u)", problem) == problem.equations[0]
    assert parse("c*f.dx", {"c": nu, "f": u}).digest == (nu * u.dx).digest
    assert parse("x*u", [u]).digest == (x * u).digest
    assert parse("P(grad(v))", {"P": stress, "v": v}).digest == stress.digest


WRONG = [
    ("", "end"),
    ("u +", "end of the text at position 3"),
    ("u u", "`u` at position 2"),
    ("(u", "`)`"),
    ("u)", "operator or the end"),
    ("q + 1", "one of"),
    ("u(t, x)", "without its arguments"),
    ("f(u)", "a function of the language or a law"),
    ("u == 1 == 2", "two sides"),
    ("0 < x < 1", "one comparison"),
    ("x < 1 == 2", "comparison as a side"),
    ("u + (x < 1)", "numbers there"),
    ("u.shape", "derivative"),
    ("u.__class__", "character '_'"),
    ("u.dq", "letters that spell"),
    ("v.T", "derivative"),
    ("v[2]", "integer from 0 to 1"),
    ("v[0, 1]", "indices"),
    ("u[]", "indices"),
    ("v + 1", "operands of one shape"),
    ("v*v", "scalar factor"),
    ("1/0", "not zero"),
    ("9**9**9", "overflow"),
    ("1e999", "finite"),
    ("9" * 500, "finite"),
    ("D(u)", "directions"),
    ("D(u, u)", "directions"),
    ("sin(u, w)", "2 arguments"),
    ("sin(x=1)", "arguments of sin"),
    ("at(u)", "without a place"),
    ("at(u, q=0)", "one of"),
    ("at(u, x=x)", "number"),
    ("grad(u, wrt=x)", "tuple"),
    ("grad(u, wrt=(u,))", "coordinates"),
    ("where(u, 1, 2)", "numbers there"),
    ("stress(u)", "shapes"),
    ("jet(stress, 7, (u, u, u, u))", "component 7"),
    ("jet(stress, 0, (u,))", "component 0"),
    ("u; w", "character ';'"),
    ("u = w", "operator or the end"),
    ("u != w", "character '!'"),
    ("__import__('os')", "character"),
    ("lambda: 0", "character ':'"),
    ("(" * 1000 + "u" + ")" * 1000, "nesting"),
    ("-" * 1000 + "u", "nesting"),
    ("u**" * 1000 + "u", "nesting"),
    ("sin(" * 1000, "nesting"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[s[:20] for s, _ in WRONG])
def test_wrong_text_is_refused_with_a_sentence(wrong: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(wrong, SYMBOLS)
    assert message in str(caught.value)
    assert caught.value.needed


@pytest.mark.parametrize("wrong", [None, 3, u, b"u"])
def test_what_is_no_text_is_refused(wrong) -> None:
    with pytest.raises(ParseError):
        parse(wrong, SYMBOLS)


def test_what_is_no_symbol_table_is_refused() -> None:
    other = Field("u", *coordinates("t x"))
    for symbols in (None, "u", 3, [None], {"u": 1}, [u, Parameter("u")], [u, other]):
        with pytest.raises(ParseError):
            parse("1", symbols)  # type: ignore[arg-type]


def is_read_or_refused(text_: str) -> bool:
    """Whether a text ends in a ParseError, or in an expression that is read back from its own text."""
    try:
        result = parse(text_, SYMBOLS)
    except ParseError:
        return True
    return bool(parse(repr(result), [*SYMBOLS, result]) == result)


@given(st.text())
@settings(max_examples=300)
def test_arbitrary_text_is_read_or_refused(text_: str) -> None:
    assert is_read_or_refused(text_)


WORDS = sorted(
    {m.text for s, _ in SPELLINGS for m in scan(s) if m.kind is not Kind.END}
    | {"jet", "Law", "normal", "**", "|", "~", "1e400", "0", "((", "))", "D", "curl", "cross", "det", "outer", "max"}
)


@given(st.lists(st.sampled_from(WORDS), max_size=12))
@settings(max_examples=1000)
def test_arbitrary_marks_are_read_or_refused(words: list[str]) -> None:
    assert is_read_or_refused(" ".join(words))


@given(expressions(2), st.data())
@settings(max_examples=200)
def test_damaged_text_is_read_or_refused(e, data) -> None:
    whole = text(e)
    cut = data.draw(st.integers(0, len(whole)))
    width = data.draw(st.integers(0, 3))
    put = data.draw(st.sampled_from(["", "(", ")", ",", "*", "0", "u"]))
    assert is_read_or_refused(whole[:cut] + put + whole[cut + width :])


def test_long_sums_are_read_in_linear_time() -> None:
    e = parse(" + ".join(["u"] * 5000), [u])
    assert len(e.args) == 5000
    assert e.digest == add(*[u] * 5000).digest


def test_enormous_texts_are_not_written_into_messages() -> None:
    tower = u
    for _ in range(1500):
        tower = tower * tower
    assert len(repr(tower)) < 60
    with pytest.raises(ExpressionError, match="operations>"):
        where(tower, 1, 2)


def test_reasonable_nesting_is_read() -> None:
    depth = MAX_DEPTH - 2
    assert parse("(" * depth + "u" + ")" * depth, [u]) == u


def test_names_of_the_language_are_refused_for_leaves() -> None:
    for name in ("pi", "normal"):
        with pytest.raises(ExpressionError, match=name):
            Parameter(name)


def test_integers_too_large_for_a_float_are_refused() -> None:
    for make in (lambda: 10**400 * u, lambda: Constant(9) ** Constant(10**9), lambda: apply(Op.POWER, 10, 400)):
        with pytest.raises(ExpressionError):
            make()
    assert apply(Op.POWER, 2, 100).value == 2**100
    assert math.isclose(apply(Op.POWER, 2, -2).value, 0.25)


def test_vector_fields_of_another_frame_are_refused_in_text() -> None:
    (z,) = coordinates("z")
    other = VectorField("b", 1, z)
    with pytest.raises(ParseError, match="frames"):
        parse("b[0]", [u, other])


def test_an_equation_is_an_equation() -> None:
    assert isinstance(parse("u == 0", [u]), Equation)
