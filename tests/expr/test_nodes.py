"""Nodes: identity, shapes, folding, mixing with numbers."""

from __future__ import annotations

import copy
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

from sciml import (
    ExpressionError,
    Field,
    MissingCoordinateError,
    Parameter,
    VectorField,
    add,
    coordinates,
    cos,
    det,
    grad,
    pi,
    sin,
    where,
)
from sciml.expr.equation import Equation
from sciml.expr.lowering import lower

t, x, y = coordinates("t x y")
u = Field("u", t, x, y)
v = VectorField("v", 2, t, x, y)


def test_equal_structure_is_equal_and_hashes_alike():
    one, two = u.dx * u + sin(x), Field("u", t, x, y).dx * u + sin(x)
    assert one == two
    assert hash(one) == hash(two)
    assert {one: 1}[two] == 1
    assert one in [two]
    assert not bool(u == v[0])


def test_equation_objects():
    equation = u.dt == u.dxx
    assert isinstance(equation, Equation)
    assert repr(equation) == "D(u, t) == D(u, x, x)"
    assert [repr(e) for e in (v.dt == grad(u))] == ["D(v, t)[0] == grad(u)[0]", "D(v, t)[1] == grad(u)[1]"]
    assert (u == None) is False  # noqa: E711 (comparison with foreign objects is Python's own)
    assert u in [None, u]


def test_numbers_of_every_kind_mix_in():
    for two in (2, 2.0, np.float64(2), np.int64(2), jnp.asarray(2.0), np.asarray(2.0)):
        assert two * u == 2 * u
        assert u * two == u * 2
        assert u + two == u + 2
        assert two - u == 2 - u
        assert u**two == u**2


def test_only_numbers_fold():
    assert repr(u - u) == "u - u"
    assert repr(0 * u) == "0*u"
    assert repr(x * 2) == "x*2"
    assert repr(2 * pi) == "2*pi"
    negative = -u
    assert repr(-negative) == "--u"
    assert repr(lower(u)[0] * 1) == "u*1"
    assert repr(sum([u, u.dx])) == "u + D(u, x)"


def test_derivatives_merge_and_take_the_frames_order():
    assert u.dx.dt == u.dt.dx
    assert u.dxt == u.dt.dx
    assert u.dx.dx == u.dxx
    assert repr(u.dy.dx.dt) == "D(u, t, x, y)"


def test_missing_coordinates_look_like_missing_attributes():
    assert not hasattr(u, "dz")
    with pytest.raises(MissingCoordinateError, match="dz"):
        _ = u.dz


def test_frames_do_not_mix():
    (s,) = coordinates("s")
    with pytest.raises(ExpressionError, match="two frames"):
        _ = u + s


def test_copies_and_pickles_are_equal():
    e = sin(u) * v[0] + where(x < 0.5, u, Parameter("k", 2.0))
    assert copy.deepcopy(e) == e
    assert pickle.loads(pickle.dumps(e)) == e


def test_digest_is_stable_across_processes():
    import subprocess
    import sys

    code = (
        "from sciml import *; t, x = coordinates('t x'); u = Field('u', t, x); "
        "print((u.dt + u*u.dx - 0.01/pi*u.dxx).digest.hex())"
    )
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    t2, x2 = coordinates("t x")
    q = Field("u", t2, x2)
    assert runs == {(q.dt + q * q.dx - 0.01 / pi * q.dxx).digest.hex() + "\n"}


def test_deep_trees_do_not_exhaust_the_stack():
    e = u
    for _ in range(3000):
        e = cos(e)
    assert len(repr(e)) > 12000
    assert lower(e)[0] == e
    assert repr(add(*[u] * 3000)).count("u") == 3000


def test_shared_subtrees_stay_small():
    e = u
    for _ in range(60):
        e = e * e
    from sciml.expr.traverse import postorder

    assert sum(1 for _ in postorder(*lower(e.dx))) < 500


def test_shapes_are_checked_where_written():
    with pytest.raises(ExpressionError, match="vector of shape"):
        _ = u + v[0] * v
    with pytest.raises(ExpressionError, match="square"):
        det(grad(VectorField("q", 3, t, x, y)))
    assert grad(v).shape == (2, 2)
    assert (grad(v) @ v).shape == (2,)


def test_numpy_functions_of_expressions_are_nodes():
    assert np.sin(u) == sin(u)
    with pytest.raises(ExpressionError, match=r"np\.logaddexp"):
        np.logaddexp(u, u)
