"""Splitting, linearisation, additive terms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import Field, Parameter, coordinates, div, dot, exp, grad, integral, laplacian, sin, vector
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import directional, linearise, partial, split, terms
from sciml.expr.lowering import lower
from sciml.expr.traverse import atoms

t, x, y = coordinates("t x y")
u, w = Field("u", t, x, y), Field("w", t, x, y)
a = Parameter("a", 2.0)
RNG = np.random.default_rng(0)


def numbers(*es):
    return {n: RNG.normal() for n in atoms(*es)}


LINEAR = [
    (u.dt - a * laplacian(u) + sin(x) * u.dx, 4),
    ((1 + x) * (u.dxx - 3 * u) / (2 + y), 2),
    (div((x + y) * grad(u)), 4),
    (-(u - w) * a + u / a, 2),
]


@pytest.mark.parametrize(("e", "count"), LINEAR)
def test_linear_expressions_have_no_rest(e, count):
    parts = split(e)
    assert parts.is_linear
    assert len(parts.linear) == count


def test_products_of_sums_are_separated():
    parts = split((1 + u) * u.dx)
    assert {repr(k): repr(c) for k, c in parts.linear.items()} == {"D(u, x)": "1"}
    assert repr(parts.nonlinear) == "u*D(u, x)"
    parts = split((1 + u) ** 2)
    assert {repr(k): repr(c) for k, c in parts.linear.items()} == {"u": "2"}
    assert repr(parts.source) == "1"


def polynomials():
    leaves = st.sampled_from([u, w, u.dx, w.dxx, x, a, sin(x)])
    joined = lambda p, q, k: p + q if k == 0 else p * q if k == 1 else p - q  # noqa: E731
    return st.recursive(
        leaves, lambda inner: st.builds(joined, inner, inner, st.integers(0, 2)) | inner.map(lambda e: -e), max_leaves=8
    )


@settings(max_examples=80)
@given(polynomials())
def test_split_resums(e):
    parts = split(e)
    values = numbers(*lower(e))
    total = evaluate(lower(parts.resum())[0], values)
    np.testing.assert_allclose(total, evaluate(lower(e)[0], values), rtol=1e-12, atol=1e-12)
    fresh = [n for c in [*parts.linear.values(), parts.source] for n in atoms(c) if n in (u, w, u.dx, w.dxx)]
    assert not fresh, "coefficients and source are free of unknowns"


@settings(max_examples=60)
@given(polynomials())
def test_the_linear_part_is_linear(e):
    """Doubling the fields doubles the linear part, and the nonlinear rest has no linear term of its own."""
    parts = split(e)
    values = numbers(*lower(e))
    small = {n: (1e-6 * v if n in (u, w, u.dx, w.dxx) else v) for n, v in values.items()}
    rest = evaluate(parts.nonlinear, small) if atoms(parts.nonlinear) else float(evaluate(parts.nonlinear, {}))
    assert abs(rest) < 1e-9


@settings(max_examples=60)
@given(polynomials())
def test_linearise_is_the_derivative(e):
    (e,) = lower(e * e + exp(0.1 * e))
    values = numbers(e)
    for atom, slope in linearise(e).items():
        h = 1e-6 * (1 + abs(values[atom]))
        up, down = (evaluate(e, {**values, atom: values[atom] + s * h}) for s in (1, -1))
        np.testing.assert_allclose(evaluate(slope, values), (up - down) / (2 * h), rtol=2e-4, atol=2e-4 * (1 + abs(up)))


def test_partial_gives_the_sensitivity_to_a_parameter():
    (e,) = lower(u.dt - a**2 * u.dxx)
    assert repr(partial(e, a)) == "-(2*a*D(u, x, x))"


def test_directional_reaches_into_integrals():
    e = directional(integral(u * u, x), lambda atom: w)
    assert repr(e) == "integral((u + u)*w, x)"
    assert split(integral(u, x)).is_linear
    assert not split(integral(u * u, x)).is_linear


def test_terms_open_sums_of_any_rank_and_keep_operators():
    e = a * (grad(u) + vector(w, 0)) - (grad(w) - vector(0, u))
    assert [repr(p) for p in terms(e)] == ["a*grad(u)", "a*(w, 0)", "-grad(w)", "(0, u)"]
    values = numbers(*lower(e))
    total = sum(np.array(evaluate(lower(p), values), float) for p in terms(e))
    np.testing.assert_allclose(total, np.array(evaluate(lower(e), values), float), rtol=1e-13)
    assert repr(terms(div(x * grad(u)) + dot(grad(u), grad(w)))[0]) == "div(x*grad(u))"
