r"""Cases of PINNacle (Hao et al., arXiv:2306.08827) that live on boxes, corrected where the published ones are wrong.

Where the original of a corrected statement can be stated, it is a case beside it, `…_original`, so that tables show
both scores; the others end in an error before anything is solved. What was wrong, and what is done:

- Burgers: the published reference is 1.3e-2 away from the Cole–Hopf formula, which is the truth here.
- The long wave: the published formula does not solve the published equation (its residual is $-2\pi^2u$), and the
  initial velocity is missing, which no `Problem` may. Here it has wave numbers that fit, and starts at rest.
- Gray–Scott and Kuramoto–Sivashinsky: published without boundary conditions, which no `Problem` may; periodic here.
- The inverse Poisson problem: the published source belongs to another coefficient, $2x+1$ stands for $2x-1$.

Left out: Burgers in two dimensions, the heterogeneous Poisson, heat and wave equations, whose data are files; the long
flow, whose initial pressure contradicts incompressibility; the long heat equation, whose published reference is up to
3.7 % off and whose truth to $T=100$ takes hours; and the cases that do not live on boxes.
"""

from __future__ import annotations

import math

from pde_zoo.burgers import burgers
from pde_zoo.dispersive import kuramoto_sivashinsky
from pde_zoo.elliptic import poisson
from pde_zoo.fluids import lid_driven_cavity
from pde_zoo.reaction import gray_scott
from pde_zoo.suites.inverse import observed
from pde_zoo.waves import wave
from sciml import (
    Box,
    ComputedReference,
    Field,
    Problem,
    at,
    coordinates,
    cos,
    div,
    exp,
    grad,
    pi,
    sin,
    sinh,
    sqrt,
)
from sciml.case import Case, Published
from sciml.domains.grids import midpoint_grid
from sciml.reference import ExactReference, FunctionReference

_TABLE = "arXiv:2306.08827, Table 3 (second-hand: a digest)"
_CHECKED = "this project's notes: the published reference against a formula (measured)"


def heat_2d_multiscale() -> Problem:
    r"""Heat that flows thousands of times faster across than along.

    $$u_t = \frac{u_{xx}}{(500\pi)^2} + \frac{u_{yy}}{\pi^2},\quad t\in[0,5],\ (x,y)\in[0,1]^2,\quad u=0
    \text{ at the walls}$$

    from $u(0)=\sin20\pi x\sin\pi y$.

    Truth: $\sin20\pi x\sin\pi y\,e^{-(1+0.04^2)t}$, exact.
    """
    t, x, y = coordinates("t x y")
    u, box = Field("u", t, x, y), Box({t: (0, 5), x: (0, 1), y: (0, 1)})
    start = sin(20 * pi * x) * sin(pi * y)
    return Problem(
        equations=[u.dt == u.dxx / (500 * pi) ** 2 + u.dyy / pi**2],
        domain=box,
        conditions=[(u == start).on(box.at(t=0)), (u == 0).on(box.boundary(x, y))],
        exact={u: start * exp(-(1 + 0.04**2) * t)},
        name="heat_2d_multiscale",
    )


def wave_2d_long(t_end: float = 100.0) -> Problem:
    r"""Waves on a membrane whose speeds differ along its axes, for a long time.

    $$u_{tt} = u_{xx} + 2u_{yy},\quad t\in[0,T],\ (x,y)\in[0,1]^2$$

    with the truth at the walls, from the truth at rest.

    Args:
        t_end: final time $T$.

    Truth: $\dfrac{\sin3\pi x\,\sinh\pi y+\sinh\pi x\,\sin2\pi y}{\sinh\pi}\cos\sqrt7\pi t$, exact: $9-2=8-1=7$.
    """
    t, x, y = coordinates("t x y")
    u, box = Field("u", t, x, y), Box({t: (0, t_end), x: (0, 1), y: (0, 1)})
    shape = (sin(3 * pi * x) * sinh(pi * y) + sinh(pi * x) * sin(2 * pi * y)) / math.sinh(math.pi)
    formula = shape * cos(sqrt(7) * pi * t)
    return Problem(
        equations=[u.dtt == u.dxx + 2 * u.dyy],
        domain=box,
        conditions=[
            (u == at(formula, t=0)).on(box.at(t=0)),
            (u.dt == 0).on(box.at(t=0)),
            (u == formula).on(box.boundary(x, y)),
        ],
        exact={u: formula},
        name="wave_2d_long",
    )


def gray_scott_pinnacle(t_end: float = 200.0) -> Problem:
    """Gray–Scott equations with slow diffusion: two patches that grow into each other, periodic.

    The statement of `gray_scott` with its numbers and narrower patches.

    Args:
        t_end: final time.

    Truth: Fourier spectral with 640 points an axis to 1e-6; its error is computed with it, from 448 points.
    """
    problem = gray_scott(1e-5, 5e-6, 0.04, 0.1, 1.0, t_end, sharpness=80.0)
    fine, coarse = ({"rtol": 1e-6, "resolution": n} for n in (640, 448))
    return problem.replace(reference=ComputedReference("spectral", fine, coarse))


