"""First-order transport: a profile carried by a given velocity."""

from __future__ import annotations

from pde_zoo.values import Value, exact_for, parameter
from sciml import Box, Field, Problem, coordinates, cos, cosh, pi, sin, sqrt, tanh


def advection(c: Value = 1.0, t_end: float = 2.0) -> Problem:
    r"""A sine carried around a circle.

    $$u_t + c\,u_x = 0,\quad t\in[0,T],\ x\in[0,2\pi]\text{ periodic},\quad u(0,x)=\sin x$$

    The profile keeps its shape and returns every $2\pi/c$; what a solver loses is phase or amplitude. Speeds of 30 and
    more are the published "failure mode" of networks trained without care.

    Args:
        c: speed; 1 is easy, 50 to 100 is hard.
        t_end: final time $T$.

    Truth: $u=\sin(x-ct)$, exact.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    c = parameter("c", c, positive=False)
    domain = Box({t: (0, t_end), x: (0, 2 * pi)}, periodic=x)
    return Problem(
        equations=[u.dt + c * u.dx == 0],
        domain=domain,
        conditions=[(u == sin(x)).on(domain.at(t=0))],
        exact=exact_for({u: sin(x - c * t)}, c),
        name="advection",
    )


def flow_mixing(v_max: float = 0.385, t_end: float = 4.0) -> Problem:
    r"""A front wound up by a vortex.

    $$u_t + a\,u_x + b\,u_y = 0,\quad t\in[0,T],\ (x,y)\in[-4,4]^2$$

    with $(a,b)=\omega(r)\,(-y,x)$, $\omega=v_t/(r\,v_{max})$, $v_t=\operatorname{sech}^2 r\,\tanh r$. The initial front
    $-\tanh(y/2)$ rolls into a spiral whose arms steepen with time. The truth is given on all four sides, on their
    outflow parts as well: that is the published statement.

    Args:
        v_max: scale of the tangential velocity.
        t_end: final time $T$.

    Truth: $u=-\tanh(\tfrac y2\cos\omega t-\tfrac x2\sin\omega t)$, exact.

    Source: Cho et al., SPINN, arXiv:2306.15969; Kang et al., PIG, arXiv:2412.05994.
    """
    t, x, y = coordinates("t x y")
    u = Field("u", t, x, y)
    r = sqrt(x**2 + y**2 + 1e-30)  # any function of x²+y² is a rotation rate; this one has no 0/0 at the centre
    omega = tanh(r) / cosh(r) ** 2 / (r * v_max)
    solution = -tanh(y / 2 * cos(omega * t) - x / 2 * sin(omega * t))
    domain = Box({t: (0, t_end), x: (-4, 4), y: (-4, 4)})
    return Problem(
        equations=[u.dt - omega * y * u.dx + omega * x * u.dy == 0],
        domain=domain,
        conditions=[(u == -tanh(y / 2)).on(domain.at(t=0)), (u == solution).on(domain.boundary)],
        exact={u: solution},
        name="flow_mixing",
    )
