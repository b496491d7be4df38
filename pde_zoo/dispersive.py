"""Dispersive waves: Korteweg–de Vries, Schrödinger, and the chaos of Kuramoto and Sivashinsky."""

from __future__ import annotations

import math

from pde_zoo.values import Value, parameter
from sciml import (
    Box,
    ComputedReference,
    D,
    Field,
    Problem,
    at,
    coordinates,
    cos,
    cosh,
    log,
    pi,
    sin,
    sinh,
)


def korteweg_de_vries(eta: Value = 1.0, mu: Value = 0.022, t_end: float = 1.0) -> Problem:
    r"""Korteweg–de Vries equation: a cosine that breaks into a train of solitons.

    $$u_t + \eta\,u\,u_x + \mu^2 u_{xxx} = 0,\quad t\in[0,T],\ x\in[-1,1]\text{ periodic},\quad u(0,x)=\cos\pi x$$

    Eight solitons appear after the breaking time $1/\pi\eta$, and later pass through one another.

    Args:
        eta: strength of steepening.
        mu: root of the dispersion.
        t_end: final time $T$.

    Truth: Fourier spectral to a tolerance of 1e-10; its error is computed with it, from 384 points and 1e-8.

    Source: Zabusky, Kruskal, doi:10.1103/PhysRevLett.15.240.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    eta, mu = parameter("eta", eta, positive=False), parameter("mu", mu)
    domain = Box({t: (0, t_end), x: (-1, 1)}, periodic=x)
    return Problem(
        equations=[u.dt + eta * u * u.dx + mu**2 * u.dxxx == 0],
        domain=domain,
        conditions=[(u == cos(pi * x)).on(domain.at(t=0))],
        reference=ComputedReference("spectral", {"rtol": 1e-10}, {"rtol": 1e-8, "resolution": 384}),
        name="korteweg_de_vries",
    )


def solitons(k1: float = 1.4, k2: float = 0.9, t_end: float = 8.0) -> Problem:
    r"""Two Korteweg–de Vries solitons: the fast one overtakes the slow one.

    $$u_t + 6\,u\,u_x + u_{xxx} = 0,\quad t\in[0,T],\ x\in[-15,20]$$

    with the truth for $u$ at both ends and for $u_x$ at the right one.

    Args:
        k1: a soliton of height $k_1^2/2$ and speed $k_1^2$ starts near $x=-8$.
        k2: another starts near $x=-2$; smaller than $k_1$.
        t_end: final time $T$.

    Truth: $2\,\partial_x^2\log\big((k_1-k_2)\cosh\tfrac{\theta_1+\theta_2}2
    +(k_1+k_2)\cosh\tfrac{\theta_1-\theta_2}2\big)$ with $\theta_i=k_i(x-x_i)-k_i^3t$, exact.

    Source: Hirota, doi:10.1103/PhysRevLett.27.1192.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    slow_phase = (x + 2) * k2 - t * k2**3
    fast_phase = (x + 8) * k1 - t * k1**3
    together, apart = (fast_phase + slow_phase) / 2, (fast_phase - slow_phase) / 2
    solution = 2 * D(log((k1 - k2) * cosh(together) + (k1 + k2) * cosh(apart)), x, x)
    domain = Box({t: (0, t_end), x: (-15, 20)})
    return Problem(
        equations=[u.dt + 6 * u * u.dx + u.dxxx == 0],
        domain=domain,
        conditions=[
            (u == at(solution, t=0)).on(domain.at(t=0)),
            (u == solution).on(domain.boundary(x)),
            (u.dx == D(solution, x)).on(domain.upper(x)),
        ],
        exact={u: solution},
        name="solitons",
    )


def nonlinear_schroedinger(t_end: float = 4.0) -> Problem:
    r"""Nonlinear Schrödinger equation: a plane wave that bursts once and calms down (Akhmediev's breather).

    $$i\,\psi_t + \tfrac12\psi_{xx} + |\psi|^2\psi = 0,\quad \psi=u+iv,\quad t\in[0,T],\ |x|\le L/2\text{ periodic}$$

    with $L=\sqrt2\,\pi$, written as two real fields. A ripple grows to a peak of height $1+\sqrt2$ at $t=T/2$ and
    fades again; until then the modulation instability multiplies errors by $e$ in every unit of time.

    Args:
        t_end: final time $T$; the ripple starts with amplitude of about $\sqrt2\,e^{-T/2}$.

    Truth: with $\tau=t-T/2$,
    $\psi=e^{i\tau}\,\frac{\cos(\sqrt2x)/\sqrt2+i\sinh\tau}{\cos(\sqrt2x)/\sqrt2-\cosh\tau}$, exact.

    Source: Akhmediev, Eleonskii, Kulagin, doi:10.1007/BF01037866.
    """
    t, x = coordinates("t x")
    u, v = Field("u", t, x), Field("v", t, x)
    ripple = cos(math.sqrt(2) * x) / math.sqrt(2)
    tau = t - t_end / 2
    depth = ripple - cosh(tau)
    real = (ripple * cos(tau) - sinh(tau) * sin(tau)) / depth
    imaginary = (ripple * sin(tau) + sinh(tau) * cos(tau)) / depth
    half = math.pi / math.sqrt(2)
    domain = Box({t: (0, t_end), x: (-half, half)}, periodic=x)
    density = u**2 + v**2
    return Problem(
        equations=[u.dt + 0.5 * v.dxx + density * v == 0, v.dt - 0.5 * u.dxx - density * u == 0],
        domain=domain,
        conditions=[(u == real).on(domain.at(t=0)), (v == imaginary).on(domain.at(t=0))],
        exact={u: real, v: imaginary},
        name="nonlinear_schroedinger",
    )


def kuramoto_sivashinsky(
    alpha: Value = 100 / 16, beta: Value = 100 / 16**2, gamma: Value = 100 / 16**4, t_end: float = 1.0
) -> Problem:
    r"""Kuramoto–Sivashinsky equation: chaos in space and time.

    $$u_t + \alpha\,u\,u_x + \beta\,u_{xx} + \gamma\,u_{xxxx} = 0,\quad t\in[0,T],\ x\in[0,2\pi]\text{ periodic}$$

    from $u(0,x)=\cos x\,(1+\sin x)$. Long waves grow, short ones die, and the nonlinearity carries energy between them;
    chaos sets in at $t\approx0.4$ and multiplies errors from then on.

    Args:
        alpha: strength of steepening.
        beta: growth of long waves.
        gamma: decay of short waves.
        t_end: final time $T$.

    Truth: Fourier spectral to a tolerance of 1e-10; its error is computed with it, from 384 points and 1e-8.

    Source: the statement of arXiv:2308.08468 (`ks_chaotic`).
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    alpha = parameter("alpha", alpha, positive=False)
    beta, gamma = parameter("beta", beta), parameter("gamma", gamma)
    domain = Box({t: (0, t_end), x: (0, 2 * pi)}, periodic=x)
    return Problem(
        equations=[u.dt + alpha * u * u.dx + beta * u.dxx + gamma * u.dxxxx == 0],
        domain=domain,
        conditions=[(u == cos(x) * (1 + sin(x))).on(domain.at(t=0))],
        reference=ComputedReference("spectral", {"rtol": 1e-10}, {"rtol": 1e-8, "resolution": 384}),
        name="kuramoto_sivashinsky",
    )
