r"""Problems that measure a Gaussian process beyond its published set: sources without spectral lines, other classes.

The solutions of `gp_hm` are polynomials times a few sinusoids, which a mixture kernel contains to round-off once it has
the frequencies; those here are not. Truths are exact unless a case says otherwise.
"""

from __future__ import annotations

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
    coordinates,
    cos,
    div,
    exp,
    grad,
    laplacian,
    pi,
    sin,
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
    Case("gp/allen_cahn_smooth", allen_cahn_smooth, {"t": 101, "x": 256}),
    Case(
        "gp/kdv_slab",
        korteweg_de_vries,
        {"t": 101, "x": 256},
        {"t_end": 0.2},
        note="the first fifth of the published time, before the breaking time 1/π.",
    ),
)
