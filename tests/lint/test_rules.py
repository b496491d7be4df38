"""Each rule refuses, or doubts, what it is there for, and names the statement at fault."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest

from sciml import (
    Box,
    Coefficient,
    D,
    Field,
    Law,
    Parameter,
    Problem,
    ProblemError,
    ProblemWarning,
    VectorField,
    at,
    coordinates,
    div,
    dot,
    exp,
    grad,
    integral,
    laplacian,
    log,
    normal_derivative,
    pi,
    sin,
    sqrt,
    where,
)

Build = Callable[[], Problem]

t, x = coordinates("t x")
u, w = Field("u", t, x), Field("w", t, x)
d = Box({t: (0, 1), x: (0, 1)})
ring = Box({t: (0, 1), x: (0, 1)}, periodic=x)
start = (u == sin(pi * x)).on(d.at(t=0))
walls = (u == 0).on(d.boundary(x))
heat = u.dt == u.dxx

X, Y = coordinates("x y")
q, square = Field("q", X, Y), Box({X: (0, 1), Y: (0, 1)})

T, a, b = coordinates("t x y")
v, p = VectorField("v", 2, T, a, b), Field("p", T, a, b)
room = Box({T: (0, 1), a: (0, 1), b: (0, 1)})
navier_stokes = [v.dt + dot(grad(v), v) + grad(p) == 0.01 * laplacian(v), div(v) == 0]
flow_data = [(v == (0, 0)).on(room.at(t=0)), (v == 0).on(room.boundary)]
gauge = (integral(p, a, b) == 0).on(room)

vortex, head, square_flow = VectorField("v", 2, X, Y), Field("p", X, Y), Box({X: (0, 1), Y: (0, 1)})
stokes = [grad(head) == laplacian(vortex), div(vortex) == 0]

REFUSED: dict[str, tuple[Build, tuple[str, ...]]] = {
    # initial conditions
    "no initial condition": (lambda: Problem(heat, d, walls), ("0 initial conditions for `u`", "t=0", "`u`")),
    "wave without a rate": (lambda: Problem(u.dtt == u.dxx, d, [start, walls]), ("1 initial condition ", "D(u, t)")),
    "wave without a value": (
        lambda: Problem(u.dtt == u.dxx, d, [(u.dt == 0).on(d.at(t=0)), walls]),
        ("1 initial condition ", "1", "`u` at t=0 is missing"),
    ),
    "initial condition of one field only": (
        lambda: Problem([u.dt == u.dxx + w, w.dt == u], d, [start, walls]),
        ("0 initial conditions for `w`",),
    ),
    "initial condition on the pressure": (
        lambda: Problem(navier_stokes, room, [*flow_data, gauge, (p == 0).on(room.at(t=0))]),
        ("`p == 0`", "whose derivative in t no equation contains", "drop it"),
    ),
    # boundary conditions of even order
    "one face missing": (
        lambda: Problem(heat, d, [start, (u == 0).on(d.lower(x))]),
        ("1 on x lower, 0 on x upper", "1 on each face", "x upper"),
    ),
    "no boundary conditions": (lambda: Problem(heat, d, start), ("0 boundary conditions along x", "periodic")),
    "one condition a face at fourth order": (
        lambda: Problem(u.dt + u * u.dx + u.dxx + u.dxxxx == 0, d, [start, walls]),
        ("whose order in x is 4", "2 on each face"),
    ),
    "a face of a Poisson problem": (
        lambda: Problem(laplacian(q) == 1, square, [(q == 0).on(square.boundary(X)), (q == 0).on(square.lower(Y))]),
        ("y upper",),
    ),
    "a periodic pair without its derivative": (
        lambda: Problem(heat, d, [start, (at(u, x=0) == at(u, x=1)).on(d)]),
        ("1 boundary condition along x", "2 that tie the two faces"),
    ),
    "a field of a system without faces": (
        lambda: Problem([u.dt == u.dxx - u * w, w.dt == w.dxx + u * w], d, [start, (w == 0).on(d.at(t=0)), walls]),
        ("0 boundary conditions along x for `w`",),
    ),
    "elasticity with one component on a face": (
        lambda: Problem(
            laplacian(vortex) + grad(div(vortex)) == 0,
            square_flow,
            [(vortex == 0).on(square_flow.boundary(X)), (vortex[0] == 0).on(square_flow.boundary(Y))],
        ),
        ("1 on y lower and 1 on y upper", "2 scalar boundary conditions on each face of y"),
    ),
    "flow along a bare face": (
        lambda: Problem(
            stokes, square_flow, [(vortex == 0).on(square_flow.boundary(X)), (head == 0).on(square_flow.at(x=0, y=0))]
        ),
        ("0 on y lower",),
    ),
    # odd order
    "advection with data on the outflow only": (
        lambda: Problem(u.dt + 2 * u.dx == 0, d, [start, (u == 0).on(d.upper(x))]),
        ("1 on x lower, where characteristics enter", "whose order in x is 1"),
    ),
    "advection to the left without data on the right": (
        lambda: Problem(u.dt == u.dx, d, start),
        ("1 on x upper, where characteristics enter",),
    ),
    "a speed given by a parameter": (
        lambda: Problem(u.dt + Parameter("c", -3.0) * u.dx == 0, d, [start, (u == 0).on(d.lower(x))]),
        ("1 on x upper",),
    ),
    "inflow known from the initial data": (
        lambda: Problem(u.dt + u * u.dx == 0, d, [(u == 1 + x).on(d.at(t=0)), (u == 2).on(d.upper(x))]),
        ("1 on x lower, where characteristics enter",),
    ),
    "third order with two conditions": (
        lambda: Problem(u.dt + u.dxxx == 0, d, [start, walls]),
        ("2 boundary conditions along x", "3 over both faces"),
    ),
    "third order with the slope on the wrong side": (
        lambda: Problem(u.dt + u.dxxx == 0, d, [start, walls, (u.dx == pi).on(d.lower(x))]),
        ("2 on x upper, where characteristics enter",),
    ),
    "steady advection with data on one edge": (
        lambda: Problem(q.dx + q.dy == 0, square, (q == 0).on(square.lower(X))),
        ("1 on y lower, where characteristics enter",),
    ),
    "eikonal without data": (
        lambda: Problem(dot(grad(q), grad(q)) == 1, square),
        ("`q`", "where characteristics enter"),
    ),
    # gauges
    "pressure without a gauge": (
        lambda: Problem(navier_stokes, room, flow_data),
        ("`p` only under derivatives", "at every time", "integral(p, x, y)"),
    ),
    "a gauge at the first time only": (
        lambda: Problem(navier_stokes, room, [*flow_data, (p == 0).on(room.at(t=0, x=0, y=0))]),
        ("`p` only under derivatives",),
    ),
    "pure Neumann": (
        lambda: Problem(laplacian(q) == 0, square, (normal_derivative(q) == 0).on(square.boundary)),
        ("`q` only under derivatives",),
    ),
    "periodic Poisson": (
        lambda: Problem(laplacian(q) == sin(2 * pi * X), Box({X: (0, 1), Y: (0, 1)}, periodic=(X, Y))),
        ("`q` only under derivatives",),
    ),
    # data
    "two values on one face": (
        lambda: Problem(heat, d, [start, walls, (u == 1).on(d.lower(x))]),
        ("`u == 0` and `u - 1 == 0` on x lower", "contradict"),
    ),
    "two initial values": (
        lambda: Problem(heat, d, [start, walls, (2 * u == sin(pi * x)).on(d.at(t=0))]),
        ("contradict", "t lower"),
    ),
    "data with a pole": (
        lambda: Problem(heat, d, [(u == log(x - 0.5)).on(d.at(t=0)), walls]),
        ("not finite", "t lower", "log"),
    ),
    "data that do not reach the ends": (
        lambda: Problem(
            heat,
            d,
            [(u == Coefficient("f", x, values=np.zeros(9), points=(np.linspace(0, 0.5, 9),))).on(d.at(t=0)), walls],
        ),
        ("coefficient 'f'", "[0, 0.5]", "[0, 1]"),
    ),
    "a coefficient that is not finite": (
        lambda: Problem(u.dt == u.dxx / Coefficient("g", x, function=lambda x: x * np.nan), d, [start, walls]),
        ("coefficient 'g'", "not finite"),
    ),
    "a coefficient's function that fails": (
        lambda: Problem(u.dt == Coefficient("g", x, function=lambda x, y: x) * u.dxx, d, [start, walls]),
        ("TypeError", "coefficient 'g'"),
    ),
    "a law of another shape": (
        lambda: Problem(u.dt == Law("K", u) * u.dxx, d, [start, walls], bindings={"K": lambda u: np.ones(3)}),
        ("shape (3,)", "law 'K'", "shape ()"),
    ),
    "a law that fails": (
        lambda: Problem(u.dt == Law("K", u) * u.dxx, d, [start, walls]).bind("K", lambda a, b: a),
        ("TypeError", "law 'K'"),
    ),
    # truths
    "exact solution of another equation": (
        lambda: Problem(heat, d, [start, walls], exact={u: exp(-t) * sin(pi * x)}),
        ("residual", "D(u, t)", "its terms are of size"),
    ),
    "exact solution with other boundary values": (
        lambda: Problem(heat, d, [(u == x).on(d.at(t=0)), walls], exact={u: x}),
        ("`u == 0` on x lower and x upper",),
    ),
    "exact solution with other initial values": (
        lambda: Problem(
            heat, d, [(u == 2 * sin(pi * x)).on(d.at(t=0)), walls], exact={u: exp(-(pi**2) * t) * sin(pi * x)}
        ),
        ("on t lower", "residual 9.9"),
    ),
    "exact solution with a wrong rate": (
        lambda: Problem(
            u.dtt == u.dxx, d, [start, (u.dt == 1).on(d.at(t=0)), walls], exact={u: sin(pi * x) * sin(pi * (t + 0.5))}
        ),
        ("D(u, t) - 1", "on t lower"),
    ),
    "exact pressure outside its gauge": (
        lambda: Problem(navier_stokes, room, [*flow_data, gauge], exact={v: (0 * a, 0 * a), p: 1 + 0 * a}),
        ("integral(p, x, y)",),
    ),
    # names, frames, regions
    "an equation without a field": (lambda: Problem([heat, x == t], d, [start, walls]), ("`x == t`", "no field")),
    "an equation stated twice": (lambda: Problem([heat, u.dxx == u.dt], d, [start, walls]), ("stated twice",)),
    "a condition on an unknown field": (
        lambda: Problem(heat, d, [start, walls, (w == 0).on(d.at(t=0))]),
        ("field w", "which no equation contains", "fields of the equations: u"),
    ),
    "a condition without a field": (
        lambda: Problem(heat, d, [start, walls, (x == 0).on(d.at(t=0))]),
        ("no field",),
    ),
    "another frame": (lambda: Problem(heat, square, []), ("(t, x)", "(x, y)", "domain")),
    "a condition of another frame": (
        lambda: Problem(heat, d, [start, walls, (q == 0).on(square.lower(X))]),
        ("`q == 0`", "(x, y)"),
    ),
    "a region of another domain": (
        lambda: Problem(heat, d, [start, walls, (u == 0).on(square.lower(X))]),
        ("region", "(x, y)"),
    ),
    "a place outside": (
        lambda: Problem(heat, d, [start, walls, (u == 0).on(Box({t: (0, 1), x: (0, 9)}).at(x=5))]),
        ("x=5", "[0, 1]"),
    ),
    "a face of a periodic coordinate": (
        lambda: Problem(heat, ring, [start, walls]),
        ("x, which is periodic", "repeats"),
    ),
    "a slice at the end of a periodic coordinate": (
        lambda: Problem(heat, ring, [start, (u == 0).on(ring.at(x=0))]),
        ("x, which is periodic",),
    ),
    "two fields of one name": (
        lambda: Problem([heat, Field("u", x).dxx == 0], d, [start, walls]),
        ("a field and a field named 'u'",),
    ),
    "a parameter named as a field": (
        lambda: Problem(u.dt == Parameter("u", 1.0) * u.dxx, d, [start, walls]),
        ("a field and a parameter named 'u'",),
    ),
    "a number for no parameter": (
        lambda: Problem(heat, d, [start, walls], numbers={"nu": 1.0}),
        ("parameter 'nu'", "appears nowhere"),
    ),
    "a function for no law": (
        lambda: Problem(heat, d, [start, walls], bindings={"K": lambda u: u}),
        ("law 'K'", "appears nowhere"),
    ),
    "an observation of an unknown field": (
        lambda: Problem(heat, d, [start, walls]).observe(w, np.full((3, 2), 0.5), np.zeros(3)),
        ("field w", "which no equation contains"),
    ),
    "an observation of no field": (
        lambda: Problem(heat, d, [start, walls]).observe(2 * x, np.full((3, 2), 0.5), np.zeros(3)),
        ("no field in Observation",),
    ),
}

DOUBTED: dict[str, tuple[Build, tuple[str, ...]]] = {
    "a corner that disagrees": (
        lambda: Problem(heat, d, [(u == 1 + 0 * x).on(d.at(t=0)), walls]),
        ("jump of 1 in `u`", "t lower meets x lower", "1 more"),
    ),
    "a lid over a cavity": (
        lambda: Problem(
            stokes,
            square_flow,
            [
                (vortex == (1, 0)).on(square_flow.upper(Y)),
                (vortex == 0).on(square_flow.lower(Y) | square_flow.boundary(X)),
                (head == 0).on(square_flow.at(x=0, y=0)),
            ],
        ),
        ("jump of 1 in `v[0]`", "y upper meets x lower"),
    ),
    "initial and boundary data from a grid": (
        lambda: Problem(
            heat,
            d,
            [(u == Coefficient("f", x, values=np.full(9, 3.0), points=(np.linspace(0, 1, 9),))).on(d.at(t=0)), walls],
        ),
        ("jump of 3", "`f` against `0`"),
    ),
    "a condition stated twice": (
        lambda: Problem(heat, d, [start, walls, (2 * u == 0).on(d.lower(x))]),
        ("say the same", "x lower"),
    ),
    "two conditions on each face of a diffusion": (
        lambda: Problem(heat, d, [start, walls, (u.dx == 0).on(d.boundary(x))]),
        ("2 boundary conditions for `u` on x lower", "1 on each face"),
    ),
    "both conditions on one face": (
        lambda: Problem(heat, d, [start, (u == 0).on(d.lower(x)), (u.dx == pi).on(d.lower(x))]),
        ("2 conditions for `u` on x lower and 0 on x upper", "does not depend continuously"),
    ),
    "data on the outflow face too": (
        lambda: Problem(u.dt + 2 * u.dx == 0, d, [start, walls]),
        ("1 boundary condition for `u` on x upper", "0 on x upper, where characteristics leave"),
    ),
    "data on all edges of a steady advection": (
        lambda: Problem(20 * q.dx + q.dy == 0, square, (q == sin(X - 20 * Y)).on(square.boundary)),
        ("where characteristics leave",),
    ),
    "a speed that changes sign": (
        lambda: Problem(u.dt + sin(7 * t) * u.dx == 0, d, [start, (u == 0).on(d.lower(x))]),
        ("changes sign on the face",),
    ),
    "a speed that depends on the solution": (
        lambda: Problem(u.dt + u.dx**2 == 0, d, start),
        ("depends on the solution", "x lower"),
    ),
    "a rate too many": (
        lambda: Problem(heat, d, [start, walls, (u.dt == 0).on(d.at(t=0))]),
        ("2 conditions in t for `u`, whose order in t is 1",),
    ),
    "diffusion backwards": (lambda: Problem(u.dt == -u.dxx, d, [start, walls]), ("runs against time along x",)),
    "diffusion that changes sign": (
        lambda: Problem(u.dt == (x - 0.5) * u.dxx, d, [start, walls]),
        ("changes the sign of its diffusion",),
    ),
    "fourth order with the sign of anti-diffusion": (
        lambda: Problem(u.dt == u.dxxxx, d, [start, walls, (u.dxx == 0).on(d.boundary)]),
        ("runs against time along x",),
    ),
    "terminal data for a diffusion": (
        lambda: Problem(heat, d, [(u == sin(pi * x)).on(d.at(t=1)), walls]),
        ("terminal data", "runs against time"),
    ),
    "an elliptic equation started like a wave": (
        lambda: Problem(u.dtt == -u.dxx, d, [start, (u.dt == 0).on(d.at(t=0)), walls]),
        ("runs against time",),
    ),
    "data at both ends of time": (
        lambda: Problem(u.dtt == u.dxx, d, [start, (u == 0).on(d.at(t=1)), walls]),
        ("both ends of t",),
    ),
    "a condition inside the time interval": (
        lambda: Problem(heat, d, [start, walls, (u == sin(pi * x)).on(d.at(t=0.5))]),
        ("t=0.5", "inside the time interval", "observe"),
    ),
    "fewer equations than unknowns": (
        lambda: Problem(-div(Field("k", X, Y) * grad(q)) == 1, square, (q == 0).on(square.boundary)),
        ("1 scalar equations for 2 scalar unknowns", "observe"),
    ),
    "more equations than unknowns": (
        lambda: Problem([heat, u.dx == u], d, [start, walls]),
        ("2 scalar equations for 1 scalar unknowns",),
    ),
    "a wave system without faces": (
        lambda: Problem([u.dt == w.dx, w.dt == u.dx], d, [start, (w == 0).on(d.at(t=0))]),
        ("no boundary condition along x for the coupled fields `u`, `w`",),
    ),
    "a wave system with all fields on all faces": (
        lambda: Problem(
            [u.dt == w.dx, w.dt == u.dx], d, [start, (w == 0).on(d.at(t=0)), walls, (w == 0).on(d.boundary)]
        ),
        ("2 boundary conditions on x lower for `u`, `w`", "2 along x"),
    ),
    "an outlet with the pressure only": (
        lambda: Problem(
            stokes,
            square_flow,
            [(vortex == 0).on(square_flow.lower(X) | square_flow.boundary(Y)), (head == 0).on(square_flow.upper(X))],
        ),
        ("for `v[1]`", "x upper"),
    ),
    "velocity and pressure on every wall": (
        lambda: Problem(
            stokes, square_flow, [(vortex == 0).on(square_flow.boundary), (head == 0).on(square_flow.boundary)]
        ),
        ("2 boundary conditions on x lower for `p`, `v[0]`",),
    ),
    "a condition on a field that is not differentiated there": (
        lambda: Problem([heat, w.dt == u], d, [start, walls, (w == 0).on(d.at(t=0)), (w == 0).on(d.boundary(x))]),
        ("for `w` on x lower", "no equation differentiates `w` along x"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str):
    build, words = REFUSED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        with pytest.raises(ProblemError) as caught:
            build()
    text = " ".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert all(word in text for word in words), text
    assert caught.value.found and caught.value.needed and caught.value.todo


@pytest.mark.parametrize("name", DOUBTED)
def test_doubted(name: str):
    build, words = DOUBTED[name]
    with pytest.warns(ProblemWarning) as caught:
        assert isinstance(build(), Problem)
    text = " ".join(str(w.message) for w in caught)
    assert all(word in text for word in words), text
    assert all("needed" in str(w.message) and "do this" in str(w.message) for w in caught)


def test_a_doubt_points_at_the_line_that_made_the_problem():
    with pytest.warns(ProblemWarning) as caught:
        Problem(u.dt == -u.dxx, d, [start, walls])
    assert [w.filename for w in caught] == [__file__]


def test_several_errors_are_told_together():
    with pytest.raises(ProblemError) as caught:
        Problem(heat, d, [])
    notes = getattr(caught.value, "__notes__", [])
    assert "initial condition" in str(caught.value) and any("boundary condition" in note for note in notes)


def test_a_verified_solution_makes_redundant_data_harmless():
    """Data on outflow faces are one statement too many, but a declared solution shows that they agree."""
    conditions = [(u == sin(x - 2 * t)).on(d.at(t=0)), (u == sin(x - 2 * t)).on(d.boundary)]
    equation = u.dt + 2 * u.dx == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Problem(equation, d, conditions, exact={u: sin(x - 2 * t)})
    with pytest.warns(ProblemWarning, match="characteristics leave"):
        Problem(equation, d, conditions)


def test_measurements_turn_missing_conditions_into_doubts():
    points, values = np.full((3, 2), 0.5), np.zeros(3)
    observed = Problem(heat, d, [start, walls]).observe("u", points, values)
    with pytest.warns(ProblemWarning) as caught:
        observed.replace(conditions=[])
    texts = [str(w.message) for w in caught]
    assert len(texts) == 2 and "0 initial conditions" in texts[0] and "0 boundary conditions" in texts[1]


def test_an_unknown_parameter_postpones_the_check_of_the_exact_solution():
    nu = Parameter("nu", 0.1)
    truth = exp(-0.1 * pi**2 * t) * sin(pi * x)
    problem = Problem(u.dt == nu * u.dxx, d, [start, walls], exact={u: truth})
    assert problem.forget("nu").reference is not None
    with pytest.raises(ProblemError, match="exact solution with residual"):
        problem.replace(nu=0.2)
    assert problem.replace(nu=0.2, exact=None).reference is None


def test_an_exact_solution_follows_its_parameters():
    nu = Parameter("nu", 0.1)
    problem = Problem(u.dt == nu * u.dxx, d, [start, walls], exact={u: exp(-nu * pi**2 * t) * sin(pi * x)})
    faster = problem.replace(nu=0.5).reference
    assert faster is not None and not isinstance(faster, str)
    value = faster({"t": np.array([1.0]), "x": np.array([0.5])})["u"]  # type: ignore[operator]
    np.testing.assert_allclose(value, np.exp(-0.5 * np.pi**2), rtol=1e-14)


def test_a_kink_in_the_truth_is_no_violation():
    (z,) = coordinates("z")
    f, interval = Field("f", z), Box({z: (0, 1)})
    truth = where(z < 0.5, 0 * z, sqrt((z - 0.5) ** 2))
    kink = Problem(
        D(f, z) == where(z < 0.5, 0 * z, 1 + 0 * z), interval, (f == 0).on(interval.lower(z)), exact={f: truth}
    )
    assert kink.reference is not None
