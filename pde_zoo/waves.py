"""Waves: second order in time, linear and nonlinear."""

from __future__ import annotations

from pde_zoo.values import Value, exact_for, parameter
from sciml import Box, Field, Problem, atan, coordinates, cos, cosh, laplacian, pi, sin, sqrt


def wave(c: Value = 2.0, t_end: float = 1.0) -> Problem:
    r"""A string that swings in two modes.

    $$u_{tt} = c^2 u_{xx},\quad t\in[0,T],\ x\in[0,1],\quad u(t,0)=u(t,1)=0,\ u_t(0,x)=0$$

    from $u(0,x)=\sin\pi x+\tfrac12\sin 4\pi x$.

    Args:
        c: speed; the fine mode swings $4cT/2$ times.
        t_end: final time $T$.

    Truth: $\sin\pi x\cos c\pi t+\tfrac12\sin4\pi x\cos4c\pi t$, exact.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    c = parameter("c", c)
    solution = sin(pi * x) * cos(c * pi * t) + 0.5 * sin(4 * pi * x) * cos(4 * c * pi * t)
    domain = Box({t: (0, t_end), x: (0, 1)})
    return Problem(
        equations=[u.dtt == c**2 * u.dxx],
        domain=domain,
        conditions=[
            (u == sin(pi * x) + 0.5 * sin(4 * pi * x)).on(domain.at(t=0)),
            (u.dt == 0).on(domain.at(t=0)),
            (u == 0).on(domain.boundary(x)),
        ],
        exact=exact_for({u: solution}, c),
        name="wave",
    )


def klein_gordon(t_end: float = 10.0) -> Problem:
    r"""Nonlinear Klein–Gordon equation in two dimensions, forced so that the solution is known.

    $$u_{tt} - \Delta u + u^2 = f,\quad t\in[0,T],\ (x,y)\in[-1,1]^2$$

    with the truth on the four sides, $u(0)=x+y$ and $u_t(0)=2xy$. The published codes leave $u_t(0)$ out, which leaves
    the problem under-determined; here it is stated.

    Args:
        t_end: final time $T$.

    Truth: $u_*=(x+y)\cos 2t+xy\sin 2t$, for which $f=u_*^2-4u_*$; exact.

    Source: Cho et al., SPINN, arXiv:2306.15969; Kang et al., PIG, arXiv:2412.05994.
    """
    t, x, y = coordinates("t x y")
    u = Field("u", t, x, y)
    solution = (x + y) * cos(2 * t) + x * y * sin(2 * t)
    domain = Box({t: (0, t_end), x: (-1, 1), y: (-1, 1)})
    return Problem(
        equations=[u.dtt - laplacian(u) + u**2 == solution**2 - 4 * solution],
        domain=domain,
        conditions=[
            (u == x + y).on(domain.at(t=0)),
            (u.dt == 2 * x * y).on(domain.at(t=0)),
            (u == solution).on(domain.boundary),
        ],
        exact={u: solution},
        name="klein_gordon",
    )


def sine_gordon(omega: float = 0.6, t_end: float = 10.0) -> Problem:
    r"""Sine–Gordon breather: a bound pair of kinks.

    $$u_{tt} - u_{xx} + \sin u = 0,\quad t\in[0,T],\ x\in[-15,15]$$

    with the truth at both ends and $u_t(0)=0$.

    Args:
        omega: frequency of the breather, in (0, 1); its width is $1/\sqrt{1-\omega^2}$, its height
            $4\arctan(\sqrt{1-\omega^2}/\omega)$.
        t_end: final time $T$.

    Truth: $u=4\arctan\frac{\sqrt{1-\omega^2}\cos\omega t}{\omega\cosh(\sqrt{1-\omega^2}\,x)}$, exact.

    Source: Ablowitz, Kaup, Newell, Segur, doi:10.1103/PhysRevLett.30.1262.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    decay = sqrt(1 - omega**2)
    profile = decay / (omega * cosh(decay * x))
    domain = Box({t: (0, t_end), x: (-15, 15)})
    breather = 4 * atan(profile * cos(omega * t))
    return Problem(
        equations=[u.dtt - u.dxx + sin(u) == 0],
        domain=domain,
        conditions=[
            (u == 4 * atan(profile)).on(domain.at(t=0)),
            (u.dt == 0).on(domain.at(t=0)),
            (u == breather).on(domain.boundary(x)),
        ],
        exact={u: breather},
        name="sine_gordon",
    )
