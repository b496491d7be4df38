"""Burgers' equation: steepening against viscosity."""

from __future__ import annotations

import math

from pde_zoo.cole_hopf import ColeHopf
from pde_zoo.values import Value, parameter
from sciml import Box, Field, Problem, coordinates, pi, sin


def burgers(nu: Value = 0.01 / math.pi, t_end: float = 1.0) -> Problem:
    r"""Viscous Burgers equation: a sine that steepens into a front at x = 0.

    $$u_t + u\,u_x = \nu\,u_{xx},\quad t\in[0,T],\ x\in[-1,1],\quad u(0,x)=-\sin\pi x,\ u(t,\pm1)=0$$

    The front forms at $t=1/\pi$ and is about $4\nu$ thick. The solution is odd and 2-periodic, so a periodic statement
    has the same one.

    Args:
        nu: viscosity; $0.01/\pi$ is the most published value, 0.01 an easier one under the same name.
        t_end: final time $T$.

    Truth: Cole–Hopf formula by Gauss–Hermite quadrature of 160 nodes; `reference.error` is its difference from twice as
    many nodes, rounding for $0.001\le\nu\le0.1$.

    Source: Basdevant et al., doi:10.1016/0045-7930(86)90036-8; Raissi et al., doi:10.1016/j.jcp.2018.10.045.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    nu = parameter("nu", nu)
    domain = Box({t: (0, t_end), x: (-1, 1)})
    return Problem(
        equations=[u.dt + u * u.dx == nu * u.dxx],
        domain=domain,
        conditions=[(u == -sin(pi * x)).on(domain.at(t=0)), (u == 0).on(domain.boundary(x))],
        reference=None if nu.value is None else ColeHopf(nu.value, parameter=nu.name),
        name="burgers",
    )
