"""Reaction and diffusion: phases, fronts and patterns."""

from __future__ import annotations

from pde_zoo.values import Value, exact_for, parameter
from sciml import Box, ComputedReference, Field, Problem, coordinates, cos, exp, laplacian, pi, sin, sqrt


def allen_cahn(epsilon: Value = 1e-4, rho: Value = 5.0, t_end: float = 1.0) -> Problem:
    r"""Allen–Cahn equation: two phases separate and leave thin interfaces.

    $$u_t = \epsilon\,u_{xx} + \rho\,(u-u^3),\quad t\in[0,T],\ x\in[-1,1]\text{ periodic},\quad u(0,x)=x^2\cos\pi x$$

    The initial values are continuous on the circle but their slope jumps at $x=\pm1$, so a Fourier series of $N$ terms
    converges there like $1/N^2$ at small times; references of 512 terms are wrong by 1e-5.

    Args:
        epsilon: diffusivity; interfaces are $\sqrt{\epsilon/\rho}$ thick.
        rho: rate of separation.
        t_end: final time $T$.

    Truth: Fourier spectral with 32768 points and a tolerance of 1e-8; its error is computed with it, from 16384 points.

    Source: Raissi et al., doi:10.1016/j.jcp.2018.10.045.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    epsilon, rho = parameter("epsilon", epsilon), parameter("rho", rho)
    domain = Box({t: (0, t_end), x: (-1, 1)}, periodic=x)
    return Problem(
        equations=[u.dt == epsilon * u.dxx + rho * (u - u**3)],
        domain=domain,
        conditions=[(u == x**2 * cos(pi * x)).on(domain.at(t=0))],
        reference=ComputedReference(
            "spectral", {"rtol": 1e-8, "resolution": 32768}, {"rtol": 1e-8, "resolution": 16384}
        ),
        name="allen_cahn",
    )


def fisher_kpp(diffusivity: Value = 1.0, r: Value = 1.0, t_end: float = 4.0) -> Problem:
    r"""Fisher–KPP equation: an invasion front.

    $$u_t = D\,u_{xx} + r\,u(1-u),\quad t\in[0,T],\ x\in[-15,25]$$

    with the truth at both ends.

    Args:
        diffusivity: $D$.
        r: growth rate; the front moves at $\tfrac5{\sqrt6}\sqrt{rD}$.
        t_end: final time $T$.

    Truth: $u=\Big(1+\exp\big(\sqrt{r/6D}\,x-\tfrac56rt\big)\Big)^{-2}$, exact.

    Source: Ablowitz, Zeppetella, doi:10.1007/BF02462380.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    diffusivity, r = parameter("diffusivity", diffusivity), parameter("r", r)
    slope = sqrt(r / (6 * diffusivity))
    front = (1 + exp(slope * x - 5 * r / 6 * t)) ** -2
    domain = Box({t: (0, t_end), x: (-15, 25)})
    return Problem(
        equations=[u.dt == diffusivity * u.dxx + r * u * (1 - u)],
        domain=domain,
        conditions=[(u == (1 + exp(slope * x)) ** -2).on(domain.at(t=0)), (u == front).on(domain.boundary(x))],
        exact=exact_for({u: front}, diffusivity, r),
        name="fisher_kpp",
    )


