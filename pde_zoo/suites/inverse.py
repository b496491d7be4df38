r"""Unknown numbers and coefficients of equations from noisy observations, drawn from the truth with a fixed seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pde_zoo.burgers import burgers
from pde_zoo.cole_hopf import ColeHopf
from sciml import Box, D, Field, Parameter, Problem, coordinates, cos, div, exp, grad, pi, sin
from sciml.case import Case


def observed(
    problem: Problem, truth: Any, fields: tuple[str, ...], noise: float, count: int, seed: int, told: bool = True
) -> Problem:
    """The problem with noisy values of fields at random points.

    Args:
        problem: with unknown parameters.
        truth: function of points `{coordinate: (n,)}` to `{field: (n,)}`.
        fields: names of the fields that are observed, each at points of its own.
        noise: standard deviation over the root mean square of the values.
        count: observations of each field.
        seed: of points and noise.
        told: whether the problem states the noise.
    """
    random = np.random.default_rng(seed)
    for field in fields:
        points = {name: random.uniform(*bounds, count) for name, bounds in problem.box.bounds.items()}
        values = np.asarray(truth(points)[field], float)
        sigma = noise * float(np.sqrt(np.mean(values**2)))
        noisy = values + sigma * random.standard_normal(count)
        problem = problem.observe(field, points, noisy, sigma if told else None)
    return problem


def viscosity(nu: float = 0.05, noise: float = 0.01, count: int = 200, seed: int = 0) -> Problem:
    r"""Viscosity of Burgers' equation from noisy observations.

    The statement of `burgers` with unknown $\nu$; its data contain nothing of it.

    Args:
        nu: the number that is to be found.
        noise: standard deviation over the root mean square of the observed values.
        count: observations.
        seed: of points and noise.

    Truth: Cole–Hopf formula, as for `burgers`.
    """
    truth = ColeHopf(nu, parameter="nu")
    unknown = burgers(Parameter("nu", init=0.2, positive=True))
    return observed(unknown, truth, ("u",), noise, count, seed).replace(reference=truth, name="viscosity")


def exchange(
    diffusivity: float = 0.05, rate: float = 1.0, noise: float = 0.01, count: int = 100, seed: int = 0
) -> Problem:
    r"""Diffusivity and rate of two species that turn into each other, from noisy observations of both.

    $$u_t = D u_{xx} + k(v-u),\quad v_t = D v_{xx} + k(u-v),\quad x\in[0,1],\ u = v = 0 \text{ at the ends}$$

    Args:
        diffusivity: D, to be found.
        rate: k, to be found.
        noise: standard deviation over the root mean square of the observed values.
        count: observations of each species.
        seed: of points and noise.

    Truth: $u, v = \tfrac12(e^{-D\pi^2t}\sin\pi x \pm e^{-(4D\pi^2+2k)t}\sin2\pi x)$, exact.
    """
    t, x = coordinates("t x")
    u, v = Field("u", t, x), Field("v", t, x)
    D, k = Parameter("D", init=0.2, positive=True), Parameter("k", init=0.3, positive=True)
    total = exp(-diffusivity * pi**2 * t) * sin(pi * x)
    difference = exp(-(4 * diffusivity * pi**2 + 2 * rate) * t) * sin(2 * pi * x)
    solution = {u: (total + difference) / 2, v: (total - difference) / 2}
    box = Box({t: (0, 1), x: (0, 1)})
    start = [(u == (sin(pi * x) + sin(2 * pi * x)) / 2).on(box.at(t=0))]
    start.append((v == (sin(pi * x) - sin(2 * pi * x)) / 2).on(box.at(t=0)))
    problem = Problem(
        [u.dt == D * u.dxx + k * (v - u), v.dt == D * v.dxx + k * (u - v)],
        box,
        [*start, (u == 0).on(box.boundary(x)), (v == 0).on(box.boundary(x))],
        exact=solution,
        name="exchange",
    )
    return observed(problem, problem.reference, ("u", "v"), noise, count, seed)


def speed(c: float = 1.0, noise: float = 0.01, count: int = 200, seed: int = 0) -> Problem:
    r"""Speed of waves on a string from noisy observations.

    $$u_{tt} = c^2u_{xx},\quad u(0,x)=\sin\pi x + \tfrac12\sin2\pi x,\ u_t(0,x)=0,\ u=0 \text{ at the ends}$$

    Args:
        c: the number that is to be found.
        noise: standard deviation over the root mean square of the observed values.
        count: observations.
        seed: of points and noise.

    Truth: $\sin\pi x\cos c\pi t+\tfrac12\sin2\pi x\cos2c\pi t$, exact.
    """
    t, x = coordinates("t x")
    u, unknown = Field("u", t, x), Parameter("c", init=0.7, positive=True)
    box = Box({t: (0, 1), x: (0, 1)})
    solution = sin(pi * x) * cos(c * pi * t) + 0.5 * sin(2 * pi * x) * cos(2 * c * pi * t)
    problem = Problem(
        [u.dtt == unknown**2 * u.dxx],
        box,
        [
            (u == sin(pi * x) + 0.5 * sin(2 * pi * x)).on(box.at(t=0)),
            (u.dt == 0).on(box.at(t=0)),
            (u == 0).on(box.boundary(x)),
        ],
        exact={u: solution},
        name="speed",
    )
    return observed(problem, problem.reference, ("u",), noise, count, seed)


def conductivity(noise: float = 0.01, count: int = 300, seed: int = 0) -> Problem:
    r"""Conductivity of a rod, a function of place, from noisy observations of its temperature.

    $$u_t = (a(x)\,u_x)_x + f,\quad (t, x)\in[0,1]^2$$ with f, the initial and the boundary values of the truth.

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations of u; none of a.
        seed: of points and noise.

    Truth: $u = e^{-t}\sin\pi x + \tfrac12x(1+t)$, $a = 1 + \tfrac25\cos2\pi x + \tfrac15x$, exact.
    """
    t, x = coordinates("t x")
    u, a, box = Field("u", t, x), Field("a", x), Box({t: (0, 1), x: (0, 1)})
    state, truth = exp(-t) * sin(pi * x) + 0.5 * x * (1 + t), 1 + 0.4 * cos(2 * pi * x) + 0.2 * x
    source = state.dt - D(truth * state.dx, x)
    conditions = [(u == state).on(box.at(t=0) | box.boundary(x))]
    known = Problem([u.dt - D(truth * u.dx, x) == source], box, conditions, exact={u: state}, name="conductivity")
    measured = observed(known, known.reference, ("u",), noise, count, seed)
    return measured.replace(equations=[u.dt - D(a * u.dx, x) == source], exact={u: state, a: truth})


def permeability(noise: float = 0.01, count: int = 400, seed: int = 0) -> Problem:
    r"""Permeability of a porous square from noisy observations of the pressure (Darcy's law).

    $$-\nabla\cdot(a\nabla u) = f,\quad (x, y)\in[0,1]^2$$ with f and the boundary values of the truth.

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations of u; none of a.
        seed: of points and noise.

    Truth: $u = \sin\pi x\sin\pi y + \tfrac3{10}x$, $a = \exp(\tfrac12\sin2\pi x\cos\pi y)$, exact.
    """
    x, y = coordinates("x y")
    u, a, box = Field("u", x, y), Field("a", x, y), Box({x: (0, 1), y: (0, 1)})
    state, truth = sin(pi * x) * sin(pi * y) + 0.3 * x, exp(0.5 * sin(2 * pi * x) * cos(pi * y))
    source, conditions = -div(truth * grad(state)), [(u == state).on(box.boundary)]
    known = Problem([-div(truth * grad(u)) == source], box, conditions, exact={u: state}, name="permeability")
    measured = observed(known, known.reference, ("u",), noise, count, seed)
    return measured.replace(equations=[-div(a * grad(u)) == source], exact={u: state, a: truth})


def _cases(name: str, build: Any, points: Mapping[str, int]) -> tuple[Case, ...]:
    return tuple(Case(f"inverse/{name}{mark}", build, points, {"noise": noise}) for mark, noise in _NOISE.items())


_NOISE = {"": 0.01, "_noisy": 0.1}

CASES: tuple[Case, ...] = (
    *_cases("viscosity", viscosity, {"t": 101, "x": 257}),
    *_cases("exchange", exchange, {"t": 51, "x": 101}),
    *_cases("speed", speed, {"t": 51, "x": 101}),
    Case("inverse/conductivity", conductivity, {"t": 51, "x": 101}),
    Case("inverse/permeability", permeability, {"x": 61, "y": 61}),
)
