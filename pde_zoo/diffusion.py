"""Diffusion: heat conduction, its nonlinear form, and a probability density that drifts and spreads."""

from __future__ import annotations

import numpy as np
from diffrax import Tsit5

from pde_zoo.values import Value, as_published, exact_for, parameter, product
from sciml import (
    Box,
    ComputedReference,
    D,
    Field,
    Problem,
    coordinates,
    div,
    exp,
    grad,
    laplacian,
    maximum,
    pi,
    sin,
    sqrt,
)
from sciml.reference import Values


def heat(kappa: Value = 0.1, dimensions: int = 1, t_end: float = 1.0) -> Problem:
    r"""Heat conduction in a box with cold walls.

    $$u_t = \kappa\,\Delta u,\quad t\in[0,T],\ x\in[0,1]^d,\quad u=0\text{ on the walls}$$

    from $u(0,x)=\prod_i\sin\pi x_i+\tfrac12\prod_i\sin 3\pi x_i$. Each product decays at its own rate: the fine one is
    gone after $1/(9d\pi^2\kappa)$.

    Args:
        kappa: diffusivity; 0.1 leaves a third of the heat at $T=1$ in one dimension.
        dimensions: $d$, 1 to 3.
        t_end: final time $T$.

    Truth: $\sum_{m\in\{1,3\}} a_m e^{-d m^2\pi^2\kappa t}\prod_i\sin m\pi x_i$, exact.
    """
    t, *xs = coordinates("t " + " ".join("xyz"[:dimensions]))
    u = Field("u", t, *xs)
    kappa = parameter("kappa", kappa)
    modes = {m: product(sin(m * pi * x) for x in xs) for m in (1, 3)}
    domain = Box({t: (0, t_end), **dict.fromkeys(xs, (0, 1))})
    decay = {m: exp(-dimensions * m**2 * pi**2 * kappa * t) for m in modes}
    return Problem(
        equations=[u.dt == kappa * laplacian(u)],
        domain=domain,
        conditions=[(u == modes[1] + modes[3] / 2).on(domain.at(t=0)), (u == 0).on(domain.boundary)],
        exact=exact_for({u: decay[1] * modes[1] + decay[3] * modes[3] / 2}, kappa),
        name="heat",
    )


def nonlinear_diffusion(alpha: Value = 0.05, t_end: float = 1.0) -> Problem:
    r"""Three hot spots that spread where they are hot: the porous-medium equation with exponent 2.

    $$u_t = \alpha\,\nabla\cdot(u\nabla u),\quad t\in[0,T],\ (x,y)\in[-1,1]^2,\quad u=0\text{ on the walls}$$

    from three Gaussians of heights 0.25, 0.4 and 0.3. Diffusion vanishes with $u$, so that $u$ meets the walls like the
    square root of the distance. The initial values are up to 9.4e-3 on the walls, where 0 is asked: a small
    incompatibility of the published statement.

    Args:
        alpha: diffusivity per unit of $u$.
        t_end: final time $T$.

    Truth: finite differences for the smoother $w=u^2$, $w_t=\alpha\sqrt w\,\Delta w$, at two resolutions; its error
    is computed with it.

    Source: Cho et al., SPINN, arXiv:2306.15969; Kang et al., PIG, arXiv:2412.05994.
    """
    t, x, y = coordinates("t x y")
    u, w = Field("u", t, x, y), Field("w", t, x, y)
    alpha = parameter("alpha", alpha)
    spots = (
        0.25 * exp(-((x - 0.3) ** 2 + (y - 0.2) ** 2) / 0.1)
        + 0.4 * exp(-15 * ((x + 0.5) ** 2 + (y + 0.1) ** 2))
        + 0.3 * exp(-20 * (x**2 + (y + 0.5) ** 2))
    )
    domain = Box({t: (0, t_end), x: (-1, 1), y: (-1, 1)})
    with as_published():
        squared = Problem(
            equations=[w.dt == alpha * sqrt(maximum(w, 0)) * laplacian(w)],
            domain=domain,
            conditions=[(w == spots**2).on(domain.at(t=0)), (w == 0).on(domain.boundary)],
        )
        options = {"order": 4, "integrator": Tsit5()}
        truth = ComputedReference(
            "finite_difference", {"points": 321, **options}, {"points": 161, **options}, squared, _root
        )
        return Problem(
            equations=[u.dt == alpha * div(u * grad(u))],
            domain=domain,
            conditions=[(u == spots).on(domain.at(t=0)), (u == 0).on(domain.boundary)],
            reference=truth,
            name="nonlinear_diffusion",
        )


def _root(values: Values) -> Values:
    """u from its square."""
    return {"u": np.sqrt(np.maximum(values["w"], 0))}


def fokker_planck(theta: Value = 1.0, diffusivity: Value = 0.5, t_end: float = 2.0) -> Problem:
    r"""Density of an Ornstein–Uhlenbeck process that forgets where it started.

    $$p_t = (\theta x p)_x + D p_{xx},\quad t\in[0,T],\ x\in[-5,5]$$

    from a Gaussian of mean 2 and variance 0.1. The density drifts to the origin at rate $\theta$ and spreads to
    variance $D/\theta$; its integral over the line stays 1. The truth is prescribed at the two ends.

    Args:
        theta: rate of return.
        diffusivity: $D$, half the squared noise amplitude.
        t_end: final time $T$.

    Truth: the Gaussian of mean $2e^{-\theta t}$ and variance $0.1\,e^{-2\theta t}+\frac D\theta(1-e^{-2\theta t})$;
    exact.
    """
    t, x = coordinates("t x")
    p = Field("p", t, x)
    theta, diffusivity = parameter("theta", theta), parameter("diffusivity", diffusivity)
    forgotten = exp(-2 * theta * t)
    variance = 0.1 * forgotten + diffusivity / theta * (1 - forgotten)
    density = exp(-((x - 2 * exp(-theta * t)) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)
    initial = exp(-((x - 2) ** 2) / 0.2) / sqrt(0.2 * pi)
    domain = Box({t: (0, t_end), x: (-5, 5)})
    return Problem(
        equations=[p.dt == D(theta * x * p, x) + diffusivity * p.dxx],
        domain=domain,
        conditions=[(p == initial).on(domain.at(t=0)), (p == density).on(domain.boundary(x))],
        exact=exact_for({p: density}, theta, diffusivity),
        name="fokker_planck",
    )
