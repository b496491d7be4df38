"""Expressions at one point of a given function: jets, parameters, laws, places and integrals together."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from sciml import Box, Field, Law, Parameter, Problem, coordinates, integral, sin
from sciml.expr.lowering import lower
from sciml.pointwise import Quadrature, Structure, has_integral, values_at_point

t, x = coordinates("t x")
u = Field("u", t, x)
BOX = Box({t: (0, 1), x: (0, 2)}, periodic=x)
POINT = {"t": jnp.asarray(0.4), "x": jnp.asarray(0.7)}


def function(p):
    return {"u": jnp.exp(-p["t"]) * jnp.sin(jnp.pi * p["x"])}


def test_a_residual_with_a_parameter_and_a_law():
    nu, speed = Parameter("nu", 0.3), Law("speed", u)
    problem = Problem([u.dt + speed * u.dx == nu * u.dxx + sin(x)], BOX, [(u == 0).on(BOX.at(t=0))])
    problem = problem.bind("speed", lambda v: v**2)
    (found,) = values_at_point(problem.residuals, function, POINT, problem.arguments)
    value = function(POINT)["u"]
    slope = jnp.pi * jnp.exp(-0.4) * jnp.cos(0.7 * jnp.pi)
    expected = -value + value**2 * slope + 0.3 * jnp.pi**2 * value - jnp.sin(0.7)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_integrals_by_quadrature():
    expressions = lower(integral(u * u, x) - integral(u, t, x))
    assert has_integral(*expressions)
    problem = Problem([u.dt == u.dxx], BOX, [(u == 0).on(BOX.at(t=0))])
    rule = Quadrature.of(BOX, 16)
    (found,) = values_at_point(expressions, function, POINT, problem.arguments, rule)
    np.testing.assert_allclose(found, np.exp(-0.8), rtol=1e-12)


def test_integrals_differentiate():
    (mass,) = lower(integral(u * u, x))
    problem = Problem([u.dt == u.dxx], BOX, [(u == 0).on(BOX.at(t=0))])

    def energy(amplitude):
        def scaled(p):
            return {"u": amplitude * function(p)["u"]}

        return values_at_point((mass,), scaled, POINT, problem.arguments, Quadrature.of(BOX))[0]

    np.testing.assert_allclose(jax.grad(energy)(1.5), 3.0 * np.exp(-0.8), rtol=1e-12)


def test_a_structure_compares_by_digest_even_with_that_of_another_frame() -> None:
    t, x = coordinates("t x")
    a, b = coordinates("a b")
    assert Structure((t, (1, x))) == Structure((t, (1, x)))
    assert hash(Structure((t, (1, x)))) == hash(Structure((t, (1, x))))
    assert Structure((t, x)) != Structure((a, b))
    assert Structure((t, x)) != (t, x)
