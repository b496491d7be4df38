r"""Problems that measure a Gaussian process beyond its published set: sources without spectral lines, other classes.

The solutions of `gp_hm` are polynomials times a few sinusoids, which a mixture kernel contains to round-off once it has
the frequencies; those here are not. Truths are exact unless a case says otherwise.
"""

from __future__ import annotations

from typing import Any

from pde_zoo.burgers import burgers
from pde_zoo.dispersive import korteweg_de_vries
from pde_zoo.elliptic import manufactured
from pde_zoo.suites import gp_hm
from sciml import (
    Box,
    ComputedReference,
    Field,
    Problem,
    Scalar,
    VectorField,
    coordinates,
    cos,
    div,
    dot,
    exp,
    grad,
    identity,
    integral,
    laplacian,
    normal,
    pi,
    sin,
    sqrt,
    transpose,
    vector,
)
from sciml.case import Case, Published

_UNIT, _CIRCLE = (0, 1), (0, 2 * pi)
_NOTES = "this project's notes, which do not name the paper (second-hand)"


def chirp() -> Problem:
    """1-D Poisson equation with the solution sin 4x² on [0, 2π], whose frequency grows to 50; exact."""
    return manufactured(laplacian, lambda x: sin(4 * x**2), [_CIRCLE], "chirp")


def bump() -> Problem:
    """1-D Poisson equation with the solution exp(-50(x - 2)²) on [0, 2π]; exact."""
    return manufactured(laplacian, lambda x: exp(-50 * (x - 2) ** 2), [_CIRCLE], "bump")


def kink() -> Problem:
    """1-D Poisson equation with the solution |x - 2|³ + sin 60x on [0, 2π]: the source has a corner; exact."""
    return manufactured(laplacian, lambda x: abs(x - 2) ** 3 + sin(60 * x), [_CIRCLE], "kink")


def bump_and_chirp() -> Problem:
    """2-D Poisson equation with the solution exp(-20((x - 2)² + (y - 3)²)) + sin(x² + y²) / 2 on [0, 2π]²; exact."""
    return manufactured(
        laplacian,
        lambda x, y: exp(-20 * ((x - 2) ** 2 + (y - 3) ** 2)) + 0.5 * sin(x**2 + y**2),
        [_CIRCLE] * 2,
        "bump_and_chirp",
    )


def a3_circle() -> Problem:
    """2-D steady Allen–Cahn equation with the three-scale solution of `gp_hm/a3`, on [0, 2π]²; exact."""
    one = gp_hm.a3()
    (x, y), (u,) = one.coordinates, one.unknowns
    g, h = (sin(s) + 0.1 * sin(20 * s) + cos(100 * s) for s in (x, y))
    box = Box({x: _CIRCLE, y: _CIRCLE})
    return Problem(one.equations, box, [(u == g * h).on(box.boundary)], exact={u: g * h}, name="a3_circle")


def advection_inflow(beta: float = 200.0) -> Problem:
    """Advection β u_x + u_t = 0 on [0, 1]² from initial and inflow values alone, with the solution sin(x - βt); exact.

    Args:
        beta: speed.
    """
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: _UNIT, x: _UNIT})
    truth = sin(x - beta * t)
    conditions = [(u == truth).on(box.at(t=0)), (u == truth).on(box.lower(x))]
    return Problem([u.dt + beta * u.dx == 0], box, conditions, exact={u: truth}, name="advection_inflow")


def poisson_3d() -> Problem:
    """3-D Poisson equation with the solution sin 20x sin 20y sin 20z + sin x cos 2y z on [0, 2π]³; exact."""
    return manufactured(
        laplacian,
        lambda x, y, z: sin(20 * x) * sin(20 * y) * sin(20 * z) + sin(x) * cos(2 * y) * z,
        [_CIRCLE] * 3,
        "poisson_3d",
    )


def darcy_smooth() -> Problem:
    """Darcy flow with the permeability exp(sin(2πx + πy) / 2), which does not separate; the solution is exact."""
    x, y = coordinates("x y")
    u, box = Field("u", x, y), Box({x: _UNIT, y: _UNIT})
    a, w = exp(0.5 * sin(2 * pi * x + pi * y)), sin(pi * x) * sin(2 * pi * y)
    return Problem([-div(a * grad(u)) == -div(a * grad(w))], box, [(u == 0).on(box.boundary)], exact={u: w})


def _cubic(u: Scalar) -> Scalar:
    return -laplacian(u) + u**3


