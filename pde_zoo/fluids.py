"""Incompressible flow: velocity and pressure."""

from __future__ import annotations

from pde_zoo.cavity_flow import CavityFlow
from pde_zoo.values import Value, exact_for, parameter
from sciml import (
    Box,
    Field,
    Problem,
    VectorField,
    coordinates,
    cos,
    div,
    dot,
    exp,
    grad,
    integral,
    laplacian,
    pi,
    sin,
    vector,
)


def taylor_green(nu: Value = 0.1, t_end: float = 1.0) -> Problem:
    r"""Taylor–Green vortex: a periodic array of vortices that decays without changing its shape.

    $$v_t + (v\cdot\nabla)v = -\nabla p + \nu\,\Delta v,\qquad \nabla\cdot v = 0,\qquad \int p\,dx\,dy = 0$$

    for $t\in[0,T]$, $(x,y)\in[0,2\pi]^2$ periodic.

    Args:
        nu: viscosity.
        t_end: final time $T$.

    Truth: $v=(\cos x\sin y,-\sin x\cos y)\,e^{-2\nu t}$, $p=-\tfrac14(\cos2x+\cos2y)\,e^{-4\nu t}$, exact.

    Source: Taylor, Green, doi:10.1098/rspa.1937.0036.
    """
    t, x, y = coordinates("t x y")
    v, p = VectorField("v", 2, t, x, y), Field("p", t, x, y)
    nu = parameter("nu", nu)
    vortices = vector(cos(x) * sin(y), -(sin(x) * cos(y)))
    pressure = -(cos(2 * x) + cos(2 * y)) / 4 * exp(-4 * nu * t)
    domain = Box({t: (0, t_end), x: (0, 2 * pi), y: (0, 2 * pi)}, periodic=(x, y))
    return Problem(
        equations=[v.dt + dot(grad(v), v) == -grad(p) + nu * laplacian(v), div(v) == 0],
        domain=domain,
        conditions=[(v == vortices).on(domain.at(t=0)), (integral(p, x, y) == 0).on(domain)],
        exact=exact_for({v: vortices * exp(-2 * nu * t), p: pressure}, nu),
        name="taylor_green",
    )


def lid_driven_cavity(reynolds: Value = 100.0) -> Problem:
    r"""Lid-driven cavity: steady flow in a box whose lid slides, fastest in its middle.

    $$(v\cdot\nabla)v = -\nabla p + \tfrac1{Re}\Delta v,\qquad \nabla\cdot v=0,\quad (x,y)\in[0,1]^2$$

    with $v=(4x(1-x),0)$ on the lid $y=1$, $v=0$ on the other walls, and $p(\tfrac12,0)=0$. The lid's speed vanishes at
    its ends but its slope does not: there the vorticity jumps and the pressure is infinite like $\log r$, so errors are
    taken at points that avoid the corners.

    Args:
        reynolds: Reynolds number; 100 to 3200 are published, and steady up to several thousand.

    Truth: `CavityFlow`, a spectral Galerkin solution for the stream function with its corner singularities in closed
    form; `reference.error` is its difference from a lower degree.

    Source: the statement of arXiv:2607.02194 and arXiv:2306.08827, but for the place where the pressure is 0 (a corner,
    where its own error would be larger).
    """
    x, y = coordinates("x y")
    v, p = VectorField("v", 2, x, y), Field("p", x, y)
    reynolds = parameter("reynolds", reynolds)
    domain = Box({x: (0, 1), y: (0, 1)})
    walls = domain.boundary(x) | domain.lower(y)
    return Problem(
        equations=[dot(grad(v), v) == -grad(p) + laplacian(v) / reynolds, div(v) == 0],
        domain=domain,
        conditions=[
            (v == vector(4 * x * (1 - x), 0)).on(domain.upper(y)),
            (v == 0).on(walls),
            (p == 0).on(domain.at(x=0.5, y=0)),
        ],
        reference=None if reynolds.value is None else CavityFlow(reynolds.value, parameter=reynolds.name),
        name="lid_driven_cavity",
    )
