"""Well-posed problems of every kind pass without a word (pytest turns warnings into errors), and quickly."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest

from sciml import (
    Box,
    Coefficient,
    Cubic,
    D,
    Field,
    Law,
    Linear,
    Nearest,
    Parameter,
    Problem,
    VectorField,
    at,
    coordinates,
    cos,
    cosh,
    div,
    dot,
    exp,
    grad,
    identity,
    integral,
    laplacian,
    normal,
    normal_derivative,
    pi,
    sin,
    sqrt,
    tanh,
    trace,
    transpose,
)

GOOD: dict[str, Callable[[], Problem]] = {}


def good(build: Callable[[], Problem]) -> Callable[[], Problem]:
    GOOD[build.__name__] = build
    return build


def line(lower: float = 0.0, upper: float = 1.0, *, periodic: bool = False):
    t, x = coordinates("t x")
    return t, x, Field("u", t, x), Box({t: (0, 1), x: (lower, upper)}, periodic=(x,) if periodic else ())


@good
def burgers():
    _, x, u, d = line(-1, 1)
    equation = u.dt + u * u.dx == 0.01 / pi * u.dxx
    return Problem(equation, d, [(u == -sin(pi * x)).on(d.at(t=0)), (u == 0).on(d.boundary(x))])


@good
def heat_with_exact_solution():
    t, x, u, d = line()
    nu = Parameter("nu", 0.1)
    truth = exp(-nu * pi**2 * t) * sin(pi * x)
    conditions = [(u == sin(pi * x)).on(d.at(t=0)), (u == 0).on(d.boundary)]
    return Problem(u.dt == nu * u.dxx, d, conditions, exact={u: truth})


@good
def heat_with_robin_and_neumann_faces():
    _, x, u, d = line()
    robin = (u + 2 * normal_derivative(u) == 0).on(d.lower(x))
    return Problem(u.dt == u.dxx, d, [(u == 1).on(d.at(t=0)), robin, (u.dx == 0).on(d.upper(x))])


@good
def heat_periodic_by_hand():
    _, x, u, d = line()
    pairs = [(at(u, x=0) == at(u, x=1)).on(d), (at(u.dx, x=0) == at(u.dx, x=1)).on(d)]
    return Problem(u.dt == u.dxx, d, [(u == sin(2 * pi * x)).on(d.at(t=0)), *pairs])


@good
def wave():
    t, x, u, d = line()
    start = [(u == sin(pi * x)).on(d.at(t=0)), (u.dt == 0).on(d.at(t=0))]
    truth = {u: cos(pi * t) * sin(pi * x)}
    return Problem(u.dtt == u.dxx, d, [*start, (u == 0).on(d.boundary)], exact=truth)


@good
def wave_as_a_system():
    t, x, p, d = line()
    v = Field("v", t, x)
    start = [(p == sin(pi * x)).on(d.at(t=0)), (v == 0).on(d.at(t=0))]
    return Problem([p.dt == -v.dx, v.dt == -p.dx], d, [*start, (p == 0).on(d.boundary)])


@good
def kuramoto_sivashinsky():
    _, x, u, d = line(0, 32, periodic=True)
    start = (u == cos(x * pi / 16) * (1 + sin(x * pi / 16))).on(d.at(t=0))
    return Problem(u.dt + u * u.dx + u.dxx + u.dxxxx == 0, d, start)


@good
def kuramoto_sivashinsky_on_an_interval():
    _, _, u, d = line(0, 32)
    walls = [(u == 0).on(d.boundary), (u.dx == 0).on(d.boundary)]
    return Problem(u.dt + u * u.dx + u.dxx + u.dxxxx == 0, d, [(u == 0).on(d.at(t=0)), *walls])


@good
def korteweg_de_vries_periodic():
    _, x, u, d = line(-1, 1, periodic=True)
    return Problem(u.dt + u * u.dx + 0.0025 * u.dxxx == 0, d, (u == cos(pi * x)).on(d.at(t=0)))


@good
def korteweg_de_vries_on_an_interval():
    t, x, u, d = line(-10, 10)
    c = 1.3
    soliton = c / 2 / cosh(np.sqrt(c) / 2 * (x - c * t)) ** 2
    conditions = [(u == soliton).on(d.at(t=0)), (u == soliton).on(d.boundary), (u.dx == D(soliton, x)).on(d.upper(x))]
    return Problem(u.dt + 6 * u * u.dx + u.dxxx == 0, d, conditions, exact={u: soliton})


@good
def allen_cahn_periodic():
    _, x, u, d = line(-1, 1, periodic=True)
    return Problem(u.dt == 1e-4 * u.dxx - 5 * u**3 + 5 * u, d, (u == x**2 * cos(pi * x)).on(d.at(t=0)))


@good
def schroedinger_as_two_real_fields():
    t, x, u, d = line(-5, 5, periodic=True)
    v = Field("v", t, x)
    size = u**2 + v**2
    equations = [u.dt + 0.5 * v.dxx + size * v == 0, v.dt - 0.5 * u.dxx - size * u == 0]
    return Problem(equations, d, [(u == 2 / cosh(x)).on(d.at(t=0)), (v == 0).on(d.at(t=0))])


@good
def schroedinger_between_walls():
    t, x, u, d = line(-5, 5)
    v = Field("v", t, x)
    walls = [(u == 0).on(d.boundary), (v == 0).on(d.boundary)]
    start = [(u == sin(pi * x / 5)).on(d.at(t=0)), (v == 0).on(d.at(t=0))]
    return Problem([u.dt + 0.5 * v.dxx == 0, v.dt - 0.5 * u.dxx == 0], d, [*start, *walls])


@good
def poisson_6d():
    xs = coordinates("a b c d e f")
    u, box = Field("u", *xs), Box(dict.fromkeys(xs, (0, 1)))
    truth = sum(sin(pi / 2 * x) for x in xs)
    return Problem(laplacian(u) == -(pi**2) / 4 * truth, box, (u == truth).on(box.boundary), exact={u: truth})


@good
def poisson_with_neumann_faces_and_a_gauge():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    walls = (normal_derivative(u) == 0).on(d.boundary)
    return Problem(laplacian(u) == cos(pi * x), d, [walls, (integral(u, x, y) == 0).on(d)])


@good
def periodic_poisson_with_a_point():
    (x,) = coordinates("x")
    u, d = Field("u", x), Box({x: (0, 2 * pi)}, periodic=x)
    return Problem(u.dxx == sin(x), d, (u == 0).on(d.at(x=0)))


@good
def helmholtz():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (-1, 1), y: (-1, 1)})
    truth = sin(pi * x) * sin(4 * pi * y)
    source = (1 - 17 * pi**2) * truth
    return Problem(laplacian(u) + u == source, d, (u == 0).on(d.boundary), exact={u: truth})


@good
def beam():
    _, x, u, d = line()
    start = [(u == 0).on(d.at(t=0)), (u.dt == 0).on(d.at(t=0))]
    clamped = [(u == 0).on(d.lower(x)), (u.dx == 0).on(d.lower(x))]
    free = [(u.dxx == 0).on(d.upper(x)), (u.dxxx == 0).on(d.upper(x))]
    return Problem(u.dtt + u.dxxxx == sin(pi * x), d, [*start, *clamped, *free])


@good
def biharmonic():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    truth = sin(pi * x) * sin(pi * y)
    walls = [(u == 0).on(d.boundary), (laplacian(u) == 0).on(d.boundary)]
    return Problem(laplacian(laplacian(u)) == 4 * pi**4 * truth, d, walls, exact={u: truth})


@good
def eikonal():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    return Problem(sqrt(dot(grad(u), grad(u))) == 1, d, (u == 0).on(d.boundary))


@good
def eikonal_from_a_point():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (-1, 1), y: (-1, 1)})
    return Problem(dot(grad(u), grad(u)) == 1, d, (u == 0).on(d.at(x=0, y=0)))


@good
def advection_with_inflow():
    t, x, u, d = line()
    start, inflow = (u == sin(x)).on(d.at(t=0)), (u == sin(-2 * t)).on(d.lower(x))
    return Problem(u.dt + 2 * u.dx == 0, d, [start, inflow], exact={u: sin(x - 2 * t)})


@good
def steady_advection():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    inflow = [(u == sin(-y)).on(d.lower(x)), (u == sin(x)).on(d.lower(y))]
    return Problem(u.dx + u.dy == 0, d, inflow)


@good
def steady_advection_with_consistent_data_everywhere():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    truth = sin(x - 20 * y)
    return Problem(20 * u.dx + u.dy == 0, d, (u == truth).on(d.boundary), exact={u: truth})


@good
def inviscid_burgers_with_inflow_on_both_faces():
    _, x, u, d = line()
    faces = [(u == 1).on(d.lower(x)), (u == -1).on(d.upper(x))]
    return Problem(u.dt + u * u.dx == 0, d, [(u == 1 - 2 * x).on(d.at(t=0)), *faces])


@good
def parabolic_in_a_second_space_coordinate():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    walls = [(u == 0).on(d.boundary(y)), (u == sin(pi * y)).on(d.lower(x))]
    return Problem(u.dx == u.dyy, d, walls)


@good
def blasius():
    (x,) = coordinates("x")
    f, d = Field("f", x), Box({x: (0, 10)})
    conditions = [(f == 0).on(d.lower(x)), (f.dx == 0).on(d.lower(x)), (f.dx == 1).on(d.upper(x))]
    return Problem(f.dxxx + f * f.dxx / 2 == 0, d, conditions)


@good
def pendulum():
    (t,) = coordinates("t")
    u, d = Field("u", t), Box({t: (0, 10)})
    return Problem(u.dtt + sin(u) == 0, d, [(u == 1).on(d.at(t=0)), (u.dt == 0).on(d.at(t=0))])


@good
def shooting_along_the_only_axis():
    (x,) = coordinates("x")
    u, d = Field("u", x), Box({x: (0, 1)})
    return Problem(u.dxx + u == 0, d, [(u == 0).on(d.lower(x)), (u.dx == 1).on(d.lower(x))])


@good
def black_scholes_with_terminal_data():
    t, x = coordinates("t S")
    v, d = Field("V", t, x), Box({t: (0, 1), x: (0, 200)})
    payoff = (v == 20 * (1 + tanh((x - 100) / 20))).on(d.at(t=1))
    equation = v.dt + 0.02 * x**2 * D(v, x, x) + 0.05 * x * D(v, x) - 0.05 * v == 0
    return Problem(equation, d, [payoff, (D(v, x) == 0).on(d.upper(x))])


@good
def black_scholes_without_data_where_it_degenerates():
    t, x = coordinates("t S")
    v, d = Field("V", t, x), Box({t: (0, 1), x: (0, 200)})
    equation = v.dt == 0.02 * x**2 * D(v, x, x) + 0.05 * x * D(v, x) - 0.05 * v
    return Problem(equation, d, [(v == x).on(d.at(t=0)), (D(v, x) == 1).on(d.upper(x))])


@good
def regularised_long_waves():
    t, x, u, d = line(-10, 10)
    equation = u.dt + u.dx + u * u.dx - D(u, x, x, t) == 0
    return Problem(equation, d, [(u == exp(-(x**2)) - exp(-100)).on(d.at(t=0)), (u == 0).on(d.boundary)])


@good
def gray_scott():
    t, x, y = coordinates("t x y")
    u, v = Field("u", t, x, y), Field("v", t, x, y)
    d = Box({t: (0, 1), x: (-1, 1), y: (-1, 1)}, periodic=(x, y))
    equations = [
        u.dt == 1e-5 * laplacian(u) + 0.04 * (1 - u) - u * v**2,
        v.dt == 5e-6 * laplacian(v) - 0.1 * v + u * v**2,
    ]
    bump = exp(-80 * (x**2 + y**2))
    return Problem(equations, d, [(u == 1 - bump).on(d.at(t=0)), (v == bump).on(d.at(t=0))])


@good
def excitable_medium_with_one_diffusing_field():
    t, x, u, d = line()
    w = Field("w", t, x)
    start = [(u == cos(pi * x)).on(d.at(t=0)), (w == 0).on(d.at(t=0))]
    equations = [u.dt == u.dxx + u - u**3 - w, w.dt == 0.1 * (u - w)]
    return Problem(equations, d, [*start, (u.dx == 0).on(d.boundary)])


@good
def cahn_hilliard_with_a_chemical_potential():
    t, x, c, d = line()
    mu = Field("mu", t, x)
    walls = [(c.dx == 0).on(d.boundary), (mu.dx == 0).on(d.boundary)]
    equations = [c.dt == mu.dxx, mu == c**3 - c - 0.01 * c.dxx]
    return Problem(equations, d, [(c == cos(pi * x)).on(d.at(t=0)), *walls])


def flow(*, steady: bool = False):
    names = "x y" if steady else "t x y"
    *rest, x, y = coordinates(names)
    v, p = VectorField("v", 2, *rest, x, y), Field("p", *rest, x, y)
    return (*rest, x, y, v, p)


@good
def navier_stokes_with_a_gauge():
    t, x, y, v, p = flow()
    d = Box({t: (0, 1), x: (0, 1), y: (0, 1)})
    momentum = v.dt + dot(grad(v), v) + grad(p) == 0.01 * laplacian(v)
    conditions = [(v == (0, 0)).on(d.at(t=0)), (v == 0).on(d.boundary), (integral(p, x, y) == 0).on(d)]
    return Problem([momentum, div(v) == 0], d, conditions)


@good
def taylor_green():
    t, x, y, v, p = flow()
    d = Box({t: (0, 1), x: (0, 2 * pi), y: (0, 2 * pi)}, periodic=(x, y))
    decay = exp(-0.02 * t)
    velocity = (-cos(x) * sin(y) * decay, sin(x) * cos(y) * decay)
    pressure = -(cos(2 * x) + cos(2 * y)) / 4 * decay**2
    momentum = v.dt + dot(grad(v), v) + grad(p) == 0.01 * laplacian(v)
    conditions = [(v == (-cos(x) * sin(y), sin(x) * cos(y))).on(d.at(t=0)), (integral(p, x, y) == 0).on(d)]
    return Problem([momentum, div(v) == 0], d, conditions, exact={v: velocity, p: pressure})


@good
def channel_with_stress_free_outlet():
    x, y, v, p = flow(steady=True)
    d = Box({x: (0, 4), y: (0, 1)})
    momentum = dot(grad(v), v) + grad(p) == 0.01 * laplacian(v)
    outlet = [(0.01 * v[0].dx - p == 0).on(d.upper(x)), (v[1].dx == 0).on(d.upper(x))]
    inlet = (v == (4 * y * (1 - y), 0)).on(d.lower(x))
    return Problem([momentum, div(v) == 0], d, [inlet, (v == 0).on(d.boundary(y)), *outlet])


@good
def kovasznay_with_the_exact_flow_on_the_boundary():
    x, y, v, p = flow(steady=True)
    d = Box({x: (-0.5, 1), y: (-0.5, 1.5)})
    rate = 20 - np.sqrt(400 + 4 * np.pi**2)
    velocity = (1 - exp(rate * x) * cos(2 * pi * y), rate / (2 * pi) * exp(rate * x) * sin(2 * pi * y))
    pressure = (1 - exp(2 * rate * x)) / 2
    momentum = dot(grad(v), v) + grad(p) == laplacian(v) / 40
    conditions = [(v == velocity).on(d.boundary), (p == pressure).on(d.boundary)]
    return Problem([momentum, div(v) == 0], d, conditions, exact={v: velocity, p: pressure})


@good
def streamfunction_and_vorticity():
    t, x, y = coordinates("t x y")
    w, psi = Field("w", t, x, y), Field("psi", t, x, y)
    d = Box({t: (0, 1), x: (0, 1), y: (0, 1)})
    equations = [w.dt + psi.dy * w.dx - psi.dx * w.dy == 0.01 * laplacian(w), laplacian(psi) == -w]
    walls = [(psi == 0).on(d.boundary), (normal_derivative(psi) == 0).on(d.boundary)]
    return Problem(equations, d, [(w == 0).on(d.at(t=0)), *walls])


@good
def elastodynamics_with_traction():
    t, x, y = coordinates("t x y")
    w, d = VectorField("w", 2, t, x, y), Box({t: (0, 1), x: (0, 1), y: (0, 1)})
    strain = (grad(w) + transpose(grad(w))) / 2
    stress = 2 * strain + trace(strain) * identity(2)
    start = [(w == 0).on(d.at(t=0)), (w.dt == 0).on(d.at(t=0))]
    free = (dot(stress, normal(w)) == 0).on(d.boundary(x))
    return Problem(w.dtt == div(stress), d, [*start, (w == 0).on(d.boundary(y)), free])


@good
def maxwell_in_a_cavity():
    t, x, y = coordinates("t x y")
    e, h, g = (Field(name, t, x, y) for name in ("E", "H", "G"))
    d = Box({t: (0, 1), x: (0, 1), y: (0, 1)})
    start = [(e == sin(pi * x) * sin(pi * y)).on(d.at(t=0)), (h == 0).on(d.at(t=0)), (g == 0).on(d.at(t=0))]
    equations = [e.dt == g.dx - h.dy, h.dt == -e.dy, g.dt == e.dx]
    return Problem(equations, d, [*start, (e == 0).on(d.boundary)])


@good
def darcy_with_a_rough_coefficient():
    x, y = coordinates("x y")
    u, d = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    nodes = (np.arange(16) + 0.5) / 16
    values = np.where(np.random.default_rng(0).random((16, 16)) < 0.5, 3.0, 12.0)
    a = Coefficient("a", x, y, values=values, points=(nodes, nodes), interpolation=Nearest())
    return Problem(-div(a * grad(u)) == 1, d, (u == 0).on(d.boundary))


@good
def initial_data_from_coefficients():
    _, x, u, d = line()
    xs = np.linspace(0, 1, 33)
    start = Coefficient("start", x, values=np.sin(np.pi * xs), points=(xs,), interpolation=Cubic())
    other = Coefficient("source", x, values=xs, points=(xs,), interpolation=Linear())
    return Problem(u.dt == u.dxx + other, d, [(u == start).on(d.at(t=0)), (u == 0).on(d.boundary)])


@good
def initial_data_from_a_function():
    _, x, u, d = line()
    start = Coefficient("start", x, function=lambda x: jnp.sin(jnp.pi * x))
    return Problem(u.dt == u.dxx, d, [(u == start).on(d.at(t=0)), (u == 0).on(d.boundary)])


@good
def truth_from_a_function():
    (x,) = coordinates("x")
    u, d = Field("u", x), Box({x: (0, 1)})
    truth = Coefficient("truth", x, function=lambda x: jnp.sin(jnp.pi * x))
    return Problem(u.dxx == -(pi**2) * sin(pi * x), d, (u == 0).on(d.boundary), exact={u: truth})


@good
def unknown_parameter_before_it_is_observed():
    _, x, u, d = line(-1, 1)
    nu = Parameter("nu", init=0.1, positive=True)
    return Problem(u.dt + u * u.dx == nu * u.dxx, d, [(u == -sin(pi * x)).on(d.at(t=0)), (u == 0).on(d.boundary)])


@good
def unbound_law():
    _, x, u, d = line()
    flux = Law("diffusivity", u) * u.dx
    return Problem(u.dt == D(flux, x), d, [(u == sin(pi * x)).on(d.at(t=0)), (u == 0).on(d.boundary)])


@good
def bound_law():
    _, x, u, d = line()
    diffusivity = Law("diffusivity", u)
    conditions = [(u == sin(pi * x)).on(d.at(t=0)), (u == 0).on(d.boundary)]
    return Problem(u.dt == D(diffusivity * u.dx, x), d, conditions).bind(diffusivity, lambda u: 1 + u**2)


@good
def unknown_coefficient_field_with_measurements():
    x, y = coordinates("x y")
    u, a, d = Field("u", x, y), Field("a", x, y), Box({x: (0, 1), y: (0, 1)})
    forward = Problem(-laplacian(u) == 1, d, (u == 0).on(d.boundary))
    forward = forward.observe(u, np.random.default_rng(0).random((20, 2)), np.zeros(20), noise=0.1)
    inverse = [-div(a * grad(u)) == 1]
    return forward.replace(equations=inverse, conditions=[(u == 0).on(d.boundary), (a == 1).on(d.boundary)])


@good
def anything_with_measurements_that_replace_conditions():
    _, _, u, d = line()
    hidden = Problem(u.dt == u.dxx + u, d, [(u == 0).on(d.at(t=0)), (u == 0).on(d.boundary)])
    return hidden.observe("u", np.random.default_rng(0).random((20, 2)), np.zeros(20))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_problem_is_silent(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(GOOD[name](), Problem)


@pytest.mark.parametrize("name", ["burgers", "navier_stokes_with_a_gauge", "poisson_6d"])
def test_construction_is_fast(name: str):
    """Some milliseconds of processor time; the bound leaves room for a slow machine, not for a compilation."""
    GOOD[name]()
    times = []
    for _ in range(5):
        started = time.process_time()
        GOOD[name]()
        times.append(time.process_time() - started)
    assert min(times) < 0.06
