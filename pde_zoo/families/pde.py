r"""Families of equations on a circle, after those on which PROSE's successor is trained.

All live on $x\in[0,2]$, periodic, at 64 times and 128 points; numbers are uniform within 10 % of their centres and
rounded to three digits. Time is the equation's own, not scaled to [0, 2) as published. Initial data are two sine waves
brought to [0, 1], which are exactly periodic; published generators use wave numbers that do not close and remove the
jump by a linear trend, which leaves a kink. Fields with two time derivatives start at rest.

Source: J. Sun, Y. Liu, Z. Zhang, H. Schaeffer, arXiv:2404.12355; corrections are named where they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sciml import Box, D, Field, Parameter, Problem, coordinates, cos, pi, sin
from sciml.distributions import AbstractDistribution, AbstractInitialData, Around, Uniform, Waves
from sciml.family import ProblemFamily

SOURCE = "arXiv:2404.12355"
LENGTH, TIMES = 2.0, 64
SMOOTH, LONG = Waves(4), Waves(2)


def family(
    name: str, side: Callable[..., Any], t_end: float, numbers: Mapping[str, float | AbstractDistribution],
    initial: AbstractInitialData, *, order: int = 1, substeps: int = 4, refinement: int = 1,
) -> ProblemFamily:  # fmt: skip
    """The family of an equation.

    Args:
        name: its name.
        side: the right side, from the field and the parameters by name; its docstring says what it is.
        t_end: final time.
        numbers: centre, or distribution, of each parameter.
        initial: distribution of the initial field.
        order: of the time derivative on the left.
        substeps: Runge–Kutta steps between times.
        refinement: how much finer the points are while integrating.
    """
    t, x = coordinates("t x")
    u = Field("u", t, x)
    boxes = {n: c if isinstance(c, AbstractDistribution) else Around(c) for n, c in numbers.items()}
    rate = side(u, **{n: Parameter(n, init=d.mean, prior=(d.mean, d.deviation)) for n, d in boxes.items()})
    domain = Box({t: (0, t_end), x: (0, LENGTH)}, periodic=x)
    start = [(u == sin(pi * x) ** 2).on(domain.at(t=0)), (u.dt == 0).on(domain.at(t=0))][:order]
    template = Problem(D(u, *[t] * order) == rate, domain, start, name=name)
    return ProblemFamily(
        template, boxes, initial, samples=TIMES, substeps=substeps, refinement=refinement,
        summary=(side.__doc__ or "").partition("\n")[0], source=SOURCE,
    )  # fmt: skip


def heat(u: Field, c: Parameter) -> Any:
    """Heat conduction."""
    return c * u.dxx


def advection(u: Field, b: Parameter) -> Any:
    """Transport at constant speed."""
    return -b * u.dx


def korteweg_de_vries(u: Field, delta: Parameter) -> Any:
    """Korteweg–de Vries waves."""
    return -(delta**2) * u.dxxx - u * u.dx


def linear_reaction(u: Field, nu: Parameter, r: Parameter) -> Any:
    """Diffusion with linear growth."""
    return nu * u.dxx + r * u


def logistic_reaction(u: Field, nu: Parameter, r: Parameter) -> Any:
    """Diffusion with logistic growth."""
    return nu * u.dxx + r * u * (1 - u)


def bistable_reaction(u: Field, nu: Parameter, r: Parameter, a: Parameter) -> Any:
    """Diffusion with bistable growth.

    Correction: the threshold a takes part in the data; the published generator wrote it in the label but solved a = 0.
    """
    return nu * u.dxx + r * u * (1 - u) * (u - a)


def square_logistic_reaction(u: Field, nu: Parameter, r: Parameter) -> Any:
    """Diffusion with square logistic growth."""
    return nu * u.dxx + r * u**2 * (1 - u) ** 2


def viscous_burgers(u: Field, k: Parameter, eps: Parameter) -> Any:
    """Burgers' equation with viscosity.

    Correction: solved by Fourier series on four times as many points; the published upwind scheme takes the speed of
    waves for |u| whatever the flux.
    """
    return -k * u * u.dx + eps / pi * u.dxx


def viscous_linear_flux(u: Field, k: Parameter, eps: Parameter) -> Any:
    """Transport with diffusion."""
    return -k * u.dx + eps / pi * u.dxx


def viscous_cubic_flux(u: Field, k: Parameter, eps: Parameter) -> Any:
    """A conservation law of cubic flux with viscosity."""
    return -k * u**2 * u.dx + eps / pi * u.dxx


def viscous_sine_flux(u: Field, k: Parameter, eps: Parameter) -> Any:
    """A conservation law of flux sin u with viscosity."""
    return -k * cos(u) * u.dx + eps / pi * u.dxx


def phase_separation(u: Field, eps: Parameter) -> Any:
    r"""Cahn–Hilliard phase separation.

    Correction: $u_t = \partial_{xx}(u^3-u-\varepsilon^2u_{xx})$; the published equation has the second derivative of
    the double well in the place of the first.
    """
    return D(u**3, u.on[1], u.on[1]) - u.dxx - eps**2 * D(u, *[u.on[1]] * 4)


def wave(u: Field, b: Parameter) -> Any:
    """Waves on a string."""
    return b**2 * u.dxx


def klein_gordon(u: Field, c: Parameter, m: Parameter) -> Any:
    """Klein–Gordon waves."""
    return c**2 * u.dxx - m**2 * c**4 * u


def sine_gordon(u: Field, c: Parameter) -> Any:
    """Sine-Gordon waves."""
    return u.dxx - c * sin(u)


VISCOUS = {"k": 1.0, "eps": 0.01}
SPREADING = {"nu": 3e-3, "r": 1.0}

PDE_FAMILIES: dict[str, ProblemFamily] = {
    f.name: f
    for f in (
        family("heat_1d", heat, 2, {"c": 3e-3}, SMOOTH),
        family("advection_1d", advection, 2, {"b": 0.5}, LONG),
        family("korteweg_de_vries_1d", korteweg_de_vries, 1, {"delta": 0.022}, Waves(2, high=0.5), substeps=16),
        family("linear_reaction_1d", linear_reaction, 2, {"nu": 3e-3, "r": 0.1}, SMOOTH),
        family("logistic_reaction_1d", logistic_reaction, 2, SPREADING, SMOOTH),
        family("bistable_reaction_1d", bistable_reaction, 2, {**SPREADING, "a": Uniform(0, 1)}, SMOOTH),
        family("square_logistic_reaction_1d", square_logistic_reaction, 2, SPREADING, SMOOTH),
        family("viscous_burgers_1d", viscous_burgers, 2, VISCOUS, SMOOTH, substeps=16, refinement=4),
        family("viscous_linear_flux_1d", viscous_linear_flux, 2, VISCOUS, SMOOTH),
        family("viscous_cubic_flux_1d", viscous_cubic_flux, 2, VISCOUS, SMOOTH, substeps=16, refinement=4),
        family("viscous_sine_flux_1d", viscous_sine_flux, 2, VISCOUS, SMOOTH, substeps=16, refinement=4),
        family("cahn_hilliard_1d", phase_separation, 0.5, {"eps": 0.1}, LONG, substeps=64),
        family("wave_1d", wave, 1, {"b": 0.5}, LONG, order=2),
        family("klein_gordon_1d", klein_gordon, 1, {"c": 1.0, "m": 0.1}, LONG, order=2, substeps=8),
        family("sine_gordon_1d", sine_gordon, 1, {"c": 1.0}, LONG, order=2, substeps=8),
    )
}
"""All of them by name."""
