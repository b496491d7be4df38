"""Wrong inputs, each with the error that it must end in and the words that must be in its sentence.

Every error says what was found, what was needed and what to do; none is a traceback from JAX or NumPy.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import (
    AbstractRepresentation,
    Box,
    Coefficient,
    Cubic,
    D,
    DomainError,
    ExactReference,
    ExpressionError,
    Field,
    FileError,
    Halton,
    Law,
    LoweringError,
    MissingCoordinateError,
    Nearest,
    OptionError,
    Parameter,
    ParseError,
    Problem,
    ProblemError,
    SciMLError,
    Solution,
    SolveError,
    TensorField,
    UnsupportedProblemError,
    VectorField,
    at,
    coordinates,
    cross,
    curl,
    det,
    div,
    dot,
    gauss_legendre_grid,
    grad,
    identity,
    inner,
    integral,
    laplacian,
    midpoint_grid,
    normal,
    pi,
    sin,
    solve,
    uniform_grid,
    vector,
    where,
)
from sciml.conditions import placed_conditions
from sciml.expr.evaluation import evaluate
from sciml.expr.evolution import evolution, first_order
from sciml.expr.json import from_json
from sciml.expr.lowering import lower
from sciml.expr.nodes import Constant
from sciml.expr.parsing import parse
from sciml.expr.tokens import from_tokens
from sciml.io import load
from sciml.optimise import LevenbergMarquardt
from solvers.classical.finite_difference.solver import FiniteDifference
from solvers.classical.spectral.solver import Spectral
from solvers.pinn.solver import PINN

t, x = coordinates("t x")
u, w = Field("u", t, x), Field("w", t, x)
v2, v3 = VectorField("v", 2, t, x), VectorField("p", 3, t, x)
tensor = TensorField("s", (2, 3), t, x)
d = Box({t: (0, 1), x: (0, 1)})
ring = Box({t: (0, 1), x: (0, 1)}, periodic=x)
start, walls = (u == sin(pi * x)).on(d.at(t=0)), (u == 0).on(d.boundary(x))
heat = Problem(u.dt == u.dxx, d, [start, walls])
X, Y, Z = coordinates("x y z")
q = Field("q", X, Y, Z)
other = Box({X: (0, 1), Y: (0, 1), Z: (0, 1)})
nodes = np.linspace(0, 1, 5)
key = jax.random.key(0)

Wrong = tuple[Callable[[], Any], type[SciMLError], tuple[str, ...]]

EXPRESSIONS: dict[str, Wrong] = {
    "an array": (lambda: u + np.ones(3), ExpressionError, ("array of shape (3,)", "Coefficient")),
    "an array on the left": (lambda: np.ones(3) * u, ExpressionError, ("array of shape (3,)", "Coefficient")),
    "a JAX array": (lambda: u * jnp.ones((2, 2)), ExpressionError, ("array of shape (2, 2)", "observe")),
    "a traced value": (lambda: jax.jit(lambda a: lower(u * a) and a)(1.0), ExpressionError, ("traced", "Parameter")),
    "a complex number": (lambda: u + 1j, ExpressionError, ("complex", "two real fields")),
    "a complex array scalar": (lambda: u * np.complex128(1j), ExpressionError, ("complex", "two real fields")),
    "NaN": (lambda: u * float("nan"), ExpressionError, ("nan", "finite")),
    "infinity": (lambda: u + np.inf, ExpressionError, ("inf", "finite")),
    "a truth value": (lambda: u + True, ExpressionError, ("truth value", "where")),
    "a string": (lambda: u + "x", ExpressionError, ("str", "expression or a number")),
    "None": (lambda: u * None, ExpressionError, ("NoneType", "expression or a number")),
    "the truth of an expression": (lambda: bool(u), ExpressionError, ("truth of `u`", "where")),
    "an expression in an if": (lambda: 1 if u > 0 else 2, ExpressionError, ("truth of `u > 0`",)),
    "a chain of comparisons": (lambda: 0 < u < 1, ExpressionError, ("truth", "&")),
    "and between comparisons": (lambda: (u > 0) and (u < 1), ExpressionError, ("truth", "&")),
    "max": (lambda: max(u, 0), ExpressionError, ("truth", "maximum")),
    "not equal": (lambda: u != 0, ExpressionError, ("`!=`", "==")),
    "float": (lambda: float(u), ExpressionError, ("`u`", "sciml's sin")),
    "int": (lambda: int(u), ExpressionError, ("`u`", "number")),
    "complex": (lambda: complex(u), ExpressionError, ("`u`", "number")),
    "math.sin": (lambda: math.sin(u), ExpressionError, ("`u`", "sciml's sin")),
    "jnp.sin": (lambda: jnp.sin(u), ExpressionError, ("`u`", "jax.numpy's")),
    "jnp.asarray": (lambda: jnp.asarray(u), ExpressionError, ("`u`", "sciml's sin")),
    "an array of expressions": (lambda: np.array([u, u.dx]), ExpressionError, ("array", "vector(…)")),
    "np.cbrt": (lambda: np.cbrt(u), ExpressionError, ("cbrt", "one of")),
    "np.asarray": (lambda: np.asarray(u), ExpressionError, ("`u`", "array")),
    "iteration over a scalar": (lambda: list(u), ExpressionError, ("scalar `u`", "vector")),
    "an index of a scalar": (lambda: u[0], ExpressionError, ("index 0", "scalar `u`")),
    "an index beyond the end": (lambda: v2[2], ExpressionError, ("index 2", "0 to 1")),
    "an index that is not an integer": (lambda: v2["x"], ExpressionError, ("index 'x'", "0 to 1")),
    "one index of a tensor": (lambda: tensor[0], ExpressionError, ("index 0 of a tensor", "two indices")),
    "three indices of a tensor": (lambda: tensor[0, 0, 0], ExpressionError, ("of a tensor", "two indices")),
    "iteration over a tensor": (lambda: list(tensor), ExpressionError, ("tensor", "components")),
    "a scalar plus a vector": (lambda: u + v2, ExpressionError, ("scalar", "vector of shape (2,)", "one shape")),
    "a number plus a vector": (lambda: v2 + 1, ExpressionError, ("number 1", "vector of shape (2,)")),
    "vectors of two lengths": (lambda: v2 + v3, ExpressionError, ("(2,)", "(3,)", "one shape")),
    "a vector times a vector": (lambda: v2 * v2, ExpressionError, ("mul", "dot")),
    "division by a vector": (lambda: u / v2, ExpressionError, ("div", "scalar divisor")),
    "a vector to a power": (lambda: v2**2, ExpressionError, ("vector", "scalar")),
    "the sine of a vector": (lambda: sin(v2), ExpressionError, ("sin", "scalars")),
    "the absolute value of a vector": (lambda: abs(v2), ExpressionError, ("vector", "scalar")),
    "division by zero": (lambda: u / 0, ExpressionError, ("`u` divided by 0",)),
    "a constant that overflows": (lambda: Constant(10) ** Constant(400), ExpressionError, ("overflow",)),
    "a scalar equals a vector": (lambda: u == v2, ExpressionError, ("scalar == a vector", "one shape")),
    "a vector equals a number": (lambda: v2 == 1, ExpressionError, ("only 0", "tuple of components")),
    "a vector equals a short tuple": (lambda: v3 == (0, 0), ExpressionError, ("(3,)", "(2,)")),
    "an equation with an array": (lambda: u == np.zeros(3), ExpressionError, ("array of shape (3,)",)),
    "where without a comparison": (lambda: where(u, 1, 2), ExpressionError, ("`u`", "comparison")),
    "where with a Python truth": (lambda: where(True, u, w), ExpressionError, ("True", "comparison")),
    "where with two shapes": (lambda: where(u > 0, u, v2), ExpressionError, ("where", "one shape")),
    "a comparison as a number": (lambda: (u > 0) + 1, ExpressionError, ("u > 0", "where")),
    "a comparison times a field": (lambda: u * (x > 0.5), ExpressionError, ("x > ", "where")),
    "a number and a comparison": (lambda: (u > 0) & 1, ExpressionError, ("1", "comparison")),
    "an equation as a term": (lambda: u + (u == 0), ExpressionError, ("Equation", "expression or a number")),
    "an equation plus a term": (lambda: (u == 0) + u, ExpressionError, ("Equation", "expression or a number")),
    "the gradient of a tensor": (lambda: grad(tensor), ExpressionError, ("grad", "scalar or a vector")),
    "the divergence of a scalar": (lambda: div(u), ExpressionError, ("divergence", "vector or tensor")),
    "the divergence of too long a vector": (lambda: div(v2), ExpressionError, ("divergence", "last length is 1")),
    "the curl in one dimension": (lambda: curl(v2), ExpressionError, ("curl", "three dimensions")),
    "the gradient of a number": (lambda: grad(3), ExpressionError, ("3", "wrt=")),
    "wrt with a name": (lambda: grad(u, wrt=("x",)), ExpressionError, ("wrt", "tuple of coordinates")),
    "wrt without a tuple": (lambda: grad(u, wrt=x), ExpressionError, ("wrt", "tuple of coordinates")),
    "a dot of mismatched shapes": (lambda: dot(tensor, v2), ExpressionError, ("dot", "last length")),
    "an inner product of two ranks": (lambda: inner(tensor, v2), ExpressionError, ("inner", "one shape")),
    "a cross product in two dimensions": (lambda: cross(v2, v2), ExpressionError, ("cross", "length 3")),
    "the determinant of a 2×3 tensor": (lambda: det(tensor), ExpressionError, ("det", "square")),
    "a unit tensor of no size": (lambda: identity(0), ExpressionError, ("0", "positive")),
    "rows of two lengths": (lambda: vector(u, v2), ExpressionError, ("vector", "one length")),
    "D without a direction": (lambda: D(u), ExpressionError, ("without a direction", "D(u, x)")),
    "D along a name": (lambda: D(u, "x"), ExpressionError, ("'x'", "coordinates()")),
    "D along a field": (lambda: D(u, w), ExpressionError, ("`w`", "coordinate")),
    "D along a foreign coordinate": (lambda: D(u, Y), ExpressionError, ("two frames", "one call of coordinates")),
    "a derivative that spells nothing": (lambda: u.dy, MissingCoordinateError, (".dy", "t, x")),
    "a derivative spelled half": (lambda: u.dxq, MissingCoordinateError, (".dxq", "t, x")),
    "two frames": (lambda: u + q, ExpressionError, ("two frames", "one call of coordinates")),
    "a value at no place": (lambda: at(u), ExpressionError, ("without a place", "at(u, x=0)")),
    "a value at an unknown coordinate": (lambda: at(u, y=0), ExpressionError, ("y=", "(t, x)")),
    "a value at an expression": (lambda: at(u, x=t), ExpressionError, ("place x", "number")),
    "an integral over a name": (lambda: integral(u, "x"), ExpressionError, ("'x'", "coordinates")),
    "the normal of a number": (lambda: normal(pi), ExpressionError, ("normal of", "coordinates")),
}


LEAVES: dict[str, Wrong] = {
    "no coordinate names": (lambda: coordinates(""), ExpressionError, ("''", "distinct names")),
    "a coordinate twice": (lambda: coordinates("x x"), ExpressionError, ("'x x'", "distinct names")),
    "coordinates in a list": (lambda: coordinates(["t", "x"]), ExpressionError, ("['t', 'x']", "one string")),
    "a coordinate with a sign": (lambda: coordinates("t x-y"), ExpressionError, ("'x-y'", "letters")),
    "a field without coordinates": (lambda: Field("u"), ExpressionError, ("field 'u'", "at least one coordinate")),
    "a field of a name": (lambda: Field("u", "x"), ExpressionError, ("field 'u'", "at least one coordinate")),
    "a field without a name": (lambda: Field(x, t), ExpressionError, ("name", "letters")),
    "a field with a bad name": (lambda: Field("2u", x), ExpressionError, ("'2u'", "letters")),
    "a field of one coordinate twice": (lambda: Field("u", x, x), ExpressionError, ("each coordinate once",)),
    "a field of two frames": (lambda: Field("u", t, Y), ExpressionError, ("two frames",)),
    "a vector field without a size": (lambda: VectorField("v", t, x), ExpressionError, ("size", "positive integer")),
    "a vector field of size 0": (lambda: VectorField("v", 0, x), ExpressionError, ("size 0", "positive integer")),
    "a tensor field with one size": (lambda: TensorField("s", 3, x), ExpressionError, ("size 3", "(3, 3)")),
    "a parameter with an array": (
        lambda: Parameter("a", np.ones(2)),
        ExpressionError,
        ("'a'", "one finite real number"),
    ),
    "a parameter with a word": (lambda: Parameter("a", "big"), ExpressionError, ("'big'", "one finite real number")),
    "a parameter that is NaN": (lambda: Parameter("a", float("nan")), ExpressionError, ("nan", "finite")),
    "a positive parameter below zero": (
        lambda: Parameter("a", -1.0, positive=True),
        ExpressionError,
        ("-1.0", "positive parameter 'a'"),
    ),
    "a prior without a deviation": (
        lambda: Parameter("a", prior=(1.0, 0.0)),
        ExpressionError,
        ("prior", "deviation > 0"),
    ),
    "a prior that is a number": (lambda: Parameter("a", prior=3.0), ExpressionError, ("prior 3.0", "deviation > 0")),
    "a coefficient without data": (lambda: Coefficient("k", x), ExpressionError, ("neither", "function=")),
    "a coefficient with data and a function": (
        lambda: Coefficient("k", x, values=nodes, points=(nodes,), function=jnp.sin),
        ExpressionError,
        ("both", "one"),
    ),
    "coefficient data on another grid": (
        lambda: Coefficient("k", x, values=np.zeros(4), points=(nodes,)),
        ExpressionError,
        ("(4,)", "(5,)", "'k'"),
    ),
    "coefficient data of another dimension": (
        lambda: Coefficient("k", x, t, values=nodes, points=(nodes,)),
        ExpressionError,
        ("2 axes", "'k'"),
    ),
    "coefficient data with gaps": (
        lambda: Coefficient("k", x, values=np.full(5, np.nan), points=(nodes,)),
        ExpressionError,
        ("not finite", "gaps"),
    ),
    "coefficient nodes in disorder": (
        lambda: Coefficient("k", x, values=nodes, points=(nodes[::-1],)),
        ExpressionError,
        ("axis 0", "increasing"),
    ),
    "too few nodes for cubics": (
        lambda: Coefficient("k", x, values=nodes[:2], points=(nodes[:2],), interpolation=Cubic()),
        ExpressionError,
        ("at least 3",),
    ),
    "an interpolation by name": (
        lambda: Coefficient("k", x, values=nodes, points=(nodes,), interpolation="cubic"),
        ExpressionError,
        ("'cubic'", "Cubic()"),
    ),
    "coefficient data that are words": (
        lambda: Coefficient("k", x, values=["a"] * 5, points=(nodes,)),
        ExpressionError,
        ("'k'", "numbers"),
    ),
    "a coefficient's function that is a number": (
        lambda: Coefficient("k", x, function=3.0),
        ExpressionError,
        ("float", "callable"),
    ),
    "a law of a shape of rank 3": (lambda: Law("K", u, (2, 2, 2)), ExpressionError, ("'K'", "rank 0-2")),
    "a law of nothing": (lambda: Law("K", ()), ExpressionError, ("'K'", "inputs")),
    "a law of an array": (lambda: Law("K", np.ones(2)), ExpressionError, ("array of shape (2,)",)),
}

DOMAINS: dict[str, Wrong] = {
    "no intervals": (lambda: Box({}), DomainError, ("intervals", "dictionary of coordinates")),
    "intervals by name": (lambda: Box({"x": (0, 1)}), DomainError, ("intervals", "dictionary of coordinates")),
    "a missing coordinate": (lambda: Box({x: (0, 1)}), DomainError, ("no interval for t",)),
    "an empty interval": (lambda: Box({t: (0, 1), x: (1, 1)}), DomainError, ("(1, 1) of x", "lower < upper")),
    "a reversed interval": (lambda: Box({t: (0, 1), x: (1, 0)}), DomainError, ("(1, 0) of x", "lower < upper")),
    "an infinite interval": (lambda: Box({t: (0, np.inf), x: (0, 1)}), DomainError, ("inf", "of t", "truncate")),
    "a NaN interval": (lambda: Box({t: (0, np.nan), x: (0, 1)}), DomainError, ("nan", "of t")),
    "an interval that is a number": (lambda: Box({t: 1.0, x: (0, 1)}), DomainError, ("1.0 of t", "pair")),
    "an interval of words": (lambda: Box({t: ("a", "b"), x: (0, 1)}), DomainError, ("'a'", "number")),
    "an interval of parameters": (
        lambda: Box({t: (0, Parameter("T", 1.0)), x: (0, 1)}),
        DomainError,
        ("bound T of t", "domains hold numbers"),
    ),
    "two frames in a box": (lambda: Box({t: (0, 1), Y: (0, 1)}), ExpressionError, ("two frames",)),
    "periodic time": (lambda: Box({t: (0, 1), x: (0, 1)}, periodic=t), DomainError, ("periodic", "spatial")),
    "periodic by name": (lambda: Box({t: (0, 1), x: (0, 1)}, periodic="x"), DomainError, ("'x'", "not names")),
    "periodic in a foreign coordinate": (
        lambda: Box({t: (0, 1), x: (0, 1)}, periodic=(Y,)),
        DomainError,
        ("periodic y", "this box"),
    ),
    "a region with an unknown side": (
        lambda: Box({t: (0, 1), x: (0, 1)}, regions={"in": (x, "left")}),
        DomainError,
        ("'left'", "lower"),
    ),
    "a region that is a number": (
        lambda: Box({t: (0, 1), x: (0, 1)}, regions={"in": 3}),
        DomainError,
        ("'in'", '(x, "lower")'),
    ),
    "a place outside": (lambda: d.at(x=2), DomainError, ("x=2", "[0, 1]")),
    "an unknown coordinate": (lambda: d.at(y=0), DomainError, ("'y'", "(t, x)")),
    "no place": (lambda: d.at(), DomainError, ("without a place",)),
    "a place that is NaN": (lambda: d.at(x=float("nan")), DomainError, ("nan", "finite")),
    "a face of a periodic coordinate": (lambda: ring.lower(x), DomainError, ("periodic coordinate x", "repeats")),
    "a boundary of a periodic coordinate": (lambda: ring.boundary(x), DomainError, ("periodic coordinate x",)),
    "the boundary of a ring": (lambda: (u == 0).on(ring.boundary), DomainError, ("fully periodic",)),
    "the boundary in time": (lambda: d.boundary(t), DomainError, ("boundary in time", "domain.at(t=0)")),
    "the boundary by name": (lambda: d.boundary("x"), DomainError, ("'x'", "coordinate")),
    "an unknown region": (lambda: d.boundary["inlet"], DomainError, ("'inlet'", "x-, x+")),
    "a face of a foreign coordinate": (lambda: d.lower(Y), DomainError, ("y", "(t, x)")),
    "a face of a namesake": (lambda: d.lower(X), DomainError, ("x", "(t, x)")),
    "regions joined with a number": (lambda: d.lower(x) | 3, DomainError, ("3", "region")),
    "on a number": (lambda: (u == 0).on(0), ExpressionError, ("int", "domain.at")),
    "on a coordinate": (lambda: (u == 0).on(x), ExpressionError, ("Coordinate", "domain.at")),
    "no sample points": (lambda: d.sample(0, key), DomainError, ("0 sample points", "positive")),
    "fractional sample points": (lambda: d.sample(2.5, key), DomainError, ("2.5 sample points", "positive")),
    "a sampler by name": (lambda: d.sample(4, key, "sobol"), DomainError, ("'sobol'", "Sobol()")),
    "a sampler's class": (lambda: d.sample(4, key, Halton), DomainError, ("Halton", "Halton()")),
    "a seed in place of a key": (lambda: d.sample(4, 3), DomainError, ("3", "jax.random.key")),
    "a grid of one point": (lambda: uniform_grid(d, 1), DomainError, ("1 node along t", "at least 2")),
    "a grid without points": (lambda: midpoint_grid(d, 0), DomainError, ("0 points along t", "positive")),
    "a grid of a fraction": (lambda: gauss_legendre_grid(d, 2.5), DomainError, ("2.5 points along t", "positive")),
    "a grid that lacks an axis": (lambda: uniform_grid(d, {"x": 5}), DomainError, ("None points along t",)),
    "a grid with an unknown axis": (lambda: uniform_grid(d, {"t": 5, "x": 5, "y": 5}), DomainError, ("'y'", "(t, x)")),
    "a grid held at an unknown coordinate": (
        lambda: uniform_grid(d, 5, fixed={"y": 0.0}),
        DomainError,
        ("'y'", "(t, x)"),
    ),
    "a grid held outside": (lambda: uniform_grid(d, 5, fixed={"t": 2.0}), DomainError, ("t=2", "[0, 1]")),
    "bounds of an unknown coordinate": (lambda: d.with_bounds(y=(0, 1)), DomainError, ("'y'", "(t, x)")),
    "bounds in reverse": (lambda: d.with_bounds(x=(1, 0)), DomainError, ("(1, 0) of x", "lower < upper")),
}

PROBLEMS: dict[str, Wrong] = {
    "no equations": (lambda: Problem([], d), ProblemError, ("no equations", "at least one")),
    "a residual in place of an equation": (lambda: Problem(u.dt - u.dxx, d), ProblemError, ("D(u, t)", "== 0")),
    "a truth in place of an equation": (lambda: Problem([True], d), ProblemError, ("True", "Equation")),
    "a chained equation": (lambda: Problem([u.dt == u.dxx == 0], d), ExpressionError, ("chained", "== 0")),
    "a chained condition": (lambda: (u == w == 0).on(d.at(t=0)), ExpressionError, ("chained", "== 0")),
    "a condition among the equations": (lambda: Problem([start], d), ProblemError, ("condition", "conditions=")),
    "an equation among the conditions": (lambda: Problem(u.dt == u.dxx, d, [u == 0]), ProblemError, (".on(domain",)),
    "a number among the conditions": (lambda: Problem(u.dt == u.dxx, d, [3]), ProblemError, ("int", ".on(region)")),
    "conditions that are a number": (lambda: Problem(u.dt == u.dxx, d, 3), ProblemError, ("int", ".on(region)")),
    "a domain that is a dictionary": (lambda: Problem(u.dt == u.dxx, {t: (0, 1)}), ProblemError, ("dict", "Box")),
    "no domain": (lambda: Problem(u.dt == u.dxx, None), ProblemError, ("NoneType", "Box")),
    "an exact solution of an unknown field": (lambda: heat.replace(exact={"w": x}), ProblemError, ("'w'", "one of u")),
    "an exact solution that is no dictionary": (
        lambda: heat.replace(exact=x),
        ProblemError,
        ("exact=", "{field: expression}"),
    ),
    "an exact solution of another shape": (
        lambda: heat.replace(exact={u: (x, x)}),
        ProblemError,
        ("shape (2,)", "shape ()"),
    ),
    "an exact solution with an array": (
        lambda: heat.replace(exact={u: nodes}),
        ExpressionError,
        ("array of shape (5,)",),
    ),
    "an exact solution with a field": (lambda: heat.replace(exact={u: u}), ProblemError, ("`u`", "coordinates")),
    "an exact solution in other coordinates": (
        lambda: heat.replace(exact={u: sin(Y)}),
        ProblemError,
        ("(x, y, z)", "(t, x)"),
    ),
    "exact and reference": (
        lambda: heat.replace(exact={u: x}, reference=ExactReference({}, heat.arguments)),
        ProblemError,
        ("one truth",),
    ),
    "a reference that is a function": (
        lambda: heat.replace(reference=lambda p: p),
        ProblemError,
        ("function", "truth"),
    ),
    "a part that does not exist": (
        lambda: heat.replace(equation=u == 0),
        ProblemError,
        ("replace(equation", "equations"),
    ),
    "a parameter that does not exist": (lambda: heat.replace(nu=1.0), ProblemError, ("replace(nu", "one of")),
    "a number that is a word": (lambda: _with_nu().replace(nu="big"), ExpressionError, ("'big'", "number")),
    "a negative number for a positive parameter": (
        lambda: _with_nu().replace(nu=-1.0),
        ExpressionError,
        ("-1", "positive"),
    ),
    "two parameters of one name": (
        lambda: Problem(u.dt == Parameter("k", 1.0) * u.dxx + Parameter("k", 2.0) * u, d, [start, walls]),
        ProblemError,
        ("'k'", "1.0 and 2.0", "once"),
    ),
    "two coefficients of one name": (
        lambda: Problem(u.dt == u.dxx + _data("k", 1.0) * u + _data("k", 2.0), d, [start, walls]),
        ProblemError,
        ("'k'", "different data"),
    ),
    "a law that does not exist": (lambda: heat.bind("K", jnp.sin), ProblemError, ("'K'", "has none")),
    "a law bound to a number": (lambda: _with_law().bind("K", 3.0), ProblemError, ("float", "callable")),
    "something unknown forgotten": (lambda: heat.forget("nu"), ProblemError, ("'nu'", "law of the problem")),
    "a field that does not exist": (lambda: heat.field("w"), ProblemError, ("'w'", "one of u")),
    "a box of no box": (
        lambda: placed_conditions(((dot(grad(q), normal(q)) == 0).on(other.at(x=0.5)),)),
        DomainError,
        ("normal", "face"),
    ),
    "an observation of an unknown name": (
        lambda: heat.observe("w", np.zeros((1, 2)), [0.0]),
        ProblemError,
        ("'w'", "one of u"),
    ),
    "an observation of a vector": (
        lambda: heat.observe(grad(u), np.zeros((1, 2)), [0.0]),
        ProblemError,
        ("shape (1,)", "scalar"),
    ),
    "an observation of an equation": (
        lambda: heat.observe(u == 0, np.zeros((1, 2)), [0.0]),
        ExpressionError,
        ("Equation",),
    ),
    "observed points of another shape": (
        lambda: heat.observe("u", np.zeros((2, 3)), [0.0, 1.0]),
        ProblemError,
        ("(2, 3)", "(n, 2)"),
    ),
    "observed values of another length": (
        lambda: heat.observe("u", np.zeros((2, 2)), [0.0]),
        ProblemError,
        ("(1,)", "n ≥ 1 values"),
    ),
    "no observed values": (lambda: heat.observe("u", np.zeros((0, 2)), []), ProblemError, ("(0,)", "n ≥ 1")),
    "observed points without a coordinate": (
        lambda: heat.observe("u", {"x": [0.5]}, [0.0]),
        ProblemError,
        ("['x']", "['t', 'x']"),
    ),
    "observed points that do not broadcast": (
        lambda: heat.observe("u", {"t": np.zeros(2), "x": np.zeros(3)}, np.zeros(3)),
        ProblemError,
        ("(2,)", "(3,)"),
    ),
    "observed points outside": (lambda: heat.observe("u", [[0.5, 3.0]], [0.0]), ProblemError, ("outside", "units")),
    "observed values with a gap": (
        lambda: heat.observe("u", [[0.5, 0.5]], [np.nan]),
        ProblemError,
        ("not finite", "drop"),
    ),
    "observed points with a gap": (
        lambda: heat.observe("u", [[0.5, np.nan]], [0.0]),
        ProblemError,
        ("not finite", "drop"),
    ),
    "observed values that are words": (
        lambda: heat.observe("u", [[0.5, 0.5]], ["a"]),
        ProblemError,
        ("values", "numbers"),
    ),
    "observed points that are words": (
        lambda: heat.observe("u", {"t": ["a"], "x": [0.5]}, [1.0]),
        ProblemError,
        ("t", "numbers"),
    ),
    "negative noise": (lambda: heat.observe("u", [[0.5, 0.5]], [0.0], noise=-1.0), ProblemError, ("-1.0", "positive")),
    "noise of another shape": (
        lambda: heat.observe("u", [[0.5, 0.5]], [0.0], noise=[1.0, 2.0]),
        ProblemError,
        ("noise", "positive"),
    ),
    "observations that are arrays": (
        lambda: heat.replace(observations=[np.zeros(3)]),
        ProblemError,
        ("ndarray", "Observation"),
    ),
}


def _with_nu() -> Problem:
    return Problem(u.dt == Parameter("nu", 1.0, positive=True) * u.dxx, d, [start, walls])


def _with_law() -> Problem:
    return Problem(u.dt == Law("K", u) * u.dxx, d, [start, walls])


def _data(name: str, value: float) -> Coefficient:
    return Coefficient(name, x, values=np.full(5, value), points=(nodes,))


rough = Coefficient("k", x, values=nodes + 1, points=(nodes,), interpolation=Nearest())

ANALYSIS: dict[str, Wrong] = {
    "the derivative of a step": (lambda: lower(D(rough * u.dx, x)), LoweringError, ("'k'", "Cubic()")),
    "a determinant of 5×5": (lambda: lower(det(TensorField("b", (5, 5), x))), LoweringError, ("5×5", "4×4")),
    "a point of an integral": (lambda: lower(at(integral(u, x), t=0)), LoweringError, ("integral",)),
    "a value that is missing": (lambda: evaluate(u + x, {u: 1.0}), ExpressionError, ("`x`", "every atom")),
    "an expression that was not lowered": (lambda: evaluate(laplacian(u), {u: 1.0}), ExpressionError, ("lower",)),
    "an evolution without a rate": (
        lambda: evolution([u.dxx == 0], t),
        UnsupportedProblemError,
        ("no time derivative",),
    ),
    "an evolution with a constraint": (
        lambda: evolution(
            [
                u.dt == w,
            ],
            t,
        ),
        UnsupportedProblemError,
        ("w", "constraint"),
    ),
    "an evolution of second order": (lambda: evolution([u.dtt == u.dxx], t), UnsupportedProblemError, ("first_order",)),
    "three time derivatives": (
        lambda: first_order([D(u, t, t, t) == 0], t),
        UnsupportedProblemError,
        ("3 time derivatives",),
    ),
    "text with a call": (lambda: parse("__import__('os')", heat), ParseError, ()),
    "text with an unknown name": (lambda: parse("u + nu", heat), ParseError, ("nu",)),
    "text that ends early": (lambda: parse("u + (", heat), ParseError, ()),
    "text with two equations": (lambda: parse("u == 0 == 1", heat), ParseError, ()),
    "text that is no text": (lambda: parse(3, heat), ParseError, ("int", "string")),
    "text with an attribute": (lambda: parse("u.__class__", heat), ParseError, ()),
    "text that adds ranks": (lambda: parse("u + grad(u)", heat), ParseError, ("one shape",)),
    "empty text": (lambda: parse("", heat), ParseError, ()),
    "text of control characters": (lambda: parse("\x00\x01", heat), ParseError, ()),
    "deep text": (lambda: parse("(" * 10_000 + "u" + ")" * 10_000, heat), ParseError, ("nest",)),
    "symbols that are a number": (lambda: parse("u", 3), ParseError, ("int",)),
    "words that end early": (lambda: from_tokens(["add", "u"], heat), ParseError, ()),
    "words that mean nothing": (lambda: from_tokens(["spam"], heat), ParseError, ("spam",)),
    "words left over": (lambda: from_tokens(["u", "u"], heat), ParseError, ()),
    "JSON of something else": (lambda: from_json({"format": "song"}), ParseError, ("format",)),
    "JSON that is a list": (lambda: from_json([1, 2]), ParseError, ()),
    "JSON of a newer version": (
        lambda: from_json({"format": "sciml expression", "version": 99, "nodes": [], "root": 0}),
        ParseError,
        ("99",),
    ),
    "JSON without nodes": (
        lambda: from_json({"format": "sciml expression", "version": 1}),
        ParseError,
        (),
    ),
}


class Plane(AbstractRepresentation):
    """u = x, whatever the problem."""

    slope: jax.Array = eqx.field(converter=jnp.asarray, default=1.0)

    def __call__(self, points: Any) -> dict[str, jax.Array]:
        return {"u": self.slope * points["x"]}


solution = Solution(heat, "Plane()", Plane())


def _stiff() -> Problem:
    return Problem(D(u, t) == D(u, x, x, x, x, x, x), ring, (u == sin(2 * pi * x)).on(ring.at(t=0)))


def _with_functional() -> Problem:
    return Problem(u.dt == u.dxx + integral(u, x), d, [start, walls])


SOLVING: dict[str, Wrong] = {
    "an equation in place of a problem": (
        lambda: solve(u.dt == u.dxx, PINN()),
        ProblemError,
        ("Equation", "a Problem"),
    ),
    "a solver by name": (lambda: solve(heat, "pinn"), OptionError, ("'pinn'", "PINN()")),
    "a solver's class": (lambda: solve(heat, PINN), OptionError, ("PINN", "an object")),
    "a budget of no time": (lambda: solve(heat, PINN(), budget=0), OptionError, ("budget 0", "positive")),
    "a budget that is a word": (lambda: solve(heat, PINN(), budget="1 min"), OptionError, ("'1 min'", "seconds")),
    "a budget that is NaN": (lambda: solve(heat, PINN(), budget=float("nan")), OptionError, ("nan", "positive")),
    "a key that is a word": (lambda: solve(heat, PINN(), key="seed"), OptionError, ("'seed'", "jax.random.key")),
    "a key that is a float": (lambda: solve(heat, PINN(), key=1.5), OptionError, ("1.5", "jax.random.key")),
    "a callback that is a number": (lambda: solve(heat, PINN(), callback=3), OptionError, ("callback 3", "function")),
    "an inverse problem without data or equations": (
        lambda: solve(_silently(lambda: Problem(-D(Field("k", t, x) * u.dx, x) == 1, d, walls)), PINN()),
        ProblemError,
        ("1 scalar equations for 2", "observe"),
    ),
    "a network with no points": (lambda: PINN(num_points=0), OptionError, ("num_points", "≥ 1")),
    "a negative condition weight": (lambda: PINN(condition_weight=-1.0), OptionError, ("condition_weight",)),
    "no training steps": (lambda: LevenbergMarquardt(max_steps=-1), OptionError, ("max_steps",)),
    "differences of odd order": (lambda: FiniteDifference(order=3), OptionError, ("3", "2, 4 or 6")),
    "differences at no points": (lambda: FiniteDifference(points=0), OptionError, ("0", "positive integers")),
    "differences at points of an unknown axis": (
        lambda: solve(heat, FiniteDifference(points={"y": 9})),
        UnsupportedProblemError,
        ("points along x",),
    ),
    "differences with a tolerance of zero": (
        lambda: FiniteDifference(rtol=0.0),
        OptionError,
        ("tolerance", "positive"),
    ),
    "an integrator by name": (lambda: FiniteDifference(integrator="Tsit5"), OptionError, ("Tsit5", "diffrax")),
    "an upwind scheme by name": (lambda: FiniteDifference(advection="upwind"), OptionError, ("upwind", "Upwind(3)")),
    "differences of a law without a function": (
        lambda: solve(_silently(_with_law), FiniteDifference()),
        UnsupportedProblemError,
        ("FiniteDifference", "K"),
    ),
    "differences of an unknown parameter": (
        lambda: solve(_with_nu().forget("nu"), FiniteDifference()),
        UnsupportedProblemError,
        ("FiniteDifference", "nu"),
    ),
    "differences of an integral": (
        lambda: solve(_with_functional(), FiniteDifference()),
        UnsupportedProblemError,
        ("integral",),
    ),
    "differences in six dimensions": (
        lambda: solve(_six_dimensions(), FiniteDifference()),
        UnsupportedProblemError,
        ("FiniteDifference", "3"),
    ),
    "a spectrum of a law without a function": (
        lambda: solve(_silently(_with_law), Spectral()),
        UnsupportedProblemError,
        ("Spectral", "K"),
    ),
    "a spectrum of an unknown parameter": (
        lambda: solve(_with_nu().forget("nu"), Spectral()),
        UnsupportedProblemError,
        ("Spectral", "nu"),
    ),
    "a spectrum of an integral": (
        lambda: solve(_with_functional(), Spectral()),
        UnsupportedProblemError,
        ("Spectral", "integral"),
    ),
    "a spectrum of a rough coefficient": (
        lambda: solve(Problem(D(rough * u.dx, x) == 1 + 0 * t, d, walls), Spectral()),
        UnsupportedProblemError,
        ("Spectral", "'k'"),
    ),
    "a spectrum with a tolerance of zero": (lambda: Spectral(rtol=0.0), OptionError, ("rtol", "1e-15")),
    "a network of a sixth derivative": (lambda: solve(_stiff(), PINN()), UnsupportedProblemError, ("PINN", "order 6")),
    "a network of a law without a function": (
        lambda: solve(_silently(_with_law), PINN()),
        UnsupportedProblemError,
        ("PINN", "K", "bind"),
    ),
    "a network of a rough coefficient": (
        lambda: solve(Problem(D(rough * u.dx, x) == 1 + 0 * t, d, walls), PINN()),
        UnsupportedProblemError,
        ("PINN", "'k'"),
    ),
    "a solution at a missing coordinate": (lambda: solution(x=0.5), DomainError, ("['x']", "t")),
    "a solution at an unknown coordinate": (lambda: solution(t=0, x=0, y=0), DomainError, ("y",)),
    "a solution outside": (lambda: solution(t=0.5, x=2.0), DomainError, ("outside", "Box")),
    "a solution at NaN": (lambda: solution(t=0.5, x=float("nan")), DomainError, ("not finite",)),
    "a solution at a word": (lambda: solution(t=0.5, x="left"), DomainError, ("x", "numbers")),
    "a solution at shapes that do not broadcast": (
        lambda: solution(t=np.zeros(2), x=np.zeros(3)),
        DomainError,
        ("(2,)", "(3,)"),
    ),
    "an uncertainty that is not there": (lambda: solution.std(t=0.5, x=0.5), SolveError, ("no uncertainty",)),
}


def _six_dimensions() -> Problem:
    xs = coordinates("a b c d e f")
    f, box = Field("q", *xs), Box(dict.fromkeys(xs, (0, 1)))
    return Problem(laplacian(f) == 1, box, (f == 0).on(box.boundary))


def _silently(build: Callable[[], Problem]) -> Problem:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build()


TABLE = {**EXPRESSIONS, **LEAVES, **DOMAINS, **PROBLEMS, **ANALYSIS, **SOLVING}


@pytest.mark.parametrize("name", TABLE)
def test_wrong_input_ends_in_a_sentence(name: str):
    action, kind, words = TABLE[name]
    with pytest.raises(SciMLError) as caught:
        action()
    error, text = caught.value, str(caught.value)
    assert type(error) is kind, f"{type(error).__name__}: {text}"
    assert error.found and error.needed and error.todo, text
    missing = [word for word in words if word not in text]
    assert not missing, f"{missing} not in: {text}"


def test_the_table_is_long():
    assert len(TABLE) == sum(map(len, (EXPRESSIONS, LEAVES, DOMAINS, PROBLEMS, ANALYSIS, SOLVING))) >= 60


def _folder(path: Path, **files: bytes) -> Path:
    path.mkdir()
    for name, data in files.items():
        (path / name.replace("_", ".")).write_bytes(data)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "nothing": lambda path: path,
    "an empty folder": _folder,
    "a file": lambda path: _folder(path, solution_json=b"{}") / "solution.json",
    "no JSON": lambda path: _folder(path, solution_json=b"\x00\xff", arrays_npz=b""),
    "JSON cut short": lambda path: _folder(path, solution_json=b'{"format": "sci', arrays_npz=b""),
    "foreign JSON": lambda path: _folder(path, solution_json=b'{"format": "song", "version": 1}', arrays_npz=b""),
    "a list": lambda path: _folder(path, solution_json=b"[]", arrays_npz=b""),
    "JSON without end": lambda path: _folder(path, solution_json=b"[" * 200_000, arrays_npz=b""),
    "a header without a body": lambda path: _folder(
        path, solution_json=b'{"format": "sciml solution", "version": 1}', arrays_npz=b""
    ),
    "a newer version": lambda path: _folder(
        path, solution_json=b'{"format": "sciml solution", "version": 99}', arrays_npz=b""
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_unreadable_files(name: str, tmp_path: Path):
    place = FILES[name](tmp_path / "run")
    with pytest.raises(FileError) as caught:
        load(place)
    assert caught.value.found and caught.value.needed and caught.value.todo
    assert "run" in str(caught.value)