def nonlinear_elliptic() -> Problem:
    """-Δu + u³ = f with the solution sin πx sin πy + 4 sin 4πx sin 4πy on [0, 1]²; exact."""
    return manufactured(
        _cubic,
        lambda x, y: sin(pi * x) * sin(pi * y) + 4 * sin(4 * pi * x) * sin(4 * pi * y),
        [_UNIT] * 2,
        "nonlinear_elliptic",
    )


def allen_cahn_smooth(epsilon: float = 0.01) -> Problem:
    """Allen–Cahn equation u_t = ε u_xx + u - u³ from smooth periodic data, t in [0, 1].

    Args:
        epsilon: diffusivity.

    Truth: Fourier spectral to a tolerance of 1e-10; its error is computed with it, from 256 points and 1e-8.
    """
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: _UNIT, x: (-1, 1)}, periodic=x)
    return Problem(
        [u.dt == epsilon * u.dxx + u - u**3],
        box,
        [(u == 0.8 * sin(pi * x) + 0.3 * cos(2 * pi * x)).on(box.at(t=0))],
        reference=ComputedReference("spectral", {"rtol": 1e-10}, {"rtol": 1e-8, "resolution": 256}),
        name="allen_cahn_smooth",
    )


def stokes() -> Problem:
    """Steady Stokes flow in the unit square, velocity on all sides, the pressure's mean zero; exact.

    The stream function is sin²(πx) sin 2πy, the pressure cos 2πx sin 2πy.
    """
    x, y = coordinates("x y")
    v, p, box = VectorField("v", 2, x, y), Field("p", x, y), Box({x: _UNIT, y: _UNIT})
    stream, q = sin(pi * x) ** 2 * sin(2 * pi * y), cos(2 * pi * x) * sin(2 * pi * y)
    w = vector(stream.dy, -stream.dx)
    return Problem(
        [-laplacian(v) + grad(p) == -laplacian(w) + grad(q), div(v) == 0],
        box,
        [(v == w).on(box.boundary), (integral(p, x, y) == 0).on(box)],
        exact={v: w, p: q},
        name="stokes",
    )


def kovasznay(reynolds: float = 40.0) -> Problem:
    r"""Kovasznay's flow behind a grid: Navier–Stokes equations, $x\in[-\tfrac12,1]$, $y\in[-\tfrac12,\tfrac32]$; exact.

    $v=(1-e^{\lambda x}\cos2\pi y,\ \tfrac{\lambda}{2\pi}e^{\lambda x}\sin2\pi y)$, $p=-\tfrac12e^{2\lambda x}$ with
    $\lambda=\tfrac{Re}2-\sqrt{\tfrac{Re^2}4+4\pi^2}$; the velocity on all sides, the pressure at one point.

    Args:
        reynolds: Reynolds number.

    Source: Kovasznay, doi:10.1017/S0305004100023999.
    """
    x, y = coordinates("x y")
    v, p, box = VectorField("v", 2, x, y), Field("p", x, y), Box({x: (-0.5, 1), y: (-0.5, 1.5)})
    rate = reynolds / 2 - sqrt(reynolds**2 / 4 + 4 * pi**2)
    w = vector(1 - exp(rate * x) * cos(2 * pi * y), rate / (2 * pi) * exp(rate * x) * sin(2 * pi * y))
    q = -exp(2 * rate * x) / 2
    return Problem(
        [dot(grad(v), v) == -grad(p) + laplacian(v) / reynolds, div(v) == 0],
        box,
        [(v == w).on(box.boundary), (p == -exp(rate) / 2).on(box.at(x=0.5, y=0.5))],
        exact={v: w, p: q},
        name="kovasznay",
    )


def gray_scott_steady() -> Problem:
    """Two species of the steady Gray–Scott equations on the unit square, driven to smooth truths; exact.

    -0.1 Δu + u v² - 0.04 (1 - u) = f with u = 1 - sin πx sin 3πy / 2, -0.05 Δv - u v² + 0.1 v = g with
    v = 0.3 + 0.2 cos 2πx cos πy.
    """
    x, y = coordinates("x y")
    u, v, box = Field("u", x, y), Field("v", x, y), Box({x: _UNIT, y: _UNIT})
    a, b = 1 - 0.5 * sin(pi * x) * sin(3 * pi * y), 0.3 + 0.2 * cos(2 * pi * x) * cos(pi * y)

    def fuel(u: Scalar, v: Scalar) -> Scalar:
        return -0.1 * laplacian(u) + u * v**2 - 0.04 * (1 - u)

    def catalyst(u: Scalar, v: Scalar) -> Scalar:
        return -0.05 * laplacian(v) - u * v**2 + 0.1 * v

    return Problem(
        [fuel(u, v) == fuel(a, b), catalyst(u, v) == catalyst(a, b)],
        box,
        [(u == a).on(box.boundary), (v == b).on(box.boundary)],
        exact={u: a, v: b},
        name="gray_scott_steady",
    )