def poisson_inverse(noise: float = 0.1, count: int = 2500, seed: int = 0, original: bool = False) -> Problem:
    r"""A coefficient of Poisson's equation, known at the walls, from noisy observations of the solution.

    $$-\nabla\cdot(a\nabla u)=f,\quad (x,y)\in[0,1]^2,\quad u=0 \text{ and } a \text{ given at the walls}$$

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations of u.
        seed: of points and noise.
        original: the published source, in which $2x+1$ and $2y+1$ stand for $2x-1$ and $2y-1$.

    Truth: $u=\sin\pi x\sin\pi y$, $a=\big(1+x^2+y^2+(x-1)^2+(y-1)^2\big)^{-1}$, exact.
    """
    x, y = coordinates("x y")
    u, a, box = Field("u", x, y), Field("a", x, y), Box({x: (0, 1), y: (0, 1)})
    state, truth = sin(pi * x) * sin(pi * y), 1 / (1 + x**2 + y**2 + (x - 1) ** 2 + (y - 1) ** 2)
    source = -div(truth * grad(state))
    walls = [(u == 0).on(box.boundary)]
    known = Problem([-div(truth * grad(u)) == source], box, walls, exact={u: state}, name="poisson_inverse")
    measured = observed(known, known.reference, ("u",), noise, count, seed)
    unknown = measured.replace(
        equations=[-div(a * grad(u)) == source], conditions=[*walls, (a == truth).on(box.boundary)],
        exact={u: state, a: truth},
    )  # fmt: skip
    if not original:
        return unknown
    published = source + 4 * truth**2 * (state.dx + state.dy)
    assert isinstance(unknown.reference, ExactReference)
    meant = FunctionReference(unknown.reference, 2.2e-16, "what the published source was meant for", "exact")
    return unknown.replace(equations=[-div(a * grad(u)) == published], reference=meant)


def heat_inverse(noise: float = 0.1, count: int = 2500, seed: int = 0) -> Problem:
    r"""A diffusivity, known at the walls, from noisy observations of a temperature that decays.

    $$u_t-\nabla\cdot(a\nabla u)=f,\quad t\in[0,1],\ (x,y)\in[-1,1]^2,\quad u=0 \text{ and } a \text{ given at the
    walls}$$

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations of u.
        seed: of points and noise.

    Truth: $u=e^{-t}\sin\pi x\sin\pi y$, $a=2+\sin\pi x\sin\pi y$, exact.
    """
    t, x, y = coordinates("t x y")
    box = Box({t: (0, 1), x: (-1, 1), y: (-1, 1)})
    u, a = Field("u", t, x, y), Field("a", x, y)
    state, truth = exp(-t) * sin(pi * x) * sin(pi * y), 2 + sin(pi * x) * sin(pi * y)
    source = state.dt - div(truth * grad(state))
    given = [(u == at(state, t=0)).on(box.at(t=0)), (u == 0).on(box.boundary(x, y))]
    known = Problem([u.dt - div(truth * grad(u)) == source], box, given, exact={u: state}, name="heat_inverse")
    measured = observed(known, known.reference, ("u",), noise, count, seed)
    return measured.replace(
        equations=[u.dt - div(a * grad(u)) == source], conditions=[*given, (a == truth).on(box.boundary(x, y))],
        exact={u: state, a: truth},
    )  # fmt: skip


def _best(error: float, method: str, note: str = "") -> Published:
    return Published(method, error, _TABLE, note=note)


CASES: tuple[Case, ...] = (
    Case("pinnacle/burgers_1d", burgers, {"t": 101, "x": 257}, {"nu": 0.01 / math.pi}, (
        _best(1.43e-2, "PINN and LAAF", "at the error of its reference"),
        Published("the published reference", 1.33e-2, _CHECKED),
    )),
    Case("pinnacle/heat_2d_multiscale", heat_2d_multiscale, {"t": 21, "x": 101, "y": 51},
         published=(_best(4.4e-2, "best of its methods"),)),
    Case("pinnacle/cavity", lid_driven_cavity, {"x": 100, "y": 100}, {"reynolds": 100.0},
         (_best(3.60e-2, "LAAF"),), rule=midpoint_grid),
    Case("pinnacle/wave_1d", wave, {"t": 101, "x": 201}, {"c": 2.0}, (_best(9.79e-2, "PINN with NTK weights"),)),
    Case("pinnacle/wave_2d_long", wave_2d_long, {"t": 101, "x": 31, "y": 31},
         published=(_best(0.98, "best of its methods", "its formula is no solution of its equation"),)),
    Case("pinnacle/gray_scott", gray_scott_pinnacle, {"t": 21, "x": 100, "y": 100},
         published=(_best(7.99e-2, "FBPINN", "without boundary conditions"),)),
    Case("pinnacle/kuramoto_sivashinsky", kuramoto_sivashinsky, {"t": 101, "x": 256},
         published=(_best(0.957, "best of its methods", "without boundary conditions"),)),
    Case("pinnacle/poisson_5d", poisson, {f"x{i}": 11 for i in range(1, 6)}, {"dimensions": 5},
         (_best(4.67e-4, "best of its methods"),)),
    Case("pinnacle/poisson_inverse", poisson_inverse, {"x": 61, "y": 61},
         published=(_best(2.0e-2, "vPINN", "with the published source"),)),
    Case("pinnacle/poisson_inverse_original", poisson_inverse, {"x": 61, "y": 61}, {"original": True},
         note="as published: the source belongs to another coefficient."),
    Case("pinnacle/heat_inverse", heat_inverse, {"t": 21, "x": 41, "y": 41},
         published=(_best(1.19e-2, "vPINN", "another digest of the same table says 0.456"),)),
)  # fmt: skip
