"""Solids in motion."""

from __future__ import annotations

from pde_zoo.values import Value, exact_for, parameter
from sciml import (
    Box,
    Problem,
    VectorField,
    coordinates,
    cos,
    div,
    grad,
    identity,
    pi,
    sin,
    sqrt,
    trace,
    transpose,
    vector,
)


def elastodynamics(lame: Value = 2.0, shear: Value = 1.0, rho: Value = 1.0, t_end: float = 1.0) -> Problem:
    r"""Linear elastodynamics: a pressure wave and a shear wave cross a square.

    $$\rho\,u_{tt} = \nabla\cdot\sigma,\qquad \sigma=\lambda\operatorname{tr}(e)\,I+2\mu\,e,\qquad
    e=\tfrac12(\nabla u+\nabla u^\top)$$

    for $t\in[0,T]$, $(x,y)\in[0,1]^2$, with the truth on the four sides, $u(0)$ and $u_t(0)$.

    Args:
        lame: Lamé's first parameter $\lambda$.
        shear: shear modulus $\mu$.
        rho: density.
        t_end: final time $T$.

    Truth: $u=a\,\big(\sin2\pi(a\cdot x-c_pt)+\tfrac12\cos2\pi(b\cdot x-c_st)\big)$ with $a=(\tfrac35,\tfrac45)$,
    $b=(-\tfrac45,\tfrac35)$, $c_p=\sqrt{(\lambda+2\mu)/\rho}$, $c_s=\sqrt{\mu/\rho}$, exact.
    """
    t, x, y = coordinates("t x y")
    u = VectorField("u", 2, t, x, y)
    lame, shear, rho = parameter("lame", lame), parameter("shear", shear), parameter("rho", rho)
    fast, slow = sqrt((lame + 2 * shear) / rho), sqrt(shear / rho)
    pressure_phase = 2 * pi * (0.6 * x + 0.8 * y - fast * t)
    shear_phase = 2 * pi * (0.6 * y - 0.8 * x - slow * t)
    direction = vector(0.6, 0.8)
    truth = direction * sin(pressure_phase) + direction * (0.5 * cos(shear_phase))
    rate = direction * (-2 * pi * fast * cos(pressure_phase)) + direction * (pi * slow * sin(shear_phase))
    strain = (grad(u) + transpose(grad(u))) / 2
    stress = identity(2) * (lame * trace(strain)) + strain * (2 * shear)
    domain = Box({t: (0, t_end), x: (0, 1), y: (0, 1)})
    return Problem(
        equations=[rho * u.dtt == div(stress)],
        domain=domain,
        conditions=[
            (u == truth).on(domain.at(t=0)),
            (u.dt == rate).on(domain.at(t=0)),
            (u == truth).on(domain.boundary),
        ],
        exact=exact_for({u: truth}, lame, shear, rho),
        name="elastodynamics",
    )