def fitzhugh_nagumo() -> Problem:
    """FitzHugh–Nagumo equations with diffusion of both fields, t and x in [0, 1], driven to smooth truths; exact.

    u_t = 0.05 u_xx + u - u³ - v + f with u = 1/2 + sin πx cos 2t, v_t = 0.02 v_xx + (u - v) / 2 + g with
    v = 0.3 e^{-t} cos πx.
    """
    t, x = coordinates("t x")
    u, v, box = Field("u", t, x), Field("v", t, x), Box({t: _UNIT, x: _UNIT})
    a, b = 0.5 + sin(pi * x) * cos(2 * t), 0.3 * exp(-t) * cos(pi * x)

    def activator(u: Scalar, v: Scalar) -> Scalar:
        return u.dt - 0.05 * u.dxx - u + u**3 + v

    def inhibitor(u: Scalar, v: Scalar) -> Scalar:
        return v.dt - 0.02 * v.dxx - 0.5 * (u - v)

    return Problem(
        [activator(u, v) == activator(a, b), inhibitor(u, v) == inhibitor(a, b)],
        box,
        [(w == s).on(box.at(t=0) | box.boundary(x)) for w, s in ((u, a), (v, b))],
        exact={u: a, v: b},
        name="fitzhugh_nagumo",
    )


def elasticity() -> Problem:
    """Linear elasticity with λ = 2, μ = 1 on the unit square: displacement on the sides of x, traction on those of y.

    Truth: the displacement is (sin 3x cos 2y, cos(x + 2y) / 2), exact.
    """
    x, y = coordinates("x y")
    u, box = VectorField("u", 2, x, y), Box({x: _UNIT, y: _UNIT})
    w = vector(sin(3 * x) * cos(2 * y), 0.5 * cos(x + 2 * y))

    def stress(u: Any) -> Any:
        return identity(2) * (2.0 * div(u)) + (grad(u) + transpose(grad(u)))

    pulled = dot(stress(u), normal(u)) == dot(stress(w), normal(u))
    conditions = [(u == w).on(box.boundary(x)), pulled.on(box.boundary(y))]
    return Problem([div(stress(u)) == div(stress(w))], box, conditions, exact={u: w}, name="elasticity")


_LINE, _SQUARE = {"x": 300}, {"x": 300, "y": 300}

CASES: tuple[Case, ...] = (
    Case("gp/chirp", chirp, _LINE),
    Case("gp/bump", bump, _LINE),
    Case("gp/kink", kink, _LINE),
    Case("gp/bump_and_chirp", bump_and_chirp, _SQUARE),
    Case("gp/a3_circle", a3_circle, _SQUARE),
    Case("gp/advection_inflow", advection_inflow, {"t": 300, "x": 300}),
    Case("gp/poisson_3d", poisson_3d, {"x": 64, "y": 64, "z": 64}),
    Case("gp/darcy_smooth", darcy_smooth, {"x": 101, "y": 101}),
    Case(
        "gp/nonlinear_elliptic",
        nonlinear_elliptic,
        {"x": 101, "y": 101},
        published=(Published("Gaussian process", 5e-8, _NOTES),),
    ),
    Case(
        "gp/burgers",
        burgers,
        {"t": 101, "x": 257},
        {"nu": 0.02},
        published=(Published("Gaussian process", 5.7e-5, _NOTES),),
    ),
    Case("gp/stokes", stokes, {"x": 101, "y": 101}),
    Case("gp/kovasznay", kovasznay, {"x": 101, "y": 101}),
    Case("gp/gray_scott_steady", gray_scott_steady, {"x": 101, "y": 101}),
    Case("gp/fitzhugh_nagumo", fitzhugh_nagumo, {"t": 101, "x": 101}),
    Case("gp/elasticity", elasticity, {"x": 101, "y": 101}),
    Case("gp/allen_cahn_smooth", allen_cahn_smooth, {"t": 101, "x": 256}),
    Case(
        "gp/kdv_slab",
        korteweg_de_vries,
        {"t": 101, "x": 256},
        {"t_end": 0.2},
        note="the first fifth of the published time, before the breaking time 1/π.",
    ),
)
