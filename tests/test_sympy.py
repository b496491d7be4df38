"""SymPy and back: equal values, and the forms that a reader of SymPy expects."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from sciml import (
    D,
    ExpressionError,
    Field,
    Law,
    acos,
    at,
    atan,
    coordinates,
    cos,
    det,
    div,
    dot,
    erf,
    exp,
    grad,
    integral,
    laplacian,
    log,
    maximum,
    minimum,
    outer,
    pi,
    sign,
    sin,
    sqrt,
    tanh,
    where,
)
from sciml.expr.evaluation import evaluate
from sciml.expr.lowering import lower
from sciml.expr.traverse import atoms
from sciml.interop.sympy import from_sympy, to_sympy
from tests.strategies import SYMBOLS, F, a, k, nu, t, u, v, w, x, y

EXPRESSIONS = [
    u.dt + u * u.dx - 0.01 / pi * u.dxx,
    D(u**2 / 2, x) - nu * u.dxx,
    div(a * grad(u)) + k,
    laplacian(u) * u.dx / (1 + w**2),
    dot(grad(v), v)[0] - 3 * v[1].dxy,
    det(F) + F[0, 1],
    sin(2 * pi * x) * cos(y) - tanh(t) + exp(-(x**2) / nu),
    sqrt(1 + u**2) + abs(u - w) + sign(w) + erf(x) + log(2 + u**2),
    atan(u) + acos(x / 10) + 2**x + u**-2 + u**0.5 + 1 / 3,
    where(x < 0.5, u, where((y >= 0) & ~(u > w), 1, x)),
    minimum(u, w) + maximum(u, x) - (u - (w - 1)),
    1e-7 * u - 12345.678 * w,
    -(u + w) / (x * y) - -u,
]


@pytest.mark.parametrize("e", EXPRESSIONS, ids=repr)
def test_there_and_back_has_the_same_values(e) -> None:
    back = from_sympy(to_sympy(e), SYMBOLS)
    assert back.shape == e.shape
    (there,), (again,) = lower(e), lower(back)
    random = np.random.default_rng(0)
    values = {leaf: random.uniform(0.1, 1, 20) for leaf in sorted({*atoms(there), *atoms(again)}, key=repr)}
    np.testing.assert_allclose(evaluate(again, values), evaluate(there, values), rtol=1e-12)


def test_values_are_those_that_sympy_computes() -> None:
    e = sin(2 * pi * x) * exp(-y / nu) + where(x < y, x**3, sqrt(y))
    names = [sympy.Symbol("x", real=True), sympy.Symbol("y", real=True), sympy.Symbol("nu", real=True, positive=True)]
    theirs = sympy.lambdify(names, to_sympy(e))
    points = np.random.default_rng(1).uniform(0.1, 1, (3, 50))
    np.testing.assert_allclose(theirs(*points), evaluate(e, dict(zip((x, y, nu), points, strict=True))), rtol=1e-14)


def test_derivatives_agree_with_those_of_sympy() -> None:
    e = sin(x * y) * exp(-(x**2)) / (1 + y**2)
    theirs = to_sympy(e).diff(sympy.Symbol("x", real=True), 2)
    points = dict(zip((x, y), np.random.default_rng(2).uniform(-1, 1, (2, 50)), strict=True))
    np.testing.assert_allclose(
        evaluate(from_sympy(theirs, [x, y]), points), evaluate(lower(e.dxx)[0], points), rtol=1e-11
    )


def test_forms() -> None:
    ts, xs = sympy.symbols("t x", real=True)
    s, r = coordinates("t x")
    f = Field("f", s, r)
    fs = sympy.Function("f", real=True)(ts, xs)
    assert to_sympy(f.dtx) == sympy.Derivative(fs, ts, xs)
    assert to_sympy(D(f**2, r)) == sympy.Derivative(fs**2, xs, evaluate=False)
    assert to_sympy(f.dt == f.dxx) == sympy.Eq(fs.diff(ts), fs.diff(xs, 2))
    assert to_sympy(at(f, x=0)) == sympy.Subs(fs, xs, 0.0)
    assert to_sympy(integral(f, r)) == sympy.Integral(fs, xs)
    assert to_sympy(Law("D", f)) == sympy.Function("D")(fs)
    assert to_sympy(pi * 2) == 2 * sympy.pi
    assert from_sympy(sympy.Eq(fs.diff(ts), fs.diff(xs, 2)), [f]) == (f.dt == f.dxx)
    assert from_sympy(sympy.Subs(fs, xs, 0), [f]) == at(f, x=0)
    assert from_sympy(sympy.Integral(fs, xs), [f]) == integral(f, r)
    assert from_sympy(sympy.Function("D")(fs), [f, Law("D", f)]) == Law("D", f)
    assert from_sympy(sympy.Rational(1, 4), []).value == 0.25


def test_vectors_and_tensors_are_matrices() -> None:
    gradient = to_sympy(grad(u))
    assert gradient.shape == (2, 1)
    assert from_sympy(gradient, SYMBOLS) == (u.dx, u.dy)
    tensor = from_sympy(to_sympy(outer(v, v)), SYMBOLS)
    assert tensor.shape == (2, 2)
    assert lower(tensor)[0] == v[0] ** 2
    first, second = to_sympy(v.dt == grad(u))
    assert from_sympy(first, SYMBOLS) == (v[0].dt == u.dx)
    assert from_sympy(second, SYMBOLS) == (v[1].dt == u.dy)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sympy.Symbol("q"), "symbol 'q'"),
        (sympy.Function("q")(sympy.Symbol("x")), "function 'q'"),
        (sympy.Function("u")(sympy.Symbol("x")), r"of \(t, x, y\)"),
        (sympy.gamma(sympy.Symbol("x")), "gamma"),
        (sympy.oo, "finite"),
        (sympy.I, "ImaginaryUnit"),
        (sympy.Piecewise((1, sympy.Symbol("x") < 0)), "otherwise"),
        (sympy.Subs(sympy.Function("u")(*sympy.symbols("t x y")), sympy.Symbol("x"), sympy.Symbol("y")), "place"),
    ],
    ids=str,
)
def test_what_the_language_lacks_is_refused(expression, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        from_sympy(expression, SYMBOLS)


def test_laws_of_vectors_are_refused() -> None:
    with pytest.raises(ExpressionError, match="laws of scalars"):
        to_sympy(Law("stress", grad(v), (2, 2)))
