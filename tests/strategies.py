"""Random expressions over one small vocabulary, for properties that must hold for every tree.

`scalars(depth)`, `vectors(depth)`, `tensors(depth)`, `truths(depth)` nest at most `depth` operations; `expressions`
draws any rank, `equations` pairs two sides, `unsimplified` also draws trees that Python would have simplified.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sciml import (
    Coefficient,
    Cubic,
    D,
    ExpressionError,
    Field,
    Law,
    Parameter,
    TensorField,
    VectorField,
    at,
    coordinates,
    cos,
    curl,
    det,
    div,
    dot,
    erf,
    exp,
    grad,
    inner,
    integral,
    laplacian,
    log,
    matrix,
    maximum,
    minimum,
    normal,
    outer,
    pi,
    sign,
    sin,
    sqrt,
    tanh,
    trace,
    transpose,
    vector,
    where,
)
from sciml.expr.nodes import Constant, Expr
from sciml.expr.traverse import substitute

t, x, y = coordinates("t x y")
u, w = Field("u", t, x, y), Field("w", x, y)
v = VectorField("v", 2, t, x, y)
F = TensorField("F", (2, 2), t, x, y)
nu, k = Parameter("nu", 0.1, positive=True), Parameter("k", init=2.0, prior=(1.0, 0.5))
a = Coefficient(
    "a", x, y, values=np.arange(12.0).reshape(3, 4), points=(np.arange(3.0), np.arange(4.0)), interpolation=Cubic()
)
SYMBOLS = (u, w, v, F, nu, k, a, Law("D", u), Law("stress", grad(v), (2, 2)))

numbers = st.one_of(
    st.integers(-25, 25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-10, 10).map(lambda n: round(n, 2)),
)
leaves = st.one_of(st.sampled_from([t, x, y, u, w, nu, k, a, v[0], v[1], F[0, 1], pi]), numbers.map(Constant))

Strategy = st.SearchStrategy[Any]


def _built(make: Callable[..., Expr], *parts: Strategy) -> Strategy:
    """`make(*parts)`, or the first part where the numbers forbid the operation (1/0, 10**1000)."""

    def attempt(drawn: tuple[Any, ...]) -> Any:
        try:
            return make(*drawn)
        except ExpressionError:
            return drawn[0]

    return st.tuples(*parts).map(attempt)


@cache
def scalars(depth: int = 3) -> Strategy:
    """Random scalars."""
    if depth == 0:
        return leaves
    s, b, m = scalars(depth - 1), vectors(depth - 1), tensors(depth - 1)
    functions = [sin, cos, exp, log, sqrt, tanh, erf, abs, sign]
    return st.one_of(
        leaves,
        *(_built(make, s, s) for make in (_plus, _minus, _times, _over, minimum, maximum)),
        _built(lambda e: -e, s),
        _built(lambda e, n: e**n, s, st.one_of(st.integers(-3, 4), s)),
        st.builds(lambda f, e: f(e), st.sampled_from(functions), s),
        st.builds(lambda e, along: D(e, *along), s, st.lists(st.sampled_from([t, x, y]), min_size=1, max_size=3)),
        st.builds(where, truths(depth - 1), s, s),
        st.builds(lambda e: div(e, wrt=(x, y)), b),
        st.builds(lambda e: laplacian(e, wrt=(x, y)), s),
        st.builds(lambda e: curl(e, wrt=(x, y)), b),
        st.builds(dot, b, b),
        st.builds(inner, m, m),
        st.builds(trace, m),
        st.builds(det, m),
        st.builds(lambda e, i: e[i], b, st.integers(0, 1)),
        st.builds(lambda e, i, j: e[i, j], m, st.integers(0, 1), st.integers(0, 1)),
        st.builds(lambda e, place: at(u * e, x=place), s, st.floats(0, 1).map(lambda n: round(n, 2))),
        st.builds(lambda e: integral(e, x, y), s),
        st.builds(lambda e: Law("D", e), s),
    )


@cache
def vectors(depth: int = 3) -> Strategy:
    """Random vectors of length 2."""
    if depth == 0:
        return st.sampled_from([v, vector(u, w), vector(x, 2), normal(u)])
    s, b, m = scalars(depth - 1), vectors(depth - 1), tensors(depth - 1)
    return st.one_of(
        st.just(v),
        st.builds(vector, s, s),
        *(st.builds(make, b, b) for make in (_plus, _minus)),
        st.builds(_times, s, b),
        _built(_over, b, s),
        st.builds(lambda e: -e, b),
        st.builds(lambda e: grad(e, wrt=(x, y)), s),
        st.builds(lambda e: div(e, wrt=(x, y)), m),
        st.builds(lambda e, coordinate: D(e, coordinate), b, st.sampled_from([t, x, y])),
        st.builds(dot, m, b),
        st.builds(lambda e: curl(e, wrt=(x, y)), s),
        st.builds(where, truths(depth - 1), b, b),
    )


@cache
def tensors(depth: int = 3) -> Strategy:
    """Random 2×2 tensors."""
    if depth == 0:
        return st.sampled_from([F, matrix((u, 1), (w, x)), grad(v)])
    s, b, m = scalars(depth - 1), vectors(depth - 1), tensors(depth - 1)
    return st.one_of(
        st.just(F),
        st.builds(matrix, b, b),
        *(st.builds(make, m, m) for make in (_plus, _minus, dot)),
        st.builds(_times, s, m),
        st.builds(transpose, m),
        st.builds(lambda e: grad(e, wrt=(x, y)), b),
        st.builds(outer, b, b),
        st.builds(lambda e: Law("stress", grad(e, wrt=(x, y)), (2, 2)), b),
    )


@cache
def truths(depth: int = 1) -> Strategy:
    """Random comparisons."""
    s = scalars(depth)
    plain = st.one_of(st.builds(lambda p, q: p < q, s, s), st.builds(lambda p, q: p >= q, s, s))
    if depth == 0:
        return plain
    less = truths(depth - 1)
    joined = st.one_of(st.builds(lambda p, q: p & q, less, less), st.builds(lambda p, q: p | q, less, less))
    return st.one_of(plain, joined, less.map(lambda p: ~p))


def expressions(depth: int = 3) -> Strategy:
    """Random expressions of any rank."""
    return st.one_of(scalars(depth), vectors(depth), tensors(depth))


def equations(depth: int = 2) -> Strategy:
    """Random equations between scalars or vectors."""
    sides = [st.tuples(rank(depth), rank(depth)) for rank in (scalars, vectors)]
    return st.one_of(*sides).map(lambda pair: pair[0] == pair[1])


def unsimplified(depth: int = 3) -> Strategy:
    """Random expressions after substitution, which may leave `2 + 3`, `(p + q) + r` or `D(D(u, x), x)` in the tree."""
    exchanges = st.fixed_dictionaries(
        {}, optional={u: scalars(1), x: numbers.map(Constant), nu: scalars(0), v: vectors(1)}
    )
    return st.builds(substitute, expressions(depth), exchanges)


def damaged(document: Any) -> Strategy:
    """A JSON document with one thing in it replaced or removed."""
    return st.builds(_damage, st.just(document), st.sampled_from(list(_paths(document))), _JUNK, st.booleans())


_JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 30), st.text(max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([[], {}, [0], [1, 2], "add", "upper", "t", {"$": "array"}, {"$": "tuple", "items": [1]}]),
)  # fmt: skip


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every part of a JSON document is."""
    if path:
        yield path
    parts = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in parts:
        yield from _paths(document[key], (*path, key))


def _damage(document: Any, path: tuple[Any, ...], junk: Any, removes: bool) -> Any:
    whole = copy.deepcopy(document)
    parent = whole
    for key in path[:-1]:
        parent = parent[key]
    if removes:
        del parent[path[-1]]
    else:
        parent[path[-1]] = junk
    return whole


def _plus(p: Any, q: Any) -> Any:
    return p + q


def _minus(p: Any, q: Any) -> Any:
    return p - q


def _times(p: Any, q: Any) -> Any:
    return p * q


def _over(p: Any, q: Any) -> Any:
    return p / q
