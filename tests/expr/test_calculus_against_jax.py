"""The one claim everything rests on: values of lowered expressions are the derivatives that JAX computes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import (
    Coefficient,
    Cubic,
    D,
    Field,
    Law,
    Linear,
    LoweringError,
    Parameter,
    TensorField,
    VectorField,
    at,
    coordinates,
    cos,
    cross,
    curl,
    det,
    div,
    dot,
    exp,
    grad,
    inner,
    integral,
    laplacian,
    log,
    maximum,
    outer,
    pi,
    sin,
    sqrt,
    tanh,
    trace,
    transpose,
    where,
)
from sciml.expr.evaluation import evaluate, evaluate_written
from sciml.expr.lowering import lower
from sciml.expr.traverse import atoms, laws, multi_index, scalar_leaf
from sciml.known import Arguments, known_values

t, x, y, z = coordinates("t x y z")
u, w = Field("u", t, x, y, z), Field("w", t, x, y, z)
v = VectorField("v", 3, t, x, y, z)
a = Parameter("a", 0.7)

EXACT = {
    "u": lambda t, x, y, z: jnp.sin(t + 2 * x - y) * jnp.cos(z) + 2,
    "w": lambda t, x, y, z: jnp.exp(0.3 * x * y) + t * z**2,
    "v[0]": lambda t, x, y, z: x * y + jnp.sin(z + t),
    "v[1]": lambda t, x, y, z: jnp.cos(x) * z + y**2,
    "v[2]": lambda t, x, y, z: jnp.tanh(y * z) + t * x,
}
POINT = {"t": 0.3, "x": 0.5, "y": -0.4, "z": 0.8}
ARGUMENTS = Arguments({"a": jnp.asarray(0.7)}, {}, {})


def nested(f, index):
    """Partial derivative of f(t, x, y, z) along the named coordinates."""
    for name in index:
        f = jax.grad(f, argnums=["t", "x", "y", "z"].index(name))
    return f


def value(lowered, functions=EXACT, laws_by_symbol=None, arguments=ARGUMENTS, point=POINT):
    """Evaluate lowered scalars with jets of known functions."""
    needed = atoms(*lowered)
    values = known_values(needed, {n: jnp.asarray(p) for n, p in point.items()}, arguments)
    for atom in needed:
        leaf = scalar_leaf(atom)
        if leaf is not None:
            f = nested(functions[repr(leaf)], [c.name for c in multi_index(atom)])
            values[atom] = f(*(jnp.asarray(p) for p in point.values()))
    return np.array([float(e) for e in evaluate(lowered, values, laws_by_symbol)])


def field(name):
    return lambda *p: EXACT[name](*p)


V = [field("v[0]"), field("v[1]"), field("v[2]")]


def jvec(*p):
    return jnp.stack([f(*p) for f in V])


def d(f, name):
    return jax.jacfwd(f, argnums=["t", "x", "y", "z"].index(name))


P = tuple(jnp.asarray(p) for p in POINT.values())
U, W = EXACT["u"], EXACT["w"]


def gradient(f):
    return lambda *p: jnp.stack([d(f, n)(*p) for n in "xyz"], axis=-1)


def dyad_divergence(i):
    return sum(d(lambda *p, j=j: V[i](*p) * V[j](*p), n)(*P) for j, n in enumerate("xyz"))


CYCLES = ((1, 2, "y", "z"), (2, 0, "z", "x"), (0, 1, "x", "y"))

CASES = {
    "grad": (grad(u * w), lambda: gradient(lambda *p: U(*p) * W(*p))(*P)),
    "grad vector": (grad(v), lambda: gradient(jvec)(*P).reshape(-1)),
    "div": (div(u * v), lambda: sum(d(lambda *p, i=i: U(*p) * V[i](*p), n)(*P) for i, n in enumerate("xyz"))),
    "div tensor": (
        div(outer(v, v)),
        lambda: jnp.stack([dyad_divergence(i) for i in range(3)]),
    ),
    "curl": (
        curl(v),
        lambda: jnp.stack([d(V[k], b)(*P) - d(V[j], c)(*P) for j, k, b, c in CYCLES]),
    ),
    "laplacian": (laplacian(u**2), lambda: sum(d(d(lambda *p: U(*p) ** 2, n), n)(*P) for n in "xyz")),
    "laplacian vector": (laplacian(v), lambda: jnp.stack([sum(d(d(f, n), n)(*P) for n in "xyz") for f in V])),
    "advection": (dot(grad(v), v), lambda: gradient(jvec)(*P) @ jvec(*P)),
    "flux form": (
        div(exp(u) * grad(w)),
        lambda: sum(d(lambda *p, n=n: jnp.exp(U(*p)) * d(W, n)(*p), n)(*P) for n in "xyz"),
    ),
    "trace": (trace(grad(v)), lambda: jnp.trace(gradient(jvec)(*P))),
    "transpose": (transpose(grad(v)), lambda: gradient(jvec)(*P).T.reshape(-1)),
    "det": (det(grad(v)), lambda: jnp.linalg.det(gradient(jvec)(*P))),
    "inner": (inner(grad(v), grad(v)), lambda: jnp.sum(gradient(jvec)(*P) ** 2)),
    "matmul": (grad(v) @ v, lambda: gradient(jvec)(*P) @ jvec(*P)),
    "cross": (cross(v, grad(u)), lambda: jnp.cross(jvec(*P), gradient(U)(*P))),
    "third": (D(u * w, x, x, t), lambda: d(d(d(lambda *p: U(*p) * W(*p), "x"), "x"), "t")(*P)),
    "fourth": (D(sin(u), x, x, y, y), lambda: nested(lambda *p: jnp.sin(U(*p)), "xxyy")(*P)),
    "quotient": (D(w / u, x, y), lambda: nested(lambda *p: W(*p) / U(*p), "xy")(*P)),
    "power": (D(u**w, x), lambda: nested(lambda *p: U(*p) ** W(*p), "x")(*P)),
    "parameter": (D(a * u + x * a, x), lambda: 0.7 * d(U, "x")(*P) + 0.7),
    "where": (D(where(x < 0.6, u * u, w), x), lambda: d(lambda *p: U(*p) ** 2, "x")(*P)),
    "maximum": (D(maximum(u, 0 * w), x), lambda: d(U, "x")(*P)),
    "functions": (
        D(sqrt(u) * log(u) + tanh(w) - cos(x * y), x),
        lambda: nested(lambda *p: jnp.sqrt(U(*p)) * jnp.log(U(*p)) + jnp.tanh(W(*p)) - jnp.cos(p[1] * p[2]), "x")(*P),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_lowered_calculus_equals_jax(name):
    expression, expected = CASES[name]
    np.testing.assert_allclose(value(lower(expression)), np.ravel(expected()), rtol=1e-11, atol=1e-11)


# random scalar expressions of two fields


def expressions(depth: int = 4):
    leaves = st.sampled_from([u, w, x, y, t, a]) | st.integers(-3, 3).map(lambda n: n + 0 * x)
    unary = [sin, cos, tanh, lambda e: exp(tanh(e)), lambda e: -e, lambda e: e**2, lambda e: sqrt(1 + e * e)]
    binary = [lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q, lambda p, q: p / (2 + q * q)]

    def extend(inner):
        return st.builds(lambda f, e: f(e), st.sampled_from(unary), inner) | st.builds(
            lambda f, p, q: f(p, q), st.sampled_from(binary), inner, inner
        )

    return st.recursive(leaves, extend, max_leaves=2**depth)


def as_function(e):
    """The expression as a JAX function of the point, by plain evaluation of its undifferentiated atoms."""

    def f(*p):
        point = dict(zip("txyz", p, strict=True))
        values = known_values(atoms(e), point, ARGUMENTS)
        values |= {n: EXACT[repr(n)](*p) for n in atoms(e) if scalar_leaf(n) is not None}
        return jnp.asarray(evaluate(e, values), float)

    return f


@settings(max_examples=60)
@given(expressions(), st.sampled_from(["x", "t", "xy", "xx"]))
def test_derivative_of_any_expression_equals_jax(e, along):
    (lowered,) = lower(D(e, *({"t": t, "x": x, "y": y}[n] for n in along)))
    np.testing.assert_allclose(value((lowered,))[0], nested(as_function(lower(e)[0]), along)(*P), rtol=1e-9, atol=1e-9)


# laws


def neural(g):
    return jnp.tanh(g @ jnp.arange(1.0, 10.0).reshape(3, 3) / 10) + jnp.sum(g**2) * g


def test_a_law_obeys_the_chain_rule():
    stress = Law("stress", grad(v), (3, 3))
    lowered = lower(div(stress))
    (symbol,) = laws(*lowered)
    found = value(lowered, laws_by_symbol={symbol: neural})
    flux = lambda *p: neural(gradient(jvec)(*p))  # noqa: E731
    expected = sum(d(lambda *p, j=j: flux(*p)[:, j], n)(*P) for j, n in enumerate("xyz"))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_higher_derivatives_of_a_law_of_two_inputs():
    k = Law("k", (u, grad(u)))
    lowered = lower(D(k * u, x, y))
    law = lambda s, g: jnp.sin(s) * (1 + g @ g)  # noqa: E731
    (symbol,) = laws(*lowered)
    f = lambda *p: law(U(*p), gradient(U)(*p)) * U(*p)  # noqa: E731
    np.testing.assert_allclose(value(lowered, laws_by_symbol={symbol: law})[0], nested(f, "xy")(*P), rtol=1e-11)


# coefficients, places, integrals


def test_a_rough_coefficient_is_not_differentiated():
    xs = np.linspace(0, 1, 5)
    rough = Coefficient("k", x, values=np.ones(5), points=(xs,), interpolation=Linear())
    with pytest.raises(LoweringError, match="flux form"):
        lower(div(rough * grad(u)))
    assert lower(rough * laplacian(u))


def test_a_smooth_coefficient_is_differentiated():
    xs = np.linspace(0, 1, 9)
    smooth = Coefficient("k", x, values=xs**2, points=(xs,), interpolation=Cubic())
    called = Coefficient("q", x, function=lambda s: jnp.sin(3 * s))
    arguments = Arguments({}, {"k": smooth.payload, "q": called.payload}, {})
    found = value(lower(D(smooth, x) + D(called, x)), arguments=arguments)
    np.testing.assert_allclose(found, 2 * 0.5 + 3 * np.cos(1.5), rtol=1e-12)


def test_point_values_and_integrals_become_atoms():
    (e,) = lower(D(at(u * x, x=0.25), t))
    assert [repr(n) for n in atoms(e)] == ["at(D(u, t), x=0.25)"]
    (e,) = lower(D(at(u, x=0.25), x))
    assert repr(e) == "0"
    (e,) = lower(D(integral(u * x, x), t))
    assert repr(e) == "integral(D(u, t)*x, x)"
    assert repr(lower(D(integral(u, x), x))[0]) == "0"


def test_the_tree_as_written_is_evaluated_with_the_solvers_own_derivative():
    xs = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    (s,) = coordinates("s")
    q = Field("q", s)

    def spectral(values, along):
        assert along is not None
        return np.fft.ifft(1j * np.fft.fftfreq(64, 1 / 64) * np.fft.fft(values)).real

    flux = div((1 + q * q) * grad(q))
    found = evaluate_written(flux, {q: np.sin(xs)}, spectral)
    expected = np.cos(xs) * 2 * np.sin(xs) * np.cos(xs) - (1 + np.sin(xs) ** 2) * np.sin(xs)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert abs(np.mean(evaluate_written(D(q**3, s), {q: np.sin(xs)}, spectral))) < 1e-14  # conserved as written


def test_tensor_fields_have_components_as_unknowns():
    strain = TensorField("F", (2, 2), t, x)
    assert [repr(c) for c in lower(strain.dt)] == ["D(F[0, 0], t)", "D(F[0, 1], t)", "D(F[1, 0], t)", "D(F[1, 1], t)"]


def test_pi_stays_pi():
    assert repr(0.01 / pi * u.dxx) == "0.01/pi*D(u, x, x)"