def reaction_diffusion(nu: Value = 5.0, rho: Value = 5.0, t_end: float = 1.0) -> Problem:
    r"""Logistic growth with fast diffusion on a circle.

    $$u_t = \nu\,u_{xx} + \rho\,u(1-u),\quad t\in[0,T],\ x\in[0,2\pi]\text{ periodic}$$

    from a Gaussian, $u(0,x)=\exp\big(-\tfrac12(x-\pi)^2/(\pi/4)^2\big)$. Diffusion flattens it at once, growth fills
    the circle.

    Args:
        nu: diffusivity.
        rho: growth rate.
        t_end: final time $T$.

    Truth: Fourier spectral to a tolerance of 1e-9; its error is computed with it, from 4096 points.

    Source: Krishnapriyan et al., arXiv:2109.01050.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    nu, rho = parameter("nu", nu), parameter("rho", rho)
    domain = Box({t: (0, t_end), x: (0, 2 * pi)}, periodic=x)
    return Problem(
        equations=[u.dt == nu * u.dxx + rho * u * (1 - u)],
        domain=domain,
        conditions=[(u == exp(-((x - pi) ** 2) / (2 * (pi / 4) ** 2))).on(domain.at(t=0))],
        reference=ComputedReference("spectral", {"rtol": 1e-9}, {"rtol": 1e-8, "resolution": 4096}),
        name="reaction_diffusion",
    )


def gray_scott(
    epsilon1: Value = 0.2, epsilon2: Value = 0.1, feed: Value = 40.0, kill: Value = 100.0, rate: Value = 1000.0,
    t_end: float = 2.0, sharpness: float = 10.0,
) -> Problem:  # fmt: skip
    r"""Gray–Scott equations: a catalyst that grows into rolls.

    $$u_t = \epsilon_1\Delta u + b_1(1-u) - c\,u v^2,\qquad v_t = \epsilon_2\Delta v - b_2 v + c\,u v^2$$

    for $t\in[0,T]$, $(x,y)\in[-1,1]^2$ periodic, from two Gaussian patches,
    $u=1-e^{-\beta((x+.05)^2+(y+.02)^2)}$, $v=e^{-\beta((x-.05)^2+(y-.02)^2)}$. Their tails, 1e-4 at $\beta=10$, do not
    meet on the torus.

    Args:
        epsilon1: diffusivity of the fuel $u$.
        epsilon2: diffusivity of the catalyst $v$.
        feed: $b_1$, supply of fuel.
        kill: $b_2$, loss of catalyst.
        rate: $c$, reaction rate.
        t_end: final time $T$; patterns begin before 0.5.
        sharpness: $\beta$ of the patches.

    Truth: Fourier spectral to a tolerance of 1e-6; its error is computed with it, from 192 points an axis.

    Source: Pearson, doi:10.1126/science.261.5118.189; the statement of arXiv:2308.08468.
    """
    t, x, y = coordinates("t x y")
    u, v = Field("u", t, x, y), Field("v", t, x, y)
    epsilon1, epsilon2 = parameter("epsilon1", epsilon1), parameter("epsilon2", epsilon2)
    feed, kill, rate = parameter("feed", feed), parameter("kill", kill), parameter("rate", rate)
    domain = Box({t: (0, t_end), x: (-1, 1), y: (-1, 1)}, periodic=(x, y))
    return Problem(
        equations=[
            u.dt == epsilon1 * laplacian(u) + feed * (1 - u) - rate * u * v**2,
            v.dt == epsilon2 * laplacian(v) - kill * v + rate * u * v**2,
        ],
        domain=domain,
        conditions=[
            (u == 1 - exp(-sharpness * ((x + 0.05) ** 2 + (y + 0.02) ** 2))).on(domain.at(t=0)),
            (v == exp(-sharpness * ((x - 0.05) ** 2 + (y - 0.02) ** 2))).on(domain.at(t=0)),
        ],
        reference=ComputedReference("spectral", {"rtol": 1e-6}, {"rtol": 1e-6, "resolution": 192}),
        name="gray_scott",
    )


def ginzburg_landau(epsilon: Value = 0.004, k: Value = 10.0, beta: Value = 1.5, t_end: float = 1.0) -> Problem:
    r"""Complex Ginzburg–Landau equation: a vortex that winds up into a spiral.

    $$A_t = \epsilon\,\Delta A + k A - k(1+i\beta)A|A|^2,\quad A=u+iv,\quad t\in[0,T],\ (x,y)\in[-1,1]^2$$

    periodic, from $A(0)=(10y+10ix)\,e^{-25(x^2+y^2)}$, written as two real fields.

    Args:
        epsilon: diffusivity.
        k: growth rate.
        beta: nonlinear frequency shift.
        t_end: final time $T$.

    Truth: Fourier spectral to a tolerance of 1e-6; its error is computed with it, from 192 points an axis.

    Source: Aranson, Kramer, doi:10.1103/RevModPhys.74.99; the statement of arXiv:2308.08468.
    """
    t, x, y = coordinates("t x y")
    u, v = Field("u", t, x, y), Field("v", t, x, y)
    epsilon, k, beta = parameter("epsilon", epsilon), parameter("k", k), parameter("beta", beta, positive=False)
    density = u**2 + v**2
    envelope = exp(-25 * (x**2 + y**2))
    domain = Box({t: (0, t_end), x: (-1, 1), y: (-1, 1)}, periodic=(x, y))
    return Problem(
        equations=[
            u.dt == epsilon * laplacian(u) + k * u - k * density * (u - beta * v),
            v.dt == epsilon * laplacian(v) + k * v - k * density * (v + beta * u),
        ],
        domain=domain,
        conditions=[
            (u == 10 * y * envelope).on(domain.at(t=0)),
            (v == 10 * x * envelope).on(domain.at(t=0)),
        ],
        reference=ComputedReference("spectral", {"rtol": 1e-6}, {"rtol": 1e-6, "resolution": 192}),
        name="ginzburg_landau",
    )


def ginzburg_landau_wave(q: int = 2, alpha: Value = 1.0, beta: Value = -0.5, t_end: float = 5.0) -> Problem:
    r"""Plane wave of the complex Ginzburg–Landau equation.

    $$A_t = A + (1+i\alpha)A_{xx} - (1+i\beta)|A|^2A,\quad A=u+iv,\quad t\in[0,T],\ x\in[0,8\pi]\text{ periodic}$$

    Args:
        q: waves on the circle; fewer than 4, so that the wave number $\kappa=q/4$ is below 1.
        alpha: linear dispersion; waves are stable while $1+\alpha\beta>0$ and $\kappa$ is small.
        beta: nonlinear frequency shift.
        t_end: final time $T$.

    Truth: $A=\sqrt{1-\kappa^2}\,e^{i(\kappa x-\omega t)}$ with $\omega=\beta+(\alpha-\beta)\kappa^2$, exact.

    Source: Aranson, Kramer, doi:10.1103/RevModPhys.74.99.
    """
    t, x = coordinates("t x")
    u, v = Field("u", t, x), Field("v", t, x)
    alpha, beta = parameter("alpha", alpha, positive=False), parameter("beta", beta, positive=False)
    kappa = q / 4
    density, amplitude = u**2 + v**2, sqrt(1 - kappa**2)
    phase = kappa * x - (beta + (alpha - beta) * kappa**2) * t
    domain = Box({t: (0, t_end), x: (0, 8 * pi)}, periodic=x)
    return Problem(
        equations=[
            u.dt == u + u.dxx - alpha * v.dxx - density * (u - beta * v),
            v.dt == v + v.dxx + alpha * u.dxx - density * (v + beta * u),
        ],
        domain=domain,
        conditions=[
            (u == amplitude * cos(kappa * x)).on(domain.at(t=0)),
            (v == amplitude * sin(kappa * x)).on(domain.at(t=0)),
        ],
        exact=exact_for({u: amplitude * cos(phase), v: amplitude * sin(phase)}, alpha, beta),
        name="ginzburg_landau_wave",
    )
