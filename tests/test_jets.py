"""Jets against nested reverse-mode derivatives of functions whose derivatives are known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import Field, VectorField, at, coordinates, integral
from sciml.expr.traverse import atoms
from sciml.jets import derivatives, jets

POINT = {"t": jnp.asarray(0.3), "x": jnp.asarray(-0.7), "y": jnp.asarray(1.1)}


def fields(p):
    return {
        "u": jnp.sin(2 * p["x"]) * jnp.exp(-p["t"]) * jnp.cos(3 * p["y"]),
        "v": p["x"] ** 3 * p["y"] ** 2 + p["t"],
    }


def differentiated(f, axis):
    return lambda p: jax.grad(f)(p)[axis]


def by_reverse_mode(name, index):
    def f(p):
        return fields(p)[name]

    for axis in index:
        f = differentiated(f, axis)
    return f(POINT)


@pytest.mark.parametrize(
    "indices",
    [
        [()],
        [("t",)],
        [("x", "x")],
        [("t",), ("x", "x"), ("y", "y")],
        [("x", "x", "y", "y"), ("x",) * 4, ("y",) * 4],
        [("t", "x"), ("x", "y", "y")],
    ],
)
def test_every_derivative_and_its_prefixes(indices):
    found = derivatives(fields, indices, POINT)
    assert set(found) == {index[:k] for index in indices for k in range(len(index) + 1)}
    for index, values in found.items():
        for name in ("u", "v"):
            np.testing.assert_allclose(values[name], by_reverse_mode(name, index), rtol=1e-12, atol=1e-12)


def test_atoms_of_scalar_and_vector_fields_and_places():
    t, x, y = coordinates("t x y")
    u, w = Field("u", t, x, y), VectorField("w", 2, x, y)
    needed = [u, u.dxx, w[0].dy, at(u.dx, x=0.5), x]

    def functions(p):
        return {"u": fields(p)["u"], "w[0]": fields(p)["v"], "w[1]": p["x"]}

    values = jets(functions, atoms(*needed), POINT)
    assert set(values) == set(needed[:-1])
    np.testing.assert_allclose(values[u.dxx], -4 * fields(POINT)["u"], rtol=1e-12)
    np.testing.assert_allclose(values[w[0].dy], 2 * POINT["x"] ** 3 * POINT["y"], rtol=1e-12)
    expected = 2 * jnp.cos(1.0) * jnp.exp(-0.3) * jnp.cos(3.3)
    np.testing.assert_allclose(values[at(u.dx, x=0.5)], expected, rtol=1e-12)


def test_integrals_are_left_to_the_caller():
    x, y = coordinates("x y")
    u = Field("u", x, y)
    assert jets(fields, atoms(integral(u, x)), POINT) == {}


def test_one_linearisation_for_each_order():
    calls = []

    def counted(p):
        calls.append(1)
        return fields(p)

    derivatives(counted, [("t",), ("x", "x"), ("y", "y"), ("x", "y")], POINT)
    assert len(calls) == 1, "all fields and all directions share one pass"


def test_gradients_pass_through():
    def loss(scale):
        def scaled(p):
            return {"u": jnp.sin(scale * p["x"])}

        return derivatives(scaled, [("x", "x")], {"x": jnp.asarray(0.4)})[("x", "x")]["u"]

    expected = -2 * 1.5 * jnp.sin(0.6) - 1.5**2 * 0.4 * jnp.cos(0.6)
    np.testing.assert_allclose(jax.grad(loss)(1.5), expected, rtol=1e-12)
